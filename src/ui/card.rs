//! The card at the end of a run: how it ended, what changed, how long recovery took, what is owed, what comes next.

use super::header::Context;
use super::look::{Ground, Look, Tone};
use super::plan::words_of;
use super::{failure, text};
use crate::model::{
    Consequence, Effect, Event, Exit, PipelineName, Repeated, RunId, StartAt, StepOutcome, Stranded,
    Timestamp, duration,
};
use std::time::Duration;

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

/// The calls under a label, or their number where they are many.
fn calls(look: Look, label: &str, calls: &[(PipelineName, Effect)]) -> String {
    if calls.len() > LISTED {
        let text =
            format!("{} were accepted by AWS (kdsha report lists them)", text::plural(calls.len(), "call"));
        return look.field(label, &text);
    }
    let line = |(index, (_, effect)): (usize, &(PipelineName, Effect))| {
        let label = if index == 0 { label } else { "" };
        look.field(label, &format!("{}: {}", effect.region(), words_of(look, effect)))
    };
    calls.iter().enumerate().map(line).collect()
}

/// What was changed now, and what earlier processes or an earlier plan of the run had changed.
fn changed(look: Look, tally: &Tally, before: &[(PipelineName, Effect)]) -> String {
    let label = if before.is_empty() { "changed" } else { "changed now" };
    let now = match tally.changed.is_empty() {
        true => look.field(label, "nothing"),
        false => calls(look, label, &tally.changed),
    };
    now + &calls(look, "before", before)
}

/// Recovery against the objective, in words that need no arithmetic. `None` where there is nothing to recover.
fn recovery(exit: Exit, took: Option<Duration>, rto: Option<Duration>, ended: &Ended<'_>) -> Option<String> {
    let took = match took {
        Some(took) => took,
        None => return not_reached(exit, ended),
    };
    Some(match rto {
        None => text::whole(took),
        Some(rto) if took <= rto => {
            let spare = text::whole(rto - took);
            format!("{}, within the RTO of {} ({spare} to spare)", text::whole(took), duration::show(rto))
        }
        Some(rto) => {
            let late = text::whole(took - rto);
            format!("{}, LATER than the RTO of {} by {late}", text::whole(took), duration::show(rto))
        }
    })
}

/// What it means for records, under a label a kind.
fn records(look: Look, consequences: &[Consequence], ended: &Ended<'_>) -> String {
    let whose = |one: &Consequence| match ended.is_many {
        true => format!("{}: ", one.pipeline),
        false => String::new(),
    };
    let repeated = consequences.iter().filter_map(|one| {
        let words = repeated(one.repeated.as_ref()?, ended.at);
        Some(("repeated", format!("{}{words}", whose(one))))
    });
    let stranded = consequences.iter().filter_map(|one| {
        let words = stranded(one.stranded.as_ref()?, one.is_growing, ended.at);
        Some(("stranded", format!("{}{words}", whose(one))))
    });
    let mut last = "";
    let mut line = |(label, words): (&'static str, String)| {
        let shown = if std::mem::replace(&mut last, label) == label { "" } else { label };
        look.field(shown, &words)
    };
    repeated.chain(stranded).map(&mut line).collect()
}

fn repeated(repeated: &Repeated, now: Timestamp) -> String {
    let count = match repeated.records {
        Some(n) => format!("about {}", text::plural(n as usize, "record")),
        None => "an unknown number of records".to_owned(),
    };
    let since = match repeated.from {
        StartAt::TrimHorizon => "all that the stream has".to_owned(),
        StartAt::Timestamp(at) => format!("since {}", text::time(at, now)),
    };
    format!("{count} ({since}) are processed a second time")
}

fn stranded(stranded: &Stranded, is_growing: bool, now: Timestamp) -> String {
    let when = stranded.expiry(now, |at| text::time(at, now));
    let kept = match stranded.retention_hours {
        Some(hours) => format!("{hours} h"),
        None => "the stream's retention".to_owned(),
    };
    let growing = match is_growing {
        true => {
            format!("; more arrive until the producers are switched, and expire {kept} after their arrival")
        }
        false => String::new(),
    };
    format!("what {} had not processed waits for {}; {when}{growing}", stranded.region, stranded.waits_for)
}

/// Why the target Region does not do the work.
fn not_reached(exit: Exit, ended: &Ended<'_>) -> Option<String> {
    let why = match (exit, ended.stage) {
        (Exit::Done, _) => return None,
        (Exit::Owed, _) => "the producers still write to the Region that is left".to_owned(),
        (Exit::StepFailed | Exit::TimedOut, _) if ended.is_many => "not by every pipeline".to_owned(),
        (_, Some((number, of))) => format!("the run stopped at stage {number} of {of}"),
        (_, None) => "the run stopped before its first stage".to_owned(),
    };
    Some(format!("not reached: {why}"))
}

/// Which run ended, and when.
pub(crate) struct Ended<'a> {
    pub(crate) run: Option<&'a RunId>,
    pub(crate) began: Option<Timestamp>,
    pub(crate) at: Timestamp,
    /// Away from the primary, so that the way back is still ahead.
    pub(crate) is_failover: bool,
    /// The last stage that was begun, of how many.
    pub(crate) stage: Option<(usize, usize)>,
    /// Whether several pipelines are in the run.
    pub(crate) is_many: bool,
    /// Calls of earlier processes, or of an earlier plan.
    pub(crate) before: &'a [(PipelineName, Effect)],
}

/// What to do next: the command of the event, or what usually follows a run that is done.
fn next(look: Look, context: &Context, exit: Exit, command: Option<&String>, ended: &Ended<'_>) -> String {
    let usual = |command: &str, why| (context.again.complete(command), why);
    let lines = match (command, exit) {
        // Typed at the shell, it would be meant for AWS.
        _ if look.ground == Ground::Story => Vec::new(),
        (Some(command), _) => vec![(command.clone(), "goes on from here")],
        (None, Exit::Done) => {
            let back =
                ended.is_failover.then(|| usual("kdsha failback", "once the primary is healthy again"));
            let usual = [
                usual("kdsha status --watch", "see it at work"),
                usual("kdsha report --out post-mortem.html", "the page for the post-mortem"),
            ];
            usual.into_iter().chain(back).collect()
        }
        _ => Vec::new(),
    };
    let line = |(index, (command, why)): (usize, &(String, &str))| {
        let label = if index == 0 { "next" } else { "" };
        look.field(label, &format!("{} ({why})", look.paint(Tone::Strong, command)))
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
    let Event::RunFinished { exit, summary, recovery: took, owed, consequences, next } = event else {
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
    let recovery = recovery(*exit, *took, context.rto, ended);
    out.extend(recovery.map(|recovery| look.field("recovery", &format!("{recovery}{but}"))));
    out += &look.field("steps", &tally.steps());
    out += &changed(look, tally, ended.before);
    out += &records(look, consequences, ended);
    for (index, owed) in owed.iter().enumerate() {
        let label = if index == 0 { "OWED" } else { "" };
        out += &look.hang(&format!("{}- ", look.paint(Tone::Warn, format!("{label:<12}"))), owed);
    }
    out += &self::next(look, context, *exit, next.as_ref(), ended);
    out + &look.rule("") + "\n"
}
