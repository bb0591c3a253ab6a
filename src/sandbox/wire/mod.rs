//! HTTP in, HTTP out: the protocols that AWS clients speak, to and from [`ApiCall`].
//!
//! | service | protocol |
//! |---|---|
//! | Lambda | REST-JSON: method and path name the operation |
//! | Kinesis, DynamoDB | JSON 1.1 and 1.0: `X-Amz-Target` names it |
//! | CloudWatch | Smithy RPC v2 CBOR (Rust SDK), JSON 1.0 (boto3, CLI v1), query (CLI v2) |
//! | STS | query |

mod cbor;
mod http;
mod lambda;
mod query;
mod scope;

pub use http::{HttpAnswer, HttpCall};

use super::call::{ApiCall, ApiError, ApiReply, ApiResult, Service};
use scope::Scope;
use serde_json::Value;

/// How the answer has to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Lambda's.
    RestJson,
    /// `application/x-amz-json-1.0` or `-1.1`.
    Json(&'static str),
    /// `application/cbor`.
    Cbor,
    /// `text/xml`.
    Query,
}

/// A decoded request with the way back.
#[derive(Debug)]
pub struct Decoded {
    /// The call.
    pub call: ApiCall,
    /// The way back.
    pub protocol: Protocol,
    /// The access key that signed it.
    pub access_key: String,
}

/// Reads a request.
///
/// # Errors
/// AWS's error for a request without a signature or with an unknown operation, with the way back.
pub fn decode(request: &HttpCall) -> Result<Decoded, (Protocol, ApiError)> {
    let protocol = protocol(request);
    let request = http::unpacked(request).map_err(|why| (protocol, serialization(&why)))?;
    let request = request.as_ref();
    let scope = Scope::of(request).map_err(|error| (protocol, error))?;
    let (operation, input) = operation(request, &scope, protocol).map_err(|error| (protocol, error))?;
    let Scope { service, region, account, access_key } = scope;
    Ok(Decoded { call: ApiCall { service, region, account, operation, input }, protocol, access_key })
}

fn protocol(request: &HttpCall) -> Protocol {
    let content = request.header("content-type").unwrap_or_default();
    if request.path.starts_with("/service/") {
        Protocol::Cbor
    } else if request.header("x-amz-target").is_some() {
        if content.contains("json-1.0") { Protocol::Json("1.0") } else { Protocol::Json("1.1") }
    } else if content.starts_with("application/x-www-form-urlencoded") {
        Protocol::Query
    } else {
        Protocol::RestJson
    }
}

fn operation(request: &HttpCall, scope: &Scope, protocol: Protocol) -> Result<(String, Value), ApiError> {
    match protocol {
        Protocol::RestJson if scope.service == Service::Lambda => lambda::operation(request),
        Protocol::RestJson => Err(unknown_operation(&format!("{} {}", request.method, request.path))),
        Protocol::Json(_) => {
            let target = request.header("x-amz-target").unwrap_or_default();
            let name = target.rsplit('.').next().unwrap_or_default();
            Ok((name.to_owned(), json_body(&request.body)?))
        }
        Protocol::Cbor => {
            let name = request.path.rsplit('/').next().unwrap_or_default();
            let input = cbor::decode(&request.body).map_err(|why| serialization(&why))?;
            Ok((name.to_owned(), input))
        }
        Protocol::Query => query::operation(&request.body),
    }
}

fn json_body(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(body).map_err(|e| serialization(&e.to_string()))
}

fn serialization(why: &str) -> ApiError {
    ApiError::new(400, "SerializationException", why)
}

fn unknown_operation(what: &str) -> ApiError {
    ApiError::new(404, "UnknownOperationException", format!("the sandbox does not play {what}"))
}

/// Writes an answer. `operation` is empty when the request could not be read.
pub fn encode(protocol: Protocol, operation: &str, request_id: &str, result: &ApiResult) -> HttpAnswer {
    let result = &result.clone().map(|reply| ApiReply { output: without_nulls(reply.output), ..reply });
    let mut answer = match (protocol, result) {
        (Protocol::RestJson, Ok(reply)) => lambda::reply(operation, reply),
        (Protocol::RestJson, Err(error)) => lambda::error(error),
        (Protocol::Json(version), Ok(reply)) => json_reply(version, reply),
        (Protocol::Json(version), Err(error)) => json_error(version, error),
        (Protocol::Cbor, Ok(reply)) => cbor_answer(reply.status, &reply.output),
        (Protocol::Cbor, Err(error)) => cbor_answer(error.status, &error_members(error)),
        (Protocol::Query, Ok(reply)) => query::reply(operation, request_id, reply),
        (Protocol::Query, Err(error)) => query::error(request_id, error),
    };
    answer.headers.push(("x-amzn-requestid".to_owned(), request_id.to_owned()));
    answer
}

/// AWS leaves a member out where it has no value.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let present = members.into_iter().filter(|(_, one)| !one.is_null());
            Value::Object(present.map(|(key, one)| (key, without_nulls(one))).collect())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

fn json_type(version: &str) -> String {
    format!("application/x-amz-json-{version}")
}

fn json_reply(version: &str, reply: &ApiReply) -> HttpAnswer {
    // An operation without output has an empty body.
    let empty = reply.output.as_object().is_some_and(serde_json::Map::is_empty);
    let body = if empty && version == "1.1" { Vec::new() } else { reply.output.to_string().into_bytes() };
    HttpAnswer::new(reply.status, &json_type(version), body)
}

/// The members of an error with its type, in the JSON protocols' way.
fn error_members(error: &ApiError) -> Value {
    let mut members = error.members.clone();
    members.insert("__type".to_owned(), Value::String(error.code.clone()));
    members.insert("message".to_owned(), Value::String(error.message.clone()));
    Value::Object(members)
}

fn json_error(version: &str, error: &ApiError) -> HttpAnswer {
    let mut answer =
        HttpAnswer::new(error.status, &json_type(version), error_members(error).to_string().into_bytes());
    answer.headers.push(("x-amzn-errortype".to_owned(), error.code.clone()));
    answer
}

fn cbor_answer(status: u16, members: &Value) -> HttpAnswer {
    let mut answer = HttpAnswer::new(status, "application/cbor", cbor::encode(members));
    answer.headers.push(("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned()));
    answer
}
