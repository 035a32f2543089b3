//! A survey says what is there, whoever interrupts it, and changes nothing.

use std::{env, fs, process};

use local_stack::{Dynamodb, dynamodb::Fault};
use serde_json::json;

use crate::{
    customers::{Tally, fill, place, survey, table},
    run::run,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_counted_once_and_nothing_is_changed() {
    let dynamodb = table("mail_key").await;
    let expected = fill(&dynamodb, 2_000);
    let before = dynamodb.snapshot().unwrap();
    for segments in ["1", "3"] {
        let ran = survey(&dynamodb, &["--segments", segments]).await;
        assert_eq!((ran.status, ran.err.as_str()), (1, ""), "accounts need the attribute");
        let report = ran.json();
        assert_eq!(Tally::of(&report), expected);
        assert_eq!(report["sharing"], json!({ "addresses": 20, "accounts": 40 }));
        assert_eq!(report["matching"], 2_000 - 20 - 20 - 20 - 40);
        assert_eq!(report["statuses"]["Gone"]["taken_for"], "may not enter");
        assert_eq!((&report["index"], &report["ready"]), (&json!("right"), &json!(false)));
    }
    assert!(dynamodb.snapshot().unwrap() == before);
    let asked = dynamodb.requests();
    let reads = |what: &String| what == "DescribeTable customers" || what == "Scan customers";
    assert!(asked.iter().all(reads), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_read_the_same_in_words() {
    let dynamodb = table("mail_key").await;
    fill(&dynamodb, 2_000);
    let arguments =
        ["survey", "--table", "customers", "--attributes", crate::customers::ATTRIBUTES];
    let ran = run(&arguments, &place(&dynamodb)).await;
    for line in [
        "         2,000  accounts\n",
        "         1,900  would match by e-mail: a usable address that no other account has\n",
        "            40  share 20 addresses, capitals aside: ",
        "\nPasswords\n           400  none\n",
        "           800  bcrypt 2b 10\n",
        "           200  not supported: md5crypt\n",
        "\nStatus\n           960  absent: may enter\n",
        "            40  locked: may not enter for now\n            40  Gone: may not enter\n",
        "\nIndex by address: right.\n",
    ] {
        assert!(ran.out.contains(line), "{line}{}", ran.out);
    }
    assert!(!ran.out.contains("example.com"), "an address is told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_survey_goes_on_where_it_was() {
    let dynamodb = table("mail_key").await;
    let expected = fill(&dynamodb, 10_000);
    let state = Journal::new("interrupted");
    survey(&dynamodb, &[]).await;
    let pages = scans(&dynamodb);
    assert!(pages > 3, "{pages}");

    dynamodb.fault("Scan customers", 2, None, Fault::Refused("AccessDeniedException"));
    let ran = survey(&dynamodb, &["--state", &state.0]).await;
    assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.starts_with("The table cannot be read: "), "{}", ran.err);
    // Somebody pulled the plug while a line was being written.
    let journal = fs::read_to_string(&state.0).unwrap();
    assert!(!journal.contains('@'), "an address is in the journal");
    fs::write(&state.0, format!("{journal}{{\"segment\":0,\"next\":nu")).unwrap();

    dynamodb.clear_faults();
    dynamodb.reset_requests();
    let ran = survey(&dynamodb, &["--state", &state.0]).await;
    assert_eq!(Tally::of(&ran.json()), expected);
    assert_eq!(scans(&dynamodb), pages - 2, "what was read is not read again");

    dynamodb.reset_requests();
    let ran = survey(&dynamodb, &["--state", &state.0]).await;
    assert_eq!(Tally::of(&ran.json()), expected, "it is over, and known by heart");
    assert_eq!(dynamodb.requests(), ["DescribeTable customers"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segments_go_on_each_where_it_was() {
    let dynamodb = table("mail_key").await;
    let expected = fill(&dynamodb, 10_000);
    let state = Journal::new("segments");
    let arguments = ["--segments", "3", "--state", &state.0];
    let whole = survey(&dynamodb, &arguments).await.json();
    let journal = fs::read_to_string(&state.0).unwrap();
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    for kept in 1..lines.len() {
        fs::write(&state.0, lines[..kept].concat()).unwrap();
        dynamodb.reset_requests();
        let ran = survey(&dynamodb, &arguments).await;
        assert_eq!(ran.json(), whole, "{kept} lines");
        assert_eq!(scans(&dynamodb), lines.len() - kept);
    }
    assert_eq!(Tally::of(&whole), expected);

    let ran = survey(&dynamodb, &["--segments", "4", "--state", &state.0]).await;
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("is the state of another survey"), "{}", ran.err);
}

/// A journal of a test's own, gone with it.
struct Journal(String);

impl Journal {
    fn new(of: &str) -> Self {
        let path = env::temp_dir().join(format!("accounts-check-{}-{of}", process::id()));
        Self(path.to_str().unwrap().to_owned())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // It may not have been written at all.
        let _ = fs::remove_file(&self.0);
    }
}

fn scans(dynamodb: &Dynamodb) -> usize {
    dynamodb.requests().iter().filter(|what| *what == "Scan customers").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_the_functions_cannot_ask_is_told() {
    let dynamodb = table("mail").await;
    let ran = survey(&dynamodb, &[]).await;
    let report = ran.json();
    assert_eq!(report["index"], "the key of by_email is mail, not mail_key");
    assert_eq!((ran.status, &report["ready"]), (1, &json!(false)));

    let ran = survey(&dynamodb, &["--email-index", "mail-index"]).await;
    assert_eq!(ran.json()["index"], "there is no index mail-index");

    let ran = survey(&dynamodb, &["--attributes", "email=mail"]).await;
    let said = "This table cannot be read: its key is user_id, not id.\n";
    assert_eq!((ran.status, ran.err.as_str()), (2, said));

    let ran = survey(&dynamodb, &["--attributes", "id=user_id,email=mail"]).await;
    assert_eq!((ran.status, &ran.json()["ready"]), (0, &json!(true)), "there is nobody in it");

    let ran = survey(&dynamodb, &["--table", "nowhere"]).await;
    let said = "DynamoDB said ResourceNotFoundException about the table nowhere.\n";
    assert_eq!((ran.status, ran.err.as_str()), (2, said));
}
