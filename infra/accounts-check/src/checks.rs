//! All checks, in the order in which they are run.

mod answers;
mod door;
mod finding;
mod newcomers;
mod owners;
mod passwords;

use crate::kit::Check;

/// Checks, and what they are about.
pub(crate) type Group = (&'static str, &'static [Check]);

/// The checks by what they are about.
pub(crate) const GROUPS: &[Group] = &[
    ("The door", door::CHECKS),
    ("Finding accounts", finding::CHECKS),
    ("Comparing passwords", passwords::CHECKS),
    ("Newcomers", newcomers::CHECKS),
    ("Owners", owners::CHECKS),
    ("Answers", answers::CHECKS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_numbered_and_wait_only_for_earlier_ones() {
        let checks: Vec<_> = GROUPS.iter().flat_map(|(_, checks)| *checks).collect();
        let mut ids: Vec<_> = checks.iter().map(|check| check.id).collect();
        ids.sort_unstable();
        assert!(ids.iter().zip(1..).all(|(id, nth)| *id == format!("C{nth:02}")), "{ids:?}");
        assert!(ids.len() >= 50, "{}", ids.len());
        for (place, check) in checks.iter().enumerate() {
            let earlier = |id: &&str| checks[..place].iter().any(|check| check.id == *id);
            assert!(check.after.iter().all(earlier), "{}", check.id);
            assert!(!check.mend.is_empty() && check.mend.ends_with('.'), "{}", check.id);
            assert!(!check.name.ends_with('.'), "{}", check.id);
        }
    }
}
