//! kill -9 at any instant, many times over: the same command goes on, the world is whole, nothing is lost.
//!
//! | variable | |
//! |---|---|
//! | `KDSHA_NIGHT_KILLS` | kills before the test is content (default 20: about a minute); hundreds on a quiet machine |
//! | `KDSHA_TEST_SEED` | repeats the instants of an earlier run; a failure prints its seed |
//!
//! The world runs 400 times as fast as a clock, so a run that takes an hour's quarter takes two seconds; a kill at
//! a drawn instant is one at any phase of it, and half of the kills are drawn around the instant of a call.

use super::scene::{BACK, EMERGENCY, OVER, Scene};
use crate::support::process::{Finished, Running, was_killed};
use kdsha::sandbox::world::Story;
use serde_json::Value;
use std::time::{Duration, Instant};

const SPEED: f64 = 400.0;
/// A run that nobody disturbs takes about so long.
const A_RUN: Duration = Duration::from_millis(3_500);
/// Most kills on the way of one command.
const MOST: u32 = 8;
/// How long a kill around a call waits for one to be announced.
const PATIENCE: Duration = Duration::from_secs(5);
const CALL: &str = "\"effect_started\"";

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

fn any_seed() -> u64 {
    fastrand::u64(..1_000_000)
}

/// One command, brought to its end through kills.
struct Journey<'a> {
    scene: &'a Scene,
    random: &'a mut fastrand::Rng,
    told: &'a mut Vec<String>,
    kills: u32,
}

impl Journey<'_> {
    /// How many kills it took.
    fn go(mut self, arguments: &[&str]) -> u32 {
        let most = self.random.u32(1..=MOST);
        let cap = A_RUN / 2;
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
            self.told.push(format!("kdsha {} killed {moment}", arguments[0]));
            if !was_killed(&finished) {
                self.told.push("... it had ended by itself".to_owned());
                self.must_be_well(arguments, &finished);
                return self.kills;
            }
            self.kills += 1;
            if self.random.u8(0..4) == 0 {
                // The journal is memory, AWS is truth.
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
        // command then says that the Region is active already.
        let is_done = finished.code() == Some(4) && finished.stderr.contains("active_region");
        let told = &self.told;
        let (out, err) = (&finished.stdout, &finished.stderr);
        assert!(
            finished.code() == Some(0) || is_done,
            "{told:#?}\nkdsha {arguments:?}: {:?}\n--- stdout\n{out}\n--- stderr\n{err}\n--- journal\n{}",
            finished.code(),
            self.scene.journals()
        );
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
    let wanted = u32::try_from(number("KDSHA_NIGHT_KILLS", 20)).expect("a number of kills");
    let seed = number("KDSHA_TEST_SEED", any_seed());
    println!("KDSHA_TEST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut kills, mut journeys, began) = (0, 0, Instant::now());
    while kills < wanted {
        let mut told = vec![format!("KDSHA_TEST_SEED={seed}, after {journeys} journeys and {kills} kills")];
        let scene = Scene::of(random.u64(..), SPEED);
        let before = scene.environment();
        for active in ["us-east-2", "us-west-2", "us-east-2", "us-west-2"] {
            let arguments: &[&str] = match (active, random.u8(0..4)) {
                ("us-west-2", _) => &BACK,
                (_, 0) => &EMERGENCY,
                _ => &OVER,
            };
            let journey = Journey { scene: &scene, random: &mut random, told: &mut told, kills: 0 };
            kills += journey.go(arguments);
            journeys += 1;
            must_be_whole(&scene, active, &before, &told);
            let verified = scene.run(&["verify"]);
            assert_eq!(verified.code(), Some(0), "{told:#?}\n{}{}", verified.stdout, verified.stderr);
        }
        scene.must_have_lost_nothing(&told);
    }
    println!("{kills} kills on the way of {journeys} commands in {:.0} s", began.elapsed().as_secs_f64());
}
