//! Tables as other people shaped them.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use domain::{
    Profile,
    sync::{Copied, ProfileSync},
};

use super::*;

/// A table, what it calls things, how its passwords are hashed, and a row of Ann's.
struct Shape {
    key: &'static str,
    index_key: &'static str,
    attributes: &'static str,
    digest: Option<&'static str>,
    ann: serde_json::Value,
    closed: (&'static str, AttributeValue),
}

fn shapes() -> [Shape; 3] {
    let s = |text: &str| AttributeValue::S(text.to_owned());
    [
        // A Node service's: camel case, bcrypt, and a truth that says who may enter.
        Shape {
            key: "userId",
            index_key: "emailLower",
            attributes: "id=userId,email=email,email_key=emailLower,password_hash=passwordHash,\
                         name=displayName,postal_code=zip,status=isActive,active=true",
            digest: None,
            ann: json!({
                "userId": {"S": "u-1"}, "email": {"S": "Ann@Example.com"},
                "emailLower": {"S": "ann@example.com"}, "isActive": {"BOOL": true},
                "displayName": {"S": "Ann"}, "roles": {"SS": ["buyer"]},
                // By the bcrypt crate of Python.
                "passwordHash": {"S": "$2b$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"},
            }),
            closed: ("isActive", AttributeValue::Bool(false)),
        },
        // An old shop's: its own words, numbers for what may be entered, and plain digests.
        Shape {
            key: "CUSTOMER",
            index_key: "MAIL",
            attributes: "id=CUSTOMER,email=MAIL,password_hash=PW,name=FULL NAME,status=STATE,\
                         active=1|2,locked=8",
            digest: Some("hex:salt = md5(salt+password)"),
            ann: json!({
                "CUSTOMER": {"S": "1"}, "MAIL": {"S": "ann@example.com"}, "STATE": {"N": "2"},
                // `md5("ab" + "x")`, by Python's hashlib.
                "PW": {"S": "ffc810508b973a0cc3fba9474a856ba7:ab"},
            }),
            closed: ("STATE", AttributeValue::N("9".to_owned())),
        },
        // One that says nothing of a status until somebody is out.
        Shape {
            key: "sub",
            index_key: "login",
            attributes: "id=sub,email=login,password_hash=secret,name=nick,status=banned_because,\
                         active=-",
            digest: None,
            ann: json!({
                "sub": {"S": "7b1c"}, "login": {"S": "ann@example.com"}, "nick": {"S": ""},
                "secret": {"S": "$2b$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"},
            }),
            closed: ("banned_because", s("spam")),
        },
    ]
}

async fn table_of(stack: &Stack, name: &str, shape: &Shape) -> Table {
    let client = stack.dynamodb.client();
    let key = |name: &str| {
        KeySchemaElement::builder().attribute_name(name).key_type(KeyType::Hash).build().unwrap()
    };
    let attribute = |name: &str| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let projection = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    let index = GlobalSecondaryIndex::builder()
        .index_name("addresses")
        .key_schema(key(shape.index_key))
        .projection(projection);
    let created = client
        .create_table()
        .table_name(name)
        .attribute_definitions(attribute(shape.key))
        .attribute_definitions(attribute(shape.index_key))
        .key_schema(key(shape.key))
        .global_secondary_indexes(index.build().unwrap())
        .billing_mode(BillingMode::PayPerRequest);
    created.send().await.unwrap();
    stack.dynamodb.put(name, &shape.ann).unwrap();
    Table {
        client,
        table: name.to_owned(),
        email_index: "addresses".to_owned(),
        attributes: shape.attributes.parse().unwrap(),
        digest: shape.digest.map(|digest| digest.parse().unwrap()),
    }
}

#[tokio::test]
async fn whatever_shape_a_table_has_accounts_are_found_proven_created_and_filled_in() {
    let stack = Stack::doors().await.unwrap();
    for (at, shape) in shapes().iter().enumerate() {
        let name = format!("shape-{at}");
        let table = table_of(&stack, &name, shape).await;
        let names = table.attributes.clone();
        let ann = match table.find_by_email(&email("ANN@example.com")).await.unwrap() {
            ByEmail::One(record) => record,
            other => panic!("{name}: {other:?}"),
        };
        let id = ann.account.id.clone();
        assert_eq!(ann.account.status, Status::Active, "{name}");
        for (password, expected) in [("x", Verdict::Match), ("X", Verdict::Mismatch)] {
            let proof = Proof { password, code: None };
            let verdict = table.verify(&id, Some(&ann), proof).await.unwrap();
            assert_eq!(verdict, expected, "{name}");
        }

        // A sign-in fills in what is missing, and nothing else changes.
        let customer = Profile {
            user_id: domain::AmazonUserId::parse("amzn1.account.A").unwrap(),
            email: None,
            name: Some("Ann Amazon".into()),
            postal_code: Some("98109".into()),
        };
        let (changes, _) = ProfileSync::default().changes(&customer, &ann.held, &Copied::default());
        let item = table.linking(&ann, &changes).unwrap().unwrap();
        table.client.transact_write_items().transact_items(item).send().await.unwrap();
        let key = [(shape.key, id.as_str())];
        let row = stack.dynamodb.get(&name, &key).unwrap();
        assert_eq!(row[&names.postal_code]["S"], "98109", "{name}");
        let had_a_name = shape.ann[&names.name]["S"].as_str().is_some_and(|name| !name.is_empty());
        let expected = if had_a_name { "Ann" } else { "Ann Amazon" };
        assert_eq!(row[&names.name]["S"], expected, "{name}");
        for (attribute, value) in shape.ann.as_object().unwrap() {
            assert!(*attribute == names.name || row[attribute] == *value, "{name}: {attribute}");
        }

        // A newcomer is written by the table's own names, and found again.
        let new = NewAccount {
            email: Some(email("New@Example.com")),
            name: Some("New".into()),
            ..NewAccount::default()
        };
        let key = CreationKey::parse("new").unwrap();
        let Creation::Item(_, item) = table.create(&key, &new, Timestamp(0)).await.unwrap() else {
            panic!("a table hands out items");
        };
        table.client.transact_write_items().transact_items(*item).send().await.unwrap();
        assert_eq!(found(&table, "new@example.com").await.as_deref(), Some("new"), "{name}");
        let record = table.find_by_id(&AccountId::parse("new").unwrap()).await.unwrap().unwrap();
        assert_eq!((record.account.status, record.account.has_password), (Status::Active, false));

        // Whoever is out by the table's own words is out.
        let (attribute, value) = &shape.closed;
        let update = table.client.update_item().table_name(&name);
        update
            .key(shape.key, AttributeValue::S(id.as_str().to_owned()))
            .update_expression("SET #status = :status")
            .expression_attribute_names("#status", *attribute)
            .expression_attribute_values(":status", value.clone())
            .send()
            .await
            .unwrap();
        let ann = table.find_by_id(&id).await.unwrap().unwrap();
        assert_eq!(ann.account.status, Status::Disabled, "{name}");
    }
}
