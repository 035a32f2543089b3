//! The accounts that the shop had before Amazon came: every password format, every state.

use serde_json::{Value, json};
use store::{Identities, commit};

use crate::{Dynamodb, Error};
use domain::{AccountId, AmazonUserId, Clock, session::How};

/// An account of the shop's.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    /// Its id.
    pub id: &'static str,
    /// Its address.
    pub email: &'static str,
    /// Its owner.
    pub name: &'static str,
    /// Its password, if it has one.
    pub password: Option<&'static str>,
    /// The password's hash.
    pub hash: Option<&'static str>,
    /// What the hash is, or what is special about the account.
    pub note: &'static str,
    /// `disabled` or `locked`, if it is not active.
    pub status: Option<&'static str>,
}

const ACTIVE: Seeded =
    Seeded { id: "", email: "", name: "", password: None, hash: None, note: "", status: None };

/// All accounts of the shop's.
pub const ACCOUNTS: [Seeded; 8] = [
    Seeded {
        id: "ann",
        email: "ann@example.com",
        name: "Ann Local",
        password: Some("ann-local-password"),
        hash: Some("$2b$10$EPjrAx6Gh3qYNnrA6o9JceNuRfT2iFE9vZ2mkeT9/1inFQCTaLgbK"),
        note: "bcrypt",
        ..ACTIVE
    },
    Seeded {
        id: "lin",
        email: "lin@example.com",
        name: "Lin Linked",
        password: Some("lin-local-password"),
        hash: Some(
            "$argon2id$v=19$m=19456,t=2,p=1$QWiN8d77n1PqXSsFYMwZAw$z8zKGE/spN8+qCIYLwMA7zxYbPyzFz7Qv/+DMapHsOA",
        ),
        note: "argon2id, linked to Amazon's lin",
        ..ACTIVE
    },
    Seeded {
        id: "bob",
        email: "bob@example.com",
        name: "Bob Local",
        password: Some("bob-local-password"),
        hash: Some(
            "$pbkdf2-sha256$29000$PkeIEeL8nxNi7B0DIESotQ$Cab/FNro3S8bwpya21ZTLk1mkiMDOmsdfpkePm9QDmc",
        ),
        note: "PBKDF2, as passlib writes it",
        ..ACTIVE
    },
    Seeded {
        id: "sam",
        email: "sam@example.com",
        name: "Sam Local",
        password: Some("sam-local-password"),
        hash: Some(
            "$scrypt$ln=14,r=8,p=1$CqFU6r2XMiYkpLTW2jvnnA$Zk1y1SCNBe8iruFq4Qx6lb6YJJ3mGq7avBH3p91iM2s",
        ),
        note: "scrypt",
        ..ACTIVE
    },
    Seeded {
        id: "mia",
        email: "Mia@Example.com",
        name: "Mia Mixed",
        password: Some("mia-local-password"),
        hash: Some(
            "pbkdf2_sha256$1000000$ZKRsG1seCDnYWnbo8jaQWp$5Qyj5UWVVJLI+Ah3hwCVLNYsW7vl3SHemPFWDTkKf/8=",
        ),
        note: "PBKDF2, as Django writes it; the address in mixed case",
        ..ACTIVE
    },
    Seeded {
        id: "dora",
        email: "dora@example.com",
        name: "Dora Disabled",
        password: Some("dora-local-password"),
        hash: Some(
            "$argon2id$v=19$m=19456,t=2,p=1$rdU6h/Aeg/B+L4VQSuldKw$B0lEho4M0h1nIv7QaXJCvChFmGjsD+mK3lGiZWb1cDo",
        ),
        note: "argon2id, the account is disabled",
        status: Some("disabled"),
    },
    Seeded {
        id: "kim",
        email: "kim@example.com",
        name: "Kim Locked",
        password: Some("kim-local-password"),
        hash: Some(
            "$argon2id$v=19$m=19456,t=2,p=1$lDJmjLE2hhAC4JwzpvR+bw$U4HpGDkh+nkOCGcogeSMf+Uab+C+vSZelY2V9zBReKM",
        ),
        note: "argon2id, the account is locked",
        status: Some("locked"),
    },
    Seeded {
        id: "otto",
        email: "otto@example.com",
        name: "Otto Passwordless",
        note: "no password",
        ..ACTIVE
    },
];

/// Opens the shop's accounts, those that are not there yet.
///
/// # Errors
///
/// The table cannot be written.
pub fn accounts(dynamodb: &Dynamodb) -> Result<(), Error> {
    ACCOUNTS.iter().try_for_each(|account| dynamodb.put_new("accounts", "id", &account.row()))
}

impl Seeded {
    /// The row of an active account without a password.
    fn row(&self) -> Value {
        let texts = [
            ("id", Some(self.id)),
            ("email", Some(self.email)),
            ("name", Some(self.name)),
            ("password_hash", self.hash),
            ("status", self.status),
        ];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text?)));
        texts.map(|(name, text)| (name.to_owned(), json!({"S": text}))).collect()
    }
}

/// Links an Amazon identity to an account, if neither is linked yet.
///
/// # Errors
///
/// An id is none, or the table does not answer.
pub async fn link(dynamodb: &Dynamodb, user_id: &str, account: &str) -> Result<(), Error> {
    let now = Clock::System.now();
    let link = store::Link {
        customer: &AmazonUserId::parse(user_id).ok_or("this is no Amazon user id")?,
        account: &AccountId::parse(account).ok_or("this is no account id")?,
        epoch: 0,
        how: How::Linked,
        amazon_email: None,
        proven_at: now,
        copied: &Default::default(),
        pending: None,
        again: false,
        now,
    };
    let identities = Identities { client: dynamodb.client(), table: "identities".to_owned() };
    // Refused, where a directory still has the link from last time.
    commit(&identities.client, identities.link(&link)?.into()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_password_opens_its_account_and_no_other() {
        for account in ACCOUNTS {
            let Some((password, hash)) = account.password.zip(account.hash) else { continue };
            let stored = passwords::Stored::parse(hash).unwrap();
            assert!(stored.verify(password), "{}", account.id);
            assert!(!stored.verify("another-local-password"), "{}", account.id);
        }
    }
}
