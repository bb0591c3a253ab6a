//! The clients of one Region, each built when it is first used, all from one `SdkConfig`: one credentials
//! request for all of them, one connection pool a service.

use super::errors::{self, Asked};
use super::intercept::{Wire, WireInterceptor};
use super::pacer::{Family, Lanes};
use super::retries;
use crate::model::{AwsFailure, Region, Timestamp};
use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures_util::future::BoxFuture;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What every call of the SDK gives.
pub(super) type SdkResult<T, E> = Result<T, SdkError<E, HttpResponse>>;

/// One Region: its clients and its rate limits.
#[derive(Debug)]
pub(super) struct RegionClients {
    /// The Region.
    pub(super) region: Region,
    /// Rate limits, shared by everything that asks this Region.
    pub(super) lanes: Arc<Lanes>,
    /// The profile of the credentials, where one is named.
    pub(super) profile: Option<String>,
    sdk: SdkConfig,
    endpoint: Option<String>,
    wire: Arc<Wire>,
    lambda: OnceLock<aws_sdk_lambda::Client>,
    kinesis: OnceLock<aws_sdk_kinesis::Client>,
    cloudwatch: OnceLock<aws_sdk_cloudwatch::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
}

macro_rules! client {
    ($(#[$doc:meta])* $service:ident, $sdk:ident) => {
        $(#[$doc])*
        pub(super) fn $service(&self) -> &$sdk::Client {
            self.$service.get_or_init(|| {
                let mut config = $sdk::config::Builder::from(&self.sdk)
                    .region($sdk::config::Region::new(self.region.to_string()))
                    // The SDK's own budgets of retries live as long as the process: another connection's failures
                    // would decide whether this one tries again.
                    .retry_partition($sdk::config::retry::RetryPartition::custom("kdsha").build())
                    .interceptor(WireInterceptor(self.wire.clone()));
                if let Some(client) = self.sdk.http_client() {
                    config.set_http_client(Some(retries::paced(client, self.lanes.clone())));
                }
                if let Some(endpoint) = &self.endpoint {
                    config.set_endpoint_url(Some(endpoint.clone()));
                }
                $sdk::Client::from_conf(config.build())
            })
        }
    };
}

impl RegionClients {
    pub(super) fn new(
        region: Region,
        sdk: SdkConfig,
        endpoint: Option<String>,
        wire: Arc<Wire>,
    ) -> RegionClients {
        RegionClients {
            region,
            lanes: Arc::new(Lanes::new()),
            profile: None,
            sdk,
            endpoint,
            wire,
            lambda: OnceLock::new(),
            kinesis: OnceLock::new(),
            cloudwatch: OnceLock::new(),
            dynamodb: OnceLock::new(),
            sts: OnceLock::new(),
        }
    }

    /// When the credentials expire, where their provider says so within the bound. Temporary ones that came by
    /// the environment say it only in `AWS_CREDENTIAL_EXPIRATION`, as the tools that export them do.
    pub(super) async fn credentials_expire(&self, bound: Duration) -> Option<Timestamp> {
        let provider = self.sdk.credentials_provider()?;
        let asked = tokio::time::timeout(bound, provider.provide_credentials()).await;
        let credentials = asked.ok()?.ok()?;
        let said = credentials.expiry().and_then(|at| Timestamp::try_from(at).ok());
        let exported = || std::env::var("AWS_CREDENTIAL_EXPIRATION").ok()?.parse().ok();
        said.or_else(|| credentials.session_token().and_then(|_| exported()))
    }

    client!(
        /// Lambda.
        lambda, aws_sdk_lambda
    );
    client!(
        /// Kinesis Data Streams.
        kinesis, aws_sdk_kinesis
    );
    client!(
        /// CloudWatch.
        cloudwatch, aws_sdk_cloudwatch
    );
    client!(
        /// DynamoDB.
        dynamodb, aws_sdk_dynamodb
    );
    client!(
        /// STS.
        sts, aws_sdk_sts
    );

    /// A read in its lane, with the SDK's retries, its error in the operator's words. On the heap, because the
    /// SDK's futures are tens of kilobytes large.
    pub(super) fn read<'s, T, E>(
        &'s self,
        family: Family,
        operation: &'static str,
        resource: &'s str,
        send: impl Future<Output = SdkResult<T, E>> + Send + 's,
    ) -> BoxFuture<'s, Result<T, AwsFailure>>
    where
        T: Send + 's,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let send = Box::pin(send);
        Box::pin(async move {
            let asked = Asked::read(operation, resource, &self.region).with_profile(self.profile.as_deref());
            self.lanes.run(family, send).await.map_err(|error| errors::failure(&asked, &error))
        })
    }
}
