//! Lambda: event source mappings as JSON, and their settings as they come in.

use super::super::clock::seconds;
use super::super::filters::Filters;
use super::super::mappings::{Extras, Mapping, StartingPosition, Tuning};
use super::lambda::invalid_value;
use super::{Input, World};
use crate::sandbox::call::ApiError;
use serde_json::{Value, json};

impl World {
    /// EventSourceMappingConfiguration, as AWS fills it in for Kinesis.
    pub(super) fn describe_mapping(&self, mapping: &Mapping) -> Value {
        let (tuning, extras) = (&mapping.tuning, &mapping.extras);
        let or_never = |limit: Option<u32>| limit.map_or(-1, i64::from);
        let on_failure = extras.on_failure.as_ref().map_or(json!({}), |arn| json!({ "Destination": arn }));
        let place = &self.places[mapping.place.0];
        let mut output = json!({
            "UUID": mapping.uuid,
            "BatchSize": tuning.batch_size,
            "MaximumBatchingWindowInSeconds": tuning.window_seconds,
            "ParallelizationFactor": tuning.parallelization,
            "EventSourceArn": mapping.source.arn,
            "EventSourceMappingArn": place.arn("lambda", &format!("event-source-mapping:{}", mapping.uuid)),
            "FunctionArn": mapping.function_arn,
            "LastModified": seconds(mapping.modified),
            "LastProcessingResult": mapping.result,
            "State": mapping.state.as_str(),
            "StateTransitionReason": "User action",
            "DestinationConfig": { "OnFailure": on_failure },
            "MaximumRecordAgeInSeconds": or_never(tuning.maximum_record_age),
            "BisectBatchOnFunctionError": tuning.bisect,
            "MaximumRetryAttempts": or_never(tuning.maximum_retries),
            "TumblingWindowInSeconds": extras.tumbling_window,
            "FunctionResponseTypes": extras.response_types,
        });
        output["StartingPosition"] = match mapping.starting {
            StartingPosition::TrimHorizon => json!("TRIM_HORIZON"),
            StartingPosition::Latest => json!("LATEST"),
            StartingPosition::AtTimestamp(at) => {
                output["StartingPositionTimestamp"] = seconds(at);
                json!("AT_TIMESTAMP")
            }
        };
        if !extras.filters.is_empty() {
            let filters: Vec<Value> = extras.filters.texts().map(|p| json!({ "Pattern": p })).collect();
            output["FilterCriteria"] = json!({ "Filters": filters });
        }
        if let Some(key) = &extras.kms_key {
            output["KMSKeyArn"] = json!(key);
        }
        if extras.count_events {
            output["MetricsConfig"] = json!({ "Metrics": ["EventCount"] });
        }
        output
    }
}

/// The settings with the members of a request put in.
pub(super) fn settings(input: Input, base: (Tuning, Extras)) -> Result<(Tuning, Extras), ApiError> {
    let (mut tuning, mut extras) = base;
    tuning.batch_size = within(input, "BatchSize", 1..=10_000)?.unwrap_or(tuning.batch_size);
    tuning.window_seconds =
        within(input, "MaximumBatchingWindowInSeconds", 0..=300)?.unwrap_or(tuning.window_seconds);
    tuning.parallelization =
        within(input, "ParallelizationFactor", 1..=10)?.unwrap_or(tuning.parallelization);
    tuning.bisect = input.flag("BisectBatchOnFunctionError").unwrap_or(tuning.bisect);
    if let Some(age) = unless_never(input, "MaximumRecordAgeInSeconds", 60..=604_800)? {
        tuning.maximum_record_age = age;
    }
    if let Some(retries) = unless_never(input, "MaximumRetryAttempts", 0..=10_000)? {
        tuning.maximum_retries = retries;
    }
    extras.tumbling_window =
        within(input, "TumblingWindowInSeconds", 0..=900)?.unwrap_or(extras.tumbling_window);
    let destination = input.within("DestinationConfig").within("OnFailure");
    match destination.text("Destination") {
        Some("") => extras.on_failure = None,
        Some(arn) => extras.on_failure = Some(arn.to_owned()),
        None => {}
    }
    if input.get("FilterCriteria").is_some() {
        let filters = input.within("FilterCriteria").list("Filters").iter();
        let patterns = filters.map(|f| f.get("Pattern").and_then(Value::as_str).unwrap_or_default());
        extras.filters =
            Filters::read(patterns).map_err(|_| invalid_value("Invalid filter pattern definition."))?;
    }
    if let Some(key) = input.text("KMSKeyArn") {
        extras.kms_key = Some(key.to_owned()).filter(|key| !key.is_empty());
    }
    if input.get("FunctionResponseTypes").is_some() {
        let types = input.list("FunctionResponseTypes").iter();
        extras.response_types = types.filter_map(|t| Some(t.as_str()?.to_owned())).collect();
    }
    if input.get("MetricsConfig").is_some() {
        let metrics = input.within("MetricsConfig").list("Metrics");
        extras.count_events = metrics.iter().any(|m| m == "EventCount");
    }
    Ok((tuning, extras))
}

fn within(input: Input, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<u32>, ApiError> {
    match input.whole(name) {
        None => Ok(None),
        Some(value) if range.contains(&value) => Ok(u32::try_from(value).ok()),
        Some(value) => Err(invalid_value(format!(
            "{name} must be between {} and {}; it is {value}.",
            range.start(),
            range.end()
        ))),
    }
}

/// Limits that -1 lifts: not given, lifted, or set.
#[allow(clippy::option_option)]
fn unless_never(
    input: Input,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<Option<u32>>, ApiError> {
    match input.whole(name) {
        Some(-1) => Ok(Some(None)),
        _ => Ok(within(input, name, range)?.map(Some)),
    }
}
