//! Everything observed at one moment, for every pipeline and both Regions. Read with the AWS names in mind.

use super::Timestamp;
use super::cutover::RunMark;
use super::failure::FailureKind;
use super::function::{AliasView, FunctionView};
use super::ids::{AccountId, FunctionName, PipelineName, Region, StreamName};
use super::mapping::Mapping;
use super::metrics::Series;
use super::observed::Observed;
use super::stream::{ShardSeries, StreamConsumer, StreamProbe, StreamView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A Region's role, fixed by the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Where the pipeline belongs.
    Primary,
    /// Where it goes.
    Standby,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Side {
        match self {
            Side::Primary => Side::Standby,
            Side::Standby => Side::Primary,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Side::Primary => "primary",
            Side::Standby => "standby",
        })
    }
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// The caller's ARN.
    pub arn: String,
    /// When the credentials expire, where their provider says so.
    pub expires: Option<Timestamp>,
}

/// How one API of one Region answered during a look.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ApiAnswer {
    /// Service and operation.
    pub operation: String,
    /// Calls that were answered.
    pub answered: u32,
    /// Calls that failed.
    pub failed: u32,
    /// Why the last one failed.
    pub reason: Option<String>,
    /// What kind of failure that was.
    pub kind: Option<FailureKind>,
    /// The slowest answer.
    #[serde(rename = "slowest_seconds", with = "super::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub slowest: Duration,
}

/// What belongs to a Region rather than to a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RegionView {
    /// Its role.
    pub side: Side,
    /// Which APIs answered.
    pub apis: Vec<ApiAnswer>,
    /// Lambda concurrency that no function has reserved.
    pub unreserved_concurrency: Observed<u32>,
}

/// What a look cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RequestStats {
    /// HTTP requests sent, retries included.
    pub requests: u64,
    /// The longest chain of calls that each waited for the one before.
    pub longest_chain: u32,
}

/// A producer function.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProducerView {
    /// The function's name.
    pub name: FunctionName,
    /// The Region where it lives.
    pub region: Region,
    /// The function as `$LATEST` is.
    pub function: Observed<FunctionView>,
    /// The alias it is invoked through, where one is configured.
    pub alias: Option<Observed<AliasView>>,
    /// Where none is configured: the versions that aliases of the function run all the same. Asked for plans and by
    /// `verify`.
    pub other_aliases: Observed<Vec<OtherAlias>>,
    /// Value of the region variable that invocations use (the alias's, where there is one).
    pub region_value: Observed<Option<String>>,
    /// Value of the stream variable that invocations use.
    pub stream_value: Observed<Option<String>>,
}

impl ProducerView {
    /// What $LATEST is made of and the version behind the alias is not, by name and beside the variables: a switch
    /// would publish it. Nothing where there is no alias, or where it points at $LATEST.
    pub fn unreleased(&self) -> Vec<&'static str> {
        match (self.function.known(), self.alias.as_ref().and_then(Observed::known)) {
            (Some(latest), Some(live)) if !live.is_latest() => latest.release.differences(&live.release),
            _ => Vec::new(),
        }
    }
}

/// A version that an alias runs which the configuration does not name. An alias that splits its traffic has several.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OtherAlias {
    /// The alias's name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Value of the region variable in the environment that this version is locked to.
    pub region_value: Observed<Option<String>>,
}

/// Metrics of a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StreamMetrics {
    /// AWS/Kinesis IncomingRecords, Sum.
    pub incoming_records: Observed<Series>,
    /// AWS/Kinesis GetRecords.IteratorAgeMilliseconds, Maximum, ms: all standard readers of the stream together.
    pub iterator_age: Observed<Series>,
    /// AWS/Kinesis PutRecord.Success, Sum.
    pub put_record_success: Observed<Series>,
    /// AWS/Kinesis PutRecord.Success, SampleCount.
    pub put_record_calls: Observed<Series>,
    /// AWS/Kinesis PutRecords.TotalRecords, Sum.
    pub put_records_total: Observed<Series>,
    /// AWS/Kinesis PutRecords.FailedRecords (internal failures, not throttles), Sum.
    pub put_records_failed: Observed<Series>,
    /// AWS/Kinesis GetRecords.Success, Sum.
    pub get_records_success: Observed<Series>,
    /// AWS/Kinesis GetRecords.Success, SampleCount.
    pub get_records_calls: Observed<Series>,
    /// AWS/Kinesis PutRecords.ThrottledRecords, Sum.
    pub put_records_throttled: Observed<Series>,
    /// AWS/Kinesis WriteProvisionedThroughputExceeded, Sum: records refused for the shards' limits.
    pub writes_throttled: Observed<Series>,
    /// AWS/Kinesis ReadProvisionedThroughputExceeded, Sum: GetRecords calls refused for the shards' limits.
    pub reads_throttled: Observed<Series>,
    /// AWS/Kinesis IteratorAgeMilliseconds, Maximum, ms, of every open shard; asked for plans, where the stream
    /// has shard-level metrics.
    pub shard_iterator_age: Option<Observed<ShardSeries>>,
}

/// Metrics of a function that reads a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderMetrics {
    /// AWS/Lambda IteratorAge, Maximum, ms: age of the newest record of each batch.
    pub iterator_age: Observed<Series>,
    /// AWS/Lambda Errors, Sum.
    pub errors: Observed<Series>,
    /// AWS/Lambda Throttles, Sum.
    pub throttles: Observed<Series>,
    /// AWS/Lambda Invocations, Sum.
    pub invocations: Observed<Series>,
    /// AWS/Lambda Duration, Maximum, ms.
    pub duration: Observed<Series>,
    /// AWS/Kinesis SubscribeToShardEvent.MillisBehindLatest, Maximum, ms: enhanced fan-out readers alone.
    pub millis_behind_latest: Option<Observed<Series>>,
    /// AWS/Lambda PolledEventCount of the one mapping, Sum; a zero proves polling as much as a number does.
    pub polled_events: Observed<Series>,
}

/// A function that reads a stream (consumer or replicator) on one side.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderView {
    /// The function's name.
    pub name: FunctionName,
    /// The function.
    pub function: Observed<FunctionView>,
    /// Every mapping of this function on this stream, direct or through an enhanced fan-out consumer, in
    /// every state, of every qualifier.
    pub mappings: Observed<Vec<Mapping>>,
    /// Other streams that the same function reads, by name: its metrics are of all of them together.
    pub other_streams: Observed<Vec<String>>,
    /// The enhanced fan-out consumer it reads through, where one is configured: `Known(None)` is "does not exist".
    pub stream_consumer: Option<Observed<Option<StreamConsumer>>>,
    /// Its metrics.
    pub metrics: ReaderMetrics,
}

/// One pipeline in one Region.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SideView {
    /// The Region.
    pub region: Region,
    /// The stream's name.
    pub stream_name: StreamName,
    /// The stream.
    pub stream: Observed<StreamView>,
    /// The run mark on the stream; asked on the standby side alone.
    pub mark: Observed<Option<RunMark>>,
    /// A direct read of the shards; asked during waits.
    pub probe: Observed<StreamProbe>,
    /// The stream's metrics.
    pub metrics: StreamMetrics,
    /// Mappings of other functions on this stream, in every state. Readers that are not Lambda functions cannot
    /// be listed.
    pub other_mappings: Observed<Vec<Mapping>>,
    /// The consumer.
    pub consumer: ReaderView,
    /// The replicator: on the primary side, where one is configured.
    pub replicator: Option<ReaderView>,
}

/// One pipeline in both Regions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PipelineView {
    /// In the order of the configuration.
    pub producers: Vec<ProducerView>,
    /// The primary's side.
    pub primary: SideView,
    /// The standby's side.
    pub standby: SideView,
    /// The sink's items by the Region that wrote them last; asked by `verify` alone.
    pub sink: Option<Observed<SinkView>>,
}

impl PipelineView {
    /// One side.
    pub fn side(&self, side: Side) -> &SideView {
        match side {
            Side::Primary => &self.primary,
            Side::Standby => &self.standby,
        }
    }
}

/// What the sink's table says, from a bounded DynamoDB `Scan` in the active Region.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SinkView {
    /// The Region that was asked.
    pub region: Region,
    /// Items looked at.
    pub items: u64,
    /// Whether the table has more items than were looked at.
    pub is_sample: bool,
    /// Items by the value of the region attribute.
    pub by_region: BTreeMap<String, u64>,
}

/// Everything observed at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Snapshot {
    /// By the server's clock.
    pub taken_at: Timestamp,
    /// How far the workstation's clock is off, seconds; positive: it is behind.
    pub clock_skew_seconds: Option<f64>,
    /// Who is asking.
    pub identity: Observed<Identity>,
    /// Both Regions.
    pub regions: BTreeMap<Region, RegionView>,
    /// Every selected pipeline.
    pub pipelines: BTreeMap<PipelineName, PipelineView>,
    /// What the look cost.
    pub stats: RequestStats,
}

impl Snapshot {
    /// Why AWS takes the caller's credentials nowhere: every API that was asked refused them. Waiting does not help.
    pub fn refused_credentials(&self) -> Option<&str> {
        let asked: Vec<&ApiAnswer> = self.regions.values().flat_map(|region| &region.apis).collect();
        let is_refused = |api: &&ApiAnswer| api.answered == 0 && api.kind == Some(FailureKind::Credentials);
        let all = !asked.is_empty() && asked.iter().all(is_refused);
        asked.first().filter(|_| all).and_then(|api| api.reason.as_deref())
    }
}
