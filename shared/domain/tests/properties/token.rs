//! Tokens, by a description of their shape that is not the parser's own.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{AmazonUserId, Handle, LinkTicket, SessionToken, State, Token, kind};
use proptest::prelude::*;
use rand_core::UnwrapErr;

use crate::{holds, matters, nasty, tampered};

/// 43 characters of base64url, the last of which carries four bits.
pub(crate) fn is_a_token(text: &str) -> bool {
    let url_safe = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    text.len() == 43
        && text.bytes().all(url_safe)
        && text.ends_with(|c| "AEIMQUYcgkosw048".contains(c))
}

fn is_a_handle(text: &str) -> bool {
    text.split_once('.').is_some_and(|(tag, secret)| is_a_token(tag) && is_a_token(secret))
}

fn token() -> impl Strategy<Value = String> {
    any::<[u8; 32]>().prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// Texts that are tokens, or are almost.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        token(),
        tampered(token()),
        "[A-Za-z0-9_-]{42,44}=?",
        "[A-Za-z0-9+/_-]{43}",
        (token(), token()).prop_map(|(tag, secret)| format!("{tag}.{secret}")),
        tampered((token(), token()).prop_map(|(tag, secret)| format!("{tag}.{secret}"))),
        nasty(),
    ]
}

fn token_is_read<Kind>(text: &str) {
    let read = Token::<Kind>::presented(text);
    assert_eq!(read.is_ok(), is_a_token(text));
    if let Ok(token) = read {
        assert_eq!(token.expose(), text);
        assert!(is_a_token(&token.hash()) && token.hash() != text);
        assert_eq!(format!("{:?}", token), "Token(…)");
    }
}

fn handle_is_read<Kind>(text: &str) {
    let read = Handle::<Kind>::presented(text);
    assert_eq!(read.is_ok(), is_a_handle(text));
    if let Ok(handle) = read {
        assert_eq!(handle.expose(), text);
        assert_eq!(handle.tag(), &text[..43]);
        // Neither the row's key nor the form's token tells the secret.
        let (hash, csrf) = (handle.hash(), handle.csrf());
        assert!(is_a_token(&hash) && is_a_token(csrf.expose()));
        assert!(!text.contains(&hash) && !text.contains(csrf.expose()));
        assert_eq!(format!("{:?}", handle), "Handle(…)");
    }
}

#[test]
fn f_ticket_only_the_shape_of_ours_is_taken_back_and_unchanged() {
    matters(100, text(), |text| {
        token_is_read::<kind::State>(&text);
        token_is_read::<kind::PkceVerifier>(&text);
        token_is_read::<kind::Csrf>(&text);
        handle_is_read::<kind::Ticket>(&text);
        handle_is_read::<kind::Session>(&text);
        is_a_token(&text) || is_a_handle(&text)
    });
}

#[test]
fn f_ticket_two_tokens_are_equal_only_if_all_of_their_bits_are() {
    holds((any::<[u8; 32]>(), 0..256_usize), |(one, bit)| {
        let mut other = one;
        other[bit / 8] ^= 1 << (bit % 8);
        let [one, other] = [one, other].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let [first, second] = [&one, &other].map(|text| State::presented(text).unwrap());
        assert!(first == first.clone() && first != second && first.hash() != second.hash());
        // Another owner or another secret is another form token.
        let [same, owner, secret] =
            [format!("{one}.{one}"), format!("{other}.{one}"), format!("{one}.{other}")]
                .map(|text| SessionToken::presented(&text).unwrap().csrf());
        assert!(same != owner && same != secret && owner != secret);
    });
}

#[test]
fn f_ticket_a_ticket_is_one_customers_and_no_two_are_the_same() {
    let id = || "[A-Za-z0-9._-]{1,128}".prop_map(|id| AmazonUserId::parse(&id).unwrap());
    holds((id(), id()), |(id, other)| {
        let rng = &mut UnwrapErr(getrandom::SysRng);
        let tickets = [&id, &id, &other].map(|id| LinkTicket::open(id, rng));
        assert_eq!(tickets[0].tag(), tickets[1].tag());
        assert_eq!(tickets[0].tag() == tickets[2].tag(), id == other);
        assert_ne!(tickets[0].hash(), tickets[1].hash());
        for ticket in tickets {
            handle_is_read::<kind::Ticket>(&ticket.expose());
        }
    });
}
