//! What looks at the tables after every step notices what must not be there.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use local_stack::Stack;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::Tables;

/// What is broken in the tables of a shop that nobody has visited, after this.
async fn broken_by(breaks: impl FnOnce(&Stack)) -> Vec<String> {
    let stack = Stack::doors().await.unwrap();
    assert_eq!(Tables::of(&stack).broken(), [""; 0], "before");
    breaks(&stack);
    Tables::of(&stack).broken()
}

fn put(stack: &Stack, table: &str, row: Value) {
    stack.dynamodb.put(table, &row).unwrap();
}

fn link(customer: &str, account: &str) -> Value {
    json!({
        "pk": { "S": format!("AMAZON#{customer}") },
        "account_id": { "S": account },
        "epoch": { "N": "0" },
        "linked_at": { "N": "1900000000" },
        "proven_at": { "N": "1900000000" },
        "how": { "S": "linked" },
    })
}

fn back(account: &str, customer: &str) -> Value {
    json!({
        "pk": { "S": format!("ACCOUNT#{account}") },
        "amazon_user_id": { "S": customer },
    })
}

fn ticket(attempts_left: &str) -> Value {
    json!({
        "pk": { "S": "tag" },
        "sk": { "S": "hash" },
        "purpose": { "S": "link" },
        "amazon_user_id": { "S": "amzn1.account.MAX" },
        "account_id": { "S": "ann" },
        "attempts_left": { "N": attempts_left },
        "return_to": { "S": "/" },
        "started_at": { "N": "1900000000" },
        "expires_at": { "N": "1900000900" },
        "ttl": { "N": "1900087300" },
    })
}

/// What points from Ann to that ticket.
fn pointer() -> Value {
    let tag = Sha256::new().chain_update("account\0ann").finalize();
    json!({
        "pk": { "S": URL_SAFE_NO_PAD.encode(tag) },
        "sk": { "S": "TICKET#tag.hash" },
        "ttl": { "N": "1900087300" },
    })
}

/// Complains unless there is exactly one sentence, which begins so.
#[track_caller]
fn says(broken: &[String], beginning: &str) {
    let fits = |sentence: &String| sentence.starts_with(beginning);
    assert!(!broken.is_empty() && broken.iter().all(fits), "{broken:?}");
}

#[tokio::test]
async fn inv01_a_customer_with_two_accounts_is_noticed() {
    let broken = broken_by(|stack| {
        put(stack, "identities", link("amzn1.account.MAX", "ann"));
        put(stack, "identities", back("ann", "amzn1.account.MAX"));
        put(stack, "identities", back("bob", "amzn1.account.MAX"));
    });
    says(&broken.await, "INV-01: bob leads to amzn1.account.MAX, and not back");
}

#[tokio::test]
async fn inv01_an_account_with_two_customers_is_noticed() {
    let broken = broken_by(|stack| {
        put(stack, "identities", link("amzn1.account.MAX", "lin"));
    });
    says(&broken.await, "INV-01: amzn1.account.MAX leads to lin, and not back");
}

#[tokio::test]
async fn inv02_a_session_of_an_account_that_is_gone_is_noticed() {
    let broken = broken_by(|stack| {
        let session = json!({
            "pk": { "S": "tag" },
            "sk": { "S": "hash" },
            "account_id": { "S": "nobody" },
            "id": { "S": "id" },
            "kind": { "S": "browser" },
            "how": { "S": "amazon" },
            "epoch": { "N": "0" },
            "started_at": { "N": "1900000000" },
            "last_seen": { "N": "1900000000" },
            "expires_at": { "N": "1900604800" },
            "ttl": { "N": "1900691200" },
        });
        put(stack, "sessions", session);
    });
    says(&broken.await, "INV-02: a session of nobody, which is not there");
}

#[tokio::test]
async fn inv03_a_link_that_leads_nowhere_is_noticed() {
    let broken = broken_by(|stack| {
        put(stack, "identities", link("amzn1.account.MAX", "nobody"));
        put(stack, "identities", back("nobody", "amzn1.account.MAX"));
    });
    says(&broken.await, "INV-03: amzn1.account.MAX leads to nobody, which is not there");
}

#[tokio::test]
async fn inv05_an_address_that_two_newcomers_have_is_noticed() {
    let broken = broken_by(|stack| {
        let newcomer = json!({
            "id": { "S": "newcomer" },
            "email": { "S": "ANN@example.com" },
            "email_verified": { "BOOL": false },
            "created_at": { "S": "2030-03-17T17:46:40Z" },
        });
        put(stack, "accounts", newcomer);
        put(stack, "identities", link("amzn1.account.MAX", "newcomer"));
        put(stack, "identities", back("newcomer", "amzn1.account.MAX"));
    });
    says(&broken.await, "INV-05: a new account ");
}

#[tokio::test]
async fn inv06_a_newcomers_account_that_nobody_can_enter_is_noticed() {
    let broken = broken_by(|stack| {
        let newcomer = json!({
            "id": { "S": "newcomer" },
            "created_at": { "S": "2030-03-17T17:46:40Z" },
        });
        put(stack, "accounts", newcomer);
    });
    says(&broken.await, "INV-06: newcomer cannot be entered");
}

#[tokio::test]
async fn inv08_more_guesses_than_there_are_is_noticed() {
    for left in ["6", "-1"] {
        let broken = broken_by(|stack| {
            put(stack, "tickets", ticket(left));
            put(stack, "tickets", pointer());
        });
        says(&broken.await, "INV-08: a ticket has too many attempts, or too few");
    }
    let broken = broken_by(|stack| {
        let limit = json!({
            "pk": { "S": "LIMIT#hash" },
            "sk": { "S": "2111111" },
            "taken": { "N": "21" },
            "ttl": { "N": "1900087300" },
        });
        put(stack, "tickets", limit);
    });
    says(&broken.await, "INV-08: a limit is overrun");
}

#[tokio::test]
async fn inv16_a_row_that_is_written_in_part_is_noticed() {
    let stack = Stack::doors().await.unwrap();
    let broken_by = |row: &Value| {
        put(&stack, "tickets", row.clone());
        Tables::of(&stack).broken()
    };
    let whole = ticket("5");
    says(&broken_by(&whole), "K11: nothing points from ann to its ticket");
    put(&stack, "tickets", pointer());
    assert_eq!(broken_by(&whole), [""; 0]);
    for name in whole.as_object().unwrap().keys().filter(|name| *name != "pk" && *name != "sk") {
        let mut part = whole.clone();
        part.as_object_mut().unwrap().remove(name);
        says(&broken_by(&part), "INV-16: ");
    }
    for (name, value) in [
        ("password", json!({ "S": "secret" })),
        ("used", json!({ "S": "yes" })),
        ("expires_at", json!({ "S": "soon" })),
        ("ttl", json!({ "N": "1900000899" })),
    ] {
        let mut odd = whole.clone();
        odd[name] = value;
        let wrong = if name == "ttl" { "F13: " } else { "INV-16: " };
        says(&broken_by(&odd), wrong);
    }
}
