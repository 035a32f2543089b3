use local_stack::{Stack, specimen::Specimen};
use rollout::Answer;
use serde_json::{Value, json};
use web::{Code, Invoke as _};

use crate::{
    handler::{Pretraffic, judge},
    open,
};

async fn pretraffic(stack: &Stack) -> Pretraffic {
    open(&stack.settings("pretraffic").into_iter().collect()).await.unwrap()
}

#[test]
fn any_answer_will_do_that_is_no_fault() {
    let says = |status: u16| json!({ "statusCode": status });
    let denied = json!({ "isAuthorized": false });
    let fine = r#"{"level":"INFO","code":"not_signed_in"}"#;
    let wrong = "START RequestId: 1\n{\"level\":\"ERROR\",\"code\":\"unavailable\"}\nEND";
    for (failed, returned, log, may) in [
        (false, says(401), fine, true),
        (false, says(404), fine, true),
        (false, says(200), "", true),
        (false, denied.clone(), fine, true),
        (false, json!({ "delivered": 0 }), fine, true),
        (false, says(500), fine, false),
        (false, says(503), fine, false),
        (false, denied, wrong, false),
        (false, says(401), wrong, false),
        (true, json!({ "errorMessage": "bad_request" }), fine, false),
        (true, Value::Null, "", false),
    ] {
        let answer = Answer { failed, returned, log: log.to_owned() };
        assert_eq!(judge(&answer).is_ok(), may, "{answer:?}");
    }
}

#[tokio::test]
async fn codedeploy_is_told_either_way() {
    let stack = Stack::doors().await.unwrap();
    let pretraffic = pretraffic(&stack).await;
    for (status, told) in [(401, "Succeeded"), (503, "Failed")] {
        stack.deployments.answer(json!({ "statusCode": status }), "", false);
        let event = stack.deployments.begin("session");

        let returned = pretraffic.invoke(event.clone()).await.unwrap();

        assert_eq!(stack.deployments.told(&event).as_deref(), Some(told));
        assert_eq!(returned, json!({ "may_take_over": status == 401 }));
    }
}

#[tokio::test]
async fn a_version_that_cannot_be_invoked_stays_out() {
    let stack = Stack::doors().await.unwrap();
    let event = stack.deployments.begin("session");

    pretraffic(&stack).await.invoke(event.clone()).await.unwrap();

    assert_eq!(stack.deployments.told(&event).as_deref(), Some("Failed"));
}

#[tokio::test]
async fn where_codedeploy_cannot_be_told_the_invocation_fails() {
    let stack = Stack::doors().await.unwrap();
    let pretraffic = pretraffic(&stack).await;
    let event = stack.deployments.begin("session");
    stack.deployments.break_down(true);

    let failure = pretraffic.invoke(event.clone()).await.unwrap_err();

    assert_eq!(failure.code, Code::Unavailable);
    assert_eq!(stack.deployments.told(&event), None);
}

#[tokio::test]
async fn an_event_of_nobody_ends_nothing() {
    let stack = Stack::doors().await.unwrap();
    let pretraffic = pretraffic(&stack).await;

    // A deployment that CodeDeploy does not know, and no deployment at all.
    let foreign = serde_json::from_str(&Specimen::of("pretraffic").event()).unwrap();
    assert_eq!(pretraffic.invoke(foreign).await.unwrap_err().code, Code::Unavailable);
    assert_eq!(pretraffic.invoke(json!({})).await.unwrap_err().code, Code::BadRequest);
}
