//! Whether an account can be written to, in two fields and no others, and whether its owner is told.

use serde_json::{Value, json};

use super::newcomers::{created, opened};
use crate::{
    kit::{Check, Kit, Need, Otherwise, Seen, advice, failed, find_by_id, passed, random},
    way::Fault,
};

const WRITES: &[Need] = &[Need::Write];
const OPENED: &[&str] = &["C01", "C59"];
const UPDATED: &[&str] = &["C01", "C59", "C74"];
const MEND_ONLY: &str = "Write `name` and `postal_code` and nothing else, by their names: never hand `set` to the database or the ORM as it is.";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "C74",
        name: "A name is updated",
        needs: WRITES,
        after: OPENED,
        mend: "Write the fields of `set` into the account and answer {\"outcome\":\"updated\"} when they are committed.",
        look: |kit| {
            Box::pin(async {
                let name = "Åsa “Updated” <i>李</i>";
                update(kit, &json!({ "name": name })).await?;
                if now(kit).await?["name"] == name {
                    passed()
                } else {
                    failed("the account's `name` is another one afterwards")
                }
            })
        },
    },
    Check {
        id: "C75",
        name: "What an update does not name stays",
        needs: WRITES,
        after: UPDATED,
        mend: "Write only the fields that `set` has; what is absent stays as it was.",
        look: |kit| {
            Box::pin(async {
                let (_, account) = opened(kit)?;
                let now = now(kit).await?;
                let differs = ["id", "email", "postal_code", "status", "has_password"]
                    .into_iter()
                    .find(|name| now[*name] != account[*name]);
                match differs {
                    None => passed(),
                    Some(name) => {
                        failed(format!("its `{name}` is another one after an update of the name"))
                    }
                }
            })
        },
    },
    Check {
        id: "C76",
        name: "An update never changes an address",
        needs: WRITES,
        after: UPDATED,
        mend: MEND_ONLY,
        look: |kit| {
            Box::pin(async {
                let before = now(kit).await?;
                let _ = update(kit, &json!({ "email": kit.address("changed") })).await;
                if now(kit).await?["email"] == before["email"] {
                    passed()
                } else {
                    failed("it did")
                }
            })
        },
    },
    Check {
        id: "C77",
        name: "An update sets no password, status or id",
        needs: WRITES,
        after: UPDATED,
        mend: MEND_ONLY,
        look: |kit| {
            Box::pin(async {
                let before = now(kit).await?;
                let id = before["id"].as_str().unwrap_or_default();
                for set in [
                    json!({ "password": "accounts-check" }),
                    json!({ "password_hash": "accounts-check" }),
                    json!({ "has_password": true }),
                    json!({ "status": "disabled" }),
                    json!({ "id": "1" }),
                    json!({ "role": "admin" }),
                ] {
                    let _ = update(kit, &set).await;
                }
                let after = now(kit).await?;
                let differs = ["id", "status", "has_password"]
                    .into_iter()
                    .find(|name| before[*name] != after[*name]);
                if let Some(name) = differs {
                    return failed(format!("its `{name}` is another one afterwards"));
                }
                if kit.verdict(id, "accounts-check").await? == "match" {
                    return failed("a password was set");
                }
                passed()
            })
        },
    },
    Check {
        id: "C78",
        name: "An update changes one account",
        needs: WRITES,
        after: UPDATED,
        mend: "Write where the id is the one that was asked for, and nowhere else.",
        look: |kit| {
            Box::pin(async {
                let mut question = kit.newcomer("bystander");
                question["name"] = Value::from("Bystander");
                let bystander = created(kit, &question).await?;
                update(kit, &json!({ "name": "Updated" })).await?;
                let after =
                    kit.find_one(&find_by_id(bystander["id"].as_str().unwrap_or_default())).await?;
                if after["name"] == "Bystander" {
                    passed()
                } else {
                    failed("another account was changed as well")
                }
            })
        },
    },
    Check {
        id: "C79",
        name: "An account that does not exist is not updated",
        needs: WRITES,
        after: &["C01", "C37", "C59", "C74"],
        mend: "Answer 404 where no account has this id, so that nobody takes it for done; and create none.",
        look: |kit| {
            Box::pin(async {
                let id = format!("accounts-check-{}", kit.run);
                let question =
                    json!({ "type": "update", "account_id": id, "set": { "name": "Nobody" } });
                let answer = kit.ask(&question).await;
                if !kit.find(&find_by_id(&id)).await?.is_empty() {
                    return failed("it was created");
                }
                match answer {
                    Ok(answer) if answer["outcome"] == "updated" => failed("it answered `updated`"),
                    // A function has no status to say it with.
                    Err(Fault::Refused(None | Some(404), _)) => passed(),
                    Ok(_) => advice("it answered with neither 404 nor `updated`"),
                    Err(fault) => advice(format!("{}, not 404", fault.said())),
                }
            })
        },
    },
    Check {
        id: "C80",
        name: "A notice is taken, and taken again",
        needs: WRITES,
        after: OPENED,
        mend: "Answer {\"outcome\":\"taken\"} once the message to the owner is sure to go out, and the same to an id that you have already taken, without a second message.",
        look: |kit| {
            Box::pin(async {
                let notice = notice(kit, "linked")?;
                for nth in ["the first", "the second"] {
                    let answer = kit.ask(&notice).await?;
                    match answer["outcome"].as_str() {
                        Some("taken") => {}
                        Some("unsupported") => {
                            return Err(Otherwise::NotRun(
                                "it does not take notices: set NOTICES to a queue".to_owned(),
                            ));
                        }
                        _ => return failed(format!("{nth} time it did not answer `taken`")),
                    }
                }
                passed()
            })
        },
    },
    Check {
        id: "C81",
        name: "Every kind of notice is taken, one that it does not know too",
        needs: WRITES,
        after: &["C01", "C59", "C80"],
        mend: "Take `linked`, `unlinked`, `link_to_prove` and `attempts_throttled`; a kind that you do not know is best taken and logged, or it comes again and again.",
        look: |kit| {
            Box::pin(async {
                for kind in ["linked", "unlinked", "link_to_prove", "attempts_throttled"] {
                    if kit.ask(&notice(kit, kind)?).await?["outcome"] != "taken" {
                        return failed(format!("it did not take `{kind}`"));
                    }
                }
                match kit.ask(&notice(kit, "accounts_check")?).await {
                    Ok(_) | Err(Fault::Refused(..)) => passed(),
                    Err(fault) => {
                        advice(format!("to a kind that it does not know {}", fault.said()))
                    }
                }
            })
        },
    },
];

/// Writes to the account that C59 opened.
async fn update(kit: &Kit, set: &Value) -> Seen {
    let id = &opened(kit)?.1["id"];
    let answer = kit.ask(&json!({ "type": "update", "account_id": id, "set": set })).await?;
    match answer["outcome"].as_str() {
        Some("updated") => passed(),
        Some("unsupported") => {
            Err(Otherwise::NotRun("it takes no updates: leave PROFILE_SYNC alone".to_owned()))
        }
        _ => failed("its answer has no `outcome` that belongs to `update`"),
    }
}

/// The account that C59 opened, as it is now.
async fn now(kit: &Kit) -> Result<Value, Otherwise> {
    kit.find_one(&find_by_id(opened(kit)?.1["id"].as_str().unwrap_or_default())).await
}

fn notice(kit: &Kit, kind: &str) -> Result<Value, Otherwise> {
    let account = &opened(kit)?.1["id"];
    let at = domain::Clock::System.now().rfc3339();
    Ok(json!({
        "type": "notify",
        "notice": { "id": random(), "type": kind, "account_id": account, "at": at },
    }))
}
