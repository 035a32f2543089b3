//! A stack: what CloudFormation knows of it, and its functions' environments.

use std::{collections::BTreeMap, time::Duration};

use aws_config::{
    BehaviorVersion, ecs::EcsCredentialsProvider, imds::credentials::ImdsCredentialsProvider,
    meta::credentials::CredentialsProviderChain, profile::ProfileFileCredentialsProvider,
    provider_config::ProviderConfig, timeout::TimeoutConfig,
    web_identity_token::WebIdentityTokenCredentialsProvider,
};
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sdk_cloudformation::{
    Client as Cloudformation,
    types::{Stack as Described, StackResourceSummary},
};
use aws_sdk_lambda::{
    Client as Lambda,
    error::ProvideErrorMetadata,
    types::{LastUpdateStatus, State},
};

use super::{Aws, Deployment, FUNCTIONS, Function};
use crate::{Error, setting};

/// What CloudFormation tells of a stack.
pub(crate) struct Stack {
    /// How its last deployment ended, such as `UPDATE_COMPLETE`.
    pub(crate) status: String,
    /// The address of its API, which the site passes `/auth/*` on to.
    pub(crate) api: Option<String>,
    /// The customer-managed key that the table of accounts is said to be encrypted with.
    pub(crate) accounts_key: Option<String>,
    /// Functions that are not there.
    pub(crate) missing: Vec<&'static str>,
}

pub(super) async fn read(name: &str) -> Result<Deployment, Error> {
    let config = sign_in().await?;
    let region = config.region().map(ToString::to_string).ok_or(NO_REGION)?;
    let cloudformation = Cloudformation::new(&config);
    let described = describe(&cloudformation, name, &region).await?;
    let resources = list(&cloudformation, name).await?;
    let lambda = Lambda::new(&config);
    let (mut functions, mut missing) = (Vec::new(), Vec::new());
    for (function, _) in FUNCTIONS {
        match address(&resources, function) {
            Some(address) => functions.push(ask(&lambda, function, &address, &region).await?),
            None => missing.push(function),
        }
    }
    let said = |key: &str| {
        let outputs = described.outputs().iter();
        let value =
            outputs.filter(|one| one.output_key() == Some(key)).find_map(|one| one.output_value());
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let given = |key: &str| {
        let parameters = described.parameters().iter();
        let value = parameters
            .filter(|one| one.parameter_key() == Some(key))
            .find_map(|one| one.parameter_value());
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let status = described.stack_status().map(ToString::to_string).unwrap_or_default();
    let accounts_key = given("AccountsTableKmsKeyArn");
    let stack = Stack { status, api: said("ApiUrl"), accounts_key, missing };
    let own = |name: &str, service: &str| {
        let own = setting(name).or_else(|| setting("AWS_ENDPOINT_URL"));
        own.unwrap_or_else(|| endpoint(service, &region))
    };
    let endpoints = [
        own("AWS_ENDPOINT_URL_DYNAMODB", "dynamodb"),
        own("AWS_ENDPOINT_URL_SECRETS_MANAGER", "secretsmanager"),
    ];
    let aws = Aws { dynamodb: config.clone(), lambda: config.clone(), secrets: config, endpoints };
    Ok(Deployment { functions, stack: Some(stack), region, aws })
}

const NO_REGION: &str = "No region is known: set AWS_REGION to the one of `sam deploy`.";

/// The address of a service of AWS's in a region.
pub(super) fn endpoint(service: &str, region: &str) -> String {
    let china = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{service}.{region}.amazonaws.com{china}/")
}

/// As AWS's own tools do it, save that the credentials of `.cargo/config.toml`, which are for tests, are
/// none.
async fn sign_in() -> Result<aws::Config, Error> {
    let placeholder = aws::config(aws::Place { region: "us-east-1".to_owned(), endpoint: None })?;
    let http = placeholder.http_client().ok_or("There is no TLS.")?;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(20))
        .build();
    let loader = aws_config::defaults(BehaviorVersion::latest());
    let loader = loader.http_client(http.clone()).timeout_config(timeouts);
    let config = if setting("AWS_ACCESS_KEY_ID").as_deref() == Some("local") {
        let config = loader.no_credentials().load().await;
        let place = ProviderConfig::default().with_http_client(http);
        let place = place.with_region(config.region().cloned());
        let profile = ProfileFileCredentialsProvider::builder().configure(&place).build();
        let token = WebIdentityTokenCredentialsProvider::builder().configure(&place).build();
        let task = EcsCredentialsProvider::builder().configure(&place).build();
        let machine = ImdsCredentialsProvider::builder().configure(&place).build();
        let chain = CredentialsProviderChain::first_try("Profile", profile)
            .or_else("WebIdentityToken", token)
            .or_else("Ecs", task)
            .or_else("Imds", machine);
        config.into_builder().credentials_provider(SharedCredentialsProvider::new(chain)).build()
    } else {
        loader.load().await
    };
    let provider = config.credentials_provider().ok_or(NO_CREDENTIALS)?;
    provider
        .provide_credentials()
        .await
        .map_err(|error| format!("{NO_CREDENTIALS} ({})", last(&error)))?;
    Ok(config)
}

const NO_CREDENTIALS: &str = "Nobody is signed in to AWS here: `aws sts get-caller-identity` says so \
                              too. Sign in (`aws sso login`, `aws configure`), or set AWS_PROFILE.";

async fn describe(
    cloudformation: &Cloudformation,
    name: &str,
    region: &str,
) -> Result<Described, Error> {
    let described = cloudformation.describe_stacks().stack_name(name).send().await;
    let described = described.map_err(|error| match error.message() {
        Some(message) if message.contains("does not exist") => format!(
            "There is no stack {name} in {region}: say the name that `sam deploy` was given, and set \
             AWS_REGION and AWS_PROFILE to where it went."
        ),
        _ => format!("CloudFormation does not tell of the stack: {}.", said(&error)),
    })?;
    let stack = described.stacks.and_then(|stacks| stacks.into_iter().next());
    Ok(stack.ok_or("CloudFormation tells of no stack.")?)
}

async fn list(
    cloudformation: &Cloudformation,
    name: &str,
) -> Result<Vec<StackResourceSummary>, Error> {
    let pages = cloudformation.list_stack_resources().stack_name(name).into_paginator();
    let listed = pages.items().send().collect::<Result<_, _>>().await;
    listed.map_err(|error| {
        format!("CloudFormation does not tell what the stack has: {}.", said(&error)).into()
    })
}

/// By what a function is asked for: the alias that its route leads to, where there is one, else its name.
fn address(resources: &[StackResourceSummary], function: &str) -> Option<String> {
    let (first, rest) = function.split_at(1);
    let id = format!("{}{rest}Function", first.to_ascii_uppercase());
    let physical = |one: &StackResourceSummary| one.physical_resource_id().map(str::to_owned);
    let found = resources.iter().find(|one| one.logical_resource_id() == Some(&id));
    let name = found.and_then(physical)?;
    let alias = resources.iter().filter(|one| one.resource_type() == Some("AWS::Lambda::Alias"));
    let alias = alias.filter_map(physical).find(|arn| arn.contains(&format!(":function:{name}:")));
    Some(alias.unwrap_or(name))
}

async fn ask(
    lambda: &Lambda,
    name: &'static str,
    address: &str,
    region: &str,
) -> Result<Function, Error> {
    let found = lambda.get_function_configuration().function_name(address).send().await;
    let found =
        found.map_err(|error| format!("Lambda does not tell of {name}: {}.", said(&error)))?;
    let why = |reason: Option<&str>| reason.unwrap_or("Lambda does not say why").to_owned();
    let unread = found.environment().and_then(|environment| environment.error());
    let problem = if let Some(error) = unread {
        Some(why(error.message()))
    } else if found.state() == Some(&State::Failed) {
        Some(why(found.state_reason()))
    } else if found.last_update_status() == Some(&LastUpdateStatus::Failed) {
        Some(why(found.last_update_status_reason()))
    } else {
        None
    };
    let variables = found.environment.and_then(|environment| environment.variables);
    let mut settings: BTreeMap<_, _> = variables.unwrap_or_default().into_iter().collect();
    // Lambda sets it, and does not tell of it.
    settings.insert("AWS_REGION".to_owned(), region.to_owned());
    Ok(Function { name, settings, problem })
}

/// What a service of AWS's said, in one line.
pub(crate) fn said(error: &(impl ProvideErrorMetadata + std::error::Error + 'static)) -> String {
    error.code().map_or_else(|| format!("it does not answer ({})", last(error)), str::to_owned)
}

/// The innermost cause, which says what happened.
fn last(error: &(dyn std::error::Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |error| error.source()).last();
    last.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(id: &str, kind: &str, physical: &str) -> StackResourceSummary {
        let resource = StackResourceSummary::builder().logical_resource_id(id).resource_type(kind);
        resource.physical_resource_id(physical).build()
    }

    #[test]
    fn a_function_is_asked_for_by_its_alias_where_it_has_one() {
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:shop-LoginFunction-1:live";
        let resources = [
            resource("LoginFunction", "AWS::Lambda::Function", "shop-LoginFunction-1"),
            resource("LoginFunctionAliaslive", "AWS::Lambda::Alias", arn),
            resource("LinkFunction", "AWS::Lambda::Function", "shop-LinkFunction-2"),
        ];
        assert_eq!(address(&resources, "login").as_deref(), Some(arn));
        assert_eq!(address(&resources, "link").as_deref(), Some("shop-LinkFunction-2"));
        assert_eq!(address(&resources, "session"), None);
    }
}
