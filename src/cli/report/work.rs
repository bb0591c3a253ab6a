//! What was done: stages, calls, decisions, and what was owed.

use crate::journal::RunRecord;
use crate::model::{Effect, Event, Exit, Performed, PipelineName, Sent, StepOutcome, Timestamp, Verdict};
use crate::plan::position::Origin;
use crate::plan::{Intent, Mode};
use crate::ui::report::{Call, Debt, Decision, StageFact, Standing, StepFact};
use std::time::Duration;

/// A step's end: in a word, whether that is good, and how it is known.
pub(super) fn ended(outcome: &StepOutcome) -> (&'static str, Standing, &str) {
    match outcome {
        StepOutcome::Applied { evidence } => ("done", Standing::Good, evidence),
        StepOutcome::AlreadyDone { evidence } => ("already so", Standing::Good, evidence),
        StepOutcome::Skipped { reason } => ("skipped", Standing::Warn, reason),
        StepOutcome::Owed { reason } => ("owed", Standing::Warn, reason),
        StepOutcome::Failed { reason } => ("failed", Standing::Bad, reason),
        StepOutcome::TimedOut { reason } => ("out of time", Standing::Bad, reason),
    }
}

/// A call in words. The tags of the run mark are many and go without saying.
pub(super) fn call(effect: &Effect) -> String {
    match effect {
        Effect::TagStream { stream, tags, .. } => {
            let state = tags.get("kdsha:state").map(|state| format!(" ({state})")).unwrap_or_default();
            format!("tag stream {stream} with the run mark{state}, {} tags", tags.len())
        }
        other => other.to_string(),
    }
}

/// The stages as they were worked off.
pub(super) fn stages(run: &RunRecord) -> Vec<StageFact> {
    let mut stages: Vec<StageFact> = Vec::new();
    // What another process does is not part of a stage that this one left; it has stages of its own.
    let mut is_worked_on = false;
    for (at, event) in &run.events {
        match event {
            Event::RunStarted { .. } | Event::UndoStarted => is_worked_on = false,
            Event::StageStarted { number, title, is_point_of_no_return, .. } => {
                is_worked_on = true;
                stages.push(StageFact {
                    number: *number,
                    title: title.clone(),
                    began: *at,
                    ended: None,
                    left: None,
                    confirmed: None,
                    is_point_of_no_return: *is_point_of_no_return,
                    steps: Vec::new(),
                });
            }
            Event::StageConfirmed { by, .. } => {
                if let Some(stage) = stages.last_mut() {
                    stage.confirmed = Some((*at, by.clone()));
                }
            }
            Event::StepFinished { pipeline, summary, region, outcome, .. } => {
                let (word, standing, evidence) = ended(outcome);
                if let Some(stage) = stages.last_mut() {
                    stage.steps.push(StepFact {
                        at: *at,
                        pipeline: pipeline.to_string(),
                        region: region.clone(),
                        summary: summary.clone(),
                        outcome: word.to_owned(),
                        standing,
                        evidence: evidence.to_owned(),
                    });
                }
            }
            Event::StageFinished { .. } => {
                if let Some(stage) = stages.last_mut() {
                    stage.ended = Some(*at);
                }
            }
            _ => {}
        }
        if let Some(stage) = stages.last_mut().filter(|_| is_worked_on) {
            stage.left = stage.ended.is_none().then_some(*at);
        }
        is_worked_on &= !matches!(event, Event::RunFinished { .. });
    }
    stages
}

/// Every mutating call, in the order of sending.
pub(super) fn calls(run: &RunRecord) -> Vec<Call> {
    let mut calls: Vec<(PipelineName, Effect, Call)> = Vec::new();
    for (at, event) in &run.events {
        match event {
            Event::EffectStarted { pipeline, effect, .. } => {
                let call = Call {
                    at: *at,
                    took: None,
                    pipeline: pipeline.to_string(),
                    region: effect.region().clone(),
                    operation: effect.operation().to_owned(),
                    what: call(effect),
                    outcome: "unknown".to_owned(),
                    answer: "no answer was written down".to_owned(),
                    standing: Standing::Warn,
                    request_id: None,
                };
                calls.push((pipeline.clone(), effect.clone(), call));
            }
            Event::EffectFinished { pipeline, effect, result, .. } => {
                let Some(call) = open(&mut calls, pipeline, effect) else { continue };
                call.took = took(call.at, *at);
                call.standing = Standing::Good;
                match result {
                    Performed::Applied { answer, request_id } => {
                        "accepted".clone_into(&mut call.outcome);
                        call.answer.clone_from(answer);
                        call.request_id.clone_from(request_id);
                    }
                    Performed::AlreadySo(why) => {
                        "not needed".clone_into(&mut call.outcome);
                        call.answer.clone_from(why);
                    }
                }
            }
            Event::EffectFailed { pipeline, effect, failure, .. } => {
                let Some(call) = open(&mut calls, pipeline, effect) else { continue };
                call.took = took(call.at, *at);
                let (fate, standing) = match failure.sent {
                    Sent::No => ("nothing was sent", Standing::Bad),
                    Sent::Refused => ("refused, nothing changed", Standing::Bad),
                    Sent::Unknown => ("not answered, looked up next", Standing::Warn),
                };
                fate.clone_into(&mut call.outcome);
                call.answer.clone_from(&failure.message);
                call.standing = standing;
                call.request_id.clone_from(&failure.request_id);
            }
            _ => {}
        }
    }
    calls.into_iter().map(|(_, _, call)| call).collect()
}

/// The newest call of this kind that has no answer yet.
fn open<'c>(
    calls: &'c mut [(PipelineName, Effect, Call)],
    pipeline: &PipelineName,
    effect: &Effect,
) -> Option<&'c mut Call> {
    let is_it = |(p, e, call): &&mut (PipelineName, Effect, Call)| {
        p == pipeline && e == effect && call.took.is_none()
    };
    calls.iter_mut().rev().find(is_it).map(|(_, _, call)| call)
}

fn took(from: Timestamp, to: Timestamp) -> Option<Duration> {
    Duration::try_from(to.duration_since(from)).ok()
}

/// What people decided, by the command line, at a prompt, or by stopping.
pub(super) fn decisions(run: &RunRecord) -> Vec<Decision> {
    let mut decisions = Vec::new();
    let mut add = |at: Timestamp, what: String, why: &str| {
        decisions.push(Decision { at, what, why: why.to_owned() });
    };
    let began = run.began;
    match &run.plan.intent {
        Intent::Failover { mode: Mode::Emergency, .. } => {
            add(began, "Emergency: the standby first, without draining the old Region".to_owned(), "");
        }
        intent => add(began, intent.to_string(), ""),
    }
    for (name, position) in &run.plan.positions {
        if position.origin == Origin::Operator {
            let what = format!("{name}: start at {} instead of a derived position", position.start);
            add(began, what, "--start-at was given");
        }
    }
    for (flag, meaning) in OVERRIDES {
        if let Some(given) = given(&run.header.argv, flag) {
            add(began, meaning.to_owned(), &given);
        }
    }
    for report in run.plan.checks.iter().filter(|c| c.verdict != Verdict::Ok) {
        let what =
            format!("Went on although {} said {}", report.check.replace('_', " "), said(report.verdict));
        add(began, what, &report.evidence);
    }
    for (at, event) in &run.events {
        match event {
            Event::TurnedToEmergency { reason } => {
                add(*at, "Turned the planned run into an emergency".to_owned(), reason);
            }
            Event::StepFinished { summary, outcome: StepOutcome::Skipped { reason }, .. } => {
                add(*at, format!("Skipped: {summary}"), reason);
            }
            Event::RunStarted { resumed: true, .. } => add(*at, "Went on with the run".to_owned(), ""),
            Event::RunFinished { exit: Exit::Declined, .. } => {
                add(*at, "Said no: the run stopped".to_owned(), "")
            }
            Event::RunFinished { exit: Exit::Interrupted, .. } => {
                add(*at, "Interrupted the run between calls".to_owned(), "");
            }
            _ => {}
        }
    }
    decisions
}

/// Flags that change what a run does.
const OVERRIDES: [(&str, &str); 4] = [
    ("--yes", "Every stage was confirmed beforehand"),
    ("--overlap-buffer", "Another overlap buffer than the configured one"),
    ("--timeout", "Another time-out than the configured one"),
    ("--skip-stranded", "Gave up the records that were stranded in the primary's stream"),
];

/// The flag as it was written, with its value.
fn given(argv: &[String], flag: &str) -> Option<String> {
    let place = argv.iter().position(|arg| arg == flag || arg.starts_with(&format!("{flag}=")))?;
    let value = argv.get(place + 1).filter(|next| argv[place] == flag && !next.starts_with('-'));
    Some(match value {
        Some(value) if flag != "--yes" && flag != "--skip-stranded" => format!("{flag} {value}"),
        _ => argv[place].clone(),
    })
}

fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warn => "warn",
        Verdict::Unknown => "unknown",
        Verdict::Fail => "fail",
    }
}

/// What was owed, and when it was settled.
pub(super) fn debts(run: &RunRecord) -> Vec<Debt> {
    let mut debts: Vec<Debt> = Vec::new();
    for (at, event) in &run.events {
        let Event::StepFinished { pipeline, summary, outcome, .. } = event else { continue };
        let open = debts.iter_mut().find(|debt| debt.pipeline == pipeline.as_str() && debt.what == *summary);
        match (outcome, open) {
            (StepOutcome::Owed { reason }, None) => debts.push(Debt {
                since: *at,
                pipeline: pipeline.to_string(),
                what: summary.clone(),
                reason: reason.clone(),
                settled: None,
            }),
            (StepOutcome::Applied { .. } | StepOutcome::AlreadyDone { .. }, Some(debt)) => {
                debt.settled.get_or_insert(*at);
            }
            (StepOutcome::Owed { .. }, Some(debt)) => debt.settled = None,
            _ => {}
        }
    }
    debts
}
