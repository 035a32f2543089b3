//! Codes and verifiers that are somebody else's, weaker than they should be, or used twice.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use local_stack::{
    Stack,
    amazon::{
        APP_CLIENT_ID, APP_RETURN_URL, Endpoint, FOREIGN_CLIENT_ID, FOREIGN_RETURN_URL, Fault,
        SHOP_CLIENT_ID,
    },
};
use sha2::{Digest as _, Sha256};
use tests::{Browser, LOGIN, SESSION};

use crate::{
    back::{Back, Untouched, ending, parameter},
    stack,
};

#[tokio::test]
async fn a01_a_callback_without_a_state_calls_nobody() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.come_back(&format!("{}/auth/amazon/callback?code=ANx", stack.url)).await;
    assert_eq!((page.status, page.code()), (400, "start_over"));
    assert!(stack.amazon.calls().is_empty());
    assert!(page.header("set-cookie").is_none());
}

#[tokio::test]
async fn a08_a_stolen_code_is_of_no_use_in_the_thiefs_own_sign_in() {
    let stack = stack().await;
    for (customer, word) in [("lin", "unauthorized_client"), ("nora", "invalid_grant")] {
        stack.amazon.world().habits.wrong_verifier = word.to_owned();
        // So that what refuses the code is the verifier, and not that it was used.
        stack.amazon.world().habits.burns_codes = false;
        let (victim, thief) = (Browser::new(&stack), Browser::new(&stack));
        let stolen = Back::begin(&victim, &stack, customer).await;
        let own = Back::begin(&thief, &stack, "ann").await;
        let rows = stack.dynamodb.scan("identities").unwrap();
        let url = own.with(&format!("code={}&state={}", stolen.code, own.state));

        let page = thief.come_back(&url).await;

        assert_eq!(ending(&page), (400, "start_over"), "{word}");
        assert_eq!(thief.account().await, None, "{word}");
        assert_eq!(stack.dynamodb.scan("identities").unwrap(), rows, "{word}");
        let calls = stack.amazon.calls();
        let call = calls.last().unwrap();
        assert_eq!((call.endpoint(), call.status), (Some(Endpoint::Token), Some(400)), "{word}");
        assert_eq!(call.fields.iter().filter(|name| *name == "code_verifier").count(), 1);
        let page = thief.come_back(&own.url).await;
        assert_eq!(ending(&page), (400, "start_over"), "the thief's own sign-in is used up");

        assert_eq!(victim.come_back(&stolen.url).await.status, 303, "the right verifier fits");
        assert!(victim.account().await.is_some());
    }
}

#[tokio::test]
async fn a08_a_verifier_of_another_tab_does_not_redeem_a_code() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let (one, two) =
        (Back::begin(&browser, &stack, "lin").await, Back::begin(&browser, &stack, "lin").await);

    for (code, state) in [(&one.code, &two.state), (&two.code, &one.state)] {
        let page = browser.come_back(&one.with(&format!("code={code}&state={state}"))).await;
        assert_eq!(ending(&page), (400, "start_over"));
    }
    assert_eq!(browser.account().await, None);
}

/// What a sign-in sends along to Amazon, each once.
const SENT: [&str; 7] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
];

#[tokio::test]
async fn a09_a10_a_thousand_sign_ins_have_challenges_of_their_own_and_no_caller_weakens_them() {
    let stack = stack().await;
    let weaker = [
        "",
        "&code_challenge_method=plain",
        "&code_challenge=&code_challenge_method=",
        "&code_challenge=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "&response_type=token&scope=openid&client_id=evil",
        "&redirect_uri=https://evil.example/&state=evil",
        "&prompt=none&login_hint=ann@example.com&scope_data={}",
    ];
    let browser = Browser::new(&stack);
    let mut seen = BTreeSet::new();
    for number in 0..1000 {
        let more = weaker[number % weaker.len()];
        browser.drop_cookie(LOGIN);
        let answer = browser.get(&format!("/auth/amazon/login?return_to=/{more}")).await;

        let to = answer.location();
        let query = to.strip_prefix(&stack.amazon.authorize_url()).unwrap();
        let names = form_urlencoded::parse(&query.as_bytes()[1..]).map(|(name, _)| name);
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_unstable();
        assert_eq!(names, SENT, "{more}");
        let sent = |name| parameter(to, name).unwrap();
        assert_eq!(sent("response_type"), "code");
        assert_eq!(sent("scope"), "profile");
        assert_eq!(sent("client_id"), SHOP_CLIENT_ID);
        assert_eq!(sent("redirect_uri"), format!("{}/auth/amazon/callback", stack.url));
        assert_eq!(sent("code_challenge_method"), "S256");
        let cookie = browser.cookie(LOGIN).unwrap();
        let mut kept = cookie.split('.');
        let (state, verifier) = (kept.next().unwrap(), kept.next().unwrap());
        assert_eq!(sent("state"), state);
        assert!(state.len() == 43 && verifier.len() == 43, "256 bits: {state}");
        assert!(verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        assert_eq!(sent("code_challenge"), challenge, "RFC 7636, section 4.2");
        assert!(!to.contains(verifier));
        assert!(seen.insert(state.to_owned()) && seen.insert(verifier.to_owned()), "{number}");
    }
    assert_eq!(seen.len(), 2000);
}

/// States, verifiers and tokens of sign-ins that meet, so that each takes a process of its own.
async fn secrets_of_many_processes(stack: &Stack) -> Vec<String> {
    let browsers: Vec<_> = (0..12).map(|_| Browser::new(stack)).collect();
    let begun = join_all(browsers.iter().map(|browser| browser.begin("/"))).await;
    let mut secrets = Vec::new();
    for browser in &browsers {
        let cookie = browser.cookie(LOGIN).unwrap();
        secrets.extend(cookie.split('.').take(2).map(str::to_owned));
    }
    let back = browsers.iter().zip(&begun).map(|(browser, url)| browser.allow(url, "lin"));
    join_all(back).await;
    for browser in &browsers {
        let session = browser.cookie(SESSION).unwrap();
        secrets.push(session.split_once('.').unwrap().1.to_owned());
    }
    secrets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a10_processes_that_have_just_started_have_no_secret_in_common() {
    let (mut all, mut processes) = (Vec::new(), 0);
    for _ in 0..4 {
        let stack = stack().await;
        all.extend(secrets_of_many_processes(&stack).await);
        let of = |function| stack.processes(function).len();
        processes += of("login").min(of("callback"));
    }
    assert!(processes >= 8, "{processes}");
    assert_eq!(all.len(), 4 * 12 * 3);
    let different: BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
}

#[tokio::test]
async fn a23_whatever_became_of_its_redemption_a_code_is_sent_to_amazon_once() {
    let stack = stack().await;
    for fault in [
        Fault::Refuse,
        Fault::Cut,
        Fault::Truncated,
        Fault::ErrorInside,
        Fault::Status(429),
        Fault::Status(500),
        Fault::Status(503),
        Fault::Redirect(307),
        Fault::Body("{}".to_owned()),
    ] {
        let browser = Browser::new(&stack);
        let back = Back::begin(&browser, &stack, "lin").await;
        let calls = stack.amazon.calls_of(Endpoint::Token).len();
        stack.amazon.fault(Endpoint::Token, fault.clone(), Some(1));

        let page = browser.come_back(&back.url).await;

        assert_eq!(ending(&page), (503, "unavailable"), "{fault:?}");
        assert!(page.link("Try again").starts_with("/auth/amazon/login"), "{fault:?}");
        let page = browser.come_back(&back.url).await;
        assert_eq!(ending(&page), (400, "start_over"), "{fault:?}: it is used up");
        assert_eq!(stack.amazon.calls_of(Endpoint::Token).len(), calls + 1, "{fault:?}");
        assert_eq!(browser.account().await, None, "{fault:?}");
        assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303, "{fault:?}");
    }
}

/// A sign-in whose request was changed on its way to Amazon; what comes back from there.
async fn changed(browser: &Browser<'_>, stack: &Stack, changes: &[(&str, &str)]) -> String {
    let at_amazon = browser.begin("/checkout").await;
    let (to, query) = at_amazon.split_once('?').unwrap();
    let pairs = form_urlencoded::parse(query.as_bytes());
    let kept = pairs.filter(|(name, _)| changes.iter().all(|(changed, _)| name != changed));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).extend_pairs(changes.iter().filter(|(_, value)| !value.is_empty()));
    stack.amazon.allow(&format!("{to}?{}", query.finish()), "lin").unwrap()
}

#[tokio::test]
async fn a24_whoever_changes_the_request_to_amazon_signs_nobody_in() {
    let stack = stack().await;
    let other_page = format!("{}/other", stack.url);
    stack.amazon.world().client_mut(SHOP_CLIENT_ID).unwrap().allow_return_url(&other_page).unwrap();
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let cases: [&[(&str, &str)]; 8] = [
        &[("client_id", FOREIGN_CLIENT_ID), ("redirect_uri", FOREIGN_RETURN_URL)],
        &[("client_id", APP_CLIENT_ID), ("redirect_uri", APP_RETURN_URL)],
        &[("redirect_uri", &other_page)],
        &[("code_challenge", challenge)],
        &[("code_challenge_method", "plain")],
        &[("code_challenge_method", "")],
        &[("code_challenge", ""), ("code_challenge_method", "")],
        &[("response_type", "token")],
    ];
    for changes in cases {
        let browser = Browser::new(&stack);
        let away = changed(&browser, &stack, changes).await;
        // However it gets there, Amazon's answer reaches our callback in the browser that began.
        let (_, query) = away.split_once('?').unwrap();
        let page = browser.come_back(&format!("{}/auth/amazon/callback?{query}", stack.url)).await;

        assert_eq!(ending(&page), (400, "start_over"), "{changes:?}");
        assert_eq!(browser.account().await, None, "{changes:?}");
        let asked = [Endpoint::TokenInfo, Endpoint::Profile].map(|at| stack.amazon.calls_of(at));
        assert!(asked.iter().all(Vec::is_empty), "{changes:?}: no token came of it");
    }
}

#[tokio::test]
async fn a24_a_state_or_scope_that_was_changed_harms_nobody_but_the_one_who_did() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    for state in ["x", ""] {
        let back = changed(&browser, &stack, &[("state", state)]).await;
        let untouched = Untouched::now(&stack);
        let page = browser.come_back(&back).await;
        assert_eq!(ending(&page), (400, "start_over"), "{state}");
        untouched.check("for a state that was changed");
    }
    // With less to go by, who they are still counts.
    for scope in ["profile:user_id", "postal_code", "profile postal_code"] {
        let back = changed(&browser, &stack, &[("scope", scope)]).await;
        let answer = browser.come_back(&back).await;
        assert_eq!(answer.status, 303, "{scope}");
        assert_eq!(browser.account().await.as_deref(), Some("lin"), "{scope}");
    }
}

#[tokio::test]
async fn a24_a_token_that_was_issued_to_somebody_else_opens_nothing() {
    let stack = stack().await;
    for audience in [FOREIGN_CLIENT_ID, APP_CLIENT_ID, ""] {
        let browser = Browser::new(&stack);
        let back = Back::begin(&browser, &stack, "nora").await;
        let rows = stack.dynamodb.scan("accounts").unwrap();
        stack.amazon.fault(Endpoint::TokenInfo, Fault::set("aud", audience), Some(1));
        let page = browser.come_back(&back.url).await;
        assert_eq!(ending(&page), (400, "start_over"), "{audience}");
        assert_eq!(browser.account().await, None, "{audience}");
        assert_eq!(stack.dynamodb.scan("accounts").unwrap(), rows, "{audience}");
    }
}
