//! One look at both Regions, side by side, bounded, never failing: what did not answer is Unknown.
//!
//! ```text
//! wave 1, all at once   all mappings (paged) | functions, aliases | streams, run marks | metrics | who am I
//! wave 2, all at once   settings of the mappings | fan-out consumers | polls of the mappings | the probe
//! beside both           aliases that nobody named, then the versions that they run
//! then                  the sink, in the Region the producers point at
//! ```
//! So a plain look is two round trips a Region, pages apart. A Region that says nothing costs ten seconds and
//! holds nothing else up; a fleet too large for a quota's burst adds the time that its calls queue.

mod assemble;
mod facts;
mod functions;
mod look;
mod mappings;
mod metrics;
mod other_aliases;
mod probe;
mod scope;
mod shards;
mod sink;
mod streams;
mod wants;

pub(super) use mappings::SettingsKey;
pub(super) use probe::Memories;
pub use scope::{Probe, Scope, Sides};

use super::Aws;
use super::clients::RegionClients;
use super::errors::Asked;
use super::pacer::Family;
use crate::config::{Pipeline, Sink, Topology};
use crate::model::{
    AwsFailure, FailureKind, Identity, Observed, PipelineView, Reason, Region, RegionView, RequestStats,
    Sent, Side, SinkView, Snapshot,
};
use assemble::Both;
use facts::{Facts, Manner};
use futures_util::future::join_all;
use look::{BOUND, Look, Read};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use wants::Wants;

impl Aws {
    /// Looks at the pipelines of a scope. Never fails and never waits longer than its bound.
    pub async fn observe(&self, topology: &Topology, scope: &Scope) -> Snapshot {
        let requests_before = self.requests_sent();
        let bound = Instant::now() + BOUND;
        let pipelines = scope.select(topology);
        let (identity, primary, standby) = tokio::join!(
            self.identify(bound),
            Box::pin(self.look_at(topology, scope, &pipelines, Side::Primary, bound)),
            Box::pin(self.look_at(topology, scope, &pipelines, Side::Standby, bound)),
        );
        let queueing = primary.queueing.max(standby.queueing);
        let mut longest_chain = primary.longest_chain.max(standby.longest_chain);
        let regions = [(Side::Primary, primary.view), (Side::Standby, standby.view)]
            .map(|(side, view)| (topology.regions.of(side).clone(), view));
        let both = Both { primary: primary.facts, standby: standby.facts };
        let mut views: Vec<PipelineView> =
            pipelines.iter().map(|pipeline| assemble::pipeline(topology, pipeline, &both)).collect();
        let mut regions = BTreeMap::from(regions);
        if scope.sink {
            let depth = self
                .sample_sinks(topology, scope, &pipelines, &mut views, &mut regions, bound + queueing)
                .await;
            longest_chain = longest_chain.max(depth);
        }
        let names = pipelines.iter().map(|pipeline| pipeline.name.clone());
        Snapshot {
            taken_at: self.clock.now(),
            clock_skew_seconds: self.clock.skew().map(|skew| skew.as_secs_f64()),
            identity,
            regions,
            pipelines: names.zip(views).collect(),
            stats: RequestStats { requests: self.requests_sent() - requests_before, longest_chain },
        }
    }

    /// Who is asking, through the healthy Region; asked until it was answered once.
    async fn identify(&self, bound: Instant) -> Observed<Identity> {
        if let Some(identity) = self.identity.get() {
            return Observed::Known(identity.clone());
        }
        let found = identity(&Look::until(self.healthy(), bound)).await;
        if let Ok(identity) = &found {
            let _ = self.identity.set(identity.clone());
        }
        Observed::from(found)
    }

    fn clients_of(&self, side: Side) -> &RegionClients {
        match side {
            Side::Primary => &self.primary,
            Side::Standby => &self.standby,
        }
    }

    async fn look_at(
        &self,
        topology: &Topology,
        scope: &Scope,
        pipelines: &[&Pipeline],
        side: Side,
        bound: Instant,
    ) -> OneSide {
        if !scope.sides.has(side) {
            return OneSide::not_asked(side);
        }
        let wants = Wants::of(pipelines, side, scope);
        let look = Look::until(self.clients_of(side), bound + wants.queueing());
        let period = topology.timing.metric_period;
        let manner = Manner {
            clock: &self.clock,
            window: scope.window(period),
            period,
            probe: scope.probe,
            probes: &self.probes,
            settings: &self.settings,
        };
        let facts = facts::gather(&look, &wants, &manner).await;
        let view =
            RegionView { side, apis: look.answers(), unreserved_concurrency: facts.concurrency.clone() };
        OneSide { view, facts: Some(facts), longest_chain: look.longest_chain(), queueing: wants.queueing() }
    }

    /// Samples every pipeline's sink in the Region that its producers point at; the standby where that is not
    /// known or they do not agree. Gives the depth of its last calls.
    async fn sample_sinks(
        &self,
        topology: &Topology,
        scope: &Scope,
        pipelines: &[&Pipeline],
        views: &mut [PipelineView],
        regions: &mut BTreeMap<Region, RegionView>,
        bound: Instant,
    ) -> u32 {
        let looks = [Side::Primary, Side::Standby].map(|side| Look::until(self.clients_of(side), bound));
        let sample = |pipeline: &Pipeline, view: &PipelineView| {
            let side = active_side(topology, view).unwrap_or(Side::Standby);
            let look = if side == Side::Primary { &looks[0] } else { &looks[1] };
            let sink = pipeline.sink.clone();
            let is_asked = scope.sides.has(side);
            async move { sample_sink(look, sink.as_ref(), is_asked).await }
        };
        let samples: Vec<_> =
            pipelines.iter().zip(views.iter()).map(|(pipeline, view)| sample(pipeline, view)).collect();
        for (view, sink) in views.iter_mut().zip(join_all(samples).await) {
            view.sink = sink;
        }
        for look in &looks {
            if let Some(region) = regions.get_mut(&look.at.region) {
                region.apis.extend(look.answers());
            }
        }
        looks.iter().map(Look::longest_chain).max().unwrap_or_default()
    }
}

/// The scan follows the producers' environment, which wave 1 read.
const SINK_DEPTH: u32 = 3;

async fn sample_sink(look: &Look<'_>, sink: Option<&Sink>, is_asked: bool) -> Option<Observed<SinkView>> {
    let sink = sink?;
    Some(match is_asked {
        true => Observed::from(sink::sample(look, sink, SINK_DEPTH).await),
        false => Observed::Unknown(Reason::not_asked()),
    })
}

/// The side that all producers point at, where that is known.
fn active_side(topology: &Topology, view: &PipelineView) -> Option<Side> {
    let side_of = |value: &Observed<Option<String>>| {
        let region = value.known()?.as_deref()?.parse().ok()?;
        topology.regions.side_of(&region)
    };
    let mut sides = view.producers.iter().map(|producer| side_of(&producer.region_value));
    let first = sides.next()??;
    sides.all(|side| side == Some(first)).then_some(first)
}

/// What came of one side.
#[derive(Debug)]
struct OneSide {
    view: RegionView,
    facts: Option<Facts>,
    longest_chain: u32,
    /// How long the look was allowed to queue for quotas.
    queueing: Duration,
}

impl OneSide {
    fn not_asked(side: Side) -> OneSide {
        let unreserved_concurrency = Observed::Unknown(Reason::not_asked());
        let view = RegionView { side, apis: Vec::new(), unreserved_concurrency };
        OneSide { view, facts: None, longest_chain: 0, queueing: Duration::ZERO }
    }
}

/// Who is asking, outside a look.
pub(super) async fn identity_through(at: &RegionClients) -> Result<Identity, AwsFailure> {
    identity(&Look::until(at, Instant::now() + BOUND)).await
}

async fn identity(look: &Look<'_>) -> Result<Identity, AwsFailure> {
    const OPERATION: &str = "sts:GetCallerIdentity";
    let request = look.at.sts().get_caller_identity();
    let asking = look.ask(Read::needed(1, Family::Roomy, OPERATION, "the caller"), request.send());
    let (found, expires) = tokio::join!(asking, look.at.credentials_expire(BOUND));
    let found = found?;
    let asked = Asked::read(OPERATION, "the caller", &look.at.region);
    let unreadable = |text: String| asked.failed(FailureKind::Unreadable, text, Sent::No);
    let account = found.account.unwrap_or_default();
    Ok(Identity {
        account: account.parse().map_err(|error| unreadable(format!("{error}")))?,
        arn: found.arn.ok_or_else(|| unreadable("no Arn was given".to_owned()))?,
        expires,
    })
}
