//! A run as it happens. One line a happening: time, mark, what, where.

use super::before::Before;
use super::card::{self, Tally};
use super::header::{self, Context, Due};
use super::look::{Look, Mark, Tone};
use super::plan::{NO_RETURN, words_of};
use super::wait::{Waits, Word};
use super::{checks, text};
use crate::model::{
    AwsFailure, Effect, Event, Performed, PipelineName, RunId, Sent, StepOutcome, Timestamp, Verdict,
};
use indicatif::MultiProgress;

/// Whether `--quiet` drops a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Good to see.
    Progress,
    /// Has to be seen.
    Attention,
}

/// What has to be remembered between two events.
#[derive(Default)]
pub(crate) struct RunView {
    pub(super) run: Option<RunId>,
    many: bool,
    pub(super) began: Option<Timestamp>,
    objective: Option<Timestamp>,
    stage: Option<(usize, usize)>,
    is_failover: bool,
    /// Of the run that goes on, or will.
    pub(super) before: Option<Before>,
    pub(super) tally: Tally,
    waits: Waits,
}

/// The column where a line's text begins.
fn prefix(look: Look, at: Timestamp, mark: Mark) -> String {
    format!("{}  {} ", text::time(at, at), look.mark(mark))
}

/// Where a failed call leaves the world.
fn fate(failure: &AwsFailure) -> &'static str {
    match failure.sent {
        Sent::No => "nothing was sent",
        Sent::Refused => "AWS refused it: nothing changed",
        Sent::Unknown => "sent and not answered: whether it took effect is looked up next",
    }
}

impl RunView {
    /// The text of an event, and whether it has to be seen.
    pub(crate) fn render(
        &mut self,
        look: Look,
        live: Option<&MultiProgress>,
        context: &Context,
        event: &Event,
        at: Timestamp,
    ) -> (String, Weight) {
        use Weight::{Attention, Progress};
        let line = |mark: Mark, text: &str| look.hang(&prefix(look, at, mark), text);
        match event {
            Event::RunStarted { .. } => (self.start(look, context, event, at), Progress),
            Event::Checked { report } => match report.verdict {
                Verdict::Ok if look.verbose == 0 => (String::new(), Progress),
                Verdict::Ok => (checks::one(look, report), Progress),
                _ => (checks::one(look, report), Attention),
            },
            Event::StageStarted { number, of, title, is_point_of_no_return } => {
                (self.stage(look, (*number, *of), title, *is_point_of_no_return, at), Progress)
            }
            Event::StageConfirmed { by, .. } => {
                (line(Mark::Confirmed, &format!("confirmed by {by}")), Progress)
            }
            Event::EffectStarted { pipeline, effect, .. } => {
                (line(Mark::Send, &self.call(look, pipeline, effect)), Progress)
            }
            Event::EffectFinished { pipeline, effect, result, .. } => {
                (self.answer(look, (pipeline, effect), result, at), Progress)
            }
            Event::EffectFailed { pipeline, failure, .. } => {
                let text = format!("{}{failure}; {}", self.name(pipeline), fate(failure));
                (line(Mark::Failed, &text), Attention)
            }
            Event::Waiting { pipeline, summary, progress, waited, deadline, .. } => {
                let (waited, deadline, due) = (*waited, *deadline, self.due());
                let stage = self.stage;
                let word = Word { pipeline, step: summary, progress, waited, deadline, due, stage, at };
                (self.waits.go_on(look, live, self.many, &word).unwrap_or_default(), Progress)
            }
            Event::StepFinished { .. } => self.step(look, live, event, at),
            Event::StageFinished { .. } => {
                self.waits.clear(live);
                (String::new(), Progress)
            }
            Event::TurnedToEmergency { reason } => {
                (line(Mark::Emergency, &format!("the run is an emergency from here on: {reason}")), Attention)
            }
            Event::UndoStarted => (line(Mark::Note, "what this run has changed is put back"), Attention),
            Event::Undone => {
                // There is nothing to come back from.
                self.is_failover = false;
                (line(Mark::Ok, "everything that can be put back was"), Progress)
            }
            Event::Note { text } => (line(Mark::Note, text), Progress),
            Event::RunFinished { .. } => {
                self.waits.clear(live);
                let ended = card::Ended {
                    run: self.run.as_ref(),
                    began: self.began,
                    at,
                    is_failover: self.is_failover,
                    stage: self.stage,
                    is_many: self.many,
                    before: self
                        .before
                        .as_ref()
                        .and_then(|before| before.changed.as_deref())
                        .unwrap_or_default(),
                };
                // How it ended is a result, which is no progress.
                (card::render(look, context, &ended, &self.tally, event), Attention)
            }
        }
    }

    /// Takes the live lines away.
    pub(crate) fn clear(&mut self, live: Option<&MultiProgress>) {
        self.waits.clear(live);
    }

    fn due(&self) -> Option<Due> {
        let (began, until) = self.began.zip(self.objective)?;
        Some(Due { began, until })
    }

    fn name(&self, pipeline: &PipelineName) -> String {
        if self.many { format!("{pipeline}: ") } else { String::new() }
    }

    fn call(&self, look: Look, pipeline: &PipelineName, effect: &Effect) -> String {
        format!("{}: {}{}", effect.region(), self.name(pipeline), words_of(look, effect))
    }

    fn start(&mut self, look: Look, context: &Context, event: &Event, at: Timestamp) -> String {
        let Event::RunStarted { run, title, resumed, pipelines, stages, objective } = event else {
            return String::new();
        };
        // The objective counts from the beginning, which an earlier process may have seen.
        let first = objective.zip(context.rto).map(|(until, rto)| until - rto);
        let before = self.so_far(run).filter(|_| *resumed);
        *self = RunView {
            run: Some(run.clone()),
            before,
            many: pipelines.len() > 1,
            began: first.filter(|_| *resumed).or(Some(at)),
            objective: *objective,
            // The only word on it in the event: the title is the intent's.
            is_failover: title.starts_with("Fail over"),
            ..RunView::default()
        };
        let names: Vec<&str> = pipelines.iter().map(|p| p.as_str()).collect();
        let mut out = look.rule("") + "\n";
        let title = look.paint(Tone::Strong, title);
        let what = format!("run {run}; {}", names.join(", "));
        let started = if *resumed { "resumed" } else { "started" };
        let mut clock = format!("{started} {}", text::full_time(at));
        if let Some(until) = objective {
            let left = text::time_left(at, *until);
            clock += &format!("; RTO due {} ({left})", text::time(*until, at));
        }
        out += &header::render(look, context, &title, &what, &clock);
        // All of them, so that nobody says yes to the first without the rest in sight.
        let stages: Vec<String> =
            stages.iter().zip(1..).map(|(title, number)| format!("{number}\u{a0}{title}")).collect();
        out += &look.field("stages", &stages.join(look.dot()));
        out + &look.rule("") + "\n"
    }

    /// The head of a stage: a heavy line across, so that nobody has to search for it, the clock at its right.
    fn stage(
        &mut self,
        look: Look,
        (number, of): (usize, usize),
        title: &str,
        no_return: bool,
        at: Timestamp,
    ) -> String {
        self.stage = Some((number, of));
        let head = look.paint(Tone::Strong, format!("[{number}/{of}] {title}"));
        let mut clock = header::running(look, self.began, self.due(), at);
        let wide = |text: &str| console::measure_text_width(text);
        // At least a bit of the line between the two; the time elapsed is the first to go.
        let room = look.columns().saturating_sub(wide(&head) + 5);
        while clock.len() > 1 && wide(&clock.join(", ")) > room {
            clock.remove(0);
        }
        let clock = clock.join(", ");
        let mut out = String::from("\n");
        if no_return {
            out += &format!("{}\n", look.alarm(NO_RETURN));
        }
        if clock.is_empty() || wide(&clock) > room {
            out += &look.hang("", &head);
            out.extend((!clock.is_empty()).then(|| look.hang("      ", &clock)));
            return out;
        }
        let bar = look.heavy(room + 3 - wide(&clock));
        out + &format!("{head} {bar} {clock}\n")
    }

    fn answer(
        &mut self,
        look: Look,
        (pipeline, effect): (&PipelineName, &Effect),
        result: &Performed,
        at: Timestamp,
    ) -> String {
        match result {
            Performed::Applied { answer, request_id } => {
                self.tally.changed.push((pipeline.clone(), effect.clone()));
                if look.verbose == 0 {
                    return String::new();
                }
                let id = request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
                look.hang(
                    &prefix(look, at, Mark::Note),
                    &format!("{}answered: {answer}{id}", self.name(pipeline)),
                )
            }
            Performed::AlreadySo(why) => {
                let text = format!("{}not needed: {why}", self.name(pipeline));
                look.hang(&prefix(look, at, Mark::Already), &text)
            }
        }
    }

    fn step(
        &mut self,
        look: Look,
        live: Option<&MultiProgress>,
        event: &Event,
        at: Timestamp,
    ) -> (String, Weight) {
        use Weight::{Attention, Progress};
        let Event::StepFinished { pipeline, summary, region, outcome, .. } = event else {
            return (String::new(), Progress);
        };
        let waited = self.waits.end(live, pipeline, summary);
        self.tally.count(outcome);
        let (mark, weight, why) = match outcome {
            StepOutcome::Applied { evidence } => (Mark::Ok, Progress, evidence),
            StepOutcome::AlreadyDone { evidence } => (Mark::Already, Progress, evidence),
            StepOutcome::Skipped { reason } => (Mark::Skipped, Attention, reason),
            StepOutcome::Owed { reason } => (Mark::Owed, Attention, reason),
            StepOutcome::Failed { reason } => (Mark::Failed, Attention, reason),
            StepOutcome::TimedOut { reason } => (Mark::TimedOut, Attention, reason),
        };
        let waited = waited.filter(|w| w.as_secs() > 0).map(|w| format!(" (waited {})", text::whole(w)));
        let why = format!("{why}{}", waited.unwrap_or_default());
        // What is done is told by what shows it, what is not by what is still to be done: a summary is an order.
        let (first, label, second) = match weight {
            Progress => (&why, "task", summary),
            Attention => (summary, "because", &why),
        };
        // Most texts name the Region themselves.
        let place = if first.contains(region.as_str()) { String::new() } else { format!("{region}: ") };
        let first = format!("{place}{}{first}", self.name(pipeline));
        let prefix = prefix(look, at, mark);
        let text = match look.width {
            Look::UNBROKEN => look.hang(&prefix, &format!("{first}; {label}: {second}")),
            _ => {
                let indent = " ".repeat(console::measure_text_width(&prefix));
                look.hang(&prefix, &first) + &look.hang(&format!("{indent}{label}: "), second)
            }
        };
        (text, weight)
    }
}
