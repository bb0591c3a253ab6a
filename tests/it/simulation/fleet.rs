//! Many pipelines: a dead Region is tried a few times, not hundreds, and the standby does not wait for it; a run that
//! covers some of them leaves the others alone, whoever goes on with it.

use super::owed::sit_down_elsewhere;
use super::stage::{Fingerprint, MINUTE, Stage, region};
use kdsha::cli::args::FailoverArgs;
use kdsha::cli::failover;
use kdsha::cli::failure::Failure;
use kdsha::model::{Exit, StartAt, Timestamp};
use kdsha::sandbox::world::{Outage, Story};
use kdsha::ui::Format;
use std::time::Duration;

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

fn two_pipelines(seed: u64) -> Stage {
    Stage::of(seed, &Story { pipelines: 2, ..Stage::light() })
}

/// What stands of the first pipeline alone.
fn the_first(stage: &Stage) -> Fingerprint {
    let second = stage.topology.pipelines[1].stream.primary.to_string();
    let mut all = stage.fingerprint();
    all.mappings.retain(|(_, _, source, _)| !source.contains(&second));
    all
}

/// `--pipeline` with the name of one of them.
async fn move_one(stage: &Stage, number: usize, args: &FailoverArgs) -> Result<Exit, Failure> {
    let mut session = stage.session().await;
    session.selected = vec![stage.topology.pipelines[number].name.clone()];
    failover::run(&session, &stage.ui(Format::Human), args).await
}

/// Too little patience for the drain: the run stops after the switch.
fn cut_off(stage: &Stage) -> FailoverArgs {
    FailoverArgs { timeout: Some(Duration::from_secs(30)), ..stage.over() }
}

/// What was said, without the line ends that a terminal's width makes.
fn said(stage: &Stage) -> String {
    stage.stderr.text().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The second pipeline has moved, the first one never did.
async fn the_second_alone_moved(stage: &Stage, before: &Fingerprint) {
    assert_eq!(the_first(stage), *before, "{}", stage.stderr.text());
    let [first, second] = [0, 1].map(|number| stage.topology.pipelines[number].name.to_string());
    let words = said(stage);
    assert!(words.contains(&format!("covers {second}; {first} is not in it")), "{words}");
    stage.expect(stage.verify().await, Exit::Done);
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn resume_moves_the_pipelines_of_the_run_and_no_other() {
    let stage = two_pipelines(102);
    let before = the_first(&stage);
    stage.expect(move_one(&stage, 1, &cut_off(&stage)).await, Exit::TimedOut);
    // The command for both is another one, and names the one that goes on.
    let refused = stage.failover(&stage.over()).await.expect_err("a run of one of them is unfinished");
    assert_eq!(refused.exit, Exit::Locked, "{}", refused.message);
    assert_eq!(refused.hints, ["`kdsha resume` goes on with it"]);
    stage.expect(stage.resume().await, Exit::Done);
    the_second_alone_moved(&stage, &before).await;
}

#[tokio::test(start_paused = true)]
async fn resume_on_another_machine_moves_the_marked_pipelines_and_no_other() {
    let mut stage = two_pipelines(103);
    let before = the_first(&stage);
    stage.expect(move_one(&stage, 1, &cut_off(&stage)).await, Exit::TimedOut);
    sit_down_elsewhere(&mut stage);
    stage.expect(stage.resume().await, Exit::Done);
    the_second_alone_moved(&stage, &before).await;
}

/// One was left out because it is there already: the run goes on as it began, by either command.
#[tokio::test(start_paused = true)]
async fn a_run_that_left_one_out_is_gone_on_with() {
    for (seed, is_resumed) in [(104, true), (105, false)] {
        let stage = two_pipelines(seed);
        stage.expect(move_one(&stage, 0, &stage.over()).await, Exit::Done);
        let before = the_first(&stage);
        stage.expect(stage.failover(&cut_off(&stage)).await, Exit::TimedOut);
        let exit = match is_resumed {
            true => stage.resume().await,
            false => stage.failover(&stage.over()).await,
        };
        stage.expect(exit, Exit::Done);
        the_second_alone_moved(&stage, &before).await;
    }
}
