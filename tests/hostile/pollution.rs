//! Answers of Amazon's that say two things, something else, or too much.

use std::collections::BTreeSet;

use local_stack::amazon::Endpoint;
use tests::{Browser, SESSION};

use crate::{
    back::{Back, Untouched, ending},
    stack,
};

/// The parameters that may come once.
const ONCE: [&str; 5] = ["code", "state", "error", "iss", "access_token"];

/// Every spelling of a name that some framework takes for that name, percent-encoded.
fn spellings(name: &str) -> Vec<String> {
    let capital = name[..1].to_uppercase() + &name[1..];
    let first = name.as_bytes()[0];
    vec![
        name.to_owned(),
        name.to_uppercase(),
        capital,
        format!("%{first:02x}{}", &name[1..]),
        format!("{name}[]"),
        format!("{name}%5B%5D"),
        format!("{name}[0]"),
        format!("{name}[a][b]"),
        format!("{name}["),
        format!("{name}%00"),
        format!("{name}%00x"),
        format!("+{name}"),
        format!("%20{name}"),
        format!("{name}+"),
        format!("{name}%20"),
        format!("{name}%09"),
    ]
}

/// What the parameter may well be, on its own.
fn value(name: &str, back: &Back) -> String {
    match name {
        "code" => back.code.clone(),
        "state" => back.state.clone(),
        "error" => "access_denied".to_owned(),
        "iss" => "https%3A%2F%2Fwww.amazon.com".to_owned(),
        _ => "Atza%7Cx".to_owned(),
    }
}

#[tokio::test]
async fn a13_an_answer_that_says_something_twice_in_any_spelling_is_refused() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let back = Back::begin(&browser, &stack, "lin").await;
    let plain = format!("code={}&state={}", back.code, back.state);
    let mut queries = BTreeSet::new();
    for name in ONCE {
        let own = format!("{name}={}", value(name, &back));
        for spelling in spellings(name) {
            for other in [value(name, &back), "x".to_owned(), String::new()] {
                let twin = format!("{spelling}={other}");
                let rest = match name {
                    "code" => format!("&state={}", back.state),
                    "state" => format!("&code={}", back.code),
                    _ => format!("&{plain}"),
                };
                queries.insert(format!("{own}&{twin}{rest}"));
                queries.insert(format!("{twin}&{own}{rest}"));
                queries.insert(format!("{own}{rest}&{twin}"));
            }
        }
    }
    assert!(queries.len() > 600, "{}", queries.len());
    let untouched = Untouched::now(&stack);

    for query in &queries {
        let page = browser.come_back(&back.with(query)).await;
        assert_eq!(ending(&page), (400, "bad_request"), "{query}");
        assert!(page.header("set-cookie").is_none(), "{query}");
    }

    untouched.check("for an answer that says something twice");
    assert_eq!(browser.come_back(&back.url).await.status, 303, "the sign-in is not used up");
}

#[tokio::test]
async fn a13_an_answer_that_contradicts_itself_is_refused() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let back = Back::begin(&browser, &stack, "lin").await;
    let (code, state) = (format!("code={}", back.code), format!("state={}", back.state));
    let untouched = Untouched::now(&stack);
    for (query, expected) in [
        (format!("{code}&error=access_denied&{state}"), "bad_request"),
        (format!("error=access_denied&{code}&{state}"), "bad_request"),
        (format!("{code}&error=&{state}"), "bad_request"),
        (format!("code=&error=access_denied&{state}"), "bad_request"),
        // What reads these as `&` finds two of them; we find a state or a code that is none.
        (format!("{code};{state}"), "start_over"),
        (format!("{state}%26state%3Dx&{code}"), "start_over"),
        (format!("{code}%26code%3Dx%20&{state}"), "bad_request"),
        (format!("{code}%00&{state}"), "bad_request"),
        // Nothing that is spelled otherwise is taken for it.
        (format!("CODE={}&{state}", back.code), "start_over"),
        (format!("code[]={}&{state}", back.code), "start_over"),
        (format!("+{code}&{state}"), "start_over"),
        (format!("{code}&STATE={}", back.state), "start_over"),
        (format!("{code}&state[]={}", back.state), "start_over"),
        (format!("{code}&state%00={}", back.state), "start_over"),
        (state.clone(), "start_over"),
        (code.clone(), "start_over"),
        (String::new(), "start_over"),
    ] {
        let page = browser.come_back(&back.with(&query)).await;
        assert_eq!(ending(&page), (400, expected), "{query}");
    }
    untouched.check("for an answer that contradicts itself");
    assert_eq!(browser.come_back(&back.url).await.status, 303);
}

#[tokio::test]
async fn a11_an_answer_of_another_issuer_or_region_is_none_of_ours() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let back = Back::begin(&browser, &stack, "lin").await;
    let untouched = Untouched::now(&stack);
    for issuer in [
        "https://evil.example",
        "https://api.amazon.com",
        "https://eu.account.amazon.com",
        "https://www.amazon.com/",
        "http://www.amazon.com",
        "https://www.amazon.com.evil.example",
        "https://WWW.amazon.com",
        "https://www.amazon.com%00",
        "+https://www.amazon.com",
        "www.amazon.com",
        "",
    ] {
        let page = browser.come_back(&format!("{}&iss={issuer}", back.url)).await;
        assert_eq!(ending(&page), (400, "bad_request"), "{issuer}");
    }
    untouched.check("for somebody else's answer");

    // Whom we ask is the operator's to say, not the answer's.
    let elsewhere = "iss=https%3A%2F%2Fwww.amazon.com&region=eu&token_endpoint=https://evil.example\
                     &client_id=evil&redirect_uri=https://evil.example&api_url=http://127.0.0.1:9";
    let answer = browser.come_back(&format!("{}&{elsewhere}", back.url)).await;
    assert_eq!(answer.location(), format!("{}/checkout", stack.url));
    let calls = stack.amazon.calls();
    assert_eq!(calls.len(), 3, "all of it was asked of our own Amazon");
    let ours = |id: &Option<String>| id.as_deref() == Some(local_stack::amazon::SHOP_CLIENT_ID);
    assert!(calls.iter().all(|call| ours(&call.client_id)));
}

#[tokio::test]
async fn a12_an_error_of_amazons_uses_the_sign_in_up_and_its_words_go_nowhere() {
    const WORDS: &str = "CANARYWORDS";
    let stack = stack().await;
    let long = WORDS.repeat(700);
    let markup = format!("%3Cscript%3Ealert(1)%3C/script%3E{WORDS}");
    let split = format!("{WORDS}%0d%0aSet-Cookie:%20{SESSION}=evil%0d%0a%0d%0a");
    let started = (400, "start_over");
    for ((error, expected), words) in [
        ("invalid_request", started),
        ("unauthorized_client", started),
        ("access_denied", (303, "")),
        ("unsupported_response_type", started),
        ("invalid_scope", started),
        ("server_error", (503, "unavailable")),
        ("temporarily_unavailable", (503, "unavailable")),
        ("ACCESS_DENIED", started),
        ("access_denied%20", started),
        ("", started),
        (WORDS, started),
        (&*markup, started),
        (&*split, started),
        (&long[..6000], started),
    ]
    .into_iter()
    .zip([WORDS, &markup, &split, &long[..3000]].into_iter().cycle())
    {
        let told = format!("error={error}&error_description={words}&error_uri=//evil.example");
        let browser = Browser::new(&stack);
        let back = Back::begin(&browser, &stack, "lin").await;
        let untouched = Untouched::now(&stack);

        let page = browser.come_back(&back.with(&told)).await;
        assert_eq!(ending(&page), started, "{error}: without a state");
        untouched.check(error);

        let page = browser.come_back(&back.with(&format!("{told}&state={}", back.state))).await;
        assert_eq!(ending(&page), expected, "{error}");
        assert!(page.header("set-cookie").is_none(), "{error}");
        let seen = format!("{:?} {}", page.headers, page.text);
        assert!(!seen.contains(WORDS) && !seen.contains("evil"), "{error}: {seen}");
        if page.status == 303 {
            assert_eq!(page.location(), format!("{}/sign-in?amazon=cancelled", stack.url));
        }
        let page = browser.come_back(&back.url).await;
        assert_eq!(ending(&page), started, "{error}: the state is used up");
        assert_eq!(browser.account().await, None);
    }
    assert!(stack.amazon.calls().is_empty());
    let logs = stack.logs_of("callback").join("\n");
    assert!(logs.contains("start_over"), "what may be logged is found");
    assert!(!logs.contains(WORDS) && !logs.contains("evil"));
}

#[tokio::test]
async fn a14_a_code_is_visible_ascii_of_a_sensible_length_or_is_not_sent_to_amazon() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let back = Back::begin(&browser, &stack, "lin").await;
    let untouched = Untouched::now(&stack);
    let one_byte = (0..=u8::MAX).filter(|byte| !byte.is_ascii_graphic());
    let wrong = one_byte.map(|byte| format!("AN{}%{byte:02X}", &back.code[2..]));
    let others = ["", "+", "%C3%A9", "%EF%BC%A1", "%F0%9F%8D%AA", "AN%0d%0aHost:%20evil"];
    let long = [1025, 2000, 9000].map(|length| "A".repeat(length));
    for code in wrong.chain(others.map(str::to_owned)).chain(long) {
        let url = back.with(&format!("code={code}&state={}", back.state));
        let page = browser.come_back(&url).await;
        assert_eq!(ending(&page), (400, "bad_request"), "{code}");
    }
    untouched.check("for a code that is none");
    assert_eq!(browser.come_back(&back.url).await.status, 303, "nothing was used up");

    // What could be a code is asked about, once, and is none.
    let mut asked = stack.amazon.calls_of(Endpoint::Token).len();
    let every = (0x21..=0x7e_u8).map(|byte| format!("AN%{byte:02X}")).collect::<String>();
    let codes = [every, "A".to_owned(), "A".repeat(1024), "%7E".to_owned(), back.code];
    for code in codes {
        let browser = Browser::new(&stack);
        let back = Back::begin(&browser, &stack, "lin").await;
        let url = back.with(&format!("code={code}&state={}", back.state));
        let page = browser.come_back(&url).await;
        assert_eq!(ending(&page), (400, "start_over"), "{code}");
        asked += 1;
        assert_eq!(stack.amazon.calls_of(Endpoint::Token).len(), asked, "{code}");
    }
}

#[tokio::test]
async fn a15_an_access_token_in_a_callback_is_refused_and_stays_out_of_the_logs() {
    let stack = stack().await;
    let client = local_stack::amazon::SHOP_CLIENT_ID;
    let token = stack.amazon.token("lin", client, "profile");
    let encoded = token.replace('|', "%7C");
    let browser = Browser::new(&stack);
    let back = Back::begin(&browser, &stack, "lin").await;
    let (code, state) = (&back.code, &back.state);
    let untouched = Untouched::now(&stack);
    for (query, expected) in [
        (format!("access_token={encoded}&state={state}"), "bad_request"),
        (format!("state={state}&access_token={encoded}&token_type=bearer"), "bad_request"),
        (format!("code={code}&state={state}&access_token={encoded}"), "bad_request"),
        (format!("access_token={encoded}"), "bad_request"),
        (format!("code={code}&state={state}&access_token="), "bad_request"),
        (format!("state={state}&ACCESS_TOKEN={encoded}&id_token={encoded}"), "start_over"),
        (format!("state={state}&token={encoded}"), "start_over"),
        // Nor is it found anywhere else.
        (format!("error={encoded}"), "start_over"),
    ] {
        let page = browser.come_back(&back.with(&query)).await;
        assert_eq!(ending(&page), (400, expected), "{query}");
        assert!(!page.text.contains(&token[..40]), "{query}");
    }
    untouched.check("for an access token");
    assert!(!stack.logs().iter().any(|line| line.contains(&token[5..40])), "it is logged");
    assert_eq!(browser.come_back(&back.url).await.status, 303);
}
