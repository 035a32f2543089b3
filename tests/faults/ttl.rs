//! DynamoDB removes rows some days after their time, or at once: nobody may notice which.

use local_stack::{Options, Stack, Timestamp};
use tests::{Answer, Browser, cheap_passwords};

/// When everything begins.
const NOON: i64 = 1_795_867_200;
const DAY: i64 = 86_400;

/// Removes every row whose time has come, as DynamoDB may.
fn sweep(stack: &Stack, now: i64) -> usize {
    let mut gone = 0;
    for table in ["sessions", "tickets"] {
        for row in stack.dynamodb.scan(table).unwrap() {
            let ttl = row["ttl"]["N"].as_str().map(|ttl| ttl.parse::<i64>().unwrap());
            if ttl.is_some_and(|ttl| ttl <= now) {
                let key = ["pk", "sk"].map(|name| (name, row[name]["S"].as_str().unwrap()));
                stack.dynamodb.delete(table, &key).unwrap();
                gone += 1;
            }
        }
    }
    gone
}

/// Visitors who have left something in every table.
struct Visitors<'a> {
    stack: &'a Stack,
    /// Is signed in.
    lin: (Browser<'a>, String),
    /// Was asked for a password.
    ann: (Browser<'a>, Answer),
    /// Was asked too, and has pressed "forgot".
    bob: (Browser<'a>, Answer),
    /// Was asked for an address.
    noa: (Browser<'a>, Answer),
}

async fn visitors(stack: &Stack) -> Visitors<'_> {
    let [lin, ann, bob, noa] = [(); 4].map(|()| Browser::new(stack));
    let url = lin.begin("/").await;
    let back = stack.amazon.allow(&url, "lin").unwrap();
    assert_eq!(lin.come_back(&back).await.status, 303);
    let page = ann.asked_after_amazon("ann", "/").await;
    ann.prove(&page, "wrong").await;
    stack.amazon.change("max", |max| max.email = Some("bob@example.com".to_owned()));
    let forgotten = bob.asked_after_amazon("max", "/").await;
    let fields = [("csrf", forgotten.input("csrf"))];
    assert_eq!(bob.post("/auth/amazon/link/forgot", &fields).await.status, 303);
    let asked = noa.asked_after_amazon("noa", "/").await;
    Visitors { stack, lin: (lin, back), ann: (ann, page), bob: (bob, forgotten), noa: (noa, asked) }
}

impl Visitors<'_> {
    /// Everything that they might try now: how each ends, and who is signed in then.
    async fn try_everything(&self) -> Vec<String> {
        let mut endings = Vec::new();
        let [lin, ann, bob, noa] =
            [&self.lin.0, &self.ann.0, &self.bob.0, &self.noa.0].map(Browser::copy);
        let mut note = |what: &str, answer: &Answer| {
            endings.push(format!("{what}: {} {}", answer.status, answer.code()));
        };
        note("session", &lin.fetch("/auth/session", None).await);
        note("the same callback", &lin.come_back(&self.lin.1).await);
        note("link page", &ann.get("/auth/amazon/link").await);
        note("wrong password", &ann.prove(&self.ann.1, "wrong").await);
        note("right password", &ann.prove(&self.ann.1, "ann-local-password").await);
        note("after forgetting it", &bob.prove(&self.bob.1, "bob-local-password").await);
        note("registration page", &noa.get("/auth/amazon/register").await);
        let fields = [("csrf", self.noa.1.input("csrf")), ("email", "noa@home.example")];
        note("registration", &noa.post("/auth/amazon/register", &fields).await);
        let new = Browser::new(self.stack);
        let page = new.sign_in_at_amazon("ann", "/").await;
        note("a new sign-in", &page);
        for browser in [&lin, &ann, &bob, &noa, &new] {
            endings.push(format!("{:?}", browser.account().await.is_some()));
        }
        endings
    }
}

#[tokio::test]
async fn f12_r20_rows_that_are_over_may_lie_there_or_be_gone() {
    let stopped_at = Some(Timestamp(NOON));
    let stack = Options { stopped_at, ..Options::default() }.start().await.unwrap();
    cheap_passwords(&stack);
    let visitors = visitors(&stack).await;
    let (rows, mut removed, mut seen) = (stack.dynamodb.snapshot().unwrap(), 0, Vec::new());
    let ends = [0, 899, 900, 43_199, 43_200, DAY - 1, DAY, 7 * DAY - 1, 7 * DAY];
    // A row may go a day after what it stands for is over.
    let goes = ends.map(|end| end + DAY);
    for seconds in ends.into_iter().chain(goes) {
        stack.set_clock(Timestamp(NOON + seconds)).unwrap();
        stack.dynamodb.restore(&rows).unwrap();
        let lying_there = visitors.try_everything().await;
        stack.dynamodb.restore(&rows).unwrap();
        removed += sweep(&stack, NOON + seconds);
        let gone = visitors.try_everything().await;
        assert_eq!(lying_there, gone, "after {seconds} s");
        seen.push(gone);
    }
    assert!(removed > 10, "{removed}");
    seen.sort();
    seen.dedup();
    assert!(seen.len() >= 5, "time makes a difference: {seen:#?}");
}
