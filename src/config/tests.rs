//! What the loader accepts, and the exact words of every refusal.

use super::*;
use crate::model::Side;
use proptest::prelude::*;
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
 hint: one names a stream with its producers and its consumer; `kdsha init` writes them
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

#[test]
fn an_unknown_key_names_the_nearest_one() {
    assert_data_eq!(
        said(&[("overlap_buffer = \"5m\"", "overlap_bufer = \"5m\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:9:1: unknown key `overlap_bufer` in [[pipeline]]
 9 | overlap_bufer = "5m"
   | ^^^^^^^^^^^^^
 hint: did you mean `overlap_buffer`?
"#]]
    );
}

#[test]
fn an_unknown_key_in_another_spelling_is_recognised() {
    assert_data_eq!(
        said(&[("overlap_buffer = \"5m\"", "Overlap-Buffer = \"5m\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:9:1: unknown key `Overlap-Buffer` in [[pipeline]]
 9 | Overlap-Buffer = "5m"
   | ^^^^^^^^^^^^^^
 hint: did you mean `overlap_buffer`?
"#]]
    );
}

#[test]
fn a_key_of_another_table_is_sent_there() {
    assert_data_eq!(
        said(&[("standby = \"us-east-2\"", "standby = \"us-east-2\"\npoll = \"5s\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:4:1: unknown key `poll` in [regions]
 4 | poll = "5s"
   | ^^^^
 hint: `poll` belongs in [timing]
"#]]
    );
}

#[test]
fn a_key_that_is_like_nothing_lists_the_known_ones() {
    assert_data_eq!(
        said(&[("standby = \"us-east-2\"", "standby = \"us-east-2\"\nbanana = 1")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:4:1: unknown key `banana` in [regions]
 4 | banana = 1
   | ^^^^^^
 hint: known here: primary, standby
"#]]
    );
}

#[test]
fn an_unknown_table_names_the_nearest_one() {
    assert_data_eq!(
        said(&[("[regions]", "[region]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:1:2: unknown key `region` in the file
 1 | [region]
   |  ^^^^^^
 hint: did you mean `regions`?
"#]]
    );
}

#[test]
fn a_missing_key_is_asked_for() {
    assert_data_eq!(
        said(&[("standby = \"us-east-2\"\n", "")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:1:1: [regions] has no `standby`
 1 | [regions]
   | ^^^^^^^^^
 hint: add: standby = "us-east-2"
"#]]
    );
}

#[test]
fn a_misspelt_key_is_not_called_missing_as_well() {
    assert_data_eq!(
        said(&[("standby = \"us-east-2\"", "stand_by = \"us-east-2\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:3:1: unknown key `stand_by` in [regions]
 3 | stand_by = "us-east-2"
   | ^^^^^^^^
 hint: did you mean `standby`?
"#]]
    );
}

#[test]
fn a_region_must_look_like_one() {
    assert_data_eq!(
        said(&[("\"us-east-2\"", "\"us-east2\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:3:11: `standby` must be an AWS Region such as us-west-2, not "us-east2"
 3 | standby = "us-east2"
   |           ^^^^^^^^^^
 hint: did you mean "us-east-2"?
"#]]
    );
}

#[test]
fn a_region_must_be_text() {
    assert_data_eq!(
        said(&[("\"us-east-2\"", "true")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:3:11: `standby` must be an AWS Region such as us-west-2, not true
 3 | standby = true
   |           ^^^^
"#]]
    );
}

#[test]
fn the_two_regions_differ() {
    assert_data_eq!(
        said(&[("\"us-east-2\"", "\"us-west-2\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:3:11: `standby` is the primary Region, us-west-2; it must be another one
 3 | standby = "us-west-2"
   |           ^^^^^^^^^^^
"#]]
    );
}

#[test]
fn the_two_regions_are_of_one_partition() {
    assert_data_eq!(
        said(&[("\"us-east-2\"", "\"cn-north-1\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:3:11: us-west-2 is a commercial Region and cn-north-1 is a China one: no credentials are good for both
 3 | standby = "cn-north-1"
   |           ^^^^^^^^^^^^
"#]]
    );
}

#[test]
fn an_account_is_twelve_digits() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[account]\nid = \"1234\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:6: `id` must be a 12-digit AWS account id, not "1234"
 6 | id = "1234"
   |      ^^^^^^
"#]]
    );
}

#[test]
fn an_account_is_text() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[account]\nid = 123456789012\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:6: `id` must be a 12-digit AWS account id, not 123456789012
 6 | id = 123456789012
   |      ^^^^^^^^^^^^
 hint: put it in quotes: "123456789012"
"#]]
    );
}

#[test]
fn an_account_has_an_id() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[account]\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:5:1: [account] has no `id`
 5 | [account]
   | ^^^^^^^^^
 hint: add: id = "123456789012"
"#]]
    );
}

#[test]
fn a_length_of_time_has_a_unit() {
    assert_data_eq!(
        said(&[("\"5m\"", "300")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:9:18: `overlap_buffer` must be a length of time such as "90s", "5m" or "1h30m", not 300
 9 | overlap_buffer = 300
   |                  ^^^
 hint: a bare number has no unit; write "300s" for seconds
"#]]
    );
}

#[test]
fn a_length_of_time_is_readable() {
    assert_data_eq!(
        said(&[("\"5m\"", "\"soon\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:9:18: `overlap_buffer` must be a length of time such as "90s", "5m" or "1h30m", not "soon"
 9 | overlap_buffer = "soon"
   |                  ^^^^^^
"#]]
    );
}

#[test]
fn a_length_of_time_is_not_without_end() {
    assert_data_eq!(
        said(&[("\"5m\"", "\"9999d\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:9:18: `overlap_buffer` must be a length of time such as "90s", "5m" or "1h30m", not "9999d"
 9 | overlap_buffer = "9999d"
   |                  ^^^^^^^
"#]]
    );
}

#[test]
fn an_objective_is_longer_than_zero() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[objectives]\nrto = \"0s\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:7: `rto` must be longer than zero and at most 365 days, not "0s"
 6 | rto = "0s"
   |       ^^^^
"#]]
    );
}

#[test]
fn an_error_rate_is_a_share() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[objectives]\nerror_rate = 5\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:14: `error_rate` must be a share above 0 and at most 1, such as 0.01, not 5
 6 | error_rate = 5
   |              ^
 hint: 5 percent is 0.05
"#]]
    );
}

#[test]
fn an_error_rate_is_above_zero() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[objectives]\nerror_rate = 0.0\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:14: `error_rate` must be a share above 0 and at most 1, such as 0.01, not 0.0
 6 | error_rate = 0.0
   |              ^^^
"#]]
    );
}

#[test]
fn an_error_rate_is_a_number() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[objectives]\nerror_rate = \"1%\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:14: `error_rate` must be a share above 0 and at most 1, such as 0.01, not "1%"
 6 | error_rate = "1%"
   |              ^^^^
"#]]
    );
}

#[test]
fn an_error_rate_is_not_nan() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[objectives]\nerror_rate = nan\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:14: `error_rate` must be a share above 0 and at most 1, such as 0.01, not nan
 6 | error_rate = nan
   |              ^^^
"#]]
    );
}

#[test]
fn an_error_window_holds_a_period() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[objectives]\nerror_window = \"30s\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:16: `error_window` (30s) is shorter than `metric_period` (1m)
 6 | error_window = "30s"
   |                ^^^^^
"#]]
    );
}

#[test]
fn a_poll_is_shorter_than_the_timeout() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[timing]\npoll = \"1h\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:8: `poll` (1h) must be shorter than `timeout` (30m)
 6 | poll = "1h"
   |        ^^^^
"#]]
    );
}

#[test]
fn a_metric_period_is_one_of_cloudwatchs() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[timing]\nmetric_period = \"45s\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:17: `metric_period` must be a CloudWatch period: 1s, 5s, 10s, 30s, or whole minutes up to a day, not "45s"
 6 | metric_period = "45s"
   |                 ^^^^^
"#]]
    );
}

#[test]
fn a_fresh_point_can_exist() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[timing]\nmetric_period = \"5m\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:17: `fresh` (3m) must be at least `metric_period` (5m)
 6 | metric_period = "5m"
   |                 ^^^^
 hint: with less, no data point would ever be fresh enough to prove anything
"#]]
    );
}

#[test]
fn an_endpoint_belongs_to_one_of_the_regions() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[endpoints]\neu-west-1 = \"https://example.com\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:1: `eu-west-1` in [endpoints] is neither of the two Regions
 6 | eu-west-1 = "https://example.com"
   | ^^^^^^^^^
 hint: the Regions are us-west-2 and us-east-2
"#]]
    );
}

#[test]
fn an_endpoint_is_named_by_region_not_by_role() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[endpoints]\nprimary = \"https://example.com\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:1: `primary` in [endpoints] is neither of the two Regions
 6 | primary = "https://example.com"
   | ^^^^^^^
 hint: name the Region: us-west-2 = "..."
"#]]
    );
}

#[test]
fn an_endpoint_is_a_url() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[endpoints]\nus-west-2 = \"127.0.0.1:4566\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:13: `us-west-2` must be a URL such as "https://host:port", not "127.0.0.1:4566"
 6 | us-west-2 = "127.0.0.1:4566"
   |             ^^^^^^^^^^^^^^^^
"#]]
    );
}

#[test]
fn an_endpoint_away_from_here_is_https() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[endpoints]\nus-west-2 = \"http://proxy.example.com\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:13: `us-west-2` must be an https URL, not "http://proxy.example.com"
 6 | us-west-2 = "http://proxy.example.com"
   |             ^^^^^^^^^^^^^^^^^^^^^^^^^^
 hint: http is for loopback addresses only: requests carry session tokens
"#]]
    );
}

#[test]
fn two_regions_do_not_share_an_endpoint() {
    assert_data_eq!(
        said(&[(
            "[[pipeline]]",
            "[endpoints]\nus-west-2 = \"https://vpce.example.com\"\nus-east-2 = \"https://vpce.example.com\"\n\n[[pipeline]]"
        )]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:7:13: one endpoint for both Regions: a call for one Region would reach the other
 7 | us-east-2 = "https://vpce.example.com"
   |             ^^^^^^^^^^^^^^^^^^^^^^^^^^
 hint: only a loopback address may serve both
"#]]
    );
}

#[test]
fn there_is_a_pipeline() {
    assert_data_eq!(
        said(&[("PIPELINE", "")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:1:1: there is no [[pipeline]] table
 hint: one names a stream with its producers and its consumer; `kdsha init` writes them
"#]]
    );
}

#[test]
fn a_pipeline_is_written_in_double_brackets() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[pipeline]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:5:1: `pipeline` must be one or more tables [[pipeline]], not a table
 5 | [pipeline]
   | ^^^^^^^^^^
 hint: write [[pipeline]] in double brackets
"#]]
    );
}

#[test]
fn a_pipeline_has_a_plain_name() {
    assert_data_eq!(
        said(&[("\"prices\"", "\"ticker prices\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:8: `name` must be a pipeline name (1 to 64 letters, digits, `_`, `.`, `-`), not "ticker prices"
 6 | name = "ticker prices"
   |        ^^^^^^^^^^^^^^^
"#]]
    );
}

#[test]
fn a_standby_is_cold_or_warm() {
    assert_data_eq!(
        said(&[("\"cold\"", "\"wram\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:7:11: `standby` must be "cold" or "warm", not "wram"
 7 | standby = "wram"
   |           ^^^^^^
 hint: did you mean "warm"?
"#]]
    );
}

#[test]
fn a_standby_is_said() {
    assert_data_eq!(
        said(&[("standby = \"cold\"\n", "")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:5:1: [[pipeline]] has no `standby`
 5 | [[pipeline]]
   | ^^^^^^^^^^^^
 hint: add: standby = "cold", or "warm" where the consumer always runs
"#]]
    );
}

#[test]
fn a_stream_has_a_valid_name() {
    assert_data_eq!(
        said(&[("\"S\"", "\"S/T\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:8:10: `stream` must be a Kinesis stream name (1 to 128 letters, digits, `_`, `.`, `-`), not "S/T"
 8 | stream = "S/T"
   |          ^^^^^
"#]]
    );
}

#[test]
fn a_stream_is_a_name_or_one_for_each_side() {
    assert_data_eq!(
        said(&[("\"S\"", "[\"S\"]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:8:10: `stream` must be a Kinesis stream name (1 to 128 letters, digits, `_`, `.`, `-`), not a list
 8 | stream = ["S"]
   |          ^^^^^
 hint: or { primary = "...", standby = "..." } where stream names differ
"#]]
    );
}

#[test]
fn a_stream_for_each_side_has_both() {
    assert_data_eq!(
        said(&[("\"S\"", "{ primary = \"S\", stanby = \"T\", other = 1 }")]),
        str![[r#"
the configuration `kdsha.toml` has 2 problems

kdsha.toml:8:27: unknown key `stanby` in `stream`
 8 | stream = { primary = "S", stanby = "T", other = 1 }
   |                           ^^^^^^
 hint: did you mean `standby`?

kdsha.toml:8:41: unknown key `other` in `stream`
 8 | stream = { primary = "S", stanby = "T", other = 1 }
   |                                         ^^^^^
 hint: known here: primary, standby
"#]]
    );
}

#[test]
fn a_pipeline_has_a_producer() {
    assert_data_eq!(
        said(&[("[[pipeline.producer]]\nfunction = \"P\"\nregion_variable = \"TO_REGION\"\n", "")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:5:1: [[pipeline]] has no [[pipeline.producer]]
 5 | [[pipeline]]
   | ^^^^^^^^^^^^
 hint: without a producer there is nothing to switch to the other Region
"#]]
    );
}

#[test]
fn a_producer_is_written_in_double_brackets() {
    assert_data_eq!(
        said(&[("[[pipeline.producer]]", "[pipeline.producer]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:11:1: `producer` must be one or more tables [[pipeline.producer]], not a table
 11 | [pipeline.producer]
    | ^^^^^^^^^^^^^^^^^^^
 hint: write [[pipeline.producer]] in double brackets
"#]]
    );
}

#[test]
fn a_function_is_a_name_not_an_arn() {
    assert_data_eq!(
        said(&[("function = \"P\"", "function = \"arn:aws:lambda:us-west-2:123456789012:function:P\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:12:12: `function` must be a Lambda function name (1 to 64 letters, digits, `_`, `-`; no ARN, no qualifier), not "arn:aws:lambda:us-west-2:123456789012:function:P"
 12 | function = "arn:aws:lambda:us-west-2:123456789012:function:P"
    |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
 hint: write the name alone: "P"
"#]]
    );
}

#[test]
fn a_producer_lives_in_a_role() {
    assert_data_eq!(
        said(&[("function = \"P\"", "function = \"P\"\nregion = \"us-east-2\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:13:10: `region` must be "primary" or "standby", not "us-east-2"
 13 | region = "us-east-2"
    |          ^^^^^^^^^^^
 hint: write "standby": the roles of the Regions are in [regions]
"#]]
    );
}

#[test]
fn a_variable_has_a_valid_name() {
    assert_data_eq!(
        said(&[("\"TO_REGION\"", "\"TO-REGION\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:13:19: `region_variable` must be an environment variable of the function (a letter, then letters, digits, `_`), not "TO-REGION"
 13 | region_variable = "TO-REGION"
    |                   ^^^^^^^^^^^
"#]]
    );
}

#[test]
fn a_variable_is_not_one_of_lambdas_own() {
    assert_data_eq!(
        said(&[("\"TO_REGION\"", "\"AWS_REGION\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:13:19: `region_variable` must be a variable that is not one of Lambda's own, not "AWS_REGION"
 13 | region_variable = "AWS_REGION"
    |                   ^^^^^^^^^^^^
 hint: Lambda sets it and refuses a change; name the variable that the function's code reads
"#]]
    );
}

#[test]
fn two_variables_are_two() {
    assert_data_eq!(
        said(&[("\"TO_REGION\"", "\"TO_REGION\"\nstream_variable = \"TO_REGION\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:14:19: `stream_variable` is `region_variable`, TO_REGION: one variable cannot hold both
 14 | stream_variable = "TO_REGION"
    |                   ^^^^^^^^^^^
"#]]
    );
}

#[test]
fn an_alias_is_not_a_version() {
    assert_data_eq!(
        said(&[("function = \"P\"", "function = \"P\"\nalias = \"7\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:13:9: `alias` must be an alias of the function (1 to 128 letters, digits, `_`, `-`; not a version number), not "7"
 13 | alias = "7"
    |         ^^^
 hint: a published version cannot be changed; let the caller invoke an alias
"#]]
    );
}

#[test]
fn an_alias_is_not_latest() {
    assert_data_eq!(
        said(&[("function = \"P\"", "function = \"P\"\nalias = \"$LATEST\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:13:9: `alias` must be an alias of the function (1 to 128 letters, digits, `_`, `-`; not a version number), not "$LATEST"
 13 | alias = "$LATEST"
    |         ^^^^^^^^^
 hint: without `alias`, $LATEST is changed
"#]]
    );
}

#[test]
fn a_producer_is_named_once() {
    assert_data_eq!(
        said(&[(
            "[pipeline.consumer]",
            "[[pipeline.producer]]\nfunction = \"P\"\nregion_variable = \"OTHER\"\n\n[pipeline.consumer]"
        )]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:16:12: `P` in the primary Region is a producer of pipeline `prices` twice
 16 | function = "P"
    |            ^^^
"#]]
    );
}

#[test]
fn a_pipeline_has_a_consumer() {
    assert_data_eq!(
        said(&[("[pipeline.consumer]\nfunction = \"C\"\n", "")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:5:1: [[pipeline]] has no [pipeline.consumer]
 5 | [[pipeline]]
   | ^^^^^^^^^^^^
 hint: it names the function that processes the stream: function = "..."
"#]]
    );
}

#[test]
fn a_batch_has_lambdas_sizes() {
    assert_data_eq!(
        said(&[("function = \"C\"", "function = \"C\"\nbatch_size = 0")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:17:14: `batch_size` must be a whole number from 1 to 10000, not 0
 17 | batch_size = 0
    |              ^
"#]]
    );
}

#[test]
fn a_batching_window_has_lambdas_lengths() {
    assert_data_eq!(
        said(&[("function = \"C\"", "function = \"C\"\nbatching_window = \"10m\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:17:19: `batching_window` must be a length of time from 0s to 5m, not "10m"
 17 | batching_window = "10m"
    |                   ^^^^^
"#]]
    );
}

#[test]
fn a_batching_window_is_in_whole_seconds() {
    assert_data_eq!(
        said(&[("function = \"C\"", "function = \"C\"\nbatching_window = \"1500ms\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:17:19: `batching_window` must be a length of time in whole seconds, not "1500ms"
 17 | batching_window = "1500ms"
    |                   ^^^^^^^^
"#]]
    );
}

#[test]
fn a_parallelization_factor_has_lambdas_range() {
    assert_data_eq!(
        said(&[("function = \"C\"", "function = \"C\"\nparallelization_factor = 11")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:17:26: `parallelization_factor` must be a whole number from 1 to 10, not 11
 17 | parallelization_factor = 11
    |                          ^^
"#]]
    );
}

#[test]
fn a_destination_is_an_arn() {
    assert_data_eq!(
        said(&[("function = \"C\"", "function = \"C\"\non_failure = \"my-queue\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:17:14: `on_failure` must be the ARN of an SQS queue, an SNS topic or an S3 bucket, not "my-queue"
 17 | on_failure = "my-queue"
    |              ^^^^^^^^^^
"#]]
    );
}

#[test]
fn a_destination_is_in_the_standby_region() {
    assert_data_eq!(
        said(&[(
            "function = \"C\"",
            "function = \"C\"\non_failure = \"arn:aws:sqs:us-west-2:123456789012:q\""
        )]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:17:14: `on_failure` must be in the standby Region, us-east-2: the setting is for the standby's mapping, not "arn:aws:sqs:us-west-2:123456789012:q"
 17 | on_failure = "arn:aws:sqs:us-west-2:123456789012:q"
    |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#]]
    );
}

#[test]
fn a_replicator_is_not_the_consumer() {
    assert_data_eq!(
        said(&[("function = \"C\"\n", "function = \"C\"\n\n[pipeline.replicator]\nfunction = \"C\"\n")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:19:12: `C` reads `S` as the consumer of pipeline `prices` already
 19 | function = "C"
    |            ^^^
 hint: one function has one mapping to a stream, and one pipeline to command it
"#]]
    );
}

#[test]
fn a_sink_has_both_keys() {
    assert_data_eq!(
        said(&[("function = \"C\"\n", "function = \"C\"\n\n[pipeline.sink]\ntable = \"t\"\n")]),
        str![[r#"
the configuration `kdsha.toml` has 2 problems

kdsha.toml:18:1: [pipeline.sink] has no `region_attribute`
 18 | [pipeline.sink]
    | ^^^^^^^^^^^^^^^
 hint: add: region_attribute = "last_updated_region"

kdsha.toml:19:9: `table` must be a DynamoDB table name (3 to 255 letters, digits, `_`, `.`, `-`), not "t"
 19 | table = "t"
    |         ^^^
"#]]
    );
}

#[test]
fn two_pipelines_have_two_names() {
    assert_data_eq!(
        said(&[(
            "END",
            "\n[[pipeline]]\nname = \"prices\"\nstandby = \"cold\"\nstream = \"T\"\n[[pipeline.producer]]\nfunction = \"Q\"\nregion_variable = \"TO_REGION\"\n[pipeline.consumer]\nfunction = \"C\"\n"
        )]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:19:8: two pipelines are named `prices`
 19 | name = "prices"
    |        ^^^^^^^^
"#]]
    );
}

#[test]
fn two_pipelines_do_not_share_a_mapping() {
    assert_data_eq!(
        said(&[(
            "END",
            "\n[[pipeline]]\nname = \"orders\"\nstandby = \"cold\"\nstream = \"S\"\n[[pipeline.producer]]\nfunction = \"Q\"\nregion_variable = \"TO_REGION\"\n[pipeline.consumer]\nfunction = \"C\"\n"
        )]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:26:12: `C` reads `S` as the consumer of pipeline `prices` already
 26 | function = "C"
    |            ^^^
 hint: one function has one mapping to a stream, and one pipeline to command it
"#]]
    );
}

#[test]
fn two_pipelines_do_not_share_a_switch() {
    assert_data_eq!(
        said(&[(
            "END",
            "\n[[pipeline]]\nname = \"orders\"\nstandby = \"cold\"\nstream = \"T\"\n[[pipeline.producer]]\nfunction = \"P\"\nregion_variable = \"TO_REGION\"\n[pipeline.consumer]\nfunction = \"C\"\n"
        )]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:23:12: `P` in the primary Region is a producer of pipeline `prices` already
 23 | function = "P"
    |            ^^^
 hint: a switch of one pipeline would move the other as well: it has the same variable
"#]]
    );
}

#[test]
fn text_without_quotes_is_recognised() {
    assert_data_eq!(
        said(&[("\"us-east-2\"", "us-east-2")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:3:11: text must be in quotes
 3 | standby = us-east-2
   |           ^^^^^^^^^
 hint: write "us-east-2"
"#]]
    );
}

#[test]
fn a_key_given_twice_is_said() {
    assert_data_eq!(
        said(&[("standby = \"us-east-2\"", "standby = \"us-east-2\"\nstandby = \"us-east-2\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:4:1: `standby` is given twice in the same table
 4 | standby = "us-east-2"
   | ^^^^^^^
 hint: keep one of the two
"#]]
    );
}

#[test]
fn what_is_not_toml_is_said() {
    assert_data_eq!(
        said(&[("[regions]", "[regions")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:1:9: this is not TOML: unclosed table, expected `]`
 1 | [regions
   |         ^
"#]]
    );
}

#[test]
fn all_problems_are_listed_in_the_order_of_the_file() {
    assert_data_eq!(
        said(&[
            ("\"us-east-2\"", "\"us-west-2\""),
            ("\"cold\"", "\"hot\""),
            ("overlap_buffer", "overlap"),
            ("\"TO_REGION\"", "\"AWS_REGION\""),
            ("function = \"C\"", "function = \"C\"\nbatch_size = 20000")
        ]),
        str![[r#"
the configuration `kdsha.toml` has 5 problems

kdsha.toml:3:11: `standby` is the primary Region, us-west-2; it must be another one
 3 | standby = "us-west-2"
   |           ^^^^^^^^^^^

kdsha.toml:7:11: `standby` must be "cold" or "warm", not "hot"
 7 | standby = "hot"
   |           ^^^^^

kdsha.toml:9:1: unknown key `overlap` in [[pipeline]]
 9 | overlap = "5m"
   | ^^^^^^^
 hint: known here: name, standby, stream, overlap_buffer, producer, consumer, replicator, sink

kdsha.toml:13:19: `region_variable` must be a variable that is not one of Lambda's own, not "AWS_REGION"
 13 | region_variable = "AWS_REGION"
    |                   ^^^^^^^^^^^^
 hint: Lambda sets it and refuses a change; name the variable that the function's code reads

kdsha.toml:17:14: `batch_size` must be a whole number from 1 to 10000, not 20000
 17 | batch_size = 20000
    |              ^^^^^
"#]]
    );
}

#[test]
fn what_would_move_the_cursor_is_not_shown() {
    assert_data_eq!(
        said(&[("\"S\"", "\"S\\u001b[2J\u{7}\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:8:21: this is not TOML: invalid basic string, expected non-double-quote visible characters, `/`
 8 | stream = "S/u001b[2J "
   |                     ^
"#]]
    );
}

#[test]
fn a_long_line_is_cut_around_the_mark() {
    assert_data_eq!(
        said(&[(
            "stream = \"S\"",
            "stream = { primary = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", standby = \"b c\" }"
        )]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:8:156: `standby` must be a Kinesis stream name (1 to 128 letters, digits, `_`, `.`, `-`), not "b c"
 8 | aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", standby = "b c" }
   |                                                   ^^^^^
"#]]
    );
}

#[test]
fn of_very_many_problems_the_first_are_shown() {
    let many: String = (0..1000).map(|n| format!("key{n} = 1\n")).collect();
    let text = at(&format!("{many}{SMALL}")).expect_err("unknown keys").to_string();
    assert!(text.starts_with(
        "the configuration `kdsha.toml` has 1000 problems\n\nkdsha.toml:1:1: unknown key `key0`"
    ));
    assert!(text.ends_with("\n\n... and 980 more"), "{text}");
}

/// Every place that is named lies in the text, and every mark under its line.
fn is_presentable(text: &str) -> Result<(), TestCaseError> {
    let Err(error) = at(text) else { return Ok(()) };
    let shown = error.to_string();
    prop_assert!(!shown.contains(|c: char| super::problem::is_unfit(c) && c != '\n'), "{shown:?}");
    let ConfigError::Invalid { problems, .. } = error else { panic!("parsing reads no file") };
    prop_assert!(!problems.is_empty());
    for problem in problems {
        prop_assert!(problem.line <= text.split('\n').count());
        let Some(excerpt) = problem.excerpt else { continue };
        let width = excerpt.line.chars().count();
        prop_assert!(width <= 100 && excerpt.start <= width && excerpt.length >= 1, "{excerpt:?}");
    }
    Ok(())
}

/// Pieces that mean something to the loader or to TOML.
fn piece() -> impl Strategy<Value = String> {
    let words = "[ ] [[ \" ' = { } . , \n # \\ \u{1b} \u{0} é \u{202e} -1 0 1e999 0xfffffffffffffffffffff 9999999999999999999h nan \
                 true 1979-05-27 [pipeline] [[pipeline]] regions standby \"us-east-2\" \"\"\" {} [] http://[ arn:aws:sqs:";
    let words: Vec<&str> = words.split(' ').filter(|w| !w.is_empty()).collect();
    prop_oneof![proptest::sample::select(words).prop_map(str::to_owned), any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_the_post_makes_the_loader_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..24, piece()), 1..6)
    ) {
        let mut text: Vec<char> = THE_POST.chars().collect();
        for (place, cut, with) in edits {
            let from = place.index(text.len() + 1);
            let to = (from + cut).min(text.len());
            text.splice(from..to, with.chars());
        }
        is_presentable(&text.into_iter().collect::<String>())?;
    }

    #[test]
    fn no_line_left_out_makes_the_loader_panic(keep in proptest::collection::vec(any::<bool>(), 80)) {
        let kept = THE_POST.lines().zip(keep).filter(|(_, keep)| *keep).map(|(line, _)| line);
        is_presentable(&kept.collect::<Vec<_>>().join("\n"))?;
    }

    #[test]
    fn no_value_in_the_place_of_another_makes_the_loader_panic(
        line in any::<prop::sample::Index>(),
        value in prop_oneof![
            Just("0"), Just("-1"), Just("1.5"), Just("inf"), Just("true"), Just("[]"), Just("{}"), Just("\"\""),
            Just("[{}]"), Just("{ primary = 1 }"), Just("1979-05-27"), Just("\"\\u0000\""), Just("''"),
        ]
    ) {
        let settings: Vec<usize> =
            THE_POST.lines().enumerate().filter(|(_, l)| l.contains(" = ")).map(|(at, _)| at).collect();
        let place = settings[line.index(settings.len())];
        let edit = |(at, line): (usize, &str)| match at == place {
            true => format!("{} = {value}", line.trim_start_matches("# ").split(" = ").next().unwrap_or_default()),
            false => line.to_owned(),
        };
        is_presentable(&THE_POST.lines().enumerate().map(edit).collect::<Vec<_>>().join("\n"))?;
    }
}
