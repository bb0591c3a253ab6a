//! Outages and what they do to records.

use super::{EAST, Play, WEST, region};
use crate::sandbox::call::Service;
use crate::sandbox::world::{Outage, Story};
use serde_json::json;

#[test]
fn a_degraded_data_plane_shows_in_the_metrics_and_loses_nothing() {
    let mut play = Play::of_the_post(&Story::default());
    play.world.strike(&region(WEST), Outage::DataPlaneDegraded { failure_share: 0.3 });
    play.wait(300);
    let success = play.stream_points(WEST, "PutRecord.Success", "Average", 4);
    assert!(success.iter().any(|p| (0.5..0.9).contains(&p.1)), "{success:?}");
    let reads = play.stream_points(WEST, "GetRecords.Success", "Average", 4);
    assert!(reads.iter().any(|p| p.1 < 0.9), "{reads:?}");
    play.world.heal(&region(WEST));
    let ledger = play.finish();
    assert_eq!((ledger.lost, ledger.pending, ledger.given_up_by_producers), (0, 0, 0));
}

#[test]
fn a_control_plane_outage_refuses_changes_while_records_move_on() {
    let mut play = Play::of_the_post(&Story::default());
    play.world.strike(&region(WEST), Outage::ControlPlane);
    let lambda = play.refused(Service::Lambda, WEST, "ListEventSourceMappings", json!({}));
    assert_eq!((lambda.status, lambda.code.as_str()), (500, "ServiceException"));
    assert_eq!(
        play.refused(Service::Kinesis, WEST, "ListShards", json!({ "StreamName": Story::STREAM })).status,
        500
    );
    play.kinesis(
        WEST,
        "PutRecord",
        json!({ "StreamName": Story::STREAM, "Data": "e30=", "PartitionKey": "k" }),
    );
    play.lambda(EAST, "ListEventSourceMappings", json!({}));
    let before = play.ledger().processed;
    play.wait(60);
    assert!(play.ledger().processed > before + 1_000);
}

#[test]
fn nothing_moves_in_a_silent_region() {
    let mut play = Play::of_the_post(&Story::default());
    play.world.strike(&region(WEST), Outage::Silent);
    assert_eq!(play.world.outage(&region(WEST)), Some(Outage::Silent));
    let before = play.ledger();
    play.wait(280);
    let during = play.ledger();
    assert_eq!((before.put, before.processed), (during.put, during.processed));
    play.world.heal(&region(WEST));
    play.wait(240);
    assert_eq!(play.stream_points(WEST, "IncomingRecords", "Sum", 7).len(), 3, "no points from the silence");
    let after = play.finish();
    assert!(after.put > during.put);
    assert_eq!((after.lost, after.pending), (0, 0));
    assert_eq!(after.given_up_by_producers, 0, "all within the five minutes of their tries");
}

#[test]
fn producers_give_up_after_five_minutes() {
    let mut play = Play::of_the_post(&Story::default());
    play.world.strike(&region(WEST), Outage::Silent);
    play.wait(900);
    assert!(play.ledger().given_up_by_producers > 1_000);
}

#[test]
fn a_silent_standby_holds_the_replicator_back() {
    let mut play = Play::of_the_post(&Story::default());
    play.world.strike(&region(EAST), Outage::Silent);
    play.wait(300);
    let by_name = [("FunctionName", Story::REPLICATOR)];
    let errors = play.points(WEST, ("AWS/Lambda", "Errors"), &by_name, "Sum", 3);
    assert!(errors.iter().any(|p| p.1 > 0.0), "{errors:?}");
    play.world.heal(&region(EAST));
    let ledger = play.finish();
    assert_eq!((ledger.lost, ledger.pending), (0, 0));
}
