mod register;

use super::*;

/// What somebody might call an account, an address or a site, to run a script of theirs.
const EVIL: &str = "\"'><script>&";

/// Every page there is, with `said` wherever it shows a text from outside.
fn pages(language: Language, said: &str) -> Vec<(String, String)> {
    let look = Look::new(said, Some(said), None);
    let frame = |code| Frame { look: &look, language, code, request_id: said };
    let mut pages = vec![("start", Start { href: said }.html(&frame("ok")))];
    for person in [None, Some(said)] {
        let page = Switch { csrf: said, from: person, to: person, stay_href: said };
        pages.push(("switch", page.html(&frame("ok"))));
    }
    for (link, cancelled) in [(None, true), (Some(None), false), (Some(Some(said)), false)] {
        let signed_in = |kind| SignedIn {
            id: said,
            kind,
            started: said,
            last_seen: said,
            current: kind == session::Kind::Browser,
        };
        let link = link.map(|email| Linked { since: said, email, prove_again: email.is_none() });
        let sessions = session::Kind::ALL.map(signed_in).into();
        let page = Connections { csrf: said, link, sessions, cancelled, back_href: said };
        pages.push(("connections", page.html(&frame("ok"))));
    }
    for token in [None, Some(said)] {
        let (password_reset_href, sign_in_href) = (Some(said), said);
        let page = Undo { token, password_reset_href, sign_in_href };
        pages.push(("undo", page.html(&frame("ok"))));
    }
    for (email, has_password, wrong) in
        [(None, false, false), (Some(said), true, false), (Some(said), true, true)]
    {
        let (csrf, return_to, back_href) = (said, said, said);
        let page = Reauthenticate {
            csrf,
            email,
            has_password,
            wrong,
            second_factor: wrong,
            return_to,
            back_href,
        };
        let code = if wrong { "wrong_password" } else { "ok" };
        pages.push(("reauthenticate", page.html(&frame(code))));
    }
    for (code, email, attempts_left, second_factor) in [
        ("ok", None, None, false),
        ("ok", Some(said), None, false),
        ("wrong_password", Some(said), Some(4), false),
        ("mfa_required", Some(said), None, true),
        ("wrong_password", Some(said), Some(1), true),
    ] {
        let forgot = email.is_some();
        let page = Link { csrf: said, email, attempts_left, second_factor, forgot };
        pages.push(("link", page.html(&frame(code))));
    }
    let fields: Vec<Field> = KINDS
        .into_iter()
        .map(|kind| Field { pattern: Some(said.into()), ..field("f", kind, said) })
        .collect();
    for wrong in [None, Some(Wrong::Missing), Some(Wrong::Invalid), Some(Wrong::TooLong)] {
        for email in [Email::Fixed(said), Email::Typed { value: said, wrong }] {
            let inputs = fields.iter().map(|field| Input { field, value: said, wrong }).collect();
            let page = Register { csrf: said, email, inputs, sign_in_href: said };
            pages.push(("register", page.html(&frame("invalid_fields"))));
        }
    }
    for code in Words::CODES {
        let page = Problem {
            retry_href: Some(said),
            sign_in_href: said,
            password_reset_href: Some(said),
            retry_after: Some(60),
        };
        pages.push((code, page.html(&frame(code))));
    }
    pages.into_iter().map(|(name, html)| (format!("{} {name}", language.code()), html)).collect()
}

const KINDS: [Kind; 7] =
    [Kind::Text, Kind::Email, Kind::Tel, Kind::Number, Kind::Date, Kind::Checkbox, Kind::Select];

fn field(name: &str, kind: Kind, label: &str) -> Field {
    Field {
        name: name.into(),
        label: [(String::new(), label.into())].into(),
        kind,
        required: true,
        options: vec![label.into(), "other".into()],
        ..Field::default()
    }
}

fn english(code: &str, html: impl FnOnce(&Frame<'_>) -> String) -> String {
    let look = Look::new("Shop", None, None);
    html(&Frame { look: &look, language: Language::En, code, request_id: "r-1" })
}

fn link(link: &Link<'_>, code: &str) -> String {
    english(code, |frame| link.html(frame))
}

const LINK: Link<'_> = Link {
    csrf: "c",
    email: Some("ann@shop.example"),
    attempts_left: None,
    second_factor: false,
    forgot: true,
};

/// The first tag that has this in it.
fn tag<'a>(html: &'a str, part: &str) -> &'a str {
    let body = html.split_once("</style>").unwrap().1;
    let at = body.find(part).unwrap_or_else(|| panic!("no {part} in {body}"));
    let start = body[..at].rfind('<').unwrap();
    &body[start..=start + body[start..].find('>').unwrap()]
}

#[test]
fn every_page_is_one_whole_document_in_the_visitors_language() {
    for language in Language::ALL {
        for (name, html) in pages(language, "Shop") {
            let start = format!("<!DOCTYPE html>\n<html lang=\"{}\">", language.code());
            assert!(html.starts_with(&start) && html.trim_end().ends_with("</html>"), "{name}");
            assert!(html.contains(" – Shop</title>"), "{name}");
            assert!(html.contains("<main data-code=\""), "{name}");
            assert_eq!(html.matches("<h1>").count(), 1, "{name}");
            let (_, body) = html.split_once("</style>").unwrap();
            assert!(!body.contains(['{', '}']), "a placeholder was forgotten: {name}");
        }
    }
}

#[test]
fn j01_no_text_from_outside_becomes_a_part_of_a_page() {
    for language in Language::ALL {
        for ((name, html), (_, plain)) in
            pages(language, EVIL).into_iter().zip(pages(language, "Shop"))
        {
            assert!(html.contains("&#34;&#39;&#62;&#60;script&#62;&#38;"), "{name}");
            for sign in ["\"", "'", "<", ">"] {
                assert_eq!(
                    html.matches(sign).count(),
                    plain.matches(sign).count(),
                    "{sign} in {name}"
                );
            }
        }
    }
}

#[test]
fn j10_a_page_needs_only_the_style_that_the_policy_names() {
    for (name, html) in pages(Language::En, "/logo.svg") {
        let look = Look::new("/logo.svg", None, None);
        let (head, rest) = html.split_once("<style>").unwrap();
        let (style, body) = rest.split_once("</style>").unwrap();
        assert_eq!(style, look.style(), "{name}");
        for foreign in
            ["<script", "<style", "<link", "<iframe", " style=", " onclick=", "src=\"http"]
        {
            assert!(!head.contains(foreign) && !body.contains(foreign), "{foreign} in {name}");
        }
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

#[test]
fn j11_a_customer_reads_what_was_matched_and_gives_the_local_password() {
    let html = link(&LINK, "ok");
    assert!(
        html.contains("already an account with the address <bdi>ann@shop.example</bdi> here"),
        "{html}"
    );
    assert!(
        html.contains("the password you use at <bdi>Shop</bdi> – not your Amazon password"),
        "{html}"
    );
    assert_eq!(
        tag(&html, "name=\"username\""),
        "<input type=\"email\" id=\"username\" name=\"username\" value=\"ann@shop.example\" autocomplete=\"username\" readonly>"
    );
    assert!(tag(&html, "type=\"password\"").contains("autocomplete=\"current-password\" required"));
    assert_eq!(
        tag(&html, "amazon.com\""),
        "<a href=\"https://www.amazon.com\" rel=\"noreferrer\">"
    );
    for action in ["/auth/amazon/link", "/auth/amazon/link/forgot", "/auth/amazon/link/cancel"] {
        let form = format!(
            "<form method=\"post\" action=\"{action}\">\n<input type=\"hidden\" name=\"csrf\" value=\"c\">"
        );
        assert!(html.contains(&form), "{action}");
    }
    assert!(!html.contains("role=\"alert\"") && !html.contains("one-time-code"));
}

#[test]
fn without_a_page_for_forgotten_passwords_there_is_no_button_for_it() {
    let html = link(&Link { forgot: false, ..LINK }, "ok");
    assert!(!html.contains("/auth/amazon/link/forgot"), "{html}");
    assert!(html.contains("Forgot your password? Please contact <bdi>Shop</bdi>."), "{html}");
}

#[test]
fn a_wrong_password_is_told_with_the_tries_that_are_left() {
    let html = link(&Link { attempts_left: Some(4), ..LINK }, "wrong_password");
    assert!(html.contains("<title>Error: Connect"), "{html}");
    assert!(tag(&html, "role=\"alert\"").contains("id=\"wrong\""));
    assert!(
        html.contains("not the password of this account.\nYou can try <bdi>4</bdi> more times."),
        "{html}"
    );
    assert!(
        tag(&html, "type=\"password\"")
            .contains("aria-invalid=\"true\" aria-describedby=\"wrong\"")
    );
    assert!(!tag(&html, "type=\"password\"").contains("value"));

    let html = link(&Link { attempts_left: Some(1), ..LINK }, "wrong_password");
    assert!(html.contains("You can try once more."), "{html}");
}

#[test]
fn a_second_factor_is_asked_for_where_the_account_has_one() {
    let html = link(&Link { second_factor: true, ..LINK }, "mfa_required");
    assert!(html.contains("<title>Connect"), "{html}");
    assert!(html.contains("together with your security code"), "{html}");
    let code = tag(&html, "name=\"code\"");
    assert!(code.contains("autocomplete=\"one-time-code\"") && code.contains("required"), "{code}");

    let html =
        link(&Link { second_factor: true, attempts_left: Some(2), ..LINK }, "wrong_password");
    assert!(html.contains("The password or the security code is not right."), "{html}");
    assert!(tag(&html, "name=\"code\"").contains("aria-describedby=\"wrong\""));
}

#[test]
fn every_problem_says_what_happened_and_offers_the_next_step() {
    for (code, title, steps) in [
        ("start_over", "Please start again", "/retry /sign-in"),
        ("bad_request", "That did not work", "/retry /sign-in"),
        ("account_closed", "This account cannot be used", "/sign-in"),
        ("no_password", "Please sign in as usual first", "/sign-in /reset"),
        ("ticket_expired", "Please start again", "/retry /reset /sign-in"),
        (
            "reauthentication_required",
            "Please confirm that it is you",
            "/auth/reauthenticate /sign-in",
        ),
        ("last_sign_in_method", "Please set a password first", "/reset /sign-in"),
        ("unavailable", "Not available at the moment", "/retry /sign-in"),
        ("a_code_that_is_new", "Something went wrong", "/retry /sign-in"),
    ] {
        let page = Problem {
            retry_href: Some("/retry"),
            sign_in_href: "/sign-in",
            password_reset_href: Some("/reset"),
            retry_after: None,
        };
        let html = english(code, |frame| page.html(frame));
        assert!(html.contains(&format!("<main data-code=\"{code}\">\n<h1>{title}</h1>")), "{html}");
        assert!(html.contains("this number: <bdi>r-1</bdi>"), "{html}");
        let offered: Vec<&str> = html
            .split("<a class=\"button")
            .skip(1)
            .map(|link| link.split_once("href=\"").unwrap().1.split('"').next().unwrap())
            .collect();
        assert_eq!(offered.join(" "), steps, "{code}");
    }
    let page = Problem {
        retry_href: None,
        sign_in_href: "/sign-in",
        password_reset_href: None,
        retry_after: None,
    };
    for code in Words::CODES {
        let html = english(code, |frame| page.html(frame));
        assert_eq!(html.matches(" href=\"/sign-in\">").count(), 1, "{code}");
    }
}

#[test]
fn a_link_that_is_undone_is_asked_about_no_more() {
    let title = |token| {
        let page = Undo { token, password_reset_href: Some("/reset"), sign_in_href: "/sign-in" };
        let html = english("ok", |frame| page.html(frame));
        html.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap().to_owned()
    };
    assert_eq!(title(Some("t")), "Was this not you?");
    assert_eq!(title(None), "Amazon is disconnected");
}

#[test]
fn how_long_to_wait_is_told_in_a_unit_that_people_use() {
    for (seconds, said) in [
        (1, "wait a moment before you try again.</p>"),
        (30, "wait <bdi>30</bdi> seconds"),
        (100, "wait <bdi>2</bdi> minutes"),
        (900, "wait <bdi>15</bdi> minutes"),
        (901, "wait <bdi>16</bdi> minutes"),
    ] {
        let page = Problem {
            retry_href: None,
            sign_in_href: "/",
            password_reset_href: None,
            retry_after: Some(seconds),
        };
        let html = english("too_many_attempts", |frame| page.html(frame));
        assert!(html.contains(said), "{seconds}: {html}");
    }
}

#[test]
fn a_visitor_from_another_website_gets_amazons_button() {
    let page = Start { href: "/auth/amazon/login?return_to=%2F" };
    let html = english("ok", |frame| page.html(frame));
    let button =
        "<a class=\"button\" href=\"/auth/amazon/login?return_to=%2F\">Login with Amazon</a>";
    assert!(html.contains(button), "{html}");
}

#[test]
fn somebody_who_is_signed_in_is_asked_before_the_account_changes() {
    let page = Switch { csrf: "c", from: Some("Ann"), to: Some("Bob"), stay_href: "/basket" };
    let html = english("ok", |frame| page.html(frame));
    assert!(
        html.contains("signed in as <bdi>Ann</bdi>") && html.contains("belongs to <bdi>Bob</bdi>"),
        "{html}"
    );
    assert!(html.contains("<form method=\"post\" action=\"/auth/amazon/switch\">"), "{html}");
    assert!(html.contains("<a class=\"button second\" href=\"/basket\">"), "{html}");
}

#[test]
fn without_a_site_there_is_still_a_page() {
    let look = Look::new("", None, None);
    let frame = Frame { look: &look, language: Language::En, code: "unavailable", request_id: "" };
    let page = Problem {
        retry_href: None,
        sign_in_href: "/",
        password_reset_href: None,
        retry_after: None,
    };
    let html = page.html(&frame);
    assert!(html.contains("<title>Not available at the moment</title>"), "{html}");
    assert!(!html.contains("<header>") && !html.contains("<footer>"), "{html}");
}
