//! A direct read of a stream's shards: has anything arrived, and when last? Metrics say so minutes late.
//!
//! The reads count in the stream's own iterator age, so old records are not read: the first look begins at the tip
//! (as far back as asked only where the metrics show no arrivals anyway), and later looks go on from where the one
//! before ended. What is proven reaches back to where the first look began.

use super::look::{Look, Read};
use super::metrics::MetricId;
use super::shards;
use crate::aws::convert;
use crate::aws::pacer::Family;
use crate::model::{
    AwsFailure, Clock, Observed, Region, Series, ShardArrivals, ShardProbe, StreamName, StreamProbe,
    Timestamp,
};
use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use aws_sdk_kinesis::types::{Shard, ShardIteratorType};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const ITERATOR: &str = "kinesis:GetShardIterator";
const RECORDS: &str = "kinesis:GetRecords";
/// Calls a shard. An empty answer behind the tip is normal and goes on.
const MOST_READS: u32 = 8;
/// Between two reads of a shard: five a second are all its standard readers' together.
const BETWEEN: Duration = Duration::from_millis(250);
/// An iterator lives five minutes (Kinesis API reference, GetRecords).
const ITERATOR_LIVES: Duration = Duration::from_secs(240);

/// Where the looks at streams ended, by Region and stream.
pub(in crate::aws) type Memories = Mutex<BTreeMap<(Region, StreamName), Memory>>;

/// Where the last look at one stream ended.
#[derive(Debug)]
pub(in crate::aws) struct Memory {
    since: Timestamp,
    looked: Instant,
    shards: BTreeMap<String, Place>,
}

/// How far one shard has been read.
#[derive(Debug, Default)]
struct Place {
    /// Where to go on; `None` at the end of a closed shard.
    iterator: Option<String>,
    /// The shards that replaced it, said at its end.
    children: Vec<String>,
    newest: Option<Timestamp>,
    /// Why the last look did not reach the tip.
    unproven: Option<String>,
}

/// What a probe needs besides the look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner<'a> {
    pub(super) look_back: Duration,
    pub(super) clock: &'a Clock,
    pub(super) memories: &'a Memories,
    pub(super) series: &'a BTreeMap<MetricId, Observed<Series>>,
}

/// Probes every one of these streams.
pub(super) async fn probe(
    look: &Look<'_>,
    names: &BTreeSet<StreamName>,
    manner: Manner<'_>,
) -> BTreeMap<StreamName, Observed<StreamProbe>> {
    let one = |name: StreamName| async move {
        let found = probe_stream(look, &name, manner).await;
        (name, Observed::from(found))
    };
    join_all(names.iter().cloned().map(one)).await.into_iter().collect()
}

async fn probe_stream(
    look: &Look<'_>,
    name: &StreamName,
    manner: Manner<'_>,
) -> Result<StreamProbe, AwsFailure> {
    let key = (look.at.region.clone(), name.clone());
    let kept = manner.memories.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    let can_go_on = |memory: &Memory| {
        memory.looked.elapsed() < ITERATOR_LIVES
            && memory
                .shards
                .values()
                .all(|place| place.iterator.is_some() || place.is_replaced(&memory.shards))
    };
    let (memory, depth) = match kept.filter(can_go_on) {
        Some(memory) => (memory, 1),
        None => begin(look, name, manner).await?,
    };
    // Taken before the reads, which reach the tip later: what they prove holds until here at least.
    let (at, looked) = (manner.clock.now(), Instant::now());
    let one = |(shard, place): (String, Place)| async move {
        let place = read(look, name, &shard, place, depth).await;
        (shard, place)
    };
    let mut shards: BTreeMap<String, Place> =
        join_all(memory.shards.into_iter().map(one)).await.into_iter().collect();
    let unfollowed = |place: &Place| place.iterator.is_none() && !place.is_replaced(&shards);
    let ended: Vec<String> = shards.iter().filter(|(_, p)| unfollowed(p)).map(|(s, _)| s.clone()).collect();
    for (_, place) in shards.iter_mut().filter(|(shard, _)| ended.contains(shard)) {
        let why = || "the shard was closed; those that replaced it are looked at next".to_owned();
        place.unproven.get_or_insert_with(why);
    }
    let probes = shards.iter().map(|(shard, place)| ShardProbe { shard: shard.clone(), seen: place.seen() });
    let probe = StreamProbe { since: memory.since, at, shards: probes.collect() };
    let memory = Memory { since: memory.since, looked, shards };
    manner.memories.lock().unwrap_or_else(PoisonError::into_inner).insert(key, memory);
    Ok(probe)
}

impl Place {
    /// It was read to its end, and what replaced it is looked at too.
    fn is_replaced(&self, looked_at: &BTreeMap<String, Place>) -> bool {
        self.iterator.is_none()
            && !self.children.is_empty()
            && self.children.iter().all(|child| looked_at.contains_key(child))
    }

    fn seen(&self) -> ShardArrivals {
        match (&self.unproven, self.newest) {
            (Some(why), _) => ShardArrivals::Unproven(why.clone()),
            (None, Some(newest)) => ShardArrivals::Newest(newest),
            (None, None) => ShardArrivals::Nothing,
        }
    }
}

/// The first look: at the tip, or as far back as asked where the metrics show no arrivals since.
async fn begin(look: &Look<'_>, name: &StreamName, manner: Manner<'_>) -> Result<(Memory, u32), AwsFailure> {
    let now = manner.clock.now();
    let deep = now - manner.look_back;
    let arrivals = manner.series.get(&MetricId::stream(name, "IncomingRecords", "Sum"));
    let quiet = |s: &Series| !s.since(deep - s.period).iter().any(|point| point.value > 0.0);
    let is_quiet = arrivals.and_then(Observed::known).is_some_and(quiet);
    let since = if is_quiet { deep } else { now - Duration::from_secs(1) };
    let (found, depth) = shards::open_since(look, name, since).await?;
    let one = |shard: Shard| async move {
        let iterator = iterator(look, name, &shard.shard_id, since, depth).await;
        iterator.map(|iterator| (shard.shard_id, Place { iterator, ..Place::default() }))
    };
    let shards: Result<BTreeMap<String, Place>, AwsFailure> =
        join_all(found.into_iter().map(one)).await.into_iter().collect();
    Ok((Memory { since, looked: Instant::now(), shards: shards? }, depth + 1))
}

async fn iterator(
    look: &Look<'_>,
    name: &StreamName,
    shard: &str,
    since: Timestamp,
    depth: u32,
) -> Result<Option<String>, AwsFailure> {
    let resource = format!("{name}/{shard}");
    let request = look
        .at
        .kinesis()
        .get_shard_iterator()
        .stream_name(name.as_str())
        .shard_id(shard)
        .shard_iterator_type(ShardIteratorType::AtTimestamp)
        .timestamp(convert::date_time(since));
    let answer =
        look.ask(Read::needed(depth + 1, Family::StreamData, ITERATOR, &resource), request.send()).await?;
    Ok(answer.shard_iterator)
}

/// Reads a shard on to its tip.
async fn read(look: &Look<'_>, name: &StreamName, shard: &str, mut place: Place, depth: u32) -> Place {
    let resource = format!("{name}/{shard}");
    place.unproven = None;
    for read in 0..MOST_READS {
        let Some(at) = place.iterator.clone() else { return place };
        if read > 0 {
            sleep(BETWEEN).await;
        }
        let request = look.at.kinesis().get_records().shard_iterator(at);
        let asked =
            look.ask(Read::needed(depth + 1 + read, Family::StreamData, RECORDS, &resource), request.send());
        let answer = match asked.await {
            Ok(answer) => answer,
            Err(failure) => {
                // A machine that slept does not know how old its iterator is: the next look begins anew.
                if failure.code.as_deref() == Some("ExpiredIteratorException") {
                    place.iterator = None;
                }
                place.unproven = Some(failure.to_string());
                return place;
            }
        };
        place.newest = place.newest.max(newest_of(&answer));
        let reached_tip = answer.millis_behind_latest == Some(0);
        place.children =
            answer.child_shards.unwrap_or_default().into_iter().map(|child| child.shard_id).collect();
        place.iterator = answer.next_shard_iterator;
        if reached_tip || place.iterator.is_none() {
            return place;
        }
    }
    place.unproven = Some(format!("the tip was not reached in {MOST_READS} reads"));
    place
}

/// The newest arrival in an answer. A record without a time arrived too: it counts as arriving at the
/// last instant, which proves no silence.
fn newest_of(answer: &GetRecordsOutput) -> Option<Timestamp> {
    let time =
        |at: Option<&aws_smithy_types::DateTime>| at.and_then(convert::instant).unwrap_or(Timestamp::MAX);
    answer.records.iter().map(|record| time(record.approximate_arrival_timestamp.as_ref())).max()
}
