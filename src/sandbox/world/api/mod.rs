//! The APIs: one decoded call in, one answer out, by the names of the service models.

mod cloudwatch;
mod dynamodb;
mod failover;
mod function_answers;
mod functions;
mod kinesis;
mod kinesis_control;
mod lambda;
mod mapping_answers;
mod mappings;
mod monitoring;
mod resharding;
mod sts;
mod subscriptions;
mod versions;

pub use subscriptions::Pushed;
pub(super) use subscriptions::Subscription;

use super::World;
use super::outage::{Outage, is_kinesis_data_plane};
use super::place::PlaceId;
use crate::model::Region;
use crate::sandbox::call::{ApiCall, ApiError, ApiReply, ApiResult, Service};
use crate::sandbox::shapes;
use serde_json::{Map, Value, json};

/// Whether an operation changes the world. Everything else may be tried again without harm.
pub fn is_mutating(operation: &str) -> bool {
    const CHANGES: [&str; 16] = [
        "Add",
        "Create",
        "Decrease",
        "Delete",
        "Deregister",
        "Disable",
        "Enable",
        "Increase",
        "Invoke",
        "Merge",
        "Publish",
        "Put",
        "Register",
        "Remove",
        "Split",
        "Start",
    ];
    const MORE: [&str; 6] = ["Stop", "Tag", "Untag", "Update", "BatchWrite", "TransactWrite"];
    CHANGES.iter().chain(&MORE).any(|verb| operation.starts_with(verb))
}

/// The members of a request.
#[derive(Clone, Copy)]
pub(super) struct Input<'a>(&'a Value);

impl<'a> Input<'a> {
    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
    fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }
    fn list(self, name: &str) -> &'a [Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
    fn map(self, name: &str) -> Option<&'a Map<String, Value>> {
        self.get(name)?.as_object()
    }
    fn within(self, name: &str) -> Input<'a> {
        static NOTHING: Value = Value::Null;
        Input(self.0.get(name).unwrap_or(&NOTHING))
    }
    /// A whole number; query strings carry it as text.
    fn whole(self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }
    fn count(self, name: &str) -> Option<u32> {
        u32::try_from(self.whole(name)?).ok()
    }
    fn flag(self, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        value.as_bool().or_else(|| value.as_str()?.parse().ok())
    }
    fn time(self, name: &str) -> Option<super::clock::Millis> {
        super::clock::millis(self.get(name)?)
    }
    fn strings(self, name: &str) -> std::collections::BTreeMap<String, String> {
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        self.map(name).into_iter().flatten().map(|(k, v)| (k.clone(), text(v))).collect()
    }
}

/// Where a call arrived.
#[derive(Clone, Copy)]
pub(super) struct At {
    place: PlaceId,
}

impl World {
    /// One API call, now.
    pub(super) fn answer(&mut self, call: &ApiCall) -> ApiResult {
        if let Some(refused) = self.refusal(call) {
            return Err(refused);
        }
        shapes::check(call)?;
        let at = At { place: self.place(&call.account, &call.region) };
        let input = Input(&call.input);
        let operation = call.operation.as_str();
        let answer = match call.service {
            Service::Kinesis => self.kinesis(at, operation, input),
            Service::Lambda => self.lambda(at, operation, input),
            Service::CloudWatch => self.cloudwatch(at, operation, input),
            Service::DynamoDb => self.dynamodb(at, operation, input),
            Service::Sts => self.sts(at, operation),
        };
        answer.unwrap_or_else(|| Err(unknown_operation(operation)))
    }

    /// What the Region's outage answers in place of the service.
    fn refusal(&mut self, call: &ApiCall) -> Option<ApiError> {
        let data_plane = match call.service {
            Service::Kinesis => is_kinesis_data_plane(&call.operation),
            Service::Lambda => call.operation == "Invoke",
            Service::CloudWatch | Service::DynamoDb | Service::Sts => return self.silence(&call.region),
        };
        match self.outage(&call.region)? {
            Outage::ControlPlane if !data_plane => Some(internal_failure(call.service)),
            Outage::DataPlaneDegraded { failure_share }
                if call.operation.starts_with("Get") && data_plane && self.rng.f64() < failure_share =>
            {
                self.note_refused(call);
                Some(internal_failure(call.service))
            }
            Outage::Silent => self.silence(&call.region),
            Outage::ControlPlane | Outage::DataPlaneDegraded { .. } => None,
        }
    }

    /// A silent Region does not answer: the wire lets the call hang. Whoever asks the world directly hears this.
    fn silence(&self, region: &Region) -> Option<ApiError> {
        let silent = self.outage(region) == Some(Outage::Silent);
        silent.then(|| ApiError::new(503, "ServiceUnavailable", format!("{region} does not answer")))
    }

    /// A failed GetRecords counts in the success metric of its stream; a failed put is noted where it fails.
    fn note_refused(&mut self, call: &ApiCall) {
        let at = At { place: self.place(&call.account, &call.region) };
        let iterator = Input(&call.input).text("ShardIterator").unwrap_or_default();
        let Ok((stream, ..)) = self.read_iterator(at, iterator) else { return };
        let (id, now) = (self.streams[stream.0].series.get_success, self.now);
        self.metrics.record(id, now, now, 0.0);
    }

    fn region(&self, at: At) -> &Region {
        &self.places[at.place.0].region
    }
}

fn unknown_operation(operation: &str) -> ApiError {
    ApiError::new(400, "UnknownOperationException", format!("The sandbox does not play {operation}."))
}

fn internal_failure(service: Service) -> ApiError {
    match service {
        Service::Lambda => {
            lambda_error(500, "ServiceException", "An error occurred and the request cannot be processed.")
        }
        _ => ApiError::new(
            500,
            "InternalFailure",
            "The request processing has failed because of an unknown error.",
        ),
    }
}

/// An error of Lambda, which also says whose fault it is.
fn lambda_error(status: u16, code: &str, message: impl Into<String>) -> ApiError {
    let mut error = ApiError::new(status, code, message);
    let fault = if status >= 500 { "Service" } else { "User" };
    error.members.insert("Type".to_owned(), json!(fault));
    error
}

/// A 200 without members.
fn empty() -> ApiResult {
    Ok(ApiReply::ok(json!({})))
}

/// Adds a member if there is a value for it.
fn put(output: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        output.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::is_mutating;

    #[test]
    fn reads_and_changes_are_told_apart() {
        for change in [
            "CreateEventSourceMapping",
            "UpdateAlias",
            "PutRecord",
            "Invoke",
            "TagResource",
            "AddTagsToStream",
        ] {
            assert!(is_mutating(change), "{change}");
        }
        for read in ["GetRecords", "ListShards", "DescribeStreamSummary", "GetMetricData", "Scan", "Query"] {
            assert!(!is_mutating(read), "{read}");
        }
    }
}
