use axum::http::{Request, Version};

use super::*;

fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method("POST").uri(uri).version(Version::HTTP_11);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn event(uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
    let arrival = Arrival {
        route: "$default",
        source_ip: "192.0.2.1".to_owned(),
        request_id: "id",
        trace: "Root=1-5e66d96f-7491f09xmpl79d18acf3d050",
        epoch_ms: 1_583_348_638_390,
    };
    from_request(&head(uri, headers), body, &arrival)
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
#[test]
fn a_request_is_told_as_aws_documents_it() {
    let event = event(
        "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
        &[
            ("Host", "id.execute-api.us-east-1.amazonaws.com"),
            ("User-Agent", "agent"),
            ("Cookie", "cookie1; cookie2"),
            ("Header1", "value1"),
            ("Header2", "value1"),
            ("Header2", "value2"),
            ("Content-Type", "text/plain"),
        ],
        b"Hello from client!",
    );

    let expected = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "headers": {
            "content-length": "18",
            "content-type": "text/plain",
            "header1": "value1",
            "header2": "value1,value2",
            "host": "id.execute-api.us-east-1.amazonaws.com",
            "user-agent": "agent",
            "x-amzn-trace-id": "Root=1-5e66d96f-7491f09xmpl79d18acf3d050",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "80",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": { "parameter1": "value1,value2", "parameter2": "value" },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": "POST",
                "path": "/my/path",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "04/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1_583_348_638_390_i64,
        },
        "body": "Hello from client!",
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

#[test]
fn what_is_not_there_is_not_told() {
    let event = event("/", &[("Host", "localhost:3000")], b"");

    for member in ["cookies", "queryStringParameters", "body"] {
        assert_eq!(event.get(member), None, "{member}");
    }
    assert_eq!(event["requestContext"]["domainName"], "localhost");
    assert_eq!(event["headers"]["x-forwarded-port"], "3000");
}

#[test]
fn cookies_of_several_headers_make_one_list_and_no_header() {
    let event = event("/", &[("Cookie", "a=1; b=2"), ("Cookie", "c=3")], b"");

    assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=3"]));
    assert_eq!(event["headers"].get("cookie"), None);
}

#[test]
fn a_proxy_in_front_is_told_before_ourselves() {
    let event = event("/", &[("X-Forwarded-For", "203.0.113.9")], b"");

    assert_eq!(event["headers"]["x-forwarded-for"], "203.0.113.9, 192.0.2.1");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "192.0.2.1");
}

#[test]
fn query_parameters_are_decoded_and_the_query_is_not() {
    let event = event("/a%20b?x=%2Fa+b&x=", &[], b"");

    assert_eq!(event["queryStringParameters"]["x"], "/a b,");
    assert_eq!(event["rawQueryString"], "x=%2Fa+b&x=");
}

#[test]
fn a_body_is_text_only_where_aws_takes_it_for_text() {
    for (kind, text) in [
        (Some("text/plain"), true),
        (Some("text/html; charset=utf-8"), true),
        (Some("Application/JSON;charset=utf-8"), true),
        (Some("application/javascript"), true),
        (Some("application/xml"), true),
        (Some("application/x-www-form-urlencoded"), false),
        (Some("application/problem+json"), false),
        (Some("application/octet-stream"), false),
        (Some("multipart/form-data; boundary=x"), false),
        (None, false),
    ] {
        let headers: Vec<_> = kind.iter().map(|kind| ("Content-Type", *kind)).collect();
        let event = event("/", &headers, b"a=b");
        let expected = if text { "a=b" } else { "YT1i" };
        assert_eq!(
            (&event["body"], &event["isBase64Encoded"]),
            (&json!(expected), &json!(!text)),
            "{kind:?}"
        );
    }
    let event = event("/", &[("Content-Type", "text/plain")], b"\xff");
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
}

#[test]
fn a_head_is_as_long_as_its_line_and_headers() {
    assert_eq!(size(&head("/12?4", &[("name", "value")])), "POST/12?4namevalue".len());
}

async fn answered(returned: Value) -> Option<(Response<()>, Vec<u8>)> {
    let (head, body) = to_response(returned.to_string().as_bytes())?.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Some((Response::from_parts(head, ()), body.to_vec()))
}

#[tokio::test]
async fn each_cookie_is_a_header_of_its_own() {
    let (response, body) = answered(json!({
        "statusCode": 303,
        "headers": { "location": "/basket", "content-length": "7" },
        "multiValueHeaders": { "x-ignored": ["1"] },
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "",
    }))
    .await
    .unwrap();

    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "/basket");
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1; Path=/", "b=2"]);
    assert_eq!((response.headers().len(), body.len()), (3, 0));
}

#[tokio::test]
async fn a_body_is_decoded_where_the_function_says_so() {
    let binary = json!({"statusCode": 200, "headers": {"content-type": "image/png"}, "body": "/w==", "isBase64Encoded": true});
    let (response, body) = answered(binary).await.unwrap();
    assert_eq!(
        (&response.headers()["content-type"], &body[..]),
        (&HeaderValue::from_static("image/png"), &b"\xff"[..])
    );

    let text = json!({"statusCode": 200, "body": "/w=="});
    let (response, body) = answered(text).await.unwrap();
    assert_eq!(
        (&response.headers()["content-type"], &body[..]),
        (&HeaderValue::from_static("text/plain;charset=UTF-8"), &b"/w=="[..])
    );
}

#[tokio::test]
async fn what_has_no_status_is_a_body() {
    let (response, body) = answered(json!({"a": 1})).await.unwrap();

    assert_eq!((response.status().as_u16(), &body[..]), (200, &br#"{"a":1}"#[..]));
    assert_eq!(response.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn nonsense_is_no_answer() {
    for returned in [
        json!({"statusCode": 99}),
        json!({"statusCode": "200"}),
        json!({"statusCode": 70_000}),
        json!({"statusCode": 200, "headers": {"a b": "c"}}),
        json!({"statusCode": 200, "headers": {"a": "c\nd"}}),
        json!({"statusCode": 200, "cookies": ["a\r\nb"]}),
        json!({"statusCode": 200, "body": "???", "isBase64Encoded": true}),
    ] {
        assert!(answered(returned.clone()).await.is_none(), "{returned}");
    }
    assert!(to_response(b"{").is_none());
}
