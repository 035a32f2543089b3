//! A table, asked through the crate that the functions ask it through. Accounts are created and
//! changed by the functions themselves, in one transaction with links and sessions, so that there
//! is nothing to be asked about that.

use accounts::{ByEmail, Proof, Record, System as _, Verdict};
use aws_sdk_dynamodb::Client;
use domain::{AccountId, Email, Status};
use serde_json::{Value, json};

use super::{Fault, Heard, chain};
use crate::{Error, arguments::Place, aws};

/// The table, as the functions see it.
pub(crate) struct Table(accounts::Table);

impl Table {
    pub(super) fn new(place: Place) -> Result<Self, Error> {
        let Place { table, email_index, attributes, digest } = place;
        let client = Client::new(&aws("DYNAMODB")?);
        Ok(Self(accounts::Table { client, table, email_index, attributes, digest }))
    }

    pub(super) async fn ask(&self, question: &Value) -> Result<Heard, Fault> {
        let text = |name: &str| question[name].as_str();
        let answer = match text("type") {
            Some("find_by_email") => self.find_by_email(text("email")).await?,
            Some("find_by_id") => {
                json!({ "accounts": self.find(text("account_id")).await?.map(|one| account(&one)).as_slice() })
            }
            Some("verify_password") => {
                let password = text("password").filter(|password| !password.is_empty());
                let password = password.ok_or_else(|| refused("there is no password"))?;
                let id = id(text("account_id"))?;
                let record = self.0.find_by_id(&id).await.map_err(fault)?;
                let proof = Proof { password, code: text("code") };
                let verdict = self.0.verify(&id, record.as_ref(), proof).await.map_err(fault)?;
                json!({ "verdict": match verdict {
                    Verdict::Match => "match",
                    Verdict::Mismatch => "mismatch",
                    Verdict::NoPassword => "no_password",
                    Verdict::MfaRequired => "mfa_required",
                    Verdict::Closed => "disabled",
                }})
            }
            _ => json!({ "outcome": "unsupported" }),
        };
        Ok(Heard { bytes: answer.to_string().len(), value: answer })
    }

    async fn find_by_email(&self, email: Option<&str>) -> Result<Value, Fault> {
        // What is no address to the functions is never asked about.
        let email = email.and_then(Email::parse).ok_or_else(|| refused("it is no address"))?;
        match self.0.find_by_email(&email).await.map_err(fault)? {
            ByEmail::Nobody => Ok(json!({ "accounts": [] })),
            ByEmail::One(record) => Ok(json!({ "accounts": [account(&record)] })),
            ByEmail::Several => Err(Fault::Broken("several accounts have this address".to_owned())),
        }
    }

    async fn find(&self, account: Option<&str>) -> Result<Option<Record>, Fault> {
        self.0.find_by_id(&id(account)?).await.map_err(fault)
    }
}

fn id(text: Option<&str>) -> Result<AccountId, Fault> {
    text.and_then(AccountId::parse).ok_or_else(|| refused("it is no id"))
}

fn account(record: &Record) -> Value {
    let account = &record.account;
    json!({
        "id": account.id.as_str(),
        "email": account.email.as_ref().map(Email::as_str),
        "name": account.name,
        "status": match account.status {
            Status::Active => "active",
            Status::Locked => "locked",
            Status::Disabled => "disabled",
        },
        "has_password": account.has_password,
    })
}

fn refused(why: &str) -> Fault {
    Fault::Refused(None, why.to_owned())
}

fn fault(error: accounts::Error) -> Fault {
    match &error {
        accounts::Error::Unavailable(..) | accounts::Error::Index(_) => {
            Fault::Unreachable(chain(&error))
        }
        _ => Fault::Broken(error.to_string()),
    }
}
