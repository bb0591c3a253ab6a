//! The start position of the standby's consumer: the seventeen ways in which "start at S and nothing is skipped" can
//! fail, each played with the real commands. Where a case is decided by pure arithmetic alone, the properties in
//! `plan/position.rs` hold it too.

use super::post::{
    CONSUMER, EAST, PRODUCER, REPLICATOR, STREAM, WEST, cut_off, mapping, remap, said, set_fault, set_faults,
    silence_cloudwatch, silence_lambda, stream_arn,
};
use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::cli::args::FailoverArgs;
use kdsha::config::{Producer, StandbyMode};
use kdsha::model::{Clock, Exit, Side, StartAt, Timestamp};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::{Copying, FunctionFault, MetricTrouble, Outage, Story, World};
use kdsha::ui::Format;
use serde_json::json;
use std::time::Duration;

/// Fails over as an emergency, brings the primary back, settles, fails back: nothing may be lost on the way.
async fn emergency_and_back(stage: &Stage, start_at: Option<StartAt>) {
    let exit = stage
        .failover(&stage.blind(start_at))
        .await
        .unwrap_or_else(|f| panic!("{} {:?}", f.message, f.hints));
    assert!(matches!(exit, Exit::Done | Exit::Owed), "{exit:?}\n{}", stage.stderr.text());
    none_is_passed_over(stage);
    back(stage, exit).await;
}

/// The primary is well again.
async fn back(stage: &Stage, exit: Exit) {
    stage.sandbox.with_world(|world| world.heal(&region(WEST)));
    set_faults(stage, &[CONSUMER, REPLICATOR], None);
    stage.pass(5 * MINUTE).await;
    if exit == Exit::Owed {
        let settled = stage.resume().await;
        stage.expect(settled, Exit::Done);
    }
    stage.pass(5 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// What the standby's stream has and nobody has processed lies before no reader's start there. A failback hides a start
/// that skips: the primary's kept mapping processes its own copies.
fn none_is_passed_over(stage: &Stage) {
    let count = stage.sandbox.with_world(|world| world.passed_over(&region(EAST)));
    assert_eq!(count, 0, "passed over\n{}", stage.stderr.text());
}

/// Records of one of the standby's open shards that arrived in a time.
fn arrived_between(stage: &Stage, number: usize, from: Timestamp, to: Timestamp) -> usize {
    let listed = stage.call(Service::Kinesis, EAST, "ListShards", json!({"StreamName": STREAM}));
    let shards = listed["Shards"].as_array().expect("shards");
    let is_open = |shard: &&serde_json::Value| shard["SequenceNumberRange"]["EndingSequenceNumber"].is_null();
    let shard = shards.iter().filter(is_open).nth(number).expect("a shard")["ShardId"].clone();
    let from_start = json!({"StreamName": STREAM, "ShardId": shard, "ShardIteratorType": "AT_TIMESTAMP",
        "Timestamp": from.as_second()});
    let iterator =
        stage.call(Service::Kinesis, EAST, "GetShardIterator", from_start)["ShardIterator"].clone();
    let got = stage.call(Service::Kinesis, EAST, "GetRecords", json!({ "ShardIterator": iterator }));
    let arrived = |record: &serde_json::Value| record["ApproximateArrivalTimestamp"].as_f64();
    let records = got["Records"].as_array().expect("records").iter();
    records.filter_map(arrived).filter(|at| *at < to.as_second() as f64).count()
}

/// The position of a dry run's plan.
async fn planned(stage: &Stage, args: &FailoverArgs) -> serde_json::Value {
    let args = FailoverArgs { dry_run: true, ..args.clone() };
    let exit = kdsha::cli::failover::run(&stage.session().await, &stage.ui(Format::Json), &args).await;
    stage.expect(exit, Exit::Done);
    let text = stage.stdout.text();
    let plan: serde_json::Value = serde_json::from_str(text.lines().last().expect("a plan")).expect("JSON");
    let mut positions = plan["positions"].as_object().expect("positions").values().cloned();
    positions.next().expect("one")
}

/// The created mapping's start in the standby.
fn start_in_standby(stage: &Stage) -> Timestamp {
    let mapping = mapping(stage, EAST, CONSUMER);
    assert_eq!(mapping["StartingPosition"], "AT_TIMESTAMP");
    let at = mapping["StartingPositionTimestamp"].as_f64().expect("an instant");
    assert_eq!(at.fract(), 0.0, "Lambda documents whole seconds");
    Timestamp::from_second(at as i64).expect("an instant")
}

/// 1. `now` instead of the data point's time: the metrics end long before the operator types.
#[tokio::test(start_paused = true)]
async fn position_01_the_metrics_ended_long_ago() {
    let stage = Stage::post(101);
    let old = mapping(&stage, WEST, CONSUMER);
    let off = json!({"UUID": old["UUID"], "Enabled": false});
    stage.call(Service::Lambda, WEST, "UpdateEventSourceMapping", off);
    stage.pass(40 * MINUTE).await;
    let died = stage.sandbox.now() - 40 * MINUTE;
    let mut args = stage.over();
    args.emergency = true;
    let exit = stage.failover(&args).await;
    stage.expect(exit, Exit::Done);
    assert!(start_in_standby(&stage) < died, "{}", start_in_standby(&stage));
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// 2. Series of another reader: a second standard reader keeps the stream's iterator age at zero while the consumer
/// hangs. The function's own age points before the batch in hand.
#[tokio::test(start_paused = true)]
async fn position_02_another_reader_keeps_the_streams_age_at_zero() {
    let stage = Stage::of(102, &Story { function_timeout_seconds: 600, ..Stage::light() });
    let input = json!({"FunctionName": "KDS-HA-FailoverLambda", "EventSourceArn": stream_arn(WEST),
        "StartingPosition": "TRIM_HORIZON"});
    stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input);
    stage.pass(10 * MINUTE).await;
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Hangs));
    let hung = stage.sandbox.now();
    stage.pass(9 * MINUTE).await;
    let mut args = stage.over();
    args.emergency = true;
    let exit = stage.failover(&args).await;
    stage.expect(exit, Exit::Done);
    assert!(start_in_standby(&stage) < hung);
}

/// 3. The consumer reads through enhanced fan-out: GetRecords has no iterator age for it.
#[tokio::test(start_paused = true)]
async fn position_03_a_fan_out_consumer() {
    let mut stage = Stage::post(103);
    let name = "prices-efo";
    for region_name in [WEST, EAST] {
        let input = json!({"StreamARN": stream_arn(region_name), "ConsumerName": name});
        stage.call(Service::Kinesis, region_name, "RegisterStreamConsumer", input);
    }
    stage.pass(2 * MINUTE).await;
    let input = json!({"StreamARN": stream_arn(WEST), "ConsumerName": name});
    let found = stage.call(Service::Kinesis, WEST, "DescribeStreamConsumer", input);
    let arn = found["ConsumerDescription"]["ConsumerARN"].clone();
    remap(&stage, json!({"EventSourceArn": arn})).await;
    stage.topology.pipelines[0].consumer.stream_consumer = Some(name.parse().expect("a name"));
    stage.must_fail_over().await;
    let there = mapping(&stage, EAST, CONSUMER);
    assert!(there["EventSourceArn"].as_str().is_some_and(|arn| arn.contains("/consumer/prices-efo:")));
    stage.pass(5 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// A consumer that reads through enhanced fan-out.
fn fan_out(seed: u64) -> Stage {
    let mut stage = Stage::of(seed, &Story { fan_out_consumers: true, ..Stage::light() });
    let named = mapping(&stage, WEST, CONSUMER)["EventSourceArn"].as_str().expect("an ARN").to_owned();
    let name = named.split("/consumer/").nth(1).and_then(|rest| rest.split(':').next());
    let name = name.expect("a consumer's name").parse().expect("a name");
    stage.topology.pipelines[0].consumer.stream_consumer = Some(name);
    stage
}

/// 3. In an emergency its own lag decides, beside the function's age; the stream's age would be that of others.
#[tokio::test(start_paused = true)]
async fn position_03_a_fan_out_consumer_in_an_emergency() {
    let stage = fan_out(503);
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Fails));
    stage.pass(12 * MINUTE).await;
    let dry = FailoverArgs { emergency: true, dry_run: true, ..stage.over() };
    stage.expect(stage.failover(&dry).await, Exit::Done);
    assert!(said(&stage).contains("SubscribeToShardEvent.MillisBehindLatest"), "{}", said(&stage));
    assert!(!said(&stage).contains("GetRecords.IteratorAgeMilliseconds"), "{}", said(&stage));
    emergency_and_back(&stage, None).await;
}

/// 4. Records that were not replicated when the Region fell silent: no start helps. They wait in the primary, are
/// not passed over by the failback, and are processed then.
#[tokio::test(start_paused = true)]
async fn position_04_records_that_were_never_replicated() {
    let stage = Stage::post(104);
    set_faults(&stage, &[CONSUMER, REPLICATOR], Some(FunctionFault::Fails));
    stage.pass(5 * MINUTE).await;
    stage.sandbox.with_world(|world| world.strike(&region(WEST), Outage::Silent));
    let start = StartAt::Timestamp(stage.sandbox.now() - 60 * MINUTE);
    stage.expect(stage.failover(&stage.blind(Some(start))).await, Exit::Owed);
    none_is_passed_over(&stage);
    stage.sandbox.with_world(|world| world.heal(&region(WEST)));
    stage.expect(stage.resume().await, Exit::Done);
    assert!(stage.sandbox.with_world(|world| world.stranded()) > 0, "nothing waited for the failback");
    set_faults(&stage, &[CONSUMER, REPLICATOR], None);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// 5. Records that the primary's mapping gives up count as progress there: said before anything changes.
#[tokio::test(start_paused = true)]
async fn position_05_a_mapping_that_gives_records_up_is_said() {
    let stage = Stage::post(105);
    remap(&stage, json!({"MaximumRetryAttempts": 3})).await;
    let mut args = stage.over();
    args.dry_run = true;
    let exit = stage.failover(&args).await;
    stage.expect(exit, Exit::Done);
    let said = stage.stdout.text();
    assert!(
        said.contains("gives records up after 3 retries") && said.contains("DroppedEventCount"),
        "{said}"
    );
}

/// 5. Lambda gives up what is larger than it can hand over (Kinesis Developer Guide, "Large records").
#[tokio::test(start_paused = true)]
async fn position_05_records_that_may_be_too_large_for_lambda_are_said() {
    let stage = Stage::post(505);
    let too_large = "the consumer's mapping gives records up larger than 6 MiB";
    for (kib, is_said) in [(6144, false), (10_240, true)] {
        let input = json!({"StreamARN": stream_arn(WEST), "MaxRecordSizeInKiB": kib});
        stage.call(Service::Kinesis, WEST, "UpdateMaxRecordSize", input);
        let args = FailoverArgs { dry_run: true, ..stage.over() };
        stage.expect(stage.failover(&args).await, Exit::Done);
        assert_eq!(said(&stage).contains(too_large), is_said, "{}", said(&stage));
    }
}

/// 5. What a fan-out mapping with several lanes drops of aggregated records leaves no trace anywhere.
#[tokio::test(start_paused = true)]
async fn position_05_aggregated_records_that_a_fan_out_consumer_may_drop_are_said() {
    let stage = fan_out(506);
    let uuid = mapping(&stage, WEST, CONSUMER)["UUID"].clone();
    for (factor, is_said) in [(1, false), (2, true)] {
        let input = json!({"UUID": uuid, "ParallelizationFactor": factor});
        stage.call(Service::Lambda, WEST, "UpdateEventSourceMapping", input);
        stage.pass(MINUTE).await;
        let args = FailoverArgs { dry_run: true, ..stage.over() };
        stage.expect(stage.failover(&args).await, Exit::Done);
        assert_eq!(said(&stage).contains("of what the KPL aggregated"), is_said, "{}", said(&stage));
    }
}

/// 5. A warm pipeline's drain takes what was given up for progress too.
#[tokio::test(start_paused = true)]
async fn position_05_a_warm_mapping_that_gives_records_up_is_said() {
    let stage = Stage::of(505, &Story { warm: true, ..Stage::light() });
    remap(&stage, json!({"MaximumRetryAttempts": 3})).await;
    for emergency in [false, true] {
        let args = FailoverArgs { dry_run: true, emergency, ..stage.over() };
        stage.expect(stage.failover(&args).await, Exit::Done);
        let given_up = said(&stage).matches("gives records up after 3 retries").count();
        assert_eq!(given_up, 1 + usize::from(emergency), "{}", said(&stage));
    }
}

/// 6. MaximumRecordAgeInSeconds is shorter than the rewind: Lambda would discard the replay on arrival.
#[tokio::test(start_paused = true)]
async fn position_06_a_record_age_shorter_than_the_rewind_is_refused() {
    let stage = Stage::post(106);
    remap(&stage, json!({"MaximumRecordAgeInSeconds": 300})).await;
    let before = stage.mutations().len();
    let refused = stage.failover(&stage.over()).await.expect_err("it would discard the replay");
    assert_eq!(refused.exit, Exit::Blocked);
    let said = format!("{}{}{}", refused.message, stage.stdout.text(), stage.stderr.text());
    assert!(said.contains("MaximumRecordAgeInSeconds is 300"), "{said}");
    assert_eq!(stage.mutations().len(), before);
    // The way out lifts that check alone, and is written down with the reason.
    let mut args = stage.over();
    args.accept.checks = vec!["record_age".to_owned()];
    args.accept.reason = Some("records older than five minutes are worthless here".to_owned());
    let exit = stage.failover(&args).await;
    stage.expect(exit, Exit::Done);
    let journals = std::fs::read_dir(stage.state.path()).expect("the state folder").flatten();
    let written: String = journals
        .filter_map(|folder| std::fs::read_to_string(folder.path().join("journal.jsonl")).ok())
        .collect();
    assert!(written.contains("worthless here"));
}

/// 6. The drain takes longer than the mapping keeps a record: what the producers wrote to the standby meanwhile would be
/// dropped by the mapping that is about to start, so it is not started, and the way out leads on.
#[tokio::test(start_paused = true)]
async fn position_06_a_mapping_that_would_drop_what_waited_for_it_is_not_started() {
    let stage = Stage::post(606);
    remap(&stage, json!({"MaximumRecordAgeInSeconds": 2400})).await;
    stage.pass(10 * MINUTE).await;
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Fails));
    let mut args = stage.over();
    args.timeout = Some(30 * MINUTE);
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    set_fault(&stage, WEST, CONSUMER, None);
    // The primary's own mapping is made patient in time: its records are not what this is about.
    remap(&stage, json!({"MaximumRecordAgeInSeconds": -1})).await;
    stage.pass(20 * MINUTE).await;
    stage.expect(stage.failover(&stage.over()).await, Exit::StepFailed);
    assert!(said(&stage).contains("gives up records older than 2400 s"), "{}", said(&stage));
    let prepared = mapping(&stage, EAST, CONSUMER);
    assert_eq!(prepared["State"], "Disabled");
    let patient = json!({"UUID": prepared["UUID"], "MaximumRecordAgeInSeconds": -1});
    stage.call(Service::Lambda, EAST, "UpdateEventSourceMapping", patient);
    stage.pass(MINUTE).await;
    stage.expect(stage.failover(&stage.over()).await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// 7. The start lies before what the standby's stream still has: AWS would take it without a word.
#[tokio::test(start_paused = true)]
async fn position_07_a_start_before_retention_is_said() {
    let stage = Stage::post(107);
    let mut args = stage.over();
    args.dry_run = true;
    args.start_at = Some(StartAt::Timestamp(stage.sandbox.now() - 48 * 60 * MINUTE));
    let exit = stage.failover(&args).await;
    stage.expect(exit, Exit::Done);
    assert!(said(&stage).contains("the same as trim-horizon"), "{}", stage.stdout.text());
}

/// 8. The filter goes with the clone, although List hides it once it is encrypted.
#[tokio::test(start_paused = true)]
async fn position_08_an_encrypted_filter_is_cloned() {
    let stage = Stage::post(108);
    let pattern = r#"{"data":{"ticker":[{"exists":true}]}}"#;
    let key = format!("arn:aws:kms:{WEST}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab");
    remap(&stage, json!({"FilterCriteria": {"Filters": [{"Pattern": pattern}]}, "KMSKeyArn": key})).await;
    let listed = mapping(&stage, WEST, CONSUMER);
    assert!(listed["FilterCriteria"].is_null(), "List shows the filter: {listed}");
    stage.must_fail_over().await;
    let uuid = mapping(&stage, EAST, CONSUMER)["UUID"].clone();
    let there = stage.call(Service::Lambda, EAST, "GetEventSourceMapping", json!({ "UUID": uuid }));
    assert_eq!(there["FilterCriteria"]["Filters"][0]["Pattern"], pattern);
    assert!(there["KMSKeyArn"].is_null(), "a key belongs to its Region");
    let said = format!("{}{}", stage.stdout.text(), stage.stderr.text());
    assert!(said.contains("KMS key of the filters"), "{said}");
}

/// 9. A tumbling window is read again whole.
#[tokio::test(start_paused = true)]
async fn position_09_a_tumbling_window_is_read_whole() {
    let stage = Stage::post(109);
    remap(&stage, json!({"TumblingWindowInSeconds": 600})).await;
    stage.must_fail_over().await;
    assert_eq!(start_in_standby(&stage).as_second() % 600, 0);
    let there = mapping(&stage, EAST, CONSUMER);
    assert_eq!(there["TumblingWindowInSeconds"], 600);
}

/// 10 and 11. A mapping that is there already, with LATEST or with a later start, keeps its position whatever is
/// asked: it is deleted and created anew.
#[tokio::test(start_paused = true)]
async fn position_10_a_leftover_at_latest_is_replaced() {
    let stage = Stage::post(110);
    let input = json!({"FunctionName": CONSUMER, "EventSourceArn": stream_arn(EAST), "Enabled": false,
        "StartingPosition": "LATEST"});
    let left = stage.call(Service::Lambda, EAST, "CreateEventSourceMapping", input);
    stage.pass(2 * MINUTE).await;
    stage.must_fail_over().await;
    let there = mapping(&stage, EAST, CONSUMER);
    assert_ne!(there["UUID"], left["UUID"]);
    assert_eq!(there["StartingPosition"], "AT_TIMESTAMP");
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// 11. An older leftover that starts earlier skips nothing: it is adopted.
#[tokio::test(start_paused = true)]
async fn position_11_a_leftover_that_starts_earlier_is_adopted() {
    let stage = Stage::post(111);
    let input = json!({"FunctionName": CONSUMER, "EventSourceArn": stream_arn(EAST), "Enabled": false,
        "StartingPosition": "TRIM_HORIZON"});
    let left = stage.call(Service::Lambda, EAST, "CreateEventSourceMapping", input);
    stage.pass(2 * MINUTE).await;
    stage.must_fail_over().await;
    let there = mapping(&stage, EAST, CONSUMER);
    assert_eq!(there["UUID"], left["UUID"]);
    assert!(said(&stage).contains("is there and is used: it starts at TRIM_HORIZON"), "{}", said(&stage));
    let repeated = "an unknown number of records (all that the stream has) are processed a second time";
    assert!(said(&stage).contains(repeated), "{}", said(&stage));
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// 11. A leftover whose checkpoint may have been trimmed is as little to be trusted as a kept mapping of that age.
#[tokio::test(start_paused = true)]
async fn position_11_a_leftover_that_was_stopped_beyond_the_retention_is_replaced() {
    let stage = Stage::post(611);
    let input = json!({"FunctionName": CONSUMER, "EventSourceArn": stream_arn(EAST), "Enabled": false,
        "StartingPosition": "TRIM_HORIZON"});
    let left = stage.call(Service::Lambda, EAST, "CreateEventSourceMapping", input);
    stage.pass(25 * 60 * MINUTE).await;
    stage.must_fail_over().await;
    assert_ne!(mapping(&stage, EAST, CONSUMER)["UUID"], left["UUID"]);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// 11. A leftover that starts early enough and is set otherwise would handle records otherwise: it is replaced too.
#[tokio::test(start_paused = true)]
async fn position_11_a_leftover_with_other_settings_is_replaced() {
    let stage = Stage::post(122);
    let input = json!({"FunctionName": CONSUMER, "EventSourceArn": stream_arn(EAST), "Enabled": false,
        "StartingPosition": "TRIM_HORIZON", "MaximumRetryAttempts": 1});
    let left = stage.call(Service::Lambda, EAST, "CreateEventSourceMapping", input);
    stage.pass(2 * MINUTE).await;
    stage.must_fail_over().await;
    let there = mapping(&stage, EAST, CONSUMER);
    assert_ne!(there["UUID"], left["UUID"]);
    assert_eq!(there["MaximumRetryAttempts"], mapping(&stage, WEST, CONSUMER)["MaximumRetryAttempts"]);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// 12. The primary's mapping is gone, and its checkpoint and its metrics with it: a planned run is refused, an
/// emergency starts where the last data points say.
#[tokio::test(start_paused = true)]
async fn position_12_the_primarys_mapping_was_deleted() {
    let stage = Stage::post(112);
    let old = mapping(&stage, WEST, CONSUMER);
    stage.call(Service::Lambda, WEST, "DeleteEventSourceMapping", json!({"UUID": old["UUID"]}));
    stage.pass(20 * MINUTE).await;
    let refused = stage.failover(&stage.over()).await.expect_err("a mapping is due");
    assert_eq!(refused.exit, Exit::Blocked);
    // Its settings went with it.
    let refused = stage.failover(&FailoverArgs { emergency: true, ..stage.over() }).await;
    assert!(refused.expect_err("settings").message.contains("mapping_settings"));
    let exit = stage.failover(&stage.blind(None)).await;
    stage.expect(exit, Exit::Done);
    assert!(start_in_standby(&stage) < stage.sandbox.now() - 20 * MINUTE);
    stage.pass(10 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// 13. What the replicator copied into other shards is read from the start on in every one of them.
#[tokio::test(start_paused = true)]
async fn position_13_every_one_of_the_standbys_shards_gets_the_start() {
    let stage = Stage::post(513);
    assert!(stage.sandbox.with_world(|world| world.reshard_to(&region(EAST), STREAM, 7)));
    stage.pass(10 * MINUTE).await;
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Hangs));
    stage.pass(10 * MINUTE).await;
    stage.expect(stage.failover(&FailoverArgs { emergency: true, ..stage.over() }).await, Exit::Done);
    none_is_passed_over(&stage);
    stage.pass(10 * MINUTE).await;
    // The primary's consumer is stopped: whatever is processed by now was read here, shard by shard.
    let start = start_in_standby(&stage);
    for number in 0..7 {
        assert!(
            arrived_between(&stage, number, start, start + 25 * MINUTE) > 0,
            "nothing arrived in {number}"
        );
    }
    none_is_passed_over(&stage);
    set_fault(&stage, WEST, CONSUMER, None);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// 14. The replicator is far behind: what it pushes later arrives later in the standby, and is read late, not never.
/// Nobody else reads it: the primary's consumer hangs.
#[tokio::test(start_paused = true)]
async fn position_14_what_the_replicator_pushes_late_is_read_late() {
    let stage = Stage::post(114);
    stage.pass(10 * MINUTE).await;
    let start = Timestamp::from_second(stage.sandbox.now().as_second() - 5400).expect("an instant");
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Hangs));
    set_fault(&stage, WEST, REPLICATOR, Some(FunctionFault::Fails));
    stage.pass(12 * MINUTE).await;
    // Lambda's API there is gone, and its pollers work: the replicator cannot be stopped, and catches up.
    silence_lambda(&stage);
    let pending = || stage.sandbox.with_world(|world| world.ledger()).pending;
    let behind = pending();
    stage.expect(stage.failover(&stage.blind(Some(StartAt::Timestamp(start)))).await, Exit::Owed);
    set_fault(&stage, WEST, REPLICATOR, None);
    stage.pass(15 * MINUTE).await;
    none_is_passed_over(&stage);
    assert!(behind > 2000 && pending() < 100, "{behind} waited, {} wait still", pending());
    let _ = stage.sandbox.mend();
    back(&stage, Exit::Owed).await;
}

/// 15. Several batches of a shard at a time.
#[tokio::test(start_paused = true)]
async fn position_15_parallel_batches() {
    let stage = Stage::post(115);
    remap(&stage, json!({"ParallelizationFactor": 10, "BatchSize": 5})).await;
    // One shard's lanes report nothing but a time-out now and then; the other one's are well.
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::HangsOnPoison));
    poison_one_shard(&stage);
    let stuck = stage.sandbox.now();
    stage.pass(30 * MINUTE).await;
    stage.expect(stage.failover(&FailoverArgs { emergency: true, ..stage.over() }).await, Exit::Done);
    assert!(start_in_standby(&stage) < stuck, "{} is behind {stuck}", start_in_standby(&stage));
    none_is_passed_over(&stage);
}

/// 16. The start is a whole second, rounded down, and never after the first unprocessed record.
#[tokio::test(start_paused = true)]
async fn position_16_whole_seconds() {
    for seed in [116, 216, 316] {
        let stage = Stage::post(seed);
        stage.pass(Duration::from_millis(371 * (seed % 7))).await;
        let args = FailoverArgs { emergency: true, ..stage.over() };
        let plan = planned(&stage, &args).await;
        let instant = |value: &serde_json::Value| -> Timestamp {
            value.as_str().and_then(|at| at.parse().ok()).unwrap_or_else(|| panic!("{value}"))
        };
        let seconds = |part: &str| plan["buffer"][part].as_f64().expect("seconds");
        let parts =
            ["overlap_seconds", "consumer_timeout_seconds", "batching_window_seconds", "allowance_seconds"];
        let buffer = Duration::from_secs_f64(parts.map(seconds).iter().sum());
        let exact = instant(&plan["origin"]["derived"]["earliest"]) - buffer;
        let start = instant(&plan["start"]["timestamp"]);
        assert!(
            start <= exact && start + Duration::from_secs(1) > exact,
            "{start}, not {exact} rounded down"
        );
        stage.expect(stage.failover(&args).await, Exit::Done);
        // Asserts that there is no fraction.
        start_in_standby(&stage);
        none_is_passed_over(&stage);
    }
}

/// 17. The workstation's clock is ahead by ten minutes: a start in the future would be refused, and one that is
/// derived from that clock would skip. The servers' clock is used, and the difference is said.
#[tokio::test(start_paused = true)]
async fn position_17_a_workstation_whose_clock_is_ahead() {
    let stage = Stage::post(117);
    let true_now = stage.sandbox.now();
    let mut session = stage.session().await;
    let options = kdsha::aws::ConnectOptions {
        http_client: Some(stage.sandbox.http_client()),
        ..kdsha::aws::ConnectOptions::new(region(EAST))
    };
    let clock = Clock::starting_at(true_now + 10 * MINUTE);
    session.aws = kdsha::aws::Aws::connect(&stage.topology, options, clock).await.expect("a connection");
    let ahead = Some(StartAt::Timestamp(true_now + 5 * MINUTE));
    let args = FailoverArgs { start_at: ahead, dry_run: true, ..stage.over() };
    let exit = kdsha::cli::failover::run(&session, &stage.ui(Format::Human), &args).await;
    stage.expect(exit, Exit::Blocked);
    assert!(said(&stage).contains("lies in the future"), "{}", said(&stage));
    let exit = kdsha::cli::failover::run(&session, &stage.ui(Format::Human), &stage.over()).await;
    stage.expect(exit, Exit::Done);
    assert!(start_in_standby(&stage) < true_now, "{} {true_now}", start_in_standby(&stage));
    let said = format!("{}{}", stage.stdout.text(), stage.stderr.text());
    assert!(said.contains("clock is off"), "{said}");
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// No data point at all: no automatic answer, and the way out is named.
#[tokio::test(start_paused = true)]
async fn position_18_no_data_point_no_automatic_answer() {
    let mut stage = Stage::post(118);
    stage.topology.pipelines[0].standby = StandbyMode::Cold;
    stage.sandbox.with_world(|world| world.strike(&region(WEST), Outage::Silent));
    let mut args = stage.over();
    args.emergency = true;
    let refused = stage.failover(&args).await.expect_err("nothing says where to start");
    assert_eq!(refused.exit, Exit::Blocked);
    let said =
        format!("{} {:?}{}{}", refused.message, refused.hints, stage.stdout.text(), stage.stderr.text());
    assert!(said.contains("--start-at"), "{said}");
    assert_eq!(stage.mutations().len(), 0);
    emergency_and_back(&stage, Some(StartAt::TrimHorizon)).await;
}

/// CloudWatch says nothing any more, and an earlier look from this machine said where the consumer was: the way out
/// names that position, and nothing lies before it although the consumer has hung since.
#[tokio::test(start_paused = true)]
async fn position_20_a_silent_region_is_left_where_an_earlier_look_saw_the_consumer() {
    let stage = Stage::post(120);
    stage.pass(10 * MINUTE).await;
    stage.expect(stage.status(Format::Human).await, Exit::Done);
    let looked = stage.sandbox.now();
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Hangs));
    stage.pass(20 * MINUTE).await;
    stage.sandbox.with_world(|world| world.strike(&region(WEST), Outage::Silent));
    stage.pass(MINUTE).await;
    let mut args = stage.over();
    args.emergency = true;
    let refused = stage.failover(&args).await.expect_err("no automatic answer");
    assert_eq!(refused.exit, Exit::Blocked, "{}", refused.message);
    let way_out = refused.hints.iter().find(|hint| hint.contains("a look from this machine"));
    let way_out = way_out.unwrap_or_else(|| panic!("{:?}", refused.hints));
    let start = way_out.split_whitespace().nth(1).and_then(|word| word.parse::<Timestamp>().ok());
    let start = start.unwrap_or_else(|| panic!("{way_out}"));
    assert!(start < looked && start > looked - 30 * MINUTE, "{start}, looked at {looked}");
    emergency_and_back(&stage, Some(StartAt::Timestamp(start))).await;
}

/// `--start-at` that lies behind what may be unprocessed would skip it: an emergency refuses, whoever knows better
/// says so by name. A planned run drains first, and may start wherever it likes.
#[tokio::test(start_paused = true)]
async fn position_21_a_start_behind_unprocessed_records_is_refused_unless_accepted() {
    let stage = Stage::post(121);
    stage.pass(10 * MINUTE).await;
    let mut args = stage.over();
    args.start_at = Some(StartAt::Timestamp(stage.sandbox.now() - MINUTE));
    args.dry_run = true;
    stage.expect(stage.failover(&args).await, Exit::Done);
    args.emergency = true;
    stage.expect(stage.failover(&args).await, Exit::Blocked);
    assert!(said(&stage).contains("they would be skipped"), "{}", said(&stage));
    args.accept.checks = vec!["start_at@us-east-2".to_owned()];
    args.accept.reason = Some("nothing is worth more than the time".to_owned());
    stage.expect(stage.failover(&args).await, Exit::Done);
}

/// Lambda refuses a start in the future, and a stream has nothing there.
#[tokio::test(start_paused = true)]
async fn position_21_a_start_in_the_future_is_refused() {
    let stage = Stage::post(521);
    for emergency in [false, true] {
        let start_at = Some(StartAt::Timestamp(stage.sandbox.now() + MINUTE));
        let args = FailoverArgs { emergency, start_at, ..stage.over() };
        let refused = stage.failover(&args).await.expect_err("it is refused");
        assert_eq!(refused.exit, Exit::Blocked);
        assert!(refused.message.contains("start_position"), "{}", refused.message);
        assert!(said(&stage).contains("lies in the future"), "{}", said(&stage));
    }
    assert!(stage.mutations().is_empty());
}

/// CloudWatch is ten minutes late, and the consumer has hung for nine of them: none of that can be seen.
#[tokio::test(start_paused = true)]
async fn position_27_a_consumer_that_hangs_while_the_metrics_are_late_is_met_where_it_was() {
    let stage = Stage::post(527);
    stage.sandbox.with_world(|world| {
        world.set_metric_trouble(&region(WEST), Some(MetricTrouble::Late(10 * MINUTE)));
    });
    stage.pass(20 * MINUTE).await;
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Hangs));
    let hung = stage.sandbox.now();
    stage.pass(9 * MINUTE).await;
    stage.expect(stage.failover(&FailoverArgs { emergency: true, ..stage.over() }).await, Exit::Done);
    assert!(start_in_standby(&stage) < hung);
    none_is_passed_over(&stage);
}

/// The duplicates that the prompt foretells are those that come, but for what is under way in its minute.
#[tokio::test(start_paused = true)]
async fn position_28_as_many_records_are_processed_twice_as_were_foretold() {
    let stage = Stage::post(528);
    stage.pass(60 * MINUTE).await;
    let args = FailoverArgs { emergency: true, ..stage.over() };
    let foretold = planned(&stage, &args).await["duplicates"].as_u64().expect("a number");
    stage.expect(stage.failover(&args).await, Exit::Done);
    let ledger = stage.account().await;
    let came = ledger.duplicates;
    let two_minutes = 2 * 60 * 4;
    assert!(
        foretold > 1_000 && came.abs_diff(foretold) <= two_minutes,
        "{came} came, {foretold} were foretold"
    );
}

/// Nothing tells what a consumer has processed that has failed for a day: a start that is given is taken, and nobody says
/// that it skips nothing.
#[tokio::test(start_paused = true)]
async fn position_22_a_start_that_nothing_confirms_is_said_to_be_unconfirmed() {
    let stage = Stage::post(122);
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Fails));
    stage.pass(25 * 60 * MINUTE).await;
    let start_at = Some(StartAt::Timestamp(stage.sandbox.now() - 60 * MINUTE));
    let args = FailoverArgs { emergency: true, dry_run: true, start_at, ..stage.over() };
    stage.expect(stage.failover(&args).await, Exit::Done);
    assert!(said(&stage).contains("are unprocessed is not known"), "{}", said(&stage));
}

/// Somebody has pointed a producer at the standby, where nobody reads: the primary's metrics do not tell of what it has
/// written there, so an emergency asks.
#[tokio::test(start_paused = true)]
async fn position_23_a_producer_that_writes_to_the_standby_already_decides_the_start() {
    let mut stage = Stage::post(623);
    super::producers::further(&mut stage, WEST, "second-producer", Side::Primary).await;
    stage.pass(10 * MINUTE).await;
    let moved = stage.sandbox.now();
    let mut variables = stage.environment();
    variables.insert("PRODUCING_TO_REGION".to_owned(), EAST.to_owned());
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": variables}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    set_fault(&stage, WEST, REPLICATOR, Some(FunctionFault::Fails));
    stage.pass(40 * MINUTE).await;
    let emergency = |start_at| FailoverArgs { emergency: true, start_at, ..stage.over() };
    let refused =
        stage.failover(&emergency(None)).await.expect_err("its records lie before any derived start");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(refused.message.contains("start_position"), "{}", refused.message);
    assert!(said(&stage).contains("writes (changed at"), "{}", said(&stage));
    let before = Some(StartAt::Timestamp(moved - 30 * MINUTE));
    stage.expect(stage.failover(&emergency(before)).await, Exit::Done);
    set_fault(&stage, WEST, REPLICATOR, None);
    stage.pass(5 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// The post's pipeline with two producers, one of which somebody pointed at the standby 40 minutes ago.
async fn a_stray_producer(seed: u64, copying: Copying) -> Stage {
    let mut stage = Stage::of(seed, &Story { producers: 2, copying, ..Stage::light() });
    if copying == Copying::None {
        stage.topology.pipelines[0].replicator = None;
    }
    let first = stage.topology.pipelines[0].producers[0].clone();
    let second = Producer { function: format!("{PRODUCER}-b").parse().expect("a name"), ..first };
    stage.topology.pipelines[0].producers.push(second);
    stage.pass(10 * MINUTE).await;
    stage.expect(stage.status(Format::Human).await, Exit::Done);
    let mut variables = stage.environment();
    variables.insert("PRODUCING_TO_REGION".to_owned(), EAST.to_owned());
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": variables}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(40 * MINUTE).await;
    stage
}

/// The start lies before all that the primary's metrics tell, and behind what the stray producer wrote.
#[tokio::test(start_paused = true)]
async fn position_26_a_given_start_behind_a_stray_producers_records_is_refused() {
    let stage = a_stray_producer(627, Copying::FanOut).await;
    let at = |ago: u32| Some(StartAt::Timestamp(stage.sandbox.now() - ago * MINUTE));
    let emergency = |start_at| FailoverArgs { emergency: true, start_at, ..stage.over() };
    let refused = stage.failover(&emergency(at(30))).await.expect_err("ten minutes would be skipped");
    assert!(refused.message.contains("start_at"), "{}", refused.message);
    assert!(said(&stage).contains("would skip what arrived there before"), "{}", said(&stage));
    assert!(stage.mutations().is_empty());
    stage.expect(stage.failover(&emergency(at(60))).await, Exit::Done);
    assert!(said(&stage).contains("may have done so before it was changed last"), "{}", said(&stage));
    none_is_passed_over(&stage);
}

/// Lambda in the primary does not tell where its producers write. Where nobody is known to copy, arrivals in the standby
/// show it: they are counted, with the start that passes none over.
#[tokio::test(start_paused = true)]
async fn position_26_a_stray_producer_that_cannot_be_read_shows_in_the_standbys_arrivals() {
    let stage = a_stray_producer(628, Copying::None).await;
    silence_lambda(&stage);
    let at = |ago: u32| Some(StartAt::Timestamp(stage.sandbox.now() - ago * MINUTE));
    let emergency = |start_at| FailoverArgs { emergency: true, start_at, ..stage.over() };
    let shown =
        |said: String| said.matches("where nobody reads, and kdsha.toml names nobody who copies").count();
    for (count, start_at) in [(1, None), (2, at(30)), (2, at(60))] {
        let args = FailoverArgs { dry_run: true, ..emergency(start_at) };
        stage.expect(stage.failover(&args).await, Exit::Done);
        assert_eq!(shown(said(&stage)), count, "{start_at:?} {}", said(&stage));
    }
    let given = said(&stage);
    let first =
        given.split("unless it is given as --start-at ").nth(1).and_then(|rest| rest.split(' ').next());
    let first = first.and_then(|at| at.parse().ok()).unwrap_or_else(|| panic!("{given}"));
    stage.expect(stage.failover(&emergency(Some(StartAt::Timestamp(first)))).await, Exit::Owed);
    none_is_passed_over(&stage);
}

/// A planned run was cut off behind its switch and goes on as an emergency: its own producers have written to the standby
/// since, whether the primary's metrics tell anything or not.
#[tokio::test(start_paused = true)]
async fn position_26_a_given_start_behind_the_runs_own_switch_is_refused() {
    let stage = Stage::post(630);
    let is_switched = || stage.environment()["PRODUCING_TO_REGION"] != WEST;
    cut_off(stage.failover(&stage.over()), is_switched).await;
    stage.pass(30 * MINUTE).await;
    silence_cloudwatch(&stage);
    let start_at = Some(StartAt::Timestamp(stage.sandbox.now() - 10 * MINUTE));
    let on = kdsha::cli::args::ResumeArgs { yes: true, undo: false, emergency: true, start_at };
    let session = stage.session().await;
    let refused = kdsha::cli::resume::run(&session, &stage.ui(Format::Human), &on).await;
    let refused = refused.expect_err("twenty minutes would be skipped");
    assert_eq!(refused.exit, Exit::Blocked, "{}", refused.message);
    assert!(said(&stage).contains("this run may have its producers write to us-east-2"), "{}", said(&stage));
}

/// With a replicator, arrivals tell nothing: that is said of the derived start and of one that is given.
#[tokio::test(start_paused = true)]
async fn position_26_whether_a_producer_strays_that_cannot_be_read_is_said_to_be_unknown() {
    let stage = Stage::post(629);
    stage.pass(10 * MINUTE).await;
    stage.expect(stage.status(Format::Human).await, Exit::Done);
    silence_lambda(&stage);
    let given = Some(StartAt::Timestamp(stage.sandbox.now() - 60 * MINUTE));
    let derived = "before the oldest unprocessed record)";
    for (start_at, of) in [(None, derived), (given, "the primary may have left unprocessed")] {
        let args = FailoverArgs { emergency: true, dry_run: true, start_at, ..stage.over() };
        stage.expect(stage.failover(&args).await, Exit::Done);
        let unknown = format!("{of}; whether a producer writes to us-east-2 already is not known");
        assert!(said(&stage).contains(&unknown), "{start_at:?} {}", said(&stage));
    }
}

/// All producers were pointed at the standby by hand: no command calls that done, and the way out reads what waits.
#[tokio::test(start_paused = true)]
async fn position_24_a_move_by_hand_is_not_taken_for_a_failover() {
    let stage = Stage::post(624);
    stage.pass(10 * MINUTE).await;
    let moved = stage.sandbox.now();
    let point = async |at: &str| {
        let mut variables = stage.environment();
        variables.insert("PRODUCING_TO_REGION".to_owned(), at.to_owned());
        let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": variables}});
        stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
        stage.pass(20 * MINUTE).await;
    };
    point(EAST).await;
    let refused = stage.failover(&stage.over()).await.expect_err("nobody reads there");
    assert!(refused.hints.iter().any(|hint| hint.contains("--start-at TIME")), "{:?}", refused.hints);
    assert!(said(&stage).contains("nobody reads there"), "{}", said(&stage));
    point(WEST).await;
    let start_at = Some(StartAt::Timestamp(moved - MINUTE));
    stage.expect(stage.failover(&FailoverArgs { start_at, ..stage.over() }).await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Shard-level metrics: a shard that nobody reads decides, or forbids an automatic answer.
#[tokio::test(start_paused = true)]
async fn position_19_shard_level_metrics_are_required_once_they_are_on() {
    let stage = Stage::of(119, &Story { shards: 3, ..Stage::light() });
    let input = json!({"StreamName": "KDS-HA-Stream", "ShardLevelMetrics": ["IteratorAgeMilliseconds"]});
    stage.call(Service::Kinesis, WEST, "EnableEnhancedMonitoring", input);
    // Turned on a moment ago: the shards have no data point yet.
    let mut args = stage.over();
    args.emergency = true;
    let refused = stage.failover(&args).await.expect_err("the shards are not known");
    let said = format!("{}{}{}", refused.message, stage.stdout.text(), stage.stderr.text());
    assert!(said.contains("shardId-000000000000 has no data point"), "{said}");
    stage.pass(10 * MINUTE).await;
    let mut dry = stage.over();
    dry.dry_run = true;
    let exit = stage.failover(&dry).await;
    stage.expect(exit, Exit::Done);
    assert!(stage.stdout.text().contains("furthest behind of 3 shards"), "{}", stage.stdout.text());
    emergency_and_back(&stage, None).await;
}

/// One record with which no batch is worked off: its shard stands still, and the others go on.
fn poison_one_shard(stage: &Stage) {
    stage.sandbox.with_world(|world| world.set_poison(1.0));
    let record = json!({"StreamName": "KDS-HA-Stream", "PartitionKey": "poison", "Data": "cG9pc29u"});
    stage.call(Service::Kinesis, WEST, "PutRecord", record);
    stage.sandbox.with_world(|world| world.set_poison(0.0));
}

/// A pipeline whose consumer may run for fifteen minutes in the primary and for half of one in the standby, and of which
/// one shard's batch has run into that time-out again and again for 44 minutes, beside shards that work.
async fn one_shard_times_out(seed: u64) -> Stage {
    let story = Story { function_timeout_seconds: 900, history: 60 * MINUTE, ..Stage::light() };
    let stage = Stage::of(seed, &story);
    let quick = json!({"FunctionName": CONSUMER, "Timeout": 30});
    stage.call(Service::Lambda, EAST, "UpdateFunctionConfiguration", quick);
    stage.pass(MINUTE).await;
    stage.status(Format::Human).await.expect("a look");
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::HangsOnPoison));
    poison_one_shard(&stage);
    stage.pass(44 * MINUTE).await;
    stage
}

/// The primary's consumer cannot be read: the time-out that a look saw counts, never the shorter one of the standby's.
#[tokio::test(start_paused = true)]
async fn position_25_a_time_out_that_cannot_be_read_is_remembered() {
    let stage = one_shard_times_out(625).await;
    silence_lambda(&stage);
    let exit = stage.failover(&FailoverArgs { emergency: true, ..stage.over() }).await;
    stage.expect(exit, Exit::Owed);
    assert!(said(&stage).contains("a look from this machine saw 900 s at"), "{}", said(&stage));
    none_is_passed_over(&stage);
}

/// A look of an older kdsha kept no time-out: then it is the longest that Lambda allows.
#[tokio::test(start_paused = true)]
async fn position_25_a_time_out_that_nobody_knows_is_the_longest_there_is() {
    let stage = one_shard_times_out(626).await;
    let file = stage.state.path().join("positions.json");
    let mut kept: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).expect("a look was kept")).expect("JSON");
    for pipeline in kept["pipelines"].as_object_mut().expect("pipelines").values_mut() {
        pipeline.as_object_mut().expect("parts").remove("timeout_seconds");
    }
    std::fs::write(&file, kept.to_string()).expect("written");
    silence_lambda(&stage);
    let exit = stage.failover(&FailoverArgs { emergency: true, ..stage.over() }).await;
    stage.expect(exit, Exit::Owed);
    assert!(said(&stage).contains("900 s are taken, the longest that Lambda allows"), "{}", said(&stage));
    none_is_passed_over(&stage);
}

/// A story in which nothing is wrong at all, as a control of the tests above: one consumer, everything processed.
#[tokio::test(start_paused = true)]
async fn the_world_without_a_failover_loses_nothing() {
    let stage = Stage::post(120);
    stage.pass(10 * MINUTE).await;
    stage.sandbox.with_world(World::stop_traffic);
    stage.must_have_lost_nothing().await;
}
