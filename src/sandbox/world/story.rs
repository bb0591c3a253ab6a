//! The post's topology with live traffic: producer -> stream -> consumer -> table, and a replicator that copies the
//! primary's stream to the standby's.

use super::World;
use super::clock::span;
use super::create::NewMapping;
use super::delays::Delays;
use super::functions::{Alias, Configuration, FunctionId, Variables, Version};
use super::mappings::{Extras, Source, StartingPosition, Tuning};
use super::place::PlaceId;
use super::producers::Traffic;
use super::streams::StreamId;
use super::tables::TableId;
use crate::config::{
    Consumer, MappingOverrides, Objectives, PerSide, Pipeline, Producer, Regions, Replicator, Sink,
    StandbyMode, Timing, Topology,
};
use crate::model::ids::InvalidId;
use crate::model::{AccountId, FunctionName, Region, Side, StreamName, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
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
    /// Timeout of every function (30 s).
    pub function_timeout_seconds: u32,
    /// Retention of the streams (24 h).
    pub retention_hours: u32,
    /// The producer's further variables. Its code fails without any of them.
    pub producer_variables: BTreeMap<String, String>,
    /// The alias through which the producer is invoked; `None`: $LATEST.
    pub producer_alias: Option<String>,
    /// The share of the producer's invocations that dawdle for seconds before they put (0.002).
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
            sink: self.sink.then(|| Sink {
                table: name(Story::TABLE),
                region_attribute: "last_updated_region".to_owned(),
            }),
        })
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

impl World {
    /// The post's topology with live traffic; it has been running for the story's history when it begins.
    pub fn of_the_post(seed: u64, start: Timestamp, story: &Story) -> World {
        World::of_stories(seed, start, &vec![story.clone(); story.pipelines.max(1) as usize])
    }

    /// Pipelines that differ: the first story plays the first one, and so on. Their Regions, account, delays and
    /// history are the first story's.
    pub fn of_stories(seed: u64, start: Timestamp, stories: &[Story]) -> World {
        let first = stories.first().cloned().unwrap_or_default();
        let born = start.as_millisecond() - span(first.history);
        let mut world = World::with_delays(seed, super::clock::timestamp(born), first.delays);
        for (pipeline, story) in (1..).zip(stories) {
            Builder::new(&mut world, story, pipeline).build();
        }
        world.finish_all_transitions();
        world.advance_to(start);
        world
    }
}

struct Builder<'a> {
    world: &'a mut World,
    story: &'a Story,
    pipeline: u32,
    primary: PlaceId,
    standby: PlaceId,
}

impl<'a> Builder<'a> {
    fn new(world: &'a mut World, story: &'a Story, pipeline: u32) -> Builder<'a> {
        let primary = world.place(&story.account, &story.primary);
        let standby = world.place(&story.account, &story.standby);
        Builder { world, story, pipeline, primary, standby }
    }

    fn build(mut self) {
        let streams = [self.primary, self.standby].map(|place| self.stream(place));
        let fan_out = (self.story.copying == Copying::FanOut)
            .then(|| self.stream_consumer(streams[0], Story::STREAM_CONSUMER));
        let readers = streams
            .map(|stream| self.story.fan_out_consumers.then(|| self.stream_consumer(stream, Story::READER)));
        self.tables();
        let consumers = [self.primary, self.standby].map(|place| self.consumer(place));
        let replicator = (self.story.copying != Copying::None).then(|| self.replicator());
        let failover = Variables::from([self.failover_region()]);
        self.function(self.primary, Story::FAILOVER, failover);
        self.mapping(self.primary, consumers[0], streams[0], readers[0], self.consumer_tuning());
        if let Some(replicator) = replicator {
            self.mapping(self.primary, replicator, streams[0], fan_out, self.tuning());
        }
        if self.story.warm {
            self.mapping(self.standby, consumers[1], streams[1], readers[1], self.consumer_tuning());
        }
        (1..=self.story.producers.max(1)).for_each(|number| self.producer(number));
    }

    fn stream_consumer(&mut self, stream: StreamId, base: &str) -> usize {
        let name = self.story.name(base, self.pipeline);
        self.world.create_stream_consumer(stream, &name)
    }

    fn tuning(&self) -> Tuning {
        Tuning { batch_size: self.story.batch_size, ..Tuning::default() }
    }

    fn consumer_tuning(&self) -> Tuning {
        Tuning { bisect: self.story.bisect, ..self.tuning() }
    }

    fn stream(&mut self, place: PlaceId) -> StreamId {
        let name = self.story.name(Story::STREAM, self.pipeline);
        let id = self.world.create_stream(place, &name, self.story.shards.max(1), false, 1_024);
        self.world.streams[id.0].retention_hours = self.story.retention_hours;
        id
    }

    fn tables(&mut self) {
        let name = self.story.name(Story::TABLE, self.pipeline);
        let schema = json!([{ "AttributeName": "ticker", "KeyType": "HASH" }]);
        let definitions = json!([{ "AttributeName": "ticker", "AttributeType": "S" }]);
        let keys = vec!["ticker".to_owned()];
        let [a, b]: [TableId; 2] = [self.primary, self.standby].map(|place| {
            self.world.create_table(place, &name, keys.clone(), schema.clone(), definitions.clone())
        });
        self.world.tables[a.0].replica = Some(b);
        self.world.tables[b.0].replica = Some(a);
    }

    fn function(&mut self, place: PlaceId, base: &str, variables: Variables) -> FunctionId {
        let role = format!("arn:aws:iam::{}:role/KDS-HA-Role", self.story.account);
        let configuration = Configuration::of_the_post(&role, self.story.function_timeout_seconds, variables);
        self.world.create_function(place, &self.story.name(base, self.pipeline), configuration)
    }

    fn consumer(&mut self, place: PlaceId) -> FunctionId {
        let table = self.story.name(Story::TABLE, self.pipeline);
        let id = self.function(place, Story::CONSUMER, Variables::from([("TABLE".to_owned(), table)]));
        self.world.functions[id.0].per_record_ms = self.story.consumer_per_record.as_secs_f64() * 1_000.0;
        id
    }

    fn failover_region(&self) -> (String, String) {
        ("FAILOVER_REGION".to_owned(), self.story.standby.to_string())
    }

    fn replicator(&mut self) -> FunctionId {
        let id = self.function(self.primary, Story::REPLICATOR, Variables::from([self.failover_region()]));
        self.world.functions[id.0].per_record_ms = 0.5;
        id
    }

    fn mapping(
        &mut self,
        place: PlaceId,
        function: FunctionId,
        stream: StreamId,
        fan_out: Option<usize>,
        tuning: Tuning,
    ) {
        let owner = &self.world.streams[stream.0];
        let arn = fan_out.map_or(&owner.arn, |index| &owner.consumers[index].arn).clone();
        let new = NewMapping {
            place,
            function,
            function_arn: self.world.functions[function.0].arn.clone(),
            qualifier: None,
            source: Source { stream, arn, consumer: fan_out },
            starting: StartingPosition::TrimHorizon,
            tuning,
            extras: Extras { count_events: self.story.count_events, ..Extras::default() },
            enabled: true,
        };
        self.world.create_mapping(new);
    }

    fn producer(&mut self, number: u32) {
        let story = self.story;
        let mut variables = story.producer_variables.clone();
        variables.insert("INPUT_STREAM".to_owned(), story.name(Story::STREAM, self.pipeline));
        variables.insert("PRODUCING_TO_REGION".to_owned(), story.primary.to_string());
        let role = format!("arn:aws:iam::{}:role/KDS-HA-Role", story.account);
        let configuration = Configuration::of_the_post(&role, story.function_timeout_seconds, variables);
        let name = story.producer_name(number, self.pipeline);
        let id = self.world.create_function(self.primary, &name, configuration);
        self.world.functions[id.0].required = story.producer_variables.keys().cloned().collect();
        if let Some(name) = &story.producer_alias {
            self.alias(id, name);
        }
        let rate = story.records_per_second / f64::from(story.producers.max(1));
        let alias = story.producer_alias.clone();
        self.world.traffic.push(Traffic::new(id, alias, rate, story.slow_share));
    }

    fn alias(&mut self, function: FunctionId, name: &str) {
        let (version, alias) = (self.world.uuid(), self.world.uuid());
        let published = self.world.now;
        let function = &mut self.world.functions[function.0];
        function.versions.push(Version {
            number: 1,
            configuration: Arc::clone(&function.latest),
            revision: version,
            published,
            description: None,
        });
        let alias = Alias {
            version: "1".to_owned(),
            description: String::new(),
            revision: alias,
            weights: BTreeMap::new(),
        };
        function.aliases.insert(name.to_owned(), alias);
    }
}
