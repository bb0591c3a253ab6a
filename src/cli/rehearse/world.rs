//! The world of a rehearsal: the post's pipeline, or the one of a `kdsha.toml`, with a kdsha that looks at it.

use super::scenario::Scenario;
use crate::aws::{Aws, ConnectOptions};
use crate::cli::args::Global;
use crate::cli::failure::Failure;
use crate::cli::session::{self, Session};
use crate::config::{self, StandbyMode, Topology};
use crate::engine::Interrupt;
use crate::journal::StateFolder;
use crate::model::{Clock, Exit, Timestamp};
use crate::sandbox::Sandbox;
use crate::sandbox::world::{Story, World};
use crate::ui::Prompter;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every rehearsal begins at three in the morning of the same night, so that two of one seed are the same.
const BEGINNING: i64 = 1_772_420_400; // 2026-03-02T03:00:00Z

/// The journals of a rehearsal; gone with it, unless they are to be kept.
pub(super) struct Scratch {
    pub path: PathBuf,
    keep: bool,
}

impl Scratch {
    /// A folder for the journals.
    ///
    /// # Errors
    /// When it cannot be made, or has runs of another world in it.
    pub fn new(keep: Option<&Path>) -> Result<Scratch, Failure> {
        let name = format!("kdsha-rehearsal-{}-{:08x}", std::process::id(), fastrand::u32(..));
        let path = keep.map_or_else(|| std::env::temp_dir().join(name), Path::to_owned);
        std::fs::create_dir_all(&path)
            .map_err(|e| Failure::new(Exit::Usage, format!("{}: {e}", path.display())))?;
        if StateFolder::at(&path).runs()?.is_empty() {
            return Ok(Scratch { path, keep: keep.is_some() });
        }
        // Those runs are of another world: this one would refuse to go on with them.
        Err(Failure::new(Exit::Usage, format!("--keep {}: there are runs in this folder", path.display()))
            .hint("give an empty folder, or a new one"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            // What remains in the temporary folder does no harm.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// The sandbox, and everything that a command needs to look at it.
///
/// # Errors
/// When the configuration of `--config` cannot be read.
pub(super) async fn build(
    scenario: Scenario,
    seed: u64,
    global: &Global,
    state: &Path,
    prompter: Prompter,
) -> Result<(Sandbox, Session), Failure> {
    let start = Timestamp::from_second(BEGINNING).map_err(|e| Failure::new(Exit::Internal, e.to_string()))?;
    let mut topology = topology(global)?;
    if scenario.is_warm() {
        topology.pipelines.iter_mut().for_each(|p| p.standby = StandbyMode::Warm);
    }
    let story = Story { warm: scenario.is_warm(), ..Story::default() };
    let world = match global.config {
        Some(_) => World::of_topology(seed, start, &story, &topology),
        None => World::of_the_post(seed, start, &story),
    };
    let sandbox = Sandbox::new(world);
    let options = ConnectOptions {
        profile: None,
        http_client: Some(sandbox.http_client()),
        ..ConnectOptions::new(topology.regions.standby.clone())
    };
    let aws = Aws::connect(&topology, options, Clock::starting_at(start)).await?;
    let interrupt = signals()?;
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
    Ok((sandbox, session))
}

/// Ctrl-C and SIGTERM from now on.
pub(super) fn signals() -> Result<Interrupt, Failure> {
    Interrupt::on_signals().map_err(|e| Failure::new(Exit::Internal, format!("signals: {e}")))
}

/// The post's, or that of `--config`. The sandbox has one account and no endpoints, so those are not taken over.
fn topology(global: &Global) -> Result<Topology, Failure> {
    match &global.config {
        None => Ok(config::parse(config::THE_POST, Path::new("the built-in kdsha.toml"))?),
        Some(path) => Ok(Topology { account: None, endpoints: BTreeMap::new(), ..config::load(path)? }),
    }
}
