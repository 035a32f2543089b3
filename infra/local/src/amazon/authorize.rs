//! `GET /ap/oa`: a visitor arrives from a site, and goes back to it. Amazon's documented behaviour:
//!
//! 1. An unknown `client_id`, or a `redirect_uri` that is not byte for byte a registered one, gets a
//!    page with status 400. Nobody is sent anywhere.
//! 2. Every other error goes back to the site: `error_description`, `state`, `error`.
//! 3. `response_type` is `code`; the implicit grant is gone.
//! 4. `scope` names scopes that this client may ask for, separated by spaces.
//! 5. A `code_challenge` has 43 to 128 characters; its method is `S256` or `plain`, by default `plain`.
//! 6. `scope_data` says per scope whether it is essential; a scope that is not may be unticked.
//! 7. The customer signs in, unless this browser has a session.
//! 8. The customer agrees, unless nothing but `profile:user_id` is asked for or it was agreed to before.
//! 9. The site gets `code`, `scope` (what was agreed to) and `state`, exactly as it was sent.

use serde_json::Value;

use super::{
    ledger::Challenge,
    received::{Params, Repeated},
    world::{Scope, World},
};

/// A sign-in that was asked for properly.
pub(super) struct Asked {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<Scope>,
    /// Those of the scopes that cannot be unticked.
    pub(super) essential: Vec<Scope>,
    state: Option<String>,
    challenge: Option<Challenge>,
}

/// A sign-in that comes to nothing.
pub(super) enum Refused {
    /// Here, with this explanation.
    Page(&'static str),
    /// Back at the site: where to.
    Redirect(String),
}

/// Reads what a site asks for: steps 1 to 6.
pub(super) fn read(world: &World, query: &Params) -> Result<Asked, Refused> {
    let unknown = Refused::Page("Unknown client_id.");
    let Ok(Some(client_id)) = query.one("client_id") else { return Err(unknown) };
    let Some(known) = world.registered(client_id) else { return Err(unknown) };
    let redirect_uri = match query.one("redirect_uri") {
        Ok(Some(uri)) if known.client.returns_to(uri) => uri,
        _ => {
            return Err(Refused::Page(
                "This redirect_uri is not registered for the application. \
                 Please add it under Allowed Return URLs in Web Settings.",
            ));
        }
    };

    let state = query.one("state").ok().flatten();
    let refuse =
        |error, description| Refused::Redirect(with_error(redirect_uri, state, error, description));
    let malformed = |Repeated| refuse("invalid_request", "Malformed request");
    if let Some(error) = &world.habits.sign_in_error {
        return Err(refuse(error, "Please try again later."));
    }
    query.one("state").map_err(malformed)?;
    match query.one("response_type").map_err(malformed)? {
        Some("code") => {}
        None => {
            let description = "The request is missing a required parameter : response_type";
            return Err(refuse("invalid_request", description));
        }
        Some(_) => {
            let description = "The authorization server does not support this response type";
            return Err(refuse("unsupported_response_type", description));
        }
    }

    let unknown_scope = || refuse("invalid_scope", "An unknown scope was requested");
    let text = query.one("scope").map_err(malformed)?.unwrap_or_default();
    let allowed = |name: &str| Scope::parse(name).is_some_and(|s| known.client.scopes.contains(&s));
    if !text.split(' ').all(allowed) {
        return Err(unknown_scope());
    }
    let scopes = Scope::list(text);

    let method = query.one("code_challenge_method").map_err(malformed)?;
    let challenge = match (query.one("code_challenge").map_err(malformed)?, method) {
        (None, None) => None,
        (text, method) => {
            let challenge = text.and_then(|text| Challenge::parse(text, method));
            let description = "The request has an invalid parameter : code_challenge";
            Some(challenge.ok_or_else(|| refuse("invalid_request", description))?)
        }
    };

    let scope_data = query.one("scope_data").map_err(malformed)?.unwrap_or("{}");
    let Ok(Value::Object(scope_data)) = serde_json::from_str(scope_data) else {
        return Err(refuse("invalid_request", "The request has an invalid parameter : scope_data"));
    };
    let is_essential = |scope: &Scope| {
        let said = scope_data.get(scope.as_str()).and_then(|data| data["essential"].as_bool());
        said.unwrap_or_else(|| known.profile.essential.contains(scope))
    };
    Ok(Asked {
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        essential: scopes.iter().copied().filter(is_essential).collect(),
        scopes,
        state: state.map(str::to_owned),
        challenge,
    })
}

impl Asked {
    /// The scopes that the customer has to agree to: step 8. None, if nobody need be asked.
    pub(super) fn to_agree(&self, world: &World, customer: &str) -> Vec<Scope> {
        to_agree(world, &self.client_id, &self.scopes, customer)
    }

    /// Where the visitor goes who agreed, having ticked these scopes: step 9.
    ///
    /// Essential scopes, and the id, go with it in any case.
    pub(super) fn agreed(&self, world: &mut World, customer: &str, ticked: &[Scope]) -> String {
        let scopes = granted(&self.scopes, &self.essential, ticked);
        if scopes.is_empty() && !world.habits.empty_grant {
            return self.denied();
        }
        world.remember_consent(customer, &self.client_id, &scopes);
        let names: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        let names = names.join(" ");
        let code = world.issue_code(
            customer,
            &self.client_id,
            &self.redirect_uri,
            scopes,
            self.challenge.clone(),
        );
        let state = self.state.as_deref();
        with(
            &self.redirect_uri,
            [("code", Some(&*code)), ("scope", Some(&*names)), ("state", state)],
        )
    }

    /// Where the visitor goes who pressed Cancel.
    pub(super) fn denied(&self) -> String {
        let state = self.state.as_deref();
        with_error(&self.redirect_uri, state, "access_denied", "Access not permitted.")
    }
}

/// The scopes that a customer has to agree to. None, if nobody need be asked.
pub(super) fn to_agree(
    world: &World,
    client_id: &str,
    scopes: &[Scope],
    customer: &str,
) -> Vec<Scope> {
    let Some(known) = world.registered(client_id) else { return Vec::new() };
    let key = (customer.to_owned(), known.profile.app_id.clone());
    let before = world.ledger.consents.get(&key);
    let personal = scopes.iter().copied().filter(|scope| *scope != Scope::UserId);
    let personal: Vec<_> = personal.collect();
    let agreed = |scope| before.is_some_and(|before| before.contains(scope));
    if personal.iter().all(agreed) { Vec::new() } else { personal }
}

/// What of these scopes a customer has agreed to who ticked those.
pub(super) fn granted(scopes: &[Scope], essential: &[Scope], ticked: &[Scope]) -> Vec<Scope> {
    let given = |scope: &Scope| {
        *scope == Scope::UserId || essential.contains(scope) || ticked.contains(scope)
    };
    scopes.iter().copied().filter(given).collect()
}

fn with_error(uri: &str, state: Option<&str>, error: &str, description: &str) -> String {
    with(uri, [("error_description", Some(description)), ("state", state), ("error", Some(error))])
}

/// The registered URL, whose own query stays, with these parameters.
fn with<const N: usize>(uri: &str, params: [(&str, Option<&str>); N]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in params {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("{uri}{}{}", if uri.contains('?') { '&' } else { '?' }, query.finish())
}
