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

/// What a rehearsal shows cannot be taken for AWS, and a story that ends leaves no command to be typed at the shell.
#[test]
fn a_no_in_a_rehearsal_is_no_invitation_to_the_real_thing() -> Result<(), Error> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut terminal = rehearse(home.path())?;
    terminal.exp_string("REHEARSAL, not AWS")?;
    terminal.exp_string("REHEARSAL.")?;
    answer(&mut terminal, "Stage 1/", "n")?;
    terminal.exp_string("REHEARSAL: nothing of this is AWS")?;
    let end = terminal.exp_eof()?;
    assert!(!end.contains("\nnext"), "{end}");
    assert!(end.contains("the rehearsal ends here; nothing of it was AWS"), "{end}");
    assert!(!end.contains("can be resumed"), "{end}");
    Ok(())
}

#[test]
fn ctrl_c_ends_the_day_with_its_account() -> Result<(), Error> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = kdsha(home.path());
    command.args(["rehearse", "--interactive", "--calm", "--seed", "3"]).env("TERM", "xterm");
    command.stdin(std::process::Stdio::inherit());
    let mut terminal = rexpect::session::spawn_command(command, Some(LIMIT))?;
    terminal.exp_string("game day> ")?;
    terminal.send_control('c')?;
    let end = terminal.exp_eof()?;
    assert!(end.contains("score       50 of 100"), "{end}");
    assert!(!end.contains("error:"), "{end}");
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
    // Marked anew without a question, and then what was prepared makes way for the earlier position.
    answer(&mut terminal, "[2/7] Remove a leftover mapping", "y")?;
    answer(&mut terminal, "[3/7] Create the consumer in us-east-2, enabled", "n")?;
    terminal.exp_string("STOPPED BY THE OPERATOR")?;
    Ok(())
}

/// Where a pipeline goes is typed; what the configuration says is offered.
#[test]
fn a_failover_without_a_region_names_the_configured_standby() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let failover =
        || process::run(kdsha(home.path()).arg("failover"), Duration::from_secs(20)).expect("it ends");
    assert!(!failover().stderr.contains("tip:"), "nothing is configured");
    std::fs::write(home.path().join("kdsha.toml"), kdsha::config::THE_POST).expect("a configuration");
    let run = failover();
    assert_eq!(run.code(), Some(2), "{}", run.stderr);
    let tip = "tip: the configured standby is us-east-2: kdsha failover --to us-east-2";
    assert!(run.stderr.contains(tip), "{}", run.stderr);
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
