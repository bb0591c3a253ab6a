//! What the live view knows: the facts of every look so far, folded. Pure; the clock comes from outside.

use super::kept::Kept;
use crate::config::{Pipeline, Topology};
use crate::model::{
    CheckReport, FailureKind, Observed, PipelineView, Point, ReaderView, Reason, Region, RunState, Series,
    Side, SideView, Snapshot, Timestamp, Verdict,
};
use crate::plan::assess::{self, Active, Health};
use crate::ui::header::Context;
use crate::ui::status::{self, StatusInput};
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that is on the screen.
#[derive(Debug, Clone)]
pub struct WatchState {
    pub(super) topology: Topology,
    pub(super) context: Context,
    pub(super) regions: BTreeMap<Region, RegionFacts>,
    pub(super) pipelines: Vec<PipelineFacts>,
    /// Whether all is well, and the words for it.
    pub(super) verdict: Option<(bool, String)>,
    /// What needs attention, the worst first.
    pub(super) attention: Vec<Attention>,
    /// When the last look that came to an end was made, by the server's clock.
    pub(super) last_look: Option<Timestamp>,
    pub(super) looks: u64,
    /// Sent by all looks.
    pub(super) requests: u64,
    /// Sent by the last one.
    pub(super) last_requests: u64,
    /// Why the last try to look came to nothing.
    pub(super) trouble: Option<String>,
    /// What happens next.
    pub(super) next: Next,
    /// The pipeline shown first.
    pub(super) selected: usize,
}

/// What the view does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A look is under way, since then.
    Looking(Timestamp),
    /// The next look begins then.
    At(Timestamp),
    /// None, until the operator says so.
    Paused,
}

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attention {
    pub(super) text: String,
    /// The Region that a check could not see into.
    pub(super) unseen: Option<Region>,
}

/// How a Region answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RegionFacts {
    /// APIs that answered the last look, of how many.
    pub(super) answered: (usize, usize),
    /// When any of them answered last.
    pub(super) heard: Option<Timestamp>,
    /// Why one of the others did not.
    pub(super) why: Option<String>,
}

impl RegionFacts {
    /// Not one API answered the last look.
    pub(super) fn is_silent(&self) -> bool {
        self.answered.0 == 0 && self.answered.1 > 0
    }
}

/// One pipeline.
#[derive(Debug, Clone)]
pub(super) struct PipelineFacts {
    pub(super) config: Pipeline,
    pub(super) active: Kept<Active>,
    /// Producer and the Region that it writes to.
    pub(super) producers: Vec<(String, Kept<String>)>,
    pub(super) mark: Kept<String>,
    pub(super) sides: [SideFacts; 2],
}

/// One pipeline in one Region.
#[derive(Debug, Clone, Default)]
pub(super) struct SideFacts {
    pub(super) stream: Kept<String>,
    pub(super) consumer: ReaderFacts,
    pub(super) replicator: Option<ReaderFacts>,
    pub(super) arrivals: Kept<Option<Rate>>,
    pub(super) health: Kept<Health>,
}

/// A consumer or a replicator.
#[derive(Debug, Clone, Default)]
pub(super) struct ReaderFacts {
    pub(super) mapping: Kept<Mappings>,
    pub(super) lag: Kept<LagSeen>,
    pub(super) history: Kept<Series>,
}

/// The mappings of a reader.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mappings {
    None,
    One { state: String, problem: Option<String> },
    Many(usize),
}

/// The newest lag, its age counted from the end of its sample's period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum LagSeen {
    Lag {
        lag: Duration,
        ended: Timestamp,
    },
    /// The metric answered and has no data point.
    NoData,
    /// Nobody reads.
    NoReader,
}

/// Records a second, and when the period that says so ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    pub(super) ended: Timestamp,
}

impl WatchState {
    /// Nothing seen yet.
    pub fn new(topology: &Topology, pipelines: &[crate::model::PipelineName], now: Timestamp) -> WatchState {
        let shown = topology.pipelines.iter().filter(|pipeline| pipelines.contains(&pipeline.name));
        WatchState {
            topology: topology.clone(),
            context: Context::of(topology, None),
            regions: BTreeMap::new(),
            pipelines: shown.map(PipelineFacts::of).collect(),
            verdict: None,
            attention: Vec::new(),
            last_look: None,
            looks: 0,
            requests: 0,
            last_requests: 0,
            trouble: None,
            next: Next::Looking(now),
            selected: 0,
        }
    }

    /// Takes in what a look saw.
    pub fn see(&mut self, input: &StatusInput<'_>) {
        let snapshot = input.snapshot;
        let at = snapshot.taken_at;
        let who = self.context.who.take();
        self.context = Context::seen(&self.topology, snapshot);
        if let (Err(reason), Some(who)) = (snapshot.identity.as_result(), who) {
            // Who we were at the last answer; the line says that it is from then.
            let before = who.split(" (as of an earlier look").next().unwrap_or_default();
            self.context.who = Some(format!("{before} (as of an earlier look; now: {})", reason.text));
        }
        self.look_at_regions(snapshot);
        for facts in &mut self.pipelines {
            if let Some(view) = snapshot.pipelines.get(&facts.config.name) {
                facts.see(view, &self.topology, at);
            }
        }
        self.verdict = Some((input.is_sound(), status::verdict_words(input)));
        self.attention = attention(input);
        self.last_look = Some(at);
        self.looks += 1;
        self.last_requests = snapshot.stats.requests;
        self.requests += snapshot.stats.requests;
        self.trouble = None;
    }

    /// A look came to nothing; what was seen before stays, and gets older.
    pub fn fail(&mut self, why: &str) {
        self.trouble = Some(why.to_owned());
    }

    /// What the view does next.
    pub fn set_next(&mut self, next: Next) {
        self.next = next;
    }

    /// Whether anything was ever seen.
    pub fn has_seen(&self) -> bool {
        self.last_look.is_some()
    }

    /// Another pipeline to the top: by so many places, round and round.
    pub fn select(&mut self, by: isize) {
        let count = self.pipelines.len().max(1) as isize;
        self.selected = (self.selected as isize + by).rem_euclid(count) as usize;
    }

    fn look_at_regions(&mut self, snapshot: &Snapshot) {
        for (region, view) in &snapshot.regions {
            let facts = self.regions.entry(region.clone()).or_default();
            let answered = view.apis.iter().filter(|api| api.answered > 0 && api.failed == 0).count();
            facts.answered = (answered, view.apis.len());
            facts.why = assess::silent_apis(snapshot, region).into_iter().next();
            // The page says by itself that it is silent, and since when.
            facts.why = facts.why.take().map(|why| why.trim_start_matches("SILENT: ").to_owned());
            if view.apis.iter().any(|api| api.answered > 0) {
                facts.heard = Some(snapshot.taken_at);
            }
        }
    }
}

/// Unfinished, owed, deviations: one line each.
fn attention(input: &StatusInput<'_>) -> Vec<Attention> {
    let unfinished = input.unfinished.iter().map(|text| format!("UNFINISHED  {text}"));
    let owed = input.owed.iter().map(|text| format!("OWED  {text}"));
    let deviations = input.other_deviations();
    let deviations = deviations.iter().map(|report| Attention {
        text: deviation(report),
        unseen: report.region.clone().filter(|_| report.verdict == Verdict::Unknown),
    });
    let others = unfinished.chain(owed).map(|text| Attention { text, unseen: None });
    others.chain(deviations).collect()
}

fn deviation(report: &CheckReport) -> String {
    let word = match report.verdict {
        Verdict::Fail => "FAIL",
        Verdict::Unknown => "unknown",
        Verdict::Warn => "warn",
        Verdict::Ok => "ok",
    };
    let subject =
        [report.pipeline.as_ref().map(ToString::to_string), report.region.as_ref().map(ToString::to_string)];
    let subject: Vec<String> = subject.into_iter().flatten().collect();
    format!("{word}  {} ({}): {}", report.check.replace('_', " "), subject.join(", "), report.evidence)
}

impl PipelineFacts {
    fn of(config: &Pipeline) -> PipelineFacts {
        let producers = config.producers.iter().map(|p| (p.function.to_string(), Kept::default()));
        let replicator = config.replicator.as_ref().map(|_| ReaderFacts::default());
        PipelineFacts {
            config: config.clone(),
            active: Kept::default(),
            producers: producers.collect(),
            mark: Kept::default(),
            sides: [SideFacts { replicator, ..SideFacts::default() }, SideFacts::default()],
        }
    }

    pub(super) fn side(&self, side: Side) -> &SideFacts {
        match side {
            Side::Primary => &self.sides[0],
            Side::Standby => &self.sides[1],
        }
    }

    fn see(&mut self, view: &PipelineView, topology: &Topology, at: Timestamp) {
        let active = match assess::active(view) {
            Active::Unknown(why) => Observed::Unknown(Reason::new(FailureKind::NotFound, why)),
            known => Observed::Known(known),
        };
        self.active.see(active, at);
        for ((_, kept), producer) in self.producers.iter_mut().zip(&view.producers) {
            let value = producer.region_value.clone();
            kept.see(value.map(|value| value.unwrap_or_else(|| "(variable not set)".to_owned())), at);
        }
        self.mark.see(
            view.standby.mark.clone().map(|mark| {
                mark.map_or("none".to_owned(), |mark| {
                    let state = if mark.state == RunState::Open { "OPEN" } else { "closed" };
                    format!("{state}: {} by {}, run {}", mark.intent, mark.owner, mark.run)
                })
            }),
            at,
        );
        self.sides[0].see(&view.primary, topology, at);
        self.sides[1].see(&view.standby, topology, at);
    }
}

impl SideFacts {
    fn see(&mut self, view: &SideView, topology: &Topology, at: Timestamp) {
        let stream = view.stream.clone().map(|stream| {
            format!("{}, {}", stream.status, crate::ui::text::plural(stream.open_shards as usize, "shard"))
        });
        self.stream.see(stream, at);
        self.consumer.see(view, &view.consumer, at);
        if let (Some(facts), Some(reader)) = (&mut self.replicator, &view.replicator) {
            facts.see(view, reader, at);
        }
        let rate = |series: Series| {
            let last = series.complete(at).last().copied();
            last.map(|point: Point| Rate {
                per_second: point.value.max(0.0) / series.period.as_secs_f64().max(1.0),
                ended: point.at + series.period,
            })
        };
        self.arrivals.see(view.metrics.incoming_records.clone().map(rate), at);
        let health = assess::health(&view.metrics, &topology.objectives, &topology.timing, at);
        // No calls in the window is an answer; no answer is none.
        self.health.see(view.metrics.put_record_calls.clone().map(|_| health), at);
    }
}

impl ReaderFacts {
    fn see(&mut self, side: &SideView, reader: &ReaderView, at: Timestamp) {
        self.mapping.see(
            reader.mappings.clone().map(|mappings| match mappings.as_slice() {
                [] => Mappings::None,
                [one] => Mappings::One {
                    state: one.state.to_string(),
                    problem: one.last_processing_result.clone().filter(|result| result.contains("PROBLEM")),
                },
                many => Mappings::Many(many.len()),
            }),
            at,
        );
        self.history.see(assess::lags(side, reader), at);
        let nobody = reader.mappings.known().is_some_and(Vec::is_empty);
        let lag = match assess::lag(side, reader, at) {
            _ if nobody => Observed::Known(LagSeen::NoReader),
            Observed::Known(lag) => {
                Observed::Known(LagSeen::Lag { lag: lag.lag, ended: at - lag.sample_age })
            }
            Observed::Unknown(reason) if reason.kind == FailureKind::NotFound => {
                Observed::Known(LagSeen::NoData)
            }
            Observed::Unknown(reason) => Observed::Unknown(reason),
        };
        self.lag.see(lag, at);
    }
}
