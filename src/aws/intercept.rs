//! Sees every HTTP attempt of every client: counts it, and hears from the answer what time it is.

use crate::model::{Clock, Timestamp};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What went over the wire.
#[derive(Debug)]
pub(super) struct Wire {
    requests: AtomicU64,
    clock: Clock,
}

impl Wire {
    pub(super) fn new(clock: Clock) -> Wire {
        Wire { requests: AtomicU64::new(0), clock }
    }
    /// HTTP requests sent, retries included.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// The SDK's view of [`Wire`].
#[derive(Debug, Clone)]
pub(super) struct WireInterceptor(pub(super) Arc<Wire>);

impl Intercept for WireInterceptor {
    fn name(&self) -> &'static str {
        "kdsha::Wire"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        if let Some(at) = clock_of(|name| headers.get(name)) {
            self.0.clock.heard(at);
        }
        Ok(())
    }
}

/// What time it is by an answer of AWS. A page of something on the way (a proxy, a captive portal) has a clock of
/// its own, which nothing must be decided by; only AWS gives its answers a request id.
fn clock_of<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Option<Timestamp> {
    let is_of_aws = ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"];
    is_of_aws.iter().find_map(|name| header(name))?;
    header("date").and_then(date)
}

/// The instant in a `Date` header. A header that cannot be read says nothing.
fn date(header: &str) -> Option<Timestamp> {
    let at = DateTime::from_str(header, Format::HttpDate).ok()?;
    Timestamp::from_second(at.secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_with_a_request_id_says_what_time_it_is() {
        let when = "Sun, 22 Nov 2026 10:45:01 GMT";
        let of_aws = |name: &str| match name {
            "date" => Some(when),
            "x-amzn-requestid" => Some("5f2f"),
            _ => None,
        };
        assert_eq!(clock_of(of_aws), date(when));
        assert_eq!(clock_of(|name| (name == "date").then_some(when)), None);
        assert_eq!(clock_of(|name| (name != "date").then_some("5f2f")), None);
    }

    #[test]
    fn a_date_header_is_read_and_anything_else_is_not() {
        let at = date("Sun, 22 Nov 2026 10:45:01 GMT").expect("a date");
        assert_eq!(at.to_string(), "2026-11-22T10:45:01Z");
        assert_eq!(date("yesterday"), None);
        assert_eq!(date(""), None);
    }
}
