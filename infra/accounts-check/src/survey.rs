//! Reads a whole table before it is switched on, and says what would happen to its accounts.
//!
//! 1. `DescribeTable` says whether the key and the index are those that the functions need.
//! 2. `Scan` reads every account once, only the attributes that matter, page by page, in as many
//!    segments as wanted; each page is counted and forgotten.
//! 3. What a page amounted to is written into a journal, where an interrupted survey goes on.
//!
//! Nothing is written to the table but the lowercased attribute, and only if that was asked for.

mod addresses;
mod figures;
mod journal;
mod pages;
mod report;
mod table;

use std::io::{IsTerminal as _, Write as _, stderr};

use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
};
use futures_util::{StreamExt as _, stream::select_all};

use self::{
    addresses::{Addresses, Salt},
    journal::Journal,
    pages::{Next, Page, Reader},
    report::Report,
};
pub use self::{figures::Figures, table::Shape};
use crate::{
    Error,
    arguments::{Place, Surveying},
    aws,
};

/// Whether the table may be switched on.
pub(crate) async fn run(surveying: Surveying) -> Result<bool, Error> {
    let client = connect()?;
    let shape = Shape::of(&client, &surveying.place).await?;
    if let Some(wrong) = &shape.key {
        return Err(format!("This table cannot be read: {wrong}.").into());
    }
    let (mut journal, pages) = Journal::open(&surveying)?;
    let reader = Reader::new(client, &surveying, journal.salt);
    let mut total = Total::default();
    let mut places = vec![Next::Start; usize::try_from(surveying.segments)?];
    for page in pages {
        if let Some(place) = places.get_mut(usize::try_from(page.segment)?) {
            *place = page.next.clone();
        }
        total.add(page);
    }
    let streams =
        (0..).zip(places).map(|(segment, place)| reader.pages(segment, place).boxed_local());
    let mut pages = select_all(streams);
    let progress = Progress { shown: stderr().is_terminal(), of: shape.accounts };
    while let Some(page) = pages.next().await {
        let page = page?;
        journal.write(&page)?;
        total.add(page);
        progress.show(total.figures.accounts);
    }
    progress.end();
    let shared = total.addresses.shared();
    let report = Report { surveying: &surveying, shape, figures: total.figures, shared };
    if surveying.json {
        println!("{:#}", report.json());
    } else {
        println!("{}", report.human());
    }
    Ok(report.is_ready())
}

/// What the first page of a table holds; nothing is written.
///
/// # Errors
///
/// The table cannot be read.
pub async fn first_page(client: Client, place: Place) -> Result<Figures, Error> {
    let (spelled, segments, state) = (String::new(), 1, None);
    let reading =
        Surveying { place, spelled, segments, state, email_key: false, yes: false, json: false };
    let reader = Reader::new(client, &reading, salt()?);
    let mut pages = reader.pages(0, Next::Start).boxed_local();
    Ok(pages.next().await.transpose()?.map(|page| page.figures).unwrap_or_default())
}

/// What was read so far.
#[derive(Default)]
struct Total {
    figures: Figures,
    addresses: Addresses,
}

impl Total {
    fn add(&mut self, page: Page) {
        self.figures.add(page.figures);
        self.addresses.add(page.addresses);
    }
}

/// A survey is in less of a hurry than a visitor.
fn connect() -> Result<Client, Error> {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(std::time::Duration::from_secs(30))
        .operation_timeout(std::time::Duration::from_mins(5))
        .build();
    let config = Builder::from(&aws("DYNAMODB")?)
        .retry_config(RetryConfig::standard().with_max_attempts(10))
        .timeout_config(timeouts);
    Ok(Client::from_conf(config.build()))
}

/// A line on a terminal that says how far this is.
struct Progress {
    shown: bool,
    /// About how many there are: DynamoDB counts every six hours.
    of: u64,
}

impl Progress {
    fn show(&self, read: u64) {
        if !self.shown {
            return;
        }
        // Who cannot see it does not miss it.
        let _ = write!(stderr(), "\r{}", bar(read, self.of));
    }

    fn end(&self) {
        if self.shown {
            let _ = writeln!(stderr());
        }
    }
}

/// `██████████░░░░░░░░░░ 500 of about 1000`.
fn bar(read: u64, of: u64) -> String {
    // DynamoDB may not have counted yet, or not for hours.
    let full = (read * 20).checked_div(of).unwrap_or(0).min(20);
    let bar: String = (0..20).map(|place| if place < full { '█' } else { '░' }).collect();
    format!("{bar} {read} of about {of}")
}

/// 16 random bytes.
fn salt() -> Result<Salt, Error> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt)?;
    Ok(salt)
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn a_bar_fills_and_never_overflows() {
        assert_eq!(bar(500, 1000), "██████████░░░░░░░░░░ 500 of about 1000");
        assert_eq!(bar(7, 0), "░░░░░░░░░░░░░░░░░░░░ 7 of about 0");
        assert_eq!(bar(1100, 1000), "████████████████████ 1100 of about 1000");
    }
}
