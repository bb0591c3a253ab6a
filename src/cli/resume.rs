//! `kdsha resume`: go on with the unfinished run, or settle what is owed.

use super::args::{FailbackArgs, FailoverArgs};
use super::failure::Failure;
use super::session::{self, Session};
use super::{failback, failover};
use crate::engine::{Earlier, Engine};
use crate::journal::RunRecord;
use crate::model::Exit;
use crate::plan::{Intent, Mode};
use crate::ui::Ui;

/// Goes on, or settles.
///
/// # Errors
/// What stops it before anything was changed.
pub async fn run(session: &Session, ui: &Ui, yes: bool) -> Result<Exit, Failure> {
    let runs = session.runs()?;
    if let Some(run) = runs.iter().find(|run| run.is_unfinished()) {
        return go_on(session, ui, run, yes).await;
    }
    match runs.iter().find(|run| !run.owed().is_empty()) {
        Some(run) => settle(session, ui, run).await,
        None => {
            ui.note("nothing is unfinished and nothing is owed on this machine");
            Ok(Exit::Done)
        }
    }
}

/// The same command again.
async fn go_on(session: &Session, ui: &Ui, run: &RunRecord, yes: bool) -> Result<Exit, Failure> {
    match &run.plan.intent {
        Intent::Failover { to, mode } => {
            let args = FailoverArgs {
                to: to.clone(),
                dry_run: false,
                yes,
                emergency: *mode == Mode::Emergency,
                start_at: None,
                overlap_buffer: None,
                timeout: None,
            };
            failover::run(session, ui, &args).await
        }
        Intent::Failback { .. } => {
            let args = FailbackArgs { dry_run: false, yes, skip_stranded: false, timeout: None };
            failback::run(session, ui, &args).await
        }
    }
}

/// The owed steps of the run's own plan, fences first, as the plan has them.
async fn settle(session: &Session, ui: &Ui, run: &RunRecord) -> Result<Exit, Failure> {
    let _lock = session.state.lock(&format!("{} (resume)", session.owner))?;
    session::same_account(&session.look(false).await?, run)?;
    let mut journal = session.state.go_on(run)?;
    let only = run.owed().into_iter().map(|(key, _)| key).collect();
    let earlier = Earlier { began: Some(run.began), only: Some(only), ..Earlier::default() };
    let engine = Engine::new(
        &session.aws,
        &session.topology,
        &mut journal,
        ui.clone(),
        &session.prompter,
        session.interrupt.clone(),
    );
    Ok(Box::pin(engine.run(&run.plan, &earlier)).await)
}
