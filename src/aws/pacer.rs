//! A token bucket in front of an API, so that kdsha never takes the quota that the pipelines themselves need.

use std::cell::Cell;
use std::time::Duration;
use tokio::time::Instant;

/// Lets `burst` calls through at once and `rate` a second from then on.
#[derive(Debug)]
pub(super) struct Pacer {
    interval: Duration,
    burst: u32,
    /// When the bucket would be full again.
    full_at: Cell<Option<Instant>>,
}

impl Pacer {
    pub(super) fn new(rate: u32, burst: u32) -> Pacer {
        Pacer { interval: Duration::from_secs(1) / rate, burst, full_at: Cell::new(None) }
    }

    /// Returns when the next call may be sent.
    pub(super) async fn turn(&self) {
        let now = Instant::now();
        let full_at = self.full_at.get().unwrap_or(now).max(now) + self.interval;
        self.full_at.set(Some(full_at));
        let may_at = full_at.checked_sub(self.interval * self.burst).unwrap_or(now);
        if may_at > now {
            tokio::time::sleep_until(may_at).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_at_once_and_the_rest_at_the_rate() {
        let pacer = Pacer::new(10, 5);
        let begun = Instant::now();
        for _ in 0..5 {
            pacer.turn().await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            pacer.turn().await;
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
    }
}
