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
    /// The newest of them, ascending: what an operator can check by eye.
    #[serde(default)]
    pub newest: Vec<Point>,
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
    /// How long ago the start lies; `None` for the trim horizon.
    #[serde(default, rename = "rewind_seconds", with = "crate::model::duration::as_optional_seconds")]
    pub rewind: Option<Duration>,
    /// What the operator should know, one sentence each (clamped to retention, widened window, ...).
    pub notes: Vec<String>,
}

/// Clocks of two Regions and disorder of arrival times; AWS promises neither ("no guarantees about the time stamp
/// accuracy", Kinesis API Reference, GetRecords).
pub const ALLOWANCE: Duration = Duration::from_secs(60);

/// How far an emergency's window reaches back from the newest point, on top of the longest invocation: a shard
/// whose batch is still in hand did not report in the last minutes.
const EMERGENCY_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Periods without trouble in a row before a consumer counts as sound: between two tries of a failing batch of one
/// shard, the other shards look sound.
const SOUND_PERIODS: u32 = 5;

/// Points that are shown of a series.
const SHOWN_POINTS: usize = 10;

/// A point this many times as old as the usual one stands out.
const SPIKE: f64 = 10.0;

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
    /// Whether the mapping has filters: records that they drop are never seen by the function.
    pub is_filtered: bool,
}

/// One lag series by name.
struct Named<'a> {
    name: String,
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
        anchors.extend(self.furthest_shard(widened.min(newest))?);
        let earliest = anchors.iter().map(|a| a.position).fold(earliest, Timestamp::min);
        let mut notes: Vec<String> = note.into_iter().collect();
        notes.extend(series.iter().filter_map(|named| spike(named, widened.min(newest), self.now)));
        let origin = Origin::Derived { anchors, window_from: widened.min(newest), earliest };
        Ok(self.position(earliest, origin, notes))
    }

    /// How far back points count. In an emergency a batch may have been in hand for as long as the function may
    /// run, and has reported nothing yet.
    fn window(&self, period: Duration) -> Duration {
        match self.mode {
            Mode::Planned => period * PLANNED_PERIODS,
            Mode::Emergency => EMERGENCY_WINDOW + self.longest_batch(),
        }
    }

    fn longest_batch(&self) -> Duration {
        self.buffer.consumer_timeout + self.buffer.batching_window
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
        self.must_have_processed(age, function)?;
        let all = [(position.known(), name), (age, function)];
        let named =
            |(series, name): (Option<_>, &str)| Some(Named { name: name.to_owned(), series: series? });
        Ok(all.into_iter().filter_map(named).collect())
    }

    /// Of all the shards' anchors, the earliest: an operator need not read sixty-four.
    fn furthest_shard(&self, from: Timestamp) -> Result<Option<Anchor>, String> {
        let shards = self.shard_series()?;
        let of_shard = |named: &Named<'_>| {
            let newest = named.series.complete(self.now).last()?.at;
            anchor(named, from.min(newest - self.window(named.series.period)), self.now)
        };
        let mut furthest = shards.iter().filter_map(of_shard).min_by_key(|anchor| anchor.position);
        if let Some(anchor) = &mut furthest {
            anchor.series = format!("{}, the furthest behind of {} shards", anchor.series, shards.len());
        }
        Ok(furthest)
    }

    /// Records that arrived and a function that processed nothing leave an emergency without an anchor.
    fn must_have_processed(&self, age: Option<&Series>, name: &str) -> Result<(), String> {
        let is_silent = age.is_none_or(|series| series.points.is_empty());
        let arrived = self.stream.incoming_records.known().and_then(|s| s.sum_since(self.now - self.history));
        if self.mode != Mode::Emergency || !is_silent || arrived.unwrap_or(0.0) <= 0.0 {
            return Ok(());
        }
        let filters = match self.is_filtered {
            true => " (or its filters drop everything)",
            false => "",
        };
        Err(format!(
            "records arrived and {name} has no data point: the consumer processed nothing that is known{filters}"
        ))
    }

    /// The lag of every open shard, where the stream has shard-level metrics. They are those of GetRecords, so
    /// they say nothing of an enhanced fan-out consumer. A shard without a point is a shard that nobody reads.
    fn shard_series(&self) -> Result<Vec<Named<'_>>, String> {
        let (Some(shards), None) = (&self.stream.shard_iterator_age, &self.reader.millis_behind_latest)
        else {
            return Ok(Vec::new());
        };
        let shards = shards
            .as_result()
            .map_err(|reason| format!("the shards' IteratorAgeMilliseconds is unknown: {}", reason.text))?;
        if let Some((shard, _)) = shards.iter().find(|(_, series)| series.complete(self.now).is_empty()) {
            return Err(format!("{shard} has no data point of its lag: nothing says how far it was read"));
        }
        let named = |(shard, series)| Named { name: format!("{shard} IteratorAgeMilliseconds"), series };
        Ok(shards.iter().map(named).collect())
    }

    /// An emergency's window must begin before any trouble: the iterator age is that of the newest record of a
    /// batch, and a batch may span the whole time of a throttling.
    fn widen(&self, from: Timestamp) -> Result<(Timestamp, Option<String>), String> {
        if self.mode == Mode::Planned {
            return Ok((from, None));
        }
        let invocations = self.reader.invocations.as_result().map_err(|reason| reason.text.clone())?;
        let spell = invocations.period * SOUND_PERIODS;
        let trouble = self.troubled_periods()?;
        let Some((first, what)) = trouble.iter().find(|(at, _)| *at + spell >= from) else {
            return Ok((from, None));
        };
        let is_sound = |point: &&Point| {
            let in_spell = |at: Timestamp| at <= point.at && at + spell > point.at;
            point.at < *first && point.value > 0.0 && !trouble.iter().any(|(at, _)| in_spell(*at))
        };
        match invocations.points.iter().rev().find(is_sound) {
            Some(point) => {
                let note = format!("{what} since {first}: the window was widened back to {}", point.at);
                Ok((point.at.min(from), Some(note)))
            }
            None => Err(format!("the consumer had {what} at {first} and no sound period before it is known")),
        }
    }

    /// When something was wrong, ascending, with what.
    fn troubled_periods(&self) -> Result<Vec<(Timestamp, &'static str)>, String> {
        let mut trouble = Vec::new();
        for (series, what) in [(&self.reader.errors, "errors"), (&self.reader.throttles, "throttles")] {
            let series = series.as_result().map_err(|reason| reason.text.clone())?;
            trouble.extend(series.points.iter().filter(|p| p.value > 0.0).map(|p| (p.at, what)));
        }
        trouble
            .extend(self.gaps().into_iter().map(|at| (at, "a gap (records arrived, none were processed)")));
        trouble.sort_unstable();
        Ok(trouble)
    }

    /// Periods in which records arrived and after which the function reported nothing for longer than a batch
    /// may take, although it reported later: it was stuck without an error. What arrived after its last point
    /// is not a gap but what is looked for.
    fn gaps(&self) -> Vec<Timestamp> {
        let (Some(ages), Some(arrived)) =
            (self.reader.iterator_age.known(), self.stream.incoming_records.known())
        else {
            return Vec::new();
        };
        let patience = self.longest_batch() + ages.period * 2;
        let Some(last) = ages.points.last() else { return Vec::new() };
        let processed = |at: Timestamp| {
            let next = ages.since(at).first();
            next.is_some_and(|point| point.at <= at + patience)
        };
        let due = arrived.points.iter().filter(|p| p.value > 0.0 && p.at + patience < last.at);
        due.filter(|point| !self.is_filtered && !processed(point.at)).map(|point| point.at).collect()
    }

    /// `S` from `p`, clamped to what the standby's stream still has.
    pub fn position(&self, earliest: Timestamp, origin: Origin, mut notes: Vec<String>) -> Position {
        // AWS refuses a start in the future, and a clock that is ahead must not skip anything either.
        let earliest = earliest.min(self.now);
        let start =
            floor_to(earliest - self.buffer.total(), self.tumbling_window.max(Duration::from_secs(1)));
        let horizon = self.now - self.retention;
        let start = if start <= horizon {
            notes.push(format!(
                "the start would lie before the standby stream's retention ({}), so it is its oldest record; \
                 what arrived earlier and was not processed is gone there",
                crate::model::duration::show(self.retention)
            ));
            StartAt::TrimHorizon
        } else {
            StartAt::Timestamp(start)
        };
        self.at(start, origin, notes)
    }

    /// A position that is given, with what it costs. AWS takes one before the stream's oldest record without a
    /// word and starts at that record (Kinesis API Reference, GetShardIterator).
    pub fn at(&self, start: StartAt, origin: Origin, mut notes: Vec<String>) -> Position {
        if matches!(start, StartAt::Timestamp(at) if at <= self.now - self.retention) {
            notes.push(format!(
                "the start lies before the standby stream's retention ({}): it is the same as trim-horizon",
                crate::model::duration::show(self.retention)
            ));
        }
        let rewind = match start {
            StartAt::Timestamp(at) => Duration::try_from(self.now.duration_since(at)).ok(),
            StartAt::TrimHorizon => None,
        };
        Position { start, origin, buffer: self.buffer, duplicates: self.duplicates(start), rewind, notes }
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

fn position_of(point: &Point) -> Timestamp {
    point.at - Duration::from_secs_f64(point.value.max(0.0) / 1000.0)
}

fn in_window(series: &Series, from: Timestamp, now: Timestamp) -> &[Point] {
    let complete = series.complete(now);
    &complete[complete.partition_point(|p| p.at < from)..]
}

fn anchor(named: &Named<'_>, from: Timestamp, now: Timestamp) -> Option<Anchor> {
    let points = in_window(named.series, from, now);
    let decisive = points.iter().min_by_key(|point| position_of(point))?;
    Some(Anchor {
        series: named.name.clone(),
        points: points.len(),
        newest: points[points.len().saturating_sub(SHOWN_POINTS)..].to_vec(),
        decisive: *decisive,
        position: position_of(decisive),
    })
}

/// A point that stands out. AWS documents spikes without a cause (a worker that restarts on an idle stream): they
/// are obeyed, since they only move the start back, and said, since they cost duplicates.
fn spike(named: &Named<'_>, from: Timestamp, now: Timestamp) -> Option<String> {
    let points = in_window(named.series, from, now);
    let decisive = points.iter().min_by_key(|point| position_of(point))?;
    let mut ages: Vec<f64> = points.iter().map(|point| point.value).collect();
    ages.sort_unstable_by(f64::total_cmp);
    let usual = ages.get(ages.len() / 2).copied()?.max(60_000.0);
    (decisive.value > usual * SPIKE).then(|| {
        format!(
            "{} stands out at {} ({}): it moves the start back, which skips nothing and costs duplicates; \
             if it is known to be false, give --start-at",
            named.name,
            decisive.at,
            crate::model::duration::show(Duration::from_millis(decisive.value as u64))
        )
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
            put_records_throttled: none(),
            writes_throttled: none(),
            reads_throttled: none(),
            shard_iterator_age: None,
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
            is_filtered: false,
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
    fn a_gap_without_errors_is_reached_behind() {
        // Records arrive all the time; between 20 and 40 the function reports nothing, and goes on afterwards.
        let every: Vec<(i64, f64)> = (0..60).map(|m| (m, 5.0)).collect();
        let ages: Vec<(i64, f64)> = (0..60).filter(|m| !(20..40).contains(m)).map(|m| (m, 500.0)).collect();
        let reader = reader(&ages, &[], &ages);
        let stream = stream(&every, &every);
        let position = evidence(&reader, &stream, Mode::Emergency, 51).derive().expect("data points");
        assert!(start(&position) <= at(20), "{}", start(&position));
        assert!(position.notes.iter().any(|note| note.contains("gap")), "{:?}", position.notes);
    }

    #[test]
    fn an_idle_stream_has_no_gap() {
        let every: Vec<(i64, f64)> = (0..60).map(|m| (m, 0.0)).collect();
        let rare = [(5, 800.0), (55, 800.0)];
        let reader = reader(&rare, &[], &rare);
        let stream = stream(&every, &[(5, 1.0), (55, 1.0)]);
        let position = evidence(&reader, &stream, Mode::Emergency, 61).derive().expect("data points");
        assert!(position.notes.is_empty(), "{:?}", position.notes);
    }

    #[test]
    fn a_sound_minute_between_two_tries_of_a_failing_batch_is_not_trusted() {
        let every: Vec<(i64, f64)> = (0..60).map(|m| (m, 5.0)).collect();
        // One shard's batch fails every third minute since 20; the other shards are well in between.
        let errors: Vec<(i64, f64)> = (20..60).step_by(3).map(|m| (m, 1.0)).collect();
        let reader = reader(&every, &errors, &every);
        let stream = stream(&every, &every);
        let position = evidence(&reader, &stream, Mode::Emergency, 61).derive().expect("data points");
        assert!(start(&position) <= at(19), "{}", start(&position));
    }

    #[test]
    fn the_window_reaches_back_over_the_longest_invocation() {
        let ages: Vec<(i64, f64)> = (0..60).map(|m| (m, if m == 32 { 120_000.0 } else { 100.0 })).collect();
        let reader = reader(&ages, &[], &ages);
        let stream = stream(&ages, &[]);
        let mut evidence = evidence(&reader, &stream, Mode::Emergency, 61);
        evidence.buffer.consumer_timeout = Duration::from_secs(900);
        let position = evidence.derive().expect("data points");
        assert!(start(&position) <= at(30) - MINUTE * 21, "{}", start(&position));
    }

    fn by_shard(shards: &[(&str, &[(i64, f64)])]) -> Option<Observed<crate::model::ShardSeries>> {
        let one =
            |(id, points): &(&str, &[(i64, f64)])| Some(((*id).to_owned(), series(points).known()?.clone()));
        Some(Observed::Known(shards.iter().filter_map(one).collect()))
    }

    #[test]
    fn the_furthest_shard_decides_where_shards_have_metrics() {
        let reader = reader(&[(30, 100.0)], &[], &[(30, 1.0)]);
        let mut stream = stream(&[(30, 100.0)], &[]);
        // The stream's own maximum did not see a shard that nobody read in the window.
        stream.shard_iterator_age = by_shard(&[("shard-0", &[(30, 100.0)]), ("shard-1", &[(2, 60_000.0)])]);
        let position = evidence(&reader, &stream, Mode::Emergency, 32).derive().expect("data points");
        assert!(start(&position) <= at(1) - MINUTE * 6, "{}", start(&position));
    }

    #[test]
    fn an_open_shard_without_a_point_gives_no_automatic_answer() {
        let reader = reader(&[(30, 100.0)], &[], &[(30, 1.0)]);
        let mut stream = stream(&[(30, 100.0)], &[]);
        stream.shard_iterator_age = by_shard(&[("shard-0", &[(30, 100.0)]), ("shard-1", &[])]);
        for mode in [Mode::Planned, Mode::Emergency] {
            let why = evidence(&reader, &stream, mode, 32).derive().expect_err("shard-1 is not known");
            assert!(why.contains("shard-1"), "{why}");
        }
    }

    #[test]
    fn a_point_that_stands_out_is_obeyed_and_said() {
        let ages: Vec<(i64, f64)> = (0..30).map(|m| (m, if m == 28 { 7_200_000.0 } else { 50.0 })).collect();
        let reader = reader(&[(29, 50.0)], &[], &[(29, 1.0)]);
        let stream = stream(&ages, &[]);
        let position = evidence(&reader, &stream, Mode::Planned, 31).derive().expect("data points");
        assert!(start(&position) <= at(28) - MINUTE * 120, "{}", start(&position));
        assert!(position.notes.iter().any(|note| note.contains("stands out")), "{:?}", position.notes);
    }

    #[test]
    fn a_clock_that_is_ahead_does_not_start_in_the_future() {
        // A negative age does not exist; a point's period may begin after "now" only if clocks disagree.
        let reader = reader(&[(0, 0.0)], &[], &[(0, 1.0)]);
        let stream = stream(&[(0, 0.0)], &[]);
        let evidence = evidence(&reader, &stream, Mode::Planned, 1);
        let ahead = evidence.position(at(500), Origin::Operator, Vec::new());
        assert!(start(&ahead) < evidence.now, "{}", start(&ahead));
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
