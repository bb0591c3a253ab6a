//! What happens in a run, as it happens: one stream with three readers (journal, terminal, JSON).

use super::Timestamp;
use super::check::{CheckReport, Progress};
use super::consequence::Consequence;
use super::effect::{Effect, Performed};
use super::exit::Exit;
use super::failure::AwsFailure;
use super::ids::{PipelineName, Region, RunId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a step ended for one pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum StepOutcome {
    /// Its effects were sent and its check says done.
    Applied {
        /// How that is known.
        evidence: String,
    },
    /// Its check said done before anything was sent.
    AlreadyDone {
        /// How that is known.
        evidence: String,
    },
    /// The operator skipped it.
    Skipped {
        /// The operator's reason.
        reason: String,
    },
    /// The failing Region refused or did not answer; kept until settled.
    Owed {
        /// What came back.
        reason: String,
    },
    /// It failed; the pipeline leaves the run.
    Failed {
        /// What came back.
        reason: String,
    },
    /// It ran out of time; the pipeline leaves the run.
    TimedOut {
        /// What it was waiting for, and why that did not come.
        reason: String,
    },
}

/// One happening. `step` is the step's slug.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run began, or went on.
    RunStarted {
        /// The run.
        run: RunId,
        /// What it does, e.g. "fail over to us-east-2 (planned)".
        title: String,
        /// Whether an earlier process began it.
        resumed: bool,
        /// The pipelines.
        pipelines: Vec<PipelineName>,
        /// Titles of the stages, in order.
        stages: Vec<String>,
        /// When recovery should be complete, from the configured RTO.
        objective: Option<Timestamp>,
    },
    /// A preflight or `verify` check's result.
    Checked {
        /// The result.
        report: CheckReport,
    },
    /// A stage begins.
    StageStarted {
        /// Counted from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// Its title.
        title: String,
        /// Whether there is no way back after it.
        is_point_of_no_return: bool,
    },
    /// A stage was confirmed.
    StageConfirmed {
        /// Counted from 1.
        number: usize,
        /// `operator` or `--yes`.
        by: String,
    },
    /// A mutating call is about to be sent. On disk before the call.
    EffectStarted {
        /// The pipeline.
        pipeline: PipelineName,
        /// The step.
        step: String,
        /// The call.
        effect: Effect,
    },
    /// The call was answered, or was not needed.
    EffectFinished {
        /// The pipeline.
        pipeline: PipelineName,
        /// The step.
        step: String,
        /// The call.
        effect: Effect,
        /// What came of it.
        result: Performed,
    },
    /// The call failed, or its fate is unknown.
    EffectFailed {
        /// The pipeline.
        pipeline: PipelineName,
        /// The step.
        step: String,
        /// The call.
        effect: Effect,
        /// What came back.
        failure: AwsFailure,
    },
    /// A wait goes on.
    Waiting {
        /// The pipeline.
        pipeline: PipelineName,
        /// The step.
        step: String,
        /// The step in words.
        summary: String,
        /// How far it has come.
        progress: Progress,
        /// Since when.
        #[serde(rename = "waited_seconds", with = "super::duration::as_seconds")]
        #[cfg_attr(test, schemars(with = "f64"))]
        waited: Duration,
        /// When it gives up.
        deadline: Timestamp,
    },
    /// A step ended for one pipeline.
    StepFinished {
        /// The pipeline.
        pipeline: PipelineName,
        /// The step.
        step: String,
        /// The step in words.
        summary: String,
        /// The Region that the step acts in.
        region: Region,
        /// The stage, counted from 1.
        number: usize,
        /// The step's place in the stage, counted from 0.
        index: usize,
        /// How.
        #[serde(flatten)]
        outcome: StepOutcome,
    },
    /// A stage ended.
    StageFinished {
        /// Counted from 1.
        number: usize,
    },
    /// The operator turned a planned run into an emergency.
    TurnedToEmergency {
        /// The operator's reason.
        reason: String,
    },
    /// The run is being put back: the plan that follows is the way back.
    UndoStarted,
    /// Everything that can be put back was.
    Undone,
    /// Something worth saying that changes nothing.
    Note {
        /// One sentence.
        text: String,
    },
    /// The run ended.
    RunFinished {
        /// How.
        exit: Exit,
        /// One line.
        summary: String,
        /// Seconds from the start of the run until the target Region's consumer was proven to read.
        #[serde(rename = "recovery_seconds", with = "super::duration::as_optional_seconds")]
        #[cfg_attr(test, schemars(with = "Option<f64>"))]
        recovery: Option<Duration>,
        /// What is still owed, in words.
        owed: Vec<String>,
        /// What the run means for records, where there is anything to say.
        #[serde(default)]
        consequences: Vec<Consequence>,
        /// The command to run next, where there is one.
        next: Option<String>,
    },
}

impl Event {
    /// Whether it says that AWS accepted a call that changes more than the run mark.
    pub fn is_change(&self) -> bool {
        match self {
            Event::EffectFinished { effect, result, .. } => {
                matches!(result, Performed::Applied { .. }) && !matches!(effect, Effect::TagStream { .. })
            }
            _ => false,
        }
    }
}
