use std::{fs, path::Path, process::Command, sync::Arc};

use serde_json::Value;
use tests::Browser;

use crate::{
    connections::{LINK, PROVE, TO_THE_PROOF, UNDO, UNLINK},
    visitor::{Habits, USUAL, Visitor, target},
};

const FIELDS: &str = r#"[
    {"name":"phone","label":"Phone","help":"For the courier, who calls from the street","type":"tel","required":true},
    {"name":"birthday","label":"Birthday","type":"date"},
    {"name":"size","label":"Size","type":"select","options":["S","M","L"],"required":true},
    {"name":"terms","label":"I agree","type":"checkbox","required":true,"version":"2026-11","href":"/terms"}
]"#;

/// A visitor whose pages are checked.
struct Checked {
    visitor: Visitor,
    axe: String,
    findings: Vec<String>,
}

impl Checked {
    async fn start(name: &'static str, habits: Habits, fields: &str) -> Self {
        let habits = Habits { scripts: true, ..habits };
        // Over a wire, where accounts may have a second factor.
        let parameters = [("RegistrationFields", fields), ("Accounts", "webhook")];
        let visitor = Visitor::start(name, habits, &parameters).await;
        Self { visitor, axe: axe(), findings: Vec::new() }
    }

    /// Asks axe about the page that is shown, and whether it fits; what is found is told at the end.
    async fn check(&mut self, page: &str) {
        self.visitor.keep(page).await;
        let client = &self.visitor.client;
        client.execute(&self.axe, Vec::new()).await.unwrap();
        let run = "const done = arguments[arguments.length - 1]; \
                   axe.run(document).then(result => done(result), error => done(String(error)));";
        let result = client.execute_async(run, Vec::new()).await.unwrap();
        let violations = result["violations"].as_array();
        let violations = violations.unwrap_or_else(|| panic!("axe did not run: {result}"));
        assert!(result["passes"].as_array().is_some_and(|passes| passes.len() > 9), "{result}");
        let told = |violation: &Value| {
            let nodes = violation["nodes"].as_array().into_iter().flatten();
            let html: Vec<_> = nodes.map(|node| node["html"].to_string()).collect();
            format!("{page}: {} {}", violation["id"], html.join(" "))
        };
        self.findings.extend(violations.iter().map(told));
        if !self.visitor.fits().await {
            self.findings.push(format!("{page}: it is wider than the window"));
        }
    }

    /// Gives an account a second factor.
    fn needs_a_code(&self, account: &str) {
        let dynamodb = &self.visitor.stack.dynamodb;
        dynamodb.set("accounts", &[("id", account)], "second_factor", "246810").unwrap();
    }

    /// Signs out here and at Amazon.
    async fn signs_out_everywhere(&self) {
        self.visitor.goto("/").await;
        self.visitor.click("#sign-out").await;
        self.visitor.sees("main[data-page='home'] #amazon").await;
        self.amazon_forgets().await;
    }

    /// Signs out at Amazon by forgetting its cookie, so that it asks again who it is.
    async fn amazon_forgets(&self) {
        let client = &self.visitor.client;
        client.goto(&self.visitor.stack.amazon.url).await.unwrap();
        client.delete_cookie("amazon-stand-in").await.unwrap();
    }
}

#[tokio::test]
async fn axe_finds_nothing_on_any_page_in_the_light_or_in_the_dark() {
    let mut findings = Vec::new();
    for (name, dark) in [("axe-light", false), ("axe-dark", true)] {
        let mut checked = Checked::start(name, Habits { dark, ..USUAL }, FIELDS).await;
        walk(&mut checked).await;
        findings.extend(checked.findings.drain(..).map(|finding| format!("{name} {finding}")));
        checked.visitor.leaves().await;
    }
    assert!(findings.is_empty(), "{findings:#?}");
}

#[tokio::test]
async fn axe_finds_nothing_on_any_page_about_ones_own_account_in_the_light_or_in_the_dark() {
    let night = Habits { language: "de-DE", dark: true, narrow: true, ..USUAL };
    let mut findings = Vec::new();
    for (name, habits) in [("own-light", USUAL), ("own-night", night)] {
        let mut checked = Checked::start(name, habits, "[]").await;
        walk_among_ones_own(&mut checked).await;
        findings.extend(checked.findings.drain(..).map(|finding| format!("{name} {finding}")));
        checked.visitor.leaves().await;
    }
    assert!(findings.is_empty(), "{findings:#?}");
}

/// Through every page of ours on the way in.
async fn walk(checked: &mut Checked) {
    let login = format!("{}/auth/amazon/login", checked.visitor.stack.url);
    // A page of another site, with a link to us.
    let elsewhere = format!("data:text/html,<a id=there href='{login}'>there</a>");
    checked.visitor.client.goto(&elsewhere).await.unwrap();
    checked.visitor.click("#there").await;
    checked.visitor.sees("main[data-code='ok'] a.button[href^='/auth/amazon/login']").await;
    checked.check("start").await;

    checked.visitor.signs_in_at_amazon("ann", true).await;
    checked.visitor.sees("main[data-code='ok'] #password").await;
    checked.check("link").await;
    checked.visitor.types("#password", "wrong").await;
    checked.visitor.click("form[action='/auth/amazon/link'] button").await;
    checked.visitor.sees("main[data-code='wrong_password']").await;
    checked.check("link-wrong-password").await;
    checked.needs_a_code("ann");
    checked.visitor.types("#password", "ann-local-password").await;
    checked.visitor.click("form[action='/auth/amazon/link'] button").await;
    checked.visitor.sees("main[data-code='mfa_required'] #code").await;
    checked.check("link-code").await;
    checked.visitor.types("#password", "ann-local-password").await;
    checked.visitor.types("#code", "000000").await;
    checked.visitor.click("form[action='/auth/amazon/link'] button").await;
    checked.visitor.sees("main[data-code='mfa_required'] #wrong").await;
    checked.check("link-wrong-code").await;

    checked.amazon_forgets().await;
    checked.visitor.goto("/").await;
    checked.visitor.signs_in_at_amazon("noa", true).await;
    checked.visitor.sees("main[data-code='ok'] #field-phone").await;
    checked.check("register").await;
    // Past the browser's own checks, as an old browser would go.
    let script = "document.querySelector('main form').noValidate = true";
    checked.visitor.client.execute(script, Vec::new()).await.unwrap();
    checked.visitor.click("form[action='/auth/amazon/register'] button").await;
    checked.visitor.sees("main[data-code='invalid_fields']").await;
    checked.check("register-errors").await;

    checked.amazon_forgets().await;
    checked.visitor.goto("/").await;
    checked.visitor.signs_in_at_amazon("lin", true).await;
    checked.visitor.sees("#sign-out").await;
    checked.visitor.stack.link("ann", "ann").await.unwrap();
    checked.amazon_forgets().await;
    checked.visitor.goto("/auth/amazon/login").await;
    checked.visitor.click("#persona-ann").await;
    checked.visitor.sees("form[action='/auth/amazon/switch']").await;
    checked.check("switch").await;

    for (path, code) in [("/auth/amazon/callback", "start_over"), ("/auth/nothing", "not_found")] {
        checked.visitor.goto(path).await;
        checked.visitor.sees(&format!("main[data-code='{code}']")).await;
        checked.check(&format!("problem-{code}")).await;
    }
}

/// Through every page of ours, and of the shop's, about how an account is entered.
async fn walk_among_ones_own(checked: &mut Checked) {
    checked.visitor.goto("/auth/connections").await;
    checked.visitor.sees("main[data-code='not_signed_in']").await;
    checked.check("not-signed-in").await;
    checked.visitor.goto("/app").await;
    checked.visitor.sees("main[data-page='app'] #amazon:not([hidden])").await;
    checked.check("shop-app").await;
    checked.visitor.goto("/mailbox").await;
    checked.visitor.signs_in_at_the_desk("bob@example.com", "bob-local-password").await;
    checked.visitor.sees("main[data-page='mailbox'] #empty").await;
    checked.check("shop-mailbox-empty").await;
    checked.visitor.click("a#who").await;
    checked.visitor.sees("main[data-page='account']").await;
    checked.check("shop-account").await;
    checked.visitor.click("#connections").await;
    checked.visitor.sees(LINK).await;
    checked.check("connections-none").await;
    checked.visitor.click(LINK).await;
    checked.visitor.click("#persona-nora").await;
    checked.visitor.click("#cancel").await;
    checked.visitor.sees("main[data-code='ok'] [role='status']").await;
    checked.check("connections-cancelled").await;
    checked.visitor.click(LINK).await;
    checked.visitor.click("#allow").await;
    checked.visitor.sees(UNLINK).await;
    let stack = Arc::clone(&checked.visitor.stack);
    let elsewhere = Browser::new(&stack);
    elsewhere.sign_in_at_amazon("nora", "/").await;
    checked.visitor.goto("/auth/connections").await;
    checked.visitor.sees("main li + li").await;
    checked.check("connections").await;

    checked.visitor.goto("/mailbox").await;
    checked.visitor.sees(UNDO).await;
    checked.check("shop-mailbox").await;
    checked.visitor.click(UNDO).await;
    checked.visitor.sees("main[data-code='ok'] form[action='/auth/connections/undo']").await;
    checked.check("undo").await;
    checked.visitor.click("form[action='/auth/connections/undo'] button").await;
    checked.visitor.sees("main[data-code='ok'] a[href='/reset-password']").await;
    checked.check("undo-done").await;

    checked.signs_out_everywhere().await;
    checked.visitor.goto("/").await;
    checked.visitor.signs_in_at_amazon("lin", true).await;
    checked.visitor.goes_to_the_connections().await;
    checked.visitor.click(UNLINK).await;
    checked.visitor.sees(TO_THE_PROOF).await;
    checked.check("proof-needed").await;
    checked.visitor.click(TO_THE_PROOF).await;
    checked.visitor.sees("main[data-code='ok'] #password").await;
    checked.check("reauthenticate").await;
    checked.visitor.types("#password", "wrong").await;
    checked.visitor.click(PROVE).await;
    checked.visitor.sees("main[data-code='wrong_password']").await;
    checked.check("reauthenticate-wrong-password").await;
    checked.needs_a_code("lin");
    checked.visitor.types("#password", "lin-local-password").await;
    checked.visitor.click(PROVE).await;
    checked.visitor.sees("main[data-code='mfa_required'] #code").await;
    checked.check("reauthenticate-code").await;

    checked.signs_out_everywhere().await;
    checked.visitor.goto("/").await;
    // She is known at Amazon's by now, and new here: the link to Bob's account was undone.
    checked.visitor.signs_in_at_amazon("nora", false).await;
    checked.visitor.sees("#sign-out").await;
    checked.visitor.goto("/auth/reauthenticate").await;
    checked.visitor.sees("main[data-code='ok'] form[action='/auth/reauthenticate']").await;
    checked.check("reauthenticate-amazon").await;
    checked.visitor.click(PROVE).await;
    checked.visitor.click(UNLINK).await;
    checked.visitor.sees("main[data-code='last_sign_in_method']").await;
    checked.check("only-way-in").await;
}

/// The source of axe-core, of the version that `package.json` names; npm brings it where it is missing.
fn axe() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = target().join("tools/axe");
    let lock = fs::read(here.join("package-lock.json")).unwrap();
    let installed = folder.join("package-lock.json");
    let script = folder.join("node_modules/axe-core/axe.min.js");
    if fs::read(&installed).ok().as_ref() != Some(&lock) || !script.is_file() {
        fs::create_dir_all(&folder).unwrap();
        fs::copy(here.join("package.json"), folder.join("package.json")).unwrap();
        fs::write(&installed, lock).unwrap();
        let npm = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix"])
            .arg(&folder)
            .status();
        assert!(
            npm.is_ok_and(|status| status.success()),
            "axe-core is missing and npm does not bring it: `apt-get install npm`, then `npm ci --prefix {}`",
            folder.display()
        );
    }
    fs::read_to_string(script).unwrap()
}
