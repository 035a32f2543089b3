use domain::{Email, PkceVerifier};
use local_stack::amazon::{
    Amazon, Endpoint, FOREIGN_CLIENT_ID, Fault, SHOP_CLIENT_ID, SHOP_CLIENT_SECRET, World,
};
use rand_core::UnwrapErr;

use crate::{AccessToken, Client, Error, http};

const CALLBACK: &str = "http://localhost:3000/auth/amazon/callback";

struct Setting {
    amazon: Amazon,
    client: Client,
    verifier: PkceVerifier,
}

async fn setting() -> Setting {
    let amazon = Amazon::start(World::shop(CALLBACK)).await.unwrap();
    let client = Client {
        http: http().unwrap(),
        api: amazon.url.clone(),
        client_id: SHOP_CLIENT_ID.into(),
        redirect_uri: CALLBACK.into(),
    };
    let verifier = PkceVerifier::mint(&mut UnwrapErr(getrandom::SysRng));
    Setting { amazon, client, verifier }
}

impl Setting {
    fn code(&self, customer: &str, scope: &str) -> String {
        let challenge = self.verifier.challenge();
        let challenge = Some((challenge.expose(), "S256"));
        self.amazon.consent(customer, SHOP_CLIENT_ID, CALLBACK, scope, challenge)
    }

    async fn redeem(&self, customer: &str) -> Result<AccessToken, Error> {
        let code = self.code(customer, "profile");
        self.client.redeem(&code, &self.verifier, SHOP_CLIENT_SECRET).await
    }

    fn calls(&self, endpoint: Endpoint) -> usize {
        self.amazon.calls_of(endpoint).len()
    }
}

#[tokio::test]
async fn a_customer_is_known_after_three_calls_two_of_them_at_once() {
    let at = setting().await;
    let code = at.code("nora", "profile postal_code");
    let token = at.client.redeem(&code, &at.verifier, SHOP_CLIENT_SECRET).await.unwrap();
    // Both answers are late, so that calls made one after the other would not overlap.
    at.amazon.fault(Endpoint::TokenInfo, Fault::Late(200), Some(1));
    at.amazon.fault(Endpoint::Profile, Fault::Late(200), Some(1));
    let nora = at.client.customer(&token).await.unwrap();

    assert_eq!(nora.user_id.as_str(), at.amazon.user_id("nora", SHOP_CLIENT_ID));
    assert_eq!(nora.email, Email::parse("nora@example.com"));
    assert_eq!(nora.postal_code.as_deref(), Some("98101"));
    assert!(nora.name.is_some());

    let [token, info, profile] = &at.amazon.calls()[..] else { panic!("{:?}", at.amazon.calls()) };
    assert_eq!(token.endpoint(), Some(Endpoint::Token));
    assert!(info.overlaps(profile), "{info:?} {profile:?}");
}

#[tokio::test]
async fn a_customer_may_share_nothing_but_the_id() {
    let at = setting().await;
    let code = at.code("nora", "profile:user_id");
    let token = at.client.redeem(&code, &at.verifier, SHOP_CLIENT_SECRET).await.unwrap();
    let nora = at.client.customer(&token).await.unwrap();
    assert_eq!((nora.email, nora.name, nora.postal_code), (None, None, None));
}

#[tokio::test]
async fn a_token_that_opens_no_profile_still_says_whose_it_is() {
    let at = setting().await;
    let token = at.redeem("nora").await.unwrap();
    let no = Fault::Error(401, "insufficient_scope".into());
    at.amazon.fault(Endpoint::Profile, no, None);
    let nora = at.client.customer(&token).await.unwrap();
    assert_eq!(nora.user_id.as_str(), at.amazon.user_id("nora", SHOP_CLIENT_ID));
}

#[tokio::test]
async fn a08_a_code_is_of_no_use_with_another_verifier() {
    let at = setting().await;
    let code = at.code("nora", "profile");
    let other = PkceVerifier::mint(&mut UnwrapErr(getrandom::SysRng));
    let redeemed = at.client.redeem(&code, &other, SHOP_CLIENT_SECRET).await;
    assert!(matches!(redeemed, Err(Error::CodeRefused(_))));
}

#[tokio::test]
async fn a_code_is_good_once() {
    let at = setting().await;
    let code = at.code("nora", "profile");
    assert!(at.client.redeem(&code, &at.verifier, SHOP_CLIENT_SECRET).await.is_ok());
    let again = at.client.redeem(&code, &at.verifier, SHOP_CLIENT_SECRET).await;
    assert!(matches!(again, Err(Error::CodeRefused("invalid_grant"))));
}

#[tokio::test]
async fn l10_a_wrong_secret_is_told_from_a_wrong_code() {
    let at = setting().await;
    let code = at.code("nora", "profile");
    let redeemed = at.client.redeem(&code, &at.verifier, "amzn1.oa2-cs.v1.wrong").await;
    assert!(matches!(redeemed, Err(Error::ClientRefused)));
}

#[tokio::test]
async fn every_no_that_amazon_documents_is_known_by_name() {
    let at = setting().await;
    for (status, word, expected) in [
        (400, "invalid_grant", "CodeRefused"),
        (400, "invalid_request", "CodeRefused"),
        (400, "unauthorized_client", "CodeRefused"),
        (401, "invalid_client", "ClientRefused"),
        (400, "invalid_client", "ClientRefused"),
        (400, "invalid_scope", "RequestRefused"),
        (400, "unsupported_grant_type", "RequestRefused"),
        (500, "ServerError", "Unavailable"),
        (400, "something_new", "Unavailable"),
    ] {
        at.amazon.fault(Endpoint::Token, Fault::Error(status, word.into()), Some(1));
        let error = at.redeem("nora").await.err().unwrap();
        assert!(format!("{error:?}").starts_with(expected), "{word}: {error:?}");
    }
    for (endpoint, status, word, expected) in [
        (Endpoint::TokenInfo, 400, "invalid_token", "TokenRefused"),
        (Endpoint::TokenInfo, 400, "invalid_request", "TokenRefused"),
        (Endpoint::TokenInfo, 500, "ServerError", "Unavailable"),
        (Endpoint::Profile, 400, "invalid_token", "TokenRefused"),
        (Endpoint::Profile, 400, "invalid_request", "TokenRefused"),
        (Endpoint::Profile, 500, "ServerError", "Unavailable"),
    ] {
        let token = at.redeem("nora").await.unwrap();
        at.amazon.fault(endpoint, Fault::Error(status, word.into()), Some(2));
        let error = at.client.customer(&token).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{endpoint:?} {word}: {error:?}");
        at.amazon.clear_faults(endpoint);
    }
}

#[tokio::test]
async fn e25_g01_a_token_that_is_not_ours_is_refused() {
    for fault in [
        Fault::set("aud", FOREIGN_CLIENT_ID),
        Fault::set("aud", SHOP_CLIENT_ID.to_uppercase()),
        Fault::set("aud", &SHOP_CLIENT_ID[..SHOP_CLIENT_ID.len() - 1]),
        Fault::set("iss", "https://evil.example"),
        Fault::set("exp", 0),
        Fault::set("user_id", "amzn1.account.SOMEBODYELSE"),
        Fault::Error(400, "invalid_token".into()),
    ] {
        let at = setting().await;
        let token = at.redeem("nora").await.unwrap();
        at.amazon.fault(Endpoint::TokenInfo, fault.clone(), None);
        let customer = at.client.customer(&token).await;
        assert!(matches!(customer, Err(Error::TokenRefused(_))), "{fault:?} {customer:?}");
    }
}

#[tokio::test]
async fn l02_l06_l08_whatever_is_not_documented_is_no_answer() {
    let at = setting().await;
    for endpoint in [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile] {
        let mut faults = Fault::garbage();
        faults.extend([Fault::Truncated, Fault::WrongTypes, Fault::ErrorInside, Fault::Deep]);
        faults.extend([301, 302, 303, 307, 308].map(Fault::Redirect));
        faults.extend([500, 503, 429].map(Fault::Status));
        faults.extend([Fault::Refuse, Fault::Cut]);
        for fault in faults {
            let name = format!("{endpoint:?} {fault:?}");
            at.amazon.fault(endpoint, fault, None);
            let customer = async {
                let token = at.redeem("nora").await?;
                at.client.customer(&token).await
            };
            let customer = customer.await;
            assert!(matches!(customer, Err(Error::Unavailable { .. })), "{name}: {customer:?}");
            at.amazon.clear_faults(endpoint);
        }
    }
    assert!(
        at.amazon.calls().iter().all(|call| call.path != "/elsewhere"),
        "no redirect is followed"
    );
}

#[tokio::test]
async fn l07_an_endless_answer_is_cut_off() {
    let at = setting().await;
    for fault in [Fault::Endless, Fault::GzipBomb] {
        let token = at.redeem("nora").await.unwrap();
        at.amazon.fault(Endpoint::Profile, fault, Some(2));
        let customer = at.client.customer(&token).await;
        assert!(matches!(customer, Err(Error::Unavailable { .. })), "{customer:?}");
    }
}

#[tokio::test]
async fn a23_a_code_is_never_redeemed_twice() {
    for fault in
        [Fault::Cut, Fault::Refuse, Fault::Status(500), Fault::Status(503), Fault::Truncated]
    {
        let at = setting().await;
        at.amazon.fault(Endpoint::Token, fault.clone(), None);
        assert!(at.redeem("nora").await.is_err());
        assert_eq!(at.calls(Endpoint::Token), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn l05_what_changes_nothing_is_asked_twice_and_no_more() {
    for endpoint in [Endpoint::TokenInfo, Endpoint::Profile] {
        let at = setting().await;
        let token = at.redeem("nora").await.unwrap();
        at.amazon.fault(endpoint, Fault::Status(500), Some(1));
        assert!(at.client.customer(&token).await.is_ok());
        assert_eq!(at.calls(endpoint), 2);

        let at = setting().await;
        let token = at.redeem("nora").await.unwrap();
        at.amazon.fault(endpoint, Fault::Status(503), None);
        assert!(at.client.customer(&token).await.is_err());
        assert_eq!(at.calls(endpoint), 2);
    }
}

#[tokio::test]
async fn k02_no_error_says_what_was_sent() {
    let at = setting().await;
    let token = AccessToken("Atza|CANARY".into());
    let nobody = Client { api: "http://127.0.0.1:9".into(), http: http().unwrap(), ..at.client };
    let error = nobody.customer(&token).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(!told.contains("CANARY"), "{told}");
    let error = nobody.redeem("CANARY", &at.verifier, "CANARY").await.err().unwrap();
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}

#[tokio::test]
async fn l09_n13_a_token_is_a_bearer_token_of_sensible_length_whatever_numbers_say() {
    let long = "A".repeat(2049);
    let taken = [
        Fault::set("token_type", "BEARER"),
        Fault::Without("expires_in".into()),
        Fault::Without("refresh_token".into()),
        Fault::set("expires_in", -1),
        Fault::set("expires_in", 1e19),
        Fault::set("expires_in", 0.5),
        Fault::set("expires_in", "soon"),
        Fault::set("expires_in", serde_json::Value::Null),
        Fault::set("access_token", "A".repeat(2048)),
    ];
    let refused = [
        Fault::set("token_type", "mac"),
        Fault::set("token_type", ""),
        Fault::set("token_type", 7),
        Fault::Without("token_type".into()),
        Fault::Without("access_token".into()),
        Fault::set("access_token", ""),
        Fault::set("access_token", long),
        Fault::set("access_token", "Atza|\r\nHost: evil.example"),
        Fault::set("access_token", "Atza|\u{e9}"),
        Fault::set("access_token", serde_json::Value::Null),
    ];
    let at = setting().await;
    for (faults, is_taken) in [(&taken[..], true), (&refused[..], false)] {
        for fault in faults {
            at.amazon.fault(Endpoint::Token, fault.clone(), Some(1));
            let token = at.redeem("nora").await;
            match &token {
                Ok(_) => assert!(is_taken, "{fault:?}"),
                Err(Error::Unavailable { .. }) => assert!(!is_taken, "{fault:?}"),
                Err(error) => panic!("{fault:?}: {error:?}"),
            }
        }
    }
}

#[tokio::test]
async fn l09_n13_the_seconds_that_a_token_has_left_are_a_whole_number_above_none() {
    for (exp, expected) in [
        (serde_json::json!(1), "Ok"),
        (serde_json::json!(i64::MAX), "Ok"),
        (serde_json::Value::Null, "Ok"),
        (serde_json::json!(0), "TokenRefused"),
        (serde_json::json!(i64::MIN), "TokenRefused"),
        (serde_json::json!(u64::MAX), "Unavailable"),
        (serde_json::json!(1e19), "Unavailable"),
        (serde_json::json!(0.5), "Unavailable"),
        (serde_json::json!("3600"), "Unavailable"),
        (serde_json::json!([3600]), "Unavailable"),
    ] {
        let at = setting().await;
        let token = at.redeem("nora").await.unwrap();
        at.amazon.fault(Endpoint::TokenInfo, Fault::set("exp", exp.clone()), None);
        let customer = at.client.customer(&token).await;
        let found = match customer {
            Ok(_) => "Ok".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        assert!(found.starts_with(expected), "{exp}: {found}");
    }
}

#[tokio::test]
async fn e24_e25_an_answer_about_nobody_or_somebody_else_is_none() {
    let id = |text: &str| Fault::set("user_id", text);
    let long = "A".repeat(129);
    for odd in ["", " ", " A", "A\n", "amzn1.account.A#B", "../A", "amzn1.account.\u{c4}", &long] {
        for endpoint in [Endpoint::TokenInfo, Endpoint::Profile] {
            let at = setting().await;
            let token = at.redeem("nora").await.unwrap();
            at.amazon.fault(endpoint, id(odd), None);
            let customer = at.client.customer(&token).await;
            assert!(matches!(customer, Err(Error::Unavailable { .. })), "{odd:?} {customer:?}");
        }
    }
    let at = setting().await;
    let token = at.redeem("nora").await.unwrap();
    at.amazon.fault(Endpoint::Profile, id("amzn1.account.SOMEBODYELSE"), None);
    let customer = at.client.customer(&token).await;
    assert!(matches!(customer, Err(Error::TokenRefused(_))), "{customer:?}");
}

#[tokio::test]
async fn l14_the_secret_travels_in_the_body_of_the_redemption_and_nowhere_else() {
    let at = setting().await;
    let token = at.redeem("nora").await.unwrap();
    at.client.customer(&token).await.unwrap();
    let calls = at.amazon.calls();
    for call in &calls {
        let redeems = call.endpoint() == Some(Endpoint::Token);
        let has = |names: &[String], part: &str| names.iter().any(|name| name.contains(part));
        assert_eq!(has(&call.fields, "client_secret"), redeems, "{call:?}");
        assert!(!has(&call.query, "secret") && !has(&call.query, "code"), "{call:?}");
        assert!(!redeems || !has(&call.headers, "authorization"), "{call:?}");
        for leaky in ["cookie", "referer", "origin", "x-forwarded-for"] {
            assert!(!has(&call.headers, leaky), "{call:?}");
        }
    }
    assert_eq!(calls.len(), 3);
}

#[tokio::test]
async fn l11_an_amazon_that_cannot_be_found_is_unavailable_at_once() {
    let at = setting().await;
    let token = at.redeem("nora").await.unwrap();
    // RFC 6761: no name below `invalid` ever resolves.
    for api in ["http://amazon.invalid", "http://127.0.0.1:9"] {
        let nobody = Client {
            api: api.into(),
            http: http().unwrap(),
            client_id: SHOP_CLIENT_ID.into(),
            redirect_uri: CALLBACK.into(),
        };
        let started = std::time::Instant::now();
        let redeemed = nobody.redeem("code", &at.verifier, SHOP_CLIENT_SECRET).await;
        assert!(matches!(redeemed, Err(Error::Unavailable { .. })), "{api}");
        let customer = nobody.customer(&token).await;
        assert!(matches!(customer, Err(Error::Unavailable { .. })), "{api}");
        assert!(started.elapsed() < std::time::Duration::from_secs(4), "{api}");
    }
}

#[tokio::test]
async fn e11_a_name_or_address_that_is_none_is_left_out() {
    let at = setting().await;
    at.amazon.change("nora", |nora| {
        nora.name = Some("\u{202e}\r\nNora ".into());
        nora.email = Some("nora@example.com\r\nBcc: all@example.com".into());
    });
    let token = at.redeem("nora").await.unwrap();
    let nora = at.client.customer(&token).await.unwrap();
    assert_eq!(nora.name.as_deref(), Some("Nora"));
    assert_eq!(nora.email, None);
}
