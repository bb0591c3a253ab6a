//! The night in figures: gathered from the tests while they run, and printed as the last of the night's lines, with
//! `cargo test --test it night -- --nocapture`.

use super::proxy::Fault;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Beyond any night.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// How long nothing may run before the night counts as over: between two scenes of a test there is a moment without one.
const OVER_AFTER: Duration = Duration::from_secs(5);

/// What the tests have seen so far.
#[derive(Debug)]
struct Figures {
    /// Scenes that are played just now.
    playing: usize,
    scenes: usize,
    last: Instant,
    /// Requests that met a fault, by the fault.
    faults: BTreeMap<&'static str, usize>,
    /// Kills, by what was under way.
    kills: BTreeMap<&'static str, u32>,
    /// The longest that a command took while a Region said nothing.
    slowest: Option<(Duration, String)>,
    storms: Vec<Storm>,
}

/// What was sent into a throttle storm.
#[derive(Debug, Clone)]
pub struct Storm {
    pub what: String,
    pub length: Duration,
    pub requests: usize,
    /// In the worst second.
    pub most: usize,
}

static FIGURES: Mutex<Option<Figures>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<Figures>> {
    FIGURES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with<T>(act: impl FnOnce(&mut Figures) -> T) -> T {
    act(lock().get_or_insert_with(|| Figures {
        playing: 0,
        scenes: 0,
        last: Instant::now(),
        faults: BTreeMap::new(),
        kills: BTreeMap::new(),
        slowest: None,
        storms: Vec::new(),
    }))
}

/// A scene is being played, until this is dropped.
#[derive(Debug)]
pub struct Playing(());

impl Playing {
    pub fn begin() -> Playing {
        with(|all| {
            all.playing += 1;
            all.scenes += 1;
        });
        Playing(())
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        with(|all| {
            all.playing -= 1;
            all.last = Instant::now();
        });
    }
}

/// A request has met a fault.
pub fn met(fault: &Fault) {
    let name = match fault {
        Fault::Silence => "silence",
        Fault::Reset => "reset",
        Fault::Slow(_) => "slow answer",
        Fault::Stall => "stalled body",
        Fault::Error(..) => "error of the service",
        Fault::Throttle => "throttle",
        Fault::CutAfterApply => "answer cut off",
        Fault::HangAfterApply => "answer never sent",
    };
    with(|all| *all.faults.entry(name).or_default() += 1);
}

/// kill -9, survived.
pub fn survived(kills: u32, in_what: &'static str) {
    with(|all| *all.kills.entry(in_what).or_default() += kills);
}

/// A command has ended while a Region said nothing.
pub fn answered(what: impl Into<String>, took: Duration) {
    with(|all| {
        if all.slowest.as_ref().is_none_or(|(most, _)| took > *most) {
            all.slowest = Some((took, what.into()));
        }
    });
}

/// A storm is over.
pub fn weathered(storm: Storm) {
    with(|all| all.storms.push(storm));
}

impl Figures {
    fn table(&self) -> String {
        let by_name = |counts: Vec<String>| counts.join(", ");
        let faults = self.faults.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let kills = self.kills.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let mut rows = vec![
            ("faults tried", self.faults.values().sum::<usize>().to_string(), by_name(faults)),
            ("kills survived", self.kills.values().sum::<u32>().to_string(), by_name(kills)),
        ];
        if let Some((took, what)) = &self.slowest {
            rows.push((
                "worst time to answer, a Region silent",
                format!("{:.1} s", took.as_secs_f64()),
                what.clone(),
            ));
        }
        for storm in &self.storms {
            let beside = format!(
                "{}: {:.1} s, at most {} in one second",
                storm.what,
                storm.length.as_secs_f64(),
                storm.most
            );
            rows.push(("requests sent in a throttle storm", storm.requests.to_string(), beside));
        }
        let row =
            |(what, figure, beside): &(&str, String, String)| format!("  {what:<38} {figure:>8}  {beside}\n");
        let rows: String = rows.iter().map(row).collect();
        format!("\nThe worst night, {} scenes\n{rows}", self.scenes)
    }
}

/// The harness starts its tests by name, so this one is started when every other of the night has been; it waits for
/// those that still run.
#[test]
fn the_night_ends_with_its_figures() {
    let began = Instant::now();
    let is_over = || with(|all| all.playing == 0 && all.last.elapsed() > OVER_AFTER);
    while !is_over() && began.elapsed() < LONGEST {
        std::thread::sleep(Duration::from_millis(100));
    }
    let (table, playing) = with(|all| (all.table(), all.playing));
    println!("{table}");
    assert_eq!(playing, 0, "something is still played after {LONGEST:?}");
}

#[test]
fn a_table_has_a_row_for_each_figure() {
    let figures = Figures {
        playing: 0,
        scenes: 3,
        last: Instant::now(),
        faults: BTreeMap::from([("reset", 2), ("silence", 40)]),
        kills: BTreeMap::from([("a run", 7)]),
        slowest: Some((Duration::from_millis(9_870), "status".to_owned())),
        storms: vec![Storm {
            what: "status".to_owned(),
            length: Duration::from_secs(2),
            requests: 61,
            most: 40,
        }],
    };
    let table = figures.table();
    for row in ["faults tried", "42", "reset 2, silence 40", "kills survived", "a run 7", "9.9 s", "61"] {
        assert!(table.contains(row), "{row}: {table}");
    }
}
