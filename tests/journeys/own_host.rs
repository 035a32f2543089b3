//! The site's own host as a recipe makes it: nginx before the API and the site.

#[path = "own_host/host.rs"]
mod host;
#[path = "own_host/servers.rs"]
mod servers;

use std::net::Ipv4Addr;

use serde_json::json;
use tests::{Answer, Ask, Browser, LOGIN, SESSION};

use self::{
    host::{Host, SECRET},
    servers::{API, Certificates, says, value},
};

#[tokio::test]
async fn a_visitor_signs_in_links_and_leaves_on_the_sites_own_host() {
    let host = Host::start().await;
    let lin = Browser::new(&host.stack);

    let back = lin.sign_in_at_amazon("lin", "/account").await;
    assert_eq!(back.location(), format!("{}/account", host.stack.url));
    assert_eq!(lin.land(back).await.who(), "Lin Linked");

    let answer = lin.log_out().await;
    assert_eq!((answer.status, lin.account().await), (303, None));

    let ann = Browser::new(&host.stack);
    let page = ann.asked_after_amazon("ann", "/").await;
    assert_eq!(ann.prove(&page, "wrong").await.status, 401);
    let linked = ann.prove(&page, "ann-local-password").await;
    assert_eq!(linked.status, 303);
    let cookies: Vec<_> = linked.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies.len(), 2, "a session begins and a ticket ends: {cookies:?}");
    assert_eq!(ann.account().await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn what_visitors_send_and_get_passes_the_sites_own_host_as_it_is() {
    let host = Host::start().await;
    let browser = Browser::new(&host.stack).preferring("de-DE,de;q=0.9");

    // As much as fits into the cookie: several tabs with long ways back.
    let long = format!("/{}", "x".repeat(500));
    for _ in 0..6 {
        browser.begin(&long).await;
    }
    assert!(browser.cookie(LOGIN).unwrap().len() > 3000);
    browser.begin("/caf%C3%A9?a=1&b=%2B+2").await;
    let back = browser.sign_in_at_amazon("lin", "/caf%C3%A9?a=1&b=%2B+2").await;
    assert_eq!(back.location(), format!("{}/caf%C3%A9?a=1&b=%2B+2", host.stack.url));

    let page = browser.get("/auth/connections").await;
    assert!(page.says(r#"<html lang="de">"#), "{}", page.text);
    for (name, value) in [
        ("cache-control", "no-store"),
        ("content-type", "text/html; charset=utf-8"),
        ("x-frame-options", "DENY"),
    ] {
        let all: Vec<_> = page.headers.get_all(name).iter().collect();
        assert_eq!(all, [value], "{name}");
    }
    assert_eq!(page.headers.get_all("content-security-policy").iter().count(), 1);

    let ask = browser.ask("POST", "/auth/logout").header("origin", "https://evil.example");
    let ask = ask.header("via", "1.1 visitor").header("x-forwarded-for", "203.0.113.9");
    let ask = ask.header("x-lwa-proxy-secret", "guessed");
    let answer = ask.form(&[("csrf", "x")]).send().await;
    assert_eq!((answer.status, answer.code()), (403, "csrf"));
    let head = host.api.heads().pop().unwrap();
    assert!(head.starts_with("POST /auth/logout HTTP/1.1\r\n"), "{head}");
    for (name, expected) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "navigate"),
        ("accept-language", "de-DE,de;q=0.9"),
        ("via", "1.1 visitor"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-lwa-proxy-secret", SECRET),
    ] {
        assert_eq!(value(&head, name).as_deref(), Some(expected), "{head}");
    }
    assert!(value(&head, "host").unwrap().starts_with(API), "{head}");
    assert!(value(&head, "cookie").unwrap().contains(SESSION), "{head}");

    // What is too long for us we say ourselves; what is far too long comes no further.
    let body = "x".repeat(9 * 1024);
    let answer = browser.post("/auth/amazon/link", &[("password", &body)]).await;
    assert_eq!((answer.status, answer.code()), (413, "too_large"));
    let before = host.api.heads().len();
    let body = "x".repeat(20 * 1024);
    assert_eq!(browser.post("/auth/amazon/link", &[("password", &body)]).await.status, 413);
    assert_eq!(host.api.heads().len(), before);
}

/// Junk that an app hands over, and what the app says of itself.
fn junk<'a>(app: &'a Browser<'_>, to: &str, address: &str, secret: &str) -> Ask<'a> {
    let ask = app.ask("POST", to).without("sec-fetch-site").without("sec-fetch-mode");
    let ask = ask.without("sec-fetch-dest").header("accept", "application/json");
    let ask = ask.header("x-forwarded-for", address).header("x-lwa-proxy-secret", secret);
    ask.body("application/json", json!({ "access_token": "Atza|junk" }).to_string())
}

#[tokio::test]
async fn m10_behind_the_sites_own_host_a_client_counts_by_its_own_address() {
    let host = Host::start().await;
    let at = |last| Browser::new(&host.stack).at(Ipv4Addr::new(127, 0, 0, last));
    let (attacker, somebody) = (at(2), at(3));
    let to = format!("{}/auth/amazon/token", host.stack.url);
    for number in 0..40 {
        let (address, secret) = (format!("203.0.113.{number}"), format!("{SECRET}{number}"));
        let status = junk(&attacker, &to, &address, &secret).send().await.status;
        assert_eq!(status, if number < 30 { 401 } else { 429 }, "{number}");
    }
    assert_eq!(junk(&somebody, &to, "127.0.0.2", SECRET).send().await.status, 401);

    // Whoever knows the API's own name goes around nginx, and has only their own address.
    let around = format!("{}/auth/amazon/token", host.stack.gateway);
    let passer_by = at(4);
    for number in 0..40 {
        let (address, secret) = (format!("203.0.113.{number}"), format!("{SECRET}{number}"));
        let status = junk(&passer_by, &around, &address, &secret).send().await.status;
        assert_eq!(status, if number < 30 { 401 } else { 429 }, "{number}");
    }
    assert_eq!(junk(&at(5), &around, "127.0.0.4", "guessed").send().await.status, 401);
}

#[tokio::test]
async fn a_guarded_page_is_for_those_who_are_signed_in() {
    let host = Host::start().await;
    let browser = Browser::new(&host.stack);

    for (asked, to) in [
        ("/orders", "/orders"),
        ("/orders/7?page=2", "/orders/7?page=2"),
        // What would have to be escaped is left out.
        ("/orders?a=1&b=2", "/orders"),
        ("/orders?a=%26", "/orders"),
        ("/orders?next=//evil.example", "/orders"),
        ("/%6frders", "/"),
        ("/orders/caf%C3%A9", "/"),
        ("//evil.example/../orders", "/"),
        ("/x/../orders", "/"),
        ("//orders", "/"),
    ] {
        let answer = browser.get(&format!("{}{asked}", host.stack.url)).await;
        assert_eq!(answer.status, 303, "{asked}");
        assert_eq!(answer.location(), format!("/sign-in?return_to={to}"), "{asked}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let posted = browser.post("/orders", &[("cancel", "7")]).await;
    assert_eq!(posted.status, 303);
    assert_eq!(browser.fetch("/orders", None).await.status, 401, "a script cannot sign in");
    let garbage = browser.ask("GET", "/orders").cookies("__Host-lwa_session=x").send().await;
    assert_eq!(garbage.status, 303);
    assert_eq!(browser.get("/auth/verify/guard").await.status, 404);
    assert!(host.orders.heads().is_empty(), "{:?}", host.orders.heads());

    browser.sign_in_at_amazon("lin", "/orders").await;
    let ask = browser.ask("POST", "/orders?page=2").form(&[("cancel", "7")]);
    let ask = ask.header("x-auth-request-user", "ann").another_header("remote-user", "ann");
    let ask = ask.another_header("remote-user", "bob").header("remote_user", "ann");
    let answer = ask.header("x_auth_request_user", "ann").send().await;
    assert_eq!(answer.status, 200);
    let head = answer.text;
    assert!(head.starts_with("POST /orders?page=2 HTTP/1"), "{head}");
    assert_eq!(value(&head, "x-auth-request-user").as_deref(), Some("lin"));
    assert_eq!(value(&head, "remote-user").as_deref(), Some("lin"));
    assert_eq!(value(&head, "content-length").as_deref(), Some("8"));
    assert!(!head.contains("ann") && !head.contains("bob") && !head.contains("_user"), "{head}");
    assert!(!head.contains(SECRET), "the secret is for the API alone: {head}");
    let asked = host.api.heads().pop().unwrap();
    assert!(asked.starts_with("GET /auth/verify HTTP/1.1\r\n"), "{asked}");
    for theirs in ["content-length", "x-auth-request-user", "remote-user", "user-agent"] {
        assert_eq!(value(&asked, theirs), None, "{asked}");
    }

    browser.log_out().await;
    assert_eq!(browser.get("/orders").await.status, 303, "at once");
}

#[tokio::test]
async fn on_pages_that_are_not_guarded_nobody_is_anybody() {
    let host = Host::with_a_mirror().await;
    let browser = Browser::new(&host.stack);
    let ask = browser.ask("GET", "/").header("x-auth-request-user", "ann");
    let answer = ask.header("remote-user", "ann").header("remote_user", "ann").send().await;
    assert_eq!(answer.status, 200);
    assert!(!answer.text.contains("ann"), "{}", answer.text);
    assert!(!answer.text.contains(SECRET), "{}", answer.text);
}

#[tokio::test]
async fn where_nobody_can_tell_who_it_is_nobody_gets_in() {
    let host = Host::start().await;
    let browser = Browser::new(&host.stack);
    browser.sign_in_at_amazon("lin", "/").await;
    assert_eq!(browser.get("/orders").await.status, 200);
    let before = host.orders.heads().len();

    for (status, message) in [
        ("429 Too Many Requests", "Too Many Requests"),
        ("500 Internal Server Error", "Internal Server Error"),
        ("503 Service Unavailable", "Service Unavailable"),
        ("404 Not Found", "Not Found"),
        ("302 Found", "Found"),
    ] {
        host.api.answer(Some(says(status, message)));
        assert_is_sorry(&browser.get("/orders").await);
        let json = browser.fetch("/orders", None).await;
        assert_eq!(message_of(&json), (503, "Service Unavailable".to_owned()));
    }
    host.api.answer(None);
    host.stack.set("session", "SESSIONS_TABLE", None);
    assert_is_sorry(&browser.get("/orders").await);
    host.api.stop();
    assert_is_sorry(&browser.get("/orders").await);
    assert_eq!(host.orders.heads().len(), before, "the site heard of none of it");
}

/// The recipe's page, which has a next step.
#[track_caller]
fn assert_is_sorry(answer: &Answer) {
    assert_eq!((answer.status, answer.code()), (503, "unavailable"), "{}", answer.text);
    assert_looks_sorry(answer);
}

#[track_caller]
fn assert_looks_sorry(answer: &Answer) {
    assert_eq!(answer.code(), "unavailable", "{}", answer.text);
    assert_eq!(answer.link("Back to sign-in"), "/sign-in");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ] {
        assert_eq!(answer.headers.get_all(name).iter().collect::<Vec<_>>(), [value]);
    }
}

/// What an app gets instead.
fn message_of(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn what_api_gateway_says_by_itself_has_a_next_step_and_our_pages_stay_ours() {
    let host = Host::start().await;
    let browser = Browser::new(&host.stack);
    for (status, message) in [
        ("429 Too Many Requests", "Too Many Requests"),
        ("500 Internal Server Error", "Internal Server Error"),
        ("503 Service Unavailable", "Service Unavailable"),
    ] {
        host.api.answer(Some(says(status, message)));
        let page = browser.get("/auth/amazon/login").await;
        assert_eq!(page.status.to_string(), status[..3]);
        assert_looks_sorry(&page);
        let json = browser.fetch("/auth/session", None).await;
        assert_eq!(message_of(&json), (page.status, message.to_owned()));
        assert_eq!(json.header("content-type"), Some("application/json"));
        assert_eq!(json.header("cache-control"), Some("no-store"));
    }
    host.api.answer(None);

    // Ours say what happened, and when to come back.
    host.stack.set("login", "LWA_CLIENT_ID", None);
    let page = browser.get("/auth/amazon/login").await;
    assert_eq!((page.status, page.code()), (503, "unavailable"));
    assert!(page.header("retry-after").is_some() && !page.says("Back to sign-in"), "{}", page.text);
    let problem = browser.fetch("/auth/amazon/login", None).await;
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert_eq!(problem.json()["code"], "unavailable");

    host.api.stop();
    assert_is_sorry(&browser.get("/auth/amazon/login").await);
    let json = browser.fetch("/auth/session", None).await;
    assert_eq!(message_of(&json), (503, "Service Unavailable".to_owned()));
}

#[tokio::test]
async fn k04_no_log_of_nginx_keeps_what_visitors_bring() {
    let host = Host::start().await;
    let browser = Browser::new(&host.stack);
    let before = browser.sign_in_at_amazon("lin", "/").await;
    browser.land(before).await;
    host.api.stop();
    let canary = "c0de-of-a-visitor";
    let ask = browser.ask("GET", &format!("/auth/amazon/callback?code={canary}&state={canary}"));
    let ask = ask.header("referer", &format!("{}/auth/x?token={canary}", host.stack.url));
    assert_is_sorry(&ask.send().await);
    let ask = browser.ask("POST", &format!("/auth/amazon/link?token={canary}"));
    assert_eq!(ask.form(&[("password", &"x".repeat(20 * 1024))]).send().await.status, 413);

    let (access, errors) = host.logs();
    assert!(access.contains("\"GET /auth/amazon/callback\" 303 "), "{access}");
    assert!(access.contains("\"GET /auth/amazon/callback\" 503 "), "{access}");
    for secret in browser.secrets().iter().map(String::as_str).chain([canary, SECRET]) {
        assert!(!access.contains(secret) && !errors.contains(secret), "{access}{errors}");
    }
}

#[tokio::test]
async fn l03_an_api_that_cannot_prove_its_name_hears_nothing() {
    let others = Certificates::of("a1b2c3d4e5.execute-api.eu-central-1.evil.example");
    let another_name = Host::before_an_api_with(others, None).await;
    let stranger = Certificates::of(API).authority;
    let unknown = Host::before_an_api_with(Certificates::of(API), Some(stranger)).await;
    for host in [another_name, unknown] {
        let browser = Browser::new(&host.stack);
        assert_is_sorry(&browser.get("/auth/amazon/login").await);
        assert_is_sorry(&browser.get("/orders").await);
        assert!(host.api.heads().is_empty(), "{:?}", host.api.heads());
    }
}
