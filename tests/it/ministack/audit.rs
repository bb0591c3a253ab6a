//! What was really sent: the emulator's log of requests, in words that a plan's effects can be compared with.

use serde_json::Value;
use std::fmt;

/// A request that kdsha sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// Order of arrival.
    pub number: u64,
    /// The operation, as CloudTrail spells it.
    pub operation: String,
    /// The Region of the signature.
    pub region: String,
    /// Whether it may change something.
    pub mutating: bool,
    /// The HTTP status of the answer.
    pub status: u64,
    /// What a mutating request is about.
    pub target: Value,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The requests of one access key. A line that is being written is not there yet.
pub fn sent_by(access_key: &str, lines: &str) -> Vec<Sent> {
    let parsed = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut sent: Vec<Sent> = parsed
        .filter(|line| line["who"] == access_key)
        .map(|line| Sent {
            number: line["number"].as_u64().expect("a number"),
            operation: text(&line["operation"]),
            region: text(&line["region"]),
            mutating: line["mutating"].as_bool().expect("a flag"),
            status: line["status"].as_u64().expect("a status"),
            target: line["target"].clone(),
        })
        .collect();
    sent.sort_by_key(|one| one.number);
    sent
}

/// `STREAM` or `STREAM/CONSUMER` of an ARN.
fn source(arn: &Value) -> String {
    let arn = text(arn);
    let path = arn.split_once(":stream/").map_or(arn.as_str(), |(_, path)| path);
    let path = path.split(':').next().unwrap_or(path);
    path.replace("/consumer/", "/")
}

impl fmt::Display for Sent {
    /// One line: operation, Region, what it is about. Times and ids, which differ from look to look, are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = &self.target;
        write!(f, "{} {}", self.operation, self.region)?;
        match self.operation.as_str() {
            "AddTagsToStream" => {
                let tags: Vec<&str> =
                    target["tags"].as_object().expect("tags").keys().map(String::as_str).collect();
                let state = text(&target["tags"]["kdsha:state"]);
                write!(f, " {} {} ({state})", text(&target["stream"]), tags.join(","))
            }
            "CreateEventSourceMapping" => {
                let settings = &target["settings"];
                let or = |key: &str, default: Value| match &settings[key] {
                    Value::Null => default,
                    value => value.clone(),
                };
                write!(f, " {} <- {}", text(&target["function"]), source(&target["source"]))?;
                write!(f, " enabled={} {}", or("Enabled", true.into()), text(&settings["StartingPosition"]))?;
                write!(f, " batch={}", or("BatchSize", 100.into()))?;
                write!(f, " window={}", or("MaximumBatchingWindowInSeconds", 0.into()))?;
                write!(f, " parallel={}", or("ParallelizationFactor", 1.into()))?;
                write!(f, " bisect={}", or("BisectBatchOnFunctionError", false.into()))?;
                write!(f, " age={}", or("MaximumRecordAgeInSeconds", (-1).into()))?;
                write!(f, " retries={}", or("MaximumRetryAttempts", (-1).into()))?;
                write!(f, " responses={}", or("FunctionResponseTypes", Value::Array(Vec::new())))
            }
            "UpdateEventSourceMapping" => {
                let enabled = &target["settings"]["Enabled"];
                write!(f, " {} <- {} enabled={enabled}", text(&target["function"]), source(&target["source"]))
            }
            "DeleteEventSourceMapping" => {
                write!(f, " {} <- {}", text(&target["function"]), source(&target["source"]))
            }
            "UpdateFunctionConfiguration" => write!(f, " {}", text(&target["function"])),
            _ => write!(f, " {target}"),
        }
    }
}
