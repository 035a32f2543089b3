//! The route of the site's own that the authorizer guards, and whoever would like to come through.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use local_stack::{Options, Stack, Timestamp, amazon::APP_CLIENT_ID, dynamodb::Fault};
use proptest::{
    prelude::{Just, Strategy, any},
    prop_oneof,
    sample::select,
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use tests::{Answer, Browser, SESSION};

use crate::{NOON, endings::TOKEN, stack};

const ORDERS: &str = "/api/orders";

/// Whose orders an answer tells; nothing where it is the gateway's no.
fn told(answer: &Answer) -> Option<String> {
    match answer.status {
        200 => Some(answer.json()["account_id"].as_str().unwrap().to_owned()),
        403 => {
            assert_eq!(answer.text, r#"{"message":"Forbidden"}"#);
            None
        }
        status => panic!("{status}: {}", answer.text),
    }
}

/// Whose orders a browser is told.
async fn orders(browser: &Browser<'_>) -> Option<String> {
    told(&browser.get(ORDERS).await)
}

/// Whose orders an app is told.
async fn orders_of_an_app(app: &Browser<'_>, token: &str) -> Option<String> {
    let bearer = format!("Bearer {token}");
    told(&app.ask("GET", ORDERS).header("authorization", &bearer).send().await)
}

/// The token of an app that this customer has signed in to.
async fn app(stack: &Stack, customer: &str) -> String {
    let token = stack.amazon.token(customer, APP_CLIENT_ID, "profile");
    let browser = Browser::new(stack);
    let ask = browser.ask("POST", TOKEN);
    let body = json!({ "access_token": token }).to_string();
    let told = ask.body("application/json", body).send().await.json();
    told["session_token"].as_str().unwrap().to_owned()
}

async fn signed_in(stack: &Stack) -> Browser<'_> {
    let browser = Browser::new(stack);
    assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303);
    browser
}

/// What was asked of DynamoDB because of a request, and not because a process was started.
fn asked(stack: &Stack) -> Vec<String> {
    let calls = stack.dynamodb.calls().into_iter().filter(|call| call.trace.is_some());
    calls.map(|call| call.what).collect()
}

async fn tell(stack: &Stack, kind: &str, account: &str) {
    let at = stack.now().rfc3339();
    let event = json!({ "type": kind, "account_id": account, "at": at });
    assert!(stack.invoke("lifecycle", event.to_string()).await.is_some(), "{kind}");
}

#[tokio::test]
async fn c15_what_is_revoked_is_refused_by_the_very_next_request() {
    let stack = stack().await;
    let seed = stack.dynamodb.snapshot().unwrap();
    for ends in ["log out", "revoked elsewhere", "password_reset", "disabled", "deleted"] {
        stack.dynamodb.restore(&seed).unwrap();
        let (browser, elsewhere) = (signed_in(&stack).await, signed_in(&stack).await);
        let token = app(&stack, "lin").await;
        stack.dynamodb.reset_requests();
        for _ in 0..3 {
            assert_eq!(orders(&browser).await.as_deref(), Some("lin"), "{ends}");
            assert_eq!(orders_of_an_app(&browser, &token).await.as_deref(), Some("lin"));
        }
        assert_eq!(asked(&stack), ["GetItem sessions"; 6], "asked every time");

        let mut app_too = true;
        match ends {
            "log out" => {
                app_too = false;
                assert_eq!(browser.log_out().await.status, 303);
            }
            "revoked elsewhere" => {
                let page = elsewhere.get("/auth/connections").await;
                let fields = [("csrf", page.input("csrf")), ("all_others", "true")];
                let revoke = "/auth/connections/sessions/revoke";
                assert_eq!(elsewhere.post(revoke, &fields).await.status, 303);
                assert_eq!(orders(&elsewhere).await.as_deref(), Some("lin"));
            }
            kind => tell(&stack, kind, "lin").await,
        }

        assert_eq!(orders(&browser).await, None, "{ends}");
        let expected = (!app_too).then(|| "lin".to_owned());
        assert_eq!(orders_of_an_app(&browser, &token).await, expected, "{ends}");
    }
}

#[tokio::test]
async fn c15_a_session_that_is_over_by_itself_is_refused_at_once() {
    let stack = Options { stopped_at: Some(NOON), ..Options::default() }.start().await.unwrap();
    let browser = signed_in(&stack).await;
    stack.set_clock(Timestamp(NOON.0 + 12 * 3600 - 1)).unwrap();
    assert_eq!(orders(&browser).await.as_deref(), Some("lin"));
    // Coming through counts as a use.
    stack.set_clock(Timestamp(NOON.0 + 24 * 3600 - 2)).unwrap();
    assert_eq!(orders(&browser).await.as_deref(), Some("lin"));
    stack.set_clock(Timestamp(NOON.0 + 36 * 3600 - 2)).unwrap();
    assert_eq!(orders(&browser).await, None);
}

#[tokio::test]
async fn c16_nobody_comes_through_while_the_table_does_not_answer() {
    let stack = stack().await;
    let browser = signed_in(&stack).await;
    let token = app(&stack, "lin").await;
    for fault in [
        Fault::Broken,
        Fault::Refused("ProvisionedThroughputExceededException"),
        Fault::Refused("AccessDeniedException"),
        Fault::Refused("ResourceNotFoundException"),
        Fault::Cut,
        Fault::AnswerLost,
        Fault::Silent,
        Fault::Late(Duration::from_secs(12)),
    ] {
        stack.dynamodb.fault("GetItem", 0, None, fault.clone());
        let started = Instant::now();
        let (of_browser, of_app) =
            tokio::join!(orders(&browser), orders_of_an_app(&browser, &token));
        assert_eq!((of_browser, of_app), (None, None), "{fault:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{fault:?}: {:?}", started.elapsed());
        stack.dynamodb.clear_faults();
        assert_eq!(orders(&browser).await.as_deref(), Some("lin"), "after {fault:?}");
    }
    // A row that is none of ours is nobody's.
    let row = stack.dynamodb.scan("sessions").unwrap();
    let row = row.iter().find(|row| row["kind"]["S"] == "browser").unwrap();
    let key = [("pk", row["pk"]["S"].as_str().unwrap()), ("sk", row["sk"]["S"].as_str().unwrap())];
    for (attribute, value) in [("account_id", ""), ("kind", "king"), ("expires_at", "never")] {
        let before = stack.dynamodb.snapshot().unwrap();
        stack.dynamodb.set("sessions", &key, attribute, value).unwrap();
        assert_eq!(orders(&browser).await, None, "{attribute}");
        stack.dynamodb.restore(&before).unwrap();
    }
    assert_eq!(orders(&browser).await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn c16_nobody_comes_through_an_authorizer_without_its_settings() {
    let stack = stack().await;
    let browser = signed_in(&stack).await;
    let proper = stack.settings("authorizer");
    for (setting, value) in [
        ("SESSIONS_TABLE", None),
        ("SESSIONS_TABLE", Some("")),
        ("SESSIONS_TABLE", Some("accounts")),
        ("SESSION_IDLE_SECONDS", Some("for ever")),
        ("SESSION_IDLE_SECONDS", Some("-1")),
        ("AWS_ENDPOINT_URL_DYNAMODB", Some("http://127.0.0.1:1")),
        ("AWS_REGION", None),
    ] {
        stack.set("authorizer", setting, value);
        assert_eq!(orders(&browser).await, None, "{setting} = {value:?}");
        stack.set("authorizer", setting, proper.get(setting).map(String::as_str));
        assert_eq!(orders(&browser).await.as_deref(), Some("lin"), "{setting} is back");
    }
}

#[tokio::test]
async fn c16_nobody_comes_through_an_authorizer_that_dies() {
    let stack = stack().await;
    let browser = signed_in(&stack).await;
    for after in [false, true] {
        let killed = stack.killing("authorizer");
        let fault = if after { Fault::Then(killed) } else { Fault::Instead(killed) };
        stack.dynamodb.fault("GetItem", 0, Some(1), fault);
        let answer = browser.get(ORDERS).await;
        let message = r#"{"message":"Internal Server Error"}"#;
        assert_eq!((answer.status, answer.text.as_str()), (500, message));
        assert_eq!(orders(&browser).await.as_deref(), Some("lin"), "another one says");
    }
}

#[tokio::test]
async fn c16_no_cookie_that_is_none_of_ours_comes_through() {
    let stack = stack().await;
    let browser = signed_in(&stack).await;
    let good = browser.cookie(SESSION).unwrap();
    let (tag, secret) = good.split_once('.').unwrap();
    stack.dynamodb.reset_requests();
    for cookies in [
        String::new(),
        SESSION.to_owned(),
        format!("{SESSION}="),
        format!("{SESSION}=\"{good}\""),
        format!("{SESSION}={good}; {SESSION}=x"),
        format!("{SESSION}=x; {SESSION}={good}"),
        format!("{SESSION}={tag}"),
        format!("{SESSION}={secret}.{tag}x"),
        format!("{SESSION}={tag}.{}", &secret[1..]),
        format!("{SESSION}={good}x"),
        format!("{SESSION}={good}%00"),
        format!("{SESSION}={}", "a".repeat(6000)),
        format!("{}={good}", SESSION.to_lowercase()),
        format!("x{SESSION}={good}"),
        format!("shop_session={good}"),
        "\u{e4}\u{202e}=;;;===".to_owned(),
    ] {
        let answer = browser.ask("GET", ORDERS).cookies(&cookies).send().await;
        assert_eq!(told(&answer), None, "{}", cookies.len());
    }
    assert!(asked(&stack).is_empty(), "none of these was looked up: {:?}", asked(&stack));
    // Of the right shape, and nobody's.
    let other = secret.replace(&secret[..1], if secret.starts_with('A') { "B" } else { "A" });
    let cookies = format!("{SESSION}={tag}.{other}");
    assert_eq!(told(&browser.ask("GET", ORDERS).cookies(&cookies).send().await), None);
    // Events that no gateway makes.
    let cookie = format!("{SESSION}={good}");
    for event in [
        json!({ "cookies": [&cookie] }),
        json!({ "cookies": &cookie, "requestContext": { "http": { "method": "GET" } } }),
        json!({ "cookies": [[&cookie]], "requestContext": { "http": { "method": "GET" } } }),
        json!({ "cookies": [&cookie], "requestContext": [] }),
        json!({ "headers": { "cookie": &cookie }, "requestContext": { "http": {} } }),
        json!([{ "cookies": [&cookie] }]),
        json!(null),
    ] {
        let returned = stack.invoke("authorizer", event.to_string()).await.unwrap();
        assert_eq!(returned, br#"{"isAuthorized":false}"#, "{event}");
    }
}

#[tokio::test]
async fn c18_no_header_says_who_somebody_is() {
    let stack = stack().await;
    let (lin, nobody) = (signed_in(&stack).await, Browser::new(&stack));
    let names = [
        "x-account-id",
        "X-ACCOUNT-ID",
        "x_account_id",
        "x-session-id",
        "x-session-kind",
        "remote-user",
        "x-auth-request-user",
        "x-amzn-oidc-identity",
        "x-forwarded-user",
        "isauthorized",
    ];
    for (browser, expected) in [(&lin, Some("lin")), (&nobody, None)] {
        for twice in [false, true] {
            let mut ask = browser.ask("GET", &format!("{ORDERS}?account_id=ann&x-account-id=ann"));
            for name in names {
                ask = ask.header(name, "ann");
                ask = if twice { ask.another_header(name, "bob") } else { ask };
            }
            assert_eq!(told(&ask.send().await).as_deref(), expected);
        }
    }
    // Nor is there another way to the same list.
    for (method, path) in [
        ("GET", "/api/orders/"),
        ("GET", "//api/orders"),
        ("GET", "/api//orders"),
        ("GET", "/api/./orders"),
        ("GET", "/auth/../api/orders"),
        ("GET", "/api/%6frders"),
        ("GET", "/api%2forders"),
        ("GET", "/API/ORDERS"),
        ("GET", "/api/orders;a=b"),
        ("GET", "/auth/api/orders"),
        ("HEAD", ORDERS),
        ("POST", ORDERS),
        ("get", ORDERS),
    ] {
        for browser in [&lin, &nobody] {
            let ask = browser.ask(method, path).header("origin", &stack.url);
            let answer = ask.header("x-account-id", "ann").send().await;
            assert!(matches!(answer.status, 403..=405), "{method} {path}: {}", answer.status);
            assert!(!answer.text.contains("orders\""), "{method} {path}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn authz_twice_asking_changes_nothing_but_when_the_session_was_used() {
    let stack = Options { stopped_at: Some(NOON), ..Options::default() }.start().await.unwrap();
    let browser = signed_in(&stack).await;
    let before = stack.dynamodb.snapshot().unwrap();
    let first = browser.get(ORDERS).await;
    assert_eq!(browser.get(ORDERS).await.text, first.text);
    assert!(stack.dynamodb.snapshot().unwrap() == before, "nothing is written");
    stack.set_clock(Timestamp(NOON.0 + 301)).unwrap();
    assert_eq!(browser.get(ORDERS).await.text, first.text);
    let used = stack.dynamodb.snapshot().unwrap();
    assert!(used != before, "the use is noted");
    assert_eq!(browser.get(ORDERS).await.text, first.text);
    assert!(stack.dynamodb.snapshot().unwrap() == used, "and not once more");
}

/// What comes along with a request.
#[derive(Clone, Debug)]
struct Brought {
    cookies: Option<Vec<String>>,
    authorization: Option<String>,
}

/// Any of what a client could show, in any dress.
fn brought(tokens: Vec<String>) -> impl Strategy<Value = Brought> {
    let token = select(tokens);
    let dressed = (token, 0..16_usize).prop_map(|(token, dress)| match dress {
        0 => format!("\"{token}\""),
        1 => format!(" {token}"),
        2 => format!("{token} "),
        3 => token.to_uppercase(),
        4 => token.chars().rev().collect(),
        5 => token[..token.len() - 1].to_owned(),
        6 => format!("{token}="),
        7 => format!("{token},{token}"),
        _ => token,
    });
    let value = prop_oneof![8 => dressed.clone(), 1 => Just(String::new()), 1 => "[ -~]{0,90}"];
    let name = prop_oneof![
        8 => Just(SESSION.to_owned()),
        1 => select(vec!["__host-lwa_session", "__HOST-LWA_SESSION", "lwa_session", "shop_session"])
            .prop_map(str::to_owned),
        1 => select(vec!["", " ", "\"", "x", ";", "="]).prop_map(|odd| format!("{SESSION}{odd}")),
        1 => select(vec![" ", "\"", "x", "Secure; ", "\t"]).prop_map(|odd| format!("{odd}{SESSION}")),
    ];
    let cookie = (name, value.clone(), 0..10_usize).prop_map(|(name, value, kind)| match kind {
        0 => format!("{name} = {value}"),
        1 => format!("{name}{value}"),
        _ => format!("{name}={value}"),
    });
    let pair = (cookie.clone(), cookie.clone()).prop_map(|(one, two)| format!("{one}; {two}"));
    let entry = prop_oneof![8 => cookie, 1 => pair, 1 => Just("a=b".to_owned())];
    let cookies = prop_oneof![
        4 => proptest::collection::vec(entry, 0..4).prop_map(Some),
        1 => Just(None),
    ];
    let scheme = prop_oneof![
        6 => Just("Bearer "),
        2 => select(vec!["bearer ", "BEARER ", "Bearer  ", "Bearer\t", " Bearer ", "Bearer", ""]),
        1 => select(vec!["Basic ", "DPoP ", "Bearer,", "Bearer:", "\"Bearer\" "]),
    ];
    let authorization = (scheme, value, any::<bool>()).prop_map(|(scheme, value, twice)| {
        let one = format!("{scheme}{value}");
        if twice && one.len() % 5 == 0 { format!("{one},{one}") } else { one }
    });
    let authorization = prop_oneof![1 => Just(None), 1 => authorization.prop_map(Some)];
    (cookies, authorization).prop_map(|(cookies, authorization)| Brought { cookies, authorization })
}

/// The events in which both functions are shown the same.
fn events(brought: &Brought) -> (Value, Value) {
    let event = |path: &str| {
        let http = json!({ "method": "GET", "path": path, "sourceIp": "192.0.2.1" });
        let mut event = json!({
            "version": "2.0", "routeKey": format!("GET {path}"), "rawPath": path,
            "rawQueryString": "", "headers": { "accept": "application/json" },
            "requestContext": { "http": http, "requestId": "1" },
        });
        if let Some(cookies) = &brought.cookies {
            event["cookies"] = json!(cookies);
        }
        if let Some(authorization) = &brought.authorization {
            event["headers"]["authorization"] = json!(authorization);
        }
        event
    };
    let (mut asked, mut request) = (event(ORDERS), event("/auth/session"));
    asked["type"] = "REQUEST".into();
    asked["identitySource"] = Value::Null;
    let cookies = brought.cookies.clone().unwrap_or_default();
    asked["headers"]["cookie"] = cookies.join("; ").into();
    request["isBase64Encoded"] = false.into();
    (asked, request)
}

/// Who somebody is: account, session, and its kind.
type Who = Option<[String; 3]>;

fn who(account: &Value, id: &Value, kind: &Value) -> Who {
    Some([account, id, kind].map(|text| text.as_str().unwrap().to_owned()))
}

/// Who it is for the authorizer.
async fn for_the_authorizer(stack: &Stack, event: &Value) -> Who {
    let returned = stack.invoke("authorizer", event.to_string()).await.unwrap();
    let answer: Value = serde_json::from_slice(&returned).unwrap();
    let context = &answer["context"];
    match answer["isAuthorized"].as_bool().unwrap() {
        true => who(&context["account_id"], &context["session_id"], &context["kind"]),
        false => None,
    }
}

/// Who it is for `GET /auth/session`.
async fn for_the_session(stack: &Stack, event: &Value) -> Who {
    let returned = stack.invoke("session", event.to_string()).await.unwrap();
    let reply: Value = serde_json::from_slice(&returned).unwrap();
    let told: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    match reply["statusCode"].as_u64().unwrap() {
        200 => who(&told["account"]["id"], &told["session"]["id"], &told["session"]["kind"]),
        401 => None,
        status => panic!("{status}: {told}"),
    }
}

#[tokio::test]
async fn c17_the_authorizer_and_the_session_agree_on_who_it_is_whatever_is_shown() {
    const CASES: usize = 800;
    let stack = stack().await;
    let (lin, nora, out) = (signed_in(&stack).await, Browser::new(&stack), signed_in(&stack).await);
    assert_eq!(nora.sign_in_at_amazon("nora", "/").await.status, 303);
    let ended = out.cookie(SESSION).unwrap();
    assert_eq!(out.log_out().await.status, 303);
    let browsers = [&lin, &nora].map(|browser| browser.cookie(SESSION).unwrap());
    let apps = [app(&stack, "lin").await, app(&stack, "nora").await];
    let tokens = browsers.iter().chain(&apps).chain([&ended]).cloned().collect();
    let (strategy, mut runner) = (brought(tokens), TestRunner::deterministic());
    let cases: Vec<_> =
        (0..CASES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();

    let stack = &stack;
    let mut seen = stream::iter(&cases)
        .map(|case| async move {
            let (asked, request) = events(case);
            let both =
                tokio::join!(for_the_authorizer(stack, &asked), for_the_session(stack, &request));
            (case, both)
        })
        .buffer_unordered(4);
    let mut counted = [0; 3];
    while let Some((case, (one, other))) = seen.next().await {
        assert_eq!(one, other, "{case:?}");
        let kind = match one.as_ref().map(|[_, _, kind]| kind.as_str()) {
            None => 0,
            Some("browser") => 1,
            Some("app") => 2,
            Some(kind) => panic!("{kind}"),
        };
        counted[kind] += 1;
    }
    let [nobody, browsers, apps] = counted;
    println!("{CASES} requests: {nobody} of nobody, {browsers} of browsers, {apps} of apps");
    assert!(counted.iter().all(|count| *count >= CASES / 50), "{counted:?}");
}
