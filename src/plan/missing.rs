//! Drains of readers that have no mapping: whether the run knows why there is none.

use super::sequence::Request;
use super::{Plan, PlannedStep};
use crate::model::{Effect, PipelineName, PipelineView};
use crate::steps::{AnyStep, Drain, Missing, Seen};

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
            drain.missing = Missing::Expected;
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
    /// Drains whose mapping this run has deleted itself: it did so once they were done. `changed` are its calls in order
    /// that changed something, or may have.
    pub fn expect_deleted(&mut self, changed: &[(&PipelineName, &Effect)]) {
        for planned in self.stages.iter_mut().flat_map(|stage| &mut stage.steps) {
            let AnyStep::Drain(drain) = &mut planned.step else { continue };
            let of_pipeline = changed.iter().filter(|(pipeline, _)| **pipeline == planned.pipeline);
            if of_pipeline.filter_map(|(_, effect)| deletes(drain, effect)).next_back() == Some(true) {
                drain.missing = Missing::Expected;
            }
        }
    }
}

/// Whether a call deletes the mapping of a drained reader, or creates it; `None` is about something else.
fn deletes(drain: &Drain, effect: &Effect) -> Option<bool> {
    let reader = &drain.reader;
    let (is_deletion, (region, function, source)) = match effect {
        Effect::DeleteMapping { region, function, source } => (true, (region, function, source)),
        Effect::CreateMapping { region, function, source, .. } => (false, (region, function, source)),
        _ => return None,
    };
    let is_its = (region, function, source) == (&reader.region, &reader.function, &reader.source);
    is_its.then_some(is_deletion)
}
