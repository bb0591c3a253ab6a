//! What happens by itself as time passes: transitions end, retention trims.

use super::World;
use super::clock::Millis;
use super::mappings::{Mapping, Polling, State};
use super::streams::Status;
use super::tables::Table;

impl World {
    /// Ends every transition whose time has come. Nothing changes in a silent Region.
    pub(super) fn settle(&mut self) {
        if self.now < self.next_settling {
            return;
        }
        self.settle_streams();
        self.settle_functions();
        self.settle_tables();
        for index in 0..self.mappings.len() {
            self.settle_mapping(index);
        }
        self.next_settling = self.next_due();
    }

    fn next_due(&self) -> Millis {
        let streams = self.streams.iter().flat_map(|s| {
            s.until.into_iter().chain(s.consumers.iter().filter_map(|consumer| consumer.until))
        });
        let functions = self.functions.iter().filter_map(|f| f.until);
        let tables = self.tables.iter().filter_map(|t| t.until);
        let mappings = self.mappings.iter().filter(|m| !m.gone).flat_map(|m| {
            let polling = match m.polling {
                Polling::StartsAt(at) | Polling::StopsAt(at) => Some(at),
                Polling::On | Polling::Off => None,
            };
            polling.into_iter().chain(m.transition.map(|t| t.0))
        });
        streams.chain(functions).chain(tables).chain(mappings).min().unwrap_or(Millis::MAX)
    }

    fn settle_streams(&mut self) {
        let now = self.now;
        for stream in &mut self.streams {
            let place = &mut self.places[stream.place.0];
            if place.is_silent() {
                continue;
            }
            for consumer in &mut stream.consumers {
                if consumer.until.is_some_and(|at| at <= now) {
                    consumer.until = None;
                    consumer.status = consumer.status.next();
                }
            }
            if stream.until.is_some_and(|at| at <= now) {
                stream.until = None;
                stream.status = stream.status.next();
                stream.finish_resharding(now);
                if stream.status == Status::Gone {
                    stream.empty();
                    place.streams.remove(&stream.name);
                }
            }
        }
    }

    fn settle_functions(&mut self) {
        for index in 0..self.functions.len() {
            let function = &self.functions[index];
            let due = function.until.is_some_and(|at| at <= self.now);
            if due && !self.places[function.place.0].is_silent() {
                let revision = self.uuid();
                self.functions[index].settle(revision);
            }
        }
    }

    fn settle_tables(&mut self) {
        let now = self.now;
        for table in self.tables.iter_mut().filter(|t| t.until.is_some_and(|at| at <= now)) {
            let place = &mut self.places[table.place.0];
            if place.is_silent() {
                continue;
            }
            table.until = None;
            table.status = table.status.next();
            if table.status == Status::Gone {
                place.tables.remove(&table.name);
                table.items.clear();
            }
        }
    }

    fn settle_mapping(&mut self, index: usize) {
        let now = self.now;
        let mapping = &mut self.mappings[index];
        if mapping.gone || self.places[mapping.place.0].is_silent() {
            return;
        }
        mapping.settle_polling(now);
        let Some((at, target)) = mapping.transition.filter(|(at, _)| *at <= now) else { return };
        mapping.transition = None;
        let Some(state) = target else { return gone(mapping) };
        mapping.state = state;
        mapping.modified = at;
        match (state, mapping.polling) {
            (State::Enabled, Polling::Off) => {
                let starts = at + self.delays.polling_starts.draw(&mut self.rng);
                self.mappings[index].polling = Polling::StartsAt(starts);
            }
            (State::Enabled, Polling::StopsAt(_)) => mapping.polling = Polling::On,
            (State::Disabled, Polling::On) => {
                let stops = at + self.delays.polling_stops.draw(&mut self.rng);
                self.mappings[index].polling = Polling::StopsAt(stops);
            }
            (State::Disabled, Polling::StartsAt(_)) => mapping.polling = Polling::Off,
            _ => {}
        }
        self.mappings[index].settle_polling(now);
    }

    /// Once a minute: retention.
    pub(super) fn keep_house(&mut self) {
        let now = self.now;
        self.streams.iter_mut().for_each(|stream| stream.trim(now));
    }
}

fn gone(mapping: &mut Mapping) {
    mapping.gone = true;
    mapping.polling = Polling::Off;
    mapping.cursors.iter_mut().for_each(|c| c.checkpoint = c.flight.as_ref().map(|f| f.from));
}

impl Table {
    /// The table answers.
    pub(super) fn is_open(&self) -> bool {
        self.status == Status::Active
    }
}
