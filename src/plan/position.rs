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
