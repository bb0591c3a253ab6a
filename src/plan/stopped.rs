//! When a consumer that stands still had stopped reading. A mapping's LastModified alone does not tell: any change of a
//! stopped mapping makes it newer.

use crate::model::{Mapping, MappingState, SideView, Timestamp};

/// The end of the last period in which the consumer is seen to have read. The stream's iterator age is no sign of it:
/// others have a part in it, and a run's own look at the shards is one of them.
pub(super) fn read_until(side: &SideView) -> Option<Timestamp> {
    let metrics = &side.consumer.metrics;
    let own = metrics.polled_events.known().or_else(|| metrics.millis_behind_latest.as_ref()?.known());
    let series = own.or_else(|| metrics.invocations.known())?;
    series.last().map(|point| point.at + series.period)
}

/// When a stopped consumer had read for the last time, or was changed for the last time, whichever was first.
pub(super) fn stopped_at(side: &SideView, mapping: Option<&Mapping>) -> Option<Timestamp> {
    let stopped = mapping.filter(|mapping| mapping.state == MappingState::Disabled);
    stopped.and_then(|mapping| mapping.last_modified).into_iter().chain(read_until(side)).min()
}
