//! Where the standby's consumer starts: derived, given, or on the mark of the run that goes on.

use super::failover::FailoverOptions;
use super::position::{self, Buffer, Evidence, Origin, Position};
use super::preflight::{About, Checks};
use super::sequence::{Request, Selected};
use super::timeout::{self, Timeout};
use super::{Mode, assess, strays};
use crate::model::{RunMark, RunState, Side, StartAt, Timestamp, Verdict, duration};
use crate::steps::Role;
use std::time::Duration;

/// What the primary's consumer says of how far it has come.
pub(super) fn evidence<'a>(
    request: &Request<'a>,
    of: &Selected<'a>,
    mode: Mode,
    overlap: Duration,
) -> Evidence<'a> {
    let consumer = assess::reader_of(of.pipeline, &request.topology.regions, Side::Primary);
    let primary = &of.view.primary;
    let mappings = primary.consumer.mappings.known().map(Vec::as_slice).unwrap_or_default();
    let settings = mappings.iter().find(|m| consumer.owns(m)).and_then(|m| m.settings.known());
    let settings =
        settings.or_else(|| Some(&super::remembered::settings(request, of, Role::Consumer)?.value));
    let remembered = || Some(&super::remembered::other_streams(request, of)?.value);
    let other_streams = primary.consumer.other_streams.known().or_else(remembered);
    let seconds = |n: u32| Duration::from_secs(u64::from(n));
    let retention = of.view.standby.stream.known().map_or(24, |s| s.retention_hours);
    Evidence {
        reader: &primary.consumer.metrics,
        stream: &primary.metrics,
        mode,
        now: request.snapshot.taken_at,
        history: request.history,
        buffer: Buffer {
            overlap,
            consumer_timeout: Timeout::of(request, of).length(),
            batching_window: seconds(settings.map_or(300, |s| s.batching_window_seconds)),
            allowance: position::ALLOWANCE,
        },
        tumbling_window: seconds(settings.map_or(0, |s| s.tumbling_window_seconds)),
        retention: Duration::from_secs(u64::from(retention) * 3600),
        other_streams: other_streams.map(Vec::as_slice),
        is_filtered: settings.is_some_and(|s| !s.filters.is_empty()),
    }
}

/// The start position, or a failed check that says why there is none.
pub(super) fn start_position(
    checks: &mut Checks<'_>,
    of: &Selected<'_>,
    options: FailoverOptions,
) -> Option<Position> {
    let request = checks.request;
    let about = checks.about(of, Side::Standby);
    let overlap = options.overlap_buffer.unwrap_or(of.pipeline.overlap_buffer);
    let evidence = evidence(&request, of, options.mode, overlap);
    let fixed = |start: StartAt, origin: Origin| evidence.at(start, origin, Vec::new());
    let own = request.own_mark(of.view);
    let marked = own.and_then(|mark| position_of(mark, options.mode));
    if let (Some(start), Mode::Planned) = (marked, options.mode) {
        return Some(fixed(start, Origin::RunMark));
    }
    if evidence.derive().is_ok() || evidence.of_one_stream().is_some() {
        timeout::by_memory(checks, of);
    }
    if let Some(start) = options.start_at {
        if matches!(start, StartAt::Timestamp(at) if at >= evidence.now) {
            let text = format!("{} lies in the future (now {})", start.flag(), evidence.now);
            checks.advise("start_position", &about, Verdict::Fail, text, "give an instant in the past");
            return None;
        }
        skips_nothing(checks, of, &about, &evidence, start);
        return Some(fixed(start, Origin::Operator));
    }
    match (evidence.derive(), marked) {
        // A run that turns into an emergency goes by the stricter rule, and by the earlier of the two.
        (Ok(position), Some(start)) if !position_fits(position.start, start) => Some(position),
        (_, Some(start)) => Some(fixed(start, Origin::RunMark)),
        // Its producers may have been switched since it was marked, and what they wrote is read by nobody yet.
        (Ok(position), None) if own.is_some() => {
            let cut =
                own.and_then(|mark| mark.token.position).map_or(StartAt::TrimHorizon, StartAt::Timestamp);
            match position_fits(position.start, cut) {
                true => Some(fixed(cut, Origin::RunMark)),
                false => Some(position),
            }
        }
        (Ok(_), None) if strays::forbid_a_derived_start(checks, of) => None,
        (Ok(position), None) => {
            let text = format!(
                "{} ({} before the oldest unprocessed record)",
                position.start,
                duration::show(evidence.buffer.total())
            );
            strays::say_the_start(checks, of, position.start, text);
            own_metrics_by_memory(checks, of);
            Some(position)
        }
        (Err(why), None) => {
            ask_for_a_start(checks, of, &evidence, why);
            None
        }
    }
}

/// Says why there is no start, and every way to give one.
fn ask_for_a_start(checks: &mut Checks<'_>, of: &Selected<'_>, evidence: &Evidence<'_>, why: String) {
    let known = super::remembered::advice(&checks.request, of, evidence.retention);
    let supposed = evidence
        .of_one_stream()
        .map(|start| format!("{}, if you know that it reads this stream alone", start.flag()));
    let known: String = known.into_iter().chain(supposed).map(|known| format!("{known}; or ")).collect();
    let advice = format!(
        "{known}give one with --start-at TIME (before the first unprocessed record) or --start-at trim-horizon \
         (everything the standby's stream still has)"
    );
    let about = checks.about(of, Side::Standby);
    checks.advise("start_position", &about, Verdict::Fail, why, advice);
}

/// Says so where only an earlier look tells that the metrics are of one stream.
fn own_metrics_by_memory(checks: &mut Checks<'_>, of: &Selected<'_>) {
    if of.view.primary.consumer.other_streams.known().is_some() {
        return;
    }
    let Some(seen) = super::remembered::other_streams(&checks.request, of) else { return };
    let evidence = format!(
        "whether the consumer's function reads other streams cannot be read; a look from this machine saw none at {:.0}",
        seen.at
    );
    let advice = "was one added since? Then its metrics are of both: give the start with --start-at";
    let about = checks.about(of, Side::Primary);
    checks.advise("shared_function", &about, Verdict::Warn, evidence, advice);
}

/// The position on this run's mark. A planned run's relies on a drain: an emergency that goes on with it has the
/// one that the mark keeps for that case, and else none.
fn position_of(mark: &RunMark, mode: Mode) -> Option<StartAt> {
    let token = &mark.token;
    let Some(position) = token.position else { return Some(StartAt::TrimHorizon) };
    let relies_on_a_drain = mark.state == RunState::Open && !mark.is_emergency();
    match (mode, relies_on_a_drain) {
        (Mode::Emergency, true) => token.emergency.map(|at| StartAt::Timestamp(at.min(position))),
        _ => Some(StartAt::Timestamp(position)),
    }
}

const IN_DOUBT: &str = "in doubt an earlier instant: it repeats records, and skips none";

/// Whether an emergency's `--start-at` lies behind what the data points say may be unprocessed. A planned run drains
/// first, so that nothing before its switch is unprocessed.
fn skips_nothing(
    checks: &mut Checks<'_>,
    of: &Selected<'_>,
    about: &About,
    evidence: &Evidence<'_>,
    start: StartAt,
) {
    let passes_strays_over = strays::are_passed_over(checks, of, about, start);
    if passes_strays_over || evidence.mode == Mode::Planned || start == StartAt::TrimHorizon {
        return;
    }
    let given = start.flag();
    match (evidence.skips(start), evidence.derive()) {
        (Some(safe), _) => {
            let text =
                format!("{given}, and records may be unprocessed from {safe} on: they would be skipped");
            let advice = format!("leave --start-at out, or give {} or an earlier instant", safe.flag());
            checks.advise("start_at", about, Verdict::Fail, text, advice);
        }
        (None, Ok(_)) => match strays::doubt(checks, of, start) {
            None => checks.ok("start_at", about, format!("{given} lies before all that may be unprocessed")),
            Some(doubt) => {
                let text =
                    format!("{given} lies before all that the primary may have left unprocessed; {doubt}");
                checks.advise("start_at", about, Verdict::Warn, text, IN_DOUBT);
            }
        },
        (None, Err(why)) => {
            let text = format!("whether records before {given} are unprocessed is not known: {why}");
            checks.advise("start_at", about, Verdict::Warn, text, IN_DOUBT);
        }
    }
}

/// Where an emergency would start now; `None` where nothing tells.
pub(super) fn emergency_start(
    request: &Request<'_>,
    of: &Selected<'_>,
    options: FailoverOptions,
) -> Option<Timestamp> {
    let overlap = options.overlap_buffer.unwrap_or(of.pipeline.overlap_buffer);
    match evidence(request, of, Mode::Emergency, overlap).derive().ok()?.start {
        StartAt::Timestamp(at) => Some(at),
        StartAt::TrimHorizon => None,
    }
}

/// The first instant from which the primary's consumer may have left records unprocessed, as its data points tell;
/// unlike a start it may lie before the standby's oldest record.
pub(super) fn unprocessed_from(
    request: &Request<'_>,
    of: &Selected<'_>,
    options: FailoverOptions,
) -> Option<Timestamp> {
    let overlap = options.overlap_buffer.unwrap_or(of.pipeline.overlap_buffer);
    let position = evidence(request, of, Mode::Emergency, overlap).derive().ok()?;
    match position.origin {
        Origin::Derived { earliest, .. } => Some(earliest - position.buffer.total()),
        Origin::Operator | Origin::RunMark => None,
    }
}

/// Whether a mapping at `start` begins no later than `position`.
fn position_fits(position: StartAt, start: StartAt) -> bool {
    crate::steps::position_fits(Some(start.into()), position)
}
