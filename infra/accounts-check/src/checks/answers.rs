//! Whether the answers of all that was asked before could be read.

use std::time::Duration;

use crate::kit::{Asked, Check, Kit, Need, advice, failed, passed};

/// What our functions wait for, and read.
const WITHIN: Duration = Duration::from_secs(3);
const UPDATED_WITHIN: Duration = Duration::from_secs(1);
const AT_MOST: usize = 16 << 10;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "C82",
        name: "Every answer comes within three seconds, an update's within one",
        needs: &[],
        after: &["C01"],
        mend: "Have an index over the lowercased address, keep connections to the database, keep one instance warm; a visitor waits for two or three of these.",
        look: |kit| {
            Box::pin(async {
                let asked = kit.asked().clone();
                let slow = |one: &&Asked| one.update && one.took > UPDATED_WITHIN;
                if let Some(slow) = asked.iter().find(slow) {
                    return failed(format!("an update took {:.2} s", slow.took.as_secs_f64()));
                }
                let mut took: Vec<Duration> = asked.iter().map(|one| one.took).collect();
                took.sort_unstable();
                let most = took.last().copied().unwrap_or_default();
                let usual = took.get(took.len() * 95 / 100).copied().unwrap_or_default();
                let seen = format!(
                    "of {} answers 95 % came within {:.2} s, the last within {:.2} s",
                    took.len(),
                    usual.as_secs_f64(),
                    most.as_secs_f64()
                );
                if most > WITHIN {
                    failed(seen)
                } else if usual > Duration::from_secs(1) {
                    advice(seen)
                } else {
                    Ok(seen)
                }
            })
        },
    },
    Check {
        id: "C83",
        name: "No answer is larger than 16 KiB",
        needs: &[],
        after: &["C01"],
        mend: "Answer with the members that an account has here and nothing else: no picture, no history, no debugging toolbar.",
        look: |kit| {
            Box::pin(async {
                let most = kit.asked().iter().map(|one| one.bytes).max().unwrap_or_default();
                let seen = format!("the largest has {most} bytes");
                if most > AT_MOST { failed(seen) } else { Ok(seen) }
            })
        },
    },
    Check {
        id: "C84",
        name: "Answers say that they are JSON",
        needs: &[Need::Webhook],
        after: &["C01"],
        mend: "Send `content-type: application/json`: some proxies and firewalls look at it.",
        look: |kit| Box::pin(says_json(kit)),
    },
];

async fn says_json(kit: &Kit) -> crate::kit::Seen {
    let webhook = kit.webhook()?;
    let answer = webhook.send(webhook.sign(kit.about_nobody().to_string())).await?;
    if answer.content_type.starts_with("application/json") {
        passed()
    } else {
        advice("their `content-type` is another one")
    }
}
