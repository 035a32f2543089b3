//! What owners change about the ways into their accounts.

use tests::Browser;

use super::{Scenes, of};
use crate::{attaching::press, passwords::sign_in_at_the_desk};

#[tokio::test]
async fn k10_what_owners_change_is_told_to_the_audit() {
    let mut scenes = Scenes::default();
    scenes
        .play(
            "an owner signs in at the desk, attaches Amazon and detaches it",
            &[],
            async |stack| {
                let bob = Browser::new(stack);
                sign_in_at_the_desk(&bob, "bob@example.com", "bob-local-password").await;
                let to_amazon = press(&bob, "amazon/link").await;
                bob.allow(to_amazon.location(), "nora").await;
                assert_eq!(press(&bob, "amazon/unlink").await.status, 303);
                of(&[&bob])
            },
        )
        .await;
    scenes
        .play("an owner who undoes a link", &[], async |stack| {
            let (thief, ann) = (Browser::new(stack), Browser::new(stack));
            let page = thief.asked_after_amazon("ann", "/").await;
            thief.prove(&page, "ann-local-password").await;
            sign_in_at_the_desk(&ann, "ann@example.com", "ann-local-password").await;
            let url = ann.get("/mailbox").await.link("This was not me");
            let phone = Browser::new(stack);
            let token = phone.get(&url).await.input("token").to_owned();
            let undo =
                async || phone.post("/auth/connections/undo", &[("token", &token)]).await.status;
            assert_eq!((undo().await, undo().await), (200, 410));
            of(&[&thief, &ann, &phone])
        })
        .await;
    scenes
        .play("an owner who ends all other sessions", &[], async |stack| {
            let (lin, phone) = (Browser::new(stack), Browser::new(stack));
            phone.sign_in_at_amazon("lin", "/").await;
            lin.sign_in_at_amazon("lin", "/").await;
            let page = lin.get("/auth/connections").await;
            let fields = [("csrf", page.input("csrf")), ("all_others", "true")];
            assert_eq!(lin.post("/auth/connections/sessions/revoke", &fields).await.status, 303);
            of(&[&lin, &phone])
        })
        .await;
    scenes
        .play("an owner who proves who they are", &[], async |stack| {
            let lin = Browser::new(stack);
            lin.sign_in_at_amazon("lin", "/").await;
            let refused = press(&lin, "amazon/unlink").await;
            assert_eq!(refused.code(), "reauthentication_required");
            let page = lin.get("/auth/reauthenticate").await;
            for (password, status) in [("not-her-password", 401), ("lin-local-password", 303)] {
                let fields = [("csrf", page.input("csrf")), ("password", password)];
                assert_eq!(lin.post("/auth/reauthenticate", &fields).await.status, status);
            }
            of(&[&lin])
        })
        .await;
    scenes
        .play("an owner without a password, who proves it at Amazon", &[], async |stack| {
            let nora = Browser::new(stack);
            nora.sign_in_at_amazon("nora", "/").await;
            let page = nora.get("/auth/reauthenticate").await;
            let fields = [("csrf", page.input("csrf"))];
            let proof = nora.post("/auth/reauthenticate", &fields).await;
            assert_eq!(nora.allow(proof.location(), "nora").await.status, 303);
            assert_eq!(press(&nora, "amazon/unlink").await.code(), "last_sign_in_method");
            of(&[&nora])
        })
        .await;
    scenes.end();
}
