//! What stands still is not sound: a reader that reads nothing, a standby whose consumer does not work, a way back to
//! less room than there is now. And what an override and the account's guard say when the evidence is thin.

use super::post::{CONSUMER, EAST, REPLICATOR, STREAM, WEST, mapping, remap, set_fault, silence_cloudwatch};
use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::model::Exit;
use kdsha::sandbox::call::Service;
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{Delays, FunctionFault, MetricTrouble, Outage, Span, Story, World};
use kdsha::ui::Format;
use serde_json::{Value, json};

const FAN_OUT: &str = "KDS-HA-Stream-EFO-Consumer";

/// The last document on stdout.
fn document(stage: &Stage) -> Value {
    let text = stage.stdout.text();
    serde_json::from_str(text.lines().last().expect("a document")).expect("JSON")
}

/// The checks of `verify`.
async fn verified(stage: &Stage, wanted: Exit) -> Vec<Value> {
    let exit = kdsha::cli::look::verify(&stage.session().await, &stage.ui(Format::Json)).await;
    stage.expect(exit, wanted);
    document(stage)["checks"].as_array().expect("checks").clone()
}

/// The checks of a dry run of a failover.
async fn before(stage: &Stage, args: kdsha::cli::args::FailoverArgs, wanted: Exit) -> Vec<Value> {
    let args = kdsha::cli::args::FailoverArgs { dry_run: true, ..args };
    let exit = kdsha::cli::failover::run(&stage.session().await, &stage.ui(Format::Json), &args).await;
    stage.expect(exit, wanted);
    document(stage)["checks"].as_array().expect("checks").clone()
}

/// Verdict, evidence and advice of a check in a Region.
fn found<'a>(checks: &'a [Value], check: &str, at: &str) -> (&'a str, &'a str, &'a str) {
    let is_it = |c: &&Value| c["check"] == check && c["region"] == at;
    let report = checks.iter().find(is_it).unwrap_or_else(|| panic!("no {check} in {at}: {checks:?}"));
    let text = |key: &str| report[key].as_str().unwrap_or_default();
    (text("verdict"), text("evidence"), text("advice"))
}

/// A check in a Region comes to this verdict, and says this as its evidence; answers with its advice.
fn must_say<'a>(checks: &'a [Value], check: &str, at: &str, verdict: &str, told: &str) -> &'a str {
    let (came_to, evidence, advice) = found(checks, check, at);
    assert_eq!(came_to, verdict, "{evidence}");
    assert!(evidence.contains(told), "`{told}` is not in: {evidence}");
    advice
}

/// A world in which a mapping that is made today polls 50 minutes later.
fn slow_to_poll(seed: u64) -> Stage {
    let slow = Delays { polling_starts: Span::millis(3_000_000, 3_000_000), ..Delays::default() };
    Stage::of(seed, &Story { delays: slow, history: 100 * MINUTE, ..Stage::light() })
}

fn set_timeout(stage: &Stage, at: &str, seconds: u32) {
    let input = json!({"FunctionName": CONSUMER, "Timeout": seconds});
    stage.call(Service::Lambda, at, "UpdateFunctionConfiguration", input);
}

/// The mapping says Enabled and nobody polls: up to three hours of data points still say "0s behind".
#[tokio::test(start_paused = true)]
async fn a_consumer_that_reads_nothing_for_twenty_minutes_is_a_deviation() {
    let stage = slow_to_poll(701);
    remap(&stage, json!({})).await;
    assert_eq!(mapping(&stage, WEST, CONSUMER)["State"], "Enabled");
    let checks = verified(&stage, Exit::Deviation).await;
    let (verdict, evidence, advice) = found(&checks, "consumer_lag", WEST);
    assert_eq!(verdict, "fail", "{evidence}");
    assert!(
        evidence.contains("old and proves nothing") && evidence.contains("have arrived since"),
        "{evidence}"
    );
    assert!(advice.contains("LastProcessingResult"), "{advice}");
}

/// No data point of a replicator is no misspelt name.
#[tokio::test(start_paused = true)]
async fn a_replicator_that_has_never_read_is_told_as_such() {
    let stage = slow_to_poll(702);
    let old = mapping(&stage, WEST, REPLICATOR);
    stage.call(Service::Lambda, WEST, "DeleteEventSourceMapping", json!({"UUID": old["UUID"]}));
    // Longer than a look reaches back.
    stage.pass(200 * MINUTE).await;
    let input = json!({"FunctionName": REPLICATOR, "EventSourceArn": old["EventSourceArn"],
        "StartingPosition": "TRIM_HORIZON"});
    stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input);
    stage.pass(20 * MINUTE).await;
    let checks = before(&stage, stage.over(), Exit::Blocked).await;
    let (verdict, evidence, advice) = found(&checks, "replicator_lag", WEST);
    assert_eq!(verdict, "fail");
    assert!(evidence.contains("has no data point"), "{evidence}");
    assert!(advice.contains("LastProcessingResult") && !advice.contains("kdsha.toml"), "{advice}");
}

/// Neither a new pipeline nor one without traffic is a deviation: readers poll, or have only just begun to.
#[tokio::test(start_paused = true)]
async fn a_pipeline_without_traffic_and_a_new_one_are_sound() {
    let stage = Stage::post(703);
    stage.sandbox.with_world(World::stop_traffic);
    stage.pass(30 * MINUTE).await;
    verified(&stage, Exit::Done).await;
    let new = Stage::of(704, &Story { history: 2 * MINUTE, ..Stage::light() });
    verified(&new, Exit::Done).await;
}

/// Every invocation of the consumer fails: its polls go on, and nothing is processed.
#[tokio::test(start_paused = true)]
async fn a_consumer_whose_every_invocation_fails_is_a_deviation() {
    let stage = Stage::post(705);
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Fails));
    stage.pass(12 * MINUTE).await;
    let checks = verified(&stage, Exit::Deviation).await;
    must_say(&checks, "consumer_lag", WEST, "fail", "ended in errors");
}

/// A warm standby's consumer is what a failover goes to: one that does not work is said before anything is moved. An
/// emergency goes all the same, since the records keep.
#[tokio::test(start_paused = true)]
async fn a_warm_standby_whose_consumer_fails_is_no_place_for_a_planned_failover() {
    let stage = Stage::of(706, &Story { warm: true, ..Stage::light() });
    before(&stage, stage.over(), Exit::Done).await;
    set_fault(&stage, EAST, CONSUMER, Some(FunctionFault::Fails));
    stage.pass(12 * MINUTE).await;
    let refused = stage.failover(&stage.over()).await.expect_err("its consumer fails");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(refused.message.contains("consumer_lag"), "{}", refused.message);
    assert!(stage.mutations().is_empty());
    let emergency = kdsha::cli::args::FailoverArgs { emergency: true, ..stage.over() };
    let checks = before(&stage, emergency, Exit::Done).await;
    assert_eq!(found(&checks, "consumer_lag", EAST).0, "warn");
}

/// A planned failover drains the primary's consumer behind the switch: one that processes nothing is said before anything
/// is moved, with both ways out. Whoever is about to mend it says so by name.
#[tokio::test(start_paused = true)]
async fn a_primary_consumer_whose_every_invocation_fails_is_said_before_the_producers_are_switched() {
    for warm in [false, true] {
        let stage = Stage::of(713, &Story { warm, ..Stage::light() });
        set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Fails));
        stage.pass(12 * MINUTE).await;
        let refused = stage.failover(&stage.over()).await.expect_err("no drain would end");
        assert_eq!(refused.exit, Exit::Blocked);
        assert!(refused.message.contains("consumer_lag"), "{}", refused.message);
        assert!(stage.mutations().is_empty());
        let checks = before(&stage, stage.over(), Exit::Blocked).await;
        let advice = must_say(&checks, "consumer_lag", WEST, "fail", "ended in errors");
        assert!(advice.contains("mend") && advice.contains("--emergency"), "{advice}");
        let mut accepting = stage.over();
        accepting.accept.checks = vec!["consumer_lag@us-west-2".to_owned()];
        accepting.accept.reason = Some("it is mended in a minute".to_owned());
        before(&stage, accepting, Exit::Done).await;
        let emergency = kdsha::cli::args::FailoverArgs { emergency: true, ..stage.over() };
        let checks = before(&stage, emergency, Exit::Done).await;
        assert!(!checks.iter().any(|check| check["check"] == "consumer_lag" && check["region"] == WEST));
    }
}

/// Its mapping is Enabled and polls nothing, beside records that arrive.
#[tokio::test(start_paused = true)]
async fn a_primary_consumer_that_does_not_read_is_said_before_the_producers_are_switched() {
    let stage = slow_to_poll(714);
    remap(&stage, json!({})).await;
    let checks = before(&stage, stage.over(), Exit::Blocked).await;
    let advice = must_say(&checks, "consumer_lag", WEST, "fail", "have arrived since");
    assert!(advice.contains("LastProcessingResult") && advice.contains("--emergency"), "{advice}");
}

/// Another reader keeps the stream's own age at zero, while the consumer is not invoked at all.
#[tokio::test(start_paused = true)]
async fn a_primary_consumer_that_is_not_invoked_does_not_hide_behind_another_reader() {
    let stage = Stage::post(717);
    let input = json!({"FunctionName": "KDS-HA-FailoverLambda", "StartingPosition": "TRIM_HORIZON",
        "EventSourceArn": super::post::stream_arn(WEST)});
    stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input);
    stage.pass(10 * MINUTE).await;
    assert_eq!(found(&before(&stage, stage.over(), Exit::Done).await, "consumer_lag", WEST).0, "ok");
    let name = CONSUMER.parse().expect("a name");
    stage.sandbox.with_world(|world| assert!(world.throttle(&region(WEST), &name, true)));
    stage.pass(20 * MINUTE).await;
    let checks = before(&stage, stage.over(), Exit::Blocked).await;
    must_say(&checks, "consumer_lag", WEST, "fail", "last known to be invoked");
}

/// A failover drains a consumer that is late: how late is said, and refused it is not. Nor is one of which nothing tells.
#[tokio::test(start_paused = true)]
async fn a_primary_consumer_that_is_late_or_silent_is_no_reason_to_stay() {
    let late = Stage::post(715);
    set_fault(&late, WEST, CONSUMER, Some(FunctionFault::Fails));
    late.pass(40 * MINUTE).await;
    set_fault(&late, WEST, CONSUMER, None);
    let slow = CONSUMER.parse().expect("a name");
    late.sandbox.with_world(|world| assert!(world.set_pace(&region(WEST), &slow, MINUTE / 240)));
    late.pass(10 * MINUTE).await;
    let checks = before(&late, late.over(), Exit::Done).await;
    must_say(&checks, "consumer_lag", WEST, "warn", "behind, RTO 15m");
    let mut silent = Stage::post(716);
    // Of the copies a planned run wants to know more.
    silent.topology.pipelines[0].replicator = None;
    silent.sandbox.with_world(|world| {
        world.stop_traffic();
        world.set_metric_trouble(&region(WEST), Some(MetricTrouble::Absent));
    });
    silent.pass(20 * MINUTE).await;
    let checks = before(&silent, silent.over(), Exit::Done).await;
    let (verdict, evidence, _) = found(&checks, "consumer_lag", WEST);
    assert_eq!((verdict, evidence.starts_with("unknown: ")), ("warn", true), "{evidence}");
}

/// A fan-out consumer that is registered again has another ARN: a mapping of the old one reads nothing.
#[tokio::test(start_paused = true)]
async fn a_mapping_of_a_fan_out_consumer_that_was_registered_anew_is_told() {
    let stage = Stage::post(707);
    let stream = super::post::stream_arn(WEST);
    let named = json!({"StreamARN": stream, "ConsumerName": FAN_OUT});
    stage.call(Service::Kinesis, WEST, "DeregisterStreamConsumer", named.clone());
    stage.pass(2 * MINUTE).await;
    stage.call(Service::Kinesis, WEST, "RegisterStreamConsumer", named);
    stage.pass(2 * MINUTE).await;
    let checks = before(&stage, stage.over(), Exit::Blocked).await;
    must_say(&checks, "stream_consumer", WEST, "fail", "was registered anew as");
}

/// The standby was resharded while it was active: the way back leads to less room, and the sides are named rightly.
#[tokio::test(start_paused = true)]
async fn a_failback_to_less_room_is_warned_of() {
    let stage = Stage::post(708);
    stage.must_fail_over().await;
    assert!(stage.sandbox.with_world(|world| world.reshard_to(&region(EAST), STREAM, 8)));
    set_timeout(&stage, WEST, 20);
    stage.pass(20 * MINUTE).await;
    let args = kdsha::cli::args::FailbackArgs { dry_run: true, ..stage.back() };
    let exit = kdsha::cli::failback::run(&stage.session().await, &stage.ui(Format::Json), &args).await;
    stage.expect(exit, Exit::Done);
    let plan = document(&stage);
    let checks = plan["checks"].as_array().expect("checks");
    let (verdict, evidence, advice) = found(checks, "streams_match", WEST);
    assert_eq!((verdict, evidence), ("warn", "2 shards < 8"));
    assert!(advice.starts_with("give the primary's stream the standby's settings"), "{advice}");
    assert!(found(checks, "concurrency", WEST).1.contains(" wanted (shards"));
    let (verdict, evidence, _) = found(checks, "function_settings", WEST);
    assert_eq!((verdict, evidence), ("warn", "Timeout is 20 s, the standby's 30 s"));
    assert_eq!(found(&verified(&stage, Exit::Done).await, "streams_match", WEST).0, "warn");
}

/// A batch that takes 20 s is worked off in the primary and would fail in the standby for ever.
#[tokio::test(start_paused = true)]
async fn a_standby_consumer_with_a_shorter_time_out_is_warned_of() {
    let stage = Stage::post(709);
    set_timeout(&stage, EAST, 3);
    stage.pass(MINUTE).await;
    let checks = before(&stage, stage.over(), Exit::Done).await;
    let (verdict, evidence, advice) = found(&checks, "function_settings", EAST);
    assert_eq!((verdict, evidence), ("warn", "Timeout is 3 s, the primary's 30 s"));
    assert!(advice.contains("--timeout 30"), "{advice}");
}

/// With a silent primary, nobody knows how far the consumer scales: that is said, and is no reason to stay.
#[tokio::test(start_paused = true)]
async fn the_concurrency_that_is_wanted_is_unknown_when_the_primary_is_silent() {
    let stage = Stage::post(710);
    stage.sandbox.with_world(|world| world.strike(&region(WEST), Outage::Silent));
    let start = Some(kdsha::model::StartAt::TrimHorizon);
    let checks = before(&stage, stage.blind(start), Exit::Done).await;
    must_say(&checks, "concurrency", EAST, "warn", "how many are wanted is unknown");
}

/// The consumer and the replicator stand side by side: their checks have one full name, which lifts both.
#[tokio::test(start_paused = true)]
async fn two_readers_that_fail_under_one_name_can_be_accepted_by_it() {
    let stage = Stage::post(711);
    for name in [CONSUMER, REPLICATOR] {
        let bar = json!({"FunctionName": name, "ReservedConcurrentExecutions": 0});
        stage.call(Service::Lambda, WEST, "PutFunctionConcurrency", bar);
    }
    let accepting = |name: &str| {
        let mut args = stage.over();
        args.accept.checks = vec![name.to_owned()];
        args.accept.reason = Some("they are raised in a minute".to_owned());
        args
    };
    let lifted = |checks: &[Value]| checks.iter().filter(|c| !c["accepted"].is_null()).count();
    let checks = before(&stage, accepting("reader_function"), Exit::Blocked).await;
    assert_eq!(lifted(&checks), 0);
    let full = "reader_function@us-west-2/ticker-prices";
    assert!(found(&checks, "reader_function", WEST).2.ends_with(&format!("`--accept {full}`")));
    let checks = before(&stage, accepting(full), Exit::Done).await;
    assert_eq!(lifted(&checks), 2);
}

/// STS does not answer: what was seen names the account all the same, and an emergency does not move another one's.
#[tokio::test(start_paused = true)]
async fn the_account_is_guarded_without_sts() {
    let mut stage = Stage::post(712);
    stage.sandbox.inject(Rule {
        operation: Some("GetCallerIdentity".to_owned()),
        fault: Some(Fault::Error { status: 500, code: "InternalFailure".to_owned() }),
        ..Rule::default()
    });
    let emergency = |stage: &Stage| kdsha::cli::args::FailoverArgs { emergency: true, ..stage.over() };
    stage.topology.account = Some("123456789012".parse().expect("an account"));
    let checks = before(&stage, emergency(&stage), Exit::Done).await;
    let identity = |checks: &[Value]| {
        let found = checks.iter().find(|check| check["check"] == "identity").expect("identity");
        found["verdict"].as_str().expect("a verdict").to_owned()
    };
    assert_eq!(identity(&checks), "unknown");
    stage.topology.account = Some("210987654321".parse().expect("an account"));
    assert_eq!(identity(&before(&stage, emergency(&stage), Exit::Blocked).await), "fail");
}

/// The judgement of the primary's error rate in the document of `status`.
async fn judged(stage: &Stage, wanted: Exit) -> Value {
    stage.expect(stage.status(Format::Json).await, wanted);
    document(stage)["pipelines"]["ticker-prices"]["sides"]["primary"]["health"].clone()
}

/// One call in five fails.
async fn degraded(seed: u64) -> Stage {
    let stage = Stage::post(seed);
    let outage = Outage::DataPlaneDegraded { failure_share: 0.2 };
    stage.sandbox.with_world(|world| world.strike(&region(WEST), outage));
    stage.pass(8 * MINUTE).await;
    stage
}

/// `status` says healthy, degraded or unknown, with the reason, and ends with 7 when it is not healthy.
#[tokio::test(start_paused = true)]
async fn status_says_healthy_degraded_or_unknown() {
    let stage = Stage::post(405);
    assert!(judged(&stage, Exit::Done).await["healthy"].is_object());
    let stage = degraded(405).await;
    assert!(judged(&stage, Exit::Deviation).await["degraded"].is_object());
    silence_cloudwatch(&stage);
    let unknown = judged(&stage, Exit::Deviation).await["unknown"].clone();
    assert!(unknown.as_str().is_some_and(|why| why.contains("GetMetricData")), "{unknown}");
}

/// The threshold and the window of `[objectives]` decide, and no others.
#[tokio::test(start_paused = true)]
async fn health_is_judged_by_the_objectives_of_the_configuration() {
    let mut stage = degraded(713).await;
    let objectives = |table: &str| {
        let text = kdsha::config::THE_POST.replace("error_rate = 0.01", table);
        let text = text.replace("error_window = \"5m\"", "");
        kdsha::config::parse(&text, std::path::Path::new("kdsha.toml")).expect("valid").objectives
    };
    stage.topology.objectives = objectives("error_rate = 0.5");
    assert!(judged(&stage, Exit::Done).await["healthy"].is_object());
    stage.sandbox.with_world(|world| world.heal(&region(WEST)));
    stage.pass(12 * MINUTE).await;
    stage.topology.objectives = objectives("error_window = \"5m\"");
    assert!(judged(&stage, Exit::Done).await["healthy"].is_object());
    stage.topology.objectives = objectives("error_window = \"30m\"");
    assert!(judged(&stage, Exit::Deviation).await["degraded"].is_object());
}
