mod app;

use domain::{
    AmazonUserId, Clock, Email, LinkTicket, Profile, ReturnTo, SessionToken, Timestamp,
    link::Purpose,
};
use local_stack::{Options, Stack, dynamodb::Fault, specimen::Specimen};
use serde_json::{Value, json};
use web::{Reply, lambda_http::Body, reply_to};

use crate::{handler::Register, open};

const NOON: Timestamp = Timestamp(1_795_167_000);
const TICKET: &str = "__Host-lwa_ticket";
const SESSION: &str = "__Host-lwa_session";
const FIELDS: &str = r#"[
    {"name":"phone","label":{"en":"Phone","de":"Telefon"},"type":"tel","required":true,"pattern":"[0-9]{5,15}"},
    {"name":"name","label":"Name"},
    {"name":"size","label":"Size","type":"select","options":["S","M"]},
    {"name":"news","label":"News","type":"checkbox"}]"#;

struct Setting {
    stack: Stack,
    register: Register,
}

async fn setting() -> Setting {
    setting_with(&[("RegistrationFields", FIELDS)]).await
}

async fn setting_with(parameters: &[(&str, &str)]) -> Setting {
    let own = [("PublicUrl", "https://shop.example")];
    let stack = Options::with(own.iter().chain(parameters)).doors().await.unwrap();
    let mut register = open(&stack.settings("register").into_iter().collect()).await.unwrap();
    register.entrance.clock = Clock::Stopped(NOON);
    stack.dynamodb.reset_requests();
    Setting { stack, register }
}

impl Setting {
    /// A ticket of a newcomer with this address.
    async fn ticket(&self, email: Option<&str>) -> LinkTicket {
        let customer = Profile {
            user_id: AmazonUserId::parse("amzn1.account.NEW").unwrap(),
            email: email.map(|email| Email::parse(email).unwrap()),
            name: Some("Nora Amazon".into()),
            postal_code: Some("98101".into()),
        };
        let to = ReturnTo::parse("/basket").unwrap();
        let key =
            self.register.entrance.wait(Purpose::Register, &customer, &to, None).await.unwrap();
        self.stack.dynamodb.reset_requests();
        key
    }

    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.register, &specimen.event()).await.unwrap()
    }

    async fn account(&self) -> Option<String> {
        let amazon = AmazonUserId::parse("amzn1.account.NEW").unwrap();
        let found = self.register.entrance.identities.find(&amazon).await.unwrap();
        found.map(|identity| identity.account.as_str().to_owned())
    }

    async fn row(&self) -> Value {
        let id = self.account().await.unwrap();
        self.stack.dynamodb.get("accounts", &[("id", &id)]).unwrap()
    }

    async fn whose(&self, session: &str) -> Option<String> {
        let token = SessionToken::presented(session).unwrap();
        let found = self.register.entrance.sessions.find(&token).await.unwrap();
        found.map(|session| session.account.as_str().to_owned())
    }
}

fn filled(key: &LinkTicket, fields: &[(&str, &str)]) -> Specimen {
    let csrf = key.csrf();
    let mut form = vec![("csrf", csrf.expose())];
    form.extend(fields);
    Specimen::of("register-fields").cookie(TICKET, &key.expose()).form(&form)
}

fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let all = reply.headers().get_all("set-cookie").iter();
    let ours = all.filter_map(|cookie| cookie.to_str().unwrap().split_once('='));
    let value = ours.filter(|(key, _)| *key == name).map(|(_, rest)| rest.to_owned()).next();
    value.map(|rest| rest.split(';').next().unwrap().to_owned())
}

fn text(reply: &Reply) -> &str {
    match reply.body() {
        Body::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

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

#[tokio::test]
async fn the_page_asks_for_what_amazon_did_not_tell() {
    let at = setting().await;
    let key = at.ticket(Some("nora@example.com")).await;
    let reply = at.reply(Specimen::of("register").cookie(TICKET, &key.expose())).await;
    assert_eq!(ending(&reply), is(200, "ok"));
    let page = text(&reply);
    for part in ["nora@example.com", "Nora Amazon", "Phone", r#"name="phone""#, key.csrf().expose()]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains(r#"name="email""#), "Amazon's address cannot be changed");
    assert_eq!(at.stack.dynamodb.requests(), ["GetItem tickets"]);

    let without = at.ticket(None).await;
    let reply = at.reply(Specimen::of("register").cookie(TICKET, &without.expose())).await;
    assert!(text(&reply).contains(r#"name="email""#));
}

#[tokio::test]
async fn a_page_of_the_sites_own_gets_the_same_as_json() {
    let at = setting().await;
    let key = at.ticket(Some("nora@example.com")).await;
    let specimen = Specimen::of("register").cookie(TICKET, &key.expose());
    let specimen = specimen.header("accept", "application/json").header("accept-language", "de");
    let told: Value = serde_json::from_str(text(&at.reply(specimen).await)).unwrap();
    assert_eq!(told["csrf"], key.csrf().expose());
    assert_eq!(told["email"], "nora@example.com");
    assert_eq!(told["expires_at"], "2026-11-20T09:45:00Z");
    assert_eq!(
        told["fields"][0],
        json!({
            "name": "phone", "label": "Telefon", "type": "tel", "required": true,
            "pattern": "[0-9]{5,15}", "options": [], "value": "", "help": null,
            "version": null, "href": null,
        })
    );
    assert_eq!(told["fields"][1]["value"], "Nora Amazon");
}

#[tokio::test]
async fn a_newcomer_who_fills_in_the_form_gets_an_account() {
    let at = setting().await;
    let key = at.ticket(Some("Nora@Example.com")).await;

    let form = [("phone", "2065550100"), ("name", "Nora Typed"), ("size", "M"), ("news", "yes")];
    let reply = at.reply(filled(&key, &form)).await;

    let requests = at.stack.dynamodb.requests();
    assert!(requests.len() <= 6, "{requests:?}");
    assert_eq!(location(&reply), "https://shop.example/basket");
    assert_eq!(at.whose(&cookie(&reply, SESSION).unwrap()).await, at.account().await);
    assert_eq!(cookie(&reply, TICKET).as_deref(), Some(""));
    let row = at.row().await;
    for (name, value) in [
        ("email", "nora@example.com"),
        ("phone", "2065550100"),
        ("name", "Nora Typed"),
        ("size", "M"),
        ("news", "yes"),
        ("postal_code", "98101"),
    ] {
        assert_eq!(row[name]["S"], value, "{name}");
    }
    assert_eq!(row["email_verified"]["BOOL"], false);
    assert_eq!(row["password_hash"], Value::Null);
}

#[tokio::test]
async fn a_page_of_the_sites_own_registers_with_json() {
    let at = setting().await;
    let key = at.ticket(None).await;
    let specimen = Specimen::of("register-fields-json").cookie(TICKET, &key.expose());
    let csrf = key.csrf().expose().to_owned();
    let wrong = json!({ "csrf": csrf, "email": "nora", "fields": { "phone": "12", "size": "XL" } });
    let reply = at.reply(specimen.clone().json(&wrong)).await;
    let told: Value = serde_json::from_str(text(&reply)).unwrap();
    assert_eq!((reply.status().as_u16(), &told["code"]), (422, &json!("invalid_fields")));
    assert_eq!(
        told["fields"],
        json!({ "email": "invalid", "phone": "invalid", "size": "invalid" })
    );

    let right = json!({ "csrf": csrf, "email": "nora@example.com", "fields": { "phone": "12345", "news": true } });
    let reply = at.reply(specimen.json(&right)).await;
    let told: Value = serde_json::from_str(text(&reply)).unwrap();
    assert_eq!((&told["status"], &told["return_to"]), (&json!("signed_in"), &json!("/basket")));
    assert_eq!(at.row().await["news"]["S"], "yes");
    assert_eq!(at.whose(&cookie(&reply, SESSION).unwrap()).await, at.account().await);
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_the_field_and_what_was_typed_stays() {
    let at = setting().await;
    for (fields, wrong) in [
        (vec![("phone", "")], "phone"),
        (vec![("phone", "12")], "phone"),
        (vec![("phone", "12345678901234567890")], "phone"),
        (vec![("phone", "12345"), ("size", "XL")], "size"),
        (vec![("phone", "12345"), ("news", "on")], "news"),
        (vec![("phone", "12345"), ("name", "a\u{7}b")], "name"),
    ] {
        let key = at.ticket(Some("nora@example.com")).await;
        let mut form = fields.clone();
        if wrong != "name" {
            form.push(("name", "Typed Name"));
        }
        let reply = at.reply(filled(&key, &form)).await;
        assert_eq!(ending(&reply), is(422, "invalid_fields"), "{fields:?}");
        let (_, body) = text(&reply).split_once("</style>").unwrap();
        assert_eq!(body.matches("aria-invalid=\"true\"").count(), 1, "{fields:?}");
        assert!(wrong == "name" || text(&reply).contains("Typed Name"));
        assert_eq!(at.account().await, None);
    }
    let key = at.ticket(None).await;
    for email in ["", "nora", "nora@", "nora@example.com\r\nBcc: x@y"] {
        let reply = at.reply(filled(&key, &[("phone", "12345"), ("email", email)])).await;
        assert_eq!(ending(&reply), is(422, "invalid_fields"), "{email}");
    }
}

#[tokio::test]
async fn e20_nothing_but_the_fields_can_be_sent_and_amazons_address_stays() {
    let at = setting().await;
    let key = at.ticket(Some("nora@example.com")).await;
    for extra in [
        ("user_id", "amzn1.account.OTHER"),
        ("email_verified", "true"),
        ("role", "admin"),
        ("password_hash", "x"),
        ("status", "active"),
        ("id", "ann"),
        ("email", "ann@example.com"),
        ("phone", "54321"),
    ] {
        let reply = at.reply(filled(&key, &[("phone", "12345"), extra])).await;
        assert_eq!(ending(&reply), is(400, "bad_request"), "{extra:?}");
    }
    assert_eq!(at.account().await, None);
    let same = at.reply(filled(&key, &[("phone", "12345"), ("email", "NORA@example.com")])).await;
    assert_eq!(same.status(), 303, "the same address, spelled otherwise, does no harm");
}

#[tokio::test]
async fn e20_a_field_cannot_take_the_place_of_what_an_account_is() {
    let stack = Stack::doors().await.unwrap();
    let reserved = ["password_hash", "status", "id", "email_verified", "created_at", "mail"];
    for name in reserved {
        let mut settings = stack.settings("register");
        let fields = json!([{ "name": name, "label": "x" }]).to_string();
        settings.insert("REGISTRATION_FIELDS".into(), fields);
        settings.insert("ACCOUNTS_ATTRIBUTES".into(), "email=mail".into());
        let error = open(&settings.into_iter().collect()).await.err().unwrap().to_string();
        assert!(error.contains("REGISTRATION_FIELDS"), "{name}: {error}");
    }
}

#[tokio::test]
async fn e21_an_address_that_an_account_has_leads_to_the_question_for_its_password() {
    let at = setting().await;
    let key = at.ticket(None).await;
    let reply = at.reply(filled(&key, &[("phone", "12345"), ("email", "Ann@example.com")])).await;
    assert_eq!(location(&reply), "https://shop.example/auth/amazon/link");
    assert_eq!(cookie(&reply, SESSION), None);
    let link = LinkTicket::presented(&cookie(&reply, TICKET).unwrap()).unwrap();
    let ticket = at.register.entrance.tickets.find(&link).await.unwrap().unwrap();
    assert!(
        matches!(ticket.purpose, Purpose::Link { account, attempts_left: 5, .. } if account.as_str() == "ann")
    );
    assert_eq!(ticket.return_to.as_str(), "/basket");
    assert_eq!(at.account().await, None);
    assert_eq!(
        ending(&at.reply(filled(&key, &[("phone", "12345"), ("email", "x@example.com")])).await),
        is(410, "ticket_expired")
    );

    for (email, expected) in [
        ("otto@example.com", is(403, "no_password")),
        ("dora@example.com", is(403, "account_closed")),
    ] {
        let key = at.ticket(None).await;
        let reply = at.reply(filled(&key, &[("phone", "12345"), ("email", email)])).await;
        assert_eq!(ending(&reply), expected);
    }
}

#[tokio::test]
async fn an_address_that_got_an_account_while_the_form_was_filled_in_is_asked_for() {
    let at = setting().await;
    let key = at.ticket(Some("ann@example.com")).await;
    let reply = at.reply(filled(&key, &[("phone", "12345")])).await;
    assert_eq!(location(&reply), "https://shop.example/auth/amazon/link");
}

#[tokio::test]
async fn f01_register_times_register_makes_one_account() {
    let at = setting().await;
    let (one, other) =
        (at.ticket(Some("nora@example.com")).await, at.ticket(Some("nora@example.com")).await);
    let form = [("phone", "12345")];
    let replies = futures_util::future::join_all(
        [&one, &one, &other, &other].map(|key| at.reply(filled(key, &form))),
    )
    .await;
    let account = at.account().await;
    let mut inside = 0;
    for reply in &replies {
        match cookie(reply, SESSION) {
            Some(session) => {
                assert_eq!(at.whose(&session).await, account);
                inside += 1;
            }
            None => assert_eq!(ending(reply), is(410, "ticket_expired"), "a second click"),
        }
    }
    assert_eq!(inside, 2, "one for each ticket");
    let rows = at.stack.dynamodb.scan("accounts").unwrap();
    assert_eq!(rows.iter().filter(|row| row["email"]["S"] == "nora@example.com").count(), 1);
    // And a click later still finds out where the first one led.
    let session = replies.iter().find_map(|reply| cookie(reply, SESSION)).unwrap();
    let late = at.reply(filled(&one, &form).cookie(SESSION, &session)).await;
    assert_eq!(location(&late), "https://shop.example/basket");
}

#[tokio::test]
async fn d16_nobody_else_can_send_the_form() {
    let at = setting().await;
    let key = at.ticket(Some("nora@example.com")).await;
    let other = at.ticket(Some("nora@example.com")).await;
    let form = filled(&key, &[("phone", "12345")]);
    for (hostile, expected) in [
        (form.clone().header("origin", "https://evil.example"), 403),
        (form.clone().without_header("origin"), 403),
        (form.clone().header("sec-fetch-site", "cross-site"), 403),
        (form.clone().cookie(TICKET, &other.expose()), 403),
        (form.clone().form(&[("phone", "12345")]), 403),
        (form.clone().without_cookie(TICKET), 410),
        (form.clone().header("content-type", "text/plain"), 415),
        (form.clone().method("PUT"), 405),
    ] {
        assert_eq!(at.reply(hostile.clone()).await.status(), expected, "{}", hostile.event());
    }
    assert_eq!(at.account().await, None);
    assert_eq!(at.reply(form).await.status(), 303);
}

#[tokio::test]
async fn a_closed_registration_and_a_ticket_that_is_over_open_no_account() {
    let at = setting_with(&[("Registration", "closed")]).await;
    let key = at.ticket(Some("nora@example.com")).await;
    for specimen in [Specimen::of("register").cookie(TICKET, &key.expose()), filled(&key, &[])] {
        assert_eq!(ending(&at.reply(specimen).await), is(403, "registration_closed"));
    }
    let mut at = setting().await;
    let key = at.ticket(Some("nora@example.com")).await;
    at.register.entrance.clock = Clock::Stopped(Timestamp(NOON.0 + 900));
    for specimen in [
        Specimen::of("register").cookie(TICKET, &key.expose()),
        filled(&key, &[("phone", "12345")]),
    ] {
        assert_eq!(ending(&at.reply(specimen).await), is(410, "ticket_expired"));
    }
    assert_eq!(at.account().await, None);
}

#[tokio::test]
async fn r13_no_fault_opens_half_an_account_and_another_try_opens_a_whole_one() {
    for call in 0..5 {
        let at = setting().await;
        let key = at.ticket(Some("Nora@example.com")).await;
        at.stack.dynamodb.fault("", call, None, Fault::Broken);
        let form = filled(&key, &[("phone", "12345")]);
        assert_eq!(ending(&at.reply(form.clone()).await), is(503, "unavailable"), "call {call}");
        at.stack.dynamodb.clear_faults();
        let rows = at.stack.dynamodb.scan("accounts").unwrap();
        assert!(!rows.iter().any(|row| row["email"]["S"] == "nora@example.com"), "call {call}");
        assert_eq!(at.reply(form).await.status(), 303, "call {call}");
    }
}

#[tokio::test]
async fn d22_one_ticket_does_not_try_many_addresses_at_once() {
    let at = setting().await;
    let key = at.ticket(None).await;
    let addresses = ["ann@example.com", "bob@example.com", "sam@example.com", "lin@example.com"];
    let tries =
        addresses.map(|email| at.reply(filled(&key, &[("phone", "12345"), ("email", email)])));
    let mut led = 0;
    for reply in futures_util::future::join_all(tries).await {
        match reply.status().as_u16() {
            303 => led += 1,
            _ => assert_eq!(ending(&reply), is(410, "ticket_expired")),
        }
    }
    assert_eq!(led, 1);
}

#[tokio::test]
async fn a20_whoever_is_signed_in_as_somebody_else_is_not_switched_in_silence() {
    let at = setting().await;
    let (first, second) =
        (at.ticket(Some("nora@example.com")).await, at.ticket(Some("nora@example.com")).await);
    let form = [("phone", "12345")];
    assert_eq!(at.reply(filled(&first, &form)).await.status(), 303);

    let ann = domain::Account {
        id: domain::AccountId::parse("ann").unwrap(),
        email: None,
        name: None,
        status: domain::Status::Active,
        has_password: true,
    };
    let (kind, how) = (domain::session::Kind::Browser, domain::session::How::Amazon);
    let week = std::time::Duration::from_secs(604_800);
    let (token, session) =
        domain::session::Session::start(&ann, kind, how, 0, week, NOON, &mut web::rng());
    let sessions = &at.register.entrance.sessions;
    store::commit(&sessions.client, sessions.open(&token, &session).unwrap().into()).await.unwrap();

    let reply = at.reply(filled(&second, &form).cookie(SESSION, &token.expose())).await;
    assert_eq!(ending(&reply), is(400, "start_over"));
    assert_eq!(at.whose(&token.expose()).await.as_deref(), Some("ann"), "who stays who they are");
}

#[tokio::test]
async fn a_field_that_was_left_empty_stays_empty_and_what_may_not_be_copied_is_not() {
    let at = setting().await;
    let key = at.ticket(Some("nora@example.com")).await;
    assert_eq!(at.reply(filled(&key, &[("phone", "12345"), ("name", "")])).await.status(), 303);
    assert_eq!(at.row().await["name"], Value::Null);

    let at = setting_with(&[("ProfileSync", "name=never,postal_code=never")]).await;
    let key = at.ticket(Some("nora@example.com")).await;
    assert_eq!(at.reply(filled(&key, &[])).await.status(), 303);
    assert_eq!(
        (&at.row().await["name"], &at.row().await["postal_code"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn what_the_site_does_not_take_is_told_beside_the_field_and_what_was_typed_stays() {
    let parameters = [("RegistrationFields", FIELDS), ("Accounts", "webhook")];
    let at = setting_with(&parameters).await;
    let key = at.ticket(Some("nora@example.com")).await;
    let says = |fields: Value| {
        let answer = json!({ "outcome": "invalid", "fields": fields });
        let fault = local_stack::accounts::Fault::Says(answer);
        at.stack.accounts.fault("create", 0, Some(1), fault);
    };
    let form = filled(&key, &[("phone", "12345"), ("name", "Nora"), ("size", "M")]);
    says(json!({ "phone": "invalid" }));
    let reply = at.reply(form).await;
    assert_eq!(ending(&reply), is(422, "invalid_fields"));
    assert!(text(&reply).contains("id=\"field-phone-wrong\"") && text(&reply).contains("12345"));
    assert_eq!(at.account().await, None);
    // What is not asked for here, nobody can put right here.
    says(json!({ "shoe_size": "missing" }));
    let form = filled(&key, &[("phone", "12345"), ("name", "Nora"), ("size", "M")]);
    assert_eq!(ending(&at.reply(form).await), is(500, "broken"));
    let form = filled(&key, &[("phone", "12345"), ("name", "Nora"), ("size", "M")]);
    assert_eq!(at.reply(form).await.status(), 303);
    let row = at.row().await;
    assert_eq!((&row["phone"]["S"], &row["size"]["S"]), (&json!("12345"), &json!("M")));
}

#[tokio::test]
async fn a_registration_that_was_cut_off_goes_on_with_the_same_account() {
    let at = setting_with(&[("RegistrationFields", FIELDS), ("Accounts", "webhook")]).await;
    let before = at.stack.dynamodb.scan("accounts").unwrap().len();
    let key = at.ticket(Some("nora@example.com")).await;
    let form = || filled(&key, &[("phone", "12345"), ("name", "Nora")]);
    let lost = local_stack::accounts::Fault::AnswerLost;
    at.stack.accounts.fault("create", 0, Some(1), lost);
    assert_eq!(ending(&at.reply(form()).await), is(503, "unavailable"));
    let reply = at.reply(form()).await;
    assert_eq!(reply.status(), 303);
    assert!(at.whose(&cookie(&reply, SESSION).unwrap()).await.is_some());
    assert_eq!(at.stack.dynamodb.scan("accounts").unwrap().len(), before + 1);
}

#[tokio::test]
async fn a_consent_is_kept_with_the_version_that_was_shown_and_the_time() {
    let fields = r#"[{"name":"terms","label":"I agree","help":{"en":"To our terms"},"type":"checkbox",
        "required":true,"version":"2026-11","href":"/terms"},
        {"name":"news","label":"News","type":"checkbox","version":"3"}]"#;
    for accounts in ["table", "webhook"] {
        let at = setting_with(&[("RegistrationFields", fields), ("Accounts", accounts)]).await;
        let key = at.ticket(Some("nora@example.com")).await;
        let reply = at.reply(Specimen::of("register").cookie(TICKET, &key.expose())).await;
        for part in ["To our terms", "value=\"2026-11\"", "href=\"/terms\"", "field-terms-help"] {
            assert!(text(&reply).contains(part), "{part}");
        }
        assert!(!text(&reply).contains("checked"), "nobody agrees for anybody else");
        for (value, message) in
            [("", "tick this"), ("yes", "has changed"), ("2026-10", "has changed")]
        {
            let reply = at.reply(filled(&key, &[("terms", value)])).await;
            assert_eq!(ending(&reply), is(422, "invalid_fields"), "{value}");
            assert!(text(&reply).contains(message), "{value}");
        }
        assert_eq!(at.reply(filled(&key, &[("terms", "2026-11")])).await.status(), 303);
        let row = at.row().await;
        let consent =
            json!({ "version": { "S": "2026-11" }, "at": { "S": "2026-11-20T09:30:00Z" } });
        assert_eq!(row["terms"]["M"], consent);
        assert!(row["news"].is_null(), "what was not agreed to is not there");
    }
}
