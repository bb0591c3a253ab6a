//! Where the standby's consumer starts, so that no unprocessed record lies before it.
//!
//! `p = min over series, over points k in the window, of (T_k - A_k)`, with `T_k` the start of the point's
//! period and `A_k` the age: anchored on data points, never on anybody's clock. Then
//! `S = floor_to_second(p - overlap_buffer - consumer timeout - batching window - allowance)`. The evidence for
//! every part is in the Lambda Developer Guide (monitoring-metrics-types) and the CloudWatch User Guide
//! (cloudwatch_concepts); a start that is too early repeats records, one that is too late skips them.

mod evidence;
mod given;
#[cfg(test)]
mod tests;
mod trouble;

pub use evidence::Evidence;

use crate::model::{Point, StartAt, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One series that took part, with the point that decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Anchor {
    /// The metric, e.g. `AWS/Lambda IteratorAge Maximum`.
    pub series: String,
    /// How many points were in the window.
    pub points: usize,
    /// The newest of them, ascending: what an operator can check by eye.
    #[serde(default)]
    pub newest: Vec<Point>,
    /// The point with the earliest position.
    pub decisive: Point,
    /// `T_k - A_k` of that point.
    pub position: Timestamp,
}

/// Where the position comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Derived from data points.
    Derived {
        /// The series.
        anchors: Vec<Anchor>,
        /// The earliest moment that the window reaches back to.
        window_from: Timestamp,
        /// The earliest of the anchors' positions.
        earliest: Timestamp,
    },
    /// `--start-at`.
    Operator,
    /// The run mark of an unfinished run.
    RunMark,
}

/// What is taken off the derived position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Buffer {
    /// The operator's overlap buffer.
    #[serde(rename = "overlap_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub overlap: Duration,
    /// The consumer's timeout.
    #[serde(rename = "consumer_timeout_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub consumer_timeout: Duration,
    /// The mapping's batching window.
    #[serde(rename = "batching_window_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub batching_window: Duration,
    /// For clocks of the two Regions and disorder of arrival times.
    #[serde(rename = "allowance_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub allowance: Duration,
}

impl Buffer {
    /// All of it.
    pub fn total(&self) -> Duration {
        self.overlap + self.consumer_timeout + self.batching_window + self.allowance
    }
}

/// A start position with its arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Position {
    /// Where the mapping starts.
    pub start: StartAt,
    /// How that came about.
    pub origin: Origin,
    /// What was taken off.
    pub buffer: Buffer,
    /// Records that will be processed a second time, from IncomingRecords; `None` is unknown.
    pub duplicates: Option<u64>,
    /// How long ago the start lies; `None` for the trim horizon.
    #[serde(default, rename = "rewind_seconds", with = "crate::model::duration::as_optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub rewind: Option<Duration>,
    /// What the operator should know, one sentence each (clamped to retention, widened window, ...).
    pub notes: Vec<String>,
}

impl Position {
    /// A mapping that is there starts earlier: what it repeats is not known, since it may have processed some of it.
    pub(crate) fn is_of_a_leftover(&mut self, start: StartAt, now: Timestamp) {
        self.notes
            .push(format!("{start} is the start of the mapping that is there; without it, {}", self.start));
        self.duplicates = None;
        self.rewind = match start {
            StartAt::Timestamp(at) => Duration::try_from(now.duration_since(at)).ok(),
            StartAt::TrimHorizon => None,
        };
        self.start = start;
    }
}

/// Clocks of two Regions and disorder of arrival times; AWS promises neither ("no guarantees about the time stamp
/// accuracy", Kinesis API Reference, GetRecords).
pub const ALLOWANCE: Duration = Duration::from_secs(60);
