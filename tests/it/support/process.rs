//! Child processes that cannot hang a test and do not outlive it. Only processes that were started here are ended.

use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A process that has ended, with what it wrote.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// The exit code; a process that a signal ended has none.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

/// A running process; ended when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

fn collect<R: Read + Send + 'static>(from: Option<R>) -> Option<JoinHandle<String>> {
    let mut from = from?;
    Some(thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks has nothing more to say.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }))
}

fn joined(handle: Option<JoinHandle<String>>) -> String {
    handle.and_then(|handle| handle.join().ok()).unwrap_or_default()
}

impl Running {
    /// Starts a command; what it writes is gathered.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Running> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
        Ok(Running { child, stdout, stderr })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets go of its standard input, which tells it to end.
    pub fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits for the end, until the limit; `None` when it still runs.
    pub fn wait(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it with SIGKILL, as a power cut would, and gives what it wrote until then.
    pub fn kill(mut self) -> io::Result<Finished> {
        self.child.kill()?;
        let status = self.child.wait()?;
        Ok(self.finished(status))
    }

    /// Waits for the end; a process that runs longer than the limit is killed and reported with what it wrote.
    ///
    /// # Errors
    /// Says that the limit was reached.
    pub fn finish(mut self, limit: Duration) -> Result<Finished, String> {
        match self.wait(limit).map_err(|e| e.to_string())? {
            Some(status) => Ok(self.finished(status)),
            None => {
                let so_far = self.kill().map_err(|e| e.to_string())?;
                let (out, err) = (so_far.stdout, so_far.stderr);
                Err(format!("still running after {limit:?}\n--- stdout\n{out}\n--- stderr\n{err}"))
            }
        }
    }

    fn finished(&mut self, status: ExitStatus) -> Finished {
        let (stdout, stderr) = (joined(self.stdout.take()), joined(self.stderr.take()));
        Finished { status, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // It may end by itself just now; either way it is gone afterwards.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Whether a signal ended it.
pub fn was_killed(finished: &Finished) -> bool {
    finished.status.signal().is_some()
}

/// Runs a command to its end, within a limit.
///
/// # Errors
/// Says that it could not be started, or that the limit was reached.
pub fn run(command: &mut Command, limit: Duration) -> Result<Finished, String> {
    let running = Running::start(command).map_err(|e| format!("{command:?}: {e}"))?;
    running.finish(limit).map_err(|e| format!("{command:?}: {e}"))
}

#[test]
fn a_process_that_hangs_is_ended_and_what_it_said_is_kept() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo before; exec sleep 30"]);
    let error = run(&mut command, Duration::from_millis(300)).expect_err("a time limit");
    assert!(error.contains("still running after 300ms") && error.contains("before"), "{error}");
}
