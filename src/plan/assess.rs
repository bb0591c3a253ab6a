//! Reading a snapshot: which Region is active, how far a reader is behind, whether a Region is healthy.
//! `status`, preflight and `verify` all judge by these.

use crate::config::{Objectives, Timing};
use crate::model::{
    ApiAnswer, Observed, PipelineView, Point, Reason, Region, Series, SideView, Snapshot, StreamMetrics,
    Timestamp, duration, failure::FailureKind,
};
use crate::steps::Reader;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// Where the producers write now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lag {
    /// The lag: the largest of the series that are fresh.
    #[serde(rename = "lag_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub lag: Duration,
    /// How long ago the sample's period ended.
    #[serde(rename = "sample_age_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub sample_age: Duration,
    /// The metric it comes from.
    pub source: &'static str,
}

/// A reader's lag at its newest data point, which may be hours old ([`fresh_lag`] says what it is now): its own position
/// metric (`MillisBehindLatest` for enhanced fan-out, the stream's iterator age otherwise), or the function's iterator
/// age where that is as fresh and larger: a batch in hand counts as lag.
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

/// A reader's lag now, which an older data point than `fresh` does not tell: a reader that died an hour ago was up to
/// date an hour ago. Both metrics of a position have points as long as somebody reads, be there records or not.
pub fn fresh_lag(
    side: &SideView,
    reader: &crate::model::ReaderView,
    fresh: Duration,
    now: Timestamp,
) -> Observed<Lag> {
    match lag(side, reader, now) {
        Observed::Known(lag) if lag.sample_age > fresh => {
            let age = duration::show(Duration::from_secs(lag.sample_age.as_secs()));
            let text = format!("the newest data point of {} is {age} old and proves nothing", lag.source);
            Observed::Unknown(Reason::new(FailureKind::Stale, text))
        }
        found => found,
    }
}

/// How a reader's lag went: at each instant the larger of the two series that [`lag`] looks at. The function's own
/// adds to the other one, without which nothing is known.
pub fn lags(side: &SideView, reader: &crate::model::ReaderView) -> Observed<Series> {
    let position = reader.metrics.millis_behind_latest.as_ref().unwrap_or(&side.metrics.iterator_age);
    let (Observed::Known(position), Observed::Known(function)) = (position, &reader.metrics.iterator_age)
    else {
        return position.clone();
    };
    let mut by_time: BTreeMap<Timestamp, f64> = position.points.iter().map(|p| (p.at, p.value)).collect();
    for point in &function.points {
        let known = by_time.entry(point.at).or_insert(point.value);
        *known = known.max(point.value);
    }
    let points = by_time.into_iter().map(|(at, value)| Point { at, value }).collect();
    Observed::Known(Series { period: position.period, points })
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

/// A call of the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Counted by calls.
    PutRecord,
    /// Counted by records.
    PutRecords,
    /// Counted by calls.
    GetRecords,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Operation::PutRecord => "PutRecord",
            Operation::PutRecords => "PutRecords",
            Operation::GetRecords => "GetRecords",
        })
    }
}

/// Shares of one operation, from 0 to 1: of the one that fails most, since many calls of another one would hide it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rates {
    /// The operation that fails most.
    pub operation: Operation,
    /// What failed of it inside the service.
    pub errors: f64,
    /// The largest share of an operation that was refused because a shard's limit was reached: a matter of size, which
    /// no other Region mends.
    pub throttled: f64,
}

/// Whether a Region's stream answers its callers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// The error rate is below the threshold.
    Healthy(Rates),
    /// At or above it.
    Degraded(Rates),
    /// No calls, or no data.
    Unknown(String),
}

/// The error rate over the window of the objectives: the worst of one share an operation, each from the right counters
/// (Sum and SampleCount, never an average of averages). The post asks for an average of PutRecord.Success and
/// GetRecords.Success, which counts throttling as failure, hides partial failures and ignores weights (Kinesis
/// Developer Guide, monitoring-with-cloudwatch). One share of all calls together is no better: reads are few, and all
/// of them may fail beside many writes.
pub fn health(metrics: &StreamMetrics, objectives: &Objectives, timing: &Timing, now: Timestamp) -> Health {
    let from = now - objectives.error_window - timing.fresh;
    match rates(metrics, from) {
        Err(why) => Health::Unknown(why),
        Ok(None) => Health::Unknown("no calls in the window".to_owned()),
        Ok(Some(rates)) if rates.errors >= objectives.error_rate => Health::Degraded(rates),
        Ok(Some(rates)) => Health::Healthy(rates),
    }
}

/// What became of an operation's calls or records.
struct Counted {
    operation: Operation,
    all: f64,
    failed: f64,
    throttled: f64,
}

impl Counted {
    fn calls(operation: Operation, all: f64, succeeded: f64, throttled: f64) -> Counted {
        Counted { operation, all, failed: (all - succeeded - throttled).max(0.0), throttled }
    }

    fn share(&self, part: f64) -> f64 {
        (part / self.all).clamp(0.0, 1.0)
    }

    fn errors(&self) -> f64 {
        self.share(self.failed)
    }
}

/// `None`: nobody called. An operation that nobody calls has no share.
fn rates(metrics: &StreamMetrics, from: Timestamp) -> Result<Option<Rates>, String> {
    let counted = counted(metrics, from)?;
    let called: Vec<&Counted> = counted.iter().filter(|counted| counted.all > 0.0).collect();
    let worst = called.iter().max_by(|one, other| one.errors().total_cmp(&other.errors()));
    let throttled = called.iter().map(|counted| counted.share(counted.throttled)).fold(0.0, f64::max);
    Ok(worst.map(|worst| Rates { operation: worst.operation, errors: worst.errors(), throttled }))
}

fn counted(metrics: &StreamMetrics, from: Timestamp) -> Result<[Counted; 3], String> {
    let sum = |series: &Observed<Series>| -> Result<f64, String> {
        let series = series.as_result().map_err(|reason| reason.text.clone())?;
        Ok(series.sum_since(from).unwrap_or(0.0))
    };
    let records_throttled = sum(&metrics.put_records_throttled)?;
    // The stream's throttled writes are those of PutRecord and PutRecords together.
    let puts_throttled = (sum(&metrics.writes_throttled)? - records_throttled).max(0.0);
    let (puts, put) = (sum(&metrics.put_record_calls)?, sum(&metrics.put_record_success)?);
    let (gets, got) = (sum(&metrics.get_records_calls)?, sum(&metrics.get_records_success)?);
    let records = Counted {
        operation: Operation::PutRecords,
        all: sum(&metrics.put_records_total)?,
        failed: sum(&metrics.put_records_failed)?,
        throttled: records_throttled,
    };
    Ok([
        Counted::calls(Operation::GetRecords, gets, got, sum(&metrics.reads_throttled)?),
        records,
        Counted::calls(Operation::PutRecord, puts, put, puts_throttled),
    ])
}

/// The APIs of a Region that did not answer, in words: one line where none of them did.
pub fn silent_apis(snapshot: &Snapshot, region: &Region) -> Vec<String> {
    let Some(view) = snapshot.regions.get(region) else { return Vec::new() };
    let failed = view.apis.iter().filter(|api| api.failed > 0);
    let lines = failed.map(|api| match api.reason.as_deref() {
        Some(reason) if reason.starts_with(&api.operation) => reason.to_owned(),
        reason => format!("{}: {}", api.operation, reason.unwrap_or("no answer")),
    });
    if !is_silent(snapshot, region) {
        return lines.collect();
    }
    let calls: u32 = view.apis.iter().map(|api| api.failed).sum();
    // After some silences an API is not asked again: that is no reason of its own.
    let lines: Vec<String> = lines.filter(|line| !line.contains("not asked again")).collect();
    let why = lines.first().and_then(|line| line.rsplit_once(": ")).map_or("no answer", |(_, why)| why);
    vec![format!("SILENT: none of {calls} calls was answered ({why})")]
}

/// Whether a Region was asked and gave no sign of life at all.
pub fn is_silent(snapshot: &Snapshot, region: &Region) -> bool {
    let Some(view) = snapshot.regions.get(region) else { return false };
    let is_silence = |api: &ApiAnswer| {
        api.answered == 0 && matches!(api.kind, Some(FailureKind::TimedOut | FailureKind::Unreachable))
    };
    !view.apis.is_empty() && view.apis.iter().all(is_silence)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;

    fn now() -> Timestamp {
        "2026-11-22T10:10:00Z".parse().expect("an instant")
    }

    fn series(sum: Option<f64>) -> Observed<Series> {
        let at = now() - Duration::from_secs(180);
        let points = sum.map(|value| Point { at, value }).into_iter().collect();
        Observed::Known(Series { period: Duration::from_secs(60), points })
    }

    fn metrics() -> StreamMetrics {
        StreamMetrics {
            incoming_records: series(None),
            iterator_age: series(None),
            put_record_success: series(None),
            put_record_calls: series(None),
            put_records_total: series(None),
            put_records_failed: series(None),
            get_records_success: series(None),
            get_records_calls: series(None),
            put_records_throttled: series(None),
            writes_throttled: series(None),
            reads_throttled: series(None),
            shard_iterator_age: None,
        }
    }

    fn judge(metrics: &StreamMetrics) -> Health {
        health(metrics, &Objectives::default(), &Timing::default(), now())
    }

    #[test]
    fn no_traffic_is_unknown_and_not_healthy() {
        assert!(matches!(judge(&metrics()), Health::Unknown(_)));
    }

    #[test]
    fn a_metric_that_is_unknown_makes_the_health_unknown() {
        let unknown = Observed::Unknown(Reason::new(FailureKind::TimedOut, "CloudWatch did not answer"));
        let metrics =
            StreamMetrics { reads_throttled: unknown, put_record_calls: series(Some(9.0)), ..metrics() };
        assert_eq!(judge(&metrics), Health::Unknown("CloudWatch did not answer".to_owned()));
    }

    #[test]
    fn throttling_is_told_apart_from_failure() {
        // Half of the puts were refused for the shards' limits: their success ratio is one half.
        let metrics = StreamMetrics {
            put_record_calls: series(Some(1000.0)),
            put_record_success: series(Some(500.0)),
            writes_throttled: series(Some(500.0)),
            ..metrics()
        };
        let rates = Rates { operation: Operation::PutRecord, errors: 0.0, throttled: 0.5 };
        assert_eq!(judge(&metrics), Health::Healthy(rates));
    }

    #[test]
    fn the_limit_is_that_of_the_objectives() {
        let metrics = StreamMetrics {
            put_record_calls: series(Some(1000.0)),
            put_record_success: series(Some(980.0)),
            ..metrics()
        };
        let at = |error_rate| {
            let objectives = Objectives { error_rate, ..Objectives::default() };
            health(&metrics, &objectives, &Timing::default(), now())
        };
        let rates = Rates { operation: Operation::PutRecord, errors: 0.02, throttled: 0.0 };
        assert_eq!(at(0.01), Health::Degraded(rates));
        assert_eq!(at(0.02), Health::Degraded(rates), "at the limit is not below it");
        assert_eq!(at(0.03), Health::Healthy(rates));
    }

    #[test]
    fn the_window_is_that_of_the_objectives() {
        // Everything failed for a minute, twelve minutes ago, and nothing since.
        let two = |then: f64, since: f64| {
            let at = |minutes: u64| now() - Duration::from_secs(60 * minutes);
            let points = [(12, then), (3, since)].map(|(m, value)| Point { at: at(m), value });
            Observed::Known(Series { period: Duration::from_secs(60), points: points.to_vec() })
        };
        let metrics = StreamMetrics {
            put_record_calls: two(100.0, 100.0),
            put_record_success: two(0.0, 100.0),
            ..metrics()
        };
        let over = |minutes: u64| {
            let error_window = Duration::from_secs(60 * minutes);
            let objectives = Objectives { error_window, ..Objectives::default() };
            health(&metrics, &objectives, &Timing::default(), now())
        };
        let rates = |errors| Rates { operation: Operation::PutRecord, errors, throttled: 0.0 };
        assert_eq!(over(5), Health::Healthy(rates(0.0)));
        assert_eq!(over(10), Health::Degraded(rates(0.5)));
    }

    #[test]
    fn failed_records_count_although_put_records_calls_it_a_success() {
        let metrics = StreamMetrics {
            put_records_total: series(Some(1000.0)),
            put_records_failed: series(Some(20.0)),
            put_records_throttled: series(Some(30.0)),
            writes_throttled: series(Some(30.0)),
            ..metrics()
        };
        let rates = Rates { operation: Operation::PutRecords, errors: 0.02, throttled: 0.03 };
        assert_eq!(judge(&metrics), Health::Degraded(rates));
    }

    #[test]
    fn calls_of_one_operation_weigh_as_many_as_they_are() {
        // Two points of one metric, of 10 % and of 0 % errors: an average of the two would say 5 %.
        let two = |values: [f64; 2]| {
            let at = |minutes: u64| now() - Duration::from_secs(60 * minutes);
            let points = [(4, values[0]), (3, values[1])].map(|(m, value)| Point { at: at(m), value });
            Observed::Known(Series { period: Duration::from_secs(60), points: points.to_vec() })
        };
        let metrics = StreamMetrics {
            put_record_calls: two([10.0, 10_000.0]),
            put_record_success: two([9.0, 10_000.0]),
            ..metrics()
        };
        assert!(matches!(judge(&metrics), Health::Healthy(rates) if rates.errors < 0.001));
    }

    #[test]
    fn an_operation_that_fails_altogether_does_not_drown_in_the_calls_of_another() {
        let reads_fail = StreamMetrics {
            put_records_total: series(Some(30_000.0)),
            put_records_failed: series(Some(0.0)),
            get_records_calls: series(Some(240.0)),
            get_records_success: series(Some(0.0)),
            ..metrics()
        };
        let all_of = |operation| Health::Degraded(Rates { operation, errors: 1.0, throttled: 0.0 });
        assert_eq!(judge(&reads_fail), all_of(Operation::GetRecords));
        let writes_fail = StreamMetrics {
            get_records_calls: series(Some(3_000.0)),
            get_records_success: series(Some(3_000.0)),
            put_record_calls: series(Some(25.0)),
            put_record_success: series(Some(0.0)),
            ..metrics()
        };
        assert_eq!(judge(&writes_fail), all_of(Operation::PutRecord));
    }

    #[test]
    fn an_operation_that_nobody_calls_has_no_share() {
        // Reads that go well are no word about writes, and writes that do not come are no failure.
        let metrics = StreamMetrics {
            get_records_calls: series(Some(240.0)),
            get_records_success: series(Some(240.0)),
            put_record_calls: series(Some(0.0)),
            ..metrics()
        };
        let rates = Rates { operation: Operation::GetRecords, errors: 0.0, throttled: 0.0 };
        assert_eq!(judge(&metrics), Health::Healthy(rates));
    }
}
