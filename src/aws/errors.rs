//! From the SDK's errors to [`AwsFailure`]: what kind it was, whether a mutation may have been applied, and a
//! message that an operator can read and anybody may see.
//!
//! The SDK's own error text is either too little ("service error") or too much (`DisplayErrorContext` prints
//! the raw body, and Lambda's 4 KB error echoes every environment value), so neither is used.

mod credentials;
mod denied;

use super::clients::SdkResult;
use crate::model::{AwsFailure, FailureKind, Region, Sent};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use std::error::Error;

/// Longest message that is passed on, in characters.
const LONGEST: usize = 400;

/// What was asked, of what, where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    operation: &'static str,
    resource: &'a str,
    region: &'a Region,
    profile: Option<&'a str>,
    is_mutation: bool,
}

impl<'a> Asked<'a> {
    /// A read: it never changes anything.
    pub(super) fn read(operation: &'static str, resource: &'a str, region: &'a Region) -> Asked<'a> {
        Asked { operation, resource, region, profile: None, is_mutation: false }
    }
    /// A mutation: without an answer its effect is unknown.
    pub(super) fn mutation(operation: &'static str, resource: &'a str, region: &'a Region) -> Asked<'a> {
        Asked { operation, resource, region, profile: None, is_mutation: true }
    }
    /// With the profile of the credentials, for the command that renews them.
    pub(super) fn with_profile(self, profile: Option<&'a str>) -> Asked<'a> {
        Asked { profile, ..self }
    }
    /// A failure in kdsha's own words.
    pub(super) fn failed(&self, kind: FailureKind, message: impl Into<String>, sent: Sent) -> AwsFailure {
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
}

/// Puts an error of the SDK into the operator's words.
pub(super) fn failure<E>(asked: &Asked<'_>, error: &SdkError<E, HttpResponse>) -> AwsFailure
where
    E: Error + ProvideErrorMetadata + 'static,
{
    let found = match error {
        SdkError::ConstructionFailure(_) => construction(error, asked.profile),
        SdkError::TimeoutError(_) => Found::unanswered(
            FailureKind::TimedOut,
            "no answer in time; the Region or the way to it may be down",
        ),
        SdkError::DispatchFailure(failure) => dispatch(error, failure.as_connector_error(), asked.profile),
        SdkError::ResponseError(response) => unreadable(response.raw().status().as_u16()),
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            answered(status, service.err().code(), service.err().message(), asked)
        }
        _ => Found::unanswered(FailureKind::Unreadable, "the SDK gave an error this version does not know"),
    };
    AwsFailure {
        operation: asked.operation.to_owned(),
        resource: asked.resource.to_owned(),
        region: asked.region.clone(),
        kind: found.kind,
        code: found.code,
        message: found.message,
        request_id: error.request_id().map(str::to_owned),
        sent: if asked.is_mutation { found.sent } else { Sent::No },
    }
}

/// What an error comes to.
#[derive(Debug, PartialEq)]
struct Found {
    kind: FailureKind,
    code: Option<String>,
    message: String,
    sent: Sent,
}

impl Found {
    fn unanswered(kind: FailureKind, message: impl Into<String>) -> Found {
        Found { kind, code: None, message: message.into(), sent: Sent::Unknown }
    }
    fn unsent(kind: FailureKind, message: impl Into<String>) -> Found {
        Found { kind, code: None, message: message.into(), sent: Sent::No }
    }
}

fn construction(error: &(dyn Error + 'static), profile: Option<&str>) -> Found {
    match source_of::<CredentialsError>(error) {
        Some(error) => no_credentials(error, profile),
        None => {
            Found::unsent(FailureKind::Invalid, format!("the request could not be built: {}", chain(error)))
        }
    }
}

/// No answer because the request did not get through, or because the connection broke afterwards.
fn dispatch(
    error: &(dyn Error + 'static),
    connector: Option<&ConnectorError>,
    profile: Option<&str>,
) -> Found {
    if let Some(credentials) = source_of::<CredentialsError>(error) {
        return no_credentials(credentials, profile);
    }
    let is_connect = source_of::<hyper_util::client::legacy::Error>(error).is_some_and(|e| e.is_connect());
    // Only a connect time-out is set on the connector; an answer's time-out is `TimeoutError`.
    if connector.is_some_and(ConnectorError::is_timeout) {
        return Found::unsent(FailureKind::Unreachable, "no connection in time (connect time-out)");
    }
    if is_connect {
        let why = scrub(&innermost(error));
        return Found::unsent(FailureKind::Unreachable, format!("no connection: {why}"));
    }
    Found::unanswered(FailureKind::Unreachable, format!("the connection broke: {}", scrub(&innermost(error))))
}

/// An answer that the SDK could not parse: a proxy's page, an emulator's HTML.
fn unreadable(status: u16) -> Found {
    let kind = if status >= 500 { FailureKind::Service } else { FailureKind::Unreadable };
    let sent = if (400..500).contains(&status) { Sent::Refused } else { Sent::Unknown };
    let message =
        format!("HTTP {status} with a body that is not this service's (a proxy? an endpoint override?)");
    Found { kind, code: None, message, sent }
}

/// An error that the service gave.
fn answered(status: u16, code: Option<&str>, message: Option<&str>, asked: &Asked<'_>) -> Found {
    let kind = kind(status, code.unwrap_or_default(), message.unwrap_or_default());
    let sent = if status >= 500 { Sent::Unknown } else { Sent::Refused };
    let text = match message {
        Some(message) if kind == FailureKind::AccessDenied => {
            denied::words(message).unwrap_or_else(|| scrub(message))
        }
        Some(message) if !message.trim().is_empty() => scrub(message),
        _ => format!("HTTP {status} without a message"),
    };
    let advice = match kind {
        FailureKind::Credentials => {
            credentials::renewal(code.unwrap_or_default(), asked.region, asked.profile)
        }
        FailureKind::AccessDenied => denied::way_out(code.unwrap_or_default(), asked.region),
        _ => String::new(),
    };
    Found { kind, code: code.map(scrub), message: text + &advice, sent }
}

fn kind(status: u16, code: &str, message: &str) -> FailureKind {
    const THROTTLES: [&str; 8] = [
        "TooManyRequestsException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
    ];
    const CREDENTIALS: [&str; 13] = [
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestTimeTooSkewed",
    ];
    // Lambda answers 400 where others answer 404 when a mapping's stream or function is absent.
    let is_absent = message.starts_with("Stream not found") || message == "Function does not exist";
    if THROTTLES.contains(&code) || status == 429 {
        FailureKind::Throttled
    } else if CREDENTIALS.contains(&code) {
        FailureKind::Credentials
    } else if code.starts_with("AccessDenied") || code == "UnauthorizedOperation" || code == "OptInRequired" {
        FailureKind::AccessDenied
    } else if code.starts_with("ResourceNotFound") || status == 404 || is_absent {
        FailureKind::NotFound
    } else if code.starts_with("ResourceConflict") || code.starts_with("ResourceInUse") || status == 409 {
        FailureKind::Conflict
    } else if code.starts_with("PreconditionFailed") || status == 412 {
        FailureKind::Stale
    } else if status >= 500 || code == "InternalFailure" || code == "ServiceUnavailable" {
        FailureKind::Service
    } else if status == 403 {
        FailureKind::AccessDenied
    } else {
        FailureKind::Invalid
    }
}

/// Credentials did not come: nothing was sent, and the operator must know which command helps.
fn no_credentials(error: &CredentialsError, profile: Option<&str>) -> Found {
    let why = chain(error);
    let timed_out = matches!(error, CredentialsError::ProviderTimedOut(_));
    let advice = credentials::way_in(&why, timed_out, profile);
    Found::unsent(FailureKind::Credentials, format!("no usable credentials ({why}); {advice}"))
}

/// The first error of a type in a chain of sources.
fn source_of<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut at = Some(error);
    while let Some(here) = at {
        if let Some(found) = here.downcast_ref::<T>() {
            return Some(found);
        }
        at = here.source();
    }
    None
}

/// The chain of sources in one line, without the steps that say nothing new.
fn chain(error: &dyn Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut at = Some(error);
    while let Some(here) = at {
        let text = here.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        at = here.source();
    }
    scrub(&parts.join(": "))
}

fn innermost(error: &dyn Error) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

/// Makes a service's message fit to be shown and journaled: no echoed values, no control characters, one
/// line, a bounded length, no full stop, since it becomes a part of a sentence.
pub(super) fn scrub(message: &str) -> String {
    let without_values = hide_echoes(message);
    let one_line: String = without_values
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let one_line = one_line.trim_end_matches('.');
    if one_line.chars().count() <= LONGEST {
        return one_line.to_owned();
    }
    one_line.chars().take(LONGEST).chain(['\u{2026}']).collect()
}

/// Lambda echoes the environment in two errors: `... exceeded the 4KB limit. String measured: {...}` and
/// `Value '{KEY=VALUE, ...}' at 'environment...' failed to satisfy constraint`.
fn hide_echoes(message: &str) -> String {
    let cut = match message.find("String measured") {
        Some(at) => format!("{}(values hidden)", &message[..at]),
        None => message.to_owned(),
    };
    let lower = cut.to_ascii_lowercase();
    match (lower.find("value '"), lower.find("' at 'environment")) {
        (Some(from), Some(to)) if from < to => format!("{}Value (hidden){}", &cut[..from], &cut[to + 1..]),
        _ => cut,
    }
}

/// Takes these values out of a text, whatever echoed them. Values of one or two characters are left: taking
/// out every `1` would make the text unreadable, and says little.
pub(super) fn without<'a>(text: &str, secrets: impl Iterator<Item = &'a str>) -> String {
    let mut values: Vec<&str> = secrets.filter(|value| value.len() > 2).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.iter().fold(text.to_owned(), |text, value| text.replace(value, "(hidden)"))
}

/// The request id of an answer.
pub(super) fn request_id<T: RequestId, E>(result: &SdkResult<T, E>) -> Option<String> {
    result.as_ref().ok().and_then(|answer| answer.request_id().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_kilobyte_error_loses_every_value() {
        let text = "Lambda was unable to configure your environment variables because the environment variables \
                    you have provided exceeded the 4KB limit. String measured: {\"DB_PASSWORD\":\"hunter2\"}";
        let clean = scrub(text);
        assert!(clean.contains("4KB limit"), "{clean}");
        assert!(!clean.contains("hunter2") && !clean.contains("DB_PASSWORD"), "{clean}");
    }

    #[test]
    fn a_validation_error_on_the_environment_loses_its_echo() {
        let text = "1 validation error detected: Value '{A=s3cret, B=it's}' at 'environment.variables' failed to \
                    satisfy constraint: Map keys must satisfy constraint";
        let clean = scrub(text);
        assert!(!clean.contains("s3cret") && !clean.contains("it's"), "{clean}");
        assert!(clean.contains("at 'environment.variables' failed"), "{clean}");
        let harmless =
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint";
        assert_eq!(scrub(harmless), harmless);
    }

    #[test]
    fn a_message_cannot_drive_the_terminal_or_flood_it() {
        assert_eq!(scrub("a\u{1b}[31m\nb\tc"), "a [31m b c");
        assert_eq!(scrub(&"x".repeat(10_000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn known_values_are_taken_out_wherever_they_are_echoed() {
        let text = "Value 'hunter2' and hunter22 and 1 are refused";
        assert_eq!(
            without(text, ["hunter2", "hunter22", "1"].into_iter()),
            "Value '(hidden)' and (hidden) and 1 are refused"
        );
    }

    #[test]
    fn the_kind_follows_code_and_status() {
        use FailureKind as K;
        for (status, code, message, expected) in [
            (429, "TooManyRequestsException", "Rate exceeded", K::Throttled),
            (400, "ProvisionedThroughputExceededException", "", K::Throttled),
            (400, "LimitExceededException", "", K::Throttled),
            (403, "ExpiredTokenException", "", K::Credentials),
            (400, "ExpiredToken", "", K::Credentials),
            (403, "AccessDeniedException", "", K::AccessDenied),
            (403, "", "", K::AccessDenied),
            (404, "ResourceNotFoundException", "", K::NotFound),
            (400, "InvalidParameterValueException", "Stream not found: arn:aws:kinesis:...", K::NotFound),
            (400, "InvalidParameterValueException", "Function does not exist", K::NotFound),
            (400, "InvalidParameterValueException", "Cannot access stream", K::Invalid),
            (409, "ResourceConflictException", "", K::Conflict),
            (400, "ResourceInUseException", "", K::Conflict),
            (412, "PreconditionFailedException", "", K::Stale),
            (500, "ServiceException", "", K::Service),
            (503, "", "", K::Service),
        ] {
            assert_eq!(kind(status, code, message), expected, "{status} {code} {message}");
        }
    }

    #[test]
    fn only_an_answer_below_500_proves_that_nothing_changed() {
        let region = "us-west-2".parse().expect("a Region");
        let asked = Asked::mutation("lambda:UpdateFunctionConfiguration", "f", &region);
        assert_eq!(answered(409, Some("ResourceConflictException"), None, &asked).sent, Sent::Refused);
        assert_eq!(answered(500, Some("ServiceException"), None, &asked).sent, Sent::Unknown);
        assert_eq!(unreadable(502).sent, Sent::Unknown);
        assert_eq!(unreadable(200).sent, Sent::Unknown);
        assert_eq!(unreadable(403).sent, Sent::Refused);
    }

    #[test]
    fn missing_credentials_come_with_the_command_that_helps() {
        let error = CredentialsError::provider_error("the SSO session has expired or is invalid");
        let found = no_credentials(&error, Some("oncall"));
        assert_eq!((found.kind, found.sent), (FailureKind::Credentials, Sent::No));
        assert!(found.message.contains("`aws sso login --profile oncall`"), "{}", found.message);
        let none =
            no_credentials(&CredentialsError::not_loaded("no providers in chain provided credentials"), None);
        assert!(none.message.contains("AWS_PROFILE"), "{}", none.message);
    }
}
