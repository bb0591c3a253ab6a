//! How many records were processed twice: what the old Region's consumer had read, and the new one read again.

use crate::journal::RunRecord;
use crate::model::picture::Part;
use crate::model::{Event, Picture, PipelineName, StartAt, StepOutcome, Timestamp};
use crate::plan::Intent;
use std::collections::BTreeMap;

/// When the last producer of these pipelines was switched, as far as one was. Each counts from the first time that it
/// was seen to be: whoever goes on with the run only finds it so.
pub(super) fn switched(run: &RunRecord, of: impl Fn(&PipelineName) -> bool) -> Option<Timestamp> {
    let mut first: BTreeMap<(&PipelineName, &str), Timestamp> = BTreeMap::new();
    for (at, event) in run.events.iter().take_while(|(_, event)| !matches!(event, Event::UndoStarted)) {
        let Event::StepFinished { step, pipeline, summary, outcome, .. } = event else { continue };
        let is_so = matches!(outcome, StepOutcome::Applied { .. } | StepOutcome::AlreadyDone { .. });
        if step == "switch_producer" && is_so && of(pipeline) {
            first.entry((pipeline, summary)).or_insert(*at);
        }
    }
    first.into_values().max()
}

/// The sum over all pipelines. A failback's readers go on where they stopped; a sum with an unknown part is unknown.
pub(super) fn of(run: &RunRecord, pictures: &[&Picture]) -> Option<u64> {
    let is_failback = matches!(run.plan.intent, Intent::Failback { .. });
    match run.plan.positions.is_empty() {
        // A warm standby's consumer has always read: nothing is read again because of a position.
        true if !is_failback => Some(0),
        true => None,
        false => run.plan.positions.iter().map(|(name, p)| of_pipeline(run, pictures, name, p.start)).sum(),
    }
}

/// What arrived in the old stream from the start position until the producers left it. The plan could only count to
/// its own time, so its figure stands where they did not leave.
fn of_pipeline(run: &RunRecord, pictures: &[&Picture], name: &PipelineName, start: StartAt) -> Option<u64> {
    let planned = || run.plan.positions.get(name)?.duplicates;
    let Some(until) = switched(run, |pipeline| pipeline == name) else { return planned() };
    let StartAt::Timestamp(start) = start else { return None };
    let (periods, step) = arrivals(run, pictures, name);
    let first = start.as_second().div_euclid(step) * step;
    let each = (first..until.as_second()).step_by(step as usize).map(|at| periods.get(&at).copied());
    Some(each.sum::<Option<f64>>()?.ceil() as u64)
}

/// Records that arrived in the old stream, by the period's start, and a period's length in seconds.
fn arrivals(run: &RunRecord, pictures: &[&Picture], name: &PipelineName) -> (BTreeMap<i64, f64>, i64) {
    let (mut periods, mut step) = (BTreeMap::new(), 60);
    let sides = pictures.iter().filter_map(|picture| picture.pipelines.get(name)).flat_map(|p| &p.sides);
    for side in sides.filter(|side| side.region != *run.plan.intent.to()) {
        if let Part::Known(Some(curve)) = &side.arrivals {
            step = i64::from(curve.period_seconds.max(1));
            periods.extend(curve.points().filter_map(|(at, value)| Some((at.as_second(), value?))));
        }
    }
    (periods, step)
}
