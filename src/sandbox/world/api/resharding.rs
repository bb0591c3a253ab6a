//! Kinesis: SplitShard, MergeShards and UpdateShardCount.

use super::super::reshard::Resharding;
use super::super::streams::{Status, StreamId};
use super::kinesis::invalid;
use super::{At, Input, World, empty};
use crate::sandbox::call::{ApiError, ApiReply, ApiResult};
use serde_json::json;

impl World {
    pub(super) fn split_shard(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.idle_stream(at, input)?;
        let shard = self.open_shard(id, input.text("ShardToSplit"))?;
        let (start, end) = self.streams[id.0].shards[shard].hash_range;
        let key = input.text("NewStartingHashKey").unwrap_or_default();
        match key.parse::<u128>() {
            Ok(at) if start < at && at <= end => self.reshard(id, Resharding::Split { shard, at }),
            _ => {
                return Err(invalid(format!(
                    "NewStartingHashKey {key} used in SplitShard() on shard {} in stream {} is not both greater than \
                     one plus the shard's StartingHashKey {start} and less than the shard's EndingHashKey {end}.",
                    self.streams[id.0].shards[shard].id, self.streams[id.0].name
                )));
            }
        }
        empty()
    }

    pub(super) fn merge_shards(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.idle_stream(at, input)?;
        let shard = self.open_shard(id, input.text("ShardToMerge"))?;
        let neighbour = self.open_shard(id, input.text("AdjacentShardToMerge"))?;
        let shards = &self.streams[id.0].shards;
        let (one, other) = (shards[shard].hash_range, shards[neighbour].hash_range);
        if one.1.checked_add(1) != Some(other.0) && other.1.checked_add(1) != Some(one.0) {
            return Err(invalid(format!(
                "Shards {} and {} in stream {} are not an adjacent pair of shards eligible for merging",
                shards[shard].id, shards[neighbour].id, self.streams[id.0].name
            )));
        }
        self.reshard(id, Resharding::Merge { shard, neighbour });
        empty()
    }

    /// At most double, at least half (Kinesis API reference, UpdateShardCount).
    pub(super) fn update_shard_count(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.idle_stream(at, input)?;
        let stream = &self.streams[id.0];
        let now = stream.shards.iter().filter(|shard| shard.is_open()).count() as u32;
        let target = input.count("TargetShardCount").unwrap_or_default();
        if target > 2 * now || 2 * target < now {
            return Err(invalid(format!(
                "UpdateShardCount cannot scale from {now} to {target} shards: at most double and at least half."
            )));
        }
        let answer = json!({
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "CurrentShardCount": now,
            "TargetShardCount": target,
        });
        self.reshard(id, Resharding::Count(target));
        Ok(ApiReply::ok(answer))
    }

    /// The stream, if it can be resharded now.
    fn idle_stream(&self, at: At, input: Input) -> Result<StreamId, ApiError> {
        let id = self.stream_of(at, input)?;
        let stream = &self.streams[id.0];
        if stream.status == Status::Active {
            return Ok(id);
        }
        let (account, status) = (self.places[stream.place.0].account.as_str(), stream.status.as_str());
        let text =
            format!("Stream {} under account {account} not ACTIVE, instead in state {status}", stream.name);
        Err(ApiError::new(400, "ResourceInUseException", text))
    }

    fn open_shard(&self, id: StreamId, name: Option<&str>) -> Result<usize, ApiError> {
        let name = name.unwrap_or_default();
        let stream = &self.streams[id.0];
        let index = stream.shard_index(name).ok_or_else(|| self.shard_not_found(id, name))?;
        match stream.shards[index].is_open() {
            true => Ok(index),
            false => Err(invalid(format!("Shard {name} in stream {} is closed.", stream.name))),
        }
    }
}
