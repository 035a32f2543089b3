//! What browsers are told beside the page, and what they are never told.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt as _, stream};
use local_stack::{Stack, amazon::SHOP_CLIENT_ID};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tests::{Answer, Browser, SESSION, TICKET};

use crate::{
    endings::{self, Endings, ROUTES},
    origins::look_alikes,
    stack,
};

/// The headers of every answer, but for the policy.
const ALWAYS: [(&str, &str); 7] = [
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "same-origin"),
    ("strict-transport-security", "max-age=31536000"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];
/// Headers that some answers have.
const SOMETIMES: [&str; 11] = [
    "allow",
    "apigw-requestid",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "location",
    "remote-user",
    "retry-after",
    "set-cookie",
    "x-auth-request-user",
];

/// The policy that allows what this page's one style and our forms need, and nothing else.
fn policy(stack: &Stack, page: &Answer) -> String {
    let style = page.text.split_once("<style>").unwrap().1.split("</style>").next().unwrap();
    let hash = STANDARD.encode(Sha256::digest(style));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src 'self'; \
         form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'",
        stack.amazon.url
    )
}

fn names(answer: &Answer) -> BTreeSet<&str> {
    answer.headers.keys().map(|name| name.as_str()).collect()
}

fn is_page(answer: &Answer) -> bool {
    answer.header("content-type") == Some("text/html; charset=utf-8")
}

#[tokio::test]
async fn b12_b14_j02_j03_j05_j06_j08_inv15_however_a_request_ends_browsers_are_told_to_be_careful()
{
    let stack = Endings::stack().await;
    let all = Endings::of(&stack).await;
    let (_, page) = all.answers.iter().find(|(_, answer)| is_page(answer)).unwrap();
    let policy = policy(&stack, page);
    let mut seen = BTreeSet::new();
    for (route, answer) in &all.answers {
        let what = format!("{route} {}", answer.status);
        for (name, value) in ALWAYS {
            let values: Vec<_> = answer.headers.get_all(name).iter().collect();
            assert_eq!(values, [value], "{what}: {name}");
        }
        let policies: Vec<_> = answer.headers.get_all("content-security-policy").iter().collect();
        assert_eq!(policies, [policy.as_str()], "{what}");
        let kind = answer.header("content-type");
        let expected = match answer.text.as_bytes().first() {
            None => None,
            Some(b'<') => Some("text/html; charset=utf-8"),
            // Nobody's session, and what RFC 8628 has devices told, are no problems.
            Some(_) if answer.status < 400 || answer.text.contains("\"signed_in\":false") => {
                Some("application/json")
            }
            Some(_) if *route == endings::POLL && answer.text.starts_with("{\"error\":") => {
                Some("application/json")
            }
            Some(_) => Some("application/problem+json"),
        };
        assert_eq!(kind, expected, "{what}: {}", answer.text);
        for name in names(answer) {
            let always = ALWAYS.iter().any(|(known, _)| *known == name);
            let known = always || SOMETIMES.contains(&name);
            assert!(known, "{what} has {name}");
        }
        assert_eq!(answer.header("allow").is_some(), answer.status == 405, "{what}");
        assert_eq!(answer.header("location").is_some(), answer.status == 303, "{what}");
        let later = [429, 503].contains(&answer.status);
        assert_eq!(answer.header("retry-after").is_some(), later, "{what}");
        seen.insert((*route, answer.status));
    }
    let statuses: BTreeSet<_> = seen.iter().map(|(_, status)| *status).collect();
    let expected = [200, 204, 303, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 503];
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), expected);
    for (route, _) in ROUTES {
        assert!(seen.iter().any(|(seen, status)| *seen == route && *status < 400), "{route}");
        let errors = seen.iter().filter(|(seen, status)| *seen == route && *status >= 400);
        assert!(errors.count() > 1, "{route}");
    }
}

#[tokio::test]
async fn a22_inv14_whoever_is_sent_on_is_sent_with_get_to_us_or_to_amazon() {
    let stack = Endings::stack().await;
    let all = Endings::of(&stack).await;
    let mut from = BTreeSet::new();
    for (route, answer) in &all.answers {
        let Some(to) = answer.header("location") else {
            assert_ne!(answer.status / 100, 3, "{route}");
            continue;
        };
        assert_eq!(answer.status, 303, "{route}");
        let at_amazon = format!("{}?", stack.amazon.authorize_url());
        let here = to.strip_prefix(&stack.url);
        let here = here.is_some_and(|path| path.starts_with('/') && !path.starts_with("//"));
        assert!(here || to.starts_with(&at_amazon), "{route}: {to}");
        from.insert(*route);
    }
    let expected = [
        endings::CALLBACK,
        endings::LINK,
        endings::CANCEL,
        endings::FORGOT,
        endings::LOGIN,
        endings::REGISTER,
        endings::SWITCH,
        endings::ATTACH,
        endings::UNLINK,
        endings::REVOKE,
        endings::LOGOUT,
        endings::REAUTHENTICATE,
        endings::ACCEPT,
    ];
    assert_eq!(from.into_iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn b11_b12_no_url_that_a_visitor_is_given_holds_a_secret_or_leads_to_a_stranger() {
    let stack = Endings::stack().await;
    let all = Endings::of(&stack).await;
    assert!(all.secrets.len() > 30, "{}", all.secrets.len());
    let mut secrets: Vec<&str> = all.secrets.iter().map(String::as_str).collect();
    secrets.retain(|secret| secret.len() >= 18);
    let about_people = ["%40", "@", "example.com", "home.example", "amzn1.account", "Local", "Lin"];
    let mut urls = 0;
    for (route, answer) in &all.answers {
        for url in locations(answer) {
            urls += 1;
            let at_amazon = url.starts_with(&stack.amazon.authorize_url());
            if at_amazon {
                let query = url.split_once('?').unwrap().1.as_bytes();
                let mut names: Vec<_> =
                    form_urlencoded::parse(query).map(|(name, _)| name.into_owned()).collect();
                names.sort();
                let expected = [
                    "client_id",
                    "code_challenge",
                    "code_challenge_method",
                    "redirect_uri",
                    "response_type",
                    "scope",
                    "state",
                ];
                assert_eq!(names, expected, "{route}");
                continue;
            }
            let ours = url.strip_prefix(&stack.url).unwrap_or(&url);
            let amazons = ours == "https://www.amazon.com";
            assert!(amazons || ours.starts_with('/') && !ours.starts_with("//"), "{route}: {url}");
            let secret = secrets.iter().find(|secret| url.contains(*secret));
            assert_eq!(secret, None, "{route}: {url}");
            let person = about_people.iter().find(|word| url.contains(*word));
            assert_eq!(person, None, "{route}: {url}");
        }
    }
    assert!(urls > 150, "{urls}");
}

/// Every URL of an answer: where it redirects to, and whatever its page links to, loads or posts to.
fn locations(answer: &Answer) -> Vec<String> {
    let mut all: Vec<_> = answer.header("location").map(str::to_owned).into_iter().collect();
    for name in ["href", "src", "action", "formaction", "srcset", "data", "poster", "content"] {
        let marked = format!(" {name}=\"");
        let values = answer.text.split(&marked).skip(1).map(|rest| rest.split('"').next().unwrap());
        let urls = values.filter(|value| name != "content" || value.contains("url="));
        all.extend(urls.filter(|url| !url.starts_with('#')).map(|url| url.replace("&#38;", "&")));
    }
    all
}

#[tokio::test]
async fn j07_no_other_site_may_read_an_answer() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;
    let origins = look_alikes(&stack);
    assert!(origins.len() >= 30, "{}", origins.len());
    let all = origins.iter().chain([&stack.url]);
    let asks = all.flat_map(|origin| {
        let routes = ROUTES.map(|(route, _)| route).into_iter().chain(["/auth/nothing"]);
        routes.flat_map(move |route| ["GET", "OPTIONS"].map(|method| (origin, route, method)))
    });
    let browser = &browser;
    let answers = stream::iter(asks).map(|(origin, route, method)| async move {
        let ask = browser.ask(method, route).header("origin", origin);
        let ask = ask.header("access-control-request-method", "POST");
        let ask = ask.header("access-control-request-headers", "x-csrf-token, content-type");
        let ask = ask.header("access-control-request-private-network", "true");
        (origin, route, ask.header("sec-fetch-mode", "cors").send().await)
    });
    let answers: Vec<_> = answers.buffer_unordered(8).collect().await;
    for (origin, route, answer) in answers {
        for name in names(&answer) {
            let tells = name.starts_with("access-control-") || name == "timing-allow-origin";
            assert!(!tells, "{origin} {route}: {name}");
        }
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
    }
    assert_eq!(browser.account().await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn j09_what_is_told_of_a_session_is_no_script() {
    let stack = stack().await;
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    let told = lin.fetch("/auth/session", None).await.json();
    for who in [&lin, &Browser::new(&stack)] {
        for query in ["", "?callback=steal", "?jsonp=steal", "?cb=steal&format=js", "?var=steal"] {
            let ask = who.ask("GET", &format!("/auth/session{query}")).header("accept", "*/*");
            let ask = ask.header("sec-fetch-dest", "script").header("sec-fetch-mode", "no-cors");
            let answer = ask.header("sec-fetch-site", "cross-site").send().await;
            // To a script engine, a block with a text in it, and then a colon that cannot be there.
            assert!(answer.text.starts_with("{\""), "{}", answer.text);
            assert!(!answer.says("steal"), "{}", answer.text);
            for (name, value) in [
                ("content-type", "application/json"),
                ("x-content-type-options", "nosniff"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{query}");
            }
            if answer.status == 200 {
                assert_eq!(answer.json(), told, "{query}");
            }
        }
    }
}

/// What begins a new line to somebody, as it can be sent in a URL, a form and a cookie.
const BREAKS: [&str; 14] = [
    "%0d%0a",
    "%0a",
    "%0d",
    "%0D%0A%20",
    "%00",
    "%250d%250a",
    "%E5%98%8D%E5%98%8A",
    "%E5%98%8A",
    "%c0%8d%c0%8a",
    "%u000d%u000a",
    "%e2%80%a8",
    "%c2%85",
    "%0b",
    "\\r\\n",
];

#[tokio::test]
async fn b10_nothing_that_comes_in_becomes_a_header() {
    let stack = stack().await;
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    let told = lin.fetch("/auth/session", None).await.json();
    let csrf = told["csrf"].as_str().unwrap();
    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("noa", "/").await;
    let of_page = page.input("csrf");
    let rows = stack.dynamodb.snapshot().unwrap();

    let mut plain = Vec::new();
    for (number, line) in ["x"].into_iter().chain(BREAKS).enumerate() {
        let text = match number {
            0 => "plain".to_owned(),
            _ => format!("{line}Set-Cookie:%20injected=1{line}X-Injected:%201{line}{line}<p>"),
        };
        stack.dynamodb.restore(&rows).unwrap();
        let form = "application/x-www-form-urlencoded";
        let mut answers = Vec::new();
        for to in [
            format!("/auth/amazon/login?return_to=/a{text}"),
            format!("/auth/amazon/login?return_to={text}"),
            format!("/auth/amazon/login?{text}=x"),
            format!("/auth/amazon/callback?state={text}&code={text}"),
            format!("/auth/amazon/callback?error={text}&error_description={text}&state={text}"),
            format!("/auth/session?{text}"),
            format!("/auth/{}", text.replace("<p>", "")),
        ] {
            answers
                .push(Browser::new(&stack).get(&to.replace('<', "%3c").replace('>', "%3e")).await);
        }
        for name in [SESSION, TICKET, tests::LOGIN] {
            for path in ["/auth/session", "/auth/amazon/link", "/auth/amazon/login"] {
                let browser = Browser::new(&stack);
                let ask = browser.ask("GET", path).cookies(&format!("{name}={text}; {text}=x"));
                answers.push(ask.send().await);
            }
        }
        let ask = lin.ask("POST", "/auth/logout").header("origin", &stack.url);
        let ask = ask.body(form, format!("csrf={csrf}&return_to=/a{text}"));
        answers.push(ask.send().await);
        for body in [
            format!("csrf={of_page}&email={text}"),
            format!("csrf={text}&email=noa@home.example"),
            format!("csrf={of_page}&{text}=x"),
        ] {
            let ask = ann.ask("POST", "/auth/amazon/register").header("origin", &stack.url);
            answers.push(ask.body(form, body).send().await);
        }
        for header in ["accept-language", "user-agent", "referer", "x-forwarded-host", "origin"] {
            let browser = Browser::new(&stack);
            answers
                .push(browser.ask("GET", "/auth/amazon/login").header(header, &text).send().await);
        }
        for answer in &answers {
            let named = names(answer).iter().any(|name| name.contains("injected"));
            assert!(!named, "{line}: {:?}", answer.headers);
            for value in &answer.headers {
                let text = value.1.to_str().unwrap();
                let cookie = value.0 == "set-cookie" && text.contains("injected");
                assert!(!cookie && !text.contains(['\r', '\n']), "{line}: {text}");
            }
        }
        // Whatever it is, it is answered like a plain text; but for a form that is not UTF-8.
        let shapes: Vec<Vec<String>> = answers.iter().map(shape).collect();
        if number == 0 {
            plain = shapes;
            continue;
        }
        for (at, answer) in answers.iter().enumerate() {
            let no_text = line == "%c0%8d%c0%8a" && answer.url.ends_with("/auth/logout");
            match no_text {
                true => assert_eq!(answer.status, 400),
                false => assert_eq!(shapes[at], plain[at], "{line}: {}", answer.url),
            }
        }
    }
}

/// The names of an answer's headers, each as often as it is there.
fn shape(answer: &Answer) -> Vec<String> {
    let mut all: Vec<_> = answer.headers.iter().map(|(name, _)| name.to_string()).collect();
    all.sort();
    all
}

#[tokio::test]
async fn b10_a_name_of_several_lines_becomes_no_header() {
    let stack = stack().await;
    let mut shapes = BTreeSet::new();
    for line in ["", "\r\n", "\n", "\r", "\0", "\u{560d}\u{560a}", "\u{2028}", "\u{85}"] {
        let name = format!("Lin{line}Set-Cookie: injected=1{line}{line}X-Injected: 1");
        stack.amazon.change("lin", |lin| lin.name = Some(name));
        // As if she never had a name: one that she has taken away is not filled in.
        stack.dynamodb.set("accounts", &[("id", "lin")], "name", " ").unwrap();
        let link = format!("AMAZON#{}", stack.amazon.user_id("lin", SHOP_CLIENT_ID));
        stack.dynamodb.set("identities", &[("pk", &link)], "copied_name", Value::Null).unwrap();
        let lin = Browser::new(&stack);
        let entered = lin.sign_in_at_amazon("lin", "/").await;
        let told = lin.fetch("/auth/session", None).await;
        let verified = lin.fetch("/auth/verify", None).await;
        assert!(told.says("injected"), "it is shown as what it is: a name");
        let name = told.json()["account"]["name"].as_str().unwrap().to_owned();
        assert!(!name.contains(|c: char| c.is_control() || c == '\u{2028}'), "{name:?}");
        assert_eq!(verified.header("x-auth-request-user"), Some("lin"));
        shapes.insert([entered, told, verified].map(|answer| shape(&answer)));
    }
    assert_eq!(shapes.len(), 1, "{shapes:?}");
}
