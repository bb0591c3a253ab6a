//! 1. Records: no accepted one is lost or skipped. Duplicates are not losses.

use super::super::draw::Scenario;
use super::super::theatre::Theatre;
use super::{Invariant, Judged};
use kdsha::model::{Side, Timestamp};
use kdsha::sandbox::world::{LostBecause, LostRecord};

/// What kdsha said would expire: records that lie in the primary's stream, accepted before this instant.
pub type Said = Option<Timestamp>;

/// Whether a record's loss is retention's, and was said while it still was a choice.
fn was_said(lost: &LostRecord, said: Said) -> bool {
    let is_primary = lost.region == Scenario::region(Side::Primary);
    lost.why == LostBecause::Expired && is_primary && said.is_some_and(|until| lost.arrival <= until)
}

pub fn nothing_is_lost(theatre: &Theatre, said: Said, when: &str) -> Judged {
    let ledger = theatre.sandbox.with_world(|world| world.ledger());
    if ledger.put == 0 {
        return Invariant::NothingIsLost.not_due();
    }
    let lost: Vec<&LostRecord> = ledger.lost_records.iter().filter(|lost| !was_said(lost, said)).collect();
    let seen = |first: &&LostRecord| {
        let (count, put, last) = (lost.len(), ledger.put, lost.last());
        format!("{when}: {count} of {put} records, the first {first:?}, the last {last:?}")
    };
    Invariant::NothingIsLost.unless(lost.first().map(seen))
}

/// What retention took was named before it was gone for good.
pub fn expiry_is_said(theatre: &Theatre, said: Said) -> Judged {
    let ledger = theatre.sandbox.with_world(|world| world.ledger());
    let is_expired = |lost: &&LostRecord| lost.why == LostBecause::Expired;
    let expired: Vec<&LostRecord> = ledger.lost_records.iter().filter(is_expired).collect();
    if expired.is_empty() {
        return Invariant::ExpiryIsSaid.not_due();
    }
    let unsaid = expired.iter().find(|lost| !was_said(lost, said));
    Invariant::ExpiryIsSaid.unless(unsaid.map(|lost| format!("{lost:?}; said was {said:?}")))
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

/// At the end: every record was processed, but for those that were said to expire.
pub fn everything_is_processed(theatre: &Theatre, said: Said) -> Judged {
    let ledger = theatre.sandbox.with_world(|world| world.ledger());
    if ledger.put == 0 {
        return Invariant::EverythingIsProcessed.broken("no record was accepted");
    }
    let expired = ledger.lost_records.iter().filter(|lost| was_said(lost, said)).count() as u64;
    let seen = || format!("{} of {}, {} pending", ledger.processed, ledger.put, ledger.pending);
    Invariant::EverythingIsProcessed.unless((ledger.processed + expired != ledger.put).then(seen))
}
