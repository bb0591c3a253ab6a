//! Until the point of no return, what a run has changed can be put back; afterwards the world is as it was.

use super::operator::{Script, at_the_keyboard};
use super::owed::sit_down_elsewhere;
use super::stage::{Fingerprint, MINUTE, Stage, region};
use kdsha::cli::args::{FailbackArgs, FailoverArgs, ResumeArgs};
use kdsha::cli::failure::Failure;
use kdsha::cli::{failback, failover, resume};
use kdsha::model::{Exit, RunMark, StartAt, Timestamp};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{Outage, Story};
use kdsha::ui::Format;
use serde_json::json;
use std::collections::BTreeMap;

async fn run(stage: &Stage, script: Script) -> Exit {
    let session = at_the_keyboard(stage, script).await;
    let args = FailoverArgs { yes: false, ..stage.over() };
    let result = failover::run(&session, &stage.ui(Format::Human), &args).await;
    result.unwrap_or_else(|failure| panic!("{}\n{}", failure.message, stage.stderr.text()))
}

async fn undo(stage: &Stage) -> Result<Exit, Failure> {
    let args = ResumeArgs { yes: true, undo: true, emergency: false, start_at: None };
    resume::run(&stage.session().await, &stage.ui(Format::Human), &args).await
}

fn refuse(operation: &str) -> Rule {
    let fault = Some(Fault::Error { status: 403, code: "AccessDeniedException".to_owned() });
    Rule { operation: Some(operation.to_owned()), fault, ..Rule::default() }
}

/// The same producers and mappings as before, and no run under way.
async fn is_as_before(stage: &Stage, before: &Fingerprint) {
    let after = stage.fingerprint();
    assert_eq!((&after.environment, &after.mappings), (&before.environment, &before.mappings));
    assert_eq!(after.run.as_deref(), Some("closed"));
    stage.expect(stage.verify().await, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn declined_before_the_switch_everything_is_put_back() {
    let stage = Stage::post(71);
    let before = stage.fingerprint();
    // Mark, prepare, no to the switch; yes to putting back.
    assert_eq!(run(&stage, Script::typing(&["y", "y", "n", "y"])).await, Exit::Declined);
    let said = stage.stderr.text();
    assert!(said.contains("What this run has changed can be put back (2 calls"), "{said}");
    assert!(said.contains("delete mapping KDS-HA-Stream -> KDS-HA-ConsumerLambda"), "{said}");
    is_as_before(&stage, &before).await;
    // It is over: the next command is a new run.
    stage.must_fail_over().await;
    let state = kdsha::journal::StateFolder::at(stage.state.path());
    assert_eq!(state.runs().expect("the runs").len(), 2);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn the_default_is_to_leave_it_and_a_later_command_puts_it_back() {
    let stage = Stage::post(72);
    let before = stage.fingerprint();
    assert_eq!(run(&stage, Script::typing(&["y", "y", "n", ""])).await, Exit::Declined);
    assert!(stage.stderr.text().contains("`kdsha resume --undo`"));
    assert_ne!(stage.fingerprint().mappings, before.mappings, "nothing was put back yet");
    stage.expect(undo(&stage).await, Exit::Done);
    is_as_before(&stage, &before).await;
    let refused = undo(&stage).await.expect_err("there is nothing left to put back");
    assert_eq!(refused.exit, Exit::Usage, "{}", refused.message);
}

#[tokio::test(start_paused = true)]
async fn without_a_terminal_a_failed_step_names_the_command() {
    let stage = Stage::post(73);
    let before = stage.fingerprint();
    stage.sandbox.inject(refuse("CreateEventSourceMapping"));
    stage.expect(stage.failover(&stage.over()).await, Exit::StepFailed);
    let said = stage.stderr.text();
    assert!(said.contains("kdsha resume --undo") && !said.contains("Put it back now?"), "{said}");
    stage.sandbox.mend();
    stage.expect(undo(&stage).await, Exit::Done);
    is_as_before(&stage, &before).await;
}

#[tokio::test(start_paused = true)]
async fn after_the_point_of_no_return_the_way_is_forward() {
    let stage = Stage::post(74);
    let mut args = stage.over();
    args.timeout = Some(std::time::Duration::from_secs(30));
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    let said = stage.stderr.text();
    assert!(!said.contains("--undo"), "{said}");
    let sent = stage.mutations().len();
    let refused = undo(&stage).await.expect_err("the producers are switched");
    assert_eq!(refused.exit, Exit::Locked);
    assert!(refused.message.contains("point of no return"), "{}", refused.message);
    assert_eq!(stage.mutations().len(), sent);
    stage.expect(stage.resume().await, Exit::Done);
}

/// What could not be put back is said plainly; the run stays open until it is.
#[tokio::test(start_paused = true)]
async fn a_failed_undo_is_said_and_tried_again() {
    let stage = Stage::post(75);
    let before = stage.fingerprint();
    stage.sandbox.inject(refuse("DeleteEventSourceMapping"));
    assert_eq!(run(&stage, Script::typing(&["y", "y", "n", "y"])).await, Exit::Declined);
    let said = stage.stderr.text();
    assert!(said.contains("NOT everything was put back"), "{said}");
    assert_eq!(stage.fingerprint().run.as_deref(), Some("open"));
    stage.expect(stage.verify().await, Exit::Deviation);
    // The forward command does not go on with a run that is on its way back.
    let refused = stage.failover(&stage.over()).await.expect_err("it is being put back");
    assert_eq!(refused.exit, Exit::Locked, "{}", refused.message);
    stage.sandbox.mend();
    stage.expect(stage.resume().await, Exit::Done);
    is_as_before(&stage, &before).await;
}

/// A mapping that was there before the run is not the run's to delete.
#[tokio::test(start_paused = true)]
async fn what_was_adopted_stays() {
    let stage = Stage::post(76);
    let arn = format!("arn:aws:kinesis:us-east-2:123456789012:stream/{}", "KDS-HA-Stream");
    let input = json!({"FunctionName": "KDS-HA-ConsumerLambda", "StartingPosition": "TRIM_HORIZON",
        "EventSourceArn": arn, "Enabled": false});
    stage.call(Service::Lambda, "us-east-2", "CreateEventSourceMapping", input);
    stage.pass(2 * MINUTE).await;
    let before = stage.fingerprint();
    assert_eq!(run(&stage, Script::typing(&["y", "n", "y"])).await, Exit::Declined);
    assert!(!stage.mutations().iter().any(|call| call.operation == "DeleteEventSourceMapping"));
    is_as_before(&stage, &before).await;
}

/// The way back of a failback: the primary's consumer is stopped again, its checkpoint kept.
#[tokio::test(start_paused = true)]
async fn a_failback_is_put_back_before_its_switch() {
    let stage = Stage::post(77);
    stage.must_fail_over().await;
    stage.pass(10 * MINUTE).await;
    let before = stage.fingerprint();
    // Mark, start the consumer; no to the switch; put back.
    let session = at_the_keyboard(&stage, Script::typing(&["y", "y", "n", "y"])).await;
    let args = FailbackArgs { yes: false, ..stage.back() };
    let exit = failback::run(&session, &stage.ui(Format::Human), &args).await;
    stage.expect(exit, Exit::Declined);
    assert_eq!(stage.fingerprint().mappings, before.mappings, "{}", stage.stderr.text());
    is_as_before(&stage, &before).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// The laptop is gone, and the team does not move after all: the mark and what is seen are enough.
#[tokio::test(start_paused = true)]
async fn a_run_whose_journal_is_lost_is_put_back_by_its_mark() {
    let mut stage = Stage::post(79);
    let before = stage.fingerprint();
    assert_eq!(run(&stage, Script::typing(&["y", "y", "n", ""])).await, Exit::Declined);
    sit_down_elsewhere(&mut stage);
    // The first try fails half way, and is tried again.
    stage.sandbox.inject(refuse("DeleteEventSourceMapping"));
    stage.expect(undo(&stage).await, Exit::StepFailed);
    assert_eq!(stage.fingerprint().run.as_deref(), Some("open"));
    stage.sandbox.mend();
    stage.expect(undo(&stage).await, Exit::Done);
    assert!(stage.stderr.text().contains("ops@laptop"), "{}", stage.stderr.text());
    is_as_before(&stage, &before).await;
    let refused = undo(&stage).await.expect_err("there is nothing left to put back");
    assert_eq!(refused.exit, Exit::Usage, "{}", refused.message);
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// The way back went half way, and was cut off before the mark was closed: the same command ends it.
#[tokio::test(start_paused = true)]
async fn a_way_back_by_the_mark_that_was_cut_off_is_ended() {
    let mut stage = Stage::post(80);
    let before = stage.fingerprint();
    assert_eq!(run(&stage, Script::typing(&["y", "y", "n", ""])).await, Exit::Declined);
    sit_down_elsewhere(&mut stage);
    stage.sandbox.inject(refuse("AddTagsToStream"));
    stage.expect(undo(&stage).await, Exit::StepFailed);
    assert_eq!(stage.fingerprint().mappings, before.mappings);
    stage.sandbox.mend();
    stage.expect(undo(&stage).await, Exit::Done);
    is_as_before(&stage, &before).await;
}

/// By the mark alone nothing is put back that may be more than a preparation.
#[tokio::test(start_paused = true)]
async fn what_is_more_than_prepared_is_not_put_back_by_a_mark() {
    // The producers are switched.
    let mut stage = Stage::post(91);
    let args = FailoverArgs { timeout: Some(std::time::Duration::from_secs(30)), ..stage.over() };
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    sit_down_elsewhere(&mut stage);
    let refused = undo(&stage).await.expect_err("the producers are switched");
    assert_eq!(refused.exit, Exit::Locked);
    assert!(refused.message.contains("the producers write to us-east-2"), "{}", refused.message);
    // The prepared mapping was enabled by somebody.
    let mut stage = Stage::post(92);
    assert_eq!(run(&stage, Script::typing(&["y", "y", "n", ""])).await, Exit::Declined);
    sit_down_elsewhere(&mut stage);
    let id = stage.mappings("us-east-2")[0]["UUID"].clone();
    let input = json!({"UUID": id, "Enabled": true});
    stage.call(Service::Lambda, "us-east-2", "UpdateEventSourceMapping", input);
    stage.pass(2 * MINUTE).await;
    let sent = stage.mutations().len();
    let refused = undo(&stage).await.expect_err("it reads");
    assert!(refused.message.contains("is Enabled"), "{}", refused.message);
    assert_eq!(stage.mutations().len(), sent);
}

/// The opposite steps send just what each step says that takes it back.
#[tokio::test(start_paused = true)]
async fn the_way_back_is_what_the_steps_say() {
    use kdsha::steps::Undo;
    let stage = Stage::post(78);
    assert_eq!(run(&stage, Script::typing(&["y", "y", "n", "n"])).await, Exit::Declined);
    let state = kdsha::journal::StateFolder::at(stage.state.path());
    let run = state.runs().expect("the runs").remove(0).run.expect("a journal");
    let back = kdsha::engine::undo::of(&run, &stage.topology, stage.sandbox.now()).expect("a way back");
    let said =
        run.plan.stages.iter().take(2).rev().flat_map(|stage| &stage.steps).flat_map(|planned| match planned
            .step
            .undo()
        {
            Undo::Effects(effects) => effects,
            other => panic!("{other:?}"),
        });
    assert_eq!(back.calls(), said.collect::<Vec<_>>());
    assert!(back.stays.is_empty());
}

/// The mark on a stream of the standby.
fn mark(stage: &Stage, stream: &str) -> RunMark {
    let output =
        stage.call(Service::Kinesis, "us-east-2", "ListTagsForStream", json!({"StreamName": stream}));
    let tags = output["Tags"].as_array().expect("tags").iter();
    let text = |tag: &serde_json::Value, key: &str| tag[key].as_str().unwrap_or_default().to_owned();
    let tags: BTreeMap<String, String> = tags.map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect();
    RunMark::from_tags(&tags).expect("a mark").expect("a mark")
}

fn strike(stage: &Stage) {
    stage.sandbox.with_world(|world| world.strike(&region("us-west-2"), Outage::Silent));
}

/// A failover that was put back has moved nothing: the emergency is as near as it ever was, by the journal or without.
#[tokio::test(start_paused = true)]
async fn after_an_undone_failover_a_silent_primary_is_an_emergency() {
    for (seed, laptop_lives) in [(110, true), (111, false)] {
        let mut stage = Stage::post(seed);
        assert_eq!(run(&stage, Script::typing(&["y", "y", "n", ""])).await, Exit::Declined);
        if !laptop_lives {
            sit_down_elsewhere(&mut stage);
        }
        stage.expect(undo(&stage).await, Exit::Done);
        assert_eq!(mark(&stage, "KDS-HA-Stream").intent, RunMark::PUT_BACK);
        strike(&stage);
        stage.pass(5 * MINUTE).await;
        stage.expect(stage.status(Format::Human).await, Exit::Deviation);
        let said = stage.stdout.text();
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let next = words.rsplit(" next ").next().unwrap_or_default();
        assert!(next.starts_with("kdsha failover --to us-east-2 --emergency"), "{said}");
    }
}

/// The producers of a warm pipeline were not switched back by anybody: they never left.
#[tokio::test(start_paused = true)]
async fn after_an_undone_warm_failover_nothing_deviates() {
    let stage = Stage::of(112, &Story { warm: true, ..Stage::light() });
    let before = stage.fingerprint();
    assert_eq!(run(&stage, Script::typing(&["y", "n", "y"])).await, Exit::Declined);
    is_as_before(&stage, &before).await;
}

/// us-west-2 was left in an emergency, and has settled what it owed.
async fn left_and_settled(stage: &Stage) {
    stage.pass(5 * MINUTE).await;
    let struck = stage.sandbox.now();
    strike(stage);
    stage.pass(5 * MINUTE).await;
    let start = Timestamp::from_second(struck.as_second() - 900).expect("an instant");
    stage.expect(stage.failover(&stage.blind(Some(StartAt::Timestamp(start)))).await, Exit::Owed);
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    stage.pass(10 * MINUTE).await;
}

async fn decline_the_way_back(stage: &Stage, script: Script) {
    let session = at_the_keyboard(stage, script).await;
    let args = FailbackArgs { yes: false, ..stage.back() };
    let exit = failback::run(&session, &stage.ui(Format::Human), &args).await;
    stage.expect(exit, Exit::Declined);
}

async fn warns_of_what_is_stranded(stage: &Stage) {
    let before = stage.stdout.text().len();
    stage.expect(stage.verify().await, Exit::Done);
    let said = stage.stdout.text().split_off(before);
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("did not drain"), "{said}");
}

/// What the emergency left is stranded still: its mark is there again, and says so.
#[tokio::test(start_paused = true)]
async fn after_an_undone_failback_the_stranded_records_are_told_of() {
    let stage = Stage::post(113);
    left_and_settled(&stage).await;
    warns_of_what_is_stranded(&stage).await;
    let before = mark(&stage, "KDS-HA-Stream");
    decline_the_way_back(&stage, Script::typing(&["y", "y", "n", "y"])).await;
    assert_eq!(mark(&stage, "KDS-HA-Stream"), before);
    warns_of_what_is_stranded(&stage).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// One of two marks could not be put back: the next try is not taken in by the other one, which is an earlier run's.
#[tokio::test(start_paused = true)]
async fn marks_are_put_back_one_by_one() {
    let stage = Stage::of(114, &Story { pipelines: 2, ..Stage::light() });
    stage.must_fail_over().await;
    stage.pass(10 * MINUTE).await;
    let streams = [0, 1].map(|number| stage.topology.pipelines[number].stream.standby.to_string());
    let marks = || [0, 1].map(|number| mark(&stage, &streams[number]));
    let before = marks();
    decline_the_way_back(&stage, Script::typing(&["y", "y", "n", ""])).await;
    stage.sandbox.inject(Rule { skip: 1, ..refuse("AddTagsToStream") });
    stage.expect(undo(&stage).await, Exit::StepFailed);
    let half_way = marks();
    assert_eq!(half_way.iter().filter(|mark| mark.run == before[0].run).count(), 1, "{half_way:?}");
    stage.sandbox.mend();
    stage.expect(undo(&stage).await, Exit::Done);
    assert_eq!(marks(), before);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}
