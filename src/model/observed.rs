//! What was seen, or why it was not: the third state beside zero and non-zero.

use super::failure::{AwsFailure, FailureKind};
use serde::Serialize;

/// A part of a snapshot. `Unknown` is never read as absent, empty or zero.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Observed<T> {
    /// AWS answered with this.
    Known(T),
    /// AWS did not answer, or was not asked.
    Unknown(Reason),
}

/// Why a part of a snapshot is unknown, fit for an operator to read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reason {
    /// The kind of failure.
    pub kind: FailureKind,
    /// One line: operation, resource, Region and what came back. Never a raw body.
    pub text: String,
}

impl Reason {
    /// The part was outside what this look asked for.
    pub fn not_asked() -> Reason {
        Reason { kind: FailureKind::NotAsked, text: "not asked in this look".to_owned() }
    }
    /// Any other reason in words.
    pub fn new(kind: FailureKind, text: impl Into<String>) -> Reason {
        Reason { kind, text: text.into() }
    }
}

impl From<&AwsFailure> for Reason {
    fn from(failure: &AwsFailure) -> Reason {
        Reason { kind: failure.kind, text: failure.to_string() }
    }
}

impl<T> Observed<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Observed::Known(value) => Some(value),
            Observed::Unknown(_) => None,
        }
    }
    /// Why it is not known.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Observed::Known(_) => None,
            Observed::Unknown(reason) => Some(reason),
        }
    }
    /// The same with the value changed.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Observed::Known(value) => Observed::Known(f(value)),
            Observed::Unknown(reason) => Observed::Unknown(reason),
        }
    }
    /// The same, borrowed.
    pub fn as_ref(&self) -> Observed<&T> {
        match self {
            Observed::Known(value) => Observed::Known(value),
            Observed::Unknown(reason) => Observed::Unknown(reason.clone()),
        }
    }
    /// The value or the reason, to be used with `?`.
    pub fn as_result(&self) -> Result<&T, &Reason> {
        match self {
            Observed::Known(value) => Ok(value),
            Observed::Unknown(reason) => Err(reason),
        }
    }
}

impl<T> From<Result<T, AwsFailure>> for Observed<T> {
    fn from(result: Result<T, AwsFailure>) -> Observed<T> {
        match result {
            Ok(value) => Observed::Known(value),
            Err(failure) => Observed::Unknown(Reason::from(&failure)),
        }
    }
}
