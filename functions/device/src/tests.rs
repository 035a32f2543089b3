mod faults;
mod refused;

use std::time::Duration;

use domain::{
    AmazonUserId, Clock, Email, Profile, ReturnTo, SessionToken, Timestamp,
    link::Purpose,
    session::{How, Kind},
};
use local_stack::{
    Options, Stack,
    amazon::{DEVICE_CLIENT_ID, Endpoint, Fault},
    specimen::Specimen,
};
use serde_json::{Value, json};
use web::{Reply, lambda_http::Body, reply_to};

use crate::{handler::Device, settings::open};

const NOON: Timestamp = Timestamp(1_795_167_000);
const LOGIN: &str = "https://shop.example/auth/amazon/login";

struct Setting {
    stack: Stack,
    device: Device,
    now: Timestamp,
}

async fn setting() -> Setting {
    setting_with(&[]).await
}

async fn setting_with(parameters: &[(&str, &str)]) -> Setting {
    let own = [("PublicUrl", "https://shop.example")];
    let stack = Options::with(own.iter().chain(parameters)).doors().await.unwrap();
    let device = open(&stack.settings("device").into_iter().collect()).await.unwrap();
    let mut at = Setting { stack, device, now: NOON };
    at.pass(0);
    at.stack.dynamodb.reset_requests();
    at
}

/// A television, and what it was given.
struct Television {
    handle: String,
    user_code: String,
    told: Value,
}

fn body(reply: &Reply) -> Value {
    match reply.body() {
        Body::Text(text) => serde_json::from_str(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

impl Setting {
    /// Lets so many seconds pass, here and at Amazon.
    fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.device.entrance.clock = Clock::Stopped(self.now);
        self.stack.amazon.set_clock(Clock::Stopped(self.now));
    }

    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.device, &specimen.event()).await.unwrap()
    }

    /// Switches a television on.
    async fn television(&self) -> Television {
        let reply = self.reply(Specimen::of("device")).await;
        let told = body(&reply);
        assert_eq!(reply.status(), 200, "{told}");
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        Television { handle: text("device_code"), user_code: text("user_code"), told }
    }

    /// What a television is told that asks: the status, and the answer.
    async fn ask(&self, television: &Television) -> (u16, Value) {
        self.ask_with(&television.handle).await
    }

    async fn ask_with(&self, handle: &str) -> (u16, Value) {
        let specimen = Specimen::of("device-poll").json(&json!({ "device_code": handle }));
        let reply = self.reply(specimen).await;
        assert_eq!(reply.headers()["cache-control"], "no-store");
        assert!(!reply.headers().contains_key("set-cookie"));
        (reply.status().as_u16(), body(&reply))
    }

    /// The same, after the time that it is told to wait.
    async fn ask_in_time(&mut self, television: &Television) -> (u16, Value) {
        self.pass(45);
        self.ask(television).await
    }

    /// A customer types the code and allows everything.
    fn allow(&self, television: &Television, customer: &str) {
        assert!(self.stack.amazon.allow_code(&television.user_code, customer));
    }

    /// A television that lets this customer in: what it is told.
    async fn arrives(&mut self, customer: &str) -> (Television, (u16, Value)) {
        let television = self.television().await;
        self.allow(&television, customer);
        let told = self.ask(&television).await;
        (television, told)
    }

    fn amazon_id(&self, customer: &str) -> AmazonUserId {
        AmazonUserId::parse(&self.stack.amazon.user_id(customer, DEVICE_CLIENT_ID)).unwrap()
    }

    /// All sessions that there are, by account.
    fn sessions(&self) -> Vec<String> {
        let rows = self.stack.dynamodb.scan("sessions").unwrap();
        let account = |row: Value| row["account_id"]["S"].as_str().map(str::to_owned);
        rows.into_iter().filter_map(account).collect()
    }

    /// The rows of televisions.
    fn grants(&self) -> Vec<Value> {
        let mut rows = self.stack.dynamodb.scan("tickets").unwrap();
        rows.retain(|row| row["sk"]["S"] == "DEVICE");
        rows
    }

    /// How often Amazon was asked for tokens.
    fn asked_amazon(&self) -> usize {
        self.stack.amazon.calls_of(Endpoint::Token).len()
    }
}

fn error(word: &str) -> (u16, Value) {
    (400, json!({ "error": word }))
}

fn told(status: &str) -> (u16, Value) {
    (200, json!({ "status": status, "verification_uri": LOGIN }))
}

#[tokio::test]
async fn a_television_shows_amazons_code_and_keeps_a_handle_of_ours() {
    let at = setting().await;
    let television = at.television().await;
    let mut names: Vec<_> = television.told.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["device_code", "expires_in", "interval", "user_code", "verification_uri"]);
    assert_eq!(television.told["verification_uri"], format!("{}/code", at.stack.amazon.url));
    assert_eq!(
        (&television.told["expires_in"], &television.told["interval"]),
        (&600.into(), &30.into())
    );
    assert_eq!(television.handle.len(), 43);
    let [call] = &at.stack.amazon.calls()[..] else { panic!("one call") };
    assert_eq!(call.fields, ["response_type", "client_id", "scope"]);
    assert_eq!(
        at.stack.dynamodb.requests(),
        ["UpdateItem tickets", "UpdateItem tickets", "PutItem tickets"]
    );

    let empty = Specimen::of("device").text("");
    assert_eq!(at.reply(empty).await.status(), 200, "there is nothing to say");
}

#[tokio::test]
async fn a_linked_customer_comes_in_on_a_television() {
    let mut at = setting().await;
    let television = at.television().await;
    assert_eq!(at.ask(&television).await, error("authorization_pending"));
    at.pass(30);
    at.allow(&television, "lin");
    at.stack.dynamodb.reset_requests();
    at.stack.amazon.forget_calls();

    let (status, told) = at.ask(&television).await;

    assert_eq!((status, told["status"].as_str()), (200, Some("signed_in")), "{told}");
    assert_eq!(told["account"], json!({ "id": "lin", "name": "Lin Linked" }));
    let mut names: Vec<_> = told.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["account", "expires_at", "session_token", "status"]);
    let requests = at.stack.dynamodb.requests();
    let token = SessionToken::presented(told["session_token"].as_str().unwrap()).unwrap();
    let session = at.device.entrance.sessions.find(&token).await.unwrap().unwrap();
    assert_eq!((session.kind, session.how), (Kind::Device, How::Amazon));
    assert_eq!(told["expires_at"], session.expires_at.rfc3339());
    assert!(!session.is_proven(at.now), "h01: it changes nothing about the account");
    // Whom the token was issued to is asked before whose it is.
    let paths: Vec<_> = at.stack.amazon.calls().into_iter().map(|call| call.path).collect();
    assert_eq!(paths, ["/auth/o2/token", "/auth/o2/tokeninfo", "/user/profile"]);
    assert_eq!(
        requests,
        [
            "GetItem tickets",
            "UpdateItem tickets",
            "TransactWriteItems tickets",
            "GetItem identities",
            "GetItem accounts",
            "TransactWriteItems accounts,identities,sessions,tickets",
        ]
    );
}

#[tokio::test]
async fn h09_whoever_has_to_prove_a_password_does_it_elsewhere_and_the_television_finds_the_link() {
    let mut at = setting().await;
    let (television, answer) = at.arrives("ann").await;
    assert_eq!(answer, told("link_required"));
    assert_eq!(at.ask_in_time(&television).await, told("link_required"), "nothing has changed");

    at.stack.link("ann", "ann").await.unwrap();
    at.stack.amazon.forget_calls();
    let (status, answer) = at.ask_in_time(&television).await;
    assert_eq!((status, &answer["account"]["id"]), (200, &json!("ann")), "{answer}");
    assert_eq!(at.asked_amazon(), 0, "Amazon is not asked again");
    assert_eq!(at.sessions(), ["ann"]);
    // What Amazon told at the time is noted as at any other sign-in.
    let identity = at.device.entrance.identities.find(&at.amazon_id("ann")).await.unwrap().unwrap();
    assert_eq!(identity.amazon_email, Email::parse("ann@example.com"));
}

#[tokio::test]
async fn h09_a_newcomer_registers_elsewhere_and_no_television_opens_an_account() {
    let mut at = setting().await;
    let accounts = at.stack.dynamodb.scan("accounts").unwrap().len();
    for customer in ["nora", "noa", "ida"] {
        let (television, answer) = at.arrives(customer).await;
        assert_eq!(answer, told("registration_required"), "{customer}");
        assert_eq!(at.ask_in_time(&television).await, told("registration_required"));
    }
    assert_eq!(at.stack.dynamodb.scan("accounts").unwrap().len(), accounts);
    assert!(at.sessions().is_empty());

    let (television, _) = at.arrives("nora").await;
    at.stack.link("nora", "bob").await.unwrap();
    let (status, answer) = at.ask_in_time(&television).await;
    assert_eq!((status, &answer["account"]["id"]), (200, &json!("bob")), "{answer}");
}

#[tokio::test]
async fn h09_no_page_takes_the_handle_of_a_television() {
    let mut at = setting().await;
    let (television, _) = at.arrives("ann").await;
    // Nothing waits for a password: a ticket would be a row of another kind.
    let rows = at.stack.dynamodb.scan("tickets").unwrap();
    assert!(rows.iter().all(|row| row.get("purpose").is_none()), "{rows:?}");
    assert!(domain::LinkTicket::presented(&television.handle).is_err());
}

#[tokio::test]
async fn a_link_that_must_be_proven_once_more_lets_nobody_in_before() {
    let mut at = setting().await;
    let lin = format!("AMAZON#{}", at.amazon_id("lin").as_str());
    at.stack.dynamodb.set("identities", &[("pk", &lin)], "prove_again", true).unwrap();
    let (_, answer) = at.arrives("lin").await;
    assert_eq!(answer, told("link_required"));
    assert!(at.sessions().is_empty());
}

#[tokio::test]
async fn whoever_is_refused_is_refused_with_the_callbacks_words() {
    let mut at = setting_with(&[("Registration", "closed")]).await;
    for (customer, email, status, code) in [
        ("nora", "nora@example.com", 403, "registration_closed"),
        ("nora", "dora@example.com", 403, "account_closed"),
        ("nora", "kim@example.com", 403, "account_closed"),
        ("nora", "otto@example.com", 403, "no_password"),
    ] {
        at.stack.amazon.change(customer, |customer| customer.email = Some(email.to_owned()));
        let (television, (said, problem)) = at.arrives(customer).await;
        assert_eq!((said, problem["code"].as_str()), (status, Some(code)), "{email}: {problem}");
        let (again, problem) = at.ask_in_time(&television).await;
        assert_eq!((again, problem["code"].as_str()), (status, Some(code)), "and again");
        at.pass(600);
    }
    at.stack.link("ann", "dora").await.unwrap();
    let (_, (status, problem)) = at.arrives("ann").await;
    assert_eq!((status, problem["code"].as_str()), (403, Some("account_closed")), "{problem}");
    assert!(at.sessions().is_empty());
}

#[tokio::test]
async fn h05_an_answer_that_got_lost_is_given_once_more_for_a_minute() {
    let mut at = setting().await;
    let (television, first) = at.arrives("lin").await;
    at.stack.amazon.forget_calls();
    assert_eq!(at.ask(&television).await, first, "the same session");
    at.pass(59);
    assert_eq!(at.ask(&television).await, first);
    assert_eq!(at.sessions(), ["lin"]);
    at.pass(1);
    assert_eq!(at.ask(&television).await, error("expired_token"));
    assert!(at.stack.amazon.calls().is_empty());
}

#[tokio::test]
async fn h05_a_session_that_has_ended_is_not_given_once_more() {
    let mut at = setting().await;
    let (television, (_, told)) = at.arrives("lin").await;
    let token = SessionToken::presented(told["session_token"].as_str().unwrap()).unwrap();
    at.device.entrance.sessions.end(&token, true).await.unwrap();
    assert_eq!(at.ask(&television).await, error("expired_token"));
    assert!(at.sessions().is_empty());
}

#[tokio::test]
async fn h05_of_questions_that_come_at_once_one_opens_a_session() {
    let mut at = setting().await;
    let television = at.television().await;
    at.allow(&television, "lin");
    let asks = (0..8).map(|_| at.ask(&television));
    let answers = futures_util::future::join_all(asks).await;
    assert_eq!(at.sessions(), ["lin"]);
    let mut in_ = answers.iter().filter(|(status, _)| *status == 200);
    let first = in_.next().unwrap();
    assert!(in_.all(|answer| answer == first), "{answers:?}");
    let others = answers.iter().filter(|(status, _)| *status != 200);
    assert!(others.clone().all(|answer| *answer == error("slow_down")), "{answers:?}");
    assert_eq!(at.asked_amazon(), 1);

    // The same where Amazon need not be asked any more.
    let (television, _) = at.arrives("ann").await;
    at.stack.link("ann", "ann").await.unwrap();
    at.pass(60);
    futures_util::future::join_all((0..8).map(|_| at.ask(&television))).await;
    let mut sessions = at.sessions();
    sessions.sort();
    assert_eq!(sessions, ["ann", "lin"]);
}

#[tokio::test]
async fn inv02_a_session_that_was_about_to_open_does_not_outlive_the_end_of_all() {
    let mut at = setting().await;
    let (television, _) = at.arrives("ann").await;
    at.stack.link("ann", "ann").await.unwrap();
    // The link was made before all sessions ended, and what is between them has not caught up.
    let ann = format!("AMAZON#{}", at.amazon_id("ann").as_str());
    at.stack.dynamodb.set("identities", &[("pk", &ann)], "epoch", 7).unwrap();
    let (status, problem) = at.ask_in_time(&television).await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("unavailable")), "{problem}");
    assert!(at.sessions().is_empty());
}
