//! Where visitors are sent, whatever stands in `return_to`.

use local_stack::{Options, Stack};
use serde_json::Value;
use tests::{Browser, LOGIN};

use crate::stack;

/// What has led visitors of other sites astray.
fn corpus() -> Vec<String> {
    let corpus = include_str!("../../shared/domain/tests/redirects.json");
    let corpus: Value = serde_json::from_str(corpus).unwrap();
    let cases = corpus["cases"].as_array().unwrap().iter();
    cases.map(|case| case["input"].as_str().unwrap().to_owned()).collect()
}

/// Percent-encodes everything but letters and digits, and what is left of the path's first slash.
fn encoded(text: &str) -> String {
    let encode = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric();
        let print = |byte: u8| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        text.bytes().map(print).collect::<String>()
    };
    match text.strip_prefix('/') {
        Some(rest) => format!("/{}", encode(rest)),
        None => encode(text),
    }
}

/// Makes sure that a redirect stays on the site and away from our own routes.
fn check_stays(stack: &Stack, location: &str, asked: &str) {
    let path = location.strip_prefix(&stack.url).unwrap_or_else(|| panic!("{asked}: {location}"));
    assert!(path.starts_with('/') && !path.starts_with("//"), "{asked}: {location}");
    assert!(path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\'), "{asked}: {location}");
    let lower = path.to_ascii_lowercase();
    assert!(lower != "/auth" && !lower.starts_with("/auth/"), "{asked}: {location}");
    for piece in ["/./", "/../", "//", "%2f", "%5c", "%2e", "%00", "%0d", "%0a", "%09"] {
        let inside = lower.split('?').next().unwrap();
        assert!(!inside.contains(piece), "{asked}: {location}");
    }
}

/// Signs in on the way to this; tells where that leads.
async fn landed(browser: &Browser<'_>, stack: &Stack, asked: &str) -> String {
    let answer = browser.sign_in_at_amazon("lin", asked).await;
    assert_eq!(answer.status, 303, "{asked}");
    check_stays(stack, answer.location(), asked);
    answer.location()[stack.url.len()..].to_owned()
}

#[tokio::test]
async fn b01_b04_what_led_others_astray_leads_nobody_off_the_site_however_often_it_is_encoded() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let mut kept = 0;
    let corpus = corpus();
    assert!(corpus.len() >= 40, "{}", corpus.len());
    for case in &corpus {
        let mut asked = case.clone();
        for _ in 0..=3 {
            let to = landed(&browser, &stack, &asked).await;
            assert!(to == "/" || to == asked, "{asked} became {to}");
            kept += usize::from(to != "/");
            asked = encoded(&asked);
        }
    }
    assert!(kept > 10, "{kept}: what may be kept is kept");
    assert_eq!(browser.account().await.as_deref(), Some("lin"));
}

/// Makes sure that all of these lead to the front page.
async fn lead_home(texts: impl IntoIterator<Item = impl AsRef<str>>) {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    for asked in texts {
        let asked = asked.as_ref();
        assert_eq!(landed(&browser, &stack, asked).await, "/", "{asked:?}");
    }
}

#[tokio::test]
async fn b02_backslashes_and_controls_lead_home() {
    let mut texts = Vec::new();
    for odd in ["\\", "\t", "\r", "\n", "\r\n", "\0", "\u{b}", "\u{c}", "\u{1f}", "\u{7f}", " "] {
        texts.extend([
            format!("/{odd}evil.example"),
            format!("/{odd}/evil.example"),
            format!("{odd}//evil.example"),
            format!("/checkout{odd}"),
        ]);
    }
    texts.extend(["\\\\evil.example", "/\\/evil.example", "/a\\..\\..\\evil"].map(str::to_owned));
    lead_home(texts).await;
}

#[tokio::test]
async fn b03_dot_segments_lead_home() {
    lead_home([
        "/.//evil.example",
        "/..//evil.example",
        "/foo/..//evil.example",
        "/foo/../\\evil.example",
        "/./checkout",
        "/../checkout",
        "/checkout/.",
        "/checkout/..",
        "/%2e/checkout",
        "/%2E%2e/checkout",
        "/.%2e/auth/logout",
        "/a/%2e%2e/%2e%2e//evil.example",
        "/a//b",
        "//",
        "///",
        ".",
        "..",
    ])
    .await;
}

#[tokio::test]
async fn b05_b06_names_hosts_and_schemes_lead_home() {
    let host = "localhost";
    let mut texts: Vec<String> = [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "\u{1}javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "intent://evil.example#Intent;end",
        "view-source:https://evil.example",
        "blob:https://evil.example/x",
        "filesystem:https://evil.example/x",
        "file:///etc/passwd",
        "about:blank",
        "mailto:a@evil.example",
        "https:evil.example",
        "https:/evil.example",
        "http:///evil.example",
        "evil.example",
        "?x",
        "#x",
        "/#//evil.example",
        "*",
    ]
    .map(str::to_owned)
    .into();
    for shape in [
        "https://@evil.example",
        "//@evil.example",
        "http://@:1@evil.example/",
        "http://@.evil.example/",
        "http://@%2eevil.example/",
        "http://evil.example#@/",
        "http://evil.example\\@@/",
        "//@",
        "@evil.example",
    ] {
        texts.push(shape.replacen('@', host, 1));
        texts.push(shape.replacen('@', &format!("{host}@"), 1));
    }
    lead_home(texts).await;
}

#[tokio::test]
async fn b07_what_only_looks_like_ascii_leads_home() {
    let odd = [
        '\u{2044}',
        '\u{2215}',
        '\u{29f8}',
        '\u{ff0f}',
        '\u{ff3c}',
        '\u{3002}',
        '\u{ff0e}',
        '\u{feff}',
        '\u{200b}',
        '\u{202e}',
        '\u{2028}',
        '\u{85}',
        '\u{a0}',
        '\u{130}',
        '\u{ff21}',
        '\u{10ffff}',
    ];
    let texts = odd.into_iter().flat_map(|odd| {
        [format!("/{odd}evil.example"), format!("{odd}/evil.example"), format!("/checkout{odd}")]
    });
    lead_home(texts.chain(["//evil\u{3002}com".to_owned(), "/\u{e9}".to_owned()])).await;
}

/// Every route of ours, as somebody might spell it.
fn our_routes() -> Vec<String> {
    let routes = [
        "/auth",
        "/auth/",
        "/auth/session",
        "/auth/verify",
        "/auth/logout",
        "/auth/amazon/login",
        "/auth/amazon/callback",
        "/auth/amazon/switch",
        "/auth/amazon/link",
        "/auth/amazon/link/forgot",
        "/auth/amazon/link/cancel",
        "/auth/amazon/register",
        "/auth/nothing",
    ];
    let spelled = |route: &str| {
        let rest = &route[1..];
        [
            route.to_owned(),
            format!("{route}?a=b"),
            format!("/{}", rest.to_uppercase()),
            format!("/%61{}", &rest[1..]),
            format!("/a%55{}", &rest[2..]),
            format!("/x/..{route}"),
            format!("/{route}"),
        ]
    };
    routes.iter().flat_map(|route| spelled(route)).collect()
}

#[tokio::test]
async fn b09_no_sign_in_leads_back_into_our_own_routes() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    for asked in our_routes() {
        assert_eq!(landed(&browser, &stack, &asked).await, "/", "{asked}");
    }
    for path in ["/auth/logout", "/auth/logout?return_to=/", "/auth/amazon/link/cancel"] {
        assert_eq!(browser.get(path).await.status, 405, "{path}");
    }
    assert_eq!(browser.account().await.as_deref(), Some("lin"), "nobody was logged out");
}

#[tokio::test]
async fn b01_b02_b09_a_site_with_a_page_of_its_own_is_handed_nothing_that_leads_off_it() {
    let passes = [("SignedInPath", "/account?from=amazon")];
    let stack = Options::with(&passes).start().await.unwrap();
    let browser = Browser::new(&stack);
    let before = format!("{}/account?from=amazon&return_to=", stack.url);
    let more =
        ["/checkout&admin=1", "/checkout?a=b&return_to=//evil.example#x", "/a%26b=c", "/\\evil"];
    for asked in corpus().into_iter().chain(more.map(str::to_owned)).chain(our_routes()) {
        let answer = browser.sign_in_at_amazon("lin", &asked).await;
        let rest = answer.location().strip_prefix(&before);
        let rest = rest.unwrap_or_else(|| panic!("{asked}: {}", answer.location()));
        assert!(!rest.contains(['&', '#', '?']), "{asked}: one parameter: {rest}");
        let query = format!("return_to={rest}");
        let handed = form_urlencoded::parse(query.as_bytes()).next().unwrap().1.into_owned();
        assert!(handed == "/" || handed == asked, "{asked} became {handed}");
        check_stays(&stack, &format!("{}{handed}", stack.url), &asked);
    }
}

#[tokio::test]
async fn b01_b02_b09_logging_out_leads_nobody_off_the_site() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let odd = ["/\\evil.example", "/\r\nSet-Cookie: a=b", "/\0", "/.//evil.example", ""];
    for asked in corpus().into_iter().chain(odd.map(str::to_owned)).chain(our_routes()) {
        let bye = browser.post("/auth/logout", &[("return_to", &asked)]).await;
        assert_eq!(bye.status, 303, "{asked}");
        check_stays(&stack, bye.location(), &asked);
        let to = &bye.location()[stack.url.len()..];
        assert!(to == "/" || to == asked, "{asked} became {to}");
    }
}

#[tokio::test]
async fn b01_a07_a_path_that_was_changed_in_the_visitors_own_cookie_leads_nowhere_else() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    let stack = stack().await;
    let odd =
        ["//evil.example", "https://evil.example", "/auth/logout", "/a/../b", "", "/\r\nA: b"];
    let corpus = corpus();
    for path in odd.into_iter().chain(corpus.iter().map(String::as_str)) {
        let browser = Browser::new(&stack);
        let at_amazon = browser.begin("/checkout").await;
        let cookie = browser.cookie(LOGIN).unwrap();
        let (kept, _) = cookie.rsplit_once('.').unwrap();
        browser.keep_cookie(LOGIN, &format!("{kept}.{}", URL_SAFE_NO_PAD.encode(path)));

        let answer = browser.allow(&at_amazon, "lin").await;

        match answer.status {
            303 => {
                check_stays(&stack, answer.location(), path);
                assert_eq!(answer.location(), format!("{}{path}", stack.url));
            }
            400 => {
                assert_eq!(answer.code(), "start_over", "{path}");
                assert_eq!(answer.link("Try again"), "/auth/amazon/login?return_to=%2F", "{path}");
                assert_eq!(browser.account().await, None);
            }
            status => panic!("{path}: {status}"),
        }
    }
}
