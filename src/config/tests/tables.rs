//! The words of refusals about the tables before the pipelines.

use super::said;
use snapbox::{assert_data_eq, str};

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
        said(&[("\"5m\"", "\"9000h\"")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:9:18: `overlap_buffer` must be at most 365 days long, not "9000h"
 9 | overlap_buffer = "9000h"
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
fn a_table_is_not_a_value() {
    assert_data_eq!(
        said(&[("[regions]", "timing = \"5s\"\n[regions]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:1:10: `timing` must be a table [timing], not "5s"
 1 | timing = "5s"
   |          ^^^^
"#]]
    );
}

#[test]
fn a_wait_takes_longer_than_zero() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[timing]\ntimeout = \"0s\"\npoll = \"-5s\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has 2 problems

kdsha.toml:6:11: `timeout` must be longer than zero and at most 365 days, not "0s"
 6 | timeout = "0s"
   |           ^^^^

kdsha.toml:7:8: `poll` must be a length of time such as "90s", "5m" or "1h30m", not "-5s"
 7 | poll = "-5s"
   |        ^^^^^
"#]]
    );
}

#[test]
fn a_timeout_is_longer_than_a_poll() {
    assert_data_eq!(
        said(&[("[[pipeline]]", "[timing]\ntimeout = \"5s\"\n\n[[pipeline]]")]),
        str![[r#"
the configuration `kdsha.toml` has a problem

kdsha.toml:6:11: `poll` (5s) must be shorter than `timeout` (5s)
 6 | timeout = "5s"
   |           ^^^^
"#]]
    );
}
