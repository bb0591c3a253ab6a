//! The dry run says what the real run sends: no more, no less, in order, and sends nothing itself.

use super::rig::Rig;
use serde_json::Value;

/// One effect of a plan, in the words of [`super::audit::Sent`].
fn in_words(planned: &Value) -> String {
    let effect = &planned["effect"];
    let text = |key: &str| effect[key].as_str().unwrap_or_default();
    let region = text("region");
    let reader = || format!("{} <- {}", text("function"), source(&effect["source"]));
    match text("effect") {
        "tag_stream" => {
            let tags: Vec<&str> =
                effect["tags"].as_object().expect("tags").keys().map(String::as_str).collect();
            let state = effect["tags"]["kdsha:state"].as_str().unwrap_or_default();
            format!("AddTagsToStream {region} {} {} ({state})", text("stream"), tags.join(","))
        }
        "create_mapping" => format!("CreateEventSourceMapping {region} {} {}", reader(), created(effect)),
        "set_mapping_enabled" => {
            format!("UpdateEventSourceMapping {region} {} enabled={}", reader(), effect["enabled"])
        }
        "delete_mapping" => format!("DeleteEventSourceMapping {region} {}", reader()),
        "set_environment" => format!("UpdateFunctionConfiguration {region} {}", text("function")),
        other => panic!("an effect that no pipeline of these tests needs: {other}"),
    }
}

fn source(source: &Value) -> String {
    if let Some(stream) = source["stream"].as_str() {
        return stream.to_owned();
    }
    let part = |key: &str| source["stream_consumer"][key].as_str().expect("a name").to_owned();
    format!("{}/{}", part("stream"), part("consumer"))
}

fn created(effect: &Value) -> String {
    let settings = &effect["settings"];
    let or_never = |key: &str| settings[key].as_i64().unwrap_or(-1);
    let start = if effect["start"] == "trim_horizon" { "TRIM_HORIZON" } else { "AT_TIMESTAMP" };
    format!(
        "enabled={} {start} batch={} window={} parallel={} bisect={} age={} retries={} responses={}",
        effect["enabled"],
        settings["batch_size"],
        settings["batching_window_seconds"],
        settings["parallelization_factor"],
        settings["bisect_on_error"],
        or_never("maximum_record_age_seconds"),
        or_never("maximum_retry_attempts"),
        settings["response_types"],
    )
}

/// The dry run's effects, after proof that it changed nothing.
pub fn dry_run(rig: &Rig, arguments: &[&str]) -> Vec<String> {
    let (before, sent) = (rig.world(), rig.mutations().len());
    let answer = rig.succeed(&[arguments, &["--dry-run", "--output", "json"]].concat());
    let mutations = rig.mutations();
    assert_eq!(mutations.len(), sent, "a dry run sent: {:#?}", &mutations[sent..]);
    let changes = before.changes(&rig.world());
    assert!(changes.is_empty(), "a dry run changed: {changes:#?}");
    let plan: Value = serde_json::from_str(&answer).expect("one JSON document");
    assert_eq!(plan["schema"], "kdsha.plan/1");
    plan["effects"].as_array().expect("effects").iter().map(in_words).collect()
}

/// Runs a command dry, then for real; both must say the same. The real run's events.
pub fn run(rig: &Rig, arguments: &[&str]) -> String {
    let planned = dry_run(rig, arguments);
    assert!(!planned.is_empty(), "a plan without effects moves nothing");
    let before = rig.mutations().len();
    let output = rig.succeed(&[arguments, &["--yes", "--output", "json"]].concat());
    let mutations = rig.mutations();
    let sent: Vec<String> = mutations[before..].iter().map(ToString::to_string).collect();
    assert_eq!(planned, sent, "the dry run and the real run differ");
    for one in &mutations[before..] {
        assert!(one.status < 300, "refused: {one:?}");
        if one.operation == "UpdateFunctionConfiguration" {
            assert_eq!(one.target["revision"], true, "an environment is replaced without a RevisionId");
        }
    }
    output
}
