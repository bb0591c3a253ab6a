//! Which service, Region and account a request is for: the SigV4 credential scope says. Signatures are not checked.

use super::HttpCall;
use crate::model::{AccountId, Region};
use crate::sandbox::call::{ApiError, Service};

/// The account of every access key that is not itself an account id.
pub const ACCOUNT: &str = "123456789012";

/// The parts of a credential scope.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) service: Service,
    pub(super) region: Region,
    pub(super) account: AccountId,
    pub(super) access_key: String,
}

impl Scope {
    /// From `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ...`.
    pub(super) fn of(request: &HttpCall) -> Result<Scope, ApiError> {
        let missing =
            || ApiError::new(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
        let header = request.header("authorization").ok_or_else(missing)?;
        let credential = header.split("Credential=").nth(1).and_then(|rest| rest.split([',', ' ']).next());
        let parts: Vec<&str> = credential.ok_or_else(missing)?.split('/').collect();
        let [key, _date, region, service, ..] = parts.as_slice() else { return Err(missing()) };
        let unplayed = || {
            ApiError::new(
                400,
                "UnknownOperationException",
                format!("the sandbox does not play the service {service}"),
            )
        };
        let service = service_of(service).ok_or_else(unplayed)?;
        let region = region.parse().map_err(|e: crate::model::ids::InvalidId| {
            ApiError::new(
                403,
                "InvalidSignatureException",
                format!("Credential should be scoped to a Region: {e}"),
            )
        })?;
        let account = key.parse().or_else(|_| ACCOUNT.parse()).map_err(|_| missing())?;
        Ok(Scope { service, region, account, access_key: (*key).to_owned() })
    }
}

fn service_of(signing_name: &str) -> Option<Service> {
    match signing_name {
        "kinesis" => Some(Service::Kinesis),
        "lambda" => Some(Service::Lambda),
        "monitoring" => Some(Service::CloudWatch),
        "dynamodb" => Some(Service::DynamoDb),
        "sts" => Some(Service::Sts),
        _ => None,
    }
}
