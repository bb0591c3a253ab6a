//! One look at one Region: a deadline over everything, an account of which API answered, and no patience with
//! a service that has gone silent.

use crate::aws::clients::{RegionClients, SdkResult};
use crate::aws::errors::{Asked, failure};
use crate::aws::pacer::Family;
use crate::model::{ApiAnswer, AwsFailure, FailureKind, Sent};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A look's bound, before the time that a large fleet spends queueing for quotas.
pub(super) const BOUND: Duration = Duration::from_secs(10);
/// Failures to answer after which a service that has not answered at all is left alone for this look.
const PATIENCE: u32 = 3;

/// The account of one look.
#[derive(Debug, Default)]
struct Answers {
    by_operation: BTreeMap<&'static str, ApiAnswer>,
    /// Calls of each service that no answer came to.
    silences: BTreeMap<&'static str, u32>,
    /// Services that answered at least once, be it with a refusal.
    heard: BTreeSet<&'static str>,
}

/// One look at one Region.
#[derive(Debug)]
pub(super) struct Look<'a> {
    /// The Region's clients.
    pub(super) at: &'a RegionClients,
    deadline: Instant,
    answers: Mutex<Answers>,
    longest_chain: AtomicU32,
}

/// What a call that fails says of its Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// An API that kdsha needs did not answer.
    Needed,
    /// Nothing: only its own part of the look is unknown.
    Aside,
}

/// One read of a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read<'s> {
    weight: Weight,
    depth: u32,
    family: Family,
    operation: &'static str,
    resource: &'s str,
}

impl<'s> Read<'s> {
    /// A read that a run depends on. `depth` is its place in its chain of calls, counted from 1.
    pub(super) fn needed(depth: u32, family: Family, operation: &'static str, resource: &'s str) -> Read<'s> {
        Read { weight: Weight::Needed, depth, family, operation, resource }
    }

    /// A read that nothing depends on but its own check: a caller who may not send it can do everything else.
    pub(super) fn aside(depth: u32, family: Family, operation: &'static str, resource: &'s str) -> Read<'s> {
        Read { weight: Weight::Aside, ..Read::needed(depth, family, operation, resource) }
    }
}

impl<'a> Look<'a> {
    /// Begins a look that ends at the deadline.
    pub(super) fn until(at: &'a RegionClients, deadline: Instant) -> Look<'a> {
        Look { at, deadline, answers: Mutex::new(Answers::default()), longest_chain: AtomicU32::new(0) }
    }

    /// What came of the look's calls, by operation.
    pub(super) fn answers(&self) -> Vec<ApiAnswer> {
        self.lock().by_operation.values().cloned().collect()
    }

    /// The longest chain of calls that each waited for the one before.
    pub(super) fn longest_chain(&self) -> u32 {
        self.longest_chain.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one read, in its lane and within the deadline.
    ///
    /// The SDK's futures are tens of kilobytes large; on the heap they do not add up in those that join them.
    pub(super) fn ask<'s, T, E>(
        &'s self,
        read: Read<'s>,
        send: impl Future<Output = SdkResult<T, E>> + Send + 's,
    ) -> BoxFuture<'s, Result<T, AwsFailure>>
    where
        T: Send + 's,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let Read { weight, depth, family, operation, resource } = read;
        let send = Box::pin(send);
        Box::pin(async move {
            let asked =
                Asked::read(operation, resource, &self.at.region).with_profile(self.at.profile.as_deref());
            let mut sent_at = None;
            let call = async {
                if self.is_silent(operation) {
                    return Err(asked.failed(FailureKind::TimedOut, silent_text(operation), Sent::No));
                }
                self.longest_chain.fetch_max(depth, Ordering::Relaxed);
                sent_at = Some(Instant::now());
                send.await.map_err(|error| failure(&asked, &error))
            };
            let in_lane = self.at.lanes.run(family, call);
            let result = timeout_at(self.deadline, in_lane).await.unwrap_or_else(|_| {
                let text = format!("no answer within the {} s of one look", BOUND.as_secs());
                Err(asked.failed(FailureKind::TimedOut, text, Sent::No))
            });
            self.note(weight, operation, &result, sent_at.map(|at| at.elapsed()));
            result
        })
    }

    fn note<T>(
        &self,
        weight: Weight,
        operation: &'static str,
        result: &Result<T, AwsFailure>,
        took: Option<Duration>,
    ) {
        let mut answers = self.lock();
        match result {
            Err(failure) if is_silence(failure.kind) => {
                *answers.silences.entry(service(operation)).or_default() += 1;
            }
            // Credentials that do not come say nothing of the service.
            Err(failure) if failure.kind == FailureKind::Credentials => {}
            _ => {
                answers.heard.insert(service(operation));
            }
        }
        if weight == Weight::Aside && result.is_err() {
            return;
        }
        let answer = answers.by_operation.entry(operation).or_insert_with(|| ApiAnswer {
            operation: operation.to_owned(),
            answered: 0,
            failed: 0,
            reason: None,
            kind: None,
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
                answer.kind = Some(failure.kind);
            }
        }
    }

    /// Whether the operation's service has answered nothing and failed to answer often enough.
    fn is_silent(&self, operation: &'static str) -> bool {
        let service = service(operation);
        let answers = self.lock();
        !answers.heard.contains(service)
            && answers.silences.get(service).is_some_and(|count| *count >= PATIENCE)
    }
}

fn service(operation: &'static str) -> &'static str {
    operation.split(':').next().unwrap_or(operation)
}

fn is_silence(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::TimedOut | FailureKind::Unreachable)
}

fn silent_text(operation: &'static str) -> String {
    format!("not asked again: {} has not answered in this look", service(operation))
}

fn is_an_answer(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::NotFound | FailureKind::Invalid | FailureKind::Conflict | FailureKind::Stale)
}
