//! Rate limits in front of AWS: one lane for each quota of an account and Region.
//!
//! Lambda's control plane takes 15 requests a second over all its APIs, for everybody in the account, and
//! that cannot be raised; GetFunction has 100 a second of its own (Lambda quotas page). A throttled attempt
//! also takes quota from the customer's other tools, so kdsha waits before it asks instead of retrying after.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// Calls that share one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Lambda's control plane but GetFunction: 15 a second over all APIs.
    LambdaControl,
    /// `lambda:GetFunction`: 100 a second.
    GetFunction,
    /// `kinesis:DescribeStreamSummary`: 20 a second.
    StreamSummary,
    /// `kinesis:ListTagsForStream` and `AddTagsToStream`: 5 a second each.
    StreamTags,
    /// Calls whose quota is a stream's or a shard's own.
    StreamData,
    /// CloudWatch, DynamoDB, STS: quotas far above what kdsha sends.
    Roomy,
}

impl Family {
    /// Calls a second and burst. A second may see both: together they keep within the quota.
    fn rate(self) -> Option<(u32, u32)> {
        match self {
            Family::LambdaControl => Some((10, 5)),
            Family::GetFunction => Some((80, 20)),
            Family::StreamSummary => Some((15, 5)),
            Family::StreamTags => Some((4, 2)),
            Family::StreamData | Family::Roomy => None,
        }
    }

    /// How long so many calls must queue: what a look is allowed on top of its own bound.
    pub(super) fn queue_time(self, calls: usize) -> Duration {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        self.rate().map_or(Duration::ZERO, |(rate, burst)| {
            Duration::from_secs_f64(f64::from(calls.saturating_sub(burst)) / f64::from(rate))
        })
    }
}

/// Calls under way at once in one lane: more only opens more connections.
const CONCURRENCY: usize = 16;

/// One lane: a pace and a number of places.
#[derive(Debug)]
struct Lane {
    pacer: Option<Pacer>,
    places: Semaphore,
}

impl Lane {
    fn new(family: Family) -> Lane {
        let pacer = family.rate().map(|(rate, burst)| Pacer::new(rate, burst));
        Lane { pacer, places: Semaphore::new(CONCURRENCY) }
    }
}

/// The lanes of one Region. They live as long as the process, so looks and mutations share them.
#[derive(Debug)]
pub(super) struct Lanes {
    lambda_control: Lane,
    get_function: Lane,
    stream_summary: Lane,
    stream_tags: Lane,
    stream_data: Lane,
    roomy: Lane,
}

impl Lanes {
    pub(super) fn new() -> Lanes {
        Lanes {
            lambda_control: Lane::new(Family::LambdaControl),
            get_function: Lane::new(Family::GetFunction),
            stream_summary: Lane::new(Family::StreamSummary),
            stream_tags: Lane::new(Family::StreamTags),
            stream_data: Lane::new(Family::StreamData),
            roomy: Lane::new(Family::Roomy),
        }
    }

    fn of(&self, family: Family) -> &Lane {
        match family {
            Family::LambdaControl => &self.lambda_control,
            Family::GetFunction => &self.get_function,
            Family::StreamSummary => &self.stream_summary,
            Family::StreamTags => &self.stream_tags,
            Family::StreamData => &self.stream_data,
            Family::Roomy => &self.roomy,
        }
    }

    /// Waits for the turn of a call that has its place already: a retry.
    pub(super) async fn turn(&self, family: Family) {
        if let Some(pacer) = &self.of(family).pacer {
            pacer.turn().await;
        }
    }

    /// Waits for a place and for the call's turn, then runs it.
    pub(super) async fn run<T>(&self, family: Family, call: impl Future<Output = T>) -> T {
        let lane = self.of(family);
        // The semaphore is never closed, so the only error cannot happen; without a place the pace still holds.
        let _place = lane.places.acquire().await.ok();
        self.turn(family).await;
        call.await
    }
}

/// A token bucket in its other form: it keeps the time at which the bucket would be full again.
#[derive(Debug)]
struct Pacer {
    interval: Duration,
    tolerance: Duration,
    full_at: Mutex<Option<Instant>>,
}

impl Pacer {
    fn new(per_second: u32, burst: u32) -> Pacer {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Pacer { interval, tolerance: interval * burst.saturating_sub(1), full_at: Mutex::new(None) }
    }

    /// Waits until the next call may be sent.
    async fn turn(&self) {
        let at = self.reserve(Instant::now());
        sleep_until(at).await;
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full = full_at.unwrap_or(now).max(now);
        *full_at = Some(full + self.interval);
        full.checked_sub(self.tolerance).map_or(now, |start| start.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_pace() {
        let lanes = Lanes::new();
        let start = Instant::now();
        for _ in 0..5 {
            lanes.run(Family::LambdaControl, async {}).await;
        }
        assert!(start.elapsed() < Duration::from_millis(20));
        for _ in 0..20 {
            lanes.run(Family::LambdaControl, async {}).await;
        }
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(2) && took < Duration::from_millis(2200), "{took:?}");
    }

    /// What AWS lets pass in a second.
    const QUOTAS: [(Family, usize); 4] = [
        (Family::LambdaControl, 15),
        (Family::GetFunction, 100),
        (Family::StreamSummary, 20),
        (Family::StreamTags, 5),
    ];

    #[tokio::test(start_paused = true)]
    async fn no_second_sees_more_than_the_quota() {
        for (family, quota) in QUOTAS {
            let (rate, burst) = family.rate().expect("a rate");
            let pacer = Pacer::new(rate, burst);
            let start = Instant::now();
            let sent: Vec<f64> = (0..200).map(|_| (pacer.reserve(start) - start).as_secs_f64()).collect();
            for at in &sent {
                let within = sent.iter().filter(|other| **other >= *at && **other < at + 1.0).count();
                assert!(within <= quota, "{family:?}: {within} calls in the second after {at}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_burst_the_calls_come_evenly() {
        let (rate, burst) = Family::LambdaControl.rate().expect("a rate");
        let pacer = Pacer::new(rate, burst);
        let start = Instant::now();
        let sent: Vec<f64> = (0..100).map(|_| (pacer.reserve(start) - start).as_secs_f64()).collect();
        assert!(sent.windows(2).skip(10).all(|pair| pair[1] - pair[0] > 0.099));
    }

    #[test]
    fn the_queue_of_a_large_fleet_is_known_beforehand() {
        assert_eq!(Family::GetFunction.queue_time(20), Duration::ZERO);
        assert_eq!(Family::GetFunction.queue_time(820), Duration::from_secs(10));
        assert_eq!(Family::Roomy.queue_time(10_000), Duration::ZERO);
    }
}
