//! A server that a test starts: its first line is its URL. Waiting for that line is bounded, all that it writes is read
//! as long as it runs, and what it wrote to its standard error is shown when the test fails.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    errors: Arc<Mutex<Vec<u8>>>,
    /// Where it listens.
    pub url: String,
}

impl Server {
    /// Starts it and waits for its URL, which has to be a loopback address.
    pub fn start(command: &mut Command) -> Server {
        Server::start_within(command, STARTS_WITHIN).unwrap_or_else(|why| panic!("{command:?}: {why}"))
    }

    fn start_within(command: &mut Command, limit: Duration) -> Result<Server, String> {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| error.to_string())?;
        let errors = Arc::new(Mutex::new(Vec::new()));
        if let Some(stderr) = child.stderr.take() {
            let errors = Arc::clone(&errors);
            thread::spawn(move || gather(stderr, &errors));
        }
        let first = child.stdout.take().map(first_line);
        let mut server = Server { child, errors, url: String::new() };
        let line = first.and_then(|first| first.recv_timeout(limit).ok()).unwrap_or_default();
        if !line.starts_with("http://127.0.0.1:") {
            return Err(format!("no URL within {limit:?}, but {line:?}"));
        }
        line.trim().clone_into(&mut server.url);
        Ok(server)
    }
}

/// The first line, once it is there. The pipe is read to its end: a server that writes more is not stopped by it.
fn first_line(from: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { return };
            // Nobody waits for the later ones.
            let _ = sender.send(line);
        }
    });
    receiver
}

fn gather(mut from: impl Read, into: &Mutex<Vec<u8>>) {
    let mut some = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut some) {
        into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&some[..count]);
    }
}

impl Drop for Server {
    #[allow(clippy::print_stderr)] // for whoever reads why a test failed
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if thread::panicking() || self.url.is_empty() {
            eprintln!("--- what {} wrote\n{}", self.url, String::from_utf8_lossy(&errors));
        }
    }
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo why it does not start >&2; exec sleep 30"]);
    let refused = Server::start_within(&mut command, Duration::from_millis(300));
    assert!(refused.is_err_and(|why| why.contains("no URL within 300ms")));
    let mut command = Command::new("sh");
    command.args(["-c", "echo it is not a URL; exec sleep 30"]);
    let refused = Server::start_within(&mut command, Duration::from_secs(20));
    assert!(refused.is_err_and(|why| why.contains("it is not a URL")));
}

#[test]
fn a_server_may_write_more_than_its_url() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo http://127.0.0.1:1; seq 1 100000; exec sleep 30"]);
    let mut server = Server::start(&mut command);
    assert_eq!(server.url, "http://127.0.0.1:1");
    assert!(server.child.try_wait().is_ok_and(|ended| ended.is_none()));
}
