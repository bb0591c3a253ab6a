//! What a look says to do next: one thing, for the end of `status`. Pure.

use super::assess::{self, Active, Health};
use crate::config::Topology;
use crate::model::{Observed, PipelineView, Region, RunState, Side, Snapshot};
use std::fmt;

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing answers: it is this machine, or what lies between it and AWS.
    Network,
    /// A run is under way.
    GoOn,
    /// A run is being put back.
    PutBack,
    /// Steps are owed; by the Region that is still silent, where there is one.
    Settle(Option<Region>),
    /// The primary is silent and the standby is ready.
    Emergency {
        /// The standby Region.
        to: Region,
        /// The primary Region.
        silent: Region,
    },
    /// The primary answers and does badly.
    Failover {
        /// The standby Region.
        to: Region,
        /// The primary Region.
        degraded: Region,
    },
    /// The primary refuses a part of what is asked, and its records flow: there is nothing to move, and nothing to see.
    LookOn {
        /// The primary Region.
        refuses: Region,
        /// The standby Region.
        to: Region,
    },
    /// Something deviates, in other ways.
    PutRight,
    /// At rest in the standby Region.
    Failback(Region),
    /// At rest where it belongs.
    Nothing,
}

impl Next {
    /// The command, where there is one.
    pub fn command(&self) -> Option<String> {
        Some(match self {
            Next::GoOn | Next::Settle(_) => "kdsha resume".to_owned(),
            Next::PutBack => "kdsha resume --undo".to_owned(),
            Next::Emergency { to, .. } => format!("kdsha failover --to {to} --emergency"),
            Next::Failover { to, .. } => format!("kdsha failover --to {to} --dry-run"),
            Next::LookOn { .. } => "kdsha status --watch".to_owned(),
            Next::PutRight => "kdsha verify".to_owned(),
            Next::Failback(_) => "kdsha failback".to_owned(),
            Next::Network | Next::Nothing => return None,
        })
    }
}

/// When, or why.
impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Next::Network => f.write_str(NOTHING_ANSWERS),
            Next::GoOn => f.write_str("goes on with the run that is under way"),
            Next::PutBack => f.write_str("goes on putting back what the run has changed"),
            Next::Settle(None) => f.write_str("settles what is owed"),
            Next::Settle(Some(region)) => write!(f, "settles what is owed, once {region} answers again"),
            Next::Emergency { to, silent } => {
                write!(f, "{to} takes over now; what {silent} cannot do is owed, and settled when it answers")
            }
            Next::Failover { degraded, .. } => {
                write!(f, "{degraded} is degraded: shows what a move would do, and whether it could run")
            }
            Next::LookOn { refuses, to } => write!(
                f,
                "{refuses} refuses calls and its records flow: nothing has to move; should they stop, `kdsha failover --to {to} \
                 --emergency`"
            ),
            Next::PutRight => f.write_str("looks again, once what deviates is put right"),
            Next::Failback(region) => write!(f, "once {region} is healthy again"),
            Next::Nothing => f.write_str("nothing has to be done"),
        }
    }
}

/// What it means when no Region answers.
pub const NOTHING_ANSWERS: &str = "nothing answers from this machine: check its network, VPN and proxy";

/// What the commands know beside the look.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Unfinished runs of this machine, in words.
    pub unfinished: &'a [String],
    /// What is owed, in words.
    pub owed: &'a [String],
    /// Whether no check failed or is unknown.
    pub is_sound: bool,
    /// Whether a check failed.
    pub has_failed: bool,
}

/// The one thing to do after a look.
pub fn next(topology: &Topology, snapshot: &Snapshot, known: Known<'_>) -> Next {
    let regions = &topology.regions;
    let is_silent = |side: Side| assess::is_silent(snapshot, regions.of(side));
    if is_silent(Side::Primary) && is_silent(Side::Standby) {
        return Next::Network;
    }
    if known.unfinished.iter().any(|run| run.contains("--undo")) {
        return Next::PutBack;
    }
    let mark = |state: RunState| snapshot.pipelines.values().any(|view| marked(view) == Some(state));
    if !known.unfinished.is_empty() || mark(RunState::Open) {
        return Next::GoOn;
    }
    if !known.owed.is_empty() || mark(RunState::Owed) {
        return Next::Settle(is_silent(Side::Primary).then(|| regions.primary.clone()));
    }
    if is_silent(Side::Primary) && snapshot.pipelines.values().any(needs_the_primary) {
        return Next::Emergency { to: regions.standby.clone(), silent: regions.primary.clone() };
    }
    let health = |view: &PipelineView| {
        assess::health(&view.primary.metrics, &topology.objectives, &topology.timing, snapshot.taken_at)
    };
    let is_on = |view: &PipelineView, side| assess::active(view) == Active::Region(regions.of(side).clone());
    let is_degraded =
        |view: &&PipelineView| is_on(view, Side::Primary) && matches!(health(view), Health::Degraded(_));
    if snapshot.pipelines.values().any(|view| is_degraded(&view)) {
        return Next::Failover { to: regions.standby.clone(), degraded: regions.primary.clone() };
    }
    let flows = |view: &PipelineView| needs_the_primary(view) && matches!(health(view), Health::Healthy(_));
    let refuses = !assess::silent_apis(snapshot, &regions.primary).is_empty();
    match known.is_sound {
        false if refuses && !known.has_failed && snapshot.pipelines.values().all(flows) => {
            Next::LookOn { refuses: regions.primary.clone(), to: regions.standby.clone() }
        }
        false => Next::PutRight,
        true if snapshot.pipelines.values().any(|view| is_on(view, Side::Standby)) => {
            Next::Failback(regions.primary.clone())
        }
        true => Next::Nothing,
    }
}

fn marked(view: &PipelineView) -> Option<RunState> {
    view.standby.mark.known()?.as_ref().map(|mark| mark.state)
}

/// Whether a pipeline does its work in the primary as far as anybody knows: no failover has left it in the standby.
/// Where the mark is not known, no run can begin.
pub(crate) fn needs_the_primary(view: &PipelineView) -> bool {
    match &view.standby.mark {
        Observed::Unknown(_) => false,
        Observed::Known(mark) => mark.as_ref().is_none_or(|mark| !mark.is_failover()),
    }
}
