//! Deletes a mapping, and with it its checkpoint. It is gone when AWS answers that it does not exist.

use super::reader::{Found, Reader, in_transition};
use super::{Needs, Seen, Step, Undo};
use crate::model::{Check, Effect, MappingId, MappingState, Region};
use serde::{Deserialize, Serialize};

/// Deletes a reader's mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeleteMapping {
    /// Whose mapping.
    pub reader: Reader,
    /// The very mapping, where it makes way for a new one of the same reader; `None` is any.
    pub only: Option<MappingId>,
    /// Why it goes.
    pub because: String,
}

impl Step for DeleteMapping {
    const SLUG: &'static str = "delete_mapping";

    fn summary(&self) -> String {
        format!("Delete the mapping of {}", self.reader)
    }

    fn why(&self) -> String {
        self.because.clone()
    }

    fn region(&self) -> &Region {
        &self.reader.region
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::DeleteMapping {
            region: self.reader.region.clone(),
            function: self.reader.function.clone(),
            source: self.reader.source.clone(),
        }]
    }

    fn check(&self, seen: Seen<'_>) -> Check {
        match self.reader.find(seen) {
            Err(check) => check,
            Ok(Found::None) => Check::Done(format!("{} has no mapping", self.reader)),
            Ok(Found::One(mapping)) => match &self.only {
                Some(id) if *id != mapping.id => Check::Done(format!("mapping {id} is gone")),
                _ if mapping.state == MappingState::Deleting => in_transition(&self.reader, &mapping.state),
                _ => Check::Ready,
            },
        }
    }

    fn needs(&self) -> Needs {
        self.reader.needs()
    }

    fn undo(&self) -> Undo {
        Undo::NotReversible("the checkpoint is gone; a new mapping needs a start position".to_owned())
    }
}
