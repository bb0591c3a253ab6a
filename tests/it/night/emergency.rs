//! us-west-2 goes silent: the whole night, as an operator lives it, with the ledger at its end.

use super::proxy::{Fault, Rule};
use super::scene::{BACK, EMERGENCY, LIMIT, OVER, Scene};
use super::worst;
use crate::support::process::{self, Finished};
use kdsha::sandbox::world::{Outage, Story};
use std::time::Duration;

/// What a person reads of a run, without what differs from run to run.
fn told(finished: &Finished) -> String {
    format!("{}{}", finished.stdout, finished.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The commands that look or must refuse while us-west-2 is silent, side by side: each has its own bound.
fn meanwhile(scene: &Scene) {
    std::thread::scope(|all| {
        let status = all.spawn(|| scene.timed(&["status"]));
        let verify = all.spawn(|| scene.timed(&["verify"]));
        let back = all.spawn(|| scene.timed(&BACK));
        let (status, took) = status.join().expect("status");
        assert_eq!(status.code(), Some(7), "{}", status.stderr);
        assert!(
            told(&status).contains("Owed") && told(&status).contains("kdsha resume"),
            "{}",
            status.stdout
        );
        assert!(told(&status).contains("deferred settle what is owed"), "{}", status.stdout);
        let (verify, took_too) = verify.join().expect("verify");
        assert_eq!(verify.code(), Some(7), "{}", verify.stderr);
        let (back, took_last) = back.join().expect("failback");
        assert_eq!(back.code(), Some(4), "a failback while steps are owed: {}", back.stderr);
        for (what, took) in [("status", took), ("verify", took_too), ("failback, refused", took_last)] {
            worst::answered(what, took);
        }
        println!("while silent: status {took:.1?}, verify {took_too:.1?}, failback refused {took_last:.1?}");
    });
}

/// A planned run is refused, with the command to use instead; an emergency one has no data points of the silent
/// Region to find its start from, and never guesses.
fn must_refuse(scene: &Scene) {
    std::thread::scope(|both| {
        let planned = both.spawn(|| scene.timed(&OVER));
        let mut command = scene.command(&EMERGENCY);
        command.env("KDSHA_STATE_DIR", scene.home.path().join("another"));
        let guess = process::run(&mut command, LIMIT).expect("it ends");
        assert_eq!(guess.code(), Some(4), "{}", guess.stderr);
        assert!(guess.stderr.contains("--start-at"), "{}", guess.stderr);
        let (planned, took) = planned.join().expect("a planned failover");
        println!("a planned failover is refused in {took:.1?}");
        worst::answered("failover, refused", took);
        assert_eq!(planned.code(), Some(4), "{}", planned.stderr);
        assert!(planned.stderr.contains("--emergency"), "the command to use instead: {}", planned.stderr);
    });
    assert!(scene.journals().is_empty(), "a refused run has left a journal");
}

/// From the emergency to the failback; `silence` and `heal` are how us-west-2 goes and comes back.
fn the_whole_night(scene: &Scene, silence: impl Fn(), heal: impl Fn()) {
    silence();
    must_refuse(scene);
    let from = scene.sandbox().now() - Duration::from_secs(15 * 60);
    let from = from.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut arguments = EMERGENCY.to_vec();
    arguments.extend(["--start-at", &from]);
    let (over, took) = scene.timed(&arguments);
    println!("emergency failover from {from}: {took:.1?}\n{}", over.stderr);
    assert_eq!(over.code(), Some(9), "{}", over.stderr);
    assert!(over.stderr.contains("kdsha resume"), "the next command: {}", over.stderr);
    assert!(scene.journals().contains("\"owed\""), "{}", scene.journals());
    let started = scene.mappings("us-east-2");
    assert!(started.iter().any(|m| m.0 == Story::CONSUMER && m.2 == "Enabled"), "{started:?}");
    meanwhile(scene);

    heal();
    let settled = scene.expect(0, &["resume", "--yes"]);
    println!("resume\n{}", settled.stderr);
    assert_eq!(scene.environment()["PRODUCING_TO_REGION"], "us-east-2");
    scene.expect(0, &["verify"]);
    let back = scene.expect(0, &BACK);
    println!("failback\n{}", back.stderr);
    assert_eq!(scene.environment()["PRODUCING_TO_REGION"], "us-west-2");
    scene.expect(0, &["verify"]);
    println!("{:?}", scene.must_have_lost_nothing(&"emergency"));
}

/// Its control plane is silent while its data plane goes on: the producers write there, the old consumer and the
/// replicator run on. What the emergency could not do there is owed and settled once it answers again.
#[test]
fn a_region_whose_api_is_silent_is_left_settled_and_returned_to_without_a_loss() {
    let scene = Scene::of(11, 120.0);
    let silence = || scene.proxy.inject(Rule::region("us-west-2"), Fault::Silence);
    the_whole_night(&scene, silence, || scene.proxy.heal());
}

/// The Region is gone with everything in it: nothing runs there, and nothing answers.
#[test]
fn a_region_that_is_gone_is_left_settled_and_returned_to_without_a_loss() {
    let scene = Scene::of(12, 120.0);
    let region: kdsha::model::Region = "us-west-2".parse().expect("a Region");
    let silence = || scene.sandbox().with_world(|world| world.strike(&region, Outage::Silent));
    the_whole_night(&scene, silence, || scene.sandbox().with_world(|world| world.heal(&region)));
}
