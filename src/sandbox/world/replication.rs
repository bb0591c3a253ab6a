//! Global tables: each write reaches the other Region about a second later; the last writer wins.

use super::World;
use super::clock::{Millis, span};
use super::tables::{Item, TableId};
use std::collections::VecDeque;

/// Writes under way, in the order they are due.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<Write>);

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
            self.replication.0.push_back(Write { due, to, key: key.clone(), item: item.clone() });
        }
        if self.tables[table.0].write(key.as_str(), item) {
            self.books.stale_overwrites += 1;
        }
    }

    /// Delivers what is due. Writes into or out of a silent Region wait for it.
    pub(super) fn replicate_tables(&mut self) {
        let mut waiting = Vec::new();
        while self.replication.0.front().is_some_and(|w| w.due <= self.ticked) {
            let Some(write) = self.replication.0.pop_front() else { break };
            let to = &self.tables[write.to.0];
            let from = to.replica.map_or(to.place, |replica| self.tables[replica.0].place);
            match [to.place, from].iter().any(|place| self.places[place.0].is_silent()) {
                true => waiting.push(write),
                false => {
                    self.tables[write.to.0].write(write.key.as_str(), write.item);
                }
            }
        }
        // Looked at again in a second, not in every tick.
        let later = self.ticked + 1_000;
        waiting.into_iter().for_each(|w| self.replication.0.push_back(Write { due: later, ..w }));
    }
}
