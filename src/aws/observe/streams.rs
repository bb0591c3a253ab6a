//! Streams, their run marks and their enhanced fan-out consumers, from Kinesis.

use super::look::{Look, Read};
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::cutover::broken_mark;
use crate::model::{
    Arn, AwsFailure, FailureKind, Observed, Reason, RunMark, Sent, StreamConsumer, StreamMode, StreamName,
    StreamView,
};
use aws_sdk_kinesis::types::{MetricsName, StreamDescriptionSummary, StreamMode as SdkStreamMode};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

const SUMMARY: &str = "kinesis:DescribeStreamSummary";
const TAGS: &str = "kinesis:ListTagsForStream";
const CONSUMERS: &str = "kinesis:ListStreamConsumers";
/// A stream has at most 50 tags and 50 consumers; more pages than this is a server that never ends.
const MOST_PAGES: u32 = 20;

/// Every stream by its name.
pub(super) async fn streams(
    look: &Look<'_>,
    names: &BTreeSet<StreamName>,
) -> BTreeMap<StreamName, Observed<StreamView>> {
    let one = |name: StreamName| async move {
        let view = stream(look, &name).await;
        (name, Observed::from(view))
    };
    join_all(names.iter().cloned().map(one)).await.into_iter().collect()
}

async fn stream(look: &Look<'_>, name: &StreamName) -> Result<StreamView, AwsFailure> {
    let request = look.at.kinesis().describe_stream_summary().stream_name(name.as_str());
    let found =
        look.ask(Read::needed(1, Family::StreamSummary, SUMMARY, name.as_str()), request.send()).await?;
    let asked = Asked::read(SUMMARY, name.as_str(), &look.at.region);
    let unreadable = |text: String| asked.failed(FailureKind::Unreadable, text, Sent::No);
    let summary =
        found.stream_description_summary.ok_or_else(|| unreadable("no summary was given".to_owned()))?;
    if Arn::new(&summary.stream_arn).region() != look.at.region.as_str() {
        return Err(unreadable(format!("the answer is about {}, another Region", summary.stream_arn)));
    }
    Ok(view(&summary))
}

fn view(summary: &StreamDescriptionSummary) -> StreamView {
    let count = |value: i32| u32::try_from(value).unwrap_or_default();
    let is_on_demand =
        summary.stream_mode_details.as_ref().is_some_and(|mode| mode.stream_mode == SdkStreamMode::OnDemand);
    StreamView {
        arn: Arn::new(&summary.stream_arn),
        status: summary.stream_status.as_str().to_owned(),
        mode: if is_on_demand { StreamMode::OnDemand } else { StreamMode::Provisioned },
        open_shards: count(summary.open_shard_count),
        retention_hours: count(summary.retention_period_hours),
        max_record_size_kib: summary.max_record_size_in_kib.map(count),
        has_shard_metrics: summary.enhanced_monitoring.iter().any(|on| {
            let of_age = [MetricsName::IteratorAgeMilliseconds, MetricsName::All];
            on.shard_level_metrics().iter().any(|name| of_age.contains(name))
        }),
        encryption: summary.encryption_type.as_ref().map_or("NONE", |kind| kind.as_str()).to_owned(),
    }
}

/// The run mark of every stream by its name. A mark that cannot be read is unknown, never absent.
pub(super) async fn marks(
    look: &Look<'_>,
    names: &BTreeSet<StreamName>,
) -> BTreeMap<StreamName, Observed<Option<RunMark>>> {
    let one = |name: StreamName| async move {
        let mark = match tags(look, &name).await {
            Ok(tags) => RunMark::from_tags(&tags)
                .map_or_else(|why| Observed::Unknown(broken_mark(&name, &why)), Observed::Known),
            Err(failure) => Observed::from(Err(failure)),
        };
        (name, mark)
    };
    join_all(names.iter().cloned().map(one)).await.into_iter().collect()
}

async fn tags(look: &Look<'_>, name: &StreamName) -> Result<BTreeMap<String, String>, AwsFailure> {
    let (mut tags, mut after) = (BTreeMap::new(), None::<String>);
    for depth in 1..=MOST_PAGES {
        let request = look
            .at
            .kinesis()
            .list_tags_for_stream()
            .stream_name(name.as_str())
            .set_exclusive_start_tag_key(after.clone());
        let page =
            look.ask(Read::needed(depth, Family::StreamTags, TAGS, name.as_str()), request.send()).await?;
        after = page.tags.last().map(|tag| tag.key.clone());
        tags.extend(page.tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())));
        if !page.has_more_tags || after.is_none() {
            return Ok(tags);
        }
    }
    let asked = Asked::read(TAGS, name.as_str(), &look.at.region);
    Err(asked.failed(FailureKind::Unreadable, "the list does not end", Sent::No))
}

/// The enhanced fan-out consumers of every one of these streams, by the stream's name.
pub(super) async fn consumers(
    look: &Look<'_>,
    wanted: &BTreeSet<StreamName>,
    streams: &BTreeMap<StreamName, Observed<StreamView>>,
) -> BTreeMap<StreamName, Observed<Vec<StreamConsumer>>> {
    let one = |name: StreamName| async move {
        let found = match streams.get(&name) {
            Some(Observed::Known(stream)) => Observed::from(consumers_of(look, &stream.arn, 2).await),
            Some(Observed::Unknown(reason)) => Observed::Unknown(reason.clone()),
            None => Observed::Unknown(Reason::not_asked()),
        };
        (name, found)
    };
    join_all(wanted.iter().cloned().map(one)).await.into_iter().collect()
}

async fn consumers_of(look: &Look<'_>, stream: &Arn, depth: u32) -> Result<Vec<StreamConsumer>, AwsFailure> {
    let (mut found, mut token) = (Vec::new(), None::<String>);
    for page in 0..MOST_PAGES {
        let request = look
            .at
            .kinesis()
            .list_stream_consumers()
            .stream_arn(stream.as_str())
            .max_results(100)
            .set_next_token(token);
        let resource = stream.stream().unwrap_or(stream.as_str());
        let answer = look
            .ask(Read::needed(depth + page, Family::StreamData, CONSUMERS, resource), request.send())
            .await?;
        found.extend(answer.consumers.unwrap_or_default().into_iter().map(|consumer| StreamConsumer {
            name: consumer.consumer_name,
            arn: Arn::new(consumer.consumer_arn),
            status: consumer.consumer_status.as_str().to_owned(),
        }));
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
    let asked = Asked::read(CONSUMERS, stream.as_str(), &look.at.region);
    Err(asked.failed(FailureKind::Unreadable, "the list does not end", Sent::No))
}
