//! Preflight: every check by name with its evidence, all of them at once, and overrides that lift their own check and
//! nothing else.

use super::post::{CONSUMER, EAST, PRODUCER, REPLICATOR, WEST, mapping, remap, set_fault, stream_arn};
use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::model::Exit;
use kdsha::sandbox::call::Service;
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{Delays, FunctionFault, Span, Story};
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
        "consumer_lag",
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

/// A function that kdsha.toml does not name, and its mapping on a stream or on a fan-out consumer of it.
async fn another_reader(stage: &Stage, at: &str, name: &str, source: &str) {
    let function = json!({"FunctionName": name, "Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": ""},
        "Role": "arn:aws:iam::123456789012:role/KDS-HA-Role"});
    stage.call(Service::Lambda, at, "CreateFunction", function);
    let input = json!({"FunctionName": name, "EventSourceArn": source, "StartingPosition": "TRIM_HORIZON"});
    stage.call(Service::Lambda, at, "CreateEventSourceMapping", input);
    stage.pass(3 * MINUTE).await;
}

async fn fan_out_of(stage: &Stage, at: &str, name: &str) -> String {
    let input = json!({"StreamARN": stream_arn(at), "ConsumerName": name});
    let found = stage.call(Service::Kinesis, at, "RegisterStreamConsumer", input);
    stage.pass(2 * MINUTE).await;
    found["Consumer"]["ConsumerARN"].as_str().expect("an ARN").to_owned()
}

fn told<'a>(checks: &'a [Value], name: &str, at: &str) -> [&'a str; 3] {
    let found = named(checks, name).into_iter().find(|check| check["region"] == at);
    let found = found.unwrap_or_else(|| panic!("no {name} in {at}: {checks:?}"));
    ["verdict", "evidence", "advice"].map(|key| found[key].as_str().unwrap_or_default())
}

/// A replicator the other way may have any name, and read in any manner: nobody can know, so it is said.
#[tokio::test(start_paused = true)]
async fn a_function_that_reads_the_standby_is_told_with_a_loop_in_mind_however_it_reads() {
    for (seed, is_fanned_out) in [(508, false), (509, true)] {
        let stage = Stage::post(seed);
        let source = match is_fanned_out {
            true => fan_out_of(&stage, EAST, "back").await,
            false => stream_arn(EAST),
        };
        another_reader(&stage, EAST, "copies-back", &source).await;
        let checks = checks(&stage, &[], Exit::Done).await;
        let [verdict, evidence, advice] = told(&checks, "other_readers", EAST);
        assert_eq!(verdict, "warn", "fan-out: {is_fanned_out}: {evidence}");
        assert!(evidence.starts_with("copies-back read(s) the stream too"), "{evidence}");
        assert!(advice.contains("records go round in a circle"), "{advice}");
    }
}

/// A fan-out consumer has one subscription a shard: of two mappings, each takes it from the other, for ever.
#[tokio::test(start_paused = true)]
async fn two_functions_on_one_fan_out_consumer_are_refused() {
    let stage = Stage::post(510);
    let consumer = mapping(&stage, WEST, REPLICATOR)["EventSourceArn"].as_str().expect("an ARN").to_owned();
    another_reader(&stage, WEST, "audit", &consumer).await;
    let checks = checks(&stage, &[], Exit::Blocked).await;
    let [verdict, evidence, _] = told(&checks, "other_readers", WEST);
    assert_eq!(verdict, "fail", "{evidence}");
    assert!(evidence.contains("audit reads through KDS-HA-Stream-EFO-Consumer too"), "{evidence}");
    // One of its own is another matter.
    let stage = Stage::post(511);
    let own = fan_out_of(&stage, WEST, "audit").await;
    another_reader(&stage, WEST, "audit", &own).await;
    let checks = self::checks(&stage, &[], Exit::Done).await;
    assert_eq!(told(&checks, "other_readers", WEST)[0], "ok");
}

/// A stream takes its time to be made; nothing is sent to it before it is ACTIVE.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_active_forbids_the_run() {
    let delays = Delays { stream: Span::millis(900_000, 900_000), ..Delays::default() };
    let mut stage = Stage::of(512, &Story { delays, ..Stage::light() });
    let new = json!({"StreamName": "KDS-HA-New", "ShardCount": 2});
    stage.call(Service::Kinesis, EAST, "CreateStream", new);
    stage.topology.pipelines[0].stream.standby = "KDS-HA-New".parse().expect("a name");
    let checks = checks(&stage, &[], Exit::Blocked).await;
    let [verdict, evidence, advice] = told(&checks, "stream", EAST);
    assert_eq!((verdict, advice), ("fail", "wait until the stream is ACTIVE"));
    assert!(evidence.starts_with("KDS-HA-New is CREATING"), "{evidence}");
    assert_eq!(told(&checks, "stream", WEST)[0], "ok");
}

/// Twelve shards with ten batches of each at a time, in an account with a hundred executions left.
#[tokio::test(start_paused = true)]
async fn an_account_with_too_little_concurrency_left_for_the_shards_is_warned_of() {
    let stage = Stage::of(513, &Story { shards: 12, ..Stage::light() });
    remap(&stage, json!({"ParallelizationFactor": 10})).await;
    let before = checks(&stage, &[], Exit::Done).await;
    assert_eq!(
        told(&before, "concurrency", EAST)[..2],
        ["ok", "1000 unreserved, 120 wanted (shards x parallelization factor)"]
    );
    let greedy = json!({"FunctionName": REPLICATOR, "Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": ""},
        "Role": "arn:aws:iam::123456789012:role/KDS-HA-Role"});
    stage.call(Service::Lambda, EAST, "CreateFunction", greedy);
    let reserve = json!({"FunctionName": REPLICATOR, "ReservedConcurrentExecutions": 900});
    stage.call(Service::Lambda, EAST, "PutFunctionConcurrency", reserve);
    let after = checks(&stage, &[], Exit::Done).await;
    let [verdict, evidence, advice] = told(&after, "concurrency", EAST);
    assert_eq!((verdict, advice), ("warn", "raise the account's Lambda quota"));
    assert!(evidence.starts_with("100 unreserved, 120 wanted"), "{evidence}");
}

/// A warm standby's mapping is nobody's clone: it may have been set otherwise years ago.
#[tokio::test(start_paused = true)]
async fn a_warm_standby_whose_mapping_is_set_otherwise_is_warned_of() {
    let stage = Stage::of(514, &Story { warm: true, ..Stage::light() });
    let alike = checks(&stage, &[], Exit::Done).await;
    assert_eq!(told(&alike, "mapping_settings", EAST)[0], "ok");
    // Destinations belong to a Region, and differ as they should.
    for (at, size) in [(WEST, 100), (EAST, 7)] {
        let destination = format!("arn:aws:sqs:{at}:123456789012:dead-letters");
        let input = json!({"UUID": mapping(&stage, at, CONSUMER)["UUID"], "BatchSize": size,
            "DestinationConfig": {"OnFailure": {"Destination": destination}}});
        stage.call(Service::Lambda, at, "UpdateEventSourceMapping", input);
    }
    stage.pass(3 * MINUTE).await;
    let checks = checks(&stage, &[], Exit::Done).await;
    let [verdict, evidence, _] = told(&checks, "mapping_settings", EAST);
    assert_eq!(verdict, "warn");
    assert!(evidence.contains("BatchSize") && !evidence.contains("dead-letters"), "{evidence}");
}

/// The next deploy of a stack writes the template's environment back, and with it the old Region.
#[tokio::test(start_paused = true)]
async fn a_producer_of_a_stack_is_warned_of() {
    let stage = Stage::post(515);
    let before = checks(&stage, &[], Exit::Done).await;
    assert_eq!(told(&before, "other_automation", WEST)[0], "ok");
    let arn = format!("arn:aws:lambda:{WEST}:123456789012:function:{PRODUCER}");
    let tags = json!({"Resource": arn, "Tags": {"aws:cloudformation:stack-name": "prices"}});
    stage.call(Service::Lambda, WEST, "TagResource", tags);
    let checks = checks(&stage, &[], Exit::Done).await;
    let [verdict, evidence, advice] = told(&checks, "other_automation", WEST);
    assert_eq!((verdict, evidence), ("warn", format!("{PRODUCER} belongs to stack prices").as_str()));
    assert!(advice.contains("the next one reverts the switch"), "{advice}");
}

/// A replicator that reads, and is further behind than the objective allows.
#[tokio::test(start_paused = true)]
async fn a_replicator_that_is_further_behind_than_the_rpo_is_warned_of() {
    let mut stage = Stage::post(516);
    let before = checks(&stage, &[], Exit::Done).await;
    assert_eq!(told(&before, "replicator_lag", WEST)[0], "ok");
    set_fault(&stage, WEST, REPLICATOR, Some(FunctionFault::Fails));
    stage.pass(12 * MINUTE).await;
    let after = checks(&stage, &[], Exit::Done).await;
    let [verdict, evidence, advice] = told(&after, "replicator_lag", WEST);
    assert_eq!(verdict, "warn", "{evidence}");
    assert!(evidence.ends_with(" behind, RPO 5m"), "{evidence}");
    assert!(advice.starts_with("the drain will take as long"), "{advice}");
    // The objective is the configuration's.
    stage.topology.objectives.rpo = 60 * MINUTE;
    let relaxed = checks(&stage, &[], Exit::Done).await;
    assert_eq!(told(&relaxed, "replicator_lag", WEST)[0], "ok");
}
