//! Event source mappings: the right one among many, its settings in the other Region, and what Lambda says when it
//! refuses one.

use super::post::{CONSUMER, EAST, WEST, mapping, remap, said, stream_arn};
use crate::simulation::stage::{MINUTE, Stage};
use kdsha::model::Exit;
use kdsha::sandbox::call::Service;
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{Delays, Span, Story};
use serde_json::json;

/// Every setting of the primary's mapping arrives in the standby, with ARNs of the standby.
#[tokio::test(start_paused = true)]
async fn every_setting_is_cloned_and_arns_are_those_of_the_other_region() {
    let stage = Stage::post(301);
    remap(
        &stage,
        json!({
            "BatchSize": 77, "MaximumBatchingWindowInSeconds": 3, "ParallelizationFactor": 2,
            "BisectBatchOnFunctionError": true, "MaximumRecordAgeInSeconds": 604_800, "MaximumRetryAttempts": 9,
            "TumblingWindowInSeconds": 30, "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-west-2:123456789012:dead-letters"}},
            "FilterCriteria": {"Filters": [{"Pattern": "{}"}]},
        }),
    )
    .await;
    let home = mapping(&stage, WEST, CONSUMER);
    stage.must_fail_over().await;
    let there = mapping(&stage, EAST, CONSUMER);
    for key in [
        "BatchSize",
        "MaximumBatchingWindowInSeconds",
        "ParallelizationFactor",
        "BisectBatchOnFunctionError",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "TumblingWindowInSeconds",
        "FunctionResponseTypes",
        "FilterCriteria",
    ] {
        assert_eq!(there[key], home[key], "{key}");
    }
    let destination = &there["DestinationConfig"]["OnFailure"]["Destination"];
    assert_eq!(destination, "arn:aws:sqs:us-east-2:123456789012:dead-letters");
    assert_eq!(there["MetricsConfig"]["Metrics"], json!(["EventCount"]), "polling could not be proven");
}

/// A bucket's ARN names no Region: it cannot be carried over, and that is said.
#[tokio::test(start_paused = true)]
async fn a_destination_that_cannot_be_carried_over_is_listed() {
    let stage = Stage::post(302);
    let bucket = json!({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::dead-letters"}}});
    remap(&stage, bucket).await;
    let mut args = stage.over();
    args.dry_run = true;
    let exit = stage.failover(&args).await;
    stage.expect(exit, Exit::Done);
    assert!(said(&stage).contains("arn:aws:s3:::dead-letters stays the same"), "{}", stage.stdout.text());
}

/// Lambda's four known refusals of a mapping come with the way out, and before the point of no return.
#[tokio::test(start_paused = true)]
async fn a_refused_mapping_ends_the_run_before_the_producers_are_switched() {
    let stage = Stage::post(305);
    stage.sandbox.inject(Rule {
        operation: Some("CreateEventSourceMapping".to_owned()),
        fault: Some(Fault::Error { status: 400, code: "InvalidParameterValueException".to_owned() }),
        ..Rule::default()
    });
    let exit = stage.failover(&stage.over()).await;
    stage.expect(exit, Exit::StepFailed);
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], WEST);
}

/// Enabled and silent: the run does not call that a recovery, and the same command goes on once it polls.
#[tokio::test(start_paused = true)]
async fn a_mapping_that_is_enabled_and_never_polls_is_no_recovery() {
    let slow = Delays { polling_starts: Span::millis(3_000_000, 3_000_000), ..Delays::default() };
    let stage = Stage::of(307, &Story { delays: slow, history: 100 * MINUTE, ..Stage::light() });
    let exit = stage.failover(&stage.over()).await;
    stage.expect(exit, Exit::TimedOut);
    assert!(said(&stage).contains("no data point of its polling yet"), "{}", said(&stage));
    stage.pass(45 * MINUTE).await;
    stage.must_fail_over().await;
    stage.must_have_lost_nothing().await;
}

/// Another standard reader polls the primary's stream, and nothing has come yet: the run says that it does not know who
/// polls, does not wait for what cannot show, and sees the consumer invoked before it calls the failback done.
#[tokio::test(start_paused = true)]
async fn another_readers_polls_do_not_pass_for_the_consumers() {
    for is_stuck in [false, true] {
        let stage = Stage::post(308);
        let other = json!({"FunctionName": "KDS-HA-FailoverLambda", "StartingPosition": "TRIM_HORIZON",
            "EventSourceArn": stream_arn(WEST)});
        stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", other);
        stage.pass(5 * MINUTE).await;
        stage.must_fail_over().await;
        if is_stuck {
            stage.sandbox.with_world(|world| world.delay_polling(50 * MINUTE));
        }
        let the_others_begin = async {
            while mapping(&stage, WEST, CONSUMER)["State"] != "Enabled" {
                tokio::time::sleep(MINUTE / 60).await;
            }
            stage.sandbox.with_world(|world| world.delay_polling(MINUTE / 2));
        };
        let args = stage.back();
        let (exit, ()) = tokio::join!(stage.failback(&args), the_others_begin);
        let said = said(&stage);
        assert!(said.contains("by which of its readers is not known"), "{said}");
        if is_stuck {
            stage.expect(exit, Exit::TimedOut);
            assert!(said.contains("has not been invoked since"), "{said}");
            stage.pass(30 * MINUTE).await;
            stage.must_fail_back().await;
        } else {
            stage.expect(exit, Exit::Done);
        }
        stage.must_have_lost_nothing().await;
    }
}
