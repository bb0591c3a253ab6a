//! Since when producers are seen to be as they are: AWS says when a function was changed, and not when an alias was
//! moved, so invocations from before the move are counted from the first look that shows it.

use super::Engine;
use crate::model::{FunctionName, Observed, ProducerView, Region, Snapshot, Timestamp};
use std::collections::BTreeMap;

/// The version that invocations use, where it is an alias's, and since when.
pub(super) type SeenSince = BTreeMap<(Region, FunctionName), (String, Timestamp)>;

impl Engine<'_> {
    /// Writes it into the look. After a restart it is the first look of the new process: later than need be, which
    /// costs a wait of one time-out at the most.
    pub(super) fn date_aliases(&self, mut snapshot: Snapshot) -> Snapshot {
        let at = snapshot.taken_at;
        let mut seen = self.aliases.borrow_mut();
        let producers = snapshot.pipelines.values_mut().flat_map(|view| &mut view.producers);
        producers.for_each(|producer| date(producer, &mut seen, at));
        snapshot
    }
}

fn date(producer: &mut ProducerView, seen: &mut SeenSince, at: Timestamp) {
    let Some(Observed::Known(alias)) = &mut producer.alias else { return };
    let since = seen
        .entry((producer.region.clone(), producer.name.clone()))
        .and_modify(|entry| {
            if entry.0 != alias.version {
                *entry = (alias.version.clone(), at);
            }
        })
        .or_insert_with(|| (alias.version.clone(), at));
    alias.seen_since = Some(since.1);
}
