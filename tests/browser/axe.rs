use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::visitor::{Habits, USUAL, Visitor, target};

const FIELDS: &str = r#"[
    {"name":"phone","label":"Phone","type":"tel","required":true},
    {"name":"birthday","label":"Birthday","type":"date"},
    {"name":"size","label":"Size","type":"select","options":["S","M","L"],"required":true},
    {"name":"terms","label":"I agree","type":"checkbox","required":true}
]"#;

/// A visitor whose pages are checked.
struct Checked {
    visitor: Visitor,
    axe: String,
    findings: Vec<String>,
}

impl Checked {
    /// Asks axe about the page that is shown; what it finds is told at the end.
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
    let axe = axe();
    let mut findings = Vec::new();
    for (name, dark) in [("axe-light", false), ("axe-dark", true)] {
        let habits = Habits { dark, scripts: true, ..USUAL };
        let visitor = Visitor::start(name, habits, &[("RegistrationFields", FIELDS)]).await;
        let mut checked = Checked { visitor, axe: axe.clone(), findings: Vec::new() };
        walk(&mut checked).await;
        findings.extend(checked.findings.drain(..).map(|finding| format!("{name} {finding}")));
        checked.visitor.leaves().await;
    }
    assert!(findings.is_empty(), "{findings:#?}");
}

/// Through every page of ours.
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
