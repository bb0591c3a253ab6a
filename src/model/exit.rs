//! The exit codes: the API that runbooks branch on.

use serde::{Deserialize, Serialize};

/// How a command ended. The table in the README is made from this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// Done and verified; healthy; a dry run that could run.
    Done,
    /// Internal error; see the journal.
    Internal,
    /// Usage, configuration, no terminal. Nothing changed.
    Usage,
    /// The operator declined. Resumable.
    Declined,
    /// Blocked by preflight; all blockers were listed. Nothing changed.
    Blocked,
    /// A step failed. Resumable.
    StepFailed,
    /// A wait ran out of time. Resumable.
    TimedOut,
    /// `status` or `verify` found a deviation. Nothing changed.
    Deviation,
    /// Another run is unfinished, or state changed under us. Nothing changed.
    Locked,
    /// Done, with steps owed.
    Owed,
    /// Interrupted between calls. Resumable.
    Interrupted,
}

impl Exit {
    /// All of them, in the order of the table.
    pub const ALL: [Exit; 11] = [
        Exit::Done,
        Exit::Internal,
        Exit::Usage,
        Exit::Declined,
        Exit::Blocked,
        Exit::StepFailed,
        Exit::TimedOut,
        Exit::Deviation,
        Exit::Locked,
        Exit::Owed,
        Exit::Interrupted,
    ];

    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Internal => 1,
            Exit::Usage => 2,
            Exit::Declined => 3,
            Exit::Blocked => 4,
            Exit::StepFailed => 5,
            Exit::TimedOut => 6,
            Exit::Deviation => 7,
            Exit::Locked => 8,
            Exit::Owed => 9,
            Exit::Interrupted => 130,
        }
    }
}
