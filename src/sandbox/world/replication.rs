//! Global tables: each write reaches the other Region about a second later; the last writer wins.

use super::World;
use super::clock::{Millis, span};
use super::tables::{Item, TableId};
use std::collections::VecDeque;

/// Writes under way, in the order they are due, and those that wait for a silent Region.
#[derive(Debug, Default)]
pub(super) struct Queue {
    under_way: VecDeque<Write>,
    held: VecDeque<Write>,
}

#[derive(Debug)]
struct Write {
    due: Millis,
    to: TableId,
    key: Key,
    item: Item,
}

/// The key of a write; tickers need no copy.
#[derive(Debug, Clone)]
pub(super) enum Key {
    Symbol(&'static str),
    Text(String),
}

impl Key {
    fn as_str(&self) -> &str {
        match self {
            Key::Symbol(symbol) => symbol,
            Key::Text(text) => text,
        }
    }
}

impl World {
    /// Writes into a table, and into its replica later.
    pub(super) fn write_item(&mut self, table: TableId, key: Key, item: Item) {
        if let Some(to) = self.tables[table.0].replica {
            let due = item.written + span(self.delays.table_replication);
            let write = Write { due, to, key: key.clone(), item: item.clone() };
            self.replication.under_way.push_back(write);
        }
        if self.tables[table.0].write(key.as_str(), item) {
            self.books.stale_overwrites += 1;
        }
    }

    /// Delivers what is due. Writes into or out of a silent Region wait for it.
    pub(super) fn replicate_tables(&mut self) {
        let is_silent = self.places.iter().any(|place| place.is_silent());
        if !is_silent && !self.replication.held.is_empty() {
            while let Some(write) = self.replication.held.pop_front() {
                self.deliver(write);
            }
        }
        while self.replication.under_way.front().is_some_and(|w| w.due <= self.ticked) {
            let Some(write) = self.replication.under_way.pop_front() else { break };
            match is_silent && self.is_cut_off(&write) {
                true => self.replication.held.push_back(write),
                false => self.deliver(write),
            }
        }
    }

    fn is_cut_off(&self, write: &Write) -> bool {
        let to = &self.tables[write.to.0];
        let from = to.replica.map_or(to.place, |replica| self.tables[replica.0].place);
        [to.place, from].iter().any(|place| self.places[place.0].is_silent())
    }

    fn deliver(&mut self, write: Write) {
        self.tables[write.to.0].write(write.key.as_str(), write.item);
    }
}
