//! What a table of a runbook says that one sees has to be something that kdsha says: in an output of the very document,
//! or in a text of the sources, where `...` stands for what is filled in.

use super::root;
use std::fs;
use std::path::Path;

/// The back-quoted words of the first column of a document's tables, with the line's number.
fn quoted(text: &str) -> Vec<(usize, String)> {
    let rows = text.lines().enumerate().filter(|(_, line)| line.starts_with("| "));
    let cells = rows.filter_map(|(at, line)| Some((at + 1, line.split('|').nth(1)?)));
    cells.flat_map(|(at, cell)| cell.split('`').skip(1).step_by(2).map(move |q| (at, q.to_owned()))).collect()
}

/// Whether the parts of a message stand in a text, in their order.
fn says(text: &str, message: &str) -> bool {
    let mut rest = text;
    message.split("...").map(str::trim).filter(|part| !part.is_empty()).all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

/// Every text of a source file; what is filled in reads `...`.
fn texts(source: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // The quote as a character opens nothing.
            '\'' if chars.peek() == Some(&'"') => {
                chars.next();
            }
            '/' if chars.peek() == Some(&'/') => {
                chars.by_ref().find(|c| *c == '\n');
            }
            '"' => texts.push(one(&mut chars)),
            _ => {}
        }
    }
    texts
}

/// A text to its closing quote.
fn one(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => break,
            },
            '{' if chars.peek() != Some(&'{') => {
                chars.by_ref().find(|c| *c == '}');
                text.push_str("...");
            }
            c => text.push(c),
        }
    }
    text
}

fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source");
            // What only tests say is said to nobody.
            found.extend(texts(source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()));
        }
    }
    found
}

/// Holds the tables of a document.
pub(super) fn hold(name: &str, text: &str, outputs: &[&str]) -> usize {
    let sources = sources(&root().join("src"));
    let all = quoted(text);
    for (line, message) in &all {
        let is_said = outputs.iter().flat_map(|output| output.lines()).any(|line| says(line, message));
        // Names of checks are shown without their underscores.
        let is_there =
            sources.iter().any(|text| says(text, message) || says(&text.replace('_', " "), message));
        assert!(is_said || is_there, "{name}, line {line}: nothing says `{message}`");
    }
    all.len()
}

#[test]
fn a_message_is_found_by_its_parts_and_a_stale_one_is_not() {
    let source =
        "let a = '\"'; // \"no text\"\nformat!(\"zero for {so_far}; must hold for {hold}, \\\n   a batch\")";
    assert_eq!(texts(source), ["zero for ...; must hold for ..., a batch"]);
    assert!(says(&texts(source)[0], "zero for ...; must hold for ..., a batch"));
    assert!(!says(&texts(source)[0], "must hold for ...; zero for ..."), "in their order");
    let sources = sources(&root().join("src"));
    let is_there = |message: &str| sources.iter().any(|text| says(text, message));
    assert!(is_there("the newest data point is ... old") && !is_there("a record arrived at"));
    assert_eq!(quoted("| a `b` and `c` | `d` |\n`e`\n"), [(1, "b".to_owned()), (1, "c".to_owned())]);
}
