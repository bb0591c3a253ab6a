//! The pollers: they read each shard once a second, ahead of the function, and hand it batches.

use super::World;
use super::clock::{MINUTE, Millis, SECOND, seconds};
use super::filters::Filters;
use super::functions::Behaviour;
use super::mappings::{Cursor, StartingPosition, Tuning};
use super::streams::{Record, Shard};
use serde_json::json;

/// Between two looks at a shard that has nothing more to give.
const POLL_EVERY: Millis = SECOND;
/// How long a subscription of a fan-out consumer lives.
const SUBSCRIPTION: Millis = 5 * MINUTE;

/// A shard's reader: which mapping, which shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub mapping: usize,
    pub shard: usize,
}

impl World {
    /// One tick of all mappings.
    pub(super) fn run_mappings(&mut self) {
        for mapping in 0..self.mappings.len() {
            let this = &self.mappings[mapping];
            if !this.is_live() || self.places[this.place.0].is_silent() {
                continue;
            }
            self.follow_resharding(mapping);
            for shard in 0..self.mappings[mapping].cursors.len() {
                self.run_reader(Reader { mapping, shard });
            }
        }
    }

    /// A reader for every shard that has come.
    fn follow_resharding(&mut self, mapping: usize) {
        let stream = self.mappings[mapping].source.stream;
        while self.mappings[mapping].cursors.len() < self.streams[stream.0].shards.len() {
            self.mappings[mapping].cursors.push(Cursor { next_poll: self.ticked, ..Cursor::default() });
        }
    }

    /// Nothing is to be read from this shard now: it has been read to its end, or its parents have not.
    fn rests(&self, reader: Reader) -> bool {
        let mapping = &self.mappings[reader.mapping];
        let shards = &self.streams[mapping.source.stream.0].shards;
        let is_done = |shard: usize| {
            let checkpoint = mapping.cursors[shard].checkpoint;
            checkpoint.is_some_and(|position| shards[shard].ends_at(position))
        };
        is_done(reader.shard) || !shards[reader.shard].parents.iter().all(|parent| is_done(*parent))
    }

    fn run_reader(&mut self, reader: Reader) {
        let mapping = &self.mappings[reader.mapping];
        let cursor = &mapping.cursors[reader.shard];
        let landed = cursor.flight.as_ref().is_some_and(|f| f.ends <= self.ticked);
        if landed {
            self.land(reader);
        }
        let mapping = &self.mappings[reader.mapping];
        if mapping.gone || !mapping.polls() || self.rests(reader) {
            return;
        }
        if mapping.cursors[reader.shard].next_poll <= self.ticked {
            self.poll(reader);
        }
        self.pass_left_out(reader);
        let cursor = &self.mappings[reader.mapping].cursors[reader.shard];
        let waiting = cursor.checkpoint.is_some_and(|checkpoint| cursor.read_to > checkpoint);
        if waiting && cursor.flight.is_none() && cursor.not_before <= self.ticked {
            self.take_off(reader);
        }
    }

    /// One GetRecords call, or one event of a subscription.
    fn poll(&mut self, reader: Reader) {
        let now = self.ticked;
        let left_out = self.left_out_of_a_full_buffer(reader);
        let mapping = &mut self.mappings[reader.mapping];
        let stream = &self.streams[mapping.source.stream.0];
        let cursor = &mut mapping.cursors[reader.shard];
        cursor.next_poll = match cursor.checkpoint {
            // Readers start at different moments of the second.
            None => now + self.rng.i64(200..=POLL_EVERY),
            Some(_) => now + POLL_EVERY,
        };
        if !stream.is_open() {
            return;
        }
        let most = mapping.tuning.round();
        let share = self.places[stream.place.0].failure_share();
        let fails = share > 0.0 && self.rng.f64() < share;
        let shard = &stream.shards[reader.shard];
        let checkpoint = *cursor.checkpoint.get_or_insert_with(|| match mapping.starting {
            StartingPosition::TrimHorizon => shard.first,
            StartingPosition::Latest if mapping.begun.is_some_and(|begun| begun < shard.opened) => {
                shard.first
            }
            StartingPosition::Latest => shard.tip(),
            StartingPosition::AtTimestamp(at) => shard.at_timestamp(at),
        });
        mapping.begun.get_or_insert(now);
        // What retention has taken is gone; the reader goes on with the oldest record there is.
        if checkpoint < shard.first && cursor.flight.is_none() {
            cursor.checkpoint = Some(shard.first);
        }
        cursor.read_to = cursor.read_to.max(cursor.checkpoint.unwrap_or_default()).max(shard.first);
        let held = cursor.read_to - cursor.checkpoint.unwrap_or_default().min(cursor.read_to);
        if held.saturating_sub(left_out) >= 2 * most {
            return; // the buffer is full until the function has taken its batch
        }
        let from = cursor.read_to;
        let to = if fails { from } else { shard.tip().min(from + most) };
        cursor.read_to = to;
        if to - from == most {
            cursor.next_poll = now;
        }
        self.note_poll(reader, (from, to), fails);
        if !fails {
            self.drop_too_old(reader);
        }
    }

    fn note_poll(&mut self, reader: Reader, (from, to): (u64, u64), fails: bool) {
        let now = self.ticked;
        let left_out = self.left_out(reader, from, to).len() as f64;
        let mapping = &mut self.mappings[reader.mapping];
        let stream = &self.streams[mapping.source.stream.0];
        let shard = &stream.shards[reader.shard];
        let count = (to - from) as f64;
        if mapping.extras.count_events && !fails {
            self.metrics.record(mapping.series.polled, now, now, count);
            // An event that fits counts as 0 (Lambda Developer Guide, "Types of metrics for Lambda functions").
            if to > from && !mapping.extras.filters.is_empty() {
                self.metrics.record(mapping.series.filtered, now, now, left_out);
            }
        }
        let Some(consumer) = mapping.source.consumer.and_then(|index| stream.consumers.get(index)) else {
            let last = to.checked_sub(1).filter(|_| to > from).and_then(|position| shard.get(position));
            let age = last.map_or_else(|| shard.millis_behind(to, now), |record| now - record.arrival);
            let series = stream.series;
            self.metrics.record(series.get_success, now, now, if fails { 0.0 } else { 1.0 });
            self.metrics.record(series.get_latency, now, now, self.rng.i64(4..20) as f64);
            if !fails {
                self.metrics.record(series.get_records, now, now, count);
                self.metrics.record(series.get_age, now, now, age.max(0) as f64);
                let stream = mapping.source.stream;
                self.note_shard_age(stream, reader.shard, age.max(0) as f64);
            }
            return;
        };
        let series = consumer.series;
        let cursor = &mut mapping.cursors[reader.shard];
        if fails {
            self.metrics.record(series.subscribed, now, now, 0.0);
            return;
        }
        if cursor.next_subscription <= now {
            cursor.next_subscription = now + SUBSCRIPTION;
            self.metrics.record(series.subscribed, now, now, 1.0);
        }
        self.metrics.record(series.success, now, now, 1.0);
        self.metrics.record(series.records, now, now, count);
        self.metrics.record(series.behind, now, now, shard.millis_behind(to, now) as f64);
    }

    /// MaximumRecordAgeInSeconds: what is older is given up before the function sees it.
    fn drop_too_old(&mut self, reader: Reader) {
        let mapping = &self.mappings[reader.mapping];
        let cursor = &mapping.cursors[reader.shard];
        let (Some(most), Some(from), None) =
            (mapping.tuning.maximum_record_age, cursor.checkpoint, cursor.flight.as_ref())
        else {
            return;
        };
        let oldest = self.ticked - Millis::from(most) * SECOND;
        let shard = &self.streams[mapping.source.stream.0].shards[reader.shard];
        let to = shard.at_timestamp(oldest).min(cursor.read_to);
        if to > from {
            self.discard(reader, from, to);
        }
    }

    /// A mapping gives records up and goes on behind them.
    pub(super) fn discard(&mut self, reader: Reader, from: u64, to: u64) {
        let left_out = self.left_out(reader, from, to);
        self.note_left_out(reader, &left_out);
        let mapping = &mut self.mappings[reader.mapping];
        let shard = &self.streams[mapping.source.stream.0].shards[reader.shard];
        for (position, record) in shard.from(from).take_while(|(position, _)| *position < to) {
            if left_out.binary_search(&position).is_err() {
                self.books.discarded(record.id);
            }
        }
        let count = (to - from) as f64 - left_out.len() as f64;
        if mapping.extras.count_events {
            self.metrics.record(mapping.series.dropped, self.ticked, self.ticked, count);
        }
        mapping.cursors[reader.shard].move_to(to);
    }

    /// The positions from one on and up to another that the filters leave out.
    pub(super) fn left_out(&self, reader: Reader, from: u64, to: u64) -> Vec<u64> {
        let mapping = &self.mappings[reader.mapping];
        let filters = &mapping.extras.filters;
        if filters.is_empty() {
            return Vec::new();
        }
        let shard = &self.streams[mapping.source.stream.0].shards[reader.shard];
        let within = shard.from(from).take_while(|(position, _)| *position < to);
        within.filter(|found| !takes(filters, shard, *found)).map(|(position, _)| position).collect()
    }

    /// What the filters leave out takes no room in a full buffer.
    fn left_out_of_a_full_buffer(&self, reader: Reader) -> u64 {
        let mapping = &self.mappings[reader.mapping];
        let cursor = &mapping.cursors[reader.shard];
        match cursor.checkpoint {
            Some(from) if cursor.read_to.saturating_sub(from) >= 2 * mapping.tuning.round() => {
                self.left_out(reader, from, cursor.read_to).len() as u64
            }
            _ => 0,
        }
    }

    /// The reader goes on behind records that the filters leave out (Lambda Developer Guide, "Properly filtering Kinesis
    /// and DynamoDB messages"), unless the function has older ones.
    fn pass_left_out(&mut self, reader: Reader) {
        let mapping = &self.mappings[reader.mapping];
        let (filters, cursor) = (&mapping.extras.filters, &mapping.cursors[reader.shard]);
        let (Some(checkpoint), None, false) = (cursor.checkpoint, &cursor.flight, filters.is_empty()) else {
            return;
        };
        let shard = &self.streams[mapping.source.stream.0].shards[reader.shard];
        let within = shard.from(checkpoint).take_while(|(position, _)| *position < cursor.read_to);
        let passed: Vec<u64> =
            within.take_while(|found| !takes(filters, shard, *found)).map(|(position, _)| position).collect();
        if let Some(last) = passed.last() {
            self.note_left_out(reader, &passed);
            self.mappings[reader.mapping].cursors[reader.shard].move_to(last + 1);
        }
    }

    /// The reader has passed these. What a replicator does not copy is still its consumer's to process.
    pub(super) fn note_left_out(&mut self, reader: Reader, positions: &[u64]) {
        let mapping = &self.mappings[reader.mapping];
        if self.functions[mapping.function.0].behaviour == Behaviour::Replicator {
            return;
        }
        let shard = &self.streams[mapping.source.stream.0].shards[reader.shard];
        for record in positions.iter().filter_map(|position| shard.get(*position)) {
            self.books.filtered(record.id);
        }
    }

    /// A new mapping's readers, none of which has looked yet.
    pub(super) fn new_cursors(&mut self, stream: super::streams::StreamId) -> Vec<Cursor> {
        let first = self.ticked;
        self.streams[stream.0]
            .shards
            .iter()
            .map(|_| Cursor { next_poll: first + self.rng.i64(0..SECOND), ..Cursor::default() })
            .collect()
    }
}

/// A record as a filter sees it: what the event says of it under `kinesis`. Today's guide promises `data` alone ("Using
/// event filtering with a Kinesis event source"), an older one the partition key and the rest, too.
fn takes(filters: &Filters, shard: &Shard, (position, record): (u64, &Record)) -> bool {
    let metadata = [
        ("kinesisSchemaVersion", json!("1.0")),
        ("partitionKey", json!(record.key())),
        ("sequenceNumber", json!(shard.sequence_number(position))),
        ("approximateArrivalTimestamp", seconds(record.arrival)),
    ];
    let metadata = metadata.into_iter().map(|(name, value)| (name.to_owned(), value));
    filters.take(metadata.collect(), &record.data())
}

impl Cursor {
    /// Everything before this position is done with.
    pub(super) fn move_to(&mut self, position: u64) {
        self.checkpoint = Some(position);
        self.read_to = self.read_to.max(position);
        if position >= self.retrying_to {
            self.retries = 0;
            self.at_most = None;
        }
        self.gathering_since = None;
    }
}

impl Tuning {
    /// The most records of one round of invocations.
    pub(super) fn round(&self) -> u64 {
        u64::from(self.batch_size) * u64::from(self.parallelization)
    }
}
