//! What a run owes is written on the run mark when the run closes, so that it is known without the journal.

use super::Tally;
use crate::model::{PipelineName, RunState};
use crate::plan::{OnFailure, Plan, PlannedStep, Stage};
use crate::steps::AnyStep;
use std::collections::BTreeSet;

/// A step that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owing {
    pub(super) pipeline: PipelineName,
    /// For the run mark.
    pub(super) code: String,
    /// For people.
    pub(super) words: String,
    /// Whether it is a producer that is still to be switched, or may be.
    pub(super) switch: Option<Switch>,
}

/// What is known of a producer whose switch is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    /// It was not switched.
    Due,
    /// It may have been: the call was sent, and nobody saw what became of it.
    Unseen,
}

impl Owing {
    /// `switch` is what is known of it where it is a producer's switch.
    pub(super) fn new(planned: &PlannedStep, reason: &str, switch: Switch) -> Owing {
        let step = &planned.step;
        let words = format!("{}: {} ({reason})", planned.pipeline, step.summary());
        let switch = matches!(step, AnyStep::SwitchProducer(_)).then_some(switch);
        Owing { pipeline: planned.pipeline.clone(), code: code(step), words, switch }
    }

    /// What the run mark says and no step of the plan stands for.
    pub(super) fn beyond(pipeline: &PipelineName, code: &str) -> Owing {
        let words = format!("{pipeline}: {} (on the run mark; {NO_STEP})", in_words(code));
        let switch = code.starts_with("switch:").then_some(Switch::Due);
        Owing { pipeline: pipeline.clone(), code: code.to_owned(), words, switch }
    }
}

/// Why something on a mark cannot be settled here.
pub const NO_STEP: &str = "this machine's kdsha.toml has no step for it";

/// A step in characters that a tag may hold.
fn code(step: &AnyStep) -> String {
    match step {
        AnyStep::SwitchProducer(switch) => format!("switch:{}", switch.function),
        AnyStep::StopMapping(stop) => format!("stop:{}", stop.reader.function),
        other => other.slug().to_owned(),
    }
}

/// A code of the run mark in words.
pub fn in_words(code: &str) -> String {
    match code.split_once(':') {
        Some(("switch", function)) => format!("switch producer {function}"),
        Some(("stop", function)) => format!("stop the mapping of {function}"),
        _ => match unnamed(code) {
            Some(1) => "1 more step".to_owned(),
            Some(more) => format!("{more} more steps"),
            None => code.replace('_', " "),
        },
    }
}

/// How many steps a code stands for that the tag had no room to name.
fn unnamed(code: &str) -> Option<usize> {
    code.strip_prefix('+')?.parse().ok()
}

/// The codes of a pipeline's mark that no step of the plan stands for: the configuration that it was made from is
/// another one than the run's. Where steps are only counted, the plan must have as many beside the named ones.
pub fn beyond(plan: &Plan, pipeline: &PipelineName, owed: &[String]) -> Vec<String> {
    let owable = plan.stages.iter().filter(|stage| stage.on_failure == OnFailure::Owe);
    let its = owable.flat_map(|stage| &stage.steps).filter(|planned| planned.pipeline == *pipeline);
    let steps: BTreeSet<String> = its.map(|planned| code(&planned.step)).collect();
    let (counted, named): (Vec<&String>, Vec<&String>) =
        owed.iter().partition(|code| unnamed(code).is_some());
    let counted: usize = counted.into_iter().filter_map(|code| unnamed(code)).sum();
    let others = steps.iter().filter(|code| !named.contains(code)).count();
    let missing = named.into_iter().filter(|code| !steps.contains(*code)).cloned();
    let uncounted = (counted > others).then(|| format!("+{}", counted - others));
    missing.chain(uncounted).collect()
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
