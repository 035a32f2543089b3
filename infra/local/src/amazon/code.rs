//! Code-based linking: a television shows a code, and somebody types it here. Amazon's documented
//! behaviour:
//!
//! 1. `POST /auth/o2/create/codepair` wants `response_type`, the `client_id` of a television and a
//!    `scope`. A client id that nobody has is `InvalidValue`, one that is no television's
//!    `unauthorized_client`.
//! 2. It gives a `user_code` for people, a `device_code` for the television's server, ten minutes, and
//!    how long to wait between two questions.
//! 3. At `/code` a person signs in and types the code, in any case and with blanks around it, and
//!    agrees as to a website. There is a page for success and one for failure.
//! 4. `POST /auth/o2/token` with `grant_type=device_code` wants both codes, and neither client id nor
//!    secret. `authorization_pending`: ask again later; `slow_down`: later than that.
//! 5. Codes that are over, refused, used, unknown or of two pairs are `invalid_code_pair`.
//! 6. A pair gives tokens once, a refresh token among them.

use std::time::Duration;

use domain::Timestamp;
use serde_json::json;

use super::{
    answer::Answer,
    ledger::Grant,
    received::{Params, Received, Repeated},
    token::tokens,
    world::{Kind, Scope, World},
};

/// Two codes that belong together.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) user_code: String,
    pub(super) client_id: String,
    pub(super) scopes: Vec<Scope>,
    expires_at: Timestamp,
    asked_at: Option<Timestamp>,
    pub(super) verdict: Verdict,
}

/// What a person said of a pair.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing yet.
    Pending,
    /// Yes: who, and what may be known.
    Allowed(String, Vec<Scope>),
    /// No.
    Denied,
    /// Yes, and the tokens are out.
    Used,
}

/// Answers a television that wants codes: steps 1 and 2.
pub(super) fn codepair(world: &mut World, request: &Received) -> Answer {
    if request.method != "POST" {
        return Answer::error(405, "invalid_request", "Malformed request");
    }
    pair(world, request).unwrap_or_else(|refusal| refusal)
}

fn pair(world: &mut World, request: &Received) -> Result<Answer, Answer> {
    let fields = request.fields().unwrap_or(Params::parse(b""));
    let needed = |name: &str| needed(&fields, name);
    let invalid = |code: &str, name: &str| {
        let description = format!("The request has an invalid parameter : {name}");
        Answer::error(400, code, &description)
    };
    if needed("response_type")? != "device_code" {
        return Err(invalid("invalid_request", "response_type"));
    }
    let client_id = needed("client_id")?;
    let client = world.registered(&client_id).map(|known| known.client.clone());
    let client = client.ok_or_else(|| invalid("InvalidValue", "client_id"))?;
    if client.kind != Kind::Device {
        return Err(Answer::error(
            400,
            "unauthorized_client",
            "Not authorized for requested operation",
        ));
    }
    let scope = needed("scope")?;
    let allowed = |name: &str| Scope::parse(name).is_some_and(|s| client.scopes.contains(&s));
    if !scope.split(' ').all(allowed) {
        return Err(Answer::error(400, "invalid_scope", "An unknown scope was requested"));
    }

    let lives = Duration::from_secs(world.habits.codes_live);
    let (user_code, device_code) = (world.ledger.mint.user_code(), world.ledger.mint.request_id());
    let pair = Pair {
        user_code: user_code.clone(),
        client_id,
        scopes: Scope::list(&scope),
        expires_at: world.now() + lives,
        asked_at: None,
        verdict: Verdict::Pending,
    };
    world.ledger.pairs.insert(device_code.clone(), pair);
    let host = request.header("host").unwrap_or_default();
    Ok(Answer::good(json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": format!("http://{host}/code"),
        "expires_in": world.habits.codes_live,
        "interval": world.habits.interval,
    })))
}

/// Answers a television that asks how far the person is: steps 4 to 6.
pub(super) fn progress(world: &mut World, fields: &Params) -> Result<Answer, Answer> {
    let (device_code, user_code) = (needed(fields, "device_code")?, needed(fields, "user_code")?);
    let invalid = || Answer::error(400, "invalid_code_pair", "The code pair is not valid");
    let (now, too_soon) = (world.now(), Duration::from_secs(world.habits.least_interval));
    let pair = world.ledger.pairs.get_mut(&device_code).filter(|pair| pair.user_code == user_code);
    let pair = pair.filter(|pair| now < pair.expires_at).ok_or_else(invalid)?;
    if matches!(pair.verdict, Verdict::Denied | Verdict::Used) {
        return Err(invalid());
    }
    let before = pair.asked_at.replace(now);
    if before.is_some_and(|before| now.since(before) < too_soon) {
        return Err(Answer::error(400, "slow_down", "The device is polling too frequently"));
    }
    let Verdict::Allowed(customer, scopes) = pair.verdict.clone() else {
        let description = "The customer has not yet authorized the device";
        return Err(Answer::error(400, "authorization_pending", description));
    };
    pair.verdict = Verdict::Used;
    let client_id = pair.client_id.clone();
    let grant = Grant { customer, client_id, scopes, issued_at: now, expires_at: now };
    let refresh_token = world.issue_refresh(&grant);
    Ok(tokens(world, &grant, Some(refresh_token)))
}

impl World {
    /// The pair that a person means by this code, as long as nobody has decided about it.
    pub(super) fn pair(&self, typed: &str) -> Option<&Pair> {
        self.ledger.pairs.values().find(|pair| self.is_meant(pair, typed))
    }

    /// Decides about the pair of this code; says whether there was one to decide about.
    pub(super) fn decide(&mut self, typed: &str, verdict: Verdict) -> bool {
        let meant = self.ledger.pairs.iter().find(|(_, pair)| self.is_meant(pair, typed));
        let Some(device_code) = meant.map(|(code, _)| code.clone()) else { return false };
        let pair = self.ledger.pairs.get_mut(&device_code);
        pair.map(|pair| pair.verdict = verdict).is_some()
    }

    fn is_meant(&self, pair: &Pair, typed: &str) -> bool {
        let same = pair.user_code.eq_ignore_ascii_case(typed.trim());
        same && pair.verdict == Verdict::Pending && self.now() < pair.expires_at
    }
}

fn needed(fields: &Params, name: &str) -> Result<String, Answer> {
    let text = fields.one(name).map_err(|Repeated| Answer::malformed())?;
    text.map(str::to_owned).ok_or_else(|| Answer::missing(name))
}
