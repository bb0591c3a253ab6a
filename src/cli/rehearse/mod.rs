//! `kdsha rehearse`: the whole procedure against the built-in sandbox, by the very commands that run against AWS.
//!
//! | file | is |
//! |---|---|
//! | `scenario` | the stories: names, and what each teaches |
//! | `world` | the sandbox and a session on it, from the post's configuration or from anybody's |
//! | `story` | a story from beginning to end, as command lines |
//! | `shell` | the same day, played by whoever sits before it |
//! | `surprise` | what others do meanwhile |
//! | `score` | what the day is worth |

mod scenario;
pub(super) mod score;
mod shell;
mod story;
mod surprise;
mod world;

use super::args::{Cli, Command, Global, RehearseArgs};
use super::failure::Failure;
use super::session::Session;
use super::{failback, failover, look, report, resume, runs};
use crate::journal::RunRecord;
use crate::model::{Exit, PipelineName, Region, duration};
use crate::sandbox::Sandbox;
use crate::sandbox::world::World;
use crate::ui::{Format, Ground, Prompter, Settings, Ui};
use clap::Parser;
use scenario::Scenario;
use score::{Day, Ran};
use serde_json::json;
use std::time::Duration;
use surprise::{Meddler, Surprises};
use world::Scratch;

const MINUTE: Duration = Duration::from_secs(60);

/// The names of the stories.
pub fn stories() -> [&'static str; 8] {
    Scenario::ALL.map(|(name, ..)| name)
}

/// Tells the stories.
pub fn list(ui: &Ui) {
    let rows: Vec<Vec<String>> =
        Scenario::ALL.iter().map(|(name, _, about)| vec![(*name).to_owned(), (*about).to_owned()]).collect();
    let stories: Vec<_> = Scenario::ALL.iter().map(|(name, _, about)| score::Told { name, about }).collect();
    let document = score::Scenarios { scenarios: stories };
    ui.table(&["scenario", "what happens"], &rows, "kdsha.scenarios/1", &document);
}

/// Plays a story to its account.
///
/// # Errors
/// When a command of the story does not end as it should; says which.
pub async fn run(ui: &Ui, global: &Global, args: &RehearseArgs, prompter: Prompter) -> Result<Exit, Failure> {
    let plays = if args.interactive { Plays::ByHand } else { Plays::Story };
    ui.stand_on(match plays {
        Plays::ByHand => Ground::GameDay,
        Plays::Story => Ground::Story,
    });
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    // Whatever is drawn without a source of its own (the ids of the runs) is the seed's too.
    fastrand::seed(seed);
    let scenario = match (&args.scenario, args.interactive) {
        (None, true) => Scenario::unnamed(seed),
        (name, _) => Scenario::named(name.as_deref())?,
    };
    let scratch = Scratch::new(args.keep.as_deref())?;
    let (sandbox, session) = world::build(scenario, seed, global, &scratch.path, prompter).await?;
    ui.set_context(&session.topology, None);
    let mut play = Play {
        ui,
        plays,
        scenario,
        seed,
        chance: fastrand::Rng::with_seed(seed),
        sandbox,
        session,
        surprises: Surprises::default(),
        selected: global.pipelines.clone(),
        day: Day::default(),
    };
    match plays {
        Plays::ByHand => play.by_hand(args.calm).await,
        Plays::Story => play.play().await,
    }
}

/// Who types the commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plays {
    /// The story does.
    Story,
    /// Whoever sits before it does.
    ByHand,
}

/// A story under way.
struct Play<'a> {
    ui: &'a Ui,
    plays: Plays,
    scenario: Scenario,
    seed: u64,
    /// Instants of kills and surprises.
    chance: fastrand::Rng,
    sandbox: Sandbox,
    session: Session,
    surprises: Surprises,
    /// The pipelines of the rehearsal; a command line may choose others.
    selected: Vec<PipelineName>,
    day: Day,
}

impl Play<'_> {
    /// Narration, for people alone: programs read the events.
    fn tell(&self, text: &str) {
        if self.ui.settings().format == Format::Human {
            self.ui.note(text);
        }
    }

    fn primary(&self) -> Region {
        self.session.topology.regions.primary.clone()
    }

    fn standby(&self) -> Region {
        self.session.topology.regions.standby.clone()
    }

    fn meddler(&self) -> Result<Meddler, Failure> {
        let account = "123456789012".parse();
        let account = account.map_err(|e| Failure::new(Exit::Internal, format!("the account: {e}")))?;
        Ok(Meddler::new(&self.sandbox, account, self.surprises.clone()))
    }

    /// A length of time between two, by the seed.
    fn between(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_secs(self.chance.u64(least..=most))
    }

    /// Lets time pass: virtual time does so at once.
    async fn pass(&self, time: Duration) -> Result<(), Failure> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.session.interrupt.raised() => Err(Failure::new(Exit::Interrupted, "interrupted")),
        }
    }

    /// Runs a command line by the code that runs it against AWS. What it refuses is shown, and is its exit.
    ///
    /// # Errors
    /// Never for what the command says: only when the line is none of kdsha's.
    async fn execute(&mut self, line: &str) -> Result<Exit, Failure> {
        self.tell(&format!("\n$ {line}"));
        let at = self.session.aws.clock().now();
        self.session.argv = line.split_whitespace().map(str::to_owned).collect();
        let cli = Cli::try_parse_from(&self.session.argv);
        let cli = cli.map_err(|error| Failure::new(Exit::Usage, error.to_string().trim_end().to_owned()))?;
        let chosen = if cli.global.pipelines.is_empty() { &self.selected } else { &cli.global.pipelines };
        self.session.selected.clone_from(chosen);
        // A line that asks for JSON gets it; all others speak as the rehearsal does.
        let as_json = (cli.global.output == super::args::Output::Json).then(|| {
            let ground = self.ui.settings().ground;
            Ui::new(Settings { ground, ..super::settings(&cli.global) })
        });
        let ui = as_json.as_ref().unwrap_or(self.ui);
        let result = Box::pin(dispatch(&self.session, ui, &cli.command)).await;
        let exit = result.unwrap_or_else(|failure| {
            self.refused(line, &failure);
            ui.failure(failure.exit, std::slice::from_ref(&failure.message), &failure.hints);
            failure.exit
        });
        if matches!(cli.command, Command::Verify) {
            self.day.verified = Some(exit);
            if exit == Exit::Deviation {
                self.day.avoided.push(format!("`{line}` noticed that the world is not as it should be"));
            }
        }
        self.day.ran.push(Ran { at, command: line.to_owned(), exit: Some(exit.code()) });
        Ok(exit)
    }

    /// A guard fired.
    fn refused(&mut self, line: &str, failure: &Failure) {
        if matches!(failure.exit, Exit::Blocked | Exit::Locked) {
            self.day.avoided.push(format!("`{line}` was refused: {}", failure.message));
        }
    }

    /// Stops the traffic, lets everything come to rest, and reads the ledger.
    async fn account(&mut self) -> Result<Exit, Failure> {
        // The day is over: nobody types the next command any more.
        self.ui.stand_on(Ground::Story);
        self.sandbox.with_world(World::stop_traffic);
        self.pass(10 * MINUTE).await?;
        let ledger = self.sandbox.with_world(|world| world.ledger());
        let runs = self.session.runs()?;
        let recovery = runs.iter().find_map(RunRecord::recovery);
        let rto = self.session.topology.objectives.rto;
        self.day.owed = runs.iter().flat_map(RunRecord::owed_in_words).count();
        let score = score::score(&self.day, &ledger, recovery, rto);
        let document = json!(score::Account {
            scenario: self.scenario.name(),
            seed: self.seed,
            put: ledger.put,
            processed: ledger.processed,
            lost: ledger.lost,
            pending: ledger.pending,
            duplicates: ledger.duplicates,
            recovery_seconds: recovery.map(|r| r.as_secs()),
            rto_seconds: rto.as_secs(),
            requests: self.session.aws.requests_sent(),
            kills: self.day.kills,
            surprises: score::told(&self.surprises.borrow()),
            mistakes_avoided: &self.day.avoided,
            commands: &self.day.ran,
            score,
        });
        self.ui.rehearsal(&document);
        self.verdict(&ledger, recovery, rto)
    }

    /// A story does all that is due, so what it leaves is kdsha's fault; a day by hand ends when somebody says so.
    fn whose_fault(&self, message: String, lost: u64) -> Failure {
        let (scenario, owed) = (self.scenario.name(), self.day.owed);
        if self.plays == Plays::Story || lost > 0 {
            return Failure::new(Exit::StepFailed, message)
                .hint(format!("seed {}, scenario {scenario}: this is a fault of kdsha", self.seed));
        }
        match owed {
            0 => Failure::new(Exit::StepFailed, message)
                .hint("`wait 10m` before `done` lets the consumer catch up"),
            _ => Failure::new(Exit::Owed, message).hint(
                "the day ended with steps owed: `heal`, `wait 15m` and `resume` before `done` settle them",
            ),
        }
    }

    fn verdict(
        &self,
        ledger: &crate::sandbox::world::Ledger,
        recovery: Option<Duration>,
        rto: Duration,
    ) -> Result<Exit, Failure> {
        if ledger.lost > 0 || ledger.pending > 0 {
            let message = match ledger.lost {
                0 => format!("{} records were not processed when the day ended", ledger.pending),
                lost => format!("{lost} records were lost, {} were not processed", ledger.pending),
            };
            return Err(self.whose_fault(message, ledger.lost));
        }
        match recovery {
            Some(recovery) if recovery > rto => {
                let (took, rto) = (duration::show(recovery), duration::show(rto));
                Err(Failure::new(Exit::TimedOut, format!("recovery took {took}, the objective is {rto}")))
            }
            _ => Ok(Exit::Done),
        }
    }
}

/// The commands that a rehearsal knows, on its session. Prompts are the session's, whatever the line says.
async fn dispatch(session: &Session, ui: &Ui, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Status(args) => {
            if args.watch {
                ui.note("--watch looks once here: time stands still between two commands (`wait 5m` lets it pass)");
            }
            look::status(session, ui).await
        }
        Command::Verify => look::verify(session, ui).await,
        Command::Failover(args) => failover::run(session, ui, args).await,
        Command::Failback(args) => failback::run(session, ui, args).await,
        Command::Resume(args) => resume::run(session, ui, args).await,
        Command::Runs(args) => runs::run(ui, &session.state, args.run.as_ref()),
        Command::Report(args) => {
            let run = report::find(&session.state, args.run.as_ref())?;
            report::write(ui, args, &run, &report::Asked::No(None))
        }
        Command::Policy => super::policy::run(ui, &session.topology),
        _ => Err(Failure::new(Exit::Usage, "this command has no meaning within a rehearsal")
            .hint("status, verify, failover, failback, resume, runs, report and policy have")),
    }
}
