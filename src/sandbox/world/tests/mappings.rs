//! Event source mappings as Lambda plays them.

use super::{EAST, Play, WEST, region};
use crate::sandbox::call::Service;
use crate::sandbox::world::{FunctionFault, LostBecause, Story};
use serde_json::{Value, json};

fn count_events() -> Value {
    json!({ "StartingPosition": "LATEST", "MetricsConfig": { "Metrics": ["EventCount"] } })
}

fn polled(play: &mut Play, uuid: &str, minutes: i64) -> Vec<(f64, f64)> {
    play.points(EAST, ("AWS/Lambda", "PolledEventCount"), &[("EventSourceMappingUUID", uuid)], "Sum", minutes)
}

#[test]
fn a_created_mapping_echoes_what_aws_echoes() {
    let mut play = Play::of_the_post(&Story::default());
    let input = json!({
        "FunctionName": Story::CONSUMER, "EventSourceArn": Play::stream_arn(EAST), "StartingPosition": "AT_TIMESTAMP",
        "StartingPositionTimestamp": 1_700_000_000, "Enabled": false,
    });
    let created = play.lambda(EAST, "CreateEventSourceMapping", input);
    assert_eq!(created["State"], "Creating");
    assert_eq!(created["LastProcessingResult"], "No records processed");
    assert_eq!(created["StateTransitionReason"], "User action");
    assert_eq!(created["DestinationConfig"], json!({ "OnFailure": {} }));
    assert_eq!((&created["BatchSize"], &created["MaximumRetryAttempts"]), (&json!(100), &json!(-1)));
    assert_eq!(created["StartingPositionTimestamp"], 1_700_000_000);
    let uuid = created["UUID"].as_str().expect("a UUID").to_owned();
    for operation in ["UpdateEventSourceMapping", "DeleteEventSourceMapping"] {
        let busy = play.refused(Service::Lambda, EAST, operation, json!({ "UUID": uuid, "Enabled": true }));
        assert_eq!((busy.status, busy.code.as_str()), (400, "ResourceInUseException"));
    }
    play.wait(15);
    assert_eq!(play.state(EAST, &uuid).as_deref(), Some("Disabled"));
    play.wait(120);
    let consumer = play.lambda(EAST, "GetEventSourceMapping", json!({ "UUID": uuid }));
    assert_eq!(consumer["LastProcessingResult"], "No records processed");
}

#[test]
fn the_same_function_and_source_again_is_refused_with_the_uuid() {
    let mut play = Play::of_the_post(&Story::default());
    let uuid = play.mapping(WEST, Story::CONSUMER);
    let arn = Play::stream_arn(WEST);
    let input =
        json!({ "FunctionName": Story::CONSUMER, "EventSourceArn": arn, "StartingPosition": "LATEST" });
    let error = play.refused(Service::Lambda, WEST, "CreateEventSourceMapping", input);
    assert_eq!((error.status, error.code.as_str()), (409, "ResourceConflictException"));
    assert_eq!(
        error.message,
        format!(
            "The event source arn (\" {arn} \") and function (\" {} \") provided mapping already exists. Please update \
             or delete the existing mapping with UUID {uuid}",
            Story::CONSUMER
        )
    );
}

#[test]
fn what_is_missing_is_said_with_a_400() {
    let mut play = Play::of_the_post(&Story::default());
    let base = json!({ "FunctionName": Story::CONSUMER, "EventSourceArn": Play::stream_arn(EAST), "StartingPosition": "LATEST" });
    let with = |name: &str, value: Value| {
        let mut input = base.clone();
        input[name] = value;
        input
    };
    let cases = [
        (
            with("EventSourceArn", json!("arn:aws:kinesis:us-east-2:123456789012:stream/None")),
            "Stream not found: arn:aws:kinesis:us-east-2:123456789012:stream/None",
        ),
        (with("FunctionName", json!("none")), "Function does not exist"),
        (with("StartingPosition", Value::Null), "Value null at 'startingPosition'"),
        (with("MaximumRecordAgeInSeconds", json!(30)), "MaximumRecordAgeInSeconds"),
    ];
    for (input, text) in cases {
        let error = play.refused(Service::Lambda, EAST, "CreateEventSourceMapping", input);
        assert_eq!((error.status, error.code.as_str()), (400, "InvalidParameterValueException"), "{text}");
        assert!(error.message.contains(text), "{}", error.message);
    }
    let nobody = json!({ "UUID": "00000000-0000-4000-8000-000000000000" });
    let unknown = play.refused(Service::Lambda, EAST, "GetEventSourceMapping", nobody);
    assert_eq!(
        (unknown.status, unknown.message.as_str()),
        (404, "The resource you requested does not exist.")
    );
}

#[test]
fn enabled_is_not_yet_polling() {
    let mut play = Play::of_the_post(&Story::default());
    let uuid = play.create_consumer_mapping(EAST, count_events());
    while play.state(EAST, &uuid).as_deref() != Some("Enabled") {
        play.wait(1);
    }
    let enabled = play.world.now().as_second();
    play.wait(240);
    let first = polled(&mut play, &uuid, 10).first().map(|p| p.0 as i64).expect("it polls in the end");
    assert!(first + 60 > enabled + 10, "no poll before {first}, enabled at {enabled}");
}

#[test]
fn latest_is_pinned_at_the_first_poll() {
    let mut play = Play::of_the_post(&Story { records_per_second: 0.0, ..Story::default() });
    let uuid = play.create_consumer_mapping(EAST, count_events());
    play.wait(14);
    assert_eq!(play.state(EAST, &uuid).as_deref(), Some("Enabled"));
    let record = json!({ "StreamName": Story::STREAM, "Data": "e30=", "PartitionKey": "k" });
    play.kinesis(EAST, "PutRecord", record.clone());
    play.wait(120);
    let ledger = play.ledger();
    assert_eq!((ledger.lost, ledger.lost_records[0].why), (1, LostBecause::Skipped));
    play.kinesis(EAST, "PutRecord", record);
    play.wait(10);
    assert_eq!(play.ledger().processed, 1);
}

#[test]
fn an_empty_poll_is_a_point_of_zero() {
    let mut play = Play::of_the_post(&Story { records_per_second: 0.0, ..Story::default() });
    let uuid = play.create_consumer_mapping(EAST, count_events());
    play.wait(300);
    let points = polled(&mut play, &uuid, 3);
    assert!(!points.is_empty() && points.iter().all(|p| p.1 == 0.0));
}

#[test]
fn disabled_is_not_yet_stopped() {
    let mut play = Play::of_the_post(&Story::default());
    let uuid = play.mapping(WEST, Story::CONSUMER);
    play.set_enabled(WEST, &uuid, false);
    while play.state(WEST, &uuid).as_deref() != Some("Disabled") {
        play.wait(1);
    }
    let at_disabled = play.ledger().processed;
    play.wait(26);
    let stopped = play.ledger().processed;
    assert!(stopped > at_disabled, "it went on for some seconds");
    play.wait(60);
    assert_eq!(play.ledger().processed, stopped);
}

#[test]
fn a_disabled_mapping_keeps_its_checkpoint() {
    let mut play = Play::of_the_post(&Story::default());
    let uuid = play.mapping(WEST, Story::CONSUMER);
    play.set_enabled(WEST, &uuid, false);
    play.wait(600);
    let behind = play.ledger();
    assert!(behind.pending > 5_000 && behind.lost == 0);
    play.set_enabled(WEST, &uuid, true);
    let ledger = play.finish();
    assert_eq!((ledger.pending, ledger.lost, ledger.duplicates), (0, 0, 0));
}

#[test]
fn a_deleted_mapping_is_gone_after_some_seconds_with_its_checkpoint() {
    let mut play = Play::of_the_post(&Story::default());
    let uuid = play.mapping(WEST, Story::CONSUMER);
    play.lambda(WEST, "DeleteEventSourceMapping", json!({ "UUID": uuid }));
    assert_eq!(play.state(WEST, &uuid).as_deref(), Some("Deleting"));
    play.wait(20);
    assert_eq!(play.state(WEST, &uuid), None);
    let replicator = play.mapping(WEST, Story::REPLICATOR);
    play.set_enabled(WEST, &replicator, false);
    play.wait(60);
    assert!(play.ledger().lost > 0, "nobody's checkpoint comes to them any more");
}

#[test]
fn mappings_are_listed_a_hundred_at_a_time() {
    let story = Story {
        pipelines: 60,
        records_per_second: 0.0,
        shards: 1,
        history: std::time::Duration::from_secs(60),
        ..Story::default()
    };
    let mut play = Play::of_the_post(&story);
    let page = play.lambda(WEST, "ListEventSourceMappings", json!({ "MaxItems": 10_000 }));
    assert_eq!(page["EventSourceMappings"].as_array().map(Vec::len), Some(100));
    let rest = play.lambda(WEST, "ListEventSourceMappings", json!({ "Marker": page["NextMarker"] }));
    assert_eq!(
        (rest["EventSourceMappings"].as_array().map(Vec::len), rest.get("NextMarker")),
        (Some(20), None)
    );
    let partial = format!("123456789012:function:{}", Story::CONSUMER);
    let one = play.lambda(WEST, "ListEventSourceMappings", json!({ "FunctionName": partial }));
    assert_eq!(one["EventSourceMappings"].as_array().map(Vec::len), Some(1));
    let by_source =
        play.lambda(WEST, "ListEventSourceMappings", json!({ "EventSourceArn": Play::stream_arn(WEST) }));
    assert_eq!(
        by_source["EventSourceMappings"].as_array().map(Vec::len),
        Some(1),
        "the fan-out consumer is another source"
    );
}

#[test]
fn a_failing_function_blocks_its_shards_until_it_is_mended() {
    let mut play = Play::of_the_post(&Story::default());
    let name = Story::CONSUMER.parse().expect("a function name");
    play.world.set_fault(&region(WEST), &name, Some(FunctionFault::Fails));
    play.wait(300);
    let uuid = play.mapping(WEST, Story::CONSUMER);
    let shown = play.lambda(WEST, "GetEventSourceMapping", json!({ "UUID": uuid }));
    assert_eq!(shown["LastProcessingResult"], "PROBLEM: Function call failed");
    let by_name = [("FunctionName", Story::CONSUMER)];
    let ages = play.points(WEST, ("AWS/Lambda", "IteratorAge"), &by_name, "Maximum", 4);
    assert!(ages.last().is_some_and(|p| p.1 > 100_000.0), "the age of the batch grows: {ages:?}");
    assert!(play.points(WEST, ("AWS/Lambda", "Errors"), &by_name, "Sum", 4).iter().all(|p| p.1 > 0.0));
    play.world.set_fault(&region(WEST), &name, None);
    let ledger = play.finish();
    assert_eq!((ledger.pending, ledger.lost), (0, 0));
}

/// Without ReportBatchItemFailures, what the function reports as failed is passed over.
#[test]
fn reported_failures_are_tried_again_where_the_mapping_asks_for_them_and_lost_where_not() {
    for asks in [true, false] {
        let mut play = Play::of_the_post(&Story::default());
        let name = Story::CONSUMER.parse().expect("a function name");
        let uuid = play.mapping(WEST, Story::CONSUMER);
        let types: &[&str] = if asks { &["ReportBatchItemFailures"] } else { &[] };
        let input = json!({"UUID": uuid, "FunctionResponseTypes": types});
        play.lambda(WEST, "UpdateEventSourceMapping", input);
        play.wait(60);
        play.world.set_fault(&region(WEST), &name, Some(FunctionFault::ReportsFailures));
        play.wait(300);
        let by_name = [("FunctionName", Story::CONSUMER)];
        let errors = play.points(WEST, ("AWS/Lambda", "Errors"), &by_name, "Sum", 4);
        assert!(errors.iter().all(|p| p.1 == 0.0), "{errors:?}");
        let ages = play.points(WEST, ("AWS/Lambda", "IteratorAge"), &by_name, "Maximum", 4);
        assert_eq!(ages.last().is_some_and(|p| p.1 > 100_000.0), asks, "{ages:?}");
        play.world.set_fault(&region(WEST), &name, None);
        let ledger = play.finish();
        assert_eq!((ledger.pending, ledger.lost == 0), (0, asks), "{ledger:?}");
    }
}

#[test]
fn limits_of_age_and_retries_discard_and_that_is_a_loss() {
    for limit in [json!({ "MaximumRecordAgeInSeconds": 60 }), json!({ "MaximumRetryAttempts": 1 })] {
        let mut play = Play::of_the_post(&Story::default());
        let name = Story::CONSUMER.parse().expect("a function name");
        let uuid = play.mapping(WEST, Story::CONSUMER);
        let mut input = limit.clone();
        input["UUID"] = json!(uuid);
        play.lambda(WEST, "UpdateEventSourceMapping", input);
        play.wait_settled(WEST, &uuid);
        play.world.set_fault(&region(WEST), &name, Some(FunctionFault::Fails));
        play.wait(300);
        play.world.set_fault(&region(WEST), &name, None);
        let ledger = play.finish();
        assert!(ledger.lost > 0, "{limit}");
        assert!(ledger.lost_records.iter().all(|r| r.why == LostBecause::Discarded), "{limit}");
    }
}

#[test]
fn a_hung_function_reports_nothing_until_its_time_out() {
    let mut play = Play::of_the_post(&Story::default());
    let name = Story::CONSUMER.parse().expect("a function name");
    let input = json!({ "FunctionName": Story::CONSUMER, "Timeout": 900 });
    play.lambda(WEST, "UpdateFunctionConfiguration", input);
    play.wait(10);
    play.world.set_fault(&region(WEST), &name, Some(FunctionFault::Hangs));
    play.wait(500);
    let by_name = [("FunctionName", Story::CONSUMER)];
    assert_eq!(play.points(WEST, ("AWS/Lambda", "Invocations"), &by_name, "Sum", 5), []);
    play.wait(600);
    let errors = play.points(WEST, ("AWS/Lambda", "Errors"), &by_name, "Sum", 30);
    assert!(
        errors.iter().any(|p| p.1 > 0.0 && p.0 < (play.world.now().as_second() - 900) as f64),
        "stamped where it began"
    );
}

/// The primary's consumer mapping, changed.
fn changed(play: &mut Play, change: Value) -> String {
    let uuid = play.mapping(WEST, Story::CONSUMER);
    let mut input = change;
    input["UUID"] = json!(uuid);
    let updated = play.lambda(WEST, "UpdateEventSourceMapping", input);
    assert_eq!(updated["State"], "Updating");
    play.wait_settled(WEST, &uuid);
    uuid
}

fn invocations(play: &mut Play) -> f64 {
    let by_name = [("FunctionName", Story::CONSUMER)];
    let points = play.points(WEST, ("AWS/Lambda", "Invocations"), &by_name, "Sum", 5);
    points.last().map_or(0.0, |p| p.1)
}

#[test]
fn a_batching_window_gathers_records_before_it_invokes() {
    let mut play = Play::of_the_post(&Story { records_per_second: 4.0, ..Story::default() });
    let before = invocations(&mut play);
    changed(&mut play, json!({ "MaximumBatchingWindowInSeconds": 30 }));
    play.wait(180);
    let after = invocations(&mut play);
    assert!(after > 0.0 && after * 5.0 < before, "{before} then {after} invocations a minute");
    let ledger = play.ledger();
    assert!(ledger.pending > 4 && ledger.lost == 0, "what is being gathered is not lost: {}", ledger.pending);
}

#[test]
fn parallelization_lets_a_slow_consumer_keep_up() {
    let slow = std::time::Duration::from_millis(250); // 4 shards take at most 16 of 20 records a second
    let mut play = Play::of_the_post(&Story { consumer_per_record: slow, ..Story::default() });
    let behind = play.ledger().pending;
    assert!(behind > 4_000, "{behind}");
    changed(&mut play, json!({ "ParallelizationFactor": 10 }));
    play.wait(1_200);
    assert!(play.ledger().pending < 1_000, "{}", play.ledger().pending);
}

#[test]
fn a_batch_that_fails_is_halved_without_using_up_a_retry() {
    let mut play = Play::of_the_post(&Story::default());
    let name = Story::CONSUMER.parse().expect("a function name");
    changed(&mut play, json!({ "BisectBatchOnFunctionError": true, "MaximumRetryAttempts": 0 }));
    play.world.set_fault(&region(WEST), &name, Some(FunctionFault::Fails));
    play.wait(120);
    play.world.set_fault(&region(WEST), &name, None);
    let ledger = play.finish();
    let lost = ledger.lost;
    assert!((1..400).contains(&lost), "single records are given up, not whole batches: {lost}");
}

#[test]
fn a_mapping_that_never_polled_promises_only_what_its_position_says() {
    for (position, lost) in [("LATEST", 1), ("TRIM_HORIZON", 0)] {
        let mut play = Play::of_the_post(&Story { records_per_second: 0.0, ..Story::default() });
        let record = json!({ "StreamName": Story::STREAM, "Data": "e30=", "PartitionKey": "k" });
        play.kinesis(EAST, "PutRecord", record);
        play.create_consumer_mapping(EAST, json!({ "StartingPosition": position, "Enabled": false }));
        play.wait(30);
        let ledger = play.ledger();
        assert_eq!((ledger.lost, ledger.pending), (lost, 1 - lost), "{position}");
    }
}
