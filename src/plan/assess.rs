//! Reading a snapshot: which Region is active, how far a reader is behind, whether a Region is healthy.
//! `status`, preflight and `verify` all judge by these.

use crate::config::{Objectives, Timing};
use crate::model::{
    Observed, PipelineView, Reason, Region, Series, SideView, Snapshot, StreamMetrics, Timestamp,
    failure::FailureKind,
};
use crate::steps::Reader;
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// Where the producers write now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Active {
    /// All of them here.
    Region(Region),
    /// Some here, some there, or somewhere else.
    Mixed(BTreeSet<String>),
    /// At least one producer could not be read.
    Unknown(String),
}

/// Where the producers of a pipeline write.
pub fn active(pipeline: &PipelineView) -> Active {
    let mut seen = BTreeSet::new();
    for producer in &pipeline.producers {
        match &producer.region_value {
            Observed::Known(Some(region)) => seen.insert(region.clone()),
            Observed::Known(None) => seen.insert("(variable not set)".to_owned()),
            Observed::Unknown(reason) => return Active::Unknown(reason.text.clone()),
        };
    }
    match seen.iter().next().map(|one| one.parse::<Region>()) {
        Some(Ok(region)) if seen.len() == 1 => Active::Region(region),
        _ => Active::Mixed(seen),
    }
}

/// A reader's lag at its newest data point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lag {
    /// The lag: the largest of the series that are fresh.
    #[serde(rename = "lag_seconds", with = "crate::model::duration::as_seconds")]
    pub lag: Duration,
    /// How long ago the sample's period ended.
    #[serde(rename = "sample_age_seconds", with = "crate::model::duration::as_seconds")]
    pub sample_age: Duration,
    /// The metric it comes from.
    pub source: &'static str,
}

/// A reader's lag: its own position metric (`MillisBehindLatest` for enhanced fan-out, the stream's iterator age
/// otherwise), or the function's iterator age where that is as fresh and larger: a batch in hand counts as lag.
pub fn lag(side: &SideView, reader: &crate::model::ReaderView, now: Timestamp) -> Observed<Lag> {
    let (first, source) = match &reader.metrics.millis_behind_latest {
        Some(series) => (series, "SubscribeToShardEvent.MillisBehindLatest"),
        None => (&side.metrics.iterator_age, "GetRecords.IteratorAgeMilliseconds"),
    };
    let position = newest(first, source, now);
    let function = newest(&reader.metrics.iterator_age, "IteratorAge of the function", now);
    match (position, function) {
        (Observed::Known(position), Observed::Known(function)) => {
            let counts = function.sample_age <= position.sample_age && function.lag > position.lag;
            Observed::Known(if counts { function } else { position })
        }
        (position, _) => position,
    }
}

fn newest(series: &Observed<Series>, source: &'static str, now: Timestamp) -> Observed<Lag> {
    let series = match series {
        Observed::Known(series) => series,
        Observed::Unknown(reason) => return Observed::Unknown(reason.clone()),
    };
    let Some(point) = series.last() else {
        let text = format!("{source} has no data point; no reader may be polling");
        return Observed::Unknown(Reason::new(FailureKind::NotFound, text));
    };
    let ended = point.at + series.period;
    Observed::Known(Lag {
        lag: Duration::from_millis(point.value.max(0.0).round() as u64),
        sample_age: Duration::try_from(now.duration_since(ended)).unwrap_or_default(),
        source,
    })
}

/// Whether a Region's stream answers its callers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// The error rate is below the threshold.
    Healthy(f64),
    /// At or above it.
    Degraded(f64),
    /// No calls, or no data.
    Unknown(String),
}

/// The post's error rate over the window of the objectives, from the right counters: failed calls over calls
/// (Sum and SampleCount, never an average of averages), and failed records of PutRecords. The post asks for an
/// average of PutRecord.Success and GetRecords.Success, which hides partial failures and ignores weights.
pub fn health(metrics: &StreamMetrics, objectives: &Objectives, timing: &Timing, now: Timestamp) -> Health {
    let from = now - objectives.error_window - timing.fresh;
    let sum = |series: &Observed<Series>| -> Result<f64, String> {
        let series = series.as_result().map_err(|reason| reason.text.clone())?;
        Ok(series.sum_since(from).unwrap_or(0.0))
    };
    let counted = || -> Result<(f64, f64), String> {
        let puts = sum(&metrics.put_record_calls)?;
        let gets = sum(&metrics.get_records_calls)?;
        let failed_puts = (puts - sum(&metrics.put_record_success)?).max(0.0);
        let failed_gets = (gets - sum(&metrics.get_records_success)?).max(0.0);
        let failed = failed_puts + failed_gets + sum(&metrics.put_records_failed)?;
        Ok((failed, puts + gets + sum(&metrics.put_records_total)?))
    };
    match counted() {
        Err(why) => Health::Unknown(why),
        Ok((_, 0.0)) => Health::Unknown("no calls in the window".to_owned()),
        Ok((failed, calls)) if failed / calls >= objectives.error_rate => Health::Degraded(failed / calls),
        Ok((failed, calls)) => Health::Healthy(failed / calls),
    }
}

/// The APIs of a Region that did not answer, in words.
pub fn silent_apis(snapshot: &Snapshot, region: &Region) -> Vec<String> {
    let Some(view) = snapshot.regions.get(region) else { return Vec::new() };
    let failed = view.apis.iter().filter(|api| api.failed > 0);
    failed.map(|api| format!("{}: {}", api.operation, api.reason.as_deref().unwrap_or("no answer"))).collect()
}

/// A reader for one role of one side, as the steps name it.
pub fn reader_of(
    pipeline: &crate::config::Pipeline,
    regions: &crate::config::Regions,
    side: crate::model::Side,
) -> Reader {
    Reader {
        side,
        region: regions.of(side).clone(),
        role: crate::steps::Role::Consumer,
        function: pipeline.consumer.function.of(side).clone(),
        source: pipeline.consumer_source(side),
    }
}

/// The replicator, where one is configured.
pub fn replicator_of(pipeline: &crate::config::Pipeline, regions: &crate::config::Regions) -> Option<Reader> {
    let replicator = pipeline.replicator.as_ref()?;
    Some(Reader {
        side: crate::model::Side::Primary,
        region: regions.primary.clone(),
        role: crate::steps::Role::Replicator,
        function: replicator.function.clone(),
        source: pipeline.replicator_source()?,
    })
}
