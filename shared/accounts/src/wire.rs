//! The questions and the answers, as `infra/accounts-webhook.openapi.yaml` has them. What an answer does
//! not say in these words it does not say.

use std::collections::BTreeMap;

use domain::{
    Account, AccountId, CreationKey, Email, Status, Timestamp,
    registration::Wrong,
    sync::{Changes, Held, Holdings},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Creation, Done, Error, NewAccount, Proof, Record, Verdict};

/// The most bytes of an answer.
pub(crate) const LONGEST: usize = 16 * 1024;

/// A question.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Question<'a> {
    FindByEmail {
        email: &'a str,
    },
    FindById {
        account_id: &'a str,
    },
    VerifyPassword {
        account_id: &'a str,
        password: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'a str>,
    },
    Create(NewcomerTold<'a>),
    Update {
        account_id: &'a str,
        set: SetTold<'a>,
    },
    Notify {
        notice: &'a Value,
    },
}

#[derive(Serialize)]
pub(crate) struct NewcomerTold<'a> {
    key: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    fields: BTreeMap<&'a str, &'a str>,
    consents: BTreeMap<&'a str, ConsentTold<'a>>,
}

#[derive(Serialize)]
struct ConsentTold<'a> {
    version: &'a str,
    at: String,
}

#[derive(Serialize)]
pub(crate) struct SetTold<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
}

impl<'a> Question<'a> {
    pub(crate) fn verify(id: &'a AccountId, proof: Proof<'a>) -> Self {
        let Proof { password, code } = proof;
        Self::VerifyPassword { account_id: id.as_str(), password, code }
    }

    /// Nobody is created without an address: nobody could ever find the account again.
    pub(crate) fn create(
        key: &'a CreationKey,
        new: &'a NewAccount,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let email = new.email.as_ref().ok_or(Error::Account("email"))?;
        let fields = new.fields.iter().filter(|(_, value)| !value.is_empty());
        let consent = |version: &'a String| ConsentTold { version, at: now.rfc3339() };
        let consents = new.consents.iter().map(|(name, version)| (name.as_str(), consent(version)));
        Ok(Self::Create(NewcomerTold {
            key: key.as_str(),
            email: email.as_str(),
            name: new.name.as_deref(),
            postal_code: new.postal_code.as_deref(),
            fields: fields.map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            consents: consents.collect(),
        }))
    }

    pub(crate) fn update(id: &'a AccountId, changes: &'a Changes) -> Self {
        let (name, postal_code) = (changes.name.as_deref(), changes.postal_code.as_deref());
        Self::Update { account_id: id.as_str(), set: SetTold { name, postal_code } }
    }

    /// What is asked, to follow the words "failed to …".
    pub(crate) fn to(&self) -> &'static str {
        match self {
            Self::FindByEmail { .. } => "look an address up",
            Self::FindById { .. } => "read an account",
            Self::VerifyPassword { .. } => "compare a password",
            Self::Create { .. } => "create an account",
            Self::Update { .. } => "update an account",
            Self::Notify { .. } => "take a notice",
        }
    }

    /// Whether asking twice is asking once.
    pub(crate) fn changes_nothing(&self) -> bool {
        matches!(self, Self::FindByEmail { .. } | Self::FindById { .. })
    }

    pub(crate) fn print(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(crate::unavailable(self.to()))
    }
}

/// An answer, of which only the members that belong to the question are read.
pub(crate) struct Answer {
    to: &'static str,
    members: Map<String, Value>,
}

impl Answer {
    /// Reads an answer to what was asked.
    pub(crate) fn read(to: &'static str, body: &[u8]) -> Result<Self, Error> {
        if body.len() > LONGEST {
            return Err(Error::Answer(to, "answered at too great length"));
        }
        let wrong = |_| Error::Answer(to, "answered with something that is no JSON object");
        Ok(Self { to, members: serde_json::from_slice(body).map_err(wrong)? })
    }

    /// The accounts that were found.
    pub(crate) fn found(mut self) -> Result<Vec<Record>, Error> {
        let told: Vec<AccountTold> = self.member("accounts")?;
        told.into_iter().map(Record::try_from).collect()
    }

    pub(crate) fn verdict(mut self) -> Result<Verdict, Error> {
        let word: String = self.member("verdict")?;
        Ok(match word.as_str() {
            "match" => Verdict::Match,
            "mismatch" => Verdict::Mismatch,
            "no_password" => Verdict::NoPassword,
            "mfa_required" => Verdict::MfaRequired,
            "locked" | "disabled" => Verdict::Closed,
            _ => return Err(self.unclear()),
        })
    }

    pub(crate) fn creation(mut self) -> Result<Creation, Error> {
        let outcome: String = self.member("outcome")?;
        Ok(match outcome.as_str() {
            "created" => {
                let told: AccountTold = self.member("account")?;
                Creation::Opened(Record::try_from(told)?.account)
            }
            "email_taken" => Creation::EmailTaken,
            "invalid" => {
                let told: BTreeMap<String, WrongTold> = self.member("fields")?;
                if told.is_empty() {
                    return Err(self.unclear());
                }
                let fields = told.into_iter().map(|(name, wrong)| (name, wrong.into()));
                Creation::Invalid(fields.collect())
            }
            "unsupported" => Creation::Unsupported,
            _ => return Err(self.unclear()),
        })
    }

    /// Whether it was done, which is said with this word.
    pub(crate) fn done(mut self, word: &str) -> Result<Done, Error> {
        let outcome: String = self.member("outcome")?;
        match outcome.as_str() {
            "unsupported" => Ok(Done::Unsupported),
            outcome if outcome == word => Ok(Done::Yes),
            _ => Err(self.unclear()),
        }
    }

    fn member<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Error> {
        let member = self.members.remove(name).ok_or_else(|| self.unclear())?;
        // serde's own words would quote what was answered.
        serde_json::from_value(member).map_err(|_| self.unclear())
    }

    fn unclear(&self) -> Error {
        Error::Answer(self.to, "answered with none of the words that answer it")
    }
}

#[derive(Deserialize)]
struct AccountTold {
    id: String,
    email: Option<String>,
    name: Option<String>,
    postal_code: Option<String>,
    status: Option<String>,
    has_password: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrongTold {
    Missing,
    Invalid,
    TooLong,
}

impl From<WrongTold> for Wrong {
    fn from(told: WrongTold) -> Self {
        match told {
            WrongTold::Missing => Self::Missing,
            WrongTold::Invalid => Self::Invalid,
            WrongTold::TooLong => Self::TooLong,
        }
    }
}

impl TryFrom<AccountTold> for Record {
    type Error = Error;

    fn try_from(told: AccountTold) -> Result<Self, Error> {
        let held = |text: &Option<String>| text.as_deref().map_or(Held::Nothing, Held::text);
        let held = Holdings { name: held(&told.name), postal_code: held(&told.postal_code) };
        let account = Account {
            id: AccountId::parse(&told.id).ok_or(Error::Account("id"))?,
            email: told.email.as_deref().and_then(Email::parse),
            name: told.name.and_then(|name| domain::amazon::fit_to_show(&name, 128)),
            status: match told.status.as_deref() {
                None | Some("active") => Status::Active,
                Some("locked") => Status::Locked,
                Some(_) => Status::Disabled,
            },
            has_password: told.has_password,
        };
        Ok(Self { account, held, stored: None })
    }
}
