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
    #[derive(Serialize)]
    struct Body<'a> {
        at: Timestamp,
        #[serde(flatten)]
        event: &'a Event,
    }
    document("kdsha.event/1", &Body { at, event })
}

/// `kdsha.plan/1`.
pub(crate) fn plan(plan: &Plan, effects: &[PlannedEffect]) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(flatten)]
        plan: &'a Plan,
        blockers: Vec<&'a CheckReport>,
        effects: &'a [PlannedEffect],
    }
    document("kdsha.plan/1", &Body { plan, blockers: plan.blockers(), effects })
}

/// `kdsha.verify/1`. An unknown is not ok.
pub(crate) fn checks(reports: &[CheckReport]) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        ok: bool,
        checks: &'a [CheckReport],
    }
    let ok = !reports.iter().any(|r| matches!(r.verdict, Verdict::Fail | Verdict::Unknown));
    document("kdsha.verify/1", &Body { ok, checks: reports })
}

/// `kdsha.error/1`.
pub(crate) fn error(exit: Exit, chain: &[String], hints: &[String]) -> String {
    let message = chain.join(": ");
    let body = serde_json::json!({ "exit": exit.code(), "kind": exit, "message": message, "hints": hints });
    let line = serde_json::json!({ "schema": "kdsha.error/1" });
    let (Value::Object(mut all), Value::Object(body)) = (line, body) else { return String::new() };
    all.extend(body);
    harmless_json(&Value::Object(all).to_string()).into_owned() + "\n"
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
    #[derive(Serialize)]
    struct Regions<'a> {
        primary: &'a crate::model::Region,
        standby: &'a crate::model::Region,
    }
    #[derive(Serialize)]
    struct Body<'a> {
        taken_at: Timestamp,
        regions: Regions<'a>,
        ok: bool,
        pipelines: BTreeMap<&'a str, super::status::Judged>,
        deviations: Vec<&'a CheckReport>,
        unfinished: &'a [String],
        owed: &'a [String],
        silent: BTreeMap<&'a str, Vec<String>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reach: Option<crate::plan::reach::Reach>,
        snapshot: &'a crate::model::Snapshot,
    }
    let names = &input.topology.regions;
    let silent = [&names.primary, &names.standby]
        .into_iter()
        .map(|region| (region.as_str(), crate::plan::assess::silent_apis(input.snapshot, region)));
    let body = Body {
        taken_at: input.snapshot.taken_at,
        regions: Regions { primary: &names.primary, standby: &names.standby },
        ok: input.is_sound(),
        pipelines: super::status::judge(input),
        deviations: input.deviations(),
        unfinished: input.unfinished,
        owed: input.owed,
        silent: silent.collect(),
        reach: crate::plan::reach::reach(input.topology, input.snapshot),
        snapshot: input.snapshot,
    };
    document("kdsha.status/1", &body)
}
