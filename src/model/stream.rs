//! Kinesis streams and their readers, as observed.

use super::Timestamp;
use super::duration;
use super::ids::Arn;
use super::metrics::Series;
use super::snapshot::Side;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A series of every open shard, by the shard's id. A shard without a data point has an empty series.
pub type ShardSeries = BTreeMap<String, Series>;

/// Capacity mode of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StreamMode {
    /// A fixed number of shards.
    Provisioned,
    /// Shards follow the traffic, up to a ceiling that differs between Regions.
    OnDemand,
}

impl fmt::Display for StreamMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StreamMode::Provisioned => "provisioned",
            StreamMode::OnDemand => "on-demand",
        })
    }
}

/// A stream, from `DescribeStreamSummary`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StreamView {
    /// Its ARN; the Region inside is the client's, which was checked.
    pub arn: Arn,
    /// `ACTIVE`, `UPDATING`, `CREATING`, `DELETING`. Reads and writes work in the first two.
    pub status: String,
    /// Capacity mode.
    pub mode: StreamMode,
    /// Shards that take writes.
    pub open_shards: u32,
    /// Hours a record is kept.
    pub retention_hours: u32,
    /// Largest record, KiB, where the service says it (default 1,024).
    pub max_record_size_kib: Option<u32>,
    /// `NONE` or `KMS`.
    pub encryption: String,
    /// Whether shards have an `IteratorAgeMilliseconds` of their own (`EnableEnhancedMonitoring`; paid).
    pub has_shard_metrics: bool,
}

impl StreamView {
    /// Whether records can be written and read now.
    pub fn is_usable(&self) -> bool {
        matches!(self.status.as_str(), "ACTIVE" | "UPDATING")
    }

    /// In what this stream is less than that of the other side, or set otherwise; each in words. Shards are counted across modes:
    /// an on-demand stream takes what its open shards take until it has grown.
    pub fn falls_short_of(&self, other: &StreamView, side: Side) -> Vec<String> {
        let mut short = Vec::new();
        if self.retention_hours < other.retention_hours {
            short.push(format!("retention {} h < {} h", self.retention_hours, other.retention_hours));
        }
        if self.open_shards < other.open_shards {
            let modes = match self.mode == other.mode {
                true => String::new(),
                false => format!(" ({}, the {side}'s {})", self.mode, other.mode),
            };
            short.push(format!("{} shards < {}{modes}", self.open_shards, other.open_shards));
        }
        if let Some(ceiling) = self.ceiling().filter(|ceiling| *ceiling < other.open_shards) {
            let region = self.arn.region();
            short.push(format!("on-demand in {region} grows to {ceiling} MB/s unless the quota was raised"));
        }
        if let (Some(here), Some(there)) = (self.max_record_size_kib, other.max_record_size_kib)
            && here < there
        {
            short.push(format!("largest record {here} KiB < {there} KiB"));
        }
        if self.encryption != other.encryption {
            short.push(format!("encryption {}, the {side}'s {}", self.encryption, other.encryption));
        }
        short
    }

    /// How many MB/s an on-demand stream takes at most by default; a shard takes one (Kinesis Developer Guide, "Quotas and
    /// limits").
    fn ceiling(&self) -> Option<u32> {
        match (self.mode, self.arn.region()) {
            (StreamMode::Provisioned, _) => None,
            (StreamMode::OnDemand, "us-east-1" | "us-west-2" | "eu-west-1") => Some(10_000),
            (StreamMode::OnDemand, _) => Some(200),
        }
    }
}

/// An enhanced fan-out consumer, from `ListStreamConsumers`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StreamConsumer {
    /// Its name.
    pub name: String,
    /// Its ARN (holds the creation time: a consumer registered again has another ARN).
    pub arn: Arn,
    /// `ACTIVE`, `CREATING`, `DELETING`.
    pub status: String,
}

/// What a direct read of every shard said, from `GetShardIterator` AT_TIMESTAMP and `GetRecords`.
/// It reads from [`StreamProbe::since`] on, so it proves silence from then until [`StreamProbe::at`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StreamProbe {
    /// Where the read began.
    pub since: Timestamp,
    /// When it was made.
    pub at: Timestamp,
    /// One entry for every shard that was open at `since` or later.
    pub shards: Vec<ShardProbe>,
}

/// One shard's answer to a probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShardProbe {
    /// The shard's id.
    pub shard: String,
    /// Whether anything arrived.
    pub seen: ShardArrivals,
}

/// What arrived in a shard since the probe's start.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShardArrivals {
    /// The read reached the tip (or the end of a closed shard) and found no record.
    Nothing,
    /// The read reached the tip; the newest record arrived then.
    Newest(Timestamp),
    /// The read did not reach the tip within its bound, or failed. Proves nothing.
    Unproven(String),
}

impl StreamProbe {
    /// Whether it is proven that no record arrived at `from` or later. A probe that began after `from`, or a
    /// stream without shards in the answer, proves nothing.
    pub fn is_silent_since(&self, from: Timestamp) -> bool {
        let silent = |probe: &ShardProbe| match probe.seen {
            ShardArrivals::Nothing => true,
            ShardArrivals::Newest(at) => at < from,
            ShardArrivals::Unproven(_) => false,
        };
        self.since <= from && !self.shards.is_empty() && self.shards.iter().all(silent)
    }
    /// Why silence of some length is not proven, for people.
    pub fn noise(&self, length: Duration) -> String {
        let needed = duration::show(length);
        let unproven = self.shards.iter().find_map(|s| match &s.seen {
            ShardArrivals::Unproven(why) => Some(format!("{}: {why}", s.shard)),
            _ => None,
        });
        match (unproven, self.newest()) {
            (Some(why), _) => format!("a shard could not be read to its tip ({why})"),
            (None, Some(newest)) => {
                let ago = Duration::try_from(self.at.duration_since(newest)).unwrap_or_default();
                let ago = duration::show(Duration::from_secs(ago.as_secs()));
                format!("the last record arrived {ago} ago; {needed} of silence are needed")
            }
            (None, None) => format!("no record arrives; the silence must be watched for {needed}"),
        }
    }
    /// The newest arrival that was seen.
    pub fn newest(&self) -> Option<Timestamp> {
        let arrivals = self.shards.iter().filter_map(|s| match s.seen {
            ShardArrivals::Newest(at) => Some(at),
            _ => None,
        });
        arrivals.max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> StreamView {
        StreamView {
            arn: Arn::new("arn:aws:kinesis:us-west-2:123456789012:stream/S"),
            status: "ACTIVE".to_owned(),
            mode: StreamMode::Provisioned,
            open_shards: 8,
            retention_hours: 48,
            max_record_size_kib: Some(1024),
            encryption: "NONE".to_owned(),
            has_shard_metrics: false,
        }
    }

    #[test]
    fn a_standby_falls_short_in_what_is_less_and_in_nothing_that_is_more() {
        let short = |standby: StreamView| standby.falls_short_of(&stream(), Side::Primary).join(", ");
        let retention_hours = 24;
        assert_eq!(short(stream()), "");
        assert_eq!(short(StreamView { open_shards: 9, retention_hours: 168, ..stream() }), "");
        assert_eq!(short(StreamView { retention_hours, ..stream() }), "retention 24 h < 48 h");
        assert_eq!(short(StreamView { open_shards: 4, ..stream() }), "4 shards < 8");
        let on_demand = StreamView { mode: StreamMode::OnDemand, open_shards: 4, ..stream() };
        assert_eq!(short(on_demand), "4 shards < 8 (on-demand, the primary's provisioned)");
        let small = StreamView { max_record_size_kib: Some(512), ..stream() };
        assert_eq!(short(small), "largest record 512 KiB < 1024 KiB");
        // An old service says nothing of the largest record: that is not less.
        assert_eq!(short(StreamView { max_record_size_kib: None, ..stream() }), "");
        let encrypted = StreamView { encryption: "KMS".to_owned(), retention_hours, ..stream() };
        assert_eq!(short(encrypted), "retention 24 h < 48 h, encryption KMS, the primary's NONE");
    }

    #[test]
    fn an_on_demand_standby_falls_short_where_its_region_caps_it_below_the_primary() {
        let wide = |region: &str, mode: StreamMode| StreamView {
            arn: Arn::new(format!("arn:aws:kinesis:{region}:123456789012:stream/S")),
            mode,
            open_shards: 300,
            ..stream()
        };
        let primary = wide("us-west-2", StreamMode::OnDemand);
        let short =
            |region: &str, mode: StreamMode| wide(region, mode).falls_short_of(&primary, Side::Primary);
        let capped = "on-demand in us-east-2 grows to 200 MB/s unless the quota was raised";
        assert_eq!(short("us-east-2", StreamMode::OnDemand), [capped]);
        assert!(short("us-east-1", StreamMode::OnDemand).is_empty());
        assert!(short("us-east-2", StreamMode::Provisioned).is_empty());
        let narrow = StreamView { open_shards: 200, ..primary.clone() };
        assert!(wide("us-east-2", StreamMode::OnDemand).falls_short_of(&narrow, Side::Primary).is_empty());
    }

    #[test]
    fn a_primary_that_falls_short_is_told_of_the_standby() {
        let primary = StreamView { encryption: "KMS".to_owned(), open_shards: 4, ..stream() };
        let short = primary.falls_short_of(&stream(), Side::Standby);
        assert_eq!(short, ["4 shards < 8", "encryption KMS, the standby's NONE"]);
    }
}
