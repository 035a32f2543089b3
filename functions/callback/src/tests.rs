mod bound;
mod wire;

use domain::{AccountId, AmazonUserId, Clock, Email, SessionToken, Timestamp};
use local_stack::{
    Options, Stack,
    amazon::{Customer, Endpoint, Fault, SHOP_CLIENT_ID, SHOP_CLIENT_SECRET},
    dynamodb,
    specimen::Specimen,
};
use serde_json::Value;
use web::{Reply, lambda_http::Body, reply_to};

use crate::{handler::Callback, settings::open};

/// When the visitor of the specimens left for Amazon.
const LEFT: Timestamp = Timestamp(1_795_167_000);
/// The state and the challenge of the specimens.
const STATE: &str = "hE3bQ4nYyqv0T2o3mJ5r7XwZs9KdLfGaBcNeMiPuRwQ";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct Setting {
    stack: Stack,
    callback: Callback,
}

async fn setting() -> Setting {
    setting_with(&[]).await
}

async fn setting_with(parameters: &[(&str, &str)]) -> Setting {
    let own = [("PublicUrl", "https://shop.example")];
    let stack = Options::with(own.iter().chain(parameters)).doors().await.unwrap();
    let mut callback = open(&stack.settings("callback").into_iter().collect()).await.unwrap();
    callback.entrance.clock = Clock::Stopped(LEFT);
    stack.dynamodb.reset_requests();
    Setting { stack, callback }
}

impl Setting {
    async fn reply(&self, specimen: Specimen) -> Reply {
        reply_to(&self.callback, &specimen.event()).await.unwrap()
    }

    /// This customer comes back from Amazon.
    fn back(&self, customer: &str) -> Specimen {
        self.back_sharing(customer, "profile postal_code")
    }

    fn back_sharing(&self, customer: &str, scope: &str) -> Specimen {
        let uri = "https://shop.example/auth/amazon/callback";
        let challenge = Some((CHALLENGE, "S256"));
        let code = self.stack.amazon.consent(customer, SHOP_CLIENT_ID, uri, scope, challenge);
        Specimen::of("callback").query(&[("code", &code), ("scope", scope), ("state", STATE)])
    }

    /// A second visit of a customer, in the same browser: another tab's sign-in.
    fn back_again(&self, customer: &str, session: &str) -> Specimen {
        let other = STATE.replace("hE3b", "hE3c");
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let entry = format!("{other}.{verifier}.{}.L2FjY291bnQ", LEFT.0);
        let specimen = self.back(customer);
        let code = specimen.query_of("code");
        let specimen = specimen.query(&[("code", &code), ("state", &other)]);
        specimen.cookie("__Host-lwa_login", &entry).cookie("__Host-lwa_session", session)
    }

    fn amazon_id(&self, customer: &str) -> AmazonUserId {
        AmazonUserId::parse(&self.stack.amazon.user_id(customer, SHOP_CLIENT_ID)).unwrap()
    }

    async fn account_of(&self, customer: &str) -> Option<String> {
        let found = self.callback.entrance.identities.find(&self.amazon_id(customer)).await;
        found.unwrap().map(|identity| identity.account.as_str().to_owned())
    }

    /// Whose session this is, by account id.
    async fn whose(&self, session: &str) -> Option<String> {
        let token = SessionToken::presented(session).unwrap();
        let found = self.callback.entrance.sessions.find(&token).await.unwrap();
        found.map(|session| session.account.as_str().to_owned())
    }

    async fn row(&self, account: &str) -> serde_json::Value {
        self.stack.dynamodb.get("accounts", &[("id", account)]).unwrap()
    }

    /// Lets the specimens' state be used once more.
    fn forget_states(&self) {
        for row in self.stack.dynamodb.scan("tickets").unwrap() {
            let text = |name: &str| row[name]["S"].as_str().unwrap().to_owned();
            let (pk, sk) = (text("pk"), text("sk"));
            self.stack.dynamodb.delete("tickets", &[("pk", &pk), ("sk", &sk)]).unwrap();
        }
    }

    fn amazon_calls(&self) -> usize {
        self.stack.amazon.calls().len()
    }
}

fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let all = reply.headers().get_all("set-cookie").iter();
    let ours = all.filter_map(|cookie| cookie.to_str().unwrap().split_once('='));
    let value =
        ours.filter(|(key, _)| *key == name).map(|(_, rest)| rest.split(';').next().unwrap());
    let values: Vec<_> = value.map(str::to_owned).collect();
    assert!(values.len() < 2, "{name} is set twice");
    values.into_iter().next()
}

fn session(reply: &Reply) -> String {
    cookie(reply, "__Host-lwa_session").unwrap_or_else(|| panic!("{reply:?}"))
}

fn location(reply: &Reply) -> &str {
    reply.headers()["location"].to_str().unwrap()
}

fn page(reply: &Reply) -> &str {
    match reply.body() {
        Body::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

/// The code of the page that a failure ends in.
fn code(reply: &Reply) -> String {
    assert_eq!(cookie(reply, "__Host-lwa_session"), None, "a failure opens no session");
    let (_, rest) = page(reply).split_once("<main data-code=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

// A customer who was linked earlier.

#[tokio::test]
async fn a_linked_customer_enters_and_lands_where_they_were_going() {
    let at = setting().await;

    let reply = at.reply(at.back("lin")).await;

    assert_eq!(reply.status(), 303);
    assert_eq!(location(&reply), "https://shop.example/basket");
    let header = reply.headers()["set-cookie"].to_str().unwrap();
    assert!(
        header.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=604800"),
        "{header}"
    );
    assert_eq!(at.whose(&session(&reply)).await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn a_linked_customer_costs_four_requests_of_dynamodb_and_three_of_amazon() {
    let at = setting().await;
    at.reply(at.back("lin")).await;
    assert_eq!(
        at.stack.dynamodb.requests(),
        [
            "PutItem tickets",
            "GetItem identities",
            "GetItem accounts",
            "TransactWriteItems accounts,identities,sessions"
        ]
    );
    let calls = at.stack.amazon.calls();
    let [token, info, profile] = &calls[..] else { panic!("{calls:?}") };
    assert!(
        token.fields.contains(&"client_secret".to_owned())
            && token.fields.contains(&"code_verifier".to_owned())
    );
    assert!(!info.overlaps(token) && !profile.overlaps(token));
}

#[tokio::test]
async fn e07_e12_a_link_wins_over_an_address_that_another_account_has() {
    let at = setting().await;
    at.stack.amazon.change("lin", |lin| lin.email = Some("ann@example.com".into()));
    let reply = at.reply(at.back("lin")).await;
    assert_eq!(at.whose(&session(&reply)).await.as_deref(), Some("lin"));
    // e07: and Amazon's address never becomes the account's.
    assert_eq!(at.row("lin").await["email"]["S"], "lin@example.com");
    let identity = at.callback.entrance.identities.find(&at.amazon_id("lin")).await.unwrap();
    assert_eq!(identity.unwrap().amazon_email, Email::parse("ann@example.com"));
}

#[tokio::test]
async fn a17_a_linked_customer_enters_whatever_else_amazon_shares() {
    let at = setting().await;
    let reply = at.reply(at.back_sharing("lin", "profile:user_id")).await;
    assert_eq!(at.whose(&session(&reply)).await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn what_the_account_lacks_is_filled_in_and_what_it_has_stays() {
    let at = setting().await;
    at.stack.amazon.change("lin", |lin| lin.name = Some("Someone Else".into()));
    at.stack.amazon.change("lin", |lin| lin.postal_code = Some("98109".into()));
    at.reply(at.back("lin")).await;
    let row = at.row("lin").await;
    assert_eq!(row["name"]["S"], "Lin Linked");
    assert_eq!(row["postal_code"]["S"], "98109");
    assert_eq!(at.stack.dynamodb.requests().len(), 4);

    let at = setting_with(&[("ProfileSync", "name=never,postal_code=never")]).await;
    at.stack.dynamodb.set("accounts", &[("id", "lin")], "name", Value::Null).unwrap();
    at.reply(at.back("lin")).await;
    let row = at.row("lin").await;
    assert_eq!((&row["name"], &row["postal_code"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_persons_own_edit_always_wins() {
    let sync = ("ProfileSync", "name=always,postal_code=always");
    for parameters in [vec![sync], vec![sync, ("Accounts", "webhook")]] {
        let at = setting_with(&parameters).await;
        let edit = |name: Value| {
            at.stack.dynamodb.set("accounts", &[("id", "lin")], "name", name).unwrap();
        };
        let told = async |name: &str, code: &str| {
            let (name, code) = (name.to_owned(), code.to_owned());
            at.stack.amazon.change("lin", |lin| {
                lin.name = Some(name);
                lin.postal_code = Some(code);
            });
            assert_eq!(at.reply(at.back("lin")).await.status(), 303);
            at.forget_states();
            let row = at.row("lin").await;
            (row["name"]["S"].as_str().map(str::to_owned), row["postal_code"]["S"].clone())
        };
        // What was there before us is its owner's; what was not is filled in, and followed …
        assert_eq!(told("A", "1").await, (Some("Lin Linked".into()), "1".into()));
        assert_eq!(told("B", "2").await, (Some("Lin Linked".into()), "2".into()));
        // … and an empty name is filled in only if nobody emptied it after us.
        edit(Value::Null);
        assert_eq!(told("C", "2").await.0.as_deref(), Some("C"));
        assert_eq!(told("D", "2").await.0.as_deref(), Some("D"));
        edit("Lin's own".into());
        assert_eq!(told("E", "2").await.0.as_deref(), Some("Lin's own"));
        edit(Value::Null);
        assert_eq!(told("F", "2").await.0, None);
    }
}

#[tokio::test]
async fn what_the_owner_saves_while_they_sign_in_is_not_overwritten() {
    let at = setting().await;
    let late = dynamodb::Fault::Late(std::time::Duration::from_millis(300));
    at.stack.dynamodb.fault("GetItem accounts", 0, Some(1), late);
    at.stack.amazon.change("lin", |lin| lin.postal_code = Some("98109".into()));
    let (reply, ()) = tokio::join!(at.reply(at.back("lin")), async {
        while !at.stack.dynamodb.requests().iter().any(|request| request == "GetItem accounts") {
            tokio::task::yield_now().await;
        }
        at.stack.dynamodb.set("accounts", &[("id", "lin")], "postal_code", "10115").unwrap();
    });
    assert_eq!(reply.status(), 303);
    assert_eq!(at.row("lin").await["postal_code"]["S"], "10115");
}

#[tokio::test]
async fn e22_a_closed_account_is_not_entered() {
    for status in ["disabled", "locked", "LOCKED", "banned"] {
        let at = setting().await;
        at.stack.dynamodb.set("accounts", &[("id", "lin")], "status", status).unwrap();
        let reply = at.reply(at.back("lin")).await;
        assert_eq!(
            (reply.status().as_u16(), code(&reply).as_str()),
            (403, "account_closed"),
            "{status}"
        );
    }
}

#[tokio::test]
async fn e19_a_link_to_an_account_that_has_gone_leads_nowhere() {
    let at = setting().await;
    at.stack.dynamodb.delete("accounts", &[("id", "lin")]).unwrap();
    let reply = at.reply(at.back("lin")).await;
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (403, "account_closed"));
    assert_eq!(at.account_of("lin").await.as_deref(), Some("lin"), "and stays as it is");
}

#[tokio::test]
async fn e03_a_link_that_must_be_proven_again_asks_for_that_accounts_password() {
    let at = setting().await;
    let key = format!("AMAZON#{}", at.amazon_id("lin").as_str());
    at.stack.dynamodb.set("identities", &[("pk", &key)], "prove_again", true).unwrap();
    let reply = at.reply(at.back("lin")).await;
    assert_eq!(location(&reply), "https://shop.example/auth/amazon/link");
    assert_eq!(cookie(&reply, "__Host-lwa_session"), None);
}

// A customer whose address an account has.

#[tokio::test]
async fn e01_an_address_that_an_account_has_leads_to_the_question_for_its_password() {
    for address in ["ann@example.com", "Ann@Example.COM"] {
        let at = setting().await;
        at.stack.amazon.change("ann", |ann| ann.email = Some(address.into()));
        let reply = at.reply(at.back("ann")).await;
        assert_eq!(reply.status(), 303);
        assert_eq!(location(&reply), "https://shop.example/auth/amazon/link");
        assert_eq!(cookie(&reply, "__Host-lwa_session"), None);
        let ticket = cookie(&reply, "__Host-lwa_ticket").unwrap();
        let ticket = domain::LinkTicket::presented(&ticket).unwrap();
        let ticket = at.callback.entrance.tickets.find(&ticket).await.unwrap().unwrap();
        let account = AccountId::parse("ann").unwrap();
        assert_eq!(
            ticket.purpose,
            domain::link::Purpose::Link {
                account,
                email: Email::parse("ann@example.com"),
                attempts_left: 5
            }
        );
        assert_eq!(ticket.return_to.as_str(), "/basket");
        assert_eq!(at.account_of("ann").await, None, "nothing is linked yet");
    }
}

#[tokio::test]
async fn d11_an_account_that_cannot_be_proven_is_not_asked_for_a_password() {
    for (address, status, expected) in [
        ("otto@example.com", 403, "no_password"),
        ("bob@example.com", 403, "no_password"),
        ("dora@example.com", 403, "account_closed"),
        ("kim@example.com", 403, "account_closed"),
    ] {
        let at = setting().await;
        at.stack.dynamodb.set("accounts", &[("id", "bob")], "password_hash", "!unusable").unwrap();
        at.stack.amazon.change("nora", |nora| nora.email = Some(address.into()));
        let reply = at.reply(at.back("nora")).await;
        assert_eq!(
            (reply.status().as_u16(), code(&reply).as_str()),
            (status, expected),
            "{address}"
        );
        assert_eq!(at.account_of("nora").await, None);
    }
}

#[tokio::test]
async fn two_accounts_with_one_address_are_for_the_site_to_resolve() {
    let at = setting().await;
    at.stack
        .dynamodb
        .put(
            "accounts",
            &serde_json::json!({ "id": {"S": "ann2"}, "email": {"S": "ann@example.com"} }),
        )
        .unwrap();
    let reply = at.reply(at.back("ann")).await;
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (409, "ambiguous_email"));
}

#[tokio::test]
async fn the_sites_own_link_page_is_used_where_there_is_one() {
    let at = setting_with(&[
        ("LinkPagePath", "/my/link"),
        ("RegisterPagePath", "/my/register"),
        ("SignedInPath", "/hello"),
    ])
    .await;
    let reply = at.reply(at.back("ann")).await;
    assert_eq!(location(&reply), "https://shop.example/my/link");
    let at = setting_with(&[("RegisterPagePath", "/my/register")]).await;
    let reply = at.reply(at.back("noa")).await;
    assert_eq!(location(&reply), "https://shop.example/my/register");
    let at = setting_with(&[("SignedInPath", "/hello")]).await;
    let reply = at.reply(at.back("lin")).await;
    assert_eq!(location(&reply), "https://shop.example/hello?return_to=%2Fbasket");
}

// A newcomer.

#[tokio::test]
async fn e18_a_newcomer_gets_an_account_at_once() {
    let at = setting().await;
    at.stack.amazon.change("nora", |nora| nora.email = Some("Nora@Example.com".into()));

    let reply = at.reply(at.back("nora")).await;

    let requests = at.stack.dynamodb.requests();
    assert!(requests.len() <= 6, "{requests:?}");
    assert_eq!(location(&reply), "https://shop.example/basket");
    let account = at.whose(&session(&reply)).await.unwrap();
    assert_eq!(at.account_of("nora").await.as_deref(), Some(account.as_str()));
    let row = at.row(&account).await;
    assert_eq!(row["email"]["S"], "nora@example.com");
    assert_eq!(row["email_verified"]["BOOL"], false);
    assert_eq!(row["postal_code"]["S"], "98101");
    assert!(row["name"]["S"].is_string());
    assert_eq!(row["password_hash"], serde_json::Value::Null, "no password, not even a blank one");
}

#[tokio::test]
async fn a_newcomer_is_known_the_next_time() {
    let at = setting().await;
    let first = at.reply(at.back("nora")).await;
    let second = at.reply(at.back_again("nora", &session(&first))).await;
    assert_eq!(location(&second), "https://shop.example/account");
    assert_eq!(at.whose(&session(&second)).await, at.account_of("nora").await);
}

#[tokio::test]
async fn a17_a_newcomer_without_an_address_or_a_needed_field_is_asked() {
    for customer in ["noa", "ida"] {
        let at = setting().await;
        let reply = at.reply(at.back(customer)).await;
        assert_eq!(location(&reply), "https://shop.example/auth/amazon/register", "{customer}");
        assert_eq!(at.account_of(customer).await, None);
    }
    let phone = r#"[{"name":"phone","label":"Phone","type":"tel","required":true}]"#;
    let at = setting_with(&[("RegistrationFields", phone)]).await;
    let reply = at.reply(at.back("nora")).await;
    assert_eq!(location(&reply), "https://shop.example/auth/amazon/register");

    let known = r#"[{"name":"postal_code","label":"ZIP","required":true},{"name":"phone","label":"Phone"}]"#;
    let at = setting_with(&[("RegistrationFields", known)]).await;
    let reply = at.reply(at.back("nora")).await;
    assert_eq!(location(&reply), "https://shop.example/basket", "all that is needed is known");
}

#[tokio::test]
async fn what_amazon_told_must_fit_the_sites_own_pattern() {
    let letters = r#"[{"name":"postal_code","label":"Code","required":true,"pattern":"[A-Z]{3}"}]"#;
    let at = setting_with(&[("RegistrationFields", letters)]).await;
    let reply = at.reply(at.back("nora")).await;
    assert_eq!(location(&reply), "https://shop.example/auth/amazon/register");

    let optional = r#"[{"name":"postal_code","label":"Code","pattern":"[A-Z]{3}"}]"#;
    let at = setting_with(&[("RegistrationFields", optional), ("ProfileSync", "name=never")]).await;
    let reply = at.reply(at.back("nora")).await;
    let row = at.row(&at.whose(&session(&reply)).await.unwrap()).await;
    let none = serde_json::Value::Null;
    assert_eq!((&row["postal_code"], &row["name"]), (&none, &none), "nor is anything else copied");
}

#[tokio::test]
async fn e26_where_registration_is_closed_only_newcomers_stay_out() {
    let closed = [("Registration", "closed")];
    let at = setting_with(&closed).await;
    let reply = at.reply(at.back("nora")).await;
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (403, "registration_closed"));
    assert_eq!(at.account_of("nora").await, None);
    let at = setting_with(&closed).await;
    assert_eq!(at.reply(at.back("lin")).await.status(), 303);
    let at = setting_with(&closed).await;
    assert_eq!(location(&at.reply(at.back("ann")).await), "https://shop.example/auth/amazon/link");
}

#[tokio::test]
async fn f01_a_newcomer_who_comes_back_in_many_tabs_at_once_gets_one_account() {
    let at = setting().await;
    let specimens: Vec<Specimen> = (10..30)
        .map(|tab| {
            let state = STATE.replace("hE3b", &format!("hE{tab}"));
            let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
            let specimen = at.back("nora");
            let code = specimen.query_of("code");
            let entry = format!("{state}.{verifier}.{}.L2Jhc2tldA", LEFT.0);
            specimen.query(&[("code", &code), ("state", &state)]).cookie("__Host-lwa_login", &entry)
        })
        .collect();
    let replies =
        futures_util::future::join_all(specimens.into_iter().map(|it| at.reply(it))).await;
    let account = at.account_of("nora").await;
    for reply in &replies {
        assert_eq!(at.whose(&session(reply)).await, account);
    }
    let accounts = at.stack.dynamodb.scan("accounts").unwrap();
    assert_eq!(accounts.iter().filter(|row| row["email"]["S"] == "nora@example.com").count(), 1);
}

#[tokio::test]
async fn f01_a_newcomer_whose_account_is_opened_in_another_tab_meanwhile_enters_it() {
    let at = setting().await;
    // The answer that there is no link is on its way while the other tab's sign-in is finished.
    let late = dynamodb::Fault::Late(std::time::Duration::from_millis(500));
    at.stack.dynamodb.fault("GetItem identities", 0, Some(1), late);
    let asked = |request: &String| request == "GetItem identities";
    let (slow, quick) = tokio::join!(at.reply(at.back("nora")), async {
        while !at.stack.dynamodb.requests().iter().any(asked) {
            tokio::task::yield_now().await;
        }
        at.reply(at.back_again("nora", "")).await
    });
    let account = at.account_of("nora").await;
    assert_eq!(at.whose(&session(&quick)).await, account);
    assert_eq!(at.whose(&session(&slow)).await, account);
}

#[tokio::test]
async fn e05_f02_two_customers_with_one_address_do_not_share_an_account() {
    let at = setting().await;
    at.stack.amazon.change("max", |max| max.email = Some("nora@example.com".into()));
    at.reply(at.back("nora")).await;
    let reply = at.reply(at.back_again("max", "")).await;
    // The account has no password, so nothing but its own link leads into it.
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (403, "no_password"));
    assert_eq!(at.account_of("max").await, None);
}

#[tokio::test]
async fn an_address_that_a_vanished_account_had_claimed_is_free_again() {
    let at = setting().await;
    at.reply(at.back("nora")).await;
    let gone = at.account_of("nora").await.unwrap();
    at.stack.dynamodb.delete("accounts", &[("id", &gone)]).unwrap();
    at.stack.amazon.change("max", |max| max.email = Some("nora@example.com".into()));
    let reply = at.reply(at.back_again("max", "")).await;
    assert_eq!(location(&reply), "https://shop.example/account");
    assert_ne!(at.account_of("max").await.unwrap(), gone);
}

// The browser.

#[tokio::test]
async fn a01_a03_a_sign_in_that_began_in_another_browser_ends_here() {
    let at = setting().await;
    for specimen in [
        at.back("lin").without_cookie("__Host-lwa_login"),
        at.back("lin").cookie("__Host-lwa_login", ""),
        at.back("lin").query(&[("code", "AN1")]),
        at.back("lin").query(&[("state", STATE)]).without_cookie("__Host-lwa_login"),
        Specimen::of("callback-another-browser"),
    ] {
        let reply = at.reply(specimen).await;
        assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (400, "start_over"));
    }
    assert_eq!(at.amazon_calls(), 0);
    assert!(at.stack.dynamodb.requests().is_empty(), "a stranger uses up nobody's sign-in");
    assert_eq!(at.reply(at.back("lin")).await.status(), 303, "which still works");
}

#[tokio::test]
async fn a02_a_state_that_differs_in_one_character_is_another_one() {
    let at = setting().await;
    let mut tried = 0;
    for place in 0..STATE.len() {
        for other in ["A", "b", "-", "%00", ""] {
            let forged = format!("{}{other}{}", &STATE[..place], &STATE[place + 1..]);
            if forged == STATE {
                continue;
            }
            let specimen = at.back("lin").raw_query(&format!("code=ANx&state={forged}"));
            let reply = at.reply(specimen).await;
            assert_eq!(code(&reply), "start_over", "{forged}");
            tried += 1;
        }
    }
    assert!(tried >= 200, "{tried}");
    assert_eq!(at.amazon_calls(), 0);
    assert!(at.stack.dynamodb.requests().is_empty());
}

#[tokio::test]
async fn a05_the_same_callback_does_nothing_the_second_time() {
    let at = setting().await;
    let back = at.back("lin");
    let first = at.reply(back.clone()).await;
    let again = at.reply(back.clone()).await;
    assert_eq!((again.status().as_u16(), code(&again).as_str()), (400, "start_over"));
    assert!(page(&again).contains("return_to=%2Fbasket"), "another try leads on");

    let reloaded = at.reply(back.cookie("__Host-lwa_session", &session(&first))).await;
    assert_eq!(location(&reloaded), "https://shop.example/basket", "who is signed in goes on");
    assert_eq!(at.stack.amazon.calls_of(Endpoint::Token).len(), 1);
}

#[tokio::test]
async fn a05_of_fifty_equal_callbacks_at_once_one_goes_on() {
    let at = setting().await;
    let back = at.back("lin");
    let replies = futures_util::future::join_all((0..50).map(|_| at.reply(back.clone()))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status() == 303).count(), 1);
    assert_eq!(at.stack.amazon.calls_of(Endpoint::Token).len(), 1);
}

#[tokio::test]
async fn a06_a_visitor_may_stay_at_amazon_for_ten_minutes() {
    for (seconds, status) in [(599, 303), (600, 400), (601, 400)] {
        let mut at = setting().await;
        at.callback.entrance.clock = Clock::Stopped(Timestamp(LEFT.0 + seconds));
        let reply = at.reply(at.back("lin")).await;
        assert_eq!(reply.status(), status, "after {seconds} s");
        assert_eq!(at.amazon_calls() > 0, status == 303);
    }
}

#[tokio::test]
async fn a12_whoever_says_no_at_amazon_is_back_at_the_sign_in_page() {
    let at = setting().await;
    let reply = at.reply(Specimen::of("callback-cancelled")).await;
    assert_eq!(location(&reply), "https://shop.example/sign-in?amazon=cancelled");
    assert_eq!(cookie(&reply, "__Host-lwa_session"), None);
    assert_eq!(at.amazon_calls(), 0);
}

#[tokio::test]
async fn a12_amazons_words_for_errors_are_not_repeated() {
    for (error, status, expected) in [
        ("invalid_request", 400, "start_over"),
        ("invalid_scope", 400, "start_over"),
        ("unauthorized_client", 400, "start_over"),
        ("unsupported_response_type", 400, "start_over"),
        ("server_error", 503, "unavailable"),
        ("temporarily_unavailable", 503, "unavailable"),
        ("<script>alert(1)</script>", 400, "start_over"),
    ] {
        let at = setting().await;
        let query = [
            ("error", error),
            ("error_description", "<b>CANARY</b>"),
            ("error_uri", "https://evil.example"),
            ("state", STATE),
        ];
        let reply = at.reply(Specimen::of("callback").query(&query)).await;
        assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (status, expected), "{error}");
        assert!(!page(&reply).contains("CANARY") && !page(&reply).contains("evil.example"));
        assert!(!page(&reply).contains("<script"));
    }
}

#[tokio::test]
async fn a13_a_callback_that_says_two_things_is_refused() {
    let at = setting().await;
    let long = "A".repeat(1025);
    for query in [
        format!("code=A&code=B&state={STATE}"),
        format!("code=A&Code=B&state={STATE}"),
        format!("code=A&code[]=B&state={STATE}"),
        format!("code=A&state={STATE}&state={STATE}"),
        format!("code=A&error=access_denied&state={STATE}"),
        format!("code=&state={STATE}"),
        format!("code={long}&state={STATE}"),
        format!("code=A%0aB&state={STATE}"),
        format!("code=A%20B&state={STATE}"),
        format!("code=%c3%a9&state={STATE}"),
        format!("code=A&state={STATE}&access_token=Atza%7CCANARY"),
        format!("code=A&state={STATE}&iss=https%3A%2F%2Fevil.example"),
    ] {
        let reply = at.reply(Specimen::of("callback").raw_query(&query)).await;
        assert_eq!(
            (reply.status().as_u16(), code(&reply).as_str()),
            (400, "bad_request"),
            "{query}"
        );
    }
    assert_eq!(at.reply(Specimen::of("callback-code-twice")).await.status(), 400);
    assert_eq!(at.amazon_calls(), 0);
    assert!(at.stack.dynamodb.requests().is_empty());
}

#[tokio::test]
async fn a11_only_amazons_own_answer_counts_and_no_region_that_a_caller_names() {
    let at = setting().await;
    let back = at.back("lin");
    let code = back.query_of("code");
    for issuer in ["https://evil.example", "https://www.amazon.com.evil.example", "", "amazon"] {
        let query = [("code", code.as_str()), ("state", STATE), ("iss", issuer)];
        let reply = at.reply(back.clone().query(&query)).await;
        assert_eq!((reply.status().as_u16(), self::code(&reply)), (400, "bad_request".to_owned()));
    }
    assert_eq!(at.amazon_calls(), 0);
    let query = [
        ("code", code.as_str()),
        ("state", STATE),
        ("iss", "https://www.amazon.com"),
        ("region", "eu"),
        ("api", "http://169.254.169.254"),
    ];
    let reply = at.reply(back.query(&query)).await;
    assert_eq!(at.whose(&session(&reply)).await.as_deref(), Some("lin"));
    assert_eq!(at.amazon_calls(), 3, "of the Amazon that the settings name");
}

#[tokio::test]
async fn a14_a_code_is_1_to_1024_visible_characters() {
    let at = setting().await;
    let visible: Vec<_> = (0x21..=0x7e_u8).map(|byte| format!("A{}", char::from(byte))).collect();
    let longest = ["A".to_owned(), "A".repeat(1024)];
    for (number, code) in visible.iter().chain(&longest).enumerate() {
        let state = STATE.replace("hE3b", &format!("h{number:03}"));
        let entry = format!("{state}.{STATE}.{}.Lw", LEFT.0);
        let specimen = Specimen::of("callback").query(&[("code", code), ("state", &state)]);
        let reply = at.reply(specimen.cookie("__Host-lwa_login", &entry)).await;
        assert_eq!(self::code(&reply), "start_over", "{code}");
        assert_eq!(at.amazon_calls(), number + 1, "Amazon decides about {code}");
    }
    let calls = at.amazon_calls();
    at.stack.dynamodb.reset_requests();
    let others = (0..=0x20).chain(0x7f..=0xff).map(|byte: u8| format!("A%{byte:02x}"));
    let lengths = [String::new(), "A".repeat(1025), "A".repeat(9000)];
    for code in others.chain(lengths) {
        let specimen = at.back("lin").raw_query(&format!("code={code}&state={STATE}"));
        let reply = at.reply(specimen).await;
        assert_eq!(self::code(&reply), "bad_request", "{code}");
    }
    assert_eq!(at.amazon_calls(), calls);
    assert!(at.stack.dynamodb.requests().is_empty());
}

#[tokio::test]
async fn a15_a_token_in_the_address_is_refused_and_uses_nothing_up() {
    let at = setting().await;
    let back = at.back("lin");
    let code = back.query_of("code");
    for query in [
        format!("access_token=Atza%7CCANARY&state={STATE}"),
        format!("code={code}&access_token=Atza%7CCANARY&state={STATE}&token_type=bearer"),
        format!("code={code}&access_token=&state={STATE}"),
    ] {
        let reply = at.reply(back.clone().raw_query(&query)).await;
        assert_eq!((reply.status().as_u16(), self::code(&reply)), (400, "bad_request".to_owned()));
        assert!(!page(&reply).contains("CANARY"));
    }
    assert_eq!(at.amazon_calls(), 0);
    assert!(at.stack.dynamodb.requests().is_empty());
    assert_eq!(at.reply(back).await.status(), 303, "the sign-in itself goes on");
}

// Somebody who is signed in.

#[tokio::test]
async fn c02_whoever_signs_in_again_gets_a_new_session_and_loses_the_old_one() {
    let at = setting().await;
    let first = session(&at.reply(at.back("lin")).await);
    at.stack.dynamodb.reset_requests();
    let second = session(&at.reply(at.back_again("lin", &first)).await);
    assert_ne!(first, second);
    assert_eq!(at.whose(&first).await, None);
    assert_eq!(at.whose(&second).await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn c01_a_session_cookie_that_was_planted_is_never_adopted() {
    let at = setting().await;
    let planted = SessionToken::open(&AccountId::parse("lin").unwrap(), &mut web::rng()).expose();
    let reply = at.reply(at.back_again("lin", &planted)).await;
    assert_ne!(session(&reply), planted);
    assert_eq!(at.whose(&planted).await, None);
}

#[tokio::test]
async fn a20_whoever_is_signed_in_as_somebody_else_is_asked_first() {
    let at = setting().await;
    let nora = session(&at.reply(at.back("nora")).await);
    let reply = at.reply(at.back_again("lin", &nora)).await;
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (200, "ok"));
    assert!(at.whose(&nora).await.is_some(), "the old session lives on");
    let ticket = cookie(&reply, "__Host-lwa_ticket").unwrap();

    let csrf = domain::LinkTicket::presented(&ticket).unwrap().csrf().expose().to_owned();
    let yes = Specimen::of("switch")
        .cookie("__Host-lwa_ticket", &ticket)
        .cookie("__Host-lwa_session", &nora);
    for (specimen, status) in [
        (yes.clone().form(&[]), 403),
        (yes.clone().form(&[("csrf", &csrf)]).header("origin", "https://evil.example"), 403),
        (yes.clone().form(&[("csrf", &csrf)]).without_cookie("__Host-lwa_ticket"), 410),
        (yes.clone().form(&[("csrf", &csrf)]).method("GET"), 405),
    ] {
        assert_eq!(at.reply(specimen).await.status(), status);
    }
    let switched = at.reply(yes.clone().form(&[("csrf", &csrf)])).await;
    assert_eq!(location(&switched), "https://shop.example/account");
    assert_eq!(at.whose(&session(&switched)).await.as_deref(), Some("lin"));
    assert_eq!(at.whose(&nora).await, None, "the old session is over");
    assert_eq!(cookie(&switched, "__Host-lwa_ticket").as_deref(), Some(""));

    let twice = at.reply(yes.form(&[("csrf", &csrf)])).await;
    assert_eq!((twice.status().as_u16(), code(&twice).as_str()), (410, "ticket_expired"));
}

#[tokio::test]
async fn whoever_is_signed_in_leaves_for_a_new_account_only_by_a_page_that_says_so() {
    let at = setting().await;
    let lin = session(&at.reply(at.back("lin")).await);
    let reply = at.reply(at.back_again("nora", &lin)).await;
    assert_eq!(location(&reply), "https://shop.example/auth/amazon/register");
    assert_eq!(at.account_of("nora").await, None);
    assert!(at.whose(&lin).await.is_some());
}

#[tokio::test]
async fn c14_sessions_of_one_account_live_side_by_side_in_one_partition() {
    let at = setting().await;
    let mut sessions = Vec::new();
    for tab in 10..35 {
        let state = STATE.replace("hE3b", &format!("hE{tab}"));
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let entry = format!("{state}.{verifier}.{}.Lw", LEFT.0);
        let specimen = at.back("lin");
        let code = specimen.query_of("code");
        let specimen = specimen.query(&[("code", &code), ("state", &state)]);
        sessions.push(session(&at.reply(specimen.cookie("__Host-lwa_login", &entry)).await));
    }
    for session in &sessions {
        assert_eq!(at.whose(session).await.as_deref(), Some("lin"));
    }
    let tag = SessionToken::tag_of(&AccountId::parse("lin").unwrap());
    let rows = at.stack.dynamodb.scan("sessions").unwrap();
    assert_eq!(rows.iter().filter(|row| row["pk"]["S"] == tag).count(), sessions.len());
}

#[tokio::test]
async fn l13_r25_customers_who_are_handled_at_once_by_one_process_stay_apart() {
    let at = setting().await;
    let logins: Vec<_> = (100..200).map(|number| format!("visitor-{number}")).collect();
    at.stack.amazon.world().customers.extend(logins.iter().map(|login| Customer::new(login)));
    let come_back = async |(login, secret): (&String, &str)| {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let state = STATE.replace("hE3b", &format!("{secret}{}", &login[8..]));
        let (back, entry) = (back_with(&at, login, &state), LEFT.0);
        let entry = format!("{state}.{verifier}.{entry}.Lw");
        let reply = at.reply(back.cookie("__Host-lwa_login", &entry)).await;
        let id = at.whose(&session(&reply)).await.unwrap();
        assert_eq!(at.row(&id).await["email"]["S"], format!("{login}@example.com"));
        id
    };
    let first = logins.iter().map(|login| come_back((login, "a")));
    let first = futures_util::future::join_all(first).await;
    let ids: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(ids.len(), logins.len(), "each has an account of their own");
    let again = logins.iter().map(|login| come_back((login, "b")));
    assert_eq!(futures_util::future::join_all(again).await, first, "and comes back into it");
}

fn back_with(at: &Setting, customer: &str, state: &str) -> Specimen {
    let specimen = at.back(customer);
    let code = specimen.query_of("code");
    specimen.query(&[("code", &code), ("state", state)])
}

// What is kept of whom.

#[tokio::test]
async fn e23_an_identity_of_another_provider_with_the_same_id_is_another_one() {
    let at = setting().await;
    let lin = at.amazon_id("lin").as_str().to_owned();
    for key in [format!("GOOGLE#{lin}"), lin.clone(), format!("amazon#{lin}")] {
        let row = serde_json::json!({
            "pk": {"S": key}, "account_id": {"S": "ann"}, "epoch": {"N": "0"},
            "linked_at": {"N": "0"}, "how": {"S": "linked"},
        });
        at.stack.dynamodb.put("identities", &row).unwrap();
    }
    let reply = at.reply(at.back("lin")).await;
    assert_eq!(at.whose(&session(&reply)).await.as_deref(), Some("lin"));
    at.stack.dynamodb.delete("identities", &[("pk", &format!("AMAZON#{lin}"))]).unwrap();
    let reply = at.reply(at.back_again("lin", "")).await;
    assert_eq!(location(&reply), "https://shop.example/auth/amazon/link", "Amazon's alone counts");
}

#[tokio::test]
async fn k08_no_key_of_a_row_names_an_address_or_tells_whose_session_it_is() {
    let at = setting().await;
    at.stack.amazon.change("nora", |nora| nora.email = Some("Nora@Example.com".into()));
    at.reply(at.back("nora")).await;
    at.reply(at.back_again("ann", "")).await;
    let (nora, ann) = (at.account_of("nora").await.unwrap(), at.amazon_id("ann"));
    let mut seen = 0;
    for table in ["identities", "sessions", "tickets"] {
        for row in at.stack.dynamodb.scan(table).unwrap() {
            let keys = format!("{} {}", row["pk"]["S"], row["sk"]["S"]).to_lowercase();
            for part in ["nora@", "ann@", "example.com"] {
                assert!(!keys.contains(part), "{table}: {keys}");
            }
            let others = [nora.as_str(), ann.as_str()].map(str::to_lowercase);
            let named = table != "identities" && others.iter().any(|id| keys.contains(id));
            assert!(!named, "{table}: {keys}");
            seen += 1;
        }
    }
    assert!(seen > 6, "{seen}");
}

// Amazon and the secret.

#[tokio::test]
async fn a24_a_token_of_another_application_signs_nobody_in() {
    let at = setting().await;
    at.stack.amazon.fault(
        Endpoint::TokenInfo,
        Fault::set("aud", "amzn1.application-oa2-client.other"),
        None,
    );
    let reply = at.reply(at.back("lin")).await;
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (400, "start_over"));
}

#[tokio::test]
async fn r04_a_code_that_amazon_refuses_means_starting_over() {
    let at = setting().await;
    let reply = at.reply(Specimen::of("callback")).await;
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (400, "start_over"));
    assert!(page(&reply).contains("return_to=%2Fbasket"));
}

#[tokio::test]
async fn r06_when_amazon_does_not_answer_the_visitor_can_try_again() {
    for endpoint in [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile] {
        let at = setting().await;
        at.stack.amazon.fault(endpoint, Fault::Status(503), None);
        let reply = at.reply(at.back("nora")).await;
        assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (503, "unavailable"));
        assert!(reply.headers().contains_key("retry-after"));
        assert_eq!(at.account_of("nora").await, None);
        at.stack.amazon.clear_faults(endpoint);
        assert_eq!(at.reply(at.back_again("nora", "")).await.status(), 303, "and gets in");
    }
}

#[tokio::test]
async fn l10_m05_r05_r29_a_secret_that_was_rotated_is_read_anew_once() {
    let at = setting().await;
    at.reply(at.back("lin")).await;
    let arn = local_stack::CLIENT_SECRET_ARN;
    let rotated = r#"{"client_secret":"amzn1.oa2-cs.v1.new"}"#;
    at.stack.amazon.world().client_mut(SHOP_CLIENT_ID).unwrap().secret =
        Some("amzn1.oa2-cs.v1.new".into());
    at.stack.secrets.set(arn, rotated);
    let reads = at.stack.secrets.calls();
    assert_eq!(at.reply(at.back_again("lin", "")).await.status(), 303);
    assert_eq!(at.stack.secrets.calls(), reads + 1);

    // A secret that is simply wrong is not tried again and again.
    at.stack.amazon.world().client_mut(SHOP_CLIENT_ID).unwrap().secret =
        Some(SHOP_CLIENT_SECRET.into());
    let before = at.stack.amazon.calls_of(Endpoint::Token).len();
    let wrong = setting().await;
    wrong.stack.secrets.set(arn, "amzn1.oa2-cs.v1.wrong");
    let reply = wrong.reply(wrong.back("lin")).await;
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (503, "unavailable"));
    assert_eq!(wrong.stack.amazon.calls_of(Endpoint::Token).len(), 1);
    assert_eq!(at.stack.amazon.calls_of(Endpoint::Token).len(), before);
}

#[tokio::test]
async fn m04_r28_without_the_secret_nobody_is_redeemed() {
    let at = setting().await;
    at.stack.secrets.break_down(true);
    let reply = at.reply(at.back("lin")).await;
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (503, "unavailable"));
    assert_eq!(at.amazon_calls(), 0);
    at.stack.secrets.break_down(false);
    assert_eq!(at.reply(at.back_again("lin", "")).await.status(), 303);
}

// Our tables.

#[tokio::test]
async fn m01_r13_when_a_table_does_not_answer_nobody_is_let_in() {
    for call in 0..4 {
        let at = setting().await;
        at.stack.dynamodb.fault("", call, None, dynamodb::Fault::Refused("ThrottlingException"));
        let reply = at.reply(at.back("lin")).await;
        assert_eq!(
            (reply.status().as_u16(), code(&reply).as_str()),
            (503, "unavailable"),
            "call {call}"
        );
        at.stack.dynamodb.clear_faults();
        assert_eq!(at.reply(at.back_again("lin", "")).await.status(), 303, "call {call}");
    }
}

#[tokio::test]
async fn f08_r16_an_answer_that_got_lost_does_no_harm() {
    let at = setting().await;
    at.stack.dynamodb.fault("TransactWriteItems", 0, Some(1), dynamodb::Fault::AnswerLost);
    let reply = at.reply(at.back("nora")).await;
    assert_eq!(at.whose(&session(&reply)).await, at.account_of("nora").await);
}

#[tokio::test]
async fn m02_a_transaction_that_met_another_one_is_tried_again() {
    let at = setting().await;
    let conflict = vec!["TransactionConflict", "None", "None", "None"];
    at.stack.dynamodb.fault("TransactWriteItems", 0, Some(2), dynamodb::Fault::Cancelled(conflict));
    assert_eq!(at.reply(at.back("lin")).await.status(), 303);
}

#[tokio::test]
async fn c11_f05_whoever_ends_all_sessions_ends_the_one_about_to_be_opened() {
    // What a password reset will do between our reading the link and opening the session.
    let at = setting().await;
    let reply = {
        at.stack.dynamodb.fault(
            "GetItem accounts",
            0,
            Some(1),
            dynamodb::Fault::Late(std::time::Duration::from_millis(300)),
        );
        let (reply, ()) = tokio::join!(at.reply(at.back("lin")), async {
            while !at.stack.dynamodb.requests().iter().any(|request| request == "GetItem accounts")
            {
                tokio::task::yield_now().await;
            }
            let tag = SessionToken::tag_of(&AccountId::parse("lin").unwrap());
            let meta =
                serde_json::json!({ "pk": {"S": tag}, "sk": {"S": "META"}, "epoch": {"N": "1"} });
            at.stack.dynamodb.put("sessions", &meta).unwrap();
        });
        reply
    };
    assert_ne!(reply.status(), 303);
    assert_eq!(cookie(&reply, "__Host-lwa_session"), None);
}
