//! Kinesis: the control plane.

use super::super::clock::{Millis, seconds};
use super::super::streams::{Shard, Status, Stream, StreamConsumer, StreamId};
use super::kinesis::{hash_key_range, invalid};
use super::{At, Input, World, empty, put};
use crate::model::Arn;
use crate::sandbox::call::{ApiError, ApiReply, ApiResult};
use serde_json::{Map, Value, json};

/// Consumers of a stream.
const CONSUMERS_MOST: usize = 20;

impl World {
    pub(super) fn kinesis_control(&mut self, at: At, operation: &str, input: Input) -> Option<ApiResult> {
        Some(match operation {
            "CreateStream" => self.create_stream_call(at, input),
            "DeleteStream" => self.delete_stream(at, input),
            "ListStreams" => self.list_streams(at, input),
            "DescribeStream" => self.describe_stream(at, input),
            "DescribeStreamSummary" => self.describe_stream_summary(at, input),
            "ListShards" => self.list_shards(at, input),
            "IncreaseStreamRetentionPeriod" => self.change_retention(at, input, true),
            "DecreaseStreamRetentionPeriod" => self.change_retention(at, input, false),
            "SplitShard" => self.split_shard(at, input),
            "MergeShards" => self.merge_shards(at, input),
            "UpdateShardCount" => self.update_shard_count(at, input),
            "UpdateMaxRecordSize" => self.update_max_record_size(at, input),
            "AddTagsToStream" => self.add_tags(at, input),
            "RemoveTagsFromStream" => self.remove_tags(at, input),
            "ListTagsForStream" => self.list_stream_tags(at, input),
            "RegisterStreamConsumer" => self.register_stream_consumer(at, input),
            "DeregisterStreamConsumer" => self.deregister_stream_consumer(at, input),
            "DescribeStreamConsumer" => self.describe_stream_consumer(at, input),
            "ListStreamConsumers" => self.list_stream_consumers(at, input),
            "EnableEnhancedMonitoring" => self.enable_enhanced_monitoring(at, input),
            "DisableEnhancedMonitoring" => self.disable_enhanced_monitoring(at, input),
            _ => return None,
        })
    }

    fn create_stream_call(&mut self, at: At, input: Input) -> ApiResult {
        let name = input.text("StreamName").unwrap_or_default();
        let place = &self.places[at.place.0];
        if place.streams.contains_key(name) {
            let text = format!("Stream {name} under account {} already exists.", place.account);
            return Err(ApiError::new(400, "ResourceInUseException", text));
        }
        if input.text("RecordDistributionStrategy") == Some("AUTO") {
            return Err(invalid("The sandbox does not play streams that choose the shards of records."));
        }
        let on_demand = input.within("StreamModeDetails").text("StreamMode") == Some("ON_DEMAND");
        let shards = match input.count("ShardCount") {
            Some(count) if count > 0 => count,
            _ if on_demand => 4,
            _ => return Err(invalid("ShardCount must be at least 1 for a stream in PROVISIONED mode.")),
        };
        let most = input.count("MaxRecordSizeInKiB").unwrap_or(1_024);
        let id = self.create_stream(at.place, name, shards, on_demand, most);
        self.streams[id.0].tags = input.strings("Tags");
        empty()
    }

    /// Kinesis API reference, UpdateMaxRecordSize: 1,024 to 10,240 KiB.
    fn update_max_record_size(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.stream_of(at, input)?;
        match input.count("MaxRecordSizeInKiB") {
            Some(size @ 1_024..=10_240) => self.streams[id.0].max_record_kib = size,
            _ => return Err(invalid("MaxRecordSizeInKiB must be between 1024 and 10240.")),
        }
        empty()
    }

    fn delete_stream(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.stream_of(at, input)?;
        let force = input.flag("EnforceConsumerDeletion") == Some(true);
        let until = self.now + self.delays.stream.draw(&mut self.rng);
        let stream = &mut self.streams[id.0];
        if !force && stream.consumers.iter().any(|c| c.status != Status::Gone) {
            let text = format!("Stream {} has consumers registered; deregister them first.", stream.name);
            return Err(ApiError::new(400, "ResourceInUseException", text));
        }
        stream.status = Status::Deleting;
        stream.until = Some(until);
        stream.consumers.iter_mut().for_each(|c| c.status = Status::Gone);
        self.due(until);
        empty()
    }

    fn list_streams(&mut self, at: At, input: Input) -> ApiResult {
        let after = input.text("NextToken").or(input.text("ExclusiveStartStreamName")).unwrap_or_default();
        let most = input.count("Limit").unwrap_or(100).max(1) as usize;
        let place = &self.places[at.place.0];
        let mut names: Vec<&String> = place.streams.keys().filter(|n| n.as_str() > after).collect();
        let more = names.len() > most;
        names.truncate(most);
        let summaries: Vec<Value> = names
            .iter()
            .filter_map(|name| place.streams.get(*name))
            .map(|id| {
                let stream = &self.streams[id.0];
                json!({
                    "StreamName": stream.name,
                    "StreamARN": stream.arn,
                    "StreamStatus": stream.status.as_str(),
                    "StreamModeDetails": { "StreamMode": mode(stream) },
                    "StreamCreationTimestamp": seconds(stream.created),
                })
            })
            .collect();
        let mut output = Map::new();
        put(&mut output, "NextToken", names.last().filter(|_| more).map(|name| json!(name)));
        put(&mut output, "StreamNames", Some(json!(names)));
        put(&mut output, "HasMoreStreams", Some(more));
        put(&mut output, "StreamSummaries", Some(summaries));
        Ok(ApiReply::ok(Value::Object(output)))
    }

    fn describe_stream(&mut self, at: At, input: Input) -> ApiResult {
        let stream = &self.streams[self.stream_of(at, input)?.0];
        let after = input.text("ExclusiveStartShardId").unwrap_or_default();
        let most = input.count("Limit").unwrap_or(100).max(1) as usize;
        let is_shown = |s: &&Shard| stream.status != Status::Creating && s.id.as_str() > after;
        let rest: Vec<&Shard> = stream.listed(self.now).filter(is_shown).collect();
        let shards: Vec<Value> = rest.iter().take(most).map(|s| describe(stream, s)).collect();
        Ok(ApiReply::ok(json!({ "StreamDescription": {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "StreamStatus": stream.status.as_str(),
            "StreamModeDetails": { "StreamMode": mode(stream) },
            "Shards": shards,
            "HasMoreShards": rest.len() > most,
            "RetentionPeriodHours": stream.retention_hours,
            "StreamCreationTimestamp": seconds(stream.created),
            "EnhancedMonitoring": [{ "ShardLevelMetrics": stream.shard_metrics }],
            "EncryptionType": "NONE",
        } })))
    }

    fn describe_stream_summary(&mut self, at: At, input: Input) -> ApiResult {
        let stream = &self.streams[self.stream_of(at, input)?.0];
        let open = stream.shards.iter().filter(|s| stream.status != Status::Creating && s.is_open()).count();
        let consumers = stream.consumers.iter().filter(|c| c.status != Status::Gone).count();
        Ok(ApiReply::ok(json!({ "StreamDescriptionSummary": {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "StreamStatus": stream.status.as_str(),
            "StreamModeDetails": { "StreamMode": mode(stream) },
            "RetentionPeriodHours": stream.retention_hours,
            "StreamCreationTimestamp": seconds(stream.created),
            "EnhancedMonitoring": [{ "ShardLevelMetrics": stream.shard_metrics }],
            "EncryptionType": "NONE",
            "OpenShardCount": open,
            "ConsumerCount": consumers,
            "MaxRecordSizeInKiB": stream.max_record_kib,
            // On-demand streams alone have one.
            "RecordDistributionStrategy": stream.on_demand.then_some("USER_PARTITION_KEY"),
        } })))
    }

    fn list_shards(&mut self, at: At, input: Input) -> ApiResult {
        let (id, after) = match input.text("NextToken") {
            None => (self.stream_of(at, input)?, input.text("ExclusiveStartShardId").unwrap_or_default()),
            Some(token) => {
                let (name, shard) = token.rsplit_once('/').ok_or_else(|| expired_token(token))?;
                let id = self.places[at.place.0].streams.get(name).ok_or_else(|| expired_token(token))?;
                (*id, shard)
            }
        };
        let stream = &self.streams[id.0];
        let filter = input.within("ShardFilter");
        let after = match filter.text("Type") {
            Some("AFTER_SHARD_ID") => filter.text("ShardId").unwrap_or_default(),
            Some("AT_TIMESTAMP" | "FROM_TIMESTAMP") if filter.get("Timestamp").is_none() => {
                return Err(invalid("Timestamp must be given for a shard filter of this type."));
            }
            _ => after,
        };
        let most = input.count("MaxResults").unwrap_or(1_000).max(1) as usize;
        let at = filter.time("Timestamp");
        let horizon = stream.horizon(self.now);
        let from = at.map_or(horizon, |at| at.max(horizon));
        let was_open = |s: &Shard, at: Millis| s.opened <= at && s.closed.is_none_or(|closed| closed > at);
        let fits = |s: &Shard| match filter.text("Type") {
            Some("AT_LATEST") => s.is_open(),
            Some("AT_TRIM_HORIZON") => was_open(s, horizon.max(stream.created)),
            Some("AT_TIMESTAMP") => was_open(s, from.max(stream.created)),
            Some("FROM_TIMESTAMP") => s.closed.is_none_or(|closed| closed > from),
            _ => true,
        };
        let rest: Vec<&Shard> =
            stream.listed(self.now).filter(|s| s.id.as_str() > after && fits(s)).collect();
        let shards: Vec<Value> = rest.iter().take(most).map(|s| describe(stream, s)).collect();
        let mut output = Map::new();
        let last = rest.get(most.saturating_sub(1)).filter(|_| rest.len() > most);
        put(&mut output, "NextToken", last.map(|shard| format!("{}/{}", stream.name, shard.id)));
        put(&mut output, "Shards", Some(shards));
        Ok(ApiReply::ok(Value::Object(output)))
    }

    fn change_retention(&mut self, at: At, input: Input, increase: bool) -> ApiResult {
        let id = self.stream_of(at, input)?;
        let hours = input.count("RetentionPeriodHours").unwrap_or_default();
        let now = self.now;
        let stream = &mut self.streams[id.0];
        let (low, high) = (24, 8_760);
        if !(low..=high).contains(&hours) {
            return Err(invalid(format!(
                "RetentionPeriodHours must be between {low} and {high}; it is {hours}."
            )));
        }
        if increase && hours < stream.retention_hours || !increase && hours > stream.retention_hours {
            let word = if increase { "shorter" } else { "longer" };
            return Err(invalid(format!(
                "Requested retention period ({hours} hours) for stream {} can not be {word} than existing retention period ({} hours).",
                stream.name, stream.retention_hours
            )));
        }
        // What has expired under the old period does not come back.
        stream.trim(now);
        stream.retention_hours = hours;
        stream.trim(now);
        empty()
    }

    fn add_tags(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.stream_of(at, input)?;
        let tags = &mut self.streams[id.0].tags;
        let added = input.strings("Tags");
        let total = tags.len() + added.keys().filter(|k| !tags.contains_key(*k)).count();
        if total > 50 {
            return Err(invalid("A stream can have at most 50 tags."));
        }
        tags.extend(added);
        empty()
    }

    fn remove_tags(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.stream_of(at, input)?;
        for key in input.list("TagKeys").iter().filter_map(Value::as_str) {
            self.streams[id.0].tags.remove(key);
        }
        empty()
    }

    fn list_stream_tags(&mut self, at: At, input: Input) -> ApiResult {
        let stream = &self.streams[self.stream_of(at, input)?.0];
        let after = input.text("ExclusiveStartTagKey").unwrap_or_default();
        let most = input.count("Limit").unwrap_or(50).max(1) as usize;
        let rest: Vec<Value> = stream
            .tags
            .iter()
            .filter(|(key, _)| key.as_str() > after)
            .map(|(key, value)| json!({ "Key": key, "Value": value }))
            .collect();
        let more = rest.len() > most;
        Ok(ApiReply::ok(json!({ "Tags": rest[..rest.len().min(most)], "HasMoreTags": more })))
    }

    fn register_stream_consumer(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.stream_of(at, input)?;
        let name = input.text("ConsumerName").unwrap_or_default();
        let live = || self.streams[id.0].consumers.iter().filter(|c| c.status != Status::Gone);
        if live().any(|c| c.name == name) {
            let stream = &self.streams[id.0].name;
            let text = format!("Consumer {name} of stream {stream} already exists.");
            return Err(ApiError::new(400, "ResourceInUseException", text));
        }
        if live().count() >= CONSUMERS_MOST {
            let text = format!("A stream can have at most {CONSUMERS_MOST} consumers.");
            return Err(ApiError::new(400, "LimitExceededException", text));
        }
        let index = self.create_stream_consumer(id, name);
        Ok(ApiReply::ok(json!({ "Consumer": consumer(&self.streams[id.0].consumers[index]) })))
    }

    /// The consumer that ConsumerARN, or StreamARN with ConsumerName, names.
    pub(super) fn consumer_of(&self, at: At, input: Input) -> Result<(StreamId, usize), ApiError> {
        let arn = input.text("ConsumerARN").map(Arn::new);
        let id = match &arn {
            None => self.stream_of(at, input)?,
            Some(arn) => {
                let stream = json!({ "StreamARN": arn.as_str().split("/consumer/").next() });
                self.stream_of(at, Input(&stream))?
            }
        };
        let stream = &self.streams[id.0];
        let named = |c: &StreamConsumer| match &arn {
            Some(arn) => c.arn == arn.as_str(),
            None => Some(c.name.as_str()) == input.text("ConsumerName"),
        };
        let found = stream.consumers.iter().position(|c| c.status != Status::Gone && named(c));
        found.map(|index| (id, index)).ok_or_else(|| {
            let wanted = arn.as_ref().map_or(input.text("ConsumerName"), |a| Some(a.as_str()));
            let text = format!("Consumer {} not found.", wanted.unwrap_or_default());
            ApiError::new(400, "ResourceNotFoundException", text)
        })
    }

    fn deregister_stream_consumer(&mut self, at: At, input: Input) -> ApiResult {
        let (id, index) = self.consumer_of(at, input)?;
        let until = self.now + self.delays.stream_consumer.draw(&mut self.rng);
        let consumer = &mut self.streams[id.0].consumers[index];
        (consumer.status, consumer.until) = (Status::Deleting, Some(until));
        self.due(until);
        empty()
    }

    fn describe_stream_consumer(&mut self, at: At, input: Input) -> ApiResult {
        let (id, index) = self.consumer_of(at, input)?;
        let stream = &self.streams[id.0];
        let mut description = consumer(&stream.consumers[index]);
        description["StreamARN"] = json!(stream.arn);
        Ok(ApiReply::ok(json!({ "ConsumerDescription": description })))
    }

    fn list_stream_consumers(&mut self, at: At, input: Input) -> ApiResult {
        let stream = &self.streams[self.stream_of(at, input)?.0];
        let skip: usize = input.text("NextToken").and_then(|t| t.parse().ok()).unwrap_or_default();
        let most = input.count("MaxResults").unwrap_or(100).max(1) as usize;
        let live: Vec<Value> =
            stream.consumers.iter().filter(|c| c.status != Status::Gone).map(consumer).collect();
        let mut output = Map::new();
        put(&mut output, "NextToken", (live.len() > skip + most).then(|| (skip + most).to_string()));
        let page: Vec<Value> = live.into_iter().skip(skip).take(most).collect();
        put(&mut output, "Consumers", Some(page));
        Ok(ApiReply::ok(Value::Object(output)))
    }
}

fn mode(stream: &Stream) -> &'static str {
    if stream.on_demand { "ON_DEMAND" } else { "PROVISIONED" }
}

fn describe(stream: &Stream, shard: &Shard) -> Value {
    let parent = |number: usize| shard.parents.get(number).map(|parent| stream.shards[*parent].id.as_str());
    let last = shard.closed.map(|_| shard.sequence_number(shard.tip()));
    json!({
        "ShardId": shard.id,
        "ParentShardId": parent(0),
        "AdjacentParentShardId": parent(1),
        "HashKeyRange": hash_key_range(shard),
        "SequenceNumberRange": {
            "StartingSequenceNumber": shard.sequence_number(0),
            "EndingSequenceNumber": last,
        },
    })
}

fn consumer(consumer: &StreamConsumer) -> Value {
    json!({
        "ConsumerName": consumer.name,
        "ConsumerARN": consumer.arn,
        "ConsumerStatus": consumer.status.as_str(),
        "ConsumerCreationTimestamp": seconds(consumer.created),
    })
}

fn expired_token(token: &str) -> ApiError {
    ApiError::new(400, "ExpiredNextTokenException", format!("NextToken {token} is not known."))
}
