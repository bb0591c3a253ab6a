//! The primary's consumer on its way back: its kept mapping, or the one that takes its place, skips nothing and gives
//! nothing up that waits for it; and what it has nothing to do with does not hold it up.

use super::post::{
    CONSUMER, EAST, REPLICATOR, STREAM, WEST, cut_off, left_in_an_emergency, mapping, remap, said, set_fault,
    set_faults, stream_arn,
};
use crate::simulation::stage::{MINUTE, Stage};
use kdsha::cli::args::{FailbackArgs, FailoverArgs};
use kdsha::model::{Exit, StartAt};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::{FunctionFault, Story};
use serde_json::{Value, json};

fn update(stage: &Stage, region_name: &str, function: &str, mut change: Value) {
    change["UUID"] = mapping(stage, region_name, function)["UUID"].clone();
    stage.call(Service::Lambda, region_name, "UpdateEventSourceMapping", change);
}

fn put(stage: &Stage, region_name: &str) {
    let record = json!({"StreamName": STREAM, "PartitionKey": "k", "Data": "eA=="});
    stage.call(Service::Kinesis, region_name, "PutRecord", record);
}

async fn delete(stage: &Stage, region_name: &str, function: &str) {
    let uuid = mapping(stage, region_name, function)["UUID"].clone();
    stage.call(Service::Lambda, region_name, "DeleteEventSourceMapping", json!({"UUID": uuid}));
    stage.pass(2 * MINUTE).await;
}

fn journals(stage: &Stage) -> String {
    let folders = std::fs::read_dir(stage.state.path()).expect("the state folder").flatten();
    folders.filter_map(|folder| std::fs::read_to_string(folder.path().join("journal.jsonl")).ok()).collect()
}

fn dry(stage: &Stage) -> FailbackArgs {
    FailbackArgs { dry_run: true, ..stage.back() }
}

/// A failback that is refused for `check` alone, with nothing changed.
async fn must_be_refused(stage: &Stage, check: &str) {
    let before = stage.mutations().len();
    let refused = stage.failback(&stage.back()).await.expect_err("it is not safe");
    assert_eq!(refused.exit, Exit::Blocked);
    let named = format!("1 check forbids this failback: {check};");
    assert!(refused.message.contains(&named), "{} {:?}", refused.message, refused.hints);
    assert_eq!(stage.mutations().len(), before);
}

/// The way out that a refused record age comes with leads on: nothing is given up any more, and nothing is lost.
async fn the_way_out_must_lead_on(stage: &Stage, region_name: &str) {
    update(stage, region_name, CONSUMER, json!({"MaximumRecordAgeInSeconds": -1}));
    stage.pass(3 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Left in an emergency with records that were neither replicated nor processed, settled, and well again.
async fn stranded(seed: u64) -> Stage {
    let stage = left_in_an_emergency(seed, &[REPLICATOR, CONSUMER]).await;
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    set_faults(&stage, &[REPLICATOR, CONSUMER], None);
    stage.pass(5 * MINUTE).await;
    assert!(stage.sandbox.with_world(|world| world.stranded()) > 0, "nothing was stranded");
    stage
}

/// Moved as planned, with a mapping in the primary that gives records up after 40 minutes.
async fn drained(seed: u64) -> Stage {
    let stage = Stage::post(seed);
    remap(&stage, json!({"MaximumRecordAgeInSeconds": 2400})).await;
    stage.pass(10 * MINUTE).await;
    stage.must_fail_over().await;
    stage
}

#[tokio::test(start_paused = true)]
async fn a_record_age_does_not_hold_up_the_way_back_where_nothing_was_left() {
    let stage = drained(1401).await;
    stage.pass(60 * MINUTE).await;
    stage.must_fail_back().await;
    let written = journals(&stage);
    assert!(
        written.contains("nothing waits for it: the failover drained it, and no arrival was counted since")
    );
    stage.must_have_lost_nothing().await;
}

/// What an emergency left is as old as its position: a mapping that would give it up is not enabled, and the way out
/// leads on.
#[tokio::test(start_paused = true)]
async fn a_record_age_holds_up_the_way_back_where_an_emergency_left_records() {
    let stage = stranded(1402).await;
    update(&stage, WEST, CONSUMER, json!({"MaximumRecordAgeInSeconds": 600}));
    stage.pass(MINUTE).await;
    must_be_refused(&stage, "record_age").await;
    the_way_out_must_lead_on(&stage, WEST).await;
}

/// Somebody put a record after the stop, and somebody changed the mapping later, which does not make the record younger.
#[tokio::test(start_paused = true)]
async fn a_record_age_holds_up_the_way_back_where_a_record_arrived_after_the_stop() {
    let stage = drained(1403).await;
    stage.pass(10 * MINUTE).await;
    put(&stage, WEST);
    stage.pass(60 * MINUTE).await;
    update(&stage, WEST, CONSUMER, json!({"BatchSize": 50}));
    stage.pass(MINUTE).await;
    must_be_refused(&stage, "record_age").await;
    assert!(said(&stage).contains("1 record(s) arrived after it had stopped"), "{}", said(&stage));
}

/// The metrics reach back three hours: whether anything arrived before that is not known, and is not made up.
#[tokio::test(start_paused = true)]
async fn a_record_age_is_not_judged_by_metrics_that_do_not_reach_back() {
    let stage = drained(1404).await;
    stage.pass(240 * MINUTE).await;
    must_be_refused(&stage, "record_age").await;
    assert!(said(&stage).contains("whether records wait for it is not known"), "{}", said(&stage));
    let mut args = stage.back();
    args.accept.checks = vec!["record_age".to_owned()];
    args.accept.reason = Some("nobody wrote there".to_owned());
    stage.expect(stage.failback(&args).await, Exit::Done);
    stage.must_have_lost_nothing().await;
}

/// A failback that is cut off after its mark, which is its first call.
async fn cut_off_after_its_mark(stage: &Stage) {
    let before = stage.mutations().len();
    cut_off(stage.failback(&stage.back()), || stage.mutations().len() > before).await;
    assert_eq!(mapping(stage, WEST, CONSUMER)["State"], "Disabled");
}

/// What waits grows old while a run is cut off: its mapping is not enabled any more, and the way out leads on.
#[tokio::test(start_paused = true)]
async fn a_way_back_that_goes_on_late_does_not_enable_what_would_give_records_up() {
    for journal_is_kept in [true, false] {
        let stage = stranded(1417).await;
        update(&stage, WEST, CONSUMER, json!({"MaximumRecordAgeInSeconds": 3600}));
        stage.pass(MINUTE).await;
        cut_off_after_its_mark(&stage).await;
        stage.pass(60 * MINUTE).await;
        if !journal_is_kept {
            stage.lose_the_journal();
        }
        stage.expect(stage.failback(&stage.back()).await, Exit::StepFailed);
        assert!(said(&stage).contains("gives up records older than 3600 s"), "{}", said(&stage));
        assert_eq!(mapping(&stage, WEST, CONSUMER)["State"], "Disabled");
        the_way_out_must_lead_on(&stage, WEST).await;
    }
}

/// The mark of the failover, which drained, has given way to that of the failback: what this knew still counts.
#[tokio::test(start_paused = true)]
async fn a_way_back_that_goes_on_is_not_held_up_where_nothing_was_left() {
    let stage = drained(1418).await;
    stage.pass(60 * MINUTE).await;
    cut_off_after_its_mark(&stage).await;
    stage.pass(10 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    stage.must_have_lost_nothing().await;
}

/// A deploy set the producers back after an emergency, and a planned run moved them once more: its drain was of nobody,
/// since the consumer had been stopped before.
#[tokio::test(start_paused = true)]
async fn a_planned_run_after_an_emergency_has_drained_nothing() {
    let stage = Stage::post(1405);
    let home = stage.environment();
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Fails));
    stage.pass(5 * MINUTE).await;
    // So that nothing arrives after the stop, which would tell as well.
    stage.sandbox.with_world(|world| world.set_rate(0.0));
    stage.pass(3 * MINUTE).await;
    let emergency = FailoverArgs { emergency: true, ..stage.over() };
    stage.expect(stage.failover(&emergency).await, Exit::Done);
    set_fault(&stage, WEST, CONSUMER, None);
    let input = json!({"FunctionName": super::post::PRODUCER, "Environment": {"Variables": home}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(5 * MINUTE).await;
    stage.must_fail_over().await;
    update(&stage, WEST, CONSUMER, json!({"MaximumRecordAgeInSeconds": 600}));
    stage.pass(20 * MINUTE).await;
    must_be_refused(&stage, "record_age").await;
    the_way_out_must_lead_on(&stage, WEST).await;
}

/// No mapping was kept: the new one is a clone of the standby's, whose age limit is shorter than what waits is old.
#[tokio::test(start_paused = true)]
async fn a_new_mapping_that_would_give_up_what_waits_for_it_is_not_created() {
    let stage = stranded(1406).await;
    delete(&stage, WEST, CONSUMER).await;
    update(&stage, EAST, CONSUMER, json!({"MaximumRecordAgeInSeconds": 600}));
    stage.pass(3 * MINUTE).await;
    must_be_refused(&stage, "record_age").await;
    let uuid = mapping(&stage, EAST, CONSUMER)["UUID"].as_str().expect("an id").to_owned();
    let way_out = format!("--region us-east-2 --uuid {uuid} --maximum-record-age-in-seconds -1");
    assert!(said(&stage).contains(&way_out), "{}", said(&stage));
    the_way_out_must_lead_on(&stage, EAST).await;
}

/// The kept mapping has expired: the one that takes its place reads all that the stream still has, which may be as old
/// as the retention.
#[tokio::test(start_paused = true)]
async fn a_mapping_in_the_place_of_an_expired_one_must_take_what_is_as_old_as_the_retention() {
    let stage = stranded(1407).await;
    update(&stage, WEST, CONSUMER, json!({"MaximumRecordAgeInSeconds": 3600}));
    stage.sandbox.with_world(|world| world.set_rate(0.05));
    stage.pass(24 * 60 * MINUTE).await;
    put(&stage, WEST);
    stage.pass(90 * MINUTE).await;
    must_be_refused(&stage, "record_age").await;
    let said = said(&stage);
    assert!(
        said.contains("MaximumRecordAgeInSeconds is 3600, and what waits for it may be 1d old"),
        "{said}"
    );
}

/// Whoever tags or tunes a mapping that is stopped does not make its checkpoint any younger.
#[tokio::test(start_paused = true)]
async fn a_change_of_a_stopped_mapping_does_not_make_its_checkpoint_younger() {
    let stage = stranded(1408).await;
    let before = [CONSUMER, REPLICATOR].map(|reader| mapping(&stage, WEST, reader)["UUID"].clone());
    stage.sandbox.with_world(|world| world.set_rate(0.05));
    stage.pass(25 * 60 * MINUTE).await;
    for reader in [CONSUMER, REPLICATOR] {
        update(&stage, WEST, reader, json!({"BatchSize": 50}));
    }
    stage.pass(5 * MINUTE).await;
    stage.must_fail_back().await;
    assert!(said(&stage).contains("longer than the retention of 24 h"), "{}", said(&stage));
    let after = [CONSUMER, REPLICATOR].map(|reader| mapping(&stage, WEST, reader)["UUID"].clone());
    assert!(before.iter().all(|uuid| !after.contains(uuid)), "an expired checkpoint was trusted");
}

/// A planned run's checkpoint is as old as the run's mark, and not as old as a start that the operator gave.
#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_is_not_expired_is_kept() {
    let stage = Stage::post(1409);
    let before = mapping(&stage, WEST, CONSUMER)["UUID"].clone();
    let early = StartAt::Timestamp(stage.sandbox.now() - 23 * 60 * MINUTE);
    let args = FailoverArgs { start_at: Some(early), ..stage.over() };
    stage.expect(stage.failover(&args).await, Exit::Done);
    stage.sandbox.with_world(|world| world.set_rate(0.05));
    stage.pass(4 * 60 * MINUTE).await;
    stage.must_fail_back().await;
    assert_eq!(mapping(&stage, WEST, CONSUMER)["UUID"], before);
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_flag_that_finds_nothing_to_skip_is_said_to_have_no_effect() {
    let told = "--skip-stranded has no effect";
    let skipping = |stage: &Stage| FailbackArgs { skip_stranded: true, ..dry(stage) };
    // No mapping is kept.
    let stage = stranded(1410).await;
    delete(&stage, WEST, CONSUMER).await;
    stage.expect(stage.failback(&skipping(&stage)).await, Exit::Done);
    assert!(said(&stage).contains(told) && said(&stage).contains("has no mapping"), "{}", said(&stage));
    // It runs.
    let stage = stranded(1411).await;
    update(&stage, WEST, CONSUMER, json!({"Enabled": true}));
    stage.pass(3 * MINUTE).await;
    let refused = stage.failback(&skipping(&stage)).await.unwrap_or_else(|failure| failure.exit);
    assert_eq!(refused, Exit::Blocked);
    assert!(said(&stage).contains(told) && said(&stage).contains("is Enabled"), "{}", said(&stage));
    // Both always run.
    let stage = Stage::of(1412, &Story { warm: true, ..Stage::light() });
    stage.must_fail_over().await;
    stage.expect(stage.failback(&skipping(&stage)).await, Exit::Done);
    assert!(said(&stage).contains(told) && said(&stage).contains("warm"), "{}", said(&stage));
    // Where it has one, nothing of the kind is said.
    let stage = stranded(1413).await;
    stage.expect(stage.failback(&skipping(&stage)).await, Exit::Done);
    assert!(!said(&stage).contains(told), "{}", said(&stage));
}

/// What the operator gives up, and nothing more: as many records as were stranded, and none that came later.
#[tokio::test(start_paused = true)]
async fn what_is_skipped_is_what_was_stranded() {
    let stage = stranded(1420).await;
    let stranded = stage.sandbox.with_world(|world| world.stranded());
    let kept = mapping(&stage, WEST, CONSUMER)["UUID"].clone();
    let args = FailbackArgs { skip_stranded: true, ..stage.back() };
    stage.expect(stage.failback(&args).await, Exit::Done);
    assert!(said(&stage).contains("they will not be processed"), "{}", said(&stage));
    assert_ne!(mapping(&stage, WEST, CONSUMER)["UUID"], kept);
    let ledger = stage.account().await;
    assert_eq!((ledger.lost, ledger.pending), (stranded, 0), "{ledger:?}");
}

/// Created LATEST in the middle of an outage, and stopped before it had read: enabled, it would begin at the newest
/// record. It gives way to one that begins at the cut-over position.
#[tokio::test(start_paused = true)]
async fn a_kept_mapping_at_latest_that_has_never_read_is_replaced() {
    let stage = Stage::post(1414);
    stage.pass(10 * MINUTE).await;
    delete(&stage, WEST, CONSUMER).await;
    set_fault(&stage, WEST, REPLICATOR, Some(FunctionFault::Fails));
    let input = json!({"FunctionName": CONSUMER, "EventSourceArn": stream_arn(WEST),
        "StartingPosition": "LATEST", "Enabled": false});
    let latest = stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input)["UUID"].clone();
    stage.pass(5 * MINUTE).await;
    let emergency = FailoverArgs { emergency: true, ..stage.over() };
    stage.expect(stage.failover(&emergency).await, Exit::Done);
    set_fault(&stage, WEST, REPLICATOR, None);
    stage.pass(5 * MINUTE).await;
    assert!(stage.sandbox.with_world(|world| world.stranded()) > 0, "nothing was stranded");
    stage.must_fail_back().await;
    let there = mapping(&stage, WEST, CONSUMER);
    assert_ne!(there["UUID"], latest, "{}", said(&stage));
    assert_eq!(there["StartingPosition"], "AT_TIMESTAMP");
    assert!(said(&stage).contains("has processed no record"), "{}", said(&stage));
    stage.must_have_lost_nothing().await;
}

/// The same of a replicator: what arrives between the switch and its first poll would not be copied.
#[tokio::test(start_paused = true)]
async fn a_kept_replicator_at_latest_is_replaced_or_warned_of_as_a_consumer_is() {
    let stage = Stage::post(1419);
    let mut input = json!({"FunctionName": REPLICATOR, "StartingPosition": "LATEST"});
    input["EventSourceArn"] = mapping(&stage, WEST, REPLICATOR)["EventSourceArn"].clone();
    delete(&stage, WEST, REPLICATOR).await;
    stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input.clone());
    stage.pass(20 * MINUTE).await;
    let read = mapping(&stage, WEST, REPLICATOR)["UUID"].clone();
    stage.must_fail_over().await;
    stage.expect(stage.failback(&dry(&stage)).await, Exit::Done);
    assert!(said(&stage).contains("would not be copied"), "{}", said(&stage));
    stage.must_fail_back().await;
    assert_eq!(mapping(&stage, WEST, REPLICATOR)["UUID"], read);

    stage.pass(10 * MINUTE).await;
    stage.must_fail_over().await;
    delete(&stage, WEST, REPLICATOR).await;
    input["Enabled"] = json!(false);
    let unread = stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input)["UUID"].clone();
    stage.pass(2 * MINUTE).await;
    stage.must_fail_back().await;
    let there = mapping(&stage, WEST, REPLICATOR);
    assert_ne!(there["UUID"], unread);
    assert_eq!(there["StartingPosition"], "AT_TIMESTAMP");
    stage.must_have_lost_nothing().await;
}

/// One that has read holds checkpoints, and is kept; what it does on a shard without one is said, and how to be sure.
#[tokio::test(start_paused = true)]
async fn a_kept_mapping_at_latest_that_has_read_is_kept_with_a_warning() {
    let stage = Stage::post(1415);
    remap(&stage, json!({"StartingPosition": "LATEST"})).await;
    let latest = mapping(&stage, WEST, CONSUMER)["UUID"].as_str().expect("an id").to_owned();
    stage.must_fail_over().await;
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.failback(&dry(&stage)).await, Exit::Done);
    let said = said(&stage);
    assert!(said.contains("kept mapping") && said.contains("was created LATEST"), "{said}");
    let way_out = format!("`aws lambda delete-event-source-mapping --region us-west-2 --uuid {latest}`");
    assert!(said.contains(&way_out), "{said}");
    stage.must_fail_back().await;
    assert_eq!(mapping(&stage, WEST, CONSUMER)["UUID"], latest.as_str());
    // The way out is one.
    let stage = Stage::post(1416);
    remap(&stage, json!({"StartingPosition": "LATEST"})).await;
    let before = stage.sandbox.with_world(|world| world.ledger()).lost;
    stage.must_fail_over().await;
    stage.pass(5 * MINUTE).await;
    delete(&stage, WEST, CONSUMER).await;
    stage.must_fail_back().await;
    assert_eq!(mapping(&stage, WEST, CONSUMER)["StartingPosition"], "AT_TIMESTAMP");
    let lost = stage.account().await.lost;
    assert_eq!(lost, before, "the way out skipped records");
}
