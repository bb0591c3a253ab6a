//! The card at the end of a run: how it ended, what changed, how long recovery took, what is owed, what comes next.

use super::header::Context;
use super::look::{Ground, Look, Tone};
use super::plan::words_of;
use super::{failure, text};
use crate::model::{Effect, Event, Exit, PipelineName, RunId, StepOutcome, Timestamp, duration};

/// Calls beyond this many are counted rather than listed.
const LISTED: usize = 12;

/// What is counted while a run goes on.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Calls that AWS accepted.
    pub(crate) changed: Vec<(PipelineName, Effect)>,
    applied: usize,
    already: usize,
    skipped: usize,
    owed: usize,
    failed: usize,
}

impl Tally {
    /// Counts a step.
    pub(crate) fn count(&mut self, outcome: &StepOutcome) {
        match outcome {
            StepOutcome::Applied { .. } => self.applied += 1,
            StepOutcome::AlreadyDone { .. } => self.already += 1,
            StepOutcome::Skipped { .. } => self.skipped += 1,
            StepOutcome::Owed { .. } => self.owed += 1,
            StepOutcome::Failed { .. } | StepOutcome::TimedOut { .. } => self.failed += 1,
        }
    }

    fn steps(&self) -> String {
        let parts = [
            (self.applied, "done"),
            (self.already, "already so"),
            (self.skipped, "skipped"),
            (self.owed, "owed"),
            (self.failed, "failed"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    }
}

fn title(look: Look, exit: Exit, tally: &Tally) -> String {
    let (tone, words) = match exit {
        Exit::Done => (Tone::Good, "DONE".to_owned()),
        Exit::Owed => (Tone::Warn, "DONE, WITH STEPS OWED".to_owned()),
        Exit::Declined => (Tone::Warn, "STOPPED BY THE OPERATOR".to_owned()),
        Exit::Interrupted => (Tone::Warn, "INTERRUPTED".to_owned()),
        Exit::TimedOut => (Tone::Bad, "OUT OF TIME".to_owned()),
        Exit::Blocked => (Tone::Bad, "BLOCKED".to_owned()),
        // Its mark was sent before it was seen that another run is there: the words must not deny it.
        Exit::Locked if !tally.changed.is_empty() => (Tone::Bad, "GAVE WAY TO ANOTHER RUN".to_owned()),
        other => (Tone::Bad, format!("FAILED: {}", failure::ending(other))),
    };
    look.paint(tone, words)
}

fn changed(look: Look, tally: &Tally) -> String {
    match tally.changed.len() {
        0 => look.field("changed", "nothing"),
        n if n > LISTED => look.field(
            "changed",
            &format!("{} were accepted by AWS (kdsha report lists them)", text::plural(n, "call")),
        ),
        _ => {
            let lines = tally.changed.iter().enumerate().map(|(index, (_, effect))| {
                let label = if index == 0 { "changed" } else { "" };
                look.field(label, &format!("{}: {}", effect.region(), words_of(look, effect)))
            });
            lines.collect()
        }
    }
}

/// Recovery against the objective, in words that need no arithmetic.
fn recovery(recovery: Option<std::time::Duration>, rto: Option<std::time::Duration>) -> String {
    match (recovery, rto) {
        (None, _) => "not reached: the run stopped before".to_owned(),
        (Some(took), None) => text::whole(took),
        (Some(took), Some(rto)) if took <= rto => {
            format!(
                "{}, within the RTO of {} ({} to spare)",
                text::whole(took),
                duration::show(rto),
                text::whole(rto - took)
            )
        }
        (Some(took), Some(rto)) => {
            format!(
                "{}, LATER than the RTO of {} by {}",
                text::whole(took),
                duration::show(rto),
                text::whole(took - rto)
            )
        }
    }
}

/// Which run ended, and when.
pub(crate) struct Ended<'a> {
    pub(crate) run: Option<&'a RunId>,
    pub(crate) began: Option<Timestamp>,
    pub(crate) at: Timestamp,
    /// Away from the primary, so that the way back is still ahead.
    pub(crate) is_failover: bool,
}

/// What to do next: the command of the event, or what usually follows a run that is done.
fn next(look: Look, exit: Exit, command: Option<&String>, again: &str, ended: &Ended<'_>) -> String {
    let lines = match (command, exit) {
        // Typed at the shell, it would be meant for AWS.
        _ if look.ground == Ground::Story => Vec::new(),
        (Some(command), _) => vec![(command.as_str(), "goes on from here")],
        (None, Exit::Done) => {
            let back = ended.is_failover.then_some(("kdsha failback", "once the primary is healthy again"));
            let usual = [
                ("kdsha status --watch", "see it at work"),
                ("kdsha report --out post-mortem.html", "the page for the post-mortem"),
            ];
            usual.into_iter().chain(back).collect()
        }
        _ => Vec::new(),
    };
    let line = |(index, (command, why)): (usize, &(&str, &str))| {
        let label = if index == 0 { "next" } else { "" };
        let again = if command.starts_with("kdsha ") { again } else { "" };
        look.field(label, &format!("{} ({why})", look.paint(Tone::Strong, format!("{command}{again}"))))
    };
    lines.iter().enumerate().map(line).collect()
}

/// The card.
pub(crate) fn render(
    look: Look,
    context: &Context,
    ended: &Ended<'_>,
    tally: &Tally,
    event: &Event,
) -> String {
    let Event::RunFinished { exit, summary, recovery: took, owed, next } = event else {
        return String::new();
    };
    let above = if look.ground == Ground::Aws { "" } else { "REHEARSAL: nothing of this is AWS" };
    let mut out = format!("\n{}\n", look.rule(above));
    out += &look.hang(&format!("{}  ", title(look, *exit, tally)), summary);
    out.extend(ended.run.map(|run| look.field("what", &format!("run {run}"))));
    let elapsed =
        ended.began.map(|began| format!("; {} in all", text::whole(text::between(began, ended.at))));
    out +=
        &look.field("clock", &format!("ended {}{}", text::full_time(ended.at), elapsed.unwrap_or_default()));
    // Reading there is not writing there.
    let but = match owed.iter().any(|owed| owed.contains("Switch producer")) {
        true => "; producers are still to be switched (owed)",
        false => "",
    };
    out += &look.field("recovery", &format!("{}{but}", recovery(*took, context.rto)));
    out += &look.field("steps", &tally.steps());
    out += &changed(look, tally);
    for (index, owed) in owed.iter().enumerate() {
        let label =
            if index == 0 { look.paint(Tone::Warn, format!("{:<12}", "OWED")) } else { " ".repeat(12) };
        out += &look.hang(&label, owed);
    }
    out += &self::next(look, *exit, next.as_ref(), &context.again, ended);
    out + &look.rule("") + "\n"
}
