mod again;
mod body;
mod codes;
mod limits;

use domain::{AmazonUserId, Clock, SessionToken, Timestamp, session::Kind};
use local_stack::{
    Options, Stack,
    amazon::{APP_CLIENT_ID, Endpoint, FOREIGN_CLIENT_ID, Fault, IOS_CLIENT_ID, SHOP_CLIENT_ID},
    dynamodb,
    specimen::Specimen,
};
use serde_json::{Value, json};
use web::{Reply, lambda_http::Body, reply_to};

use crate::{handler::Handoff, settings::open};

const NOON: Timestamp = Timestamp(1_795_167_000);
const SESSION: &str = "__Host-lwa_session";
const TICKET: &str = "__Host-lwa_ticket";

struct Setting {
    stack: Stack,
    handoff: Handoff,
}

async fn setting() -> Setting {
    setting_with(&[]).await
}

async fn setting_with(parameters: &[(&str, &str)]) -> Setting {
    let own = [("PublicUrl", "https://shop.example")];
    let stack = Options::with(own.iter().chain(parameters)).doors().await.unwrap();
    let mut handoff = open(&stack.settings("handoff").into_iter().collect()).await.unwrap();
    handoff.entrance.clock = Clock::Stopped(NOON);
    stack.dynamodb.reset_requests();
    Setting { stack, handoff }
}

impl Setting {
    fn token(&self, customer: &str) -> String {
        self.stack.amazon.token(customer, APP_CLIENT_ID, "profile postal_code")
    }

    /// An app hands over a token of this customer's.
    fn app(&self, customer: &str) -> Specimen {
        app(&self.token(customer))
    }

    /// A page of ours does.
    fn browser(&self, customer: &str) -> Specimen {
        browser(&self.token(customer))
    }

    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.handoff, &specimen.event()).await.unwrap()
    }

    /// The session that a token opens: whose it is, by account id, and what carries it.
    async fn whose(&self, session: &str) -> Option<(String, Kind)> {
        let token = SessionToken::presented(session).unwrap();
        let found = self.handoff.entrance.sessions.find(&token).await.unwrap();
        found.map(|session| (session.account.as_str().to_owned(), session.kind))
    }

    async fn account_of(&self, customer: &str) -> Option<String> {
        let id = self.stack.amazon.user_id(customer, SHOP_CLIENT_ID);
        let id = AmazonUserId::parse(&id).unwrap();
        let found = self.handoff.entrance.identities.find(&id).await.unwrap();
        found.map(|identity| identity.account.as_str().to_owned())
    }

    fn sessions(&self) -> usize {
        let rows = self.stack.dynamodb.scan("sessions").unwrap();
        rows.iter().filter(|row| row["sk"]["S"] != "META").count()
    }

    fn calls(&self, endpoint: Endpoint) -> usize {
        self.stack.amazon.calls_of(endpoint).len()
    }

    /// Nobody outside was asked anything, and no table either.
    fn asked_nobody(&self) -> bool {
        let requests = self.stack.dynamodb.requests();
        requests.is_empty()
            && self.stack.amazon.calls().is_empty()
            && self.stack.secrets.calls() == 0
    }
}

fn app(token: &str) -> Specimen {
    Specimen::of("handoff").json(&json!({ "access_token": token }))
}

fn browser(token: &str) -> Specimen {
    let body = json!({ "access_token": token, "mode": "browser" });
    Specimen::of("handoff-browser").json(&body)
}

fn told(reply: &Reply) -> Value {
    match reply.body() {
        Body::Text(text) => serde_json::from_str(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let all = reply.headers().get_all("set-cookie").iter();
    let ours = all.filter_map(|cookie| cookie.to_str().unwrap().split_once('='));
    let mut values = ours.filter(|(key, _)| *key == name).map(|(_, rest)| rest.to_owned());
    values.next().map(|rest| rest.split(';').next().unwrap().to_owned())
}

/// The session that an app was given.
fn session(reply: &Reply) -> String {
    let told = told(reply);
    told["session_token"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}

/// How a hand-off ended that opened nothing.
fn ending(reply: &Reply) -> (u16, String) {
    assert_eq!(reply.headers().get("set-cookie"), None);
    let told = told(reply);
    assert_eq!(told.get("session_token"), None);
    (reply.status().as_u16(), told["code"].as_str().unwrap().to_owned())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

// Whoever is known.

#[tokio::test]
async fn an_app_of_a_linked_customer_gets_a_session_of_its_own() {
    let at = setting().await;
    let reply = at.reply(at.app("lin")).await;
    assert_eq!(reply.status(), 200);
    let told = told(&reply);
    assert_eq!((&told["status"], &told["account"]["id"]), (&json!("signed_in"), &json!("lin")));
    assert_eq!(told["account"]["name"], "Lin Linked");
    assert_eq!(told["expires_at"], Timestamp(NOON.0 + 604_800).rfc3339());
    assert_eq!(told.as_object().unwrap().len(), 4, "and nothing else: {told}");
    assert_eq!(reply.headers().get("set-cookie"), None, "g11: the token is no cookie");
    let whose = at.whose(&session(&reply)).await;
    assert_eq!(whose, Some(("lin".to_owned(), Kind::App)));
}

#[tokio::test]
async fn a_page_of_ours_gets_a_cookie_and_never_the_token() {
    let at = setting().await;
    let reply = at.reply(at.browser("lin")).await;
    assert_eq!(reply.status(), 200);
    let told = told(&reply);
    assert_eq!(told["status"], "signed_in");
    assert_eq!(told.as_object().unwrap().len(), 3, "g11: {told}");
    let whose = at.whose(&cookie(&reply, SESSION).unwrap()).await;
    assert_eq!(whose, Some(("lin".to_owned(), Kind::Browser)));
}

#[tokio::test]
async fn a_hand_off_of_a_linked_customer_costs_six_requests_of_dynamodb_and_two_of_amazon() {
    let at = setting().await;
    at.reply(at.app("lin")).await;
    assert_eq!(
        at.stack.dynamodb.requests(),
        [
            "UpdateItem tickets",
            "UpdateItem tickets",
            "GetItem identities",
            "GetItem accounts",
            "GetItem tickets",
            "TransactWriteItems accounts,identities,sessions,tickets",
        ]
    );
    let calls = at.stack.amazon.calls();
    let [info, profile] = &calls[..] else { panic!("{calls:?}") };
    assert!(!info.overlaps(profile), "the profile is asked only when the token is ours");
    assert_eq!(at.stack.secrets.calls(), 0);
}

#[tokio::test]
async fn g01_the_tokens_of_all_our_clients_are_good() {
    let at = setting().await;
    for client in [SHOP_CLIENT_ID, APP_CLIENT_ID, IOS_CLIENT_ID] {
        let token = at.stack.amazon.token("lin", client, "profile");
        let reply = at.reply(app(&token)).await;
        assert_eq!(told(&reply)["account"]["id"], "lin", "{client}");
    }
}

// Whoever is not.

#[tokio::test]
async fn g04_an_address_that_an_account_has_leads_to_its_password() {
    for kind in [Kind::App, Kind::Browser] {
        let at = setting().await;
        let is_app = kind == Kind::App;
        let reply = at.reply(if is_app { at.app("ann") } else { at.browser("ann") }).await;
        let told = told(&reply);
        assert_eq!((reply.status().as_u16(), &told["status"]), (200, &json!("link_required")));
        assert_eq!(
            (&told["email"], &told["attempts_left"]),
            (&json!("ann@example.com"), &json!(5))
        );
        assert_eq!(told["expires_at"], Timestamp(NOON.0 + 900).rfc3339());
        assert_eq!(told["ticket"].is_string(), is_app);
        assert_eq!(told["csrf"].is_string(), !is_app);
        let key = told["ticket"].as_str().map(str::to_owned).or(cookie(&reply, TICKET)).unwrap();
        let key = domain::LinkTicket::presented(&key).unwrap();
        let ticket = at.handoff.entrance.tickets.find(&key).await.unwrap().unwrap();
        assert_eq!(ticket.kind, kind);
        assert_eq!(at.account_of("ann").await, None, "nothing is linked yet");
        assert_eq!(at.sessions(), 0);
    }
}

#[tokio::test]
async fn a_newcomer_gets_an_account_where_amazon_told_all_that_is_needed() {
    let at = setting().await;
    let reply = at.reply(at.app("nora")).await;
    let account = at.account_of("nora").await.unwrap();
    assert_eq!(told(&reply)["account"]["id"], account.as_str());
    assert_eq!(at.whose(&session(&reply)).await, Some((account, Kind::App)));
}

#[tokio::test]
async fn a_newcomer_who_must_tell_more_gets_a_ticket_to_do_so() {
    let fields = r#"[{"name":"phone","label":{"en":"Phone","de":"Telefon"},"type":"tel","required":true},
                     {"name":"name","label":"Name"}]"#;
    let at = setting_with(&[("RegistrationFields", fields)]).await;
    let reply = at.reply(at.app("nora").header("accept-language", "de")).await;
    let first = told(&reply);
    assert_eq!(first["status"], "registration_required");
    assert_eq!(first["email"], "nora@example.com");
    assert_eq!(first["fields"][0]["label"], "Telefon");
    assert_eq!(
        (&first["fields"][0]["required"], &first["fields"][0]["value"]),
        (&json!(true), &json!(""))
    );
    assert_eq!(first["fields"][1]["value"], "Nora New");
    assert!(first["ticket"].is_string() && first.get("csrf").is_none());

    let reply = at.reply(at.browser("nora")).await;
    let second = told(&reply);
    assert!(second["csrf"].is_string() && second.get("ticket").is_none());
    assert!(cookie(&reply, TICKET).is_some());

    // Amazon tells no address: one is to be typed.
    let at = setting().await;
    let third = told(&at.reply(at.app("noa")).await);
    assert_eq!(
        (&third["status"], &third["email"]),
        (&json!("registration_required"), &Value::Null)
    );
}

#[tokio::test]
async fn g04_refusals_are_those_of_the_callback() {
    for (address, expected) in [
        ("otto@example.com", is(403, "no_password")),
        ("dora@example.com", is(403, "account_closed")),
        ("kim@example.com", is(403, "account_closed")),
    ] {
        let at = setting().await;
        at.stack.amazon.change("nora", |nora| nora.email = Some(address.into()));
        assert_eq!(ending(&at.reply(at.app("nora")).await), expected, "{address}");
    }
    let at = setting_with(&[("Registration", "closed")]).await;
    assert_eq!(ending(&at.reply(at.app("nora")).await), is(403, "registration_closed"));
    let at = setting().await;
    at.stack.dynamodb.set("accounts", &[("id", "lin")], "status", "locked").unwrap();
    assert_eq!(ending(&at.reply(at.app("lin")).await), is(403, "account_closed"));
    let twin = json!({ "id": {"S": "ann2"}, "email": {"S": "ann@example.com"} });
    at.stack.dynamodb.put("accounts", &twin).unwrap();
    assert_eq!(ending(&at.reply(at.app("ann")).await), is(409, "ambiguous_email"));
}

#[tokio::test]
async fn whoever_is_signed_in_as_somebody_else_stays_so() {
    let at = setting().await;
    at.stack.link("max", "bob").await.unwrap();
    let bob = cookie(&at.reply(at.browser("max")).await, SESSION).unwrap();
    let reply = at.reply(at.browser("lin").cookie(SESSION, &bob)).await;
    assert_eq!(ending(&reply), is(409, "already_linked"));
    assert_eq!(at.whose(&bob).await, Some(("bob".to_owned(), Kind::Browser)));

    // As a newcomer they are asked first, which takes a page.
    let reply = at.reply(at.browser("nora").cookie(SESSION, &bob)).await;
    assert_eq!(told(&reply)["status"], "registration_required");
    assert_eq!(at.account_of("nora").await, None);
}

#[tokio::test]
async fn c02_the_session_that_the_browser_had_is_over() {
    let at = setting().await;
    let first = cookie(&at.reply(at.browser("lin")).await, SESSION).unwrap();
    let second = at.reply(at.browser("lin").cookie(SESSION, &first)).await;
    assert!(at.whose(&cookie(&second, SESSION).unwrap()).await.is_some());
    assert_eq!(at.whose(&first).await, None);
    assert_eq!(at.sessions(), 1);
}

// Tokens that are not Amazon's word to us.

#[tokio::test]
async fn g01_a_token_of_another_application_never_reaches_the_profile() {
    let at = setting().await;
    let token = at.stack.amazon.token("lin", FOREIGN_CLIENT_ID, "profile");
    assert_eq!(ending(&at.reply(app(&token)).await), is(401, "token_rejected"));
    let cut = &APP_CLIENT_ID[..APP_CLIENT_ID.len() - 1];
    let longer = format!("{APP_CLIENT_ID}0");
    let list = format!("{APP_CLIENT_ID},{IOS_CLIENT_ID}");
    let audiences = ["", " ", ",", cut, &longer, &APP_CLIENT_ID.to_uppercase(), &list];
    for audience in audiences {
        at.stack.amazon.fault(Endpoint::TokenInfo, Fault::set("aud", audience), Some(1));
        let reply = at.reply(at.app("lin")).await;
        assert_eq!(ending(&reply), is(401, "token_rejected"), "{audience}");
    }
    // What Amazon never says is no answer; none of these is one of ours.
    for fault in [
        Fault::set("aud", json!([APP_CLIENT_ID])),
        Fault::set("aud", json!({ "id": APP_CLIENT_ID })),
        Fault::set("aud", Value::Null),
        Fault::Without("aud".into()),
    ] {
        at.stack.amazon.fault(Endpoint::TokenInfo, fault.clone(), Some(2));
        assert_eq!(ending(&at.reply(at.app("lin")).await), is(503, "unavailable"), "{fault:?}");
        at.stack.amazon.clear_faults(Endpoint::TokenInfo);
    }
    assert_eq!((at.calls(Endpoint::Profile), at.sessions()), (0, 0));
}

#[tokio::test]
async fn g06_a_token_that_is_over_or_taken_back_is_rejected_like_any_other() {
    let at = setting().await;
    let amazon = &at.stack.amazon;
    amazon.set_clock(Clock::Stopped(NOON));
    let (over, revoked) = (at.token("lin"), at.token("ann"));
    amazon.world().revoke("ann", "amzn1.application.00112233445566778899aabbccddeeff");
    amazon.set_clock(Clock::Stopped(Timestamp(NOON.0 + 3600)));
    let unknown = "Atza|IwEBIJunk";
    let answers = [
        at.reply(app(&over)).await,
        at.reply(app(&revoked)).await,
        at.reply(app(unknown)).await,
        at.reply(app(&amazon.token("lin", FOREIGN_CLIENT_ID, "profile"))).await,
    ];
    for answer in &answers {
        assert_eq!(ending(answer), is(401, "token_rejected"));
        assert_eq!(told(answer), told(&answers[0]), "none is told from another");
    }
    assert_eq!((at.calls(Endpoint::Profile), at.sessions()), (0, 0));

    amazon.fault(Endpoint::TokenInfo, Fault::set("exp", 0), Some(1));
    assert_eq!(ending(&at.reply(at.app("lin")).await), is(401, "token_rejected"));
    amazon.fault(Endpoint::Profile, Fault::set("user_id", "amzn1.account.OTHER"), Some(1));
    assert_eq!(ending(&at.reply(at.app("lin")).await), is(401, "token_rejected"));
}

#[tokio::test]
async fn l02_r03_when_amazon_does_not_answer_nothing_comes_of_a_hand_off() {
    for endpoint in [Endpoint::TokenInfo, Endpoint::Profile] {
        for fault in [Fault::Refuse, Fault::Status(500), Fault::Redirect(302), Fault::Truncated] {
            let at = setting().await;
            at.stack.amazon.fault(endpoint, fault.clone(), None);
            let reply = at.reply(at.app("lin")).await;
            assert_eq!(ending(&reply), is(503, "unavailable"), "{endpoint:?} {fault:?}");
            assert!(reply.headers().contains_key("retry-after"));
            assert_eq!(at.sessions(), 0);
            at.stack.amazon.clear_faults(endpoint);
            assert_eq!(at.reply(at.app("lin")).await.status(), 200);
        }
    }
}

#[tokio::test]
async fn m01_r13_when_a_table_does_not_answer_nothing_comes_of_a_hand_off() {
    for call in 0..6 {
        let at = setting().await;
        let token = at.token("lin");
        at.stack.dynamodb.fault("", call, None, dynamodb::Fault::Refused("ThrottlingException"));
        let reply = at.reply(app(&token)).await;
        assert_eq!(ending(&reply), is(503, "unavailable"), "call {call}");
        at.stack.dynamodb.clear_faults();
        assert_eq!(at.reply(app(&token)).await.status(), 200, "call {call}");
        assert_eq!(at.sessions(), 1);
    }
}
