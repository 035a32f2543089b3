//! Asks a site everything that can be asked.

use crate::{
    run::{Ran, run},
    site::{CLOSED_EMAIL, EMAIL, PASSWORD, SECRET, Site},
};

/// What the program says of a site.
pub(crate) async fn ask(site: &Site, more: &[&str]) -> Ran {
    let mut arguments = vec!["--url", &site.url, "--email", EMAIL, "--write"];
    arguments.extend(["--disabled-email", CLOSED_EMAIL]);
    arguments.extend(more);
    let secrets = [("ACCOUNTS_WEBHOOK_SECRET", SECRET), ("ACCOUNTS_CHECK_PASSWORD", PASSWORD)];
    run(&arguments, &secrets).await
}
