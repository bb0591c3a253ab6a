//! The account of every record that a stream accepted: processed, how often, still readable, or lost.

use super::World;
use super::clock::{Millis, timestamp};
use super::functions::Behaviour;
use super::mappings::{Mapping, StartingPosition, State};
use super::place::PlaceId;
use super::streams::Status;
use crate::model::{Region, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The id of a record; all copies of a record have the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RecordId(pub u32);

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record-{:09}", self.0)
    }
}

/// Why nobody will process a record any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LostBecause {
    /// It can still be read, but every reader there is starts after it, or there is none.
    Skipped,
    /// Retention has passed, or the stream was deleted.
    Expired,
    /// A mapping gave it up: MaximumRecordAgeInSeconds or MaximumRetryAttempts.
    Discarded,
}

/// A record that nobody will process any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostRecord {
    /// Its id, as its data says it.
    pub id: String,
    /// Where it was first accepted.
    pub region: Region,
    /// When.
    pub arrival: Timestamp,
    /// Why it is lost.
    pub why: LostBecause,
}

/// The account. `put = processed + filtered + pending + lost`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Records accepted; copies do not count.
    pub put: u64,
    /// Records processed at least once.
    pub processed: u64,
    /// Records processed more than once.
    pub processed_twice_or_more: u64,
    /// Processings beyond the first, of all records.
    pub duplicates: u64,
    /// Records not processed that the filters of a reader left out: it has passed them, as it was told to.
    pub filtered: u64,
    /// Records not yet processed that a reader will still come to.
    pub pending: u64,
    /// Records that nobody will process any more.
    pub lost: u64,
    /// Those records.
    pub lost_records: Vec<LostRecord>,
    /// Records that producers could not deliver within five minutes: never accepted, so in no other number.
    pub given_up_by_producers: u64,
    /// Writes to a table that replaced the result of a later record.
    pub stale_overwrites: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    place: PlaceId,
    arrival: Millis,
    processed: u32,
    filtered: bool,
    discarded: bool,
    poison: bool,
}

impl Entry {
    /// Nobody waits for it any more.
    fn is_done(&self) -> bool {
        self.processed > 0 || self.filtered
    }
}

/// The books.
#[derive(Debug, Default)]
pub(super) struct Books {
    entries: Vec<Entry>,
    processed: u64,
    processed_again: u64,
    duplicates: u64,
    pub given_up: u64,
    pub stale_overwrites: u64,
}

impl Books {
    /// A record was accepted.
    pub fn accept(&mut self, place: PlaceId, arrival: Millis, poison: bool) -> RecordId {
        let id = RecordId(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.entries.push(Entry { place, arrival, processed: 0, filtered: false, discarded: false, poison });
        id
    }
    /// A consumer is done with a record.
    pub fn processed(&mut self, id: RecordId) {
        let entry = &mut self.entries[id.0 as usize];
        entry.processed += 1;
        match entry.processed {
            1 => self.processed += 1,
            2 => {
                self.processed_again += 1;
                self.duplicates += 1;
            }
            _ => self.duplicates += 1,
        }
    }
    /// A consumer's filters left a record out.
    pub fn filtered(&mut self, id: RecordId) {
        self.entries[id.0 as usize].filtered = true;
    }
    /// A mapping gave a record up.
    pub fn discarded(&mut self, id: RecordId) {
        self.entries[id.0 as usize].discarded = true;
    }
    /// Every record can be worked off from now on.
    pub fn cure(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.poison = false);
    }
    /// No consumer can work this record off.
    pub fn is_poison(&self, id: RecordId) -> bool {
        self.entries[id.0 as usize].poison
    }
    /// The record whose id stands in this data, if it is one of ours: then the data is a copy.
    pub fn recognise(&self, data: &[u8]) -> Option<RecordId> {
        let value: serde_json::Value = serde_json::from_slice(data).ok()?;
        let id: u32 = value.get("id")?.as_str()?.strip_prefix("record-")?.parse().ok()?;
        ((id as usize) < self.entries.len()).then_some(RecordId(id))
    }
    fn is_done(&self, id: RecordId) -> bool {
        self.entries[id.0 as usize].is_done()
    }
}

/// What became of an unprocessed record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unreadable,
    Readable,
    Awaited,
}

impl World {
    /// The account at this moment. Walks over all readable records.
    pub fn ledger(&self) -> Ledger {
        let books = &self.books;
        let fates = self.fates(|_| true);
        let mut ledger = Ledger {
            put: books.entries.len() as u64,
            processed: books.processed,
            processed_twice_or_more: books.processed_again,
            duplicates: books.duplicates,
            given_up_by_producers: books.given_up,
            stale_overwrites: books.stale_overwrites,
            ..Ledger::default()
        };
        for (index, (entry, fate)) in books.entries.iter().zip(fates).enumerate() {
            if entry.is_done() {
                ledger.filtered += u64::from(entry.processed == 0);
                continue;
            }
            if fate == Fate::Awaited {
                ledger.pending += 1;
                continue;
            }
            ledger.lost += 1;
            ledger.lost_records.push(LostRecord {
                id: RecordId(index as u32).to_string(),
                region: self.places[entry.place.0].region.clone(),
                arrival: timestamp(entry.arrival),
                why: match fate {
                    _ if entry.discarded => LostBecause::Discarded,
                    Fate::Unreadable => LostBecause::Expired,
                    Fate::Readable | Fate::Awaited => LostBecause::Skipped,
                },
            });
        }
        ledger
    }

    /// Unprocessed records that only stopped readers would come to: they wait until somebody starts one.
    pub fn stranded(&self) -> u64 {
        let running = self.fates(|mapping| mapping.state != State::Disabled);
        let unprocessed = self.books.entries.iter().zip(running).filter(|(entry, _)| !entry.is_done());
        unprocessed.filter(|(_, fate)| *fate == Fate::Readable).count() as u64
    }

    /// Unprocessed records in the streams of a Region that lie before what any reader there will come to.
    pub fn passed_over(&self, region: &Region) -> u64 {
        let readers = self.earliest_readers(|_| true);
        let mut count = 0;
        for (index, stream) in self.streams.iter().enumerate() {
            if self.places[stream.place.0].region != *region {
                continue;
            }
            for (number, shard) in stream.shards.iter().enumerate() {
                let Some(from) = readers.get(&(index, number)) else { continue };
                let before = shard.from(shard.first).take_while(|(position, _)| position < from);
                count += before.filter(|(_, record)| !self.books.is_done(record.id)).count() as u64;
            }
        }
        count
    }

    fn fates(&self, counts: impl Fn(&Mapping) -> bool) -> Vec<Fate> {
        let mut fates = vec![Fate::Unreadable; self.books.entries.len()];
        let readers = self.earliest_readers(counts);
        for (index, stream) in self.streams.iter().enumerate() {
            if stream.status == Status::Gone {
                continue;
            }
            for (number, shard) in stream.shards.iter().enumerate() {
                let reader = readers.get(&(index, number)).copied();
                for (position, record) in shard.from(shard.first) {
                    let fate = match reader {
                        _ if self.books.is_done(record.id) => continue,
                        Some(from) if position >= from => Fate::Awaited,
                        _ => Fate::Readable,
                    };
                    let known = &mut fates[record.id.0 as usize];
                    *known = if *known == Fate::Awaited { Fate::Awaited } else { fate };
                }
            }
        }
        fates
    }

    /// For every shard with a reader, the earliest position that one of its mappings will still come to.
    fn earliest_readers(&self, counts: impl Fn(&Mapping) -> bool) -> BTreeMap<(usize, usize), u64> {
        let mut readers = BTreeMap::new();
        for mapping in self.mappings.iter().filter(|m| !m.gone && counts(m)) {
            let behaviour = self.functions.get(mapping.function.0).map(|f| f.behaviour);
            if matches!(behaviour, None | Some(Behaviour::Producer)) {
                continue;
            }
            let stream = mapping.source.stream.0;
            for number in 0..self.streams[stream].shards.len() {
                let Some(from) = self.will_read_from(mapping, number) else { continue };
                readers
                    .entry((stream, number))
                    .and_modify(|earliest: &mut u64| *earliest = from.min(*earliest))
                    .or_insert(from);
            }
        }
        readers
    }

    fn will_read_from(&self, mapping: &Mapping, number: usize) -> Option<u64> {
        let shard = &self.streams[mapping.source.stream.0].shards[number];
        if let Some(checkpoint) = mapping.cursors.get(number).and_then(|c| c.checkpoint) {
            return Some(checkpoint);
        }
        match mapping.starting {
            StartingPosition::TrimHorizon => Some(shard.first),
            StartingPosition::AtTimestamp(at) => Some(shard.at_timestamp(at)),
            StartingPosition::Latest if mapping.begun.is_some_and(|begun| begun < shard.opened) => {
                Some(shard.first)
            }
            // Pinned at the first poll: nothing that is there now is promised to it.
            StartingPosition::Latest => None,
        }
    }
}
