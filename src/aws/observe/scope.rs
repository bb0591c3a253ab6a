//! What a look asks for: which pipelines, which sides, and which of the dearer questions.

use crate::config::{Pipeline, Topology};
use crate::model::{PipelineName, Side};
use std::time::Duration;

/// One side or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Both Regions.
    Both,
    /// One Region; nothing of the other is asked.
    Only(Side),
}

impl Sides {
    /// Whether a side belongs to it.
    pub fn has(self, side: Side) -> bool {
        match self {
            Sides::Both => true,
            Sides::Only(only) => only == side,
        }
    }
}

/// A direct read of the shards: the proof that a stream is quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The sides whose streams are read. It takes read throughput from the stream's own readers.
    pub sides: Sides,
    /// How far back the read begins.
    pub look_back: Duration,
}

/// What a look asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The pipelines; none is all of them.
    pub pipelines: Vec<PipelineName>,
    /// The sides that are asked.
    pub sides: Sides,
    /// The direct read of the shards, where one is due.
    pub probe: Option<Probe>,
    /// Whether the lag of each shard is read, where a stream has shard-level metrics.
    pub shard_metrics: bool,
    /// Whether the run marks are read: five tags a second are all that an account may ask for (Kinesis
    /// ListTagsForStream), so a look that only waits leaves them out.
    pub marks: bool,
    /// Whether a producer that is configured without an alias is asked for those that it has: one call each, of the
    /// ten a second that Lambda's control plane is asked.
    pub other_aliases: bool,
    /// Whether the sinks' tables are sampled.
    pub sink: bool,
    /// How far back metrics are read.
    pub metrics_window: Duration,
}

/// Enough for lag, health and freshness.
const RECENT: Duration = Duration::from_secs(15 * 60);
/// Enough to derive a start position behind a spell of errors or throttles. CloudWatch answers the last three
/// hours fastest, and 500 queries of 180 points are what one call may give.
const LONG: Duration = Duration::from_secs(3 * 3600);
/// The most points of a series that are asked for.
const MOST_POINTS: u32 = 1440;

impl Scope {
    fn new(metrics_window: Duration) -> Scope {
        Scope {
            pipelines: Vec::new(),
            sides: Sides::Both,
            probe: None,
            shard_metrics: false,
            marks: true,
            other_aliases: false,
            sink: false,
            metrics_window,
        }
    }

    /// For `status`: everything on both sides, the last quarter of an hour of metrics.
    pub fn status() -> Scope {
        Scope::new(RECENT)
    }

    /// For planning a run: as `status`, with metrics far enough back to derive a start position, and the aliases that
    /// a switch would not reach.
    pub fn plan() -> Scope {
        Scope { shard_metrics: true, other_aliases: true, ..Scope::new(LONG) }
    }

    /// For one look during a wait: the same as `status`, with a probe where the wait needs one.
    pub fn wait(probe: Option<Probe>) -> Scope {
        Scope { probe, ..Scope::new(RECENT) }
    }

    /// For `verify`: as `status`, what the sinks' tables say, and the aliases that a switch would not reach.
    pub fn verify() -> Scope {
        Scope { sink: true, other_aliases: true, ..Scope::new(RECENT) }
    }

    /// The same for some pipelines; none is all of them.
    #[must_use]
    pub fn of(mut self, pipelines: &[PipelineName]) -> Scope {
        self.pipelines = pipelines.to_vec();
        self
    }

    /// The same for one side alone.
    #[must_use]
    pub fn on(mut self, sides: Sides) -> Scope {
        self.sides = sides;
        self
    }

    /// The pipelines of a topology that the scope names, in the order of the file.
    pub(super) fn select<'a>(&self, topology: &'a Topology) -> Vec<&'a Pipeline> {
        let is_selected = |name: &PipelineName| self.pipelines.is_empty() || self.pipelines.contains(name);
        topology.pipelines.iter().filter(|pipeline| is_selected(&pipeline.name)).collect()
    }

    /// How far back series of this period are read.
    pub(super) fn window(&self, period: Duration) -> Duration {
        self.metrics_window.min(period * MOST_POINTS)
    }
}
