//! The time-out of the primary's consumer, on which the position's window, its spell of trouble and its buffer rest: a
//! shorter one than the function has would pass records over.

use super::preflight::Checks;
use super::remembered::{self, SeenAt};
use super::sequence::{Request, Selected};
use crate::model::{Side, Verdict};
use std::time::Duration;

/// The longest that Lambda allows, but for functions on Managed Instances (Lambda API Reference,
/// UpdateFunctionConfiguration).
const LONGEST_SECONDS: u32 = 900;

/// The time-out, and how it is known.
pub(super) enum Timeout<'a> {
    /// It can be read.
    Read(u32),
    /// A look from this machine saw it.
    Remembered(&'a SeenAt<u32>),
    /// Nobody knows it: the longest there is.
    Longest(u32),
}

impl<'a> Timeout<'a> {
    pub(super) fn of(request: &Request<'a>, of: &Selected<'a>) -> Timeout<'a> {
        let seconds = |side: Side| Some(of.view.side(side).consumer.function.known()?.timeout_seconds);
        if let Some(read) = seconds(Side::Primary) {
            return Timeout::Read(read);
        }
        match remembered::timeout(request, of) {
            Some(seen) => Timeout::Remembered(seen),
            None => Timeout::Longest(seconds(Side::Standby).unwrap_or(0).max(LONGEST_SECONDS)),
        }
    }

    pub(super) fn length(&self) -> Duration {
        let seconds = match self {
            Timeout::Read(seconds) | Timeout::Longest(seconds) => *seconds,
            Timeout::Remembered(seen) => seen.value,
        };
        Duration::from_secs(u64::from(seconds))
    }
}

/// Says so where the position rests on a time-out that cannot be read.
pub(super) fn by_memory(checks: &mut Checks<'_>, of: &Selected<'_>) {
    let (evidence, advice) = match Timeout::of(&checks.request, of) {
        Timeout::Read(_) => return,
        Timeout::Remembered(seen) => (
            format!(
                "the primary consumer's Timeout cannot be read; a look from this machine saw {} s at {:.0}",
                seen.value, seen.at
            ),
            "was it raised since? Then give the start with --start-at",
        ),
        Timeout::Longest(seconds) => (
            format!(
                "the primary consumer's Timeout cannot be read, and no look from this machine saw it: {seconds} s are \
                 taken, the longest that Lambda allows"
            ),
            "it skips nothing and may repeat more records than it need",
        ),
    };
    let about = checks.about(of, Side::Primary);
    checks.advise("function_settings", &about, Verdict::Warn, evidence, advice);
}
