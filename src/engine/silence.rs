//! A Region that does not answer is not asked a hundred times. After a few calls without any answer in this run,
//! what is left for it is owed at once, and said once.

use crate::model::{AwsFailure, FailureKind, Region};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Calls in a row that a Region leaves unanswered before it counts as silent. So many are tried side by side at
/// first, so one pipeline's three steps are all tried.
pub(super) const SCOUTS: usize = 3;

/// Calls side by side in a Region that was heard: it may fall silent in between.
const WAVE: usize = 48;

/// What was heard of the Regions in this run, by mutating calls and what they looked up first.
#[derive(Debug, Default)]
pub(super) struct Silence(RefCell<BTreeMap<Region, Heard>>);

#[derive(Debug, Default)]
struct Heard {
    ever: bool,
    unanswered: usize,
    told: bool,
}

impl Silence {
    /// Takes the result of a call into account.
    pub(super) fn note(&self, region: &Region, failure: Option<&AwsFailure>) {
        let mut regions = self.0.borrow_mut();
        let heard = regions.entry(region.clone()).or_default();
        match failure.map(|failure| failure.kind) {
            Some(FailureKind::TimedOut | FailureKind::Unreachable) => heard.unanswered += 1,
            // kdsha's own refusals and missing credentials say nothing of the Region.
            Some(FailureKind::Refused | FailureKind::Credentials | FailureKind::NotAsked) => {}
            _ => {
                heard.unanswered = 0;
                heard.ever = true;
            }
        }
    }

    /// How many calls may be tried side by side now; none, when the Region is silent.
    pub(super) fn wave(&self, region: &Region) -> usize {
        let regions = self.0.borrow();
        match regions.get(region) {
            Some(heard) if heard.unanswered >= SCOUTS => 0,
            Some(heard) if heard.ever => WAVE,
            _ => SCOUTS,
        }
    }

    /// The sentence that says so, the first time that it is asked for.
    pub(super) fn tell(&self, region: &Region, left: usize) -> Option<String> {
        let mut regions = self.0.borrow_mut();
        let heard = regions.entry(region.clone()).or_default();
        let is_first = !std::mem::replace(&mut heard.told, true);
        is_first.then(|| {
            let steps = if left == 1 { "1 step".to_owned() } else { format!("{left} steps") };
            format!(
                "{region} left {} calls in a row unanswered: {steps} more are owed without asking it again",
                heard.unanswered
            )
        })
    }
}
