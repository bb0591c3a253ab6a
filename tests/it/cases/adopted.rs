//! Mappings that somebody made, or is deleting, while kdsha creates its own, and answers to that which are lost; mappings
//! through an alias; and what a start waits for.

use super::post::{CONSUMER, EAST, WEST, mapping, said, stream_arn};
use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::model::{Exit, Timestamp};
use kdsha::sandbox::Logged;
use kdsha::sandbox::call::{ApiCall, Service};
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{Delays, Span, Story};
use serde_json::{Value, json};
use std::time::Duration;

/// What happens to kdsha's first Create.
fn befalls_the_create(stage: &Stage, fault: Fault) {
    let operation = Some("CreateEventSourceMapping".to_owned());
    stage.sandbox.inject(Rule { operation, times: Some(1), fault: Some(fault), ..Rule::default() });
}

/// Somebody's mapping of the standby's consumer, disabled, at the tip.
fn somebodys() -> ApiCall {
    ApiCall {
        service: Service::Lambda,
        region: region(EAST),
        account: "123456789012".parse().expect("an account"),
        operation: "CreateEventSourceMapping".to_owned(),
        input: json!({"FunctionName": CONSUMER, "EventSourceArn": stream_arn(EAST),
            "StartingPosition": "LATEST", "Enabled": false}),
    }
}

fn calls(stage: &Stage, operation: &str) -> Vec<Logged> {
    stage.sandbox.log().into_iter().filter(|call| call.operation == operation).collect()
}

fn of_the_consumer(stage: &Stage, at: &str) -> Vec<Value> {
    let is_its = |m: &Value| m["FunctionArn"].as_str().is_some_and(|arn| arn.contains(CONSUMER));
    stage.mappings(at).into_iter().filter(is_its).collect()
}

/// The network delivered Create twice, and the answer to the second is a 409 with the first one's UUID: it is looked at,
/// starts where it should, and is taken.
#[tokio::test(start_paused = true)]
async fn a_create_that_is_answered_with_its_own_mapping_adopts_it() {
    let stage = Stage::post(320);
    befalls_the_create(&stage, Fault::Twice);
    stage.must_fail_over().await;
    assert!(said(&stage).contains("is there, "), "it was adopted by its answer: {}", said(&stage));
    assert_eq!(of_the_consumer(&stage, EAST).len(), 1);
    let sent = calls(&stage, "CreateEventSourceMapping").iter().filter(|call| !call.is_repeat).count();
    assert_eq!(sent, 1, "nothing was sent again");
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// The same answer about a mapping that starts elsewhere: it is somebody else's, and neither taken nor deleted.
#[tokio::test(start_paused = true)]
async fn a_mapping_that_somebody_made_at_the_tip_is_not_adopted() {
    let stage = Stage::post(321);
    befalls_the_create(&stage, Fault::Overtaken(Box::new(somebodys())));
    stage.expect(stage.failover(&stage.over()).await, Exit::StepFailed);
    let told = said(&stage);
    assert!(told.contains("it starts LATEST and not AT_TIMESTAMP"), "{told}");
    assert!(told.contains("aws lambda delete-event-source-mapping --uuid"), "{told}");
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], WEST);
    assert_eq!(mapping(&stage, EAST, CONSUMER)["StartingPosition"], "LATEST");
}

/// The same answer about a mapping that is being deleted: it blocks its successor until it is gone.
#[tokio::test(start_paused = true)]
async fn a_create_that_meets_a_mapping_being_deleted_waits_until_it_is_gone() {
    let delays = Delays { mapping: Span::millis(5_000, 5_000), ..Delays::default() };
    let stage = Stage::of(322, &Story { delays, ..Stage::light() });
    befalls_the_create(&stage, Fault::Overtaken(Box::new(somebodys())));
    let deletes_it = async {
        while calls(&stage, "CreateEventSourceMapping").is_empty() {
            stage.pass(Duration::from_millis(200)).await;
        }
        stage.pass(Duration::from_secs(6)).await;
        let theirs = mapping(&stage, EAST, CONSUMER)["UUID"].clone();
        stage.call(Service::Lambda, EAST, "DeleteEventSourceMapping", json!({ "UUID": theirs }));
        theirs
    };
    let over = stage.over();
    let (exit, theirs) = tokio::join!(stage.failover(&over), deletes_it);
    stage.expect(exit, Exit::Done);
    let ours = mapping(&stage, EAST, CONSUMER);
    assert_ne!(ours["UUID"], theirs);
    assert_eq!(ours["StartingPosition"], "AT_TIMESTAMP");
    assert_eq!(calls(&stage, "CreateEventSourceMapping").len(), 2, "one was refused, one was not");
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Lambda made the mapping, and its answer was lost: a look finds it, and nothing is sent again.
#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_is_looked_for_and_not_sent_again() {
    for fault in [Fault::ApplyThenDrop, Fault::ApplyThenHang] {
        let stage = Stage::post(304);
        befalls_the_create(&stage, fault);
        stage.must_fail_over().await;
        let told = said(&stage);
        assert!(told.contains("whether it took effect is looked up next"), "{told}");
        assert_eq!(calls(&stage, "CreateEventSourceMapping").len(), 1, "{told}");
        assert!(calls(&stage, "DeleteEventSourceMapping").is_empty(), "{told}");
        stage.must_fail_back().await;
        stage.must_have_lost_nothing().await;
    }
}

/// An alias of version 1 of the primary's consumer.
fn with_an_alias(stage: &Stage) {
    stage.call(Service::Lambda, WEST, "PublishVersion", json!({ "FunctionName": CONSUMER }));
    let alias = json!({"FunctionName": CONSUMER, "Name": "live", "FunctionVersion": "1"});
    stage.call(Service::Lambda, WEST, "CreateAlias", alias);
}

async fn map_the_alias(stage: &Stage) -> String {
    let input = json!({"FunctionName": format!("{CONSUMER}:live"), "EventSourceArn": stream_arn(WEST),
        "StartingPosition": "TRIM_HORIZON"});
    let made = stage.call(Service::Lambda, WEST, "CreateEventSourceMapping", input);
    stage.pass(2 * MINUTE).await;
    made["UUID"].as_str().expect("a UUID").to_owned()
}

async fn refused_for(stage: &Stage, check: &str) -> String {
    let before = stage.mutations().len();
    let refused = stage.failover(&stage.over()).await.expect_err("it should be refused");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(refused.message.contains(check), "{}", refused.message);
    assert_eq!(stage.mutations().len(), before);
    said(stage)
}

/// Lambda takes a function and its alias for two (Create refuses neither), so every record is processed twice.
#[tokio::test(start_paused = true)]
async fn two_mappings_of_which_one_is_on_an_alias_are_refused_by_name() {
    let stage = Stage::post(323);
    with_an_alias(&stage);
    let (own, other) = (mapping(&stage, WEST, CONSUMER), map_the_alias(&stage).await);
    let told = refused_for(&stage, "mapping").await;
    let both =
        format!("{} (Enabled), {other} (Enabled, of {CONSUMER}:live)", own["UUID"].as_str().expect("a UUID"));
    assert!(told.contains(&both), "`{both}` is not in: {told}");
}

/// The one mapping that there is invokes an alias: a clone of it would invoke $LATEST, which may be other code.
#[tokio::test(start_paused = true)]
async fn a_single_mapping_on_an_alias_is_refused_by_name() {
    let stage = Stage::post(324);
    with_an_alias(&stage);
    let own = mapping(&stage, WEST, CONSUMER);
    stage.call(Service::Lambda, WEST, "DeleteEventSourceMapping", json!({ "UUID": own["UUID"] }));
    stage.pass(2 * MINUTE).await;
    let other = map_the_alias(&stage).await;
    let told = refused_for(&stage, "mapping").await;
    assert!(told.contains(&format!("mapping {other} invokes {CONSUMER}:live")), "{told}");
    assert!(told.contains("bind the mapping to the function itself"), "{told}");
}

/// `Enabled` comes four minutes before the first poll: nothing is verified or closed in between.
#[tokio::test(start_paused = true)]
async fn a_run_is_not_closed_before_the_mapping_polls() {
    let polls = 4 * MINUTE;
    let slow = Delays { polling_starts: Span::millis(240_000, 240_000), ..Delays::default() };
    let stage = Stage::of(325, &Story { delays: slow, ..Stage::light() });
    stage.must_fail_over().await;
    let (enabled, closed) = (calls(&stage, "UpdateEventSourceMapping"), calls(&stage, "AddTagsToStream"));
    let enabled = enabled.iter().rfind(|call| call.region == region(EAST)).expect("an update");
    let closed = closed.last().expect("a mark");
    assert!(closed.at.duration_since(enabled.at).unsigned_abs() >= polls, "{} {}", enabled.at, closed.at);
}

/// When the data point began by which a mapping is said to poll.
fn seen_to_poll(told: &str, uuid: &Value) -> Timestamp {
    let evidence = format!("mapping {} polls: ", uuid.as_str().expect("a UUID"));
    let (_, metric_and_instant) = told.split_once(&evidence).unwrap_or_else(|| panic!("{evidence}? {told}"));
    let instant = metric_and_instant.split_whitespace().nth(2);
    let instant = instant.and_then(|word| word.parse().ok());
    instant.unwrap_or_else(|| panic!("{evidence}when? {told}"))
}

/// The kept mappings of the primary polled until a few minutes before: that proves nothing of their start.
#[tokio::test(start_paused = true)]
async fn a_start_is_proven_by_a_data_point_of_after_it() {
    let stage = Stage::post(306);
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    let mut starts = calls(&stage, "UpdateEventSourceMapping");
    starts.retain(|call| call.input["Enabled"] == true);
    assert_eq!(starts.len(), 3, "the standby's consumer, the primary's, the replicator");
    let told = said(&stage);
    for start in starts {
        let polled = seen_to_poll(&told, &start.input["UUID"]);
        assert!(polled >= start.at, "{polled} is before {}: {told}", start.at);
    }
}
