//! Whether a request is what its service model says: `shapes.json`, made from botocore's models by
//! `tests/it/contract/shapes.py`, which a test compares with it. What is wrong is answered in AWS's words.
//!
//! Left out: patterns with look-around, which no automaton decides (the names of aliases may not be digits alone).

use super::call::{ApiCall, ApiError, Service};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

#[derive(Deserialize)]
struct Model {
    operations: BTreeMap<String, Option<String>>,
    shapes: HashMap<String, Shape>,
}

#[derive(Deserialize)]
struct Shape {
    #[serde(flatten)]
    kind: Kind,
    min: Option<f64>,
    max: Option<f64>,
    pattern: Option<String>,
    #[serde(default)]
    sensitive: bool,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Kind {
    Structure {
        members: HashMap<String, String>,
        #[serde(default)]
        required: Vec<String>,
    },
    List {
        member: String,
    },
    Map {
        key: String,
        value: String,
    },
    String {
        #[serde(default)]
        r#enum: Vec<String>,
    },
    Blob,
    Boolean,
    Timestamp,
    Integer,
    Long,
    Float,
    Double,
}

fn models() -> &'static BTreeMap<String, Model> {
    static MODELS: OnceLock<BTreeMap<String, Model>> = OnceLock::new();
    MODELS.get_or_init(|| serde_json::from_str(include_str!("shapes.json")).unwrap_or_default())
}

fn model(service: Service) -> Option<&'static Model> {
    models().get(match service {
        Service::Kinesis => "kinesis",
        Service::Lambda => "lambda",
        Service::CloudWatch => "cloudwatch",
        Service::DynamoDb => "dynamodb",
        Service::Sts => "sts",
    })
}

/// What is wrong with a request, by its model.
///
/// # Errors
/// `SerializationException` for a value of another type, `ValidationException` (CloudWatch: `ValidationError`) for
/// every other constraint, all of them in one message.
pub(super) fn check(call: &ApiCall) -> Result<(), ApiError> {
    let Some(model) = model(call.service) else { return Ok(()) };
    let Some(Some(input)) = model.operations.get(&call.operation) else { return Ok(()) };
    let mut check = Check { model, wrong: Vec::new(), mistyped: None };
    check.value(&Place::Request, input, &call.input);
    if let Some(path) = check.mistyped {
        return Err(ApiError::new(400, "SerializationException", format!("{path} is of another type.")));
    }
    if check.wrong.is_empty() {
        return Ok(());
    }
    let (count, s) = (check.wrong.len(), if check.wrong.len() == 1 { "" } else { "s" });
    let text = format!("{count} validation error{s} detected: {}", check.wrong.join("; "));
    let code = if call.service == Service::CloudWatch { "ValidationError" } else { "ValidationException" };
    Err(ApiError::new(400, code, text))
}

/// Where in a request a value stands; written out only where something is wrong.
#[derive(Clone, Copy)]
enum Place<'a> {
    Request,
    Member(&'a Place<'a>, &'a str),
    Element(&'a Place<'a>, usize),
    Entry(&'a Place<'a>, &'a str),
}

impl std::fmt::Display for Place<'_> {
    /// As AWS writes it: each member with a small first letter.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (above, name) = match self {
            Place::Request => return Ok(()),
            Place::Member(above, name) => {
                let mut letters = name.chars();
                let first = letters.next().map(|first| first.to_ascii_lowercase());
                (above, first.into_iter().chain(letters).collect())
            }
            Place::Element(above, number) => (above, format!("{number}.member")),
            Place::Entry(above, name) => (above, format!("{name}.member")),
        };
        match above {
            Place::Request => f.write_str(&name),
            above => write!(f, "{above}.{name}"),
        }
    }
}

struct Check<'a> {
    model: &'a Model,
    wrong: Vec<String>,
    mistyped: Option<String>,
}

impl Check<'_> {
    fn value(&mut self, path: &Place<'_>, shape: &str, value: &Value) {
        let Some(shape) = self.model.shapes.get(shape) else { return };
        match (&shape.kind, value) {
            (Kind::Structure { members, required }, Value::Object(given)) => {
                for name in required.iter().filter(|name| given.get(*name).is_none_or(Value::is_null)) {
                    self.fails(&Place::Member(path, name), Some("null"), "Member must not be null");
                }
                for (name, inner) in given.iter().filter(|(_, inner)| !inner.is_null()) {
                    if let Some(shape) = members.get(name) {
                        self.value(&Place::Member(path, name), shape, inner);
                    }
                }
            }
            (Kind::List { member }, Value::Array(all)) => {
                self.length(path, shape, all.len(), "");
                for (number, inner) in (1..).zip(all) {
                    self.value(&Place::Element(path, number), member, inner);
                }
            }
            (Kind::Map { key, value: of }, Value::Object(all)) => {
                self.length(path, shape, all.len(), "");
                for (name, inner) in all {
                    self.key(path, key, name);
                    self.value(&Place::Entry(path, name), of, inner);
                }
            }
            (Kind::String { r#enum }, Value::String(text)) => self.text(path, shape, r#enum, text),
            (Kind::Blob, Value::String(text)) => self.length(path, shape, text.len() / 4 * 3, ""),
            (Kind::Integer | Kind::Long | Kind::Float | Kind::Double, _) => self.number(path, shape, value),
            (Kind::Boolean, Value::Bool(_)) | (Kind::Timestamp, Value::Number(_) | Value::String(_)) => {}
            // In a query everything is text, and an empty list or structure is nothing.
            (Kind::Boolean, Value::String(text)) if matches!(text.as_str(), "true" | "false") => {}
            (Kind::String { .. }, Value::Number(_) | Value::Bool(_)) => {}
            (Kind::List { .. } | Kind::Map { .. } | Kind::Structure { .. }, Value::String(text))
                if text.is_empty() => {}
            _ => self.mistyped = Some(path.to_string()),
        }
    }

    /// A map's key: what is wrong with it is said of the map.
    fn key(&mut self, path: &Place<'_>, shape: &str, name: &str) {
        let mut inner = Check { model: self.model, wrong: Vec::new(), mistyped: None };
        inner.value(&Place::Request, shape, &Value::String(name.to_owned()));
        let rules = inner.wrong.iter().filter_map(|text| text.split_once("constraint: "));
        let rules: Vec<&str> = rules.map(|(_, rule)| rule).collect();
        if !rules.is_empty() {
            let rule = format!("Map keys must satisfy constraint: [{}]", rules.join(", "));
            self.fails(path, Some(name), &rule);
        }
    }

    fn text(&mut self, path: &Place<'_>, shape: &Shape, options: &[String], text: &str) {
        let shown = if shape.sensitive { "" } else { text };
        self.length(path, shape, text.chars().count(), shown);
        if !options.is_empty() && !options.iter().any(|option| option == text) {
            let rule = format!("Member must satisfy enum value set: [{}]", options.join(", "));
            self.fails(path, Some(shown), &rule);
        }
        let compile = || {
            let pattern = shape.pattern.as_ref().filter(|pattern| !pattern.contains("(?"))?;
            Regex::new(&format!("^(?:{pattern})$")).ok()
        };
        let pattern = shape.compiled.get_or_init(compile).as_ref();
        if pattern.is_some_and(|pattern| !pattern.is_match(text)) {
            let rule = shape.pattern.as_deref().unwrap_or_default();
            self.fails(path, Some(shown), &format!("Member must satisfy regular expression pattern: {rule}"));
        }
    }

    fn number(&mut self, path: &Place<'_>, shape: &Shape, value: &Value) {
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        let Some(number) = number else {
            self.mistyped = Some(path.to_string());
            return;
        };
        if let Some(most) = shape.max.filter(|most| number > *most) {
            let rule = format!("Member must have value less than or equal to {most}");
            self.fails(path, Some(&number.to_string()), &rule);
        }
        if let Some(least) = shape.min.filter(|least| number < *least) {
            let rule = format!("Member must have value greater than or equal to {least}");
            self.fails(path, Some(&number.to_string()), &rule);
        }
    }

    fn length(&mut self, path: &Place<'_>, shape: &Shape, length: usize, shown: &str) {
        if let Some(most) = shape.max.filter(|most| length as f64 > *most) {
            let rule = format!("Member must have length less than or equal to {most}");
            self.fails(path, Some(shown), &rule);
        }
        if let Some(least) = shape.min.filter(|least| (length as f64) < *least) {
            let rule = format!("Member must have length greater than or equal to {least}");
            self.fails(path, Some(shown), &rule);
        }
    }

    /// One constraint that is not met; a value that is long or secret is not repeated.
    fn fails(&mut self, path: &Place<'_>, value: Option<&str>, rule: &str) {
        let value = match value {
            Some("null") => " null".to_owned(),
            Some(text) if !text.is_empty() && text.len() <= 200 => format!(" '{text}'"),
            _ => String::new(),
        };
        self.wrong.push(format!("Value{value} at '{path}' failed to satisfy constraint: {rule}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(service: Service, operation: &str, input: Value) -> (String, String) {
        let (region, account) = ("us-west-2".parse(), "123456789012".parse());
        let (region, account) = (region.expect("a Region"), account.expect("an account"));
        let call = ApiCall { service, region, account, operation: operation.to_owned(), input };
        check(&call).map_or_else(|error| (error.code, error.message), |()| Default::default())
    }

    #[test]
    fn every_shape_is_understood() {
        assert_eq!(models().len(), 5);
        for shape in models().values().flat_map(|model| model.shapes.values()) {
            let pattern = shape.pattern.iter().filter(|pattern| !pattern.contains("(?"));
            pattern.for_each(|pattern| assert!(Regex::new(pattern).is_ok(), "{pattern}"));
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_awss_words() {
        let (code, text) = wrong(
            Service::Lambda,
            "CreateEventSourceMapping",
            json!({ "FunctionName": "f", "EventSourceArn": "nothing", "BatchSize": 10_001 }),
        );
        assert_eq!(code, "ValidationException");
        assert!(text.starts_with("2 validation errors detected: "), "{text}");
        assert!(
            text.contains(
                "Value '10001' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10000"
            ),
            "{text}"
        );
        let (_, text) = wrong(Service::Kinesis, "PutRecord", json!({ "StreamName": "s" }));
        assert_eq!(
            text,
            "1 validation error detected: Value null at 'data' failed to satisfy constraint: Member must not be null"
        );
        let (code, _) = wrong(Service::Kinesis, "CreateStream", json!({ "StreamName": ["s"] }));
        assert_eq!(code, "SerializationException");
        assert_eq!(wrong(Service::Sts, "GetCallerIdentity", json!({})).0, "");
    }
}
