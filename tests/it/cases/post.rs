//! The post's pipeline by name, and what the cases do to it.

use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::cli::failure::Failure;
use kdsha::model::{Exit, StartAt, Timestamp};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{FunctionFault, Outage};
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

/// What is wrong with the code of these functions of the primary.
pub fn set_faults(stage: &Stage, functions: &[&str], fault: Option<FunctionFault>) {
    for name in functions {
        set_fault(stage, WEST, name, fault);
    }
}

/// Lambda in the primary Region answers nothing any more; CloudWatch does.
pub fn silence_lambda(stage: &Stage) {
    stage.sandbox.inject(Rule {
        region: Some(region(WEST)),
        service: Some(Service::Lambda),
        fault: Some(Fault::Error { status: 500, code: "ServiceException".to_owned() }),
        ..Rule::default()
    });
}

/// CloudWatch in the primary Region answers nothing any more.
pub fn silence_cloudwatch(stage: &Stage) {
    stage.sandbox.inject(Rule {
        region: Some(region(WEST)),
        operation: Some("GetMetricData".to_owned()),
        fault: Some(Fault::Error { status: 500, code: "InternalServiceFault".to_owned() }),
        ..Rule::default()
    });
}

/// Struck, left in an emergency, healed again, with these functions of the primary failing all the time.
pub async fn left_in_an_emergency(seed: u64, failing: &[&str]) -> Stage {
    let stage = Stage::post(seed);
    if !failing.is_empty() {
        set_faults(&stage, failing, Some(FunctionFault::Fails));
        stage.pass(5 * MINUTE).await;
    }
    let start = Timestamp::from_second(stage.sandbox.now().as_second() - 900).expect("an instant");
    stage.sandbox.with_world(|world| world.strike(&region(WEST), Outage::Silent));
    stage.pass(MINUTE).await;
    stage.expect(stage.failover(&stage.blind(Some(StartAt::Timestamp(start)))).await, Exit::Owed);
    stage.sandbox.with_world(|world| world.heal(&region(WEST)));
    stage
}

/// A run that is cut off as soon as something is so: nothing of it happens after that instant.
pub async fn cut_off(run: impl Future<Output = Result<Exit, Failure>>, is_so: impl Fn() -> bool) {
    let seen = async {
        while !is_so() {
            tokio::time::sleep(MINUTE / 600).await;
        }
    };
    tokio::select! {
        exit = run => panic!("it was not cut off: {exit:?}"),
        () = seen => {}
    }
}

/// All that was said on both streams, in one line.
pub fn said(stage: &Stage) -> String {
    let both = stage.stdout.text() + &stage.stderr.text();
    both.split_whitespace().collect::<Vec<_>>().join(" ")
}
