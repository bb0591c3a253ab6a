//! What a step says of a snapshot, and the named results of preflight and `verify`.

use super::Timestamp;
use super::ids::{PipelineName, Region};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A step's verdict on a snapshot: precondition, postcondition, resume test and `verify` in one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The world is as the step wants it; the evidence says how that is known.
    Done(String),
    /// The step's effects may be sent.
    Ready,
    /// Nothing to send now; the world is on its way, or must be waited for.
    NotYet(Progress),
    /// The step cannot be taken.
    Blocked(String),
}

/// How far a wait has come. A part that is not known is `None`, never zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Progress {
    /// What is waited for, e.g. "lag of KDS-HA-ConsumerLambda in us-west-2 to be proven zero".
    pub waiting_for: String,
    /// What stands in the way now.
    pub because: String,
    /// The reader's lag at its newest sample.
    #[serde(rename = "lag_seconds", with = "super::duration::as_optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub lag: Option<Duration>,
    /// Age of that sample.
    #[serde(rename = "sample_age_seconds", with = "super::duration::as_optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub sample_age: Option<Duration>,
    /// Records a second that still arrive.
    #[serde(rename = "arrivals_per_second", default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<f64>,
    /// How much longer it will take at the pace so far: an estimate.
    #[serde(
        rename = "left_seconds",
        default,
        with = "super::duration::as_optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub left: Option<Duration>,
}

impl Progress {
    /// A wait without lag figures.
    pub fn new(waiting_for: impl Into<String>, because: impl Into<String>) -> Progress {
        Progress { waiting_for: waiting_for.into(), because: because.into(), ..Progress::default() }
    }
}

/// A named check's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Worth knowing; forbids nothing.
    Warn,
    /// Could not be checked. Blocks a planned run.
    Unknown,
    /// Forbids the plan.
    Fail,
}

/// One named check with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckReport {
    /// The check's slug, e.g. `producer_environment`.
    pub check: String,
    /// The pipeline, unless it is about the account.
    pub pipeline: Option<PipelineName>,
    /// The Region, where the check is about one.
    pub region: Option<Region>,
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen.
    pub evidence: String,
    /// The way out, for anything but `Ok`.
    pub advice: Option<String>,
    /// Why the operator goes on all the same (`--accept CHECK --reason TEXT`): the check no longer forbids the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// A moment that somebody reads, with how old it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sample {
    /// The value, in seconds of lag.
    pub lag_seconds: f64,
    /// The start of the period it stands for.
    pub at: Timestamp,
}
