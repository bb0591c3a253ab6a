//! One stage: look, send what is ready, look again, until every step's check says done.

use super::owing::{Owing, leaves_owed};
use super::waits::Patience;
use super::{Engine, Halt};
use crate::aws::{Probe, Scope, Sides as AwsSides};
use crate::model::{
    AwsFailure, Check, Event, FailureKind, Permit, PipelineName, Progress, Region, Sent, Side, Snapshot,
    StepOutcome, Timestamp,
};
use crate::plan::{OnFailure, Plan, PlannedStep, Stage};
use crate::steps::{Needs, Seen, Sides};
use futures_util::future::join_all;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often a step's effects are sent at the most: a lost answer is looked for first.
const MOST_SENDS: u32 = 4;

/// How long a call that was accepted may take to be seen before it is sent again.
const VISIBLE_WITHIN: Duration = Duration::from_secs(60);

/// A step of the stage that is not over yet.
pub(super) struct Work<'a> {
    index: usize,
    planned: &'a PlannedStep,
    sends: Cell<u32>,
    sent_at: Cell<Option<Timestamp>>,
}

impl<'a> Work<'a> {
    pub(super) fn index(&self) -> usize {
        self.index
    }
    pub(super) fn planned(&self) -> &'a PlannedStep {
        self.planned
    }
}

/// How a stage ended, by step outcome.
#[derive(Debug, Default)]
pub(super) struct StageEnd {
    pub(super) failed: BTreeSet<PipelineName>,
    pub(super) timed_out: BTreeSet<PipelineName>,
    pub(super) owed: Vec<Owing>,
}

/// A failed call that may succeed, or may have succeeded, by itself.
fn is_passing(kind: FailureKind) -> bool {
    use FailureKind::{Service, Throttled, TimedOut, Unreachable, Unreadable};
    matches!(kind, Service | Throttled | TimedOut | Unreachable | Unreadable)
}

impl<'a> Engine<'a> {
    /// The steps of a stage for the pipelines that are still in the run.
    pub(super) fn work<'s>(&self, stage: &'s Stage, out: &BTreeSet<PipelineName>) -> Vec<Work<'s>> {
        let steps = stage.steps.iter().enumerate().filter(|(_, planned)| !out.contains(&planned.pipeline));
        steps
            .map(|(index, planned)| Work { index, planned, sends: Cell::new(0), sent_at: Cell::new(None) })
            .collect()
    }

    /// Looks at what the steps need.
    pub(super) async fn look(&self, work: &[Work<'_>]) -> Snapshot {
        let mut needs = work.iter().map(|w| w.planned.step.needs()).reduce(Needs::and);
        if work.iter().any(|w| !w.planned.step.effects().is_empty()) {
            // Before anything is changed the run mark is read again: another run may have taken the streams.
            needs = needs.map(|needs| needs.and(Needs::side(Side::Standby)));
        }
        let names: BTreeSet<PipelineName> = work.iter().map(|w| w.planned.pipeline.clone()).collect();
        let names: Vec<PipelineName> = names.into_iter().collect();
        let scope = match needs {
            Some(needs) => self.scope(needs).of(&names),
            None => Scope::status(),
        };
        // Boxed: the future of a look is large, and it is awaited from deep within.
        Box::pin(self.aws.observe(self.topology, &scope)).await
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
        scope.metrics_window = self.wait_window(needs.probe.map(|probe| probe.look_back));
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
                self.waiting(&work, &snapshot, began, deadline)?;
                self.breathe().await;
            } else {
                self.stop_if_interrupted()?;
                let ready: Vec<&Work<'_>> = work.iter().filter(|one| ready.contains(&one.index)).collect();
                self.stop_if_changed(&ready, &snapshot)?;
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
            () = tokio::time::sleep(self.topology.timing.poll) => {}
            () = self.interrupt.raised() => {}
        }
    }

    /// A look that an interrupt ends: it changes nothing, so it may be left at any point.
    async fn look_unless_interrupted(&self, work: &[Work<'_>]) -> Option<Snapshot> {
        tokio::select! {
            snapshot = self.look(work) => Some(snapshot),
            () = self.interrupt.raised() => None,
        }
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
            match check(one.planned, snapshot) {
                Check::Done(_) if leaves_owed(&one.planned.step) => {
                    let reason = "closed once what is owed is settled".to_owned();
                    over.push((one.index, StepOutcome::Owed { reason }));
                }
                Check::Done(evidence) if one.sends.get() > 0 => {
                    over.push((one.index, StepOutcome::Applied { evidence }));
                }
                Check::Done(evidence) if one.planned.step.effects().is_empty() => {
                    over.push((one.index, StepOutcome::Applied { evidence }));
                }
                Check::Done(evidence) => over.push((one.index, StepOutcome::AlreadyDone { evidence })),
                Check::Blocked(reason) => over.push((one.index, failed(stage, reason))),
                Check::Ready if self.may_send(one) => ready.push(one.index),
                Check::Ready => {}
                // The failing Region may not let itself be looked at: it is asked once all the same.
                Check::NotYet(_) if stage.on_failure == OnFailure::Owe && one.sends.get() == 0 => {
                    if !one.planned.step.effects().is_empty() {
                        ready.push(one.index);
                    }
                }
                Check::NotYet(_) => {}
            }
        }
        self.settle(number, work, over, end)?;
        Ok(ready)
    }

    fn may_send(&self, one: &Work<'_>) -> bool {
        match one.sent_at.get() {
            None => one.sends.get() < MOST_SENDS,
            Some(at) => self.now() >= at + VISIBLE_WITHIN && one.sends.get() < MOST_SENDS,
        }
    }

    /// Sends the effects of the ready steps: in order within a pipeline, pipelines side by side.
    async fn send(
        &self,
        stage: &Stage,
        ready: &[&Work<'_>],
        permit: &Permit,
    ) -> Result<Vec<(usize, StepOutcome)>, Halt> {
        if stage.on_failure == OnFailure::Owe {
            return self.send_owing(stage, ready, permit).await;
        }
        let mut groups: Vec<Vec<&Work<'_>>> = Vec::new();
        for one in ready {
            match groups.iter_mut().find(|g| g[0].planned.pipeline == one.planned.pipeline) {
                Some(group) => group.push(one),
                None => groups.push(vec![one]),
            }
        }
        let sent = join_all(groups.into_iter().map(|group| self.send_in_order(stage, group, permit))).await;
        let mut over = Vec::new();
        for result in sent {
            over.extend(result?);
        }
        Ok(over)
    }

    /// What is owed on failure is asked side by side, since one silent call must not delay the next: a few at
    /// first, all once the Region was heard, none any more once it counts as silent.
    async fn send_owing(
        &self,
        stage: &Stage,
        ready: &[&Work<'_>],
        permit: &Permit,
    ) -> Result<Vec<(usize, StepOutcome)>, Halt> {
        let regions: BTreeSet<&Region> = ready.iter().map(|one| one.planned.step.region()).collect();
        let of = |region: &Region| -> Vec<&Work<'_>> {
            ready.iter().filter(|one| one.planned.step.region() == region).copied().collect()
        };
        let sent = regions.into_iter().map(|region| self.send_waves(stage, region, of(region), permit));
        let mut over = Vec::new();
        for result in join_all(sent).await {
            over.extend(result?);
        }
        Ok(over)
    }

    async fn send_waves(
        &self,
        stage: &Stage,
        region: &Region,
        mut rest: Vec<&Work<'_>>,
        permit: &Permit,
    ) -> Result<Vec<(usize, StepOutcome)>, Halt> {
        let mut over = Vec::new();
        while !rest.is_empty() {
            let wave = self.silence.wave(region).min(rest.len());
            if wave == 0 {
                if let Some(text) = self.silence.tell(region, rest.len()) {
                    self.emit(Event::Note { text })?;
                }
                let owed = |one: &Work<'_>| {
                    (one.index, StepOutcome::Owed { reason: format!("{region} does not answer; not asked") })
                };
                over.extend(rest.drain(..).map(owed));
                break;
            }
            let sent = rest.drain(..wave).map(|one| self.send_in_order(stage, vec![one], permit));
            for result in join_all(sent).await {
                over.extend(result?);
            }
        }
        Ok(over)
    }

    async fn send_in_order(
        &self,
        stage: &Stage,
        group: Vec<&Work<'_>>,
        permit: &Permit,
    ) -> Result<Vec<(usize, StepOutcome)>, Halt> {
        let mut over = Vec::new();
        for one in group {
            self.stop_if_interrupted()?;
            match self.send_one(stage, one, permit).await? {
                None => {}
                Some(failure) => match self.after_failure(stage, one, &failure) {
                    None => {
                        // It may pass, or may have taken effect: a pause, then another look.
                        self.pause(self.topology.timing.poll).await?;
                        break;
                    }
                    Some(outcome) => {
                        over.push((one.index, outcome));
                        break;
                    }
                },
            }
        }
        Ok(over)
    }

    /// Sends a step's effects, each written down before and after. The first failure ends it.
    async fn send_one(
        &self,
        stage: &Stage,
        one: &Work<'_>,
        permit: &Permit,
    ) -> Result<Option<AwsFailure>, Halt> {
        let (pipeline, step) = (one.planned.pipeline.clone(), one.planned.step.slug().to_owned());
        one.sends.set(one.sends.get() + 1);
        for effect in one.planned.step.effects() {
            self.stop_if_interrupted()?;
            let started = Event::EffectStarted {
                pipeline: pipeline.clone(),
                step: step.clone(),
                effect: effect.clone(),
            };
            // Where the Region may say nothing at all, a call is told of once it is known that it was sent.
            let is_told = stage.on_failure == OnFailure::Stop;
            self.write_down(&started)?;
            if is_told {
                self.tell(&started);
            }
            let (pipeline, step) = (pipeline.clone(), step.clone());
            let result = Box::pin(self.aws.perform(self.topology, &effect, permit)).await;
            self.silence.note(effect.region(), result.as_ref().err());
            if !is_told && !matches!(&result, Err(failure) if failure.sent == Sent::No) {
                self.tell(&started);
            }
            match result {
                Ok(result) => self.emit(Event::EffectFinished { pipeline, step, effect, result })?,
                Err(failure) => {
                    self.emit(Event::EffectFailed { pipeline, step, effect, failure: failure.clone() })?;
                    return Ok(Some(failure));
                }
            }
        }
        one.sent_at.set(Some(self.now()));
        Ok(None)
    }

    /// What a failed call means: `None` is "look again".
    fn after_failure(&self, stage: &Stage, one: &Work<'_>, failure: &AwsFailure) -> Option<StepOutcome> {
        let passing = is_passing(failure.kind);
        match stage.on_failure {
            OnFailure::Owe => Some(StepOutcome::Owed { reason: failure.to_string() }),
            // Somebody else was faster: what he changed is looked at before it is sent again.
            OnFailure::Stop if failure.kind == FailureKind::Stale && one.sends.get() < MOST_SENDS => None,
            OnFailure::Stop if passing && one.sends.get() < MOST_SENDS => None,
            OnFailure::Stop => Some(StepOutcome::Failed { reason: failure.to_string() }),
        }
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
                StepOutcome::Owed { reason } => end.owed.push(Owing::new(one.planned, reason)),
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
            let reason = match check(one.planned, snapshot) {
                Check::NotYet(progress) => {
                    format!("waited for {}: {}", progress.waiting_for, progress.because)
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
        self.settle(number, work, over, end)
    }

    fn waiting(
        &self,
        work: &[Work<'_>],
        snapshot: &Snapshot,
        began: Timestamp,
        deadline: Timestamp,
    ) -> Result<(), Halt> {
        for one in work {
            let progress = match check(one.planned, snapshot) {
                Check::NotYet(progress) => progress,
                _ => {
                    Progress::new(one.planned.step.summary(), "the call was accepted and is not visible yet")
                }
            };
            let waited = Duration::try_from(self.now().duration_since(began)).unwrap_or_default();
            self.tell(&Event::Waiting {
                pipeline: one.planned.pipeline.clone(),
                step: one.planned.step.slug().to_owned(),
                summary: one.planned.step.summary(),
                progress,
                waited,
                deadline,
            });
        }
        Ok(())
    }
}

fn failed(stage: &Stage, reason: String) -> StepOutcome {
    match stage.on_failure {
        OnFailure::Owe => StepOutcome::Owed { reason },
        OnFailure::Stop => StepOutcome::Failed { reason },
    }
}

/// A step's check on a snapshot.
pub(super) fn check(planned: &PlannedStep, snapshot: &Snapshot) -> Check {
    match snapshot.pipelines.get(&planned.pipeline) {
        Some(pipeline) => planned.step.check(Seen { pipeline, at: snapshot.taken_at }),
        None => Check::NotYet(Progress::new("a look at the pipeline", "it was not in the snapshot")),
    }
}
