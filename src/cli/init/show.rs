//! What was found, with its evidence: a table for people, `kdsha.init/1` for programs.

use super::Looked;
use crate::config::{PerSide, Pipeline, StandbyMode};
use crate::plan::discover::{Evidence, Found, FoundPipeline};
use crate::ui::{Format, Ui};
use serde_json::{Value, json};
use std::fmt::Display;
use std::path::Path;

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
    let document = json!({
        "account": looked.survey.identity.known().map(|identity| identity.account.to_string()),
        "regions": { "primary": looked.regions.primary, "standby": looked.regions.standby },
        "standby_because": looked.standby_because,
        "pipelines": found.pipelines.iter().map(pipeline).collect::<Vec<Value>>(),
        "left_out": found.left_out,
        "path": path.map(|path| path.display().to_string()),
        "text": text,
    });
    ui.table(&["found", "name", "because"], &rows, "kdsha.init/1", &document);
    if let Some(path) = path {
        ui.note(&format!("wrote {}; it holds all of this as comments", path.display()));
    }
}

fn rows(one: &FoundPipeline) -> Vec<Vec<String>> {
    let mode = format!("{} standby", mode(&one.pipeline));
    let head = vec!["pipeline".to_owned(), one.pipeline.name.to_string(), mode];
    let row = |e: &Evidence| vec![format!("  {}", e.part), e.name.clone(), e.because.clone()];
    std::iter::once(head).chain(one.evidence.iter().map(row)).collect()
}

fn mode(pipeline: &Pipeline) -> &'static str {
    match pipeline.standby {
        StandbyMode::Cold => "cold",
        StandbyMode::Warm => "warm",
    }
}

fn both<T: Display>(value: &PerSide<T>) -> Value {
    json!({ "primary": value.primary.to_string(), "standby": value.standby.to_string() })
}

fn pipeline(one: &FoundPipeline) -> Value {
    let Pipeline { name, stream, producers, consumer, replicator, sink, .. } = &one.pipeline;
    let producer = |p: &crate::config::Producer| {
        json!({
            "function": p.function,
            "region": p.side,
            "region_variable": p.region_variable,
            "stream_variable": p.stream_variable,
        })
    };
    json!({
        "name": name,
        "standby": mode(&one.pipeline),
        "stream": both(stream),
        "producers": producers.iter().map(producer).collect::<Vec<Value>>(),
        "consumer": { "function": both(&consumer.function), "stream_consumer": consumer.stream_consumer },
        "replicator": replicator
            .as_ref()
            .map(|r| json!({ "function": r.function, "stream_consumer": r.stream_consumer })),
        "sink": sink
            .as_ref()
            .map(|s| json!({ "table": s.table, "region_attribute": s.region_attribute })),
        "evidence": one.evidence,
        "doubts": one.doubts,
    })
}
