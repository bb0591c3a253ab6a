//! How a run ends, goes on, and what comes next.

use super::sample_run as run;
use super::samples::{self, at, id, identity, seconds, topology};
use super::{capture, human};
use crate::model::{
    Consequence, Effect, Environment, Event, Exit, PipelineName, Repeated, RunState, Secret, Snapshot,
    StartAt, StepOutcome, Stranded, Timestamp, WaitsFor,
};
use crate::ui::{Again, Settings, StagePrompt, StatusInput, Ui, flag};
use std::time::Duration;

fn started(resumed: bool) -> Event {
    let Some((Event::RunStarted { run, title, pipelines, stages, objective, .. }, _)) =
        run::events().into_iter().next()
    else {
        panic!("the sample begins with its start")
    };
    Event::RunStarted { run, title, resumed, pipelines, stages, objective }
}

fn ended(exit: Exit, recovery: Option<Duration>) -> Event {
    let next = (exit != Exit::Done).then(|| "kdsha resume".to_owned());
    let (summary, owed, consequences) = ("so it is".to_owned(), Vec::new(), Vec::new());
    Event::RunFinished { exit, summary, recovery, owed, consequences, next }
}

fn stage(number: usize) -> Event {
    Event::StageStarted { number, of: 8, title: "Switch".to_owned(), is_point_of_no_return: false }
}

fn tell(ui: &Ui, events: &[Event]) {
    ui.set_context(&topology(), Some(&identity()));
    events.iter().for_each(|event| ui.event(event, at("10:46:00")));
}

fn said(events: &[Event]) -> String {
    human(80, |ui| tell(ui, events)).1
}

fn switch() -> (PipelineName, Effect) {
    let plan = run::plan();
    let planned = &plan.stages[2].steps[0];
    (planned.pipeline.clone(), planned.step.effects()[0].clone())
}

fn accepted() -> Event {
    let (pipeline, effect) = switch();
    let result = crate::model::Performed::Applied { answer: "accepted".to_owned(), request_id: None };
    Event::EffectFinished { pipeline, step: "switch_producer".to_owned(), effect, result }
}

#[test]
fn a_run_that_was_stopped_says_where_and_claims_nothing_of_the_consumer() {
    for exit in [Exit::Declined, Exit::Interrupted, Exit::StepFailed] {
        let err = said(&[started(false), stage(4), ended(exit, None)]);
        assert!(err.contains("recovery    not reached: the run stopped at stage 4 of 8"), "{err}");
        assert!(!err.contains("seen to read"), "{err}");
    }
}

#[test]
fn without_a_recovery_producers_that_are_owed_are_said_to_write_elsewhere() {
    let err = said(&[started(false), stage(4), ended(Exit::Owed, None)]);
    assert!(err.contains("not reached: the producers still write to the Region that is left"), "{err}");
    assert!(!err.contains("within the RTO"), "{err}");
}

#[test]
fn what_a_run_means_for_the_records_of_several_pipelines_is_told_apart() {
    let [ticks, orders] = ["ticker-prices", "orders"].map(id::<PipelineName>);
    let from = StartAt::Timestamp(at("10:31:00"));
    let stranded = |expires, waits_for| {
        Some(Stranded { region: samples::west(), expires, retention_hours: Some(48), waits_for })
    };
    let consequences = vec![
        Consequence {
            pipeline: ticks.clone(),
            repeated: Some(Repeated { from, records: Some(15_600) }),
            stranded: stranded(Some(at("11:31:00")), WaitsFor::Failback),
            is_growing: true,
        },
        Consequence {
            pipeline: orders.clone(),
            repeated: Some(Repeated { from: StartAt::TrimHorizon, records: None }),
            stranded: stranded(None, WaitsFor::Consumer),
            is_growing: false,
        },
    ];
    let mut start = started(false);
    if let Event::RunStarted { pipelines, .. } = &mut start {
        *pipelines = vec![ticks, orders];
    }
    let mut end = ended(Exit::Done, None);
    if let Event::RunFinished { consequences: of_run, .. } = &mut end {
        *of_run = consequences;
    }
    let err = said(&[start, end]);
    let from = err.find("repeated").unwrap_or_else(|| panic!("{err}"));
    let to = err.find("\nnext").unwrap_or_else(|| panic!("{err}"));
    snapbox::assert_data_eq!(
        &err[from..to],
        snapbox::str![[r#"
repeated    ticker-prices: about 15,600 records (since 10:31:00Z) are processed
            a second time
            orders: an unknown number of records (all that the stream has) are
            processed a second time
stranded    ticker-prices: what us-west-2 had not processed waits for the
            failback; the first may expire at 11:31:00Z; more arrive until the
            producers are switched, and expire 48 h after their arrival
            orders: what us-west-2 had not processed waits for its consumer
            there; when the first would expire is not known
"#]]
    );
}

#[test]
fn what_is_put_back_has_no_recovery_and_nothing_to_come_back_from() {
    let err = said(&[started(false), stage(1), Event::Undone, ended(Exit::Done, None)]);
    assert!(!err.contains("recovery") && !err.contains("kdsha failback"), "{err}");
}

#[test]
fn a_run_that_goes_on_lists_what_was_changed_before() {
    let (_, err) = human(80, |ui| {
        ui.going_on(&run::run(), at("10:41:00"), Some(vec![switch()]));
        tell(ui, &[started(true), stage(4), ended(Exit::Declined, None)]);
    });
    assert!(err.contains("changed now nothing"), "{err}");
    assert!(err.contains("before      us-west-2: set INPUT_STREAM=KDS-HA-Stream"), "{err}");
}

#[test]
fn a_turn_to_emergency_forgets_nothing_of_what_came_before_it() {
    let turned = Event::TurnedToEmergency { reason: "silent".to_owned() };
    let events = [started(false), stage(3), accepted(), turned, started(true), ended(Exit::Owed, None)];
    let err = said(&events);
    assert!(err.contains("before      us-west-2: set INPUT_STREAM=KDS-HA-Stream"), "{err}");
    // Another run of the same shell begins with nothing.
    let next: Vec<Event> =
        events.iter().cloned().chain([started(false), ended(Exit::Declined, None)]).collect();
    let err = said(&next);
    assert!(
        err.rsplit("STOPPED BY THE OPERATOR").next().is_some_and(|card| !card.contains("\nbefore ")),
        "{err}"
    );
}

#[test]
fn a_plan_that_goes_on_says_so_and_what_was_changed_already() {
    let plan = run::plan();
    let show = |changed| {
        human(80, |ui| {
            ui.set_scene(&topology(), &Snapshot { taken_at: at("10:55:01"), ..samples::calm() });
            ui.going_on(&plan.run, at("10:45:01"), changed);
            ui.plan_summary(&plan, &run::effects(&plan));
        })
        .1
    };
    let err = show(Some(vec![switch()]));
    assert!(
        err.starts_with("Going on with run 20261122-104501-failover-us-east-2-3f9a, begun 10:45:01Z"),
        "{err}"
    );
    assert!(err.contains("RTO due 11:00:01Z, RTO 5m left"), "{err}");
    assert!(err.contains("Already changed: 1 call."), "{err}");
    assert!(err.contains("Where the consumer starts, as planned at 10:45:01Z"), "{err}");
    assert!(!err.contains("Nothing has been changed"), "{err}");
    assert!(show(Some(Vec::new())).contains("Nothing has been changed yet."));
    assert!(show(None).replace('\n', " ").contains("its journal is gone"));
    let fresh = human(80, |ui| ui.plan_summary(&plan, &run::effects(&plan))).1;
    assert!(fresh.starts_with("Plan: Fail over to us-east-2"), "{fresh}");
}

#[test]
fn a_step_that_is_done_already_sends_nothing_at_the_question() {
    let plan = run::plan();
    let mut snapshot = samples::calm();
    let prompt = |snapshot: &Snapshot| {
        StagePrompt::of_plan(&plan, 3, None, at("10:46:00")).expect("a stage").seen(&plan, snapshot)
    };
    assert!(!prompt(&snapshot).lines[0].effects.is_empty());
    let pipeline = snapshot.pipelines.get_mut(&id::<PipelineName>("ticker-prices")).expect("the pipeline");
    let crate::model::Observed::Known(function) = &mut pipeline.producers[0].function else {
        panic!("the sample knows its producer")
    };
    let set = run::switch().set.into_iter().map(|(key, value)| (key, Secret::new(value)));
    function.environment = Environment::Readable(set.collect());
    let line = &prompt(&snapshot).lines[0];
    assert!(line.effects.is_empty());
    assert_eq!(line.done.as_deref(), Some("KDS-HA-ProducerLambda writes to us-east-2"));
}

#[test]
fn quiet_keeps_the_result() {
    let settings = Settings { quiet: true, ..Settings::default() };
    let events = [started(false), stage(1), ended(Exit::Done, Some(seconds(300)))];
    let (_, err) = capture(settings, 80, |ui| tell(ui, &events));
    assert!(err.contains("DONE") && err.contains("recovery    5m, within the RTO"), "{err}");
    assert!(!err.contains("[1/8]"), "{err}");
}

#[test]
fn the_next_command_reads_what_this_one_read() {
    let (_, err) = human(200, |ui| {
        ui.set_again(Again { everywhere: vec![flag("--config", "eu.toml")], moving: Vec::new() });
        tell(ui, &[started(false), stage(4), ended(Exit::Declined, None)]);
        tell(ui, &[Event::Note { text: "`kdsha resume --undo` puts it back".to_owned() }]);
        ui.failure(Exit::Locked, &["no".to_owned()], &["see `kdsha status`".to_owned()]);
    });
    for command in [
        "kdsha resume --config eu.toml (goes",
        "`kdsha resume --undo --config eu.toml`",
        "`kdsha status --config eu.toml`",
    ] {
        assert!(err.contains(command), "{command}\n{err}");
    }
}

#[test]
fn a_step_that_is_done_is_told_by_what_shows_it_and_one_that_is_not_by_what_it_was_to_do() {
    let finished = |outcome| Event::StepFinished {
        pipeline: id("ticker-prices"),
        step: "drain".to_owned(),
        summary: "Wait until the lag is proven zero".to_owned(),
        region: samples::west(),
        number: 5,
        index: 0,
        outcome,
    };
    let done = said(&[finished(StepOutcome::Applied { evidence: "consumer lag zero".to_owned() })]);
    assert!(done.contains("ok      us-west-2: consumer lag zero\n"), "{done}");
    let failed = said(&[finished(StepOutcome::TimedOut { reason: "still 3m behind".to_owned() })]);
    assert!(failed.contains("TIMEOUT us-west-2: Wait until the lag is proven zero\n"), "{failed}");
}

fn next(snapshot: &Snapshot, owed: &[String]) -> String {
    let topology = topology();
    let input = StatusInput { topology: &topology, snapshot, unfinished: &[], owed, reports: &[] };
    let (out, _) = human(160, |ui| ui.status(&input));
    out.lines().last().unwrap_or_default().to_owned()
}

/// Nobody answers any more in a Region.
fn silence(snapshot: &mut Snapshot, region: &crate::model::Region) {
    let apis = samples::outage().regions[&samples::west()].apis.clone();
    snapshot.regions.get_mut(region).expect("the Region").apis = apis;
}

fn mark(snapshot: &mut Snapshot, state: RunState, intent: &str) {
    let of = samples::outage().pipelines[&id::<PipelineName>("ticker-prices")].standby.mark.clone();
    let crate::model::Observed::Known(Some(mark)) = of else { panic!("the outage has a mark") };
    let mark = crate::model::RunMark { state, intent: intent.to_owned(), ..mark };
    let pipeline = snapshot.pipelines.get_mut(&id::<PipelineName>("ticker-prices")).expect("the pipeline");
    pipeline.standby.mark = crate::model::Observed::Known(Some(mark));
}

#[test]
fn a_status_ends_with_the_one_thing_to_do() {
    let calm = samples::calm();
    assert_eq!(next(&calm, &[]), "next        nothing has to be done");

    let mut silent = samples::calm();
    silence(&mut silent, &samples::west());
    assert!(next(&silent, &[]).starts_with("next        kdsha failover --to us-east-2 --emergency ("));

    // The emergency was run: its own debts are what is left of it.
    mark(&mut silent, RunState::Owed, "failover");
    assert!(
        next(&silent, &[])
            .starts_with("next        kdsha resume (settles what is owed, once us-west-2 answers")
    );
    mark(&mut silent, RunState::Open, "failover");
    assert!(next(&silent, &[]).starts_with("next        kdsha resume (goes on"));
    // It rests in the standby, which does not need the silent Region.
    mark(&mut silent, RunState::Closed, "failover");
    assert!(!next(&silent, &[]).contains("--emergency"));

    let mut nothing = samples::calm();
    silence(&mut nothing, &samples::west());
    silence(&mut nothing, &samples::east());
    assert_eq!(
        next(&nothing, &[]),
        "next        nothing answers from this machine: check its network, VPN and proxy"
    );
}

#[test]
fn what_is_owed_is_listed_once() {
    let (topology, snapshot) = (topology(), samples::calm());
    let owed = ["ticker-prices: switch producer P".to_owned()];
    let twice = samples::report("owed", None, crate::model::Verdict::Fail, &owed[0], None);
    let reports = [twice];
    let input = StatusInput {
        topology: &topology,
        snapshot: &snapshot,
        unfinished: &[],
        owed: &owed,
        reports: &reports,
    };
    let (out, _) = human(80, |ui| ui.status(&input));
    assert_eq!(out.matches("switch producer P").count(), 1, "{out}");
    assert!(out.contains("NOT SOUND: 1 owed"), "{out}");
}

#[test]
fn what_is_not_known_of_a_silent_region_is_one_entry() {
    let unknown = |check: &str| {
        samples::report(check, Some(samples::west()), crate::model::Verdict::Unknown, "no answer", None)
    };
    let answers = crate::model::CheckReport {
        evidence: "SILENT: none of 9 calls was answered (no answer)".to_owned(),
        ..unknown("region_answers")
    };
    let reports = [answers, unknown("stream"), unknown("mapping"), unknown("mapping")];
    let (out, _) = human(80, |ui| ui.checks(&reports, "Preflight"));
    assert!(out.contains("3 checks more (us-west-2)"), "{out}");
    assert!(out.contains("unknown while it is silent: stream, mapping (-v lists them)"), "{out}");
    let settings = Settings { verbose: 1, ..Settings::default() };
    let (out, _) = capture(settings, 80, |ui| ui.checks(&reports, "Preflight"));
    assert_eq!(out.matches("no answer\n").count(), 3, "{out}");
}

#[test]
fn checks_that_one_failed_look_made_unknown_are_one_entry() {
    let unknown = |check: &str, why: &str| {
        samples::report(check, Some(samples::west()), crate::model::Verdict::Unknown, why, Some("look again"))
    };
    let refused = "lambda:ListEventSourceMappings: ServiceException";
    let reports = [
        unknown("mapping", refused),
        unknown("stream", "InternalFailure"),
        unknown("other_readers", refused),
    ];
    let (out, _) = human(80, |ui| ui.checks(&reports, "Preflight"));
    assert!(out.contains("unknown mapping, other readers (ticker-prices, us-west-2)"), "{out}");
    assert!(out.contains("unknown stream (ticker-prices, us-west-2)"), "{out}");
    assert_eq!(out.matches(refused).count(), 1, "{out}");
}

#[test]
fn a_lag_beyond_the_rpo_is_in_the_headline() {
    let topology = topology();
    let mut snapshot = samples::calm();
    let pipeline = snapshot.pipelines.get_mut(&id::<PipelineName>("ticker-prices")).expect("the pipeline");
    let behind = 600_000.0;
    let crate::model::Observed::Known(series) = &mut pipeline.primary.metrics.iterator_age else {
        panic!("the sample knows its lag")
    };
    series.points.iter_mut().for_each(|point| point.value = behind);
    let input =
        StatusInput { topology: &topology, snapshot: &snapshot, unfinished: &[], owed: &[], reports: &[] };
    let (out, _) = human(80, |ui| ui.status(&input));
    assert!(out.lines().next().is_some_and(|line| line.contains("a lag is OVER THE RPO")), "{out}");
}

#[test]
fn the_objective_is_loud_when_it_nears_and_never_dimmed() {
    let settings = Settings { color: crate::ui::Color::Always, ..Settings::default() };
    let at_stage = |time: &str| {
        let time: Timestamp = at(time);
        let (_, err) = capture(settings.clone(), 80, |ui| {
            ui.event(&started(false), at("10:45:01"));
            ui.event(&stage(4), time);
        });
        err.lines().last().unwrap_or_default().to_owned()
    };
    assert!(at_stage("10:47:00").ends_with(", RTO 13m1s left"), "{}", at_stage("10:47:00"));
    assert!(
        at_stage("10:58:00").ends_with("\u{1b}[35m\u{1b}[1mRTO 2m1s left\u{1b}[0m"),
        "{}",
        at_stage("10:58:00")
    );
    assert!(at_stage("11:02:00").contains("\u{1b}[31m\u{1b}[1mRTO passed"), "{}", at_stage("11:02:00"));
}
