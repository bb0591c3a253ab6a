//! The only room that prints: terminal, tables, progress, prompts, JSON.
//!
//! stdout is data, everything else is stderr. Times are the caller's (the server's clock), never the
//! workstation's. What is rendered is made by pure functions, one file a subject; [`Ui`] decides where it goes:
//!
//! | file | makes |
//! |---|---|
//! | `header` | who, where, what and the clock: the same for all commands |
//! | `run`, `wait`, `card` | a run as it happens, its live lines, its end |
//! | `again` | the next commands, with the flags that they need too |
//! | `before` | what a run did before it was gone on with |
//! | `status`, `cells` | both Regions side by side |
//! | `plan`, `position` | a plan before anybody says yes |
//! | `checks`, `failure` | preflight and `verify`; errors with hints |
//! | `choose` | which of several, and words to be typed in: the questions of `init` |
//! | `prompt`, `questions`, `input`, `aws_cli` | questions, how answers are read, the same calls by hand |
//! | `look`, `text`, `screen` | the visual language, words and numbers, the two outputs |
//! | `watch` | `status --watch`, full-screen |
//! | `harmless` | other people's control characters, written out |

mod again;
pub mod aws_cli;
mod before;
mod card;
mod cells;
mod checks;
mod choose;
mod failure;
mod harmless;
mod header;
mod input;
pub(crate) mod json;
mod look;
mod plan;
mod position;
pub mod prompt;
mod questions;
mod reach;
mod rehearsal;
pub mod report;
mod run;
mod screen;
mod status;
mod text;
mod wait;
pub mod watch;

pub use again::{Again, flag};
pub use look::Ground;
pub use prompt::{Answer, Prompter, StagePrompt, StepLine, can_prompt};
pub use questions::{Change, ChangePrompt, Stuck, UndoPrompt, WaitAnswer, WaitPrompt};
pub use screen::Buffer;
pub use status::StatusInput;
pub(crate) use status::tells_of;

use crate::config::{Regions, Topology};
use crate::model::{CheckReport, Effect, Event, Exit, Identity, PipelineName, RunId, Snapshot, Timestamp};
use crate::plan::{Plan, PlannedEffect};
use header::Context;
use look::Look;
use screen::Screen;
use serde::Serialize;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What stdout speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Tables and sentences.
    #[default]
    Human,
    /// Documents, one a line, each with its `schema`.
    Json,
}

/// Whether colours are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// How the operator wants to be spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// What stdout speaks.
    pub format: Format,
    /// Colours.
    pub color: Color,
    /// No progress. Prompts, errors, what needs attention and data stay.
    pub quiet: bool,
    /// `-v`, counted.
    pub verbose: u8,
    /// What the commands work on.
    pub ground: Ground,
}

/// The one way to the operator. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Ui(Arc<Mutex<Inner>>);

struct Inner {
    settings: Settings,
    screen: Screen,
    context: Context,
    run: run::RunView,
    /// The stage whose head was shown last.
    announced: Option<usize>,
    /// Whether a person is asked.
    asks: bool,
}

impl Ui {
    /// Speaks on the process's stdout and stderr.
    pub fn new(settings: Settings) -> Ui {
        let screen = Screen::of_process(&settings);
        Ui::with_screen(settings, screen)
    }

    /// Speaks into given writers, in plain lines of at most `width` columns.
    pub fn with_writers(
        settings: Settings,
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        width: usize,
    ) -> Ui {
        let screen = Screen::of_writers(&settings, stdout, stderr, width);
        Ui::with_screen(settings, screen)
    }

    fn with_screen(settings: Settings, screen: Screen) -> Ui {
        let (context, run) = (Context::default(), run::RunView::default());
        Ui(Arc::new(Mutex::new(Inner { settings, screen, context, run, announced: None, asks: false })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The settings.
    pub fn settings(&self) -> Settings {
        self.inner().settings.clone()
    }

    /// Tells that the commands work on something else from now on.
    pub fn stand_on(&self, ground: Ground) {
        let inner = &mut *self.inner();
        inner.settings.ground = ground;
        inner.screen.stand_on(ground);
    }

    /// Tells who is at work and where, for the headers, before anybody looked.
    pub fn set_context(&self, topology: &Topology, identity: Option<&Identity>) {
        let context = &mut self.inner().context;
        *context = Context { again: context.again.clone(), ..Context::of(topology, identity) };
    }

    /// Tells which flags the commands that are named next need too.
    pub fn set_again(&self, again: Again) {
        self.inner().context.again = again;
    }

    /// Tells it of a run that is over, for its replay.
    pub fn set_past(&self, who: String, regions: Option<Regions>, rto: Duration) {
        self.inner().context = Context { who: Some(who), regions, rto: Some(rto), ..Context::default() };
    }

    /// Tells what a look says of it: the caller, the active Region, this machine's clock.
    pub fn set_scene(&self, topology: &Topology, snapshot: &Snapshot) {
        let context = &mut self.inner().context;
        *context = Context { again: context.again.clone(), ..Context::seen(topology, snapshot) };
    }

    /// Tells what earlier processes did of a run that is gone on with: when it began, and the calls that AWS accepted,
    /// where the journal of the run is here.
    pub fn going_on(&self, run: &RunId, began: Timestamp, changed: Option<Vec<(PipelineName, Effect)>>) {
        self.inner().run.before = Some(before::Before { run: run.clone(), began, changed });
    }

    /// Shows one happening of a run: a line on stderr, or a `kdsha.event/1` document on stdout.
    pub fn event(&self, event: &Event, at: Timestamp) {
        let inner = &mut *self.inner();
        let event = &with_flags(event, &inner.context.again);
        if inner.settings.format == Format::Json {
            return inner.screen.data(&json::event(event, at));
        }
        let look = inner.screen.look();
        let (text, weight) = inner.run.render(look, inner.screen.live(), &inner.context, event, at);
        if inner.settings.quiet && weight == run::Weight::Progress {
            return;
        }
        if let Event::StageStarted { number, .. } = event {
            inner.announced = Some(*number);
        }
        inner.screen.say(&text);
    }

    /// Shows where both Regions stand, on stdout.
    pub fn status(&self, input: &StatusInput<'_>) {
        self.show(|| json::status(input), |look, context| status::render(look, &context.again, input));
    }

    /// Shows a plan as data, on stdout: a dry run.
    pub fn plan(&self, plan: &Plan, effects: &[PlannedEffect]) {
        let before = self.inner().run.so_far(&plan.run);
        self.show(
            || json::plan(plan, effects),
            |look, context| plan::render(look, context, plan, effects, before.as_ref()),
        );
    }

    /// Shows a plan before the first prompt of a run, on stderr, where the prompts are. Whoever is asked gets it in
    /// any case; where nobody is asked, JSON has the events, and `--quiet` gets what needs attention.
    pub fn plan_summary(&self, plan: &Plan, effects: &[PlannedEffect]) {
        let inner = &mut *self.inner();
        let look = inner.screen.look();
        let is_human = inner.settings.format == Format::Human;
        let before = inner.run.so_far(&plan.run);
        let text = match (inner.asks, is_human && !inner.settings.quiet) {
            (true, _) | (false, true) => plan::render(look, &inner.context, plan, effects, before.as_ref()),
            (false, false) if is_human => {
                plan.warnings().into_iter().map(|report| checks::one(look, report)).collect()
            }
            (false, false) => return,
        };
        inner.screen.say(&text);
    }

    /// Shows a list of checks, on stdout.
    pub fn checks(&self, reports: &[CheckReport], title: &str) {
        self.show(|| json::checks(reports), |look, context| checks::render(look, context, reports, title));
    }

    /// Shows why a command ended badly: `error:` and `hint:` lines on stderr, and as JSON on stdout too.
    /// `chain` is the message and its causes, the outermost first.
    pub fn failure(&self, exit: Exit, chain: &[String], hints: &[String]) {
        let inner = &mut *self.inner();
        inner.run.clear(inner.screen.live());
        let hints: Vec<String> = hints.iter().map(|hint| inner.context.again.complete_in(hint)).collect();
        let hints = &hints[..];
        let text = failure::render(inner.screen.look(), exit, chain, hints);
        inner.screen.say(&text);
        if inner.settings.format == Format::Json {
            inner.screen.data(&json::error(exit, chain, hints));
        }
    }

    /// Shows the final document of a rehearsal, on stdout. `kdsha.rehearsal/1` becomes its schema where it has none.
    pub fn rehearsal(&self, result: &serde_json::Value) {
        self.show(|| json::rehearsal(result), |look, _| rehearsal::render(look, result));
    }

    /// Shows a table of anything, on stdout; as JSON `document` instead. Where it does not fit, it is a card a row.
    pub fn table(&self, header: &[&str], rows: &[Vec<String>], schema: &str, document: &impl Serialize) {
        self.show(|| json::document(schema, document), |look, _| look.fitted_table(header, rows));
    }

    /// Writes text as it is to stdout: a page, a policy, a completion script, a URL.
    pub fn raw(&self, text: &str) {
        self.inner().screen.data(text);
    }

    /// Writes a document with a schema to stdout, whatever the format.
    pub fn document(&self, schema: &str, body: &impl Serialize) {
        self.inner().screen.data(&json::document(schema, body));
    }

    /// Says a sentence on stderr, unless told to be quiet.
    pub fn note(&self, text: &str) {
        let inner = &mut *self.inner();
        if !inner.settings.quiet {
            let line = inner.screen.look().hang("", text);
            inner.screen.say(&line);
        }
    }

    /// Says on a terminal that AWS is looked at, until what it gives is dropped: a Region that is silent keeps everybody
    /// waiting.
    #[must_use]
    pub fn looking(&self) -> Looking {
        let inner = self.inner();
        let is_shown = inner.settings.format == Format::Human;
        let bar = inner.screen.live().filter(|_| is_shown).map(|live| {
            let bar = wait::bar(live, inner.screen.look());
            bar.set_message(LOOKING);
            bar
        });
        Looking(bar)
    }

    /// The first error of a write, where one failed: `BrokenPipe` is how `| head` ends a command.
    pub fn write_error(&self) -> Option<io::ErrorKind> {
        self.inner().screen.failed()
    }

    /// Data: a document or its rendering, on stdout.
    fn show(&self, document: impl FnOnce() -> String, human: impl FnOnce(Look, &Context) -> String) {
        let inner = &mut *self.inner();
        let text = match inner.settings.format {
            Format::Json => document(),
            Format::Human => human(inner.screen.data_look(), &inner.context),
        };
        inner.screen.data(&text);
    }

    /// From now on a person is asked.
    pub(crate) fn will_ask(&self) {
        self.inner().asks = true;
    }

    /// Whether the head of a stage is on the screen already.
    pub(crate) fn has_announced(&self, stage: usize) -> bool {
        self.inner().announced == Some(stage)
    }

    /// A question, its live lines out of the way.
    pub(crate) fn ask(&self, make: impl FnOnce(Look) -> String) {
        let inner = &mut *self.inner();
        inner.run.clear(inner.screen.live());
        let text = make(inner.screen.look());
        inner.screen.say(&text);
    }
}

/// What is said meanwhile. The bound is that of a look.
const LOOKING: &str = "looking at both Regions (at most 10 s)";

/// A look under way; its line goes when this is dropped.
pub struct Looking(Option<indicatif::ProgressBar>);

impl Drop for Looking {
    fn drop(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}

/// An event whose next commands can be typed as they are.
fn with_flags(event: &Event, again: &Again) -> Event {
    let mut event = event.clone();
    match &mut event {
        Event::RunFinished { next: Some(next), .. } => *next = again.complete(next),
        Event::Note { text } => *text = again.complete_in(text),
        _ => {}
    }
    event
}

#[cfg(test)]
pub(crate) mod tests;
