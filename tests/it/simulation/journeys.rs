//! Whole stories: there, and back, and nothing lost.

use super::stage::{MINUTE, Stage, region};
use kdsha::model::{Exit, StartAt, Timestamp};
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{Outage, Story};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_cold_pipeline_goes_over_and_comes_back_without_losing_a_record() {
    let stage = Stage::post(1);
    let before = stage.fingerprint();
    stage.must_fail_over().await;
    stage.expect(stage.verify().await, Exit::Done);
    let over = stage.fingerprint();
    assert_eq!(over.environment["PRODUCING_TO_REGION"], "us-east-2");
    assert_eq!(over.run.as_deref(), Some("closed"));
    stage.pass(10 * MINUTE).await;
    stage.must_fail_back().await;
    stage.expect(stage.verify().await, Exit::Done);
    let after = stage.fingerprint();
    assert_eq!((after.environment, after.mappings), (before.environment, before.mappings));
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_warm_pipeline_goes_over_and_comes_back_without_losing_a_record() {
    let stage = Stage::of(2, &Story { warm: true, ..Stage::light() });
    let before = stage.fingerprint();
    stage.must_fail_over().await;
    stage.expect(stage.verify().await, Exit::Done);
    stage.pass(5 * MINUTE).await;
    stage.must_fail_back().await;
    stage.expect(stage.verify().await, Exit::Done);
    let after = stage.fingerprint();
    assert_eq!((after.environment, after.mappings), (before.environment, before.mappings));
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_data_plane_is_left_and_returned_to() {
    let stage = Stage::post(3);
    let outage = Outage::DataPlaneDegraded { failure_share: 0.25 };
    stage.sandbox.with_world(|world| world.strike(&region("us-west-2"), outage));
    stage.pass(8 * MINUTE).await;
    stage.expect(stage.status(kdsha::ui::Format::Human).await, Exit::Deviation);
    stage.must_fail_over().await;
    stage.pass(10 * MINUTE).await;
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(15 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_region_is_left_at_once_and_what_it_owes_is_settled_later() {
    let stage = Stage::post(4);
    stage.pass(5 * MINUTE).await;
    let struck = stage.sandbox.now();
    stage.sandbox.with_world(|world| world.strike(&region("us-west-2"), Outage::Silent));
    stage.pass(5 * MINUTE).await;

    // Planned needs the primary; it refuses and names the other way.
    let refused = stage.failover(&stage.over()).await.expect_err("the primary is silent");
    assert_eq!(refused.exit, Exit::Blocked);

    let start = Timestamp::from_second(struck.as_second() - 900).expect("an instant");
    let mut args = stage.over();
    args.emergency = true;
    // Without data points there is no automatic answer.
    let refused = stage.failover(&args).await.expect_err("no position");
    assert_eq!(refused.exit, Exit::Blocked);
    args = stage.blind(Some(StartAt::Timestamp(start)));
    let begun = stage.sandbox.now();
    stage.expect(stage.failover(&args).await, Exit::Owed);
    let took = stage.sandbox.now().duration_since(begun);
    assert!(took.as_secs() < 600, "{took:?}");

    // It nags, and the way back is closed.
    stage.expect(stage.verify().await, Exit::Deviation);
    let refused = stage.failback(&stage.back()).await.expect_err("steps are owed");
    assert_eq!(refused.exit, Exit::Blocked);

    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(15 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn several_pipelines_go_side_by_side() {
    let stage = Stage::of(5, &Story { pipelines: 3, ..Stage::light() });
    let begun = stage.sandbox.now();
    stage.must_fail_over().await;
    let took = stage.sandbox.now().duration_since(begun);
    assert!(took.as_secs() < 15 * 60, "three take as long as one: {took:?}");
    stage.expect(stage.verify().await, Exit::Done);
    stage.pass(5 * MINUTE).await;
    stage.must_fail_back().await;
    stage.expect(stage.verify().await, Exit::Done);
    stage.must_have_lost_nothing().await;
}

/// A pipeline that fails leaves the run; the others go on, and the exit code tells. The same command is the repair.
#[tokio::test(start_paused = true)]
async fn one_failing_pipeline_does_not_stop_the_others() {
    let stage = Stage::of(6, &Story { pipelines: 2, ..Stage::light() });
    let denied = Fault::Error { status: 403, code: "AccessDeniedException".to_owned() };
    stage.sandbox.inject(Rule {
        operation: Some("UpdateFunctionConfiguration".to_owned()),
        times: Some(1),
        fault: Some(denied),
        ..Rule::default()
    });
    stage.expect(stage.failover(&stage.over()).await, Exit::StepFailed);
    let said = stage.stderr.text();
    assert!(said.contains("AccessDeniedException"), "{said}");
    stage.expect(stage.failover(&stage.over()).await, Exit::Done);
    stage.expect(stage.verify().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// With the journal of what was skipped, a skip stays one; a time-out is resumable and exits 6.
#[tokio::test(start_paused = true)]
async fn a_wait_that_does_not_end_stops_the_run_and_the_same_command_goes_on() {
    let stage = Stage::post(8);
    let mut args = stage.over();
    args.timeout = Some(Duration::from_secs(30));
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}
