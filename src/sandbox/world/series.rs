//! The metrics that each resource has, by the names of CloudWatch.

use super::World;
use super::functions::FunctionSeries;
use super::mappings::MappingSeries;
use super::metrics::{SeriesId, SeriesKey};
use super::place::PlaceId;
use super::streams::{ConsumerSeries, StreamId, StreamSeries};

impl World {
    fn series(
        &mut self,
        place: PlaceId,
        namespace: &str,
        name: &str,
        dimensions: &[(&str, &str)],
    ) -> SeriesId {
        let mut dimensions: Vec<(String, String)> =
            dimensions.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        dimensions.sort();
        self.metrics.series(SeriesKey {
            place,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions,
        })
    }

    /// Kinesis User Guide, "Monitor the Amazon Kinesis Data Streams service with Amazon CloudWatch".
    pub(super) fn stream_series(&mut self, place: PlaceId, stream: &str) -> StreamSeries {
        let mut named = |name: &str| self.series(place, "AWS/Kinesis", name, &[("StreamName", stream)]);
        StreamSeries {
            incoming_records: named("IncomingRecords"),
            incoming_bytes: named("IncomingBytes"),
            put_record: named("PutRecord.Success"),
            put_records: named("PutRecords.Success"),
            total: named("PutRecords.TotalRecords"),
            successful: named("PutRecords.SuccessfulRecords"),
            failed: named("PutRecords.FailedRecords"),
            throttled: named("PutRecords.ThrottledRecords"),
            get_age: named("GetRecords.IteratorAgeMilliseconds"),
            get_success: named("GetRecords.Success"),
            get_records: named("GetRecords.Records"),
            get_latency: named("GetRecords.Latency"),
            write_exceeded: named("WriteProvisionedThroughputExceeded"),
            read_exceeded: named("ReadProvisionedThroughputExceeded"),
        }
    }

    /// One reader's age at one shard, where the stream has shard-level metrics.
    pub(super) fn note_shard_age(&mut self, stream: StreamId, shard: usize, age: f64) {
        let owner = &self.streams[stream.0];
        if !owner.shard_metrics.contains("IteratorAgeMilliseconds") {
            return;
        }
        let (place, name, id) = (owner.place, owner.name.clone(), owner.shards[shard].id.clone());
        let dimensions = [("StreamName", name.as_str()), ("ShardId", id.as_str())];
        let series = self.series(place, "AWS/Kinesis", "IteratorAgeMilliseconds", &dimensions);
        self.metrics.record(series, self.ticked, self.ticked, age);
    }

    pub(super) fn consumer_series(&mut self, place: PlaceId, stream: &str, consumer: &str) -> ConsumerSeries {
        let dimensions = [("StreamName", stream), ("ConsumerName", consumer)];
        let mut named = |name: &str| self.series(place, "AWS/Kinesis", name, &dimensions);
        ConsumerSeries {
            behind: named("SubscribeToShardEvent.MillisBehindLatest"),
            success: named("SubscribeToShardEvent.Success"),
            records: named("SubscribeToShardEvent.Records"),
            subscribed: named("SubscribeToShard.Success"),
        }
    }

    /// Lambda Developer Guide, "Types of metrics for Lambda functions".
    pub(super) fn function_series(&mut self, place: PlaceId, function: &str) -> FunctionSeries {
        let mut named = |name: &str| self.series(place, "AWS/Lambda", name, &[("FunctionName", function)]);
        FunctionSeries {
            invocations: named("Invocations"),
            errors: named("Errors"),
            throttles: named("Throttles"),
            duration: named("Duration"),
            concurrent: named("ConcurrentExecutions"),
            iterator_age: named("IteratorAge"),
        }
    }

    pub(super) fn mapping_series(&mut self, place: PlaceId, uuid: &str) -> MappingSeries {
        let mut named =
            |name: &str| self.series(place, "AWS/Lambda", name, &[("EventSourceMappingUUID", uuid)]);
        MappingSeries {
            polled: named("PolledEventCount"),
            filtered: named("FilteredOutEventCount"),
            invoked: named("InvokedEventCount"),
            failed: named("FailedInvokeEventCount"),
            dropped: named("DroppedEventCount"),
        }
    }
}
