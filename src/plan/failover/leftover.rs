//! A mapping of the standby's consumer that is there before the run creates one: prepared by an earlier part of it, or left
//! over. It is used where it starts early enough and handles records alike, and is replaced where not.

use super::Move;
use crate::model::{Mapping, Side, StartAt, StartingPosition, Verdict};
use crate::plan::preflight::Checks;
use crate::steps::{DeleteMapping, position_fits};

impl Move<'_> {
    /// A mapping of the standby's consumer that is there already.
    pub(super) fn found(&self) -> Option<&Mapping> {
        self.of.view.standby.consumer.mappings.known()?.iter().find(|m| self.standby.owns(m))
    }

    /// A mapping in the standby that is not to be used.
    pub(super) fn leftover(&self) -> Option<DeleteMapping> {
        let mapping = self.found()?;
        let because = self.unfit(mapping, self.start?)?;
        Some(DeleteMapping { reader: self.standby.clone(), only: Some(mapping.id.clone()), because })
    }

    /// Why a mapping that is there must not be used for this start.
    fn unfit(&self, mapping: &Mapping, start: StartAt) -> Option<String> {
        if !position_fits(mapping.position, start) {
            let at = mapping.position.map_or_else(|| "an unknown position".to_owned(), |p| p.to_string());
            return Some(format!(
                "a leftover mapping would start at {at}, which may skip records before {start}"
            ));
        }
        if !self.goes_on && mapping.is_expired(self.retention_hours(), self.now, None) {
            return Some(format!(
                "a leftover mapping was stopped for longer than the retention of {} h: what Lambda does with its \
                 checkpoint is not documented",
                self.retention_hours()
            ));
        }
        let found = mapping.settings.known()?;
        let wanted = match self.goes_on {
            true => self.settings.as_patient_as(found),
            false => self.settings.clone(),
        };
        let differences = wanted.differences(found);
        (!differences.is_empty())
            .then(|| format!("a leftover mapping would handle records otherwise: {}", differences.join("; ")))
    }

    fn retention_hours(&self) -> u32 {
        self.of.view.standby.stream.known().map_or(24, |stream| stream.retention_hours)
    }

    /// A leftover that fits starts where it was told to, or where it had come to, and not where this run would: the
    /// earliest is returned.
    pub(super) fn told_of_the_leftover(&self, checks: &mut Checks<'_>) -> Option<StartAt> {
        let (start, mapping) = (self.start?, self.found()?);
        let at = match mapping.position? {
            StartingPosition::TrimHorizon => StartAt::TrimHorizon,
            StartingPosition::AtTimestamp(at) => StartAt::Timestamp(at),
            StartingPosition::Latest => return None,
        };
        if self.goes_on || self.unfit(mapping, start).is_some() || at == start {
            return None;
        }
        let region = &self.standby.region;
        let evidence = format!(
            "mapping {} of {} is there and is used: it starts at {at}, or goes on from its checkpoint, and repeats more than \
             {start} would",
            mapping.id, self.standby
        );
        let advice = format!(
            "to start at {start}, delete it first: `aws lambda delete-event-source-mapping --region {region} --uuid {}`",
            mapping.id
        );
        let about = checks.about(&self.of, Side::Standby);
        checks.advise("leftover_mapping", &about, Verdict::Warn, evidence, advice);
        Some(at)
    }

    /// Whether the standby's mapping is there already and stays: one that an earlier part of this run prepared, or a
    /// leftover that fits.
    pub(super) fn is_adopted(&self) -> bool {
        self.found().is_some() && self.leftover().is_none()
    }
}
