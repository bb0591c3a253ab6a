//! What was found, with its evidence: a table for people, `kdsha.init/1` for programs.

use super::Looked;
use crate::config::{self, PerSide, StandbyMode};
use crate::model::{AccountId, FunctionName, PipelineName, Region, Side, StreamName};
use crate::plan::discover::{Evidence, Found, FoundPipeline, LeftOut};
use crate::ui::{Format, Ui};
use serde::Serialize;
use std::path::Path;

/// `kdsha.init/1`: what was found, and the file that says it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Document<'a> {
    /// The account that was looked at.
    account: Option<&'a AccountId>,
    /// The two Regions.
    regions: Pair<&'a Region>,
    /// How the standby Region is known.
    standby_because: &'a str,
    /// The pipelines.
    pipelines: Vec<Pipeline<'a>>,
    /// What there is no pipeline of, and why.
    left_out: &'a [LeftOut],
    /// The file; null in a dry run, which writes none.
    path: Option<String>,
    /// What is in it.
    text: &'a str,
}

/// A value for each side.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Pair<T> {
    /// The primary's.
    primary: T,
    /// The standby's.
    standby: T,
}

impl<'a, T> From<&'a PerSide<T>> for Pair<&'a T> {
    fn from(both: &'a PerSide<T>) -> Pair<&'a T> {
        Pair { primary: &both.primary, standby: &both.standby }
    }
}

/// A pipeline that was found.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Pipeline<'a> {
    /// Its name.
    name: &'a PipelineName,
    /// `cold` or `warm`.
    standby: &'static str,
    /// Its streams.
    stream: Pair<&'a StreamName>,
    /// Its producers.
    producers: Vec<Producer<'a>>,
    /// Its consumer.
    consumer: Consumer<'a>,
    /// Its replicator.
    replicator: Option<Replicator<'a>>,
    /// Its sink.
    sink: Option<Sink<'a>>,
    /// How its parts are known.
    evidence: &'a [Evidence],
    /// What somebody should look at.
    doubts: &'a [String],
}

/// A producer.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Producer<'a> {
    /// The function.
    function: &'a FunctionName,
    /// Where it lives.
    region: Side,
    /// The variable that holds the Region.
    region_variable: &'a str,
    /// The variable that holds the stream.
    stream_variable: Option<&'a str>,
}

/// A consumer.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Consumer<'a> {
    /// The functions.
    function: Pair<&'a FunctionName>,
    /// The fan-out consumer that they read through.
    stream_consumer: Option<&'a StreamName>,
}

/// A replicator.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Replicator<'a> {
    /// The function.
    function: &'a FunctionName,
    /// The fan-out consumer that it reads through.
    stream_consumer: Option<&'a StreamName>,
}

/// A sink.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Sink<'a> {
    /// The table.
    table: &'a str,
    /// The attribute that names Regions.
    region_attribute: &'a str,
}

/// Shows what was found; in a dry run the file itself is what is on stdout.
pub(super) fn found(ui: &Ui, looked: &Looked, found: &Found, text: &str, path: Option<&Path>) {
    for left in &found.left_out {
        ui.note(&format!("left out: {}: {}", left.what, left.why));
    }
    let doubts = found.pipelines.iter().flat_map(|one| one.doubts.iter().map(move |doubt| (one, doubt)));
    for (one, doubt) in doubts {
        ui.note(&format!("look at this: {}: {doubt}", one.pipeline.name));
    }
    if ui.settings().format == Format::Human && path.is_none() {
        return ui.raw(text);
    }
    let rows: Vec<Vec<String>> = found.pipelines.iter().flat_map(rows).collect();
    let document = Document {
        account: looked.survey.identity.known().map(|identity| &identity.account),
        regions: Pair { primary: &looked.regions.primary, standby: &looked.regions.standby },
        standby_because: &looked.standby_because,
        pipelines: found.pipelines.iter().map(Pipeline::of).collect(),
        left_out: &found.left_out,
        path: path.map(|path| path.display().to_string()),
        text,
    };
    ui.table(&["found", "name", "because"], &rows, "kdsha.init/1", &document);
    if let Some(path) = path {
        ui.note(&format!("wrote {}; it holds all of this as comments", path.display()));
    }
}

fn rows(one: &FoundPipeline) -> Vec<Vec<String>> {
    let mode = format!("{} standby", mode(one.pipeline.standby));
    let head = vec!["pipeline".to_owned(), one.pipeline.name.to_string(), mode];
    let row = |e: &Evidence| vec![format!("  {}", e.part), e.name.clone(), e.because.clone()];
    std::iter::once(head).chain(one.evidence.iter().map(row)).collect()
}

fn mode(standby: StandbyMode) -> &'static str {
    match standby {
        StandbyMode::Cold => "cold",
        StandbyMode::Warm => "warm",
    }
}

impl<'a> Pipeline<'a> {
    fn of(found: &'a FoundPipeline) -> Pipeline<'a> {
        let one = &found.pipeline;
        let (consumer, replicator, sink) = (&one.consumer, one.replicator.as_ref(), one.sink.as_ref());
        Pipeline {
            name: &one.name,
            standby: mode(one.standby),
            stream: Pair::from(&one.stream),
            producers: one.producers.iter().map(Producer::of).collect(),
            consumer: Consumer {
                function: Pair::from(&consumer.function),
                stream_consumer: consumer.stream_consumer.as_ref(),
            },
            replicator: replicator.map(|replicator| Replicator {
                function: &replicator.function,
                stream_consumer: replicator.stream_consumer.as_ref(),
            }),
            sink: sink.map(|sink| Sink { table: &sink.table, region_attribute: &sink.region_attribute }),
            evidence: &found.evidence,
            doubts: &found.doubts,
        }
    }
}

impl<'a> Producer<'a> {
    fn of(producer: &'a config::Producer) -> Producer<'a> {
        Producer {
            function: &producer.function,
            region: producer.side,
            region_variable: &producer.region_variable,
            stream_variable: producer.stream_variable.as_deref(),
        }
    }
}
