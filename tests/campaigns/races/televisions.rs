//! Questions of one television, and against what happens to the account meanwhile.

use serde_json::{Value, json};

use super::*;

/// What happens at once.
#[derive(Clone, Copy, Debug)]
enum Television {
    /// Two questions, of which Amazon answers one.
    AsksTwice,
    /// Two questions, and whom Amazon vouched for has just linked.
    FindsTwice,
    /// A question, and the account is disabled.
    AndDisable,
    /// A question, and all sessions of the account end.
    AndEndOfSessions,
}

const ALL: [Television; 4] = [
    Television::AsksTwice,
    Television::FindsTwice,
    Television::AndDisable,
    Television::AndEndOfSessions,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h05_f05_inv07_in_no_order_does_a_television_get_two_sessions_or_one_that_is_too_late() {
    side_by_side("orders of televisions", &ALL, async |stack, seed, which, findings| {
        stack.dynamodb.restore(seed).unwrap();
        stack.amazon.reset();
        races(stack, *which, findings).await;
    })
    .await;
}

/// A question of a television.
async fn post(browser: &Browser<'_>, path: &str, body: Value) -> Answer {
    browser.ask("POST", path).body("application/json", body.to_string()).send().await
}

async fn races(stack: &Stack, which: Television, findings: &mut Findings) {
    // An earlier session of the same account, to find its partition by.
    stack.link("ann", "ann").await.unwrap();
    Browser::new(stack).sign_in_at_amazon("ann", "/").await;
    let browser = Browser::new(stack);
    let told = post(&browser, "/auth/amazon/device", json!({})).await.json();
    let handle = told["device_code"].clone();
    assert!(stack.amazon.allow_code(told["user_code"].as_str().unwrap(), "ann"));
    if !matches!(which, Television::AsksTwice) {
        let customer = amazon_id(stack, "ann");
        // As after an earlier question, at which there was no link yet.
        let rows = stack.dynamodb.scan("tickets").unwrap();
        let row = rows.iter().find(|row| row["sk"]["S"] == "DEVICE").unwrap();
        let mut row = row.clone();
        row.as_object_mut().unwrap().remove("codes");
        row["amazon_user_id"] = json!({ "S": customer });
        stack.dynamodb.put("tickets", &row).unwrap();
    }
    // Amazon gives a token once, and each order is to have it.
    let world = stack.amazon.world().clone();
    let asks = |name| {
        let handle = handle.clone();
        Contender::visitor(name, &browser, async move |browser| {
            let body = json!({ "device_code": handle });
            (post(&browser, "/auth/amazon/device/poll", body).await, browser)
        })
    };
    let contenders = || {
        *stack.amazon.world() = world.clone();
        let other = match which {
            Television::AsksTwice | Television::FindsTwice => asks(OTHER),
            Television::AndDisable => site_disables(stack, "ann"),
            Television::AndEndOfSessions => site_ends_sessions(stack, "ann"),
        };
        vec![asks(ONE), other]
    };
    race(stack, &format!("a television: {which:?}"), findings, contenders, async |run| {
        let mut wrong = Vec::new();
        let statuses = run.statuses();
        let opened = stack.dynamodb.scan("sessions").unwrap();
        let opened = opened.iter().filter(|row| row["kind"]["S"] == "device").count();
        let answers = run.finishes.iter().flatten().map(|(answer, _)| answer);
        let mut tokens: Vec<_> = answers
            .filter(|answer| answer.status == 200)
            .map(|answer| answer.json()["session_token"].clone())
            .collect();
        tokens.dedup();
        wrong_unless(tokens.len() == opened && opened <= 1, "not one session each", &mut wrong);
        match which {
            Television::AsksTwice | Television::FindsTwice => {
                wrong_unless(opened == 1, "nobody is let in", &mut wrong);
                let fits = statuses.iter().all(|status| matches!(status, 200 | 400));
                wrong_unless(fits, "an answer that fits neither", &mut wrong);
            }
            Television::AndDisable | Television::AndEndOfSessions => {
                let site = if matches!(which, Television::AndDisable) {
                    "UpdateItem accounts"
                } else {
                    "UpdateItem sessions"
                };
                let too_late = run.before((SITE, site), (ONE, COMMIT));
                wrong_unless(!(too_late && opened == 1), "let in too late", &mut wrong);
                let fits = matches!((statuses[0], opened), (200, 1) | (403 | 503, 0));
                wrong_unless(fits, "told wrong", &mut wrong);
            }
        }
        wrong
    })
    .await;
}
