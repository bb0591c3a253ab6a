//! The producers: clients invoke a function at a rate, each invocation puts one record where the function's
//! environment says. What is not accepted is tried again for five minutes, as the post has it.

use super::TICK;
use super::World;
use super::clock::{MINUTE, Millis, SECOND};
use super::functions::{Behaviour, Configuration, FunctionId};
use super::ledger::RecordId;
use super::metrics::Statistics;
use super::streams::{Body, PutRefused, StreamId};
use super::tickers::Ticker;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a record is tried ("data can be retried up to 5 minutes", the post).
const GIVE_UP_AFTER: Millis = 5 * MINUTE;

/// Clients that invoke one function.
#[derive(Debug)]
pub(super) struct Traffic {
    pub function: FunctionId,
    /// The alias or version they invoke.
    pub qualifier: Option<String>,
    /// Invocations a second.
    pub rate: f64,
    /// The share of invocations that dawdle before they put: up to their time-out.
    pub slow_share: f64,
    /// How long the next invocation dawdles, where somebody has said so.
    pub dawdles: Option<Millis>,
    carry: f64,
    route: Option<(Arc<Configuration>, StreamId)>,
    waiting: BTreeMap<(Millis, u64), Waiting>,
    serial: u64,
}

/// A record in somebody's hands.
#[derive(Debug)]
struct Waiting {
    body: Ticker,
    first: Millis,
    tries: u32,
    /// The invocation that has it: when it began, and the environment it keeps until it ends.
    invocation: Option<(Millis, Arc<Configuration>)>,
}

/// What one try came to.
enum Tried {
    Accepted,
    Refused,
}

/// What the invocations of a tick did, for the metrics.
#[derive(Default)]
struct Tally {
    accepted: Option<(StreamId, u32)>,
    ended: u32,
}

impl Traffic {
    pub fn new(function: FunctionId, qualifier: Option<String>, rate: f64, slow_share: f64) -> Traffic {
        Traffic {
            function,
            qualifier,
            rate,
            slow_share,
            dawdles: None,
            carry: 0.0,
            route: None,
            waiting: BTreeMap::new(),
            serial: 0,
        }
    }

    fn wait(&mut self, until: Millis, waiting: Waiting) {
        self.serial += 1;
        self.waiting.insert((until, self.serial), waiting);
    }
}

impl World {
    /// One tick of all producers.
    pub(super) fn produce(&mut self) {
        for index in 0..self.traffic.len() {
            let mut traffic =
                std::mem::replace(&mut self.traffic[index], Traffic::new(FunctionId(0), None, 0.0, 0.0));
            self.produce_one(&mut traffic);
            self.traffic[index] = traffic;
        }
    }

    fn produce_one(&mut self, traffic: &mut Traffic) {
        let mut tally = Tally::default();
        while let Some(entry) = traffic.waiting.first_entry().filter(|e| e.key().0 <= self.ticked) {
            let at = entry.key().0.max(self.ticked - TICK);
            let waiting = entry.remove();
            self.try_to_put(traffic, waiting, at, &mut tally);
        }
        traffic.carry += traffic.rate * TICK as f64 / SECOND as f64;
        let count = traffic.carry as i64;
        traffic.carry -= count as f64;
        for number in 0..count {
            let at = self.ticked - TICK + 1 + (number * TICK + self.rng.i64(0..TICK)) / count.max(1);
            let body = Ticker::draw(&mut self.rng);
            let fresh = Waiting { body, first: at, tries: 0, invocation: None };
            self.try_to_put(traffic, fresh, at.min(self.ticked), &mut tally);
        }
        self.note_puts(traffic.function, &tally);
    }

    fn try_to_put(&mut self, traffic: &mut Traffic, mut waiting: Waiting, at: Millis, tally: &mut Tally) {
        let function = &self.functions[traffic.function.0];
        if self.places[function.place.0].is_silent() {
            waiting.invocation = None; // whatever had it is gone with the Region
            return self.try_later(traffic, waiting, at);
        }
        if waiting.invocation.is_none() {
            let configuration = match function.resolve(traffic.qualifier.as_deref()) {
                Some(configuration) if !function.is_barred() => configuration,
                _ => {
                    let throttles = function.series.throttles;
                    self.metrics.record(throttles, at, at, 1.0);
                    return self.try_later(traffic, waiting, at);
                }
            };
            if function.fails_with(&configuration) {
                self.note_failed_invocation(traffic.function, at, 40);
                return self.try_later(traffic, waiting, at);
            }
            let most = Millis::from(configuration.timeout_seconds) * SECOND;
            waiting.invocation = Some((at, configuration));
            if let Some(dawdles) = traffic.dawdles.take() {
                return traffic.wait(at + dawdles, waiting);
            }
            if waiting.tries == 0 && self.rng.f64() < traffic.slow_share {
                let dawdles = self.rng.i64(SECOND..=most.max(SECOND));
                return traffic.wait(at + dawdles, waiting);
            }
        }
        match self.put_tick(traffic, &waiting, at, tally) {
            Tried::Accepted => match waiting.invocation {
                Some((started, _)) if at - started > TICK => {
                    self.note_invocation(traffic.function, started, at, at - started);
                }
                _ => tally.ended += 1,
            },
            Tried::Refused => self.refused(traffic, waiting, at),
        }
    }

    /// The invocation goes on trying until its time-out; then the client invokes anew, with the environment of then.
    fn refused(&mut self, traffic: &mut Traffic, mut waiting: Waiting, at: Millis) {
        if let Some((started, configuration)) = &waiting.invocation {
            let most = Millis::from(configuration.timeout_seconds) * SECOND;
            if at - started >= most {
                self.note_failed_invocation(traffic.function, *started, most);
                waiting.invocation = None;
            }
        }
        self.try_later(traffic, waiting, at);
    }

    fn try_later(&mut self, traffic: &mut Traffic, mut waiting: Waiting, at: Millis) {
        if at - waiting.first >= GIVE_UP_AFTER {
            self.books.given_up += 1;
            return;
        }
        let back_off = (SECOND << waiting.tries.min(6)).min(MINUTE) + self.rng.i64(0..500);
        waiting.tries += 1;
        let mut next = at + back_off;
        if let Some((started, configuration)) = &waiting.invocation {
            next = next.min(started + Millis::from(configuration.timeout_seconds) * SECOND).max(at + TICK);
        }
        traffic.wait(next, waiting);
    }

    fn put_tick(&mut self, traffic: &mut Traffic, waiting: &Waiting, at: Millis, tally: &mut Tally) -> Tried {
        let Some((_, configuration)) = &waiting.invocation else { return Tried::Refused };
        let place = self.functions[traffic.function.0].place;
        let Some(stream) = self.route(traffic, configuration, place) else { return Tried::Refused };
        if self.places[self.streams[stream.0].place.0].is_silent() {
            return Tried::Refused;
        }
        match self.put(stream, Body::Tick(waiting.body), None, None, at) {
            Ok(_) => {
                match &mut tally.accepted {
                    Some((known, count)) if *known == stream => *count += 1,
                    _ => {
                        self.note_accepted(tally.accepted.take());
                        tally.accepted = Some((stream, 1));
                    }
                }
                Tried::Accepted
            }
            Err(why) => {
                self.note_put_record_failed(stream, why, at);
                Tried::Refused
            }
        }
    }

    /// The open stream that a configuration names; looked up anew only when the configuration is another one.
    fn route(
        &self,
        traffic: &mut Traffic,
        configuration: &Arc<Configuration>,
        place: super::place::PlaceId,
    ) -> Option<StreamId> {
        if let Some((known, stream)) = &traffic.route
            && Arc::ptr_eq(known, configuration)
            && self.streams[stream.0].is_open()
        {
            return Some(*stream);
        }
        let stream = self.destination(configuration, place)?;
        traffic.route = Some((Arc::clone(configuration), stream));
        Some(stream)
    }

    fn destination(&self, configuration: &Configuration, place: super::place::PlaceId) -> Option<StreamId> {
        let (region, name) = configuration.destination()?;
        let place = self.known_place(&self.places[place.0].account, &region)?;
        let stream = *self.places[place.0].streams.get(name)?;
        self.streams[stream.0].is_open().then_some(stream)
    }

    /// Puts a record: a new one, or a copy of one that is known. Says shard and position.
    pub(super) fn put(
        &mut self,
        stream: StreamId,
        body: Body,
        explicit_hash: Option<u128>,
        copy_of: Option<RecordId>,
        at: Millis,
    ) -> Result<(usize, u64), PutRefused> {
        let target = &mut self.streams[stream.0];
        let share = self.places[target.place.0].failure_share();
        if share > 0.0 && self.rng.f64() < share {
            return Err(PutRefused::Internal);
        }
        let shard = target.shard_for(&body, explicit_hash);
        let poison = self.poison_share > 0.0 && copy_of.is_none() && self.rng.f64() < self.poison_share;
        let (books, place) = (&mut self.books, target.place);
        let id = || copy_of.unwrap_or_else(|| books.accept(place, at, poison));
        Ok((shard, target.append(shard, id, at, body)?))
    }

    /// One invocation of a producer by an API client. `None`: it ended with an error.
    pub(super) fn invoke_producer(
        &mut self,
        function: FunctionId,
        configuration: &Configuration,
    ) -> Option<String> {
        let now = self.now;
        let here = &self.functions[function.0];
        debug_assert_eq!(here.behaviour, Behaviour::Producer);
        if here.fails_with(configuration) {
            return None;
        }
        let stream = self.destination(configuration, here.place)?;
        let body = Ticker::draw(&mut self.rng);
        match self.put(stream, Body::Tick(body), None, None, now) {
            Ok((shard, position)) => {
                self.note_accepted(Some((stream, 1)));
                Some(self.streams[stream.0].shards[shard].sequence_number(position))
            }
            Err(why) => {
                self.note_put_record_failed(stream, why, now);
                None
            }
        }
    }

    fn note_puts(&mut self, function: FunctionId, tally: &Tally) {
        self.note_accepted(tally.accepted);
        if tally.ended == 0 {
            return;
        }
        let (at, series) = (self.ticked - 1, self.functions[function.0].series);
        let duration = self.rng.i64(15..60) as f64;
        self.metrics.record_all(series.invocations, at, at, Statistics::times(1.0, tally.ended));
        self.metrics.record_all(series.errors, at, at, Statistics::times(0.0, tally.ended));
        self.metrics.record_all(series.duration, at, at, Statistics::times(duration, tally.ended));
        self.metrics.record(series.concurrent, at, at, 1.0);
    }

    fn note_accepted(&mut self, accepted: Option<(StreamId, u32)>) {
        let Some((stream, count)) = accepted else { return };
        let (at, series) = (self.now.min(self.ticked + TICK) - 1, self.streams[stream.0].series);
        let body = Statistics::times(64.0, count);
        self.metrics.record_all(series.put_record, at, at, Statistics::times(1.0, count));
        self.metrics.record_all(series.incoming_records, at, at, Statistics::times(1.0, count));
        self.metrics.record_all(series.incoming_bytes, at, at, body);
    }

    pub(super) fn note_put_record_failed(&mut self, stream: StreamId, why: PutRefused, at: Millis) {
        let series = self.streams[stream.0].series;
        self.metrics.record(series.put_record, at, at, 0.0);
        if why == PutRefused::Throttled {
            self.metrics.record(series.write_exceeded, at, at, 1.0);
        }
    }

    pub(super) fn note_invocation(
        &mut self,
        function: FunctionId,
        started: Millis,
        now: Millis,
        took: Millis,
    ) {
        let series = self.functions[function.0].series;
        self.metrics.record(series.invocations, started, now, 1.0);
        self.metrics.record(series.errors, started, now, 0.0);
        self.metrics.record(series.duration, started, now, took as f64);
    }

    pub(super) fn note_failed_invocation(&mut self, function: FunctionId, started: Millis, took: Millis) {
        let (series, now) = (self.functions[function.0].series, started + took);
        self.metrics.record(series.invocations, started, now, 1.0);
        self.metrics.record(series.errors, started, now, 1.0);
        self.metrics.record(series.duration, started, now, took as f64);
    }
}
