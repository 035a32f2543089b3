//! Reads the line that describes a salted digest.

use std::fmt;
use std::str::FromStr;

use super::{Algorithm, Encoding, Place, SaltedDigest, Term};

/// Bytes of a description, of which known ones have 40.
const MAX: usize = 128;

impl FromStr for SaltedDigest {
    type Err = Misdescribed;

    fn from_str(description: &str) -> Result<Self, Misdescribed> {
        let description = description.replace(' ', "");
        if description.len() > MAX || !description.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Misdescribed { problem: "is too long, or not of ASCII" });
        }
        let (spelling, digest) = description
            .split_once('=')
            .ok_or(Misdescribed { problem: "is not a spelling, `=` and a digest" })?;
        let (encoding, head, salt, tail) = read_spelling(spelling).ok_or(Misdescribed {
            problem: "needs `hex` or `base64` once in its spelling, and `salt` at most once",
        })?;
        let Some((Term::Digest(algorithm, of), "")) = read_term(digest) else {
            return Err(Misdescribed {
                problem: "has no digest such as `md5(salt+password)` behind its `=`",
            });
        };
        if !mentions(&of, &Term::Password) {
            return Err(Misdescribed { problem: "has a digest that is not of the password" });
        }
        if mentions(&of, &Term::Salt) != (salt != Place::Nowhere) {
            return Err(Misdescribed { problem: "has a salt on one side of `=` only" });
        }
        Ok(Self { head, salt, tail, encoding, algorithm, of })
    }
}

/// What stands before the salt and the digest, where the salt stands, and what stands after both.
fn read_spelling(text: &str) -> Option<(Encoding, String, Place, String)> {
    let (encoding, (head, tail)) = match (text.split_once("hex"), text.split_once("base64")) {
        (Some(around), None) => (Encoding::Hex, around),
        (None, Some(around)) => (Encoding::Base64, around),
        _ => return None,
    };
    let (head, salt, tail) = match (head.split_once("salt"), tail.split_once("salt")) {
        (None, None) => (head, Place::Nowhere, tail),
        (Some((head, between)), None) => (head, Place::Before(between.to_owned()), tail),
        (None, Some((between, tail))) => (head, Place::After(between.to_owned()), tail),
        (Some(_), Some(_)) => return None,
    };
    let once = |word| text.matches(word).count() <= 1;
    let sound = once("hex") && once("base64") && once("salt") && !text.contains("password");
    sound.then(|| (encoding, head.to_owned(), salt, tail.to_owned()))
}

/// A term at the beginning of a text, and what follows it.
fn read_term(text: &str) -> Option<(Term, &str)> {
    if let Some(rest) = text.strip_prefix("password") {
        return Some((Term::Password, rest));
    }
    if let Some(rest) = text.strip_prefix("salt") {
        return Some((Term::Salt, rest));
    }
    let (name, mut rest) = text.split_once('(')?;
    let algorithm = Algorithm::named(name)?;
    let mut of = Vec::new();
    loop {
        let (term, after) = read_term(rest)?;
        of.push(term);
        if let Some(after) = after.strip_prefix(')') {
            return Some((Term::Digest(algorithm, of), after));
        }
        rest = after.strip_prefix('+')?;
    }
}

fn mentions(terms: &[Term], wanted: &Term) -> bool {
    terms.iter().any(|term| match term {
        Term::Digest(_, of) => mentions(of, wanted),
        term => term == wanted,
    })
}

/// A description of a salted digest that describes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misdescribed {
    /// What is wrong with it, as what is said of it.
    pub problem: &'static str,
}

impl fmt::Display for Misdescribed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the description of a salted digest {}", self.problem)
    }
}

impl std::error::Error for Misdescribed {}
