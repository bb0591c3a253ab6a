//! The complete list of mutations that kdsha can make. One effect is one mutating AWS call.
//!
//! Effects name things by what is known at plan time (function, source, Region); ids, ARNs and RevisionIds
//! are looked up when the effect is performed.

use super::Timestamp;
use super::ids::{FunctionName, Region, StreamName};
use super::mapping::MappingSettings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MappingSource {
    /// The stream itself, with the throughput that all standard readers share.
    Stream(StreamName),
    /// An enhanced fan-out consumer of the stream.
    StreamConsumer {
        /// The stream.
        stream: StreamName,
        /// The consumer's name.
        consumer: StreamName,
    },
}

impl MappingSource {
    /// The stream behind the source.
    pub fn stream(&self) -> &StreamName {
        match self {
            MappingSource::Stream(stream) | MappingSource::StreamConsumer { stream, .. } => stream,
        }
    }
}

impl fmt::Display for MappingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MappingSource::Stream(stream) => write!(f, "{stream}"),
            MappingSource::StreamConsumer { stream, consumer } => write!(f, "{stream}/{consumer}"),
        }
    }
}

/// Where a new mapping starts. LATEST is not in the list: it can miss records for minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StartAt {
    /// The oldest record that the stream still has.
    TrimHorizon,
    /// The first record at or after the instant (whole seconds: Lambda documents Unix time seconds).
    Timestamp(Timestamp),
}

impl StartAt {
    /// The flag that gives it.
    pub fn flag(self) -> String {
        match self {
            StartAt::TrimHorizon => "--start-at trim-horizon".to_owned(),
            StartAt::Timestamp(at) => format!("--start-at {at}"),
        }
    }
}

impl fmt::Display for StartAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartAt::TrimHorizon => f.pad("TRIM_HORIZON"),
            StartAt::Timestamp(at) => write!(f, "AT_TIMESTAMP {at}"),
        }
    }
}

/// One mutating AWS call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// kinesis:AddTagsToStream.
    TagStream {
        /// Region of the stream.
        region: Region,
        /// The stream.
        stream: StreamName,
        /// Tags to set; others stay.
        tags: BTreeMap<String, String>,
    },
    /// lambda:CreateEventSourceMapping.
    CreateMapping {
        /// Region of function and stream.
        region: Region,
        /// The function.
        function: FunctionName,
        /// What it reads.
        source: MappingSource,
        /// Where it starts.
        start: StartAt,
        /// Whether it reads at once.
        enabled: bool,
        /// Everything else.
        settings: MappingSettings,
    },
    /// lambda:UpdateEventSourceMapping with `Enabled` alone. Disabling keeps the checkpoint.
    SetMappingEnabled {
        /// Region of the mapping.
        region: Region,
        /// Its function.
        function: FunctionName,
        /// What it reads.
        source: MappingSource,
        /// On or off.
        enabled: bool,
    },
    /// lambda:DeleteEventSourceMapping. Drops the checkpoint.
    DeleteMapping {
        /// Region of the mapping.
        region: Region,
        /// Its function.
        function: FunctionName,
        /// What it reads.
        source: MappingSource,
    },
    /// lambda:UpdateFunctionConfiguration of the environment: reads all variables, changes these keys, keeps
    /// every other byte, sends with RevisionId, reads back.
    SetEnvironment {
        /// Region of the function.
        region: Region,
        /// The function.
        function: FunctionName,
        /// Keys to set, with their new values.
        set: BTreeMap<String, String>,
    },
    /// lambda:PublishVersion of what $LATEST is now.
    PublishVersion {
        /// Region of the function.
        region: Region,
        /// The function.
        function: FunctionName,
    },
    /// lambda:UpdateAlias to the newest published version, with the alias's RevisionId.
    MoveAlias {
        /// Region of the function.
        region: Region,
        /// The function.
        function: FunctionName,
        /// The alias.
        alias: String,
        /// What the version's environment must say before the alias is moved to it.
        expect: BTreeMap<String, String>,
        /// What it may say besides, unlike the version that the alias points at: what the same run sets for others.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        beside: BTreeMap<String, String>,
    },
}

impl Effect {
    /// The Region that the call goes to.
    pub fn region(&self) -> &Region {
        match self {
            Effect::TagStream { region, .. }
            | Effect::CreateMapping { region, .. }
            | Effect::SetMappingEnabled { region, .. }
            | Effect::DeleteMapping { region, .. }
            | Effect::SetEnvironment { region, .. }
            | Effect::PublishVersion { region, .. }
            | Effect::MoveAlias { region, .. } => region,
        }
    }

    /// Service and operation, as IAM and CloudTrail spell them.
    pub fn operation(&self) -> &'static str {
        match self {
            Effect::TagStream { .. } => "kinesis:AddTagsToStream",
            Effect::CreateMapping { .. } => "lambda:CreateEventSourceMapping",
            Effect::SetMappingEnabled { .. } => "lambda:UpdateEventSourceMapping",
            Effect::DeleteMapping { .. } => "lambda:DeleteEventSourceMapping",
            Effect::SetEnvironment { .. } => "lambda:UpdateFunctionConfiguration",
            Effect::PublishVersion { .. } => "lambda:PublishVersion",
            Effect::MoveAlias { .. } => "lambda:UpdateAlias",
        }
    }
}

fn pairs(map: &BTreeMap<String, String>) -> String {
    map.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Effect {
    /// One line for people: verb, thing, detail. The Region is shown beside it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::TagStream { stream, tags, .. } => write!(f, "tag stream {stream}: {}", pairs(tags)),
            Effect::CreateMapping { function, source, start, enabled, .. } => {
                let state = if *enabled { "enabled" } else { "disabled" };
                write!(f, "create mapping {source} -> {function}, {state}, {start}")
            }
            Effect::SetMappingEnabled { function, source, enabled, .. } => {
                let verb = if *enabled { "enable" } else { "disable" };
                write!(f, "{verb} mapping {source} -> {function}")
            }
            Effect::DeleteMapping { function, source, .. } => {
                write!(f, "delete mapping {source} -> {function}")
            }
            Effect::SetEnvironment { function, set, .. } => write!(f, "set {} in {function}", pairs(set)),
            Effect::PublishVersion { function, .. } => write!(f, "publish a version of {function}"),
            Effect::MoveAlias { function, alias, .. } => {
                write!(f, "move alias {function}:{alias} to the new version")
            }
        }
    }
}

/// What came of an effect that did not fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Performed {
    /// AWS accepted the call.
    Applied {
        /// What it answered, in a few words (a UUID, a version).
        answer: String,
        /// Request id, for CloudTrail and AWS Support.
        request_id: Option<String>,
    },
    /// Nothing had to be sent: the world is so already.
    AlreadySo(String),
}
