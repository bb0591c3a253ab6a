//! Preflight: every check by name with its evidence, all of them at once, and overrides that lift their own check and
//! nothing else.

use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::model::Exit;
use kdsha::sandbox::call::Service;
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::Story;
use kdsha::ui::Format;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The checks of a dry run.
async fn checks(stage: &Stage, accept: &[&str], wanted: Exit) -> Vec<Value> {
    let mut args = stage.over();
    args.dry_run = true;
    args.accept.checks = accept.iter().map(|check| (*check).to_owned()).collect();
    args.accept.reason = (!accept.is_empty()).then(|| "looked at it".to_owned());
    let session = stage.session().await;
    let exit = kdsha::cli::failover::run(&session, &stage.ui(Format::Json), &args).await;
    stage.expect(exit, wanted);
    let text = stage.stdout.text();
    let plan: Value = serde_json::from_str(text.lines().last().expect("a document")).expect("JSON");
    plan["checks"].as_array().expect("checks").clone()
}

fn named<'a>(checks: &'a [Value], name: &str) -> Vec<&'a Value> {
    checks.iter().filter(|check| check["check"] == name).collect()
}

#[tokio::test(start_paused = true)]
async fn every_check_has_a_name_a_verdict_and_evidence() {
    let stage = Stage::post(501);
    let checks = checks(&stage, &[], Exit::Done).await;
    let names: BTreeSet<&str> = checks.iter().filter_map(|check| check["check"].as_str()).collect();
    let expected = [
        "active_region",
        "clock",
        "concurrency",
        "credentials",
        "discards",
        "function_settings",
        "health",
        "identity",
        "mapping",
        "other_automation",
        "other_readers",
        "owed",
        "producer",
        "producer_alias",
        "producer_environment",
        "producer_stream",
        "reader_function",
        "region_answers",
        "replicator_lag",
        "run_mark",
        "shared_function",
        "start_position",
        "stream",
        "stream_consumer",
        "streams_match",
    ];
    assert_eq!(names, expected.into_iter().collect());
    for check in &checks {
        assert!(check["evidence"].as_str().is_some_and(|text| !text.is_empty()), "{check}");
        assert!(["ok", "warn", "unknown", "fail"].iter().any(|v| check["verdict"] == *v), "{check}");
        assert_eq!(
            check["verdict"] == "ok",
            check["advice"].is_null(),
            "advice wherever it is not ok: {check}"
        );
    }
}

/// Several things stand in the way: all are listed in one look, not the first alone.
#[tokio::test(start_paused = true)]
async fn everything_that_stands_in_the_way_is_listed_at_once() {
    let stage = Stage::post(502);
    let bar = json!({"FunctionName": "KDS-HA-ConsumerLambda", "ReservedConcurrentExecutions": 0});
    stage.call(Service::Lambda, "us-east-2", "PutFunctionConcurrency", bar);
    let name = "KDS-HA-ProducerLambda".parse().expect("a name");
    stage.sandbox.with_world(|world| assert!(world.set_unreadable(&region("us-west-2"), &name, true)));
    stage.sandbox.inject(Rule {
        region: Some(region("us-east-2")),
        operation: Some("DescribeStreamSummary".to_owned()),
        fault: Some(Fault::Error { status: 500, code: "InternalFailure".to_owned() }),
        ..Rule::default()
    });
    let checks = checks(&stage, &[], Exit::Blocked).await;
    assert_eq!(named(&checks, "reader_function").iter().filter(|c| c["verdict"] == "fail").count(), 1);
    assert_eq!(named(&checks, "producer_environment")[0]["verdict"], "fail");
    assert!(named(&checks, "stream").iter().any(|check| check["verdict"] == "unknown"));
}

/// An override is narrow: what it does not name still forbids the plan.
#[tokio::test(start_paused = true)]
async fn an_override_lifts_one_check_and_the_others_still_forbid() {
    let stage = Stage::post(503);
    let bar = json!({"FunctionName": "KDS-HA-ConsumerLambda", "ReservedConcurrentExecutions": 0});
    stage.call(Service::Lambda, "us-east-2", "PutFunctionConcurrency", bar);
    let found = checks(&stage, &["reader_function"], Exit::Done).await;
    let lifted: Vec<&Value> = found.iter().filter(|check| !check["accepted"].is_null()).collect();
    assert_eq!(lifted.len(), 1);
    assert_eq!(
        (&lifted[0]["check"], &lifted[0]["accepted"]),
        (&json!("reader_function"), &json!("looked at it"))
    );
    let name = "KDS-HA-ProducerLambda".parse().expect("a name");
    stage.sandbox.with_world(|world| assert!(world.set_unreadable(&region("us-west-2"), &name, true)));
    checks(&stage, &["reader_function"], Exit::Blocked).await;
}

/// A function with a reservation has that, whatever the account has left.
#[tokio::test(start_paused = true)]
async fn a_reservation_that_is_too_small_for_the_shards_is_warned_of() {
    let stage = Stage::of(506, &Story { shards: 3, ..Stage::light() });
    let two = json!({"FunctionName": "KDS-HA-ConsumerLambda", "ReservedConcurrentExecutions": 2});
    stage.call(Service::Lambda, "us-east-2", "PutFunctionConcurrency", two);
    let checks = checks(&stage, &[], Exit::Done).await;
    let found = named(&checks, "concurrency")[0];
    let evidence = found["evidence"].as_str().expect("evidence");
    assert_eq!(
        (found["verdict"].as_str(), evidence.starts_with("2 reserved for it, 3 wanted")),
        (Some("warn"), true),
        "{evidence}"
    );
}

/// Producers that write somewhere else altogether: neither way is begun from there.
#[tokio::test(start_paused = true)]
async fn producers_that_write_to_a_third_region_forbid_an_emergency_too() {
    let stage = Stage::post(507);
    let mut variables = stage.environment();
    variables.insert("PRODUCING_TO_REGION".to_owned(), "eu-west-1".to_owned());
    let input = json!({"FunctionName": "KDS-HA-ProducerLambda", "Environment": {"Variables": variables}});
    stage.call(Service::Lambda, "us-west-2", "UpdateFunctionConfiguration", input);
    stage.pass(MINUTE).await;
    let mut args = stage.over();
    args.emergency = true;
    let refused = stage.failover(&args).await.expect_err("neither Region of this configuration");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(refused.message.contains("active_region"), "{}", refused.message);
    assert!(stage.mutations().is_empty());
}

/// Throttled callers are a matter of size, not a failing Region.
#[tokio::test(start_paused = true)]
async fn throttling_is_shown_apart_and_is_not_degraded() {
    let stage = Stage::of(
        504,
        &Story { shards: 1, records_per_second: 1500.0, history: 6 * MINUTE, ..Story::default() },
    );
    let checks = checks(&stage, &[], Exit::Done).await;
    let home = named(&checks, "health").into_iter().find(|c| c["region"] == "us-west-2").expect("health");
    let evidence = home["evidence"].as_str().expect("evidence");
    assert!(evidence.starts_with("error rate 0%, throttled ") && !evidence.ends_with(" 0%"), "{evidence}");
    assert_eq!(home["verdict"], "ok");
}

/// No traffic is unknown, never healthy.
#[tokio::test(start_paused = true)]
async fn no_traffic_is_unknown_and_not_healthy() {
    let stage = Stage::post(505);
    stage.sandbox.with_world(kdsha::sandbox::world::World::stop_traffic);
    let mappings = stage.mappings("us-west-2");
    for mapping in mappings {
        let off = json!({"UUID": mapping["UUID"], "Enabled": false});
        stage.call(Service::Lambda, "us-west-2", "UpdateEventSourceMapping", off);
    }
    stage.pass(30 * MINUTE).await;
    let checks = checks(&stage, &[], Exit::Blocked).await;
    for check in named(&checks, "health") {
        let evidence = check["evidence"].as_str().expect("evidence");
        assert!(evidence.starts_with("unknown: no calls"), "{evidence}");
        assert_eq!(check["verdict"], "warn");
    }
}
