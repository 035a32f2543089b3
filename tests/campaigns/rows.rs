//! Rows that lag behind, lie around, or are gone a moment before they are needed.

use local_stack::{Options, Stack, Timestamp};
use tests::{
    Flow, Tables, cheap_passwords,
    stage::{Findings, Stage, careless, code, side_by_side, timed},
};
use tokio::join;

/// When the clock stands still.
const NOON: i64 = 1_800_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_r19_reads_that_may_lag_decide_nothing() {
    side_by_side("flows whose tables lag", &Flow::ALL, async |stack, seed, flow, findings| {
        let stage = Stage::set(stack, seed, *flow).await;
        // The site's own index of addresses is the one read that may, and each hit is read again.
        let may = stage.calls.iter().filter(|call| call.may_lag && call.what != "Query accounts");
        let mut wrong: Vec<_> = may.map(|call| format!("{} may lag", call.what)).collect();
        stack.dynamodb.restore(seed).unwrap();
        let lag = stack.dynamodb.lag().await.unwrap();
        let visitor = stage.visitor();
        let answer = visitor.act().await;
        if (answer.status, answer.code()) != flow.ending() {
            wrong.push(format!("ends with {} {}", answer.status, answer.text));
        }
        if visitor.standing().await != stage.clean {
            wrong.push("leads elsewhere".to_owned());
        }
        drop(lag);
        findings.run(&format!("{flow:?}"), wrong);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f10_a_row_that_is_gone_when_it_is_written_to_does_not_come_back() {
    side_by_side("rows gone before a call", &Flow::ALL, async |stack, seed, flow, findings| {
        let stage = Stage::set(stack, seed, *flow).await;
        for number in 0..stage.calls.len() {
            for table in ["sessions", "tickets"] {
                let visitor = stage.visitor();
                let mut gate = stack.dynamodb.gate();
                let keeper = async {
                    for _ in 0..number {
                        gate.next().await.unwrap().pass();
                    }
                    let held = gate.next().await.unwrap();
                    for row in stack.dynamodb.scan(table).unwrap() {
                        let text = |name: &str| row[name]["S"].as_str().unwrap().to_owned();
                        let (pk, sk) = (text("pk"), text("sk"));
                        stack.dynamodb.delete(table, &[("pk", &pk), ("sk", &sk)]).unwrap();
                    }
                    held.pass();
                    drop(gate);
                };
                let ((answer, late), ()) = join!(timed(visitor.act()), keeper);

                let mut wrong: Vec<_> = late.into_iter().chain(careless(&answer)).collect();
                if answer.status >= 500 {
                    wrong.push(format!("ends with {} {}", answer.status, answer.text));
                }
                wrong.extend(Tables::of(stack).broken());
                let call = &stage.calls[number].what;
                findings.run(&format!("{flow:?}, {table} emptied before {call}"), wrong);
            }
        }
    })
    .await;
}

/// DynamoDB removes rows within days of their `ttl`: at once, or not at all for now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_r20_whether_rows_that_are_over_lie_around_makes_no_difference() {
    let options = Options { stopped_at: Some(Timestamp(NOON)), ..Options::default() };
    let stack = options.start().await.unwrap();
    cheap_passwords(&stack);
    let seed = stack.dynamodb.snapshot().unwrap();
    let mut findings = Findings::default();
    for flow in Flow::ALL {
        stack.set_clock(Timestamp(NOON)).unwrap();
        let stage = Stage::set(&stack, &seed, flow).await;
        for later in [601, 901, 43_201, 86_401, 604_801, 10 * 86_400] {
            let now = NOON + later;
            let mut ends = Vec::new();
            for swept in [false, true] {
                let visitor = stage.visitor();
                stack.set_clock(Timestamp(now)).unwrap();
                if swept {
                    sweep(&stack, now);
                }
                let answer = visitor.act().await;
                ends.push((answer.status, code(&answer), visitor.standing().await));
            }
            let wrong = match ends[0] == ends[1] {
                true => Vec::new(),
                false => vec![format!("{:?}, and swept {:?}", ends[0], ends[1])],
            };
            findings.run(&format!("{flow:?}, {later} s later"), wrong);
        }
    }
    findings.tell("flows after rows were over");
}

/// Removes every row whose time to live is over, as DynamoDB does at its very best.
fn sweep(stack: &Stack, now: i64) {
    for table in ["sessions", "tickets"] {
        for row in stack.dynamodb.scan(table).unwrap() {
            let ttl = row["ttl"]["N"].as_str().and_then(|ttl| ttl.parse::<i64>().ok());
            if ttl.is_some_and(|ttl| ttl <= now) {
                let text = |name: &str| row[name]["S"].as_str().unwrap().to_owned();
                let (pk, sk) = (text("pk"), text("sk"));
                stack.dynamodb.delete(table, &[("pk", &pk), ("sk", &sk)]).unwrap();
            }
        }
    }
}

/// Clocks of machines differ, and are put right: nothing is over early, and nothing for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_r30_a_clock_that_jumps_five_minutes_stops_nobody() {
    let options = Options { stopped_at: Some(Timestamp(NOON)), ..Options::default() };
    let stack = options.start().await.unwrap();
    cheap_passwords(&stack);
    let seed = stack.dynamodb.snapshot().unwrap();
    let mut findings = Findings::default();
    for flow in Flow::ALL {
        stack.set_clock(Timestamp(NOON)).unwrap();
        let stage = Stage::set(&stack, &seed, flow).await;
        for jump in [-300, -1, 1, 300] {
            // A code is good for a minute, a proof for less than five.
            if jump == 300 && matches!(flow, Flow::Accept | Flow::Attach | Flow::Unlink) {
                continue;
            }
            let visitor = stage.visitor();
            stack.set_clock(Timestamp(NOON + jump)).unwrap();
            let answer = visitor.act().await;
            let mut wrong = Tables::of(&stack).broken();
            if (answer.status, answer.code()) != flow.ending() {
                wrong.push(format!("ends with {} {}", answer.status, answer.text));
            }
            if visitor.standing().await != stage.clean {
                wrong.push("leads elsewhere".to_owned());
            }
            findings.run(&format!("{flow:?}, the clock jumps by {jump} s"), wrong);
        }
    }
    findings.tell("flows under a clock that jumps");
}
