//! `kdsha resume`: go on with the unfinished run, settle what is owed, or put back what was changed.

use super::args::{AcceptArgs, FailbackArgs, FailoverArgs, ResumeArgs};
use super::failure::Failure;
use super::moving::{self, OpenRuns};
use super::session::{self, Session};
use super::{failback, failover, standing, undo};
use crate::engine::{Earlier, Ended, Engine, environments};
use crate::journal::{Journal, RunRecord};
use crate::model::{Exit, PipelineName, RunMark, RunState, Snapshot};
use crate::plan::{FailoverOptions, Intent, Mode, OnFailure, Plan, plan_failover};
use crate::steps::AnyStep;
use crate::ui::Ui;
use std::collections::BTreeSet;

/// Goes on, settles, or puts back.
///
/// # Errors
/// What stops it before anything was changed.
pub async fn run(session: &Session, ui: &Ui, args: &ResumeArgs) -> Result<Exit, Failure> {
    if args.undo {
        return undo::run(session, ui).await;
    }
    let runs = session.runs()?;
    let snapshot = session.look(false).await?;
    ui.set_scene(&session.topology, &snapshot);
    if let Some(run) = standing::unfinished(&runs, &snapshot).into_iter().next() {
        if run.undoing {
            return undo::run(session, ui).await;
        }
        return go_on(session, ui, &run.plan.intent, args, OpenRuns::Own).await;
    }
    if let Some(run) = standing::owing(&runs, &snapshot).into_iter().next() {
        return settle(session, ui, run, &snapshot).await;
    }
    if let Some((_, mark)) = standing::foreign(&runs, &snapshot).into_iter().next() {
        return settle_marked(session, ui, &runs, mark, &snapshot).await;
    }
    take_over(session, ui, args, &snapshot).await
}

/// The run that another operator, or another machine, left open on the standby streams.
async fn take_over(
    session: &Session,
    ui: &Ui,
    args: &ResumeArgs,
    snapshot: &Snapshot,
) -> Result<Exit, Failure> {
    for view in snapshot.pipelines.values() {
        let mark = match view.standby.mark.as_result() {
            Ok(Some(mark)) if mark.state == RunState::Open => mark,
            Ok(_) => continue,
            Err(reason) => {
                let message = format!("whether a run is under way is not known: {}", reason.text);
                return Err(
                    Failure::new(Exit::Locked, message).hint("run it again when the standby Region answers")
                );
            }
        };
        ui.note(&format!("going on with run {} ({}), which {} left open", mark.run, mark.intent, mark.owner));
        let regions = &session.topology.regions;
        let intent = match mark.intent.as_str() {
            "failback" => Intent::Failback { to: regions.primary.clone() },
            _ => Intent::Failover { to: regions.standby.clone(), mode: Mode::Planned },
        };
        return go_on(session, ui, &intent, args, OpenRuns::Anybodys).await;
    }
    ui.note("nothing is unfinished, and nothing is owed");
    Ok(Exit::Done)
}

/// The same command again.
async fn go_on(
    session: &Session,
    ui: &Ui,
    intent: &Intent,
    args: &ResumeArgs,
    open_runs: OpenRuns,
) -> Result<Exit, Failure> {
    let result = match intent {
        Intent::Failover { to, mode } => {
            let args = FailoverArgs {
                to: to.clone(),
                dry_run: false,
                yes: args.yes,
                emergency: args.emergency || *mode == Mode::Emergency,
                start_at: None,
                overlap_buffer: None,
                timeout: None,
                accept: AcceptArgs::default(),
            };
            failover::go(session, ui, &args, open_runs).await
        }
        Intent::Failback { .. } if args.emergency => {
            let message = "the unfinished run is a failback, which needs both Regions";
            return Err(Failure::new(Exit::Usage, message).hint("leave --emergency out"));
        }
        Intent::Failback { .. } => {
            let args = FailbackArgs {
                dry_run: false,
                yes: args.yes,
                skip_stranded: false,
                timeout: None,
                accept: AcceptArgs::default(),
            };
            failback::go(session, ui, &args, open_runs).await
        }
    };
    let is_planned = matches!(intent, Intent::Failover { mode: Mode::Planned, .. }) && !args.emergency;
    result.map_err(|failure| match failure.exit {
        Exit::Blocked if is_planned => {
            failure.hint("`kdsha resume --emergency` goes on with it when the old Region does not answer")
        }
        _ => failure,
    })
}

/// The owed steps; and where the verification of a pipeline is owed, what it verifies: somebody may have undone it
/// meanwhile (a deploy that resets the producers), and looking again would never do it again.
fn owed_and_verified(run: &RunRecord) -> BTreeSet<(usize, usize)> {
    let step = |(number, index): (usize, usize)| run.plan.stages.get(number - 1)?.steps.get(index);
    let owed: BTreeSet<(usize, usize)> = run.owed().into_iter().map(|(key, _)| key).collect();
    let unverified: BTreeSet<&PipelineName> = owed
        .iter()
        .filter_map(|key| step(*key))
        .filter(|planned| matches!(planned.step, AnyStep::VerifyResult(_)))
        .map(|planned| &planned.pipeline)
        .collect();
    let stages = run.plan.stages.iter().enumerate().filter(|(_, stage)| stage.on_failure == OnFailure::Owe);
    let steps = stages.flat_map(|(stage, of)| (0..of.steps.len()).map(move |index| (stage + 1, index)));
    let verified =
        steps.filter(|key| step(*key).is_some_and(|planned| unverified.contains(&planned.pipeline)));
    owed.iter().copied().chain(verified).collect()
}

/// The owed steps of the run's own plan, all at once where the Region answers, so that its readers are fenced
/// before they push stale records.
async fn settle(session: &Session, ui: &Ui, run: &RunRecord, snapshot: &Snapshot) -> Result<Exit, Failure> {
    let _lock = session.state.lock(&session::holder(session, "resume", Some(&run.header.run)))?;
    session::same_account(snapshot, run)?;
    let mut journal = session.state.go_on(run)?;
    journal.saw(session.picture(snapshot, run.began))?;
    ui.going_on(&run.header.run, run.began, Some(run.accepted()));
    let only = owed_and_verified(run).into_iter().chain(closing_marks(&run.plan)).collect();
    let earlier = Earlier {
        began: Some(run.began),
        recovered: run.recovery(),
        only: Some(only),
        environments: environments(snapshot),
        ..Earlier::default()
    };
    engine(session, ui, journal, &run.plan, &earlier).await
}

/// The marks that a plan closes: they tell of what is owed until nothing is.
fn closing_marks(plan: &Plan) -> impl Iterator<Item = (usize, usize)> + '_ {
    let is_closing = |step: &AnyStep| matches!(step, AnyStep::MarkRun(m) if m.mark.state == RunState::Closed);
    plan.stages.iter().enumerate().flat_map(move |(number, stage)| {
        let closing = stage.steps.iter().enumerate().filter(move |(_, planned)| is_closing(&planned.step));
        closing.map(move |(index, _)| (number + 1, index))
    })
}

/// What a run of another machine owes, by its mark: an emergency's plan of today, of which only those steps are
/// taken that an emergency may owe. What the standby does already is left alone.
async fn settle_marked(
    session: &Session,
    ui: &Ui,
    runs: &[RunRecord],
    mark: &RunMark,
    snapshot: &Snapshot,
) -> Result<Exit, Failure> {
    let _lock = session.state.lock(&session::holder(session, "resume", Some(&mark.run)))?;
    ui.note(&format!("settling what run {} ({} by {}) owes", mark.run, mark.intent, mark.owner));
    let is_its = |name: &PipelineName| {
        let view = snapshot.pipelines.get(name).and_then(|view| view.standby.mark.known()?.as_ref());
        view.is_some_and(|found| found.run == mark.run && found.state == RunState::Owed)
    };
    let pipelines: Vec<PipelineName> = session.pipelines()?.into_iter().filter(is_its).collect();
    let request = session.request(snapshot, &mark.run, &pipelines, &[], None);
    let options = FailoverOptions { mode: Mode::Emergency, start_at: None, overlap_buffer: None };
    let plan = only_owed(plan_failover(request, options), snapshot);
    moving::refuse(ui, &plan)?;
    let ours = runs.iter().find(|run| run.header.run == mark.run);
    let journal = match ours {
        None => moving::begin(session, &plan, snapshot)?,
        Some(run) => {
            let mut journal = session.state.go_on(run)?;
            journal.replan(snapshot.taken_at, &plan)?;
            journal
        }
    };
    let earlier = Earlier {
        began: Some(mark.token.marked_at),
        recovered: ours.and_then(RunRecord::recovery),
        environments: environments(snapshot),
        ..Earlier::default()
    };
    engine(session, ui, journal, &plan, &earlier).await
}

/// The plan with only those steps that an emergency may owe, and the mark that is closed after them, as it is
/// but for its state.
fn only_owed(mut plan: Plan, snapshot: &Snapshot) -> Plan {
    let found = |name: &PipelineName| snapshot.pipelines.get(name)?.standby.mark.known()?.clone();
    for stage in &mut plan.stages {
        let owable = stage.on_failure == OnFailure::Owe;
        stage.steps.retain_mut(|planned| match &mut planned.step {
            AnyStep::MarkRun(step) if step.mark.state == RunState::Closed => {
                if let Some(found) = found(&planned.pipeline) {
                    step.mark = RunMark { state: RunState::Closed, owed: Vec::new(), ..found };
                }
                true
            }
            _ => owable,
        });
    }
    plan.stages.retain(|stage| !stage.steps.is_empty());
    plan
}

async fn engine(
    session: &Session,
    ui: &Ui,
    mut journal: Journal,
    plan: &Plan,
    earlier: &Earlier,
) -> Result<Exit, Failure> {
    let engine = Engine::new(
        &session.aws,
        &session.topology,
        &mut journal,
        ui.clone(),
        &session.prompter,
        session.interrupt.clone(),
    );
    let began = earlier.began.unwrap_or(plan.taken_at);
    let ended = Box::pin(engine.run(plan, earlier)).await;
    match ended {
        Ended::Over(exit) => {
            session.look_back(&mut journal, began, exit).await;
            Ok(exit)
        }
        // Only planned runs can be turned, and those owe nothing.
        Ended::Turned => Ok(Exit::Internal),
    }
}
