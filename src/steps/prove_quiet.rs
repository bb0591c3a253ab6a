//! Proves that nothing arrives in the old stream any more. After the switch, invocations that were running keep
//! the old environment until they end (Lambda Developer Guide, lambda-runtime-environment), so the silence has
//! to outlast the producers' time-out, and it is read from the shards, not from metrics that come late.

use super::{Needs, ProbeNeed, Reader, Seen, Step, Undo};
use crate::model::duration;
use crate::model::{
    Check, Effect, FunctionName, ProducerView, Progress, Region, Side, StreamName, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Waits until the shards of a stream have been silent for long enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProveQuiet {
    /// The stream's side.
    pub side: Side,
    /// Its Region.
    pub region: Region,
    /// The stream.
    pub stream: StreamName,
    /// The producers that were switched away.
    pub producers: Vec<FunctionName>,
    /// The readers that are drained and stopped afterwards: once they are stopped, nothing depends on the silence
    /// any more (and a replicator may write into the stream again).
    pub readers: Vec<Reader>,
    /// How long nothing may arrive.
    #[serde(rename = "quiet_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub quiet: Duration,
    /// How far back the shards are read: as far as the drain that follows will ask, so that one read serves both
    /// (a second, deeper read would show up in the stream's iterator age).
    #[serde(rename = "look_back_seconds", with = "crate::model::duration::as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub look_back: Duration,
}

impl ProveQuiet {
    /// Until when invocations may run that began with the old environment.
    fn in_flight_until(&self, seen: Seen<'_>) -> Result<Option<Timestamp>, String> {
        let until = seen.pipeline.producers.iter().map(in_flight_until);
        until.collect::<Result<Vec<Timestamp>, String>>().map(|all| all.into_iter().max())
    }
}

/// Until when a producer's invocations may run that began as before: the time-out after the end of the function's last
/// update, since until then "invocations continue to use the function's previous code and configuration" (Lambda
/// Developer Guide, functions-states), and where it is invoked through an alias, after the alias's last move.
fn in_flight_until(producer: &ProducerView) -> Result<Timestamp, String> {
    let function = producer.function.as_result().map_err(|reason| reason.text.clone())?;
    if function.last_update_status == "InProgress" {
        return Err(format!("the update of {} is in progress", producer.name));
    }
    let changed = function.changed_by();
    let changed = changed.ok_or_else(|| format!("AWS does not say when {} was changed", producer.name))?;
    let moved = match &producer.alias {
        None => None,
        Some(alias) => alias.as_result().map_err(|reason| reason.text.clone())?.seen_since,
    };
    Ok(moved.map_or(changed, |moved| moved.max(changed)) + function.timeout())
}

impl Step for ProveQuiet {
    const SLUG: &'static str = "prove_quiet";

    fn summary(&self) -> String {
        format!(
            "See that nothing arrives in {} in {} for {}",
            self.stream,
            self.region,
            duration::show(self.quiet)
        )
    }

    fn why(&self) -> String {
        "Invocations that were running during the switch may still write to the old Region until they end. Lag can \
         only be proven zero once nothing arrives any more."
            .to_owned()
    }

    fn region(&self) -> &Region {
        &self.region
    }

    fn effects(&self) -> Vec<Effect> {
        Vec::new()
    }

    fn check(&self, seen: Seen<'_>) -> Check {
        if !self.readers.is_empty() && self.readers.iter().all(|reader| reader.is_stopped(seen)) {
            return Check::Done("its readers are stopped already".to_owned());
        }
        let waiting = format!("stream {} in {} to be silent", self.stream, self.region);
        let not_yet = |why: String| Check::NotYet(Progress::new(waiting.clone(), why));
        match self.in_flight_until(seen) {
            Err(why) => return not_yet(why),
            Ok(Some(until)) if seen.at < until => {
                let left = Duration::try_from(until.duration_since(seen.at)).unwrap_or_default();
                let left = duration::show(left);
                return not_yet(format!("invocations from before the switch may write for another {left}"));
            }
            Ok(_) => {}
        }
        let side = seen.pipeline.side(self.side);
        match side.probe.as_result() {
            Err(reason) => not_yet(reason.text.clone()),
            Ok(probe) if probe.is_silent_since(seen.at - self.quiet) => {
                let quiet = duration::show(self.quiet);
                Check::Done(format!("no record in any of {} shards for {quiet}", probe.shards.len()))
            }
            Ok(probe) => not_yet(probe.noise(self.quiet)),
        }
    }

    fn needs(&self) -> Needs {
        let probe = ProbeNeed { side: self.side, look_back: self.look_back };
        Needs { probe: Some(probe), ..Needs::both() }
    }

    fn undo(&self) -> Undo {
        Undo::NothingToUndo
    }
}
