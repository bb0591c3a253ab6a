//! When the consumer was in trouble: the points of those minutes, and of those after them, do not tell how far it had
//! come.

use super::Evidence;
use crate::model::{Point, Timestamp};
use crate::plan::Mode;
use std::time::Duration;

/// Periods without trouble in a row before a consumer counts as sound, at the least: between two tries of a failing batch
/// of one shard, the other shards look sound.
const SOUND_PERIODS: u32 = 5;

/// How long Lambda may pause before it tries a batch again.
const BEFORE_A_RETRY: Duration = Duration::from_secs(60);

/// A consumer that works moves on by a period in a period; one that moves on by less than this part of it repeats
/// itself.
const MOVES_ON: f64 = 0.25;

impl Evidence<'_> {
    /// An emergency's window must begin before any trouble: the iterator age is that of the newest record of a
    /// batch, and a batch may span the whole time of a throttling.
    pub(super) fn widen(&self, from: Timestamp) -> Result<(Timestamp, Option<String>), String> {
        if self.mode == Mode::Planned {
            return Ok((from, None));
        }
        let invocations = self.reader.invocations.as_result().map_err(|reason| reason.text.clone())?;
        // Two tries lie an invocation apart, which is stamped with the minute in which it began.
        let between_tries = self.longest_batch() + BEFORE_A_RETRY + invocations.period * 2;
        let spell = between_tries.max(invocations.period * SOUND_PERIODS);
        let trouble = self.troubled_periods()?;
        let Some((first, what)) = trouble.iter().find(|(at, _)| *at + spell >= from) else {
            return Ok((from, None));
        };
        let is_sound = |point: &&Point| {
            let in_spell = |at: Timestamp| at <= point.at && at + spell > point.at;
            point.at < *first && point.value > 0.0 && !trouble.iter().any(|(at, _)| in_spell(*at))
        };
        match invocations.points.iter().rev().find(is_sound) {
            Some(point) => {
                let note = format!("{what} since {first}: the window was widened back to {}", point.at);
                Ok((point.at.min(from), Some(note)))
            }
            None => Err(format!("the consumer had {what} at {first} and no sound period before it is known")),
        }
    }

    /// When something was wrong, ascending, with what.
    fn troubled_periods(&self) -> Result<Vec<(Timestamp, &'static str)>, String> {
        let mut trouble = Vec::new();
        for (series, what) in [(&self.reader.errors, "errors"), (&self.reader.throttles, "throttles")] {
            let series = series.as_result().map_err(|reason| reason.text.clone())?;
            trouble.extend(series.points.iter().filter(|p| p.value > 0.0).map(|p| (p.at, what)));
        }
        // Where nobody knows what arrived, nobody knows of a gap.
        self.stream.incoming_records.as_result().map_err(|reason| reason.text.clone())?;
        trouble
            .extend(self.gaps().into_iter().map(|at| (at, "a gap (records arrived, none were processed)")));
        trouble.extend(self.repeats().into_iter().map(|at| (at, "a batch that did not move on")));
        trouble.sort_unstable();
        Ok(trouble)
    }

    /// Periods in which the oldest batch was the one of the period before: a function that says which items of a batch
    /// failed has no error, and its batch is tried again all the same (Lambda Developer Guide,
    /// services-kinesis-batchfailurereporting).
    fn repeats(&self) -> Vec<Timestamp> {
        let Some(ages) = self.reader.iterator_age.known() else { return Vec::new() };
        let usual = self.longest_batch() + ages.period * 2;
        let moved_on = |from: &Point, to: &Point| {
            let position = |point: &Point| point.at.as_second() as f64 - point.value / 1000.0;
            let elapsed = to.at.as_second() as f64 - from.at.as_second() as f64;
            position(to) - position(from) >= elapsed * MOVES_ON
        };
        let pairs = ages.complete(self.now).windows(2);
        let repeated = pairs.filter_map(|pair| match pair {
            [from, to] if to.value > usual.as_secs_f64() * 1000.0 && !moved_on(from, to) => Some(to.at),
            _ => None,
        });
        repeated.collect()
    }

    /// Periods in which records arrived and after which the function reported nothing for longer than a batch
    /// may take, although it reported later: it was stuck without an error. What arrived after its last point
    /// is not a gap but what is looked for.
    fn gaps(&self) -> Vec<Timestamp> {
        let (Some(ages), Some(arrived)) =
            (self.reader.iterator_age.known(), self.stream.incoming_records.known())
        else {
            return Vec::new();
        };
        let patience = self.longest_batch() + ages.period * 2;
        let Some(last) = ages.points.last() else { return Vec::new() };
        let processed = |at: Timestamp| {
            let next = ages.since(at).first();
            next.is_some_and(|point| point.at <= at + patience)
        };
        let due = arrived.points.iter().filter(|p| p.value > 0.0 && p.at + patience < last.at);
        due.filter(|point| !self.is_filtered && !processed(point.at)).map(|point| point.at).collect()
    }
}
