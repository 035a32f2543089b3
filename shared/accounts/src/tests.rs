mod remote;
mod shapes;
mod words;

use domain::{AccountId, CreationKey, Email, Status, Timestamp};
use local_stack::Stack;
use serde_json::json;

use crate::{Attributes, ByEmail, Creation, Error, NewAccount, Proof, System as _, Table, Verdict};

/// `md5("ab" + "secret")`, by Python's hashlib.
const MD5_OF_SECRET: &str = "0be9089682363b12e49aefbb9356450d:ab";

async fn shop() -> (Stack, Table) {
    let stack = Stack::doors().await.unwrap();
    let table = Table {
        client: stack.dynamodb.client(),
        table: "accounts".into(),
        email_index: "by_email".into(),
        attributes: Attributes::default(),
        digest: None,
    };
    (stack, table)
}

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

async fn found(table: &Table, address: &str) -> Option<String> {
    match table.find_by_email(&email(address)).await.unwrap() {
        ByEmail::One(record) => Some(record.account.id.as_str().to_owned()),
        ByEmail::Nobody => None,
        ByEmail::Several => Some("several".to_owned()),
    }
}

#[test]
fn attributes_are_named_or_keep_their_names() {
    let parse = |text: &str| text.parse::<Attributes>();
    let default =
        "id=id,email=email,email_key=,password_hash=password_hash,name=name,status=status";
    assert_eq!(parse(default), Ok(Attributes::default()));
    let own = parse("id=user_id, email_key=mail_lower ,status=state").unwrap();
    assert_eq!(
        (own.id.as_str(), own.status.as_str(), own.email.as_str()),
        ("user_id", "state", "email")
    );
    assert_eq!(own.email_key.as_deref(), Some("mail_lower"));
    for wrong in ["", "id", "id=", "phone=x", "id=a,"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn e08_an_address_finds_its_account_as_spelled_and_in_lowercase() {
    let (_stack, table) = shop().await;
    for (address, account) in [
        ("ann@example.com", Some("ann")),
        ("ANN@Example.com", Some("ann")),
        ("Mia@Example.com", Some("mia")),
        // Kept in mixed case without a lowercased attribute: not found in another spelling.
        ("mia@example.com", None),
        ("nobody@example.com", None),
    ] {
        assert_eq!(found(&table, address).await.as_deref(), account, "{address}");
    }
}

#[tokio::test]
async fn e08_a_lowercased_attribute_finds_every_spelling() {
    let (stack, table) = shop().await;
    // This table's index is on the lowercased address; the spelled one lies beside it.
    let row = json!({ "id": {"S": "zoe"}, "email": {"S": "zoe@example.com"}, "mail": {"S": "Zoe@Example.com"} });
    stack.dynamodb.put("accounts", &row).unwrap();
    let attributes = "email=mail,email_key=email".parse().unwrap();
    let table = Table { attributes, ..table };
    for spelling in ["zoe@example.com", "Zoe@Example.com", "ZOE@EXAMPLE.COM"] {
        assert_eq!(found(&table, spelling).await.as_deref(), Some("zoe"), "{spelling}");
    }
}

#[tokio::test]
async fn f11_what_the_index_says_is_compared_again() {
    let (stack, table) = shop().await;
    // An index that folds more than it should, or lags behind: the row says otherwise.
    let row = json!({ "id": {"S": "eve"}, "email": {"S": "eve@example.com"}, "mail": {"S": "other@example.com"} });
    stack.dynamodb.put("accounts", &row).unwrap();
    let table = Table { attributes: "email=mail,email_key=email".parse().unwrap(), ..table };
    assert_eq!(found(&table, "eve@example.com").await, None);
}

#[tokio::test]
async fn two_accounts_with_one_address_are_several_and_one_in_two_spellings_too() {
    let (stack, table) = shop().await;
    stack
        .dynamodb
        .put("accounts", &json!({ "id": {"S": "ann2"}, "email": {"S": "Ann@example.com"} }))
        .unwrap();
    assert_eq!(found(&table, "Ann@example.com").await.as_deref(), Some("several"));
}

#[tokio::test]
async fn e22_a_status_that_is_not_known_keeps_everybody_out() {
    let (stack, table) = shop().await;
    let ann = AccountId::parse("ann").unwrap();
    for (status, expected) in [
        (json!({"S": "active"}), Status::Active),
        (json!({"S": "ACTIVE"}), Status::Active),
        (json!({"S": "locked"}), Status::Locked),
        (json!({"S": "disabled"}), Status::Disabled),
        (json!({"S": "deleted"}), Status::Disabled),
        (json!({"S": ""}), Status::Disabled),
        (json!({"BOOL": true}), Status::Disabled),
        (json!({"NULL": true}), Status::Disabled),
    ] {
        stack.dynamodb.put("accounts", &json!({ "id": {"S": "ann"}, "status": status })).unwrap();
        let record = table.find_by_id(&ann).await.unwrap().unwrap();
        assert_eq!(record.account.status, expected, "{status}");
    }
}

#[tokio::test]
async fn a_site_says_which_of_its_words_let_people_in() {
    let (stack, table) = shop().await;
    let attributes = "status=enabled,active=true|1|Trial,locked=paused".parse().unwrap();
    let table = Table { attributes, ..table };
    let ann = AccountId::parse("ann").unwrap();
    for (status, expected) in [
        (json!({"BOOL": true}), Status::Active),
        (json!({"BOOL": false}), Status::Disabled),
        (json!({"N": "1"}), Status::Active),
        (json!({"N": "0"}), Status::Disabled),
        (json!({"S": "trial"}), Status::Active),
        (json!({"S": "PAUSED"}), Status::Locked),
        (json!({"S": "active"}), Status::Disabled),
        (json!({"L": []}), Status::Disabled),
    ] {
        stack.dynamodb.put("accounts", &json!({ "id": {"S": "ann"}, "enabled": status })).unwrap();
        let record = table.find_by_id(&ann).await.unwrap().unwrap();
        assert_eq!(record.account.status, expected, "{status}");
    }
    for wrong in ["active=", "active=a||b", "locked= | "] {
        assert!(wrong.parse::<Attributes>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_table_without_the_index_is_refused_and_the_error_says_what_to_set() {
    let (_stack, table) = shop().await;
    let without = Table { email_index: "by_mail".into(), ..table.clone() };
    let other_key = Table { attributes: "email_key=email_lower".parse().unwrap(), ..table };
    for table in [without, other_key] {
        let error = table.find_by_email(&email("ann@example.com")).await.unwrap_err();
        assert!(matches!(error, Error::Index(_)), "{error:?}");
        assert!(error.to_string().contains("ACCOUNTS_EMAIL_INDEX"));
    }
}

#[tokio::test]
async fn d12_an_account_that_does_not_exist_costs_a_hash_like_one_that_does() {
    let (_stack, table) = shop().await;
    for (id, password, expected) in [
        ("ann", "ann-local-password", Verdict::Match),
        ("ann", "wrong", Verdict::Mismatch),
        ("otto", "wrong", Verdict::NoPassword),
        ("nobody", "wrong", Verdict::Mismatch),
    ] {
        let id = AccountId::parse(id).unwrap();
        let found = table.find_by_id(&id).await.unwrap();
        let proof = Proof { password, code: None };
        assert_eq!(table.verify(&id, found.as_ref(), proof).await.unwrap(), expected, "{id}");
    }
    let decoy = passwords::Stored::parse(passwords::decoy()).unwrap();
    assert_eq!(decoy.format().as_str(), "argon2");
}

#[tokio::test]
async fn a_digest_counts_where_the_site_says_how_it_is_made_and_nowhere_else() {
    let (stack, table) = shop().await;
    // `md5(salt+password)`, as old shops keep it.
    let row = json!({
        "id": {"S": "ann"}, "email": {"S": "ann@example.com"},
        "password_hash": {"S": "3b1f0cd9d2ee9d3e6d1d1d9a1e4e3a1c:ab"},
    });
    stack.dynamodb.put("accounts", &row).unwrap();
    let ann = AccountId::parse("ann").unwrap();
    let found = table.find_by_id(&ann).await.unwrap();
    let proof = Proof { password: "secret", code: None };
    assert!(matches!(table.verify(&ann, found.as_ref(), proof).await, Err(Error::Hash)));
    let digest = "hex:salt = md5(salt+password)".parse().unwrap();
    let table = Table { digest: Some(digest), ..table };
    let verdict = table.verify(&ann, found.as_ref(), proof).await.unwrap();
    assert_eq!(verdict, Verdict::Mismatch);
    stack.dynamodb.set("accounts", &[("id", "ann")], "password_hash", MD5_OF_SECRET).unwrap();
    let found = table.find_by_id(&ann).await.unwrap();
    assert_eq!(table.verify(&ann, found.as_ref(), proof).await.unwrap(), Verdict::Match);
    // What says by itself how it was made goes on as before.
    let bob = AccountId::parse("bob").unwrap();
    let found = table.find_by_id(&bob).await.unwrap();
    let proof = Proof { password: "bob-local-password", code: None };
    assert_eq!(table.verify(&bob, found.as_ref(), proof).await.unwrap(), Verdict::Match);
}

#[tokio::test]
async fn a_new_account_is_written_once_and_by_the_tables_own_names() {
    let (stack, table) = shop().await;
    let attributes = "email=mail,email_key=email,name=full_name".parse().unwrap();
    let table = Table { attributes, ..table };
    let key = CreationKey::parse("new").unwrap();
    let new = NewAccount {
        email: Some(email("New@Example.com")),
        name: Some("New".into()),
        fields: vec![("phone".into(), "1".into()), ("empty".into(), String::new())],
        consents: vec![("terms".into(), "2026-11".into())],
        ..NewAccount::default()
    };
    for first in [true, false] {
        let Creation::Item(account, item) = table.create(&key, &new, Timestamp(0)).await.unwrap()
        else {
            panic!("a table hands out items");
        };
        assert_eq!((account.id.as_str(), account.has_password), ("new", false));
        let written = table.client.transact_write_items().transact_items(*item).send().await;
        assert_eq!(written.is_ok(), first);
    }
    let row = stack.dynamodb.get("accounts", &[("id", "new")]).unwrap();
    assert_eq!(
        row,
        json!({
            "id": {"S": "new"}, "mail": {"S": "new@example.com"}, "email": {"S": "new@example.com"},
            "full_name": {"S": "New"}, "phone": {"S": "1"}, "email_verified": {"BOOL": false},
            "created_at": {"S": "1970-01-01T00:00:00Z"},
            "terms": {"M": {"version": {"S": "2026-11"}, "at": {"S": "1970-01-01T00:00:00Z"}}},
        })
    );
    assert_eq!(found(&table, "NEW@example.com").await.as_deref(), Some("new"));
}
