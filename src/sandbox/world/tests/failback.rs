//! The post's failback by hand: to the letter it loses records, done properly it does not.

use super::{EAST, Play, WEST, start};
use crate::sandbox::world::{LostBecause, Story};
use jiff::SignedDuration;
use serde_json::json;

/// A planned failover by hand: consumer in the standby from five minutes back, producer switched, primary's consumer
/// and replicator disabled. Answers their UUIDs.
fn fail_over(play: &mut Play) -> [String; 3] {
    let since = (play.world.now() - SignedDuration::from_mins(5)).as_second();
    let standby = play.create_consumer_mapping(
        EAST,
        json!({ "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": since }),
    );
    play.switch_producer(EAST);
    play.wait(60);
    let consumer = play.mapping(WEST, Story::CONSUMER);
    let replicator = play.mapping(WEST, Story::REPLICATOR);
    play.set_enabled(WEST, &replicator, false);
    play.set_enabled(WEST, &consumer, false);
    play.wait_settled(EAST, &standby);
    [standby, consumer, replicator]
}

#[test]
fn the_failback_of_the_post_to_the_letter_loses_records() {
    let mut play = Play::of_the_post(&Story::default());
    let [standby, consumer, replicator] = fail_over(&mut play);
    // The post recreates the mappings, so the kept ones go; a record is stranded in the primary first.
    play.kinesis(
        WEST,
        "PutRecord",
        json!({ "StreamName": Story::STREAM, "Data": "e30=", "PartitionKey": "stranded" }),
    );
    assert_eq!(play.ledger().lost, 0, "stranded, but the kept mapping would come to it");
    for uuid in [&consumer, &replicator] {
        play.lambda(WEST, "DeleteEventSourceMapping", json!({ "UUID": uuid }));
    }
    play.wait(30);
    play.create_consumer_mapping(WEST, json!({ "StartingPosition": "LATEST" }));
    play.switch_producer(WEST);
    play.wait(120);
    play.lambda(EAST, "DeleteEventSourceMapping", json!({ "UUID": standby }));
    let ledger = play.finish();
    assert!(ledger.lost > 100, "the race of LATEST with the first poll: {}", ledger.lost);
    assert!(ledger.lost_records.iter().all(|r| r.why == LostBecause::Skipped && r.region.as_str() == WEST));
    assert_eq!(ledger.put, ledger.processed + ledger.pending + ledger.lost);
    assert!(ledger.lost_records.iter().all(|r| r.arrival > start()));
}

#[test]
fn a_failback_that_enables_the_kept_mappings_loses_nothing() {
    let mut play = Play::of_the_post(&Story::default());
    let [standby, consumer, replicator] = fail_over(&mut play);
    play.kinesis(
        WEST,
        "PutRecord",
        json!({ "StreamName": Story::STREAM, "Data": "e30=", "PartitionKey": "stranded" }),
    );
    assert!(play.ledger().pending > 0);
    play.wait(600);
    play.set_enabled(WEST, &consumer, true);
    play.wait_settled(WEST, &consumer);
    play.switch_producer(WEST);
    play.wait(120);
    play.set_enabled(EAST, &standby, false);
    play.wait_settled(EAST, &standby);
    play.lambda(EAST, "DeleteEventSourceMapping", json!({ "UUID": standby }));
    play.set_enabled(WEST, &replicator, true);
    play.wait_settled(WEST, &replicator);
    let ledger = play.finish();
    assert_eq!((ledger.lost, ledger.pending), (0, 0), "{:?}", ledger.lost_records.first());
    assert_eq!(ledger.put, ledger.processed);
    assert!(ledger.duplicates > 0, "the overlap of five minutes is processed twice");
}
