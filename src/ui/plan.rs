//! A plan before anybody says yes: positions, stages with the very calls, the point of no return, the verdict.

use super::before::Before;
use super::header::{self, Context};
use super::look::{Look, Mark, Tone};
use super::{checks, position, text};
use crate::model::{Effect, duration};
use crate::plan::{OnFailure, Plan, PlannedEffect, PlannedStep, Stage};

/// Words for the line that nobody may overlook.
pub(crate) const NO_RETURN: &str = "POINT OF NO RETURN";

fn head(look: Look, context: &Context, plan: &Plan, before: Option<&Before>) -> String {
    let names: Vec<&str> = plan.pipelines.iter().map(|name| name.as_str()).collect();
    let who = context.who.clone().map_or(plan.owner.clone(), |who| format!("{who} ({})", plan.owner));
    let context = Context { who: Some(who), ..context.clone() };
    let what = format!("run {}; {}", plan.run, names.join(", "));
    let Some(before) = before else {
        let title = look.paint(Tone::Strong, format!("Plan: {}", plan.intent));
        let clock = format!("planned {}; {}", text::full_time(plan.taken_at), header::objective(plan.rto));
        return header::render(look, &context, &title, &what, &clock);
    };
    let now = context.seen_at.unwrap_or(plan.taken_at);
    let title = format!("Going on with run {}, begun {}", plan.run, text::time(before.began, now));
    let title = format!("{}: {}", look.paint(Tone::Strong, title), plan.intent);
    let due = before.began + plan.rto;
    let left = header::rto_left(look, header::Due { began: before.began, until: due }, now);
    let clock = format!("{}; RTO due {}, {left}", text::full_time(now), text::time(due, now));
    header::render(look, &context, &title, &names.join(", "), &clock)
}

fn positions(look: Look, context: &Context, plan: &Plan, before: Option<&Before>) -> String {
    if plan.positions.is_empty() {
        return String::new();
    }
    let mut title = "Where the consumer starts".to_owned();
    // What is expected to come twice was reckoned then; the longer the switch takes, the more it is.
    if let Some(now) = context.seen_at.filter(|now| before.is_some() && *now > plan.taken_at) {
        title += &format!(", as planned at {}", text::time(plan.taken_at, now));
    }
    let mut out = format!("\n{}\n", look.rule(&title));
    for (pipeline, position) in &plan.positions {
        out += &position::render(look, pipeline.as_str(), position, plan.taken_at);
    }
    out
}

/// The calls of a step, out of the vector that a run sends.
fn calls<'a>(number: usize, step: &PlannedStep, effects: &'a [PlannedEffect]) -> Vec<&'a Effect> {
    let of_step = step.step.effects();
    let is_its = |e: &&PlannedEffect| {
        let planned = (e.stage, &e.pipeline, e.step.as_str()) == (number, &step.pipeline, step.step.slug());
        planned && of_step.contains(&e.effect)
    };
    effects.iter().filter(is_its).map(|e| &e.effect).collect()
}

fn step(look: Look, number: usize, step: &PlannedStep, many: bool, effects: &[PlannedEffect]) -> String {
    let pipeline = if many { format!("{}: ", step.pipeline) } else { String::new() };
    let region = step.step.region();
    let mut out = look.hang(&format!("     {region}  "), &format!("{pipeline}{}", step.step.summary()));
    let calls = calls(number, step, effects);
    for effect in &calls {
        out += &look.hang(&format!("     {} ", look.mark(Mark::Send)), &call(look, effect));
    }
    if calls.is_empty() && !step.step.effects().is_empty() {
        out += &look.hang(&format!("     {} ", look.mark(Mark::Already)), "nothing has to be sent");
    }
    out
}

/// A call in words. The tags of the run mark say what the head of the page says, so they are counted unless asked for.
pub(crate) fn words_of(look: Look, effect: &Effect) -> String {
    match effect {
        Effect::TagStream { stream, tags, .. } if look.verbose == 0 => {
            let state = tags.get("kdsha:state").map(|state| format!(" ({state})")).unwrap_or_default();
            format!("tag stream {stream} with the run mark{state}, {}", text::plural(tags.len(), "tag"))
        }
        other => other.to_string(),
    }
}

/// A call on one line, with its Region and its name in IAM.
pub(crate) fn call(look: Look, effect: &Effect) -> String {
    format!("{}: {} ({})", effect.region(), words_of(look, effect), effect.operation())
}

fn stage(look: Look, number: usize, stage: &Stage, many: bool, effects: &[PlannedEffect]) -> String {
    let mut out = String::new();
    if stage.is_point_of_no_return {
        out += &format!("{}\n", look.alarm(NO_RETURN));
    }
    out += &look.hang(&format!("{number:>3}. "), &look.paint(Tone::Strong, &stage.title));
    for planned in &stage.steps {
        out += &step(look, number, planned, many, effects);
    }
    let waits = stage.steps.iter().any(|s| s.step.effects().is_empty());
    let mut rules = Vec::new();
    if waits {
        rules.push(format!("waits, at most {}", duration::show(stage.timeout)));
    }
    if stage.on_failure == OnFailure::Owe {
        rules.push("what the Region refuses is owed, and the run goes on".to_owned());
    }
    if stage.skip_risk.is_some() {
        rules.push("may be skipped, with a reason".to_owned());
    }
    if !rules.is_empty() {
        out += &look.paint(Tone::Faint, look.hang("     ", &format!("({})", rules.join("; "))).trim_end());
        out.push('\n');
    }
    out
}

/// Calls that no step of the plan claims. There are none in a sound plan; if there are, they are not hidden.
fn unplaced(look: Look, plan: &Plan, effects: &[PlannedEffect]) -> String {
    let is_placed = |planned: &&PlannedEffect| {
        let stage = planned.stage.checked_sub(1).and_then(|index| plan.stages.get(index));
        let steps = stage.map_or(&[][..], |stage| &stage.steps);
        steps.iter().any(|s| calls(planned.stage, s, effects).contains(&&planned.effect))
    };
    let left: Vec<&PlannedEffect> = effects.iter().filter(|planned| !is_placed(planned)).collect();
    let mark = look.mark(Mark::Send);
    let line = |planned: &&PlannedEffect| {
        look.hang(&format!("     {mark} "), &format!("{}: {}", planned.pipeline, call(look, &planned.effect)))
    };
    let title =
        if left.is_empty() { String::new() } else { look.hang("  +  ", "also sent, by no step above") };
    title + &left.iter().map(line).collect::<String>()
}

fn verdict(look: Look, plan: &Plan, effects: &[PlannedEffect], before: Option<&Before>) -> String {
    let blockers = plan.blockers();
    let calls = text::plural(effects.len(), "call");
    let stages = text::plural(plan.stages.len(), "stage");
    let changed = before.map(|before| match before.changed.as_ref().map(Vec::len) {
        None => "What the run has changed already is not known here: its journal is gone.".to_owned(),
        Some(0) => "Nothing has been changed yet.".to_owned(),
        Some(n) => format!("Already changed: {}.", text::plural(n, "call")),
    });
    let left = if before.is_some() { ", those that are done left out" } else { "" };
    match blockers.len() {
        0 => {
            let word = look.paint(Tone::Good, "This plan can run");
            let changed = changed.unwrap_or_else(|| "Nothing has been changed yet.".to_owned());
            look.hang("", &format!("{word}: {stages}{left}, {calls} that change something. {changed}"))
        }
        n => {
            let word = look.paint(Tone::Bad, "This plan is blocked");
            let changed = changed.unwrap_or_else(|| "Nothing was changed.".to_owned());
            look.hang("", &format!("{word} by {}. {changed}", text::plural(n, "check")))
        }
    }
}

/// The plan, its verdict last, where the eye rests.
pub(crate) fn render(
    look: Look,
    context: &Context,
    plan: &Plan,
    effects: &[PlannedEffect],
    before: Option<&Before>,
) -> String {
    let many = plan.pipelines.len() > 1;
    let mut out = head(look, context, plan, before);
    out += &positions(look, context, plan, before);
    out += &format!("\n{}\n", look.rule("Stages"));
    for (index, each) in plan.stages.iter().enumerate() {
        out += &stage(look, index + 1, each, many, effects);
    }
    out += &unplaced(look, plan, effects);
    if !plan.checks.is_empty() {
        out += &format!("\n{}\n", look.rule(&format!("Preflight: {}", checks::tally(look, &plan.checks))));
        out += &checks::body(look, &plan.checks);
    }
    out.push('\n');
    out += &verdict(look, plan, effects, before);
    out
}
