//! Event source mappings: settings, states, and where each shard's reader stands.

use super::clock::Millis;
use super::filters::Filters;
use super::functions::{Configuration, FunctionId};
use super::metrics::SeriesId;
use super::place::PlaceId;
use super::streams::StreamId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a mapping starts reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartingPosition {
    TrimHorizon,
    Latest,
    AtTimestamp(Millis),
}

/// What a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub stream: StreamId,
    /// The ARN as it was given: the stream's or its consumer's.
    pub arn: String,
    /// Index of the fan-out consumer in the stream.
    pub consumer: Option<usize>,
}

/// The settings that steer the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tuning {
    pub batch_size: u32,
    pub window_seconds: u32,
    pub parallelization: u32,
    pub bisect: bool,
    /// `None` is -1: never.
    pub maximum_record_age: Option<u32>,
    /// `None` is -1: until the record expires.
    pub maximum_retries: Option<u32>,
}

/// Settings that are kept and shown; of these, the filters say what the function is handed, and the response types what
/// it is handed again.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Extras {
    pub tumbling_window: u32,
    pub on_failure: Option<String>,
    pub filters: Filters,
    pub kms_key: Option<String>,
    pub response_types: Vec<String>,
    pub count_events: bool,
    pub tags: BTreeMap<String, String>,
}

impl Extras {
    /// Whether the items that the function names as failed are handed to it again.
    pub fn takes_reports(&self) -> bool {
        self.response_types.iter().any(|kind| kind == "ReportBatchItemFailures")
    }
}

/// State, as the API says it. It says what was asked for, not what the pollers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Creating,
    Enabling,
    Enabled,
    Disabling,
    Disabled,
    Updating,
    Deleting,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Creating => "Creating",
            State::Enabling => "Enabling",
            State::Enabled => "Enabled",
            State::Disabling => "Disabling",
            State::Disabled => "Disabled",
            State::Updating => "Updating",
            State::Deleting => "Deleting",
        }
    }
}

/// What the pollers really do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polling {
    Off,
    StartsAt(Millis),
    On,
    StopsAt(Millis),
}

/// An invocation under way.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    /// Positions from (inclusive) and to (exclusive).
    pub from: u64,
    pub to: u64,
    /// Positions in between that the filters leave out, in their order.
    pub left_out: Vec<u64>,
    pub started: Millis,
    pub ends: Millis,
    /// Invocations side by side.
    pub lanes: u32,
    /// Age of the last record when it was sent.
    pub age: Millis,
    /// The environment it started with.
    pub configuration: Arc<Configuration>,
    /// It ends with an error, whatever it reads.
    pub fails: bool,
}

impl Flight {
    /// How many records the function was handed.
    pub fn handed(&self) -> u64 {
        self.to - self.from - self.left_out.len() as u64
    }
}

/// The reader of one shard.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// The first record not yet processed; `None` until the first poll pins it.
    pub checkpoint: Option<u64>,
    /// The poller reads ahead of the function, up to here.
    pub read_to: u64,
    pub next_poll: Millis,
    pub next_subscription: Millis,
    pub not_before: Millis,
    pub gathering_since: Option<Millis>,
    pub retries: u32,
    /// While a failed batch is being halved: no invocation gets more than so many records.
    pub at_most: Option<u64>,
    /// The failed batch that retries count for ends here.
    pub retrying_to: u64,
    pub flight: Option<Flight>,
}

/// Metrics by mapping UUID, when EventCount is on.
#[derive(Debug, Clone, Copy)]
pub(super) struct MappingSeries {
    pub polled: SeriesId,
    pub filtered: SeriesId,
    pub invoked: SeriesId,
    pub failed: SeriesId,
    pub dropped: SeriesId,
}

/// An event source mapping.
#[derive(Debug)]
pub(super) struct Mapping {
    pub place: PlaceId,
    pub uuid: String,
    pub function: FunctionId,
    pub function_arn: String,
    pub qualifier: Option<String>,
    pub source: Source,
    pub starting: StartingPosition,
    pub tuning: Tuning,
    pub extras: Extras,
    pub state: State,
    /// When the transition ends, and in which state; `None` there is gone.
    pub transition: Option<(Millis, Option<State>)>,
    pub polling: Polling,
    pub cursors: Vec<Cursor>,
    /// When a reader first looked: LATEST means what came since then.
    pub begun: Option<Millis>,
    pub result: String,
    pub modified: Millis,
    pub series: MappingSeries,
    pub gone: bool,
}

impl Mapping {
    /// Create, update or delete must wait.
    pub fn is_in_transition(&self) -> bool {
        self.transition.is_some()
    }

    /// Records are read now.
    pub fn polls(&self) -> bool {
        matches!(self.polling, Polling::On | Polling::StopsAt(_))
    }

    /// Something may have to be done for its shards.
    pub fn is_live(&self) -> bool {
        (self.polls() && !self.gone) || self.cursors.iter().any(|c| c.flight.is_some())
    }

    /// The pollers lose what they had read ahead; the checkpoints stay.
    pub fn drop_read_ahead(&mut self) {
        for cursor in &mut self.cursors {
            let flying_to = cursor.flight.as_ref().map(|f| f.to);
            cursor.read_to = flying_to.or(cursor.checkpoint).unwrap_or_default();
            cursor.gathering_since = None;
        }
    }

    /// Follows the pollers' delays.
    pub fn settle_polling(&mut self, now: Millis) {
        match self.polling {
            Polling::StartsAt(at) if at <= now => {
                self.polling = Polling::On;
                self.drop_read_ahead();
            }
            Polling::StopsAt(at) if at <= now => {
                self.polling = Polling::Off;
                self.drop_read_ahead();
            }
            _ => {}
        }
    }
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning {
            batch_size: 100,
            window_seconds: 0,
            parallelization: 1,
            bisect: false,
            maximum_record_age: None,
            maximum_retries: None,
        }
    }
}
