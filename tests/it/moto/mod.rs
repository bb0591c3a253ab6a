//! `kdsha init` on moto, whose plain calls are a second opinion on the sandbox's: nobody here wrote it.
//!
//! A proxy before it (`cbor.py`) speaks the protocol of the Rust SDK's CloudWatch client, which moto does not.

use crate::contract;
use crate::support::binary;
use crate::support::process;
use crate::support::server::Server;
use kdsha::config::{self, THE_POST};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// A running moto. It ends with this, and with its standard input: it outlives no test that is killed.
pub(crate) struct Moto {
    pub(crate) url: String,
    _server: Server,
    _home: tempfile::TempDir,
}

impl Moto {
    pub(crate) fn start(arguments: &[&str]) -> Moto {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/moto/serve.py");
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut command = contract::bare(&contract::python(), home.path());
        let server = Server::start(command.arg(script).args(arguments).stdin(Stdio::piped()));
        Moto { url: server.url.clone(), _server: server, _home: home }
    }
}

#[test]
fn the_posts_topology_is_found_on_moto() {
    let moto = Moto::start(&[]);
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = binary::kdsha(home.path());
    command.args(["init", "--primary", "us-west-2", "--pipeline", "ticker-prices"]);
    let finished = process::run(command.env("AWS_ENDPOINT_URL", &moto.url), LIMIT).expect("it ends");
    let said = format!("{}{}", finished.stdout, finished.stderr);
    assert_eq!(finished.code(), Some(7), "moto lacks GetAccountSettings: {said}");
    let path = home.path().join("kdsha.toml");
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(!said.contains("s3cr3t") && !text.contains("s3cr3t"), "{said}{text}");
    let mut found = config::load(&path).expect("a configuration").pipelines;
    let mut post = config::parse(THE_POST, Path::new("post.toml")).expect("the post").pipelines;
    // moto has no mapping on a fan-out consumer.
    post[0].replicator.iter_mut().for_each(|replicator| replicator.stream_consumer = None);
    assert_eq!(found.remove(0), post.remove(0), "{text}");
    metrics_are_seen(binary::kdsha(home.path()).env("AWS_ENDPOINT_URL", &moto.url));
}

/// What `verify` says of metrics it has read; all that is not well is what moto does not have.
fn metrics_are_seen(kdsha: &mut Command) {
    let finished = process::run(kdsha.args(["verify", "--output", "json"]), LIMIT).expect("it ends");
    let verified: Value = serde_json::from_str(&finished.stdout).expect("one JSON document");
    let checks = verified["checks"].as_array().expect("a list");
    let said = |check: &Value| {
        ["check", "region", "verdict"].map(|key| check[key].as_str().unwrap_or("").to_owned())
    };
    let is_well = |check: &&Value| check["verdict"] == "ok";
    let unwell: Vec<_> = checks.iter().filter(|check| !is_well(check)).map(said).collect();
    let moto_lacks = [
        ["concurrency", "us-west-2", "fail"],
        ["concurrency", "us-east-2", "fail"],
        // Nothing has ever been measured in the standby.
        ["health", "us-east-2", "warn"],
    ];
    assert_eq!(unwell, moto_lacks, "{checks:#?}");
    for (name, evidence) in [
        ("health", "error rate 0%, throttled 0%"),
        ("consumer_lag", "0s behind, RTO 15m"),
        ("replicator_lag", "0s behind, RPO 5m"),
    ] {
        let is_it = |check: &&Value| check["check"] == name && check["region"] == "us-west-2";
        let check = checks.iter().find(is_it).expect("the check");
        assert_eq!(check["evidence"], evidence, "{name}");
    }
}
