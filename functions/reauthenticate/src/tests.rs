use std::time::Duration;

use domain::{
    AccountId, Clock, SessionToken, Status, Timestamp,
    lifecycle::{Event, Kind as Happening},
    login::{Intent, Logins},
    session::{How, Kind, Session},
};
use local_stack::{Options, Stack, specimen::Specimen};
use serde_json::{Value, json};
use store::{Commit, Lifecycle};
use web::{Reply, lambda_http::Body, reply_to};

use crate::{handler::Reauthenticate, open};

const NOON: Timestamp = Timestamp(1_795_167_000);
const COOKIE: &str = "__Host-lwa_session";

struct Setting {
    stack: Stack,
    reauthenticate: Reauthenticate,
}

async fn setting() -> Setting {
    setting_with(&[]).await
}

async fn setting_with(parameters: &[(&str, &str)]) -> Setting {
    let stack = Options::with(parameters).doors().await.unwrap();
    let mut settings = stack.settings("reauthenticate");
    settings.insert("PUBLIC_URL".into(), "https://shop.example".into());
    let mut reauthenticate = open(&settings.into_iter().collect()).await.unwrap();
    reauthenticate.entrance.clock = Clock::Stopped(NOON);
    Setting { stack, reauthenticate }
}

impl Setting {
    fn at(mut self, now: Timestamp) -> Self {
        self.reauthenticate.entrance.clock = Clock::Stopped(now);
        self
    }

    /// Signs somebody in, an hour before noon.
    async fn sign_in(&self, account: &str, kind: Kind) -> SessionToken {
        let account = domain::Account {
            id: AccountId::parse(account).unwrap(),
            email: None,
            name: None,
            status: Status::Active,
            has_password: true,
        };
        let (hour, week) = (Duration::from_hours(1), Duration::from_secs(604_800));
        let (how, rng) = (How::Amazon, &mut web::rng());
        let (token, session) = Session::start(&account, kind, how, 0, week, NOON - hour, rng);
        let sessions = &self.reauthenticate.entrance.sessions;
        let writes = sessions.open(&token, &session).unwrap();
        assert_eq!(store::commit(&sessions.client, writes.into()).await.unwrap(), Commit::Done);
        self.stack.dynamodb.reset_requests();
        token
    }

    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.reauthenticate, &specimen.event()).await.unwrap()
    }

    async fn find(&self, token: &SessionToken) -> Option<Session> {
        self.reauthenticate.entrance.sessions.find(token).await.unwrap()
    }
}

fn page(token: &SessionToken) -> Specimen {
    Specimen::of("reauthenticate").cookie(COOKIE, &token.expose())
}

fn form(token: &SessionToken, password: &str) -> Specimen {
    Specimen::of("reauthenticate-password")
        .cookie(COOKIE, &token.expose())
        .form(&[("csrf", token.csrf().expose()), ("password", password)])
}

fn text(reply: &Reply) -> &str {
    let Body::Text(text) = reply.body() else { return "" };
    text
}

/// The status and the code of an answer.
fn ending(reply: &Reply) -> (u16, String) {
    let code = match serde_json::from_str::<Value>(text(reply)) {
        Ok(json) => json["code"].as_str().unwrap_or("ok").to_owned(),
        Err(_) => match text(reply).split_once("data-code=\"") {
            Some((_, rest)) => rest.split('"').next().unwrap().to_owned(),
            None => "ok".to_owned(),
        },
    };
    (reply.status().as_u16(), code)
}

fn cookie_of(reply: &Reply) -> SessionToken {
    let cookie = reply.headers()["set-cookie"].to_str().unwrap();
    let value = cookie.strip_prefix("__Host-lwa_session=").unwrap().split(';').next().unwrap();
    SessionToken::presented(value).unwrap()
}

#[tokio::test]
async fn reauth_c02_the_password_is_a_proof_for_five_minutes_and_the_session_is_new() {
    let at = setting().await;
    let token = at.sign_in("ann", Kind::Browser).await;
    let before = at.find(&token).await.unwrap();
    assert!(!before.is_proven(NOON));
    assert_eq!(ending(&at.reply(page(&token)).await), (200, "ok".into()));

    let reply = at.reply(form(&token, "ann-local-password")).await;

    assert_eq!(reply.status(), 303);
    assert_eq!(reply.headers()["location"], "https://shop.example/auth/connections");
    let cookie = reply.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.ends_with("SameSite=Lax; Max-Age=601200"), "what is left of it: {cookie}");
    let renewed = cookie_of(&reply);
    assert_ne!(renewed.expose(), token.expose());
    assert!(at.find(&token).await.is_none(), "the old token opens nothing");
    let after = at.find(&renewed).await.unwrap();
    assert_eq!(
        (&after.id, after.how, after.started_at),
        (&before.id, before.how, before.started_at)
    );
    assert_eq!(after.expires_at, before.expires_at, "it lives no longer than before");
    assert!(after.is_proven(NOON + Duration::from_secs(299)));
    assert!(!after.is_proven(NOON + Duration::from_mins(5)));
}

#[tokio::test]
async fn a_visitor_goes_where_they_were_going_if_that_is_of_the_site() {
    let at = setting().await;
    for (to, expected) in [
        ("/settings", "/settings"),
        ("//evil.example", "/auth/connections"),
        ("https://evil.example/", "/auth/connections"),
        ("", "/auth/connections"),
    ] {
        let token = at.sign_in("ann", Kind::Browser).await;
        let fields = [
            ("csrf", token.csrf().expose()),
            ("password", "ann-local-password"),
            ("return_to", to),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = at.reply(form(&token, "").form(&fields)).await;
        assert_eq!(reply.headers()["location"], format!("https://shop.example{expected}"), "{to}");
    }
}

#[tokio::test]
async fn a_script_of_the_site_is_told_as_json() {
    let at = setting().await;
    let token = at.sign_in("ann", Kind::Browser).await;
    let body = |password| json!({ "csrf": token.csrf().expose(), "password": password });
    let wrong = at.reply(form(&token, "").json(&body("wrong"))).await;
    assert_eq!(ending(&wrong), (401, "wrong_password".into()));

    let reply = at.reply(form(&token, "").json(&body("ann-local-password"))).await;

    let told: Value = serde_json::from_str(text(&reply)).unwrap();
    assert_eq!(told["proven_until"], (NOON + Duration::from_mins(5)).rfc3339());
    assert_eq!(told["csrf"], cookie_of(&reply).csrf().expose(), "the old one is of no use");
}

#[tokio::test]
async fn a_wrong_password_changes_nothing_and_five_of_them_are_enough() {
    let at = setting().await;
    let token = at.sign_in("ann", Kind::Browser).await;
    for _ in 0..5 {
        let reply = at.reply(form(&token, "amazon-password")).await;
        assert_eq!(ending(&reply), (401, "wrong_password".into()));
        assert!(!reply.headers().contains_key("set-cookie"));
    }
    for password in ["amazon-password", "ann-local-password"] {
        let reply = at.reply(form(&token, password)).await;
        assert_eq!(ending(&reply), (429, "too_many_attempts".into()));
        assert_eq!(reply.headers()["retry-after"], "900");
    }
    assert!(!at.find(&token).await.unwrap().is_proven(NOON));
    // Another session of the same account has no guesses of its own.
    let other = at.sign_in("ann", Kind::Browser).await;
    assert_eq!(at.reply(form(&other, "x")).await.status(), 429);
    let stranger = at.sign_in("bob", Kind::Browser).await;
    assert_eq!(at.reply(form(&stranger, "bob-local-password")).await.status(), 303);
    let at = at.at(NOON + Duration::from_secs(900));
    assert_eq!(at.reply(form(&token, "ann-local-password")).await.status(), 303);
}

#[tokio::test]
async fn an_account_without_a_password_is_proven_by_amazon() {
    let at = setting().await;
    let token = at.sign_in("otto", Kind::Browser).await;
    let record = at.reauthenticate.entrance.account(&AccountId::parse("otto").unwrap()).await;
    assert!(!record.unwrap().unwrap().account.has_password);
    assert!(!text(&at.reply(page(&token)).await).contains("type=\"password\""));

    let reply = at.reply(form(&token, "")).await;

    assert_eq!(reply.status(), 303);
    let amazon = at.stack.amazon.authorize_url();
    assert!(reply.headers()["location"].to_str().unwrap().starts_with(&amazon));
    let cookie = reply.headers()["set-cookie"].to_str().unwrap();
    let value = cookie.strip_prefix("__Host-lwa_login=").unwrap().split(';').next().unwrap();
    let state = reply.headers()["location"].to_str().unwrap().split("state=").nth(1).unwrap();
    let state = domain::State::presented(state.split('&').next().unwrap()).unwrap();
    let begun = Logins::parse(value).finish(&state).unwrap();
    assert_eq!(begun.intent, Intent::Prove(token.hash()));
    assert!(!at.find(&token).await.unwrap().is_proven(NOON), "nothing is proven yet");
}

#[tokio::test]
async fn only_somebody_who_is_signed_in_here_proves_anything() {
    let at = setting().await;
    let token = at.sign_in("ann", Kind::Browser).await;
    let right = || form(&token, "ann-local-password");
    let app = at.sign_in("ann", Kind::App).await;
    for (specimen, expected) in [
        (right().without_cookie(COOKIE), (401, "not_signed_in")),
        (form(&app, "ann-local-password"), (401, "not_signed_in")),
        (right().header("origin", "https://evil.example"), (403, "csrf")),
        (right().header("sec-fetch-site", "cross-site"), (403, "csrf")),
        (right().without_header("origin"), (403, "csrf")),
        (right().form(&[("password", "ann-local-password")]), (403, "csrf")),
        (right().form(&[("csrf", app.csrf().expose()), ("password", "x")]), (403, "csrf")),
        (right().form(&[("csrf", token.csrf().expose())]), (400, "bad_request")),
        (right().form(&[("csrf", token.csrf().expose()), ("admin", "1")]), (400, "bad_request")),
        (right().method("PUT"), (405, "method_not_allowed")),
        (Specimen::of("reauthenticate").without_cookie(COOKIE), (401, "not_signed_in")),
    ] {
        at.stack.dynamodb.reset_requests();
        let (status, code) = ending(&at.reply(specimen).await);
        assert_eq!((status, code.as_str()), expected);
        // A form of another site's is refused before anybody looks the session up.
        let asked = at.stack.dynamodb.requests();
        assert!(code != "csrf" || asked.is_empty(), "{asked:?}");
    }
    assert!(!at.find(&token).await.unwrap().is_proven(NOON));
}

#[tokio::test]
async fn f04_e22_what_ends_meanwhile_is_not_proven() {
    for (id, kind) in [("ann", Happening::PasswordReset), ("ann", Happening::Disabled)] {
        let at = setting().await;
        let token = at.sign_in(id, Kind::Browser).await;
        let entrance = &at.reauthenticate.entrance;
        let tables = Lifecycle {
            identities: entrance.identities.clone(),
            sessions: entrance.sessions.clone(),
            tickets: entrance.tickets.clone(),
            tells: false,
        };
        let event = Event { kind, account: AccountId::parse(id).unwrap(), at: NOON };
        tables.apply(&event, NOON, &mut web::rng()).await.unwrap();
        let reply = at.reply(form(&token, "ann-local-password")).await;
        assert_eq!(ending(&reply), (401, "not_signed_in".into()));
    }
    let at = setting().await;
    for closed in ["dora", "kim", "nobody"] {
        let token = at.sign_in(closed, Kind::Browser).await;
        assert_eq!(ending(&at.reply(page(&token)).await), (403, "account_closed".into()));
    }
}

#[tokio::test]
async fn d18_a_second_factor_is_part_of_the_proof() {
    let at = setting_with(&[("Accounts", "webhook")]).await;
    at.stack.dynamodb.set("accounts", &[("id", "ann")], "second_factor", "246810").unwrap();
    let token = at.sign_in("ann", Kind::Browser).await;
    let with_code = |code: &str| {
        let csrf = token.csrf();
        let form = [("csrf", csrf.expose()), ("password", "ann-local-password"), ("code", code)];
        Specimen::of("reauthenticate-password").cookie(COOKIE, &token.expose()).form(&form)
    };
    let reply = at.reply(form(&token, "ann-local-password")).await;
    assert_eq!(ending(&reply), (401, "mfa_required".to_owned()));
    assert!(text(&reply).contains("name=\"code\"") && !text(&reply).contains("id=\"wrong\""));
    let reply = at.reply(with_code("1")).await;
    assert_eq!(ending(&reply), (401, "mfa_required".to_owned()));
    assert!(text(&reply).contains("id=\"wrong\""));
    assert_eq!(at.find(&token).await.unwrap().proven_at, None);
    assert_eq!(at.reply(with_code("246810")).await.status(), 303);
}
