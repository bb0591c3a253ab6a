//! One effect, one mutating request. The only writer: it asks for a permit.
//!
//! Reads before the mutation are repeated as any read is; the mutation itself is sent once. An answer that does not
//! come leaves the effect unknown, and the caller looks at the world before it sends another.

mod alias;
mod environment;
mod mapping;

use super::connect::{Aws, Clients};
use super::errors::Asked;
use crate::model::{AwsFailure, Effect, FailureKind, Performed, Permit, Region, Sent};
use aws_smithy_types::retry::RetryConfig;
use std::time::Duration;

/// How long a resource that is busy with something else is waited for, and between two looks.
const BUSY: Duration = Duration::from_secs(120);
const BUSY_POLL: Duration = Duration::from_secs(1);

/// A mutation is sent once, with time-outs of its own.
macro_rules! once {
    ($sdk:ident, $call:expr) => {
        $call
            .customize()
            .config_override(
                $sdk::config::Builder::new()
                    .retry_config($crate::aws::perform::no_retries())
                    .timeout_config($crate::aws::connect::write_timeouts()),
            )
            .send()
    };
}
pub(super) use once;

pub(super) fn no_retries() -> RetryConfig {
    RetryConfig::disabled()
}

impl Aws {
    /// Makes one change.
    ///
    /// # Errors
    /// [`AwsFailure`], which says truthfully whether the change may have been made.
    pub async fn perform(&self, effect: &Effect, _permit: &Permit) -> Result<Performed, AwsFailure> {
        let region = effect.region();
        let resource = effect.to_string();
        let asked = Asked { operation: effect.operation(), resource: &resource, region };
        let Some(clients) = self.clients_of(region) else {
            return Err(asked.refused("the Region is not one of the two that are configured"));
        };
        match effect {
            Effect::TagStream { stream, tags, .. } => tag_stream(clients, stream.as_str(), tags).await,
            Effect::SetEnvironment { function, set, .. } => {
                environment::set(clients, function.as_str(), set).await
            }
            Effect::CreateMapping { function, source, start, enabled, settings, .. } => {
                let wanted = mapping::Wanted { source, start: *start, enabled: *enabled, settings };
                mapping::create(clients, function, &wanted).await
            }
            Effect::SetMappingEnabled { function, source, enabled, .. } => {
                mapping::set_enabled(clients, function, source, *enabled).await
            }
            Effect::DeleteMapping { function, source, .. } => {
                mapping::delete(clients, function, source).await
            }
            Effect::PublishVersion { function, .. } => alias::publish(clients, function.as_str()).await,
            Effect::MoveAlias { function, alias, expect, .. } => {
                alias::move_to_newest(clients, function.as_str(), alias, expect).await
            }
        }
    }
}

async fn tag_stream(
    clients: &Clients,
    stream: &str,
    tags: &std::collections::BTreeMap<String, String>,
) -> Result<Performed, AwsFailure> {
    let asked = Asked { operation: "kinesis:AddTagsToStream", resource: stream, region: &clients.region };
    let tags = tags.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    let call = clients.kinesis.add_tags_to_stream().stream_name(stream).set_tags(Some(tags));
    let output = once!(aws_sdk_kinesis, call).await.map_err(|e| asked.sdk(&e))?;
    use aws_sdk_kinesis::operation::RequestId;
    Ok(applied("tagged", output.request_id()))
}

fn applied(answer: impl Into<String>, request_id: Option<&str>) -> Performed {
    Performed::Applied { answer: answer.into(), request_id: request_id.map(str::to_owned) }
}

/// The Region inside an ARN must be the client's: the SDK would follow the ARN.
fn same_region(asked: &Asked<'_>, found: &str, region: &Region) -> Result<(), AwsFailure> {
    match found == region.as_str() {
        true => Ok(()),
        false => Err(asked.failure(
            FailureKind::Unreadable,
            Sent::No,
            format!("{region} answered with an ARN of {found}"),
        )),
    }
}
