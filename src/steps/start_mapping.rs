//! Starts a reader by enabling its mapping, and waits for evidence that it polls: `Enabled` is not proof, polling
//! may begin minutes later (Lambda Developer Guide, services-kinesis-create).

use super::reader::{Found, Reader, in_transition};
use super::{Needs, Seen, Step, Undo};
use crate::model::{
    Check, Effect, Mapping, MappingSource, MappingState, Observed, Progress, Region, Series, Timestamp,
};
use serde::{Deserialize, Serialize};

/// Enables a reader's mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StartMapping {
    /// Whose mapping.
    pub reader: Reader,
    /// Whether it has to be enabled; a mapping that was created enabled is only waited for.
    pub enable: bool,
    /// What a replay means, where the mapping goes on from an old checkpoint.
    pub replay: Option<String>,
}

/// A sign of polling in one series since the mapping was enabled.
fn sign(series: &Observed<Series>, since: Timestamp, is_sign: impl Fn(f64) -> bool) -> Option<Timestamp> {
    let series = series.known()?;
    series.since(since).iter().find(|point| is_sign(point.value)).map(|point| point.at)
}

impl StartMapping {
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
        let metrics = &view.metrics;
        let stream_age = &self.reader.side_view(seen).metrics.iterator_age;
        let by_reader = match (&self.reader.source, &metrics.millis_behind_latest) {
            (MappingSource::StreamConsumer { .. }, Some(behind)) => {
                sign(behind, since, |_| true).map(|at| ("SubscribeToShardEvent.MillisBehindLatest", at))
            }
            _ => sign(stream_age, since, |_| true).map(|at| ("GetRecords.IteratorAgeMilliseconds", at)),
        };
        let found = sign(&metrics.polled_events, since, |_| true)
            .map(|at| ("PolledEventCount", at))
            .or_else(|| sign(&metrics.invocations, since, |n| n > 0.0).map(|at| ("Invocations", at)))
            .or(by_reader);
        match found {
            Some((metric, at)) => Check::Done(format!("mapping {} polls: {metric} at {at:.0}", mapping.id)),
            None => Check::NotYet(Progress::new(waiting, "Enabled, and no data point of its polling yet")),
        }
    }
}

impl Step for StartMapping {
    const SLUG: &'static str = "start_mapping";

    fn summary(&self) -> String {
        let how = if self.enable { " (enable its mapping)" } else { "" };
        format!("Start the {}{how} and see it poll", self.reader)
    }

    fn why(&self) -> String {
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
            Ok(Found::None) => Check::Blocked(format!("{} has no mapping to enable", self.reader)),
            Ok(Found::One(mapping)) => match mapping.state {
                MappingState::Disabled if self.enable => Check::Ready,
                MappingState::Disabled => Check::Blocked(format!(
                    "mapping {} is Disabled, and this run created it enabled: somebody else stopped it",
                    mapping.id
                )),
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
