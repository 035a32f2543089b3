use crate::{Answer, stage::code};

/// Every code that a page or a problem of ours may carry.
const CODES: [&str; 24] = [
    "account_closed",
    "already_linked",
    "ambiguous_email",
    "bad_request",
    "broken",
    "csrf",
    "invalid_fields",
    "last_sign_in_method",
    "method_not_allowed",
    "mfa_required",
    "no_password",
    "not_found",
    "not_signed_in",
    "ok",
    "reauthentication_required",
    "registration_closed",
    "start_over",
    "ticket_expired",
    "token_rejected",
    "too_large",
    "too_many_attempts",
    "unavailable",
    "unsupported_media_type",
    "wrong_password",
];

/// What a television is told that is not in, or not yet.
const OF_TELEVISIONS: [&str; 4] =
    ["access_denied", "authorization_pending", "expired_token", "slow_down"];

/// What the gateway says itself, and nobody else: a throttle of the stage or of a route; and a function
/// that runs as often as it may at once.
const OF_THE_GATEWAY: [(u16, &str); 2] =
    [(429, r#"{"message":"Too Many Requests"}"#), (503, r#"{"message":"Service Unavailable"}"#)];

/// The word for how a request ended: a code of ours, `ok` where there needs to be none, `gateway` where
/// the gateway has answered itself; nothing for an answer that nobody has thought of.
pub fn named(answer: &Answer) -> Option<&'static str> {
    if OF_THE_GATEWAY.contains(&(answer.status, &*answer.text)) {
        return Some("gateway");
    }
    let code = code(answer);
    if let Some(known) = CODES.iter().find(|known| **known == code) {
        return Some(known);
    }
    if !code.is_empty() {
        return None;
    }
    if matches!(answer.status, 200 | 204 | 303) {
        return Some("ok");
    }
    // Neither a page nor a problem: whoever is not signed in, and televisions, are told in JSON.
    let told: serde_json::Value = serde_json::from_str(&answer.text).unwrap_or_default();
    if answer.status == 401 && (told["signed_in"] == false || answer.text.is_empty()) {
        return Some("not_signed_in");
    }
    let word = told["error"].as_str().filter(|_| answer.status == 400)?;
    OF_TELEVISIONS.iter().find(|known| **known == word).copied()
}
