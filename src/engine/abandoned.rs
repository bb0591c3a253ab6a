//! The way back of a run whose journal is lost, from its mark and from what is seen: only where the run is seen to have
//! done no more than mark the stream and prepare the standby's consumer.

use super::undo::{WayBack, way_back};
use crate::config::{Pipeline, StandbyMode, Topology};
use crate::model::{
    Mapping, MappingState, Observed, PipelineView, RunMark, RunState, Side, Snapshot, StartingPosition,
};
use crate::plan::assess::{self, Active};
use crate::plan::{Intent, Mode, Plan, PlannedStep};
use crate::steps::{AnyStep, DeleteMapping, MarkRun, Reader};
use std::collections::BTreeMap;

/// The way back of the open run that left a mark.
///
/// # Errors
/// What is seen that such a run does only later, or that somebody else did.
pub fn way_back_of(mark: &RunMark, topology: &Topology, snapshot: &Snapshot) -> Result<WayBack, String> {
    if !mark.is_failover() {
        return Err(format!("it is a {}", mark.intent));
    }
    let (mut deletes, mut marks, mut stays) = (Vec::new(), Vec::new(), Vec::new());
    for pipeline in &topology.pipelines {
        let Some(view) = snapshot.pipelines.get(&pipeline.name) else { continue };
        let Some(found) = view.standby.mark.known().and_then(Option::as_ref) else { continue };
        if found.run != mark.run || found.state != RunState::Open {
            continue;
        }
        let told = |why: String| format!("{}: {why}", pipeline.name);
        primary_is_untouched(pipeline, topology, view).map_err(told)?;
        let step = |step: AnyStep| PlannedStep { pipeline: pipeline.name.clone(), step };
        match prepared(pipeline, topology, view, found).map_err(told)? {
            Prepared::Nothing => {}
            Prepared::ByTheRun(delete) => deletes.push(step(delete.into())),
            Prepared::Before(why) => stays.push(told(why)),
        }
        marks.push(step(put_back(topology, view, found).into()));
    }
    let pipelines = marks.iter().map(|planned| planned.pipeline.clone()).collect();
    let stages = [("Prepare the consumer", deletes), ("Mark the run", marks)];
    let stages = stages.into_iter().filter(|(_, steps)| !steps.is_empty());
    let plan = Plan {
        run: mark.run.clone(),
        intent: Intent::Failover { to: topology.regions.standby.clone(), mode: Mode::Planned },
        taken_at: snapshot.taken_at,
        owner: mark.owner.clone(),
        pipelines,
        checks: Vec::new(),
        positions: BTreeMap::new(),
        stages: stages.map(|(title, steps)| way_back(title, steps)).collect(),
        rto: topology.objectives.rto,
    };
    Ok(WayBack { plan, stays })
}

/// What was marked before the run is not known here.
fn put_back(topology: &Topology, view: &PipelineView, found: &RunMark) -> MarkRun {
    let (region, stream) = (topology.regions.standby.clone(), view.standby.stream_name.clone());
    MarkRun { region, stream, mark: found.clone(), replaced: None }.put_back()
}

/// The producers write to the primary, and its readers run.
fn primary_is_untouched(pipeline: &Pipeline, topology: &Topology, view: &PipelineView) -> Result<(), String> {
    let primary = &topology.regions.primary;
    match assess::active(view) {
        Active::Region(region) if region == *primary => {}
        Active::Region(region) => return Err(format!("the producers write to {region}")),
        Active::Mixed(regions) => {
            let regions = regions.into_iter().collect::<Vec<_>>().join(", ");
            return Err(format!("the producers write to {regions}"));
        }
        Active::Unknown(why) => return Err(format!("where the producers write is not known: {why}")),
    }
    let consumer = assess::reader_of(pipeline, &topology.regions, Side::Primary);
    runs(&consumer, &view.primary.consumer.mappings)?;
    match (assess::replicator_of(pipeline, &topology.regions), &view.primary.replicator) {
        (Some(replicator), Some(view)) => runs(&replicator, &view.mappings),
        _ => Ok(()),
    }
}

fn owned<'m>(reader: &Reader, mappings: &'m Observed<Vec<Mapping>>) -> Result<Vec<&'m Mapping>, String> {
    let all = mappings
        .as_result()
        .map_err(|reason| format!("the mappings of {reader} are not known: {}", reason.text))?;
    Ok(all.iter().filter(|mapping| reader.owns(mapping)).collect())
}

fn runs(reader: &Reader, mappings: &Observed<Vec<Mapping>>) -> Result<(), String> {
    match owned(reader, mappings)?.as_slice() {
        [] => Err(format!("{reader} has no mapping")),
        some => match some.iter().find(|mapping| !mapping.state.is_on()) {
            Some(off) => Err(format!("mapping {} of {reader} is {}", off.id, off.state)),
            None => Ok(()),
        },
    }
}

/// What stands of the standby's consumer.
enum Prepared {
    /// No mapping; or a warm one, which always runs.
    Nothing,
    /// The mapping that the run made: disabled, and at the very position of its mark.
    ByTheRun(DeleteMapping),
    /// A mapping that was there before the run, and why it is taken for that.
    Before(String),
}

fn prepared(
    pipeline: &Pipeline,
    topology: &Topology,
    view: &PipelineView,
    mark: &RunMark,
) -> Result<Prepared, String> {
    if pipeline.standby == StandbyMode::Warm {
        return Ok(Prepared::Nothing);
    }
    let reader = assess::reader_of(pipeline, &topology.regions, Side::Standby);
    match owned(&reader, &view.standby.consumer.mappings)?.as_slice() {
        [] => Ok(Prepared::Nothing),
        [one] if one.state != MappingState::Disabled => {
            Err(format!("mapping {} of {reader} is {}", one.id, one.state))
        }
        [one] if is_at(one, mark) => Ok(Prepared::ByTheRun(DeleteMapping {
            reader,
            only: Some(one.id.clone()),
            because: "the run that is put back created it".to_owned(),
        })),
        [one] => Ok(Prepared::Before(format!(
            "mapping {} of {reader} stays: it does not start where the run's mark says",
            one.id
        ))),
        many => Err(format!("{reader} has {} mappings", many.len())),
    }
}

fn is_at(mapping: &Mapping, mark: &RunMark) -> bool {
    match (mark.token.position, mapping.position) {
        (Some(marked), Some(StartingPosition::AtTimestamp(at))) => at == marked,
        (None, Some(StartingPosition::TrimHorizon)) => true,
        _ => false,
    }
}
