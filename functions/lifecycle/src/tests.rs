use std::time::Duration;

use accounts::System as _;
use domain::{
    Account, AccountId, AmazonUserId, Clock, Email, LinkTicket, Profile, ReturnTo, SessionToken,
    SignInCode, Status, Timestamp,
    device::{DeviceHandle, Grant},
    link::{Purpose, Ticket, limits},
    session::{How, Kind, Session},
    webhook::Key,
};
use local_stack::{Stack, WEBHOOK_SECRET, WEBHOOK_SECRET_ARN, dynamodb::Fault, specimen::Specimen};
use serde_json::{Value, json};
use store::{Attempt, Commit, Link};
use web::{Failure, Invoke as _, Reply, lambda_http::Body, reply_to};

use crate::{handler::Lifecycle, settings::open};

const NOON: Timestamp = Timestamp(1_795_167_000);

struct Setting {
    stack: Stack,
    lifecycle: Lifecycle,
}

async fn setting(settings: &[(&str, &str)]) -> Setting {
    let stack = Stack::doors().await.unwrap();
    let mut ours = stack.settings("lifecycle");
    ours.extend(settings.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    let lifecycle = open(&ours.into_iter().collect()).await.unwrap();
    let lifecycle = Lifecycle { clock: Clock::Stopped(NOON), ..lifecycle };
    stack.dynamodb.reset_requests();
    Setting { stack, lifecycle }
}

fn id(account: &str) -> AccountId {
    AccountId::parse(account).unwrap()
}

fn user(name: &str) -> AmazonUserId {
    AmazonUserId::parse(&format!("amzn1.account.{name}")).unwrap()
}

fn after(seconds: i64) -> Timestamp {
    Timestamp(NOON.0 + seconds)
}

fn happened(kind: &str, at: Timestamp) -> Value {
    json!({ "type": kind, "account_id": "ann", "at": at.rfc3339() })
}

impl Setting {
    fn at(self, now: Timestamp) -> Self {
        Self { lifecycle: Lifecycle { clock: Clock::Stopped(now), ..self.lifecycle }, ..self }
    }

    async fn tell(&self, event: Value) -> Value {
        self.lifecycle.invoke(event).await.unwrap()
    }

    async fn refused(&self, event: Value) -> Failure {
        self.lifecycle.invoke(event).await.unwrap_err()
    }

    /// What the event did: sessions ended, tickets cancelled, links to prove, links removed.
    async fn counts(&self, event: Value) -> [u64; 4] {
        let done = self.tell(event).await;
        ["sessions_ended", "tickets_cancelled", "links_to_prove", "links_removed"]
            .map(|name| done[name].as_u64().unwrap())
    }

    /// Signs Ann in.
    async fn sign_in(&self, how: How, started_at: Timestamp) -> SessionToken {
        let epoch = self.lifecycle.tables.sessions.epoch(&id("ann")).await.unwrap();
        self.try_sign_in(how, started_at, epoch).await.unwrap()
    }

    async fn try_sign_in(&self, how: How, at: Timestamp, epoch: u64) -> Option<SessionToken> {
        let account = Account {
            id: id("ann"),
            email: None,
            name: None,
            status: Status::Active,
            has_password: true,
        };
        let (kind, week) = (Kind::Browser, Duration::from_secs(604_800));
        let (token, session) =
            Session::start(&account, kind, how, epoch, week, at, &mut web::rng());
        let sessions = &self.lifecycle.tables.sessions;
        let writes = sessions.open(&token, &session).unwrap();
        let written = store::commit(&sessions.client, writes.into()).await.unwrap();
        (written == Commit::Done).then_some(token)
    }

    async fn is_signed_in(&self, token: &SessionToken) -> bool {
        self.lifecycle.tables.sessions.find(token).await.unwrap().is_some()
    }

    /// Links Ann to an Amazon customer.
    async fn link(&self, customer: &AmazonUserId, at: Timestamp) {
        let identities = &self.lifecycle.tables.identities;
        let epoch = self.lifecycle.tables.sessions.epoch(&id("ann")).await.unwrap();
        let link = Link {
            copied: &Default::default(),
            pending: None,
            again: true,
            customer,
            account: &id("ann"),
            epoch,
            how: How::Linked,
            amazon_email: None,
            proven_at: at,
            now: at,
        };
        let writes = identities.link(&link).unwrap();
        assert_eq!(store::commit(&identities.client, writes.into()).await.unwrap(), Commit::Done);
    }

    /// Opens a ticket that waits for Ann's password.
    async fn ticket(&self, customer: &AmazonUserId, at: Timestamp) -> LinkTicket {
        let email = Email::parse("ann@example.com");
        let profile = Profile {
            user_id: customer.clone(),
            email: email.clone(),
            name: None,
            postal_code: None,
        };
        let purpose = Purpose::Link { account: id("ann"), email, attempts_left: 5 };
        let ticket = Ticket::new(purpose, profile, ReturnTo::home(), at);
        let key = LinkTicket::open(customer, &mut web::rng());
        let tickets = &self.lifecycle.tables.tickets;
        let writes = tickets.open(&key, &ticket).unwrap();
        assert_eq!(store::commit(&tickets.client, writes).await.unwrap(), Commit::Done);
        key
    }

    async fn attempts(&self, key: &LinkTicket) -> Option<u32> {
        let ticket = self.lifecycle.tables.tickets.find(key).await.unwrap()?;
        let Purpose::Link { attempts_left, .. } = ticket.purpose else { panic!("another ticket") };
        Some(attempts_left)
    }

    /// Everything that our tables hold.
    async fn rows(&self) -> String {
        let mut rows = String::new();
        for table in ["identities", "sessions", "tickets"] {
            let client = &self.lifecycle.tables.sessions.client;
            let mut pages = client.scan().table_name(table).into_paginator().send();
            while let Some(page) = pages.next().await {
                rows.push_str(&format!("{:?}", page.unwrap().items()));
            }
        }
        rows
    }

    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.lifecycle, &specimen.event()).await.unwrap()
    }
}

fn signed(id: &str, at: Timestamp, body: &Value) -> Specimen {
    signed_with(WEBHOOK_SECRET, id, at, body)
}

fn signed_with(secret: &str, id: &str, at: Timestamp, body: &Value) -> Specimen {
    let signature = Key::parse(secret).unwrap().sign(id, at, body.to_string().as_bytes());
    Specimen::of("lifecycle")
        .json(body)
        .header("webhook-id", id)
        .header("webhook-timestamp", &at.0.to_string())
        .header("webhook-signature", &signature)
}

fn told(reply: &Reply) -> Value {
    let Body::Text(text) = reply.body() else { panic!("there is no body") };
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn c12_e02_e03_a_new_password_ends_all_sessions_and_the_link_must_be_proven_again() {
    let at = setting(&[]).await;
    at.link(&user("ANN"), NOON).await;
    let sessions = [at.sign_in(How::Amazon, NOON).await, at.sign_in(How::Password, after(5)).await];
    let later = at.sign_in(How::Password, after(11)).await;
    let at = at.at(after(20));

    assert_eq!(at.counts(happened("password_reset", after(10))).await, [2, 0, 1, 0]);

    for session in &sessions {
        assert!(!at.is_signed_in(session).await);
    }
    assert!(at.is_signed_in(&later).await, "whoever came after it stays");
    let link = at.lifecycle.tables.identities.find(&user("ANN")).await.unwrap().unwrap();
    let epoch = at.lifecycle.tables.sessions.epoch(&id("ann")).await.unwrap();
    assert!(link.prove_again);
    assert_eq!((link.epoch, epoch), (1, 1));
}

#[tokio::test]
async fn e03_a_link_that_was_proven_after_the_new_password_stays() {
    let at = setting(&[]).await;
    at.link(&user("ANN"), after(11)).await;
    let at = at.at(after(20));
    assert_eq!(at.counts(happened("password_reset", after(10))).await, [0, 0, 0, 0]);
    let link = at.lifecycle.tables.identities.find(&user("ANN")).await.unwrap().unwrap();
    assert!(!link.prove_again);
    assert_eq!(link.epoch, 1, "it lets in as before");
}

#[tokio::test]
async fn f04_a_sign_in_that_races_a_new_password_does_not_survive_it() {
    let at = setting(&[]).await;
    at.link(&user("ANN"), NOON).await;
    // Over the link from before, between the new password and its being told.
    let between = at.sign_in(How::Amazon, after(12)).await;
    let at = at.at(after(20));
    at.tell(happened("password_reset", after(10))).await;
    assert!(!at.is_signed_in(&between).await);
    // It had read the epoch before, and writes after.
    assert!(at.try_sign_in(How::Amazon, after(20), 0).await.is_none());
    let epoch = at.lifecycle.tables.sessions.epoch(&id("ann")).await.unwrap();
    assert!(at.try_sign_in(How::Linked, after(20), epoch).await.is_some());
}

#[tokio::test]
async fn an_event_that_comes_twice_or_late_does_no_harm() {
    let at = setting(&[]).await.at(after(100));
    at.link(&user("ANN"), NOON).await;
    let early = at.sign_in(How::Password, NOON).await;
    assert_eq!(at.counts(happened("password_reset", after(10))).await, [1, 0, 1, 0]);
    assert!(!at.is_signed_in(&early).await);
    // The owner has given the new password.
    at.link(&user("ANN"), after(20)).await;
    let session = at.sign_in(How::Amazon, after(21)).await;

    for late in [after(10), after(9), NOON] {
        assert_eq!(at.counts(happened("password_reset", late)).await, [0; 4], "{late:?}");
        let link = at.lifecycle.tables.identities.find(&user("ANN")).await.unwrap().unwrap();
        assert!(!link.prove_again);
        assert!(at.is_signed_in(&session).await);
    }
    assert_eq!(at.counts(happened("password_reset", after(30))).await, [1, 0, 1, 0]);
}

#[tokio::test]
async fn an_account_that_was_opened_again_is_not_closed_by_a_late_word() {
    let at = setting(&[]).await.at(after(100));
    let early = at.sign_in(How::Password, NOON).await;
    at.tell(happened("enabled", after(50))).await;
    let session = at.sign_in(How::Password, after(60)).await;
    assert_eq!(at.counts(happened("disabled", after(40))).await, [1, 0, 0, 0]);
    assert!(!at.is_signed_in(&early).await, "what was there when it was closed has ended");
    assert!(at.is_signed_in(&session).await);
}

#[tokio::test]
async fn c11_whoever_is_in_an_account_that_is_closed_is_out() {
    let at = setting(&[]).await;
    at.link(&user("ANN"), NOON).await;
    let ticket = at.ticket(&user("OTHER"), NOON).await;
    let before = at.sign_in(How::Amazon, NOON).await;
    let between = at.sign_in(How::Password, after(15)).await;
    let at = at.at(after(20));

    assert_eq!(at.counts(happened("disabled", after(10))).await, [2, 1, 0, 0]);

    assert!(!at.is_signed_in(&before).await && !at.is_signed_in(&between).await);
    assert_eq!(at.attempts(&ticket).await, None);
    let link = at.lifecycle.tables.identities.find(&user("ANN")).await.unwrap().unwrap();
    assert!(!link.prove_again, "it waits for the account to be opened again");
    assert_eq!(link.epoch, 1);
}

#[tokio::test]
async fn e04_e17_an_address_that_changes_cancels_what_it_was_the_reason_of() {
    let at = setting(&[]).await;
    let tickets = [at.ticket(&user("A"), NOON).await, at.ticket(&user("B"), NOON).await];
    let session = at.sign_in(How::Password, NOON).await;

    assert_eq!(at.counts(happened("email_changed", NOON)).await, [0, 2, 0, 0]);

    for ticket in tickets {
        assert_eq!(at.attempts(&ticket).await, None);
    }
    assert!(at.is_signed_in(&session).await);
}

#[tokio::test]
async fn a_new_password_gives_tickets_their_attempts_back() {
    let at = setting(&[]).await;
    let ticket = at.ticket(&user("ANN"), NOON).await;
    let limits = limits(&user("ANN"), &id("ann"), NOON);
    for _ in 0..4 {
        let attempt = at.lifecycle.tables.tickets.take_attempt(&ticket, &limits, NOON).await;
        assert_eq!(attempt.unwrap(), Attempt::Taken);
    }
    assert_eq!(at.attempts(&ticket).await, Some(1));

    assert_eq!(at.counts(happened("password_reset", NOON)).await, [0; 4]);

    assert_eq!(at.attempts(&ticket).await, Some(5));
}

#[tokio::test]
async fn e19_k11_nothing_is_left_of_an_account_that_is_deleted_however_many_sessions_it_had() {
    let at = setting(&[]).await;
    let before = at.rows().await;
    at.link(&user("ANN"), NOON).await;
    at.ticket(&user("ANN"), NOON).await;
    at.ticket(&user("STRANGER"), NOON).await;
    let handle = DeviceHandle::mint(&mut web::rng());
    let tickets = &at.lifecycle.tables.tickets;
    let minute = Duration::from_mins(1);
    let grant = Grant::new(b"sealed".to_vec(), minute, minute, NOON);
    tickets.open_device(&handle, &grant).await.unwrap();
    let ann = Profile { user_id: user("ANN"), email: None, name: None, postal_code: None };
    assert!(tickets.meet_device(&handle, &ann, grant.expires_at).await.unwrap());
    for number in 0..500 {
        at.sign_in(How::Password, after(number)).await;
    }
    let code = at.tell(json!({ "type": "signed_in", "account_id": "ann", "at": NOON.rfc3339() }));
    assert!(code.await["code"].is_string());

    assert_eq!(at.counts(happened("deleted", NOON)).await, [500, 2, 0, 1]);

    let rows = at.rows().await;
    for trace in ["S(\"ann\")", "amzn1.account.ANN", "STRANGER", "ann@example.com"] {
        assert!(!rows.contains(trace), "{trace} is left");
    }
    assert!(before.len() < rows.len(), "what names nobody is left: that the account has gone");
    assert_eq!(at.counts(happened("deleted", NOON)).await, [0; 4], "twice is fine");
    assert!(at.try_sign_in(How::Amazon, after(1), 0).await.is_none());
}

#[tokio::test]
async fn e19_nothing_is_begun_for_an_account_that_was_deleted() {
    let at = setting(&[]).await;
    at.tell(happened("deleted", NOON)).await;
    let tables = &at.lifecycle.tables;
    let check = tables.sessions.not_deleted(&id("ann")).unwrap();
    let written = store::commit(&tables.sessions.client, vec![check]).await.unwrap();
    assert_ne!(written, Commit::Done);
    // An id that is used again, years later, begins anew.
    at.tell(happened("enabled", NOON)).await;
    let check = tables.sessions.not_deleted(&id("ann")).unwrap();
    let written = store::commit(&tables.sessions.client, vec![check]).await.unwrap();
    assert_eq!(written, Commit::Done);
}

#[tokio::test]
async fn e19_the_address_of_an_account_that_we_created_is_free_again() {
    for kind in ["deleted", "email_changed"] {
        let at = setting(&[]).await;
        let tables = &at.lifecycle.tables;
        let email = Email::parse("new@example.com").unwrap();
        let account = Account {
            id: id("ann"),
            email: Some(email.clone()),
            name: None,
            status: Status::Active,
            has_password: false,
        };
        let (kind_of, week) = (Kind::Browser, Duration::from_secs(604_800));
        let (token, session) =
            Session::start(&account, kind_of, How::Registered, 0, week, NOON, &mut web::rng());
        let mut writes = vec![tables.identities.claim(&email, &id("ann"), None).unwrap()];
        writes.extend(tables.sessions.open_first(&token, &session, &email).unwrap());
        store::commit(&tables.sessions.client, writes).await.unwrap();
        assert_eq!(tables.identities.account_with(&email).await.unwrap(), Some(id("ann")));

        at.tell(happened(kind, NOON)).await;

        assert_eq!(tables.identities.account_with(&email).await.unwrap(), None, "{kind}");
    }
}

#[tokio::test]
async fn a_local_sign_in_is_told_and_gets_a_code() {
    let at = setting(&[]).await;
    let event = json!({ "type": "signed_in", "account_id": "ann", "how": "password", "at": NOON.rfc3339() });

    let told = at.tell(event).await;

    assert_eq!(told["expires_at"], after(60).rfc3339());
    let code = SignInCode::presented(told["code"].as_str().unwrap()).unwrap();
    let kept = at.lifecycle.tables.tickets.find_code(&code).await.unwrap().unwrap();
    assert_eq!((kept.account, kept.how, kept.at), (id("ann"), How::Password, NOON));
    assert_eq!(kept.name.as_deref(), Some("Ann Local"));
}

#[tokio::test]
async fn c11_e22_no_code_for_an_account_that_nobody_may_enter() {
    let at = setting(&[]).await;
    for account in ["nobody", "dora", "kim"] {
        let event = json!({ "type": "signed_in", "account_id": account, "at": NOON.rfc3339() });
        let record = at.lifecycle.accounts.find_by_id(&id(account)).await.unwrap();
        let closed = record.is_none_or(|record| record.account.status != Status::Active);
        assert!(closed, "{account} is open");
        assert_eq!(at.refused(event).await.code.as_str(), "account_closed", "{account}");
    }
}

#[tokio::test]
async fn c12_no_code_for_a_sign_in_from_before_a_new_password() {
    let at = setting(&[]).await.at(after(100));
    at.tell(happened("password_reset", after(50))).await;
    let signed_in =
        |at: Timestamp| json!({ "type": "signed_in", "account_id": "ann", "at": at.rfc3339() });

    assert_eq!(at.refused(signed_in(after(49))).await.code.as_str(), "not_signed_in");

    // In the second of the new password itself the site has signed its owner in.
    for moment in [after(50), after(51)] {
        let told = at.tell(signed_in(moment)).await;
        let code = SignInCode::presented(told["code"].as_str().unwrap()).unwrap();
        let kept = at.lifecycle.tables.tickets.find_code(&code).await.unwrap().unwrap();
        assert_eq!((kept.at, kept.epoch), (after(51), 1));
    }
}

#[tokio::test]
async fn the_event_of_a_rule_tells_the_same() {
    let at = setting(&[]).await;
    let session = at.sign_in(How::Password, NOON).await;
    let event = std::fs::read_to_string(format!(
        "{}/../../events/lifecycle-rule.json",
        env!("CARGO_MANIFEST_DIR")
    ));
    let event: Value = serde_json::from_str(&event.unwrap()).unwrap();
    assert_eq!(at.counts(event).await, [1, 0, 0, 0]);
    assert!(!at.is_signed_in(&session).await);

    let event: Value = serde_json::from_str(&Specimen::of("lifecycle-invoked").event()).unwrap();
    assert_eq!(at.counts(event).await, [0; 4]);
    assert!(Specimen::of("lifecycle-rule").event().contains("disabled"));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let at = setting(&[]).await;
    let session = at.sign_in(How::Password, NOON).await;
    at.stack.dynamodb.reset_requests();
    let noon = NOON.rfc3339();
    for wrong in [
        json!(null),
        json!([]),
        json!({}),
        json!({ "type": "password_reset", "account_id": "ann" }),
        json!({ "type": "password_reset", "at": noon }),
        json!({ "type": "password_reset", "account_id": "", "at": noon }),
        json!({ "type": "password_reset", "account_id": ["ann"], "at": noon }),
        json!({ "type": "password_reset", "account_id": "ann", "at": 1_795_167_000 }),
        json!({ "type": "password_reset", "account_id": "ann", "at": "yesterday" }),
        json!({ "type": "password_reset", "account_id": "ann", "at": after(301).rfc3339() }),
        json!({ "type": "reset", "account_id": "ann", "at": noon }),
        json!({ "type": "signed_in", "account_id": "ann", "at": noon, "how": "guess" }),
        json!({ "detail-type": "lifecycle" }),
    ] {
        assert_eq!(at.refused(wrong.clone()).await.code.as_str(), "bad_request", "{wrong}");
    }
    assert!(at.stack.dynamodb.requests().is_empty());
    // A clock that runs a little ahead is no reason to lose a word.
    assert_eq!(at.counts(happened("password_reset", after(300))).await, [1, 0, 0, 0]);
    assert!(!at.is_signed_in(&session).await);
}

#[tokio::test]
async fn a_signed_request_is_heard() {
    let at = setting(&[]).await;
    let session = at.sign_in(How::Password, NOON).await;

    let reply = at.reply(signed("m1", NOON, &happened("password_reset", NOON))).await;

    assert_eq!(reply.status(), 200);
    assert_eq!(told(&reply)["sessions_ended"], 1);
    assert!(!at.is_signed_in(&session).await);
    let again = at.reply(signed("m1", NOON, &happened("password_reset", NOON))).await;
    assert_eq!(told(&again)["sessions_ended"], 0, "it may come twice");
}

#[tokio::test]
async fn whatever_is_not_signed_by_the_site_is_not_heard() {
    let at = setting(&[]).await;
    let session = at.sign_in(How::Password, NOON).await;
    let event = happened("password_reset", NOON);
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let right = || signed("m1", NOON, &event);
    for specimen in [
        Specimen::of("lifecycle"),
        signed_with(other, "m1", NOON, &event),
        right().json(&happened("disabled", NOON)),
        right().header("webhook-id", "m2"),
        right().header("webhook-timestamp", &after(1).0.to_string()),
        right().header("webhook-signature", "v1,"),
        right().without_header("webhook-signature"),
        right().without_header("webhook-id"),
        signed("m1", after(301), &event),
        signed("m1", after(-301), &event),
    ] {
        let reply = at.reply(specimen).await;
        assert_eq!(
            (reply.status().as_u16(), &told(&reply)["code"]),
            (401, &"not_signed_in".into())
        );
        assert!(at.is_signed_in(&session).await);
    }
}

#[tokio::test]
async fn a_code_is_not_had_by_sending_the_same_message_again() {
    let at = setting(&[]).await;
    let event = json!({ "type": "signed_in", "account_id": "ann", "at": NOON.rfc3339() });
    assert_eq!(at.reply(signed("m1", NOON, &event)).await.status(), 200);
    let again = at.reply(signed("m1", NOON, &event)).await;
    assert_eq!((again.status().as_u16(), &told(&again)["code"]), (400, &"bad_request".into()));
    assert_eq!(at.reply(signed("m2", NOON, &event)).await.status(), 200);
}

#[tokio::test]
async fn while_the_secret_is_replaced_both_are_good() {
    let at = setting(&[]).await;
    let new = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";
    at.stack.secrets.set(WEBHOOK_SECRET_ARN, &format!("{new} {WEBHOOK_SECRET}"));
    for secret in [new, WEBHOOK_SECRET] {
        let event = happened("enabled", NOON);
        assert_eq!(at.reply(signed_with(secret, "m1", NOON, &event)).await.status(), 200);
    }
    at.stack.secrets.set(WEBHOOK_SECRET_ARN, "correct horse battery staple");
    let at = at.at(after(301));
    let reply = at.reply(signed("m1", after(301), &happened("enabled", NOON))).await;
    assert_eq!((reply.status().as_u16(), &told(&reply)["code"]), (503, &"unavailable".into()));
}

#[tokio::test]
async fn without_a_secret_there_is_no_such_route() {
    let at = setting(&[("ACCOUNTS_WEBHOOK_SECRET_ARN", "")]).await;
    let reply = at.reply(signed("m1", NOON, &happened("deleted", NOON))).await;
    assert_eq!(reply.status(), 404);
    assert_eq!(at.counts(happened("deleted", NOON)).await, [0; 4], "an invocation is heard");
}

#[tokio::test]
async fn requests_of_another_shape_are_refused() {
    let at = setting(&[]).await;
    let event = happened("enabled", NOON);
    for (specimen, status) in [
        (signed("m", NOON, &event).method("GET"), 405),
        (signed("m", NOON, &event).header("content-type", "text/plain"), 415),
        (signed("m", NOON, &json!({ "type": "enabled" })), 400),
        (signed("m", NOON, &json!("x")), 400),
    ] {
        assert_eq!(at.reply(specimen).await.status().as_u16(), status);
    }
}

#[tokio::test]
async fn where_the_tables_do_not_answer_it_says_so_and_once_more_does_the_rest() {
    let at = setting(&[]).await;
    at.link(&user("ANN"), NOON).await;
    at.ticket(&user("OTHER"), NOON).await;
    let session = at.sign_in(How::Amazon, NOON).await;
    at.stack.dynamodb.reset_requests();
    let calls = ["GetItem", "TransactWriteItems", "Query", "BatchWriteItem"];
    for (call, skip) in calls.into_iter().flat_map(|call| [(call, 0), (call, 1)]) {
        at.stack.dynamodb.fault(call, skip, Some(4), Fault::Broken);
        let outcome = at.lifecycle.invoke(happened("deleted", NOON)).await;
        if let Err(failure) = outcome {
            assert_eq!(failure.code.as_str(), "unavailable", "{call}");
        }
        at.stack.dynamodb.clear_faults();
    }
    at.tell(happened("deleted", NOON)).await;
    assert!(!at.is_signed_in(&session).await);
    assert!(!at.rows().await.contains("amzn1.account.OTHER"));
    assert_eq!(at.lifecycle.tables.identities.find(&user("ANN")).await.unwrap(), None);
}

#[tokio::test]
async fn e19_k11_a_deletion_that_was_cut_off_leaves_nothing_of_the_customer_either() {
    let at = setting(&[]).await;
    at.link(&user("ANN"), NOON).await;
    at.ticket(&user("ANN"), NOON).await;
    // The transaction is done, and nothing after it.
    at.stack.dynamodb.fault("Query", 0, Some(9), Fault::Broken);
    assert_eq!(at.refused(happened("deleted", NOON)).await.code.as_str(), "unavailable");
    at.stack.dynamodb.clear_faults();
    assert_eq!(at.lifecycle.tables.identities.find(&user("ANN")).await.unwrap(), None);
    assert!(at.rows().await.contains("amzn1.account.ANN"));
    at.tell(happened("deleted", NOON)).await;
    assert!(!at.rows().await.contains("amzn1.account.ANN"));
}

#[tokio::test]
async fn e19_a_late_word_does_not_bring_an_account_back() {
    let at = setting(&[]).await.at(after(100));
    at.tell(happened("deleted", after(50))).await;
    at.tell(happened("enabled", after(40))).await;
    let tables = &at.lifecycle.tables;
    let check = tables.sessions.not_deleted(&id("ann")).unwrap();
    let written = store::commit(&tables.sessions.client, vec![check]).await.unwrap();
    assert_ne!(written, Commit::Done);
}

#[tokio::test]
async fn e19_no_session_is_opened_in_an_account_that_was_deleted() {
    let at = setting(&[]).await;
    at.tell(happened("deleted", NOON)).await;
    // Whoever reads the epoch only now would be as wrong as whoever read it before.
    for epoch in [0, 1] {
        assert!(at.try_sign_in(How::Linked, after(1), epoch).await.is_none());
    }
}

#[tokio::test]
async fn a_message_that_came_to_nothing_may_be_sent_again_by_the_same_name() {
    let at = setting(&[]).await;
    let event = json!({ "type": "signed_in", "account_id": "ann", "at": NOON.rfc3339() });
    at.stack.dynamodb.fault("TransactWriteItems", 0, Some(9), Fault::Broken);
    assert_eq!(at.reply(signed("m1", NOON, &event)).await.status(), 503);
    at.stack.dynamodb.clear_faults();
    assert_eq!(at.reply(signed("m1", NOON, &event)).await.status(), 200);
}

#[tokio::test]
async fn where_there_is_no_password_the_sites_word_is_the_proof() {
    let at = setting(&[]).await;
    for (account, how, proven) in
        [("ann", "password", true), ("ann", "site", false), ("otto", "site", true)]
    {
        let event =
            json!({ "type": "signed_in", "account_id": account, "at": NOON.rfc3339(), "how": how });
        let told = at.tell(event).await;
        let code = SignInCode::presented(told["code"].as_str().unwrap()).unwrap();
        let kept = at.lifecycle.tables.tickets.find_code(&code).await.unwrap().unwrap();
        assert_eq!(kept.proven, proven, "{account}, {how}");
    }
}
