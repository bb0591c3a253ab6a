//! An SDK error in the words of the operator. Raw bodies never get out: Lambda's 4 KB error echoes every value.

use crate::model::{AwsFailure, FailureKind, Region, Sent};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;

/// What was asked, for the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Service and operation.
    pub(super) operation: &'a str,
    /// The resource as the operator knows it.
    pub(super) resource: &'a str,
    /// The client's Region.
    pub(super) region: &'a Region,
}

impl Asked<'_> {
    /// A failure of kdsha's own making, before anything was sent.
    pub(super) fn refused(&self, message: impl Into<String>) -> AwsFailure {
        self.failure(FailureKind::Refused, Sent::No, message)
    }

    pub(super) fn failure(&self, kind: FailureKind, sent: Sent, message: impl Into<String>) -> AwsFailure {
        AwsFailure {
            operation: self.operation.to_owned(),
            resource: self.resource.to_owned(),
            region: self.region.clone(),
            kind,
            code: None,
            message: message.into(),
            request_id: None,
            sent,
        }
    }

    /// An SDK error.
    pub(super) fn sdk<E>(&self, error: &SdkError<E, HttpResponse>) -> AwsFailure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        use FailureKind::{Refused, TimedOut, Unreadable};
        match error {
            SdkError::ConstructionFailure(_) => {
                self.failure(Refused, Sent::No, format!("the request could not be built: {}", deepest(error)))
            }
            SdkError::TimeoutError(_) => self.failure(TimedOut, Sent::Unknown, "no answer in time"),
            SdkError::DispatchFailure(failure) => self.dispatch(failure),
            SdkError::ResponseError(_) => {
                self.failure(Unreadable, Sent::Unknown, "the answer could not be read")
            }
            SdkError::ServiceError(context) => self.service(context.err(), context.raw()),
            _ => self.failure(
                Unreadable,
                Sent::Unknown,
                "the SDK gave an error that this version does not know",
            ),
        }
    }

    fn dispatch(&self, failure: &DispatchFailure) -> AwsFailure {
        use FailureKind::{Credentials, TimedOut, Unreachable};
        let why = failure.as_connector_error().map_or_else(|| "unknown".to_owned(), |e| deepest(e));
        if failure.is_timeout() {
            return self.failure(TimedOut, Sent::Unknown, "no connection in time");
        }
        if failure.is_io() {
            return self.failure(Unreachable, Sent::Unknown, format!("no connection: {}", clean(&why)));
        }
        // What is neither time nor network is the credential chain: nothing was sent.
        self.failure(Credentials, Sent::No, credentials_advice(&why))
    }

    fn service<E: ProvideErrorMetadata>(&self, error: &E, raw: &HttpResponse) -> AwsFailure {
        let status = raw.status().as_u16();
        let meta = error.meta();
        let code = meta.code().map(|code| code.rsplit('#').next().unwrap_or(code).to_owned());
        let kind = kind_of(code.as_deref().unwrap_or_default(), status, meta.message().unwrap_or_default());
        let said = meta.message().map(clean).filter(|m| !m.is_empty());
        let mut message = said.unwrap_or_else(|| format!("HTTP {status}"));
        if kind == FailureKind::AccessDenied {
            message = format!("{message} (allow {} on it, see `kdsha policy`)", self.operation);
        }
        if kind == FailureKind::Credentials {
            message = credentials_advice(&message);
        }
        AwsFailure {
            code,
            message,
            request_id: raw.headers().get("x-amzn-requestid").map(str::to_owned),
            ..self.failure(kind, if status >= 500 { Sent::Unknown } else { Sent::Refused }, "")
        }
    }
}

fn kind_of(code: &str, status: u16, message: &str) -> FailureKind {
    use FailureKind::{AccessDenied, Conflict, Credentials, Invalid, NotFound, Service, Stale, Throttled};
    match code {
        "TooManyRequestsException" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => {
            Throttled
        }
        "LimitExceededException" | "ProvisionedThroughputExceededException" => Throttled,
        "ResourceNotFoundException" | "NoSuchEntity" => NotFound,
        "InvalidParameterValueException" if message.starts_with("Stream not found") => NotFound,
        "InvalidParameterValueException" if message.contains("Function does not exist") => NotFound,
        "PreconditionFailedException" => Stale,
        "ResourceConflictException" | "ResourceInUseException" | "ConflictException" => Conflict,
        "ExpiredToken" | "ExpiredTokenException" | "UnrecognizedClientException" => Credentials,
        "InvalidClientTokenId" | "MissingAuthenticationToken" | "InvalidSignatureException" => Credentials,
        "SignatureDoesNotMatch" | "IncompleteSignature" | "RequestExpired" => Credentials,
        "AccessDenied" | "AccessDeniedException" | "RegionDisabledException" | "OptInRequired" => {
            AccessDenied
        }
        _ if status == 429 => Throttled,
        _ if status >= 500 => Service,
        _ if status == 404 => NotFound,
        _ if status == 403 => AccessDenied,
        _ if status == 409 => Conflict,
        _ if status == 412 => Stale,
        _ => Invalid,
    }
}

fn credentials_advice(why: &str) -> String {
    let why = clean(why);
    let lower = why.to_ascii_lowercase();
    let way_out = if lower.contains("sso") {
        "run `aws sso login`"
    } else if lower.contains("login") {
        "run `aws login`"
    } else {
        "renew the credentials, or choose others with --profile"
    };
    format!("credentials: {why}; {way_out}")
}

/// The innermost cause: the SDK's own `Display` is only "dispatch failure".
fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// One line, bounded, and without the values that Lambda puts after "String measured:".
pub(super) fn clean(message: &str) -> String {
    const MOST: usize = 400;
    let message = match message.find("String measured:") {
        Some(at) => &message[..at],
        None => message,
    };
    let line: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{} ...", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_4_kb_error_does_not_echo_the_values() {
        let said = "Lambda was unable to configure your environment variables because the environment variables you \
                    have provided exceeded the 4KB limit. String measured: {\"PASSWORD\":\"hunter2\"}";
        assert!(!clean(said).contains("hunter2"));
        assert!(clean(said).contains("4KB limit"));
    }

    #[test]
    fn codes_decide_before_the_status() {
        assert_eq!(kind_of("ProvisionedThroughputExceededException", 400, ""), FailureKind::Throttled);
        assert_eq!(
            kind_of("InvalidParameterValueException", 400, "Stream not found: arn"),
            FailureKind::NotFound
        );
        assert_eq!(kind_of("InvalidParameterValueException", 400, "no"), FailureKind::Invalid);
        assert_eq!(kind_of("", 503, ""), FailureKind::Service);
        assert_eq!(kind_of("ExpiredTokenException", 400, ""), FailureKind::Credentials);
    }
}
