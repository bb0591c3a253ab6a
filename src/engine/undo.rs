//! Until the point of no return, what a run has changed can be put back: the same loop, with the opposite steps.

use crate::config::Topology;
use crate::journal::RunRecord;
use crate::model::{Effect, RunState, Timestamp};
use crate::plan::{Consent, OnFailure, Plan, PlannedStep, Stage};
use crate::steps::{AnyStep, DeleteMapping, StopMapping, Undo};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long one stage of putting back may take: a mapping is created, deleted or disabled within minutes.
const BUDGET: Duration = Duration::from_secs(300);

/// The way back of a run that stopped before its point of no return.
#[derive(Debug, Clone, PartialEq)]
pub struct WayBack {
    /// The opposite steps, the last change first.
    pub plan: Plan,
    /// What stays as it is, and why.
    pub stays: Vec<String>,
}

impl WayBack {
    /// The calls, in order.
    pub fn calls(&self) -> Vec<Effect> {
        self.plan.stages.iter().flat_map(|stage| &stage.steps).flat_map(|s| s.step.effects()).collect()
    }
    /// How long it may take in all.
    pub fn budget(&self) -> Duration {
        self.plan.stages.iter().map(|stage| stage.timeout).sum()
    }
}

/// Why a run cannot be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoWayBack {
    /// It has changed nothing.
    NothingChanged,
    /// A producer may have been switched: the way is forward, or a failback.
    TooLate,
}

/// The way back of a run, from its journal. `now` is the way back's moment.
///
/// # Errors
/// Why there is none.
pub fn of(run: &RunRecord, topology: &Topology, now: Timestamp) -> Result<WayBack, NoWayBack> {
    let changed = run.changed();
    let plans = run.former.iter().chain((!run.undoing).then_some(&run.plan));
    let mut stages: Vec<Stage> = Vec::new();
    let mut stays = Vec::new();
    for stage in plans.flat_map(|plan| &plan.stages) {
        let mut back = Vec::new();
        for planned in &stage.steps {
            let is_its = |effect: &Effect| changed.contains(&(&planned.pipeline, effect));
            if !planned.step.effects().iter().any(is_its) {
                continue;
            }
            if stage.is_point_of_no_return {
                return Err(NoWayBack::TooLate);
            }
            let known = || stages.iter().flat_map(|stage: &Stage| &stage.steps);
            let is_known =
                |step: &PlannedStep| known().any(|known| known == step || marks_alike(known, step));
            match opposite(&planned.step, topology) {
                Way::Back(step) => {
                    let step = PlannedStep { pipeline: planned.pipeline.clone(), step: *step };
                    if !is_known(&step) {
                        back.push(step);
                    }
                }
                // A mapping that this run itself made, and then gave up for another.
                Way::None(_) if stages.iter().any(|s| makes_way(s, planned)) => {}
                Way::None(why) => {
                    stays.push(format!("{}: {}: {why}", planned.pipeline, planned.step.summary()));
                }
                Way::NotNeeded => {}
            }
        }
        if !back.is_empty() {
            stages.push(way_back(&stage.title, back));
        }
    }
    if stages.is_empty() && stays.is_empty() {
        return Err(NoWayBack::NothingChanged);
    }
    stages.reverse();
    let plan =
        Plan { taken_at: now, checks: Vec::new(), positions: BTreeMap::new(), stages, ..run.plan.clone() };
    Ok(WayBack { plan, stays })
}

pub(super) fn way_back(title: &str, steps: Vec<PlannedStep>) -> Stage {
    Stage {
        title: format!("Put back: {title}"),
        steps,
        on_failure: OnFailure::Stop,
        // The way back is confirmed once, as a whole, with every call listed.
        consent: Consent::Covered,
        is_point_of_no_return: false,
        skip_risk: None,
        timeout: BUDGET,
    }
}

/// Whether two steps mark the same pipeline: of a run that was planned anew only its first mark tells what was there.
fn marks_alike(known: &PlannedStep, step: &PlannedStep) -> bool {
    let is_mark = |planned: &PlannedStep| matches!(planned.step, AnyStep::MarkRun(_));
    known.pipeline == step.pipeline && is_mark(known) && is_mark(step)
}

/// Whether a stage of the way back deletes the mapping that a step has deleted already.
fn makes_way(stage: &Stage, planned: &PlannedStep) -> bool {
    let AnyStep::DeleteMapping(gone) = &planned.step else { return false };
    stage.steps.iter().any(|back| {
        let is_it = matches!(&back.step, AnyStep::DeleteMapping(delete) if delete.reader == gone.reader);
        is_it && back.pipeline == planned.pipeline
    })
}

/// What takes a step back.
enum Way {
    /// This step: it sends what [`Undo`] says, and knows when that is done.
    Back(Box<AnyStep>),
    /// Nothing has to.
    NotNeeded,
    /// Nothing can; says why.
    None(String),
}

fn opposite(step: &AnyStep, topology: &Topology) -> Way {
    let back: AnyStep = match step {
        AnyStep::MarkRun(mark) if mark.mark.state != RunState::Open => return Way::NotNeeded,
        AnyStep::MarkRun(mark) => mark.put_back().into(),
        AnyStep::CreateMapping(create) => DeleteMapping {
            reader: create.reader.clone(),
            only: None,
            because: "this run created it, and is put back".to_owned(),
        }
        .into(),
        AnyStep::StartMapping(start) => {
            StopMapping { reader: start.reader.clone(), settle: topology.timing.settle }.into()
        }
        other => {
            return match other.undo() {
                Undo::NotReversible(why) => Way::None(why),
                Undo::Effects(_) => Way::None("it is not put back".to_owned()),
                Undo::NothingToUndo => Way::NotNeeded,
            };
        }
    };
    Way::Back(Box::new(back))
}
