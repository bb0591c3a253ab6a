//! The modelled operator: does what the exit code and the output say, and nothing else.

use super::draw::{Mishap, Phase, Scenario};
use super::theatre::{Command, Desk, Ended, How, Over, Theatre};
use super::weather::Weather;
use kdsha::model::{Exit, Side, StartAt, Timestamp};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

/// Between two tries of something that has to pass by itself.
const PATIENCE: Duration = Duration::from_secs(150);
/// Between a command that stopped and the same command again.
const BREATH: Duration = Duration::from_secs(20);
/// After so many commands in a phase the operator calls for help: a story must not come to that.
const MOST_COMMANDS: u32 = 40;
/// So many times the planned way fails before the emergency is chosen, where the primary is in trouble.
const ENOUGH: u32 = 3;

/// What kdsha says of variables that a producer's alias does not have yet.
const RELEASE: [&str; 2] = ["release it first", "holds what was not released"];

fn wants_a_release(said: &str) -> bool {
    RELEASE.iter().any(|words| said.contains(words))
}

/// What an operator gives who was told that it has to be earlier.
fn earlier(start: StartAt) -> StartAt {
    match start {
        StartAt::Timestamp(at) => StartAt::Timestamp(at - Duration::from_secs(900)),
        StartAt::TrimHorizon => StartAt::TrimHorizon,
    }
}

/// Where a phase has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Owed,
    /// The operator did not get there.
    Stuck,
}

/// Somebody at a desk.
pub struct Operator<'a> {
    pub theatre: &'a Theatre,
    pub scenario: &'a Scenario,
    pub weather: &'a Weather<'a>,
    /// Looks at every command when it is over.
    pub audit: &'a dyn Fn(&Ended, &Desk),
    mishaps: RefCell<VecDeque<Mishap>>,
}

impl<'a> Operator<'a> {
    pub fn new(weather: &'a Weather<'a>, audit: &'a dyn Fn(&Ended, &Desk)) -> Operator<'a> {
        let scenario = weather.scenario;
        let mishaps = RefCell::new(scenario.mishaps.iter().copied().collect());
        Operator { theatre: weather.theatre, scenario, weather, audit, mishaps }
    }

    /// The next process fault of a phase.
    fn mishap(&self, phase: Phase) -> Option<Mishap> {
        let mut mishaps = self.mishaps.borrow_mut();
        let index = mishaps.iter().position(|mishap| mishap.phase == phase)?;
        mishaps.remove(index)
    }

    async fn run(&self, command: Command, mishap: Option<Mishap>) -> Ended {
        let desk = &self.theatre.mine;
        let ended = self.theatre.run(desk, command, mishap).await;
        (self.audit)(&ended, desk);
        if let (Some(mishap), How::Killed) = (mishap, &ended.how) {
            desk.suffer(mishap.fate);
        }
        ended
    }

    /// Runs a command that moves something; it may meet with a mishap.
    async fn go(&self, phase: Phase, command: Command) -> Ended {
        let mishap = self.mishap(phase);
        self.run(command, mishap).await
    }

    /// A position before which everything was processed.
    fn safe_start(&self) -> StartAt {
        if self.scenario.from_horizon {
            return StartAt::TrimHorizon;
        }
        let trouble = self.scenario.first_trouble().unwrap_or(self.theatre.elapsed());
        let at = self.theatre.began + trouble.min(self.theatre.elapsed()) - Duration::from_secs(900);
        StartAt::Timestamp(Timestamp::from_second(at.as_second()).unwrap_or(at))
    }

    fn primary_is_ill(&self) -> bool {
        let primary = Scenario::region(Side::Primary);
        self.theatre.sandbox.with_world(|world| world.outage(&primary).is_some())
            || self.theatre.elapsed() < self.scenario.primary_calm_again()
    }

    /// Fails over.
    pub async fn over(&self) -> Outcome {
        let mut emergency = self.scenario.hasty && self.scenario.first_trouble().is_some();
        let (mut start_at, mut accept_settings, mut failures) = (None, false, 0);
        if self.scenario.dry_run {
            self.run(Command::DryRun { back: false }, None).await;
        }
        for _ in 0..MOST_COMMANDS {
            let start_at_once = start_at.filter(|_| emergency || failures > 0);
            let command = Command::Failover(Over { emergency, start_at: start_at_once, accept_settings });
            let ended = self.go(Phase::Over, command).await;
            let advice = ended.how.advice();
            match ended.how.exit() {
                Some(Exit::Done) => return Outcome::Done,
                Some(Exit::Owed) => return Outcome::Owed,
                Some(Exit::Blocked)
                    if advice.contains("already active") || advice.contains("nothing to do") =>
                {
                    return Outcome::Done;
                }
                Some(Exit::Blocked) if wants_a_release(&advice) => self.have_it_released().await,
                Some(Exit::Blocked) if advice.contains("give one with --start-at") && start_at.is_none() => {
                    (start_at, failures) = (Some(self.safe_start()), failures + 1);
                }
                Some(Exit::Blocked) if advice.contains("or an earlier instant") => {
                    start_at = start_at.map(earlier);
                }
                Some(Exit::Blocked) if advice.contains("--accept mapping_settings") && !accept_settings => {
                    accept_settings = true;
                }
                Some(Exit::Blocked | Exit::Locked) if advice.contains("kdsha resume") => {
                    // The standby is active, and what is left to do waits for the primary.
                    if self.go_on(Phase::Over).await.how.exit() == Some(Exit::Owed) {
                        return Outcome::Owed;
                    }
                }
                Some(Exit::Blocked) if advice.contains("--emergency") && !emergency => {
                    failures += 1;
                    // A Region that does not answer once may answer the next time.
                    emergency = self.primary_is_ill();
                    self.theatre.pass(BREATH).await;
                }
                Some(Exit::StepFailed | Exit::TimedOut) => {
                    failures += 1;
                    if is_in_the_way(&ended.said) {
                        self.weather.clear_the_way().await;
                    }
                    self.weather.enable_again(&unfolded(&ended.said));
                    emergency |= failures >= ENOUGH && self.primary_is_ill();
                    self.theatre.pass(BREATH).await;
                }
                Some(Exit::Interrupted) | None => self.theatre.pass(BREATH).await,
                _ => {
                    failures += 1;
                    emergency |= failures >= ENOUGH && self.primary_is_ill();
                    self.theatre.pass(PATIENCE).await;
                }
            }
        }
        Outcome::Stuck
    }

    /// Asks whoever deployed a producer to finish it.
    async fn have_it_released(&self) {
        self.weather.release();
        self.theatre.pass(BREATH).await;
    }

    async fn go_on(&self, phase: Phase) -> Ended {
        let ended = self.go(phase, Command::Resume).await;
        let has_to_pass = matches!(ended.how.exit(), Some(Exit::Blocked | Exit::Locked));
        self.theatre.pass(if has_to_pass { PATIENCE } else { BREATH }).await;
        ended
    }

    /// Looks whether the world is sound; says the exit code.
    pub async fn look(&self) -> Option<Exit> {
        self.run(Command::Verify, None).await.how.exit()
    }

    /// Settles what is owed and sees that the resting state is sound. The primary is well again.
    pub async fn settle(&self, side: Side) -> Outcome {
        for _ in 0..MOST_COMMANDS {
            let ended = self.run(Command::Verify, None).await;
            if ended.how.exit() == Some(Exit::Done) {
                return Outcome::Done;
            }
            if wants_a_release(&unfolded(&ended.said)) {
                self.have_it_released().await;
            }
            if side == Side::Standby && unfolded(&ended.said).contains("switches them again") {
                self.run(Command::Failover(Over::default()), None).await;
            } else if ended.said.contains("kdsha resume") {
                self.run(Command::Resume, None).await;
            } else if self.weather.meddled.get() && ended.said.contains("active_region") {
                self.weather.put_right(side);
            }
            self.theatre.pass(PATIENCE).await;
        }
        Outcome::Stuck
    }

    /// Fails back.
    pub async fn back(&self) -> Outcome {
        if self.scenario.dry_run {
            self.run(Command::DryRun { back: true }, None).await;
        }
        let mut accept_settings = false;
        for _ in 0..MOST_COMMANDS {
            let ended = self.go(Phase::Back, Command::Failback { accept_settings }).await;
            let advice = ended.how.advice();
            match ended.how.exit() {
                Some(Exit::Done) => return Outcome::Done,
                Some(Exit::Blocked)
                    if advice.contains("already active") || advice.contains("nothing to do") =>
                {
                    return Outcome::Done;
                }
                Some(Exit::Blocked) if advice.contains("--accept mapping_settings") && !accept_settings => {
                    accept_settings = true;
                }
                Some(Exit::Blocked | Exit::Locked) if advice.contains("kdsha resume") => {
                    self.go_on(Phase::Back).await;
                }
                Some(Exit::Blocked) if wants_a_release(&advice) => self.have_it_released().await,
                Some(Exit::Interrupted | Exit::StepFailed | Exit::TimedOut) | None => {
                    self.theatre.pass(BREATH).await
                }
                _ => self.theatre.pass(PATIENCE).await,
            }
        }
        Outcome::Stuck
    }
}

/// What was said without the line ends that a terminal's width makes.
pub fn unfolded(said: &str) -> String {
    said.split_whitespace().filter(|word| *word != "|").collect::<Vec<_>>().join(" ")
}

/// Whether a mapping of somebody else's forbids to go on. What is said is folded to the terminal's width.
fn is_in_the_way(said: &str) -> bool {
    let words = unfolded(said);
    words.contains("position LATEST") || words.contains("mapping already exists")
}
