mod app;

use domain::{
    AccountId, AmazonUserId, Clock, Email, LinkTicket, Profile, ReturnTo, SessionToken, Timestamp,
    link::{ATTEMPTS, Purpose, Ticket},
    session::How,
    sync::Copied,
};
use local_stack::{Options, Stack, dynamodb::Fault, specimen::Specimen};
use serde_json::{Value, json};
use store::{Commit, Part};
use web::{Reply, lambda_http::Body, reply_to};

use crate::{handler::Link, open};

const NOON: Timestamp = Timestamp(1_795_167_000);
const TICKET: &str = "__Host-lwa_ticket";
const SESSION: &str = "__Host-lwa_session";
const RIGHT: &str = "ann-local-password";

struct Setting {
    stack: Stack,
    link: Link,
}

async fn setting() -> Setting {
    setting_with(&[]).await
}

async fn setting_with(parameters: &[(&str, &str)]) -> Setting {
    let own = [("PublicUrl", "https://shop.example")];
    let stack = Options::with(own.iter().chain(parameters)).doors().await.unwrap();
    let mut link = open(&stack.settings("link").into_iter().collect()).await.unwrap();
    link.entrance.clock = Clock::Stopped(NOON);
    stack.dynamodb.reset_requests();
    Setting { stack, link }
}

fn customer(id: &str) -> Profile {
    Profile {
        user_id: AmazonUserId::parse(id).unwrap(),
        email: Email::parse("ann@example.com"),
        name: Some("Ann Amazon".into()),
        postal_code: Some("98109".into()),
    }
}

impl Setting {
    /// A ticket of this customer for this account's password.
    async fn ticket_of(&self, amazon: &str, account: &str) -> LinkTicket {
        let account = AccountId::parse(account).unwrap();
        let purpose = Purpose::Link {
            account,
            email: Email::parse("ann@example.com"),
            attempts_left: ATTEMPTS,
        };
        let to = ReturnTo::parse("/basket").unwrap();
        let key = self.link.entrance.wait(purpose, &customer(amazon), &to, None).await.unwrap();
        self.stack.dynamodb.reset_requests();
        key
    }

    async fn ticket(&self) -> LinkTicket {
        self.ticket_of("amzn1.account.ANN", "ann").await
    }

    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.link, &specimen.event()).await.unwrap()
    }

    async fn guess(&self, key: &LinkTicket, password: &str) -> Reply {
        self.reply(guess(key, password)).await
    }

    async fn state_of(&self, key: &LinkTicket) -> Ticket {
        self.link.entrance.tickets.find(key).await.unwrap().unwrap()
    }

    async fn attempts_left(&self, key: &LinkTicket) -> u32 {
        match self.state_of(key).await.purpose {
            Purpose::Link { attempts_left, .. } => attempts_left,
            other => panic!("{other:?}"),
        }
    }

    async fn account_of(&self, amazon: &str) -> Option<String> {
        let amazon = AmazonUserId::parse(amazon).unwrap();
        let found = self.link.entrance.identities.find(&amazon).await.unwrap();
        found.map(|identity| identity.account.as_str().to_owned())
    }

    async fn whose(&self, session: &str) -> Option<String> {
        let token = SessionToken::presented(session).unwrap();
        let found = self.link.entrance.sessions.find(&token).await.unwrap();
        found.map(|session| session.account.as_str().to_owned())
    }

    fn later(&mut self, seconds: i64) {
        self.link.entrance.clock = Clock::Stopped(Timestamp(NOON.0 + seconds));
    }
}

fn guess(key: &LinkTicket, password: &str) -> Specimen {
    let form =
        [("csrf", key.csrf().expose()), ("username", "ann@example.com"), ("password", password)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Specimen::of("link-password").cookie(TICKET, &key.expose()).form(&form)
}

fn press(specimen: &str, key: &LinkTicket) -> Specimen {
    let csrf = key.csrf();
    Specimen::of(specimen).cookie(TICKET, &key.expose()).form(&[("csrf", csrf.expose())])
}

fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let all = reply.headers().get_all("set-cookie").iter();
    let ours = all.filter_map(|cookie| cookie.to_str().unwrap().split_once('='));
    let mut values = ours.filter(|(key, _)| *key == name).map(|(_, rest)| rest.to_owned());
    let value = values.next();
    assert_eq!(values.next(), None, "{name} is set twice");
    value.map(|rest| rest.split(';').next().unwrap().to_owned())
}

fn text(reply: &Reply) -> &str {
    match reply.body() {
        Body::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

/// The status and the code of a page that lets nobody in.
fn ending(reply: &Reply) -> (u16, String) {
    assert_eq!(cookie(reply, SESSION), None);
    let (_, rest) = text(reply).split_once("<main data-code=\"").unwrap();
    (reply.status().as_u16(), rest.split('"').next().unwrap().to_owned())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn location(reply: &Reply) -> &str {
    reply.headers()["location"].to_str().unwrap()
}

// The page.

#[tokio::test]
async fn the_page_says_what_was_matched_and_asks_for_the_password() {
    let at = setting().await;
    let key = at.ticket().await;
    let reply = at.reply(Specimen::of("link").cookie(TICKET, &key.expose())).await;
    assert_eq!(ending(&reply), is(200, "ok"));
    let page = text(&reply);
    for part in
        ["ann@example.com", key.csrf().expose(), "current-password", "https://www.amazon.com"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains(&key.expose()), "the ticket itself stays in its cookie");
    assert_eq!(at.stack.dynamodb.requests(), ["GetItem tickets"]);

    let german = at.reply(Specimen::of("link-german").cookie(TICKET, &key.expose())).await;
    assert!(text(&german).contains("<html lang=\"de\">"));
}

#[tokio::test]
async fn a_page_of_the_sites_own_gets_the_same_as_json() {
    let at = setting().await;
    let key = at.ticket().await;
    let specimen = Specimen::of("link").cookie(TICKET, &key.expose());
    let reply = at.reply(specimen.header("accept", "application/json")).await;
    let told: Value = serde_json::from_str(text(&reply)).unwrap();
    assert_eq!(
        told,
        json!({
            "email": "ann@example.com",
            "csrf": key.csrf().expose(),
            "attempts_left": 5,
            "expires_at": "2026-11-20T09:45:00Z",
        })
    );
}

#[tokio::test]
async fn d08_a_ticket_ends_by_the_second_though_its_row_lies_around() {
    for (seconds, expected) in
        [(899, is(200, "ok")), (900, is(410, "ticket_expired")), (901, is(410, "ticket_expired"))]
    {
        let mut at = setting().await;
        let key = at.ticket().await;
        at.later(seconds);
        let reply = at.reply(Specimen::of("link").cookie(TICKET, &key.expose())).await;
        assert_eq!(ending(&reply), expected, "after {seconds} s");
        let reply = at.guess(&key, RIGHT).await;
        assert_eq!(reply.status() == 303, seconds == 899, "after {seconds} s");
    }
}

#[tokio::test]
async fn without_a_ticket_there_is_nothing_to_link() {
    let at = setting().await;
    let other = LinkTicket::open(&customer("amzn1.account.ANN").user_id, &mut web::rng());
    for specimen in [
        Specimen::of("link").without_cookie(TICKET),
        Specimen::of("link").cookie(TICKET, "x"),
        Specimen::of("link").cookie(TICKET, &other.expose()),
        guess(&other, RIGHT),
        guess(&other, RIGHT).without_cookie(TICKET),
    ] {
        assert_eq!(ending(&at.reply(specimen).await), is(410, "ticket_expired"));
    }
}

#[tokio::test]
async fn d10_a_ticket_is_good_for_one_thing_only() {
    let at = setting().await;
    let account = AccountId::parse("ann").unwrap();
    for purpose in [Purpose::Register, Purpose::Switch { account }] {
        let customer = customer("amzn1.account.ANN");
        let key = at.link.entrance.wait(purpose, &customer, &ReturnTo::home(), None).await.unwrap();
        assert_eq!(ending(&at.guess(&key, RIGHT).await), is(410, "ticket_expired"));
        let reply = at.reply(Specimen::of("link").cookie(TICKET, &key.expose())).await;
        assert_eq!(ending(&reply), is(410, "ticket_expired"));
    }
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
}

// The right password.

#[tokio::test]
async fn the_right_password_links_and_lets_in() {
    let at = setting().await;
    let key = at.ticket().await;

    let reply = at.guess(&key, RIGHT).await;

    assert_eq!(reply.status(), 303);
    assert_eq!(location(&reply), "https://shop.example/basket");
    assert_eq!(at.account_of("amzn1.account.ANN").await.as_deref(), Some("ann"));
    assert_eq!(at.whose(&cookie(&reply, SESSION).unwrap()).await.as_deref(), Some("ann"));
    assert_eq!(cookie(&reply, TICKET).as_deref(), Some(""), "the ticket is taken back");
    let row = at.stack.dynamodb.get("accounts", &[("id", "ann")]).unwrap();
    assert_eq!(row["name"]["S"], "Ann Local", "what the account has stays");
    assert_eq!(row["postal_code"]["S"], "98109", "what it lacks is filled in");
}

#[tokio::test]
async fn linking_costs_five_requests() {
    let at = setting().await;
    let key = at.ticket().await;
    at.guess(&key, RIGHT).await;
    assert_eq!(
        at.stack.dynamodb.requests(),
        [
            "GetItem tickets",
            "GetItem accounts",
            "GetItem sessions",
            "TransactWriteItems tickets",
            "TransactWriteItems accounts,identities,sessions,tickets"
        ]
    );
}

#[tokio::test]
async fn d18_a_second_factor_is_asked_for_together_with_the_password() {
    for wire in ["webhook", "function"] {
        let at = setting_with(&[("Accounts", wire)]).await;
        at.stack.dynamodb.set("accounts", &[("id", "ann")], "second_factor", "246810").unwrap();
        let key = at.ticket().await;
        let with_code = |password: &str, code: &str| {
            let csrf = key.csrf();
            let form = [("csrf", csrf.expose()), ("password", password), ("code", code)];
            Specimen::of("link-password").cookie(TICKET, &key.expose()).form(&form)
        };
        // Without the password nobody learns that there is a second factor.
        let reply = at.guess(&key, "wrong").await;
        assert_eq!(ending(&reply), is(401, "wrong_password"));
        assert!(!text(&reply).contains("name=\"code\""));
        let reply = at.guess(&key, RIGHT).await;
        assert_eq!(ending(&reply), is(401, "mfa_required"));
        assert!(text(&reply).contains("name=\"code\"") && !text(&reply).contains("id=\"wrong\""));
        let reply = at.reply(with_code(RIGHT, "000000")).await;
        assert_eq!(ending(&reply), is(401, "mfa_required"));
        assert!(text(&reply).contains("id=\"wrong\""));
        assert_eq!(at.attempts_left(&key).await, ATTEMPTS - 3, "codes are guessed like passwords");
        assert_eq!(at.account_of("amzn1.account.ANN").await, None);
        let reply = at.reply(with_code(RIGHT, "246810")).await;
        assert_eq!(reply.status(), 303);
        assert_eq!(at.account_of("amzn1.account.ANN").await.as_deref(), Some("ann"));
    }
}

#[tokio::test]
async fn a_site_that_locks_an_account_or_does_not_answer_lets_nobody_in() {
    let says = |verdict| local_stack::accounts::Fault::Says(json!({ "verdict": verdict }));
    for (fault, expected) in [
        (says("locked"), is(403, "account_closed")),
        (says("disabled"), is(403, "account_closed")),
        (says("no_password"), is(403, "no_password")),
        (says("maybe"), is(503, "unavailable")),
        (local_stack::accounts::Fault::Status(401), is(503, "unavailable")),
        (local_stack::accounts::Fault::Cut, is(503, "unavailable")),
    ] {
        let at = setting_with(&[("Accounts", "webhook")]).await;
        let key = at.ticket().await;
        at.stack.accounts.fault("verify_password", 0, Some(1), fault.clone());
        assert_eq!(ending(&at.guess(&key, RIGHT).await), expected, "{fault:?}");
        assert_eq!(at.stack.dynamodb.scan("identities").unwrap().len(), 2, "Lin's alone");
    }
}

#[tokio::test]
async fn every_hash_of_the_shop_is_understood() {
    for id in ["ann", "bob", "sam", "mia"] {
        let at = setting().await;
        let key = at.ticket_of("amzn1.account.X", id).await;
        let reply = at.guess(&key, &format!("{id}-local-password")).await;
        assert_eq!(reply.status(), 303, "{id}");
        assert_eq!(at.account_of("amzn1.account.X").await.as_deref(), Some(id));
    }
}

#[tokio::test]
async fn a_page_of_the_sites_own_links_with_json() {
    let at = setting().await;
    let key = at.ticket().await;
    let specimen = Specimen::of("link-password-json").cookie(TICKET, &key.expose());
    let csrf = key.csrf().expose().to_owned();
    let wrong =
        at.reply(specimen.clone().json(&json!({ "csrf": csrf, "password": "wrong" }))).await;
    let told: Value = serde_json::from_str(text(&wrong)).unwrap();
    assert_eq!(
        (wrong.status().as_u16(), &told["code"], &told["attempts_left"]),
        (401, &json!("wrong_password"), &json!(4))
    );
    assert_eq!(told["return_to"], "/basket");

    let reply = at.reply(specimen.json(&json!({ "csrf": csrf, "password": RIGHT }))).await;
    assert_eq!(reply.status(), 200);
    let told: Value = serde_json::from_str(text(&reply)).unwrap();
    assert_eq!(told["status"], "signed_in");
    assert_eq!(told["account"]["id"], "ann");
    assert_eq!(told["return_to"], "/basket");
    assert_eq!(at.whose(&cookie(&reply, SESSION).unwrap()).await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn c02_the_session_that_the_browser_had_before_is_over() {
    let at = setting().await;
    let key = at.ticket().await;
    let first = cookie(&at.guess(&key, RIGHT).await, SESSION).unwrap();
    let key = at.ticket_of("amzn1.account.BOB", "bob").await;
    let reply = at.reply(guess(&key, "bob-local-password").cookie(SESSION, &first)).await;
    assert_eq!(at.whose(&cookie(&reply, SESSION).unwrap()).await.as_deref(), Some("bob"));
    assert_eq!(at.whose(&first).await, None);
}

#[tokio::test]
async fn e03_a_link_to_be_proven_again_is_proven_by_the_password() {
    let at = setting().await;
    let key = at.ticket().await;
    at.guess(&key, RIGHT).await;
    let pk = "AMAZON#amzn1.account.ANN";
    at.stack.dynamodb.set("identities", &[("pk", pk)], "prove_again", true).unwrap();
    let key = at.ticket().await;
    assert_eq!(at.guess(&key, RIGHT).await.status(), 303);
    let row = at.stack.dynamodb.get("identities", &[("pk", pk)]).unwrap();
    assert_eq!(row["prove_again"], Value::Null);
}

#[tokio::test]
async fn what_the_owner_has_emptied_stays_empty_when_the_link_is_proven_again() {
    let at = setting_with(&[("ProfileSync", "postal_code=fill_empty")]).await;
    at.guess(&at.ticket().await, RIGHT).await;
    let (dynamodb, ann) = (&at.stack.dynamodb, [("id", "ann")]);
    assert_eq!(dynamodb.get("accounts", &ann).unwrap()["postal_code"]["S"], "98109");
    dynamodb.set("accounts", &ann, "postal_code", Value::Null).unwrap();
    let pk = [("pk", "AMAZON#amzn1.account.ANN")];
    dynamodb.set("identities", &pk, "prove_again", true).unwrap();
    assert_eq!(at.guess(&at.ticket().await, RIGHT).await.status(), 303);
    assert_eq!(dynamodb.get("identities", &pk).unwrap()["prove_again"], Value::Null);
    assert_eq!(dynamodb.get("accounts", &ann).unwrap()["postal_code"], Value::Null);
}

#[tokio::test]
async fn no_link_takes_the_place_of_another_accounts_even_where_that_must_be_proven_again() {
    let at = setting().await;
    at.guess(&at.ticket().await, RIGHT).await;
    let ann = customer("amzn1.account.ANN");
    let identities = &at.link.entrance.identities;
    for (must_be_proven, again) in [(false, false), (false, true), (true, false), (true, true)] {
        let pk = [("pk", "AMAZON#amzn1.account.ANN")];
        let mark = if must_be_proven { json!(true) } else { Value::Null };
        at.stack.dynamodb.set("identities", &pk, "prove_again", mark).unwrap();
        let link = store::Link {
            customer: &ann.user_id,
            account: &AccountId::parse("bob").unwrap(),
            epoch: 0,
            how: How::Linked,
            amazon_email: None,
            proven_at: NOON,
            copied: &Copied::default(),
            pending: None,
            again,
            now: NOON,
        };
        let writes = identities.link(&link).unwrap();
        let written = store::commit(&identities.client, writes.into()).await.unwrap();
        assert_eq!(written, Commit::Refused(vec![Part::Identity]), "{must_be_proven} {again}");
        assert_eq!(at.account_of("amzn1.account.ANN").await.as_deref(), Some("ann"));
    }
}

// The button pressed twice.

#[tokio::test]
async fn d07_a_second_click_finds_out_where_the_first_one_led() {
    let at = setting().await;
    let key = at.ticket().await;
    let first = at.guess(&key, RIGHT).await;
    let session = cookie(&first, SESSION).unwrap();
    let again = at.reply(guess(&key, RIGHT).cookie(SESSION, &session)).await;
    assert_eq!(location(&again), "https://shop.example/basket");
    assert_eq!(cookie(&again, SESSION), None, "the session stays");
    // A page of the site's own is told the same as JSON.
    let json =
        Specimen::of("link-password-json").cookie(TICKET, &key.expose()).cookie(SESSION, &session);
    let json = json.json(&json!({ "csrf": key.csrf().expose(), "password": RIGHT }));
    let told: Value = serde_json::from_str(text(&at.reply(json).await)).unwrap();
    assert_eq!((&told["status"], &told["return_to"]), (&json!("signed_in"), &json!("/basket")));
    // In a browser that is not signed in it is a used ticket, and the way back leads on.
    let elsewhere = at.guess(&key, RIGHT).await;
    assert_eq!(ending(&elsewhere), is(410, "ticket_expired"));
    assert!(text(&elsewhere).contains("return_to=%2Fbasket"));
}

#[tokio::test]
async fn f03_two_clicks_at_once_make_one_link_and_both_lead_in() {
    let at = setting().await;
    let key = at.ticket().await;
    let (one, other) = tokio::join!(at.guess(&key, RIGHT), at.guess(&key, RIGHT));
    for reply in [&one, &other] {
        assert_eq!(reply.status(), 303);
        assert_eq!(at.whose(&cookie(reply, SESSION).unwrap()).await.as_deref(), Some("ann"));
    }
    let links = at.stack.dynamodb.scan("identities").unwrap();
    assert_eq!(links.iter().filter(|row| row["account_id"]["S"] == "ann").count(), 1);
}

#[tokio::test]
async fn d07_a_second_tab_is_let_in_by_the_link_of_the_first_and_its_ticket_is_used_up_too() {
    let at = setting().await;
    let (first, second) = (at.ticket().await, at.ticket().await);
    at.guess(&first, RIGHT).await;
    let reply = at.guess(&second, RIGHT).await;
    assert_eq!(at.whose(&cookie(&reply, SESSION).unwrap()).await.as_deref(), Some("ann"));
    assert!(at.state_of(&second).await.used);
    assert_eq!(ending(&at.guess(&second, RIGHT).await), is(410, "ticket_expired"));
}

// Guessing.

#[tokio::test]
async fn a_wrong_password_shows_the_form_with_what_is_left() {
    let at = setting().await;
    let key = at.ticket().await;
    for (left, wrong) in [
        (4, "wrong"),
        (3, "ann-local-passwor"),
        (2, "Ann-local-password"),
        (1, " ann-local-password"),
    ] {
        let reply = at.guess(&key, wrong).await;
        assert_eq!(ending(&reply), is(401, "wrong_password"), "{wrong}");
        assert!(text(&reply).contains("ann@example.com"));
        assert_eq!(at.attempts_left(&key).await, left);
    }
}

#[tokio::test]
async fn d01_the_fifth_wrong_password_ends_the_ticket_and_the_right_one_comes_too_late() {
    let at = setting().await;
    let key = at.ticket().await;
    for _ in 0..4 {
        assert_eq!(at.guess(&key, "wrong").await.status(), 401);
    }
    assert_eq!(ending(&at.guess(&key, "wrong").await), is(410, "ticket_expired"));
    assert_eq!(ending(&at.guess(&key, RIGHT).await), is(410, "ticket_expired"));
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
}

#[tokio::test]
async fn d05_guesses_at_once_cannot_overtake_the_count() {
    let at = setting().await;
    let key = at.ticket().await;
    let guesses = (0..50).map(|_| at.guess(&key, "wrong"));
    let replies = futures_util::future::join_all(guesses).await;
    let compared = replies.iter().filter(|reply| reply.status() == 401).count();
    assert!(compared <= 5, "{compared} were compared");
    assert_eq!(at.attempts_left(&key).await, 0);
    assert_eq!(ending(&at.guess(&key, RIGHT).await), is(410, "ticket_expired"));
}

#[tokio::test]
async fn d02_fresh_tickets_bring_no_fresh_guesses() {
    let mut at = setting().await;
    let mut compared = 0;
    // A day of trying, with a new ticket for every guess, in each quarter of an hour.
    for quarter in 0..96 {
        at.later(quarter * 900);
        for _ in 0..7 {
            let key = at.ticket().await;
            let reply = at.guess(&key, "wrong").await;
            match reply.status().as_u16() {
                401 => compared += 1,
                429 => {
                    let wait: i64 =
                        reply.headers()["retry-after"].to_str().unwrap().parse().unwrap();
                    assert!((1..=86_400).contains(&wait), "{wait}");
                    assert_eq!(ending(&reply), is(429, "too_many_attempts"));
                }
                other => panic!("{other}"),
            }
        }
    }
    // The day of the count may change once while trying.
    assert!((10..=20).contains(&compared), "{compared}");
}

#[tokio::test]
async fn d03_many_amazon_accounts_share_the_accounts_allowance() {
    let mut at = setting().await;
    let mut compared = 0;
    for number in 0..30 {
        let key = at.ticket_of(&format!("amzn1.account.X{number}"), "ann").await;
        compared += u32::from(at.guess(&key, "wrong").await.status() == 401);
    }
    assert_eq!(compared, 5);
    // d04: a quarter of an hour later the owner's own way is free again.
    at.later(900);
    let key = at.ticket().await;
    assert_eq!(at.guess(&key, RIGHT).await.status(), 303);
}

#[tokio::test]
async fn d13_a_password_that_cannot_be_one_is_wrong_without_being_hashed() {
    let at = setting().await;
    let key = at.ticket().await;
    for password in ["", &"a".repeat(1025)] {
        assert_eq!(ending(&at.guess(&key, password).await), is(401, "wrong_password"));
    }
    let huge = guess(&key, &"a".repeat(9000));
    assert_eq!(ending(&at.reply(huge).await), is(413, "too_large"));
    assert_eq!(at.attempts_left(&key).await, 3, "what is too large is not even read");
}

// Whose form it is.

#[tokio::test]
async fn d16_nobody_else_can_press_the_buttons() {
    let at = setting().await;
    let key = at.ticket().await;
    let other = at.ticket().await;
    let csrf = key.csrf().expose().to_owned();
    for (path, specimen) in [
        ("/auth/amazon/link", guess(&key, RIGHT)),
        ("/auth/amazon/link/forgot", press("link-forgot", &key)),
        ("/auth/amazon/link/cancel", press("link-cancel", &key)),
    ] {
        let with = |fields: &[(&str, &str)]| {
            let mut all = fields.to_vec();
            if path == "/auth/amazon/link" {
                all.push(("password", RIGHT));
            }
            specimen.clone().form(&all)
        };
        let ours = specimen.clone();
        for (hostile, expected) in [
            (ours.clone().header("origin", "https://evil.example"), 403),
            (ours.clone().header("origin", "null"), 403),
            (ours.clone().without_header("origin"), 403),
            (ours.clone().header("sec-fetch-site", "cross-site"), 403),
            (ours.clone().header("sec-fetch-site", "same-site"), 403),
            (with(&[]), 403),
            (with(&[("csrf", "x")]), 403),
            (with(&[("csrf", other.csrf().expose())]), 403),
            (with(&[("csrf", &csrf), ("csrf", &csrf)]), 400),
            (with(&[("csrf", &csrf), ("account_id", "bob")]), 400),
            (ours.clone().header("content-type", "text/plain"), 415),
            (ours.clone().header("content-type", "multipart/form-data; boundary=x"), 415),
            (ours.clone().method("PUT"), 405),
            (ours.clone().method("DELETE"), 405),
        ] {
            let reply = at.reply(hostile.clone()).await;
            assert_eq!(reply.status(), expected, "{path} {}", hostile.event());
        }
    }
    assert_eq!(
        at.reply(Specimen::of("link-cross-site").cookie(TICKET, &key.expose())).await.status(),
        403
    );
    assert_eq!(at.attempts_left(&key).await, 5, "none of it cost an attempt");
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
    assert_eq!(at.guess(&key, RIGHT).await.status(), 303);
}

#[tokio::test]
async fn d06_a_form_without_its_cookie_is_none_and_costs_the_owner_nothing() {
    let at = setting().await;
    let (key, thief) = (at.ticket().await, at.ticket_of("amzn1.account.THIEF", "bob").await);
    let (ticket, csrf) = (key.expose(), key.csrf().expose().to_owned());
    let stolen = guess(&key, RIGHT);
    let with = [("csrf", csrf.as_str()), ("password", RIGHT), ("ticket", ticket.as_str())];
    for (stolen, expected) in [
        (stolen.clone().without_cookie(TICKET), is(410, "ticket_expired")),
        (stolen.clone().cookie(TICKET, &thief.expose()), is(403, "csrf")),
        (
            stolen.clone().without_cookie(TICKET).query(&[("ticket", &ticket)]),
            is(410, "ticket_expired"),
        ),
        (stolen.clone().without_cookie(TICKET).form(&with), is(400, "bad_request")),
        (
            stolen
                .clone()
                .without_cookie(TICKET)
                .header("authorization", &format!("Bearer {ticket}")),
            is(410, "ticket_expired"),
        ),
        (stolen.clone().another_cookie(TICKET, &thief.expose()), is(410, "ticket_expired")),
    ] {
        assert_eq!(ending(&at.reply(stolen.clone()).await), expected, "{}", stolen.event());
    }
    for key in [&key, &thief] {
        assert_eq!(at.attempts_left(key).await, 5);
    }
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
    assert_eq!(at.guess(&key, RIGHT).await.status(), 303);
}

#[tokio::test]
async fn d09_nothing_but_the_password_can_be_said() {
    let at = setting().await;
    let key = at.ticket().await;
    let csrf = key.csrf().expose().to_owned();
    for (name, value) in [
        ("account_id", "bob"),
        ("account", "bob"),
        ("email", "bob@example.com"),
        ("user_id", "amzn1.account.OTHER"),
        ("amazon_user_id", "amzn1.account.OTHER"),
        ("ticket", "x"),
        ("purpose", "switch"),
        ("attempts_left", "99"),
        ("return_to", "//evil.example"),
        ("role", "admin"),
        ("fields", "{}"),
        ("Password", RIGHT),
        ("password[]", RIGHT),
    ] {
        let form = guess(&key, RIGHT).form(&[("csrf", &csrf), ("password", RIGHT), (name, value)]);
        assert_eq!(ending(&at.reply(form).await), is(400, "bad_request"), "{name}");
        let mut json = json!({ "csrf": csrf, "password": RIGHT });
        json[name] = value.into();
        let json = Specimen::of("link-password-json").cookie(TICKET, &key.expose()).json(&json);
        let reply = at.reply(json).await;
        assert_eq!(reply.status(), 400, "{name}");
        assert_eq!(cookie(&reply, SESSION), None);
    }
    assert_eq!(at.attempts_left(&key).await, 5);
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
}

#[tokio::test]
async fn d17_only_the_account_that_was_matched_can_be_proven() {
    let at = setting().await;
    let key = at.ticket().await;
    let csrf = key.csrf();
    let as_bob = [
        ("csrf", csrf.expose()),
        ("username", "bob@example.com"),
        ("password", "bob-local-password"),
    ];
    let reply = at.reply(guess(&key, RIGHT).form(&as_bob)).await;
    assert_eq!(ending(&reply), is(401, "wrong_password"));
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
    // The name in the form is for password managers; it decides nothing.
    let as_bob = [as_bob[0], as_bob[1], ("password", RIGHT)];
    let reply = at.reply(guess(&key, RIGHT).form(&as_bob)).await;
    assert_eq!(at.whose(&cookie(&reply, SESSION).unwrap()).await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn d12_a_wrong_password_asks_the_tables_the_same_whatever_became_of_the_account() {
    let mut asked = Vec::new();
    for change in ["", "disabled", "gone"] {
        let at = setting().await;
        let key = at.ticket().await;
        match change {
            "" => {}
            "gone" => at.stack.dynamodb.delete("accounts", &[("id", "ann")]).unwrap(),
            status => {
                at.stack.dynamodb.set("accounts", &[("id", "ann")], "status", status).unwrap();
            }
        }
        at.stack.dynamodb.reset_requests();
        at.guess(&key, "wrong").await;
        asked.push(at.stack.dynamodb.requests());
    }
    assert_eq!(asked[0].len(), 4, "{asked:?}");
    assert!(asked.iter().all(|requests| *requests == asked[0]), "{asked:?}");
}

#[tokio::test]
async fn d15_a_password_in_the_query_is_no_password() {
    let at = setting().await;
    let key = at.ticket().await;
    let specimen = Specimen::of("link").cookie(TICKET, &key.expose());
    let csrf = key.csrf();
    let reply = at.reply(specimen.query(&[("csrf", csrf.expose()), ("password", RIGHT)])).await;
    assert_eq!(ending(&reply), is(200, "ok"));
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
    let empty = at.reply(press("link-password", &key)).await;
    assert_eq!(ending(&empty), is(400, "bad_request"), "a form without a password");
}

// What changed between the question and the answer.

#[tokio::test]
async fn d19_an_account_that_was_closed_or_went_meanwhile_is_not_linked() {
    for (change, expected) in
        [("disabled", is(403, "account_closed")), ("locked", is(403, "account_closed"))]
    {
        let at = setting().await;
        let key = at.ticket().await;
        at.stack.dynamodb.set("accounts", &[("id", "ann")], "status", change).unwrap();
        assert_eq!(ending(&at.guess(&key, RIGHT).await), expected, "{change}");
        assert_eq!(at.account_of("amzn1.account.ANN").await, None);
    }
    let at = setting().await;
    let key = at.ticket().await;
    at.stack.dynamodb.delete("accounts", &[("id", "ann")]).unwrap();
    assert_eq!(ending(&at.guess(&key, RIGHT).await), is(403, "account_closed"));
    let at = setting().await;
    let key = at.ticket_of("amzn1.account.OTTO", "otto").await;
    assert_eq!(ending(&at.guess(&key, "anything").await), is(403, "no_password"));
}

#[tokio::test]
async fn e13_e14_nothing_that_is_linked_is_linked_anew() {
    let at = setting().await;
    let ann = at.ticket().await;
    assert_eq!(at.guess(&ann, RIGHT).await.status(), 303);
    // e14: another Amazon identity for the same account.
    let key = at.ticket_of("amzn1.account.OTHER", "ann").await;
    assert_eq!(ending(&at.guess(&key, RIGHT).await), is(409, "already_linked"));
    assert_eq!(at.account_of("amzn1.account.OTHER").await, None);
    // The same Amazon identity for another account.
    let key = at.ticket_of("amzn1.account.ANN", "bob").await;
    assert_eq!(ending(&at.guess(&key, "bob-local-password").await), is(409, "already_linked"));
    assert_eq!(at.account_of("amzn1.account.ANN").await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn f07_an_old_password_that_is_changed_while_it_is_compared_does_not_link() {
    let at = setting().await;
    let key = at.ticket().await;
    let argon2 = "$argon2id$v=19$m=19456,t=2,p=1$QWiN8d77n1PqXSsFYMwZAw$z8zKGE/spN8+qCIYLwMA7zxYbPyzFz7Qv/+DMapHsOA";
    let reply = changed_meanwhile(&at, &key, || {
        at.stack.dynamodb.set("accounts", &[("id", "ann")], "password_hash", argon2).unwrap();
    });
    assert_eq!(ending(&reply.await), is(400, "start_over"));
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
}

#[tokio::test]
async fn e04_a_reset_while_the_password_is_compared_ends_this_too() {
    let at = setting().await;
    let key = at.ticket().await;
    let reply = changed_meanwhile(&at, &key, || {
        let tag = SessionToken::tag_of(&AccountId::parse("ann").unwrap());
        let meta = json!({ "pk": {"S": tag}, "sk": {"S": "META"}, "epoch": {"N": "1"} });
        at.stack.dynamodb.put("sessions", &meta).unwrap();
    });
    assert_eq!(ending(&reply.await), is(400, "start_over"));
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
}

/// Guesses right, while something changes between reading the account and the last write.
async fn changed_meanwhile(at: &Setting, key: &LinkTicket, change: impl Fn()) -> Reply {
    let taken = "TransactWriteItems tickets";
    at.stack.dynamodb.fault(taken, 0, Some(1), Fault::Late(std::time::Duration::from_millis(100)));
    let change = async {
        while !at.stack.dynamodb.requests().iter().any(|request| request == taken) {
            tokio::task::yield_now().await;
        }
        change();
    };
    tokio::join!(at.guess(key, RIGHT), change).0
}

// Forgotten, and given up.

#[tokio::test]
async fn whoever_forgot_the_password_can_come_back_within_a_day() {
    let mut at = setting().await;
    let key = at.ticket().await;
    at.later(60);
    let reply = at.reply(press("link-forgot", &key)).await;
    assert_eq!(location(&reply), "https://shop.example/reset-password");
    let header = reply.headers()["set-cookie"].to_str().unwrap();
    assert!(header.starts_with(&format!("{TICKET}={}", key.expose())), "the same ticket");
    assert!(header.ends_with("; Max-Age=86340"), "{header}");

    // Pressing it again does not make it longer.
    at.later(50_000);
    at.reply(press("link-forgot", &key)).await;
    assert_eq!(at.state_of(&key).await.expires_at, Timestamp(NOON.0 + 86_400));
    at.later(86_399);
    assert_eq!(at.guess(&key, RIGHT).await.status(), 303);

    let mut at = setting().await;
    let key = at.ticket().await;
    at.later(900);
    assert_eq!(
        ending(&at.reply(press("link-forgot", &key)).await),
        is(410, "ticket_expired"),
        "too late"
    );
}

#[tokio::test]
async fn where_the_site_has_no_reset_page_there_is_no_such_button() {
    let at = setting_with(&[("PasswordResetUrl", "")]).await;
    let key = at.ticket().await;
    let page = at.reply(Specimen::of("link").cookie(TICKET, &key.expose())).await;
    assert!(!text(&page).contains("/auth/amazon/link/forgot"));
    assert_eq!(ending(&at.reply(press("link-forgot", &key)).await), is(404, "not_found"));
    let at = setting_with(&[("PasswordResetUrl", "https://id.example/reset?from=shop")]).await;
    let key = at.ticket().await;
    let reply = at.reply(press("link-forgot", &key)).await;
    assert_eq!(location(&reply), "https://id.example/reset?from=shop");
}

#[tokio::test]
async fn whoever_gives_up_is_back_at_the_sign_in_page_and_the_ticket_is_gone() {
    let at = setting().await;
    let key = at.ticket().await;
    let reply = at.reply(press("link-cancel", &key)).await;
    assert_eq!(location(&reply), "https://shop.example/sign-in");
    assert_eq!(cookie(&reply, TICKET).as_deref(), Some(""));
    assert_eq!(ending(&at.guess(&key, RIGHT).await), is(410, "ticket_expired"));
    assert_eq!(at.reply(press("link-cancel", &key)).await.status(), 303, "twice is fine");
}

// When the tables do not answer.

#[tokio::test]
async fn r13_no_fault_links_or_lets_in_and_another_try_does() {
    for call in 0..5 {
        let at = setting().await;
        let key = at.ticket().await;
        at.stack.dynamodb.fault("", call, None, Fault::Refused("ThrottlingException"));
        assert_eq!(ending(&at.guess(&key, RIGHT).await), is(503, "unavailable"), "call {call}");
        at.stack.dynamodb.clear_faults();
        assert_eq!(at.account_of("amzn1.account.ANN").await, None, "call {call}");
        assert_eq!(at.guess(&key, RIGHT).await.status(), 303, "call {call}");
    }
}

#[tokio::test]
async fn r34_a_hash_that_is_not_understood_is_no_wrong_password() {
    let at = setting().await;
    let key = at.ticket().await;
    for hash in ["{SSHA}abc", "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$aGFzaA", "plain"] {
        at.stack.dynamodb.set("accounts", &[("id", "ann")], "password_hash", hash).unwrap();
        assert_eq!(ending(&at.guess(&key, RIGHT).await), is(500, "broken"), "{hash}");
    }
}
