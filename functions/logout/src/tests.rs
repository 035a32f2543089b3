use std::time::Duration;

use domain::{
    Account, AccountId, SessionToken, Status, Timestamp,
    session::{How, Kind, Session},
};
use local_stack::{Stack, specimen::Specimen};
use web::{Reply, reply_to};

use crate::{handler::Logout, open};

const NOON: Timestamp = Timestamp(1_795_167_000);
const COOKIE: &str = "__Host-lwa_session";

struct Setting {
    stack: Stack,
    logout: Logout,
    token: SessionToken,
}

async fn signed_in(kind: Kind) -> Setting {
    let stack = Stack::doors().await.unwrap();
    let mut settings = stack.settings("logout");
    settings.insert("PUBLIC_URL".into(), "https://shop.example".into());
    let logout = open(&settings.into_iter().collect()).await.unwrap();
    let account = Account {
        id: AccountId::parse("ann").unwrap(),
        email: None,
        name: None,
        status: Status::Active,
        has_password: true,
    };
    let week = Duration::from_secs(604_800);
    let (token, session) =
        Session::start(&account, kind, How::Amazon, 0, week, NOON, &mut web::rng());
    let writes = logout.sessions.open(&token, &session).unwrap();
    store::commit(&logout.sessions.client, writes.into()).await.unwrap();
    stack.dynamodb.reset_requests();
    Setting { stack, logout, token }
}

impl Setting {
    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.logout, &specimen.event()).await.unwrap()
    }

    async fn is_signed_in(&self) -> bool {
        self.logout.sessions.find(&self.token).await.unwrap().is_some()
    }

    fn form(&self, return_to: &str) -> Specimen {
        let csrf = self.token.csrf();
        let specimen = Specimen::of("logout").cookie(COOKIE, &self.token.expose());
        specimen.form(&[("csrf", csrf.expose()), ("return_to", return_to)])
    }
}

#[tokio::test]
async fn c09_c22_a_visitor_who_logs_out_is_out_at_once() {
    let at = signed_in(Kind::Browser).await;

    let reply = at.reply(at.form("/goodbye")).await;

    assert_eq!(reply.status(), 303);
    assert_eq!(reply.headers()["location"], "https://shop.example/goodbye");
    assert_eq!(
        reply.headers()["set-cookie"],
        "__Host-lwa_session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
    );
    assert!(!reply.headers().contains_key("clear-site-data"), "the shop's cart stays");
    assert_eq!(at.stack.dynamodb.requests(), ["DeleteItem sessions"]);
    assert!(!at.is_signed_in().await);

    assert_eq!(at.reply(at.form("/goodbye")).await.status(), 303, "twice is fine");
    let without = Specimen::of("logout").without_cookie(COOKIE).form(&[]);
    assert_eq!(at.reply(without).await.status(), 303, "and so is without a session");
}

#[tokio::test]
async fn b01_a_visitor_who_logs_out_stays_on_the_site() {
    let at = signed_in(Kind::Browser).await;
    for elsewhere in ["//evil.com", "https://evil.com", "/auth/amazon/login", ""] {
        let reply = at.reply(at.form(elsewhere)).await;
        assert_eq!(reply.headers()["location"], "https://shop.example/", "{elsewhere}");
    }
}

#[tokio::test]
async fn a_script_of_the_site_can_log_out_too() {
    let csrf = |at: &Setting| at.token.csrf().expose().to_owned();
    let at = signed_in(Kind::Browser).await;
    let specimen = Specimen::of("logout-json").cookie(COOKIE, &at.token.expose());
    let reply = at.reply(specimen.json(&serde_json::json!({ "csrf": csrf(&at) }))).await;
    assert_eq!(reply.status(), 204);
    assert!(!at.is_signed_in().await);

    let at = signed_in(Kind::Browser).await;
    let specimen = Specimen::of("logout-json").cookie(COOKIE, &at.token.expose());
    let specimen =
        specimen.text("").without_header("content-type").header("x-csrf-token", &csrf(&at));
    assert_eq!(at.reply(specimen).await.status(), 204);
    assert!(!at.is_signed_in().await);
}

#[tokio::test]
async fn c10_nobody_else_can_log_a_visitor_out() {
    let at = signed_in(Kind::Browser).await;
    let csrf = at.token.csrf().expose().to_owned();
    let form = at.form("/");
    let ours = "https://shop.example";
    for (specimen, status) in [
        (form.clone().method("GET"), 405),
        (form.clone().header("origin", "https://evil.example"), 403),
        (form.clone().header("origin", "null"), 403),
        (form.clone().without_header("origin"), 403),
        (form.clone().header("sec-fetch-site", "cross-site"), 403),
        (form.clone().form(&[]), 403),
        (form.clone().form(&[("csrf", "")]), 403),
        (form.clone().form(&[("csrf", &csrf[1..])]), 403),
        (form.clone().form(&[("csrf", &csrf), ("csrf", &csrf)]), 400),
        (form.clone().form(&[("csrf", &csrf), ("admin", "1")]), 400),
        (form.clone().header("content-type", "text/plain"), 415),
        (form.clone().header("origin", &format!("{ours},{ours}")), 403),
    ] {
        assert_eq!(at.reply(specimen.clone()).await.status(), status, "{}", specimen.event());
        assert!(at.is_signed_in().await, "{}", specimen.event());
    }
}

#[tokio::test]
async fn an_app_logs_out_with_its_token_and_no_other_kind_does() {
    let bearer = |at: &Setting| {
        let value = format!("Bearer {}", at.token.expose());
        Specimen::of("logout-json").without_cookie(COOKIE).header("authorization", &value)
    };
    let at = signed_in(Kind::App).await;
    assert_eq!(at.reply(at.form("/")).await.status(), 303);
    assert!(at.is_signed_in().await, "an app's token is no cookie");
    assert_eq!(at.reply(bearer(&at)).await.status(), 204);
    assert!(!at.is_signed_in().await);

    let at = signed_in(Kind::Browser).await;
    assert_eq!(at.reply(bearer(&at)).await.status(), 204);
    assert!(at.is_signed_in().await, "a cookie is no bearer token");
}

#[tokio::test]
async fn r13_when_the_table_does_not_answer_the_visitor_is_told() {
    use local_stack::dynamodb::Fault;

    let at = signed_in(Kind::Browser).await;
    at.stack.dynamodb.fault("DeleteItem", 0, None, Fault::Broken);
    let reply = at.reply(at.form("/")).await;
    assert_eq!(reply.status(), 503);
    assert!(!reply.headers().contains_key("set-cookie"), "the cookie stays, for another try");
    at.stack.dynamodb.clear_faults();
    assert_eq!(at.reply(at.form("/")).await.status(), 303);
    assert!(!at.is_signed_in().await);
}

#[tokio::test]
async fn m02_a_log_out_that_meets_a_sign_in_of_another_tab_is_tried_again() {
    use local_stack::dynamodb::Fault;

    let at = signed_in(Kind::Browser).await;
    let met = Fault::Refused("TransactionConflictException");
    at.stack.dynamodb.fault("DeleteItem", 0, Some(2), met);
    assert_eq!(at.reply(at.form("/")).await.status(), 303);
    assert!(!at.is_signed_in().await);
}
