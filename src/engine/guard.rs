//! The world belongs to others too: another operator's run on the same streams, and a deploy or a colleague who
//! changed a producer between plan and effect.

use super::stage::{Work, failed};
use super::{Engine, Halt};
use crate::config::{Pipeline, Producer};
use crate::model::{
    Environment, Event, FunctionName, Observed, PipelineName, Progress, Region, RunMark, RunState, Secret,
    Side, Snapshot, StepOutcome,
};
use crate::plan::{OnFailure, Plan, Stage};
use crate::steps::{AnyStep, SwitchProducer};
use crate::ui::{Change, ChangePrompt};
use std::collections::{BTreeMap, BTreeSet};

/// The producers' variables as they were when the plan was made. Only kept in memory: values are not written down.
pub type Environments = BTreeMap<(Region, FunctionName), BTreeMap<String, Secret>>;

/// The producers' variables of a snapshot, where they could be read.
pub fn environments(snapshot: &Snapshot) -> Environments {
    let producers = snapshot.pipelines.values().flat_map(|view| &view.producers);
    let readable = |producer: &crate::model::ProducerView| {
        let function = producer.function.known()?;
        let Environment::Readable(variables) = &function.environment else { return None };
        Some(((producer.region.clone(), producer.name.clone()), variables.clone()))
    };
    producers.filter_map(readable).collect()
}

/// The marks that a plan sets.
pub(super) fn marks_of(plan: &Plan) -> Vec<(PipelineName, RunMark)> {
    let steps = plan.stages.iter().flat_map(|stage| &stage.steps);
    let marks = steps.filter_map(|planned| match &planned.step {
        AnyStep::MarkRun(step) => Some((planned.pipeline.clone(), step.mark.clone())),
        _ => None,
    });
    marks.collect()
}

impl Engine<'_> {
    /// Stops when the streams are another run's: it was faster. Until this run has set its own mark, that is one
    /// under way; afterwards any other mark in its place, because then what stands in the world is the other's.
    pub(super) fn stop_if_taken(&self, stage: &Stage, snapshot: &Snapshot) -> Result<(), Halt> {
        let ours = self.journal.borrow().run().clone();
        let is_opening =
            |step: &AnyStep| matches!(step, AnyStep::MarkRun(m) if m.mark.state == RunState::Open);
        let is_marked = !stage.steps.iter().any(|planned| is_opening(&planned.step));
        for (name, view) in &snapshot.pipelines {
            let Observed::Known(Some(mark)) = &view.standby.mark else { continue };
            let state = match mark.state {
                _ if mark.run == ours || self.sets(name, mark) => continue,
                RunState::Open => "is under way",
                RunState::Owed | RunState::Closed if is_marked => "took its place",
                RunState::Owed | RunState::Closed => continue,
            };
            return Err(Halt::Taken(format!(
                "{name}: run {} ({} by {}, since {}) {state} on stream {}; this run sends nothing more",
                mark.run, mark.intent, mark.owner, mark.token.marked_at, view.standby.stream_name
            )));
        }
        Ok(())
    }

    /// Whether the plan itself leaves this mark: a run that is put back gives the stream back to the one before it.
    fn sets(&self, pipeline: &PipelineName, mark: &RunMark) -> bool {
        self.set_back.borrow().iter().any(|(name, back)| name == pipeline && back == mark)
    }

    /// Why a step may not be sent yet: the standby does not say that this run holds its stream. It may have failed
    /// since the checks, and nothing is moved to a Region that does not answer; or somebody took the mark away. What
    /// the other Region is asked to let go in an emergency needs no such word.
    pub(super) fn unheld(&self, stage: &Stage, one: &Work<'_>, snapshot: &Snapshot) -> Option<Progress> {
        if stage.on_failure == OnFailure::Owe || matches!(one.planned().step, AnyStep::MarkRun(_)) {
            return None;
        }
        let standby = &snapshot.pipelines.get(&one.planned().pipeline)?.standby;
        let because = match &standby.mark {
            Observed::Known(Some(_)) => return None,
            Observed::Known(None) => {
                "its run mark is gone: somebody removed the tags kdsha:*; find out who, then \
                                      run the command again"
                    .to_owned()
            }
            Observed::Unknown(reason) => reason.text.clone(),
        };
        let waiting =
            format!("stream {} in {} to say that it is this run's", standby.stream_name, standby.region);
        Some(Progress::new(waiting, because))
    }

    /// Before producers are switched: what somebody else changed since the plan was made is shown. Other keys
    /// are kept as they are now; a changed key of ours is asked about. Gives the steps that are not taken because
    /// nobody said yes; where a failure stops a pipeline, all of its steps, lest half its producers move.
    pub(super) fn refuse_changed(
        &self,
        stage: &Stage,
        work: &[Work<'_>],
        ready: &[usize],
        snapshot: &Snapshot,
    ) -> Result<Vec<(usize, StepOutcome)>, Halt> {
        let mut refused: BTreeMap<usize, StepOutcome> = BTreeMap::new();
        for one in work.iter().filter(|one| ready.contains(&one.index())) {
            if refused.contains_key(&one.index()) {
                continue;
            }
            let Some(why) = self.changed(stage, one, snapshot)? else { continue };
            let of_it = |other: &&Work<'_>| {
                let is_its = other.planned().pipeline == one.planned().pipeline;
                stage.on_failure == OnFailure::Stop && is_its && other.sends() == 0
            };
            for other in work.iter().filter(of_it) {
                let reason = format!("not taken either: {}", one.planned().step.summary());
                refused.insert(other.index(), failed(stage, reason));
            }
            refused.insert(one.index(), failed(stage, why));
        }
        Ok(refused.into_iter().collect())
    }

    /// Why a step is not taken: somebody else changed a key of ours, and nobody says yes to it.
    fn changed(&self, stage: &Stage, one: &Work<'_>, snapshot: &Snapshot) -> Result<Option<String>, Halt> {
        let AnyStep::SwitchProducer(step) = &one.planned().step else { return Ok(None) };
        let Some(view) = snapshot.pipelines.get(&one.planned().pipeline) else { return Ok(None) };
        let is_it = |p: &&crate::model::ProducerView| p.name == step.function && p.region == step.region;
        let Some(function) = view.producers.iter().find(is_it).and_then(|p| p.function.known()) else {
            return Ok(None);
        };
        let Environment::Readable(now) = &function.environment else { return Ok(None) };
        let why = self.weigh(&one.planned().pipeline, step, &by_this_run(stage, step), now)?;
        if why.is_none() {
            let key = (step.region.clone(), step.function.clone());
            self.environments.borrow_mut().insert(key, now.clone());
        }
        Ok(why)
    }

    /// What the producer's variables were before the switch. A deploy writes them again, and switching from there
    /// is what was confirmed.
    fn home(&self, pipeline: &PipelineName, step: &SwitchProducer) -> BTreeMap<String, String> {
        let regions = &self.topology.regions;
        let Some(from) = regions.side_of(&step.to).map(Side::other) else { return BTreeMap::new() };
        let pipeline = self.topology.pipelines.iter().find(|p| p.name == *pipeline);
        let is_it = |p: &&Producer| p.function == step.function && p.side == step.side;
        let variables = |p: &Pipeline| {
            let producer = p.producers.iter().find(is_it)?;
            Some(producer.variables(regions.of(from), p.stream.of(from)))
        };
        pipeline.and_then(variables).unwrap_or_default()
    }

    fn weigh(
        &self,
        pipeline: &PipelineName,
        step: &SwitchProducer,
        by_this_run: &BTreeMap<&str, &str>,
        now: &BTreeMap<String, Secret>,
    ) -> Result<Option<String>, Halt> {
        let key = (step.region.clone(), step.function.clone());
        let accepted = self.accepted.borrow().contains(&key);
        let changes = changes(step, self.environments.borrow().get(&key), now);
        let home = self.home(pipeline, step);
        let set_back = |c: &Change| c.is_ours && c.is.as_ref() == home.get(&c.key);
        let (back, changes): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(set_back);
        if !back.is_empty() {
            let lines = back.iter().map(Change::line).collect::<Vec<_>>().join("; ");
            let text = format!("somebody else set {} back ({lines}): it is switched again", step.function);
            self.emit(Event::Note { text })?;
        }
        let (ours, mut others): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(|c| c.is_ours);
        let value = |key: &str| now.get(key).map(Secret::expose);
        others
            .retain(|c| value(&c.key).is_none() || by_this_run.get(c.key.as_str()).copied() != value(&c.key));
        if !others.is_empty() {
            let keys = others.iter().map(|c| c.key.as_str()).collect::<Vec<_>>().join(", ");
            self.emit(Event::Note {
                text: format!(
                    "somebody else changed {keys} of {} since the plan was made; kept as they are now",
                    step.function
                ),
            })?;
        }
        if ours.is_empty() || accepted {
            return Ok(None);
        }
        let lines = ours.iter().map(Change::line).collect::<Vec<_>>().join("; ");
        let prompt = ChangePrompt {
            function: step.function.clone(),
            region: step.region.clone(),
            changes: ours.into_iter().chain(others).collect(),
        };
        let yes = self.prompter.borrow_mut().change(&prompt).map_err(Halt::of_terminal)?;
        if !yes {
            return Ok(Some(format!(
                "somebody else changed {} in {} since the plan was made: {lines}; it was not switched. Set it back, or \
                 say yes to it at a terminal",
                step.function, step.region
            )));
        }
        self.emit(Event::Note { text: format!("switched all the same, by the operator: {lines}") })?;
        self.accepted.borrow_mut().insert(key);
        Ok(None)
    }
}

/// What the stage's other steps set in the same function, which another pipeline may share with its own variables.
fn by_this_run<'s>(stage: &'s Stage, step: &SwitchProducer) -> BTreeMap<&'s str, &'s str> {
    let switches = stage.steps.iter().filter_map(|planned| match &planned.step {
        AnyStep::SwitchProducer(other) => Some(other),
        _ => None,
    });
    let alike = switches.filter(|other| other.function == step.function && other.region == step.region);
    alike.flat_map(|other| &other.set).map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// What differs from the time of the plan. A key of ours that has its new value already is no change.
fn changes(
    step: &SwitchProducer,
    before: Option<&BTreeMap<String, Secret>>,
    now: &BTreeMap<String, Secret>,
) -> Vec<Change> {
    // A plan that could not read the function knows no former values; the last look may.
    let former = |key: &String| match step.was.is_empty() {
        false => Some(step.was.get(key).map(String::as_str)),
        true => before.map(|before| before.get(key).map(Secret::expose)),
    };
    let ours = step.set.iter().filter_map(|(key, target)| {
        let is = now.get(key).map(Secret::expose);
        let was = former(key)?;
        let change = || Change {
            key: key.clone(),
            was: was.map(str::to_owned),
            is: is.map(str::to_owned),
            is_ours: true,
        };
        (is != was && is != Some(target.as_str())).then(change)
    });
    let keys: BTreeSet<&String> = before.into_iter().flat_map(BTreeMap::keys).chain(now.keys()).collect();
    let others = keys.into_iter().filter(|key| !step.set.contains_key(*key)).filter_map(|key| {
        let before = before?;
        let change = || Change { key: key.clone(), was: None, is: None, is_ours: false };
        (before.get(key) != now.get(key)).then(change)
    });
    ours.chain(others).collect()
}
