//! Sessions that are planted, kept, carried elsewhere, or older than they may be.

use local_stack::{Options, Stack, Timestamp, amazon::Customer};
use serde_json::Value;
use tests::{Browser, LOGIN, SESSION, TICKET};

use crate::{
    NOON,
    back::{Back, ending},
    stack, stack_with,
};

/// Whose session this token opens.
async fn opens(stack: &Stack, token: &str) -> Option<String> {
    let browser = Browser::new(stack);
    browser.keep_cookie(SESSION, token);
    browser.account().await
}

#[tokio::test]
async fn c01_a_planted_session_never_becomes_the_victims() {
    let stack = stack().await;
    stack.link("ann", "ann").await.unwrap();
    let attacker = Browser::new(&stack);
    attacker.sign_in_at_amazon("ann", "/").await;
    let live = attacker.cookie(SESSION).unwrap();
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    let own = lin.cookie(SESSION).unwrap();
    let (tag, _) = own.split_once('.').unwrap();
    let made_up = format!("{tag}.{}", "A".repeat(43));
    lin.log_out().await;
    for planted in [live, made_up, own, "known".to_owned()] {
        let victim = Browser::new(&stack);
        victim.keep_cookie(SESSION, &planted);
        let mut answer = victim.sign_in_at_amazon("lin", "/").await;
        if answer.status == 200 {
            // Who seems to be somebody else is asked first, and that one's session ends.
            assert!(answer.says("Ann Local") && answer.says("Lin Linked"));
            let yes = [("csrf", answer.input("csrf"))];
            answer = victim.post("/auth/amazon/switch", &yes).await;
        }
        assert_eq!(answer.status, 303, "{planted}");
        assert_ne!(victim.cookie(SESSION).as_deref(), Some(&*planted));
        assert_eq!(victim.account().await.as_deref(), Some("lin"));
        assert_eq!(opens(&stack, &planted).await, None, "{planted}");
    }
}

#[tokio::test]
async fn c01_a_planted_session_does_not_survive_linking_or_registering() {
    let stack = stack().await;
    for customer in ["ann", "noa"] {
        let (attacker, victim) = (Browser::new(&stack), Browser::new(&stack));
        attacker.sign_in_at_amazon("lin", "/").await;
        let planted = attacker.cookie(SESSION).unwrap();
        victim.keep_cookie(SESSION, &planted);
        let page = victim.asked_after_amazon(customer, "/").await;
        let answer = match customer {
            "ann" => victim.prove(&page, "ann-local-password").await,
            _ => {
                let fields = [("csrf", page.input("csrf")), ("email", "noa@home.example")];
                victim.post("/auth/amazon/register", &fields).await
            }
        };
        assert_eq!(answer.status, 303, "{customer}");
        assert_ne!(victim.cookie(SESSION).as_deref(), Some(&*planted), "{customer}");
        assert_eq!(opens(&stack, &planted).await, None, "{customer}");
        assert_ne!(victim.account().await.as_deref(), Some("lin"), "{customer}");
    }
}

#[tokio::test]
async fn c01_a_planted_ticket_links_nobody_but_whom_the_victim_came_back_as() {
    let stack = stack().await;
    // An attacker's Amazon account may carry anybody's address.
    let eve = Customer { email: Some("bob@example.com".to_owned()), ..Customer::new("eve") };
    stack.amazon.world().customers.extend([eve, Customer::new("bob")]);
    let (attacker, victim) = (Browser::new(&stack), Browser::new(&stack));
    attacker.asked_after_amazon("eve", "/").await;
    let planted = attacker.cookie(TICKET).unwrap();
    victim.keep_cookie(TICKET, &planted);

    let page = victim.asked_after_amazon("bob", "/").await;
    assert_ne!(victim.cookie(TICKET).unwrap(), planted);
    assert_eq!(victim.prove(&page, "bob-local-password").await.status, 303);

    assert_eq!(victim.account().await.as_deref(), Some("bob"));
    let again = attacker.sign_in_at_amazon("eve", "/").await;
    assert_eq!(attacker.account().await, None, "{}", again.text);
    let page = attacker.get("/auth/amazon/link").await;
    assert_eq!(
        attacker.prove(&page, "guess").await.status,
        401,
        "it asks for a password as before"
    );
}

#[tokio::test]
async fn c01_a_planted_sign_in_takes_nothing_from_the_victims_own() {
    let stack = stack().await;
    let (attacker, victim) = (Browser::new(&stack), Browser::new(&stack));
    let of_attacker = Back::begin(&attacker, &stack, "nora").await;
    victim.keep_cookie(LOGIN, &attacker.cookie(LOGIN).unwrap());

    let own = Back::begin(&victim, &stack, "lin").await;
    assert_eq!(victim.come_back(&own.url).await.status, 303);

    assert_eq!(victim.account().await.as_deref(), Some("lin"));
    let page = attacker.come_back(&own.url).await;
    assert_eq!(ending(&page), (400, "start_over"), "what was begun later is not in the copy");
    assert_eq!(attacker.come_back(&of_attacker.url).await.status, 303);
    assert_ne!(attacker.account().await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn c02_every_way_in_ends_the_session_that_the_browser_had() {
    let stack = stack().await;
    stack.amazon.world().customers.push(Customer::new("sam"));
    stack.link("sam", "sam").await.unwrap();
    for customer in ["lin", "ann", "noa", "sam"] {
        let browser = Browser::new(&stack);
        browser.sign_in_at_amazon("lin", "/").await;
        let before = browser.cookie(SESSION).unwrap();
        let answer = browser.sign_in_at_amazon(customer, "/").await;
        if customer != "lin" {
            assert_eq!(opens(&stack, &before).await.as_deref(), Some("lin"), "{customer}: not yet");
            let page = browser.land(answer).await;
            let csrf = ("csrf", page.input("csrf"));
            let (to, more) = match customer {
                "ann" => ("link", Some(("password", "ann-local-password"))),
                "noa" => ("register", Some(("email", "noa@home.example"))),
                _ => ("switch", None),
            };
            let fields: Vec<_> = [csrf].into_iter().chain(more).collect();
            let answer = browser.post(&format!("/auth/amazon/{to}"), &fields).await;
            assert_eq!(answer.status, 303, "{customer}");
        }
        let after = browser.cookie(SESSION).unwrap();
        assert_ne!(before, after, "{customer}");
        assert_eq!(opens(&stack, &before).await, None, "{customer}: the old one is over");
        assert!(opens(&stack, &after).await.is_some(), "{customer}");
    }
}

#[tokio::test]
async fn c08_a_session_ends_by_the_second_when_idle_and_after_a_week_however_busy() {
    const IDLE: i64 = 43_200;
    const TOTAL: i64 = 604_800;
    let stack = Options { stopped_at: Some(NOON), ..Options::default() }.start().await.unwrap();
    let at = |seconds: i64| stack.set_clock(Timestamp(NOON.0 + seconds)).unwrap();
    let row = || stack.dynamodb.scan("sessions").unwrap().remove(0);
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;
    let ends = browser.fetch("/auth/session", None).await.json()["session"]["expires_at"].clone();
    let token = browser.cookie(SESSION).unwrap();

    let unused = row();
    for (seconds, status) in [(IDLE, 401), (IDLE + 1, 401), (TOTAL, 401), (IDLE - 1, 200)] {
        at(seconds);
        for path in ["/auth/session", "/auth/verify"] {
            browser.keep_cookie(SESSION, &token);
            assert_eq!(browser.fetch(path, None).await.status, status, "{path} at {seconds}");
        }
        if status == 401 {
            assert_eq!(row(), unused, "no request brings it back");
        }
    }
    let mut now = IDLE - 1;
    while now + IDLE < TOTAL {
        now += IDLE - 1;
        at(now);
        let told = browser.fetch("/auth/session", None).await;
        assert_eq!(told.status, 200, "at {now}");
        assert_eq!(told.json()["session"]["expires_at"], ends, "at {now}: it is never extended");
    }
    for (seconds, status) in [(TOTAL - 1, 200), (TOTAL, 401), (TOTAL + 1, 401)] {
        at(seconds);
        for path in ["/auth/session", "/auth/verify"] {
            assert_eq!(browser.fetch(path, None).await.status, status, "{path} at {seconds}");
        }
    }
}

#[tokio::test]
async fn c08_a_session_that_is_over_counts_for_nothing_where_somebody_signs_in() {
    let options =
        Options { stopped_at: Some(NOON), ..Options::with(&[("SessionIdleSeconds", "300")]) };
    let stack = options.start().await.unwrap();
    stack.link("ann", "ann").await.unwrap();
    for (seconds, status) in [(299, 200), (300, 303)] {
        stack.set_clock(NOON).unwrap();
        let browser = Browser::new(&stack);
        browser.sign_in_at_amazon("lin", "/").await;
        stack.set_clock(Timestamp(NOON.0 + seconds)).unwrap();
        let answer = browser.sign_in_at_amazon("ann", "/").await;
        assert_eq!(answer.status, status, "after {seconds} s: asked first, or not");
    }
}

#[tokio::test]
async fn c09_a_cookie_kept_from_before_the_log_out_opens_nothing_anywhere() {
    let stack = stack().await;
    stack.link("ann", "ann").await.unwrap();
    let (browser, phone) = (Browser::new(&stack), Browser::new(&stack));
    browser.sign_in_at_amazon("lin", "/").await;
    phone.sign_in_at_amazon("lin", "/").await;
    let told = browser.fetch("/auth/session", None).await.json();
    let thief = browser.copy();
    assert_eq!(browser.log_out().await.status, 303);

    for path in ["/auth/session", "/auth/verify"] {
        let answer = thief.fetch(path, None).await;
        assert_eq!((answer.status, answer.header("remote-user")), (401, None), "{path}");
    }
    let csrf = [("csrf", told["csrf"].as_str().unwrap())];
    for _ in 0..2 {
        assert_eq!(thief.copy().post("/auth/logout", &csrf).await.status, 303, "twice is fine");
        let answer = thief.copy().fetch("/auth/logout", Some(serde_json::json!({}))).await;
        assert_eq!(answer.status, 403, "a token of ours comes with its form's");
    }
    let answer = thief.sign_in_at_amazon("ann", "/").await;
    assert_eq!(answer.status, 303, "nobody is asked whether to leave lin's account");
    assert_eq!(phone.account().await.as_deref(), Some("lin"), "one session ended, not all");
}

#[tokio::test]
async fn c18_who_somebody_is_stands_in_the_cookie_and_in_no_header() {
    let stack = stack().await;
    let (lin, guest) = (Browser::new(&stack), Browser::new(&stack));
    lin.sign_in_at_amazon("lin", "/").await;
    for name in [
        "x-auth-request-user",
        "remote-user",
        "x-remote-user",
        "x-account-id",
        "x-forwarded-user",
        "x-amzn-oidc-identity",
        "x-amz-cognito-identity-id",
        "x-original-url",
        "x-rewrite-url",
        "from",
    ] {
        for value in ["ann", "lin", "/auth/verify?account=ann"] {
            let told = |browser| Browser::ask(browser, "GET", "/auth/verify").header(name, value);
            let answer = told(&guest).send().await;
            assert_eq!((answer.status, &*answer.text), (401, ""), "{name}");
            assert!(answer.header("remote-user").is_none(), "{name}");
            assert!(answer.header("x-auth-request-user").is_none(), "{name}");
            let answer = told(&lin).send().await;
            assert_eq!((answer.status, answer.header("remote-user")), (200, Some("lin")), "{name}");
            assert_eq!(answer.header("x-auth-request-user"), Some("lin"), "{name}");
            let answer = guest.ask("GET", "/auth/session").header(name, value).send().await;
            assert_eq!((answer.status, &*answer.text), (401, r#"{"signed_in":false}"#), "{name}");
            let answer = lin.ask("GET", "/auth/session").header(name, value).send().await;
            assert_eq!(answer.json()["account"]["id"], "lin", "{name}");
        }
    }
}

/// Turns the one session of this stack into that of an app, as the hand-off will open them.
fn into_app(stack: &Stack) {
    let row = stack.dynamodb.scan("sessions").unwrap().remove(0);
    let text = |name: &str| row[name]["S"].as_str().unwrap().to_owned();
    let (pk, sk) = (text("pk"), text("sk"));
    stack.dynamodb.set("sessions", &[("pk", &pk), ("sk", &sk)], "kind", "app").unwrap();
}

#[tokio::test]
async fn c19_a_session_is_taken_from_the_one_place_that_its_kind_travels_in() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;
    let token = browser.cookie(SESSION).unwrap();
    let guest = Browser::new(&stack);
    for path in ["/auth/session", "/auth/verify"] {
        let bearer = format!("Bearer {token}");
        let mut asks = vec![guest.ask("GET", path).header("authorization", &bearer)];
        for scheme in ["Basic", "Token", "Session", "bearer", "BEARER "] {
            let value = format!("{scheme} {token}");
            asks.push(guest.ask("GET", path).header("authorization", &value));
        }
        for name in ["authorization", "x-auth-token", "x-session", SESSION, "x-csrf-token"] {
            asks.push(guest.ask("GET", path).header(&name.to_lowercase(), &token));
        }
        for name in [SESSION, "session", "sid", "token", "access_token", "Authorization"] {
            asks.push(guest.ask("GET", &format!("{path}?{name}={token}")));
            asks.push(guest.ask("GET", path).cookies(&format!("{name}x={token}")));
        }
        asks.push(guest.ask("GET", &format!("{path};{SESSION}={token}")));
        for ask in asks {
            let answer = ask.send().await;
            assert!([401, 404].contains(&answer.status), "{}: {}", answer.url, answer.text);
        }
        let posted = guest.ask("POST", path).form(&[(SESSION, &token)]).send().await;
        assert_eq!(posted.status, 405, "{path}");
        assert_eq!(browser.fetch(path, None).await.status, 200, "{path}");
    }
    let app = guest.ask("POST", "/auth/logout").header("authorization", &format!("Bearer {token}"));
    assert_eq!(app.send().await.status, 204);
    assert_eq!(browser.account().await.as_deref(), Some("lin"), "no app ends a browser's session");

    into_app(&stack);
    for path in ["/auth/session", "/auth/verify"] {
        assert_eq!(browser.fetch(path, None).await.status, 401, "{path}");
        let bearer = guest.ask("GET", path).header("authorization", &format!("Bearer {token}"));
        assert_eq!(bearer.send().await.status, 200, "{path}");
        let both = browser.ask("GET", path).header("authorization", "Bearer x").send().await;
        assert_eq!(both.status, 401, "{path}");
    }
    let answer = browser.sign_in_at_amazon("nora", "/").await;
    assert_eq!(
        answer.location(),
        format!("{}/", stack.url),
        "an app's session signs no browser in"
    );
}

#[tokio::test]
async fn c21_noting_the_use_of_a_session_that_has_ended_meanwhile_does_not_bring_it_back() {
    let stack = stack_with(&[("SessionIdleSeconds", "300")]).await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;
    let told = browser.fetch("/auth/session", None).await.json();
    let csrf = told["csrf"].as_str().unwrap().to_owned();
    // A process of each function waits, so that no start comes between.
    browser.copy().post("/auth/logout", &[]).await;
    let row = stack.dynamodb.scan("sessions").unwrap().remove(0);
    let key = ["pk", "sk"].map(|name| (name, row[name]["S"].as_str().unwrap()));
    let seen: i64 = number(&row, "last_seen") - 100;
    stack.dynamodb.set("sessions", &key, "last_seen", seen).unwrap();
    let other = browser.copy();
    let mut gate = stack.dynamodb.gate();

    let meanwhile = async {
        let read = gate.next().await.unwrap();
        assert_eq!(read.call.what, "GetItem sessions");
        read.pass();
        let noted = gate.next().await.unwrap();
        assert_eq!(noted.call.what, "UpdateItem sessions");
        let fields = [("csrf", csrf.as_str())];
        let leave = browser.post("/auth/logout", &fields);
        let end = async {
            let end = gate.next().await.unwrap();
            assert_eq!(end.call.what, "DeleteItem sessions");
            end.pass();
        };
        let (bye, ()) = tokio::join!(leave, end);
        assert_eq!(bye.status, 303);
        noted.pass();
    };
    let (answer, ()) = tokio::join!(other.fetch("/auth/session", None), meanwhile);
    drop(gate);

    assert_eq!(answer.status, 200, "it was asked before it ended");
    assert!(stack.dynamodb.scan("sessions").unwrap().is_empty());
    assert_eq!(other.account().await, None);
}

fn number(row: &Value, name: &str) -> i64 {
    row[name]["N"].as_str().unwrap().parse().unwrap()
}
