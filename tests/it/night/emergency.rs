//! us-west-2 goes silent: the whole night, as an operator lives it, with the ledger at its end.

use super::proxy::{Fault, Rule};
use super::scene::{BACK, EMERGENCY, OVER, Scene};
use kdsha::sandbox::world::Story;
use std::time::Duration;

/// Its control plane is silent while its data plane goes on: the producers write there, the old consumer and the
/// replicator run on. What the emergency could not do there is owed and settled once it answers again.
#[test]
fn a_silent_region_is_left_settled_and_returned_to_without_a_loss() {
    let scene = Scene::of(11, 60.0);
    scene.proxy.inject(Rule::region("us-west-2"), Fault::Silence);

    let planned = scene.expect(4, &OVER);
    assert!(planned.stderr.contains("--emergency"), "the command to use instead: {}", planned.stderr);
    assert!(scene.journals().is_empty(), "a refused run has left a journal");

    let (over, took) = scene.timed(&EMERGENCY);
    println!("emergency failover: {:.1} s real, exit {:?}\n{}", took.as_secs_f64(), over.code(), over.stderr);
    // Without data points of the silent Region there is no position; it is never guessed.
    assert_eq!(over.code(), Some(4), "{}", over.stderr);
    assert!(over.stderr.contains("--start-at"), "{}", over.stderr);

    let from =
        (scene.sandbox().now() - Duration::from_secs(15 * 60)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut arguments = EMERGENCY.to_vec();
    arguments.extend(["--start-at", &from]);
    let (over, took) = scene.timed(&arguments);
    println!("emergency failover from {from}: {:.1} s real\n{}", took.as_secs_f64(), over.stderr);
    assert_eq!(over.code(), Some(9), "{}", over.stderr);
    assert!(over.stderr.contains("kdsha resume"), "the next command: {}", over.stderr);
    assert!(scene.journals().contains("owed"), "{}", scene.journals());
    let started = scene.mappings("us-east-2");
    assert!(started.iter().any(|m| m.0 == Story::CONSUMER && m.2 == "Enabled"), "{started:?}");

    let status = scene.expect(7, &["status"]);
    assert!(status.stdout.contains("owed") || status.stdout.contains("OWED"), "{}", status.stdout);
    scene.expect(7, &["verify"]);
    scene.expect(4, &BACK);

    scene.proxy.heal();
    let settled = scene.expect(0, &["resume", "--yes"]);
    println!("resume\n{}", settled.stderr);
    assert_eq!(scene.environment()["PRODUCING_TO_REGION"], "us-east-2");
    scene.expect(0, &["verify"]);

    let back = scene.expect(0, &BACK);
    println!("failback\n{}", back.stderr);
    assert_eq!(scene.environment()["PRODUCING_TO_REGION"], "us-west-2");
    scene.expect(0, &["verify"]);
    let ledger = scene.must_have_lost_nothing(&"emergency");
    println!("{ledger:?}");
}
