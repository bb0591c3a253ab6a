//! Kinesis: the data plane (API reference of Kinesis Data Streams, 2013-12-02).

use super::super::clock::{Millis, SECOND, millis, seconds};
use super::super::invocations::PutRecordsCount;
use super::super::streams::{Body, Document, PutRefused, Record, Shard, Status, Stream, StreamId, hash_key};
use super::{At, Input, World};
use crate::model::Arn;
use crate::sandbox::call::{ApiError, ApiReply, ApiResult};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::sync::Arc;

/// An iterator lives five minutes.
const ITERATOR_LIFE: Millis = 300 * SECOND;
/// Data and partition keys of a PutRecords call together (Kinesis API reference).
const PUT_RECORDS_MOST: u64 = 10 * 1_024 * 1_024;
/// The most records of a GetRecords call.
const GET_RECORDS_MOST: usize = 10_000;

impl World {
    pub(super) fn kinesis(&mut self, at: At, operation: &str, input: Input) -> Option<ApiResult> {
        Some(match operation {
            "PutRecord" => self.put_record(at, input),
            "PutRecords" => self.put_records(at, input),
            "GetShardIterator" => self.get_shard_iterator(at, input),
            "GetRecords" => self.get_records(at, input),
            "SubscribeToShard" => self.subscribe_to_shard(at, input),
            _ => return self.kinesis_control(at, operation, input),
        })
    }

    /// The stream that StreamName or StreamARN names, in any state but gone.
    pub(super) fn stream_of(&self, at: At, input: Input) -> Result<StreamId, ApiError> {
        let place = &self.places[at.place.0];
        let name = match (input.text("StreamName"), input.text("StreamARN")) {
            (Some(name), _) => name.to_owned(),
            (None, Some(arn)) => {
                let arn = Arn::new(arn);
                if arn.region() != place.region.as_str() || arn.account() != place.account.as_str() {
                    return Err(stream_not_found(arn.stream().unwrap_or_default(), arn.account()));
                }
                arn.stream().unwrap_or_default().to_owned()
            }
            (None, None) => {
                return Err(invalid(
                    "Missing one of the parameters StreamARN or StreamName, or both are invalid.",
                ));
            }
        };
        place.streams.get(&name).copied().ok_or_else(|| stream_not_found(&name, place.account.as_str()))
    }

    /// The stream, if it answers reads and writes.
    fn open_stream(&self, at: At, input: Input) -> Result<StreamId, ApiError> {
        let id = self.stream_of(at, input)?;
        let stream = &self.streams[id.0];
        match stream.status {
            Status::Active | Status::Updating => Ok(id),
            _ => {
                let account = self.places[at.place.0].account.as_str();
                Err(stream_not_found(&stream.name, account))
            }
        }
    }

    fn put_record(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.open_stream(at, input)?;
        let (body, hash) = self.record_of(id, input)?;
        refuse_if_dry(input)?;
        let (now, size) = (self.now, body.size());
        match self.put_client_record(id, body, hash) {
            Ok((shard, position)) => {
                let series = self.streams[id.0].series;
                self.metrics.record(series.put_record, now, now, 1.0);
                self.metrics.record(series.incoming_records, now, now, 1.0);
                self.metrics.record(series.incoming_bytes, now, now, f64::from(size));
                let shard = &self.streams[id.0].shards[shard];
                Ok(ApiReply::ok(json!({
                    "ShardId": shard.id,
                    "SequenceNumber": shard.sequence_number(position),
                })))
            }
            Err(why) => {
                self.note_put_record_failed(id, why, now);
                Err(put_error(why, &self.streams[id.0].name))
            }
        }
    }

    fn put_records(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.open_stream(at, input)?;
        let records = input.list("Records");
        let bodies: Result<Vec<_>, ApiError> = records.iter().map(|r| self.record_of(id, Input(r))).collect();
        let bodies = bodies?;
        if bodies.iter().map(|(body, _)| u64::from(body.size())).sum::<u64>() > PUT_RECORDS_MOST {
            return Err(invalid("Records size exceeds 10 MB limit"));
        }
        refuse_if_dry(input)?;
        let (mut counted, mut answers) = (PutRecordsCount::default(), Vec::new());
        for (body, hash) in bodies {
            let size = body.size();
            let put = self.put_client_record(id, body, hash);
            counted.add(size, put);
            let stream = &self.streams[id.0];
            answers.push(match put {
                Ok((shard, position)) => {
                    let shard = &stream.shards[shard];
                    json!({ "SequenceNumber": shard.sequence_number(position), "ShardId": shard.id })
                }
                Err(why) => {
                    let error = put_error(why, &stream.name);
                    json!({ "ErrorCode": error.code, "ErrorMessage": error.message })
                }
            });
        }
        self.note_put_records(id, counted, self.now);
        let failed = counted.failed + counted.throttled;
        Ok(ApiReply::ok(json!({ "FailedRecordCount": failed, "Records": answers })))
    }

    /// A record that an API client sent; the outage of its Region has been looked at before.
    fn put_client_record(
        &mut self,
        id: StreamId,
        body: Body,
        hash: Option<u128>,
    ) -> Result<(usize, u64), PutRefused> {
        let copy_of = match &body {
            Body::Data(document) => self.books.recognise(&document.data),
            Body::Tick(_) => None,
        };
        self.put(id, body, hash, copy_of, self.now)
    }

    fn record_of(&self, id: StreamId, input: Input) -> Result<(Body, Option<u128>), ApiError> {
        let text = input.text("Data").unwrap_or_default();
        let data = BASE64.decode(text).map_err(|_| {
            ApiError::new(400, "SerializationException", "Data is not a base64-encoded blob.")
        })?;
        // The model leaves it out where the stream distributes the records by itself; these streams do not.
        let key = input.text("PartitionKey").ok_or_else(|| {
            ApiError::new(
                400,
                "ValidationException",
                "1 validation error detected: Value null at 'partitionKey' failed to satisfy constraint: Member must \
                 not be null",
            )
        })?;
        let most = self.streams[id.0].max_record_kib as usize * 1_024;
        if data.len() > most {
            return Err(ApiError::new(
                400,
                "ValidationException",
                format!(
                    "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than or equal to {most}"
                ),
            ));
        }
        let hash = match input.text("ExplicitHashKey") {
            None => None,
            Some(text) => Some(text.parse::<u128>().map_err(|_| {
                invalid(format!("Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {text}"))
            })?),
        };
        debug_assert!(
            hash.is_some() || self.streams[id.0].shards.iter().any(|s| hash_key(key) <= s.hash_range.1)
        );
        Ok((Body::Data(Arc::new(Document { key: key.to_owned(), data })), hash))
    }

    fn get_shard_iterator(&mut self, at: At, input: Input) -> ApiResult {
        let id = self.open_stream(at, input)?;
        let stream = &self.streams[id.0];
        let name = input.text("ShardId").unwrap_or_default();
        let index = stream.shard_index(name).ok_or_else(|| self.shard_not_found(id, name))?;
        let position = self.position(&stream.shards[index], input)?;
        refuse_if_dry(input)?;
        Ok(ApiReply::ok(json!({ "ShardIterator": self.iterator(id, index, position) })))
    }

    pub(super) fn shard_not_found(&self, id: StreamId, shard: &str) -> ApiError {
        let stream = &self.streams[id.0];
        let account = &self.places[stream.place.0].account;
        let text = format!("Shard {shard} in stream {} under account {account} does not exist", stream.name);
        ApiError::new(400, "ResourceNotFoundException", text)
    }

    pub(super) fn position(&self, shard: &Shard, input: Input) -> Result<u64, ApiError> {
        let sequence = || {
            let text = input.text("StartingSequenceNumber").unwrap_or_default();
            shard.position_of(text).ok_or_else(|| {
                invalid(format!(
                    "Invalid StartingSequenceNumber {text}; it was not found in shard {}.",
                    shard.id
                ))
            })
        };
        Ok(match input.text("ShardIteratorType").unwrap_or_default() {
            "TRIM_HORIZON" => shard.first,
            "LATEST" => shard.tip(),
            "AT_SEQUENCE_NUMBER" => sequence()?.max(shard.first),
            "AFTER_SEQUENCE_NUMBER" => (sequence()? + 1).max(shard.first),
            "AT_TIMESTAMP" => {
                let when = input.get("Timestamp").and_then(millis).ok_or_else(|| {
                    invalid("Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP.")
                })?;
                if when > self.now {
                    return Err(invalid(format!(
                        "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
                         timestampInMillis: {when}, currentTimestampInMillis: {}",
                        self.now
                    )));
                }
                shard.at_timestamp(when)
            }
            other => return Err(invalid(format!("{other} is not a shard iterator type."))),
        })
    }

    /// Iterators are opaque to clients: stream, shard, position and the moment it was given out.
    fn iterator(&self, id: StreamId, shard: usize, position: u64) -> String {
        BASE64.encode(format!("sandbox-iterator/{}/{shard}/{position}/{}", id.0, self.now))
    }

    pub(super) fn read_iterator(&self, at: At, text: &str) -> Result<(StreamId, usize, u64), ApiError> {
        let wrong = || invalid("Invalid ShardIterator.");
        let plain = BASE64.decode(text).ok().and_then(|b| String::from_utf8(b).ok()).ok_or_else(wrong)?;
        let numbers: Vec<i64> = plain.split('/').skip(1).filter_map(|part| part.parse().ok()).collect();
        let &[stream, shard, position, given] = numbers.as_slice() else { return Err(wrong()) };
        let (stream, shard) =
            (usize::try_from(stream).map_err(|_| wrong())?, usize::try_from(shard).map_err(|_| wrong())?);
        let there = self.streams.get(stream).filter(|s| s.place == at.place && shard < s.shards.len());
        there.ok_or_else(wrong)?;
        if self.now - given > ITERATOR_LIFE {
            return Err(ApiError::new(
                400,
                "ExpiredIteratorException",
                "Iterator expired. The iterator was created more than 300000 milliseconds ago.",
            ));
        }
        Ok((StreamId(stream), shard, u64::try_from(position).map_err(|_| wrong())?))
    }

    fn get_records(&mut self, at: At, input: Input) -> ApiResult {
        let (id, index, position) =
            self.read_iterator(at, input.text("ShardIterator").unwrap_or_default())?;
        let now = self.now;
        let latency = self.rng.i64(4..20) as f64;
        let stream = &mut self.streams[id.0];
        let series = stream.series;
        if !stream.is_open() {
            let (name, account) = (stream.name.clone(), self.places[at.place.0].account.clone());
            return Err(stream_not_found(&name, account.as_str()));
        }
        refuse_if_dry(input)?;
        if !stream.shards[index].may_read(now) {
            self.metrics.record(series.get_success, now, now, 0.0);
            self.metrics.record(series.read_exceeded, now, now, 1.0);
            let stream = &self.streams[id.0];
            return Err(rate_exceeded(&stream.shards[index].id, &stream.name));
        }
        let shard = &stream.shards[index];
        let most = input.count("Limit").map_or(GET_RECORDS_MOST, |n| (n as usize).clamp(1, GET_RECORDS_MOST));
        let found: Vec<_> = shard.from(position).take(most).collect();
        let next = found.last().map_or(position.max(shard.first).min(shard.tip()), |(last, _)| last + 1);
        let behind = shard.millis_behind(next, now);
        let age = found.last().map_or(behind, |(_, record)| (now - record.arrival).max(0));
        let records: Vec<Value> =
            found.iter().map(|(position, found)| record(shard, *position, found)).collect();
        self.metrics.record(series.get_success, now, now, 1.0);
        self.metrics.record(series.get_latency, now, now, latency);
        self.metrics.record(series.get_records, now, now, records.len() as f64);
        self.metrics.record(series.get_age, now, now, age as f64);
        // Behind the last record of a closed shard there is no iterator, but its children.
        let stream = &self.streams[id.0];
        let has_ended = stream.shards[index].ends_at(next);
        let children: Option<Vec<Value>> =
            has_ended.then(|| stream.children(index).map(|c| child(stream, c)).collect());
        self.note_shard_age(id, index, age as f64);
        Ok(ApiReply::ok(json!({
            "Records": records,
            "NextShardIterator": (!has_ended).then(|| self.iterator(id, index, next)),
            "MillisBehindLatest": behind,
            "ChildShards": children,
        })))
    }
}

/// A record as readers get it.
pub(super) fn record(shard: &Shard, position: u64, record: &Record) -> Value {
    json!({
        "SequenceNumber": shard.sequence_number(position),
        "ApproximateArrivalTimestamp": seconds(record.arrival),
        "Data": BASE64.encode(record.data()),
        "PartitionKey": record.key(),
    })
}

/// A shard that replaced the one that was read to its end.
pub(super) fn child(stream: &Stream, shard: &Shard) -> Value {
    let parents: Vec<&str> = shard.parents.iter().map(|parent| stream.shards[*parent].id.as_str()).collect();
    json!({
        "ShardId": shard.id,
        "ParentShards": parents,
        "HashKeyRange": hash_key_range(shard),
    })
}

pub(super) fn hash_key_range(shard: &Shard) -> Value {
    json!({
        "StartingHashKey": shard.hash_range.0.to_string(),
        "EndingHashKey": shard.hash_range.1.to_string(),
    })
}

fn put_error(why: PutRefused, stream: &str) -> ApiError {
    match why {
        PutRefused::Throttled => rate_exceeded("shardId-000000000000", stream),
        PutRefused::Internal => ApiError::new(
            500,
            "InternalFailure",
            "The request processing has failed because of an unknown error.",
        ),
    }
}

fn rate_exceeded(shard: &str, stream: &str) -> ApiError {
    let text = format!("Rate exceeded for shard {shard} in stream {stream}.");
    ApiError::new(400, "ProvisionedThroughputExceededException", text)
}

/// A call that would be granted is refused for asking only whether it would be, and does nothing.
pub(super) fn refuse_if_dry(input: Input) -> Result<(), ApiError> {
    match input.flag("DryRun") {
        Some(true) => {
            let text = "The request was rejected because the DryRun parameter was specified.";
            Err(ApiError::new(400, "DryRunOperationException", text))
        }
        _ => Ok(()),
    }
}

pub(super) fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new(400, "InvalidArgumentException", text)
}

pub(super) fn stream_not_found(name: &str, account: &str) -> ApiError {
    let text = format!("Stream {name} under account {account} not found.");
    ApiError::new(400, "ResourceNotFoundException", text)
}
