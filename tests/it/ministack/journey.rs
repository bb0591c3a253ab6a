//! The main job: fail over and back under live traffic, and see that nothing was lost.

use super::parity;
use super::rig::{Mode, Rig};
use super::world::{PRIMARY, STANDBY};
use serde_json::Value;

/// At rest in a Region: `verify` finds no deviation, and `status`, as one document, says where records are produced.
fn assert_at_rest(rig: &Rig, region: &str) {
    rig.succeed(&["verify"]);
    let status: Value =
        serde_json::from_str(&rig.succeed(&["status", "--output", "json"])).expect("one document");
    assert_eq!(status["schema"], "kdsha.status/1");
    assert_eq!(status["ok"], true, "{}", status["deviations"]);
    assert_eq!(status["pipelines"]["ticker-prices"]["active"]["region"], region);
    assert_eq!(status["unfinished"], Value::Array(Vec::new()));
}

/// A run as a program sees it: one event a line, the last one says how it ended.
fn assert_run_is_done(events: &str) {
    let parse = |line: &str| serde_json::from_str::<Value>(line).expect("one JSON document a line");
    let events: Vec<Value> = events.lines().map(parse).collect();
    assert!(events.iter().all(|event| event["schema"] == "kdsha.event/1"), "{events:#?}");
    assert_eq!(events.first().map(|event| &event["event"]), Some(&"run_started".into()));
    let last = events.last().expect("events");
    assert_eq!((&last["event"], &last["exit"]), (&"run_finished".into(), &"done".into()), "{last}");
}

#[test]
fn failover_and_failback_lose_nothing() {
    let rig = Rig::start(Mode::Cold);
    let before = rig.world();
    let traffic = rig.traffic();
    traffic.settle();
    assert_at_rest(&rig, PRIMARY);

    // Readers that are far behind when the producers leave: what is not drained now is missing afterwards.
    traffic.backlog(&rig, PRIMARY, 350);
    assert_run_is_done(&parity::run(&rig, &["failover", "--to", STANDBY]));
    rig.world().assert_failed_over(&before);
    assert_at_rest(&rig, STANDBY);
    traffic.so_far(&rig).assert_nothing_lost();

    traffic.backlog(&rig, STANDBY, 400);
    assert_run_is_done(&parity::run(&rig, &["failback"]));
    rig.world().assert_home(&before);
    assert_at_rest(&rig, PRIMARY);

    let account = traffic.stop(&rig);
    account.assert_nothing_lost();
    assert!(account.written_to(PRIMARY) > 0 && account.written_to(STANDBY) > 0, "{account:?}");
    assert!(
        account.duplicates < account.acknowledged * 2,
        "more is replayed than the overlap explains: {account:?}"
    );
    rig.world().assert_only_the_pipeline_changed(&before);
    rig.assert_no_secret_on_disk();
}
