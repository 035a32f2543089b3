//! Rows of links, and of creations that stand where a link will stand.

use domain::{CreationKey, sync::ProfileSync};

use super::*;
use crate::Known;

#[test]
fn f_item_a_creation_that_is_pending_is_no_link_whatever_else_the_row_says() {
    holds((customer(), account(), value()), |(customer, id, value)| {
        let mut row = identity_row(&customer, &id, 1, false);
        row.insert("pending".to_owned(), value.clone());
        let key = value.as_s().ok().and_then(|text| CreationKey::parse(text));
        match identities::parse(&row) {
            Ok(known) => assert_eq!(Some(known), key.map(Known::Pending)),
            Err(error) => assert!(key.is_none() && matches!(error, Error::Row("pending"))),
        }
    });
}

#[test]
fn f_item_what_was_copied_is_read_as_it_was_written() {
    let name = prop::option::of("[A-Z][a-z]{0,9}");
    holds((customer(), account(), name.clone(), name), |(customer, account, name, postal_code)| {
        let customer = Profile { name, postal_code, ..customer };
        let copied = ProfileSync::default().offered(&customer);
        let link = Link {
            customer: &customer.user_id,
            account: &account,
            epoch: 0,
            how: How::Linked,
            amazon_email: None,
            proven_at: Timestamp(1),
            copied: &copied,
            pending: None,
            again: false,
            now: Timestamp(1),
        };
        assert_eq!(parse_link(&identities::print(&link)).unwrap().copied, copied);
    });
}

#[test]
fn f_item_every_link_is_read_as_it_was_written() {
    holds((customer(), account(), any::<u64>(), any::<bool>()), |(customer, id, epoch, again)| {
        let identity = parse_link(&identity_row(&customer, &id, epoch, again)).unwrap();
        assert_eq!((identity.account, identity.epoch), (id, epoch));
        assert_eq!((identity.amazon_email, identity.prove_again), (customer.email, again));
    });
}
