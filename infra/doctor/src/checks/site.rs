//! The site from outside, as a visitor's browser meets it: whether `/auth/*` gets here, and gets here whole.

use url::Url;
use web::{Site, cookie};

use crate::{
    deployment::FUNCTIONS,
    http::Answer,
    round::{Check, Round, Seen, not_checked, ok, wrong},
};

const ROUTE: &str = "Have your host pass `/auth/*` on to the API (output ApiUrl) as it is: every method, the whole query, all cookies, the headers Origin and Authorization, and nothing kept.";
const READ: &str = "What your site has to do";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "site",
        name: "What is below /auth/ of PUBLIC_URL gets to the functions",
        after: &["public-url"],
        mend: ROUTE,
        read: READ,
    },
    Check {
        id: "answers",
        name: "Every function answers",
        after: &["settings", "functions", "endpoints"],
        mend: "Look into its log, which names the setting or the call that fails.",
        read: "Settings",
    },
    Check {
        id: "return-url",
        name: "A sign-in is sent to Amazon with this site's return URL",
        after: &["site", "answers"],
        mend: "PUBLIC_URL, LWA_CLIENT_ID or LWA_REGION is another one there: deploy once more, or route `/auth/*` to this stack and no other.",
        read: READ,
    },
    Check {
        id: "cookie",
        name: "Cookies get to the browser as they were set",
        after: &["return-url"],
        mend: "Have your proxy leave Set-Cookie alone: browsers throw a cookie away that begins with __Host- and has a Domain, another path, or no Secure.",
        read: READ,
    },
    Check {
        id: "not-kept",
        name: "Nothing below /auth/ is kept by a cache",
        after: &["return-url"],
        mend: "Switch caching off for `/auth/*` (CloudFront: CachingDisabled) and leave Cache-Control alone: or one visitor gets another one's answers.",
        read: READ,
    },
    Check {
        id: "post",
        name: "Forms get through, with their Origin",
        after: &["site", "answers"],
        mend: ROUTE,
        read: READ,
    },
    Check {
        id: "cookies-arrive",
        name: "Cookies and the query get through",
        after: &["cookie", "not-kept", "tables"],
        mend: "CloudFront passes neither on unless told to: use the origin request policy AllViewerExceptHostHeader for `/auth/*`, which has PUBLIC_URL's host as its own.",
        read: READ,
    },
];

/// A sign-in that was begun.
pub(super) struct Begun {
    /// Where the browser is sent.
    pub(super) to: Url,
    /// The cookie that remembers it, `name=value`.
    pub(super) cookie: String,
}

pub(super) async fn look(round: &mut Round<'_>) {
    let url = round.deployment.public_url().to_owned();
    if round.is_due("site") {
        let seen = match round.http.get(&format!("{url}/auth/session"), JSON).await {
            Ok(answer) => session(&answer, &url),
            Err(said) => wrong(said),
        };
        round.note("site", seen);
    }
    if round.is_due("answers") {
        let seen = answers(round, &url).await;
        round.note("answers", seen);
    }
    if round.is_due("return-url") {
        sign_in(round, &url).await;
    }
    if round.is_due("post") {
        let origin = [("origin", url.as_str()), JSON[0]];
        let seen = match round.http.post(&format!("{url}/auth/logout"), &origin).await {
            Ok(answer) => posted(&answer),
            Err(said) => wrong(said),
        };
        round.note("post", seen);
    }
    if round.is_due("cookies-arrive") {
        let seen = cancel(round, &url).await;
        round.note("cookies-arrive", seen);
    }
}

const JSON: &[(&str, &str)] = &[("accept", "application/json")];

fn session(answer: &Answer, url: &str) -> Seen {
    let ours = answer.json().is_some_and(|json| json["signed_in"].is_boolean());
    if ours || answer.code().is_some() {
        return ok();
    }
    if (300..400).contains(&answer.status) {
        let to = answer.header("location").and_then(|to| Url::parse(url).ok()?.join(to).ok());
        let to = to.map(|to| to.origin().ascii_serialization()).filter(|to| to != url);
        return wrong(match to {
            Some(to) => format!("it redirects to {to}, which may be what PUBLIC_URL should be"),
            None => "it redirects".to_owned(),
        });
    }
    wrong(format!("{}, which is not of ours", answer.said()))
}

/// Asks every function something harmless: by the API's own address where that is known and answers.
async fn answers(round: &mut Round<'_>, url: &str) -> Seen {
    let api = round.deployment.stack.as_ref().and_then(|stack| stack.api.clone());
    let mut base = url.to_owned();
    if let Some(api) = api {
        let asked = round.http.get(&format!("{api}/auth/session"), JSON).await;
        // An API may have its own address switched off.
        if asked.is_ok_and(|answer| session(&answer, &api).is_ok()) {
            base = api;
        }
    }
    let mut asked = Vec::new();
    for (name, path) in FUNCTIONS {
        let there = round.deployment.functions.iter().any(|function| function.name == name);
        let Some(path) = path.filter(|_| there) else { continue };
        asked.push((name, round.http.get(&format!("{base}{path}"), JSON).await));
    }
    judge(&asked)
}

fn judge(asked: &[(&str, Result<Answer, String>)]) -> Seen {
    let reached = |answer: &Answer| answer.code().is_some() || is_ours(answer);
    if !asked.iter().any(|(_, answer)| answer.as_ref().is_ok_and(reached)) {
        return not_checked("there is no way to them from here: `site` says why");
    }
    let mut wrongs = Vec::new();
    for (name, answer) in asked {
        match answer {
            Err(said) => wrongs.push(format!("{name}: {said}")),
            Ok(answer) if answer.status >= 500 => wrongs.push(match answer.code() {
                Some(code) => format!("{name} answers {} {code}", answer.status),
                None => format!("{name} fails: {}", answer.said()),
            }),
            Ok(answer) if !reached(answer) => {
                wrongs.push(format!("nothing leads to {name}: {}", answer.said()));
            }
            Ok(_) => {}
        }
    }
    if wrongs.is_empty() { ok() } else { wrong(wrongs.join("; ")) }
}

/// Whether one of our functions answered, where that was no problem: they forbid to keep anything.
fn is_ours(answer: &Answer) -> bool {
    answer.header("cache-control").is_some_and(|control| control.contains("no-store"))
        || answer.json().is_some_and(|json| json["signed_in"].is_boolean())
        || answer.header("location").is_some_and(|to| to.contains("/ap/oa?"))
}

/// Begins two sign-ins, and looks at how that goes.
async fn sign_in(round: &mut Round<'_>, url: &str) {
    let settings = round.deployment.settings();
    let Ok(site) = Site::new(&settings) else { return };
    let client_id = settings.optional("LWA_CLIENT_ID").unwrap_or_default();
    let login = format!("{url}/auth/amazon/login");
    let first = round.http.get(&login, &[]).await;
    let second = round.http.get(&login, &[]).await;
    let (Ok(first), Ok(second)) = (first, second) else {
        round.note("return-url", wrong("login does not answer"));
        return;
    };
    round.note("return-url", sent_to_amazon(&first, &site, client_id));
    if round.is_due("cookie") {
        round.note("cookie", set_cookie(&first));
        round.note("not-kept", kept(&first, &second));
    }
}

/// Begins a sign-in; nothing where that does not go as it should, which a check has said.
pub(super) async fn begin(round: &mut Round<'_>, url: &str) -> Option<Begun> {
    let answer = round.http.get(&format!("{url}/auth/amazon/login"), &[]).await.ok()?;
    let to = Url::parse(answer.header("location")?).ok()?;
    let cookie = login_cookie(&answer)?.split(';').next()?.to_owned();
    Some(Begun { to, cookie })
}

impl Begun {
    /// The callback's URL with the state of this sign-in, and this.
    pub(super) fn back(&self, url: &str, name: &str, value: &str) -> Option<String> {
        let state = parameter(&self.to, "state")?;
        Some(web::with_query(
            &format!("{url}/auth/amazon/callback"),
            &[(name, value), ("state", &state)],
        ))
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

fn sent_to_amazon(answer: &Answer, site: &Site, client_id: &str) -> Seen {
    let to = answer.header("location").and_then(|to| Url::parse(to).ok());
    let Some(to) = to.filter(|_| answer.status == 303) else {
        return wrong(format!("{}, and no way to Amazon", answer.said()));
    };
    let mut page = to.clone();
    page.set_query(None);
    let asked = |name: &str| parameter(&to, name).unwrap_or_default();
    let expected = site.redirect_uri();
    if page.as_str() != site.authorize_url {
        return wrong(format!("it is sent to {page}, and not to {}", site.authorize_url));
    }
    if asked("client_id") != client_id {
        return wrong("it is sent there with another client id");
    }
    if asked("redirect_uri") != expected {
        return wrong(format!("its return URL is {}, and not {expected}", asked("redirect_uri")));
    }
    Ok(format!("{expected}, which must be among the Allowed Return URLs at Amazon, to the letter"))
}

fn login_cookie(answer: &Answer) -> Option<&str> {
    let mut cookies =
        answer.headers.get_all("set-cookie").iter().filter_map(|one| one.to_str().ok());
    cookies.find(|one| one.starts_with(cookie::LOGIN))
}

fn set_cookie(answer: &Answer) -> Seen {
    let Some(cookie) = login_cookie(answer) else {
        return wrong(format!("there is no {} in the answer", cookie::LOGIN));
    };
    let attributes: Vec<_> =
        cookie.split(';').skip(1).map(|one| one.trim().to_ascii_lowercase()).collect();
    let has = |attribute: &str| attributes.iter().any(|one| one == attribute);
    if attributes.iter().any(|one| one.starts_with("domain")) {
        return wrong("a Domain was added");
    }
    for attribute in ["secure", "httponly", "path=/", "samesite=lax"] {
        if !has(attribute) {
            return wrong(format!("{attribute} was taken away, or changed"));
        }
    }
    ok()
}

fn kept(first: &Answer, second: &Answer) -> Seen {
    let state = |answer: &Answer| {
        let to = answer.header("location").and_then(|to| Url::parse(to).ok());
        to.and_then(|to| parameter(&to, "state"))
    };
    if state(first) == state(second) {
        return wrong("two visitors were given the same sign-in");
    }
    if first.headers.contains_key("age") || second.headers.contains_key("age") {
        return wrong("an answer has an Age, so a cache gave it");
    }
    match first.header("cache-control") {
        Some(control) if control.contains("no-store") => ok(),
        _ => wrong("Cache-Control: no-store was taken away, or changed"),
    }
}

fn posted(answer: &Answer) -> Seen {
    match (answer.status, answer.code().as_deref()) {
        (204, _) => ok(),
        (_, Some("csrf")) => wrong("the header Origin got lost, or is another one"),
        (_, Some("method_not_allowed")) => wrong("it got there as another method than POST"),
        (_, Some(code)) => wrong(format!("it answered {} {code}", answer.status)),
        _ => wrong(format!("to a POST {}, which is not of ours", answer.said())),
    }
}

/// Comes back as a visitor does who said no at Amazon.
async fn cancel(round: &mut Round<'_>, url: &str) -> Seen {
    let Some(begun) = begin(round, url).await else { return not_checked("no sign-in began") };
    let Some(back) = begun.back(url, "error", "access_denied") else {
        return not_checked("the sign-in has no state");
    };
    let headers = [("cookie", begun.cookie.as_str()), JSON[0]];
    match round.http.get(&back, &headers).await {
        Ok(answer) => came_back(&answer),
        Err(said) => wrong(said),
    }
}

fn came_back(answer: &Answer) -> Seen {
    let to = answer.header("location").unwrap_or_default();
    match (answer.status, answer.code().as_deref()) {
        (303, _) if to.contains("amazon=cancelled") => ok(),
        (_, Some("start_over")) => wrong(
            "the callback did not get the cookie that was sent, or not the state in the query",
        ),
        (_, Some(code)) => wrong(format!(
            "the callback answered {} {code}: its log says what fails, such as a write to TICKETS_TABLE",
            answer.status
        )),
        _ => wrong(format!("{}, which is not of ours", answer.said())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::round::Otherwise::{NotChecked, Wrong};

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let header = |(name, value): &(&str, &str)| Some((name.parse().ok()?, value.parse().ok()?));
        let headers = headers.iter().filter_map(header).collect();
        Answer { status, headers, body: body.as_bytes().to_vec() }
    }

    fn problem(status: u16, code: &str) -> Answer {
        let body = format!(r#"{{"code":"{code}","status":{status},"request_id":"1"}}"#);
        answer(status, &[("cache-control", "no-store")], &body)
    }

    const SITE: &str = "https://www.example.com";

    #[test]
    fn an_answer_of_ours_is_told_from_anybody_elses() {
        assert!(session(&answer(401, &[], r#"{"signed_in":false}"#), SITE).is_ok());
        assert!(session(&problem(503, "unavailable"), SITE).is_ok());
        for (other, said) in [
            (answer(200, &[("content-type", "text/html; charset=x")], "<p>"), "200 and text/html"),
            (answer(404, &[], r#"{"message":"Not Found"}"#), "404"),
            (
                answer(301, &[("location", "https://example.com/auth/session")], ""),
                "https://example.com",
            ),
            (answer(302, &[("location", "/login")], ""), "it redirects"),
        ] {
            let Err(Wrong(seen)) = session(&other, SITE) else { panic!("{said}") };
            assert!(seen.contains(said), "{seen}");
        }
    }

    #[test]
    fn a_function_that_does_not_answer_is_named_and_the_others_are_not() {
        let right = || Ok(problem(405, "method_not_allowed"));
        assert!(judge(&[("login", right()), ("link", Ok(problem(410, "ticket_expired")))]).is_ok());
        for (broken, said) in [
            (Ok(problem(503, "unavailable")), "link answers 503 unavailable"),
            (Ok(answer(500, &[], r#"{"message":"Internal Server Error"}"#)), "link fails"),
            (Ok(answer(404, &[], r#"{"message":"Not Found"}"#)), "nothing leads to link"),
            (Err("nobody is there".to_owned()), "link: nobody is there"),
        ] {
            let Err(Wrong(seen)) = judge(&[("login", right()), ("link", broken)]) else { panic!() };
            assert!(seen.contains(said) && !seen.contains("login"), "{seen}");
        }
        let nobody = || Err("nobody is there".to_owned());
        assert!(matches!(judge(&[("login", nobody()), ("link", nobody())]), Err(NotChecked(_))));
    }

    #[test]
    fn a_cookie_keeps_what_makes_browsers_take_it() {
        let set = |attributes: &str| {
            let cookie = format!("__Host-lwa_login=x; {attributes}");
            set_cookie(&answer(303, &[("set-cookie", &cookie)], ""))
        };
        assert!(set("Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600").is_ok());
        for attributes in [
            "Path=/; HttpOnly; SameSite=Lax",
            "Path=/auth; Secure; HttpOnly; SameSite=Lax",
            "Path=/; Secure; SameSite=Lax",
            "Path=/; Secure; HttpOnly; SameSite=None",
            "Path=/; Secure; HttpOnly; SameSite=Lax; Domain=.example.com",
        ] {
            assert!(set(attributes).is_err(), "{attributes}");
        }
        assert!(set_cookie(&answer(303, &[], "")).is_err());
    }
}
