//! The shards of a stream, and the lag of each where the stream has shard-level metrics.

use super::look::{Look, Read};
use super::metrics::{self, MetricId, Span};
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{
    AwsFailure, FailureKind, Observed, Sent, Series, ShardSeries, StreamName, StreamView, Timestamp,
};
use aws_sdk_kinesis::types::{Shard, ShardFilter, ShardFilterType};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

const SHARDS: &str = "kinesis:ListShards";
/// Pages of shards, 1,000 a page.
const MOST_PAGES: u32 = 50;

/// Every shard that was open at `since` or later, and how many calls that took.
pub(super) async fn open_since(
    look: &Look<'_>,
    name: &StreamName,
    since: Timestamp,
) -> Result<(Vec<Shard>, u32), AwsFailure> {
    let filter = ShardFilter::builder()
        .r#type(ShardFilterType::FromTimestamp)
        .timestamp(convert::date_time(since))
        .build();
    list(look, name, filter).await
}

async fn list(
    look: &Look<'_>,
    name: &StreamName,
    filter: Result<ShardFilter, aws_smithy_types::error::operation::BuildError>,
) -> Result<(Vec<Shard>, u32), AwsFailure> {
    let asked = Asked::read(SHARDS, name.as_str(), &look.at.region);
    let filter = filter.map_err(|error| asked.failed(FailureKind::Invalid, error.to_string(), Sent::No))?;
    let (mut found, mut token) = (Vec::new(), None::<String>);
    for page in 1..=MOST_PAGES {
        let request = look.at.kinesis().list_shards().max_results(1000);
        // A later page is named by its token alone (Kinesis API reference, ListShards).
        let request = match token.take() {
            Some(token) => request.next_token(token),
            None => request.stream_name(name.as_str()).shard_filter(filter.clone()),
        };
        let answer = look
            .ask(Read::needed(2 + page, Family::StreamData, SHARDS, name.as_str()), request.send())
            .await?;
        found.extend(answer.shards.unwrap_or_default());
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok((found, 2 + page));
        }
    }
    Err(asked.failed(FailureKind::Unreadable, "the list does not end", Sent::No))
}

/// The lag of every open shard, of those streams that have shard-level metrics. They are paid for, so a stream
/// without them is the usual case and costs no call.
pub(super) async fn lag(
    look: &Look<'_>,
    wanted: &BTreeSet<StreamName>,
    streams: &BTreeMap<StreamName, Observed<StreamView>>,
    span: Span,
) -> BTreeMap<StreamName, Observed<ShardSeries>> {
    let has_them = |name: &&StreamName| {
        streams.get(*name).and_then(Observed::known).is_some_and(|stream| stream.has_shard_metrics)
    };
    let one = |name: StreamName| async move {
        let found = lag_of(look, &name, span).await;
        (name, found)
    };
    join_all(wanted.iter().filter(has_them).cloned().map(one)).await.into_iter().collect()
}

async fn lag_of(look: &Look<'_>, name: &StreamName, span: Span) -> Observed<ShardSeries> {
    let open = ShardFilter::builder().r#type(ShardFilterType::AtLatest).build();
    let (shards, depth) = match list(look, name, open).await {
        Ok(found) => found,
        Err(failure) => return Observed::from(Err(failure)),
    };
    let wanted: BTreeSet<MetricId> =
        shards.iter().map(|shard| MetricId::shard_lag(name, &shard.shard_id)).collect();
    let mut series = metrics::fetch(look, &wanted, span, depth + 1).await;
    let mut by_shard = BTreeMap::new();
    for shard in shards {
        match series.remove(&MetricId::shard_lag(name, &shard.shard_id)) {
            Some(Observed::Known(found)) => by_shard.insert(shard.shard_id, found),
            Some(Observed::Unknown(reason)) => return Observed::Unknown(reason),
            None => by_shard.insert(shard.shard_id, Series { period: span.period(), points: Vec::new() }),
        };
    }
    Observed::Known(by_shard)
}
