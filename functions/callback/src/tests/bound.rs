//! Ways to Amazon that somebody who is signed in has begun.

use std::time::Duration;

use domain::{
    Account, SessionToken, Status,
    lifecycle::{Event, Kind as Happening},
    session::{How, Kind, Session},
};
use store::{Commit, Lifecycle};

use super::*;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

impl Setting {
    /// Signs somebody in by the account's password.
    async fn sign_in(&self, account: &str, how: How) -> SessionToken {
        let account = Account {
            id: AccountId::parse(account).unwrap(),
            email: None,
            name: None,
            status: Status::Active,
            has_password: true,
        };
        let (kind, week) = (Kind::Browser, Duration::from_secs(604_800));
        let sessions = &self.callback.entrance.sessions;
        let epoch = sessions.epoch(&account.id).await.unwrap();
        let (token, session) =
            Session::start(&account, kind, how, epoch, week, LEFT, &mut web::rng());
        let writes = sessions.open(&token, &session).unwrap();
        let written = store::commit(&sessions.client, writes.into()).await.unwrap();
        assert_eq!(written, Commit::Done);
        token
    }

    async fn session(&self, token: &str) -> Option<Session> {
        let token = SessionToken::presented(token).unwrap();
        self.callback.entrance.sessions.find(&token).await.unwrap()
    }

    /// This customer comes back from Amazon, where the holder of a session has gone to link or prove.
    fn back_for(&self, customer: &str, word: &str, bound: &SessionToken) -> Specimen {
        let entry = format!("{STATE}.{VERIFIER}.{}.Lw.{word}.{}", LEFT.0, bound.hash());
        let specimen = self.back(customer).cookie("__Host-lwa_login", &entry);
        specimen.cookie("__Host-lwa_session", &bound.expose())
    }

    fn at(mut self, now: Timestamp) -> Self {
        self.callback.entrance.clock = Clock::Stopped(now);
        self
    }

    async fn apply(&self, kind: Happening, account: &str, at: Timestamp) {
        let entrance = &self.callback.entrance;
        let tables = Lifecycle {
            identities: entrance.identities.clone(),
            sessions: entrance.sessions.clone(),
            tickets: entrance.tickets.clone(),
            tells: false,
        };
        let event = Event { kind, account: AccountId::parse(account).unwrap(), at };
        tables.apply(&event, at, &mut web::rng()).await.unwrap();
    }
}

#[tokio::test]
async fn c02_somebody_who_is_signed_in_links_and_the_session_is_new() {
    let at = setting().await;
    let token = at.sign_in("bob", How::Password).await;

    let reply = at.reply(at.back_for("nora", "link", &token)).await;

    assert_eq!(reply.status(), 303);
    assert_eq!(location(&reply), "https://shop.example/auth/connections");
    assert_eq!(at.account_of("nora").await.as_deref(), Some("bob"));
    let renewed = session(&reply);
    assert_eq!(at.whose(&renewed).await.as_deref(), Some("bob"));
    assert_eq!(at.whose(&token.expose()).await, None, "the old token opens nothing");
    let back = at.reply(at.back_again("nora", &renewed)).await;
    assert_eq!(at.whose(&session(&back)).await.as_deref(), Some("bob"), "Amazon is enough now");
}

#[tokio::test]
async fn e12_an_address_does_not_matter_where_a_session_says_whose_account_it_is() {
    let at = setting().await;
    // Amazon's Ann has the address of the shop's Ann; Bob links her to his own account.
    let token = at.sign_in("bob", How::Password).await;
    let reply = at.reply(at.back_for("ann", "link", &token)).await;
    assert_eq!(reply.status(), 303);
    assert_eq!(at.account_of("ann").await.as_deref(), Some("bob"));
    assert_eq!(at.row("bob").await["email"]["S"], "bob@example.com");
}

#[tokio::test]
async fn a_page_of_the_site_is_led_back_to() {
    let at = setting().await;
    let token = at.sign_in("bob", How::Password).await;
    let entry = format!("{STATE}.{VERIFIER}.{}.L3NldHRpbmdz.link.{}", LEFT.0, token.hash());
    let specimen = at.back_for("nora", "link", &token).cookie("__Host-lwa_login", &entry);
    assert_eq!(location(&at.reply(specimen).await), "https://shop.example/settings");
}

#[tokio::test]
async fn e13_e14_nobody_is_linked_twice() {
    let at = setting().await;
    let bob = at.sign_in("bob", How::Password).await;
    let reply = at.reply(at.back_for("lin", "link", &bob)).await;
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (409, "already_linked"));
    assert!(!page(&reply).contains("Lin"), "whose it is, is not told");
    assert_eq!(at.account_of("lin").await.as_deref(), Some("lin"));

    let at = setting().await;
    let lin = at.sign_in("lin", How::Password).await;
    let reply = at.reply(at.back_for("nora", "link", &lin)).await;
    assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (409, "already_linked"));
    assert_eq!(at.account_of("nora").await, None);
    assert!(at.session(&lin.expose()).await.is_some(), "nothing was changed");

    let at = setting().await;
    let lin = at.sign_in("lin", How::Password).await;
    let reply = at.reply(at.back_for("lin", "link", &lin)).await;
    assert_eq!(location(&reply), "https://shop.example/auth/connections", "it is done already");
}

#[tokio::test]
async fn a04_a_way_that_was_begun_for_one_thing_is_good_for_no_other() {
    // Begun to sign in: a customer who is not known does not become linked to who is signed in.
    let at = setting().await;
    let token = at.sign_in("bob", How::Password).await;
    let specimen = at.back("nora").cookie("__Host-lwa_session", &token.expose());
    at.reply(specimen).await;
    assert_eq!(at.account_of("nora").await, None);

    // Begun to link or to prove: nobody is signed in by it, whatever became of the session.
    for (word, whose) in ["link", "prove"]
        .into_iter()
        .flat_map(|word| [(word, None), (word, Some("lin")), (word, Some("bob"))])
    {
        let at = setting().await;
        let token = at.sign_in("lin", How::Password).await;
        let begun = at.back_for("lin", word, &token);
        let specimen = match whose {
            None => begun.without_cookie("__Host-lwa_session"),
            // Another session, even of the same account.
            Some(account) => {
                let other = at.sign_in(account, How::Password).await;
                begun.cookie("__Host-lwa_session", &other.expose())
            }
        };
        let reply = at.reply(specimen).await;
        let ended = (reply.status().as_u16(), code(&reply));
        assert_eq!(ended, (401, "not_signed_in".into()), "{word}, {whose:?}");
        assert_eq!(at.amazon_calls(), 0, "nothing was redeemed");
    }
}

#[tokio::test]
async fn only_a_fresh_proof_links() {
    let at = setting().await;
    let never = at.sign_in("bob", How::Amazon).await;
    let reply = at.reply(at.back_for("nora", "link", &never)).await;
    let needed = (403, "reauthentication_required".to_owned());
    assert_eq!((reply.status().as_u16(), code(&reply)), needed);
    assert!(page(&reply).contains("href=\"/auth/reauthenticate\""));
    assert_eq!(at.account_of("nora").await, None);

    // The cookie's own word of when it began is not asked.
    for (minutes, linked) in [(4, true), (5, false)] {
        let at = setting().await;
        let token = at.sign_in("bob", How::Password).await;
        let at = at.at(LEFT + Duration::from_mins(minutes));
        let entry = format!(
            "{STATE}.{VERIFIER}.{}.Lw.link.{}",
            (LEFT + Duration::from_mins(minutes)).0,
            token.hash()
        );
        let specimen = at.back_for("nora", "link", &token).cookie("__Host-lwa_login", &entry);
        at.reply(specimen).await;
        assert_eq!(at.account_of("nora").await.is_some(), linked, "{minutes} minutes");
    }
}

#[tokio::test]
async fn f04_e03_what_happens_to_the_account_meanwhile_is_heeded() {
    for kind in [Happening::PasswordReset, Happening::Disabled, Happening::Deleted] {
        let at = setting().await;
        let token = at.sign_in("bob", How::Password).await;
        let specimen = at.back_for("nora", "link", &token);
        at.apply(kind, "bob", LEFT).await;
        let reply = at.reply(specimen).await;
        assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (401, "not_signed_in"));
        assert_eq!(at.account_of("nora").await, None, "{kind:?}");
    }
    for closed in ["dora", "kim"] {
        let at = setting().await;
        let token = at.sign_in(closed, How::Password).await;
        let reply = at.reply(at.back_for("nora", "link", &token)).await;
        assert_eq!((reply.status().as_u16(), code(&reply).as_str()), (403, "account_closed"));
    }
}

#[tokio::test]
async fn a_link_that_must_be_proven_again_is_proven_by_linking_once_more() {
    let at = setting().await;
    at.apply(Happening::PasswordReset, "lin", LEFT).await;
    let token = at.sign_in("lin", How::Password).await;
    let reply = at.reply(at.back_for("lin", "link", &token)).await;
    assert_eq!(reply.status(), 303);
    let identity = at.callback.entrance.identities.find(&at.amazon_id("lin")).await;
    assert!(!identity.unwrap().unwrap().prove_again);
}

#[tokio::test]
async fn reauth_an_account_without_a_password_is_proven_by_its_own_customer() {
    let at = setting().await;
    at.stack.link("nora", "otto").await.unwrap();
    let token = at.sign_in("otto", How::Amazon).await;

    let stranger = at.reply(at.back_for("lin", "prove", &token)).await;
    let needed = (403, "reauthentication_required".to_owned());
    assert_eq!((stranger.status().as_u16(), code(&stranger)), needed);
    assert!(!at.session(&token.expose()).await.unwrap().is_proven(LEFT));

    let at = setting().await;
    at.stack.link("nora", "otto").await.unwrap();
    let token = at.sign_in("otto", How::Amazon).await;
    let reply = at.reply(at.back_for("nora", "prove", &token)).await;
    assert_eq!(location(&reply), "https://shop.example/auth/connections");
    assert!(at.session(&session(&reply)).await.unwrap().is_proven(LEFT));
    assert_eq!(at.whose(&token.expose()).await, None);

    // Whoever has a password gives that.
    let at = setting().await;
    let token = at.sign_in("lin", How::Amazon).await;
    let reply = at.reply(at.back_for("lin", "prove", &token)).await;
    assert_eq!((reply.status().as_u16(), code(&reply)), needed);
}

#[tokio::test]
async fn whoever_says_no_at_amazon_is_back_where_they_were() {
    for word in ["link", "prove"] {
        let at = setting().await;
        let token = at.sign_in("bob", How::Password).await;
        let specimen = at.back_for("nora", word, &token);
        let refused = [("error", "access_denied"), ("state", STATE)];
        let reply = at.reply(specimen.query(&refused)).await;
        assert_eq!(location(&reply), "https://shop.example/auth/connections?amazon=cancelled");
        assert!(at.session(&token.expose()).await.is_some());
    }
}

#[tokio::test]
async fn a05_a_link_that_is_loaded_again_leads_where_it_led() {
    let at = setting().await;
    let token = at.sign_in("bob", How::Password).await;
    let specimen = at.back_for("nora", "link", &token);
    let reply = at.reply(specimen.clone()).await;
    let again = specimen.cookie("__Host-lwa_session", &session(&reply));
    let calls = at.amazon_calls();
    let reply = at.reply(again).await;
    assert_eq!(location(&reply), "https://shop.example/auth/connections");
    assert_eq!(at.amazon_calls(), calls);
}

#[tokio::test]
async fn f04_e03_a_session_that_is_about_to_end_plants_no_link() {
    for word in ["link", "prove"] {
        let at = setting().await;
        at.stack.link("nora", "otto").await.unwrap();
        let account = if word == "link" { "bob" } else { "otto" };
        let token = at.sign_in(account, How::Password).await;
        let specimen = at.back_for(if word == "link" { "max" } else { "nora" }, word, &token);
        // The new password is true already, and the old session not yet deleted.
        at.stack.dynamodb.fault("Query", 0, Some(9), dynamodb::Fault::Broken);
        let entrance = &at.callback.entrance;
        let tables = Lifecycle {
            identities: entrance.identities.clone(),
            sessions: entrance.sessions.clone(),
            tickets: entrance.tickets.clone(),
            tells: false,
        };
        let id = AccountId::parse(account).unwrap();
        let event = Event { kind: Happening::PasswordReset, account: id, at: LEFT };
        tables.apply(&event, LEFT, &mut web::rng()).await.unwrap_err();
        at.stack.dynamodb.clear_faults();
        assert!(at.session(&token.expose()).await.is_some());

        let reply = at.reply(specimen).await;

        assert!([401, 403].contains(&reply.status().as_u16()), "{word}: {}", reply.status());
        assert_eq!(at.account_of("max").await, None);
        tables.apply(&event, LEFT, &mut web::rng()).await.unwrap();
        assert!(at.session(&token.expose()).await.is_none());
        assert!(entrance.sessions.list(&event.account).await.unwrap().is_empty(), "{word}");
    }
}
