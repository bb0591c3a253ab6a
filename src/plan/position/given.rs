//! A start that is given, not derived: what it costs, and whether it passes records over.

use super::{Evidence, Origin, Position};
use crate::model::{StartAt, Timestamp};
use std::time::Duration;

impl Evidence<'_> {
    /// A position that is given, with what it costs. AWS takes one before the stream's oldest record without a
    /// word and starts at that record (Kinesis API Reference, GetShardIterator).
    pub fn at(&self, start: StartAt, origin: Origin, mut notes: Vec<String>) -> Position {
        if matches!(start, StartAt::Timestamp(at) if at <= self.now - self.retention) {
            notes.push(format!(
                "the start lies before the standby stream's retention ({}): it is the same as trim-horizon",
                crate::model::duration::show(self.retention)
            ));
        }
        let rewind = match start {
            StartAt::Timestamp(at) => Duration::try_from(self.now.duration_since(at)).ok(),
            StartAt::TrimHorizon => None,
        };
        Position { start, origin, buffer: self.buffer, duplicates: self.duplicates(start), rewind, notes }
    }

    /// The start that skips nothing, where the given one may skip something. `None` is no proof that it does not:
    /// the data points may not tell.
    pub fn skips(&self, given: StartAt) -> Option<StartAt> {
        let derived = self.derive().ok().map(|position| position.start);
        let safe = derived.or_else(|| self.of_one_stream())?;
        (self.instant(given) > self.instant(safe)).then_some(safe)
    }

    /// What the data points say if they are of one stream, where Lambda does not tell whether they are.
    pub fn of_one_stream(&self) -> Option<StartAt> {
        match self.other_streams {
            None => Some(Evidence { other_streams: Some(&[]), ..*self }.derive().ok()?.start),
            Some(_) => None,
        }
    }

    /// The first instant that a start reads.
    fn instant(&self, start: StartAt) -> Timestamp {
        match start {
            StartAt::Timestamp(at) => at,
            StartAt::TrimHorizon => self.now - self.retention,
        }
    }
}
