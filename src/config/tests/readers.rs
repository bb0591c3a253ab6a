//! The words of refusals about consumers, replicators, sinks, and what two pipelines claim.

use super::said;
use snapbox::{assert_data_eq, str};

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
the configuration `kdsha.toml` has 2 problems

kdsha.toml:21:10: `S` in the primary Region is the stream of pipeline `prices` already
 21 | stream = "S"
    |          ^^^
 hint: a stream belongs to one pipeline, whose run mark it carries

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
fn a_replicator_has_a_function() {
    assert_data_eq!(
        said(&[("END", "\n[pipeline.replicator]\nstream_consumer = \"a b\"\n")]),
        str![[r#"
the configuration `kdsha.toml` has 2 problems

kdsha.toml:18:1: [pipeline.replicator] has no `function`
 18 | [pipeline.replicator]
    | ^^^^^^^^^^^^^^^^^^^^^
 hint: add: function = "..."

kdsha.toml:19:19: `stream_consumer` must be a Kinesis stream name (1 to 128 letters, digits, `_`, `.`, `-`), not "a b"
 19 | stream_consumer = "a b"
    |                   ^^^^^
"#]]
    );
}

#[test]
fn two_replicators_do_not_share_a_mapping() {
    let replicator = "\n[pipeline.replicator]\nfunction = \"R\"\n";
    let other = "\n[[pipeline]]\nname = \"orders\"\nstandby = \"warm\"\nstream = \"S\"\n[[pipeline.producer]]\nfunction = \"Q\"\nregion_variable = \"TO_REGION\"\n[pipeline.consumer]\nfunction = \"D\"\n";
    assert_data_eq!(
        said(&[("END", replicator), ("END", other), ("END", replicator)]),
        str![[r#"
the configuration `kdsha.toml` has 2 problems

kdsha.toml:24:10: `S` in the primary Region is the stream of pipeline `prices` already
 24 | stream = "S"
    |          ^^^
 hint: a stream belongs to one pipeline, whose run mark it carries

kdsha.toml:32:12: `R` reads `S` as the replicator of pipeline `prices` already
 32 | function = "R"
    |            ^^^
 hint: one function has one mapping to a stream, and one pipeline to command it
"#]]
    );
}

#[test]
fn two_readers_do_not_share_a_fan_out_consumer() {
    assert_data_eq!(
        said(&[(
            "function = \"C\"",
            "function = \"C\"\nstream_consumer = \"E\"\n[pipeline.replicator]\nfunction = \"R\"\nstream_consumer = \"E\""
        )]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:20:19: `stream_consumer` is the consumer's, E: two mappings cannot read through one
 20 | stream_consumer = "E"
    |                   ^^^
 hint: each takes the subscription from the other: register one for each
"#]]
    );
}
