//! Accounts that are asked about over a wire: they cannot join a transaction, so they are created first,
//! under a key that a pending row has noted.

use local_stack::accounts::Fault;
use serde_json::json;

use super::*;

const WIRES: [&str; 2] = ["webhook", "function"];

async fn setting_of(accounts: &str) -> Setting {
    setting_with(&[("Accounts", accounts)]).await
}

impl Setting {
    async fn comes(&self, customer: &str) -> Reply {
        self.forget_states();
        self.reply(self.back(customer)).await
    }

    fn row_of(&self, customer: &str) -> Value {
        let key = format!("AMAZON#{}", self.amazon_id(customer).as_str());
        self.stack.dynamodb.get("identities", &[("pk", &key)]).unwrap()
    }

    fn accounts(&self) -> usize {
        self.stack.dynamodb.scan("accounts").unwrap().len()
    }

    fn says(&self, question: &str, answer: Value) {
        self.stack.accounts.fault(question, 0, Some(1), Fault::Says(answer));
    }

    fn code(reply: &Reply) -> (u16, String) {
        assert_eq!(cookie(reply, "__Host-lwa_session"), None);
        let (_, rest) = page(reply).split_once("<main data-code=\"").unwrap();
        (reply.status().as_u16(), rest.split('"').next().unwrap().to_owned())
    }
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn whoever_is_linked_or_new_or_known_by_address_is_treated_as_with_a_table() {
    for wire in WIRES {
        let at = setting_of(wire).await;
        let reply = at.comes("lin").await;
        assert_eq!(at.whose(&session(&reply)).await.as_deref(), Some("lin"), "{wire}");
        assert_eq!(location(&at.comes("ann").await), "https://shop.example/auth/amazon/link");
        let before = at.accounts();
        let reply = at.comes("nora").await;
        let account = at.whose(&session(&reply)).await.unwrap();
        assert_eq!(at.account_of("nora").await, Some(account.clone()));
        let row = at.row(&account).await;
        assert_eq!(
            (&row["email"]["S"], &row["name"]["S"]),
            (&"nora@example.com".into(), &"Nora New".into())
        );
        assert!(row["password_hash"].is_null() && at.row_of("nora")["pending"].is_null());
        let again = at.comes("nora").await;
        assert_eq!(at.whose(&session(&again)).await, Some(account));
        assert_eq!(at.accounts(), before + 1);
    }
}

#[tokio::test]
async fn an_answer_that_got_lost_opens_no_second_account_and_leaves_none_that_cannot_be_entered() {
    for fault in [Fault::AnswerLost, Fault::Cut, Fault::Status(500)] {
        let at = setting_of("webhook").await;
        let before = at.accounts();
        at.stack.accounts.fault("create", 0, Some(2), fault);
        for _ in 0..2 {
            let reply = at.comes("nora").await;
            assert_eq!(Setting::code(&reply), is(503, "unavailable"));
            assert!(at.row_of("nora")["pending"]["S"].is_string());
            assert_eq!(at.account_of("nora").await, None, "what is pending is no link");
        }
        at.stack.accounts.forget();
        let reply = at.comes("nora").await;
        assert!(at.whose(&session(&reply)).await.is_some());
        assert_eq!(at.accounts(), before + 1);
        // The address is not asked for: it would be found, and refused for want of a password.
        assert_eq!(at.stack.accounts.questions(), ["create"]);
    }
}

#[tokio::test]
async fn all_tries_have_one_key() {
    let at = setting_of("webhook").await;
    at.stack.accounts.fault("create", 0, Some(1), Fault::AnswerLost);
    at.comes("nora").await;
    at.comes("nora").await;
    let asked = at.stack.accounts.asked();
    let created = asked.iter().filter(|asked| asked.question["type"] == "create");
    let keys: Vec<_> = created.map(|asked| asked.question["key"].clone()).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn two_tabs_of_a_newcomer_open_one_account() {
    let at = setting_of("webhook").await;
    let before = at.accounts();
    let late = std::time::Duration::from_millis(200);
    at.stack.accounts.fault("create", 0, Some(1), Fault::Late(late));
    let (one, other) =
        tokio::join!(at.reply(at.back("nora")), at.reply(at.back_again("nora", "none")),);
    let whose = [at.whose(&session(&one)).await, at.whose(&session(&other)).await];
    assert!(whose[0].is_some() && whose[0] == whose[1]);
    assert_eq!(at.accounts(), before + 1);
}

#[tokio::test]
async fn an_account_that_somebody_changed_since_it_was_created_is_not_entered_without_proof() {
    // Its owner has set a password meanwhile.
    let at = setting_of("webhook").await;
    at.stack.accounts.fault("create", 0, Some(1), Fault::AnswerLost);
    at.comes("nora").await;
    let rows = at.stack.dynamodb.scan("accounts").unwrap();
    let row = rows.iter().find(|row| row["email"]["S"] == "nora@example.com").unwrap();
    let id = row["id"]["S"].as_str().unwrap();
    at.stack.dynamodb.set("accounts", &[("id", id)], "password_hash", "$2b$04$x").unwrap();
    let reply = at.comes("nora").await;
    assert_eq!(location(&reply), "https://shop.example/auth/amazon/link");
    assert_eq!(cookie(&reply, "__Host-lwa_session"), None);
    assert!(at.row_of("nora").is_null(), "it was given up");
}

#[tokio::test]
async fn an_account_whose_sessions_were_ended_since_it_was_created_is_not_entered_without_proof() {
    let at = setting_of("webhook").await;
    at.stack.accounts.fault("create", 0, Some(1), Fault::AnswerLost);
    at.comes("nora").await;
    let rows = at.stack.dynamodb.scan("accounts").unwrap();
    let row = rows.iter().find(|row| row["email"]["S"] == "nora@example.com").unwrap();
    let id = AccountId::parse(row["id"]["S"].as_str().unwrap()).unwrap();
    let lifecycle = store::Lifecycle {
        identities: at.callback.entrance.identities.clone(),
        sessions: at.callback.entrance.sessions.clone(),
        tickets: at.callback.entrance.tickets.clone(),
        tells: false,
    };
    let kind = domain::lifecycle::Kind::PasswordReset;
    let event = domain::lifecycle::Event { kind, account: id, at: LEFT };
    lifecycle.apply(&event, LEFT, &mut web::rng()).await.unwrap();
    // The reset's own password is not there yet: nothing could be asked for.
    assert_eq!(Setting::code(&at.comes("nora").await), is(403, "no_password"));
    assert_eq!(at.account_of("nora").await, None);
}

#[tokio::test]
async fn an_account_that_is_created_closed_is_entered_once_it_is_open() {
    let at = setting_of("webhook").await;
    at.stack.accounts.fault("create", 0, Some(1), Fault::Lies("/account/status", json!("locked")));
    assert_eq!(Setting::code(&at.comes("nora").await), is(403, "account_closed"));
    let reply = at.comes("nora").await;
    assert!(at.whose(&session(&reply)).await.is_some());
}

#[tokio::test]
async fn a_creation_that_comes_to_nothing_is_given_up() {
    let at = setting_of("webhook").await;
    at.says("create", json!({ "outcome": "email_taken" }));
    // Somebody registered at the site at this very moment.
    at.stack.accounts.fault(
        "find_by_email",
        1,
        Some(2),
        Fault::Says(json!({ "accounts": [
            { "id": "zoe", "email": "nora@example.com", "has_password": true }
        ] })),
    );
    assert_eq!(location(&at.comes("nora").await), "https://shop.example/auth/amazon/link");
    assert!(at.row_of("nora").is_null());

    at.says("create", json!({ "outcome": "invalid", "fields": { "phone": "missing" } }));
    assert_eq!(location(&at.comes("nora").await), "https://shop.example/auth/amazon/register");
    // The key is good for what they send next.
    assert!(at.row_of("nora")["pending"]["S"].is_string());

    at.says("create", json!({ "outcome": "invalid", "fields": { "email": "invalid" } }));
    assert_eq!(Setting::code(&at.comes("nora").await), is(403, "registration_closed"));
    assert!(at.row_of("nora").is_null());

    // Taken, and nobody has it: it is taken by an address that is another one to us.
    at.says("create", json!({ "outcome": "email_taken" }));
    assert_eq!(Setting::code(&at.comes("nora").await), is(409, "ambiguous_email"));
    assert!(at.row_of("nora").is_null());

    at.says("create", json!({ "outcome": "unsupported" }));
    assert_eq!(Setting::code(&at.comes("nora").await), is(403, "registration_closed"));
    assert!(at.row_of("nora").is_null());

    let other = json!({ "id": "x", "email": "other@example.com", "has_password": false });
    at.says("create", json!({ "outcome": "created", "account": other }));
    assert_eq!(Setting::code(&at.comes("nora").await), is(503, "unavailable"));
    assert!(at.row_of("nora").is_null());
}

#[tokio::test]
async fn nobody_is_let_in_or_created_while_the_site_does_not_answer() {
    for wire in WIRES {
        let at = setting_of(wire).await;
        let before = at.accounts();
        for fault in [Fault::Status(500), Fault::Cut, Fault::Text("{}".into()), Fault::Failed] {
            at.stack.accounts.fault("", 0, None, fault.clone());
            for customer in ["lin", "ann", "nora"] {
                let reply = at.comes(customer).await;
                assert_eq!(Setting::code(&reply), is(503, "unavailable"), "{fault:?} {customer}");
            }
            at.stack.accounts.clear_faults();
            assert_eq!(at.accounts(), before);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_copied_keeps_nobody_out_and_is_copied_next_time() {
    let at = setting_of("webhook").await;
    at.stack.amazon.change("lin", |lin| lin.postal_code = Some("98109".into()));
    at.stack.accounts.fault("update", 0, Some(1), Fault::Status(500));
    for expected in [Value::Null, json!("98109")] {
        assert!(at.whose(&session(&at.comes("lin").await)).await.is_some());
        assert_eq!(at.row("lin").await["postal_code"]["S"], expected);
    }
    // A site that writes nothing is asked once.
    at.stack.amazon.change("ida", |ida| ida.postal_code = Some("98109".into()));
    at.stack.link("ida", "bob").await.unwrap();
    at.stack.accounts.forget();
    at.says("update", json!({ "outcome": "unsupported" }));
    for _ in 0..2 {
        assert!(at.whose(&session(&at.comes("ida").await)).await.is_some());
    }
    let updates = at.stack.accounts.questions().into_iter().filter(|one| one == "update").count();
    assert_eq!(updates, 1);
}

#[tokio::test]
async fn what_amazon_tells_and_nobody_is_asked_for_is_left_out_where_the_site_refuses_it() {
    let at = setting_of("webhook").await;
    at.stack.amazon.change("nora", |nora| nora.postal_code = Some("SW1A 1AA".into()));
    at.says("create", json!({ "outcome": "invalid", "fields": { "postal_code": "invalid" } }));
    let account = at.whose(&session(&at.comes("nora").await)).await.unwrap();
    let row = at.row(&account).await;
    assert_eq!((&row["name"]["S"], &row["postal_code"]), (&json!("Nora New"), &Value::Null));
}

#[tokio::test]
async fn a_creation_that_came_to_nothing_keeps_nobody_from_what_they_prove() {
    // The site cannot create this one; its owner registers there, and links.
    let at = setting_of("webhook").await;
    at.stack.accounts.fault("create", 0, None, Fault::Status(500));
    assert_eq!(Setting::code(&at.comes("nora").await), is(503, "unavailable"));
    assert!(at.row_of("nora")["pending"]["S"].is_string());
    let customer = at.amazon_id("nora");
    let link = store::Link {
        customer: &customer,
        account: &AccountId::parse("bob").unwrap(),
        epoch: 0,
        how: domain::session::How::Linked,
        amazon_email: None,
        proven_at: LEFT,
        copied: &Default::default(),
        pending: None,
        again: false,
        now: LEFT,
    };
    let identities = &at.callback.entrance.identities;
    let linked = store::commit(&identities.client, identities.link(&link).unwrap().into()).await;
    assert_eq!(linked.unwrap(), store::Commit::Done);
    assert_eq!(at.whose(&session(&at.comes("nora").await)).await.as_deref(), Some("bob"));

    // Nobody new is let in any more: whoever has the address is asked for its password.
    let at = setting_with(&[("Accounts", "webhook"), ("Registration", "closed")]).await;
    let key = domain::CreationKey::parse("k").unwrap();
    let ann = at.amazon_id("ann");
    assert!(at.callback.entrance.identities.begin(&ann, &key, LEFT).await.unwrap());
    assert_eq!(location(&at.comes("ann").await), "https://shop.example/auth/amazon/link");
}

#[tokio::test]
async fn an_account_that_its_owner_has_linked_otherwise_is_not_waited_for() {
    let at = setting_of("webhook").await;
    at.stack.accounts.fault("create", 0, Some(1), Fault::AnswerLost);
    at.comes("nora").await;
    let rows = at.stack.dynamodb.scan("accounts").unwrap();
    let row = rows.iter().find(|row| row["email"]["S"] == "nora@example.com").unwrap();
    at.stack.link("ida", row["id"]["S"].as_str().unwrap()).await.unwrap();
    assert_eq!(Setting::code(&at.comes("nora").await), is(403, "no_password"));
    assert!(at.row_of("nora").is_null());
}
