//! What the time is, by whom.

use crate::round::{Check, Round, Seen, advice, not_checked, wrong};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "clock",
    name: "Clocks agree",
    after: &[],
    mend: "Let NTP set the clock: signed messages and requests to AWS count for five minutes.",
    read: "What your site tells",
}];

/// A clock that is further away is wrong: nothing that is signed counts any more.
const WRONG: i64 = 300;
/// One that is further away will be.
const ODD: i64 = 60;

pub(super) fn look(round: &mut Round<'_>) {
    let seen = judge(&round.http.clocks);
    round.note("clock", seen);
}

/// Judges by hosts, and how many seconds each is ahead of this machine.
fn judge(clocks: &[(String, i64)]) -> Seen {
    let mut ahead: Vec<_> = clocks.iter().map(|(_, ahead)| *ahead).collect();
    ahead.sort_unstable();
    let Some(middle) = ahead.get(ahead.len() / 2) else {
        return not_checked("nobody told the time");
    };
    let said = |seconds: i64| {
        let word = if seconds < 0 { "behind" } else { "ahead" };
        format!("{} seconds {word}", seconds.abs())
    };
    let far = |limit: i64| {
        if middle.abs() > limit {
            return Some(format!("this machine's is {}", said(-middle)));
        }
        let odd = clocks.iter().find(|(_, ahead)| ahead.abs() > limit);
        odd.map(|(host, ahead)| format!("{host}'s is {}", said(*ahead)))
    };
    match (far(WRONG), far(ODD)) {
        (Some(seen), _) => wrong(seen),
        (None, Some(seen)) => advice(seen),
        (None, None) => Ok(format!("by {} answers", clocks.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::round::Otherwise::{Advice, Wrong};

    fn clocks(ahead: &[i64]) -> Seen {
        let hosts = ["a.example", "b.example", "c.example"];
        let clocks: Vec<_> =
            hosts.iter().zip(ahead).map(|(host, ahead)| ((*host).to_owned(), *ahead)).collect();
        judge(&clocks)
    }

    #[test]
    fn the_clock_that_is_wrong_is_named() {
        assert!(clocks(&[0, -1, 1]).is_ok());
        for (ahead, expected) in [
            (&[600, 601, 599][..], Wrong("this machine's is 600 seconds behind".to_owned())),
            (&[-301, -301, 0], Wrong("this machine's is 301 seconds ahead".to_owned())),
            (&[0, 0, 400], Wrong("c.example's is 400 seconds ahead".to_owned())),
            (&[0, -61, 0], Advice("b.example's is 61 seconds behind".to_owned())),
        ] {
            assert_eq!(clocks(ahead), Err(expected));
        }
        assert!(judge(&[]).is_err());
    }
}
