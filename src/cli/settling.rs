//! Settling: what an emergency owes is done once the Region that it left answers, from the machine that ran it or from
//! any other.

use super::failure::Failure;
use super::moving;
use super::session::{self, Session};
use crate::engine::{Earlier, Ended, Engine, NO_STEP, beyond, environments, in_words};
use crate::journal::{Journal, RunRecord};
use crate::model::{Exit, Observed, PipelineName, RunId, RunMark, RunState, Snapshot};
use crate::plan::{FailoverOptions, Mode, OnFailure, Plan, plan_failover};
use crate::steps::AnyStep;
use crate::ui::Ui;
use std::collections::BTreeSet;

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
/// before they push stale records. What the mark owes beyond that plan needs today's.
///
/// # Errors
/// When the credentials are another account's, or the journal cannot be written.
pub(super) async fn settle(
    session: &Session,
    ui: &Ui,
    run: &RunRecord,
    snapshot: &Snapshot,
) -> Result<Exit, Failure> {
    session::same_account(snapshot, run)?;
    let marks = marks(snapshot, &run.header.run);
    if let Some((_, mark)) = marks.first()
        && !all_beyond(&run.plan, &marks).is_empty()
    {
        return settle_marked(session, ui, std::slice::from_ref(run), mark, snapshot).await;
    }
    let mut journal = session.state.go_on(run)?;
    journal.saw(session.picture(snapshot, run.began))?;
    ui.going_on(&run.header.run, run.began, Some(run.accepted()));
    let steps = owed_and_verified(run).into_iter().chain(closing_marks(&run.plan));
    let only = steps.filter(|key| !is_taken(run, *key, snapshot)).collect();
    let earlier = Earlier {
        began: Some(run.began),
        recovered: run.recovery(),
        only: Some(only),
        environments: environments(snapshot),
        ..Earlier::default()
    };
    engine(session, ui, journal, &run.plan, &earlier).await
}

/// Whether another run has taken the stream that a step is for: nothing there is this run's to settle any more.
fn is_taken(run: &RunRecord, (number, index): (usize, usize), snapshot: &Snapshot) -> bool {
    let planned = run.plan.stages.get(number - 1).and_then(|stage| stage.steps.get(index));
    let view = planned.and_then(|planned| snapshot.pipelines.get(&planned.pipeline));
    match view.map(|view| &view.standby.mark) {
        Some(Observed::Known(Some(mark))) => mark.run != run.header.run,
        _ => false,
    }
}

/// The marks by which a run owes something.
fn marks<'s>(snapshot: &'s Snapshot, run: &RunId) -> Vec<(&'s PipelineName, &'s RunMark)> {
    let its = snapshot.pipelines.iter().filter_map(|(name, view)| {
        let mark = view.standby.mark.known()?.as_ref()?;
        (mark.run == *run && mark.state == RunState::Owed).then_some((name, mark))
    });
    its.collect()
}

/// What the marks owe and no step of a plan stands for.
fn all_beyond(plan: &Plan, marks: &[(&PipelineName, &RunMark)]) -> Vec<(PipelineName, String)> {
    let of_mark = |(name, mark): &(&PipelineName, &RunMark)| {
        let name = (*name).clone();
        beyond(plan, &name, &mark.owed).into_iter().map(move |code| (name.clone(), code))
    };
    marks.iter().flat_map(of_mark).collect()
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
/// taken that an emergency may owe. What the standby does already is left alone, and what an emergency would have to
/// know before it begins is not asked: each step's own check says whether it can be done.
///
/// # Errors
/// When the credentials are another account's, or the journal cannot be written.
pub(super) async fn settle_marked(
    session: &Session,
    ui: &Ui,
    runs: &[RunRecord],
    mark: &RunMark,
    snapshot: &Snapshot,
) -> Result<Exit, Failure> {
    ui.note(&format!("settling what run {} ({} by {}) owes", mark.run, mark.intent, mark.owner));
    let marks = marks(snapshot, &mark.run);
    let is_its = |name: &PipelineName| marks.iter().any(|(marked, _)| *marked == name);
    let pipelines: Vec<PipelineName> = session.pipelines()?.into_iter().filter(is_its).collect();
    let request = session.request(snapshot, &mark.run, &pipelines, &[], None);
    let options = FailoverOptions { mode: Mode::Emergency, start_at: None, overlap_buffer: None };
    let plan = only_owed(plan_failover(request, options), snapshot);
    moving::refuse(ui, &plan)?;
    let beyond = all_beyond(&plan, &marks);
    for (name, code) in &beyond {
        ui.note(&format!(
            "{name}: the mark also owes `{}`, and {NO_STEP}: add it and `kdsha resume` again; it stays owed",
            in_words(code)
        ));
    }
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
        beyond,
        environments: environments(snapshot),
        ..Earlier::default()
    };
    engine(session, ui, journal, &plan, &earlier).await
}

/// The plan with only those steps that an emergency may owe, and the mark that is closed after them, as it is
/// but for its state. Of the checks only those of the account matter to it.
fn only_owed(mut plan: Plan, snapshot: &Snapshot) -> Plan {
    plan.checks.retain(|report| report.check == "identity");
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
