//! A new version of each function shows that it can answer before a visitor meets it.

use local_stack::Stack;
use serde_json::Value;

use crate::stack;

/// What the function that CodeDeploy asks says of a new version.
async fn may_take_over(stack: &Stack, function: &str) -> String {
    let event = stack.deployments.begin(function);
    let returned = stack.invoke("pretraffic", event.to_string()).await.unwrap();
    let returned: Value = serde_json::from_slice(&returned).unwrap();
    let told = stack.deployments.told(&event).unwrap();
    assert_eq!(returned["may_take_over"], told == "Succeeded", "{function}");
    told
}

#[tokio::test]
async fn every_function_that_can_answer_takes_over() {
    let stack = stack().await;
    for function in Stack::functions().unwrap().iter().filter(|name| *name != "pretraffic") {
        assert_eq!(may_take_over(&stack, function).await, "Succeeded", "{function}");
    }
}

#[tokio::test]
async fn a_function_that_lacks_a_setting_stays_out() {
    let stack = stack().await;
    for (function, setting) in [
        ("login", "LWA_CLIENT_ID"),
        ("callback", "IDENTITIES_TABLE"),
        ("link", "TICKETS_TABLE"),
        ("session", "SESSIONS_TABLE"),
        ("authorizer", "SESSIONS_TABLE"),
        ("lifecycle", "SESSIONS_TABLE"),
        ("notices", "TICKETS_TABLE"),
    ] {
        stack.set(function, setting, None);
        assert_eq!(may_take_over(&stack, function).await, "Failed", "{function} without {setting}");
    }
}

#[tokio::test]
async fn a_session_check_that_is_not_let_at_its_table_stays_out() {
    let stack = stack().await;
    for function in ["session", "authorizer"] {
        stack.set(function, "SESSIONS_TABLE", Some("nobodys"));
        assert_eq!(may_take_over(&stack, function).await, "Failed", "{function}");
    }
}
