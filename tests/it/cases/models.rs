//! The two models in which the obvious formulas for the start position skip records by the hundred thousand, rebuilt
//! on the sandbox: a consumer that is dead or hung for a while, and a slow shard whose one batch spans most of an
//! hour. Each is played twice on the same seed: with a formula that looks right, which must lose, and with `kdsha
//! failover --emergency`, which must not.
//!
//! What is counted: records that reached the standby's stream and that nobody has processed once everything has come
//! to rest. Records that were not replicated yet are no matter of the position; so the replicator is left on.

use super::post::{CONSUMER, mapping};
use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::model::{Exit, Timestamp};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::{FunctionFault, Story, World};
use serde_json::json;
use std::time::Duration;

/// The post's overlap buffer.
const BUFFER: Duration = Duration::from_secs(300);

/// Formulas that look right.
#[derive(Debug, Clone, Copy)]
enum Formula {
    /// `now - age - buffer`: the age belongs to a data point, and not to now.
    NowMinusAge,
    /// `T - A - buffer` of the newest point of the stream's iterator age: where the reader is, not the function.
    AnchoredReader,
    /// `T - A - buffer` of the newest point of the function's iterator age: that of a batch's newest record.
    AnchoredFunction,
    /// The earliest of those of a quarter of an hour.
    AnchoredFunctionWindow,
}

/// (start of the period, age), newest first.
fn points(stage: &Stage, namespace: &str, name: &str, dimension: (&str, &str)) -> Vec<(Timestamp, Duration)> {
    let now = stage.sandbox.now();
    let input = json!({
        "StartTime": (now - 175 * MINUTE).as_second(),
        "EndTime": (now + MINUTE).as_second(),
        "MetricDataQueries": [{ "Id": "m", "MetricStat": { "Period": 60, "Stat": "Maximum", "Metric": {
            "Namespace": namespace, "MetricName": name,
            "Dimensions": [{ "Name": dimension.0, "Value": dimension.1 }],
        } } }],
    });
    let output = stage.call(Service::CloudWatch, "us-west-2", "GetMetricData", input);
    let series = &output["MetricDataResults"][0];
    let numbers = |key: &str| series[key].as_array().cloned().unwrap_or_default();
    let stamps = numbers("Timestamps").into_iter().filter_map(|at| at.as_f64());
    let ages = numbers("Values").into_iter().filter_map(|value| value.as_f64());
    let point = |(at, age): (f64, f64)| {
        let at = Timestamp::from_second(at as i64).expect("an instant");
        (at, Duration::from_secs_f64(age / 1000.0))
    };
    let mut points: Vec<_> = stamps.zip(ages).map(point).collect();
    points.sort_unstable_by(|a, b| b.cmp(a));
    points
}

impl Formula {
    fn start(self, stage: &Stage) -> Timestamp {
        let reader = || {
            points(
                stage,
                "AWS/Kinesis",
                "GetRecords.IteratorAgeMilliseconds",
                ("StreamName", "KDS-HA-Stream"),
            )
        };
        let function = || points(stage, "AWS/Lambda", "IteratorAge", ("FunctionName", CONSUMER));
        let newest = |points: Vec<(Timestamp, Duration)>| *points.first().expect("a data point");
        let p = match self {
            Formula::NowMinusAge => stage.sandbox.now() - newest(reader()).1,
            Formula::AnchoredReader => newest(reader()).0 - newest(reader()).1,
            Formula::AnchoredFunction => newest(function()).0 - newest(function()).1,
            Formula::AnchoredFunctionWindow => {
                let points = function();
                let from = newest(points.clone()).0 - 15 * MINUTE;
                let in_window = points.iter().filter(|(at, _)| *at >= from).map(|(at, age)| *at - *age);
                in_window.min().expect("a data point")
            }
        };
        p - BUFFER
    }
}

/// What a script would do: create the standby's mapping at the formula's start and point the producer there.
fn script(stage: &Stage, formula: Formula) {
    let start = formula.start(stage).as_second();
    let arn = "arn:aws:kinesis:us-east-2:123456789012:stream/KDS-HA-Stream";
    let input = json!({"FunctionName": CONSUMER, "EventSourceArn": arn, "BatchSize": 1000,
        "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": start});
    stage.call(Service::Lambda, "us-east-2", "CreateEventSourceMapping", input);
    let mut variables = stage.environment();
    variables.insert("PRODUCING_TO_REGION".to_owned(), "us-east-2".to_owned());
    let input = json!({"FunctionName": "KDS-HA-ProducerLambda", "Environment": { "Variables": variables }});
    stage.call(Service::Lambda, "us-west-2", "UpdateFunctionConfiguration", input);
}

/// `kdsha failover --emergency`, and the replicator on again, so that everything reaches the standby.
async fn kdsha(stage: &Stage) {
    let exit = stage.failover(&stage.blind(None)).await;
    stage.expect(exit, Exit::Done);
    let uuid = mapping(stage, "us-west-2", "KDS-HA-ReplicationAgentLambda")["UUID"].clone();
    stage.call(
        Service::Lambda,
        "us-west-2",
        "UpdateEventSourceMapping",
        json!({"UUID": uuid, "Enabled": true}),
    );
}

/// Records that nobody has processed when everything has come to rest, of how many.
async fn skipped(stage: &Stage) -> (u64, u64) {
    stage.sandbox.with_world(World::stop_traffic);
    stage.pass(20 * MINUTE).await;
    let ledger = stage.sandbox.with_world(|world| world.ledger());
    (ledger.put - ledger.processed, ledger.put)
}

async fn must_skip(mut play: impl AsyncFnMut() -> Stage, formula: Formula, at_least: u64) {
    let stage = play().await;
    script(&stage, formula);
    let (skipped, put) = skipped(&stage).await;
    assert!(skipped >= at_least, "{formula:?} skipped {skipped} of {put}: the model has lost its teeth");
}

async fn must_not_skip(mut play: impl AsyncFnMut() -> Stage) {
    let stage = play().await;
    kdsha(&stage).await;
    let (skipped, put) = skipped(&stage).await;
    assert_eq!(skipped, 0, "of {put}\n{}", stage.stderr.text());
}

fn busy() -> Story {
    Story { shards: 8, records_per_second: 200.0, history: 10 * MINUTE, batch_size: 1000, ..Story::default() }
}

/// The consumer's mapping is gone for half an hour; producers and replicator go on.
async fn dead() -> Stage {
    let stage = Stage::of(71, &busy());
    let uuid = mapping(&stage, "us-west-2", CONSUMER)["UUID"].clone();
    stage.call(Service::Lambda, "us-west-2", "DeleteEventSourceMapping", json!({ "UUID": uuid }));
    stage.pass(30 * MINUTE).await;
    stage
}

#[tokio::test(start_paused = true)]
async fn m7_a_consumer_dead_for_half_an_hour_now_minus_age_skips_hundreds_of_thousands() {
    must_skip(dead, Formula::NowMinusAge, 200_000).await;
}

#[tokio::test(start_paused = true)]
async fn m7_a_consumer_dead_for_half_an_hour_kdsha_skips_none() {
    must_not_skip(dead).await;
}

/// Every invocation hangs until its time-out of a quarter of an hour, while the poller reads ahead of it.
async fn hung() -> Stage {
    let story = Story { function_timeout_seconds: 900, batch_size: 10_000, ..busy() };
    let stage = Stage::of(72, &story);
    stage.sandbox.with_world(|world| {
        let name = CONSUMER.parse().expect("a name");
        assert!(world.set_fault(&region("us-west-2"), &name, Some(FunctionFault::Hangs)));
    });
    stage.pass(14 * MINUTE).await;
    stage
}

#[tokio::test(start_paused = true)]
async fn m7_a_hung_consumer_now_minus_age_skips_a_hundred_thousand() {
    must_skip(hung, Formula::NowMinusAge, 80_000).await;
}

#[tokio::test(start_paused = true)]
async fn m7_a_hung_consumer_the_readers_position_alone_skips_tens_of_thousands() {
    must_skip(hung, Formula::AnchoredReader, 20_000).await;
}

#[tokio::test(start_paused = true)]
async fn m7_a_hung_consumer_kdsha_skips_none() {
    must_not_skip(hung).await;
}

/// Every invocation fails for half an hour: the age grows, and every formula that is anchored is right.
async fn failing() -> Stage {
    let stage = Stage::of(73, &Story { records_per_second: 40.0, ..busy() });
    stage.sandbox.with_world(|world| {
        let name = CONSUMER.parse().expect("a name");
        assert!(world.set_fault(&region("us-west-2"), &name, Some(FunctionFault::Fails)));
    });
    stage.pass(30 * MINUTE).await;
    stage
}

#[tokio::test(start_paused = true)]
async fn m7_a_failing_consumer_kdsha_skips_none() {
    must_not_skip(failing).await;
}

/// A slow shard: its consumer is throttled for 55 minutes, then gets the whole backlog as one batch, which fails.
/// The newest record of that batch is seconds old.
async fn slow_shard() -> Stage {
    let story = Story {
        shards: 1,
        records_per_second: 0.2,
        batch_size: 1000,
        history: 30 * MINUTE,
        ..Story::default()
    };
    let stage = Stage::of(81, &story);
    let bar = json!({"FunctionName": CONSUMER, "ReservedConcurrentExecutions": 0});
    stage.call(Service::Lambda, "us-west-2", "PutFunctionConcurrency", bar);
    stage.pass(55 * MINUTE).await;
    stage.sandbox.with_world(|world| {
        let name = CONSUMER.parse().expect("a name");
        assert!(world.set_fault(&region("us-west-2"), &name, Some(FunctionFault::Fails)));
    });
    stage.call(Service::Lambda, "us-west-2", "DeleteFunctionConcurrency", json!({"FunctionName": CONSUMER}));
    stage.pass(4 * MINUTE).await;
    stage
}

#[tokio::test(start_paused = true)]
async fn m8_a_batch_that_spans_an_hour_the_functions_age_alone_skips_nearly_all() {
    must_skip(slow_shard, Formula::AnchoredFunction, 400).await;
}

#[tokio::test(start_paused = true)]
async fn m8_a_batch_that_spans_an_hour_a_window_of_a_quarter_of_an_hour_skips_most() {
    must_skip(slow_shard, Formula::AnchoredFunctionWindow, 300).await;
}

#[tokio::test(start_paused = true)]
async fn m8_a_batch_that_spans_an_hour_kdsha_skips_none() {
    must_not_skip(slow_shard).await;
}
