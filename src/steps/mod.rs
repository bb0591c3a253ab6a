//! One file a kind of step: pure data and a check. Nothing here does I/O.
//!
//! A step knows its effects (exactly what would be sent), what it wants of the world (`check`, which is
//! precondition, postcondition, resume test and `verify` in one) and how to explain itself at a prompt.
//! To add one: a file here, a line in the `catalogue!`, a line in the sequence that uses it.

mod create_mapping;
mod delete_mapping;
mod drain;
mod mark_run;
mod prove_quiet;
mod reader;
mod start_mapping;
mod stop_mapping;
mod switch_producer;
mod verify_result;

pub use create_mapping::{CreateMapping, position_fits};
pub use delete_mapping::DeleteMapping;
pub use drain::{Cause, Drain};
pub use mark_run::{MarkRun, how_to_clear};
pub use prove_quiet::ProveQuiet;
pub use reader::{Reader, Role};
pub use start_mapping::{StartMapping, Until};
pub use stop_mapping::StopMapping;
pub use switch_producer::SwitchProducer;
pub use verify_result::{VerifyResult, sink_shows};

use crate::model::{Check, Effect, PipelineView, Region, Side, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One pipeline as it was seen, with the moment.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The pipeline.
    pub pipeline: &'a PipelineView,
    /// When, by the server's clock.
    pub at: Timestamp,
}

/// What a step's check has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The sides; a wait never touches a Region that it does not need.
    pub sides: Sides,
    /// The stream that is read directly.
    pub probe: Option<ProbeNeed>,
    /// How far back its check looks into metrics, where that is further than a wait does anyhow.
    pub history: Duration,
    /// Whether the sink is read.
    pub sink: bool,
}

/// A stream whose shards are read directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeNeed {
    /// Its side.
    pub side: Side,
    /// How far back.
    pub look_back: Duration,
}

/// One side, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Only this one.
    One(Side),
    /// Both.
    Both,
}

impl Needs {
    /// Looks at one side, without a probe.
    pub fn side(side: Side) -> Needs {
        Needs { sides: Sides::One(side), probe: None, history: Duration::ZERO, sink: false }
    }
    /// Looks at both sides, without a probe.
    pub fn both() -> Needs {
        Needs { sides: Sides::Both, ..Needs::side(Side::Primary) }
    }
    /// What two checks need together.
    pub fn and(self, other: Needs) -> Needs {
        Needs {
            sides: if self.sides == other.sides { self.sides } else { Sides::Both },
            probe: match (self.probe, other.probe) {
                (Some(a), Some(b)) => Some(ProbeNeed { look_back: a.look_back.max(b.look_back), ..a }),
                (a, b) => a.or(b),
            },
            history: self.history.max(other.history),
            sink: self.sink || other.sink,
        }
    }
}

/// What takes a step back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// These calls, in order.
    Effects(Vec<Effect>),
    /// Nothing was changed.
    NothingToUndo,
    /// It cannot be taken back; in words what to do instead.
    NotReversible(String),
}

/// A kind of step.
pub trait Step {
    /// File name, serde tag and the word in logs.
    const SLUG: &'static str;
    /// One imperative line.
    fn summary(&self) -> String;
    /// Why it is done, for `e` at the prompt.
    fn why(&self) -> String;
    /// The Region it acts in, or waits for.
    fn region(&self) -> &Region;
    /// Exactly the calls that would be sent; empty for waits.
    fn effects(&self) -> Vec<Effect>;
    /// What it says of the world.
    fn check(&self, seen: Seen<'_>) -> Check;
    /// What its check has to look at.
    fn needs(&self) -> Needs;
    /// What takes it back.
    fn undo(&self) -> Undo;
}

/// Every kind of step: the enum, its serde tag and its dispatch come from this one list.
macro_rules! catalogue {
    ($($step:ident),+ $(,)?) => {
        /// Any step, as plans and journals hold it.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(tag = "step", rename_all = "snake_case")]
        pub enum AnyStep {
            $(#[doc = concat!("See [`", stringify!($step), "`].")] $step($step),)+
        }
        $(impl From<$step> for AnyStep {
            fn from(step: $step) -> AnyStep {
                AnyStep::$step(step)
            }
        })+
        impl AnyStep {
            /// The slugs of all kinds.
            pub const SLUGS: &'static [&'static str] = &[$(<$step as Step>::SLUG),+];
            /// The step's slug.
            pub fn slug(&self) -> &'static str {
                match self { $(AnyStep::$step(_) => <$step as Step>::SLUG,)+ }
            }
            /// See [`Step::summary`].
            pub fn summary(&self) -> String {
                match self { $(AnyStep::$step(step) => step.summary(),)+ }
            }
            /// See [`Step::why`].
            pub fn why(&self) -> String {
                match self { $(AnyStep::$step(step) => step.why(),)+ }
            }
            /// See [`Step::region`].
            pub fn region(&self) -> &Region {
                match self { $(AnyStep::$step(step) => step.region(),)+ }
            }
            /// See [`Step::effects`].
            pub fn effects(&self) -> Vec<Effect> {
                match self { $(AnyStep::$step(step) => step.effects(),)+ }
            }
            /// See [`Step::check`].
            pub fn check(&self, seen: Seen<'_>) -> Check {
                match self { $(AnyStep::$step(step) => step.check(seen),)+ }
            }
            /// See [`Step::needs`].
            pub fn needs(&self) -> Needs {
                match self { $(AnyStep::$step(step) => step.needs(),)+ }
            }
            /// See [`Step::undo`].
            pub fn undo(&self) -> Undo {
                match self { $(AnyStep::$step(step) => step.undo(),)+ }
            }
        }
    };
}

catalogue! {
    MarkRun,
    CreateMapping,
    DeleteMapping,
    SwitchProducer,
    ProveQuiet,
    Drain,
    StopMapping,
    StartMapping,
    VerifyResult,
}
