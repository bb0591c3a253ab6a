//! What is open is asked where there is a terminal; elsewhere the flag that answers it is named.

use super::super::failure::Failure;
use crate::config::Regions;
use crate::model::{Exit, Region, Survey};
use crate::plan::discover::{Candidate, Choice, Found, Open, Wishes, discover};
use crate::ui::{Prompter, Ui, can_prompt};
use std::io;
use std::path::Path;

/// Who is asked.
pub(super) struct Asker {
    ui: Ui,
    prompter: Option<Prompter>,
    path: String,
}

impl Asker {
    /// Asks at the terminal, where there is one.
    pub(super) fn new(ui: &Ui, path: &Path) -> Asker {
        Asker { ui: ui.clone(), prompter: None, path: path.display().to_string() }
    }

    /// The terminal; it is read only once a question is open.
    fn terminal(&mut self, question: &str, flag: &str) -> Result<&mut Prompter, Failure> {
        if !can_prompt() {
            let message = format!("there is no terminal to ask on: {question}");
            return Err(Failure::new(Exit::Usage, message).hint(format!("say it with {flag}")));
        }
        Ok(self.prompter.get_or_insert_with(|| Prompter::terminal(&self.ui)))
    }

    fn given_up(&self, flag: &str) -> Failure {
        let message = format!("{} was not written: no answer", self.path);
        Failure::new(Exit::Declined, message).hint(format!("run it again, or answer with {flag}"))
    }

    /// A Region, typed in.
    pub(super) fn region(
        &mut self,
        question: &str,
        flag: &str,
        other: Option<&Region>,
    ) -> Result<Region, Failure> {
        let read = |typed: &str| match typed.parse::<Region>() {
            Ok(region) if Some(&region) == other => Err(format!("{region} is the primary Region already.")),
            Ok(region) => Ok(region),
            Err(error) => Err(format!("{error}.")),
        };
        let typed = self.terminal(question, flag)?.type_in(question, read).map_err(stopped)?;
        typed.ok_or_else(|| self.given_up(flag))
    }

    /// One of several Regions.
    pub(super) fn one_of<'c>(
        &mut self,
        question: &str,
        flag: &str,
        several: &'c [(Region, Candidate)],
    ) -> Result<&'c (Region, Candidate), Failure> {
        let names: Vec<&str> = several.iter().map(|(region, _)| region.as_str()).collect();
        let open = format!("{question} ({})", names.join(", "));
        let options = options(several.iter().map(|(_, candidate)| candidate));
        let chosen = self.terminal(&open, flag)?.choose(question, &options).map_err(stopped)?;
        chosen.and_then(|index| several.get(index)).ok_or_else(|| self.given_up(flag))
    }

    /// Finds the pipelines; asks until nothing is open.
    pub(super) fn settle(
        &mut self,
        regions: &Regions,
        survey: &Survey,
        mut wishes: Wishes,
    ) -> Result<Found, Failure> {
        loop {
            match discover(regions, survey, &wishes) {
                Ok(found) => return Ok(found),
                Err(Open::Choice(choice)) => {
                    let answer = self.answer(&choice)?;
                    wishes.answers.insert(choice.question, answer);
                }
                Err(unread) => return Err(super::ask::unread(&unread)),
            }
        }
    }

    fn answer(&mut self, choice: &Choice) -> Result<String, Failure> {
        let names: Vec<&str> = choice.candidates.iter().map(|candidate| candidate.name.as_str()).collect();
        let open = format!("{} ({})", choice.text, names.join(", "));
        let options = options(choice.candidates.iter());
        let chosen = self.terminal(&open, choice.flag)?.choose(&choice.text, &options).map_err(stopped)?;
        match chosen.and_then(|index| choice.candidates.get(index)) {
            Some(candidate) => Ok(candidate.name.clone()),
            None if choice.may_be_none => Ok(String::new()),
            None => Err(self.given_up(choice.flag)),
        }
    }
}

fn options<'c>(candidates: impl Iterator<Item = &'c Candidate>) -> Vec<(String, String)> {
    candidates.map(|candidate| (candidate.name.clone(), candidate.because.clone())).collect()
}

fn stopped(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::Interrupted => Failure::new(Exit::Interrupted, "interrupted; nothing was written"),
        _ => Failure::new(Exit::Internal, format!("the terminal cannot be read: {error}")),
    }
}

/// Lists that could not be read. What is not known is not taken for absent.
pub(super) fn unread(open: &Open) -> Failure {
    let reasons = match open {
        Open::Unread(reasons) => reasons.join("; "),
        Open::Choice(choice) => choice.text.clone(),
    };
    Failure::new(Exit::Blocked, format!("what the account holds could not be read: {reasons}")).hint(
        "both Regions must answer, and the credentials must allow the reads that `kdsha init --help` lists",
    )
}
