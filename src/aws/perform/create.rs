//! Creating a mapping. There is no idempotency token: when a mapping of the same function on the same source
//! is there already, it is adopted only if it starts where this one should.

use super::lookup::is_source;
use super::send::{Accepted, after_refusal, lambda_once};
use super::{Deadline, Hand};
use crate::aws::convert::whole_seconds;
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{
    Arn, AwsFailure, FailureKind, FunctionName, Mapping, MappingId, MappingSettings, MappingSource,
    MappingState, Performed, Sent, StartAt, StartingPosition,
};
use aws_sdk_lambda::operation::create_event_source_mapping::CreateEventSourceMappingOutput;
use aws_sdk_lambda::operation::create_event_source_mapping::builders::CreateEventSourceMappingFluentBuilder;
use aws_sdk_lambda::types::{
    DestinationConfig, EventSourceMappingMetric, EventSourceMappingMetricsConfig, EventSourcePosition,
    Filter, FilterCriteria, FunctionResponseType, OnFailure,
};
use aws_smithy_types::DateTime;

const OPERATION: &str = "lambda:CreateEventSourceMapping";

/// The mapping that should be there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) function: &'a FunctionName,
    pub(super) source: &'a MappingSource,
    pub(super) start: StartAt,
    pub(super) enabled: bool,
    pub(super) settings: &'a MappingSettings,
}

impl Hand<'_> {
    pub(super) async fn create_mapping(&self, wanted: &Wanted<'_>) -> Result<Performed, AwsFailure> {
        let resource = format!("{} -> {}", wanted.source, wanted.function);
        let asked = Asked::mutation(OPERATION, &resource, &self.at.region);
        let arn = self.source_arn(&asked, wanted.source).await?;
        let failure = match self.send_create(wanted, &arn, &resource).await {
            Ok(done) => return Ok(created(&done)),
            Err(failure) => failure,
        };
        let Some(id) = existing(&failure) else { return Err(advised(failure)) };
        match self.get_mapping(&id).await.map_err(after_refusal)? {
            Some(mapping) if mapping.state != MappingState::Deleting => adopt(&asked, wanted, &mapping),
            // A mapping that is being deleted blocks its successor until it is gone.
            _ => {
                self.wait_gone(&asked, &id).await?;
                let done = self.send_create(wanted, &arn, &resource).await.map_err(advised)?;
                Ok(created(&done))
            }
        }
    }

    async fn wait_gone(&self, asked: &Asked<'_>, id: &MappingId) -> Result<(), AwsFailure> {
        let deadline = Deadline::begin();
        while self.get_mapping(id).await.map_err(after_refusal)?.is_some() {
            if let Some(why) = self.gives_up(deadline) {
                let text = format!("mapping {id} is still being deleted; {why}; resume when it is gone");
                return Err(asked.failed(FailureKind::TimedOut, text, Sent::Refused));
            }
            self.pause(self.poll * 2).await;
        }
        Ok(())
    }

    async fn send_create(
        &self,
        wanted: &Wanted<'_>,
        arn: &Arn,
        resource: &str,
    ) -> Result<Accepted<CreateEventSourceMappingOutput>, AwsFailure> {
        let request = with_settings(self.at.lambda().create_event_source_mapping(), wanted.settings)
            .function_name(wanted.function.as_str())
            .event_source_arn(arn.as_str())
            .enabled(wanted.enabled);
        let request = match wanted.start {
            StartAt::TrimHorizon => request.starting_position(EventSourcePosition::TrimHorizon),
            StartAt::Timestamp(at) => request
                .starting_position(EventSourcePosition::AtTimestamp)
                .starting_position_timestamp(DateTime::from_secs(whole_seconds(at))),
        };
        let send = || request.clone().customize().config_override(lambda_once()).send();
        self.write(Family::LambdaControl, OPERATION, resource, send).await
    }
}

fn created(done: &Accepted<CreateEventSourceMappingOutput>) -> Performed {
    let id = done.answer.uuid().unwrap_or("without a UUID");
    let state = done.answer.state().unwrap_or("no state");
    done.applied(format!("mapping {id}, {state}"))
}

/// The settings as Lambda's API spells them. -1 is never, for ages and for retries.
fn with_settings(
    request: CreateEventSourceMappingFluentBuilder,
    settings: &MappingSettings,
) -> CreateEventSourceMappingFluentBuilder {
    let count = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let or_never = |value: Option<u32>| value.map_or(-1, count);
    let destination = settings.on_failure.as_ref().map(|arn| {
        DestinationConfig::builder().on_failure(OnFailure::builder().destination(arn).build()).build()
    });
    let responses =
        settings.response_types.iter().map(|kind| FunctionResponseType::from(kind.as_str())).collect();
    let filters = settings.filters.iter().map(|pattern| Filter::builder().pattern(pattern).build()).collect();
    let criteria = FilterCriteria::builder().set_filters(Some(filters)).build();
    let metrics =
        EventSourceMappingMetricsConfig::builder().metrics(EventSourceMappingMetric::EventCount).build();
    request
        .batch_size(count(settings.batch_size))
        .maximum_batching_window_in_seconds(count(settings.batching_window_seconds))
        .parallelization_factor(count(settings.parallelization_factor))
        .bisect_batch_on_function_error(settings.bisect_on_error)
        .maximum_record_age_in_seconds(or_never(settings.maximum_record_age_seconds))
        .maximum_retry_attempts(or_never(settings.maximum_retry_attempts))
        .set_destination_config(destination)
        .set_function_response_types((!settings.response_types.is_empty()).then_some(responses))
        .set_tumbling_window_in_seconds(non_zero(settings.tumbling_window_seconds))
        .set_filter_criteria((!settings.filters.is_empty()).then_some(criteria))
        .set_kms_key_arn(settings.kms_key.clone())
        .set_metrics_config(settings.count_events.then_some(metrics))
}

fn non_zero(value: u32) -> Option<i32> {
    i32::try_from(value).ok().filter(|value| *value > 0)
}

/// The UUID in `... provided mapping already exists. Please update or delete the existing mapping with UUID X`.
fn existing(failure: &AwsFailure) -> Option<MappingId> {
    if failure.kind != FailureKind::Conflict {
        return None;
    }
    let after = failure.message.split("UUID").nth(1)?;
    let id = after
        .trim_start_matches([' ', ':'])
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .next()?;
    id.parse().ok()
}

/// Takes a mapping that is there for the one that was wanted, if nothing would be skipped or handled
/// otherwise by it. Whether it is enabled is a later step's matter.
fn adopt(asked: &Asked<'_>, wanted: &Wanted<'_>, found: &Mapping) -> Result<Performed, AwsFailure> {
    let conflict = |text: String| asked.failed(FailureKind::Conflict, text, Sent::Refused);
    let id = &found.id;
    if found.function != *wanted.function || !is_source(&found.source, wanted.source) {
        return Err(conflict(format!("mapping {id} is of another function or source")));
    }
    let settings = found.settings.as_result().map_err(|reason| conflict(reason.text.clone()))?;
    let mut differences = wanted.settings.differences(settings);
    if !starts_there(wanted.start, found.position) {
        let starts = found.position.map_or_else(|| "at an unknown place".to_owned(), |at| at.to_string());
        differences.insert(0, format!("it starts {starts} and not {}", wanted.start));
    }
    if differences.is_empty() {
        return Ok(Performed::AlreadySo(format!("mapping {id} is there, {}, {}", found.state, wanted.start)));
    }
    Err(conflict(format!(
        "mapping {id} is there already ({}), and it is not the one that is wanted: {}. Its position cannot be \
         changed: delete it, then resume (aws lambda delete-event-source-mapping --uuid {id} --region {})",
        found.state,
        differences.join("; "),
        found.source.region(),
    )))
}

fn starts_there(wanted: StartAt, found: Option<StartingPosition>) -> bool {
    match (wanted, found) {
        (StartAt::TrimHorizon, Some(StartingPosition::TrimHorizon)) => true,
        (StartAt::Timestamp(wanted), Some(StartingPosition::AtTimestamp(found))) => {
            whole_seconds(wanted) == whole_seconds(found)
        }
        _ => false,
    }
}

/// Puts the way out beside Lambda's known refusals.
fn advised(failure: AwsFailure) -> AwsFailure {
    let says = |text: &str| failure.message.contains(text);
    let advice = if says("Stream not found") {
        "create the stream in this Region, or correct the configuration"
    } else if says("Function does not exist") {
        "deploy the function in this Region, or correct the configuration"
    } else if says("Cannot access stream") || says("cannot be assumed by Lambda") {
        "give the function's execution role the Kinesis rights (AWSLambdaKinesisExecutionRole); in a failover \
         use a role that exists already, since IAM changes may be unavailable"
    } else if says("timestamp") && says("future") {
        "the start lies in the future: check the time given with --start-at"
    } else {
        return failure;
    };
    AwsFailure { message: format!("{}; {advice}", failure.message), ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Observed, Region};

    fn region() -> Region {
        "us-east-2".parse().expect("a Region")
    }

    fn conflict(message: &str) -> AwsFailure {
        let region = region();
        Asked::mutation(OPERATION, "S -> F", &region).failed(FailureKind::Conflict, message, Sent::Refused)
    }

    #[test]
    fn the_uuid_is_read_from_lambdas_sentence() {
        let text = "The event source arn (\" arn:aws:kinesis:us-east-2:123456789012:stream/S \") and function (\" F \") \
                    provided mapping already exists. Please update or delete the existing mapping with UUID \
                    0c9ee7d3-5c1f-4e3a-8a53-000000000001";
        let id = existing(&conflict(text)).expect("a UUID");
        assert_eq!(id.as_str(), "0c9ee7d3-5c1f-4e3a-8a53-000000000001");
        assert_eq!(existing(&conflict("an operation is in progress")), None);
    }

    fn found(position: StartingPosition, settings: MappingSettings) -> Mapping {
        Mapping {
            id: "0c9ee7d3".parse().expect("an id"),
            function: "F".parse().expect("a name"),
            qualifier: None,
            source: Arn::new("arn:aws:kinesis:us-east-2:123456789012:stream/S"),
            state: MappingState::Disabled,
            position: Some(position),
            last_modified: None,
            last_processing_result: None,
            state_transition_reason: None,
            settings: Observed::Known(settings),
        }
    }

    #[test]
    fn a_leftover_is_adopted_only_if_it_starts_at_the_same_second_with_the_same_settings() {
        let at = |text: &str| text.parse().expect("an instant");
        let (function, source) =
            ("F".parse().expect("a name"), MappingSource::Stream("S".parse().expect("a name")));
        let settings = MappingSettings { count_events: true, ..MappingSettings::default() };
        let start = StartAt::Timestamp(at("2026-11-22T10:31:00.7Z"));
        let wanted =
            Wanted { function: &function, source: &source, start, enabled: true, settings: &settings };
        let region = region();
        let asked = Asked::mutation(OPERATION, "S -> F", &region);
        let try_adopt = |position, settings| adopt(&asked, &wanted, &found(position, settings));

        let same = StartingPosition::AtTimestamp(at("2026-11-22T10:31:00Z"));
        assert!(matches!(try_adopt(same, MappingSettings::default()), Ok(Performed::AlreadySo(_))));
        for other in [
            StartingPosition::Latest,
            StartingPosition::TrimHorizon,
            StartingPosition::AtTimestamp(at("2026-11-22T10:31:01Z")),
        ] {
            let failure = try_adopt(other, MappingSettings::default()).expect_err("another position");
            assert_eq!((failure.kind, failure.sent), (FailureKind::Conflict, Sent::Refused));
            assert!(failure.message.contains("delete-event-source-mapping --uuid 0c9ee7d3"), "{failure}");
        }
        let filtered = MappingSettings { filters: vec!["{}".to_owned()], ..MappingSettings::default() };
        let failure = try_adopt(same, filtered).expect_err("another filter");
        assert!(failure.message.contains("FilterCriteria"), "{failure}");
    }

    #[test]
    fn known_refusals_come_with_the_way_out() {
        let known = [
            ("Stream not found: arn:x", "create the stream"),
            ("Function does not exist", "deploy the function"),
            ("Cannot access stream arn:x. Please ensure the role can ...", "execution role"),
            ("The role defined for the function cannot be assumed by Lambda.", "execution role"),
            ("StartingPositionTimestamp: the timestamp must not be in the future", "--start-at"),
        ];
        for (text, way_out) in known {
            let failure = advised(AwsFailure { kind: FailureKind::Invalid, ..conflict(text) });
            assert!(failure.message.starts_with(text) && failure.message.contains(way_out), "{failure}");
        }
        assert_eq!(advised(conflict("something else")).message, "something else");
    }
}
