//! One `SdkConfig` for everything: credentials through the healthy Region, time-outs on every level, retries
//! for reads, and the HTTP client.

use crate::model::Region;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use base64::Engine;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How to reach AWS.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The profile of the AWS configuration files; `None` leaves it to `AWS_PROFILE` and the defaults.
    pub profile: Option<String>,
    /// An HTTP client in this process (the sandbox). Then neither the environment nor the AWS configuration
    /// files are read, and the credentials are made up: nothing real can be touched.
    pub http_client: Option<SharedHttpClient>,
    /// The made-up access key for that client: tells callers of one sandbox apart. `None` is its account's.
    pub access_key: Option<String>,
    /// The Region through which credentials are resolved: the healthy one. The failing Region's STS must not
    /// be needed to leave it.
    pub credentials_region: Region,
    /// One endpoint for both Regions; must be on loopback (a served sandbox, an emulator).
    pub endpoint: Option<String>,
}

impl ConnectOptions {
    /// Real AWS, as the environment and the AWS configuration files say.
    pub fn new(credentials_region: Region) -> ConnectOptions {
        ConnectOptions {
            profile: None,
            http_client: None,
            access_key: None,
            credentials_region,
            endpoint: None,
        }
    }

    /// The profile that credentials come from, where one is named.
    pub(super) fn profile_in_use(&self) -> Option<String> {
        let named = || std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        match self.http_client {
            Some(_) => None,
            None => self.profile.clone().or_else(named),
        }
    }
}

/// Why no clients were built. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// One endpoint would serve both Regions.
    #[error(
        "{variable} sends {service} of both {primary} and {standby} to {url}: one Region would be taken for the \
         other; unset it (or set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true) and give each Region its own under \
         [endpoints] in kdsha.toml"
    )]
    SharedEndpoint {
        /// Where the override was found.
        variable: String,
        /// The service it is for.
        service: &'static str,
        /// The override.
        url: String,
        /// The primary Region.
        primary: Region,
        /// The standby Region.
        standby: Region,
    },
    /// An endpoint that is no URL.
    #[error("{variable} = `{url}` is not an endpoint; write it like https://HOST or http://127.0.0.1:PORT")]
    BadEndpoint {
        /// Where the endpoint was found.
        variable: String,
        /// What it says.
        url: String,
    },
    /// `AWS_CA_BUNDLE` cannot be used.
    #[error("AWS_CA_BUNDLE = `{}` cannot be used: {why}; correct it, or unset it and set SSL_CERT_FILE", path.display())]
    CaBundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// For reads: a dead Region costs a look at most the operation's time-out.
pub(super) fn read_timeouts() -> TimeoutConfig {
    timeouts(Duration::from_secs(3), Duration::from_secs(8))
}

/// For mutations, which are sent once. The connect time-out is the reads', so that both share connections.
pub(super) fn mutation_timeouts() -> TimeoutConfig {
    timeouts(Duration::from_secs(10), Duration::from_secs(20))
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

/// Reads are tried three times; never adaptive, which is slower and fails more (`pacer` does its work).
fn read_retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(200))
}

/// The configuration that all clients are built from.
pub(super) async fn sdk_config(options: &ConnectOptions) -> Result<SdkConfig, ConnectError> {
    match &options.http_client {
        Some(client) => Ok(hermetic(options, client.clone())),
        None => from_surroundings(options).await,
    }
}

fn app_name() -> Option<AppName> {
    AppName::new("kdsha").ok()
}

/// Nothing of the machine's: made-up credentials (the access key id is the sandbox's account).
fn hermetic(options: &ConnectOptions, client: SharedHttpClient) -> SdkConfig {
    let access_key = options.access_key.as_deref().unwrap_or("123456789012");
    let credentials = Credentials::new(access_key, "sandbox", None, None, "kdsha-sandbox");
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(aws_config::Region::new(options.credentials_region.to_string()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(client)
        // The SDK draws its back-off at random: without one, a rehearsal of one seed is the same each time.
        .retry_config(read_retries().with_initial_backoff(Duration::ZERO))
        .timeout_config(read_timeouts());
    builder.set_app_name(app_name());
    builder.build()
}

/// The environment and the AWS configuration files, as every AWS tool reads them. The explicit Region keeps
/// the loader from asking the instance metadata service, which costs three seconds off EC2.
async fn from_surroundings(options: &ConnectOptions) -> Result<SdkConfig, ConnectError> {
    let region = aws_config::Region::new(options.credentials_region.to_string());
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(region.clone())
        .retry_config(read_retries())
        .timeout_config(read_timeouts());
    if let Some(name) = app_name() {
        loader = loader.app_name(name);
    }
    let bundle = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty());
    let trust = bundle.map(|path| trusting(Path::new(&path))).transpose()?;
    let client = https(trust);
    if let Some(profile) = &options.profile {
        let credentials = of_profile(profile, region, client.clone());
        loader = loader.profile_name(profile).credentials_provider(credentials);
    }
    Ok(loader.http_client(client).load().await)
}

/// The credentials of a profile that was named on the command line, and no others: the SDK's default chain would
/// prefer keys that happen to be exported, and a run would go to another account than the operator said.
fn of_profile(
    profile: &str,
    region: aws_config::Region,
    client: SharedHttpClient,
) -> ProfileFileCredentialsProvider {
    let settings = ProviderConfig::without_region().with_region(Some(region)).with_http_client(client);
    ProfileFileCredentialsProvider::builder().configure(&settings).profile_name(profile).build()
}

/// Trusts the bundle and nothing else, as the AWS CLI does.
fn trusting(path: &Path) -> Result<TlsContext, ConnectError> {
    let refuse = |why: String| ConnectError::CaBundle { path: path.to_owned(), why };
    let pem = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    check_pem(&pem).map_err(&refuse)?;
    let trust = TrustStore::empty().with_pem_certificate(pem);
    TlsContext::builder().with_trust_store(trust).build().map_err(|error| refuse(error.to_string()))
}

/// The SDK's default HTTP client, with a trust store of its own where there is one: it honours the proxy variables.
/// It is made here because the retries of each Region are paced on top of it.
fn https(trust: Option<TlsContext>) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        let connector = connector.tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        match &trust {
            Some(context) => connector.tls_context(context.clone()).build(),
            None => connector.build(),
        }
    })
}

/// The TLS library takes the bundle on trust and stops the process over a broken one, so it is looked at here.
fn check_pem(pem: &[u8]) -> Result<usize, String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let text = std::str::from_utf8(pem).map_err(|_| "it is not a PEM file".to_owned())?;
    let mut count = 0;
    for section in text.split(BEGIN).skip(1) {
        count += 1;
        let body = section.split_once(END).ok_or(format!("certificate {count} has no end"))?.0;
        let packed: String = body.split_whitespace().collect();
        let der = base64::engine::general_purpose::STANDARD
            .decode(packed)
            .map_err(|_| format!("certificate {count} is not base64"))?;
        if der.first() != Some(&0x30) {
            return Err(format!("certificate {count} is not a certificate"));
        }
    }
    if count == 0 { Err("it holds no certificate".to_owned()) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_bundle_is_refused_before_the_tls_library_sees_it() {
        let certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert_eq!(check_pem(format!("# corporate\n{certificate}{certificate}").as_bytes()), Ok(2));
        for bad in ["", "hello", "-----BEGIN CERTIFICATE-----\nMAA=", "\u{0}"] {
            assert!(check_pem(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check_pem(certificate.replace("MAA=", "!!").as_bytes()).is_err());
        assert!(check_pem(certificate.replace("MAA=", "AAAA").as_bytes()).is_err());
    }

    #[test]
    fn every_level_has_a_time_out() {
        for timeouts in [read_timeouts(), mutation_timeouts()] {
            assert!(timeouts.connect_timeout().is_some());
            assert!(timeouts.operation_attempt_timeout().is_some());
            assert!(timeouts.operation_timeout().is_some());
        }
        assert_eq!(read_timeouts().connect_timeout(), mutation_timeouts().connect_timeout());
        assert_eq!(read_retries().max_attempts(), 3);
    }
}
