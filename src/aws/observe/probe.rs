//! A direct read of every shard: has anything arrived, and when last?
//!
//! The reads count in the stream's own iterator age, so old records are not read: the first look begins at the tip
//! (unless the metrics say that nothing arrived anyway), later looks go on from where the one before ended. What is
//! proven reaches back to where the first look began.

use super::Look;
use super::metrics::SideMetrics;
use crate::aws::connect::Clients;
use crate::aws::convert;
use crate::aws::errors::Asked;
use crate::config::Pipeline;
use crate::model::{
    AwsFailure, Observed, Reason, Region, ShardArrivals, ShardProbe, Side, StreamProbe, Timestamp,
};
use aws_sdk_kinesis::types::{ShardFilter, ShardFilterType, ShardIteratorType};
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// A shard iterator lives five minutes (Kinesis API Reference, GetRecords).
const ITERATOR_LIVES: Duration = Duration::from_secs(240);
/// Shards read at once.
const AT_ONCE: usize = 16;
/// Reads of one shard a look, and the pause between them: five a second a shard, shared with the pipeline's own.
const MOST_READS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(400);
const MOST_PAGES: u32 = 100;

/// Where the last look at a stream ended.
#[derive(Debug)]
pub(in crate::aws) struct ProbeMemory {
    since: Timestamp,
    looked: Instant,
    shards: BTreeMap<String, Shard>,
}

#[derive(Debug, Clone, Default)]
struct Shard {
    /// Where to go on; `None` at the end of a closed shard.
    iterator: Option<String>,
    newest: Option<Timestamp>,
    /// Why the last look did not reach the tip.
    unproven: Option<String>,
}

impl Look<'_> {
    /// Reads a side's shards, where the scope asks for it.
    pub(super) async fn probe(
        &self,
        clients: &Clients,
        pipeline: &Pipeline,
        side: Side,
        metrics: &SideMetrics,
    ) -> Observed<StreamProbe> {
        let Some(look_back) = self.scope.probe else { return Observed::Unknown(Reason::not_asked()) };
        let stream = pipeline.stream.of(side).as_str();
        Observed::from(self.read_stream(clients, stream, look_back, metrics).await)
    }

    async fn read_stream(
        &self,
        clients: &Clients,
        stream: &str,
        look_back: Duration,
        metrics: &SideMetrics,
    ) -> Result<StreamProbe, AwsFailure> {
        let key: (Region, String) = (clients.region.clone(), stream.to_owned());
        let kept = self.aws.probes.borrow_mut().remove(&key).filter(|m| m.looked.elapsed() < ITERATOR_LIVES);
        let mut memory = match kept.filter(|m| m.shards.values().all(|s| s.iterator.is_some())) {
            Some(memory) => memory,
            None => self.begin(clients, stream, look_back, metrics).await?,
        };
        let begun = Instant::now();
        let shards = std::mem::take(&mut memory.shards);
        let read = stream::iter(shards).map(async |(id, shard)| {
            let shard = self.read_shard(clients, stream, &id, shard).await;
            (id, shard)
        });
        memory.shards = read.buffer_unordered(AT_ONCE).collect().await;
        memory.looked = begun;
        let wanted = self.aws.clock.now() - look_back;
        let seen = |shard: &Shard| match (&shard.unproven, shard.newest) {
            (Some(why), _) => ShardArrivals::Unproven(why.clone()),
            (None, Some(newest)) if newest >= wanted.min(memory.since) => ShardArrivals::Newest(newest),
            (None, _) => ShardArrivals::Nothing,
        };
        let shards =
            memory.shards.iter().map(|(id, shard)| ShardProbe { shard: id.clone(), seen: seen(shard) });
        let probe = StreamProbe { since: memory.since, at: self.aws.clock.now(), shards: shards.collect() };
        self.aws.probes.borrow_mut().insert(key, memory);
        Ok(probe)
    }

    /// The first look: at the tip, or as far back as asked where the metrics show no arrivals.
    async fn begin(
        &self,
        clients: &Clients,
        stream: &str,
        look_back: Duration,
        metrics: &SideMetrics,
    ) -> Result<ProbeMemory, AwsFailure> {
        let now = self.aws.clock.now();
        let deep = now - look_back;
        let arrivals = metrics.stream.incoming_records.known();
        let seen = arrivals.map(|s| s.since(deep - s.period).iter().any(|point| point.value > 0.0));
        let since = if seen == Some(false) { deep } else { now - Duration::from_secs(1) };
        let ids = self.list_shards(clients, stream, since).await?;
        let begun = stream::iter(ids).map(async |id| {
            let iterator = self.iterator(clients, stream, &id, since).await;
            (id, iterator)
        });
        let mut shards = BTreeMap::new();
        for (id, iterator) in begun.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            shards.insert(id, Shard { iterator: iterator?, ..Shard::default() });
        }
        Ok(ProbeMemory { since, looked: Instant::now(), shards })
    }

    async fn list_shards(
        &self,
        clients: &Clients,
        stream: &str,
        since: Timestamp,
    ) -> Result<Vec<String>, AwsFailure> {
        let asked = Asked { operation: "kinesis:ListShards", resource: stream, region: &clients.region };
        let filter = ShardFilter::builder()
            .r#type(ShardFilterType::FromTimestamp)
            .timestamp(convert::date_time(since))
            .build()
            .map_err(|e| asked.refused(e.to_string()))?;
        let mut ids = Vec::new();
        let mut token: Option<String> = None;
        for page in 0..MOST_PAGES {
            let call = clients.kinesis.list_shards();
            let call = match token.take() {
                Some(token) => call.next_token(token),
                None => call.stream_name(stream).shard_filter(filter.clone()),
            };
            let output = self.ask(asked, 3 + page, call.send()).await?;
            ids.extend(output.shards().iter().map(|s| s.shard_id().to_owned()));
            match output.next_token().filter(|t| !t.is_empty()) {
                Some(next) => token = Some(next.to_owned()),
                None => return Ok(ids),
            }
        }
        Err(asked.refused("the list of shards did not end"))
    }

    async fn iterator(
        &self,
        clients: &Clients,
        stream: &str,
        shard: &str,
        since: Timestamp,
    ) -> Result<Option<String>, AwsFailure> {
        let resource = format!("{stream}/{shard}");
        let asked =
            Asked { operation: "kinesis:GetShardIterator", resource: &resource, region: &clients.region };
        let call = clients
            .kinesis
            .get_shard_iterator()
            .stream_name(stream)
            .shard_id(shard)
            .shard_iterator_type(ShardIteratorType::AtTimestamp)
            .timestamp(convert::date_time(since));
        let output = self.ask(asked, 4, call.send()).await?;
        Ok(output.shard_iterator().map(str::to_owned))
    }

    /// Reads a shard on to its tip.
    async fn read_shard(&self, clients: &Clients, stream: &str, id: &str, mut shard: Shard) -> Shard {
        let resource = format!("{stream}/{id}");
        let asked = Asked { operation: "kinesis:GetRecords", resource: &resource, region: &clients.region };
        shard.unproven = None;
        for read in 0..MOST_READS {
            let Some(iterator) = shard.iterator.clone() else { return shard };
            if read > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let call = clients.kinesis.get_records().shard_iterator(iterator);
            let output = match self.ask(asked, 5 + read, call.send()).await {
                Ok(output) => output,
                Err(failure) => {
                    shard.unproven = Some(failure.to_string());
                    return shard;
                }
            };
            let arrivals = output.records().iter().filter_map(|r| r.approximate_arrival_timestamp());
            shard.newest = shard.newest.max(arrivals.filter_map(convert::timestamp).max());
            shard.iterator = output.next_shard_iterator().map(str::to_owned);
            if output.millis_behind_latest() == Some(0) || shard.iterator.is_none() {
                return shard;
            }
        }
        shard.unproven = Some(format!("still behind after {MOST_READS} reads"));
        shard
    }
}
