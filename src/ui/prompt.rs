//! Questions that cannot be misread: what will change, in which Region, what undoes it; the default is no.

use super::input::{Keyboard, Lines, Typed};
use super::look::{Look, Mark, Tone};
use super::plan::{NO_RETURN, call, words_of};
use super::{Ui, aws_cli, position, text};
use crate::model::{AccountId, Check, Effect, PipelineName, Region, Snapshot, Timestamp};
use crate::plan::Plan;
use crate::plan::position::Position;
use crate::steps::{Seen, Undo};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, IsTerminal};

/// Whether anybody can be asked: stdin and stderr are both terminals.
pub fn can_prompt() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// What the operator said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Yes,
    /// Stop here; the run can be resumed.
    No,
    /// Leave this stage out.
    Skip {
        /// Why, in the operator's words.
        reason: String,
    },
    /// Go on as an emergency: the Region was typed, and a reason given.
    Emergency {
        /// Why, in the operator's words.
        reason: String,
    },
}

/// One step of a stage, as a question shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepLine {
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The Region that it acts in.
    pub region: Region,
    /// What will change.
    pub what: String,
    /// Why.
    pub why: String,
    /// What takes it back.
    pub undo: Undo,
    /// The calls, in order.
    pub effects: Vec<Effect>,
    /// What shows that the step is done already, so that nothing is sent for it.
    pub done: Option<String>,
}

/// A stage, as a question shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct StagePrompt {
    /// Counted from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// Its title.
    pub title: String,
    /// Its steps.
    pub lines: Vec<StepLine>,
    /// The start positions that it uses.
    pub positions: BTreeMap<PipelineName, Position>,
    /// Whether there is no way back after it.
    pub is_point_of_no_return: bool,
    /// What skipping would risk; `None` where skipping is not legal.
    pub skip_risk: Option<String>,
    /// The Region to be typed when a planned failover is turned into an emergency here; `None` where that is not legal.
    pub emergency: Option<Region>,
    /// For the ARNs in AWS CLI lines.
    pub account: Option<AccountId>,
    /// Now, by the run's clock: times of another day get their date.
    pub at: Timestamp,
}

impl StagePrompt {
    /// The question of a plan's stage, counted from 1. Positions are shown where a mapping is created.
    /// `None` where the plan has no such stage.
    pub fn of_plan(
        plan: &Plan,
        number: usize,
        account: Option<&AccountId>,
        at: Timestamp,
    ) -> Option<StagePrompt> {
        let stage = plan.stages.get(number.checked_sub(1)?)?;
        let creates = |pipeline: &PipelineName| {
            let is_creation = |e: &Effect| matches!(e, Effect::CreateMapping { .. });
            stage.steps.iter().any(|s| s.pipeline == *pipeline && s.step.effects().iter().any(is_creation))
        };
        let lines = stage.steps.iter().map(|planned| StepLine {
            pipeline: planned.pipeline.clone(),
            region: planned.step.region().clone(),
            what: planned.step.summary(),
            why: planned.step.why(),
            undo: planned.step.undo(),
            effects: planned.step.effects(),
            done: None,
        });
        let positions = plan.positions.iter().filter(|(name, _)| creates(name));
        Some(StagePrompt {
            number,
            of: plan.stages.len(),
            title: stage.title.clone(),
            lines: lines.collect(),
            positions: positions.map(|(name, position)| (name.clone(), position.clone())).collect(),
            is_point_of_no_return: stage.is_point_of_no_return,
            skip_risk: stage.skip_risk.clone(),
            emergency: plan.may_turn().cloned(),
            account: account.cloned(),
            at,
        })
    }
}

impl StagePrompt {
    /// Steps that are done already, by a look, send nothing.
    #[must_use]
    pub fn seen(mut self, plan: &Plan, snapshot: &Snapshot) -> StagePrompt {
        let stage = self.number.checked_sub(1).and_then(|index| plan.stages.get(index));
        let steps = stage.map_or(&[][..], |stage| &stage.steps);
        for (line, planned) in self.lines.iter_mut().zip(steps) {
            let Some(pipeline) = snapshot.pipelines.get(&planned.pipeline) else { continue };
            if let Check::Done(evidence) = planned.step.check(Seen { pipeline, at: snapshot.taken_at }) {
                line.effects.clear();
                line.done = Some(evidence);
            }
        }
        self
    }
}

/// Who answers.
pub enum Prompter {
    /// A person.
    Terminal(Terminal),
    /// `--yes`. It answers prompts and lifts no guard.
    AssumeYes,
}

/// A person at a terminal.
pub struct Terminal {
    pub(super) ui: Ui,
    lines: Lines,
    terminated: bool,
    /// Whether Ctrl-C has answered a question.
    interrupted: bool,
}

impl Prompter {
    /// Asks on stderr, reads from stdin. What is typed while no question is open is dropped.
    pub fn terminal(ui: &Ui) -> Prompter {
        ui.will_ask();
        Terminal::reading(ui, Lines::Stdin(Keyboard::open()))
    }

    /// Asks on the ui's stderr, reads from the given lines.
    pub fn with_reader(ui: &Ui, reader: Box<dyn BufRead + Send>) -> Prompter {
        ui.will_ask();
        Terminal::reading(ui, Lines::Reader(reader))
    }

    /// Who confirmed, for the journal: `operator` or `--yes`.
    pub fn by(&self) -> &'static str {
        match self {
            Prompter::Terminal(_) => "operator",
            Prompter::AssumeYes => "--yes",
        }
    }

    /// Asks whether a stage may run. The default is no; an end of the input is no. Blocks the thread: in a
    /// rehearsal the virtual clock stands still meanwhile.
    ///
    /// # Errors
    /// `Interrupted` for Ctrl-C; whatever reading stdin gives.
    pub fn ask(&mut self, prompt: &StagePrompt) -> io::Result<Answer> {
        match self {
            Prompter::AssumeYes => Ok(Answer::Yes),
            Prompter::Terminal(terminal) => terminal.ask(prompt),
        }
    }

    /// Has the operator type a Region's name. `--yes` does not need to: the name is in the command.
    /// Three tries; an empty line or an end of the input is no.
    ///
    /// # Errors
    /// See [`Prompter::ask`].
    pub fn type_region(&mut self, region: &Region) -> io::Result<bool> {
        match self {
            Prompter::AssumeYes => Ok(true),
            Prompter::Terminal(terminal) => terminal.type_region(region),
        }
    }

    /// Reads a line after a prompt, for the game day's shell; `None` is the end of the input. With `--yes` the lines
    /// are a script's, from stdin.
    ///
    /// # Errors
    /// See [`Prompter::ask`].
    pub fn line(&mut self, ui: &Ui, prompt: &str) -> io::Result<Option<String>> {
        ui.ask(|look| look.paint(Tone::Strong, prompt));
        match self {
            Prompter::Terminal(terminal) => terminal.line(),
            Prompter::AssumeYes => {
                let mut line = String::new();
                let count = io::stdin().lock().read_line(&mut line)?;
                ui.ask(|_| if count == 0 { "\n".to_owned() } else { line.clone() });
                Ok((count > 0).then_some(line))
            }
        }
    }

    /// Asks a plain question; the default is no. `--yes` says yes.
    ///
    /// # Errors
    /// See [`Prompter::ask`].
    pub fn confirm(&mut self, question: &str) -> io::Result<bool> {
        match self {
            Prompter::AssumeYes => Ok(true),
            Prompter::Terminal(terminal) => terminal.confirm(question),
        }
    }
}

enum Choice {
    Yes,
    No,
    Explain,
    Skip,
    Emergency,
    Other,
}

fn choice(line: &str) -> Choice {
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Choice::Yes,
        "" | "n" | "no" => Choice::No,
        "e" | "explain" => Choice::Explain,
        "s" | "skip" => Choice::Skip,
        "m" | "emergency" => Choice::Emergency,
        _ => Choice::Other,
    }
}

impl Terminal {
    fn reading(ui: &Ui, lines: Lines) -> Prompter {
        Prompter::Terminal(Terminal { ui: ui.clone(), lines, terminated: false, interrupted: false })
    }

    /// Whether SIGTERM ended a question.
    pub(super) fn was_terminated(&self) -> bool {
        self.terminated
    }

    /// Whether Ctrl-C has answered a question.
    pub(super) fn was_interrupted(&self) -> bool {
        self.interrupted
    }

    /// See [`Lines::forget_interrupt`].
    pub(super) fn forget_interrupt(&mut self) {
        self.lines.forget_interrupt();
    }

    /// The next line; `None` at the end of the input.
    pub(super) fn line(&mut self) -> io::Result<Option<String>> {
        let typed = self.lines.next();
        if !matches!(typed, Typed::Line(_)) {
            self.ui.ask(|_| "\n".to_owned());
        }
        match typed {
            Typed::Line(line) => Ok(Some(line)),
            Typed::End => Ok(None),
            Typed::Interrupt => {
                self.interrupted = true;
                Err(io::ErrorKind::Interrupted.into())
            }
            Typed::Terminate => {
                self.terminated = true;
                Err(io::ErrorKind::Interrupted.into())
            }
            Typed::Failed(error) => Err(error),
        }
    }

    fn ask(&mut self, prompt: &StagePrompt) -> io::Result<Answer> {
        let is_announced = self.ui.has_announced(prompt.number);
        self.ui.ask(|look| question(look, prompt, is_announced));
        let can_skip = prompt.skip_risk.is_some();
        loop {
            self.ui.ask(|look| choices(look, prompt));
            let Some(line) = self.line()? else { return Ok(Answer::No) };
            match choice(&line) {
                Choice::Yes => return Ok(Answer::Yes),
                Choice::No => return Ok(Answer::No),
                Choice::Explain => self.ui.ask(|look| explanation(look, prompt)),
                Choice::Skip if can_skip => match self.reason(prompt)? {
                    Some(reason) => return Ok(Answer::Skip { reason }),
                    None => self.ui.ask(|_| "A skip needs a reason. Nothing was skipped.\n".to_owned()),
                },
                Choice::Skip => self.ui.ask(|_| "This stage cannot be skipped.\n".to_owned()),
                Choice::Emergency => match self.emergency(prompt.emergency.as_ref())? {
                    Some(reason) => return Ok(Answer::Emergency { reason }),
                    None => self.ui.ask(|_| "The run stays what it is.\n".to_owned()),
                },
                Choice::Other => self
                    .ui
                    .ask(|look| look.hang("", "That is none of the choices. Type one letter and Enter.")),
            }
        }
    }

    fn reason(&mut self, prompt: &StagePrompt) -> io::Result<Option<String>> {
        self.ui.ask(|look| {
            let risk = prompt.skip_risk.as_deref().unwrap_or_default();
            let mut out = look.hang(&format!("{} ", look.paint(Tone::Bad, "Skipping risks:")), risk);
            out += "Why is it skipped? (goes into the journal; empty takes it back) > ";
            out
        });
        let line = self.line()?.unwrap_or_default();
        let reason = line.trim();
        Ok((!reason.is_empty()).then(|| reason.to_owned()))
    }

    pub(super) fn type_region(&mut self, region: &Region) -> io::Result<bool> {
        for _ in 0..3 {
            self.ui.ask(|look| {
                let name = look.paint(Tone::Strong, region.as_str());
                let rehearsal = look.rehearsal();
                format!("{rehearsal}To go on, type the Region, {name}, and Enter (empty: stop here) > ")
            });
            let Some(line) = self.line()? else { return Ok(false) };
            match line.trim() {
                typed if typed == region.as_str() => return Ok(true),
                "" => return Ok(false),
                typed => {
                    let text = format!("`{typed}` is not {region}.");
                    self.ui.ask(|look| look.hang("", &text));
                }
            }
        }
        Ok(false)
    }

    pub(super) fn confirm(&mut self, question: &str) -> io::Result<bool> {
        loop {
            self.ui.ask(|look| look.hang("", &(look.rehearsal() + question)) + "[y]es  [n]o (default) > ");
            let Some(line) = self.line()? else { return Ok(false) };
            match choice(&line) {
                Choice::Yes => return Ok(true),
                Choice::No => return Ok(false),
                _ => self.ui.ask(|_| "Type y or n, and Enter.\n".to_owned()),
            }
        }
    }
}

fn name(prompt: &StagePrompt, line: &StepLine) -> String {
    let many = prompt.lines.iter().any(|other| other.pipeline != line.pipeline);
    if many { format!("{}: ", line.pipeline) } else { String::new() }
}

fn undo(look: Look, line: &StepLine) -> Vec<String> {
    match &line.undo {
        Undo::Effects(effects) => effects.iter().map(|effect| words_of(look, effect)).collect(),
        Undo::NothingToUndo => vec!["nothing is changed, so nothing has to be undone".to_owned()],
        Undo::NotReversible(instead) => vec![format!("CANNOT BE UNDONE: {instead}")],
    }
}

/// Columns of `changes`, `calls`, `undo`.
const LABEL: usize = 9;

fn labelled(look: Look, label: &str, text: &str) -> String {
    look.hang(&format!("  {label:<LABEL$}"), text)
}

/// The stage: what will change, where, and what undoes it.
fn question(look: Look, prompt: &StagePrompt, is_announced: bool) -> String {
    let mut out = String::new();
    if !is_announced {
        out.push('\n');
        if prompt.is_point_of_no_return {
            out += &format!("{}\n", look.alarm(NO_RETURN));
        }
        let title = format!("[{}/{}] {}", prompt.number, prompt.of, prompt.title);
        out += &look.hang("", &look.paint(Tone::Strong, title));
    }
    for line in &prompt.lines {
        let region = look.paint(Tone::Strong, line.region.as_str());
        out += &labelled(look, "in", &region);
        out += &labelled(look, "does", &format!("{}{}", name(prompt, line), line.what));
        out += &labelled(look, "why", &line.why);
        if line.effects.is_empty() {
            let nothing = match &line.done {
                Some(evidence) => format!("nothing: it is done already ({evidence})"),
                None => "nothing: it looks and waits, so there is nothing to undo".to_owned(),
            };
            out += &labelled(look, "sends", &nothing);
            continue;
        }
        for (index, effect) in line.effects.iter().enumerate() {
            out += &labelled(look, if index == 0 { "sends" } else { "" }, &call_without_region(look, effect));
        }
        for (index, text) in undo(look, line).iter().enumerate() {
            out += &labelled(look, if index == 0 { "undo" } else { "" }, text);
        }
    }
    for (pipeline, position) in &prompt.positions {
        out += &position::brief(look, pipeline.as_str(), position, prompt.at);
    }
    if prompt.is_point_of_no_return {
        let text = "Once records are written in the new Region, this undo alone does not restore what was before: go on to \
                    the end, and come back with a run of its own.";
        out += &look.hang("", &look.paint(Tone::Bad, text));
    }
    out
}

fn call_without_region(look: Look, effect: &Effect) -> String {
    format!("{} ({})", words_of(look, effect), effect.operation())
}

fn choices(look: Look, prompt: &StagePrompt) -> String {
    let skip = if prompt.skip_risk.is_some() { "  [s]kip" } else { "" };
    let regions: BTreeSet<&str> = prompt.lines.iter().map(|line| line.region.as_str()).collect();
    let regions: Vec<&str> = regions.into_iter().collect();
    let question =
        format!("Stage {}/{}, in {}: {}?", prompt.number, prompt.of, regions.join(" and "), prompt.title);
    let question = look.hang("", &(look.rehearsal() + &look.paint(Tone::Strong, question)));
    let emergency = if prompt.emergency.is_some() { "  e[m]ergency" } else { "" };
    let choices =
        one_line(look, |no| format!("[y]es  [n]o, {no}  [e]xplain{skip}{emergency}  (default: no) > "));
    question + &choices
}

/// The choices on one line: on a narrow terminal the no says less.
pub(super) fn one_line(look: Look, line: impl Fn(&str) -> String) -> String {
    let long = line("stop here (resumable)");
    if console::measure_text_width(&long) <= look.columns() { long } else { line("stop") }
}

/// Why, the calls as AWS CLI lines, what undoes them. Command lines are never broken, so that they can be copied.
fn explanation(look: Look, prompt: &StagePrompt) -> String {
    let mut out = format!("\n{}\n", look.rule(&format!("Stage {} explained", prompt.number)));
    for line in &prompt.lines {
        out += &look.hang(
            "",
            &format!("{}{} ({})", name(prompt, line), look.paint(Tone::Strong, &line.what), line.region),
        );
        out += &labelled(look, "why", &line.why);
        for effect in &line.effects {
            out += &labelled(look, "by hand", &call(look, effect));
            out += &commands(effect, prompt.account.as_ref());
        }
        match &line.undo {
            Undo::Effects(effects) => {
                for effect in effects {
                    out += &labelled(look, "undo", &call(look, effect));
                    out += &commands(effect, prompt.account.as_ref());
                }
            }
            _ => out.extend(undo(look, line).iter().map(|text| labelled(look, "undo", text))),
        }
    }
    for (pipeline, position) in &prompt.positions {
        out += &position::render(look, pipeline.as_str(), position, prompt.at);
    }
    if let Some(risk) = &prompt.skip_risk {
        out += &look.hang(&format!("  {} ", look.mark(Mark::Warn)), &format!("Skipping risks: {risk}"));
    }
    let steps = text::plural(prompt.lines.len(), "step");
    out + &format!("{}\n", look.rule(&format!("end of the explanation, {steps}; nothing was sent")))
}

fn commands(effect: &Effect, account: Option<&AccountId>) -> String {
    aws_cli::lines(effect, account).iter().map(|line| format!("    {line}\n")).collect()
}
