//! Apps, which carry their ticket themselves.

use domain::{
    AccountId, Email, LinkTicket, ReturnTo, SessionToken,
    link::{ATTEMPTS, Purpose},
    session::Kind,
};
use local_stack::specimen::Specimen;
use serde_json::{Value, json};
use web::Reply;

use super::{RIGHT, SESSION, Setting, TICKET, cookie, customer, guess, press, setting, text};

impl Setting {
    /// The ticket of an app of this customer for this account's password.
    async fn apps_ticket(&self, amazon: &str, account: &str) -> LinkTicket {
        let purpose = Purpose::Link {
            account: AccountId::parse(account).unwrap(),
            email: Email::parse("ann@example.com"),
            attempts_left: ATTEMPTS,
        };
        let (customer, to) = (customer(amazon), ReturnTo::home());
        let key = self.link.entrance.wait_for(Kind::App, purpose, &customer, &to, None);
        let key = key.await.unwrap();
        self.stack.dynamodb.reset_requests();
        key
    }
}

fn app(key: &LinkTicket, password: &str) -> Specimen {
    Specimen::of("link-app").json(&json!({ "ticket": key.expose(), "password": password }))
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
async fn g04_an_app_links_with_the_password_and_gets_a_session_of_its_own() {
    let at = setting().await;
    let key = at.apps_ticket("amzn1.account.ANN", "ann").await;
    let reply = at.reply(app(&key, RIGHT)).await;
    let told = told(&reply);
    assert_eq!((&told["status"], &told["account"]["id"]), (&json!("signed_in"), &json!("ann")));
    assert_eq!(told.as_object().unwrap().len(), 4, "{told}");
    assert_eq!(reply.headers().get("set-cookie"), None, "g11: the token is no cookie");
    let session = SessionToken::presented(told["session_token"].as_str().unwrap()).unwrap();
    let session = at.link.entrance.sessions.find(&session).await.unwrap().unwrap();
    assert_eq!((session.account.as_str(), session.kind), ("ann", Kind::App));
    assert_eq!(at.account_of("amzn1.account.ANN").await.as_deref(), Some("ann"));
    // It is used up.
    assert_eq!(ending(&at.reply(app(&key, RIGHT)).await), is(410, "ticket_expired"));
}

#[tokio::test]
async fn d03_an_app_has_five_guesses_like_anybody() {
    let at = setting().await;
    let key = at.apps_ticket("amzn1.account.ANN", "ann").await;
    for left in [4, 3, 2, 1] {
        let reply = at.reply(app(&key, "wrong")).await;
        assert_eq!(ending(&reply), is(401, "wrong_password"));
        assert_eq!(told(&reply)["attempts_left"], left);
    }
    assert_eq!(ending(&at.reply(app(&key, "wrong")).await), is(410, "ticket_expired"));
    assert_eq!(ending(&at.reply(app(&key, RIGHT)).await), is(410, "ticket_expired"));
    // And the account's own limit holds for all of them together.
    let other = at.apps_ticket("amzn1.account.OTHER", "ann").await;
    assert_eq!(ending(&at.reply(app(&other, RIGHT)).await), is(429, "too_many_attempts"));
}

#[tokio::test]
async fn g11_an_apps_ticket_opens_nothing_as_a_cookie() {
    let at = setting().await;
    let key = at.apps_ticket("amzn1.account.ANN", "ann").await;
    let as_page = |reply: &Reply| text(reply).contains("data-code=\"ticket_expired\"");
    assert!(as_page(&at.guess(&key, RIGHT).await));
    let page = Specimen::of("link").cookie(TICKET, &key.expose());
    assert!(as_page(&at.reply(page).await));
    assert!(as_page(&at.reply(press("link-forgot", &key)).await));
    at.reply(press("link-cancel", &key)).await;
    let json = json!({ "csrf": key.csrf().expose(), "password": RIGHT });
    let json = Specimen::of("link-password-json").cookie(TICKET, &key.expose()).json(&json);
    assert_eq!(ending(&at.reply(json).await), is(410, "ticket_expired"));
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
    assert_eq!(at.attempts_left(&key).await, 5, "nothing was taken from it");
    assert_eq!(at.reply(app(&key, RIGHT)).await.status(), 200, "it is good where it belongs");
}

#[tokio::test]
async fn g11_a_browsers_ticket_opens_nothing_in_an_app() {
    let at = setting().await;
    let key = at.ticket().await;
    assert_eq!(ending(&at.reply(app(&key, RIGHT)).await), is(410, "ticket_expired"));
    assert_eq!(at.attempts_left(&key).await, 5);
    assert_eq!(at.account_of("amzn1.account.ANN").await, None);
    assert_eq!(at.guess(&key, RIGHT).await.status(), 303, "it is good where it belongs");
    // Used up there, it tells an app nothing more.
    assert_eq!(ending(&at.reply(app(&key, RIGHT)).await), is(410, "ticket_expired"));
}

#[tokio::test]
async fn g03_no_browser_can_send_what_an_app_sends() {
    let at = setting().await;
    let key = at.apps_ticket("amzn1.account.ANN", "ann").await;
    let good = app(&key, RIGHT);
    for specimen in [
        good.clone().header("origin", "https://shop.example"),
        good.clone().header("origin", "https://evil.example"),
        good.clone().header("origin", "null"),
        good.clone().cookie("a", "b"),
        good.clone().cookie(TICKET, &key.expose()),
    ] {
        let event = specimen.event();
        assert_eq!(ending(&at.reply(specimen).await), is(403, "csrf"), "{event}");
    }
    let ticket = key.expose();
    let csrf = key.csrf();
    for body in [
        json!({ "ticket": ticket, "password": RIGHT, "csrf": csrf.expose() }),
        json!({ "ticket": ticket, "password": RIGHT, "username": "ann" }),
        json!({ "ticket": ticket, "password": RIGHT, "account": "ann" }),
        json!({ "ticket": ticket, "password": RIGHT, "fields": { "a": "b" } }),
        json!({ "ticket": ticket }),
        json!({ "ticket": 1, "password": RIGHT }),
    ] {
        let reply = at.reply(Specimen::of("link-app").json(&body)).await;
        assert_eq!(ending(&reply), is(400, "bad_request"), "{body}");
    }
    for text in ["", "x", ".", "a.b", &ticket[1..]] {
        let body = json!({ "ticket": text, "password": RIGHT });
        let reply = at.reply(Specimen::of("link-app").json(&body)).await;
        assert_eq!(ending(&reply), is(410, "ticket_expired"), "{text}");
    }
    // As a form it is neither an app's nor a page's.
    let form = Specimen::of("link-app").form(&[("ticket", &ticket), ("password", RIGHT)]);
    assert_eq!(ending(&at.reply(form).await), is(400, "bad_request"));
    // Without a ticket an app has nothing that would make it a browser.
    let body = json!({ "password": RIGHT });
    let reply = at.reply(Specimen::of("link-app").json(&body)).await;
    assert_eq!(ending(&reply), is(403, "csrf"));
    assert!(at.stack.dynamodb.requests().is_empty());
}

#[tokio::test]
async fn a_page_that_sends_a_ticket_as_apps_do_is_refused() {
    let at = setting().await;
    let key = at.ticket().await;
    let body = json!({
        "csrf": key.csrf().expose(), "password": RIGHT, "ticket": key.expose(),
    });
    let specimen = Specimen::of("link-password-json").cookie(TICKET, &key.expose()).json(&body);
    assert_eq!(ending(&at.reply(specimen).await), is(400, "bad_request"));
    assert_eq!(at.reply(guess(&key, RIGHT)).await.status(), 303);
}
