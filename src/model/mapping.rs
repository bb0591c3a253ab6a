//! Event source mappings as observed, and the settings that a clone carries over.

use super::Timestamp;
use super::effect::StartAt;
use super::ids::{Arn, FunctionName, MappingId};
use super::observed::Observed;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// State of a mapping. It is what Lambda's control plane says, not proof that polling runs or has stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MappingState {
    /// Being created.
    Creating,
    /// Being enabled.
    Enabling,
    /// Enabled; polling may begin minutes later.
    Enabled,
    /// Being disabled.
    Disabling,
    /// Disabled; a batch may still be in flight.
    Disabled,
    /// Being changed.
    Updating,
    /// Being deleted; gone when it answers 404.
    Deleting,
    /// A state this version does not know.
    Other(String),
}

impl From<&str> for MappingState {
    fn from(text: &str) -> MappingState {
        match text {
            "Creating" => MappingState::Creating,
            "Enabling" => MappingState::Enabling,
            "Enabled" => MappingState::Enabled,
            "Disabling" => MappingState::Disabling,
            "Disabled" => MappingState::Disabled,
            "Updating" => MappingState::Updating,
            "Deleting" => MappingState::Deleting,
            other => MappingState::Other(other.to_owned()),
        }
    }
}

impl MappingState {
    /// Whether the state will change by itself.
    pub fn is_in_transition(&self) -> bool {
        use MappingState::{Creating, Deleting, Disabling, Enabling, Updating};
        matches!(self, Creating | Enabling | Disabling | Updating | Deleting)
    }
    /// Whether the mapping reads the stream, or is about to.
    pub fn is_on(&self) -> bool {
        use MappingState::{Creating, Enabled, Enabling, Updating};
        matches!(self, Creating | Enabling | Enabled | Updating)
    }
}

impl fmt::Display for MappingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MappingState::Other(text) => f.pad(text),
            known => f.pad(&format!("{known:?}")),
        }
    }
}

/// Where a mapping was told to start. It cannot be changed afterwards, and the checkpoint cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StartingPosition {
    /// The oldest record.
    TrimHorizon,
    /// The tip at some moment during creation; may miss records for minutes.
    Latest,
    /// The first record at or after the instant.
    AtTimestamp(Timestamp),
}

impl fmt::Display for StartingPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartingPosition::TrimHorizon => f.pad("TRIM_HORIZON"),
            StartingPosition::Latest => f.pad("LATEST"),
            StartingPosition::AtTimestamp(at) => write!(f, "AT_TIMESTAMP {at}"),
        }
    }
}

impl From<StartAt> for StartingPosition {
    fn from(start: StartAt) -> StartingPosition {
        match start {
            StartAt::TrimHorizon => StartingPosition::TrimHorizon,
            StartAt::Timestamp(at) => StartingPosition::AtTimestamp(at),
        }
    }
}

/// The settings of a mapping that a clone carries over. Defaults are Lambda's for Kinesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MappingSettings {
    /// Records a batch, 1 to 10,000.
    pub batch_size: u32,
    /// Seconds to gather a batch, 0 to 300.
    pub batching_window_seconds: u32,
    /// Batches of one shard at a time, 1 to 10.
    pub parallelization_factor: u32,
    /// Split a failing batch.
    pub bisect_on_error: bool,
    /// Records older than this are discarded; `None` is never (-1).
    pub maximum_record_age_seconds: Option<u32>,
    /// Retries of a failing batch; `None` is until the record expires (-1).
    pub maximum_retry_attempts: Option<u32>,
    /// ARN of the on-failure destination.
    pub on_failure: Option<String>,
    /// `ReportBatchItemFailures`.
    pub response_types: Vec<String>,
    /// Tumbling window, 0 to 900 s.
    pub tumbling_window_seconds: u32,
    /// Filter patterns.
    pub filters: Vec<String>,
    /// Key that encrypts the filters.
    pub kms_key: Option<String>,
    /// Whether Lambda emits `PolledEventCount`, the one positive sign that a mapping polls.
    pub count_events: bool,
}

impl Default for MappingSettings {
    fn default() -> MappingSettings {
        MappingSettings {
            batch_size: 100,
            batching_window_seconds: 0,
            parallelization_factor: 1,
            bisect_on_error: false,
            maximum_record_age_seconds: None,
            maximum_retry_attempts: None,
            on_failure: None,
            response_types: Vec::new(),
            tumbling_window_seconds: 0,
            filters: Vec::new(),
            kms_key: None,
            count_events: false,
        }
    }
}

impl MappingSettings {
    /// These settings with the age limit of `found`, where that gives up less: whoever raised it did so for the records
    /// that would have been dropped.
    pub fn as_patient_as(&self, found: &MappingSettings) -> MappingSettings {
        let patience = |settings: &MappingSettings| settings.maximum_record_age_seconds.unwrap_or(u32::MAX);
        let maximum_record_age_seconds = match patience(found) > patience(self) {
            true => found.maximum_record_age_seconds,
            false => self.maximum_record_age_seconds,
        };
        MappingSettings { maximum_record_age_seconds, ..self.clone() }
    }

    /// How `found` would handle records differently, in words. Event counts change no record's fate.
    pub fn differences(&self, found: &MappingSettings) -> Vec<String> {
        let optional = |value: Option<u32>| value.map_or_else(|| "-1".to_owned(), |v| v.to_string());
        let sorted = |values: &[String]| {
            let mut values = values.to_vec();
            values.sort();
            format!("{values:?}")
        };
        let shown = |s: &MappingSettings| {
            [
                ("BatchSize", s.batch_size.to_string()),
                ("MaximumBatchingWindowInSeconds", s.batching_window_seconds.to_string()),
                ("ParallelizationFactor", s.parallelization_factor.to_string()),
                ("BisectBatchOnFunctionError", s.bisect_on_error.to_string()),
                ("MaximumRecordAgeInSeconds", optional(s.maximum_record_age_seconds)),
                ("MaximumRetryAttempts", optional(s.maximum_retry_attempts)),
                ("OnFailure", s.on_failure.clone().unwrap_or_else(|| "none".to_owned())),
                ("FunctionResponseTypes", sorted(&s.response_types)),
                ("TumblingWindowInSeconds", s.tumbling_window_seconds.to_string()),
                ("FilterCriteria", sorted(&s.filters)),
                ("KMSKeyArn", s.kms_key.clone().unwrap_or_else(|| "none".to_owned())),
            ]
        };
        let pairs = shown(self).into_iter().zip(shown(found));
        pairs
            .filter(|((_, wanted), (_, found))| wanted != found)
            .map(|((what, wanted), (_, found))| format!("{what} is {found} and not {wanted}"))
            .collect()
    }
}

/// A mapping, from `ListEventSourceMappings` (found) and `GetEventSourceMapping` (settings: List gives
/// null for encrypted filters).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Mapping {
    /// Its UUID.
    pub id: MappingId,
    /// The function.
    pub function: FunctionName,
    /// Alias or version, where the mapping names one.
    pub qualifier: Option<String>,
    /// Stream ARN or enhanced fan-out consumer ARN.
    pub source: Arn,
    /// State.
    pub state: MappingState,
    /// Where it was told to start.
    pub position: Option<StartingPosition>,
    /// When it was last changed.
    pub last_modified: Option<Timestamp>,
    /// `No records processed`, `OK`, `PROBLEM: ...`.
    pub last_processing_result: Option<String>,
    /// Who changed the state last.
    pub state_transition_reason: Option<String>,
    /// Its settings.
    pub settings: Observed<MappingSettings>,
}

impl Mapping {
    /// Whether a stopped mapping's checkpoint may have been trimmed: AWS does not document what it does then. It is as old
    /// as the last change at least, and where something else tells how far it `had_come`, as old as that.
    pub fn is_expired(&self, retention_hours: u32, now: Timestamp, had_come: Option<Timestamp>) -> bool {
        let retention = Duration::from_secs(u64::from(retention_hours) * 3600);
        let read = self.last_modified.into_iter().chain(had_come).min();
        self.state == MappingState::Disabled && read.is_some_and(|at| at + retention <= now)
    }

    /// Whether Lambda says that it has never handed a record to its function.
    pub fn has_processed_nothing(&self) -> bool {
        self.last_processing_result.as_deref() == Some("No records processed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 3600 * hour).expect("an instant")
    }

    fn mapping(state: MappingState, changed: Option<i64>) -> Mapping {
        Mapping {
            id: "7c0b5f4e-1111-4222-8333-444455556666".parse().expect("an id"),
            function: "F".parse().expect("a name"),
            qualifier: None,
            source: Arn::new("arn:aws:kinesis:us-west-2:123456789012:stream/S"),
            state,
            position: None,
            last_modified: changed.map(at),
            last_processing_result: None,
            state_transition_reason: None,
            settings: Observed::Known(MappingSettings::default()),
        }
    }

    #[test]
    fn a_checkpoint_is_as_old_as_the_earliest_thing_that_tells() {
        let is_expired = |changed: Option<i64>, had_come: Option<i64>| {
            mapping(MappingState::Disabled, changed).is_expired(24, at(48), had_come.map(at))
        };
        assert!(is_expired(Some(24), None) && !is_expired(Some(25), None));
        assert!(is_expired(Some(47), Some(24)), "a change made it younger");
        assert!(is_expired(Some(24), Some(47)) && !is_expired(Some(47), Some(25)));
        assert!(is_expired(None, Some(24)) && !is_expired(None, None), "nothing tells");
        assert!(!mapping(MappingState::Enabled, Some(0)).is_expired(24, at(48), Some(at(0))), "it reads");
    }
}
