//! One look at one Region: a deadline over everything, an account of which API answered, and no patience with
//! a service that has gone silent.

use crate::aws::clients::{RegionClients, SdkResult};
use crate::aws::errors::Asked;
use crate::aws::pacer::Family;
use crate::model::{ApiAnswer, AwsFailure, FailureKind, Sent};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A look's bound, before the time that a large fleet spends queueing for quotas.
pub(super) const BOUND: Duration = Duration::from_secs(10);
/// Failures to answer after which a service that has not answered at all is left alone for this look.
const PATIENCE: u32 = 3;

/// One look at one Region.
#[derive(Debug)]
pub(super) struct Look<'a> {
    /// The Region's clients.
    pub(super) at: &'a RegionClients,
    deadline: Instant,
    answers: Mutex<BTreeMap<&'static str, ApiAnswer>>,
    longest_chain: AtomicU32,
}

impl<'a> Look<'a> {
    /// Begins a look that ends after [`BOUND`] and the time that the calls queue.
    pub(super) fn begin(at: &'a RegionClients, queueing: Duration) -> Look<'a> {
        Look {
            at,
            deadline: Instant::now() + BOUND + queueing,
            answers: Mutex::new(BTreeMap::new()),
            longest_chain: AtomicU32::new(0),
        }
    }

    /// What came of the look's calls, by operation.
    pub(super) fn answers(&self) -> Vec<ApiAnswer> {
        self.lock().values().cloned().collect()
    }

    /// The longest chain of calls that each waited for the one before.
    pub(super) fn longest_chain(&self) -> u32 {
        self.longest_chain.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, ApiAnswer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One read. `depth` is its place in its chain of calls, counted from 1.
    pub(super) async fn ask<T, E>(
        &self,
        depth: u32,
        family: Family,
        operation: &'static str,
        resource: &str,
        send: impl Future<Output = SdkResult<T, E>>,
    ) -> Result<T, AwsFailure>
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let asked = Asked::read(operation, resource, &self.at.region);
        let mut sent_at = None;
        let call = async {
            if self.is_silent(operation) {
                return Err(asked.failed(FailureKind::TimedOut, silent_text(operation), Sent::No));
            }
            self.longest_chain.fetch_max(depth, Ordering::Relaxed);
            sent_at = Some(Instant::now());
            send.await.map_err(|error| crate::aws::errors::failure(&asked, &error))
        };
        let in_lane = self.at.lanes.run(family, call);
        let result = timeout_at(self.deadline, in_lane).await.unwrap_or_else(|_| {
            let text = format!("no answer within the {} s of one look", BOUND.as_secs());
            Err(asked.failed(FailureKind::TimedOut, text, Sent::No))
        });
        self.note(operation, &result, sent_at.map(|at| at.elapsed()));
        result
    }

    fn note<T>(&self, operation: &'static str, result: &Result<T, AwsFailure>, took: Option<Duration>) {
        let mut answers = self.lock();
        let answer = answers.entry(operation).or_insert_with(|| ApiAnswer {
            operation: operation.to_owned(),
            answered: 0,
            failed: 0,
            reason: None,
            slowest: Duration::ZERO,
        });
        answer.slowest = answer.slowest.max(took.unwrap_or_default());
        match result {
            Ok(_) => answer.answered += 1,
            // The API is there and answered; what it was asked for is not.
            Err(failure) if is_an_answer(failure.kind) => answer.answered += 1,
            Err(failure) => {
                answer.failed += 1;
                answer.reason = Some(failure.to_string());
            }
        }
    }

    /// Whether the operation's service has answered nothing and failed to answer often enough.
    fn is_silent(&self, operation: &str) -> bool {
        let service = service(operation);
        let answers = self.lock();
        let of_service = || answers.values().filter(|answer| self::service(&answer.operation) == service);
        of_service().all(|answer| answer.answered == 0)
            && of_service().map(|answer| answer.failed).sum::<u32>() >= PATIENCE
    }
}

fn service(operation: &str) -> &str {
    operation.split(':').next().unwrap_or(operation)
}

fn silent_text(operation: &str) -> String {
    format!("not asked again: {} has not answered in this look", service(operation))
}

fn is_an_answer(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::NotFound | FailureKind::Invalid | FailureKind::Conflict | FailureKind::Stale)
}
