//! Sending a stage's effects: written down before and after, side by side where that is safe, and not at all to a
//! Region that does not answer.

use super::stage::{MOST_SENDS, Work, is_claim, unseen};
use super::{Engine, Halt};
use crate::aws::LONGEST_CALL;
use crate::model::{AwsFailure, Effect, Event, FailureKind, Permit, Progress, Region, Sent, StepOutcome};
use crate::plan::{OnFailure, PlannedStep, Stage};
use crate::steps::AnyStep;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;

/// A call that takes longer says so, this often.
const SIGN_EVERY: Duration = Duration::from_secs(10);

/// A failed call that may succeed, or may have succeeded, by itself.
fn is_passing(kind: FailureKind) -> bool {
    use FailureKind::{Service, Throttled, TimedOut, Unreachable, Unreadable};
    matches!(kind, Service | Throttled | TimedOut | Unreachable | Unreadable)
}

/// AWS did nothing and may do it the next time: somebody else's change came first, as another pipeline's of the same
/// function may, or Lambda accepted an update and could not make it.
fn may_be_taken_now(failure: &AwsFailure) -> bool {
    use FailureKind::{Conflict, Service, Stale};
    failure.sent == Sent::Refused && matches!(failure.kind, Conflict | Service | Stale)
}

/// What keeps a reader from pushing on.
fn is_fence(one: &Work<'_>) -> bool {
    matches!(one.planned().step, AnyStep::StopMapping(_))
}

impl Engine<'_> {
    /// Sends the effects of the ready steps: in order within a pipeline, pipelines side by side.
    pub(super) async fn send(
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
            match groups.iter_mut().find(|g| g[0].planned().pipeline == one.planned().pipeline) {
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
        let regions: BTreeSet<&Region> = ready.iter().map(|one| one.planned().step.region()).collect();
        let of = |region: &Region| -> Vec<&Work<'_>> {
            ready.iter().filter(|one| one.planned().step.region() == region).copied().collect()
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
            // Fences are accepted at once, a producer's update takes its time: the first do not wait for the second.
            let alike = rest.iter().take_while(|one| is_fence(one) == is_fence(rest[0])).count();
            let wave = self.silence.wave(region).min(alike);
            if wave == 0 {
                if let Some(text) = self.silence.tell(region, rest.len()) {
                    self.emit(Event::Note { text })?;
                }
                let owed = |one: &Work<'_>| {
                    (
                        one.index(),
                        StepOutcome::Owed { reason: format!("{region} does not answer; not asked") },
                    )
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
                        self.pause(self.topology.timing.between_looks()).await?;
                        break;
                    }
                    Some(outcome) => {
                        over.push((one.index(), outcome));
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
        let (pipeline, step) = (one.planned().pipeline.clone(), one.planned().step.slug().to_owned());
        one.count_send();
        for effect in one.planned().step.effects() {
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
            let call = Box::pin(self.aws.perform(self.topology, &effect, permit, &self.interrupt));
            let result = self.with_signs_of_life(one.planned(), &effect, call).await;
            self.silence.note(effect.region(), result.as_ref().err());
            if !is_told && !matches!(&result, Err(failure) if failure.sent == Sent::No) {
                self.tell(&started);
            }
            match result {
                Ok(result) => self.emit(Event::EffectFinished { pipeline, step, effect, result })?,
                Err(failure) => {
                    one.was_answered(failure.sent);
                    self.emit(Event::EffectFailed { pipeline, step, effect, failure: failure.clone() })?;
                    return Ok(Some(failure));
                }
            }
        }
        one.was_sent(self.now());
        Ok(None)
    }

    /// Awaits a call that may take minutes, as an update of a function does, and says that it is under way.
    async fn with_signs_of_life<T>(
        &self,
        planned: &PlannedStep,
        effect: &Effect,
        mut call: impl Future<Output = T> + Unpin,
    ) -> T {
        let began = self.now();
        let because = format!("{} is under way, and not complete yet", effect.operation());
        loop {
            tokio::select! {
                biased;
                result = &mut call => return result,
                () = tokio::time::sleep(SIGN_EVERY) => self.tell(&Event::Waiting {
                    pipeline: planned.pipeline.clone(),
                    step: planned.step.slug().to_owned(),
                    summary: planned.step.summary(),
                    progress: Progress::new(format!("{} to complete it", effect.region()), because.clone()),
                    waited: Duration::try_from(self.now().duration_since(began)).unwrap_or_default(),
                    deadline: began + LONGEST_CALL,
                }),
            }
        }
    }

    /// What a failed call means: `None` is "look again".
    fn after_failure(&self, stage: &Stage, one: &Work<'_>, failure: &AwsFailure) -> Option<StepOutcome> {
        // A claim that another run has won is told by the next look, which says whose it is.
        let passing = is_passing(failure.kind) || (is_claim(one) && failure.kind == FailureKind::Stale);
        let may_send_again = one.sends() < MOST_SENDS;
        let is_unknown = failure.sent == Sent::Unknown;
        match stage.on_failure {
            // The next look says whether it took effect.
            OnFailure::Owe if is_unknown && may_send_again && !self.is_silent(one) => None,
            OnFailure::Owe if may_be_taken_now(failure) && may_send_again => None,
            OnFailure::Owe if is_unknown => Some(unseen(one, &failure.to_string())),
            OnFailure::Owe => Some(StepOutcome::Owed { reason: failure.to_string() }),
            // Somebody else was faster: what he changed is looked at before it is sent again.
            OnFailure::Stop if failure.kind == FailureKind::Stale && may_send_again => None,
            OnFailure::Stop if passing && may_send_again => None,
            OnFailure::Stop => Some(StepOutcome::Failed { reason: failure.to_string() }),
        }
    }

    fn is_silent(&self, one: &Work<'_>) -> bool {
        self.silence.wave(one.planned().step.region()) == 0
    }
}
