//! New streams, consumers, functions, tables and mappings, for the API and for stories alike.

use super::World;
use super::clock::Millis;
use super::functions::{Configuration, Function, FunctionId, FunctionState, Variables, behaviour_of};
use super::mappings::{Extras, Mapping, Polling, Source, StartingPosition, State, Tuning};
use super::place::PlaceId;
use super::streams::{NewStream, Status, Stream, StreamConsumer, StreamId};
use super::tables::{Table, TableId};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a new mapping is made of.
pub(super) struct NewMapping {
    pub place: PlaceId,
    pub function: FunctionId,
    pub function_arn: String,
    pub qualifier: Option<String>,
    pub source: Source,
    pub starting: StartingPosition,
    pub tuning: Tuning,
    pub extras: Extras,
    pub enabled: bool,
}

impl World {
    /// A stream in CREATING.
    pub(super) fn create_stream(
        &mut self,
        place: PlaceId,
        name: &str,
        shards: u32,
        on_demand: bool,
        max_record_kib: u32,
    ) -> StreamId {
        let series = self.stream_series(place, name);
        let arn = self.places[place.0].arn("kinesis", &format!("stream/{name}"));
        let mut stream = Stream::new(NewStream {
            place,
            name: name.to_owned(),
            arn,
            created: self.now,
            shards,
            on_demand,
            max_record_kib,
            series,
        });
        let until = self.now + self.delays.stream.draw(&mut self.rng);
        stream.until = Some(self.due(until));
        let id = StreamId(self.streams.len());
        self.streams.push(stream);
        self.places[place.0].streams.insert(name.to_owned(), id);
        id
    }

    /// A fan-out consumer in CREATING; its index in the stream.
    pub(super) fn create_stream_consumer(&mut self, stream: StreamId, name: &str) -> usize {
        let (place, stream_name) = (self.streams[stream.0].place, self.streams[stream.0].name.clone());
        let series = self.consumer_series(place, &stream_name, name);
        let until = self.now + self.delays.stream_consumer.draw(&mut self.rng);
        let until = Some(self.due(until));
        let owner = &mut self.streams[stream.0];
        // The creation time is in the ARN: registered anew, a consumer has another one.
        let arn = format!("{}/consumer/{name}:{}", owner.arn, self.now / 1_000);
        let consumer = StreamConsumer {
            name: name.to_owned(),
            arn,
            created: self.now,
            status: Status::Creating,
            until,
            series,
        };
        owner.consumers.push(consumer);
        owner.consumers.len() - 1
    }

    /// A function in Pending.
    pub(super) fn create_function(
        &mut self,
        place: PlaceId,
        name: &str,
        configuration: Configuration,
    ) -> FunctionId {
        let behaviour = behaviour_of(name, &configuration.variables);
        let series = self.function_series(place, name);
        let until = self.now + self.delays.function_create.draw(&mut self.rng);
        let until = Some(self.due(until));
        let configuration = Arc::new(configuration);
        let function = Function {
            place,
            name: name.to_owned(),
            arn: self.places[place.0].arn("lambda", &format!("function:{name}")),
            behaviour,
            latest: Arc::clone(&configuration),
            effective: configuration,
            revision: self.uuid(),
            modified: self.now,
            state: FunctionState::Pending,
            until,
            versions: Vec::new(),
            aliases: BTreeMap::new(),
            reserved_concurrency: None,
            tags: BTreeMap::new(),
            code_size: 1_024,
            unreadable: None,
            fault: None,
            updates: super::functions::Updates::default(),
            required: Vec::new(),
            per_record_ms: 1.0,
            running: 0,
            series,
            gone: false,
        };
        let id = FunctionId(self.functions.len());
        self.functions.push(function);
        self.places[place.0].functions.insert(name.to_owned(), id);
        id
    }

    /// A table in CREATING.
    pub(super) fn create_table(
        &mut self,
        place: PlaceId,
        name: &str,
        keys: Vec<String>,
        key_schema: Value,
        attribute_definitions: Value,
    ) -> TableId {
        let until = self.now + self.delays.table.draw(&mut self.rng);
        let table = Table {
            place,
            name: name.to_owned(),
            arn: self.places[place.0].arn("dynamodb", &format!("table/{name}")),
            id: self.uuid(),
            status: Status::Creating,
            until: Some(self.due(until)),
            created: self.now,
            key_schema,
            attribute_definitions,
            keys,
            items: BTreeMap::new(),
            region_attribute: "last_updated_region".to_owned(),
            replica: None,
        };
        let id = TableId(self.tables.len());
        self.tables.push(table);
        self.places[place.0].tables.insert(name.to_owned(), id);
        id
    }

    /// A mapping in Creating; its index.
    pub(super) fn create_mapping(&mut self, new: NewMapping) -> usize {
        let uuid = self.uuid();
        let series = self.mapping_series(new.place, &uuid);
        let cursors = self.new_cursors(new.source.stream);
        let until = self.now + self.delays.mapping.draw(&mut self.rng);
        let target = if new.enabled { State::Enabled } else { State::Disabled };
        let mapping = Mapping {
            place: new.place,
            uuid,
            function: new.function,
            function_arn: new.function_arn,
            qualifier: new.qualifier,
            source: new.source,
            starting: new.starting,
            tuning: new.tuning,
            extras: new.extras,
            state: State::Creating,
            transition: Some((self.due(until), Some(target))),
            polling: Polling::Off,
            cursors,
            begun: None,
            result: "No records processed".to_owned(),
            modified: self.now,
            series,
            gone: false,
        };
        self.mappings.push(mapping);
        self.mappings.len() - 1
    }

    /// Ends all transitions at once: how a story begins.
    pub(super) fn finish_all_transitions(&mut self) {
        for stream in &mut self.streams {
            stream.status = stream.status.next();
            stream.until = None;
            stream.consumers.iter_mut().for_each(|c| (c.status, c.until) = (c.status.next(), None));
        }
        for index in 0..self.functions.len() {
            let revision = self.uuid();
            self.functions[index].settle(revision);
        }
        self.tables.iter_mut().for_each(|t| (t.status, t.until) = (t.status.next(), None));
        for mapping in &mut self.mappings {
            if let Some((_, Some(state))) = mapping.transition.take() {
                mapping.state = state;
                mapping.polling = if state == State::Enabled { Polling::On } else { Polling::Off };
            }
        }
        self.next_settling = Millis::MAX;
    }
}

impl Configuration {
    /// The post's functions: Python, 128 MB.
    pub(super) fn of_the_post(role: &str, timeout_seconds: u32, variables: Variables) -> Configuration {
        Configuration {
            variables,
            runtime: Some("python3.12".to_owned()),
            role: role.to_owned(),
            handler: Some("index.lambda_handler".to_owned()),
            description: String::new(),
            timeout_seconds,
            memory_mb: 128,
            kms_key: None,
            code_sha256: super::functions::FIRST_CODE.to_owned(),
            reads: None,
        }
    }
}
