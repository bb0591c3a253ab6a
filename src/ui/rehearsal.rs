//! The end of a rehearsal: the ledger of every record that was put.

use super::look::{Look, Tone};
use super::text;
use serde_json::Value;
use std::time::Duration;

fn number(result: &Value, key: &str) -> Option<f64> {
    result.get(key)?.as_f64()
}

fn records(look: Look, result: &Value, key: &str) -> String {
    let n = number(result, key).map_or_else(|| "unknown".to_owned(), text::count_f64);
    match (key, number(result, key)) {
        ("lost", Some(0.0)) => look.paint(Tone::Good, n),
        ("lost", _) => look.paint(Tone::Bad, n),
        _ => n,
    }
}

/// What each number of the ledger means.
const LEDGER: [(&str, &str); 5] = [
    ("put", "records put by the producers"),
    ("processed", "processed at least once"),
    ("pending", "still readable, not processed yet"),
    ("lost", "neither processed nor readable any more"),
    ("duplicates", "processed a second time"),
];

fn recovery(result: &Value) -> String {
    let seconds = |key| number(result, key).filter(|s| *s >= 0.0).map(Duration::from_secs_f64);
    match (seconds("recovery_seconds"), seconds("rto_seconds")) {
        (None, _) => "not reached".to_owned(),
        (Some(took), None) => text::whole(took),
        (Some(took), Some(rto)) => {
            let word = if took <= rto { "within" } else { "LATER than" };
            format!("{}, {word} the RTO of {}", text::whole(took), text::whole(rto))
        }
    }
}

/// The card.
pub(crate) fn render(look: Look, result: &Value) -> String {
    let scenario = result.get("scenario").and_then(Value::as_str).unwrap_or("rehearsal");
    let mut out = format!("\n{}\n", look.rule(&format!("Rehearsal: {scenario}")));
    for (key, meaning) in LEDGER {
        let n = records(look, result, key);
        let pad = 14_usize.saturating_sub(console::measure_text_width(&n));
        out += &format!("{key:<12}{}{n}   {meaning}\n", " ".repeat(pad));
    }
    out += &look.field("recovery", &recovery(result));
    let verdict = match number(result, "lost") {
        Some(0.0) => look.paint(Tone::Good, "No record was lost."),
        Some(lost) => look.paint(Tone::Bad, format!("{} LOST.", text::plural(lost as usize, "record"))),
        None => look.paint(Tone::Warn, "Whether records were lost is unknown."),
    };
    out + &look.hang("", &verdict) + &look.rule("") + "\n"
}
