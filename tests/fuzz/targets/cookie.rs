//! F-COOKIE: all readers take the same one cookie or none, whatever the order. Cookies, one on each
//! line.
#![no_main]

#[allow(dead_code)]
mod probe;

use domain::{LinkTicket, SessionToken, login::Logins};
use libfuzzer_sys::fuzz_target;
use web::cookie;

fuzz_target!(|text: &str| {
    let cookies: Vec<&str> = text.split('\n').collect();
    let only = |name: &str| {
        let pairs = cookies.iter().filter_map(|cookie| cookie.split_once('='));
        let mut values: Vec<&str> =
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).collect();
        values.dedup();
        (values.len() == 1).then(|| values[0])
    };
    let (mut event, mut backwards) = (probe::event(), probe::event());
    event["cookies"] = cookies.clone().into();
    backwards["cookies"] = cookies.iter().rev().copied().collect::<Vec<_>>().into();
    for event in [event, backwards] {
        assert!(probe::ask(&event, |request| {
            for name in [cookie::SESSION, cookie::TICKET, cookie::LOGIN] {
                assert_eq!(request.cookie(name), only(name));
            }
            let session = only(cookie::SESSION).and_then(|text| SessionToken::presented(text).ok());
            let found = cookie::session(request).map(|token| token.expose());
            assert_eq!(found, session.map(|token| token.expose()));
            let ticket = only(cookie::TICKET).and_then(|text| LinkTicket::presented(text).ok());
            let found = cookie::ticket(request).ok().map(|ticket| ticket.expose());
            assert_eq!(found, ticket.map(|ticket| ticket.expose()));
            let logins = only(cookie::LOGIN).map(Logins::parse).unwrap_or_default();
            assert_eq!(cookie::logins(request), logins);
        }));
    }
});
