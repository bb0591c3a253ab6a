//! Producers that write to the standby before its consumer starts: what they write there is read by nobody, and the
//! primary's metrics do not tell of it, so a start may pass it over.

use super::preflight::{About, Checks};
use super::sequence::{Request, Selected};
use super::stranded::writes_to;
use crate::model::{ProducerView, Region, Side, StartAt, Timestamp, Verdict};

/// What lies, or may lie, unread in the standby's stream.
pub(super) enum Strays {
    /// Nothing.
    None,
    /// Producers are pointed there, in words; the first was changed last at that instant.
    Pointed { names: String, changed: Option<Timestamp> },
    /// This very run points them there, not before it was marked.
    OfThisRun { marked_at: Timestamp },
    /// Records arrived where kdsha.toml names nobody who copies any.
    Arrived { first: Timestamp, count: f64 },
    /// Nothing tells, and why.
    Unknown(String),
}

impl Strays {
    pub(super) fn of(request: &Request<'_>, of: &Selected<'_>) -> Strays {
        let standby = request.region(Side::Standby);
        let pointed: Vec<&ProducerView> =
            of.view.producers.iter().filter(|producer| writes_to(producer, standby)).collect();
        if let Some(mark) = request.own_mark(of.view) {
            return Strays::OfThisRun { marked_at: mark.token.marked_at };
        }
        if !pointed.is_empty() {
            let changed = pointed.iter().filter_map(|producer| changed(producer)).min();
            let names = pointed.into_iter().map(in_words).collect::<Vec<_>>().join(", ");
            return Strays::Pointed { names, changed };
        }
        match (arrived(request, of), unread_producer(of)) {
            (Ok(Some((first, count))), _) => Strays::Arrived { first, count },
            (Ok(None), _) | (Err(_), None) => Strays::None,
            (Err(cannot_tell), Some(why)) => Strays::Unknown(format!("{why}; {cannot_tell}")),
        }
    }

    /// What a start at an instant passes over for certain.
    fn passed_over_by(&self, start: Timestamp, standby: &Region) -> Option<String> {
        match self {
            Strays::Pointed { names, changed: Some(changed) } if *changed < start => {
                Some(format!("{names} to {standby}, where nobody reads"))
            }
            Strays::OfThisRun { marked_at } if *marked_at < start => {
                Some(format!("this run may have its producers write to {standby} since {marked_at:.0}"))
            }
            _ => None,
        }
    }

    /// What a start at an instant may pass over.
    fn doubt_of(&self, start: Timestamp, standby: &Region) -> Option<String> {
        match self {
            Strays::Pointed { names, .. } => Some(format!(
                "{names} to {standby}, where nobody reads, and may have done so before it was changed last"
            )),
            Strays::Unknown(why) => {
                Some(format!("whether a producer writes to {standby} already is not known: {why}"))
            }
            // Somebody may copy of whom kdsha.toml knows nothing: then they are no loss.
            Strays::Arrived { first, count } if *first < start => Some(format!(
                "{count:.0} records arrived in {standby} since {first:.0}, where nobody reads, and kdsha.toml names \
                 nobody who copies: what a producer wrote there is skipped up to the start, unless it is given as {} or \
                 earlier",
                StartAt::Timestamp(*first).flag()
            )),
            Strays::None | Strays::OfThisRun { .. } | Strays::Arrived { .. } => None,
        }
    }
}

/// The way out where a derived start may pass something over.
const BEFORE_THE_FIRST: &str = "give --start-at TIME before the first of them was switched, or --start-at trim-horizon \
                                (everything the standby's stream still has)";

/// Whether strays forbid a start that the primary's metrics give; a check says so.
pub(super) fn forbid_a_derived_start(checks: &mut Checks<'_>, of: &Selected<'_>) -> bool {
    let Strays::Pointed { names, .. } = Strays::of(&checks.request, of) else { return false };
    let (about, standby) = (checks.about(of, Side::Standby), checks.request.region(Side::Standby));
    let text = format!(
        "{names} to {standby} already, where nobody reads: what arrived there since may lie before any start that the \
         primary's metrics give"
    );
    checks.advise("start_position", &about, Verdict::Fail, text, BEFORE_THE_FIRST);
    true
}

/// Says a derived start, and whether strays may lie before it.
pub(super) fn say_the_start(checks: &mut Checks<'_>, of: &Selected<'_>, start: StartAt, text: String) {
    let about = checks.about(of, Side::Standby);
    match doubt(checks, of, start) {
        None => checks.ok("start_position", &about, text),
        Some(doubt) => {
            let advice = "was one switched by hand? Then give --start-at TIME before that";
            checks.advise("start_position", &about, Verdict::Warn, format!("{text}; {doubt}"), advice);
        }
    }
}

/// Whether a start that is given passes strays over; a check says so.
pub(super) fn are_passed_over(
    checks: &mut Checks<'_>,
    of: &Selected<'_>,
    about: &About,
    start: StartAt,
) -> bool {
    let StartAt::Timestamp(at) = start else { return false };
    let standby = checks.request.region(Side::Standby);
    let Some(what) = Strays::of(&checks.request, of).passed_over_by(at, standby) else { return false };
    let text = format!("{what}: {} would skip what arrived there before", start.flag());
    checks.advise("start_at", about, Verdict::Fail, text, BEFORE_THE_FIRST);
    true
}

/// What a start may pass over, in words.
pub(super) fn doubt(checks: &Checks<'_>, of: &Selected<'_>, start: StartAt) -> Option<String> {
    let StartAt::Timestamp(start) = start else { return None };
    Strays::of(&checks.request, of).doubt_of(start, checks.request.region(Side::Standby))
}

fn changed(producer: &ProducerView) -> Option<Timestamp> {
    producer.function.known()?.last_modified
}

fn in_words(producer: &ProducerView) -> String {
    let changed = changed(producer).map(|at| format!(" (changed at {at:.0})")).unwrap_or_default();
    format!("{} writes{changed}", producer.name)
}

/// Why nothing tells where a producer writes.
fn unread_producer<'v>(of: &Selected<'v>) -> Option<&'v str> {
    of.view.producers.iter().find_map(|producer| Some(producer.region_value.reason()?.text.as_str()))
}

/// What arrived in the standby's stream since the last run's producers had come to rest; with a replicator, and without
/// the end of that run, arrivals do not tell who wrote them.
fn arrived(request: &Request<'_>, of: &Selected<'_>) -> Result<Option<(Timestamp, f64)>, String> {
    if of.pipeline.replicator.is_some() {
        return Err("a replicator's copies arrive there too".to_owned());
    }
    let arrivals = &of.view.standby.metrics.incoming_records;
    let arrivals = arrivals.as_result().map_err(|reason| reason.text.clone())?;
    let settled = of.view.producers.iter().map(|p| p.function.known().and_then(|f| f.in_flight_until()));
    let oldest = request.snapshot.taken_at - request.history;
    let mark = of.view.standby.mark.as_result().map_err(|reason| reason.text.clone())?;
    let ended = match mark {
        None => Some(oldest),
        Some(mark) if mark.token.marked_at < oldest => Some(oldest),
        Some(mark) => settled
            .collect::<Option<Vec<_>>>()
            .map(|all| all.into_iter().fold(mark.token.marked_at, Ord::max)),
    };
    let ended = ended.ok_or("a run had its producers write there not long ago")?;
    let unread: Vec<_> = arrivals.since(ended + arrivals.period).iter().filter(|p| p.value > 0.0).collect();
    let count = unread.iter().map(|point| point.value).sum();
    Ok(unread.first().map(|first| (first.at, count)))
}
