//! Forms of ours that other sites send.

use futures_util::{StreamExt as _, stream};
use tests::{Answer, Ask};

use crate::{
    buttons::{Button, Pressing},
    origins::look_alikes,
    stack,
};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// What could be the body's type; nothing where none is told.
const KINDS: [Option<&str>; 6] = [
    Some(FORM),
    Some(JSON),
    Some("text/plain"),
    Some("text/plain;application/json"),
    Some("multipart/form-data; boundary=edge"),
    None,
];
/// A form's type as nobody spells it, and types that are none of ours.
const ODD_KINDS: [&str; 5] = [
    "Application/X-WWW-Form-URLencoded; charset=UTF-8",
    "application/xml",
    "application/jsonp",
    "application/json, application/x-www-form-urlencoded",
    "*/*",
];
/// What browsers say in `Sec-Fetch-Site`; nothing from old ones.
const SITES: [Option<&str>; 5] =
    [Some("same-origin"), Some("same-site"), Some("cross-site"), Some("none"), None];

/// A way of sending a form.
#[derive(Clone, Debug)]
struct Way {
    token: Token,
    origin: Option<String>,
    site: Option<&'static str>,
    kind: Option<&'static str>,
}

/// The token that a form holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Right,
    Missing,
    SomebodyElses,
    Old,
}

impl Way {
    /// What decisions and contract say of it: nothing where it is as good as the visitor's own.
    fn refusal(&self, own: &str) -> Option<(u16, &'static str)> {
        let kind = self.kind.unwrap_or_default().to_ascii_lowercase();
        if !(kind == FORM || kind.starts_with(&format!("{FORM};")) || kind == JSON) {
            return Some((415, "unsupported_media_type"));
        }
        let same_site = matches!(self.site, None | Some("same-origin"));
        let ours = self.origin.as_deref() == Some(own) && same_site;
        (!(ours && self.token == Token::Right)).then_some((403, "csrf"))
    }

    fn ask<'a>(&self, pressing: &'a Pressing<'_>, ask: Ask<'a>) -> Ask<'a> {
        let button = pressing.button;
        let csrf = match self.token {
            Token::Right => Some(pressing.csrf.as_str()),
            Token::Missing => None,
            Token::SomebodyElses => Some(pressing.foreign.as_str()),
            Token::Old => Some(pressing.old.as_str()),
        };
        let kind = self.kind.unwrap_or_default();
        let body = match kind {
            kind if kind == JSON || kind.contains(";application/json") => {
                button.json(csrf).to_string()
            }
            kind if kind.starts_with("multipart") => parts(&button.form(csrf)),
            _ => button.form(csrf),
        };
        let ask = match &self.origin {
            Some(origin) => ask.header("origin", origin),
            None => ask.without("origin"),
        };
        let ask = match self.site {
            Some(site) => ask.header("sec-fetch-site", site),
            None => ask.without("sec-fetch-site"),
        };
        let ask = ask.body(kind, body);
        if self.kind.is_none() { ask.without("content-type") } else { ask }
    }
}

/// A form as `multipart/form-data`.
fn parts(form: &str) -> String {
    let fields = form_urlencoded::parse(form.as_bytes()).map(|(name, value)| {
        format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    fields.chain(["--edge--\r\n".to_owned()]).collect()
}

/// The code of an answer, be it a page or JSON.
fn code(answer: &Answer) -> String {
    match answer.header("content-type") {
        Some("application/problem+json") => answer.json()["code"].as_str().unwrap().to_owned(),
        _ => answer.code().to_owned(),
    }
}

/// Every combination with the origins that matter, and every look-alike with all else right.
fn ways(own: &str, look_alikes: Vec<String>) -> Vec<Way> {
    let mut ways = Vec::new();
    let some = |origin: &str| Some(origin.to_owned());
    let suffixed = format!("{own}.evil.example");
    for origin in [some(own), some("null"), some("https://evil.example"), some(&suffixed), None] {
        for token in [Token::Right, Token::Missing, Token::SomebodyElses, Token::Old] {
            for (site, kind) in SITES.iter().flat_map(|site| KINDS.map(|kind| (*site, kind))) {
                ways.push(Way { token, origin: origin.clone(), site, kind });
            }
        }
    }
    for origin in look_alikes {
        for (site, kind) in [(SITES[0], Some(FORM)), (None, Some(JSON))] {
            ways.push(Way { token: Token::Right, origin: Some(origin.clone()), site, kind });
        }
    }
    for kind in ODD_KINDS {
        let (token, origin, site) = (Token::Right, some(own), Some("same-origin"));
        ways.push(Way { token, origin, site, kind: Some(kind) });
    }
    ways
}

/// Sends the form in every way; what is refused must have asked nobody anything, what is not must do
/// what the button is for.
async fn try_all(button: Button) {
    let stack = stack().await;
    let pressing = button.reach(&stack).await;
    let ways = ways(&stack.url, look_alikes(&stack));
    let (good, bad): (Vec<_>, Vec<_>) =
        ways.into_iter().partition(|way| way.refusal(&stack.url).is_none());
    assert!(bad.len() > 600, "{}", bad.len());
    // A form and JSON, each with the browser's word for it and without; and a form of another spelling.
    assert_eq!(good.len(), 5, "{good:?}");

    stack.dynamodb.reset_requests();
    let pressing = &pressing;
    let refused = stream::iter(&bad)
        .map(|way| async move { (way, way.ask(pressing, pressing.ask()).send().await) });
    let refused: Vec<_> = refused.buffer_unordered(8).collect().await;
    for (way, answer) in refused {
        let expected = way.refusal(&stack.url).unwrap();
        assert_eq!((answer.status, &*code(&answer)), expected, "{button:?} {way:?}");
        assert!(answer.header("set-cookie").is_none(), "{button:?} {way:?}");
    }
    // A function that only starts asks without a trace.
    let asked: Vec<_> =
        stack.dynamodb.calls().into_iter().filter(|call| call.trace.is_some()).collect();
    assert!(asked.is_empty(), "{button:?}: {asked:?}");
    pressing.is_untouched().await;

    for way in good {
        stack.dynamodb.restore(&pressing.rows).unwrap();
        let browser = pressing.browser.copy();
        let ask = browser.ask("POST", button.path());
        let answer = way.ask(pressing, ask).send().await;
        assert!(answer.status < 400, "{button:?} {way:?}: {} {}", answer.status, answer.text);
        pressing.has_worked(&answer, &browser).await;
    }
}

#[tokio::test]
async fn d16_only_our_own_page_links() {
    try_all(Button::Link).await;
}

#[tokio::test]
async fn d16_only_our_own_page_leads_to_another_password() {
    try_all(Button::Forgot).await;
}

#[tokio::test]
async fn d16_only_our_own_page_gives_linking_up() {
    try_all(Button::Cancel).await;
}

#[tokio::test]
async fn d16_only_our_own_page_registers() {
    try_all(Button::Register).await;
}

#[tokio::test]
async fn d16_only_our_own_page_switches_accounts() {
    try_all(Button::Switch).await;
}

#[tokio::test]
async fn c10_d16_only_our_own_page_logs_out() {
    try_all(Button::LogOut).await;
}
