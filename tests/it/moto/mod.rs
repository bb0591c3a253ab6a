//! `kdsha init` on moto, whose plain calls are a second opinion on the sandbox's: nobody here wrote it.
//!
//! moto does not speak the protocol of the Rust SDK's CloudWatch client, so what `verify` says of metrics is unknown
//! there; what is found and written is not.

use crate::contract;
use crate::support::binary;
use crate::support::process;
use kdsha::config::{self, THE_POST};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// A running moto. It ends with its standard input.
pub(crate) struct Moto {
    child: Child,
    pub(crate) url: String,
}

impl Moto {
    pub(crate) fn start(arguments: &[&str]) -> Moto {
        let python = contract::python();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/moto/serve.py");
        let mut command = Command::new(python);
        command
            .arg(script)
            .args(arguments)
            .env_clear()
            .env("NO_PROXY", "*")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a startable moto");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        // An emulator that fails closes its stdout, so this ends either way.
        BufReader::new(stdout).read_line(&mut url).expect("a line");
        let moto = Moto { child, url: url.trim().to_owned() };
        assert!(moto.url.starts_with("http://127.0.0.1:"), "moto did not start");
        moto
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
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
