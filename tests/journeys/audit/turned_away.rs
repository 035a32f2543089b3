//! Who is turned away, and why.

use tests::{Browser, SESSION};

use super::{Scenes, of};
use crate::passwords::fill_the_next_window_too;

#[tokio::test]
async fn k10_who_is_turned_away_is_told_to_the_audit() {
    let mut scenes = Scenes::default();
    scenes
        .play("a customer who says no at Amazon", &[], async |stack| {
            let lin = Browser::new(stack);
            let at_amazon = lin.begin("/").await;
            lin.come_back(&stack.amazon.cancel(&at_amazon).unwrap()).await;
            of(&[&lin])
        })
        .await;
    scenes
        .play("a state of another browser, and none at all", &[], async |stack| {
            let (lin, other) = (Browser::new(stack), Browser::new(stack));
            let at_amazon = lin.begin("/").await;
            other.come_back(&stack.amazon.allow(&at_amazon, "lin").unwrap()).await;
            other.get("/auth/amazon/callback?code=ANcode").await;
            of(&[&lin, &other])
        })
        .await;
    scenes
        .play("a state that comes again", &[], async |stack| {
            let lin = Browser::new(stack);
            let at_amazon = lin.begin("/").await;
            let back = stack.amazon.allow(&at_amazon, "lin").unwrap();
            lin.come_back(&back).await;
            // Whoever is signed in only loaded the page again.
            assert_eq!(lin.come_back(&back).await.status, 303);
            lin.drop_cookie(SESSION);
            assert_eq!(lin.come_back(&back).await.status, 400);
            of(&[&lin])
        })
        .await;
    scenes
        .play("accounts that nobody may enter", &[], async |stack| {
            let nora = Browser::new(stack);
            for email in ["otto@example.com", "dora@example.com", "kim@example.com"] {
                stack.amazon.change("nora", |nora| nora.email = Some(email.to_owned()));
                assert_eq!(nora.sign_in_at_amazon("nora", "/").await.status, 403);
            }
            of(&[&nora])
        })
        .await;
    scenes
        .play("an account that is closed while its owner is asked", &[], async |stack| {
            let ann = Browser::new(stack);
            let page = ann.asked_after_amazon("ann", "/").await;
            stack.dynamodb.set("accounts", &[("id", "ann")], "status", "locked").unwrap();
            assert_eq!(ann.prove(&page, "ann-local-password").await.status, 403);
            of(&[&ann])
        })
        .await;
    scenes
        .play("a registration that is closed", &[("Registration", "closed")], async |stack| {
            let nora = Browser::new(stack);
            nora.sign_in_at_amazon("nora", "/").await;
            of(&[&nora])
        })
        .await;
    scenes
        .play("somebody who guesses", &[], async |stack| {
            let ann = Browser::new(stack);
            let page = ann.asked_after_amazon("ann", "/").await;
            for _ in 0..5 {
                ann.prove(&page, "not-her-password").await;
            }
            fill_the_next_window_too(stack);
            let page = ann.asked_after_amazon("ann", "/").await;
            assert_eq!(ann.prove(&page, "ann-local-password").await.status, 429);
            of(&[&ann])
        })
        .await;
    scenes
        .play("forms of nobody's, and a route that takes a session", &[], async |stack| {
            let lin = Browser::new(stack);
            lin.sign_in_at_amazon("lin", "/").await;
            assert_eq!(lin.post("/auth/logout", &[]).await.status, 403);
            let ask = lin.ask("POST", "/auth/session/accept").header("origin", &stack.url);
            assert_eq!(ask.form(&[("code", "none")]).send().await.status, 400);
            let nobody = Browser::new(stack);
            nobody.get("/auth/connections").await;
            assert_eq!(nobody.get("/api/orders").await.status, 403);
            of(&[&lin, &nobody])
        })
        .await;
    scenes.end();
}
