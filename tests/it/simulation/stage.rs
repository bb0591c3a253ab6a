//! A simulated pipeline and a kdsha that looks at it, with everything that a test may want to ask of either.

use kdsha::aws::{Aws, ConnectOptions};
use kdsha::cli::args::{AcceptArgs, FailbackArgs, FailoverArgs};
use kdsha::cli::failure::Failure;
use kdsha::cli::session::Session;
use kdsha::cli::{failback, failover, look, resume};
use kdsha::config::{self, PerSide, Pipeline, StandbyMode, Topology};
use kdsha::engine::Interrupt;
use kdsha::journal::StateFolder;
use kdsha::model::{Clock, Exit, Region, Timestamp};
use kdsha::sandbox::call::{ApiCall, ApiReply, Service};
use kdsha::sandbox::world::{Ledger, Story, World};
use kdsha::sandbox::{Logged, Sandbox};
use kdsha::ui::{Buffer, Format, Prompter, Settings, Ui};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

pub const MINUTE: Duration = Duration::from_secs(60);
const BEGINNING: i64 = 1_772_420_400; // 2026-03-02T03:00:00Z

/// A world, a state folder, and what kdsha said.
pub struct Stage {
    pub sandbox: Sandbox,
    pub topology: Topology,
    pub state: tempfile::TempDir,
    pub stdout: Buffer,
    pub stderr: Buffer,
    pub owner: String,
    pub seed: u64,
}

/// What must be equal when two stories end: who writes where, which mappings are on, whether a run is open.
#[derive(Debug, PartialEq, Eq)]
pub struct Fingerprint {
    pub environment: BTreeMap<String, String>,
    pub mappings: Vec<(String, String, String, String)>,
    pub run: Option<String>,
}

pub fn region(name: &str) -> Region {
    name.parse().expect("a Region")
}

/// The post's pipeline again, under the names that the story gives to a further one.
fn further(first: &Pipeline, story: &Story, number: u32) -> Pipeline {
    let mut pipeline = first.clone();
    let named = |base: &str| story.name(base, number);
    pipeline.name = named(first.name.as_str()).parse().expect("a name");
    let stream: kdsha::model::StreamName = named(Story::STREAM).parse().expect("a name");
    pipeline.stream = PerSide { primary: stream.clone(), standby: stream };
    let consumer: kdsha::model::FunctionName = named(Story::CONSUMER).parse().expect("a name");
    pipeline.consumer.function = PerSide { primary: consumer.clone(), standby: consumer };
    pipeline.producers[0].function = named(Story::PRODUCER).parse().expect("a name");
    if let Some(replicator) = &mut pipeline.replicator {
        replicator.function = named(Story::REPLICATOR).parse().expect("a name");
        replicator.stream_consumer = Some(named(Story::STREAM_CONSUMER).parse().expect("a name"));
    }
    if let Some(sink) = &mut pipeline.sink {
        sink.table = named(Story::TABLE);
    }
    pipeline
}

impl Stage {
    pub fn of(seed: u64, story: &Story) -> Stage {
        let start = Timestamp::from_second(BEGINNING).expect("an instant");
        let mut topology = config::parse(config::THE_POST, Path::new("kdsha.toml")).expect("the post's");
        // Fewer looks than on AWS: what is tested does not depend on how often one looks.
        topology.timing.poll = Duration::from_secs(20);
        if story.warm {
            topology.pipelines.iter_mut().for_each(|p| p.standby = StandbyMode::Warm);
        }
        for number in 2..=story.pipelines {
            topology.pipelines.push(further(&topology.pipelines[0], story, number));
        }
        Stage {
            sandbox: Sandbox::new(World::of_the_post(seed, start, story)),
            topology,
            state: tempfile::tempdir().expect("a temporary folder"),
            stdout: Buffer::default(),
            stderr: Buffer::default(),
            owner: "ops@laptop".to_owned(),
            seed,
        }
    }

    /// The post's pipeline with light traffic.
    pub fn light() -> Story {
        Story { shards: 2, records_per_second: 4.0, history: 20 * MINUTE, ..Story::default() }
    }

    pub fn post(seed: u64) -> Stage {
        Stage::of(seed, &Stage::light())
    }

    pub fn ui(&self, format: Format) -> Ui {
        let settings = Settings { format, ..Settings::default() };
        Ui::with_writers(settings, Box::new(self.stdout.clone()), Box::new(self.stderr.clone()), 100)
    }

    pub async fn session(&self) -> Session {
        let options = ConnectOptions {
            profile: None,
            http_client: Some(self.sandbox.http_client()),
            ..ConnectOptions::new(self.topology.regions.standby.clone())
        };
        let clock = Clock::starting_at(self.sandbox.now());
        Session {
            topology: self.topology.clone(),
            aws: Aws::connect(&self.topology, options, clock).await.expect("a connection"),
            state: StateFolder::at(self.state.path()),
            prompter: RefCell::new(Prompter::AssumeYes),
            interrupt: Interrupt::default(),
            owner: self.owner.clone(),
            argv: vec!["kdsha".to_owned()],
            selected: Vec::new(),
        }
    }

    pub async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
        self.sandbox.with_world(|_| ());
    }

    pub fn over(&self) -> FailoverArgs {
        FailoverArgs {
            to: self.topology.regions.standby.clone(),
            dry_run: false,
            yes: true,
            emergency: false,
            start_at: None,
            overlap_buffer: None,
            timeout: None,
            accept: AcceptArgs::default(),
        }
    }

    /// An emergency of somebody who has never looked while the primary answered: its mapping's settings are not known.
    pub fn blind(&self, start: Option<kdsha::model::StartAt>) -> FailoverArgs {
        let accept = AcceptArgs {
            checks: vec!["mapping_settings/*".to_owned()],
            reason: Some("the defaults will do here".to_owned()),
        };
        FailoverArgs { emergency: true, start_at: start, accept, ..self.over() }
    }

    pub fn back(&self) -> FailbackArgs {
        FailbackArgs {
            dry_run: false,
            yes: true,
            skip_stranded: false,
            timeout: None,
            accept: AcceptArgs::default(),
        }
    }

    pub async fn failover(&self, args: &FailoverArgs) -> Result<Exit, Failure> {
        failover::run(&self.session().await, &self.ui(Format::Human), args).await
    }

    pub async fn failback(&self, args: &FailbackArgs) -> Result<Exit, Failure> {
        failback::run(&self.session().await, &self.ui(Format::Human), args).await
    }

    pub async fn resume(&self) -> Result<Exit, Failure> {
        let args = kdsha::cli::args::ResumeArgs { yes: true, undo: false, emergency: false, start_at: None };
        resume::run(&self.session().await, &self.ui(Format::Human), &args).await
    }

    pub async fn verify(&self) -> Result<Exit, Failure> {
        look::verify(&self.session().await, &self.ui(Format::Human)).await
    }

    pub async fn status(&self, format: Format) -> Result<Exit, Failure> {
        look::status(&self.session().await, &self.ui(format)).await
    }

    /// Fails over and expects it to end well.
    pub async fn must_fail_over(&self) {
        let exit = self.failover(&self.over()).await;
        self.expect(exit, Exit::Done);
    }

    /// Fails back and expects it to end well.
    pub async fn must_fail_back(&self) {
        let exit = self.failback(&self.back()).await;
        self.expect(exit, Exit::Done);
    }

    /// Whoever goes on knows nothing of the runs before.
    pub fn lose_the_journal(&self) {
        std::fs::remove_dir_all(self.state.path()).expect("the state folder");
    }

    /// A command's end, with everything it said when it is not the expected one.
    pub fn expect(&self, got: Result<Exit, Failure>, wanted: Exit) {
        let got = got.unwrap_or_else(|failure| {
            panic!("seed {}: {} {:?}\n{}", self.seed, failure.message, failure.hints, self.stderr.text())
        });
        assert_eq!(got, wanted, "seed {}\n{}\n{}", self.seed, self.stderr.text(), self.stdout.text());
    }

    /// The mutating calls that reached the world.
    pub fn mutations(&self) -> Vec<Logged> {
        self.sandbox.log().into_iter().filter(|call| call.is_mutating && call.applied).collect()
    }

    pub fn call(&self, service: Service, region_name: &str, operation: &str, input: Value) -> Value {
        self.try_call(service, region_name, operation, input)
            .unwrap_or_else(|e| panic!("{operation}: {} {}", e.code, e.message))
            .output
    }

    pub fn try_call(
        &self,
        service: Service,
        region_name: &str,
        operation: &str,
        input: Value,
    ) -> Result<ApiReply, kdsha::sandbox::call::ApiError> {
        let call = ApiCall {
            service,
            region: region(region_name),
            account: "123456789012".parse().expect("an account"),
            operation: operation.to_owned(),
            input,
        };
        self.sandbox.with_world(|world| world.call(&call))
    }

    pub fn environment(&self) -> BTreeMap<String, String> {
        let input = json!({"FunctionName": "KDS-HA-ProducerLambda"});
        let output = self.call(Service::Lambda, "us-west-2", "GetFunctionConfiguration", input);
        serde_json::from_value(output["Environment"]["Variables"].clone()).expect("variables")
    }

    pub fn mappings(&self, region_name: &str) -> Vec<Value> {
        let output = self.call(Service::Lambda, region_name, "ListEventSourceMappings", json!({}));
        output["EventSourceMappings"].as_array().expect("a list").clone()
    }

    pub fn fingerprint(&self) -> Fingerprint {
        let mut mappings = Vec::new();
        for name in ["us-west-2", "us-east-2"] {
            for mapping in self.mappings(name) {
                let text = |key: &str| mapping[key].as_str().unwrap_or_default().to_owned();
                mappings.push((name.to_owned(), text("FunctionArn"), text("EventSourceArn"), text("State")));
            }
        }
        mappings.sort();
        let tags = self.call(
            Service::Kinesis,
            "us-east-2",
            "ListTagsForStream",
            json!({"StreamName": "KDS-HA-Stream"}),
        );
        let tags = tags["Tags"].as_array().cloned().unwrap_or_default();
        let state = tags.iter().find(|tag| tag["Key"] == "kdsha:state");
        Fingerprint {
            environment: self.environment(),
            mappings,
            run: state.and_then(|tag| tag["Value"].as_str()).map(str::to_owned),
        }
    }

    /// Ends the traffic, lets everything come to rest, and reads the ledger.
    pub async fn account(&self) -> Ledger {
        self.sandbox.with_world(World::stop_traffic);
        self.pass(15 * MINUTE).await;
        self.sandbox.with_world(|world| world.ledger())
    }

    /// The story's end: nothing lost, nothing left behind, and nothing passed but what filters leave out.
    pub async fn must_have_lost_nothing(&self) {
        let ledger = self.account().await;
        assert!(ledger.put > 0, "there was no traffic");
        assert_eq!(
            (ledger.lost, ledger.pending),
            (0, 0),
            "seed {}: {ledger:?}\n{}",
            self.seed,
            self.stderr.text()
        );
        assert_eq!(ledger.processed + ledger.filtered, ledger.put);
    }
}
