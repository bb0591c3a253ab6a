//! DynamoDB tables, as far as the post's sink and its proof need them.

use super::clock::Millis;
use super::ledger::RecordId;
use super::place::PlaceId;
use super::streams::Status;
use super::tickers::Ticker;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A table in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TableId(pub usize);

/// What an item holds.
#[derive(Debug, Clone)]
pub(super) enum Attributes {
    /// The consumer's result: ticker, price, and the Region under the table's attribute for it.
    Tick { ticker: Ticker, written_in: PlaceId },
    /// What an API client put.
    Document(Map<String, Value>),
}

/// An item; the last writer wins.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub written: Millis,
    /// The record it came from.
    pub record: Option<RecordId>,
    pub attributes: Attributes,
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub place: PlaceId,
    pub name: String,
    pub arn: String,
    pub id: String,
    pub status: Status,
    pub until: Option<Millis>,
    pub created: Millis,
    /// KeySchema and AttributeDefinitions as they were given.
    pub key_schema: Value,
    pub attribute_definitions: Value,
    pub keys: Vec<String>,
    pub items: BTreeMap<String, Item>,
    /// Where the consumer writes its Region.
    pub region_attribute: String,
    /// The replica of this global table in the other Region.
    pub replica: Option<TableId>,
}

impl Table {
    /// Writes an item unless a later write is there. Says whether it replaced the result of a later record.
    pub fn write(&mut self, key: &str, item: Item) -> bool {
        let Some(known) = self.items.get_mut(key) else {
            self.items.insert(key.to_owned(), item);
            return false;
        };
        if known.written > item.written {
            return false;
        }
        let stale = matches!((known.record, item.record), (Some(there), Some(new)) if there > new);
        *known = item;
        stale
    }

    /// The text under which an item is kept: its key attributes' values, in the order of the schema.
    pub fn key_of(&self, attributes: &Map<String, Value>) -> Option<String> {
        let mut parts = Vec::new();
        for name in &self.keys {
            let typed = attributes.get(name)?.as_object()?;
            let (kind, value) = typed.iter().next()?;
            parts.push(match (kind.as_str(), self.keys.len()) {
                ("S", 1) => value.as_str()?.to_owned(),
                _ => format!("{kind}:{value}"),
            });
        }
        Some(parts.join("\u{0}"))
    }
}

impl Item {
    /// The attributes as the API writes them.
    pub fn to_json(
        &self,
        region_attribute: &str,
        region_of: impl Fn(PlaceId) -> String,
    ) -> Map<String, Value> {
        match &self.attributes {
            Attributes::Document(attributes) => attributes.clone(),
            Attributes::Tick { ticker, written_in } => [
                ("ticker", json!({ "S": ticker.symbol() })),
                ("price", json!({ "S": ticker.price() })),
                (region_attribute, json!({ "S": region_of(*written_in) })),
            ]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        }
    }
}
