//! A wait that ran out of time, or that the operator interrupted: wait on, stop, or turn to emergency.

use super::stage::Work;
use super::{Engine, Halt};
use crate::model::{Check, Event, Snapshot, Timestamp, duration};
use crate::plan::{OnFailure, Plan, Stage};
use crate::ui::{Stuck, WaitAnswer, WaitPrompt};
use std::time::Duration;

/// What becomes of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// It goes on until then.
    Until(Timestamp),
    /// It is over.
    Over,
}

impl Engine<'_> {
    /// Whether somebody can be asked about a wait of this stage. What is owed on failure is not waited for long.
    pub(super) fn can_ask_about(&self, stage: &Stage) -> bool {
        stage.on_failure == OnFailure::Stop
            && self.prompter.borrow().is_operator()
            && !self.interrupt.is_final()
    }

    /// The deadline has passed.
    pub(super) fn out_of_patience(
        &self,
        plan: &Plan,
        stage: &Stage,
        work: &[Work<'_>],
        snapshot: &Snapshot,
    ) -> Result<Patience, Halt> {
        if !self.can_ask_about(stage) {
            return Ok(Patience::Over);
        }
        match self.ask_about(plan, stage, work, snapshot, false, stage.timeout)? {
            WaitAnswer::On => {
                let longer = duration::show(stage.timeout);
                self.emit(Event::Note { text: format!("the operator waits on, for {longer} more") })?;
                Ok(Patience::Until(self.now() + stage.timeout))
            }
            WaitAnswer::Stop => Ok(Patience::Over),
            WaitAnswer::Emergency { reason } => Err(Halt::Turned(reason)),
        }
    }

    /// Ctrl-C during a wait. Without anybody to ask it stops.
    pub(super) fn interrupted_wait(
        &self,
        plan: &Plan,
        stage: &Stage,
        work: &[Work<'_>],
        snapshot: &Snapshot,
        deadline: Timestamp,
    ) -> Result<(), Halt> {
        if !self.interrupt.is_raised() {
            return Ok(());
        }
        if !self.can_ask_about(stage) {
            return Err(Halt::Interrupted);
        }
        let left = Duration::try_from(deadline.duration_since(self.now())).unwrap_or_default();
        match self.ask_about(plan, stage, work, snapshot, true, left)? {
            WaitAnswer::On => {
                self.interrupt.lower();
                Ok(())
            }
            WaitAnswer::Stop => Err(Halt::Interrupted),
            WaitAnswer::Emergency { reason } => {
                self.interrupt.lower();
                Err(Halt::Turned(reason))
            }
        }
    }

    fn ask_about(
        &self,
        plan: &Plan,
        stage: &Stage,
        work: &[Work<'_>],
        snapshot: &Snapshot,
        is_interrupt: bool,
        longer: Duration,
    ) -> Result<WaitAnswer, Halt> {
        let stuck = work.iter().map(|one| Stuck {
            pipeline: one.planned().pipeline.clone(),
            summary: one.planned().step.summary(),
            because: match self.check(stage, one, snapshot) {
                Check::NotYet(progress) => progress.because,
                Check::Ready => "the call was accepted and its effect did not show".to_owned(),
                Check::Done(text) | Check::Blocked(text) => text,
            },
        });
        let prompt = WaitPrompt {
            stuck: stuck.collect(),
            is_interrupt,
            longer,
            emergency: self.may_turn(plan).cloned(),
        };
        self.prompter.borrow_mut().wait(&prompt).map_err(Halt::of_terminal)
    }
}
