//! Metrics as CloudWatch keeps them: one-minute points stamped with the start of their minute, visible some
//! time after the minute in which they were sent has ended, and no point where nothing happened.

use super::clock::{MINUTE, Millis, minute_of, span};
use super::place::PlaceId;
use std::collections::{BTreeMap, HashMap};

/// A series in [`Metrics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SeriesId(usize);

/// What CloudWatch knows of the values of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Statistics {
    pub sum: f64,
    pub least: f64,
    pub most: f64,
    pub count: f64,
}

impl Statistics {
    pub fn of(value: f64) -> Statistics {
        Statistics { sum: value, least: value, most: value, count: 1.0 }
    }
    /// So many times the same value.
    pub fn times(value: f64, count: u32) -> Statistics {
        let count = f64::from(count);
        Statistics { sum: value * count, least: value, most: value, count }
    }
    pub fn add(&mut self, other: Statistics) {
        self.sum += other.sum;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.count += other.count;
    }
}

/// What names a series within an account and Region. Dimensions are sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SeriesKey {
    pub place: PlaceId,
    pub namespace: String,
    pub name: String,
    pub dimensions: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    stamp: Millis,
    sent: Millis,
    visible: Millis,
    statistics: Statistics,
}

/// What becomes of the metrics of a place that has trouble with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricTrouble {
    /// They can be read this much later than usual.
    Late(std::time::Duration),
    /// They are lost.
    Absent,
}

/// All series of the world.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    keys: Vec<SeriesKey>,
    samples: Vec<Vec<Sample>>,
    index: HashMap<SeriesKey, SeriesId>,
    /// What clients said of the values that they put.
    units: HashMap<SeriesId, String>,
    delay: Millis,
    trouble: BTreeMap<PlaceId, MetricTrouble>,
}

impl Metrics {
    /// From now on; what was sent before comes as it would have.
    pub fn set_trouble(&mut self, place: PlaceId, trouble: Option<MetricTrouble>) {
        match trouble {
            Some(trouble) => self.trouble.insert(place, trouble),
            None => self.trouble.remove(&place),
        };
    }

    /// When what is sent now can be read; `None`: never.
    fn visible(&self, id: SeriesId, now: Millis) -> Option<Millis> {
        let usual = minute_of(now) + MINUTE + self.delay;
        if self.trouble.is_empty() {
            return Some(usual);
        }
        match self.trouble.get(&self.keys[id.0].place) {
            None => Some(usual),
            Some(MetricTrouble::Late(by)) => Some(usual + span(*by)),
            Some(MetricTrouble::Absent) => None,
        }
    }

    pub fn new(delay: Millis) -> Metrics {
        Metrics { delay, ..Metrics::default() }
    }

    /// The series of that name; a new one has no points and is not listed.
    pub fn series(&mut self, key: SeriesKey) -> SeriesId {
        if let Some(id) = self.index.get(&key) {
            return *id;
        }
        let id = SeriesId(self.keys.len());
        self.keys.push(key.clone());
        self.samples.push(Vec::new());
        self.index.insert(key, id);
        id
    }

    /// A client names the unit of a series.
    pub fn set_unit(&mut self, id: SeriesId, unit: &str) {
        self.units.insert(id, unit.to_owned());
    }

    /// The unit that a client named.
    pub fn unit(&self, key: &SeriesKey) -> Option<&str> {
        self.units.get(self.index.get(key)?).map(String::as_str)
    }

    /// One value, of what happened at `at` and is sent at `now`.
    pub fn record(&mut self, id: SeriesId, at: Millis, now: Millis, value: f64) {
        self.record_all(id, at, now, Statistics::of(value));
    }

    /// Many values of the same minute at once.
    pub fn record_all(&mut self, id: SeriesId, at: Millis, now: Millis, statistics: Statistics) {
        if let Some(visible) = self.visible(id, now) {
            self.insert(id, at, now, visible, statistics);
        }
    }

    /// Values that a client sent with PutMetricData: visible at once.
    pub fn put(&mut self, id: SeriesId, at: Millis, now: Millis, statistics: Statistics) {
        self.insert(id, at, now, now, statistics);
    }

    fn insert(&mut self, id: SeriesId, at: Millis, now: Millis, visible: Millis, statistics: Statistics) {
        let (stamp, sent) = (minute_of(at), minute_of(now));
        let samples = &mut self.samples[id.0];
        // Samples come nearly in the order of their minutes: the one to add to is among the last few.
        for sample in samples.iter_mut().rev().take(40) {
            if sample.stamp == stamp && sample.sent == sent && sample.visible == visible {
                return sample.statistics.add(statistics);
            }
            if sample.sent < sent {
                break;
            }
        }
        samples.push(Sample { stamp, sent, visible, statistics });
    }

    /// The points that can be read at `now`, with start <= stamp < end, by periods.
    pub fn read(
        &self,
        key: &SeriesKey,
        range: (Millis, Millis),
        period: Millis,
        now: Millis,
    ) -> Vec<(Millis, Statistics)> {
        let Some(id) = self.index.get(key) else { return Vec::new() };
        let mut points: BTreeMap<Millis, Statistics> = BTreeMap::new();
        for sample in self.samples[id.0].iter().filter(|s| s.visible <= now) {
            if sample.stamp < range.0 || sample.stamp >= range.1 {
                continue;
            }
            let bucket = sample.stamp - sample.stamp.rem_euclid(period.max(1));
            points.entry(bucket).and_modify(|p| p.add(sample.statistics)).or_insert(sample.statistics);
        }
        points.into_iter().collect()
    }

    /// The series with a visible point, in the order of their names.
    pub fn listed(&self, place: PlaceId, now: Millis) -> Vec<&SeriesKey> {
        let seen = |id: usize| self.samples[id].iter().any(|s| s.visible <= now);
        let mut keys: Vec<&SeriesKey> = self
            .keys
            .iter()
            .enumerate()
            .filter(|(id, key)| key.place == place && seen(*id))
            .map(|(_, key)| key)
            .collect();
        keys.sort();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (Metrics, SeriesKey, SeriesId) {
        let mut metrics = Metrics::new(45_000);
        let key = SeriesKey {
            place: PlaceId(0),
            namespace: "AWS/Lambda".into(),
            name: "Errors".into(),
            dimensions: vec![("FunctionName".into(), "F".into())],
        };
        let id = metrics.series(key.clone());
        (metrics, key, id)
    }

    #[test]
    fn a_point_is_stamped_with_its_minute_and_seen_later() {
        let (mut metrics, key, id) = world();
        metrics.record(id, 61_000, 61_000, 3.0);
        metrics.record(id, 119_000, 119_000, 5.0);
        assert!(metrics.read(&key, (0, 600_000), MINUTE, 164_999).is_empty());
        let points = metrics.read(&key, (0, 600_000), MINUTE, 165_000);
        assert_eq!(points.len(), 1);
        assert_eq!(
            (points[0].0, points[0].1.sum, points[0].1.most, points[0].1.count),
            (60_000, 8.0, 5.0, 2.0)
        );
    }

    #[test]
    fn what_is_sent_late_is_added_to_the_older_point() {
        let (mut metrics, key, id) = world();
        metrics.record(id, 10_000, 11_000, 1.0);
        metrics.record(id, 50_000, 200_000, 1.0); // an invocation that took 150 s
        assert_eq!(metrics.read(&key, (0, 600_000), MINUTE, 105_000)[0].1.sum, 1.0);
        assert_eq!(metrics.read(&key, (0, 600_000), MINUTE, 285_000)[0].1.sum, 2.0);
    }

    #[test]
    fn metrics_that_are_late_come_and_absent_ones_do_not() {
        let (mut metrics, key, id) = world();
        metrics.set_trouble(PlaceId(0), Some(MetricTrouble::Late(std::time::Duration::from_secs(600))));
        metrics.record(id, 10_000, 10_000, 1.0);
        metrics.set_trouble(PlaceId(0), Some(MetricTrouble::Absent));
        metrics.record(id, 70_000, 70_000, 1.0);
        metrics.set_trouble(PlaceId(0), None);
        metrics.record(id, 130_000, 130_000, 1.0);
        let stamps = |now: Millis| -> Vec<Millis> {
            metrics.read(&key, (0, 9_000_000), MINUTE, now).iter().map(|p| p.0).collect()
        };
        assert_eq!(stamps(300_000), [120_000]);
        assert_eq!(stamps(800_000), [0, 120_000]);
    }

    #[test]
    fn no_point_where_nothing_happened() {
        let (mut metrics, key, id) = world();
        metrics.record(id, 10_000, 10_000, 0.0);
        metrics.record(id, 190_000, 190_000, 0.0);
        let stamps: Vec<Millis> =
            metrics.read(&key, (0, 600_000), MINUTE, 900_000).iter().map(|p| p.0).collect();
        assert_eq!(stamps, [0, 180_000]);
    }
}
