//! The validated configuration: what belongs together, in which Regions. Illegal combinations cannot be built.

use crate::model::{AccountId, FunctionName, MappingSource, PipelineName, Region, Side, StreamName};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The whole of `kdsha.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Topology {
    /// Where it was read from; `None` for a built-in one.
    pub path: Option<PathBuf>,
    /// Both Regions.
    pub regions: Regions,
    /// The guard against other credentials.
    pub account: Option<AccountId>,
    /// The objectives.
    pub objectives: Objectives,
    /// The timing of waits.
    pub timing: Timing,
    /// Endpoint overrides, by Region.
    pub endpoints: BTreeMap<Region, String>,
    /// At least one, names unique, in the order of the file.
    pub pipelines: Vec<Pipeline>,
}

impl Topology {
    /// Two Regions and the defaults, without a pipeline yet: what `kdsha init` starts from.
    pub fn of_regions(regions: Regions) -> Topology {
        Topology {
            path: None,
            regions,
            account: None,
            objectives: Objectives::default(),
            timing: Timing::default(),
            endpoints: BTreeMap::new(),
            pipelines: Vec::new(),
        }
    }
}

/// The two Regions; never the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regions {
    /// Where the pipelines belong.
    pub primary: Region,
    /// Where they go.
    pub standby: Region,
}

impl Regions {
    /// The Region in a role.
    pub fn of(&self, side: Side) -> &Region {
        match side {
            Side::Primary => &self.primary,
            Side::Standby => &self.standby,
        }
    }
    /// The role of a Region.
    pub fn side_of(&self, region: &Region) -> Option<Side> {
        match region {
            r if *r == self.primary => Some(Side::Primary),
            r if *r == self.standby => Some(Side::Standby),
            _ => None,
        }
    }
}

/// What the business asked for. Defaults are the post's.
#[derive(Debug, Clone, PartialEq)]
pub struct Objectives {
    /// Recovery time objective (15 min).
    pub rto: Duration,
    /// Recovery point objective (5 min).
    pub rpo: Duration,
    /// Unhealthy at or above this share of failed calls (0.01) ...
    pub error_rate: f64,
    /// ... over this window (5 min).
    pub error_window: Duration,
}

impl Default for Objectives {
    fn default() -> Objectives {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Objectives { rto: minutes(15), rpo: minutes(5), error_rate: 0.01, error_window: minutes(5) }
    }
}

/// How long things take. Defaults suit AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// Between two looks during a wait (5 s).
    pub poll: Duration,
    /// After Disabled, before a mapping counts as stopped (60 s).
    pub settle: Duration,
    /// Data points that ended longer ago prove nothing (3 min).
    pub fresh: Duration,
    /// How long nothing may arrive before a stream counts as quiet (60 s).
    pub quiet: Duration,
    /// For one wait (30 min).
    pub timeout: Duration,
    /// Period of the metrics that are read (60 s, CloudWatch's own for AWS metrics; emulators allow less).
    pub metric_period: Duration,
}

impl Timing {
    /// The pause between two looks of a wait. Looks a whole number of minutes apart would see every data point at the
    /// same age, and perhaps each one just too old to prove anything: they move through the minute instead.
    pub fn between_looks(&self) -> Duration {
        let period = self.metric_period.as_millis().max(1);
        match self.poll.as_millis() % period {
            0 => self.poll - self.metric_period / 6,
            _ => self.poll,
        }
    }
}

impl Default for Timing {
    fn default() -> Timing {
        let seconds = Duration::from_secs;
        Timing {
            poll: seconds(5),
            settle: seconds(60),
            fresh: seconds(180),
            quiet: seconds(60),
            timeout: seconds(1800),
            metric_period: seconds(60),
        }
    }
}

/// Whether the standby's consumer always runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandbyMode {
    /// It is started at failover.
    Cold,
    /// It always runs.
    Warm,
}

/// A value for each side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerSide<T> {
    /// The primary's.
    pub primary: T,
    /// The standby's.
    pub standby: T,
}

impl<T> PerSide<T> {
    /// The value of a side.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Primary => &self.primary,
            Side::Standby => &self.standby,
        }
    }
}

/// One stream in both Regions with everything that writes, copies and reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Its name.
    pub name: PipelineName,
    /// Cold or warm.
    pub standby: StandbyMode,
    /// The stream's name on each side.
    pub stream: PerSide<StreamName>,
    /// How far before the derived position the standby's consumer starts (5 min).
    pub overlap_buffer: Duration,
    /// At least one; no function twice in one Region.
    pub producers: Vec<Producer>,
    /// The consumer.
    pub consumer: Consumer,
    /// The replicator from primary to standby.
    pub replicator: Option<Replicator>,
    /// Where the result lands.
    pub sink: Option<Sink>,
}

impl Pipeline {
    /// What the consumer reads on a side.
    pub fn consumer_source(&self, side: Side) -> MappingSource {
        source(self.stream.of(side), self.consumer.stream_consumer.as_ref())
    }
    /// What the replicator reads: the primary's stream, directly or through its fan-out consumer.
    pub fn replicator_source(&self) -> Option<MappingSource> {
        let replicator = self.replicator.as_ref()?;
        Some(source(&self.stream.primary, replicator.stream_consumer.as_ref()))
    }
}

fn source(stream: &StreamName, consumer: Option<&StreamName>) -> MappingSource {
    match consumer {
        Some(consumer) => {
            MappingSource::StreamConsumer { stream: stream.clone(), consumer: consumer.clone() }
        }
        None => MappingSource::Stream(stream.clone()),
    }
}

impl Producer {
    /// The variables with which it writes to a Region's stream.
    pub fn variables(&self, region: &Region, stream: &StreamName) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::from([(self.region_variable.clone(), region.to_string())]);
        variables.extend(self.stream_variable.clone().map(|variable| (variable, stream.to_string())));
        variables
    }
}

/// A Lambda function that writes to the stream named in its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    /// The function.
    pub function: FunctionName,
    /// Where the function lives.
    pub side: Side,
    /// The alias it is invoked through.
    pub alias: Option<String>,
    /// The variable that names the Region to write to.
    pub region_variable: String,
    /// The variable that names the stream to write to; `None` where the function has none.
    pub stream_variable: Option<String>,
}

/// The Lambda function that processes the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// The function on each side.
    pub function: PerSide<FunctionName>,
    /// The enhanced fan-out consumer it reads through, the same name on both sides.
    pub stream_consumer: Option<StreamName>,
    /// Settings of the standby's mapping that differ from the primary's.
    pub overrides: MappingOverrides,
}

/// Settings of the standby's mapping that are not cloned from the primary's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappingOverrides {
    /// Records a batch.
    pub batch_size: Option<u32>,
    /// Seconds to gather a batch.
    pub batching_window_seconds: Option<u32>,
    /// Batches of one shard at a time.
    pub parallelization_factor: Option<u32>,
    /// ARN of the on-failure destination in the standby Region.
    pub on_failure: Option<String>,
}

/// The Lambda function that copies the primary's stream to the standby's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replicator {
    /// The function; it lives in the primary Region.
    pub function: FunctionName,
    /// The enhanced fan-out consumer it reads through.
    pub stream_consumer: Option<StreamName>,
}

/// A DynamoDB table, of the same name in both Regions, whose items name the Region that wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    /// The table.
    pub table: String,
    /// The attribute that holds the Region.
    pub region_attribute: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_never_whole_minutes_apart() {
        let pause = |seconds: u64| {
            let timing = Timing { poll: Duration::from_secs(seconds), ..Timing::default() };
            timing.between_looks().as_secs()
        };
        assert_eq!([5, 59, 60, 90, 120].map(pause), [5, 59, 50, 90, 110]);
    }
}
