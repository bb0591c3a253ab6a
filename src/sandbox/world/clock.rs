//! The world's time: whole milliseconds since the epoch, and how the API writes them.

use crate::model::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// An instant, in milliseconds since the epoch. Also a span, in milliseconds.
pub(super) type Millis = i64;

/// One second.
pub(super) const SECOND: Millis = 1_000;
/// One minute: the period of every AWS metric played here.
pub(super) const MINUTE: Millis = 60 * SECOND;
/// One hour.
pub(super) const HOUR: Millis = 60 * MINUTE;

/// The instant as the rest of kdsha writes it.
pub(super) fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The start of the minute that holds the instant.
pub(super) fn minute_of(at: Millis) -> Millis {
    at - at.rem_euclid(MINUTE)
}

/// A timestamp member of an answer: epoch seconds with their milliseconds.
pub(super) fn seconds(at: Millis) -> Value {
    match at % SECOND {
        0 => json!(at / SECOND),
        _ => json!(at as f64 / 1_000.0),
    }
}

/// A timestamp member of a request, to the millisecond.
pub(super) fn millis(value: &Value) -> Option<Millis> {
    match value.as_i64() {
        Some(whole) => Some(whole * SECOND),
        None => value.as_f64().map(|s| (s * 1_000.0).round() as Millis),
    }
}

/// A span as milliseconds.
pub(super) fn span(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}

/// The form of Lambda's `LastModified` of a function: `2026-11-22T10:45:01.000+0000`.
pub(super) fn lambda_date(at: Millis) -> String {
    timestamp(at).strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_keep_their_milliseconds() {
        assert_eq!(millis(&seconds(1_700_000_000_123)), Some(1_700_000_000_123));
        assert_eq!(seconds(1_700_000_000_000), json!(1_700_000_000));
    }

    #[test]
    fn functions_say_when_they_were_modified_as_lambda_does() {
        assert_eq!(lambda_date(1_700_000_000_123), "2023-11-14T22:13:20.123+0000");
    }
}
