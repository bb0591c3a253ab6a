//! What a dry run prints is what the run sends, in order; the dry run itself sends nothing that changes anything.

use super::stage::{MINUTE, Stage};
use kdsha::model::Exit;
use kdsha::sandbox::Logged;
use kdsha::sandbox::world::Story;
use kdsha::ui::Format;
use serde_json::Value;

/// A call by what can be told from both sides: Region, operation, and the thing that is changed.
type Told = (String, String, String);

fn printed(effect: &Value) -> Told {
    let effect = &effect["effect"];
    let text = |key: &str| effect[key].as_str().unwrap_or_default().to_owned();
    let operation = match effect["effect"].as_str().unwrap_or_default() {
        "tag_stream" => "AddTagsToStream",
        "create_mapping" => "CreateEventSourceMapping",
        "set_mapping_enabled" => "UpdateEventSourceMapping",
        "delete_mapping" => "DeleteEventSourceMapping",
        "set_environment" => "UpdateFunctionConfiguration",
        "publish_version" => "PublishVersion",
        "move_alias" => "UpdateAlias",
        other => panic!("an effect that this test does not know: {other}"),
    };
    let detail = match operation {
        "UpdateEventSourceMapping" => effect["enabled"].to_string(),
        "CreateEventSourceMapping" => format!("{} {}", text("function"), effect["enabled"]),
        "UpdateFunctionConfiguration" => text("function"),
        _ => String::new(),
    };
    (text("region"), operation.to_owned(), detail)
}

fn sent(call: &Logged) -> Told {
    let text = |key: &str| call.input[key].as_str().unwrap_or_default().to_owned();
    let detail = match call.operation.as_str() {
        "UpdateEventSourceMapping" => call.input["Enabled"].to_string(),
        "CreateEventSourceMapping" => format!("{} {}", text("FunctionName"), call.input["Enabled"]),
        "UpdateFunctionConfiguration" => text("FunctionName"),
        _ => String::new(),
    };
    (call.region.to_string(), call.operation.clone(), detail)
}

async fn dry(stage: &Stage, back: bool) -> Vec<Told> {
    let before = (stage.mutations().len(), stage.fingerprint());
    let out = kdsha::ui::Buffer::default();
    let settings = kdsha::ui::Settings { format: Format::Json, ..Default::default() };
    let ui =
        kdsha::ui::Ui::with_writers(settings, Box::new(out.clone()), Box::new(stage.stderr.clone()), 100);
    let session = stage.session().await;
    let exit = if back {
        let mut args = stage.back();
        args.dry_run = true;
        kdsha::cli::failback::run(&session, &ui, &args).await
    } else {
        let mut args = stage.over();
        args.dry_run = true;
        kdsha::cli::failover::run(&session, &ui, &args).await
    };
    stage.expect(exit, Exit::Done);
    assert_eq!((stage.mutations().len(), stage.fingerprint()), before, "a dry run changed something");
    assert!(!stage.state.path().join("lock").exists() || back, "a dry run wrote into the state folder");
    let document: Value = serde_json::from_str(out.text().trim()).expect("one JSON document");
    assert_eq!(document["schema"], "kdsha.plan/1");
    document["effects"].as_array().expect("effects").iter().map(printed).collect()
}

async fn same(story: Story, stay: std::time::Duration) {
    let stage = Stage::of(11, &story);
    for back in [false, true] {
        let told = dry(&stage, back).await;
        assert!(!told.is_empty());
        let before = stage.mutations().len();
        if back {
            stage.must_fail_back().await;
        } else {
            stage.must_fail_over().await;
        }
        let done: Vec<Told> = stage.mutations()[before..].iter().map(sent).collect();
        assert_eq!(told, done, "back: {back}");
        stage.pass(stay).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_of_a_cold_pipeline_prints_what_the_run_sends() {
    same(Stage::light(), 10 * MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_of_a_warm_pipeline_prints_what_the_run_sends() {
    same(Story { warm: true, ..Stage::light() }, 10 * MINUTE).await;
}

/// A mapping that waited for longer than the retention is deleted and created again: both are printed.
#[tokio::test(start_paused = true)]
async fn a_dry_run_of_a_failback_after_the_retention_prints_what_the_run_sends() {
    same(Story { retention_hours: 1, ..Stage::light() }, 90 * MINUTE).await;
}

/// An emergency asks the failing Region for everything at once, so only the set is fixed there.
#[tokio::test(start_paused = true)]
async fn a_dry_run_of_an_emergency_prints_what_the_run_sends() {
    let stage = Stage::post(12);
    let mut args = stage.over();
    args.emergency = true;
    let out = kdsha::ui::Buffer::default();
    let settings = kdsha::ui::Settings { format: Format::Json, ..Default::default() };
    let ui =
        kdsha::ui::Ui::with_writers(settings, Box::new(out.clone()), Box::new(stage.stderr.clone()), 100);
    let dry = kdsha::cli::args::FailoverArgs { dry_run: true, ..args.clone() };
    let exit = kdsha::cli::failover::run(&stage.session().await, &ui, &dry).await;
    stage.expect(exit, Exit::Done);
    assert!(stage.mutations().is_empty());
    let document: Value = serde_json::from_str(out.text().trim()).expect("one JSON document");
    let mut told: Vec<Told> = document["effects"].as_array().expect("effects").iter().map(printed).collect();
    stage.expect(stage.failover(&args).await, Exit::Done);
    let mut done: Vec<Told> = stage.mutations().iter().map(sent).collect();
    told.sort();
    done.sort();
    assert_eq!(told, done);
    stage.pass(10 * MINUTE).await;
    stage.must_fail_back().await;
    stage.must_have_lost_nothing().await;
}
