//! Apps, and televisions.

use local_stack::{
    Stack,
    amazon::{APP_CLIENT_ID, Endpoint, Fault},
};
use serde_json::{Value, json};
use tests::{Answer, Browser};

use super::{Scenes, of};

async fn send(app: &Browser<'_>, path: &str, body: Value) -> Answer {
    app.ask("POST", path).body("application/json", body.to_string()).send().await
}

async fn hand_over(app: &Browser<'_>, token: &str) -> Answer {
    send(app, "/auth/amazon/token", json!({ "access_token": token })).await
}

const POLL: &str = "/auth/amazon/device/poll";

/// A television that a person has let in: the body with which it asks.
async fn switched_on(stack: &Stack, television: &Browser<'_>, customer: &str) -> Value {
    let told = send(television, "/auth/amazon/device", json!({})).await.json();
    let code = told["user_code"].as_str().unwrap();
    assert!(stack.amazon.allow_code(code, customer));
    json!({ "device_code": told["device_code"] })
}

#[tokio::test]
async fn k10_apps_and_televisions_are_told_to_the_audit() {
    let mut scenes = Scenes::default();
    scenes
        .play(
            "an app that hands the same token over twice, and a foreign one",
            &[],
            async |stack| {
                let app = Browser::new(stack);
                let token = stack.amazon.token("lin", APP_CLIENT_ID, "profile");
                for _ in 0..2 {
                    assert_eq!(hand_over(&app, &token).await.status, 200);
                }
                assert_eq!(hand_over(&app, "Atza|foreign").await.status, 401);
                of(&[&app])
            },
        )
        .await;
    scenes
        .play("an app whose customer has an account", &[], async |stack| {
            let app = Browser::new(stack);
            let token = stack.amazon.token("ann", APP_CLIENT_ID, "profile");
            let ticket = hand_over(&app, &token).await.json()["ticket"].clone();
            let proof = json!({ "ticket": ticket, "password": "ann-local-password" });
            let session =
                send(&app, "/auth/amazon/link", proof).await.json()["session_token"].clone();
            let bearer = format!("Bearer {}", session.as_str().unwrap());
            let bye = app.ask("POST", "/auth/logout").header("authorization", &bearer);
            assert_eq!(bye.send().await.status, 204);
            of(&[&app])
        })
        .await;
    scenes
        .play("a television that is let in, and one that is turned away", &[], async |stack| {
            let television = Browser::new(stack);
            let poll = switched_on(stack, &television, "lin").await;
            assert_eq!(send(&television, POLL, poll).await.status, 200);
            let poll = switched_on(stack, &television, "lin").await;
            let denied = Fault::Error(400, "access_denied".to_owned());
            stack.amazon.fault(Endpoint::Token, denied, Some(1));
            assert_eq!(send(&television, POLL, poll).await.json()["error"], "access_denied");
            of(&[&television])
        })
        .await;
    scenes
        .play("a television whose person has an account", &[], async |stack| {
            let television = Browser::new(stack);
            let poll = switched_on(stack, &television, "ann").await;
            let told = send(&television, POLL, poll).await;
            assert_eq!(told.json()["status"], "link_required");
            of(&[&television])
        })
        .await;
    scenes.end();
}
