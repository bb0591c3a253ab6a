//! What is refused: one clear error, the right exit code, and nothing changed.

use super::stage::{Stage, region};
use kdsha::cli::args::FailoverArgs;
use kdsha::cli::failure::Failure;
use kdsha::model::Exit;
use kdsha::sandbox::call::Service;
use kdsha::sandbox::faults::{Fault, Rule};
use serde_json::json;
use std::time::Duration;

/// Refused with a code, naming something, and without a single change.
async fn refused(stage: &Stage, result: Result<Exit, Failure>, exit: Exit, names: &str) {
    let failure = result.expect_err("it should be refused");
    let said =
        format!("{} {:?}\n{}{}", failure.message, failure.hints, stage.stdout.text(), stage.stderr.text());
    assert_eq!(failure.exit, exit, "{said}");
    assert!(said.contains(names), "`{names}` is not in: {said}");
    assert_eq!(stage.mutations().len(), 0);
    assert!(!failure.hints.is_empty(), "no way out is named: {said}");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_region_is_refused() {
    let stage = Stage::post(21);
    let mut args = stage.over();
    args.to = region("eu-west-1");
    refused(&stage, stage.failover(&args).await, Exit::Usage, "eu-west-1").await;
    args.to = region("us-west-2");
    refused(&stage, stage.failover(&args).await, Exit::Usage, "kdsha failback").await;
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_active_already_is_refused() {
    let stage = Stage::post(22);
    refused(&stage, stage.failback(&stage.back()).await, Exit::Blocked, "already active").await;
}

/// A run was cut off behind its switch, so nobody reads in the standby, and the mark that says so cannot be read:
/// the same command must not say that there is nothing to do.
#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_be_seen_is_not_taken_for_one_that_is_done() {
    let stage = Stage::post(27);
    let args = FailoverArgs { timeout: Some(Duration::from_secs(20)), ..stage.over() };
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], "us-east-2");
    stage.sandbox.inject(Rule {
        region: Some(region("us-east-2")),
        operation: Some("ListTagsForStream".to_owned()),
        fault: Some(Fault::Error { status: 500, code: "InternalFailure".to_owned() }),
        ..Rule::default()
    });
    let refused = stage.failover(&stage.over()).await.expect_err("the mark is not known");
    let said = format!("{:?}{}{}", refused.hints, stage.stdout.text(), stage.stderr.text());
    assert_eq!(refused.exit, Exit::Blocked, "{said}");
    assert!(said.contains("whether a run under way did that is not known"), "{said}");
    assert!(!said.contains("nothing to do"), "{said}");
    stage.sandbox.mend();
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_function_or_stream_that_does_not_exist_is_refused() {
    let mut stage = Stage::post(23);
    stage.topology.pipelines[0].consumer.function.standby = "NoSuchFunction".parse().expect("a name");
    refused(&stage, stage.failover(&stage.over()).await, Exit::Blocked, "NoSuchFunction").await;
    let mut stage = Stage::post(23);
    stage.topology.pipelines[0].stream.standby = "NoSuchStream".parse().expect("a name");
    refused(&stage, stage.failover(&stage.over()).await, Exit::Blocked, "NoSuchStream").await;
}

#[tokio::test(start_paused = true)]
async fn two_mappings_where_one_is_due_are_refused() {
    let stage = Stage::post(24);
    let input = json!({"FunctionName": "KDS-HA-ConsumerLambda", "StartingPosition": "LATEST",
        "EventSourceArn": stage.mappings("us-west-2").iter().find_map(|m| {
            m["EventSourceArn"].as_str().filter(|arn| arn.contains("/consumer/")).map(str::to_owned)
        }).expect("a fan-out mapping")});
    stage.call(Service::Lambda, "us-west-2", "CreateEventSourceMapping", input);
    stage.pass(super::stage::MINUTE * 2).await;
    refused(&stage, stage.failover(&stage.over()).await, Exit::Blocked, "mapping").await;
}

#[tokio::test(start_paused = true)]
async fn another_account_is_refused() {
    let mut stage = Stage::post(25);
    stage.topology.account = Some("999999999999".parse().expect("an account"));
    refused(&stage, stage.failover(&stage.over()).await, Exit::Blocked, "999999999999").await;
}

/// Another operator's run is under way.
fn open_mark(stage: &Stage, run: &str) {
    let mark = kdsha::model::RunMark {
        run: run.parse().expect("a run id"),
        intent: "failover".to_owned(),
        owner: "maria@desk".to_owned(),
        state: kdsha::model::RunState::Open,
        token: kdsha::model::CutOverToken { position: None, marked_at: stage.sandbox.now(), emergency: None },
        owed: Vec::new(),
    };
    let input = json!({"StreamName": "KDS-HA-Stream", "Tags": mark.to_tags()});
    stage.call(Service::Kinesis, "us-east-2", "AddTagsToStream", input);
}

/// Its run may be under way: the mark says so.
#[tokio::test(start_paused = true)]
async fn a_corrupt_journal_is_refused_and_named() {
    let stage = Stage::post(26);
    open_mark(&stage, "20260302-030000-failover-0000");
    let folder = stage.state.path().join("20260302-030000-failover-0000");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("journal.jsonl"), "{\"v\":1}\nnonsense\n").expect("a file");
    refused(&stage, stage.failover(&stage.over()).await, Exit::Locked, "journal.jsonl").await;
    std::fs::write(folder.join("journal.jsonl"), "{\"v\":99,\"seq\":0}\n{\"v\":99,\"seq\":1}\n")
        .expect("a file");
    refused(&stage, stage.failover(&stage.over()).await, Exit::Locked, "journal.jsonl").await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_pipeline_is_refused() {
    let stage = Stage::post(27);
    let mut session = stage.session().await;
    session.selected = vec!["no-such-pipeline".parse().expect("a name")];
    let ui = stage.ui(kdsha::ui::Format::Human);
    let result = kdsha::cli::failover::run(&session, &ui, &stage.over()).await;
    refused(&stage, result, Exit::Usage, "no-such-pipeline").await;
}

#[tokio::test(start_paused = true)]
async fn another_operators_open_run_is_refused_by_name() {
    let stage = Stage::post(28);
    open_mark(&stage, "20260302-020000-failover-abcd");
    refused(&stage, stage.failover(&stage.over()).await, Exit::Locked, "maria@desk").await;
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_cannot_be_read_is_never_written() {
    let stage = Stage::post(29);
    let function = "KDS-HA-ProducerLambda".parse().expect("a name");
    assert!(stage.sandbox.with_world(|world| world.set_unreadable(&region("us-west-2"), &function, true)));
    refused(&stage, stage.failover(&stage.over()).await, Exit::Blocked, "kms:Decrypt").await;
}

/// A journal that cannot be trusted stops a run; what stands is shown all the same.
#[tokio::test(start_paused = true)]
async fn status_shows_the_world_beside_a_corrupt_journal() {
    let stage = Stage::post(30);
    let folder = stage.state.path().join("20260302-030000-failover-0000");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("journal.jsonl"), "{\"v\":1}\nnonsense\n").expect("a file");
    stage.expect(stage.status(kdsha::ui::Format::Human).await, Exit::Deviation);
    let said = stage.stdout.text();
    assert!(said.contains("active in us-west-2") && said.contains("cannot be trusted"), "{said}");
}
