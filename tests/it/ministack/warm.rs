//! A warm standby: both consumers always run, and only the producers are moved.

use super::parity;
use super::rig::{Mode, Rig};
use super::world::{PRIMARY, STANDBY};

#[test]
fn a_warm_pipeline_is_moved_by_its_producers_alone() {
    let rig = Rig::start(Mode::Warm);
    let before = rig.world();
    let traffic = rig.traffic();
    traffic.settle();

    parity::run(&rig, &["failover", "--to", STANDBY]);
    rig.world().assert_warm(&before, STANDBY);
    rig.succeed(&["verify"]);

    parity::run(&rig, &["failback"]);
    rig.world().assert_warm(&before, PRIMARY);
    rig.succeed(&["verify"]);

    traffic.stop(&rig).assert_nothing_lost();
    let changed: Vec<String> = rig.mutations().iter().map(|sent| sent.operation.clone()).collect();
    let expected = ["AddTagsToStream", "UpdateFunctionConfiguration", "AddTagsToStream"].repeat(2);
    assert_eq!(changed, expected);
}
