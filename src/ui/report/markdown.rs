//! A page as Markdown (GitHub's dialect): the same content, for a wiki or a ticket.

use super::document::{Block, Card, Column, Document, Sum, Text, Tone, Width, right, tight, wide};

/// The page.
pub(super) fn render(document: &Document) -> String {
    let mut out = format!("# {}\n\n", escape(&document.title));
    let subtitle = match document.subtitle.is_empty() {
        true => String::new(),
        false => format!(": {}", escape(&document.subtitle)),
    };
    out += &format!("**{}**{subtitle}\n", escape(&document.state.words));
    out.extend(document.head.iter().map(block));
    for section in &document.sections {
        out += &format!("\n## {}\n", escape(section.title));
        out.extend(section.blocks.iter().map(block));
    }
    out + &format!("\n---\n\n{}\n", escape(&document.foot))
}

fn block(block: &Block) -> String {
    match block {
        Block::Cards(cards) => {
            let row = |c: &Card| {
                vec![c.label.into(), Text::of(Tone::Strong, c.value.clone()), c.note.as_str().into()]
            };
            table(&[tight("verdict"), tight(""), wide("")], cards.iter().map(row))
        }
        Block::Facts(facts) => {
            let row = |(label, text): &(&'static str, Text)| vec![Text::from(*label), text.clone()];
            table(&[tight(""), wide("")], facts.iter().map(row))
        }
        Block::Paragraph(text) => format!("\n{}\n", self::text(text)),
        Block::Table { columns, rows } => table(columns, rows.iter().cloned()),
        Block::Sum(lines) => {
            let row =
                |l: &Sum| vec![Text::from(l.label.as_str()), format!("{} {}", l.sign, l.value).trim().into()];
            table(&[wide("arithmetic"), right("")], lines.iter().map(row))
        }
        Block::List(items) => {
            let lines: String = items.iter().map(|item| format!("- {}\n", text(item))).collect();
            format!("\n{lines}")
        }
        Block::Chart { caption, table, .. } => format!("\n{}\n{}", escape(caption), self::block(table)),
        Block::Fold { title, blocks } => {
            let inner: String = blocks.iter().map(self::block).collect();
            format!("\n<details><summary>{}</summary>\n{inner}\n</details>\n", escape(title))
        }
    }
}

fn table(columns: &[Column], rows: impl Iterator<Item = Vec<Text>>) -> String {
    let heads: Vec<String> = columns.iter().map(|column| escape(&column.head)).collect();
    let rule = |column: &Column| if column.width == Width::Right { "---:" } else { "---" };
    let rules: Vec<&str> = columns.iter().map(rule).collect();
    let mut out = format!("\n| {} |\n| {} |\n", heads.join(" | "), rules.join(" | "));
    for row in rows {
        let cells: Vec<String> = row.iter().map(text).collect();
        out += &format!("| {} |\n", cells.join(" | "));
    }
    out
}

fn text(text: &Text) -> String {
    match &text.then {
        Some(second) => format!("{}<br>{}", line(text), line(second)),
        None => line(text),
    }
}

fn line(text: &Text) -> String {
    match text.tone {
        _ if text.words.is_empty() => String::new(),
        Tone::Code => code(&text.words),
        Tone::Strong => format!("**{}**", escape(&text.words)),
        _ => escape(&text.words),
    }
}

/// Code needs no escapes but its own mark's and a table's.
fn code(words: &str) -> String {
    format!("`{}`", one_line(words).replace('`', "'").replace('|', "\\|"))
}

fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text from outside stays text: no markup, no HTML, no second line.
pub(super) fn escape(words: &str) -> String {
    let mut out = String::new();
    for c in one_line(words).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
