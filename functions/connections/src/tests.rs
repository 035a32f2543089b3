use std::time::Duration;

use domain::{
    AccountId, AmazonUserId, Clock, LinkTicket, Profile, ReturnTo, SessionToken, State, Status,
    Timestamp, UndoToken,
    link::{Purpose, Ticket},
    login::{Intent, Logins},
    notice::UNDO_LIVES,
    session::{How, Kind, Session},
};
use local_stack::{Stack, dynamodb::Fault, specimen::Specimen};
use serde_json::{Value, json};
use store::{Commit, Link, Undo};
use web::{Reply, lambda_http::Body, reply_to};

use crate::{handler::Connections, open, revoke::Revoke};

const NOON: Timestamp = Timestamp(1_795_167_000);
const COOKIE: &str = "__Host-lwa_session";
const CUSTOMER: &str = "amzn1.account.ANN";

struct Setting {
    stack: Stack,
    connections: Connections,
}

async fn setting() -> Setting {
    let stack = Stack::doors().await.unwrap();
    let mut settings = stack.settings("connections");
    settings.insert("PUBLIC_URL".into(), "https://shop.example".into());
    let mut connections = open(&settings.into_iter().collect()).await.unwrap();
    connections.entrance.clock = Clock::Stopped(NOON);
    Setting { stack, connections }
}

fn id(account: &str) -> AccountId {
    AccountId::parse(account).unwrap()
}

fn customer() -> AmazonUserId {
    AmazonUserId::parse(CUSTOMER).unwrap()
}

impl Setting {
    async fn commit(&self, writes: Vec<store::Write>) {
        let client = &self.connections.entrance.sessions.client;
        assert_eq!(store::commit(client, writes).await.unwrap(), Commit::Done);
        self.stack.dynamodb.reset_requests();
    }

    /// Signs somebody in at noon.
    async fn sign_in(&self, account: &str, kind: Kind, how: How) -> SessionToken {
        let account = domain::Account {
            id: id(account),
            email: None,
            name: None,
            status: Status::Active,
            has_password: true,
        };
        let week = Duration::from_secs(604_800);
        let (token, session) = Session::start(&account, kind, how, 0, week, NOON, &mut web::rng());
        let sessions = &self.connections.entrance.sessions;
        self.commit(sessions.open(&token, &session).unwrap().into()).await;
        token
    }

    async fn link(&self, account: &str) {
        let email = domain::Email::parse("ann@amazon.example");
        let link = Link {
            copied: &Default::default(),
            pending: None,
            again: false,
            customer: &customer(),
            account: &id(account),
            epoch: 0,
            how: How::Linked,
            amazon_email: email.as_ref(),
            proven_at: NOON,
            now: NOON,
        };
        self.commit(self.connections.entrance.identities.link(&link).unwrap().into()).await;
    }

    async fn is_linked(&self) -> bool {
        self.connections.entrance.identities.find(&customer()).await.unwrap().is_some()
    }

    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.connections, &specimen.event()).await.unwrap()
    }

    async fn find(&self, token: &SessionToken) -> Option<Session> {
        self.connections.entrance.sessions.find(token).await.unwrap()
    }

    fn at(mut self, now: Timestamp) -> Self {
        self.connections.entrance.clock = Clock::Stopped(now);
        self
    }
}

fn button(name: &str, token: &SessionToken) -> Specimen {
    let specimen = match name {
        "link" => "connections-link",
        "unlink" => "connections-unlink",
        _ => "connections-revoke",
    };
    Specimen::of(specimen).cookie(COOKIE, &token.expose()).form(&[("csrf", token.csrf().expose())])
}

fn revoke(token: &SessionToken, id: &str) -> Specimen {
    button("revoke", token).form(&[("csrf", token.csrf().expose()), ("id", id)])
}

fn page(token: &SessionToken) -> Specimen {
    Specimen::of("connections").cookie(COOKIE, &token.expose())
}

fn as_app(specimen: Specimen, token: &SessionToken) -> Specimen {
    let specimen = specimen.without_cookie(COOKIE).without_header("origin");
    specimen.header("authorization", &format!("Bearer {}", token.expose()))
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
async fn c13_a_visitor_sees_the_own_link_and_the_own_sessions_alone() {
    let at = setting().await;
    at.link("ann").await;
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    at.sign_in("ann", Kind::App, How::Amazon).await;
    let stranger = at.sign_in("bob", Kind::Browser, How::Password).await;

    let reply = at.reply(page(&token).header("accept", "application/json")).await;

    let told: Value = serde_json::from_str(text(&reply)).unwrap();
    assert_eq!(told["amazon"]["amazon_email"], "ann@amazon.example");
    assert_eq!(told["amazon"]["linked_at"], NOON.rfc3339());
    assert_eq!(told["csrf"], token.csrf().expose());
    let sessions = told["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!((&sessions[0]["current"], &sessions[0]["kind"]), (&true.into(), &"browser".into()));
    assert_eq!((&sessions[1]["current"], &sessions[1]["kind"]), (&false.into(), &"app".into()));
    let bob = at.reply(page(&stranger).header("accept", "application/json")).await;
    let told: Value = serde_json::from_str(text(&bob)).unwrap();
    assert!(told["amazon"].is_null());
    assert_eq!(told["sessions"].as_array().unwrap().len(), 1);

    let html = at.reply(page(&token)).await;
    assert!(text(&html).contains("ann@amazon.example"));
    assert_eq!(text(&html).matches("name=\"id\"").count(), 2);
    let cancelled = at.reply(page(&token).query(&[("amazon", "cancelled")])).await;
    assert!(text(&cancelled).contains("You did not go on at Amazon"));
}

#[tokio::test]
async fn a_session_that_has_ended_is_not_shown() {
    let at = setting().await;
    at.sign_in("ann", Kind::Browser, How::Password).await;
    let at = at.at(NOON + Duration::from_hours(11));
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    let shown = |reply: Reply| text(&reply).matches("name=\"id\"").count();
    assert_eq!(shown(at.reply(page(&token)).await), 2);
    // Nobody has used them since; the one that asks is in use.
    at.connections.entrance.sessions.touch(&token, NOON + Duration::from_hours(11)).await.unwrap();
    let at = at.at(NOON + Duration::from_hours(12));
    assert_eq!(shown(at.reply(page(&token)).await), 1);
}

#[tokio::test]
async fn lstart_a_link_begins_with_a_fresh_proof_and_is_bound_to_the_session() {
    let at = setting().await;
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;

    let reply = at.reply(button("link", &token)).await;

    assert_eq!(reply.status(), 303);
    let to = reply.headers()["location"].to_str().unwrap();
    assert!(to.starts_with(&at.stack.amazon.authorize_url()), "{to}");
    let state = to.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let cookie = reply.headers()["set-cookie"].to_str().unwrap();
    let value = cookie.strip_prefix("__Host-lwa_login=").unwrap().split(';').next().unwrap();
    let begun = Logins::parse(value).finish(&State::presented(state).unwrap()).unwrap();
    assert_eq!(begun.intent, Intent::Link(token.hash()));
    assert!(at.stack.dynamodb.requests().iter().all(|one| one.starts_with("GetItem")), "no write");
}

#[tokio::test]
async fn without_a_fresh_proof_nothing_is_linked_or_unlinked() {
    let at = setting().await;
    at.link("ann").await;
    let old = at.sign_in("ann", Kind::Browser, How::Password).await;
    let never = at.sign_in("ann", Kind::Browser, How::Amazon).await;
    let app = at.sign_in("ann", Kind::App, How::Linked).await;
    let at = at.at(NOON + Duration::from_mins(5));
    let needed = (403, "reauthentication_required".to_owned());
    for name in ["link", "unlink"] {
        for token in [&old, &never] {
            assert_eq!(ending(&at.reply(button(name, token)).await), needed);
        }
        let reply = at.reply(button(name, &old)).await;
        assert!(text(&reply).contains("href=\"/auth/reauthenticate\""), "the next step");
        let by_app = as_app(button(name, &app), &app).header("origin", "https://shop.example");
        assert_eq!(ending(&at.reply(by_app).await), needed);
    }
    assert!(at.is_linked().await);
}

#[tokio::test]
async fn an_account_that_is_linked_is_not_linked_to_another_customer() {
    let at = setting().await;
    at.link("ann").await;
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    let reply = at.reply(button("link", &token)).await;
    assert_eq!(ending(&reply), (409, "already_linked".into()));
}

#[tokio::test]
async fn unlink_ends_what_the_link_opened_and_nothing_else() {
    let at = setting().await;
    at.link("ann").await;
    let token = at.sign_in("ann", Kind::Browser, How::Linked).await;
    let by_amazon = at.sign_in("ann", Kind::App, How::Amazon).await;
    let by_password = at.sign_in("ann", Kind::Browser, How::Password).await;

    let reply = at.reply(button("unlink", &token)).await;

    assert_eq!(reply.status(), 303);
    assert_eq!(reply.headers()["location"], "https://shop.example/auth/connections");
    assert!(!at.is_linked().await);
    let renewed = at.find(&cookie_of(&reply)).await.unwrap();
    assert_eq!(renewed.how, How::Linked, "how it began is not forgotten");
    assert!(at.find(&token).await.is_none() && at.find(&by_amazon).await.is_none());
    assert!(at.find(&by_password).await.is_some());
    let again = at.reply(button("unlink", &cookie_of(&reply))).await;
    assert_eq!(again.status(), 303, "twice is fine");
    // A second click may have come with the session that the first one has replaced.
    assert!(!again.headers().contains_key("set-cookie"), "{:?}", again.headers());
    assert!(at.find(&cookie_of(&reply)).await.is_some());
}

#[tokio::test]
async fn unlink_that_was_cut_off_is_finished_by_the_next_try() {
    let at = setting().await;
    at.link("ann").await;
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    let by_amazon = at.sign_in("ann", Kind::App, How::Amazon).await;
    at.stack.dynamodb.fault("BatchWriteItem", 0, Some(9), Fault::Broken);
    let reply = at.reply(button("unlink", &token)).await;
    assert_eq!(ending(&reply), (503, "unavailable".into()));
    assert!(!at.is_linked().await && at.find(&by_amazon).await.is_some());
    at.stack.dynamodb.clear_faults();

    // The visitor signs in with the password, and tries again.
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    assert_eq!(at.reply(button("unlink", &token)).await.status(), 303);
    assert!(at.find(&by_amazon).await.is_none());
}

#[tokio::test]
async fn e15_the_last_way_into_an_account_is_not_removed() {
    let at = setting().await;
    at.link("otto").await;
    let token = at.sign_in("otto", Kind::Browser, How::Password).await;
    let reply = at.reply(button("unlink", &token)).await;
    assert_eq!(ending(&reply), (409, "last_sign_in_method".into()));
    assert!(at.is_linked().await);
    assert!(at.find(&token).await.is_some());
}

#[tokio::test]
async fn e16_nor_while_the_password_is_removed_at_the_same_moment() {
    let at = setting().await;
    at.link("ann").await;
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    let mut gate = at.stack.dynamodb.gate();
    let unlinked = at.reply(button("unlink", &token));
    let removed = async {
        loop {
            let held = gate.next().await.unwrap();
            // Everything is looked up, and about to be written.
            if held.call.what.starts_with("TransactWriteItems") {
                let key = [("id", "ann")];
                at.stack.dynamodb.set("accounts", &key, "password_hash", Value::Null).unwrap();
                break held.pass();
            }
            held.pass();
        }
        drop(gate);
    };
    let (reply, ()) = tokio::join!(unlinked, removed);
    assert_eq!(ending(&reply), (409, "last_sign_in_method".into()));
    assert!(at.is_linked().await, "one way in is left");
}

#[tokio::test]
async fn e17_unlinking_ends_the_tickets_of_the_customer() {
    let at = setting().await;
    at.link("ann").await;
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    let profile = Profile { user_id: customer(), email: None, name: None, postal_code: None };
    let purpose = Purpose::Link { account: id("ann"), email: None, attempts_left: 5 };
    let ticket = Ticket::new(purpose, profile, ReturnTo::home(), NOON);
    let key = LinkTicket::open(&customer(), &mut web::rng());
    let tickets = &at.connections.entrance.tickets;
    at.commit(tickets.open(&key, &ticket).unwrap()).await;

    assert_eq!(at.reply(button("unlink", &token)).await.status(), 303);

    assert!(tickets.find(&key).await.unwrap().is_none());
}

#[tokio::test]
async fn c13_sessions_end_one_by_one_or_all_but_this_one() {
    let at = setting().await;
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    let others = [
        at.sign_in("ann", Kind::App, How::Amazon).await,
        at.sign_in("ann", Kind::Device, How::Amazon).await,
        at.sign_in("ann", Kind::Browser, How::Linked).await,
    ];
    let named = at.find(&others[0]).await.unwrap().id;

    let reply = at.reply(revoke(&token, &named)).await;

    assert_eq!(reply.headers()["location"], "https://shop.example/auth/connections");
    assert!(at.find(&others[0]).await.is_none() && at.find(&others[1]).await.is_some());
    let all =
        button("revoke", &token).form(&[("csrf", token.csrf().expose()), ("all_others", "true")]);
    assert_eq!(at.reply(all).await.status(), 303);
    assert!(at.find(&others[1]).await.is_none() && at.find(&others[2]).await.is_none());
    assert!(at.find(&token).await.is_some());
    let own = at.find(&token).await.unwrap().id;
    let reply = at.reply(revoke(&token, &own)).await;
    assert!(reply.headers()["set-cookie"].to_str().unwrap().contains("lwa_session=;"));
    assert!(at.find(&token).await.is_none());
}

#[tokio::test]
async fn c13_a_session_of_another_account_does_not_exist() {
    let at = setting().await;
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    let stranger = at.sign_in("bob", Kind::Browser, How::Password).await;
    let named = at.find(&stranger).await.unwrap().id;
    for id in [named.as_str(), "", "META", &stranger.hash(), &token.hash()] {
        let reply = at.reply(revoke(&token, id)).await;
        assert_eq!(ending(&reply), (404, "not_found".into()), "{id}");
    }
    assert!(at.find(&stranger).await.is_some() && at.find(&token).await.is_some());
}

#[tokio::test]
async fn an_app_sees_and_ends_sessions_and_a_television_does_not() {
    let at = setting().await;
    let app = at.sign_in("ann", Kind::App, How::Amazon).await;
    let other = at.sign_in("ann", Kind::Browser, How::Password).await;
    let device = at.sign_in("ann", Kind::Device, How::Amazon).await;
    let accept = |specimen: Specimen| specimen.header("accept", "application/json");

    let seen = at.reply(accept(as_app(page(&app), &app))).await;
    let told: Value = serde_json::from_str(text(&seen)).unwrap();
    assert_eq!(told["sessions"].as_array().unwrap().len(), 3);
    assert!(told.get("csrf").is_none(), "it needs none");
    let body = json!({ "id": at.find(&other).await.unwrap().id });
    let reply = at.reply(as_app(button("revoke", &app).json(&body), &app)).await;
    assert_eq!(reply.status(), 204);
    assert!(at.find(&other).await.is_none());

    for specimen in [page(&device), button("revoke", &device).json(&json!({ "all_others": true }))]
    {
        let reply = at.reply(accept(as_app(specimen, &device))).await;
        assert_eq!(ending(&reply), (403, "reauthentication_required".into()));
    }
    assert!(at.find(&app).await.is_some());
}

#[tokio::test]
async fn d16_no_other_site_presses_these_buttons() {
    let at = setting().await;
    at.link("ann").await;
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    let csrf = || (403, "csrf".to_owned());
    for name in ["link", "unlink", "revoke"] {
        let right = || match name {
            "revoke" => revoke(&token, "x"),
            _ => button(name, &token),
        };
        for (header, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(ending(&at.reply(right().header(header, value)).await), csrf(), "{name}");
        }
        assert_eq!(ending(&at.reply(right().without_header("origin")).await), csrf(), "{name}");
        let wrong = [("csrf", "wrong"), ("id", "x")];
        let wrong = if name == "revoke" { &wrong[..] } else { &wrong[..1] };
        at.stack.dynamodb.reset_requests();
        assert_eq!(ending(&at.reply(right().form(wrong)).await), csrf(), "{name}");
        assert!(at.stack.dynamodb.requests().is_empty(), "nothing was looked up");
        let nobody = at.reply(right().without_cookie(COOKIE)).await;
        assert_eq!(ending(&nobody), (401, "not_signed_in".into()), "{name}");
        let get = at.reply(right().method("GET")).await;
        assert_eq!(ending(&get), (405, "method_not_allowed".into()), "{name}");
    }
    assert!(at.is_linked().await);
}

#[tokio::test]
async fn what_to_revoke_is_said_in_one_way() {
    let at = setting().await;
    let token = at.sign_in("ann", Kind::Browser, How::Password).await;
    let csrf = token.csrf();
    let csrf = csrf.expose();
    for wrong in [
        json!({ "csrf": csrf }),
        json!({ "csrf": csrf, "id": "x", "all_others": true }),
        json!({ "csrf": csrf, "all_others": false }),
        json!({ "csrf": csrf, "all_others": "true" }),
        json!({ "csrf": csrf, "id": ["x"] }),
        json!({ "csrf": csrf, "id": "x", "account": "bob" }),
        json!([csrf]),
    ] {
        let reply = at.reply(button("revoke", &token).json(&wrong)).await;
        assert_eq!(ending(&reply), (400, "bad_request".into()), "{wrong}");
    }
    let twice = format!("csrf={csrf}&all_others=true&all_others=true");
    let twice = button("revoke", &token).text(&twice);
    assert_eq!(ending(&at.reply(twice).await), (400, "bad_request".into()));
    assert!(at.find(&token).await.is_some());
    assert_ne!(Revoke::Others, Revoke::One(String::new()));
}

// Undoing a link that was not the owner's.

impl Setting {
    /// A token, as the notice about a link of noon carries it.
    async fn undo_token(&self, account: &str) -> UndoToken {
        let token = UndoToken::open(&id(account), &mut web::rng());
        let expires_at = NOON + UNDO_LIVES;
        let undo = Undo { account: id(account), customer: customer(), linked_at: NOON, expires_at };
        self.connections.entrance.tickets.keep_undo(&token, &undo).await.unwrap();
        self.stack.dynamodb.reset_requests();
        token
    }
}

fn undo(token: &UndoToken) -> Specimen {
    Specimen::of("connections-undo").form(&[("token", &token.expose())])
}

fn undo_page(token: &UndoToken) -> Specimen {
    let page = Specimen::of("connections").path("/auth/connections/undo").without_cookie(COOKIE);
    page.query(&[("token", &token.expose())])
}

#[tokio::test]
async fn a_link_that_was_not_the_owners_is_undone_with_all_that_it_opened() {
    let at = setting().await;
    at.link("ann").await;
    let by_link = [
        at.sign_in("ann", Kind::Browser, How::Linked).await,
        at.sign_in("ann", Kind::App, How::Amazon).await,
    ];
    let own = at.sign_in("ann", Kind::Browser, How::Password).await;
    let token = at.undo_token("ann").await;

    let page = at.reply(undo_page(&token)).await;
    assert_eq!(ending(&page), (200, "ok".into()));
    assert!(at.is_linked().await, "to look changes nothing: mail programs look");
    let reads = at.stack.dynamodb.requests();
    assert!(reads.iter().all(|one| one.starts_with("GetItem")), "{reads:?}");

    let reply = at.reply(undo(&token)).await;

    assert_eq!(ending(&reply), (200, "ok".into()));
    assert!(text(&reply).contains("/reset-password"), "whoever linked knew the password");
    assert!(!at.is_linked().await);
    assert!(at.find(&by_link[0]).await.is_none() && at.find(&by_link[1]).await.is_none());
    assert!(at.find(&own).await.is_some(), "who came by the password stays");
    let told = at.connections.entrance.tickets.outbox(None).await.unwrap();
    assert_eq!(told.last().unwrap().notice.kind, domain::notice::Kind::Unlinked);
    assert_eq!(ending(&at.reply(undo(&token)).await), (410, "ticket_expired".into()), "once");
}

#[tokio::test]
async fn a_link_that_was_made_anew_is_not_undone_by_an_old_notice() {
    let at = setting().await;
    let token = at.undo_token("ann").await;
    let at = at.at(NOON + Duration::from_hours(1));
    let link = Link {
        copied: &Default::default(),
        pending: None,
        again: false,
        customer: &customer(),
        account: &id("ann"),
        epoch: 0,
        how: How::Linked,
        amazon_email: None,
        proven_at: NOON + Duration::from_hours(1),
        now: NOON + Duration::from_hours(1),
    };
    at.commit(at.connections.entrance.identities.link(&link).unwrap().into()).await;

    assert_eq!(at.reply(undo(&token)).await.status(), 200);

    assert!(at.is_linked().await);
}

#[tokio::test]
async fn undoing_ends_after_seven_days_and_takes_a_token_of_ours() {
    let at = setting().await;
    at.link("ann").await;
    let token = at.undo_token("ann").await;
    let evil = undo(&token).header("origin", "https://evil.example");
    assert_eq!(ending(&at.reply(evil).await), (403, "csrf".into()));
    let other = UndoToken::open(&id("ann"), &mut web::rng());
    for wrong in [undo(&other), undo_page(&other)] {
        assert_eq!(ending(&at.reply(wrong).await), (410, "ticket_expired".into()));
    }
    let none = Specimen::of("connections-undo");
    assert_eq!(ending(&at.reply(none).await), (410, "ticket_expired".into()));
    let late = at.at(NOON + UNDO_LIVES);
    for late_one in [undo(&token), undo_page(&token)] {
        assert_eq!(ending(&late.reply(late_one).await), (410, "ticket_expired".into()));
    }
    assert!(late.is_linked().await);
    let at = late.at(NOON + UNDO_LIVES - Duration::from_secs(1));
    assert_eq!(at.reply(undo(&token)).await.status(), 200);
    assert!(!at.is_linked().await);
}

#[tokio::test]
async fn undoing_that_was_cut_off_is_finished_by_the_next_try() {
    let at = setting().await;
    at.link("ann").await;
    let by_link = at.sign_in("ann", Kind::App, How::Amazon).await;
    let token = at.undo_token("ann").await;
    at.stack.dynamodb.fault("BatchWriteItem", 0, Some(9), Fault::Broken);
    assert_eq!(at.reply(undo(&token)).await.status(), 503);
    at.stack.dynamodb.clear_faults();
    assert!(at.find(&by_link).await.is_some());
    assert_eq!(at.reply(undo(&token)).await.status(), 200);
    assert!(at.find(&by_link).await.is_none());
}
