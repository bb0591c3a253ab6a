//! Which records may not have reached the target Region when it took over.

use crate::journal::RunRecord;
use crate::model::picture::{Part, PipelinePicture};
use crate::model::{Exit, Picture, Side, StepOutcome, duration};
use crate::plan::{Intent, Mode};
use crate::ui::report::{AtRisk, Standing};
use std::time::Duration;

/// Judged from how the run ended, and for an emergency from what was seen before it.
pub(super) fn of(run: &RunRecord, found: Option<&Picture>) -> AtRisk {
    let ended_well = matches!(run.ended, Some(Exit::Done | Exit::Owed));
    let skipped = run.outcomes.iter().find_map(|(key, outcome)| match outcome {
        StepOutcome::Skipped { reason } => Some((*key, reason.clone())),
        _ => None,
    });
    if let Some(((stage, _), reason)) = skipped {
        let title = run.plan.stages.get(stage.wrapping_sub(1)).map_or("a stage", |s| s.title.as_str());
        return unknown(format!("\"{title}\" was skipped ({reason}): nothing proved what it would have proved."));
    }
    match &run.plan.intent {
        Intent::Failover { mode: Mode::Emergency, .. } => emergency(found),
        _ if !ended_well => unknown("The run did not come to its end.".to_owned()),
        Intent::Failover { .. } => {
            none("Lag of every reader of the old stream was proven zero before they were stopped.")
        }
        Intent::Failback { .. } if run.header.argv.iter().any(|arg| arg == "--skip-stranded") => {
            unknown("--skip-stranded: what was stranded in the primary's stream was given up.".to_owned())
        }
        Intent::Failback { .. } => {
            none("The primary's consumer went on before the switch, and the standby's was drained after it.")
        }
    }
}

fn none(why: &str) -> AtRisk {
    AtRisk {
        standing: Standing::Good,
        records: Some(0),
        behind: Some(Duration::ZERO),
        why: why.to_owned(),
    }
}

fn unknown(why: String) -> AtRisk {
    AtRisk { standing: Standing::Warn, records: None, behind: None, why }
}

/// What the replicator had not copied is in the old stream alone: its lag at the last data point.
fn emergency(found: Option<&Picture>) -> AtRisk {
    let Some(found) = found else { return unknown("Nobody saw how far the replicator was.".to_owned()) };
    let mut behind = Duration::ZERO;
    let (mut records, mut ages) = (Some(0.0), Duration::ZERO);
    for (name, pipeline) in &found.pipelines {
        let Some((lag, age)) = newest_lag(pipeline, found) else {
            return unknown(format!(
                "{name}: no data point of the replicator. What it had not copied stays in the old stream until \
                 the failback."
            ));
        };
        behind = behind.max(lag);
        ages = ages.max(age);
        records = records.zip(rate(pipeline)).map(|(sum, rate)| sum + rate * lag.as_secs_f64());
    }
    let standing = if behind <= found.rpo { Standing::Good } else { Standing::Bad };
    let why = format!(
        "As far as the replicator's newest data point says, which was {} old. They are not lost: they stay in the \
         old stream until its retention ends, and the failback processes them.",
        duration::show(Duration::from_secs(ages.as_secs()))
    );
    AtRisk { standing, records: records.map(|n: f64| n.ceil() as u64), behind: Some(behind), why }
}

/// The replicator's lag at its newest point, and that point's age.
fn newest_lag(pipeline: &PipelinePicture, found: &Picture) -> Option<(Duration, Duration)> {
    let primary = pipeline.sides.iter().find(|side| side.side == Side::Primary)?;
    let replicator = primary.readers.iter().find(|reader| reader.role == "replicator")?;
    let Part::Known(Some(curve)) = &replicator.lag else { return None };
    let (at, lag) = curve.points().filter_map(|(at, value)| Some((at, value?))).last()?;
    let ended = at + Duration::from_secs(u64::from(curve.period_seconds));
    let age = Duration::try_from(found.taken_at.duration_since(ended)).unwrap_or_default();
    Some((Duration::try_from_secs_f64(lag).ok()?, age))
}

/// Records a second into the primary's stream, at the newest point.
fn rate(pipeline: &PipelinePicture) -> Option<f64> {
    let primary = pipeline.sides.iter().find(|side| side.side == Side::Primary)?;
    let Part::Known(Some(curve)) = &primary.arrivals else { return None };
    let newest = curve.values.iter().rev().flatten().next()?;
    Some(newest / f64::from(curve.period_seconds.max(1)))
}
