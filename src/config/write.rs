//! [`Topology`] -> a commented `kdsha.toml`, which reads back as the same topology.
//!
//! What is at its default is written as a comment, so that the file says what may be set and still follows the
//! defaults of later versions.

use super::topology::{
    Consumer, Objectives, PerSide, Pipeline, Producer, Replicator, Sink, StandbyMode, Timing, Topology,
};
use crate::model::{PipelineName, Side};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is said beside the settings: how they came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Lines at the head of the file.
    pub head: Vec<String>,
    /// Lines above a pipeline.
    pub pipelines: BTreeMap<PipelineName, Vec<String>>,
    /// TOML that may be taken in by taking the `# ` away, below a pipeline's producers.
    pub spare: BTreeMap<PipelineName, Vec<String>>,
}

/// Columns of a sentence.
const WIDTH: usize = 110;
/// Column of the comments behind settings.
const COMMENT: usize = 33;

/// The file.
pub fn render(topology: &Topology, remarks: &Remarks) -> String {
    let mut out = Lines::default();
    remarks.head.iter().for_each(|line| out.comment(line));
    out.head("[regions]", "");
    out.set("primary", &text(topology.regions.primary.as_str()), "where the pipelines belong");
    out.set("standby", &text(topology.regions.standby.as_str()), "where they go when the primary fails");
    let guard = "guard: refuse to run with credentials of another account";
    match &topology.account {
        Some(id) => {
            out.head("[account]", guard);
            out.set("id", &text(id.as_str()), "");
        }
        None => {
            out.head("# [account]", guard);
            out.unset("id", "\"123456789012\"", "");
        }
    }
    objectives(&mut out, &topology.objectives);
    timing(&mut out, &topology.timing);
    endpoints(&mut out, topology);
    for one in &topology.pipelines {
        pipeline(&mut out, one, remarks);
    }
    out.0
}

/// A TOML string.
fn text(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

/// A length of time that reads back exactly.
fn length(value: Duration) -> String {
    match value.subsec_millis() {
        0 => text(&crate::model::duration::show(value)),
        _ => text(&format!("{}ms", value.as_millis())),
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    /// A sentence, on as many lines as it needs.
    fn comment(&mut self, sentence: &str) {
        let mut line = String::from("#");
        for word in sentence.split_whitespace() {
            if line.len() + word.len() >= WIDTH && line.len() > 4 {
                self.verbatim(&line[1..]);
                line = String::from("#  ");
            }
            line.push(' ');
            line += word;
        }
        self.verbatim(&line[1..]);
    }
    /// A line as it is; what would end a comment does not.
    fn verbatim(&mut self, line: &str) {
        let fit: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.0 += &format!("#{}\n", fit.trim_end());
    }
    fn beside(&mut self, left: &str, comment: &str) {
        match comment {
            "" => self.0 += &format!("{left}\n"),
            _ => self.0 += &format!("{left:<width$}# {comment}\n", width = COMMENT.max(left.len() + 1)),
        }
    }
    fn head(&mut self, table: &str, comment: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.beside(table, comment);
    }
    fn set(&mut self, key: &str, value: &str, comment: &str) {
        self.beside(&format!("{key} = {value}"), comment);
    }
    /// A key that may be set.
    fn unset(&mut self, key: &str, value: &str, comment: &str) {
        self.beside(&format!("# {key} = {value}"), comment);
    }
    /// A key that is set where it differs from its default.
    fn or_default(&mut self, key: &str, value: &str, default: &str, comment: &str) {
        match value == default {
            true => self.unset(key, value, comment),
            false => self.set(key, value, comment),
        }
    }
    fn optional(&mut self, key: &str, value: Option<String>, example: &str, comment: &str) {
        match value {
            Some(value) => self.set(key, &value, comment),
            None => self.unset(key, example, comment),
        }
    }
}

fn objectives(out: &mut Lines, value: &Objectives) {
    let or = Objectives::default();
    out.head("[objectives]", "optional; these are the defaults");
    out.or_default("rto", &length(value.rto), &length(or.rto), "recovery time objective");
    out.or_default("rpo", &length(value.rpo), &length(or.rpo), "recovery point objective");
    // `{:?}` keeps the point of a whole number, without which it would be no share.
    let rate = |n: f64| format!("{n:?}");
    let share = "unhealthy at or above this share of failed calls ...";
    out.or_default("error_rate", &rate(value.error_rate), &rate(or.error_rate), share);
    out.or_default(
        "error_window",
        &length(value.error_window),
        &length(or.error_window),
        "... over this window",
    );
}

fn timing(out: &mut Lines, value: &Timing) {
    let or = Timing::default();
    out.head("[timing]", "optional; these suit AWS");
    let lines = [
        ("poll", value.poll, or.poll, "between two looks during a wait"),
        ("settle", value.settle, or.settle, "after Disabled, before a mapping counts as stopped"),
        ("fresh", value.fresh, or.fresh, "data points that ended longer ago prove nothing"),
        ("quiet", value.quiet, or.quiet, "how long nothing may arrive before a stream counts as quiet"),
        ("timeout", value.timeout, or.timeout, "for one wait"),
        ("metric_period", value.metric_period, or.metric_period, "CloudWatch's own for AWS metrics"),
    ];
    for (key, value, default, comment) in lines {
        out.or_default(key, &length(value), &length(default), comment);
    }
}

fn endpoints(out: &mut Lines, topology: &Topology) {
    if topology.endpoints.is_empty() {
        return;
    }
    out.head("[endpoints]", "where a Region answers");
    for (region, url) in &topology.endpoints {
        out.set(region.as_str(), &text(url), "");
    }
}

fn both<T: AsRef<str> + PartialEq>(value: &PerSide<T>) -> String {
    let (primary, standby) = (text(value.primary.as_ref()), text(value.standby.as_ref()));
    match value.primary == value.standby {
        true => primary,
        false => format!("{{ primary = {primary}, standby = {standby} }}"),
    }
}

fn pipeline(out: &mut Lines, one: &Pipeline, remarks: &Remarks) {
    out.0.push('\n');
    let lines = |of: &BTreeMap<PipelineName, Vec<String>>| of.get(&one.name).cloned().unwrap_or_default();
    lines(&remarks.pipelines).iter().for_each(|line| out.comment(line));
    out.beside("[[pipeline]]", "");
    out.set("name", &text(one.name.as_str()), "");
    let (mode, meaning) = match one.standby {
        StandbyMode::Cold => {
            ("cold", "the standby's consumer is started at failover; \"warm\": it always runs")
        }
        StandbyMode::Warm => {
            ("warm", "the standby's consumer always runs; \"cold\": it is started at failover")
        }
    };
    out.set("standby", &text(mode), meaning);
    out.set("stream", &both(&one.stream), "");
    let buffer = "how far before the derived position the standby's consumer starts";
    out.set("overlap_buffer", &length(one.overlap_buffer), buffer);
    for producer in &one.producers {
        self::producer(out, producer);
    }
    lines(&remarks.spare).iter().for_each(|line| out.verbatim(&format!(" {line}")));
    consumer(out, &one.consumer);
    one.replicator.iter().for_each(|replicator| self::replicator(out, replicator));
    one.sink.iter().for_each(|sink| self::sink(out, sink));
}

fn producer(out: &mut Lines, value: &Producer) {
    out.head("[[pipeline.producer]]", "one for every function that writes to the stream");
    out.set("function", &text(value.function.as_str()), "");
    let side = if value.side == Side::Primary { "primary" } else { "standby" };
    out.set("region", &text(side), "where the function lives");
    let alias = value.alias.as_deref().map(text);
    out.optional("alias", alias, "\"live\"", "set it where the function is invoked through an alias");
    out.set("region_variable", &text(&value.region_variable), "holds the Region that it writes to");
    let stream = value.stream_variable.as_deref().map(text);
    out.optional("stream_variable", stream, "\"...\"", "holds the stream's name");
}

fn consumer(out: &mut Lines, value: &Consumer) {
    out.head("[pipeline.consumer]", "the function that processes the stream");
    out.set("function", &both(&value.function), "");
    if let Some(name) = &value.stream_consumer {
        out.set("stream_consumer", &text(name.as_str()), "the fan-out consumer that it reads through");
    }
    let own = &value.overrides;
    if *own != super::MappingOverrides::default() {
        out.comment("The standby's mapping takes its settings from the primary's, but for these:");
    }
    let whole = |n: Option<u32>| n.map(|n| n.to_string());
    let window = own.batching_window_seconds.map(|n| length(Duration::from_secs(n.into())));
    let set = [
        ("batch_size", whole(own.batch_size)),
        ("batching_window", window),
        ("parallelization_factor", whole(own.parallelization_factor)),
        ("on_failure", own.on_failure.as_deref().map(text)),
    ];
    for (key, value) in set {
        value.iter().for_each(|value| out.set(key, value, ""));
    }
}

fn replicator(out: &mut Lines, value: &Replicator) {
    out.head("[pipeline.replicator]", "the function that copies the stream to the standby Region");
    out.set("function", &text(value.function.as_str()), "");
    if let Some(name) = &value.stream_consumer {
        out.set("stream_consumer", &text(name.as_str()), "the fan-out consumer that it reads through");
    }
}

fn sink(out: &mut Lines, value: &Sink) {
    out.head("[pipeline.sink]", "where the data lands; verify proves the result there");
    out.set("table", &text(&value.table), "");
    out.set("region_attribute", &text(&value.region_attribute), "names the Region that wrote the item");
}
