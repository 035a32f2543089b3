use tests::{Flow, Tables, cheap_passwords};

use crate::{PAIRS, end, stack};

/// Every way through: all before the last request of one release, the last one of the other.
#[tokio::test]
async fn f15_r35_what_visitors_have_begun_with_one_release_they_finish_with_the_other() {
    let stack = stack().await;
    cheap_passwords(&stack);
    let seed = stack.dynamodb.snapshot().unwrap();
    let (mut wrong, mut runs) = (Vec::new(), 0);
    for flow in Flow::ALL {
        let mut clean = None;
        for [begins, finishes] in PAIRS {
            stack.dynamodb.restore(&seed).unwrap();
            stack.amazon.reset();
            stack.take_turns(&[begins]);
            let scene = flow.prepare(&stack).await;
            stack.take_turns(&[finishes]);
            let answer = scene.act().await;
            let standing = scene.standing().await;
            runs += 1;
            let mut odd = Tables::of(&stack).broken();
            let ended = (answer.status, answer.code());
            if ended != flow.ending() {
                odd.push(format!("ends {:?} {}", end(&answer), answer.text));
            }
            let clean = clean.get_or_insert_with(|| standing.clone());
            // A newcomer's account has another id each time, but the same address.
            if standing != *clean {
                odd.push(format!("leads to {standing:?}, not to {clean:?}"));
            }
            let what = format!("{flow:?}, {begins:?} then {finishes:?}");
            wrong.extend(odd.into_iter().map(|odd| format!("{what}: {odd}")));
        }
    }
    println!("two releases: {runs} runs, {} violations", wrong.len());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
