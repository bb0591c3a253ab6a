//! How long the world takes over things. The defaults suit AWS as far as its documents say; tests shorten them.

use super::clock::{Millis, span};
use std::time::Duration;

/// A delay drawn anew each time, between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The shortest.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
}

impl Span {
    /// Between so many milliseconds.
    pub const fn millis(least: u64, most: u64) -> Span {
        Span { least: Duration::from_millis(least), most: Duration::from_millis(most) }
    }
    /// Always the same.
    pub const fn exactly(delay: Duration) -> Span {
        Span { least: delay, most: delay }
    }
    pub(super) fn draw(self, rng: &mut fastrand::Rng) -> Millis {
        let (least, most) = (span(self.least), span(self.most));
        rng.i64(least..=most.max(least))
    }
}

/// Every delay of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// From the end of a period until its point can be read (CloudWatch publishes no bound).
    pub metric: Duration,
    /// A mapping's Creating, Enabling, Disabling, Updating and Deleting.
    pub mapping: Span,
    /// From Enabled until the mapping really polls ("it may take several minutes", Lambda Developer Guide,
    /// "Process Amazon Kinesis Data Streams records with Lambda").
    pub polling_starts: Span,
    /// From Disabled until the mapping really stops.
    pub polling_stops: Span,
    /// A function's LastUpdateStatus InProgress.
    pub function_update: Span,
    /// A new function's Pending.
    pub function_create: Span,
    /// A stream's CREATING and DELETING.
    pub stream: Span,
    /// A stream consumer's CREATING and DELETING.
    pub stream_consumer: Span,
    /// A table's CREATING and DELETING.
    pub table: Span,
    /// From a write to a global table until the other Region has it.
    pub table_replication: Duration,
}

impl Default for Delays {
    fn default() -> Delays {
        Delays {
            metric: Duration::from_secs(45),
            mapping: Span::millis(4_000, 12_000),
            polling_starts: Span::millis(15_000, 60_000),
            polling_stops: Span::millis(3_000, 25_000),
            function_update: Span::millis(2_000, 7_000),
            function_create: Span::millis(1_000, 4_000),
            stream: Span::millis(3_000, 10_000),
            stream_consumer: Span::millis(3_000, 10_000),
            table: Span::millis(2_000, 6_000),
            table_replication: Duration::from_secs(1),
        }
    }
}
