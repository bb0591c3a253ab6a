//! Creates a reader's mapping at a position that skips nothing, or adopts one whose position fits.

use super::reader::{Found, Reader, in_transition};
use super::{Needs, Seen, Step, Undo};
use crate::model::{
    Check, Effect, FailureKind, Mapping, MappingSettings, MappingState, Observed, Progress, Region, StartAt,
    StartingPosition,
};
use serde::{Deserialize, Serialize};

/// Creates the mapping of a reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CreateMapping {
    /// Whose mapping.
    pub reader: Reader,
    /// Where it starts.
    pub start: StartAt,
    /// Whether it reads at once.
    pub enabled: bool,
    /// Everything else.
    pub settings: MappingSettings,
}

/// Whether a mapping that exists starts no later than `start`. LATEST never fits, nor does an unknown position.
pub fn position_fits(existing: Option<StartingPosition>, start: StartAt) -> bool {
    match (existing, start) {
        (Some(StartingPosition::TrimHorizon), _) => true,
        (Some(StartingPosition::AtTimestamp(existing)), StartAt::Timestamp(start)) => existing <= start,
        _ => false,
    }
}

impl CreateMapping {
    /// A mapping at the right place, and with other settings, may still drop what it should process.
    fn handles_alike(&self, mapping: &Mapping) -> Check {
        let settings = match &mapping.settings {
            Observed::Known(settings) => settings,
            Observed::Unknown(reason) if reason.kind == FailureKind::NotAsked => &self.settings,
            Observed::Unknown(reason) => {
                let waiting = format!("the settings of mapping {}", mapping.id);
                return Check::NotYet(Progress::new(waiting, reason.text.clone()));
            }
        };
        let differences = self.settings.as_patient_as(settings).differences(settings);
        if !differences.is_empty() {
            return Check::Blocked(format!(
                "mapping {} of {} exists and handles records otherwise ({}): delete it, then run the command again",
                mapping.id,
                self.reader,
                differences.join("; ")
            ));
        }
        let at = mapping.position.map_or_else(|| "unknown".to_owned(), |p| p.to_string());
        Check::Done(format!("mapping {} is {}, {at}", mapping.id, mapping.state))
    }
}

impl Step for CreateMapping {
    const SLUG: &'static str = "create_mapping";

    fn summary(&self) -> String {
        let state = if self.enabled { "enabled" } else { "disabled" };
        format!("Create the mapping of {}, {state}, {}", self.reader, self.start)
    }

    fn why(&self) -> String {
        match self.enabled {
            true => {
                "The reader starts where nothing before it is unprocessed. Never LATEST: AWS documents that \
                     such a mapping can miss records for minutes."
                    .to_owned()
            }
            false => "Roles, quotas and settings are proven while nothing has moved yet. The mapping reads \
                      nothing until it is enabled."
                .to_owned(),
        }
    }

    fn region(&self) -> &Region {
        &self.reader.region
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::CreateMapping {
            region: self.reader.region.clone(),
            function: self.reader.function.clone(),
            source: self.reader.source.clone(),
            start: self.start,
            enabled: self.enabled,
            settings: self.settings.clone(),
        }]
    }

    fn check(&self, seen: Seen<'_>) -> Check {
        match self.reader.find(seen) {
            Err(check) => check,
            Ok(Found::None) => Check::Ready,
            Ok(Found::One(mapping)) if mapping.state == MappingState::Deleting => {
                in_transition(&self.reader, &mapping.state)
            }
            Ok(Found::One(mapping)) if !position_fits(mapping.position, self.start) => {
                let at = mapping.position.map_or_else(|| "unknown".to_owned(), |p| p.to_string());
                Check::Blocked(format!(
                    "mapping {} of {} exists with position {at}, which may skip records before {}",
                    mapping.id, self.reader, self.start
                ))
            }
            Ok(Found::One(mapping)) if mapping.state.is_in_transition() => {
                in_transition(&self.reader, &mapping.state)
            }
            Ok(Found::One(mapping)) => self.handles_alike(mapping),
        }
    }

    fn needs(&self) -> Needs {
        self.reader.needs()
    }

    fn undo(&self) -> Undo {
        Undo::Effects(vec![Effect::DeleteMapping {
            region: self.reader.region.clone(),
            function: self.reader.function.clone(),
            source: self.reader.source.clone(),
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_adopted_only_if_it_starts_no_later() {
        let at = |text: &str| text.parse::<crate::model::Timestamp>().expect("an instant");
        let start = StartAt::Timestamp(at("2026-11-22T10:00:00Z"));
        let earlier = StartingPosition::AtTimestamp(at("2026-11-22T09:59:59Z"));
        let later = StartingPosition::AtTimestamp(at("2026-11-22T10:00:01Z"));
        assert!(position_fits(Some(StartingPosition::TrimHorizon), start));
        assert!(position_fits(Some(earlier), start));
        assert!(!position_fits(Some(later), start));
        assert!(!position_fits(Some(StartingPosition::Latest), start));
        assert!(!position_fits(None, start));
        assert!(!position_fits(Some(earlier), StartAt::TrimHorizon));
    }
}
