//! A run as it happens. One line a happening: time, mark, what, where.

use super::card::{self, Tally};
use super::look::{Look, Mark, Tone};
use super::plan::{NO_RETURN, words_of};
use super::wait::{Waits, Word};
use super::{Context, checks, text};
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
    run: Option<RunId>,
    many: bool,
    objective: Option<Timestamp>,
    tally: Tally,
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
                let (waited, deadline, objective) = (*waited, *deadline, self.objective);
                let word = Word { pipeline, step: summary, progress, waited, deadline, objective, at };
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
            Event::Undone => (line(Mark::Ok, "everything that can be put back was"), Progress),
            Event::Note { text } => (line(Mark::Note, text), Progress),
            Event::RunFinished { exit, .. } => {
                self.waits.clear(live);
                let weight = if *exit == crate::model::Exit::Done { Progress } else { Attention };
                (card::render(look, context, self.run.as_ref(), &self.tally, event), weight)
            }
        }
    }

    /// Takes the live lines away.
    pub(crate) fn clear(&mut self, live: Option<&MultiProgress>) {
        self.waits.clear(live);
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
        *self = RunView {
            run: Some(run.clone()),
            many: pipelines.len() > 1,
            objective: *objective,
            tally: Tally::default(),
            waits: Waits::default(),
        };
        let names: Vec<&str> = pipelines.iter().map(|p| p.as_str()).collect();
        let mut out = look.rule("") + "\n";
        out += &look.hang("", &look.paint(Tone::Strong, title));
        out += &look.field("run", run.as_str());
        out += &look.field(if *resumed { "resumed" } else { "started" }, &text::full_time(at));
        out += &look.field("pipelines", &names.join(", "));
        out.extend(context.regions.iter().map(|regions| look.field("Regions", regions)));
        out.extend(context.who.iter().map(|who| look.field("by", who)));
        out += &look.field("stages", &stages.len().to_string());
        if let Some(objective) = objective {
            let left = text::time_left(at, *objective);
            out += &look.field("RTO", &format!("due {} ({left})", text::time(*objective, at)));
        }
        out + &look.rule("") + "\n"
    }

    /// The head of a stage, the recovery clock at its right.
    fn stage(
        &self,
        look: Look,
        (number, of): (usize, usize),
        title: &str,
        no_return: bool,
        at: Timestamp,
    ) -> String {
        let head = format!("[{number}/{of}] {title}");
        let clock = self.objective.map(|until| format!("RTO {}", text::time_left(at, until)));
        let mut out = String::from("\n");
        if no_return {
            out += &format!("{}\n", look.alarm(NO_RETURN));
        }
        let wide = console::measure_text_width;
        match clock {
            Some(clock) if wide(&head) + wide(&clock) + 2 <= look.columns() => {
                let gap = look.columns() - wide(&head) - wide(&clock);
                let clock = look.paint(Tone::Faint, clock);
                out += &format!("{}{}{clock}\n", look.paint(Tone::Strong, head), " ".repeat(gap));
            }
            clock => {
                out += &look.hang("", &look.paint(Tone::Strong, head));
                out.extend(clock.map(|clock| look.hang("      ", &look.paint(Tone::Faint, clock))));
            }
        }
        out
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
        let text = format!("{region}: {}{summary}: {why}{}", self.name(pipeline), waited.unwrap_or_default());
        (look.hang(&prefix(look, at, mark), &text), weight)
    }
}
