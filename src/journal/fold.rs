//! Records -> the state of a run. An impossible order is corruption, not a shrug.

use super::record::{Body, Header, Record, VERSION};
use crate::model::{Effect, Event, Exit, Performed, Picture, PipelineName, Sent, StepOutcome, Timestamp};
use crate::plan::{Intent, Mode, Plan};
use std::collections::BTreeMap;
use std::time::Duration;

/// A run as its journal tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Whose run it is.
    pub header: Header,
    /// The plan in force.
    pub plan: Plan,
    /// The plans before it, oldest first, without those that put things back.
    pub former: Vec<Plan>,
    /// Whether the run was turned into an emergency that has no plan yet.
    pub turned: bool,
    /// Whether the plan in force puts back what the run changed.
    pub undoing: bool,
    /// Whether that is done: the run is over.
    pub undone: bool,
    /// When it began.
    pub began: Timestamp,
    /// When the last record was written.
    pub last: Timestamp,
    /// How the last process ended; `None` when it was cut off.
    pub ended: Option<Exit>,
    /// How each step ended last, by stage and place in the stage, counted from 1 and 0.
    pub outcomes: BTreeMap<(usize, usize), StepOutcome>,
    /// Calls that were about to be sent and have no result: their fate is unknown until looked at.
    pub unanswered: Vec<(PipelineName, Effect)>,
    /// Calls that were about to be sent, in all.
    pub effects: usize,
    /// Every event with its time, in order.
    pub events: Vec<(Timestamp, Event)>,
    /// What the world looked like, in order: before the first call, and after each end. Evidence, not memory:
    /// nothing is decided by it.
    pub pictures: Vec<Picture>,
    /// The next record's number.
    pub next_seq: u64,
    /// Whether the plan in force was written after the putting back began.
    is_way_back: bool,
}

impl RunRecord {
    /// How long it took until the target Region was first proven to read: what is settled later is no recovery.
    pub fn recovery(&self) -> Option<Duration> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::RunFinished { recovery, .. } => *recovery,
            _ => None,
        })
    }

    /// What the operator wants of it by now: what it was begun for, or the emergency that it was turned into.
    pub fn intent(&self) -> Intent {
        match &self.plan.intent {
            Intent::Failover { to, .. } if self.turned => {
                Intent::Failover { to: to.clone(), mode: Mode::Emergency }
            }
            other => other.clone(),
        }
    }

    /// The calls that AWS accepted, in order.
    pub fn accepted(&self) -> Vec<(PipelineName, Effect)> {
        let accepted = self.events.iter().filter_map(|(_, event)| match event {
            Event::EffectFinished { pipeline, effect, result: Performed::Applied { .. }, .. } => {
                Some((pipeline.clone(), effect.clone()))
            }
            _ => None,
        });
        accepted.collect()
    }

    /// The calls that changed something, or may have: in order, and those last whose fate nobody has looked at.
    pub fn changed(&self) -> Vec<(&PipelineName, &Effect)> {
        let told = self.events.iter().filter_map(|(_, event)| match event {
            Event::EffectFinished { pipeline, effect, result: Performed::Applied { .. }, .. } => {
                Some((pipeline, effect))
            }
            Event::EffectFailed { pipeline, effect, failure, .. } if failure.sent == Sent::Unknown => {
                Some((pipeline, effect))
            }
            _ => None,
        });
        told.chain(self.unanswered.iter().map(|(pipeline, effect)| (pipeline, effect))).collect()
    }

    /// Whether the run has to be gone on with: it changed something and was not brought to an end. One that gave way
    /// to another run before it changed more than its mark has nothing left to go on with.
    pub fn is_unfinished(&self) -> bool {
        let is_over = match self.ended {
            Some(Exit::Done | Exit::Owed) => true,
            Some(Exit::Locked) => self.has_only_marked(),
            _ => false,
        };
        self.effects > 0 && !self.undone && !is_over
    }

    /// Whether it has set its run mark, and sent nothing else.
    pub fn has_only_marked(&self) -> bool {
        self.events.iter().all(|(_, event)| match event {
            Event::EffectStarted { effect, .. } => matches!(effect, Effect::TagStream { .. }),
            _ => true,
        })
    }

    /// How many of its calls AWS accepted, without the run mark.
    pub fn changes(&self) -> usize {
        self.events.iter().filter(|(_, event)| event.is_change()).count()
    }

    /// The steps that are owed, by stage and place, with the reason.
    pub fn owed(&self) -> Vec<((usize, usize), &str)> {
        let owed = |(key, outcome): (&(usize, usize), &'_ StepOutcome)| match outcome {
            StepOutcome::Owed { .. } => Some(*key),
            _ => None,
        };
        let keys: Vec<(usize, usize)> = self.outcomes.iter().filter_map(owed).collect();
        keys.into_iter()
            .filter_map(|key| match self.outcomes.get(&key) {
                Some(StepOutcome::Owed { reason }) => Some((key, reason.as_str())),
                _ => None,
            })
            .collect()
    }

    /// What is owed, in words.
    pub fn owed_in_words(&self) -> Vec<String> {
        let summary = |(stage, index): (usize, usize)| {
            let step = self.plan.stages.get(stage - 1)?.steps.get(index)?;
            Some(format!("{}: {}", step.pipeline, step.step.summary()))
        };
        self.owed()
            .into_iter()
            .filter_map(|(key, reason)| Some(format!("{} ({reason})", summary(key)?)))
            .collect()
    }
}

/// Folds all records of one run.
///
/// # Errors
/// Says which record cannot stand where it stands.
pub fn fold(records: &[Record]) -> Result<RunRecord, String> {
    let mut records = records.iter();
    let (header, began) = match records.next() {
        Some(Record { v, .. }) if *v != VERSION => return Err(format!("format version {v} is not known")),
        Some(Record { seq: 0, at, body: Body::Opened(header), .. }) => (header.clone(), *at),
        _ => return Err("the first record does not say whose run it is".to_owned()),
    };
    let plan = match records.next() {
        Some(Record { seq: 1, body: Body::Planned { plan }, .. }) => (**plan).clone(),
        _ => return Err("the second record is not a plan".to_owned()),
    };
    if plan.run != header.run {
        return Err(format!("the plan is of run {}, the journal of run {}", plan.run, header.run));
    }
    let mut state = RunRecord {
        header,
        plan,
        former: Vec::new(),
        turned: false,
        undoing: false,
        undone: false,
        began,
        last: began,
        ended: None,
        outcomes: BTreeMap::new(),
        unanswered: Vec::new(),
        effects: 0,
        events: Vec::new(),
        pictures: Vec::new(),
        next_seq: 2,
        is_way_back: false,
    };
    for record in records {
        state.next(record).map_err(|why| format!("record {}: {why}", record.seq))?;
    }
    Ok(state)
}

impl RunRecord {
    fn next(&mut self, record: &Record) -> Result<(), String> {
        if record.v != VERSION {
            return Err(format!("format version {} is not known", record.v));
        }
        if record.seq != self.next_seq {
            return Err(format!("number {} was due", self.next_seq));
        }
        self.next_seq += 1;
        self.last = record.at;
        match &record.body {
            Body::Opened(_) => Err("a journal is opened once".to_owned()),
            Body::Planned { plan } if plan.run != self.header.run => Err("a plan of another run".to_owned()),
            Body::Planned { plan } => {
                let former = std::mem::replace(&mut self.plan, (**plan).clone());
                if !std::mem::replace(&mut self.is_way_back, self.undoing) {
                    self.former.push(former);
                }
                self.outcomes.clear();
                self.turned = false;
                Ok(())
            }
            Body::Seen { picture } => {
                self.pictures.push((**picture).clone());
                Ok(())
            }
            Body::Happened { happening } => {
                self.happened(happening)?;
                self.events.push((record.at, (**happening).clone()));
                Ok(())
            }
        }
    }

    fn happened(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::RunStarted { resumed, .. } => {
                if !resumed && !self.events.is_empty() {
                    return Err("the run started twice".to_owned());
                }
                self.ended = None;
            }
            Event::UndoStarted => {
                self.undoing = true;
                self.ended = None;
            }
            _ if self.ended.is_some() => return Err("something happened after the run's end".to_owned()),
            Event::EffectStarted { pipeline, effect, .. } => {
                self.effects += 1;
                self.unanswered.push((pipeline.clone(), effect.clone()));
            }
            Event::EffectFinished { pipeline, effect, .. } | Event::EffectFailed { pipeline, effect, .. } => {
                let is_it = |(p, e): &(PipelineName, Effect)| p == pipeline && e == effect;
                let index = self.unanswered.iter().position(is_it);
                self.unanswered.remove(index.ok_or("a result without its call")?);
            }
            Event::StepFinished { number, index, outcome, .. } => {
                let known = self.plan.stages.get(number.wrapping_sub(1)).and_then(|s| s.steps.get(*index));
                known.ok_or("a step that the plan does not have")?;
                self.outcomes.insert((*number, *index), outcome.clone());
            }
            Event::TurnedToEmergency { .. } => {
                self.turned = matches!(self.plan.intent, Intent::Failover { mode: Mode::Planned, .. });
            }
            Event::Undone => self.undone = true,
            Event::RunFinished { exit, .. } => self.ended = Some(*exit),
            _ => {}
        }
        Ok(())
    }
}
