//! One stage: look, send what is ready, look again, until every step's check says done.

use super::owing::{Owing, Switch};
use super::waits::Patience;
use super::{Engine, Halt};
use crate::aws::{Probe, Scope, Sides as AwsSides};
use crate::model::{
    Check, Event, Permit, PipelineName, Progress, RunState, Sent, Side, Snapshot, StepOutcome, Timestamp,
};
use crate::plan::{OnFailure, Plan, PlannedStep, Stage, assess};
use crate::steps::{AnyStep, Needs, Seen, Sides};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often a step's effects are sent at the most: a lost answer is looked for first.
pub(super) const MOST_SENDS: u32 = 4;

/// How long a call that was accepted may take to be seen before it is sent again.
const VISIBLE_WITHIN: Duration = Duration::from_secs(60);

/// A step of the stage that is not over yet.
pub(super) struct Work<'a> {
    index: usize,
    planned: &'a PlannedStep,
    sends: Cell<u32>,
    sent_at: Cell<Option<Timestamp>>,
    noted_at: Cell<Option<Timestamp>>,
    fate: Cell<Fate>,
}

/// What became of a step's last send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nothing was sent, or it is known.
    Known,
    /// AWS accepted it, and no look has shown it yet.
    Accepted,
    /// It may have taken effect.
    Unknown,
}

/// How often a wait is written down: often enough for a post-mortem's curves, without a line a look.
const NOTED_EVERY: Duration = Duration::from_secs(15);

impl<'a> Work<'a> {
    pub(super) fn index(&self) -> usize {
        self.index
    }
    pub(super) fn planned(&self) -> &'a PlannedStep {
        self.planned
    }
    /// How often its effects were sent.
    pub(super) fn sends(&self) -> u32 {
        self.sends.get()
    }
    pub(super) fn count_send(&self) {
        self.sends.set(self.sends.get() + 1);
    }
    /// All of them were accepted.
    pub(super) fn was_sent(&self, at: Timestamp) {
        self.sent_at.set(Some(at));
        self.fate.set(Fate::Accepted);
    }
    /// One of them failed.
    pub(super) fn was_answered(&self, sent: Sent) {
        let fate = match sent {
            Sent::Unknown => Fate::Unknown,
            Sent::No | Sent::Refused => Fate::Known,
        };
        self.fate.set(fate);
    }
    /// A look has shown what became of it.
    fn was_seen(&self) {
        self.fate.set(Fate::Known);
    }
    fn is_switch(&self) -> bool {
        matches!(self.planned.step, AnyStep::SwitchProducer(_))
    }
}

/// How a stage ended, by step outcome.
#[derive(Debug, Default)]
pub(super) struct StageEnd {
    pub(super) failed: BTreeSet<PipelineName>,
    pub(super) timed_out: BTreeSet<PipelineName>,
    pub(super) owed: Vec<Owing>,
    /// Another run marked these first: nothing was changed.
    pub(super) locked: BTreeSet<PipelineName>,
}

/// Whether a step claims a pipeline for its run.
pub(super) fn is_claim(one: &Work<'_>) -> bool {
    matches!(&one.planned.step, AnyStep::MarkRun(step) if step.mark.state == RunState::Open)
}

impl<'a> Engine<'a> {
    /// The steps of a stage for the pipelines that are still in the run.
    pub(super) fn work<'s>(&self, stage: &'s Stage, out: &BTreeSet<PipelineName>) -> Vec<Work<'s>> {
        let steps = stage.steps.iter().enumerate().filter(|(_, planned)| !out.contains(&planned.pipeline));
        steps
            .map(|(index, planned)| Work {
                index,
                planned,
                sends: Cell::new(0),
                sent_at: Cell::new(None),
                noted_at: Cell::new(None),
                fate: Cell::new(Fate::Known),
            })
            .collect()
    }

    /// Looks at what the steps need.
    async fn look(&self, work: &[Work<'_>]) -> Snapshot {
        let mut needs = work.iter().map(|w| w.planned.step.needs()).reduce(Needs::and);
        if work.iter().any(|w| !w.planned.step.effects().is_empty()) {
            // Before anything is changed the run mark is read again: another run may have taken the streams.
            needs = needs.map(|needs| needs.and(Needs::side(Side::Standby)));
        }
        let names: BTreeSet<PipelineName> = work.iter().map(|w| w.planned.pipeline.clone()).collect();
        let names: Vec<PipelineName> = names.into_iter().collect();
        let scope = match needs {
            Some(needs) => {
                Scope { marks: work.iter().any(|one| self.needs_mark(one)), ..self.scope(needs).of(&names) }
            }
            None => Scope::status(),
        };
        // Boxed: the future of a look is large, and it is awaited from deep within.
        self.date_producers(Box::pin(self.aws.observe(self.topology, &scope)).await)
    }

    /// A wait looks at the Regions that it needs, and at no other.
    fn scope(&self, needs: Needs) -> Scope {
        let sides = |sides: Sides| match sides {
            Sides::One(side) => AwsSides::Only(side),
            Sides::Both => AwsSides::Both,
        };
        let probe =
            needs.probe.map(|probe| Probe { sides: AwsSides::Only(probe.side), look_back: probe.look_back });
        let mut scope = Scope::wait(probe).on(sides(needs.sides));
        scope.sink = needs.sink;
        scope.metrics_window = self.wait_window(needs);
        scope
    }

    /// Runs the steps until all of them are over. `snapshot` is the look that found work to do.
    pub(super) async fn work_off(
        &self,
        plan: &Plan,
        number: usize,
        stage: &Stage,
        mut work: Vec<Work<'_>>,
        mut snapshot: Snapshot,
        permit: &Permit,
    ) -> Result<StageEnd, Halt> {
        let began = self.now();
        let mut deadline = began + stage.timeout;
        let mut end = StageEnd::default();
        loop {
            if let Some(why) = snapshot.refused_credentials().filter(|_| stage.on_failure == OnFailure::Stop)
            {
                return Err(Halt::Credentials(why.to_owned()));
            }
            let ready = self.sort(number, stage, &mut work, &snapshot, &mut end)?;
            if work.is_empty() {
                return Ok(end);
            }
            if ready.is_empty() {
                self.interrupted_wait(plan, stage, &work, &snapshot, deadline)?;
                if self.now() >= deadline {
                    match self.out_of_patience(plan, stage, &work, &snapshot)? {
                        Patience::Until(later) => deadline = later,
                        Patience::Over => {
                            self.out_of_time(number, stage, &mut work, &snapshot, &mut end)?;
                            return Ok(end);
                        }
                    }
                }
                self.waiting(stage, &work, &snapshot, began, deadline)?;
                self.breathe().await;
            } else {
                self.stop_if_interrupted()?;
                let refused = self.refuse_changed(stage, &work, &ready, &snapshot)?;
                self.settle(number, &mut work, refused, &mut end)?;
                let ready: Vec<&Work<'_>> = work.iter().filter(|one| ready.contains(&one.index)).collect();
                let over = self.send(stage, &ready, permit).await?;
                self.settle(number, &mut work, over, &mut end)?;
            }
            if work.is_empty() {
                return Ok(end);
            }
            if let Some(seen) = self.look_unless_interrupted(&work).await {
                self.stop_if_taken(stage, &seen)?;
                snapshot = seen;
            }
        }
    }

    /// Between two looks. An interrupt ends it, and is dealt with where the wait is.
    async fn breathe(&self) {
        tokio::select! {
            () = tokio::time::sleep(self.topology.timing.between_looks()) => {}
            () = self.interrupt.raised() => {}
        }
    }

    /// A look that an interrupt ends: it changes nothing, so it may be left at any point.
    pub(super) async fn look_unless_interrupted(&self, work: &[Work<'_>]) -> Option<Snapshot> {
        self.interrupt.or(self.look(work)).await
    }

    /// Ends the steps whose check says done or blocked; returns the indexes of those that may be sent now.
    fn sort(
        &self,
        number: usize,
        stage: &Stage,
        work: &mut Vec<Work<'_>>,
        snapshot: &Snapshot,
        end: &mut StageEnd,
    ) -> Result<Vec<usize>, Halt> {
        let mut over = Vec::new();
        let mut ready = Vec::new();
        for one in work.iter() {
            let check = self.check(stage, one, snapshot);
            if !matches!(check, Check::NotYet(_)) {
                one.was_seen();
            }
            match check {
                Check::Done(evidence) if one.sends.get() > 0 => {
                    over.push((one.index, StepOutcome::Applied { evidence }));
                }
                Check::Done(evidence) if one.planned.step.effects().is_empty() => {
                    over.push((one.index, StepOutcome::Applied { evidence }));
                }
                Check::Done(evidence) => over.push((one.index, StepOutcome::AlreadyDone { evidence })),
                Check::Blocked(reason) => {
                    if is_claim(one) {
                        end.locked.insert(one.planned.pipeline.clone());
                    }
                    over.push((one.index, failed(stage, reason)));
                }
                Check::Ready if self.may_send(one) => ready.push(one.index),
                Check::Ready => {}
                // The failing Region may not let itself be looked at: it is asked once all the same.
                Check::NotYet(_) if stage.on_failure == OnFailure::Owe && one.sends.get() == 0 => {
                    if !one.planned.step.effects().is_empty() {
                        ready.push(one.index);
                    }
                }
                // Nobody can say what became of it, and nobody will soon.
                Check::NotYet(_) if is_beyond_reach(stage, one, snapshot) => {
                    let reason = format!("{} does not answer", one.planned.step.region());
                    over.push((one.index, unseen(one, &reason)));
                }
                Check::NotYet(_) => {}
            }
        }
        self.settle(number, work, over, end)?;
        Ok(ready)
    }

    /// A step's check. What is ready is sent only while the standby says that this run holds its stream.
    pub(super) fn check(&self, stage: &Stage, one: &Work<'_>, snapshot: &Snapshot) -> Check {
        match check(one.planned, snapshot) {
            Check::Ready if self.may_send(one) => {
                self.unheld(stage, one, snapshot).map_or(Check::Ready, Check::NotYet)
            }
            check => check,
        }
    }

    fn may_send(&self, one: &Work<'_>) -> bool {
        match one.sent_at.get() {
            None => one.sends.get() < MOST_SENDS,
            Some(at) => self.now() >= at + VISIBLE_WITHIN && one.sends.get() < MOST_SENDS,
        }
    }

    /// Whether the run mark matters to the next look: the step is the mark, or may send something after it.
    fn needs_mark(&self, one: &Work<'_>) -> bool {
        let step = &one.planned.step;
        matches!(step, AnyStep::MarkRun(_)) || (!step.effects().is_empty() && self.may_send(one))
    }

    /// Takes steps that are over out of the work, and tells.
    fn settle(
        &self,
        number: usize,
        work: &mut Vec<Work<'_>>,
        over: Vec<(usize, StepOutcome)>,
        end: &mut StageEnd,
    ) -> Result<(), Halt> {
        for (index, outcome) in over {
            let Some(place) = work.iter().position(|one| one.index == index) else { continue };
            let one = work.remove(place);
            match &outcome {
                StepOutcome::Failed { .. } => {
                    end.failed.insert(one.planned.pipeline.clone());
                }
                StepOutcome::TimedOut { .. } => {
                    end.timed_out.insert(one.planned.pipeline.clone());
                }
                StepOutcome::Owed { reason } => {
                    let switch = match one.fate.get() {
                        Fate::Known => Switch::Due,
                        Fate::Accepted | Fate::Unknown => Switch::Unseen,
                    };
                    end.owed.push(Owing::new(one.planned, reason, switch));
                }
                StepOutcome::Applied { .. }
                | StepOutcome::AlreadyDone { .. }
                | StepOutcome::Skipped { .. } => {}
            }
            self.finished(number, index, one.planned, outcome)?;
        }
        Ok(())
    }

    fn out_of_time(
        &self,
        number: usize,
        stage: &Stage,
        work: &mut Vec<Work<'_>>,
        snapshot: &Snapshot,
        end: &mut StageEnd,
    ) -> Result<(), Halt> {
        let outcome = |one: &Work<'_>| {
            let reason = match self.check(stage, one, snapshot) {
                Check::NotYet(progress) => {
                    let reason = format!("waited for {}: {}", progress.waiting_for, progress.because);
                    match (stage.on_failure, one.fate.get()) {
                        (OnFailure::Owe, Fate::Unknown) => return unseen(one, &reason),
                        (OnFailure::Owe, Fate::Accepted) if one.is_switch() => return unseen(one, &reason),
                        _ => reason,
                    }
                }
                Check::Ready => "the call was accepted and its effect did not show".to_owned(),
                Check::Done(text) | Check::Blocked(text) => text,
            };
            match stage.on_failure {
                OnFailure::Owe => StepOutcome::Owed { reason },
                OnFailure::Stop => StepOutcome::TimedOut { reason },
            }
        };
        let over = work.iter().map(|one| (one.index, outcome(one))).collect();
        let elsewhere = work
            .iter()
            .filter_map(|one| Some((one.planned.pipeline.clone(), writes_elsewhere(one.planned, snapshot)?)));
        let elsewhere: BTreeMap<PipelineName, Switch> = elsewhere.collect();
        self.settle(number, work, over, end)?;
        for owing in &mut end.owed {
            owing.switch = elsewhere.get(&owing.pipeline).copied().or(owing.switch);
        }
        Ok(())
    }

    fn waiting(
        &self,
        stage: &Stage,
        work: &[Work<'_>],
        snapshot: &Snapshot,
        began: Timestamp,
        deadline: Timestamp,
    ) -> Result<(), Halt> {
        for one in work {
            let progress = match self.check(stage, one, snapshot) {
                Check::NotYet(progress) => progress,
                _ => {
                    Progress::new(one.planned.step.summary(), "the call was accepted and is not visible yet")
                }
            };
            let waited = Duration::try_from(self.now().duration_since(began)).unwrap_or_default();
            let event = Event::Waiting {
                pipeline: one.planned.pipeline.clone(),
                step: one.planned.step.slug().to_owned(),
                summary: one.planned.step.summary(),
                progress,
                waited,
                deadline,
            };
            match one.noted_at.get() {
                Some(at) if self.now() < at + NOTED_EVERY => self.tell(&event),
                _ => {
                    one.noted_at.set(Some(self.now()));
                    self.emit(event)?;
                }
            }
        }
        Ok(())
    }
}

/// What a step that may have taken effect is owed as.
pub(super) fn unseen(one: &Work<'_>, reason: &str) -> StepOutcome {
    let what = if one.is_switch() { "it may have been switched" } else { "it may have taken effect" };
    StepOutcome::Owed { reason: format!("{what}: not seen ({reason})") }
}

/// Whether an emergency would look in vain for what became of a step.
fn is_beyond_reach(stage: &Stage, one: &Work<'_>, snapshot: &Snapshot) -> bool {
    let is_unknown = one.fate.get() == Fate::Unknown;
    stage.on_failure == OnFailure::Owe && is_unknown && assess::is_silent(snapshot, one.planned.step.region())
}

pub(super) fn failed(stage: &Stage, reason: String) -> StepOutcome {
    match stage.on_failure {
        OnFailure::Owe => StepOutcome::Owed { reason },
        OnFailure::Stop => StepOutcome::Failed { reason },
    }
}

/// What a verification says of producers that are not all seen to write to the active Region: somebody may have set
/// them back.
fn writes_elsewhere(planned: &PlannedStep, snapshot: &Snapshot) -> Option<Switch> {
    let AnyStep::VerifyResult(step) = &planned.step else { return None };
    let seen = Seen { pipeline: snapshot.pipelines.get(&planned.pipeline)?, at: snapshot.taken_at };
    match (step.has_all_producers(seen), step.sees_one_elsewhere(seen)) {
        (true, _) => None,
        (false, true) => Some(Switch::Due),
        (false, false) => Some(Switch::Unseen),
    }
}

/// A step's check on a snapshot.
pub(super) fn check(planned: &PlannedStep, snapshot: &Snapshot) -> Check {
    match snapshot.pipelines.get(&planned.pipeline) {
        Some(pipeline) => planned.step.check(Seen { pipeline, at: snapshot.taken_at }),
        None => Check::NotYet(Progress::new("a look at the pipeline", "it was not in the snapshot")),
    }
}
