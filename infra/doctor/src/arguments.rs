//! What the person at the terminal wants.

use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt as _};

pub(crate) const HELP: &str = "\
lwa-doctor --stack NAME
lwa-doctor --local
lwa-doctor --env-file FILE

Looks at a deployment, or at the stack on this machine, and says what is wrong, a line for each check:
whether it is ok, what to set otherwise, and where that is explained.

  --stack NAME      a stack of CloudFormation's, by the name that `sam deploy` was given
  --local           what `cargo local` runs on this machine, in another terminal
  --env-file FILE   the functions' settings in a file, as `cargo lambda watch` takes them
  --help            this text

AWS is reached as by its own tools: AWS_PROFILE, AWS_REGION and what `aws configure` and `aws sso login`
have kept. Needed are cloudformation:DescribeStacks and ListStackResources, lambda:GetFunctionConfiguration,
dynamodb:Describe*, Query, GetItem and Scan (one page of ACCOUNTS_TABLE), secretsmanager:GetSecretValue,
and lambda:InvokeFunction with ACCOUNTS=function. What is not allowed is not checked, and says so.

Nothing of yours is changed. Two sign-ins are begun and ended as any visitor could: each notes a used state
in TICKETS_TABLE, which expires. With LWA_DEVICE_CLIENT_ID Amazon is asked for one code, which nobody uses.
No secret, address or password is shown.

Status: 0 nothing is wrong, 1 something is, 2 the question was not understood or there is nothing to see.";

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Look(Place),
}

/// What is to be looked at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Stack(String),
    Local,
    EnvFile(PathBuf),
}

impl Task {
    /// Reads the words of a command line.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut place = None;
        let mut parser = Parser::from_args(words);
        while let Some(word) = parser.next().map_err(wrong)? {
            let found = match word {
                Arg::Long("help") | Arg::Short('h') => return Ok(Self::Help),
                Arg::Long("stack") => {
                    Place::Stack(parser.value().and_then(|value| value.string()).map_err(wrong)?)
                }
                Arg::Long("local") => Place::Local,
                Arg::Long("env-file") => Place::EnvFile(parser.value().map_err(wrong)?.into()),
                other => return Err(wrong(other.unexpected())),
            };
            if place.replace(found).is_some() {
                return Err(ONE.to_owned());
            }
        }
        place.map(Self::Look).ok_or_else(|| ONE.to_owned())
    }
}

const ONE: &str = "Say one of --stack, --local and --env-file.";

fn wrong(error: lexopt::Error) -> String {
    format!("{error}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task, String> {
        Task::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn one_place_is_looked_at() {
        assert_eq!(parse("--stack shop"), Ok(Task::Look(Place::Stack("shop".to_owned()))));
        assert_eq!(parse("--local"), Ok(Task::Look(Place::Local)));
        assert_eq!(parse("--env-file=x"), Ok(Task::Look(Place::EnvFile("x".into()))));
        assert_eq!(parse("--stack shop --help"), Ok(Task::Help));
        for line in ["", "--stack shop --local", "--local --local"] {
            assert_eq!(parse(line), Err(ONE.to_owned()), "{line}");
        }
        for line in ["shop", "--stack", "--stak shop", "--local=x"] {
            assert!(parse(line).is_err_and(|said| said.ends_with('.')), "{line}");
        }
    }
}
