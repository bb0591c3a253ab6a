//! From what two Regions hold to pipelines: pure, and every finding says how it is known.
//!
//! The thread that is followed is the event source mapping: a stream that a function reads, and that has a twin in
//! the other Region, is a pipeline's. A reader whose environment names the other Region is the replicator, the
//! other one the consumer; a function whose environment names the stream and one of the Regions is a producer. What
//! more than one function may be is an open [`Choice`]: the caller answers it and asks again.

mod lists;
mod producers;
mod readers;
#[cfg(test)]
mod tests;

use crate::config::{
    Consumer, MappingOverrides, PerSide, Pipeline, Producer, Regions, Replicator, StandbyMode,
};
use crate::model::{Environment, FunctionName, PipelineName, Region, RegionSurvey, StreamName, Survey};
use lists::Lists;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The post's overlap.
const OVERLAP_BUFFER: Duration = Duration::from_secs(300);

/// What the operator said, by flags or by answering. Empty is nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wishes {
    /// These streams alone.
    pub streams: Vec<PerSide<StreamName>>,
    /// Names of the pipelines, in the order of the streams.
    pub names: Vec<PipelineName>,
    /// Functions that are consumers where several may be.
    pub consumers: Vec<PerSide<FunctionName>>,
    /// Functions that are replicators where several may be.
    pub replicators: Vec<FunctionName>,
    /// Nothing is a replicator.
    pub no_replicator: bool,
    /// Functions that are producers even where no variable names the stream.
    pub producers: Vec<FunctionName>,
    /// The variable that names the Region, where several do.
    pub region_variables: Vec<String>,
    /// The variable that names the stream, where several do.
    pub stream_variables: Vec<String>,
    /// Tables that are sinks where several may be.
    pub tables: Vec<String>,
    /// Whether the standby's consumers always run.
    pub mode: Option<StandbyMode>,
    /// Answers to open choices; an empty one is "none of them".
    pub answers: BTreeMap<Question, String>,
}

/// What may be open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Which reader of the stream is the consumer.
    Consumer(StreamName),
    /// Which function is the consumer in the standby Region.
    StandbyConsumer(StreamName),
    /// Which reader of the stream is the replicator.
    Replicator(StreamName),
    /// Which variable of a producer holds the Region.
    RegionVariable(FunctionName),
    /// Which variable of a producer holds the stream.
    StreamVariable(FunctionName),
    /// Which table the consumer writes to.
    Table(StreamName),
}

/// One that may be it, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Candidate {
    /// A function, a variable or a table.
    pub name: String,
    /// How that is known.
    pub because: String,
}

/// More than one may be it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is open.
    pub question: Question,
    /// The question in words.
    pub text: String,
    /// The flag that answers it.
    pub flag: &'static str,
    /// At least two.
    pub candidates: Vec<Candidate>,
    /// Whether it may be none of them.
    pub may_be_none: bool,
}

/// A part of a pipeline, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evidence {
    /// `stream`, `consumer`, `replicator`, `producer`, `sink`.
    pub part: &'static str,
    /// Its name.
    pub name: String,
    /// How that is known. Variables are named; their values are not, unless they are a Region or a stream's name.
    pub because: String,
}

/// A pipeline that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundPipeline {
    /// It, without a sink.
    pub pipeline: Pipeline,
    /// How its parts are known.
    pub evidence: Vec<Evidence>,
    /// What somebody should look at.
    pub doubts: Vec<String>,
    /// The table that its consumer writes to.
    pub table: Option<Candidate>,
    /// Producers of the same name in the standby Region.
    pub spare: Vec<Producer>,
}

/// Something that looked like a part of a pipeline, and why there is none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LeftOut {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// By stream, or in the order of the streams that were asked for.
    pub pipelines: Vec<FoundPipeline>,
    /// What there is no pipeline of.
    pub left_out: Vec<LeftOut>,
}

/// Why nothing can be said yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// Somebody has to choose.
    Choice(Box<Choice>),
    /// A list could not be read: what is not known is not taken for absent. All the reasons.
    Unread(Vec<String>),
}

impl From<Choice> for Open {
    fn from(choice: Choice) -> Open {
        Open::Choice(Box::new(choice))
    }
}

/// Finds the pipelines.
///
/// # Errors
/// See [`Open`].
pub fn discover(regions: &Regions, survey: &Survey, wishes: &Wishes) -> Result<Found, Open> {
    let lists = Lists::of(regions, survey)?;
    let mut found = Found::default();
    for (index, pair) in lists.pairs(wishes, &mut found.left_out).into_iter().enumerate() {
        let name = wishes.names.get(index).cloned();
        match pipeline(&lists, wishes, &pair, name)? {
            Ok(one) => found.pipelines.push(one),
            Err(why) => found.left_out.push(LeftOut { what: format!("stream {}", pair.primary), why }),
        }
    }
    Ok(found)
}

/// One pair of streams as a pipeline; the inner error is why it is none.
fn pipeline(
    lists: &Lists<'_>,
    wishes: &Wishes,
    pair: &PerSide<StreamName>,
    name: Option<PipelineName>,
) -> Result<Result<FoundPipeline, String>, Open> {
    let mut evidence = vec![Evidence {
        part: "stream",
        name: pair.primary.to_string(),
        because: match pair.primary == pair.standby {
            true => format!("is in {} and in {}", lists.regions.primary, lists.regions.standby),
            false => format!("is copied to {} in {}", pair.standby, lists.regions.standby),
        },
    }];
    let mut doubts = Vec::new();
    let replicator = readers::replicator(lists, wishes, pair)?;
    let consumer = match readers::consumer(lists, wishes, pair, replicator.as_ref())? {
        Ok(consumer) => consumer,
        Err(why) => return Ok(Err(why)),
    };
    let producers = producers::producers(lists, wishes, pair)?;
    if producers.found.is_empty() {
        let why = "no function has a variable that holds this stream's name and one that holds a Region; name its \
                   producer with --producer";
        return Ok(Err(why.to_owned()));
    }
    let table = readers::table(lists, wishes, pair, &consumer)?;
    evidence.push(consumer.evidence());
    evidence.extend(replicator.iter().map(readers::FoundReplicator::evidence));
    evidence.extend(producers.evidence);
    doubts.extend(producers.doubts);
    let standby = match wishes.mode {
        Some(mode) => mode,
        None => {
            let (mode, doubt) = consumer.mode(lists.regions);
            doubts.extend(doubt);
            mode
        }
    };
    let name = match name {
        Some(name) => name,
        None => default_name(&pair.primary).ok_or_else(|| Open::Unread(vec![pair.primary.to_string()]))?,
    };
    let pipeline = Pipeline {
        name,
        standby,
        stream: pair.clone(),
        overlap_buffer: OVERLAP_BUFFER,
        producers: producers.found,
        consumer: Consumer {
            function: consumer.function.clone(),
            stream_consumer: consumer.fan_out.clone(),
            overrides: MappingOverrides::default(),
        },
        replicator: replicator
            .map(|found| Replicator { function: found.function, stream_consumer: found.fan_out }),
        sink: None,
    };
    Ok(Ok(FoundPipeline { pipeline, evidence, doubts, table, spare: producers.spare }))
}

/// The stream's own name, as far as a pipeline's may be long.
fn default_name(stream: &StreamName) -> Option<PipelineName> {
    stream.as_str().chars().take(64).collect::<String>().parse().ok()
}

/// The Regions other than the primary that its functions name, each with a function and its variable: where the
/// pipelines may go. Only functions that read a stream, or name one, are asked.
pub fn standby_candidates(primary: &RegionSurvey) -> Vec<(Region, Candidate)> {
    let (Some(functions), Some(mappings), Some(streams)) =
        (primary.functions.known(), primary.mappings.known(), primary.streams.known())
    else {
        return Vec::new();
    };
    let mut found: BTreeMap<Region, Candidate> = BTreeMap::new();
    for (name, environment) in functions {
        let Environment::Readable(variables) = environment else { continue };
        let names_a_stream = variables.values().any(|v| streams.iter().any(|s| s.as_str() == v.expose()));
        if !names_a_stream && !mappings.iter().any(|mapping| mapping.function == *name) {
            continue;
        }
        for (key, value) in variables {
            if let Some(region) = other_region(value.expose(), &primary.region) {
                let because = format!("variable {key} of {name} names it");
                found.entry(region.clone()).or_insert(Candidate { name: region.to_string(), because });
            }
        }
    }
    found.into_iter().collect()
}

/// A value that is a Region other than this one. Many names have a Region's form (`my-queue-1`), so its parts
/// have to be ones that AWS uses.
fn other_region(value: &str, than: &Region) -> Option<Region> {
    const AREAS: [&str; 11] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx", "cn", "eusc"];
    const POINTS: [&str; 5] = ["north", "south", "east", "west", "central"];
    let region: Region = value.parse().ok()?;
    let mut parts = value.split('-');
    let known = parts.next().is_some_and(|area| AREAS.contains(&area))
        && parts.any(|part| POINTS.iter().any(|point| part.starts_with(point)));
    (known && region != *than).then_some(region)
}

/// The only candidate, or the one that was wished for or answered; none is none.
fn pick(
    wishes: &Wishes,
    choice: Choice,
    is_wished: impl Fn(&str) -> bool,
) -> Result<Option<Candidate>, Open> {
    if let Some(answer) = wishes.answers.get(&choice.question) {
        return Ok(choice.candidates.into_iter().find(|candidate| candidate.name == *answer));
    }
    let mut wished = choice.candidates.iter().filter(|candidate| is_wished(&candidate.name));
    if let (Some(one), None) = (wished.next(), wished.next()) {
        return Ok(Some(one.clone()));
    }
    match choice.candidates.len() {
        0 | 1 => Ok(choice.candidates.into_iter().next()),
        _ => Err(choice.into()),
    }
}
