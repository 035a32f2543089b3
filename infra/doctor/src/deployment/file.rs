//! The functions' settings in a file, as `cargo local` writes it and `cargo lambda watch` takes it. All
//! functions have the same.

use std::{collections::BTreeMap, env, fs, path::Path};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use web::Settings;

use super::{Aws, Deployment, FUNCTIONS, Function};
use crate::Error;

/// What `cargo local` has written last: the file lies beside this program.
pub(super) fn local() -> Result<Deployment, Error> {
    let file = env::current_exe()?.with_file_name("local.env");
    if !file.is_file() {
        return Err("`cargo local` was not run here: start it, in another terminal.".into());
    }
    read(&file)
}

pub(super) fn read(path: &Path) -> Result<Deployment, Error> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("{} cannot be read: {error}.", path.display()))?;
    let settings = parse(&text).ok_or_else(|| {
        format!("{} has a line that is none: NAME='value' is one.", path.display())
    })?;
    deployment(settings).map_err(|said| format!("{}: {said}.", path.display()).into())
}

fn deployment(settings: BTreeMap<String, String>) -> Result<Deployment, Error> {
    let read: Settings = settings.clone().into_iter().collect();
    let (region, _) = read.aws("AWS_ENDPOINT_URL")?;
    let at = |endpoint| config(&read, endpoint);
    let url = |endpoint, service: &str| match read.aws(endpoint) {
        Ok((_, Some(url))) => url,
        _ => super::stack::endpoint(service, &region),
    };
    let aws = Aws {
        dynamodb: at("AWS_ENDPOINT_URL_DYNAMODB")?,
        lambda: at("AWS_ENDPOINT_URL_LAMBDA")?,
        secrets: at("AWS_ENDPOINT_URL_SECRETS_MANAGER")?,
        endpoints: [
            url("AWS_ENDPOINT_URL_DYNAMODB", "dynamodb"),
            url("AWS_ENDPOINT_URL_SECRETS_MANAGER", "secretsmanager"),
        ],
    };
    let function = |(name, _)| Function { name, settings: settings.clone(), problem: None };
    Ok(Deployment { functions: FUNCTIONS.map(function).into(), stack: None, region, aws })
}

/// A service at the address that the settings name, by their credentials.
fn config(settings: &Settings, endpoint: &'static str) -> Result<aws::Config, Error> {
    let (region, endpoint) = settings.aws(endpoint)?;
    let text = |name| settings.optional(name).unwrap_or("local").to_owned();
    let (id, secret) = (text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"));
    let session = settings.optional("AWS_SESSION_TOKEN").map(str::to_owned);
    let credentials = Credentials::new(id, secret, session, None, "file");
    let config = aws::config(aws::Place { region, endpoint })?.into_builder();
    Ok(config.credentials_provider(SharedCredentialsProvider::new(credentials)).build())
}

/// Lines of `NAME='value'`, with or without quotes.
fn parse(text: &str) -> Option<BTreeMap<String, String>> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.map(|line| {
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let quoted = ['\'', '"'].into_iter().find_map(|quote| {
            value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote))
        });
        Some((name.trim().to_owned(), quoted.unwrap_or(value).to_owned()))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_and_a_value_with_or_without_quotes() {
        let read = parse("A='b=c'\n\n# no\nexport D=\"e\"\nF=\nG='").unwrap();
        let expected = [("A", "b=c"), ("D", "e"), ("F", ""), ("G", "'")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(parse("A=b\nc"), None);
    }
}
