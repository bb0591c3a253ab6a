//! The post's pipeline by name, and what the cases do to it.

use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::FunctionFault;
use serde_json::{Value, json};

pub const WEST: &str = "us-west-2";
pub const EAST: &str = "us-east-2";
pub const STREAM: &str = "KDS-HA-Stream";
pub const PRODUCER: &str = "KDS-HA-ProducerLambda";
pub const CONSUMER: &str = "KDS-HA-ConsumerLambda";
pub const REPLICATOR: &str = "KDS-HA-ReplicationAgentLambda";

pub fn stream_arn(region_name: &str) -> String {
    format!("arn:aws:kinesis:{region_name}:123456789012:stream/{STREAM}")
}

/// The first mapping of a function.
pub fn mapping(stage: &Stage, region_name: &str, function: &str) -> Value {
    let is_its = |m: &Value| m["FunctionArn"].as_str().is_some_and(|arn| arn.ends_with(function));
    let found = stage.mappings(region_name).into_iter().find(is_its);
    found.unwrap_or_else(|| panic!("no mapping of {function} in {region_name}"))
}

/// Replaces the consumer's mapping in the primary by one with these settings.
pub async fn remap(stage: &Stage, settings: Value) {
    let old = mapping(stage, WEST, CONSUMER);
    stage.call(Service::Lambda, WEST, "DeleteEventSourceMapping", json!({"UUID": old["UUID"]}));
    stage.pass(2 * MINUTE).await;
    let mut input = json!({"FunctionName": CONSUMER, "EventSourceArn": stream_arn(WEST),
        "StartingPosition": "TRIM_HORIZON"});
    for (key, value) in settings.as_object().expect("settings") {
        input[key] = value.clone();
    }
    stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input);
    stage.pass(20 * MINUTE).await;
}

/// What is wrong with the code of a function.
pub fn set_fault(stage: &Stage, region_name: &str, function: &str, fault: Option<FunctionFault>) {
    let name = function.parse().expect("a name");
    stage.sandbox.with_world(|world| assert!(world.set_fault(&region(region_name), &name, fault)));
}

/// All that was said on both streams, in one line.
pub fn said(stage: &Stage) -> String {
    let both = stage.stdout.text() + &stage.stderr.text();
    both.split_whitespace().collect::<Vec<_>>().join(" ")
}
