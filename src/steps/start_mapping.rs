//! Starts a reader by enabling its mapping, and waits for evidence that it polls: `Enabled` is not proof, polling
//! may begin minutes later (Lambda Developer Guide, services-kinesis-create). An emergency enables first, goes on
//! with what cannot wait, and looks for the evidence afterwards.

use super::reader::{Found, Reader, in_transition};
use super::{Needs, Seen, Step, Undo};
use crate::model::{
    Check, Effect, Mapping, MappingSource, MappingState, Observed, Progress, ReaderView, Region, Series,
    StreamMetrics, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Periods before the start in which a metric that others share must have been silent to be a sign.
const SILENT_PERIODS: u32 = 4;

/// Periods that a wait reads at the least: what was there earlier than that is out of sight, and not silence.
const PERIODS_IN_SIGHT: u32 = 15;

/// Periods after which a mapping should have begun to poll, and its metrics have come.
const PERIODS_TO_BEGIN: u32 = 5;

/// How long it may take until an enabled mapping reads (Lambda Developer Guide, services-kinesis-create: "minutes").
const UNTIL_IT_READS: Duration = Duration::from_secs(120);

/// When a start counts as done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Once the mapping is on; a later step waits for its polling.
    Enabled,
    /// Once a data point shows that it polls.
    #[default]
    Polling,
}

/// Enables a reader's mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StartMapping {
    /// Whose mapping.
    pub reader: Reader,
    /// Whether it has to be enabled; a mapping that was created enabled is only waited for.
    pub enable: bool,
    /// When it counts as started.
    #[serde(default)]
    pub until: Until,
    /// What a replay means, where the mapping goes on from an old checkpoint.
    pub replay: Option<String>,
    /// When the oldest record that it must still process has arrived, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
}

/// A sign of polling in a series of the mapping alone since it was enabled.
fn own_sign(series: &Observed<Series>, since: Timestamp) -> Option<Timestamp> {
    series.known()?.since(since).first().map(|point| point.at)
}

/// What a series shows that others may have a part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// The mapping's own doing.
    Own(Timestamp),
    /// Its own or another's: there were points before, or what was there is out of sight.
    Somebodys(Timestamp),
}

/// A sign of polling in a series that others may have a part in (the function's invocations, the stream's iterator
/// age): it is the mapping's own where there was none shortly before, since then somebody else is its cause. The period
/// in which the mapping was enabled is nobody's.
fn shared_sign(
    series: &Observed<Series>,
    since: Timestamp,
    now: Timestamp,
    is_sign: impl Fn(f64) -> bool,
) -> Option<Sign> {
    let series = series.known()?;
    let before = (since - series.period * SILENT_PERIODS)..(since - series.period);
    let was_there = series.points.iter().any(|point| before.contains(&point.at) && is_sign(point.value));
    let is_in_sight = before.start >= now - series.period * PERIODS_IN_SIGHT;
    let first = series.since(since).iter().find(|point| is_sign(point.value))?.at;
    Some(if is_in_sight && !was_there { Sign::Own(first) } else { Sign::Somebodys(first) })
}

impl StartMapping {
    /// Why the mapping must not run as it is set: Lambda drops records beyond its age limit before it invokes
    /// (Lambda Developer Guide, kinesis-on-failure-destination), and waits may have taken long.
    fn discards(&self, mapping: &Mapping, now: Timestamp) -> Option<String> {
        let limit = mapping.settings.known()?.maximum_record_age_seconds?;
        let oldest = self.oldest?;
        let is_too_old = now + UNTIL_IT_READS >= oldest + Duration::from_secs(u64::from(limit));
        is_too_old.then(|| {
            format!(
                "mapping {id} gives up records older than {limit} s, and what waits for it arrived from {oldest:.0} on: it \
                 would drop them; `aws lambda update-event-source-mapping --region {} --uuid {id} \
                 --maximum-record-age-in-seconds -1`, then the same command again",
                self.reader.region,
                id = mapping.id
            )
        })
    }

    /// Evidence that the mapping polls, or what is missing. Periods that began before the mapping was enabled
    /// prove nothing.
    fn polling(&self, mapping: &Mapping, seen: Seen<'_>) -> Check {
        let waiting = format!("evidence that the {} polls", self.reader);
        let Some(since) = mapping.last_modified else {
            return Check::NotYet(Progress::new(waiting, "AWS did not say when the mapping was enabled"));
        };
        let Some(view) = self.reader.view(seen) else {
            return Check::Blocked(format!("no {} is configured", self.reader.role));
        };
        let stream = &self.reader.side_view(seen).metrics;
        match self.sign(view, stream, since, seen.at) {
            Some((metric, Sign::Own(at))) => {
                Check::Done(format!("mapping {} polls: {metric} at {at:.0}", mapping.id))
            }
            Some((_, Sign::Somebodys(_))) if is_undecided(mapping, stream, since, seen.at) => {
                Check::Done(format!(
                    "mapping {} is Enabled and its stream is polled; by which of its readers is not known, so its \
                     invocations are looked for once records have come",
                    mapping.id
                ))
            }
            _ => Check::NotYet(Progress::new(waiting, "Enabled, and no data point of its polling yet")),
        }
    }

    /// The best sign, and the metric that shows it.
    fn sign(
        &self,
        view: &ReaderView,
        stream: &StreamMetrics,
        since: Timestamp,
        now: Timestamp,
    ) -> Option<(&'static str, Sign)> {
        let metrics = &view.metrics;
        let own = |series, metric| own_sign(series, since).map(|at| (metric, Sign::Own(at)));
        let invoked = shared_sign(&metrics.invocations, since, now, |n| n > 0.0)
            .filter(|sign| matches!(sign, Sign::Own(_)))
            .map(|sign| ("Invocations", sign));
        let read = match (&self.reader.source, &metrics.millis_behind_latest) {
            (MappingSource::StreamConsumer { .. }, Some(behind)) => {
                own(behind, "SubscribeToShardEvent.MillisBehindLatest")
            }
            _ => shared_sign(&stream.iterator_age, since, now, |_| true)
                .map(|sign| ("GetRecords.IteratorAgeMilliseconds", sign)),
        };
        own(&metrics.polled_events, "PolledEventCount").or(invoked).or(read)
    }
}

/// Whether it is no use to wait for a sign of the mapping's own: it counts nothing, and has had time to begin.
fn is_undecided(mapping: &Mapping, stream: &StreamMetrics, since: Timestamp, now: Timestamp) -> bool {
    let counts = mapping.settings.known().is_some_and(|settings| settings.count_events);
    let had_time = |series: &Series| now >= since + series.period * PERIODS_TO_BEGIN;
    !counts && stream.iterator_age.known().is_some_and(had_time)
}

impl Step for StartMapping {
    const SLUG: &'static str = "start_mapping";

    fn summary(&self) -> String {
        if self.until == Until::Enabled {
            return format!("Enable the mapping of the {}", self.reader);
        }
        let how = if self.enable { " (enable its mapping)" } else { "" };
        format!("Start the {}{how} and see it poll", self.reader)
    }

    fn why(&self) -> String {
        if self.until == Until::Enabled {
            return "The standby's consumer has to run before anything else is asked. That it polls is waited for \
                    afterwards."
                .to_owned();
        }
        let base = "The mapping goes on from its own position. `Enabled` alone proves nothing: polling may begin \
                    minutes later, so a data point of its polling is waited for.";
        match &self.replay {
            Some(replay) => format!("{base} {replay}"),
            None => base.to_owned(),
        }
    }

    fn region(&self) -> &Region {
        &self.reader.region
    }

    fn effects(&self) -> Vec<Effect> {
        let effect = Effect::SetMappingEnabled {
            region: self.reader.region.clone(),
            function: self.reader.function.clone(),
            source: self.reader.source.clone(),
            enabled: true,
        };
        self.enable.then_some(effect).into_iter().collect()
    }

    fn check(&self, seen: Seen<'_>) -> Check {
        match self.reader.find(seen) {
            Err(check) => check,
            Ok(Found::None) if self.until == Until::Enabled => {
                Check::Done(format!("{} has no mapping", self.reader))
            }
            Ok(Found::None) => Check::Blocked(format!("{} has no mapping to enable", self.reader)),
            Ok(Found::One(mapping)) => match mapping.state {
                MappingState::Disabled if self.enable => {
                    self.discards(mapping, seen.at).map_or(Check::Ready, Check::Blocked)
                }
                MappingState::Disabled => Check::Blocked(format!(
                    "mapping {id} is Disabled, and this run left it enabled: somebody else stopped it; unless that has to \
                     be, `aws lambda update-event-source-mapping --region {} --uuid {id} --enabled`, then the same command \
                     again",
                    self.reader.region,
                    id = mapping.id
                )),
                ref state @ (MappingState::Enabled | MappingState::Enabling)
                    if self.until == Until::Enabled =>
                {
                    Check::Done(format!("mapping {} is {state}", mapping.id))
                }
                MappingState::Enabled => self.polling(mapping, seen),
                ref state => in_transition(&self.reader, state),
            },
        }
    }

    fn needs(&self) -> Needs {
        self.reader.needs()
    }

    fn undo(&self) -> Undo {
        Undo::Effects(vec![Effect::SetMappingEnabled {
            region: self.reader.region.clone(),
            function: self.reader.function.clone(),
            source: self.reader.source.clone(),
            enabled: false,
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).expect("an instant")
    }

    fn series(points: &[(i64, f64)]) -> Observed<Series> {
        let points = points.iter().map(|(minute, value)| Point { at: at(*minute), value: *value }).collect();
        Observed::Known(Series { period: Duration::from_secs(60), points })
    }

    /// Enabled in the middle of minute 10.
    fn enabled() -> Timestamp {
        at(10) + Duration::from_secs(30)
    }

    fn is_invoked(n: f64) -> bool {
        n > 0.0
    }

    #[test]
    fn what_begins_with_the_mapping_is_a_sign_of_it() {
        let invocations = series(&[(5, 0.0), (10, 3.0), (11, 7.0)]);
        assert_eq!(shared_sign(&invocations, enabled(), at(12), is_invoked), Some(Sign::Own(at(11))));
        assert_eq!(own_sign(&series(&[(11, 0.0)]), enabled()), Some(at(11)), "an empty poll is a poll");
    }

    #[test]
    fn what_was_there_before_is_somebody_elses_doing() {
        let invocations = series(&[(8, 4.0), (9, 4.0), (10, 4.0), (11, 4.0)]);
        assert_eq!(shared_sign(&invocations, enabled(), at(12), is_invoked), Some(Sign::Somebodys(at(11))));
        let stream_age = series(&[(8, 0.0), (11, 0.0)]);
        assert_eq!(shared_sign(&stream_age, enabled(), at(12), |_| true), Some(Sign::Somebodys(at(11))));
    }

    #[test]
    fn what_is_out_of_sight_is_not_silence() {
        let later = series(&[(80, 4.0), (81, 4.0)]);
        assert_eq!(shared_sign(&later, enabled(), at(82), is_invoked), Some(Sign::Somebodys(at(80))));
    }

    #[test]
    fn the_period_in_which_it_was_enabled_proves_nothing() {
        assert_eq!(own_sign(&series(&[(10, 5.0)]), enabled()), None);
        assert_eq!(shared_sign(&series(&[(10, 5.0)]), enabled(), at(12), is_invoked), None);
    }
}
