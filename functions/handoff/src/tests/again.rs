//! A token that comes again.

use domain::{LinkTicket, session::Kind};
use futures_util::future::join_all;
use serde_json::json;

use super::{SESSION, app, browser, cookie, session, setting, told};

#[tokio::test]
async fn hand_twice_a_token_that_comes_again_replaces_the_session_it_opened() {
    let at = setting().await;
    let token = at.token("lin");
    let first = session(&at.reply(app(&token)).await);
    for _ in 0..3 {
        let again = session(&at.reply(app(&token)).await);
        assert_ne!(again, first);
        assert_eq!(at.whose(&again).await, Some(("lin".to_owned(), Kind::App)));
        assert_eq!(at.whose(&first).await, None, "the earlier one is over");
        assert_eq!(at.sessions(), 1);
    }
    // Another token is another sign-in.
    let last = session(&at.reply(at.app("lin")).await);
    assert!(at.whose(&last).await.is_some());
    assert_eq!(at.sessions(), 2);
}

#[tokio::test]
async fn hand_twice_of_equal_tokens_at_once_one_session_lives() {
    for customer in ["lin", "nora"] {
        let at = setting().await;
        let token = at.token(customer);
        let replies = join_all((0..6).map(|_| at.reply(app(&token)))).await;
        let good: Vec<_> = replies.iter().filter(|reply| reply.status() == 200).collect();
        assert!(!good.is_empty(), "{customer}");
        assert_eq!(at.sessions(), 1, "{customer}");
        let mut live = 0;
        for reply in good {
            live += usize::from(at.whose(&session(reply)).await.is_some());
        }
        assert_eq!(live, 1, "{customer}");
        let whose = at.account_of(customer).await.unwrap();
        let accounts = at.stack.dynamodb.scan("accounts").unwrap();
        assert_eq!(accounts.iter().filter(|row| row["id"]["S"] == whose.as_str()).count(), 1);
    }
}

#[tokio::test]
async fn hand_twice_a_token_goes_from_an_app_to_a_browser_and_back() {
    let at = setting().await;
    let token = at.token("lin");
    let app_session = session(&at.reply(app(&token)).await);
    let in_browser = cookie(&at.reply(browser(&token)).await, SESSION).unwrap();
    assert_eq!(at.whose(&app_session).await, None);
    // The browser that has the session hands its token over once more.
    let again = at.reply(browser(&token).cookie(SESSION, &in_browser)).await;
    let again = cookie(&again, SESSION).unwrap();
    assert_eq!(at.whose(&in_browser).await, None);
    assert_eq!(at.whose(&again).await, Some(("lin".to_owned(), Kind::Browser)));
    assert_eq!(at.sessions(), 1);
}

#[tokio::test]
async fn k08_the_table_keeps_neither_the_token_nor_what_opens_the_session() {
    let at = setting().await;
    let token = at.token("lin");
    let opened = session(&at.reply(app(&token)).await);
    let (_, secret) = opened.split_once('.').unwrap();
    for table in ["tickets", "sessions", "identities", "accounts"] {
        let rows = format!("{:?}", at.stack.dynamodb.scan(table).unwrap());
        assert!(!rows.contains(&token) && !rows.contains(secret), "{table}");
    }
    let rows = at.stack.dynamodb.scan("tickets").unwrap();
    let row = rows.iter().find(|row| row["sk"]["S"] == "HANDED").unwrap();
    assert_eq!(row["ttl"]["N"], (super::NOON.0 + 3600).to_string(), "for an hour at most");
}

#[tokio::test]
async fn a_token_that_comes_again_before_the_password_opens_another_ticket() {
    let at = setting().await;
    let token = at.token("ann");
    let tickets = [told(&at.reply(app(&token)).await), told(&at.reply(app(&token)).await)];
    assert_ne!(tickets[0]["ticket"], tickets[1]["ticket"]);
    for told in tickets {
        assert_eq!(told["status"], json!("link_required"));
        let key = LinkTicket::presented(told["ticket"].as_str().unwrap()).unwrap();
        assert!(at.handoff.entrance.tickets.find(&key).await.unwrap().is_some());
    }
    assert_eq!(at.sessions(), 0);
}
