//! Looks at every command when it is over, and at the world when an act is over.

use super::draw::Phase;
use super::invariants::told::{DryRun, Known, dry_run_is_the_run};
use super::invariants::{Finding, Invariant, Judged, calls, environments, records, world};
use super::theatre::{Command, Desk, Ended, Over};
use super::weather::Weather;
use kdsha::journal::RunRecord;
use kdsha::model::{Exit, Side};
use kdsha::plan::{Intent, Mode};
use kdsha::sandbox::Logged;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// What was found so far.
#[derive(Debug, Default)]
pub struct Found {
    pub violations: Vec<String>,
    pub checked: BTreeMap<Invariant, usize>,
    pub transcript: Vec<String>,
    pub commands: usize,
}

/// Whoever looks.
pub struct Audit<'a> {
    weather: &'a Weather<'a>,
    pub found: RefCell<Found>,
    pub phase: Cell<Phase>,
    dry_run: RefCell<Option<DryRun>>,
    /// Every mapping that was ever seen.
    known: RefCell<Known>,
    /// Whether an emergency was begun.
    hasted: Cell<bool>,
    /// What every command said of records that expire.
    said: RefCell<Vec<records::Said>>,
}

impl<'a> Audit<'a> {
    pub fn new(weather: &'a Weather<'a>) -> Audit<'a> {
        Audit {
            weather,
            found: RefCell::default(),
            phase: Cell::new(Phase::Over),
            dry_run: RefCell::default(),
            known: RefCell::default(),
            hasted: Cell::new(false),
            said: RefCell::default(),
        }
    }

    fn hold(&self, judged: Judged) {
        let Judged { invariant, finding } = judged;
        let mut found = self.found.borrow_mut();
        match finding {
            Finding::NotDue => return,
            Finding::Holds => {}
            Finding::Broken(seen) => found.violations.push(format!("{invariant}: {seen}")),
        }
        *found.checked.entry(invariant).or_default() += 1;
    }

    /// A command is over.
    pub fn command(&self, ended: &Ended, desk: &Desk) {
        let theatre = self.weather.theatre;
        self.tell(ended, desk.owner);
        self.weather.take_note();
        self.remember_mappings();
        let own = |call: &Logged| call.access_key == desk.access_key;
        let mut sent = theatre.sandbox.log_from(ended.calls.start);
        sent.truncate(ended.calls.len());
        sent.retain(own);
        let runs = desk.runs();
        self.conduct(ended, &sent, &runs);
        self.hold(environments::environments_are_kept(self.weather));
        self.hold(environments::versions_are_kept(self.weather));
        self.stages(ended, &runs);
        self.remember_what_was_said(ended);
        if desk.owner != theatre.mine.owner {
            return;
        }
        self.dry_run(ended, &sent);
        self.outcome(ended, &runs);
        let emergency = matches!(ended.command, Command::Failover(Over { emergency: true, .. }));
        self.hasted.set(self.hasted.get() || emergency);
    }

    /// What is asked of every command of everybody.
    fn conduct(&self, ended: &Ended, sent: &[Logged], runs: &[RunRecord]) {
        self.hold(calls::looks_change_nothing(ended, sent));
        self.hold(calls::exit_code_is_true(ended, sent));
        self.hold(calls::exit_code_is_legal(ended));
        self.hold(calls::full_disk_stops(ended, runs));
        self.hold(calls::written_down_first(ended, sent, runs));
        self.hold(calls::pace_is_kept(sent));
        self.hold(calls::deadlines_hold(ended, runs));
    }

    /// The world between the stages of a run.
    fn stages(&self, ended: &Ended, runs: &[RunRecord]) {
        let run = runs.last().filter(|run| run.last >= ended.began);
        let intent = run.map(|run| &run.plan.intent);
        let is_alone = self.weather.scenario.people.is_empty();
        for between in &ended.between {
            self.hold(world::no_loop(self.weather, &between.mappings, &between.next));
            match intent {
                Some(Intent::Failover { mode: Mode::Planned, .. }) if is_alone && !self.hasted.get() => {
                    self.hold(world::one_consumer_between(self.weather, &between.mappings, &between.next));
                }
                Some(Intent::Failback { .. }) if is_alone => {
                    self.hold(world::no_doubling(self.weather, &between.mappings, &between.next));
                }
                _ => {}
            }
        }
    }

    fn dry_run(&self, ended: &Ended, sent: &[Logged]) {
        if !self.weather.scenario.is_calm() {
            return;
        }
        if matches!(ended.command, Command::DryRun { .. }) {
            let is_possible = ended.how.exit() == Some(Exit::Done);
            *self.dry_run.borrow_mut() = is_possible.then(|| DryRun::read(&ended.said, ended.began));
        } else if let Some(dry) = self.dry_run.take() {
            self.hold(dry_run_is_the_run(&dry, ended.began, sent, &self.known.borrow()));
        }
    }

    /// What the exit code of a command that moves something promises of the world.
    fn outcome(&self, ended: &Ended, runs: &[RunRecord]) {
        let theatre = self.weather.theatre;
        let (side, exit) = (self.side(), ended.how.exit());
        let is_alone = self.weather.scenario.people.is_empty();
        let moved =
            matches!(ended.command, Command::Failover(_) | Command::Failback { .. } | Command::Resume);
        match exit {
            Some(Exit::Done) if moved => {
                self.hold(world::one_consumer_each(self.weather));
                if is_alone {
                    self.hold(world::rests_in(self.weather, side));
                }
            }
            Some(Exit::Owed) if moved && is_alone => self.hold(world::second_is_owed(self.weather, runs)),
            _ => {}
        }
        if let Command::Failover(Over { emergency, .. }) = ended.command
            && matches!(exit, Some(Exit::Done | Exit::Owed))
        {
            self.hold(records::none_is_passed_over(theatre));
            if !emergency && is_alone && !self.hasted.get() {
                self.hold(records::nothing_is_stranded(theatre));
            }
        }
    }

    fn side(&self) -> Side {
        match self.phase.get() {
            Phase::Over => Side::Standby,
            Phase::Back => Side::Primary,
        }
    }

    fn remember_mappings(&self) {
        let mappings = self.weather.all_mappings();
        let mut known = self.known.borrow_mut();
        for mapping in mappings.primary.iter().chain(&mappings.standby) {
            let text = |key: &str| mapping[key].as_str().unwrap_or_default();
            let function = text("FunctionArn").split(":function:").nth(1).unwrap_or_default();
            known.insert(text("UUID").to_owned(), (function.to_owned(), text("EventSourceArn").to_owned()));
        }
    }

    fn remember_what_was_said(&self, ended: &Ended) {
        let what = records::Word::of(&ended.said);
        // In the plan at its begin, and by what was verified at its end.
        let said = [ended.began, ended.began + ended.took].map(|at| records::Said { at, what });
        self.said.borrow_mut().extend(said);
    }

    /// The world rests where it should.
    pub fn rests_in(&self, side: Side) {
        self.hold(world::rests_in(self.weather, side));
    }

    pub fn nothing_is_lost(&self, when: &str) {
        self.hold(records::nothing_is_lost(self.weather.theatre, when));
        self.hold(records::expiry_is_said(self.weather, &self.said.borrow(), when));
    }

    pub fn everything_is_processed(&self) {
        self.hold(records::everything_is_processed(self.weather.theatre));
    }

    pub fn verify_agrees(&self, phase: Phase, agrees: bool) {
        let seen = || format!("just after the {phase}: {}", self.last_line());
        self.hold(Invariant::VerifyAgrees.unless((!agrees).then(seen)));
    }

    /// Whether the operator got through the play; else what could not be brought about.
    pub fn gets_there(&self, failed: Option<&str>) {
        let seen = |to| format!("could not {to}; the last command: {}", self.last_line());
        self.hold(Invariant::OperatorGetsThere.unless(failed.map(seen)));
    }

    fn last_line(&self) -> String {
        self.found.borrow().transcript.last().cloned().unwrap_or_default()
    }

    fn tell(&self, ended: &Ended, owner: &str) {
        let how = match ended.how.exit() {
            Some(exit) => format!("exit {} ({exit:?})", exit.code()),
            None => format!("{:?}", ended.how),
        };
        let since = ended.began.duration_since(self.weather.theatre.began).as_secs();
        let mut line = format!("{since} s: {owner}: {:?} took {:?}: {how}", ended.command, ended.took);
        if !ended.how.advice().is_empty() {
            line.push_str(&format!(": {}", ended.how.advice()));
        }
        for said in ended.said.lines().filter(|said| !said.trim().is_empty()) {
            line.push_str("\n      | ");
            line.push_str(said);
        }
        let mut found = self.found.borrow_mut();
        found.commands += 1;
        found.transcript.push(line);
    }
}
