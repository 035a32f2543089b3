//! Random histories, in the model and in the real house side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use local_stack::{Options, Stack, Timestamp, dynamodb::Snapshot};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use tests::Browser;
use tokio::runtime::{Builder, Handle};

use crate::{
    act::{Act, Kind, histories},
    house::{House, prepare},
    ledger::told,
    state::{BROWSERS, Model, NOBODYS, START},
    step::{Asker, Put, Step},
};

/// So many stacks work side by side: each waits a good part of the time.
const STACKS: usize = 4;
/// So many acts at one stack: its logs stay in memory.
const ACTS_AT_A_STACK: usize = 10_000;
/// The most acts of a history.
const LONGEST: usize = 100;
/// A history that went wrong is made smaller for so long, in milliseconds.
const SHRINK_FOR: u32 = 60_000;

/// What was tried.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) histories: usize,
    pub(crate) acts: BTreeMap<Kind, usize>,
    /// How often each request ended how: the request, the status and the page's code.
    pub(crate) endings: BTreeMap<(String, u16, &'static str), usize>,
}

impl Tally {
    pub(crate) fn acts(&self) -> usize {
        self.acts.values().sum()
    }

    fn add(&mut self, other: Self) {
        self.histories += other.histories;
        for (kind, count) in other.acts {
            *self.acts.entry(kind).or_default() += count;
        }
        for (ending, count) in other.endings {
            *self.endings.entry(ending).or_default() += count;
        }
    }
}

/// Lives through random histories until so many acts are done, or only through the one of `seed`.
///
/// # Panics
///
/// With the smallest history that was found in which the house does not do what the model does.
pub(crate) fn live(acts: usize, seed: Option<u64>) -> Tally {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let first = seed.unwrap_or_else(|| RandomState::new().hash_one("histories"));
    let (next, done) = (AtomicU64::new(first), AtomicUsize::new(0));
    let (tally, wrong) = (Mutex::new(Tally::default()), Mutex::new(Vec::new()));
    let enough = || done.load(Ordering::Relaxed) >= acts || !hold(&wrong).is_empty();
    let stacks = if seed.is_some() { 1 } else { STACKS };
    thread::scope(|scope| {
        for _ in 0..stacks {
            scope.spawn(|| {
                while !enough() {
                    let place = Place::open(runtime.handle());
                    let visitor = Browser::new(&place.stack);
                    let mut here = 0;
                    while !enough() && here < ACTS_AT_A_STACK {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        match place.live(seed, &visitor) {
                            Ok(lived) => {
                                here += lived.acts();
                                done.fetch_add(lived.acts(), Ordering::Relaxed);
                                hold(&tally).add(lived);
                            }
                            Err(why) => {
                                let done = done.load(Ordering::Relaxed);
                                let found = format!("MODEL_SEED={seed}, after {done} acts\n{why}");
                                hold(&wrong).push(found);
                            }
                        }
                    }
                    hold(&wrong).extend(place.wrong_with_logs());
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    tally
}

/// A stack, and how it is at the beginning of every history.
struct Place {
    stack: Stack,
    rows: Snapshot,
    runtime: Handle,
    /// Everything that was handed out here, and that nobody else may read.
    secrets: Mutex<BTreeSet<String>>,
}

impl Place {
    fn open(runtime: &Handle) -> Self {
        let options = Options { stopped_at: Some(Timestamp(START)), ..Options::default() };
        let stack = runtime.block_on(options.start()).unwrap();
        let rows = prepare(&stack);
        Self { stack, rows, runtime: runtime.clone(), secrets: Mutex::default() }
    }

    /// Secrets, and data of persons, that the functions have logged.
    fn wrong_with_logs(&self) -> Vec<String> {
        let logs = self.stack.logs();
        let mut wrong = told(logs.iter().map(String::as_str), &hold(&self.secrets));
        let persons = ["@example.com", "amzn1.account.", "Atza|"];
        let told = logs.iter().filter(|line| persons.iter().any(|person| line.contains(person)));
        wrong.extend(told.map(|line| format!("INV-12: a person stands in {line}")));
        wrong
    }

    /// Lives through the history of this seed; the smallest one that goes wrong, if it does.
    fn live<'a>(&'a self, seed: u64, visitor: &Browser<'a>) -> Result<Tally, String> {
        let config = Config {
            cases: 1,
            failure_persistence: None,
            max_shrink_iters: 4096,
            max_shrink_time: SHRINK_FOR,
            ..Config::default()
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let last = Mutex::new(Ok(Tally::default()));
        let run = TestRunner::new_with_rng(config, rng).run(&histories(LONGEST), |acts| {
            let lived = self.runtime.block_on(self.through(&acts, visitor));
            let outcome =
                lived.as_ref().map(|_| ()).map_err(|why| TestCaseError::fail(why.clone()));
            if lived.is_err() && hold(&last).is_ok() {
                eprintln!("MODEL_SEED={seed} goes wrong, and is made smaller");
            }
            // The last history that goes wrong is the smallest.
            if lived.is_err() || hold(&last).is_ok() {
                *hold(&last) = lived;
            }
            outcome
        });
        let last = last.into_inner().unwrap_or_else(PoisonError::into_inner);
        match run {
            Ok(()) => last,
            Err(why) => Err(last.err().unwrap_or_else(|| why.to_string())),
        }
    }

    /// Lives through a history; tells the steps up to the one that goes wrong.
    async fn through<'a>(&'a self, acts: &[Act], visitor: &Browser<'a>) -> Result<Tally, String> {
        let mut life = Life {
            house: House::at_first(&self.stack, &self.rows, visitor),
            model: Model::default(),
            tally: Tally { histories: 1, ..Tally::default() },
            told: String::new(),
        };
        for act in acts {
            let before = life.standing();
            let steps = act.steps(&life.model);
            if !steps.is_empty() {
                *life.tally.acts.entry(act.kind).or_default() += 1;
                let _ = writeln!(life.told, "{:?}", act.kind);
            }
            for step in steps {
                life.take(step).await?;
            }
            let after = life.standing();
            let changed = (0..BROWSERS).filter(|at| before[*at] != after[*at]);
            for at in changed {
                life.take(Step::Ask { at, as_whom: Asker::Session }).await?;
            }
        }
        life.told.push_str("At the end\n");
        for session in 0..life.model.sessions.len() {
            life.take(Step::Put { at: NOBODYS, cookie: Put::Session(Some(session)) }).await?;
            life.take(Step::Ask { at: NOBODYS, as_whom: Asker::Session }).await?;
        }
        let secrets = life.house.secrets();
        let wrong = life.house.wrong_with_secrets(&secrets);
        if !wrong.is_empty() {
            return Err(format!("{}{}\n", life.told, wrong.join("\n")));
        }
        hold(&self.secrets).extend(secrets);
        Ok(life.tally)
    }
}

/// One history.
struct Life<'a> {
    house: House<'a>,
    model: Model,
    tally: Tally,
    /// What was done so far, in words.
    told: String,
}

impl Life<'_> {
    /// Takes a step in the model and in the house.
    async fn take(&mut self, step: Step) -> Result<(), String> {
        let _ = writeln!(self.told, "    {step:?}");
        let outcome = self.model.step(&step);
        let wrong = self.house.take(&step, outcome.as_ref(), &self.model).await;
        if !wrong.is_empty() {
            return Err(format!("{}{}\n", self.told, wrong.join("\n")));
        }
        if let Some(outcome) = outcome {
            let ending = (step.name(), outcome.status, outcome.code);
            *self.tally.endings.entry(ending).or_default() += 1;
        }
        Ok(())
    }

    /// Which sessions the browsers have.
    fn standing(&self) -> [Option<usize>; BROWSERS] {
        std::array::from_fn(|at| self.model.current(at))
    }
}

fn hold<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
