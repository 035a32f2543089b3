//! What the site tells of its accounts.

use std::collections::BTreeSet;

use serde_json::json;
use tests::Browser;

use super::{Scenes, of};

#[tokio::test]
async fn k10_what_the_site_tells_is_told_to_the_audit() {
    let mut scenes = Scenes::default();
    scenes
        .play("all that can happen to an account", &[], async |stack| {
            let lin = Browser::new(stack);
            lin.sign_in_at_amazon("lin", "/").await;
            for kind in ["password_reset", "disabled", "enabled", "email_changed", "deleted"] {
                let at = stack.now().rfc3339();
                let event = json!({ "type": kind, "account_id": "lin", "at": at });
                assert!(stack.invoke("lifecycle", event.to_string()).await.is_some(), "{kind}");
            }
            of(&[&lin])
        })
        .await;
    scenes
        .play("a code that is given, and one that is not", &[], async |stack| {
            for account in ["bob", "dora"] {
                let at = stack.now().rfc3339();
                let event = json!({ "type": "signed_in", "account_id": account, "at": at });
                let given = stack.invoke("lifecycle", event.to_string()).await;
                assert_eq!(given.is_some(), account == "bob");
            }
            BTreeSet::new()
        })
        .await;
    scenes
        .play("a message that nobody has signed", &[], async |stack| {
            let stranger = Browser::new(stack);
            let ask = stranger.ask("POST", "/auth/lifecycle").body("application/json", "{}");
            assert_eq!(ask.send().await.status, 401);
            of(&[&stranger])
        })
        .await;
    scenes.end();
}
