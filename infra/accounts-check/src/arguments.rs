//! What the person at the terminal wants.

use std::path::PathBuf;

use accounts::Attributes;
use lexopt::{Arg, Parser, ValueExt as _};
use passwords::SaltedDigest;

pub(crate) const HELP: &str = "\
accounts-check --url URL [--secret whsec_…] [ACCOUNT …] [--write] [--json]
accounts-check --function ARN [ACCOUNT …] [--write] [--json]
accounts-check --table NAME [--email-index NAME] [--attributes id=…,email=…] [--digest …]
               [ACCOUNT …] [--json]
accounts-check survey --table NAME [--email-index NAME] [--attributes …] [--digest …]
               [--segments N] [--state FILE] [--write-email-key [--yes]] [--json]

Asks an account system everything that shared/accounts/README.md promises of it, and says what is
wrong and how to mend it. `survey` reads a whole table, and says what would happen to its accounts.

  --url URL               a webhook, ACCOUNTS_WEBHOOK_URL
  --secret whsec_…        what its questions are signed with; better in ACCOUNTS_WEBHOOK_SECRET,
                          for others on this machine can read what a program was started with
  --function ARN          a Lambda function, ACCOUNTS_FUNCTION_ARN
  --table NAME            a DynamoDB table, ACCOUNTS_TABLE
  --email-index NAME      its index by address, by_email if absent
  --attributes A=B,…      what its attributes are called, as in ACCOUNTS_ATTRIBUTES
  --digest S=D            how its hashes are made if they are plain digests, as in ACCOUNTS_DIGEST,
                          such as 'hex:salt = md5(salt+password)'

ACCOUNT, an account of yours to ask about; a site for testing is the place for all of this:
  --email ADDRESS         its address
  --password PASSWORD     its password; better in ACCOUNTS_CHECK_PASSWORD
  --code CODE             a code of its second factor, if it has one
  --disabled-email ADDR   the address of another account, which is disabled or locked

  --write                 lets accounts be created and changed: accounts-check+…@example.com
  --segments N            so many readers at once, 1 if absent: more is faster and costs capacity
  --state FILE            where a survey goes on, if it was interrupted
  --write-email-key       says which accounts need the lowercased attribute; with --yes writes it
  --json                  a report for programs
  --help                  this text

Status: 0 nothing is wrong, 1 something is, 2 the question was not understood or nobody answered.";

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Task {
    Help,
    Check(Box<Checking>),
    Survey(Box<Surveying>),
}

/// An account system, and what is known of it.
#[derive(Debug)]
pub(crate) struct Checking {
    pub(crate) system: System,
    pub(crate) known: Known,
    pub(crate) write: bool,
    pub(crate) json: bool,
}

/// Where the accounts are.
#[derive(Debug)]
pub(crate) enum System {
    Webhook { url: String, secret: String },
    Function { arn: String },
    Table(Box<Place>),
}

/// What is known of the account system's accounts.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) email: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) disabled_email: Option<String>,
}

/// Passwords and addresses stay out of logs.
impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Known(…)")
    }
}

/// A table, and what it calls things.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name, `ACCOUNTS_TABLE`.
    pub table: String,
    /// Its index by address, `ACCOUNTS_EMAIL_INDEX`.
    pub email_index: String,
    /// What its attributes are called, `ACCOUNTS_ATTRIBUTES`.
    pub attributes: Attributes,
    /// How its hashes are made, if they are plain digests: `ACCOUNTS_DIGEST`.
    pub digest: Option<SaltedDigest>,
}

/// A table to be read.
#[derive(Debug)]
pub(crate) struct Surveying {
    pub(crate) place: Place,
    /// `--attributes` and `--digest` as they were said, to know whether an interrupted survey was of the
    /// same.
    pub(crate) spelled: String,
    pub(crate) segments: i32,
    pub(crate) state: Option<PathBuf>,
    pub(crate) email_key: bool,
    pub(crate) yes: bool,
    pub(crate) json: bool,
}

/// Everything that can be said, before it is known what it is for.
#[derive(Default)]
struct Said {
    url: Option<String>,
    secret: Option<String>,
    function: Option<String>,
    table: Option<String>,
    email_index: Option<String>,
    attributes: Option<String>,
    digest: Option<String>,
    known: Known,
    write: bool,
    segments: Option<i32>,
    state: Option<PathBuf>,
    email_key: bool,
    yes: bool,
    json: bool,
}

impl Task {
    /// Reads the words of a command line; `setting` is the environment.
    pub(crate) fn parse(
        words: impl IntoIterator<Item = String>,
        setting: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let mut said = Said::default();
        let mut survey = false;
        let mut parser = Parser::from_args(words);
        while let Some(word) = parser.next().map_err(wrong)? {
            match word {
                Arg::Long("help") | Arg::Short('h') => return Ok(Self::Help),
                Arg::Long("url") => said.url = Some(text(&mut parser)?),
                Arg::Long("secret") => said.secret = Some(text(&mut parser)?),
                Arg::Long("function") => said.function = Some(text(&mut parser)?),
                Arg::Long("table") => said.table = Some(text(&mut parser)?),
                Arg::Long("email-index") => {
                    said.email_index = Some(text(&mut parser)?);
                }
                Arg::Long("attributes") => {
                    said.attributes = Some(text(&mut parser)?);
                }
                Arg::Long("digest") => said.digest = Some(text(&mut parser)?),
                Arg::Long("email") => said.known.email = Some(text(&mut parser)?),
                Arg::Long("password") => {
                    said.known.password = Some(text(&mut parser)?);
                }
                Arg::Long("code") => said.known.code = Some(text(&mut parser)?),
                Arg::Long("disabled-email") => {
                    said.known.disabled_email = Some(text(&mut parser)?);
                }
                Arg::Long("segments") => {
                    let segments = parser.value().and_then(|v| v.parse()).map_err(wrong)?;
                    said.segments = Some(segments);
                }
                Arg::Long("state") => said.state = Some(parser.value().map_err(wrong)?.into()),
                Arg::Long("write") => said.write = true,
                Arg::Long("write-email-key") => said.email_key = true,
                Arg::Long("yes") => said.yes = true,
                Arg::Long("json") => said.json = true,
                Arg::Value(word) if word == "survey" && !survey => survey = true,
                other => return Err(wrong(other.unexpected())),
            }
        }
        if survey { said.survey() } else { said.check(setting) }
    }
}

impl Said {
    fn place(&mut self, table: String) -> Result<Place, String> {
        let attributes = self.attributes.as_deref().map(str::parse).transpose();
        let digest = self.digest.as_deref().map(str::parse::<SaltedDigest>).transpose();
        Ok(Place {
            table,
            email_index: self.email_index.take().unwrap_or_else(|| "by_email".to_owned()),
            attributes: attributes
                .map_err(|()| "--attributes is not id=…,email=…,email_key=…,password_hash=…,name=…,status=…,active=…|….")?
                .unwrap_or_default(),
            digest: digest.map_err(|digest| format!("--digest {}.", digest.problem))?,
        })
    }

    fn check(mut self, setting: impl Fn(&str) -> Option<String>) -> Result<Task, String> {
        if self.email_key || self.yes || self.state.is_some() || self.segments.is_some() {
            let only = "--segments, --state, --write-email-key and --yes belong to `survey`.";
            return Err(only.to_owned());
        }
        let system = match (self.url.take(), self.function.take(), self.table.take()) {
            (Some(url), None, None) => {
                let secret = self.secret.take().or_else(|| setting("ACCOUNTS_WEBHOOK_SECRET"));
                let secret = secret.ok_or("--url needs --secret, or ACCOUNTS_WEBHOOK_SECRET.")?;
                System::Webhook { url, secret }
            }
            (None, Some(arn), None) => System::Function { arn },
            (None, None, Some(table)) => System::Table(Box::new(self.place(table)?)),
            _ => return Err("Say one of --url, --function and --table.".to_owned()),
        };
        self.known.password = self.known.password.or_else(|| setting("ACCOUNTS_CHECK_PASSWORD"));
        let Self { known, write, json, .. } = self;
        Ok(Task::Check(Box::new(Checking { system, known, write, json })))
    }

    fn survey(mut self) -> Result<Task, String> {
        let table = self.table.take().ok_or("survey needs --table.")?;
        if self.url.is_some() || self.function.is_some() || self.known.email.is_some() || self.write
        {
            return Err("survey reads a table, and asks nobody anything.".to_owned());
        }
        let place = self.place(table)?;
        let segments = self.segments.unwrap_or(1);
        if !(1..=64).contains(&segments) {
            return Err("--segments needs a number from 1 to 64.".to_owned());
        }
        if self.yes && !self.email_key {
            return Err("--yes belongs to --write-email-key.".to_owned());
        }
        if self.email_key && place.attributes.email_key.is_none() {
            return Err("--write-email-key needs --attributes with email_key=….".to_owned());
        }
        let spelled = [self.attributes, self.digest].map(Option::unwrap_or_default).join(" ");
        let spelled = spelled.trim().to_owned();
        let Self { state, email_key, yes, json, .. } = self;
        let surveying = Surveying { place, spelled, segments, state, email_key, yes, json };
        Ok(Task::Survey(Box::new(surveying)))
    }
}

/// An option's value.
fn text(parser: &mut Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(wrong)
}

/// What was not understood. Lexopt's words hold no values of options, which may be secrets.
fn wrong(error: lexopt::Error) -> String {
    match error {
        lexopt::Error::ParsingFailed { .. } => "--segments needs a number from 1 to 64.".to_owned(),
        lexopt::Error::NonUnicodeValue(_) => "A value is not Unicode.".to_owned(),
        lexopt::Error::UnexpectedValue { option, .. } => format!("{option} takes no value."),
        error => format!("{error}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task, String> {
        Task::parse(line.split_whitespace().map(str::to_owned), |_| None)
    }

    fn check(line: &str) -> Checking {
        match parse(line) {
            Ok(Task::Check(checking)) => *checking,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn an_account_system_is_one_of_three() {
        let webhook = check("--url https://x.example --secret whsec_a --email a@b --write --json");
        assert!(matches!(webhook.system, System::Webhook { url, secret }
            if url == "https://x.example" && secret == "whsec_a"));
        assert!(webhook.write && webhook.json && webhook.known.email.as_deref() == Some("a@b"));
        let function = check("--function=arn:aws:lambda:x");
        assert!(matches!(function.system, System::Function { arn } if arn == "arn:aws:lambda:x"));
        let table = check("--table t --attributes email=mail");
        assert!(matches!(table.system, System::Table(place)
            if place.attributes.email == "mail" && place.email_index == "by_email"));
    }

    #[test]
    fn secrets_may_come_from_the_environment() {
        let setting = |name: &str| Some(format!("{name}!"));
        let words = ["--url", "http://x"].map(str::to_owned);
        let Ok(Task::Check(checking)) = Task::parse(words, setting) else { panic!() };
        assert_eq!(checking.known.password.as_deref(), Some("ACCOUNTS_CHECK_PASSWORD!"));
        assert!(matches!(checking.system, System::Webhook { secret, .. }
            if secret == "ACCOUNTS_WEBHOOK_SECRET!"));
    }

    #[test]
    fn a_survey_is_of_a_table() {
        let line = "survey --table t --attributes email_key=k --segments 4 --state f \
                    --write-email-key --yes --json";
        let Ok(Task::Survey(survey)) = parse(line) else { panic!() };
        assert_eq!((survey.segments, survey.spelled.as_str()), (4, "email_key=k"));
        assert!(survey.email_key && survey.yes && survey.json);
        assert_eq!(survey.state, Some("f".into()));
    }

    #[test]
    fn what_is_not_understood_is_said_without_secrets() {
        for (line, said) in [
            ("", "Say one of --url, --function and --table."),
            ("--url a --table b --secret c", "Say one of --url, --function and --table."),
            ("--url a", "--url needs --secret, or ACCOUNTS_WEBHOOK_SECRET."),
            ("--url", "missing argument for option '--url'."),
            ("--secrets whsec_x", "invalid option '--secrets'."),
            ("--json=whsec_x", "--json takes no value."),
            (
                "--table t --state f",
                "--segments, --state, --write-email-key and --yes belong to `survey`.",
            ),
            (
                "--table t --attributes x=y",
                "--attributes is not id=…,email=…,email_key=…,password_hash=…,name=…,status=…,active=…|….",
            ),
            ("--table t --digest hex", "--digest is not a spelling, `=` and a digest."),
            ("survey", "survey needs --table."),
            ("survey --table t --url x", "survey reads a table, and asks nobody anything."),
            ("survey --table t --segments x", "--segments needs a number from 1 to 64."),
            ("survey --table t --segments 65", "--segments needs a number from 1 to 64."),
            ("survey --table t --yes", "--yes belongs to --write-email-key."),
            (
                "survey --table t --write-email-key",
                "--write-email-key needs --attributes with email_key=….",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err(), said, "{line}");
        }
    }
}
