//! Streams: shards over hash ranges, records in the order of their sequence numbers, retention, consumers.

use super::clock::{HOUR, MINUTE, Millis, SECOND};
use super::ledger::RecordId;
use super::metrics::SeriesId;
use super::place::PlaceId;
use super::reshard::Resharding;
use super::tickers::{TICKERS, Ticker};
use md5::{Digest, Md5};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A stream in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct StreamId(pub usize);

/// Records a second that a shard takes.
const RECORDS_A_SECOND: u32 = 1_000;
/// Bytes a second that a shard takes.
const BYTES_A_SECOND: u32 = 1 << 20;
/// GetRecords calls a second that a shard answers.
const READS_A_SECOND: u32 = 5;

/// What a record carries.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// A price of the post's producer, written out as JSON when somebody reads it.
    Tick(Ticker),
    /// What an API client put.
    Data(Arc<Document>),
}

/// What an API client put.
#[derive(Debug)]
pub(super) struct Document {
    pub key: String,
    pub data: Vec<u8>,
}

/// A record in a shard. Its place in the shard is its sequence number.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub id: RecordId,
    pub arrival: Millis,
    pub body: Body,
}

impl Record {
    pub fn key(&self) -> &str {
        match &self.body {
            Body::Tick(tick) => tick.symbol(),
            Body::Data(document) => &document.key,
        }
    }
    pub fn data(&self) -> Vec<u8> {
        match &self.body {
            Body::Tick(tick) => tick.to_json(self.id).into_bytes(),
            Body::Data(document) => document.data.clone(),
        }
    }
}

impl Body {
    /// What counts against the limits: data and partition key.
    pub fn size(&self) -> u32 {
        match self {
            Body::Tick(_) => 64,
            Body::Data(d) => u32::try_from(d.data.len() + d.key.len()).unwrap_or(u32::MAX),
        }
    }
}

#[derive(Debug, Default)]
struct Window {
    second: Millis,
    calls: u32,
    bytes: u32,
}

impl Window {
    fn at(&mut self, now: Millis) -> &mut Window {
        let second = now / SECOND;
        if second != self.second {
            *self = Window { second, calls: 0, bytes: 0 };
        }
        self
    }
}

/// A shard: a range of hash keys and its records, of which the oldest go as retention passes.
#[derive(Debug)]
pub(super) struct Shard {
    pub id: String,
    pub hash_range: (u128, u128),
    /// The shards that it replaces.
    pub parents: Vec<usize>,
    pub opened: Millis,
    /// When it was replaced: it takes no records from then on.
    pub closed: Option<Millis>,
    /// The position of the oldest record that can still be read.
    pub first: u64,
    records: VecDeque<Record>,
    writes: Window,
    reads: Window,
    serial: u64,
}

impl Shard {
    pub fn new(index: usize, hash_range: (u128, u128), parents: Vec<usize>, opened: Millis) -> Shard {
        Shard {
            id: format!("shardId-{index:012}"),
            hash_range,
            parents,
            opened,
            closed: None,
            first: 0,
            records: VecDeque::new(),
            writes: Window::default(),
            reads: Window::default(),
            serial: (opened / MINUTE).unsigned_abs() % 1_000_000_000 * 1_000 + index as u64,
        }
    }
    /// It takes records.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }
    /// A reader at this position has nothing more to come.
    pub fn ends_at(&self, position: u64) -> bool {
        self.closed.is_some() && position >= self.tip()
    }
    /// The position after the newest record.
    pub fn tip(&self) -> u64 {
        self.first + self.records.len() as u64
    }
    /// The record at a position, if it can still be read.
    pub fn get(&self, position: u64) -> Option<&Record> {
        self.records.get(usize::try_from(position.checked_sub(self.first)?).ok()?)
    }
    /// The readable records from a position on, with their positions.
    pub fn from(&self, position: u64) -> impl Iterator<Item = (u64, &Record)> {
        let start = position.max(self.first);
        let skip = usize::try_from(start - self.first).unwrap_or(usize::MAX).min(self.records.len());
        (start..).zip(self.records.range(skip..))
    }
    /// The position of the first record that arrived at or after an instant.
    pub fn at_timestamp(&self, at: Millis) -> u64 {
        self.first + self.records.partition_point(|r| r.arrival < at) as u64
    }
    /// How far behind the newest record a reader at this position is.
    pub fn millis_behind(&self, position: u64, now: Millis) -> Millis {
        self.get(position.max(self.first)).map_or(0, |next| (now - next.arrival).max(0))
    }
    /// The sequence number of a position: 56 digits, as Kinesis writes them.
    pub fn sequence_number(&self, position: u64) -> String {
        format!("496{:013}{position:040}", self.serial)
    }
    /// The position that a sequence number of this shard names.
    pub fn position_of(&self, sequence_number: &str) -> Option<u64> {
        let digits = sequence_number.strip_prefix(&format!("496{:013}", self.serial))?;
        digits.parse().ok()
    }
    /// Counts a GetRecords call; false when the shard has answered five in this second.
    pub fn may_read(&mut self, now: Millis) -> bool {
        let window = self.reads.at(now);
        window.calls += 1;
        window.calls <= READS_A_SECOND
    }
    fn may_write(&mut self, now: Millis, bytes: u32) -> bool {
        let window = self.writes.at(now);
        let fits = window.calls < RECORDS_A_SECOND && window.bytes.saturating_add(bytes) <= BYTES_A_SECOND;
        if fits {
            window.calls += 1;
            window.bytes += bytes;
        }
        fits
    }
    fn trim(&mut self, horizon: Millis) {
        while self.records.front().is_some_and(|r| r.arrival < horizon) {
            self.records.pop_front();
            self.first += 1;
        }
    }
}

/// StreamStatus and ConsumerStatus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Creating,
    Active,
    Updating,
    Deleting,
    Gone,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Creating => "CREATING",
            Status::Active => "ACTIVE",
            Status::Updating => "UPDATING",
            Status::Deleting | Status::Gone => "DELETING",
        }
    }
    /// What comes after the delay.
    pub fn next(self) -> Status {
        match self {
            Status::Creating | Status::Active | Status::Updating => Status::Active,
            Status::Deleting | Status::Gone => Status::Gone,
        }
    }
}

/// An enhanced fan-out consumer.
#[derive(Debug)]
pub(super) struct StreamConsumer {
    pub name: String,
    pub arn: String,
    pub created: Millis,
    pub status: Status,
    pub until: Option<Millis>,
    pub series: ConsumerSeries,
}

/// Metrics by stream and consumer name.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConsumerSeries {
    pub behind: SeriesId,
    pub success: SeriesId,
    pub records: SeriesId,
    pub subscribed: SeriesId,
}

/// Metrics by stream name.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamSeries {
    pub incoming_records: SeriesId,
    pub incoming_bytes: SeriesId,
    pub put_record: SeriesId,
    pub put_records: SeriesId,
    pub total: SeriesId,
    pub successful: SeriesId,
    pub failed: SeriesId,
    pub throttled: SeriesId,
    pub get_age: SeriesId,
    pub get_success: SeriesId,
    pub get_records: SeriesId,
    pub get_latency: SeriesId,
    pub write_exceeded: SeriesId,
    pub read_exceeded: SeriesId,
}

/// Why a put was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PutRefused {
    /// ProvisionedThroughputExceededException.
    Throttled,
    /// InternalFailure.
    Internal,
}

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub place: PlaceId,
    pub name: String,
    pub arn: String,
    pub status: Status,
    pub until: Option<Millis>,
    pub created: Millis,
    pub retention_hours: u32,
    pub on_demand: bool,
    pub max_record_kib: u32,
    pub shards: Vec<Shard>,
    pub consumers: Vec<StreamConsumer>,
    pub tags: BTreeMap<String, String>,
    pub series: StreamSeries,
    /// The shard-level metrics that are on, by their names.
    pub shard_metrics: BTreeSet<String>,
    pub resharding: Option<Resharding>,
    ticker_shards: Vec<usize>,
}

/// What a new stream is made of.
pub(super) struct NewStream {
    pub place: PlaceId,
    pub name: String,
    pub arn: String,
    pub created: Millis,
    pub shards: u32,
    pub on_demand: bool,
    pub max_record_kib: u32,
    pub series: StreamSeries,
}

impl Stream {
    /// A stream in CREATING, its hash keys shared out evenly.
    pub fn new(new: NewStream) -> Stream {
        let ranges = hash_ranges(new.shards).into_iter().enumerate();
        let shards = ranges.map(|(i, range)| Shard::new(i, range, Vec::new(), new.created)).collect();
        let mut stream = Stream {
            place: new.place,
            name: new.name,
            arn: new.arn,
            status: Status::Creating,
            until: None,
            created: new.created,
            retention_hours: 24,
            on_demand: new.on_demand,
            max_record_kib: new.max_record_kib,
            shards,
            consumers: Vec::new(),
            tags: BTreeMap::new(),
            series: new.series,
            shard_metrics: BTreeSet::new(),
            resharding: None,
            ticker_shards: Vec::new(),
        };
        stream.share_out_tickers();
        stream
    }

    /// Which shard takes which of the producer's symbols.
    pub fn share_out_tickers(&mut self) {
        self.ticker_shards = TICKERS.iter().map(|symbol| shard_of(&self.shards, hash_key(symbol))).collect();
    }

    /// The shards that can still be read: a closed one goes when its last record has.
    pub fn listed(&self, now: Millis) -> impl Iterator<Item = &Shard> {
        let horizon = self.horizon(now);
        self.shards.iter().filter(move |shard| shard.closed.is_none_or(|at| at >= horizon))
    }

    /// The shards that replaced one.
    pub fn children(&self, shard: usize) -> impl Iterator<Item = &Shard> {
        self.shards.iter().filter(move |child| child.parents.contains(&shard))
    }

    /// The oldest arrival that can still be read.
    pub fn horizon(&self, now: Millis) -> Millis {
        now - Millis::from(self.retention_hours) * HOUR
    }

    /// Drops what is older than the retention period.
    pub fn trim(&mut self, now: Millis) {
        let horizon = self.horizon(now);
        self.shards.iter_mut().for_each(|shard| shard.trim(horizon));
    }

    /// Reads and writes are answered.
    pub fn is_open(&self) -> bool {
        matches!(self.status, Status::Active | Status::Updating)
    }

    /// The shard that a body goes to.
    pub fn shard_for(&self, body: &Body, explicit: Option<u128>) -> usize {
        match (explicit, body) {
            (Some(hash), _) => shard_of(&self.shards, hash),
            (None, Body::Tick(tick)) => self.ticker_shards[tick.index()],
            (None, Body::Data(document)) => shard_of(&self.shards, hash_key(&document.key)),
        }
    }

    /// Appends a record unless the shard's second is full. Arrival times within a shard do not go back.
    pub fn append(
        &mut self,
        shard: usize,
        id: impl FnOnce() -> RecordId,
        at: Millis,
        body: Body,
    ) -> Result<u64, PutRefused> {
        let shard = &mut self.shards[shard];
        if !shard.may_write(at, body.size()) {
            return Err(PutRefused::Throttled);
        }
        let arrival = shard.records.back().map_or(at, |last| at.max(last.arrival));
        let position = shard.tip();
        shard.records.push_back(Record { id: id(), arrival, body });
        Ok(position)
    }

    /// Forgets everything, as a deleted stream does.
    pub fn empty(&mut self) {
        for shard in &mut self.shards {
            shard.first = shard.tip();
            shard.records.clear();
        }
    }

    pub fn shard_index(&self, id: &str) -> Option<usize> {
        self.shards.iter().position(|shard| shard.id == id)
    }

    /// The consumer with this ARN.
    pub fn consumer_by_arn(&self, arn: &str) -> Option<usize> {
        self.consumers.iter().position(|c| c.arn == arn && c.status != Status::Gone)
    }
}

/// The hash keys, shared out evenly.
pub(super) fn hash_ranges(count: u32) -> Vec<(u128, u128)> {
    let start = |index: u32| match index {
        0 => 0,
        _ => (u128::MAX / u128::from(count) + 1) * u128::from(index),
    };
    let end = |index: u32| if index + 1 == count { u128::MAX } else { start(index + 1) - 1 };
    (0..count).map(|index| (start(index), end(index))).collect()
}

fn shard_of(shards: &[Shard], hash: u128) -> usize {
    let takes = |s: &Shard| s.is_open() && (s.hash_range.0..=s.hash_range.1).contains(&hash);
    shards.iter().position(takes).unwrap_or(0)
}

/// The hash key of a partition key: its MD5, as a 128-bit number.
pub(super) fn hash_key(partition_key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(partition_key.as_bytes()).into())
}
