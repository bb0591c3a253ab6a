//! The words of refusals about a pipeline, its stream and its producers.

use super::said;
use snapbox::{assert_data_eq, str};

#[test]
fn there_is_a_pipeline() {
    assert_data_eq!(
        said(&[("PIPELINE", "")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:1:1: there is no [[pipeline]] table
 hint: one names a stream with its producers and its consumer; the README has an example
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
