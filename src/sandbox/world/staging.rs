//! Puts a pipeline into the world: streams, functions, mappings, tables and the traffic of its producers.

use super::clock::span;
use super::create::NewMapping;
use super::functions::{Alias, Behaviour, Configuration, FunctionId, Reads, Variables, Version};
use super::mappings::{Extras, Source, StartingPosition, Tuning};
use super::place::PlaceId;
use super::producers::Traffic;
use super::streams::StreamId;
use super::tables::TableId;
use super::{Story, World};
use crate::config::{Pipeline, Producer, StandbyMode, Topology};
use crate::model::{Side, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

impl World {
    /// The post's topology with live traffic; it has been running for the story's history when it begins.
    pub fn of_the_post(seed: u64, start: Timestamp, story: &Story) -> World {
        World::of_stories(seed, start, &vec![story.clone(); story.pipelines.max(1) as usize])
    }

    /// Pipelines that differ: the first story plays the first one, and so on. Their Regions, account, delays and
    /// history are the first story's.
    pub fn of_stories(seed: u64, start: Timestamp, stories: &[Story]) -> World {
        let first = stories.first().cloned().unwrap_or_default();
        let mut world = World::young(seed, start, &first);
        for (number, story) in (1..).zip(stories) {
            // The post's names are valid, so there is a pipeline; its table is there whether or not it is watched.
            let Ok(mut pipeline) = story.pipeline(number) else { continue };
            pipeline.sink.get_or_insert_with(|| story.sink_of(number));
            let failover = story.name(Story::FAILOVER, number);
            Builder::new(&mut world, story, &pipeline, Whose::ThePosts).build(Some(failover));
        }
        world.grown(start)
    }

    /// Anybody's topology with live traffic: the streams, functions, mappings and tables that a `kdsha.toml` names, in
    /// the story's account and with its pace. The Regions are the topology's.
    pub fn of_topology(seed: u64, start: Timestamp, story: &Story, topology: &Topology) -> World {
        let regions = topology.regions.clone();
        let story = Story { primary: regions.primary, standby: regions.standby, ..story.clone() };
        let mut world = World::young(seed, start, &story);
        for pipeline in &topology.pipelines {
            Builder::new(&mut world, &story, pipeline, Whose::Anybodys).build(None);
        }
        world.grown(start)
    }

    fn young(seed: u64, start: Timestamp, story: &Story) -> World {
        let born = start.as_millisecond() - span(story.history);
        World::with_delays(seed, super::clock::timestamp(born), story.delays)
    }

    fn grown(mut self, start: Timestamp) -> World {
        self.finish_all_transitions();
        self.advance_to(start);
        self
    }
}

/// Whose pipeline is built: the post's functions read the variables of the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    ThePosts,
    Anybodys,
}

struct Builder<'a> {
    world: &'a mut World,
    story: &'a Story,
    pipeline: &'a Pipeline,
    whose: Whose,
    primary: PlaceId,
    standby: PlaceId,
}

impl<'a> Builder<'a> {
    fn new(world: &'a mut World, story: &'a Story, pipeline: &'a Pipeline, whose: Whose) -> Builder<'a> {
        let primary = world.place(&story.account, &story.primary);
        let standby = world.place(&story.account, &story.standby);
        Builder { world, story, pipeline, whose, primary, standby }
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
            self.function(self.primary, &name, self.story.function_timeout_seconds, variables);
        }
        self.mapping(self.primary, consumers[0], streams[0], own.map(|own| own[0]), self.consumer_tuning());
        if let Some(replicator) = replicator {
            self.mapping(self.primary, replicator, streams[0], fan_out, self.tuning());
        }
        if pipeline.standby == StandbyMode::Warm {
            self.mapping(
                self.standby,
                consumers[1],
                streams[1],
                own.map(|own| own[1]),
                self.consumer_tuning(),
            );
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

    fn function(&mut self, place: PlaceId, name: &str, timeout: u32, variables: Variables) -> FunctionId {
        let role = format!("arn:aws:iam::{}:role/KDS-HA-Role", self.story.account);
        let configuration = Configuration::of_the_post(&role, timeout, variables);
        self.world.create_function(place, name, configuration)
    }

    fn consumer(&mut self, side: Side) -> FunctionId {
        let table = self.pipeline.sink.as_ref().map(|sink| ("TABLE".to_owned(), sink.table.clone()));
        let name = self.pipeline.consumer.function.of(side).as_str();
        let timeout = self.story.function_timeout_seconds;
        let id = self.function(self.place(side), name, timeout, table.into_iter().collect());
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
        let timeout = self.story.function_timeout_seconds;
        let id = self.function(self.primary, replicator.function.as_str(), timeout, variables);
        self.world.functions[id.0].behaviour = Behaviour::Replicator;
        self.world.functions[id.0].per_record_ms = 0.5;
        Some(id)
    }

    fn tuning(&self) -> Tuning {
        Tuning { batch_size: self.story.batch_size, ..Tuning::default() }
    }

    fn consumer_tuning(&self) -> Tuning {
        Tuning { bisect: self.story.bisect, ..self.tuning() }
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

    fn producer(&mut self, producer: &Producer) {
        let story = self.story;
        let mut variables = story.producer_variables.clone();
        let stream = &self.pipeline.stream;
        if let Some(name) = &producer.stream_variable {
            variables.insert(name.clone(), stream.primary.to_string());
        }
        variables.insert(producer.region_variable.clone(), story.primary.to_string());
        let timeout = story.producer_timeout_seconds;
        let id = self.function(self.place(producer.side), producer.function.as_str(), timeout, variables);
        let function = &mut self.world.functions[id.0];
        function.behaviour = Behaviour::Producer;
        function.required = story.producer_variables.keys().cloned().collect();
        if self.whose == Whose::Anybodys {
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
