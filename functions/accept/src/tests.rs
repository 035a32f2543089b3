use std::time::Duration;

use domain::{
    AccountId, Clock, SessionToken, SignInCode, Timestamp,
    lifecycle::{Event, Kind as Happening},
    session::{How, Kind, Session},
};
use local_stack::{Stack, specimen::Specimen};
use serde_json::{Value, json};
use store::{CODE_LIVES, Identities, Kept, Lifecycle, LocalSignIn};
use web::{Reply, lambda_http::Body, reply_to};

use crate::{handler::Accept, settings::open};

const NOON: Timestamp = Timestamp(1_795_167_000);
const COOKIE: &str = "__Host-lwa_session";

struct Setting {
    stack: Stack,
    accept: Accept,
    tables: Lifecycle,
}

async fn setting(settings: &[(&str, &str)]) -> Setting {
    let stack = Stack::doors().await.unwrap();
    let mut ours = stack.settings("accept");
    ours.insert("PUBLIC_URL".into(), "https://shop.example".into());
    ours.extend(settings.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    let accept = open(&ours.into_iter().collect()).await.unwrap();
    let accept = Accept { clock: Clock::Stopped(NOON), ..accept };
    stack.dynamodb.reset_requests();
    let client = accept.sessions.client.clone();
    let tables = Lifecycle {
        identities: Identities { client, table: "identities".into() },
        sessions: accept.sessions.clone(),
        tickets: accept.tickets.clone(),
        tells: false,
    };
    Setting { stack, accept, tables }
}

fn ann() -> AccountId {
    AccountId::parse("ann").unwrap()
}

impl Setting {
    /// Ann has signed in at the shop's own door at noon, which the shop has told.
    async fn code(&self, how: How) -> SignInCode {
        let code = SignInCode::open(&ann(), &mut web::rng());
        let name = Some("Ann".to_owned());
        let expires_at = NOON + CODE_LIVES;
        let sign_in = LocalSignIn {
            account: ann(),
            name,
            how,
            at: NOON,
            proven: how == How::Password,
            epoch: 0,
            expires_at,
        };
        assert_eq!(self.tables.keep_code(&code, sign_in, None).await.unwrap(), Kept::Kept);
        self.stack.dynamodb.reset_requests();
        code
    }

    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.accept, &specimen.event()).await.unwrap()
    }

    async fn sessions(&self) -> Vec<Session> {
        let listed = self.accept.sessions.list(&ann()).await.unwrap();
        listed.into_iter().map(|listed| listed.session).collect()
    }

    fn at(self, now: Timestamp) -> Self {
        Self { accept: Accept { clock: Clock::Stopped(now), ..self.accept }, ..self }
    }
}

fn form(code: &SignInCode) -> Specimen {
    Specimen::of("accept").form(&[("code", &code.expose()), ("return_to", "/account")])
}

fn token(reply: &Reply) -> SessionToken {
    let cookie = reply.headers()["set-cookie"].to_str().unwrap();
    let value = cookie.strip_prefix("__Host-lwa_session=").unwrap().split(';').next().unwrap();
    SessionToken::presented(value).unwrap()
}

fn code_of(reply: &Reply) -> String {
    let Body::Text(text) = reply.body() else { return String::new() };
    match serde_json::from_str::<Value>(text) {
        Ok(json) => json["code"].as_str().unwrap_or_default().to_owned(),
        Err(_) => text.split("data-code=\"").nth(1).unwrap().split('"').next().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn a_visitor_who_signed_in_at_the_sites_own_door_has_a_session_of_ours() {
    let at = setting(&[]).await;
    let code = at.code(How::Password).await;

    let reply = at.reply(form(&code)).await;

    assert_eq!(reply.status(), 303);
    assert_eq!(reply.headers()["location"], "https://shop.example/account");
    let cookie = reply.headers()["set-cookie"].to_str().unwrap().to_owned();
    let lives = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=604800";
    assert!(cookie.ends_with(lives), "{cookie}");
    let requests = ["GetItem tickets", "TransactWriteItems sessions,tickets"];
    assert_eq!(at.stack.dynamodb.requests(), requests);
    let session = at.accept.sessions.find(&token(&reply)).await.unwrap().unwrap();
    assert_eq!((session.account, session.name), (ann(), Some("Ann".into())));
    assert_eq!((session.kind, session.how), (Kind::Browser, How::Password));
    assert_eq!((session.started_at, session.proven_at), (NOON, Some(NOON)));
}

#[tokio::test]
async fn a_script_of_the_site_is_told_as_json() {
    let at = setting(&[]).await;
    let code = at.code(How::Site).await;
    let body = json!({ "code": code.expose(), "return_to": "/account" });

    let reply = at.reply(Specimen::of("accept").json(&body)).await;

    assert_eq!(reply.status(), 200);
    let Body::Text(text) = reply.body() else { panic!("there is no body") };
    let told: Value = serde_json::from_str(text).unwrap();
    assert_eq!((&told["status"], &told["account"]["id"]), (&"signed_in".into(), &"ann".into()));
    let session = at.accept.sessions.find(&token(&reply)).await.unwrap().unwrap();
    assert_eq!(session.proven_at, None, "nobody gave a password");
}

#[tokio::test]
async fn c01_c02_the_session_is_new_and_the_one_before_has_ended() {
    let at = setting(&[("SIGNED_IN_PATH", "/welcome")]).await;
    let first = at.reply(form(&at.code(How::Password).await)).await;
    let to = &first.headers()["location"];
    assert_eq!(to, "https://shop.example/welcome?return_to=%2Faccount");
    let first = token(&first);

    let code = at.code(How::Password).await;
    let again = at.reply(form(&code).cookie(COOKIE, &first.expose())).await;

    assert_ne!(token(&again).expose(), first.expose());
    assert!(at.accept.sessions.find(&first).await.unwrap().is_none());
    assert_eq!(at.sessions().await.len(), 1);
}

#[tokio::test]
async fn a_code_is_good_once_and_a_second_click_leads_on() {
    let at = setting(&[]).await;
    let code = at.code(How::Password).await;
    let session = token(&at.reply(form(&code)).await);

    let stolen = at.reply(form(&code)).await;
    assert_eq!((stolen.status().as_u16(), &*code_of(&stolen)), (400, "start_over"));
    let twice = at.reply(form(&code).cookie(COOKIE, &session.expose())).await;
    assert_eq!(twice.status(), 303);
    assert!(!twice.headers().contains_key("set-cookie"));
    assert_eq!(at.sessions().await.len(), 1);
}

#[tokio::test]
async fn a_code_ends_after_a_minute_to_the_second() {
    let at = setting(&[]).await;
    let code = at.code(How::Password).await;
    let at = at.at(NOON + Duration::from_secs(60));
    let late = at.reply(form(&code)).await;
    assert_eq!((late.status().as_u16(), &*code_of(&late)), (400, "start_over"));
    assert!(at.sessions().await.is_empty());
    let at = at.at(NOON + Duration::from_secs(59));
    assert_eq!(at.reply(form(&code)).await.status(), 303);
}

#[tokio::test]
async fn c08_who_signed_in_longer_ago_than_sessions_last_signs_in_anew() {
    let at = setting(&[("SESSION_LIFETIME_SECONDS", "3600")]).await;
    for (ago, status) in [(3599, 303), (3600, 400)] {
        let code = SignInCode::open(&ann(), &mut web::rng());
        let (at_noon, expires_at) = (NOON - Duration::from_secs(ago), NOON + CODE_LIVES);
        let sign_in = LocalSignIn {
            account: ann(),
            name: None,
            how: How::Site,
            at: at_noon,
            proven: false,
            epoch: 0,
            expires_at,
        };
        assert_eq!(at.tables.keep_code(&code, sign_in, None).await.unwrap(), Kept::Kept);
        assert_eq!(at.reply(form(&code)).await.status(), status, "{ago} s ago");
    }
}

#[tokio::test]
async fn c12_e02_a_code_from_before_a_new_password_opens_nothing() {
    for kind in [Happening::PasswordReset, Happening::Disabled, Happening::Deleted] {
        let at = setting(&[]).await;
        let code = at.code(How::Password).await;
        let event = Event { kind, account: ann(), at: NOON + Duration::from_secs(1) };
        at.tables.apply(&event, NOON + Duration::from_secs(1), &mut web::rng()).await.unwrap();

        let reply = at.reply(form(&code)).await;

        assert_eq!((reply.status().as_u16(), &*code_of(&reply)), (400, "start_over"), "{kind:?}");
        assert!(at.sessions().await.is_empty(), "{kind:?}");
    }
}

#[tokio::test]
async fn d16_g03_no_other_site_can_sign_a_visitor_in_with_a_code_of_its_own() {
    let at = setting(&[]).await;
    let code = at.code(How::Password).await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "https://shop.example.evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let reply = at.reply(form(&code).header(name, value)).await;
        assert_eq!((reply.status().as_u16(), &*code_of(&reply)), (403, "csrf"), "{name}: {value}");
    }
    let reply = at.reply(form(&code).without_header("origin")).await;
    assert_eq!(reply.status(), 403);
    assert_eq!(at.reply(form(&code)).await.status(), 303, "the code is still good");
}

#[tokio::test]
async fn what_makes_no_sense_is_said_and_costs_nothing() {
    let at = setting(&[]).await;
    let accept = || Specimen::of("accept");
    for (specimen, status, code) in [
        (accept(), 400, "start_over"), // a code that nobody was given
        (accept().form(&[]), 400, "start_over"),
        (accept().form(&[("code", "x")]), 400, "start_over"),
        (accept().form(&[("code", ""), ("admin", "1")]), 400, "bad_request"),
        (accept().text("code=a&code=b"), 400, "bad_request"),
        (accept().header("content-type", "text/plain"), 415, "unsupported_media_type"),
        (accept().method("GET"), 405, "method_not_allowed"),
    ] {
        let reply = at.reply(specimen).await;
        assert_eq!((reply.status().as_u16(), &*code_of(&reply)), (status, code));
    }
    assert_eq!(at.stack.dynamodb.requests(), ["GetItem tickets"], "the one that looked like ours");
}
