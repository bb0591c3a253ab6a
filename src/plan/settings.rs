//! How the standby's mapping handles records: as the primary's does, as far as that is known and can be carried over.

use super::preflight::{About, Checks};
use super::remembered::SeenAt;
use super::sequence::{Selected, carried};
use super::{Mode, assess};
use crate::model::{MappingSettings, Side, StartAt, Verdict};
use crate::steps::Role;
use std::time::Duration;

/// The check's name.
pub(super) const CHECK: &str = "mapping_settings";

/// The settings of the mapping that the standby's consumer has already.
fn standby_settings(of: &Selected<'_>, regions: &crate::config::Regions) -> Option<MappingSettings> {
    let standby = assess::reader_of(of.pipeline, regions, Side::Standby);
    let mappings = of.view.standby.consumer.mappings.known()?;
    mappings.iter().find(|m| standby.owns(m))?.settings.known().cloned()
}

/// The settings of the standby's mapping, and whether records outlive them until it reads.
pub(super) fn settings_for(
    checks: &mut Checks<'_>,
    of: &Selected<'_>,
    start: Option<StartAt>,
    mode: Mode,
) -> MappingSettings {
    let settings = clone_settings(checks, of);
    let request = checks.request;
    let retention = of.view.standby.stream.known().map_or(24, |s| s.retention_hours);
    let rewind = match start {
        Some(StartAt::Timestamp(at)) => {
            Duration::try_from(request.snapshot.taken_at.duration_since(at)).unwrap_or_default()
        }
        _ => Duration::from_secs(u64::from(retention) * 3600),
    };
    // A planned run starts the mapping at its end.
    let until_it_starts = match mode {
        Mode::Planned => request.expected_length(),
        Mode::Emergency => Duration::ZERO,
    };
    checks.record_age(of, Side::Standby, settings.maximum_record_age_seconds, rewind + until_it_starts);
    settings
}

/// The primary's settings, with the configuration's overrides.
fn clone_settings(checks: &mut Checks<'_>, of: &Selected<'_>) -> MappingSettings {
    let request = checks.request;
    let about = checks.about(of, Side::Standby);
    let mut primary = super::remembered::primary_settings(of, &request);
    // A mapping that was prepared while the primary could be read has its settings still.
    if let (None, Some(prepared)) = (&primary, standby_settings(of, &request.topology.regions)) {
        checks.ok(CHECK, &about, "those of the standby's mapping that is there");
        checks.discards(of, &prepared);
        return prepared;
    }
    if primary.is_none() {
        primary = remembered_settings(checks, of, &about);
    }
    if let Some(settings) = &primary {
        checks.discards(of, settings);
    }
    let (from, to) = (request.region(Side::Primary), request.region(Side::Standby));
    let (mut settings, lost) = carried(&primary.unwrap_or_default(), from, to);
    let overrides = &of.pipeline.consumer.overrides;
    settings.batch_size = overrides.batch_size.unwrap_or(settings.batch_size);
    settings.batching_window_seconds =
        overrides.batching_window_seconds.unwrap_or(settings.batching_window_seconds);
    settings.parallelization_factor =
        overrides.parallelization_factor.unwrap_or(settings.parallelization_factor);
    settings.on_failure = overrides.on_failure.clone().or(settings.on_failure);
    checks.not_carried(&about, "the standby's mapping", &lost);
    settings
}

/// The settings of the primary's mapping as a look from this machine saw them last.
fn remembered_settings(checks: &mut Checks<'_>, of: &Selected<'_>, about: &About) -> Option<MappingSettings> {
    match super::remembered::settings(&checks.request, of, Role::Consumer) {
        Some(SeenAt { at, value: settings }) => {
            let evidence =
                format!("the primary's mapping cannot be read; a look from this machine saw it at {at:.0}");
            let advice = "compare them when the Region answers again";
            checks.advise(CHECK, about, Verdict::Warn, evidence, advice);
            Some(settings.clone())
        }
        None => {
            let evidence =
                "the settings of the primary's mapping are not known, and no look from this machine saw them";
            let way_out =
                "from a machine that looked (`kdsha status`) while the primary answered it goes by itself";
            unknown_settings(checks, about, evidence, way_out, "Lambda's defaults and those in kdsha.toml");
            None
        }
    }
}

/// Lambda's defaults are no settings: without ReportBatchItemFailures, to name one, records of which the function says
/// that they failed are passed over.
pub(super) fn unknown_settings(
    checks: &mut Checks<'_>,
    about: &About,
    evidence: impl Into<String>,
    way_out: &str,
    instead: &str,
) {
    let advice = format!(
        "{way_out}; `--accept {CHECK} --reason TEXT` takes {instead}: records that the function reports as failed \
         (ReportBatchItemFailures) would be passed over"
    );
    checks.advise(CHECK, about, Verdict::Fail, evidence, advice);
}
