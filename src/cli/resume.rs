//! `kdsha resume`: go on with the unfinished run, settle what is owed, or put back what was changed.

use super::args::{AcceptArgs, FailbackArgs, FailoverArgs, ResumeArgs};
use super::failure::Failure;
use super::moving::OpenRuns;
use super::session::{self, Session};
use super::{failback, failover, settling, standing, undo};
use crate::model::cutover::is_broken_mark;
use crate::model::{Exit, RunMark, RunState, Snapshot};
use crate::plan::{Intent, Mode};
use crate::steps::how_to_clear;
use crate::ui::Ui;

/// Goes on, settles, or puts back.
///
/// # Errors
/// What stops it before anything was changed.
pub async fn run(session: &Session, ui: &Ui, args: &ResumeArgs) -> Result<Exit, Failure> {
    if args.undo {
        return undo::run(session, ui).await;
    }
    // Before the journals are read: what another process writes meanwhile must not be gone on with from before it.
    let mut lock = session.state.lock(&session::holder(session, "resume", None))?;
    let listed = session.state.runs()?;
    let snapshot = session.look(false).await?;
    ui.set_scene(&session.topology, &snapshot);
    let runs = standing::readable(listed, &snapshot, ui)?;
    if let Some(run) = standing::unfinished(&runs, &snapshot).into_iter().next() {
        // Whoever goes on takes the lock himself, and reads the journals again under it.
        drop(lock);
        if run.undoing {
            return undo::run(session, ui).await;
        }
        return go_on(session, ui, &run.intent(), args, OpenRuns::Resumed).await;
    }
    if let Some(run) = standing::owing(&runs, &snapshot).into_iter().next() {
        lock.tell(&session::holder(session, "resume", Some(&run.header.run)))?;
        return settling::settle(session, ui, run, &snapshot).await;
    }
    if let Some((_, mark)) = standing::foreign(&runs, &snapshot).into_iter().next() {
        lock.tell(&session::holder(session, "resume", Some(&mark.run)))?;
        return settling::settle_marked(session, ui, &runs, mark, &snapshot).await;
    }
    drop(lock);
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
                let hint = match is_broken_mark(reason) {
                    true => how_to_clear(&session.topology.regions.standby, &view.standby.stream_name),
                    false => "run it again when the standby Region answers".to_owned(),
                };
                return Err(Failure::new(Exit::Locked, message).hint(hint));
            }
        };
        ui.note(&format!("going on with run {} ({}), which {} left open", mark.run, mark.intent, mark.owner));
        let regions = &session.topology.regions;
        let intent = match mark.intent.as_str() {
            RunMark::FAILBACK => Intent::Failback { to: regions.primary.clone() },
            RunMark::EMERGENCY => Intent::Failover { to: regions.standby.clone(), mode: Mode::Emergency },
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
                start_at: args.start_at,
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
