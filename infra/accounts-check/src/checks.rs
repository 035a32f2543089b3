//! All checks, in the order in which they are run.

mod answers;
mod door;
mod finding;
mod newcomers;
mod owners;
mod passwords;

use crate::kit::Check;

/// The checks by what they are about.
pub(crate) const GROUPS: &[(&str, &[Check])] = &[
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
        assert!(checks.len() >= 50, "{}", checks.len());
        for (place, check) in checks.iter().enumerate() {
            assert_eq!(check.id, format!("C{:02}", place + 1), "{}", check.name);
            let earlier = |id: &&str| checks[..place].iter().any(|check| check.id == *id);
            assert!(check.after.iter().all(earlier), "{}", check.id);
            assert!(!check.mend.is_empty() && check.mend.ends_with('.'), "{}", check.id);
            assert!(!check.name.ends_with('.'), "{}", check.id);
        }
    }
}
