//! How a newcomer gets an account.
//!
//! An account system that can join our transaction hands the account out as an item of it: account,
//! claim to the address, link and session appear together. One that cannot is asked first:
//!
//! 1. A `pending` row takes the place of the link, and notes a key.
//! 2. The account system creates an account by that key.
//! 3. The link takes the row's place, together with the session.
//!
//! Whatever dies in between, the row is still there, and the next sign-in goes on at step 2 by the same
//! key, which gives the same account.

use std::collections::BTreeMap;

use accounts::{ByEmail, Creation, NewAccount, System as _};
use domain::{Account, CreationKey, Status, registration::Wrong, session::How, sign_in::Refusal};
use store::{Bond, Part};
use web::Failure;

use crate::{Entrance, Entry, Found, Visit, admit::Opening};

impl Entrance {
    /// Creates an account for a newcomer, links them and lets them in.
    ///
    /// # Errors
    ///
    /// `unavailable`, after which it may have been written or not; `registration_closed` where the account
    /// system creates none.
    pub async fn create(
        &self,
        visit: Visit<'_>,
        new: &NewAccount,
        found: &Found,
    ) -> Result<Entry, Failure> {
        if !self.accounts.capabilities().joins_transactions {
            return self.create_first(visit, new, found.pending.as_ref()).await;
        }
        let key = CreationKey::mint(&mut web::rng());
        let created = self.accounts.create(&key, new, self.clock.now()).await;
        match created.map_err(Failure::broken)? {
            Creation::Item(account, item) => {
                let (email, stale) = (new.email.as_ref(), found.stale.as_ref());
                let bond = Bond::Created { email, stale };
                self.admit_newcomer(visit, &account, bond, Some(*item)).await
            }
            _ => Err(Failure::broken("an account system hands out no item of a transaction")),
        }
    }

    /// The same in an account system that cannot join our transaction.
    async fn create_first(
        &self,
        visit: Visit<'_>,
        new: &NewAccount,
        pending: Option<&CreationKey>,
    ) -> Result<Entry, Failure> {
        let (customer, now) = (&visit.customer.user_id, visit.at);
        let key = match pending {
            Some(key) => key.clone(),
            None => {
                let key = CreationKey::mint(&mut web::rng());
                let begun = self.identities.begin(customer, &key, now).await;
                if !begun.map_err(Failure::unavailable)? {
                    return Ok(Entry::Changed(vec![Part::Identity]));
                }
                key
            }
        };
        let created = self.accounts.create(&key, new, now).await;
        let mut created = created.map_err(Failure::unavailable)?;
        if let Creation::Invalid(fields) = &created
            && let Some(less) = self.without(new, fields)
        {
            let again = self.accounts.create(&key, &less, now).await;
            created = again.map_err(Failure::unavailable)?;
        }
        match created {
            Creation::Opened(account) => self.complete(visit, new, &key, account).await,
            Creation::Item(..) => Err(Failure::broken("an item of a transaction came over a wire")),
            Creation::EmailTaken => {
                self.give_up(visit, &key).await?;
                let Some(email) = &new.email else { return Err(Refusal::AmbiguousEmail.into()) };
                match self.accounts.find_by_email(email).await.map_err(Failure::unavailable)? {
                    // It is another one to us, such as one with an accent: nobody can be asked for it.
                    ByEmail::Nobody => Err(Refusal::AmbiguousEmail.into()),
                    // Whoever has it is asked for the password.
                    _ => Ok(Entry::Changed(vec![Part::Email])),
                }
            }
            // The row stays: the key is good for what the newcomer sends next.
            Creation::Invalid(fields)
                if visit.customer.email.is_some() && fields.contains_key("email") =>
            {
                self.give_up(visit, &key).await?;
                Err(Refusal::RegistrationClosed.into())
            }
            Creation::Invalid(fields) => Ok(Entry::Invalid(fields)),
            Creation::Unsupported => {
                self.give_up(visit, &key).await?;
                Err(Refusal::RegistrationClosed.into())
            }
        }
    }

    /// A newcomer without what of Amazon's data the account system refuses, where that is all it refuses
    /// and nobody is asked for it: a name that is too long is no reason to send them away.
    fn without(&self, new: &NewAccount, refused: &BTreeMap<String, Wrong>) -> Option<NewAccount> {
        let asked = |name: &str| self.fields.iter().any(|field| field.name == name);
        let extra = |name: &String| ["name", "postal_code"].contains(&&**name) && !asked(name);
        let keep = |name: &str, value: &Option<String>| {
            value.clone().filter(|_| !refused.contains_key(name))
        };
        refused.keys().all(extra).then(|| NewAccount {
            name: keep("name", &new.name),
            postal_code: keep("postal_code", &new.postal_code),
            ..new.clone()
        })
    }

    /// The account is there. It is the newcomer's if nothing has happened to it since it was created.
    async fn complete(
        &self,
        visit: Visit<'_>,
        new: &NewAccount,
        key: &CreationKey,
        account: Account,
    ) -> Result<Entry, Failure> {
        if account.email != new.email {
            self.give_up(visit, key).await?;
            return Err(Failure::unavailable("the account that was created has another address"));
        }
        if account.has_password {
            // Somebody has set one, who can prove it.
            self.give_up(visit, key).await?;
            return Ok(Entry::Changed(vec![Part::Email]));
        }
        if account.status != Status::Active {
            return Err(Refusal::AccountClosed.into());
        }
        let entry = self.admit_newcomer(visit, &account, Bond::Completed(key), None).await?;
        if (entry.changed(Part::Epoch) || entry.changed(Part::Reverse))
            && self.is_somebodys(&account).await?
        {
            self.give_up(visit, key).await?;
        }
        Ok(entry)
    }

    /// Whether something has happened to an account since it was created: all of its sessions were ended
    /// once, by a new password or the end of the account; or its owner has linked it otherwise.
    async fn is_somebodys(&self, account: &Account) -> Result<bool, Failure> {
        let epoch = self.sessions.epoch(&account.id).await.map_err(Failure::unavailable)?;
        let customer = self.identities.customer_of(&account.id).await;
        Ok(epoch > 0 || customer.map_err(Failure::unavailable)?.is_some())
    }

    async fn admit_newcomer(
        &self,
        visit: Visit<'_>,
        account: &Account,
        bond: Bond<'_>,
        item: Option<accounts::Item>,
    ) -> Result<Entry, Failure> {
        let copied = &self.sync.offered(visit.customer);
        let how = How::Registered;
        self.admit(visit, Opening { account, how, epoch: 0, bond, item, copied }).await
    }

    async fn give_up(&self, visit: Visit<'_>, key: &CreationKey) -> Result<(), Failure> {
        let given_up = self.identities.give_up(&visit.customer.user_id, key).await;
        given_up.map_err(Failure::unavailable)
    }
}
