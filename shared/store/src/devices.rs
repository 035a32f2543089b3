//! Televisions that wait for their person, in `TICKETS_TABLE`.
//!
//! | pk | sk | attributes |
//! |---|---|---|
//! | `DEVICE#` and the SHA-256 of our handle | `DEVICE` | `codes`, `pause`, `next_poll_at`, `expires_at`, `ttl` |
//! | the same, once Amazon has vouched for somebody | `DEVICE` | what Amazon told, in place of `codes` |
//! | the same, once they are in | `DEVICE` | `opened`, `done_at`, in place of what Amazon told |
//! | hash of the Amazon identity | the key of a grant of theirs | `ttl` |
//!
//! `codes` are Amazon's two codes and `opened` is the token of the session, both sealed under keys
//! that are made of the handle (see `domain::device`). Only the television has the handle, so whoever
//! reads the table can do nothing with either. A television that was refused, or came too late at
//! Amazon, has no row any more.

use std::time::Duration;

use aws_sdk_dynamodb::{
    primitives::Blob,
    types::{AttributeValue, Put, Update},
};
use domain::{
    AmazonUserId, Email, LinkTicket, Profile, SessionToken, Timestamp,
    device::{DeviceHandle, Grant, Stage},
};

use crate::{
    Commit, Error, Part, Tickets, Write, commit, failed,
    row::{Item, moment, n, number, optional, optional_text, put_optional, row, s, text},
    tickets::TTL_SLACK,
    write::send,
};

/// What Amazon told of a customer.
const TOLD: [&str; 4] = ["amazon_user_id", "amazon_email", "amazon_name", "amazon_postal_code"];

impl Tickets {
    /// Opens a grant. Its handle is random: if there is one already, it is this, and an answer got lost.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn open_device(&self, handle: &DeviceHandle, grant: &Grant) -> Result<(), Error> {
        let item = print(handle, grant);
        let put = || {
            let put = self.client.put_item().table_name(&self.table);
            let put = put.set_item(Some(item.clone()));
            put.condition_expression("attribute_not_exists(pk)").send()
        };
        send("open a device's grant", put).await.map(drop)
    }

    /// The grant of this handle, whether or not it has ended.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn device(&self, handle: &DeviceHandle) -> Result<Option<Grant>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key("pk", pk(handle)).key("sk", s("DEVICE")).send().await;
        found.map_err(failed("read a device's grant"))?.item.map(|row| parse(&row)).transpose()
    }

    /// Notes when a device may ask next, if nobody has since it was read. Of questions that come at
    /// once one goes on.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn pace_device(
        &self,
        handle: &DeviceHandle,
        before: &Grant,
        after: &Grant,
    ) -> Result<bool, Error> {
        let pace = || {
            self.client
                .update_item()
                .table_name(&self.table)
                .key("pk", pk(handle))
                .key("sk", s("DEVICE"))
                .update_expression("SET next_poll_at = :next, pause = :pause")
                .condition_expression(
                    "next_poll_at = :before AND pause = :same AND attribute_not_exists(opened)",
                )
                .expression_attribute_values(":next", n(after.next_poll_at.0))
                .expression_attribute_values(":pause", n(after.interval.as_secs()))
                .expression_attribute_values(":before", n(before.next_poll_at.0))
                .expression_attribute_values(":same", n(before.interval.as_secs()))
                .send()
        };
        send("pace a device", pace).await
    }

    /// Notes whom Amazon vouched for, in place of the codes, which are used up. Says whether the grant
    /// was still waiting for that.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn meet_device(
        &self,
        handle: &DeviceHandle,
        customer: &Profile,
        expires_at: Timestamp,
    ) -> Result<bool, Error> {
        let told = told(customer);
        let value = |name: &str| (format!(":{name}"), told[name].clone());
        let names: Vec<_> = TOLD.into_iter().filter(|name| told.contains_key(*name)).collect();
        let sets: Vec<_> = names.iter().map(|name| format!("{name} = :{name}")).collect();
        let expression = format!("SET {} REMOVE codes", sets.join(", "));
        let values: Item = names.into_iter().map(value).collect();
        let meet = Update::builder()
            .table_name(&self.table)
            .key("pk", pk(handle))
            .key("sk", s("DEVICE"))
            .update_expression(&expression)
            // Our own first try, whose answer got lost, has removed the codes already.
            .condition_expression("attribute_exists(codes) OR amazon_user_id = :amazon_user_id")
            .set_expression_attribute_values(Some(values));
        let ttl = n((expires_at + TTL_SLACK).0);
        let point = Put::builder()
            .table_name(&self.table)
            .item("pk", s(LinkTicket::tag_of(&customer.user_id)))
            .item("sk", pk(handle))
            .item("ttl", ttl.clone())
            .condition_expression("attribute_not_exists(pk) OR #ttl = :ttl")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", ttl);
        let meet = meet.build().map_err(failed("note a device's customer"))?;
        let point = point.build().map_err(failed("note a device's customer"))?;
        let writes = vec![Write::update(Part::Device, meet), Write::put(Part::Ticket, point)];
        Ok(commit(&self.client, writes).await? == Commit::Done)
    }

    /// Ends a grant that Amazon will do nothing for any more.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn end_device(&self, handle: &DeviceHandle) -> Result<(), Error> {
        let end = || {
            self.client
                .delete_item()
                .table_name(&self.table)
                .key("pk", pk(handle))
                .key("sk", s("DEVICE"))
                .condition_expression("attribute_not_exists(pk) OR attribute_exists(codes)")
                .send()
        };
        send("end a device's grant", end).await.map(drop)
    }

    /// Notes that the person is in, along with the session that it opens, if nobody was before them.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub(crate) fn letting_device_in(
        &self,
        handle: &DeviceHandle,
        token: &SessionToken,
        now: Timestamp,
    ) -> Result<Write, Error> {
        const TO: &str = "let a device in";

        let sealed = handle.seal_session(token);
        let sealed = sealed.ok_or_else(|| Error::Failed(TO, "its session is not sealed".into()))?;
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", pk(handle))
            .key("sk", s("DEVICE"))
            .update_expression(format!(
                "SET opened = :opened, done_at = :now REMOVE {}",
                TOLD.join(", ")
            ))
            .condition_expression("attribute_exists(amazon_user_id) AND expires_at > :now")
            .expression_attribute_values(":opened", AttributeValue::B(Blob::new(sealed)))
            .expression_attribute_values(":now", n(now.0));
        Ok(Write::update(Part::Device, update.build().map_err(failed(TO))?))
    }
}

fn pk(handle: &DeviceHandle) -> AttributeValue {
    s(format!("DEVICE#{}", handle.hash()))
}

/// What Amazon told, as attributes.
fn told(customer: &Profile) -> Item {
    let mut told = row([("amazon_user_id", s(customer.user_id.as_str()))]);
    put_optional(&mut told, "amazon_email", customer.email.as_ref().map(Email::as_str));
    put_optional(&mut told, "amazon_name", customer.name.as_deref());
    put_optional(&mut told, "amazon_postal_code", customer.postal_code.as_deref());
    told
}

pub(crate) fn print(handle: &DeviceHandle, grant: &Grant) -> Item {
    let mut item = row([
        ("pk", pk(handle)),
        ("sk", s("DEVICE")),
        ("pause", n(grant.interval.as_secs())),
        ("next_poll_at", n(grant.next_poll_at.0)),
        ("expires_at", n(grant.expires_at.0)),
        ("ttl", n((grant.expires_at + TTL_SLACK).0)),
    ]);
    let sealed = |bytes: &[u8]| AttributeValue::B(Blob::new(bytes));
    item.extend(match &grant.stage {
        Stage::Pending(codes) => row([("codes", sealed(codes))]),
        Stage::Known(customer) => told(customer),
        Stage::Done(opened, at) => row([("opened", sealed(opened)), ("done_at", n(at.0))]),
    });
    item
}

pub(crate) fn parse(row: &Item) -> Result<Grant, Error> {
    let stage = if let Some(opened) = bytes(row, "opened")? {
        Stage::Done(opened, moment(row, "done_at")?)
    } else if let Some(codes) = bytes(row, "codes")? {
        Stage::Pending(codes)
    } else {
        Stage::Known(Profile {
            user_id: text(row, "amazon_user_id", AmazonUserId::parse)?,
            email: optional_text(row, "amazon_email", Email::parse)?,
            name: optional(row, "amazon_name")?.map(str::to_owned),
            postal_code: optional(row, "amazon_postal_code")?.map(str::to_owned),
        })
    };
    Ok(Grant {
        stage,
        interval: Duration::from_secs(number(row, "pause")?),
        next_poll_at: moment(row, "next_poll_at")?,
        expires_at: moment(row, "expires_at")?,
    })
}

fn bytes(row: &Item, name: &'static str) -> Result<Option<Vec<u8>>, Error> {
    match row.get(name) {
        None => Ok(None),
        Some(AttributeValue::B(bytes)) => Ok(Some(bytes.as_ref().to_vec())),
        Some(_) => Err(Error::Row(name)),
    }
}

#[cfg(test)]
mod tests {
    use domain::{Timestamp, device::Codes};
    use proptest::{prelude::*, sample::select, test_runner::TestRunner};

    use super::*;
    use crate::Error;

    fn handle() -> DeviceHandle {
        DeviceHandle::presented("Zs9KdLfGaBcNeMiPuRwQhE3bQ4nYyqv0T2o3mJ5r7Xw").unwrap()
    }

    /// Tries a property. A failure prints the smallest input that it was found with.
    #[track_caller]
    fn holds<S: Strategy>(inputs: S, property: impl Fn(S::Value)) {
        let config = ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() };
        let outcome = TestRunner::new(config).run(&inputs, |input| {
            property(input);
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
    }

    fn profile() -> impl Strategy<Value = Profile> {
        let text = || prop::option::of("\\PC{1,20}");
        ("[A-Za-z0-9._-]{1,128}", any::<bool>(), text(), text()).prop_map(
            |(id, has_email, name, postal_code)| Profile {
                user_id: AmazonUserId::parse(&id).unwrap(),
                email: has_email.then(|| Email::parse("Ann@Example.com").unwrap()),
                name,
                postal_code,
            },
        )
    }

    fn grant() -> impl Strategy<Value = Grant> {
        let sealed = || prop::collection::vec(any::<u8>(), 0..80);
        let moment = || any::<i64>().prop_map(Timestamp);
        let stage = prop_oneof![
            sealed().prop_map(Stage::Pending),
            profile().prop_map(Stage::Known),
            (sealed(), moment()).prop_map(|(opened, at)| Stage::Done(opened, at)),
        ];
        (stage, any::<u32>(), moment(), moment()).prop_map(
            |(stage, pause, next_poll_at, expires_at)| Grant {
                stage,
                interval: Duration::from_secs(pause.into()),
                next_poll_at,
                expires_at,
            },
        )
    }

    #[test]
    fn f_item_a_television_is_read_as_it_was_written() {
        holds(grant(), |grant| {
            let row = print(&handle(), &grant);
            assert_eq!(parse(&row).unwrap(), grant);
            assert!(row.values().all(|value| {
                value.as_s().map_or(true, |text| !text.contains(handle().expose()))
            }));
        });
    }

    #[test]
    fn f_item_a_row_that_is_no_televisions_is_none_at_all() {
        let names = ["pause", "next_poll_at", "expires_at", "codes", "opened", "done_at"];
        let names = names.into_iter().chain(TOLD).collect::<Vec<_>>();
        let value = prop_oneof![
            Just(None),
            "\\PC{0,8}".prop_map(|text| Some(s(text))),
            "[-+0-9.e]{0,5}".prop_map(|number| Some(AttributeValue::N(number))),
            any::<bool>().prop_map(|truth| Some(AttributeValue::Bool(truth))),
            Just(Some(AttributeValue::B(Blob::new("x")))),
        ];
        holds((grant(), select(names), value), |(grant, name, value)| {
            let mut row = print(&handle(), &grant);
            match value {
                Some(value) => row.insert(name.to_owned(), value),
                None => row.remove(name),
            };
            match parse(&row) {
                // Whatever is read is what the row says.
                Ok(read) => {
                    let again = print(&handle(), &read);
                    for (name, value) in &again {
                        if !["ttl", "pk", "sk"].contains(&name.as_str()) {
                            let same = row[name] == *value || row[name].is_n();
                            assert!(same, "{name}: {value:?} of {:?}", row[name]);
                        }
                    }
                }
                Err(error) => assert!(matches!(error, Error::Row(_)), "{error:?}"),
            }
        });
    }

    #[test]
    fn h04_f_seal_what_a_row_keeps_of_the_codes_is_opened_by_its_handle_alone() {
        let codes = ("[!-~]{1,1024}", "[A-Za-z0-9-]{1,32}");
        holds((codes, any::<[u8; 32]>(), any::<prop::sample::Index>(), 1_u8..), |input| {
            let ((device, user), bytes, at, bend) = input;
            let codes = Codes::new(&device, &user).unwrap();
            let mut sealed = handle().seal_codes(&codes).unwrap();
            assert_eq!(handle().open_codes(&sealed).as_ref(), Some(&codes));
            let other = base64(&bytes);
            assert_eq!(DeviceHandle::presented(&other).unwrap().open_codes(&sealed), None);
            assert!(handle().open_session(&sealed).is_none());
            let at = at.index(sealed.len());
            sealed[at] ^= bend;
            assert_eq!(handle().open_codes(&sealed), None, "byte {at}");
        });
    }

    /// Thirty-two bytes as handles are written.
    fn base64(bytes: &[u8; 32]) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits = |at: usize| {
            (0..6).fold(0, |digit, bit| {
                let bit = at * 6 + bit;
                let byte = bytes.get(bit / 8).copied().unwrap_or_default();
                digit << 1 | usize::from(byte >> (7 - bit % 8) & 1)
            })
        };
        (0..43).map(|at| char::from(DIGITS[bits(at)])).collect()
    }
}
