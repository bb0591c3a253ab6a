//! Questions outside a stage's own: a wait that does not end, a change by somebody else, putting things back, and
//! the way into an emergency.

use super::look::{Look, Mark, Tone};
use super::plan::call;
use super::prompt::{Prompter, Terminal, one_line};
use super::text;
use crate::model::{Effect, FunctionName, PipelineName, Region, duration};
use std::io;
use std::time::Duration;

/// One step that is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The step in words.
    pub summary: String,
    /// What does not come, and why.
    pub because: String,
}

/// A wait that ran out of time, or was interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitPrompt {
    /// What is waited for.
    pub stuck: Vec<Stuck>,
    /// Whether Ctrl-C opened the question; else the time ran out.
    pub is_interrupt: bool,
    /// How long it goes on when it is waited on: another time-out, or what is left of this one.
    pub longer: Duration,
    /// The Region to be typed for an emergency, where that is legal.
    pub emergency: Option<Region>,
}

/// What the operator said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitAnswer {
    /// Wait on.
    On,
    /// Stop; the run can be resumed.
    Stop,
    /// Turn it into an emergency.
    Emergency {
        /// Why, in the operator's words.
        reason: String,
    },
}

/// One key that somebody else changed. Values are given for the configured keys alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: String,
    /// Its value when the plan was made, for a configured key.
    pub was: Option<String>,
    /// Its value now, for a configured key.
    pub is: Option<String>,
    /// Whether kdsha sets this key.
    pub is_ours: bool,
}

/// A producer's environment that changed between plan and effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePrompt {
    /// The producer.
    pub function: FunctionName,
    /// Its Region.
    pub region: Region,
    /// The keys.
    pub changes: Vec<Change>,
}

impl Change {
    /// One line, with values only where they may be shown.
    pub fn line(&self) -> String {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(not set)".to_owned());
        match self.is_ours {
            true => format!("{}: was {}, is {}", self.key, value(&self.was), value(&self.is)),
            false => format!("{}: changed (value not shown)", self.key),
        }
    }
}

/// What would be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoPrompt {
    /// The calls, in order.
    pub calls: Vec<Effect>,
    /// What stays as it is, and why.
    pub stays: Vec<String>,
    /// How long it may take.
    pub budget: Duration,
}

impl Prompter {
    /// Whether a person answers, who is still there.
    pub fn is_operator(&self) -> bool {
        matches!(self, Prompter::Terminal(terminal) if !terminal.was_terminated())
    }

    /// Whether SIGTERM ended a question.
    pub fn was_terminated(&self) -> bool {
        matches!(self, Prompter::Terminal(terminal) if terminal.was_terminated())
    }

    /// Asks what becomes of a wait. `--yes` stops: it waits no longer than it was told to.
    ///
    /// # Errors
    /// See [`Prompter::ask`].
    pub fn wait(&mut self, prompt: &WaitPrompt) -> io::Result<WaitAnswer> {
        match self {
            Prompter::AssumeYes => Ok(WaitAnswer::Stop),
            Prompter::Terminal(terminal) => terminal.wait(prompt),
        }
    }

    /// Asks whether a producer is switched although somebody else changed it. `--yes` does not know: no.
    ///
    /// # Errors
    /// See [`Prompter::ask`].
    pub fn change(&mut self, prompt: &ChangePrompt) -> io::Result<bool> {
        match self {
            Prompter::AssumeYes => Ok(false),
            Prompter::Terminal(terminal) => {
                terminal.ui.ask(|look| change(look, prompt));
                terminal.confirm("Switch it all the same, keeping every other key as it is now?")
            }
        }
    }

    /// Asks whether what was changed is put back; the default is no.
    ///
    /// # Errors
    /// See [`Prompter::ask`].
    pub fn undo(&mut self, prompt: &UndoPrompt) -> io::Result<bool> {
        match self {
            Prompter::AssumeYes => Ok(true),
            Prompter::Terminal(terminal) => {
                terminal.ui.ask(|look| undo(look, prompt));
                terminal.confirm("Put it back now?")
            }
        }
    }

    /// A Ctrl-C has stopped the run, and a question follows: unless it was a question that the Ctrl-C answered, it is
    /// still on its way here, and no answer to the next one.
    pub fn forget_the_stop(&mut self) {
        if let Prompter::Terminal(terminal) = self
            && !terminal.was_interrupted()
        {
            terminal.forget_interrupt();
        }
    }

    /// Asks for something to be typed; an empty line or an end of the input is `None`. `--yes` knows nothing to type.
    ///
    /// # Errors
    /// See [`Prompter::ask`].
    pub fn type_text(&mut self, question: &str) -> io::Result<Option<String>> {
        match self {
            Prompter::AssumeYes => Ok(None),
            Prompter::Terminal(terminal) => terminal.text(question),
        }
    }
}

impl Terminal {
    fn text(&mut self, question: &str) -> io::Result<Option<String>> {
        self.ui.ask(|look| format!("{} > ", look.hang("", question).trim_end()));
        let line = self.line()?.unwrap_or_default();
        let line = line.trim();
        Ok((!line.is_empty()).then(|| line.to_owned()))
    }

    /// The way into an emergency: the Region is typed and a reason given. `None` takes it back, or is not legal.
    pub(super) fn emergency(&mut self, to: Option<&Region>) -> io::Result<Option<String>> {
        let Some(to) = to else {
            self.ui.ask(|_| "Only a planned failover can be turned into an emergency.\n".to_owned());
            return Ok(None);
        };
        self.ui.ask(|look| {
            let text = "The standby starts at once, from a position derived anew; the old Region is not drained. What it \
                        refuses or cannot answer is owed, and `kdsha resume` settles it.";
            look.hang(&format!("{} ", look.paint(Tone::Bad, "Emergency:")), text)
        });
        if !self.type_region(to)? {
            return Ok(None);
        }
        self.text("Why? (goes into the journal; empty takes it back)")
    }

    fn wait(&mut self, prompt: &WaitPrompt) -> io::Result<WaitAnswer> {
        if prompt.is_interrupt {
            self.forget_interrupt();
        }
        self.ui.ask(|look| stuck(look, prompt));
        loop {
            self.ui.ask(|look| wait_choices(look, prompt));
            let Some(line) = self.line()? else { return Ok(WaitAnswer::Stop) };
            match line.trim().to_ascii_lowercase().as_str() {
                "w" | "wait" => return Ok(WaitAnswer::On),
                "" | "n" | "no" | "stop" => return Ok(WaitAnswer::Stop),
                "m" | "emergency" => match self.emergency(prompt.emergency.as_ref())? {
                    Some(reason) => return Ok(WaitAnswer::Emergency { reason }),
                    None => self.ui.ask(|_| "The run stays what it is.\n".to_owned()),
                },
                _ => self
                    .ui
                    .ask(|look| look.hang("", "That is none of the choices. Type one letter and Enter.")),
            }
        }
    }
}

fn stuck(look: Look, prompt: &WaitPrompt) -> String {
    let title =
        if prompt.is_interrupt { "Interrupted during a wait" } else { "The time for this wait is over" };
    let mut out = format!("\n{}\n", look.paint(Tone::Strong, title));
    let mark = if prompt.is_interrupt { Mark::Waiting } else { Mark::TimedOut };
    for one in &prompt.stuck {
        out += &look.hang(
            &format!("  {} ", look.mark(mark)),
            &format!("{}: {}: {}", one.pipeline, one.summary, one.because),
        );
    }
    out
}

fn wait_choices(look: Look, prompt: &WaitPrompt) -> String {
    let question = look.rehearsal() + &look.paint(Tone::Strong, "What now?");
    let emergency = if prompt.emergency.is_some() { "  e[m]ergency" } else { "" };
    let longer = duration::show(Duration::from_secs(prompt.longer.as_secs()));
    one_line(look, |no| {
        format!("{question}  [w]ait on ({longer})  [n]o, {no}{emergency}  (default: stop) > ")
    })
}

fn change(look: Look, prompt: &ChangePrompt) -> String {
    let head =
        format!("Somebody else changed {} in {} since the plan was made:", prompt.function, prompt.region);
    let mut out = look.hang("", &look.paint(Tone::Bad, head));
    for change in &prompt.changes {
        out += &look.hang(&format!("  {} ", look.mark(Mark::Warn)), &change.line());
    }
    out
}

fn undo(look: Look, prompt: &UndoPrompt) -> String {
    let count = text::plural(prompt.calls.len(), "call");
    let budget = duration::show(prompt.budget);
    let head = format!("What this run has changed can be put back ({count}, at most {budget}):");
    let mut out = look.hang("", &look.paint(Tone::Strong, head));
    for effect in &prompt.calls {
        out += &look.hang(&format!("  {} ", look.mark(Mark::Send)), &call(look, effect));
    }
    for text in &prompt.stays {
        out += &look.hang(&format!("  {} ", look.mark(Mark::Warn)), &format!("stays: {text}"));
    }
    out
}
