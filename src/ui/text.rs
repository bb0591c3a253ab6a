//! Words and numbers as people read them: UTC times, counts, shares, wrapped lines.

use crate::model::{Timestamp, duration};
use std::time::Duration;

/// `HH:MM:SSZ`, with the date in front where it is not today's (UTC, by `today`).
pub(crate) fn time(at: Timestamp, today: Timestamp) -> String {
    let date = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    match date(at) == date(today) {
        true => at.strftime("%H:%M:%SZ").to_string(),
        false => full_time(at),
    }
}

/// Like [`time`], with milliseconds where there are any: for arithmetic that has to add up.
pub(crate) fn exact_time(at: Timestamp, today: Timestamp) -> String {
    let whole = time(at, today);
    match at.subsec_millisecond() {
        0 => whole,
        millis => format!("{}.{millis:03}Z", whole.trim_end_matches('Z')),
    }
}

/// `1.25s`: a length of time below a minute with its milliseconds.
pub(crate) fn exact(length: Duration) -> String {
    match (length.as_secs(), length.subsec_millis()) {
        (1..60, millis) if millis > 0 => format!("{}s", trimmed(&format!("{:.3}", length.as_secs_f64()))),
        _ => duration::show(length),
    }
}

/// `YYYY-MM-DD HH:MM:SSZ`.
pub(crate) fn full_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The time from `from` to `to`; zero where `to` is earlier.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// A length of time in whole seconds: for clocks, where milliseconds are noise.
pub(crate) fn whole(length: Duration) -> String {
    duration::show(Duration::from_secs(length.as_secs()))
}

/// A length of time in whole seconds, below one second with its milliseconds: what is not zero never reads as zero.
pub(crate) fn short(length: Duration) -> String {
    match length.as_secs() {
        0 => duration::show(length),
        _ => whole(length),
    }
}

/// `4m12s left`, or `passed 2m ago`.
pub(crate) fn time_left(now: Timestamp, until: Timestamp) -> String {
    match until >= now {
        true => format!("{} left", whole(between(now, until))),
        false => format!("passed {} ago", whole(between(until, now))),
    }
}

/// Digits in groups of three: `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count from a metric, which CloudWatch gives as a float.
pub(crate) fn count_f64(n: f64) -> String {
    count(n.max(0.0).round() as u64)
}

/// A share as a percentage; a share that is not zero never reads as zero.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p > 0.0 && p < 0.01 => "under 0.01%".to_owned(),
        p if p < 10.0 => format!("{}%", trimmed(&format!("{p:.2}"))),
        p => format!("{}%", trimmed(&format!("{p:.1}"))),
    }
}

fn trimmed(number: &str) -> &str {
    number.trim_end_matches('0').trim_end_matches('.')
}

/// `1 step`, `2 steps`.
pub(crate) fn plural(n: usize, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{} {one}s", count(n as u64)),
    }
}

/// A slug as words: `prove_quiet` is `prove quiet`.
pub(crate) fn words(slug: &str) -> String {
    slug.replace('_', " ")
}

/// A sparkline of the values, scaled to the largest; empty for fewer than two values.
pub(crate) fn sparkline(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().fold(0.0, f64::max);
    if values.len() < 2 {
        return String::new();
    }
    let bar = |value: &f64| match most > 0.0 {
        true => BARS[((value / most * 7.0).round() as usize).min(7)],
        false => BARS[0],
    };
    values.iter().map(bar).collect()
}

/// Breaks a text at spaces into lines of at most `width` columns. A word that is longer stays whole, so that ids
/// and commands can be copied. Line breaks in the text stay, and so do spaces: what is set under something else, in
/// columns, or further in, stays there as long as its line is not broken.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let lines: Vec<String> = text.lines().flat_map(|paragraph| wrap_one(paragraph, width)).collect();
    if lines.is_empty() { vec![String::new()] } else { lines }
}

fn wrap_one(paragraph: &str, width: usize) -> Vec<String> {
    let is_space = |c: char| c.is_whitespace() && c != '\u{a0}';
    let words = paragraph.trim_start_matches(is_space);
    let indent = &paragraph[..paragraph.len() - words.len()];
    let mut lines = Vec::new();
    let mut line = indent.to_owned();
    let mut rest = words;
    while !rest.is_empty() {
        let word_ends = rest.find(is_space).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(word_ends);
        line.push_str(word);
        let next = tail.trim_start_matches(is_space);
        let gap = &tail[..tail.len() - next.len()];
        let next_word = next.split(is_space).next().unwrap_or_default();
        let wide = console::measure_text_width;
        if next.is_empty() {
            break;
        }
        if wide(&line) + wide(gap) + wide(next_word) > width {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
        } else {
            line.push_str(gap);
        }
        rest = next;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn the_date_is_shown_only_when_it_is_not_today() {
        let now = at("2026-11-22T10:45:01.5Z");
        assert_eq!(time(at("2026-11-22T09:00:00Z"), now), "09:00:00Z");
        assert_eq!(time(at("2026-11-21T23:59:59Z"), now), "2026-11-21 23:59:59Z");
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"].map(str::to_owned),
            [0, 999, 1000, 1_234_567].map(count)
        );
        assert_eq!(percent(0.0), "0%");
        assert_eq!(percent(0.01), "1%");
        assert_eq!(percent(0.00001), "under 0.01%");
        assert_eq!(percent(0.1234), "12.3%");
    }

    #[test]
    fn a_passed_moment_is_said_to_be_passed() {
        let now = at("2026-11-22T10:45:00Z");
        assert_eq!(time_left(now, at("2026-11-22T10:49:12Z")), "4m12s left");
        assert_eq!(time_left(now, at("2026-11-22T10:43:00Z")), "passed 2m ago");
    }

    #[test]
    fn wrapping_never_cuts_a_word() {
        assert_eq!(wrap("a bb ccc-ddd-eee f", 6), ["a bb", "ccc-ddd-eee", "f"]);
        assert_eq!(wrap("", 6), [""]);
    }

    #[test]
    fn wrapping_leaves_columns_and_carets_where_they_are() {
        let problem = "  |\n3 | rtp = \"15m\"\n  | ^^^ unknown key";
        assert_eq!(wrap(problem, 40), ["  |", "3 | rtp = \"15m\"", "  | ^^^ unknown key"]);
        assert_eq!(wrap("wait 5m    lets time pass", 40), ["wait 5m    lets time pass"]);
        assert_eq!(wrap("  one two three", 10), ["  one two", "  three"]);
        assert_eq!(wrap("one    two", 7), ["one", "two"]);
        assert_eq!(wrap("a 3\u{a0}Switch it", 6), ["a", "3\u{a0}Switch", "it"]);
    }

    #[test]
    fn what_is_not_zero_never_reads_as_zero() {
        assert_eq!(short(Duration::from_millis(412)), "412ms");
        assert_eq!(short(Duration::from_millis(3412)), "3s");
        assert_eq!(short(Duration::ZERO), "0s");
    }

    #[test]
    fn a_sparkline_needs_two_values() {
        assert_eq!(sparkline(&[1.0]), "");
        assert_eq!(sparkline(&[7.0, 0.0]), "█▁");
    }
}
