//! Rule 5: the reader itself was seen to read since the newest record arrived.

use super::{Drain, age};
use crate::model::{Check, Mapping, StartingPosition, Timestamp};
use crate::steps::Seen;

/// What the rule adds to the evidence: nothing, or that there was nothing by which a reader could show that it reads.
const READS: &str = "";
const NOTHING_TO_READ: &str = "; no arrival is in sight, so nothing shows whether it reads";

impl Drain {
    /// Whether the reader itself has read. The stream's iterator age is that of every reader, this program's own direct
    /// reads included, so a mapping that is on and does nothing would pass for one that has caught up. `Ok` carries what
    /// is to be added to the evidence.
    pub(super) fn has_read(&self, mapping: &Mapping, seen: Seen<'_>) -> Result<&'static str, Check> {
        let Some(view) = self.reader.view(seen) else { return Ok(READS) };
        let metrics = &view.metrics;
        if metrics.millis_behind_latest.is_some() {
            return Ok(READS);
        }
        let polls = metrics.polled_events.known();
        let Some(arrived) = self.newest_arrival(mapping, seen)? else {
            let is_polled = polls.is_some_and(|polls| !polls.since(seen.at - self.hold).is_empty());
            return Ok(if is_polled { READS } else { NOTHING_TO_READ });
        };
        // An empty poll is counted too (Lambda Developer Guide, monitoring-metrics-types).
        if polls.is_some_and(|polls| !polls.since(arrived).is_empty()) {
            return Ok(READS);
        }
        if let Some(others) = view.other_streams.known().filter(|others| !others.is_empty()) {
            let others = others.join(", ");
            return Err(self.not_yet(
                seen,
                format!(
                    "{} reads {others} too, so its invocations do not show that it reads this stream; `{}` makes it show",
                    self.reader.function,
                    self.reader.count_events(mapping)
                ),
            ));
        }
        let invocations = metrics.invocations.as_result().map_err(|r| self.not_yet(seen, r.text.clone()))?;
        match invocations.reaching(arrived).iter().any(|point| point.value > 0.0) {
            true => Ok(READS),
            false => Err(self.not_yet(seen, self.no_invocation(mapping, arrived, seen.at))),
        }
    }

    fn no_invocation(&self, mapping: &Mapping, arrived: Timestamp, now: Timestamp) -> String {
        let none = format!(
            "no invocation since the newest record arrived at {arrived:.0}: nothing shows that it reads"
        );
        let shown = self.reader.count_events(mapping);
        match mapping.settings.known() {
            Some(settings) if !settings.filters.is_empty() => {
                format!(
                    "{none}; records that its filters leave out invoke nothing, and `{shown}` makes it show"
                )
            }
            // By now the metrics would have told.
            Some(settings) if !settings.count_events && age(now, arrived) > self.hold => {
                format!("{none}; `{shown}` makes its polls show")
            }
            _ => none,
        }
    }

    /// When the newest record arrived that is known of and that the reader is to read, up to the moment that is looked at.
    fn newest_arrival(&self, mapping: &Mapping, seen: Seen<'_>) -> Result<Option<Timestamp>, Check> {
        let side = self.reader.side_view(seen);
        let read = side.probe.known().and_then(|probe| probe.newest()).filter(|at| *at <= seen.at);
        if read.is_some() {
            return Ok(read);
        }
        let counted = side.metrics.incoming_records.as_result();
        let counted = counted.map_err(|reason| self.not_yet(seen, reason.text.clone()))?;
        let starts = match mapping.position {
            Some(StartingPosition::AtTimestamp(at)) => at,
            _ => Timestamp::MIN,
        };
        let mut newest_first = counted.reaching(starts).iter().rev();
        Ok(newest_first.find(|point| point.value > 0.0 && point.at <= seen.at).map(|point| point.at))
    }
}
