//! What becomes of every flow when there are a thousand times as many linked accounts.

use std::{path::Path, time::Instant};

use local_stack::{Dynamodb, Stack, amazon::SHOP_CLIENT_ID};
use serde_json::{Value, json};

use crate::{Error, ROOT, doors::Whom, figures::Figures, flows::Walk, stack};

/// How many linked accounts there are.
const SIZES: [u64; 3] = [1_000, 100_000, 1_000_000];
/// How often everything is walked: at one address no more televisions may begin.
const WALKS: u32 = 4;

/// What one flow takes.
struct Grown {
    name: &'static str,
    calls: usize,
    times: Figures,
}

/// Walks among so many and so many; fails where a flow takes more calls among more.
pub(crate) async fn growth() -> Result<(), Error> {
    let mut all = Vec::new();
    for size in SIZES {
        all.push(among(size).await?);
    }
    println!(
        "| | DynamoDB requests | {} |",
        SIZES.map(|size| format!("ms among {size}")).join(" | ")
    );
    println!("|---|{}", "---|".repeat(1 + SIZES.len()));
    let mut grew = Vec::new();
    for (at, flow) in all[0].iter().enumerate() {
        let calls: Vec<_> = all.iter().map(|flows| flows[at].calls).collect();
        let times = all.iter().map(|flows| format!("{:.1}", flows[at].times.median() / 1e3));
        let times: Vec<_> = times.collect();
        println!("| {} | {} | {} |", flow.name, flow.calls, times.join(" | "));
        if calls.iter().any(|calls| *calls > flow.calls) {
            grew.push(format!("{}: {calls:?} calls", flow.name));
        }
    }
    if grew.is_empty() { Ok(()) } else { Err(grew.join("\n").into()) }
}

async fn among(size: u64) -> Result<Vec<Grown>, Error> {
    let binaries = Path::new(ROOT).canonicalize()?.join("target/release");
    let (stack, lambda) = stack(&binaries).await?;
    let start = Instant::now();
    tokio::task::block_in_place(|| seed(&stack, size))?;
    eprintln!("{size} linked accounts: written in {:.0} s", start.elapsed().as_secs_f64());
    let mut all: Vec<Grown> = Vec::new();
    for round in 0..WALKS {
        for (at, flow) in Walk::new(&stack, &lambda, round).all().await?.iter().enumerate() {
            let calls = flow.calls(Whom::Dynamodb);
            match all.get_mut(at) {
                Some(grown) => grown.calls = grown.calls.max(calls),
                None => {
                    all.push(Grown { name: flow.name, calls, times: Figures::default() });
                }
            }
            all[at].times.time(flow.invocation.took);
        }
    }
    Ok(all)
}

/// Links so many accounts as Lin's is linked: the same rows, of somebody else.
fn seed(stack: &Stack, size: u64) -> Result<(), Error> {
    let dynamodb = &stack.dynamodb;
    let lin = stack.amazon.user_id("lin", SHOP_CLIENT_ID);
    let row = |pk: &str| dynamodb.get("identities", &[("pk", pk)]);
    let (forth, back) = (row(&format!("AMAZON#{lin}"))?, row("ACCOUNT#lin")?);
    let account = dynamodb.get("accounts", &[("id", "lin")])?;
    for nth in 0..size {
        let (id, customer) = (format!("linked-{nth}"), format!("amzn1.account.LINKED{nth:08}"));
        let with = |row: &Value, texts: &[(&str, &str)]| {
            let mut row = row.clone();
            for (name, text) in texts {
                row[*name] = json!({ "S": text });
            }
            row
        };
        let write = |table: &str, row: &Value| Dynamodb::put(dynamodb, table, row);
        let email = format!("linked{nth}@example.com");
        write("accounts", &with(&account, &[("id", &id), ("email", &email)]))?;
        let pk = format!("AMAZON#{customer}");
        write("identities", &with(&forth, &[("pk", &pk), ("account_id", &id)]))?;
        let pk = format!("ACCOUNT#{id}");
        write("identities", &with(&back, &[("pk", &pk), ("amazon_user_id", &customer)]))?;
    }
    Ok(())
}
