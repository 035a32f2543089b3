//! What the functions do with the tables is what their roles allow: a permission that lacks is a
//! sign-in that fails in the cloud, and one too many is what an intruder would use.

use std::collections::{BTreeMap, BTreeSet};

use local_stack::{
    Options, Stack, Timestamp, accounts,
    amazon::{APP_CLIENT_ID, Customer, Endpoint, Fault},
};
use serde_json::{Value as Json, json};
use serde_norway::Value;
use tests::{Browser, SESSION, TICKET};

/// Each function, with what it does or may do, and with what.
type Permissions = BTreeMap<String, BTreeSet<String>>;

const FIELDS: &str = r#"[
    {"name":"phone","label":"Phone","type":"tel","required":true},
    {"name":"postal_code","label":"ZIP"}
]"#;

/// What no password has.
const HASH: &str = "$2b$10$EPjrAx6Gh3qYNnrA6o9JceNuRfT2iFE9vZ2mkeT9/1inFQCTaLgbK";
/// What a queue takes, or a bus.
const SENDS: [&str; 2] = ["sqs:SendMessage Notices", "events:PutEvents Notices"];
/// When all of this happens.
const NOON: Timestamp = Timestamp(1_800_000_000);

/// A walk, and what it took so far.
struct Walk<'a> {
    stack: &'a Stack,
    took: Permissions,
}

impl Walk<'_> {
    fn now(&self) -> String {
        self.stack.now().rfc3339()
    }

    /// Tells that something happened to an account.
    async fn tell(&self, account: &str, kind: &str) -> Json {
        let event = json!({ "type": kind, "account_id": account, "at": self.now() });
        let told = self.stack.invoke("lifecycle", event.to_string()).await.unwrap();
        serde_json::from_slice(&told).unwrap()
    }

    /// A code for somebody who signed in at the site's own door.
    async fn local_sign_in(&self, account: &str) -> String {
        let event = json!({ "type": "signed_in", "account_id": account, "at": self.now(), "how": "password" });
        let told = self.stack.invoke("lifecycle", event.to_string()).await.unwrap();
        let told: Json = serde_json::from_slice(&told).unwrap();
        told["code"].as_str().unwrap().to_owned()
    }

    /// Whatever was asked of the tables since the last time, this function asked.
    fn by(&mut self, function: &str) {
        let took = self.took.entry(function.to_owned()).or_default();
        took.extend(self.stack.dynamodb.calls().into_iter().flat_map(|call| call.takes));
        self.stack.dynamodb.reset_requests();
    }
}

/// Everything that each function can be brought to do.
async fn walk(stack: &Stack) -> Permissions {
    stack.dynamodb.reset_requests();
    let mut walk = Walk { stack, took: Permissions::new() };
    let browser = Browser::new(stack);

    // A linked customer, whose account gets a postal code; once more, which ends that session.
    stack.amazon.change("lin", |lin| lin.postal_code = Some("98109".to_owned()));
    let url = browser.begin("/").await;
    walk.by("login");
    for url in [url, browser.begin("/").await] {
        assert_eq!(browser.allow(&url, "lin").await.status, 303);
        walk.by("callback");
    }
    assert_eq!(browser.account().await.as_deref(), Some("lin"));
    assert_eq!(browser.fetch("/auth/verify", None).await.status, 200);
    let told = browser.fetch("/auth/session", None).await.json();
    idle(stack);
    assert_eq!(browser.fetch("/auth/session", None).await.status, 200);
    walk.by("session");
    let fields = [("csrf", told["csrf"].as_str().unwrap())];
    assert_eq!(browser.post("/auth/logout", &fields).await.status, 303);
    walk.by("logout");

    for name in ["bob", "sam"] {
        let email = Some(format!("{name}@example.com"));
        let customer = Customer { email, ..Customer::new(name) };
        stack.amazon.world().customers.push(customer);
    }

    // An address that an account has, in a browser that is signed in as somebody else: wrong and
    // right passwords, once more, and giving up.
    browser.sign_in_at_amazon("lin", "/").await;
    let asked = browser.asked_after_amazon("ann", "/").await;
    walk.by("callback");
    let page = browser.get("/auth/amazon/link").await;
    let forgot = [("csrf", page.input("csrf"))];
    assert_eq!(browser.post("/auth/amazon/link/forgot", &forgot).await.status, 303);
    assert_eq!(browser.prove(&page, "wrong").await.status, 401);
    let ticket = browser.cookie(TICKET).unwrap();
    assert_eq!(browser.prove(&asked, "ann-local-password").await.status, 303);
    browser.keep_cookie(TICKET, &ticket);
    assert_eq!(browser.prove(&page, "ann-local-password").await.status, 303);
    walk.by("link");
    browser.asked_after_amazon("bob", "/").await;
    walk.by("callback");
    let page = browser.get("/auth/amazon/link").await;
    let cancel = [("csrf", page.input("csrf"))];
    assert_eq!(browser.post("/auth/amazon/link/cancel", &cancel).await.status, 303);
    walk.by("link");

    // Two link pages of one customer: the second finds the link of the first, and enters by it.
    let (first, second) = (Browser::new(stack), Browser::new(stack));
    let left = first.asked_after_amazon("bob", "/").await;
    let right = second.asked_after_amazon("bob", "/").await;
    walk.by("callback");
    assert_eq!(first.prove(&left, "bob-local-password").await.status, 303);
    assert_eq!(second.prove(&right, "bob-local-password").await.status, 303);
    walk.by("link");

    // From one account to another.
    let page = first.sign_in_at_amazon("lin", "/").await;
    let fields = [("csrf", page.input("csrf"))];
    assert_eq!(first.post("/auth/amazon/switch", &fields).await.status, 303);
    walk.by("callback");

    // A newcomer with three registration pages: the second and the third enter what the first has
    // opened, and the third loses the session that it had.
    let browsers = [Browser::new(stack), Browser::new(stack), Browser::new(stack)];
    let mut pages = Vec::new();
    for browser in &browsers {
        pages.push(browser.asked_after_amazon("nora", "/").await);
        walk.by("callback");
        browser.get("/auth/amazon/register").await;
        walk.by("register");
    }
    for (at, (browser, page)) in browsers.iter().zip(&pages).enumerate() {
        let fields = [("csrf", page.input("csrf")), ("phone", "12345"), ("postal_code", "")];
        let answer = browser.post("/auth/amazon/register", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browsers[2].keep_cookie(SESSION, &browser.cookie(SESSION).unwrap());
        if at == 0 {
            // As if the account had been there before.
            no_postal_code(stack, &browser.account().await.unwrap());
        }
    }
    walk.by("register");

    // A newcomer who types an address that an account has.
    let asked = Browser::new(stack);
    let page = asked.asked_after_amazon("noa", "/").await;
    walk.by("callback");
    let fields = [("csrf", page.input("csrf")), ("phone", "12345"), ("email", "sam@example.com")];
    let answer = asked.post("/auth/amazon/register", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    walk.by("register");

    // A newcomer of whom Amazon tells all that is needed.
    stack.set("callback", "REGISTRATION_FIELDS", None);
    let max = Browser::new(stack);
    assert_eq!(max.sign_in_at_amazon("max", "/").await.status, 303);
    walk.by("callback");
    signed_in(&mut walk).await;
    apps(&mut walk).await;
    televisions(&mut walk).await;
    notices(&mut walk).await;
    events(&mut walk).await;
    walk.took
}

/// What is told of all that, and undone.
async fn notices(walk: &mut Walk<'_>) {
    let stack = walk.stack;
    // Linked once more, so that there is something to undo.
    let sam = Browser::new(stack);
    let page = sam.asked_after_amazon("sam", "/").await;
    assert_eq!(sam.prove(&page, "sam-local-password").await.status, 303);
    stack.dynamodb.reset_requests();
    assert!(stack.deliver_notices().await.is_some());
    walk.by("notices");
    walk.took.entry("notices".to_owned()).or_default().extend(SENDS.map(str::to_owned));
    let messages = stack.queue.messages();
    let undo = messages.iter().rev().find_map(|message| message["undo_url"].as_str()).unwrap();
    let page = sam.get(undo).await;
    let fields = [("token", page.input("token"))];
    assert_eq!(sam.post("/auth/connections/undo", &fields).await.status, 200);
    walk.by("connections");
}

/// What people do who are signed in.
async fn signed_in(walk: &mut Walk<'_>) {
    let stack = walk.stack;
    let browser = Browser::new(stack);
    // Twice, the second time in place of the first; and a second click much later.
    let mut code = String::new();
    for _ in 0..2 {
        code = walk.local_sign_in("sam").await;
        walk.by("lifecycle");
        let answer = browser.fetch("/auth/session/accept", Some(json!({ "code": code }))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        walk.by("accept");
    }
    idle(stack);
    let again = browser.fetch("/auth/session/accept", Some(json!({ "code": code }))).await;
    assert_eq!(again.status, 200, "{}", again.text);
    walk.by("accept");

    let page = browser.get("/auth/reauthenticate").await;
    let fields = [("csrf", page.input("csrf")), ("password", "sam-local-password")];
    assert_eq!(browser.post("/auth/reauthenticate", &fields).await.status, 303);
    walk.by("reauthenticate");
    idle(stack);
    let page = browser.get("/auth/connections").await;
    let fields = [("csrf", page.input("csrf"))];
    walk.by("connections");
    // A ticket of that customer's, which the end of the link takes along.
    Browser::new(stack).asked_after_amazon("sam", "/").await;
    walk.by("callback");
    stack.dynamodb.reset_requests();
    let to_amazon = browser.post("/auth/connections/amazon/link", &fields).await;
    walk.by("connections");
    assert_eq!(browser.allow(to_amazon.location(), "sam").await.status, 303);
    walk.by("callback");
    let asked = stack.invoke("authorizer", authorizer_event(&browser)).await.unwrap();
    assert!(String::from_utf8(asked).unwrap().contains("true"));
    idle(stack);
    stack.invoke("authorizer", authorizer_event(&browser)).await.unwrap();
    walk.by("authorizer");
    let page = browser.get("/auth/connections").await;
    let fields = [("csrf", page.input("csrf"))];
    walk.by("connections");
    Browser::new(stack).sign_in_at_amazon("sam", "/").await;
    walk.by("callback");
    let unlinked = browser.post("/auth/connections/amazon/unlink", &fields).await;
    assert_eq!(unlinked.status, 303, "{}", unlinked.text);
    walk.by("connections");
}

/// What the gateway asks its authorizer of a request of this browser.
fn authorizer_event(browser: &Browser<'_>) -> String {
    let cookie = format!("{SESSION}={}", browser.cookie(SESSION).unwrap());
    let http = json!({ "method": "GET", "path": "/orders" });
    let context = json!({ "http": http, "requestId": "1" });
    json!({ "version": "2.0", "type": "REQUEST", "rawPath": "/orders", "headers": {},
            "cookies": [cookie], "requestContext": context, "isBase64Encoded": false })
    .to_string()
}

/// What apps do.
async fn apps(walk: &mut Walk<'_>) {
    let stack = walk.stack;
    let app = Browser::new(stack);
    let customer = Customer { email: Some("zoe@example.com".to_owned()), ..Customer::new("zoe") };
    stack.amazon.world().customers.push(customer);
    // A linked customer, twice with one token; one whose address an account has; a newcomer, who is
    // asked, and then one who is not.
    no_postal_code(stack, "lin");
    let lin = stack.amazon.token("lin", APP_CLIENT_ID, "profile postal_code");
    for _ in 0..2 {
        let told = post(&app, "/auth/amazon/token", &json!({ "access_token": lin })).await;
        assert_eq!(told["status"], "signed_in", "{told}");
    }
    let sam = stack.amazon.token("sam", APP_CLIENT_ID, "profile");
    let told = post(&app, "/auth/amazon/token", &json!({ "access_token": sam })).await;
    assert_eq!(told["status"], "link_required", "{told}");
    let zoe = || stack.amazon.token("zoe", APP_CLIENT_ID, "profile");
    let told = post(&app, "/auth/amazon/token", &json!({ "access_token": zoe() })).await;
    assert_eq!(told["status"], "registration_required", "{told}");
    walk.by("handoff");
    stack.set("handoff", "REGISTRATION_FIELDS", None);
    let told = post(&app, "/auth/amazon/token", &json!({ "access_token": zoe() })).await;
    assert_eq!(told["status"], "signed_in", "{told}");
    walk.by("handoff");
}

/// What an app is told.
async fn post(app: &Browser<'_>, to: &str, body: &Json) -> Json {
    let ask = app.ask("POST", to).header("accept", "application/json");
    let ask = ask.without("sec-fetch-dest").without("sec-fetch-mode").without("sec-fetch-site");
    ask.body("application/json", body.to_string()).send().await.json()
}

/// What televisions do.
async fn televisions(walk: &mut Walk<'_>) {
    let stack = walk.stack;
    let television = Browser::new(stack);
    no_postal_code(stack, "lin");
    // Of a linked customer, who asks again when it is in; of one whose address an account has; and one
    // that is switched off at Amazon.
    for (customer, status) in [
        (Some("lin"), "signed_in"),
        (Some("lin"), "signed_in"),
        (Some("sam"), "link_required"),
        (None, ""),
    ] {
        let told = post(&television, "/auth/amazon/device", &json!({})).await;
        let (handle, code) = (told["device_code"].clone(), told["user_code"].clone());
        match customer {
            Some(customer) => {
                assert!(stack.amazon.allow_code(code.as_str().unwrap(), customer));
            }
            None => {
                let over = Fault::Error(400, "expired_token".to_owned());
                stack.amazon.fault(Endpoint::Token, over, Some(1));
            }
        }
        let poll = json!({ "device_code": handle });
        let told = post(&television, "/auth/amazon/device/poll", &poll).await;
        assert_eq!(told["status"].as_str().unwrap_or_default(), status, "{told}");
        post(&television, "/auth/amazon/device/poll", &poll).await;
        walk.by("device");
    }
}

/// What the account system tells, of an account with everything that it can have.
async fn events(walk: &mut Walk<'_>) {
    let stack = walk.stack;
    let browser = Browser::new(stack);
    browser.sign_in_at_amazon("max", "/").await;
    let account = browser.account().await.unwrap();
    stack.dynamodb.set("accounts", &[("id", &account)], "password_hash", HASH).unwrap();
    stack.dynamodb.reset_requests();
    let account = account.as_str();
    for (account, kind) in [(account, "password_reset"), (account, "deleted"), ("otto", "disabled")]
    {
        walk.tell(account, kind).await;
        walk.by("lifecycle");
        // What a new password leaves is a ticket, which gets its attempts back at the next one.
        if kind == "password_reset" {
            Browser::new(stack).asked_after_amazon("max", "/").await;
            stack.dynamodb.reset_requests();
            walk.tell(account, kind).await;
            walk.by("lifecycle");
        }
    }
    let message = json!({ "type": "signed_in", "account_id": "sam", "at": walk.now() }).to_string();
    let mut ask = browser.ask("POST", "/auth/lifecycle");
    for (name, value) in stack.sign("m", &message).unwrap() {
        ask = ask.header(name, &value);
    }
    let heard = ask.body("application/json", message).send().await;
    assert_eq!(heard.status, 200, "{}", heard.text);
    walk.by("lifecycle");
}

/// Lets an account lack what Amazon can tell.
fn no_postal_code(stack: &Stack, account: &str) {
    stack.dynamodb.set("accounts", &[("id", account)], "postal_code", Json::Null).unwrap();
    // Nor was there ever one: what its owner has emptied is not filled in.
    for row in stack.dynamodb.scan("identities").unwrap() {
        if row["account_id"]["S"] == account && row["linked_at"].is_object() {
            let key = [("pk", row["pk"]["S"].as_str().unwrap())];
            stack.dynamodb.set("identities", &key, "copied_postal_code", Json::Null).unwrap();
        }
    }
}

/// Lets every session have been idle for so long that its next use is noted.
fn idle(stack: &Stack) {
    for mut row in stack.dynamodb.scan("sessions").unwrap() {
        let Some(seen) = row["last_seen"]["N"].as_str() else { continue };
        let earlier = seen.parse::<i64>().unwrap() - 600;
        row["last_seen"]["N"] = earlier.to_string().into();
        stack.dynamodb.put("sessions", &row).unwrap();
    }
}

/// Whether a condition of the template holds: on a site that has everything, whose accounts are in a
/// table or are asked about over a wire.
fn holds(condition: &str, in_a_table: bool) -> bool {
    match condition {
        "AsksTable" => in_a_table,
        "AsksWebhook" | "AsksOverAWire" => !in_a_table,
        "AsksFunction" | "AccountsHaveAKey" | "HasKey" | "SecretsHaveAKey" => false,
        _ => true,
    }
}

/// What the template allows each function to do with tables, and which secrets it may read.
fn allowed(in_a_table: bool) -> (Permissions, BTreeSet<(String, String)>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/template.yaml");
    let template: Value = serde_norway::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut tables, mut secrets) = (Permissions::new(), BTreeSet::new());
    let resources = &template["Resources"];
    for (id, resource) in resources.as_mapping().unwrap() {
        if resource["Type"] != "AWS::Serverless::Function" {
            continue;
        }
        let function = resource["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
        // It asks other functions and no table; what it may is compared in tests/template.
        if function == "pretraffic" {
            continue;
        }
        let may = tables.entry(function.to_owned()).or_default();
        let role = id.as_str().unwrap().replace("Function", "Role");
        for policy in resources[role.as_str()]["Properties"]["Policies"].as_sequence().unwrap() {
            for statement in policy["PolicyDocument"]["Statement"].as_sequence().unwrap() {
                // Where a setting makes it so.
                let statement = match statement {
                    Value::Tagged(tagged) if tagged.tag == "If" => {
                        if !holds(tagged.value[0].as_str().unwrap(), in_a_table) {
                            continue;
                        }
                        &tagged.value[1]
                    }
                    statement => statement,
                };
                assert_eq!(statement["Effect"], "Allow");
                let what = target(&statement["Resource"]);
                // What AWS does in a function's name, and this machine does not.
                if ["Logs.Arn", "LifecycleUndelivered.Arn", "TicketsTable.StreamArn"]
                    .iter()
                    .any(|of_aws| what.contains(of_aws))
                    || what.contains("/stream/*")
                {
                    continue;
                }
                for action in statement["Action"].as_sequence().unwrap() {
                    let action = action.as_str().unwrap();
                    match (action.strip_prefix("dynamodb:"), action, what.as_str()) {
                        (None, "secretsmanager:GetSecretValue", _) => {
                            let secrets_of = secrets_in(&statement["Resource"]);
                            secrets.extend(secrets_of.map(|arn| (function.to_owned(), arn)));
                        }
                        (action_there, ..) => {
                            may.insert(format!("{} {what}", action_there.unwrap_or(action)));
                        }
                    }
                }
            }
        }
    }
    (tables, secrets)
}

/// The parameters that name the secrets of a statement.
fn secrets_in(resource: &Value) -> impl Iterator<Item = String> {
    let text = serde_norway::to_string(resource).unwrap();
    let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>();
    words.into_iter().filter(|word| word.ends_with("SecretArn"))
}

/// What a value of the template refers to, as it is called on this machine; as it is written, where
/// it is called nothing here.
fn target(value: &Value) -> String {
    let as_it_is = || format!("{value:?}");
    let Value::Tagged(tagged) = value else { return as_it_is() };
    let text = tagged.value.as_str().unwrap_or_default();
    match (tagged.tag.to_string().as_str(), text) {
        // The table of accounts is ours or the site's: both must be the same to a function.
        ("!If", _) => {
            let (ours, theirs) = (target(&tagged.value[1]), target(&tagged.value[2]));
            if ours == theirs { ours } else { as_it_is() }
        }
        ("!Sub", arn) => {
            let theirs = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:\
                          table/${AccountsTableName}";
            let index = arn.strip_prefix(theirs).or(arn.strip_prefix("${AccountsTable.Arn}"));
            match index {
                Some("") => "accounts".to_owned(),
                Some("/index/${AccountsEmailIndex}") => "accounts/index/by_email".to_owned(),
                _ => as_it_is(),
            }
        }
        ("!GetAtt", attribute) => {
            attribute.strip_suffix("Table.Arn").map_or_else(as_it_is, str::to_lowercase)
        }
        ("!Ref", parameter) => parameter.to_owned(),
        _ => as_it_is(),
    }
}

#[tokio::test]
async fn m06_every_function_may_do_what_it_does_and_nothing_else() {
    let parameters = [("RegistrationFields", FIELDS), ("LwaScope", "profile postal_code")];
    let options = Options { stopped_at: Some(NOON), ..Options::with(&parameters) };
    let stack = options.start().await.unwrap();
    let did = walk(&stack).await;
    let (may, may_read) = allowed(true);

    assert_eq!(did.keys().collect::<Vec<_>>(), may.keys().collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for (function, did) in &did {
        let may = &may[function];
        wrong.extend(did.difference(may).map(|one| format!("{function} lacks {one}")));
        wrong.extend(may.difference(did).map(|one| format!("{function} does not need {one}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    // A setting that names a secret, and the parameter that it comes from.
    let mut reads = BTreeSet::new();
    for function in may.keys() {
        let settings = stack.settings(function);
        for (setting, parameter) in [
            ("LWA_CLIENT_SECRET_ARN", "LwaClientSecretArn"),
            ("ACCOUNTS_WEBHOOK_SECRET_ARN", "AccountsWebhookSecretArn"),
            ("TRUSTED_PROXY", "TrustedProxySecretArn"),
        ] {
            // Our messages to a site are signed where there are some; its own are taken by one function.
            let unsigned = setting == "ACCOUNTS_WEBHOOK_SECRET_ARN" && function != "lifecycle";
            if settings.contains_key(setting) && !unsigned {
                reads.insert((function.clone(), parameter.to_owned()));
            }
        }
    }
    assert_eq!(may_read, reads);
}

#[tokio::test]
async fn m06_nor_lacks_a_function_anything_where_accounts_are_asked_about_over_a_wire() {
    let parameters = [
        ("Accounts", "webhook"),
        ("RegistrationFields", FIELDS),
        ("LwaScope", "profile postal_code"),
    ];
    let options = Options { stopped_at: Some(NOON), ..Options::with(&parameters) };
    let stack = options.start().await.unwrap();
    let mut did = walk(&stack).await;

    // Newcomers whom the site knows already, by each way of opening an account: what was begun is given up.
    let taken = || accounts::Fault::Says(json!({ "outcome": "email_taken" }));
    let complete = Options::with(&parameters[..1]).start().await.unwrap();
    let asking = Options::with(&parameters[..2]).start().await.unwrap();
    for (function, stack) in [("callback", &complete), ("register", &asking)] {
        stack.accounts.fault("create", 0, None, taken());
        stack.amazon.change("noa", |noa| noa.email = Some("taken@example.com".to_owned()));
        let browser = Browser::new(stack);
        let answer = browser.sign_in_at_amazon("noa", "/").await;
        if function == "register" {
            let page = browser.land(answer).await;
            stack.dynamodb.reset_requests();
            let fields = [("csrf", page.input("csrf")), ("phone", "12345"), ("postal_code", "")];
            assert_eq!(browser.post("/auth/amazon/register", &fields).await.status, 409);
        }
        stack.accounts.clear_faults();
        let took = stack.dynamodb.calls().into_iter().flat_map(|call| call.takes);
        did.entry(function.to_owned()).or_default().extend(took);
    }
    assert!(did["callback"].contains("DeleteItem identities"));
    assert!(did["register"].contains("DeleteItem identities"));

    let (may, may_read) = allowed(false);
    let mut wrong = Vec::new();
    for (function, did) in &did {
        wrong.extend(did.difference(&may[function]).map(|one| format!("{function} lacks {one}")));
        let asks = stack.settings(function).contains_key("ACCOUNTS_WEBHOOK_SECRET_ARN");
        let secret = (function.clone(), "AccountsWebhookSecretArn".to_owned());
        if asks != may_read.contains(&secret) {
            wrong.push(format!("{function} may not read what it signs with, or need not"));
        }
        let tables = may[function].iter().filter(|one| one.contains(" accounts"));
        wrong.extend(tables.map(|one| format!("{function} does not need {one}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
