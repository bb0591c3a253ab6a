//! A deploy points the producers at the standby again, where a failback has stopped the consumer and deleted its mapping:
//! what arrives there is read before anything else, by the same command.

use super::post::{EAST, PRODUCER, WEST, said};
use crate::simulation::stage::{MINUTE, Stage};
use kdsha::model::Exit;
use kdsha::sandbox::call::Service;
use kdsha::ui::Format;
use serde_json::json;
use std::collections::BTreeMap;

fn deploy(stage: &Stage, environment: &BTreeMap<String, String>) {
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": environment}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
}

/// Active in the standby, with the environment that a later deploy writes.
async fn over(seed: u64) -> (Stage, BTreeMap<String, String>) {
    let stage = Stage::post(seed);
    stage.must_fail_over().await;
    stage.pass(10 * MINUTE).await;
    let there = stage.environment();
    (stage, there)
}

/// A failback in whose middle a deploy sets the producers to the standby, once the mapping there is deleted.
async fn set_back_in_the_middle(stage: &Stage, there: &BTreeMap<String, String>) {
    let session = stage.session().await;
    let deployer = async {
        while !stage.mappings(EAST).is_empty() {
            tokio::time::sleep(MINUTE / 12).await;
        }
        deploy(stage, there);
    };
    let mut args = stage.back();
    args.timeout = Some(12 * MINUTE);
    let ui = stage.ui(Format::Human);
    let (exit, ()) = tokio::join!(kdsha::cli::failback::run(&session, &ui, &args), deployer);
    let exit = exit.unwrap_or_else(|f| panic!("{} {:?}", f.message, f.hints));
    assert_ne!(exit, Exit::Done, "{}", said(stage));
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], EAST);
}

async fn must_come_home(stage: &Stage) {
    stage.must_fail_back().await;
    assert!(said(stage).contains("where a failback had stopped the consumer"), "{}", said(stage));
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], WEST);
    assert!(stage.mappings(EAST).is_empty(), "a cold standby reads");
    stage.expect(stage.verify().await, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_deploy_after_a_finished_failback_is_brought_home_with_what_nobody_read() {
    let (stage, there) = over(1301).await;
    stage.must_fail_back().await;
    stage.pass(10 * MINUTE).await;
    // Twice: the mark of the second failback stands for what came after it.
    for _ in 0..2 {
        deploy(&stage, &there);
        stage.pass(10 * MINUTE).await;
        must_come_home(&stage).await;
    }
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_deploy_in_the_middle_of_a_failback_is_brought_home_by_the_same_command() {
    let (stage, there) = over(1302).await;
    set_back_in_the_middle(&stage, &there).await;
    must_come_home(&stage).await;
    stage.must_have_lost_nothing().await;
}

/// The mark alone says from where on the standby's stream may be unread.
#[tokio::test(start_paused = true)]
async fn it_is_brought_home_without_the_journal_too() {
    let (stage, there) = over(1303).await;
    set_back_in_the_middle(&stage, &there).await;
    stage.lose_the_journal();
    must_come_home(&stage).await;
    stage.must_have_lost_nothing().await;
}

/// The run that reads the standby again is cut off after its mark, and after each of its next calls.
#[tokio::test(start_paused = true)]
async fn a_run_that_reads_again_goes_on_where_it_was_cut_off() {
    for calls in 1..=9 {
        let (stage, there) = over(1304).await;
        stage.must_fail_back().await;
        stage.pass(10 * MINUTE).await;
        deploy(&stage, &there);
        stage.pass(10 * MINUTE).await;
        let before = stage.mutations().len();
        let cut = async {
            while stage.mutations().len() < before + calls {
                tokio::time::sleep(MINUTE / 60).await;
            }
        };
        let args = stage.back();
        tokio::select! {
            exit = stage.failback(&args) => stage.expect(exit, Exit::Done),
            () = cut => {}
        }
        if stage.verify().await.ok() != Some(Exit::Done) {
            must_come_home(&stage).await;
        }
        stage.must_have_lost_nothing().await;
    }
}
