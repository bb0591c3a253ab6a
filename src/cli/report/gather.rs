//! A run's journal -> the facts of its report. Nothing is guessed: what is not there is listed as missing.

use super::{lags, log, risk, twice, work};
use crate::journal::RunRecord;
use crate::model::picture::{MappingPicture, Part, ProducerPicture, ReaderPicture};
use crate::model::{Event, Exit, Picture, Region, Snapshot, Timestamp};
use crate::plan::{Intent, Mode};
use crate::ui::report::{Change, Facts, Requests, Standing};
use std::time::Duration;

/// How far before a run today's look is read: as far as its own pictures reach.
const BEFORE: Duration = Duration::from_secs(30 * 60);

/// One process's part of a run.
struct Process {
    started: Timestamp,
    ended: Option<Timestamp>,
}

/// Everything that is known.
pub(super) fn facts(run: &RunRecord, looked: Option<&Snapshot>) -> Facts {
    let processes = processes(run);
    let finish = run.events.iter().rev().find_map(|(at, event)| match event {
        Event::RunFinished { exit, summary, .. } if run.ended.is_some() => {
            Some((*at, *exit, summary.clone()))
        }
        _ => None,
    });
    let (state, standing) = state(run);
    let found = found(run, &processes);
    let left = left(run, finish.as_ref().map(|(at, ..)| *at));
    let recovery = run.recovery();
    let now = looked.map(|snapshot| Picture::of(snapshot, run.began - BEFORE, 0, Duration::ZERO));
    let (lags, from_waits) = lags::gather(run, looked);
    let at_risk = risk::of(run, &lags);
    let requests = requests(run, &processes);
    let mut missing = missing(run, found, left, &requests);
    missing.extend(lags::missing(&lags, &from_waits));
    let rpo = run.pictures.first().map(|picture| picture.rpo);
    Facts {
        title: run.plan.intent.to_string(),
        run: run.header.run.to_string(),
        state,
        standing,
        owner: run.header.owner.clone(),
        caller: run.pictures.iter().rev().find_map(|picture| picture.caller.clone()),
        account: run.header.account.clone(),
        command: command(&run.header.argv),
        version: run.header.version.clone(),
        pipelines: run.plan.pipelines.iter().map(ToString::to_string).collect(),
        from: from(run),
        to: run.plan.intent.to().clone(),
        began: run.began,
        ended: finish.as_ref().map(|(at, ..)| *at),
        exit: finish.as_ref().map(|(_, exit, _)| *exit),
        summary: finish.map(|(_, _, summary)| summary),
        rto: run.plan.rto,
        recovery,
        switched: twice::switched(run, |_| true),
        rpo,
        at_risk,
        duplicates: twice::of(run, &pictures(run, now.as_ref())),
        requests,
        stages: work::stages(run),
        positions: run.plan.positions.iter().map(|(name, p)| (name.to_string(), p.clone())).collect(),
        changes: changes(found, left),
        decisions: work::decisions(run),
        calls: work::calls(run),
        owed: work::debts(run),
        checks: run.plan.checks.clone(),
        lags,
        log: log::lines(run),
        missing,
    }
}

/// The journal's pictures, and what was looked at for the report.
fn pictures<'p>(run: &'p RunRecord, now: Option<&'p Picture>) -> Vec<&'p Picture> {
    run.pictures.iter().chain(now).collect()
}

fn state(run: &RunRecord) -> (String, Standing) {
    let was_owed = run.events.iter().any(|(_, e)| matches!(e, Event::RunFinished { exit: Exit::Owed, .. }));
    let (word, standing) = match run.ended {
        _ if run.undone => ("put back", Standing::Warn),
        Some(Exit::Locked) if run.has_only_marked() => ("gave way to another run", Standing::Unknown),
        Some(Exit::Owed) if run.owed().is_empty() => ("done, settled", Standing::Good),
        Some(Exit::Done) if was_owed => ("done, settled", Standing::Good),
        Some(Exit::Done) => ("done", Standing::Good),
        Some(Exit::Owed) => ("done, steps owed", Standing::Warn),
        _ if !run.is_unfinished() => ("nothing was changed", Standing::Unknown),
        Some(Exit::StepFailed) => ("a step failed", Standing::Bad),
        Some(Exit::TimedOut) => ("out of time", Standing::Bad),
        Some(Exit::Declined) => ("stopped by the operator", Standing::Warn),
        Some(Exit::Interrupted) => ("interrupted", Standing::Warn),
        Some(_) => ("unfinished", Standing::Bad),
        None => ("cut off", Standing::Bad),
    };
    (word.to_owned(), standing)
}

/// The command line without the path of the program.
fn command(argv: &[String]) -> String {
    let program = argv.first().map(|p| p.rsplit('/').next().unwrap_or(p).to_owned());
    program.into_iter().chain(argv.iter().skip(1).cloned()).collect::<Vec<_>>().join(" ")
}

/// The other Region: of the pictures, else of the plan's steps.
fn from(run: &RunRecord) -> Option<Region> {
    let to = run.plan.intent.to();
    let seen =
        run.pictures.iter().flat_map(|p| p.pipelines.values()).flat_map(|p| &p.sides).map(|s| &s.region);
    let planned = run.plan.stages.iter().flat_map(|stage| &stage.steps).map(|planned| planned.step.region());
    seen.chain(planned).find(|region| *region != to).cloned()
}

fn processes(run: &RunRecord) -> Vec<Process> {
    let mut processes: Vec<Process> = Vec::new();
    for (at, event) in &run.events {
        match event {
            Event::RunStarted { .. } => processes.push(Process { started: *at, ended: None }),
            Event::RunFinished { .. } => {
                if let Some(last) = processes.last_mut() {
                    last.ended = Some(*at);
                }
            }
            _ => {}
        }
    }
    processes
}

/// What was found before the first call.
fn found<'r>(run: &'r RunRecord, processes: &[Process]) -> Option<&'r Picture> {
    let first = processes.first()?.started;
    run.pictures.iter().rfind(|picture| picture.taken_at <= first)
}

/// What was left after the last process ended.
fn left(run: &RunRecord, ended: Option<Timestamp>) -> Option<&Picture> {
    let ended = ended?;
    run.pictures.last().filter(|picture| picture.taken_at >= ended)
}

/// Over all processes, from the look before each until the look after it.
fn requests(run: &RunRecord, processes: &[Process]) -> Requests {
    let mut all = Requests { sent: 0, is_least: processes.is_empty() };
    for (index, process) in processes.iter().enumerate() {
        let until = processes.get(index + 1).map(|next| next.started);
        let before = run.pictures.iter().rfind(|picture| picture.taken_at <= process.started);
        let after = process.ended.and_then(|ended| {
            let inside = |p: &&Picture| p.taken_at >= ended && until.is_none_or(|until| p.taken_at <= until);
            run.pictures.iter().find(inside)
        });
        match (before, after) {
            (Some(before), Some(after)) if after.requests >= before.requests => {
                all.sent += after.requests - before.requests + before.look_requests;
            }
            (before, _) => {
                all.sent += before.map_or(0, |picture| picture.look_requests);
                all.is_least = true;
            }
        }
    }
    all
}

fn changes(found: Option<&Picture>, left: Option<&Picture>) -> Vec<Change> {
    let Some(found) = found else { return Vec::new() };
    let mut changes = Vec::new();
    for (name, before) in &found.pipelines {
        let after = left.and_then(|picture| picture.pipelines.get(name));
        let many = found.pipelines.len() > 1;
        let called = |what: String| if many { format!("{name}: {what}") } else { what };
        for (index, producer) in before.producers.iter().enumerate() {
            changes.push(Change {
                pipeline: name.to_string(),
                region: producer.region.clone(),
                what: called(format!("producer {}", producer.function)),
                before: writes(producer),
                after: after.and_then(|a| a.producers.get(index)).map(writes),
            });
        }
        for (index, side) in before.sides.iter().enumerate() {
            let after = after.and_then(|a| a.sides.get(index));
            for (index, reader) in side.readers.iter().enumerate() {
                changes.push(Change {
                    pipeline: name.to_string(),
                    region: side.region.clone(),
                    what: called(format!("{} {}", reader.role, reader.function)),
                    before: reads(reader),
                    after: after.and_then(|a| a.readers.get(index)).map(reads),
                });
            }
        }
    }
    changes
}

fn writes(producer: &ProducerPicture) -> String {
    match &producer.writes_to {
        Part::Known(Some(region)) => format!("writes to {region}"),
        Part::Known(None) => "its Region variable is not set".to_owned(),
        Part::Unknown(why) => format!("unknown: {why}"),
    }
}

fn reads(reader: &ReaderPicture) -> String {
    let one = |mapping: &MappingPicture| {
        let id: String = mapping.id.chars().take(8).collect();
        let position = mapping.position.map(|p| format!(", from {p}")).unwrap_or_default();
        format!("mapping {id} {}{position}", mapping.state)
    };
    match &reader.mappings {
        Part::Known(none) if none.is_empty() => "no mapping".to_owned(),
        Part::Known(all) => all.iter().map(one).collect::<Vec<_>>().join("; "),
        Part::Unknown(why) => format!("unknown: {why}"),
    }
}

/// What the page does not have.
fn missing(
    run: &RunRecord,
    found: Option<&Picture>,
    left: Option<&Picture>,
    requests: &Requests,
) -> Vec<String> {
    let mut missing = Vec::new();
    if found.is_none() {
        missing.push("How things stood before the run: the journal has no picture of it.".to_owned());
    }
    if left.is_none() {
        missing.push("How things stood after the run: nobody looked, or the process was cut off.".to_owned());
    }
    if requests.is_least {
        let text = "How many requests were sent in all: a process ended without saying so.";
        missing.push(text.to_owned());
    }
    for (pipeline, effect) in &run.unanswered {
        missing.push(format!(
            "What became of a call: {pipeline}: {effect} in {} was about to be sent, and no answer was written down.",
            effect.region()
        ));
    }
    if matches!(run.plan.intent, Intent::Failover { mode: Mode::Emergency, .. }) && run.recovery().is_some() {
        let text =
            "When the Region began to fail: the time to recover is counted from the beginning of the run.";
        missing.push(text.to_owned());
    }
    missing
}
