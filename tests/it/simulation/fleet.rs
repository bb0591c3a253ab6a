//! A dead Region with many pipelines: it is tried a few times, not hundreds, and the standby does not wait for it.

use super::stage::{MINUTE, Stage, region};
use kdsha::model::{Exit, StartAt, Timestamp};
use kdsha::sandbox::world::{Outage, Story};

const PIPELINES: u32 = 50;

#[tokio::test(start_paused = true)]
async fn fifty_pipelines_leave_a_silent_region_in_bounded_time() {
    let story = Story {
        pipelines: PIPELINES,
        shards: 1,
        records_per_second: 0.2,
        history: 5 * MINUTE,
        ..Story::default()
    };
    let stage = Stage::of(101, &story);
    let struck = stage.sandbox.now();
    stage.sandbox.with_world(|world| world.strike(&region("us-west-2"), Outage::Silent));
    stage.pass(MINUTE).await;
    let start = Timestamp::from_second(struck.as_second() - 900).expect("an instant");
    let args = stage.blind(Some(StartAt::Timestamp(start)));

    let (begun, before) = (stage.sandbox.now(), stage.sandbox.calls().0);
    stage.expect(stage.failover(&args).await, Exit::Owed);
    let took = stage.sandbox.now().duration_since(begun);
    let log = stage.sandbox.log_from(before);
    let west = log.iter().filter(|call| call.region == region("us-west-2")).count();
    let lambda = |call: &&kdsha::sandbox::Logged| {
        call.region == region("us-west-2") && call.operation.starts_with("Update")
    };
    assert!(took.as_secs() < 5 * 60, "{took:?}");
    // Three looks of about a hundred, which try every API of every pipeline (the plan's, the steps', the report's last
    // one), and three steps with the retries of their reads.
    assert!(west < 350, "{west} requests to a Region that does not answer");
    assert_eq!(log.iter().filter(lambda).count(), 0, "what cannot be looked up is not sent");

    let said = stage.stderr.text();
    assert_eq!(said.matches("calls in a row unanswered").count(), 1, "it is said once");
    // No line tells of a call that never left.
    let sent: Vec<&str> =
        said.lines().filter(|l| l.starts_with("03:") && l.contains("send    us-west-2:")).collect();
    assert!(sent.is_empty(), "{sent:?}");

    // Every pipeline's consumer runs in the standby, and every one owes.
    let running = stage.mappings("us-east-2").iter().filter(|m| m["State"] == "Enabled").count();
    assert_eq!(running, PIPELINES as usize);
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    let healed = stage.sandbox.now();
    stage.pass(2 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    assert!(stage.sandbox.now().duration_since(healed).as_secs() < 8 * 60);
}
