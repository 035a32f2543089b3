//! Who is asked for a password, or for more.

use local_stack::Stack;
use tests::Browser;

use super::{Scenes, of};
use crate::passwords::reset;

#[tokio::test]
async fn k10_who_is_asked_for_a_password_or_for_more_is_told_to_the_audit() {
    let mut scenes = Scenes::default();
    scenes
        .play("a wrong password, then the right one", &[], async |stack| {
            let ann = Browser::new(stack);
            let page = ann.asked_after_amazon("ann", "/").await;
            ann.prove(&page, "not-her-password").await;
            assert_eq!(ann.prove(&page, "ann-local-password").await.status, 303);
            of(&[&ann])
        })
        .await;
    scenes
        .play("a password that was forgotten", &[], async |stack| {
            let ann = Browser::new(stack);
            let page = ann.asked_after_amazon("ann", "/").await;
            ann.post("/auth/amazon/link/forgot", &[("csrf", page.input("csrf"))]).await;
            reset(&ann, "ann@example.com", "ann-second-password").await;
            assert_eq!(ann.prove(&page, "ann-second-password").await.status, 303);
            of(&[&ann])
        })
        .await;
    scenes
        .play("a link that must be proven again", &[], async |stack| {
            let lin = Browser::new(stack);
            reset(&lin, "lin@example.com", "lin-second-password").await;
            let page = lin.asked_after_amazon("lin", "/").await;
            assert_eq!(lin.prove(&page, "lin-second-password").await.status, 303);
            of(&[&lin])
        })
        .await;
    scenes
        .play("a second factor", &[("Accounts", "webhook")], async |stack| {
            stack.dynamodb.set("accounts", &[("id", "ann")], "second_factor", "246810").unwrap();
            let ann = Browser::new(stack);
            let page = ann.asked_after_amazon("ann", "/").await;
            ann.prove(&page, "ann-local-password").await;
            let fields = [
                ("csrf", page.input("csrf")),
                ("password", "ann-local-password"),
                ("code", "246810"),
            ];
            assert_eq!(ann.post("/auth/amazon/link", &fields).await.status, 303);
            of(&[&ann])
        })
        .await;
    scenes
        .play("a newcomer whom Amazon tells no address of", &[], async |stack| {
            registers(stack, "noa@home.example").await
        })
        .await;
    scenes
        .play("a newcomer who types the address of an account", &[], async |stack| {
            registers(stack, "ann@example.com").await
        })
        .await;
    scenes.end();
}

async fn registers(stack: &Stack, email: &str) -> std::collections::BTreeSet<String> {
    let noa = Browser::new(stack);
    let page = noa.asked_after_amazon("noa", "/").await;
    let fields = [("csrf", page.input("csrf")), ("email", email)];
    assert_eq!(noa.post("/auth/amazon/register", &fields).await.status, 303);
    of(&[&noa])
}
