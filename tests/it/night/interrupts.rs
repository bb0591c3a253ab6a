//! Ctrl-C and SIGTERM while the primary Region says nothing: whoever wants out is out at once, from any command, and
//! nothing was sent.

use super::proxy::{Fault, Rule};
use super::scene::Scene;
use crate::support::process::{Finished, Running};
use std::process::Command;
use std::time::{Duration, Instant};

/// A process has its handlers and is in the middle of its look by then; the look alone would take eight seconds.
const INTO_THE_LOOK: Duration = Duration::from_secs(2);
/// What a debug binary on a busy machine may take to end.
const AT_ONCE: Duration = Duration::from_secs(3);

/// Sends a signal to a process in the middle of its look, and gives how it ended and how long that took.
fn stopped(mut running: Running, signal: &str) -> (Finished, Duration) {
    let ended = running.wait(INTO_THE_LOOK).expect("a process");
    assert!(ended.is_none(), "it ended before its look: {ended:?}");
    let sent = Command::new("kill").args([signal, &running.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let began = Instant::now();
    let finished = running.finish(Duration::from_secs(30)).expect("it ends");
    (finished, began.elapsed())
}

#[test]
fn a_look_at_a_silent_region_is_left_at_once() {
    let scene = Scene::of(95, 1.0);
    scene.proxy.inject(Rule::region("us-west-2"), Fault::Silence);
    let commands: [&[&str]; 6] = [
        &["status"],
        &["verify"],
        &["failover", "--to", "us-east-2", "--yes"],
        &["failover", "--to", "us-east-2", "--dry-run"],
        &["failback", "--yes"],
        &["resume", "--yes"],
    ];
    for (number, arguments) in commands.into_iter().enumerate() {
        let signal = if number % 2 == 0 { "-INT" } else { "-TERM" };
        let (finished, took) = stopped(scene.launch(arguments), signal);
        let said = format!("{arguments:?}, {signal}: {}{}", finished.stdout, finished.stderr);
        assert_eq!(finished.code(), Some(130), "{said}");
        assert!(took < AT_ONCE, "{took:?}: {said}");
        println!("{} left {} ms after {signal}", arguments[0], took.as_millis());
    }
    assert_eq!(scene.journals(), "", "nothing was begun");
}
