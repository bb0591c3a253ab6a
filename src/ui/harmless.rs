//! Text that came from AWS, from files or from other people's command lines, made harmless before it is printed: a
//! control character could move the cursor, hide a line or rewrite what was said before.
//!
//! Colours are the one exception: only the very sequences that [`super::look::Look::paint`] writes pass, and only
//! where colours are written at all. Whoever forges one changes a colour, and colours carry no meaning alone.

use std::borrow::Cow;
use std::fmt::Write;

/// The sequences of our own colours, without their `ESC [` and `m`.
const OURS: [&str; 7] = ["0", "1", "2", "7", "31", "32", "35"];

/// Control characters (C0, DEL, C1), line and paragraph separators, and invisible characters that reorder or join
/// what is around them (Unicode's bidirectional controls). Line breaks and tabs are none: they are laid out.
fn is_harmful(c: char) -> bool {
    let reorders =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    reorders || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// Length of one of our own colour sequences at the start of a text.
fn colour(text: &str) -> Option<usize> {
    let (code, _) = text.strip_prefix("\u{1b}[")?.split_once('m')?;
    OURS.contains(&code).then_some(code.len() + 3)
}

/// The text with every harmful character written out as `\u{1b}`; our own colours stay where `color` says so.
pub(crate) fn harmless(text: &str, color: bool) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let kept = if color { colour(rest) } else { None };
        let taken = kept.unwrap_or(c.len_utf8());
        match (kept, is_harmful(c)) {
            (None, true) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            _ => out.push_str(&rest[..taken]),
        }
        rest = &rest[taken..];
    }
    Cow::Owned(out)
}

/// The same for a JSON document: what serde leaves as it is (DEL, C1, the invisible ones) becomes a JSON escape, so
/// that the value stays the same.
pub(crate) fn harmless_json(line: &str) -> Cow<'_, str> {
    if !line.chars().any(is_harmful) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match is_harmful(c) {
            // All of them are below U+10000: one escape each.
            true => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_is_written_out() {
        let nasty = "a\u{1b}[2Jb\rc\u{9b}Kd\u{7f}e\u{202e}f\tg\nh";
        assert_eq!(harmless(nasty, false), "a\\u{1b}[2Jb\\u{d}c\\u{9b}Kd\\u{7f}e\\u{202e}f\tg\nh");
        assert_eq!(harmless("plain – text", false), "plain – text");
    }

    #[test]
    fn our_own_colours_pass_where_colours_are_written() {
        let ours = "\u{1b}[31mFAIL\u{1b}[0m";
        assert_eq!(harmless(ours, true), ours);
        assert_eq!(harmless(ours, false), "\\u{1b}[31mFAIL\\u{1b}[0m");
        assert_eq!(harmless("\u{1b}[8mhidden", true), "\\u{1b}[8mhidden");
        assert_eq!(harmless("\u{1b}[38;5;1mx", true), "\\u{1b}[38;5;1mx");
    }

    #[test]
    fn a_json_value_stays_the_same() {
        let value = serde_json::json!({ "text": "a\u{9b}b\u{202e}c\u{7f}\u{1b}" });
        let line = value.to_string();
        let safe = harmless_json(&line);
        assert!(!safe.chars().any(is_harmful), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).expect("JSON"), value);
    }
}
