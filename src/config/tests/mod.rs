//! What the loader accepts, and the exact words of every refusal.

mod keys;
mod mutations;
mod pipelines;
mod readers;
mod tables;
mod writing;

use super::*;
use crate::model::Side;
use snapbox::{assert_data_eq, str};
use std::time::Duration;

/// The least that is a sound configuration.
const SMALL: &str = r#"[regions]
primary = "us-west-2"
standby = "us-east-2"

[[pipeline]]
name = "prices"
standby = "cold"
stream = "S"
overlap_buffer = "5m"

[[pipeline.producer]]
function = "P"
region_variable = "TO_REGION"

[pipeline.consumer]
function = "C"
"#;

fn at(text: &str) -> Result<Topology, ConfigError> {
    parse(text, Path::new("kdsha.toml"))
}

/// What is said of the small configuration after edits; `END` appends, `PIPELINE` cuts all of them.
fn said(edits: &[(&str, &str)]) -> String {
    let mut text = SMALL.to_owned();
    for (from, to) in edits {
        match *from {
            "PIPELINE" => text.truncate(text.find("[[pipeline]]").expect("there")),
            "END" => text.push_str(to),
            from => {
                assert!(text.contains(from), "nothing to edit: {from}");
                text = text.replacen(from, to, 1);
            }
        }
    }
    at(&text).expect_err("an edit that breaks it").to_string()
}

#[test]
fn the_post_is_a_sound_configuration() {
    let post = at(THE_POST).expect("sound");
    assert_eq!(post.path.as_deref(), Some(Path::new("kdsha.toml")));
    assert_eq!((post.regions.primary.as_str(), post.regions.standby.as_str()), ("us-west-2", "us-east-2"));
    assert_eq!((post.account, post.endpoints.len()), (None, 0));
    let [pipeline] = &post.pipelines[..] else { panic!("one pipeline") };
    assert_eq!((pipeline.name.as_str(), pipeline.standby), ("ticker-prices", StandbyMode::Cold));
    assert_eq!(pipeline.stream.primary, pipeline.stream.standby);
    assert_eq!(pipeline.overlap_buffer, Duration::from_secs(300));
    let [producer] = &pipeline.producers[..] else { panic!("one producer") };
    assert_eq!((producer.function.as_str(), producer.side), ("KDS-HA-ProducerLambda", Side::Primary));
    assert_eq!(producer.region_variable, "PRODUCING_TO_REGION");
    assert_eq!(producer.stream_variable.as_deref(), Some("INPUT_STREAM"));
    assert_eq!(pipeline.consumer.function.standby.as_str(), "KDS-HA-ConsumerLambda");
    assert_eq!(pipeline.consumer.overrides, MappingOverrides::default());
    let replicator = pipeline.replicator.as_ref().expect("replicator");
    assert_eq!(replicator.stream_consumer.as_ref().map(|n| n.as_str()), Some("KDS-HA-Stream-EFO-Consumer"));
    assert_eq!(pipeline.sink.as_ref().map(|s| s.region_attribute.as_str()), Some("last_updated_region"));
}

#[test]
fn what_the_post_writes_out_are_the_defaults() {
    let post = at(THE_POST).expect("sound");
    assert_eq!((post.objectives, post.timing), (Objectives::default(), Timing::default()));
    let small = at(SMALL).expect("sound");
    assert_eq!((small.objectives, small.timing), (Objectives::default(), Timing::default()));
    let shorter = SMALL.replace("overlap_buffer = \"5m\"\n", "");
    assert_eq!(at(&shorter).expect("sound").pipelines[0].overlap_buffer, Duration::from_secs(300));
}

/// Every comment of the form `# key = value` in the post is a setting that works once it is not a comment.
#[test]
fn what_the_post_comments_out_is_sound_as_well() {
    let keys = [
        "[account]",
        "id =",
        "[endpoints]",
        "us-west-2 =",
        "alias =",
        "stream_consumer =",
        "batch",
        "par",
        "on_",
    ];
    let text: String = THE_POST
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if keys.iter().any(|key| rest.starts_with(key)) => {
                format!("{}\n", rest.replace("\"...\"", "\"efo\""))
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let post = at(&text).expect("sound");
    assert_eq!(post.account.as_ref().map(|id| id.as_str()), Some("123456789012"));
    assert_eq!(post.endpoints.len(), 1);
    assert_eq!(post.pipelines[0].producers[0].alias.as_deref(), Some("live"));
    let consumer = &post.pipelines[0].consumer;
    assert_eq!(consumer.stream_consumer.as_ref().map(|n| n.as_str()), Some("efo"));
    let expected = MappingOverrides {
        batch_size: Some(100),
        batching_window_seconds: Some(0),
        parallelization_factor: Some(1),
        on_failure: Some("arn:aws:sqs:us-east-2:123456789012:failed-prices".to_owned()),
    };
    assert_eq!(consumer.overrides, expected);
}

#[test]
fn names_may_differ_between_the_sides() {
    let text = SMALL
        .replace("stream = \"S\"", "stream = { primary = \"S1\", standby = \"S2\" }")
        .replace("function = \"C\"", "function.primary = \"C1\"\nfunction.standby = \"C2\"");
    let topology = at(&text).expect("sound");
    let pipeline = &topology.pipelines[0];
    assert_eq!((pipeline.stream.primary.as_str(), pipeline.stream.standby.as_str()), ("S1", "S2"));
    let function = &pipeline.consumer.function;
    assert_eq!((function.primary.as_str(), function.standby.as_str()), ("C1", "C2"));
}

#[test]
fn one_function_may_write_to_two_streams_by_two_sets_of_variables() {
    let more = SMALL[SMALL.find("[[pipeline]]").expect("there")..]
        .replace("prices", "orders")
        .replace("\"S\"", "\"T\"")
        .replace("TO_REGION", "ORDERS_TO_REGION");
    assert_eq!(at(&format!("{SMALL}\n{more}")).expect("sound").pipelines.len(), 2);
}

#[test]
fn both_regions_may_be_served_from_loopback() {
    let endpoints = "[endpoints]\nus-west-2 = \"http://127.0.0.1:9\"\nus-east-2 = \"http://127.0.0.1:9\"\n";
    let topology = at(&format!("{endpoints}{SMALL}")).expect("sound");
    assert!(topology.endpoints.values().all(|url| url == "http://127.0.0.1:9"));
    assert_eq!(topology.endpoints.len(), 2);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let windows = SMALL.replace('\n', "\r\n");
    assert_eq!(at(&format!("\u{feff}{windows}")), at(SMALL));
    let broken = windows.replace("cold", "hot");
    assert_data_eq!(
        at(&broken).expect_err("broken").to_string(),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:7:11: `standby` must be "cold" or "warm", not "hot"
 7 | standby = "hot"
   |           ^^^^^
"#]]
    );
}

#[test]
fn an_empty_file_says_what_it_needs() {
    assert_data_eq!(
        at("").expect_err("empty").to_string(),
        str![[r#"
the configuration `kdsha.toml` has 2 problems

kdsha.toml:1:1: there is no [regions] table
 hint: it names the two: primary = "us-west-2" and standby = "us-east-2"

kdsha.toml:1:1: there is no [[pipeline]] table
 hint: one names a stream with its producers and its consumer; the README has an example
"#]]
    );
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().expect("folder");
    let why = |path: &Path| match load(path) {
        Err(ConfigError::Unreadable { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(folder.path()), "it is not a regular file");
    assert_eq!(why(&folder.path().join("gone")), "there is no such file");
    let path = folder.path().join("latin.toml");
    std::fs::write(&path, b"[regions]\nprimary = \"\xe9\"\n").expect("written");
    assert_eq!(why(&path), "line 2 is not UTF-8 text");
    std::fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).expect("written");
    assert_eq!(why(&path), "it is longer than 1 MiB, so it is not a kdsha.toml");
    std::fs::write(&path, SMALL).expect("written");
    assert_eq!(load(&path).expect("sound").path, Some(path));
}
