//! The run mark: tags on a stream. Setting them again changes nothing, so nothing is read first.

use super::Hand;
use super::send::kinesis_once;
use crate::aws::pacer::Family;
use crate::model::{AwsFailure, Performed, StreamName};
use std::collections::{BTreeMap, HashMap};

impl Hand<'_> {
    pub(super) async fn tag_stream(
        &self,
        stream: &StreamName,
        tags: &BTreeMap<String, String>,
    ) -> Result<Performed, AwsFailure> {
        if tags.is_empty() {
            return Ok(Performed::AlreadySo("no tags to set".to_owned()));
        }
        let tags: HashMap<String, String> = tags.clone().into_iter().collect();
        let request =
            self.at.kinesis().add_tags_to_stream().stream_name(stream.as_str()).set_tags(Some(tags));
        let send = || request.clone().customize().config_override(kinesis_once()).send();
        let done = self.write(Family::StreamTags, "kinesis:AddTagsToStream", stream.as_str(), send).await?;
        Ok(done.applied(format!("tagged {stream}")))
    }
}
