//! The path that the authorizer guards. What it answers stands in the request's header `order`.

use std::collections::BTreeSet;

use super::*;
use crate::specimen::Specimen;

/// What the shop knows of a request: every header that an authorizer's context could come in.
pub(super) async fn what_the_shop_is_told(headers: axum::http::HeaderMap) -> String {
    let told = headers.iter().filter(|(name, _)| name.as_str().starts_with("x-"));
    let told = told.map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    json!(told.collect::<Vec<_>>()).to_string()
}

/// What an authorizer returns that is ordered to: JSON to the letter, or the event that it was given.
pub(super) fn what_an_authorizer_returns(order: &str, event: &Value) -> Option<Value> {
    if event["type"] != "REQUEST" {
        return None;
    }
    let told = json!({ "isAuthorized": true, "context": { "account_id": event.to_string() } });
    Some(serde_json::from_str(order).unwrap_or(told))
}

/// A request to the guarded path, with an order for the authorizer.
fn to_the_guarded_path(site: &Site, order: &str) -> reqwest::RequestBuilder {
    site.http.get(format!("{}/api/orders", site.url)).header("order", order)
}

async fn answer_to(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    assert!(answer.headers().contains_key("apigw-requestid"));
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

fn refused(status: u16, message: &str) -> (u16, Value) {
    (status, json!({ "message": message }))
}

#[tokio::test]
async fn whoever_the_authorizer_lets_through_is_told_to_the_shop() {
    let site = site(AMPLE).await;
    for (order, told) in [
        (
            json!({ "isAuthorized": true,
                    "context": { "account_id": "lin", "session_id": "s", "kind": "app" } }),
            json!([["x-account-id", "lin"], ["x-session-id", "s"], ["x-session-kind", "app"]]),
        ),
        (
            json!({ "isAuthorized": true, "context": { "account_id": "l\u{ed}n", "else": "x" } }),
            json!([["x-account-id", "l\u{ed}n"]]),
        ),
        (json!({ "isAuthorized": true }), json!([])),
    ] {
        let answer = answer_to(to_the_guarded_path(&site, &order.to_string())).await;
        assert_eq!(answer, (200, told), "{order}");
    }
}

#[tokio::test]
async fn whoever_it_does_not_let_through_reaches_no_shop() {
    let site = site(AMPLE).await;
    for order in [
        json!({ "isAuthorized": false }),
        json!({ "isAuthorized": false, "context": { "account_id": "lin" } }),
    ] {
        let answer = answer_to(to_the_guarded_path(&site, &order.to_string())).await;
        assert_eq!(answer, refused(403, "Forbidden"), "{order}");
    }
}

#[tokio::test]
async fn what_is_no_answer_of_an_authorizers_lets_nobody_through() {
    let site = site(AMPLE).await;
    for order in [
        "die",
        "fail",
        "null",
        "true",
        "{}",
        "[]",
        r#""isAuthorized""#,
        r#"{"isAuthorized":"true"}"#,
        r#"{"isAuthorized":1}"#,
        r#"{"isAuthorized":null}"#,
        r#"{"IsAuthorized":true}"#,
        r#"{"isauthorized":true}"#,
        r#"{"body":{"isAuthorized":true}}"#,
        r#"[{"isAuthorized":true}]"#,
        r#"{"statusCode":200,"body":"{\"isAuthorized\":true}"}"#,
        r#"{"principalId":"lin","policyDocument":{"Statement":[{"Effect":"Allow"}]}}"#,
        r#"{"isAuthorized":true,"context":"lin"}"#,
        r#"{"isAuthorized":true,"context":{"account_id":"lin\nx-account-id: ann"}}"#,
    ] {
        let answer = answer_to(to_the_guarded_path(&site, order)).await;
        assert_eq!(answer, refused(500, "Internal Server Error"), "{order}");
    }
}

#[tokio::test]
async fn an_authorizer_that_takes_too_long_lets_nobody_through() {
    let site = site(Limits { patience: Duration::from_millis(1500), ..AMPLE }).await;
    let answer = answer_to(to_the_guarded_path(&site, "hang")).await;
    assert_eq!(answer, refused(500, "Internal Server Error"));
    assert_eq!(super::super::guard::PATIENCE, Duration::from_secs(10), "as AWS has it");

    site.lambda.stop();
    let answer = answer_to(to_the_guarded_path(&site, r#"{"isAuthorized":true}"#)).await;
    assert_eq!(answer, refused(500, "Internal Server Error"), "there is none");
}

#[tokio::test]
async fn c18_what_a_client_says_of_itself_is_not_told_to_the_shop() {
    let site = site(AMPLE).await;
    let names = ["x-account-id", "X-Account-Id", "x-session-id", "x-session-kind"];
    for order in [r#"{"isAuthorized":true}"#, r#"{"isAuthorized":true,"context":{}}"#] {
        for path in ["/api/orders", "/told"] {
            let request = site.http.get(format!("{}{path}", site.url)).header("order", order);
            let request = names
                .iter()
                .fold(request, |request, name| request.header(*name, "ann").header(*name, "bob"));
            let answer = request.header("x-mine", "1").send().await.unwrap();
            assert_eq!(answer.text().await.unwrap(), r#"[["x-mine","1"]]"#, "{path}");
        }
    }
    let order = json!({ "isAuthorized": true, "context": { "account_id": "lin" } }).to_string();
    let request = to_the_guarded_path(&site, &order).header("x-account-id", "ann");
    assert_eq!(answer_to(request).await.1, json!([["x-account-id", "lin"]]));
}

#[tokio::test]
async fn the_authorizer_is_asked_in_the_words_of_aws() {
    let site = site(AMPLE).await;
    let request = site.http.get(format!("{}/api/orders?page=2&page=3", site.url));
    let request = request.header("order", "tell").header("cookie", "a=1;b=\"2\"");
    let (status, told) = answer_to(request.header("cookie", "c")).await;
    assert_eq!(status, 200, "{told}");
    let event: Value = serde_json::from_str(told[0][1].as_str().unwrap()).unwrap();

    let specimen: Value = serde_json::from_str(&Specimen::of("authorizer").event()).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&event), names(&specimen));
    let (context, theirs) = (&event["requestContext"], &specimen["requestContext"]);
    assert_eq!(names(context), names(theirs));
    assert_eq!(names(&context["http"]), names(&theirs["http"]));
    for name in ["version", "type", "routeKey", "rawPath", "identitySource", "stageVariables"] {
        assert_eq!(event[name], specimen[name], "{name}");
    }
    assert_eq!(event["cookies"], json!(["a=1", "b=\"2\"", "c"]));
    assert_eq!(event["headers"]["cookie"], "a=1; b=\"2\"; c");
    assert_eq!(event["queryStringParameters"], json!({ "page": "2,3" }));
    let arn = "arn:aws:execute-api:us-east-1:000000000000:local/$default/GET/api/orders";
    assert_eq!(event["routeArn"], arn);
}

#[tokio::test]
async fn nothing_but_that_very_route_is_guarded_or_reached() {
    let site = site(AMPLE).await;
    let yes = r#"{"isAuthorized":true}"#;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::HEAD] {
        let request = site.http.request(method.clone(), format!("{}/api/orders", site.url));
        let answer = request.header("order", yes).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{method}");
    }
    for path in ["/api/orders/", "/api//orders", "/api/%6Frders", "/API/orders", "/api/orders;x"] {
        let request = site.http.get(format!("{}{path}", site.url)).header("order", yes);
        assert_eq!(request.send().await.unwrap().status(), 404, "{path}");
    }
    assert!(site.logs.lines(None).is_empty(), "nobody was asked");
    let long = to_the_guarded_path(&site, yes).header("long", "x".repeat(10_240));
    assert_eq!(answer_to(long).await, refused(431, "Request Header Fields Too Large"));
    assert_eq!(answer_to(to_the_guarded_path(&site, yes)).await, (200, json!([])));
}
