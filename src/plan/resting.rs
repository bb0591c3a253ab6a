//! The resting state: is the pipeline sound where it is, and could it be moved now? `verify` and `status` ask.

use super::assess::{self, Active};
use super::next::{NOTHING_ANSWERS, needs_the_primary};
use super::preflight::{Asks, Checks, Due, Meaning};
use super::sequence::{Request, Selected};
use super::{arriving, stranded};
use crate::model::{CheckReport, Observed, RunMark, RunState, Side, Verdict};
use crate::steps::sink_shows;
use std::time::Duration;

/// How far back arrivals count as fresh traffic for the sink.
const LATELY: Duration = Duration::from_secs(15 * 60);

/// Every check of the resting state, for all selected pipelines. The request's run is one that nobody has.
pub fn resting_checks(request: Request<'_>) -> Vec<CheckReport> {
    let mut checks = Checks::new(request);
    checks.account();
    for side in [Side::Primary, Side::Standby] {
        checks.region_answers(
            side,
            "what it holds is unknown until it answers; `kdsha status` says what is possible",
        );
    }
    checks.owed();
    for of in request.selected() {
        pipeline(&mut checks, &of);
    }
    checks.reports
}

fn pipeline(checks: &mut Checks<'_>, of: &Selected<'_>) {
    // The next move goes to the side that is idle now.
    let idle = active_side(checks, of).map_or(Side::Standby, Side::other);
    checks.streams_match(of, idle);
    checks.function_settings(of, idle);
    for side in [Side::Primary, Side::Standby] {
        checks.stream(of, side);
        let about = checks.about(of, side);
        checks.reader_function(&about, &of.view.side(side).consumer);
        checks.concurrency(of, side);
        checks.stream_consumer(&about, &of.view.side(side).consumer);
        checks.other_readers(of, side);
    }
    // How things should rest is not to be said in the middle of a run: the way on is its own.
    if !finished(checks, of) {
        return;
    }
    match active_side(checks, of) {
        Some(side) => resting_in(checks, of, side),
        None => {
            let about = checks.about(of, Side::Primary);
            let by_hand =
                "set the producers' variables to one of the two Regions, the one whose consumer runs";
            let (verdict, evidence, advice) = match assess::active(of.view) {
                Active::Unknown(why) => (Verdict::Unknown, why, unknown_advice(checks, of)),
                Active::Mixed(values) => {
                    let values = values.into_iter().collect::<Vec<_>>().join(", ");
                    let evidence = format!("the producers do not agree on one of the two Regions: {values}");
                    (Verdict::Fail, evidence, by_hand.to_owned())
                }
                Active::Region(region) => {
                    (Verdict::Fail, format!("the producers write to {region}"), by_hand.to_owned())
                }
            };
            checks.advise("active_region", &about, verdict, evidence, advice);
        }
    }
}

/// What to do when the producers cannot be read.
fn unknown_advice(checks: &Checks<'_>, of: &Selected<'_>) -> String {
    let (snapshot, regions) = (checks.request.snapshot, &checks.request.topology.regions);
    let is_silent = |side: Side| assess::is_silent(snapshot, regions.of(side));
    match (is_silent(Side::Primary), is_silent(Side::Standby)) {
        (true, true) => NOTHING_ANSWERS.to_owned(),
        (true, false) if needs_the_primary(of.view) => {
            let standby = &regions.standby;
            format!("if it does not come back soon: `kdsha failover --to {standby} --emergency`")
        }
        _ => "look again when the Region of the producers answers".to_owned(),
    }
}

fn active_side(checks: &Checks<'_>, of: &Selected<'_>) -> Option<Side> {
    if checks.request.switched_back(of).is_some() {
        return Some(Side::Standby);
    }
    match assess::active(of.view) {
        Active::Region(region) => checks.request.topology.regions.side_of(&region),
        Active::Mixed(_) | Active::Unknown(_) => None,
    }
}

/// Whether no run is under way, and none owes anything. An unknown mark forbids nothing else to be looked at.
fn finished(checks: &mut Checks<'_>, of: &Selected<'_>) -> bool {
    let about = checks.about(of, Side::Standby);
    let Some(mark) = checks.known("run_mark", &about, &of.view.standby.mark) else { return true };
    match mark {
        Some(mark) if mark.state == RunState::Open => {
            let evidence = format!("run {} ({} by {}) is unfinished", mark.run, mark.intent, mark.owner);
            checks.advise("run_mark", &about, Verdict::Fail, evidence, "go on with it: `kdsha resume`");
            arriving::waiting_in_the_standby(checks, of);
            false
        }
        Some(mark) if mark.state == RunState::Owed => {
            let evidence = format!("run {} ({} by {}) owes steps", mark.run, mark.intent, mark.owner);
            checks.advise("run_mark", &about, Verdict::Fail, evidence, "settle it: `kdsha resume`");
            waiting_for_the_failback(checks, of);
            false
        }
        _ => {
            checks.ok("run_mark", &about, "no run is under way");
            true
        }
    }
}

/// What nobody processes in the primary while the standby is active: what an emergency left, or what arrived after a
/// planned run had stopped the consumer.
fn waiting_for_the_failback(checks: &mut Checks<'_>, of: &Selected<'_>) {
    let mark = of.view.standby.mark.known().and_then(Option::as_ref);
    match mark.is_some_and(RunMark::is_emergency) {
        true => stranded::remind(checks, of),
        false => arriving::since_the_stop(checks, of),
    }
}

fn resting_in(checks: &mut Checks<'_>, of: &Selected<'_>, active: Side) {
    let request = checks.request;
    let regions = &request.topology.regions;
    checks.producers(of, active);
    checks.health(of, active, Meaning::Active);
    checks.health(of, active.other(), Meaning::Idle);
    for side in [Side::Primary, Side::Standby] {
        let reader = assess::reader_of(of.pipeline, regions, side);
        let due = if side == active || !of.is_cold() { Due::Running } else { Due::Stopped };
        checks.mapping(of, &reader, &of.view.side(side).consumer, due);
        if due == Due::Running {
            checks.consumer_lag(of, side, Asks::AtRest);
        }
    }
    if !of.is_cold() {
        let [primary, standby] =
            [Side::Primary, Side::Standby].map(|side| assess::reader_of(of.pipeline, regions, side));
        checks.settings_match(of, &primary, &standby);
    }
    let replicator = assess::replicator_of(of.pipeline, regions);
    if let (Some(reader), Some(view)) = (replicator, &of.view.primary.replicator) {
        let about = checks.about(of, Side::Primary);
        let due = if active == Side::Primary || !of.is_cold() { Due::Running } else { Due::Stopped };
        checks.reader_function(&about, view);
        checks.stream_consumer(&about, view);
        checks.mapping(of, &reader, view, due);
        if due == Due::Running && active == Side::Primary {
            checks.replicator(of, view, Asks::AtRest);
        }
    }
    checks.aliases_at_rest(of);
    if active == Side::Standby {
        waiting_for_the_failback(checks, of);
        if request.switched_back(of).is_none() {
            arriving::stray_writes(checks, of);
        }
    }
    sink(checks, of, active);
}

fn sink(checks: &mut Checks<'_>, of: &Selected<'_>, active: Side) {
    let about = checks.about(of, active);
    let Some(part) = &of.view.sink else { return };
    let asked =
        !matches!(part, Observed::Unknown(reason) if reason.kind == crate::model::FailureKind::NotAsked);
    if !asked {
        return;
    }
    let Some(sink) = checks.known("sink", &about, part) else { return };
    if active == Side::Primary && of.standby_writes_copies() {
        return checks.ok(
            "sink",
            &about,
            "the warm standby writes the copies too: it cannot tell who is active",
        );
    }
    let metrics = &of.view.side(active).metrics;
    let from = checks.request.snapshot.taken_at - LATELY;
    match sink_shows(sink, checks.request.region(active), metrics, from) {
        Ok(evidence) => checks.ok("sink", &about, evidence),
        Err(evidence) => checks.advise(
            "sink",
            &about,
            Verdict::Fail,
            evidence,
            "look at the consumer's errors: records arrive and its writes do not show",
        ),
    }
}
