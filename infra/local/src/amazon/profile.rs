//! `GET /auth/o2/tokeninfo` and `GET /user/profile`: whose token is this, and who is the customer?
//! Amazon's documented behaviour:
//!
//! 1. The token comes in the query as `access_token`, in the header `x-amz-access-token`, or, for the
//!    profile, as `Authorization: Bearer`. Two ways at once pass if they say the same.
//! 2. A token that is expired, revoked or garbage is `invalid_token` with status 400, not 401.
//! 3. tokeninfo tells in `aud` the client that got the token, and in `exp` the seconds that are left;
//!    `iat` is a moment since 1970.
//! 4. The profile holds what was agreed to, as far as the customer has it; nothing is ever null. Only
//!    `user_id` is promised. A token without any scope is `insufficient_scope`, status 401.

use serde_json::json;

use super::{
    answer::Answer,
    received::{Params, Received},
    world::{Scope, World},
};

/// Ways for a token to travel, by the names that the journal gives them.
pub(super) fn carriers(request: &Received) -> Vec<(&'static str, String)> {
    let query: Params = request.query();
    let mut found: Vec<_> =
        query.all("access_token").map(|token| ("query", token.to_owned())).collect();
    let bearer = request.header("authorization").and_then(|text| text.split_once(' '));
    if let Some((_, token)) = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) {
        found.push(("bearer", token.trim().to_owned()));
    }
    if let Some(token) = request.header("x-amz-access-token") {
        found.push(("header", token.to_owned()));
    }
    found
}

/// Answers whose token this is.
pub(super) fn tokeninfo(world: &World, request: &Received) -> Answer {
    let carriers = carriers(request).into_iter().filter(|(way, _)| *way != "bearer").collect();
    let token = match the_one(request, carriers) {
        Ok(token) => token,
        Err(refusal) => return refusal,
    };
    let Some((grant, customer, known)) = world.access(&token) else { return invalid_token() };
    Answer::good(json!({
        "iss": "https://www.amazon.com",
        "aud": grant.client_id,
        "user_id": world.user_id(&customer.login, &grant.client_id),
        "app_id": known.profile.app_id,
        "exp": grant.expires_at.since(world.now()).as_secs(),
        "iat": grant.issued_at.0,
    }))
}

/// Answers who the customer is.
pub(super) fn profile(world: &World, request: &Received) -> Answer {
    let token = match the_one(request, carriers(request)) {
        Ok(token) => token,
        Err(refusal) => return refusal,
    };
    let Some((grant, customer, _)) = world.access(&token) else { return invalid_token() };
    if grant.scopes.is_empty() {
        let description = "The access token does not carry the required scope";
        return Answer::error(401, "insufficient_scope", description);
    }
    let mut body = json!({"user_id": world.user_id(&customer.login, &grant.client_id)});
    for (member, scope, value) in [
        ("name", Scope::Profile, &customer.name),
        ("email", Scope::Profile, &customer.email),
        ("postal_code", Scope::PostalCode, &customer.postal_code),
    ] {
        if let Some(value) = value.as_deref().filter(|_| grant.scopes.contains(&scope)) {
            body[member] = value.into();
        }
    }
    Answer { english: true, ..Answer::good(body) }
}

/// Step 1.
fn the_one(request: &Received, carriers: Vec<(&str, String)>) -> Result<String, Answer> {
    if request.method != "GET" {
        return Err(Answer::error(405, "invalid_request", "Malformed request"));
    }
    let mut tokens: Vec<_> = carriers.into_iter().map(|(_, token)| token).collect();
    tokens.dedup();
    match tokens.pop() {
        None => Err(Answer::missing("access_token")),
        Some(_) if !tokens.is_empty() => Err(Answer::malformed()),
        Some(token) => Ok(token),
    }
}

/// Step 2.
fn invalid_token() -> Answer {
    Answer::error(400, "invalid_token", "The request has an invalid parameter : access_token")
}
