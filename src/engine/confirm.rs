//! The one place that grants permits: an operator's yes, or `--yes`, for one stage.

use crate::model::Permit;
use crate::ui::{Answer, Prompter, StagePrompt};
use std::io;

/// What came of asking.
#[derive(Debug)]
pub enum Confirmed {
    /// Go on.
    Yes(Permit),
    /// Stop here.
    No,
    /// Leave the stage out.
    Skip(String),
    /// Turn the run into an emergency.
    Emergency(String),
    /// Ctrl-C at the prompt.
    Interrupted,
}

/// Asks for one stage. `None` is a stage that a former consent covers, or in which nothing is left to do.
///
/// # Errors
/// When the terminal cannot be read.
pub fn confirm(prompter: &mut Prompter, prompt: Option<StagePrompt>) -> io::Result<Confirmed> {
    let Some(prompt) = prompt else { return Ok(Confirmed::Yes(Permit::grant())) };
    match prompter.ask(&prompt) {
        Ok(Answer::Yes) => Ok(Confirmed::Yes(Permit::grant())),
        Ok(Answer::No) => Ok(Confirmed::No),
        Ok(Answer::Skip { reason }) => Ok(Confirmed::Skip(reason)),
        Ok(Answer::Emergency { reason }) => Ok(Confirmed::Emergency(reason)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Confirmed::Interrupted),
        Err(error) => Err(error),
    }
}
