//! The one place that grants permits: an operator's yes, or `--yes`, for one stage.

use super::interrupt::Interrupt;
use crate::model::Permit;
use crate::ui::prompt::{Answer, Prompter, StagePrompt};

/// What came of asking.
#[derive(Debug)]
pub enum Confirmed {
    /// Go on, by whom.
    Yes(Permit, &'static str),
    /// Stop here.
    No,
    /// Leave the stage out.
    Skip(String),
    /// Ctrl-C at the prompt.
    Interrupted,
}

/// Asks for one stage. A stage that a former consent covers is not asked for.
///
/// # Errors
/// When the terminal cannot be read.
pub async fn confirm(
    prompter: Prompter,
    prompt: Option<StagePrompt>,
    interrupt: &Interrupt,
) -> std::io::Result<Confirmed> {
    let by = match prompter {
        Prompter::Terminal => "operator",
        Prompter::AssumeYes => "--yes",
    };
    let Some(prompt) = prompt else { return Ok(Confirmed::Yes(Permit::grant(), by)) };
    // The terminal is read on a thread of its own, so that a signal is heard at the prompt.
    let asking = tokio::task::spawn_blocking(move || prompter.ask(&prompt));
    let answer = tokio::select! {
        answer = asking => answer.map_err(std::io::Error::other)??,
        () = interrupt.raised() => return Ok(Confirmed::Interrupted),
    };
    Ok(match answer {
        Answer::Yes => Confirmed::Yes(Permit::grant(), by),
        Answer::No => Confirmed::No,
        Answer::Skip { reason } => Confirmed::Skip(reason),
    })
}
