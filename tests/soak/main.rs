//! The soak: thousands of simulated outages, on every core.
//!
//! `cargo run --profile soak --example soak -- --seeds 20000`; one story again: `-- --seed 123`; only the stories in
//! whose telling some words stand: `-- --seeds 20000 --telling "another operator"`.

#![allow(clippy::print_stdout)]

#[path = "../it/simulation/seeds/mod.rs"]
mod seeds;

use seeds::{Invariant, Report, play, play_safely, tell};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A simulated hour is thousands of small requests and answers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What was asked for.
struct Asked {
    first: u64,
    seeds: u64,
    threads: usize,
    told: bool,
    /// Only stories with these words.
    telling: Option<String>,
}

fn asked() -> Result<Asked, String> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let mut asked = Asked { first: 0, seeds: 1_000, threads: cores, told: false, telling: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--telling" {
            asked.telling = arguments.next();
            continue;
        }
        let value = arguments.next().and_then(|text| text.parse::<u64>().ok());
        let value = value.ok_or_else(|| format!("{name} needs a number"))?;
        match name.as_str() {
            "--seeds" => asked.seeds = value,
            "--from" => asked.first = value,
            "--threads" => asked.threads = usize::try_from(value).unwrap_or(cores).max(1),
            "--seed" => asked = Asked { first: value, seeds: 1, threads: 1, told: true, telling: None },
            _ => {
                return Err(format!("{name}: --seeds N, --from N, --threads N, --telling WORDS or --seed N"));
            }
        }
    }
    Ok(asked)
}

/// What all stories came to.
#[derive(Default)]
struct Sum {
    played: u64,
    virtual_time: Duration,
    requests: usize,
    commands: usize,
    slowest: (Duration, u64),
    /// The same for the same seeds, however many threads play them.
    fingerprint: u64,
    failures: BTreeMap<u64, Vec<String>>,
    /// How often each invariant was put to the test.
    checked: BTreeMap<Invariant, usize>,
}

impl Sum {
    fn add(&mut self, report: Report, took: Duration) {
        self.played += 1;
        self.virtual_time += report.virtual_time;
        self.requests += report.requests;
        self.commands += report.commands;
        self.fingerprint ^= report.fingerprint.rotate_left((report.seed % 64) as u32);
        self.slowest = self.slowest.max((took, report.seed));
        for (invariant, times) in &report.checked {
            *self.checked.entry(*invariant).or_default() += times;
        }
        if !report.violations.is_empty() {
            self.failures.insert(report.seed, report.violations);
        }
    }

    fn line(&self, begun: Instant) -> String {
        let (wall, hours) = (begun.elapsed().as_secs_f64(), self.virtual_time.as_secs_f64() / 3600.0);
        format!(
            "{} stories in {wall:.0} s: {:.0} a minute, {hours:.0} virtual hours, {:.1} virtual hours a second, \
             {} commands, {} requests, slowest {:.1} s (seed {}), \
             fingerprint {:016x}, {} failed",
            self.played,
            self.played as f64 * 60.0 / wall,
            hours / wall,
            self.commands,
            self.requests,
            self.slowest.0.as_secs_f64(),
            self.slowest.1,
            self.fingerprint,
            self.failures.len()
        )
    }
}

fn soak(asked: &Asked) -> Sum {
    let (next, begun) = (AtomicU64::new(asked.first), Instant::now());
    let sum = Mutex::new(Sum::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= asked.first + asked.seeds {
                break;
            }
            if asked.telling.as_ref().is_some_and(|words| !tell(seed).contains(words)) {
                continue;
            }
            let started = Instant::now();
            let report = play_safely(seed);
            let violations = report.violations.clone();
            let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            sum.add(report, started.elapsed());
            violations
                .iter()
                .filter_map(|text| text.lines().next())
                .for_each(|v| println!("seed {seed}: {v}"));
            if sum.played.is_multiple_of(500) {
                println!("{}", sum.line(begun));
            }
        }
    };
    std::thread::scope(|scope| (0..asked.threads).for_each(|_| drop(scope.spawn(work))));
    let sum = sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!("{}", sum.line(begun));
    for invariant in Invariant::ALL {
        println!("{:>9} times: {invariant}", sum.checked.get(invariant).copied().unwrap_or_default());
    }
    sum
}

fn main() -> ExitCode {
    let asked = match asked() {
        Ok(asked) => asked,
        Err(why) => {
            println!("{why}");
            return ExitCode::from(2);
        }
    };
    if asked.told {
        let report = play(asked.first);
        println!("{}\n{}", report.story, report.transcript.join("\n"));
        report.violations.iter().for_each(|violation| println!("VIOLATED: {violation}"));
        return if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let sum = soak(&asked);
    if !sum.failures.is_empty() {
        let seeds: Vec<String> = sum.failures.keys().map(u64::to_string).collect();
        println!("failed: {}; each again with --seed N", seeds.join(" "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
