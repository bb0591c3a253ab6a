//! The switch of the producers: several of them, in either Region, behind an alias, in every state that Lambda knows,
//! and with a hand other than ours in between.

use super::post::{EAST, PRODUCER, WEST, said};
use crate::simulation::stage::{MINUTE, Stage, region};
use kdsha::cli::args::FailoverArgs;
use kdsha::config::Producer;
use kdsha::model::{Exit, Side};
use kdsha::sandbox::call::{ApiCall, Service};
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{Delays, Outage, Span, Story};
use kdsha::ui::Format;
use serde_json::{Value, json};
use std::time::Duration;

/// A further producer function with an environment of its own, known to the configuration.
pub async fn further(stage: &mut Stage, region_name: &str, name: &str, side: Side) {
    let input = json!({"FunctionName": name, "Runtime": "python3.12", "Handler": "lambda_function.lambda_handler",
        "Role": "arn:aws:iam::123456789012:role/KDS-HA-Role", "Code": {"ZipFile": ""}, "Timeout": 30,
        "Environment": {"Variables": {"PRODUCING_TO_REGION": WEST, "INPUT_STREAM": "KDS-HA-Stream", "KEEP": "me"}}});
    stage.call(Service::Lambda, region_name, "CreateFunction", input);
    stage.pass(2 * MINUTE).await;
    stage.topology.pipelines[0].producers.push(Producer {
        function: name.parse().expect("a name"),
        side,
        alias: None,
        region_variable: "PRODUCING_TO_REGION".to_owned(),
        stream_variable: Some("INPUT_STREAM".to_owned()),
    });
}

fn variables(stage: &Stage, region_name: &str, name: &str) -> Value {
    let input = json!({ "FunctionName": name });
    let output = stage.call(Service::Lambda, region_name, "GetFunctionConfiguration", input);
    output["Environment"]["Variables"].clone()
}

async fn refused(stage: &Stage, names: &str) {
    let before = stage.mutations().len();
    let refused = stage.failover(&stage.over()).await.expect_err("it should be refused");
    assert_eq!(refused.exit, Exit::Blocked);
    let said = refused.message + &said(stage);
    assert!(said.contains(names), "`{names}` is not in: {said}");
    assert_eq!(stage.mutations().len(), before);
}

#[tokio::test(start_paused = true)]
async fn several_producers_in_either_region_are_switched_and_switched_back() {
    let mut stage = Stage::post(201);
    further(&mut stage, WEST, "second-producer", Side::Primary).await;
    further(&mut stage, EAST, "standby-producer", Side::Standby).await;
    let before = [variables(&stage, WEST, "second-producer"), variables(&stage, EAST, "standby-producer")];
    stage.must_fail_over().await;
    for (region_name, name) in [(WEST, PRODUCER), (WEST, "second-producer"), (EAST, "standby-producer")] {
        assert_eq!(variables(&stage, region_name, name)["PRODUCING_TO_REGION"], EAST, "{name}");
    }
    assert_eq!(variables(&stage, EAST, "standby-producer")["KEEP"], "me");
    stage.pass(5 * MINUTE).await;
    stage.must_fail_back().await;
    let after = [variables(&stage, WEST, "second-producer"), variables(&stage, EAST, "standby-producer")];
    assert_eq!(before, after);
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn producers_that_do_not_agree_have_no_safe_start() {
    let mut stage = Stage::post(202);
    further(&mut stage, WEST, "second-producer", Side::Primary).await;
    let input = json!({"FunctionName": "second-producer", "Environment": {"Variables":
        {"PRODUCING_TO_REGION": EAST, "INPUT_STREAM": "KDS-HA-Stream"}}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(MINUTE).await;
    refused(&stage, "the producers do not agree").await;
}

#[tokio::test(start_paused = true)]
async fn a_producer_behind_an_alias_gets_a_new_version_and_its_alias_is_moved() {
    let mut stage = Stage::of(203, &Story { producer_alias: Some("live".to_owned()), ..Stage::light() });
    stage.topology.pipelines[0].producers[0].alias = Some("live".to_owned());
    let version = |stage: &Stage| {
        let input = json!({"FunctionName": PRODUCER, "Name": "live"});
        stage.call(Service::Lambda, WEST, "GetAlias", input)["FunctionVersion"].clone()
    };
    let before = version(&stage);
    stage.must_fail_over().await;
    assert_ne!(version(&stage), before);
    stage.pass(5 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// The alias runs version 1; somebody changed a variable since, and published nothing. A new version would release it.
#[tokio::test(start_paused = true)]
async fn variables_that_nobody_released_are_not_released_by_the_way() {
    let mut stage = Stage::of(213, &Story { producer_alias: Some("live".to_owned()), ..Stage::light() });
    stage.topology.pipelines[0].producers[0].alias = Some("live".to_owned());
    let mut changed = stage.environment();
    changed.insert("LOG_LEVEL".to_owned(), "DEBUG".to_owned());
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": changed}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(MINUTE).await;
    refused(&stage, "LOG_LEVEL").await;
}

/// The post's producer, invoked through an alias of version 1.
fn behind_an_alias(seed: u64) -> Stage {
    let mut stage = Stage::of(seed, &Story { producer_alias: Some("live".to_owned()), ..Stage::light() });
    stage.topology.pipelines[0].producers[0].alias = Some("live".to_owned());
    stage
}

fn upload_code(stage: &Stage) {
    let name = PRODUCER.parse().expect("a name");
    stage.sandbox.with_world(|world| assert!(world.upload_code(&region(WEST), &name, "another hash")));
}

#[tokio::test(start_paused = true)]
async fn code_that_nobody_released_is_not_released_by_the_way() {
    let stage = behind_an_alias(222);
    upload_code(&stage);
    refused(&stage, "differs from the version behind its alias in code").await;
}

#[tokio::test(start_paused = true)]
async fn configuration_that_nobody_released_is_not_released_by_the_way() {
    for (seed, member, value) in [(223, "Timeout", 60), (224, "MemorySize", 512)] {
        let stage = behind_an_alias(seed);
        let mut input = json!({ "FunctionName": PRODUCER });
        input[member] = json!(value);
        stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
        stage.pass(MINUTE).await;
        refused(&stage, &format!("differs from the version behind its alias in {member}")).await;
    }
}

/// An emergency goes on without such a producer, and does not touch its $LATEST.
#[tokio::test(start_paused = true)]
async fn an_emergency_owes_the_switch_of_what_nobody_released() {
    let stage = behind_an_alias(225);
    upload_code(&stage);
    stage.expect(stage.failover(&in_an_emergency(&stage)).await, Exit::Owed);
    assert_eq!(sent(&stage, "UpdateFunctionConfiguration"), 0);
    // Whoever uploaded it releases it: that is what the alias runs from then on.
    stage.call(Service::Lambda, WEST, "PublishVersion", json!({ "FunctionName": PRODUCER }));
    let input = json!({"FunctionName": PRODUCER, "Name": "live", "FunctionVersion": "2"});
    stage.call(Service::Lambda, WEST, "UpdateAlias", input);
    stage.expect(stage.resume().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_alias_of_latest_is_left_there() {
    let stage = behind_an_alias(226);
    let input = json!({"FunctionName": PRODUCER, "Name": "live", "FunctionVersion": "$LATEST"});
    stage.call(Service::Lambda, WEST, "UpdateAlias", input);
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    assert_eq!((sent(&stage, "PublishVersion"), sent(&stage, "UpdateAlias")), (0, 0));
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_alias_that_splits_its_traffic_is_refused_with_advice() {
    let mut stage = Stage::of(204, &Story { producer_alias: Some("live".to_owned()), ..Stage::light() });
    stage.topology.pipelines[0].producers[0].alias = Some("live".to_owned());
    stage.call(
        Service::Lambda,
        WEST,
        "PublishVersion",
        json!({ "FunctionName": PRODUCER, "Description": "two" }),
    );
    let input = json!({"FunctionName": PRODUCER, "Name": "live",
        "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}});
    if stage.try_call(Service::Lambda, WEST, "UpdateAlias", input).is_err() {
        // Nothing changed since version 1, so Lambda did not publish another: change something first.
        let mut changed = stage.environment();
        changed.insert("EXTRA".to_owned(), "x".to_owned());
        let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": changed}});
        stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
        stage.pass(MINUTE).await;
        stage.call(Service::Lambda, WEST, "PublishVersion", json!({ "FunctionName": PRODUCER }));
        let input = json!({"FunctionName": PRODUCER, "Name": "live",
            "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}});
        stage.call(Service::Lambda, WEST, "UpdateAlias", input);
    }
    refused(&stage, "splits its traffic between two versions").await;
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_cannot_be_decrypted_is_refused() {
    let stage = Stage::post(205);
    let name = PRODUCER.parse().expect("a name");
    stage.sandbox.with_world(|world| assert!(world.set_unreadable(&region(WEST), &name, true)));
    refused(&stage, "would wipe them").await;
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_would_outgrow_four_kilobytes_is_not_sent() {
    let mut stage = Stage::post(206);
    let mut variables = stage.environment();
    let spare = 4096 - serde_json::to_string(&variables).expect("JSON").len();
    variables.insert("FILLER".to_owned(), "x".repeat(spare - 14));
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": variables}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(MINUTE).await;
    // The stream's name in the standby is longer, so the merged environment is too large.
    let long = "KDS-HA-Stream-with-a-longer-name";
    stage.call(Service::Kinesis, EAST, "CreateStream", json!({"StreamName": long, "ShardCount": 2}));
    stage.pass(MINUTE).await;
    stage.topology.pipelines[0].stream.standby = long.parse().expect("a name");
    stage.topology.pipelines[0].replicator = None;
    let exit = stage.failover(&stage.over()).await;
    stage.expect(exit, Exit::StepFailed);
    let said = format!("{}{}", stage.stdout.text(), stage.stderr.text());
    assert!(said.contains("4096"), "{said}");
    assert!(!said.contains("xxxxxxxx"), "values of other keys are never shown");
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], WEST);
}

#[tokio::test(start_paused = true)]
async fn a_function_at_rest_is_refused_before_anything_changes() {
    for (region_name, function) in [(WEST, PRODUCER), (EAST, "KDS-HA-ConsumerLambda")] {
        let stage = Stage::post(207);
        let name = function.parse().expect("a name");
        stage.sandbox.with_world(|world| assert!(world.put_to_rest(&region(region_name), &name)));
        refused(&stage, &format!("{function} is Inactive")).await;
    }
}

/// Lambda accepts the next updates of the producer and then fails them; so many.
fn fail_updates(stage: &Stage, count: u32) {
    let name = PRODUCER.parse().expect("a name");
    stage.sandbox.with_world(|world| assert!(world.fail_updates(&region(WEST), &name, count)));
}

fn sent(stage: &Stage, operation: &str) -> usize {
    stage.mutations().iter().filter(|call| call.operation == operation).count()
}

fn in_an_emergency(stage: &Stage) -> FailoverArgs {
    FailoverArgs { emergency: true, ..stage.over() }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_fails_once_is_sent_again() {
    let stage = Stage::post(208);
    fail_updates(&stage, 1);
    stage.must_fail_over().await;
    assert_eq!(sent(&stage, "UpdateFunctionConfiguration"), 2);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_update_that_always_fails_leaves_the_former_configuration_and_ends_the_run() {
    let stage = Stage::post(216);
    fail_updates(&stage, 100);
    let exit = stage.failover(&stage.over()).await;
    stage.expect(exit, Exit::StepFailed);
    assert!(stage.stderr.text().contains("SubnetOutOfIPAddresses"), "{}", stage.stderr.text());
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], WEST);
    // The cause is gone: the same command is the repair, and only warns of what it finds.
    fail_updates(&stage, 0);
    stage.must_fail_over().await;
    assert!(said(&stage).contains("it goes on as before"), "{}", said(&stage));
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_update_that_failed_in_an_emergency_is_settled_by_resume_alone() {
    let stage = Stage::post(217);
    fail_updates(&stage, 100);
    stage.expect(stage.failover(&in_an_emergency(&stage)).await, Exit::Owed);
    let told = said(&stage);
    assert!(told.contains("SubnetOutOfIPAddresses") && told.contains("NOT all switched"), "{told}");
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], WEST);
    fail_updates(&stage, 0);
    stage.expect(stage.resume().await, Exit::Done);
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], EAST);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// `region_variable` is misspelt, or the code has changed: a variable that nobody reads switches nothing.
#[tokio::test(start_paused = true)]
async fn an_emergency_adds_no_variable_that_the_producer_never_had() {
    let stage = Stage::post(218);
    let mut changed = stage.environment();
    changed.remove("PRODUCING_TO_REGION");
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": changed}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(MINUTE).await;
    let refused = stage.failover(&in_an_emergency(&stage)).await.expect_err("it would switch nothing");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(refused.message.contains("producer_environment"), "{}", refused.message);
    assert!(said(&stage).contains("has no variable PRODUCING_TO_REGION"), "{}", said(&stage));
    assert!(stage.mutations().is_empty());
}

/// One function writes to both pipelines' streams, each by variables of its own.
#[tokio::test(start_paused = true)]
async fn two_pipelines_that_share_a_function_are_both_switched_in_an_emergency() {
    let mut stage = Stage::of(219, &Story { pipelines: 2, ..Stage::light() });
    let mut both = stage.environment();
    both.insert("SECOND_REGION".to_owned(), WEST.to_owned());
    both.insert("SECOND_STREAM".to_owned(), "KDS-HA-Stream-2".to_owned());
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": both}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    let shared = &mut stage.topology.pipelines[1].producers[0];
    shared.function = PRODUCER.parse().expect("a name");
    shared.region_variable = "SECOND_REGION".to_owned();
    shared.stream_variable = Some("SECOND_STREAM".to_owned());
    stage.pass(MINUTE).await;
    stage.expect(stage.failover(&in_an_emergency(&stage)).await, Exit::Done);
    let now = stage.environment();
    assert_eq!((now["PRODUCING_TO_REGION"].as_str(), now["SECOND_REGION"].as_str()), (EAST, EAST));
    assert_eq!(now.len(), both.len());
    assert!(!said(&stage).contains("somebody else"), "{}", said(&stage));
}

/// The same behind one alias: each switch publishes a version and moves the alias, and neither undoes the other.
#[tokio::test(start_paused = true)]
async fn two_pipelines_that_share_a_function_behind_an_alias_are_both_switched() {
    let story = Story { pipelines: 2, producer_alias: Some("live".to_owned()), ..Stage::light() };
    let mut stage = Stage::of(236, &story);
    let mut both = stage.environment();
    both.insert("SECOND_REGION".to_owned(), WEST.to_owned());
    both.insert("SECOND_STREAM".to_owned(), "KDS-HA-Stream-2".to_owned());
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": both}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(MINUTE).await;
    let version = stage.call(Service::Lambda, WEST, "PublishVersion", json!({"FunctionName": PRODUCER}));
    let alias = json!({"FunctionName": PRODUCER, "Name": "live", "FunctionVersion": version["Version"]});
    stage.call(Service::Lambda, WEST, "UpdateAlias", alias);
    let [first, second] = &mut stage.topology.pipelines[..] else { panic!("two pipelines") };
    first.producers[0].alias = Some("live".to_owned());
    second.producers[0].alias = Some("live".to_owned());
    second.producers[0].function = PRODUCER.parse().expect("a name");
    second.producers[0].region_variable = "SECOND_REGION".to_owned();
    second.producers[0].stream_variable = Some("SECOND_STREAM".to_owned());
    stage.pass(MINUTE).await;
    stage.expect(stage.failover(&in_an_emergency(&stage)).await, Exit::Done);
    let live = json!({"FunctionName": PRODUCER, "Qualifier": "live"});
    let live = stage.call(Service::Lambda, WEST, "GetFunctionConfiguration", live)["Environment"].clone();
    let variables = &live["Variables"];
    assert_eq!([&variables["PRODUCING_TO_REGION"], &variables["SECOND_REGION"]], [EAST, EAST]);
    assert_eq!(variables.as_object().map(serde_json::Map::len), Some(both.len()));
    assert!(!said(&stage).contains("somebody else"), "{}", said(&stage));
}

/// The switch was applied, and the connection broke before its answer: the next look sees it.
#[tokio::test(start_paused = true)]
async fn an_emergency_looks_for_an_answer_that_was_lost() {
    let stage = Stage::post(220);
    stage.sandbox.inject(Rule {
        operation: Some("UpdateFunctionConfiguration".to_owned()),
        times: Some(1),
        fault: Some(Fault::ApplyThenDrop),
        ..Rule::default()
    });
    stage.expect(stage.failover(&in_an_emergency(&stage)).await, Exit::Done);
    assert_eq!(sent(&stage, "UpdateFunctionConfiguration"), 1);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Waits until the world has got a call.
async fn until_called(stage: &Stage, operation: &str) {
    let calls = || stage.sandbox.log().iter().filter(|call| call.operation == operation).count();
    let before = calls();
    while calls() == before {
        stage.pass(Duration::from_secs(1)).await;
    }
}

/// The Region fell silent over the call: what nobody saw is owed, and not said to be undone.
#[tokio::test(start_paused = true)]
async fn a_switch_whose_end_nobody_saw_may_have_been_made() {
    let stage = Stage::post(221);
    stage.sandbox.inject(Rule {
        operation: Some("UpdateFunctionConfiguration".to_owned()),
        fault: Some(Fault::ApplyThenHang),
        ..Rule::default()
    });
    let falls_silent = async {
        until_called(&stage, "UpdateFunctionConfiguration").await;
        stage.sandbox.with_world(|world| world.strike(&region(WEST), Outage::Silent));
    };
    let emergency = in_an_emergency(&stage);
    let (exit, ()) = tokio::join!(stage.failover(&emergency), falls_silent);
    stage.expect(exit, Exit::Owed);
    let said = said(&stage);
    assert!(said.contains("it may have been switched: not seen"), "{said}");
    assert!(said.contains("the producers may have been switched to it: not seen, and owed"), "{said}");
    assert!(!said.contains("NOT all switched"), "{said}");
    stage.sandbox.mend();
    stage.sandbox.with_world(|world| world.heal(&region(WEST)));
    stage.pass(MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_update_in_progress_is_waited_for() {
    let stage = Stage::post(209);
    let input = json!({"FunctionName": PRODUCER, "Description": "somebody's deploy"});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    // No time passes: the update is still in progress when the run begins.
    stage.must_fail_over().await;
    let after =
        stage.call(Service::Lambda, WEST, "GetFunctionConfiguration", json!({"FunctionName": PRODUCER}));
    assert_eq!(after["Description"], "somebody's deploy");
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// The variables were written long before the alias was moved: what counts is the move, since until then invocations
/// began with the old version.
#[tokio::test(start_paused = true)]
async fn invocations_in_flight_are_counted_from_the_move_of_the_alias() {
    let story = Story {
        producer_alias: Some("live".to_owned()),
        slow_share: 0.3,
        producer_timeout_seconds: 600,
        ..Stage::light()
    };
    let mut stage = Stage::of(215, &story);
    stage.topology.pipelines[0].producers[0].alias = Some("live".to_owned());
    stage.sandbox.inject(Rule {
        operation: Some("UpdateAlias".to_owned()),
        fault: Some(Fault::Error { status: 403, code: "AccessDeniedException".to_owned() }),
        ..Rule::default()
    });
    let exit = stage.failover(&stage.over()).await;
    stage.expect(exit, Exit::StepFailed);
    stage.sandbox.mend();
    stage.pass(30 * MINUTE).await;
    stage.must_fail_over().await;
    let said = said(&stage);
    assert!(said.contains("invocations from before the switch may write for another"), "{said}");
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// An update that takes its time is heard of while it does.
#[tokio::test(start_paused = true)]
async fn a_call_that_takes_long_gives_signs_of_life() {
    let slow = Delays { function_update: Span::millis(45_000, 45_000), ..Delays::default() };
    let stage = Stage::of(214, &Story { delays: slow, ..Stage::light() });
    stage.must_fail_over().await;
    let said = said(&stage);
    assert!(said.contains("lambda:UpdateFunctionConfiguration is under way, and not complete yet"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_is_stale_is_read_again() {
    let stage = Stage::post(210);
    stage.sandbox.inject(Rule {
        operation: Some("UpdateFunctionConfiguration".to_owned()),
        times: Some(1),
        fault: Some(Fault::Error { status: 412, code: "PreconditionFailedException".to_owned() }),
        ..Rule::default()
    });
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn invocations_in_flight_are_awaited() {
    let stage = Stage::of(211, &Story { slow_share: 0.3, producer_timeout_seconds: 600, ..Stage::light() });
    stage.must_fail_over().await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_writes_to_another_stream_is_refused() {
    let mut stage = Stage::post(212);
    let stream = "KDS-Other".parse::<kdsha::model::StreamName>().expect("a name");
    for region_name in [WEST, EAST] {
        let input = json!({"StreamName": "KDS-Other", "ShardCount": 1});
        stage.call(Service::Kinesis, region_name, "CreateStream", input);
    }
    stage.pass(MINUTE).await;
    stage.topology.pipelines[0].stream.primary = stream.clone();
    stage.topology.pipelines[0].stream.standby = stream;
    refused(&stage, "writes to stream KDS-HA-Stream, which is not this pipeline's").await;
}

/// An update takes its time, and until its end invocations begin with the former environment: the last of them counts.
#[tokio::test(start_paused = true)]
async fn invocations_in_flight_are_counted_from_the_end_of_the_update() {
    let delays = Delays { function_update: Span::millis(110_000, 110_000), ..Delays::default() };
    let story = Story { slow_share: 0.0, producer_timeout_seconds: 600, delays, ..Stage::light() };
    let stage = Stage::of(227, &story);
    stage.must_fail_over().await;
    stage.pass(5 * MINUTE).await;
    let dawdles = async {
        until_called(&stage, "UpdateFunctionConfiguration").await;
        stage.pass(Duration::from_secs(105)).await;
        let (name, most) = (PRODUCER.parse().expect("a name"), 10 * MINUTE);
        stage.sandbox.with_world(|world| assert!(world.dawdle_once(&region(WEST), &name, most)));
    };
    let back = stage.back();
    let (exit, ()) = tokio::join!(stage.failback(&back), dawdles);
    stage.expect(exit, Exit::Done);
    stage.must_have_lost_nothing().await;
}

/// The stream has one name in each Region: the other's is none that the producer could write to.
#[tokio::test(start_paused = true)]
async fn a_producer_that_writes_to_the_other_regions_stream_name_is_refused() {
    let mut stage = Stage::post(228);
    stage.topology.pipelines[0].stream.standby = "KDS-HA-Standby".parse().expect("a name");
    let mut changed = stage.environment();
    changed.insert("PRODUCING_TO_REGION".to_owned(), EAST.to_owned());
    let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": changed}});
    stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    stage.pass(MINUTE).await;
    let names = "writes to stream KDS-HA-Stream, which is its name in us-west-2, not in us-east-2";
    refused(&stage, names).await;
}

/// A warm pipeline's consumer reads what a forgotten producer writes to the Region that was left; it is said all the
/// same, since nobody may be there to read it in the outage that is to come.
#[tokio::test(start_paused = true)]
async fn who_still_writes_to_the_region_that_a_warm_pipeline_left_is_told_of() {
    let stage = Stage::of(229, &Story { warm: true, ..Stage::light() });
    stage.must_fail_over().await;
    stage.pass(20 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);
    assert!(!said(&stage).contains("stray_writes"), "{}", said(&stage));
    for number in 0..5 {
        let key = number.to_string();
        let input = json!({"StreamName": "KDS-HA-Stream", "PartitionKey": key, "Data": "c3RyYXk="});
        stage.call(Service::Kinesis, WEST, "PutRecord", input);
    }
    stage.pass(3 * MINUTE).await;
    stage.expect(stage.verify().await, Exit::Done);
    let said = said(&stage);
    assert!(said.contains("its consumer there still has to process them"), "{said}");
    assert!(!said.contains("nobody reads it"), "{said}");
}

/// The post's producer, invoked through an alias of version 1 that kdsha.toml does not name.
fn behind_an_alias_that_nobody_named(seed: u64) -> Stage {
    Stage::of(seed, &Story { producer_alias: Some("live".to_owned()), ..Stage::light() })
}

/// The verdicts, evidence and advice of the check of aliases before a failover.
async fn told_of_aliases(stage: &Stage, args: FailoverArgs, wanted: Exit) -> Vec<[String; 3]> {
    let args = FailoverArgs { dry_run: true, ..args };
    let exit = kdsha::cli::failover::run(&stage.session().await, &stage.ui(Format::Json), &args).await;
    stage.expect(exit, wanted);
    let text = stage.stdout.text();
    let plan: Value = serde_json::from_str(text.lines().last().expect("a document")).expect("JSON");
    let checks = plan["checks"].as_array().expect("checks").iter();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    checks
        .filter(|check| check["check"] == "producer_alias")
        .map(|check| ["verdict", "evidence", "advice"].map(|key| text(check, key)))
        .collect()
}

/// Switching $LATEST moves nothing that comes through the alias: all of it would stay in the Region that is left, with
/// its readers stopped.
#[tokio::test(start_paused = true)]
async fn an_emergency_is_refused_while_an_alias_that_is_not_named_leads_to_the_region_that_is_left() {
    let stage = behind_an_alias_that_nobody_named(230);
    let refused = stage.failover(&in_an_emergency(&stage)).await.expect_err("the switch would move nothing");
    assert_eq!(refused.exit, Exit::Blocked);
    assert!(refused.message.contains("producer_alias"), "{}", refused.message);
    let told = said(&stage);
    assert!(
        told.contains("alias live of KDS-HA-ProducerLambda runs version 1, which writes to us-west-2"),
        "{told}"
    );
    assert!(told.contains("`alias = \"live\"`"), "{told}");
    assert!(stage.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_alias_that_nobody_invokes_can_be_accepted_in_an_emergency() {
    let stage = Stage::post(231);
    stage.call(Service::Lambda, WEST, "PublishVersion", json!({ "FunctionName": PRODUCER }));
    let alias = json!({"FunctionName": PRODUCER, "Name": "last-year", "FunctionVersion": "1"});
    stage.call(Service::Lambda, WEST, "CreateAlias", alias);
    let mut args = in_an_emergency(&stage);
    args.accept.checks = vec!["producer_alias".to_owned()];
    args.accept.reason = Some("nobody invokes it".to_owned());
    stage.expect(stage.failover(&args).await, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Somebody does invoke it: `verify` names it with what arrives where nobody reads, and the failback processes all of it.
#[tokio::test(start_paused = true)]
async fn an_alias_that_was_accepted_in_error_is_told_of_until_the_failback() {
    let stage = behind_an_alias_that_nobody_named(235);
    let mut args = in_an_emergency(&stage);
    args.accept.checks = vec!["producer_alias".to_owned()];
    args.accept.reason = Some("nobody invokes it".to_owned());
    stage.expect(stage.failover(&args).await, Exit::Done);
    stage.pass(10 * MINUTE).await;
    let told_of = |what: &str| said(&stage).matches(what).count();
    let before = ["a switch does not reach it", "nobody reads it"].map(told_of);
    stage.expect(stage.verify().await, Exit::Deviation);
    let after = ["a switch does not reach it", "nobody reads it"].map(told_of);
    assert_eq!(after, before.map(|count| count + 1), "{}", said(&stage));
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// A planned run proves the stream quiet, or stays in front of that: the way out is said before it begins.
#[tokio::test(start_paused = true)]
async fn a_planned_failover_warns_of_an_alias_that_its_switch_does_not_reach() {
    let stage = behind_an_alias_that_nobody_named(232);
    let told = told_of_aliases(&stage, stage.over(), Exit::Done).await;
    let [verdict, evidence, advice] = &told[0];
    assert_eq!(verdict, "warn", "{evidence}");
    assert!(evidence.contains("runs version 1, which writes to us-west-2"), "{evidence}");
    assert!(advice.contains("add `alias = \"live\"` to its [[pipeline.producer]]"), "{advice}");
}

/// What leads elsewhere, or follows $LATEST, is no traffic that stays behind; and a producer without aliases costs one
/// call.
#[tokio::test(start_paused = true)]
async fn an_alias_that_does_not_lead_to_the_region_that_is_left_forbids_nothing() {
    let stage = Stage::post(233);
    let told = told_of_aliases(&stage, in_an_emergency(&stage), Exit::Done).await;
    assert_eq!(told[0][..2], ["ok".to_owned(), format!("{PRODUCER} has no alias")]);
    let of_a_look = functions_read(&stage);
    publish(&stage, EAST).await;
    for (name, version) in [("rehearsal", "1"), ("edge", "$LATEST")] {
        let alias = json!({"FunctionName": PRODUCER, "Name": name, "FunctionVersion": version});
        stage.call(Service::Lambda, WEST, "CreateAlias", alias);
    }
    let told = told_of_aliases(&stage, in_an_emergency(&stage), Exit::Done).await;
    let evidence = format!(
        "alias edge of {PRODUCER} follows $LATEST; alias rehearsal of {PRODUCER} runs version 1, which writes to us-east-2"
    );
    assert_eq!(told[0][..2], ["ok".to_owned(), evidence]);
    assert_eq!(functions_read(&stage), 2 * of_a_look + 1, "$LATEST is known already");
}

/// A tenth of the traffic is lost like all of it.
#[tokio::test(start_paused = true)]
async fn the_second_version_of_an_alias_counts_as_the_first_does() {
    let stage = Stage::post(234);
    publish(&stage, EAST).await;
    publish(&stage, WEST).await;
    let alias = json!({"FunctionName": PRODUCER, "Name": "canary", "FunctionVersion": "1",
        "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}});
    stage.call(Service::Lambda, WEST, "CreateAlias", alias);
    let told = told_of_aliases(&stage, in_an_emergency(&stage), Exit::Blocked).await;
    let [verdict, evidence, _] = &told[0];
    assert_eq!(verdict, "fail");
    assert!(evidence.starts_with(&format!("alias canary of {PRODUCER} runs version 2")), "{evidence}");
}

/// A caller who may not list aliases could move the pipeline before there was this check, and still can.
#[tokio::test(start_paused = true)]
async fn who_may_not_list_aliases_is_told_and_goes_on() {
    let refused = |code: &str, status| Fault::Error { status, code: code.to_owned() };
    for (seed, fault) in [
        (235, refused("AccessDeniedException", 403)),
        (236, refused("ServiceException", 500)),
        (237, Fault::Hang),
    ] {
        let stage = Stage::post(seed);
        let operation = Some("ListAliases".to_owned());
        stage.sandbox.inject(Rule { operation, fault: Some(fault), ..Rule::default() });
        for args in [stage.over(), in_an_emergency(&stage)] {
            let told = told_of_aliases(&stage, args, Exit::Done).await;
            assert_eq!(told[0][0], "warn", "{seed}");
            assert!(told[0][1].starts_with(&format!("whether {PRODUCER} has aliases: ")), "{}", told[0][1]);
        }
        stage.expect(stage.verify().await, Exit::Done);
    }
}

/// What the run was told when it began does not stop it half-way: the operator turns it because the stream is not quiet.
#[tokio::test(start_paused = true)]
async fn a_run_that_an_alias_keeps_from_getting_quiet_can_be_turned_into_an_emergency() {
    let stage = behind_an_alias_that_nobody_named(238);
    let mut args = stage.over();
    args.timeout = Some(10 * MINUTE);
    stage.expect(stage.failover(&args).await, Exit::TimedOut);
    let resume = kdsha::cli::args::ResumeArgs { yes: true, undo: false, emergency: true, start_at: None };
    let exit = kdsha::cli::resume::run(&stage.session().await, &stage.ui(Format::Human), &resume).await;
    stage.expect(exit, Exit::Done);
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// Publishes a version of the post's producer that writes to a Region, and leaves $LATEST as it was.
async fn publish(stage: &Stage, region_name: &str) {
    let before = stage.environment();
    let mut changed = before.clone();
    changed.insert("PRODUCING_TO_REGION".to_owned(), region_name.to_owned());
    changed.insert("RELEASE".to_owned(), format!("for {region_name}"));
    for (variables, is_published) in [(changed, true), (before, false)] {
        let input = json!({"FunctionName": PRODUCER, "Environment": {"Variables": variables}});
        stage.call(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
        stage.pass(Duration::from_secs(30)).await;
        if is_published {
            stage.call(Service::Lambda, WEST, "PublishVersion", json!({ "FunctionName": PRODUCER }));
        }
    }
    stage.pass(10 * MINUTE).await;
}

/// How many functions and versions of the primary have been read.
fn functions_read(stage: &Stage) -> usize {
    let is_one =
        |call: &&kdsha::sandbox::Logged| call.operation == "GetFunction" && call.region == region(WEST);
    stage.sandbox.log().iter().filter(is_one).count()
}

/// Somebody described the alias between kdsha's read of it and its move: the revision is another one, and is read again.
#[tokio::test(start_paused = true)]
async fn an_alias_that_was_changed_meanwhile_is_read_again_and_moved() {
    let stage = behind_an_alias(239);
    let described = ApiCall {
        service: Service::Lambda,
        region: region(WEST),
        account: "123456789012".parse().expect("an account"),
        operation: "UpdateAlias".to_owned(),
        input: json!({"FunctionName": PRODUCER, "Name": "live", "Description": "somebody's"}),
    };
    let (operation, fault) = (Some("UpdateAlias".to_owned()), Some(Fault::Overtaken(Box::new(described))));
    stage.sandbox.inject(Rule { operation, times: Some(1), fault, ..Rule::default() });
    stage.must_fail_over().await;
    assert_eq!(sent(&stage, "UpdateAlias"), 2, "the first was refused for its revision");
    let alias =
        stage.call(Service::Lambda, WEST, "GetAlias", json!({"FunctionName": PRODUCER, "Name": "live"}));
    assert_eq!((&alias["FunctionVersion"], &alias["Description"]), (&json!("2"), &json!("somebody's")));
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}

/// A function that is being made cannot be changed yet (409).
#[tokio::test(start_paused = true)]
async fn a_producer_that_is_still_being_made_is_refused() {
    let slow = Delays { function_create: Span::millis(900_000, 900_000), ..Delays::default() };
    let mut stage = Stage::of(240, &Story { delays: slow, ..Stage::light() });
    further(&mut stage, WEST, "second-producer", Side::Primary).await;
    refused(&stage, "second-producer is Pending").await;
}
