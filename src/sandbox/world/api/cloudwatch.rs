//! CloudWatch: reading and putting metrics.

use super::super::clock::{Millis, SECOND, minute_of, seconds};
use super::super::metrics::{SeriesKey, Statistics};
use super::{At, Input, World, empty, put};
use crate::sandbox::call::{ApiError, ApiReply, ApiResult};
use serde_json::{Map, Value, json};

/// Queries of a GetMetricData call.
const QUERIES_MOST: usize = 500;
/// Points of a GetMetricStatistics call.
const POINTS_MOST: usize = 1_440;
/// Metrics of a ListMetrics page.
const METRICS_PAGE: usize = 500;

impl World {
    pub(super) fn cloudwatch(&mut self, at: At, operation: &str, input: Input) -> Option<ApiResult> {
        Some(match operation {
            "GetMetricData" => self.get_metric_data(at, input),
            "GetMetricStatistics" => self.get_metric_statistics(at, input),
            "ListMetrics" => self.list_metrics(at, input),
            "PutMetricData" => self.put_metric_data(at, input),
            _ => return None,
        })
    }

    fn get_metric_data(&mut self, at: At, input: Input) -> ApiResult {
        let queries = input.list("MetricDataQueries");
        if queries.is_empty() || queries.len() > QUERIES_MOST {
            return Err(validation(format!("MetricDataQueries must have 1 to {QUERIES_MOST} members.")));
        }
        let ascending = input.text("ScanBy") == Some("TimestampAscending");
        let range = range(input)?;
        let mut results = Vec::new();
        for query in queries.iter().map(Input) {
            let wanted = Query::read(at, query)?;
            if query.flag("ReturnData") == Some(false) {
                continue;
            }
            let mut points = self.metrics.read(&wanted.key, range, wanted.period, self.now);
            if !ascending {
                points.reverse();
            }
            results.push(json!({
                "Id": query.text("Id"),
                "Label": query.text("Label").unwrap_or(&wanted.key.name),
                "Timestamps": points.iter().map(|p| seconds(p.0)).collect::<Vec<Value>>(),
                "Values": points.iter().map(|p| wanted.statistic.of(p.1)).collect::<Vec<f64>>(),
                "StatusCode": "Complete",
            }));
        }
        Ok(ApiReply::ok(json!({ "MetricDataResults": results, "Messages": [] })))
    }

    fn get_metric_statistics(&mut self, at: At, input: Input) -> ApiResult {
        let key = key_of(at, input)?;
        let period = period_of(input)?;
        let statistics: Result<Vec<Statistic>, ApiError> = input
            .list("Statistics")
            .iter()
            .map(|s| Statistic::read(s.as_str().unwrap_or_default()))
            .collect();
        let statistics = statistics?;
        if statistics.is_empty() {
            return Err(ApiError::new(
                400,
                "InvalidParameterCombination",
                "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
            ));
        }
        let points = self.metrics.read(&key, range(input)?, period, self.now);
        if points.len() > POINTS_MOST {
            let text = format!(
                "You have requested up to {} datapoints, which exceeds the limit of {POINTS_MOST}.",
                points.len()
            );
            return Err(ApiError::new(400, "InvalidParameterCombination", text));
        }
        let unit = self.metrics.unit(&key).unwrap_or(unit_of(&key.name)).to_owned();
        let datapoints: Vec<Value> = points
            .into_iter()
            .map(|(stamp, point)| {
                let mut datapoint = Map::new();
                put(&mut datapoint, "Timestamp", Some(seconds(stamp)));
                put(&mut datapoint, "Unit", Some(unit.as_str()));
                for statistic in &statistics {
                    put(&mut datapoint, statistic.name(), Some(statistic.of(point)));
                }
                Value::Object(datapoint)
            })
            .collect();
        Ok(ApiReply::ok(json!({ "Label": key.name, "Datapoints": datapoints })))
    }

    fn list_metrics(&mut self, at: At, input: Input) -> ApiResult {
        let filters: Vec<(&str, Option<&str>)> = input
            .list("Dimensions")
            .iter()
            .filter_map(|d| Some((d.get("Name")?.as_str()?, d.get("Value").and_then(Value::as_str))))
            .collect();
        let has = |key: &SeriesKey, (name, value): (&str, Option<&str>)| {
            key.dimensions.iter().any(|(n, v)| n == name && value.is_none_or(|wanted| v == wanted))
        };
        let keys: Vec<&SeriesKey> = self
            .metrics
            .listed(at.place, self.now)
            .into_iter()
            .filter(|key| input.text("Namespace").is_none_or(|n| key.namespace == n))
            .filter(|key| input.text("MetricName").is_none_or(|n| key.name == n))
            .filter(|key| filters.iter().all(|filter| has(key, *filter)))
            .collect();
        let skip: usize = input.text("NextToken").and_then(|t| t.parse().ok()).unwrap_or_default();
        let mut output = Map::new();
        let next = skip + METRICS_PAGE;
        put(&mut output, "NextToken", (keys.len() > next).then(|| next.to_string()));
        let page: Vec<Value> = keys.into_iter().skip(skip).take(METRICS_PAGE).map(describe).collect();
        put(&mut output, "Metrics", Some(page));
        Ok(ApiReply::ok(Value::Object(output)))
    }

    fn put_metric_data(&mut self, at: At, input: Input) -> ApiResult {
        let namespace = input.text("Namespace").unwrap_or_default();
        if namespace.is_empty() {
            return Err(ApiError::new(400, "MissingParameter", "The parameter Namespace is required."));
        }
        for datum in input.list("MetricData").iter().map(Input) {
            let key = SeriesKey {
                place: at.place,
                namespace: namespace.to_owned(),
                name: datum.text("MetricName").unwrap_or_default().to_owned(),
                dimensions: dimensions(datum),
            };
            let Some(statistics) = values_of(datum) else { continue };
            let id = self.metrics.series(key);
            self.metrics.set_unit(id, datum.text("Unit").unwrap_or("None"));
            let when = datum.time("Timestamp").unwrap_or(self.now);
            self.metrics.put(id, when, self.now, statistics);
        }
        empty()
    }
}

/// The values of a MetricDatum.
fn values_of(datum: Input) -> Option<Statistics> {
    let number = |input: Input, name: &str| input.get(name).and_then(Value::as_f64);
    if let Some(value) = number(datum, "Value") {
        return Some(Statistics::of(value));
    }
    let set = datum.within("StatisticValues");
    if let Some(count) = number(set, "SampleCount") {
        return Some(Statistics {
            sum: number(set, "Sum")?,
            least: number(set, "Minimum")?,
            most: number(set, "Maximum")?,
            count,
        });
    }
    let counts = datum.list("Counts");
    let weighted = datum.list("Values").iter().enumerate().filter_map(|(index, value)| {
        let count = counts.get(index).and_then(Value::as_f64).unwrap_or(1.0);
        let value = value.as_f64()?;
        Some(Statistics { sum: value * count, least: value, most: value, count })
    });
    weighted.reduce(|mut all, one| {
        all.add(one);
        all
    })
}

/// A query of GetMetricData.
struct Query {
    key: SeriesKey,
    period: Millis,
    statistic: Statistic,
}

impl Query {
    fn read(at: At, query: Input) -> Result<Query, ApiError> {
        if query.get("MetricStat").is_none() {
            let id = query.text("Id").unwrap_or_default();
            return Err(validation(format!(
                "The sandbox does not play metric math: query {id} has no MetricStat."
            )));
        }
        let stat = query.within("MetricStat");
        Ok(Query {
            key: key_of(at, stat.within("Metric"))?,
            period: period_of(stat)?,
            statistic: Statistic::read(stat.text("Stat").unwrap_or_default())?,
        })
    }
}

/// The statistics that one-minute points answer; percentiles are not played.
#[derive(Clone, Copy)]
enum Statistic {
    Sum,
    Maximum,
    Minimum,
    Average,
    SampleCount,
}

impl Statistic {
    fn read(text: &str) -> Result<Statistic, ApiError> {
        Ok(match text {
            "Sum" => Statistic::Sum,
            "Maximum" => Statistic::Maximum,
            "Minimum" => Statistic::Minimum,
            "Average" => Statistic::Average,
            "SampleCount" => Statistic::SampleCount,
            other => return Err(validation(format!("The sandbox does not play the statistic {other}."))),
        })
    }
    fn name(self) -> &'static str {
        match self {
            Statistic::Sum => "Sum",
            Statistic::Maximum => "Maximum",
            Statistic::Minimum => "Minimum",
            Statistic::Average => "Average",
            Statistic::SampleCount => "SampleCount",
        }
    }
    fn of(self, point: Statistics) -> f64 {
        match self {
            Statistic::Sum => point.sum,
            Statistic::Maximum => point.most,
            Statistic::Minimum => point.least,
            Statistic::Average => point.sum / point.count,
            Statistic::SampleCount => point.count,
        }
    }
}

fn key_of(at: At, metric: Input) -> Result<SeriesKey, ApiError> {
    let text = |name: &str| {
        metric
            .text(name)
            .map(str::to_owned)
            .ok_or_else(|| validation(format!("The parameter {name} is required.")))
    };
    Ok(SeriesKey {
        place: at.place,
        namespace: text("Namespace")?,
        name: text("MetricName")?,
        dimensions: dimensions(metric),
    })
}

fn dimensions(input: Input) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = input
        .list("Dimensions")
        .iter()
        .filter_map(|d| Some((d.get("Name")?.as_str()?.to_owned(), d.get("Value")?.as_str()?.to_owned())))
        .collect();
    all.sort();
    all
}

/// Periods of 1, 5, 10, 30 seconds or of whole minutes.
fn period_of(input: Input) -> Result<Millis, ApiError> {
    match input.whole("Period") {
        Some(period @ (1 | 5 | 10 | 30)) => Ok(period * SECOND),
        Some(period) if period > 0 && period % 60 == 0 => Ok(period * SECOND),
        _ => Err(validation("The parameter Period must be 1, 5, 10, 30, or a multiple of 60.".to_owned())),
    }
}

/// StartTime inclusive, EndTime exclusive; the start is rounded down to the minute.
fn range(input: Input) -> Result<(Millis, Millis), ApiError> {
    match (input.time("StartTime"), input.time("EndTime")) {
        (Some(start), Some(end)) if start < end => Ok((minute_of(start), end)),
        (Some(_), Some(_)) => {
            Err(validation("The parameter StartTime must be less than the parameter EndTime.".to_owned()))
        }
        _ => Err(validation("The parameters StartTime and EndTime are required.".to_owned())),
    }
}

fn describe(key: &SeriesKey) -> Value {
    let dimensions: Vec<Value> =
        key.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    json!({ "Namespace": key.namespace, "MetricName": key.name, "Dimensions": dimensions })
}

fn unit_of(name: &str) -> &'static str {
    match name {
        _ if name.contains("Bytes") => "Bytes",
        "IteratorAge" | "Duration" | "GetRecords.Latency" => "Milliseconds",
        _ if name.contains("Millis") => "Milliseconds",
        _ => "Count",
    }
}

fn validation(text: String) -> ApiError {
    ApiError::new(400, "ValidationError", text)
}
