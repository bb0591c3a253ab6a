//! What one side of a look needs to know, gathered from the configuration, each thing once.

use super::Scope;
use super::mappings::Readers;
use super::metrics::MetricId;
use crate::aws::pacer::Family;
use crate::config::Pipeline;
use crate::model::{FunctionName, MappingSource, Side, StreamName};
use std::collections::BTreeSet;
use std::time::Duration;

/// AWS/Kinesis metrics of a stream: name and statistic.
pub(super) const STREAM_METRICS: [(&str, &str); 11] = [
    ("IncomingRecords", "Sum"),
    ("GetRecords.IteratorAgeMilliseconds", "Maximum"),
    ("PutRecord.Success", "Sum"),
    ("PutRecord.Success", "SampleCount"),
    ("PutRecords.TotalRecords", "Sum"),
    ("PutRecords.FailedRecords", "Sum"),
    ("GetRecords.Success", "Sum"),
    ("GetRecords.Success", "SampleCount"),
    ("PutRecords.ThrottledRecords", "Sum"),
    ("WriteProvisionedThroughputExceeded", "Sum"),
    ("ReadProvisionedThroughputExceeded", "Sum"),
];

/// AWS/Lambda metrics of a function that reads: name and statistic.
pub(super) const READER_METRICS: [(&str, &str); 5] = [
    ("IteratorAge", "Maximum"),
    ("Errors", "Sum"),
    ("Throttles", "Sum"),
    ("Invocations", "Sum"),
    ("Duration", "Maximum"),
];

/// What is asked on one side.
#[derive(Debug, Default)]
pub(super) struct Wants {
    pub(super) functions: BTreeSet<FunctionName>,
    pub(super) aliases: BTreeSet<(FunctionName, String)>,
    /// Producers that may have aliases which the configuration does not name.
    pub(super) unaliased: BTreeSet<FunctionName>,
    pub(super) streams: BTreeSet<StreamName>,
    /// Streams whose run mark is read.
    pub(super) marked: BTreeSet<StreamName>,
    /// Streams whose enhanced fan-out consumers are listed.
    pub(super) fanned_out: BTreeSet<StreamName>,
    /// Streams whose shards' own lag is read, where they have one.
    pub(super) by_shard: BTreeSet<StreamName>,
    /// Streams whose shards are read.
    pub(super) probed: BTreeSet<StreamName>,
    pub(super) readers: Readers,
    pub(super) metrics: BTreeSet<MetricId>,
}

impl Wants {
    /// What these pipelines need of a side.
    pub(super) fn of(pipelines: &[&Pipeline], side: Side, scope: &Scope) -> Wants {
        let mut wants = Wants::default();
        if scope.sides.has(side) {
            let is_probed = scope.probe.is_some_and(|probe| probe.sides.has(side));
            for pipeline in pipelines {
                wants.add(pipeline, side, scope, is_probed);
            }
        }
        wants
    }

    fn add(&mut self, pipeline: &Pipeline, side: Side, scope: &Scope, is_probed: bool) {
        let stream = pipeline.stream.of(side);
        self.streams.insert(stream.clone());
        self.metrics.extend(STREAM_METRICS.map(|(name, stat)| MetricId::stream(stream, name, stat)));
        if side == Side::Standby && scope.marks {
            self.marked.insert(stream.clone());
        }
        if scope.shard_metrics {
            self.by_shard.insert(stream.clone());
        }
        if is_probed {
            self.probed.insert(stream.clone());
        }
        for producer in pipeline.producers.iter().filter(|producer| producer.side == side) {
            self.functions.insert(producer.function.clone());
            match &producer.alias {
                Some(alias) => {
                    self.aliases.insert((producer.function.clone(), alias.clone()));
                }
                None if scope.other_aliases => {
                    self.unaliased.insert(producer.function.clone());
                }
                None => {}
            }
        }
        self.add_reader(pipeline.consumer.function.of(side), &pipeline.consumer_source(side));
        if let (Side::Primary, Some(replicator)) = (side, &pipeline.replicator)
            && let Some(source) = pipeline.replicator_source()
        {
            self.add_reader(&replicator.function, &source);
        }
    }

    fn add_reader(&mut self, function: &FunctionName, source: &MappingSource) {
        self.functions.insert(function.clone());
        self.readers.functions.insert(function.clone());
        self.readers.streams.insert(source.stream().clone());
        self.metrics.extend(READER_METRICS.map(|(name, stat)| MetricId::function(function, name, stat)));
        if let MappingSource::StreamConsumer { stream, consumer } = source {
            self.fanned_out.insert(stream.clone());
            self.metrics.insert(MetricId::fan_out_lag(stream, consumer));
        }
    }

    /// How long the calls of this look queue for the quotas at least, beyond a burst.
    pub(super) fn queueing(&self) -> Duration {
        let waits = [
            Family::GetFunction.queue_time(self.functions.len() + self.aliases.len()),
            Family::LambdaControl
                .queue_time(self.aliases.len() + self.unaliased.len() + self.readers.reads()),
            Family::StreamSummary.queue_time(self.streams.len()),
            Family::StreamTags.queue_time(self.marked.len()),
        ];
        waits.into_iter().max().unwrap_or_default()
    }
}
