//! A failed AWS call in the words of the operator: what was asked, of what, where, and what came of it.

use super::ids::Region;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of failure it was; decides what happens next, not how it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// This look did not ask.
    NotAsked,
    /// 429 and its relatives, after the retries.
    Throttled,
    /// No such resource (404, or Lambda's 400 `Stream not found`).
    NotFound,
    /// 403: the action is missing from the caller's policy.
    AccessDenied,
    /// No credentials, or expired ones.
    Credentials,
    /// 409: another operation is under way, or the thing exists already.
    Conflict,
    /// 412: the RevisionId is no longer the latest, somebody else changed it. Also a data point that is too old.
    Stale,
    /// 400: AWS refused the request's content.
    Invalid,
    /// 5xx after the retries.
    Service,
    /// No answer within kdsha's own limit.
    TimedOut,
    /// No connection: DNS, refused, reset, TLS.
    Unreachable,
    /// An answer that kdsha could not read or that contradicts itself.
    Unreadable,
    /// kdsha's own refusal before anything was sent.
    Refused,
}

/// Whether a mutation may have been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// Nothing left this machine.
    No,
    /// AWS answered and refused: nothing changed.
    Refused,
    /// Sent and not answered (or answered with 5xx): the effect is unknown until looked at.
    Unknown,
}

/// A failed call. `Display` gives one line with operation, resource, Region and a clean message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AwsFailure {
    /// Service and operation, e.g. `lambda:UpdateFunctionConfiguration`.
    pub operation: String,
    /// The resource as the operator knows it.
    pub resource: String,
    /// The Region of the client.
    pub region: Region,
    /// What kind of failure.
    pub kind: FailureKind,
    /// AWS's error code, where there was one.
    pub code: Option<String>,
    /// A clean message. Never a raw body: Lambda's 4 KB error echoes every environment value.
    pub message: String,
    /// AWS's request id, where there was one.
    pub request_id: Option<String>,
    /// Whether the call may have taken effect.
    pub sent: Sent,
}

impl fmt::Display for AwsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {} in {}: ", self.operation, self.resource, self.region)?;
        match &self.code {
            Some(code) => write!(f, "{code}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
