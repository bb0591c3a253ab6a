//! 3 and 5. The world: who reads what, in the middle of a run and at its end.

use super::super::draw::{Scenario, Shape};
use super::super::onlooker::Mappings;
use super::super::weather::Weather;
use super::{Invariant, Judged};
use kdsha::config::Pipeline;
use kdsha::journal::RunRecord;
use kdsha::model::Side;
use kdsha::sandbox::call::Service;
use kdsha::steps::AnyStep;
use serde_json::Value;

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

/// 5. The world rests in one Region as an undisturbed run leaves it.
pub fn rests_in(weather: &Weather<'_>, active: Side) -> Judged {
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
            let variables =
                weather.environment_in(producer.side, producer.function.as_str(), producer.alias.as_deref());
            let region = variables.get("PRODUCING_TO_REGION").cloned().unwrap_or_default();
            due("the producer's Region", vec![region], &[Scenario::region(active).as_str()]);
        }
        let tags = serde_json::json!({"StreamName": pipeline.stream.standby.as_str()});
        let tags = theatre.inspect(Service::Kinesis, Side::Standby, "ListTagsForStream", tags);
        let state = tags["Tags"].as_array().into_iter().flatten().find(|tag| tag["Key"] == "kdsha:state");
        due("the run mark", vec![state.map_or("none", |tag| text(tag, "Value")).to_owned()], &["closed"]);
    }
    let seen = || format!("active in the {active}: {}", wrong.join("; "));
    Invariant::SameWorld.unless((!wrong.is_empty()).then(seen))
}

/// The consumers' mappings of both sides when a Region is active: primary, standby.
fn resting(shape: &Shape, active: Side) -> [&'static [&'static str]; 2] {
    match (shape.warm, active) {
        (true, _) => [&["Enabled"], &["Enabled"]],
        (false, Side::Primary) => [&["Enabled"], &[]],
        (false, Side::Standby) => [&["Disabled"], &["Enabled"]],
    }
}

/// Whether a function's mapping on a stream is enabled.
fn is_on(all: &[Value], function: &str, stream: &str) -> bool {
    states(all, function, stream).iter().any(|state| state == "Enabled")
}

fn consumer_is_on(mappings: &Mappings, pipeline: &Pipeline, side: Side) -> bool {
    let (function, stream) = (pipeline.consumer.function.of(side), pipeline.stream.of(side));
    is_on(mappings.of(side), function.as_str(), stream.as_str())
}

fn replicator_is_on(mappings: &Mappings, pipeline: &Pipeline) -> bool {
    pipeline.replicator.as_ref().is_some_and(|replicator| {
        is_on(&mappings.primary, replicator.function.as_str(), pipeline.stream.primary.as_str())
    })
}

/// The pipelines of which only one consumer may run.
fn cold<'w>(weather: &'w Weather<'_>) -> impl Iterator<Item = &'w Pipeline> {
    let all = weather.scenario.pipelines.iter().zip(&weather.theatre.topology.pipelines);
    all.filter(|(shape, _)| !shape.warm).map(|(_, pipeline)| pipeline)
}

/// The cold pipelines of which both consumers run.
fn doubled<'w>(weather: &'w Weather<'_>, mappings: &Mappings) -> Vec<&'w Pipeline> {
    let both = |pipeline: &&Pipeline| {
        [Side::Primary, Side::Standby].iter().all(|side| consumer_is_on(mappings, pipeline, *side))
    };
    cold(weather).filter(both).collect()
}

/// What the doubled ones of a cold fleet say against an invariant.
fn none_doubled(weather: &Weather<'_>, invariant: Invariant, mappings: &Mappings, when: &str) -> Judged {
    if cold(weather).next().is_none() {
        return invariant.not_due();
    }
    let doubled = doubled(weather, mappings);
    invariant.unless(doubled.first().map(|p| format!("{when}: both consumers of {} run", p.name)))
}

/// 3. No two consumers of a cold pipeline when a run has ended and owes nothing.
pub fn one_consumer_each(weather: &Weather<'_>) -> Judged {
    none_doubled(weather, Invariant::OneConsumerEach, &weather.all_mappings(), "at the end")
}

/// 3. Nor when a stage of a planned failover has ended.
pub fn one_consumer_between(weather: &Weather<'_>, mappings: &Mappings, stage: &str) -> Judged {
    none_doubled(weather, Invariant::OneConsumerBetween, mappings, stage)
}

/// 3. Where the failing Region's consumer could not be stopped, the journal owes it.
pub fn second_is_owed(weather: &Weather<'_>, runs: &[RunRecord]) -> Judged {
    let doubled = doubled(weather, &weather.all_mappings());
    if doubled.is_empty() {
        return Invariant::SecondIsOwed.not_due();
    }
    let primary = Scenario::region(Side::Primary);
    let owes = |pipeline: &Pipeline, run: &RunRecord| {
        run.owed().iter().any(|((stage, index), _)| {
            let step = run.plan.stages.get(stage - 1).and_then(|stage| stage.steps.get(*index));
            step.is_some_and(|planned| match &planned.step {
                AnyStep::StopMapping(stop) => {
                    planned.pipeline == pipeline.name
                        && stop.reader.region == primary
                        && stop.reader.function == pipeline.consumer.function.primary
                }
                _ => false,
            })
        })
    };
    let unowed = doubled.iter().find(|pipeline| !runs.last().is_some_and(|run| owes(pipeline, run)));
    Invariant::SecondIsOwed
        .unless(unowed.map(|p| format!("both consumers of {} run, and no stop is owed", p.name)))
}

/// 3. Nothing copies the standby's stream, whatever the stage.
pub fn no_loop(weather: &Weather<'_>, mappings: &Mappings, stage: &str) -> Judged {
    let copied = |pipeline: &&Pipeline| {
        pipeline.replicator.as_ref().is_some_and(|replicator| {
            is_on(&mappings.standby, replicator.function.as_str(), pipeline.stream.standby.as_str())
        })
    };
    let looped = weather.theatre.topology.pipelines.iter().find(copied);
    Invariant::NoLoop.unless(looped.map(|p| format!("{stage}: {} is copied back", p.name)))
}

/// 3. A failback copies to the standby only when nobody processes there any more: everything would be done twice.
pub fn no_doubling(weather: &Weather<'_>, mappings: &Mappings, stage: &str) -> Judged {
    let mut copied = cold(weather).filter(|pipeline| pipeline.replicator.is_some()).peekable();
    if copied.peek().is_none() {
        return Invariant::NoDoubling.not_due();
    }
    let doubles = |pipeline: &&Pipeline| {
        replicator_is_on(mappings, pipeline) && consumer_is_on(mappings, pipeline, Side::Standby)
    };
    let found = copied.find(doubles);
    Invariant::NoDoubling.unless(found.map(|p| format!("{stage}: {} is copied and processed", p.name)))
}
