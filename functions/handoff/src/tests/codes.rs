//! Codes, which are better than tokens: nobody can use one without the verifier.

use domain::{Clock, Timestamp};
use local_stack::{
    CLIENT_SECRET_ARN,
    amazon::{
        APP_CLIENT_ID, APP_RETURN_URL, Endpoint, FOREIGN_CLIENT_ID, FOREIGN_RETURN_URL, Fault,
        IOS_CLIENT_ID, IOS_RETURN_URL, SHOP_CLIENT_ID,
    },
    specimen::Specimen,
};
use serde_json::json;

use super::{NOON, SESSION, Setting, cookie, ending, is, session, setting, told};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://shop.example/auth/amazon/callback";

impl Setting {
    /// A code that this customer's visit to Amazon has given this client.
    fn code(&self, customer: &str, client: &str, uri: &str) -> String {
        let challenge = Some((CHALLENGE, "S256"));
        self.stack.amazon.consent(customer, client, uri, "profile postal_code", challenge)
    }
}

fn hand_over(code: &str, client: &str, uri: &str, verifier: &str) -> Specimen {
    Specimen::of("handoff-code").json(&json!({
        "code": code, "code_verifier": verifier, "redirect_uri": uri, "client_id": client,
    }))
}

#[tokio::test]
async fn a_code_of_any_of_our_clients_is_redeemed_with_its_verifier() {
    for (client, uri, secret) in [
        (APP_CLIENT_ID, APP_RETURN_URL, false),
        (IOS_CLIENT_ID, IOS_RETURN_URL, false),
        (SHOP_CLIENT_ID, CALLBACK, true),
    ] {
        let at = setting().await;
        let code = at.code("lin", client, uri);
        let reply = at.reply(hand_over(&code, client, uri, VERIFIER)).await;
        assert_eq!(told(&reply)["account"]["id"], "lin", "{client}");
        assert!(at.whose(&session(&reply)).await.is_some());
        let calls = at.stack.amazon.calls();
        let [token, info, profile] = &calls[..] else { panic!("{calls:?}") };
        assert_eq!(token.fields.contains(&"client_secret".to_owned()), secret, "{client}");
        assert!(!info.overlaps(token) && !profile.overlaps(info));
        assert_eq!(at.stack.secrets.calls(), usize::from(secret), "{client}");
    }
}

#[tokio::test]
async fn a_page_of_ours_may_hand_over_a_code_too() {
    let at = setting().await;
    let code = at.code("lin", SHOP_CLIENT_ID, CALLBACK);
    let body = json!({
        "code": code, "code_verifier": VERIFIER, "redirect_uri": CALLBACK,
        "client_id": SHOP_CLIENT_ID, "mode": "browser",
    });
    let reply = at.reply(Specimen::of("handoff-browser").json(&body)).await;
    assert_eq!(reply.status(), 200);
    assert!(at.whose(&cookie(&reply, SESSION).unwrap()).await.is_some());
}

#[tokio::test]
async fn g09_a_code_that_somebody_caught_is_of_no_use_to_them() {
    let at = setting().await;
    let other = VERIFIER.replace('d', "e");
    for verifier in [&other, &"v".repeat(43), &CHALLENGE.to_owned(), &VERIFIER.to_lowercase()] {
        let code = at.code("lin", APP_CLIENT_ID, APP_RETURN_URL);
        let reply = at.reply(hand_over(&code, APP_CLIENT_ID, APP_RETURN_URL, verifier)).await;
        assert_eq!(ending(&reply), is(401, "token_rejected"), "{verifier}");
        // Nor is it any longer to whom it belonged: the first try has burnt it.
        let reply = at.reply(hand_over(&code, APP_CLIENT_ID, APP_RETURN_URL, VERIFIER)).await;
        assert_eq!(ending(&reply), is(401, "token_rejected"), "{verifier}");
    }
    let code = at.code("lin", APP_CLIENT_ID, APP_RETURN_URL);
    for (client, uri) in [
        (IOS_CLIENT_ID, IOS_RETURN_URL),
        (IOS_CLIENT_ID, APP_RETURN_URL),
        (SHOP_CLIENT_ID, APP_RETURN_URL),
    ] {
        let reply = at.reply(hand_over(&code, client, uri, VERIFIER)).await;
        assert_eq!(ending(&reply), is(401, "token_rejected"), "{client} {uri}");
    }
    assert_eq!((at.calls(Endpoint::TokenInfo), at.sessions()), (0, 0));
}

#[tokio::test]
async fn g01_a_code_of_another_application_is_not_even_tried() {
    let at = setting().await;
    let code = at.code("lin", FOREIGN_CLIENT_ID, FOREIGN_RETURN_URL);
    let cut = &APP_CLIENT_ID[..APP_CLIENT_ID.len() - 1];
    for client in [FOREIGN_CLIENT_ID, cut, &APP_CLIENT_ID.to_uppercase(), ","] {
        let reply = at.reply(hand_over(&code, client, FOREIGN_RETURN_URL, VERIFIER)).await;
        assert_eq!(ending(&reply), is(401, "token_rejected"), "{client}");
    }
    assert!(at.stack.amazon.calls().is_empty() && at.stack.secrets.calls() == 0);
}

#[tokio::test]
async fn g01_the_token_of_a_code_is_for_the_client_that_was_named() {
    // Of two clients of ours, and still not the one.
    let at = setting().await;
    let code = at.code("lin", APP_CLIENT_ID, APP_RETURN_URL);
    at.stack.amazon.fault(Endpoint::TokenInfo, Fault::set("aud", IOS_CLIENT_ID), Some(1));
    let reply = at.reply(hand_over(&code, APP_CLIENT_ID, APP_RETURN_URL, VERIFIER)).await;
    assert_eq!(ending(&reply), is(401, "token_rejected"));
    assert_eq!(at.calls(Endpoint::Profile), 0);
}

#[tokio::test]
async fn g06_a_code_is_good_once_and_for_five_minutes() {
    let at = setting().await;
    at.stack.amazon.set_clock(Clock::Stopped(NOON));
    let code = at.code("lin", APP_CLIENT_ID, APP_RETURN_URL);
    let specimen = hand_over(&code, APP_CLIENT_ID, APP_RETURN_URL, VERIFIER);
    assert_eq!(at.reply(specimen.clone()).await.status(), 200);
    assert_eq!(ending(&at.reply(specimen).await), is(401, "token_rejected"));
    assert_eq!(at.sessions(), 1);
    let late = at.code("lin", APP_CLIENT_ID, APP_RETURN_URL);
    at.stack.amazon.set_clock(Clock::Stopped(Timestamp(NOON.0 + 300)));
    let reply = at.reply(hand_over(&late, APP_CLIENT_ID, APP_RETURN_URL, VERIFIER)).await;
    assert_eq!(ending(&reply), is(401, "token_rejected"));
}

#[tokio::test]
async fn m05_r05_a_secret_that_has_changed_is_read_anew_once() {
    let at = setting().await;
    let code = |at: &Setting| {
        let code = at.code("lin", SHOP_CLIENT_ID, CALLBACK);
        hand_over(&code, SHOP_CLIENT_ID, CALLBACK, VERIFIER)
    };
    assert_eq!(at.reply(code(&at)).await.status(), 200);
    let rotated = "amzn1.oa2-cs.v1.new";
    at.stack.amazon.world().client_mut(SHOP_CLIENT_ID).unwrap().secret = Some(rotated.into());
    at.stack.secrets.set(CLIENT_SECRET_ARN, rotated);
    let calls = at.calls(Endpoint::Token);
    assert_eq!(at.reply(code(&at)).await.status(), 200);
    assert_eq!((at.calls(Endpoint::Token), at.stack.secrets.calls()), (calls + 2, 2));
    // A secret that is simply wrong is not tried twice.
    at.stack.amazon.world().client_mut(SHOP_CLIENT_ID).unwrap().secret = Some("other".into());
    assert_eq!(ending(&at.reply(code(&at)).await), is(503, "unavailable"));
    assert_eq!(at.calls(Endpoint::Token), calls + 3);
}

#[tokio::test]
async fn l02_r01_a_redemption_that_fails_is_not_tried_again() {
    for fault in [Fault::Refuse, Fault::Cut, Fault::Status(500), Fault::Status(429)] {
        let at = setting().await;
        let code = at.code("lin", APP_CLIENT_ID, APP_RETURN_URL);
        at.stack.amazon.fault(Endpoint::Token, fault.clone(), None);
        let reply = at.reply(hand_over(&code, APP_CLIENT_ID, APP_RETURN_URL, VERIFIER)).await;
        assert_eq!(ending(&reply), is(503, "unavailable"), "{fault:?}");
        assert_eq!(at.calls(Endpoint::Token), 1, "{fault:?}");
    }
}
