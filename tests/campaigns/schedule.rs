//! Every order in which the calls of several contenders can reach DynamoDB.
//!
//! Each contender's next call waits at a gate; when all of them wait or are done, one goes on. Which
//! one is a choice, and all choices are tried, depth first: the last choice that has another
//! alternative takes it, and what follows starts anew. A call at DynamoDB is one step that nobody
//! sees the middle of, so no other order can make a difference.

use std::{collections::BTreeMap, pin::Pin};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use local_stack::{Stack, dynamodb::Held};
use tests::{Answer, Browser, Tables, stage::Findings};

/// Somebody who takes part in a race.
pub(crate) struct Contender<'a> {
    name: &'static str,
    does: Pin<Box<dyn Future<Output = Finish<'a>> + 'a>>,
}

/// What a visitor got, and with which browser; nothing for the site itself.
pub(crate) type Finish<'a> = Option<(Answer, Browser<'a>)>;

/// One race that was run.
pub(crate) struct Run<'a> {
    /// What the contenders got, in their order.
    pub(crate) finishes: Vec<Finish<'a>>,
    /// Whose call was done when, and what it was.
    order: Vec<(&'static str, String)>,
}

/// What the site does of its own accord; its calls carry no trace.
pub(crate) const SITE: &str = "site";

impl<'a> Contender<'a> {
    /// A visitor, whose browser does this.
    pub(crate) fn visitor<F>(
        name: &'static str,
        browser: &Browser<'a>,
        does: impl FnOnce(Browser<'a>) -> F,
    ) -> Self
    where
        F: Future<Output = (Answer, Browser<'a>)> + 'a,
    {
        let does = does(browser.copy().traced(name));
        Self { name, does: Box::pin(async move { Some(does.await) }) }
    }

    /// The site, which does this with its own tables.
    pub(crate) fn site(does: impl Future<Output = ()> + 'a) -> Self {
        Self {
            name: SITE,
            does: Box::pin(async move {
                does.await;
                None
            }),
        }
    }
}

impl<'a> Run<'a> {
    /// The statuses of the answers, in the contenders' order; 0 for the site.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let status = |finish: &Finish<'_>| finish.as_ref().map_or(0, |(answer, _)| answer.status);
        self.finishes.iter().map(status).collect()
    }

    /// Whether somebody's last call of this kind was done before somebody else's.
    pub(crate) fn before(&self, one: (&str, &str), other: (&str, &str)) -> bool {
        let last = |(who, what): (&str, &str)| {
            self.order.iter().rposition(|(name, call)| *name == who && call.starts_with(what))
        };
        matches!((last(one), last(other)), (Some(one), Some(other)) if one < other)
    }

    /// Whom the browsers of the contenders are signed in as.
    pub(crate) async fn accounts(&self) -> Vec<Option<String>> {
        let mut accounts = Vec::new();
        for finish in &self.finishes {
            accounts.push(match finish {
                Some((_, browser)) => browser.account().await,
                None => None,
            });
        }
        accounts
    }
}

/// Runs a race in every order there is, from how the stack stands now, and goes back to that.
pub(crate) async fn race<'a>(
    stack: &'a Stack,
    name: &str,
    findings: &mut Findings,
    contenders: impl Fn() -> Vec<Contender<'a>>,
    judge: impl AsyncFn(&Run<'a>) -> Vec<String>,
) {
    let start = stack.dynamodb.snapshot().unwrap();
    // Once without a gate: so many processes are needed, and they read a row when they start.
    futures_util::future::join_all(contenders().into_iter().map(|one| one.does)).await;
    let mut orders = 0;
    let mut choices: Vec<(usize, usize)> = Vec::new();
    loop {
        stack.dynamodb.restore(&start).unwrap();
        let run = run(stack, contenders(), &mut choices).await;
        // The judge first, who may take back what the site did on purpose.
        let mut wrong = judge(&run).await;
        wrong.extend(Tables::of(stack).broken());
        let order: Vec<_> = run.order.iter().map(|(who, what)| format!("{who}: {what}")).collect();
        findings.run(&format!("{name} [{}] {:?}", order.join(", "), run.statuses()), wrong);
        orders += 1;
        while choices.last().is_some_and(|(chosen, of)| chosen + 1 == *of) {
            choices.pop();
        }
        match choices.last_mut() {
            Some((chosen, _)) => *chosen += 1,
            None => break,
        }
    }
    stack.dynamodb.restore(&start).unwrap();
    println!("{orders:>6} orders: {name}");
}

/// One run, by the choices that are made already; the others are noted as they come up.
async fn run<'a>(
    stack: &Stack,
    contenders: Vec<Contender<'a>>,
    choices: &mut Vec<(usize, usize)>,
) -> Run<'a> {
    let mut gate = stack.dynamodb.gate();
    let names: Vec<_> = contenders.iter().map(|contender| contender.name).collect();
    let mut finishes: Vec<Finish<'a>> = names.iter().map(|_| None).collect();
    let mut racing: FuturesUnordered<_> = contenders
        .into_iter()
        .enumerate()
        .map(|(number, contender)| async move { (number, contender.does.await) })
        .collect();
    let mut waiting = BTreeMap::<usize, Held>::new();
    let (mut order, mut at_work, mut step) = (Vec::new(), names.len(), 0);
    loop {
        while at_work > 0 {
            tokio::select! {
                Some((number, finish)) = racing.next() => {
                    finishes[number] = finish;
                    at_work -= 1;
                }
                Some(held) = gate.next() => {
                    let Some(number) = whose(&held, &names) else {
                        held.pass();
                        continue;
                    };
                    let earlier = waiting.insert(number, held);
                    assert!(earlier.is_none(), "{} was held so long that it asked twice", names[number]);
                    at_work -= 1;
                }
            }
        }
        let able: Vec<_> = waiting.keys().copied().collect();
        if able.is_empty() {
            return Run { finishes, order };
        }
        if choices.len() == step {
            choices.push((0, able.len()));
        }
        let next = able[choices[step].0];
        step += 1;
        if let Some(held) = waiting.remove(&next) {
            order.push((names[next], held.call.what.clone()));
            held.pass();
            at_work += 1;
        }
    }
}

/// Which contender a call belongs to; nobody, if a process has only just started.
fn whose(held: &Held, names: &[&str]) -> Option<usize> {
    let name = match held.call.trace.as_deref() {
        Some(trace) => trace,
        None if held.call.what == "GetItem sessions" => return None,
        None => SITE,
    };
    names.iter().position(|known| *known == name)
}
