//! What holds for every row that DynamoDB could give, whoever wrote it.

mod links;

use std::fmt::Debug;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use domain::{
    AccountId, AmazonUserId, Email, LinkTicket, Profile, ReturnTo, SessionToken, Timestamp,
    link::{Purpose, Ticket},
    session::{How, Kind, Session},
};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};

use crate::{
    Error, Identity, Known, Link, identities,
    row::{Item, n, s},
    sessions, tickets,
};

/// Tries a property. A failure prints the smallest input that it was found with.
#[track_caller]
fn holds<S: Strategy>(inputs: S, property: impl Fn(S::Value))
where
    S::Value: Debug,
{
    let config = ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() };
    let outcome = TestRunner::new(config).run(&inputs, |input| {
        property(input);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

fn account() -> impl Strategy<Value = AccountId> {
    "[^\\p{Cc}]{1,40}".prop_map(|id| AccountId::parse(&id).unwrap())
}

fn email() -> impl Strategy<Value = Email> {
    "[A-Za-z0-9.+]{1,12}@[a-z]{1,8}\\.[a-z]{2,4}".prop_map(|email| Email::parse(&email).unwrap())
}

fn moment() -> impl Strategy<Value = Timestamp> {
    let edge = select(vec![i64::MIN, -1, 0, i64::MAX - 1, i64::MAX]);
    prop_oneof![any::<i64>(), 1_700_000_000..2_000_000_000_i64, edge].prop_map(Timestamp)
}

fn session() -> impl Strategy<Value = Session> {
    let words = (select(Kind::ALL.to_vec()), select(How::ALL.to_vec()));
    let texts = (account(), any::<String>(), prop::option::of(any::<String>()));
    (texts, words, moment(), moment(), moment()).prop_map(
        |((account, id, name), (kind, how), started_at, last_seen, expires_at)| Session {
            epoch: u64::from(last_seen.0.unsigned_abs() as u32),
            proven_at: (started_at.0 % 2 == 0).then_some(last_seen),
            account,
            id,
            kind,
            how,
            name,
            started_at,
            last_seen,
            expires_at,
        },
    )
}

fn customer() -> impl Strategy<Value = Profile> {
    let id = "[A-Za-z0-9._-]{1,30}".prop_map(|id| AmazonUserId::parse(&id).unwrap());
    let text = || prop::option::of(any::<String>());
    (id, prop::option::of(email()), text(), text()).prop_map(
        |(user_id, email, name, postal_code)| Profile { user_id, email, name, postal_code },
    )
}

fn ticket() -> impl Strategy<Value = Ticket> {
    let purpose = prop_oneof![
        (account(), prop::option::of(email()), any::<u32>()).prop_map(
            |(account, email, attempts_left)| Purpose::Link { account, email, attempts_left }
        ),
        Just(Purpose::Register),
        account().prop_map(|account| Purpose::Switch { account }),
    ];
    let path = "(/[a-z]{1,9}){1,3}(\\?[a-z=&]{0,9})?".prop_map(|path| ReturnTo::parse(&path));
    let path = path.prop_filter_map("it is under /auth", |path| path);
    let kind = select(Kind::ALL.to_vec());
    (purpose, kind, customer(), path, moment(), moment(), any::<bool>()).prop_map(
        |(purpose, kind, customer, return_to, started_at, expires_at, used)| Ticket {
            purpose,
            kind,
            customer,
            return_to,
            started_at,
            expires_at,
            used,
        },
    )
}

/// A value of any type, and often a fitting one.
fn value() -> impl Strategy<Value = AttributeValue> {
    let words = select(vec![
        "",
        "browser",
        "app",
        "amazon",
        "linked",
        "link",
        "register",
        "switch",
        "/",
        "/a?b",
        "a@b.example",
        "//evil.com",
        "amzn1.account.A",
        "true",
        "0",
        "-",
    ]);
    let numbers =
        select(vec!["0", "1", "-1", "5", "1e3", "1.5", "99999999999999999999", "", "NaN", "x"]);
    prop_oneof![
        4 => words.prop_map(s),
        2 => any::<String>().prop_map(s),
        3 => numbers.prop_map(|number| AttributeValue::N(number.to_owned())),
        2 => any::<i64>().prop_map(n),
        2 => any::<bool>().prop_map(AttributeValue::Bool),
        1 => any::<bool>().prop_map(AttributeValue::Null),
        1 => any::<Vec<u8>>().prop_map(|bytes| AttributeValue::B(Blob::new(bytes))),
        1 => any::<Vec<String>>().prop_map(AttributeValue::Ss),
        1 => any::<String>().prop_map(|text| AttributeValue::L(vec![s(text)])),
        1 => any::<String>().prop_map(|text| AttributeValue::M([(text, n(1))].into())),
    ]
}

/// How an attribute is read: the type that it has, and whether it must be there.
type Read = (&'static str, fn(&AttributeValue) -> bool, bool);

const S: fn(&AttributeValue) -> bool = AttributeValue::is_s;
const N: fn(&AttributeValue) -> bool = AttributeValue::is_n;
const BOOL: fn(&AttributeValue) -> bool = |value| *value == AttributeValue::Bool(true);

/// Makes sure that a row with one attribute gone or changed is read as what it still says, all of it,
/// or names that very attribute.
fn damaged<T>(
    mut row: Item,
    reads: &[Read],
    (name, value): (&'static str, Option<AttributeValue>),
    parse: impl Fn(&Item) -> Result<T, Error>,
    print: impl Fn(&T) -> Item,
) {
    said_all(&row, &print(&parse(&row).unwrap()), reads);
    match &value {
        Some(value) => drop(row.insert(name.to_owned(), value.clone())),
        None => drop(row.remove(name)),
    }
    let read = reads.iter().find(|(known, ..)| *known == name);
    match (parse(&row), read, value) {
        (Err(Error::Row(named)), Some(_), _) => assert_eq!(named, name, "it names another"),
        (Err(other), ..) => panic!("{other}, of {name}"),
        (Ok(parsed), read, value) => {
            said_all(&row, &print(&parsed), reads);
            let Some((_, fits, needed)) = read else { return };
            assert!(value.map_or(!needed, |value| fits(&value)), "{name} went unnoticed");
        }
    }
}

/// Makes sure that nothing of a row was lost, and nothing made up.
fn said_all(row: &Item, printed: &Item, reads: &[Read]) {
    for (name, ..) in reads {
        assert_eq!(printed.get(*name), row.get(*name), "{name}");
    }
}

const SESSION: &[Read] = &[
    ("account_id", S, true),
    ("id", S, true),
    ("kind", S, true),
    ("how", S, true),
    ("name", S, false),
    ("epoch", N, true),
    ("proven_at", N, false),
    ("started_at", N, true),
    ("last_seen", N, true),
    ("expires_at", N, true),
];

const IDENTITY: &[Read] = &[
    ("account_id", S, true),
    ("epoch", N, true),
    ("linked_at", N, true),
    ("proven_at", N, true),
    ("prove_again", BOOL, false),
    ("amazon_email", S, false),
];

/// What is read of every ticket, and what of one for a link or a switch.
fn reads(purpose: &Purpose) -> Vec<Read> {
    let mut reads: Vec<Read> = vec![
        ("purpose", S, true),
        ("kind", S, false),
        ("amazon_user_id", S, true),
        ("amazon_email", S, false),
        ("amazon_name", S, false),
        ("amazon_postal_code", S, false),
        ("return_to", S, true),
        ("started_at", N, true),
        ("expires_at", N, true),
        ("used", BOOL, false),
    ];
    if let Purpose::Link { .. } | Purpose::Switch { .. } = purpose {
        reads.push(("account_id", S, true));
    }
    if let Purpose::Link { .. } = purpose {
        reads.extend::<[Read; 2]>([("account_email", S, false), ("attempts_left", N, true)]);
    }
    reads
}

/// The name of any attribute of any of our rows.
fn name() -> impl Strategy<Value = &'static str> {
    select(vec![
        "pk",
        "sk",
        "ttl",
        "account_id",
        "id",
        "kind",
        "how",
        "name",
        "started_at",
        "last_seen",
        "expires_at",
        "epoch",
        "linked_at",
        "proven_at",
        "prove_again",
        "amazon_user_id",
        "amazon_email",
        "amazon_name",
        "amazon_postal_code",
        "purpose",
        "account_email",
        "attempts_left",
        "return_to",
        "used",
        "by",
    ])
}

fn change() -> impl Strategy<Value = (&'static str, Option<AttributeValue>)> {
    (name(), prop::option::weighted(0.7, value()))
}

fn a_token() -> SessionToken {
    let part = "A".repeat(43);
    SessionToken::presented(&format!("{part}.{part}")).unwrap()
}

fn a_ticket() -> LinkTicket {
    LinkTicket::presented(&a_token().expose()).unwrap()
}

/// What a link's row says, with the flag that another hand sets.
fn identity_row(customer: &Profile, account: &AccountId, epoch: u64, prove_again: bool) -> Item {
    let times = (Timestamp(5), Timestamp(3));
    identity_row_of(customer, account, epoch, prove_again, times)
}

fn identity_row_of(
    customer: &Profile,
    account: &AccountId,
    epoch: u64,
    prove_again: bool,
    (linked_at, proven_at): (Timestamp, Timestamp),
) -> Item {
    let link = Link {
        copied: &Default::default(),
        pending: None,
        again: false,
        customer: &customer.user_id,
        account,
        epoch,
        how: How::Linked,
        amazon_email: customer.email.as_ref(),
        proven_at,
        now: linked_at,
    };
    let mut row = identities::print(&link);
    if prove_again {
        row.insert("prove_again".to_owned(), AttributeValue::Bool(true));
    }
    row
}

/// Reads a row that no creation is pending in.
fn parse_link(row: &Item) -> Result<Identity, Error> {
    match identities::parse(row)? {
        Known::Linked(identity) => Ok(*identity),
        Known::Pending(_) => panic!("nothing is pending"),
    }
}

fn print_identity(identity: &Identity) -> Item {
    let user_id = AmazonUserId::parse("amzn1.account.A").unwrap();
    let email = identity.amazon_email.clone();
    let customer = Profile { user_id, email, name: None, postal_code: None };
    let Identity { account, epoch, prove_again, linked_at, proven_at, .. } = identity;
    identity_row_of(&customer, account, *epoch, *prove_again, (*linked_at, *proven_at))
}

#[test]
fn f_item_every_session_is_read_as_it_was_written() {
    holds(session(), |session| {
        assert_eq!(sessions::parse(&sessions::print(&a_token(), &session)).unwrap(), session);
    });
}

#[test]
fn f_item_every_ticket_is_read_as_it_was_written() {
    holds(ticket(), |ticket| {
        assert_eq!(tickets::parse(&tickets::print(&a_ticket(), &ticket)).unwrap(), ticket);
    });
}

#[test]
fn f_item_a_damaged_session_is_none_and_the_damage_is_named() {
    holds((session(), change()), |(session, change)| {
        let print = |session: &Session| sessions::print(&a_token(), session);
        damaged(print(&session), SESSION, change, sessions::parse, print);
    });
}

#[test]
fn f_item_a_damaged_ticket_is_none_and_the_damage_is_named() {
    // What makes another ticket of it changes what is read of it.
    let change = change().prop_filter("purpose", |(name, _)| *name != "purpose");
    holds((ticket(), change), |(ticket, change)| {
        let print = |ticket: &Ticket| tickets::print(&a_ticket(), ticket);
        damaged(print(&ticket), &reads(&ticket.purpose), change, tickets::parse, print);
    });
}

#[test]
fn f_item_a_damaged_link_is_none_and_the_damage_is_named() {
    let link = (customer(), account(), any::<u64>(), any::<bool>());
    holds((link, change()), |((customer, id, epoch, again), change)| {
        let row = identity_row(&customer, &id, epoch, again);
        // An address that is none is as good as absent.
        let none = |(name, value): &(&str, Option<AttributeValue>)| {
            *name == "amazon_email" && value.as_ref().is_some_and(AttributeValue::is_s)
        };
        if none(&change) {
            let mut row = row;
            row.insert("amazon_email".to_owned(), s("no address"));
            assert_eq!(parse_link(&row).unwrap().amazon_email, None);
            return;
        }
        damaged(row, IDENTITY, change, parse_link, print_identity);
    });
}

#[test]
fn f_item_any_row_is_a_whole_of_its_kind_or_none() {
    let odd = prop::collection::vec(change(), 0..6);
    holds((session(), ticket(), customer(), odd), |(session, ticket, customer, odd)| {
        // Pieces of all of them.
        let mut row = sessions::print(&a_token(), &session);
        row.extend(identity_row(&customer, &session.account, 0, false));
        row.extend(tickets::print(&a_ticket(), &ticket));
        for (name, value) in odd {
            match value {
                Some(value) => drop(row.insert(name.to_owned(), value)),
                None => drop(row.remove(name)),
            }
        }
        let is_row = |error: &Error| assert!(matches!(error, Error::Row(_)));
        if let Ok(session) = sessions::parse(&row).inspect_err(is_row) {
            said_all(&row, &sessions::print(&a_token(), &session), SESSION);
        }
        if let Ok(ticket) = tickets::parse(&row).inspect_err(is_row) {
            said_all(&row, &tickets::print(&a_ticket(), &ticket), &reads(&ticket.purpose));
        }
        if let Ok(identity) = parse_link(&row).inspect_err(is_row) {
            said_all(&row, &print_identity(&identity), &IDENTITY[..5]);
        }
    });
}

#[test]
fn f_item_n12_no_two_customers_accounts_or_addresses_share_a_key() {
    let key = |row: &Item| row["pk"].as_s().unwrap().clone();
    holds((customer(), customer(), account()), |(one, other, account)| {
        let [first, second] = [&one, &other].map(|one| key(&identity_row(one, &account, 0, false)));
        assert_eq!(first == second, one.user_id == other.user_id);
        assert_eq!(first.strip_prefix("AMAZON#"), Some(one.user_id.as_str()), "it reads back");
    });
}
