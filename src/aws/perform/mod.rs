//! The only writer: one mutating call an effect, one attempt, and the world read before and after it.
//!
//! A mutation is never repeated by the SDK: the answer may be lost and the effect not. It is sent again only
//! when AWS answered that it did nothing: throttled, or another operation was under way.

mod alias;
mod create;
mod environment;
mod functions;
mod lookup;
mod send;
mod tag;
mod toggle;

use super::clients::RegionClients;
use super::{Aws, refused};
use crate::config::Topology;
use crate::model::{AwsFailure, Effect, Interrupt, Performed, Permit};
use alias::Said;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two looks at something that is changing by itself. GetFunction's quota of its own allows it.
const POLL: Duration = Duration::from_secs(1);
/// For one wait inside an effect. Longer waits are the steps' own.
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest that a change may take: a wait before the call, the call with its repetitions, a wait after it.
pub const LONGEST_CALL: Duration = Duration::from_secs(300);
/// Sends of one effect while AWS answers that it did nothing.
const MOST_SENDS: u32 = 3;

impl Aws {
    /// Makes one change, and never leaves a call that is under way; what it waits for before and after the call an
    /// interrupt ends. What it names is looked up first; what it changed is read back where AWS gives a way.
    ///
    /// # Errors
    /// The failure says whether the change may have been applied all the same ([`crate::model::Sent`]).
    pub async fn perform(
        &self,
        topology: &Topology,
        effect: &Effect,
        _permit: &Permit,
        interrupt: &Interrupt,
    ) -> Result<Performed, AwsFailure> {
        let region = effect.region();
        let of_topology = topology.regions.side_of(region).and_then(|_| self.clients(region));
        let Some(at) = of_topology else {
            let text = "the Region is neither the primary nor the standby of this configuration";
            return Err(refused(effect.operation(), &effect.to_string(), region, text));
        };
        let hand = Hand { at, poll: POLL.min(topology.timing.poll), interrupt };
        match effect {
            Effect::TagStream { stream, tags, .. } => Box::pin(hand.tag_stream(stream, tags)).await,
            Effect::CreateMapping { function, source, start, enabled, settings, .. } => {
                let wanted = create::Wanted { function, source, start: *start, enabled: *enabled, settings };
                Box::pin(hand.create_mapping(&wanted)).await
            }
            Effect::SetMappingEnabled { function, source, enabled, .. } => {
                Box::pin(hand.set_mapping_enabled(function, source, *enabled)).await
            }
            Effect::DeleteMapping { function, source, .. } => {
                Box::pin(hand.delete_mapping(function, source)).await
            }
            Effect::SetEnvironment { function, set, .. } => {
                Box::pin(hand.set_environment(function, set)).await
            }
            Effect::PublishVersion { function, .. } => Box::pin(hand.publish_version(function)).await,
            Effect::MoveAlias { function, alias, expect, beside, .. } => {
                Box::pin(hand.move_alias(function, alias, &Said { expect, beside })).await
            }
        }
    }
}

/// What writes in one Region.
#[derive(Debug)]
struct Hand<'a> {
    at: &'a RegionClients,
    poll: Duration,
    interrupt: &'a Interrupt,
}

impl Hand<'_> {
    /// Between two looks at something that is changing by itself; an interrupt ends it.
    async fn pause(&self, length: Duration) {
        let _ = self.interrupt.or(sleep(length)).await;
    }

    /// Why a wait goes on no longer.
    fn gives_up(&self, deadline: Deadline) -> Option<&'static str> {
        match (self.interrupt.is_raised(), deadline.is_over()) {
            (true, _) => Some("interrupted"),
            (false, true) => Some("it does not settle"),
            (false, false) => None,
        }
    }
}

/// How long a wait inside an effect may still go on.
#[derive(Debug, Clone, Copy)]
struct Deadline(Instant);

impl Deadline {
    fn begin() -> Deadline {
        Deadline(Instant::now() + PATIENCE)
    }
    fn is_over(self) -> bool {
        Instant::now() >= self.0
    }
}
