//! A table as sites have them, with everything in it that a survey counts.

use std::collections::BTreeMap;

use local_stack::{Dynamodb, seed, template::Table};
use serde_json::{Value, json};

use crate::run::{Ran, run};

pub(crate) const ATTRIBUTES: &str =
    "id=user_id,email=mail,email_key=mail_key,password_hash=pw,status=state";

/// What a survey should say of so many customers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) accounts: u64,
    pub(crate) no_address: u64,
    pub(crate) unusable_address: u64,
    pub(crate) mixed_case: u64,
    pub(crate) need_email_key: u64,
    pub(crate) no_password: u64,
    pub(crate) unsupported: u64,
    pub(crate) sharing_addresses: u64,
    pub(crate) look_alikes: u64,
    pub(crate) passwords: BTreeMap<String, u64>,
    pub(crate) statuses: BTreeMap<String, u64>,
}

/// A table of the site's own naming, with an index by this attribute.
pub(crate) async fn table(index: &str) -> Dynamodb {
    let definition = json!({
        "TableName": "customers",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": "user_id", "AttributeType": "S" },
            { "AttributeName": index, "AttributeType": "S" },
        ],
        "KeySchema": [{ "AttributeName": "user_id", "KeyType": "HASH" }],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by_email",
            "KeySchema": [{ "AttributeName": index, "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
    });
    let table = Table { name: "customers".to_owned(), definition, ttl: None };
    Dynamodb::start(0, None, &[table]).await.unwrap()
}

/// Fills it with so many; says what a survey has to find.
pub(crate) fn fill(dynamodb: &Dynamodb, customers: u64) -> Tally {
    let mut tally = Tally::default();
    for nth in 0..customers {
        dynamodb.put("customers", &customer(nth, &mut tally)).unwrap();
    }
    tally
}

/// The nth customer: one in so many is odd in one way.
fn customer(nth: u64, tally: &mut Tally) -> Value {
    tally.accounts += 1;
    let mut row = json!({
        "user_id": { "S": format!("customer-{nth:08}") },
        "full_name": { "S": "Nobody In Particular" },
        "history": { "L": [{ "S": "something that a survey does not read" }] },
    });
    let own = format!("customer{nth}@example.com");
    let (mail, key) = match nth % 100 {
        // As the one before, in capitals.
        1 => (Some(format!("CUSTOMER{}@Example.com", nth - 1)), true),
        // As the one before, with a dotless i in the name of the host.
        3 => (
            Some(format!("customer{}@example.com", nth - 1).replace("customer", "ｃustomer")),
            false,
        ),
        4 => (None, false),
        5 => (Some("not an address".to_owned()), false),
        6 => (Some(own.replace("customer", "Customer")), false),
        7 => (Some(own.replace("customer", "Customer")), true),
        _ => (Some(own), nth.is_multiple_of(2)),
    };
    match (&mail, nth % 100) {
        (None, _) => tally.no_address += 1,
        (_, 3 | 5) => tally.unusable_address += 1,
        (Some(mail), _) => {
            tally.mixed_case += u64::from(*mail != mail.to_ascii_lowercase());
            tally.need_email_key += u64::from(!key);
        }
    }
    tally.look_alikes += u64::from(nth % 100 == 3);
    tally.sharing_addresses += u64::from(nth % 100 == 1);
    if let (Some(mail), true) = (&mail, key) {
        row["mail_key"] = json!({ "S": mail.to_ascii_lowercase() });
    }
    if let Some(mail) = mail {
        row["mail"] = json!({ "S": mail });
    }
    let hashes: Vec<&str> = seed::ACCOUNTS.iter().filter_map(|account| account.hash).collect();
    let (hash, told) = match nth % 10 {
        0 => (None, None),
        1 => (Some("!"), None),
        2 => (Some("$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"), None),
        3 => (Some(hashes[4]), Some("django pbkdf2_sha256 1000000")),
        4 => (Some(hashes[3]), Some("scrypt scrypt ln=14,r=8,p=1")),
        5 => (Some(hashes[1]), Some("argon2 argon2id v=19 m=19456,t=2,p=1")),
        _ => (Some(hashes[0]), Some("bcrypt 2b 10")),
    };
    tally.no_password += u64::from(nth % 10 < 2);
    tally.unsupported += u64::from(nth % 10 == 2);
    if let Some(told) = told {
        *tally.passwords.entry(told.to_owned()).or_default() += 1;
    }
    if let Some(hash) = hash {
        row["pw"] = json!({ "S": hash });
    }
    let state = match nth % 50 {
        48 => Some("locked"),
        49 => Some("Gone"),
        nth if nth % 2 == 0 => Some("active"),
        _ => None,
    };
    *tally.statuses.entry(state.unwrap_or("absent").to_owned()).or_default() += 1;
    if let Some(state) = state {
        row["state"] = json!({ "S": state });
    }
    row
}

/// Surveys it.
pub(crate) async fn survey(dynamodb: &Dynamodb, more: &[&str]) -> Ran {
    let mut arguments =
        vec!["survey", "--table", "customers", "--attributes", ATTRIBUTES, "--json"];
    arguments.extend(more);
    run(&arguments, &place(dynamodb)).await
}

pub(crate) fn place(dynamodb: &Dynamodb) -> [(&str, &str); 2] {
    [("AWS_REGION", "us-east-1"), ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url.as_str())]
}

impl Tally {
    /// What a report says of the same.
    pub(crate) fn of(report: &Value) -> Self {
        let number = |name: &str| report[name].as_u64().unwrap();
        let words = |name: &str| serde_json::from_value(report[name].clone()).unwrap();
        let statuses = report["statuses"].as_object().unwrap().iter();
        let statuses =
            statuses.map(|(word, status)| (word.clone(), status["accounts"].as_u64().unwrap()));
        let unsupported: BTreeMap<String, u64> = words("unsupported_passwords");
        Self {
            accounts: number("accounts"),
            no_address: number("no_address"),
            unusable_address: number("unusable_address"),
            mixed_case: number("mixed_case"),
            need_email_key: number("need_email_key"),
            no_password: number("no_password"),
            unsupported: unsupported.get("md5crypt").copied().unwrap_or_default(),
            sharing_addresses: report["sharing"]["addresses"].as_u64().unwrap(),
            look_alikes: number("look_alikes"),
            passwords: words("passwords"),
            statuses: statuses.collect(),
        }
    }
}
