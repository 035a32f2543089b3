//! F-COOKIE, the sign-ins under way: what is read is ours, and printed again it fits into a browser.
#![no_main]

use domain::{
    PkceVerifier, ReturnTo, State, Timestamp,
    login::{Login, Logins},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|cookie: &str| {
    let mut read = Logins::parse(cookie);
    assert_eq!(Logins::parse(&read.print()), read);
    let printed = read.print();
    for entry in printed.split('~').filter(|entry| !entry.is_empty()) {
        let [state, verifier, started_at, _] = entry.split('.').collect::<Vec<_>>()[..] else {
            panic!("{entry}")
        };
        assert!(State::presented(state).is_ok() && PkceVerifier::presented(verifier).is_ok());
        started_at.parse::<i64>().unwrap();
        assert!(cookie.contains(state) && cookie.contains(verifier), "nothing is made up");
        assert!(!format!("{read:?}").contains(state), "nothing is shown");
    }

    let now = Timestamp(1_795_167_000);
    let token = "A".repeat(42) + "B";
    let state = State::presented(&token.replace('B', "E")).unwrap();
    let newest = Login {
        state: state.clone(),
        verifier: PkceVerifier::presented(&token.replace('B', "I")).unwrap(),
        return_to: ReturnTo::home(),
        started_at: now,
    };
    while read.finish(&state).is_some() {}
    read.begin(newest.clone(), now);
    let printed = read.print();
    assert!("__Host-lwa_login".len() + printed.len() <= 4096);
    assert!(printed.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)));
    assert_eq!(Logins::parse(&printed).finish(&state), Some(newest));
});
