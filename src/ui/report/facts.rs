//! What a report says, before it is laid out. Also the `kdsha.report/1` document.

use crate::model::{CheckReport, Exit, Region, Timestamp};
use crate::plan::position::Position;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that is known of a run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Facts {
    /// What the run was to do.
    pub title: String,
    /// Its id.
    pub run: String,
    /// How it stands, in a word or two: `done`, `done, settled`, `cut off`.
    pub state: String,
    /// Whether that is good.
    pub standing: Standing,
    /// `user@host`.
    pub owner: String,
    /// The caller's ARN.
    pub caller: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The command line.
    pub command: String,
    /// Version of kdsha.
    pub version: String,
    /// The pipelines.
    pub pipelines: Vec<String>,
    /// The Region that was left, where it is known.
    pub from: Option<Region>,
    /// The Region that became active.
    pub to: Region,
    /// When the run began.
    pub began: Timestamp,
    /// When its last process ended; `None` when it was cut off.
    pub ended: Option<Timestamp>,
    /// The last process's exit.
    pub exit: Option<Exit>,
    /// The last process's last words.
    pub summary: Option<String>,
    /// Recovery time objective.
    #[serde(rename = "rto_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub rto: Duration,
    /// From the beginning of the run until the target Region's consumer was proven to read.
    #[serde(rename = "recovery_seconds", with = "crate::model::duration::as_optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub recovery: Option<Duration>,
    /// When the last producer was seen to write to the target Region.
    pub switched: Option<Timestamp>,
    /// Recovery point objective.
    #[serde(rename = "rpo_seconds", with = "crate::model::duration::as_optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub rpo: Option<Duration>,
    /// What may not have reached the target Region.
    pub at_risk: AtRisk,
    /// Records processed twice because of the start position: those of the old stream from there until the producers
    /// were switched, or until the plan was made where they were not; `None` is unknown.
    pub duplicates: Option<u64>,
    /// HTTP requests.
    pub requests: Requests,
    /// Stages as they were worked off, in order; a stage that was gone on with is there twice.
    pub stages: Vec<StageFact>,
    /// Start positions by pipeline.
    pub positions: BTreeMap<String, Position>,
    /// What was found, and what was left.
    pub changes: Vec<Change>,
    /// What people decided.
    pub decisions: Vec<Decision>,
    /// Every mutating call.
    pub calls: Vec<Call>,
    /// What was owed.
    pub owed: Vec<Debt>,
    /// Preflight.
    pub checks: Vec<CheckReport>,
    /// Lag of every reader.
    pub lags: Vec<Lag>,
    /// Everything that was said, in order.
    pub log: Vec<Happening>,
    /// What this page does not have, and why.
    pub missing: Vec<String>,
}

/// Good, bad, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// As it should be.
    Good,
    /// Needs somebody.
    Warn,
    /// As it should not be.
    Bad,
    /// Nothing can be said.
    Unknown,
}

/// What may not have reached the target Region when it took over.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AtRisk {
    /// Against the objective.
    pub standing: Standing,
    /// Records; `None` is unknown.
    pub records: Option<u64>,
    /// How far behind the copy was: the recovery point.
    #[serde(rename = "behind_seconds", with = "crate::model::duration::as_optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub behind: Option<Duration>,
    /// How that is known, or why it is not.
    pub why: String,
}

/// How many requests were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Requests {
    /// So many that are known of.
    pub sent: u64,
    /// Whether there were more: a process that was cut off could not say.
    pub is_least: bool,
}

/// A stage.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StageFact {
    /// Counted from 1.
    pub number: usize,
    /// Its title.
    pub title: String,
    /// When it began.
    pub began: Timestamp,
    /// When it ended; `None` when it did not.
    pub ended: Option<Timestamp>,
    /// Where it did not end: the last that its process said of it.
    pub left: Option<Timestamp>,
    /// Who confirmed it, and when.
    pub confirmed: Option<(Timestamp, String)>,
    /// Whether there was no way back after it.
    pub is_point_of_no_return: bool,
    /// Its steps.
    pub steps: Vec<StepFact>,
}

/// A step that ended.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepFact {
    /// When.
    pub at: Timestamp,
    /// The pipeline.
    pub pipeline: String,
    /// The Region.
    pub region: Region,
    /// The step in words.
    pub summary: String,
    /// How it ended, in a word: `done`, `already so`, `owed`.
    pub outcome: String,
    /// Whether that is good.
    pub standing: Standing,
    /// How that is known.
    pub evidence: String,
}

/// One thing before and after.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// The pipeline.
    pub pipeline: String,
    /// The Region.
    pub region: Region,
    /// The thing.
    pub what: String,
    /// How it was found.
    pub before: String,
    /// How it was left; `None` when nobody looked.
    pub after: Option<String>,
}

/// What somebody decided.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: String,
    /// Why, where a reason was given.
    pub why: String,
}

/// A mutating call.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Call {
    /// When it was about to be sent.
    pub at: Timestamp,
    /// How long the answer took; `None` when none was written down.
    #[serde(rename = "took_seconds", with = "crate::model::duration::as_optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub took: Option<Duration>,
    /// The pipeline.
    pub pipeline: String,
    /// The Region.
    pub region: Region,
    /// As IAM and CloudTrail spell it.
    pub operation: String,
    /// The call in words.
    pub what: String,
    /// What came of it, in a few words.
    pub outcome: String,
    /// What AWS said, or why there was no answer.
    pub answer: String,
    /// Whether that is good.
    pub standing: Standing,
    /// AWS's request id.
    pub request_id: Option<String>,
}

/// A step that was owed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Debt {
    /// Since when.
    pub since: Timestamp,
    /// The pipeline.
    pub pipeline: String,
    /// The step.
    pub what: String,
    /// Why.
    pub reason: String,
    /// When it was settled; `None`: it is owed still.
    pub settled: Option<Timestamp>,
}

/// A reader's lag over time.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lag {
    /// The pipeline.
    pub pipeline: String,
    /// The Region.
    pub region: Region,
    /// `primary` or `standby`.
    pub side: String,
    /// `consumer` or `replicator`.
    pub role: String,
    /// Starts of periods with seconds of lag; a period that is not there has no data point.
    pub points: Vec<(Timestamp, f64)>,
    /// Length of a period, in seconds.
    pub period_seconds: u32,
}

/// A line of the log.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
    /// Whether it is the head of a stage or of a process.
    pub is_head: bool,
}
