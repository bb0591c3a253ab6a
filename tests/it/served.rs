//! The compiled binary against the sandbox that it serves itself, over a loopback socket.

use crate::support::binary::kdsha;
use crate::support::process::{self, Finished, Running};
use crate::support::server::Server;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) const LIMIT: Duration = Duration::from_secs(180);
/// A wait's limit is simulated time: on a busy machine it must not be what decides.
const OVER: [&str; 6] = ["failover", "--to", "us-east-2", "--yes", "--timeout", "9h"];

/// A served sandbox; ended when dropped.
pub(crate) struct Served {
    pub(crate) url: String,
    _server: Server,
    pub(crate) home: tempfile::TempDir,
}

impl Served {
    /// With the post's topology in it.
    pub(crate) fn start(speed: &str) -> Served {
        Served::with(&["--seed", "5", "--speed", speed])
    }

    pub(crate) fn with(arguments: &[&str]) -> Served {
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut command = kdsha(home.path());
        let server = Server::start(command.arg("sandbox").args(arguments));
        // Half a second is half a minute of a sandbox that runs sixty times as fast.
        let config = kdsha::config::THE_POST.replace("poll = \"5s\" ", "poll = \"500ms\" ");
        fs::write(home.path().join("kdsha.toml"), config).expect("a file");
        Served { url: server.url.clone(), _server: server, home }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = kdsha(self.home.path());
        command.args(arguments).env("AWS_ENDPOINT_URL", &self.url);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        process::run(&mut self.command(arguments), LIMIT).expect("it ends")
    }
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn journal_has(home: &Path, text: &str) -> bool {
    let Ok(entries) = fs::read_dir(home.join("state")) else { return false };
    let journals = entries.filter_map(|e| fs::read_to_string(e.ok()?.path().join("journal.jsonl")).ok());
    journals.into_iter().any(|journal| journal.contains(text))
}

#[test]
fn status_over_a_socket_is_two_round_trips() {
    let served = Served::start("1");
    let finished = served.run(&["status", "--output", "json"]);
    assert_eq!(finished.code(), Some(0), "{}{}", finished.stdout, finished.stderr);
    let status: serde_json::Value = serde_json::from_str(&finished.stdout).expect("one JSON document");
    assert_eq!(status["schema"], "kdsha.status/1");
    assert_eq!(status["pipelines"]["ticker-prices"]["active"]["region"], "us-west-2");
    assert_eq!(status["snapshot"]["stats"]["longest_chain"], 2);
    let human = served.run(&["status", "-v"]);
    assert!(human.stdout.contains("the longest chain 2 calls"), "{}", human.stdout);
}

/// One wins, the other is told; Ctrl-C ends a wait between calls, and the same command goes on.
#[test]
fn two_at_once_and_an_interrupt() {
    let served = Served::start("60");
    let mut first = Running::start(&mut served.command(&OVER)).expect("it starts");
    until("the switch", || journal_has(served.home.path(), "\"effect\":\"set_environment\""));
    let second = served.run(&OVER);
    assert_eq!(second.code(), Some(8), "{}", second.stderr);
    assert!(second.stderr.contains("another kdsha is running"), "{}", second.stderr);
    let signal = Command::new("kill").args(["-INT", &first.id().to_string()]).status().expect("kill");
    assert!(signal.success());
    assert!(first.wait(LIMIT).expect("a process").is_some(), "it did not stop");
    let first = first.finish(LIMIT).expect("it ended");
    assert_eq!(first.code(), Some(130), "{}", first.stderr);
    assert!(first.stderr.contains("kdsha failover --to us-east-2"), "{}", first.stderr);
    let again = served.run(&OVER);
    assert_eq!(again.code(), Some(0), "{}", again.stderr);
    let runs = served.run(&["runs", "--output", "json"]);
    assert_eq!(runs.stdout.matches("-failover-").count(), 1, "one run, gone on with: {}", runs.stdout);
}

#[test]
fn every_story_of_a_rehearsal_ends_without_a_loss() {
    let home = tempfile::tempdir().expect("a temporary folder");
    for scenario in ["data-plane-outage", "warm-standby", "silent-region"] {
        let arguments = ["rehearse", "--yes", "--seed", "4", "--output", "json", "--scenario", scenario];
        let finished = process::run(kdsha(home.path()).args(arguments), LIMIT).expect("it ends");
        assert_eq!(finished.code(), Some(0), "{scenario}: {}", finished.stderr);
        let last = finished.stdout.lines().last().expect("a document");
        let account: serde_json::Value = serde_json::from_str(last).expect("JSON");
        assert_eq!(account["schema"], "kdsha.rehearsal/1");
        assert_eq!((&account["lost"], &account["pending"]), (&0.into(), &0.into()), "{scenario}: {last}");
        assert!(account["put"].as_u64() > Some(10_000), "{scenario}: {last}");
        assert!(account["recovery_seconds"].as_u64() < Some(900), "{scenario}: {last}");
    }
}
