//! A page as blocks, before it is written as HTML or as Markdown: both have the same content.

/// What a text says beyond its words. Never the only carrier of a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tone {
    #[default]
    Plain,
    Good,
    Warn,
    Bad,
    Faint,
    Strong,
    /// Ids, calls, commands.
    Code,
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Text {
    pub words: String,
    pub tone: Tone,
    /// A second line.
    pub then: Option<Box<Text>>,
}

impl Text {
    pub fn of(tone: Tone, words: impl Into<String>) -> Text {
        Text { words: words.into(), tone, then: None }
    }

    /// The same with a second line, where there is one.
    pub fn then(self, tone: Tone, words: &str) -> Text {
        let second = (!words.is_empty()).then(|| Box::new(Text::of(tone, words)));
        Text { then: second, ..self }
    }
}

impl From<String> for Text {
    fn from(words: String) -> Text {
        Text::of(Tone::Plain, words)
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Text {
        Text::of(Tone::Plain, words)
    }
}

/// How a column takes its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// As wide as its text needs, never broken.
    Tight,
    /// Takes the room that is left.
    Wide,
    /// Numbers.
    Right,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub head: String,
    pub width: Width,
}

pub(super) fn tight(head: impl Into<String>) -> Column {
    Column { head: head.into(), width: Width::Tight }
}

pub(super) fn wide(head: impl Into<String>) -> Column {
    Column { head: head.into(), width: Width::Wide }
}

pub(super) fn right(head: impl Into<String>) -> Column {
    Column { head: head.into(), width: Width::Right }
}

/// A number that everybody looks for.
#[derive(Debug, Clone)]
pub(super) struct Card {
    pub label: &'static str,
    pub value: String,
    /// Against what, and how that is known.
    pub note: String,
    pub tone: Tone,
    /// Share of an objective that was used up.
    pub share: Option<f64>,
}

/// A line of an arithmetic.
#[derive(Debug, Clone)]
pub(super) struct Sum {
    pub sign: &'static str,
    pub label: String,
    pub value: String,
}

/// A part of a section.
#[derive(Debug, Clone)]
pub(super) enum Block {
    Cards(Vec<Card>),
    Facts(Vec<(&'static str, Text)>),
    Paragraph(Text),
    Table {
        columns: Vec<Column>,
        rows: Vec<Vec<Text>>,
    },
    Sum(Vec<Sum>),
    List(Vec<Text>),
    /// An SVG, and the same as a table for Markdown.
    Chart {
        svg: String,
        caption: String,
        table: Box<Block>,
    },
    /// Long, and rarely needed.
    Fold {
        title: String,
        blocks: Vec<Block>,
    },
}

/// A section with a heading.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub id: &'static str,
    pub title: &'static str,
    pub blocks: Vec<Block>,
}

/// A page.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub title: String,
    pub state: Text,
    pub subtitle: String,
    pub head: Vec<Block>,
    pub sections: Vec<Section>,
    pub foot: String,
}
