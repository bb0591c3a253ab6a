//! From what both sides said to the model's views. Pure.

use super::facts::Facts;
use super::metrics::MetricId;
use super::other_aliases::Runs;
use super::wants::{READER_METRICS, STREAM_METRICS};
use crate::config::{Pipeline, Producer, Topology};
use crate::model::{
    AliasView, Environment, FailureKind, FunctionName, FunctionView, Mapping, MappingSource, MappingState,
    Observed, OtherAlias, PipelineView, ProducerView, ReaderMetrics, ReaderView, Reason, Region, Series,
    Side, SideView, StreamConsumer, StreamMetrics, StreamName, Timestamp,
};
use std::collections::BTreeSet;

/// What both sides said; a side that was not asked is `None`.
#[derive(Debug)]
pub(super) struct Both {
    pub(super) primary: Option<Facts>,
    pub(super) standby: Option<Facts>,
}

impl Both {
    fn of(&self, side: Side) -> Option<&Facts> {
        match side {
            Side::Primary => self.primary.as_ref(),
            Side::Standby => self.standby.as_ref(),
        }
    }
}

/// A part that was asked under a key, or the reason that it was not.
fn part<K: Ord, T: Clone>(
    found: Option<&std::collections::BTreeMap<K, Observed<T>>>,
    key: &K,
) -> Observed<T> {
    found.and_then(|map| map.get(key).cloned()).unwrap_or_else(|| Observed::Unknown(Reason::not_asked()))
}

/// One pipeline in both Regions, but for the sink, which is asked afterwards.
pub(super) fn pipeline(topology: &Topology, pipeline: &Pipeline, both: &Both) -> PipelineView {
    let producers = pipeline.producers.iter();
    PipelineView {
        producers: producers.map(|p| producer(topology, p, both.of(p.side))).collect(),
        primary: side(topology, pipeline, Side::Primary, both.of(Side::Primary)),
        standby: side(topology, pipeline, Side::Standby, both.of(Side::Standby)),
        sink: None,
    }
}

fn producer(topology: &Topology, producer: &Producer, facts: Option<&Facts>) -> ProducerView {
    let function = part(facts.map(|f| &f.functions), &producer.function);
    let alias = producer
        .alias
        .as_ref()
        .map(|alias| part(facts.map(|f| &f.aliases), &(producer.function.clone(), alias.clone())));
    let value = |variable: Option<&String>| match &alias {
        Some(alias) => variable_of(alias.as_ref().map(|a: &AliasView| &a.environment), variable),
        None => variable_of(function.as_ref().map(|f: &FunctionView| &f.environment), variable),
    };
    ProducerView {
        name: producer.function.clone(),
        region: topology.regions.of(producer.side).clone(),
        region_value: value(Some(&producer.region_variable)),
        stream_value: value(producer.stream_variable.as_ref()),
        other_aliases: other_aliases(producer, &function, facts),
        function,
        alias,
    }
}

/// What the aliases that the configuration does not name write to.
fn other_aliases(
    producer: &Producer,
    function: &Observed<FunctionView>,
    facts: Option<&Facts>,
) -> Observed<Vec<OtherAlias>> {
    let found = part(facts.map(|f| &f.other_aliases), &producer.function);
    let region_value = |runs: &Runs| {
        let own = || function.as_ref().map(|f: &FunctionView| &f.environment);
        let environment = runs.environment.as_ref().map_or_else(own, Observed::as_ref);
        variable_of(environment, Some(&producer.region_variable))
    };
    found.map(|runs| {
        let one = |runs: Runs| OtherAlias {
            region_value: region_value(&runs),
            name: runs.alias,
            version: runs.version,
        };
        runs.into_iter().map(one).collect()
    })
}

/// A variable's value: `Known(None)` where it is not set, unknown where the environment cannot be read.
fn variable_of(environment: Observed<&Environment>, variable: Option<&String>) -> Observed<Option<String>> {
    match environment {
        Observed::Unknown(reason) => Observed::Unknown(reason),
        Observed::Known(Environment::Unreadable(why)) => {
            Observed::Unknown(Reason::new(FailureKind::AccessDenied, why.clone()))
        }
        Observed::Known(readable) => {
            Observed::Known(variable.and_then(|key| readable.get(key)).map(str::to_owned))
        }
    }
}

fn side(topology: &Topology, pipeline: &Pipeline, side: Side, facts: Option<&Facts>) -> SideView {
    let region = topology.regions.of(side);
    let stream = pipeline.stream.of(side);
    let replicator = match (side, &pipeline.replicator, pipeline.replicator_source()) {
        (Side::Primary, Some(replicator), Some(source)) => {
            Some(reader(region, &replicator.function, &source, facts))
        }
        _ => None,
    };
    SideView {
        region: region.clone(),
        stream_name: stream.clone(),
        stream: part(facts.map(|f| &f.streams), stream),
        mark: part(facts.map(|f| &f.marks), stream),
        probe: part(facts.map(|f| &f.probes), stream),
        metrics: stream_metrics(stream, facts),
        other_mappings: other_mappings(pipeline, side, region, facts),
        consumer: reader(region, pipeline.consumer.function.of(side), &pipeline.consumer_source(side), facts),
        replicator,
    }
}

fn series(facts: Option<&Facts>, id: MetricId) -> Observed<Series> {
    part(facts.map(|f| &f.series), &id)
}

fn stream_metrics(stream: &StreamName, facts: Option<&Facts>) -> StreamMetrics {
    let [
        incoming,
        age,
        put_sum,
        put_count,
        total,
        failed,
        get_sum,
        get_count,
        put_over,
        writes_over,
        reads_over,
    ] = STREAM_METRICS.map(|(name, stat)| series(facts, MetricId::stream(stream, name, stat)));
    StreamMetrics {
        incoming_records: incoming,
        iterator_age: age,
        put_record_success: put_sum,
        put_record_calls: put_count,
        put_records_total: total,
        put_records_failed: failed,
        get_records_success: get_sum,
        get_records_calls: get_count,
        put_records_throttled: put_over,
        writes_throttled: writes_over,
        reads_throttled: reads_over,
        shard_iterator_age: facts.and_then(|f| f.by_shard.get(stream).cloned()),
    }
}

fn reader(
    region: &Region,
    function: &FunctionName,
    source: &MappingSource,
    facts: Option<&Facts>,
) -> ReaderView {
    let mappings = match facts {
        Some(facts) => facts.mappings.as_ref().map(|all| {
            all.iter().filter(|mapping| reads(mapping, region, function, source.stream())).cloned().collect()
        }),
        None => Observed::Unknown(Reason::not_asked()),
    };
    ReaderView {
        name: function.clone(),
        other_streams: other_streams(region, function, source, facts),
        function: part(facts.map(|f| &f.functions), function),
        stream_consumer: stream_consumer(source, facts),
        metrics: reader_metrics(function, source, &mappings, facts),
        mappings,
    }
}

/// What a function reads besides its own stream, or may have read within its metrics, in the order of the names.
fn other_streams(
    region: &Region,
    function: &FunctionName,
    source: &MappingSource,
    facts: Option<&Facts>,
) -> Observed<Vec<String>> {
    let Some(facts) = facts else { return Observed::Unknown(Reason::not_asked()) };
    let is_elsewhere = |mapping: &&Mapping| {
        mapping.function == *function
            && (mapping.state.is_on() || was_on(mapping, facts.since))
            && !reads(mapping, region, function, source.stream())
    };
    facts.mappings.as_ref().map(|all| {
        let names: BTreeSet<String> =
            all.iter().filter(is_elsewhere).map(|mapping| mapping.source.source_name()).collect();
        names.into_iter().collect()
    })
}

/// Whether a mapping that is off may have invoked its function since then.
fn was_on(mapping: &Mapping, since: Timestamp) -> bool {
    !mapping.has_processed_nothing() && mapping.last_modified.is_some_and(|at| at >= since)
}

/// Mappings on a side's stream that are neither the consumer's nor the replicator's.
fn other_mappings(
    pipeline: &Pipeline,
    side: Side,
    region: &Region,
    facts: Option<&Facts>,
) -> Observed<Vec<Mapping>> {
    let Some(facts) = facts else { return Observed::Unknown(Reason::not_asked()) };
    let stream = pipeline.stream.of(side);
    let replicator = pipeline.replicator.as_ref().filter(|_| side == Side::Primary).map(|r| &r.function);
    let is_ours = |mapping: &&Mapping| {
        mapping.function == *pipeline.consumer.function.of(side) || Some(&mapping.function) == replicator
    };
    let is_other =
        |mapping: &&Mapping| reads(mapping, region, &mapping.function, stream) && !is_ours(mapping);
    facts.mappings.as_ref().map(|all| all.iter().filter(is_other).cloned().collect())
}

/// Whether a mapping carries a stream to a function, directly or through any fan-out consumer.
fn reads(mapping: &Mapping, region: &Region, function: &FunctionName, stream: &StreamName) -> bool {
    mapping.function == *function
        && mapping.source.region() == region.as_str()
        && mapping.source.stream() == Some(stream.as_str())
}

fn stream_consumer(
    source: &MappingSource,
    facts: Option<&Facts>,
) -> Option<Observed<Option<StreamConsumer>>> {
    let MappingSource::StreamConsumer { stream, consumer } = source else { return None };
    let all = part(facts.map(|f| &f.consumers), stream);
    Some(all.map(|all| all.into_iter().find(|found| found.name == consumer.as_str())))
}

fn reader_metrics(
    function: &FunctionName,
    source: &MappingSource,
    mappings: &Observed<Vec<Mapping>>,
    facts: Option<&Facts>,
) -> ReaderMetrics {
    let [iterator_age, errors, throttles, invocations, duration] =
        READER_METRICS.map(|(name, stat)| series(facts, MetricId::function(function, name, stat)));
    let millis_behind_latest = match source {
        MappingSource::StreamConsumer { stream, consumer } => {
            Some(series(facts, MetricId::fan_out_lag(stream, consumer)))
        }
        MappingSource::Stream(_) => None,
    };
    let polled_events = polled_events(mappings, facts);
    ReaderMetrics {
        iterator_age,
        errors,
        throttles,
        invocations,
        duration,
        millis_behind_latest,
        polled_events,
    }
}

/// The polls of the one mapping. With none, or with two, there is no one to speak of.
fn polled_events(mappings: &Observed<Vec<Mapping>>, facts: Option<&Facts>) -> Observed<Series> {
    let unknown = |text: &str| Observed::Unknown(Reason::new(FailureKind::NotAsked, text));
    let mappings = match mappings {
        Observed::Known(mappings) => mappings,
        Observed::Unknown(reason) => return Observed::Unknown(reason.clone()),
    };
    let mut there = mappings.iter().filter(|mapping| mapping.state != MappingState::Deleting);
    match (there.next(), there.next()) {
        (None, _) => unknown("there is no mapping"),
        (Some(_), Some(_)) => unknown("there is more than one mapping"),
        (Some(mapping), None) => {
            let found = facts.and_then(|f| f.series.get(&MetricId::polled(&mapping.id)).cloned());
            found.unwrap_or_else(|| {
                unknown("the mapping emits no event counts (MetricsConfig EventCount is off)")
            })
        }
    }
}
