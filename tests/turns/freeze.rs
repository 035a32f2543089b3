use std::{fs, path::Path};

use local_stack::{Options, Release, amazon::Customer};
use serde_json::{Map, Value, json};
use tests::{Browser, LOGIN, SESSION, TICKET};

use crate::{
    NOON,
    apps::{hand_over, poll, switched_on},
};

/// The tables whose rows last from one release to the next.
const TABLES: [&str; 4] = ["accounts", "identities", "sessions", "tickets"];

/// Where a page's query has this.
fn query(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.into_iter().find(|(found, _)| found == name).unwrap().1.into_owned()
}

/// Everything that may be under way when a release is replaced, as its functions write it, for
/// journeys/upgrading.rs to finish.
#[tokio::test]
#[ignore = "it writes journeys/previous.json, once for each release"]
async fn freezes_what_the_previous_release_writes() {
    let turns = vec![Release::Previous];
    let options = Options { stopped_at: Some(NOON), turns, ..Options::default() };
    let stack = options.start().await.unwrap();
    for (login, address) in [("robert", "bob@example.com"), ("maria", "Mia@Example.com")] {
        let customer = Customer { email: Some(address.to_owned()), ..Customer::new(login) };
        stack.amazon.world().customers.push(customer);
    }
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("ann", "/checkout").await;
    assert_eq!(ann.prove(&page, "not-the-one").await.status, 401);
    let noa = Browser::new(&stack);
    noa.asked_after_amazon("noa", "/checkout").await;
    let nora = Browser::new(&stack);
    let at_amazon = nora.begin("/checkout").await;

    let mia = Browser::new(&stack);
    let page = mia.asked_after_amazon("maria", "/").await;
    assert_eq!(mia.prove(&page, "mia-local-password").await.status, 303);
    assert!(stack.deliver_notices().await.is_some());
    let told = stack.queue.messages();
    let undo = told.iter().find_map(|one| one["undo_url"].as_str()).unwrap();

    let television = switched_on(&stack).await;
    assert!(stack.amazon.allow_code(television["user_code"].as_str().unwrap(), "lin"));
    let watches = poll(&stack, &television).await.json();
    let at = NOON.rfc3339();
    let event = json!({ "type": "signed_in", "account_id": "sam", "at": at, "how": "password" });
    let desk = stack.invoke("lifecycle", event.to_string()).await.unwrap();
    let desk: Value = serde_json::from_slice(&desk).unwrap();

    let app = hand_over(&stack, "lin").await;
    let app_link = hand_over(&stack, "robert").await;

    let rows = TABLES.map(|table| (table.to_owned(), stack.dynamodb.scan(table).unwrap().into()));
    let frozen = json!({
        "commit": include_str!("../previous").lines().find(|line| !line.starts_with('#')),
        "at": NOON.0,
        "session": lin.cookie(SESSION),
        "link": ann.cookie(TICKET),
        "register": noa.cookie(TICKET),
        "login": {
            "cookie": nora.cookie(LOGIN),
            "state": query(&at_amazon, "state"),
            "code_challenge": query(&at_amazon, "code_challenge"),
        },
        "undo": query(undo, "token"),
        "app": app["session_token"],
        "app_link": app_link["ticket"],
        "television": { "device_code": television["device_code"], "session": watches["session_token"] },
        "desk": desk["code"],
        "rows": Map::from_iter(rows),
    });
    let to = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/journeys/previous.json"));
    fs::write(to, format!("{frozen:#}\n")).unwrap();
}
