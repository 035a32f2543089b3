//! The house against a model of itself: whatever the victim and an attacker do in two browsers each,
//! in whatever order, the real functions answer as the rules say, and leave in the tables what the
//! rules say.
//!
//! `state` is what there is, `rules` is the contract as a function, `act` is what people do, `house`
//! is the real thing, and `ledger` is what must never happen even if the rules were wrong. A history
//! that goes wrong is made smaller and printed; `MODEL_SEED` lives through it once more.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where")]

mod act;
mod house;
mod ledger;
mod noticed;
mod rules;
mod run;
mod state;
mod step;

use act::Kind;
use tests::Scale;

/// How requests end in as many histories as there are every day, by their page's code.
const ENDINGS: &[(&str, &str)] = &[
    ("Begin", ""),
    ("Begin", "ok"),
    ("Cancel", ""),
    ("Cancel", "csrf"),
    ("Cancel", "ticket_expired"),
    ("ComeBack", ""),
    ("ComeBack", "account_closed"),
    ("ComeBack", "ambiguous_email"),
    ("ComeBack", "no_password"),
    ("ComeBack", "ok"),
    ("ComeBack", "start_over"),
    ("ComeBack", "unavailable"),
    ("Forgot", ""),
    ("Forgot", "csrf"),
    ("Forgot", "ticket_expired"),
    ("Link", ""),
    ("Link", "account_closed"),
    ("Link", "already_linked"),
    ("Link", "csrf"),
    ("Link", "ticket_expired"),
    ("Link", "too_many_attempts"),
    ("Link", "wrong_password"),
    ("LogOut", ""),
    ("LogOut", "csrf"),
    ("OpenLink", "ok"),
    ("OpenLink", "ticket_expired"),
    ("OpenRegister", "ok"),
    ("OpenRegister", "ticket_expired"),
    ("Register", ""),
    ("Register", "bad_request"),
    ("Register", "csrf"),
    ("Register", "invalid_fields"),
    ("Register", "no_password"),
    ("Register", "ticket_expired"),
    ("Switch", ""),
    ("Switch", "csrf"),
    ("Switch", "start_over"),
    ("Switch", "ticket_expired"),
];

#[test]
fn f_model_inv20_the_house_does_what_its_model_does() {
    #[expect(clippy::disallowed_methods, reason = "no function reads it")]
    let seed = std::env::var("MODEL_SEED").ok().map(|seed| seed.parse().unwrap());
    let acts = if seed.is_some() { 1 } else { Scale::wanted().pick(20_000, 1_000_000) };
    let tally = run::live(acts, seed);
    println!("histories in the model and in the house: {} acts, 0 violations", tally.acts());
    println!("{} histories, {} kinds of acts: {:?}", tally.histories, tally.acts.len(), tally.acts);
    println!("{} endings: {:?}", tally.endings.len(), tally.endings);
    if seed.is_none() {
        let never = Kind::ALL.iter().filter(|(_, kind)| !tally.acts.contains_key(kind));
        let never: Vec<_> = never.collect();
        assert!(never.is_empty(), "some kinds of acts were never done: {never:?}");
        let missing = ENDINGS.iter().filter(|(request, code)| {
            !tally.endings.keys().any(|(name, _, ending)| (&**name, *ending) == (*request, *code))
        });
        let missing: Vec<_> = missing.collect();
        assert!(missing.is_empty(), "some requests never ended so: {missing:?}");
    }
}
