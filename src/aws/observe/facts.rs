//! One side of a look: two waves of reads, everything of a wave at once, and what they said.

use super::look::Look;
use super::mappings::{self, SettingsKey};
use super::metrics::{self, MetricId, Span};
use super::wants::Wants;
use super::{Probe, functions, other_aliases, probe, shards, streams};
use crate::model::{
    AliasView, Clock, FunctionName, FunctionView, Mapping, MappingSettings, Observed, RunMark, Series,
    ShardSeries, StreamConsumer, StreamName, StreamProbe, StreamView, Timestamp, time::SKEW_WORTH_A_WARNING,
};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

/// What a side said. A key that is missing was not asked.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) functions: BTreeMap<FunctionName, Observed<FunctionView>>,
    pub(super) aliases: BTreeMap<(FunctionName, String), Observed<AliasView>>,
    pub(super) other_aliases: BTreeMap<FunctionName, Observed<Vec<other_aliases::Runs>>>,
    pub(super) concurrency: Observed<u32>,
    pub(super) mappings: Observed<Vec<Mapping>>,
    pub(super) streams: BTreeMap<StreamName, Observed<StreamView>>,
    pub(super) marks: BTreeMap<StreamName, Observed<Option<RunMark>>>,
    pub(super) consumers: BTreeMap<StreamName, Observed<Vec<StreamConsumer>>>,
    pub(super) probes: BTreeMap<StreamName, Observed<StreamProbe>>,
    pub(super) series: BTreeMap<MetricId, Observed<Series>>,
    /// From when on there may be points.
    pub(super) since: Timestamp,
    /// The lag of every open shard, of streams that have shard-level metrics.
    pub(super) by_shard: BTreeMap<StreamName, Observed<ShardSeries>>,
}

/// How a side is looked at.
#[derive(Debug)]
pub(super) struct Manner<'a> {
    pub(super) clock: &'a Clock,
    pub(super) window: Duration,
    pub(super) period: Duration,
    pub(super) probe: Option<Probe>,
    pub(super) probes: &'a probe::Memories,
    pub(super) settings: &'a Mutex<BTreeMap<SettingsKey, MappingSettings>>,
}

impl Manner<'_> {
    fn span(&self) -> Span {
        Span::until(self.clock.now(), self.window, self.period)
    }
}

/// Asks one side everything it is wanted for.
pub(super) async fn gather(look: &Look<'_>, wants: &Wants, manner: &Manner<'_>) -> Facts {
    // Nothing waits for the aliases that nobody named, and in the quota's lane they come last.
    let (facts, other_aliases) = tokio::join!(
        Box::pin(in_two_waves(look, wants, manner)),
        other_aliases::other_aliases(look, &wants.unaliased),
    );
    Facts { other_aliases, ..facts }
}

async fn in_two_waves(look: &Look<'_>, wants: &Wants, manner: &Manner<'_>) -> Facts {
    let asked_at = manner.span();
    let ((listed, pages), functions, aliases, concurrency, streams, marks, series) = tokio::join!(
        mappings::list(look, &wants.readers),
        functions::functions(look, &wants.functions),
        functions::aliases(look, &wants.aliases),
        functions::unreserved_concurrency(look),
        streams::streams(look, &wants.streams),
        streams::marks(look, &wants.marked),
        metrics::fetch(look, &wants.metrics, asked_at, 1),
    );
    // The first answers of a process may show that the workstation's clock was wrong, and with it the window.
    let stale = if was_wrong(asked_at, manner) { wants.metrics.clone() } else { BTreeSet::new() };
    let polled: BTreeSet<MetricId> = match &listed {
        Ok(listed) => listed.iter().filter(|m| m.counts_events()).map(|m| MetricId::polled(m.id())).collect(),
        Err(_) => BTreeSet::new(),
    };
    let wanted_metrics: BTreeSet<MetricId> = stale.union(&polled).cloned().collect();
    let with_settings = async {
        match listed {
            Ok(listed) => Ok(mappings::with_settings(look, listed, pages + 1, manner.settings).await),
            Err(failure) => Err(failure),
        }
    };
    let probes = async {
        match manner.probe {
            Some(Probe { look_back, .. }) => {
                let (clock, memories, series) = (manner.clock, manner.probes, &series);
                probe::probe(look, &wants.probed, probe::Manner { look_back, clock, memories, series }).await
            }
            None => BTreeMap::new(),
        }
    };
    let (mappings, consumers, later, probes, by_shard) = tokio::join!(
        with_settings,
        streams::consumers(look, &wants.fanned_out, &streams),
        metrics::fetch(look, &wanted_metrics, manner.span(), pages + 1),
        probes,
        shards::lag(look, &wants.by_shard, &streams, manner.span()),
    );
    let series = series.into_iter().chain(later).collect();
    Facts {
        functions,
        aliases,
        other_aliases: BTreeMap::new(),
        concurrency: Observed::from(concurrency),
        mappings: Observed::from(mappings),
        streams,
        marks,
        consumers,
        probes,
        series,
        since: manner.clock.now() - manner.window,
        by_shard,
    }
}

/// Whether the clock was corrected so far since the metrics were asked that their window was another one.
fn was_wrong(asked_at: Span, manner: &Manner<'_>) -> bool {
    let tolerated =
        SignedDuration::try_from(SKEW_WORTH_A_WARNING.max(manner.period)).unwrap_or(SignedDuration::MAX);
    manner.span().distance(asked_at) > tolerated
}
