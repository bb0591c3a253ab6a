//! kill -9 at any moment of a run, followed by the same command, ends in the same world.

use super::rig::{Mode, RUN_LIMIT, Rig};
use super::world::STANDBY;
use crate::support::process::was_killed;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Kills on the way of one command.
const KILLS: usize = 4;
/// The latest instant of a kill, after the process was started.
const LATEST: Duration = Duration::from_secs(12);
/// Repeats the instants of an earlier run.
const SEED: &str = "KDSHA_TEST_SEED";

fn seed() -> u64 {
    let given = std::env::var(SEED).ok().map(|text| text.parse().expect("a seed is a number"));
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    given.unwrap_or_else(|| u64::from(now().subsec_nanos()))
}

/// Runs a command, kills it at random instants, and runs it again until it ends by itself.
fn through_kills(rig: &Rig, arguments: &[&str], random: &mut fastrand::Rng, story: &mut Vec<String>) {
    for kill in 1..=KILLS {
        let mut running = rig.launch(arguments);
        let after = Duration::from_millis(random.u64(200..LATEST.as_millis() as u64));
        let ended = running.wait(after).expect("a child process");
        let finished = running.kill().expect("a child process");
        story.push(format!("{arguments:?} killed after {after:?}"));
        if let Some(status) = ended {
            assert_eq!(status.code(), Some(0), "{story:#?}\n{}\n{}", finished.stdout, finished.stderr);
            return;
        }
        assert!(was_killed(&finished), "{story:#?}: {finished:?}");
        if kill == KILLS - 1 {
            // The journal is memory, AWS is truth: without it the same command ends in the same world.
            fs::remove_dir_all(rig.path("state")).or_else(absent).expect("a removable folder");
            story.push("journal deleted".to_owned());
        }
    }
    let finished = rig.launch(arguments).finish(RUN_LIMIT).expect("kdsha within its time");
    let (out, err) = (&finished.stdout, &finished.stderr);
    assert_eq!(finished.code(), Some(0), "{story:#?}\n--- stdout\n{out}\n--- stderr\n{err}");
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
