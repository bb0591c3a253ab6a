//! Faults as rules: which calls, after how many, how often, and what happens to them.

use super::call::{ApiCall, ApiError, Service};
use super::world::is_mutating;
use crate::model::{Region, Timestamp};
use std::time::Duration;

/// What happens to a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The service's own throttling error.
    Throttle,
    /// An error of AWS's, e.g. 500 `ServiceException`.
    Error {
        /// HTTP status.
        status: u16,
        /// Error code.
        code: String,
    },
    /// Accepted, and never answered; not applied.
    Hang,
    /// Applied, and the connection breaks before the answer.
    ApplyThenDrop,
    /// Applied, and never answered.
    ApplyThenHang,
    /// The connection breaks; not applied.
    Drop,
    /// Applied twice; answered as the second time.
    Twice,
    /// Somebody else's call arrives just before it.
    Overtaken(Box<ApiCall>),
    /// Answered late.
    Slow(Duration),
}

/// Which calls a fault meets. Empty parts meet all.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// Only this Region.
    pub region: Option<Region>,
    /// Only this service.
    pub service: Option<Service>,
    /// Only this operation.
    pub operation: Option<String>,
    /// Only calls that change something.
    pub only_mutating: bool,
    /// So many matching calls pass first.
    pub skip: u32,
    /// So many are met then; `None` is all.
    pub times: Option<u32>,
    /// Only one of so many matching calls is met; 0 and 1 are all.
    pub every: u32,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Not at or after this instant.
    pub until: Option<Timestamp>,
    /// What happens; `None` is nothing (a rule that only counts).
    pub fault: Option<Fault>,
    /// Matching calls so far.
    pub seen: u32,
}

impl Rule {
    fn meets(&self, call: &ApiCall, now: Timestamp) -> bool {
        self.from.is_none_or(|from| now >= from)
            && self.until.is_none_or(|until| now < until)
            && self.region.as_ref().is_none_or(|region| *region == call.region)
            && self.service.is_none_or(|service| service == call.service)
            && self.operation.as_ref().is_none_or(|operation| *operation == call.operation)
            && (!self.only_mutating || is_mutating(&call.operation))
    }
}

/// The first fault that meets a call.
pub(super) fn fault_for(rules: &mut [Rule], call: &ApiCall, now: Timestamp) -> Option<Fault> {
    let mut met = None;
    for rule in rules.iter_mut().filter(|rule| rule.meets(call, now)) {
        rule.seen += 1;
        let nth = rule.seen - 1;
        let due = nth >= rule.skip
            && rule.times.is_none_or(|times| nth - rule.skip < times)
            && nth.is_multiple_of(rule.every.max(1));
        if due && met.is_none() {
            met.clone_from(&rule.fault);
        }
    }
    met
}

/// A service's throttling error.
pub(super) fn throttled(service: Service) -> ApiError {
    match service {
        Service::Lambda => {
            let mut error = ApiError::new(429, "TooManyRequestsException", "Rate Exceeded.");
            error.members.insert("Reason".to_owned(), "CallerRateLimitExceeded".into());
            error
        }
        Service::Kinesis => ApiError::new(400, "LimitExceededException", "Rate exceeded for the account"),
        Service::CloudWatch | Service::Sts => ApiError::new(400, "Throttling", "Rate exceeded"),
        Service::DynamoDb => ApiError::new(400, "ThrottlingException", "Rate exceeded"),
    }
}
