use std::{error::Error as _, io};

use super::*;

/// The profile that the shop's server asks for, or why there is none.
async fn profile(amazon: &Amazon) -> reqwest::Result<reqwest::Response> {
    let token = amazon.token("nora", SHOP_CLIENT_ID, "profile");
    http().get(format!("{}/user/profile", amazon.url)).bearer_auth(token).send().await
}

/// Presents this code once.
async fn redeem(amazon: &Amazon, code: &str) -> reqwest::Result<reqwest::Response> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", RETURN_URL),
        ("client_id", SHOP_CLIENT_ID),
        ("client_secret", SHOP_CLIENT_SECRET),
    ];
    http().post(format!("{}/auth/o2/token", amazon.url)).form(&fields).send().await
}

fn code(amazon: &Amazon) -> String {
    amazon.consent("nora", SHOP_CLIENT_ID, RETURN_URL, "profile", None)
}

/// What lies at the bottom of an error.
fn cause(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        next = error.source();
    }
    None
}

async fn body_of(amazon: &Amazon, fault: Fault) -> Vec<u8> {
    amazon.fault(Endpoint::Profile, fault, Some(1));
    let mut response = profile(amazon).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = Vec::new();
    // A megabyte shows what it is.
    while body.len() < 1 << 20
        && let Some(chunk) = response.chunk().await.unwrap()
    {
        body.extend_from_slice(&chunk);
    }
    body
}

#[tokio::test]
async fn a_refused_call_was_never_obeyed_and_a_cut_one_was() {
    let amazon = amazon().await;
    for (fault, then) in [(Fault::Refuse, 200), (Fault::Cut, 400)] {
        let code = code(&amazon);
        amazon.fault(Endpoint::Token, fault.clone(), Some(1));
        let error = redeem(&amazon, &code).await.unwrap_err();
        assert_eq!(cause(&error), Some(io::ErrorKind::ConnectionReset), "{fault:?}");
        assert_eq!(redeem(&amazon, &code).await.unwrap().status(), then, "{fault:?}");
    }
    let statuses: Vec<_> = amazon.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [None, Some(200), None, Some(400)]);
}

#[tokio::test]
async fn a_call_that_hangs_ends_when_the_caller_gives_up() {
    let amazon = amazon().await;
    amazon.fault(Endpoint::Profile, Fault::Hang, Some(1));
    let call = tokio::time::timeout(Duration::from_millis(300), profile(&amazon));
    assert!(call.await.is_err());
    assert_eq!(profile(&amazon).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_call_that_drips_has_not_even_its_status_after_two_seconds() {
    let amazon = amazon().await;
    amazon.fault(Endpoint::Profile, Fault::Drip, Some(1));
    assert!(profile(&amazon).await.unwrap_err().is_timeout());
    assert_eq!(profile(&amazon).await.unwrap().status(), 200);
}

#[tokio::test]
async fn faults_take_turns_and_then_all_is_well() {
    let amazon = amazon().await;
    amazon.fault(Endpoint::Profile, Fault::Status(500), Some(2));
    amazon.fault(Endpoint::Profile, Fault::Status(429), Some(1));
    amazon.fault(Endpoint::TokenInfo, Fault::Hang, None);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(profile(&amazon).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [500, 500, 429, 200]);

    amazon.fault(Endpoint::Profile, Fault::Status(503), None);
    for _ in 0..3 {
        assert_eq!(profile(&amazon).await.unwrap().status(), 503);
    }
    amazon.clear_faults(Endpoint::Profile);
    assert_eq!(profile(&amazon).await.unwrap().status(), 200);
}

#[tokio::test]
async fn amazon_breaks_in_its_own_words() {
    let amazon = amazon().await;
    amazon.fault(Endpoint::Profile, Fault::Status(500), Some(1));
    amazon.fault(Endpoint::Profile, Fault::Status(503), Some(1));
    let said = profile(&amazon).await.unwrap().text().await.unwrap();
    assert!(said.contains(r#""error":"ServerError""#), "{said}");
    let empty = profile(&amazon).await.unwrap();
    assert_eq!(empty.headers()["retry-after"], "1");
    assert_eq!(empty.text().await.unwrap(), "");
}

#[tokio::test]
async fn a_redirect_points_to_where_the_journal_would_tell() {
    let amazon = amazon().await;
    for status in [301, 302, 303, 307, 308] {
        amazon.fault(Endpoint::Profile, Fault::Redirect(status), Some(1));
        let response = profile(&amazon).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["location"]),
            (status, &"/elsewhere".parse().unwrap())
        );
    }
    assert!(amazon.calls().iter().all(|call| call.path == "/user/profile"));
    Visitor::new().get(&format!("{}/elsewhere", amazon.url)).await;
    assert_eq!(amazon.calls().last().unwrap().path, "/elsewhere");
}

#[tokio::test]
async fn a_secret_can_be_wrong_once_and_right_the_next_time() {
    let amazon = amazon().await;
    let code = code(&amazon);
    amazon.fault(Endpoint::Token, Fault::Error(401, "invalid_client".to_owned()), Some(1));
    assert_eq!(redeem(&amazon, &code).await.unwrap().status(), 401);
    assert_eq!(redeem(&amazon, &code).await.unwrap().status(), 200);

    amazon.world().client_mut(SHOP_CLIENT_ID).unwrap().secret = Some("rotated".to_owned());
    assert_eq!(redeem(&amazon, &code).await.unwrap().status(), 401);
}

#[tokio::test]
async fn members_of_an_answer_are_added_changed_and_taken_away() {
    let amazon = amazon().await;
    for (fault, member, value) in [
        (Fault::set("user_id", "amzn1.account.ELSE"), "user_id", Value::from("amzn1.account.ELSE")),
        (Fault::set("exp", -1), "exp", (-1).into()),
        (Fault::Without("name".to_owned()), "name", Value::Null),
        (Fault::ErrorInside, "error", "invalid_request".into()),
        (Fault::WrongTypes, "email", 7.into()),
    ] {
        let body: Value = serde_json::from_slice(&body_of(&amazon, fault.clone()).await).unwrap();
        assert_eq!(body[member], value, "{fault:?}");
    }
}

#[tokio::test]
async fn what_says_nothing_says_nothing() {
    let amazon = amazon().await;
    for text in ["", "null", "[]", "<html>"] {
        assert_eq!(body_of(&amazon, Fault::Body(text.to_owned())).await, text.as_bytes());
    }
    let half = body_of(&amazon, Fault::Truncated).await;
    assert!(half.starts_with(b"{") && serde_json::from_slice::<Value>(&half).is_err());
    let deep = body_of(&amazon, Fault::Deep).await;
    assert_eq!(deep.iter().filter(|byte| **byte == b'{').count(), 10_001);
    assert!(body_of(&amazon, Fault::Endless).await.len() >= 1 << 20);
}

#[tokio::test]
async fn the_bomb_is_gzip_and_says_so() {
    let amazon = amazon().await;
    amazon.fault(Endpoint::Profile, Fault::GzipBomb, Some(1));
    let response = profile(&amazon).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let bytes = response.bytes().await.unwrap();
    assert!((6 << 20..8 << 20).contains(&bytes.len()), "{}", bytes.len());
    assert_eq!(bytes[..4], [0x1f, 0x8b, 8, 0]);
    // The same 13 bytes again and again: a run of spaces.
    assert!(bytes[23..].windows(14).step_by(1009).all(|window| window[0] == window[13]));
}

#[tokio::test]
async fn after_a_fatal_fault_there_is_nothing_that_anybody_could_use() {
    let amazon = amazon().await;
    let token = amazon.token("nora", SHOP_CLIENT_ID, "profile");
    let get = |path: &str| {
        http().get(format!("{}{path}", amazon.url)).header("x-amz-access-token", &token).send()
    };
    for fault in Fault::fatal() {
        if matches!(fault, Fault::Hang | Fault::Drip | Fault::Endless | Fault::GzipBomb) {
            continue; // these take their time, and have tests of their own
        }
        let codes = || {
            let fields = [
                ("response_type", "device_code"),
                ("client_id", DEVICE_CLIENT_ID),
                ("scope", "profile"),
            ];
            http().post(format!("{}/auth/o2/create/codepair", amazon.url)).form(&fields).send()
        };
        let all = [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile, Endpoint::CodePair];
        for endpoint in all {
            amazon.fault(endpoint, fault.clone(), Some(1));
            let response = match endpoint {
                Endpoint::Token => redeem(&amazon, &code(&amazon)).await,
                Endpoint::TokenInfo => get("/auth/o2/tokeninfo").await,
                Endpoint::Profile => get("/user/profile").await,
                Endpoint::CodePair => codes().await,
            };
            let Ok(response) = response else { continue };
            let well = response.status() == 200;
            let body = response.bytes().await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let says = body["user_id"].is_string()
                || body["access_token"].is_string()
                || body["user_code"].is_string();
            assert!(!(well && says && body.get("error").is_none()), "{endpoint:?} {fault:?}");
        }
    }
    assert_eq!(redeem(&amazon, &code(&amazon)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn every_lie_of_tokeninfo_differs_from_the_truth() {
    let amazon = amazon().await;
    let token = amazon.token("nora", SHOP_CLIENT_ID, "profile");
    let url = format!("{}/auth/o2/tokeninfo", amazon.url);
    let ask = || Reply::to(http().get(&url).header("x-amz-access-token", &token));
    let truth = ask().await.json();
    for lie in Fault::lies() {
        amazon.fault(Endpoint::TokenInfo, lie.clone(), Some(1));
        let reply = ask().await;
        assert_eq!(reply.status, 200);
        assert_ne!(reply.json(), truth, "{lie:?}");
    }
}
