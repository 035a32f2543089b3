//! Cookies that their own holder has changed, and others that were never ours.

use tests::{Browser, LOGIN, SESSION, TICKET};

use crate::{
    back::{Back, Untouched, ending},
    stack,
};

#[tokio::test]
async fn a07_no_byte_of_the_sign_in_cookie_can_be_changed_to_anybodys_gain() {
    let stack = stack().await;
    let (mut in_time, mut refused) = (0, 0);
    let mut place = 0;
    loop {
        let browser = Browser::new(&stack);
        let at_amazon = browser.begin("/checkout").await;
        let cookie = browser.cookie(LOGIN).unwrap();
        if place >= cookie.len() {
            break;
        }
        let back = stack.amazon.allow(&at_amazon, "lin").unwrap();
        let (before, one, after) = (&cookie[..place], &cookie[place..=place], &cookie[place + 1..]);
        let other = match one.as_bytes()[0] {
            digit @ b'0'..=b'8' => char::from(digit + 1),
            b'A' => 'B',
            b'~' | b'.' => '-',
            _ => 'A',
        };
        // What is none at all does not even use the sign-in up.
        for none in ["", "~", "\"", " ", "%", "\u{e9}"] {
            let changed = format!("{before}{none}{after}");
            let ask = browser.ask("GET", &back).header("sec-fetch-site", "cross-site");
            let answer = ask.cookies(&format!("{LOGIN}={changed}")).send().await;
            if answer.status == 303 {
                // A time of nine digits is long ago, a shorter path is a path.
                assert!(place > 98, "{place} {none}");
                in_time += 1;
                continue;
            }
            assert_eq!(ending(&answer), (400, "start_over"), "{place} {none}");
        }
        browser.keep_cookie(LOGIN, &format!("{before}{other}{after}"));

        let answer = browser.come_back(&back).await;

        match answer.status {
            // Only when and where to, which is the visitor's own to say.
            303 => {
                assert!(
                    place > 2 * 44,
                    "{place}: state and verifier fit as they are or not at all"
                );
                assert!(answer.location().starts_with(&format!("{}/", stack.url)), "{place}");
                in_time += 1;
            }
            _ => {
                assert_eq!(ending(&answer), (400, "start_over"), "{place}");
                refused += 1;
            }
        }
        place += 1;
    }
    assert!(refused >= 88, "{refused}: every byte of state and verifier");
    assert!(in_time > 0, "the time may be a second later");
    let rows = stack.dynamodb.scan("identities").unwrap();
    assert_eq!(rows.len(), 2, "lin is linked as before, nobody else is");
}

#[tokio::test]
async fn a07_a_sign_in_cookie_that_was_made_up_or_mixed_finishes_nothing() {
    let stack = stack().await;
    let (browser, other) = (Browser::new(&stack), Browser::new(&stack));
    let back = Back::begin(&browser, &stack, "lin").await;
    Back::begin(&other, &stack, "lin").await;
    let (own, foreign) = (browser.cookie(LOGIN).unwrap(), other.cookie(LOGIN).unwrap());
    let parts: Vec<_> = own.split('.').collect();
    let [state, verifier, time, path] = parts[..] else { panic!("{own}") };
    let untouched = Untouched::now(&stack);
    for made_up in [
        String::new(),
        "x".to_owned(),
        "A".repeat(4097),
        "~".repeat(4000),
        ".".repeat(4000),
        foreign.clone(),
        format!("{state}.{verifier}.{time}"),
        format!("{state}.{verifier}.{time}.{path}.{path}"),
        format!("{state}.{verifier}.{path}"),
        format!("{verifier}.{state}.{time}.{path}"),
        format!("{state}.{verifier}.0.{path}"),
        format!("{state}.{verifier}.-1.{path}"),
        format!("{state}.{verifier}.{}.{path}", i64::MIN),
        format!("{state}.{verifier}.{}.{path}", i64::MAX),
        format!("{state}.{verifier}.99999999999999999999.{path}"),
        format!("{state}.{verifier}.{time}.5.{path}"),
        format!("{state}.{verifier}.{time}.Lw=="),
        format!("{state}..{time}.{path}"),
        format!("\"{own}\""),
        own.replace('.', "%2E"),
        own.replace('.', ","),
        format!("j:[\"{own}\"]"),
        format!("{{\"state\":\"{state}\",\"verifier\":\"{verifier}\"}}"),
        format!("eyJhbGciOiJub25lIn0.{verifier}."),
    ] {
        let ask = browser.ask("GET", &back.url).header("sec-fetch-site", "cross-site");
        let page = ask.cookies(&format!("{LOGIN}={made_up}")).send().await;
        assert_eq!(ending(&page), (400, "start_over"), "{made_up}");
        let ask = browser.ask("GET", "/auth/amazon/login?return_to=/checkout");
        let answer = ask.cookies(&format!("{LOGIN}={made_up}")).send().await;
        assert_eq!(answer.status, 303, "it keeps nobody from beginning anew: {made_up}");
        let set = answer.header("set-cookie").unwrap();
        assert!(set.split(';').next().unwrap().len() <= 4096, "{made_up}");
    }
    untouched.check("for a cookie that was made up");
    // Among others that are none it is found, and it is found once.
    for kept in [format!("{own}~{own}"), format!("x~{foreign}~{own}"), format!("{own}~")] {
        let back = stack.amazon.allow(&browser.begin("/checkout").await, "lin").unwrap();
        let own = browser.cookie(LOGIN).unwrap();
        browser.keep_cookie(LOGIN, &kept.replace(&foreign, &own));
        let answer = browser.come_back(&back).await;
        assert!(matches!(ending(&answer), (303, _) | (400, "start_over")), "{kept}");
    }
}

/// Texts that are no token of ours, made from one that is.
fn malformed(token: &str) -> Vec<String> {
    let (tag, secret) = token.split_once('.').unwrap();
    vec![
        String::new(),
        "x".to_owned(),
        ".".to_owned(),
        "null".to_owned(),
        tag.to_owned(),
        secret.to_owned(),
        format!("{tag}."),
        format!(".{secret}"),
        format!("{tag}{secret}"),
        format!("{tag}.{secret}."),
        format!("{tag}.{secret}="),
        format!("{tag}.{secret}A"),
        format!("{tag}.{}", &secret[1..]),
        format!("{tag}.{secret}.{secret}"),
        format!("{tag}/{secret}"),
        format!("{}.{secret}", &tag[..42]),
        format!("{tag}.{}+", &secret[..42]),
        format!("{tag}.{}/", &secret[..42]),
        format!("{tag}.{}%41", &secret[..42]),
        format!("\"{token}\""),
        format!("{token} "),
        token.replace('.', "%2E"),
        token.repeat(20),
        "A".repeat(87),
        format!("META.{secret}"),
        format!("{tag}.META"),
        "{\"$ne\":null}".to_owned(),
        "' OR '1'='1".to_owned(),
    ]
}

#[tokio::test]
async fn c06_a_cookie_of_another_shape_is_not_even_looked_up() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;
    let page = browser.asked_after_amazon("ann", "/").await;
    let csrf = page.input("csrf").to_owned();
    let (session, ticket) = (browser.cookie(SESSION).unwrap(), browser.cookie(TICKET).unwrap());
    let untouched = Untouched::now(&stack);
    stack.dynamodb.reset_requests();
    for (session, ticket) in malformed(&session).into_iter().zip(malformed(&ticket)) {
        // What is left after a browser's spaces are taken off may be good again.
        if session.ends_with(' ') {
            continue;
        }
        let cookies = format!("{SESSION}={session}; {TICKET}={ticket}");
        for path in ["/auth/session", "/auth/verify"] {
            let answer = browser.ask("GET", path).cookies(&cookies).send().await;
            assert_eq!(answer.status, 401, "{path}: {cookies}");
        }
        for path in ["/auth/amazon/link", "/auth/amazon/register"] {
            let page = browser.ask("GET", path).cookies(&cookies).send().await;
            assert_eq!(ending(&page), (410, "ticket_expired"), "{path}: {cookies}");
        }
        let post = |path: &str| {
            let ask = browser.ask("POST", path).cookies(&cookies).header("origin", &stack.url);
            ask.form(&[("csrf", &csrf)])
        };
        for path in ["link/forgot", "link/cancel", "register", "switch"] {
            let page = post(&format!("/auth/amazon/{path}")).send().await;
            assert_eq!(ending(&page), (410, "ticket_expired"), "{path}: {cookies}");
        }
        assert_eq!(post("/auth/logout").send().await.status, 303, "{cookies}");
    }
    let asked = stack.dynamodb.calls().into_iter().filter(|call| call.trace.is_some());
    assert_eq!(asked.count(), 0);
    untouched.check("for cookies that are none");
    browser.keep_cookie(SESSION, &session);
    assert_eq!(browser.account().await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn c06_a_token_that_differs_in_one_character_is_another_one() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;
    let session = browser.cookie(SESSION).unwrap();
    for place in 0..session.len() {
        let (before, one, after) =
            (&session[..place], &session[place..=place], &session[place + 1..]);
        let other = if one == "A" { "E" } else { "A" };
        let cookies = format!("{SESSION}={before}{other}{after}");
        let answer = browser.ask("GET", "/auth/session").cookies(&cookies).send().await;
        assert_eq!(answer.status, 401, "{place}");
    }
    assert_eq!(browser.account().await.as_deref(), Some("lin"));
}
