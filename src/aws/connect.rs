//! One `SdkConfig`, one client per service and Region, with time-outs on every call: the SDK's default against an
//! endpoint that accepts and says nothing is to wait for ever.

use super::endpoints;
use super::intercept::Ear;
use super::observe::ProbeMemory;
use super::pacer::Pacer;
use crate::config::Topology;
use crate::model::{Clock, Region, Side};
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_sdk_lambda::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How to get through to AWS.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// `--profile`.
    pub profile: Option<String>,
    /// The in-process sandbox, in place of the network and of credentials.
    pub http_client: Option<SharedHttpClient>,
    /// Credentials are resolved through this Region: the healthy one. A loader without a Region would ask the
    /// instance metadata service first, for three seconds.
    pub credentials_region: Region,
}

/// Why kdsha will not even try.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// One endpoint for both Regions.
    #[error(
        "{variable} sends both Regions to {url}; unset it, or give each Region its own under [endpoints] in kdsha.toml"
    )]
    OneEndpoint {
        /// The environment variable.
        variable: String,
        /// The override.
        url: String,
    },
    /// A certificate bundle that the SDK for Rust would not look at.
    #[error(
        "AWS_CA_BUNDLE={0} is not used by the AWS SDK for Rust; set SSL_CERT_FILE to the same file as well"
    )]
    CaBundle(String),
}

/// The clients of one Region.
pub(super) struct Clients {
    pub(super) region: Region,
    pub(super) lambda: aws_sdk_lambda::Client,
    pub(super) kinesis: aws_sdk_kinesis::Client,
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) sts: aws_sdk_sts::Client,
    /// Lambda's control plane: 15 requests a second for all of an account's tools together.
    pub(super) control: Pacer,
    /// GetFunction has a quota of its own: 100 a second.
    pub(super) get_function: Pacer,
}

/// Both Regions of AWS, as far as kdsha may touch them.
pub struct Aws {
    pub(super) primary: Clients,
    pub(super) standby: Clients,
    pub(super) clock: Clock,
    pub(super) probes: RefCell<BTreeMap<(Region, String), ProbeMemory>>,
    credentials_side: Side,
    requests: Arc<AtomicU64>,
}

/// Reads: three attempts within eight seconds.
fn read_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8))
        .build()
}

/// Mutations: one attempt; the world is read before another.
pub(super) fn write_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(20))
        .build()
}

/// Never adaptive: measured against Lambda's quota, it takes ten times as long and still fails half of the calls.
fn read_retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(200))
}

impl Aws {
    /// Builds the clients. Sends nothing but what resolving credentials needs, and that only with the first call.
    ///
    /// # Errors
    /// [`ConnectError`], for settings that would send calls to the wrong place.
    pub async fn connect(
        topology: &Topology,
        options: ConnectOptions,
        clock: Clock,
    ) -> Result<Aws, ConnectError> {
        let requests = Arc::new(AtomicU64::new(0));
        let ear = Ear::new(requests.clone(), clock.clone());
        if options.http_client.is_none() {
            endpoints::refuse_traps(topology, &|key| std::env::var(key).ok())?;
        }
        let base = load(&options).await;
        let clients = |side: Side| {
            let region = topology.regions.of(side);
            Clients::new(&base, region, topology.endpoints.get(region), &ear)
        };
        let credentials_side = topology.regions.side_of(&options.credentials_region).unwrap_or(Side::Standby);
        Ok(Aws {
            primary: clients(Side::Primary),
            standby: clients(Side::Standby),
            clock,
            probes: RefCell::default(),
            credentials_side,
            requests,
        })
    }

    /// HTTP requests sent so far, retries included.
    pub fn requests_sent(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The server's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn clients(&self, side: Side) -> &Clients {
        match side {
            Side::Primary => &self.primary,
            Side::Standby => &self.standby,
        }
    }

    /// The clients of the healthy Region.
    pub(super) fn healthy(&self) -> &Clients {
        self.clients(self.credentials_side)
    }

    /// The clients of a Region by name.
    pub(super) fn clients_of(&self, region: &Region) -> Option<&Clients> {
        [&self.primary, &self.standby].into_iter().find(|clients| clients.region == *region)
    }
}

async fn load(options: &ConnectOptions) -> SdkConfig {
    let region = aws_config::Region::new(options.credentials_region.to_string());
    let version = BehaviorVersion::v2026_01_12();
    let mut loader = aws_config::defaults(version)
        .region(region)
        .retry_config(read_retries())
        .timeout_config(read_timeouts());
    if let Ok(name) = AppName::new("kdsha") {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(client) = &options.http_client {
        // Nothing of the process's environment reaches a sandbox in process.
        let credentials = Credentials::new("sandbox", "sandbox", None, None, "sandbox");
        return SdkConfig::builder()
            .behavior_version(version)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(client.clone())
            .retry_config(read_retries())
            .timeout_config(read_timeouts())
            .build();
    }
    loader.load().await
}

impl Clients {
    fn new(base: &SdkConfig, region: &Region, endpoint: Option<&String>, ear: &Ear) -> Clients {
        let name = region.to_string();
        macro_rules! client {
            ($sdk:ident) => {{
                let mut config = $sdk::config::Builder::from(base)
                    .region($sdk::config::Region::new(name.clone()))
                    .interceptor(ear.clone());
                if let Some(endpoint) = endpoint {
                    config = config.endpoint_url(endpoint);
                }
                $sdk::Client::from_conf(config.build())
            }};
        }
        Clients {
            region: region.clone(),
            lambda: client!(aws_sdk_lambda),
            kinesis: client!(aws_sdk_kinesis),
            cloudwatch: client!(aws_sdk_cloudwatch),
            dynamodb: client!(aws_sdk_dynamodb),
            sts: client!(aws_sdk_sts),
            control: Pacer::new(10, 10),
            get_function: Pacer::new(80, 80),
        }
    }
}
