//! F-TICKET: only the one shape that we hand out is taken back, and unchanged. Also ids.
#![no_main]

use domain::{AccountId, AmazonUserId, CsrfToken, LinkTicket, SessionToken, State};
use libfuzzer_sys::fuzz_target;

fn is_a_token(text: &str) -> bool {
    let url_safe = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    let spare = |c| "AEIMQUYcgkosw048".contains(c);
    text.len() == 43 && text.bytes().all(url_safe) && text.ends_with(spare)
}

fuzz_target!(|text: &str| {
    let state = State::presented(text);
    assert_eq!(state.is_ok(), is_a_token(text));
    assert!(state.is_ok_and(|state| state.expose() == text) || !is_a_token(text));
    assert_eq!(CsrfToken::presented(text).is_ok(), is_a_token(text));

    let two = text.split_once('.');
    let is_a_handle = two.is_some_and(|(tag, secret)| is_a_token(tag) && is_a_token(secret));
    let session = SessionToken::presented(text);
    assert_eq!(session.is_ok(), is_a_handle);
    assert_eq!(LinkTicket::presented(text).is_ok(), is_a_handle);
    if let Ok(session) = session {
        assert_eq!(session.expose(), text);
        assert!(!text.contains(&session.hash()) && !text.contains(session.csrf().expose()));
    }

    let in_word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let word = (1..=128).contains(&text.len()) && text.chars().all(in_word);
    assert_eq!(
        AmazonUserId::parse(text).map(|id| id.as_str().to_owned()),
        word.then(|| text.into())
    );
    let id = (1..=256).contains(&text.len()) && !text.chars().any(char::is_control);
    assert_eq!(AccountId::parse(text).map(|id| id.as_str().to_owned()), id.then(|| text.into()));
});
