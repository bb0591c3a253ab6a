//! kill -9 at any instant, many times over: the same command goes on, the world is whole, nothing is lost.
//!
//! | variable | |
//! |---|---|
//! | `KDSHA_NIGHT_KILLS` | kills before the tests are content, all of them together (default 20: about two minutes); hundreds on a quiet machine |
//! | `KDSHA_TEST_SEED` | repeats the instants of an earlier run; a failure prints its seed |
//!
//! The world runs 400 times as fast as a clock, so a run that takes an hour's quarter takes two seconds; a kill at
//! a drawn instant is one at any phase of it, and half of the kills are drawn around the instant of a call.

use super::proxy::{Fault, Rule};
use super::scene::{BACK, EMERGENCY, OVER, Scene};
use super::worst::{self, Playing};
use crate::support::process::{Finished, Running, was_killed};
use kdsha::sandbox::world::Story;
use serde_json::Value;
use std::time::{Duration, Instant};

const SPEED: f64 = 400.0;
/// A command that nobody disturbs takes about so long.
const A_RUN: Duration = Duration::from_millis(3_500);
/// An emergency with a Region that says nothing: its time-outs are real ones, so the world must not run away meanwhile.
const A_SILENT_RUN: Duration = Duration::from_secs(30);
const BESIDE_SILENCE: f64 = 60.0;
/// Most kills on the way of one command.
const MOST: u32 = 8;
/// How long a kill around a call waits for one to be announced.
const PATIENCE: Duration = Duration::from_secs(5);
const CALL: &str = "\"effect_started\"";
const SETTLE: [&str; 2] = ["resume", "--yes"];
const UNDO: [&str; 3] = ["resume", "--undo", "--yes"];

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Kills for one part of the night, at least one.
fn wanted(of_ten: u64) -> u32 {
    u32::try_from(number("KDSHA_NIGHT_KILLS", 20) * of_ten / 10).expect("a number of kills").max(1)
}

/// What becomes of the journals between two kills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// They are lost now and then: the journal is memory, AWS is truth.
    Fails,
    /// What was changed stands nowhere else.
    Stays,
}

/// One command, brought to its end through kills.
struct Journey<'a> {
    scene: &'a Scene,
    random: &'a mut fastrand::Rng,
    told: &'a mut Vec<String>,
    memory: Memory,
    length: Duration,
    /// Exit codes of its end; another one with the words that say that there is nothing left to do.
    good: i32,
    nothing_left: (i32, &'static str),
    kills: u32,
}

impl Journey<'_> {
    /// How many kills it took.
    fn go(mut self, arguments: &[&str]) -> u32 {
        let most = self.random.u32(1..=MOST);
        let cap = self.length / 2;
        while self.kills < most {
            let mut running = self.scene.launch(arguments);
            let moment = match self.random.bool() {
                true => {
                    let delay = Duration::from_micros(self.random.u64(0..cap.as_micros() as u64));
                    let _ = running.wait(delay).expect("a process");
                    format!("after {delay:?}")
                }
                false => self.around_a_call(&mut running),
            };
            let finished = running.kill().expect("a process");
            self.told.push(format!("kdsha {} killed {moment}", arguments.join(" ")));
            if !was_killed(&finished) {
                self.told.push("... it had ended by itself".to_owned());
                self.must_be_well(arguments, &finished);
                return self.kills;
            }
            self.kills += 1;
            if self.memory == Memory::Fails && self.random.u8(0..4) == 0 {
                let _ = std::fs::remove_dir_all(self.scene.home.path().join("state"));
                self.told.push("... and its journal deleted".to_owned());
            }
        }
        let finished = self.scene.run(arguments);
        self.must_be_well(arguments, &finished);
        self.kills
    }

    /// Waits for the journal to announce one more call, then for up to 40 ms: before, in or after it.
    fn around_a_call(&mut self, running: &mut Running) -> String {
        let before = self.scene.journals().matches(CALL).count();
        let skip = self.random.usize(0..3);
        let began = Instant::now();
        while self.scene.journals().matches(CALL).count() <= before + skip && began.elapsed() < PATIENCE {
            if running.wait(Duration::from_millis(1)).expect("a process").is_some() {
                break;
            }
        }
        let delay = Duration::from_micros(self.random.u64(0..40_000));
        let _ = running.wait(delay).expect("a process");
        format!("{delay:?} after call {}", skip + 1)
    }

    fn must_be_well(&self, arguments: &[&str], finished: &Finished) {
        // A kill between the last line of the journal and the end of the process leaves nothing to do: the same
        // command then says so.
        let (code, words) = self.nothing_left;
        let is_done = finished.code() == Some(code) && finished.stderr.contains(words);
        let told = &self.told;
        let (out, err) = (&finished.stdout, &finished.stderr);
        assert!(
            finished.code() == Some(self.good) || is_done,
            "{told:#?}\nkdsha {arguments:?}: {:?}\n--- stdout\n{out}\n--- stderr\n{err}\n--- journal\n{}",
            finished.code(),
            self.scene.journals()
        );
    }
}

/// One part of the night: its own kills, drawn from its own seed.
struct Part {
    name: &'static str,
    seed: u64,
    random: fastrand::Rng,
    told: Vec<String>,
    kills: u32,
    journeys: u32,
    began: Instant,
    _playing: Playing,
}

impl Part {
    fn begin(name: &'static str) -> Part {
        let seed = number("KDSHA_TEST_SEED", fastrand::u64(..1_000_000));
        println!("{name}: KDSHA_TEST_SEED={seed}");
        Part {
            name,
            seed,
            random: fastrand::Rng::with_seed(seed),
            told: Vec::new(),
            kills: 0,
            journeys: 0,
            began: Instant::now(),
            _playing: Playing::begin(),
        }
    }

    fn scene(&mut self, speed: f64) -> Scene {
        self.told = vec![format!(
            "KDSHA_TEST_SEED={}, after {} journeys and {} kills",
            self.seed, self.journeys, self.kills
        )];
        Scene::of(self.random.u64(..), speed)
    }

    fn journey<'a>(&'a mut self, scene: &'a Scene) -> Journey<'a> {
        Journey {
            scene,
            random: &mut self.random,
            told: &mut self.told,
            memory: Memory::Fails,
            length: A_RUN,
            good: 0,
            nothing_left: (4, "active_region"),
            kills: 0,
        }
    }

    fn note(&mut self, kills: u32) {
        self.kills += kills;
        self.journeys += 1;
        worst::survived(kills, self.name);
    }

    fn must_be_sound(&self, scene: &Scene, active: &str, before: &Value) {
        must_be_whole(scene, active, before, &self.told);
        let verified = scene.run(&["verify"]);
        assert_eq!(verified.code(), Some(0), "{:#?}\n{}{}", self.told, verified.stdout, verified.stderr);
    }

    /// What is owed is settled through kills, and the way back is a calm one.
    fn settle_and_return(&mut self, scene: &Scene, before: &Value) {
        let kills = self.journey(scene).go(&SETTLE);
        self.note(kills);
        self.must_be_sound(scene, "us-east-2", before);
        scene.expect(0, &BACK);
        self.must_be_sound(scene, "us-west-2", before);
        scene.must_have_lost_nothing(&self.told);
    }

    fn over(&self) {
        let (kills, journeys, name) = (self.kills, self.journeys, self.name);
        let took = self.began.elapsed().as_secs_f64();
        println!("{name}: {kills} kills on the way of {journeys} commands in {took:.0} s");
    }
}

/// Exactly the mappings that belong there, the mark closed, the environment's other keys untouched, 0 lost so far.
fn must_be_whole(scene: &Scene, active: &str, before: &Value, told: &[String]) {
    let mapping = |function: &str, source: &str, state: &str| {
        (function.to_owned(), source.to_owned(), state.to_owned())
    };
    let away = active == "us-east-2";
    let state = if away { "Disabled" } else { "Enabled" };
    let primary = vec![
        mapping(Story::CONSUMER, Story::STREAM, state),
        mapping(Story::REPLICATOR, Story::STREAM_CONSUMER, state),
    ];
    let standby = if away { vec![mapping(Story::CONSUMER, Story::STREAM, "Enabled")] } else { Vec::new() };
    assert_eq!(scene.mappings("us-west-2"), primary, "{told:#?}");
    assert_eq!(scene.mappings("us-east-2"), standby, "{told:#?}");
    let mut expected = before.clone();
    expected["PRODUCING_TO_REGION"] = active.into();
    assert_eq!(scene.environment(), expected, "{told:#?}");
    assert_eq!(scene.mark()["kdsha:state"], "closed", "{told:#?}");
    let ledger = scene.sandbox().with_world(|world| world.ledger());
    assert_eq!(ledger.lost, 0, "{told:#?}\n{ledger:#?}");
}

#[test]
fn the_same_command_goes_on_after_any_kill() {
    let mut part = Part::begin("a run");
    while part.kills < wanted(5) {
        let scene = part.scene(SPEED);
        let before = scene.environment();
        for active in ["us-east-2", "us-west-2", "us-east-2", "us-west-2"] {
            let arguments: &[&str] = match (active, part.random.u8(0..4)) {
                ("us-west-2", _) => &BACK,
                (_, 0) => &EMERGENCY,
                _ => &OVER,
            };
            let kills = part.journey(&scene).go(arguments);
            part.note(kills);
            part.must_be_sound(&scene, active, &before);
        }
        scene.must_have_lost_nothing(&part.told);
    }
    part.over();
}

/// The primary refused what an emergency wanted of it, and is well again: settling is killed, with the journal and
/// by the run mark alone.
#[test]
fn settling_goes_on_after_any_kill() {
    let mut part = Part::begin("settling");
    while part.kills < wanted(2) {
        let scene = part.scene(SPEED);
        let before = scene.environment();
        for operation in ["UpdateFunctionConfiguration", "UpdateEventSourceMapping"] {
            let rule = Rule { operation: Some(operation), ..Rule::region("us-west-2") };
            scene.proxy.inject(rule, Fault::Error(503, "ServiceUnavailableException"));
        }
        scene.expect(9, &EMERGENCY);
        scene.proxy.heal();
        part.settle_and_return(&scene, &before);
    }
    part.over();
}

/// The switch was refused, so the run can be put back: the putting back is killed.
#[test]
fn putting_back_goes_on_after_any_kill() {
    let mut part = Part::begin("putting back");
    while part.kills < wanted(2) {
        let scene = part.scene(SPEED);
        let before = scene.environment();
        let switch = Rule::operation("UpdateFunctionConfiguration");
        scene.proxy.inject(switch, Fault::Error(403, "AccessDeniedException"));
        scene.expect(5, &OVER);
        assert_eq!(scene.mappings("us-east-2").len(), 1, "there is nothing to put back");
        scene.proxy.heal();
        let nothing_left = (2, "there is no unfinished run");
        let journey = Journey { memory: Memory::Stays, nothing_left, ..part.journey(&scene) };
        let kills = journey.go(&UNDO);
        part.note(kills);
        part.must_be_sound(&scene, "us-west-2", &before);
        scene.must_have_lost_nothing(&part.told);
    }
    part.over();
}

/// us-west-2 says nothing: the emergency is killed beside it, and so is the settling once it is heard again.
#[test]
fn an_emergency_beside_a_silent_region_goes_on_after_any_kill() {
    let mut part = Part::begin("beside a silent Region");
    while part.kills < wanted(1) {
        let scene = part.scene(BESIDE_SILENCE);
        let before = scene.environment();
        let from = scene.sandbox().now() - Duration::from_secs(15 * 60);
        let from = from.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut emergency = EMERGENCY.to_vec();
        emergency.extend(["--start-at", &from]);
        scene.proxy.inject(Rule::region("us-west-2"), Fault::Silence);
        let journey = part.journey(&scene);
        let kills =
            Journey { length: A_SILENT_RUN, good: 9, nothing_left: (4, "owed"), ..journey }.go(&emergency);
        part.note(kills);
        scene.proxy.heal();
        part.settle_and_return(&scene, &before);
    }
    part.over();
}
