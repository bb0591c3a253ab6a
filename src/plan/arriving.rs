//! What arrives where nobody reads it: in the old stream after a stop or a switch, in the standby's before its consumer
//! runs. It is kept no longer than the stream's retention.

use super::assess;
use super::preflight::Checks;
use super::sequence::Selected;
use super::stopped;
use super::stranded::{
    CHECK, expiry, growing, has_gone_on, keep_longer, retention_hours, way_out, writes_to,
};
use crate::model::{Mapping, MappingState, RunMark, RunState, Series, Side, Timestamp, Verdict};
use std::time::Duration;

/// The check of what somebody writes to the old stream.
const STRAYS: &str = "stray_writes";
const FIND_IT: &str = "find the producer that kdsha.toml does not list, and point it at the other Region";

/// How far back arrivals in the old stream count.
const LATELY: Duration = Duration::from_secs(10 * 60);

/// What arrived after the primary's consumer had been stopped, as when a deploy sets a producer back in the middle of a
/// run: a planned run drains before the stop, and nobody reads it before the failback.
pub(crate) fn since_the_stop(checks: &mut Checks<'_>, of: &Selected<'_>) {
    let Some(stopped) = stopped_at(checks, of).filter(|_| of.is_cold()) else { return };
    let Some(arrivals) = of.view.primary.metrics.incoming_records.known() else { return };
    let since = arrivals.since(stopped);
    let Some(first) = since.iter().find(|point| point.value > 0.0) else { return };
    let count: f64 = since.iter().map(|point| point.value).sum();
    let about = checks.about(of, Side::Primary);
    let region = checks.request.region(Side::Primary);
    let evidence = format!(
        "{count:.0} record(s) arrived in {region} after its consumer was stopped at {stopped:.0} and wait for the \
         failback; the first may expire at {}{}",
        expiry(of, first.at),
        growing(of, region)
    );
    let advice = way_out(checks, of);
    checks.advise(CHECK, &about, Verdict::Warn, evidence, advice);
}

/// What a failover that is under way has the producers write to the standby, as long as its consumer does not run.
pub(crate) fn waiting_in_the_standby(checks: &mut Checks<'_>, of: &Selected<'_>) {
    let open = |mark: &&RunMark| mark.state == RunState::Open && mark.is_failover();
    let Some(mark) = of.view.standby.mark.known().and_then(Option::as_ref).filter(open) else { return };
    let region = checks.request.region(Side::Standby);
    let standby = &of.view.standby;
    let runs = |mappings: &Vec<Mapping>| mappings.iter().any(|m| m.state == MappingState::Enabled);
    let is_read = standby.consumer.mappings.known().is_none_or(runs);
    if !of.is_cold() || is_read || !of.view.producers.iter().any(|producer| writes_to(producer, region)) {
        return;
    }
    let hours = standby.stream.known().map_or_else(|| retention_hours(of), |stream| stream.retention_hours);
    let expires = mark.token.marked_at + Duration::from_secs(u64::from(hours) * 3600);
    let evidence = format!(
        "what the producers write to {region} is stranded until its consumer is started; the first may expire at \
         {expires:.0}"
    );
    let advice = format!(
        "go on with the run (`kdsha resume`); if that has to wait, {}",
        keep_longer(checks, of, Side::Standby)
    );
    let about = checks.about(of, Side::Standby);
    checks.advise(CHECK, &about, Verdict::Warn, evidence, advice);
}

/// When the primary's consumer had stopped reading, where it stands still.
fn stopped_at(checks: &Checks<'_>, of: &Selected<'_>) -> Option<Timestamp> {
    let consumer = assess::reader_of(of.pipeline, &checks.request.topology.regions, Side::Primary);
    let mapping = of.view.primary.consumer.mappings.known()?.iter().find(|mapping| consumer.owns(mapping))?;
    let is_stopped = mapping.state == MappingState::Disabled;
    is_stopped.then(|| stopped::stopped_at(&of.view.primary, Some(mapping))).flatten()
}

/// Records that arrive in the old stream long after its producers were switched: somebody writes there whom the
/// configuration does not know. Where nobody reads it, that is wrong; a warm pipeline's consumer reads it.
pub(crate) fn stray_writes(checks: &mut Checks<'_>, of: &Selected<'_>) {
    match of.is_cold() {
        true if has_gone_on(of) => {}
        true => unread_strays(checks, of),
        false => read_strays(checks, of),
    }
}

fn unread_strays(checks: &mut Checks<'_>, of: &Selected<'_>) {
    let about = checks.about(of, Side::Primary);
    let Some(arrived) = checks.known(STRAYS, &about, &of.view.primary.metrics.incoming_records) else {
        return;
    };
    let (from, strays) = strays(checks, of, arrived);
    let (region, stream) = (checks.request.region(Side::Primary), of.pipeline.stream.of(Side::Primary));
    if strays <= 0.0 {
        // CloudWatch has no point of a minute in which nothing arrived, so this says what was counted and no more.
        let evidence = format!("no arrival was counted in {stream} in {region} since {from:.0}");
        return checks.ok(STRAYS, &about, evidence);
    }
    let evidence = format!("arrivals in {stream} in {region} since {from:.0}: {strays:.0}; nobody reads it");
    let advice = format!("{FIND_IT}; `kdsha failback` processes what arrived");
    checks.advise(STRAYS, &about, Verdict::Fail, evidence, advice);
}

/// Nothing is left unprocessed, and yet a producer goes on in the Region that was left.
fn read_strays(checks: &mut Checks<'_>, of: &Selected<'_>) {
    let Some(arrived) = of.view.primary.metrics.incoming_records.known() else { return };
    let (from, strays) = strays(checks, of, arrived);
    if strays <= 0.0 {
        return;
    }
    let about = checks.about(of, Side::Primary);
    let (region, stream) = (checks.request.region(Side::Primary), of.pipeline.stream.of(Side::Primary));
    let evidence = format!(
        "arrivals in {stream} in {region} since {from:.0}: {strays:.0}; its consumer there still has to process \
         them, as long as {region} works"
    );
    checks.advise(STRAYS, &about, Verdict::Warn, evidence, FIND_IT);
}

/// What arrived lately and after the producers had come to rest, and since when it was counted.
fn strays(checks: &Checks<'_>, of: &Selected<'_>, arrived: &Series) -> (Timestamp, f64) {
    let from = (checks.request.snapshot.taken_at - LATELY).max(settled_at(of) + arrived.period);
    (from, arrived.sum_since(from).unwrap_or(0.0))
}

/// When the last invocation of a switched producer has ended that may still write as before. Outside of a run nobody
/// saw the end of its update: the longest one is allowed for, since a late write is none to accuse anybody of.
fn settled_at(of: &Selected<'_>) -> Timestamp {
    let ended = of.view.producers.iter().filter_map(|producer| producer.function.known()?.in_flight_until());
    let marked = of.view.standby.mark.known().and_then(Option::as_ref).map(|mark| mark.token.marked_at);
    ended.chain(marked).max().unwrap_or(Timestamp::MIN)
}
