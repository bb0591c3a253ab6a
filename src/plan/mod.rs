//! Pure and synchronous: failover, failback, position, preflight. No I/O, no clock reads.
//!
//! A plan leaves no choice to whoever runs it: every step is fixed, with the very calls that would be sent.

mod accept;
mod arriving;
pub mod assess;
pub mod discover;
mod failback;
mod failover;
pub mod next;
mod own_calls;
pub mod position;
mod preflight;
pub mod reach;
mod remembered;
mod resting;
mod sequence;
mod settings;
mod start;
mod stopped;
mod stranded;
mod strays;
mod timeout;

pub use accept::{ACCEPTABLE, Accepted};
pub use failback::{FailbackOptions, plan_failback};
pub use failover::{FailoverOptions, plan_failover};
pub use remembered::{Memory, Remembered, SeenAt, seen};
pub use resting::resting_checks;
pub use sequence::Request;

use crate::model::{CheckReport, Effect, FunctionName, PipelineName, Region, RunId, Timestamp, Verdict};
use crate::steps::AnyStep;
use position::Position;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What the operator wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// To the standby Region.
    Failover {
        /// The standby Region.
        to: Region,
        /// Planned or emergency.
        mode: Mode,
    },
    /// Back to the primary Region.
    Failback {
        /// The primary Region.
        to: Region,
    },
}

/// The rules of a failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The primary answers and is drained first.
    Planned,
    /// The primary may not answer; what it owes is written down.
    Emergency,
}

impl Intent {
    /// `failover` or `failback`.
    pub fn verb(&self) -> &'static str {
        match self {
            Intent::Failover { .. } => "failover",
            Intent::Failback { .. } => "failback",
        }
    }
    /// The Region that will be active.
    pub fn to(&self) -> &Region {
        match self {
            Intent::Failover { to, .. } | Intent::Failback { to } => to,
        }
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Intent::Failover { to, mode: Mode::Planned } => write!(f, "Fail over to {to} (planned)"),
            Intent::Failover { to, mode: Mode::Emergency } => write!(f, "Fail over to {to} (emergency)"),
            Intent::Failback { to } => write!(f, "Fail back to {to}"),
        }
    }
}

/// One step of one pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlannedStep {
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The step.
    #[serde(flatten)]
    pub step: AnyStep,
}

/// What happens when a step of a stage fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The pipeline leaves the run.
    Stop,
    /// The step is owed and the run goes on.
    Owe,
}

/// Whether a stage asks the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// It asks, once for all pipelines.
    Ask,
    /// The consent to the stage before covers it: it only writes down what has been done.
    Covered,
}

/// One kind of step for every selected pipeline, confirmed once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stage {
    /// Imperative, e.g. "Switch the producers to us-east-2".
    pub title: String,
    /// Steps, in order within a pipeline; pipelines run side by side.
    pub steps: Vec<PlannedStep>,
    /// What a failure means.
    pub on_failure: OnFailure,
    /// Whether it asks.
    pub consent: Consent,
    /// Whether there is no way back after it.
    pub is_point_of_no_return: bool,
    /// What skipping would risk; `None` where skipping is not legal.
    pub skip_risk: Option<String>,
    /// How long its wait may take.
    #[serde(rename = "timeout_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub timeout: Duration,
}

/// A list of stages, with everything an operator needs to say yes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Plan {
    /// The run that it is for.
    pub run: RunId,
    /// What the operator wants.
    pub intent: Intent,
    /// The snapshot's moment.
    pub taken_at: Timestamp,
    /// `user@host`.
    pub owner: String,
    /// The pipelines.
    pub pipelines: Vec<PipelineName>,
    /// Every preflight check, all results listed.
    pub checks: Vec<CheckReport>,
    /// The start positions with their arithmetic, for the pipelines that need one.
    pub positions: BTreeMap<PipelineName, Position>,
    /// In order.
    pub stages: Vec<Stage>,
    /// Recovery time objective.
    #[serde(rename = "rto_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub rto: Duration,
}

/// A call that a real run would send, in the order of sending within its pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlannedEffect {
    /// Counted from 1.
    pub stage: usize,
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The step's slug.
    pub step: String,
    /// The call.
    pub effect: Effect,
}

impl Plan {
    /// What forbids the plan.
    pub fn blockers(&self) -> Vec<&CheckReport> {
        let is_planned = !matches!(self.intent, Intent::Failover { mode: Mode::Emergency, .. });
        let blocks = |report: &&CheckReport| match report.verdict {
            _ if report.accepted.is_some() => false,
            Verdict::Fail => true,
            Verdict::Unknown => is_planned,
            Verdict::Ok | Verdict::Warn => false,
        };
        self.checks.iter().filter(blocks).collect()
    }
    /// The Region to be typed when the plan is turned into an emergency; `None` where that is not legal.
    pub fn may_turn(&self) -> Option<&Region> {
        match &self.intent {
            Intent::Failover { to, mode: Mode::Planned } => Some(to),
            _ => None,
        }
    }
    /// Takes what the producers' variables were from the plan that the run began with: it saw them before anything was
    /// changed, and while they could be read.
    pub fn remember(&mut self, earlier: &Plan) {
        let first = |function: &FunctionName, region: &Region| {
            let steps = earlier.stages.iter().flat_map(|stage| &stage.steps);
            let mut switches = steps.filter_map(|planned| match &planned.step {
                AnyStep::SwitchProducer(switch) => Some(switch),
                _ => None,
            });
            switches.find(|switch| switch.function == *function && switch.region == *region)
        };
        for planned in self.stages.iter_mut().flat_map(|stage| &mut stage.steps) {
            let AnyStep::SwitchProducer(switch) = &mut planned.step else { continue };
            let was = first(&switch.function, &switch.region).map(|first| &first.was);
            if let Some(was) = was.filter(|was| !was.is_empty()) {
                switch.was.clone_from(was);
            }
        }
    }
    /// What accompanies it.
    pub fn warnings(&self) -> Vec<&CheckReport> {
        self.checks.iter().filter(|c| c.verdict == Verdict::Warn).collect()
    }
}
