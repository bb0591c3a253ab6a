//! Waits until a reader's lag is proven zero. Cause data is not zero, a failing function with lag zero is not
//! drained, and a batch may be in flight for as long as the function may run.
//!
//! Proven means, all at one look:
//! 1. the shards were silent for the `hold`: the function's time-out plus the batching window plus the delay with
//!    which CloudWatch would show that the last batch failed;
//! 2. the reader's own position metric (`MillisBehindLatest` for enhanced fan-out, the stream's iterator age
//!    otherwise) has a fresh point, has been zero since before the hold began, and has no gap in between;
//! 3. the function's iterator age has no point above zero within the hold and the longest invocation before it:
//!    nothing was being worked off;
//! 4. no Errors and no Throttles within the hold, a whole time-out before it and the pause before a retry;
//! 5. the reader itself was seen to read since the newest record arrived: a poll of its own, or an invocation. Where the
//!    metrics reach back to no arrival, the evidence says that nothing shows it.
//!
//! Rules 3 and 4 look further back than the silence, since Lambda stamps its metrics with the minute in which an
//! invocation began and sends them when it has ended (Lambda Developer Guide, "Types of metrics"): of batches that
//! follow each other, each as long as the time-out, the last one that can be seen began before the hold did.

mod gone;
mod reads;

use super::reader::{Found, Reader};
use super::{Needs, ProbeNeed, Seen, Step, Undo};
use crate::model::duration;
use crate::model::{
    Check, Effect, Mapping, MappingState, Observed, Point, Progress, Region, Series, SideView, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Waits for a reader to have processed everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Drain {
    /// Who is drained.
    pub reader: Reader,
    /// The function's time-out plus the batching window plus the delay of metrics: how long a failure of the last
    /// batch may take to show.
    #[serde(rename = "hold_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub hold: Duration,
    /// A point whose period ended longer ago proves nothing.
    #[serde(rename = "fresh_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub fresh: Duration,
    /// Whether the mapping is deleted afterwards, and its checkpoint with it: then being stopped is no proof.
    #[serde(default)]
    pub is_deleted: bool,
    /// Why there is no mapping, where there is none.
    #[serde(default)]
    pub missing: Cause,
    /// Why the mapping is stopped, where it is.
    #[serde(default)]
    pub stopped: Cause,
}

/// Why a reader is found without a mapping, or stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It is not known whose doing it is, and whether the reader was drained before.
    #[default]
    Unexplained,
    /// It was so when the run began, or the run has done it itself, once the reader was drained.
    Expected,
}

/// How long Lambda may pause before it tries a failed batch again; no figure is published.
const BEFORE_A_RETRY: Duration = Duration::from_secs(60);

/// How far back a stop is looked into: whoever goes on with a run within that time goes on where it was.
const STOPPED_LATELY: Duration = Duration::from_secs(3 * 3600);

/// Points from so many periods before the hold count, and none that is older.
const RECENT_PERIODS: u32 = 15;

/// Two points of a series further apart than this many periods have a gap between them.
const GAP_PERIODS: u32 = 3;

/// The pace of a lag is taken over so many points.
const PACE_POINTS: usize = 3;

fn age(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}

impl Drain {
    fn waiting(&self) -> String {
        format!("lag of the {} to be proven zero", self.reader)
    }

    /// Not drained, with everything that is known of how far it has come.
    fn not_yet(&self, seen: Seen<'_>, because: impl Into<String>) -> Check {
        let mut progress = Progress::new(self.waiting(), because);
        let side = self.reader.side_view(seen);
        progress.arrivals = arrivals(&side.metrics.incoming_records, seen.at, self.fresh);
        let points =
            self.position(side, seen).known().map(|series| (series.complete(seen.at), series.period));
        if let Some((points, period)) = points
            && let Some(last) = points.last()
        {
            progress.lag = Some(Duration::from_millis(last.value.max(0.0) as u64));
            progress.sample_age = Some(age(seen.at, last.at + period));
            progress.left = left(points, seen.at, self.hold).map(|left| left.max(self.silence_left(seen)));
        }
        Check::NotYet(progress)
    }

    /// How much longer the shards must stay silent, if nothing arrives any more.
    fn silence_left(&self, seen: Seen<'_>) -> Duration {
        let probe = self.reader.side_view(seen).probe.known();
        let newest = probe.and_then(|probe| probe.newest().or(Some(probe.since)));
        newest.map_or(Duration::ZERO, |newest| self.hold.saturating_sub(age(seen.at, newest)))
    }

    /// The reader's own position metric.
    fn position<'a>(&self, side: &'a SideView, seen: Seen<'a>) -> &'a Observed<Series> {
        let behind = self.reader.view(seen).and_then(|view| view.metrics.millis_behind_latest.as_ref());
        behind.unwrap_or(&side.metrics.iterator_age)
    }

    /// From where on data points count.
    fn recent(&self, now: Timestamp, period: Duration) -> Timestamp {
        now - self.hold - self.fresh - period * RECENT_PERIODS
    }

    /// Rule 2. `Ok` carries the evidence.
    fn zero_throughout(&self, series: &Series, seen: Seen<'_>) -> Result<String, Check> {
        let now = seen.at;
        let from = now - self.hold;
        let complete = series.complete(now);
        let recent =
            complete.partition_point(|point| point.at + series.period <= self.recent(now, series.period));
        let complete = &complete[recent..];
        let Some(last) = complete.last() else {
            let why = "no data point: missing is not zero; no reader may be polling";
            return Err(self.not_yet(seen, why));
        };
        let sample_age = age(now, last.at + series.period);
        if sample_age > self.fresh {
            let old = duration::show(sample_age);
            return Err(self.not_yet(seen, format!("the newest data point is {old} old and proves nothing")));
        }
        let start = complete.iter().rposition(|p| p.value > 0.0).map_or(0, |index| index + 1);
        let zeros: &[Point] = &complete[start..];
        let Some(first) = zeros.first() else {
            return Err(self.not_yet(seen, self.why_behind(seen)));
        };
        let gap = zeros.windows(2).any(|w| age(w[1].at, w[0].at) > series.period * GAP_PERIODS);
        if gap {
            return Err(self.not_yet(seen, "data points are missing in between: missing is not zero"));
        }
        if first.at > from {
            let so_far = duration::show(age(now, first.at));
            let hold = duration::show(self.hold);
            let why = format!("zero for {so_far}; must hold for {hold}, a batch may be in flight");
            return Err(self.not_yet(seen, why));
        }
        Ok(format!("zero since {} ({} data points)", first.at, zeros.len()))
    }

    /// The stream's iterator age is that of all its standard readers together: where this function has nothing
    /// in hand, another reader lags, and it is named.
    fn why_behind(&self, seen: Seen<'_>) -> String {
        let behind = "still behind".to_owned();
        let Some(view) = self.reader.view(seen) else { return behind };
        let in_hand = view.metrics.iterator_age.known();
        let in_hand = in_hand.is_none_or(|s| s.since(seen.at - self.hold).iter().any(|p| p.value > 0.0));
        if in_hand || view.metrics.millis_behind_latest.is_some() {
            return behind;
        }
        let side = self.reader.side_view(seen);
        let reads = |m: &&Mapping| m.state.is_on() && m.source.stream_consumer().is_none();
        let others: Vec<String> = side
            .other_mappings
            .known()
            .map(|all| all.iter().filter(reads).map(|m| m.function.to_string()).collect())
            .unwrap_or_default();
        let whose = match others.is_empty() {
            true => "one that is no Lambda function, such as a KCL application".to_owned(),
            false => others.join(", "),
        };
        format!(
            "{} has nothing in hand, but another reader of {} lags ({whose}): the stream's iterator age is that \
             of all its readers",
            self.reader.function, side.stream_name
        )
    }

    /// Rules 3 and 4: a series with no point above zero within the hold and so long before it. No point at all is
    /// fine here: Lambda emits these metrics when it invokes, and rule 2 has proven that the reader polls.
    fn none_within(
        &self,
        before: Duration,
        what: &str,
        series: &Observed<Series>,
        seen: Seen<'_>,
    ) -> Result<(), Check> {
        let series = series.as_result().map_err(|reason| self.not_yet(seen, reason.text.clone()))?;
        let from = seen.at - self.hold - before;
        match series.reaching(from).iter().rev().find(|point| point.value > 0.0) {
            None => Ok(()),
            Some(point) => {
                Err(self.not_yet(seen, format!("{what} {} at {:.0}", point.value.round(), point.at)))
            }
        }
    }

    /// No invocation takes longer: the hold is the time-out, the batching window and the delay of metrics.
    fn longest(&self) -> Duration {
        self.hold.saturating_sub(self.fresh)
    }

    /// How far back failures count: a batch that failed before the hold may be tried again within it.
    fn looks_back(&self) -> Duration {
        self.hold + self.longest() + BEFORE_A_RETRY
    }

    /// The longest invocation that metrics show; what they do not show may have taken all its time.
    fn longest_seen(&self, durations: &Observed<Series>, seen: Seen<'_>) -> Duration {
        let from = seen.at - self.hold - self.longest();
        let points = durations.known().map(|series| series.reaching(from)).unwrap_or_default();
        let longest = points.iter().map(|point| point.value).reduce(f64::max);
        longest.map_or(self.longest(), |ms| Duration::from_millis(ms.max(0.0) as u64))
    }

    fn is_drained(&self, seen: Seen<'_>) -> Result<String, Check> {
        let side = self.reader.side_view(seen);
        let probe = side.probe.as_result().map_err(|reason| self.not_yet(seen, reason.text.clone()))?;
        if !probe.is_silent_since(seen.at - self.hold) {
            return Err(self.not_yet(seen, probe.noise(self.hold)));
        }
        self.has_nothing_in_hand(seen)
    }

    /// Rules 2 to 4.
    fn has_nothing_in_hand(&self, seen: Seen<'_>) -> Result<String, Check> {
        let side = self.reader.side_view(seen);
        let Some(view) = self.reader.view(seen) else {
            return Err(Check::Blocked(format!("no {} is configured", self.reader.role)));
        };
        let position = self.position(side, seen);
        let position = position.as_result().map_err(|reason| self.not_yet(seen, reason.text.clone()))?;
        let evidence = self.zero_throughout(position, seen)?;
        let metrics = &view.metrics;
        let in_hand = "batches were being worked off: iterator age in milliseconds";
        self.none_within(self.longest_seen(&metrics.duration, seen), in_hand, &metrics.iterator_age, seen)?;
        let retried = self.looks_back() - self.hold;
        self.none_within(retried, "the function failed: Errors", &metrics.errors, seen)?;
        self.none_within(retried, "the function was throttled: Throttles", &metrics.throttles, seen)?;
        let (role, hold) = (self.reader.role, duration::show(self.hold));
        Ok(format!("{role} lag {evidence}, no arrivals, no errors, no throttles for {hold}"))
    }
}

/// Records a second that still arrive, where a fresh point says so.
fn arrivals(incoming: &Observed<Series>, now: Timestamp, fresh: Duration) -> Option<f64> {
    let incoming = incoming.known()?;
    let last = incoming.complete(now).last()?;
    (age(now, last.at + incoming.period) <= fresh).then(|| last.value / incoming.period.as_secs_f64())
}

/// How much longer: the rest of the hold once the lag is zero; before, the time that it takes to get there at the
/// pace of the last points, and the hold. `None` where the lag does not shrink.
fn left(points: &[Point], now: Timestamp, hold: Duration) -> Option<Duration> {
    let last = points.last()?;
    let zero_from = points.iter().rposition(|p| p.value > 0.0).map_or(0, |index| index + 1);
    if let Some(first) = points.get(zero_from) {
        return Some(hold.saturating_sub(age(now, first.at)));
    }
    let before = points.iter().rev().nth(PACE_POINTS)?;
    let (shrunk, took) = ((before.value - last.value) / 1000.0, age(last.at, before.at).as_secs_f64());
    if shrunk <= 0.0 || took <= 0.0 {
        return None;
    }
    let to_zero = Duration::try_from_secs_f64(last.value / 1000.0 * took / shrunk).ok()?;
    Some((to_zero + hold).saturating_sub(age(now, last.at)))
}

impl Step for Drain {
    const SLUG: &'static str = "drain";

    fn summary(&self) -> String {
        format!("Wait until the lag of the {} is proven zero", self.reader)
    }

    fn why(&self) -> String {
        format!(
            "Everything that was written to {} must have been processed before its reader is stopped. Zero must hold \
             for {} with no errors: the metric shows what was read, not what was processed.",
            self.reader.region,
            duration::show(self.hold)
        )
    }

    fn region(&self) -> &Region {
        &self.reader.region
    }

    fn effects(&self) -> Vec<Effect> {
        Vec::new()
    }

    fn check(&self, seen: Seen<'_>) -> Check {
        let mapping = match self.reader.find(seen) {
            Err(check) => return check,
            Ok(Found::None) => return self.is_missing(seen),
            Ok(Found::One(mapping)) => mapping,
        };
        match mapping.state {
            MappingState::Disabled if self.is_deleted => Check::Blocked(format!(
                "mapping {} was stopped before it was drained, and its checkpoint is about to be deleted: run the \
                 command again, it is enabled again first",
                mapping.id
            )),
            MappingState::Disabled if self.stopped == Cause::Expected => {
                Check::Done(format!("this run drained it, and stopped mapping {}", mapping.id))
            }
            MappingState::Disabled => self.was_drained(mapping, seen),
            _ => {
                let reads = self.has_read(mapping, seen);
                let evidence = reads.and_then(|reads| Ok(self.is_drained(seen)? + reads));
                evidence.map_or_else(|check| check, Check::Done)
            }
        }
    }

    fn needs(&self) -> Needs {
        let probe = ProbeNeed { side: self.reader.side, look_back: self.hold };
        let history = self.looks_back() + STOPPED_LATELY;
        Needs { probe: Some(probe), history, ..Needs::side(self.reader.side) }
    }

    fn undo(&self) -> Undo {
        Undo::NothingToUndo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).expect("an instant")
    }

    fn points(lags: &[f64]) -> Vec<Point> {
        let lags = lags.iter().enumerate();
        lags.map(|(i, seconds)| Point { at: at(i as i64), value: seconds * 1000.0 }).collect()
    }

    #[test]
    fn the_time_left_follows_the_pace_of_the_lag() {
        let hold = Duration::from_secs(120);
        // Two minutes less every minute: four minutes of lag are gone in two.
        let left = left(&points(&[600.0, 480.0, 360.0, 240.0]), at(3), hold);
        assert_eq!(left, Some(Duration::from_secs(240)));
    }

    #[test]
    fn a_lag_that_grows_has_no_end_in_sight() {
        assert_eq!(left(&points(&[10.0, 20.0, 30.0, 40.0]), at(3), Duration::from_secs(60)), None);
        assert_eq!(left(&points(&[10.0]), at(0), Duration::from_secs(60)), None);
    }

    #[test]
    fn once_the_lag_is_zero_the_rest_of_the_hold_is_left() {
        let hold = Duration::from_secs(300);
        assert_eq!(left(&points(&[30.0, 0.0, 0.0]), at(3), hold), Some(Duration::from_secs(180)));
        assert_eq!(left(&points(&[0.0]), at(60), hold), Some(Duration::ZERO));
    }

    #[test]
    fn old_points_say_nothing_of_arrivals() {
        let series = |points| Observed::Known(Series { period: Duration::from_secs(60), points });
        let fresh = Duration::from_secs(180);
        let known = series(vec![Point { at: at(0), value: 120.0 }]);
        assert_eq!(arrivals(&known, at(2), fresh), Some(2.0));
        assert_eq!(arrivals(&known, at(30), fresh), None);
        assert_eq!(arrivals(&series(Vec::new()), at(2), fresh), None);
    }
}
