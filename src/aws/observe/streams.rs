//! A stream's summary, its run mark and its enhanced fan-out consumers.

use super::Look;
use crate::aws::connect::Clients;
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::config::Pipeline;
use crate::model::{
    AwsFailure, FailureKind, Observed, Reason, RunMark, Sent, Side, StreamConsumer, StreamView,
};
use futures_util::future::join;
use std::collections::BTreeMap;

/// 50 tags a stream, 50 a page at the most: a second page is generous.
const MOST_PAGES: u32 = 10;

type Parts = (Observed<StreamView>, Observed<Option<RunMark>>, Observed<Vec<StreamConsumer>>);

impl Look<'_> {
    /// What a Region's Kinesis says of a pipeline's stream.
    pub(super) async fn stream_part(&self, clients: &Clients, pipeline: &Pipeline, side: Side) -> Parts {
        let name = pipeline.stream.of(side).as_str();
        let with_consumers = async {
            let stream = self.stream(clients, name).await;
            let wants = pipeline.consumer.stream_consumer.is_some()
                || (side == Side::Primary
                    && pipeline.replicator.as_ref().is_some_and(|r| r.stream_consumer.is_some()));
            let consumers = match &stream {
                Ok(stream) if wants => Observed::from(self.consumers(clients, stream.arn.as_str()).await),
                Ok(_) => Observed::Unknown(Reason::not_asked()),
                Err(failure) => Observed::from(Err(failure.clone())),
            };
            (Observed::from(stream), consumers)
        };
        let mark = async {
            match side {
                Side::Standby => self.mark(clients, name).await,
                Side::Primary => Observed::Unknown(Reason::not_asked()),
            }
        };
        let ((stream, consumers), mark) = join(with_consumers, mark).await;
        (stream, mark, consumers)
    }

    async fn stream(&self, clients: &Clients, name: &str) -> Result<StreamView, AwsFailure> {
        let asked =
            Asked { operation: "kinesis:DescribeStreamSummary", resource: name, region: &clients.region };
        let output =
            self.ask(asked, 1, clients.kinesis.describe_stream_summary().stream_name(name).send()).await?;
        let unreadable = |why: String| asked.failure(FailureKind::Unreadable, Sent::No, why);
        let summary = output.stream_description_summary();
        let view =
            convert::stream(summary.ok_or_else(|| unreadable("the answer has no summary".to_owned()))?);
        match view.arn.region() == clients.region.as_str() {
            true => Ok(view),
            false => {
                Err(unreadable(format!("{} answered with a stream of {}", clients.region, view.arn.region())))
            }
        }
    }

    async fn consumers(&self, clients: &Clients, arn: &str) -> Result<Vec<StreamConsumer>, AwsFailure> {
        let asked =
            Asked { operation: "kinesis:ListStreamConsumers", resource: arn, region: &clients.region };
        let mut all = Vec::new();
        let mut token = None;
        for page in 0..MOST_PAGES {
            let call = clients.kinesis.list_stream_consumers().stream_arn(arn).set_next_token(token.take());
            let output = self.ask(asked, 2 + page, call.send()).await?;
            all.extend(output.consumers().iter().map(convert::stream_consumer));
            match output.next_token().filter(|t| !t.is_empty()) {
                Some(next) => token = Some(next.to_owned()),
                None => return Ok(all),
            }
        }
        Err(asked.refused("the list of consumers did not end"))
    }

    async fn mark(&self, clients: &Clients, name: &str) -> Observed<Option<RunMark>> {
        let asked = Asked { operation: "kinesis:ListTagsForStream", resource: name, region: &clients.region };
        let mut tags: BTreeMap<String, String> = BTreeMap::new();
        for page in 1..=MOST_PAGES {
            let from = tags.keys().next_back().cloned();
            let call = clients.kinesis.list_tags_for_stream().stream_name(name);
            let call = call.set_exclusive_start_tag_key(from.filter(|_| page > 1));
            let output = match self.ask(asked, page, call.send()).await {
                Ok(output) => output,
                Err(failure) => return Observed::from(Err(failure)),
            };
            let pairs =
                output.tags().iter().filter_map(|t| Some((t.key().to_owned(), t.value()?.to_owned())));
            tags.extend(pairs);
            if !output.has_more_tags() {
                break;
            }
        }
        match RunMark::from_tags(&tags) {
            Ok(mark) => Observed::Known(mark),
            Err(why) => {
                let text =
                    format!("the run mark of stream {name} in {} cannot be read: {why}", clients.region);
                Observed::Unknown(Reason::new(FailureKind::Unreadable, text))
            }
        }
    }
}
