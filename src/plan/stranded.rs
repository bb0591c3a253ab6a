//! What a failover leaves unprocessed in the primary's stream, until when it is kept there, and what saves it.
//!
//! A planned run drains first and leaves nothing. An emergency stops the consumer where it is: what it had not
//! processed waits for the failback, and no longer than the stream's retention.

use super::assess;
use super::preflight::Checks;
use super::sequence::{Request, Selected};
use crate::model::{
    Mapping, MappingState, ProducerView, Region, RunMark, RunState, Side, Timestamp, Verdict, WaitsFor,
    duration,
};
use std::time::Duration;

/// The check's name.
pub(crate) const CHECK: &str = "stranded_records";

/// How far back arrivals in the old stream count.
const LATELY: Duration = Duration::from_secs(10 * 60);

const A_WEEK_HOURS: u32 = 168;
/// 365 days (Kinesis API Reference, IncreaseStreamRetentionPeriod).
const LONGEST_RETENTION_HOURS: u32 = 8760;

/// When the first record expires that arrived at `from` in the primary's stream.
pub(crate) fn expiry(of: &Selected<'_>, from: Timestamp) -> Timestamp {
    from + Duration::from_secs(u64::from(retention_hours(of)) * 3600)
}

/// The primary's retention; of a Region that does not answer, the standby's, and AWS's default where neither is known.
pub(crate) fn retention_hours(of: &Selected<'_>) -> u32 {
    let streams = [&of.view.primary.stream, &of.view.standby.stream];
    streams.into_iter().find_map(|stream| stream.known()).map_or(24, |stream| stream.retention_hours)
}

/// The position of the mark that the last run left.
fn cut_over(of: &Selected<'_>) -> Option<Timestamp> {
    of.view.standby.mark.known()?.as_ref()?.token.position
}

/// An upper bound of what lies unprocessed in the primary's stream, in words.
pub(crate) fn in_words(of: &Selected<'_>, request: &Request<'_>) -> String {
    let Some(from) = cut_over(of) else {
        return "how many records are stranded is not known".to_owned();
    };
    let now = request.snapshot.taken_at;
    let count = match of.view.primary.metrics.incoming_records.known() {
        Some(series) if from >= now - request.history => match series.sum_since(from) {
            Some(sum) => format!("at most {sum:.0} records are stranded"),
            None => "no record is known to be stranded".to_owned(),
        },
        _ => "how many records are stranded is not known".to_owned(),
    };
    let expiry = expiry(of, from);
    match Duration::try_from(expiry.duration_since(now)) {
        Ok(left) if !left.is_zero() => {
            let left = duration::show(Duration::from_secs(left.as_secs()));
            format!("{count}, the first would expire in {left}")
        }
        _ => format!("{count}, the first may have expired at {expiry}"),
    }
}

/// What saves them.
fn way_out(checks: &Checks<'_>, of: &Selected<'_>) -> String {
    format!(
        "`kdsha failback` processes them; if that has to wait, {}",
        keep_longer(checks, of, Side::Primary)
    )
}

fn keep_longer(checks: &Checks<'_>, of: &Selected<'_>, side: Side) -> String {
    let region = checks.request.region(side);
    let stream = of.pipeline.stream.of(side);
    let hours = (retention_hours(of) * 2).clamp(A_WEEK_HOURS, LONGEST_RETENTION_HOURS);
    format!(
        "keep them longer: `aws kinesis increase-stream-retention-period --region {region} --stream-name {stream} \
         --retention-period-hours {hours}`"
    )
}

/// Before an emergency: what it will leave behind, and how long that is kept.
pub(crate) fn foretell(
    checks: &mut Checks<'_>,
    of: &Selected<'_>,
    from: Option<Timestamp>,
    waits_for: WaitsFor,
) {
    let about = checks.about(of, Side::Primary);
    let region = checks.request.region(Side::Primary);
    let when = match from {
        Some(from) => format!("the first may expire at {}", expiry(of, from)),
        None => "when the first would expire is not known".to_owned(),
    };
    let evidence = format!(
        "what its consumer has not processed stays stranded in {region} and waits for {waits_for}; {when}"
    );
    let advice = match waits_for {
        WaitsFor::Failback => way_out(checks, of),
        WaitsFor::Consumer => {
            format!("if it does not work again in time, {}", keep_longer(checks, of, Side::Primary))
        }
    };
    checks.advise(CHECK, &about, Verdict::Warn, evidence, advice);
}

/// After an emergency, while the pipeline rests in the standby.
pub(crate) fn remind(checks: &mut Checks<'_>, of: &Selected<'_>) {
    let hasted = of.view.standby.mark.known().and_then(Option::as_ref).is_some_and(RunMark::is_emergency);
    if !hasted {
        return since_the_stop(checks, of);
    }
    if !of.is_cold() || has_gone_on(of) {
        return;
    }
    let about = checks.about(of, Side::Primary);
    let stranded = in_words(of, &checks.request);
    let evidence = format!(
        "the emergency did not drain its consumer: {stranded}{}",
        growing(of, checks.request.region(Side::Primary))
    );
    let advice = way_out(checks, of);
    checks.advise(CHECK, &about, Verdict::Warn, evidence, advice);
}

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
        "{count:.0} records arrived in {region} after its consumer was stopped at {stopped:.0} and wait for the \
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

fn writes_to(producer: &ProducerView, region: &Region) -> bool {
    producer.region_value.known().and_then(Option::as_deref) == Some(region.as_str())
}

/// When the primary's consumer was stopped, where that is so.
fn stopped_at(checks: &Checks<'_>, of: &Selected<'_>) -> Option<Timestamp> {
    let consumer = assess::reader_of(of.pipeline, &checks.request.topology.regions, Side::Primary);
    let mapping = of.view.primary.consumer.mappings.known()?.iter().find(|mapping| consumer.owns(mapping))?;
    (mapping.state == MappingState::Disabled).then_some(mapping.last_modified).flatten()
}

/// What arrives there beyond the count, as long as a producer is still to be switched.
fn growing(of: &Selected<'_>, primary: &Region) -> String {
    let mark = of.view.standby.mark.known().and_then(Option::as_ref);
    let is_owed = mark.is_some_and(|mark| mark.owed.iter().any(|code| code.starts_with("switch:")));
    match is_owed || of.view.producers.iter().any(|producer| writes_to(producer, primary)) {
        true => {
            let kept = retention_hours(of);
            format!("; more arrive until the producers are switched, and expire {kept} h after their arrival")
        }
        false => String::new(),
    }
}

/// Records that arrive in the old stream long after its producers were switched: somebody writes there whom the
/// configuration does not know, and nobody reads it.
pub(crate) fn arriving(checks: &mut Checks<'_>, of: &Selected<'_>) {
    if !of.is_cold() || has_gone_on(of) {
        return;
    }
    let about = checks.about(of, Side::Primary);
    let Some(arrived) = checks.known("stray_writes", &about, &of.view.primary.metrics.incoming_records)
    else {
        return;
    };
    let from = (checks.request.snapshot.taken_at - LATELY).max(settled_at(of) + arrived.period);
    let strays = arrived.sum_since(from).unwrap_or(0.0);
    let (region, stream) = (checks.request.region(Side::Primary), of.pipeline.stream.of(Side::Primary));
    if strays <= 0.0 {
        // CloudWatch has no point of a minute in which nothing arrived, so this says what was counted and no more.
        let evidence = format!("no arrival was counted in {stream} in {region} since {from:.0}");
        return checks.ok("stray_writes", &about, evidence);
    }
    let evidence = format!("arrivals in {stream} in {region} since {from:.0}: {strays:.0}; nobody reads it");
    let advice = "find the producer that kdsha.toml does not list, and point it at the other Region; `kdsha failback` \
                  processes what arrived";
    checks.advise("stray_writes", &about, Verdict::Fail, evidence, advice);
}

/// When the last invocation of a switched producer has ended that may still write as before.
fn settled_at(of: &Selected<'_>) -> Timestamp {
    let ended = of.view.producers.iter().filter_map(|producer| {
        let function = producer.function.known()?;
        Some(function.last_modified? + Duration::from_secs(u64::from(function.timeout_seconds)))
    });
    let marked = of.view.standby.mark.known().and_then(Option::as_ref).map(|mark| mark.token.marked_at);
    ended.chain(marked).max().unwrap_or(Timestamp::MIN)
}

/// Whether the primary's consumer is seen to run: then it processes what lies there.
fn has_gone_on(of: &Selected<'_>) -> bool {
    let mappings = of.view.primary.consumer.mappings.known().map(Vec::as_slice).unwrap_or_default();
    mappings.iter().any(|mapping| mapping.state == MappingState::Enabled)
}
