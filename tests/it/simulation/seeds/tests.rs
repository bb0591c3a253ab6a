//! A few hundred stories with every test run, and one again on demand.

use super::draw::Scenario;
use super::{Report, play, tell};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Stories of a test run.
const STORIES: u64 = 200;

fn failed(report: &Report) -> String {
    format!(
        "{}\n{}\n{}\nagain: KDSHA_SEED={} cargo test --test it seeds -- --nocapture",
        report.story,
        report.transcript.join("\n"),
        report.violations.join("\n"),
        report.seed
    )
}

/// Workers take one seed after the other; a failure does not stop the others.
#[test]
fn seeds() {
    if let Some(seed) = std::env::var("KDSHA_SEED").ok().and_then(|text| text.parse().ok()) {
        let report = play(seed);
        println!("{}", failed(&report));
        assert!(report.violations.is_empty(), "seed {seed}");
        return;
    }
    let (next, begun) = (AtomicU64::new(0), Instant::now());
    let (failures, sum) = (Mutex::new(Vec::new()), Mutex::new((Duration::ZERO, 0)));
    let workers = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= STORIES {
                        break;
                    }
                    let report = play(seed);
                    let mut sum = sum.lock().expect("no worker panics");
                    *sum = (sum.0 + report.virtual_time, sum.1 + report.commands);
                    drop(sum);
                    if !report.violations.is_empty() {
                        failures.lock().expect("no worker panics").push(failed(&report));
                    }
                }
            });
        }
    });
    let (time, commands) = sum.into_inner().expect("no worker panics");
    let (hours, wall) = (time.as_secs_f64() / 3600.0, begun.elapsed().as_secs_f64());
    println!("{STORIES} stories, {commands} commands, {hours:.0} virtual hours in {wall:.1} s");
    let failures = failures.into_inner().expect("no worker panics");
    assert!(failures.is_empty(), "{} stories failed; the first:\n{}", failures.len(), failures[0]);
}

#[test]
fn a_seed_is_always_the_same_story() {
    for seed in [3, 17, 1_000_003] {
        assert!(tell(seed).starts_with(&format!("Seed {seed}.")));
        assert_eq!(Scenario::draw(seed), Scenario::draw(seed));
        let (first, second) = (play(seed), play(seed));
        assert_eq!(first.fingerprint, second.fingerprint, "seed {seed}");
        assert_eq!((first.transcript, first.requests), (second.transcript, second.requests), "seed {seed}");
    }
}
