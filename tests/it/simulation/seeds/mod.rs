//! Thousands of outages, each drawn from a number: the real engine and the real SDK on the sandbox in process.
//!
//! [`Scenario::draw`](draw::Scenario::draw) makes a story of plain data from a seed; [`play`] lets a modelled operator
//! fail over, settle and fail back in it; `invariants` say what must be true of every story.
//!
//! One story again, told: `KDSHA_SEED=123 cargo test --test it seeds -- --nocapture`.

// What was played and what a soak measured is for people to read.
#![allow(clippy::print_stdout)]

mod draw;
mod invariants;
mod operator;
mod tell;
#[cfg(test)]
mod tests;
mod theatre;
mod weather;

use draw::{Deed, Phase, Scenario, minutes};
use invariants::Violation;
use kdsha::model::{Exit, Side};
use operator::{Operator, Outcome};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use theatre::{Command, Ended, Theatre};
use weather::Weather;

/// What came of a story.
#[derive(Debug, Default)]
pub struct Report {
    pub seed: u64,
    /// The scenario in words.
    pub story: String,
    /// Every command with its end, and what other people did.
    pub transcript: Vec<String>,
    pub violations: Vec<String>,
    /// How much of the world's time it took, history included.
    pub virtual_time: Duration,
    pub requests: usize,
    pub commands: usize,
    /// A number that is the same when everything happened in the same way.
    pub fingerprint: u64,
}

/// The story of a seed in words, without playing it.
pub fn tell(seed: u64) -> String {
    Scenario::draw(seed).to_string()
}

/// Plays the story of a seed on a runtime of its own.
pub fn play(seed: u64) -> Report {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(Play::of(seed))
}

/// A story under way.
struct Play {
    violations: RefCell<Vec<Violation>>,
    transcript: RefCell<Vec<String>>,
    printed: RefCell<Option<Vec<invariants::Told>>>,
    commands: Cell<usize>,
    /// Whether an emergency was begun.
    hasted: Cell<bool>,
}

impl Play {
    async fn of(seed: u64) -> Report {
        let scenario = Scenario::draw(seed);
        let theatre = Theatre::of(&scenario);
        let play = Play {
            violations: RefCell::default(),
            transcript: RefCell::default(),
            printed: RefCell::default(),
            commands: Cell::new(0),
            hasted: Cell::new(false),
        };
        let weather = Weather::over(&theatre, &scenario);
        tokio::select! {
            biased;
            () = play.script(&scenario, &theatre, &weather) => {}
            () = weather.blow() => {}
        }
        let (requests, _) = theatre.sandbox.calls();
        let mut transcript = play.transcript.take();
        transcript.extend(weather.diary.take().into_iter().map(|line| format!("others: {line}")));
        Report {
            seed,
            story: scenario.to_string(),
            transcript,
            violations: play
                .violations
                .take()
                .into_iter()
                .map(|v| format!("{}: {}", v.invariant, v.seen))
                .collect(),
            virtual_time: theatre.elapsed() + minutes(20),
            requests,
            commands: play.commands.get(),
            fingerprint: fingerprint(&theatre),
        }
    }

    fn hold(&self, violation: Option<Violation>) {
        self.violations.borrow_mut().extend(violation);
    }

    async fn script(&self, scenario: &Scenario, theatre: &Theatre, weather: &Weather<'_>) {
        let audit = |ended: &Ended, owner: &str| self.audit(scenario, theatre, weather, ended, owner);
        let operator = Operator::new(weather, &audit);
        theatre.until(scenario.lead).await;
        let over = self.phase(Phase::Over, weather, operator.over()).await;
        if over == Outcome::Stuck {
            return self.stuck("fail over");
        }
        theatre.pass(scenario.stay).await;
        // The world calms down, and metrics and checkpoints follow.
        theatre.until(scenario.calm_again() + minutes(15)).await;
        if operator.settle(Side::Standby).await == Outcome::Stuck {
            return self.stuck("settle after the failover");
        }
        self.hold(invariants::rests_in(weather, Side::Standby));
        self.hold(invariants::nothing_is_lost(theatre, "settled in the standby"));
        if scenario.goes_back {
            if self.phase(Phase::Back, weather, operator.back()).await == Outcome::Stuck {
                return self.stuck("fail back");
            }
            if operator.settle(Side::Primary).await == Outcome::Stuck {
                return self.stuck("settle after the failback");
            }
            self.hold(invariants::rests_in(weather, Side::Primary));
        }
        self.hold(invariants::environments_are_kept(weather));
        theatre.sandbox.with_world(kdsha::sandbox::world::World::stop_traffic);
        theatre.pass(minutes(20)).await;
        self.hold(invariants::nothing_is_lost(theatre, "at the end"));
        if scenario.goes_back {
            self.hold(invariants::everything_was_processed(theatre));
        }
    }

    fn stuck(&self, to: &str) {
        let last = self.transcript.borrow().last().cloned().unwrap_or_default();
        self.hold(Some(Violation {
            invariant: "the operator gets there",
            seen: format!("could not {to}; the last command: {last}"),
        }));
    }

    async fn phase(
        &self,
        phase: Phase,
        weather: &Weather<'_>,
        work: impl Future<Output = Outcome>,
    ) -> Outcome {
        weather.spoil(phase);
        let is_over = Cell::new(false);
        let work = async {
            let outcome = work.await;
            is_over.set(true);
            outcome
        };
        let (outcome, ()) = futures_util::future::join(work, weather.people(phase, &is_over)).await;
        // What was to befall this phase does not wait for the next one.
        weather.theatre.sandbox.mend();
        weather.take_note();
        outcome
    }

    /// Looks at a command that is over.
    fn audit(
        &self,
        scenario: &Scenario,
        theatre: &Theatre,
        weather: &Weather<'_>,
        ended: &Ended,
        owner: &str,
    ) {
        self.commands.set(self.commands.get() + 1);
        self.tell(theatre, ended, owner);
        let calls = theatre.sandbox.log_from(ended.calls.start);
        let calls = &calls[..ended.calls.len()];
        let runs: Vec<_> =
            theatre.mine.journals().runs().into_iter().flatten().filter_map(|one| one.run.ok()).collect();
        let alone = !scenario.people.iter().any(|person| person.deed == Deed::SecondOperator);
        if alone {
            self.hold(invariants::exit_code_keeps_its_word(ended, calls));
            self.hold(invariants::written_down_first(ended, calls, &runs));
            let slow = |fault: &draw::ApiFault| matches!(fault.fault, kdsha::sandbox::faults::Fault::Slow(_));
            if !scenario.faults.iter().any(slow) {
                self.hold(invariants::pace_is_kept(calls));
            }
        }
        self.hold(invariants::deadlines_hold(ended, &runs));
        if scenario.is_calm() {
            if matches!(ended.command, Command::DryRun { .. }) {
                *self.printed.borrow_mut() = Some(invariants::printed(&ended.said));
            } else if let Some(printed) = self.printed.take() {
                self.hold(invariants::dry_run_is_the_run(&printed, calls));
            }
        }
        let moved = matches!(ended.command, Command::Failover { .. } | Command::Failback | Command::Resume);
        if moved && ended.how.exit() == Some(Exit::Done) {
            self.hold(invariants::one_consumer_each(weather));
        }
        if let Command::Failover { emergency, .. } = ended.command
            && matches!(ended.how.exit(), Some(Exit::Done | Exit::Owed))
        {
            self.hold(invariants::none_is_passed_over(theatre));
            let undisturbed = scenario.people.is_empty() && !self.hasted.get();
            if !emergency && undisturbed {
                self.hold(invariants::nothing_is_stranded(theatre));
            }
        }
        let emergency = matches!(ended.command, Command::Failover { emergency: true, .. });
        self.hasted.set(self.hasted.get() || emergency);
    }

    fn tell(&self, theatre: &Theatre, ended: &Ended, owner: &str) {
        let how = match ended.how.exit() {
            Some(exit) => format!("exit {} ({exit:?})", exit.code()),
            None => format!("{:?}", ended.how),
        };
        let since = ended.began.duration_since(theatre.began).as_secs();
        let mut line = format!("{since} s: {owner}: {:?} took {:?}: {how}", ended.command, ended.took);
        if !ended.how.advice().is_empty() {
            line.push_str(&format!(": {}", ended.how.advice()));
        }
        for said in ended.said.lines().filter(|said| !said.trim().is_empty()) {
            line.push_str("\n      | ");
            line.push_str(said);
        }
        self.transcript.borrow_mut().push(line);
    }
}

/// The calls and the ledger, as one number.
fn fingerprint(theatre: &Theatre) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    for call in theatre.sandbox.log_from(0) {
        (call.at, &call.operation, call.region.as_str(), call.applied).hash(&mut hasher);
    }
    let ledger = theatre.sandbox.with_world(|world| world.ledger());
    (ledger.put, ledger.processed, ledger.duplicates, ledger.lost).hash(&mut hasher);
    hasher.finish()
}
