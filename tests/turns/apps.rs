use local_stack::{
    Release, Stack,
    amazon::{APP_CLIENT_ID, Customer},
};
use serde_json::{Value, json};
use tests::{Answer, Browser};

use crate::{PAIRS, stack};

/// What an app or a television sends: no browser adds anything to it.
pub(crate) async fn post(stack: &Stack, to: &str, body: &Value) -> Answer {
    let app = Browser::new(stack);
    let ask = app.ask("POST", to).without("sec-fetch-site").without("sec-fetch-mode");
    let ask = ask.without("sec-fetch-dest").header("accept", "application/json");
    ask.body("application/json", body.to_string()).send().await
}

/// Hands over a token of this customer's.
pub(crate) async fn hand_over(stack: &Stack, customer: &str) -> Value {
    let token = stack.amazon.token(customer, APP_CLIENT_ID, "profile postal_code");
    let answer = post(stack, "/auth/amazon/token", &json!({ "access_token": token })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Whose session this bearer token is.
async fn bearer(stack: &Stack, session: &Value) -> Answer {
    let app = Browser::new(stack);
    let ask = app.ask("GET", "/auth/session");
    ask.header("authorization", &format!("Bearer {}", session.as_str().unwrap())).send().await
}

/// A television that was switched on: what it was told.
pub(crate) async fn switched_on(stack: &Stack) -> Value {
    let told = post(stack, "/auth/amazon/device", &json!({})).await;
    assert_eq!(told.status, 200, "{}", told.text);
    told.json()
}

pub(crate) async fn poll(stack: &Stack, television: &Value) -> Answer {
    let handle = json!({ "device_code": television["device_code"] });
    post(stack, "/auth/amazon/device/poll", &handle).await
}

#[tokio::test]
async fn f15_r35_what_apps_have_begun_with_one_release_they_finish_with_the_other() {
    let stack = stack().await;
    let bob = Customer { email: Some("bob@example.com".to_owned()), ..Customer::new("robert") };
    stack.amazon.world().customers.push(bob);
    let seed = stack.dynamodb.snapshot().unwrap();
    for [begins, finishes] in PAIRS {
        let what = format!("{begins:?} then {finishes:?}");
        let turn = |release: Release| stack.take_turns(&[release]);
        stack.dynamodb.restore(&seed).unwrap();

        turn(begins);
        let session = hand_over(&stack, "lin").await["session_token"].take();
        let link = hand_over(&stack, "robert").await;
        let register = hand_over(&stack, "noa").await;
        assert_eq!(
            [&link["status"], &register["status"]],
            ["link_required", "registration_required"]
        );
        turn(finishes);
        assert_eq!(bearer(&stack, &session).await.json()["account"]["id"], "lin", "{what}");
        let wrong = json!({ "ticket": link["ticket"], "password": "not-the-one" });
        let answer = post(&stack, "/auth/amazon/link", &wrong).await;
        assert_eq!((answer.status, &answer.json()["attempts_left"]), (401, &json!(4)), "{what}");
        turn(begins);
        let right = json!({ "ticket": link["ticket"], "password": "bob-local-password" });
        let answer = post(&stack, "/auth/amazon/link", &right).await;
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("signed_in")), "{what}");
        turn(finishes);
        let fields =
            json!({ "ticket": register["ticket"], "email": "noa@home.example", "fields": {} });
        let answer = post(&stack, "/auth/amazon/register", &fields).await;
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("signed_in")), "{what}");
        let noa = answer.json()["session_token"].take();
        turn(begins);
        assert_eq!(bearer(&stack, &noa).await.status, 200, "{what}");
    }
}

#[tokio::test]
async fn f15_r35_a_television_is_let_in_whichever_release_it_asks() {
    let stack = stack().await;
    let seed = stack.dynamodb.snapshot().unwrap();
    for [begins, finishes] in PAIRS {
        let what = format!("{begins:?} then {finishes:?}");
        stack.dynamodb.restore(&seed).unwrap();
        stack.take_turns(&[begins]);
        let television = switched_on(&stack).await;
        assert!(stack.amazon.allow_code(television["user_code"].as_str().unwrap(), "lin"));
        stack.take_turns(&[finishes]);
        let told = poll(&stack, &television).await;
        assert_eq!((told.status, &told.json()["status"]), (200, &json!("signed_in")), "{what}");
        // Its answer was lost, and the one who has begun is asked again.
        stack.take_turns(&[begins]);
        let again = poll(&stack, &television).await;
        assert_eq!(told.json()["session_token"], again.json()["session_token"], "{what}");
        let session = again.json()["session_token"].take();
        assert_eq!(bearer(&stack, &session).await.json()["account"]["id"], "lin", "{what}");
    }
}
