//! The conformance kit: runs one check after the other, and remembers what they found.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    Error,
    arguments::Known,
    checks::{GROUPS, Group},
    way::{Fault, Way, Webhook},
};

/// One thing that an account system must do.
pub(crate) struct Check {
    /// `C01`, for good.
    pub(crate) id: &'static str,
    /// What holds where the account system is right, as a sentence.
    pub(crate) name: &'static str,
    /// What must be known before this can be looked at.
    pub(crate) needs: &'static [Need],
    /// Checks that must have passed, or this one would say the same once more.
    pub(crate) after: &'static [&'static str],
    /// How to put it right.
    pub(crate) mend: &'static str,
    /// Looks.
    pub(crate) look: for<'a> fn(&'a Kit) -> Looking<'a>,
}

/// A check while it looks; it ends with what it saw, if that is worth telling.
pub(crate) type Looking<'a> = Pin<Box<dyn Future<Output = Seen> + 'a>>;
/// How a check ends.
pub(crate) type Seen = Result<String, Otherwise>;

/// It did not pass.
#[derive(Debug)]
pub(crate) enum Otherwise {
    /// It is wrong.
    Failed(String),
    /// It may be so, and would be better otherwise.
    Advice(String),
    /// It cannot be told.
    NotRun(String),
}

/// What a check needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Webhook,
    Email,
    Password,
    Code,
    DisabledEmail,
    Write,
}

/// A check, and how it ended.
pub(crate) struct Ended {
    pub(crate) group: &'static str,
    pub(crate) check: &'static Check,
    pub(crate) outcome: Outcome,
    /// In plain words, what there was to see.
    pub(crate) seen: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Advice,
    NotRun,
}

/// A question that was asked.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    /// Whether it was an `update`, for which our functions wait less.
    pub(crate) update: bool,
    pub(crate) took: Duration,
    /// How large its answer was.
    pub(crate) bytes: usize,
}

/// An account system to be checked, and what was learned of it so far.
pub(crate) struct Kit {
    pub(crate) way: Way,
    pub(crate) known: Known,
    pub(crate) write: bool,
    /// Part of all addresses and names of this run.
    pub(crate) run: String,
    /// Every question that was asked.
    pub(crate) asked: Mutex<Vec<Asked>>,
    /// The known account, as it was at first.
    pub(crate) account: OnceLock<Value>,
    /// The account that was created, with the question that did it.
    pub(crate) newcomer: OnceLock<(Value, Value)>,
}

impl Kit {
    pub(crate) fn new(way: Way, known: Known, write: bool) -> Result<Self, Error> {
        let run = random();
        let (account, newcomer) = (OnceLock::new(), OnceLock::new());
        Ok(Self { way, known, write, run, asked: Mutex::default(), account, newcomer })
    }

    /// Looks at everything.
    ///
    /// # Errors
    ///
    /// Nobody is there.
    pub(crate) async fn run(&self) -> Result<Vec<Ended>, Error> {
        self.walk(GROUPS).await
    }

    /// Looks at its door alone: with questions that find nobody.
    ///
    /// # Errors
    ///
    /// Nobody is there.
    pub(crate) async fn door(&self) -> Result<Vec<Ended>, Error> {
        self.walk(&GROUPS[..1]).await
    }

    async fn walk(&self, groups: &[Group]) -> Result<Vec<Ended>, Error> {
        if let Err(Fault::Unreachable(said)) = self.ask(&self.about_nobody()).await {
            return Err(format!("Nobody answers: {said}").into());
        }
        self.asked().clear();
        let mut all = Vec::new();
        let mut passed = HashMap::new();
        for (group, checks) in groups {
            for check in *checks {
                let (outcome, seen) = self.look(check, &passed).await;
                passed.insert(check.id, matches!(outcome, Outcome::Passed | Outcome::Advice));
                all.push(Ended { group, check, outcome, seen });
            }
        }
        // A second factor is looked at before its turn.
        all.sort_by_key(|ended| ended.check.id);
        Ok(all)
    }

    async fn look(&self, check: &Check, passed: &HashMap<&str, bool>) -> (Outcome, String) {
        if let Some(need) = check.needs.iter().find(|need| !self.has(**need)) {
            return (Outcome::NotRun, need.said().to_owned());
        }
        let after = check.after.iter().find(|id| !passed.get(*id).is_some_and(|passed| *passed));
        if let Some(id) = after {
            return (Outcome::NotRun, format!("{id} comes first"));
        }
        match (check.look)(self).await {
            Ok(seen) => (Outcome::Passed, seen),
            Err(Otherwise::Failed(seen)) => (Outcome::Failed, seen),
            Err(Otherwise::Advice(seen)) => (Outcome::Advice, seen),
            Err(Otherwise::NotRun(why)) => (Outcome::NotRun, why),
        }
    }

    fn has(&self, need: Need) -> bool {
        match need {
            Need::Webhook => matches!(self.way, Way::Webhook(_)),
            Need::Email => self.known.email.is_some(),
            Need::Password => self.known.password.is_some(),
            Need::Code => self.known.code.is_some(),
            Need::DisabledEmail => self.known.disabled_email.is_some(),
            Need::Write => self.write,
        }
    }

    /// Asks, and takes the time.
    pub(crate) async fn ask(&self, question: &Value) -> Result<Value, Fault> {
        let start = Instant::now();
        let heard = self.way.ask(question).await;
        let bytes = heard.as_ref().map_or(0, |heard| heard.bytes);
        let update = question["type"] == "update";
        self.asked().push(Asked { update, took: start.elapsed(), bytes });
        heard.map(|heard| heard.value)
    }

    pub(crate) fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The webhook, which the checks that need it have.
    pub(crate) fn webhook(&self) -> Result<&Webhook, Otherwise> {
        match &self.way {
            Way::Webhook(webhook) => Ok(webhook),
            _ => Err(Otherwise::NotRun(Need::Webhook.said().to_owned())),
        }
    }

    /// An address that nobody has.
    pub(crate) fn address(&self, of: &str) -> String {
        format!("accounts-check+{}-{of}@example.com", self.run)
    }

    /// A question that changes nothing and finds nobody.
    pub(crate) fn about_nobody(&self) -> Value {
        find_by_email(&self.address("nobody"))
    }

    /// The accounts that a question finds.
    pub(crate) async fn find(&self, question: &Value) -> Result<Vec<Value>, Otherwise> {
        match self.ask(question).await?["accounts"].take() {
            Value::Array(accounts) => Ok(accounts),
            _ => failed("its answer has no list `accounts`"),
        }
    }

    /// The one account that a question finds.
    pub(crate) async fn find_one(&self, question: &Value) -> Result<Value, Otherwise> {
        let mut found = self.find(question).await?;
        match (found.pop(), found.len()) {
            (Some(account), 0) => Ok(account),
            (None, _) => failed("it found nobody"),
            (_, others) => failed(format!("it found {} accounts", others + 1)),
        }
    }

    /// Makes sure that nobody is found. To refuse the question is as good; to stumble is not.
    pub(crate) async fn nobody(&self, what: &str, question: &Value) -> Result<(), Otherwise> {
        match self.ask(question).await {
            Ok(answer) => match answer["accounts"].as_array().map(Vec::len) {
                Some(0) => Ok(()),
                Some(_) => failed(format!("it found an account by {what}")),
                None => failed(format!("its answer about {what} has no list `accounts`")),
            },
            Err(Fault::Refused(..)) => Ok(()),
            Err(fault) => advice(format!("asked about {what}, {}", fault.said())),
        }
    }

    /// The known account's id, as C23 found it.
    pub(crate) fn id(&self) -> Result<&str, Otherwise> {
        let id = self.account.get().and_then(|account| account["id"].as_str());
        id.ok_or_else(|| Otherwise::NotRun("the account has no id".to_owned()))
    }

    /// The known account's address.
    pub(crate) fn email(&self) -> &str {
        self.known.email.as_deref().unwrap_or_default()
    }

    /// The known account's password.
    pub(crate) fn password(&self) -> &str {
        self.known.password.as_deref().unwrap_or_default()
    }

    /// How a password compares.
    pub(crate) async fn verdict(&self, id: &str, password: &str) -> Result<String, Otherwise> {
        self.verdict_of(&verify(id, password)).await
    }

    /// How a password compares, asked in other words.
    pub(crate) async fn verdict_of(&self, question: &Value) -> Result<String, Otherwise> {
        let answer = self.ask(question).await?;
        match answer["verdict"].as_str() {
            Some(word) if VERDICTS.contains(&word) => Ok(word.to_owned()),
            Some(_) => failed("its `verdict` is none of the six words"),
            None => failed("its answer has no `verdict`"),
        }
    }

    /// Makes sure that a password is not the known account's.
    pub(crate) async fn is_wrong(&self, what: &str, password: &str) -> Result<(), Otherwise> {
        match self.is_right(what, password).await? {
            None => Ok(()),
            Some(seen) => failed(seen),
        }
    }

    /// Says so if a password is taken for the known account's. Afterwards tells the right one, for
    /// sites that lock an account after so many wrong ones in a row.
    pub(crate) async fn is_right(
        &self,
        what: &str,
        password: &str,
    ) -> Result<Option<String>, Otherwise> {
        let (id, question) = (self.id()?, verify(self.id()?, password));
        let verdict = match self.ask(&question).await {
            Ok(answer) => answer["verdict"].as_str().map(str::to_owned),
            Err(fault) => return failed(format!("asked about {what}, {}", fault.said())),
        };
        let _ = self.ask(&verify(id, self.password())).await;
        match verdict.as_deref() {
            Some("mismatch") => Ok(None),
            Some("locked") => locked(),
            Some(word @ ("match" | "mfa_required")) => {
                Ok(Some(format!("{what} was taken for the right one (`{word}`)")))
            }
            _ => failed(format!("to {what} it did not answer `mismatch`")),
        }
    }
}

const VERDICTS: [&str; 6] =
    ["match", "mismatch", "no_password", "mfa_required", "locked", "disabled"];

impl Need {
    fn said(self) -> &'static str {
        match self {
            Self::Webhook => "only a webhook has signatures",
            Self::Email => "needs --email",
            Self::Password => "needs --password",
            Self::Code => "needs --code",
            Self::DisabledEmail => "needs --disabled-email",
            Self::Write => "needs --write, for it creates accounts",
        }
    }
}

impl Otherwise {
    /// The same in other words.
    pub(crate) fn saying(self, said: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Failed(seen) => Self::Failed(said(seen)),
            Self::Advice(seen) => Self::Advice(said(seen)),
            Self::NotRun(why) => Self::NotRun(why),
        }
    }
}

impl From<Fault> for Otherwise {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault.said().to_owned())
    }
}

pub(crate) fn failed<T>(seen: impl Into<String>) -> Result<T, Otherwise> {
    Err(Otherwise::Failed(seen.into()))
}

pub(crate) fn advice<T>(seen: impl Into<String>) -> Result<T, Otherwise> {
    Err(Otherwise::Advice(seen.into()))
}

/// Nothing can be learned of the known account any more.
pub(crate) fn locked<T>() -> Result<T, Otherwise> {
    let why = "the account is locked by now; lift its lock-out for this, or wait";
    Err(Otherwise::NotRun(why.to_owned()))
}

/// It passed, and there is nothing to tell.
pub(crate) fn passed() -> Seen {
    Ok(String::new())
}

pub(crate) fn find_by_email(email: &str) -> Value {
    json!({ "type": "find_by_email", "email": email })
}

pub(crate) fn find_by_id(id: &str) -> Value {
    json!({ "type": "find_by_id", "account_id": id })
}

pub(crate) fn verify(id: &str, password: &str) -> Value {
    json!({ "type": "verify_password", "account_id": id, "password": password })
}

/// 64 random bits, in hexadecimal.
pub(crate) fn random() -> String {
    let mut bytes = [0; 8];
    // Without randomness runs meet each other's accounts, and say so.
    let _ = getrandom::fill(&mut bytes);
    format!("{:016x}", u64::from_ne_bytes(bytes))
}
