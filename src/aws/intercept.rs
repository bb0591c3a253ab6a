//! Hears every HTTP exchange of every client: counts requests, and takes the time from the `Date` header.

use crate::model::{Clock, Timestamp};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The listener, shared by all clients.
#[derive(Debug, Clone)]
pub(super) struct Ear {
    requests: Arc<AtomicU64>,
    clock: Clock,
}

impl Ear {
    pub(super) fn new(requests: Arc<AtomicU64>, clock: Clock) -> Ear {
        Ear { requests, clock }
    }
}

impl Intercept for Ear {
    fn name(&self) -> &'static str {
        "kdsha"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date").and_then(http_date) {
            self.clock.heard(date);
        }
        Ok(())
    }
}

/// `Mon, 02 Mar 2026 03:00:00 GMT` (RFC 9110).
fn http_date(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_zoned(text).ok()?;
    Some(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_is_read() {
        let expected: Timestamp = "2026-03-02T03:00:00Z".parse().expect("an instant");
        assert_eq!(http_date("Mon, 02 Mar 2026 03:00:00 GMT"), Some(expected));
        assert_eq!(http_date("soon"), None);
    }
}
