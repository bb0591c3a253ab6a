//! The server's clock. A workstation's clock may be wrong and the SDK hides that, so "now" is what the
//! `Date` header of AWS's answers said, carried forward by a monotonic clock.

use super::Timestamp;
use jiff::SignedDuration;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Skew from which a warning is due (AWS's signatures fail at five minutes).
pub const SKEW_WORTH_A_WARNING: Duration = Duration::from_secs(30);

/// "Now" for everything that kdsha decides. Cheap to clone; all clones are one clock.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Mutex<Anchor>>);

#[derive(Debug)]
struct Anchor {
    at: Timestamp,
    instant: Instant,
    skew: Option<SignedDuration>,
}

impl Clock {
    /// Starts from the workstation's clock, until a server has been heard.
    pub fn local() -> Clock {
        Clock::starting_at(Timestamp::now())
    }

    /// Starts from a given instant (tests, rehearsals).
    pub fn starting_at(at: Timestamp) -> Clock {
        Clock(Arc::new(Mutex::new(Anchor { at, instant: Instant::now(), skew: None })))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Anchor) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Now, by the server where one was heard. Call it within a tokio runtime.
    pub fn now(&self) -> Timestamp {
        self.with(|anchor| anchor.at + anchor.instant.elapsed())
    }

    /// A server said what time it is. `Date` headers have whole seconds, so small differences are not
    /// followed: the clock would jitter back and forth.
    pub fn heard(&self, server: Timestamp) {
        self.with(|anchor| {
            let here = anchor.at + anchor.instant.elapsed();
            let off = server.duration_since(here);
            if anchor.skew.is_none() {
                anchor.skew = Some(off);
            }
            if off.abs() > SignedDuration::from_secs(2) {
                anchor.at = server;
                anchor.instant = Instant::now();
            }
        });
    }

    /// How far the workstation's clock was off when a server was first heard (positive: it is behind).
    pub fn skew(&self) -> Option<SignedDuration> {
        self.with(|anchor| anchor.skew)
    }
}
