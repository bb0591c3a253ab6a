//! Two of everything: two kdsha on one machine, on two machines, and a colleague who changes what kdsha is about to.

use super::operator::{Script, at_the_keyboard};
use super::stage::{MINUTE, Stage, region};
use kdsha::cli::args::FailoverArgs;
use kdsha::cli::failover;
use kdsha::cli::failure::Failure;
use kdsha::cli::session::Session;
use kdsha::journal::StateFolder;
use kdsha::model::Exit;
use kdsha::sandbox::Sandbox;
use kdsha::sandbox::call::{ApiCall, Service};
use kdsha::ui::Format;
use serde_json::{Value, json};
use std::time::Duration;

async fn race(stage: &Stage, sessions: [&Session; 2]) -> [Result<Exit, Failure>; 2] {
    let ui = stage.ui(Format::Human);
    let args = stage.over();
    let (one, two) = tokio::join!(
        Box::pin(failover::run(sessions[0], &ui, &args)),
        Box::pin(failover::run(sessions[1], &ui, &args))
    );
    [one, two]
}

#[tokio::test(start_paused = true)]
async fn on_one_machine_the_second_is_told_who_holds_the_lock() {
    let stage = Stage::post(91);
    let sessions = [stage.session().await, stage.session().await];
    let [one, two] = race(&stage, [&sessions[0], &sessions[1]]).await;
    stage.expect(one, Exit::Done);
    let refused = two.expect_err("the first one holds the lock");
    assert_eq!(refused.exit, Exit::Locked);
    let process = format!("process {}", std::process::id());
    for part in ["ops@laptop", "failover", &process] {
        assert!(refused.message.contains(part), "{}", refused.message);
    }
    stage.must_have_lost_nothing().await;
}

/// While it runs, the lock names the run.
#[tokio::test(start_paused = true)]
async fn a_later_one_is_told_the_run_too() {
    let stage = Stage::post(92);
    let first = stage.session().await;
    let later = async {
        stage.pass(2 * MINUTE).await;
        stage.failover(&stage.over()).await
    };
    let (ui, args) = (stage.ui(Format::Human), stage.over());
    let (one, two) = tokio::join!(Box::pin(failover::run(&first, &ui, &args)), later);
    stage.expect(one, Exit::Done);
    let refused = two.expect_err("the first one holds the lock");
    assert!(refused.message.contains("run 20260302-"), "{}", refused.message);
}

/// Two machines begin at every distance from each other: one gets through, the other is told whose run it is.
#[tokio::test(start_paused = true)]
async fn on_two_machines_one_wins_and_the_other_is_told() {
    for apart in [0, 1, 20, 40, 60, 100, 200, 1_000, 5_000, 60_000] {
        let stage = Stage::post(93);
        let elsewhere = tempfile::tempdir().expect("a folder");
        let mut maria = stage.session().await;
        maria.owner = "maria@desk".to_owned();
        maria.state = StateFolder::at(elsewhere.path());
        let mine = stage.session().await;
        let (ui, args) = (stage.ui(Format::Human), stage.over());
        let later = async {
            tokio::time::sleep(Duration::from_millis(apart)).await;
            Box::pin(failover::run(&maria, &ui, &args)).await
        };
        let (one, two) = tokio::join!(Box::pin(failover::run(&mine, &ui, &args)), later);
        let code = |result: &Result<Exit, Failure>| match result {
            Ok(exit) => *exit,
            Err(failure) => failure.exit,
        };
        let mut ends = [code(&one), code(&two)];
        ends.sort_by_key(|exit| exit.code());
        assert_eq!(ends, [Exit::Done, Exit::Locked], "{apart} ms apart\n{}", stage.stderr.text());
        let said = stage.stderr.text()
            + &one.err().map(|e| e.message).unwrap_or_default()
            + &two.err().map(|e| e.message).unwrap_or_default();
        let named = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            named.contains("(failover by maria@desk, since")
                || named.contains("(failover by ops@laptop, since"),
            "{apart} ms apart: {said}"
        );
        // Nothing is left that nobody owns: both machines agree that the pipeline rests.
        stage.expect(stage.verify().await, Exit::Done);
        let exit = kdsha::cli::look::verify(&maria, &ui).await;
        stage.expect(exit, Exit::Done);
        stage.expect(stage.resume().await, Exit::Done);
        stage.must_fail_back().await;
        stage.must_have_lost_nothing().await;
    }
}

/// A colleague sets variables of the producer, keeping all others.
fn set(sandbox: &Sandbox, changes: &[(&str, &str)]) {
    let call = |operation: &str, input: Value| ApiCall {
        service: Service::Lambda,
        region: region("us-west-2"),
        account: "123456789012".parse().expect("an account"),
        operation: operation.to_owned(),
        input,
    };
    let name = json!({"FunctionName": "KDS-HA-ProducerLambda"});
    let output = sandbox.with_world(|w| w.call(&call("GetFunctionConfiguration", name))).expect("an answer");
    let mut variables = output.output["Environment"]["Variables"].clone();
    for (key, value) in changes {
        variables[*key] = json!(value);
    }
    let input = json!({"FunctionName": "KDS-HA-ProducerLambda", "Environment": {"Variables": variables}});
    sandbox.with_world(|w| w.call(&call("UpdateFunctionConfiguration", input))).expect("an update");
}

async fn asked(stage: &Stage, script: Script) -> Result<Exit, Failure> {
    let session = at_the_keyboard(stage, script).await;
    let args = FailoverArgs { yes: false, ..stage.over() };
    failover::run(&session, &stage.ui(Format::Human), &args).await
}

#[tokio::test(start_paused = true)]
async fn a_key_of_ours_that_a_colleague_changed_is_shown_and_asked_about() {
    for agrees in [true, false] {
        let stage = Stage::post(94);
        let before = stage.environment();
        let sandbox = stage.sandbox.clone();
        let changes = [("INPUT_STREAM", "another-stream"), ("RETRY_SECONDS", "not-to-be-shown")];
        let script = Script::typing(&["y", "y"]).after(move || set(&sandbox, &changes), "y");
        let answers: &[&str] = if agrees { &["y", "y", "y", "y", "y", "y"] } else { &["n"] };
        let script = answers.iter().fold(script, |script, line| script.then(line));
        let exit = asked(&stage, script).await;
        let said = stage.stderr.text();
        assert!(said.contains("INPUT_STREAM: was KDS-HA-Stream, is another-stream"), "{said}");
        assert!(said.contains("RETRY_SECONDS") && !said.contains("not-to-be-shown"), "{said}");
        let now = stage.environment();
        assert_eq!(now["RETRY_SECONDS"], "not-to-be-shown");
        match agrees {
            true => {
                stage.expect(exit, Exit::Done);
                assert_eq!(
                    (&*now["INPUT_STREAM"], &*now["PRODUCING_TO_REGION"]),
                    ("KDS-HA-Stream", "us-east-2")
                );
                let others = |map: &std::collections::BTreeMap<String, String>| {
                    map.keys().cloned().collect::<Vec<_>>()
                };
                assert_eq!(others(&now), others(&before));
            }
            false => {
                stage.expect(exit, Exit::StepFailed);
                assert_eq!(
                    (&*now["INPUT_STREAM"], &*now["PRODUCING_TO_REGION"]),
                    ("another-stream", "us-west-2")
                );
            }
        }
    }
}

/// Changes the producer once the run has prepared the standby.
async fn meanwhile(stage: &Stage, changes: &[(&str, &str)]) {
    while !stage.mutations().iter().any(|call| call.operation == "CreateEventSourceMapping") {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    set(&stage.sandbox, changes);
}

#[tokio::test(start_paused = true)]
async fn without_anybody_to_ask_a_changed_key_of_ours_stops_the_run() {
    let stage = Stage::post(95);
    let args = stage.over();
    let changes = [("INPUT_STREAM", "another-stream")];
    let (exit, ()) = tokio::join!(stage.failover(&args), meanwhile(&stage, &changes));
    // What was done before it stands: it is no exit that says that nothing was changed.
    stage.expect(exit, Exit::StepFailed);
    let said = stage.stderr.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("INPUT_STREAM: was KDS-HA-Stream, is another-stream"), "{said}");
    assert!(!said.contains("nothing was changed"), "{said}");
    let state = StateFolder::at(stage.state.path());
    let run = state.runs().expect("the runs").remove(0).run.expect("a journal");
    assert!(run.is_unfinished());
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], "us-west-2");
    // It stands still until the key is as it was, or somebody says yes at a terminal.
    let refused = stage.resume().await.expect_err("a producer of another stream");
    assert_eq!(refused.exit, Exit::Blocked, "{}", refused.message);
    assert!(refused.message.contains("producer_stream"), "{}", refused.message);
    set(&stage.sandbox, &[("INPUT_STREAM", "KDS-HA-Stream")]);
    stage.pass(MINUTE).await;
    stage.expect(stage.resume().await, Exit::Done);
}

/// The way back that the stopped run names exists.
#[tokio::test(start_paused = true)]
async fn a_run_that_a_changed_key_of_ours_stopped_is_put_back() {
    let stage = Stage::post(98);
    let before = stage.fingerprint().mappings;
    let args = stage.over();
    let changes = [("INPUT_STREAM", "another-stream")];
    let (exit, ()) = tokio::join!(stage.failover(&args), meanwhile(&stage, &changes));
    stage.expect(exit, Exit::StepFailed);
    assert!(stage.stderr.text().contains("`kdsha resume --undo`"), "{}", stage.stderr.text());
    let undo = kdsha::cli::args::ResumeArgs { yes: true, undo: true, emergency: false, start_at: None };
    let exit = kdsha::cli::resume::run(&stage.session().await, &stage.ui(Format::Human), &undo).await;
    stage.expect(exit, Exit::Done);
    let after = stage.fingerprint();
    assert_eq!((after.mappings, after.run.as_deref()), (before, Some("closed")));
}

/// A changed key of one pipeline's producer is that pipeline's matter.
#[tokio::test(start_paused = true)]
async fn the_other_pipelines_go_on_when_a_key_of_one_was_changed() {
    let story = kdsha::sandbox::world::Story { pipelines: 2, ..Stage::light() };
    let stage = Stage::of(99, &story);
    let args = stage.over();
    let changes = [("INPUT_STREAM", "another-stream")];
    let (exit, ()) = tokio::join!(stage.failover(&args), meanwhile(&stage, &changes));
    stage.expect(exit, Exit::StepFailed);
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], "us-west-2");
    let other = stage.topology.pipelines[1].producers[0].function.to_string();
    let input = json!({"FunctionName": other});
    let output = stage.call(Service::Lambda, "us-west-2", "GetFunctionConfiguration", input);
    assert_eq!(output["Environment"]["Variables"]["PRODUCING_TO_REGION"], "us-east-2");
    let enabled = stage.mappings("us-east-2").into_iter().filter(|mapping| mapping["State"] == "Enabled");
    assert_eq!(enabled.count(), 1, "{}", stage.stderr.text());
}

#[tokio::test(start_paused = true)]
async fn another_key_that_a_colleague_changed_is_kept_and_said() {
    let stage = Stage::post(96);
    let args = stage.over();
    let changes = [("RETRY_SECONDS", "secret-17")];
    let (exit, ()) = tokio::join!(stage.failover(&args), meanwhile(&stage, &changes));
    stage.expect(exit, Exit::Done);
    let said = stage.stderr.text();
    assert!(said.contains("somebody else changed RETRY_SECONDS"), "{said}");
    assert!(!said.contains("secret-17"), "{said}");
    let now = stage.environment();
    assert_eq!((&*now["RETRY_SECONDS"], &*now["PRODUCING_TO_REGION"]), ("secret-17", "us-east-2"));
    let journals = walk(stage.state.path());
    assert!(!journals.contains("secret-17"), "values are not written down");
}

fn walk(folder: &std::path::Path) -> String {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let text = |path: std::path::PathBuf| match path.is_dir() {
        true => walk(&path),
        false => std::fs::read_to_string(&path).expect("text"),
    };
    entries.map(text).collect()
}

/// A colleague starts a mapping of his own where ours is due: the run stops, and says which mappings there are.
#[tokio::test(start_paused = true)]
async fn a_mapping_that_a_colleague_made_is_not_taken_for_ours() {
    let stage = Stage::post(97);
    let sandbox = stage.sandbox.clone();
    let create = move || {
        let input = json!({"FunctionName": "KDS-HA-ConsumerLambda", "StartingPosition": "LATEST",
            "EventSourceArn": "arn:aws:kinesis:us-east-2:123456789012:stream/KDS-HA-Stream"});
        let call = ApiCall {
            service: Service::Lambda,
            region: region("us-east-2"),
            account: "123456789012".parse().expect("an account"),
            operation: "CreateEventSourceMapping".to_owned(),
            input,
        };
        sandbox.with_world(|w| w.call(&call)).expect("a mapping");
    };
    let exit = asked(&stage, Script::typing(&["y"]).after(create, "y").then("n")).await;
    stage.expect(exit, Exit::StepFailed);
    let said = stage.stderr.text();
    assert!(said.contains("LATEST"), "{said}");
    assert_eq!(stage.environment()["PRODUCING_TO_REGION"], "us-west-2");
}
