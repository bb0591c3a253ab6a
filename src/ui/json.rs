//! The documents of `--output json`: one line each, with the schema first.

use super::harmless::harmless_json;
use super::status::StatusInput;
use crate::model::{CheckReport, Event, Exit, Timestamp, Verdict};
use crate::plan::{Plan, PlannedEffect};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Document<'a, T: Serialize> {
    schema: &'a str,
    #[serde(flatten)]
    body: T,
}

/// `kdsha.event/1`: one happening of a run.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct EventBody<'a> {
    /// When, by the server's clock.
    at: Timestamp,
    /// What.
    #[serde(flatten)]
    event: &'a Event,
}

/// `kdsha.plan/1`: everything that a run would do.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PlanBody<'a> {
    /// The plan.
    #[serde(flatten)]
    plan: &'a Plan,
    /// The checks that forbid it.
    blockers: Vec<&'a CheckReport>,
    /// Every call that a real run would send, in order.
    effects: &'a [PlannedEffect],
}

/// `kdsha.verify/1`: the checks of the resting state.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct VerifyBody<'a> {
    /// Whether no check failed and none is unknown.
    ok: bool,
    /// All of them.
    checks: &'a [CheckReport],
}

/// `kdsha.error/1`: why a command ended badly.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ErrorBody<'a> {
    schema: &'a str,
    /// The process's exit code.
    exit: u8,
    /// What it means.
    kind: Exit,
    /// What went wrong, one line.
    message: &'a str,
    /// Ways out.
    hints: &'a [String],
}

/// The two Regions in their roles.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RegionsBody<'a> {
    /// Where the pipelines belong.
    primary: &'a crate::model::Region,
    /// Where they go.
    standby: &'a crate::model::Region,
}

/// `kdsha.status/1`: where both Regions stand.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StatusBody<'a> {
    /// When, by the server's clock.
    taken_at: Timestamp,
    /// The two Regions.
    regions: RegionsBody<'a>,
    /// Whether nothing is out of order, unfinished or owed, and every API answered.
    ok: bool,
    /// What each pipeline was judged to be.
    pipelines: BTreeMap<&'a str, super::status::Judged>,
    /// The checks that are not ok, the worst first.
    deviations: Vec<&'a CheckReport>,
    /// Runs that can be gone on with, in words.
    unfinished: &'a [String],
    /// What finished runs owe, in words.
    owed: &'a [String],
    /// The command to run next, where there is one.
    next: Option<String>,
    /// By Region, the APIs that did not answer.
    silent: BTreeMap<&'a str, Vec<String>>,
    /// What can be done while a part of AWS does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<crate::plan::reach::Reach>,
    /// Everything that was seen.
    snapshot: &'a crate::model::Snapshot,
}

/// One line with a schema. A body that is no map cannot carry one and is put under `value`.
pub(crate) fn document(schema: &str, body: &impl Serialize) -> String {
    let line = serde_json::to_string(&Document { schema, body }).or_else(|_| {
        let value = serde_json::to_value(body)?;
        serde_json::to_string(&serde_json::json!({ "schema": schema, "value": value }))
    });
    match line {
        Ok(line) => harmless_json(&line).into_owned() + "\n",
        Err(error) => {
            let chain = [format!("the {schema} document cannot be written: {error}")];
            self::error(Exit::Internal, &chain, &[])
        }
    }
}

/// `kdsha.event/1`: the event's own keys beside `at`; `event` names its kind.
pub(crate) fn event(event: &Event, at: Timestamp) -> String {
    document("kdsha.event/1", &EventBody { at, event })
}

/// `kdsha.plan/1`.
pub(crate) fn plan(plan: &Plan, effects: &[PlannedEffect]) -> String {
    document("kdsha.plan/1", &PlanBody { plan, blockers: plan.blockers(), effects })
}

/// `kdsha.verify/1`. An unknown is not ok.
pub(crate) fn checks(reports: &[CheckReport]) -> String {
    let ok = !reports.iter().any(|r| matches!(r.verdict, Verdict::Fail | Verdict::Unknown));
    document("kdsha.verify/1", &VerifyBody { ok, checks: reports })
}

/// `kdsha.error/1`.
pub(crate) fn error(exit: Exit, chain: &[String], hints: &[String]) -> String {
    let message = chain.join(": ");
    let body = ErrorBody { schema: "kdsha.error/1", exit: exit.code(), kind: exit, message: &message, hints };
    match serde_json::to_string(&body) {
        Ok(line) => harmless_json(&line).into_owned() + "\n",
        // Numbers and texts: this cannot fail.
        Err(_) => String::new(),
    }
}

/// `kdsha.rehearsal/1`: the document as it came.
pub(crate) fn rehearsal(result: &Value) -> String {
    match result.get("schema") {
        Some(_) => format!("{}\n", harmless_json(&result.to_string())),
        None => document("kdsha.rehearsal/1", result),
    }
}

/// `kdsha.status/1`: everything that was seen, and what it was judged to be.
pub(crate) fn status(input: &StatusInput<'_>) -> String {
    let names = &input.topology.regions;
    let silent = [&names.primary, &names.standby]
        .into_iter()
        .map(|region| (region.as_str(), crate::plan::assess::silent_apis(input.snapshot, region)));
    let body = StatusBody {
        taken_at: input.snapshot.taken_at,
        regions: RegionsBody { primary: &names.primary, standby: &names.standby },
        ok: input.is_sound(),
        pipelines: super::status::judge(input),
        deviations: input.deviations(),
        unfinished: input.unfinished,
        owed: input.owed,
        next: input.next().command(),
        silent: silent.collect(),
        reach: crate::plan::reach::reach(input.topology, input.snapshot),
        snapshot: input.snapshot,
    };
    document("kdsha.status/1", &body)
}
