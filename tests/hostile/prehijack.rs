//! Accounts that somebody prepares for a victim who comes later: the five ways that are known, each for a
//! victim who comes by the website, by an app or at a television; and each with an account that the
//! attacker opened in her name, and with one of her own whose password the attacker has learnt.

use local_stack::{
    Stack,
    amazon::{Customer, SHOP_CLIENT_ID},
};
use serde_json::{Value, json};
use tests::{Browser, SESSION};

use crate::{
    entries::{Came, Entry, Site},
    pretenders::pretend,
    stack,
};

const VICTIM: &str = "vera@example.com";
/// The password that the attacker knows.
const KNOWN: &str = "the-squatter-knows-it";
/// The one that she chooses, in the end or from the start.
const HER_OWN: &str = "vera-chose-it-herself";
/// How long it takes until guesses are free again.
const A_WHILE: i64 = 16 * 60;

/// Whose account it was at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Account {
    /// The attacker opened it with her address.
    Squatted,
    /// She opened it.
    Clean,
}

/// All ways in that a victim has, with both accounts.
fn combinations() -> impl Iterator<Item = (Entry, Account)> {
    let accounts = [Account::Squatted, Account::Clean];
    Entry::ALL.into_iter().flat_map(move |entry| accounts.map(|account| (entry, account)))
}

/// Opens an account at the shop's desk; tells its id.
async fn open_at_the_desk<'a>(stack: &'a Stack, password: &str) -> (Browser<'a>, String) {
    let browser = Browser::new(stack);
    let fields = [("email", VICTIM), ("name", "Not Vera"), ("password", password)];
    assert_eq!(browser.post("/register", &fields).await.status, 303);
    let account = account_with(stack, VICTIM)["id"]["S"].as_str().unwrap().to_owned();
    assert_eq!(browser.account().await.as_deref(), Some(account.as_str()));
    (browser, account)
}

async fn sign_in_at_the_desk<'a>(stack: &'a Stack, password: &str) -> Browser<'a> {
    let browser = Browser::new(stack);
    let fields = [("email", VICTIM), ("password", password)];
    assert_eq!(browser.post("/sign-in", &fields).await.status, 303);
    browser
}

/// An account whose password the attacker knows, and the attacker, signed in to it.
async fn prepared<'a>(site: &'a Site, account: Account) -> (Browser<'a>, String) {
    let stack = site.anew();
    pretend(stack, "vera", VICTIM);
    pretend(stack, "squatter", VICTIM);
    let (opener, id) = open_at_the_desk(stack, KNOWN).await;
    site.later(60);
    match account {
        Account::Squatted => (opener, id),
        Account::Clean => (sign_in_at_the_desk(stack, KNOWN).await, id),
    }
}

/// The one account with this address.
fn account_with(stack: &Stack, email: &str) -> Value {
    let rows = stack.dynamodb.scan("accounts").unwrap().into_iter();
    let mut rows: Vec<_> = rows.filter(|row| row["email"]["S"] == email).collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

/// Where an Amazon identity leads.
fn link_of(stack: &Stack, customer: &str) -> Option<String> {
    let key = format!("AMAZON#{}", stack.amazon.user_id(customer, SHOP_CLIENT_ID));
    let row = stack.dynamodb.get("identities", &[("pk", &key)]).unwrap();
    row["account_id"]["S"].as_str().map(str::to_owned)
}

/// She reads the mail of her address, and chooses a password.
async fn reset(site: &Site) {
    let browser = Browser::new(&site.stack);
    let mailed = browser.post("/reset-password", &[("email", VICTIM)]).await;
    let form = browser.get(&mailed.link("Choose a new password")).await;
    let fields = [("token", form.input("token")), ("password", HER_OWN)];
    assert_eq!(browser.post("/reset-password/new", &fields).await.page(), "password-changed");
    site.later(60);
}

/// The site's server tells what happened.
async fn tell(site: &Site, kind: &str, account: &str) {
    let at = site.stack.now().rfc3339();
    let event = json!({ "type": kind, "account_id": account, "at": at });
    assert!(site.stack.invoke("lifecycle", event.to_string()).await.is_some(), "{kind}");
    site.later(60);
}

/// She removes what was linked to her account.
async fn unlink(site: &Site) {
    let vera = sign_in_at_the_desk(&site.stack, HER_OWN).await;
    let page = vera.get("/auth/connections").await;
    let fields = [("csrf", page.input("csrf"))];
    let page = vera.land(vera.post("/auth/connections/amazon/unlink", &fields).await).await;
    assert!(page.says("No Amazon account is connected"), "{}", page.text);
}

/// She comes, is asked for the password, and is in.
async fn comes_in(site: &Site, entry: Entry, account: &str) {
    site.later(A_WHILE);
    let vera = site.come(entry, "vera").await;
    assert_eq!(vera.came, Came::Asked, "{entry:?}");
    assert_eq!(site.prove(&vera, HER_OWN).await.as_deref(), Ok(account), "{entry:?}");
    assert_eq!(link_of(&site.stack, "vera").as_deref(), Some(account));
    // From now on Amazon is enough, whichever way she comes.
    for entry in Entry::ALL {
        site.later(A_WHILE);
        assert_eq!(site.come(entry, "vera").await.came, Came::In(account.to_owned()), "{entry:?}");
    }
}

/// By no way in does the attacker's Amazon account lead anywhere, with the password that was known.
async fn attacker_is_out(site: &Site, why: &str) {
    for entry in Entry::ALL {
        site.later(A_WHILE);
        let again = site.come(entry, "squatter").await;
        assert_eq!(again.came, Came::Asked, "{entry:?} {why}");
        let guessed = site.prove(&again, KNOWN).await;
        assert_eq!(guessed, refused(401, "wrong_password"), "{entry:?} {why}");
    }
}

fn refused(status: u16, code: &str) -> Result<String, (u16, String)> {
    Err((status, code.to_owned()))
}

/// Whether anything is left of a browser's sessions, ours and the shop's.
async fn is_out(browser: &Browser<'_>, why: &str) {
    assert_eq!(browser.account().await, None, "{why}");
    assert_eq!(browser.who().await, "Guest", "{why}");
    assert_eq!(browser.get("/api/orders").await.status, 403, "{why}");
}

#[tokio::test]
async fn e01_whoever_comes_by_amazon_is_not_merged_with_an_account_that_has_the_address() {
    let site = Site::open().await;
    let mut ran = 0;
    for (entry, kind) in combinations() {
        let why = format!("{entry:?}, {kind:?}");
        let (attacker, account) = prepared(&site, kind).await;
        let stack = &site.stack;

        let vera = site.come(entry, "vera").await;
        assert_eq!(vera.came, Came::Asked, "{why}");
        assert_eq!(site.prove(&vera, HER_OWN).await, refused(401, "wrong_password"), "{why}");
        assert_eq!(link_of(stack, "vera"), None, "{why}");
        // The address is hers: with a new password the very same question lets her in.
        reset(&site).await;
        assert_eq!(site.prove(&vera, HER_OWN).await, Ok(account.clone()), "{why}");
        assert_eq!(link_of(stack, "vera"), Some(account.clone()), "{why}");

        is_out(&attacker, &why).await;
        attacker_is_out(&site, &why).await;
        // Not even whoever learns the new one adds a second Amazon account.
        site.later(A_WHILE);
        let again = site.come(entry, "squatter").await;
        assert_eq!(site.prove(&again, HER_OWN).await, refused(409, "already_linked"), "{why}");
        assert_eq!(link_of(stack, "squatter"), None, "{why}");
        assert_eq!(site.come(entry, "vera").await.came, Came::In(account), "{why}");
        ran += 1;
    }
    println!("{ran} combinations of a merge");
}

#[tokio::test]
async fn e02_no_session_that_was_kept_alive_outlives_what_gives_her_the_account_back() {
    let site = Site::open().await;
    let mut ran = 0;
    for (entry, kind) in combinations() {
        for recovers in ["password_reset", "disabled"] {
            let why = format!("{entry:?}, {kind:?}, {recovers}");
            let (attacker, account) = prepared(&site, kind).await;
            let copy = attacker.copy();
            for _ in 0..5 {
                site.later(11 * 3600);
                assert_eq!(attacker.account().await.as_deref(), Some(&*account), "{why}");
            }

            if recovers == "disabled" {
                // The site closes the account while it looks into it.
                tell(&site, "disabled", &account).await;
                assert_eq!((attacker.account().await, copy.account().await), (None, None), "{why}");
                tell(&site, "enabled", &account).await;
                assert_eq!((attacker.account().await, copy.account().await), (None, None), "{why}");
            }
            reset(&site).await;

            is_out(&attacker, &why).await;
            is_out(&copy, &why).await;
            comes_in(&site, entry, &account).await;
            is_out(&attacker, &why).await;
            assert_eq!(attacker.get("/auth/connections").await.status, 401, "{why}");
            ran += 1;
        }
    }
    println!("{ran} combinations of a session");
}

#[tokio::test]
async fn e03_an_amazon_account_that_was_planted_opens_nothing_once_she_has_a_new_password() {
    let site = Site::open().await;
    let mut ran = 0;
    for (entry, kind) in combinations() {
        let why = format!("{entry:?}, {kind:?}");
        let (attacker, account) = prepared(&site, kind).await;
        let page = attacker.get("/auth/connections").await;
        let link = [("csrf", page.input("csrf"))];
        let away = attacker.post("/auth/connections/amazon/link", &link).await;
        assert_eq!(attacker.allow(away.location(), "squatter").await.status, 303, "{why}");
        assert_eq!(link_of(&site.stack, "squatter"), Some(account.clone()), "it is planted");
        let mut sessions = Vec::new();
        for entry in Entry::ALL {
            let planted = site.come(entry, "squatter").await;
            assert_eq!(planted.came, Came::In(account.clone()), "{why}");
            sessions.push(planted);
        }

        reset(&site).await;

        is_out(&attacker, &why).await;
        for session in &sessions {
            assert_eq!(session.account().await, None, "{why}");
        }
        attacker_is_out(&site, &why).await;
        // She is told that somebody else's is there, and nothing is overwritten.
        site.later(A_WHILE);
        let vera = site.come(entry, "vera").await;
        assert_eq!(vera.came, Came::Asked, "{why}");
        assert_eq!(site.prove(&vera, HER_OWN).await, refused(409, "already_linked"), "{why}");
        unlink(&site).await;
        assert_eq!(link_of(&site.stack, "squatter"), None, "{why}");
        comes_in(&site, entry, &account).await;
        attacker_is_out(&site, &why).await;
        ran += 1;
    }
    println!("{ran} combinations of a planted identity");
}

#[tokio::test]
async fn e04_what_was_left_half_done_is_not_finished_after_she_has_the_account_back() {
    let site = Site::open().await;
    let mut ran = 0;
    for (entry, kind) in combinations() {
        for recovers in ["password_reset", "email_changed", "deleted"] {
            let why = format!("{entry:?}, {kind:?}, {recovers}");
            let (attacker, account) = prepared(&site, kind).await;
            let stack = &site.stack;
            pretend(stack, "mallory", "mallory@example.com");
            let page = attacker.get("/auth/connections").await;
            let link = [("csrf", page.input("csrf"))];
            let away = attacker.post("/auth/connections/amazon/link", &link).await;
            let back = stack.amazon.allow(away.location(), "mallory").unwrap();
            let mut left = Vec::new();
            for entry in Entry::ALL {
                let visit = site.come(entry, "squatter").await;
                assert_eq!(visit.came, Came::Asked, "{why}");
                left.push((entry, visit));
            }

            if recovers == "deleted" {
                // The site removes the account, and she opens one anew.
                stack.dynamodb.delete("accounts", &[("id", &account)]).unwrap();
                tell(&site, "deleted", &account).await;
            } else if recovers == "email_changed" {
                tell(&site, "email_changed", &account).await;
            }
            let account = match recovers {
                "deleted" => open_at_the_desk(stack, HER_OWN).await.1,
                _ => {
                    reset(&site).await;
                    account
                }
            };

            let answer = attacker.come_back(&back).await;
            assert_eq!((answer.status, answer.code()), (401, "not_signed_in"), "{why}");
            assert_eq!(link_of(stack, "mallory"), None, "{why}");
            is_out(&attacker, &why).await;
            for (entry, visit) in &left {
                let proven = site.prove(visit, KNOWN).await;
                let cancelled = recovers != "password_reset" && *entry != Entry::Television;
                let expected = match cancelled {
                    true => refused(410, "ticket_expired"),
                    // A ticket opens nothing but by the password of today.
                    false => refused(401, "wrong_password"),
                };
                assert_eq!(proven, expected, "{why}: left by {entry:?}");
            }
            comes_in(&site, entry, &account).await;
            for (_, visit) in &left[..2] {
                assert_eq!(
                    site.prove(visit, HER_OWN).await,
                    refused(410, "ticket_expired"),
                    "{why}"
                );
            }
            assert_eq!(link_of(stack, "squatter"), None, "{why}");
            ran += 1;
        }
    }
    println!("{ran} combinations of what was left half done");
}

#[tokio::test]
async fn e05_an_address_that_amazon_tells_and_nobody_verified_gives_nobody_an_account() {
    let site = Site::open().await;
    let mut ran = 0;
    for (entry, kind) in combinations() {
        let why = format!("{entry:?}, {kind:?}");
        let stack = site.anew();
        pretend(stack, "vera", VICTIM);
        pretend(stack, "squatter", VICTIM);
        let (first, second) = match kind {
            Account::Squatted => ("squatter", "vera"),
            Account::Clean => ("vera", "squatter"),
        };
        let account = site.newcomer(entry, first).await;
        let mut row = account_with(stack, VICTIM);
        assert_eq!(row["email_verified"]["BOOL"], false, "{row}");
        assert!(row.get("password_hash").is_none(), "{row}");

        for entry in Entry::ALL {
            site.later(A_WHILE);
            let visit = site.come(entry, second).await;
            assert_eq!(visit.came, Came::Told(403, "no_password".to_owned()), "{why}");
            assert_eq!(link_of(stack, second), None, "{why}");
            let first = site.come(entry, first).await;
            assert_eq!(first.came, Came::In(account.clone()), "nothing changed for the first");
        }
        // An app has asked for a postal code, and what was empty is filled.
        let mut now = account_with(stack, VICTIM);
        now.as_object_mut().unwrap().remove("postal_code");
        row.as_object_mut().unwrap().remove("postal_code");
        assert_eq!(now, row, "{why}");
        let desk = Browser::new(stack);
        let fields = [("email", VICTIM), ("name", "Vera"), ("password", HER_OWN)];
        assert_eq!(desk.post("/register", &fields).await.status, 409, "one address, one account");
        assert!(desk.cookie(SESSION).is_none(), "{why}");

        if kind == Account::Squatted {
            let kept = site.come(Entry::Website, "squatter").await;
            // Whoever reads the mail of the address has the account in the end.
            reset(&site).await;
            assert_eq!(kept.account().await, None, "{why}");
            attacker_is_out(&site, &why).await;
            unlink(&site).await;
            comes_in(&site, entry, &account).await;
            attacker_is_out(&site, &why).await;
        }
        ran += 1;
    }
    println!("{ran} combinations of an address that nobody verified");
}

#[tokio::test]
async fn e05_an_account_that_was_opened_with_the_victims_address_is_never_entered_by_the_victim() {
    let stack = stack().await;
    pretend(&stack, "squatter", VICTIM);
    let squatter = Browser::new(&stack);
    assert_eq!(squatter.sign_in_at_amazon("squatter", "/").await.status, 303);
    let account = squatter.account().await.unwrap();
    let row = account_with(&stack, VICTIM);
    assert_eq!(row["email_verified"]["BOOL"], false, "{row}");
    assert!(row.get("password_hash").is_none(), "{row}");

    for spelling in [VICTIM, "Vera@Example.com", "VERA@EXAMPLE.COM"] {
        pretend(&stack, "vera", spelling);
        let vera = Browser::new(&stack);
        let refused = vera.sign_in_at_amazon("vera", "/checkout").await;
        assert_eq!((refused.status, refused.code()), (403, "no_password"), "{spelling}");
        assert_eq!((vera.account().await, link_of(&stack, "vera")), (None, None), "{spelling}");
    }
    // Nor by typing the address, where Amazon tells none.
    stack.amazon.change("vera", |vera| vera.email = None);
    let vera = Browser::new(&stack);
    let page = vera.asked_after_amazon("vera", "/").await;
    let fields = [("csrf", page.input("csrf")), ("email", VICTIM)];
    let refused = vera.post("/auth/amazon/register", &fields).await;
    assert_eq!((refused.status, refused.code()), (403, "no_password"));
    assert_eq!((vera.account().await, link_of(&stack, "vera")), (None, None));

    assert_eq!(account_with(&stack, VICTIM), row);
    assert_eq!(
        squatter.account().await,
        Some(account),
        "and nothing changed for whoever was first"
    );
}

#[tokio::test]
async fn e06_whatever_becomes_of_the_address_at_amazon_the_account_is_the_same() {
    let stack = stack().await;
    let lin = Browser::new(&stack);
    let before = stack.dynamodb.scan("accounts").unwrap();
    let addresses = [
        Some("lin@example.com"),
        Some("ann@example.com"),
        Some("ANN@example.com"),
        Some("Mia@Example.com"),
        Some("dora@example.com"),
        Some("otto@example.com"),
        Some("lin+1@example.com"),
        Some("l.in@example.com"),
        Some("l\u{131}n@example.com"),
        Some("lin@ex\u{430}mple.com"),
        Some("nobody@example.com"),
        Some("no address at all"),
        Some("ann@example.com\r\nlin@example.com"),
        Some(""),
        None,
        Some("lin@example.com"),
    ];
    for email in addresses {
        stack.amazon.change("lin", |lin: &mut Customer| lin.email = email.map(str::to_owned));
        let fresh = Browser::new(&stack);
        for browser in [&lin, &fresh] {
            assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303, "{email:?}");
            assert_eq!(browser.account().await.as_deref(), Some("lin"), "{email:?}");
        }
        assert_eq!(stack.dynamodb.scan("accounts").unwrap(), before, "{email:?}");
    }
    let tickets = stack.dynamodb.scan("tickets").unwrap();
    assert!(tickets.iter().all(|row| row["sk"]["S"] == "STATE"), "nobody was asked anything");
}
