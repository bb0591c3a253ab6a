//! What a run means for records, gathered from its plan when it ends: what is repeated, and what waits behind.

use super::Tally;
use crate::model::{Consequence, Exit, PipelineName, Repeated, Stranded};
use crate::plan::Plan;
use crate::steps::AnyStep;

/// Of every pipeline that the run brought to where it should be.
pub(super) fn consequences(plan: &Plan, tally: &Tally, exit: Exit) -> Vec<Consequence> {
    if !matches!(exit, Exit::Done | Exit::Owed) {
        return Vec::new();
    }
    plan.pipelines.iter().filter_map(|pipeline| of(plan, tally, pipeline)).collect()
}

fn of(plan: &Plan, tally: &Tally, pipeline: &PipelineName) -> Option<Consequence> {
    let position = plan.positions.get(pipeline).filter(|position| position.duplicates != Some(0));
    let repeated = position.map(|position| Repeated { from: position.start, records: position.duplicates });
    let stranded = left_behind(plan, pipeline).cloned();
    let is_any = repeated.is_some() || stranded.is_some();
    let is_growing = stranded.is_some() && tally.not_switched().contains(pipeline);
    is_any.then(|| Consequence { pipeline: pipeline.clone(), repeated, stranded, is_growing })
}

fn left_behind<'p>(plan: &'p Plan, pipeline: &PipelineName) -> Option<&'p Stranded> {
    let steps = plan.stages.iter().flat_map(|stage| &stage.steps);
    let its = steps.filter(|planned| planned.pipeline == *pipeline);
    its.filter_map(|planned| match &planned.step {
        AnyStep::VerifyResult(verify) => verify.left.as_ref(),
        _ => None,
    })
    .next()
}
