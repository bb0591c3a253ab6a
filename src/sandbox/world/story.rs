//! The post's topology with live traffic: producer -> stream -> consumer -> table, and a replicator that copies the
//! primary's stream to the standby's.

use super::delays::Delays;
use crate::config::{
    Consumer, MappingOverrides, Objectives, PerSide, Pipeline, Producer, Regions, Replicator, Sink,
    StandbyMode, Timing, Topology,
};
use crate::model::ids::InvalidId;
use crate::model::{AccountId, FunctionName, Region, Side, StreamName};
use std::collections::BTreeMap;
use std::time::Duration;

/// What copies the primary's stream to the standby's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copying {
    /// Nothing does.
    None,
    /// A replicator that reads the stream itself and shares its read quota with the consumer.
    Standard,
    /// A replicator that reads through an enhanced fan-out consumer, as in the post.
    FanOut,
}

/// What a story plays. The default is the post's pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Where the pipelines belong (us-west-2).
    pub primary: Region,
    /// Where they go (us-east-2).
    pub standby: Region,
    /// The account (123456789012).
    pub account: AccountId,
    /// How many pipelines; from the second on, all names end in `-2`, `-3`, ... (1)
    pub pipelines: u32,
    /// Shards of each stream (4).
    pub shards: u32,
    /// Records a second into each pipeline (20).
    pub records_per_second: f64,
    /// Whether the standby's consumer runs from the beginning.
    pub warm: bool,
    /// How long it has been running when the story begins (35 min), so that metrics have a history.
    pub history: Duration,
    /// How long the world takes over things.
    pub delays: Delays,
    /// Time that the consumer takes for a record (2 ms).
    pub consumer_per_record: Duration,
    /// BatchSize of the mappings (100).
    pub batch_size: u32,
    /// Timeout of every function but the producers (30 s).
    pub function_timeout_seconds: u32,
    /// Timeout of the producers (30 s).
    pub producer_timeout_seconds: u32,
    /// Retention of the streams (24 h).
    pub retention_hours: u32,
    /// The producer's further variables. Its code fails without any of them.
    pub producer_variables: BTreeMap<String, String>,
    /// The alias through which the producer is invoked; `None`: $LATEST.
    pub producer_alias: Option<String>,
    /// The share of the producer's invocations that dawdle before they put, up to their time-out (0.002).
    pub slow_share: f64,
    /// Whether the mappings have EventCount metrics.
    pub count_events: bool,
    /// How many producers share the traffic of each pipeline; from the second on, their names end in `-b`, `-c`, ...
    /// (1)
    pub producers: u32,
    /// What copies the primary's stream (a replicator with enhanced fan-out).
    pub copying: Copying,
    /// Whether the consumers read through an enhanced fan-out consumer of their own.
    pub fan_out_consumers: bool,
    /// Whether `kdsha.toml` names the sink.
    pub sink: bool,
    /// Whether the consumers' mappings halve a failing batch.
    pub bisect: bool,
}

impl Default for Story {
    fn default() -> Story {
        let region = |name: &str| name.parse().expect("a Region's name");
        let extra = [
            ("LOG_LEVEL", "INFO"),
            ("PARTITION_KEY_FIELD", "ticker"),
            ("API_TOKEN", "sandbox-token-not-a-secret"),
            ("RETRY_SECONDS", "300"),
        ];
        Story {
            primary: region("us-west-2"),
            standby: region("us-east-2"),
            account: "123456789012".parse().expect("an account id"),
            pipelines: 1,
            shards: 4,
            records_per_second: 20.0,
            warm: false,
            history: Duration::from_secs(35 * 60),
            delays: Delays::default(),
            consumer_per_record: Duration::from_millis(2),
            batch_size: 100,
            function_timeout_seconds: 30,
            producer_timeout_seconds: 30,
            retention_hours: 24,
            producer_variables: extra.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            producer_alias: None,
            slow_share: 0.002,
            count_events: false,
            producers: 1,
            copying: Copying::FanOut,
            fan_out_consumers: false,
            sink: true,
            bisect: false,
        }
    }
}

impl Story {
    /// A name of the post in a pipeline; pipelines are counted from 1.
    pub fn name(&self, base: &str, pipeline: u32) -> String {
        match pipeline {
            0 | 1 => base.to_owned(),
            n => format!("{base}-{n}"),
        }
    }

    /// The name of a pipeline's producer; producers are counted from 1.
    pub fn producer_name(&self, producer: u32, pipeline: u32) -> String {
        const LETTERS: [char; 8] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
        let base = match producer {
            0 | 1 => Story::PRODUCER.to_owned(),
            n => format!("{}-{}", Story::PRODUCER, LETTERS[(n as usize - 1) % LETTERS.len()]),
        };
        self.name(&base, pipeline)
    }
}

/// The configuration that fits the story.
impl Story {
    /// What `kdsha.toml` would say of these pipelines, named `ticker-prices`, `ticker-prices-2`, ...
    ///
    /// # Errors
    /// Names of the post with a number behind them are valid, so none is to be expected.
    pub fn topology(&self) -> Result<Topology, InvalidId> {
        let pipelines: Result<Vec<Pipeline>, InvalidId> =
            (1..=self.pipelines.max(1)).map(|number| self.pipeline(number)).collect();
        Ok(Topology {
            path: None,
            regions: Regions { primary: self.primary.clone(), standby: self.standby.clone() },
            account: Some(self.account.clone()),
            objectives: Objectives::default(),
            timing: Timing::default(),
            endpoints: BTreeMap::new(),
            pipelines: pipelines?,
        })
    }

    /// One of them, counted from 1.
    ///
    /// # Errors
    /// As [`Story::topology`].
    pub fn pipeline(&self, number: u32) -> Result<Pipeline, InvalidId> {
        let name = |base: &str| self.name(base, number);
        let stream: StreamName = name(Story::STREAM).parse()?;
        let consumer: FunctionName = name(Story::CONSUMER).parse()?;
        Ok(Pipeline {
            name: name(Story::TABLE).parse()?,
            standby: if self.warm { StandbyMode::Warm } else { StandbyMode::Cold },
            stream: PerSide { primary: stream.clone(), standby: stream },
            overlap_buffer: Duration::from_secs(300),
            producers: (1..=self.producers.max(1))
                .map(|producer| self.producer(producer, number))
                .collect::<Result<Vec<Producer>, InvalidId>>()?,
            consumer: Consumer {
                function: PerSide { primary: consumer.clone(), standby: consumer },
                stream_consumer: match self.fan_out_consumers {
                    true => Some(name(Story::READER).parse()?),
                    false => None,
                },
                overrides: MappingOverrides::default(),
            },
            replicator: match self.copying {
                Copying::None => None,
                Copying::Standard => {
                    Some(Replicator { function: name(Story::REPLICATOR).parse()?, stream_consumer: None })
                }
                Copying::FanOut => Some(Replicator {
                    function: name(Story::REPLICATOR).parse()?,
                    stream_consumer: Some(name(Story::STREAM_CONSUMER).parse()?),
                }),
            },
            sink: self.sink.then(|| self.sink_of(number)),
        })
    }

    /// The table of one of them.
    pub(super) fn sink_of(&self, number: u32) -> Sink {
        Sink { table: self.name(Story::TABLE, number), region_attribute: "last_updated_region".to_owned() }
    }

    fn producer(&self, producer: u32, pipeline: u32) -> Result<Producer, InvalidId> {
        Ok(Producer {
            function: self.producer_name(producer, pipeline).parse()?,
            side: Side::Primary,
            alias: self.producer_alias.clone(),
            region_variable: "PRODUCING_TO_REGION".to_owned(),
            stream_variable: Some("INPUT_STREAM".to_owned()),
        })
    }
}

/// The names in the post.
impl Story {
    /// The stream, in both Regions.
    pub const STREAM: &'static str = "KDS-HA-Stream";
    /// The primary stream's fan-out consumer, which the replicator reads through.
    pub const STREAM_CONSUMER: &'static str = "KDS-HA-Stream-EFO-Consumer";
    /// The fan-out consumer that the consumers read through, where they do.
    pub const READER: &'static str = "KDS-HA-Stream-Reader";
    /// The producer, in the primary Region.
    pub const PRODUCER: &'static str = "KDS-HA-ProducerLambda";
    /// The consumer, in both Regions.
    pub const CONSUMER: &'static str = "KDS-HA-ConsumerLambda";
    /// The replicator, in the primary Region.
    pub const REPLICATOR: &'static str = "KDS-HA-ReplicationAgentLambda";
    /// The post's failover function, in the primary Region.
    pub const FAILOVER: &'static str = "KDS-HA-FailoverLambda";
    /// The global table.
    pub const TABLE: &'static str = "ticker-prices";
}
