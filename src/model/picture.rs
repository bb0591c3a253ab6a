//! What a run found and what it left: the parts of a snapshot that a post-mortem compares, small enough for a
//! journal. What was not seen says why, and a minute without a data point is a gap, never zero.

use super::Timestamp;
use super::ids::{PipelineName, Region};
use super::mapping::{Mapping, StartingPosition};
use super::metrics::Series;
use super::observed::Observed;
use super::snapshot::{PipelineView, ReaderView, Side, SideView, Snapshot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A part of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Part<T> {
    /// It was seen.
    Known(T),
    /// It was not; the reason.
    Unknown(String),
}

impl<T> Part<T> {
    /// The value, where it was seen.
    pub fn known(&self) -> Option<&T> {
        match self {
            Part::Known(value) => Some(value),
            Part::Unknown(_) => None,
        }
    }
}

/// One series, one value a period, as far as it was published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Curve {
    /// Start of the first period.
    pub from: Timestamp,
    /// Length of a period, in seconds.
    pub period_seconds: u32,
    /// One a period; `None` is no data point.
    pub values: Vec<Option<f64>>,
}

impl Curve {
    /// The values of a few series from `since` on, the largest of them where there are several.
    fn of(series: &[&Series], since: Timestamp, scale: f64) -> Option<Curve> {
        let period = series.first()?.period.as_secs().max(1);
        let mut points: BTreeMap<i64, f64> = BTreeMap::new();
        for point in series.iter().flat_map(|s| s.since(since)) {
            // Thousandths are enough, and a journal line stays short.
            let value = (point.value.max(0.0) * scale * 1_000.0).round() / 1_000.0;
            let slot = points.entry(point.at.as_second()).or_insert(value);
            *slot = slot.max(value);
        }
        let (first, last) = (*points.keys().next()?, *points.keys().next_back()?);
        let steps = (last - first) / period as i64;
        let value = |n: i64| points.get(&(first + n * period as i64)).copied();
        Some(Curve {
            from: Timestamp::from_second(first).ok()?,
            period_seconds: period as u32,
            values: (0..=steps).map(value).collect(),
        })
    }

    /// Every period's start with its value.
    pub fn points(&self) -> impl Iterator<Item = (Timestamp, Option<f64>)> + '_ {
        let period = Duration::from_secs(u64::from(self.period_seconds));
        self.values.iter().zip(0_u32..).map(move |(value, n)| (self.from + period * n, *value))
    }
}

/// A mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MappingPicture {
    /// Its UUID.
    pub id: String,
    /// State, as AWS spells it.
    pub state: String,
    /// Where it was told to start.
    pub position: Option<StartingPosition>,
}

/// A producer and where it writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProducerPicture {
    /// The function.
    pub function: String,
    /// Where it lives.
    pub region: Region,
    /// The Region its invocations write to; `None` where the variable is not set.
    pub writes_to: Part<Option<String>>,
}

/// A reader: its mappings and its lag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderPicture {
    /// The function.
    pub function: String,
    /// `consumer` or `replicator`.
    pub role: String,
    /// Every mapping of the function on the stream.
    pub mappings: Part<Vec<MappingPicture>>,
    /// Its lag in seconds, the larger of its position's and its function's; `Known(None)` is no data point.
    pub lag: Part<Option<Curve>>,
}

/// A pipeline in one Region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SidePicture {
    /// The Region.
    pub region: Region,
    /// Its role.
    pub side: Side,
    /// The stream.
    pub stream: String,
    /// Records that arrived, a period.
    pub arrivals: Part<Option<Curve>>,
    /// Who reads it.
    pub readers: Vec<ReaderPicture>,
}

/// A pipeline in both Regions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PipelinePicture {
    /// Its producers.
    pub producers: Vec<ProducerPicture>,
    /// Primary, then standby.
    pub sides: Vec<SidePicture>,
}

/// What one look saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Picture {
    /// When, by the server's clock.
    pub taken_at: Timestamp,
    /// The caller's ARN, where AWS said it.
    pub caller: Option<String>,
    /// HTTP requests that this process had sent by then, retries included.
    pub requests: u64,
    /// How many of them this look took.
    pub look_requests: u64,
    /// Recovery point objective.
    #[serde(rename = "rpo_seconds", with = "super::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub rpo: Duration,
    /// Every selected pipeline.
    pub pipelines: BTreeMap<PipelineName, PipelinePicture>,
}

impl Picture {
    /// The picture of a snapshot, its curves from `since` on.
    pub fn of(snapshot: &Snapshot, since: Timestamp, requests: u64, rpo: Duration) -> Picture {
        let pipelines = snapshot.pipelines.iter();
        Picture {
            taken_at: snapshot.taken_at,
            caller: snapshot.identity.known().map(|identity| identity.arn.clone()),
            requests,
            look_requests: snapshot.stats.requests,
            rpo,
            pipelines: pipelines.map(|(name, view)| (name.clone(), pipeline(view, since))).collect(),
        }
    }
}

fn part<T, U>(observed: &Observed<T>, f: impl FnOnce(&T) -> U) -> Part<U> {
    match observed {
        Observed::Known(value) => Part::Known(f(value)),
        Observed::Unknown(reason) => Part::Unknown(reason.text.clone()),
    }
}

fn pipeline(view: &PipelineView, since: Timestamp) -> PipelinePicture {
    let producers = view.producers.iter().map(|producer| ProducerPicture {
        function: producer.name.to_string(),
        region: producer.region.clone(),
        writes_to: part(&producer.region_value, Clone::clone),
    });
    let sides = [Side::Primary, Side::Standby].map(|side| self::side(view.side(side), side, since));
    PipelinePicture { producers: producers.collect(), sides: sides.into() }
}

fn side(view: &SideView, side: Side, since: Timestamp) -> SidePicture {
    let consumer = reader(view, &view.consumer, "consumer", since);
    let replicator = view.replicator.iter().map(|r| reader(view, r, "replicator", since));
    SidePicture {
        region: view.region.clone(),
        side,
        stream: view.stream_name.to_string(),
        arrivals: part(&view.metrics.incoming_records, |s| Curve::of(&[s], since, 1.0)),
        readers: std::iter::once(consumer).chain(replicator).collect(),
    }
}

fn reader(side: &SideView, view: &ReaderView, role: &str, since: Timestamp) -> ReaderPicture {
    let position = view.metrics.millis_behind_latest.as_ref().unwrap_or(&side.metrics.iterator_age);
    let function = view.metrics.iterator_age.known();
    let lag = part(position, |position| {
        let both: Vec<&Series> = std::iter::once(position).chain(function).collect();
        Curve::of(&both, since, 0.001)
    });
    let one = |mapping: &Mapping| MappingPicture {
        id: mapping.id.to_string(),
        state: mapping.state.to_string(),
        position: mapping.position,
    };
    ReaderPicture {
        function: view.name.to_string(),
        role: role.to_owned(),
        mappings: part(&view.mappings, |all| all.iter().map(one).collect()),
        lag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;

    fn series(points: &[(i64, f64)]) -> Series {
        let at = |minute: i64| Timestamp::from_second(60 * minute).expect("an instant");
        let points = points.iter().map(|(minute, value)| Point { at: at(*minute), value: *value }).collect();
        Series { period: Duration::from_secs(60), points }
    }

    #[test]
    fn a_minute_without_a_point_is_a_gap_and_the_larger_of_two_series_counts() {
        let (a, b) = (series(&[(1, 9.0), (2, 1_500.0), (5, 0.0)]), series(&[(2, 2_000.0), (4, 10.0)]));
        let since = Timestamp::from_second(120).expect("an instant");
        let curve = Curve::of(&[&a, &b], since, 0.001).expect("points");
        assert_eq!(curve.from, since);
        assert_eq!(curve.values, [Some(2.0), None, Some(0.01), Some(0.0)]);
        assert_eq!(curve.points().last().map(|(at, _)| at.as_second()), Some(300));
        assert_eq!(Curve::of(&[&series(&[])], since, 1.0), None, "no point is no curve, not a flat one");
    }
}
