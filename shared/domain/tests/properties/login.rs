//! The cookie that remembers what has begun.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    PkceVerifier, ReturnTo, State, Timestamp,
    login::{Intent, Login, Logins},
};
use proptest::prelude::*;

use crate::{fragment, holds, matters, return_to, tampered, token::is_a_token};

const NOON: Timestamp = Timestamp(1_795_167_000);
/// What a browser keeps of a cookie's name and value.
const BROWSERS_KEEP: usize = 4096;

fn login() -> impl Strategy<Value = Login> {
    let started_at = (NOON.0 - 599..NOON.0 + 600).prop_map(Timestamp);
    let session = any::<[u8; 32]>().prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    let intent = prop_oneof![
        4 => Just(Intent::SignIn),
        1 => session.clone().prop_map(Intent::Link),
        1 => session.prop_map(Intent::Prove),
    ];
    (any::<[u8; 32]>(), any::<[u8; 32]>(), return_to(), started_at, intent).prop_map(
        |(state, verifier, return_to, started_at, intent)| Login {
            state: State::presented(&URL_SAFE_NO_PAD.encode(state)).unwrap(),
            verifier: PkceVerifier::presented(&URL_SAFE_NO_PAD.encode(verifier)).unwrap(),
            return_to,
            started_at,
            intent,
        },
    )
}

fn begun(logins: &[Login]) -> Logins {
    let mut all = Logins::default();
    for login in logins {
        all.begin(login.clone(), NOON);
    }
    all
}

/// An entry that no sign-in of ours ever left.
fn junk() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(fragment(), 0..8).prop_map(|pieces| pieces.concat());
    let damaged = tampered(login().prop_map(|login| begun(&[login]).print()));
    prop_oneof![pieces, "[A-Za-z0-9_.-]{0,200}", damaged]
        .prop_map(|text| text.replace('~', ""))
        .prop_filter("an entry of ours", |text| Logins::parse(text).is_empty())
}

/// An entry of any kind.
fn entry() -> impl Strategy<Value = String> {
    prop_oneof![3 => login().prop_map(|login| begun(&[login]).print()), 1 => junk()]
}

#[test]
fn f_cookie_f_seal_what_a_browser_remembers_is_read_as_it_was_written() {
    holds(prop::collection::vec(login(), 0..5), |logins| {
        let written = begun(&logins);
        let mut read = Logins::parse(&written.print());
        assert_eq!(read, written);
        assert_eq!(read.print(), written.print());
        for login in logins {
            assert_eq!(read.finish(&login.state), Some(login.clone()));
            assert_eq!(read.finish(&login.state), None, "it is taken out");
        }
        assert!(read.is_empty());
    });
}

#[test]
fn f_cookie_f_seal_an_entry_that_is_none_of_ours_is_dropped_and_hurts_no_other() {
    let entry = prop_oneof![login().prop_map(Ok), junk().prop_map(Err)];
    holds(prop::collection::vec(entry, 0..8), |entries| {
        let text = |entry: &Result<Login, String>| match entry {
            Ok(login) => begun(std::slice::from_ref(login)).print(),
            Err(junk) => junk.clone(),
        };
        let cookie = entries.iter().map(text).collect::<Vec<_>>().join("~");
        let mut read = Logins::parse(&cookie);
        for login in entries.into_iter().flatten() {
            assert_eq!(read.finish(&login.state), Some(login));
        }
        assert!(read.is_empty());
    });
}

#[test]
fn f_cookie_n07_the_cookie_fits_into_a_browser_whatever_came_before() {
    let before = (prop::collection::vec(entry(), 0..4), 1..20_usize);
    holds((before, login()), |((entries, times), newest)| {
        let mut logins = Logins::parse(&vec![entries.join("~"); times].join("~"));
        logins.begin(newest.clone(), NOON);
        let printed = logins.print();
        assert!("__Host-lwa_login".len() + printed.len() <= BROWSERS_KEEP);
        assert!(printed.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)));
        assert_eq!(Logins::parse(&printed).finish(&newest.state), Some(newest));
    });
}

#[test]
fn f_cookie_k02_nothing_but_sign_ins_is_read_from_any_text_and_none_is_ever_shown() {
    let entries = prop::collection::vec(entry(), 0..6);
    let cookies = prop_oneof![entries.prop_map(|entries| run_together(&entries)), any::<String>()];
    matters(100, cookies, |cookie| {
        let read = Logins::parse(&cookie);
        let ours = cookie.split('~').filter_map(ours).collect::<Vec<_>>().join("~");
        assert_eq!(read.print(), ours);
        assert_eq!(Logins::parse(&ours), read);
        for secret in ours.split(['~', '.']).filter(|part| part.len() == 43) {
            assert!(!format!("{read:?}").contains(secret));
        }
        !read.is_empty()
    });
}

/// An entry as we would write it, if it is one: state, verifier, start and path; and what it is for
/// with which session, if not to sign in.
fn ours(entry: &str) -> Option<String> {
    let parts: Vec<&str> = entry.split('.').collect();
    let [state, verifier, started_at, path, ref intent @ ..] = parts[..] else { return None };
    match intent {
        [] => {}
        ["link" | "prove", session] if is_a_token(session) => {}
        _ => return None,
    }
    let started_at: i64 = started_at.parse().ok()?;
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(path).ok()?).ok()?;
    let fits = is_a_token(state) && is_a_token(verifier) && ReturnTo::parse(&decoded).is_some();
    let begun = [state, verifier, &started_at.to_string(), path];
    fits.then(|| begun.iter().chain(intent).copied().collect::<Vec<_>>().join("."))
}

/// Entries that run into each other.
fn run_together(entries: &[String]) -> String {
    let joint = |at: usize| [".", "~", "~~", ""][at % 4];
    entries.iter().enumerate().map(|(at, entry)| format!("{entry}{}", joint(at))).collect()
}
