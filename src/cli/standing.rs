//! What is unfinished and what is owed: by the journals of this machine and by the run marks of the standby streams
//! together. A mark outlives the laptop; a journal knows more.

use crate::journal::RunRecord;
use crate::model::{Observed, PipelineName, RunId, RunMark, RunState, Snapshot};

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

/// Runs of this machine that have to be gone on with.
pub fn unfinished<'r>(runs: &'r [RunRecord], snapshot: &Snapshot) -> Vec<&'r RunRecord> {
    runs.iter().filter(|run| run.is_unfinished() && !is_superseded(run, snapshot)).collect()
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

/// A code of the run mark in words.
fn in_words(code: &str) -> String {
    match code.split_once(':') {
        Some(("switch", function)) => format!("switch producer {function}"),
        Some(("stop", function)) => format!("stop the mapping of {function}"),
        _ => match code.strip_prefix('+') {
            Some(more) => format!("{more} more steps"),
            None => code.replace('_', " "),
        },
    }
}
