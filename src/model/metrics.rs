//! CloudWatch series. No data point is never zero; a point is stamped with the start of its period.

use super::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One data point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Point {
    /// Start of the period that the point covers (CloudWatch User Guide, cloudwatch_concepts).
    pub at: Timestamp,
    /// The statistic's value, in the metric's unit.
    pub value: f64,
}

/// One metric with one statistic, ascending in time, as far as CloudWatch has published it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Series {
    /// Length of a period.
    #[serde(rename = "period_seconds", with = "super::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub period: Duration,
    /// The points; may be empty, which proves nothing.
    pub points: Vec<Point>,
}

impl Series {
    /// The newest point.
    pub fn last(&self) -> Option<Point> {
        self.points.last().copied()
    }
    /// The points whose period begins at `from` or later.
    pub fn since(&self, from: Timestamp) -> &[Point] {
        let start = self.points.partition_point(|p| p.at < from);
        &self.points[start..]
    }
    /// The points whose period reaches beyond `from`, and the later ones.
    pub fn reaching(&self, from: Timestamp) -> &[Point] {
        let start = self.points.partition_point(|p| p.at + self.period <= from);
        &self.points[start..]
    }
    /// The points whose period has ended by `now`: the newest period is provisional until then.
    pub fn complete(&self, now: Timestamp) -> &[Point] {
        let end = self.points.partition_point(|p| p.at + self.period <= now);
        &self.points[..end]
    }
    /// The sum over points since `from`; `None` when there is no point at all.
    pub fn sum_since(&self, from: Timestamp) -> Option<f64> {
        let points = self.since(from);
        (!points.is_empty()).then(|| points.iter().map(|p| p.value).sum())
    }
}
