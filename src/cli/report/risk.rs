//! Which records may not have reached the target Region when it took over.

use crate::journal::RunRecord;
use crate::model::picture::Part;
use crate::model::{Exit, Side, StepOutcome, Timestamp};
use crate::plan::{Intent, Mode};
use crate::ui::report::{AtRisk, Lag, Standing};
use std::collections::BTreeMap;
use std::time::Duration;

/// Judged from how the run ended, and for an emergency from what was seen before it.
pub(super) fn of(run: &RunRecord, lags: &[Lag]) -> AtRisk {
    let ended_well = matches!(run.ended, Some(Exit::Done | Exit::Owed));
    let skipped = run.outcomes.iter().find_map(|(key, outcome)| match outcome {
        StepOutcome::Skipped { reason } => Some((*key, reason.clone())),
        _ => None,
    });
    if let Some(((stage, _), reason)) = skipped {
        let title = run.plan.stages.get(stage.wrapping_sub(1)).map_or("a stage", |s| s.title.as_str());
        return unknown(format!(
            "\"{title}\" was skipped ({reason}): nothing proved what it would have proved."
        ));
    }
    match &run.plan.intent {
        Intent::Failover { mode: Mode::Emergency, .. } => emergency(run, lags),
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
    AtRisk { standing: Standing::Good, records: Some(0), behind: Some(Duration::ZERO), why: why.to_owned() }
}

fn unknown(why: String) -> AtRisk {
    AtRisk { standing: Standing::Warn, records: None, behind: None, why }
}

/// What the replicator had not copied is in the old stream alone. Everything that had arrived before `T - age` of its
/// newest data point was copied; what came after it is at risk, as with a consumer's position.
fn emergency(run: &RunRecord, lags: &[Lag]) -> AtRisk {
    let mut copied_until: Option<Timestamp> = None;
    for name in &run.plan.pipelines {
        let of = |lag: &&Lag| lag.pipeline == name.as_str() && lag.role == "replicator";
        let points = lags.iter().find(of).map(|lag| lag.points.as_slice()).unwrap_or_default();
        let Some((at, lag)) = points.iter().rfind(|(at, _)| *at < run.began) else {
            return unknown(format!(
                "{name}: no data point of the replicator. What it had not copied stays in the old stream until \
                 the failback."
            ));
        };
        let until = *at - Duration::try_from_secs_f64(*lag).unwrap_or_default();
        copied_until = Some(copied_until.map_or(until, |earliest| earliest.min(until)));
    }
    let Some(until) = copied_until else { return unknown("The run has no pipeline.".to_owned()) };
    let behind = Duration::try_from(run.began.duration_since(until)).unwrap_or_default();
    let rpo = run.pictures.first().map(|picture| picture.rpo);
    let standing = if rpo.is_some_and(|rpo| behind <= rpo) { Standing::Good } else { Standing::Warn };
    let why = format!(
        "What arrived before {} was copied. The rest is not lost: it stays in the old stream until its retention \
         ends, and the failback processes it.",
        until.strftime("%H:%M:%SZ")
    );
    AtRisk { standing, records: arrived(run, until), behind: Some(behind), why }
}

/// Records that arrived in the primary's streams since then; `None` where a period of them is not known.
fn arrived(run: &RunRecord, since: Timestamp) -> Option<u64> {
    let mut sum = 0.0;
    for name in &run.plan.pipelines {
        let mut periods = BTreeMap::new();
        let mut period = 60;
        for picture in &run.pictures {
            let side = picture.pipelines.get(name)?.sides.iter().find(|side| side.side == Side::Primary)?;
            if let Part::Known(Some(curve)) = &side.arrivals {
                period = curve.period_seconds.max(1);
                periods.extend(curve.points().filter_map(|(at, value)| Some((at.as_second(), value?))));
            }
        }
        let step = i64::from(period);
        let first = since.as_second().div_euclid(step) * step;
        for at in (first..run.began.as_second()).step_by(period as usize) {
            sum += periods.get(&at)?;
        }
    }
    Some(sum.ceil() as u64)
}
