//! Two things go wrong at once: any two, at any two calls, by the choice of a seed.

use local_stack::{
    amazon::{Endpoint, Fault as AtAmazon},
    dynamodb::Fault,
};
use sha2::{Digest as _, Sha256};
use tests::{
    Flow, Scale,
    stage::{Stage, careless, side_by_side, timed},
};

use crate::dynamodb::troubles;

/// The seed of all choices; the same one makes the same choices.
const SEED: u64 = 20_261_125;

/// Choices that look random and can be made again.
struct Choices {
    name: String,
    made: u64,
}

impl Choices {
    /// One of so many.
    fn of(&mut self, many: usize) -> usize {
        self.made += 1;
        let hash = Sha256::digest(format!("{SEED} {} {}", self.name, self.made));
        let number = hash.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        usize::try_from(number % u64::try_from(many).unwrap()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r36_no_two_faults_together_do_half_of_anything() {
    println!("seed {SEED}");
    let pairs = Scale::wanted().pick(12, 200);
    side_by_side("pairs of faults", &Flow::ALL, async |stack, seed, flow, findings| {
        let stage = Stage::set(stack, seed, *flow).await;
        if stage.calls.is_empty() {
            return;
        }
        for pair in 0..pairs {
            let mut choices = Choices { name: format!("{flow:?} {pair}"), made: 0 };
            let mut what = format!("{flow:?}, pair {pair}");
            let visitor = stage.visitor();
            let mut numbers = [choices.of(stage.calls.len()), choices.of(stage.calls.len())];
            numbers.sort_unstable();
            // Faults take turns: the second one counts from where the first has hit.
            for (number, skip) in [(numbers[0], numbers[0]), (numbers[1], numbers[1] - numbers[0])]
            {
                let quick = |fault: &Fault| match fault {
                    Fault::Silent => false,
                    Fault::Late(late) => late.as_secs() == 0,
                    _ => true,
                };
                let all: Vec<_> = troubles(&stage.calls[number])
                    .into_iter()
                    .filter(|trouble| quick(&trouble.fault))
                    .collect();
                let fault = all[choices.of(all.len())].fault.clone();
                what.push_str(&format!(", {number} {fault:?}"));
                stack.dynamodb.fault("", u32::try_from(skip).unwrap(), Some(1), fault);
            }
            if stage.amazon > 0 && choices.of(2) == 0 {
                let endpoints = [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile];
                let faults = [AtAmazon::Status(500), AtAmazon::Cut, AtAmazon::Truncated];
                let endpoint = endpoints[choices.of(3)];
                let fault = faults[choices.of(3)].clone();
                what.push_str(&format!(", {endpoint:?} {fault:?}"));
                stack.amazon.fault(endpoint, fault, Some(1));
            }

            let (answer, late) = timed(visitor.act()).await;

            stack.dynamodb.clear_faults();
            for endpoint in [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile] {
                stack.amazon.clear_faults(endpoint);
            }
            let mut wrong: Vec<_> = late.into_iter().chain(careless(&answer)).collect();
            if answer.status == 500 {
                wrong.push(format!("ends with {}", answer.text));
            }
            wrong.extend(stage.wrong(&visitor).await);
            wrong.extend(stage.wrong_when_repeated(visitor).await);
            findings.run(&what, wrong);
        }
    })
    .await;
}
