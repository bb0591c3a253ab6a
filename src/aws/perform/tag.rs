//! The run mark: tags on a stream, and the only thing that stands between two operators on two machines.
//!
//! AddTagsToStream has no condition: the last writer wins, and both are told that they succeeded (Kinesis API
//! Reference). So an open mark is claimed: read, written, and read again once everybody who found the stream
//! unmarked must have written too. Whoever still finds its own mark then has won; everybody else has lost.

use super::Hand;
use super::send::{Accepted, kinesis_once};
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{AwsFailure, FailureKind, Performed, RunMark, RunState, Sent, StreamName};
use aws_sdk_kinesis::operation::add_tags_to_stream::AddTagsToStreamOutput;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::sleep;

const SET: &str = "kinesis:AddTagsToStream";
const READ: &str = "kinesis:ListTagsForStream";
/// From a written mark to its second reading: longer than any other run takes from its first reading to its write.
const CLAIM: Duration = Duration::from_secs(2);
/// A stream has at most 50 tags, 10 a page.
const MOST_PAGES: u32 = 20;

impl Hand<'_> {
    pub(super) async fn tag_stream(
        &self,
        stream: &StreamName,
        tags: &BTreeMap<String, String>,
    ) -> Result<Performed, AwsFailure> {
        if tags.is_empty() {
            return Ok(Performed::AlreadySo("no tags to set".to_owned()));
        }
        match RunMark::from_tags(tags) {
            Ok(Some(mark)) if mark.state == RunState::Open => self.claim(stream, tags, &mark).await,
            _ => Ok(self.set_tags(stream, tags).await?.applied(format!("tagged {stream}"))),
        }
    }

    async fn claim(
        &self,
        stream: &StreamName,
        tags: &BTreeMap<String, String>,
        mark: &RunMark,
    ) -> Result<Performed, AwsFailure> {
        self.must_not_be_anothers(stream, mark, Sent::No).await?;
        let accepted = self.set_tags(stream, tags).await?;
        sleep(CLAIM.min(self.poll * 4)).await;
        self.must_not_be_anothers(stream, mark, Sent::Refused).await?;
        Ok(accepted.applied(format!("tagged {stream}; no other run has")))
    }

    /// # Errors
    /// `Stale` when another run's open mark is on the stream; `sent` is what became of ours then.
    async fn must_not_be_anothers(
        &self,
        stream: &StreamName,
        ours: &RunMark,
        sent: Sent,
    ) -> Result<(), AwsFailure> {
        let asked = Asked::mutation(SET, stream.as_str(), &self.at.region);
        let found = RunMark::from_tags(&self.read_tags(stream).await?);
        match found.map_err(|why| asked.failed(FailureKind::Unreadable, why, sent))? {
            Some(mark) if mark.run != ours.run && mark.state == RunState::Open => {
                let text =
                    format!("run {} ({} by {}) has marked the stream", mark.run, mark.intent, mark.owner);
                Err(asked.failed(FailureKind::Stale, text, sent))
            }
            _ => Ok(()),
        }
    }

    async fn set_tags(
        &self,
        stream: &StreamName,
        tags: &BTreeMap<String, String>,
    ) -> Result<Accepted<AddTagsToStreamOutput>, AwsFailure> {
        let tags: HashMap<String, String> = tags.clone().into_iter().collect();
        let request =
            self.at.kinesis().add_tags_to_stream().stream_name(stream.as_str()).set_tags(Some(tags));
        let send = || request.clone().customize().config_override(kinesis_once()).send();
        self.write(Family::StreamTags, SET, stream.as_str(), send).await
    }

    async fn read_tags(&self, stream: &StreamName) -> Result<BTreeMap<String, String>, AwsFailure> {
        let (mut tags, mut after) = (BTreeMap::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let request = self
                .at
                .kinesis()
                .list_tags_for_stream()
                .stream_name(stream.as_str())
                .set_exclusive_start_tag_key(after);
            let page = self.at.read(Family::StreamTags, READ, stream.as_str(), request.send()).await?;
            after = page.tags.last().map(|tag| tag.key.clone());
            tags.extend(page.tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())));
            if !page.has_more_tags || after.is_none() {
                return Ok(tags);
            }
        }
        let asked = Asked::read(READ, stream.as_str(), &self.at.region);
        Err(asked.failed(FailureKind::Unreadable, "the list does not end", Sent::No))
    }
}
