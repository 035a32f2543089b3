use std::collections::BTreeMap;

use local_stack::amazon::{Amazon, DEVICE_CLIENT_ID, Endpoint, Fault, SHOP_CLIENT_ID, World};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Map, Value, json};

use super::*;
use crate::{answer::understand, http};

const AMAZON: &str = "https://api.amazon.com";

async fn television() -> (Amazon, Client) {
    let amazon = Amazon::start(World::shop("http://localhost:3000/back")).await.unwrap();
    let client = Client {
        http: http().unwrap(),
        api: amazon.url.clone(),
        client_id: DEVICE_CLIENT_ID.into(),
        redirect_uri: String::new(),
    };
    (amazon, client)
}

#[tokio::test]
async fn a_television_comes_to_a_token_of_its_own_client() {
    let (amazon, client) = television().await;
    let pair = client.code_pair("profile").await.unwrap();
    assert_eq!(pair.verification_uri, format!("{}/code", amazon.url));
    assert_eq!((pair.expires_in.as_secs(), pair.interval.as_secs()), (600, 30));
    assert!(matches!(client.progress(&pair.codes).await, Ok(Progress::Pending)));
    assert!(matches!(client.progress(&pair.codes).await, Ok(Progress::SlowDown)));
    amazon.world().habits.least_interval = 0;
    assert!(amazon.allow_code(pair.codes.user_code(), "nora"));
    let Ok(Progress::Allowed(token)) = client.progress(&pair.codes).await else {
        panic!("a token")
    };

    let ours = [DEVICE_CLIENT_ID.to_owned()];
    let nora = client.customer_of(&token, &ours).await.unwrap();
    assert_eq!(nora.user_id.as_str(), amazon.user_id("nora", DEVICE_CLIENT_ID));
    assert!(nora.email.is_some());
    assert!(matches!(client.progress(&pair.codes).await, Ok(Progress::Over)), "it comes once");

    let calls = amazon.calls();
    assert_eq!(calls[0].fields, ["response_type", "client_id", "scope"]);
    assert_eq!(calls[1].fields, ["grant_type", "device_code", "user_code"]);
    assert!(calls.iter().all(|call| !call.headers.contains(&"cookie".to_owned())));
}

#[tokio::test]
async fn a_token_of_another_client_does_not_reach_the_profile() {
    let (amazon, client) = television().await;
    let pair = client.code_pair("profile").await.unwrap();
    assert!(amazon.allow_code(pair.codes.user_code(), "nora"));
    let Ok(Progress::Allowed(token)) = client.progress(&pair.codes).await else {
        panic!("a token")
    };
    for clients in [&[][..], &[SHOP_CLIENT_ID.to_owned()]] {
        let refused = client.customer_of(&token, clients).await;
        assert!(matches!(refused, Err(Error::TokenRefused(_))), "{refused:?}");
    }
    assert!(amazon.calls_of(Endpoint::Profile).is_empty());
    let either = [SHOP_CLIENT_ID.to_owned(), DEVICE_CLIENT_ID.to_owned()];
    assert!(client.customer_of(&token, &either).await.is_ok());
}

#[tokio::test]
async fn f_lwa_cbl_whoever_says_no_is_told_from_whoever_is_slow() {
    let (amazon, client) = television().await;
    let pair = client.code_pair("profile").await.unwrap();
    for (status, word, expected) in [
        (400, "authorization_pending", "pending"),
        (400, "slow_down", "slow"),
        (400, "access_denied", "denied"),
        (400, "expired_token", "over"),
        (400, "invalid_code_pair", "over"),
        (400, "invalid_grant", "over"),
        (400, "invalid_client", "ClientRefused"),
        (401, "invalid_client", "ClientRefused"),
        (400, "unauthorized_client", "ClientRefused"),
        (400, "invalid_request", "RequestRefused"),
        (400, "unsupported_grant_type", "RequestRefused"),
        (400, "InvalidValue", "RequestRefused"),
        (400, "something_new", "Unavailable"),
        (500, "ServerError", "Unavailable"),
        (500, "authorization_pending", "Unavailable"),
        (503, "invalid_code_pair", "Unavailable"),
    ] {
        amazon.fault(Endpoint::Token, Fault::Error(status, word.into()), Some(1));
        let told = match client.progress(&pair.codes).await {
            Ok(Progress::Pending) => "pending".to_owned(),
            Ok(Progress::SlowDown) => "slow".to_owned(),
            Ok(Progress::Denied) => "denied".to_owned(),
            Ok(Progress::Over) => "over".to_owned(),
            Ok(Progress::Allowed(_)) => "allowed".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        assert!(told.starts_with(expected), "{status} {word}: {told}");
    }
    let other = Client { client_id: SHOP_CLIENT_ID.into(), ..client };
    assert!(matches!(other.code_pair("profile").await, Err(Error::ClientRefused)));
    let other = Client { client_id: "nobody".into(), ..other };
    assert!(matches!(other.code_pair("profile").await, Err(Error::ClientRefused)));
    let other = Client { client_id: DEVICE_CLIENT_ID.into(), ..other };
    let refused = other.code_pair("email").await.err();
    assert!(matches!(refused, Some(Error::RequestRefused("invalid_scope"))));
}

#[test]
fn h08_people_are_sent_to_amazon_and_nowhere_else() {
    for amazons in [
        "https://amazon.com/us/code",
        "https://amazon.com/code",
        "https://www.amazon.com/code?x=y",
        "https://amazon.com",
        "https://www.amazon.co.uk/code",
        "https://eu.account.amazon.de/code",
        "https://amazon.co.jp/code",
    ] {
        assert!(may_show(amazons, AMAZON), "{amazons}");
    }
    for elsewhere in [
        "",
        "amazon.com/code",
        "//amazon.com/code",
        "/code",
        "http://amazon.com/code",
        "HTTPS://amazon.com/code",
        "https:amazon.com",
        "https:/amazon.com",
        "https://",
        "https:///amazon.com",
        "https://.amazon.com/code",
        "https://a..amazon.com/code",
        "https://amazon.com./code",
        "https://amazon.com.evil.example/code",
        "https://evilamazon.com/code",
        "https://evil-amazon.com/code",
        "https://amazon.community/code",
        "https://amazon.org/code",
        "https://amazon.co/code",
        "https://com/code",
        "https://evil.example/amazon.com",
        "https://evil.example/?amazon.com",
        "https://evil.example#amazon.com",
        "https://evil.example?.amazon.com/code",
        "https://user@amazon.com/code",
        "https://amazon.com@evil.example/code",
        "https://amazon.com:443/code",
        "https://amazon.com:pass@evil.example/",
        "https://AMAZON.com/code",
        "https://amazon\u{ff0e}com/code",
        "https://am\u{430}zon.com/code",
        "https://xn--amzon-3ve.com/code",
        "https://amazon.com\\@evil.example/code",
        "https://evil.example\\.amazon.com/code",
        "https://amazon.com/code\r\nx: y",
        "https://amazon.com/ code",
        "https://amazon.com/\"><script>",
        " https://amazon.com/code",
        "https://amazon.com%2f.evil.example/",
        "javascript:alert('amazon.com')",
        "data:text/html,amazon.com",
        &format!("https://amazon.com/{}", "a".repeat(256)),
        "http://127.0.0.1:3001/code", // a stand-in counts only where it is asked itself
    ] {
        assert!(!may_show(elsewhere, AMAZON), "{elsewhere}");
    }
    let here = "http://127.0.0.1:3001";
    assert!(may_show("http://127.0.0.1:3001/code", here));
    for elsewhere in [
        "http://127.0.0.1:3001",
        "http://127.0.0.1:30011/code",
        "http://127.0.0.1:3001@evil.example/code",
        "http://127.0.0.1:3001.evil.example/code",
        "http://localhost:3001/code",
        "https://amazon.com/code",
    ] {
        assert!(!may_show(elsewhere, here), "{elsewhere}");
    }
}

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

/// An answer of the codepair endpoint, with some members that are missing or others than usual.
fn answer() -> impl Strategy<Value = Map<String, Value>> {
    let text = prop_oneof![
        "[ -~]{0,40}".prop_map(Value::from),
        "\\PC{0,8}".prop_map(|text| format!("CANARY{text}").into()),
        select(vec!["https://amazon.com/us/code", "QWXKPD", "2f0d8a4e-5b0e-4a53"])
            .prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u64..1000).prop_map(Value::from),
        Just(Value::Null),
    ];
    let names = ["user_code", "device_code", "verification_uri", "expires_in", "interval", "error"];
    let odd = prop::collection::btree_map(select(names.to_vec()), text, 0..3);
    let gone = select(names.to_vec());
    (odd, prop::option::weighted(0.2, gone)).prop_map(|(odd, gone): (BTreeMap<_, _>, _)| {
        let usual = json!({
            "user_code": "QWXKPD", "device_code": "2f0d8a4e", "expires_in": 600, "interval": 30,
            "verification_uri": "https://amazon.com/us/code",
        });
        let Value::Object(mut members) = usual else { return Map::new() };
        members.extend(odd.into_iter().map(|(name, value)| (name.to_owned(), value)));
        if let Some(gone) = gone {
            members.remove(gone);
        }
        members
    })
}

#[test]
fn f_lwa_cbl_h08_whatever_amazon_answers_a_television_gets_codes_that_it_can_show_or_none() {
    let statuses = select(vec![200_u16, 200, 200, 201, 302, 400, 401, 429, 500]);
    holds((statuses, answer()), |(status, members)| {
        let body = Value::Object(members.clone()).to_string();
        let read = understand::<Pair>("codepair", status, body.as_bytes());
        match read.and_then(|answer| paired(answer, AMAZON)) {
            Ok(pair) => {
                assert_eq!(status, 200);
                assert!(!members.contains_key("error"));
                assert!(may_show(&pair.verification_uri, AMAZON));
                assert!(
                    pair.codes.user_code().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                );
                assert!(pair.codes.device_code().bytes().all(|b| b.is_ascii_graphic()));
                assert_eq!(members["device_code"], pair.codes.device_code());
                assert!((1..=600).contains(&pair.interval.as_secs()));
                assert!(pair.expires_in.as_secs() > 0);
            }
            Err(error) => {
                let told = format!("{error} {error:?}");
                assert!(!told.contains("CANARY") && !told.contains("2f0d8a4e"), "{told}");
            }
        }
    });
}

#[test]
fn h08_an_address_that_may_be_shown_has_amazons_host_for_every_parser() {
    let parts = select(vec![
        "https://",
        "http://",
        "amazon.com",
        "www.",
        ".",
        "/",
        "\\",
        "@",
        ":443",
        "evil.example",
        "?",
        "#",
        "%2e",
        "code",
        " ",
        "\t",
        "amazon.co.uk",
        "-",
        "A",
        "//",
    ]);
    let uris = prop_oneof![
        prop::collection::vec(parts.clone(), 0..8).prop_map(|parts| parts.concat()),
        prop::collection::vec(parts, 0..6).prop_map(|parts| format!("https://{}", parts.concat())),
    ];
    holds(uris, |uri: String| {
        if may_show(&uri, AMAZON) {
            let url = reqwest::Url::parse(&uri).unwrap();
            let host = url.host_str().unwrap();
            let ours =
                SHOPS.iter().any(|shop| host == *shop || host.ends_with(&format!(".{shop}")));
            assert!(ours && url.scheme() == "https", "{uri}");
            assert_eq!((url.username(), url.password(), url.port()), ("", None, None), "{uri}");
        }
    });
}
