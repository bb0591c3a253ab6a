//! Sending a mutation: one attempt of the SDK, its own time-outs, and another send only after an answer that
//! proves that nothing was done.

use super::{Hand, MOST_SENDS};
use crate::aws::clients::SdkResult;
use crate::aws::connect::mutation_timeouts;
use crate::aws::errors::{self, Asked};
use crate::aws::pacer::Family;
use crate::model::{AwsFailure, FailureKind, Performed, Sent};
use aws_config::retry::RetryConfig;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use std::time::Duration;

/// Before a throttled mutation is sent again; doubled each time.
const BACKOFF: Duration = Duration::from_secs(1);

/// Lambda's client configuration for one mutation: no retries by the SDK.
pub(super) fn lambda_once() -> aws_sdk_lambda::config::Builder {
    aws_sdk_lambda::Config::builder()
        .retry_config(RetryConfig::disabled())
        .timeout_config(mutation_timeouts())
}

/// Kinesis's, the same.
pub(super) fn kinesis_once() -> aws_sdk_kinesis::config::Builder {
    aws_sdk_kinesis::Config::builder()
        .retry_config(RetryConfig::disabled())
        .timeout_config(mutation_timeouts())
}

/// An accepted mutation.
#[derive(Debug)]
pub(super) struct Accepted<T> {
    pub(super) answer: T,
    pub(super) request_id: Option<String>,
}

impl<T> Accepted<T> {
    /// The result of an effect, with the answer in a few words.
    pub(super) fn applied(&self, answer: impl Into<String>) -> Performed {
        Performed::Applied { answer: answer.into(), request_id: self.request_id.clone() }
    }
}

/// A read that failed after AWS had refused a mutation: something was sent, and nothing changed.
pub(super) fn after_refusal(failure: AwsFailure) -> AwsFailure {
    AwsFailure { sent: Sent::Refused, ..failure }
}

impl Hand<'_> {
    /// Sends a mutation. `send` makes the call anew for each time it is sent.
    pub(super) async fn write<T, E, F>(
        &self,
        family: Family,
        operation: &'static str,
        resource: &str,
        send: impl Fn() -> F,
    ) -> Result<Accepted<T>, AwsFailure>
    where
        T: RequestId,
        E: std::error::Error + ProvideErrorMetadata + 'static,
        F: Future<Output = SdkResult<T, E>>,
    {
        let asked =
            Asked::mutation(operation, resource, &self.at.region).with_profile(self.at.profile.as_deref());
        let mut backoff = BACKOFF;
        for send_number in 1.. {
            let result = self.at.lanes.run(family, Box::pin(send())).await;
            let request_id = errors::request_id(&result);
            let failure = match result {
                Ok(answer) => return Ok(Accepted { answer, request_id }),
                Err(error) => errors::failure(&asked, &error),
            };
            let was_throttled = failure.kind == FailureKind::Throttled && failure.sent == Sent::Refused;
            if !was_throttled || send_number == MOST_SENDS || self.interrupt.is_raised() {
                return Err(failure);
            }
            self.pause(backoff).await;
            backoff *= 2;
        }
        Err(asked.failed(FailureKind::Throttled, "AWS throttled every send", Sent::Refused))
    }
}
