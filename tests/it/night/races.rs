//! Two operators at once, on one machine and on two: one goes on, the other is told who and what, and the world is
//! whole afterwards.

use super::scene::{BACK, LIMIT, OVER, Scene};
use crate::support::process::{Finished, Running};
use kdsha::sandbox::world::Story;
use std::time::Duration;

const SPEED: f64 = 120.0;

/// A scene in which kdsha polls as it does on AWS by default, as far as a fast world allows: how long a run waits
/// before it believes that its mark stands follows from that.
fn scene(seed: u64) -> Scene {
    let scene = Scene::of(seed, SPEED);
    scene.configure(&scene.proxy.endpoints(), None, 10.0);
    scene
}

/// A command of another operator with a state folder of their own.
fn by(scene: &Scene, who: &str, folder: &str, arguments: &[&str]) -> Running {
    let mut command = scene.command(arguments);
    command.env("USER", who).env("KDSHA_STATE_DIR", scene.home.path().join(folder));
    Running::start(&mut command).expect("it starts")
}

/// One of them is done, the other was refused and told who.
fn one_won(first: &Finished, second: &Finished, who: [&str; 2]) -> usize {
    let codes = [first.code(), second.code()];
    let all = format!("{codes:?}\n--- first\n{}\n--- second\n{}", first.stderr, second.stderr);
    let winner =
        codes.iter().position(|code| *code == Some(0)).unwrap_or_else(|| panic!("nobody won: {all}"));
    let loser = [first, second][1 - winner];
    assert_eq!(loser.code(), Some(8), "{all}");
    let told = format!("{}{}", loser.stdout, loser.stderr);
    assert!(told.contains(who[winner]), "the loser is not told who: {all}");
    winner
}

fn must_be_away(scene: &Scene) {
    let standby = scene.mappings("us-east-2");
    let expected = (Story::CONSUMER.to_owned(), Story::STREAM.to_owned(), "Enabled".to_owned());
    assert_eq!(standby, vec![expected]);
    let primary = scene.mappings("us-west-2");
    assert_eq!(primary.len(), 2, "{primary:?}");
    assert!(primary.iter().all(|m| m.2 == "Disabled"), "{primary:?}");
    assert_eq!(scene.environment()["PRODUCING_TO_REGION"], "us-east-2");
    assert_eq!(scene.mark()["kdsha:state"], "closed");
}

#[test]
fn two_on_one_machine_started_at_once() {
    let scene = scene(31);
    for round in 0..3 {
        let command: &[&str] = if round % 2 == 0 { &OVER } else { &BACK };
        let pair = [by(&scene, "ann", "state", command), by(&scene, "bob", "state", command)];
        let [first, second] = pair.map(|running| running.finish(LIMIT).expect("it ends"));
        one_won(&first, &second, ["ann@", "bob@"]);
    }
    must_be_away(&scene);
    scene.must_have_lost_nothing(&"two on one machine");
}

/// Nothing but the run mark on the standby stream stands between two machines.
#[test]
fn two_on_two_machines_started_close_together() {
    let scene = scene(32);
    for (round, apart) in [0_u64, 60, 250].into_iter().enumerate() {
        let command: &[&str] = if round % 2 == 0 { &OVER } else { &BACK };
        let first = by(&scene, "ann", "ann", command);
        std::thread::sleep(Duration::from_millis(apart));
        let second = by(&scene, "bob", "bob", command);
        let [first, second] = [first, second].map(|running| running.finish(LIMIT).expect("it ends"));
        println!("{apart} ms apart: {:?} {:?}", first.code(), second.code());
        let winner = one_won(&first, &second, ["ann@", "bob@"]);
        // The winner's journal alone is of a run that went through.
        println!("... {} won", ["ann", "bob"][winner]);
        if round == 0 {
            must_be_away(&scene);
        }
    }
    must_be_away(&scene);
    scene.expect(0, &["verify"]);
    scene.must_have_lost_nothing(&"two on two machines");
}

/// The other machine's operator comes in the middle of the run, with the same command and with the opposite one.
#[test]
fn a_latecomer_on_another_machine_is_told_whose_run_it_is() {
    let scene = scene(33);
    let first = by(&scene, "ann", "ann", &OVER);
    super::scene::until("the switch", || scene.environment()["PRODUCING_TO_REGION"] == "us-east-2");
    for command in [&OVER[..], &BACK[..]] {
        let late = by(&scene, "bob", "bob", command).finish(LIMIT).expect("it ends");
        assert_eq!(late.code(), Some(8), "{command:?}: {}", late.stderr);
        let told = format!("{}{}", late.stdout, late.stderr);
        assert!(told.contains("ann@"), "{command:?}: {told}");
    }
    let first = first.finish(LIMIT).expect("it ends");
    assert_eq!(first.code(), Some(0), "{}", first.stderr);
    must_be_away(&scene);
    scene.expect(0, &["verify"]);
    scene.must_have_lost_nothing(&"a latecomer");
}
