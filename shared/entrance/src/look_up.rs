use accounts::{ByEmail, Record, System as _};
use domain::{
    AccountId, CreationKey, Email, Profile,
    sign_in::{Facts, Linked, Refusal, SameEmail},
};
use store::{Identity, Known};
use web::Failure;

use crate::Entrance;

/// What was found out about a customer.
#[derive(Debug, Default)]
pub struct Found {
    /// The link made earlier.
    pub identity: Option<Identity>,
    /// The creation that was begun earlier. Addresses are not asked for then: the account that has the
    /// customer's would be the one that was created.
    pub pending: Option<CreationKey>,
    /// The account that it leads to; without a link, the one with the customer's address.
    pub record: Option<Box<Record>>,
    /// Whether more than one account has the customer's address.
    pub several: bool,
    /// An account whose claim to the customer's address no longer holds.
    pub stale: Option<AccountId>,
}

impl Found {
    /// The failure of a customer who is turned away, about the account that was found.
    pub fn refused(&self, refusal: Refusal) -> Failure {
        let linked = self.identity.as_ref().map(|identity| &identity.account);
        let account = linked.or(self.record.as_ref().map(|record| &record.account.id));
        account.into_iter().fold(refusal.into(), Failure::about_account)
    }
}

impl Entrance {
    /// Looks a customer up: by the link made or begun earlier, else by the e-mail address that Amazon told.
    ///
    /// The claims to addresses are asked only when one of them has just stood in the way: the account
    /// system's own index may lag behind an account that we created a moment ago.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn look_up(&self, customer: &Profile, ask_claims: bool) -> Result<Found, Failure> {
        self.look_up_with(customer, customer.email.as_ref(), ask_claims).await
    }

    /// The same by another address, such as one that the customer typed.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn look_up_with(
        &self,
        customer: &Profile,
        email: Option<&Email>,
        ask_claims: bool,
    ) -> Result<Found, Failure> {
        if let Some(linked) = self.look_up_link(customer).await? {
            return Ok(linked);
        }
        let Some(email) = email else { return Ok(Found::default()) };
        let found = self.look_up_email(email, ask_claims).await?;
        if found.record.is_some() || found.several {
            // The account may be the customer's own, opened in another tab since we asked for a link.
            if let Some(linked) = self.look_up_link(customer).await? {
                return Ok(linked);
            }
        }
        Ok(found)
    }

    async fn look_up_link(&self, customer: &Profile) -> Result<Option<Found>, Failure> {
        let known = self.identities.known(&customer.user_id).await.map_err(Failure::unavailable)?;
        let identity = match known {
            None => return Ok(None),
            // What was begun is finished, unless nobody new is let in any more.
            Some(Known::Pending(_)) if !self.policy.registration_open => return Ok(None),
            Some(Known::Pending(key)) => {
                return Ok(Some(Found { pending: Some(key), ..Found::default() }));
            }
            Some(Known::Linked(identity)) => *identity,
        };
        let record = self.account(&identity.account).await?;
        Ok(Some(Found { identity: Some(identity), record, ..Found::default() }))
    }

    async fn look_up_email(&self, email: &Email, ask_claims: bool) -> Result<Found, Failure> {
        let found = Found::default();
        match self.accounts.find_by_email(email).await.map_err(Failure::unavailable)? {
            ByEmail::One(record) => return Ok(Found { record: Some(record), ..found }),
            ByEmail::Several => return Ok(Found { several: true, ..found }),
            ByEmail::Nobody if !ask_claims => return Ok(found),
            ByEmail::Nobody => {}
        }
        let claimed = self.identities.account_with(email).await.map_err(Failure::unavailable)?;
        let Some(id) = claimed else { return Ok(found) };
        let record = self.account(&id).await?;
        match record.filter(|record| record.account.email.as_ref() == Some(email)) {
            Some(record) => Ok(Found { record: Some(record), ..found }),
            None => Ok(Found { stale: Some(id), ..found }),
        }
    }

    /// The account of this id.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Box<Record>>, Failure> {
        let record = self.accounts.find_by_id(id).await.map_err(Failure::unavailable)?;
        Ok(record.map(Box::new))
    }

    /// What was found out, as facts to decide by.
    pub fn facts(&self, found: &Found, customer: &Profile) -> Facts {
        let account = found.record.as_ref().map(|record| record.account.clone());
        let complete = self.is_complete(customer);
        let (linked, same_email) = match (&found.identity, account) {
            (Some(Identity { prove_again, .. }), account) => {
                (Some(Linked { account, prove_again: *prove_again }), SameEmail::Nobody)
            }
            (None, _) if found.several => (None, SameEmail::Several),
            (None, Some(account)) => (None, SameEmail::One(account)),
            (None, None) => (None, SameEmail::Nobody),
        };
        Facts { linked, same_email, complete }
    }
}
