//! The words of refusals about keys, and about the text as a whole.

use super::{SMALL, at, said};
use snapbox::{assert_data_eq, str};

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
