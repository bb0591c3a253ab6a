//! The one visual language: marks, colours, rules, hanging lines. Everything here makes text; nothing prints.
//!
//! Colour carries no meaning alone: whatever is coloured is a word or a mark that reads the same without it.
//! Only the terminal's own sixteen colours are used, so that light and dark backgrounds both work.

use super::harmless::harmless;
use super::text;
use comfy_table::{
    ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle, Width,
};

/// How things look on one output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Columns for text; [`Look::UNBROKEN`] keeps one line one line.
    pub(crate) width: usize,
    /// Whether colours are written.
    pub(crate) color: bool,
    /// Whether more than ASCII may be written.
    pub(crate) utf8: bool,
    /// `-v`, counted.
    pub(crate) verbose: u8,
    /// Whether what is shown is AWS.
    pub(crate) ground: Ground,
}

/// What the commands work on. A rehearsal says so wherever it could be taken for the real thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ground {
    /// AWS, or whatever answers in its place.
    #[default]
    Aws,
    /// A rehearsal whose commands are typed by its story: the next one is none for whoever watches.
    Story,
    /// A rehearsal whose commands are typed by whoever sits before it.
    GameDay,
}

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong, or dangerous.
    Bad,
    /// A heading or the answer to the question.
    Strong,
    /// Beside the point.
    Faint,
}

/// The mark at the head of a line. A word, so that it needs no colour and can be searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Ok,
    Already,
    Skipped,
    Owed,
    Failed,
    TimedOut,
    Send,
    Waiting,
    Note,
    Warn,
    Unknown,
    Fail,
    Emergency,
    Confirmed,
}

impl Mark {
    /// The word. At most [`Mark::WIDTH`] columns.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Mark::Ok => "ok",
            Mark::Already => "already",
            Mark::Skipped => "skipped",
            Mark::Owed => "OWED",
            Mark::Failed => "FAILED",
            Mark::TimedOut => "TIMEOUT",
            Mark::Send => "send",
            Mark::Waiting => "waiting",
            Mark::Note => "note",
            Mark::Warn => "warn",
            Mark::Unknown => "unknown",
            Mark::Fail => "FAIL",
            Mark::Emergency => "URGENT",
            Mark::Confirmed => "yes",
        }
    }

    /// Columns of the widest mark.
    pub(crate) const WIDTH: usize = 7;

    fn tone(self) -> Option<Tone> {
        match self {
            Mark::Ok | Mark::Already => Some(Tone::Good),
            Mark::Skipped | Mark::Owed | Mark::Warn | Mark::Unknown => Some(Tone::Warn),
            Mark::Failed | Mark::TimedOut | Mark::Fail | Mark::Emergency => Some(Tone::Bad),
            Mark::Send => Some(Tone::Strong),
            Mark::Waiting | Mark::Note | Mark::Confirmed => None,
        }
    }
}

impl Look {
    /// A width that no line reaches: for logs, where one happening stays one line.
    pub(crate) const UNBROKEN: usize = usize::MAX;

    /// The text in its tone.
    pub(crate) fn paint(self, tone: Tone, text: impl AsRef<str>) -> String {
        let style = console::Style::new().force_styling(self.color);
        let style = match tone {
            Tone::Good => style.green(),
            // Yellow cannot be read on a light background, magenta can on both.
            Tone::Warn => style.magenta().bold(),
            Tone::Bad => style.red().bold(),
            Tone::Strong => style.bold(),
            Tone::Faint => style.dim(),
        };
        style.apply_to(text.as_ref()).to_string()
    }

    /// The first word of a question, where the answer does nothing to AWS.
    pub(crate) fn rehearsal(self) -> String {
        match self.ground {
            Ground::Aws => String::new(),
            Ground::Story | Ground::GameDay => format!("{} ", self.paint(Tone::Warn, "REHEARSAL.")),
        }
    }

    /// A mark, padded to the width of all marks.
    pub(crate) fn mark(self, mark: Mark) -> String {
        let word = format!("{:<width$}", mark.word(), width = Mark::WIDTH);
        mark.tone().map_or(word.clone(), |tone| self.paint(tone, word))
    }

    /// Columns for tables and rules, which need an end.
    pub(crate) fn columns(self) -> usize {
        if self.width == Look::UNBROKEN { 80 } else { self.width }
    }

    /// A line across, with a title in it where there is one.
    pub(crate) fn rule(self, title: &str) -> String {
        let bar = if self.utf8 { "─" } else { "-" };
        match title {
            "" => bar.repeat(self.columns()),
            title => {
                let rest = self.columns().saturating_sub(console::measure_text_width(title) + 4);
                format!("{} {title} {}", bar.repeat(2), bar.repeat(rest))
            }
        }
    }

    /// A heavy line of some columns.
    pub(crate) fn heavy(self, columns: usize) -> String {
        if self.utf8 { "━".repeat(columns) } else { "=".repeat(columns) }
    }

    /// The line that nobody may overlook.
    pub(crate) fn alarm(self, title: &str) -> String {
        let bar = if self.utf8 { "═" } else { "=" };
        let rest = self.columns().saturating_sub(console::measure_text_width(title) + 2);
        let left = rest / 2;
        let line = format!("{} {title} {}", bar.repeat(left), bar.repeat(rest - left));
        self.paint(Tone::Bad, line)
    }

    /// Between two things on one line.
    pub(crate) fn dot(self) -> &'static str {
        if self.utf8 { " · " } else { " | " }
    }

    /// A text behind a prefix, broken at the width, its further lines under its first.
    pub(crate) fn hang(self, prefix: &str, text: &str) -> String {
        let indent = console::measure_text_width(prefix);
        let room = self.width.saturating_sub(indent).max(24);
        let lines = text::wrap(&harmless(text, self.color), room);
        let mut out = String::new();
        for (index, line) in lines.iter().enumerate() {
            let line = if index == 0 { format!("{prefix}{line}") } else { format!("{:indent$}{line}", "") };
            out.push_str(&line.trim_end().replace('\u{a0}', " "));
            out.push('\n');
        }
        out
    }

    /// A labelled line of a header or a card: the label padded, the value hanging.
    pub(crate) fn field(self, label: &str, value: &str) -> String {
        self.hang(&format!("{label:<12}"), value)
    }

    /// A table without borders: a header, a line under it, rows. The columns have the given widths, padding included.
    pub(crate) fn table(self, widths: &[usize], header: Vec<String>, rows: Vec<Vec<String>>) -> String {
        let bar = if self.utf8 { '─' } else { '-' };
        let style = TableStyle::new()
            .header_lines(ContentLineStyle::none())
            .header_separator(LineStyle::none().fill(bar))
            .content_lines(ContentLineStyle::none());
        let mut table = Table::new();
        table.load_style(style).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(widths.iter().sum::<usize>().min(usize::from(u16::MAX)) as u16);
        let rows = rows.into_iter().map(|row| row.into_iter().map(|cell| cell_text(&cell)));
        table.set_header(header).add_rows(rows);
        for (index, width) in widths.iter().enumerate() {
            if let Some(column) = table.column_mut(index) {
                column.set_padding((0, 2));
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed((*width).max(5) as u16)));
            }
        }
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n") + "\n"
    }
}

impl Look {
    /// Whether such a table needs no broken cells.
    pub(crate) fn fits(self, header: &[&str], rows: &[Vec<String>]) -> bool {
        natural_widths(header, rows).iter().sum::<usize>() <= self.columns()
    }

    /// A table whose columns are as wide as what is in them. Where the screen is too narrow for it, the last column is
    /// broken at its spaces, as long as it keeps room for a few words; else the rows are cards: the first cell, and
    /// under it the others with their titles. Cells with broken ids help nobody.
    pub(crate) fn fitted_table(self, header: &[&str], rows: &[Vec<String>]) -> String {
        let mut widths = natural_widths(header, rows);
        if !self.fits(header, rows) {
            let Some(last) = self.last_column(header, rows) else {
                return rows.iter().map(|row| self.card(header, row)).collect();
            };
            widths.pop();
            widths.push(last);
        }
        let titles = header.iter().map(|title| (*title).to_owned()).collect();
        self.table(&widths, titles, rows.to_vec())
    }

    /// The columns that are left for the last column of a table which is too wide; `None` where it cannot be broken.
    fn last_column(self, header: &[&str], rows: &[Vec<String>]) -> Option<usize> {
        let widths = natural_widths(header, rows);
        let (_, others) = widths.split_last()?;
        let left = self.columns().checked_sub(others.iter().sum())?;
        let words = rows.iter().filter_map(|row| row.last()).flat_map(|cell| cell.split_whitespace());
        let longest = words.map(console::measure_text_width).max().unwrap_or(0);
        (left >= ROOM_FOR_WORDS && longest + 2 <= left).then_some(left)
    }

    fn card(self, header: &[&str], row: &[String]) -> String {
        let wide = header.iter().skip(1).map(|title| console::measure_text_width(title)).max().unwrap_or(0);
        let mut out = self.hang("", &self.paint(Tone::Strong, row.first().map_or("", String::as_str)));
        for (title, cell) in header.iter().zip(row).skip(1) {
            out += &self.hang(&format!("  {title:<wide$}  "), cell);
        }
        out
    }
}

/// A column that is broken at its spaces needs at least so many columns.
const ROOM_FOR_WORDS: usize = 26;

/// What goes into a cell: no colours, no tabs.
fn cell_text(text: &str) -> String {
    harmless(text, false).replace('\t', " ")
}

/// Columns as wide as what is in them, padding included.
fn natural_widths(header: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    let wide = |text: &str| text.lines().map(console::measure_text_width).max().unwrap_or(0);
    let mut widths: Vec<usize> = header.iter().map(|title| wide(title) + 2).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(wide(&cell_text(cell)) + 2);
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(width: usize) -> Look {
        Look { width, color: false, utf8: true, verbose: 0, ground: Ground::Aws }
    }

    #[test]
    fn a_hanging_text_stays_under_its_first_line() {
        assert_eq!(
            look(30).hang("ok  ", "one two three four five six"),
            "ok  one two three four five\n    six\n"
        );
        assert_eq!(
            look(Look::UNBROKEN).hang("ok  ", "one two three four five six"),
            "ok  one two three four five six\n"
        );
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let colored = Look { color: true, ..look(80) };
        for mark in [Mark::Ok, Mark::Owed, Mark::Failed, Mark::Send, Mark::Unknown] {
            assert_ne!(colored.mark(mark), look(80).mark(mark));
            assert_eq!(console::strip_ansi_codes(&colored.mark(mark)), look(80).mark(mark));
        }
    }

    #[test]
    fn a_table_that_does_not_fit_becomes_cards() {
        let rows =
            [vec!["20261123-133021-failover-5151".to_owned(), "done".to_owned(), "Fail over".to_owned()]];
        let header = ["run", "state", "what"];
        assert!(look(60).fitted_table(&header, &rows).contains("run                            state  what"));
        assert_eq!(
            look(30).fitted_table(&header, &rows),
            "20261123-133021-failover-5151\n  state  done\n  what   Fail over\n"
        );
    }

    #[test]
    fn a_table_that_nearly_fits_breaks_its_last_column_alone() {
        let rows =
            [vec!["silent-region".to_owned(), "the whole Region falls silent for half an hour".to_owned()]];
        assert_eq!(
            look(50).fitted_table(&["scenario", "what happens"], &rows),
            "scenario       what happens\n\
             ──────────────────────────────────────────────────\n\
             silent-region  the whole Region falls silent for\n               half an hour\n"
        );
    }

    #[test]
    fn a_number_stays_with_what_it_counts() {
        assert_eq!(
            look(30).hang("", "Mark the run, then go on, 3\u{a0}Switch"),
            "Mark the run, then go on,\n3 Switch\n"
        );
    }

    #[test]
    fn a_rule_is_as_wide_as_the_screen() {
        for title in ["", "Checks"] {
            assert_eq!(console::measure_text_width(&look(80).rule(title)), 80);
        }
        assert_eq!(console::measure_text_width(&look(81).alarm("NO RETURN")), 81);
    }
}
