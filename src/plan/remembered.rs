//! For the night on which the primary says nothing: what every look at a sound pipeline derives is kept, and an
//! emergency without data points offers it; so are the settings of its mapping, and an emergency takes them. An older position is a safe one: the first record that nobody has
//! processed only moves forward, so what lay before it then lies before it now; it costs duplicates, never records.

use super::sequence::{Request, Selected};
use super::start::evidence;
use super::{Mode, assess};
use crate::model::{MappingSettings, Side, StartAt, Timestamp, duration};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a look derived for a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// When, by the server's clock.
    pub at: Timestamp,
    /// Where an emergency would have started.
    pub start: Timestamp,
    /// How the primary's mapping handled records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<MappingSettings>,
}

/// Positions by what they are of: account, Region and stream, whatever the pipelines are called.
pub type Positions = BTreeMap<String, Remembered>;

/// Whose position it is; `None` while the account is unknown.
fn key(request: &Request<'_>, of: &Selected<'_>) -> Option<String> {
    let account = &request.snapshot.identity.known()?.account;
    Some(format!("{account}/{}/{}", request.region(Side::Primary), of.pipeline.stream.of(Side::Primary)))
}

/// What this look derives, by the emergency's rule, for the cold pipelines that rest in the primary Region.
pub fn positions(request: &Request<'_>) -> Positions {
    let at = request.snapshot.taken_at;
    let derived = |of: &Selected<'_>| {
        let evidence = evidence(request, of, Mode::Emergency, of.pipeline.overlap_buffer);
        let StartAt::Timestamp(start) = evidence.derive().ok()?.start else { return None };
        let settings = primary_settings(of, request);
        Some((key(request, of)?, Remembered { at, start, settings }))
    };
    let resting = |of: &Selected<'_>| of.is_cold() && request.rests_on(of, Side::Primary);
    request.selected().iter().filter(|of| resting(of)).filter_map(derived).collect()
}

/// How the primary's mapping handles records, where it can be read.
pub(super) fn primary_settings(of: &Selected<'_>, request: &Request<'_>) -> Option<MappingSettings> {
    let consumer = assess::reader_of(of.pipeline, &request.topology.regions, Side::Primary);
    let mappings = of.view.primary.consumer.mappings.known()?;
    mappings.iter().find(|m| consumer.owns(m))?.settings.known().cloned()
}

/// How the primary's mapping handled records when a look from this machine saw it last, and when that was.
pub(super) fn settings<'a>(
    request: &Request<'a>,
    of: &Selected<'_>,
) -> Option<(Timestamp, &'a MappingSettings)> {
    let found = request.remembered?.get(&key(request, of)?)?;
    Some((found.at, found.settings.as_ref()?))
}

/// The flag that gives the position of an earlier look, and why it may be trusted. `None` where there is none, or
/// where the standby's stream no longer has what lies there.
pub(crate) fn advice(request: &Request<'_>, of: &Selected<'_>, retention: Duration) -> Option<String> {
    let now = request.snapshot.taken_at;
    let found = request.remembered?.get(&key(request, of)?)?;
    if found.start <= now - retention {
        return None;
    }
    let ago = Duration::try_from(now.duration_since(found.at)).ok()?;
    Some(format!(
        "--start-at {} is what a look from this machine derived {} ago: nothing unprocessed lies before it, since a \
         consumer only moves forward; the later the look, the fewer duplicates",
        found.start,
        duration::show(Duration::from_secs(ago.as_secs()))
    ))
}
