//! What functions do with the batches they are handed, and what becomes of a batch that fails.

use super::World;
use super::clock::{Millis, SECOND};
use super::functions::{Behaviour, Function, FunctionId};
use super::ledger::RecordId;
use super::mappings::{Flight, Tuning};
use super::metrics::Statistics;
use super::outage::FunctionFault;
use super::pollers::Reader;
use super::replication::Key;
use super::streams::{Body, PutRefused, StreamId};
use super::tables::{Attributes, Item};
use crate::model::Region;
use serde_json::{Map, Value, json};

/// The most records of one PutRecords call.
const PUT_RECORDS_MOST: u64 = 500;

/// What an invocation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Landing {
    Well,
    /// Without an error, and with items named as failed.
    Reported,
    Raised,
}

impl World {
    /// Hands the function the next batch of a shard, unless the batching window is still open or it is throttled.
    pub(super) fn take_off(&mut self, reader: Reader) {
        let now = self.ticked;
        let Some((checkpoint, to, left_out)) = self.next_batch(reader) else { return };
        let mapping = &mut self.mappings[reader.mapping];
        let tuning = mapping.tuning;
        let cursor = &mut mapping.cursors[reader.shard];
        let count = to - checkpoint - left_out.len() as u64;
        let function = &mut self.functions[mapping.function.0];
        let configuration = function.resolve(mapping.qualifier.as_deref()).filter(|_| !function.is_barred());
        let Some(configuration) = configuration else {
            cursor.not_before = now + SECOND + self.rng.i64(0..2 * SECOND);
            if function.gone {
                mapping.result = "PROBLEM: Function not found".to_owned();
            } else {
                self.metrics.record(function.series.throttles, now, now, 1.0);
            }
            return;
        };
        let lanes = u64::from(tuning.parallelization).min(count).max(1);
        let shard = &self.streams[mapping.source.stream.0].shards[reader.shard];
        let last = shard.get(to - 1).map_or(now, |record| record.arrival);
        let limit = Millis::from(configuration.timeout_seconds) * SECOND;
        let mut batch = shard.from(checkpoint).take_while(|(position, _)| *position < to);
        let hangs = function.fault == Some(FunctionFault::Hangs)
            || function.fault == Some(FunctionFault::HangsOnPoison)
                && batch.any(|(position, record)| {
                    left_out.binary_search(&position).is_err() && self.books.is_poison(record.id)
                });
        let takes = match hangs {
            true => Millis::MAX / 4,
            false => duration(function, configuration.delay_ms(), count.div_ceil(lanes), &mut self.rng),
        };
        function.running += lanes as u32;
        self.metrics.record(function.series.concurrent, now, now, f64::from(function.running));
        cursor.flight = Some(Flight {
            from: checkpoint,
            to,
            left_out,
            started: now,
            ends: now + takes.min(limit),
            lanes: lanes as u32,
            age: (now - last).max(0),
            fails: takes >= limit || function.fails_with(&configuration),
            configuration,
        });
    }

    /// From where to where the next batch goes, and what the filters leave out in between; `None` while more is
    /// gathered. What the filters leave out is in no batch, and does not count to its size (Lambda Developer Guide,
    /// "Lambda event filtering").
    fn next_batch(&mut self, reader: Reader) -> Option<(u64, u64, Vec<u64>)> {
        let now = self.ticked;
        let mapping = &mut self.mappings[reader.mapping];
        let tuning = mapping.tuning;
        let cursor = &mut mapping.cursors[reader.shard];
        let (checkpoint, mut to) = (cursor.checkpoint?, cursor.read_to);
        let since = *cursor.gathering_since.get_or_insert(now);
        let window_is_open = now - since < Millis::from(tuning.window_seconds) * SECOND;
        let (retrying_to, at_most) = (cursor.retrying_to, cursor.at_most.unwrap_or(u64::MAX));
        let is_enough = |count: u64| count >= u64::from(tuning.batch_size) || !window_is_open;
        if !is_enough(to - checkpoint) {
            return None;
        }
        let left_out = self.left_out(reader, checkpoint, to);
        if !is_enough(to - checkpoint - left_out.len() as u64) {
            return None;
        }
        // A batch that failed is tried again as it was (Lambda Developer Guide, "Configuring error handling controls").
        if checkpoint < retrying_to {
            to = to.min(retrying_to);
        }
        Some(cut(checkpoint, to, left_out, tuning.round().min(at_most)))
    }

    /// An invocation ends: its effects, then its metrics, then the checkpoint.
    pub(super) fn land(&mut self, reader: Reader) {
        let mapping = &mut self.mappings[reader.mapping];
        let Some(flight) = mapping.cursors[reader.shard].flight.take() else { return };
        let (id, tuning) = (mapping.function, mapping.tuning);
        self.functions[id.0].running = self.functions[id.0].running.saturating_sub(flight.lanes);
        let landing = self.landing(reader, id, &flight);
        self.note_landing(reader, id, &flight, landing);
        match landing {
            Landing::Well => {
                self.note_left_out(reader, &flight.left_out);
                let mapping = &mut self.mappings[reader.mapping];
                "OK".clone_into(&mut mapping.result);
                mapping.cursors[reader.shard].move_to(flight.to);
            }
            Landing::Reported | Landing::Raised => self.failed(reader, tuning, &flight),
        }
    }

    fn landing(&mut self, reader: Reader, id: FunctionId, flight: &Flight) -> Landing {
        let reports = self.functions[id.0].fault == Some(FunctionFault::ReportsFailures);
        match (reports, self.mappings[reader.mapping].extras.takes_reports()) {
            (true, true) => Landing::Reported,
            (true, false) => Landing::Well,
            (false, _) if !flight.fails && self.take_effect(reader, id, flight) => Landing::Well,
            (false, _) => Landing::Raised,
        }
    }

    fn note_landing(&mut self, reader: Reader, id: FunctionId, flight: &Flight, landing: Landing) {
        let (series, lanes) = (self.functions[id.0].series, flight.lanes);
        let (at, now) = (flight.started, self.ticked);
        let took = (flight.ends - flight.started) as f64;
        let errors = if landing == Landing::Raised { 1.0 } else { 0.0 };
        self.metrics.record_all(series.invocations, at, now, Statistics::times(1.0, lanes));
        self.metrics.record_all(series.errors, at, now, Statistics::times(errors, lanes));
        self.metrics.record_all(series.duration, at, now, Statistics::times(took, lanes));
        self.metrics.record_all(series.iterator_age, at, now, Statistics::times(flight.age as f64, lanes));
        let mapping = &self.mappings[reader.mapping];
        if mapping.extras.count_events {
            let count = flight.handed() as f64;
            self.metrics.record(mapping.series.invoked, at, now, count);
            let failed = if landing == Landing::Well { 0.0 } else { count };
            self.metrics.record(mapping.series.failed, now, now, failed);
        }
    }

    /// Retry the batch, halve it, or give it up (Lambda Developer Guide, "Configuring error handling controls").
    fn failed(&mut self, reader: Reader, tuning: Tuning, flight: &Flight) {
        let now = self.ticked;
        let mapping = &mut self.mappings[reader.mapping];
        "PROBLEM: Function call failed".clone_into(&mut mapping.result);
        let cursor = &mut mapping.cursors[reader.shard];
        let count = flight.handed();
        cursor.retrying_to = cursor.retrying_to.max(flight.to);
        // Halving does not use up a retry.
        if tuning.bisect && count > 1 {
            cursor.at_most = Some(count / 2);
        } else {
            cursor.retries += 1;
        }
        let back_off = (SECOND << cursor.retries.min(4)).min(10 * SECOND);
        cursor.not_before = now + back_off / 2 + self.rng.i64(0..back_off);
        if tuning.maximum_retries.is_some_and(|most| cursor.retries > most) {
            cursor.retries = 0;
            self.discard(reader, flight.from, flight.to);
        }
    }

    /// The effects of a batch. False: the code raised an error.
    fn take_effect(&mut self, reader: Reader, id: FunctionId, flight: &Flight) -> bool {
        match self.functions[id.0].behaviour {
            Behaviour::Replicator => self.copy(reader, id, flight),
            Behaviour::Consumer => {
                if self.batch(reader, flight).iter().any(|(record, _)| self.books.is_poison(*record)) {
                    return false;
                }
                self.write_results(reader, id, flight);
                true
            }
            Behaviour::Producer | Behaviour::Failover | Behaviour::Nothing => {
                for (id, _) in self.batch(reader, flight) {
                    self.books.processed(id);
                }
                true
            }
        }
    }

    fn batch(&self, reader: Reader, flight: &Flight) -> Vec<(RecordId, Body)> {
        let stream = self.mappings[reader.mapping].source.stream;
        let shard = &self.streams[stream.0].shards[reader.shard];
        let within = |(position, _): &(u64, _)| *position < flight.to;
        let handed = shard.from(flight.from).take_while(within);
        handed
            .filter(|(position, _)| flight.left_out.binary_search(position).is_err())
            .map(|(_, r)| (r.id, r.body.clone()))
            .collect()
    }

    fn write_results(&mut self, reader: Reader, id: FunctionId, flight: &Flight) {
        let (written_in, written) = (self.functions[id.0].place, flight.ends);
        let table = self.places[written_in.0].tables.get(flight.configuration.table()).copied();
        for (record, body) in self.batch(reader, flight) {
            self.books.processed(record);
            let Some(table) = table else { continue };
            let (key, attributes) = match body {
                Body::Tick(ticker) => (Key::Symbol(ticker.symbol()), Attributes::Tick { ticker, written_in }),
                Body::Data(document) => {
                    let region = self.places[written_in.0].region.as_str();
                    let Some((key, result)) = result_of(&document.data, region) else { continue };
                    (Key::Text(key), Attributes::Document(result))
                }
            };
            self.write_item(table, key, Item { written, record: Some(record), attributes });
        }
    }

    /// The post's replicator: PutRecords into the other Region, an error if any record failed.
    fn copy(&mut self, reader: Reader, id: FunctionId, flight: &Flight) -> bool {
        let Some((region, name)) = flight.configuration.replica() else { return false };
        let source = self.mappings[reader.mapping].source.stream;
        let name = name.map_or_else(|| self.streams[source.0].name.clone(), str::to_owned);
        let Some(target) = self.replica_stream(id, &region, &name) else { return false };
        let records = self.batch(reader, flight);
        if (records.len() as u64).div_ceil(u64::from(flight.lanes)) > PUT_RECORDS_MOST {
            return false; // the call itself is refused
        }
        let mut counted = PutRecordsCount::default();
        for (record, body) in records {
            counted.add(body.size(), self.put(target, body, None, Some(record), flight.ends));
        }
        self.note_put_records(target, counted, flight.ends);
        counted.failed + counted.throttled == 0
    }

    fn replica_stream(&self, id: FunctionId, region: &Region, name: &str) -> Option<StreamId> {
        let account = &self.places[self.functions[id.0].place.0].account;
        let place = &self.places[self.known_place(account, region)?.0];
        let stream = *place.streams.get(name)?;
        (!place.is_silent() && self.streams[stream.0].is_open()).then_some(stream)
    }

    /// The metrics of one PutRecords call.
    pub(super) fn note_put_records(&mut self, stream: StreamId, counted: PutRecordsCount, at: Millis) {
        let series = self.streams[stream.0].series;
        let total = counted.accepted + counted.failed + counted.throttled;
        let success = if counted.accepted > 0 { 1.0 } else { 0.0 };
        self.metrics.record(series.put_records, at, at, success);
        self.metrics.record(series.total, at, at, f64::from(total));
        self.metrics.record(series.successful, at, at, f64::from(counted.accepted));
        self.metrics.record(series.failed, at, at, f64::from(counted.failed));
        self.metrics.record(series.throttled, at, at, f64::from(counted.throttled));
        if counted.throttled > 0 {
            self.metrics.record(series.write_exceeded, at, at, f64::from(counted.throttled));
        }
        if counted.accepted > 0 {
            self.metrics.record(series.incoming_records, at, at, f64::from(counted.accepted));
            self.metrics.record(series.incoming_bytes, at, at, f64::from(counted.bytes));
        }
    }

    /// A Region falls silent: what runs there never returns, its batches are tried again afterwards.
    pub(super) fn break_off_invocations(&mut self, region: &Region) {
        for mapping in self.mappings.iter_mut().filter(|m| self.places[m.place.0].region == *region) {
            let function = &mut self.functions[mapping.function.0];
            for flight in mapping.cursors.iter_mut().filter_map(|cursor| cursor.flight.take()) {
                function.running = function.running.saturating_sub(flight.lanes);
            }
        }
    }
}

/// What a PutRecords call came to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PutRecordsCount {
    pub accepted: u32,
    pub failed: u32,
    pub throttled: u32,
    pub bytes: u32,
}

impl PutRecordsCount {
    pub fn add<T>(&mut self, bytes: u32, put: Result<T, PutRefused>) {
        match put {
            Ok(_) => {
                self.accepted += 1;
                self.bytes += bytes;
            }
            Err(PutRefused::Internal) => self.failed += 1,
            Err(PutRefused::Throttled) => self.throttled += 1,
        }
    }
}

/// A batch of at most so many records, which ends with one that the filters take.
fn cut(from: u64, to: u64, mut left_out: Vec<u64>, most: u64) -> (u64, u64, Vec<u64>) {
    let mut end = from.saturating_add(most);
    for position in left_out.iter().take_while(|position| **position < to) {
        end += u64::from(*position < end);
    }
    end = end.min(to);
    left_out.retain(|position| *position < end);
    while end > from && left_out.last() == Some(&(end - 1)) {
        left_out.pop();
        end -= 1;
    }
    (from, end, left_out)
}

/// What the post's consumer writes for a client's record: its ticker, price and the Region.
fn result_of(data: &[u8], region: &str) -> Option<(String, Map<String, Value>)> {
    let data: Value = serde_json::from_slice(data).ok()?;
    let ticker = data.get("ticker")?.as_str()?;
    let price =
        data.get("price").map_or_else(|| "0".to_owned(), |p| p.to_string().trim_matches('"').to_owned());
    let result = json!({
        "ticker": { "S": ticker },
        "price": { "S": price },
        "last_updated_region": { "S": region },
    });
    Some((ticker.to_owned(), result.as_object()?.clone()))
}

/// Milliseconds that an invocation takes for so many records, before its time-out.
fn duration(function: &Function, delay_ms: Option<f64>, records: u64, rng: &mut fastrand::Rng) -> Millis {
    let each = delay_ms.unwrap_or(function.per_record_ms);
    rng.i64(20..60) + (each * records as f64) as Millis
}
