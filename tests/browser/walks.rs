use fantoccini::Locator;
use tests::{Browser, LOGIN, SESSION, TICKET};

use crate::visitor::{Habits, USUAL, Visitor};

const FIELDS: &str = r#"[
    {"name":"phone","label":{"en":"Phone","de":"Telefon"},"type":"tel","required":true},
    {"name":"terms","label":{"en":"I agree to the terms of Corner Shop","de":"Ich bin einverstanden"},"type":"checkbox","required":true}
]"#;

impl Visitor {
    pub(crate) async fn is_called(&self) -> String {
        self.sees("#who").await.text().await.unwrap()
    }

    pub(crate) async fn proves(&self, password: &str) {
        self.types("#password", password).await;
        self.click("form[action='/auth/amazon/link'] button").await;
    }

    pub(crate) async fn has_cookie(&self, name: &str) -> bool {
        let all = self.client.get_all_cookies().await.unwrap();
        all.iter().any(|cookie| cookie.name() == name)
    }
}

#[tokio::test]
async fn lin_changes_her_mind_signs_in_and_logs_out() {
    let lin = Visitor::start("lin", USUAL, &[]).await;
    lin.goto("/checkout").await;
    lin.keep("1-checkout").await;

    lin.click("#amazon").await;
    lin.sees("#persona-lin").await;
    lin.keep("2-amazon").await;
    let url = lin.client.current_url().await.unwrap();
    assert_eq!(url.host_str(), Some("127.0.0.1"), "Amazon is another site");
    lin.click("#persona-lin").await;
    lin.sees("#allow").await;
    lin.keep("3-consent").await;
    lin.click("#cancel").await;
    lin.sees("main[data-page='sign-in'] #cancelled").await;
    lin.keep("4-cancelled").await;
    assert_eq!(lin.is_called().await, "Guest");

    lin.goto("/checkout").await;
    lin.click("#amazon").await;
    // Amazon knows her by now.
    lin.click("#allow").await;
    lin.sees("main[data-page='checkout'] #deliver").await;
    lin.keep("5-signed-in").await;
    assert_eq!(lin.is_called().await, "Lin Linked");
    assert!(lin.has_cookie(SESSION).await && lin.has_cookie(LOGIN).await);
    let seen = lin.client.execute("return document.cookie", Vec::new()).await.unwrap();
    assert!(!seen.to_string().contains("__Host-"), "no script ever sees a cookie of ours: {seen}");

    lin.click("#sign-out").await;
    lin.sees("main[data-page='home'] #amazon").await;
    lin.keep("6-logged-out").await;
    assert_eq!(lin.is_called().await, "Guest");
    assert!(!lin.has_cookie(SESSION).await);
    lin.client.back().await.unwrap();
    lin.client.refresh().await.unwrap();
    lin.sees("main[data-page='checkout'] #amazon").await;
    assert_eq!(lin.is_called().await, "Guest", "the back button brings nobody back");
    lin.leaves().await;
}

#[tokio::test]
async fn lin_is_signed_in_at_a_shop_with_sessions_of_its_own_and_leaves_both() {
    let lin = Visitor::start("lin-twice", USUAL, &[("SignedInPath", "/signed-in")]).await;
    lin.goto("/checkout").await;
    lin.signs_in_at_amazon("lin", true).await;
    lin.sees("main[data-page='checkout'] #deliver").await;
    assert!(lin.has_cookie("shop_session").await && lin.has_cookie(SESSION).await);
    lin.client.delete_cookie(SESSION).await.unwrap();
    lin.goto("/account").await;
    lin.keep("1-the-shop-alone").await;
    let how = lin.sees("main[data-page='account'] #how").await;
    assert_eq!(how.text().await.unwrap(), "at the shop itself");
    assert_eq!(lin.is_called().await, "Lin Linked");

    lin.click("#sign-out").await;
    lin.click("#amazon").await;
    lin.sees("#sign-out").await;
    assert!(lin.has_cookie("shop_session").await && lin.has_cookie(SESSION).await);
    lin.click("#sign-out").await;
    lin.sees("main[data-page='home'] #amazon").await;
    assert!(!lin.has_cookie("shop_session").await && !lin.has_cookie(SESSION).await);
    lin.leaves().await;
}

#[tokio::test]
async fn ann_mistypes_her_password_and_then_connects() {
    let ann = Visitor::start("ann", USUAL, &[]).await;
    ann.goto("/").await;
    ann.signs_in_at_amazon("ann", true).await;
    ann.sees("main[data-code='ok'] #password").await;
    ann.keep("1-link").await;
    let text = ann.text().await;
    assert!(text.contains("There is already an account with the address ann@example.com here."));
    assert!(text.contains("not your Amazon password"));
    let active = ann.client.active_element().await.unwrap();
    assert_eq!(active.attr("id").await.unwrap().as_deref(), Some("password"), "ready to type");

    ann.proves("my-amazon-password").await;
    let alert = ann.sees("main[data-code='wrong_password'] [role='alert']").await;
    assert!(alert.text().await.unwrap().contains("You can try 4 more times."));
    ann.keep("2-wrong-password").await;
    assert!(ann.client.title().await.unwrap().starts_with("Error: "));

    ann.proves("ann-local-password").await;
    ann.sees("main[data-page='home']").await;
    ann.keep("3-connected").await;
    assert_eq!(ann.is_called().await, "Ann Local");
    assert!(!ann.has_cookie(TICKET).await);

    ann.goto("/auth/amazon/link").await;
    ann.sees("main[data-code='ticket_expired']").await;
    ann.keep("4-used-ticket").await;
    ann.goto("/").await;
    ann.click("#sign-out").await;
    ann.click("#amazon").await;
    ann.sees("main[data-page='home'] #checkout").await;
    assert_eq!(ann.is_called().await, "Ann Local", "Amazon is enough from now on");
    ann.leaves().await;
}

#[tokio::test]
async fn ann_forgets_her_password_on_the_way_to_the_checkout_in_german() {
    let habits = Habits { language: "de-DE", ..USUAL };
    let ann = Visitor::start("ann-de", habits, &[]).await;
    let before = Browser::new(&ann.stack);
    let fields = [("email", "ann@example.com"), ("password", "ann-local-password")];
    assert_eq!(before.post("/sign-in", &fields).await.status, 303);
    assert_eq!(before.account().await.as_deref(), Some("ann"));

    ann.goto("/").await;
    ann.click("#take-2").await;
    // The page before has a way to the checkout as well.
    ann.sees("#basket[data-count='1']").await;
    ann.click("#checkout").await;
    ann.sees("main[data-page='checkout'] .bill").await;
    ann.signs_in_at_amazon("ann", true).await;
    ann.sees("html[lang='de'] main[data-code='ok'] #password").await;
    ann.keep("1-link").await;
    assert!(ann.text().await.contains("nicht Ihr Amazon-Passwort"));

    ann.proves("falsch").await;
    ann.sees("html[lang='de'] main[data-code='wrong_password']").await;
    ann.keep("2-wrong-password").await;

    ann.click("form[action='/auth/amazon/link/forgot'] button").await;
    ann.resets_the_password("ann@example.com", "ann-second-password").await;
    ann.keep("3-password-changed").await;
    ann.click("#continue").await;
    ann.sees("html[lang='de'] main[data-code='ok']").await;

    ann.proves("ann-second-password").await;
    ann.sees("main[data-page='checkout'] #deliver").await;
    ann.keep("4-connected").await;
    assert_eq!(ann.is_called().await, "Ann Local");
    assert!(ann.text().await.contains("Coffee"), "with what she had taken");
    assert_eq!(before.account().await, None, "who was in by the old password is out");
    assert_eq!(before.who().await, "Guest", "at the shop itself too");

    ann.click("#sign-out").await;
    ann.sees("main[data-page='home'] #amazon").await;
    ann.goto("/checkout").await;
    ann.click("#amazon").await;
    ann.sees("main[data-page='checkout'] #deliver").await;
    assert_eq!(ann.is_called().await, "Ann Local", "Amazon is enough from now on");
    ann.leaves().await;
}

#[tokio::test]
async fn nora_registers_on_her_telephone_at_night() {
    let habits = Habits { dark: true, narrow: true, ..USUAL };
    let nora = Visitor::start("nora", habits, &[("RegistrationFields", FIELDS)]).await;
    nora.goto("/checkout").await;
    nora.signs_in_at_amazon("nora", true).await;
    nora.sees("main[data-code='ok'] #field-phone").await;
    nora.keep("1-register").await;
    assert!(nora.fits().await, "nothing is cut off at 320 pixels");
    let dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
    assert_eq!(nora.client.execute(dark, Vec::new()).await.unwrap(), true);

    // What is empty the browser itself says, and sends nothing.
    let submit = "form[action='/auth/amazon/register'] button";
    nora.click(submit).await;
    let empty = nora.client.find(Locator::Css("#field-phone:invalid")).await;
    assert!(empty.is_ok(), "it stays on the page");
    nora.types("#field-phone", "call me").await;
    nora.click("#field-terms").await;
    nora.click(submit).await;

    nora.sees("main[data-code='invalid_fields'] #field-phone-wrong").await;
    nora.keep("2-wrong-field").await;
    assert!(nora.fits().await);
    let phone = nora.sees("#field-phone[aria-invalid='true']").await;
    assert_eq!(phone.prop("value").await.unwrap().as_deref(), Some("call me"), "it is kept");
    assert!(nora.sees("#field-terms").await.is_selected().await.unwrap());

    nora.types("#field-phone", "+1 206 555 0100").await;
    nora.click(submit).await;
    nora.sees("main[data-page='checkout'] #deliver").await;
    nora.keep("3-registered").await;
    assert_eq!(nora.is_called().await, "Nora New");
    nora.leaves().await;
}

#[tokio::test]
async fn ann_connects_on_her_telephone_at_night_in_german() {
    let habits = Habits { language: "de-DE", dark: true, narrow: true, ..USUAL };
    let ann = Visitor::start("ann-night", habits, &[]).await;
    ann.goto("/").await;
    ann.signs_in_at_amazon("ann", true).await;
    ann.sees("html[lang='de'] main[data-code='ok'] #password").await;
    ann.keep("1-link").await;
    assert!(ann.fits().await);

    ann.proves("falsch").await;
    ann.sees("main[data-code='wrong_password']").await;
    ann.keep("2-wrong-password").await;
    assert!(ann.fits().await);
    ann.click("form[action='/auth/amazon/link/cancel'] button").await;
    ann.sees("main[data-page='sign-in']").await;
    assert_eq!(ann.is_called().await, "Guest");
    ann.leaves().await;
}

#[tokio::test]
async fn ann_brings_her_second_factor_and_nora_agrees_to_what_she_was_shown() {
    let fields = r#"[
        {"name":"phone","label":"Phone","help":"For the courier","type":"tel"},
        {"name":"terms","label":"I accept the terms of sale","type":"checkbox","required":true,"version":"2026-11","href":"/terms"}
    ]"#;
    let parameters = [("Accounts", "webhook"), ("RegistrationFields", fields)];
    let ann = Visitor::start("second-factor", USUAL, &parameters).await;
    let dynamodb = &ann.stack.dynamodb;
    dynamodb.set("accounts", &[("id", "ann")], "second_factor", "246810").unwrap();
    ann.goto("/checkout").await;
    ann.signs_in_at_amazon("ann", true).await;
    ann.sees("main[data-code='ok'] #password").await;
    ann.proves("ann-local-password").await;
    ann.sees("main[data-code='mfa_required'] #code").await;
    ann.keep("1-code").await;
    ann.types("#code", "246810").await;
    ann.proves("ann-local-password").await;
    ann.sees("main[data-page='checkout'] #deliver").await;
    assert_eq!(ann.is_called().await, "Ann Local");

    let nora = ann.elsewhere("consent", USUAL).await;
    nora.goto("/checkout").await;
    nora.signs_in_at_amazon("nora", true).await;
    nora.sees("main[data-code='ok'] #field-terms").await;
    nora.keep("2-register").await;
    assert!(nora.text().await.contains("For the courier"));
    nora.types("#field-phone", "12345").await;
    nora.click("#field-terms").await;
    nora.click("form[action='/auth/amazon/register'] button").await;
    nora.sees("main[data-page='checkout'] #deliver").await;
    let rows = nora.stack.dynamodb.scan("accounts").unwrap();
    let row = rows.iter().find(|row| row["email"]["S"] == "nora@example.com").unwrap();
    assert_eq!(row["terms"]["M"]["version"]["S"], "2026-11");
    nora.leaves().await;
    ann.leaves().await;
}
