//! The site's own pages, which visitors are sent to.

use url::Url;

use crate::round::{Check, Round, Seen, advice, ok, wrong};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "pages",
    name: "Your own pages are where the settings say",
    after: &["public-url"],
    mend: "Set SIGN_IN_PATH, SIGNED_IN_PATH, PASSWORD_RESET_URL, LINK_PAGE_PATH and REGISTER_PAGE_PATH to pages that are there.",
    read: "Settings",
}];

pub(super) async fn look(round: &mut Round<'_>) {
    if round.is_due("pages") {
        let url = round.deployment.public_url().to_owned();
        let seen = pages(round, &url).await;
        round.note("pages", seen);
    }
}

async fn pages(round: &mut Round<'_>, url: &str) -> Seen {
    let deployment = round.deployment;
    let names = [
        "SIGN_IN_PATH",
        "SIGNED_IN_PATH",
        "PASSWORD_RESET_URL",
        "LINK_PAGE_PATH",
        "REGISTER_PAGE_PATH",
    ];
    let (mut seen, mut wrongs) = (ok(), Vec::new());
    for name in names {
        let Some(place) = deployment.setting(name) else { continue };
        if place == "/auth" || place.starts_with("/auth/") {
            wrongs.push(format!("{name} is below /auth/, where nothing is yours"));
            continue;
        }
        if place.starts_with('/') {
            match round.http.get(&format!("{url}{place}"), &[]).await {
                Err(said) => wrongs.push(format!("{name}: {said}")),
                Ok(answer) if matches!(answer.status, 404 | 410 | 500..) => {
                    wrongs.push(format!("{name}: {}", answer.said()));
                }
                Ok(_) => {}
            }
        } else if !same_site(place, url) {
            seen = advice(format!("{name} is of another site than PUBLIC_URL"));
        }
    }
    if wrongs.is_empty() { seen } else { wrong(wrongs.join("; ")) }
}

/// Whether the last two labels of two hosts are the same.
fn same_site(one: &str, other: &str) -> bool {
    let site = |url: &str| {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?.to_owned();
        let labels: Vec<_> = host.rsplit('.').take(2).map(str::to_owned).collect();
        Some(labels)
    };
    site(one).is_some_and(|labels| Some(labels) == site(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hosts_are_of_one_site_or_not() {
        assert!(same_site("https://id.example.com/reset", "https://www.example.com"));
        assert!(!same_site("https://id.example.net/reset", "https://www.example.com"));
    }
}
