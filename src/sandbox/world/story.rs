//! The post's topology with live traffic: producer -> stream -> consumer -> table, and a replicator that copies the
//! primary's stream to the standby's.

use super::World;
use super::clock::span;
use super::create::NewMapping;
use super::delays::Delays;
use super::functions::{Alias, Behaviour, Configuration, FunctionId, Reads, Variables, Version};
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

    fn pipeline(&self, number: u32) -> Result<Pipeline, InvalidId> {
        let name = |base: &str| self.name(base, number);
        let stream: StreamName = name(Story::STREAM).parse()?;
        let consumer: FunctionName = name(Story::CONSUMER).parse()?;
        Ok(Pipeline {
            name: name(Story::TABLE).parse()?,
            standby: if self.warm { StandbyMode::Warm } else { StandbyMode::Cold },
            stream: PerSide { primary: stream.clone(), standby: stream },
            overlap_buffer: Duration::from_secs(300),
            producers: vec![Producer {
                function: name(Story::PRODUCER).parse()?,
                side: Side::Primary,
                alias: self.producer_alias.clone(),
                region_variable: "PRODUCING_TO_REGION".to_owned(),
                stream_variable: Some("INPUT_STREAM".to_owned()),
            }],
            consumer: Consumer {
                function: PerSide { primary: consumer.clone(), standby: consumer },
                stream_consumer: None,
                overrides: MappingOverrides::default(),
            },
            replicator: Some(Replicator {
                function: name(Story::REPLICATOR).parse()?,
                stream_consumer: Some(name(Story::STREAM_CONSUMER).parse()?),
            }),
            sink: Some(Sink {
                table: name(Story::TABLE),
                region_attribute: "last_updated_region".to_owned(),
            }),
        })
    }
}

/// The names in the post.
impl Story {
    /// The stream, in both Regions.
    pub const STREAM: &'static str = "KDS-HA-Stream";
    /// The primary stream's fan-out consumer, which the replicator reads through.
    pub const STREAM_CONSUMER: &'static str = "KDS-HA-Stream-EFO-Consumer";
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
        // The post's names are valid, so there is a topology.
        let pipelines = story.topology().map(|topology| topology.pipelines).unwrap_or_default();
        World::build(seed, start, story, &pipelines, true)
    }

    /// Anybody's topology with live traffic: the streams, functions, mappings and tables that a `kdsha.toml` names, in
    /// the story's account and with its pace. The Regions are the topology's.
    pub fn of_topology(seed: u64, start: Timestamp, story: &Story, topology: &Topology) -> World {
        let regions = topology.regions.clone();
        let story = Story { primary: regions.primary, standby: regions.standby, ..story.clone() };
        World::build(seed, start, &story, &topology.pipelines, false)
    }

    fn build(seed: u64, start: Timestamp, story: &Story, pipelines: &[Pipeline], is_post: bool) -> World {
        let born = start.as_millisecond() - span(story.history);
        let mut world = World::with_delays(seed, super::clock::timestamp(born), story.delays);
        for (number, pipeline) in (1..).zip(pipelines) {
            let failover = is_post.then(|| story.name(Story::FAILOVER, number));
            Builder::new(&mut world, story, pipeline, is_post).build(failover);
        }
        world.finish_all_transitions();
        world.advance_to(start);
        world
    }
}

struct Builder<'a> {
    world: &'a mut World,
    story: &'a Story,
    pipeline: &'a Pipeline,
    is_post: bool,
    primary: PlaceId,
    standby: PlaceId,
}

impl<'a> Builder<'a> {
    fn new(world: &'a mut World, story: &'a Story, pipeline: &'a Pipeline, is_post: bool) -> Builder<'a> {
        let primary = world.place(&story.account, &story.primary);
        let standby = world.place(&story.account, &story.standby);
        Builder { world, story, pipeline, is_post, primary, standby }
    }

    fn build(mut self, failover: Option<String>) {
        let pipeline = self.pipeline;
        let sides = [Side::Primary, Side::Standby];
        let streams = sides.map(|side| self.stream(side));
        let fan_out = pipeline.replicator.as_ref().and_then(|replicator| {
            let name = replicator.stream_consumer.as_ref()?;
            Some(self.world.create_stream_consumer(streams[0], name.as_str()))
        });
        let name = pipeline.consumer.stream_consumer.as_ref();
        let own = name.map(|name| streams.map(|s| self.world.create_stream_consumer(s, name.as_str())));
        self.tables();
        let consumers = sides.map(|side| self.consumer(side));
        let replicator = self.replicator();
        if let Some(name) = failover {
            let variables = Variables::from([self.failover_region()]);
            self.function(self.primary, &name, variables);
        }
        self.mapping(self.primary, consumers[0], streams[0], own.map(|own| own[0]));
        if let Some(replicator) = replicator {
            self.mapping(self.primary, replicator, streams[0], fan_out);
        }
        if pipeline.standby == StandbyMode::Warm {
            self.mapping(self.standby, consumers[1], streams[1], own.map(|own| own[1]));
        }
        for producer in &pipeline.producers {
            self.producer(producer);
        }
    }

    fn place(&self, side: Side) -> PlaceId {
        match side {
            Side::Primary => self.primary,
            Side::Standby => self.standby,
        }
    }

    fn stream(&mut self, side: Side) -> StreamId {
        let (place, name) = (self.place(side), self.pipeline.stream.of(side).as_str());
        let id = self.world.create_stream(place, name, self.story.shards.max(1), false, 1_024);
        self.world.streams[id.0].retention_hours = self.story.retention_hours;
        id
    }

    fn tables(&mut self) {
        let Some(sink) = &self.pipeline.sink else { return };
        let schema = json!([{ "AttributeName": "ticker", "KeyType": "HASH" }]);
        let definitions = json!([{ "AttributeName": "ticker", "AttributeType": "S" }]);
        let keys = vec!["ticker".to_owned()];
        let [a, b]: [TableId; 2] = [self.primary, self.standby].map(|place| {
            self.world.create_table(place, &sink.table, keys.clone(), schema.clone(), definitions.clone())
        });
        for (table, other) in [(a, b), (b, a)] {
            self.world.tables[table.0].replica = Some(other);
            self.world.tables[table.0].region_attribute.clone_from(&sink.region_attribute);
        }
    }

    fn function(&mut self, place: PlaceId, name: &str, variables: Variables) -> FunctionId {
        let role = format!("arn:aws:iam::{}:role/KDS-HA-Role", self.story.account);
        let configuration = Configuration::of_the_post(&role, self.story.function_timeout_seconds, variables);
        self.world.create_function(place, name, configuration)
    }

    fn consumer(&mut self, side: Side) -> FunctionId {
        let table = self.pipeline.sink.as_ref().map(|sink| ("TABLE".to_owned(), sink.table.clone()));
        let name = self.pipeline.consumer.function.of(side).as_str();
        let id = self.function(self.place(side), name, table.into_iter().collect());
        let function = &mut self.world.functions[id.0];
        function.behaviour = Behaviour::Consumer;
        function.per_record_ms = self.story.consumer_per_record.as_secs_f64() * 1_000.0;
        id
    }

    fn failover_region(&self) -> (String, String) {
        ("FAILOVER_REGION".to_owned(), self.story.standby.to_string())
    }

    fn replicator(&mut self) -> Option<FunctionId> {
        let replicator = self.pipeline.replicator.as_ref()?;
        let mut variables = Variables::from([self.failover_region()]);
        let stream = &self.pipeline.stream;
        if stream.primary != stream.standby {
            variables.insert("FAILOVER_STREAM".to_owned(), stream.standby.to_string());
        }
        let id = self.function(self.primary, replicator.function.as_str(), variables);
        self.world.functions[id.0].behaviour = Behaviour::Replicator;
        self.world.functions[id.0].per_record_ms = 0.5;
        Some(id)
    }

    fn mapping(&mut self, place: PlaceId, function: FunctionId, stream: StreamId, fan_out: Option<usize>) {
        let owner = &self.world.streams[stream.0];
        let arn = fan_out.map_or(&owner.arn, |index| &owner.consumers[index].arn).clone();
        let new = NewMapping {
            place,
            function,
            function_arn: self.world.functions[function.0].arn.clone(),
            qualifier: None,
            source: Source { stream, arn, consumer: fan_out },
            starting: StartingPosition::TrimHorizon,
            tuning: Tuning { batch_size: self.story.batch_size, ..Tuning::default() },
            extras: Extras { count_events: self.story.count_events, ..Extras::default() },
            enabled: true,
        };
        self.world.create_mapping(new);
    }

    fn producer(&mut self, producer: &Producer) {
        let story = self.story;
        let mut variables = story.producer_variables.clone();
        let stream = &self.pipeline.stream;
        if let Some(name) = &producer.stream_variable {
            variables.insert(name.clone(), stream.primary.to_string());
        }
        variables.insert(producer.region_variable.clone(), story.primary.to_string());
        let id = self.function(self.place(producer.side), producer.function.as_str(), variables);
        let function = &mut self.world.functions[id.0];
        function.behaviour = Behaviour::Producer;
        function.required = story.producer_variables.keys().cloned().collect();
        if !self.is_post {
            let streams = [(&story.primary, &stream.primary), (&story.standby, &stream.standby)];
            let mut configuration = (*function.latest).clone();
            configuration.reads = Some(Reads {
                region_variable: producer.region_variable.clone(),
                stream_variable: producer.stream_variable.clone(),
                streams: streams.map(|(region, stream)| (region.clone(), stream.to_string())).into(),
            });
            function.latest = Arc::new(configuration);
        }
        if let Some(name) = &producer.alias {
            self.alias(id, name);
        }
        let rate = story.records_per_second / self.pipeline.producers.len().max(1) as f64;
        self.world.traffic.push(Traffic::new(id, producer.alias.clone(), rate, story.slow_share));
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
