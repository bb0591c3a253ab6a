//! From the names in an effect to the ids in the account: which mapping, which ARN.

use super::{Deadline, Hand};
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{
    Arn, AwsFailure, FailureKind, FunctionName, Mapping, MappingId, MappingSource, MappingState, Sent,
    StreamName,
};

const MOST_PAGES: u32 = 500;

impl Hand<'_> {
    /// The mappings of a function on a source, in every state but Deleting and of every qualifier. Asked by
    /// the function's name first; when that finds none, all mappings are read, since AWS does not document
    /// whether a bare name finds mappings of an alias.
    pub(super) async fn find_mappings(
        &self,
        function: &FunctionName,
        source: &MappingSource,
    ) -> Result<Vec<Mapping>, AwsFailure> {
        let named = self.list_mappings(Some(function), function, source).await;
        match named {
            Ok(found) if !found.is_empty() => Ok(found),
            Err(failure) if failure.kind != FailureKind::NotFound => Err(failure),
            _ => self.list_mappings(None, function, source).await,
        }
    }

    async fn list_mappings(
        &self,
        filter: Option<&FunctionName>,
        function: &FunctionName,
        source: &MappingSource,
    ) -> Result<Vec<Mapping>, AwsFailure> {
        const LIST: &str = "lambda:ListEventSourceMappings";
        let unreadable = |text: String| {
            Asked::read(LIST, function.as_str(), &self.at.region).failed(
                FailureKind::Unreadable,
                text,
                Sent::No,
            )
        };
        let (mut found, mut marker) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let request = self
                .at
                .lambda()
                .list_event_source_mappings()
                .max_items(100)
                .set_function_name(filter.map(ToString::to_string))
                .set_marker(marker);
            let page = self.at.read(Family::LambdaControl, LIST, function.as_str(), request.send()).await?;
            for listed in
                page.event_source_mappings().iter().filter(|listed| listed.event_source_arn.is_some())
            {
                let mapping = convert::mapping(listed).map_err(unreadable)?;
                if mapping.function == *function && is_source(&mapping.source, source) {
                    found.push(mapping);
                }
            }
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
        Err(unreadable("the list does not end".to_owned()))
    }

    /// One mapping by its id; `None` when it is gone.
    pub(super) async fn get_mapping(&self, id: &MappingId) -> Result<Option<Mapping>, AwsFailure> {
        const GET: &str = "lambda:GetEventSourceMapping";
        let request = self.at.lambda().get_event_source_mapping().uuid(id.as_str());
        match self.at.read(Family::LambdaControl, GET, id.as_str(), request.send()).await {
            Ok(got) => {
                let asked = Asked::read(GET, id.as_str(), &self.at.region);
                let unreadable = |text: String| asked.failed(FailureKind::Unreadable, text, Sent::No);
                convert::mapping(&convert::as_listed(&got)).map(Some).map_err(unreadable)
            }
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Waits, bounded, until a mapping is no longer on its way; `None` when it is gone.
    pub(super) async fn settled_mapping(
        &self,
        asked: &Asked<'_>,
        id: &MappingId,
    ) -> Result<Option<Mapping>, AwsFailure> {
        let deadline = Deadline::begin();
        loop {
            let state = match self.get_mapping(id).await? {
                Some(mapping) if mapping.state.is_in_transition() => mapping.state,
                settled => return Ok(settled),
            };
            if let Some(why) = self.gives_up(deadline) {
                let text = format!("mapping {id} is still {state}; {why}");
                return Err(asked.failed(FailureKind::TimedOut, text, Sent::No));
            }
            // Lambda's control plane is shared, so this poll is slower than the one of GetFunction.
            self.pause(self.poll * 2).await;
        }
    }

    /// The ARN of a source, checked to be in this Region: the SDK would call the ARN's Region, not the
    /// client's.
    pub(super) async fn source_arn(
        &self,
        asked: &Asked<'_>,
        source: &MappingSource,
    ) -> Result<Arn, AwsFailure> {
        let stream = self.stream_arn(asked, source.stream()).await?;
        let arn = match source {
            MappingSource::Stream(_) => stream,
            MappingSource::StreamConsumer { consumer, .. } => {
                self.consumer_arn(asked, &stream, consumer).await?
            }
        };
        match arn.region() == self.at.region.as_str() {
            true => Ok(arn),
            false => Err(asked.failed(FailureKind::Refused, format!("{arn} is in another Region"), Sent::No)),
        }
    }

    async fn stream_arn(&self, asked: &Asked<'_>, stream: &StreamName) -> Result<Arn, AwsFailure> {
        const SUMMARY: &str = "kinesis:DescribeStreamSummary";
        let request = self.at.kinesis().describe_stream_summary().stream_name(stream.as_str());
        let found = self.at.read(Family::StreamSummary, SUMMARY, stream.as_str(), request.send()).await?;
        let summary = found.stream_description_summary;
        summary
            .map(|summary| Arn::new(summary.stream_arn))
            .ok_or_else(|| asked.failed(FailureKind::Unreadable, "the stream has no summary", Sent::No))
    }

    async fn consumer_arn(
        &self,
        asked: &Asked<'_>,
        stream: &Arn,
        consumer: &StreamName,
    ) -> Result<Arn, AwsFailure> {
        const LIST: &str = "kinesis:ListStreamConsumers";
        let mut token = None::<String>;
        for _ in 0..MOST_PAGES {
            let request =
                self.at.kinesis().list_stream_consumers().stream_arn(stream.as_str()).set_next_token(token);
            let page = self.at.read(Family::StreamData, LIST, stream.as_str(), request.send()).await?;
            if let Some(found) = page.consumers().iter().find(|c| c.consumer_name == consumer.as_str()) {
                let status = found.consumer_status.as_str();
                return match status {
                    "ACTIVE" => Ok(Arn::new(&found.consumer_arn)),
                    _ => {
                        let text = format!("the fan-out consumer {consumer} is {status}; it must be ACTIVE");
                        Err(asked.failed(FailureKind::Refused, text, Sent::No))
                    }
                };
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        let text =
            format!("the stream has no fan-out consumer {consumer}; register it (RegisterStreamConsumer)");
        Err(asked.failed(FailureKind::NotFound, text, Sent::No))
    }
}

/// Whether an ARN is the source that an effect names. A mapping of the stream and one of its fan-out consumer
/// are two sources with two checkpoints.
pub(super) fn is_source(arn: &Arn, source: &MappingSource) -> bool {
    let consumer = match source {
        MappingSource::Stream(_) => None,
        MappingSource::StreamConsumer { consumer, .. } => Some(consumer.as_str()),
    };
    arn.stream() == Some(source.stream().as_str()) && arn.stream_consumer() == consumer
}

/// The one mapping that is not being deleted.
///
/// # Errors
/// With more than one, a sentence that names them all: which one is meant is not for kdsha to guess.
pub(super) fn the_one(found: Vec<Mapping>) -> Result<Option<Mapping>, String> {
    let mut there: Vec<Mapping> =
        found.into_iter().filter(|mapping| mapping.state != MappingState::Deleting).collect();
    match there.len() {
        0 | 1 => Ok(there.pop()),
        count => {
            let each = |m: &Mapping| {
                let qualifier = m.qualifier.as_deref().map(|q| format!(" of :{q}")).unwrap_or_default();
                format!("{} ({}{qualifier})", m.id, m.state)
            };
            let names: Vec<String> = there.iter().map(each).collect();
            Err(format!(
                "{count} mappings of this function on this source: {}; delete all but one",
                names.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_and_its_fan_out_consumer_are_two_sources() {
        let stream = Arn::new("arn:aws:kinesis:us-west-2:123456789012:stream/S");
        let consumer = Arn::new("arn:aws:kinesis:us-west-2:123456789012:stream/S/consumer/C:1700000000");
        let name = |text: &str| text.parse::<StreamName>().expect("a stream name");
        let direct = MappingSource::Stream(name("S"));
        let fanned = MappingSource::StreamConsumer { stream: name("S"), consumer: name("C") };
        assert!(is_source(&stream, &direct) && is_source(&consumer, &fanned));
        assert!(!is_source(&stream, &fanned) && !is_source(&consumer, &direct));
        assert!(!is_source(&stream, &MappingSource::Stream(name("S2"))));
    }
}
