//! Function states and tags that the sandbox does not play.

use super::{About, Checks};
use crate::config::{THE_POST, parse};
use crate::model::{
    Arn, CheckReport, Environment, FailureKind, FunctionView, Observed, ProducerView, Reason, Release,
    RequestStats, Snapshot, Verdict,
};
use crate::plan::sequence::Request;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

fn function(state: &str, last_update_status: &str) -> FunctionView {
    FunctionView {
        arn: Arn::new("arn:aws:lambda:us-west-2:123456789012:function:P"),
        state: state.to_owned(),
        last_update_status: last_update_status.to_owned(),
        last_update_reason: None,
        revision_id: String::new(),
        timeout_seconds: 30,
        memory_mib: 128,
        environment: Environment::Readable(BTreeMap::new()),
        reserved_concurrency: None,
        last_modified: None,
        effective_since: None,
        tags: BTreeMap::new(),
        tags_error: None,
        release: Release::default(),
    }
}

fn producer(function: &FunctionView) -> ProducerView {
    let unknown = || Observed::Unknown(Reason::not_asked());
    ProducerView {
        name: "P".parse().expect("a name"),
        region: "us-west-2".parse().expect("a Region"),
        function: Observed::Known(function.clone()),
        alias: None,
        other_aliases: Observed::Unknown(Reason::not_asked()),
        region_value: unknown(),
        stream_value: unknown(),
    }
}

/// The one report of a check, in a look that saw nothing else.
fn report(check: impl FnOnce(&mut Checks<'_>)) -> CheckReport {
    let topology = parse(THE_POST, Path::new("kdsha.toml")).expect("the post's");
    let snapshot = Snapshot {
        taken_at: "2026-11-22T10:10:00Z".parse().expect("an instant"),
        clock_skew_seconds: None,
        identity: Observed::Unknown(Reason::new(FailureKind::NotAsked, "")),
        regions: BTreeMap::new(),
        pipelines: BTreeMap::new(),
        stats: RequestStats::default(),
    };
    let run = "20261122-101000-failover-0000".parse().expect("a run id");
    let mut checks = Checks::new(Request {
        topology: &topology,
        snapshot: &snapshot,
        run: &run,
        owner: "ops@laptop",
        pipelines: &[],
        timeout: None,
        owed: &[],
        history: Duration::ZERO,
        accepted: None,
        remembered: None,
    });
    check(&mut checks);
    assert_eq!(checks.reports.len(), 1, "{:?}", checks.reports);
    checks.reports.remove(0)
}

/// Lambda Developer Guide, functions-states: in each of the others an update or an invocation fails.
#[test]
fn a_function_is_used_only_in_the_state_in_which_it_can_be() {
    for (state, update, verdict) in [
        ("Active", "Successful", Verdict::Ok),
        ("Active", "InProgress", Verdict::Warn),
        ("Pending", "Successful", Verdict::Fail),
        ("Inactive", "Successful", Verdict::Fail),
        ("Failed", "Successful", Verdict::Fail),
        ("Failed", "Failed", Verdict::Fail),
        ("Deleting", "Successful", Verdict::Fail),
    ] {
        let function = function(state, update);
        let report = report(|checks| checks.function_is_idle("producer", &About::default(), "P", &function));
        assert_eq!(report.verdict, verdict, "{state}, {update}");
        assert_eq!(report.evidence, format!("P is {state}, last update {update}"));
    }
}

#[test]
fn tags_that_may_not_be_read_are_no_proof_that_there_is_no_stack() {
    let hidden =
        FunctionView { tags_error: Some("AccessDenied".to_owned()), ..function("Active", "Successful") };
    let report = report(|checks| checks.stack(&About::default(), &producer(&hidden), &hidden));
    assert_eq!((report.verdict, report.check.as_str()), (Verdict::Warn, "other_automation"));
    assert!(report.advice.is_some_and(|advice| advice.contains("the next one reverts the switch")));
}
