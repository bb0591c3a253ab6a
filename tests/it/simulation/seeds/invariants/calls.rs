//! 4 to 8. Calls, exit codes and time: what a command sent, what it said of it, and how long it took.

use super::super::draw::Scenario;
use super::super::theatre::{Command, Ended, How};
use super::{Invariant, Judged};
use kdsha::journal::RunRecord;
use kdsha::model::{Effect, Event, Exit, Side, Timestamp};
use kdsha::sandbox::Logged;
use kdsha::sandbox::call::Service;
use std::time::Duration;

fn changing(calls: &[Logged]) -> Vec<&str> {
    calls.iter().filter(|call| call.is_mutating).map(|call| call.operation.as_str()).collect()
}

fn said_and_sent(ended: &Ended, sent: &[&str]) -> Option<String> {
    let exit = ended.how.exit();
    (!sent.is_empty())
        .then(|| format!("{:?} ended with {exit:?} and sent {}", ended.command, sent.join(", ")))
}

/// 4. Looks and dry runs change nothing.
pub fn looks_change_nothing(ended: &Ended, calls: &[Logged]) -> Judged {
    match ended.command {
        Command::DryRun { .. } | Command::Verify => {
            Invariant::LooksChangeNothing.unless(said_and_sent(ended, &changing(calls)))
        }
        _ => Invariant::LooksChangeNothing.not_due(),
    }
}

/// 6. Nor does a command whose exit code says so.
pub fn exit_code_is_true(ended: &Ended, calls: &[Logged]) -> Judged {
    match ended.how.exit() {
        Some(Exit::Usage | Exit::Blocked | Exit::Deviation | Exit::Locked) => {
            Invariant::ExitCodeIsTrue.unless(said_and_sent(ended, &changing(calls)))
        }
        _ => Invariant::ExitCodeIsTrue.not_due(),
    }
}

/// 6. Every command ends with one of its own codes. An internal error is none, but for a full disk.
pub fn exit_code_is_legal(ended: &Ended) -> Judged {
    let Some(exit) = ended.how.exit() else { return Invariant::ExitCodeIsLegal.not_due() };
    let legal = match (ended.command, exit) {
        (_, Exit::Internal) => ended.room.is_some(),
        (Command::Verify, exit) => matches!(exit, Exit::Done | Exit::Deviation | Exit::Usage | Exit::Locked),
        (Command::DryRun { .. }, exit) => {
            matches!(exit, Exit::Done | Exit::Blocked | Exit::Usage | Exit::Locked)
        }
        (_, exit) => !matches!(exit, Exit::Deviation | Exit::Declined),
    };
    let seen = || format!("{:?} ended with {exit:?}: {}", ended.command, ended.how.advice());
    Invariant::ExitCodeIsLegal.unless((!legal).then(seen))
}

/// Where a run's end alone found no room, everything before it is written: it may end as it would have.
const END_ALONE: &str = "the end of the run could not be written";

/// 6. A disk that fills up ends the command with exit 1.
pub fn full_disk_stops(ended: &Ended, runs: &[RunRecord]) -> Judged {
    let Some(room) = ended.room else { return Invariant::FullDiskStops.not_due() };
    let is_this = |run: &&RunRecord| run.last >= ended.began && run.ended.is_none();
    let is_full = runs.iter().filter(is_this).any(|run| run.next_seq >= room);
    match ended.how.exit() {
        Some(exit) if is_full => {
            let is_said = ended.said.split_whitespace().collect::<Vec<_>>().join(" ").contains(END_ALONE);
            let seen = || format!("{:?} ended with {exit:?} when {room} records were written", ended.command);
            Invariant::FullDiskStops.unless((exit != Exit::Internal && !is_said).then(seen))
        }
        _ => Invariant::FullDiskStops.not_due(),
    }
}

/// 7. No command hangs, and no stage outlives its deadline by more than its last look and calls take.
pub fn deadlines_hold(ended: &Ended, runs: &[RunRecord]) -> Judged {
    if matches!(ended.how, How::Hangs) {
        return Invariant::DeadlinesHold.broken(format!("{:?} did not end", ended.command));
    }
    let mut is_due = false;
    for run in runs {
        let late = overdue(run, ended.began, &mut is_due);
        if late.is_some() {
            return Invariant::DeadlinesHold.unless(late);
        }
    }
    if is_due { Invariant::DeadlinesHold.holds() } else { Invariant::DeadlinesHold.not_due() }
}

fn overdue(run: &RunRecord, since: Timestamp, is_due: &mut bool) -> Option<String> {
    const LAST_LOOK: Duration = Duration::from_secs(180);
    let mut began: Option<(usize, Timestamp)> = None;
    for (at, event) in run.events.iter().filter(|(at, _)| *at >= since) {
        match event {
            Event::StageStarted { number, .. } => began = Some((*number, *at)),
            Event::StageFinished { number } => {
                let Some((_, since)) = began.filter(|(started, _)| started == number) else { continue };
                let Some(stage) = run.plan.stages.get(number - 1) else { continue };
                let took = Duration::try_from(at.duration_since(since)).unwrap_or_default();
                *is_due = true;
                if took > stage.timeout + LAST_LOOK {
                    return Some(format!("\"{}\" took {took:?} of {:?}", stage.title, stage.timeout));
                }
            }
            _ => {}
        }
    }
    None
}

/// Calls that share a quota of the account's, with the requests a second that AWS lets pass.
const QUOTAS: [(&str, usize); 5] = [
    ("Lambda's control plane", 15),
    ("GetFunction", 100),
    ("DescribeStreamSummary", 20),
    ("ListTagsForStream", 5),
    ("AddTagsToStream", 5),
];

fn quota_of(call: &Logged) -> Option<&'static str> {
    match (call.service, call.operation.as_str()) {
        (Service::Lambda, "GetFunction") => Some("GetFunction"),
        (Service::Lambda, _) => Some("Lambda's control plane"),
        (Service::Kinesis, operation) => QUOTAS.iter().map(|(name, _)| *name).find(|name| *name == operation),
        _ => None,
    }
}

/// 8. No second sees more requests of one process in a Region than a quota allows, whatever the faults.
pub fn pace_is_kept(calls: &[Logged]) -> Judged {
    /// A little less than the second: the requests of two are not told apart by the millisecond.
    const SECOND: Duration = Duration::from_millis(980);
    let mut is_due = false;
    for side in [Side::Primary, Side::Standby] {
        let region = Scenario::region(side);
        for (name, limit) in QUOTAS {
            let is_it =
                |call: &&Logged| call.region == region && !call.is_repeat && quota_of(call) == Some(name);
            let at: Vec<Timestamp> = calls.iter().filter(is_it).map(|call| call.at).collect();
            is_due |= at.len() > limit;
            if let Some(burst) = at.windows(limit + 1).find(|burst| burst[limit] <= burst[0] + SECOND) {
                let seen = format!(
                    "more than {limit} requests to {name} in {region} in the second from {}",
                    burst[0]
                );
                return Invariant::PaceIsKept.broken(seen);
            }
        }
    }
    if is_due { Invariant::PaceIsKept.holds() } else { Invariant::PaceIsKept.not_due() }
}

/// 5. What is sent was written down before: a process that is cut off leaves a journal that knows its calls.
pub fn written_down_first(ended: &Ended, calls: &[Logged], runs: &[RunRecord]) -> Judged {
    let written: Vec<(Timestamp, &Effect)> = runs
        .iter()
        .flat_map(|run| &run.events)
        .filter_map(|(at, event)| match event {
            Event::EffectStarted { effect, .. } => Some((*at, effect)),
            _ => None,
        })
        .collect();
    let mut sent = calls.iter().filter(|call| call.is_mutating).peekable();
    if sent.peek().is_none() {
        return Invariant::WrittenDownFirst.not_due();
    }
    // The command's clock is the server's, which says whole seconds.
    let slack = Duration::from_secs(2);
    let unwritten = sent.find(|call| {
        let is_it = |(at, effect): &(Timestamp, &Effect)| {
            *at <= call.at + slack
                && *at + slack >= ended.began
                && operation(effect) == call.operation
                && *effect.region() == call.region
        };
        !written.iter().any(is_it)
    });
    let seen = |call: &Logged| format!("{} in {} at {}", call.operation, call.region, call.at);
    Invariant::WrittenDownFirst.unless(unwritten.map(seen))
}

/// The operation of an effect, without its service.
pub fn operation(effect: &Effect) -> &'static str {
    let operation = effect.operation();
    operation.split_once(':').map_or(operation, |(_, name)| name)
}
