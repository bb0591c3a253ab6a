//! The main job: fail over and back under live traffic, and see that nothing was lost.

use super::parity;
use super::rig::{Mode, Rig};
use super::world::{PRIMARY, STANDBY};
use serde_json::Value;

/// `status --output json`, which must be one document.
fn status(rig: &Rig) -> Value {
    let status: Value =
        serde_json::from_str(&rig.succeed(&["status", "--output", "json"])).expect("one JSON document");
    assert_eq!(status["schema"], "kdsha.status/1");
    status
}

#[test]
fn failover_and_failback_lose_nothing() {
    let rig = Rig::start(Mode::Cold);
    let before = rig.world();
    let traffic = rig.traffic();
    traffic.settle();
    rig.succeed(&["verify"]);
    status(&rig);

    parity::run(&rig, &["failover", "--to", STANDBY]);
    let over = rig.world();
    over.assert_failed_over(&before);
    rig.succeed(&["verify"]);
    status(&rig);
    traffic.so_far(&rig).assert_nothing_lost();

    parity::run(&rig, &["failback"]);
    rig.world().assert_home(&before);
    rig.succeed(&["verify"]);
    status(&rig);

    let account = traffic.stop(&rig);
    account.assert_nothing_lost();
    assert!(account.written_to(PRIMARY) > 0 && account.written_to(STANDBY) > 0, "{account:?}");
    assert!(
        account.duplicates < account.acknowledged * 2,
        "more is replayed than the overlap explains: {account:?}"
    );
    rig.world().assert_only_the_pipeline_changed(&before);
}
