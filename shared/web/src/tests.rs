use domain::{AccountId, ReturnTo, SessionToken};
use lambda_http::Body;
use serde_json::{Value, json};

use crate::{
    Code, Cookie, Failure, Form, Handle, Reply, Request, Settings, Site, StatusCode, cookie, csrf,
    reply, reply_to,
};

/// An event as the gateway makes it: duplicates of a header joined by commas, cookies apart.
fn event(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let mut joined = serde_json::Map::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != "cookie") {
        let earlier = joined.get(*name).and_then(Value::as_str);
        let value = earlier.map_or((*value).to_owned(), |earlier| format!("{earlier},{value}"));
        joined.insert((*name).to_owned(), value.into());
    }
    let cookies = headers.iter().filter(|(name, _)| *name == "cookie");
    let cookies: Vec<&str> = cookies.flat_map(|(_, value)| value.split("; ")).collect();
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": joined,
        "requestContext": { "http": { "method": method, "path": path }, "requestId": "id" },
        "body": body,
        "isBase64Encoded": false,
    })
}

fn request(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Request {
    Request::read(serde_json::from_value(event(method, uri, headers, body)).unwrap())
}

fn read(uri: &str, headers: &[(&str, &str)]) -> Request {
    request("GET", uri, headers, "")
}

fn site() -> Site {
    let pairs = [
        ("PUBLIC_URL", "https://shop.example"),
        ("SIGN_IN_PATH", "/sign-in"),
        ("BRAND_NAME", "Corner Shop"),
    ];
    Site::new(&pairs.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect::<Settings>())
        .unwrap()
}

#[test]
fn a13_a_parameter_that_comes_twice_in_any_spelling_is_refused() {
    let value = |query: &str| {
        let request = read(&format!("/?{query}"), &[]);
        request.query("code").map(|code| code.map(str::to_owned)).map_err(|failure| failure.code)
    };
    assert_eq!(value("code=A&state=B"), Ok(Some("A".to_owned())));
    assert_eq!(value("code=A%2BB+C"), Ok(Some("A+B C".to_owned())));
    assert_eq!(value("state=B"), Ok(None));
    assert_eq!(value("code[]=A"), Ok(None));
    assert_eq!(value("CODE=A"), Ok(None));
    for twice in [
        "code=A&code=B",
        "code=A&code=A",
        "code=A&Code=B",
        "code=A&code[]=B",
        "code[0]=A&code=B",
        "%63ode=A&code=B",
        "+code=A&code=B",
        "code=A&code%00x=B",
    ] {
        assert_eq!(value(twice), Err(Code::BadRequest), "{twice}");
    }
}

#[test]
fn c04_c05_two_different_cookies_of_one_name_are_none() {
    let session =
        |header: &str| read("/", &[("cookie", header)]).cookie(cookie::SESSION).map(str::to_owned);
    assert_eq!(session("a=1; __Host-lwa_session=x; b=2").as_deref(), Some("x"));
    assert_eq!(session("__Host-lwa_session=x; __Host-lwa_session=x").as_deref(), Some("x"));
    assert_eq!(session("__Host-lwa_session=x; __Host-lwa_session=y"), None);
    let others = "site=1; ".repeat(100);
    assert_eq!(session(&format!("{others}__Host-lwa_session=x")).as_deref(), Some("x"));
    let apart = format!("__Host-lwa_session=x; {others}__Host-lwa_session=y");
    assert_eq!(session(&apart), None, "however far apart they are");
    // c04: a neighbour's cookie, or a sloppy spelling of ours, is not ours.
    assert_eq!(
        session("lwa_session=evil; __host-lwa_session=evil; __Host-lwa_session =evil"),
        None
    );
}

#[test]
fn c03_every_cookie_carries_all_attributes_and_so_does_its_end() {
    let ann = AccountId::parse("ann").unwrap();
    let token = SessionToken::open(&ann, &mut crate::rng());
    let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=";
    let set = Cookie::session(&token, std::time::Duration::from_secs(60)).header();
    assert_eq!(set, format!("__Host-lwa_session={}{attributes}60", token.expose()));
    assert_eq!(Cookie::gone(cookie::TICKET).header(), format!("__Host-lwa_ticket={attributes}0"));
}

#[test]
fn d16_n01_only_our_own_pages_may_post() {
    let ours = ("origin", "https://shop.example");
    let check = |headers: &[(&str, &str)]| csrf::check_origin(&read("/", headers), &site()).is_ok();
    assert!(check(&[ours]));
    assert!(check(&[ours, ("sec-fetch-site", "same-origin")]));
    for headers in [
        vec![],
        vec![("sec-fetch-site", "same-origin")],
        vec![("origin", "null")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "https://shop.example.evil.example")],
        vec![("origin", "http://shop.example")],
        vec![("origin", "https://shop.example,https://shop.example")],
        vec![ours, ours],
        vec![ours, ("sec-fetch-site", "cross-site")],
        vec![ours, ("sec-fetch-site", "same-site")],
        vec![ours, ("sec-fetch-site", "none")],
    ] {
        assert!(!check(&headers), "{headers:?}");
    }
}

fn form(content_type: &str, body: &str, fields: bool) -> Result<Form, Code> {
    let request = request("POST", "/", &[("content-type", content_type)], body);
    Form::read(&request, &["csrf", "password"], fields).map_err(|failure| failure.code)
}

#[test]
fn n04_n06_n10_a_form_and_json_say_the_same() {
    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json; charset=utf-8";
    for (content_type, body) in [
        (FORM, "csrf=a&password=p%C3%A9+%2B&phone=1"),
        (JSON, r#"{"csrf":"a","password":"pé +","fields":{"phone":"1"}}"#),
        (JSON, r#"{"fields":{"phone":1},"csrf":"a","password":"pé +"}"#),
    ] {
        let form = form(content_type, body, true).unwrap();
        assert_eq!(form.get("csrf"), Some("a"), "{body}");
        assert_eq!(form.get("password"), Some("pé +"), "{body}");
        assert_eq!(form.field("phone"), "1", "{body}");
        assert_eq!(form.field("size"), "");
    }
    for (content_type, body, code) in [
        (FORM, "csrf=a&csrf=a", Code::BadRequest),
        (FORM, "csrf=a&role=admin", Code::BadRequest),
        (FORM, "password=%ff", Code::BadRequest),
        (JSON, r#"{"csrf":"a","csrf":"a"}"#, Code::BadRequest),
        (JSON, r#"{"csrf":"a","role":"admin"}"#, Code::BadRequest),
        (JSON, r#"{"fields":{"phone":"1"}}"#, Code::BadRequest),
        (JSON, r#"{"password":1}"#, Code::BadRequest),
        (JSON, r#"{"password":null}"#, Code::BadRequest),
        (JSON, r#"["a","b"]"#, Code::BadRequest),
        (JSON, r#"{"csrf":"a"} {}"#, Code::BadRequest),
        (JSON, "\u{feff}{}", Code::BadRequest),
        (JSON, r#"{"csrf":"\ud800"}"#, Code::BadRequest),
        (JSON, "", Code::BadRequest),
        ("text/plain", "csrf=a", Code::UnsupportedMediaType),
        ("multipart/form-data; boundary=x", "csrf=a", Code::UnsupportedMediaType),
        ("", "csrf=a", Code::UnsupportedMediaType),
    ] {
        assert_eq!(form(content_type, body, false).err(), Some(code), "{content_type} {body}");
    }
    let nested = format!(r#"{{"fields":{}1{}}}"#, "[".repeat(2000), "]".repeat(2000));
    assert_eq!(form(JSON, &nested, true).err(), Some(Code::BadRequest));
}

#[test]
fn n03_a_body_may_have_8_kib() {
    let body = |length: usize| format!("password={}", "a".repeat(length - 9));
    let kind = "application/x-www-form-urlencoded";
    assert!(form(kind, &body(8192), false).is_ok());
    assert_eq!(form(kind, &body(8193), false).err(), Some(Code::TooLarge));
}

#[test]
fn j03_j12_what_a_browser_fetches_ahead_or_into_something_else_is_no_visit() {
    let is_not = |headers: &[(&str, &str)]| read("/", headers).is_not_a_visit();
    assert!(!is_not(&[]));
    assert!(!is_not(&[("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")]));
    for header in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-dest", "image"),
        ("sec-fetch-dest", "script"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
    ] {
        assert!(is_not(&[header]), "{header:?}");
    }
}

/// Ends as it is told to.
struct Ends(fn() -> Result<Reply, Failure>, Site);

impl Handle for Ends {
    fn site(&self) -> &Site {
        &self.1
    }

    async fn handle(&self, _: &Request) -> Result<Reply, Failure> {
        (self.0)()
    }
}

async fn ending(end: fn() -> Result<Reply, Failure>, headers: &[(&str, &str)]) -> (Reply, String) {
    let event = event("GET", "/auth/x", headers, "").to_string();
    let reply = reply_to(&Ends(end, site()), &event).await.unwrap();
    let body = match reply.body() {
        Body::Text(text) => text.clone(),
        _ => String::new(),
    };
    (reply, body)
}

#[tokio::test]
async fn b12_b14_j02_j05_every_reply_carries_the_headers_that_protect_it() {
    let ends: [fn() -> Result<Reply, Failure>; 4] = [
        || Ok(reply::empty(StatusCode::NO_CONTENT)),
        || Ok(reply::see_other("/")),
        || Err(Failure::start_over("test")),
        || panic!("test"),
    ];
    for end in ends {
        let (reply, _) = ending(end, &[]).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("strict-transport-security", "max-age=31536000"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
        ] {
            assert_eq!(reply.headers()[name], value);
        }
        let policy = reply.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'; base-uri 'none'"), "{policy}");
    }
}

#[tokio::test]
async fn k06_r23_a_panic_ends_in_a_page_that_says_nothing_of_it() {
    let (reply, body) = ending(|| panic!("CANARY"), &[]).await;
    assert_eq!(reply.status(), 500);
    assert!(body.contains(r#"<main data-code="broken">"#));
    assert!(!body.contains("CANARY"));
}

#[test]
fn n14_no_text_makes_a_pattern_or_a_parser_work_for_long() {
    let started = std::time::Instant::now();
    let long = |piece: &str| piece.repeat(65_536 / piece.len());
    // What takes those who try every way longer than there is time, twice as long for each letter more.
    for pattern in
        ["(a+)+", "(a*)*", "(a|a)*", "(a|aa)+", "([a-z]+)*x?", "(.*a){12}", "^(a?){30}a{30}$"]
    {
        let own = crate::pattern(pattern).unwrap();
        for value in [long("a"), format!("{}!", long("a")), long("ab")] {
            // Whatever it says, it says so.
            let _ = own.is_match(&value);
        }
    }
    for piece in
        ["a", "@", "a@a.", "/", "/a", "%2f", "%", ".", "~", "=", "; ", "&a=", "\u{e9}", "a,"]
    {
        let text = long(piece);
        assert!(domain::Email::parse(&text).is_none());
        assert!(ReturnTo::parse(&text).is_none());
        let _ = domain::login::Logins::parse(&text);
        let _ = SessionToken::presented(&text);
        let headers = [("cookie", text.as_str()), ("accept-language", &text), ("accept", &text)];
        let request = request("POST", &format!("/?{text}"), &headers, &text);
        let _ = (request.cookie(cookie::SESSION), request.query("code"), request.wants_json());
        let _ = Form::read(&request, &["csrf"], true);
    }
    // Seconds in a debug build; what is not linear takes minutes.
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
}

/// A generator of randomness that is broken.
struct Nothing;

impl rand_core::TryRng for Nothing {
    type Error = std::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(std::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(std::fmt::Error)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(std::fmt::Error)
    }
}

impl rand_core::TryCryptoRng for Nothing {}

#[tokio::test]
async fn r31_without_randomness_nothing_is_handed_out() {
    fn end() -> Result<Reply, Failure> {
        // As `rng` does with the system's.
        let mut rng = rand_core::UnwrapErr(Nothing);
        let token = SessionToken::open(&AccountId::parse("ann").unwrap(), &mut rng);
        let cookie = Cookie::session(&token, std::time::Duration::from_secs(60));
        Ok(reply::with_cookie(reply::see_other("/"), &cookie))
    }
    let (reply, body) = ending(end, &[]).await;
    assert_eq!(reply.status(), 500);
    assert!(body.contains(r#"<main data-code="broken">"#));
    assert!(!reply.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn a_failure_is_a_page_for_a_visitor_and_problem_details_for_an_app() {
    fn end() -> Result<Reply, Failure> {
        let to = ReturnTo::parse("/basket?a=b").unwrap();
        Err(Failure { attempts_left: Some(3), ..Failure::unavailable("CANARY").on_the_way_to(&to) })
    }
    let (reply, body) = ending(end, &[]).await;
    assert_eq!(reply.status(), 503);
    assert_eq!(reply.headers()["retry-after"], "5");
    assert!(body.contains(r#"<main data-code="unavailable">"#));
    assert!(
        body.contains("/auth/amazon/login?return_to=%2Fbasket%3Fa%3Db"),
        "another try leads on"
    );
    assert!(!body.contains("CANARY"));

    let (reply, body) =
        ending(end, &[("accept", "application/json"), ("accept-language", "de")]).await;
    assert_eq!(reply.headers()["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["code"], "unavailable");
    assert_eq!(problem["status"], 503);
    assert_eq!(problem["retry_after"], 5);
    assert_eq!(problem["attempts_left"], 3);
    assert_eq!(problem["return_to"], "/basket?a=b");
    for member in ["type", "title", "detail", "request_id"] {
        assert!(problem[member].is_string(), "{member}");
    }
    assert!(!body.contains("CANARY"));
}

#[test]
fn every_code_has_the_status_and_the_words_that_callers_were_promised() {
    for (code, word, status) in [
        (Code::StartOver, "start_over", 400),
        (Code::BadRequest, "bad_request", 400),
        (Code::WrongPassword, "wrong_password", 401),
        (Code::NotSignedIn, "not_signed_in", 401),
        (Code::Csrf, "csrf", 403),
        (Code::AccountClosed, "account_closed", 403),
        (Code::NoPassword, "no_password", 403),
        (Code::RegistrationClosed, "registration_closed", 403),
        (Code::NotFound, "not_found", 404),
        (Code::MethodNotAllowed, "method_not_allowed", 405),
        (Code::AlreadyLinked, "already_linked", 409),
        (Code::AmbiguousEmail, "ambiguous_email", 409),
        (Code::TicketExpired, "ticket_expired", 410),
        (Code::TooLarge, "too_large", 413),
        (Code::UnsupportedMediaType, "unsupported_media_type", 415),
        (Code::InvalidFields, "invalid_fields", 422),
        (Code::TooManyAttempts, "too_many_attempts", 429),
        (Code::Broken, "broken", 500),
        (Code::Unavailable, "unavailable", 503),
    ] {
        assert_eq!((code.as_str(), code.status().as_u16()), (word, status));
    }
}

#[test]
fn a_bearer_token_is_read_whatever_the_case_of_its_scheme() {
    let bearer = |value: &str| read("/", &[("authorization", value)]).bearer().map(str::to_owned);
    assert_eq!(bearer("Bearer a.b").as_deref(), Some("a.b"));
    assert_eq!(bearer("bearer a.b").as_deref(), Some("a.b"));
    assert_eq!(bearer("Basic a.b"), None);
    assert_eq!(bearer("Bearer"), None);
}

#[tokio::test]
async fn n02_n11_whatever_a_caller_makes_of_an_event_is_answered() {
    let handler = Ends(|| Ok(reply::empty(StatusCode::NO_CONTENT)), site());
    for odd in [
        "{}",
        "[]",
        "null",
        "1",
        r#"{"version":"1.0","httpMethod":"GET","path":"/"}"#,
        r#"{"Records":[]}"#,
    ] {
        let reply = reply_to(&handler, odd).await.unwrap();
        assert_eq!(reply.status(), 400, "{odd}");
        assert_eq!(reply.headers()["cache-control"], "no-store");
    }
    // What a URI may not hold, callers send all the same.
    for uri in ["/?a=\"<>\\^`{|}", "/?%", "/?\u{e9}=\u{1f600}", "/a b/\u{e9}?x"] {
        let reply = reply_to(&handler, &event("GET", uri, &[], "").to_string()).await.unwrap();
        assert_eq!(reply.status(), 204, "{uri}");
    }
    let mut lies = event("POST", "/", &[("content-type", "application/json")], "{}");
    lies["isBase64Encoded"] = true.into();
    let request = Request::read(serde_json::from_value(lies).unwrap());
    assert_eq!(
        Form::read(&request, &[], false).err().map(|failure| failure.code),
        Some(Code::BadRequest)
    );
}
