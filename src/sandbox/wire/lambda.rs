//! Lambda's REST-JSON: method and path name the operation, members travel in path, query, headers and body
//! (the service model `lambda/2015-03-31`; some operations carry other dates in their paths).

use super::http::unescape;
use super::{HttpAnswer, HttpCall, json_body, unknown_operation};
use crate::sandbox::call::{ApiError, ApiReply};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Where an operation is found: method, path with `{Member}` placeholders, name.
const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "/2015-03-31/event-source-mappings", "CreateEventSourceMapping"),
    ("GET", "/2015-03-31/event-source-mappings", "ListEventSourceMappings"),
    ("GET", "/2015-03-31/event-source-mappings/{UUID}", "GetEventSourceMapping"),
    ("PUT", "/2015-03-31/event-source-mappings/{UUID}", "UpdateEventSourceMapping"),
    ("DELETE", "/2015-03-31/event-source-mappings/{UUID}", "DeleteEventSourceMapping"),
    ("POST", "/2015-03-31/functions", "CreateFunction"),
    ("GET", "/2015-03-31/functions", "ListFunctions"),
    ("GET", "/2015-03-31/functions/{FunctionName}", "GetFunction"),
    ("DELETE", "/2015-03-31/functions/{FunctionName}", "DeleteFunction"),
    ("GET", "/2015-03-31/functions/{FunctionName}/configuration", "GetFunctionConfiguration"),
    ("PUT", "/2015-03-31/functions/{FunctionName}/configuration", "UpdateFunctionConfiguration"),
    ("POST", "/2015-03-31/functions/{FunctionName}/invocations", "Invoke"),
    ("POST", "/2015-03-31/functions/{FunctionName}/versions", "PublishVersion"),
    ("GET", "/2015-03-31/functions/{FunctionName}/versions", "ListVersionsByFunction"),
    ("POST", "/2015-03-31/functions/{FunctionName}/aliases", "CreateAlias"),
    ("GET", "/2015-03-31/functions/{FunctionName}/aliases", "ListAliases"),
    ("GET", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", "GetAlias"),
    ("PUT", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", "UpdateAlias"),
    ("DELETE", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", "DeleteAlias"),
    ("PUT", "/2017-10-31/functions/{FunctionName}/concurrency", "PutFunctionConcurrency"),
    ("DELETE", "/2017-10-31/functions/{FunctionName}/concurrency", "DeleteFunctionConcurrency"),
    ("GET", "/2019-09-30/functions/{FunctionName}/concurrency", "GetFunctionConcurrency"),
    ("GET", "/2016-08-19/account-settings", "GetAccountSettings"),
    ("POST", "/2017-03-31/tags/{Resource}", "TagResource"),
    ("DELETE", "/2017-03-31/tags/{Resource}", "UntagResource"),
    ("GET", "/2017-03-31/tags/{Resource}", "ListTags"),
];

/// Members that are numbers in the query.
const NUMBERS: [&str; 1] = ["MaxItems"];

/// The members in a path, when it fits the pattern.
fn fit(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let mut members = Map::new();
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(members),
            (Some(wanted), Some(found)) => match wanted.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
                Some(name) if !found.is_empty() => {
                    members.insert(name.to_owned(), Value::String(unescape(found)));
                }
                None if wanted == found => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// The operation and its members.
pub(super) fn operation(request: &HttpCall) -> Result<(String, Value), ApiError> {
    let path = request.path.trim_end_matches('/');
    let fits = |(method, pattern, name): &(&str, &str, &'static str)| {
        if *method != request.method {
            return None;
        }
        Some((*name, fit(pattern, path)?))
    };
    let found = ROUTES.iter().find_map(fits);
    let (name, mut members) =
        found.ok_or_else(|| unknown_operation(&format!("{} {}", request.method, request.path)))?;
    for (key, value) in request.pairs() {
        add(&mut members, key, value);
    }
    body(request, name, &mut members)?;
    Ok((name.to_owned(), Value::Object(members)))
}

fn add(members: &mut Map<String, Value>, key: String, value: String) {
    match key.as_str() {
        "tagKeys" => {
            let keys = members.entry("TagKeys").or_insert_with(|| json!([]));
            if let Some(keys) = keys.as_array_mut() {
                keys.push(Value::String(value));
            }
        }
        key if NUMBERS.contains(&key) => {
            let number = value.parse::<i64>().map_or(Value::String(value), Value::from);
            members.insert(key.to_owned(), number);
        }
        _ => {
            members.insert(key, Value::String(value));
        }
    }
}

fn body(request: &HttpCall, name: &str, members: &mut Map<String, Value>) -> Result<(), ApiError> {
    if name == "Invoke" {
        members.insert("Payload".to_owned(), Value::String(STANDARD.encode(&request.body)));
        let headers = [
            ("x-amz-invocation-type", "InvocationType"),
            ("x-amz-log-type", "LogType"),
            ("x-amz-client-context", "ClientContext"),
            ("x-amz-durable-execution-name", "DurableExecutionName"),
            ("x-amz-tenant-id", "TenantId"),
        ];
        for (header, member) in headers {
            if let Some(value) = request.header(header) {
                members.insert(member.to_owned(), Value::String(value.to_owned()));
            }
        }
        return Ok(());
    }
    if let Value::Object(sent) = json_body(&request.body)? {
        members.extend(sent);
    }
    Ok(())
}

/// An answer; that of `Invoke` is the payload itself.
pub(super) fn reply(operation: &str, reply: &ApiReply) -> HttpAnswer {
    if operation == "Invoke" {
        let payload = reply.output.get("Payload").and_then(Value::as_str).unwrap_or_default();
        let mut answer =
            HttpAnswer::new(reply.status, "application/json", STANDARD.decode(payload).unwrap_or_default());
        let headers =
            [("ExecutedVersion", "x-amz-executed-version"), ("FunctionError", "x-amz-function-error")];
        for (member, header) in headers {
            if let Some(value) = reply.output.get(member).and_then(Value::as_str) {
                answer.headers.push((header.to_owned(), value.to_owned()));
            }
        }
        return answer;
    }
    let body = if reply.status == 204 { Vec::new() } else { reply.output.to_string().into_bytes() };
    HttpAnswer::new(reply.status, "application/json", body)
}

/// An error: the code in a header, `Message` or `message` and further members in the body.
pub(super) fn error(error: &ApiError) -> HttpAnswer {
    let mut members = error.members.clone();
    members.entry("Type").or_insert_with(|| json!(if error.status < 500 { "User" } else { "Service" }));
    // The model has `Message` in two shapes and `message` in all others; clients read either.
    let key = if matches!(error.code.as_str(), "ResourceNotFoundException" | "ServiceException") {
        "Message"
    } else {
        "message"
    };
    members.insert(key.to_owned(), Value::String(error.message.clone()));
    let body = Value::Object(members).to_string().into_bytes();
    let mut answer = HttpAnswer::new(error.status, "application/json", body);
    answer.headers.push(("x-amzn-errortype".to_owned(), error.code.clone()));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, path: &str, query: &str, body: &str) -> Result<(String, Value), ApiError> {
        operation(&HttpCall {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn members_come_from_path_query_and_body() {
        let (name, input) =
            call("GET", "/2015-03-31/event-source-mappings/", "MaxItems=100", "").expect("a route");
        assert_eq!((name.as_str(), &input["MaxItems"]), ("ListEventSourceMappings", &json!(100)));
        let path =
            "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-west-2%3A123456789012%3Afunction%3AF/aliases/live";
        let (name, input) = call("PUT", path, "", r#"{"FunctionVersion":"2"}"#).expect("a route");
        assert_eq!(name, "UpdateAlias");
        assert_eq!(input["FunctionName"], "arn:aws:lambda:us-west-2:123456789012:function:F");
        assert_eq!((&input["Name"], &input["FunctionVersion"]), (&json!("live"), &json!("2")));
    }

    #[test]
    fn an_unknown_path_is_said() {
        let error = call("PATCH", "/2015-03-31/functions", "", "").expect_err("no route");
        assert_eq!(error.code, "UnknownOperationException");
    }
}
