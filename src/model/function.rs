//! Lambda functions as observed, with an environment that never prints itself.

use super::Timestamp;
use super::ids::Arn;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// An environment variable's value. `Debug`, `Display` and JSON hide it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }
    /// The value itself: for sending it back to AWS, or for showing one of the configured keys.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// A function's environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Environment {
    /// Every variable.
    Readable(BTreeMap<String, Secret>),
    /// AWS gave `Environment.Error` instead (a KMS key the caller may not use). Merging into it would
    /// wipe the function's variables, so nothing may be written.
    Unreadable(String),
}

impl Environment {
    /// A variable's value, where it can be read and is there.
    pub fn get(&self, key: &str) -> Option<&str> {
        match self {
            Environment::Readable(variables) => variables.get(key).map(Secret::expose),
            Environment::Unreadable(_) => None,
        }
    }
}

/// As it is shown: the names of the variables, or why there are none.
#[cfg(test)]
impl schemars::JsonSchema for Environment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Environment".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let keys = serde_json::json!({ "type": "array", "items": { "type": "string" } });
        let unreadable = serde_json::json!({ "type": "string" });
        schemars::json_schema!({
            "description": "A function's environment: the names of its variables, never their values.",
            "type": "object",
            "oneOf": [
                { "properties": { "keys": keys }, "required": ["keys"] },
                { "properties": { "unreadable": unreadable }, "required": ["unreadable"] },
            ],
        })
    }
}

impl Serialize for Environment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        match self {
            Environment::Readable(variables) => {
                map.serialize_entry("keys", &variables.keys().collect::<Vec<_>>())?;
            }
            Environment::Unreadable(why) => map.serialize_entry("unreadable", why)?,
        }
        map.end()
    }
}

/// A function, from `GetFunction` (which has a quota of its own, 100 a second).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FunctionView {
    /// Its unqualified ARN.
    pub arn: Arn,
    /// `Active`, `Inactive`, `Pending`, `Failed`.
    pub state: String,
    /// `Successful`, `InProgress`, `Failed`.
    pub last_update_status: String,
    /// Why the last update is what it is, where AWS says so.
    pub last_update_reason: Option<String>,
    /// Changes twice per update; the compare-and-swap token.
    pub revision_id: String,
    /// Seconds an invocation may run.
    pub timeout_seconds: u32,
    /// MiB of memory, with which its share of a processor grows.
    pub memory_mib: u32,
    /// Environment variables.
    pub environment: Environment,
    /// Reserved concurrency, where one is set; zero stops the function.
    pub reserved_concurrency: Option<u32>,
    /// When the configuration or code was last changed.
    pub last_modified: Option<Timestamp>,
    /// Tags, e.g. `aws:cloudformation:stack-name`.
    pub tags: BTreeMap<String, String>,
}

impl FunctionView {
    /// The stack that owns the function: its next deploy writes the template's environment back.
    pub fn stack(&self) -> Option<&str> {
        self.tags.get("aws:cloudformation:stack-name").map(String::as_str)
    }
}

/// An alias through which a producer is invoked, from `GetAlias`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AliasView {
    /// The alias's name.
    pub name: String,
    /// The version it points at.
    pub version: String,
    /// Whether a part of the traffic goes to a second version.
    pub is_weighted: bool,
    /// The alias's own compare-and-swap token.
    pub revision_id: String,
    /// The environment that this version is locked to (`GetFunction` of the alias).
    pub environment: Environment,
    /// The first look of this run that saw it point there; `None` outside of runs.
    #[serde(skip)]
    pub seen_since: Option<Timestamp>,
}
