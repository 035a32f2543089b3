//! Tickets that are stolen, replayed, over, or for something else.

use futures_util::future::join_all;
use local_stack::{Options, Stack, Timestamp};
use serde_json::json;
use tests::{Answer, Browser, LOGIN, SESSION, TICKET};

use crate::{NOON, buttons::Button, pretenders::counted, stack, stack_with};

const RIGHT: &str = "ann-local-password";

/// How many guesses the holder of this ticket has left, and whether there is such a ticket.
async fn attempts_left(browser: &Browser<'_>) -> Option<u64> {
    browser.fetch("/auth/amazon/link", None).await.json()["attempts_left"].as_u64()
}

fn is_linked(stack: &Stack, account: &str) -> bool {
    let rows = stack.dynamodb.scan("identities").unwrap();
    rows.iter().any(|row| row["pk"]["S"] == format!("ACCOUNT#{account}"))
}

#[tokio::test]
async fn d06_what_can_be_seen_of_a_page_is_no_ticket() {
    let stack = stack().await;
    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("ann", "/").await;
    let (csrf, ticket) = (page.input("csrf"), ann.cookie(TICKET).unwrap());
    let path = "/auth/amazon/link";
    let right = [("csrf", csrf), ("password", RIGHT)];

    // The form without the cookie, and the ticket where no ticket is looked for.
    let thief = Browser::new(&stack);
    let post = || thief.ask("POST", path).header("origin", &stack.url);
    let bearer = format!("Bearer {ticket}");
    let mut with_ticket = right.to_vec();
    with_ticket.push(("ticket", &ticket));
    let in_json = json!({"csrf": csrf, "password": RIGHT, "ticket": ticket}).to_string();
    for (ask, status) in [
        (post().form(&right), 410),
        (post().form(&right).header("authorization", &bearer), 410),
        (post().form(&right).header("x-ticket", &ticket), 410),
        (post().form(&with_ticket), 400),
        (post().body("application/json", in_json), 400),
        (post().form(&right).cookies(&format!("lwa_ticket={ticket}")), 410),
        (post().form(&right).cookies(&format!("__Secure-lwa_ticket={ticket}")), 410),
        (post().form(&right).cookies(&format!("__host-lwa_ticket={ticket}")), 410),
        (post().form(&right).cookies(&format!("{SESSION}={ticket}")), 410),
        (post().form(&right).cookies(&format!("{LOGIN}={ticket}")), 410),
        (thief.ask("GET", &format!("{path}?ticket={ticket}&csrf={csrf}")), 410),
        (thief.ask("GET", path).header("authorization", &bearer), 410),
    ] {
        assert_eq!(ask.send().await.status, status);
    }
    for place in ["ticket", TICKET, "lwa_ticket"] {
        let to = format!("{path}?{place}={ticket}");
        let ask = thief.ask("POST", &to).header("origin", &stack.url).form(&right);
        assert_eq!(ask.send().await.status, 410, "{place}");
    }

    // Somebody else's cookie with this form, and this cookie with somebody else's form.
    stack.amazon.change("nora", |nora| nora.email = Some("ann@example.com".to_owned()));
    let nora = Browser::new(&stack);
    let hers = nora.asked_after_amazon("nora", "/").await;
    assert_eq!(nora.post(path, &right).await.status, 403);
    let crossed = [("csrf", hers.input("csrf")), ("password", RIGHT)];
    assert_eq!(ann.post(path, &crossed).await.status, 403);

    assert_eq!((attempts_left(&ann).await, counted(&stack)), (Some(5), 0));
    assert!(!is_linked(&stack, "ann"));
    assert_eq!(ann.prove(&page, RIGHT).await.status, 303, "it is all as it was for its owner");
}

#[tokio::test]
async fn d07_a_ticket_that_was_copied_is_worth_nothing_once_it_was_used() {
    let stack = stack().await;
    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("ann", "/checkout").await;
    let thief = ann.copy();
    assert_eq!(ann.prove(&page, RIGHT).await.status, 303);
    let before = stack.dynamodb.snapshot().unwrap();

    let again = join_all((0..50).map(|_| thief.prove(&page, RIGHT))).await;

    for answer in again {
        assert_eq!((answer.status, answer.code()), (410, "ticket_expired"));
        assert!(answer.header("set-cookie").is_none());
    }
    assert_eq!(thief.account().await, None);
    for path in ["/auth/amazon/link", "/auth/amazon/register"] {
        assert_eq!(thief.get(path).await.status, 410, "{path}");
    }
    let csrf = [("csrf", page.input("csrf"))];
    for path in ["/auth/amazon/link/forgot", "/auth/amazon/switch"] {
        assert_eq!(thief.post(path, &csrf).await.status, 410, "{path}");
    }
    assert!(stack.dynamodb.snapshot().unwrap() == before);
    assert_eq!(ann.account().await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn d08_a_ticket_ends_to_the_second_though_its_row_is_there() {
    let stack = Options { stopped_at: Some(NOON), ..Options::default() }.start().await.unwrap();
    let at = |seconds: i64| stack.set_clock(Timestamp(NOON.0 + seconds)).unwrap();
    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("ann", "/").await;
    let forgetful = Browser::new(&stack);
    stack.amazon.change("nora", |nora| nora.email = Some("bob@example.com".to_owned()));
    let hers = forgetful.asked_after_amazon("nora", "/").await;
    let noa = Browser::new(&stack);
    let form = noa.asked_after_amazon("noa", "/").await;
    let registering = [("csrf", form.input("csrf")), ("email", "noa@home.example")];

    at(899);
    assert_eq!(ann.prove(&page, "not-her-password").await.status, 401);
    assert_eq!(noa.get("/auth/amazon/register").await.status, 200);
    let forgot = [("csrf", hers.input("csrf"))];
    assert_eq!(forgetful.post("/auth/amazon/link/forgot", &forgot).await.status, 303);
    let before = stack.dynamodb.snapshot().unwrap();
    for seconds in [900, 901, 86_400, 10_000_000] {
        at(seconds);
        assert_eq!(ann.prove(&page, RIGHT).await.status, 410, "{seconds}");
        assert_eq!(ann.get("/auth/amazon/link").await.status, 410, "{seconds}");
        let late = [("csrf", page.input("csrf"))];
        assert_eq!(ann.post("/auth/amazon/link/forgot", &late).await.status, 410, "{seconds}");
        assert_eq!(noa.get("/auth/amazon/register").await.status, 410, "{seconds}");
        assert_eq!(noa.post("/auth/amazon/register", &registering).await.status, 410, "{seconds}");
    }
    assert!(
        stack.dynamodb.snapshot().unwrap() == before,
        "the rows are there, and nothing was done"
    );

    // Whoever pressed "forgot" has a day from the start, however often they press it.
    at(86_399);
    assert_eq!(forgetful.post("/auth/amazon/link/forgot", &forgot).await.status, 303);
    assert_eq!(attempts_left(&forgetful).await, Some(5));
    at(86_400);
    assert_eq!(forgetful.prove(&hers, "bob-local-password").await.status, 410);
    assert_eq!(forgetful.post("/auth/amazon/link/forgot", &forgot).await.status, 410);
    assert_eq!(forgetful.account().await, None);
}

#[tokio::test]
async fn d09_nothing_that_a_form_holds_besides_changes_whose_account_it_is() {
    let stack = stack().await;
    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("ann", "/checkout").await;
    let csrf = page.input("csrf");
    let rows = stack.dynamodb.snapshot().unwrap();
    let extras = [
        ("account_id", "lin"),
        ("account", "lin"),
        ("id", "lin"),
        ("email", "lin@example.com"),
        ("user_id", "amzn1.account.ALIN"),
        ("amazon_user_id", "amzn1.account.ALIN"),
        ("attempts_left", "99"),
        ("purpose", "switch"),
        ("return_to", "/elsewhere"),
        ("expires_at", "9999999999"),
        ("used", ""),
        ("Password", RIGHT),
        ("password[]", RIGHT),
        ("csrf[0]", csrf),
        ("__proto__", "x"),
        ("", "x"),
    ];
    for (name, value) in extras {
        let fields = [("csrf", csrf), ("password", RIGHT), (name, value)];
        assert_eq!(ann.post("/auth/amazon/link", &fields).await.status, 400, "{name}");
        let mut body = json!({"csrf": csrf, "password": RIGHT});
        body[name] = value.into();
        assert_eq!(ann.fetch("/auth/amazon/link", Some(body)).await.status, 400, "{name}");
    }
    for name in ["csrf", "password", "username"] {
        let fields = [("csrf", csrf), ("password", RIGHT), ("username", "a"), (name, "b")];
        assert_eq!(ann.post("/auth/amazon/link", &fields).await.status, 400, "{name} twice");
    }
    assert!(stack.dynamodb.snapshot().unwrap() == rows);

    // In the query it is as if it were not there.
    let query = "account_id=lin&email=lin%40example.com&password=lin-local-password&user_id=x";
    let fields = [("csrf", csrf), ("username", "lin@example.com"), ("password", RIGHT)];
    let linked = ann.post(&format!("/auth/amazon/link?{query}"), &fields).await;
    assert!(linked.location().ends_with("/checkout"), "{}", linked.location());
    assert_eq!(ann.account().await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn d10_every_ticket_opens_one_door_and_nothing_else_opens_any() {
    let stack = stack_with(&[]).await;
    let registering = Button::Register.reach(&stack).await;
    let register = registering.browser.cookie(TICKET).unwrap();
    let linking = Button::Link.reach(&stack).await;
    let link = linking.browser.cookie(TICKET).unwrap();
    let switching = Button::Switch.reach(&stack).await;
    let switch = switching.browser.cookie(TICKET).unwrap();
    let session = switching.browser.cookie(SESSION).unwrap();
    let login = {
        let browser = Browser::new(&stack);
        browser.begin("/").await;
        browser.cookie(LOGIN).unwrap()
    };
    let told = switching.browser.fetch("/auth/session", None).await.json();
    let of_session = told["csrf"].as_str().unwrap();
    let rows = stack.dynamodb.snapshot().unwrap();

    let buttons = [
        (Button::Link, "link"),
        (Button::Forgot, "link"),
        (Button::Register, "register"),
        (Button::Switch, "switch"),
    ];
    for (kind, ticket, csrf) in [
        ("link", &link, linking.csrf.as_str()),
        ("register", &register, &registering.csrf),
        ("switch", &switch, &switching.csrf),
        ("session", &session, of_session),
        ("login", &login, of_session),
    ] {
        let holder = Browser::new(&stack);
        holder.keep_cookie(TICKET, ticket);
        for (path, fits) in [("/auth/amazon/link", "link"), ("/auth/amazon/register", "register")] {
            let status = holder.get(path).await.status;
            assert_eq!(status, if kind == fits { 200 } else { 410 }, "{kind} at GET {path}");
        }
        for (button, fits) in buttons.into_iter().filter(|(_, fits)| *fits != kind) {
            let ask = holder.ask("POST", button.path()).header("origin", &stack.url);
            let ask = ask.body("application/x-www-form-urlencoded", button.form(Some(csrf)));
            let answer: Answer = ask.send().await;
            assert_eq!(answer.status, 410, "{kind} at {button:?}, for {fits}");
            assert!(answer.header("set-cookie").is_none(), "{kind} at {button:?}");
        }
    }
    // And none of them is a session, as cookie or as token.
    for other in [&link, &register, &switch, &login] {
        let holder = Browser::new(&stack);
        holder.keep_cookie(SESSION, other);
        assert_eq!(holder.account().await, None);
        let ask = holder.ask("GET", "/auth/session").cookies("");
        let ask = ask.header("authorization", &format!("Bearer {other}"));
        assert_eq!(ask.send().await.status, 401);
    }
    assert!(stack.dynamodb.snapshot().unwrap() == rows);
}

#[tokio::test]
async fn d17_another_accounts_password_links_nothing() {
    let stack = stack().await;
    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("ann", "/").await;
    let fields = [
        ("csrf", page.input("csrf")),
        ("username", "lin@example.com"),
        ("password", "lin-local-password"),
    ];

    let answer = ann.post("/auth/amazon/link", &fields).await;

    assert_eq!((answer.status, answer.code()), (401, "wrong_password"));
    assert_eq!(answer.input("username"), "ann@example.com", "it stays whose it was");
    assert_eq!(ann.account().await, None);
    assert!(!is_linked(&stack, "ann"));
    let lin = stack.dynamodb.get("identities", &[("pk", "ACCOUNT#lin")]).unwrap();
    let her_own = stack.amazon.user_id("lin", local_stack::amazon::SHOP_CLIENT_ID);
    assert_eq!(lin["amazon_user_id"]["S"], her_own);
}
