//! A reader of a stream: the consumer of a side, or the replicator. What the mapping steps share.

use super::{Needs, Seen};
use crate::model::{
    Check, FunctionName, Mapping, MappingSource, MappingState, Progress, ReaderView, Region, Side, SideView,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a reader does with the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Processes them.
    Consumer,
    /// Copies them to the standby Region.
    Replicator,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Role::Consumer => "consumer",
            Role::Replicator => "replicator",
        })
    }
}

/// One reader, by what is known at plan time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reader {
    /// Its side.
    pub side: Side,
    /// Its Region.
    pub region: Region,
    /// What it does.
    pub role: Role,
    /// The function.
    pub function: FunctionName,
    /// What its mapping reads.
    pub source: MappingSource,
}

/// How many mappings a reader has, in all states, once the look succeeded.
pub(crate) enum Found<'a> {
    /// None.
    None,
    /// Exactly one.
    One(&'a Mapping),
}

impl Reader {
    /// The side of the snapshot that it reads.
    pub(crate) fn side_view<'a>(&self, seen: Seen<'a>) -> &'a SideView {
        seen.pipeline.side(self.side)
    }

    /// Its part of the snapshot.
    pub(crate) fn view<'a>(&self, seen: Seen<'a>) -> Option<&'a ReaderView> {
        let side = self.side_view(seen);
        match self.role {
            Role::Consumer => Some(&side.consumer),
            Role::Replicator => side.replicator.as_ref(),
        }
    }

    /// Whether a mapping reads exactly this reader's source with this reader's function, unqualified or not.
    pub(crate) fn owns(&self, mapping: &Mapping) -> bool {
        let consumer = mapping.source.stream_consumer();
        mapping.function == self.function
            && mapping.source.stream() == Some(self.source.stream().as_str())
            && match &self.source {
                MappingSource::Stream(_) => consumer.is_none(),
                MappingSource::StreamConsumer { consumer: name, .. } => consumer == Some(name.as_str()),
            }
    }

    /// The reader's one mapping. `Err` is what the check has to say: the mappings are unknown, or there are
    /// several where one is due.
    pub(crate) fn find<'a>(&self, seen: Seen<'a>) -> Result<Found<'a>, Check> {
        let unknown = |why: String| Check::NotYet(Progress::new(format!("the mapping of {self}"), why));
        let Some(view) = self.view(seen) else {
            return Err(Check::Blocked(format!("no {} is configured", self.role)));
        };
        let all = view.mappings.as_result().map_err(|reason| unknown(reason.text.clone()))?;
        let mine: Vec<&Mapping> = all.iter().filter(|m| self.owns(m)).collect();
        match mine.as_slice() {
            [] => Ok(Found::None),
            [one] => Ok(Found::One(one)),
            several => Err(Check::Blocked(format!(
                "{} mappings of {self} where one is due: {}",
                several.len(),
                several.iter().map(|m| format!("{} ({})", m.id, m.state)).collect::<Vec<_>>().join(", ")
            ))),
        }
    }

    /// Whether it is known not to read: its mapping is disabled, or there is none.
    pub(crate) fn is_stopped(&self, seen: Seen<'_>) -> bool {
        match self.find(seen) {
            Ok(Found::None) => true,
            Ok(Found::One(mapping)) => mapping.state == MappingState::Disabled,
            Err(_) => false,
        }
    }

    /// What every mapping step looks at.
    pub(crate) fn needs(&self) -> Needs {
        Needs::side(self.side)
    }

    /// The command by which a mapping of it emits `PolledEventCount`: its polls are told apart from those of others then.
    pub(crate) fn count_events(&self, mapping: &Mapping) -> String {
        format!(
            "aws lambda update-event-source-mapping --region {} --uuid {} --metrics-config Metrics=EventCount",
            self.region, mapping.id
        )
    }
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.role, self.function, self.region)
    }
}

/// The wait for a transition that Lambda finishes by itself.
pub(crate) fn in_transition(reader: &Reader, state: &MappingState) -> Check {
    Check::NotYet(Progress::new(format!("the mapping of {reader} to settle"), format!("it is {state}")))
}
