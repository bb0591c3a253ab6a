//! From the data points to the start: which series, which window, which point decides, what is taken off.

use super::{Anchor, Buffer, Origin, Position};
use crate::model::{Observed, Point, ReaderMetrics, Series, StartAt, StreamMetrics, Timestamp};
use crate::plan::Mode;
use std::time::Duration;

/// How far an emergency's window reaches back from the newest point, on top of the longest invocation: a shard
/// whose batch is still in hand did not report in the last minutes.
const EMERGENCY_WINDOW: Duration = Duration::from_secs(15 * 60);

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
    /// Other streams that the function reads: its metrics are of all of them. `None` is not known.
    pub other_streams: Option<&'a [String]>,
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
        // The series that ended first decides how far back trouble counts: another reader may keep the stream's own
        // age alive long after the consumer has stopped.
        let oldest = starts.iter().flatten().min().copied();
        let oldest =
            oldest.ok_or("no lag series has a data point: nothing says how far the consumer had come")?;
        let (widened, note) = self.widen(oldest)?;
        let mut anchors = Vec::new();
        for (named, start) in series.iter().zip(starts) {
            let Some(start) = start else { continue };
            anchors.extend(anchor(named, start.min(widened)));
        }
        let earliest = anchors.iter().map(|a| a.position).min().ok_or("no data point lies in the window")?;
        anchors.extend(self.furthest_shard(widened.min(oldest))?);
        let earliest = anchors.iter().map(|a| a.position).fold(earliest, Timestamp::min);
        let mut notes: Vec<String> = note.into_iter().collect();
        notes.extend(series.iter().filter_map(|named| spike(named, widened.min(oldest))));
        let origin = Origin::Derived { anchors, window_from: widened.min(oldest), earliest };
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

    pub(super) fn longest_batch(&self) -> Duration {
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
        self.must_be_its_own(function)?;
        known(position, name)?;
        known(&self.reader.iterator_age, function)?;
        let age = self.reader.iterator_age.known();
        self.must_have_processed(age, function)?;
        self.must_have_been_read(position.known(), name)?;
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
            anchor(named, from.min(newest - self.window(named.series.period)))
        };
        let mut furthest = shards.iter().filter_map(of_shard).min_by_key(|anchor| anchor.position);
        if let Some(anchor) = &mut furthest {
            anchor.series = format!("{}, the furthest behind of {} shards", anchor.series, shards.len());
        }
        Ok(furthest)
    }

    /// Points of another stream's batches hide that there are none of this one's. A planned run drains first.
    fn must_be_its_own(&self, name: &str) -> Result<(), String> {
        match (self.mode, self.other_streams) {
            (Mode::Planned, _) | (_, Some([])) => Ok(()),
            (Mode::Emergency, Some(others)) => Err(format!(
                "the consumer's function reads {} too, and {name} is of all its streams: nothing tells how far it has \
                 come in this one",
                others.join(", ")
            )),
            (Mode::Emergency, None) => Err(format!(
                "Lambda does not tell whether the consumer's function reads other streams, nor did it tell a look from \
                 this machine: then {name} would be of all its streams"
            )),
        }
    }

    /// A function that processed nothing for as long as anybody looked leaves an emergency without an anchor: the stream's
    /// own age is that of all its readers, and what waits may have arrived before.
    fn must_have_processed(&self, age: Option<&Series>, name: &str) -> Result<(), String> {
        let is_silent = age.is_none_or(|series| series.points.is_empty());
        if self.mode != Mode::Emergency || !is_silent {
            return Ok(());
        }
        let arrived = self.stream.incoming_records.known().and_then(|s| s.sum_since(self.now - self.history));
        let history = crate::model::duration::show(self.history);
        Err(match (arrived.unwrap_or(0.0) > 0.0, self.is_filtered) {
            (true, true) => format!(
                "records arrived and {name} has no data point: the consumer processed nothing that is known (or its filters \
                 drop everything)"
            ),
            (true, false) => format!(
                "records arrived and {name} has no data point: the consumer processed nothing that is known"
            ),
            (false, _) => format!(
                "{name} has no data point in the last {history}: nothing tells whether records wait that arrived before"
            ),
        })
    }

    /// The function's own age alone is that of the newest record of a batch, which may span an hour.
    fn must_have_been_read(&self, position: Option<&Series>, name: &str) -> Result<(), String> {
        let is_silent = position.is_none_or(|series| series.complete(self.now).is_empty());
        match self.mode {
            Mode::Emergency if is_silent => {
                Err(format!("{name} has no data point: nothing says how far the stream was read"))
            }
            Mode::Emergency | Mode::Planned => Ok(()),
        }
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

    /// `S` from `p`, clamped to what the standby's stream still has.
    pub fn position(&self, earliest: Timestamp, origin: Origin, mut notes: Vec<String>) -> Position {
        // AWS refuses a start in the future, and a clock that is ahead must not skip anything either.
        let earliest = earliest.min(self.now);
        let start =
            floor_to(earliest - self.buffer.total(), self.tumbling_window.max(Duration::from_secs(1)));
        if !self.tumbling_window.is_zero() {
            notes.push(format!(
                "the start is the beginning of a tumbling window of {}: the results of windows from there on may come twice",
                crate::model::duration::show(self.tumbling_window)
            ));
        }
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

/// The newest point may be of a period that is not over. Its age can only grow, which moves the start back, so it counts;
/// how far the window reaches back is taken from the complete ones.
fn anchor(named: &Named<'_>, from: Timestamp) -> Option<Anchor> {
    let points = named.series.since(from);
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
fn spike(named: &Named<'_>, from: Timestamp) -> Option<String> {
    let points = named.series.since(from);
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
