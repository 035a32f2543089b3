//! Bytes that are no text, and events that no gateway would make of a request.

use local_stack::{Stack, specimen::Specimen};
use serde_json::{Value, json};
use tests::{Browser, SESSION, TICKET};

use crate::{
    back::Untouched,
    edge::{lin_at_the_link_page, warm_up},
    endings,
    raw::{request, send},
    stack,
};

/// What is no UTF-8, or would end a text: as bytes, and percent-encoded.
const NO_TEXT: [(&[u8], &str); 8] = [
    (b"\xff", "%ff"),
    (b"\xc0\xaf", "%c0%af"),
    (b"\xc0\x80", "%C0%80"),
    (b"\xe0\x80\xaf", "%e0%80%af"),
    (b"\xed\xa0\x80", "%ED%A0%80"),
    (b"\xf4\x90\x80\x80", "%f4%90%80%80"),
    (b"\xf0\x9f\x98", "%f0%9f%98"),
    (b"a\xcc", "a%cc"),
];

#[tokio::test]
async fn n06_what_is_no_text_is_refused_wherever_it_comes() {
    let stack = stack().await;
    let (lin, csrf) = lin_at_the_link_page(&stack).await;
    let (session, ticket) = (lin.cookie(SESSION).unwrap(), lin.cookie(TICKET).unwrap());
    warm_up(&stack).await;
    let before = Untouched::now(&stack);
    let post = |kind| {
        let ask = lin.ask("POST", "/auth/amazon/link").header("origin", &stack.url);
        move |body: Vec<u8>| ask.body(kind, body)
    };
    for (bytes, encoded) in NO_TEXT {
        // In forms and JSON: raw and encoded, as a name and as a value.
        let form = "application/x-www-form-urlencoded";
        let begin = format!("csrf={csrf}&password=ann-local-password");
        for body in [
            [begin.as_bytes(), bytes].concat(),
            [begin.as_bytes(), b"&", bytes, b"=x"].concat(),
            format!("{begin}{encoded}").into_bytes(),
            format!("{begin}&{encoded}=x").into_bytes(),
        ] {
            assert_eq!(post(form)(body).send().await.status, 400, "{encoded}");
        }
        let json = format!(r#"{{"csrf":"{csrf}","password":"ann-local-password"#);
        let body = [json.as_bytes(), bytes, b"\"}"].concat();
        assert_eq!(post("application/json")(body).send().await.status, 400, "{encoded}");

        // In cookies, headers, queries and paths.
        for (cookie, path, expected) in [
            (format!("{SESSION}={session}"), "/auth/session", 401),
            (format!("{TICKET}={ticket}"), "/auth/amazon/link", 410),
        ] {
            for line in [
                [b"Cookie: ", cookie.as_bytes(), bytes].concat(),
                format!("Cookie: {cookie}{encoded}").into_bytes(),
            ] {
                let first = format!("GET {path}");
                let reply = send(&stack, request(first.as_bytes(), &[b"Host: x", &line])).await;
                assert_eq!(reply.status(), expected, "{encoded} {path}: {}", reply.0);
            }
        }
        for name in ["Accept", "Accept-Language", "Origin", "Authorization", "Content-Type"] {
            let line = [name.as_bytes(), b": Bearer ", bytes].concat();
            let first = b"GET /auth/session";
            let reply = send(&stack, request(first, &[b"Host: x", &line])).await;
            assert_eq!(reply.status(), 401, "{encoded} {name}");
        }
        let strange = Browser::new(&stack);
        for query in [
            format!("code={encoded}&state={}", "A".repeat(43)),
            format!("code=x&state={encoded}"),
            format!("error={encoded}&state={encoded}"),
        ] {
            let answer = strange.get(&format!("{}?{query}", endings::CALLBACK)).await;
            assert_eq!(answer.status, 400, "{query}");
        }
        let answer = strange.get(&format!("/auth/{encoded}")).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{encoded}");
        let answer = strange.get(&format!("/auth/session/{encoded}")).await;
        assert_eq!(answer.status, 404, "{encoded}");
    }
    for nul in ["%00", "a%00b"] {
        let query = format!("{}?code={nul}&state={nul}", endings::CALLBACK);
        assert_eq!(lin.get(&query).await.status, 400);
        assert_eq!(lin.get(&format!("/auth/{nul}")).await.status, 404);
        let body = format!("csrf={csrf}{nul}&password=ann-local-password").into_bytes();
        let form = "application/x-www-form-urlencoded";
        assert_eq!(post(form)(body).send().await.status, 403);
    }
    before.check("what is no text");
    let reads = stack.dynamodb.requests();
    assert_eq!(reads, Vec::<String>::new());
    let right = [("csrf", csrf.as_str()), ("password", "ann-local-password")];
    assert_eq!(lin.post("/auth/amazon/link", &right).await.status, 303, "the ticket is as before");
}

#[tokio::test]
async fn n15_what_concerns_a_connection_changes_nothing() {
    let stack = stack().await;
    let headers = [
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity, chunked"),
        ("content-length", "0"),
        ("content-length", "9999999999999999999999"),
        ("content-length", "-1"),
        ("content-length", "5, 6"),
        ("connection", "keep-alive, csrf, cookie, origin"),
        ("connection", "upgrade"),
        ("upgrade", "websocket, h2c"),
        ("http2-settings", "AAMAAABkAAQAAP__"),
        ("te", "trailers"),
        ("trailer", "cookie, origin"),
        ("expect", "100-continue"),
        ("proxy-authorization", "Basic eDp4"),
        ("keep-alive", "timeout=0"),
        ("x-amzn-requestid", "somebody-elses"),
    ];
    for name in ["session", "link-password", "link-password-json", "logout", "register-fields"] {
        let function = name.split('-').next().unwrap();
        let specimen = Specimen::of(name).header("origin", &stack.url);
        let plain = invoke(&stack, function, &specimen.event()).await;
        for (header, value) in headers {
            let event = specimen.clone().header(header, value).event();
            assert_eq!(invoke(&stack, function, &event).await, plain, "{name} {header}: {value}");
        }
    }
}

/// What a function returns, as Lambda hands it on.
async fn invoke(stack: &Stack, function: &str, event: &str) -> Value {
    let returned = stack.invoke(function, event).await;
    let returned = returned.unwrap_or_else(|| panic!("{function} failed: {event}"));
    serde_json::from_slice(&returned).unwrap()
}

#[tokio::test]
async fn b10_n02_n11_whatever_event_a_function_is_handed_it_returns_an_answer() {
    let stack = stack().await;
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let strange = [
        "null".to_owned(),
        "0".to_owned(),
        "true".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        deep,
        "\"GET /auth/session\"".to_owned(),
        json!({"version": "1.0", "httpMethod": "GET", "path": "/auth/session"}).to_string(),
        json!({"requestContext": {"elb": {"targetGroupArn": "x"}}, "httpMethod": "GET"})
            .to_string(),
        json!({"requestContext": {}}).to_string(),
        json!({"requestContext": {"http": {"method": "G ET"}}}).to_string(),
        json!({"requestContext": {"http": {"method": "", "path": 7}}}).to_string(),
        json!({"Records": [{"eventSource": "aws:sqs", "body": "x"}]}).to_string(),
        json!({"source": "aws.events", "detail-type": "Scheduled Event"}).to_string(),
    ];
    let texts =
        ["x\r\nSet-Cookie: injected=1", "x\nX-Injected: 1", "x\0", "\u{d}\u{a}\u{d}\u{a}<p>"];
    for function in ["login", "callback", "link", "register", "session", "logout"] {
        for event in &strange {
            let returned = invoke(&stack, function, event).await;
            let status = returned["statusCode"].as_u64().unwrap();
            assert!((400..500).contains(&status), "{function} {event}: {status}");
            check_returned(&returned, function);
        }
        let specimen = match function {
            "link" => "link-password",
            "register" => "register-fields",
            name => name,
        };
        let base: Value = serde_json::from_str(&Specimen::of(specimen).event()).unwrap();
        for text in texts {
            for place in ["/rawPath", "/rawQueryString", "/cookies/0", "/requestContext/requestId"]
            {
                let mut event = base.clone();
                if let Some(value) = event.pointer_mut(place) {
                    *value = text.into();
                }
                event["headers"]["accept-language"] = "de".into();
                check_returned(&invoke(&stack, function, &event.to_string()).await, function);
            }
        }
        // A body that is not what the gateway says of it.
        for body in ["%%%", "csrf=x", "YQ=", "YQ==YQ==", "\u{e4}"] {
            let mut event = base.clone();
            event["headers"]["origin"] = stack.url.as_str().into();
            event["isBase64Encoded"] = true.into();
            event["body"] = body.into();
            let returned = invoke(&stack, function, &event.to_string()).await;
            check_returned(&returned, function);
            if ["link", "register", "logout"].contains(&function) {
                assert_eq!(returned["statusCode"], 400, "{function} {body}");
            }
        }
    }
}

/// Makes sure that this is an answer in payload 2.0, without anything of the caller's in its headers.
fn check_returned(returned: &Value, function: &str) {
    let status = returned["statusCode"].as_u64().unwrap();
    assert!((200..500).contains(&status), "{function}: {returned}");
    assert!(returned["body"].is_null() || returned["body"].is_string(), "{function}: {returned}");
    let headers = returned["headers"].as_object().unwrap();
    assert!(headers.contains_key("content-security-policy"), "{function}: {headers:?}");
    for (name, value) in headers {
        let value = value.as_str().unwrap();
        let plain = !value.contains(['\r', '\n', '\0']) && !name.contains("injected");
        assert!(plain, "{function}: {name}: {value}");
    }
    for cookie in returned["cookies"].as_array().into_iter().flatten() {
        let cookie = cookie.as_str().unwrap();
        assert!(!cookie.contains("injected") && !cookie.contains(['\r', '\n']), "{cookie}");
        assert!(cookie.starts_with("__Host-lwa_"), "{cookie}");
    }
}
