//! A function that reads two streams: its metrics are of both, so they say nothing of one of them.

use super::post::{CONSUMER, WEST, mapping, said, silence_lambda};
use crate::simulation::stage::{MINUTE, Stage};
use kdsha::cli::args::FailoverArgs;
use kdsha::model::{Exit, StartAt, Timestamp};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::Story;
use kdsha::ui::Format;
use serde_json::json;

/// The post's consumer, which also reads a stream of which `kdsha.toml` knows nothing.
async fn two_streams(seed: u64) -> Stage {
    let stage = Stage::of(seed, &Story { count_events: false, ..Stage::light() });
    stage.call(Service::Kinesis, WEST, "CreateStream", json!({"StreamName": "Orders", "ShardCount": 1}));
    stage.pass(2 * MINUTE).await;
    let input = json!({"FunctionName": CONSUMER, "StartingPosition": "TRIM_HORIZON",
        "EventSourceArn": format!("arn:aws:kinesis:{WEST}:123456789012:stream/Orders")});
    stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input);
    stage.pass(5 * MINUTE).await;
    stage
}

#[tokio::test(start_paused = true)]
async fn a_function_that_reads_two_streams_is_moved_once_its_mapping_counts_its_own_events() {
    let stage = two_streams(601).await;
    let refused = stage.failover(&stage.over()).await.expect_err("no drain could be proven");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(refused.message.contains("shared_function"), "{}", refused.message);
    let said = said(&stage);
    assert!(
        said.contains("reads Orders too") && said.contains("--metrics-config Metrics=EventCount"),
        "{said}"
    );
    let uuid = mapping(&stage, WEST, CONSUMER)["UUID"].clone();
    let counts = json!({"UUID": uuid, "MetricsConfig": {"Metrics": ["EventCount"]}});
    stage.call(Service::Lambda, WEST, "UpdateEventSourceMapping", counts);
    stage.pass(5 * MINUTE).await;
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_emergency_takes_no_position_from_metrics_of_two_streams() {
    let stage = two_streams(602).await;
    let emergency = FailoverArgs { emergency: true, ..stage.over() };
    let refused = stage.failover(&emergency).await.expect_err("nothing tells how far it has come");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(refused.message.contains("start_position"), "{}", refused.message);
    assert!(said(&stage).contains("reads Orders too"), "{}", said(&stage));
}

/// The second mapping was disabled a moment ago: the data points are still of both streams.
#[tokio::test(start_paused = true)]
async fn metrics_are_of_two_streams_for_as_long_as_they_were() {
    let stage = two_streams(606).await;
    let order = json!({"StreamName": "Orders", "PartitionKey": "1", "Data": "b3JkZXI="});
    stage.call(Service::Kinesis, WEST, "PutRecord", order);
    stage.pass(2 * MINUTE).await;
    let orders =
        |m: &&serde_json::Value| m["EventSourceArn"].as_str().is_some_and(|arn| arn.ends_with("Orders"));
    let uuid = stage.mappings(WEST).iter().find(orders).expect("the second mapping")["UUID"].clone();
    stage.call(Service::Lambda, WEST, "UpdateEventSourceMapping", json!({"UUID": uuid, "Enabled": false}));
    stage.pass(3 * MINUTE).await;
    let emergency = FailoverArgs { emergency: true, ..stage.over() };
    let refused = stage.failover(&emergency).await.expect_err("its points are of both");
    assert!(refused.message.contains("start_position"), "{}", refused.message);
    stage.pass(200 * MINUTE).await;
    stage.expect(stage.failover(&emergency).await, Exit::Done);
}

/// What a look saw while Lambda answered counts in the night in which it does not.
#[tokio::test(start_paused = true)]
async fn an_emergency_remembers_that_the_function_reads_two_streams() {
    let stage = two_streams(603).await;
    let looked = stage.status(Format::Human).await.expect("a look");
    assert_ne!(looked, Exit::Usage);
    silence_lambda(&stage);
    let refused = stage.failover(&stage.blind(None)).await.expect_err("nothing tells how far it has come");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(said(&stage).contains("reads Orders too"), "{}", said(&stage));
    assert!(stage.mutations().is_empty());
}

/// A look saw that the function reads one stream: the position is derived, and the plan says on whose word.
#[tokio::test(start_paused = true)]
async fn an_emergency_goes_by_the_memory_of_one_stream_and_says_so() {
    let stage = Stage::post(605);
    stage.pass(10 * MINUTE).await;
    stage.expect(stage.status(Format::Human).await, Exit::Done);
    silence_lambda(&stage);
    stage.expect(stage.failover(&FailoverArgs { emergency: true, ..stage.over() }).await, Exit::Owed);
    assert!(said(&stage).contains("a look from this machine saw none at"), "{}", said(&stage));
    stage.sandbox.mend();
    stage.expect(stage.resume().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Nobody looked before, and Lambda does not answer: metrics that may be of two streams give no position, whatever is
/// accepted. Who knows better has the instant that they would give, and says so.
#[tokio::test(start_paused = true)]
async fn an_emergency_that_cannot_tell_how_many_streams_a_function_reads_asks() {
    let stage = Stage::post(604);
    stage.pass(10 * MINUTE).await;
    silence_lambda(&stage);
    let refused = stage.failover(&stage.blind(None)).await.expect_err("it may read two");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(refused.message.contains("start_position"), "{}", refused.message);
    assert!(stage.mutations().is_empty());
    let way_out = refused.hints.join(" ");
    assert!(way_out.contains("if you know that it reads this stream alone"), "{way_out}");
    let start = way_out.split("--start-at ").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok());
    let start: Timestamp = start.unwrap_or_else(|| panic!("{way_out}"));
    let later = StartAt::Timestamp(start + 5 * MINUTE);
    let refused = stage.failover(&stage.blind(Some(later))).await.expect_err("what it supposes is the least");
    assert!(refused.message.contains("start_at"), "{}", refused.message);
    stage.expect(stage.failover(&stage.blind(Some(StartAt::Timestamp(start)))).await, Exit::Owed);
    assert!(said(&stage).contains("is not known"), "{}", said(&stage));
    stage.sandbox.mend();
    stage.expect(stage.resume().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}
