//! Who may come in when Amazon vouches for someone.

use crate::{Account, Status};

/// What is known about the Amazon customer at the door.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The link made earlier from this Amazon identity.
    pub linked: Option<Linked>,
    /// The accounts that have the customer's e-mail address; not asked for if there is a link.
    pub same_email: SameEmail,
    /// Whether Amazon told all that the site wants to know of a newcomer.
    pub complete: bool,
}

/// A link made earlier.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The account it leads to, unless that has gone since.
    pub account: Option<Account>,
    /// Whether the link must be proven once more, because the password was reset.
    pub prove_again: bool,
}

/// Which accounts have an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SameEmail {
    /// None has.
    Nobody,
    /// This one has.
    One(Account),
    /// More than one has, which only the site can resolve.
    Several,
}

/// What the operator allows.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether newcomers may open an account.
    pub registration_open: bool,
}

/// The one thing to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Open a session for this account.
    Enter(Account),
    /// Ask for this account's password, then link.
    ProvePassword(Account),
    /// Create an account from what Amazon told.
    Create,
    /// Show the registration page.
    Register,
    /// Turn them away.
    Refuse(Refusal),
}

/// Why someone is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The account is disabled, locked or gone.
    AccountClosed,
    /// The account has no local password that could prove whose it is.
    NoPassword,
    /// More than one account has this address.
    AmbiguousEmail,
    /// Nobody new is let in.
    RegistrationClosed,
}

/// Decides what happens next.
///
/// A link made earlier always wins, even one to an account that has since gone: that door stays
/// shut rather than opening onto someone else's. A shared e-mail address is only ever a reason to
/// ask for the password: Amazon does not promise that it was verified, so letting it open an
/// account would hand that account to whoever typed the address first.
pub fn decide(facts: Facts, policy: Policy) -> Decision {
    match (facts.linked, facts.same_email) {
        (Some(Linked { account: None, .. }), _) => Decision::Refuse(Refusal::AccountClosed),
        (Some(Linked { account: Some(account), prove_again: true }), _) => prove(account),
        (Some(Linked { account: Some(account), .. }), _) if account.status == Status::Active => {
            Decision::Enter(account)
        }
        (Some(_), _) => Decision::Refuse(Refusal::AccountClosed),
        (None, SameEmail::Several) => Decision::Refuse(Refusal::AmbiguousEmail),
        (None, SameEmail::One(account)) => prove(account),
        (None, SameEmail::Nobody) if !policy.registration_open => {
            Decision::Refuse(Refusal::RegistrationClosed)
        }
        (None, SameEmail::Nobody) if facts.complete => Decision::Create,
        (None, SameEmail::Nobody) => Decision::Register,
    }
}

fn prove(account: Account) -> Decision {
    match account.status {
        Status::Disabled | Status::Locked => Decision::Refuse(Refusal::AccountClosed),
        Status::Active if account.has_password => Decision::ProvePassword(account),
        Status::Active => Decision::Refuse(Refusal::NoPassword),
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision::*, Refusal::*, *};
    use crate::AccountId;

    const OPEN: Policy = Policy { registration_open: true };
    const SHUT: Policy = Policy { registration_open: false };

    fn account(id: &str) -> Account {
        let id = AccountId::parse(id).unwrap();
        Account { id, email: None, name: None, status: Status::Active, has_password: true }
    }

    #[test]
    fn every_row_of_the_table() {
        let (ann, bob) = (account("ann"), account("bob"));
        let disabled = Account { status: Status::Disabled, ..ann.clone() };
        let locked = Account { status: Status::Locked, ..ann.clone() };
        let no_password = Account { has_password: false, ..ann.clone() };
        let link =
            |account: &Account| Some(Linked { account: Some(account.clone()), prove_again: false });
        let again =
            |account: &Account| Some(Linked { account: Some(account.clone()), prove_again: true });
        let gone = || Some(Linked { account: None, prove_again: false });
        let gone_again = || Some(Linked { account: None, prove_again: true });
        let one = |account: &Account| SameEmail::One(account.clone());
        let (nobody, several) = (SameEmail::Nobody, SameEmail::Several);

        for (linked, same_email, complete, policy, expected) in [
            // A link wins over everything else.
            (link(&ann), nobody.clone(), true, SHUT, Enter(ann.clone())),
            (link(&ann), one(&bob), true, OPEN, Enter(ann.clone())),
            (link(&ann), several.clone(), false, OPEN, Enter(ann.clone())),
            (link(&no_password), nobody.clone(), true, OPEN, Enter(no_password.clone())),
            (link(&disabled), one(&bob), true, OPEN, Refuse(AccountClosed)),
            (link(&locked), nobody.clone(), true, OPEN, Refuse(AccountClosed)),
            (gone(), one(&bob), true, OPEN, Refuse(AccountClosed)),
            (gone_again(), one(&bob), true, OPEN, Refuse(AccountClosed)),
            // A link to be proven once more asks for that account's password.
            (again(&ann), one(&bob), true, OPEN, ProvePassword(ann.clone())),
            (again(&disabled), nobody.clone(), true, OPEN, Refuse(AccountClosed)),
            (again(&no_password), nobody.clone(), true, OPEN, Refuse(NoPassword)),
            // An e-mail address is a reason to ask, never to enter.
            (None, one(&ann), true, OPEN, ProvePassword(ann.clone())),
            (None, one(&ann), true, SHUT, ProvePassword(ann.clone())),
            (None, one(&disabled), true, OPEN, Refuse(AccountClosed)),
            (None, one(&locked), true, OPEN, Refuse(AccountClosed)),
            (None, one(&no_password), true, OPEN, Refuse(NoPassword)),
            (None, several, true, OPEN, Refuse(AmbiguousEmail)),
            // A newcomer.
            (None, nobody.clone(), true, OPEN, Create),
            (None, nobody.clone(), false, OPEN, Register),
            (None, nobody.clone(), true, SHUT, Refuse(RegistrationClosed)),
            (None, nobody, false, SHUT, Refuse(RegistrationClosed)),
        ] {
            let facts = Facts { linked, same_email, complete };
            assert_eq!(decide(facts.clone(), policy), expected, "{facts:?} {policy:?}");
        }
    }
}
