//! `kdsha policy`: the least IAM policy for this configuration.

use super::failure::Failure;
use crate::config::{Pipeline, StandbyMode, Topology};
use crate::model::{Exit, FunctionName, Region, Side, StreamName};
use crate::ui::{Format, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Prints the policy.
///
/// # Errors
/// Never; for symmetry with the other commands.
pub fn run(ui: &Ui, topology: &Topology) -> Result<Exit, Failure> {
    let impossible =
        |e: serde_json::Error| Failure::new(Exit::Internal, format!("the policy cannot be written: {e}"));
    let policy: Policy = serde_json::from_value(policy(topology)).map_err(impossible)?;
    match ui.settings().format {
        Format::Json => ui.document("kdsha.policy/1", &Document { policy }),
        // Alone, as IAM takes it.
        Format::Human => ui.raw(&format!("{}\n", serde_json::to_string_pretty(&policy).map_err(impossible)?)),
    }
    Ok(Exit::Done)
}

/// `kdsha.policy/1`: IAM allows no key of ours inside of its own.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Document {
    /// What IAM takes.
    policy: Policy,
}

/// An IAM policy, its parts in the order in which people write them.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Policy {
    /// Of the policy language.
    version: String,
    /// What is allowed.
    statement: Vec<Statement>,
}

/// A statement.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    /// Its name.
    sid: String,
    /// `Allow`.
    effect: String,
    /// Actions.
    action: Vec<String>,
    /// `*`, or a list of ARNs.
    resource: Value,
    /// What narrows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

/// What a policy names, each thing once: the configuration of every pipeline decides what kdsha does to it.
#[derive(Default)]
struct Resources {
    streams: BTreeSet<String>,
    /// Streams that are read until nothing arrives any more.
    probed: BTreeSet<String>,
    /// Streams that carry a run mark.
    marked: BTreeSet<String>,
    /// Streams that something reads through enhanced fan-out.
    fanned_out: BTreeSet<String>,
    functions: BTreeSet<String>,
    /// Functions whose mappings are moved.
    readers: BTreeSet<String>,
    producers: BTreeSet<String>,
    /// Producers that are invoked through an alias.
    aliased: BTreeSet<String>,
    /// Producers that are not, as the configuration says: they are asked whether they have one.
    unaliased: BTreeSet<String>,
    tables: BTreeSet<String>,
}

/// The ARNs of one account and Region.
struct Place<'a> {
    region: &'a Region,
    account: &'a str,
}

impl Place<'_> {
    fn function(&self, name: &FunctionName) -> String {
        format!("arn:aws:lambda:{}:{}:function:{name}", self.region, self.account)
    }
    fn stream(&self, name: &StreamName) -> String {
        format!("arn:aws:kinesis:{}:{}:stream/{name}", self.region, self.account)
    }
    fn table(&self, name: &str) -> String {
        format!("arn:aws:dynamodb:{}:{}:table/{name}", self.region, self.account)
    }
}

impl Resources {
    fn of(topology: &Topology, account: &str) -> Resources {
        let mut all = Resources::default();
        for pipeline in &topology.pipelines {
            for side in [Side::Primary, Side::Standby] {
                all.add(pipeline, side, &Place { region: topology.regions.of(side), account });
            }
        }
        all
    }

    fn add(&mut self, pipeline: &Pipeline, side: Side, place: &Place<'_>) {
        let stream = place.stream(pipeline.stream.of(side));
        // Where both consumers run all the time, nobody's mapping is moved, and the standby's stream is left as it is.
        let is_moved = pipeline.standby == StandbyMode::Cold;
        let replicator = pipeline.replicator.as_ref().filter(|_| side == Side::Primary);
        let mut readers = vec![place.function(pipeline.consumer.function.of(side))];
        readers.extend(replicator.map(|replicator| place.function(&replicator.function)));
        if is_moved {
            self.readers.extend(readers.iter().cloned());
        }
        self.functions.extend(readers);
        let fan_outs =
            [&pipeline.consumer.stream_consumer, &replicator.and_then(|r| r.stream_consumer.clone())];
        if fan_outs.into_iter().any(Option::is_some) {
            self.fanned_out.insert(stream.clone());
        }
        if side == Side::Standby {
            self.marked.insert(stream.clone());
        }
        if is_moved || side == Side::Primary {
            self.probed.insert(stream.clone());
        }
        self.streams.insert(stream);
        for producer in pipeline.producers.iter().filter(|producer| producer.side == side) {
            let arn = place.function(&producer.function);
            match producer.alias.is_some() {
                true => self.aliased.insert(arn.clone()),
                false => self.unaliased.insert(arn.clone()),
            };
            self.functions.insert(arn.clone());
            self.producers.insert(arn);
        }
        self.tables.extend(pipeline.sink.iter().map(|sink| place.table(&sink.table)));
    }
}

/// The versions and aliases of functions.
fn qualified(functions: &BTreeSet<String>) -> BTreeSet<String> {
    functions.iter().map(|arn| format!("{arn}:*")).collect()
}

/// A statement, where there is something that it is about.
fn allow(sid: &str, actions: &[&str], resources: &BTreeSet<String>) -> Option<Value> {
    let statement = || json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources});
    (!resources.is_empty()).then(statement)
}

/// The policy document. Actions whose resource cannot be narrowed, by the Service Authorization Reference, have `*`.
pub fn policy(topology: &Topology) -> Value {
    let account = topology.account.as_ref().map_or("*", |a| a.as_str());
    let all = Resources::of(topology, account);
    let look_around = [
        "cloudwatch:GetMetricData",
        "lambda:GetAccountSettings",
        "lambda:GetEventSourceMapping",
        "lambda:ListEventSourceMappings",
        "sts:GetCallerIdentity",
    ];
    let aliases = ["lambda:ListVersionsByFunction", "lambda:PublishVersion", "lambda:UpdateAlias"];
    // A producer behind an alias, named or not, is read as its versions show it.
    let read: BTreeSet<String> = all.functions.union(&qualified(&all.producers)).cloned().collect();
    let qualified: BTreeSet<String> = all.aliased.union(&qualified(&all.aliased)).cloned().collect();
    let statements = [
        Some(json!({"Sid": "LookAround", "Effect": "Allow", "Action": look_around, "Resource": "*"})),
        allow("ReadFunctions", &["lambda:GetFunction", "lambda:ListTags"], &read),
        allow("ReadStreams", &["kinesis:DescribeStreamSummary", "kinesis:ListShards"], &all.streams),
        allow("ReadArrivals", &["kinesis:GetRecords", "kinesis:GetShardIterator"], &all.probed),
        allow("ReadFanOut", &["kinesis:ListStreamConsumers"], &all.fanned_out),
        allow("ReadMarks", &["kinesis:ListTagsForStream"], &all.marked),
        allow("ReadAliases", &["lambda:GetAlias"], &qualified),
        allow("FindAliases", &["lambda:ListAliases"], &all.unaliased),
        allow("MarkTheRun", &["kinesis:AddTagsToStream"], &all.marked),
        allow("SwitchProducers", &["lambda:UpdateFunctionConfiguration"], &all.producers),
        allow("MoveAliases", &aliases, &qualified),
        move_mappings(&all.readers),
        allow("ReadSinks", &["dynamodb:Scan"], &all.tables),
    ];
    let statements: Vec<Value> = statements.into_iter().flatten().collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// These act on mappings, whose ids are not known beforehand; the condition narrows them to the functions.
fn move_mappings(readers: &BTreeSet<String>) -> Option<Value> {
    let actions = [
        "lambda:CreateEventSourceMapping",
        "lambda:DeleteEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
    ];
    let statement = || {
        json!({
            "Sid": "MoveMappings", "Effect": "Allow", "Action": actions, "Resource": "*",
            "Condition": {"ArnLike": {"lambda:FunctionArn": readers}},
        })
    };
    (!readers.is_empty()).then(statement)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// What is printed is what was made, in the order in which people write it.
    #[test]
    fn the_parts_of_a_policy_are_in_their_usual_order() {
        let topology = crate::config::parse(crate::config::THE_POST, Path::new("kdsha.toml")).expect("valid");
        let made = policy(&topology);
        let typed: Policy = serde_json::from_value(made.clone()).expect("a policy");
        let printed = serde_json::to_string(&typed).expect("JSON");
        assert_eq!(serde_json::from_str::<Value>(&printed).expect("JSON"), made);
        let place = |key: &str| printed.find(&format!("\"{key}\":")).expect(key);
        let keys = ["Version", "Statement", "Sid", "Effect", "Action", "Resource"];
        assert!(keys.is_sorted_by_key(|key| place(key)), "{printed}");
    }
}
