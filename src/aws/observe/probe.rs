//! A direct read of a stream's shards: whether anything arrived since a moment. Metrics say so minutes late.

use super::look::Look;
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{
    AwsFailure, Clock, FailureKind, Observed, Sent, ShardArrivals, ShardProbe, StreamName, StreamProbe,
    Timestamp,
};
use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use aws_sdk_kinesis::types::{Shard, ShardFilter, ShardFilterType, ShardIteratorType};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::sleep;

const SHARDS: &str = "kinesis:ListShards";
const ITERATOR: &str = "kinesis:GetShardIterator";
const RECORDS: &str = "kinesis:GetRecords";
/// Records a call: one is enough to know that the stream is not quiet.
const LIMIT: i32 = 10;
/// Calls a shard. An empty answer behind the tip is normal and goes on.
const MOST_READS: u32 = 8;
/// Between two reads of a shard: five a second are all its standard readers' together.
const BETWEEN: Duration = Duration::from_millis(250);
/// Pages of shards, 1,000 a page.
const MOST_PAGES: u32 = 50;

/// Probes every one of these streams.
pub(super) async fn probe(
    look: &Look<'_>,
    names: &BTreeSet<StreamName>,
    look_back: Duration,
    clock: &Clock,
) -> BTreeMap<StreamName, Observed<StreamProbe>> {
    let one = |name: StreamName| async move {
        let found = probe_stream(look, &name, look_back, clock).await;
        (name, Observed::from(found))
    };
    join_all(names.iter().cloned().map(one)).await.into_iter().collect()
}

async fn probe_stream(
    look: &Look<'_>,
    name: &StreamName,
    look_back: Duration,
    clock: &Clock,
) -> Result<StreamProbe, AwsFailure> {
    // Taken before the reads, which reach the tip later: what they prove holds until here at least.
    let at = clock.now();
    let since = at - look_back;
    let (shards, depth) = shards(look, name, since).await?;
    let one = |shard: Shard| async move {
        let seen = match probe_shard(look, name, &shard.shard_id, since, depth).await {
            Ok(seen) => seen,
            Err(failure) => ShardArrivals::Unproven(failure.to_string()),
        };
        ShardProbe { shard: shard.shard_id, seen }
    };
    let shards = join_all(shards.into_iter().map(one)).await;
    Ok(StreamProbe { since, at, shards })
}

/// Every shard that was open at `since` or later, and how many calls that took.
async fn shards(
    look: &Look<'_>,
    name: &StreamName,
    since: Timestamp,
) -> Result<(Vec<Shard>, u32), AwsFailure> {
    let asked = Asked::read(SHARDS, name.as_str(), &look.at.region);
    let filter = ShardFilter::builder()
        .r#type(ShardFilterType::FromTimestamp)
        .timestamp(convert::date_time(since))
        .build()
        .map_err(|error| asked.failed(FailureKind::Invalid, error.to_string(), Sent::No))?;
    let (mut found, mut token) = (Vec::new(), None::<String>);
    for page in 1..=MOST_PAGES {
        let request = look.at.kinesis().list_shards().max_results(1000);
        // A later page is named by its token alone (Kinesis API reference, ListShards).
        let request = match token.take() {
            Some(token) => request.next_token(token),
            None => request.stream_name(name.as_str()).shard_filter(filter.clone()),
        };
        let answer = look.ask(2 + page, Family::StreamData, SHARDS, name.as_str(), request.send()).await?;
        found.extend(answer.shards.unwrap_or_default());
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok((found, 2 + page));
        }
    }
    Err(asked.failed(FailureKind::Unreadable, "the list does not end", Sent::No))
}

async fn probe_shard(
    look: &Look<'_>,
    name: &StreamName,
    shard: &str,
    since: Timestamp,
    depth: u32,
) -> Result<ShardArrivals, AwsFailure> {
    let resource = format!("{name}/{shard}");
    let request = look
        .at
        .kinesis()
        .get_shard_iterator()
        .stream_name(name.as_str())
        .shard_id(shard)
        .shard_iterator_type(ShardIteratorType::AtTimestamp)
        .timestamp(convert::date_time(since));
    let answer = look.ask(depth + 1, Family::StreamData, ITERATOR, &resource, request.send()).await?;
    let (mut iterator, mut newest) = (answer.shard_iterator, None);
    for read in 0..MOST_READS {
        let Some(at) = iterator else { break };
        if read > 0 {
            sleep(BETWEEN).await;
        }
        let request = look.at.kinesis().get_records().shard_iterator(at).limit(LIMIT);
        let answer =
            look.ask(depth + 2 + read, Family::StreamData, RECORDS, &resource, request.send()).await?;
        newest = newest.max(newest_of(&answer));
        let reached_tip = answer.millis_behind_latest == Some(0);
        iterator = answer.next_shard_iterator;
        match newest {
            Some(at) => return Ok(ShardArrivals::Newest(at)),
            None if reached_tip || iterator.is_none() => return Ok(ShardArrivals::Nothing),
            None => {}
        }
    }
    Ok(ShardArrivals::Unproven(format!("the tip was not reached in {MOST_READS} reads")))
}

/// The newest arrival in an answer. A record without a time arrived too, so it counts as arriving at the
/// earliest instant.
fn newest_of(answer: &GetRecordsOutput) -> Option<Timestamp> {
    let time = |at: Option<&aws_smithy_types::DateTime>| {
        at.and_then(convert::instant).unwrap_or(Timestamp::UNIX_EPOCH)
    };
    answer.records.iter().map(|record| time(record.approximate_arrival_timestamp.as_ref())).max()
}
