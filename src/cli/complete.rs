//! Completion scripts, made from the command line's own types.

use super::args::Cli;
use clap::CommandFactory;
use clap_complete::Shell;

/// The completion script for a shell.
pub fn script(shell: Shell) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kdsha", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
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
