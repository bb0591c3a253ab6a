//! What a run means for records: which are processed a second time, and which are left waiting, until when.

use super::Timestamp;
use super::effect::StartAt;
use super::ids::{PipelineName, Region};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a run means for the records of one pipeline, as far as its plan knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Consequence {
    /// The pipeline.
    pub pipeline: PipelineName,
    /// Records that are processed a second time.
    pub repeated: Option<Repeated>,
    /// Records that wait in the Region that an emergency left.
    pub stranded: Option<Stranded>,
    /// Whether more are stranded, since a producer is still to be switched.
    #[serde(default)]
    pub is_growing: bool,
}

/// Records that are processed a second time, since a consumer starts before what another one has processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Repeated {
    /// Where it started.
    pub from: StartAt,
    /// How many, from IncomingRecords; `None` is unknown.
    pub records: Option<u64>,
}

/// Records that an emergency leaves unprocessed in the stream of the Region that it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stranded {
    /// The Region.
    pub region: Region,
    /// When the first of them may expire; `None` is not known.
    pub expires: Option<Timestamp>,
    /// How long the stream keeps a record; plans of earlier versions do not say.
    #[serde(default)]
    pub retention_hours: Option<u32>,
    /// What processes them.
    #[serde(default)]
    pub waits_for: WaitsFor,
}

impl Stranded {
    /// When the first of them expires, in words; `show` writes an instant.
    pub fn expiry(&self, now: Timestamp, show: impl Fn(Timestamp) -> String) -> String {
        match self.expires {
            Some(at) if at <= now => format!("the first may have expired at {}", show(at)),
            Some(at) => format!("the first may expire at {}", show(at)),
            None => "when the first would expire is not known".to_owned(),
        }
    }
}

/// What processes stranded records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// The failback, which starts the consumer there again.
    #[default]
    Failback,
    /// The consumer there, which was left running, once its Region lets it.
    Consumer,
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WaitsFor::Failback => "the failback",
            WaitsFor::Consumer => "its consumer there",
        })
    }
}
