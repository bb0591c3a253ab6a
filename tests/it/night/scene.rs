//! A sandbox served from a thread of the test, as `kdsha sandbox` serves it, so that the test can see its world and
//! its ledger; the fault proxy in front of it; the compiled binary beside it.

use super::proxy::Proxy;
use super::worst::Playing;
use crate::support::binary;
use crate::support::process::{self, Finished, Running};
use kdsha::model::Timestamp;
use kdsha::sandbox::Sandbox;
use kdsha::sandbox::call::{ApiCall, Service};
use kdsha::sandbox::world::{Ledger, Story, World};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// For anything that is started: beyond every bound that kdsha states.
pub const LIMIT: Duration = Duration::from_secs(240);
/// A planned failover. A wait's limit is simulated time: on a busy machine it must not be what decides.
pub const OVER: [&str; 6] = ["failover", "--to", "us-east-2", "--yes", "--timeout", "9h"];
/// An emergency failover.
/// Of somebody who has never looked while the primary answered.
pub const EMERGENCY: [&str; 11] = [
    "failover",
    "--to",
    "us-east-2",
    "--emergency",
    "--yes",
    "--timeout",
    "9h",
    "--accept",
    "mapping_settings",
    "--reason",
    "nobody looked before",
];
/// A failback.
pub const BACK: [&str; 4] = ["failback", "--yes", "--timeout", "9h"];

/// A served sandbox that the test can look into. Ends when dropped.
pub struct Served {
    sandbox: Sandbox,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn serve(seed: u64, speed: f64, story: &Story) -> Served {
        let sandbox = Sandbox::with_speed(World::of_the_post(seed, Timestamp::now(), story), speed);
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let inside = sandbox.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(tokio::task::LocalSet::new().run_until(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                tell.send(listener.local_addr().expect("an address")).expect("somebody waits");
                let stopped = async { stopped.await.unwrap_or(()) };
                inside.serve(listener, stopped).await.expect("a served sandbox");
            }));
        });
        let address = told.recv().expect("an address");
        Served { sandbox, address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A night: a world, a proxy before it, a home for kdsha.
pub struct Scene {
    pub proxy: Proxy,
    world: Served,
    pub home: tempfile::TempDir,
    _playing: Playing,
}

impl Scene {
    /// The post's pipeline with light traffic, `speed` simulated seconds a second.
    pub fn of(seed: u64, speed: f64) -> Scene {
        Scene::playing(seed, speed, &Scene::light())
    }

    /// Light traffic, so that a debug build keeps up with a fast world.
    pub fn light() -> Story {
        Story {
            shards: 2,
            records_per_second: 4.0,
            history: Duration::from_secs(20 * 60),
            ..Story::default()
        }
    }

    /// A story of one's own.
    pub fn playing(seed: u64, speed: f64, story: &Story) -> Scene {
        let world = Served::serve(seed, speed, story);
        let proxy = Proxy::start(world.address);
        let home = tempfile::tempdir().expect("a temporary folder");
        let scene = Scene { proxy, world, home, _playing: Playing::begin() };
        scene.configure(&scene.proxy.endpoints(), story.producer_alias.as_deref(), speed);
        scene
    }

    /// Writes `kdsha.toml`: the post's, with these endpoints.
    pub fn configure(&self, endpoints: &str, alias: Option<&str>, speed: f64) {
        // A look in simulated five seconds, but not more than twenty a second.
        let poll = (5_000.0 / speed).clamp(50.0, 5_000.0);
        let mut config =
            kdsha::config::THE_POST.replace("poll = \"5s\" ", &format!("poll = \"{poll:.0}ms\" "));
        config = config.replace("[[pipeline]]    ", &format!("{endpoints}\n[[pipeline]]    "));
        if let Some(alias) = alias {
            config = config.replace("# alias = \"live\" ", &format!("alias = \"{alias}\" "));
        }
        assert!(config.contains("[endpoints]\n"), "the post's configuration has changed its form");
        fs::write(self.home.path().join("kdsha.toml"), config).expect("a writable folder");
    }

    /// A command of the binary.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary::kdsha(self.home.path());
        command.args(arguments);
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        process::run(&mut self.command(arguments), LIMIT).expect("it ends")
    }

    /// Runs it, and how long it took.
    pub fn timed(&self, arguments: &[&str]) -> (Finished, Duration) {
        let began = Instant::now();
        let finished = self.run(arguments);
        (finished, began.elapsed())
    }

    /// Runs it to an exit code.
    pub fn expect(&self, code: i32, arguments: &[&str]) -> Finished {
        let finished = self.run(arguments);
        let (out, err) = (&finished.stdout, &finished.stderr);
        assert_eq!(finished.code(), Some(code), "kdsha {arguments:?}\n--- stdout\n{out}\n--- stderr\n{err}");
        finished
    }

    /// Starts it and lets it run.
    pub fn launch(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments)).expect("it starts")
    }

    /// The sandbox.
    pub fn sandbox(&self) -> &Sandbox {
        &self.world.sandbox
    }

    /// Waits, in the test's own time, until the world is so much further.
    pub fn pass(&self, simulated: Duration) {
        let until = self.sandbox().now() + simulated;
        while self.sandbox().now() < until {
            self.sandbox().with_world(|_| ());
            std::thread::sleep(Duration::from_millis(5));
        }
        self.sandbox().with_world(|_| ());
    }

    /// A call of nobody's, straight into the world.
    pub fn call(&self, service: Service, region: &str, operation: &str, input: Value) -> Value {
        let call = ApiCall {
            service,
            region: region.parse().expect("a Region"),
            account: "123456789012".parse().expect("an account"),
            operation: operation.to_owned(),
            input,
        };
        let answer = self.sandbox().with_world(|world| world.call(&call));
        answer.unwrap_or_else(|e| panic!("{operation}: {} {}", e.code, e.message)).output
    }

    /// The producer's variables.
    pub fn environment(&self) -> Value {
        let input = json!({"FunctionName": Story::PRODUCER});
        let output = self.call(Service::Lambda, "us-west-2", "GetFunctionConfiguration", input);
        output["Environment"]["Variables"].clone()
    }

    /// Function, source and state of every mapping of a Region.
    pub fn mappings(&self, region: &str) -> Vec<(String, String, String)> {
        let output = self.call(Service::Lambda, region, "ListEventSourceMappings", json!({}));
        let last = |value: &Value, mark: char| {
            value.as_str().unwrap_or_default().rsplit(mark).next().unwrap_or_default().to_owned()
        };
        let listed = output["EventSourceMappings"].as_array().expect("a list");
        let mut all: Vec<(String, String, String)> = listed
            .iter()
            .map(|m| {
                let source = last(&m["EventSourceArn"], '/');
                let source = source.split(':').next().unwrap_or_default().to_owned();
                (last(&m["FunctionArn"], ':'), source, last(&m["State"], ' '))
            })
            .collect();
        all.sort();
        all
    }

    /// The run mark's tags.
    pub fn mark(&self) -> Value {
        let input = json!({"StreamName": Story::STREAM});
        let tags = self.call(Service::Kinesis, "us-east-2", "ListTagsForStream", input);
        let pairs = tags["Tags"].as_array().cloned().unwrap_or_default();
        let text = |tag: &Value, key: &str| tag[key].as_str().unwrap_or_default().to_owned();
        pairs
            .iter()
            .map(|tag| (text(tag, "Key"), Value::from(text(tag, "Value"))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// The journals of all runs, as they are on disk.
    pub fn journals(&self) -> String {
        journals(&self.home.path().join("state"))
    }

    /// Ends the traffic, lets everything come to rest, and reads the ledger.
    pub fn account(&self) -> Ledger {
        self.sandbox().with_world(World::stop_traffic);
        self.pass(Duration::from_secs(15 * 60));
        self.sandbox().with_world(|world| world.ledger())
    }

    /// The story's end: nothing lost, nothing left behind.
    pub fn must_have_lost_nothing(&self, story: &dyn std::fmt::Debug) -> Ledger {
        let ledger = self.account();
        assert!(ledger.put > 0, "there was no traffic");
        assert_eq!((ledger.lost, ledger.pending), (0, 0), "{story:#?}\n{ledger:#?}");
        assert_eq!(ledger.processed, ledger.put, "{story:#?}");
        ledger
    }
}

/// All journals of a state folder.
pub fn journals(state: &Path) -> String {
    let runs = fs::read_dir(state).into_iter().flatten().flatten().map(|run| run.path());
    let mut files: Vec<PathBuf> = runs.map(|run| run.join("journal.jsonl")).collect();
    files.sort();
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect()
}

/// Waits until something is so.
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
