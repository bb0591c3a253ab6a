//! Checks of how far readers are behind: those that should run, on records that arrive.

use super::{About, Checks};
use crate::config::Timing;
use crate::model::{FailureKind, Observed, ReaderView, Series, Side, SideView, Timestamp, Verdict, duration};
use crate::plan::Mode;
use crate::plan::assess::{self, Lag};
use crate::plan::sequence::Selected;
use std::time::Duration;

/// Who asks how far a reader is behind, which decides what a lag that nothing proves means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Nobody moves: a pipeline without traffic may rest.
    AtRest,
    /// A run, which a reader that does not read would hold up or follow.
    Before(Mode),
    /// A planned run, which drains the reader behind its switch. The drain is the proof that it reads; one that is known
    /// not to would never end.
    BeforeItsDrain,
}

impl Asks {
    /// What a reader means that does not read, or whose every invocation fails.
    fn dead(self) -> Verdict {
        match self {
            Asks::AtRest | Asks::Before(Mode::Planned) | Asks::BeforeItsDrain => Verdict::Fail,
            Asks::Before(Mode::Emergency) => Verdict::Warn,
        }
    }
    /// What a reader means of which nothing tells whether it reads.
    fn unproven(self) -> Verdict {
        match self {
            Asks::Before(Mode::Planned) => Verdict::Fail,
            Asks::AtRest | Asks::Before(Mode::Emergency) | Asks::BeforeItsDrain => Verdict::Warn,
        }
    }
}

/// How far a reader is behind that should run.
#[derive(Debug, PartialEq)]
enum Reading {
    /// So far.
    Behind(Lag),
    /// It does not read: records have arrived since its last data point.
    Dead(String),
    /// Nothing tells.
    Unproven(String),
}

/// How long polling may take to begin after a mapping was changed (Lambda Developer Guide, services-kinesis-create:
/// "several minutes").
const STARTS: Duration = Duration::from_secs(5 * 60);

/// Invocations without a single success that are no hiccup any more: one batch that fails is tried again at once.
const IN_A_ROW: f64 = 3.0;

/// Both position metrics have points as long as somebody reads, with or without traffic. So a reader without a fresh
/// one beside records that arrive does not read; without them, CloudWatch may be late.
fn reading(side: &SideView, reader: &ReaderView, timing: &Timing, now: Timestamp) -> Reading {
    match assess::fresh_lag(side, reader, timing.fresh, now) {
        Observed::Known(lag) => Reading::Behind(lag),
        Observed::Unknown(reason) => {
            let has_no_point = matches!(reason.kind, FailureKind::NotFound | FailureKind::Stale);
            match unread(side, reader, timing, now).filter(|records| has_no_point && *records > 0.0) {
                Some(records) => {
                    Reading::Dead(format!("{}; {records:.0} records have arrived since", reason.text))
                }
                None => Reading::Unproven(reason.text),
            }
        }
    }
}

/// Records that arrived after a reader's newest data point and so long ago that it would show had it read on.
fn unread(side: &SideView, reader: &ReaderView, timing: &Timing, now: Timestamp) -> Option<f64> {
    let sampled = assess::lag(side, reader, now).known().map(|lag| now - lag.sample_age);
    let mappings = reader.mappings.known().map(Vec::as_slice).unwrap_or_default();
    let changed = mappings.iter().filter_map(|mapping| mapping.last_modified).max();
    let from = sampled.into_iter().chain(changed.map(|at| at + STARTS)).max();
    let arrived = side.metrics.incoming_records.known()?.complete(now - timing.fresh);
    let since = arrived.iter().filter(|point| from.is_none_or(|from| point.at >= from));
    Some(since.map(|point| point.value).sum())
}

/// How many invocations of a reader's function ended in errors since an instant, where all of them did.
fn all_failed(reader: &ReaderView, from: Timestamp) -> Option<f64> {
    let sum = |series: &Observed<Series>| series.known()?.sum_since(from);
    let (invoked, failed) = (sum(&reader.metrics.invocations)?, sum(&reader.metrics.errors)?);
    (invoked >= IN_A_ROW && failed >= invoked).then_some(invoked)
}

/// Records that arrived after the last batch that a consumer's function is known to have had in hand, and so long ago
/// that it would show had it been handed them. Another reader of the stream keeps the stream's own age at zero.
fn not_handed(side: &SideView, timing: &Timing, now: Timestamp) -> Option<f64> {
    let consumer = &side.consumer;
    let mappings = consumer.mappings.known()?;
    let settings: Vec<_> = mappings.iter().filter_map(|mapping| mapping.settings.known()).collect();
    let may_drop = settings.is_empty() || settings.iter().any(|settings| !settings.filters.is_empty());
    if may_drop {
        return None;
    }
    let window = settings.iter().map(|settings| settings.batching_window_seconds).max().unwrap_or(0);
    let longest = consumer.function.known()?.timeout_seconds + window;
    let ages = consumer.metrics.iterator_age.known()?;
    let handed = ages.last().map(|point| point.at + ages.period);
    let changed = mappings.iter().filter_map(|mapping| mapping.last_modified).max();
    let from = handed.into_iter().chain(changed.map(|at| at + STARTS)).max()?;
    let until = now - timing.fresh - Duration::from_secs(u64::from(longest));
    let arrived = side.metrics.incoming_records.known()?.complete(until);
    let count: f64 = arrived.iter().filter(|point| point.at >= from).map(|point| point.value).sum();
    (count > 0.0).then_some(count)
}

/// What to do about a reader that does not read.
const LOOK_AT_THE_MAPPING: &str = "look at its mapping's state and LastProcessingResult and at its function's Throttles; \
                                   disabled and enabled again, a mapping goes on from its checkpoint";

/// What a lag is held against, and what to do where it is not met or not known.
struct Objective {
    name: &'static str,
    most: Duration,
    unproven: &'static str,
    late: &'static str,
}

impl Checks<'_> {
    fn judge(&mut self, check: &str, about: &About, asks: Asks, reading: Reading, objective: Objective) {
        match reading {
            Reading::Dead(why) => {
                let advice = self.or_at_once(asks, LOOK_AT_THE_MAPPING);
                self.advise(check, about, asks.dead(), why, advice);
            }
            Reading::Unproven(why) => {
                self.advise(check, about, asks.unproven(), format!("unknown: {why}"), objective.unproven);
            }
            Reading::Behind(lag) => {
                let (behind, most) = (duration::show(lag.lag), duration::show(objective.most));
                let evidence = format!("{behind} behind, {} {most}", objective.name);
                match lag.lag > objective.most {
                    true => self.advise(check, about, Verdict::Warn, evidence, objective.late),
                    false => self.ok(check, about, evidence),
                }
            }
        }
    }

    /// What to do, and what else there is where a drain is asked for that would not end.
    fn or_at_once(&self, asks: Asks, advice: &str) -> String {
        let to = self.request.region(Side::Standby);
        match asks {
            Asks::BeforeItsDrain => {
                format!("{advice}; `kdsha failover --to {to} --emergency` does not wait for it")
            }
            Asks::AtRest | Asks::Before(_) => advice.to_owned(),
        }
    }

    /// The consumer of a side that should keep up. A planned move waits until its lag is gone, so more than the RTO is
    /// said.
    pub(crate) fn consumer_lag(&mut self, of: &Selected<'_>, side: Side, asks: Asks) {
        let (check, about) = ("consumer_lag", self.about(of, side));
        let (topology, now) = (self.request.topology, self.request.snapshot.taken_at);
        let (view, window) = (of.view.side(side), topology.objectives.error_window + topology.timing.fresh);
        if let Some(count) = all_failed(&view.consumer, now - window) {
            let length = duration::show(window);
            let evidence = format!("all {count:.0} invocations of the last {length} ended in errors");
            let advice = "it processes nothing: look at its log, and mend its code or what it writes to";
            return self.advise(check, &about, asks.dead(), evidence, self.or_at_once(asks, advice));
        }
        let mut reading = reading(view, &view.consumer, &topology.timing, now);
        let not_handed = not_handed(view, &topology.timing, now);
        if let (Reading::Behind(_), Some(count)) = (&reading, not_handed) {
            let why = format!("{count:.0} records arrived since its function was last known to be invoked");
            reading = Reading::Dead(why);
        }
        let objective = Objective {
            name: "RTO",
            most: topology.objectives.rto,
            unproven: "without a fresh data point nothing tells whether the consumer keeps up",
            late: "a planned move waits until it has caught up: look at its Errors, Throttles and concurrency",
        };
        self.judge(check, &about, asks, reading, objective);
    }

    /// The replicator's lag against the RPO, and its batch size.
    pub(crate) fn replicator(&mut self, of: &Selected<'_>, view: &ReaderView, asks: Asks) {
        let (check, about) = ("replicator_lag", self.about(of, Side::Primary));
        let (topology, now) = (self.request.topology, self.request.snapshot.taken_at);
        let objective = Objective {
            name: "RPO",
            most: topology.objectives.rpo,
            unproven: "without a fresh data point nothing tells whether records are copied, and no drain ends",
            late: "the drain will take as long as the replicator needs to catch up",
        };
        let reading = reading(&of.view.primary, view, &topology.timing, now);
        self.judge(check, &about, asks, reading, objective);
        let mappings = view.mappings.known().map(Vec::as_slice).unwrap_or_default();
        let largest = mappings.iter().filter_map(|m| m.settings.known()).map(|s| s.batch_size).max();
        if let Some(size) = largest.filter(|size| *size > 500) {
            let evidence = format!("batch size {size}, PutRecords takes 500");
            let advice = "lower the replicator's batch size to 500";
            self.advise("replicator_batch", &about, Verdict::Warn, evidence, advice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Mapping, MappingSettings, MappingState, Point, ReaderMetrics, Reason, StreamMetrics};

    fn now() -> Timestamp {
        "2026-11-22T10:10:00Z".parse().expect("an instant")
    }

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    /// A point of each value, the newest of a minute that ended so many minutes ago.
    fn series(ended: u64, values: &[f64]) -> Observed<Series> {
        let back = (1..=values.len() as u64).rev().map(|back| now() - minutes(ended + back));
        let points = back.zip(values).map(|(at, value)| Point { at, value: *value }).collect();
        Observed::Known(Series { period: minutes(1), points })
    }

    fn not_asked<T>() -> Observed<T> {
        Observed::Unknown(Reason::not_asked())
    }

    /// A mapping that was last changed so many minutes ago.
    fn mapping(changed: u64) -> Mapping {
        Mapping {
            id: "7c0b5f4e-1111-4222-8333-444455556666".parse().expect("an id"),
            function: "F".parse().expect("a name"),
            qualifier: None,
            source: crate::model::Arn::new("arn:aws:kinesis:us-west-2:123456789012:stream/S"),
            state: MappingState::Enabled,
            position: None,
            last_modified: Some(now() - minutes(changed)),
            last_processing_result: None,
            state_transition_reason: None,
            settings: Observed::Known(MappingSettings::default()),
        }
    }

    /// What a consumer with this iterator age, on a stream with these arrivals, is read as.
    fn read(age: Observed<Series>, arrivals: Observed<Series>, changed: u64) -> Reading {
        let none = || series(0, &[]);
        let consumer = ReaderView {
            name: "F".parse().expect("a name"),
            function: not_asked(),
            mappings: Observed::Known(vec![mapping(changed)]),
            other_streams: not_asked(),
            stream_consumer: None,
            metrics: ReaderMetrics {
                iterator_age: none(),
                errors: none(),
                throttles: none(),
                invocations: none(),
                duration: none(),
                millis_behind_latest: None,
                polled_events: not_asked(),
            },
        };
        let side = SideView {
            region: "us-west-2".parse().expect("a Region"),
            stream_name: "S".parse().expect("a name"),
            stream: not_asked(),
            mark: not_asked(),
            probe: not_asked(),
            metrics: StreamMetrics {
                incoming_records: arrivals,
                iterator_age: age,
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
            },
            other_mappings: not_asked(),
            consumer,
            replicator: None,
        };
        reading(&side, &side.consumer, &Timing::default(), now())
    }

    #[test]
    fn a_fresh_point_is_the_lag_and_the_function_need_not_have_one() {
        let Reading::Behind(lag) = read(series(2, &[0.0, 1_500.0]), series(1, &[60.0; 9]), 600) else {
            panic!("a point of two minutes ago is fresh");
        };
        assert_eq!((lag.lag, lag.sample_age), (Duration::from_millis(1_500), minutes(2)));
    }

    #[test]
    fn a_zero_of_fifty_minutes_ago_beside_records_that_arrive_is_a_reader_that_does_not_read() {
        let Reading::Dead(why) = read(series(50, &[0.0, 0.0]), series(1, &[60.0; 100]), 600) else {
            panic!("records have arrived since");
        };
        let expected = "the newest data point of GetRecords.IteratorAgeMilliseconds is 50m old and proves nothing; 2820 \
                        records have arrived since";
        assert_eq!(why, expected);
    }

    #[test]
    fn without_arrivals_an_old_point_proves_nothing_either_way() {
        for arrivals in [series(1, &[]), series(1, &[0.0; 100]), series(51, &[60.0; 9]), not_asked()] {
            let read = read(series(50, &[0.0]), arrivals, 600);
            assert!(matches!(&read, Reading::Unproven(why) if why.contains("50m old")), "{read:?}");
        }
    }

    #[test]
    fn a_mapping_that_was_just_made_has_time_to_begin() {
        let (none, arrivals) = (|| series(0, &[]), || series(1, &[60.0; 100]));
        assert!(matches!(read(none(), arrivals(), 6), Reading::Unproven(_)));
        assert!(matches!(read(none(), arrivals(), 20), Reading::Dead(_)));
    }

    #[test]
    fn a_metric_that_does_not_answer_is_no_dead_reader() {
        let silent = Observed::Unknown(Reason::new(FailureKind::TimedOut, "CloudWatch did not answer"));
        let read = read(silent, series(1, &[60.0; 100]), 600);
        assert_eq!(read, Reading::Unproven("CloudWatch did not answer".to_owned()));
    }
}
