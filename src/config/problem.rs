//! What may be wrong with a configuration, and how it is said: place, line, caret, way out.

use super::find::Looked;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why there is no configuration to work with. Exit code 2; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No file at any of the places.
    #[error("{}", not_found(looked))]
    NotFound {
        /// Every place, in the order of precedence, and what was there.
        looked: Vec<Looked>,
    },
    /// The file cannot be read as text.
    #[error("cannot read the configuration `{}`: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, as a clause.
        why: String,
    },
    /// The text is not a sound configuration.
    #[error("{}", invalid(path, problems, *more))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// At least one, in the order of the file; the first 20 where there are more.
        problems: Vec<Problem>,
        /// How many more there are.
        more: usize,
    },
}

/// One thing that is wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what is expected, in one line.
    pub message: String,
    /// The way out, where one can be named.
    pub hint: Option<String>,
    /// The line with a caret below; `None` where something is missing from the whole file.
    pub excerpt: Option<Excerpt>,
}

/// A line of the file with a part of it marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, fit for a terminal.
    pub line: String,
    /// First marked character, from 0.
    pub start: usize,
    /// Marked characters, at least 1.
    pub length: usize,
}

/// A problem before its place in the text has been counted out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// Bytes of the text; `None` for the whole file.
    pub span: Option<Range<usize>>,
    /// As in [`Problem`].
    pub message: String,
    /// As in [`Problem`].
    pub hint: Option<String>,
}

impl Finding {
    /// A problem at a place.
    pub fn at(span: Range<usize>, message: impl Into<String>) -> Finding {
        Finding { span: Some(span), message: message.into(), hint: None }
    }
    /// Adds the way out.
    pub fn hint(self, hint: impl Into<String>) -> Finding {
        Finding { hint: Some(hint.into()), ..self }
    }
}

impl ConfigError {
    /// Counts out the findings' places and puts them in order.
    pub(super) fn invalid(path: &Path, text: &str, mut findings: Vec<Finding>) -> ConfigError {
        findings.sort_by_key(|f| f.span.as_ref().map_or((0, 0), |s| (s.start, s.end)));
        findings.dedup();
        let more = findings.len().saturating_sub(MOST_PROBLEMS);
        let first = findings.into_iter().take(MOST_PROBLEMS);
        let problems = first.map(|f| Problem::locate(text, f)).collect();
        ConfigError::Invalid { path: path.to_owned(), problems, more }
    }
}

/// Most problems that are shown; whoever has more has the wrong file.
const MOST_PROBLEMS: usize = 20;

/// Longest part of a line that is shown.
const MOST_SHOWN: usize = 100;

impl Problem {
    fn locate(text: &str, finding: Finding) -> Problem {
        let Finding { span, message, hint } = finding;
        let Some(span) = span else {
            return Problem { line: 1, column: 1, message, hint, excerpt: None };
        };
        let start = floor_char(text, span.start);
        let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let marked_end = floor_char(text, span.end).clamp(start, end);
        let column = text[begin..start].chars().count();
        let excerpt = Excerpt::cut(&text[begin..end], column, text[start..marked_end].chars().count());
        let line = text[..begin].matches('\n').count() + 1;
        Problem { line, column: column + 1, message, hint, excerpt: Some(excerpt) }
    }
}

impl Excerpt {
    /// Shows a line, or the part of a long one that holds the mark. What would move the cursor becomes a blank.
    fn cut(line: &str, start: usize, length: usize) -> Excerpt {
        let shown = |c: char| if is_unfit(c) { ' ' } else { c };
        let line = line.strip_suffix('\r').unwrap_or(line);
        let skip = if start > MOST_SHOWN * 3 / 4 { start - MOST_SHOWN / 2 } else { 0 };
        let part: String = line.chars().skip(skip).take(MOST_SHOWN).map(shown).collect();
        let room = part.chars().count().saturating_sub(start - skip);
        Excerpt { line: part, start: start - skip, length: length.min(room).max(1) }
    }
}

/// Whether a character would move the cursor or turn the writing direction of a terminal.
pub(super) fn is_unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn floor_char(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

fn invalid(path: &Path, problems: &[Problem], more: usize) -> String {
    let count = match problems.len() + more {
        1 => "a problem".to_owned(),
        many => format!("{many} problems"),
    };
    let mut text = format!("the configuration `{}` has {count}", path.display());
    for problem in problems {
        text.push_str(&format!("\n\n{}:{problem}", path.display()));
    }
    if more > 0 {
        text.push_str(&format!("\n\n... and {more} more"));
    }
    text
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        if let Some(Excerpt { line, start, length }) = &self.excerpt {
            let number = self.line.to_string();
            let gutter = " ".repeat(number.len());
            let line = line.trim_end();
            let (blank, mark) = (" ".repeat(*start), "^".repeat(*length));
            write!(f, "\n {number} | {line}\n {gutter} | {blank}{mark}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n hint: {hint}"),
            None => Ok(()),
        }
    }
}

fn not_found(looked: &[Looked]) -> String {
    let width = looked.iter().map(|l| l.place.chars().count()).max().unwrap_or(0);
    let mut text = "there is no configuration; these places were looked at:".to_owned();
    for Looked { place, found } in looked {
        text.push_str(&format!("\n  {place:width$}  {found}"));
    }
    text.push_str("\nhint: `kdsha init` looks at the account and writes one, with comments");
    text.push_str("\nhint: `kdsha rehearse` plays the whole procedure without one");
    text
}
