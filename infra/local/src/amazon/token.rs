//! `POST /auth/o2/token`: a code or a refresh token becomes an access token; a television's codes do
//! in `code`. Amazon's documented behaviour:
//!
//! 1. The parameters come as a form, or as JSON where the content type says so; otherwise
//!    `grant_type` is not found: `unsupported_grant_type`.
//! 2. The client authenticates in the body or by HTTP Basic, never by both. An unknown client or a
//!    wrong secret: `invalid_client`, the one error with status 401.
//! 3. A code is spent when an authenticated client first presents it, even if that fails. It must be
//!    young, this client's, and for this `redirect_uri`, or else `invalid_grant`.
//! 4. Its challenge must be answered by `code_verifier`, and nothing else may: `unauthorized_client`.
//! 5. A website that does not send its secret must have sent a challenge, and gets no refresh token.
//! 6. A refresh token is good for its own client until the customer takes the grant back; the new
//!    access token never knows more than the old one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{
    answer::Answer,
    code,
    habits::Refresh,
    ledger::Grant,
    received::{Params, Received, Repeated},
    world::{Kind, World},
};

const WRONG_CODE: &str = "The request has an invalid grant parameter : code";
const WRONG_REFRESH_TOKEN: &str = "The request has an invalid grant parameter : refresh_token. \
                                   User may have revoked or didn't grant the permission.";

/// A client that is who it says it is.
struct Authenticated {
    client_id: String,
    kind: Kind,
    /// Whether it proved it by its secret.
    by_secret: bool,
}

/// Answers a request for tokens.
pub(super) fn answer(world: &mut World, request: &Received) -> Answer {
    if request.method != "POST" {
        return Answer::error(405, "invalid_request", "Malformed request");
    }
    redeem(world, request).unwrap_or_else(|refusal| refusal)
}

fn redeem(world: &mut World, request: &Received) -> Result<Answer, Answer> {
    let fields = request.fields().unwrap_or(Params::parse(b""));
    let malformed = |Repeated| Answer::malformed();
    match fields.one("grant_type").map_err(malformed)? {
        Some("authorization_code") => {
            let client = authenticate(world, request, &fields)?;
            by_code(world, &client, &fields)
        }
        Some("refresh_token") => {
            let client = authenticate(world, request, &fields)?;
            by_refresh_token(world, &client, &fields)
        }
        Some("device_code") => code::progress(world, &fields),
        _ => Err(Answer::error(
            400,
            "unsupported_grant_type",
            "The authorization grant type is not supported by the authorization server",
        )),
    }
}

/// Step 2.
fn authenticate(
    world: &World,
    request: &Received,
    fields: &Params,
) -> Result<Authenticated, Answer> {
    let malformed = |Repeated| Answer::malformed();
    let stranger = || Answer::error(401, "invalid_client", "Client authentication failed");
    let in_body = (
        fields.one("client_id").map_err(malformed)?,
        fields.one("client_secret").map_err(malformed)?,
    );
    let basic = request.header("authorization").map(|text| basic(text).ok_or_else(stranger));
    let basic = basic.transpose()?;
    let (client_id, secret) = match (&basic, in_body) {
        (None, (None, _)) => return Err(Answer::missing("client_id")),
        (None, (Some(id), secret)) => (id, secret),
        (Some((id, secret)), (same, None)) if same.is_none_or(|same| same == id) => {
            (id.as_str(), Some(secret.as_str()))
        }
        (Some(_), _) => return Err(Answer::malformed()),
    };
    let client = world.registered(client_id).ok_or_else(stranger)?.client;
    if secret.is_some() && secret != client.secret.as_deref() {
        return Err(stranger());
    }
    Ok(Authenticated {
        client_id: client_id.to_owned(),
        kind: client.kind,
        by_secret: secret.is_some(),
    })
}

/// `Basic base64(client_id:client_secret)`.
pub(super) fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, text) = header.split_once(' ')?;
    let pair = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.to_owned()))
}

/// Steps 3 to 5.
fn by_code(world: &mut World, client: &Authenticated, fields: &Params) -> Result<Answer, Answer> {
    let malformed = |Repeated| Answer::malformed();
    let text = fields.one("code").map_err(malformed)?.ok_or_else(|| Answer::missing("code"))?;
    let redirect_uri = fields.one("redirect_uri").map_err(malformed)?;
    let redirect_uri = redirect_uri.ok_or_else(|| Answer::missing("redirect_uri"))?;
    let verifier = fields.one("code_verifier").map_err(malformed)?;
    if client.kind == Kind::Web && !client.by_secret && verifier.is_none() {
        return Err(Answer::error(401, "invalid_client", "Client authentication failed"));
    }

    let wrong = || Answer::error(400, "invalid_grant", WRONG_CODE);
    let code = world.ledger.codes.get(text).cloned().ok_or_else(wrong)?;
    if world.habits.burns_codes {
        world.ledger.codes.remove(text);
    }
    if world.now() >= code.grant.expires_at
        || code.grant.client_id != client.client_id
        || code.redirect_uri != redirect_uri
        || world.customer(&code.grant.customer).is_none()
    {
        return Err(wrong());
    }
    let lasting = client.by_secret || client.kind != Kind::Web;
    let answered = match (&code.challenge, verifier) {
        (Some(challenge), Some(verifier)) => challenge.answered_by(verifier),
        (None, Some(_)) => lasting && world.habits.needless_verifier,
        (Some(_), None) => false,
        (None, None) => true,
    };
    if !answered {
        let description = "Not authorized for requested operation";
        return Err(Answer::error(400, &world.habits.wrong_verifier, description));
    }
    world.ledger.codes.remove(text);
    let refresh_token = lasting.then(|| world.issue_refresh(&code.grant));
    Ok(tokens(world, &code.grant, refresh_token))
}

/// Step 6.
fn by_refresh_token(
    world: &mut World,
    client: &Authenticated,
    fields: &Params,
) -> Result<Answer, Answer> {
    let old = fields.one("refresh_token").map_err(|Repeated| Answer::malformed())?;
    let old = old.ok_or_else(|| Answer::missing("refresh_token"))?;
    if client.kind == Kind::Web && !client.by_secret {
        return Err(Answer::error(401, "invalid_client", "Client authentication failed"));
    }
    let grant = world.ledger.refresh.get(old).cloned();
    let grant = grant
        .filter(|grant| grant.client_id == client.client_id)
        .filter(|grant| world.customer(&grant.customer).is_some())
        .ok_or_else(|| Answer::error(400, "invalid_grant", WRONG_REFRESH_TOKEN))?;
    let refresh_token = match world.habits.refresh {
        Refresh::Another => Some(world.issue_refresh(&grant)),
        Refresh::Same => Some(old.to_owned()),
        Refresh::Omit => None,
        Refresh::Rotate => {
            world.ledger.refresh.remove(old);
            Some(world.issue_refresh(&grant))
        }
    };
    Ok(tokens(world, &grant, refresh_token))
}

/// The tokens and nothing else: which scopes were granted is told when the visitor comes back.
pub(super) fn tokens(world: &mut World, grant: &Grant, refresh_token: Option<String>) -> Answer {
    let mut body = json!({
        "access_token": world.issue_access(grant),
        "token_type": "bearer",
        "expires_in": world.habits.expires_in,
    });
    if let Some(token) = refresh_token {
        body["refresh_token"] = token.into();
    }
    Answer::good(body)
}
