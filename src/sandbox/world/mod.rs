//! The living world of the sandbox: streams, functions, mappings, tables and metrics of any account in any Region,
//! moved on by its own clock.
//!
//! Deterministic: the same seed, the same calls at the same instants, the same world. No task, no I/O: the state is
//! advanced when somebody asks, in ticks of 200 ms. What AWS's documents leave open (how long a mapping takes until
//! it really polls, when a metric can be read) is drawn from [`Delays`].
//!
//! | subject | file |
//! |---|---|
//! | one file a service's API | `api/` |
//! | records and shards | `streams`, payload in `tickers` |
//! | who moves records | `producers`, `pollers`, `invocations`, `replication` |
//! | what is there | `functions`, `mappings`, `tables`, `place`; made by `create` |
//! | what is seen and counted | `metrics`, `ledger` |
//! | the post's topology | `story` |

mod api;
mod clock;
mod create;
mod delays;
mod filters;
mod functions;
mod housekeeping;
mod invocations;
mod ledger;
mod mappings;
mod metrics;
mod outage;
mod place;
mod pollers;
mod producers;
mod replication;
mod reshard;
mod series;
mod staging;
mod story;
mod streams;
mod tables;
mod tickers;

#[cfg(test)]
mod tests;

pub use api::{Pushed, is_mutating};
pub use delays::{Delays, Span};
pub use ledger::{Ledger, LostBecause, LostRecord};
pub use metrics::MetricTrouble;
pub use outage::{FunctionFault, Outage};
pub use story::{Copying, Story};

use super::call::{ApiCall, ApiResult};
use crate::model::{AccountId, FunctionName, Region, Timestamp};
use clock::{MINUTE, Millis, span, timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// The step of the simulation.
const TICK: Millis = 200;

/// Everything there is.
#[derive(Debug)]
pub struct World {
    now: Millis,
    ticked: Millis,
    next_settling: Millis,
    rng: fastrand::Rng,
    delays: Delays,
    outages: BTreeMap<Region, Outage>,
    places: Vec<place::Place>,
    streams: Vec<streams::Stream>,
    functions: Vec<functions::Function>,
    mappings: Vec<mappings::Mapping>,
    subscriptions: Vec<api::Subscription>,
    tables: Vec<tables::Table>,
    traffic: Vec<producers::Traffic>,
    replication: replication::Queue,
    /// The share of new records that no consumer can work off.
    poison_share: f64,
    metrics: metrics::Metrics,
    books: ledger::Books,
}

impl World {
    /// A world with nothing in it: any account, any Region.
    pub fn empty(seed: u64, start: Timestamp) -> World {
        World::with_delays(seed, start, Delays::default())
    }

    /// An empty world that takes its time as it is told.
    pub fn with_delays(seed: u64, start: Timestamp, delays: Delays) -> World {
        let start = start.as_millisecond();
        World {
            now: start,
            ticked: start - start.rem_euclid(TICK),
            next_settling: Millis::MAX,
            rng: fastrand::Rng::with_seed(seed),
            delays,
            outages: BTreeMap::new(),
            places: Vec::new(),
            streams: Vec::new(),
            functions: Vec::new(),
            mappings: Vec::new(),
            subscriptions: Vec::new(),
            tables: Vec::new(),
            traffic: Vec::new(),
            replication: replication::Queue::default(),
            poison_share: 0.0,
            metrics: metrics::Metrics::new(span(delays.metric)),
            books: ledger::Books::default(),
        }
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        timestamp(self.now)
    }

    /// Lets everything happen up to an instant. An instant in the past changes nothing.
    pub fn advance_to(&mut self, now: Timestamp) {
        let until = now.as_millisecond();
        while self.ticked + TICK <= until {
            self.ticked += TICK;
            self.now = self.now.max(self.ticked);
            self.tick();
        }
        self.now = self.now.max(until);
    }

    fn tick(&mut self) {
        self.settle();
        self.produce();
        self.run_mappings();
        self.replicate_tables();
        if self.ticked.rem_euclid(MINUTE) == 0 {
            self.keep_house();
        }
    }

    /// One API call, now.
    pub fn call(&mut self, call: &ApiCall) -> ApiResult {
        self.settle();
        self.answer(call)
    }

    /// What an API would answer if its Region were well: for whoever checks the world, not for its clients.
    pub fn inspect(&mut self, call: &ApiCall) -> ApiResult {
        let outages = std::mem::take(&mut self.outages);
        let answer = self.call(call);
        self.outages = outages;
        answer
    }

    /// An outage begins in a Region, in place of the one that is there.
    pub fn strike(&mut self, region: &Region, outage: Outage) {
        self.outages.insert(region.clone(), outage);
        self.places.iter_mut().filter(|p| p.region == *region).for_each(|p| p.outage = Some(outage));
        if outage == Outage::Silent {
            self.break_off_invocations(region);
        }
    }

    /// A Region's outage ends.
    pub fn heal(&mut self, region: &Region) {
        self.outages.remove(region);
        self.places.iter_mut().filter(|p| p.region == *region).for_each(|p| p.outage = None);
    }

    /// The outage of a Region.
    pub fn outage(&self, region: &Region) -> Option<Outage> {
        self.outages.get(region).copied()
    }

    /// Nobody invokes the producers any more; what they have in hand is still tried.
    pub fn stop_traffic(&mut self) {
        self.set_rate(0.0);
    }

    /// Every producer of the story is invoked so many times a second from now on.
    pub fn set_rate(&mut self, records_per_second: f64) {
        self.traffic.iter_mut().for_each(|t| t.rate = records_per_second.max(0.0));
    }

    /// Mappings that are enabled from now on begin to poll so long after.
    pub fn delay_polling(&mut self, by: Duration) {
        self.delays.polling_starts = Span { least: by, most: by };
    }

    /// Every producer is invoked this many times as often from now on.
    pub fn scale_rate(&mut self, factor: f64) {
        self.traffic.iter_mut().for_each(|t| t.rate = (t.rate * factor).max(0.0));
    }

    /// From now on this share of the new records is poison: every batch with one of them fails.
    pub fn set_poison(&mut self, share: f64) {
        self.poison_share = share.clamp(0.0, 1.0);
    }

    /// The consumers' code is mended: there is no poison any more.
    pub fn cure_poison(&mut self) {
        self.poison_share = 0.0;
        self.books.cure();
    }

    /// CloudWatch of a Region is late, or loses what it is sent, from now on; `None` ends it.
    pub fn set_metric_trouble(&mut self, region: &Region, trouble: Option<MetricTrouble>) {
        for (index, place) in self.places.iter().enumerate() {
            if place.region == *region {
                self.metrics.set_trouble(place::PlaceId(index), trouble);
            }
        }
    }

    /// Breaks a function's code, or mends it. Unknown functions are left alone; the answer says whether it is there.
    pub fn set_fault(
        &mut self,
        region: &Region,
        function: &FunctionName,
        fault: Option<FunctionFault>,
    ) -> bool {
        self.each_function(region, function, |f| f.fault = fault)
    }

    /// Reserves nothing for a function, so that it is throttled; or ends that.
    pub fn throttle(&mut self, region: &Region, function: &FunctionName, on: bool) -> bool {
        self.each_function(region, function, |f| f.reserved_concurrency = on.then_some(0))
    }

    /// How long a function's code takes for a record from now on. The answer says whether the function is there.
    pub fn set_pace(&mut self, region: &Region, function: &FunctionName, per_record: Duration) -> bool {
        let milliseconds = per_record.as_secs_f64() * 1_000.0;
        self.each_function(region, function, |f| f.per_record_ms = milliseconds)
    }

    /// Makes a function's environment unreadable (its KMS key cannot be used), or readable again.
    pub fn set_unreadable(&mut self, region: &Region, function: &FunctionName, unreadable: bool) -> bool {
        let error = ("AccessDeniedException".to_owned(), UNREADABLE.to_owned());
        self.each_function(region, function, |f| f.unreadable = unreadable.then(|| error.clone()))
    }

    /// Lambda has put an idle function to rest.
    pub fn put_to_rest(&mut self, region: &Region, function: &FunctionName) -> bool {
        self.each_function(region, function, |f| f.state = functions::FunctionState::Inactive)
    }

    /// The next updates of a function's configuration end as Failed; so many.
    pub fn fail_updates(&mut self, region: &Region, function: &FunctionName, count: u32) -> bool {
        self.each_function(region, function, |f| {
            f.updates = match f.updates {
                functions::Updates::Failed(_) => functions::Updates::Failed(count),
                _ => functions::Updates::Fail(count),
            }
        })
    }

    /// Somebody has uploaded other code, and published nothing.
    pub fn upload_code(&mut self, region: &Region, function: &FunctionName, sha256: &str) -> bool {
        self.each_function(region, function, |f| {
            let code = functions::Configuration { code_sha256: sha256.to_owned(), ..(*f.latest).clone() };
            f.latest = std::sync::Arc::new(code);
            f.effective = std::sync::Arc::clone(&f.latest);
        })
    }

    /// The next invocation of a producer by its clients writes nothing until so long after its beginning.
    pub fn dawdle_once(&mut self, region: &Region, function: &FunctionName, length: Duration) -> bool {
        let mut found = false;
        let place = |id: functions::FunctionId| self.functions[id.0].place;
        for traffic in &mut self.traffic {
            let is_it = self.functions[traffic.function.0].name == function.as_str()
                && self.places[place(traffic.function).0].region == *region;
            if is_it {
                traffic.dawdles = Some(clock::span(length));
                found = true;
            }
        }
        found
    }

    fn each_function(
        &mut self,
        region: &Region,
        name: &FunctionName,
        mut change: impl FnMut(&mut functions::Function),
    ) -> bool {
        let mut found = false;
        for place in self.places.iter().filter(|p| p.region == *region) {
            if let Some(id) = place.functions.get(name.as_str()) {
                change(&mut self.functions[id.0]);
                found = true;
            }
        }
        found
    }

    fn place(&mut self, account: &AccountId, region: &Region) -> place::PlaceId {
        let known = self.places.iter().position(|p| p.region == *region && p.account == *account);
        place::PlaceId(known.unwrap_or_else(|| {
            let mut place = place::Place::new(account.clone(), region.clone());
            place.outage = self.outages.get(region).copied();
            self.places.push(place);
            self.places.len() - 1
        }))
    }

    /// The place of an account in a Region, if anything ever happened there.
    fn known_place(&self, account: &AccountId, region: &Region) -> Option<place::PlaceId> {
        self.places.iter().position(|p| p.region == *region && p.account == *account).map(place::PlaceId)
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.rng.u64(..), self.rng.u64(..));
        let bits = (u128::from(high) << 64 | u128::from(low)) & !(0xf000 << 64) | (0x4000 << 64);
        let hex = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// Something is due at that instant.
    fn due(&mut self, at: Millis) -> Millis {
        self.next_settling = self.next_settling.min(at);
        at
    }
}

pub(super) const UNREADABLE: &str = "Lambda was unable to decrypt your environment variables because the KMS access was denied. \
                          Please check your KMS permissions.";
