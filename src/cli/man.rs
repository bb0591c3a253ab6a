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
    let page = clap_mangen::Man::new(title).manual("kdsha").section("1").date("");
    let mut bytes = Vec::new();
    page.render(&mut bytes)
        .map_err(|error| Failure::new(Exit::Internal, format!("the page cannot be made: {error}")))?;
    Ok((name, String::from_utf8_lossy(&bytes).into_owned()))
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
