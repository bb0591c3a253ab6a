//! Drains of consumers that do not show that they read: those whose filters leave out what came last, since such records
//! invoke nothing, and one whose mapping is on and reads nothing.

use super::post::{CONSUMER, EAST, STREAM, WEST, mapping, remap, said, set_fault, stream_arn};
use crate::simulation::stage::{MINUTE, Stage};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kdsha::model::Exit;
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::FunctionFault;
use serde_json::{Value, json};
use std::time::Duration;

/// Prices, and nothing else that is put into the stream.
const PRICES: &str = r#"{"data":{"price":[{"numeric":[">",0]}]}}"#;

fn prices() -> Value {
    json!({"FilterCriteria": {"Filters": [{"Pattern": PRICES}]}})
}

fn prices_and_counts() -> Value {
    json!({"FilterCriteria": {"Filters": [{"Pattern": PRICES}]}, "MetricsConfig": {"Metrics": ["EventCount"]}})
}

fn put(stage: &Stage, region_name: &str, data: &str) {
    let record = json!({"StreamName": STREAM, "PartitionKey": "k", "Data": BASE64_STANDARD.encode(data)});
    stage.call(Service::Kinesis, region_name, "PutRecord", record);
}

fn update(stage: &Stage, settings: Value) {
    stage.call(Service::Lambda, WEST, "UpdateEventSourceMapping", settings);
}

/// Waits until the producers write elsewhere, and so much longer that the last of their records has been handed over.
async fn after_the_switch_from(stage: &Stage, region_name: &str) {
    while stage.environment()["PRODUCING_TO_REGION"] == region_name {
        tokio::time::sleep(MINUTE / 30).await;
    }
    tokio::time::sleep(2 * MINUTE).await;
}

/// A failover whose waits are short, so that one that cannot end is seen to end. The last record of the primary's stream is
/// none that the filters take.
async fn over(stage: &Stage, timeout: Duration) -> Exit {
    let mut args = stage.over();
    args.timeout = Some(timeout);
    let a_heartbeat_comes_last = async {
        after_the_switch_from(stage, WEST).await;
        put(stage, WEST, r#"{"heartbeat":1}"#);
    };
    let (exit, ()) = tokio::join!(stage.failover(&args), a_heartbeat_comes_last);
    exit.unwrap_or_else(|f| panic!("{} {:?}", f.message, f.hints))
}

async fn must_have_filtered_and_lost_nothing(stage: &Stage) {
    stage.must_have_lost_nothing().await;
    let filtered = stage.sandbox.with_world(|world| world.ledger().filtered);
    assert!(filtered > 0, "nothing was filtered");
}

/// A record that the filters leave out invokes nothing, so nothing shows that the consumer has read it. The run waits in
/// vain and says the command that makes it show; once it was given, the same failover ends.
#[tokio::test(start_paused = true)]
async fn a_consumer_whose_filters_leave_out_the_newest_record_is_drained_only_once_its_polls_are_counted() {
    let stage = Stage::post(421);
    remap(&stage, prices()).await;
    assert_eq!(over(&stage, 12 * MINUTE).await, Exit::TimedOut, "{}", stage.stderr.text());
    let consumer = mapping(&stage, WEST, CONSUMER);
    let uuid = consumer["UUID"].as_str().expect("a UUID");
    let command = format!(
        "records that its filters leave out invoke nothing, and `aws lambda update-event-source-mapping --region {WEST} \
         --uuid {uuid} --metrics-config Metrics=EventCount` makes it show"
    );
    let said = said(&stage);
    assert!(
        said.contains("no invocation since the newest record arrived") && said.contains(&command),
        "{said}"
    );
    assert_eq!(consumer["State"], "Enabled", "stopped without proof");
    update(&stage, json!({"UUID": uuid, "MetricsConfig": {"Metrics": ["EventCount"]}}));
    // A fresh one: what arrived long ago would not be asked about any more.
    put(&stage, WEST, r#"{"heartbeat":2}"#);
    stage.must_fail_over().await;
    assert_eq!(mapping(&stage, WEST, CONSUMER)["State"], "Disabled");
    stage.must_fail_back().await;
    must_have_filtered_and_lost_nothing(&stage).await;
}

/// A consumer that counts what it polls shows that it has read what its filters leave out: it moves with its filters, and
/// comes back with them.
#[tokio::test(start_paused = true)]
async fn a_filtered_consumer_that_counts_its_polls_moves_and_comes_back_with_its_filters() {
    let stage = Stage::post(422);
    remap(&stage, prices_and_counts()).await;
    let home = mapping(&stage, WEST, CONSUMER);
    assert_eq!(over(&stage, 30 * MINUTE).await, Exit::Done, "{}", stage.stderr.text());
    assert_eq!(mapping(&stage, EAST, CONSUMER)["FilterCriteria"], prices()["FilterCriteria"]);
    stage.pass(10 * MINUTE).await;
    let args = stage.back();
    let a_heartbeat_comes_last = async {
        after_the_switch_from(&stage, EAST).await;
        put(&stage, EAST, r#"{"heartbeat":2}"#);
    };
    let (exit, ()) = tokio::join!(stage.failback(&args), a_heartbeat_comes_last);
    stage.expect(exit, Exit::Done);
    let back = mapping(&stage, WEST, CONSUMER);
    assert_eq!((&back["UUID"], &back["FilterCriteria"]), (&home["UUID"], &home["FilterCriteria"]));
    must_have_filtered_and_lost_nothing(&stage).await;
}

/// That a filtered consumer polls is no proof that its function has done with what it was handed.
#[tokio::test(start_paused = true)]
async fn a_filtered_consumer_whose_function_hangs_is_not_drained() {
    let stage = Stage::post(423);
    remap(&stage, prices_and_counts()).await;
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Hangs));
    assert_eq!(over(&stage, 20 * MINUTE).await, Exit::TimedOut, "{}", stage.stderr.text());
    assert_eq!(mapping(&stage, WEST, CONSUMER)["State"], "Enabled", "stopped without proof");
    set_fault(&stage, WEST, CONSUMER, None);
    stage.must_fail_over().await;
    assert_eq!(stage.sandbox.with_world(|world| world.stranded()), 0);
    stage.must_fail_back().await;
    must_have_filtered_and_lost_nothing(&stage).await;
}

/// Somebody has stopped the consumer's mapping and enabled it again, and it reads nothing yet. Another reader keeps the
/// stream's iterator age at zero, and the function, which is not invoked, neither fails nor lags.
#[tokio::test(start_paused = true)]
async fn a_mapping_that_is_on_and_reads_nothing_is_not_drained_by_another_readers_polls() {
    on_and_reads_nothing(424, json!({})).await;
}

/// Its own polls from before the newest record prove nothing of it.
#[tokio::test(start_paused = true)]
async fn a_mapping_that_is_on_and_reads_nothing_is_not_drained_by_its_former_polls() {
    on_and_reads_nothing(425, json!({"MetricsConfig": {"Metrics": ["EventCount"]}})).await;
}

async fn on_and_reads_nothing(seed: u64, settings: Value) {
    let stage = Stage::post(seed);
    remap(&stage, settings).await;
    let other = json!({"FunctionName": "KDS-HA-FailoverLambda", "StartingPosition": "TRIM_HORIZON",
        "EventSourceArn": stream_arn(WEST)});
    stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", other);
    stage.pass(5 * MINUTE).await;
    let uuid = mapping(&stage, WEST, CONSUMER)["UUID"].clone();
    let becomes = async |state: &str| {
        while mapping(&stage, WEST, CONSUMER)["State"] != state {
            tokio::time::sleep(MINUTE / 60).await;
        }
    };
    let colleague = async {
        after_the_switch_from(&stage, WEST).await;
        stage.sandbox.with_world(|world| world.delay_polling(80 * MINUTE));
        update(&stage, json!({"UUID": uuid, "Enabled": false}));
        becomes("Disabled").await;
        // Its pollers stop some time after it says so, and one that is enabled before that goes on.
        tokio::time::sleep(MINUTE).await;
        update(&stage, json!({"UUID": uuid, "Enabled": true}));
        becomes("Enabled").await;
        stage.sandbox.with_world(|world| world.delay_polling(MINUTE / 2));
        put(&stage, WEST, r#"{"ticker":"LAST","price":1}"#);
    };
    let mut args = stage.over();
    args.timeout = Some(20 * MINUTE);
    let (exit, ()) = tokio::join!(stage.failover(&args), colleague);
    stage.expect(exit, Exit::TimedOut);
    let said = said(&stage);
    assert!(said.contains("no invocation since the newest record arrived"), "{said}");
    assert_eq!(mapping(&stage, WEST, CONSUMER)["State"], "Enabled", "stopped without proof");
    // That nothing arrives any more is no proof that what did arrive was read.
    stage.pass(30 * MINUTE).await;
    let again = stage.failover(&args).await;
    stage.expect(again, Exit::TimedOut);
    stage.pass(30 * MINUTE).await;
    stage.must_fail_over().await;
    assert_eq!(stage.sandbox.with_world(|world| world.stranded()), 0);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}
