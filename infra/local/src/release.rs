//! This release and the one before it, whose functions may answer by turns, as they do in the cloud
//! while a new version takes over step by step; and this one as it is deployed.

use std::path::{Path, PathBuf};

use crate::Error;

/// Whose functions answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Those of this tree.
    This,
    /// Those of the release before, which `tests/run full` builds.
    Previous,
    /// Those of this tree, as `sam build` has packaged them for `tests/run full`.
    Packaged,
}

impl Release {
    /// The tree of the previous release, with what was built of it.
    pub(crate) fn previous_tree() -> PathBuf {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/previous")).to_owned()
    }

    /// Where `sam build` has put what it packaged.
    pub(crate) fn packages() -> PathBuf {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/sam")).to_owned()
    }

    /// Who answers in every stack that is told nothing else: `TURNS=previous,this` in the environment
    /// means one after the other.
    pub(crate) fn turns() -> Result<Vec<Self>, Error> {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests/run says so, and no function reads it"
        )]
        let turns = std::env::var("TURNS").unwrap_or_default();
        Self::parse(&turns)
    }

    fn parse(turns: &str) -> Result<Vec<Self>, Error> {
        let words = turns.split(',').filter(|word| !word.is_empty());
        let turns = words.map(|word| match word {
            "this" => Ok(Self::This),
            "previous" => Ok(Self::Previous),
            "packaged" => Ok(Self::Packaged),
            _ => Err(format!(
                "TURNS is of the words this, previous and packaged, with commas between: {word}"
            )),
        });
        Ok(turns.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_taken_as_they_are_told() {
        assert_eq!(Release::parse("").unwrap(), []);
        let both = [Release::Previous, Release::This];
        assert_eq!(Release::parse("previous,this").unwrap(), both);
        assert!(Release::parse("previous,next").is_err());
    }
}
