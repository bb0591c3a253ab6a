//! `kdsha resume`: go on with the unfinished run, or settle what is owed.

use super::args::{AcceptArgs, FailbackArgs, FailoverArgs};
use super::failure::Failure;
use super::moving::OpenRuns;
use super::session::{self, Session};
use super::{failback, failover};
use crate::engine::{Earlier, Engine};
use crate::journal::RunRecord;
use crate::model::{Exit, PipelineName, RunState};
use crate::plan::{Intent, Mode, OnFailure};
use crate::steps::AnyStep;
use crate::ui::Ui;
use std::collections::BTreeSet;

/// Goes on, or settles.
///
/// # Errors
/// What stops it before anything was changed.
pub async fn run(session: &Session, ui: &Ui, yes: bool) -> Result<Exit, Failure> {
    let runs = session.runs()?;
    if let Some(run) = runs.iter().find(|run| run.is_unfinished()) {
        return go_on(session, ui, &run.plan.intent, yes, OpenRuns::Own).await;
    }
    match runs.iter().find(|run| !run.owed().is_empty()) {
        Some(run) => settle(session, ui, run).await,
        None => take_over(session, ui, yes).await,
    }
}

/// The run that another operator, or another machine, left open on the standby streams.
async fn take_over(session: &Session, ui: &Ui, yes: bool) -> Result<Exit, Failure> {
    let snapshot = session.look(false).await?;
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
        return go_on(session, ui, &intent, yes, OpenRuns::Anybodys).await;
    }
    ui.note("nothing is unfinished, and nothing is owed on this machine");
    Ok(Exit::Done)
}

/// The same command again.
async fn go_on(
    session: &Session,
    ui: &Ui,
    intent: &Intent,
    yes: bool,
    open_runs: OpenRuns,
) -> Result<Exit, Failure> {
    match intent {
        Intent::Failover { to, mode } => {
            let args = FailoverArgs {
                to: to.clone(),
                dry_run: false,
                yes,
                emergency: *mode == Mode::Emergency,
                start_at: None,
                overlap_buffer: None,
                timeout: None,
                accept: AcceptArgs::default(),
            };
            failover::go(session, ui, &args, open_runs).await
        }
        Intent::Failback { .. } => {
            let args = FailbackArgs {
                dry_run: false,
                yes,
                skip_stranded: false,
                timeout: None,
                accept: AcceptArgs::default(),
            };
            failback::go(session, ui, &args, open_runs).await
        }
    }
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

/// The owed steps of the run's own plan, fences first, as the plan has them.
async fn settle(session: &Session, ui: &Ui, run: &RunRecord) -> Result<Exit, Failure> {
    let _lock = session.state.lock(&format!("{} (resume)", session.owner))?;
    let snapshot = session.look(false).await?;
    session::same_account(&snapshot, run)?;
    let mut journal = session.state.go_on(run)?;
    journal.saw(session.picture(&snapshot, run.began))?;
    let only = owed_and_verified(run);
    let earlier = Earlier { began: Some(run.began), only: Some(only), ..Earlier::default() };
    let engine = Engine::new(
        &session.aws,
        &session.topology,
        &mut journal,
        ui.clone(),
        &session.prompter,
        session.interrupt.clone(),
    );
    let exit = Box::pin(engine.run(&run.plan, &earlier)).await;
    session.look_back(&mut journal, run.began, exit).await;
    Ok(exit)
}
