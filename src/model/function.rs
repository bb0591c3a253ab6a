//! Lambda functions as observed, with an environment that never prints itself.

use super::ids::Arn;
use super::{FailureKind, Observed, Reason, Timestamp};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

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

/// What a version is made of beside its variables: its code, and the configuration that a published version is locked
/// to (Lambda Developer Guide, configuration-versions).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release(BTreeMap<&'static str, String>);

impl Release {
    /// The parts by AWS's names; those that AWS does not give are left out.
    pub fn of(parts: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Release {
        Release(parts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
    }

    /// The names of the parts that differ. What only one side was given of is not known to differ.
    pub fn differences(&self, other: &Release) -> Vec<&'static str> {
        let differs = |name: &&&'static str| other.0.get(**name).is_some_and(|part| *part != self.0[**name]);
        self.0.keys().filter(differs).copied().collect()
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
    /// The first look of this run in which the last change was effective, or an earlier instant by which it must have
    /// been; `None` outside of runs, and while an update is in progress.
    #[serde(skip)]
    pub effective_since: Option<Timestamp>,
    /// Tags, e.g. `aws:cloudformation:stack-name`.
    pub tags: BTreeMap<String, String>,
    /// Why the tags are not known, where AWS gave an error in their place: it needs `lambda:ListTags`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags_error: Option<String>,
    /// What $LATEST is made of.
    #[serde(skip)]
    pub release: Release,
}

/// An update of a function in a VPC "can take a minute" (API Reference, UpdateFunctionConfiguration); one whose end
/// nobody saw is taken to be over after this time.
pub const LONGEST_UPDATE: Duration = Duration::from_secs(5 * 60);

impl FunctionView {
    /// The stack that owns the function: its next deploy writes the template's environment back.
    pub fn stack(&self) -> Observed<Option<&str>> {
        match &self.tags_error {
            Some(why) => Observed::Unknown(Reason::new(FailureKind::AccessDenied, why.clone())),
            None => Observed::Known(self.tags.get("aws:cloudformation:stack-name").map(String::as_str)),
        }
    }

    /// When the last change was in effect: from then on no invocation begins with what was before. `None` where AWS
    /// does not say when that change was.
    pub fn changed_by(&self) -> Option<Timestamp> {
        self.effective_since.or(self.last_modified.map(|at| at + LONGEST_UPDATE))
    }

    /// When the last invocation ends that began before the last change was in effect.
    pub fn in_flight_until(&self) -> Option<Timestamp> {
        Some(self.changed_by()? + self.timeout())
    }

    /// How long an invocation may run.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout_seconds))
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
    /// What this version is made of.
    #[serde(skip)]
    pub release: Release,
    /// The first look of this run that saw it point there; `None` outside of runs.
    #[serde(skip)]
    pub seen_since: Option<Timestamp>,
}

impl AliasView {
    /// The unpublished version. An alias of it has its variables at once, and needs no version and no move.
    pub const LATEST: &'static str = "$LATEST";

    /// Whether it points at what is not published.
    pub fn is_latest(&self) -> bool {
        self.version == AliasView::LATEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_differ_where_both_are_known_to() {
        let some = |text: &str| Some(text.to_owned());
        let one = Release::of([("code", some("a")), ("Timeout", some("30")), ("Role", None)]);
        let other = Release::of([("code", some("b")), ("Timeout", some("30")), ("Role", some("r"))]);
        assert_eq!(one.differences(&other), ["code"]);
        assert_eq!(other.differences(&one), ["code"]);
    }
}
