//! What somebody changes or deletes while the pipeline rests in the standby: it hides no record, and what is made anew
//! handles records as before.

use super::post::{CONSUMER, REPLICATOR, STREAM, WEST, cut_off, mapping, said};
use crate::simulation::stage::{MINUTE, Stage};
use kdsha::model::Exit;
use kdsha::sandbox::call::Service;
use serde_json::{Value, json};

const KEPT: [&str; 3] = ["BatchSize", "MaximumRetryAttempts", "FunctionResponseTypes"];

fn change(stage: &Stage, function: &str, mut change: Value) {
    change["UUID"] = mapping(stage, WEST, function)["UUID"].clone();
    stage.call(Service::Lambda, WEST, "UpdateEventSourceMapping", change);
}

async fn delete(stage: &Stage, function: &str) {
    let uuid = mapping(stage, WEST, function)["UUID"].clone();
    stage.call(Service::Lambda, WEST, "DeleteEventSourceMapping", json!({"UUID": uuid}));
    stage.pass(2 * MINUTE).await;
}

/// Active in the standby; the replicator's mapping in the primary has settings of its own.
async fn over(seed: u64) -> (Stage, Value) {
    let stage = Stage::post(seed);
    let settings = json!({"BatchSize": 77, "MaximumRetryAttempts": 9,
        "FunctionResponseTypes": ["ReportBatchItemFailures"]});
    change(&stage, REPLICATOR, settings);
    stage.pass(5 * MINUTE).await;
    let before = mapping(&stage, WEST, REPLICATOR);
    stage.must_fail_over().await;
    (stage, before)
}

fn must_be_as(stage: &Stage, before: &Value) {
    let there = mapping(stage, WEST, REPLICATOR);
    assert_ne!(there["UUID"], before["UUID"]);
    KEPT.iter().for_each(|key| assert_eq!(there[key], before[key], "{key}"));
}

#[tokio::test(start_paused = true)]
async fn a_replicator_whose_mapping_is_gone_gets_one_as_it_was_seen_last() {
    let (stage, before) = over(1501).await;
    delete(&stage, REPLICATOR).await;
    stage.must_fail_back().await;
    must_be_as(&stage, &before);
    assert!(said(&stage).contains("is made as a look from this machine saw it"), "{}", said(&stage));
    stage.must_have_lost_nothing().await;
}

/// Lambda's defaults pass over what the function reports as failed: they are not taken unasked.
#[tokio::test(start_paused = true)]
async fn a_replicator_whose_settings_nobody_saw_is_not_made_with_defaults_unasked() {
    let (stage, before) = over(1502).await;
    delete(&stage, REPLICATOR).await;
    stage.lose_the_journal();
    let sent = stage.mutations().len();
    let refused = stage.failback(&stage.back()).await.expect_err("nothing shows the settings");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(
        refused.message.contains("1 check forbids this failback: mapping_settings;"),
        "{}",
        refused.message
    );
    assert!(said(&stage).contains("ReportBatchItemFailures"), "{}", said(&stage));
    assert_eq!(stage.mutations().len(), sent);

    let mut args = stage.back();
    args.accept.checks = vec!["mapping_settings".to_owned()];
    args.accept.reason = Some("it had none".to_owned());
    stage.expect(stage.failback(&args).await, Exit::Done);
    let there = mapping(&stage, WEST, REPLICATOR);
    assert_ne!(there["BatchSize"], before["BatchSize"]);
    assert_eq!(there["MetricsConfig"]["Metrics"], json!(["EventCount"]), "polling could not be proven");
    stage.must_have_lost_nothing().await;
}

/// The expired mapping is deleted in an early stage and replaced in a late one. A run that is cut off in between goes on
/// with its settings: by its journal, or where that is gone, by what its own look saw.
#[tokio::test(start_paused = true)]
async fn a_way_back_that_is_cut_off_before_the_replacement_makes_it_as_the_replaced_one() {
    for journal_is_kept in [true, false] {
        let (stage, before) = over(1503).await;
        stage.sandbox.with_world(|world| world.set_rate(0.05));
        stage.pass(25 * 60 * MINUTE).await;
        stage.lose_the_journal();
        let is_there = || stage.mappings(WEST).iter().any(|m| m["UUID"] == before["UUID"]);
        cut_off(stage.failback(&stage.back()), || !is_there()).await;
        if !journal_is_kept {
            let folders = std::fs::read_dir(stage.state.path()).expect("the state folder").flatten();
            let runs = folders.map(|found| found.path()).filter(|path| path.join("journal.jsonl").exists());
            runs.for_each(|run| std::fs::remove_dir_all(run).expect("a run's folder"));
        }
        stage.must_fail_back().await;
        must_be_as(&stage, &before);
        stage.must_have_lost_nothing().await;
    }
}

/// Whoever tunes the stopped mapping makes its LastModified newer, and nobody has read what arrived before that.
#[tokio::test(start_paused = true)]
async fn a_later_change_of_the_stopped_mapping_does_not_hide_what_arrived_before_it() {
    let (stage, _) = over(1504).await;
    stage.pass(10 * MINUTE).await;
    let record = json!({"StreamName": STREAM, "PartitionKey": "k", "Data": "eA=="});
    stage.call(Service::Kinesis, WEST, "PutRecord", record);
    stage.pass(30 * MINUTE).await;
    change(&stage, CONSUMER, json!({"BatchSize": 50}));
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);
    let told = "1 record(s) arrived in us-west-2 after its consumer was stopped";
    assert!(said(&stage).contains(told), "{}", said(&stage));
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}
