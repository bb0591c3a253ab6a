//! Who writes to a pair of streams: functions with a variable that holds the stream's name and one that holds a Region.

use super::lists::{Half, Lists};
use super::{Candidate, Choice, Evidence, Open, Question, Wishes, pick};
use crate::config::{PerSide, Producer};
use crate::model::{Environment, FunctionName, Side, StreamName};

/// The producers and what there is to say of them.
#[derive(Default)]
pub(super) struct FoundProducers {
    pub(super) found: Vec<Producer>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) doubts: Vec<String>,
    /// Functions of the same names in the standby Region.
    pub(super) spare: Vec<Producer>,
}

/// Every producer, those of the primary Region first.
pub(super) fn producers(
    lists: &Lists<'_>,
    wishes: &Wishes,
    pair: &PerSide<StreamName>,
) -> Result<FoundProducers, Open> {
    let mut all = FoundProducers::default();
    for side in [Side::Primary, Side::Standby] {
        let half = lists.of_side(side);
        let readers = half.readers(pair.of(side));
        let mut closed = 0;
        for (name, environment) in half.functions {
            if readers.iter().any(|reader| reader.function == *name) {
                continue;
            }
            if matches!(environment, Environment::Unreadable(_)) {
                closed += 1;
                continue;
            }
            if let Some((producer, evidence)) = producer(lists, wishes, pair, side, name)? {
                all.add(producer, evidence, half);
            }
        }
        if closed > 0 {
            all.doubts.push(format!(
                "functions in {} whose environment these credentials cannot decrypt: {closed}; a producer may be among \
                 them",
                half.region
            ));
        }
    }
    Ok(all)
}

impl FoundProducers {
    fn add(&mut self, producer: Producer, evidence: Evidence, half: &Half<'_>) {
        let is_twin = self.found.iter().any(|known| known.function == producer.function);
        if is_twin {
            self.doubts.push(format!(
                "{} is in {} as well; where it is invoked there too, take its lines in",
                producer.function, half.region
            ));
            self.spare.push(producer);
            return;
        }
        self.found.push(producer);
        self.evidence.push(evidence);
    }
}

fn producer(
    lists: &Lists<'_>,
    wishes: &Wishes,
    pair: &PerSide<StreamName>,
    side: Side,
    name: &FunctionName,
) -> Result<Option<(Producer, Evidence)>, Open> {
    let half = lists.of_side(side);
    let holding = |values: [&str; 2], what: &str| -> Vec<Candidate> {
        half.variables(name)
            .into_iter()
            .filter(|(key, value)| values.contains(value) && may_be_changed(key))
            .map(|(key, value)| Candidate {
                name: key.to_owned(),
                because: format!("holds the {what} {value}"),
            })
            .collect()
    };
    let regions = holding([lists.regions.primary.as_str(), lists.regions.standby.as_str()], "Region");
    let streams = holding([pair.primary.as_str(), pair.standby.as_str()], "stream");
    let is_named = wishes.producers.contains(name);
    if regions.is_empty() || (streams.is_empty() && !is_named) {
        return Ok(None);
    }
    let region_choice = Choice {
        question: Question::RegionVariable(name.clone()),
        text: format!("Which variable of {name} holds the Region that it writes to?"),
        flag: "--region-variable NAME",
        candidates: regions,
        may_be_none: false,
    };
    let wished = |key: &str| wishes.region_variables.iter().any(|wish| wish == key);
    let Some(region) = pick(wishes, region_choice, wished)? else { return Ok(None) };
    let stream_choice = Choice {
        question: Question::StreamVariable(name.clone()),
        text: format!("Which variable of {name} holds the stream that it writes to?"),
        flag: "--stream-variable NAME",
        candidates: streams,
        may_be_none: false,
    };
    let wished = |key: &str| wishes.stream_variables.iter().any(|wish| wish == key);
    let stream = pick(wishes, stream_choice, wished)?;
    let because = match &stream {
        Some(stream) => format!("{} {}, {} {}", region.name, region.because, stream.name, stream.because),
        None => format!("{} {}, and --producer names it", region.name, region.because),
    };
    let evidence = Evidence { part: "producer", name: name.to_string(), because };
    let producer = Producer {
        function: name.clone(),
        side,
        alias: None,
        region_variable: region.name,
        stream_variable: stream.map(|stream| stream.name),
    };
    Ok(Some((producer, evidence)))
}

/// Lambda sets these itself and refuses a change of them.
fn may_be_changed(key: &str) -> bool {
    !key.starts_with("AWS_LAMBDA_") && key != "AWS_REGION" && key != "AWS_DEFAULT_REGION"
}
