//! What a game day is worth: loss, time, a sound end, and what was noticed. And the document of its end.

use super::surprise::Happened;
use crate::model::{Exit, Timestamp};
use crate::sandbox::world::Ledger;
use serde::Serialize;
use std::time::Duration;

/// A command of the day.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Ran {
    /// When.
    pub at: Timestamp,
    /// The command line.
    pub command: String,
    /// Its exit code; `None`: it was killed.
    pub exit: Option<u8>,
}

/// What the day is judged by.
#[derive(Debug, Default)]
pub(super) struct Day {
    /// Every command, in order.
    pub ran: Vec<Ran>,
    /// Guards that fired, and what they kept from happening.
    pub avoided: Vec<String>,
    /// How often kdsha was killed.
    pub kills: u32,
    /// How the last look at the resting state ended.
    pub verified: Option<Exit>,
    /// What is owed at the end.
    pub owed: usize,
}

/// A part of the score.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Part {
    /// What is counted.
    pub what: &'static str,
    /// Points.
    pub points: u32,
    /// The most of them.
    pub of: u32,
    /// Why.
    pub why: String,
}

/// The score.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Score {
    /// The sum.
    pub points: u32,
    /// The most of them.
    pub of: u32,
    /// What it is made of.
    pub parts: Vec<Part>,
}

/// Judges a day. Nothing is worth more than that no record is lost.
pub(super) fn score(day: &Day, ledger: &Ledger, recovery: Option<Duration>, rto: Duration) -> Score {
    let loss = Part {
        what: "no record lost",
        points: match (ledger.lost, ledger.pending) {
            (0, 0) => 40,
            // Late is not lost.
            (0, _) => 20,
            _ => 0,
        },
        of: 40,
        why: format!("{} lost, {} not processed", ledger.lost, ledger.pending),
    };
    let parts = vec![loss, time(recovery, rto), sound(day), settled(day)];
    Score { points: parts.iter().map(|p| p.points).sum(), of: parts.iter().map(|p| p.of).sum(), parts }
}

/// All points within the objective, none at twice of it.
fn time(recovery: Option<Duration>, rto: Duration) -> Part {
    let (points, why) = match recovery {
        None => (0, "the standby was never proven to read".to_owned()),
        Some(took) => {
            let over = took.saturating_sub(rto).as_secs_f64() / rto.as_secs_f64().max(1.0);
            let shown = crate::model::duration::show(Duration::from_secs(took.as_secs()));
            ((30.0 * (1.0 - over.min(1.0))).round() as u32, format!("recovered in {shown}"))
        }
    };
    Part { what: "time to recover", points, of: 30, why }
}

fn sound(day: &Day) -> Part {
    let (points, why) = match day.verified {
        Some(Exit::Done) => (20, "`kdsha verify` found nothing at the end".to_owned()),
        Some(_) => (0, "`kdsha verify` found a deviation at the end".to_owned()),
        None => (0, "nobody verified at the end".to_owned()),
    };
    Part { what: "a sound end", points, of: 20, why }
}

fn settled(day: &Day) -> Part {
    let points = if day.owed == 0 { 10 } else { 0 };
    Part { what: "nothing owed", points, of: 10, why: format!("{} steps are owed", day.owed) }
}

/// `kdsha.rehearsal/1`: what became of every record, and of the day.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Account<'a> {
    /// The story.
    pub scenario: &'a str,
    /// Replays its traffic and its timing.
    pub seed: u64,
    /// Records put by the producers.
    pub put: u64,
    /// Processed at least once.
    pub processed: u64,
    /// Neither processed nor readable any more.
    pub lost: u64,
    /// Still readable, not processed yet.
    pub pending: u64,
    /// Processed a second time.
    pub duplicates: u64,
    /// Until the standby's consumer was proven to read; null: never.
    pub recovery_seconds: Option<u64>,
    /// The recovery time objective.
    pub rto_seconds: u64,
    /// HTTP requests that kdsha sent.
    pub requests: u64,
    /// How often kdsha was killed.
    pub kills: u32,
    /// What was thrown in.
    pub surprises: Vec<Surprise>,
    /// Guards that fired, and what they kept from happening.
    pub mistakes_avoided: &'a [String],
    /// Every command, in order.
    pub commands: &'a [Ran],
    /// What the day is worth.
    pub score: Score,
}

/// A surprise.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Surprise {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: String,
}

/// `kdsha.scenarios/1`: the stories that can be played.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Scenarios<'a> {
    /// All of them.
    pub scenarios: Vec<Told<'a>>,
}

/// A story.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Told<'a> {
    /// For `--scenario`.
    pub name: &'a str,
    /// What happens.
    pub about: &'a str,
}

/// The surprises, for the document.
pub(super) fn told(surprises: &[Happened]) -> Vec<Surprise> {
    surprises.iter().map(|s| Surprise { at: s.at, what: s.what.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(verified: Option<Exit>, owed: usize) -> Day {
        Day { verified, owed, ..Day::default() }
    }

    fn points(day: &Day, lost: u64, recovery: Option<u64>) -> u32 {
        let ledger = Ledger { put: 9, processed: 9 - lost, lost, ..Ledger::default() };
        score(day, &ledger, recovery.map(Duration::from_secs), Duration::from_secs(900)).points
    }

    #[test]
    fn only_a_good_day_has_all_points() {
        assert_eq!(points(&day(Some(Exit::Done), 0), 0, Some(528)), 100);
        assert_eq!(points(&day(Some(Exit::Done), 0), 1, Some(528)), 60, "a record was lost");
        assert_eq!(points(&day(Some(Exit::Done), 0), 0, Some(1_350)), 85, "half over the objective");
        assert_eq!(points(&day(Some(Exit::Done), 0), 0, Some(9_000)), 70);
        assert_eq!(points(&day(Some(Exit::Done), 0), 0, None), 70, "unknown is not fast");
        let pending = Ledger { put: 9, processed: 8, pending: 1, ..Ledger::default() };
        let late = score(&day(None, 1), &pending, None, Duration::from_secs(900));
        assert_eq!(late.parts[0].points, 20, "not processed yet is not lost");
        assert_eq!(points(&day(Some(Exit::Deviation), 2), 0, Some(528)), 70);
        assert_eq!(points(&day(None, 0), 0, Some(528)), 80, "not verified is not sound");
    }
}
