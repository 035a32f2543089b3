use std::time::Duration;

use domain::{
    Account, AccountId, Clock, SessionToken, Status, Timestamp,
    session::{How, Kind, Session},
};
use local_stack::{Stack, dynamodb::Fault, specimen::Specimen};
use serde_json::{Value, json};
use web::Invoke as _;

use crate::{
    handler::{Authorizer, denied},
    open,
};

const NOON: Timestamp = Timestamp(1_795_167_000);
const COOKIE: &str = "__Host-lwa_session";

struct Setting {
    stack: Stack,
    authorizer: Authorizer,
    session: Session,
    token: SessionToken,
}

async fn signed_in(kind: Kind) -> Setting {
    let stack = Stack::doors().await.unwrap();
    let authorizer = open(&stack.settings("authorizer").into_iter().collect()).await.unwrap();
    let authorizer = Authorizer { clock: Clock::Stopped(NOON), ..authorizer };
    let account = Account {
        id: AccountId::parse("ann").unwrap(),
        email: None,
        name: None,
        status: Status::Active,
        has_password: true,
    };
    let week = Duration::from_secs(604_800);
    let (token, session) =
        Session::start(&account, kind, How::Amazon, 0, week, NOON, &mut web::rng());
    let writes = authorizer.sessions.open(&token, &session).unwrap();
    store::commit(&authorizer.sessions.client, writes.into()).await.unwrap();
    stack.dynamodb.reset_requests();
    Setting { stack, authorizer, session, token }
}

impl Setting {
    /// What the gateway is told; where the function itself fails, `main` says no.
    async fn answer(&self, specimen: Specimen) -> Value {
        let event = serde_json::from_str(&specimen.event()).unwrap();
        self.authorizer.invoke(event).await.unwrap_or_else(|_| denied())
    }

    fn with_cookie(&self) -> Specimen {
        Specimen::of("authorizer").cookie(COOKIE, &self.token.expose())
    }

    fn with_bearer(&self) -> Specimen {
        let specimen = Specimen::of("authorizer").without_cookie(COOKIE);
        specimen.header("authorization", &format!("Bearer {}", self.token.expose()))
    }
}

#[tokio::test]
async fn authz_whoever_is_signed_in_passes_and_the_site_is_told_who() {
    for kind in Kind::ALL {
        let at = signed_in(kind).await;
        let specimen = if kind.is_bearer() { at.with_bearer() } else { at.with_cookie() };

        let answer = at.answer(specimen).await;

        let context =
            json!({ "account_id": "ann", "session_id": at.session.id, "kind": kind.as_str() });
        assert_eq!(answer, json!({ "isAuthorized": true, "context": context }));
        assert_eq!(at.stack.dynamodb.requests(), ["GetItem sessions"], "one read");
    }
}

#[tokio::test]
async fn c19_a_session_passes_only_where_its_kind_travels() {
    let browser = signed_in(Kind::Browser).await;
    assert_eq!(browser.answer(browser.with_bearer()).await, denied());
    let app = signed_in(Kind::App).await;
    assert_eq!(app.answer(app.with_cookie()).await, denied());
}

#[tokio::test]
async fn c18_what_a_client_says_of_itself_is_not_asked() {
    let at = signed_in(Kind::Browser).await;
    let spoofed = at.with_cookie().header("x-account-id", "bob").header("remote-user", "bob");
    assert_eq!(at.answer(spoofed).await["context"]["account_id"], "ann");
    let without = Specimen::of("authorizer").without_cookie(COOKIE).header("remote-user", "bob");
    assert_eq!(at.answer(without).await, denied());
}

#[tokio::test]
async fn c15_a_session_that_has_ended_passes_no_more() {
    let at = signed_in(Kind::Browser).await;
    assert_eq!(at.answer(at.with_cookie()).await["isAuthorized"], true);
    at.authorizer.sessions.end(&at.token, false).await.unwrap();
    assert_eq!(at.answer(at.with_cookie()).await, denied());

    let at = signed_in(Kind::Browser).await;
    let late = Clock::Stopped(NOON + Duration::from_hours(12));
    let authorizer = Authorizer { clock: late, ..at.authorizer };
    let at = Setting { authorizer, ..at };
    assert_eq!(at.answer(at.with_cookie()).await, denied(), "idle for too long");
}

#[tokio::test]
async fn c16_whatever_goes_wrong_nobody_passes() {
    let at = signed_in(Kind::Browser).await;
    for event in [json!(null), json!({}), json!([]), json!("x"), json!({ "requestContext": 1 })] {
        let answer = at.authorizer.invoke(event.clone()).await.unwrap_or_else(|_| denied());
        assert_eq!(answer, denied(), "{event}");
    }
    for cookie in ["", "x", &"a".repeat(9000)] {
        let specimen = Specimen::of("authorizer").cookie(COOKIE, cookie);
        assert_eq!(at.answer(specimen).await, denied());
    }
    let twins = at.with_cookie().another_cookie(COOKIE, "p1lVxNXk");
    assert_eq!(at.answer(twins).await, denied());
    assert!(at.stack.dynamodb.requests().is_empty(), "none of these was looked up");

    at.stack.dynamodb.fault("GetItem", 0, None, Fault::Broken);
    assert_eq!(at.answer(at.with_cookie()).await, denied());
}

#[tokio::test]
async fn c21_the_use_of_a_session_is_noted_and_need_not_be() {
    let at = signed_in(Kind::Browser).await;
    let later = Clock::Stopped(NOON + Duration::from_mins(5));
    let at = Setting { authorizer: Authorizer { clock: later, ..at.authorizer }, ..at };
    at.stack.dynamodb.fault("UpdateItem", 0, None, Fault::Broken);
    assert_eq!(at.answer(at.with_cookie()).await["isAuthorized"], true);
}
