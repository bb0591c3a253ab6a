//! For the night on which the primary says nothing: what every look at a sound pipeline sees of its consumer is kept,
//! and an emergency that sees less goes by it: the position it offers, the mapping's settings and the function's
//! time-out it takes, and the other streams of the function tell whether its metrics are of one stream. An older position is a safe one: the first record
//! that nobody has processed only moves forward, so what lay before it then lies before it now; it costs duplicates,
//! never records.

use super::sequence::{Request, Selected};
use super::start::evidence;
use super::{Mode, assess};
use crate::model::{MappingSettings, Side, StartAt, Timestamp, duration};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A value, and when a look saw it, by the server's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenAt<T> {
    /// When.
    pub at: Timestamp,
    /// What.
    pub value: T,
}

/// What looks saw of a pipeline in the primary Region. A look that cannot see a part leaves what an earlier one saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Where an emergency would have started.
    pub start: Option<SeenAt<Timestamp>>,
    /// How the consumer's mapping handled records.
    pub settings: Option<SeenAt<MappingSettings>>,
    /// The streams besides its own that the consumer's function read.
    pub other_streams: Option<SeenAt<Vec<String>>>,
    /// The consumer's Timeout.
    pub timeout_seconds: Option<SeenAt<u32>>,
}

/// Pipelines by what they are: account, Region and stream, whatever they are called.
pub type Memory = BTreeMap<String, Remembered>;

impl Remembered {
    /// Takes what another look saw, part by part, where it saw it later.
    pub fn renew(&mut self, look: Remembered) {
        renew(&mut self.start, look.start);
        renew(&mut self.settings, look.settings);
        renew(&mut self.other_streams, look.other_streams);
        renew(&mut self.timeout_seconds, look.timeout_seconds);
    }
}

fn renew<T>(kept: &mut Option<SeenAt<T>>, new: Option<SeenAt<T>>) {
    let is_later = |new: &SeenAt<T>| kept.as_ref().is_none_or(|kept| kept.at <= new.at);
    if let Some(new) = new.filter(is_later) {
        *kept = Some(new);
    }
}

/// Which pipeline it is; `None` while the account is unknown.
fn key(request: &Request<'_>, of: &Selected<'_>) -> Option<String> {
    let account = &request.snapshot.identity.known()?.account;
    Some(format!("{account}/{}/{}", request.region(Side::Primary), of.pipeline.stream.of(Side::Primary)))
}

fn find<'a>(request: &Request<'a>, of: &Selected<'_>) -> Option<&'a Remembered> {
    request.remembered?.get(&key(request, of)?)
}

/// What this look sees, of the cold pipelines that rest in the primary Region. The position is the emergency's.
pub fn seen(request: &Request<'_>) -> Memory {
    let at = request.snapshot.taken_at;
    let look = |of: &Selected<'_>| {
        let derived = evidence(request, of, Mode::Emergency, of.pipeline.overlap_buffer).derive();
        let start = derived.ok().and_then(|position| match position.start {
            StartAt::Timestamp(value) => Some(SeenAt { at, value }),
            StartAt::TrimHorizon => None,
        });
        let settings = primary_settings(of, request).map(|value| SeenAt { at, value });
        let others = of.view.primary.consumer.other_streams.known();
        let other_streams = others.map(|value| SeenAt { at, value: value.clone() });
        let function = of.view.primary.consumer.function.known();
        let timeout_seconds = function.map(|function| SeenAt { at, value: function.timeout_seconds });
        Some((key(request, of)?, Remembered { start, settings, other_streams, timeout_seconds }))
    };
    let resting = |of: &Selected<'_>| of.is_cold() && request.rests_on(of, Side::Primary);
    request.selected().iter().filter(|of| resting(of)).filter_map(look).collect()
}

/// How the primary's mapping handles records, where it can be read.
pub(super) fn primary_settings(of: &Selected<'_>, request: &Request<'_>) -> Option<MappingSettings> {
    let consumer = assess::reader_of(of.pipeline, &request.topology.regions, Side::Primary);
    let mappings = of.view.primary.consumer.mappings.known()?;
    mappings.iter().find(|m| consumer.owns(m))?.settings.known().cloned()
}

/// How the primary's mapping handled records when a look from this machine saw it last.
pub(super) fn settings<'a>(request: &Request<'a>, of: &Selected<'_>) -> Option<&'a SeenAt<MappingSettings>> {
    find(request, of)?.settings.as_ref()
}

/// The streams besides its own that the consumer's function read when a look from this machine saw it last.
pub(super) fn other_streams<'a>(request: &Request<'a>, of: &Selected<'_>) -> Option<&'a SeenAt<Vec<String>>> {
    find(request, of)?.other_streams.as_ref()
}

/// The consumer's Timeout when a look from this machine saw it last.
pub(super) fn timeout<'a>(request: &Request<'a>, of: &Selected<'_>) -> Option<&'a SeenAt<u32>> {
    find(request, of)?.timeout_seconds.as_ref()
}

/// The flag that gives the position of an earlier look, and why it may be trusted. `None` where there is none, or
/// where the standby's stream no longer has what lies there.
pub(crate) fn advice(request: &Request<'_>, of: &Selected<'_>, retention: Duration) -> Option<String> {
    let now = request.snapshot.taken_at;
    let found = find(request, of)?.start.as_ref()?;
    if found.value <= now - retention {
        return None;
    }
    let ago = Duration::try_from(now.duration_since(found.at)).ok()?;
    Some(format!(
        "--start-at {} is what a look from this machine derived {} ago: nothing unprocessed lies before it, since a \
         consumer only moves forward; the later the look, the fewer duplicates",
        found.value,
        duration::show(Duration::from_secs(ago.as_secs()))
    ))
}
