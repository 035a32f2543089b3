//! The account system that is asked over a wire.

use std::{sync::Arc, time::Duration};

use domain::{AccountId, CreationKey, Email, Timestamp, sync::Changes};
use serde_json::Value;

use crate::{
    ByEmail, Capabilities, Creation, Done, Error, Function, NewAccount, Proof, Record, System,
    Verdict, Webhook,
    wire::{Answer, Question},
};

/// How long an answer may take, a second try included.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Somebody who answers questions about accounts.
#[derive(Clone)]
pub struct Remote(
    /// How questions get there.
    pub Arc<Carrier>,
);

/// How questions get there and answers back.
pub enum Carrier {
    /// Over HTTPS, signed.
    Webhook(Webhook),
    /// By invoking a Lambda function.
    Function(Function),
}

impl System for Remote {
    fn capabilities(&self) -> Capabilities {
        Capabilities { joins_transactions: false, notifies: true }
    }

    async fn find_by_email(&self, email: &Email) -> Result<ByEmail, Error> {
        let found = self.ask(Question::FindByEmail { email: email.as_str() }).await?.found()?;
        Ok(ByEmail::among(found, email))
    }

    async fn find_by_id(&self, id: &AccountId) -> Result<Option<Record>, Error> {
        let question = Question::FindById { account_id: id.as_str() };
        let to = question.to();
        let mut found = self.ask(question).await?.found()?;
        match (found.pop(), found.is_empty()) {
            (None, _) => Ok(None),
            (Some(record), true) if record.account.id == *id => Ok(Some(record)),
            _ => Err(Error::Answer(to, "answered with another account")),
        }
    }

    async fn verify(
        &self,
        id: &AccountId,
        _found: Option<&Record>,
        proof: Proof<'_>,
    ) -> Result<Verdict, Error> {
        self.ask(Question::verify(id, proof)).await?.verdict()
    }

    async fn create(
        &self,
        key: &CreationKey,
        new: &NewAccount,
        now: Timestamp,
    ) -> Result<Creation, Error> {
        self.ask(Question::create(key, new, now)?).await?.creation()
    }

    async fn update(&self, id: &AccountId, changes: &Changes) -> Result<Done, Error> {
        self.ask(Question::update(id, changes)).await?.done("updated")
    }

    async fn notify(&self, notice: &Value) -> Result<Done, Error> {
        self.ask(Question::Notify { notice }).await?.done("taken")
    }
}

impl Remote {
    /// Asks; what changes nothing once more if that failed, within the same time.
    async fn ask(&self, question: Question<'_>) -> Result<Answer, Error> {
        let to = question.to();
        let body = question.print()?;
        let asked = async {
            match self.0.ask(to, &body).await {
                Err(_) if question.changes_nothing() => self.0.ask(to, &body).await,
                answered => answered,
            }
        };
        let answered = tokio::time::timeout(ANSWER_WITHIN, asked).await;
        answered.unwrap_or(Err(Error::Answer(to, "took too long")))
    }
}

impl Carrier {
    async fn ask(&self, to: &'static str, body: &[u8]) -> Result<Answer, Error> {
        let answer = match self {
            Self::Webhook(webhook) => webhook.ask(to, body).await?,
            Self::Function(function) => function.ask(to, body).await?,
        };
        Answer::read(to, &answer)
    }
}
