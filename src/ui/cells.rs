//! The cells of the status table. A part that did not answer is `unknown [n]`, with the reason in a footnote; a part
//! that nobody asked for is `not asked`. Neither is ever blank or zero.

use super::look::Look;
use super::status::StatusInput;
use super::text;
use crate::config::{Pipeline, StandbyMode};
use crate::model::failure::FailureKind;
use crate::model::{
    FunctionView, Mapping, Observed, PipelineView, ProducerView, ReaderView, Reason, Region, RunState,
    Series, Side, SideView, StreamMode, StreamView, duration,
};
use crate::plan::assess::{self, Health, Rates};

/// Footnotes: each reason once, and of a silent Region only that it is.
#[derive(Default)]
pub(crate) struct Notes {
    silent: Vec<Region>,
    notes: Vec<String>,
}

impl Notes {
    pub(crate) fn of(input: &StatusInput<'_>) -> Notes {
        let regions = &input.topology.regions;
        let silent = [&regions.primary, &regions.standby].into_iter();
        let silent = silent.filter(|region| assess::is_silent(input.snapshot, region));
        Notes { silent: silent.cloned().collect(), notes: Vec::new() }
    }

    /// `unknown [n]`, or `not asked`.
    pub(crate) fn unknown(&mut self, reason: &Reason) -> String {
        match reason.kind {
            FailureKind::NotAsked => "not asked".to_owned(),
            _ => self.unknown_because(&reason.text),
        }
    }

    pub(crate) fn unknown_because(&mut self, text: &str) -> String {
        let silent = self.silent.iter().find(|region| text.contains(region.as_str()));
        let text = silent.map_or_else(|| text.to_owned(), |region| format!("{region} is SILENT"));
        let known = self.notes.iter().position(|note| *note == text);
        let index = known.unwrap_or_else(|| {
            self.notes.push(text);
            self.notes.len() - 1
        });
        format!("unknown [{}]", index + 1)
    }

    /// The footnotes.
    pub(crate) fn render(&self, look: Look) -> String {
        let line = |(index, note): (usize, &String)| look.hang(&format!("[{}] ", index + 1), note);
        self.notes.iter().enumerate().map(line).collect()
    }
}

/// What the cells are made from.
pub(crate) struct Cells<'a, 'b> {
    pub(crate) input: &'a StatusInput<'a>,
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) view: &'a PipelineView,
    pub(crate) notes: &'b mut Notes,
}

/// Nothing belongs here.
const NOTHING: &str = "-";

impl Cells<'_, '_> {
    /// Label, primary, standby.
    pub(crate) fn rows(&mut self) -> Vec<Vec<String>> {
        let mut rows = vec![
            self.row("stream", Cells::stream),
            self.row("producers", Cells::producers),
            self.row("consumer", Cells::consumer),
            self.row("  lag", Cells::consumer_lag),
        ];
        if self.pipeline.replicator.is_some() {
            rows.push(self.row("replicator", Cells::replicator));
            rows.push(self.row("  lag", Cells::replicator_lag));
        }
        rows.push(self.row("arrivals", Cells::arrivals));
        rows.push(self.row("health", Cells::errors));

        rows
    }

    fn row(&mut self, label: &str, cell: impl Fn(&mut Self, Side) -> String) -> Vec<String> {
        vec![label.to_owned(), cell(self, Side::Primary), cell(self, Side::Standby)]
    }

    fn side(&self, side: Side) -> &SideView {
        self.view.side(side)
    }

    fn stream(&mut self, side: Side) -> String {
        let name = self.side(side).stream_name.to_string();
        match self.side(side).stream.clone() {
            Observed::Known(stream) => describe(&name, &stream),
            Observed::Unknown(reason) => format!("{name}\n{}", self.notes.unknown(&reason)),
        }
    }

    /// The producers that write here; those whose target is not known or is elsewhere, where they live.
    fn producers(&mut self, side: Side) -> String {
        let view = self.view;
        let lines: Vec<String> = view.producers.iter().filter_map(|p| self.producer(p, side)).collect();
        if lines.is_empty() { NOTHING.to_owned() } else { lines.join("\n") }
    }

    fn producer(&mut self, producer: &ProducerView, side: Side) -> Option<String> {
        let regions = &self.input.topology.regions;
        let here = regions.of(side);
        let lives_here = producer.region == *here;
        let from = if lives_here { String::new() } else { format!(" (runs in {})", producer.region) };
        let status = match &producer.function {
            Observed::Known(function) if function.last_update_status != "Successful" => {
                format!(", update {}", function.last_update_status)
            }
            _ => String::new(),
        };
        match &producer.region_value {
            Observed::Known(Some(target)) if target == here.as_str() => {
                Some(format!("{}\nwrites here{from}{status}", producer.name))
            }
            Observed::Known(Some(target)) if *target == regions.of(side.other()).as_str() => None,
            _ if !lives_here => None,
            Observed::Known(Some(target)) => Some(format!("{}\nwrites to {target}{status}", producer.name)),
            Observed::Known(None) => Some(format!("{}\nvariable not set{status}", producer.name)),
            Observed::Unknown(reason) => {
                let unknown = self.notes.unknown(reason);
                Some(format!("{}\nwrites to {unknown}", producer.name))
            }
        }
    }

    fn consumer(&mut self, side: Side) -> String {
        let reader = self.side(side).consumer.clone();
        let is_cold = side == Side::Standby && self.pipeline.standby == StandbyMode::Cold;
        self.reader(&reader, if is_cold { "no mapping (cold)" } else { "no mapping" })
    }

    fn replicator(&mut self, side: Side) -> String {
        match self.side(side).replicator.clone() {
            Some(reader) => self.reader(&reader, "no mapping"),
            None => NOTHING.to_owned(),
        }
    }

    fn reader(&mut self, reader: &ReaderView, none: &str) -> String {
        let mut lines = vec![reader.name.to_string()];
        match &reader.function {
            Observed::Known(function) => lines.extend(trouble(function)),
            Observed::Unknown(reason) => lines.push(format!("function {}", self.notes.unknown(reason))),
        }
        match &reader.stream_consumer {
            Some(Observed::Known(Some(consumer))) if consumer.status != "ACTIVE" => {
                lines.push(format!("fan-out {} {}", consumer.name, consumer.status));
            }
            Some(Observed::Known(None)) => lines.push("fan-out consumer missing".to_owned()),
            Some(Observed::Unknown(reason)) => lines.push(format!("fan-out {}", self.notes.unknown(reason))),
            _ => {}
        }
        match &reader.mappings {
            Observed::Unknown(reason) => lines.push(format!("mapping {}", self.notes.unknown(reason))),
            Observed::Known(mappings) if mappings.is_empty() => lines.push(none.to_owned()),
            Observed::Known(mappings) => {
                if mappings.len() > 1 {
                    lines.push(format!("TWO OR MORE mappings: {}", mappings.len()));
                }
                lines.extend(mappings.iter().flat_map(|mapping| self.mapping(mapping)));
            }
        }
        lines.join("\n")
    }

    fn mapping(&self, mapping: &Mapping) -> Vec<String> {
        use crate::model::StartingPosition;
        let now = self.input.snapshot.taken_at;
        let id: String = mapping.id.as_str().chars().take(8).collect();
        let qualifier = mapping.qualifier.as_ref().map(|q| format!(" (:{q})")).unwrap_or_default();
        let position = match mapping.position {
            Some(StartingPosition::AtTimestamp(at)) => format!("from {}", text::time(at, now)),
            Some(other) => format!("from {other}"),
            None => "start position unknown".to_owned(),
        };
        let mut lines = vec![format!("mapping {id} {}{qualifier}", mapping.state), position];
        lines.extend(mapping.last_processing_result.as_ref().map(|result| format!("last result: {result}")));
        lines
    }

    fn consumer_lag(&mut self, side: Side) -> String {
        let view = self.view.side(side);
        self.lag(view, &view.consumer)
    }

    fn replicator_lag(&mut self, side: Side) -> String {
        let view = self.view.side(side);
        match &view.replicator {
            Some(reader) => self.lag(view, reader),
            None => NOTHING.to_owned(),
        }
    }

    fn lag(&mut self, side: &SideView, reader: &ReaderView) -> String {
        if reader.mappings.known().is_some_and(Vec::is_empty) {
            return NOTHING.to_owned();
        }
        match assess::lag(side, reader, self.input.snapshot.taken_at) {
            Observed::Known(lag) => {
                let stale = if lag.sample_age > self.input.topology.timing.fresh { ", STALE" } else { "" };
                let rpo = self.input.topology.objectives.rpo;
                let over = match lag.lag > rpo {
                    true => format!("\nOVER THE RPO of {}", duration::show(rpo)),
                    false => String::new(),
                };
                format!("{} (sample {} old{stale}){over}", text::exact(lag.lag), text::whole(lag.sample_age))
            }
            Observed::Unknown(reason) => self.notes.unknown(&reason),
        }
    }

    fn arrivals(&mut self, side: Side) -> String {
        match self.side(side).metrics.incoming_records.clone() {
            Observed::Known(series) => self.newest(&series),
            Observed::Unknown(reason) => self.notes.unknown(&reason),
        }
    }

    fn newest(&mut self, series: &Series) -> String {
        let now = self.input.snapshot.taken_at;
        match series.complete(now).last() {
            Some(point) => {
                let age = text::between(point.at + series.period, now);
                let period = duration::show(series.period);
                format!("{} in {period} ({} ago)", text::count_f64(point.value), text::whole(age))
            }
            None => {
                self.notes.unknown_because("IncomingRecords has no data point; no data is not zero arrivals")
            }
        }
    }

    fn errors(&mut self, side: Side) -> String {
        let topology = self.input.topology;
        let now = self.input.snapshot.taken_at;
        let health = assess::health(&self.side(side).metrics, &topology.objectives, &topology.timing, now);
        let limit = text::percent(topology.objectives.error_rate);
        match health {
            Health::Healthy(rates) => format!("healthy, {}", shares(rates, &limit)),
            Health::Degraded(rates) => format!("DEGRADED, {}", failing(rates)),
            Health::Unknown(why) => self.notes.unknown_because(&why),
        }
    }

    /// The run mark of the standby stream: too long for a column.
    pub(crate) fn mark(&mut self) -> String {
        match self.view.standby.mark.clone() {
            Observed::Known(None) => "none".to_owned(),
            Observed::Known(Some(mark)) => {
                let state = match mark.state {
                    RunState::Open => "OPEN",
                    RunState::Owed => "OWED",
                    RunState::Closed => "closed",
                };
                let since = text::time(mark.token.marked_at, self.input.snapshot.taken_at);
                format!("{state}: {} by {} since {since}, run {}", mark.intent, mark.owner, mark.run)
            }
            Observed::Unknown(reason) => self.notes.unknown(&reason),
        }
    }
}

fn describe(name: &str, stream: &StreamView) -> String {
    let mode = match stream.mode {
        StreamMode::Provisioned => "provisioned",
        StreamMode::OnDemand => "on-demand",
    };
    let shards = text::plural(stream.open_shards as usize, "shard");
    format!("{name}, {}\n{mode}, {shards}, keeps {}h", stream.status, stream.retention_hours)
}

/// What keeps a function from running.
fn trouble(function: &FunctionView) -> Vec<String> {
    let mut lines = Vec::new();
    if function.state != "Active" {
        lines.push(format!("function is {}", function.state));
    }
    if function.last_update_status != "Successful" {
        lines.push(format!("last update {}", function.last_update_status));
    }
    if function.reserved_concurrency == Some(0) {
        lines.push("STOPPED: reserved concurrency 0".to_owned());
    }
    lines
}

/// The error rate against its limit, and the throttled share where there is one.
pub(crate) fn shares(rates: Rates, limit: &str) -> String {
    format!("{} errors (limit {limit}){}", text::percent(rates.errors), throttled(rates))
}

/// What fails and how much of it, in words that fit a narrow cell: the check beside it says the limit.
pub(crate) fn failing(rates: Rates) -> String {
    format!("{} {} errors{}", rates.operation, text::percent(rates.errors), throttled(rates))
}

fn throttled(rates: Rates) -> String {
    match rates.throttled > 0.0 {
        true => format!(", throttled {}", text::percent(rates.throttled)),
        false => String::new(),
    }
}
