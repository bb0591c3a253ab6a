//! `kdsha init` on moto, whose plain calls are a second opinion on the sandbox's: nobody here wrote it.
//!
//! A proxy before it (`cbor.py`) speaks the protocol of the Rust SDK's CloudWatch client, which moto does not.

use crate::contract;
use crate::support::binary;
use crate::support::process;
use crate::support::server::Server;
use kdsha::config::{self, THE_POST};
use std::path::Path;
use std::process::Stdio;
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
    assert_eq!(finished.code(), Some(7), "CloudWatch is unknown there, and nothing else: {said}");
    let path = home.path().join("kdsha.toml");
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(!said.contains("s3cr3t") && !text.contains("s3cr3t"), "{said}{text}");
    let mut found = config::load(&path).expect("a configuration").pipelines;
    let mut post = config::parse(THE_POST, Path::new("post.toml")).expect("the post").pipelines;
    // moto has no mapping on a fan-out consumer.
    post[0].replicator.iter_mut().for_each(|replicator| replicator.stream_consumer = None);
    assert_eq!(found.remove(0), post.remove(0), "{text}");
}
