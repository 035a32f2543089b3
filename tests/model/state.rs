//! What there is in the model: what the site, Amazon, the tables and the browsers hold.

use std::collections::{BTreeMap, BTreeSet};

/// Seconds since 1970.
pub(crate) type Time = i64;
/// A sign-in that has begun: the first one of a history is 0. All that is handed out is counted so.
pub(crate) type LoginId = usize;
/// A URL that Amazon sends somebody back with.
pub(crate) type UrlId = usize;
/// A code of Amazon's.
pub(crate) type CodeId = usize;
/// A ticket.
pub(crate) type TicketId = usize;
/// A session.
pub(crate) type SessionId = usize;
/// A customer, by their place in [`CUSTOMERS`].
pub(crate) type Who = usize;
/// A browser; 0 and 1 are the victim's, 2 and 3 the attacker's.
pub(crate) type At = usize;

/// When every history begins. It lies ahead of the machine's own clock, so that a database that goes
/// by that removes nothing.
pub(crate) const START: Time = 1_900_000_000;
/// The browsers that visitors have; one more is nobody's.
pub(crate) const BROWSERS: usize = 4;
/// The browser that only looks at what others hold.
pub(crate) const NOBODYS: At = BROWSERS;
/// Customers at Amazon, by their logins there: the victim's two and the attacker's two.
pub(crate) const CUSTOMERS: [(&str, &str); 4] =
    [("ann", "Ann Local"), ("lin", "Lin Linked"), ("max", "Max Minds"), ("noa", "Noa Nomail")];
/// Accounts that the site has from the start: the victim's two and the attacker's one.
pub(crate) const SEEDED: [(&str, &str); 3] =
    [("ann", "Ann Local"), ("lin", "Lin Linked"), ("bob", "Bob")];
/// Names for accounts that the site opens later.
pub(crate) const LATER: [&str; 3] = ["sam", "mia", "kim"];
/// Addresses that anybody may have, at Amazon or at the site: of accounts, of nobody, in other cases,
/// and some that only look like another.
pub(crate) const ADDRESSES: [&str; 12] = [
    "ann@example.com",
    "lin@example.com",
    "bob@example.com",
    "new@example.com",
    "max@example.com",
    "Ann@Example.COM",
    "NEW@example.com",
    "a.nn@example.com",
    "ann+1@example.com",
    "\u{430}nn@example.com",
    "l\u{131}n@example.com",
    "ann@example.com.",
];
/// Paths that a visitor may want to go to, and where they are led instead if it is none of the site's.
pub(crate) const PATHS: [(&str, &str); 6] = [
    ("/", "/"),
    ("/checkout", "/checkout"),
    ("/basket?item=7", "/basket?item=7"),
    ("//evil.example/", "/"),
    ("https://evil.example/", "/"),
    ("/auth/amazon/login", "/"),
];

/// An account of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    /// One that the site opened.
    Site(&'static str),
    /// The one of this number that we opened.
    Ours(usize),
}

/// See [`Name`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<&'static str>,
    pub(crate) status: Status,
    /// Its password, by its place among all passwords.
    pub(crate) password: Option<usize>,
}

/// Whether an account may be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Disabled,
    Locked,
}

/// What a customer let Amazon tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shares {
    /// Everything.
    All,
    /// Who they are, and no more.
    Id,
    /// Not even that was agreed to; Amazon tells it all the same.
    Nothing,
}

/// What Amazon told of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) who: Who,
    /// An address; one that is none counts as not told.
    pub(crate) email: Option<&'static str>,
    pub(crate) name: Option<&'static str>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) account: Name,
    pub(crate) epoch: u64,
    pub(crate) prove_again: bool,
    pub(crate) amazon_email: Option<&'static str>,
}

/// A sign-in that has begun.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    /// Where.
    pub(crate) at: At,
    pub(crate) began: Time,
    pub(crate) to: &'static str,
    /// Whether somebody has come back with its state.
    pub(crate) used: bool,
    /// Whether the row that says so is gone.
    pub(crate) swept: bool,
    /// When it was used.
    pub(crate) used_at: Time,
}

/// A URL of ours with what Amazon says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Url {
    /// Whose state it has.
    pub(crate) login: LoginId,
    /// Its code; without one, the customer said no.
    pub(crate) code: Option<CodeId>,
    /// The browser that it was last opened in.
    pub(crate) opened: Option<At>,
}

/// A code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    /// The sign-in that it was asked for by, whose verifier redeems it.
    pub(crate) login: LoginId,
    pub(crate) who: Who,
    pub(crate) shares: Shares,
    pub(crate) issued: Time,
    pub(crate) spent: bool,
}

/// A ticket.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) purpose: Purpose,
    pub(crate) told: Told,
    pub(crate) to: &'static str,
    pub(crate) started: Time,
    pub(crate) expires: Time,
    pub(crate) used: bool,
    /// Whether its row is gone.
    pub(crate) gone: bool,
}

/// What a ticket is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Link { account: Name, left: u32 },
    Register,
    Switch { account: Name },
}

/// A session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) account: Name,
    pub(crate) how: &'static str,
    pub(crate) started: Time,
    pub(crate) seen: Time,
    /// Whether its row is gone.
    pub(crate) gone: bool,
}

/// A browser's cookies of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Jar {
    /// Oldest first.
    pub(crate) logins: Vec<LoginId>,
    pub(crate) ticket: Option<TicketId>,
    pub(crate) session: Option<SessionId>,
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) now: Time,
    /// The customers' addresses at Amazon.
    pub(crate) emails: [Option<&'static str>; CUSTOMERS.len()],
    pub(crate) accounts: BTreeMap<Name, Account>,
    /// Accounts that the site has deleted.
    pub(crate) deleted: BTreeSet<Name>,
    pub(crate) links: BTreeMap<Who, Link>,
    /// Lowercase addresses, each with the account of ours that has it.
    pub(crate) claims: BTreeMap<String, Name>,
    pub(crate) epochs: BTreeMap<Name, u64>,
    pub(crate) logins: Vec<Login>,
    pub(crate) urls: Vec<Url>,
    pub(crate) codes: Vec<Code>,
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) sessions: Vec<Session>,
    /// What is limited, the number of the window and when that ends; and how much of it is taken.
    pub(crate) limits: BTreeMap<(String, Time, Time), u32>,
    pub(crate) jars: [Jar; BROWSERS + 1],
    /// How many accounts we have opened.
    pub(crate) opened: usize,
}

impl Default for Model {
    fn default() -> Self {
        let account = |(number, (id, name)): (usize, (&'static str, &'static str))| {
            let (email, name) = (Some(format!("{id}@example.com")), Some(name));
            let password = Some(number);
            (Name::Site(id), Account { email, name, status: Status::Active, password })
        };
        let lin =
            Link { account: Name::Site("lin"), epoch: 0, prove_again: false, amazon_email: None };
        Self {
            now: START,
            emails: [
                Some("ann@example.com"),
                Some("lin@example.com"),
                Some("max@example.com"),
                None,
            ],
            accounts: SEEDED.into_iter().enumerate().map(account).collect(),
            deleted: BTreeSet::new(),
            links: BTreeMap::from([(1, lin)]),
            claims: BTreeMap::new(),
            epochs: BTreeMap::new(),
            logins: Vec::new(),
            urls: Vec::new(),
            codes: Vec::new(),
            tickets: Vec::new(),
            sessions: Vec::new(),
            limits: BTreeMap::new(),
            jars: std::array::from_fn(|_| Jar::default()),
            opened: 0,
        }
    }
}

/// Passwords, and hashes of them that cost next to nothing: PBKDF2 with one round, made by Python's
/// hashlib. The first three are those of the accounts that there are at first, in that order.
pub(crate) const PASSWORDS: [(&str, &str); 5] = [
    (
        "ann-local-password",
        "$pbkdf2-sha256$1$XaGvK.1McJRNX.agVfElbQ$MFeAaAaexxKt.MfZmT41srypHmRNo0aesxZI95cWNrY",
    ),
    (
        "lin-local-password",
        "$pbkdf2-sha256$1$Yd5Mw.PJ4.L4QlBtJv.ovg$erW0XhMQOj/1E3dPmT2rgPXSbMv9PMhMkDBhkl5YYUY",
    ),
    (
        "bob-local-password",
        "$pbkdf2-sha256$1$TznhuWAEAnGVCcHEqx9JvA$4T.JZcXS11btpUUynoy3IN.aev81CyaXAxrD.pD34Yg",
    ),
    (
        "another-good-password",
        "$pbkdf2-sha256$1$1OeswbcmoxuXmZiRc3S1pA$LlhQg1reIgdqSrVZdgPgPZObuVlfzEXM9RTlPk1npCQ",
    ),
    (
        "yet-another-password",
        "$pbkdf2-sha256$1$dTbiP3u37WpO7fOFCpvjqQ$UvqhZ1wCb.p8i810xYw.WYJiQ38Jc.vpljMrOB55GoA",
    ),
];
/// A password that no account ever has.
pub(crate) const NOBODYS_PASSWORD: usize = PASSWORDS.len();
