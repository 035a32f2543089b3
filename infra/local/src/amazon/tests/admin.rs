use serde_json::json;

use super::*;

async fn tell(amazon: &Amazon, path: &str, body: &Value) -> Reply {
    Reply::to(super::json(http().post(format!("{}/admin/{path}", amazon.url)), body)).await
}

async fn profile(amazon: &Amazon, token: &Value) -> Reply {
    let request = http().get(format!("{}/user/profile", amazon.url));
    Reply::to(request.bearer_auth(token.as_str().unwrap())).await
}

#[tokio::test]
async fn whoever_drives_it_from_outside_can_do_what_a_test_can() {
    let amazon = amazon().await;
    let ann = json!({"customer": "ann", "client_id": SHOP_CLIENT_ID, "scope": "profile"});
    let minted = tell(&amazon, "token", &ann).await.json();
    let token = &minted["access_token"];
    assert_eq!(profile(&amazon, token).await.json()["user_id"], minted["user_id"]);

    let change = json!({"customer": "ann", "change": {"email": "new@example.com", "name": null}});
    assert_eq!(tell(&amazon, "customer", &change).await.status, 200);
    let expected = json!({"user_id": minted["user_id"], "email": "new@example.com"});
    assert_eq!(profile(&amazon, token).await.json(), expected);

    let fault = json!({"endpoint": "profile", "fault": {"status": 503}, "times": 1});
    assert_eq!(tell(&amazon, "fault", &fault).await.status, 200);
    assert_eq!(profile(&amazon, token).await.status, 503);
    assert_eq!(profile(&amazon, token).await.status, 200);
    tell(&amazon, "fault", &json!({"endpoint": "profile", "fault": "truncated"})).await;
    tell(&amazon, "fault", &json!({"endpoint": "profile"})).await;
    assert!(profile(&amazon, token).await.json().is_object());

    let hour = tell(&amazon, "clock", &json!({"advance": 3600})).await.json();
    assert_eq!(hour["now"], NOON.0 + 3600);
    assert_eq!(profile(&amazon, token).await.status, 400);
    tell(&amazon, "clock", &json!({"at": NOON.0})).await;
    assert_eq!(profile(&amazon, token).await.status, 200);
    tell(&amazon, "customer", &json!({"customer": "ann", "remove": true})).await;
    assert_eq!(profile(&amazon, token).await.status, 400);
}

#[tokio::test]
async fn a_code_from_outside_can_be_redeemed_and_habits_can_be_set() {
    let amazon = amazon().await;
    let nora = json!({
        "customer": "nora", "client_id": SHOP_CLIENT_ID, "scope": "profile",
        "redirect_uri": RETURN_URL, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    tell(&amazon, "habits", &json!({"refresh": "omit", "expires_in": 60})).await;
    let minted = tell(&amazon, "code", &nora).await.json();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", minted["code"].as_str().unwrap()),
        ("redirect_uri", RETURN_URL),
        ("client_id", SHOP_CLIENT_ID),
        ("client_secret", SHOP_CLIENT_SECRET),
        ("code_verifier", VERIFIER),
    ];
    let reply = Reply::to(http().post(format!("{}/auth/o2/token", amazon.url)).form(&fields)).await;
    assert_eq!(reply.json()["expires_in"], 60);
    tell(
        &amazon,
        "profile",
        &json!({"app_id": "amzn1.application.00112233445566778899aabbccddeeff"}),
    )
    .await;
    assert_eq!(profile(&amazon, &reply.json()["access_token"]).await.status, 400);
}

#[tokio::test]
async fn after_a_reset_all_is_as_at_the_start() {
    let amazon = amazon().await;
    let token = json!(amazon.token("nora", SHOP_CLIENT_ID, "profile"));
    amazon.change("nora", |nora| nora.name = None);
    amazon.fault(Endpoint::Profile, Fault::Hang, None);
    Visitor::new().get(&amazon.url).await;
    assert_eq!(tell(&amazon, "reset", &json!({})).await.status, 200);
    assert_eq!(profile(&amazon, &token).await.status, 400);
    assert_eq!(amazon.world().customer("nora").unwrap().name.as_deref(), Some("Nora New"));
    let calls = Reply::to(http().get(format!("{}/admin/calls", amazon.url))).await.json();
    assert_eq!(calls.as_array().unwrap().len(), 1);
    assert_eq!(calls[0]["path"], "/user/profile");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_drive_it() {
    let amazon = amazon().await;
    let url = format!("{}/admin/reset", amazon.url);
    assert_eq!(Reply::to(http().post(&url).form(&[("a", "b")])).await.status, 400);
    assert_eq!(Reply::to(http().post(&url).body("{}")).await.status, 400);
    let reply = tell(&amazon, "clock", &json!({"at": 1, "advanced": 2})).await;
    assert_eq!((reply.status, reply.refusal().1.as_str()), (400, "admin"));
}
