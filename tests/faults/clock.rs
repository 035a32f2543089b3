//! The clock of the functions is not the one of a moment ago.

use local_stack::{Options, Stack, Timestamp};
use tests::{Browser, cheap_passwords};

/// When everything begins.
const NOON: i64 = 1_795_867_200;

async fn stack_at_noon() -> Stack {
    let stopped_at = Some(Timestamp(NOON));
    let stack = Options { stopped_at, ..Options::default() }.start().await.unwrap();
    cheap_passwords(&stack);
    stack
}

fn at(stack: &Stack, seconds: i64) {
    stack.set_clock(Timestamp(NOON + seconds)).unwrap();
}

/// The clock went back and came again: what is over by then is over all the same.
#[tokio::test]
async fn f14_r30_going_back_in_time_makes_nothing_last_longer() {
    let stack = stack_at_noon().await;
    // A sign-in lasts ten minutes from its beginning.
    for (seconds, status) in [(599, 303), (600, 400)] {
        at(&stack, 0);
        let browser = Browser::new(&stack);
        let url = browser.begin("/").await;
        at(&stack, -300);
        assert_eq!(browser.account().await, None);
        browser.begin("/").await;
        at(&stack, seconds);
        assert_eq!(browser.allow(&url, "lin").await.status, status, "after {seconds} s");
    }

    // A ticket lasts a quarter of an hour, whatever was tried meanwhile.
    at(&stack, 0);
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/").await;
    for seconds in [300, -300, 600, 0] {
        at(&stack, seconds);
        assert_eq!(browser.get("/auth/amazon/link").await.status, 200, "after {seconds} s");
    }
    at(&stack, -300);
    assert_eq!(browser.prove(&page, "wrong").await.status, 401);
    at(&stack, 900);
    let late = browser.prove(&page, "ann-local-password").await;
    assert_eq!((late.status, late.code()), (410, "ticket_expired"));

    // A session that was used by a clock ahead of others is good for twelve hours from then.
    at(&stack, 0);
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;
    for seconds in [300, 0, -300, 299] {
        at(&stack, seconds);
        assert_eq!(browser.account().await.as_deref(), Some("lin"), "after {seconds} s");
    }
    for (seconds, account) in [(300 + 43_199, Some("lin")), (300 + 2 * 43_200, None)] {
        at(&stack, seconds);
        assert_eq!(browser.account().await.as_deref(), account, "after {seconds} s");
        at(&stack, seconds - 300);
    }
    at(&stack, 604_800);
    assert_eq!(browser.account().await, None);
}

/// Guesses are counted by windows of time: a clock that goes back finds those of before.
#[tokio::test]
async fn f14_r30_going_back_in_time_brings_no_guesses() {
    let stack = stack_at_noon().await;
    let mut guesses = 0;
    for seconds in [0, 300, 0, 300, -1, 300, 0, -1] {
        at(&stack, seconds);
        let browser = Browser::new(&stack);
        let page = browser.asked_after_amazon("ann", "/").await;
        for _ in 0..3 {
            let answer = browser.prove(&page, "wrong").await;
            assert!([401, 429].contains(&answer.status), "{} {}", answer.status, answer.text);
            guesses += u32::from(answer.status == 401);
        }
    }
    // Five in each of the two quarters of an hour that these moments belong to.
    assert_eq!(guesses, 10);
}
