//! What is unfinished and what is owed: by the journals of this machine and by the run marks of the standby streams
//! together. A mark outlives the laptop; a journal knows more.

use super::failure::Failure;
use crate::engine::in_words;
use crate::journal::{Listed, RunRecord};
use crate::model::{Exit, Observed, PipelineName, RunId, RunMark, RunState, Snapshot};
use crate::ui::Ui;

fn marks<'s>(run: &'s RunRecord, snapshot: &'s Snapshot) -> Vec<&'s Observed<Option<RunMark>>> {
    let views = run.plan.pipelines.iter().filter_map(|name| snapshot.pipelines.get(name));
    views.map(|view| &view.standby.mark).collect()
}

/// Whether another run has taken every stream of this one: what stands in the world is the other's, and nothing of
/// this one is left to go on with, to settle or to put back.
pub fn is_superseded(run: &RunRecord, snapshot: &Snapshot) -> bool {
    let marks = marks(run, snapshot);
    let later = |mark: &&Observed<Option<RunMark>>| match mark {
        Observed::Known(Some(mark)) => mark.run != run.header.run,
        _ => false,
    };
    marks.len() == run.plan.pipelines.len() && marks.iter().all(later)
}

/// Whether what a run owed was settled from another machine.
fn is_settled_elsewhere(run: &RunRecord, snapshot: &Snapshot) -> bool {
    let marks = marks(run, snapshot);
    let settled = |mark: &&Observed<Option<RunMark>>| match mark {
        Observed::Known(Some(mark)) => mark.run != run.header.run || mark.state == RunState::Closed,
        _ => false,
    };
    marks.len() == run.plan.pipelines.len() && marks.iter().all(settled)
}

/// The runs of this machine. A journal that cannot be read may be of an unfinished run; it is left aside, and said,
/// where every run mark can be read and none says so.
///
/// # Errors
/// When a journal cannot be read and its run may be under way.
pub fn readable(listed: Vec<Listed>, snapshot: &Snapshot, ui: &Ui) -> Result<Vec<RunRecord>, Failure> {
    let mut runs = Vec::new();
    for one in listed {
        let is_over = one.id().is_some_and(|run| is_over_by_its_marks(&run, snapshot));
        match one.run {
            Ok(run) => runs.push(run),
            Err(error) if is_over => ui.note(&format!(
                "{error}; it is left aside: by the run marks nothing of it is under way (its folder may be moved away)"
            )),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(runs)
}

/// Whether every run mark can be read, and none is a run's that is under way or owes something.
fn is_over_by_its_marks(run: &RunId, snapshot: &Snapshot) -> bool {
    let mut marks = snapshot.pipelines.values().map(|view| &view.standby.mark);
    marks.all(|mark| match mark {
        Observed::Known(Some(mark)) => mark.run != *run || mark.state == RunState::Closed,
        Observed::Known(None) => true,
        Observed::Unknown(_) => false,
    })
}

/// Whether a run that gave way to another one has left its mark open somewhere: it took some streams, not all.
fn has_left_its_mark(run: &RunRecord, snapshot: &Snapshot) -> bool {
    let is_open = |mark: &&Observed<Option<RunMark>>| match mark {
        Observed::Known(Some(mark)) => mark.run == run.header.run && mark.state == RunState::Open,
        _ => false,
    };
    run.ended == Some(Exit::Locked) && !run.undone && marks(run, snapshot).iter().any(is_open)
}

/// Runs of this machine that have to be gone on with.
pub fn unfinished<'r>(runs: &'r [RunRecord], snapshot: &Snapshot) -> Vec<&'r RunRecord> {
    let is_open = |run: &&RunRecord| {
        (run.is_unfinished() && !is_superseded(run, snapshot)) || has_left_its_mark(run, snapshot)
    };
    runs.iter().filter(is_open).collect()
}

/// Runs of this machine that still owe steps.
pub fn owing<'r>(runs: &'r [RunRecord], snapshot: &Snapshot) -> Vec<&'r RunRecord> {
    let owes = |run: &&RunRecord| {
        !run.undone
            && !run.owed().is_empty()
            && !is_superseded(run, snapshot)
            && !is_settled_elsewhere(run, snapshot)
    };
    runs.iter().filter(owes).collect()
}

/// Marks that say that a run owes steps, of runs that this machine has no journal of.
pub fn foreign<'s>(runs: &[RunRecord], snapshot: &'s Snapshot) -> Vec<(&'s PipelineName, &'s RunMark)> {
    let here = owing(runs, snapshot);
    let marked = snapshot.pipelines.iter().filter_map(|(name, view)| match &view.standby.mark {
        Observed::Known(Some(mark)) if mark.state == RunState::Owed => Some((name, mark)),
        _ => None,
    });
    marked.filter(|(_, mark)| !here.iter().any(|run| run.header.run == mark.run)).collect()
}

/// Everything that is owed, in words; what a run owes does not hinder the run itself.
pub fn owed(runs: &[RunRecord], snapshot: &Snapshot, but_of: Option<&RunId>) -> Vec<String> {
    let others = |run: &RunId| but_of != Some(run);
    let here = owing(runs, snapshot).into_iter().filter(|run| others(&run.header.run));
    let here = here.flat_map(RunRecord::owed_in_words);
    let elsewhere = foreign(runs, snapshot).into_iter().filter(|(_, mark)| others(&mark.run));
    let elsewhere = elsewhere.map(|(name, mark)| {
        let steps: Vec<String> = mark.owed.iter().map(|code| in_words(code)).collect();
        format!("{name}: {} (run {} by {}, on another machine)", steps.join(", "), mark.run, mark.owner)
    });
    here.chain(elsewhere).collect()
}
