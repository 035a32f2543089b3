use std::time::Duration;

use domain::{
    AccountId, AmazonUserId, Clock, Timestamp, UndoToken,
    notice::{Kind, Notice},
};
use local_stack::{Stack, accounts::Fault, dynamodb, specimen::Specimen};
use serde_json::{Value, json};
use store::{Commit, Tickets};
use web::{Failure, Invoke as _};

use crate::{handler::Notices, settings::open};

const NOON: Timestamp = Timestamp(1_795_167_000);

struct Setting {
    stack: Stack,
    notices: Notices,
}

async fn setting(settings: &[(&str, &str)]) -> Setting {
    let stack = Stack::doors().await.unwrap();
    let mut ours = stack.settings("notices");
    ours.insert("PUBLIC_URL".into(), "https://shop.example".into());
    ours.extend(settings.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    let notices = open(&ours.into_iter().collect()).await.unwrap();
    let notices = Notices { clock: Clock::Stopped(NOON), ..notices };
    Setting { stack, notices }
}

impl Setting {
    async fn put(&self, kind: Kind, account: &str, at: Timestamp) -> Notice {
        let account = AccountId::parse(account).unwrap();
        let customer = AmazonUserId::parse("amzn1.account.ANN");
        let notice = Notice::new(kind, &account, customer.as_ref(), at, &mut web::rng());
        let tickets: &Tickets = &self.notices.tickets;
        let writes = vec![tickets.noticing(&notice).unwrap()];
        assert_eq!(store::commit(&tickets.client, writes).await.unwrap(), Commit::Done);
        notice
    }

    async fn wake(&self) -> Result<Value, Failure> {
        let event = serde_json::from_str(&Specimen::of("notices").event()).unwrap();
        self.notices.invoke(event).await
    }

    fn told(&self) -> Vec<Value> {
        self.stack.queue.messages()
    }

    async fn waiting(&self) -> usize {
        self.notices.tickets.outbox(None).await.unwrap().len()
    }
}

#[tokio::test]
async fn owners_are_told_oldest_first_and_once() {
    let at = setting(&[]).await;
    let second = at.put(Kind::Unlinked, "bob", NOON + Duration::from_secs(1)).await;
    let first = at.put(Kind::LinkToProve, "ann", NOON).await;

    assert_eq!(at.wake().await.unwrap(), json!({ "delivered": 2 }));

    assert_eq!(
        at.told(),
        [
            json!({ "id": first.id, "type": "link_to_prove", "account_id": "ann", "at": NOON.rfc3339() }),
            json!({ "id": second.id, "type": "unlinked", "account_id": "bob",
                    "at": (NOON + Duration::from_secs(1)).rfc3339() }),
        ]
    );
    assert_eq!(at.waiting().await, 0);
    assert_eq!(at.wake().await.unwrap(), json!({ "delivered": 0 }));
    assert_eq!(at.told().len(), 2);
}

#[tokio::test]
async fn a_link_comes_with_a_way_to_undo_it_that_is_minted_only_now() {
    let at = setting(&[]).await;
    let notice = at.put(Kind::Linked, "ann", NOON).await;
    let rows = at.stack.dynamodb.scan("tickets").unwrap();
    assert!(rows.iter().all(|row| !row["sk"]["S"].as_str().unwrap().starts_with("UNDO#")));

    at.wake().await.unwrap();

    let told = &at.told()[0];
    let url = told["undo_url"].as_str().unwrap();
    let token = url.strip_prefix("https://shop.example/auth/connections/undo?token=").unwrap();
    let token = UndoToken::presented(token).unwrap();
    let undo = at.notices.tickets.find_undo(&token).await.unwrap().unwrap();
    assert_eq!((undo.account, undo.linked_at), (notice.account, NOON));
    assert_eq!(undo.expires_at, NOON + Duration::from_hours(7 * 24));
    let rows = format!("{:?}", at.stack.dynamodb.scan("tickets").unwrap());
    assert!(!rows.contains(&token.expose()), "the table has its hash alone");
    assert!(!told.to_string().contains("amzn1"), "whom Amazon knows it by is nobody's business");
}

#[tokio::test]
async fn a_link_that_can_no_longer_be_undone_is_told_all_the_same() {
    let at = setting(&[]).await;
    at.put(Kind::Linked, "ann", NOON - Duration::from_hours(7 * 24)).await;
    at.wake().await.unwrap();
    assert!(at.told()[0].get("undo_url").is_none());
}

#[tokio::test]
async fn r32_what_nobody_takes_stays_and_is_told_later_by_the_same_name() {
    let at = setting(&[]).await;
    let notice = at.put(Kind::Linked, "ann", NOON).await;
    at.stack.queue.break_down(true);
    assert_eq!(at.wake().await.unwrap_err().code.as_str(), "unavailable");
    assert_eq!((at.told().len(), at.waiting().await), (0, 1));
    at.stack.queue.break_down(false);

    // Taken by the queue, but that cannot be noted.
    at.stack.dynamodb.fault("DeleteItem", 0, Some(9), dynamodb::Fault::Broken);
    assert_eq!(at.wake().await.unwrap_err().code.as_str(), "unavailable");
    at.stack.dynamodb.clear_faults();
    assert_eq!((at.told().len(), at.waiting().await), (1, 1));
    at.wake().await.unwrap();

    let told = at.told();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|message| message["id"] == notice.id), "a reader can drop the second");
    assert_eq!(at.waiting().await, 0);
}

#[tokio::test]
async fn one_that_fails_keeps_no_other_from_being_told() {
    let at = setting(&[]).await;
    for number in 0..60 {
        at.put(Kind::Unlinked, "ann", NOON + Duration::from_secs(number)).await;
    }
    // The first two of them.
    at.stack.dynamodb.fault("DeleteItem", 0, Some(6), dynamodb::Fault::Broken);
    at.wake().await.unwrap_err();
    at.stack.dynamodb.clear_faults();
    assert_eq!(at.told().len(), 60);
    assert!((1..=2).contains(&at.waiting().await));
    at.wake().await.unwrap();
    assert_eq!(at.waiting().await, 0);
}

#[tokio::test]
async fn nothing_is_sent_where_nobody_wants_to_know() {
    let at = setting(&[("NOTICES", "none")]).await;
    at.put(Kind::Linked, "ann", NOON).await;
    assert_eq!(at.wake().await.unwrap(), json!({ "delivered": 0 }));
    assert!(at.told().is_empty());
}

#[tokio::test]
async fn a_destination_that_is_none_is_named() {
    let stack = Stack::doors().await.unwrap();
    for wrong in ["account", "notices", "arn:aws:sns:us-east-1:000000000000:notices"] {
        let mut settings = stack.settings("notices");
        settings.insert("NOTICES".into(), wrong.into());
        let error = open(&settings.into_iter().collect()).await.err().unwrap();
        assert!(error.to_string().contains("NOTICES"), "{error}");
    }
}

#[tokio::test]
async fn owners_are_told_by_the_account_system_where_that_is_wanted() {
    for accounts in ["webhook", "function"] {
        let at = setting(&[("ACCOUNTS", accounts), ("NOTICES", "account")]).await;
        let notice = at.put(Kind::Linked, "ann", NOON).await;
        at.stack.accounts.fault("notify", 0, Some(1), Fault::Status(500));
        assert!(at.wake().await.is_err());
        let unsupported = Fault::Says(json!({ "outcome": "unsupported" }));
        at.stack.accounts.fault("notify", 0, Some(1), unsupported);
        assert!(at.wake().await.is_err());
        assert_eq!(at.waiting().await, 1, "what was not taken stays");
        assert_eq!(at.wake().await.unwrap(), json!({ "delivered": 1 }));
        let told = at.told();
        assert_eq!((told.len(), &told[0]["id"]), (1, &json!(notice.id)));
        assert!(told[0]["undo_url"].as_str().unwrap().contains("/auth/connections/undo?token="));
        assert_eq!(at.waiting().await, 0);
    }
}

#[tokio::test]
async fn a_table_cannot_tell_anybody_anything() {
    let stack = Stack::doors().await.unwrap();
    let mut settings = stack.settings("notices");
    settings.insert("NOTICES".into(), "account".into());
    let error = open(&settings.into_iter().collect()).await.err().unwrap().to_string();
    assert!(error.contains("NOTICES"), "{error}");
}
