//! The plain words that every other room speaks: ids, what was observed, what may be changed, what happened.
//!
//! Nothing here does I/O and nothing here imports another room of ours. One meaning a word:
//!
//! | word | type |
//! |---|---|
//! | primary, standby | [`Side`]: roles fixed by the configuration |
//! | snapshot | [`Snapshot`]: everything observed at one moment, each part [`Observed::Known`] or [`Observed::Unknown`] |
//! | effect | [`Effect`]: one mutating AWS call, the closed list of all of them |
//! | check | [`Check`]: what a step says of a snapshot; [`CheckReport`]: one named preflight or `verify` result |
//! | lag | how far a reader is behind; missing lag is `Unknown`, never zero |

pub mod check;
pub mod consequence;
pub mod cutover;
pub mod duration;
pub mod effect;
pub mod event;
pub mod exit;
pub mod failure;
pub mod function;
pub mod ids;
pub mod interrupt;
pub mod mapping;
pub mod metrics;
pub mod observed;
pub mod permit;
pub mod picture;
pub mod snapshot;
pub mod stream;
pub mod survey;
pub mod time;

pub use check::{Check, CheckReport, Progress, Verdict};
pub use consequence::{Consequence, Repeated, Stranded, WaitsFor};
pub use cutover::{CutOverToken, RunMark, RunState};
pub use effect::{Effect, MappingSource, Performed, StartAt};
pub use event::{Event, StepOutcome};
pub use exit::Exit;
pub use failure::{AwsFailure, FailureKind, Sent};
pub use function::{AliasView, Environment, FunctionView, LONGEST_UPDATE, Release, Secret};
pub use ids::{AccountId, Arn, FunctionName, MappingId, PipelineName, Region, RunId, StreamName};
pub use interrupt::Interrupt;
pub use mapping::{Mapping, MappingSettings, MappingState, StartingPosition};
pub use metrics::{Point, Series};
pub use observed::{Observed, Reason};
pub use permit::Permit;
pub use picture::Picture;
pub use snapshot::{
    ApiAnswer, Identity, OtherAlias, PipelineView, ProducerView, ReaderMetrics, ReaderView, RegionView,
    RequestStats, Side, SideView, SinkView, Snapshot, StreamMetrics,
};
pub use stream::{
    ShardArrivals, ShardProbe, ShardSeries, StreamConsumer, StreamMode, StreamProbe, StreamView,
};
pub use survey::{RegionSurvey, Survey};
pub use time::Clock;

/// An instant, in UTC. Always the server's clock, never the workstation's (see [`Clock`]).
pub type Timestamp = jiff::Timestamp;
