//! SDK shapes into the words of the model. What AWS leaves out stays out: nothing is filled in by guess.

use super::errors::clean;
use crate::model::{
    AliasView, Arn, Environment, FailureKind, FunctionView, Mapping, MappingSettings, Observed, Reason,
    Secret, StartingPosition, StreamConsumer, StreamMode, StreamView, Timestamp,
};
use aws_sdk_kinesis::types::{Consumer, StreamDescriptionSummary, StreamMode as SdkStreamMode};
use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    EnvironmentResponse, EventSourceMappingConfiguration, EventSourceMappingMetric, EventSourcePosition,
};
use aws_smithy_types::DateTime;
use std::collections::BTreeMap;

/// An SDK instant.
pub(super) fn timestamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}

/// An instant for the SDK.
pub(super) fn date_time(at: Timestamp) -> DateTime {
    let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
    DateTime::from_secs_and_nanos(at.as_second(), nanos)
}

fn small(number: Option<i32>) -> Option<u32> {
    u32::try_from(number?).ok()
}

/// An environment. AWS gives `Error` in place of the variables when they cannot be decrypted.
pub(super) fn environment(response: Option<&EnvironmentResponse>) -> Environment {
    let Some(response) = response else { return Environment::Readable(BTreeMap::new()) };
    if let Some(error) = response.error() {
        let code = error.error_code().unwrap_or("unknown error");
        return Environment::Unreadable(format!("{code}: {}", clean(error.message().unwrap_or_default())));
    }
    let variables = response.variables().into_iter().flatten();
    Environment::Readable(variables.map(|(key, value)| (key.clone(), Secret::new(value))).collect())
}

/// A function. `Err` says which part of the answer is missing.
pub(super) fn function(output: &GetFunctionOutput) -> Result<FunctionView, String> {
    let missing = |part: &str| format!("the answer has no {part}");
    let configuration = output.configuration().ok_or_else(|| missing("Configuration"))?;
    let state = configuration.state().map_or("Unknown", |s| s.as_str());
    let status = configuration.last_update_status().map_or("Unknown", |s| s.as_str());
    Ok(FunctionView {
        arn: Arn::new(configuration.function_arn().ok_or_else(|| missing("FunctionArn"))?),
        state: state.to_owned(),
        last_update_status: status.to_owned(),
        last_update_reason: configuration.last_update_status_reason().map(clean),
        revision_id: configuration.revision_id().unwrap_or_default().to_owned(),
        timeout_seconds: small(configuration.timeout()).ok_or_else(|| missing("Timeout"))?,
        environment: environment(configuration.environment()),
        reserved_concurrency: small(output.concurrency().and_then(|c| c.reserved_concurrent_executions())),
        last_modified: configuration.last_modified().and_then(|text| text.parse().ok()),
        tags: output.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
    })
}

/// An alias with the environment of the version behind it.
pub(super) fn alias(
    alias: &aws_sdk_lambda::operation::get_alias::GetAliasOutput,
    behind: &GetFunctionOutput,
) -> AliasView {
    let weights = alias.routing_config().and_then(|r| r.additional_version_weights());
    let configuration = behind.configuration();
    AliasView {
        name: alias.name().unwrap_or_default().to_owned(),
        version: alias.function_version().unwrap_or_default().to_owned(),
        is_weighted: weights.is_some_and(|w| !w.is_empty()),
        revision_id: alias.revision_id().unwrap_or_default().to_owned(),
        environment: environment(configuration.and_then(|c| c.environment())),
    }
}

/// A stream.
pub(super) fn stream(summary: &StreamDescriptionSummary) -> StreamView {
    let on_demand = summary.stream_mode_details().map(|d| d.stream_mode()) == Some(&SdkStreamMode::OnDemand);
    StreamView {
        arn: Arn::new(summary.stream_arn()),
        status: summary.stream_status().as_str().to_owned(),
        mode: if on_demand { StreamMode::OnDemand } else { StreamMode::Provisioned },
        open_shards: u32::try_from(summary.open_shard_count()).unwrap_or(0),
        retention_hours: u32::try_from(summary.retention_period_hours()).unwrap_or(0),
        max_record_size_kib: small(summary.max_record_size_in_kib()),
        encryption: summary.encryption_type().map_or("NONE", |e| e.as_str()).to_owned(),
    }
}

/// An enhanced fan-out consumer.
pub(super) fn stream_consumer(consumer: &Consumer) -> StreamConsumer {
    StreamConsumer {
        name: consumer.consumer_name().to_owned(),
        arn: Arn::new(consumer.consumer_arn()),
        status: consumer.consumer_status().as_str().to_owned(),
    }
}

fn position(position: Option<&EventSourcePosition>, at: Option<&DateTime>) -> Option<StartingPosition> {
    match position? {
        EventSourcePosition::TrimHorizon => Some(StartingPosition::TrimHorizon),
        EventSourcePosition::Latest => Some(StartingPosition::Latest),
        EventSourcePosition::AtTimestamp => Some(StartingPosition::AtTimestamp(timestamp(at?)?)),
        _ => None,
    }
}

/// A mapping from a list: found, its settings not yet read. `None` for what is not a stream's.
pub(super) fn listed_mapping(found: &EventSourceMappingConfiguration) -> Option<Mapping> {
    let function = Arn::new(found.function_arn()?);
    Some(Mapping {
        id: found.uuid()?.parse().ok()?,
        function: function.function()?.parse().ok()?,
        qualifier: function.qualifier().map(str::to_owned),
        source: Arn::new(found.event_source_arn()?),
        state: found.state()?.into(),
        position: position(found.starting_position(), found.starting_position_timestamp()),
        last_modified: found.last_modified().and_then(timestamp),
        last_processing_result: found.last_processing_result().map(clean),
        state_transition_reason: found.state_transition_reason().map(clean),
        settings: Observed::Unknown(Reason::not_asked()),
    })
}

/// The settings of a mapping. `maximum...` of -1 is "never".
pub(super) fn settings(found: &GetEventSourceMappingOutput) -> Observed<MappingSettings> {
    if let Some(error) = found.filter_criteria_error() {
        let text = format!("the filters cannot be read: {}", clean(error.message().unwrap_or_default()));
        return Observed::Unknown(Reason::new(FailureKind::AccessDenied, text));
    }
    let Some(batch_size) = small(found.batch_size()) else {
        return Observed::Unknown(Reason::new(
            FailureKind::Unreadable,
            "the mapping's answer has no BatchSize",
        ));
    };
    let destination = found.destination_config().and_then(|d| d.on_failure()).and_then(|f| f.destination());
    let filters = found.filter_criteria().map(|f| f.filters()).unwrap_or_default();
    let metrics = found.metrics_config().map(|m| m.metrics()).unwrap_or_default();
    Observed::Known(MappingSettings {
        batch_size,
        batching_window_seconds: small(found.maximum_batching_window_in_seconds()).unwrap_or(0),
        parallelization_factor: small(found.parallelization_factor()).unwrap_or(1),
        bisect_on_error: found.bisect_batch_on_function_error().unwrap_or(false),
        maximum_record_age_seconds: small(found.maximum_record_age_in_seconds()),
        maximum_retry_attempts: small(found.maximum_retry_attempts()),
        on_failure: destination.filter(|d| !d.is_empty()).map(str::to_owned),
        response_types: found.function_response_types().iter().map(|t| t.as_str().to_owned()).collect(),
        tumbling_window_seconds: small(found.tumbling_window_in_seconds()).unwrap_or(0),
        filters: filters.iter().filter_map(|f| f.pattern()).map(str::to_owned).collect(),
        kms_key: found.kms_key_arn().map(str::to_owned),
        count_events: metrics.contains(&EventSourceMappingMetric::EventCount),
    })
}
