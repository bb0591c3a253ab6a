//! Kinesis: SubscribeToShard. A subscription lives five minutes and is pushed what arrives (Kinesis API reference).

use super::super::clock::{Millis, SECOND};
use super::super::streams::{Status, StreamId};
use super::kinesis::{child, invalid, record, refuse_if_dry};
use super::{At, Input, World};
use crate::sandbox::call::{ApiError, ApiReply, ApiResult};
use serde_json::{Value, json};

/// How long a subscription lives.
const LIFE: Millis = 300 * SECOND;
/// So soon after one subscription of a consumer to a shard, the next one is refused; later, it takes over.
const KEPT_FOR: Millis = 5 * SECOND;
/// How often an event without records says how far behind a subscription is.
const SIGN_OF_LIFE: Millis = 5 * SECOND;
/// The most records of an event.
const EVENT_MOST: usize = 500;

/// One consumer's subscription to one shard.
#[derive(Debug)]
pub(in crate::sandbox) struct Subscription {
    stream: StreamId,
    consumer: usize,
    shard: usize,
    position: u64,
    since: Millis,
    pushed: Millis,
    is_over: bool,
}

/// What a subscription has to give now.
#[derive(Debug)]
pub enum Pushed {
    /// A SubscribeToShardEvent.
    Event(Value),
    /// Nothing yet.
    Nothing,
    /// It has ended.
    Over,
}

impl World {
    /// The answer's one member is the number of the subscription; the wire sends its events in its place.
    pub(super) fn subscribe_to_shard(&mut self, at: At, input: Input) -> ApiResult {
        let (stream, consumer) = self.consumer_of(at, input)?;
        let there = &self.streams[stream.0].consumers[consumer];
        if there.status != Status::Active {
            let text = format!("Consumer {} is {}, not ACTIVE.", there.arn, there.status.as_str());
            return Err(ApiError::new(400, "ResourceInUseException", text));
        }
        let name = input.text("ShardId").unwrap_or_default();
        let found = self.streams[stream.0].shard_index(name);
        let shard = found.ok_or_else(|| self.shard_not_found(stream, name))?;
        let starting = input.within("StartingPosition");
        let at = json!({
            "ShardIteratorType": starting.get("Type"),
            "StartingSequenceNumber": starting.get("SequenceNumber"),
            "Timestamp": starting.get("Timestamp"),
        });
        if starting.get("Type").is_none() {
            return Err(invalid("StartingPosition must be given."));
        }
        let position = self.position(&self.streams[stream.0].shards[shard], Input(&at))?;
        let now = self.now;
        let same = |s: &&mut Subscription| {
            (s.stream, s.consumer, s.shard) == (stream, consumer, shard) && !s.is_over
        };
        let former = self.subscriptions.iter_mut().find(same);
        if let Some(former) = &former
            && now - former.since < KEPT_FOR
        {
            let text = format!(
                "Another active subscription exists for this consumer: {}",
                self.streams[stream.0].consumers[consumer].arn
            );
            return Err(ApiError::new(400, "ResourceInUseException", text));
        }
        refuse_if_dry(input)?;
        if let Some(former) = former {
            former.is_over = true;
        }
        let series = self.streams[stream.0].consumers[consumer].series;
        self.metrics.record(series.subscribed, now, now, 1.0);
        let (pushed, is_over) = (now - SIGN_OF_LIFE, false);
        self.subscriptions.push(Subscription {
            stream,
            consumer,
            shard,
            position,
            since: now,
            pushed,
            is_over,
        });
        Ok(ApiReply::ok(json!({ "Subscription": self.subscriptions.len() - 1 })))
    }

    /// What a subscription has to give now.
    pub(in crate::sandbox) fn pushed(&mut self, subscription: usize) -> Pushed {
        let now = self.now;
        let Some(this) = self.subscriptions.get_mut(subscription) else { return Pushed::Over };
        let stream = &self.streams[this.stream.0];
        if this.is_over || now - this.since >= LIFE || !stream.is_open() {
            this.is_over = true;
            return Pushed::Over;
        }
        let shard = &stream.shards[this.shard];
        let found: Vec<_> = shard.from(this.position).take(EVENT_MOST).collect();
        let ends = shard.ends_at(found.last().map_or(this.position, |(last, _)| last + 1));
        if found.is_empty() && !ends && now - this.pushed < SIGN_OF_LIFE {
            return Pushed::Nothing;
        }
        let next = found.last().map_or(this.position, |(last, _)| last + 1);
        let behind = shard.millis_behind(next, now);
        let records: Vec<Value> =
            found.into_iter().map(|(position, found)| record(shard, position, found)).collect();
        let series = stream.consumers[this.consumer].series;
        for (id, value) in
            [(series.success, 1.0), (series.records, records.len() as f64), (series.behind, behind as f64)]
        {
            self.metrics.record(id, now, now, value);
        }
        (this.position, this.pushed, this.is_over) = (next, now, ends);
        let children: Option<Vec<Value>> =
            ends.then(|| stream.children(this.shard).map(|shard| child(stream, shard)).collect());
        let mut event = json!({
            "Records": records,
            "ContinuationSequenceNumber": shard.sequence_number(next),
            "MillisBehindLatest": behind,
        });
        if let Some(children) = children {
            event["ChildShards"] = Value::Array(children);
        }
        Pushed::Event(event)
    }
}
