//! What must be true of every story, each as a function of its own. A violation is a sentence; seed and story are
//! added by whoever reports it.

use super::draw::{Scenario, Shape};
use super::theatre::{Command, Ended, How, Theatre};
use super::weather::{Weather, foreign};
use kdsha::journal::RunRecord;
use kdsha::model::{Effect, Event, Exit, Side, Timestamp};
use kdsha::sandbox::Logged;
use kdsha::sandbox::call::Service;
use kdsha::sandbox::world::{Copying, Story};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a broken invariant says: its name, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    pub seen: String,
}

fn broken(invariant: &'static str, seen: impl Into<String>) -> Option<Violation> {
    Some(Violation { invariant, seen: seen.into() })
}

/// 1. No accepted record is lost or skipped. Duplicates are not losses.
pub fn nothing_is_lost(theatre: &Theatre, when: &str) -> Option<Violation> {
    let ledger = theatre.sandbox.with_world(|world| world.ledger());
    let lost = &ledger.lost_records;
    let first = lost.first()?;
    broken(
        "nothing is lost",
        format!(
            "{when}: {} of {} records, the first {first:?}, the last {:?}",
            lost.len(),
            ledger.put,
            lost.last()
        ),
    )
}

/// 1, in between: the standby's readers do not begin behind a record that nobody has processed.
pub fn none_is_passed_over(theatre: &Theatre) -> Option<Violation> {
    let standby = Scenario::region(Side::Standby);
    let count = theatre.sandbox.with_world(|world| world.passed_over(&standby));
    (count > 0).then_some(())?;
    broken("none is passed over", format!("{count} unprocessed records lie before what the standby reads"))
}

/// 1, in between: a planned failover leaves nothing behind that waits for the failback.
pub fn nothing_is_stranded(theatre: &Theatre) -> Option<Violation> {
    let count = theatre.sandbox.with_world(|world| world.stranded());
    (count > 0).then_some(())?;
    broken("a planned failover strands nothing", format!("{count} records wait for a reader that is stopped"))
}

/// 1, at the end: every record was processed.
pub fn everything_was_processed(theatre: &Theatre) -> Option<Violation> {
    let ledger = theatre.sandbox.with_world(|world| world.ledger());
    if ledger.put == 0 {
        return broken("there was traffic", "no record was accepted");
    }
    (ledger.processed != ledger.put).then_some(())?;
    broken(
        "everything is processed",
        format!("{} of {}, {} pending", ledger.processed, ledger.put, ledger.pending),
    )
}

/// 2. No variable but the two is changed or lost.
pub fn environments_are_kept(weather: &Weather<'_>) -> Option<Violation> {
    weather.producers().into_iter().find_map(|name| {
        let now = foreign(&weather.environment(&name, None));
        let due = weather.foreign.borrow().get(&name).cloned().unwrap_or_default();
        (now != due).then_some(())?;
        let keys = |all: &BTreeMap<String, String>| all.keys().cloned().collect::<Vec<_>>().join(" ");
        broken(
            "environments are kept",
            format!("{name} has {}, not {}, or another value", keys(&now), keys(&due)),
        )
    })
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The states of the mappings of a function on a stream.
fn states(mappings: &[Value], function: &str, stream: &str) -> Vec<String> {
    let of_function = format!(":function:{function}");
    let of_stream = |arn: &str| {
        arn.split_once(":stream/").is_some_and(|(_, rest)| rest.split('/').next() == Some(stream))
    };
    mappings
        .iter()
        .filter(|m| text(m, "FunctionArn").ends_with(&of_function) && of_stream(text(m, "EventSourceArn")))
        .map(|m| text(m, "State").to_owned())
        .collect()
}

/// 5. The world rests in one Region as an undisturbed run leaves it. `None` where it does.
pub fn rests_in(weather: &Weather<'_>, active: Side) -> Option<Violation> {
    let theatre = weather.theatre;
    let mappings = |side| weather.mappings(side);
    let (primary, standby) = (mappings(Side::Primary), mappings(Side::Standby));
    let mut wrong = Vec::new();
    for (shape, pipeline) in weather.scenario.pipelines.iter().zip(&theatre.topology.pipelines) {
        let mut due = |what: &str, found: Vec<String>, wanted: &[&str]| {
            if found != wanted {
                wrong.push(format!("{}: {what} is {found:?}, not {wanted:?}", pipeline.name));
            }
        };
        let consumer = |all: &[Value], side| {
            states(all, pipeline.consumer.function.of(side).as_str(), pipeline.stream.of(side).as_str())
        };
        let [here, there] = resting(shape, active);
        due("the primary's consumer", consumer(&primary, Side::Primary), here);
        due("the standby's consumer", consumer(&standby, Side::Standby), there);
        if let Some(replicator) = &pipeline.replicator {
            let found = states(&primary, replicator.function.as_str(), pipeline.stream.primary.as_str());
            due("the replicator", found, here);
        }
        for producer in &pipeline.producers {
            let variables = weather.environment(producer.function.as_str(), producer.alias.as_deref());
            let region = variables.get("PRODUCING_TO_REGION").cloned().unwrap_or_default();
            due("the producer's Region", vec![region], &[Scenario::region(active).as_str()]);
        }
        let tags = serde_json::json!({"StreamName": pipeline.stream.standby.as_str()});
        let tags = theatre.inspect(Service::Kinesis, Side::Standby, "ListTagsForStream", tags);
        let state = tags["Tags"].as_array().into_iter().flatten().find(|tag| tag["Key"] == "kdsha:state");
        due("the run mark", vec![state.map_or("none", |tag| text(tag, "Value")).to_owned()], &["closed"]);
    }
    wrong.first()?;
    broken("every way ends in the same world", format!("active in the {active}: {}", wrong.join("; ")))
}

/// The consumers' mappings of both sides when a Region is active: primary, standby.
fn resting(shape: &Shape, active: Side) -> [&'static [&'static str]; 2] {
    match (shape.warm, active) {
        (true, _) => [&["Enabled"], &["Enabled"]],
        (false, Side::Primary) => [&["Enabled"], &[]],
        (false, Side::Standby) => [&["Disabled"], &["Enabled"]],
    }
}

/// 3. No two consumers of a cold pipeline, and no copying in a circle, when a run has ended and owes nothing.
pub fn one_consumer_each(weather: &Weather<'_>) -> Option<Violation> {
    let on = |all: &[Value], function: &str, stream: &str| {
        states(all, function, stream).iter().filter(|state| *state == "Enabled").count()
    };
    let (primary, standby) = (weather.mappings(Side::Primary), weather.mappings(Side::Standby));
    for (shape, pipeline) in weather.scenario.pipelines.iter().zip(&weather.theatre.topology.pipelines) {
        let count =
            on(&primary, pipeline.consumer.function.primary.as_str(), pipeline.stream.primary.as_str())
                + on(&standby, pipeline.consumer.function.standby.as_str(), pipeline.stream.standby.as_str());
        if !shape.warm && count > 1 {
            return broken("one consumer each", format!("{} has {count} consumers running", pipeline.name));
        }
        let copies = shape.copying != Copying::None
            && on(&standby, Story::REPLICATOR, pipeline.stream.standby.as_str()) > 0;
        if copies {
            return broken("no replication loop", format!("{} is copied back", pipeline.name));
        }
    }
    None
}

/// 4. Looks and dry runs change nothing; 6. nor does a command whose exit code says so.
pub fn exit_code_keeps_its_word(ended: &Ended, calls: &[Logged]) -> Option<Violation> {
    let sent: Vec<&str> = calls.iter().filter(|c| c.is_mutating).map(|c| c.operation.as_str()).collect();
    let only_looks = matches!(ended.command, Command::DryRun { .. } | Command::Verify);
    let unchanged =
        matches!(ended.how.exit(), Some(Exit::Usage | Exit::Blocked | Exit::Deviation | Exit::Locked));
    if (only_looks || unchanged) && !sent.is_empty() {
        let what =
            format!("{:?} ended with {:?} and sent {}", ended.command, ended.how.exit(), sent.join(", "));
        return broken(if only_looks { "a look changes nothing" } else { "the exit code is true" }, what);
    }
    let exit = ended.how.exit()?;
    let legal = match ended.command {
        Command::Verify => matches!(exit, Exit::Done | Exit::Deviation | Exit::Usage | Exit::Locked),
        Command::DryRun { .. } => matches!(exit, Exit::Done | Exit::Blocked | Exit::Usage | Exit::Locked),
        _ => !matches!(exit, Exit::Deviation | Exit::Declined),
    };
    (!legal).then_some(())?;
    broken(
        "the exit code is one of the table",
        format!("{:?} ended with {exit:?}: {}", ended.command, ended.how.advice()),
    )
}

/// 7. No command hangs, and no stage outlives its deadline by more than its last look and calls take.
pub fn deadlines_hold(ended: &Ended, runs: &[RunRecord]) -> Option<Violation> {
    const LAST_LOOK: Duration = Duration::from_secs(180);
    if matches!(ended.how, How::Hangs) {
        return broken("no run outlives its deadline", format!("{:?} did not end", ended.command));
    }
    for run in runs {
        let mut began: Option<(usize, Timestamp)> = None;
        for (at, event) in run.events.iter().filter(|(at, _)| *at >= ended.began) {
            match event {
                Event::StageStarted { number, .. } => began = Some((*number, *at)),
                Event::StageFinished { number } => {
                    let Some((_, since)) = began.filter(|(started, _)| started == number) else { continue };
                    let Some(stage) = run.plan.stages.get(number - 1) else { continue };
                    let took = Duration::try_from(at.duration_since(since)).unwrap_or_default();
                    if took > stage.timeout + LAST_LOOK {
                        let seen = format!("\"{}\" took {took:?} of {:?}", stage.title, stage.timeout);
                        return broken("no run outlives its deadline", seen);
                    }
                }
                _ => {}
            }
        }
    }
    None
}

/// Requests a second to Lambda's control plane but GetFunction: the account's quota, which others need too.
const LAMBDA_A_SECOND: usize = 15;

/// 8. No second sees more requests in a Region than the quota, whatever the faults.
pub fn pace_is_kept(calls: &[Logged]) -> Option<Violation> {
    for side in [Side::Primary, Side::Standby] {
        let region = Scenario::region(side);
        let is_control = |call: &&Logged| {
            let is_lambda = call.region == region && call.service == Service::Lambda;
            is_lambda && call.operation != "GetFunction" && !call.is_repeat
        };
        let at: Vec<Timestamp> = calls.iter().filter(is_control).map(|call| call.at).collect();
        let second = Duration::from_millis(980);
        let most = |pair: &[Timestamp]| pair[LAMBDA_A_SECOND] <= pair[0] + second;
        if let Some(pair) = at.windows(LAMBDA_A_SECOND + 1).find(|pair| most(pair)) {
            let seen = format!(
                "more than {LAMBDA_A_SECOND} requests to Lambda in {region} in the second from {}",
                pair[0]
            );
            return broken("the pace is kept", seen);
        }
    }
    None
}

/// 5. What is sent was written down before: a process that is cut off leaves a journal that knows its calls.
pub fn written_down_first(ended: &Ended, calls: &[Logged], runs: &[RunRecord]) -> Option<Violation> {
    let written: Vec<(Timestamp, &Effect)> = runs
        .iter()
        .flat_map(|run| &run.events)
        .filter_map(|(at, event)| match event {
            Event::EffectStarted { effect, .. } => Some((*at, effect)),
            _ => None,
        })
        .collect();
    let unwritten = calls.iter().filter(|call| call.is_mutating).find(|call| {
        let is_it = |(at, effect): &(Timestamp, &Effect)| {
            *at <= call.at + Duration::from_secs(2)
                && *at + Duration::from_secs(2) >= ended.began
                && operation(effect) == call.operation
                && *effect.region() == call.region
        };
        !written.iter().any(is_it)
    })?;
    broken(
        "calls are written down first",
        format!("{} in {} at {}", unwritten.operation, unwritten.region, unwritten.at),
    )
}

fn operation(effect: &Effect) -> &'static str {
    match effect {
        Effect::TagStream { .. } => "AddTagsToStream",
        Effect::CreateMapping { .. } => "CreateEventSourceMapping",
        Effect::SetMappingEnabled { .. } => "UpdateEventSourceMapping",
        Effect::DeleteMapping { .. } => "DeleteEventSourceMapping",
        Effect::SetEnvironment { .. } => "UpdateFunctionConfiguration",
        Effect::PublishVersion { .. } => "PublishVersion",
        Effect::MoveAlias { .. } => "UpdateAlias",
    }
}

/// A call by what can be told from a dry run and from the log: Region, operation, and what is changed.
pub type Told = (String, String, String);

/// What a dry run printed, in its order.
pub fn printed(document: &str) -> Vec<Told> {
    let document: Value = serde_json::from_str(document.trim()).unwrap_or_default();
    let effects = document["effects"].as_array().cloned().unwrap_or_default();
    effects
        .iter()
        .filter_map(|one| serde_json::from_value(one["effect"].clone()).ok())
        .map(|e| told(&e))
        .collect()
}

fn told(effect: &Effect) -> Told {
    let detail = match effect {
        Effect::SetMappingEnabled { enabled, .. } => enabled.to_string(),
        Effect::CreateMapping { function, enabled, .. } => format!("{function} {enabled}"),
        Effect::SetEnvironment { function, .. } => function.to_string(),
        _ => String::new(),
    };
    (effect.region().to_string(), operation(effect).to_owned(), detail)
}

/// The same of a call that was sent.
fn sent(call: &Logged) -> Told {
    let text = |key: &str| call.input[key].as_str().unwrap_or_default().to_owned();
    let detail = match call.operation.as_str() {
        "UpdateEventSourceMapping" => call.input["Enabled"].to_string(),
        "CreateEventSourceMapping" => format!("{} {}", text("FunctionName"), call.input["Enabled"]),
        "UpdateFunctionConfiguration" => text("FunctionName"),
        _ => String::new(),
    };
    (call.region.to_string(), call.operation.clone(), detail)
}

/// 4. What a dry run printed is what the run sends, in a calm story.
pub fn dry_run_is_the_run(printed: &[Told], calls: &[Logged]) -> Option<Violation> {
    let mut sent: Vec<Told> = calls.iter().filter(|call| call.is_mutating).map(sent).collect();
    // Pipelines run side by side: the order is fixed within one of them only.
    let mut printed = printed.to_vec();
    sent.sort();
    printed.sort();
    (sent != printed).then_some(())?;
    broken("a dry run prints what the run sends", format!("printed {printed:?}, sent {sent:?}"))
}
