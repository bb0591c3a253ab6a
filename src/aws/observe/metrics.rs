//! CloudWatch series, 500 queries a call. A series that did not come back complete is unknown; a point that is not
//! there is not zero.

use super::Look;
use crate::aws::connect::Clients;
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::config::Pipeline;
use crate::model::{
    AwsFailure, FailureKind, MappingId, Observed, PipelineName, Point, ReaderMetrics, Reason, Series, Side,
    StreamMetrics,
};
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy, StatusCode};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::time::Duration;

/// Queries a call (GetMetricData, Amazon CloudWatch API Reference).
const QUERIES_A_CALL: usize = 500;
const MOST_PAGES: u32 = 50;

/// One series to be read.
#[derive(Debug, Clone)]
struct Wanted {
    namespace: &'static str,
    metric: &'static str,
    dimensions: Vec<(&'static str, String)>,
    statistic: &'static str,
}

/// The metrics of a pipeline on a side.
#[derive(Debug, Clone)]
pub(super) struct SideMetrics {
    pub(super) stream: StreamMetrics,
    pub(super) consumer: ReaderMetrics,
    pub(super) replicator: ReaderMetrics,
}

fn kinesis(metric: &'static str, statistic: &'static str, stream: &str) -> Wanted {
    let dimensions = vec![("StreamName", stream.to_owned())];
    Wanted { namespace: "AWS/Kinesis", metric, dimensions, statistic }
}

fn lambda(metric: &'static str, statistic: &'static str, function: &str) -> Wanted {
    let dimensions = vec![("FunctionName", function.to_owned())];
    Wanted { namespace: "AWS/Lambda", metric, dimensions, statistic }
}

fn of_stream(stream: &str) -> Vec<Wanted> {
    vec![
        kinesis("IncomingRecords", "Sum", stream),
        kinesis("GetRecords.IteratorAgeMilliseconds", "Maximum", stream),
        kinesis("PutRecord.Success", "Sum", stream),
        kinesis("PutRecord.Success", "SampleCount", stream),
        kinesis("PutRecords.TotalRecords", "Sum", stream),
        kinesis("PutRecords.FailedRecords", "Sum", stream),
        kinesis("GetRecords.Success", "Sum", stream),
        kinesis("GetRecords.Success", "SampleCount", stream),
    ]
}

/// A reader's series; the last one is there for fan-out readers alone.
fn of_reader(stream: &str, function: &str, fan_out: Option<&str>) -> Vec<Wanted> {
    let mut wanted = vec![
        lambda("IteratorAge", "Maximum", function),
        lambda("Errors", "Sum", function),
        lambda("Throttles", "Sum", function),
        lambda("Invocations", "Sum", function),
    ];
    if let Some(consumer) = fan_out {
        let mut behind = kinesis("SubscribeToShardEvent.MillisBehindLatest", "Maximum", stream);
        behind.dimensions.push(("ConsumerName", consumer.to_owned()));
        wanted.push(behind);
    }
    wanted
}

/// The series of a pipeline on a side, in the order in which [`SideMetrics::take`] takes them.
fn of_pipeline(pipeline: &Pipeline, side: Side) -> Vec<Wanted> {
    let stream = pipeline.stream.of(side).as_str();
    let function = pipeline.consumer.function.of(side).as_str();
    let fan_out = pipeline.consumer.stream_consumer.as_ref().map(|c| c.as_str());
    let mut wanted = of_stream(stream);
    wanted.extend(of_reader(stream, function, fan_out));
    if let (Side::Primary, Some(replicator)) = (side, &pipeline.replicator) {
        let fan_out = replicator.stream_consumer.as_ref().map(|c| c.as_str());
        wanted.extend(of_reader(stream, replicator.function.as_str(), fan_out));
    }
    wanted
}

fn unasked() -> Observed<Series> {
    Observed::Unknown(Reason::not_asked())
}

fn next(series: &mut impl Iterator<Item = Observed<Series>>) -> Observed<Series> {
    series.next().unwrap_or_else(unasked)
}

fn reader(series: &mut impl Iterator<Item = Observed<Series>>, fan_out: bool) -> ReaderMetrics {
    ReaderMetrics {
        iterator_age: next(series),
        errors: next(series),
        throttles: next(series),
        invocations: next(series),
        millis_behind_latest: fan_out.then(|| next(series)),
        polled_events: unasked(),
    }
}

impl SideMetrics {
    /// Nothing was asked.
    pub(super) fn unasked() -> SideMetrics {
        let mut none = std::iter::empty();
        SideMetrics::take_stream(&mut none, false, None)
    }

    fn take(
        series: &mut impl Iterator<Item = Observed<Series>>,
        pipeline: &Pipeline,
        side: Side,
    ) -> SideMetrics {
        let replicator = pipeline.replicator.as_ref().filter(|_| side == Side::Primary);
        let fan_out = pipeline.consumer.stream_consumer.is_some();
        SideMetrics::take_stream(series, fan_out, replicator.map(|r| r.stream_consumer.is_some()))
    }

    fn take_stream(
        series: &mut impl Iterator<Item = Observed<Series>>,
        fan_out: bool,
        replicator: Option<bool>,
    ) -> SideMetrics {
        SideMetrics {
            stream: StreamMetrics {
                incoming_records: next(series),
                iterator_age: next(series),
                put_record_success: next(series),
                put_record_calls: next(series),
                put_records_total: next(series),
                put_records_failed: next(series),
                get_records_success: next(series),
                get_records_calls: next(series),
            },
            consumer: reader(series, fan_out),
            replicator: match replicator {
                Some(fan_out) => reader(series, fan_out),
                None => reader(&mut std::iter::empty(), false),
            },
        }
    }
}

impl Look<'_> {
    /// The metrics of all selected pipelines on a side.
    pub(super) async fn metrics(&self, clients: &Clients, side: Side) -> BTreeMap<PipelineName, SideMetrics> {
        let wanted: Vec<Wanted> = self.pipelines().flat_map(|p| of_pipeline(p, side)).collect();
        let mut series = self.series(clients, 1, wanted).await.into_iter();
        let mut all = BTreeMap::new();
        for pipeline in self.pipelines() {
            all.insert(pipeline.name.clone(), SideMetrics::take(&mut series, pipeline, side));
        }
        all
    }

    /// `PolledEventCount` by mapping.
    pub(super) async fn polled_series(
        &self,
        clients: &Clients,
        ids: &[MappingId],
    ) -> BTreeMap<MappingId, Observed<Series>> {
        let wanted = |id: &MappingId| Wanted {
            namespace: "AWS/Lambda",
            metric: "PolledEventCount",
            dimensions: vec![("EventSourceMappingUUID", id.to_string())],
            statistic: "Sum",
        };
        let series = self.series(clients, 2, ids.iter().map(wanted).collect()).await;
        ids.iter().cloned().zip(series).collect()
    }

    async fn series(&self, clients: &Clients, depth: u32, wanted: Vec<Wanted>) -> Vec<Observed<Series>> {
        let each = wanted.chunks(QUERIES_A_CALL).map(|chunk| self.chunk(clients, depth, chunk));
        join_all(each).await.into_iter().flatten().collect()
    }

    async fn chunk(&self, clients: &Clients, depth: u32, wanted: &[Wanted]) -> Vec<Observed<Series>> {
        match self.points(clients, depth, wanted).await {
            Ok(series) => series,
            Err(failure) => wanted.iter().map(|_| Observed::from(Err(failure.clone()))).collect(),
        }
    }

    async fn points(
        &self,
        clients: &Clients,
        depth: u32,
        wanted: &[Wanted],
    ) -> Result<Vec<Observed<Series>>, AwsFailure> {
        let asked =
            Asked { operation: "cloudwatch:GetMetricData", resource: "metrics", region: &clients.region };
        let period = self.topology.timing.metric_period;
        let now = self.aws.clock.now();
        // The end lies in the future, so that the newest point is in it even if this machine's clock is behind.
        let (from, to) = (now - self.scope.metrics_window, now + Duration::from_secs(300));
        let queries: Vec<MetricDataQuery> =
            wanted.iter().enumerate().map(|(i, w)| query(i, w, period)).collect();
        let mut gathered: Vec<Gathered> = wanted.iter().map(|_| Gathered::default()).collect();
        let mut token = None;
        for page in 0..MOST_PAGES {
            let call = clients
                .cloudwatch
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(convert::date_time(from))
                .end_time(convert::date_time(to))
                .scan_by(ScanBy::TimestampAscending)
                .set_next_token(token.take());
            let output = self.ask(asked, depth + page, call.send()).await?;
            for result in output.metric_data_results() {
                let index = result.id().and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
                let Some(into) = index.and_then(|i| gathered.get_mut(i)) else { continue };
                into.add(result);
            }
            match output.next_token().filter(|t| !t.is_empty()) {
                Some(next) => token = Some(next.to_owned()),
                None => {
                    return Ok(gathered.into_iter().zip(wanted).map(|(g, w)| g.series(w, period)).collect());
                }
            }
        }
        Err(asked.refused("the metrics did not end"))
    }
}

/// What came back for one query, over all pages.
#[derive(Debug, Default)]
struct Gathered {
    points: Vec<Point>,
    status: Option<StatusCode>,
}

impl Gathered {
    fn add(&mut self, result: &aws_sdk_cloudwatch::types::MetricDataResult) {
        let pairs = result.timestamps().iter().zip(result.values());
        self.points
            .extend(pairs.filter_map(|(at, v)| Some(Point { at: convert::timestamp(at)?, value: *v })));
        self.status = result.status_code().cloned();
    }

    fn series(mut self, wanted: &Wanted, period: Duration) -> Observed<Series> {
        let trouble = match self.status {
            Some(StatusCode::Complete) | None => None,
            Some(StatusCode::Forbidden) => Some((FailureKind::AccessDenied, "Forbidden")),
            Some(StatusCode::PartialData) => Some((FailureKind::Service, "PartialData")),
            Some(_) => Some((FailureKind::Service, "InternalError")),
        };
        if let Some((kind, status)) = trouble {
            return Observed::Unknown(Reason::new(
                kind,
                format!("{} {}: {status}", wanted.namespace, wanted.metric),
            ));
        }
        self.points.sort_by_key(|point| point.at);
        self.points.dedup_by_key(|point| point.at);
        Observed::Known(Series { period, points: self.points })
    }
}

fn query(index: usize, wanted: &Wanted, period: Duration) -> MetricDataQuery {
    let dimension =
        |(name, value): &(&'static str, String)| Dimension::builder().name(*name).value(value).build();
    let metric = Metric::builder()
        .namespace(wanted.namespace)
        .metric_name(wanted.metric)
        .set_dimensions(Some(wanted.dimensions.iter().map(dimension).collect()))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(period.as_secs()).unwrap_or(60))
        .stat(wanted.statistic)
        .build();
    MetricDataQuery::builder().id(format!("m{index}")).metric_stat(stat).build()
}
