//! From the SDK's types to the model's words. Pure; a text that cannot be read is an error, never a default.

use crate::model::{
    Arn, Environment, FailureKind, FunctionView, Mapping, MappingSettings, MappingState, Observed, Reason,
    Release, Secret, StartingPosition, Timestamp,
};
use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    EnvironmentResponse, EventSourceMappingConfiguration, EventSourceMappingMetric, EventSourcePosition,
    FilterCriteria, FunctionConfiguration, FunctionResponseType,
};
use aws_smithy_types::DateTime;
use std::collections::BTreeMap;

/// An instant of the SDK's.
pub(super) fn instant(at: &DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}

/// An instant for Kinesis, which reads milliseconds.
pub(super) fn date_time(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

/// An instant for a mapping's start: whole seconds, rounded down, which is the safe direction. Lambda
/// documents "Unix time seconds" and does not say what becomes of a fraction.
pub(super) fn whole_seconds(at: Timestamp) -> i64 {
    let second = at.as_second();
    if at.subsec_nanosecond() < 0 { second - 1 } else { second }
}

/// The answer of `GetEventSourceMapping` in the type of `ListEventSourceMappings`: the same members.
pub(super) fn as_listed(got: &GetEventSourceMappingOutput) -> EventSourceMappingConfiguration {
    EventSourceMappingConfiguration::builder()
        .set_uuid(got.uuid.clone())
        .set_starting_position(got.starting_position.clone())
        .set_starting_position_timestamp(got.starting_position_timestamp)
        .set_batch_size(got.batch_size)
        .set_maximum_batching_window_in_seconds(got.maximum_batching_window_in_seconds)
        .set_parallelization_factor(got.parallelization_factor)
        .set_event_source_arn(got.event_source_arn.clone())
        .set_filter_criteria(got.filter_criteria.clone())
        .set_filter_criteria_error(got.filter_criteria_error.clone())
        .set_kms_key_arn(got.kms_key_arn.clone())
        .set_metrics_config(got.metrics_config.clone())
        .set_function_arn(got.function_arn.clone())
        .set_last_modified(got.last_modified)
        .set_last_processing_result(got.last_processing_result.clone())
        .set_state(got.state.clone())
        .set_state_transition_reason(got.state_transition_reason.clone())
        .set_destination_config(got.destination_config.clone())
        .set_maximum_record_age_in_seconds(got.maximum_record_age_in_seconds)
        .set_bisect_batch_on_function_error(got.bisect_batch_on_function_error)
        .set_maximum_retry_attempts(got.maximum_retry_attempts)
        .set_tumbling_window_in_seconds(got.tumbling_window_in_seconds)
        .set_function_response_types(got.function_response_types.clone())
        .build()
}

/// A mapping as it was listed, its settings included.
///
/// # Errors
/// Says which member cannot be read.
pub(super) fn mapping(listed: &EventSourceMappingConfiguration) -> Result<Mapping, String> {
    let missing = |member: &str| format!("a mapping without {member} was listed");
    let uuid = listed.uuid.as_deref().ok_or_else(|| missing("UUID"))?;
    let function = Arn::new(listed.function_arn.as_deref().ok_or_else(|| missing("FunctionArn"))?);
    let name = function.function().unwrap_or(function.as_str());
    Ok(Mapping {
        id: uuid.parse().map_err(|error| format!("{error}"))?,
        function: name.parse().map_err(|error| format!("mapping {uuid}: {error}"))?,
        qualifier: function.qualifier().map(str::to_owned),
        source: Arn::new(listed.event_source_arn.as_deref().ok_or_else(|| missing("EventSourceArn"))?),
        state: MappingState::from(listed.state.as_deref().ok_or_else(|| missing("State"))?),
        position: position(listed),
        last_modified: listed.last_modified.as_ref().and_then(instant),
        last_processing_result: listed.last_processing_result.clone(),
        state_transition_reason: listed.state_transition_reason.clone(),
        settings: settings(listed),
    })
}

fn position(listed: &EventSourceMappingConfiguration) -> Option<StartingPosition> {
    match listed.starting_position.as_ref()? {
        EventSourcePosition::TrimHorizon => Some(StartingPosition::TrimHorizon),
        EventSourcePosition::Latest => Some(StartingPosition::Latest),
        EventSourcePosition::AtTimestamp => {
            let at = listed.starting_position_timestamp.as_ref().and_then(instant)?;
            Some(StartingPosition::AtTimestamp(at))
        }
        _ => None,
    }
}

/// The settings that a clone carries over. Filters that could not be decrypted make them unknown: a clone
/// would silently drop the filter.
pub(super) fn settings(listed: &EventSourceMappingConfiguration) -> Observed<MappingSettings> {
    if let Some(error) = &listed.filter_criteria_error {
        let why = error.message.as_deref().unwrap_or("the filter cannot be decrypted");
        let text = format!(
            "filter of mapping {}: {}",
            listed.uuid.as_deref().unwrap_or("?"),
            super::errors::scrub(why)
        );
        return Observed::Unknown(Reason::new(FailureKind::AccessDenied, text));
    }
    let count =
        |value: Option<i32>, default: u32| value.and_then(|v| u32::try_from(v).ok()).unwrap_or(default);
    let unless_infinite = |value: Option<i32>| value.and_then(|v| u32::try_from(v).ok());
    let defaults = MappingSettings::default();
    Observed::Known(MappingSettings {
        batch_size: count(listed.batch_size, defaults.batch_size),
        batching_window_seconds: count(listed.maximum_batching_window_in_seconds, 0),
        parallelization_factor: count(listed.parallelization_factor, defaults.parallelization_factor),
        bisect_on_error: listed.bisect_batch_on_function_error.unwrap_or(false),
        maximum_record_age_seconds: unless_infinite(listed.maximum_record_age_in_seconds),
        maximum_retry_attempts: unless_infinite(listed.maximum_retry_attempts),
        on_failure: on_failure(listed),
        response_types: listed
            .function_response_types
            .iter()
            .flatten()
            .map(|kind: &FunctionResponseType| kind.as_str().to_owned())
            .collect(),
        tumbling_window_seconds: count(listed.tumbling_window_in_seconds, 0),
        filters: listed.filter_criteria.as_ref().map(filters).unwrap_or_default(),
        kms_key: listed.kms_key_arn.clone(),
        count_events: listed
            .metrics_config
            .as_ref()
            .is_some_and(|config| config.metrics().contains(&EventSourceMappingMetric::EventCount)),
    })
}

fn on_failure(listed: &EventSourceMappingConfiguration) -> Option<String> {
    let destination = listed.destination_config.as_ref()?.on_failure.as_ref()?.destination.clone()?;
    (!destination.is_empty()).then_some(destination)
}

fn filters(criteria: &FilterCriteria) -> Vec<String> {
    criteria.filters().iter().filter_map(|filter| filter.pattern.clone()).collect()
}

/// A function's environment. `Environment.Error` is kept as such: AWS gave no variables then, and merging
/// into none would wipe the function's own.
pub(super) fn environment(found: Option<&EnvironmentResponse>) -> Environment {
    let Some(found) = found else { return Environment::Readable(BTreeMap::new()) };
    if let Some(error) = &found.error {
        let code = error.error_code.as_deref().unwrap_or("no code");
        return Environment::Unreadable(format!("AWS could not decrypt the environment ({code})"));
    }
    match &found.variables {
        Some(variables) => Environment::Readable(
            variables.iter().map(|(key, value)| (key.clone(), Secret::new(value.clone()))).collect(),
        ),
        None => Environment::Unreadable("AWS gave an environment without variables".to_owned()),
    }
}

/// A function as `GetFunction` gave it.
///
/// # Errors
/// Says which member is missing.
pub(super) fn function(got: &GetFunctionOutput) -> Result<FunctionView, String> {
    let config = got.configuration.as_ref().ok_or("GetFunction gave no Configuration")?;
    let arn = config.function_arn.as_deref().ok_or("GetFunction gave no FunctionArn")?;
    let reserved = got.concurrency.as_ref().and_then(|c| c.reserved_concurrent_executions);
    Ok(FunctionView {
        arn: unqualified(arn),
        state: state(config),
        last_update_status: last_update_status(config),
        last_update_reason: update_reason(config),
        revision_id: config.revision_id.clone().unwrap_or_default(),
        timeout_seconds: config.timeout.and_then(|t| u32::try_from(t).ok()).unwrap_or(3),
        memory_mib: config.memory_size.and_then(|m| u32::try_from(m).ok()).unwrap_or(128),
        environment: environment(config.environment.as_ref()),
        reserved_concurrency: reserved.and_then(|n| u32::try_from(n).ok()),
        last_modified: config.last_modified.as_deref().and_then(|text| text.parse().ok()),
        effective_since: None,
        tags: got.tags.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
        tags_error: got
            .tags_error
            .as_ref()
            .map(|error| format!("its tags could not be read ({}): allow lambda:ListTags", error.error_code)),
        release: release(config),
    })
}

/// What a version is made of beside its variables. No layer and no VPC are values like any other.
pub(super) fn release(config: &FunctionConfiguration) -> Release {
    let text = |value: Option<&str>| value.map(str::to_owned);
    let layers: Vec<&str> = config.layers().iter().filter_map(|layer| layer.arn()).collect();
    let architectures: Vec<&str> = config.architectures().iter().map(|one| one.as_str()).collect();
    Release::of([
        ("code", text(config.code_sha256())),
        ("Layers", Some(layers.join(","))),
        ("Handler", text(config.handler())),
        ("Runtime", text(config.runtime().map(|runtime| runtime.as_str()))),
        ("Role", text(config.role())),
        ("VpcConfig", Some(network(config))),
        ("MemorySize", config.memory_size().map(|size| size.to_string())),
        ("Timeout", config.timeout().map(|timeout| timeout.to_string())),
        ("Architectures", (!architectures.is_empty()).then(|| architectures.join(","))),
    ])
}

/// Subnets and security groups, in an order of their own: AWS gives them in any.
fn network(config: &FunctionConfiguration) -> String {
    let Some(vpc) = config.vpc_config() else { return String::new() };
    let mut ids: Vec<&str> =
        vpc.subnet_ids().iter().chain(vpc.security_group_ids()).map(String::as_str).collect();
    ids.sort_unstable();
    ids.join(",")
}

/// `Active` where AWS says nothing: functions from before states existed.
pub(super) fn state(config: &FunctionConfiguration) -> String {
    config.state.as_ref().map_or("Active", |state| state.as_str()).to_owned()
}

/// `Successful` where AWS says nothing: published versions are never updated.
pub(super) fn last_update_status(config: &FunctionConfiguration) -> String {
    config.last_update_status.as_ref().map_or("Successful", |status| status.as_str()).to_owned()
}

fn update_reason(config: &FunctionConfiguration) -> Option<String> {
    let code = config.last_update_status_reason_code.as_ref().map(|code| code.as_str().to_owned());
    let text = config.last_update_status_reason.as_deref().map(super::errors::scrub);
    let parts: Vec<String> = [code, text].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

fn unqualified(arn: &str) -> Arn {
    let arn = Arn::new(arn);
    match arn.qualifier() {
        Some(qualifier) => {
            let cut = arn.as_str().len() - qualifier.len() - 1;
            Arn::new(&arn.as_str()[..cut])
        }
        None => arn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_lambda::types::{
        DestinationConfig, EnvironmentError, EventSourceMappingMetricsConfig, Filter, FilterCriteriaError,
        OnFailure,
    };

    fn listed() -> aws_sdk_lambda::types::builders::EventSourceMappingConfigurationBuilder {
        EventSourceMappingConfiguration::builder()
            .uuid("c7a0e4a4-0001")
            .function_arn("arn:aws:lambda:us-east-2:123456789012:function:F:live")
            .event_source_arn("arn:aws:kinesis:us-east-2:123456789012:stream/S")
            .state("Creating")
    }

    #[test]
    fn a_mapping_keeps_its_qualifier_position_and_settings() {
        let raw = listed()
            .starting_position(EventSourcePosition::AtTimestamp)
            .starting_position_timestamp(DateTime::from_secs(1_700_000_000))
            .batch_size(10)
            .maximum_retry_attempts(-1)
            .maximum_record_age_in_seconds(3600)
            .destination_config(DestinationConfig::builder().on_failure(OnFailure::builder().build()).build())
            .filter_criteria(
                FilterCriteria::builder().filters(Filter::builder().pattern("{}").build()).build(),
            )
            .metrics_config(
                EventSourceMappingMetricsConfig::builder()
                    .metrics(EventSourceMappingMetric::EventCount)
                    .build(),
            )
            .build();
        let mapping = mapping(&raw).expect("a mapping");
        assert_eq!((mapping.function.as_str(), mapping.qualifier.as_deref()), ("F", Some("live")));
        let at = Timestamp::from_second(1_700_000_000).expect("an instant");
        assert_eq!(mapping.position, Some(StartingPosition::AtTimestamp(at)));
        let settings = mapping.settings.known().expect("settings");
        assert_eq!((settings.batch_size, settings.maximum_retry_attempts), (10, None));
        assert_eq!((settings.maximum_record_age_seconds, settings.count_events), (Some(3600), true));
        assert_eq!((settings.on_failure.clone(), settings.filters.len()), (None, 1));
    }

    #[test]
    fn a_filter_that_cannot_be_decrypted_makes_the_settings_unknown() {
        let error = FilterCriteriaError::builder().error_code("KMSAccessDenied").message("no").build();
        let mapping = mapping(&listed().filter_criteria_error(error).build()).expect("a mapping");
        assert!(mapping.settings.known().is_none());
    }

    #[test]
    fn a_mapping_without_its_identity_is_an_error() {
        assert!(mapping(&EventSourceMappingConfiguration::builder().build()).is_err());
    }

    #[test]
    fn an_environment_that_was_not_given_is_never_taken_for_an_empty_one() {
        let error = EnvironmentError::builder().error_code("AccessDeniedException").message("secret").build();
        let denied = EnvironmentResponse::builder().error(error).build();
        assert!(matches!(environment(Some(&denied)), Environment::Unreadable(_)));
        assert!(matches!(
            environment(Some(&EnvironmentResponse::builder().build())),
            Environment::Unreadable(_)
        ));
        assert_eq!(environment(None), Environment::Readable(BTreeMap::new()));
    }

    #[test]
    fn tags_that_may_not_be_read_are_not_taken_for_none() {
        use aws_sdk_lambda::types::TagsError;
        let config = FunctionConfiguration::builder()
            .function_arn("arn:aws:lambda:us-east-2:123456789012:function:F")
            .build();
        let stack_of = |error: Option<TagsError>| {
            let got =
                GetFunctionOutput::builder().configuration(config.clone()).set_tags_error(error).build();
            let view = function(&got).expect("a function");
            view.stack().map(|stack| stack.map(str::to_owned))
        };
        let error = TagsError::builder().error_code("AccessDeniedException").message("secret");
        let denied = stack_of(Some(error.build().expect("an error")));
        let reason = denied.reason().map(|reason| reason.text.clone()).expect("a reason");
        assert!(reason.contains("lambda:ListTags") && !reason.contains("secret"), "{reason}");
        assert_eq!(stack_of(None), Observed::Known(None));
    }

    #[test]
    fn a_release_is_told_by_its_code_and_its_configuration() {
        use aws_sdk_lambda::types::VpcConfigResponse;
        let vpc = |subnets: [&str; 2]| {
            let subnets = subnets.map(str::to_owned).to_vec();
            VpcConfigResponse::builder().set_subnet_ids(Some(subnets)).build()
        };
        let of = |code: &str, timeout: i32, vpc: Option<VpcConfigResponse>| {
            let config = FunctionConfiguration::builder().code_sha256(code).timeout(timeout);
            release(&config.set_vpc_config(vpc).build())
        };
        let released = of("a", 30, Some(vpc(["s-1", "s-2"])));
        assert!(released.differences(&of("a", 30, Some(vpc(["s-2", "s-1"])))).is_empty());
        assert_eq!(released.differences(&of("b", 60, None)), ["Timeout", "VpcConfig", "code"]);
        // A function outside of any VPC is answered with an empty one, or with none.
        let outside = VpcConfigResponse::builder().vpc_id("").build();
        assert!(of("a", 30, Some(outside)).differences(&of("a", 30, None)).is_empty());
    }

    #[test]
    fn a_start_is_rounded_down_to_the_second() {
        let at = |text: &str| whole_seconds(text.parse().expect("an instant"));
        assert_eq!(at("2026-11-22T10:31:00.999Z"), at("2026-11-22T10:31:00Z"));
        assert_eq!(at("1969-12-31T23:59:58.5Z"), -2);
    }
}
