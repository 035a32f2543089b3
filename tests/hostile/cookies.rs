//! Cookies: what ours look like, and those that are almost ours.

use std::collections::BTreeMap;

use local_stack::{Options, Stack};
use tests::{Browser, LOGIN, SESSION, TICKET};

use crate::{
    NOON,
    back::{Back, Untouched, ending},
    stack,
    walk::walk,
};

#[tokio::test]
async fn c03_every_cookie_of_a_whole_walk_is_set_and_taken_back_with_all_attributes() {
    let stack = Options { stopped_at: Some(NOON), ..Options::default() }.start().await.unwrap();
    let walk = walk(&stack, 1).await;
    let mut seen = BTreeMap::<(String, i64), usize>::new();
    for (event, answers) in &walk.events {
        let answer = &answers[0];
        let mut names = Vec::new();
        for header in answer.headers.get_all("set-cookie") {
            let header = header.to_str().unwrap();
            let (pair, attributes) = header.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let lives =
                attributes.strip_prefix(" Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=");
            let lives = lives.unwrap_or_else(|| panic!("{}: {header}", event.to));
            let lives: i64 = lives.parse().unwrap();
            assert_eq!(value.is_empty(), lives == 0, "{header}");
            assert!(
                value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)),
                "{header}"
            );
            assert!(!names.contains(&name), "{name} twice: {}", event.to);
            names.push(name);
            *seen.entry((name.to_owned(), lives)).or_default() += 1;
        }
        let quiet = ["/auth/session", "/auth/verify"].contains(&&*event.to);
        assert!(!quiet || names.is_empty(), "{}: {names:?}", event.to);
    }
    let of = |name: &str| {
        let lives = seen.keys().filter(|(of, _)| of == name).map(|(_, lives)| *lives);
        lives.collect::<Vec<_>>()
    };
    assert_eq!(of(LOGIN), [600]);
    assert_eq!(of(SESSION), [0, 604_800]);
    // Whoever forgot the password has a day from the start of it.
    assert_eq!(of(TICKET), [0, 900, 86_400]);
    assert_eq!(seen.len(), 6, "there are no others: {seen:?}");
}

/// Names that are not ours, whatever somebody takes them for.
fn impostors(name: &str) -> Vec<String> {
    let bare = name.strip_prefix("__Host-").unwrap();
    vec![
        bare.to_owned(),
        format!("__host-{bare}"),
        format!("__HOST-{bare}"),
        format!("__Host-{}", bare.to_uppercase()),
        format!("__Secure-{bare}"),
        format!("__Host-{}", bare.replace('_', "-")),
        format!("{name}s"),
        format!("{name}[]"),
        format!("{name}%20"),
        format!("%5F%5FHost-{bare}"),
        format!("\"{name}\""),
        format!("={name}"),
        format!("$Path=/; $Version=1; x{name}"),
        format!("a,{name}"),
    ]
}

async fn whose(browser: &Browser<'_>, cookies: &str) -> (Option<String>, u16) {
    let answer = browser.ask("GET", "/auth/session").cookies(cookies).send().await;
    let proxy = browser.ask("GET", "/auth/verify").cookies(cookies).send().await;
    let json = answer.json();
    let account = json["account"]["id"].as_str().map(str::to_owned);
    assert_eq!(proxy.header("remote-user"), account.as_deref(), "{cookies}");
    assert_eq!(proxy.status, answer.status, "{cookies}");
    (account, answer.status)
}

async fn signed_in(stack: &Stack, customer: &str) -> (String, String) {
    let browser = Browser::new(stack);
    browser.sign_in_at_amazon(customer, "/").await;
    let told = browser.fetch("/auth/session", None).await.json();
    (browser.cookie(SESSION).unwrap(), told["csrf"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn c04_a_cookie_that_a_neighbour_could_set_is_none_of_ours() {
    let stack = stack().await;
    stack.link("ann", "ann").await.unwrap();
    let (good, _) = signed_in(&stack, "lin").await;
    let (evil, _) = signed_in(&stack, "ann").await;
    let browser = Browser::new(&stack);
    for impostor in impostors(SESSION) {
        assert_eq!(whose(&browser, &format!("{impostor}={evil}")).await, (None, 401), "{impostor}");
        for both in [
            format!("{impostor}={evil}; {SESSION}={good}"),
            format!("{SESSION}={good}; {impostor}={evil}"),
        ] {
            let lin = Some("lin".to_owned());
            assert_eq!(whose(&browser, &both).await, (lin, 200), "{both}");
        }
    }
    for quoted in [format!("{SESSION}=\"{good}\""), format!("{SESSION}= {good}x")] {
        assert_eq!(whose(&browser, &quoted).await, (None, 401), "{quoted}");
    }
}

#[tokio::test]
async fn c04_a_sign_in_or_a_ticket_that_a_neighbour_plants_leads_nowhere() {
    let stack = stack().await;
    let attacker = Browser::new(&stack);
    attacker.asked_after_amazon("ann", "/").await;
    let back = Back::begin(&attacker, &stack, "nora").await;
    let (login, ticket) = (attacker.cookie(LOGIN).unwrap(), attacker.cookie(TICKET).unwrap());
    let victim = Browser::new(&stack);
    let untouched = Untouched::now(&stack);
    for (login_name, ticket_name) in impostors(LOGIN).into_iter().zip(impostors(TICKET)) {
        let planted = format!("{login_name}={login}; {ticket_name}={ticket}");
        let page = victim.ask("GET", &back.url).header("sec-fetch-site", "cross-site");
        let page = page.cookies(&planted).send().await;
        assert_eq!(ending(&page), (400, "start_over"), "{planted}");
        for path in ["/auth/amazon/link", "/auth/amazon/register"] {
            let page = victim.ask("GET", path).cookies(&planted).send().await;
            assert_eq!(ending(&page), (410, "ticket_expired"), "{planted}");
        }
    }
    untouched.check("for cookies of a neighbour's");
    assert_eq!(attacker.come_back(&back.url).await.status, 303);
}

/// So many cookies of one name, the good one at this place among others of no worth; in one header
/// or in many, with others in between.
fn duplicates(name: &str, good: &str, count: usize, place: usize) -> Vec<String> {
    let mut all: Vec<_> = (1..count).map(|number| format!("{name}=x{number}")).collect();
    all.insert(place, format!("{name}={good}"));
    all
}

#[tokio::test]
async fn c05_of_two_and_more_different_cookies_of_one_name_none_counts() {
    let stack = stack().await;
    let (good, _) = signed_in(&stack, "lin").await;
    let browser = Browser::new(&stack);
    let untouched = Untouched::now(&stack);
    stack.dynamodb.reset_requests();
    let strangers = |count: usize| (0..count).map(|number| format!("site{number}=1"));
    for count in [2, 3, 10, 63, 64, 65, 66, 100] {
        for place in [0, count / 2, count - 1] {
            let twins = duplicates(SESSION, &good, count, place);
            let apart = [&twins[..1], &strangers(70).collect::<Vec<_>>(), &twins[1..]].concat();
            let joined = twins.join("; ");
            assert_eq!(whose(&browser, &joined).await, (None, 401), "{count}, {place}");
            assert_eq!(whose(&browser, &apart.join("; ")).await, (None, 401), "{count}, {place}");
            let mut ask = browser.ask("GET", "/auth/session").cookies(&twins[0]);
            for twin in &twins[1..] {
                ask = ask.another_header("cookie", twin);
            }
            // A hundred headers are more than a gateway reads.
            let status = if count < 90 { 401 } else { 431 };
            assert_eq!(ask.send().await.status, status, "{count}, {place}, in many headers");
        }
    }
    let asked = stack.dynamodb.calls().into_iter().filter(|call| call.trace.is_some());
    assert_eq!(asked.count(), 0, "nothing is looked up");
    untouched.check("for cookies that contradict each other");
    // A visitor with many cookies of other names is a visitor, wherever ours stands.
    for place in [0, 63, 64, 65, 170] {
        let mut all: Vec<_> = strangers(170).collect();
        all.insert(place, format!("{SESSION}={good}"));
        assert_eq!(
            whose(&browser, &all.join("; ")).await,
            (Some("lin".to_owned()), 200),
            "{place}"
        );
    }
    let twice = format!("{SESSION}={good}; a=b; {SESSION}={good}");
    assert_eq!(whose(&browser, &twice).await.1, 200, "the same one twice is one");
}

#[tokio::test]
async fn c05_of_two_sign_ins_or_tickets_in_one_browser_none_counts() {
    let stack = stack().await;
    let (one, two) = (Browser::new(&stack), Browser::new(&stack));
    let back = Back::begin(&one, &stack, "lin").await;
    two.begin("/").await;
    let pages = [&one, &two].map(async |browser| browser.asked_after_amazon("ann", "/").await);
    let [page, other] = pages;
    let (page, _) = (page.await, other.await);
    let cookie = |browser: &Browser<'_>, name: &str| browser.cookie(name).unwrap();
    let fields = [("csrf", page.input("csrf")), ("password", "ann-local-password")];
    let untouched = Untouched::now(&stack);
    for (left, right) in [(&one, &two), (&two, &one)] {
        let logins = format!("{LOGIN}={}; {LOGIN}={}", cookie(left, LOGIN), cookie(right, LOGIN));
        let page = one.ask("GET", &back.url).header("sec-fetch-site", "cross-site");
        let page = page.cookies(&logins).send().await;
        assert_eq!(ending(&page), (400, "start_over"));

        let tickets =
            format!("{TICKET}={}; {TICKET}={}", cookie(left, TICKET), cookie(right, TICKET));
        for path in ["/auth/amazon/link", "/auth/amazon/register"] {
            let page = one.ask("GET", path).cookies(&tickets).send().await;
            assert_eq!(ending(&page), (410, "ticket_expired"), "{path}");
        }
        for path in ["link", "link/forgot", "link/cancel", "register", "switch"] {
            let fields = if path == "link" { &fields[..] } else { &fields[..1] };
            let ask = one.ask("POST", &format!("/auth/amazon/{path}")).cookies(&tickets);
            let page = ask.header("origin", &stack.url).form(fields).send().await;
            assert_eq!(ending(&page), (410, "ticket_expired"), "{path}");
        }
    }
    untouched.check("for cookies that contradict each other");
}

#[tokio::test]
async fn c05_whoever_holds_two_sessions_is_signed_in_by_neither_and_ends_neither() {
    let stack = stack().await;
    stack.link("ann", "ann").await.unwrap();
    let (lin, csrf) = signed_in(&stack, "lin").await;
    let (ann, _) = signed_in(&stack, "ann").await;
    let browser = Browser::new(&stack);
    for both in
        [format!("{SESSION}={lin}; {SESSION}={ann}"), format!("{SESSION}={ann}; {SESSION}={lin}")]
    {
        let ask = browser.ask("POST", "/auth/logout").header("origin", &stack.url).cookies(&both);
        let bye = ask.form(&[("csrf", &csrf)]).send().await;
        assert_eq!(bye.status, 303);
        let gone = format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
        assert_eq!(bye.header("set-cookie"), Some(&*gone), "the browser is rid of both");
        for (session, account) in [(&lin, "lin"), (&ann, "ann")] {
            let whose = whose(&browser, &format!("{SESSION}={session}")).await;
            assert_eq!(whose, (Some(account.to_owned()), 200));
        }
        // Neither is replaced, nor asked about.
        let back = Back::begin(&browser, &stack, "lin").await;
        let cookies = format!("{both}; {LOGIN}={}", browser.cookie(LOGIN).unwrap());
        let ask = browser.ask("GET", &back.url).header("sec-fetch-site", "cross-site");
        assert_eq!(ask.cookies(&cookies).send().await.status, 303);
        assert_eq!(whose(&browser, &format!("{SESSION}={lin}")).await.1, 200);
        assert_eq!(whose(&browser, &format!("{SESSION}={ann}")).await.1, 200);
    }
}
