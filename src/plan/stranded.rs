//! What a failover leaves unprocessed in the primary's stream, until when it is kept there, and what saves it.
//!
//! A planned run drains first and leaves nothing. An emergency stops the consumer where it is: what it had not
//! processed waits for the failback, and no longer than the stream's retention.

use super::preflight::Checks;
use super::sequence::{Request, Selected};
use crate::model::{
    MappingState, ProducerView, Region, Side, Stranded, Timestamp, Verdict, WaitsFor, duration,
};
use std::time::Duration;

/// The check's name.
pub(crate) const CHECK: &str = "stranded_records";

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
pub(super) fn way_out(checks: &Checks<'_>, of: &Selected<'_>) -> String {
    format!(
        "`kdsha failback` processes them; if that has to wait, {}",
        keep_longer(checks, of, Side::Primary)
    )
}

pub(super) fn keep_longer(checks: &Checks<'_>, of: &Selected<'_>, side: Side) -> String {
    let region = checks.request.region(side);
    let stream = of.pipeline.stream.of(side);
    let hours = (retention_hours(of) * 2).clamp(A_WEEK_HOURS, LONGEST_RETENTION_HOURS);
    format!(
        "keep them longer: `aws kinesis increase-stream-retention-period --region {region} --stream-name {stream} \
         --retention-period-hours {hours}`"
    )
}

/// Before an emergency: what it will leave behind, and how long that is kept.
pub(crate) fn foretell(checks: &mut Checks<'_>, of: &Selected<'_>, left: &Stranded) {
    let about = checks.about(of, Side::Primary);
    let when = left.expiry(checks.request.snapshot.taken_at, |at| at.to_string());
    let evidence = format!(
        "what its consumer has not processed stays stranded in {} and waits for {}; {when}",
        left.region, left.waits_for
    );
    let advice = match left.waits_for {
        WaitsFor::Failback => way_out(checks, of),
        WaitsFor::Consumer => {
            format!("if it does not work again in time, {}", keep_longer(checks, of, Side::Primary))
        }
    };
    checks.advise(CHECK, &about, Verdict::Warn, evidence, advice);
}

/// After an emergency, while the pipeline rests in the standby.
pub(crate) fn remind(checks: &mut Checks<'_>, of: &Selected<'_>) {
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

/// Whether the primary's consumer is seen to run: then it processes what lies there.
pub(super) fn has_gone_on(of: &Selected<'_>) -> bool {
    let mappings = of.view.primary.consumer.mappings.known().map(Vec::as_slice).unwrap_or_default();
    mappings.iter().any(|mapping| mapping.state == MappingState::Enabled)
}

/// What arrives there beyond the count, as long as a producer is still to be switched.
pub(super) fn growing(of: &Selected<'_>, primary: &Region) -> String {
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

pub(super) fn writes_to(producer: &ProducerView, region: &Region) -> bool {
    producer.region_value.known().and_then(Option::as_deref) == Some(region.as_str())
}
