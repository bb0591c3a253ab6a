//! Where the standby's consumer starts, so that no unprocessed record lies before it.
//!
//! `p = min over series, over points k in the window, of (T_k - A_k)`, with `T_k` the start of the point's
//! period and `A_k` the age: anchored on data points, never on anybody's clock. Then
//! `S = floor_to_second(p - overlap_buffer - consumer timeout - batching window - allowance)`. The evidence for
//! every part is in the Lambda Developer Guide (monitoring-metrics-types) and the CloudWatch User Guide
//! (cloudwatch_concepts); a start that is too early repeats records, one that is too late skips them.

use crate::model::{Observed, Point, ReaderMetrics, Series, StartAt, StreamMetrics, Timestamp};
use crate::plan::Mode;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One series that took part, with the point that decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// The metric, e.g. `AWS/Lambda IteratorAge Maximum`.
    pub series: String,
    /// How many points were in the window.
    pub points: usize,
    /// The point with the earliest position.
    pub decisive: Point,
    /// `T_k - A_k` of that point.
    pub position: Timestamp,
}

/// Where the position comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Derived from data points.
    Derived {
        /// The series.
        anchors: Vec<Anchor>,
        /// The earliest moment that the window reaches back to.
        window_from: Timestamp,
        /// The earliest of the anchors' positions.
        earliest: Timestamp,
    },
    /// `--start-at`.
    Operator,
    /// The run mark of an unfinished run.
    RunMark,
}

/// What is taken off the derived position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buffer {
    /// The operator's overlap buffer.
    #[serde(rename = "overlap_seconds", with = "crate::model::duration::as_seconds")]
    pub overlap: Duration,
    /// The consumer's timeout.
    #[serde(rename = "consumer_timeout_seconds", with = "crate::model::duration::as_seconds")]
    pub consumer_timeout: Duration,
    /// The mapping's batching window.
    #[serde(rename = "batching_window_seconds", with = "crate::model::duration::as_seconds")]
    pub batching_window: Duration,
    /// For clocks of the two Regions and disorder of arrival times.
    #[serde(rename = "allowance_seconds", with = "crate::model::duration::as_seconds")]
    pub allowance: Duration,
}

impl Buffer {
    /// All of it.
    pub fn total(&self) -> Duration {
        self.overlap + self.consumer_timeout + self.batching_window + self.allowance
    }
}

/// A start position with its arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Where the mapping starts.
    pub start: StartAt,
    /// How that came about.
    pub origin: Origin,
    /// What was taken off.
    pub buffer: Buffer,
    /// Records that will be processed a second time, from IncomingRecords; `None` is unknown.
    pub duplicates: Option<u64>,
    /// What the operator should know, one sentence each (clamped to retention, widened window, ...).
    pub notes: Vec<String>,
}

/// Clocks of two Regions and disorder of arrival times; AWS promises neither ("no guarantees about the time stamp
/// accuracy", Kinesis API Reference, GetRecords).
pub const ALLOWANCE: Duration = Duration::from_secs(60);

/// How far an emergency's window reaches back from the newest point: a shard that did not report in the last
/// minutes is otherwise invisible.
const EMERGENCY_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Periods that a planned run's window reaches back; the drain is proven later.
const PLANNED_PERIODS: u32 = 5;

/// What a position is derived from.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The primary consumer's metrics.
    pub reader: &'a ReaderMetrics,
    /// The primary stream's metrics.
    pub stream: &'a StreamMetrics,
    /// The rules.
    pub mode: Mode,
    /// The server's clock.
    pub now: Timestamp,
    /// How far back the metrics were read.
    pub history: Duration,
    /// What is taken off.
    pub buffer: Buffer,
    /// Tumbling window of the mapping; windows are re-read whole. Zero is none.
    pub tumbling_window: Duration,
    /// How long the standby's stream keeps records.
    pub retention: Duration,
}

/// One lag series by name.
struct Named<'a> {
    name: &'static str,
    series: &'a Series,
}

impl Evidence<'_> {
    /// Derives the start position, or says why there is no automatic answer.
    ///
    /// # Errors
    /// A sentence for the operator; the way out is `--start-at`.
    pub fn derive(&self) -> Result<Position, String> {
        let series = self.series()?;
        let window = |s: &Series| -> Option<Timestamp> {
            Some(s.complete(self.now).last()?.at - self.window(s.period))
        };
        let starts: Vec<Option<Timestamp>> = series.iter().map(|s| window(s.series)).collect();
        let newest = starts.iter().flatten().max().copied();
        let newest =
            newest.ok_or("no lag series has a data point: nothing says how far the consumer had come")?;
        let (widened, note) = self.widen(newest)?;
        let mut anchors = Vec::new();
        for (named, start) in series.iter().zip(starts) {
            let Some(start) = start else { continue };
            anchors.extend(anchor(named, start.min(widened), self.now));
        }
        let earliest = anchors.iter().map(|a| a.position).min().ok_or("no data point lies in the window")?;
        let window_from = widened.min(newest);
        let origin = Origin::Derived { anchors, window_from, earliest };
        Ok(self.position(earliest, origin, note.into_iter().collect()))
    }

    fn window(&self, period: Duration) -> Duration {
        match self.mode {
            Mode::Planned => period * PLANNED_PERIODS,
            Mode::Emergency => EMERGENCY_WINDOW,
        }
    }

    /// The lag series that exist for this kind of reader. Both the reader's position and the processor's age
    /// are needed: the first runs ahead of a hung batch, the second names only the newest record of a batch.
    fn series(&self) -> Result<Vec<Named<'_>>, String> {
        let (position, name) = match &self.reader.millis_behind_latest {
            Some(behind) => (behind, "AWS/Kinesis SubscribeToShardEvent.MillisBehindLatest"),
            None => (&self.stream.iterator_age, "AWS/Kinesis GetRecords.IteratorAgeMilliseconds"),
        };
        let known = |series: &'_ Observed<Series>, name: &str| match series {
            Observed::Known(_) => Ok(()),
            Observed::Unknown(reason) => Err(format!("{name} is unknown: {}", reason.text)),
        };
        let function = "AWS/Lambda IteratorAge";
        known(position, name)?;
        known(&self.reader.iterator_age, function)?;
        let age = self.reader.iterator_age.known();
        let is_silent = age.is_none_or(|series| series.points.is_empty());
        let arrived = self.stream.incoming_records.known().and_then(|s| s.sum_since(self.now - self.history));
        if self.mode == Mode::Emergency && is_silent && arrived.unwrap_or(0.0) > 0.0 {
            return Err(format!(
                "records arrived and {function} has no data point: the consumer processed nothing \
                                that is known"
            ));
        }
        let all = [(position.known(), name), (age, function)];
        Ok(all.into_iter().filter_map(|(series, name)| Some(Named { name, series: series? })).collect())
    }

    /// An emergency's window must begin before any trouble: the iterator age is that of the newest record of a
    /// batch, and a batch may span the whole time of a throttling.
    fn widen(&self, from: Timestamp) -> Result<(Timestamp, Option<String>), String> {
        if self.mode == Mode::Planned {
            return Ok((from, None));
        }
        let trouble = self.troubled_periods()?;
        let Some(first) = trouble.iter().find(|at| **at >= from) else { return Ok((from, None)) };
        let invocations = self.reader.invocations.as_result().map_err(|reason| reason.text.clone())?;
        let clean = |point: &&Point| point.at < *first && point.value > 0.0 && !trouble.contains(&point.at);
        match invocations.points.iter().rev().find(clean) {
            Some(point) => {
                let note =
                    format!("errors or throttles since {first}: the window was widened back to {}", point.at);
                Ok((point.at.min(from), Some(note)))
            }
            None => Err(format!(
                "the consumer had errors or throttles at {first} and no sound period before it is known"
            )),
        }
    }

    fn troubled_periods(&self) -> Result<Vec<Timestamp>, String> {
        let mut trouble = Vec::new();
        for series in [&self.reader.errors, &self.reader.throttles] {
            let series = series.as_result().map_err(|reason| reason.text.clone())?;
            trouble.extend(series.points.iter().filter(|p| p.value > 0.0).map(|p| p.at));
        }
        trouble.sort_unstable();
        Ok(trouble)
    }

    /// `S` from `p`, clamped to what the standby's stream still has.
    pub fn position(&self, earliest: Timestamp, origin: Origin, mut notes: Vec<String>) -> Position {
        let start =
            floor_to(earliest - self.buffer.total(), self.tumbling_window.max(Duration::from_secs(1)));
        let horizon = self.now - self.retention;
        let start = if start <= horizon {
            notes.push(format!(
                "the start would lie before the standby stream's retention ({}), so it is its oldest record",
                crate::model::duration::show(self.retention)
            ));
            StartAt::TrimHorizon
        } else {
            StartAt::Timestamp(start)
        };
        Position { start, origin, buffer: self.buffer, duplicates: self.duplicates(start), notes }
    }

    /// Records since the start that the primary has taken, which the standby will process again.
    pub fn duplicates(&self, start: StartAt) -> Option<u64> {
        let StartAt::Timestamp(start) = start else { return None };
        if start < self.now - self.history {
            return None;
        }
        let incoming = self.stream.incoming_records.known()?;
        Some(incoming.sum_since(start - incoming.period).unwrap_or(0.0) as u64)
    }
}

fn anchor(named: &Named<'_>, from: Timestamp, now: Timestamp) -> Option<Anchor> {
    let complete = named.series.complete(now);
    let points = &complete[complete.partition_point(|p| p.at < from)..];
    let position = |point: &Point| point.at - Duration::from_secs_f64(point.value.max(0.0) / 1000.0);
    let decisive = points.iter().min_by_key(|point| position(point))?;
    Some(Anchor {
        series: named.name.to_owned(),
        points: points.len(),
        decisive: *decisive,
        position: position(decisive),
    })
}

/// Rounds down to a whole number of `unit`s since 1970, `unit` in whole seconds.
fn floor_to(at: Timestamp, unit: Duration) -> Timestamp {
    let unit = i64::try_from(unit.as_secs()).unwrap_or(1).max(1);
    let seconds = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
    Timestamp::from_second(seconds.div_euclid(unit) * unit).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FailureKind, Reason};
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).expect("an instant")
    }

    /// Points of (minute, value).
    fn series(points: &[(i64, f64)]) -> Observed<Series> {
        let points = points.iter().map(|(minute, value)| Point { at: at(*minute), value: *value }).collect();
        Observed::Known(Series { period: MINUTE, points })
    }

    fn reader(
        iterator_age: &[(i64, f64)],
        errors: &[(i64, f64)],
        invocations: &[(i64, f64)],
    ) -> ReaderMetrics {
        ReaderMetrics {
            iterator_age: series(iterator_age),
            errors: series(errors),
            throttles: series(&[]),
            invocations: series(invocations),
            millis_behind_latest: None,
            polled_events: series(&[]),
        }
    }

    fn stream(iterator_age: &[(i64, f64)], incoming: &[(i64, f64)]) -> StreamMetrics {
        let none = || series(&[]);
        StreamMetrics {
            incoming_records: series(incoming),
            iterator_age: series(iterator_age),
            put_record_success: none(),
            put_record_calls: none(),
            put_records_total: none(),
            put_records_failed: none(),
            get_records_success: none(),
            get_records_calls: none(),
        }
    }

    fn evidence<'a>(
        reader: &'a ReaderMetrics,
        stream: &'a StreamMetrics,
        mode: Mode,
        now: i64,
    ) -> Evidence<'a> {
        let buffer = Buffer {
            overlap: MINUTE * 5,
            consumer_timeout: Duration::from_secs(30),
            batching_window: Duration::ZERO,
            allowance: ALLOWANCE,
        };
        Evidence {
            reader,
            stream,
            mode,
            now: at(now),
            history: MINUTE * 180,
            buffer,
            tumbling_window: Duration::ZERO,
            retention: MINUTE * 60 * 24,
        }
    }

    fn start(position: &Position) -> Timestamp {
        match position.start {
            StartAt::Timestamp(at) => at,
            StartAt::TrimHorizon => panic!("not expected to be the trim horizon"),
        }
    }

    #[test]
    fn a_consumer_that_died_half_an_hour_ago_is_met_where_it_died() {
        let reader = reader(&[(0, 400.0)], &[], &[(0, 10.0)]);
        let stream = stream(&[(0, 0.0), (-1, 0.0)], &[]);
        let position = evidence(&reader, &stream, Mode::Emergency, 30).derive().expect("data points");
        assert!(start(&position) <= at(0) - MINUTE * 6 - Duration::from_secs(30));
    }

    #[test]
    fn the_earlier_of_reader_and_processor_decides() {
        // The reader runs ahead (lag zero) while the function works on a batch that is ten minutes old.
        let reader = reader(&[(10, 600_000.0)], &[], &[(10, 1.0)]);
        let stream = stream(&[(10, 0.0)], &[(10, 5.0)]);
        let position = evidence(&reader, &stream, Mode::Planned, 12).derive().expect("data points");
        assert!(start(&position) <= at(0) - MINUTE * 6);
    }

    #[test]
    fn no_data_point_gives_no_automatic_answer() {
        let reader = reader(&[], &[], &[]);
        let stream = stream(&[], &[]);
        for mode in [Mode::Planned, Mode::Emergency] {
            assert!(evidence(&reader, &stream, mode, 5).derive().is_err());
        }
    }

    #[test]
    fn an_unknown_series_gives_no_automatic_answer() {
        let mut reader = reader(&[(0, 0.0)], &[], &[]);
        reader.iterator_age =
            Observed::Unknown(Reason::new(FailureKind::TimedOut, "CloudWatch did not answer"));
        let stream = stream(&[(0, 0.0)], &[]);
        let why = evidence(&reader, &stream, Mode::Emergency, 5).derive().expect_err("it is unknown");
        assert!(why.contains("CloudWatch did not answer"), "{why}");
    }

    #[test]
    fn arrivals_without_any_processing_give_an_emergency_no_automatic_answer() {
        let reader = reader(&[], &[], &[]);
        let stream = stream(&[(0, 0.0)], &[(0, 50.0)]);
        assert!(evidence(&reader, &stream, Mode::Emergency, 5).derive().is_err());
        assert!(evidence(&reader, &stream, Mode::Planned, 5).derive().is_ok());
    }

    #[test]
    fn an_emergency_reaches_back_before_errors_began() {
        let invocations: Vec<(i64, f64)> = (0..60).map(|m| (m, 5.0)).collect();
        let ages: Vec<(i64, f64)> = (0..60).map(|m| (m, 1_000.0)).collect();
        let errors: Vec<(i64, f64)> = (20..60).map(|m| (m, 1.0)).collect();
        let reader = reader(&ages, &errors, &invocations);
        let stream = stream(&ages, &[]);
        let position = evidence(&reader, &stream, Mode::Emergency, 61).derive().expect("data points");
        assert!(start(&position) <= at(44), "the window is fifteen minutes at least");
        // The trouble began before the window: no sound period lies between.
        assert!(position.notes.iter().any(|note| note.contains("widened")), "{:?}", position.notes);
        assert!(start(&position) <= at(19), "{}", start(&position));
    }

    #[test]
    fn errors_from_the_beginning_of_the_data_give_no_automatic_answer() {
        let points: Vec<(i64, f64)> = (0..30).map(|m| (m, 5.0)).collect();
        let reader = reader(&points, &points, &points);
        let stream = stream(&points, &[]);
        assert!(evidence(&reader, &stream, Mode::Emergency, 31).derive().is_err());
    }

    #[test]
    fn a_start_before_retention_is_the_oldest_record_and_said_so() {
        let day = 60.0 * 60.0 * 24.0 * 1000.0;
        let reader = reader(&[(0, day)], &[], &[(0, 1.0)]);
        let stream = stream(&[(0, 0.0)], &[]);
        let position = evidence(&reader, &stream, Mode::Planned, 2).derive().expect("data points");
        assert_eq!(position.start, StartAt::TrimHorizon);
        assert_eq!(position.notes.len(), 1);
    }

    #[test]
    fn a_tumbling_window_is_read_again_from_its_beginning() {
        let reader = reader(&[(0, 0.0)], &[], &[(0, 1.0)]);
        let stream = stream(&[(0, 0.0)], &[]);
        let mut evidence = evidence(&reader, &stream, Mode::Planned, 2);
        evidence.tumbling_window = Duration::from_secs(900);
        let position = evidence.derive().expect("data points");
        assert_eq!(start(&position).as_second() % 900, 0);
    }

    proptest! {
        /// Whatever the points are, nothing in the window was unprocessed before the start plus its buffer.
        #[test]
        fn no_point_in_the_window_lies_before_the_start(
            ages in prop::collection::vec((0i64..40, 0.0f64..3_600_000.0), 1..40),
            lags in prop::collection::vec((0i64..40, 0.0f64..3_600_000.0), 1..40),
            emergency: bool,
        ) {
            let sorted = |mut points: Vec<(i64, f64)>| { points.sort_by_key(|p| p.0); points.dedup_by_key(|p| p.0); points };
            let (ages, lags) = (sorted(ages), sorted(lags));
            let reader = reader(&ages, &[], &ages);
            let stream = stream(&lags, &[]);
            let mode = if emergency { Mode::Emergency } else { Mode::Planned };
            let position = evidence(&reader, &stream, mode, 41).derive().expect("points");
            let window = if emergency { 15 } else { 5 };
            for points in [&ages, &lags] {
                let last = points.last().expect("points").0;
                for (minute, value) in points.iter().filter(|(minute, _)| *minute >= last - window) {
                    let unprocessed = at(*minute) - Duration::from_secs_f64(value / 1000.0);
                    prop_assert!(start(&position) + MINUTE * 6 <= unprocessed);
                }
            }
            prop_assert_eq!(start(&position).subsec_nanosecond(), 0);
        }
    }
}
