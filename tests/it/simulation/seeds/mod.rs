//! Thousands of outages, each drawn from a number: the real engine and the real SDK on the sandbox in process.
//!
//! [`Scenario::draw`](draw::Scenario::draw) makes a story of plain data from a seed; [`play`] lets a modelled operator
//! fail over, settle and fail back in it; `invariants` say what must be true of every story.
//!
//! One story again, told: `KDSHA_SEED=123 cargo test --test it seeds -- --nocapture`; others than the first ones:
//! `KDSHA_SEEDS=1000..1200`.

// What was played and what a soak measured is for people to read.
#![allow(clippy::print_stdout)]

mod audit;
mod draw;
mod invariants;
mod onlooker;
mod operator;
mod tell;
#[cfg(test)]
mod tests;
mod theatre;
mod weather;

use audit::Audit;
use draw::{Phase, Scenario, minutes};
pub use invariants::Invariant;
use kdsha::model::{Exit, Side};
use operator::{Operator, Outcome};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;
use theatre::{Desk, Ended, Theatre};
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
    /// How often there was something to hold against each invariant.
    pub checked: BTreeMap<Invariant, usize>,
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
    runtime.expect("a runtime").block_on(story(seed))
}

/// The same; a story that panics is a failure like any other.
pub fn play_safely(seed: u64) -> Report {
    std::panic::catch_unwind(|| play(seed)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
        Report { seed, story: tell(seed), violations: vec![format!("a panic: {text}")], ..Report::default() }
    })
}

async fn story(seed: u64) -> Report {
    let scenario = Scenario::draw(seed);
    let theatre = Theatre::of(&scenario);
    let weather = Weather::over(&theatre, &scenario);
    let play =
        Play { scenario: &scenario, theatre: &theatre, weather: &weather, audit: Audit::new(&weather) };
    tokio::select! {
        biased;
        () = play.script() => {}
        () = weather.blow() => {}
    }
    let found = play.audit.found.take();
    let mut transcript = found.transcript;
    transcript.extend(weather.diary.take().into_iter().map(|line| format!("others: {line}")));
    Report {
        seed,
        story: scenario.to_string(),
        transcript,
        violations: found.violations,
        checked: found.checked,
        virtual_time: theatre.elapsed() + minutes(20),
        requests: theatre.sandbox.calls().0,
        commands: found.commands,
        fingerprint: fingerprint(&theatre),
    }
}

/// A story under way.
struct Play<'a> {
    scenario: &'a Scenario,
    theatre: &'a Theatre,
    weather: &'a Weather<'a>,
    audit: Audit<'a>,
}

impl Play<'_> {
    async fn script(&self) {
        let audit = |ended: &Ended, desk: &Desk| self.audit.command(ended, desk);
        let operator = Operator::new(self.weather, &audit);
        let failed = self.acts(&operator, &audit).await.err();
        self.audit.gets_there(failed);
    }

    /// The acts of the play, one after the other. An error is what the operator could not bring about.
    async fn acts(&self, operator: &Operator<'_>, audit: &dyn Fn(&Ended, &Desk)) -> Result<(), &'static str> {
        let (scenario, theatre) = (self.scenario, self.theatre);
        theatre.until(scenario.lead).await;
        match self.phase(Phase::Over, audit, operator.over()).await {
            Outcome::Stuck => return Err("fail over"),
            Outcome::Done => self.look_at_once(Phase::Over, operator).await,
            Outcome::Owed => {}
        }
        theatre.pass(scenario.stay).await;
        // The world calms down, and metrics and checkpoints follow.
        theatre.until(scenario.calm_again() + minutes(15)).await;
        if operator.settle(Side::Standby).await == Outcome::Stuck {
            return Err("settle after the failover");
        }
        self.audit.rests_in(Side::Standby);
        self.audit.nothing_is_lost("settled in the standby");
        if scenario.goes_back {
            self.acts_of_failback(operator, audit).await?;
        }
        theatre.sandbox.with_world(kdsha::sandbox::world::World::stop_traffic);
        theatre.pass(minutes(20)).await;
        self.audit.nothing_is_lost("at the end");
        if scenario.goes_back {
            self.audit.everything_is_processed();
        }
        Ok(())
    }

    async fn acts_of_failback(
        &self,
        operator: &Operator<'_>,
        audit: &dyn Fn(&Ended, &Desk),
    ) -> Result<(), &'static str> {
        let began = self.theatre.elapsed();
        let work = operator.back();
        let act = self.phase(Phase::Back, audit, work);
        let (outcome, ()) = futures_util::future::join(act, self.weather.blow_back()).await;
        match outcome {
            Outcome::Stuck => return Err("fail back"),
            Outcome::Done | Outcome::Owed => self.look_at_once(Phase::Back, operator).await,
        }
        if !self.scenario.back_events.is_empty() {
            self.theatre.until(began + self.scenario.back_calm_again() + minutes(15)).await;
        }
        if operator.settle(Side::Primary).await == Outcome::Stuck {
            return Err("settle after the failback");
        }
        self.audit.rests_in(Side::Primary);
        Ok(())
    }

    /// What a run that ended with exit 0 left is sound in the eyes of `verify` too, on a fair night.
    async fn look_at_once(&self, phase: Phase, operator: &Operator<'_>) {
        if self.scenario.people.is_empty() && self.weather.is_fair(phase) {
            let exit = operator.look().await;
            self.audit.verify_agrees(phase, exit == Some(Exit::Done));
        }
    }

    async fn phase(
        &self,
        phase: Phase,
        audit: &dyn Fn(&Ended, &Desk),
        work: impl Future<Output = Outcome>,
    ) -> Outcome {
        self.audit.phase.set(phase);
        self.weather.spoil(phase);
        let is_over = Cell::new(false);
        let work = async {
            let outcome = work.await;
            is_over.set(true);
            outcome
        };
        let (outcome, ()) =
            futures_util::future::join(work, self.weather.people(phase, &is_over, audit)).await;
        // What was to befall this phase does not wait for the next one.
        self.weather.theatre.sandbox.mend();
        self.weather.take_note();
        outcome
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
