//! The account system: a look at a table's shape and first page, or the first questions to a site or a
//! function.

use accounts::{Accounts, ByEmail, System as _};
use accounts_check::{Defect, Figures, Place, Shape};
use aws_sdk_dynamodb::{
    Client,
    types::{SseType, TableDescription},
};
use domain::Email;
use secret::Secret;

use super::tables::describe;
use crate::round::{Check, Round, Seen, advice, not_checked, ok, wrong};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "accounts-table",
        name: "The table of accounts is there, with its key",
        after: &["settings", "endpoints"],
        mend: "Set ACCOUNTS_TABLE to your table, and `id` of ACCOUNTS_ATTRIBUTES to its key, which is one text.",
        read: "A DynamoDB table",
    },
    Check {
        id: "accounts-index",
        name: "Its index finds accounts by address",
        after: &["accounts-table"],
        mend: "Set ACCOUNTS_EMAIL_INDEX to an index whose key is the address, or what `email_key` of ACCOUNTS_ATTRIBUTES names; create it where there is none.",
        read: "A DynamoDB table",
    },
    Check {
        id: "accounts-rows",
        name: "Its accounts are what ACCOUNTS_ATTRIBUTES says",
        after: &["accounts-index"],
        mend: "Set ACCOUNTS_ATTRIBUTES to what your table calls things, and ACCOUNTS_DIGEST if its hashes are plain digests; `accounts-check survey` looks at all of them.",
        read: "A DynamoDB table",
    },
    Check {
        id: "accounts-key",
        name: "The functions may decrypt it",
        after: &["accounts-table"],
        mend: "Set the parameter AccountsTableKmsKeyArn to the key of ACCOUNTS_TABLE, if that is one of yours.",
        read: "A DynamoDB table",
    },
    Check {
        id: "accounts",
        name: "An address that nobody has finds nobody",
        after: &["settings", "endpoints", "webhook-secret", "accounts-table", "accounts-index"],
        mend: "Ask it everything with `accounts-check`, which says how to mend each; see ACCOUNTS_WEBHOOK_URL, ACCOUNTS_WEBHOOK_SECRET_ARN and ACCOUNTS_FUNCTION_ARN.",
        read: "Connect your accounts",
    },
];

/// Of `example.com`, which nobody can have an address of.
const NOBODY: &str = "lwa-doctor+nobody@example.com";

pub(super) async fn look(round: &mut Round<'_>) {
    let settings = round.deployment.settings();
    let client = Client::new(&round.deployment.aws.dynamodb);
    // Without settings nothing of this is due.
    let Ok(system) = entrance::accounts(&settings, &client) else { return };
    let Accounts::Table(table) = system else {
        for id in ["accounts-table", "accounts-index", "accounts-rows", "accounts-key"] {
            round.note(id, Ok("accounts are asked about elsewhere".to_owned()));
        }
        if round.is_due("accounts") {
            let seen = elsewhere(round).await;
            round.note("accounts", seen);
        }
        return;
    };
    if !round.is_due("accounts-table") {
        return;
    }
    let place = Place {
        table: table.table.clone(),
        email_index: table.email_index.clone(),
        attributes: table.attributes.clone(),
        digest: table.digest.clone(),
    };
    let described = describe(&client, &table.table).await;
    let shape = match &described {
        Ok(_) => Shape::of(&client, &place).await.map_err(|error| error.to_string()),
        Err(_) => Err(String::new()),
    };
    match (&described, shape) {
        (Err(otherwise), _) => {
            round.note("accounts-table", Err(otherwise.clone()));
            if round.is_due("accounts-index") {
                round.note("accounts-index", Err(otherwise.clone()));
            }
        }
        (_, Err(said)) => {
            round.note("accounts-table", not_checked(said.clone()));
            round.note("accounts-index", not_checked(said));
        }
        (_, Ok(shape)) => {
            round.note("accounts-table", shape.key.map_or_else(ok, wrong));
            if round.is_due("accounts-index") {
                round.note("accounts-index", shape.index.map_or_else(ok, wrong));
            }
        }
    }
    if round.is_due("accounts-rows") {
        let seen = match accounts_check::first_page(client, place).await {
            Ok(figures) => rows(&figures),
            Err(error) => not_checked(error.to_string()),
        };
        round.note("accounts-rows", seen);
    }
    if round.is_due("accounts-key")
        && let Ok(described) = &described
    {
        let said = round.deployment.stack.as_ref().map(|stack| stack.accounts_key.as_deref());
        let seen = said.map_or_else(ok, |said| key(described, said));
        round.note("accounts-key", seen);
    }
    if round.is_due("accounts") {
        let nobody = Email::parse(NOBODY);
        let seen = match nobody {
            Some(nobody) => match table.find_by_email(&nobody).await {
                Ok(ByEmail::Nobody) => ok(),
                Ok(_) => wrong("somebody was found"),
                Err(error @ accounts::Error::Index(_)) => wrong(error.to_string()),
                Err(error) => not_checked(error.to_string()),
            },
            None => not_checked("the address is none"),
        };
        round.note("accounts", seen);
    }
}

/// The first questions of `accounts-check`.
async fn elsewhere(round: &Round<'_>) -> Seen {
    let settings = round.deployment.settings();
    let aws = &round.deployment.aws;
    let asked = if let Ok("webhook") = settings.one_of("ACCOUNTS", ["table", "webhook", "function"])
    {
        let url = settings.optional("ACCOUNTS_WEBHOOK_URL").unwrap_or_default();
        let arn = settings.optional("ACCOUNTS_WEBHOOK_SECRET_ARN").unwrap_or_default();
        let secret = Secret::stored(&aws.secrets, arn.to_owned(), "webhook_secret");
        let Ok(secret) = secret.read(domain::Clock::System.now()).await else {
            return not_checked("its secret cannot be read");
        };
        accounts_check::ask_webhook(url, &secret).await
    } else {
        let arn = settings.optional("ACCOUNTS_FUNCTION_ARN").unwrap_or_default();
        accounts_check::ask_function(&aws.lambda, arn).await
    };
    match asked {
        Ok(defects) => answers(&defects),
        Err(error) => wrong(error.to_string().trim_end_matches('.').to_owned()),
    }
}

fn answers(defects: &[Defect]) -> Seen {
    let said = |Defect { id, name, seen }: &Defect| format!("not so: {name} ({id}: {seen})");
    match defects {
        [] => Ok("and nobody else may ask".to_owned()),
        [one] => wrong(said(one)),
        [first, ..] => wrong(format!("{}, and {} more", said(first), defects.len() - 1)),
    }
}

fn rows(page: &Figures) -> Seen {
    let sum = |counts: &std::collections::BTreeMap<String, u64>| counts.values().sum::<u64>();
    let (all, supported) = (page.accounts, sum(&page.passwords));
    let unsupported = sum(&page.unsupported_passwords);
    if all == 0 {
        return Ok("there are none yet".to_owned());
    }
    let of = format!("of {all} that were looked at");
    if page.improper_id == all {
        return wrong(format!("{of} none has an id that is a text of 1 to 256 bytes"));
    }
    if page.usable_address == 0 {
        return wrong(format!("{of} none has an address"));
    }
    if supported == 0 && unsupported > 0 {
        return wrong(format!("{of} none has a password hash that is supported"));
    }
    if sum(&page.active) == 0 {
        return wrong(format!("{of} none may enter, by its status"));
    }
    if supported == 0 {
        return advice(format!("{of} none has a password, so nobody can link one"));
    }
    if page.need_email_key > 0 {
        let needing = page.need_email_key;
        return advice(format!("{of} {needing} are not found in every spelling of their address"));
    }
    if unsupported > 0 {
        return advice(format!("{of} {unsupported} have a password hash that is not supported"));
    }
    Ok(of)
}

/// Whether the key that the table is encrypted with is the one that the functions may use.
fn key(table: &TableDescription, said: Option<&str>) -> Seen {
    let sse = table.sse_description().filter(|sse| sse.sse_type() == Some(&SseType::Kms));
    let arn = sse.and_then(|sse| sse.kms_master_key_arn());
    match (arn, said) {
        (None, None) => ok(),
        (Some(arn), Some(said)) if arn == said => ok(),
        (Some(_), None) => {
            Ok("with a key of KMS; one of your own needs AccountsTableKmsKeyArn".to_owned())
        }
        (_, Some(_)) => wrong("AccountsTableKmsKeyArn is not the key that it is encrypted with"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::SseDescription;

    use super::*;
    use crate::round::Otherwise::{Advice, Wrong};

    /// Two accounts as they should be.
    fn page() -> Figures {
        let two = |word: &str| [(word.to_owned(), 2)].into();
        let (passwords, active) = (two("bcrypt"), two("absent"));
        Figures { accounts: 2, usable_address: 2, passwords, active, ..Figures::default() }
    }

    #[test]
    fn a_page_of_accounts_is_judged_by_what_would_keep_everybody_out() {
        assert!(rows(&page()).is_ok() && rows(&Figures::default()).is_ok());
        for wrong in [
            Figures { improper_id: 2, ..page() },
            Figures { usable_address: 0, no_address: 2, ..page() },
            Figures { active: Default::default(), ..page() },
            Figures {
                passwords: Default::default(),
                unsupported_passwords: [("MD5".to_owned(), 2)].into(),
                ..page()
            },
        ] {
            assert!(matches!(rows(&wrong), Err(Wrong(_))), "{wrong:?}");
        }
        for odd in [
            Figures { need_email_key: 1, ..page() },
            Figures { passwords: Default::default(), no_password: 2, ..page() },
            Figures { unsupported_passwords: [("MD5".to_owned(), 1)].into(), ..page() },
        ] {
            assert!(matches!(rows(&odd), Err(Advice(_))), "{odd:?}");
        }
    }

    #[test]
    fn the_key_of_a_table_is_the_one_that_the_functions_may_use() {
        let (ours, other) =
            ("arn:aws:kms:eu-central-1:1:key/a", "arn:aws:kms:eu-central-1:1:key/b");
        let sse = SseDescription::builder().sse_type(SseType::Kms).kms_master_key_arn(ours).build();
        let encrypted = TableDescription::builder().sse_description(sse).build();
        let plain = TableDescription::builder().build();
        assert!(key(&encrypted, Some(ours)).is_ok() && key(&encrypted, None).is_ok());
        assert!(key(&plain, None).is_ok());
        assert!(key(&encrypted, Some(other)).is_err() && key(&plain, Some(ours)).is_err());
    }
}
