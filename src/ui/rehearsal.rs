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

/// What happened besides, and what the day is worth.
fn score(look: Look, result: &Value) -> String {
    let mut out = String::new();
    let listed = |key: &str| result.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for one in listed("surprises") {
        let (at, what) = (one["at"].as_str().unwrap_or_default(), one["what"].as_str().unwrap_or_default());
        let clock = at.split('T').nth(1).and_then(|time| time.get(..8)).unwrap_or(at);
        out += &look.field("surprise", &format!("{clock}Z {what}"));
    }
    for one in listed("mistakes_avoided") {
        out += &look.field("avoided", one.as_str().unwrap_or_default());
    }
    let Some(score) = result.get("score") else { return out };
    for part in score["parts"].as_array().into_iter().flatten() {
        let (points, of) = (part["points"].as_u64().unwrap_or(0), part["of"].as_u64().unwrap_or(0));
        let tone = if points == of { Tone::Good } else { Tone::Warn };
        let points = look.paint(tone, format!("{points:>3} of {of}"));
        let (what, why) =
            (part["what"].as_str().unwrap_or_default(), part["why"].as_str().unwrap_or_default());
        out += &look.field("", &format!("{points}  {what}: {why}"));
    }
    out + &look.field("score", &format!("{} of {}", score["points"], score["of"]))
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
    out += &score(look, result);
    let pending = number(result, "pending").filter(|pending| *pending > 0.0);
    let verdict = match (number(result, "lost"), pending) {
        (Some(0.0), Some(pending)) => {
            let records = text::plural(pending as usize, "record");
            look.paint(Tone::Warn, format!("No record was lost; {records} not processed yet."))
        }
        (Some(0.0), None) => look.paint(Tone::Good, "No record was lost."),
        (Some(lost), _) => look.paint(Tone::Bad, format!("{} LOST.", text::plural(lost as usize, "record"))),
        (None, _) => look.paint(Tone::Warn, "Whether records were lost is unknown."),
    };
    out + &look.hang("", &verdict) + &look.rule("") + "\n"
}
