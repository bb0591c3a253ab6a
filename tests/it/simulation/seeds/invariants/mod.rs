//! What must be true of every story, each as a function of its own. A violation is a sentence; seed and story are
//! added by whoever reports it.
//!
//! An invariant that was never put to the test proves nothing: every function says whether there was something to
//! hold it against, and the suite counts.

pub mod calls;
pub mod environments;
pub mod records;
pub mod told;
pub mod world;

use std::fmt;

macro_rules! invariants {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// What must be true.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Invariant { $($(#[$doc])* $name,)+ }

        impl Invariant {
            pub const ALL: &'static [Invariant] = &[$(Invariant::$name,)+];
        }

        impl fmt::Display for Invariant {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Invariant::$name => $text,)+ })
            }
        }
    };
}

invariants! {
    NothingIsLost = "nothing is lost",
    ExpiryIsSaid = "what expires was said beforehand",
    NoneIsPassedOver = "none is passed over",
    NothingIsStranded = "a planned failover strands nothing",
    EverythingIsProcessed = "everything is processed",
    EnvironmentsAreKept = "environments are kept",
    VersionsAreKept = "the version behind an alias keeps its environment",
    OneConsumerEach = "one consumer each",
    SecondIsOwed = "a second consumer is owed",
    OneConsumerBetween = "one consumer each between the stages",
    NoLoop = "no replication loop",
    NoDoubling = "a failback never copies to a standby that still processes",
    SameWorld = "every way ends in the same world",
    VerifyAgrees = "after exit 0 verify finds nothing",
    LooksChangeNothing = "a look changes nothing",
    ExitCodeIsTrue = "the exit code is true",
    ExitCodeIsLegal = "the exit code is one of the table",
    FullDiskStops = "a full disk ends with exit 1",
    DryRunIsTheRun = "a dry run prints what the run sends",
    DeadlinesHold = "no run outlives its deadline",
    PaceIsKept = "the pace is kept",
    WrittenDownFirst = "calls are written down first",
    OperatorGetsThere = "the operator gets there",
}

/// What came of holding a story against an invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// There was nothing to hold against it.
    NotDue,
    Holds,
    Broken(String),
}

/// An invariant and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub invariant: Invariant,
    pub finding: Finding,
}

impl Invariant {
    pub fn not_due(self) -> Judged {
        Judged { invariant: self, finding: Finding::NotDue }
    }

    pub fn holds(self) -> Judged {
        Judged { invariant: self, finding: Finding::Holds }
    }

    pub fn broken(self, seen: impl Into<String>) -> Judged {
        Judged { invariant: self, finding: Finding::Broken(seen.into()) }
    }

    /// Broken by the first thing that was seen against it.
    pub fn unless(self, seen: Option<String>) -> Judged {
        seen.map_or_else(|| self.holds(), |seen| self.broken(seen))
    }
}
