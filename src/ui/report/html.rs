//! A page as one HTML file that needs nothing else: no script, no font, no image from anywhere. It is well-formed
//! XML too, so that it can be checked, and it prints.

use super::document::{Block, Card, Column, Document, Section, Sum, Text, Tone, Width};
use crate::model::Region;

const STYLE: &str = include_str!("style.css");

/// Nothing may be loaded from anywhere, whatever gets into the text.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The page.
pub(super) fn render(document: &Document) -> String {
    let title = escape(&document.title);
    let links = document.sections.iter();
    let links: String = links.map(|s| format!("<a href=\"#{}\">{}</a>\n", s.id, escape(s.title))).collect();
    let sections: String = document.sections.iter().map(section).collect();
    let head: String = document.head.iter().map(block).collect();
    let state = format!(
        "<span class=\"pill {}\">{}</span>",
        class(document.state.tone),
        escape(&document.state.words)
    );
    let subtitle = escape(&document.subtitle);
    let foot = escape(&document.foot);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\" />\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
         <meta name=\"color-scheme\" content=\"light dark\" />\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<header>\n<p class=\"over\">kdsha report</p>\n<h1>{title} {state}</h1>\n\
         <p class=\"sub\">{subtitle}</p>\n{head}<nav>\n{links}</nav>\n</header>\n<main>\n{sections}</main>\n\
         <footer><p>{foot}</p></footer>\n</body>\n</html>\n"
    )
}

fn section(section: &Section) -> String {
    let blocks: String = section.blocks.iter().map(block).collect();
    format!("<section id=\"{}\">\n<h2>{}</h2>\n{blocks}</section>\n", section.id, escape(section.title))
}

fn block(block: &Block) -> String {
    match block {
        Block::Cards(cards) => {
            format!("<div class=\"cards\">\n{}</div>\n", cards.iter().map(card).collect::<String>())
        }
        Block::Facts(facts) => {
            let one = |(label, value): &(&'static str, Text)| {
                format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(label), text(value))
            };
            format!("<dl class=\"facts\">\n{}</dl>\n", facts.iter().map(one).collect::<String>())
        }
        Block::Paragraph(words) => format!("<p>{}</p>\n", text(words)),
        Block::Table { columns, rows } => table(columns, rows),
        Block::Sum(lines) => sum(lines),
        Block::List(items) => {
            let items: String = items.iter().map(|item| format!("<li>{}</li>\n", text(item))).collect();
            format!("<ul>\n{items}</ul>\n")
        }
        Block::Chart { svg, caption, .. } => {
            format!("<figure>\n{svg}<figcaption>{}</figcaption>\n</figure>\n", escape(caption))
        }
        Block::Fold { title, blocks } => {
            let inner: String = blocks.iter().map(self::block).collect();
            format!("<details><summary>{}</summary>\n{inner}</details>\n", escape(title))
        }
    }
}

fn card(card: &Card) -> String {
    let meter = card.share.map(|share| {
        let width = (share * 100.0).clamp(1.0, 100.0);
        format!("<span class=\"meter\"><span style=\"width:{width:.0}%\"></span></span>")
    });
    format!(
        "<div class=\"card {}\"><span class=\"label\">{}</span><span class=\"value\">{}</span>{}\
         <span class=\"note\">{}</span></div>\n",
        class(card.tone),
        escape(card.label),
        escape(&card.value),
        meter.unwrap_or_default(),
        escape(&card.note),
    )
}

fn table(columns: &[Column], rows: &[Vec<Text>]) -> String {
    let kind = |column: &Column| match column.width {
        Width::Tight => "tight",
        Width::Wide => "wide",
        Width::Right => "right",
    };
    let head: String =
        columns.iter().map(|c| format!("<th class=\"{}\">{}</th>", kind(c), escape(&c.head))).collect();
    let row = |row: &Vec<Text>| {
        let cells = row.iter().zip(columns);
        let cells: String =
            cells.map(|(t, c)| format!("<td class=\"{}\">{}</td>", kind(c), text(t))).collect();
        // A row whose text is strong is the head of those below it.
        let head = row.iter().zip(columns).any(|(t, c)| t.tone == Tone::Strong && c.width == Width::Wide);
        let group = if head && columns.len() > 5 { " class=\"group\"" } else { "" };
        format!("<tr{group}>{cells}</tr>\n")
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "<div class=\"scroll\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

fn sum(lines: &[Sum]) -> String {
    let row = |line: &Sum| {
        let result = if line.sign == "=" { " class=\"result\"" } else { "" };
        let (sign, label, value) = (escape(line.sign), escape(&line.label), escape(&line.value));
        format!("<tr{result}><td>{label}</td><td>{sign}</td><td class=\"right\">{value}</td></tr>\n")
    };
    let rows: String = lines.iter().map(row).collect();
    format!("<table class=\"sum\">\n<tbody>\n{rows}</tbody>\n</table>\n")
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
        Tone::Faint => "faint",
        Tone::Strong => "strong",
        Tone::Code => "code",
    }
}

fn text(text: &Text) -> String {
    match &text.then {
        Some(second) => format!("{}<br />{}", line(text), line(second)),
        None => line(text),
    }
}

/// Words where a browser may break lines anywhere but within a Region's name: half of one is none.
fn breakable(words: &str) -> String {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let (mut out, mut rest) = (String::new(), words);
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (token, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        out += &escape(before);
        match token.parse::<Region>() {
            Ok(region) => out += &format!("<span class=\"whole\">{region}</span>"),
            Err(_) => out += &escape(token),
        }
        rest = after;
    }
    out + &escape(rest)
}

fn line(text: &Text) -> String {
    let words = breakable(&text.words);
    match text.tone {
        _ if words.is_empty() => words,
        Tone::Plain => words,
        Tone::Code => format!("<code>{words}</code>"),
        Tone::Strong => format!("<strong>{words}</strong>"),
        tone => format!("<span class=\"{}\">{words}</span>", class(tone)),
    }
}

/// Text from outside stays text, in elements and in quoted attributes. Characters that XML forbids are left out.
pub(super) fn escape(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}
