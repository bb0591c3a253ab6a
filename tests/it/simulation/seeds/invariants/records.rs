//! 1. Records: no accepted one is lost or skipped. Duplicates are not losses.

use super::super::draw::Scenario;
use super::super::operator::unfolded;
use super::super::theatre::Theatre;
use super::super::weather::Weather;
use super::{Invariant, Judged};
use kdsha::model::{Side, Timestamp};
use kdsha::sandbox::world::{LostBecause, LostRecord};
use std::time::Duration;

/// What a command said of records that wait in a stream and expire there, when it was over.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    pub at: Timestamp,
    pub what: Word,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Nothing,
    /// Of those that had arrived.
    Stranded,
    /// And of those that go on arriving.
    MoreArrive,
}

impl Word {
    pub fn of(said: &str) -> Word {
        let said = unfolded(said);
        match said.contains("stranded") && said.contains("expire") {
            true if said.contains("more arrive until the producers are switched") => Word::MoreArrive,
            true => Word::Stranded,
            false => Word::Nothing,
        }
    }
}

fn is_expired(lost: &&LostRecord) -> bool {
    lost.why == LostBecause::Expired
}

/// Nothing is skipped, and no mapping gives anything up. Retention is another matter: see [`expiry_is_said`].
pub fn nothing_is_lost(theatre: &Theatre, when: &str) -> Judged {
    let ledger = theatre.sandbox.with_world(|world| world.ledger());
    if ledger.put == 0 {
        return Invariant::NothingIsLost.not_due();
    }
    let lost: Vec<&LostRecord> = ledger.lost_records.iter().filter(|lost| !is_expired(lost)).collect();
    let seen = |first: &&LostRecord| {
        let (count, put, last) = (lost.len(), ledger.put, lost.last());
        format!("{when}: {count} of {put} records, the first {first:?}, the last {last:?}")
    };
    Invariant::NothingIsLost.unless(lost.first().map(seen))
}

/// What retention took was spoken of while it lay there and could still be saved.
pub fn expiry_is_said(weather: &Weather<'_>, said: &[Said], when: &str) -> Judged {
    let ledger = weather.theatre.sandbox.with_world(|world| world.ledger());
    let expired: Vec<&LostRecord> = ledger.lost_records.iter().filter(is_expired).collect();
    if expired.is_empty() {
        return Invariant::ExpiryIsSaid.not_due();
    }
    let retention = Duration::from_secs(3_600 * u64::from(weather.scenario.retention_hours));
    // What was said of the stream covers the invocations that were in flight then.
    let longest = weather.scenario.pipelines.iter().map(|shape| shape.producer_timeout).max().unwrap_or(0);
    let in_flight = Duration::from_secs(u64::from(longest));
    let in_time = |lost: &LostRecord| {
        let is_still_there = |one: &&Said| one.at < lost.arrival + retention;
        let mut of_arrived =
            said.iter().filter(|one| one.what != Word::Nothing && lost.arrival <= one.at + in_flight);
        let latest = said.iter().rfind(|one| one.at <= lost.arrival);
        of_arrived.any(|one| is_still_there(&one)) || latest.is_some_and(|one| one.what == Word::MoreArrive)
    };
    let unsaid: Vec<&&LostRecord> = expired.iter().filter(|lost| !in_time(lost)).collect();
    let seen = |first: &&&LostRecord| {
        let (count, put) = (unsaid.len(), ledger.put);
        format!(
            "{when}: {count} of {put} records expired unannounced, the first {first:?}; said was {said:?}"
        )
    };
    Invariant::ExpiryIsSaid.unless(unsaid.first().map(seen))
}

/// In between: the standby's readers do not begin behind a record that nobody has processed.
pub fn none_is_passed_over(theatre: &Theatre) -> Judged {
    let standby = Scenario::region(Side::Standby);
    let count = theatre.sandbox.with_world(|world| world.passed_over(&standby));
    let seen = || format!("{count} unprocessed records lie before what the standby reads");
    Invariant::NoneIsPassedOver.unless((count > 0).then(seen))
}

/// In between: a planned failover leaves nothing behind that waits for the failback.
pub fn nothing_is_stranded(theatre: &Theatre) -> Judged {
    let count = theatre.sandbox.with_world(|world| world.stranded());
    let seen = || format!("{count} records wait for a reader that is stopped");
    Invariant::NothingIsStranded.unless((count > 0).then(seen))
}

/// At the end: every record was processed that did not expire.
pub fn everything_is_processed(theatre: &Theatre) -> Judged {
    let ledger = theatre.sandbox.with_world(|world| world.ledger());
    if ledger.put == 0 {
        return Invariant::EverythingIsProcessed.broken("no record was accepted");
    }
    let expired = ledger.lost_records.iter().filter(is_expired).count() as u64;
    let seen = || format!("{} of {}, {} pending", ledger.processed, ledger.put, ledger.pending);
    Invariant::EverythingIsProcessed.unless((ledger.processed + expired != ledger.put).then(seen))
}
