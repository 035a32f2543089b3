//! Amazon itself: whether it is there, knows us, and lets our visitors come back.

use domain::{PkceVerifier, amazon::Region};
use web::{Settings, Site};

use super::site::begin;
use crate::{
    http::Answer,
    round::{Check, Round, Seen, not_checked, ok, wrong},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "amazon",
        name: "Amazon answers",
        after: &["stand-ins"],
        mend: "Look at LWA_REGION, and at LWA_AUTHORIZE_URL and LWA_API_URL where they are set.",
        read: "Settings",
    },
    Check {
        id: "client",
        name: "Amazon knows the client id and the client secret",
        after: &["amazon", "client-secret-shape"],
        mend: "Copy both anew from the web settings of one security profile at Amazon: LWA_CLIENT_ID, and the secret that LWA_CLIENT_SECRET_ARN names.",
        read: "Settings",
    },
    Check {
        id: "allowed-return-url",
        name: "Amazon lets visitors come back here",
        after: &["amazon", "return-url"],
        mend: "Add the return URL of `return-url` to the Allowed Return URLs, in the web settings of the security profile that LWA_CLIENT_ID is of.",
        read: "Deploy",
    },
    Check {
        id: "callback",
        name: "The callback asks Amazon, and is told that this code is none",
        after: &["client", "cookies-arrive"],
        mend: "Look into the log of `callback`: it may not read LWA_CLIENT_SECRET_ARN, not reach Amazon, or have another LWA_CLIENT_ID.",
        read: "Settings",
    },
    Check {
        id: "device",
        name: "Amazon knows the client id of televisions",
        after: &["amazon"],
        mend: "Set LWA_DEVICE_CLIENT_ID to the client id of the security profile's settings for TVs and other devices, or to nothing.",
        read: "Settings",
    },
];

/// No code: Amazon's are 20 letters and digits.
const NO_CODE: &str = "ANlwaDoctorMadeItUpX";

pub(super) async fn look(round: &mut Round<'_>) {
    let settings = round.deployment.settings();
    let url = round.deployment.public_url().to_owned();
    let Ok(site) = Site::new(&settings) else { return };
    let Some(amazon) = client(&settings, &site) else { return };
    if round.is_due("amazon") {
        let seen = reachable(round, &[&site.authorize_url, &amazon.api]).await;
        round.note("amazon", seen);
    }
    if round.is_due("client") {
        let seen = match &round.client_secret {
            None => not_checked("the client secret could not be read"),
            Some(secret) => {
                let verifier = PkceVerifier::mint(&mut web::rng());
                known(amazon.redeem(NO_CODE, &verifier, secret).await.map(drop))
            }
        };
        round.note("client", seen);
    }
    if round.is_due("allowed-return-url") {
        let seen = match begin(round, &url).await {
            None => not_checked("no sign-in began"),
            Some(begun) => match round.http.get(begun.to.as_str(), &[]).await {
                Ok(answer) => allowed(&answer),
                Err(said) => not_checked(said),
            },
        };
        round.note("allowed-return-url", seen);
    }
    if round.is_due("callback") {
        let seen = come_back(round, &url).await;
        round.note("callback", seen);
    }
    if round.is_due("device") {
        let seen = match settings.optional("LWA_DEVICE_CLIENT_ID") {
            None => Ok("there are none".to_owned()),
            Some(id) => {
                let television = lwa::Client { client_id: id.to_owned(), ..amazon };
                let scope = settings.optional("LWA_SCOPE").unwrap_or("profile");
                shown(television.code_pair(scope).await.map(drop))
            }
        };
        round.note("device", seen);
    }
}

/// Amazon, as the functions reach it.
fn client(settings: &Settings, site: &Site) -> Option<lwa::Client> {
    let region = settings.parsed("LWA_REGION", Region::default()).ok()?;
    let stand_in = settings.loopback_url("LWA_API_URL").ok()?;
    Some(lwa::Client {
        http: lwa::http().ok()?,
        api: stand_in.unwrap_or_else(|| region.api_url().to_owned()),
        client_id: settings.optional("LWA_CLIENT_ID")?.to_owned(),
        redirect_uri: site.redirect_uri(),
    })
}

async fn reachable(round: &mut Round<'_>, urls: &[&str]) -> Seen {
    let mut silent = Vec::new();
    for url in urls {
        if let Err(said) = round.http.get(url, &[]).await {
            silent.push(format!("{url}: {said}"));
        }
    }
    match silent.as_slice() {
        [] => ok(),
        // From here; the functions may well reach it.
        _ if !round.deployment.is_here() => not_checked(silent.join("; ")),
        _ => wrong(silent.join("; ")),
    }
}

/// What Amazon's answer to a code that is none says about the client.
fn known(redeemed: Result<(), lwa::Error>) -> Seen {
    match redeemed {
        Err(lwa::Error::CodeRefused(_)) => ok(),
        Err(lwa::Error::ClientRefused) => wrong("it says invalid_client"),
        Err(error @ lwa::Error::RequestRefused(_)) => wrong(error.to_string()),
        Err(error) => not_checked(error.to_string()),
        Ok(()) => not_checked("it took a code that is none"),
    }
}

/// Amazon's page for a return URL that it does not know, or a client, has the status 400.
fn allowed(answer: &Answer) -> Seen {
    match answer.status {
        200 | 302 | 303 => ok(),
        400 => wrong("it answers 400 to the client id and the return URL of a sign-in"),
        _ => not_checked(answer.said()),
    }
}

async fn come_back(round: &mut Round<'_>, url: &str) -> Seen {
    let Some(begun) = begin(round, url).await else { return not_checked("no sign-in began") };
    let Some(back) = begun.back(url, "code", NO_CODE) else {
        return not_checked("the sign-in has no state");
    };
    let headers = [("cookie", begun.cookie.as_str()), ("accept", "application/json")];
    match round.http.get(&back, &headers).await {
        Ok(answer) => refused(&answer),
        Err(said) => wrong(said),
    }
}

fn refused(answer: &Answer) -> Seen {
    match answer.code().as_deref() {
        Some("start_over") => ok(),
        Some(code) => wrong(format!("it answered {} {code}", answer.status)),
        None => wrong(format!("{}, which is not of ours", answer.said())),
    }
}

fn shown(pair: Result<(), lwa::Error>) -> Seen {
    match pair {
        Ok(()) => ok(),
        Err(lwa::Error::ClientRefused) => wrong("it does not"),
        Err(error @ lwa::Error::RequestRefused(_)) => wrong(error.to_string()),
        Err(error) => not_checked(error.to_string()),
    }
}
