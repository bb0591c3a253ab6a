//! Resharding: shards are split and merged; what was closed is read to its end, its children after it (Kinesis
//! Developer Guide, "Reshard a stream").

use super::clock::Millis;
use super::streams::{Shard, Status, Stream, hash_ranges};
use super::{World, streams::StreamId};
use crate::model::Region;

/// What a resharding call asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resharding {
    /// A shard, and where its second child begins.
    Split { shard: usize, at: u128 },
    /// Two neighbours.
    Merge { shard: usize, neighbour: usize },
    /// So many shards of the same size.
    Count(u32),
}

impl World {
    /// The stream is UPDATING from now on, and has other shards when that is over.
    pub(super) fn reshard(&mut self, stream: StreamId, how: Resharding) {
        let until = self.now + self.delays.stream.draw(&mut self.rng);
        let stream = &mut self.streams[stream.0];
        (stream.status, stream.until, stream.resharding) = (Status::Updating, Some(until), Some(how));
        self.due(until);
    }

    /// Somebody gives a stream so many shards of the same size. False where there is no such stream, or it is busy.
    pub fn reshard_to(&mut self, region: &Region, name: &str, shards: u32) -> bool {
        let in_region = |place: &super::place::Place| place.region == *region;
        let found = self.places.iter().filter(|p| in_region(p)).find_map(|p| p.streams.get(name)).copied();
        let Some(id) = found.filter(|id| self.streams[id.0].status == Status::Active) else { return false };
        self.reshard(id, Resharding::Count(shards));
        true
    }
}

impl Stream {
    /// What was asked for takes place.
    pub fn finish_resharding(&mut self, now: Millis) {
        match self.resharding.take() {
            Some(Resharding::Split { shard, at }) => self.split(shard, at, now),
            Some(Resharding::Merge { shard, neighbour }) => self.merge(shard, neighbour, now),
            Some(Resharding::Count(count)) => self.scale(count, now),
            None => {}
        }
        self.share_out_tickers();
    }

    /// By splits at the new borders and merges between them, as UpdateShardCount does it.
    fn scale(&mut self, count: u32, now: Millis) {
        let ranges = hash_ranges(count);
        for &(start, _) in &ranges {
            let inside = |shard: &Shard| shard.hash_range.0 < start && start <= shard.hash_range.1;
            if let Some(shard) = self.shards.iter().position(|s| s.is_open() && inside(s)) {
                self.split(shard, start, now);
            }
        }
        for (start, end) in ranges {
            while let [first, second, ..] = self.open_within(start, end)[..] {
                self.merge(first, second, now);
            }
        }
    }

    /// The open shards of a range, in the order of their keys.
    fn open_within(&self, start: u128, end: u128) -> Vec<usize> {
        let within = |shard: &Shard| start <= shard.hash_range.0 && shard.hash_range.1 <= end;
        let mut found: Vec<usize> = (0..self.shards.len())
            .filter(|i| self.shards[*i].is_open() && within(&self.shards[*i]))
            .collect();
        found.sort_by_key(|index| self.shards[*index].hash_range.0);
        found
    }

    fn split(&mut self, shard: usize, at: u128, now: Millis) {
        let (start, end) = self.shards[shard].hash_range;
        self.shards[shard].closed = Some(now);
        self.open((start, at - 1), vec![shard], now);
        self.open((at, end), vec![shard], now);
    }

    fn merge(&mut self, shard: usize, neighbour: usize, now: Millis) {
        let (one, other) = (self.shards[shard].hash_range, self.shards[neighbour].hash_range);
        for closed in [shard, neighbour] {
            self.shards[closed].closed = Some(now);
        }
        self.open((one.0.min(other.0), one.1.max(other.1)), vec![shard, neighbour], now);
    }

    fn open(&mut self, hash_range: (u128, u128), parents: Vec<usize>, now: Millis) {
        self.shards.push(Shard::new(self.shards.len(), hash_range, parents, now));
    }
}
