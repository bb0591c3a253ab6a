//! Points a producer at the other Region: two variables of its environment, every other byte kept.

use super::{Needs, Seen, Sides, Step, Undo};
use crate::model::{Check, Effect, FunctionName, Observed, ProducerView, Progress, Region, Side};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Switches one producer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SwitchProducer {
    /// Where the function lives.
    pub region: Region,
    /// The role of that Region.
    pub side: Side,
    /// The function.
    pub function: FunctionName,
    /// The alias it is invoked through.
    pub alias: Option<String>,
    /// The Region that it will write to.
    pub to: Region,
    /// The role of that Region.
    pub target: Side,
    /// Keys and new values.
    pub set: BTreeMap<String, String>,
    /// Keys and values as they were when the plan was made; keys that were not set are missing.
    pub was: BTreeMap<String, String>,
    /// Keys and values that the run sets in the same function for other pipelines: a new version may hold them too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beside: BTreeMap<String, String>,
}

impl SwitchProducer {
    fn effects_for(&self, set: &BTreeMap<String, String>) -> Vec<Effect> {
        let (region, function) = (self.region.clone(), self.function.clone());
        let set_environment =
            Effect::SetEnvironment { region: region.clone(), function: function.clone(), set: set.clone() };
        let Some(alias) = self.alias.clone() else { return vec![set_environment] };
        vec![
            set_environment,
            Effect::PublishVersion { region: region.clone(), function: function.clone() },
            Effect::MoveAlias { region, function, alias, expect: set.clone(), beside: self.beside.clone() },
        ]
    }

    fn seen<'a>(&self, seen: Seen<'a>) -> Option<&'a ProducerView> {
        let is_it = |p: &&ProducerView| p.name == self.function && p.region == self.region;
        seen.pipeline.producers.iter().find(is_it)
    }

    /// Producers are not pointed at a stream that nobody has just seen: the Region may have failed since the checks.
    fn can_be_written_to(&self, seen: Seen<'_>) -> Result<(), Check> {
        let side = seen.pipeline.side(self.target);
        let unseen = |why: String| {
            Check::NotYet(Progress::new(
                format!("stream {} in {} to take records", side.stream_name, self.to),
                why,
            ))
        };
        let stream = side.stream.as_result().map_err(|reason| unseen(reason.text.clone()))?;
        match stream.is_usable() {
            true => Ok(()),
            false => Err(unseen(format!("it is {}", stream.status))),
        }
    }

    fn done(&self) -> Check {
        Check::Done(format!("{} writes to {}", self.function, self.to))
    }

    /// Why a switch would release what nobody released. Before $LATEST is changed, not after.
    fn unreleased(&self, producer: &ProducerView) -> Option<String> {
        let differences = producer.unreleased();
        (!differences.is_empty()).then(|| {
            format!(
                "$LATEST of {} differs from the version behind its alias in {}: release it, or point the alias at it, \
                 first",
                self.function,
                differences.join(", ")
            )
        })
    }

    /// Whether the environment that invocations use says what it should.
    fn is_switched(&self, producer: &ProducerView) -> Result<bool, Check> {
        let unknown =
            |why: &str| Check::NotYet(Progress::new(format!("the environment of {}", self.function), why));
        let function = producer.function.as_result().map_err(|reason| unknown(&reason.text))?;
        let environment = match &producer.alias {
            None => &function.environment,
            Some(alias) => &alias.as_result().map_err(|reason| unknown(&reason.text))?.environment,
        };
        Ok(self.set.iter().all(|(key, value)| environment.get(key) == Some(value.as_str())))
    }
}

fn runs_a_version(producer: &ProducerView) -> bool {
    producer.alias.as_ref().and_then(Observed::known).is_some_and(|alias| !alias.is_latest())
}

impl Step for SwitchProducer {
    const SLUG: &'static str = "switch_producer";

    fn summary(&self) -> String {
        format!("Switch producer {} to write to {}", self.function, self.to)
    }

    fn why(&self) -> String {
        "New invocations write to the other Region. The whole environment is read, two keys are changed, and it is \
         sent with the RevisionId that was read, so a change by somebody else is never overwritten."
            .to_owned()
    }

    fn region(&self) -> &Region {
        &self.region
    }

    fn effects(&self) -> Vec<Effect> {
        self.effects_for(&self.set)
    }

    fn check(&self, seen: Seen<'_>) -> Check {
        let Some(producer) = self.seen(seen) else {
            return Check::Blocked(format!("{} is not a producer of this pipeline", self.function));
        };
        let is_switched = match self.is_switched(producer) {
            Ok(switched) => switched,
            Err(check) => return check,
        };
        let Observed::Known(function) = &producer.function else {
            return Check::NotYet(Progress::new("the function", "it could not be read"));
        };
        let is_ready = || self.can_be_written_to(seen).err().unwrap_or(Check::Ready);
        match (is_switched, function.last_update_status.as_str()) {
            (_, "InProgress") => Check::NotYet(Progress::new(
                format!("the update of {} to become effective", self.function),
                "LastUpdateStatus is InProgress",
            )),
            // An alias's version is not touched by an update that failed.
            (true, "Failed") if runs_a_version(producer) => self.done(),
            // Lambda goes on with the former configuration and takes another update.
            (true, "Failed") => is_ready(),
            (true, _) => self.done(),
            (false, _) => self.unreleased(producer).map_or_else(is_ready, Check::Blocked),
        }
    }

    fn needs(&self) -> Needs {
        let sides = if self.side == self.target { Sides::One(self.side) } else { Sides::Both };
        Needs { sides, ..Needs::both() }
    }

    fn undo(&self) -> Undo {
        match self.was.len() {
            n if n == self.set.len() => Undo::Effects(self.effects_for(&self.was)),
            0 => Undo::NotReversible(
                "what its variables were is not known: they could not be read, or were not set".to_owned(),
            ),
            _ => Undo::NotReversible("a variable was not set before".to_owned()),
        }
    }
}
