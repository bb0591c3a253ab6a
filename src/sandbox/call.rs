//! One AWS API call as the simulated world sees it, whatever protocol it came in by.
//!
//! The wire rooms translate REST-JSON, AWS JSON 1.0/1.1, Smithy RPC v2 CBOR and the query protocol to and from
//! these; the world knows nothing of HTTP but the status code.

use crate::model::{AccountId, Region};
use serde_json::{Map, Value};

/// The services that the sandbox plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Kinesis Data Streams, JSON 1.1.
    Kinesis,
    /// Lambda, REST-JSON 2015-03-31.
    Lambda,
    /// CloudWatch, three protocols.
    CloudWatch,
    /// DynamoDB, JSON 1.0.
    DynamoDb,
    /// STS, query/XML.
    Sts,
}

/// A decoded request.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiCall {
    /// The service.
    pub service: Service,
    /// From the SigV4 credential scope.
    pub region: Region,
    /// From the access key: a 12-digit access key id is the account, any other one is 123456789012.
    pub account: AccountId,
    /// The operation's name, e.g. `UpdateFunctionConfiguration`.
    pub operation: String,
    /// The members by the names of the service model, wherever they travelled (path, query, header, body).
    /// Timestamps are numbers (epoch seconds, fractions allowed), blobs are base64 strings.
    pub input: Value,
}

/// An answer: the output members by the names of the service model, in the same conventions.
#[derive(Debug, Clone)]
pub struct ApiReply {
    /// HTTP status: 200, or what Lambda gives (201, 202, 204).
    pub status: u16,
    /// Output members.
    pub output: Value,
}

impl ApiReply {
    /// A 200 with these members.
    pub fn ok(output: Value) -> ApiReply {
        ApiReply { status: 200, output }
    }
}

/// An error as AWS words it.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// Error code, e.g. `ResourceConflictException`.
    pub code: String,
    /// The message.
    pub message: String,
    /// Further members of the error shape, e.g. Lambda's `Type`.
    pub members: Map<String, Value>,
}

impl ApiError {
    /// An error without further members.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> ApiError {
        ApiError { status, code: code.to_owned(), message: message.into(), members: Map::new() }
    }
}

/// What every call comes to.
pub type ApiResult = Result<ApiReply, ApiError>;
