//! `kdsha man`: manual pages, made from the command line's own types.

use super::args::{Cli, ManArgs};
use super::failure::Failure;
use crate::model::Exit;
use crate::ui::Ui;
use clap::CommandFactory;

/// The page of kdsha, or of one of its commands: its name and its text.
///
/// # Errors
/// When there is no such command, or (never in practice) the page cannot be made.
pub fn page(command: Option<&str>) -> Result<(String, String), Failure> {
    let mut all = Cli::command();
    all.build();
    let wanted = match command {
        None => all,
        Some(name) => all.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::new(Exit::Usage, format!("there is no command `{name}`")).hint("`kdsha help` lists them")
        })?,
    };
    let name = wanted.get_bin_name().unwrap_or("kdsha").replace(' ', "-");
    let title = wanted.display_name(name.clone()).disable_help_flag(false);
    let usage = title.clone().render_usage().to_string();
    let extra = title.get_after_long_help().or(title.get_after_help()).map(ToString::to_string);
    let title = title.after_help(None::<&str>).after_long_help(None::<&str>);
    let page = clap_mangen::Man::new(title).manual("kdsha").section("1").date("");
    let mut bytes = Vec::new();
    page.render(&mut bytes)
        .map_err(|error| Failure::new(Exit::Internal, format!("the page cannot be made: {error}")))?;
    let made = String::from_utf8_lossy(&bytes).into_owned();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    Ok((name, mended(&made, usage) + &extra.map(|text| sections(&text)).unwrap_or_default()))
}

/// What the maker of pages gets wrong: a page of `help`, which there is none of, flags without their values in the
/// synopsis, and lines that are stretched to both margins.
fn mended(page: &str, usage: &str) -> String {
    let lines: Vec<&str> = page.lines().collect();
    let mut kept = Vec::new();
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        // The entry of `help`: .TP, its name, its text.
        let is_help = *line == ".TP" && lines.get(index + 1).is_some_and(|next| next.contains("\\-help(1)"));
        if is_help {
            index += 3;
            continue;
        }
        index += 1;
        kept.push((*line).to_owned());
        if line.starts_with(".TH ") {
            kept.push(".ad l\n.nh".to_owned());
        }
        if *line == ".SH SYNOPSIS" {
            kept.push(escaped(usage));
            index += 1;
        }
    }
    kept.join("\n") + "\n"
}

/// The examples and tables that follow the options: their headings as sections, the rest as it is written.
fn sections(text: &str) -> String {
    let mut out = String::new();
    let mut is_open = false;
    for line in text.lines() {
        let is_heading = !line.is_empty() && line.chars().all(|c| c.is_ascii_uppercase() || c == ' ');
        if is_heading {
            let close = if is_open { ".fi\n" } else { "" };
            out += &format!(
                "{close}.SH {}\n.nf\n",
                if line.contains(' ') { format!("\"{line}\"") } else { line.to_owned() }
            );
            is_open = true;
        } else if !line.is_empty() {
            out += &escaped(line);
            out.push('\n');
        }
    }
    if is_open { out + ".fi\n" } else { out }
}

/// A line of text that roff takes for nothing else.
fn escaped(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

/// Prints a page.
///
/// # Errors
/// As [`page`].
pub fn run(ui: &Ui, args: &ManArgs) -> Result<Exit, Failure> {
    let (_, text) = page(args.command.as_deref())?;
    ui.raw(&text);
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn a_page_shows_its_examples_as_they_are_written_and_names_no_page_that_is_missing() {
        let (_, failover) = page(Some("failover")).expect("a page");
        assert!(failover.contains(".SH EXAMPLES\n.nf\n"), "{failover}");
        assert!(failover.contains(".SH \"EXIT CODES\"\n.nf\n") && !failover.contains("EXTRA"), "{failover}");
        assert_eq!(failover.matches(".nf\n").count(), failover.matches(".fi\n").count());
        let (_, main) = page(None).expect("a page");
        assert!(
            failover.contains(".SH SYNOPSIS\nkdsha failover [OPTIONS] \\-\\-to <REGION>\n"),
            "{failover}"
        );
        assert!(!main.contains("help(1)") && main.contains("status(1)"), "{main}");
    }

    /// `KDSHA_BLESS=1 cargo test man_pages` writes them anew.
    #[test]
    fn the_man_pages_in_the_repository_are_those_of_this_command_line() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/man");
        let names: Vec<String> = Cli::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
        let mut expected = BTreeSet::new();
        for command in std::iter::once(None).chain(names.iter().map(|name| Some(name.as_str()))) {
            let (name, made) = page(command).expect("a page");
            let file = format!("{name}.1");
            if std::env::var_os("KDSHA_BLESS").is_some_and(|v| v == "1") {
                std::fs::create_dir_all(&folder).expect("the folder can be made");
                std::fs::write(folder.join(&file), &made).expect("the file can be written");
            }
            let kept = std::fs::read_to_string(folder.join(&file)).unwrap_or_default();
            assert!(
                kept == made,
                "completions/man/{file} is out of date; write it anew: KDSHA_BLESS=1 cargo test man_pages"
            );
            expected.insert(file);
        }
        let found: BTreeSet<String> = std::fs::read_dir(&folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(found, expected, "a page without a command, or the other way round");
    }
}
