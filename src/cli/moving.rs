//! What failover and failback share: go on or begin, plan, show, refuse or run.

use super::failure::Failure;
use super::session::{self, Session};
use crate::engine::{Earlier, Engine};
use crate::journal::{Header, Journal, RunRecord};
use crate::model::{Check, Exit, Observed, PipelineName, RunId, RunState, Snapshot, StepOutcome, Verdict};
use crate::plan::{Accepted, Intent, Mode, OnFailure, Plan, PlannedEffect, Request};
use crate::steps::Seen;
use crate::ui::Ui;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the operator wants.
pub struct Wanted<'a> {
    /// Where to, and by which rules.
    pub intent: Intent,
    /// Only show it.
    pub dry_run: bool,
    /// For one wait.
    pub timeout: Option<Duration>,
    /// What the operator accepts.
    pub accepted: Option<Accepted>,
    /// Whether a run that another operator left open is gone on with.
    pub open_runs: OpenRuns,
    /// Makes the plan.
    pub plan: &'a dyn Fn(Request<'_>) -> Plan,
}

/// Whose open run a command goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenRuns {
    /// Only one's own.
    Own,
    /// Anybody's: `kdsha resume`, when its owner cannot go on.
    Anybodys,
}

/// Shows, or runs.
///
/// # Errors
/// What stops it before anything was changed.
pub async fn go(session: &Session, ui: &Ui, wanted: &Wanted<'_>) -> Result<Exit, Failure> {
    let pipelines = session.pipelines()?;
    let _lock = match wanted.dry_run {
        true => None,
        false => Some(session.state.lock(&format!("{} ({})", session.owner, wanted.intent.verb()))?),
    };
    let runs = session.runs()?;
    let earlier = unfinished(&runs, &wanted.intent, &pipelines)?;
    let snapshot = session.look(false).await?;
    ui.set_scene(&session.topology, &snapshot);
    if let Some(run) = earlier {
        session::same_account(&snapshot, run)?;
    }
    let run = match earlier {
        Some(run) => run.header.run.clone(),
        None => marked(session, &snapshot, wanted)
            .map_or_else(|| session::new_run_id(snapshot.taken_at, wanted.intent.verb()), Ok)?,
    };
    // A run that was found again by its mark may have a journal in which nothing was sent yet.
    let earlier = earlier.or_else(|| runs.iter().find(|record| record.header.run == run));
    let owed = session::owed(&runs);
    let request = Request {
        accepted: wanted.accepted.as_ref(),
        ..session.request(&snapshot, &run, &pipelines, &owed, wanted.timeout)
    };
    let kept = earlier.filter(|run| run.plan.intent == wanted.intent);
    let mut plan = (wanted.plan)(request);
    if let Some(kept) = kept {
        // What was confirmed is what is gone on with; the checks are today's.
        plan.accept_as(&kept.plan);
        plan = Plan { checks: plan.checks, ..kept.plan.clone() };
        let timeout = wanted.timeout.unwrap_or(session.topology.timing.timeout);
        let waits = plan.stages.iter_mut().filter(|stage| stage.on_failure == OnFailure::Stop);
        waits.for_each(|stage| stage.timeout = timeout);
    }
    let effects = effects(&plan, &snapshot);
    if wanted.dry_run {
        ui.plan(&plan, &effects);
        return Ok(if plan.blockers().is_empty() { Exit::Done } else { Exit::Blocked });
    }
    refuse(ui, &plan)?;
    ui.plan_summary(&plan, &effects);
    if let Intent::Failover { to, mode: Mode::Emergency } = &wanted.intent {
        let typed = session.prompter.borrow_mut().type_region(to);
        match typed {
            Ok(true) => {}
            Ok(false) => return Ok(Exit::Declined),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => return Ok(Exit::Interrupted),
            Err(e) => return Err(Failure::new(Exit::Internal, format!("the terminal cannot be read: {e}"))),
        }
    }
    let (mut journal, before) = open(session, &plan, earlier, kept.is_some(), &snapshot)?;
    journal.saw(session.picture(&snapshot, snapshot.taken_at))?;
    let engine = Engine::new(
        &session.aws,
        &session.topology,
        &mut journal,
        ui.clone(),
        &session.prompter,
        session.interrupt.clone(),
    );
    let exit = Box::pin(engine.run(&plan, &before)).await;
    session.look_back(&mut journal, snapshot.taken_at, exit).await;
    Ok(exit)
}

/// The unfinished run that this command goes on with.
fn unfinished<'r>(
    runs: &'r [RunRecord],
    intent: &Intent,
    pipelines: &[PipelineName],
) -> Result<Option<&'r RunRecord>, Failure> {
    let overlaps = |run: &&RunRecord| run.plan.pipelines.iter().any(|name| pipelines.contains(name));
    let Some(run) = runs.iter().filter(|run| run.is_unfinished()).find(overlaps) else { return Ok(None) };
    let same_way = run.plan.intent.verb() == intent.verb() && run.plan.intent.to() == intent.to();
    let turns = matches!(intent, Intent::Failover { mode: Mode::Emergency, .. });
    if run.plan.pipelines == pipelines && (run.plan.intent == *intent || (same_way && turns)) {
        return Ok(Some(run));
    }
    let message = format!("run {} is unfinished: {}", run.header.run, run.plan.intent);
    Err(Failure::new(Exit::Locked, message).hint("`kdsha resume` goes on with it"))
}

/// The run whose open mark we left ourselves: its journal is gone, the world is not.
fn marked(session: &Session, snapshot: &Snapshot, wanted: &Wanted<'_>) -> Option<RunId> {
    let marks = snapshot.pipelines.values().filter_map(|view| view.standby.mark.known()?.as_ref());
    let ours = |mark: &&crate::model::RunMark| {
        let is_ours = wanted.open_runs == OpenRuns::Anybodys || mark.owner == session.owner;
        mark.state == RunState::Open && is_ours && mark.intent == wanted.intent.verb()
    };
    marks.into_iter().find(ours).map(|mark| mark.run.clone())
}

/// The calls that a real run would send from this snapshot on.
pub fn effects(plan: &Plan, snapshot: &Snapshot) -> Vec<PlannedEffect> {
    let mut effects = Vec::new();
    for (number, stage) in plan.stages.iter().enumerate() {
        for planned in &stage.steps {
            let seen = snapshot.pipelines.get(&planned.pipeline);
            let check = seen.map(|pipeline| planned.step.check(Seen { pipeline, at: snapshot.taken_at }));
            if matches!(check, Some(Check::Done(_))) {
                continue;
            }
            effects.extend(planned.step.effects().into_iter().map(|effect| PlannedEffect {
                stage: number + 1,
                pipeline: planned.pipeline.clone(),
                step: planned.step.slug().to_owned(),
                effect,
            }));
        }
    }
    effects
}

/// Blocked plans are shown with everything that blocks them.
fn refuse(ui: &Ui, plan: &Plan) -> Result<(), Failure> {
    let blockers = plan.blockers();
    if blockers.is_empty() {
        return Ok(());
    }
    ui.checks(&plan.checks, "Preflight");
    let (count, verb) = (blockers.len(), plan.intent.verb());
    let locked = blockers.iter().any(|b| b.check == "open_run" && b.verdict == Verdict::Fail);
    let exit = if locked { Exit::Locked } else { Exit::Blocked };
    let what = if count == 1 { "1 check forbids".to_owned() } else { format!("{count} checks forbid") };
    let names = blockers.iter().map(|b| b.check.as_str()).collect::<Vec<_>>().join(", ");
    let failure = Failure::new(exit, format!("{what} this {verb}: {names}; nothing was changed"));
    let advice = blockers.iter().filter_map(|b| b.advice.clone());
    Err(advice.fold(failure, |failure, advice| match failure.hints.contains(&advice) {
        true => failure,
        false => failure.hint(advice),
    }))
}

/// The journal to write into, and what an earlier process did.
fn open(
    session: &Session,
    plan: &Plan,
    earlier: Option<&RunRecord>,
    kept: bool,
    snapshot: &Snapshot,
) -> Result<(Journal, Earlier), Failure> {
    let Some(run) = earlier else {
        let account = match &snapshot.identity {
            Observed::Known(identity) => Some(identity.account.to_string()),
            Observed::Unknown(_) => None,
        };
        let header = Header {
            run: plan.run.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            argv: session.argv.clone(),
            owner: session.owner.clone(),
            account,
        };
        return Ok((session.state.begin(header, plan, snapshot.taken_at)?, Earlier::default()));
    };
    let mut journal = session.state.go_on(run)?;
    let mut before = Earlier { began: Some(run.began), ..Earlier::default() };
    if kept {
        before.skipped = skipped(run);
    } else {
        journal.replan(snapshot.taken_at, plan)?;
        before.turned = Some("--emergency was given".to_owned());
    }
    Ok((journal, before))
}

/// Steps that the operator skipped stay skipped.
fn skipped(run: &RunRecord) -> BTreeMap<(usize, usize), String> {
    let reason = |outcome: &StepOutcome| match outcome {
        StepOutcome::Skipped { reason } => Some(reason.clone()),
        _ => None,
    };
    run.outcomes.iter().filter_map(|(key, outcome)| Some((*key, reason(outcome)?))).collect()
}
