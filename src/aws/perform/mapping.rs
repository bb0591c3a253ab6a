//! Mappings: created once, found by function and source, switched on and off, deleted.
//!
//! `CreateEventSourceMapping` has no idempotency token: a lost answer is found again by the 409 that names the UUID,
//! and such a mapping is adopted only if it starts where ours would.

use super::environment::not_sent;
use super::{BUSY, BUSY_POLL, applied, same_region};
use crate::aws::connect::Clients;
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::model::{
    Arn, AwsFailure, FailureKind, FunctionName, Mapping, MappingId, MappingSettings, MappingSource,
    MappingState, Observed, Performed, Sent, StartAt, StartingPosition,
};
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::operation::create_event_source_mapping::builders::CreateEventSourceMappingFluentBuilder;
use aws_sdk_lambda::types::{
    DestinationConfig, EventSourceMappingMetric, EventSourceMappingMetricsConfig, EventSourcePosition,
    Filter, FilterCriteria, FunctionResponseType, OnFailure,
};
use tokio::time::Instant;

const MOST_PAGES: u32 = 200;

/// A mapping to be created.
pub(super) struct Wanted<'a> {
    pub(super) source: &'a MappingSource,
    pub(super) start: StartAt,
    pub(super) enabled: bool,
    pub(super) settings: &'a MappingSettings,
}

/// Creates a mapping, or adopts the one that a lost answer left behind.
pub(super) async fn create(
    clients: &Clients,
    function: &FunctionName,
    wanted: &Wanted<'_>,
) -> Result<Performed, AwsFailure> {
    let resource = format!("{} -> {function}", wanted.source);
    let asked =
        Asked { operation: "lambda:CreateEventSourceMapping", resource: &resource, region: &clients.region };
    let arn = source_arn(clients, wanted.source).await?;
    let call = request(clients, function, &arn, wanted);
    clients.control.turn().await;
    match super::once!(aws_sdk_lambda, call).await {
        Ok(output) => {
            let uuid = output.uuid().unwrap_or("(no UUID in the answer)");
            Ok(applied(format!("mapping {uuid}"), output.request_id()))
        }
        Err(error) => {
            let failure = asked.sdk(&error);
            match (failure.kind, existing(&failure.message)) {
                (FailureKind::Conflict, Some(id)) => adopt(clients, &asked, &id, wanted).await,
                _ => Err(advised(failure)),
            }
        }
    }
}

fn request(
    clients: &Clients,
    function: &FunctionName,
    arn: &Arn,
    wanted: &Wanted<'_>,
) -> CreateEventSourceMappingFluentBuilder {
    let settings = wanted.settings;
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let or_never = |n: Option<u32>| n.map_or(-1, number);
    let mut call = clients
        .lambda
        .create_event_source_mapping()
        .function_name(function.as_str())
        .event_source_arn(arn.as_str())
        .enabled(wanted.enabled)
        .batch_size(number(settings.batch_size))
        .maximum_batching_window_in_seconds(number(settings.batching_window_seconds))
        .parallelization_factor(number(settings.parallelization_factor))
        .bisect_batch_on_function_error(settings.bisect_on_error)
        .maximum_record_age_in_seconds(or_never(settings.maximum_record_age_seconds))
        .maximum_retry_attempts(or_never(settings.maximum_retry_attempts));
    call = match wanted.start {
        StartAt::TrimHorizon => call.starting_position(EventSourcePosition::TrimHorizon),
        StartAt::Timestamp(at) => call
            .starting_position(EventSourcePosition::AtTimestamp)
            .starting_position_timestamp(aws_smithy_types::DateTime::from_secs(at.as_second())),
    };
    if settings.tumbling_window_seconds > 0 {
        call = call.tumbling_window_in_seconds(number(settings.tumbling_window_seconds));
    }
    if let Some(destination) = &settings.on_failure {
        let on_failure = OnFailure::builder().destination(destination).build();
        call = call.destination_config(DestinationConfig::builder().on_failure(on_failure).build());
    }
    if !settings.filters.is_empty() {
        let filters = settings.filters.iter().map(|pattern| Filter::builder().pattern(pattern).build());
        call = call.filter_criteria(FilterCriteria::builder().set_filters(Some(filters.collect())).build());
    }
    for kind in &settings.response_types {
        call = call.function_response_types(FunctionResponseType::from(kind.as_str()));
    }
    if settings.count_events {
        let metrics =
            EventSourceMappingMetricsConfig::builder().metrics(EventSourceMappingMetric::EventCount);
        call = call.metrics_config(metrics.build());
    }
    call
}

/// The ARN of a stream, or of one of its enhanced fan-out consumers, which must be ACTIVE.
async fn source_arn(clients: &Clients, source: &MappingSource) -> Result<Arn, AwsFailure> {
    let stream = source.stream().as_str();
    let asked =
        Asked { operation: "kinesis:DescribeStreamSummary", resource: stream, region: &clients.region };
    let call = clients.kinesis.describe_stream_summary().stream_name(stream).send();
    let output = call.await.map_err(|e| not_sent(asked.sdk(&e)))?;
    let arn = output.stream_description_summary().map(|s| Arn::new(s.stream_arn()));
    let arn =
        arn.ok_or_else(|| asked.failure(FailureKind::Unreadable, Sent::No, "the answer has no summary"))?;
    same_region(&asked, arn.region(), &clients.region)?;
    let MappingSource::StreamConsumer { consumer, .. } = source else { return Ok(arn) };
    let asked = Asked { operation: "kinesis:ListStreamConsumers", resource: stream, region: &clients.region };
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let call =
            clients.kinesis.list_stream_consumers().stream_arn(arn.as_str()).set_next_token(token.take());
        let output = call.send().await.map_err(|e| not_sent(asked.sdk(&e)))?;
        let found =
            output.consumers().iter().map(convert::stream_consumer).find(|c| c.name == consumer.as_str());
        match found {
            Some(found) if found.status == "ACTIVE" => return Ok(found.arn),
            Some(found) => {
                return Err(asked.refused(format!("consumer {consumer} is {}, not ACTIVE", found.status)));
            }
            None => {}
        }
        match output.next_token().filter(|t| !t.is_empty()) {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    Err(asked
        .refused(format!("stream {stream} has no enhanced fan-out consumer {consumer}; register it first")))
}

/// The UUID in AWS's "... provided mapping already exists. Please update or delete the existing mapping with UUID ...".
fn existing(message: &str) -> Option<MappingId> {
    let after = message.split("UUID").nth(1)?;
    after.trim().trim_end_matches('.').parse().ok()
}

/// A mapping that exists already is ours only if it starts where ours would and carries our settings.
async fn adopt(
    clients: &Clients,
    asked: &Asked<'_>,
    id: &MappingId,
    wanted: &Wanted<'_>,
) -> Result<Performed, AwsFailure> {
    let get = Asked { operation: "lambda:GetEventSourceMapping", resource: id.as_str(), ..*asked };
    clients.control.turn().await;
    let call = clients.lambda.get_event_source_mapping().uuid(id.as_str()).send();
    let found = call.await.map_err(|e| get.sdk(&e))?;
    let settings = convert::settings(&found);
    let position = match found.starting_position() {
        Some(EventSourcePosition::TrimHorizon) => Some(StartAt::TrimHorizon),
        Some(EventSourcePosition::AtTimestamp) => {
            found.starting_position_timestamp().and_then(convert::timestamp).map(StartAt::Timestamp)
        }
        _ => None,
    };
    let same_settings = matches!(&settings, Observed::Known(s) if s == wanted.settings);
    if position == Some(wanted.start) && same_settings {
        return Ok(Performed::AlreadySo(format!(
            "mapping {id} exists with this position and these settings"
        )));
    }
    let at = position.map_or_else(|| "another position".to_owned(), |p| p.to_string());
    let why = format!(
        "mapping {id} exists already ({at}), with another position or other settings; delete it with \
         `aws lambda delete-event-source-mapping --uuid {id} --region {}`, then run the command again",
        clients.region
    );
    Err(asked.failure(FailureKind::Conflict, Sent::Refused, why))
}

/// Plain advice for AWS's known refusals.
fn advised(mut failure: AwsFailure) -> AwsFailure {
    let advice = if failure.message.contains("Cannot access stream") {
        "the function's role needs kinesis:GetRecords, GetShardIterator, DescribeStream, DescribeStreamSummary, ListShards"
    } else if failure.message.contains("cannot be assumed by Lambda") {
        "the function's role must trust lambda.amazonaws.com"
    } else if failure.message.contains("Function does not exist") {
        "deploy the consumer function in this Region first"
    } else {
        return failure;
    };
    failure.message = format!("{} ({advice})", failure.message);
    failure
}

/// The one mapping of a function on a source, over all pages and states.
async fn find(
    clients: &Clients,
    function: &FunctionName,
    source: &MappingSource,
) -> Result<Option<Mapping>, AwsFailure> {
    let resource = format!("{source} -> {function}");
    let asked =
        Asked { operation: "lambda:ListEventSourceMappings", resource: &resource, region: &clients.region };
    let mut found: Vec<Mapping> = Vec::new();
    let mut marker = None;
    for _ in 0..MOST_PAGES {
        clients.control.turn().await;
        let call = clients.lambda.list_event_source_mappings().max_items(100).set_marker(marker.take());
        let output = call.send().await.map_err(|e| not_sent(asked.sdk(&e)))?;
        let all = output.event_source_mappings().iter().filter_map(convert::listed_mapping);
        found.extend(all.filter(|m| m.function == *function && is_source(&m.source, source)));
        match output.next_marker().filter(|m| !m.is_empty()) {
            Some(next) => marker = Some(next.to_owned()),
            None => break,
        }
    }
    let ids = || found.iter().map(|m| m.id.to_string()).collect::<Vec<_>>().join(", ");
    match found.len() {
        0 | 1 => Ok(found.pop()),
        several => Err(asked.refused(format!("{several} mappings where one is due: {}", ids()))),
    }
}

fn is_source(arn: &Arn, source: &MappingSource) -> bool {
    let same_stream = arn.stream() == Some(source.stream().as_str());
    same_stream
        && match source {
            MappingSource::Stream(_) => arn.stream_consumer().is_none(),
            MappingSource::StreamConsumer { consumer, .. } => {
                arn.stream_consumer() == Some(consumer.as_str())
            }
        }
}

/// The mapping once it is not in transition: AWS refuses changes until then.
async fn when_idle(
    clients: &Clients,
    asked: &Asked<'_>,
    function: &FunctionName,
    source: &MappingSource,
) -> Result<Option<Mapping>, AwsFailure> {
    let until = Instant::now() + BUSY;
    loop {
        match find(clients, function, source).await? {
            Some(mapping) if mapping.state == MappingState::Deleting => return Ok(None),
            Some(mapping) if !mapping.state.is_in_transition() => return Ok(Some(mapping)),
            Some(mapping) if Instant::now() >= until => {
                let why = format!("mapping {} stays {}", mapping.id, mapping.state);
                return Err(asked.failure(FailureKind::Conflict, Sent::No, why));
            }
            Some(_) => tokio::time::sleep(BUSY_POLL).await,
            None => return Ok(None),
        }
    }
}

/// Enables or disables a mapping.
pub(super) async fn set_enabled(
    clients: &Clients,
    function: &FunctionName,
    source: &MappingSource,
    enabled: bool,
) -> Result<Performed, AwsFailure> {
    let resource = format!("{source} -> {function}");
    let asked =
        Asked { operation: "lambda:UpdateEventSourceMapping", resource: &resource, region: &clients.region };
    let Some(mapping) = when_idle(clients, &asked, function, source).await? else {
        return Err(asked.refused("there is no such mapping"));
    };
    let wanted = if enabled { MappingState::Enabled } else { MappingState::Disabled };
    if mapping.state == wanted {
        return Ok(Performed::AlreadySo(format!("mapping {} is {wanted} already", mapping.id)));
    }
    // AWS documents that a LATEST mapping can miss records even when it is updated.
    if enabled
        && mapping.position == Some(StartingPosition::Latest)
        && mapping.last_processing_result.is_none()
    {
        return Err(asked.refused(format!("mapping {} starts at LATEST and never ran", mapping.id)));
    }
    clients.control.turn().await;
    let call = clients.lambda.update_event_source_mapping().uuid(mapping.id.as_str()).enabled(enabled);
    let output = super::once!(aws_sdk_lambda, call).await.map_err(|e| asked.sdk(&e))?;
    Ok(applied(format!("mapping {}", mapping.id), output.request_id()))
}

/// Deletes a mapping. One that is gone already is as it should be.
pub(super) async fn delete(
    clients: &Clients,
    function: &FunctionName,
    source: &MappingSource,
) -> Result<Performed, AwsFailure> {
    let resource = format!("{source} -> {function}");
    let asked =
        Asked { operation: "lambda:DeleteEventSourceMapping", resource: &resource, region: &clients.region };
    let Some(mapping) = when_idle(clients, &asked, function, source).await? else {
        return Ok(Performed::AlreadySo("there is no such mapping".to_owned()));
    };
    clients.control.turn().await;
    let call = clients.lambda.delete_event_source_mapping().uuid(mapping.id.as_str());
    match super::once!(aws_sdk_lambda, call).await {
        Ok(output) => Ok(applied(format!("mapping {}", mapping.id), output.request_id())),
        Err(error) => match asked.sdk(&error) {
            failure if failure.kind == FailureKind::NotFound => {
                Ok(Performed::AlreadySo(format!("mapping {} is gone", mapping.id)))
            }
            failure => Err(failure),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uuid_is_found_in_the_409() {
        let said = "The event source arn (\" arn:aws:kinesis:us-east-2:123456789012:stream/S \") and function (\" F \") \
                    provided mapping already exists. Please update or delete the existing mapping with UUID \
                    01b6d1a1-9b6c-4a3e-8a54-0d8a4f0d6b11";
        assert_eq!(existing(said).expect("a UUID").as_str(), "01b6d1a1-9b6c-4a3e-8a54-0d8a4f0d6b11");
        assert!(existing("another operation is in progress").is_none());
    }
}
