//! The only loop: per stage look, check, confirm, write down, perform, write down, look again.
//!
//! The engine decides nothing about pipelines: the plan has, and every step's check says where the world stands.
//! Running it twice is the repair; running it after a kill is the resume.

pub mod abandoned;
mod confirm;
mod consequences;
mod ending;
mod guard;
mod interrupt;
mod owing;
mod sending;
mod silence;
mod since;
mod stage;
pub mod undo;
mod waits;

pub use crate::model::Interrupt;
pub use guard::{Environments, environments};
pub use owing::{NO_STEP, beyond, in_words};

use crate::aws::Aws;
use crate::config::Topology;
use crate::journal::{Journal, JournalError};
use crate::model::{
    AccountId, Check, Event, Exit, FunctionName, PipelineName, Region, RunMark, Snapshot, StepOutcome,
    Timestamp,
};
use crate::plan::{Consent, OnFailure, Plan, PlannedStep, Stage};
use crate::steps::Needs;
use crate::ui::{Prompter, StagePrompt, Ui};
use confirm::Confirmed;
use consequences::consequences;
use ending::{ending, next_command};
use owing::{Owing, Switch};
use silence::Silence;
use since::SeenSince;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Why a run stops before its end.
#[derive(Debug)]
pub(crate) enum Halt {
    /// Ctrl-C or SIGTERM, between calls.
    Interrupted,
    /// The operator said no.
    Declined,
    /// The operator turned the run into an emergency, for this reason.
    Turned(String),
    /// Another run is under way on the same streams.
    Taken(String),
    /// The journal cannot be written: nothing more may be sent.
    Journal(JournalError),
    /// The terminal cannot be read.
    Terminal(std::io::Error),
    /// AWS takes the credentials nowhere any more.
    Credentials(String),
}

impl Halt {
    /// A question that got no answer.
    fn of_terminal(error: std::io::Error) -> Halt {
        match error.kind() {
            std::io::ErrorKind::Interrupted => Halt::Interrupted,
            _ => Halt::Terminal(error),
        }
    }
}

impl From<JournalError> for Halt {
    fn from(error: JournalError) -> Halt {
        Halt::Journal(error)
    }
}

/// What an earlier process of this run has done.
#[derive(Debug, Default, Clone)]
pub struct Earlier {
    /// When the run began; `None` when it begins now.
    pub began: Option<Timestamp>,
    /// How long recovery took, where it is over: what is settled later is none.
    pub recovered: Option<Duration>,
    /// Steps that the operator skipped, with the reasons; they stay skipped.
    pub skipped: BTreeMap<(usize, usize), String>,
    /// Why a planned run goes on as an emergency.
    pub turned: Option<String>,
    /// Only these steps, when what is owed is settled.
    pub only: Option<BTreeSet<(usize, usize)>>,
    /// What the run marks say is owed and no step of the plan stands for: it stays owed.
    pub beyond: Vec<(PipelineName, String)>,
    /// The producers' variables when the plan was made.
    pub environments: Environments,
    /// Calls that AWS accepted before, without the run mark.
    pub changes: usize,
    /// The plan puts back what the run has changed.
    pub undoing: bool,
}

/// How [`Engine::run`] ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The run stopped, or is done.
    Over(Exit),
    /// The operator turned it into an emergency: it goes on with another plan.
    Turned,
}

/// Runs plans.
pub struct Engine<'a> {
    aws: &'a Aws,
    topology: &'a Topology,
    journal: RefCell<&'a mut Journal>,
    ui: Ui,
    prompter: &'a RefCell<Prompter>,
    interrupt: Interrupt,
    silence: Silence,
    environments: RefCell<Environments>,
    seen: RefCell<SeenSince>,
    /// Producers that are switched although somebody else changed their keys.
    accepted: RefCell<BTreeSet<(Region, FunctionName)>>,
    is_undoing: Cell<bool>,
    /// The marks that are put back.
    set_back: RefCell<Vec<(PipelineName, RunMark)>>,
    /// Calls that AWS accepted in this run, without the run mark.
    changes: Cell<usize>,
}

/// What is true of the run so far.
#[derive(Debug, Default)]
struct Tally {
    failed: BTreeSet<PipelineName>,
    timed_out: BTreeSet<PipelineName>,
    owed: Vec<Owing>,
    locked: BTreeSet<PipelineName>,
    recovered_at: Option<Timestamp>,
}

impl Tally {
    fn owed_in_words(&self) -> Vec<String> {
        self.owed.iter().map(|owing| owing.words.clone()).collect()
    }

    fn out(&self) -> BTreeSet<PipelineName> {
        self.failed.union(&self.timed_out).cloned().collect()
    }

    /// The pipelines whose producers still write into the Region that is left, or may.
    fn not_switched(&self) -> BTreeSet<PipelineName> {
        self.owed.iter().filter(|owing| owing.switch.is_some()).map(|owing| owing.pipeline.clone()).collect()
    }

    /// Those of which one is known to.
    fn seen_unswitched(&self) -> BTreeSet<PipelineName> {
        let is_due = |owing: &&Owing| owing.switch == Some(Switch::Due);
        self.owed.iter().filter(is_due).map(|owing| owing.pipeline.clone()).collect()
    }
}

impl<'a> Engine<'a> {
    /// An engine for one run.
    pub fn new(
        aws: &'a Aws,
        topology: &'a Topology,
        journal: &'a mut Journal,
        ui: Ui,
        prompter: &'a RefCell<Prompter>,
        interrupt: Interrupt,
    ) -> Engine<'a> {
        Engine {
            aws,
            topology,
            journal: RefCell::new(journal),
            ui,
            prompter,
            interrupt,
            silence: Silence::default(),
            environments: RefCell::default(),
            seen: RefCell::default(),
            accepted: RefCell::default(),
            is_undoing: Cell::new(false),
            set_back: RefCell::default(),
            changes: Cell::new(0),
        }
    }

    fn now(&self) -> Timestamp {
        self.aws.clock().now()
    }

    /// Tells the operator; the journal does not need it.
    fn tell(&self, event: &Event) {
        self.ui.event(event, self.now());
    }

    /// Writes an event down.
    fn write_down(&self, event: &Event) -> Result<(), Halt> {
        Ok(self.journal.borrow_mut().append(self.now(), event)?)
    }

    /// Writes an event down, then tells the operator.
    fn emit(&self, event: Event) -> Result<(), Halt> {
        if event.is_change() {
            self.changes.set(self.changes.get() + 1);
        }
        self.write_down(&event)?;
        self.tell(&event);
        Ok(())
    }

    fn finished(
        &self,
        number: usize,
        index: usize,
        planned: &PlannedStep,
        outcome: StepOutcome,
    ) -> Result<(), Halt> {
        self.emit(Event::StepFinished {
            pipeline: planned.pipeline.clone(),
            step: planned.step.slug().to_owned(),
            summary: planned.step.summary(),
            region: planned.step.region().clone(),
            number,
            index,
            outcome,
        })
    }

    fn stop_if_interrupted(&self) -> Result<(), Halt> {
        if self.interrupt.is_raised() { Err(Halt::Interrupted) } else { Ok(()) }
    }

    async fn pause(&self, length: Duration) -> Result<(), Halt> {
        tokio::select! {
            () = tokio::time::sleep(length) => Ok(()),
            () = self.interrupt.raised() => Err(Halt::Interrupted),
        }
    }

    /// How far back the metrics are read during a wait: beyond anything that a check looks at.
    fn wait_window(&self, needs: Needs) -> Duration {
        let (timing, probed) = (&self.topology.timing, needs.probe.map(|probe| probe.look_back));
        let usual = probed.unwrap_or_default() + timing.fresh + timing.metric_period * 15;
        usual.max(needs.history + timing.metric_period)
    }

    /// Runs a plan to its end, or to where it stops. The journal has the plan already.
    pub async fn run(&self, plan: &Plan, earlier: &Earlier) -> Ended {
        *self.environments.borrow_mut() = earlier.environments.clone();
        self.is_undoing.set(earlier.undoing);
        *self.set_back.borrow_mut() = if earlier.undoing { guard::marks_of(plan) } else { Vec::new() };
        self.changes.set(earlier.changes);
        let began = earlier.began.unwrap_or_else(|| self.now());
        let beyond = earlier.beyond.iter().map(|(pipeline, code)| Owing::beyond(pipeline, code));
        let mut tally = Tally { owed: beyond.collect(), ..Tally::default() };
        let mut halt = self.stages(plan, earlier, began, &mut tally).await.err();
        if let Some(Halt::Turned(reason)) = &halt {
            match self.emit(Event::TurnedToEmergency { reason: reason.clone() }) {
                Ok(()) => return Ended::Turned,
                Err(error) => halt = Some(error),
            }
        }
        let (exit, summary) = ending(&halt, plan, &tally, self.changes.get(), earlier.undoing);
        if let Some(Halt::Journal(error)) = &halt {
            let text = format!("nothing more was sent: the journal cannot be written ({error})");
            self.tell(&Event::Note { text });
        }
        if earlier.undoing && exit == Exit::Done {
            let event = Event::Undone;
            if let Err(Halt::Journal(error)) = self.emit(event) {
                self.tell(&Event::Note { text: format!("the journal cannot be written: {error}") });
            }
        }
        let recovered = tally.recovered_at.filter(|_| matches!(exit, Exit::Done | Exit::Owed));
        let took = |at: Timestamp| Duration::try_from(at.duration_since(began)).ok();
        let event = Event::RunFinished {
            exit,
            summary,
            recovery: earlier.recovered.or(recovered.and_then(took)),
            owed: tally.owed_in_words(),
            consequences: if earlier.undoing { Vec::new() } else { consequences(plan, &tally, exit) },
            next: next_command(&halt, exit, plan, earlier),
        };
        if self.journal.borrow_mut().append(self.now(), &event).is_err() {
            let text =
                "the end of the run could not be written to the journal; the next command looks at AWS"
                    .to_owned();
            self.tell(&Event::Note { text });
        }
        self.tell(&event);
        Ended::Over(exit)
    }

    async fn stages(
        &self,
        plan: &Plan,
        earlier: &Earlier,
        began: Timestamp,
        tally: &mut Tally,
    ) -> Result<(), Halt> {
        self.emit(Event::RunStarted {
            run: plan.run.clone(),
            title: plan.intent.to_string(),
            resumed: earlier.began.is_some(),
            pipelines: plan.pipelines.clone(),
            stages: plan.stages.iter().map(|s| s.title.clone()).collect(),
            objective: Some(began + plan.rto),
        })?;
        if let Some(reason) = &earlier.turned {
            self.emit(Event::TurnedToEmergency { reason: reason.clone() })?;
        }
        for (number, stage) in plan.stages.iter().enumerate().map(|(i, s)| (i + 1, s)) {
            self.stop_if_interrupted()?;
            Box::pin(self.one_stage(plan, number, stage, earlier, tally)).await?;
            if plan.pipelines.iter().all(|name| tally.out().contains(name)) {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn one_stage(
        &self,
        plan: &Plan,
        number: usize,
        stage: &Stage,
        earlier: &Earlier,
        tally: &mut Tally,
    ) -> Result<(), Halt> {
        let leaving = owing::leaving_owed(stage, tally);
        let stage = leaving.as_ref().unwrap_or(stage);
        let mut work = self.work(stage, &tally.out());
        work.retain(|one| earlier.only.as_ref().is_none_or(|only| only.contains(&(number, one.index()))));
        if work.is_empty() {
            return Ok(());
        }
        self.emit(Event::StageStarted {
            number,
            of: plan.stages.len(),
            title: stage.title.clone(),
            is_point_of_no_return: stage.is_point_of_no_return,
        })?;
        if let Some(reason) = earlier.skipped.get(&(number, work[0].index())) {
            return self.skip(number, &work, reason);
        }
        if stage.on_failure == OnFailure::Owe && !tally.owed.is_empty() && !work.iter().any(has_effects) {
            return self.owe(number, &work, tally);
        }
        let snapshot = self.look_unless_interrupted(&work).await.ok_or(Halt::Interrupted)?;
        self.stop_if_taken(stage, &snapshot)?;
        let is_done =
            |one: &stage::Work<'_>| matches!(stage::check(one.planned(), &snapshot), Check::Done(_));
        let prompt = (stage.consent == Consent::Ask && !work.iter().all(is_done))
            .then(|| self.question(plan, number, &snapshot))
            .flatten();
        self.stop_if_interrupted()?;
        let asked = prompt.is_some();
        let confirmed = confirm::confirm(&mut self.prompter.borrow_mut(), prompt).map_err(Halt::Terminal)?;
        let permit = match confirmed {
            Confirmed::Yes(permit) => permit,
            Confirmed::No => return Err(Halt::Declined),
            Confirmed::Interrupted => return Err(Halt::Interrupted),
            Confirmed::Skip(reason) => return self.skip(number, &work, &reason),
            Confirmed::Emergency(reason) => return Err(Halt::Turned(reason)),
        };
        // The world may have changed while the operator was thinking.
        let snapshot = match asked && self.prompter.borrow().is_operator() {
            true => self.look_unless_interrupted(&work).await.ok_or(Halt::Interrupted)?,
            false => snapshot,
        };
        self.stop_if_taken(stage, &snapshot)?;
        if asked {
            let by = self.prompter.borrow().by().to_owned();
            self.emit(Event::StageConfirmed { number, by })?;
        }
        let end = self.work_off(plan, number, stage, work, snapshot, &permit).await?;
        tally.failed.extend(end.failed.clone());
        tally.timed_out.extend(end.timed_out.clone());
        tally.owed.extend(end.owed);
        tally.locked.extend(end.locked);
        if is_recovery(plan, stage) && tally.out().is_empty() {
            tally.recovered_at = Some(self.now());
        }
        self.emit(Event::StageFinished { number })
    }

    fn question(&self, plan: &Plan, number: usize, snapshot: &Snapshot) -> Option<StagePrompt> {
        let prompt = StagePrompt::of_plan(plan, number, self.account(snapshot), self.now())?;
        let prompt = prompt.seen(plan, snapshot);
        Some(StagePrompt { emergency: self.may_turn(plan).cloned(), ..prompt })
    }

    /// The Region to be typed for an emergency, where a turn is legal.
    fn may_turn<'p>(&self, plan: &'p Plan) -> Option<&'p Region> {
        plan.may_turn().filter(|_| !self.is_undoing.get())
    }

    fn account<'s>(&self, snapshot: &'s Snapshot) -> Option<&'s AccountId> {
        snapshot.identity.known().map(|identity| &identity.account)
    }

    fn skip(&self, number: usize, work: &[stage::Work<'_>], reason: &str) -> Result<(), Halt> {
        for one in work {
            let outcome = StepOutcome::Skipped { reason: reason.to_owned() };
            self.finished(number, one.index(), one.planned(), outcome)?;
        }
        self.emit(Event::StageFinished { number })
    }

    /// A stage that only looks cannot end well while something before it is owed: it is owed with it.
    fn owe(&self, number: usize, work: &[stage::Work<'_>], tally: &mut Tally) -> Result<(), Halt> {
        for one in work {
            let reason = "after what is owed before it".to_owned();
            tally.owed.push(Owing::new(one.planned(), &reason, Switch::Due));
            self.finished(number, one.index(), one.planned(), StepOutcome::Owed { reason })?;
        }
        self.emit(Event::StageFinished { number })
    }
}

fn has_effects(one: &stage::Work<'_>) -> bool {
    !one.planned().step.effects().is_empty()
}

/// Whether the target Region does its work once this stage is over.
fn is_recovery(plan: &Plan, stage: &Stage) -> bool {
    let to = plan.intent.to();
    stage.steps.iter().any(|planned| match &planned.step {
        crate::steps::AnyStep::SwitchProducer(_) => true,
        crate::steps::AnyStep::StartMapping(start) => start.reader.region == *to,
        _ => false,
    })
}
