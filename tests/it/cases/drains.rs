//! Drains and silence: what is not proven is waited for, what stands in the way is named, and a wait that runs out of
//! time leaves everything resumable.

use super::post::{
    CONSUMER, EAST, REPLICATOR, STREAM, WEST, cut_off, mapping, remap, said, set_fault, silence_cloudwatch,
};
use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::model::Exit;
use kdsha::sandbox::Logged;
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::{FunctionFault, MetricTrouble};
use kdsha::ui::Format;
use serde_json::json;
use std::time::Duration;

/// A run whose waits are short, so that one that cannot end is seen to end.
async fn short(stage: &Stage) -> Exit {
    let mut args = stage.over();
    args.timeout = Some(12 * MINUTE);
    stage.failover(&args).await.unwrap_or_else(|f| panic!("{} {:?}", f.message, f.hints))
}

/// The consumer works again: the same command ends, with nothing left behind.
async fn mended_it_moves_and_comes_back(stage: &Stage) {
    set_fault(stage, WEST, CONSUMER, None);
    stage.must_fail_over().await;
    assert_eq!(stage.sandbox.with_world(|world| world.stranded()), 0);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// CloudWatch falls silent in the middle of the run: the shards prove that nothing arrives, and nothing proves that
/// the readers are done, so the run waits, says why, and goes on when the metrics are back.
#[tokio::test(start_paused = true)]
async fn silence_is_proven_without_metrics_and_a_drain_is_not() {
    let stage = Stage::post(401);
    let session = stage.session().await;
    let sandbox = stage.sandbox.clone();
    // After the switch, which is the only UpdateFunctionConfiguration.
    let watch = async {
        while stage.environment()["PRODUCING_TO_REGION"] == WEST {
            tokio::time::sleep(MINUTE / 30).await;
        }
        silence_cloudwatch(&stage);
    };
    let mut args = stage.over();
    args.timeout = Some(12 * MINUTE);
    let ui = stage.ui(Format::Human);
    let run = kdsha::cli::failover::run(&session, &ui, &args);
    let (exit, ()) = tokio::join!(run, watch);
    stage.expect(exit, Exit::TimedOut);
    let said = said(&stage);
    assert!(said.contains("no record in any of"), "silence was not proven: {said}");
    assert!(said.contains("GetMetricData"), "{said}");
    let still_on = stage.mappings(WEST).iter().all(|m| m["State"] == "Enabled");
    assert!(still_on, "a reader was stopped without proof");
    sandbox.mend();
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// CloudWatch answers, and has no data points any more: at first the newest one is too old, then there is none.
/// Neither is zero.
#[tokio::test(start_paused = true)]
async fn no_data_points_are_not_zero() {
    let stage = Stage::post(406);
    let lost = Some(MetricTrouble::Absent);
    stage.sandbox.with_world(|world| world.set_metric_trouble(&region(WEST), lost));
    let mut args = stage.over();
    args.timeout = Some(30 * MINUTE);
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    let said = said(&stage);
    assert!(said.contains("data point is") && said.contains("proves nothing"), "{said}");
    assert!(said.contains("no data point: missing is not zero"), "{said}");
    assert!(
        stage.mappings(WEST).iter().all(|m| m["State"] == "Enabled"),
        "a reader was stopped without proof"
    );
    stage.sandbox.with_world(|world| world.set_metric_trouble(&region(WEST), None));
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// The function fails on its last batch while the stream's lag reads zero: that is not drained.
#[tokio::test(start_paused = true)]
async fn a_failing_consumer_with_lag_zero_is_not_drained() {
    let stage = Stage::post(402);
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Fails));
    assert_eq!(short(&stage).await, Exit::TimedOut, "{}", stage.stderr.text());
    let of_consumer =
        |m: &&serde_json::Value| m["FunctionArn"].as_str().is_some_and(|a| a.ends_with(CONSUMER));
    assert_eq!(stage.mappings(WEST).iter().find(of_consumer).expect("a mapping")["State"], "Enabled");
    set_fault(&stage, WEST, CONSUMER, None);
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Every invocation hangs until its time-out: what fails is stamped with the minute in which it began, and is seen a
/// time-out and CloudWatch's delay later, when that minute lies before the silence.
#[tokio::test(start_paused = true)]
async fn a_hung_consumer_is_not_drained() {
    let stage = Stage::post(407);
    let late = Some(MetricTrouble::Late(2 * MINUTE));
    stage.sandbox.with_world(|world| world.set_metric_trouble(&region(WEST), late));
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Hangs));
    let mut args = stage.over();
    args.timeout = Some(30 * MINUTE);
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    let state = |m: &serde_json::Value| m["State"] == "Enabled";
    assert!(stage.mappings(WEST).iter().all(state), "a reader was stopped without proof");
    mended_it_moves_and_comes_back(&stage).await;
}

/// A function that may run for fifteen minutes and gathers a batch for five more: a failure counts for twice that time,
/// since its batch may be tried once more, and the metrics are read that far back.
#[tokio::test(start_paused = true)]
async fn a_failure_of_a_slow_function_counts_for_as_long_as_its_batch_may_be_tried_again() {
    let stage = Stage::post(412);
    let slow = json!({"FunctionName": CONSUMER, "Timeout": 900});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", slow);
    let uuid = mapping(&stage, WEST, CONSUMER)["UUID"].clone();
    let gathers = json!({"UUID": uuid, "MaximumBatchingWindowInSeconds": 300});
    stage.call(Service::Lambda, WEST, "UpdateEventSourceMapping", gathers);
    stage.pass(30 * MINUTE).await;
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Fails));
    stage.pass(6 * MINUTE).await;
    set_fault(&stage, WEST, CONSUMER, None);
    let failed = stage.sandbox.now();
    let mut args = stage.over();
    args.timeout = Some(120 * MINUTE);
    stage.expect(stage.failover(&args).await, Exit::Done);
    let stops = |call: &Logged| call.input["UUID"] == uuid && call.input["Enabled"] == false;
    let stopped = stage.mutations().into_iter().find(stops).expect("the consumer's stop").at;
    let took = Duration::try_from(stopped.duration_since(failed)).expect("later");
    assert!(took >= 42 * MINUTE, "{took:?}");
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Both streams are resharded while the run waits: closed shards are read to their ends, those that replaced them are
/// looked at too, and neither the silence nor the drain is taken for proven before.
#[tokio::test(start_paused = true)]
async fn shards_that_are_split_and_merged_in_the_middle_are_followed() {
    let stage = Stage::post(408);
    let session = stage.session().await;
    let sandbox = stage.sandbox.clone();
    let colleague = async {
        while stage.environment()["PRODUCING_TO_REGION"] == WEST {
            tokio::time::sleep(MINUTE / 30).await;
        }
        for (at, shards) in [(WEST, 8), (EAST, 3), (WEST, 5)] {
            assert!(sandbox.with_world(|world| world.reshard_to(&region(at), STREAM, shards)), "{at}");
            tokio::time::sleep(MINUTE / 2).await;
        }
    };
    let (args, ui) = (stage.over(), stage.ui(Format::Human));
    let (exit, ()) = tokio::join!(kdsha::cli::failover::run(&session, &ui, &args), colleague);
    stage.expect(exit, Exit::Done);
    assert_eq!(stage.sandbox.with_world(|world| world.stranded()), 0);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// An application that reads the primary's stream from its beginning, again and again: it lags for good.
async fn a_reader_that_lags(stage: &Stage) {
    for _ in 0..60 {
        let shard = json!({"StreamName": "KDS-HA-Stream", "ShardId": "shardId-000000000000",
            "ShardIteratorType": "TRIM_HORIZON"});
        let at = stage.call(Service::Kinesis, WEST, "GetShardIterator", shard)["ShardIterator"].clone();
        stage.call(Service::Kinesis, WEST, "GetRecords", json!({"ShardIterator": at, "Limit": 1}));
        tokio::time::sleep(MINUTE / 3).await;
    }
}

/// Another standard reader of the stream lags: the stream-wide age never reaches zero. The wait says that it is not
/// this consumer's lag, and names the readers that it may be.
#[tokio::test(start_paused = true)]
async fn another_reader_that_lags_is_named() {
    for (other, named) in [(true, "(KDS-HA-FailoverLambda)"), (false, "such as a KCL application")] {
        let stage = Stage::post(403);
        if other {
            let input = json!({"FunctionName": "KDS-HA-FailoverLambda", "StartingPosition": "TRIM_HORIZON",
                "EventSourceArn": format!("arn:aws:kinesis:{WEST}:123456789012:stream/KDS-HA-Stream")});
            stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input);
            stage.pass(5 * MINUTE).await;
        }
        let (exit, ()) = tokio::join!(short(&stage), a_reader_that_lags(&stage));
        let said = said(&stage);
        assert_eq!(exit, Exit::TimedOut, "{said}");
        assert!(said.contains("another reader of KDS-HA-Stream lags") && said.contains(named), "{said}");
        stage.pass(5 * MINUTE).await;
        stage.must_fail_over().await;
        stage.must_fail_back().await;
        stage.must_have_lost_nothing().await;
    }
}

/// A function that names its items as failed has no errors, and its batch is tried again all the same.
#[tokio::test(start_paused = true)]
async fn a_consumer_whose_items_fail_without_an_error_is_not_drained() {
    let stage = Stage::post(415);
    remap(&stage, json!({"FunctionResponseTypes": ["ReportBatchItemFailures"]})).await;
    let fails_late = async {
        while stage.environment()["PRODUCING_TO_REGION"] == WEST {
            tokio::time::sleep(MINUTE / 30).await;
        }
        set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::ReportsFailures));
        let record = json!({"StreamName": STREAM, "PartitionKey": "k", "Data": "eA=="});
        stage.call(Service::Kinesis, WEST, "PutRecord", record);
    };
    let (exit, ()) = tokio::join!(short(&stage), fails_late);
    assert_eq!(exit, Exit::TimedOut, "{}", said(&stage));
    assert_eq!(mapping(&stage, WEST, CONSUMER)["State"], "Enabled", "stopped without proof");
    mended_it_moves_and_comes_back(&stage).await;
}

/// Nobody can tell a consumer that reads an empty stream from one that reads nothing: the run goes on, and says so.
#[tokio::test(start_paused = true)]
async fn a_drain_of_a_stream_without_arrivals_says_what_nothing_shows() {
    let stage = Stage::post(416);
    stage.sandbox.with_world(|world| world.set_rate(0.0));
    stage.pass(5 * 60 * MINUTE).await;
    stage.must_fail_over().await;
    let told = said(&stage);
    assert!(told.contains("no arrival is in sight, so nothing shows whether it reads"), "{told}");
}

/// A wait says how fast records still arrive, how long it may yet take, and when it gives up.
#[tokio::test(start_paused = true)]
async fn a_wait_says_its_lag_its_sample_its_pace_and_its_deadline() {
    let stage = Stage::post(404);
    set_fault(&stage, WEST, REPLICATOR, Some(FunctionFault::Fails));
    stage.pass(10 * MINUTE).await;
    set_fault(&stage, WEST, REPLICATOR, None);
    let exit =
        kdsha::cli::failover::run(&stage.session().await, &stage.ui(Format::Json), &stage.over()).await;
    stage.expect(exit, Exit::Done);
    let waits: Vec<serde_json::Value> = stage
        .stdout
        .text()
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|event: &serde_json::Value| event["event"] == "waiting" && event["step"] == "drain")
        .collect();
    assert!(!waits.is_empty());
    assert!(waits.iter().all(|wait| wait["deadline"].is_string()));
    for part in ["lag_seconds", "sample_age_seconds", "arrivals_per_second", "left_seconds"] {
        assert!(waits.iter().any(|wait| wait["progress"][part].is_number()), "{part}: {waits:?}");
    }
}

/// A colleague stops the standby's consumer in the middle of a failback's drain. Its checkpoint is about to be deleted, so
/// being stopped is no drain: the run ends, and the same command enables it again first.
#[tokio::test(start_paused = true)]
async fn a_standby_consumer_that_somebody_stops_in_its_drain_is_not_deleted() {
    let stage = Stage::post(413);
    stage.must_fail_over().await;
    stage.pass(10 * MINUTE).await;
    let uuid = mapping(&stage, EAST, CONSUMER)["UUID"].clone();
    let drains = "] Drain the consumer in us-east-2";
    let colleague = async {
        while !stage.stderr.text().contains(drains) {
            tokio::time::sleep(MINUTE / 12).await;
        }
        let stop = json!({"UUID": uuid, "Enabled": false});
        stage.call(Service::Lambda, EAST, "UpdateEventSourceMapping", stop);
    };
    let args = stage.back();
    let (exit, ()) = tokio::join!(stage.failback(&args), colleague);
    stage.expect(exit, Exit::StepFailed);
    assert!(said(&stage).contains("was stopped before it was drained"), "{}", said(&stage));
    assert_eq!(mapping(&stage, EAST, CONSUMER)["UUID"], uuid);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// A colleague stops the primary's consumer in the middle of a failover's drain, with a batch that fails: being stopped is
/// no drain. The run ends and says the way out, by which it goes on.
#[tokio::test(start_paused = true)]
async fn a_consumer_that_somebody_stops_in_its_drain_does_not_count_as_drained() {
    let stage = Stage::post(414);
    let uuid = mapping(&stage, WEST, CONSUMER)["UUID"].clone();
    let colleague = async {
        while !stage.stderr.text().contains("] Prove us-west-2 quiet") {
            tokio::time::sleep(MINUTE / 12).await;
        }
        set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Fails));
        while !stage.stderr.text().contains("] Drain the readers in us-west-2") {
            tokio::time::sleep(MINUTE / 12).await;
        }
        let stop = json!({"UUID": uuid, "Enabled": false});
        stage.call(Service::Lambda, WEST, "UpdateEventSourceMapping", stop);
    };
    let args = stage.over();
    let (exit, ()) = tokio::join!(stage.failover(&args), colleague);
    stage.expect(exit, Exit::StepFailed);
    let said = said(&stage);
    assert!(said.contains("nothing proves that it was drained before"), "{said}");
    assert!(said.contains("--enabled`, then the same command again"), "{said}");
    set_fault(&stage, WEST, CONSUMER, None);
    stage.expect(stage.failover(&args).await, Exit::StepFailed);
    let start = json!({"UUID": uuid, "Enabled": true});
    stage.call(Service::Lambda, WEST, "UpdateEventSourceMapping", start);
    stage.must_fail_over().await;
    assert_eq!(stage.sandbox.with_world(|world| world.stranded()), 0);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// A run that was interrupted after its own stop goes on two hours later: the metrics still show that it was drained.
#[tokio::test(start_paused = true)]
async fn a_run_that_drained_and_stopped_goes_on_later() {
    for journal_is_kept in [true, false] {
        let stage = Stage::post(415);
        let all_stopped = || stage.mappings(WEST).iter().all(|m| m["State"] == "Disabled");
        cut_off(stage.failover(&stage.over()), all_stopped).await;
        if !journal_is_kept {
            stage.lose_the_journal();
        }
        stage.pass(120 * MINUTE).await;
        stage.must_fail_over().await;
        stage.must_fail_back().await;
        stage.must_have_lost_nothing().await;
    }
}

/// A record that somebody puts right after the stop shows in the minute of the stop: the journal knows that the run had
/// drained before.
#[tokio::test(start_paused = true)]
async fn a_record_after_the_runs_own_stop_does_not_undo_its_proof() {
    let stage = Stage::post(418);
    let all_stopped = || stage.mappings(WEST).iter().all(|m| m["State"] == "Disabled");
    cut_off(stage.failover(&stage.over()), all_stopped).await;
    let record = json!({"StreamName": STREAM, "PartitionKey": "k", "Data": "eA=="});
    stage.call(Service::Kinesis, WEST, "PutRecord", record);
    stage.pass(5 * MINUTE).await;
    stage.must_fail_over().await;
    assert!(said(&stage).contains("this run drained it, and stopped mapping"), "{}", said(&stage));
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// A colleague deletes the standby's mapping in the middle of a failback, with batches that fail: being gone is no drain. The
/// run ends and says the way out, by which it goes on.
#[tokio::test(start_paused = true)]
async fn a_consumer_whose_mapping_somebody_deletes_does_not_count_as_drained() {
    let stage = Stage::post(416);
    stage.must_fail_over().await;
    stage.pass(10 * MINUTE).await;
    let uuid = mapping(&stage, EAST, CONSUMER)["UUID"].clone();
    let colleague = async {
        while !stage.stderr.text().contains("] Prove us-east-2 quiet") {
            tokio::time::sleep(MINUTE / 60).await;
        }
        set_fault(&stage, EAST, CONSUMER, Some(FunctionFault::Fails));
        tokio::time::sleep(MINUTE / 2).await;
        stage.call(Service::Lambda, EAST, "DeleteEventSourceMapping", json!({"UUID": uuid}));
    };
    set_fault(&stage, EAST, CONSUMER, Some(FunctionFault::Fails));
    let args = stage.back();
    let (exit, ()) = tokio::join!(stage.failback(&args), colleague);
    stage.expect(exit, Exit::StepFailed);
    let told = said(&stage);
    assert!(told.contains("is gone, and nothing proves that it was drained before"), "{told}");
    set_fault(&stage, EAST, CONSUMER, None);
    stage.expect(stage.failback(&args).await, Exit::StepFailed);
    let again = json!({"FunctionName": CONSUMER, "StartingPosition": "TRIM_HORIZON",
        "EventSourceArn": format!("arn:aws:kinesis:{EAST}:123456789012:stream/{STREAM}")});
    stage.call(Service::Lambda, EAST, "CreateEventSourceMapping", again);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// A failback that was cut off after its own delete goes on, and without its journal too: the last invocations show that
/// everything had been read.
#[tokio::test(start_paused = true)]
async fn a_run_that_drained_and_deleted_goes_on() {
    for journal_is_kept in [true, false] {
        let stage = Stage::post(417);
        stage.must_fail_over().await;
        stage.pass(10 * MINUTE).await;
        cut_off(stage.failback(&stage.back()), || stage.mappings(EAST).is_empty()).await;
        if !journal_is_kept {
            stage.lose_the_journal();
        }
        stage.pass(10 * MINUTE).await;
        stage.must_fail_back().await;
        stage.must_have_lost_nothing().await;
    }
}
