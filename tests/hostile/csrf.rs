//! What other sites make a visitor's browser do.

use local_stack::Stack;
use tests::{Answer, Ask, Browser, LOGIN, SESSION, TICKET};

use crate::{
    back::{Back, Untouched, ending},
    stack,
};

/// Origins that are not ours, however much they look like it. `@` stands for our host and port.
const FOREIGN: [&str; 12] = [
    "null",
    "",
    "https://evil.example",
    "https://@",
    "http://@.evil.example",
    "http://evil.example/@",
    "http://@/",
    "http://@@evil.example",
    "http://localhost",
    "http://LOCALHOST:1",
    "http://127.0.0.1:1",
    "@",
];

fn foreign(stack: &Stack) -> impl Iterator<Item = String> {
    let host = stack.url.strip_prefix("http://").unwrap();
    FOREIGN.into_iter().map(move |origin| origin.replace('@', host))
}

/// What a form of our own pages sends.
fn ours<'a>(browser: &'a Browser<'_>, stack: &Stack, to: &str, fields: &[(&str, &str)]) -> Ask<'a> {
    browser.ask("POST", to).header("origin", &stack.url).form(fields)
}

#[tokio::test]
async fn a04_a_callback_of_an_attackers_links_nothing_to_whoever_is_signed_in() {
    let stack = stack().await;
    // Linked to somebody else, a newcomer, one with somebody's address, one without any.
    stack.link("max", "bob").await.unwrap();
    for customer in ["max", "nora", "ann", "noa"] {
        for pending in [false, true] {
            let (attacker, victim) = (Browser::new(&stack), Browser::new(&stack));
            victim.sign_in_at_amazon("lin", "/").await;
            let session = victim.cookie(SESSION);
            let own = match pending {
                true => Some(Back::begin(&victim, &stack, "lin").await),
                false => None,
            };
            let back = Back::begin(&attacker, &stack, customer).await;
            let untouched = Untouched::now(&stack);

            let page = victim.come_back(&back.url).await;

            assert_eq!(ending(&page), (400, "start_over"), "{customer}");
            untouched.check("for a callback that an attacker began");
            assert_eq!(victim.cookie(SESSION), session, "{customer}");
            assert_eq!(victim.cookie(TICKET), None, "{customer}");
            assert_eq!(victim.account().await.as_deref(), Some("lin"), "{customer}");
            if let Some(own) = own {
                assert_eq!(victim.come_back(&own.url).await.status, 303, "their own goes on");
                assert_eq!(victim.account().await.as_deref(), Some("lin"));
            }
            let answer = attacker.come_back(&back.url).await;
            assert_eq!(answer.status, 303, "the code is still good where it belongs");
            assert_ne!(attacker.account().await.as_deref(), Some("lin"));
        }
    }
}

#[tokio::test]
async fn a04_a_callback_that_another_site_posts_or_embeds_does_nothing() {
    let stack = stack().await;
    let victim = Browser::new(&stack);
    let back = Back::begin(&victim, &stack, "lin").await;
    let untouched = Untouched::now(&stack);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"] {
        let answer = victim.ask(method, &back.url).header("sec-fetch-site", "cross-site");
        let answer = answer.send().await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")), "{method}");
        assert!(answer.header("set-cookie").is_none(), "{method}");
    }
    let (path, query) = back.url.split_once('?').unwrap();
    let form = victim.ask("POST", path).body("application/x-www-form-urlencoded", query);
    assert_eq!(form.send().await.status, 405);
    untouched.check("for a callback that is no navigation");
    assert_eq!(victim.come_back(&back.url).await.status, 303);
}

/// Where a browser says that a request comes from, how it was made, and for what.
struct Told {
    site: Option<&'static str>,
    mode: Option<&'static str>,
    dest: Option<&'static str>,
    ahead: Option<(&'static str, &'static str)>,
}

impl Told {
    fn all() -> Vec<Self> {
        let sites = [
            None,
            Some("same-origin"),
            Some("same-site"),
            Some("none"),
            Some("cross-site"),
            Some("cross-site, same-origin"),
        ];
        let modes = [None, Some("navigate"), Some("cors"), Some("no-cors")];
        let dests = [None, Some("document"), Some("iframe"), Some("image"), Some("empty")];
        let aheads = [
            None,
            Some(("sec-purpose", "prefetch")),
            Some(("sec-purpose", "prefetch;prerender")),
            Some(("purpose", "prefetch")),
        ];
        let mut all = Vec::new();
        for site in sites {
            for mode in modes {
                for dest in dests {
                    all.extend(aheads.map(|ahead| Self { site, mode, dest, ahead }));
                }
            }
        }
        all
    }

    /// The status that it earns.
    fn earns(&self) -> u16 {
        let navigates = self.mode.is_none_or(|mode| mode == "navigate")
            && self.dest.is_none_or(|dest| dest == "document");
        match self.site {
            _ if !navigates || self.ahead.is_some() => 204,
            None | Some("same-origin" | "same-site" | "none") => 303,
            Some(_) => 200,
        }
    }
}

#[tokio::test]
async fn a18_j12_only_a_visitors_own_navigation_leads_to_amazon() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let all = Told::all();
    assert_eq!(all.len(), 6 * 4 * 5 * 4);
    for told in all {
        let mut ask = browser.ask("GET", "/auth/amazon/login?return_to=/checkout");
        let named = [
            ("sec-fetch-site", told.site),
            ("sec-fetch-mode", told.mode),
            ("sec-fetch-dest", told.dest),
        ];
        for (name, value) in named {
            ask = match value {
                Some(value) => ask.header(name, value),
                None => ask.without(name),
            };
        }
        if let Some((name, value)) = told.ahead {
            ask = ask.header(name, value);
        }

        let answer = ask.send().await;

        let seen = format!("{:?} {:?} {:?} {:?}", told.site, told.mode, told.dest, told.ahead);
        assert_eq!(answer.status, told.earns(), "{seen}");
        let begun = answer.status == 303;
        assert_eq!(answer.header("set-cookie").is_some(), begun, "{seen}");
        assert_eq!(answer.header("location").is_some(), begun, "{seen}");
        assert_eq!(browser.cookie(LOGIN).is_some(), begun, "{seen}");
        browser.drop_cookie(LOGIN);
        if answer.status == 200 {
            let button = answer.link("Login with Amazon");
            assert_eq!(button, "/auth/amazon/login?return_to=%2Fcheckout", "{seen}");
        }
    }
    assert!(stack.amazon.calls().is_empty());
    assert!(stack.dynamodb.requests().is_empty());
}

#[tokio::test]
async fn a18_an_old_browser_is_asked_first_by_where_it_comes_from() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let ours = stack.url.clone();
    for (referer, status) in [
        (format!("{ours}/"), 303),
        (format!("{ours}/sign-in?x"), 303),
        (ours.clone(), 303),
        (format!("{ours}.evil.example/"), 200),
        (format!("{ours}@evil.example/"), 200),
        (format!("{ours}1/"), 200),
        (ours.replace("http:", "https:") + "/", 200),
        (format!("https://evil.example/?{ours}/"), 200),
        ("about:blank".to_owned(), 200),
        (String::new(), 200),
    ] {
        let ask = browser.ask("GET", "/auth/amazon/login").without("sec-fetch-site");
        let answer = ask.header("referer", &referer).send().await;
        assert_eq!(answer.status, status, "{referer}");
    }
}

/// Lin is signed in and is asked whether to leave for Ann's account.
async fn asked(browser: &Browser<'_>) -> Answer {
    browser.sign_in_at_amazon("lin", "/").await;
    let page = browser.sign_in_at_amazon("ann", "/checkout").await;
    assert_eq!(ending(&page), (200, "ok"));
    page
}

#[tokio::test]
async fn a20_nobody_but_the_visitor_switches_accounts() {
    const SWITCH: &str = "/auth/amazon/switch";
    let stack = stack().await;
    stack.link("ann", "ann").await.unwrap();
    let (victim, attacker) = (Browser::new(&stack), Browser::new(&stack));
    let page = asked(&victim).await;
    let csrf = page.input("csrf").to_owned();
    let of_session = victim.fetch("/auth/session", None).await.json();
    let of_attacker = asked(&attacker).await.input("csrf").to_owned();
    let form = [("csrf", csrf.as_str())];
    let untouched = Untouched::now(&stack);

    let mut refused = Vec::new();
    for origin in foreign(&stack) {
        refused.push((403, victim.ask("POST", SWITCH).header("origin", &origin).form(&form)));
    }
    refused.push((403, victim.ask("POST", SWITCH).form(&form)));
    for site in ["cross-site", "same-site", "none", "", "same-origin, cross-site"] {
        refused.push((403, ours(&victim, &stack, SWITCH, &form).header("sec-fetch-site", site)));
    }
    let stranger = "A".repeat(43);
    for token in [&*of_attacker, of_session["csrf"].as_str().unwrap(), "", &csrf[1..], &stranger] {
        refused.push((403, ours(&victim, &stack, SWITCH, &[("csrf", token)])));
    }
    refused.push((403, ours(&victim, &stack, SWITCH, &[])));
    refused.push((400, ours(&victim, &stack, SWITCH, &[form[0], ("to", "ann")])));
    refused.push((400, ours(&victim, &stack, SWITCH, &[form[0], form[0]])));
    for kind in ["text/plain", "multipart/form-data; boundary=x", ""] {
        let body = format!("csrf={csrf}");
        refused.push((415, ours(&victim, &stack, SWITCH, &[]).body(kind, body)));
    }
    refused.push((403, ours(&attacker, &stack, SWITCH, &form)));
    let session = victim.cookie(SESSION).unwrap();
    let only_session = format!("{SESSION}={session}");
    refused.push((410, ours(&victim, &stack, SWITCH, &form).cookies(&only_session)));
    for (status, ask) in refused {
        let answer = ask.send().await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.header("set-cookie").is_none(), "{}", answer.text);
    }

    untouched.check("for a button that somebody else pressed");
    assert_eq!(victim.account().await.as_deref(), Some("lin"));
    assert_eq!(ours(&victim, &stack, SWITCH, &form).send().await.status, 303);
    assert_eq!(victim.account().await.as_deref(), Some("ann"));
    assert_eq!(attacker.account().await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn c10_no_other_site_logs_a_visitor_out() {
    const LOGOUT: &str = "/auth/logout";
    let stack = stack().await;
    let (victim, other) = (Browser::new(&stack), Browser::new(&stack));
    let csrf = async |browser: &Browser<'_>| {
        browser.sign_in_at_amazon("lin", "/").await;
        let told = browser.fetch("/auth/session", None).await.json();
        told["csrf"].as_str().unwrap().to_owned()
    };
    let (csrf, of_other) = (csrf(&victim).await, csrf(&other).await);
    let form = [("csrf", csrf.as_str()), ("return_to", "/")];
    let untouched = Untouched::now(&stack);

    let mut refused = Vec::new();
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for to in [LOGOUT.to_owned(), format!("{LOGOUT}?csrf={csrf}")] {
            refused.push((405, victim.ask(method, &to).header("origin", &stack.url)));
        }
    }
    for origin in foreign(&stack) {
        refused.push((403, victim.ask("POST", LOGOUT).header("origin", &origin).form(&form)));
    }
    refused.push((403, victim.ask("POST", LOGOUT).form(&form)));
    for site in ["cross-site", "same-site", "none", ""] {
        refused.push((403, ours(&victim, &stack, LOGOUT, &form).header("sec-fetch-site", site)));
    }
    for token in [&*of_other, "", &csrf[1..], &"A".repeat(43)] {
        refused.push((403, ours(&victim, &stack, LOGOUT, &[("csrf", token)])));
        let ask = ours(&victim, &stack, LOGOUT, &[]).body("application/json", "");
        refused.push((403, ask.header("x-csrf-token", token)));
    }
    refused.push((403, ours(&victim, &stack, LOGOUT, &[])));
    refused.push((403, ours(&victim, &stack, &format!("{LOGOUT}?csrf={csrf}"), &[])));
    // What a page of another site can send without asking.
    for (kind, body) in [
        ("text/plain", format!("csrf={csrf}")),
        ("text/plain;application/json", format!("{{\"csrf\":\"{csrf}\"}}")),
        ("multipart/form-data; boundary=x", format!("--x\r\ncsrf={csrf}\r\n--x--")),
    ] {
        refused.push((415, ours(&victim, &stack, LOGOUT, &[]).body(kind, body)));
    }
    for (status, ask) in refused {
        let answer = ask.send().await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.header("set-cookie").is_none(), "{}", answer.text);
    }

    untouched.check("for a log-out that the visitor did not want");
    assert_eq!(victim.account().await.as_deref(), Some("lin"));
    assert_eq!(ours(&victim, &stack, LOGOUT, &form).send().await.status, 303);
    assert_eq!(victim.account().await, None);
    assert_eq!(other.account().await.as_deref(), Some("lin"), "one session ends, not all");
}
