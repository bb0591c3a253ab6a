//! One emulator with the post's pipeline in it, and kdsha beside it.

use super::audit::{self, Sent};
use super::traffic::Traffic;
use super::venv;
use super::world::World;
use crate::support::binary;
use crate::support::process::{self, Finished, Running};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// The access key of everything that is neither kdsha nor a function.
const ACCESS_KEY: &str = "test"; // MiniStack's root, where it checks rights
/// The value of a producer's variable that kdsha has no business with.
const SECRET: &str = "s3cr3t-do-not-print";
/// For a script, the emulator's start, and its end.
const LIMIT: Duration = Duration::from_secs(180);
/// For one run of kdsha: its waits are bounded by four minutes each.
pub const RUN_LIMIT: Duration = Duration::from_secs(240);

/// How the pipeline is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The standby's consumer is started at failover.
    Cold,
    /// It always runs.
    Warm,
}

/// A running emulator. Dropped, it stops with everything in it.
pub struct Rig {
    emulator: Child,
    folder: TempDir,
    url: String,
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/ministack")
}

/// A command that sees nothing of the caller's environment.
fn python(script: &Path) -> Command {
    let mut command = Command::new(venv::python());
    command.arg(script).env_clear().env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("NO_PROXY", "*");
    command
}

impl Rig {
    /// Starts an emulator and builds the pipeline in it.
    pub fn start(mode: Mode) -> Rig {
        Rig::build(mode, "false")
    }

    /// The same with MiniStack's `AUTH=true`: signatures and rights are checked, but for the rig's own keys.
    pub fn with_authorisation(mode: Mode) -> Rig {
        Rig::build(mode, "true")
    }

    fn build(mode: Mode, authorisation: &str) -> Rig {
        let rig = Rig::empty(authorisation);
        let flags: &[&str] = if mode == Mode::Warm { &["--warm"] } else { &[] };
        rig.script("build", flags);
        fs::write(rig.path("kdsha.toml"), rig.config(mode)).expect("a writable folder");
        rig
    }

    fn empty(authorisation: &str) -> Rig {
        let folder = TempDir::with_prefix("kdsha-rig-").expect("a temporary folder");
        let directory = folder.path().join("emulator");
        fs::create_dir(&directory).expect("a writable folder");
        let log = File::create(folder.path().join("emulator.log")).expect("a writable folder");
        let mut command = python(&scripts().join("emulator/launcher.py"));
        command.arg("--directory").arg(&directory).arg("--audit").arg(folder.path().join("audit.jsonl"));
        command.env("AUTH", authorisation);
        // A group of its own, so that it can end itself with all its functions and nothing else.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut emulator = command.spawn().expect("a startable emulator");
        let stdout = BufReader::new(emulator.stdout.take().expect("a pipe"));
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(stdout.lines().next()));
        let first = receiver.recv_timeout(LIMIT).ok().flatten().and_then(Result::ok);
        let mut rig = Rig { emulator, folder, url: String::new() };
        let Some(line) = first else { panic!("the emulator did not start:\n{}", rig.log()) };
        let announced: Value = serde_json::from_str(&line).expect("one line of JSON");
        announced["url"].as_str().expect("a URL").clone_into(&mut rig.url);
        rig
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.url.trim_start_matches("http://").parse().expect("an address")
    }

    /// A file in the rig's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("emulator.log")).unwrap_or_default()
    }

    /// The configuration for the pipeline. The times suit the emulator's, whose mappings change within two seconds
    /// and whose functions have three.
    pub fn config(&self, mode: Mode) -> String {
        let url = &self.url;
        let standby = if mode == Mode::Warm { "warm" } else { "cold" };
        format!(
            r#"
[regions]
primary = "us-west-2"
standby = "us-east-2"
[account]
id = "123456789012"
[timing]
poll = "500ms"
settle = "2s"
fresh = "12s"
quiet = "3s"
metric_period = "5s"
timeout = "4m"
[endpoints]
us-west-2 = "{url}"
us-east-2 = "{url}"
[[pipeline]]
name = "ticker-prices"
standby = "{standby}"
stream = "KDS-HA-Stream"
overlap_buffer = "5s"
[[pipeline.producer]]
function = "KDS-HA-ProducerLambda"
region_variable = "PRODUCING_TO_REGION"
stream_variable = "INPUT_STREAM"
[pipeline.consumer]
function = "KDS-HA-ConsumerLambda"
[pipeline.replicator]
function = "KDS-HA-ReplicationAgentLambda"
stream_consumer = "KDS-HA-Stream-EFO-Consumer"
[pipeline.sink]
table = "ticker-prices"
region_attribute = "last_updated_region"
"#
        )
    }

    /// A script of `rig/`, with boto3 and the emulator as its AWS.
    pub fn command(&self, script: &str) -> Command {
        let mut command = python(&scripts().join("rig").join(script).with_extension("py"));
        command
            .env("HOME", self.folder.path())
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", "dummy")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null());
        command
    }

    /// Runs a script of `rig/`; its one line of JSON.
    pub fn script(&self, script: &str, arguments: &[&str]) -> Value {
        let finished =
            process::run(self.command(script).args(arguments), LIMIT).expect("a script within its time");
        assert_eq!(finished.code(), Some(0), "{script}: {}\n--- emulator\n{}", finished.stderr, self.log());
        serde_json::from_str(&finished.stdout).expect("a line of JSON")
    }

    /// Both Regions, as boto3 sees them.
    pub fn world(&self) -> World {
        World(self.script("world", &[]))
    }

    /// Starts the traffic: about ten records a second until it is stopped.
    pub fn traffic(&self) -> Traffic {
        Traffic::start(self)
    }

    /// A command line of kdsha.
    pub fn kdsha(&self, arguments: &[&str]) -> Command {
        let mut command = binary::kdsha(self.folder.path());
        command.arg("--config").arg(self.path("kdsha.toml")).args(arguments);
        command
    }

    /// Runs kdsha to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let finished = process::run(&mut self.kdsha(arguments), RUN_LIMIT).expect("kdsha within its time");
        let said = format!("{}{}", finished.stdout, finished.stderr);
        assert!(
            !said.contains(SECRET),
            "{arguments:?} shows the value of a variable that is not its business"
        );
        finished
    }

    /// No file of the state folder holds the value of a variable that is not kdsha's business.
    pub fn assert_no_secret_on_disk(&self) {
        let runs: Vec<PathBuf> =
            fs::read_dir(self.path("state")).expect("runs").flatten().map(|e| e.path()).collect();
        let files =
            runs.iter().filter_map(|run| fs::read_dir(run).ok()).flatten().flatten().map(|e| e.path());
        let files: Vec<PathBuf> = files.collect();
        assert!(!files.is_empty(), "no journal was kept");
        for file in files {
            let text = fs::read(&file).expect("a readable file");
            let found = text.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            assert!(!found, "{} holds the value of a variable that is not kdsha's business", file.display());
        }
    }

    /// Runs kdsha, which has to succeed; its standard output.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        self.expect(0, arguments).stdout
    }

    /// Runs kdsha, which has to end with an exit code.
    pub fn expect(&self, code: i32, arguments: &[&str]) -> Finished {
        let finished = self.run(arguments);
        assert_eq!(
            finished.code(),
            Some(code),
            "kdsha {arguments:?}\n--- stdout\n{}\n--- stderr\n{}\n--- emulator\n{}",
            finished.stdout,
            finished.stderr,
            self.log()
        );
        finished
    }

    /// Starts kdsha and lets it run.
    pub fn launch(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.kdsha(arguments)).expect("a startable kdsha")
    }

    /// What kdsha has sent so far, in order of arrival.
    pub fn sent(&self) -> Vec<Sent> {
        let lines = fs::read_to_string(self.path("audit.jsonl")).expect("the emulator's log of requests");
        audit::sent_by(binary::ACCESS_KEY, &lines)
    }

    /// What kdsha has sent that may change something.
    pub fn mutations(&self) -> Vec<Sent> {
        self.sent().into_iter().filter(|sent| sent.mutating).collect()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep_logs();
        }
        drop(self.emulator.stdin.take());
        for _ in 0..500 {
            match self.emulator.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(10)),
                _ => return,
            }
        }
        // It did not stop with its standard input: only now, and only it.
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

impl Rig {
    /// Keeps what explains a failure: the test's folder is removed in a moment.
    fn keep_logs(&self) {
        let name = thread::current().name().unwrap_or("unnamed").replace("::", "-");
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("failed-{name}"));
        if fs::create_dir_all(&kept).is_err() {
            return;
        }
        for file in ["emulator.log", "audit.jsonl", "acknowledged.jsonl", "kdsha.toml"] {
            // Not every test has all of them.
            let _ = fs::copy(self.path(file), kept.join(file));
        }
        for run in fs::read_dir(self.path("state")).into_iter().flatten().flatten() {
            let name = format!("journal-{}.jsonl", run.file_name().to_string_lossy());
            let _ = fs::copy(run.path().join("journal.jsonl"), kept.join(name));
        }
    }
}
