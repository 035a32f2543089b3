//! States that are made up, somebody else's, used, too old, or for something else.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use local_stack::{Options, Timestamp, amazon::Endpoint};
use tests::{Browser, LOGIN, SESSION, TICKET};

use crate::{
    NOON,
    again::sessions,
    back::{Back, Untouched, ending},
    stack,
};

/// Everything that looks a little like this state, as it would stand in a query.
fn forgeries(state: &str, verifier: &str) -> BTreeSet<String> {
    let at = |place: usize| (&state[..place], &state[place..=place], &state[place + 1..]);
    let mut all = BTreeSet::new();
    for place in 0..state.len() {
        let (before, one, after) = at(place);
        let next = if one == "A" { "B" } else { "A" };
        let byte = one.as_bytes()[0];
        let flipped = char::from(byte ^ 0x20);
        all.extend([
            format!("{before}{next}{after}"),
            format!("{before}{after}"),
            format!("{before}{one}{one}{after}"),
            before.to_owned(),
            after.to_owned(),
        ]);
        if flipped.is_ascii_alphabetic() {
            all.insert(format!("{before}{flipped}{after}"));
        }
    }
    let spare = |last: char| format!("{}{last}", &state[..state.len() - 1]);
    // The same 256 bits, were the two that are left over not looked at.
    all.extend(('A'..='Z').chain('a'..='z').chain('0'..='9').map(spare));
    all.extend([
        format!("{state}{state}"),
        format!("{state}%00"),
        format!("{state}="),
        format!("{state}%20"),
        format!("+{state}"),
        format!("%EF%BB%BF{state}"),
        format!("{state}.{verifier}"),
        format!("{state}~{state}"),
        state.chars().rev().collect(),
        state.to_ascii_lowercase(),
        state.to_ascii_uppercase(),
        "A".repeat(43),
        verifier.to_owned(),
        "%FF".repeat(43),
        "null".to_owned(),
        "*".to_owned(),
    ]);
    all.remove(state);
    all
}

#[tokio::test]
async fn a02_a_state_forged_in_two_hundred_ways_finishes_no_sign_in() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let back = Back::begin(&browser, &stack, "lin").await;
    let cookie = browser.cookie(LOGIN).unwrap();
    let forgeries = forgeries(&back.state, cookie.split('.').nth(1).unwrap());
    assert!(forgeries.len() >= 200, "{}", forgeries.len());
    let untouched = Untouched::now(&stack);

    for forged in &forgeries {
        let url = back.with(&format!("code={}&state={forged}", back.code));
        let page = browser.come_back(&url).await;
        assert_eq!(ending(&page), (400, "start_over"), "{forged}");
        assert!(page.header("set-cookie").is_none(), "{forged}");
    }

    untouched.check("for a state that was never given out");
    assert_eq!(browser.come_back(&back.url).await.status, 303, "the true one is not used up");
    assert_eq!(browser.account().await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn a03_b13_nobody_is_signed_in_by_a_callback_that_another_browser_began() {
    let stack = stack().await;
    for customer in ["lin", "nora", "ann", "noa"] {
        for pending in [false, true] {
            let (attacker, victim) = (Browser::new(&stack), Browser::new(&stack));
            let back = Back::begin(&attacker, &stack, customer).await;
            let own = match pending {
                true => Some(Back::begin(&victim, &stack, "lin").await),
                false => None,
            };
            let untouched = Untouched::now(&stack);

            let page = victim.come_back(&back.url).await;

            assert_eq!(ending(&page), (400, "start_over"), "{customer}");
            untouched.check("for somebody else's callback");
            assert!([SESSION, TICKET].iter().all(|name| victim.cookie(name).is_none()));
            if let Some(own) = own {
                assert_eq!(victim.come_back(&own.url).await.status, 303, "their own goes on");
                assert_eq!(victim.account().await.as_deref(), Some("lin"));
            }
            let redeemed = attacker.come_back(&back.url).await;
            assert_eq!(redeemed.status, 303, "the code was never sent to Amazon");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_fifty_callbacks_at_once_redeem_one_code_and_open_one_session() {
    let stack = stack().await;
    for customer in ["lin", "nora"] {
        let browser = Browser::new(&stack);
        let back = Back::begin(&browser, &stack, customer).await;
        let calls = stack.amazon.calls_of(Endpoint::Token).len();
        let before = sessions(&stack);

        let copies: Vec<_> = (0..50).map(|_| browser.copy()).collect();
        let answers = join_all(copies.iter().map(|copy| copy.come_back(&back.url))).await;

        let (won, lost): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.header("set-cookie").is_some());
        assert_eq!(won.len(), 1, "{customer}");
        assert!(lost.iter().all(|answer| ending(answer) == (400, "start_over")), "{customer}");
        assert_eq!(stack.amazon.calls_of(Endpoint::Token).len(), calls + 1);
        assert_eq!(sessions(&stack), before + 1);
        let mut signed_in = 0;
        for copy in &copies {
            signed_in += usize::from(copy.account().await.is_some());
        }
        assert_eq!(signed_in, 1, "{customer}");
    }
}

#[tokio::test]
async fn a06_a_sign_in_is_over_after_ten_minutes_to_the_second() {
    let options = Options { stopped_at: Some(NOON), ..Options::default() };
    let stack = options.start().await.unwrap();
    let later = |seconds| Timestamp(NOON.0 + seconds);
    for (seconds, in_time) in [(0, true), (599, true), (600, false), (601, false), (3600, false)] {
        stack.set_clock(NOON).unwrap();
        let browser = Browser::new(&stack);
        let at_amazon = browser.begin("/checkout").await;
        // The customer says yes at the last moment: Amazon's codes are young, whatever our states.
        stack.set_clock(later(seconds)).unwrap();
        let back = stack.amazon.allow(&at_amazon, "lin").unwrap();
        let untouched = Untouched::now(&stack);

        let answer = browser.come_back(&back).await;

        if in_time {
            assert_eq!(answer.status, 303, "after {seconds} s");
            assert_eq!(browser.account().await.as_deref(), Some("lin"));
            continue;
        }
        assert_eq!(ending(&answer), (400, "start_over"), "after {seconds} s");
        assert_eq!(answer.link("Try again"), "/auth/amazon/login?return_to=%2Fcheckout");
        untouched.check("for a sign-in that was over");
        assert_eq!(browser.account().await, None);
        let again = browser.sign_in_at_amazon("lin", "/checkout").await;
        assert_eq!(again.status, 303, "starting over helps");
    }
}

#[tokio::test]
async fn a06_a_sign_in_that_began_in_the_future_is_over_too() {
    let options = Options { stopped_at: Some(NOON), ..Options::default() };
    let stack = options.start().await.unwrap();
    let browser = Browser::new(&stack);
    let at_amazon = browser.begin("/").await;
    let back = stack.amazon.allow(&at_amazon, "lin").unwrap();

    stack.set_clock(Timestamp(NOON.0 - 600)).unwrap();
    let page = browser.come_back(&back).await;
    assert_eq!(ending(&page), (400, "start_over"));

    stack.set_clock(Timestamp(NOON.0 - 599)).unwrap();
    assert_eq!(browser.come_back(&back).await.status, 303, "clocks may differ a little");
}

#[tokio::test]
async fn a19_a_sign_in_is_finished_as_what_it_was_begun_as() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;
    for more in [
        "intent=link",
        "intent=link&account_id=lin",
        "purpose=switch",
        "mode=link&confirm=yes",
        "link=1&csrf=x&password=lin-local-password",
        "return_to=/auth/amazon/link",
        "user_id=amzn1.account.AEVIL&account=lin",
    ] {
        let customer = if more.starts_with("link") { "ann" } else { "nora" };
        let back = Back::begin(&browser, &stack, customer).await;
        let links = stack.dynamodb.scan("identities").unwrap();

        let answer = browser.come_back(&format!("{}&{more}", back.url)).await;

        let page = if customer == "ann" { "link" } else { "register" };
        assert_eq!(answer.location(), format!("{}/auth/amazon/{page}", stack.url), "{more}");
        assert_eq!(stack.dynamodb.scan("identities").unwrap(), links, "{more}");
        assert_eq!(browser.account().await.as_deref(), Some("lin"), "{more}");
    }
}

#[tokio::test]
async fn a19_d10_a_ticket_is_taken_at_the_page_that_it_is_for_and_nowhere_else() {
    let stack = stack().await;
    let tickets = [("ann", "link"), ("noa", "register"), ("sam", "switch")];
    stack.amazon.world().customers.push(local_stack::amazon::Customer::new("sam"));
    stack.link("sam", "sam").await.unwrap();
    for (customer, made_for) in tickets {
        let browser = Browser::new(&stack);
        browser.sign_in_at_amazon("lin", "/").await;
        let answer = browser.sign_in_at_amazon(customer, "/").await;
        let page = browser.land(answer).await;
        let csrf = page.input("csrf").to_owned();
        let rows = stack.dynamodb.scan("identities").unwrap();
        let forms: [(&str, &[(&str, &str)]); 4] = [
            ("link", &[("password", "lin-local-password")]),
            ("link/forgot", &[]),
            ("register", &[("email", "new@home.example")]),
            ("switch", &[]),
        ];
        for (other, fields) in forms {
            if other.starts_with(made_for) {
                continue;
            }
            let fields = [&[("csrf", csrf.as_str())], fields].concat();
            let answer = browser.post(&format!("/auth/amazon/{other}"), &fields).await;
            assert_eq!(ending(&answer), (410, "ticket_expired"), "{made_for} at {other}");
            assert_eq!(browser.account().await.as_deref(), Some("lin"), "{made_for} at {other}");
        }
        for other in ["link", "register"] {
            if other != made_for {
                let page = browser.get(&format!("/auth/amazon/{other}")).await;
                assert_eq!(ending(&page), (410, "ticket_expired"), "{made_for} at {other}");
            }
        }
        assert_eq!(stack.dynamodb.scan("identities").unwrap(), rows, "{made_for}");
        let fields: &[(&str, &str)] = match made_for {
            "link" => &[("password", "ann-local-password")],
            "register" => &[("email", "noa@home.example")],
            _ => &[],
        };
        let fields = [&[("csrf", csrf.as_str())], fields].concat();
        let answer = browser.post(&format!("/auth/amazon/{made_for}"), &fields).await;
        assert_eq!(answer.status, 303, "{made_for} is still good for what it was made for");
    }
}

#[tokio::test]
async fn a21_of_six_tabs_with_the_longest_paths_the_first_makes_room() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    // What a browser carries at most: a session and a ticket as well.
    browser.sign_in_at_amazon("lin", "/").await;
    browser.asked_after_amazon("ann", "/").await;
    let mut tabs = Vec::new();
    for tab in 0..6 {
        let path = format!("/checkout?tab={tab}&{}", "x".repeat(496));
        assert_eq!(path.len(), 512);
        tabs.push((
            Back::of(&stack.amazon.allow(&browser.begin(&path).await, "lin").unwrap()),
            path,
        ));
        let cookie = browser.cookie(LOGIN).unwrap();
        assert!(LOGIN.len() + 1 + cookie.len() <= 4096, "{}", cookie.len());
    }
    let cookies: usize = [LOGIN, SESSION, TICKET]
        .map(|name| name.len() + 3 + browser.cookie(name).unwrap().len())
        .iter()
        .sum();
    assert!(cookies < 5000, "{cookies}: half of what the gateway takes is left to the site");

    let (first, _) = tabs.remove(0);
    let page = browser.come_back(&first.url).await;
    assert_eq!(ending(&page), (400, "start_over"));
    assert!(page.link("Try again").starts_with("/auth/amazon/login"));
    for (back, path) in tabs {
        let answer = browser.come_back(&back.url).await;
        assert_eq!(answer.location(), format!("{}{path}", stack.url));
        assert_eq!(browser.account().await.as_deref(), Some("lin"));
    }
}
