//! Readers of single values: text, names, lengths of time, numbers, words of a closed list.

use super::section::{Read, Value, Wrong, nearest};
use crate::model::ids::InvalidId;
use crate::model::{Arn, duration};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;
use toml::de::DeValue;

/// Longest length of time that is taken: a year, the longest that Kinesis keeps a record (8,760 h).
pub(super) const MOST: Duration = Duration::from_secs(365 * 86_400);

/// Text, not empty.
pub(super) fn text<'t>(value: &'t Value<'_>, expected: &str) -> Read<&'t str> {
    match value.get_ref() {
        DeValue::String(text) if !text.is_empty() => Ok(text),
        DeValue::Integer(number) => {
            Err(Wrong::expected(expected).hint(Some(format!("put it in quotes: \"{number}\""))))
        }
        _ => Err(Wrong::expected(expected)),
    }
}

/// An id of the model; its type says what it must look like.
pub(super) fn id<T: FromStr<Err = InvalidId>>(value: &Value<'_>) -> Read<T> {
    // The noun phrase comes with the refusal of the empty text, which no id accepts.
    let expected = "".parse::<T>().err().map_or("text", |e| e.expected);
    let given = text(value, expected)?;
    given.parse().map_err(|e: InvalidId| Wrong::expected(e.expected).hint(name_in::<T>(given)))
}

/// The name inside an ARN, where that is what was given.
fn name_in<T: FromStr>(given: &str) -> Option<String> {
    let arn = Arn::new(given);
    let name = arn.function().or(arn.stream_consumer()).or(arn.stream())?;
    name.parse::<T>().ok().map(|_| format!("write the name alone: \"{name}\""))
}

/// A word of a closed list.
pub(super) fn word<T: Copy>(value: &Value<'_>, words: &[(&'static str, T)]) -> Read<T> {
    let list: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    let expected = list.join(" or ");
    let given = text(value, &expected)?;
    let found = words.iter().find(|(word, _)| *word == given);
    let known: Vec<&'static str> = words.iter().map(|(word, _)| *word).collect();
    let hint = nearest(given, &known).map(|near| format!("did you mean \"{near}\"?"));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| Wrong::expected(expected).hint(hint))
}

/// A length of time within a range.
pub(super) fn length(value: &Value<'_>, range: RangeInclusive<Duration>) -> Read<Duration> {
    let like = "a length of time such as \"90s\", \"5m\" or \"1h30m\"";
    let length = match value.get_ref() {
        DeValue::String(text) => duration::parse(text).map_err(|_| Wrong::expected(like))?,
        DeValue::Integer(number) => {
            let hint = format!("a bare number has no unit; write \"{number}s\" for seconds");
            return Err(Wrong::expected(like).hint(Some(hint)));
        }
        _ => return Err(Wrong::expected(like)),
    };
    match range.contains(&length) {
        true => Ok(length),
        false => Err(Wrong::expected(span_of(&range))),
    }
}

fn span_of(range: &RangeInclusive<Duration>) -> String {
    let (least, most) = (range.start(), range.end());
    match (*least == Duration::from_millis(1), *most == MOST) {
        (true, true) => "longer than zero and at most 365 days".to_owned(),
        (false, true) if least.is_zero() => "at most 365 days long".to_owned(),
        _ => format!("a length of time from {} to {}", duration::show(*least), duration::show(*most)),
    }
}

/// From nothing at all.
pub(super) fn from_zero() -> RangeInclusive<Duration> {
    Duration::ZERO..=MOST
}

/// Longer than nothing.
pub(super) fn above_zero() -> RangeInclusive<Duration> {
    Duration::from_millis(1)..=MOST
}

/// A whole number.
pub(super) fn whole(value: &Value<'_>, range: RangeInclusive<u32>) -> Read<u32> {
    let expected = || format!("a whole number from {} to {}", range.start(), range.end());
    let DeValue::Integer(number) = value.get_ref() else { return Err(Wrong::expected(expected())) };
    let number = u32::from_str_radix(number.as_str(), number.radix()).ok();
    number.filter(|n| range.contains(n)).ok_or_else(|| Wrong::expected(expected()))
}

/// A share above 0, at most 1.
pub(super) fn share(value: &Value<'_>) -> Read<f64> {
    let number: Option<f64> = match value.get_ref() {
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::Integer(number) => number.as_str().parse().ok(),
        _ => None,
    };
    let percent = number.filter(|n| *n > 1.0 && *n <= 100.0).map(|n| format!("{n} percent is {}", n / 100.0));
    number
        .filter(|n| *n > 0.0 && *n <= 1.0)
        .ok_or_else(|| Wrong::expected("a share above 0 and at most 1, such as 0.01").hint(percent))
}

/// Whole seconds, as Lambda takes them.
pub(super) fn whole_seconds(value: &Value<'_>, most: u32) -> Read<u32> {
    let range = Duration::ZERO..=Duration::from_secs(most.into());
    let length = length(value, range)?;
    match (length.subsec_nanos(), u32::try_from(length.as_secs())) {
        (0, Ok(seconds)) => Ok(seconds),
        _ => Err(Wrong::expected("a length of time in whole seconds")),
    }
}
