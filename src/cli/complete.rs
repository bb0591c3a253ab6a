//! Completion scripts, made from the command line's own types.

use super::args::Cli;
use super::failure::Failure;
use crate::model::Exit;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_complete::env::{CompleteEnv, Shells};

/// The completion script for a shell.
pub fn script(shell: Shell) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kdsha", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The variable that asks for candidates in place of a command. Not clap's own `COMPLETE`, which anybody may have set.
const VARIABLE: &str = "KDSHA_COMPLETE";

/// The script that has a shell ask kdsha for candidates.
///
/// # Errors
/// Never in practice: it is written into memory.
pub fn registration(shell: Shell) -> Result<String, Failure> {
    let impossible = |why: String| Failure::new(Exit::Internal, format!("no script for {shell}: {why}"));
    let shells = Shells::builtins();
    let name = shell.to_string();
    let completer = shells.completer(&name).ok_or_else(|| impossible("unknown shell".to_owned()))?;
    let mut bytes = Vec::new();
    completer
        .write_registration(VARIABLE, "kdsha", "kdsha", "kdsha", &mut bytes)
        .map_err(|error| impossible(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Answers a shell that asks for candidates, and ends the process then; does nothing otherwise. Reads local files
/// alone, so that a key press never waits for AWS.
pub fn answer_shell() {
    CompleteEnv::with_factory(Cli::command).var(VARIABLE).complete();
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;
    use std::path::Path;

    fn file(shell: Shell) -> &'static str {
        match shell {
            Shell::Bash => "kdsha.bash",
            Shell::Elvish => "kdsha.elv",
            Shell::Fish => "kdsha.fish",
            Shell::PowerShell => "_kdsha.ps1",
            Shell::Zsh => "_kdsha",
            other => panic!("no file name for {other}"),
        }
    }

    /// `KDSHA_BLESS=1 cargo test completions` writes them anew.
    #[test]
    fn the_completions_in_the_repository_are_those_of_this_command_line() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
        for shell in Shell::value_variants() {
            let path = folder.join(file(*shell));
            let made = script(*shell);
            if std::env::var_os("KDSHA_BLESS").is_some_and(|v| v == "1") {
                std::fs::create_dir_all(&folder).expect("the folder can be made");
                std::fs::write(&path, &made).expect("the file can be written");
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                kept == made,
                "completions/{} is out of date; write it anew: KDSHA_BLESS=1 cargo test completions",
                file(*shell)
            );
        }
    }

    #[test]
    fn a_script_knows_every_command() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}
