//! Whether the right password opens the account, and no other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

use super::finding::wide;
use crate::{
    kit::{
        Check, Kit, Need, Otherwise, Seen, advice, failed, find_by_email, find_by_id, passed,
        verify,
    },
    way::Fault,
};

const KNOWN: &[Need] = &[Need::Email, Need::Password];
const FOUND: &[&str] = &["C01", "C23", "C24"];
const RIGHT: &[&str] = &["C01", "C23", "C24", "C42"];
const WRONG: &[&str] = &["C01", "C23", "C24", "C42", "C43"];
const MEND_BYTES: &str = "Give the password to the hash's own function byte for byte: neither trimmed, nor lowercased, nor normalised, nor cut off.";
/// How often times are compared, at least and at most.
const FEW: u32 = 9;
const MANY: u32 = 40;

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
        mend: MEND_BYTES,
        look: |kit| {
            Box::pin(async {
                let password = kit.password();
                wrong(
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
        name: "A password does not end at a NUL",
        needs: KNOWN,
        after: WRONG,
        mend: "Some hashes (bcrypt in C) stop at a NUL: answer `mismatch` to a password that has one.",
        look: |kit| {
            Box::pin(async {
                let password = kit.password();
                wrong(
                    kit,
                    vec![
                        ("the password with a NUL behind it", format!("{password}\0")),
                        ("the password with a NUL and more behind it", format!("{password}\0x")),
                    ],
                )
                .await
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
                wrong(
                    kit,
                    vec![
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
        mend: "bcrypt reads 72 bytes: hash what is longer with another function first, as your library has it.",
        look: |kit| {
            Box::pin(async {
                let (password, mut end) = (kit.password(), 72);
                if password.len() <= end {
                    return Err(Otherwise::NotRun(
                        "the password is not longer than that".to_owned(),
                    ));
                }
                while !password.is_char_boundary(end) {
                    end -= 1;
                }
                wrong(kit, vec![("the password's first 72 bytes", password[..end].to_owned())])
                    .await
            })
        },
    },
    Check {
        id: "C49",
        name: "A password is not normalised",
        needs: KNOWN,
        after: WRONG,
        mend: MEND_BYTES,
        look: |kit| {
            Box::pin(async {
                let password = kit.password();
                wrong(
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
        id: "C55",
        name: "A second factor needs its code",
        needs: &[Need::Email, Need::Password, Need::Code],
        after: RIGHT,
        mend: "With the right password and no code, or a wrong one, answer `mfa_required`; with both right `match`; with a wrong password `mismatch`, whatever the code.",
        look: |kit| Box::pin(second_factor(kit)),
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

/// None of these passwords is the right one; those that are it nevertheless are left out.
async fn wrong(kit: &Kit, passwords: Vec<(&str, String)>) -> Seen {
    for (what, password) in passwords {
        if password != kit.password() && !password.is_empty() && password.len() <= 1024 {
            kit.is_wrong(what, &password).await?;
        }
    }
    passed()
}

async fn opens_nothing(kit: &Kit, what: &str, question: Value) -> Seen {
    match kit.ask(&question).await {
        Ok(answer) if answer["verdict"] == "match" || answer["verdict"] == "mfa_required" => {
            failed(format!("{what} was taken for the right one"))
        }
        Ok(_) | Err(Fault::Refused(_)) => passed(),
        Err(fault) => advice(format!("asked about {what}, {}", fault.said())),
    }
}

/// Compares what a wrong password of the account takes with what one of nobody's takes, in turn, and
/// with a question that compares nothing. Of each the fastest counts, for whatever else machines do
/// only adds to it; where the two seem to differ, more of them are asked for.
async fn times(kit: &Kit) -> Seen {
    let (id, nobody) = (kit.id()?, format!("accounts-check-{}", kit.run));
    let [mut known, mut unknown, mut nothing] = [Duration::MAX; 3];
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    let mut tries = 0;
    loop {
        let password = format!("wrong-{}-{tries}", kit.run);
        known = known.min(time(kit, &verify(id, &password)).await?);
        unknown = unknown.min(time(kit, &verify(&nobody, &password)).await?);
        nothing = nothing.min(time(kit, &kit.about_nobody()).await?);
        let _ = kit.ask(&verify(id, kit.password())).await;
        tries += 1;
        let (work, decoy) = (known.saturating_sub(nothing), unknown.saturating_sub(nothing));
        let (less, more) = (work.min(decoy), work.max(decoy));
        let alike = more < Duration::from_millis(2) || less * 2 >= more;
        let seen = format!(
            "an account {}, nobody {}, a question without a password {}",
            ms(known),
            ms(unknown),
            ms(nothing)
        );
        match tries {
            FEW.. if alike => return Ok(seen),
            MANY.. if less * 4 >= more => return advice(seen),
            MANY.. => return failed(seen),
            _ => {}
        }
    }
}

async fn time(kit: &Kit, question: &Value) -> Result<Duration, Otherwise> {
    let start = Instant::now();
    let answer = kit.ask(question).await?;
    match answer["verdict"].as_str() {
        Some("locked") => Err(Otherwise::NotRun("the account is locked by now".to_owned())),
        _ => Ok(start.elapsed()),
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
