//! `status --watch` on a pseudo-terminal and without one, against a sandbox that the binary serves.

use crate::support::binary::kdsha;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Milliseconds until a text has to be on the screen.
const LIMIT: u64 = 60_000;

/// A served sandbox; ended when dropped.
struct Served {
    child: Child,
    url: String,
    home: tempfile::TempDir,
}

impl Served {
    fn start() -> Served {
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut command = kdsha(home.path());
        command.args(["sandbox", "--seed", "5"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("its first line");
        fs::write(home.path().join("kdsha.toml"), kdsha::config::THE_POST).expect("a file");
        Served { child, url: url.trim().to_owned(), home }
    }

    /// A command line for `sh`, in the environment of the binary.
    fn shell(&self, script: &str) -> Command {
        let binary = kdsha(self.home.path());
        let mut command = Command::new("sh");
        let script = script.replace("KDSHA", &Path::new(binary.get_program()).to_string_lossy());
        command.args(["-c", &script]).env_clear().current_dir(self.home.path());
        command.envs(binary.get_envs().filter_map(|(key, value)| Some((key, value?))));
        command.env("PATH", "/usr/bin:/bin").env("AWS_ENDPOINT_URL", &self.url).env("TERM", "xterm");
        command
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Tested = Result<(), rexpect::error::Error>;

/// Runs a command on 24 rows, says how it ended, and whether the terminal's modes are what they were.
fn on_a_terminal(command: &str) -> String {
    let (before, after) = ("stty rows 24 cols 80; before=$(stty -g)", "echo ended $?; after=$(stty -g)");
    format!("{before}; {command}; {after}; [ \"$before\" = \"$after\" ] && echo the same modes")
}

/// The screen is left, the cursor is back, and the terminal's modes are what they were.
fn is_restored(terminal: &mut rexpect::session::PtySession, exit: &str) -> Tested {
    terminal.exp_string("\u{1b}[?25h")?;
    terminal.exp_string("\u{1b}[?1049l")?;
    terminal.exp_string(&format!("ended {exit}"))?;
    terminal.exp_string("the same modes")?;
    terminal.exp_eof()?;
    Ok(())
}

#[test]
fn the_live_view_starts_and_q_gives_the_terminal_back() -> Tested {
    let served = Served::start();
    let script = on_a_terminal("KDSHA status --watch");
    let mut terminal = rexpect::session::spawn_command(served.shell(&script), Some(LIMIT))?;
    terminal.exp_string("\u{1b}[?1049h")?;
    terminal.exp_string("ACTIVE")?;
    terminal.send("p")?;
    terminal.flush()?;
    terminal.exp_string("PAUSED")?;
    terminal.send("q")?;
    terminal.flush()?;
    is_restored(&mut terminal, "0")
}

#[test]
fn ctrl_c_and_sigterm_give_the_terminal_back() -> Tested {
    let served = Served::start();
    let script = on_a_terminal("KDSHA status --watch");
    let mut terminal = rexpect::session::spawn_command(served.shell(&script), Some(LIMIT))?;
    terminal.exp_string("ACTIVE")?;
    terminal.send_control('c')?;
    is_restored(&mut terminal, "130")?;

    let script = on_a_terminal("sh -c 'echo pid=$$,; exec KDSHA status --watch'");
    let mut terminal = rexpect::session::spawn_command(served.shell(&script), Some(LIMIT))?;
    terminal.exp_string("pid=")?;
    let pid = terminal.exp_string(",")?;
    terminal.exp_string("ACTIVE")?;
    let killed = Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
    assert!(killed.success(), "no process {pid}");
    is_restored(&mut terminal, "130")
}

/// Without a terminal: a document a look, each whole on its line.
#[test]
fn without_a_terminal_it_is_one_document_a_look() {
    let served = Served::start();
    let mut command = served.shell("exec KDSHA status --watch --output json");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary");
    let stdout = child.stdout.take().expect("a pipe");
    let lines: Vec<String> =
        BufReader::new(stdout).lines().take(2).map(|line| line.expect("a line")).collect();
    let _ = child.kill();
    let _ = child.wait();
    for line in &lines {
        let document: serde_json::Value = serde_json::from_str(line).expect("one JSON document");
        assert_eq!(document["schema"], "kdsha.status/1");
    }
    assert_eq!(lines.len(), 2);
}
