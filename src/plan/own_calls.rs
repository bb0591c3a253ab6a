//! Drains of readers that are found without a mapping, or stopped: whether that is the run's own doing.

use super::sequence::Request;
use super::{Plan, PlannedStep};
use crate::model::{Effect, FunctionName, MappingSource, PipelineName, PipelineView, Region};
use crate::steps::{AnyStep, Cause, Drain, Seen};

/// There was no mapping when the run began, and preflight has judged that. Of a run that was begun before, without its
/// journal, it is not known who deleted it.
pub(super) fn expect_what_was_never_there(request: &Request<'_>, steps: &mut [PlannedStep]) {
    for planned in steps {
        let Some(pipeline) = request.snapshot.pipelines.get(&planned.pipeline) else { continue };
        let AnyStep::Drain(drain) = &mut planned.step else { continue };
        let seen = Seen { pipeline, at: request.snapshot.taken_at };
        let mappings = drain.reader.view(seen).and_then(|view| view.mappings.known());
        let is_none = mappings.is_some_and(|all| !all.iter().any(|mapping| drain.reader.owns(mapping)));
        let is_begun = request.own_mark(pipeline).is_some() && !(drain.is_deleted && is_copied(pipeline));
        if is_none && !is_begun {
            drain.missing = Cause::Expected;
        }
    }
}

/// Whether the replicator runs: a failback starts it once the standby's consumer is drained and deleted, and not before.
fn is_copied(pipeline: &PipelineView) -> bool {
    let replicator = pipeline.primary.replicator.as_ref();
    let mappings = replicator.and_then(|view| view.mappings.known());
    mappings.is_some_and(|all| all.iter().any(|mapping| mapping.state.is_on()))
}

impl Plan {
    /// Drains whose reader this run has stopped itself, or whose mapping it has deleted: it did so once they were done.
    /// `changed` are its calls in order that changed something, or may have.
    pub fn expect_own_calls(&mut self, changed: &[(&PipelineName, &Effect)]) {
        for planned in self.stages.iter_mut().flat_map(|stage| &mut stage.steps) {
            let AnyStep::Drain(drain) = &mut planned.step else { continue };
            let its = changed.iter().filter(|(pipeline, _)| **pipeline == planned.pipeline);
            let its: Vec<&Effect> = its.map(|(_, effect)| *effect).collect();
            if its.iter().filter_map(|effect| deletes(drain, effect)).next_back() == Some(true) {
                drain.missing = Cause::Expected;
            }
            if its.iter().filter_map(|effect| stops(drain, effect)).next_back() == Some(true) {
                drain.stopped = Cause::Expected;
            }
        }
    }
}

/// Whether a call deletes the mapping of a drained reader, or creates it; `None` is about something else.
fn deletes(drain: &Drain, effect: &Effect) -> Option<bool> {
    match effect {
        Effect::DeleteMapping { region, function, source } if is_of(drain, (region, function, source)) => {
            Some(true)
        }
        Effect::CreateMapping { region, function, source, .. }
            if is_of(drain, (region, function, source)) =>
        {
            Some(false)
        }
        _ => None,
    }
}

/// Whether a call stops a drained reader, or lets it run.
fn stops(drain: &Drain, effect: &Effect) -> Option<bool> {
    match effect {
        Effect::SetMappingEnabled { region, function, source, enabled } => {
            is_of(drain, (region, function, source)).then_some(!enabled)
        }
        _ => None,
    }
}

fn is_of(drain: &Drain, mapping: (&Region, &FunctionName, &MappingSource)) -> bool {
    let reader = &drain.reader;
    mapping == (&reader.region, &reader.function, &reader.source)
}
