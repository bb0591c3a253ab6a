//! The way to the standby Region: planned (the primary is drained first) and emergency (standby first).

mod leftover;

use super::preflight::{Asks, Checks, Due, Meaning};
use super::remembered::primary_settings;
use super::sequence::{Request, Selected};
use super::settings::settings_for;
use super::start::{emergency_start, start_position, unprocessed_from};
use super::{Consent, Intent, Mode, OnFailure, Plan, PlannedStep, Stage, arriving, assess, stranded};
use crate::model::{MappingSettings, RunMark, RunState, Side, StartAt, Stranded, Timestamp, WaitsFor};
use crate::steps::{Cause, CreateMapping, Drain, Reader, StartMapping, StopMapping, Until, VerifyResult};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the operator chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailoverOptions {
    /// Planned or emergency.
    pub mode: Mode,
    /// `--start-at`.
    pub start_at: Option<StartAt>,
    /// `--overlap-buffer`.
    pub overlap_buffer: Option<Duration>,
}

/// How long an emergency waits for what the failing Region accepted, apart from the settling of a mapping; what it
/// refuses is owed at once. Lambda takes minutes over the state of a mapping (Lambda Developer Guide,
/// services-kinesis-create).
const LETS_GO: Duration = Duration::from_secs(5 * 60);

/// How long an emergency waits for its own verification before that is owed.
const PATIENCE: Duration = Duration::from_secs(45);

/// Plans the way to the standby Region.
pub fn plan_failover(request: Request<'_>, options: FailoverOptions) -> Plan {
    let intent = Intent::Failover { to: request.region(Side::Standby).clone(), mode: options.mode };
    let mut checks = Checks::new(request);
    let mut positions = BTreeMap::new();
    checks.account();
    checks.region_answers(
        Side::Standby,
        "nothing can be moved to a Region that does not answer: look again when it does",
    );
    checks.owed();
    if options.mode == Mode::Planned {
        let to = request.region(Side::Standby);
        let otherwise = format!(
            "a planned run needs both Regions; `kdsha failover --to {to} --emergency` needs only the standby"
        );
        checks.region_answers(Side::Primary, &otherwise);
    }
    let mut moves = Vec::new();
    for selected in request.selected() {
        check_pipeline(&mut checks, &selected, options.mode);
        let starts = selected.is_cold() && request.switched_back(&selected).is_none();
        let position = if starts { start_position(&mut checks, &selected, options) } else { None };
        if let Some(position) = &position {
            positions.insert(selected.pipeline.name.clone(), position.clone());
        }
        let mut moved = Move::new(&mut checks, selected, position.map(|p| p.start), options.mode);
        if let Some(start) = moved.told_of_the_leftover(&mut checks)
            && let Some(position) = positions.get_mut(&moved.of.pipeline.name)
        {
            position.is_of_a_leftover(start, request.snapshot.taken_at);
        }
        if options.mode == Mode::Emergency {
            moved.left = left_behind(&mut checks, &moved, options);
        }
        if options.mode == Mode::Planned && moved.start.is_some() {
            moved.emergency = emergency_start(&request, &moved.of, options);
        }
        moves.push(moved);
    }
    let stages = match options.mode {
        Mode::Planned => planned(&request, &moves),
        Mode::Emergency => emergency(&request, &moves),
    };
    super::sequence::plan(request, intent, checks.reports, positions, stages)
}

/// One pipeline on its way.
struct Move<'a> {
    of: Selected<'a>,
    consumer: Reader,
    standby: Reader,
    replicator: Option<Reader>,
    /// Where the standby's consumer starts, where it has to be started.
    start: Option<StartAt>,
    settings: MappingSettings,
    /// What the run leaves in the primary's stream.
    left: Option<Stranded>,
    /// Where an emergency would start now, in a planned run.
    emergency: Option<Timestamp>,
    /// Whether an earlier process of this run was here.
    goes_on: bool,
    /// The server's clock.
    now: Timestamp,
    /// When the run was marked, or now: nothing is written to the standby in its course before.
    marked_at: Timestamp,
}

impl<'a> Move<'a> {
    fn new(checks: &mut Checks<'a>, of: Selected<'a>, start: Option<StartAt>, mode: Mode) -> Move<'a> {
        let regions = &checks.request.topology.regions;
        let starts = of.is_cold() && checks.request.switched_back(&of).is_none();
        let settings =
            if starts { settings_for(checks, &of, start, mode) } else { MappingSettings::default() };
        Move {
            consumer: assess::reader_of(of.pipeline, regions, Side::Primary),
            standby: assess::reader_of(of.pipeline, regions, Side::Standby),
            replicator: assess::replicator_of(of.pipeline, regions),
            start,
            settings,
            left: None,
            emergency: None,
            goes_on: checks.request.own_mark(of.view).is_some(),
            now: checks.request.snapshot.taken_at,
            marked_at: checks.request.marked_at(of.view),
            of,
        }
    }

    /// The readers of the primary that stop, in the order in which they are stopped.
    fn leaving(&self) -> Vec<Reader> {
        self.replicator.iter().cloned().chain([self.consumer.clone()]).collect()
    }

    /// How long zero lag must hold for one of them.
    fn hold(&self, request: &Request<'_>, reader: &Reader) -> Duration {
        let side = &self.of.view.primary;
        let view = match reader.role {
            crate::steps::Role::Consumer => Some(&side.consumer),
            crate::steps::Role::Replicator => side.replicator.as_ref(),
        };
        view.map_or(request.topology.timing.fresh, |view| request.hold(view))
    }

    fn longest_hold(&self, request: &Request<'_>) -> Duration {
        self.leaving().iter().map(|reader| self.hold(request, reader)).max().unwrap_or_default()
    }

    fn create(&self, enabled: bool) -> Option<PlannedStep> {
        let start = self.start?;
        let (reader, settings) = (self.standby.clone(), self.settings.clone());
        Some(self.of.step(CreateMapping { reader, start, enabled, settings }))
    }

    /// Enables a mapping that is there already, or may be; one that this plan creates is created enabled.
    fn enable(&self) -> Option<PlannedStep> {
        let (reader, until) = (self.standby.clone(), Until::Enabled);
        let enable = StartMapping { reader, enable: true, until, replay: None, oldest: None };
        let is_unknown = self.of.view.standby.consumer.mappings.known().is_none();
        (self.is_adopted() || is_unknown).then(|| self.of.step(enable))
    }

    /// Sees the standby's consumer poll. An emergency's mapping was enabled before.
    fn start(&self, mode: Mode) -> PlannedStep {
        let enable = mode == Mode::Planned;
        let reader = self.standby.clone();
        let oldest = Some(self.marked_at);
        self.of.step(StartMapping { reader, enable, until: Until::Polling, replay: None, oldest })
    }

    fn drain(&self, request: &Request<'_>) -> Vec<PlannedStep> {
        let drain = |reader: Reader| {
            let hold = self.hold(request, &reader);
            let fresh = request.topology.timing.fresh;
            self.of.step(Drain {
                reader,
                hold,
                fresh,
                is_deleted: false,
                missing: Cause::Unexplained,
                stopped: Cause::Unexplained,
            })
        };
        self.leaving().into_iter().map(drain).collect()
    }

    fn stop(&self, request: &Request<'_>) -> Vec<PlannedStep> {
        let settle = request.topology.timing.settle;
        self.leaving().into_iter().map(|reader| self.of.step(StopMapping { reader, settle })).collect()
    }

    /// A warm pipeline's readers run on both sides, always.
    fn verify(&self, request: &Request<'_>) -> PlannedStep {
        let (running, stopped) = match self.of.is_cold() {
            true => (vec![self.standby.clone()], self.leaving()),
            false => (self.leaving().into_iter().chain([self.standby.clone()]).collect(), Vec::new()),
        };
        let region = request.region(Side::Standby).clone();
        let sink = self.of.pipeline.sink.is_some();
        self.of.step(VerifyResult { region, running, stopped, sink, left: self.left.clone() })
    }
}

/// What an emergency leaves behind, said before it begins and after it is verified.
fn left_behind(checks: &mut Checks<'_>, moved: &Move<'_>, options: FailoverOptions) -> Option<Stranded> {
    let former = || checks.request.switched_back(&moved.of).and_then(|mark| mark.token.position);
    let (is_cold, request) = (moved.of.is_cold(), checks.request);
    let derived = unprocessed_from(&request, &moved.of, options);
    let from = match moved.start {
        // Nothing starts, or everything does: what was not processed is as old as the data points say.
        _ if !is_cold => derived,
        Some(StartAt::TrimHorizon) => derived,
        Some(StartAt::Timestamp(at)) => Some(derived.map_or(at, |derived| derived.min(at))),
        None => former(),
    };
    let waits_for = if is_cold { WaitsFor::Failback } else { WaitsFor::Consumer };
    let region = request.region(Side::Primary).clone();
    let expires = from.map(|from| stranded::expiry(&moved.of, from));
    let retention_hours = Some(stranded::retention_hours(&moved.of));
    let left = Stranded { region, expires, retention_hours, waits_for };
    stranded::foretell(checks, &moved.of, &left);
    Some(left)
}

fn check_pipeline(checks: &mut Checks<'_>, of: &Selected<'_>, mode: Mode) {
    let request = checks.request;
    let continuing = request.own_mark(of.view).is_some() || request.switched_back(of).is_some();
    // Of what is there already, `active_region` says so; how its mappings should be is not this run's to say.
    let is_settled = continuing || request.rests_on(of, Side::Standby);
    let unless_settled = |due: Due| if is_settled { Due::AtMostOne } else { due };
    let regions = &request.topology.regions;
    let standby = assess::reader_of(of.pipeline, regions, Side::Standby);
    let about = checks.about(of, Side::Standby);
    checks.run_mark(of);
    checks.stream(of, Side::Standby);
    checks.reader_function(&about, &of.view.standby.consumer);
    checks.concurrency(of, Side::Standby);
    checks.function_settings(of, Side::Standby);
    checks.health(of, Side::Standby, Meaning::Entered);
    let due = if of.is_cold() { Due::AtMostOne } else { Due::Running };
    checks.mapping(of, &standby, &of.view.standby.consumer, due);
    checks.stream_consumer(&about, &of.view.standby.consumer);
    checks.other_readers(of, Side::Standby);
    if !of.is_cold() && !is_settled {
        // Nothing starts it: what is moved there is processed by what runs there already.
        checks.consumer_lag(of, Side::Standby, Asks::Before(mode));
    }
    if let Some(settings) = primary_settings(of, &request).filter(|_| !of.is_cold()) {
        // Of a cold pipeline this is said with the settings of the mapping that it gets.
        checks.discards(of, &settings);
    }
    if continuing {
        arriving::waiting_in_the_standby(checks, of);
    }
    if mode == Mode::Planned {
        let consumer = assess::reader_of(of.pipeline, regions, Side::Primary);
        let about = checks.about(of, Side::Primary);
        checks.stream(of, Side::Primary);
        checks.streams_match(of, Side::Standby);
        checks.producers(of, Side::Primary);
        checks.reader_function(&about, &of.view.primary.consumer);
        checks.mapping(of, &consumer, &of.view.primary.consumer, unless_settled(Due::Running));
        checks.stream_consumer(&about, &of.view.primary.consumer);
        checks.shared_function(of, &consumer, &of.view.primary.consumer);
        checks.other_readers(of, Side::Primary);
        if !is_settled {
            checks.consumer_lag(of, Side::Primary, Asks::BeforeItsDrain);
        }
        if !of.is_cold() {
            checks.settings_match(of, &consumer, &standby);
        }
        checks.health(of, Side::Primary, Meaning::Left);
        if continuing {
            arriving::since_the_stop(checks, of);
        }
        let replicator = assess::replicator_of(of.pipeline, regions);
        if let (Some(replicator), Some(view)) = (replicator, &of.view.primary.replicator) {
            checks.reader_function(&about, view);
            checks.mapping(of, &replicator, view, unless_settled(Due::Running));
            checks.stream_consumer(&about, view);
            checks.shared_function(of, &replicator, view);
            if !is_settled {
                checks.replicator(of, view, Asks::Before(mode));
            }
        }
    } else {
        checks.emergency_is_due(of);
    }
}

fn each(moves: &[Move<'_>], steps: impl Fn(&Move<'_>) -> Vec<PlannedStep>) -> Vec<PlannedStep> {
    moves.iter().flat_map(steps).collect()
}

fn cold(moves: &[Move<'_>], steps: impl Fn(&Move<'_>) -> Vec<PlannedStep>) -> Vec<PlannedStep> {
    moves.iter().filter(|m| m.of.is_cold()).flat_map(steps).collect()
}

fn mark(request: &Request<'_>, moves: &[Move<'_>], intent: &str, state: RunState) -> Vec<PlannedStep> {
    let former = |m: &Move<'_>| Some(StartAt::Timestamp(request.switched_back(&m.of)?.token.position?));
    each(moves, |m| vec![request.mark(&m.of, intent, m.start.or_else(|| former(m)), m.emergency, state)])
}

fn planned(request: &Request<'_>, moves: &[Move<'_>]) -> Vec<Stage> {
    let (primary, standby) = (request.region(Side::Primary), request.region(Side::Standby));
    let leftover = cold(moves, |m| m.leftover().map(|step| m.of.step(step)).into_iter().collect());
    let create = cold(moves, |m| m.create(false).into_iter().collect());
    let switch = each(moves, |m| request.switch(&m.of, Side::Standby));
    let quiet =
        each(moves, |m| vec![request.quiet(&m.of, Side::Primary, m.leaving(), m.longest_hold(request))]);
    vec![
        request.stage("Mark the run", mark(request, moves, RunMark::FAILOVER, RunState::Open)),
        request.stage("Remove a leftover mapping", leftover),
        request.stage(format!("Prepare the consumer in {standby}, disabled"), create),
        Stage {
            is_point_of_no_return: true,
            ..request.stage(format!("Switch the producers to {standby}"), switch)
        },
        Stage {
            skip_risk: Some("records that still arrive may be left behind in the old stream".to_owned()),
            ..request.stage(format!("Prove {primary} quiet"), quiet)
        },
        // Not to be skipped: the start relies on it. Who cannot wait turns the run into an emergency.
        request.stage(format!("Drain the readers in {primary}"), each(moves, |m| m.drain(request))),
        request.stage(format!("Stop the readers in {primary}"), cold(moves, |m| m.stop(request))),
        request
            .stage(format!("Start the consumer in {standby}"), cold(moves, |m| vec![m.start(Mode::Planned)])),
        request.stage("Verify", each(moves, |m| vec![m.verify(request)])),
        Stage {
            consent: Consent::Covered,
            ..request.stage("Close the run", mark(request, moves, RunMark::FAILOVER, RunState::Closed))
        },
    ]
}

fn emergency(request: &Request<'_>, moves: &[Move<'_>]) -> Vec<Stage> {
    let (primary, standby) = (request.region(Side::Primary), request.region(Side::Standby));
    let leftover = cold(moves, |m| m.leftover().map(|step| m.of.step(step)).into_iter().collect());
    let create = cold(moves, |m| m.create(true).into_iter().collect());
    let enable = cold(moves, |m| m.enable().into_iter().collect());
    // The readers of all pipelines first: a stop is accepted at once, and until then stale records may be pushed
    // into the standby; a producer's update takes its time.
    let stop = cold(moves, |m| m.stop(request));
    let switch = each(moves, |m| request.switch(&m.of, Side::Standby));
    let let_go = stop.into_iter().chain(switch).collect();
    vec![
        Stage {
            // A run that turns into an emergency has its mark: only what it says changes.
            consent: if moves.iter().all(|m| request.own_mark(m.of.view).is_some()) {
                Consent::Covered
            } else {
                Consent::Ask
            },
            ..request.stage("Mark the run", mark(request, moves, RunMark::EMERGENCY, RunState::Open))
        },
        request.stage("Remove a leftover mapping", leftover),
        request.stage(format!("Create the consumer in {standby}, enabled"), create),
        request.stage(format!("Enable the consumer in {standby}"), enable),
        Stage {
            is_point_of_no_return: true,
            on_failure: OnFailure::Owe,
            timeout: LETS_GO + request.topology.timing.settle,
            ..request.stage(
                format!("Stop the readers in {primary} and switch the producers, as far as it answers"),
                let_go,
            )
        },
        // It only looks; whoever typed the Region need not be asked again.
        Stage {
            consent: Consent::Covered,
            ..request.stage(
                format!("See the consumer in {standby} poll"),
                cold(moves, |m| vec![m.start(Mode::Emergency)]),
            )
        },
        Stage {
            on_failure: OnFailure::Owe,
            timeout: PATIENCE,
            ..request.stage("Verify", each(moves, |m| vec![m.verify(request)]))
        },
        Stage {
            consent: Consent::Covered,
            ..request.stage("Close the run", mark(request, moves, RunMark::EMERGENCY, RunState::Closed))
        },
    ]
}
