//! The stories of a game day: what befalls the pipeline, and what it teaches.

use crate::cli::failure::Failure;
use crate::model::Exit;

/// A story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// The data plane of the primary fails in part: planned failover of a cold standby.
    DataPlane,
    /// The same with a warm standby.
    Warm,
    /// The primary falls silent: emergency failover, and what is owed is settled when it is back.
    Silent,
    /// The primary's control APIs fail and its records go on moving.
    ControlPlane,
    /// The primary's consumer is slower than its traffic.
    SlowConsumer,
    /// The replicator has failed for longer than the RPO, and goes on failing into the drain.
    Replicator,
    /// A colleague starts what was stopped, and a deploy writes the old environment back.
    Colleague,
    /// kdsha is killed again and again.
    Killed,
}

impl Scenario {
    /// Every story with its name and what it is about.
    pub(super) const ALL: [(&'static str, Scenario, &'static str); 8] = [
        (
            "data-plane-outage",
            Scenario::DataPlane,
            "A quarter of all puts and gets fail in the primary. The planned failover, drained and proven.",
        ),
        (
            "warm-standby",
            Scenario::Warm,
            "The same, and the standby's consumer has always run: only the producers move.",
        ),
        (
            "silent-region",
            Scenario::Silent,
            "Nothing answers in the primary. Emergency, what it owes is settled when it is back.",
        ),
        (
            "control-plane-outage",
            Scenario::ControlPlane,
            "The primary's control APIs fail, its records move. The planned run is refused, the emergency is not.",
        ),
        (
            "slow-consumer",
            Scenario::SlowConsumer,
            "The primary's consumer falls behind. The drain takes as long as it needs, and says so.",
        ),
        (
            "replicator-far-behind",
            Scenario::Replicator,
            "The replicator fails, its lag passes the RPO. A wait that does not end until somebody mends it.",
        ),
        (
            "colleague-interferes",
            Scenario::Colleague,
            "A colleague enables what was stopped, a deploy reverts the switch. Both are noticed, and repaired.",
        ),
        (
            "operator-killed",
            Scenario::Killed,
            "kdsha is killed three times midway, at instants of the seed. `kdsha resume` goes on each time.",
        ),
    ];

    pub(super) fn named(name: Option<&str>) -> Result<Scenario, Failure> {
        let Some(name) = name else { return Ok(Scenario::DataPlane) };
        let found = Scenario::ALL.iter().find(|(known, ..)| *known == name).map(|(_, scenario, _)| *scenario);
        found.ok_or_else(|| {
            let known = Scenario::ALL.map(|(name, ..)| name).join(", ");
            Failure::new(Exit::Usage, format!("--scenario {name}: there is no such story"))
                .hint(format!("the stories are: {known}"))
        })
    }

    /// One that is played by hand without being named: what it is has to be found out.
    pub(super) fn unnamed(seed: u64) -> Scenario {
        use Scenario::{ControlPlane, DataPlane, Replicator, Silent, SlowConsumer};
        let troubles = [DataPlane, Silent, ControlPlane, SlowConsumer, Replicator];
        troubles[fastrand::Rng::with_seed(seed).usize(0..troubles.len())]
    }

    pub(super) fn name(self) -> &'static str {
        Scenario::ALL.iter().find(|(_, scenario, _)| *scenario == self).map_or("", |(name, ..)| name)
    }

    /// Whether the standby's consumer runs from the beginning.
    pub(super) fn is_warm(self) -> bool {
        self == Scenario::Warm
    }
}
