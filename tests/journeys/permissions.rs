//! What the functions do with the tables is what their roles allow: a permission that lacks is a
//! sign-in that fails in the cloud, and one too many is what an intruder would use.

use std::collections::{BTreeMap, BTreeSet};

use local_stack::{Stack, amazon::Customer};
use serde_norway::Value;
use tests::{Browser, SESSION, TICKET};

use crate::stack_with;

/// Each function, with what it does or may do, and with what.
type Permissions = BTreeMap<String, BTreeSet<String>>;

const FIELDS: &str = r#"[
    {"name":"phone","label":"Phone","type":"tel","required":true},
    {"name":"postal_code","label":"ZIP"}
]"#;

/// A walk, and what it took so far.
struct Walk<'a> {
    stack: &'a Stack,
    took: Permissions,
}

impl Walk<'_> {
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
    for (browser, page) in browsers.iter().zip(&pages) {
        let fields = [("csrf", page.input("csrf")), ("phone", "12345"), ("postal_code", "")];
        let answer = browser.post("/auth/amazon/register", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browsers[2].keep_cookie(SESSION, &browser.cookie(SESSION).unwrap());
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
    walk.took
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

/// What the template allows each function to do with tables, and which may read the secret.
fn allowed() -> (Permissions, BTreeSet<String>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/template.yaml");
    let template: Value = serde_norway::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut tables, mut secrets) = (Permissions::new(), BTreeSet::new());
    for resource in template["Resources"].as_mapping().unwrap().values() {
        if resource["Type"] != "AWS::Serverless::Function" {
            continue;
        }
        let function = resource["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
        let may = tables.entry(function.to_owned()).or_default();
        for policy in resource["Properties"]["Policies"].as_sequence().into_iter().flatten() {
            for statement in policy["Statement"].as_sequence().unwrap() {
                assert_eq!(statement["Effect"], "Allow");
                let what = target(&statement["Resource"]);
                for action in statement["Action"].as_sequence().unwrap() {
                    let action = action.as_str().unwrap();
                    match (action.strip_prefix("dynamodb:"), action, what.as_str()) {
                        (None, "secretsmanager:GetSecretValue", "LwaClientSecretArn") => {
                            secrets.insert(function.to_owned());
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
    let stack =
        stack_with(&[("RegistrationFields", FIELDS), ("LwaScope", "profile postal_code")]).await;
    let did = walk(&stack).await;
    let (may, may_read_the_secret) = allowed();

    assert_eq!(did.keys().collect::<Vec<_>>(), may.keys().collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for (function, did) in &did {
        let may = &may[function];
        wrong.extend(did.difference(may).map(|one| format!("{function} lacks {one}")));
        wrong.extend(may.difference(did).map(|one| format!("{function} does not need {one}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    let reads_it = |name: &&String| stack.settings(name).contains_key("LWA_CLIENT_SECRET_ARN");
    let reads_it: BTreeSet<_> = may.keys().filter(reads_it).cloned().collect();
    assert_eq!(may_read_the_secret, reads_it);
}
