//! What holds for every row that somebody's table of accounts could have, and for every setting.

use std::{collections::HashMap, fmt::Debug};

use aws_sdk_dynamodb::{
    Client, Config,
    config::BehaviorVersion,
    primitives::Blob,
    types::{AttributeValue, Put},
};
use domain::{
    AccountId, AmazonUserId, CreationKey, Email, Profile, Status, Timestamp,
    sync::{Copied, Held, ProfileSync, Rule},
};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};

use crate::{Attributes, Creation, Error, NewAccount, System as _, Table};

type Row = HashMap<String, AttributeValue>;

/// Tries a property. A failure prints the smallest input that it was found with.
#[track_caller]
fn holds<S: Strategy>(inputs: S, property: impl Fn(S::Value))
where
    S::Value: Debug,
{
    let config = ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() };
    let outcome = TestRunner::new(config).run(&inputs, |input| {
        property(input);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

fn table(attributes: Attributes) -> Table {
    let client =
        Client::from_conf(Config::builder().behavior_version(BehaviorVersion::latest()).build());
    let (table, email_index, digest) = ("accounts".into(), "by_email".into(), None);
    Table { client, table, email_index, attributes, digest }
}

/// What a table does without asking anybody is done at once.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn text() -> impl Strategy<Value = String> {
    let words = select(vec![
        "",
        " ",
        "active",
        "ACTIVE",
        "Locked",
        "locked",
        "disabled",
        "activе",
        "active ",
        "ann",
        "!",
        "!x",
        "*",
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
        "ann@example.com",
        "Ann@Example.com",
        "ann@example.com\r\n",
        "a@b@c",
        "\u{202e}nnA",
        "\0",
        "CANARY",
    ]);
    prop_oneof![4 => words.prop_map(str::to_owned), 1 => any::<String>()]
}

/// A value of any type, mostly a text.
fn value() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        8 => text().prop_map(AttributeValue::S),
        1 => any::<i64>().prop_map(|number| AttributeValue::N(number.to_string())),
        1 => any::<bool>().prop_map(AttributeValue::Bool),
        1 => Just(AttributeValue::Null(true)),
        1 => text().prop_map(|text| AttributeValue::B(Blob::new(text))),
        1 => text().prop_map(|text| AttributeValue::Ss(vec![text])),
        1 => text().prop_map(|text| AttributeValue::L(vec![s(&text)])),
    ]
}

/// A row with some of the attributes that matter, and others.
fn row() -> impl Strategy<Value = Row> {
    let names =
        select(vec!["id", "email", "password_hash", "name", "status", "postal_code", "mail", "x"]);
    let rest = prop::collection::hash_map(names.prop_map(str::to_owned), value(), 0..7);
    (prop::option::weighted(0.8, "[a-z]{1,5}"), rest).prop_map(|(id, mut row)| {
        if let Some(id) = id {
            row.insert("id".to_owned(), s(&id));
        }
        row
    })
}

#[test]
fn f_item_any_row_is_an_account_by_what_it_says_or_none() {
    let table = table(Attributes::default());
    holds(row(), |row| {
        let text = |name: &str| match row.get(name) {
            Some(AttributeValue::S(text)) => Some(text.as_str()),
            _ => None,
        };
        let record = match table.record(row.clone()) {
            Ok(record) => record,
            Err(error) => {
                assert!(matches!(error, Error::Account("id")));
                assert!(text("id").and_then(AccountId::parse).is_none());
                return;
            }
        };
        let account = &record.account;
        assert_eq!(Some(account.id.as_str()), text("id"));
        // Nobody enters an account whose status says anything but that they may.
        let status = match (row.get("status"), text("status").map(str::to_ascii_lowercase)) {
            (None, _) => Status::Active,
            (_, Some(word)) if word == "active" => Status::Active,
            (_, Some(word)) if word == "locked" => Status::Locked,
            _ => Status::Disabled,
        };
        assert_eq!(account.status, status);
        // An account without a password can be entered with none.
        let hash = text("password_hash").filter(|hash| !hash.is_empty());
        let hash = hash.filter(|hash| !hash.starts_with('!') && !hash.starts_with('*'));
        assert_eq!(account.has_password, hash.is_some());
        assert_eq!(record.stored.as_ref().unwrap().password_hash.as_deref(), hash);
        let email = text("email").filter(|email| Email::parse(email).is_some());
        assert_eq!(account.email.as_ref().map(Email::as_str), email);
        let shown = |name: &String| !name.is_empty() && !name.chars().any(char::is_control);
        assert!(account.name.as_ref().is_none_or(shown));
        let id = text("id").unwrap();
        assert_eq!(format!("{record:?}"), format!("Record({id})"), "k02: the rest is not for logs");

        for (name, held) in [("name", &record.held.name), ("postal_code", &record.held.postal_code)]
        {
            let blank = text(name).map(str::trim) == Some("");
            let lacks = blank || matches!(row.get(name), None | Some(AttributeValue::Null(_)));
            assert_eq!(*held == Held::Nothing, lacks);
            assert_eq!(*held == Held::text("CANARY"), text(name) == Some("CANARY"));
        }
    });
}

#[test]
fn f_item_what_amazon_tells_is_copied_by_rule_and_never_the_address() {
    let table = table(Attributes::default());
    let rule = || select(vec![Rule::Never, Rule::FillEmpty, Rule::Always]);
    let told = || prop::option::of("[A-Za-z]{1,5}");
    let rules = (rule(), rule()).prop_map(|(name, postal_code)| ProfileSync { name, postal_code });
    holds((row(), rules, told(), told()), |(row, sync, name, postal_code)| {
        let Ok(record) = table.record(row.clone()) else { return };
        let customer = Profile {
            user_id: AmazonUserId::parse("amzn1.account.A").unwrap(),
            email: Email::parse("elsewhere@example.com"),
            name: name.clone(),
            postal_code: postal_code.clone(),
        };
        let (changes, _) = sync.changes(&customer, &record.held, &Copied::default());
        let held = &record.held;
        let told = [(changes.name.clone(), name, sync.name, &held.name)];
        let others =
            [(changes.postal_code.clone(), postal_code, sync.postal_code, &held.postal_code)];
        for (change, told, rule, held) in told.into_iter().chain(others) {
            // Nothing was copied before: whatever is there is its owner's.
            let copied = rule != Rule::Never && *held == Held::Nothing;
            assert_eq!(change, told.filter(|_| copied));
        }
        // What is written is that and nothing else, on condition that the account is what it was.
        let item = table.entering(&record, &changes).unwrap().unwrap();
        if changes.is_empty() {
            assert!(item.condition_check().is_some());
            return;
        }
        let update = item.update().unwrap();
        let names = update.expression_attribute_names().unwrap();
        let set = update.update_expression().strip_prefix("SET ").unwrap();
        for part in set.split(", ") {
            let (name, _) = part.split_once(" = ").unwrap();
            assert!(["name", "postal_code"].contains(&names[name].as_str()), "{set}");
        }
        assert!(update.condition_expression().unwrap().contains("#status"));
    });
}

#[test]
fn a_newcomers_own_words_never_take_the_place_of_ours() {
    let names = select(vec![
        "id",
        "uid",
        "email",
        "mail",
        "password_hash",
        "pw",
        "status",
        "state",
        "name",
        "full_name",
        "postal_code",
        "email_verified",
        "created_at",
        "phone",
    ]);
    let fields = prop::collection::vec((names.prop_map(str::to_owned), text()), 0..8);
    let ours = "id=uid,email=mail,email_key=email,password_hash=pw,name=full_name,status=state";
    let attributes = select(vec![Attributes::default(), ours.parse().unwrap()]);
    let told = (prop::option::of("[A-Za-z ]{1,9}"), prop::option::of("[0-9]{1,5}"));
    holds((attributes, fields, told), |(attributes, fields, (name, postal_code))| {
        let table = table(attributes.clone());
        let email = Email::parse("New@Example.com");
        let consents = fields.iter().take(2).cloned().collect();
        let new = NewAccount { email, name: name.clone(), postal_code, fields, consents };
        let key = CreationKey::parse("new").unwrap();
        let id = key.account_id();
        let Ok(Creation::Item(_, item)) = block_on(table.create(&key, &new, Timestamp(0))) else {
            panic!("a table hands out items");
        };
        let put: &Put = item.put().unwrap();
        let row = put.item();
        assert_eq!(row[&attributes.id], s("new"));
        assert_eq!(row[&attributes.email], s("new@example.com"));
        assert!(attributes.email_key.is_none_or(|key| row[&key] == s("new@example.com")));
        assert_eq!(row["email_verified"], AttributeValue::Bool(false));
        assert_eq!(row["created_at"], s("1970-01-01T00:00:00Z"));
        assert!(!row.contains_key(&attributes.password_hash), "not even a blank one");
        assert!(!row.contains_key(&attributes.status));
        assert!(row.values().all(|value| *value != s("")));
        assert_eq!(put.condition_expression(), Some("attribute_not_exists(#id)"));

        let record = table.record(row.clone()).unwrap();
        assert_eq!((record.account.id, record.account.has_password), (id, false));
        assert_eq!(record.account.status, Status::Active);
    });
}

#[test]
fn the_names_of_attributes_are_read_as_they_are_written() {
    let name = || "[A-Za-z_:#=.-]{1,12}";
    let names = (name(), name(), prop::option::of(name()), name(), name(), name());
    holds(names, |(id, email, email_key, password_hash, name, status)| {
        let key = email_key.as_deref().unwrap_or_default();
        let rest = format!("password_hash={password_hash} ,name={name},status={status}");
        let written = format!("id={id},email={email}, email_key = {key},{rest}");
        let attributes = Attributes {
            id,
            email,
            email_key,
            password_hash,
            name,
            status,
            ..Attributes::default()
        };
        assert_eq!(written.parse(), Ok(attributes));
    });
}

#[test]
fn a_setting_that_is_not_understood_is_refused_and_one_that_is_names_what_we_know() {
    let known = ["id", "email", "email_key", "password_hash", "name", "status", "postal_code"];
    let word = |words: &'static [&'static str]| {
        let known = select(words).prop_map(str::to_owned);
        prop_oneof![4 => known, 1 => any::<String>()]
    };
    let pair = (
        word(&["id", "email", "name", "postal_code", "status", "phone", ""]),
        select(vec!["=", "=", "=", "", ":", " = "]),
        word(&["never", "always", "fill_empty", "x", ""]),
    );
    let pair = pair.prop_map(|(name, joint, value)| format!("{name}{joint}{value}"));
    holds(prop::collection::vec(pair, 0..4), |pairs| {
        let text = pairs.join(",");
        let named =
            |pair: &str| pair.split_once('=').is_some_and(|(name, _)| known.contains(&name.trim()));
        if let Ok(attributes) = text.parse::<Attributes>() {
            assert!(text.split(',').all(named), "{text}");
            let Attributes {
                id, email, email_key, password_hash, name, postal_code, status, ..
            } = attributes;
            let all = [id, email, password_hash, name, postal_code, status].map(Some);
            let names = all.into_iter().chain([email_key]);
            assert!(names.flatten().all(|name| !name.is_empty() && name.trim() == name));
        }
        if let Ok(ProfileSync { .. }) = text.parse() {
            let address = |pair: &str| pair.trim_start().starts_with("email");
            let mut pairs = text.split(',');
            assert!(pairs.clone().all(named), "{text}");
            assert!(
                pairs.all(|pair| !address(pair) || pair.trim_end().ends_with("never")),
                "{text}"
            );
        }
    });
}
