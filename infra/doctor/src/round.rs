//! One look at everything: what each check saw.

use crate::{Error, checks::GROUPS, deployment::Deployment, http::Http};

/// One thing that must hold.
pub(crate) struct Check {
    /// A word for it, for good.
    pub(crate) id: &'static str,
    /// What holds where nothing is wrong, as a sentence without its full stop.
    pub(crate) name: &'static str,
    /// Checks that must not be wrong, or this one would say the same once more.
    pub(crate) after: &'static [&'static str],
    /// How to put it right, with the settings to change.
    pub(crate) mend: &'static str,
    /// The paragraph of README.md that explains it.
    pub(crate) read: &'static str,
}

/// How a check ends: with what it saw, if that is worth telling.
pub(crate) type Seen = Result<String, Otherwise>;

/// It did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// It is wrong.
    Wrong(String),
    /// It may be so, and would be better otherwise.
    Advice(String),
    /// It cannot be told from here.
    NotChecked(String),
}

/// A check, and how it ended.
pub(crate) struct Ended {
    pub(crate) group: &'static str,
    pub(crate) check: &'static Check,
    pub(crate) seen: Seen,
}

/// A look at a deployment, and what was seen so far.
pub(crate) struct Round<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) http: Http,
    seen: Vec<(&'static str, Seen)>,
    /// Amazon's client secret, once it was read.
    pub(crate) client_secret: Option<String>,
}

impl<'a> Round<'a> {
    pub(crate) fn new(deployment: &'a Deployment) -> Result<Self, Error> {
        Ok(Self { deployment, http: Http::new()?, seen: Vec::new(), client_secret: None })
    }

    /// Notes how a check ended.
    pub(crate) fn note(&mut self, id: &'static str, seen: Seen) {
        self.seen.push((id, seen));
    }

    /// Whether it makes sense to look: what comes before this check is as it should be.
    pub(crate) fn is_due(&self, id: &str) -> bool {
        self.first(id).is_none()
    }

    /// The check that must be put right first. What cannot be told stands in nobody's way.
    fn first(&self, id: &str) -> Option<&'static str> {
        let check = GROUPS.iter().flat_map(|(_, checks)| *checks).find(|check| check.id == id);
        check?.after.iter().copied().find(|id| {
            let earlier = self.seen.iter().find(|(seen, _)| seen == id);
            matches!(earlier, None | Some((_, Err(Otherwise::Wrong(_)))))
        })
    }

    /// All checks, in their order.
    pub(crate) fn end(self) -> Vec<Ended> {
        let ended = |group, check: &'static Check| {
            let seen = self.seen.iter().find(|(id, _)| *id == check.id);
            let seen = seen.map(|(_, seen)| seen.clone()).unwrap_or_else(|| {
                let first = self.first(check.id);
                not_checked(match first {
                    Some(first) => format!("{first} comes first"),
                    None => "it takes what could not be looked at".to_owned(),
                })
            });
            Ended { group, check, seen }
        };
        let all = GROUPS.iter().flat_map(|(group, checks)| checks.iter().map(move |c| (*group, c)));
        all.map(|(group, check)| ended(group, check)).collect()
    }
}

impl Otherwise {
    /// The same in other words.
    pub(crate) fn saying(self, said: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Wrong(seen) => Self::Wrong(said(seen)),
            Self::Advice(seen) => Self::Advice(said(seen)),
            Self::NotChecked(why) => Self::NotChecked(said(why)),
        }
    }
}

pub(crate) fn wrong<T>(seen: impl Into<String>) -> Result<T, Otherwise> {
    Err(Otherwise::Wrong(seen.into()))
}

pub(crate) fn advice<T>(seen: impl Into<String>) -> Result<T, Otherwise> {
    Err(Otherwise::Advice(seen.into()))
}

pub(crate) fn not_checked<T>(why: impl Into<String>) -> Result<T, Otherwise> {
    Err(Otherwise::NotChecked(why.into()))
}

/// It passed, and there is nothing to tell.
pub(crate) fn ok() -> Seen {
    Ok(String::new())
}
