use serde_json::json;

use super::*;

async fn profile(amazon: &Amazon, token: &str) -> Reply {
    Reply::to(http().get(format!("{}/user/profile", amazon.url)).bearer_auth(token)).await
}

async fn tokeninfo(amazon: &Amazon, token: &str) -> Reply {
    let url = format!("{}/auth/o2/tokeninfo?{}", amazon.url, encoded(&[("access_token", token)]));
    Reply::to(http().get(url)).await
}

#[tokio::test]
async fn tokeninfo_tells_whose_token_it_is_and_how_many_seconds_are_left() {
    let amazon = amazon().await;
    let token = amazon.token("nora", SHOP_CLIENT_ID, "profile");
    pass(&amazon, 1000);
    let expected = json!({
        "iss": "https://www.amazon.com",
        "aud": SHOP_CLIENT_ID,
        "user_id": amazon.user_id("nora", SHOP_CLIENT_ID),
        "app_id": "amzn1.application.00112233445566778899aabbccddeeff",
        "exp": 2600,
        "iat": NOON.0,
    });
    assert_eq!(tokeninfo(&amazon, &token).await.json(), expected);
    let url = format!("{}/auth/o2/tokeninfo", amazon.url);
    let in_header = Reply::to(http().get(url).header("x-amz-access-token", &token)).await;
    assert_eq!(in_header.json(), expected);
}

#[tokio::test]
async fn a_token_of_another_company_names_another_audience_and_another_id() {
    let amazon = amazon().await;
    let token = amazon.token("nora", FOREIGN_CLIENT_ID, "profile");
    let body = tokeninfo(&amazon, &token).await.json();
    assert_eq!(body["aud"], FOREIGN_CLIENT_ID);
    assert_ne!(body["user_id"], amazon.user_id("nora", SHOP_CLIENT_ID));
    assert_eq!(profile(&amazon, &token).await.json()["user_id"], body["user_id"]);
}

#[tokio::test]
async fn a_customer_is_the_same_to_all_clients_of_a_company_and_to_every_stand_in() {
    let (one, two) = (amazon().await, amazon().await);
    let id = one.user_id("nora", SHOP_CLIENT_ID);
    assert_eq!(id, one.user_id("nora", APP_CLIENT_ID));
    assert_eq!(id, two.user_id("nora", SHOP_CLIENT_ID));
    assert_ne!(id, one.user_id("ann", SHOP_CLIENT_ID));
    let text = id.strip_prefix("amzn1.account.A").unwrap();
    assert!(
        text.len() == 27 && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7')),
        "{id}"
    );
    one.change("nora", |nora| nora.email = Some("new@example.com".to_owned()));
    assert_eq!(id, one.user_id("nora", SHOP_CLIENT_ID));
}

#[tokio::test]
async fn the_profile_holds_what_was_agreed_to_as_far_as_there_is_any() {
    let amazon = amazon().await;
    for (customer, scope, rest) in [
        ("nora", "profile", json!({"name": "Nora New", "email": "nora@example.com"})),
        ("nora", "profile:user_id", json!({})),
        ("nora", "postal_code", json!({"postal_code": "98101"})),
        (
            "nora",
            "profile postal_code",
            json!({"name": "Nora New", "email": "nora@example.com", "postal_code": "98101"}),
        ),
        ("noa", "profile", json!({"name": "Noa Nomail"})),
        ("ida", "profile postal_code", json!({})),
    ] {
        let mut expected = rest;
        expected["user_id"] = amazon.user_id(customer, SHOP_CLIENT_ID).into();
        let reply = profile(&amazon, &amazon.token(customer, SHOP_CLIENT_ID, scope)).await;
        assert_eq!((reply.status, reply.json()), (200, expected), "{customer} {scope}");
        assert_eq!(reply.header("x-amzn-requestid").len(), 36);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("content-language"), "en-US");
    }
}

#[tokio::test]
async fn the_profile_is_the_one_of_today() {
    let amazon = amazon().await;
    let token = amazon.token("ann", SHOP_CLIENT_ID, "profile postal_code");
    amazon.change("ann", |ann| {
        ann.email = Some("new@example.com".to_owned());
        ann.name = None;
        ann.postal_code = Some("94703-1111".to_owned());
    });
    let id = amazon.user_id("ann", SHOP_CLIENT_ID);
    let expected = json!({"user_id": id, "email": "new@example.com", "postal_code": "94703-1111"});
    assert_eq!(profile(&amazon, &token).await.json(), expected);
}

#[tokio::test]
async fn a_token_travels_in_three_ways_but_not_in_two_that_differ() {
    let amazon = amazon().await;
    let token = amazon.token("nora", SHOP_CLIENT_ID, "profile");
    let url = format!("{}/user/profile", amazon.url);
    let encoded = format!("{url}?access_token={}&fields=email", token.replace('|', "%7C"));
    let raw = format!("{url}?access_token={token}");
    for request in [
        http().get(&url).header("authorization", format!("Bearer {token}")),
        http().get(&url).header("authorization", format!("bearer {token}")),
        http().get(&url).header("x-amz-access-token", &token),
        http().get(&encoded),
        http().get(&raw),
        http().get(&raw).bearer_auth(&token),
    ] {
        assert_eq!(Reply::to(request).await.status, 200);
    }
    let reply = Reply::to(http().get(&raw).bearer_auth("another")).await;
    assert_eq!((reply.status, reply.refusal().1.as_str()), (400, "invalid_request"));
    let reply = Reply::to(http().get(&url)).await;
    assert_eq!((reply.status, reply.refusal().1.as_str()), (400, "invalid_request"));
    assert_eq!(Reply::to(http().post(&raw)).await.status, 405);
}

#[tokio::test]
async fn a_token_lives_an_hour_and_is_then_invalid_with_status_400() {
    let amazon = amazon().await;
    let token = amazon.token("nora", SHOP_CLIENT_ID, "profile");
    pass(&amazon, 3599);
    assert_eq!(profile(&amazon, &token).await.status, 200);
    pass(&amazon, 1);
    let description = "The request has an invalid parameter : access_token".to_owned();
    let invalid = (400, "invalid_token".to_owned(), description);
    assert_eq!(profile(&amazon, &token).await.refusal(), invalid);
    assert_eq!(tokeninfo(&amazon, &token).await.refusal(), invalid);
    assert_eq!(profile(&amazon, "Atza|garbage").await.refusal(), invalid);
    assert_eq!(tokeninfo(&amazon, "Atza|garbage").await.refusal(), invalid);
}

#[tokio::test]
async fn a_token_without_a_scope_is_insufficient_with_status_401() {
    let amazon = amazon().await;
    let token = amazon.token("nora", SHOP_CLIENT_ID, "");
    let reply = profile(&amazon, &token).await;
    assert_eq!((reply.status, reply.refusal().1.as_str()), (401, "insufficient_scope"));
}

#[tokio::test]
async fn a_token_dies_with_its_customer_and_with_its_application() {
    let amazon = amazon().await;
    let nora = amazon.token("nora", SHOP_CLIENT_ID, "profile");
    let ann = amazon.token("ann", SHOP_CLIENT_ID, "profile");
    let elsewhere = amazon.token("ann", FOREIGN_CLIENT_ID, "profile");
    amazon.world().remove_customer("nora");
    assert_eq!(profile(&amazon, &nora).await.status, 400);
    assert_eq!(profile(&amazon, &ann).await.status, 200);
    amazon.world().remove_profile("amzn1.application.00112233445566778899aabbccddeeff");
    assert_eq!(profile(&amazon, &ann).await.status, 400);
    assert_eq!(profile(&amazon, &elsewhere).await.status, 200);
}
