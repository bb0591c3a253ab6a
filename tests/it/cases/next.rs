//! The one next thing with which `status` ends, in every state that a pipeline can be found in.

use super::post::WEST;
use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::cli::args::FailoverArgs;
use kdsha::model::Exit;
use kdsha::sandbox::world::Outage;
use kdsha::ui::Format;

/// The last line of `status`.
async fn next(stage: &Stage, wanted: Exit) -> String {
    stage.expect(stage.status(Format::Human).await, wanted);
    let out = stage.stdout.text();
    let (_, last) = out.rsplit_once("\nnext ").unwrap_or_else(|| panic!("{out}"));
    last.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn struck(seed: u64, outage: Outage) -> Stage {
    let stage = Stage::post(seed);
    stage.pass(5 * MINUTE).await;
    stage.sandbox.with_world(|world| world.strike(&region(WEST), outage));
    stage.pass(8 * MINUTE).await;
    stage
}

#[tokio::test(start_paused = true)]
async fn at_rest_nothing_has_to_be_done_and_in_the_standby_the_way_back_is_named() {
    let stage = Stage::post(701);
    stage.pass(5 * MINUTE).await;
    assert!(next(&stage, Exit::Done).await.starts_with("nothing has to be done"));
    stage.must_fail_over().await;
    stage.pass(5 * MINUTE).await;
    assert!(next(&stage, Exit::Done).await.starts_with("kdsha failback (once us-west-2 is healthy again)"));
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_that_refuses_while_records_flow_moves_nobody() {
    let stage = struck(702, Outage::ControlPlane).await;
    let next = next(&stage, Exit::Deviation).await;
    assert!(next.starts_with("kdsha status --watch (us-west-2 refuses calls and its records flow"), "{next}");
    assert!(next.contains("should they stop, `kdsha failover --to us-east-2 --emergency`"), "{next}");
}

#[tokio::test(start_paused = true)]
async fn a_degraded_region_is_left_as_planned_and_a_silent_one_in_an_emergency() {
    let stage = struck(703, Outage::DataPlaneDegraded { failure_share: 0.3 }).await;
    let degraded = next(&stage, Exit::Deviation).await;
    assert!(
        degraded.starts_with("kdsha failover --to us-east-2 --dry-run (us-west-2 is degraded"),
        "{degraded}"
    );
    let stage = struck(704, Outage::Silent).await;
    let silent = next(&stage, Exit::Deviation).await;
    assert!(
        silent.starts_with("kdsha failover --to us-east-2 --emergency (us-east-2 takes over now"),
        "{silent}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_is_settled_next_and_once_its_region_answers() {
    let stage = struck(705, Outage::Silent).await;
    let start_at = Some(kdsha::model::StartAt::TrimHorizon);
    let args = FailoverArgs { start_at, ..stage.blind(None) };
    stage.expect(stage.failover(&args).await, Exit::Owed);
    let silent = next(&stage, Exit::Deviation).await;
    assert!(
        silent.starts_with("kdsha resume (settles what is owed, once us-west-2 answers again)"),
        "{silent}"
    );
    stage.sandbox.with_world(|world| world.heal(&region(WEST)));
    stage.pass(MINUTE).await;
    let back = next(&stage, Exit::Deviation).await;
    assert!(back.starts_with("kdsha resume (settles what is owed)"), "{back}");
}
