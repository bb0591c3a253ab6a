//! Lag over time: from the pictures of the journal, from CloudWatch where it was asked, and where neither has a
//! reader's curve from what the waits saw.

use crate::journal::RunRecord;
use crate::model::picture::Part;
use crate::model::{Event, Picture, PipelineName, Region, Side, Snapshot, Timestamp};
use crate::steps::AnyStep;
use crate::ui::report::Lag;
use std::collections::BTreeMap;
use std::time::Duration;

/// A reader, in the order of the page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    pipeline: PipelineName,
    side: Side,
    role: String,
    region: Region,
}

/// A curve under construction: by the period's start, in seconds.
#[derive(Debug, Default)]
struct Points {
    period: u32,
    values: BTreeMap<i64, f64>,
}

/// Every reader's lag, and those that only the waits know of.
pub(super) fn gather(run: &RunRecord, looked: Option<&Snapshot>) -> (Vec<Lag>, Vec<String>) {
    let mut all: BTreeMap<Key, Points> = BTreeMap::new();
    for picture in &run.pictures {
        add(&mut all, picture);
    }
    if let Some(snapshot) = looked {
        let since = run.began - Duration::from_secs(30 * 60);
        let mut picture = Picture::of(snapshot, since, 0, Duration::ZERO);
        picture.pipelines.retain(|name, _| run.plan.pipelines.contains(name));
        add(&mut all, &picture);
    }
    let from_waits = waits(run, &mut all);
    let lag = |(key, points): (Key, Points)| Lag {
        pipeline: key.pipeline.to_string(),
        region: key.region,
        side: key.side.to_string(),
        role: key.role,
        points: points.values.into_iter().filter_map(point).collect(),
        period_seconds: points.period,
    };
    (all.into_iter().map(lag).collect(), from_waits)
}

fn point((at, value): (i64, f64)) -> Option<(Timestamp, f64)> {
    Some((Timestamp::from_second(at).ok()?, value))
}

/// Later pictures know better: the newest period of an earlier one was provisional.
fn add(all: &mut BTreeMap<Key, Points>, picture: &Picture) {
    for (pipeline, view) in &picture.pipelines {
        for side in &view.sides {
            for reader in &side.readers {
                let key = Key {
                    pipeline: pipeline.clone(),
                    side: side.side,
                    role: reader.role.clone(),
                    region: side.region.clone(),
                };
                let points = all.entry(key).or_default();
                let Part::Known(Some(curve)) = &reader.lag else { continue };
                points.period = curve.period_seconds;
                let known = curve.points().filter_map(|(at, value)| Some((at.as_second(), value?)));
                points.values.extend(known);
            }
        }
    }
}

/// What the drains saw, for readers without a curve. A sample's age is known, so its time is.
fn waits(run: &RunRecord, all: &mut BTreeMap<Key, Points>) -> Vec<String> {
    let mut seen: BTreeMap<Key, Points> = BTreeMap::new();
    for (at, event) in &run.events {
        let Event::Waiting { pipeline, summary, progress, .. } = event else { continue };
        let (Some(lag), Some(age)) = (progress.lag, progress.sample_age) else { continue };
        let mut steps = run.plan.stages.iter().flat_map(|stage| &stage.steps);
        let step = steps.find(|s| s.pipeline == *pipeline && s.step.summary() == *summary);
        let Some(AnyStep::Drain(drain)) = step.map(|planned| &planned.step) else { continue };
        let key = Key {
            pipeline: pipeline.clone(),
            side: drain.reader.side,
            role: drain.reader.role.to_string(),
            region: drain.reader.region.clone(),
        };
        let points = seen.entry(key).or_default();
        points.period = 60;
        points.values.insert((*at - age).as_second(), lag.as_secs_f64());
    }
    let mut used = Vec::new();
    for (key, points) in seen {
        let has_curve = all.get(&key).is_some_and(|known| {
            let began = run.began.as_second();
            known.values.range(began..).next().is_some()
        });
        if !has_curve {
            used.push(format!("the {} in {}", key.role, key.region));
            let known = all.entry(key).or_default();
            known.period = points.period;
            known.values.extend(points.values);
        }
    }
    used
}

/// What the curves do not have.
pub(super) fn missing(lags: &[Lag], from_waits: &[String]) -> Vec<String> {
    let mut missing = Vec::new();
    if lags.is_empty() {
        missing.push("Lag over time: the journal has none, and CloudWatch was not asked.".to_owned());
    }
    for lag in lags.iter().filter(|lag| lag.points.is_empty()) {
        missing.push(format!("Lag of the {} in {}: no data point was seen.", lag.role, lag.region));
    }
    missing.extend(from_waits.iter().map(|reader| {
        format!("Lag of {reader} outside of the waits: its curve has only what the drain looked at.")
    }));
    missing
}
