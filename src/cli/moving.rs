//! What failover and failback share: go on or begin, plan, show, refuse or run, and turn to emergency.

use super::failure::Failure;
use super::session::{self, Session};
use super::{standing, undo};
use crate::engine::{Earlier, Ended, Engine, environments};
use crate::journal::{Header, Journal, RunRecord};
use crate::model::{
    Check, CheckReport, Effect, Event, Exit, Observed, PipelineName, RunId, RunState, Side, Snapshot,
    StartAt, StepOutcome, Timestamp, Verdict,
};
use crate::plan::{
    Accepted, Intent, Memory, Mode, OnFailure, Plan, PlannedEffect, PlannedStep, Request, seen,
};
use crate::steps::{AnyStep, Seen};
use crate::ui::Ui;
use std::collections::BTreeMap;
use std::time::Duration;

/// Makes an emergency's plan, from a start position where the operator gives one.
pub type Emergency<'a> = dyn Fn(Request<'_>, Option<StartAt>) -> Plan + 'a;

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
    /// Makes the plan of an emergency; failovers alone.
    pub emergency: Option<&'a Emergency<'a>>,
}

/// Whose open run a command goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenRuns {
    /// Only one's own: the same command again.
    Own,
    /// The one that this machine has a journal of, with the pipelines of its plan: `kdsha resume`.
    Resumed,
    /// Anybody's, with the pipelines that it has marked: `kdsha resume`, when its owner cannot go on.
    Anybodys,
}

/// Shows, or runs.
///
/// # Errors
/// What stops it before anything was changed.
pub async fn go(session: &Session, ui: &Ui, wanted: &Wanted<'_>) -> Result<Exit, Failure> {
    let selected = session.pipelines()?;
    let verb = wanted.intent.verb();
    let mut lock = match wanted.dry_run {
        true => None,
        false => Some(session.state.lock(&session::holder(session, verb, None))?),
    };
    let listed = session.state.runs()?;
    let looking = ui.looking();
    let snapshot = session.look(false).await?;
    drop(looking);
    let runs = standing::readable(listed, &snapshot, ui)?;
    ui.set_scene(&session.topology, &snapshot);
    let earlier = unfinished(&runs, &snapshot, wanted, session)?;
    if let Some(run) = earlier {
        session::same_account(&snapshot, run)?;
    }
    let begun = earlier.map(|run| run.header.run.clone()).or_else(|| marked(session, &snapshot, wanted));
    let run = match &begun {
        Some(run) => run.clone(),
        None => session::new_run_id(snapshot.taken_at, verb)?,
    };
    // A run that was found again by its mark may have a journal in which nothing was sent yet.
    let earlier = earlier.or_else(|| runs.iter().find(|record| record.header.run == run));
    let pipelines = match covered(earlier, begun.as_ref(), &snapshot, &selected, wanted.open_runs) {
        Some(its) => its,
        None => not_there_yet(session, ui, &snapshot, &run, selected.clone(), &wanted.intent),
    };
    if begun.is_some() {
        tell_who_is_in(ui, &run, &pipelines, &selected);
    }
    if let Some(lock) = &mut lock {
        lock.tell(&session::holder(session, verb, Some(&run)))?;
    }
    // For the case that the command has to be given again when the primary says nothing any more. A folder that cannot
    // be written stops the run at its journal, with a better word.
    let _ = session.state.remember(&seen(&session.request(&snapshot, &run, &pipelines, &[], None)));
    let moving = Moving {
        session,
        ui,
        wanted,
        pipelines: &pipelines,
        run: &run,
        owed: standing::owed(&runs, &snapshot, Some(&run)),
        remembered: session.state.remembered(),
    };
    let today = moving.today(&snapshot);
    let is_kept = |run: &&RunRecord| {
        run.plan.intent == wanted.intent && !run.turned && !reads_again(&today) && !reads_again(&run.plan)
    };
    let kept = earlier.filter(is_kept);
    match (earlier, marked_at(&snapshot, &run)) {
        (Some(record), _) => ui.going_on(&run, record.began, Some(record.accepted())),
        (None, Some(began)) => ui.going_on(&run, began, None),
        (None, None) => {}
    }
    let mut plan = moving.plan(today, kept);
    if wanted.dry_run {
        ui.plan(&plan, &effects(&plan, &snapshot));
        return Ok(if plan.blockers().is_empty() { Exit::Done } else { Exit::Blocked });
    }
    if matches!(wanted.intent, Intent::Failover { mode: Mode::Emergency, .. }) {
        plan = moving.with_start(plan, &snapshot)?;
    }
    if let Some(record) = earlier {
        if kept.is_none() {
            plan.remember(&record.plan);
        }
        if kept.is_none() && record.plan.intent == plan.intent {
            plan.accept_as(&record.plan);
        }
        // An emergency stops its readers undrained.
        let planned_all_along =
            record.former.iter().chain([&record.plan]).all(|plan| plan.intent == wanted.intent);
        if planned_all_along && !record.turned {
            plan.expect_own_calls(&record.changed());
        }
    }
    refuse(ui, &plan)?;
    ui.plan_summary(&plan, &effects(&plan, &snapshot));
    if let Some(exit) = moving.confirm_emergency()? {
        return Ok(exit);
    }
    let (mut journal, before) = open(session, &plan, earlier, kept.is_some(), &snapshot)?;
    journal.saw(session.picture(&snapshot, snapshot.taken_at))?;
    moving.run(&mut journal, &plan, before).await
}

/// The pipelines of a run that was begun: those of its journal's plan; taken over by its mark, those that it has
/// marked. `None` where the command says which they are.
fn covered(
    record: Option<&RunRecord>,
    begun: Option<&RunId>,
    snapshot: &Snapshot,
    selected: &[PipelineName],
    open_runs: OpenRuns,
) -> Option<Vec<PipelineName>> {
    let run = begun?;
    let are_selected = |run: &&RunRecord| run.plan.pipelines.iter().all(|name| selected.contains(name));
    if let Some(record) = record.filter(are_selected) {
        return Some(record.plan.pipelines.clone());
    }
    let is_marked = |name: &&PipelineName| {
        let mark = snapshot.pipelines.get(*name).and_then(|view| view.standby.mark.known()?.as_ref());
        mark.is_some_and(|mark| mark.run == *run && mark.state != RunState::Closed)
    };
    (open_runs != OpenRuns::Own).then(|| selected.iter().filter(is_marked).cloned().collect())
}

/// Says which pipelines a run covers, where others were selected too.
fn tell_who_is_in(ui: &Ui, run: &RunId, covered: &[PipelineName], selected: &[PipelineName]) {
    let others: Vec<&PipelineName> = selected.iter().filter(|name| !covered.contains(name)).collect();
    if others.is_empty() {
        return;
    }
    let verb = if others.len() == 1 { "is" } else { "are" };
    let covered = listed(covered);
    ui.note(&format!("run {run} covers {covered}; {} {verb} not in it: left as before", listed(others)));
}

fn listed<'n>(names: impl IntoIterator<Item = &'n PipelineName>) -> String {
    names.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The pipelines to move: those that rest where they are to go are left as they are, unless all of them do.
fn not_there_yet(
    session: &Session,
    ui: &Ui,
    snapshot: &Snapshot,
    run: &RunId,
    pipelines: Vec<PipelineName>,
    intent: &Intent,
) -> Vec<PipelineName> {
    let request = session.request(snapshot, run, &pipelines, &[], None);
    let side = side_of(intent);
    let there = request.at_rest_on(side);
    if there.is_empty() || there.len() == pipelines.len() {
        return pipelines;
    }
    for name in &there {
        ui.note(&format!("{name} is active in {} already: left as it is", session.topology.regions.of(side)));
    }
    pipelines.into_iter().filter(|name| !there.contains(name)).collect()
}

fn side_of(intent: &Intent) -> Side {
    match intent {
        Intent::Failover { .. } => Side::Standby,
        Intent::Failback { .. } => Side::Primary,
    }
}

/// A command under way.
struct Moving<'a> {
    session: &'a Session,
    ui: &'a Ui,
    wanted: &'a Wanted<'a>,
    pipelines: &'a [PipelineName],
    run: &'a RunId,
    owed: Vec<String>,
    remembered: Memory,
}

impl Moving<'_> {
    fn request<'s>(&'s self, snapshot: &'s Snapshot) -> Request<'s> {
        let request =
            self.session.request(snapshot, self.run, self.pipelines, &self.owed, self.wanted.timeout);
        Request { accepted: self.wanted.accepted.as_ref(), remembered: Some(&self.remembered), ..request }
    }

    /// Today's plan.
    fn today(&self, snapshot: &Snapshot) -> Plan {
        let mut plan = (self.wanted.plan)(self.request(snapshot));
        lead_with_the_cause(&mut plan.checks);
        plan
    }

    /// Today's plan; of a run that is gone on with, what was confirmed, with today's checks.
    fn plan(&self, mut plan: Plan, kept: Option<&RunRecord>) -> Plan {
        let Some(kept) = kept else { return plan };
        plan.accept_as(&kept.plan);
        plan = Plan { checks: plan.checks, ..kept.plan.clone() };
        let timeout = self.wanted.timeout.unwrap_or(self.session.topology.timing.timeout);
        let waits = plan.stages.iter_mut().filter(|stage| stage.on_failure == OnFailure::Stop);
        waits.for_each(|stage| stage.timeout = timeout);
        plan
    }

    /// An emergency without a position that can be derived asks for one, where somebody can be asked.
    fn with_start(&self, plan: Plan, snapshot: &Snapshot) -> Result<Plan, Failure> {
        let (Some(emergency), true) = (self.wanted.emergency, self.session.prompter.borrow().is_operator())
        else {
            return Ok(plan);
        };
        let is_start = |check: &&CheckReport| check.check == "start_position";
        let blockers = plan.blockers();
        if blockers.is_empty() || !blockers.iter().all(is_start) {
            return Ok(plan);
        }
        self.ui.checks(&blockers.into_iter().cloned().collect::<Vec<_>>(), "No start position");
        let now = snapshot.taken_at;
        let example = now - Duration::from_secs(3600);
        let question = format!(
            "Where does the standby's consumer start? An instant before the first unprocessed record, or trim-horizon. It is \
             now {}; an hour ago was {}. (empty: stop here)",
            now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            example.strftime("%Y-%m-%dT%H:%M:%SZ")
        );
        loop {
            let typed = self.session.prompter.borrow_mut().type_text(&question).map_err(of_terminal)?;
            let Some(typed) = typed else { return Ok(plan) };
            match super::args::start_at(&typed) {
                Ok(start) => {
                    let plan = emergency(self.request(snapshot), Some(start));
                    if plan.blockers().is_empty() {
                        return Ok(plan);
                    }
                    self.ui.checks(&plan.blockers().into_iter().cloned().collect::<Vec<_>>(), "Preflight");
                }
                Err(why) => self.ui.note(&why),
            }
        }
    }

    /// An emergency is confirmed by typing the Region. Gives the exit code where it is not.
    fn confirm_emergency(&self) -> Result<Option<Exit>, Failure> {
        let Intent::Failover { to, mode: Mode::Emergency } = &self.wanted.intent else { return Ok(None) };
        match self.session.prompter.borrow_mut().type_region(to) {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(Exit::Declined)),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => Ok(Some(Exit::Interrupted)),
            Err(e) => Err(of_terminal(e)),
        }
    }

    /// Runs the plan, and the emergency that it may be turned into; offers to put back what was changed.
    async fn run(&self, journal: &mut Journal, plan: &Plan, before: Earlier) -> Result<Exit, Failure> {
        let began = before.began.unwrap_or(plan.taken_at);
        let exit = match self.engine(journal, plan, &before).await {
            Ended::Over(exit) => exit,
            Ended::Turned => self.as_emergency(journal, began).await?,
        };
        self.session.look_back(journal, plan.taken_at, exit).await;
        undo::offer(self.session, self.ui, journal, self.run, exit).await
    }

    /// Goes on as the emergency that the run was turned into. What stops it before that begins ends the run for now:
    /// it is written down, and the way on is named.
    async fn as_emergency(&self, journal: &mut Journal, began: Timestamp) -> Result<Exit, Failure> {
        let (snapshot, plan) = match self.turned().await {
            Ok(turned) => turned,
            Err(failure) => {
                let command = format!("kdsha failover --to {} --emergency", self.wanted.intent.to());
                let failure = failure.hint(format!(
                    "`{command}` goes on with this run as an emergency, with --start-at TIME where no position can be \
                     derived"
                ));
                let event = Event::RunFinished {
                    exit: failure.exit,
                    summary: format!("turned into an emergency that has not begun: {}", failure.message),
                    recovery: None,
                    owed: Vec::new(),
                    consequences: Vec::new(),
                    next: Some(command),
                };
                journal.append(self.session.aws.clock().now(), &event)?;
                return Err(failure);
            }
        };
        journal.replan(snapshot.taken_at, &plan)?;
        self.ui.set_scene(&self.session.topology, &snapshot);
        self.ui.plan_summary(&plan, &effects(&plan, &snapshot));
        let environments = environments(&snapshot);
        let before = Earlier { began: Some(began), environments, ..Earlier::default() };
        match self.engine(journal, &plan, &before).await {
            Ended::Over(exit) => Ok(exit),
            Ended::Turned => Ok(Exit::Internal),
        }
    }

    async fn engine(&self, journal: &mut Journal, plan: &Plan, before: &Earlier) -> Ended {
        let session = self.session;
        let engine = Engine::new(
            &session.aws,
            &session.topology,
            journal,
            self.ui.clone(),
            &session.prompter,
            session.interrupt.clone(),
        );
        Box::pin(engine.run(plan, before)).await
    }

    /// The emergency's plan, derived anew by the emergency's rule.
    async fn turned(&self) -> Result<(Snapshot, Plan), Failure> {
        let Some(emergency) = self.wanted.emergency else {
            return Err(Failure::new(Exit::Internal, "only a failover can be turned into an emergency"));
        };
        let snapshot = self.session.look(false).await?;
        let plan = self.with_start(emergency(self.request(&snapshot), None), &snapshot)?;
        refuse_while(self.ui, &plan, "the run stands where it was turned")?;
        Ok((snapshot, plan))
    }
}

fn of_terminal(error: std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::Interrupted => Failure::new(Exit::Interrupted, "interrupted at a question"),
        _ => Failure::new(Exit::Internal, format!("the terminal cannot be read: {error}")),
    }
}

/// The unfinished run that this command goes on with.
fn unfinished<'r>(
    runs: &'r [RunRecord],
    snapshot: &Snapshot,
    wanted: &Wanted<'_>,
    session: &Session,
) -> Result<Option<&'r RunRecord>, Failure> {
    let (intent, selected) = (&wanted.intent, session.pipelines()?);
    let overlaps = |run: &&RunRecord| run.plan.pipelines.iter().any(|name| selected.contains(name));
    let Some(run) = standing::unfinished(runs, snapshot).into_iter().find(overlaps) else { return Ok(None) };
    if run.undoing {
        let message = format!("run {} is being put back", run.header.run);
        return Err(Failure::new(Exit::Locked, message).hint("`kdsha resume --undo` brings that to its end"));
    }
    let its = run.intent();
    let same_way = its.verb() == intent.verb() && its.to() == intent.to();
    let turns = matches!(intent, Intent::Failover { mode: Mode::Emergency, .. });
    let are_its = are_its_pipelines(run, session, snapshot, &selected, wanted);
    if are_its && (its == *intent || (same_way && turns)) {
        return Ok(Some(run));
    }
    let message =
        format!("run {} is unfinished: {its}, which covers {}", run.header.run, listed(&run.plan.pipelines));
    Err(Failure::new(Exit::Locked, message).hint(how_to_go_on(run, session)))
}

/// Whether a command acts on the pipelines of a run: on all of them, and beside them only on such as rest there
/// already. `kdsha resume` takes those of the run, whichever others there are.
fn are_its_pipelines(
    run: &RunRecord,
    session: &Session,
    snapshot: &Snapshot,
    selected: &[PipelineName],
    wanted: &Wanted<'_>,
) -> bool {
    let its = &run.plan.pipelines;
    let there = || {
        let request = session.request(snapshot, &run.header.run, selected, &[], None);
        request.at_rest_on(side_of(&wanted.intent))
    };
    let others: Vec<&PipelineName> = selected.iter().filter(|name| !its.contains(name)).collect();
    let has_all = its.iter().all(|name| selected.contains(name));
    let is_resumed = wanted.open_runs == OpenRuns::Resumed;
    has_all && (is_resumed || others.is_empty() || others.iter().all(|name| there().contains(name)))
}

/// The command that goes on with a run, and what it needs.
fn how_to_go_on(run: &RunRecord, session: &Session) -> String {
    let is_configured = |name: &PipelineName| session.topology.pipelines.iter().any(|p| p.name == *name);
    let missing: Vec<&PipelineName> = run.plan.pipelines.iter().filter(|name| !is_configured(name)).collect();
    match (missing.is_empty(), session.selected.is_empty()) {
        (false, _) => {
            format!("kdsha.toml has no {}: add it again, then `kdsha resume` goes on", listed(missing))
        }
        (true, true) => "`kdsha resume` goes on with it".to_owned(),
        (true, false) => "`kdsha resume` goes on with it, without --pipeline".to_owned(),
    }
}

/// Whether a failback has the standby's consumer created, since producers were set back to it. Nothing of an earlier
/// plan fits then: before it that consumer was drained and deleted, and after it once more.
fn reads_again(plan: &Plan) -> bool {
    let creates = |planned: &PlannedStep| matches!(&planned.step, AnyStep::CreateMapping(create) if create.reader.side == Side::Standby);
    let is_failback = matches!(plan.intent, Intent::Failback { .. });
    is_failback && plan.stages.iter().flat_map(|stage| &stage.steps).any(creates)
}

/// The run whose open mark we left ourselves: its journal is gone, the world is not.
fn marked(session: &Session, snapshot: &Snapshot, wanted: &Wanted<'_>) -> Option<RunId> {
    let marks = snapshot.pipelines.values().filter_map(|view| view.standby.mark.known()?.as_ref());
    let ours = |mark: &&crate::model::RunMark| {
        let is_ours = wanted.open_runs == OpenRuns::Anybodys || mark.owner == session.owner;
        let is_same_way = mark.is_failover() == matches!(wanted.intent, Intent::Failover { .. });
        mark.state == RunState::Open && is_ours && is_same_way
    };
    marks.into_iter().find(ours).map(|mark| mark.run.clone())
}

/// When a run set its mark.
fn marked_at(snapshot: &Snapshot, run: &RunId) -> Option<Timestamp> {
    let marks = snapshot.pipelines.values().filter_map(|view| view.standby.mark.known()?.as_ref());
    marks.filter(|mark| mark.run == *run).map(|mark| mark.token.marked_at).min()
}

/// The calls that a real run would send from this snapshot on.
pub fn effects(plan: &Plan, snapshot: &Snapshot) -> Vec<PlannedEffect> {
    let mut effects = Vec::new();
    for (number, stage) in plan.stages.iter().enumerate() {
        for planned in &stage.steps {
            let seen = snapshot.pipelines.get(&planned.pipeline);
            let check = seen.map(|pipeline| planned.step.check(Seen { pipeline, at: snapshot.taken_at }));
            let sends = planned.step.effects();
            // What is there now is no end: the plan takes it away first.
            let replaces = sends.iter().any(|effect| is_replaced(&effects, effect));
            if matches!(check, Some(Check::Done(_))) && !replaces {
                continue;
            }
            effects.extend(sends.into_iter().map(|effect| PlannedEffect {
                stage: number + 1,
                pipeline: planned.pipeline.clone(),
                step: planned.step.slug().to_owned(),
                effect,
            }));
        }
    }
    effects
}

/// Whether a mapping is created anew that an earlier call of the plan deletes.
fn is_replaced(earlier: &[PlannedEffect], effect: &Effect) -> bool {
    let Effect::CreateMapping { region, function, source, .. } = effect else { return false };
    let gone =
        Effect::DeleteMapping { region: region.clone(), function: function.clone(), source: source.clone() };
    earlier.iter().any(|one| one.effect == gone)
}

/// A pipeline that is not where the command takes it from makes other checks fail too; the cause is said first.
fn lead_with_the_cause(checks: &mut [CheckReport]) {
    let is_cause = |check: &CheckReport| check.check == "active_region" && check.verdict == Verdict::Fail;
    checks.sort_by_key(|check| !is_cause(check));
}

/// Blocked plans are shown with everything that blocks them.
///
/// # Errors
/// Names the checks that forbid the plan.
pub fn refuse(ui: &Ui, plan: &Plan) -> Result<(), Failure> {
    refuse_while(ui, plan, "nothing was changed")
}

/// The same, in words that say how the world stands.
fn refuse_while(ui: &Ui, plan: &Plan, stands: &str) -> Result<(), Failure> {
    let blockers = plan.blockers();
    if blockers.is_empty() {
        return Ok(());
    }
    ui.checks(&plan.checks, "Preflight");
    let (count, verb) = (blockers.len(), plan.intent.verb());
    let locked = blockers.iter().find(|b| b.check == "open_run" && b.verdict == Verdict::Fail);
    let exit = if locked.is_some() { Exit::Locked } else { Exit::Blocked };
    let what = if count == 1 { "1 check forbids".to_owned() } else { format!("{count} checks forbid") };
    let mut names: Vec<&str> = Vec::new();
    for name in blockers.iter().map(|b| b.check.as_str()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let names = names.join(", ");
    // Who it is comes with the refusal: it may be all that a log keeps.
    let who = locked.map(|b| format!(": {}", b.evidence)).unwrap_or_default();
    let failure = Failure::new(exit, format!("{what} this {verb}: {names}{who}; {stands}"));
    // What cannot be known is a consequence: of it only a command is a way out. The list above has the rest.
    let leads_out = |b: &&&CheckReport| {
        b.verdict == Verdict::Fail || b.advice.as_ref().is_some_and(|advice| advice.contains('`'))
    };
    let advice = blockers.iter().filter(leads_out).filter_map(|b| b.advice.clone());
    Err(advice.fold(failure, |failure, advice| match failure.hints.contains(&advice) {
        true => failure,
        false => failure.hint(advice),
    }))
}

/// Begins a run's journal on this machine.
///
/// # Errors
/// When the state folder cannot be written.
pub fn begin(session: &Session, plan: &Plan, snapshot: &Snapshot) -> Result<Journal, Failure> {
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
    Ok(session.state.begin(header, plan, snapshot.taken_at)?)
}

/// The journal to write into, and what an earlier process did.
fn open(
    session: &Session,
    plan: &Plan,
    earlier: Option<&RunRecord>,
    kept: bool,
    snapshot: &Snapshot,
) -> Result<(Journal, Earlier), Failure> {
    let environments = environments(snapshot);
    let Some(run) = earlier else {
        return Ok((begin(session, plan, snapshot)?, Earlier { environments, ..Earlier::default() }));
    };
    let mut journal = session.state.go_on(run)?;
    let (began, recovered) = (Some(run.began), run.recovery());
    let mut before = Earlier { began, recovered, environments, changes: run.changes(), ..Earlier::default() };
    if kept {
        before.skipped = skipped(run);
    } else {
        journal.replan(snapshot.taken_at, plan)?;
        // A turn that is written down already is not told twice.
        let turns = !run.turned && run.plan.intent != plan.intent;
        before.turned = turns.then(|| "--emergency was given".to_owned());
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
