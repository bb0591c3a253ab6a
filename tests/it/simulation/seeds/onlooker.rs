//! Somebody who looks at the world while a command runs, whenever one of its stages has ended.

use super::draw::Scenario;
use kdsha::model::{AccountId, Side};
use kdsha::sandbox::Sandbox;
use kdsha::sandbox::call::{ApiCall, Service};
use kdsha::ui::Buffer;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};

/// The mappings of both Regions.
#[derive(Debug, Clone, Default)]
pub struct Mappings {
    pub primary: Vec<Value>,
    pub standby: Vec<Value>,
}

impl Mappings {
    pub fn of(&self, side: Side) -> &[Value] {
        match side {
            Side::Primary => &self.primary,
            Side::Standby => &self.standby,
        }
    }
}

/// What the world looks like when a stage has ended: just before the next one, or the run's account, is shown.
#[derive(Debug, Clone)]
pub struct Between {
    pub next: String,
    pub mappings: Mappings,
}

/// A terminal that looks at the world whenever a stage begins: then the one before has ended, and nothing more was sent.
pub struct Onlooker {
    pub screen: Buffer,
    pub world: Glimpse,
    pub seen: Arc<Mutex<Vec<Between>>>,
}

/// Whether a line is the head of a stage, `[3/9] Drain ...`.
fn is_head(line: &str) -> bool {
    let number = line.strip_prefix('[').and_then(|rest| rest.split_once('/')).map(|(number, _)| number);
    number.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

impl Write for Onlooker {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        if let Some(head) = text.lines().find(|line| is_head(line)) {
            let seen = Between { next: head.to_owned(), mappings: self.world.mappings() };
            self.seen.lock().expect("nobody panics with it").push(seen);
        }
        self.screen.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.screen.flush()
    }
}

/// Looks at the world from outside, whatever befalls its APIs.
#[derive(Clone)]
pub struct Glimpse {
    pub sandbox: Sandbox,
    pub account: AccountId,
}

impl Glimpse {
    pub fn inspect(&self, service: Service, side: Side, operation: &str, input: Value) -> Value {
        let region = Scenario::region(side);
        let (account, operation) = (self.account.clone(), operation.to_owned());
        let call = ApiCall { service, region, account, operation, input };
        let reply = self.sandbox.with_world(|world| world.inspect(&call));
        reply.map_or(Value::Null, |reply| reply.output)
    }

    pub fn mappings(&self) -> Mappings {
        let of = |side| {
            let output = self.inspect(Service::Lambda, side, "ListEventSourceMappings", json!({}));
            output["EventSourceMappings"].as_array().cloned().unwrap_or_default()
        };
        Mappings { primary: of(Side::Primary), standby: of(Side::Standby) }
    }
}
