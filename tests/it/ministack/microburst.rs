//! microburst, a fault proxy that others wrote, in front of MiniStack: it knows AWS's protocols and errors by itself,
//! and keeps a list of every fault that it fired. What it cannot do (silence after the call took effect, a stall in the
//! body) is `faults`' with the proxy of our own.

use super::rig::{Mode, Rig};
use super::venv;
use super::world::STANDBY;
use crate::support::process;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(30);

/// A running microburst; ended when dropped.
struct Microburst {
    child: Child,
    address: SocketAddr,
}

impl Microburst {
    fn before(upstream: SocketAddr) -> Microburst {
        let python = venv::python_with("microburst", include_str!("microburst.txt")).expect("an environment");
        // It takes no port 0: one that was free a moment ago is free now.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let mut command = Command::new(python.with_file_name("microburst"));
        command.args(["--upstream", &format!("http://{upstream}"), "--host", "127.0.0.1"]);
        command.args(["--port", &address.port().to_string()]).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("NO_PROXY", "*");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let burst = Microburst { child: command.spawn().expect("a startable microburst"), address };
        let deadline = Instant::now() + LIMIT;
        while burst.ask("GET", "health", "").is_none() {
            assert!(Instant::now() < deadline, "microburst did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        burst
    }

    /// One call of its control API.
    fn ask(&self, method: &str, path: &str, body: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(LIMIT)).ok()?;
        let length = body.len();
        let head = "Host: localhost\r\nContent-Type: application/json\r\nConnection: close";
        let request = format!(
            "{method} /_microburst/{path} HTTP/1.1\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    fn rules(&self, rules: &Value) {
        assert!(self.ask("POST", "rules", &rules.to_string()).is_some(), "the rules were not taken");
    }

    /// Service and operation of every fault that it fired.
    fn fired(&self) -> Vec<String> {
        let fired = self.ask("GET", "fired", "").expect("a list");
        let all = fired.as_array().or_else(|| fired["fired"].as_array()).expect("a list").clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        all.iter().map(|one| format!("{}.{}", text(&one["service"]), text(&one["operation"]))).collect()
    }
}

impl Drop for Microburst {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_another_fault_proxy_does_ends_no_failover_and_loses_nothing() {
    let rig = Rig::start(Mode::Cold);
    let before = rig.world();
    let burst = Microburst::before(rig.address());
    let config = rig.config(Mode::Cold).replace(&rig.address().to_string(), &burst.address.to_string());
    fs::write(rig.path("kdsha.toml"), config).expect("a writable folder");
    let traffic = rig.traffic();
    traffic.settle();
    // It reads the service models at the first request of each service, which takes it a while.
    let deadline = Instant::now() + LIMIT * 4;
    while rig.run(&["status"]).code() != Some(0) {
        assert!(Instant::now() < deadline, "no sound status through microburst");
    }
    burst.rules(&json!([
        { "service": "lambda", "operation": "CreateEventSourceMapping", "times": 1, "response": { "abort_bytes": 0 } },
        { "service": "lambda", "operation": "UpdateFunctionConfiguration", "times": 1,
          "error": { "code": "TooManyRequestsException", "status": 429 } },
        { "service": "lambda", "operation": "UpdateEventSourceMapping", "times": 1, "response": { "abort_bytes": 0 } },
        { "service": "lambda", "operation": "ListEventSourceMappings", "times": 1, "reset": true },
        { "service": "kinesis", "operation": "AddTagsToStream", "times": 1, "response": { "abort_bytes": 0 } },
        { "service": "kinesis", "operation": "DescribeStreamSummary", "times": 2,
          "error": { "code": "LimitExceededException", "status": 400 } },
        { "service": "kinesis", "operation": "GetRecords", "times": 3, "latency": 900 },
    ]));
    let said =
        process::run(&mut rig.kdsha(&["failover", "--to", STANDBY, "--yes"]), Duration::from_secs(300));
    let said = said.expect("it ends");
    let fired = burst.fired();
    assert_eq!(said.code(), Some(0), "{fired:?}\n{}{}", said.stdout, said.stderr);
    for operation in ["CreateEventSourceMapping", "UpdateFunctionConfiguration", "UpdateEventSourceMapping"] {
        assert!(fired.contains(&format!("lambda.{operation}")), "{operation}: {fired:?}");
    }
    burst.rules(&json!([]));
    rig.world().assert_failed_over(&before);
    rig.succeed(&["verify"]);
    traffic.stop(&rig).assert_nothing_lost();
}
