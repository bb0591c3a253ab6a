//! A start position with its arithmetic: the data points, what is taken off, what it costs in duplicates.

use super::look::{Look, Mark, Tone};
use super::text;
use crate::model::{StartAt, Timestamp, duration};
use crate::plan::position::{Anchor, Buffer, Origin, Position};

fn start(look: Look, position: &Position, today: Timestamp) -> String {
    let text = match position.start {
        StartAt::TrimHorizon => "TRIM_HORIZON (the oldest record that the stream still has)".to_owned(),
        StartAt::Timestamp(at) => format!("AT_TIMESTAMP {}", text::time(at, today)),
    };
    look.paint(Tone::Strong, text)
}

/// The duplicates in words.
pub(crate) fn duplicates(position: &Position) -> String {
    match position.duplicates {
        Some(n) => format!("about {} are processed a second time", text::plural(n as usize, "record")),
        None => "unknown: IncomingRecords gave no answer".to_owned(),
    }
}

/// One line for prompts that are short of room.
fn anchors(look: Look, anchors: &[Anchor], today: Timestamp) -> String {
    let numbers = 46;
    let series = look.columns().saturating_sub(numbers + 4).clamp(20, 60);
    let rows = anchors.iter().map(|anchor| {
        let age = text::between(anchor.position, anchor.decisive.at);
        vec![
            format!("    {}", anchor.series),
            text::count(anchor.points as u64),
            text::time(anchor.decisive.at, today),
            duration::show(age),
            text::time(anchor.position, today),
        ]
    });
    let header = ["    series", "points", "point", "- age", "= position"].map(str::to_owned);
    look.table(&[series + 4, 8, 12, 10, 16], header.to_vec(), rows.collect())
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

/// The position of one pipeline.
pub(crate) fn render(look: Look, pipeline: &str, position: &Position, today: Timestamp) -> String {
    let mut out = look.hang("  ", &format!("{pipeline} starts {}", start(look, position, today)));
    match &position.origin {
        Origin::Derived { anchors: points, window_from, earliest } => {
            out += &anchors(look, points, today);
            out += &sum("earliest of these", " ", &text::time(*earliest, today));
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
    for note in &position.notes {
        out += &look.hang(&format!("    {} ", look.mark(Mark::Note)), note);
    }
    out
}
