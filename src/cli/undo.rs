//! Putting back what a run has changed, until its point of no return: offered when a run stops, and on its own as
//! `kdsha resume --undo`.

use super::failure::Failure;
use super::session::{self, Session};
use super::{moving, standing};
use crate::engine::abandoned::way_back_of;
use crate::engine::undo::{NoWayBack, WayBack, of};
use crate::engine::{Earlier, Ended, Engine};
use crate::journal::{Journal, RunRecord};
use crate::model::{Event, Exit, RunId, RunState, Snapshot, duration};
use crate::plan::Plan;
use crate::ui::{Ui, UndoPrompt};

/// After a run that stopped: offers to put back what it has changed. Gives the run's exit code.
///
/// # Errors
/// When the journal cannot be read again, or written.
pub async fn offer(
    session: &Session,
    ui: &Ui,
    journal: &mut Journal,
    run: &RunId,
    exit: Exit,
) -> Result<Exit, Failure> {
    let stopped =
        matches!(exit, Exit::Declined | Exit::StepFailed | Exit::TimedOut | Exit::Interrupted | Exit::Locked);
    if !stopped {
        return Ok(exit);
    }
    let its = session.state.runs()?.into_iter().filter_map(|one| one.run.ok());
    let Some(record) = its.into_iter().find(|record| record.header.run == *run) else { return Ok(exit) };
    let Ok(back) = of(&record, &session.topology, session.aws.clock().now()) else { return Ok(exit) };
    // A run that gave way to another one leaves everything to it.
    if matches!(exit, Exit::Locked | Exit::StepFailed)
        && session.look(false).await.is_ok_and(|seen| standing::is_superseded(&record, &seen))
    {
        return Ok(exit);
    }
    let asks = session.prompter.borrow().is_operator() && !session.interrupt.is_final();
    if asks && session.interrupt.is_raised() {
        session.prompter.borrow_mut().forget_the_stop();
    }
    let yes = match asks {
        true => session.prompter.borrow_mut().undo(&question(&back)).unwrap_or(false),
        false => false,
    };
    if !yes {
        ui.event(
            &Event::Note { text: "`kdsha resume --undo` puts back what this run has changed".to_owned() },
            session.aws.clock().now(),
        );
        return Ok(exit);
    }
    put_back(session, ui, journal, &back).await?;
    Ok(exit)
}

fn question(back: &WayBack) -> UndoPrompt {
    UndoPrompt { calls: back.calls(), stays: back.stays.clone(), budget: back.budget() }
}

/// `kdsha resume --undo`: puts back the unfinished run of this machine, or of another one by the mark that it left.
///
/// # Errors
/// When there is none, or it has passed its point of no return: says which.
pub async fn run(session: &Session, ui: &Ui) -> Result<Exit, Failure> {
    let _lock = session.state.lock(&session::holder(session, "resume --undo", None))?;
    let listed = session.state.runs()?;
    let snapshot = session.look(false).await?;
    let runs = standing::readable(listed, &snapshot, ui)?;
    let Some(run) = standing::unfinished(&runs, &snapshot).into_iter().next() else {
        return abandoned(session, ui, &runs, &snapshot).await;
    };
    session::same_account(&snapshot, run)?;
    let back = match of(run, &session.topology, snapshot.taken_at) {
        // It was begun on another machine, and only its way back on this one.
        Err(NoWayBack::NothingChanged) if run.undoing => {
            return abandoned(session, ui, &runs, &snapshot).await;
        }
        other => other.map_err(|why| refusal(run, why))?,
    };
    if let Some(exit) = confirm(session, &back)? {
        return Ok(exit);
    }
    let mut journal = session.state.go_on(run)?;
    put_back(session, ui, &mut journal, &back).await
}

/// Asks once, for the whole way back. Gives the exit code where the answer is no.
fn confirm(session: &Session, back: &WayBack) -> Result<Option<Exit>, Failure> {
    let yes = session.prompter.borrow_mut().undo(&question(back));
    match yes {
        Ok(true) => Ok(None),
        Ok(false) => Ok(Some(Exit::Declined)),
        Err(e) if e.kind() == std::io::ErrorKind::Interrupted => Ok(Some(Exit::Interrupted)),
        Err(e) => Err(Failure::new(Exit::Internal, format!("the terminal cannot be read: {e}"))),
    }
}

/// Puts back the run of another machine, or one whose journal is lost, by its mark.
async fn abandoned(
    session: &Session,
    ui: &Ui,
    runs: &[RunRecord],
    snapshot: &Snapshot,
) -> Result<Exit, Failure> {
    let marks = snapshot.pipelines.values().filter_map(|view| view.standby.mark.known()?.as_ref());
    let Some(mark) = marks.into_iter().find(|mark| mark.state == RunState::Open) else {
        let failure = Failure::new(Exit::Usage, "there is no unfinished run to put back");
        return Err(failure.hint("`kdsha status` shows where everything stands"));
    };
    let back = way_back_of(mark, &session.topology, snapshot).map_err(|why| {
        let message = format!("run {} by {} cannot be put back by its mark: {why}", mark.run, mark.owner);
        Failure::new(Exit::Locked, message)
            .hint("`kdsha resume` goes on with it; only the machine with its journal knows what it changed")
    })?;
    ui.note(&format!(
        "run {} ({} by {}, since {:.0}) is put back by its mark: first make sure that its kdsha does not run any more",
        mark.run, mark.intent, mark.owner, mark.token.marked_at
    ));
    if let Some(exit) = confirm(session, &back)? {
        return Ok(exit);
    }
    let mut journal = match runs.iter().find(|run| run.header.run == mark.run) {
        Some(run) => session.state.go_on(run)?,
        // What the run itself did is not known: its plan here has no stage.
        None => moving::begin(session, &Plan { stages: Vec::new(), ..back.plan.clone() }, snapshot)?,
    };
    put_back(session, ui, &mut journal, &back).await
}

fn refusal(run: &RunRecord, why: NoWayBack) -> Failure {
    let id = &run.header.run;
    match why {
        NoWayBack::TooLate => {
            let message =
                format!("run {id} has passed its point of no return: a producer may have been switched");
            Failure::new(Exit::Locked, message)
                .hint("`kdsha resume` goes on with it; then `kdsha failback` is the way back")
        }
        NoWayBack::NothingChanged => Failure::new(Exit::Usage, format!("run {id} has changed nothing"))
            .hint("`kdsha resume` goes on with it"),
    }
}

/// Runs the way back, and closes the run where it succeeded.
async fn put_back(
    session: &Session,
    ui: &Ui,
    journal: &mut Journal,
    back: &WayBack,
) -> Result<Exit, Failure> {
    let now = || session.aws.clock().now();
    let told = |journal: &mut Journal, event: Event| -> Result<(), Failure> {
        journal.append(now(), &event)?;
        ui.event(&event, now());
        Ok(())
    };
    told(journal, Event::UndoStarted)?;
    journal.replan(now(), &back.plan)?;
    let engine = Engine::new(
        &session.aws,
        &session.topology,
        &mut *journal,
        ui.clone(),
        &session.prompter,
        // The Ctrl-C that stopped the run does not stop the way back; another one does.
        session.interrupt.anew(),
    );
    let earlier = Earlier { began: Some(back.plan.taken_at), undoing: true, ..Earlier::default() };
    match Box::pin(engine.run(&back.plan, &earlier)).await {
        Ended::Over(Exit::Done) => Ok(Exit::Done),
        Ended::Over(exit) => {
            let text = format!(
                "NOT everything was put back (within {}): the run stays open; `kdsha resume --undo` tries again, \
                 `kdsha status` shows what stands",
                duration::show(back.budget())
            );
            ui.event(&Event::Note { text }, now());
            Ok(exit)
        }
        Ended::Turned => Ok(Exit::Internal),
    }
}
