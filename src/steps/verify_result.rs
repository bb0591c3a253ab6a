//! Waits until the pipeline's resting state is sound in the active Region: success is printed only after that.

use super::{Needs, Reader, Seen, Step, Undo};
use crate::model::{
    Check, Effect, Mapping, MappingState, Observed, Progress, Region, SinkView, Stranded, StreamMetrics,
    Timestamp,
};
use crate::steps::reader::Found;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Periods within which a metric's data points have come (Lambda Developer Guide, monitoring-metrics).
const PERIODS_OF_DELAY: u32 = 3;

/// Sees that the pipeline rests where it should.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VerifyResult {
    /// The active Region.
    pub region: Region,
    /// Readers that must run.
    pub running: Vec<Reader>,
    /// Readers that must not run.
    pub stopped: Vec<Reader>,
    /// Whether the sink's items must name the active Region.
    pub sink: bool,
    /// What waits for the failback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Stranded>,
}

fn told(left: &Stranded, now: Timestamp) -> String {
    let when = left.expiry(now, |at| at.to_string());
    format!("; records stranded in {} wait for {}: {when}", left.region, left.waits_for)
}

/// Whether the sink shows the active Region's work. A sink without fresh traffic cannot show anything.
pub fn sink_shows(
    sink: &SinkView,
    region: &Region,
    metrics: &StreamMetrics,
    from: Timestamp,
) -> Result<String, String> {
    let mine = sink.by_region.get(region.as_str()).copied().unwrap_or(0);
    let arrived = match &metrics.incoming_records {
        Observed::Known(series) => series.sum_since(from).unwrap_or(0.0),
        Observed::Unknown(_) => 0.0,
    };
    let looked = if sink.is_sample {
        format!("of {} items looked at", sink.items)
    } else {
        format!("of {} items", sink.items)
    };
    match (mine, arrived > 0.0) {
        (0, true) => Err(format!("none {looked} was last written by {region}")),
        (0, false) => Ok(format!("no record arrived lately, so no item {looked} can name {region} yet")),
        (mine, _) => Ok(format!("{mine} {looked} were last written by {region}")),
    }
}

/// When records arrived that a reader should have been invoked with by now, and was not.
fn not_taken(reader: &Reader, mapping: &Mapping, seen: Seen<'_>) -> Option<Timestamp> {
    let (view, settings) = (reader.view(seen)?, mapping.settings.known()?);
    let incoming = reader.side_view(seen).metrics.incoming_records.known()?;
    let invocations = view.metrics.invocations.known()?;
    let reads_this_alone = view.other_streams.known()?.is_empty();
    if !reads_this_alone || !settings.filters.is_empty() {
        return None;
    }
    let an_invocation = view.function.known()?.timeout_seconds + settings.batching_window_seconds;
    let due = seen.at - Duration::from_secs(u64::from(an_invocation)) - incoming.period * PERIODS_OF_DELAY;
    let since = incoming.since(mapping.last_modified?).iter();
    let arrived = since.rev().find(|point| point.value > 0.0 && point.at + incoming.period <= due)?.at;
    let is_invoked = invocations.reaching(arrived).iter().any(|point| point.value > 0.0);
    (!is_invoked).then_some(arrived)
}

impl VerifyResult {
    fn readers(&self, seen: Seen<'_>) -> Result<(), Check> {
        let wants = self.running.iter().map(|r| (r, true)).chain(self.stopped.iter().map(|r| (r, false)));
        for (reader, on) in wants {
            let state = match reader.find(seen)? {
                Found::None => None,
                Found::One(mapping) => Some(&mapping.state),
            };
            let fits = match state {
                Some(MappingState::Enabled) => on,
                Some(MappingState::Disabled) | None => !on,
                Some(_) => false,
            };
            if !fits {
                let state = state.map_or_else(|| "missing".to_owned(), ToString::to_string);
                let why = format!("the mapping of the {reader} is {state}");
                return Err(Check::NotYet(Progress::new("a sound resting state", why)));
            }
        }
        Ok(())
    }

    /// Whether every producer is seen to write to the active Region.
    pub fn has_all_producers(&self, seen: Seen<'_>) -> bool {
        self.producers(seen).is_ok()
    }

    /// Whether a producer is seen to write somewhere else, which one that could not be read is not.
    pub fn sees_one_elsewhere(&self, seen: Seen<'_>) -> bool {
        let values = seen.pipeline.producers.iter().filter_map(|producer| producer.region_value.known());
        values.into_iter().any(|value| value.as_deref() != Some(self.region.as_str()))
    }

    fn producers(&self, seen: Seen<'_>) -> Result<(), Check> {
        for producer in &seen.pipeline.producers {
            let at = match &producer.region_value {
                Observed::Known(value) => value.as_deref() == Some(self.region.as_str()),
                Observed::Unknown(_) => false,
            };
            if !at {
                let why = format!("producer {} does not write to {}", producer.name, self.region);
                return Err(Check::NotYet(Progress::new("a sound resting state", why)));
            }
        }
        Ok(())
    }

    fn sink(&self, seen: Seen<'_>) -> Result<String, Check> {
        let Some(sink) = seen.pipeline.sink.as_ref().filter(|_| self.sink) else { return Ok(String::new()) };
        let not_yet = |why: String| Check::NotYet(Progress::new("the sink to show the active Region", why));
        let sink = sink.as_result().map_err(|reason| not_yet(reason.text.clone()))?;
        let side =
            [&seen.pipeline.primary, &seen.pipeline.standby].into_iter().find(|s| s.region == self.region);
        let Some(side) = side else { return Ok(String::new()) };
        let from = seen.at - Duration::from_secs(15 * 60);
        sink_shows(sink, &self.region, &side.metrics, from)
            .map(|text| format!("; sink: {text}"))
            .map_err(not_yet)
    }

    /// Records that come are taken: a mapping may be on and not poll. Where nothing has come for long enough, and where
    /// records or invocations may be another's, there is nothing to see.
    fn are_invoked(&self, seen: Seen<'_>) -> Result<(), Check> {
        for reader in &self.running {
            let Found::One(mapping) = reader.find(seen)? else { continue };
            if let Some(arrived) = not_taken(reader, mapping, seen) {
                let why =
                    format!("records arrived at {arrived:.0}, and the {reader} has not been invoked since");
                return Err(Check::NotYet(Progress::new("a sound resting state", why)));
            }
        }
        Ok(())
    }

    fn is_sound(&self, seen: Seen<'_>) -> Result<String, Check> {
        self.producers(seen)?;
        self.readers(seen)?;
        self.are_invoked(seen)?;
        let sink = self.sink(seen)?;
        let readers: Vec<String> = self.running.iter().map(ToString::to_string).collect();
        let left = self.left.as_ref().map(|left| told(left, seen.at)).unwrap_or_default();
        Ok(format!("producers write to {}; running: {}{sink}{left}", self.region, readers.join(", ")))
    }
}

impl Step for VerifyResult {
    const SLUG: &'static str = "verify_result";

    fn summary(&self) -> String {
        format!("Verify that the pipeline rests soundly in {}", self.region)
    }

    fn why(&self) -> String {
        "What was sent is not what is: mappings, producers and the sink are read once more before success is said."
            .to_owned()
    }

    fn region(&self) -> &Region {
        &self.region
    }

    fn effects(&self) -> Vec<Effect> {
        Vec::new()
    }

    fn check(&self, seen: Seen<'_>) -> Check {
        match self.is_sound(seen) {
            Ok(evidence) => Check::Done(evidence),
            Err(check) => check,
        }
    }

    fn needs(&self) -> Needs {
        Needs { sink: self.sink, ..Needs::both() }
    }

    fn undo(&self) -> Undo {
        Undo::NothingToUndo
    }
}
