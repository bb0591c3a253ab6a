//! The ways in which the manual steps of the AWS post lose, loop, wipe, stick or double records, by the step that does
//! it. Each is prevented, or said before anything changes.
//!
//! | the post's step | what goes wrong | test |
//! |---|---|---|
//! | set the producer's environment | other variables are wiped | [`the_other_variables_of_the_producer_stay_as_they_are`] |
//! | ″ | behind an alias nothing changes | `producers::a_producer_behind_an_alias_gets_a_new_version_and_its_alias_is_moved` |
//! | ″ | invocations in flight write to the old Region | `producers::invocations_in_flight_are_awaited` |
//! | ″ | the failing Region does not answer | `journeys::a_silent_region_is_left_at_once_and_what_it_owes_is_settled_later` |
//! | ″ | a deploy switches it back | [`a_deploy_that_resets_the_producer_is_a_deviation`], [`what_arrives_after_a_planned_stop_is_said_with_its_expiry`] |
//! | recreate the consumer at LATEST | stranded records are skipped for good | [`stranded_records_are_processed_and_latest_is_in_no_call`] |
//! | enable it again | old values are written last | [`a_replay_is_said_before_it_is_confirmed`] |
//! | wait for an age of 0 | the Region recovers by itself and pushes stale records | [`a_region_that_recovers_by_itself_is_fenced`] |
//! | ″ | missing is taken for zero, a failing function for an idle one, another reader for ours | `drains` |
//! | ″ | somebody goes on putting | [`a_producer_that_nobody_moved_is_named_and_nothing_is_stopped`], [`a_producer_that_nobody_moved_is_seen_after_the_failover_too`] |
//! | delete "the" mapping | there are more than 100, and some of other streams | [`the_right_mapping_is_found_among_hundreds`] |
//! | recreate the replicator at LATEST | records between switch and first poll never arrive | [`the_replicator_goes_on_from_its_checkpoint_once_the_standby_has_stopped`] |
//! | add a replicator the other way | an endless loop | [`a_replicator_the_other_way_is_refused`] |
//! | the replicator's code | a poison record blocks its shard | [`a_replicator_that_fails_is_never_drained`] |
//! | ″ | batches of more than 500, records of more than 1 MiB | [`a_batch_that_put_records_cannot_take_is_warned_of`], [`a_record_that_the_standby_cannot_take_is_warned_of`] |
//! | the health check | throttling counts, partial failure does not | `preflight::throttling_is_shown_apart_and_is_not_degraded` |
//! | "spin up" the consumer | no concurrency, function inactive | `preflight::everything_that_stands_in_the_way_is_listed_at_once`, `producers` |
//! | run twice, or by two | a second position, half of each | [`the_same_command_again_changes_nothing`], `operators` |
//! | delete, then create | 409 until it is gone | [`a_mapping_that_is_still_being_deleted_is_waited_for`] |
//! | come back a day later | stranded records expire | [`what_expires_before_the_failback_is_said_first`], [`what_an_emergency_strands_is_said_with_its_expiry`], [`what_an_emergency_from_the_oldest_record_strands_is_said_with_its_expiry`] |
//!
//! Four are outside what kdsha can see or change. Partial success of PutRecords in the replicator's code, its explicit
//! hash keys, and a producer's own retries into both Regions are code of the customer: the sink's keys decide whether
//! such duplicates matter, and `README.md` says so. How far DynamoDB's global table has caught up has no exact metric:
//! `verify` samples the sink instead.

use super::post::{
    CONSUMER, EAST, PRODUCER, REPLICATOR, STREAM, WEST, left_in_an_emergency, mapping, remap, said,
    set_fault, set_faults, stream_arn,
};
use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::cli::args::{FailbackArgs, FailoverArgs};
use kdsha::cli::failure::Failure;
use kdsha::model::{Exit, StartAt};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::{FunctionFault, Story, World};
use kdsha::ui::{Format, Prompter};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn dry_run(stage: &Stage) -> Result<Exit, Failure> {
    let mut args = stage.over();
    args.dry_run = true;
    stage.failover(&args).await
}

#[tokio::test(start_paused = true)]
async fn the_other_variables_of_the_producer_stay_as_they_are() {
    let stage = Stage::post(601);
    let mut variables: serde_json::Map<String, Value> =
        stage.environment().into_iter().map(|(key, value)| (key, Value::from(value))).collect();
    variables.insert("PASSPHRASE".to_owned(), json!("äöü \"quoted\" $HOME \\ and, commas = signs"));
    variables.insert("EMPTY".to_owned(), json!(""));
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": variables}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(MINUTE).await;
    let before = stage.environment();
    stage.must_fail_over().await;
    let there = stage.environment();
    let changed: Vec<&String> = before.keys().filter(|key| before[*key] != there[*key]).collect();
    assert_eq!((changed, before.len()), (vec![&"PRODUCING_TO_REGION".to_owned()], there.len()));
    stage.must_fail_back().await;
    assert_eq!(stage.environment(), before);
    assert!(!said(&stage).contains("quoted"), "a value of another key was printed");
}

/// Of two warm pipelines a deploy sets one back: it alone is moved again, and both come home together.
#[tokio::test(start_paused = true)]
async fn a_deploy_that_resets_one_warm_pipeline_of_two_leaves_the_other_alone() {
    let stage = Stage::of(616, &Story { pipelines: 2, warm: true, ..Stage::light() });
    let home = stage.environment();
    stage.must_fail_over().await;
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": home}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(MINUTE).await;
    stage.expect(stage.verify().await, Exit::Deviation);
    assert!(said(&stage).contains("if it is meant, remove the tags kdsha:*"), "{}", said(&stage));
    let before = stage.mutations().len();
    stage.must_fail_over().await;
    assert!(said(&stage).contains("is active in us-east-2 already: left as it is"), "{}", said(&stage));
    let calls: Vec<String> =
        stage.mutations().split_off(before).into_iter().map(|call| call.operation).collect();
    assert_eq!(calls, ["AddTagsToStream", "UpdateFunctionConfiguration", "AddTagsToStream"]);
    stage.expect(stage.verify().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_resets_the_producer_is_a_deviation() {
    let stage = Stage::post(602);
    let home = stage.environment();
    stage.must_fail_over().await;
    stage.expect(stage.verify().await, Exit::Done);
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": home}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(MINUTE).await;
    stage.expect(stage.verify().await, Exit::Deviation);
    assert!(said(&stage).contains("`kdsha failover --to us-east-2` switches them again"), "{}", said(&stage));
    stage.expect(stage.status(Format::Human).await, Exit::Deviation);
    // The advice is true, and what was written to the old Region meanwhile is not lost.
    stage.pass(5 * MINUTE).await;
    let before = stage.mutations().len();
    stage.must_fail_over().await;
    let calls: Vec<String> =
        stage.mutations().split_off(before).into_iter().map(|call| call.operation).collect();
    assert_eq!(calls, ["AddTagsToStream", "UpdateFunctionConfiguration", "AddTagsToStream"]);
    stage.expect(stage.verify().await, Exit::Done);
    stage.pass(5 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// What nobody replicated before the outage lies in the old stream: it is processed after the failback, because the
/// old mapping was kept and goes on from its checkpoint.
#[tokio::test(start_paused = true)]
async fn stranded_records_are_processed_and_latest_is_in_no_call() {
    let stage = left_in_an_emergency(603, &[REPLICATOR, CONSUMER]).await;
    stage.pass(10 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    set_faults(&stage, &[REPLICATOR, CONSUMER], None);
    stage.pass(5 * MINUTE).await;
    let stranded = stage.sandbox.with_world(|world| world.stranded());
    stage.must_fail_back().await;
    let creates: Vec<_> =
        stage.mutations().into_iter().filter(|call| call.operation == "CreateEventSourceMapping").collect();
    assert!(!creates.is_empty());
    let starts: Vec<Value> = stage
        .mappings(WEST)
        .iter()
        .chain(&stage.mappings(EAST))
        .map(|m| m["StartingPosition"].clone())
        .collect();
    assert!(starts.iter().all(|start| start != "LATEST"), "{starts:?}");
    assert!(stranded > 0, "nothing was stranded, so nothing was shown");
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_replay_is_said_before_it_is_confirmed() {
    let stage = Stage::post(604);
    stage.must_fail_over().await;
    stage.pass(5 * MINUTE).await;
    let ui = stage.ui(Format::Human);
    let mut session = stage.session().await;
    let typed: &[u8] = b"y\nn\n";
    session.prompter = std::cell::RefCell::new(Prompter::with_reader(&ui, Box::new(typed)));
    let args = FailbackArgs { yes: false, ..stage.back() };
    stage.expect(kdsha::cli::failback::run(&session, &ui, &args).await, Exit::Declined);
    let said = said(&stage);
    assert!(said.contains("Records that were processed in the standby may come again here"), "{said}");
}

/// Nobody stopped the old readers, since nobody could: once the Region is back they push what is old. `verify` nags
/// until `resume` has stopped them.
#[tokio::test(start_paused = true)]
async fn a_region_that_recovers_by_itself_is_fenced() {
    let stage = left_in_an_emergency(605, &[]).await;
    stage.pass(3 * MINUTE).await;
    let on = |stage: &Stage| stage.mappings(WEST).iter().filter(|m| m["State"] == "Enabled").count();
    assert_eq!(on(&stage), 2, "the old readers run again by themselves");
    stage.expect(stage.verify().await, Exit::Deviation);
    assert!(said(&stage).contains("kdsha resume"));
    stage.expect(stage.resume().await, Exit::Done);
    assert_eq!(on(&stage), 0);
    stage.pass(5 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// An emergency does not drain: what it leaves behind waits no longer than the retention, and the plan, the run and
/// every later look say until when. A planned run leaves nothing, and says nothing.
#[tokio::test(start_paused = true)]
async fn what_an_emergency_strands_is_said_with_its_expiry() {
    let stage = left_in_an_emergency(617, &[]).await;
    for told in [
        "stays stranded in us-west-2 and waits for the failback; the first may expire at",
        "more arrive until the producers are switched, and expire 24 h after their arrival",
    ] {
        assert!(said(&stage).contains(told), "{told}: {}", said(&stage));
    }
    stage.expect(stage.resume().await, Exit::Done);
    assert!(said(&stage).contains("records stranded in us-west-2 wait for the failback"), "{}", said(&stage));
    stage.expect(stage.verify().await, Exit::Done);
    let before = said(&stage);
    assert!(before.contains("the emergency did not drain its consumer: at most"), "{before}");
    assert!(before.contains("increase-stream-retention-period"), "{before}");
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;

    let planned = Stage::post(618);
    planned.must_fail_over().await;
    planned.expect(planned.verify().await, Exit::Done);
    assert!(!said(&planned).contains("stranded in"), "{}", said(&planned));
    assert!(!said(&planned).contains("did not drain"), "{}", said(&planned));
}

/// An emergency that starts at the standby's oldest record leaves what its data points say, whatever it repeats.
#[tokio::test(start_paused = true)]
async fn what_an_emergency_from_the_oldest_record_strands_is_said_with_its_expiry() {
    let stage = Stage::post(632);
    let start_at = Some(StartAt::TrimHorizon);
    let args = FailoverArgs { emergency: true, dry_run: true, start_at, ..stage.over() };
    stage.expect(stage.failover(&args).await, Exit::Done);
    let told =
        "stays stranded in us-west-2 and waits for the failback; the first may expire at 2026-03-03T02:3";
    assert!(said(&stage).contains(told), "{}", said(&stage));
}

/// A planned run that stops between the switch and the start of the standby's consumer: what is written there meanwhile waits,
/// no longer than the standby's retention.
#[tokio::test(start_paused = true)]
async fn what_waits_in_the_standby_of_a_run_that_drags_is_said_with_its_expiry() {
    let stage = Stage::post(624);
    set_fault(&stage, WEST, CONSUMER, Some(FunctionFault::Fails));
    let args = FailoverArgs { timeout: Some(12 * MINUTE), ..stage.over() };
    let exit = stage.failover(&args).await;
    stage.expect(exit, Exit::TimedOut);
    stage.expect(stage.verify().await, Exit::Deviation);
    let told = "what the producers write to us-east-2 is stranded until its consumer is started; the first may expire at \
                2026-03-03T03:";
    assert!(said(&stage).contains(told), "{}", said(&stage));
    set_fault(&stage, WEST, CONSUMER, None);
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// A deploy sets the producer back when the primary's consumer has been stopped: what arrives until the next run has
/// switched it again is read by nobody, and would expire in silence.
#[tokio::test(start_paused = true)]
async fn what_arrives_after_a_planned_stop_is_said_with_its_expiry() {
    let stage = Stage::post(623);
    let deploy = async {
        while !stage.stderr.text().contains("] Start the consumer in us-east-2") {
            tokio::time::sleep(MINUTE / 12).await;
        }
        let mut variables = stage.environment();
        variables.insert("PRODUCING_TO_REGION".to_owned(), WEST.to_owned());
        let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": variables}});
        stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    };
    let args = FailoverArgs { timeout: Some(12 * MINUTE), ..stage.over() };
    let (exit, ()) = tokio::join!(stage.failover(&args), deploy);
    stage.expect(exit, Exit::TimedOut);
    stage.must_fail_over().await;
    let said = said(&stage);
    assert!(said.contains("arrived in us-west-2 after its consumer was stopped at"), "{said}");
    assert!(said.contains("the first may expire at 2026-03-03T"), "{said}");
    stage.pass(10 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Somebody whom the configuration does not know goes on putting into the old stream: it is never quiet, so nothing
/// is stopped, and the wait says that records arrive.
#[tokio::test(start_paused = true)]
async fn a_producer_that_nobody_moved_is_named_and_nothing_is_stopped() {
    let stage = Stage::post(606);
    let putting = async {
        loop {
            let record = json!({"StreamName": STREAM, "PartitionKey": "k", "Data": "eA=="});
            stage.call(Service::Kinesis, WEST, "PutRecord", record);
            tokio::time::sleep(MINUTE / 6).await;
        }
    };
    let mut args = stage.over();
    args.timeout = Some(8 * MINUTE);
    tokio::select! {
        exit = stage.failover(&args) => stage.expect(exit, Exit::TimedOut),
        () = putting => {}
    }
    let said = said(&stage);
    assert!(said.contains("arrived"), "{said}");
    let on = stage.mappings(WEST).iter().filter(|m| m["State"] == "Enabled").count();
    assert_eq!(on, 2, "a reader was stopped while records arrive");
    stage.must_fail_over().await;
    stage.must_fail_back().await;
}

/// The same after the failover is over: nobody reads the old stream, and every look says that records arrive there.
#[tokio::test(start_paused = true)]
async fn a_producer_that_nobody_moved_is_seen_after_the_failover_too() {
    let stage = Stage::post(619);
    stage.must_fail_over().await;
    stage.pass(15 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);
    let record = json!({"StreamName": STREAM, "PartitionKey": "k", "Data": "eA=="});
    stage.call(Service::Kinesis, WEST, "PutRecord", record);
    stage.pass(3 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Deviation);
    assert!(said(&stage).contains("arrivals in KDS-HA-Stream in us-west-2"), "{}", said(&stage));
    stage.must_fail_back().await;
}

/// 120 mappings of other functions, and one of ours on another stream: the right one is found over all pages.
#[tokio::test(start_paused = true)]
async fn the_right_mapping_is_found_among_hundreds() {
    let stage = Stage::post(607);
    let another = stream_arn(WEST).replace(STREAM, "another");
    let other = json!({"StreamName": "another", "ShardCount": 1});
    stage.call(Service::Kinesis, WEST, "CreateStream", other);
    stage.pass(MINUTE).await;
    let input = json!({"FunctionName": CONSUMER, "EventSourceArn": another,
        "StartingPosition": "TRIM_HORIZON", "Enabled": false});
    let of_another = stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input)["UUID"].clone();
    for number in 0..120 {
        let name = format!("crowd-{number}");
        let function = json!({"FunctionName": name, "Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": ""},
            "Role": "arn:aws:iam::123456789012:role/KDS-HA-Role"});
        stage.call(Service::Lambda, WEST, "CreateFunction", function);
        let input = json!({"FunctionName": name, "EventSourceArn": another,
            "StartingPosition": "LATEST", "Enabled": false});
        stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input);
    }
    // Lambda lists in the order of creation here: the consumer's own is made last, and is on no first page.
    remap(&stage, json!({})).await;
    let before = all_mappings(&stage);
    let own = before.last().expect("a mapping").clone();
    assert_eq!(
        (before.len(), own["FunctionArn"].as_str().is_some_and(|f| f.ends_with(CONSUMER))),
        (123, true)
    );
    assert!(!stage.mappings(WEST).contains(&own), "Lambda lists a hundred at a time");
    let from = stage.mutations().len();
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    let calls = stage.mutations().split_off(from);
    let touched: BTreeSet<&str> = calls
        .iter()
        .filter(|call| call.operation == "UpdateEventSourceMapping" && call.region == region(WEST))
        .filter_map(|call| call.input["UUID"].as_str())
        .collect();
    let replicator =
        before.iter().find(|m| m["FunctionArn"].as_str().is_some_and(|f| f.ends_with(REPLICATOR)));
    let expected = [&own, replicator.expect("a mapping")].map(|m| m["UUID"].as_str().expect("a UUID"));
    assert_eq!(touched, BTreeSet::from(expected), "and not {of_another}, the consumer's of another stream");
    let unchanged = |all: &[Value]| {
        all.iter().filter(|m| m["EventSourceArn"] == another.as_str()).cloned().collect::<Vec<_>>()
    };
    assert_eq!(unchanged(&all_mappings(&stage)), unchanged(&before));
    stage.must_have_lost_nothing().await;
}

/// The mappings of the primary, from all pages.
fn all_mappings(stage: &Stage) -> Vec<Value> {
    let (mut found, mut input) = (Vec::new(), json!({}));
    loop {
        let page = stage.call(Service::Lambda, WEST, "ListEventSourceMappings", input);
        found.extend(page["EventSourceMappings"].as_array().expect("a list").iter().cloned());
        match page["NextMarker"].as_str() {
            Some(marker) => input = json!({ "Marker": marker }),
            None => return found,
        }
    }
}

/// The same mapping is enabled again, so what was put between the switch and its first poll is copied; and only once
/// the standby's consumer has stopped, so that what is copied is not processed twice.
#[tokio::test(start_paused = true)]
async fn the_replicator_goes_on_from_its_checkpoint_once_the_standby_has_stopped() {
    let stage = Stage::post(608);
    let before = mapping(&stage, WEST, REPLICATOR)["UUID"].clone();
    stage.must_fail_over().await;
    stage.pass(5 * MINUTE).await;
    let from = stage.mutations().len();
    stage.must_fail_back().await;
    assert_eq!(mapping(&stage, WEST, REPLICATOR)["UUID"], before);
    let calls: Vec<(String, String)> = stage
        .mutations()
        .split_off(from)
        .into_iter()
        .filter(|call| call.operation.ends_with("EventSourceMapping"))
        .map(|call| (call.region.to_string(), call.operation))
        .collect();
    let expected = [
        (WEST, "UpdateEventSourceMapping"), // the primary's consumer runs
        (EAST, "UpdateEventSourceMapping"), // the standby's stops
        (EAST, "DeleteEventSourceMapping"),
        (WEST, "UpdateEventSourceMapping"), // the replicator copies again
    ];
    assert_eq!(calls, expected.map(|(region, operation)| (region.to_owned(), operation.to_owned())));
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_replicator_the_other_way_is_refused() {
    let stage = Stage::post(609);
    let function = json!({"FunctionName": REPLICATOR, "Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": ""},
        "Role": "arn:aws:iam::123456789012:role/KDS-HA-Role"});
    stage.call(Service::Lambda, EAST, "CreateFunction", function);
    let input = json!({"FunctionName": REPLICATOR, "EventSourceArn": stream_arn(EAST),
        "StartingPosition": "LATEST"});
    stage.call(Service::Lambda, EAST, "CreateEventSourceMapping", input);
    stage.pass(3 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Deviation);
    let before = stage.mutations().len();
    let refused = stage.failover(&stage.over()).await.expect_err("records would go round");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(refused.message.contains("other_readers"), "{}", refused.message);
    assert_eq!(stage.mutations().len(), before);
}

#[tokio::test(start_paused = true)]
async fn a_replicator_that_fails_is_never_drained() {
    let stage = Stage::post(610);
    set_fault(&stage, WEST, REPLICATOR, Some(FunctionFault::Fails));
    let mut args = stage.over();
    args.timeout = Some(12 * MINUTE);
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    assert_eq!(mapping(&stage, WEST, REPLICATOR)["State"], "Enabled");
    set_fault(&stage, WEST, REPLICATOR, None);
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_put_records_cannot_take_is_warned_of() {
    let stage = Stage::post(611);
    let mapping = mapping(&stage, WEST, REPLICATOR)["UUID"].clone();
    let input = json!({"UUID": mapping, "BatchSize": 1000});
    stage.call(Service::Lambda, WEST, "UpdateEventSourceMapping", input);
    stage.pass(3 * MINUTE).await;
    stage.expect(dry_run(&stage).await, Exit::Done);
    assert!(said(&stage).contains("batch size 1000, PutRecords takes 500"), "{}", said(&stage));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_the_standby_cannot_take_is_warned_of() {
    let stage = Stage::post(612);
    let input = json!({"StreamARN": stream_arn(WEST), "MaxRecordSizeInKiB": 4096});
    stage.call(Service::Kinesis, WEST, "UpdateMaxRecordSize", input);
    stage.pass(MINUTE).await;
    stage.expect(dry_run(&stage).await, Exit::Done);
    assert!(said(&stage).contains("largest record 1024 KiB < 4096 KiB"), "{}", said(&stage));
}

#[tokio::test(start_paused = true)]
async fn the_same_command_again_changes_nothing() {
    let stage = Stage::post(613);
    stage.must_fail_over().await;
    let (before, world) = (stage.mutations().len(), stage.fingerprint());
    let again = stage.failover(&stage.over()).await.expect_err("it is there already");
    assert_eq!(again.exit, Exit::Blocked, "{}", again.message);
    assert_eq!((stage.mutations().len(), stage.fingerprint()), (before, world));
}

/// A leftover of the standby's consumer is on its way out when the run begins: Lambda answers 409 until it is gone.
#[tokio::test(start_paused = true)]
async fn a_mapping_that_is_still_being_deleted_is_waited_for() {
    let stage = Stage::post(614);
    let input = json!({"FunctionName": CONSUMER, "EventSourceArn": stream_arn(EAST),
        "StartingPosition": "LATEST", "Enabled": false});
    let made = stage.call(Service::Lambda, EAST, "CreateEventSourceMapping", input);
    stage.pass(2 * MINUTE).await;
    stage.call(Service::Lambda, EAST, "DeleteEventSourceMapping", json!({"UUID": made["UUID"]}));
    assert_eq!(mapping(&stage, EAST, CONSUMER)["State"], "Deleting");
    stage.must_fail_over().await;
    assert_ne!(mapping(&stage, EAST, CONSUMER)["UUID"], made["UUID"]);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Come back after more than a day: what the old stream held is gone. It is said, and how many at most, first.
#[tokio::test(start_paused = true)]
async fn what_expires_before_the_failback_is_said_first() {
    let stage = left_in_an_emergency(615, &[REPLICATOR, CONSUMER]).await;
    stage.pass(10 * MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    stage.sandbox.with_world(|world: &mut World| world.set_rate(0.05));
    stage.pass(25 * 60 * MINUTE).await;
    let args = FailbackArgs { dry_run: true, ..stage.back() };
    let exit = stage.failback(&args).await;
    let exit = exit.unwrap_or_else(|failure| failure.exit);
    let said = said(&stage);
    assert!(said.contains("longer than the retention of 24 h"), "{exit:?} {said}");
    assert!(said.contains("stranded"), "{said}");
}
