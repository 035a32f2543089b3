//! Whole events, as a caller could make them and as nobody but a broken gateway would.

use std::sync::LazyLock;

use domain::ReturnTo;
use lambda_http::Body;
use proptest::{
    prelude::*,
    sample::{Index, select},
};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use super::{matters, nasty, site_with};
use crate::{
    Cookie, Failure, Form, Handle, Reply, Request, Site, StatusCode, cookie, csrf, page, reply,
    reply_to, words::Words,
};

/// Reads all there is to read of a request, and shows it again.
struct Reader(Site);

impl Handle for Reader {
    fn site(&self) -> &Site {
        &self.0
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        if !matches!(request.method.as_str(), "GET" | "POST") {
            return Err(Failure::wrong_method("GET, POST"));
        }
        let said = request.query("return_to")?.unwrap_or_default().to_owned();
        let (logins, session) = (cookie::logins(request), cookie::session(request));
        if request.is_not_a_visit() || request.bearer().is_some() {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        }
        let mut form = Form::default();
        if request.method == "POST" {
            form = Form::read(request, &["csrf", "username", "password"], true)?;
            csrf::check_origin(request, &self.0)?;
            let ticket = cookie::ticket(request)?;
            csrf::check_token(form.get("csrf"), &ticket.csrf())?;
        }
        if request.wants_json() {
            let said = json!({ "said": said, "fields": form.field_names().collect::<Vec<_>>() });
            return Ok(reply::json(StatusCode::OK, &said));
        }
        if let Some(to) = ReturnTo::parse(&said) {
            let to = reply::see_other(&self.0.after_sign_in(&to));
            return Ok(reply::with_cookie(to, &Cookie::logins(&logins)));
        }
        let email = form.get("username").unwrap_or(&said);
        Ok(reply::page(&self.0, request, (StatusCode::OK, "ok"), |frame| {
            page::Link {
                csrf: &said,
                email: session.is_none().then_some(email),
                attempts_left: None,
                second_factor: false,
                forgot: true,
            }
            .html(frame)
        }))
    }
}

const SPECIMENS: &[&str] = &[
    include_str!("../../../../events/callback.json"),
    include_str!("../../../../events/link-password.json"),
    include_str!("../../../../events/link-password-json.json"),
    include_str!("../../../../events/login.json"),
    include_str!("../../../../events/register-fields-json.json"),
    include_str!("../../../../events/session-bearer.json"),
];

/// Any JSON.
fn json() -> impl Strategy<Value = Value> {
    let words = ["GET", "POST", "HEAD", "/auth/session", "application/json", "b=%ff&return_to=/a"];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        4 => nasty().prop_map(Value::from),
        2 => select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[A-Za-z]{0,9}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What a specimen has at this place.
fn place(event: &mut Value, at: Index) -> &mut Value {
    const PLACES: &[&str] = &[
        "",
        "/version",
        "/rawPath",
        "/rawQueryString",
        "/rawQueryString",
        "/cookies",
        "/cookies/0",
        "/headers",
        "/headers/accept",
        "/headers/accept-language",
        "/headers/content-type",
        "/headers/origin",
        "/headers/authorization",
        "/headers/sec-fetch-dest",
        "/headers/x",
        "/queryStringParameters",
        "/requestContext",
        "/requestContext/http",
        "/requestContext/http/method",
        "/requestContext/requestId",
        "/requestContext/timeEpoch",
        "/body",
        "/body",
        "/isBase64Encoded",
        "/stageVariables",
        "/routeKey",
    ];
    let path = PLACES[at.index(PLACES.len())];
    if let Some((parent, name)) = path.rsplit_once('/')
        && let Some(Value::Object(parent)) = event.pointer_mut(parent)
    {
        parent.entry(name).or_insert(Value::Null);
    }
    match event.pointer(path) {
        Some(_) => event.pointer_mut(path).unwrap(),
        None => event,
    }
}

/// An event that a gateway might hand over, with some of it replaced; or anything.
fn event() -> impl Strategy<Value = Value> {
    let changes = prop::collection::vec(
        (any::<Index>(), prop_oneof![2 => nasty().prop_map(Value::from), 1 => json()]),
        0..3,
    );
    let form = prop::option::of((select(vec!["csrf", "password", "a"]), nasty(), any::<bool>()));
    let specimen = (select(SPECIMENS), changes, form).prop_map(|(specimen, changes, form)| {
        let mut event: Value = serde_json::from_str(specimen).unwrap();
        if let Some((name, value, json)) = form {
            let as_form = || {
                form_urlencoded::Serializer::new(String::new()).append_pair(name, &value).finish()
            };
            let body = if json { json!({ name: value }).to_string() } else { as_form() };
            event["body"] = body.into();
            event["isBase64Encoded"] = false.into();
        }
        for (at, value) in changes {
            *place(&mut event, at) = value;
        }
        event
    });
    prop_oneof![9 => specimen, 1 => json()]
}

/// The statuses and codes that callers were promised.
const CODES: &[(&str, u16)] = &[
    ("start_over", 400),
    ("bad_request", 400),
    ("wrong_password", 401),
    ("not_signed_in", 401),
    ("csrf", 403),
    ("account_closed", 403),
    ("no_password", 403),
    ("registration_closed", 403),
    ("not_found", 404),
    ("method_not_allowed", 405),
    ("already_linked", 409),
    ("ambiguous_email", 409),
    ("ticket_expired", 410),
    ("too_large", 413),
    ("unsupported_media_type", 415),
    ("invalid_fields", 422),
    ("too_many_attempts", 429),
];

/// Makes sure that a reply is one that was promised: and whatever a caller sends, it is not our fault.
fn is_promised(reply: &Reply) {
    let status = reply.status().as_u16();
    let headers = reply.headers();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert!(headers.get_all(name).iter().eq([value]), "{name}");
    }
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    for name in headers.keys().filter(|name| *name != "set-cookie") {
        assert_eq!(headers.get_all(name).iter().count(), 1, "{name}");
    }
    for value in headers.values() {
        assert!(value.to_str().is_ok(), "{value:?}");
    }

    let body = match reply.body() {
        Body::Text(text) => text.as_str(),
        Body::Empty => "",
        other => panic!("{other:?}"),
    };
    let kind = headers.get("content-type").map(|kind| kind.to_str().unwrap());
    let code = match kind {
        None => {
            assert_eq!(body, "");
            "ok".to_owned()
        }
        Some("text/html; charset=utf-8") => {
            let (_, code) = body.split_once("<main data-code=\"").unwrap();
            code.split_once('"').unwrap().0.to_owned()
        }
        Some("application/json") => {
            serde_json::from_str::<Value>(body).unwrap();
            "ok".to_owned()
        }
        Some("application/problem+json") => {
            let problem: Map<String, Value> = serde_json::from_str(body).unwrap();
            assert_eq!(problem["status"], status);
            problem["code"].as_str().unwrap().to_owned()
        }
        Some(other) => panic!("{other}"),
    };
    if code == "ok" {
        assert!([200, 204, 303].contains(&status), "{status}");
        assert_eq!(headers.contains_key("location"), status == 303);
    } else {
        assert!(CODES.contains(&(code.as_str(), status)), "{status} {code}");
        assert!(Words::CODES.contains(&code.as_str()));
        assert_eq!(headers.contains_key("allow"), status == 405);
    }
}

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap());

#[test]
fn f_event_n11_whatever_a_caller_makes_of_an_event_is_answered_as_promised_and_never_our_fault() {
    let reader = Reader(site_with(&[]));
    matters(2048, 500, event(), |event| {
        let reply = RUNTIME.block_on(reply_to(&reader, &event.to_string())).unwrap();
        is_promised(&reply);
        reply.status() != 400
    });
}

#[test]
fn f_event_n11_any_text_is_answered_or_is_not_even_json() {
    let reader = Reader(site_with(&[]));
    let cut = (select(SPECIMENS), any::<Index>(), nasty()).prop_map(|(specimen, at, text)| {
        let at = specimen.floor_char_boundary(at.index(specimen.len()));
        [&specimen[..at], &text, &specimen[at..]].concat()
    });
    matters(512, 50, cut, |text| match RUNTIME.block_on(reply_to(&reader, &text)) {
        Ok(reply) => {
            is_promised(&reply);
            true
        }
        Err(_) => {
            assert!(serde_json::from_str::<Value>(&text).is_err());
            false
        }
    });
}
