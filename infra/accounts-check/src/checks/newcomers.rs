//! Whether an account can be opened, once, and by its owner alone.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::finding::well_formed;
use crate::kit::{
    Check, Kit, Need, Otherwise, Seen, advice, failed, find_by_email, find_by_id, passed, random,
    verify,
};

const WRITES: &[Need] = &[Need::Write];
const OPENED: &[&str] = &["C01", "C59"];
const MEND_KEY: &str = "Store `key` with the account, under a unique index; look for it before you look at anything else that the question says, and answer with the account that it opened the first time, as that is now.";
const MEND_RACE: &str = "Let unique indexes over `key` and over the lowercased address decide (INSERT … ON CONFLICT, or catch the duplicate and look for the key once more): between SELECT and INSERT there is room for another request.";
const MEND_TAKEN: &str = "Look for the address as `find_by_email` does, and answer 200 {\"outcome\":\"email_taken\"} if anybody has it, without changing that account.";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "C59",
        name: "A newcomer gets an account",
        needs: WRITES,
        after: &["C01"],
        mend: "Answer {\"outcome\":\"created\",\"account\":{…}} with the new account, its address as it came.",
        look: |kit| {
            Box::pin(async {
                let question = kit.newcomer("new");
                let account = created(kit, &question).await?;
                well_formed(&account)?;
                let email = account["email"].as_str().unwrap_or_default();
                if !email.eq_ignore_ascii_case(question["email"].as_str().unwrap_or_default()) {
                    return failed("the new account's `email` is another one");
                }
                let _ = kit.newcomer.set((question, account));
                passed()
            })
        },
    },
    Check {
        id: "C60",
        name: "A new account has no password",
        needs: WRITES,
        after: OPENED,
        mend: "Store no hash (NULL, or what your framework calls unusable), and say `has_password: false`: a blank or random password would have its owner asked for one that nobody knows.",
        look: |kit| {
            Box::pin(async {
                let (_, account) = opened(kit)?;
                if account["has_password"] == false {
                    passed()
                } else {
                    failed("its `has_password` is true")
                }
            })
        },
    },
    Check {
        id: "C61",
        name: "No password opens a new account",
        needs: WRITES,
        after: OPENED,
        mend: "Answer `no_password` where there is none, before any hash is computed; a comparison with an empty hash may be true in some libraries.",
        look: |kit| {
            Box::pin(async {
                let (question, account) = opened(kit)?;
                let id = account["id"].as_str().unwrap_or_default();
                let text = |name: &str| question[name].as_str().unwrap_or_default().to_owned();
                let mut others = Vec::new();
                for password in [
                    text("email"),
                    text("key"),
                    text("name"),
                    id.to_owned(),
                    " ".into(),
                    "password".into(),
                    "null".into(),
                    "undefined".into(),
                    "!".into(),
                    "*".into(),
                ] {
                    match kit.verdict(id, &password).await?.as_str() {
                        "no_password" => {}
                        word @ ("match" | "mfa_required") => {
                            return failed(format!("a password opened it (`{word}`)"));
                        }
                        word => others.push(word.to_owned()),
                    }
                }
                let empty = kit.ask(&verify(id, "")).await;
                if empty.is_ok_and(|answer| answer["verdict"] == "match") {
                    return failed("an empty password opened it");
                }
                match others.first() {
                    None => passed(),
                    Some(word) => advice(format!("it answered `{word}` rather than `no_password`")),
                }
            })
        },
    },
    Check {
        id: "C62",
        name: "A new account is found by its address and by its id",
        needs: WRITES,
        after: OPENED,
        mend: "Answer `created` after the account is committed, and read from where it was written, not from a replica that lags behind.",
        look: |kit| {
            Box::pin(async {
                let (question, account) = opened(kit)?;
                let by_email = kit
                    .find_one(&find_by_email(question["email"].as_str().unwrap_or_default()))
                    .await?;
                let by_id =
                    kit.find_one(&find_by_id(account["id"].as_str().unwrap_or_default())).await?;
                for (found, how) in [(by_email, "address"), (by_id, "id")] {
                    let differs = ["id", "email", "name", "postal_code", "has_password"]
                        .into_iter()
                        .find(|name| found[*name] != account[*name]);
                    if let Some(name) = differs {
                        return failed(format!("by its {how} its `{name}` is another one"));
                    }
                }
                passed()
            })
        },
    },
    Check {
        id: "C63",
        name: "Name and postal code are kept as they came",
        needs: WRITES,
        after: OPENED,
        mend: "Store texts as UTF-8 (MySQL: `utf8mb4`) and as they are: escape where you write HTML, not where you store. What you cannot keep so, refuse: {\"outcome\":\"invalid\",\"fields\":{\"name\":\"invalid\"}}.",
        look: |kit| {
            Box::pin(async {
                let mut lost = Vec::new();
                for (what, name) in [
                    ("a name of four-byte letters", "Zoë Ångström 李小龍 🔑"),
                    ("a name with marks", "<b>Tom</b> & \"Jerry\" O'Neil \\ %s {{1}}"),
                ] {
                    let mut question = kit.newcomer("named");
                    question["name"] = Value::from(name);
                    question["postal_code"] = Value::from("SW1A 1AA");
                    let answer = kit.ask(&question).await?;
                    let refused = answer["fields"].as_object().is_some_and(|fields| {
                        fields.keys().all(|field| field == "name" || field == "postal_code")
                    });
                    if answer["outcome"] == "invalid" && refused {
                        return advice(format!("it refused {what}: we ask once more without it"));
                    }
                    let account = opened_by(answer)?;
                    // What is not told is not wrong.
                    let kept = account["name"] == name
                        && [json!(null), json!("SW1A 1AA")].contains(&account["postal_code"]);
                    if !kept {
                        lost.push(what);
                    }
                }
                if lost.is_empty() {
                    passed()
                } else {
                    failed(format!("{} came back changed", lost.join(" and ")))
                }
            })
        },
    },
    Check {
        id: "C64",
        name: "A newcomer may have neither name nor postal code",
        needs: WRITES,
        after: OPENED,
        mend: "Take `create` without `name` and `postal_code`: Amazon may not tell them.",
        look: |kit| {
            Box::pin(async {
                let mut question = kit.newcomer("bare");
                if let Some(members) = question.as_object_mut() {
                    members.remove("name");
                    members.remove("postal_code");
                }
                created(kit, &question).await?;
                passed()
            })
        },
    },
    Check {
        id: "C65",
        name: "Further fields and consents are taken",
        needs: WRITES,
        after: OPENED,
        mend: "Store what REGISTRATION_FIELDS asks for, and pass over `fields` and `consents` that you do not know; answer `invalid` with the field's name only to a value that the newcomer can put right.",
        look: |kit| {
            Box::pin(async {
                let mut question = kit.newcomer("fields");
                question["fields"] = json!({ "accounts_check": "+12065550100", "password": "accounts-check", "status": "disabled", "id": "1" });
                question["consents"] = json!({ "terms": { "version": "2026-11", "at": "2026-11-25T09:30:00Z" }, "news": { "version": "1", "at": "2026-11-25T09:30:00Z" } });
                let account = created(kit, &question).await?;
                let id = account["id"].as_str().unwrap_or_default();
                if id == "1"
                    || account["has_password"] != false
                    || kit.verdict(id, "accounts-check").await? == "match"
                {
                    return failed("a field took the place of the id or of the password");
                }
                if !matches!(account["status"].as_str(), None | Some("active")) {
                    return failed("a field took the place of the status");
                }
                passed()
            })
        },
    },
    Check {
        id: "C66",
        name: "The same key again is the same account",
        needs: WRITES,
        after: OPENED,
        mend: MEND_KEY,
        look: |kit| {
            Box::pin(async {
                let (question, account) = opened(kit)?;
                same(&created(kit, question).await?, account)
            })
        },
    },
    Check {
        id: "C67",
        name: "The same key with other values is the same account, unchanged",
        needs: WRITES,
        after: &["C01", "C59", "C66"],
        mend: MEND_KEY,
        look: |kit| {
            Box::pin(async {
                let (question, account) = opened(kit)?;
                let mut other = question.clone();
                other["email"] = Value::from(kit.address("another-spelling"));
                other["name"] = Value::from("Somebody Else");
                let mut taken = other.clone();
                taken["email"] = Value::from(match &kit.known.email {
                    Some(email) => email,
                    None => account["email"].as_str().unwrap_or_default(),
                });
                // As a form may come that its owner filled in wrongly.
                let mut wrong = other.clone();
                wrong["fields"] = json!({ "phone": "none", "email": "none" });
                for (question, how) in [
                    (other, "with another address"),
                    (taken, "with an address that somebody else has"),
                    (wrong, "with a field that is not right"),
                ] {
                    let said = |said| format!("{how} {said}");
                    let again = created(kit, &question).await.map_err(|why| why.saying(said))?;
                    same(&again, account)?;
                }
                let now =
                    kit.find_one(&find_by_id(account["id"].as_str().unwrap_or_default())).await?;
                if now["name"] != account["name"] || now["email"] != account["email"] {
                    return failed("the account was changed");
                }
                let strays = kit.find(&find_by_email(&kit.address("another-spelling"))).await?;
                if strays.is_empty() { passed() } else { failed("another account was opened") }
            })
        },
    },
    Check {
        id: "C68",
        name: "The same key twenty times at once opens one account",
        needs: WRITES,
        after: &["C01", "C59", "C66"],
        mend: MEND_RACE,
        look: |kit| {
            Box::pin(async {
                let question = kit.newcomer("key-race");
                let answers = join_all((0..20).map(|_| created(kit, &question))).await;
                let mut ids: Vec<_> = answers
                    .into_iter()
                    .collect::<Result<Vec<_>, _>>()?
                    .iter()
                    .map(|account| account["id"].to_string())
                    .collect();
                ids.sort();
                ids.dedup();
                if ids.len() != 1 {
                    return failed(format!("it answered with {} ids", ids.len()));
                }
                let found = kit
                    .find(&find_by_email(question["email"].as_str().unwrap_or_default()))
                    .await?;
                if found.len() == 1 {
                    passed()
                } else {
                    failed(format!("{} accounts have the address", found.len()))
                }
            })
        },
    },
    Check {
        id: "C69",
        name: "The same address by twenty keys at once opens one account",
        needs: WRITES,
        after: OPENED,
        mend: MEND_RACE,
        look: |kit| {
            Box::pin(async {
                let email = kit.newcomer("address-race")["email"].clone();
                let questions: Vec<Value> = (0..20)
                    .map(|_| {
                        let mut question = kit.newcomer("address-race");
                        question["email"] = email.clone();
                        question
                    })
                    .collect();
                let answers = join_all(questions.iter().map(|question| kit.ask(question))).await;
                let mut outcomes = Vec::new();
                for answer in answers {
                    outcomes.push(answer?["outcome"].as_str().unwrap_or("nothing").to_owned());
                }
                let count = |word: &str| outcomes.iter().filter(|outcome| *outcome == word).count();
                match (count("created"), count("email_taken")) {
                    (1, 19) => passed(),
                    (created, taken) => {
                        failed(format!("{created} were `created`, {taken} `email_taken`, of 20"))
                    }
                }
            })
        },
    },
    Check {
        id: "C70",
        name: "An address that somebody has is taken",
        needs: WRITES,
        after: OPENED,
        mend: MEND_TAKEN,
        look: |kit| {
            Box::pin(async {
                let email = opened(kit)?.0["email"].as_str().unwrap_or_default();
                taken(kit, email).await
            })
        },
    },
    Check {
        id: "C71",
        name: "An address that somebody has in other capitals is taken",
        needs: WRITES,
        after: &["C01", "C59", "C70"],
        mend: MEND_TAKEN,
        look: |kit| {
            Box::pin(async {
                let email = opened(kit)?.0["email"].as_str().unwrap_or_default();
                taken(kit, &email.to_ascii_uppercase()).await
            })
        },
    },
    Check {
        id: "C72",
        name: "The address of an account that was there before is taken, and the account stays as it was",
        needs: &[Need::Write, Need::Email],
        after: &["C01", "C23", "C24", "C59"],
        mend: MEND_TAKEN,
        look: |kit| {
            Box::pin(async {
                let before = kit.find_one(&find_by_email(kit.email())).await?;
                taken(kit, kit.email()).await?;
                let after = kit.find_one(&find_by_email(kit.email())).await?;
                let differs = ["id", "email", "name", "postal_code", "has_password"]
                    .into_iter()
                    .find(|name| before[*name] != after[*name]);
                match differs {
                    None => passed(),
                    Some(name) => failed(format!("its `{name}` is another one by now")),
                }
            })
        },
    },
    Check {
        id: "C73",
        name: "An address with a dot more is another newcomer",
        needs: WRITES,
        after: OPENED,
        mend: "Neither take `+tag` away nor dots, nor look for addresses that resemble each other.",
        look: |kit| {
            Box::pin(async {
                let (question, account) = opened(kit)?;
                let mut dotted = kit.newcomer("dotted");
                dotted["email"] =
                    Value::from(question["email"].as_str().unwrap_or_default().replacen(
                        "accounts",
                        "account.s",
                        1,
                    ));
                let other = created(kit, &dotted).await?;
                if other["id"] == account["id"] { failed("both have one id") } else { passed() }
            })
        },
    },
];

impl Kit {
    /// The question that opens an account.
    pub(super) fn newcomer(&self, of: &str) -> Value {
        json!({
            "type": "create",
            "key": format!("accounts-check-{}", random()),
            "email": self.address(&format!("{of}-{}", random())),
            "name": "Nora Newcomer",
            "postal_code": "98101",
            "fields": {},
            "consents": {},
        })
    }
}

/// Opens an account.
pub(super) async fn created(kit: &Kit, question: &Value) -> Result<Value, Otherwise> {
    opened_by(kit.ask(question).await?)
}

/// The account that an answer says was opened.
fn opened_by(mut answer: Value) -> Result<Value, Otherwise> {
    match answer["outcome"].as_str() {
        Some("created") => Ok(answer["account"].take()),
        Some("unsupported") => {
            Err(Otherwise::NotRun("it does not open accounts: set REGISTRATION=closed".to_owned()))
        }
        Some("invalid") => {
            failed(format!("it answered `invalid` ({}), not `created`", fields(&answer["fields"])))
        }
        Some("email_taken") => failed("it answered `email_taken`, not `created`"),
        _ => failed("its answer has no `outcome` that belongs to `create`"),
    }
}

fn fields(fields: &Value) -> String {
    let names = fields.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    names.take(5).collect::<Vec<_>>().join(", ")
}

/// The account that C59 opened, after the question that did it.
pub(super) fn opened(kit: &Kit) -> Result<(&Value, &Value), Otherwise> {
    let newcomer =
        kit.newcomer.get().ok_or_else(|| Otherwise::NotRun("no account was opened".to_owned()))?;
    Ok((&newcomer.0, &newcomer.1))
}

fn same(one: &Value, other: &Value) -> Seen {
    if one["id"] == other["id"] { passed() } else { failed("it opened another account") }
}

async fn taken(kit: &Kit, email: &str) -> Seen {
    let mut question = kit.newcomer("taken");
    question["email"] = Value::from(email);
    match kit.ask(&question).await?["outcome"].as_str() {
        Some("email_taken") => passed(),
        Some("created") => failed("it opened another account with it"),
        _ => failed("it did not answer `email_taken`"),
    }
}
