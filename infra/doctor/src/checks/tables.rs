//! Our three tables, as DynamoDB describes them.

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata as _,
    types::{
        KeyType, PointInTimeRecoveryStatus, ScalarAttributeType, TableDescription, TableStatus,
        TimeToLiveDescription, TimeToLiveStatus,
    },
};

use crate::{
    deployment::said,
    round::{Check, Otherwise, Round, Seen, not_checked, ok, wrong},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "tables",
        name: "Our three tables are there, with their keys",
        after: &["settings", "endpoints"],
        mend: "Set IDENTITIES_TABLE, SESSIONS_TABLE and TICKETS_TABLE to the tables of the stack: the template makes them, with the keys pk, and pk and sk.",
        read: "Settings",
    },
    Check {
        id: "tables-expire",
        name: "Short-lived rows expire, and links never do",
        after: &["tables"],
        mend: "Switch time to live on for the attribute `ttl` of SESSIONS_TABLE and TICKETS_TABLE, and off for IDENTITIES_TABLE, as the template has it.",
        read: "Settings",
    },
    Check {
        id: "links-kept",
        name: "Links can be brought back, and their table not deleted by mistake",
        after: &["tables"],
        mend: "Switch point-in-time recovery and deletion protection on for IDENTITIES_TABLE, as the template has it: without links everybody proves their password once more.",
        read: "Settings",
    },
];

/// A table of ours: its setting, and whether its key has a second part.
const TABLES: [(&str, bool); 3] =
    [("IDENTITIES_TABLE", false), ("SESSIONS_TABLE", true), ("TICKETS_TABLE", true)];

pub(super) async fn look(round: &mut Round<'_>) {
    if !round.is_due("tables") {
        return;
    }
    let client = Client::new(&round.deployment.aws.dynamodb);
    let name = |setting| round.deployment.setting(setting).unwrap_or_default();
    let mut seen = ok();
    let mut identities = None;
    for (setting, has_sort_key) in TABLES {
        match describe(&client, name(setting)).await {
            Ok(table) => {
                if seen.is_ok() {
                    seen = shape(&table, setting, has_sort_key);
                }
                if setting == "IDENTITIES_TABLE" {
                    identities = Some(table);
                }
            }
            Err(otherwise) if seen.is_ok() => {
                seen = Err(otherwise.saying(|said| format!("{setting}: {said}")));
            }
            Err(_) => {}
        }
    }
    round.note("tables", seen);
    if round.is_due("tables-expire") {
        let mut seen = ok();
        for (setting, short_lived) in TABLES {
            let described = client.describe_time_to_live().table_name(name(setting)).send().await;
            let one = match described {
                Ok(told) => expiry(told.time_to_live_description(), setting, short_lived),
                Err(error) => not_checked(format!("{setting}: {}", said(&error))),
            };
            if seen.is_ok() {
                seen = one;
            }
        }
        round.note("tables-expire", seen);
    }
    if round.is_due("links-kept") {
        let seen = match (&round.deployment.stack, identities) {
            (Some(_), Some(table)) => {
                let recovery = recovery(&client, name("IDENTITIES_TABLE")).await;
                recovery.and_then(|recovery| kept(&table, recovery))
            }
            (Some(_), None) => not_checked("the table could not be described"),
            (None, _) => not_checked("a table on this machine has neither"),
        };
        round.note("links-kept", seen);
    }
}

/// What DynamoDB says of a table.
pub(super) async fn describe(client: &Client, name: &str) -> Result<TableDescription, Otherwise> {
    match client.describe_table().table_name(name).send().await {
        Ok(described) => match described.table {
            Some(table) => Ok(table),
            None => not_checked("DynamoDB does not describe it"),
        },
        Err(error) => match error.code() {
            Some("ResourceNotFoundException") => wrong(format!("there is no table {name}")),
            Some("AccessDeniedException") => {
                not_checked("you are not allowed to describe it (dynamodb:DescribeTable)")
            }
            _ => not_checked(said(&error)),
        },
    }
}

async fn recovery(client: &Client, name: &str) -> Result<bool, Otherwise> {
    let described = client.describe_continuous_backups().table_name(name).send().await;
    let described = described.map_err(|error| Otherwise::NotChecked(said(&error)))?;
    let told = described.continuous_backups_description();
    let recovery = told.and_then(|told| told.point_in_time_recovery_description());
    let status = recovery.and_then(|recovery| recovery.point_in_time_recovery_status());
    Ok(status == Some(&PointInTimeRecoveryStatus::Enabled))
}

fn shape(table: &TableDescription, setting: &str, has_sort_key: bool) -> Seen {
    if !matches!(table.table_status(), Some(TableStatus::Active | TableStatus::Updating)) {
        return wrong(format!("the table of {setting} is not active"));
    }
    let key = |kind: &KeyType| {
        let mut elements = table.key_schema().iter().filter(|one| one.key_type() == kind);
        elements.next().map(|one| one.attribute_name())
    };
    let is_text = |name: &str| {
        let mut all = table.attribute_definitions().iter();
        all.any(|one| {
            one.attribute_name() == name && one.attribute_type() == &ScalarAttributeType::S
        })
    };
    let expected = (Some("pk"), has_sort_key.then_some("sk"));
    let is_right = (key(&KeyType::Hash), key(&KeyType::Range)) == expected
        && is_text("pk")
        && (!has_sort_key || is_text("sk"));
    let keys = if has_sort_key { "the texts pk and sk" } else { "the text pk" };
    if is_right { ok() } else { wrong(format!("the key of {setting} is not {keys}")) }
}

fn expiry(told: Option<&TimeToLiveDescription>, setting: &str, short_lived: bool) -> Seen {
    let on = |one: &&TimeToLiveDescription| {
        let status = one.time_to_live_status();
        matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
    };
    let attribute = told.filter(on).and_then(|told| told.attribute_name());
    match (short_lived, attribute) {
        (true, Some("ttl")) | (false, None) => ok(),
        (true, Some(other)) => {
            wrong(format!("rows of {setting} expire by {other}, and not by ttl"))
        }
        (true, None) => wrong(format!("rows of {setting} never expire")),
        (false, Some(other)) => wrong(format!("rows of {setting} expire, by {other}")),
    }
}

fn kept(identities: &TableDescription, recovery: bool) -> Seen {
    match (recovery, identities.deletion_protection_enabled() == Some(true)) {
        (true, true) => ok(),
        (true, false) => wrong("deletion protection is off"),
        (false, true) => wrong("point-in-time recovery is off"),
        (false, false) => wrong("point-in-time recovery and deletion protection are off"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{AttributeDefinition, KeySchemaElement};

    use super::*;

    fn table(keys: &[(&str, KeyType, ScalarAttributeType)]) -> TableDescription {
        let mut table = TableDescription::builder().table_status(TableStatus::Active);
        for (name, kind, of) in keys {
            let element = KeySchemaElement::builder().attribute_name(*name).key_type(kind.clone());
            let of =
                AttributeDefinition::builder().attribute_name(*name).attribute_type(of.clone());
            table = table.key_schema(element.build().unwrap());
            table = table.attribute_definitions(of.build().unwrap());
        }
        table.build()
    }

    #[test]
    fn a_table_has_its_keys_and_no_others() {
        use {KeyType::*, ScalarAttributeType::*};
        let one = table(&[("pk", Hash, S)]);
        let two = table(&[("pk", Hash, S), ("sk", Range, S)]);
        assert!(shape(&one, "IDENTITIES_TABLE", false).is_ok());
        assert!(shape(&two, "SESSIONS_TABLE", true).is_ok());
        assert!(shape(&one, "SESSIONS_TABLE", true).is_err());
        assert!(shape(&two, "IDENTITIES_TABLE", false).is_err());
        assert!(shape(&table(&[("id", Hash, S)]), "IDENTITIES_TABLE", false).is_err());
        assert!(shape(&table(&[("pk", Hash, N)]), "IDENTITIES_TABLE", false).is_err());
    }

    #[test]
    fn what_is_short_lived_expires_by_its_attribute() {
        let by = |name: &str, status| {
            TimeToLiveDescription::builder()
                .attribute_name(name)
                .time_to_live_status(status)
                .build()
        };
        let (ttl, other) =
            (by("ttl", TimeToLiveStatus::Enabled), by("expires", TimeToLiveStatus::Enabled));
        let off = by("ttl", TimeToLiveStatus::Disabled);
        assert!(expiry(Some(&ttl), "SESSIONS_TABLE", true).is_ok());
        assert!(expiry(Some(&off), "IDENTITIES_TABLE", false).is_ok());
        assert!(expiry(None, "IDENTITIES_TABLE", false).is_ok());
        for (told, short_lived) in
            [(Some(&other), true), (Some(&off), true), (None, true), (Some(&ttl), false)]
        {
            assert!(expiry(told, "X", short_lived).is_err(), "{told:?}");
        }
    }

    #[test]
    fn links_are_kept_by_both_means() {
        let table = |on| TableDescription::builder().deletion_protection_enabled(on).build();
        assert!(kept(&table(true), true).is_ok());
        assert!(kept(&table(false), true).is_err() && kept(&table(true), false).is_err());
    }
}
