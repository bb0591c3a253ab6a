//! What one line of a journal holds. The format is versioned; an unknown version is refused, never guessed at.

use crate::model::{Event, Picture, RunId, Timestamp};
use crate::plan::Plan;
use serde::{Deserialize, Serialize};

/// Version of the format.
pub const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// Version of the format.
    pub v: u32,
    /// Counted from 0, without gaps.
    pub seq: u64,
    /// By the server's clock.
    pub at: Timestamp,
    /// What is recorded.
    #[serde(flatten)]
    pub body: Body,
}

/// What is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Body {
    /// First line: whose run it is.
    Opened(Header),
    /// The whole plan: second line, and again when the run was planned anew.
    Planned {
        /// The plan.
        plan: Box<Plan>,
    },
    /// What the world looked like, before the run's first call and after its end.
    Seen {
        /// It.
        picture: Box<Picture>,
    },
    /// Everything that happened.
    Happened {
        /// It.
        happening: Box<Event>,
    },
}

/// Whose run it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Header {
    /// The run.
    pub run: RunId,
    /// Version of kdsha.
    pub version: String,
    /// The command line.
    pub argv: Vec<String>,
    /// `user@host`.
    pub owner: String,
    /// The account, where it was known.
    pub account: Option<String>,
}
