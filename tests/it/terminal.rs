//! The compiled binary on a pseudo-terminal, with a person at its keyboard: what Ctrl-C, a no and an emergency do
//! when they are real. It rehearses, so its world is the built-in sandbox's, and its time is virtual.

use crate::support::binary::kdsha;
use crate::support::process;
use rexpect::error::Error;
use rexpect::session::PtySession;
use std::path::Path;
use std::time::Duration;

/// For one thing to be said; a debug build on a busy machine is slow.
const LIMIT: u64 = 180_000;

fn rehearse(home: &Path) -> Result<PtySession, Error> {
    let mut command = kdsha(home);
    command.args(["rehearse", "--seed", "3"]).env("TERM", "xterm").stdin(std::process::Stdio::inherit());
    // The pseudo-terminal becomes its stdin, stdout and stderr, where nothing else was asked for.
    rexpect::session::spawn_command(command, Some(LIMIT))
}

/// Answers the question of a stage.
fn answer(terminal: &mut PtySession, title: &str, line: &str) -> Result<(), Error> {
    terminal.exp_string(title)?;
    terminal.exp_string("(default: no) > ")?;
    terminal.send_line(line)?;
    Ok(())
}

#[test]
fn ctrl_c_at_a_question_offers_to_put_back_what_was_changed() -> Result<(), Error> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut terminal = rehearse(home.path())?;
    answer(&mut terminal, "Mark the run", "y")?;
    answer(&mut terminal, "[2/", "y")?;
    terminal.exp_string("[3/")?;
    terminal.exp_string("(default: no) > ")?;
    terminal.send_control('c')?;
    terminal.exp_string("INTERRUPTED")?;
    terminal.exp_string("can be put back (2 calls")?;
    terminal.exp_string("[n]o (default) > ")?;
    terminal.send_line("y")?;
    // The Ctrl-C that stopped the run does not stop the way back.
    terminal.exp_string("everything that can be put back was")?;
    terminal.exp_string("DONE  what this run had changed was put back")?;
    terminal.exp_eof()?;
    Ok(())
}

#[test]
fn an_emergency_typed_at_a_question_goes_on_as_one() -> Result<(), Error> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut terminal = rehearse(home.path())?;
    answer(&mut terminal, "Mark the run", "y")?;
    answer(&mut terminal, "[2/", "y")?;
    answer(&mut terminal, "[3/", "emergency")?;
    terminal.exp_string("(empty: stop here) > ")?;
    terminal.send_line("us-east-2")?;
    terminal.exp_string("empty takes it back) > ")?;
    terminal.send_line("us-west-2 is failing")?;
    terminal.exp_string("the run is an emergency from here on: us-west-2 is failing")?;
    terminal.exp_string("Going on with run")?;
    // Marked anew with the earlier position, and then what was prepared makes way for it.
    answer(&mut terminal, "[1/7] Mark the run", "y")?;
    answer(&mut terminal, "[2/7] Remove a leftover mapping", "y")?;
    answer(&mut terminal, "[3/7] Create the consumer in us-east-2, enabled", "n")?;
    terminal.exp_string("STOPPED BY THE OPERATOR")?;
    Ok(())
}

/// Without a terminal only ways are named that the command has.
#[test]
fn without_a_terminal_the_hints_name_flags_that_exist() {
    let home = tempfile::tempdir().expect("a temporary folder");
    for (command, has_dry_run) in [
        (&["resume"][..], false),
        (&["resume", "--undo"], false),
        (&["rehearse"], false),
        (&["failback"], true),
    ] {
        let run = process::run(kdsha(home.path()).args(command), Duration::from_secs(20)).expect("it ends");
        assert_eq!(run.code(), Some(2), "{command:?}: {}", run.stderr);
        assert!(run.stderr.contains("--yes"), "{command:?}: {}", run.stderr);
        assert_eq!(run.stderr.contains("--dry-run"), has_dry_run, "{command:?}: {}", run.stderr);
    }
}
