//! What the request at hand has asked of others: how often, how long it waited, and what failed.
//!
//! The doors count here, each exchange by itself and tries again included; the edge takes the tally when
//! the request has ended. It goes by the thread: a function works on one, and has one request at a time.
//! Counts, times and Amazon's names for requests are all that is kept, and nothing of it for longer.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

/// So many of Amazon's names for requests are kept: more than a sign-in makes.
const MOST_IDS: usize = 8;

/// Somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The tables.
    Dynamodb,
    /// Login with Amazon.
    Amazon,
    /// The account system, over HTTPS or as a function.
    Accounts,
    /// Secrets Manager.
    Secrets,
    /// Whoever else AWS has: a queue or a bus for notices.
    Others,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Dynamodb, Self::Amazon, Self::Accounts, Self::Secrets, Self::Others];

    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dynamodb => "dynamodb",
            Self::Amazon => "amazon",
            Self::Accounts => "accounts",
            Self::Secrets => "secrets",
            Self::Others => "others",
        }
    }
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer to what was asked, be it no.
    Answered,
    /// Without one.
    Failed,
    /// With the word that this is too much, which is no answer either.
    Throttled,
}

/// What was asked of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Exchanges.
    pub calls: u32,
    /// Those that failed, the throttled ones included.
    pub failed: u32,
    /// Those that were throttled.
    pub throttled: u32,
    /// How long there was at least one: what goes on at once is waited for once.
    pub waited: Duration,
}

/// What was asked of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: [Count; Service::ALL.len()],
    /// Amazon's own names for what it was asked, which its support wants to know.
    pub request_ids: Vec<String>,
}

impl Tally {
    /// What was asked of this service.
    pub fn of(&self, service: Service) -> Count {
        self.counts[service as usize]
    }
}

#[derive(Default)]
struct Book {
    /// Which tally this is: what began before it was opened is none of its.
    page: u64,
    tally: Tally,
    /// How many exchanges are under way with each service, and since when there is one.
    under_way: [(u32, Option<Instant>); Service::ALL.len()],
}

thread_local! {
    static BOOK: RefCell<Book> = RefCell::default();
}

/// Gives the tally so far, and begins another.
pub fn take() -> Tally {
    BOOK.with_borrow_mut(|book| {
        let page = book.page + 1;
        std::mem::replace(book, Book { page, ..Book::default() }).tally
    })
}

/// Notes Amazon's name for a request, unless it is none: 1 to 64 letters, digits and hyphens.
pub fn note_request_id(id: &str) {
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !(plain && (1..=64).contains(&id.len())) {
        return;
    }
    BOOK.with_borrow_mut(|book| {
        if book.tally.request_ids.len() < MOST_IDS {
            book.tally.request_ids.push(id.to_owned());
        }
    });
}

/// An exchange that is under way. Where it is dropped it has failed: whoever asked has given up.
#[derive(Debug)]
#[must_use]
pub struct Exchange {
    service: Service,
    page: u64,
    outcome: Outcome,
}

/// An exchange with a service begins.
pub fn begin(service: Service) -> Exchange {
    let page = BOOK.with_borrow_mut(|book| {
        book.tally.counts[service as usize].calls += 1;
        let (under_way, since) = &mut book.under_way[service as usize];
        *under_way += 1;
        since.get_or_insert_with(Instant::now);
        book.page
    });
    Exchange { service, page, outcome: Outcome::Failed }
}

impl Exchange {
    /// It has ended, and so.
    pub fn end(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        BOOK.with_borrow_mut(|book| {
            if book.page != self.page {
                return;
            }
            let count = &mut book.tally.counts[self.service as usize];
            count.failed += u32::from(self.outcome != Outcome::Answered);
            count.throttled += u32::from(self.outcome == Outcome::Throttled);
            let (under_way, since) = &mut book.under_way[self.service as usize];
            *under_way = under_way.saturating_sub(1);
            if *under_way == 0 {
                count.waited += since.take().map_or(Duration::ZERO, |since| since.elapsed());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome::*, *};

    fn counted(service: Service) -> (u32, u32, u32) {
        let Count { calls, failed, throttled, .. } = take().of(service);
        (calls, failed, throttled)
    }

    #[test]
    fn every_exchange_counts_and_what_did_not_end_well_failed() {
        take();
        for outcome in [Answered, Answered, Failed, Throttled] {
            begin(Service::Dynamodb).end(outcome);
        }
        drop(begin(Service::Dynamodb));
        begin(Service::Amazon).end(Answered);
        let tally = take();
        let count = tally.of(Service::Dynamodb);
        assert_eq!((count.calls, count.failed, count.throttled), (5, 3, 1));
        assert_eq!((tally.of(Service::Amazon).calls, tally.of(Service::Amazon).failed), (1, 0));
        assert_eq!(tally.of(Service::Secrets), Count::default());
        assert_eq!(take(), Tally::default());
    }

    #[test]
    fn what_goes_on_at_once_is_waited_for_once() {
        take();
        let started = Instant::now();
        let (one, two) = (begin(Service::Amazon), begin(Service::Amazon));
        while started.elapsed() < Duration::from_millis(2) {}
        one.end(Answered);
        two.end(Answered);
        let all = started.elapsed();
        let waited = take().of(Service::Amazon).waited;
        assert!(waited >= Duration::from_millis(2) && waited <= all, "{waited:?} of {all:?}");
    }

    #[test]
    fn what_ends_later_is_none_of_the_next_requests() {
        take();
        let late = begin(Service::Accounts);
        let earlier = take();
        assert_eq!(earlier.of(Service::Accounts).calls, 1);
        late.end(Failed);
        assert_eq!(counted(Service::Accounts), (0, 0, 0));
    }

    #[test]
    fn only_what_looks_like_a_name_is_kept() {
        take();
        for id in ["", "a b", "é", "x\n", "{}", &"a".repeat(65)] {
            note_request_id(id);
        }
        assert!(take().request_ids.is_empty());
        for _ in 0..99 {
            note_request_id("0f1e-A");
        }
        assert_eq!(take().request_ids, ["0f1e-A"; MOST_IDS]);
    }

    #[test]
    fn a_service_lies_where_it_is_looked_for() {
        for (place, service) in Service::ALL.into_iter().enumerate() {
            assert_eq!(place, service as usize);
        }
    }
}
