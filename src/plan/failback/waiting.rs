//! What may wait unprocessed in the primary's stream for the consumer that comes back, and whether its mapping would give
//! it up for its age: Lambda drops such records before it invokes, and counts that as progress.

use crate::model::{Mapping, Observed, RunMark, RunState, Side, Timestamp, Verdict, duration};
use crate::plan::preflight::Checks;
use crate::plan::sequence::{Request, STARTS, Selected};
use crate::plan::stopped::{read_until, stopped_at};
use crate::plan::stranded;
use std::time::Duration;

const CHECK: &str = "record_age";

/// Whether records wait, each with how that is known.
#[derive(Debug, Clone, PartialEq)]
enum Found {
    Nothing(String),
    Something(String),
    Unknown(String),
}

/// What waits for the primary's consumer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Waiting {
    found: Found,
    /// When the oldest record that it must process has arrived, at the earliest.
    pub(super) oldest: Timestamp,
}

/// Where the age limit of a mapping stands, and is lifted.
pub(super) struct LimitOf<'a> {
    pub(super) side: Side,
    pub(super) mapping: &'a Mapping,
}

impl Waiting {
    /// What waits, by the mark of the last run and by what arrived since.
    pub(super) fn seen(request: &Request<'_>, of: &Selected<'_>, mapping: Option<&Mapping>) -> Waiting {
        let now = request.snapshot.taken_at;
        let mark = of.view.standby.mark.known().and_then(Option::as_ref);
        let horizon = now - Duration::from_secs(u64::from(stranded::retention_hours(of)) * 3600);
        let found = found(request, of, mapping);
        let oldest = match &found {
            Found::Nothing(_) => request.marked_at(of.view),
            Found::Something(_) | Found::Unknown(_) => {
                mark.and_then(|mark| mark.token.position).map_or(horizon, |position| position.max(horizon))
            }
        };
        Waiting { found, oldest }
    }

    /// How it is known that nothing waits, where it is.
    pub(super) fn nothing(&self) -> Option<&str> {
        match &self.found {
            Found::Nothing(why) => Some(why),
            Found::Something(_) | Found::Unknown(_) => None,
        }
    }

    /// Whether a mapping with this age limit would give up what waits for it.
    pub(super) fn outlasts(&self, checks: &mut Checks<'_>, of: &Selected<'_>, limit: u32, at: &LimitOf<'_>) {
        let request = checks.request;
        let age = Duration::try_from(request.snapshot.taken_at.duration_since(self.oldest));
        let age = Duration::from_secs(age.unwrap_or_default().as_secs());
        let (set, age_in_words) = (format!("MaximumRecordAgeInSeconds is {limit}"), duration::show(age));
        let old = format!("{set}, and what waits for it may be {age_in_words} old");
        let about = checks.about(of, Side::Primary);
        let way_out = || lift(&request, at);
        match &self.found {
            Found::Nothing(why) => {
                checks.ok(CHECK, &about, format!("{set}, and nothing waits for it: {why}"))
            }
            _ if Duration::from_secs(u64::from(limit)) > age + STARTS => checks.ok(CHECK, &about, old),
            Found::Something(why) => {
                checks.advise(CHECK, &about, Verdict::Fail, format!("{old}: {why}"), way_out());
            }
            Found::Unknown(why) => {
                let evidence = format!(
                    "{set}; whether records wait for it is not known ({why}); they may be {age_in_words} old"
                );
                let advice =
                    format!("{}; or, if you know that none do, `--accept {CHECK} --reason TEXT`", way_out());
                checks.advise(CHECK, &about, unknown(&request, of), evidence, advice);
            }
        }
    }

    /// The same of a mapping whose settings cannot be read.
    pub(super) fn may_not_outlast(
        &self,
        checks: &mut Checks<'_>,
        of: &Selected<'_>,
        why: &str,
        at: &LimitOf<'_>,
    ) {
        if self.nothing().is_some() {
            return;
        }
        let request = checks.request;
        let about = checks.about(of, Side::Primary);
        let evidence = format!("the age limit of mapping {} is not known: {why}", at.mapping.id);
        checks.advise(CHECK, &about, unknown(&request, of), evidence, lift(&request, at));
    }
}

/// An earlier part of this run was let begin by the mark of the failover, in whose place its own is now.
fn unknown(request: &Request<'_>, of: &Selected<'_>) -> Verdict {
    match request.own_mark(of.view) {
        Some(_) => Verdict::Warn,
        None => Verdict::Unknown,
    }
}

fn lift(request: &Request<'_>, at: &LimitOf<'_>) -> String {
    format!(
        "Lambda would drop what is older: `aws lambda update-event-source-mapping --region {} --uuid {} \
         --maximum-record-age-in-seconds -1`, then the same command again",
        request.region(at.side),
        at.mapping.id
    )
}

fn found(request: &Request<'_>, of: &Selected<'_>, mapping: Option<&Mapping>) -> Found {
    let mark = match &of.view.standby.mark {
        Observed::Unknown(reason) => return Found::Unknown(reason.text.clone()),
        Observed::Known(None) => return Found::Unknown("no run mark says how it was left".to_owned()),
        Observed::Known(Some(mark)) => mark,
    };
    if mark.is_emergency() {
        return Found::Something("the emergency did not drain its consumer".to_owned());
    }
    match drained_by(request, of, mark) {
        Ok(()) => arrived(of, mapping),
        Err(why) => Found::Unknown(why),
    }
}

/// Whether the run of this mark has drained the primary's consumer, or why that is not known.
fn drained_by(request: &Request<'_>, of: &Selected<'_>, mark: &RunMark) -> Result<(), String> {
    if mark.intent != RunMark::FAILOVER || mark.state != RunState::Closed {
        return Err(format!("the last run on record, {} ({}), did not drain it", mark.run, mark.intent));
    }
    let marked_at = mark.token.marked_at;
    if marked_at < request.snapshot.taken_at - request.history {
        let history = duration::show(request.history);
        return Err(format!(
            "its failover was marked at {marked_at:.0}, and the metrics reach back {history}"
        ));
    }
    // A planned run that found the consumer stopped, as after an emergency, has drained nothing.
    match read_until(&of.view.primary) {
        Some(at) if at > marked_at => Ok(()),
        _ => Err(format!(
            "no data point shows that it read on after the failover was marked at {marked_at:.0}"
        )),
    }
}

/// What arrived after a drained consumer had stopped.
fn arrived(of: &Selected<'_>, mapping: Option<&Mapping>) -> Found {
    let Some(stopped) = stopped_at(&of.view.primary, mapping) else {
        return Found::Unknown("nothing tells when it stopped".to_owned());
    };
    let series = match &of.view.primary.metrics.incoming_records {
        Observed::Known(series) if series.points.is_empty() => {
            return Found::Unknown("IncomingRecords has no data point: missing is not zero".to_owned());
        }
        Observed::Known(series) => series,
        Observed::Unknown(reason) => return Found::Unknown(reason.text.clone()),
    };
    let count: f64 = series.reaching(stopped).iter().map(|point| point.value).sum();
    match count > 0.0 {
        true => Found::Something(format!(
            "{count:.0} record(s) arrived after it had stopped, which was at {stopped:.0}"
        )),
        false => {
            Found::Nothing(format!("the failover drained it, and no arrival was counted since {stopped:.0}"))
        }
    }
}
