//! CloudWatch series, up to 500 a call. A series is known when CloudWatch says it is complete; no data point
//! is an empty series, which proves nothing, and never a zero.

use super::look::{Look, Read};
use crate::aws::convert;
use crate::aws::errors::scrub;
use crate::aws::pacer::Family;
use crate::model::{
    FailureKind, FunctionName, MappingId, Observed, Point, Reason, Series, StreamName, Timestamp,
};
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use futures_util::future::join_all;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const GET: &str = "cloudwatch:GetMetricData";
/// Queries a call (CloudWatch API reference, GetMetricData).
const MOST_QUERIES: usize = 500;
/// Data points a call.
const MOST_POINTS: usize = 100_800;
/// Pages of one call.
const MOST_PAGES: u32 = 20;

/// One metric with one statistic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MetricId {
    namespace: &'static str,
    name: &'static str,
    stat: &'static str,
    dimensions: Vec<(&'static str, String)>,
}

impl MetricId {
    /// A metric of a stream.
    pub(super) fn stream(stream: &StreamName, name: &'static str, stat: &'static str) -> MetricId {
        MetricId {
            namespace: "AWS/Kinesis",
            name,
            stat,
            dimensions: vec![("StreamName", stream.to_string())],
        }
    }
    /// The lag of a shard, where the stream has shard-level metrics.
    pub(super) fn shard_lag(stream: &StreamName, shard: &str) -> MetricId {
        let dimensions = vec![("StreamName", stream.to_string()), ("ShardId", shard.to_owned())];
        MetricId { namespace: "AWS/Kinesis", name: "IteratorAgeMilliseconds", stat: "Maximum", dimensions }
    }
    /// The lag of an enhanced fan-out consumer.
    pub(super) fn fan_out_lag(stream: &StreamName, consumer: &StreamName) -> MetricId {
        let dimensions = vec![("StreamName", stream.to_string()), ("ConsumerName", consumer.to_string())];
        let name = "SubscribeToShardEvent.MillisBehindLatest";
        MetricId { namespace: "AWS/Kinesis", name, stat: "Maximum", dimensions }
    }
    /// A metric of a function over all its versions.
    pub(super) fn function(function: &FunctionName, name: &'static str, stat: &'static str) -> MetricId {
        let dimensions = vec![("FunctionName", function.to_string())];
        MetricId { namespace: "AWS/Lambda", name, stat, dimensions }
    }
    /// How many events a mapping polled; emitted as zero by an empty poll.
    pub(super) fn polled(mapping: &MappingId) -> MetricId {
        let dimensions = vec![("EventSourceMappingUUID", mapping.to_string())];
        MetricId { namespace: "AWS/Lambda", name: "PolledEventCount", stat: "Sum", dimensions }
    }

    fn query(&self, id: String, period: Duration) -> MetricDataQuery {
        let dimensions =
            self.dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(value).build());
        let metric = Metric::builder()
            .namespace(self.namespace)
            .metric_name(self.name)
            .set_dimensions(Some(dimensions.collect()))
            .build();
        let stat = MetricStat::builder().metric(metric).period(seconds(period)).stat(self.stat).build();
        MetricDataQuery::builder().id(id).metric_stat(stat).build()
    }
}

fn seconds(period: Duration) -> i32 {
    i32::try_from(period.as_secs().max(1)).unwrap_or(i32::MAX)
}

/// The time that series are read for, on the borders of periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: i64,
    end: i64,
    period: Duration,
}

impl Span {
    /// The window until now. EndTime is exclusive, so it lies one period after the newest point's start.
    pub(super) fn until(now: Timestamp, window: Duration, period: Duration) -> Span {
        let step = i64::from(seconds(period));
        let newest = now.as_second().div_euclid(step) * step;
        let back = i64::try_from(window.as_secs()).unwrap_or(i64::MAX / 2);
        let start = newest.saturating_sub(back).div_euclid(step) * step;
        Span { start, end: newest + step, period: Duration::from_secs(step.unsigned_abs()) }
    }
    /// The length of a period.
    pub(super) fn period(self) -> Duration {
        self.period
    }
    /// How far the ends of two spans lie apart.
    pub(super) fn distance(self, other: Span) -> SignedDuration {
        SignedDuration::from_secs(self.end.abs_diff(other.end).try_into().unwrap_or(i64::MAX))
    }
    fn points(self) -> usize {
        usize::try_from((self.end - self.start) / i64::from(seconds(self.period))).unwrap_or(1).max(1)
    }
}

/// Reads all these series, side by side in as few calls as the limits allow.
pub(super) async fn fetch(
    look: &Look<'_>,
    ids: &BTreeSet<MetricId>,
    span: Span,
    depth: u32,
) -> BTreeMap<MetricId, Observed<Series>> {
    let ids: Vec<&MetricId> = ids.iter().collect();
    let most = (MOST_POINTS / span.points()).clamp(1, MOST_QUERIES);
    let calls = ids.chunks(most).map(|chunk| fetch_chunk(look, chunk, span, depth));
    join_all(calls).await.into_iter().flatten().collect()
}

async fn fetch_chunk(
    look: &Look<'_>,
    ids: &[&MetricId],
    span: Span,
    depth: u32,
) -> Vec<(MetricId, Observed<Series>)> {
    let queries: Vec<MetricDataQuery> =
        ids.iter().enumerate().map(|(n, id)| id.query(format!("m{n}"), span.period)).collect();
    let mut gathered: BTreeMap<String, Gathered> = BTreeMap::new();
    let mut token = None;
    for page in 0..MOST_PAGES {
        let request = look
            .at
            .cloudwatch()
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(aws_smithy_types::DateTime::from_secs(span.start))
            .end_time(aws_smithy_types::DateTime::from_secs(span.end))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(token);
        let resource = format!("{} series", ids.len());
        let answer =
            look.ask(Read::needed(depth + page, Family::Roomy, GET, &resource), request.send()).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                let reason = Reason::from(&failure);
                return ids.iter().map(|id| ((*id).clone(), Observed::Unknown(reason.clone()))).collect();
            }
        };
        for result in answer.metric_data_results() {
            gathered.entry(result.id().unwrap_or_default().to_owned()).or_default().add(result);
        }
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    let is_cut = token.is_some();
    let series = |(n, id): (usize, &&MetricId)| {
        let found = gathered.remove(&format!("m{n}")).unwrap_or_default();
        ((*id).clone(), found.into_series(id, span.period, is_cut))
    };
    ids.iter().enumerate().map(series).collect()
}

/// One series as its pages come in.
#[derive(Debug, Default)]
struct Gathered {
    points: BTreeMap<Timestamp, f64>,
    status: Option<StatusCode>,
    why: Option<String>,
}

impl Gathered {
    fn add(&mut self, result: &MetricDataResult) {
        let stamps = result.timestamps().iter().filter_map(convert::instant);
        self.points.extend(stamps.zip(result.values().iter().copied()));
        // `PartialData` is followed by further pages; the last word counts.
        self.status.clone_from(&result.status_code);
        let message = result.messages().first();
        self.why = message.and_then(|m| m.value.as_deref().or(m.code.as_deref())).map(scrub);
    }

    fn into_series(self, id: &MetricId, period: Duration, is_cut: bool) -> Observed<Series> {
        let (kind, what) = match self.status {
            Some(StatusCode::Complete) if !is_cut => {
                let points = self.points.into_iter().map(|(at, value)| Point { at, value }).collect();
                return Observed::Known(Series { period, points });
            }
            Some(StatusCode::Complete | StatusCode::PartialData) => {
                (FailureKind::Unreadable, "CloudWatch gave only a part of the data")
            }
            Some(StatusCode::Forbidden) => (FailureKind::AccessDenied, "CloudWatch refused the metric"),
            Some(StatusCode::InternalError) => (FailureKind::Service, "CloudWatch failed inside"),
            Some(_) | None => (FailureKind::Unreadable, "CloudWatch did not answer for the metric"),
        };
        let why = self.why.map(|why| format!(" ({why})")).unwrap_or_default();
        let of: Vec<&str> = id.dimensions.iter().map(|(_, value)| value.as_str()).collect();
        Observed::Unknown(Reason::new(
            kind,
            format!("{} {} of {}: {what}{why}", id.namespace, id.name, of.join("/")),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::DateTime;

    fn id() -> MetricId {
        MetricId::stream(&"S".parse().expect("a stream name"), "IncomingRecords", "Sum")
    }

    fn result(status: Option<StatusCode>, at: &[i64]) -> MetricDataResult {
        MetricDataResult::builder()
            .set_status_code(status)
            .set_timestamps(Some(at.iter().map(|s| DateTime::from_secs(*s)).collect()))
            .set_values(Some(at.iter().map(|_| 1.0).collect()))
            .build()
    }

    fn series(results: &[MetricDataResult]) -> Observed<Series> {
        let mut gathered = Gathered::default();
        results.iter().for_each(|result| gathered.add(result));
        gathered.into_series(&id(), Duration::from_secs(60), false)
    }

    #[test]
    fn the_span_ends_after_the_newest_point_and_begins_on_a_period() {
        let now = "2026-11-22T10:31:07Z".parse::<Timestamp>().expect("an instant");
        let span = Span::until(now, Duration::from_secs(900), Duration::from_secs(60));
        assert_eq!(span.end - now.as_second(), 53);
        assert_eq!((span.end - span.start, span.start % 60, span.points()), (960, 0, 16));
        let fast = Span::until(now, Duration::from_secs(30), Duration::from_millis(200));
        assert_eq!((fast.period, fast.points()), (Duration::from_secs(1), 31));
    }

    #[test]
    fn points_of_all_pages_come_out_ascending() {
        let pages =
            [result(Some(StatusCode::PartialData), &[120, 60]), result(Some(StatusCode::Complete), &[180])];
        let known = series(&pages);
        let at: Vec<i64> = known.known().expect("a series").points.iter().map(|p| p.at.as_second()).collect();
        assert_eq!(at, [60, 120, 180]);
    }

    #[test]
    fn no_point_is_an_empty_series_and_no_answer_is_unknown() {
        let empty = series(&[result(Some(StatusCode::Complete), &[])]);
        assert!(empty.known().is_some_and(|series| series.points.is_empty()));
        for status in [
            Some(StatusCode::PartialData),
            Some(StatusCode::Forbidden),
            Some(StatusCode::InternalError),
            None,
        ] {
            let found = series(&[result(status.clone(), &[60])]);
            assert!(found.known().is_none(), "{status:?}");
        }
        assert!(series(&[]).known().is_none());
        let denied = series(&[result(Some(StatusCode::Forbidden), &[])]);
        assert_eq!(denied.reason().expect("a reason").kind, FailureKind::AccessDenied);
    }
}
