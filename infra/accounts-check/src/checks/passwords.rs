//! Whether the right password opens the account, and no other.

use std::time::Instant;

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

use super::finding::wide;
use crate::{
    kit::{
        Check, Kit, Need, Otherwise, Seen, advice, failed, find_by_email, find_by_id, locked,
        passed, verify,
    },
    way::Fault,
};

const KNOWN: &[Need] = &[Need::Email, Need::Password];
const FOUND: &[&str] = &["C01", "C23", "C24"];
const RIGHT: &[&str] = &["C01", "C23", "C24", "C42"];
const WRONG: &[&str] = &["C01", "C23", "C24", "C42", "C43"];
const MEND_PAGE: &str = "Give the password to the hash's own function as it came, neither trimmed nor normalised; leave it only if your own sign-in page does the same, so that one password opens both.";
const MEND_BYTES: &str = "Give the password to the hash's own function byte for byte: neither trimmed, nor lowercased, nor normalised, nor cut off.";
/// How many pairs of times are compared, at least and at most.
const FEW: usize = 11;
const MANY: usize = 33;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "C42",
        name: "The right password is a match",
        needs: KNOWN,
        after: FOUND,
        mend: "Compare with the library that wrote the hash, and answer {\"verdict\":\"match\"}, or `mfa_required` where the account has a second factor. Your policy for new passwords has no say here.",
        look: |kit| {
            Box::pin(async {
                match kit.verdict(kit.id()?, kit.password()).await?.as_str() {
                    "match" => passed(),
                    "mfa_required" => Ok("and a code is asked for (`mfa_required`)".to_owned()),
                    word => failed(format!("it answered `{word}`")),
                }
            })
        },
    },
    Check {
        id: "C43",
        name: "A wrong password is a mismatch",
        needs: KNOWN,
        after: RIGHT,
        mend: "Answer 200 {\"verdict\":\"mismatch\"} to a wrong password: neither 401 nor an error.",
        look: |kit| Box::pin(wrong(kit, vec![("a wrong password", format!("not-{}", kit.run))])),
    },
    // Before its turn: its code is good for a minute, and wrong passwords may lock the account.
    Check {
        id: "C55",
        name: "A second factor needs its code",
        needs: &[Need::Email, Need::Password, Need::Code],
        after: RIGHT,
        mend: "With the right password and no code, or a wrong one, answer `mfa_required`; with both right `match`; with a wrong password `mismatch`, whatever the code.",
        look: |kit| Box::pin(second_factor(kit)),
    },
    Check {
        id: "C44",
        name: "Capitals count in a password",
        needs: KNOWN,
        after: WRONG,
        mend: MEND_BYTES,
        look: |kit| {
            Box::pin(async {
                let password = kit.password();
                wrong(
                    kit,
                    vec![
                        ("the password in capitals", password.to_uppercase()),
                        ("the password in lowercase", password.to_lowercase()),
                    ],
                )
                .await
            })
        },
    },
    Check {
        id: "C45",
        name: "White space around a password counts",
        needs: KNOWN,
        after: WRONG,
        mend: MEND_PAGE,
        look: |kit| {
            Box::pin(async {
                let password = kit.password();
                better_wrong(
                    kit,
                    vec![
                        ("the password with a space behind it", format!("{password} ")),
                        ("the password with a space before it", format!(" {password}")),
                        ("the password with a line's end behind it", format!("{password}\n")),
                    ],
                )
                .await
            })
        },
    },
    Check {
        id: "C46",
        name: "A password with a NUL is a mismatch",
        needs: KNOWN,
        after: WRONG,
        mend: "Answer `mismatch` to a password that has a U+0000: bcrypt stops at one, HMAC passes over it, and `trim` takes it away.",
        look: |kit| {
            Box::pin(async {
                let password = kit.password();
                for (what, password) in [
                    ("the password with a NUL behind it", format!("{password}\0")),
                    ("the password with a NUL and more behind it", format!("{password}\0x")),
                    ("the password with a NUL before it", format!("\0{password}")),
                ] {
                    kit.is_wrong(what, &password).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C47",
        name: "Every letter of a password counts",
        needs: KNOWN,
        after: WRONG,
        mend: MEND_BYTES,
        look: |kit| {
            Box::pin(async {
                let password = kit.password();
                let mut shorter = password.to_owned();
                shorter.pop();
                let rest: String = password.chars().skip(1).collect();
                wrong(
                    kit,
                    vec![
                        ("the password without its first letter", rest),
                        ("the password without its last letter", shorter),
                        ("the password with a letter more", format!("{password}x")),
                        ("the password twice", format!("{password}{password}")),
                    ],
                )
                .await
            })
        },
    },
    Check {
        id: "C48",
        name: "What comes after 72 bytes counts",
        needs: KNOWN,
        after: WRONG,
        mend: "bcrypt reads 72 bytes. Hash what is longer with another function first, as your library has it, or answer `mismatch` to it; leave it only if your own sign-in page does the same.",
        look: |kit| {
            Box::pin(async {
                if kit.password().len() < 72 {
                    return Err(Otherwise::NotRun("the password is shorter than that".to_owned()));
                }
                let longer = format!("{}x", kit.password());
                match kit.is_right("the password with a letter more", &longer).await? {
                    None => passed(),
                    Some(seen) => advice(seen),
                }
            })
        },
    },
    Check {
        id: "C49",
        name: "A password is not normalised",
        needs: KNOWN,
        after: WRONG,
        mend: MEND_PAGE,
        look: |kit| {
            Box::pin(async {
                let password = kit.password();
                better_wrong(
                    kit,
                    vec![
                        ("the password in full-width letters", wide(password)),
                        ("the password in composed letters (NFC)", password.nfc().collect()),
                        ("the password in decomposed letters (NFD)", password.nfd().collect()),
                        ("the password with an accent", format!("{password}\u{301}")),
                    ],
                )
                .await
            })
        },
    },
    Check {
        id: "C50",
        name: "Next to nothing is a wrong password",
        needs: KNOWN,
        after: WRONG,
        mend: "Answer `mismatch` to whatever does not match, a blank or a zero too.",
        look: |kit| {
            Box::pin(async {
                for (what, password) in [
                    ("a blank", " "),
                    ("a zero", "0"),
                    ("a NUL", "\0"),
                    ("`null`", "null"),
                    ("`true`", "true"),
                    ("a quote", "' OR '1'='1"),
                ] {
                    kit.is_wrong(what, password).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C51",
        name: "A password of 1,024 bytes is compared like any other",
        needs: KNOWN,
        after: WRONG,
        mend: "Take passwords of up to 1,024 bytes; where your hash takes fewer, answer `mismatch`.",
        look: |kit| {
            Box::pin(wrong(
                kit,
                vec![
                    ("1,024 letters", "a".repeat(1024)),
                    ("256 letters of four bytes", "\u{1f511}".repeat(256)),
                ],
            ))
        },
    },
    Check {
        id: "C52",
        name: "What is no text opens nothing",
        needs: KNOWN,
        after: RIGHT,
        mend: "Take `account_id` and `password` only if they are texts, and answer 400 otherwise; {\"$ne\":\"\"} is a condition to MongoDB.",
        look: |kit| {
            Box::pin(async {
                let (id, password) = (kit.id()?, kit.password());
                let values = [
                    json!(null),
                    json!(""),
                    json!(true),
                    json!(0),
                    json!([]),
                    json!({ "$ne": "" }),
                    json!({ "$gt": "" }),
                ];
                for value in &values {
                    opens_nothing(
                        kit,
                        "a password that is no text",
                        json!({ "type": "verify_password", "account_id": id, "password": value }),
                    )
                    .await?;
                    opens_nothing(kit, "an id that is no text", json!({ "type": "verify_password", "account_id": value, "password": password })).await?;
                }
                opens_nothing(
                    kit,
                    "no password",
                    json!({ "type": "verify_password", "account_id": id }),
                )
                .await?;
                opens_nothing(
                    kit,
                    "the password in a list",
                    json!({ "type": "verify_password", "account_id": id, "password": [password] }),
                )
                .await
            })
        },
    },
    Check {
        id: "C53",
        name: "An account that does not exist is a mismatch",
        needs: &[],
        after: &["C01"],
        mend: "Answer 200 {\"verdict\":\"mismatch\"} where there is no such account: not 404, and not another word.",
        look: |kit| {
            Box::pin(async {
                match kit
                    .verdict(&format!("accounts-check-{}", kit.run), "accounts-check")
                    .await?
                    .as_str()
                {
                    "mismatch" => passed(),
                    word => failed(format!("it answered `{word}`")),
                }
            })
        },
    },
    Check {
        id: "C54",
        name: "An account that does not exist takes as long",
        needs: KNOWN,
        after: &["C01", "C23", "C24", "C42", "C43", "C53"],
        mend: "Where there is no account, compare the password with a fixed hash of the same kind and cost, and answer `mismatch`.",
        look: |kit| Box::pin(times(kit)),
    },
    Check {
        id: "C56",
        name: "Wrong passwords in a row are mismatches or lock the account",
        needs: KNOWN,
        after: WRONG,
        mend: "Answer `mismatch`, or `locked` once nobody may try for now; and `match` to the right one afterwards, or `locked`.",
        look: |kit| {
            Box::pin(async {
                let id = kit.id()?;
                for nth in 1..=5 {
                    match kit.verdict(id, &format!("wrong-{nth}")).await?.as_str() {
                        "mismatch" => {}
                        "locked" if nth == 1 => return locked(),
                        "locked" => return Ok(format!("locked at the {nth}th")),
                        word => return failed(format!("to the {nth}th it answered `{word}`")),
                    }
                }
                match kit.verdict(id, kit.password()).await?.as_str() {
                    "match" | "mfa_required" => passed(),
                    "locked" => Ok("locked after five".to_owned()),
                    word => failed(format!("to the right one afterwards it answered `{word}`")),
                }
            })
        },
    },
    Check {
        id: "C57",
        name: "A closed account is not opened",
        needs: &[Need::DisabledEmail],
        after: &["C01", "C40"],
        mend: "Answer `disabled` or `locked`, or compare as usual: what counts is that no password is a `match` while the account is closed, or that its `status` says so.",
        look: |kit| {
            Box::pin(async {
                let email = kit.known.disabled_email.as_deref().unwrap_or_default();
                let account = kit.find_one(&find_by_email(email)).await?;
                let id = account["id"].as_str().unwrap_or_default();
                let verdict = kit.verdict(id, "accounts-check").await?;
                if verdict == "match" { failed("a wrong password was a `match`") } else { passed() }
            })
        },
    },
    Check {
        id: "C58",
        name: "Questions change nothing",
        needs: KNOWN,
        after: FOUND,
        mend: "Let `find_by_email`, `find_by_id` and `verify_password` write nothing but your own count of wrong passwords; no account is made by being asked about.",
        look: |kit| {
            Box::pin(async {
                let before = kit.account.get().unwrap_or(&Value::Null);
                let after = kit.find_one(&find_by_id(kit.id()?)).await?;
                let changed = |name: &&&str| before[**name] != after[**name];
                // A lock-out may have come of the wrong passwords.
                if let Some(name) =
                    ["id", "email", "name", "postal_code", "has_password"].iter().find(changed)
                {
                    return failed(format!(
                        "after all these questions its `{name}` is another one"
                    ));
                }
                if !kit.find(&kit.about_nobody()).await?.is_empty() {
                    return failed("an address that was only asked about has an account by now");
                }
                passed()
            })
        },
    },
];

/// None of these passwords is the right one.
async fn wrong(kit: &Kit, passwords: Vec<(&str, String)>) -> Seen {
    match right(kit, passwords).await? {
        None => passed(),
        Some(seen) => failed(seen),
    }
}

/// None of these should be, unless the site's own page takes it.
async fn better_wrong(kit: &Kit, passwords: Vec<(&str, String)>) -> Seen {
    match right(kit, passwords).await? {
        None => passed(),
        Some(seen) => advice(seen),
    }
}

/// The first of these passwords that is taken for the right one. Those that are it are left out, and
/// those that are the same to bcrypt: C48 is about these.
async fn right(kit: &Kit, passwords: Vec<(&str, String)>) -> Result<Option<String>, Otherwise> {
    let first = |password: &str| password.as_bytes().get(..72).map(<[u8]>::to_vec);
    for (what, password) in passwords {
        let other = password != kit.password()
            && (first(&password).is_none() || first(&password) != first(kit.password()));
        if other && (1..=1024).contains(&password.len()) {
            let seen = kit.is_right(what, &password).await?;
            if seen.is_some() {
                return Ok(seen);
            }
        }
    }
    Ok(None)
}

async fn opens_nothing(kit: &Kit, what: &str, question: Value) -> Seen {
    match kit.ask(&question).await {
        Ok(answer) => match answer["verdict"].as_str() {
            Some("match" | "mfa_required") => failed(format!("{what} was taken for the right one")),
            Some("locked") => locked(),
            _ => passed(),
        },
        Err(Fault::Refused(..)) => passed(),
        Err(fault) => advice(format!("asked about {what}, {}", fault.said())),
    }
}

/// Compares what a wrong password of the account takes with what one of nobody's takes, in pairs that
/// follow each other at once, so that a busy machine slows both down. What a pair differs by is held
/// against the work, which is what a comparison takes longer than a question without a password.
///
/// Somebody can tell them apart if nine in ten pairs differ to the same side, the middle one by 2 ms or
/// more, for less is nothing that the Internet leaves to see: by more than half of the work is wrong, by
/// more than a quarter worth a look. While that is not yet clear, more pairs are asked for.
async fn times(kit: &Kit) -> Seen {
    let (id, nobody) = (kit.id()?, format!("accounts-check-{}", kit.run));
    let mut pairs = Pairs::default();
    loop {
        let password = format!("wrong-{}-{}", kit.run, pairs.known.len());
        let (known, unknown) = (verify(id, &password), verify(&nobody, &password));
        // Each goes first as often as the other.
        if pairs.known.len().is_multiple_of(2) {
            pairs.known.push(time(kit, &known).await?);
            pairs.unknown.push(time(kit, &unknown).await?);
        } else {
            pairs.unknown.push(time(kit, &unknown).await?);
            pairs.known.push(time(kit, &known).await?);
        }
        pairs.nothing.push(time(kit, &kit.about_nobody()).await?);
        let _ = kit.ask(&verify(id, kit.password())).await;
        match (pairs.known.len(), pairs.likeness()) {
            (FEW.., Likeness::Alike) | (MANY.., Likeness::Unclear) => return Ok(pairs.said()),
            (MANY.., Likeness::Similar) => return advice(pairs.said()),
            (MANY.., Likeness::Different) => return failed(pairs.said()),
            _ => {}
        }
    }
}

/// What questions took, in milliseconds.
#[derive(Default)]
struct Pairs {
    known: Vec<f64>,
    unknown: Vec<f64>,
    nothing: Vec<f64>,
}

#[derive(Debug, PartialEq, Eq)]
enum Likeness {
    Alike,
    Unclear,
    Similar,
    Different,
}

impl Pairs {
    fn likeness(&self) -> Likeness {
        let pairs = self.known.iter().zip(&self.unknown);
        let gaps: Vec<f64> = pairs.map(|(known, unknown)| known - unknown).collect();
        let less = gaps.iter().filter(|gap| **gap > 0.0).count();
        let one_sided = less.max(gaps.len() - less) as f64 / gaps.len() as f64;
        let gap = median(&gaps).abs();
        let longer = median(&self.known).max(median(&self.unknown));
        let work = longer - median(&self.nothing);
        if gap < 2.0 || gap <= work / 4.0 || one_sided < 0.75 {
            Likeness::Alike
        } else if one_sided < 0.9 {
            Likeness::Unclear
        } else if gap <= work / 2.0 {
            Likeness::Similar
        } else {
            Likeness::Different
        }
    }

    fn said(&self) -> String {
        format!(
            "an account {:.1} ms, nobody {:.1} ms, a question without a password {:.1} ms",
            median(&self.known),
            median(&self.unknown),
            median(&self.nothing)
        )
    }
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

async fn time(kit: &Kit, question: &Value) -> Result<f64, Otherwise> {
    let start = Instant::now();
    let answer = kit.ask(question).await?;
    match answer["verdict"].as_str() {
        Some("locked") => locked(),
        _ => Ok(start.elapsed().as_secs_f64() * 1000.0),
    }
}

async fn second_factor(kit: &Kit) -> Seen {
    let (id, code) = (kit.id()?, kit.known.code.as_deref().unwrap_or_default());
    let question = |password: &str, code: &str| {
        let mut question = verify(id, password);
        question["code"] = Value::from(code);
        question
    };
    let wrong_code: String = code.chars().map(|c| if c == '0' { '1' } else { '0' }).collect();
    for (what, asked, expected) in [
        ("without a code", verify(id, kit.password()), "mfa_required"),
        ("with a wrong code", question(kit.password(), &wrong_code), "mfa_required"),
        ("with a wrong password and the code", question("wrong", code), "mismatch"),
        ("with both", question(kit.password(), code), "match"),
    ] {
        let verdict = kit.verdict_of(&asked).await?;
        if verdict != expected {
            return failed(format!("{what} it answered `{verdict}`, not `{expected}`"));
        }
    }
    passed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times around these, as a machine spreads them that is busy with something else.
    fn pairs(known: f64, unknown: f64, spread: f64) -> Pairs {
        let spread = |time: f64, step: usize| {
            (0..MANY).map(|nth| time + spread * ((nth * step % 10) as f64 / 10.0)).collect()
        };
        Pairs { known: spread(known, 3), unknown: spread(unknown, 7), nothing: spread(2.0, 9) }
    }

    #[test]
    fn what_is_clearly_apart_is_wrong_and_what_a_busy_machine_does_is_not() {
        for (known, unknown, spread, expected) in [
            (60.0, 60.0, 0.0, Likeness::Alike),
            (60.0, 60.0, 200.0, Likeness::Alike),
            (60.0, 50.0, 5.0, Likeness::Alike),
            (28.0, 21.0, 20.0, Likeness::Alike),
            (28.0, 20.0, 2.0, Likeness::Similar),
            (60.0, 3.0, 5.0, Likeness::Different),
            (3.0, 60.0, 5.0, Likeness::Different),
            (60.0, 20.0, 30.0, Likeness::Different),
            // Hashes that cost nothing tell nothing.
            (3.5, 2.0, 0.1, Likeness::Alike),
        ] {
            let found = pairs(known, unknown, spread).likeness();
            assert_eq!(found, expected, "{known} {unknown} {spread}");
        }
    }
}
