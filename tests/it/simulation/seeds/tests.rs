//! A few hundred stories with every test run, and one again on demand.

use super::draw::Scenario;
use super::{Invariant, Report, play, play_safely, tell};
use std::collections::BTreeMap;
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

/// The seeds to play: `KDSHA_SEEDS=1000..1200`, or the first ones.
fn asked() -> std::ops::Range<u64> {
    let asked = std::env::var("KDSHA_SEEDS").ok();
    let range = asked.as_deref().and_then(|text| text.split_once("..")).map(|(from, to)| {
        let number = |text: &str| text.parse::<u64>().expect("a seed");
        number(from)..number(to)
    });
    range.unwrap_or(0..STORIES)
}

/// What all stories came to.
#[derive(Default)]
struct Sum {
    time: Duration,
    commands: usize,
    checked: BTreeMap<Invariant, usize>,
    failures: Vec<String>,
}

impl Sum {
    fn add(&mut self, report: &Report) {
        self.time += report.virtual_time;
        self.commands += report.commands;
        for (invariant, times) in &report.checked {
            *self.checked.entry(*invariant).or_default() += times;
        }
        if !report.violations.is_empty() {
            self.failures.push(failed(report));
        }
    }
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
    let (seeds, begun) = (asked(), Instant::now());
    let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
    let workers = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let report = play_safely(seed);
                    sum.lock().expect("no worker panics").add(&report);
                }
            });
        }
    });
    let sum = sum.into_inner().expect("no worker panics");
    let (hours, wall) = (sum.time.as_secs_f64() / 3600.0, begun.elapsed().as_secs_f64());
    let stories = seeds.end - seeds.start;
    println!("{stories} stories, {} commands, {hours:.0} virtual hours in {wall:.1} s", sum.commands);
    let checked = |invariant: &Invariant| sum.checked.get(invariant).copied().unwrap_or_default();
    Invariant::ALL.iter().for_each(|one| println!("{:>7} times: {one}", checked(one)));
    let (failures, all) = (&sum.failures, sum.failures.join("\n\n"));
    assert!(failures.is_empty(), "{} stories failed:\n{all}", failures.len());
    let vacuous: Vec<String> =
        Invariant::ALL.iter().filter(|one| checked(one) == 0).map(ToString::to_string).collect();
    assert!(stories < STORIES || vacuous.is_empty(), "never put to the test: {vacuous:?}");
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
