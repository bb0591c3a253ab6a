//! Stops a reader by disabling its mapping: the checkpoint is kept, which deleting would drop.

use super::reader::{Found, Reader, in_transition};
use super::{Needs, Seen, Step, Undo};
use crate::model::duration;
use crate::model::{Check, Effect, MappingState, Progress, Region, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Disables a reader's mapping and waits until it has really stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StopMapping {
    /// Whose mapping.
    pub reader: Reader,
    /// After Disabled, before it counts as stopped: the state is no proof by itself.
    #[serde(rename = "settle_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub settle: Duration,
}

fn effect(reader: &Reader, enabled: bool) -> Vec<Effect> {
    vec![Effect::SetMappingEnabled {
        region: reader.region.clone(),
        function: reader.function.clone(),
        source: reader.source.clone(),
        enabled,
    }]
}

impl StopMapping {
    fn settled(&self, modified: Option<Timestamp>, now: Timestamp) -> Check {
        let waiting = || format!("the last batches of {} to end", self.reader);
        let Some(modified) = modified else {
            return Check::NotYet(Progress::new(
                waiting(),
                "AWS did not say when the mapping was last changed",
            ));
        };
        let since = Duration::try_from(now.duration_since(modified)).unwrap_or_default();
        match since >= self.settle {
            true => Check::Done(format!(
                "{} Disabled for {}, checkpoint kept",
                self.reader.role,
                duration::show(since)
            )),
            false => {
                let left = duration::show(self.settle - since);
                Check::NotYet(Progress::new(waiting(), format!("Disabled; counts as stopped in {left}")))
            }
        }
    }
}

impl Step for StopMapping {
    const SLUG: &'static str = "stop_mapping";

    fn summary(&self) -> String {
        format!("Stop the {} (disable its mapping, keep its checkpoint)", self.reader)
    }

    fn why(&self) -> String {
        "A disabled mapping keeps its checkpoint, so the failback goes on exactly where it stopped; deleting it \
         would drop the checkpoint."
            .to_owned()
    }

    fn region(&self) -> &Region {
        &self.reader.region
    }

    fn effects(&self) -> Vec<Effect> {
        effect(&self.reader, false)
    }

    fn check(&self, seen: Seen<'_>) -> Check {
        match self.reader.find(seen) {
            Err(check) => check,
            Ok(Found::None) => Check::Done(format!("{} has no mapping", self.reader)),
            Ok(Found::One(mapping)) => match mapping.state {
                MappingState::Disabled => self.settled(mapping.last_modified, seen.at),
                MappingState::Enabled => Check::Ready,
                ref state => in_transition(&self.reader, state),
            },
        }
    }

    fn needs(&self) -> Needs {
        self.reader.needs()
    }

    fn undo(&self) -> Undo {
        Undo::Effects(effect(&self.reader, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::Role;

    /// `Disabled` is a word: the last batches get their time after it.
    #[test]
    fn a_mapping_counts_as_stopped_a_minute_after_it_is_disabled() {
        let reader = Reader {
            side: crate::model::Side::Primary,
            region: "us-west-2".parse().expect("a Region"),
            role: Role::Consumer,
            function: "F".parse().expect("a name"),
            source: crate::model::MappingSource::Stream("S".parse().expect("a name")),
        };
        let stop = StopMapping { reader, settle: Duration::from_secs(60) };
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("an instant");
        let disabled = |seconds| stop.settled(Some(now - Duration::from_secs(seconds)), now);
        assert!(matches!(disabled(59), Check::NotYet(_)));
        assert!(matches!(disabled(60), Check::Done(_)));
        assert!(matches!(stop.settled(None, now), Check::NotYet(_)), "missing is not long ago");
    }
}
