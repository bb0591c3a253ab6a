//! For the night on which the primary says nothing: what every look at a sound pipeline sees of its readers is kept, and
//! whoever sees less later goes by it. An emergency takes the mapping's settings and the function's time-out from it and
//! offers its position; the other streams of the function tell whether its metrics are of one stream. A failback takes
//! from it the settings of a mapping that is gone.
//!
//! An older position is a safe one: the first record that nobody has processed only moves forward, so what lay before it
//! then lies before it now; it costs duplicates, never records.

use super::sequence::{Request, Selected};
use super::start::evidence;
use super::{Mode, assess};
use crate::model::{MappingSettings, ReaderView, Side, StartAt, Timestamp, duration};
use crate::steps::{Reader, Role};
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
    /// How the replicator's mapping handled records.
    #[serde(default)]
    pub replicator_settings: Option<SeenAt<MappingSettings>>,
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
        renew(&mut self.replicator_settings, look.replicator_settings);
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

/// What this look sees of the cold pipelines: of those that rest in the primary Region where an emergency would start and
/// what its function is, and how the mappings there handle records wherever they rest.
pub fn seen(request: &Request<'_>) -> Memory {
    let look = |of: &Selected<'_>| Some((key(request, of)?, look(request, of)));
    request.selected().iter().filter(|of| of.is_cold()).filter_map(look).collect()
}

fn look(request: &Request<'_>, of: &Selected<'_>) -> Remembered {
    let at = request.snapshot.taken_at;
    let mappings = Remembered {
        settings: primary_settings(of, request).map(|value| SeenAt { at, value }),
        replicator_settings: replicator_settings(of, request).map(|value| SeenAt { at, value }),
        ..Remembered::default()
    };
    if !request.rests_on(of, Side::Primary) {
        return mappings;
    }
    let derived = evidence(request, of, Mode::Emergency, of.pipeline.overlap_buffer).derive();
    let start = derived.ok().and_then(|position| match position.start {
        StartAt::Timestamp(value) => Some(SeenAt { at, value }),
        StartAt::TrimHorizon => None,
    });
    let consumer = &of.view.primary.consumer;
    let other_streams = consumer.other_streams.known().map(|value| SeenAt { at, value: value.clone() });
    let function = consumer.function.known();
    let timeout_seconds = function.map(|function| SeenAt { at, value: function.timeout_seconds });
    Remembered { start, other_streams, timeout_seconds, ..mappings }
}

/// How the primary's mapping handles records, where it can be read.
pub(super) fn primary_settings(of: &Selected<'_>, request: &Request<'_>) -> Option<MappingSettings> {
    let consumer = assess::reader_of(of.pipeline, &request.topology.regions, Side::Primary);
    settings_of(&consumer, &of.view.primary.consumer)
}

fn replicator_settings(of: &Selected<'_>, request: &Request<'_>) -> Option<MappingSettings> {
    let replicator = assess::replicator_of(of.pipeline, &request.topology.regions)?;
    settings_of(&replicator, of.view.primary.replicator.as_ref()?)
}

fn settings_of(reader: &Reader, view: &ReaderView) -> Option<MappingSettings> {
    view.mappings.known()?.iter().find(|m| reader.owns(m))?.settings.known().cloned()
}

/// How a mapping of the primary handled records when a look from this machine saw it last.
pub(super) fn settings<'a>(
    request: &Request<'a>,
    of: &Selected<'_>,
    role: Role,
) -> Option<&'a SeenAt<MappingSettings>> {
    let found = find(request, of)?;
    match role {
        Role::Consumer => found.settings.as_ref(),
        Role::Replicator => found.replicator_settings.as_ref(),
    }
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
