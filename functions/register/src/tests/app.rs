//! Apps, which carry their ticket themselves.

use domain::{
    AmazonUserId, Email, LinkTicket, Profile, ReturnTo, SessionToken, link::Purpose, session::Kind,
};
use local_stack::specimen::Specimen;
use serde_json::{Value, json};
use web::Reply;

use super::{SESSION, Setting, TICKET, cookie, filled, setting, setting_with, text};

impl Setting {
    /// The ticket of an app of a newcomer with this address.
    async fn apps_ticket(&self, email: Option<&str>) -> LinkTicket {
        let customer = Profile {
            user_id: AmazonUserId::parse("amzn1.account.NEW").unwrap(),
            email: email.map(|email| Email::parse(email).unwrap()),
            name: Some("Nora Amazon".into()),
            postal_code: None,
        };
        let (purpose, to) = (Purpose::Register, ReturnTo::home());
        let key = self.register.entrance.wait_for(Kind::App, purpose, &customer, &to, None);
        let key = key.await.unwrap();
        self.stack.dynamodb.reset_requests();
        key
    }
}

fn app(key: &LinkTicket, mut rest: Value) -> Specimen {
    rest["ticket"] = key.expose().into();
    Specimen::of("register-app").json(&rest)
}

fn told(reply: &Reply) -> Value {
    serde_json::from_str(text(reply)).unwrap()
}

fn ending(reply: &Reply) -> (u16, String) {
    let told = told(reply);
    assert_eq!((told.get("session_token"), cookie(reply, SESSION)), (None, None), "{told}");
    (reply.status().as_u16(), told["code"].as_str().unwrap().to_owned())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn an_app_registers_with_its_ticket_and_gets_a_session_of_its_own() {
    let at = setting().await;
    let key = at.apps_ticket(Some("nora@example.com")).await;
    let wrong = at.reply(app(&key, json!({ "fields": { "phone": "x" } }))).await;
    assert_eq!(ending(&wrong), is(422, "invalid_fields"));
    assert_eq!(told(&wrong)["fields"], json!({ "phone": "invalid" }));

    let reply =
        at.reply(app(&key, json!({ "fields": { "phone": "5550100", "news": true } }))).await;
    let told = told(&reply);
    let account = at.account().await.unwrap();
    assert_eq!((&told["status"], &told["account"]["id"]), (&json!("signed_in"), &json!(account)));
    assert_eq!(reply.headers().get("set-cookie"), None, "g11: the token is no cookie");
    let session = SessionToken::presented(told["session_token"].as_str().unwrap()).unwrap();
    let session = at.register.entrance.sessions.find(&session).await.unwrap().unwrap();
    assert_eq!((session.account.as_str(), session.kind), (account.as_str(), Kind::App));
    assert_eq!(at.row().await["phone"]["S"], "5550100");

    let again = at.reply(app(&key, json!({ "fields": { "phone": "5550100" } }))).await;
    assert_eq!(ending(&again), is(410, "ticket_expired"));
}

#[tokio::test]
async fn an_app_tells_the_address_that_amazon_did_not() {
    let at = setting_with(&[]).await;
    let key = at.apps_ticket(None).await;
    for (body, expected) in [
        (json!({}), is(422, "invalid_fields")),
        (json!({ "email": "x" }), is(422, "invalid_fields")),
    ] {
        assert_eq!(ending(&at.reply(app(&key, body.clone())).await), expected, "{body}");
    }
    let reply = at.reply(app(&key, json!({ "email": "typed@example.com", "fields": {} }))).await;
    assert_eq!(told(&reply)["status"], "signed_in");
    assert_eq!(at.row().await["email"]["S"], "typed@example.com");

    // Amazon's own stays.
    let at = setting_with(&[]).await;
    let key = at.apps_ticket(Some("nora@example.com")).await;
    let other = at.reply(app(&key, json!({ "email": "typed@example.com" }))).await;
    assert_eq!(ending(&other), is(400, "bad_request"));
}

#[tokio::test]
async fn g04_an_address_that_an_account_has_leads_an_app_to_its_password() {
    let at = setting_with(&[]).await;
    let key = at.apps_ticket(None).await;
    let reply = at.reply(app(&key, json!({ "email": "ann@example.com" }))).await;
    let told = told(&reply);
    assert_eq!(
        (&told["status"], &told["email"]),
        (&json!("link_required"), &json!("ann@example.com"))
    );
    assert!(told.get("csrf").is_none() && reply.headers().get("set-cookie").is_none());
    let link = LinkTicket::presented(told["ticket"].as_str().unwrap()).unwrap();
    let ticket = at.register.entrance.tickets.find(&link).await.unwrap().unwrap();
    assert_eq!(ticket.kind, Kind::App);
    assert_eq!(at.account().await, None);
    let again = at.reply(app(&key, json!({ "email": "nobody@example.com" }))).await;
    assert_eq!(ending(&again), is(410, "ticket_expired"), "one sign-in tries one address");
}

#[tokio::test]
async fn g11_tickets_of_apps_and_browsers_are_not_taken_for_each_other() {
    let at = setting().await;
    let key = at.apps_ticket(Some("nora@example.com")).await;
    let fields = json!({ "fields": { "phone": "5550100" } });
    for specimen in [
        filled(&key, &[("phone", "5550100")]),
        Specimen::of("register").cookie(TICKET, &key.expose()),
    ] {
        let reply = at.reply(specimen).await;
        assert!(text(&reply).contains("data-code=\"ticket_expired\""));
    }
    let browsers = at.ticket(Some("nora@example.com")).await;
    let reply = at.reply(app(&browsers, fields.clone())).await;
    assert_eq!(ending(&reply), is(410, "ticket_expired"));
    for specimen in [
        app(&key, fields.clone()).header("origin", "https://shop.example"),
        app(&key, fields.clone()).cookie("a", "b"),
    ] {
        assert_eq!(ending(&at.reply(specimen).await), is(403, "csrf"));
    }
    for extra in ["csrf", "password", "id", "account"] {
        let mut body = fields.clone();
        body[extra] = "x".into();
        assert_eq!(ending(&at.reply(app(&key, body)).await), is(400, "bad_request"), "{extra}");
    }
    assert_eq!(at.account().await, None);
    assert_eq!(at.reply(app(&key, fields)).await.status(), 200);
}

#[tokio::test]
async fn f01_an_app_that_registers_many_times_at_once_opens_one_account() {
    let at = setting().await;
    let key = at.apps_ticket(Some("nora@example.com")).await;
    let body = json!({ "fields": { "phone": "5550100" } });
    let (one, two) = tokio::join!(at.reply(app(&key, body.clone())), at.reply(app(&key, body)));
    let mut statuses = [one.status().as_u16(), two.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410]);
    let rows = at.stack.dynamodb.scan("accounts").unwrap();
    let theirs = rows.iter().filter(|row| row["email"]["S"] == "nora@example.com").count();
    assert_eq!(theirs, 1);
}
