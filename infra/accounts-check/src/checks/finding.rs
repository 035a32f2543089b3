//! Whether the right account is found, and no other.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::kit::{Check, Kit, Need, Otherwise, Seen, failed, find_by_email, find_by_id, passed};

const KNOWN: &[Need] = &[Need::Email];
const FOUND: &[&str] = &["C01", "C23"];
const MEND_BYTES: &str = "Compare addresses after ASCII lowercasing and byte for byte, not by the database's collation (MySQL: `CAST(email AS BINARY)` or `COLLATE utf8mb4_bin`; PostgreSQL: no `citext` with an ICU collation; code: no Unicode lowercasing or normalising).";
const MEND_PLAIN: &str = "Give the value to the database as a parameter (`WHERE lower(email) = $1`), and use neither LIKE nor a pattern.";
const MEND_ID: &str = "Compare ids as texts, exactly (MySQL takes '42abc' for 42 where the column is a number: `WHERE CAST(id AS CHAR) = ?`); parse a number strictly, and answer {\"accounts\":[]} to what is none.";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "C23",
        name: "A known address finds its account",
        needs: KNOWN,
        after: &["C01"],
        mend: "Look --email up among your accounts and answer {\"accounts\":[…]} with all that have it; if there really are two, merge them: nobody can sign in to either.",
        look: |kit| {
            Box::pin(async {
                let account = kit.find_one(&find_by_email(kit.email())).await?;
                let _ = kit.account.set(account);
                passed()
            })
        },
    },
    Check {
        id: "C24",
        name: "An account has all its members, of the right kinds",
        needs: KNOWN,
        after: FOUND,
        mend: "An account is {\"id\",\"email\",\"name\",\"postal_code\",\"status\",\"has_password\"}: `id` a text of 1 to 256 bytes (a number needs quotes), `email` a text or null but always there, `has_password` true or false, `status` `active`, `locked` or `disabled`, the others texts or null.",
        look: |kit| {
            Box::pin(async {
                let account = kit.account.get().unwrap_or(&Value::Null);
                well_formed(account)?;
                let email = account["email"].as_str().unwrap_or_default();
                if !email.eq_ignore_ascii_case(kit.email()) {
                    return failed(
                        "the account's `email` is not the address that was asked for; we would count it as nobody's",
                    );
                }
                passed()
            })
        },
    },
    Check {
        id: "C25",
        name: "An address finds its account however it is spelled in capitals",
        needs: KNOWN,
        after: FOUND,
        mend: "Compare `lower(email)` with the lowercased address, and have an index on that; in a table of DynamoDB's, keep a lowercased attribute (`accounts-check survey --write-email-key` fills it).",
        look: |kit| {
            Box::pin(async {
                let id = kit.id()?;
                let (upper, lower) =
                    (kit.email().to_ascii_uppercase(), kit.email().to_ascii_lowercase());
                let mixed: String = lower
                    .char_indices()
                    .map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c })
                    .collect();
                for (spelling, how) in
                    [(upper, "in capitals"), (lower, "in lowercase"), (mixed, "in mixed case")]
                {
                    let found = kit.find(&find_by_email(&spelling)).await?;
                    if found.len() != 1 || found[0]["id"] != id {
                        return failed(format!(
                            "{how} it finds {}",
                            if found.is_empty() { "nobody" } else { "another account" }
                        ));
                    }
                }
                passed()
            })
        },
    },
    Check {
        id: "C26",
        name: "Letters with accents are other letters",
        needs: KNOWN,
        after: FOUND,
        mend: MEND_BYTES,
        look: |kit| {
            Box::pin(async {
                let accents = [
                    ('a', "á"),
                    ('e', "é"),
                    ('i', "í"),
                    ('o', "ö"),
                    ('u', "ü"),
                    ('n', "ñ"),
                    ('c', "ç"),
                    ('y', "ý"),
                ];
                replaced(kit, &accents, "an accent").await?;
                let combining = find_by_email(&kit.email().replacen('@', "\u{301}@", 1));
                kit.nobody("its address with a combining accent", &combining).await?;
                passed()
            })
        },
    },
    Check {
        id: "C27",
        name: "Letters that become ASCII in another case are other letters",
        needs: KNOWN,
        after: FOUND,
        mend: "Lowercase only A to Z. `ı`.toUpperCase() is `I` and the Kelvin sign's lowercase is `k`: by these, passwords of strangers have been reset.",
        look: |kit| {
            Box::pin(async {
                let letters = [('i', "ı"), ('i', "İ"), ('k', "\u{212a}"), ('s', "ſ")];
                let tried = replaced(kit, &letters, "a letter of another alphabet").await?;
                if tried == 0 {
                    return Err(Otherwise::NotRun("the address has none of i, k and s".to_owned()));
                }
                passed()
            })
        },
    },
    Check {
        id: "C28",
        name: "Compatibility forms are other letters",
        needs: KNOWN,
        after: FOUND,
        mend: "Do not normalise addresses (no NFKC, no `Normalizer`, no transliteration) before you compare them.",
        look: |kit| {
            Box::pin(async {
                let email = kit.email();
                for (other, how) in [
                    (email.replace('@', "＠"), "with a full-width @"),
                    (email.replace('.', "。"), "with an ideographic full stop"),
                    (wide(email), "in full-width letters"),
                    (email.replace('@', "\u{200b}@"), "with a zero-width space"),
                    (email.replace('@', "\u{ad}@"), "with a soft hyphen"),
                    (email.replace("ss", "ß"), "with ß for ss"),
                    (email.replace("fi", "ﬁ"), "with a ligature"),
                ] {
                    if other != email {
                        kit.nobody(&format!("its address {how}"), &find_by_email(&other)).await?;
                    }
                }
                passed()
            })
        },
    },
    Check {
        id: "C29",
        name: "White space and control characters around an address count",
        needs: KNOWN,
        after: FOUND,
        mend: "Do not trim (MySQL's older collations ignore spaces at the end; compare bytes), and refuse a NUL before the database does.",
        look: |kit| {
            Box::pin(async {
                let email = kit.email();
                for (other, how) in [
                    (format!("{email} "), "with a space behind it"),
                    (format!(" {email}"), "with a space before it"),
                    (format!("{email}\n"), "with a line's end behind it"),
                    (format!("{email}\u{a0}"), "with a no-break space behind it"),
                    (format!("{email}\0"), "with a NUL behind it"),
                    (email.replace('@', " @"), "with a space inside"),
                ] {
                    kit.nobody(&format!("its address {how}"), &find_by_email(&other)).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C30",
        name: "Tags and dots make another address",
        needs: KNOWN,
        after: FOUND,
        mend: "Neither take `+tag` away nor dots: that is one provider's habit, and elsewhere two people.",
        look: |kit| {
            Box::pin(async {
                let Some((local, domain)) = kit.email().split_once('@') else {
                    return failed("--email has no @");
                };
                let dotted = local
                    .char_indices()
                    .nth(1)
                    .map(|(at, _)| format!("{}.{}", &local[..at], &local[at..]));
                let mut others = vec![(format!("{local}+x@{domain}"), "with a tag")];
                others
                    .extend(dotted.map(|dotted| (format!("{dotted}@{domain}"), "with a dot more")));
                others.push((format!("{}@{domain}", local.replace('.', "")), "without its dots"));
                others.push((
                    format!("{}@{domain}", local.split('+').next().unwrap_or_default()),
                    "without its tag",
                ));
                for (other, how) in others.iter().filter(|(other, _)| other != kit.email()) {
                    // Whoever really has that address is somebody else.
                    let found = kit.find(&find_by_email(other)).await?;
                    if found.iter().any(|account| account["id"] == kit.id().unwrap_or_default()) {
                        return failed(format!("its address {how} found the same account"));
                    }
                }
                passed()
            })
        },
    },
    Check {
        id: "C31",
        name: "Parts of an address find nobody",
        needs: KNOWN,
        after: FOUND,
        mend: "Compare whole addresses.",
        look: |kit| {
            Box::pin(async {
                let email = kit.email();
                let (local, domain) = email.split_once('@').unwrap_or((email, ""));
                for (other, how) in [
                    (local.to_owned(), "without its domain"),
                    (format!("@{domain}"), "without what is before the @"),
                    (format!("{email}.example"), "with a longer domain"),
                    (format!("x{email}"), "with a letter more"),
                    (format!("{email},x@example.com"), "with another address behind it"),
                    (format!("<{email}>"), "in brackets"),
                ] {
                    kit.nobody(&format!("its address {how}"), &find_by_email(&other)).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C32",
        name: "Wildcards in an address are plain letters",
        needs: KNOWN,
        after: FOUND,
        mend: MEND_PLAIN,
        look: |kit| {
            Box::pin(async {
                let email = kit.email();
                let rest: String = email.chars().skip(1).collect();
                for other in [
                    format!("_{rest}"),
                    format!("%{rest}"),
                    format!("*{rest}"),
                    format!("?{rest}"),
                    "%".to_owned(),
                    "%@%".to_owned(),
                    ".*@.*".to_owned(),
                    "*".to_owned(),
                ] {
                    kit.nobody("an address with a wildcard", &find_by_email(&other)).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C33",
        name: "Quotes in an address end nothing",
        needs: &[],
        after: &["C01"],
        mend: MEND_PLAIN,
        look: |kit| {
            Box::pin(async {
                for other in [
                    "' OR '1'='1",
                    "' OR 1=1 -- @example.com",
                    "\" OR \"\"=\"",
                    "o'neil@accounts-check.invalid",
                    "a\\@accounts-check.invalid",
                    "'; SELECT pg_sleep(0); --",
                    "${7*7}@accounts-check.invalid",
                    ")(mail=*",
                ] {
                    kit.nobody("an address with quotes", &find_by_email(other)).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C34",
        name: "A question without an address finds nobody",
        needs: &[],
        after: &["C01"],
        mend: "Take `email` and `account_id` only if they are texts, and answer 400 otherwise; what is missing must not become a condition that is left out.",
        look: |kit| {
            Box::pin(async {
                for email in [
                    json!(null),
                    json!(""),
                    json!(true),
                    json!(0),
                    json!([]),
                    json!({}),
                    json!({ "$ne": null }),
                    json!(["a@b"]),
                ] {
                    kit.nobody(
                        "an address that is no text",
                        &json!({ "type": "find_by_email", "email": email }),
                    )
                    .await?;
                    kit.nobody(
                        "an id that is no text",
                        &json!({ "type": "find_by_id", "account_id": email }),
                    )
                    .await?;
                }
                kit.nobody("no address", &json!({ "type": "find_by_email" })).await?;
                kit.nobody("no id", &json!({ "type": "find_by_id" })).await?;
                passed()
            })
        },
    },
    Check {
        id: "C35",
        name: "A very long address is answered",
        needs: &[],
        after: &["C01"],
        mend: "Answer {\"accounts\":[]} to an address of 254 bytes that nobody has, and 400 to a longer one.",
        look: |kit| {
            Box::pin(async {
                let labels = format!(
                    "{}.invalid",
                    ["x".repeat(60), "y".repeat(60), "z".repeat(59)].join(".")
                );
                let longest = format!("{}@{labels}", "a".repeat(64));
                let found = kit.find(&find_by_email(&longest[longest.len() - 254..])).await?;
                if !found.is_empty() {
                    return failed("it found somebody by an address of 254 letters");
                }
                kit.nobody(
                    "an address of 10,000 letters",
                    &find_by_email(&format!("{}@example.com", "a".repeat(10_000))),
                )
                .await?;
                passed()
            })
        },
    },
    Check {
        id: "C36",
        name: "An account is the same by its id as by its address",
        needs: KNOWN,
        after: &["C01", "C23", "C24"],
        mend: "Answer `find_by_id` with the same members as `find_by_email`, from the same place.",
        look: |kit| {
            Box::pin(async {
                let by_id = kit.find_one(&find_by_id(kit.id()?)).await?;
                let by_email = kit.account.get().unwrap_or(&Value::Null);
                let members = ["id", "email", "name", "postal_code", "status", "has_password"];
                let differs = members.iter().find(|name| by_id[**name] != by_email[**name]);
                match differs {
                    None => passed(),
                    Some(name) => failed(format!("its `{name}` is another one by its id")),
                }
            })
        },
    },
    Check {
        id: "C37",
        name: "An id that nobody has finds nobody",
        needs: &[],
        after: &["C01"],
        mend: "Answer 200 {\"accounts\":[]}, not 404: a deleted account is an answer.",
        look: |kit| {
            Box::pin(async {
                let found = kit.find(&find_by_id(&format!("accounts-check-{}", kit.run))).await?;
                if found.is_empty() {
                    passed()
                } else {
                    failed("it found an account by an id that nobody has")
                }
            })
        },
    },
    Check {
        id: "C38",
        name: "An id counts to the letter",
        needs: KNOWN,
        after: &["C01", "C23", "C24"],
        mend: MEND_ID,
        look: |kit| {
            Box::pin(async {
                let id = kit.id()?;
                let mut others = vec![
                    (format!("{id} "), "with a space behind it"),
                    (format!(" {id}"), "with a space before it"),
                    (format!("{id}abc"), "with letters behind it"),
                    (format!("0{id}"), "with a zero before it"),
                    (format!("+{id}"), "with a plus before it"),
                    (format!("{id}.0"), "with .0 behind it"),
                    (format!("{id}\0"), "with a NUL behind it"),
                    (id.to_ascii_uppercase(), "in capitals"),
                    (wide(id), "in full-width letters"),
                ];
                others.retain(|(other, _)| other != id);
                for (other, how) in others {
                    kit.nobody(&format!("its id {how}"), &find_by_id(&other)).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C39",
        name: "Quotes and wildcards in an id are plain letters",
        needs: KNOWN,
        after: &["C01", "C23", "C24"],
        mend: MEND_ID,
        look: |kit| {
            Box::pin(async {
                let id = kit.id()?;
                let rest: String = id.chars().skip(1).collect();
                for other in [
                    format!("{id}' OR '1'='1"),
                    format!("{id} OR 1=1"),
                    format!("{id}\""),
                    format!("{id}/../{id}"),
                    format!("{id};"),
                    format!("%{rest}"),
                    format!("_{rest}"),
                    "%".to_owned(),
                    "*".to_owned(),
                ] {
                    kit.nobody("an id with quotes or wildcards", &find_by_id(&other)).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C40",
        name: "A closed account says so",
        needs: &[Need::DisabledEmail],
        after: &["C01"],
        mend: "Set `status` to `disabled` (closed, banned, not yet confirmed) or `locked` (for now); where it is absent the account is open.",
        look: |kit| {
            Box::pin(async {
                let email = kit.known.disabled_email.as_deref().unwrap_or_default();
                let account = kit.find_one(&find_by_email(email)).await?;
                match account["status"].as_str() {
                    Some("disabled" | "locked") => passed(),
                    _ => failed(
                        "the `status` of --disabled-email is neither `disabled` nor `locked`",
                    ),
                }
            })
        },
    },
    Check {
        id: "C41",
        name: "Twenty questions at once are all answered",
        needs: &[],
        after: &["C01"],
        mend: "Give the route as many workers and database connections as visitors may sign in at once; answer slowly rather than 429 or 503.",
        look: |kit| {
            Box::pin(async {
                let question = kit.about_nobody();
                let answers = join_all((0..20).map(|_| kit.find(&question))).await;
                let lost = answers.iter().filter(|answer| answer.is_err()).count();
                if lost == 0 { passed() } else { failed(format!("{lost} of 20 were not")) }
            })
        },
    },
];

/// Asks for the known address with one letter after another replaced; says how many there were.
async fn replaced(kit: &Kit, letters: &[(char, &str)], how: &str) -> Result<usize, Otherwise> {
    let email = kit.email().to_ascii_lowercase();
    let mut tried = 0;
    for (letter, other) in letters.iter().filter(|(letter, _)| email.contains(*letter)) {
        let question = find_by_email(&email.replacen(*letter, other, 1));
        kit.nobody(&format!("its address with {how} ({other} for {letter})"), &question).await?;
        tried += 1;
    }
    Ok(tried)
}

/// The same in full-width letters, which NFKC makes plain ones of.
pub(super) fn wide(text: &str) -> String {
    let wide = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => char::from_u32(c as u32 + 0xfee0).unwrap_or(c),
        _ => c,
    };
    text.chars().map(wide).collect()
}

/// Makes sure that an account has what every account has.
pub(super) fn well_formed(account: &Value) -> Seen {
    let id = account["id"].as_str().and_then(domain::AccountId::parse);
    let text = |name: &str| matches!(account[name], Value::String(_) | Value::Null);
    let status = &account["status"];
    let known =
        status.is_null() || ["active", "locked", "disabled"].iter().any(|word| status == *word);
    if id.is_none() {
        failed("its `id` is no text of 1 to 256 bytes")
    } else if account.get("email").is_none() {
        failed("it has no `email`, not even null")
    } else if !account["has_password"].is_boolean() {
        failed("its `has_password` is neither true nor false")
    } else if !known {
        failed("its `status` is no word that we know: nobody could enter")
    } else if let Some(name) = ["email", "name", "postal_code"].iter().find(|name| !text(name)) {
        failed(format!("its `{name}` is neither a text nor null"))
    } else {
        passed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_null_and_not_absent() {
        let mut account = json!({ "id": "42", "email": null, "has_password": false });
        assert!(well_formed(&account).is_ok());
        account.as_object_mut().unwrap().remove("email");
        let ended = well_formed(&account);
        assert!(matches!(ended, Err(Otherwise::Failed(said)) if said.contains("no `email`")));
    }
}
