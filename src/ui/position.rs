//! A start position with its arithmetic: the data points, what is taken off, what it costs in duplicates.

use super::look::{Look, Mark, Tone};
use super::text;
use crate::model::{StartAt, Timestamp, duration};
use crate::plan::position::{Anchor, Buffer, Origin, Position};
use std::time::Duration;

fn start(look: Look, position: &Position, today: Timestamp) -> String {
    let text = match position.start {
        StartAt::TrimHorizon => "TRIM_HORIZON (the oldest record that the stream still has)".to_owned(),
        StartAt::Timestamp(at) => format!("AT_TIMESTAMP {}", text::time(at, today)),
    };
    look.paint(Tone::Strong, text)
}

/// The duplicates in words.
pub(crate) fn duplicates(position: &Position) -> String {
    let reach = position.rewind.map(|back| format!(" (the last {})", duration::show(back)));
    let reach = reach.unwrap_or_default();
    match position.duplicates {
        Some(n) => {
            format!("about {} are processed a second time{reach}", text::plural(n as usize, "record"))
        }
        None if !reach.is_empty() => format!("unknown number{reach}"),
        None if position.start == StartAt::TrimHorizon => {
            "unknown: up to everything that the stream still has".to_owned()
        }
        None => "unknown: IncomingRecords gave no answer".to_owned(),
    }
}

/// The data points that decide: a table where it fits, two lines each where it does not.
fn anchors(look: Look, anchors: &[Anchor], today: Timestamp) -> String {
    let row = |anchor: &Anchor| {
        [
            anchor.series.clone(),
            text::count(anchor.points as u64),
            text::exact_time(anchor.decisive.at, today),
            text::exact(text::between(anchor.position, anchor.decisive.at)),
            text::exact_time(anchor.position, today),
        ]
    };
    let rows: Vec<Vec<String>> = anchors.iter().map(|anchor| row(anchor).to_vec()).collect();
    let header = ["series", "points", "point", "- age", "= position"];
    let inner = Look { width: look.columns().saturating_sub(4), ..look };
    if inner.fits(&header, &rows) {
        let table = inner.fitted_table(&header, &rows);
        let named = |anchor: &Anchor| {
            let points = newest(anchor, today)?;
            Some(look.hang("    ", &format!("{}: {points}", anchor.series)))
        };
        let points: String = anchors.iter().filter_map(named).collect();
        return table.lines().map(|line| format!("    {line}\n")).chain([points]).collect();
    }
    let lines = anchors.iter().map(|anchor| {
        let [series, points, point, age, position] = row(anchor);
        let head = look.hang("    ", &format!("{series}, {points} points:"));
        let points = newest(anchor, today).map(|points| look.hang("      newest: ", &points));
        format!("{head}      {point} - {age} = {position}\n{}", points.unwrap_or_default())
    });
    lines.collect()
}

/// The newest points of a series, which the decisive one was chosen from.
fn newest(anchor: &Anchor, today: Timestamp) -> Option<String> {
    let point = |p: &crate::model::Point| {
        let age = text::exact(Duration::from_millis(p.value.max(0.0) as u64));
        format!("{} {age}", text::time(p.at, today))
    };
    let points: Vec<String> = anchor.newest.iter().rev().map(point).collect();
    (points.len() > 1).then(|| points.join(", "))
}

fn sum(label: &str, sign: &str, value: &str) -> String {
    format!("    {label:<34}{sign} {value}\n")
}

fn minus(buffer: &Buffer) -> String {
    let parts = [
        ("overlap buffer", buffer.overlap),
        ("the consumer's time-out", buffer.consumer_timeout),
        ("the batching window", buffer.batching_window),
        ("allowance for clocks and disorder", buffer.allowance),
    ];
    parts.iter().map(|(label, length)| sum(label, "-", &duration::show(*length))).collect()
}

/// Where the consumer of one pipeline starts, and what that costs, without the arithmetic.
pub(crate) fn brief(look: Look, pipeline: &str, position: &Position, today: Timestamp) -> String {
    let start = start(look, position, today);
    look.hang("  ", &format!("{pipeline} starts {start}: {}.", duplicates(position))) + &notes(look, position)
}

fn notes(look: Look, position: &Position) -> String {
    let note = |note: &String| look.hang(&format!("    {} ", look.mark(Mark::Note)), note);
    position.notes.iter().map(note).collect()
}

/// The position of one pipeline.
pub(crate) fn render(look: Look, pipeline: &str, position: &Position, today: Timestamp) -> String {
    let mut out = look.hang("  ", &format!("{pipeline} starts {}", start(look, position, today)));
    match &position.origin {
        Origin::Derived { anchors: points, window_from, earliest } => {
            out += &anchors(look, points, today);
            out += &sum("earliest position", " ", &text::exact_time(*earliest, today));
            out += &minus(&position.buffer);
            if let StartAt::Timestamp(at) = position.start {
                out += &sum("start (whole seconds)", "=", &text::time(at, today));
            }
            out += &look
                .hang("    ", &format!("The window reaches back to {}.", text::time(*window_from, today)));
        }
        Origin::Operator => out += &look.hang("    ", "Given with --start-at; nothing was taken off."),
        Origin::RunMark => {
            out += &look.hang("    ", "From the mark of the unfinished run on the standby stream.")
        }
    }
    out += &look.hang("    duplicates: ", &format!("{}.", duplicates(position)));
    out + &notes(look, position)
}
