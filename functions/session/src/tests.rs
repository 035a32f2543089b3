use std::time::Duration;

use domain::{
    Account, AccountId, Clock, SessionToken, Status, Timestamp,
    session::{How, Kind, Session as SignedIn},
};
use local_stack::{Stack, specimen::Specimen};
use serde_json::Value;
use web::{Reply, lambda_http::Body, reply_to};

use crate::{handler::Session, open};

const NOON: Timestamp = Timestamp(1_795_167_000);
const COOKIE: &str = "__Host-lwa_session";

struct Setting {
    stack: Stack,
    session: Session,
}

async fn setting() -> Setting {
    let stack = Stack::doors().await.unwrap();
    let session = open(&stack.settings("session").into_iter().collect()).await.unwrap();
    let session = Session { clock: Clock::Stopped(NOON), ..session };
    stack.dynamodb.reset_requests();
    Setting { stack, session }
}

impl Setting {
    /// Signs Ann in at noon.
    async fn sign_in(&self, kind: Kind) -> SessionToken {
        self.sign_in_as("ann", kind).await
    }

    async fn sign_in_as(&self, id: &str, kind: Kind) -> SessionToken {
        let account = Account {
            id: AccountId::parse(id).unwrap(),
            email: None,
            name: Some("Ann".into()),
            status: Status::Active,
            has_password: true,
        };
        let week = Duration::from_secs(604_800);
        let (token, session) =
            SignedIn::start(&account, kind, How::Amazon, 0, week, NOON, &mut web::rng());
        let writes = self.session.sessions.open(&token, &session).unwrap();
        store::commit(&self.session.sessions.client, writes.into()).await.unwrap();
        self.stack.dynamodb.reset_requests();
        token
    }

    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.session, &specimen.event()).await.unwrap()
    }

    /// The same, so much later.
    fn after(self, seconds: u64) -> Self {
        let clock = Clock::Stopped(self.session.clock.now() + Duration::from_secs(seconds));
        Self { session: Session { clock, ..self.session }, ..self }
    }
}

fn json(reply: &Reply) -> Value {
    let Body::Text(text) = reply.body() else { panic!("{:?}", reply.body()) };
    serde_json::from_str(text).unwrap()
}

fn asks(token: &SessionToken) -> Specimen {
    Specimen::of("session").cookie(COOKIE, &token.expose())
}

#[tokio::test]
async fn whoever_is_signed_in_is_told_so_after_one_consistent_read() {
    let at = setting().await;
    let token = at.sign_in(Kind::Browser).await;

    let reply = at.reply(asks(&token)).await;

    assert_eq!(reply.status(), 200);
    let told = json(&reply);
    assert_eq!(told["signed_in"], true);
    assert_eq!(told["account"], serde_json::json!({ "id": "ann", "name": "Ann" }));
    assert_eq!(told["session"]["kind"], "browser");
    assert_eq!(told["session"]["how"], "amazon");
    assert_eq!(told["session"]["started_at"], "2026-11-20T09:30:00Z");
    assert_eq!(told["session"]["expires_at"], "2026-11-27T09:30:00Z");
    assert_eq!(told["csrf"], token.csrf().expose());
    assert!(!told.to_string().contains(&token.expose()), "what opens it is not told");
    assert_eq!(at.stack.dynamodb.requests(), ["GetItem sessions"]);
}

#[tokio::test]
async fn k09_no_more_is_told_than_a_site_needs() {
    let at = setting().await;
    let token = at.sign_in(Kind::Browser).await;
    let told = json(&at.reply(asks(&token)).await);
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&told), ["account", "csrf", "session", "signed_in"]);
    assert_eq!(names(&told["account"]), ["id", "name"]);
    assert_eq!(names(&told["session"]), ["expires_at", "how", "id", "kind", "started_at"]);
    // What a site may show of a session opens nothing.
    let id = told["session"]["id"].as_str().unwrap();
    assert!(!token.expose().contains(id) && !token.hash().contains(id), "{id}");
    let by_id = at.reply(Specimen::of("session").cookie(COOKIE, id)).await;
    assert_eq!(by_id.status(), 401);
}

#[tokio::test]
async fn c06_a_cookie_that_cannot_be_ours_costs_no_read() {
    let at = setting().await;
    let token = at.sign_in(Kind::Browser).await.expose();
    for cookie in ["", ".", "x", "null", &token[1..], &token.replace('.', ""), &format!("{token}x")]
    {
        let reply = at.reply(Specimen::of("session").cookie(COOKIE, cookie)).await;
        assert_eq!(reply.status(), 401, "{cookie}");
        assert_eq!(json(&reply), serde_json::json!({ "signed_in": false }));
    }
    assert_eq!(at.reply(Specimen::of("session-none")).await.status(), 401);
    let twice = asks(&SessionToken::presented(&token).unwrap())
        .another_cookie(COOKIE, &token.replace('.', ".A"));
    assert_eq!(at.reply(twice).await.status(), 401);
    assert!(at.stack.dynamodb.requests().is_empty());
}

#[tokio::test]
async fn c20_nobody_is_signed_in_by_a_token_that_was_never_given_out() {
    let at = setting().await;
    let reply = at.reply(Specimen::of("session")).await;
    assert_eq!(reply.status(), 401);
    assert_eq!(at.stack.dynamodb.requests().len(), 1);
}

#[tokio::test]
async fn c08_a_session_ends_when_it_was_idle_and_in_any_case_after_a_week() {
    let at = setting().await;
    let token = at.sign_in(Kind::Browser).await;
    let at = at.after(43_199);
    assert_eq!(at.reply(asks(&token)).await.status(), 200);
    // That use was noted: twelve more hours, less a second.
    let at = at.after(43_199);
    assert_eq!(at.reply(asks(&token)).await.status(), 200);
    let at = at.after(43_200);
    assert_eq!(at.reply(asks(&token)).await.status(), 401);

    let at = setting().await;
    let token = at.sign_in(Kind::Browser).await;
    let mut at = at;
    for _ in 0..14 {
        at = at.after(43_000);
        assert_eq!(at.reply(asks(&token)).await.status(), 200);
    }
    at = at.after(2_799);
    assert_eq!(at.reply(asks(&token)).await.status(), 200, "a second before the week is over");
    at = at.after(1);
    assert_eq!(at.reply(asks(&token)).await.status(), 401);
}

#[tokio::test]
async fn the_use_of_a_session_is_noted_every_five_minutes_at_most() {
    let at = setting().await;
    let token = at.sign_in(Kind::Browser).await;
    let at = at.after(299);
    at.reply(asks(&token)).await;
    assert_eq!(at.stack.dynamodb.requests(), ["GetItem sessions"]);
    let at = at.after(1);
    at.stack.dynamodb.reset_requests();
    at.reply(asks(&token)).await;
    at.reply(asks(&token)).await;
    assert_eq!(
        at.stack.dynamodb.requests(),
        ["GetItem sessions", "UpdateItem sessions", "GetItem sessions"]
    );
}

#[tokio::test]
async fn c21_noting_the_use_of_a_session_does_not_bring_it_back() {
    let at = setting().await;
    let token = at.sign_in(Kind::Browser).await;
    at.session.sessions.end(&token, false).await.unwrap();
    at.session.sessions.touch(&token, NOON).await.unwrap();
    assert_eq!(at.session.sessions.find(&token).await.unwrap(), None);
}

#[tokio::test]
async fn c09_a_session_that_was_ended_is_over_at_the_next_request() {
    let at = setting().await;
    let token = at.sign_in(Kind::Browser).await;
    at.session.sessions.end(&token, false).await.unwrap();
    assert_eq!(at.reply(asks(&token)).await.status(), 401);
}

#[tokio::test]
async fn c19_a_cookie_is_no_bearer_token_and_the_reverse() {
    let at = setting().await;
    let (browser, app) = (at.sign_in(Kind::Browser).await, at.sign_in(Kind::App).await);
    let bearer = |token: &SessionToken| {
        Specimen::of("session-bearer")
            .header("authorization", &format!("Bearer {}", token.expose()))
    };
    let reply = at.reply(bearer(&app)).await;
    assert_eq!(reply.status(), 200);
    assert_eq!(json(&reply)["session"]["kind"], "app");
    assert_eq!(json(&reply)["csrf"], Value::Null, "an app needs none");
    assert_eq!(at.reply(bearer(&browser)).await.status(), 401);
    assert_eq!(at.reply(asks(&app)).await.status(), 401);
    // A bad bearer token is not made good by a cookie.
    let both = bearer(&browser).cookie(COOKIE, &browser.expose());
    assert_eq!(at.reply(both).await.status(), 401);
}

#[tokio::test]
async fn a_proxy_is_told_who_it_is_in_headers() {
    let at = setting().await;
    let token = at.sign_in(Kind::Browser).await;
    let asks = |token: &SessionToken| Specimen::of("verify").cookie(COOKIE, &token.expose());
    let reply = at.reply(asks(&token)).await;
    assert_eq!(reply.status(), 200);
    assert!(matches!(reply.body(), Body::Empty));
    assert_eq!(reply.headers()["x-auth-request-user"], "ann");
    assert_eq!(reply.headers()["remote-user"], "ann");

    let reply = at.reply(Specimen::of("verify")).await;
    assert_eq!(reply.status(), 401);
    assert!(!reply.headers().contains_key("remote-user"));

    let odd = at.sign_in_as("änn", Kind::Browser).await;
    let reply = at.reply(asks(&odd)).await;
    assert_eq!(reply.status(), 500, "half an id could be somebody else's");
    assert!(!reply.headers().contains_key("remote-user"));
}

#[tokio::test]
async fn c16_r13_when_the_table_does_not_answer_nobody_is_signed_in() {
    use local_stack::dynamodb::Fault;

    let at = setting().await;
    let token = at.sign_in(Kind::Browser).await;
    at.stack.dynamodb.fault("GetItem", 0, None, Fault::Refused("ThrottlingException"));
    for specimen in [asks(&token), Specimen::of("verify").cookie(COOKIE, &token.expose())] {
        let reply = at.reply(specimen).await;
        assert_eq!(reply.status(), 503);
        assert!(reply.headers().contains_key("retry-after"));
        assert_eq!(json(&reply)["code"], "unavailable");
    }
    at.stack.dynamodb.clear_faults();
    assert_eq!(at.reply(asks(&token)).await.status(), 200);

    // The session is good whether or not its use can be noted.
    let at = at.after(600);
    at.stack.dynamodb.fault("UpdateItem", 0, None, Fault::Refused("ThrottlingException"));
    assert_eq!(at.reply(asks(&token)).await.status(), 200);
}

#[tokio::test]
async fn n09_what_is_no_route_is_not_found_and_only_get_asks() {
    let at = setting().await;
    let nowhere = at.reply(Specimen::of("session-not-found")).await;
    assert_eq!(nowhere.status(), 404);
    let Body::Text(page) = nowhere.body() else { panic!() };
    assert!(page.contains(r#"<main data-code="not_found">"#));
    for path in ["/auth/session/", "/auth//session", "/AUTH/SESSION", "/auth/%73ession"] {
        assert_eq!(at.reply(Specimen::of("session").path(path)).await.status(), 404, "{path}");
    }
    let post = at.reply(Specimen::of("session").method("POST")).await;
    assert_eq!(post.status(), 405);
    assert_eq!(post.headers()["allow"], "GET");
    assert!(at.stack.dynamodb.requests().is_empty());
}
