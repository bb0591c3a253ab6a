//! What is unfinished and what is owed: by the journals of this machine and by the run marks of the standby streams
//! together. A mark outlives the laptop; a journal knows more.

use crate::journal::RunRecord;
use crate::model::{Observed, PipelineName, RunMark, RunState, Snapshot};

fn marks<'s>(run: &'s RunRecord, snapshot: &'s Snapshot) -> Vec<&'s Observed<Option<RunMark>>> {
    let views = run.plan.pipelines.iter().filter_map(|name| snapshot.pipelines.get(name));
    views.map(|view| &view.standby.mark).collect()
}

/// Whether a later run has taken every stream of this one: nothing of it is left to go on with.
fn is_superseded(run: &RunRecord, snapshot: &Snapshot) -> bool {
    let marks = marks(run, snapshot);
    let later = |mark: &&Observed<Option<RunMark>>| match mark {
        Observed::Known(Some(mark)) => mark.run != run.header.run && mark.token.marked_at > run.began,
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

/// Everything that is owed, in words.
pub fn owed(runs: &[RunRecord], snapshot: &Snapshot) -> Vec<String> {
    let here = owing(runs, snapshot).into_iter().flat_map(RunRecord::owed_in_words);
    let elsewhere = foreign(runs, snapshot).into_iter().map(|(name, mark)| {
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
