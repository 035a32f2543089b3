//! Accounts that somebody prepares for a victim who comes later.

use local_stack::{
    Stack,
    amazon::{Customer, SHOP_CLIENT_ID},
};
use serde_json::Value;
use tests::{Answer, Browser};

use crate::{pretenders::pretend, stack};

const VICTIM: &str = "vera@example.com";
const SQUATTED: &str = "the-squatter-chose-it";
const HER_OWN: &str = "vera-chose-it-herself";

/// Opens an account at the shop's desk; tells its id.
async fn open_at_the_desk(browser: &Browser<'_>, stack: &Stack, password: &str) -> String {
    let fields = [("email", VICTIM), ("name", "Not Vera"), ("password", password)];
    assert_eq!(browser.post("/register", &fields).await.status, 303);
    account_with(stack, VICTIM)["id"]["S"].as_str().unwrap().to_owned()
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

/// Whoever reads the mail of this address chooses a new password.
async fn reset(browser: &Browser<'_>, email: &str, password: &str) {
    let mailed = browser.post("/reset-password", &[("email", email)]).await;
    let form = browser.get(&mailed.link("Choose a new password")).await;
    let fields = [("token", form.input("token")), ("password", password)];
    assert_eq!(browser.post("/reset-password/new", &fields).await.page(), "password-changed");
}

/// What is left of an account's sessions and link after a reset that ends the former and puts the
/// latter in question: the rows as the account system's word will have them written.
fn end_all_and_ask_again(stack: &Stack, account: &str, customer: &str) {
    for row in stack.dynamodb.scan("sessions").unwrap() {
        if row["account_id"]["S"] == account {
            let [pk, sk] = ["pk", "sk"].map(|name| row[name]["S"].as_str().unwrap());
            stack.dynamodb.delete("sessions", &[("pk", pk), ("sk", sk)]).unwrap();
        }
    }
    let key = format!("AMAZON#{}", stack.amazon.user_id(customer, SHOP_CLIENT_ID));
    stack.dynamodb.set("identities", &[("pk", &key)], "prove_again", true).unwrap();
}

fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.text);
}

#[tokio::test]
async fn e01_an_account_that_was_squatted_gets_nothing_of_its_victim() {
    let stack = stack().await;
    let squatter = Browser::new(&stack);
    let account = open_at_the_desk(&squatter, &stack, SQUATTED).await;
    pretend(&stack, "vera", VICTIM);
    pretend(&stack, "squatter", VICTIM);

    // She is told what was matched, and not let into what somebody else can read.
    let vera = Browser::new(&stack);
    let page = vera.asked_after_amazon("vera", "/checkout").await;
    assert!(page.says(VICTIM) && !page.says("Not Vera"), "{}", page.text);
    is(&vera.prove(&page, HER_OWN).await, 401, "wrong_password");
    assert_eq!((vera.account().await, link_of(&stack, "vera")), (None, None));
    // The squatter's password opens the squatter's account at the desk, as before, and no session here.
    assert_eq!(squatter.account().await, None);
    assert_eq!(squatter.who().await, "Not Vera");

    // Her address is hers: she resets the password, and goes on from the very page she was on.
    let forgot = [("csrf", page.input("csrf"))];
    assert_eq!(vera.post("/auth/amazon/link/forgot", &forgot).await.status, 303);
    reset(&vera, VICTIM, HER_OWN).await;
    let late = Browser::new(&stack);
    let theirs = late.asked_after_amazon("squatter", "/").await;
    is(&late.prove(&theirs, SQUATTED).await, 401, "wrong_password");
    assert_eq!(vera.prove(&page, HER_OWN).await.status, 303);

    assert_eq!(vera.account().await.as_deref(), Some(account.as_str()));
    assert_eq!(link_of(&stack, "vera").as_deref(), Some(account.as_str()));
    is(&late.prove(&theirs, SQUATTED).await, 401, "wrong_password");
    // Not even whoever learnt the new one adds a second Amazon account.
    is(&late.prove(&theirs, HER_OWN).await, 409, "already_linked");
    assert_eq!((late.account().await, link_of(&stack, "squatter")), (None, None));
}

#[tokio::test]
async fn e02_e03_what_was_planted_before_a_reset_opens_nothing_after_it() {
    let stack = stack().await;
    let squatter = Browser::new(&stack);
    let account = open_at_the_desk(&squatter, &stack, SQUATTED).await;
    pretend(&stack, "squatter", VICTIM);
    let page = squatter.asked_after_amazon("squatter", "/").await;
    assert_eq!(squatter.prove(&page, SQUATTED).await.status, 303);
    assert_eq!(squatter.account().await.as_deref(), Some(account.as_str()), "they planted a link");

    let vera = Browser::new(&stack);
    reset(&vera, VICTIM, HER_OWN).await;
    end_all_and_ask_again(&stack, &account, "squatter");

    assert_eq!(squatter.account().await, None, "the session that was kept alive is over");
    for address in [VICTIM, "somebody@else.example"] {
        stack.amazon.change("squatter", |squatter| squatter.email = Some(address.to_owned()));
        let again = Browser::new(&stack);
        let page = again.asked_after_amazon("squatter", "/").await;
        is(&again.prove(&page, SQUATTED).await, 401, "wrong_password");
        assert_eq!(again.account().await, None, "the planted link asks for today's password");
    }
    // Loading a callback of before the reset again leads nowhere either.
    assert_eq!(squatter.get("/auth/amazon/link").await.status, 410);
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
        is(&vera.sign_in_at_amazon("vera", "/checkout").await, 403, "no_password");
        assert_eq!((vera.account().await, link_of(&stack, "vera")), (None, None), "{spelling}");
    }
    // Nor by typing the address, where Amazon tells none.
    stack.amazon.change("vera", |vera| vera.email = None);
    let vera = Browser::new(&stack);
    let page = vera.asked_after_amazon("vera", "/").await;
    let fields = [("csrf", page.input("csrf")), ("email", VICTIM)];
    is(&vera.post("/auth/amazon/register", &fields).await, 403, "no_password");
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
