//! What both sequences are made from: the request, and stages for all selected pipelines.

use super::assess::{self, Active};
use super::own_calls;
use super::position::Position;
use super::stranded::writes_to;
use super::{Accepted, Consent, Intent, Memory, OnFailure, Plan, PlannedStep, Stage};
use crate::config::{Pipeline, Producer, StandbyMode, Topology};
use crate::model::{
    AliasView, CheckReport, CutOverToken, Environment, Mapping, MappingSettings, MappingState, Observed,
    PipelineName, PipelineView, ProducerView, Region, RunId, RunMark, RunState, Side, Snapshot, StartAt,
    Timestamp,
};
use crate::steps::{AnyStep, MarkRun, ProveQuiet, Reader, Seen, SwitchProducer};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a plan is made of, besides its own options.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The configuration.
    pub topology: &'a Topology,
    /// What was seen.
    pub snapshot: &'a Snapshot,
    /// The run.
    pub run: &'a RunId,
    /// `user@host`.
    pub owner: &'a str,
    /// The pipelines, in the order of the configuration.
    pub pipelines: &'a [PipelineName],
    /// For one wait, where the operator said so.
    pub timeout: Option<Duration>,
    /// What earlier runs owe.
    pub owed: &'a [String],
    /// How far back the snapshot's metrics reach.
    pub history: Duration,
    /// What the operator accepts.
    pub accepted: Option<&'a Accepted>,
    /// What earlier looks from this machine derived.
    pub remembered: Option<&'a Memory>,
}

/// What switching producers and starting readers takes: polling may begin minutes after `Enabled` (Lambda Developer
/// Guide, services-kinesis-create).
pub(crate) const STARTS: Duration = Duration::from_secs(5 * 60);

/// One selected pipeline: as configured and as seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selected<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) view: &'a PipelineView,
}

impl<'a> Request<'a> {
    /// The selected pipelines that were looked at.
    pub(crate) fn selected(&self) -> Vec<Selected<'a>> {
        let pipelines = self.topology.pipelines.iter().filter(|p| self.pipelines.contains(&p.name));
        let with_view = |pipeline: &'a Pipeline| {
            let view = self.snapshot.pipelines.get(&pipeline.name)?;
            Some(Selected { pipeline, view })
        };
        pipelines.filter_map(with_view).collect()
    }

    /// How long a run takes when nothing stands in its way: silence, which may not begin before the invocations of
    /// the producers have ended, the longest drain, the starts.
    pub(crate) fn expected_length(&self) -> Duration {
        let timing = &self.topology.timing;
        let readers = |of: Selected<'a>| {
            let sides = [&of.view.primary, &of.view.standby];
            sides.map(|side| {
                self.hold(&side.consumer)
                    .max(side.replicator.as_ref().map_or(Duration::ZERO, |r| self.hold(r)))
            })
        };
        let hold = self.selected().into_iter().flat_map(readers).max().unwrap_or_default();
        let in_flight = self.selected().into_iter().flat_map(|of| &of.view.producers);
        let in_flight = in_flight.filter_map(|producer| producer.function.known()).map(|f| f.timeout_seconds);
        let in_flight = Duration::from_secs(u64::from(in_flight.max().unwrap_or(0)));
        in_flight.max(timing.quiet) + hold + timing.settle + STARTS
    }

    /// The Region of a side.
    pub(crate) fn region(&self, side: Side) -> &'a Region {
        self.topology.regions.of(side)
    }

    /// The mark of this very run on a pipeline's standby stream: an earlier process began it.
    pub(crate) fn own_mark(&self, view: &'a PipelineView) -> Option<&'a RunMark> {
        let mark = view.standby.mark.known()?.as_ref()?;
        (mark.run == *self.run).then_some(mark)
    }

    /// When this run was marked, or now: it has switched no producer before that.
    pub(crate) fn marked_at(&self, view: &'a PipelineView) -> Timestamp {
        self.own_mark(view).map_or(self.snapshot.taken_at, |mark| mark.token.marked_at)
    }

    /// The mark of a failover that is over and stands, but for producers that write to the primary again: only
    /// somebody else can have switched them back, as a deploy does that writes the template's environment.
    pub(crate) fn switched_back(&self, of: &Selected<'a>) -> Option<&'a RunMark> {
        let mark = of.view.standby.mark.known()?.as_ref()?;
        let is_over = mark.state == RunState::Closed && mark.is_failover() && mark.run != *self.run;
        let runs = |side: Side| {
            let reader = assess::reader_of(of.pipeline, &self.topology.regions, side);
            let mappings = of.view.side(side).consumer.mappings.known()?;
            Some(mappings.iter().any(|m| reader.owns(m) && m.state.is_on()))
        };
        let fenced = || runs(Side::Standby) == Some(true) && runs(Side::Primary) == Some(false);
        let stands = !of.is_cold() || fenced();
        let is_back = match assess::active(of.view) {
            Active::Region(region) => region == *self.region(Side::Primary),
            Active::Mixed(_) => true,
            Active::Unknown(_) => false,
        };
        (is_over && stands && is_back).then_some(mark)
    }

    /// The mark of the failback that stopped reading the standby, where producers write to it again: a failback that is
    /// over, or an earlier part of this one. It had read all that arrived before it was marked; what came later may
    /// lie there unread.
    pub(crate) fn left_unread(&self, of: &Selected<'a>) -> Option<&'a RunMark> {
        let mark = of.view.standby.mark.known()?.as_ref()?;
        let has_stopped =
            mark.intent == RunMark::FAILBACK && (mark.state == RunState::Closed || mark.run == *self.run);
        let reader = assess::reader_of(of.pipeline, &self.topology.regions, Side::Standby);
        let mappings = of.view.standby.consumer.mappings.known()?;
        let is_read = mappings.iter().any(|m| reader.owns(m) && m.state != MappingState::Deleting);
        let standby = self.region(Side::Standby);
        let is_written = of.view.producers.iter().any(|producer| writes_to(producer, standby));
        (of.is_cold() && has_stopped && !is_read && is_written).then_some(mark)
    }

    /// The selected pipelines that rest on a side, with nothing under way and nothing owed.
    pub fn at_rest_on(&self, side: Side) -> Vec<PipelineName> {
        let there = self.selected().into_iter().filter(|of| self.rests_on(of, side));
        there.map(|of| of.pipeline.name.clone()).collect()
    }

    /// Whether a pipeline rests on a side, with nothing under way: there is nothing to move to that side.
    pub(crate) fn rests_on(&self, of: &Selected<'a>, side: Side) -> bool {
        let Some(mark) = of.view.standby.mark.known() else { return false };
        let is_over = mark.as_ref().is_none_or(|mark| mark.state == RunState::Closed);
        let is_there = matches!(assess::active(of.view), Active::Region(at) if at == *self.region(side));
        is_over && is_there && self.switched_back(of).is_none()
    }

    /// A stage; empty ones are left out of plans.
    pub(crate) fn stage(&self, title: impl Into<String>, steps: Vec<PlannedStep>) -> Stage {
        Stage {
            title: title.into(),
            steps,
            on_failure: OnFailure::Stop,
            consent: Consent::Ask,
            is_point_of_no_return: false,
            skip_risk: None,
            timeout: self.timeout.unwrap_or(self.topology.timing.timeout),
        }
    }

    /// The run mark of a pipeline, in a state; `emergency` is where one would start now.
    pub(crate) fn mark(
        &self,
        of: &Selected<'_>,
        intent: &str,
        position: Option<StartAt>,
        emergency: Option<Timestamp>,
        state: RunState,
    ) -> PlannedStep {
        let own = self.own_mark(of.view);
        let position = match position {
            Some(StartAt::Timestamp(at)) => Some(at),
            Some(StartAt::TrimHorizon) | None => None,
        };
        // Until all of it is read, the mark goes on to say from where on the standby's stream may be unread.
        let unread = self.left_unread(of).filter(|_| intent == RunMark::FAILBACK && state == RunState::Open);
        let marked_at = unread.map_or_else(|| self.marked_at(of.view), |mark| mark.token.marked_at);
        // Of a run that goes on, what its first look knew: by now its producers may have been switched.
        let emergency = match own {
            Some(mark) => mark.token.emergency,
            None => emergency,
        };
        let mut mark = RunMark {
            run: self.run.clone(),
            intent: intent.to_owned(),
            owner: own.map_or(self.owner, |mark| mark.owner.as_str()).to_owned(),
            state,
            token: CutOverToken { position, marked_at, emergency },
            owed: Vec::new(),
        };
        mark.token.emergency = emergency.filter(|_| mark.may_turn());
        let (region, stream) = (self.region(Side::Standby).clone(), of.pipeline.stream.standby.clone());
        of.step(MarkRun { region, stream, mark, replaced: self.stood_before(of).map(Box::new) })
    }

    /// The mark of the last run that is over: what this one's stands in the place of, and gives way to again where it
    /// is put back.
    fn stood_before(&self, of: &Selected<'_>) -> Option<RunMark> {
        let mark = of.view.standby.mark.known()?.as_ref()?;
        (mark.run != *self.run && mark.state == RunState::Closed).then(|| mark.clone())
    }

    /// Points the producers at a side.
    pub(crate) fn switch(&self, of: &Selected<'_>, to: Side) -> Vec<PlannedStep> {
        let target = self.region(to);
        let stream = of.pipeline.stream.of(to);
        let producers = of.pipeline.producers.iter().zip(&of.view.producers);
        producers
            .map(|(producer, view)| {
                let set = producer.variables(target, stream);
                of.step(SwitchProducer {
                    region: self.region(producer.side).clone(),
                    side: producer.side,
                    function: producer.function.clone(),
                    alias: producer.alias.clone().filter(|_| !is_of_latest(view)),
                    to: target.clone(),
                    target: to,
                    was: former(view, &set),
                    beside: self.beside(of, producer, to),
                    set,
                })
            })
            .collect()
    }

    /// What the run sets for its other pipelines in the function of a producer.
    pub(crate) fn beside(
        &self,
        of: &Selected<'_>,
        producer: &Producer,
        to: Side,
    ) -> BTreeMap<String, String> {
        let others = self.selected().into_iter().filter(|other| other.pipeline.name != of.pipeline.name);
        let is_same =
            |other: &&Producer| (&other.function, other.side) == (&producer.function, producer.side);
        let set = |other: Selected<'_>| -> Vec<(String, String)> {
            let (target, stream) = (self.region(to), other.pipeline.stream.of(to));
            let same = other.pipeline.producers.iter().filter(is_same);
            same.flat_map(|producer| producer.variables(target, stream)).collect()
        };
        others.flat_map(set).collect()
    }

    /// Proves a side's stream quiet.
    pub(crate) fn quiet(
        &self,
        of: &Selected<'_>,
        side: Side,
        readers: Vec<Reader>,
        look_back: Duration,
    ) -> PlannedStep {
        of.step(ProveQuiet {
            side,
            region: self.region(side).clone(),
            stream: of.pipeline.stream.of(side).clone(),
            readers,
            producers: of.pipeline.producers.iter().map(|p| p.function.clone()).collect(),
            quiet: self.topology.timing.quiet,
            look_back: look_back.max(self.topology.timing.quiet),
        })
    }

    /// How long zero lag must hold before a reader counts as drained: the function's time-out, the batching
    /// window, and the delay with which metrics would show that the last batch failed. A tumbling window has its result
    /// only when it closes, with an invocation of its own (Lambda Developer Guide, services-kinesis-windows).
    pub(crate) fn hold(&self, reader: &crate::model::ReaderView) -> Duration {
        let timing = &self.topology.timing;
        let timeout = reader.function.known().map_or(900, |f| f.timeout_seconds);
        let mappings = reader.mappings.known().map(Vec::as_slice).unwrap_or_default();
        let windows = mappings.iter().filter_map(|m| m.settings.known());
        let window =
            windows.map(|s| s.batching_window_seconds + s.tumbling_window_seconds).max().unwrap_or(0);
        timing.quiet.max(Duration::from_secs(u64::from(timeout + window))) + timing.fresh
    }
}

impl Selected<'_> {
    /// A step of this pipeline.
    pub(crate) fn step(&self, step: impl Into<AnyStep>) -> PlannedStep {
        PlannedStep { pipeline: self.pipeline.name.clone(), step: step.into() }
    }
    /// Whether the standby's consumer processes a copy of every record of the primary: then it writes each item after
    /// the primary's consumer did, and an item cannot tell which Region is active.
    pub(crate) fn standby_writes_copies(&self) -> bool {
        !self.is_cold() && self.pipeline.replicator.is_some()
    }
    /// Whether the standby's consumer is started at failover.
    pub(crate) fn is_cold(&self) -> bool {
        self.pipeline.standby == StandbyMode::Cold
    }
}

/// Whether a producer's alias points at $LATEST: a change of its variables needs no version and no move.
fn is_of_latest(producer: &ProducerView) -> bool {
    producer.alias.as_ref().and_then(Observed::known).is_some_and(AliasView::is_latest)
}

/// The values that keys have now.
fn former(producer: &ProducerView, set: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let Observed::Known(function) = &producer.function else { return BTreeMap::new() };
    let Environment::Readable(variables) = &function.environment else { return BTreeMap::new() };
    let now = |key: &String| Some((key.clone(), variables.get(key)?.expose().to_owned()));
    set.keys().filter_map(now).collect()
}

/// The settings for a mapping in another Region, and what could not be carried over.
pub(crate) fn carried(
    settings: &MappingSettings,
    from: &Region,
    to: &Region,
) -> (MappingSettings, Vec<String>) {
    let mut lost = Vec::new();
    let mut carried = MappingSettings { count_events: true, ..settings.clone() };
    if let Some(arn) = &settings.on_failure {
        let there = arn.replace(&format!(":{from}:"), &format!(":{to}:"));
        if there == *arn {
            // An S3 bucket's ARN names no Region, and a foreign one names another.
            lost.push(format!("the on-failure destination {arn} stays the same, wherever it lies"));
        }
        carried.on_failure = Some(there);
    }
    if carried.kms_key.take().is_some() {
        lost.push("the KMS key of the filters (keys belong to one Region)".to_owned());
    }
    (carried, lost)
}

/// The plan with its empty stages left out.
pub(crate) fn plan(
    request: Request<'_>,
    intent: Intent,
    mut checks: Vec<CheckReport>,
    positions: BTreeMap<PipelineName, Position>,
    mut stages: Vec<Stage>,
) -> Plan {
    if let Some(accepted) = request.accepted {
        accepted.mark(&mut checks);
    }
    stages.iter_mut().for_each(|stage| stage.steps.retain(|step| !is_stopped_before(&request, step)));
    stages.iter_mut().for_each(|stage| own_calls::expect_what_was_never_there(&request, &mut stage.steps));
    let steps = stages.iter_mut().flat_map(|stage| &mut stage.steps);
    steps.for_each(|planned| let_age(planned, &checks));
    Plan {
        run: request.run.clone(),
        intent,
        taken_at: request.snapshot.taken_at,
        owner: request.owner.to_owned(),
        pipelines: request.selected().iter().map(|s| s.pipeline.name.clone()).collect(),
        checks,
        positions,
        stages: stages.into_iter().filter(|stage| !stage.steps.is_empty()).collect(),
        rto: request.topology.objectives.rto,
    }
}

/// Whether a drain is for a reader that was stopped before the run was marked, as a failover before it does: preflight
/// has judged that, and of a stop so long ago no metric tells any more.
fn is_stopped_before(request: &Request<'_>, planned: &PlannedStep) -> bool {
    let AnyStep::Drain(drain) = &planned.step else { return false };
    let Some(pipeline) = request.snapshot.pipelines.get(&planned.pipeline) else { return false };
    let seen = Seen { pipeline, at: request.snapshot.taken_at };
    let marked_at = request.marked_at(pipeline);
    let mappings = drain.reader.view(seen).and_then(|view| view.mappings.known());
    let is_before = |mapping: &Mapping| {
        let at = mapping.last_modified;
        mapping.state == MappingState::Disabled && at.is_some_and(|at| at < marked_at)
    };
    let mut own = mappings.into_iter().flatten().filter(|mapping| drain.reader.owns(mapping)).peekable();
    !drain.is_deleted && own.peek().is_some() && own.all(is_before)
}

/// Who accepts that a mapping drops what is too old is not stopped for it at the end of the run.
fn let_age(planned: &mut PlannedStep, checks: &[CheckReport]) {
    let is_accepted = |report: &CheckReport| {
        report.check == "record_age"
            && report.pipeline.as_ref() == Some(&planned.pipeline)
            && report.accepted.is_some()
    };
    if let AnyStep::StartMapping(start) = &mut planned.step
        && checks.iter().any(is_accepted)
    {
        start.oldest = None;
    }
}
