//! The way back to the primary Region. Both Regions must answer; nothing may be owed.

mod returns;
mod waiting;

use super::preflight::{Checks, Due, Meaning};
use super::sequence::{Request, Selected};
use super::{Consent, Intent, Mode, Plan, PlannedStep, Stage, assess, settings, stranded};
use crate::model::{RunMark, RunState, Side, StartAt, Timestamp, Verdict};
use crate::steps::{
    Cause, CreateMapping, DeleteMapping, Drain, Reader, StartMapping, StopMapping, Until, VerifyResult,
};
use returns::{Return, consumer_returns, replicator_returns};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the operator chose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailbackOptions {
    /// `--skip-stranded`: do not process what was stranded in the primary; it is said and logged.
    pub skip_stranded: bool,
}

/// Plans the way back.
pub fn plan_failback(request: Request<'_>, options: FailbackOptions) -> Plan {
    let intent = Intent::Failback { to: request.region(Side::Primary).clone() };
    let mut checks = Checks::new(request);
    checks.account();
    for side in [Side::Primary, Side::Standby] {
        let otherwise = "a failback needs both Regions: stay where you are, and look again when both answer";
        checks.region_answers(side, otherwise);
    }
    checks.owed();
    let mut moves = Vec::new();
    for of in request.selected() {
        check_pipeline(&mut checks, &of);
        moves.push(Move::new(&mut checks, of, options));
    }
    let stages = stages(&request, &moves);
    super::sequence::plan(request, intent, checks.reports, BTreeMap::new(), stages)
}

/// One pipeline on its way back.
struct Move<'a> {
    of: Selected<'a>,
    consumer: Reader,
    standby: Reader,
    replicator: Option<Reader>,
    consumer_returns: Return,
    replicator_returns: Option<Return>,
    /// The mapping that reads what the standby took after an earlier failback had stopped reading it.
    unread: Option<CreateMapping>,
    /// When the oldest record has arrived that the primary's consumer must process.
    oldest: Timestamp,
}

impl<'a> Move<'a> {
    fn new(checks: &mut Checks<'a>, of: Selected<'a>, options: FailbackOptions) -> Move<'a> {
        let request = checks.request;
        let regions = &request.topology.regions;
        let consumer = assess::reader_of(of.pipeline, regions, Side::Primary);
        let replicator = assess::replicator_of(of.pipeline, regions);
        let (consumer_returns, oldest) = consumer_returns(checks, of, &consumer, options.skip_stranded);
        let replicator_returns =
            replicator.as_ref().filter(|_| of.is_cold()).map(|r| replicator_returns(checks, &of, r));
        let standby = assess::reader_of(of.pipeline, regions, Side::Standby);
        let unread = unread(checks, &of, &standby);
        Move { of, consumer, standby, replicator, consumer_returns, replicator_returns, unread, oldest }
    }

    fn removal(&self, returns: Option<&Return>) -> Vec<PlannedStep> {
        match returns {
            Some(Return::New(new)) => {
                new.replaces.iter().map(|delete| self.of.step(delete.clone())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn creation(&self, reader: &Reader, returns: Option<&Return>) -> Vec<PlannedStep> {
        match returns {
            Some(Return::New(new)) => vec![self.of.step(CreateMapping {
                reader: reader.clone(),
                start: new.start,
                enabled: true,
                settings: new.settings.clone(),
            })],
            _ => Vec::new(),
        }
    }

    /// A replicator that runs copies into the standby's stream, which would never be quiet. Stopped before the mapping
    /// is created: as long as there is none, a run that is gone on with finds what it has to do.
    fn stop_copies(&self, settle: Duration) -> Vec<PlannedStep> {
        let replicator = self.replicator.iter().filter(|_| self.unread.is_some());
        replicator.map(|reader| self.of.step(StopMapping { reader: reader.clone(), settle })).collect()
    }

    fn read_again(&self) -> Vec<PlannedStep> {
        self.unread.iter().map(|create| self.of.step(create.clone())).collect()
    }

    fn see_it_read(&self) -> Vec<PlannedStep> {
        let start = |create: &CreateMapping| StartMapping {
            reader: create.reader.clone(),
            enable: true,
            until: Until::Polling,
            replay: None,
            oldest: None,
        };
        self.unread.iter().map(|create| self.of.step(start(create))).collect()
    }

    /// How long zero lag must hold; a mapping that is yet to be created has its window all the same.
    fn hold(&self, request: &Request<'_>) -> Duration {
        let window = self.unread.as_ref().map_or(0, |create| create.settings.batching_window_seconds);
        request.hold(&self.of.view.standby.consumer) + Duration::from_secs(u64::from(window))
    }

    fn start_consumer(&self) -> PlannedStep {
        let replay = "Records that were processed in the standby may come again here, and an old value may overwrite \
                      a newer one in a last-writer-wins table.";
        self.of.step(StartMapping {
            reader: self.consumer.clone(),
            enable: self.consumer_returns.is_kept(),
            until: Until::Polling,
            replay: Some(replay.to_owned()),
            oldest: Some(self.oldest),
        })
    }

    /// The standby's consumer runs until it is drained: whoever stopped it meanwhile, be it an earlier process of this
    /// run, left a checkpoint that is about to be deleted.
    fn keep_running(&self) -> PlannedStep {
        let (reader, until) = (self.standby.clone(), Until::Enabled);
        self.of.step(StartMapping { reader, enable: true, until, replay: None, oldest: None })
    }

    fn drain(&self, request: &Request<'_>) -> PlannedStep {
        let hold = self.hold(request);
        let fresh = request.topology.timing.fresh;
        let (reader, unknown) = (self.standby.clone(), Cause::Unexplained);
        self.of.step(Drain { reader, hold, fresh, is_deleted: true, missing: unknown, stopped: unknown })
    }

    fn verify(&self, request: &Request<'_>) -> PlannedStep {
        let home = [self.consumer.clone()].into_iter().chain(self.replicator.clone());
        let (running, stopped) = match self.of.is_cold() {
            true => (home.collect(), vec![self.standby.clone()]),
            false => (home.chain([self.standby.clone()]).collect(), Vec::new()),
        };
        let region = request.region(Side::Primary).clone();
        let sink = self.of.pipeline.sink.is_some() && !self.of.standby_writes_copies();
        self.of.step(VerifyResult { region, running, stopped, sink, left: None })
    }
}

fn floor(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The run is marked before the producers are switched, so this is never after the switch.
fn before_switch(request: &Request<'_>, of: &Selected<'_>) -> StartAt {
    StartAt::Timestamp(floor(request.marked_at(of.view) - of.pipeline.overlap_buffer))
}

/// The standby's consumer reads again what came after an earlier failback had been marked: that one had read all before.
fn unread(checks: &mut Checks<'_>, of: &Selected<'_>, reader: &Reader) -> Option<CreateMapping> {
    let since = checks.request.left_unread(of)?.token.marked_at;
    let start = StartAt::Timestamp(floor(since - of.pipeline.overlap_buffer));
    let region = checks.request.region(Side::Standby);
    let evidence = format!(
        "the producers write to {region} again, where a failback had stopped the consumer: {}",
        arrived_since(&checks.request, of, since)
    );
    let advice = format!(
        "they are processed first, from {start} on, some of them once more; whatever points the producers at {region}, \
         such as a deploy, does it again"
    );
    let about = checks.about(of, Side::Standby);
    checks.advise(stranded::CHECK, &about, Verdict::Warn, evidence, advice);
    let settings = settings::settings_for(checks, of, Some(start), Mode::Emergency);
    Some(CreateMapping { reader: reader.clone(), start, enabled: true, settings })
}

fn arrived_since(request: &Request<'_>, of: &Selected<'_>, since: Timestamp) -> String {
    let reaches = since >= request.snapshot.taken_at - request.history;
    let counted = of.view.standby.metrics.incoming_records.known().filter(|_| reaches);
    match counted.and_then(|series| series.sum_since(since)) {
        Some(sum) => format!("at most {sum:.0} records arrived since {since:.0} and are unread"),
        None => format!("how many records arrived since {since:.0} is not known"),
    }
}

fn check_pipeline(checks: &mut Checks<'_>, of: &Selected<'_>) {
    let request = checks.request;
    let regions = &request.topology.regions;
    let continuing = request.own_mark(of.view).is_some();
    checks.run_mark(of);
    for side in [Side::Primary, Side::Standby] {
        checks.stream(of, side);
        let about = checks.about(of, side);
        checks.reader_function(&about, &of.view.side(side).consumer);
        let meaning = if side == Side::Primary { Meaning::Returned } else { Meaning::Left };
        checks.health(of, side, meaning);
    }
    // While the standby was active, it may have grown, and the primary not with it.
    checks.streams_match(of, Side::Primary);
    checks.concurrency(of, Side::Primary);
    checks.function_settings(of, Side::Primary);
    checks.producers(of, Side::Standby);
    // Of what is there already, `active_region` says so; how its mappings should be is not this run's to say.
    // After a finished failback the primary's readers run, and go on: a run that reads the standby again goes on with it.
    let goes_on = continuing || request.left_unread(of).is_some();
    let is_settled = goes_on || request.rests_on(of, Side::Primary);
    let cold_due = |due: Due| if is_settled { Due::AtMostOne } else { due };
    let standby = assess::reader_of(of.pipeline, regions, Side::Standby);
    checks.mapping(of, &standby, &of.view.standby.consumer, cold_due(Due::Running));
    if of.is_cold() {
        checks.shared_function(of, &standby, &of.view.standby.consumer);
    }
    for side in [Side::Primary, Side::Standby] {
        let about = checks.about(of, side);
        checks.stream_consumer(&about, &of.view.side(side).consumer);
        checks.other_readers(of, side);
    }
    let consumer = assess::reader_of(of.pipeline, regions, Side::Primary);
    let due = if of.is_cold() { cold_due(Due::Stopped) } else { Due::Running };
    checks.mapping(of, &consumer, &of.view.primary.consumer, due);
    let replicator = assess::replicator_of(of.pipeline, regions);
    if let (Some(replicator), Some(view)) = (replicator, &of.view.primary.replicator) {
        let about = checks.about(of, Side::Primary);
        checks.reader_function(&about, view);
        checks.stream_consumer(&about, view);
        checks.mapping(of, &replicator, view, due);
    }
}

fn stages(request: &Request<'_>, moves: &[Move<'_>]) -> Vec<Stage> {
    let (primary, standby) = (request.region(Side::Primary), request.region(Side::Standby));
    let each = |steps: &dyn Fn(&Move<'_>) -> Vec<PlannedStep>| -> Vec<PlannedStep> {
        moves.iter().flat_map(steps).collect()
    };
    let cold = |steps: &dyn Fn(&Move<'_>) -> Vec<PlannedStep>| -> Vec<PlannedStep> {
        moves.iter().filter(|m| m.of.is_cold()).flat_map(steps).collect()
    };
    let position = |m: &Move<'_>| {
        let mark = m.of.view.standby.mark.known().and_then(Option::as_ref)?;
        mark.token.position.map(StartAt::Timestamp)
    };
    let mark =
        |state: RunState| each(&|m| vec![request.mark(&m.of, RunMark::FAILBACK, position(m), None, state)]);
    let settle = request.topology.timing.settle;
    let replicator = |m: &Move<'_>, step: &dyn Fn(&Reader) -> Vec<PlannedStep>| -> Vec<PlannedStep> {
        m.replicator.as_ref().map(step).unwrap_or_default()
    };
    vec![
        request.stage("Mark the run", mark(RunState::Open)),
        request.stage("Stop the replicator", cold(&|m| m.stop_copies(settle))),
        request.stage(format!("Create the consumer in {standby}"), cold(&|m| m.read_again())),
        request.stage(format!("See that the consumer in {standby} reads again"), cold(&|m| m.see_it_read())),
        request.stage(
            format!("Remove mappings in {primary} that cannot be trusted"),
            cold(&|m| {
                [m.removal(Some(&m.consumer_returns)), m.removal(m.replicator_returns.as_ref())].concat()
            }),
        ),
        request.stage(
            format!("Create the consumer in {primary}"),
            cold(&|m| m.creation(&m.consumer, Some(&m.consumer_returns))),
        ),
        request.stage(format!("Start the consumer in {primary}"), cold(&|m| vec![m.start_consumer()])),
        Stage {
            is_point_of_no_return: true,
            ..request.stage(
                format!("Switch the producers back to {primary}"),
                each(&|m| request.switch(&m.of, Side::Primary)),
            )
        },
        request.stage(
            format!("See that the consumer in {standby} runs until it is drained"),
            cold(&|m| vec![m.keep_running()]),
        ),
        request.stage(
            format!("Prove {standby} quiet"),
            cold(&|m| vec![request.quiet(&m.of, Side::Standby, vec![m.standby.clone()], m.hold(request))]),
        ),
        request.stage(format!("Drain the consumer in {standby}"), cold(&|m| vec![m.drain(request)])),
        request.stage(
            format!("Stop the consumer in {standby}"),
            cold(&|m| vec![m.of.step(StopMapping { reader: m.standby.clone(), settle })]),
        ),
        request.stage(
            format!("Delete the mapping in {standby}"),
            cold(&|m| {
                let because =
                    "the standby is cold: its next mapping starts at the position of the next failover";
                let reader = m.standby.clone();
                vec![m.of.step(DeleteMapping { reader, only: None, because: because.to_owned() })]
            }),
        ),
        request.stage(
            "Create the replicator",
            cold(&|m| replicator(m, &|r| m.creation(r, m.replicator_returns.as_ref()))),
        ),
        request.stage(
            "Restart the replicator",
            cold(&|m| {
                replicator(m, &|r| {
                    vec![m.of.step(StartMapping {
                        reader: r.clone(),
                        enable: m.replicator_returns.as_ref().is_none_or(Return::is_kept),
                        until: Until::Polling,
                        replay: None,
                        oldest: None,
                    })]
                })
            }),
        ),
        request.stage("Verify", each(&|m| vec![m.verify(request)])),
        Stage { consent: Consent::Covered, ..request.stage("Close the run", mark(RunState::Closed)) },
    ]
}
