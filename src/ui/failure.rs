//! A failure in the operator's words: what went wrong, why, whether the world changed, and the way out.

use super::look::{Ground, Look, Tone};
use crate::model::Exit;

/// How a command ended, in words: the exit code's meaning, and whether anything changed.
pub(crate) fn ending(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "done",
        Exit::Internal => "internal error; the journal says what was done before it",
        Exit::Usage => {
            "command line, configuration, credentials or terminal are to be put right first; nothing was changed"
        }
        Exit::Declined => "stopped by the operator; the run can be resumed",
        Exit::Blocked => "blocked by preflight; nothing was changed",
        Exit::StepFailed => "a step failed; the run can be resumed",
        Exit::TimedOut => "a wait ran out of time; the run can be resumed",
        Exit::Deviation => "something is not as it should be; nothing was changed",
        Exit::Locked => "another run, or what was done meanwhile, stands in the way; nothing was changed",
        Exit::Owed => "done, with steps owed",
        Exit::Interrupted => "interrupted between two calls; the run can be resumed",
    }
}

/// [`ending`]; a story that ends early has no run left that anybody could resume.
fn on_ground(ground: Ground, exit: Exit) -> &'static str {
    match (ground, exit) {
        (Ground::Story, Exit::Declined | Exit::StepFailed | Exit::TimedOut | Exit::Interrupted) => {
            "the rehearsal ends here; nothing of it was AWS"
        }
        _ => ending(exit),
    }
}

/// `error:` with its causes, what the exit code means, `hint:` lines.
pub(crate) fn render(look: Look, exit: Exit, chain: &[String], hints: &[String]) -> String {
    let mut out = String::new();
    let (first, causes) = match chain.split_first() {
        Some((first, causes)) => (first.as_str(), causes),
        None => (ending(exit), chain),
    };
    out += &look.hang(&format!("{} ", look.paint(Tone::Bad, "error:")), first);
    for cause in causes {
        out += &look.hang("cause: ", cause);
    }
    if !chain.is_empty() {
        out += &look.hang("", &format!("exit {}: {}", exit.code(), on_ground(look.ground, exit)));
    }
    for hint in hints {
        out += &look.hang(&format!("{} ", look.paint(Tone::Strong, "hint:")), hint);
    }
    out
}
