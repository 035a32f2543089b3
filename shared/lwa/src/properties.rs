//! What holds for every answer that Amazon, or somebody in its place, could give.

use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Map, Value, json};

use crate::{
    AccessToken, Error,
    answer::{self, Documented, Refused, agreed, issued_for, redeemed, told, understand},
};

const OURS: &str = "amzn1.application-oa2-client.ours";
/// What no error may repeat.
const CANARY: &str = "CANARY";

/// Tries a property. A failure prints the smallest input that it was found with.
#[track_caller]
fn holds<S: Strategy>(inputs: S, property: impl Fn(S::Value)) {
    let config = ProptestConfig { cases: 1024, failure_persistence: None, ..Default::default() };
    let outcome = TestRunner::new(config).run(&inputs, |input| {
        property(input);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Any JSON; every text has the canary in it.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(|text| format!("{text}{CANARY}").into()),
        "[\r\n\0\u{202e}a ]{1,200}".prop_map(|text| format!("{CANARY}{text}").into()),
        select(vec!["invalid_grant", "bearer", OURS, "https://www.amazon.com"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,3}CANARY", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An object with some of the members that answers have, and others.
fn object() -> impl Strategy<Value = Map<String, Value>> {
    const NAMES: &[&str] = &[
        "access_token",
        "token_type",
        "aud",
        "user_id",
        "iss",
        "exp",
        "email",
        "name",
        "postal_code",
        "error",
        "error_description",
        "ERROR",
        "x",
    ];
    let right = json!({
        "access_token": "Atza|CANARY", "token_type": "bearer", "aud": OURS, "exp": 3600,
        "user_id": "amzn1.account.CANARY", "iss": "https://www.amazon.com",
        "email": "canary@example.com", "name": CANARY, "postal_code": "98101",
    });
    let odd = prop::collection::btree_map(select(NAMES), json(), 0..3);
    let absent = prop::collection::vec(select(NAMES), 0..2);
    (odd, absent).prop_map(move |(odd, absent)| {
        let mut members = right.as_object().unwrap().clone();
        members.extend(odd.into_iter().map(|(name, value)| (name.to_owned(), value)));
        absent.into_iter().for_each(|name| drop(members.remove(name)));
        members
    })
}

/// A body: an object, one that was cut or tampered with, or anything at all.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let text = || object().prop_map(|members| Value::Object(members).to_string().into_bytes());
    let spoilt =
        (text(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut text, at, byte)| {
            let at = at.index(text.len());
            text[at] = byte;
            text
        });
    let cut = (text(), any::<prop::sample::Index>()).prop_map(|(mut text, at)| {
        text.truncate(at.index(text.len()));
        text
    });
    let other = json().prop_map(|json| json.to_string().into_bytes());
    prop_oneof![6 => text(), 1 => spoilt, 1 => cut, 1 => other, 1 => any::<Vec<u8>>()]
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![6 => Just(200), 2 => select(vec![400, 401, 403, 429, 500, 503]), 1 => 100..1000_u16]
}

fn told_nothing(error: &Error) {
    let said = format!("{error} {error:?}");
    assert!(!said.contains(CANARY), "{said}");
    let unavailable = matches!(error, Error::Unavailable { .. });
    assert!(!unavailable || std::error::Error::source(error).is_none());
}

/// Reads a body as one of the three answers.
fn read<T: Documented>(status: u16, body: &[u8]) -> Result<Result<T, Refused>, Error> {
    understand("token", status, body).inspect_err(told_nothing)
}

#[test]
fn f_lwa_whatever_is_answered_is_understood_or_is_no_answer_and_is_never_repeated() {
    holds((status(), body()), |(status, body)| {
        let members: Option<Map<String, Value>> = serde_json::from_slice(&body).ok();
        let text = |name: &str| {
            members.as_ref().and_then(|members| members.get(name)).and_then(Value::as_str)
        };

        let token = read(status, &body).and_then(redeemed).inspect_err(told_nothing);
        if let Ok(AccessToken(token)) = token {
            assert_eq!((status, text("access_token")), (200, Some(token.as_str())));
            assert!(text("token_type").unwrap().eq_ignore_ascii_case("bearer"));
            assert!(token.bytes().all(|b| b.is_ascii_graphic()));
        }

        let issued_for = read(status, &body).and_then(|info| issued_for(info, &[OURS]));
        if let Ok(customer) = issued_for.inspect_err(told_nothing) {
            assert_eq!((status, text("aud")), (200, Some(OURS)));
            assert_eq!(customer.as_ref().map(|id| id.as_str()), text("user_id"));
        }

        let profile = read(status, &body).and_then(told).inspect_err(told_nothing);
        if let Ok(Some(profile)) = profile {
            assert_eq!((status, text("user_id")), (200, Some(profile.user_id.as_str())));
            assert!(profile.email.is_none_or(|email| text("email") == Some(email.as_str())));
            let shown =
                |text: &str| text.chars().count() <= 128 && !text.contains(char::is_control);
            assert!(profile.name.is_none_or(|name| shown(&name)));
            assert!(profile.postal_code.is_none_or(|code| shown(&code)));
        }
    });
}

#[test]
fn f_lwa_an_error_in_an_answer_wins_whatever_else_it_says() {
    holds((status(), object(), json()), |(status, mut members, error)| {
        members.insert("error".into(), error);
        let body = Value::Object(members).to_string().into_bytes();
        assert!(read(status, &body).and_then(redeemed).is_err());
        assert!(read(status, &body).and_then(|info| issued_for(info, &[OURS])).is_err());
        let profile: Result<Result<answer::Profile, _>, _> = read(status, &body);
        assert!(!matches!(profile, Ok(Ok(_))));
    });
}

#[test]
fn f_lwa_a_member_that_comes_twice_is_no_answer() {
    const RIGHT: &[(&str, &str)] = &[
        ("access_token", r#""Atza|A""#),
        ("token_type", r#""bearer""#),
        ("aud", r#""amzn1.application-oa2-client.ours""#),
        ("user_id", r#""amzn1.account.A""#),
        ("email", r#""a@example.com""#),
        ("iss", r#""https://www.amazon.com""#),
        ("exp", "3600"),
    ];
    holds(
        (select(RIGHT), json(), any::<bool>(), 0..RIGHT.len()),
        |((name, right), odd, same, at)| {
            let again = if same { right.to_owned() } else { odd.to_string() };
            let mut members: Vec<String> =
                RIGHT.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let body = |members: &[String]| format!("{{{}}}", members.join(",")).into_bytes();
            let once = body(&members);
            members.insert(at, format!("\"{name}\":{again}"));
            let twice = body(&members);
            let read_by: &[fn(&[u8]) -> bool] = &[
                |body| read(200, body).and_then(redeemed).is_ok(),
                |body| read(200, body).and_then(|info| issued_for(info, &[OURS])).is_ok(),
                |body| read(200, body).and_then(told).is_ok(),
            ];
            let matters_to: &[usize] = match name {
                "access_token" | "token_type" => &[0],
                "aud" | "iss" | "exp" => &[1],
                "user_id" => &[1, 2],
                _ => &[2],
            };
            for endpoint in matters_to {
                assert!(read_by[*endpoint](&once) && !read_by[*endpoint](&twice));
            }
        },
    );
}

#[test]
fn f_lwa_g01_only_a_token_that_was_issued_to_us_to_the_letter_passes() {
    let near = prop_oneof![
        "amzn1\\.application-oa2-client\\.[a-z]{3,5}",
        Just(OURS.to_uppercase()),
        any::<prop::sample::Index>().prop_map(|at| OURS[..at.index(OURS.len())].to_owned()),
        "\\PC{0,2}".prop_map(|end| format!("{OURS}{end}")),
        "\\PC{0,2}".prop_map(|start| format!("{start}{OURS}")),
    ];
    holds((near, object()), |(aud, mut members)| {
        members.insert("aud".into(), aud.clone().into());
        let body = Value::Object(members).to_string();
        let passes = read(200, body.as_bytes()).and_then(|info| issued_for(info, &[OURS])).is_ok();
        assert!(!passes || aud == OURS);
    });
}

#[test]
fn f_lwa_two_answers_must_name_the_same_customer() {
    let id = || prop::option::of("[AB]{1,2}");
    holds((id(), id()), |(issued, profile)| {
        let profiled = |user_id: &String| json!({ "user_id": user_id, "name": "N" }).to_string();
        let info = json!({ "aud": OURS, "user_id": issued }).to_string();
        let info = read(200, info.as_bytes()).and_then(|info| issued_for(info, &[OURS])).unwrap();
        let told = match &profile {
            Some(id) => read(200, profiled(id).as_bytes()).and_then(told).unwrap(),
            None => read(401, br#"{"error":"insufficient_scope"}"#).and_then(told).unwrap(),
        };
        let customer = agreed(info, told).map(|customer| customer.user_id.as_str().to_owned());
        match (issued, profile) {
            (None, None) => assert!(customer.is_err()),
            (Some(one), Some(other)) if one != other => assert!(customer.is_err()),
            (one, other) => assert_eq!(customer.unwrap(), other.or(one).unwrap()),
        }
    });
}
