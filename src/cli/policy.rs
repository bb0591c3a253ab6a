//! `kdsha policy`: the least IAM policy for this configuration.

use super::failure::Failure;
use crate::config::{Pipeline, Topology};
use crate::model::{Exit, Side};
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

/// Names of resources, for both Regions.
#[derive(Default)]
struct Resources {
    streams: BTreeSet<String>,
    functions: BTreeSet<String>,
    producers: BTreeSet<String>,
    tables: BTreeSet<String>,
}

impl Resources {
    fn of(topology: &Topology, account: &str) -> Resources {
        let mut all = Resources::default();
        for pipeline in &topology.pipelines {
            for side in [Side::Primary, Side::Standby] {
                all.add(topology, account, pipeline, side);
            }
            for producer in &pipeline.producers {
                let region = topology.regions.of(producer.side);
                all.producers
                    .insert(format!("arn:aws:lambda:{region}:{account}:function:{}", producer.function));
            }
            if let Some(replicator) = &pipeline.replicator {
                let region = &topology.regions.primary;
                all.functions
                    .insert(format!("arn:aws:lambda:{region}:{account}:function:{}", replicator.function));
            }
        }
        all
    }

    fn add(&mut self, topology: &Topology, account: &str, pipeline: &Pipeline, side: Side) {
        let region = topology.regions.of(side);
        self.streams
            .insert(format!("arn:aws:kinesis:{region}:{account}:stream/{}", pipeline.stream.of(side)));
        let function = pipeline.consumer.function.of(side);
        self.functions.insert(format!("arn:aws:lambda:{region}:{account}:function:{function}"));
        if let Some(sink) = &pipeline.sink {
            self.tables.insert(format!("arn:aws:dynamodb:{region}:{account}:table/{}", sink.table));
        }
    }
}

fn allow(sid: &str, actions: &[&str], resources: Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources})
}

/// The policy document. Actions whose resource cannot be narrowed, by the Service Authorization Reference, have `*`.
pub fn policy(topology: &Topology) -> Value {
    let account = topology.account.as_ref().map_or("*", |a| a.as_str());
    let all = Resources::of(topology, account);
    let aliased = topology.pipelines.iter().flat_map(|p| &p.producers).any(|p| p.alias.is_some());
    let read: BTreeSet<&String> = all.functions.union(&all.producers).collect();
    let mut statements = vec![
        allow(
            "LookAround",
            &[
                "cloudwatch:GetMetricData",
                "lambda:GetAccountSettings",
                "lambda:GetEventSourceMapping",
                "lambda:ListEventSourceMappings",
                "sts:GetCallerIdentity",
            ],
            json!("*"),
        ),
        allow("ReadFunctions", &["lambda:GetFunction", "lambda:ListTags"], json!(read)),
        allow(
            "ReadStreams",
            &[
                "kinesis:DescribeStreamSummary",
                "kinesis:GetRecords",
                "kinesis:GetShardIterator",
                "kinesis:ListShards",
                "kinesis:ListStreamConsumers",
                "kinesis:ListTagsForStream",
            ],
            json!(all.streams),
        ),
        allow("MarkTheRun", &["kinesis:AddTagsToStream"], json!(all.streams)),
        allow("SwitchProducers", &["lambda:UpdateFunctionConfiguration"], json!(all.producers)),
    ];
    if aliased {
        let actions = [
            "lambda:GetAlias",
            "lambda:ListVersionsByFunction",
            "lambda:PublishVersion",
            "lambda:UpdateAlias",
        ];
        let qualified: Vec<String> =
            all.producers.iter().flat_map(|p| [p.clone(), format!("{p}:*")]).collect();
        statements.push(allow("MoveAliases", &actions, json!(qualified)));
    }
    // These act on mappings, whose ids are not known beforehand; the condition narrows them to the functions.
    let mut mappings = allow(
        "MoveMappings",
        &[
            "lambda:CreateEventSourceMapping",
            "lambda:DeleteEventSourceMapping",
            "lambda:UpdateEventSourceMapping",
        ],
        json!("*"),
    );
    mappings["Condition"] = json!({"ArnLike": {"lambda:FunctionArn": all.functions}});
    statements.push(mappings);
    if !all.tables.is_empty() {
        statements.push(allow("ReadSinks", &["dynamodb:Scan"], json!(all.tables)));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
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
