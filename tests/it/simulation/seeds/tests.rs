//! A few hundred stories with every test run, and one again on demand.

use super::draw::Scenario;
use super::{Report, play};
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
    let (failures, time) = (Mutex::new(Vec::new()), Mutex::new(Duration::ZERO));
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
                    *time.lock().expect("no worker panics") += report.virtual_time;
                    if !report.violations.is_empty() {
                        failures.lock().expect("no worker panics").push(failed(&report));
                    }
                }
            });
        }
    });
    let hours = time.into_inner().expect("no worker panics").as_secs_f64() / 3600.0;
    println!("{STORIES} stories, {hours:.0} virtual hours in {:.1} s", begun.elapsed().as_secs_f64());
    let failures = failures.into_inner().expect("no worker panics");
    assert!(failures.is_empty(), "{} stories failed; the first:\n{}", failures.len(), failures[0]);
}

#[test]
fn a_seed_is_always_the_same_story() {
    for seed in [3, 17, 1_000_003] {
        assert_eq!(Scenario::draw(seed), Scenario::draw(seed));
        let (first, second) = (play(seed), play(seed));
        assert_eq!(first.fingerprint, second.fingerprint, "seed {seed}");
        assert_eq!((first.transcript, first.requests), (second.transcript, second.requests), "seed {seed}");
    }
}
