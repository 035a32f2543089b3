//! What really happened in a history, and what must not happen in any. It is kept by what went over
//! the wire and into the tables; what the model says is no matter here.

mod tests;

use std::collections::{BTreeMap, BTreeSet};

/// See above. Whatever must not happen is told in a sentence that begins with its number.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Amazon's ids, and the accounts that they have a right to: the password was sent, or the
    /// account was opened for them.
    proven: BTreeSet<(String, String)>,
    /// How often something was used for what it is good for once: states and tickets.
    led_on: BTreeMap<String, usize>,
    /// How often a code was redeemed for a state.
    redeemed: BTreeMap<String, usize>,
    /// How many passwords were compared for a ticket.
    compared: BTreeMap<String, usize>,
    /// Sessions that were ended.
    ended: BTreeSet<String>,
}

type Wrong = Option<String>;

impl Ledger {
    /// This customer has proven to have a right to this account.
    pub(crate) fn proven(&mut self, customer: &str, account: &str) {
        self.proven.insert((customer.to_owned(), account.to_owned()));
    }

    /// Whether nobody has a right to this account yet.
    pub(crate) fn is_new(&self, account: &str) -> bool {
        !self.proven.iter().any(|(_, known)| known == account)
    }

    /// These links are there.
    pub(crate) fn links(&self, linked: &BTreeMap<&str, &str>) -> Vec<String> {
        let mut wrong = Vec::new();
        for (customer, account) in linked {
            if !self.proven.contains(&((*customer).to_owned(), (*account).to_owned())) {
                wrong.push(format!("INV-04: {customer} was linked to {account} without a proof"));
            }
        }
        wrong
    }

    /// A state or a ticket has led to a session, or a state to a ticket.
    pub(crate) fn leads_on(&mut self, by: &str) -> Wrong {
        let times = self.led_on.entry(by.to_owned()).or_default();
        *times += 1;
        (*times > 1).then(|| format!("INV-07: {by} was good for something {times} times"))
    }

    /// A password was compared for a ticket.
    pub(crate) fn compares(&mut self, ticket: &str) -> Wrong {
        let times = self.compared.entry(ticket.to_owned()).or_default();
        *times += 1;
        (*times > 5).then(|| format!("INV-08: {times} passwords were compared for {ticket}"))
    }

    /// A customer was let in who had been linked to an account before, or to none.
    pub(crate) fn enters(&self, linked: Option<&str>, entered: &str) -> Wrong {
        let linked = linked.filter(|linked| *linked != entered)?;
        Some(format!("INV-09: who is linked to {linked} was let into {entered}"))
    }

    /// A session was accepted, a browser's or an app's.
    pub(crate) fn accepts(&self, session: Option<&str>, app: bool) -> Wrong {
        let session = session.unwrap_or_default();
        if app {
            return Some(format!("INV-10: {session} is a browser's, and an app used it"));
        }
        self.ended.contains(session).then(|| format!("INV-11: {session} was ended, and accepted"))
    }

    /// A session was ended.
    pub(crate) fn ends(&mut self, session: Option<&str>) {
        self.ended.extend(session.map(str::to_owned));
    }

    /// Codes were redeemed for a state.
    pub(crate) fn redeems(&mut self, state: &str, times: usize) -> Wrong {
        let all = self.redeemed.entry(state.to_owned()).or_default();
        *all += times;
        (*all > 1).then(|| format!("INV-13: codes were redeemed for {state} {all} times"))
    }

    /// A visitor was sent somewhere; these are the places that they may be sent to.
    pub(crate) fn leads_to(&self, location: Option<&str>, places: &[String]) -> Wrong {
        let location = location?;
        let is_there = |place: &String| {
            let rest = location.strip_prefix(place.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        };
        let there = places.iter().any(is_there);
        (!there).then(|| format!("INV-14: a visitor was sent to {location}"))
    }
}

/// Secrets that stand, as words of their own, in what others may read: logs and rows.
pub(crate) fn told<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    secrets: &BTreeSet<String>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for text in texts {
        let ours = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let words = text.split(|c| !ours(c));
        let told = words.filter(|word| word.len() > 9 && secrets.contains(*word));
        wrong.extend(told.map(|word| format!("INV-12: {word} stands in {text}")));
    }
    wrong
}
