//! How the functions reach AWS: one trimmed configuration for every SDK client.
//!
//! Lambda puts the region and credentials into the environment, so nothing else is looked for. TLS
//! is rustls on ring with the five roots that AWS uses: reading a machine's 145 roots, and the
//! entropy that aws-lc-rs gathers at its first handshake, are what makes small functions start slowly.
//! Whatever is asked is counted (see `tally`).

mod client;

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;

use client::Client;

pub use aws_config::SdkConfig as Config;

/// Where AWS is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The region, `AWS_REGION`.
    pub region: String,
    /// Another address than AWS's own, `AWS_ENDPOINT_URL…`.
    pub endpoint: Option<String>,
}

/// AWS's roots do not parse, which a test rules out.
#[derive(Debug, thiserror::Error)]
#[error("the built-in roots do not parse")]
pub struct Error(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The configuration of a client of one of AWS's services.
///
/// A call is tried three times at most and ends after 4 s; a request has 9 s for all it does.
///
/// # Errors
///
/// [`Error`], never seen.
pub fn config(place: Place) -> Result<Config, Error> {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(2500))
        .operation_timeout(Duration::from_secs(4))
        .build();
    // Requests and answers are in memory as a whole, and what takes too long is given up anyway.
    let streams = StalledStreamProtectionConfig::disabled();
    let credentials = EnvironmentVariableCredentialsProvider::new();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(place.region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Client::new().map_err(Error)?)
        .retry_config(RetryConfig::standard())
        .stalled_stream_protection(streams)
        .timeout_config(timeouts);
    config.set_endpoint_url(place.endpoint);
    Ok(config.build())
}
