//! Unmistakable secrets go through everything; nothing of them may be found where logs and tables
//! are read.

use std::collections::BTreeSet;

use local_stack::{Stack, amazon::SHOP_CLIENT_SECRET};
use tests::{Browser, shapes};

use crate::stack_with;

const FIELDS: &str = r#"[{"name":"phone","label":"Phone","type":"tel","required":true}]"#;
const EMAIL: &str = "canary+mail@aviary.example";
const NAME: &str = "Serinus Canaria";
const PHONE: &str = "0190271828182";
const WRONG: &str = "canary wrong pässword";
const RIGHT: &str = "canary right pässword";

/// Walks everybody through everything; tells what was secret about it.
async fn walk(stack: &Stack) -> BTreeSet<String> {
    stack.amazon.change("nora", |nora| {
        nora.name = Some(NAME.to_owned());
        nora.email = Some(EMAIL.to_owned());
    });
    let nora = Browser::new(stack);
    let page = nora.asked_after_amazon("nora", "/checkout").await;
    let fields = [("csrf", page.input("csrf")), ("phone", "not a phone number at all, canary")];
    nora.post("/auth/amazon/register", &fields).await;
    let fields = [("csrf", page.input("csrf")), ("phone", PHONE)];
    assert_eq!(nora.post("/auth/amazon/register", &fields).await.status, 303);
    let told = nora.fetch("/auth/session", None).await.json();
    let csrf = told["csrf"].as_str().unwrap().to_owned();
    assert_eq!(nora.log_out().await.status, 303);

    let ann = Browser::new(stack);
    let page = ann.asked_after_amazon("ann", "/checkout").await;
    let forgot = [("csrf", page.input("csrf"))];
    ann.post("/auth/amazon/link/forgot", &forgot).await;
    let mailed = ann.post("/reset-password", &[("email", "ann@example.com")]).await;
    let form = ann.get(&mailed.link("Choose a new password")).await;
    let token = form.input("token").to_owned();
    ann.post("/reset-password/new", &[("token", &token), ("password", RIGHT)]).await;
    ann.prove(&page, WRONG).await;
    assert_eq!(ann.prove(&page, RIGHT).await.status, 303);

    let lin = Browser::new(stack);
    let url = lin.begin("/checkout").await;
    let back = stack.amazon.allow(&url, "lin").unwrap();
    lin.come_back(&back).await;
    lin.come_back(&back).await;
    lin.come_back(&format!("{back}&state=again")).await;
    lin.post_as("/auth/amazon/link", "text/plain", format!("password={WRONG}")).await;
    let switch = lin.sign_in_at_amazon("ann", "/").await;
    lin.post("/auth/amazon/switch", &[("csrf", switch.input("csrf"))]).await;
    let broken = lin.begin("/").await;
    let broken = stack.amazon.allow(&broken, "lin").unwrap();
    stack.amazon.fault(
        local_stack::amazon::Endpoint::Profile,
        local_stack::amazon::Fault::Status(503),
        None,
    );
    assert_eq!(lin.come_back(&broken).await.status, 503);

    let browsers = [&nora, &ann, &lin];
    let mut secrets: BTreeSet<_> = browsers.iter().flat_map(|browser| browser.secrets()).collect();
    secrets.extend([csrf, token]);
    // Paths and times that travel in the cookies are no secrets.
    secrets.retain(|text| text.len() >= 18);
    secrets
}

#[tokio::test]
async fn c07_k01_nothing_secret_is_found_in_logs_or_tables() {
    let stack = stack_with(&[("RegistrationFields", FIELDS)]).await;
    let mut secrets = walk(&stack).await;
    assert!(secrets.len() > 30, "{}", secrets.len());
    secrets.extend([WRONG, RIGHT, SHOP_CLIENT_SECRET].map(str::to_owned));
    // Amazon's tokens go between our server and Amazon; this is how they begin.
    secrets.extend(["Atza|", "Atzr|"].map(str::to_owned));

    let tables = ["accounts", "identities", "sessions", "tickets"];
    let rows = tables.iter().flat_map(|table| stack.dynamodb.scan(table).unwrap());
    let rows: Vec<_> = rows.map(|row| row.to_string()).collect();
    assert!(rows.iter().any(|row| row.contains(EMAIL)), "what may be kept is found");
    // The tags in front of tokens are keys of rows; they open nothing.
    let keys: BTreeSet<_> =
        ["sessions", "tickets"].iter().flat_map(|table| keys(&stack, table)).collect();
    for secret in secrets.difference(&keys) {
        for shape in shapes(secret) {
            assert!(
                !rows.iter().any(|row| row.contains(&shape)),
                "a table keeps {secret} as {shape}"
            );
        }
    }

    // Logs tell nothing of the visitor either.
    secrets.extend([EMAIL, NAME, PHONE, "ann@example.com", "lin@example.com"].map(str::to_owned));
    let logs = stack.logs();
    assert!(
        logs.iter().any(|line| line.contains("ticket_expired")
            || line.contains("wrong_password")
            || line.contains("unavailable")),
        "what may be logged is found: {logs:#?}"
    );
    for secret in &secrets {
        for shape in shapes(secret) {
            let line = logs.iter().find(|line| line.contains(&shape));
            assert!(line.is_none(), "{secret} is logged as {shape}: {line:?}");
        }
    }
}

fn keys(stack: &Stack, table: &str) -> Vec<String> {
    let rows = stack.dynamodb.scan(table).unwrap();
    rows.iter().map(|row| row["pk"]["S"].as_str().unwrap().to_owned()).collect()
}
