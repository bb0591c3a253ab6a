//! A command that cannot go on: what is wrong, the way out, and the exit code of the table.

use crate::aws::ConnectError;
use crate::config::ConfigError;
use crate::journal::JournalError;
use crate::model::Exit;

/// A refusal, or an error, fit to be printed.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong: one line, or the list of a configuration's problems.
    pub message: String,
    /// Ways out, each with a command where there is one.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into(), hints: Vec::new() }
    }

    /// With a way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::new(Exit::Usage, error.to_string())
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Failure {
        Failure::new(Exit::Usage, error.to_string())
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Failure {
        let failure = Failure::new(
            match error {
                JournalError::Locked { .. }
                | JournalError::Corrupt { .. }
                | JournalError::Overtaken { .. } => Exit::Locked,
                JournalError::Io { .. } => Exit::Internal,
            },
            error.to_string(),
        );
        match error {
            JournalError::Locked { .. } => {
                failure.hint("wait for it to end; `kdsha status` shows where it stands")
            }
            JournalError::Overtaken { .. } => {
                failure.hint("the same command again looks at where it stands now")
            }
            JournalError::Corrupt { path, .. } => failure.hint(format!(
                "move {} away: the same command then goes on from what AWS shows and the run mark says",
                path.parent().unwrap_or(&path).display()
            )),
            JournalError::Io { .. } => failure.hint("make the state folder writable, or set KDSHA_STATE_DIR"),
        }
    }
}
