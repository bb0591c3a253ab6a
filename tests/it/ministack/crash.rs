//! kill -9 at any moment of a run, followed by the same command, ends in the same world.

use super::rig::{Mode, RUN_LIMIT, Rig};
use super::world::STANDBY;
use crate::support::process::{Finished, Running, was_killed};
use std::fs;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Kills on the way of one command.
const KILLS: usize = 5;
/// The latest instant of a kill that looks at nothing, after the process was started.
const LATEST: Duration = Duration::from_secs(12);
/// How a journal announces a call.
const CALL: &str = "\"effect_started\"";
/// How long a kill waits for a call to be announced before it comes anyway.
const PATIENCE: Duration = Duration::from_secs(30);
/// Repeats the instants of an earlier run.
const SEED: &str = "KDSHA_TEST_SEED";

fn seed() -> u64 {
    let given = std::env::var(SEED).ok().map(|text| text.parse().expect("a seed is a number"));
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    given.unwrap_or_else(|| u64::from(now().subsec_nanos()))
}

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after its start.
    After(Duration),
    /// As soon as there is a journal of the run: often before its first call.
    Begun,
    /// So long after the journal announces its next call: before, in or shortly after the call.
    AroundCall(Duration),
}

impl Moment {
    fn draw(random: &mut fastrand::Rng) -> Moment {
        match random.bool() {
            true => Moment::After(Duration::from_millis(random.u64(200..LATEST.as_millis() as u64))),
            false => Moment::AroundCall(Duration::from_micros(random.u64(0..25_000))),
        }
    }

    /// Waits for the moment; gives the status of a process that ended before.
    fn wait(self, rig: &Rig, running: &mut Running) -> Option<ExitStatus> {
        match self {
            Moment::After(delay) => running.wait(delay).expect("a child process"),
            Moment::Begun => until(running, || written(rig, "\"run_started\"") > 0),
            Moment::AroundCall(delay) => {
                let before = written(rig, CALL);
                let ended = until(running, || written(rig, CALL) > before);
                thread::sleep(delay);
                ended
            }
        }
    }
}

/// Waits for something in the journals, or for the end of the process, or for long enough.
fn until(running: &mut Running, is_so: impl Fn() -> bool) -> Option<ExitStatus> {
    let began = Instant::now();
    while !is_so() && began.elapsed() < PATIENCE {
        if let Some(status) = running.wait(Duration::ZERO).expect("a child process") {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(1));
    }
    None
}

/// How often the journals say something.
fn written(rig: &Rig, what: &str) -> usize {
    let runs = fs::read_dir(rig.path("state")).into_iter().flatten().flatten();
    let journals = runs.filter_map(|run| fs::read_to_string(run.path().join("journal.jsonl")).ok());
    journals.map(|text| text.matches(what).count()).sum()
}

/// Runs a command, kills it at random moments, and runs it again until it ends by itself.
fn through_kills(rig: &Rig, arguments: &[&str], random: &mut fastrand::Rng, story: &mut Vec<String>) {
    for kill in 1..=KILLS {
        let mut running = rig.launch(arguments);
        // The last one hits the first process that finds an open mark and no journal.
        let moment = if kill == KILLS { Moment::Begun } else { Moment::draw(random) };
        let ended = moment.wait(rig, &mut running);
        let finished = running.kill().expect("a child process");
        story.push(format!("{arguments:?} killed {moment:?}"));
        if !was_killed(&finished) {
            story.push(format!("ended by itself: {ended:?}"));
            assert_done(&finished, story);
            return;
        }
        if kill == KILLS - 1 {
            // The journal is memory, AWS is truth: without it the same command ends in the same world.
            fs::remove_dir_all(rig.path("state")).or_else(absent).expect("a removable folder");
            story.push("journal deleted".to_owned());
        }
    }
    let finished = rig.launch(arguments).finish(RUN_LIMIT).expect("kdsha within its time");
    assert_done(&finished, story);
}

/// A kill after the last call leaves nothing to do: the same command then says that the Region is active already.
/// What the world must look like is asked afterwards in either case.
fn assert_done(finished: &Finished, story: &[String]) {
    let (out, err) = (&finished.stdout, &finished.stderr);
    let is_there =
        finished.code() == Some(4) && err.contains("error: 1 check forbids") && err.contains("active_region");
    assert!(
        finished.code() == Some(0) || is_there,
        "{story:#?}\n{:?}\n--- stdout\n{out}\n--- stderr\n{err}",
        finished.code()
    );
}

fn absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[test]
fn a_killed_run_is_finished_by_the_same_command() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut story = vec![format!("{SEED}={seed}")];
    let rig = Rig::start(Mode::Cold);
    let before = rig.world();
    let traffic = rig.traffic();
    traffic.settle();

    through_kills(&rig, &["failover", "--to", STANDBY, "--yes"], &mut random, &mut story);
    rig.world().assert_failed_over(&before);
    rig.succeed(&["verify"]);

    through_kills(&rig, &["failback", "--yes"], &mut random, &mut story);
    rig.world().assert_home(&before);
    rig.succeed(&["verify"]);

    let account = traffic.stop(&rig);
    assert!(account.lost.is_empty(), "{story:#?}\n{account:#?}");
}
