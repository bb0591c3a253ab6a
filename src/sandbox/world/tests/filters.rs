//! Filters of event source mappings as Lambda applies them.

use super::{EAST, Play, WEST, region};
use crate::sandbox::call::Service;
use crate::sandbox::world::{FunctionFault, Story};
use serde_json::{Value, json};

/// A world in which the primary's consumer is handed only what fits this pattern.
fn filtered(story: &Story, pattern: &Value) -> (Play, String) {
    let mut play = Play::of_the_post(story);
    let uuid = play.mapping(WEST, Story::CONSUMER);
    let update = json!({
        "UUID": uuid, "FilterCriteria": { "Filters": [{ "Pattern": pattern.to_string() }] },
        "MetricsConfig": { "Metrics": ["EventCount"] },
    });
    play.lambda(WEST, "UpdateEventSourceMapping", update);
    play.wait_settled(WEST, &uuid);
    (play, uuid)
}

/// The sum of a count of the mapping's over the last so many minutes.
fn counted(play: &mut Play, uuid: &str, name: &str, minutes: i64) -> f64 {
    let points = play.points(WEST, ("AWS/Lambda", name), &[("EventSourceMappingUUID", uuid)], "Sum", minutes);
    points.iter().map(|point| point.1).sum()
}

fn put(play: &mut Play, data: &str) {
    use base64::Engine as _;
    let data = base64::prelude::BASE64_STANDARD.encode(data);
    let record = json!({ "StreamName": Story::STREAM, "Data": data, "PartitionKey": "k" });
    play.kinesis(WEST, "PutRecord", record);
}

#[test]
fn records_that_fit_no_pattern_invoke_nothing_and_are_passed() {
    let (mut play, uuid) = filtered(&Story::default(), &json!({ "data": { "ticker": ["NONE"] } }));
    play.wait(600);
    let polled = counted(&mut play, &uuid, "PolledEventCount", 8);
    assert!(polled > 1_000.0, "{polled}");
    assert_eq!(counted(&mut play, &uuid, "FilteredOutEventCount", 8), polled);
    let consumer = [("FunctionName", Story::CONSUMER)];
    for name in ["Invocations", "IteratorAge", "Errors"] {
        assert!(play.points(WEST, ("AWS/Lambda", name), &consumer, "Sum", 8).is_empty(), "{name}");
    }
    let ledger = play.finish();
    assert!(ledger.filtered > 10_000, "{}", ledger.filtered);
    assert_eq!((ledger.pending, ledger.lost), (0, 0));
    assert_eq!(ledger.put, ledger.processed + ledger.filtered);
}

#[test]
fn of_a_batch_the_function_is_handed_what_fits() {
    let (mut play, uuid) =
        filtered(&Story::default(), &json!({ "data": { "price": [{ "numeric": ["<", 100] }] } }));
    let before = play.ledger();
    play.wait(600);
    let (polled, left_out) = (
        counted(&mut play, &uuid, "PolledEventCount", 8),
        counted(&mut play, &uuid, "FilteredOutEventCount", 8),
    );
    assert!(left_out > polled / 2.0 && left_out < polled, "{left_out} of {polled}");
    let ledger = play.finish();
    assert!(before.processed < ledger.processed && before.filtered < ledger.filtered);
    assert_eq!((ledger.pending, ledger.lost, ledger.duplicates), (0, 0, 0));
    assert_eq!(ledger.put, ledger.processed + ledger.filtered);
}

#[test]
fn a_filter_that_all_records_fit_counts_zeros() {
    let (mut play, uuid) =
        filtered(&Story::default(), &json!({ "data": { "ticker": [{ "exists": true }] } }));
    play.wait(300);
    let left_out = ("AWS/Lambda", "FilteredOutEventCount");
    let points = play.points(WEST, left_out, &[("EventSourceMappingUUID", &uuid)], "Sum", 3);
    assert!(!points.is_empty() && points.iter().all(|point| point.1 == 0.0));
    assert_eq!(play.finish().filtered, 0);
}

/// What is filtered takes no place in a batch: one that is being gathered is not handed over for it.
#[test]
fn a_batch_is_gathered_from_what_fits() {
    let quiet = Story { records_per_second: 0.0, shards: 1, ..Story::default() };
    let (mut play, uuid) = filtered(&quiet, &json!({ "data": { "a": ["x"] } }));
    let window = json!({ "UUID": uuid, "BatchSize": 2, "MaximumBatchingWindowInSeconds": 120 });
    play.lambda(WEST, "UpdateEventSourceMapping", window);
    play.wait_settled(WEST, &uuid);
    let first = play.ledger();
    for data in [r#"{"a":"y"}"#, r#"{"a":"x"}"#, "plain", r#"{"a":"y"}"#, r#"{"b":"x"}"#] {
        put(&mut play, data);
    }
    play.wait(60);
    let gathering = play.ledger();
    assert_eq!((gathering.processed, gathering.filtered), (first.processed, first.filtered + 1));
    put(&mut play, r#"{"a":"x"}"#);
    play.wait(10);
    let handed = play.ledger();
    assert_eq!((handed.processed, handed.filtered), (first.processed + 2, first.filtered + 4));
    assert_eq!((handed.pending, handed.lost), (0, 0));
}

/// What the function has not done with is not passed, and a batch that fails comes again as it was.
#[test]
fn a_failing_batch_keeps_the_place_of_what_is_filtered_behind_it() {
    let quiet = Story { records_per_second: 0.0, shards: 1, ..Story::default() };
    let (mut play, _) = filtered(&quiet, &json!({ "partitionKey": ["k"], "data": { "a": ["x"] } }));
    let consumer = Story::CONSUMER.parse().expect("a name");
    play.world.set_fault(&region(WEST), &consumer, Some(FunctionFault::Fails));
    let first = play.ledger();
    for data in [r#"{"a":"x"}"#, r#"{"a":"y"}"#, r#"{"a":"x"}"#, r#"{"a":"y"}"#] {
        put(&mut play, data);
    }
    play.wait(300);
    assert_eq!((play.ledger().filtered, play.ledger().pending), (first.filtered, 4));
    play.world.set_fault(&region(WEST), &consumer, None);
    play.wait(60);
    let last = play.ledger();
    assert_eq!((last.processed, last.filtered), (first.processed + 2, first.filtered + 2));
}

/// What a replicator leaves out is not copied, and is its consumer's to process all the same.
#[test]
fn a_replicators_filter_settles_nothing() {
    let mut play = Play::of_the_post(&Story::default());
    let uuid = play.mapping(WEST, Story::REPLICATOR);
    let nothing = json!({ "data": { "ticker": ["NONE"] } }).to_string();
    let update = json!({ "UUID": uuid, "FilterCriteria": { "Filters": [{ "Pattern": nothing }] } });
    play.lambda(WEST, "UpdateEventSourceMapping", update);
    play.wait(300);
    let ledger = play.finish();
    assert_eq!((ledger.filtered, ledger.pending, ledger.lost), (0, 0, 0));
    assert_eq!(ledger.put, ledger.processed);
}

#[test]
fn a_pattern_that_is_none_is_refused() {
    let mut play = Play::of_the_post(&Story::default());
    let uuid = play.mapping(WEST, Story::CONSUMER);
    let create = json!({
        "FunctionName": Story::CONSUMER, "EventSourceArn": Play::stream_arn(EAST), "StartingPosition": "LATEST",
    });
    let update = json!({ "UUID": uuid });
    for filter in [json!({ "Pattern": "plain" }), json!({ "Pattern": r#"{"data":["x"]}"# }), json!({})] {
        let calls =
            [(EAST, "CreateEventSourceMapping", &create), (WEST, "UpdateEventSourceMapping", &update)];
        for (at, operation, input) in calls {
            let mut input = input.clone();
            input["FilterCriteria"] = json!({ "Filters": [filter] });
            let error = play.refused(Service::Lambda, at, operation, input);
            assert_eq!((error.status, error.code.as_str()), (400, "InvalidParameterValueException"));
            assert_eq!(error.message, "Invalid filter pattern definition.");
        }
    }
    let removed =
        play.lambda(WEST, "UpdateEventSourceMapping", json!({ "UUID": uuid, "FilterCriteria": {} }));
    assert!(removed["FilterCriteria"].is_null());
}
