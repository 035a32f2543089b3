//! F-ITEM: whatever row a table gives, it is a whole of its kind or none. A row as DynamoDB's JSON.
#![no_main]

#[allow(dead_code)]
mod probe;
mod tables;

use std::sync::{Arc, Mutex};

use accounts::{Attributes, System as _, Table};
use domain::{AccountId, AmazonUserId, LinkTicket, ReturnTo, SessionToken, Status, link::Purpose};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use store::{Identities, Sessions, Tickets};
use tokio::runtime::Runtime;

struct Setting {
    runtime: Runtime,
    row: Arc<Mutex<String>>,
    accounts: Table,
    identities: Identities,
    sessions: Sessions,
    tickets: Tickets,
}

impl Setting {
    fn new() -> Self {
        let row = Arc::new(Mutex::new(String::new()));
        let answer = row.clone();
        let client =
            tables::client(move |_, _| (200, format!("{{\"Item\":{}}}", answer.lock().unwrap())));
        let table = || "table".to_owned();
        Self {
            runtime: probe::runtime(),
            row,
            accounts: Table {
                client: client.clone(),
                table: table(),
                email_index: table(),
                attributes: Attributes::default(),
                digest: None,
            },
            identities: Identities { client: client.clone(), table: table() },
            sessions: Sessions { client: client.clone(), table: table() },
            tickets: Tickets { client, table: table() },
        }
    }
}

thread_local!(static SETTING: Setting = Setting::new());

fuzz_target!(|text: &str| {
    // What is no JSON at all is the SDK's affair.
    let Ok(Value::Object(row)) = serde_json::from_str(text) else { return };
    let attribute = |name: &str| row.get(name).filter(|value| !value.is_null());
    let text_of = |name: &str| attribute(name).and_then(|value| value["S"].as_str());
    let number_of = |name: &str| attribute(name).and_then(|value| value["N"].as_str());
    let is =
        |name: &str, number: i64| number_of(name).is_some_and(|text| text.parse() == Ok(number));
    let key = format!("{0}.{0}", "A".repeat(43));

    SETTING.with(|at| {
        row_is(at, text);
        let session = SessionToken::presented(&key).unwrap();
        if let Ok(Some(session)) = at.runtime.block_on(at.sessions.find(&session)) {
            assert_eq!(text_of("account_id"), Some(session.account.as_str()));
            assert_eq!(text_of("id"), Some(session.id.as_str()));
            assert_eq!(text_of("kind"), Some(session.kind.as_str()));
            assert_eq!(text_of("how"), Some(session.how.as_str()));
            assert_eq!(text_of("name"), session.name.as_deref());
            assert!(attribute("name").is_none() == session.name.is_none());
            assert!(is("started_at", session.started_at.0) && is("last_seen", session.last_seen.0));
            assert!(is("expires_at", session.expires_at.0));
        }

        let ticket = LinkTicket::presented(&key).unwrap();
        if let Ok(Some(ticket)) = at.runtime.block_on(at.tickets.find(&ticket)) {
            let customer = &ticket.customer;
            assert_eq!(text_of("amazon_user_id"), Some(customer.user_id.as_str()));
            let email = customer.email.as_ref().map(|email| email.as_str());
            assert_eq!(text_of("amazon_email"), email);
            assert_eq!(text_of("amazon_name"), customer.name.as_deref());
            assert_eq!(text_of("amazon_postal_code"), customer.postal_code.as_deref());
            assert_eq!(text_of("return_to"), Some(ticket.return_to.as_str()));
            assert!(ReturnTo::parse(ticket.return_to.as_str()).is_some());
            assert!(is("started_at", ticket.started_at.0) && is("expires_at", ticket.expires_at.0));
            assert_eq!(attribute("used").is_some(), ticket.used, "used is used, whatever it says");
            match &ticket.purpose {
                Purpose::Link { account, email, attempts_left } => {
                    assert_eq!(text_of("purpose"), Some("link"));
                    assert_eq!(text_of("account_id"), Some(account.as_str()));
                    assert_eq!(
                        text_of("account_email"),
                        email.as_ref().map(|email| email.as_str())
                    );
                    assert!(is("attempts_left", i64::from(*attempts_left)));
                }
                Purpose::Register => assert_eq!(text_of("purpose"), Some("register")),
                Purpose::Switch { account } => {
                    assert_eq!(text_of("purpose"), Some("switch"));
                    assert_eq!(text_of("account_id"), Some(account.as_str()));
                }
            }
        }

        let customer = AmazonUserId::parse("amzn1.account.A").unwrap();
        if let Ok(Some(identity)) = at.runtime.block_on(at.identities.find(&customer)) {
            assert_eq!(text_of("account_id"), Some(identity.account.as_str()));
            assert!(number_of("epoch").is_some_and(|text| text.parse() == Ok(identity.epoch)));
            assert_eq!(attribute("prove_again").is_some(), identity.prove_again);
        }

        let id = AccountId::parse("ann").unwrap();
        if let Ok(Some(record)) = at.runtime.block_on(at.accounts.find_by_id(&id)) {
            let account = &record.account;
            assert_eq!(text_of("id"), Some(account.id.as_str()));
            let word = text_of("status").map(str::to_ascii_lowercase);
            let may_enter = attribute("status").is_none() || word.as_deref() == Some("active");
            assert_eq!(account.status == Status::Active, may_enter);
            let hash = text_of("password_hash").filter(|hash| !hash.is_empty());
            let hash = hash.filter(|hash| !hash.starts_with(['!', '*']));
            assert_eq!(account.has_password, hash.is_some());
            assert!(
                account.email.is_none()
                    || account.email.as_ref().map(|email| email.as_str()) == text_of("email")
            );
            assert_eq!(format!("{record:?}"), format!("Record({})", account.id));
        }
    });
});

fn row_is(at: &Setting, text: &str) {
    text.clone_into(&mut at.row.lock().unwrap());
}
