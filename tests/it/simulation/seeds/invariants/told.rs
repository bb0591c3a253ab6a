//! 4. What a dry run printed is what the run sends: the calls with everything that matters in them.

use super::calls::operation;
use super::{Invariant, Judged};
use kdsha::model::{Effect, MappingSettings, MappingSource, StartAt, Timestamp};
use kdsha::sandbox::Logged;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Whose a mapping is, by its UUID: function and source.
pub type Known = BTreeMap<String, (String, String)>;

/// One line of a dry run.
#[derive(Debug, Clone)]
pub struct Printed {
    stage: u64,
    pipeline: String,
    effect: Effect,
}

/// What a dry run printed, and when.
#[derive(Debug, Clone)]
pub struct DryRun {
    pub at: Timestamp,
    pub printed: Vec<Printed>,
}

impl DryRun {
    pub fn read(document: &str, at: Timestamp) -> DryRun {
        let document: Value = serde_json::from_str(document.trim()).unwrap_or_default();
        let line = |one: &Value| {
            Some(Printed {
                stage: one["stage"].as_u64()?,
                pipeline: one["pipeline"].as_str()?.to_owned(),
                effect: serde_json::from_value(one["effect"].clone()).ok()?,
            })
        };
        let printed = document["effects"].as_array().into_iter().flatten().filter_map(line).collect();
        DryRun { at, printed }
    }
}

/// The positions move on with the data points: by the time between the two looks, and a period's length.
const PERIOD: Duration = Duration::from_secs(60);

/// Every call was printed, every line was sent, and within a pipeline no stage before the one before it.
pub fn dry_run_is_the_run(dry: &DryRun, began: Timestamp, calls: &[Logged], known: &Known) -> Judged {
    let between = Duration::try_from(began.duration_since(dry.at)).unwrap_or_default();
    let slack = between + PERIOD;
    let mut left = dry.printed.clone();
    let mut reached: BTreeMap<String, u64> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.is_mutating) {
        let Some(index) = left.iter().position(|line| is_it(&line.effect, call, slack, known)) else {
            let seen = format!("{} {} was sent; left of the dry run: {left:?}", call.operation, call.input);
            return Invariant::DryRunIsTheRun.broken(seen);
        };
        let line = left.remove(index);
        let stage = reached.entry(line.pipeline.clone()).or_default();
        if line.stage < *stage {
            return Invariant::DryRunIsTheRun.broken(format!("{line:?} was sent after stage {stage}"));
        }
        *stage = line.stage;
    }
    Invariant::DryRunIsTheRun.unless((!left.is_empty()).then(|| format!("never sent: {left:?}")))
}

fn is_it(effect: &Effect, call: &Logged, slack: Duration, known: &Known) -> bool {
    let input = &call.input;
    let is = |key: &str, due: &str| input[key].as_str() == Some(due);
    let is_named = || known.get(input["UUID"].as_str().unwrap_or_default());
    let same_place = operation(effect) == call.operation && *effect.region() == call.region;
    same_place
        && match effect {
            Effect::TagStream { stream, tags, .. } => {
                let names_it = is("StreamName", stream.as_str());
                let sent = input["Tags"].as_object();
                names_it && sent.is_some_and(|sent| sent.keys().eq(tags.keys()))
            }
            Effect::CreateMapping { function, source, start, enabled, settings, .. } => {
                is("FunctionName", function.as_str())
                    && is_source(source, input["EventSourceArn"].as_str().unwrap_or_default())
                    && starts(*start, input, slack)
                    && input["Enabled"].as_bool() == Some(*enabled)
                    && has_settings(settings, input)
            }
            Effect::SetMappingEnabled { function, source, enabled, .. } => {
                let (f, s) = (function.as_str(), source);
                input["Enabled"].as_bool() == Some(*enabled)
                    && is_named().is_some_and(|(name, arn)| name == f && is_source(s, arn))
            }
            Effect::DeleteMapping { function, source, .. } => {
                is_named().is_some_and(|(name, arn)| name == function.as_str() && is_source(source, arn))
            }
            Effect::SetEnvironment { function, set, .. } => {
                let sent = &input["Environment"]["Variables"];
                is("FunctionName", function.as_str())
                    && set.iter().all(|(key, value)| sent[key].as_str() == Some(value))
            }
            Effect::PublishVersion { function, .. } => is("FunctionName", function.as_str()),
            Effect::MoveAlias { function, alias, .. } => {
                is("FunctionName", function.as_str()) && is("Name", alias)
            }
        }
}

fn is_source(source: &MappingSource, arn: &str) -> bool {
    let Some((_, rest)) = arn.split_once(":stream/") else { return false };
    match source {
        MappingSource::Stream(stream) => rest == stream.as_str(),
        MappingSource::StreamConsumer { stream, consumer } => {
            rest.starts_with(&format!("{stream}/consumer/{consumer}:"))
        }
    }
}

fn starts(start: StartAt, input: &Value, slack: Duration) -> bool {
    match start {
        StartAt::TrimHorizon => input["StartingPosition"] == "TRIM_HORIZON",
        StartAt::Timestamp(at) => {
            let sent = input["StartingPositionTimestamp"].as_f64();
            input["StartingPosition"] == "AT_TIMESTAMP"
                && sent.is_some_and(|sent| (sent - at.as_second() as f64).abs() <= slack.as_secs_f64())
        }
    }
}

/// The members that a mapping's settings are sent as.
fn has_settings(settings: &MappingSettings, input: &Value) -> bool {
    let or_never = |value: Option<u32>| value.map_or(-1, i64::from);
    let counts = [
        ("BatchSize", i64::from(settings.batch_size)),
        ("MaximumBatchingWindowInSeconds", i64::from(settings.batching_window_seconds)),
        ("ParallelizationFactor", i64::from(settings.parallelization_factor)),
        ("MaximumRecordAgeInSeconds", or_never(settings.maximum_record_age_seconds)),
        ("MaximumRetryAttempts", or_never(settings.maximum_retry_attempts)),
        ("TumblingWindowInSeconds", i64::from(settings.tumbling_window_seconds)),
    ];
    let metrics = input["MetricsConfig"]["Metrics"].as_array().is_some_and(|all| !all.is_empty());
    counts.iter().all(|(key, due)| input[*key].as_i64().unwrap_or_default() == *due)
        && input["BisectBatchOnFunctionError"].as_bool() == Some(settings.bisect_on_error)
        && input["DestinationConfig"]["OnFailure"]["Destination"].as_str() == settings.on_failure.as_deref()
        && metrics == settings.count_events
}
