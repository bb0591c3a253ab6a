//! The standby comes first, and only while it is there: nothing moves to a Region that has stopped answering, and
//! nothing that is asked of the failing Region delays the standby's consumer.

use super::operator::{Script, at_the_keyboard};
use super::stage::{MINUTE, Stage, region};
use kdsha::cli::args::FailoverArgs;
use kdsha::cli::failover;
use kdsha::model::{Exit, StartAt, Timestamp};
use kdsha::sandbox::Logged;
use kdsha::sandbox::call::{ApiCall, Service};
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{Outage, Story};
use kdsha::ui::Format;

fn is_switch(call: &Logged) -> bool {
    call.operation == "UpdateFunctionConfiguration"
}

/// Enabling or disabling a mapping of a Region.
fn toggles(call: &Logged, of: &str, enabled: bool) -> bool {
    let is_it = call.operation == "UpdateEventSourceMapping" && call.region == region(of);
    is_it && call.input["Enabled"] == enabled
}

/// Runs a failover at the keyboard.
async fn typed(stage: &Stage, args: FailoverArgs, script: Script) -> Exit {
    let session = at_the_keyboard(stage, script).await;
    let args = FailoverArgs { yes: false, ..args };
    let result = failover::run(&session, &stage.ui(Format::Human), &args).await;
    result
        .unwrap_or_else(|failure| panic!("{} {:?}\n{}", failure.message, failure.hints, stage.stderr.text()))
}

/// The question about the switch may stand for an hour, and the standby may fail in it.
#[tokio::test(start_paused = true)]
async fn producers_are_not_pointed_at_a_standby_that_fell_silent_while_the_operator_thought() {
    let stage = Stage::post(91);
    stage.pass(10 * MINUTE).await;
    let sandbox = stage.sandbox.clone();
    let strike = move || sandbox.with_world(|w| w.strike(&region("us-east-2"), Outage::Silent));
    // Mark, prepare, the switch; the wait ends without an answer, and the operator stops there.
    let script = Script::typing(&["y", "y"]).after(strike, "y").then("s").then("n");
    let args = FailoverArgs { timeout: Some(3 * MINUTE), ..stage.over() };
    assert_eq!(typed(&stage, args, script).await, Exit::TimedOut, "{}", stage.stderr.text());
    assert!(!stage.sandbox.log().iter().any(is_switch), "nothing was asked of the producer");
    let said = stage.stderr.text();
    assert!(said.contains("KDS-HA-Stream in us-east-2 to"), "{said}");

    stage.sandbox.with_world(|world| world.heal(&region("us-east-2")));
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Somebody removes the tags: the run no longer holds the stream, and changes nothing more.
#[tokio::test(start_paused = true)]
async fn a_run_whose_mark_was_taken_away_sends_nothing_more() {
    let stage = Stage::post(92);
    stage.pass(10 * MINUTE).await;
    let sandbox = stage.sandbox.clone();
    let remove = move || {
        let keys = ["run", "intent", "owner", "state", "started", "position", "owed"];
        let keys: Vec<String> = keys.iter().map(|key| format!("kdsha:{key}")).collect();
        let call = ApiCall {
            service: Service::Kinesis,
            region: region("us-east-2"),
            account: "123456789012".parse().expect("an account"),
            operation: "RemoveTagsFromStream".to_owned(),
            input: serde_json::json!({"StreamName": "KDS-HA-Stream", "TagKeys": keys}),
        };
        sandbox.with_world(|world| world.call(&call).map(drop).expect("tags"));
    };
    let script = Script::typing(&["y", "y"]).after(remove, "y").then("s").then("n");
    let args = FailoverArgs { timeout: Some(3 * MINUTE), ..stage.over() };
    assert_eq!(typed(&stage, args, script).await, Exit::TimedOut, "{}", stage.stderr.text());
    assert!(!stage.sandbox.log().iter().any(is_switch));
    assert!(stage.stderr.text().contains("run mark is gone"), "{}", stage.stderr.text());
}

/// A mapping that a planned run prepared is enabled before anything is asked of the primary.
#[tokio::test(start_paused = true)]
async fn an_emergency_enables_a_prepared_mapping_before_it_asks_the_primary_anything() {
    let stage = Stage::post(93);
    stage.pass(10 * MINUTE).await;
    // Mark and prepare, early enough for an emergency; at the switch the operator stops, and leaves things as they are.
    let start = Some(StartAt::Timestamp(stage.sandbox.now() - 40 * MINUTE));
    let planned = FailoverArgs { start_at: start, ..stage.over() };
    let exit = typed(&stage, planned, Script::typing(&["y", "y", "n", "n"])).await;
    assert_eq!(exit, Exit::Declined, "{}", stage.stderr.text());
    let prepared = stage.mutations().len();
    // Without data points the emergency goes by the mark, so the mapping fits.
    stage.sandbox.inject(Rule {
        region: Some(region("us-west-2")),
        service: Some(Service::CloudWatch),
        fault: Some(Fault::Error { status: 503, code: "ServiceUnavailable".to_owned() }),
        ..Rule::default()
    });
    let args = FailoverArgs { emergency: true, ..stage.over() };
    stage.expect(stage.failover(&args).await, Exit::Done);

    let sent = stage.mutations().split_off(prepared);
    let position = |is_it: &dyn Fn(&Logged) -> bool| sent.iter().position(is_it);
    let enabled = position(&|call| toggles(call, "us-east-2", true)).expect("the consumer is enabled");
    let stopped = position(&|call| toggles(call, "us-west-2", false)).expect("the readers are stopped");
    let switched = position(&is_switch).expect("the producer is switched");
    assert!(enabled < stopped && enabled < switched, "{sent:#?}");
    stage.sandbox.mend();
    stage.pass(15 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Every fence is up before the first producer's update is waited for, whatever the number of pipelines.
#[tokio::test(start_paused = true)]
async fn what_is_owed_is_settled_fences_first() {
    let stage = Stage::of(94, &Story { pipelines: 5, ..Stage::light() });
    stage.pass(5 * MINUTE).await;
    let struck = stage.sandbox.now();
    stage.sandbox.with_world(|world| world.strike(&region("us-west-2"), Outage::Silent));
    stage.pass(2 * MINUTE).await;
    let start = Timestamp::from_second(struck.as_second() - 900).expect("an instant");
    let args = stage.blind(Some(StartAt::Timestamp(start)));
    stage.expect(stage.failover(&args).await, Exit::Owed);
    stage.sandbox.with_world(|world| world.heal(&region("us-west-2")));
    stage.pass(MINUTE).await;
    let before = stage.mutations().len();
    stage.expect(stage.resume().await, Exit::Done);

    let sent = stage.mutations().split_off(before);
    let last_fence = sent.iter().rposition(|call| toggles(call, "us-west-2", false)).expect("fences");
    let first_switch = sent.iter().position(is_switch).expect("switches");
    assert!(last_fence < first_switch, "{sent:#?}");
    assert_eq!(sent.iter().filter(|call| toggles(call, "us-west-2", false)).count(), 10);
}
