use accounts::{Accounts, Function, Remote, System as _, Table, Webhook};
use domain::{Clock, notice::Destination};
use secret::Secret;
use web::{Fatal, Settings, Unset};

/// The account system that the settings name. `client` is the one for all tables.
///
/// # Errors
///
/// [`Fatal`] naming the setting that is missing or wrong.
pub fn accounts(settings: &Settings, client: &store::Client) -> Result<Accounts, Fatal> {
    let remote = match settings.one_of("ACCOUNTS", ["table", "webhook", "function"])? {
        "webhook" => {
            let url = settings.https_url("ACCOUNTS_WEBHOOK_URL")?;
            let secret = webhook_secret(settings)?;
            // Without one there is nothing to sign with.
            let secret = secret
                .ok_or(Unset { name: "ACCOUNTS_WEBHOOK_SECRET_ARN", problem: "is missing" })?;
            Remote::Webhook(Webhook::new(url, secret, Clock::System)?)
        }
        "function" => {
            let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_LAMBDA")?;
            let config = aws::config(aws::Place { region, endpoint })?;
            Remote::Function(Function::new(&config, settings.text("ACCOUNTS_FUNCTION_ARN")?))
        }
        _ => {
            return Ok(Accounts::Table(Table {
                client: client.clone(),
                table: settings.text("ACCOUNTS_TABLE")?,
                email_index: settings.parsed("ACCOUNTS_EMAIL_INDEX", "by_email".to_owned())?,
                attributes: settings.parsed("ACCOUNTS_ATTRIBUTES", Default::default())?,
                digest: settings
                    .optional("ACCOUNTS_DIGEST")
                    .map(|text| text.parse().map_err(misdescribed))
                    .transpose()?,
            }));
        }
    };
    Ok(Accounts::Remote(remote))
}

fn misdescribed(digest: passwords::Misdescribed) -> Unset {
    Unset { name: "ACCOUNTS_DIGEST", problem: digest.problem }
}

/// Where owners of accounts are told of what happens to them.
///
/// # Errors
///
/// [`Fatal`] where that is not understood, or is an account system that cannot.
pub fn destination(settings: &Settings, accounts: &Accounts) -> Result<Destination, Fatal> {
    let destination = settings.parsed("NOTICES", Destination::Nowhere)?;
    if destination == Destination::Account && !accounts.capabilities().notifies {
        let problem = "is account, which takes a webhook or a function as ACCOUNTS";
        return Err(Unset { name: "NOTICES", problem }.into());
    }
    Ok(destination)
}

/// What the site's messages are signed with, and ours to the site; none if it signs none.
///
/// # Errors
///
/// [`Fatal`] naming the setting that is missing or wrong.
pub fn webhook_secret(settings: &Settings) -> Result<Option<Secret>, Fatal> {
    let Some(arn) = settings.optional("ACCOUNTS_WEBHOOK_SECRET_ARN") else { return Ok(None) };
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_SECRETS_MANAGER")?;
    let config = aws::config(aws::Place { region, endpoint })?;
    Ok(Some(Secret::stored(&config, arn.to_owned(), "webhook_secret")))
}
