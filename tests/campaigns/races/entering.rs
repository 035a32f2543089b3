//! Sign-ins of whom we know, against whatever ends what they build on.

use super::*;

/// Lin, who is known, at Amazon.
pub(super) async fn lin_at_amazon(stack: &Stack) -> (Browser<'_>, String) {
    // A session that tells where her sessions lie.
    Browser::new(stack).sign_in_at_amazon("lin", "/").await;
    let browser = Browser::new(stack);
    let at_amazon = browser.begin("/").await;
    (browser, at_amazon)
}

pub(super) async fn known_and_disable(stack: &Stack, findings: &mut Findings) {
    let (browser, url) = lin_at_amazon(stack).await;
    let contenders =
        || vec![comes_back(stack, ONE, &browser, &url, "lin"), site_disables(stack, "lin")];
    race(stack, "a sign-in and the end of its account", findings, contenders, async |run| {
        too_late_or_in(run, "UpdateItem accounts", "lin", &[403]).await
    })
    .await;
}

pub(super) async fn known_and_delete(stack: &Stack, findings: &mut Findings) {
    let (browser, url) = lin_at_amazon(stack).await;
    stack.dynamodb.set("accounts", &[("id", "lin")], "extra", "nothing").unwrap();
    let sessions = stack.dynamodb.scan("sessions").unwrap().len();
    let contenders = || {
        let delete = stack.dynamodb.client().delete_item().table_name("accounts");
        let delete = delete.key("id", AttributeValue::S("lin".to_owned()));
        let site = Contender::site(async move {
            delete.send().await.unwrap();
        });
        vec![comes_back(stack, ONE, &browser, &url, "lin"), site]
    };
    let judge = async |run: &Run<'_>| {
        let mut wrong = too_late_or_in(run, "DeleteItem accounts", "lin", &[403]).await;
        let back = stack.dynamodb.get("accounts", &[("id", "lin")]).unwrap();
        wrong_unless(back.is_null(), "the account has come back", &mut wrong);
        let opened = stack.dynamodb.scan("sessions").unwrap().len() - sessions;
        wrong_unless(
            opened == usize::from(run.statuses()[0] == 303),
            "a session too many",
            &mut wrong,
        );
        // The link and the session that lead nowhere are for whoever deletes accounts to remove.
        stack.dynamodb.put("accounts", &serde_json::json!({
            "id": {"S": "lin"}, "email": {"S": "lin@example.com"}, "password_hash": {"S": "x"}
        })).unwrap();
        wrong
    };
    race(stack, "a sign-in and its account deleted", findings, contenders, judge).await;
}

pub(super) async fn known_and_unlink(stack: &Stack, findings: &mut Findings) {
    let (browser, url) = lin_at_amazon(stack).await;
    let lin = format!("AMAZON#{}", amazon_id(stack, "lin"));
    let contenders = || {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let client = stack.dynamodb.client();
        let deletes = [lin.as_str(), "ACCOUNT#lin"].map(|pk| {
            let delete = aws_sdk_dynamodb::types::Delete::builder().table_name("identities");
            let delete = delete.key("pk", key(pk)).build().unwrap();
            aws_sdk_dynamodb::types::TransactWriteItem::builder().delete(delete).build()
        });
        let both = client.transact_write_items().set_transact_items(Some(deletes.into()));
        let site = Contender::site(async move {
            both.send().await.unwrap();
        });
        vec![comes_back(stack, ONE, &browser, &url, "lin"), site]
    };
    race(stack, "a sign-in and the end of its link", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        let Some(Some((answer, _))) = run.finishes.first() else { return wrong };
        let asks = answer.status == 303 && answer.location().ends_with("/auth/amazon/link");
        let inside = run.accounts().await[0].is_some();
        let too_late = run.before((SITE, COMMIT), (ONE, COMMIT)) || asks;
        wrong_unless(inside != too_late, "in by a link that is gone", &mut wrong);
        wrong_unless(linked_to(stack, "lin").is_none(), "linked without a proof", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn known_and_end_of_sessions(stack: &Stack, findings: &mut Findings) {
    let (browser, url) = lin_at_amazon(stack).await;
    let contenders =
        || vec![comes_back(stack, ONE, &browser, &url, "lin"), site_ends_sessions(stack, "lin")];
    race(stack, "a sign-in and the end of all sessions", findings, contenders, async |run| {
        // Only the epoch is bumped here; whoever ends sessions writes it into the link as well.
        too_late_or_in(run, "UpdateItem sessions", "lin", &[503]).await
    })
    .await;
}

pub(super) async fn same_state(stack: &Stack, customer: &str, findings: &mut Findings) {
    let browser = Browser::new(stack);
    let url = browser.begin("/").await;
    let contenders = || {
        let back = stack.amazon.allow(&url, customer).unwrap();
        stack.amazon.forget_calls();
        let loads = |name| {
            let back = back.clone();
            Contender::visitor(name, &browser, async move |browser| {
                (browser.come_back(&back).await, browser)
            })
        };
        vec![loads(ONE), loads(OTHER)]
    };
    race(stack, "one callback twice", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        let mut statuses = run.statuses();
        statuses.sort_unstable();
        wrong_unless(statuses == [303, 400], "not one that goes on", &mut wrong);
        let redeemed = stack.amazon.calls_of(local_stack::amazon::Endpoint::Token).len();
        wrong_unless(redeemed == 1, "the code was not redeemed once", &mut wrong);
        let mine = linked_to(stack, customer).unwrap_or_default();
        wrong_unless(in_by_answer(run, &mine).await, "in without an answer", &mut wrong);
        wrong
    })
    .await;
}

/// A sign-in replaces the session that the browser has, which is being ended at the same time.
pub(super) async fn known_and_log_out(stack: &Stack, findings: &mut Findings) {
    let scene = Flow::LogOut.prepare(stack).await;
    let at_amazon = scene.browser.begin("/").await;
    assert!(scene.browser.cookie(LOGIN).is_some() && scene.browser.cookie(TICKET).is_none());
    let contenders = || {
        let out = scene.copy();
        vec![
            comes_back(stack, ONE, &scene.browser, &at_amazon, "lin"),
            Contender::visitor(OTHER, &scene.browser, async move |browser| {
                (out.act_with(&browser).await, browser)
            }),
        ]
    };
    race(stack, "a sign-in and a log-out", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        wrong_unless(run.statuses() == [303, 303], "one of them fails", &mut wrong);
        wrong_unless(!scene.copied_session_lives(&scene).await, "the session lives", &mut wrong);
        wrong_unless(run.accounts().await[0].as_deref() == Some("lin"), "not in", &mut wrong);
        wrong
    })
    .await;
}
