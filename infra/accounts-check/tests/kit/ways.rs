//! The three ways to an account system, and what people and programs are told.

use local_stack::{Stack, seed};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    ask::ask,
    run::{Ran, run},
    site::{
        ARN, CLOSED_EMAIL,
        Defect::{IsFastAboutNobody, KnowsAnotherSecret},
        EMAIL, PASSWORD, SECRET, Site,
    },
};

const C04: &str = "\
  ✗ C04 A signature by another secret is refused
        seen: it answered 200.
        mend: Compute HMAC-SHA256(base64decode(secret without \"whsec_\"), webhook-id + \".\" + \
webhook-timestamp + \".\" + body), take the request only if `webhook-signature` has it, and answer \
401 otherwise. A Standard Webhooks library does that.
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_told_what_is_wrong_and_how_to_mend_it() {
    let site = Site::open(Some(KnowsAnotherSecret)).await;
    let ran = ask(&site, &[]).await;
    assert_eq!((ran.status, ran.err.as_str()), (1, ""));
    assert!(ran.out.starts_with("The door\n  ✓ C01 A question is answered\n"), "{}", ran.out);
    assert!(ran.out.contains(C04), "{}", ran.out);
    assert!(ran.out.contains("  – C55 A second factor needs its code: not run, needs --code\n"));
    let end = "\n84 checks: 82 passed, 1 failed, 0 with advice, 1 not run.\n";
    assert!(ran.out.ends_with(end), "{}", ran.out);
    assert!(!ran.out.contains('\x1b'), "colours are for terminals");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_are_told_the_same() {
    let site = Site::open(Some(KnowsAnotherSecret)).await;
    let ran = ask(&site, &["--json"]).await;
    let mut report = ran.json();
    let check = report["checks"][3].take();
    let mend = C04.split_once("mend: ").unwrap().1.trim();
    assert_eq!(
        check,
        json!({
            "id": "C04",
            "group": "The door",
            "name": "A signature by another secret is refused",
            "outcome": "failed",
            "seen": "it answered 200",
            "mend": mend,
        })
    );
    let counts = ["right", "passed", "failed", "advice", "not_run"].map(|name| report[name].take());
    assert_eq!(counts, [json!(false), json!(82), json!(1), json!(0), json!(1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobodys_secrets_are_told() {
    let site = Site::open(Some(KnowsAnotherSecret)).await;
    for arguments in [vec![], vec!["--json"]] {
        let Ran { out, err, .. } = ask(&site, &arguments).await;
        for secret in [SECRET, PASSWORD, EMAIL, CLOSED_EMAIL, "Ångström"] {
            assert!(!out.contains(secret) && !err.contains(secret), "{secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_known_is_not_run() {
    let site = Site::open(None).await;
    let ran = run(&["--url", &site.url, "--secret", SECRET, "--json"], &[]).await;
    assert_eq!(ran.status, 0, "{}", ran.out);
    let report = ran.json();
    let said = |id: usize| report["checks"][id - 1]["seen"].as_str().unwrap();
    assert_eq!(said(23), "needs --email");
    assert_eq!(said(42), "needs --email");
    assert_eq!(said(40), "needs --disabled-email");
    assert_eq!(said(59), "needs --write, for it creates accounts");
    assert!(ran.ended("passed").len() > 25);
}

#[tokio::test]
async fn nobody_there_is_another_status_than_something_wrong() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", taken.local_addr().unwrap());
    drop(taken);
    let ran = run(&["--url", &url, "--secret", SECRET, "--json"], &[]).await;
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(ran.err.starts_with("Nobody answers: "), "{}", ran.err);
    assert!(!ran.err.contains(&url));
}

#[tokio::test]
async fn what_is_not_understood_has_the_same_status() {
    for (arguments, said) in [
        (vec![], "Say one of --url, --function and --table."),
        (vec!["--url", "http://x", "--secret", "whsec_short"], "The secret is not `whsec_` and"),
        (vec!["--url", "ftp://x", "--secret", SECRET], "--url begins with https://."),
        (vec!["--table", "t"], "AWS_REGION is not set."),
    ] {
        let ran = run(&arguments, &[]).await;
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.starts_with(said), "{}", ran.err);
    }
    let help = run(&["--help"], &[]).await;
    assert!(help.status == 0 && help.out.starts_with("accounts-check --url URL"));
}

async fn invoke(site: &Site, arn: &str) -> Ran {
    let arguments = [
        "--function",
        arn,
        "--email",
        EMAIL,
        "--disabled-email",
        CLOSED_EMAIL,
        "--write",
        "--json",
    ];
    let environment = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_LAMBDA", &site.lambda),
        ("ACCOUNTS_CHECK_PASSWORD", PASSWORD),
    ];
    run(&arguments, &environment).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_is_asked_everything_but_for_signatures() {
    let ran = invoke(&Site::open(None).await, ARN).await;
    assert_eq!(ran.ended("failed"), [""; 0], "{}", ran.out);
    assert_eq!(ran.ended("advice"), [""; 0], "{}", ran.out);
    assert_eq!(ran.ended("passed").len(), 63, "{}", ran.out);
    let report = ran.json();
    assert_eq!(report["checks"][3]["seen"], "only a webhook has signatures");

    let ran = invoke(&Site::open(Some(IsFastAboutNobody)).await, ARN).await;
    assert_eq!((ran.ended("failed"), ran.status), (vec!["C54".to_owned()], 1), "{}", ran.out);

    let ran = invoke(&Site::open(None).await, "another").await;
    let said = "Nobody answers: Lambda said ResourceNotFoundException\n";
    assert_eq!((ran.status, ran.err.as_str()), (2, said));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_asked_as_the_functions_ask_it() {
    let stack = Stack::doors().await.unwrap();
    let [_, lin, .., dora, _, _] = seed::ACCOUNTS;
    let environment = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", stack.dynamodb.url.as_str()),
        ("ACCOUNTS_CHECK_PASSWORD", lin.password.unwrap()),
    ];
    let known = ["--email", lin.email, "--disabled-email", dora.email, "--json", "--write"];
    let before = stack.dynamodb.snapshot().unwrap();

    let ran = run(&[&["--table", "accounts"], &known[..]].concat(), &environment).await;
    assert_eq!((ran.ended("failed"), ran.status), (vec![], 0), "{}", ran.out);
    assert!(ran.ended("passed").len() > 35, "{}", ran.out);
    let not_run = ran.ended("not_run");
    assert!(["C03", "C59", "C74"].iter().all(|id| not_run.iter().any(|one| one == id)));

    // Mia's address is kept in mixed case, and no lowercased attribute is there to find it by.
    let mia = ["--table", "accounts", "--email", "Mia@Example.com", "--json"];
    let ran = run(&mia, &environment[..2]).await;
    assert_eq!((ran.ended("failed"), ran.status), (vec!["C25".to_owned()], 1), "{}", ran.out);

    let ran = run(&[&["--table", "nowhere"], &known[..]].concat(), &environment).await;
    assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(stack.dynamodb.snapshot().unwrap() == before, "something was written");
}
