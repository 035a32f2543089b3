//! More at once than the template lets in: what AWS refuses then, and what everybody else sees.

use futures_util::future::join_all;
use local_stack::{Options, Stack, amazon::Customer};
use tests::{Answer, Browser, Tables, load::Load, named};

/// The address and the password of accounts: each owner comes by an Amazon account of their own.
const OWNERS: [(&str, &str); 4] = [
    ("ann@example.com", "ann-local-password"),
    ("bob@example.com", "bob-local-password"),
    ("Mia@Example.com", "mia-local-password"),
    ("sam@example.com", "sam-local-password"),
];

/// The site, with the limits that it has in the cloud.
async fn limited(parameters: &[(&str, &str)]) -> Stack {
    Options { limited: true, ..Options::with(parameters) }.start().await.unwrap()
}

/// A browser at the link page of the account with this address, and the page.
async fn at_the_link_page<'a>(stack: &'a Stack, address: &str) -> (Browser<'a>, Answer) {
    let login = format!("owner-of-{address}");
    let customer = Customer { email: Some(address.to_owned()), ..Customer::new(&login) };
    stack.amazon.world().customers.push(customer);
    let browser = Browser::new(stack);
    let page = browser.asked_after_amazon(&login, "/").await;
    (browser, page)
}

/// How many guesses at passwords were counted, each of them in three places.
fn counted(stack: &Stack) -> u64 {
    let rows = stack.dynamodb.scan("tickets").unwrap().into_iter();
    let taken = rows.filter_map(|row| row["taken"]["N"].as_str()?.parse::<u64>().ok());
    let all: u64 = taken.sum();
    assert_eq!(all % 3, 0, "a guess is counted in some places only");
    all / 3
}

fn of(answers: &[(Answer, bool)], wanted: (u16, &str)) -> usize {
    answers.iter().filter(|(one, _)| (one.status, named(one).unwrap_or_default()) == wanted).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_one_password_is_checked_at_once_nobody_is_linked_twice_and_no_guess_is_lost() {
    let stack = limited(&[("LinkConcurrency", "1")]).await;
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    let mut owners = Vec::new();
    for (address, password) in OWNERS {
        owners.push((at_the_link_page(&stack, address).await, password));
    }
    let before = counted(&stack);

    // Two wrong ones and the right one of each, and again, while somebody else only looks around.
    let guesses = (0..6).flat_map(|round| {
        owners.iter().map(move |((browser, page), right)| async move {
            let is_right = round % 3 == 2;
            let password = if is_right { right } else { "not-the-one" };
            (browser.prove(page, password).await, is_right)
        })
    });
    let checks = (0..40).map(|_| lin.fetch("/auth/session", None));
    let (answers, checks) = tokio::join!(join_all(guesses), join_all(checks));

    for (answer, is_right) in &answers {
        let end = (answer.status, named(answer).unwrap_or("?"));
        let expected = match end {
            (303, "ok") => *is_right || answer.header("set-cookie").is_none(),
            (401, "wrong_password") => !is_right,
            // The ticket has done its work; or there was no room.
            (410, "ticket_expired") | (503, "gateway") => true,
            _ => false,
        };
        assert!(expected, "{end:?}: {}", answer.text);
    }
    assert!(of(&answers, (503, "gateway")) > 0, "nobody was refused");
    assert!(checks.iter().all(|check| check.status == 200), "they share no limit");

    // Whoever was let in was told; whatever was refused was neither compared nor counted.
    let tables = Tables::of(&stack);
    assert_eq!(tables.broken(), [""; 0]);
    let links = tables.linked().len() - 1;
    let told = answers.iter().filter(|(one, _)| one.headers.contains_key("set-cookie"));
    assert_eq!(links, told.filter(|(one, _)| one.status == 303).count());
    let wrong = of(&answers, (401, "wrong_password"));
    assert_eq!(counted(&stack) - before, u64::try_from(wrong + links).unwrap());

    // And whoever was turned away comes in when there is room again.
    for ((browser, page), right) in &owners {
        if browser.account().await.is_none() {
            let answer = browser.prove(page, right).await;
            assert_eq!((answer.status, named(&answer)), (303, Some("ok")), "{}", answer.text);
        }
    }
    let tables = Tables::of(&stack);
    assert_eq!((tables.broken().len(), tables.linked().len()), (0, OWNERS.len() + 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_at_a_dear_route_is_stopped_by_the_gateway_and_checks_of_sessions_go_on() {
    let stack = limited(&[]).await;
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    let nobody = Browser::new(&stack);

    let flood = (0..300).map(|_| nobody.post("/auth/amazon/link", &[("password", "x")]));
    let checks = (0..100).map(|_| lin.fetch("/auth/session", None));
    let (flood, checks) = tokio::join!(join_all(flood), join_all(checks));

    // A hundred are in the bucket, and fifty come back in a second.
    let count = |status, word| {
        flood.iter().filter(|one| (one.status, named(one)) == (status, Some(word))).count()
    };
    let (throttled, busy) = (count(429, "gateway"), count(503, "gateway"));
    let answered = count(410, "ticket_expired") + count(403, "csrf");
    assert_eq!(throttled + busy + answered, flood.len(), "{throttled} {busy} {answered}");
    assert!(throttled > 0 && answered > 0, "{throttled} {busy} {answered}");
    assert!(checks.iter().all(|check| check.status == 200));
}

/// What `cargo load` does, in small.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_every_answer_has_a_name() {
    let stack = Load::stack([("LinkConcurrency".to_owned(), "1".to_owned())].into()).await.unwrap();
    let load = Load { sessions: 60, sign_ins: 12, passwords: 8, televisions: 12, at_once: 8 };

    let report = load.run(&stack).await.unwrap();

    println!("{report}");
    assert_eq!(report.nameless(), [""; 0]);
    assert_eq!(report.count("GET /auth/session", 200, "ok"), 60);
    assert_eq!(report.count("POST /auth/amazon/device/poll", 200, "ok"), 12);
    let proven = report.count("POST /auth/amazon/link", 303, "ok");
    assert_eq!(Tables::of(&stack).linked().len(), proven + 1);
    let refused = ["GET", "POST"]
        .map(|method| report.count(&format!("{method} /auth/amazon/link"), 503, "gateway"));
    assert!(refused.iter().sum::<usize>() > 0, "nobody was refused");
    assert_eq!(Tables::of(&stack).broken(), [""; 0]);
}
