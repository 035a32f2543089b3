use domain::{
    PkceVerifier, ReturnTo, State, Timestamp,
    amazon::Authorization,
    login::{Intent, Login},
};

use crate::{Cookie, Reply, Request, Site, cookie, reply, with_query};

/// Sends a browser to Amazon, and has it remember what for. Nothing is written anywhere.
pub fn send_to_amazon(
    request: &Request,
    site: &Site,
    authorization: &Authorization,
    return_to: ReturnTo,
    intent: Intent,
    now: Timestamp,
) -> Reply {
    let state = State::mint(&mut crate::rng());
    let verifier = PkceVerifier::mint(&mut crate::rng());
    let challenge = verifier.challenge();
    let parameters = authorization.parameters(&state, &challenge);
    let url = with_query(&site.authorize_url, &parameters);

    let mut logins = cookie::logins(request);
    logins.begin(Login { state, verifier, return_to, started_at: now, intent }, now);
    reply::with_cookie(reply::see_other(&url), &Cookie::logins(&logins))
}
