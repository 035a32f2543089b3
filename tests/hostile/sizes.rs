//! Passwords to the byte, and bodies that are too long, too deep or too clever.

use std::time::Duration;

use serde_json::json;
use tests::Browser;

use crate::{
    back::Untouched,
    buttons::Button,
    endings::{LINK, LOGOUT, REGISTER},
    pretenders::{at_the_link_page, counted, work},
    stack,
};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Passwords, each with what somebody's well-meant tidying would make of it.
fn passwords() -> Vec<(String, Vec<String>)> {
    let long = "x".repeat(72);
    let longest = "y".repeat(1024);
    let owned = |text: &str| text.to_owned();
    let tidied: [(&str, &[&str]); 9] = [
        ("  spaces around  ", &["spaces around", "  spaces around", "spaces around  "]),
        (
            "family \u{1f469}\u{200d}\u{1f467}",
            &["family \u{1f469}\u{1f467}", "family ??", "family "],
        ),
        ("Ame\u{301}lie Zoe\u{308}", &["Am\u{e9}lie Zo\u{eb}", "Amelie Zoe"]),
        ("Am\u{e9}lie Zo\u{eb}", &["Ame\u{301}lie Zoe\u{308}", "Amelie Zoe"]),
        ("nul\0inside it", &["nul", "nulinside it", "nul inside it", "nul\0"]),
        ("a+b c&d=e%20f;g", &["a b c&d=e%20f;g", "a+b c&d=e f;g", "a+b c"]),
        ("CaseMatters", &["casematters", "CASEMATTERS", "Casematters"]),
        ("\tline\r\nbreak\n", &["\tline\nbreak\n", "line\r\nbreak", "\tline  break "]),
        (
            "\u{ff50}\u{ff41}\u{ff53}\u{ff53}word \u{fb01}\u{df}",
            &["password fi\u{df}", "password fiss"],
        ),
    ];
    let mut all: Vec<_> = tidied
        .map(|(password, others)| (owned(password), others.iter().map(|o| owned(o)).collect()))
        .into();
    all.push((
        format!("{long}tail"),
        vec![long.clone(), format!("{long}t"), format!("{long}TAIL")],
    ));
    all.push((longest.clone(), vec![longest[1..].to_owned(), format!("{longest}y")]));
    all
}

#[tokio::test]
async fn d14_a_password_is_compared_byte_for_byte() {
    let stack = stack().await;
    for (number, (password, others)) in passwords().into_iter().enumerate() {
        // As the site itself keeps it.
        let email = format!("owner{number}@example.com");
        let desk = Browser::new(&stack);
        let fields = [("email", email.as_str()), ("name", "Owner"), ("password", &password)];
        assert_eq!(desk.post("/register", &fields).await.status, 303, "{password:?}");
        let (owner, csrf) = at_the_link_page(&stack, &format!("owner{number}"), &email).await;
        for (at, other) in others.iter().enumerate() {
            let status = match at % 2 {
                0 => owner.post(LINK, &[("csrf", &csrf), ("password", other)]).await.status,
                _ => {
                    let body = json!({"csrf": csrf, "password": other});
                    owner.fetch(LINK, Some(body)).await.status
                }
            };
            assert_eq!(status, 401, "{other:?} for {password:?}");
        }
        // In a form, as JSON with its own characters, and as JSON where all of them are escaped.
        let escaped = |text: &str| -> String {
            text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
        };
        let post = owner.ask("POST", LINK).header("origin", &stack.url);
        let ask = match number % 3 {
            0 => post.form(&[("csrf", &csrf), ("password", &password)]),
            1 => post.body(JSON, json!({"csrf": csrf, "password": password}).to_string()),
            _ if password.len() > 1000 => post.form(&[("csrf", &csrf), ("password", &password)]),
            _ => {
                let password = escaped(&password);
                post.body(JSON, format!(r#"{{"csrf":"{csrf}","password":"{password}"}}"#))
            }
        };
        let answer = ask.send().await;
        assert!([200, 303].contains(&answer.status), "{password:?}: {}", answer.text);
        assert!(owner.account().await.is_some(), "{password:?}");
    }
}

#[tokio::test]
async fn d14_a_hash_that_knows_only_beginnings_is_not_fooled() {
    let stack = stack().await;
    // bcrypt stops at a NUL and after 72 bytes.
    let (eve, csrf) = at_the_link_page(&stack, "eve", "ann@example.com").await;
    for password in ["ann-local-password\0", "ann-local-password\0and-more"] {
        let fields = [("csrf", csrf.as_str()), ("password", password)];
        assert_eq!(eve.post(LINK, &fields).await.status, 401, "{password:?}");
    }
    let long = format!("ann-local-password{}", "x".repeat(100));
    assert_eq!(eve.post(LINK, &[("csrf", &csrf), ("password", &long)]).await.status, 401);
    assert_eq!(eve.account().await, None);
}

#[tokio::test]
async fn d13_n03_what_is_too_long_is_refused_before_it_costs_anything() {
    let stack = stack().await;
    // An account whose password is dear to compare, so that it would show.
    let (mia, csrf) = at_the_link_page(&stack, "mia", "Mia@Example.com").await;
    let form = |password: &str| {
        let ask = mia.ask("POST", LINK).header("origin", &stack.url);
        ask.form(&[("csrf", &csrf), ("password", password)])
    };
    form("").send().await;
    let before = work("link");
    assert_eq!(form("not-hers").send().await.status, 401);
    let one = work("link") - before;
    assert!(one > Duration::from_millis(50), "{one:?}");

    // The last two of her five: wrong, and compared with nothing.
    let before = work("link");
    assert_eq!(form(&"x".repeat(1025)).send().await.status, 401);
    assert_eq!(form(&"x".repeat(8000)).send().await.status, 401);
    assert_eq!(counted(&stack), 4);
    let untouched = Untouched::now(&stack);
    for length in [9 << 10, 1 << 20, 9 << 20, 11 << 20] {
        assert_eq!(form(&"x".repeat(length)).send().await.status, 413, "{length}");
    }
    untouched.check("bodies that are too long");
    let spent = work("link") - before;
    assert!(spent < one, "{spent:?}, and {one:?} for one that is compared");
}

#[tokio::test]
async fn n03_every_button_takes_8_kib_and_not_a_byte_more() {
    for button in Button::ALL {
        let stack = stack().await;
        let pressing = button.reach(&stack).await;
        let filled = |length: usize| {
            let body = button.json(Some(&pressing.csrf)).to_string();
            let room = length - body.len();
            body.replacen('{', &format!("{{{}", " ".repeat(room)), 1)
        };
        let ask = |length| pressing.ask().body(JSON, filled(length));
        assert_eq!(ask(8193).send().await.status, 413, "{button:?}");
        assert_eq!(ask(64 << 10).send().await.status, 413, "{button:?}");
        assert!(stack.dynamodb.snapshot().unwrap() == pressing.rows, "{button:?}");
        let answer = ask(8192).send().await;
        assert!(answer.status < 400, "{button:?}: {} {}", answer.status, answer.text);
    }
}

#[tokio::test]
async fn d13_a_stored_hash_that_would_cost_too_much_costs_nothing() {
    let stack = stack().await;
    let salt = "A".repeat(22);
    let hashes = [
        format!("$argon2id$v=19$m=4194304,t=1,p=1${salt}${}", "A".repeat(43)),
        format!("$argon2id$v=19$m=19456,t=4294967295,p=1${salt}${}", "A".repeat(43)),
        format!("$argon2id$v=19$m=131072,t=1,p=255${salt}${}", "A".repeat(43)),
        format!("$2b$31${}", "A".repeat(53)),
        format!("$scrypt$ln=40,r=8,p=1${salt}${}", "A".repeat(43)),
        format!("$pbkdf2-sha256$4294967295${salt}${}", "A".repeat(43)),
        format!("pbkdf2_sha256$99999999999999999999$x${}=", "A".repeat(43)),
        "x".repeat(100_000),
    ];
    for (number, hash) in hashes.iter().enumerate() {
        let account = format!("dear{number}");
        let email = format!("{account}@example.com");
        let row = json!({
            "id": {"S": account}, "email": {"S": email}, "password_hash": {"S": hash},
        });
        stack.dynamodb.put("accounts", &row).unwrap();
        let (eve, csrf) = at_the_link_page(&stack, "eve", &email).await;
        let before = work("link");
        let answer = eve.post(LINK, &[("csrf", &csrf), ("password", "anything")]).await;
        let spent = work("link") - before;
        // Nobody's password is wrong: the site has to know.
        assert_eq!((answer.status, answer.code()), (500, "broken"), "{hash:.40}");
        assert!(spent < Duration::from_millis(50), "{hash:.40}: {spent:?}");
        assert_eq!(eve.account().await, None);
    }
}

/// What is not one flat object of texts, each named once.
fn clever(csrf: &str, more: &str) -> Vec<String> {
    let own = format!(r#""csrf":"{csrf}",{more}"#);
    let deep = |open: &str, close: &str| {
        format!("{{{own},\"fields\":{}1{}}}", open.repeat(1000), close.repeat(1000))
    };
    vec![
        "".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        format!("[{{{own}}}]"),
        format!("[\"{csrf}\"]"),
        format!("{{{own}}} "),
        format!("{{{own}}}x"),
        format!("{{{own}}}{{{own}}}"),
        format!("{{{own},}}"),
        format!("{{{own},\"csrf\":\"{csrf}\"}}"),
        format!("{{{own},\"c\\u0073rf\":\"{csrf}\"}}"),
        format!("{{{own},\"CSRF\":\"{csrf}\"}}"),
        format!("{{{own},\"extra\":null}}"),
        format!("{{{own},\"__proto__\":{{\"password\":\"x\"}}}}"),
        format!("{{{own},\"fields\":[]}}"),
        format!("{{{own},\"fields\":{{}},\"fields\":{{}}}}"),
        format!("{{{own},\"fields\":{{\"a\":{{}}}}}}"),
        format!("{{{own},\"fields\":{{\"a\":[\"x\"]}}}}"),
        format!("{{{own},\"extra\":\"\\ud800\"}}"),
        format!("{{{own}}}").replace('"', "'"),
        format!("\u{feff}{{{own}}}"),
        format!("/**/{{{own}}}"),
        format!("{{{own},\"n\":1e999}}"),
        format!("{{\"csrf\":[\"{csrf}\"],{more}}}"),
        format!("{{\"csrf\":{{\"$ne\":null}},{more}}}"),
        format!("{{\"csrf\":true,{more}}}"),
        format!("{{\"csrf\":0,{more}}}"),
        deep("[", "]"),
        deep("{\"a\":", "}"),
    ]
}

#[tokio::test]
async fn n04_json_that_is_too_clever_does_nothing() {
    let stack = stack().await;
    for button in [Button::Link, Button::Register, Button::Switch, Button::LogOut] {
        let pressing = button.reach(&stack).await;
        let more = match button {
            Button::Link => r#""password":"ann-local-password""#,
            Button::Register => r#""email":"noa@home.example""#,
            _ => r#""none":"x""#,
        };
        for body in clever(&pressing.csrf, more) {
            // White space behind it is no more than that.
            let fits = body.ends_with("} ");
            // Without a body, a log-out takes its token from a header.
            if fits || button == Button::LogOut && body.is_empty() {
                continue;
            }
            let answer = pressing.ask().body(JSON, body.clone()).send().await;
            assert_eq!(answer.status, 400, "{button:?}: {body:.120}");
            assert_eq!(answer.json()["code"], "bad_request", "{button:?}: {body:.120}");
        }
        pressing.is_untouched().await;
    }
}

#[tokio::test]
async fn n04_n06_a_form_that_names_something_twice_does_nothing() {
    let stack = stack().await;
    for (button, route) in
        [(Button::Link, LINK), (Button::Register, REGISTER), (Button::LogOut, LOGOUT)]
    {
        let pressing = button.reach(&stack).await;
        let form = button.form(Some(&pressing.csrf));
        let token = &pressing.csrf;
        for more in [
            format!("csrf={token}"),
            format!("%63srf={token}"),
            "csrf=".to_owned(),
            "csrf".to_owned(),
            "unknown=x".to_owned(),
            "unknown".to_owned(),
            "=x".to_owned(),
            "csrf%00=x".to_owned(),
            "csrf[]=x".to_owned(),
            "%ff=x".to_owned(),
        ] {
            for body in [format!("{form}&{more}"), format!("{more}&{form}")] {
                let answer = pressing.ask().body(FORM, body).send().await;
                assert_eq!(answer.status, 400, "{route} {more}: {}", answer.text);
            }
        }
        pressing.is_untouched().await;
    }
}
