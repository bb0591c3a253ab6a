//! How a run ended, in one line, and the command that goes on.

use super::{Earlier, Halt, Tally};
use crate::model::{Exit, PipelineName};
use crate::plan::{Intent, Mode, Plan};
use std::collections::BTreeSet;

/// The exit code, and the line that says why.
pub(super) fn ending(
    halt: &Option<Halt>,
    plan: &Plan,
    tally: &Tally,
    changes: usize,
    undoing: bool,
) -> (Exit, String) {
    match halt {
        Some(Halt::Interrupted) => (Exit::Interrupted, "between two calls; nothing more was sent".to_owned()),
        Some(Halt::Taken(text)) if changes == 0 => (Exit::Locked, text.clone()),
        Some(Halt::Taken(text)) => {
            let stand = if changes == 1 { "1 change".to_owned() } else { format!("{changes} changes") };
            (Exit::StepFailed, format!("stopped: {text}; what this run changed before stands ({stand})"))
        }
        Some(Halt::Turned(reason)) => (Exit::Declined, format!("turned into an emergency: {reason}")),
        Some(Halt::Declined) => (Exit::Declined, "nothing more was sent".to_owned()),
        Some(Halt::Journal(error)) => (Exit::Internal, format!("the journal cannot be written: {error}")),
        Some(Halt::Credentials(why)) => (Exit::StepFailed, format!("stopped between calls: {why}")),
        Some(Halt::Terminal(error)) => (Exit::Internal, format!("the terminal cannot be read: {error}")),
        None if plan.pipelines.iter().all(|name| tally.locked.contains(name)) => (
            Exit::Locked,
            "the pipeline could not be marked for this run, which changed nothing else".to_owned(),
        ),
        None if !tally.failed.is_empty() => {
            (Exit::StepFailed, format!("a step failed for {}", names(&tally.failed)))
        }
        None if !tally.timed_out.is_empty() => {
            (Exit::TimedOut, format!("a wait ran out of time for {}", names(&tally.timed_out)))
        }
        None if undoing => (Exit::Done, "what this run had changed was put back".to_owned()),
        None if !tally.not_switched().is_empty() => (Exit::Owed, unswitched(plan, tally)),
        None if !tally.owed.is_empty() => {
            (Exit::Owed, format!("{} is active; steps are owed", plan.intent.to()))
        }
        None => (Exit::Done, format!("{} is active and verified", plan.intent.to())),
    }
}

/// What an emergency says of producers that it could not switch, or could not see.
fn unswitched(plan: &Plan, tally: &Tally) -> String {
    let to = plan.intent.to();
    let (due, all) = (tally.seen_unswitched(), tally.not_switched());
    let (which, what) = match due.is_empty() {
        true => (all, "may have been switched to it: not seen, and owed"),
        false => (due, "were NOT all switched to it, which is owed"),
    };
    let whose = match plan.pipelines.len() {
        1 => String::new(),
        _ => format!(" of {}", names(&which)),
    };
    format!("{to} reads; the producers{whose} {what}")
}

fn names(set: &BTreeSet<PipelineName>) -> String {
    set.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The command that goes on.
pub(super) fn next_command(
    halt: &Option<Halt>,
    exit: Exit,
    plan: &Plan,
    earlier: &Earlier,
) -> Option<String> {
    match exit {
        _ if matches!(halt, Some(Halt::Taken(_))) => Some("kdsha status".to_owned()),
        Exit::Done => None,
        _ if earlier.undoing => Some("kdsha resume --undo".to_owned()),
        Exit::Owed => Some("kdsha resume".to_owned()),
        _ if earlier.only.is_some() => Some("kdsha resume".to_owned()),
        Exit::Locked => Some("kdsha status".to_owned()),
        _ => Some(match &plan.intent {
            Intent::Failover { to, mode: Mode::Planned } => format!("kdsha failover --to {to}"),
            Intent::Failover { to, mode: Mode::Emergency } => format!("kdsha failover --to {to} --emergency"),
            Intent::Failback { .. } => "kdsha failback".to_owned(),
        }),
    }
}
