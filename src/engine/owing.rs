//! What a run owes is written on the run mark when the run closes, so that it is known without the journal.

use super::Tally;
use crate::model::{PipelineName, RunState};
use crate::plan::{PlannedStep, Stage};
use crate::steps::AnyStep;

/// A step that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owing {
    pub(super) pipeline: PipelineName,
    /// For the run mark.
    pub(super) code: String,
    /// For people.
    pub(super) words: String,
}

impl Owing {
    pub(super) fn new(planned: &PlannedStep, reason: &str) -> Owing {
        let step = &planned.step;
        let words = format!("{}: {} ({reason})", planned.pipeline, step.summary());
        Owing { pipeline: planned.pipeline.clone(), code: code(step), words }
    }

    /// Whether a producer was not switched.
    pub(super) fn is_switch(&self) -> bool {
        self.code.starts_with("switch:")
    }
}

/// A step in characters that a tag may hold.
fn code(step: &AnyStep) -> String {
    match step {
        AnyStep::SwitchProducer(switch) => format!("switch:{}", switch.function),
        AnyStep::StopMapping(stop) => format!("stop:{}", stop.reader.function),
        other => other.slug().to_owned(),
    }
}

/// The stage with every closing mark of a pipeline that owes something turned into one that says what.
/// `None` where nothing changes.
pub(super) fn leaving_owed(stage: &Stage, tally: &Tally) -> Option<Stage> {
    let mut changed = stage.clone();
    let mut is_changed = false;
    for planned in &mut changed.steps {
        let AnyStep::MarkRun(step) = &mut planned.step else { continue };
        let owed = tally.owed.iter().filter(|owing| owing.pipeline == planned.pipeline);
        let codes: Vec<String> = owed.map(|owing| owing.code.clone()).collect();
        if step.mark.state == RunState::Closed && !codes.is_empty() {
            step.mark.state = RunState::Owed;
            step.mark.owed = crate::model::cutover::fitting(&codes);
            is_changed = true;
        }
    }
    is_changed.then_some(changed)
}
