//! Lengths of time as people write and read them: `5m`, `1h30m`, `90s`.

use std::time::Duration;

/// Reads `90s`, `5m`, `1h 30m`, `2d`; a bare number is refused, since nobody can tell its unit.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse(text: &str) -> Result<Duration, String> {
    let expected = || format!("`{text}` is not a length of time; write it like 90s, 5m or 1h30m");
    let span: jiff::Span = text.trim().parse().map_err(|_| expected())?;
    // A day is 24 hours here; months and years have no fixed length and are refused.
    let length = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    Duration::try_from(length).map_err(|_| expected())
}

/// Writes whole seconds as people say them: `0s`, `59s`, `5m`, `1h30m`, `2d`.
pub fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds == 0 && duration.subsec_millis() > 0 {
        return format!("{}ms", duration.subsec_millis());
    }
    let parts =
        [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let text: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Serialises a duration as seconds, for JSON keys that end in `_seconds`.
pub mod as_seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    /// For `#[serde(with = "duration::as_seconds")]`.
    pub fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(duration.as_secs_f64())
    }
    /// For `#[serde(with = "duration::as_seconds")]`.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}

/// Serialises an optional duration as seconds or null.
pub mod as_optional_seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    /// For `#[serde(with = "duration::as_optional_seconds")]`.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => to.serialize_some(&duration.as_secs_f64()),
            None => to.serialize_none(),
        }
    }
    /// For `#[serde(with = "duration::as_optional_seconds")]`.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let seconds: Option<f64> = Option::deserialize(from)?;
        seconds.map(Duration::try_from_secs_f64).transpose().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["0s", "59s", "5m", "1h30m", "2d", "250ms"] {
            assert_eq!(show(parse(text).expect(text)), text);
        }
        assert!(parse("5").is_err());
        assert!(parse("-5m").is_err());
        assert!(parse("soon").is_err());
    }
}
