//! A function that reads two streams: its metrics are of both, so they say nothing of one of them.

use super::post::{CONSUMER, WEST, mapping, said};
use crate::simulation::stage::{MINUTE, Stage};
use kdsha::cli::args::FailoverArgs;
use kdsha::model::Exit;
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::Story;
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
