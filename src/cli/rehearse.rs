//! `kdsha rehearse`: the whole procedure against the built-in sandbox, by the very commands that run against AWS.

use super::args::{FailbackArgs, FailoverArgs, Global, RehearseArgs, ResumeArgs};
use super::failure::Failure;
use super::session::{self, Session};
use super::{failback, failover, look, resume};
use crate::aws::{Aws, ConnectOptions};
use crate::config::{self, StandbyMode, Topology};
use crate::engine::Interrupt;
use crate::journal::StateFolder;
use crate::model::{Clock, Event, Exit, Region, Timestamp, duration};
use crate::sandbox::Sandbox;
use crate::sandbox::world::{Outage, Story, World};
use crate::ui::{Format, Prompter, Ui};
use serde_json::json;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Every rehearsal begins at three in the morning of the same night, so that two of one seed are the same.
const BEGINNING: i64 = 1_772_420_400; // 2026-03-02T03:00:00Z

const MINUTE: Duration = Duration::from_secs(60);

/// The stories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenario {
    /// The data plane of the primary fails in part: planned failover of a cold standby.
    DataPlane,
    /// The same with a warm standby.
    Warm,
    /// The primary falls silent: emergency failover, and what is owed is settled when it is back.
    Silent,
}

impl Scenario {
    const ALL: [(&'static str, Scenario); 3] = [
        ("data-plane-outage", Scenario::DataPlane),
        ("warm-standby", Scenario::Warm),
        ("silent-region", Scenario::Silent),
    ];

    fn named(name: Option<&str>) -> Result<Scenario, Failure> {
        let Some(name) = name else { return Ok(Scenario::DataPlane) };
        let found = Scenario::ALL.iter().find(|(known, _)| *known == name).map(|(_, scenario)| *scenario);
        found.ok_or_else(|| {
            let known = Scenario::ALL.map(|(name, _)| name).join(", ");
            Failure::new(Exit::Usage, format!("--scenario {name}: there is no such story"))
                .hint(format!("the stories are: {known}"))
        })
    }

    fn name(self) -> &'static str {
        Scenario::ALL.iter().find(|(_, scenario)| *scenario == self).map_or("", |(name, _)| name)
    }

    fn outage(self) -> Outage {
        match self {
            Scenario::DataPlane | Scenario::Warm => Outage::DataPlaneDegraded { failure_share: 0.25 },
            Scenario::Silent => Outage::Silent,
        }
    }
}

/// The journals of a rehearsal; gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch, Failure> {
        let name = format!("kdsha-rehearsal-{}-{:08x}", std::process::id(), fastrand::u32(..));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)
            .map_err(|e| Failure::new(Exit::Internal, format!("{}: {e}", path.display())))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What remains in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Plays a story to its account.
///
/// # Errors
/// When a command of the story does not end as it should; says which.
pub async fn run(ui: &Ui, global: &Global, args: &RehearseArgs, prompter: Prompter) -> Result<Exit, Failure> {
    let scenario = Scenario::named(args.scenario.as_deref())?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let scratch = Scratch::new()?;
    let play = Play::begin(ui, scenario, seed, prompter, &scratch.0, global).await?;
    play.to_the_end().await
}

/// A story under way.
struct Play<'a> {
    ui: &'a Ui,
    scenario: Scenario,
    seed: u64,
    sandbox: Sandbox,
    session: Session,
}

impl<'a> Play<'a> {
    async fn begin(
        ui: &'a Ui,
        scenario: Scenario,
        seed: u64,
        prompter: Prompter,
        state: &Path,
        global: &Global,
    ) -> Result<Play<'a>, Failure> {
        let start =
            Timestamp::from_second(BEGINNING).map_err(|e| Failure::new(Exit::Internal, e.to_string()))?;
        let mut topology = config::parse(config::THE_POST, Path::new("the built-in kdsha.toml"))?;
        let warm = scenario == Scenario::Warm;
        if warm {
            topology.pipelines.iter_mut().for_each(|p| p.standby = StandbyMode::Warm);
        }
        let sandbox = Sandbox::new(World::of_the_post(seed, start, &Story { warm, ..Story::default() }));
        let aws = connect(&topology, &sandbox, start).await?;
        ui.set_context(&topology, None);
        let interrupt =
            Interrupt::on_signals().map_err(|e| Failure::new(Exit::Internal, format!("signals: {e}")))?;
        let session = Session {
            topology,
            aws,
            state: StateFolder::at(state),
            prompter: RefCell::new(prompter),
            interrupt,
            owner: session::owner(),
            argv: vec!["kdsha".to_owned(), "rehearse".to_owned()],
            selected: global.pipelines.clone(),
        };
        Ok(Play { ui, scenario, seed, sandbox, session })
    }

    /// Narration, for people alone: programs read the events.
    fn tell(&self, text: &str) {
        if self.ui.settings().format == Format::Human {
            self.ui.note(text);
        }
    }

    fn primary(&self) -> &Region {
        &self.session.topology.regions.primary
    }

    fn standby(&self) -> &Region {
        &self.session.topology.regions.standby
    }

    async fn to_the_end(&self) -> Result<Exit, Failure> {
        let (primary, standby) = (self.primary().clone(), self.standby().clone());
        self.tell(&format!(
            "\n# {primary} at work: the pipeline of the post, with live traffic (seed {})",
            self.seed
        ));
        self.status().await?;
        self.pass(5 * MINUTE).await?;

        self.sandbox.with_world(|world| world.strike(&primary, self.scenario.outage()));
        self.tell(&format!("\n# {primary} is struck"));
        self.pass(8 * MINUTE).await?;
        self.status().await?;
        self.over(&standby).await?;
        self.pass(10 * MINUTE).await?;

        self.sandbox.with_world(|world| world.heal(&primary));
        self.tell(&format!("\n# {primary} is back"));
        self.pass(15 * MINUTE).await?;
        self.settle().await?;

        self.tell("\n$ kdsha failback");
        let args = FailbackArgs { dry_run: false, yes: false, skip_stranded: false, timeout: None };
        self.expect("kdsha failback", failback::run(&self.session, self.ui, &args).await?, &[Exit::Done])?;
        self.pass(10 * MINUTE).await?;
        self.tell("\n$ kdsha verify");
        self.expect("kdsha verify", look::verify(&self.session, self.ui).await?, &[Exit::Done])?;
        self.account().await
    }

    async fn status(&self) -> Result<(), Failure> {
        if self.ui.settings().format == Format::Human {
            self.tell("\n$ kdsha status");
            look::status(&self.session, self.ui, false).await?;
        }
        Ok(())
    }

    async fn over(&self, standby: &Region) -> Result<(), Failure> {
        let emergency = self.scenario == Scenario::Silent;
        let flag = if emergency { " --emergency" } else { "" };
        let command = format!("kdsha failover --to {standby}{flag}");
        let mut args = FailoverArgs {
            to: standby.clone(),
            dry_run: false,
            yes: false,
            emergency,
            start_at: None,
            overlap_buffer: None,
            timeout: None,
        };
        if emergency {
            // A silent Region says nothing of its lag; the operator knows when it fell silent.
            let struck = self.session.aws.clock().now() - 8 * MINUTE;
            args.start_at = Some(crate::model::StartAt::Timestamp(floor(struck - 15 * MINUTE)));
        }
        let start = match args.start_at {
            Some(crate::model::StartAt::Timestamp(at)) => format!(" --start-at {at}"),
            _ => String::new(),
        };
        self.tell(&format!("\n$ {command}{start}"));
        let exit = failover::run(&self.session, self.ui, &args).await?;
        self.expect(&command, exit, if emergency { &[Exit::Owed] } else { &[Exit::Done] })
    }

    /// What a silent Region owes is settled once it is back.
    async fn settle(&self) -> Result<(), Failure> {
        if self.session.runs()?.iter().all(|run| run.owed().is_empty()) {
            return Ok(());
        }
        self.tell("\n$ kdsha resume");
        let exit =
            resume::run(&self.session, self.ui, &ResumeArgs { yes: false, undo: false, emergency: false })
                .await?;
        self.expect("kdsha resume", exit, &[Exit::Done])?;
        self.pass(5 * MINUTE).await
    }

    fn expect(&self, command: &str, exit: Exit, good: &[Exit]) -> Result<(), Failure> {
        match good.contains(&exit) {
            true => Ok(()),
            false => Err(Failure::new(exit, format!("`{command}` ended with exit code {}", exit.code()))
                .hint(format!(
                    "`kdsha rehearse --scenario {} --seed {}` plays it again",
                    self.scenario.name(),
                    self.seed
                ))),
        }
    }

    async fn pass(&self, time: Duration) -> Result<(), Failure> {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.session.interrupt.raised() => {
                return Err(Failure::new(Exit::Interrupted, "the rehearsal was interrupted"));
            }
        }
        // The world lives on while nobody looks; the clock hears of it with the next answer.
        self.sandbox.with_world(|_| ());
        Ok(())
    }

    /// Stops the traffic, lets everything come to rest, and reads the ledger.
    async fn account(&self) -> Result<Exit, Failure> {
        self.sandbox.with_world(World::stop_traffic);
        self.pass(10 * MINUTE).await?;
        let ledger = self.sandbox.with_world(|world| world.ledger());
        let runs = self.session.runs()?;
        // The failover's own: settling what was owed ends later, and is no recovery.
        let recovered = |(_, event): &(Timestamp, Event)| match event {
            Event::RunFinished { recovery, .. } => *recovery,
            _ => None,
        };
        let recovery = runs.iter().find_map(|run| run.events.iter().find_map(recovered));
        let rto = self.session.topology.objectives.rto;
        let document = json!({
            "scenario": self.scenario.name(),
            "seed": self.seed,
            "put": ledger.put,
            "processed": ledger.processed,
            "lost": ledger.lost,
            "pending": ledger.pending,
            "duplicates": ledger.duplicates,
            "recovery_seconds": recovery.map(|r| r.as_secs()),
            "rto_seconds": rto.as_secs(),
            "requests": self.session.aws.requests_sent(),
        });
        self.ui.rehearsal(&document);
        if ledger.lost > 0 || ledger.pending > 0 {
            let message = format!("{} records were lost, {} were not processed", ledger.lost, ledger.pending);
            return Err(Failure::new(Exit::StepFailed, message).hint(format!(
                "seed {}, scenario {}: this is a fault of kdsha",
                self.seed,
                self.scenario.name()
            )));
        }
        match recovery {
            Some(recovery) if recovery > rto => {
                let message = format!(
                    "recovery took {}, the objective is {}",
                    duration::show(recovery),
                    duration::show(rto)
                );
                Err(Failure::new(Exit::TimedOut, message))
            }
            _ => Ok(Exit::Done),
        }
    }
}

fn floor(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The boundary, with the sandbox where the network would be.
async fn connect(topology: &Topology, sandbox: &Sandbox, start: Timestamp) -> Result<Aws, Failure> {
    let options = ConnectOptions {
        profile: None,
        http_client: Some(sandbox.http_client()),
        ..ConnectOptions::new(topology.regions.standby.clone())
    };
    Ok(Aws::connect(topology, options, Clock::starting_at(start)).await?)
}
