//! The query protocol: a form in, XML out. STS speaks it, and so does the AWS CLI v2 of some distributions with
//! CloudWatch.

use super::HttpAnswer;
use super::http::pairs;
use crate::model::Timestamp;
use crate::sandbox::call::{ApiError, ApiReply};
use serde_json::{Map, Value, json};
use std::fmt::Write;

const NUMBERS: [&str; 7] =
    ["Period", "MaxDatapoints", "MaxRecords", "StorageResolution", "Value", "Sum", "DurationSeconds"];
const TIMESTAMPS: [&str; 4] = ["Timestamp", "StartTime", "EndTime", "Timestamps"];

/// The operation and its members from a form: `Dimensions.member.1.Name=...` is a list of structures.
pub(super) fn operation(body: &[u8]) -> Result<(String, Value), ApiError> {
    let form = pairs(&String::from_utf8_lossy(body));
    let action = form.iter().find(|(key, _)| key == "Action").map(|(_, value)| value.clone());
    let missing = || ApiError::new(400, "MissingAction", "Could not find operation Action");
    let mut root = json!({});
    for (key, value) in form.iter().filter(|(key, _)| key != "Action" && key != "Version") {
        let path: Vec<&str> = key.split('.').filter(|part| *part != "member").collect();
        put(&mut root, &path, value);
    }
    Ok((action.ok_or_else(missing)?, root))
}

fn put(at: &mut Value, path: &[&str], value: &str) {
    let [part, rest @ ..] = path else { return };
    let next_is_index = rest.first().is_some_and(|p| p.parse::<usize>().is_ok());
    let slot = match part.parse::<usize>() {
        Ok(index) => {
            let Value::Array(all) = at else { return };
            // AWS counts from 1; a list longer than any request is not built.
            let index = index.saturating_sub(1);
            if index > 1000 {
                return;
            }
            while all.len() <= index {
                all.push(Value::Null);
            }
            &mut all[index]
        }
        Err(_) => {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            let Some(members) = at.as_object_mut() else { return };
            members.entry(*part).or_insert(Value::Null)
        }
    };
    if rest.is_empty() {
        *slot = scalar(part, value);
        return;
    }
    if slot.is_null() {
        *slot = if next_is_index { json!([]) } else { json!({}) };
    }
    put(slot, rest, value);
}

fn scalar(name: &str, text: &str) -> Value {
    if TIMESTAMPS.contains(&name) {
        let at = text.parse::<Timestamp>().ok();
        return at.map_or_else(|| json!(text), |at| json!(at.as_millisecond() as f64 / 1000.0));
    }
    if NUMBERS.contains(&name) {
        return match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(whole), _) => json!(whole),
            (_, Ok(number)) => json!(number),
            _ => json!(text),
        };
    }
    match text {
        "true" => json!(true),
        "false" => json!(false),
        _ => json!(text),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn namespace(operation: &str) -> &'static str {
    match operation {
        "GetCallerIdentity" | "AssumeRole" => "https://sts.amazonaws.com/doc/2011-06-15/",
        _ => "http://monitoring.amazonaws.com/doc/2010-08-01/",
    }
}

fn element(out: &mut String, name: &str, value: &Value) {
    let text = match value {
        Value::Null => return,
        Value::Array(all) => {
            let _ = write!(out, "<{name}>");
            all.iter().for_each(|one| element_of_list(out, name, one));
            let _ = write!(out, "</{name}>");
            return;
        }
        Value::Object(members) => {
            let _ = write!(out, "<{name}>");
            members.iter().for_each(|(key, one)| element(out, key, one));
            let _ = write!(out, "</{name}>");
            return;
        }
        other => plain(name, other),
    };
    let _ = write!(out, "<{name}>{}</{name}>", escape(&text));
}

fn element_of_list(out: &mut String, list: &str, value: &Value) {
    match value {
        Value::Object(_) | Value::Array(_) => element(out, "member", value),
        other => {
            let _ = write!(out, "<member>{}</member>", escape(&plain(list, other)));
        }
    }
}

fn plain(name: &str, value: &Value) -> String {
    let at = || Timestamp::from_millisecond((value.as_f64()? * 1000.0) as i64).ok();
    match value {
        Value::String(text) => text.clone(),
        Value::Number(_) if TIMESTAMPS.contains(&name) => at().map_or_else(String::new, |at| at.to_string()),
        other => other.to_string(),
    }
}

/// An answer in XML.
pub(super) fn reply(operation: &str, request_id: &str, reply: &ApiReply) -> HttpAnswer {
    let mut out = String::new();
    let _ = write!(out, "<{operation}Response xmlns=\"{}\">", namespace(operation));
    element(&mut out, &format!("{operation}Result"), &reply.output);
    let _ = write!(out, "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>");
    let _ = write!(out, "</{operation}Response>");
    HttpAnswer::new(reply.status, "text/xml", out.into_bytes())
}

/// An error in XML.
pub(super) fn error(request_id: &str, error: &ApiError) -> HttpAnswer {
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    let body = format!(
        "<ErrorResponse><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(&error.code),
        escape(&error.message)
    );
    HttpAnswer::new(error.status, "text/xml", body.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_structures() {
        let form = b"Action=GetMetricData&Version=2010-08-01&MetricDataQueries.member.1.Id=m0&\
                     MetricDataQueries.member.1.MetricStat.Period=60&\
                     MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Name=StreamName&\
                     StartTime=2026-03-02T03%3A00%3A00Z";
        let (action, input) = operation(form).expect("an action");
        assert_eq!(action, "GetMetricData");
        assert_eq!(input["MetricDataQueries"][0]["MetricStat"]["Period"], 60);
        assert_eq!(
            input["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"][0]["Name"],
            "StreamName"
        );
        assert_eq!(input["StartTime"], 1_772_420_400.0);
    }

    #[test]
    fn an_answer_becomes_xml() {
        let output = json!({"Datapoints": [{"Timestamp": 1_772_420_400.0, "Maximum": 3.0}], "Label": "a<b"});
        let answer = reply("GetMetricStatistics", "id", &ApiReply::ok(output));
        let text = String::from_utf8(answer.body).expect("text");
        assert!(text.contains("<Timestamp>2026-03-02T03:00:00Z</Timestamp>"), "{text}");
        assert!(text.contains("<Label>a&lt;b</Label>"), "{text}");
    }
}
