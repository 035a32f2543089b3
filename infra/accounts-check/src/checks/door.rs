//! Whether it answers us, and nobody else. Everything is asked with a question that finds nobody.

use reqwest::Method;
use serde_json::Value;

use crate::{
    kit::{Check, Kit, Need, Otherwise, Seen, advice, failed, passed},
    way::{Answer, Message},
};

const SIGNED: &[Need] = &[Need::Webhook];
const ANSWERS: &[&str] = &["C01"];
const MEND_SIGNATURE: &str = "Compute HMAC-SHA256(base64decode(secret without \"whsec_\"), webhook-id + \".\" + webhook-timestamp + \".\" + body), take the request only if `webhook-signature` has it, and answer 401 otherwise. A Standard Webhooks library does that.";
const MEND_TIME: &str = "Compare `webhook-timestamp` with your clock before anything else: up to five minutes either way is in time, more is 401. If the clock is wrong, let NTP set it.";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "C01",
        name: "A question is answered",
        needs: &[],
        after: &[],
        mend: "Answer 200 and JSON to a `POST` of exactly this URL. If it said 401 or 403, it may have another secret, may not decode the secret's base64, or verify something else than the body's bytes; if it redirected, give the URL that the redirect leads to.",
        look: |kit| {
            Box::pin(async {
                let found = kit.find(&kit.about_nobody()).await?;
                if found.is_empty() {
                    passed()
                } else {
                    failed("it found an account by an address that nobody has")
                }
            })
        },
    },
    Check {
        id: "C02",
        name: "Questions travel encrypted",
        needs: SIGNED,
        after: &[],
        mend: "Use https:// and a certificate that browsers trust: passwords travel there.",
        look: |kit| {
            Box::pin(async {
                match kit.webhook()?.is_encrypted() {
                    Some(true) => passed(),
                    Some(false) => failed("the URL is http://, and not of this machine"),
                    None => Ok("on this machine, HTTP will do".to_owned()),
                }
            })
        },
    },
    Check {
        id: "C03",
        name: "A question without a signature is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: MEND_SIGNATURE,
        look: |kit| Box::pin(refused(kit, |message| message.signature = None)),
    },
    Check {
        id: "C04",
        name: "A signature by another secret is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: MEND_SIGNATURE,
        look: |kit| {
            Box::pin(async {
                let forged = kit.webhook()?.forge(kit.about_nobody().to_string());
                let forged = forged
                    .ok_or_else(|| Otherwise::NotRun("there is no other secret".to_owned()))?;
                refusal(kit, forged).await
            })
        },
    },
    Check {
        id: "C05",
        name: "A signature of another body is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: MEND_SIGNATURE,
        look: |kit| {
            Box::pin(async {
                let other = crate::kit::find_by_email(&kit.address("another")).to_string();
                refused(kit, |message| message.body = other.into_bytes()).await
            })
        },
    },
    Check {
        id: "C06",
        name: "A signature of another message's id is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: MEND_SIGNATURE,
        look: |kit| Box::pin(refused(kit, |message| message.id.push('x'))),
    },
    Check {
        id: "C07",
        name: "A signature of another time is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: MEND_SIGNATURE,
        look: |kit| Box::pin(refused(kit, |message| message.timestamp.0 += 1)),
    },
    Check {
        id: "C08",
        name: "A signature that is cut off is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: "Compare whole signatures, in constant time (`hmac.compare_digest`, `crypto.timingSafeEqual`, `hash_equals`); one of another length is wrong.",
        look: |kit| {
            Box::pin(async {
                for length in ["v1,".len(), "v1,0123".len()] {
                    refused(kit, |message| {
                        if let Some(signature) = &mut message.signature {
                            signature.truncate(length);
                        }
                    })
                    .await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C09",
        name: "A signature of another version is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: "Only `v1,` and base64 is a signature that you can verify; leave the others alone.",
        look: |kit| {
            Box::pin(async {
                for version in ["v2,", "v1a,", ""] {
                    refused(kit, |message| respell(message, |right| right.replace("v1,", version)))
                        .await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C10",
        name: "One right signature among others is enough, wherever it stands",
        needs: SIGNED,
        after: ANSWERS,
        mend: "Split `webhook-signature` at spaces and compare each value that begins with `v1,`; while a secret is replaced there are two.",
        look: |kit| {
            Box::pin(async {
                let wrong = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
                taken(kit, |message| respell(message, |right| format!("{wrong} {right}"))).await?;
                taken(kit, |message| respell(message, |right| format!("{right} {wrong}"))).await
            })
        },
    },
    Check {
        id: "C11",
        name: "Signatures of other versions beside the right one do not matter",
        needs: SIGNED,
        after: ANSWERS,
        mend: "Pass over every value of `webhook-signature` that does not begin with `v1,`, or is not base64.",
        look: |kit| {
            Box::pin(async {
                taken(kit, |message| {
                    respell(message, |right| format!("v1a,AAAA v2 v1,!!! ,  {right} v3,x"));
                })
                .await
            })
        },
    },
    Check {
        id: "C12",
        name: "A question of more than five minutes ago is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: MEND_TIME,
        look: |kit| {
            Box::pin(async {
                refusal(kit, kit.webhook()?.sign_at(-330, kit.about_nobody().to_string())).await
            })
        },
    },
    Check {
        id: "C13",
        name: "A question from more than five minutes ahead is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: MEND_TIME,
        look: |kit| {
            Box::pin(async {
                refusal(kit, kit.webhook()?.sign_at(330, kit.about_nobody().to_string())).await
            })
        },
    },
    Check {
        id: "C14",
        name: "Clocks may be four minutes apart",
        needs: SIGNED,
        after: ANSWERS,
        mend: MEND_TIME,
        look: |kit| {
            Box::pin(async {
                for away in [-240, 240] {
                    let message = kit.webhook()?.sign_at(away, kit.about_nobody().to_string());
                    let said = |said| format!("to a question {away} seconds from now {said}");
                    acceptance(kit, message).await.map_err(|why| why.saying(said))?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C15",
        name: "Its clock is right",
        needs: SIGNED,
        after: ANSWERS,
        mend: "Let NTP set the server's clock: at five minutes away no question is taken any more.",
        look: |kit| {
            Box::pin(async {
                let answer = kit
                    .webhook()?
                    .send(kit.webhook()?.sign(kit.about_nobody().to_string()))
                    .await?;
                let Some(date) = http_date(&answer.date) else {
                    return Err(Otherwise::NotRun("its answers have no `date`".to_owned()));
                };
                let away = date - domain::Clock::System.now().0;
                let seen = format!("{away} seconds from this machine's");
                if away.abs() <= 30 { Ok(seen) } else { advice(seen) }
            })
        },
    },
    Check {
        id: "C16",
        name: "A message that comes a second time is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: "Remember each `webhook-id` for a quarter of an hour and answer 409 to one that you know: whoever recorded a question cannot ask it again, and 401 reads as another secret. Ours never repeat one.",
        look: |kit| {
            Box::pin(async {
                let webhook = kit.webhook()?;
                let message = webhook.sign(kit.about_nobody().to_string());
                let again = Message {
                    method: Method::POST,
                    id: message.id.clone(),
                    signature: message.signature.clone(),
                    body: message.body.clone(),
                    ..message
                };
                acceptance(kit, message).await?;
                match webhook.send(again).await?.status {
                    409 => passed(),
                    200 => advice("it answered both times"),
                    status => advice(format!("it answered {status} the second time")),
                }
            })
        },
    },
    Check {
        id: "C17",
        name: "A body counts as it is spelled",
        needs: SIGNED,
        after: ANSWERS,
        mend: "Verify the bytes of the body as they came, before any parser; do not parse and serialise them again.",
        look: |kit| {
            Box::pin(async {
                let email = kit.address("nobody");
                for spelled in [
                    format!(" {{ \"email\" : \"{email}\",\r\n\t\"type\":\"find_by_email\" }}\n"),
                    format!("{{\"type\":\"find\\u005fby_email\",\"email\":\"{email}\"}}"),
                    format!(
                        "{{\"type\":\"find_by_email\",\"email\":\"{}\"}}",
                        email.replace('@', "\\u0040")
                    ),
                ] {
                    acceptance(kit, kit.webhook()?.sign(spelled)).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C18",
        name: "Members that it does not know do not matter",
        needs: &[],
        after: ANSWERS,
        mend: "Pass over members of a question that you do not know: a later version may have more.",
        look: |kit| {
            Box::pin(async {
                let mut question = kit.about_nobody();
                question["asked_by"] = Value::from("accounts-check");
                match kit.ask(&question).await {
                    Ok(answer) if answer["accounts"].is_array() => passed(),
                    Ok(_) => advice("its answer is another one then"),
                    Err(fault) => advice(format!("then {}", fault.said())),
                }
            })
        },
    },
    Check {
        id: "C19",
        name: "Only POST is answered",
        needs: SIGNED,
        after: ANSWERS,
        mend: "Answer 405 to everything but POST.",
        look: |kit| {
            Box::pin(async {
                for method in [Method::GET, Method::PUT] {
                    refused(kit, |message| message.method = method).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C20",
        name: "What is no JSON is refused",
        needs: SIGNED,
        after: ANSWERS,
        mend: "Answer 400 to a body that is no JSON object, even if it is signed.",
        look: |kit| {
            Box::pin(async {
                for body in ["", "type=find_by_email", "{\"type\":", "[]", "null"] {
                    refusal(kit, kit.webhook()?.sign(body)).await?;
                }
                passed()
            })
        },
    },
    Check {
        id: "C21",
        name: "What it does not offer is `unsupported`",
        needs: &[],
        after: ANSWERS,
        mend: "Answer 200 {\"outcome\":\"unsupported\"} to every `type` that you do not know.",
        look: |kit| {
            Box::pin(async {
                let question = serde_json::json!({ "type": "accounts_check" });
                match kit.ask(&question).await {
                    Ok(answer) if answer["outcome"] == "unsupported" => passed(),
                    Ok(_) => failed("it answered something else to a `type` that does not exist"),
                    Err(fault) => {
                        advice(format!("to a `type` that does not exist {}", fault.said()))
                    }
                }
            })
        },
    },
    Check {
        id: "C22",
        name: "Who may not ask learns nothing about accounts",
        needs: &[Need::Webhook, Need::Email],
        after: ANSWERS,
        mend: "Verify the signature before you look at the body, and refuse all alike.",
        look: |kit| {
            Box::pin(async {
                let webhook = kit.webhook()?;
                let mut said = Vec::new();
                for question in [crate::kit::find_by_email(kit.email()), kit.about_nobody()] {
                    let mut message = webhook.sign(question.to_string());
                    respell(&mut message, |_| {
                        "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned()
                    });
                    let Answer { status, body, .. } = webhook.send(message).await?;
                    said.push((status, body));
                }
                if said[0] == said[1] {
                    passed()
                } else {
                    failed("unsigned, it answered differently about an account and about nobody")
                }
            })
        },
    },
];

/// Changes the signature of a message.
fn respell(message: &mut Message, change: impl FnOnce(String) -> String) {
    message.signature = message.signature.take().map(change);
}

/// A right message, changed, is refused.
async fn refused(kit: &Kit, change: impl FnOnce(&mut Message)) -> Seen {
    let mut message = kit.webhook()?.sign(kit.about_nobody().to_string());
    change(&mut message);
    refusal(kit, message).await
}

/// A right message, changed, is answered all the same.
async fn taken(kit: &Kit, change: impl FnOnce(&mut Message)) -> Seen {
    let mut message = kit.webhook()?.sign(kit.about_nobody().to_string());
    change(&mut message);
    acceptance(kit, message).await
}

async fn refusal(kit: &Kit, message: Message) -> Seen {
    match kit.webhook()?.send(message).await?.status {
        status @ 200..300 => failed(format!("it answered {status}")),
        400..500 => passed(),
        status => advice(format!("it answered {status}, which is no refusal")),
    }
}

async fn acceptance(kit: &Kit, message: Message) -> Seen {
    let heard = kit.webhook()?.send(message).await?.heard()?;
    if heard.value["accounts"].is_array() {
        passed()
    } else {
        failed("its answer has no list `accounts`")
    }
}

/// Reads `Wed, 25 Nov 2026 22:52:31 GMT` (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split(' ').collect();
    let [_, day, month, year, time, "GMT"] = words[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let date = format!("{year}-{month:02}-{day}T{time}Z");
    Some(domain::Timestamp::parse_rfc3339(&date)?.0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_servers_clock_is_read() {
        assert_eq!(super::http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        for wrong in ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT"] {
            assert_eq!(super::http_date(wrong), None);
        }
    }
}
