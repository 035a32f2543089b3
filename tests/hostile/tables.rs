//! What a whole walk leaves behind in the tables.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

use crate::{stack, walk::walk};

fn text<'a>(row: &'a Value, name: &str) -> Option<&'a str> {
    row[name]["S"].as_str()
}

#[tokio::test]
async fn f13_every_row_that_ends_says_in_seconds_when_it_may_go_and_outlives_what_it_stands_for() {
    let stack = stack().await;
    walk(&stack, 1).await;
    let (mut sessions, mut tickets, mut states, mut limits, mut notes) = (0, 0, 0, 0, 0);
    let mut notices = 0;
    for table in ["sessions", "tickets"] {
        let rows = stack.dynamodb.scan(table).unwrap();
        for row in &rows {
            if row["sk"]["S"] == "META" {
                // What is kept of an account lives as long as the account.
                assert_eq!(row["ttl"], Value::Null, "{row}");
                continue;
            }
            let number = |name: &str| row[name]["N"].as_str().and_then(|n| n.parse::<i64>().ok());
            let ttl =
                number("ttl").unwrap_or_else(|| panic!("{table}: no number of seconds: {row}"));
            assert!((1_000_000_000..4_000_000_000).contains(&ttl), "{table}: {row}");
            let now = number("started_at").unwrap_or(0);
            assert!(ttl > now, "{table}: {row}");
            match (table, number("expires_at"), row["pk"]["S"].as_str().unwrap()) {
                (_, Some(expires_at), _) => {
                    assert!(ttl > expires_at, "{table}: it goes before it is over: {row}");
                    *if table == "sessions" { &mut sessions } else { &mut tickets } += 1;
                }
                (_, None, pk) if pk.starts_with("STATE#") => states += 1,
                (_, None, pk) if pk.starts_with("LIMIT#") => {
                    let window: i64 = row["sk"]["S"].as_str().unwrap().parse().unwrap();
                    assert!(ttl > window, "{row}");
                    limits += 1;
                }
                (_, None, "OUTBOX") => {
                    assert!(ttl > number("at").unwrap(), "{row}");
                    notices += 1;
                }
                (_, None, _) if text(row, "sk").unwrap().starts_with("TICKET#") => {
                    let key = text(row, "sk").unwrap().strip_prefix("TICKET#");
                    let (pk, sk) = key.unwrap().split_once('.').unwrap();
                    let is_it = |row: &&Value| row["pk"]["S"] == pk && row["sk"]["S"] == sk;
                    if let Some(ticket) = rows.iter().find(is_it) {
                        let over = ticket["expires_at"]["N"].as_str().unwrap();
                        assert!(ttl > over.parse().unwrap(), "{row} {ticket}");
                        notes += 1;
                    }
                }
                _ => panic!("{table}: a row that is not known: {row}"),
            }
        }
    }
    assert!(sessions >= 3 && tickets >= 3 && states >= 7 && limits >= 3);
    assert!(notes >= 1 && notices >= 1, "{notes} {notices}");
    // Links and accounts stay.
    for table in ["identities", "accounts"] {
        for row in stack.dynamodb.scan(table).unwrap() {
            assert_eq!(row["ttl"], Value::Null, "{table}: {row}");
        }
    }
    assert_eq!(stack.dynamodb.sweep().unwrap(), 0, "nothing is due yet");
}

#[tokio::test]
async fn c07_no_secret_is_kept_in_any_spelling_of_its_bytes() {
    let stack = stack().await;
    let walk = walk(&stack, 1).await;
    assert!(walk.secrets.len() > 40, "{}", walk.secrets.len());
    let tables = ["accounts", "identities", "sessions", "tickets"];
    let rows = tables.iter().flat_map(|table| stack.dynamodb.scan(table).unwrap());
    let rows: Vec<_> = rows.collect();
    // The tags in front of tokens are keys of rows, of some that have gone too; they open nothing.
    let noted = |row| Some(text(row, "sk")?.strip_prefix("TICKET#")?.split_once('.')?.0);
    let keys = rows.iter().filter_map(|row| text(row, "pk")).chain(rows.iter().filter_map(noted));
    let keys: Vec<_> = keys.collect();
    let all: String = rows.iter().map(Value::to_string).collect();
    for secret in walk.secrets.iter().filter(|secret| !keys.contains(&secret.as_str())) {
        let mut spellings = vec![secret.clone()];
        for bytes in
            [secret.clone().into_bytes(), URL_SAFE_NO_PAD.decode(secret).unwrap_or_default()]
        {
            if bytes.len() < 12 {
                continue;
            }
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            spellings.extend([hex.to_uppercase(), hex]);
            spellings.push(STANDARD.encode(&bytes));
            spellings.push(STANDARD_NO_PAD.encode(&bytes));
            spellings.push(URL_SAFE_NO_PAD.encode(&bytes));
            spellings.push(format!("{bytes:?}"));
        }
        for spelling in spellings {
            assert!(!all.contains(&spelling), "a table keeps {secret} as {spelling}");
        }
    }
}
