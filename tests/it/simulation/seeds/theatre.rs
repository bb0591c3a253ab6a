//! The world of a scenario, the desks at which people run kdsha, and one command with whatever befalls it.

use super::draw::{Cut, Fate, Mishap, Scenario};
use super::onlooker::{Between, Glimpse, Mappings, Onlooker};
use kdsha::aws::{Aws, ConnectOptions};
use kdsha::cli::args::{AcceptArgs, FailbackArgs, FailoverArgs, ResumeArgs};
use kdsha::cli::failure::Failure;
use kdsha::cli::session::Session;
use kdsha::cli::{failback, failover, look, resume};
use kdsha::config::{Regions, Timing, Topology};
use kdsha::engine::Interrupt;
use kdsha::journal::{RunRecord, StateFolder};
use kdsha::model::{Clock, Exit, Side, StartAt, Timestamp};
use kdsha::sandbox::Sandbox;
use kdsha::sandbox::call::{ApiCall, ApiError, Service};
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{Story, World};
use kdsha::ui::{Buffer, Format, Prompter, Settings, Ui};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const BEGINNING: i64 = 1_772_420_400; // 2026-03-02T03:00:00Z

/// Longer than this no command may take, whatever the stages say.
const NO_COMMAND_TAKES: Duration = Duration::from_secs(6 * 3600);

/// What is asked of kdsha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Failover(Over),
    DryRun {
        back: bool,
    },
    Failback {
        /// Lambda's defaults are taken where nobody saw a mapping's settings.
        accept_settings: bool,
    },
    Resume,
    Verify,
}

/// The flags of a failover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Over {
    pub emergency: bool,
    pub start_at: Option<StartAt>,
    /// Lambda's defaults are taken where the settings of the primary's mapping are not known.
    pub accept_settings: bool,
}

/// How a command ended.
#[derive(Debug)]
pub enum How {
    Exit(Exit),
    Refused(Failure),
    /// Cut off from outside.
    Killed,
    /// It did not end.
    Hangs,
}

impl How {
    pub fn exit(&self) -> Option<Exit> {
        match self {
            How::Exit(exit) => Some(*exit),
            How::Refused(failure) => Some(failure.exit),
            How::Killed | How::Hangs => None,
        }
    }
    /// What a refusal says and advises.
    pub fn advice(&self) -> String {
        match self {
            How::Refused(failure) => format!("{} [{}]", failure.message, failure.hints.join(" | ")),
            _ => String::new(),
        }
    }
}

/// A command that is over.
#[derive(Debug)]
pub struct Ended {
    pub command: Command,
    pub how: How,
    /// Its calls in the sandbox's log, and whatever others sent meanwhile.
    pub calls: std::ops::Range<usize>,
    pub began: Timestamp,
    pub took: Duration,
    pub said: String,
    /// How many records of a journal the disk had room for, where it had no more.
    pub room: Option<u64>,
    /// The world between its stages.
    pub between: Vec<Between>,
}

/// Where somebody runs kdsha.
pub struct Desk {
    pub owner: &'static str,
    /// Signs its calls.
    pub access_key: &'static str,
    pub state: PathBuf,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new(owner: &'static str, access_key: &'static str) -> Desk {
        // Journals are synced at every step: memory is where thousands of them belong.
        let memory = std::path::Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let folder = folder.expect("a temporary folder");
        Desk { owner, access_key, state: folder.path().join("state"), _folder: folder }
    }

    pub fn journals(&self) -> StateFolder {
        StateFolder::at(&self.state)
    }

    /// What its journals tell, oldest run first.
    pub fn runs(&self) -> Vec<RunRecord> {
        self.journals().runs().into_iter().flatten().filter_map(|one| one.run.ok()).collect()
    }

    /// What becomes of the newest journal when its process was cut off.
    pub fn suffer(&self, fate: Fate) {
        let newest = || {
            let runs = std::fs::read_dir(&self.state).ok()?;
            let folders = runs.filter_map(|entry| Some(entry.ok()?.path()));
            folders.map(|folder| folder.join("journal.jsonl")).filter(|path| path.is_file()).max()
        };
        match fate {
            Fate::Kept => {}
            Fate::Lost => {
                let _ = std::fs::remove_dir_all(&self.state);
            }
            Fate::Torn(bytes) => {
                let Some(path) = newest() else { return };
                let text = std::fs::read(&path).expect("a journal");
                // Only the last line can be torn: everything before it was synced.
                let last = text[..text.len().saturating_sub(1)].iter().rposition(|b| *b == b'\n');
                let keep = last.map_or(0, |at| at + 1).max(text.len().saturating_sub(bytes as usize));
                std::fs::write(&path, &text[..keep]).expect("a journal");
            }
        }
    }
}

/// The stage of a scenario.
pub struct Theatre {
    pub sandbox: Sandbox,
    pub topology: Topology,
    pub stories: Vec<Story>,
    pub began: Timestamp,
    pub mine: Desk,
    pub theirs: Desk,
}

impl Theatre {
    pub fn of(scenario: &Scenario) -> Theatre {
        let began = Timestamp::from_second(BEGINNING).expect("an instant");
        let stories = scenario.stories();
        let first = &stories[0];
        let pipelines =
            (1..).zip(&stories).map(|(number, story)| story.pipeline(number).expect("valid names"));
        let topology = Topology {
            path: None,
            regions: Regions { primary: first.primary.clone(), standby: first.standby.clone() },
            account: Some(first.account.clone()),
            objectives: Default::default(),
            timing: Timing {
                poll: scenario.poll,
                timeout: Duration::from_secs(20 * 60),
                ..Timing::default()
            },
            endpoints: BTreeMap::new(),
            pipelines: pipelines.collect(),
        };
        Theatre {
            sandbox: Sandbox::new(World::of_stories(scenario.seed, began, &stories)),
            topology,
            stories,
            began,
            mine: Desk::new("ops@laptop", "AKIAOPS"),
            theirs: Desk::new("maria@desk", "AKIAMARIA"),
        }
    }

    /// Since the scenario began.
    pub fn elapsed(&self) -> Duration {
        Duration::try_from(self.sandbox.now().duration_since(self.began)).unwrap_or_default()
    }

    pub async fn until(&self, instant: Duration) {
        tokio::time::sleep(instant.saturating_sub(self.elapsed())).await;
        self.sandbox.with_world(|_| ());
    }

    pub async fn pass(&self, time: Duration) {
        self.until(self.elapsed() + time).await;
    }

    pub fn api(&self, service: Service, side: Side, operation: &str, input: Value) -> ApiCall {
        ApiCall {
            service,
            region: Scenario::region(side),
            account: self.stories[0].account.clone(),
            operation: operation.to_owned(),
            input,
        }
    }

    /// A call that somebody else makes.
    pub fn call(
        &self,
        service: Service,
        side: Side,
        operation: &str,
        input: Value,
    ) -> Result<Value, ApiError> {
        let call = self.api(service, side, operation, input);
        self.sandbox.with_world(|world| world.call(&call)).map(|reply| reply.output)
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse { sandbox: self.sandbox.clone(), account: self.stories[0].account.clone() }
    }

    /// How things are, whatever befalls the APIs.
    pub fn inspect(&self, service: Service, side: Side, operation: &str, input: Value) -> Value {
        self.glimpse().inspect(service, side, operation, input)
    }

    /// The mappings of both Regions, as they are.
    pub fn mappings(&self) -> Mappings {
        self.glimpse().mappings()
    }

    async fn session(&self, desk: &Desk, interrupt: Interrupt, room: Option<u64>) -> Session {
        let options = ConnectOptions {
            profile: None,
            http_client: Some(self.sandbox.http_client()),
            access_key: Some(desk.access_key.to_owned()),
            ..ConnectOptions::new(self.topology.regions.standby.clone())
        };
        let clock = Clock::starting_at(self.sandbox.now());
        Session {
            topology: self.topology.clone(),
            aws: Aws::connect(&self.topology, options, clock).await.expect("a connection"),
            state: match room {
                Some(records) => desk.journals().with_room_for(records),
                None => desk.journals(),
            },
            prompter: RefCell::new(Prompter::AssumeYes),
            interrupt,
            owner: desk.owner.to_owned(),
            argv: vec!["kdsha".to_owned()],
            selected: Vec::new(),
        }
    }

    /// Runs a command at a desk, with what befalls its process.
    pub async fn run(&self, desk: &Desk, command: Command, mishap: Option<Mishap>) -> Ended {
        let (began, first) = (self.sandbox.now(), self.sandbox.calls().0);
        let interrupt = Interrupt::default();
        let room = match mishap.map(|mishap| mishap.cut) {
            Some(Cut::DiskFull { records }) => Some(records),
            _ => None,
        };
        let session = self.session(desk, interrupt.clone(), room).await;
        let (said, aside) = (Buffer::default(), Buffer::default());
        // A dry run is read by a program, everything else by a person who sees both streams.
        let (format, beside) = match command {
            Command::DryRun { .. } => (Format::Json, aside),
            _ => (Format::Human, said.clone()),
        };
        let settings = Settings { format, ..Settings::default() };
        let seen = Arc::default();
        let beside = Onlooker { screen: beside, world: self.glimpse(), seen: Arc::clone(&seen) };
        let ui = Ui::with_writers(settings, Box::new(said.clone()), Box::new(beside), 100);
        let work = tokio::time::timeout(NO_COMMAND_TAKES, self.perform(&session, &ui, command));
        let how = tokio::select! {
            biased;
            () = self.cut(mishap, &interrupt) => How::Killed,
            result = work => match result {
                Ok(Ok(exit)) => How::Exit(exit),
                Ok(Err(failure)) => How::Refused(failure),
                Err(_) => How::Hangs,
            },
        };
        drop(session);
        if let Some(Mishap { cut: Cut::AtCall { .. }, .. }) = mishap {
            let rules = self.sandbox.mend();
            rules.into_iter().filter(|rule| !is_knife(rule)).for_each(|rule| self.sandbox.inject(rule));
        }
        let took = Duration::try_from(self.sandbox.now().duration_since(began)).unwrap_or_default();
        let (calls, said) = (first..self.sandbox.calls().0, said.text());
        let between = std::mem::take(&mut *seen.lock().expect("nobody panics with it"));
        Ended { command, how, calls, began, took, said, room, between }
    }

    async fn perform(&self, session: &Session, ui: &Ui, command: Command) -> Result<Exit, Failure> {
        let accept = |settings: bool| AcceptArgs {
            checks: settings.then(|| "mapping_settings/*".to_owned()).into_iter().collect(),
            reason: settings.then(|| "they are the defaults".to_owned()),
        };
        let over = |dry_run: bool, over: Over| FailoverArgs {
            to: self.topology.regions.standby.clone(),
            dry_run,
            yes: true,
            emergency: over.emergency,
            start_at: over.start_at,
            overlap_buffer: None,
            accept: accept(over.accept_settings),
            timeout: None,
        };
        let back = |dry_run: bool, accept_settings: bool| FailbackArgs {
            dry_run,
            yes: true,
            skip_stranded: false,
            timeout: None,
            accept: accept(accept_settings),
        };
        match command {
            Command::Failover(flags) => failover::run(session, ui, &over(false, flags)).await,
            Command::DryRun { back: false } => failover::run(session, ui, &over(true, Over::default())).await,
            Command::DryRun { back: true } => failback::run(session, ui, &back(true, false)).await,
            Command::Failback { accept_settings } => {
                failback::run(session, ui, &back(false, accept_settings)).await
            }
            Command::Resume => {
                let args = ResumeArgs { yes: true, undo: false, emergency: false, start_at: None };
                resume::run(session, ui, &args).await
            }
            Command::Verify => look::verify(session, ui).await,
        }
    }

    /// Returns when the process is to be killed.
    async fn cut(&self, mishap: Option<Mishap>, interrupt: &Interrupt) {
        match mishap.map(|mishap| mishap.cut) {
            None | Some(Cut::DiskFull { .. }) => {}
            Some(Cut::Killed(after)) => return tokio::time::sleep(after).await,
            Some(Cut::Interrupted(after)) => {
                tokio::time::sleep(after).await;
                interrupt.raise();
            }
            Some(Cut::AtCall { nth, applied }) => {
                let before = self.sandbox.calls().1;
                let fault = if applied { Fault::ApplyThenHang } else { Fault::Hang };
                self.sandbox.inject(Rule { skip: nth, fault: Some(fault), ..knife() });
                while self.sandbox.calls().1 < before + nth as usize + 1 {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                return;
            }
        }
        std::future::pending().await
    }
}

/// The rule that cuts a process off at a call; `every` tells it from the scenario's own.
fn knife() -> Rule {
    Rule { only_mutating: true, times: Some(1), every: 0, ..Rule::default() }
}

fn is_knife(rule: &Rule) -> bool {
    rule.every == 0 && rule.times == Some(1)
}
