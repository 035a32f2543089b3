//! All checks, in the order in which they are made.

mod accounts;
mod amazon;
mod clock;
mod pages;
mod secrets;
mod settings;
mod site;
mod tables;

use crate::round::{Check, Round};

/// The checks by what they are about.
pub(crate) const GROUPS: &[(&str, &[Check])] = &[
    ("Settings", settings::CHECKS),
    ("Secrets", secrets::CHECKS),
    ("Tables", tables::CHECKS),
    ("Your accounts", accounts::CHECKS),
    ("Your site", site::CHECKS),
    ("Your pages", pages::CHECKS),
    ("Login with Amazon", amazon::CHECKS),
    ("Clocks", clock::CHECKS),
];

/// Looks at everything.
pub(crate) async fn look(round: &mut Round<'_>) {
    settings::look(round).await;
    secrets::look(round).await;
    tables::look(round).await;
    accounts::look(round).await;
    site::look(round).await;
    pages::look(round).await;
    amazon::look(round).await;
    clock::look(round);
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = include_str!("../../../README.md");

    fn all() -> impl Iterator<Item = &'static Check> {
        GROUPS.iter().flat_map(|(_, checks)| *checks)
    }

    #[test]
    fn checks_have_names_of_their_own_and_wait_only_for_earlier_ones() {
        let ids: Vec<_> = all().map(|check| check.id).collect();
        for (place, check) in all().enumerate() {
            assert!(!ids[..place].contains(&check.id), "{}", check.id);
            assert!(check.after.iter().all(|id| ids[..place].contains(id)), "{}", check.id);
            assert!(!check.name.ends_with('.') && check.mend.ends_with('.'), "{}", check.id);
        }
    }

    #[test]
    fn what_is_to_be_read_and_set_is_in_the_readme() {
        for check in all() {
            let heading = format!("# {}\n", check.read);
            assert!(README.contains(&heading), "{}: {}", check.id, check.read);
            let words = check.mend.split(|c: char| !c.is_ascii_uppercase() && c != '_');
            let settings = words.filter(|word| word.contains('_') && !word.starts_with('_'));
            for setting in settings.filter(|setting| !setting.starts_with("AWS_")) {
                assert!(README.contains(&format!("`{setting}`")), "{}: {setting}", check.id);
            }
        }
    }
}
