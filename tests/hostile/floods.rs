//! Requests by the thousand that are meant to cost us something.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{StreamExt as _, stream};
use local_stack::Stack;
use sha2::{Digest as _, Sha256};
use tests::{Answer, Ask, Browser, LOGIN as LOGIN_COOKIE, SESSION as SESSION_COOKIE, TICKET};

use crate::{
    endings::{
        CALLBACK, CONNECTIONS, LINK, LOGIN, LOGOUT, REAUTHENTICATE, REGISTER, ROUTES, SESSION,
        UNDO, VERIFY,
    },
    stack,
};

/// What requests have cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    dynamodb: usize,
    amazon: usize,
    secrets: usize,
}

const NOTHING: Cost = Cost { dynamodb: 0, amazon: 0, secrets: 0 };

impl Cost {
    /// Of all requests since the stack started; what a function asks when it starts is nobody's.
    fn so_far(stack: &Stack) -> Self {
        let calls = stack.dynamodb.calls().into_iter();
        Self {
            dynamodb: calls.filter(|call| call.trace.is_some()).count(),
            amazon: stack.amazon.calls().len(),
            secrets: stack.secrets.calls(),
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            dynamodb: self.dynamodb - before.dynamodb,
            amazon: self.amazon - before.amazon,
            secrets: self.secrets - before.secrets,
        }
    }
}

/// 43 characters that could be a token of ours, each time others.
fn token(number: usize) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("token {number}")))
}

/// A ticket or a session that could be ours, and the form's token that goes with it: whoever knows
/// how they are made can make them.
fn made_up(number: usize) -> (String, String) {
    let handle = format!("{}.{}", token(number), token(number + 1));
    let csrf = Sha256::new().chain_update(b"csrf\0").chain_update(&handle).finalize();
    (handle, URL_SAFE_NO_PAD.encode(csrf))
}

/// A sign-in that could have begun in this browser, and its state.
fn begun(number: usize, started_at: i64) -> (String, String) {
    let (state, verifier) = (token(number), token(number + 1));
    (format!("{state}.{verifier}.{started_at}.Lw"), state)
}

/// What is none of ours at first sight, as ticket and as session.
fn shapeless() -> Vec<String> {
    let good = made_up(0).0;
    let mut all = ["", "x", ".", "null", "undefined", "' OR 1=1 --", "%00", "../../etc/passwd"]
        .map(str::to_owned)
        .to_vec();
    all.extend([
        good[1..].to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        format!("{good}="),
        format!("{good}.{}", token(9)),
        good.replace('.', ":"),
        good.replace('.', ""),
        format!("{}.{}", token(1), "+".repeat(43)),
        format!("{}B.{}", "A".repeat(42), token(1)),
        format!("{}.{}B", token(1), "A".repeat(42)),
        "A".repeat(8000),
    ]);
    all
}

/// A browser-less caller, who says whatever a browser would.
fn post<'a>(browser: &'a Browser<'_>, stack: &Stack, route: &str) -> Ask<'a> {
    browser.ask("POST", route).header("origin", &stack.url)
}

/// Junk for a route: nobody needs to be asked to see that it is.
fn junk<'a>(browser: &'a Browser<'_>, stack: &Stack, route: &str) -> Vec<Ask<'a>> {
    let mut all = Vec::new();
    for (number, text) in shapeless().into_iter().enumerate() {
        let (handle, csrf) = made_up(number);
        let (ours, state) = begun(number, 1);
        let cookies = [SESSION_COOKIE, TICKET, LOGIN_COOKIE].map(|name| format!("{name}={text}"));
        let cookies = cookies.join("; ");
        let bearer = format!("Bearer {text}");
        let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let to = format!("{route}?code={query}&state={query}&return_to={query}&ticket={query}");
        all.push(browser.ask("GET", &to).cookies(&cookies));
        all.push(browser.ask("GET", route).cookies(&cookies).header("authorization", &bearer));
        all.push(post(browser, stack, route).cookies(&cookies).form(&[("csrf", &csrf)]));
        all.push(post(browser, stack, route).header("authorization", &bearer));
        let holder = format!("{TICKET}={handle}; {SESSION_COOKIE}={handle}");
        let holder = |ask: Ask<'a>| ask.cookies(&holder);
        // Of the right shape, but no page of ours was filled in.
        let fields = [("csrf", csrf.as_str()), ("password", &text)];
        let elsewhere = browser.ask("POST", route).header("origin", "https://evil.example");
        all.push(holder(elsewhere).form(&fields));
        all.push(holder(post(browser, stack, route)).form(&[("csrf", &text), ("password", "x")]));
        all.push(holder(post(browser, stack, route)).body("text/plain", text.clone()));
        let body = format!("csrf={csrf}&{}=x&csrf={csrf}", if text.is_empty() { "y" } else { "z" });
        all.push(holder(post(browser, stack, route)).body("application/json", body));
        all.push(holder(post(browser, stack, route)).form(&[("csrf", &"x".repeat(9000))]));
        all.push(holder(browser.ask("PUT", route)));
        if route == CALLBACK {
            // Another sign-in's state, one that was begun long ago, and answers that are none.
            let (_, other) = begun(number + 100, 1);
            let ask = |query: String| {
                let cookie = format!("{LOGIN_COOKIE}={ours}; {SESSION_COOKIE}={handle}");
                browser.ask("GET", &format!("{CALLBACK}?{query}")).cookies(&cookie)
            };
            all.push(ask(format!("code=x&state={other}")));
            all.push(ask(format!("code=x&state={state}")));
            all.push(ask(format!("code=x&error=y&state={state}")));
            all.push(ask(format!("code=x&code=y&state={state}")));
            all.push(ask(format!("access_token=x&state={state}")));
            all.push(ask(format!("state={state}")));
        }
        if [SESSION, VERIFY].contains(&route) {
            continue;
        }
        if ![LINK, REGISTER, CONNECTIONS, REAUTHENTICATE].contains(&route) {
            all.push(holder(browser.ask("GET", route)).header("accept", "application/json"));
        }
    }
    all
}

/// Sends them all, several at once.
async fn flood(asks: Vec<Ask<'_>>) -> Vec<Answer> {
    stream::iter(asks).map(Ask::send).buffer_unordered(8).collect().await
}

#[tokio::test]
async fn c06_m08_inv17_junk_costs_nothing_on_any_route() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    for (route, _) in ROUTES {
        let before = Cost::so_far(&stack);
        let asks = junk(&browser, &stack, route);
        let count = asks.len();
        assert!(count >= 180, "{route}: {count}");
        for answer in flood(asks).await {
            let begins = route == LOGIN && [200, 204, 303].contains(&answer.status);
            // Whoever is not signed in may log out.
            let is_out = route == LOGOUT && [204, 303].contains(&answer.status);
            let refused = (400..500).contains(&answer.status);
            assert!(begins || is_out || refused, "{route}: {} {}", answer.status, answer.text);
            let session = answer.headers.get_all("set-cookie").iter();
            let mut session = session.filter_map(|value| value.to_str().ok());
            let opened =
                session.any(|value| value.starts_with(SESSION_COOKIE) && !value.contains("=;"));
            assert!(!opened, "{route}");
        }
        assert_eq!(Cost::so_far(&stack).since(before), NOTHING, "{route}, {count} requests");
    }
}

#[tokio::test]
async fn m08_a_flood_of_sign_ins_that_begin_costs_nothing() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let asks = (0..500).map(|number| {
        let cookies = format!("{SESSION_COOKIE}={}", made_up(number).0);
        browser.ask("GET", &format!("{LOGIN}?return_to=/{number}")).cookies(&cookies)
    });
    let before = stack.dynamodb.snapshot().unwrap();
    let answers = flood(asks.collect()).await;
    assert!(answers.iter().all(|answer| answer.status == 303));
    assert_eq!(Cost::so_far(&stack), NOTHING);
    assert!(stack.dynamodb.snapshot().unwrap() == before);
}

#[tokio::test]
async fn m08_what_is_made_up_with_care_costs_one_call_each() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let times = 20;
    for (route, status) in [
        ("GET /auth/session", 401),
        ("GET /auth/verify", 401),
        ("GET /auth/amazon/link", 410),
        ("GET /auth/amazon/register", 410),
        ("POST /auth/amazon/link", 410),
        ("POST /auth/amazon/link/forgot", 410),
        ("POST /auth/amazon/link/cancel", 303),
        ("POST /auth/amazon/register", 410),
        ("POST /auth/amazon/switch", 410),
        ("POST /auth/logout", 303),
        ("GET /auth/connections", 401),
        ("POST /auth/connections/amazon/link", 401),
        ("POST /auth/connections/amazon/unlink", 401),
        ("POST /auth/connections/undo", 410),
        ("GET /auth/reauthenticate", 401),
        ("POST /auth/reauthenticate", 401),
    ] {
        let (method, path) = route.split_once(' ').unwrap();
        let asks = (0..times).map(|number| {
            let (handle, csrf) = made_up(number * 7);
            let ask = browser.ask(method, path).header("origin", &stack.url);
            let ask = ask.cookies(&format!("{TICKET}={handle}; {SESSION_COOKIE}={handle}"));
            match (method, path) {
                ("GET", _) => ask,
                (_, LINK | REAUTHENTICATE) => ask.form(&[("csrf", &csrf), ("password", "x")]),
                (_, UNDO) => ask.form(&[("token", &handle)]),
                _ => ask.form(&[("csrf", &csrf)]),
            }
        });
        let before = Cost::so_far(&stack);
        let answers = flood(asks.collect()).await;
        assert!(
            answers.iter().all(|answer| answer.status == status),
            "{route}: {}",
            answers[0].text
        );
        let cost = Cost::so_far(&stack).since(before);
        assert_eq!(cost, Cost { dynamodb: times, ..NOTHING }, "{route}");
    }
    // Whoever was never sent to Amazon can pretend to come back from there: a used state, and one
    // question to Amazon, which knows no such code. Our secret is read once in five minutes.
    let now = stack.amazon.world().clock.now().0;
    browser.get(CALLBACK).await;
    for (round, secrets) in [(0, 1), (1, 0)] {
        let before = Cost::so_far(&stack);
        let asks = (0..times).map(|number| {
            let (cookie, state) = begun(1000 * (round + 1) + number * 7, now);
            let ask = browser.ask("GET", &format!("{CALLBACK}?code=ANmadeup&state={state}"));
            ask.cookies(&format!("{LOGIN_COOKIE}={cookie}"))
        });
        // One after the other, so that one process answers.
        for ask in asks {
            let answer = ask.send().await;
            assert_eq!((answer.status, answer.code()), (400, "start_over"), "{}", answer.text);
        }
        let cost = Cost::so_far(&stack).since(before);
        assert_eq!(cost, Cost { dynamodb: times, amazon: times, secrets }, "round {round}");
    }
}
