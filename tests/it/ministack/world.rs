//! Both Regions as boto3 sees them, and what has changed between two looks.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The primary Region.
pub const PRIMARY: &str = "us-west-2";
/// The standby Region.
pub const STANDBY: &str = "us-east-2";
/// The consumer's mapping.
pub const CONSUMER: &str = "KDS-HA-ConsumerLambda <- KDS-HA-Stream";
/// The replicator's mapping.
pub const REPLICATOR: &str =
    "KDS-HA-ReplicationAgentLambda <- KDS-HA-Stream/consumer/KDS-HA-Stream-EFO-Consumer";
/// The producer.
pub const PRODUCER: &str = "KDS-HA-ProducerLambda";
/// The variable that says where it writes.
const REGION_VARIABLE: &str = "PRODUCING_TO_REGION";
/// What Lambda changes in a mapping by itself when its state changes, and what kdsha asks it to count.
const OF_A_STATE: [&str; 3] = ["LastModified", "StateTransitionReason", "State"];

/// A look at both Regions, from `rig/world.py`.
#[derive(Debug, Clone)]
pub struct World(pub Value);

/// Every leaf that differs, by its path, with the value before and after.
type Changes = BTreeMap<String, String>;

fn compare(path: &str, before: &Value, after: &Value, changes: &mut Changes) {
    let empty = Map::new();
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for key in before.keys().chain(after.keys()) {
                let part = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                compare(&format!("{path}/{key}"), &part(before), &part(after), changes);
            }
        }
        (Value::Null, Value::Object(after)) if !after.is_empty() => {
            compare(path, &Value::Object(empty), &Value::Object(after.clone()), changes);
        }
        (Value::Object(before), Value::Null) if !before.is_empty() => {
            compare(path, &Value::Object(before.clone()), &Value::Object(empty), changes);
        }
        _ if before == after => {}
        _ => {
            changes.insert(path.to_owned(), format!("{before} -> {after}"));
        }
    }
}

impl World {
    /// What differs in a later look.
    pub fn changes(&self, later: &World) -> Changes {
        let mut changes = Changes::new();
        compare("", &self.0, &later.0, &mut changes);
        changes
    }

    fn at(&self, path: &[&str]) -> &Value {
        path.iter().fold(&self.0, |value, key| &value[*key])
    }

    /// A mapping; `Null` when there is none.
    pub fn mapping(&self, region: &str, name: &str) -> &Value {
        self.at(&[region, "mappings", name])
    }

    /// The producer's environment.
    pub fn environment(&self) -> &Map<String, Value> {
        self.at(&[PRIMARY, "functions", PRODUCER, "environment"]).as_object().expect("an environment")
    }

    /// Where the producer writes.
    pub fn active(&self) -> &str {
        self.environment()[REGION_VARIABLE].as_str().expect("a Region")
    }

    /// Nothing but what a run may touch differs from an earlier look: the producer's two variables (with what Lambda
    /// stamps on the function), the states of the two mappings, the standby's mapping, kdsha's own tags.
    pub fn assert_only_the_pipeline_changed(&self, before: &World) {
        let producer = format!("/{PRIMARY}/functions/{PRODUCER}");
        let mut allowed = vec![
            format!("{producer}/environment/{REGION_VARIABLE}"),
            format!("{producer}/last_modified"),
            format!("{producer}/revision"),
            format!("/{STANDBY}/mappings/{CONSUMER}"),
            format!("/{STANDBY}/streams/KDS-HA-Stream/tags/kdsha:"),
        ];
        for mapping in [CONSUMER, REPLICATOR] {
            allowed.extend(OF_A_STATE.iter().map(|key| format!("/{PRIMARY}/mappings/{mapping}/{key}")));
        }
        let changes = before.changes(self);
        let others: Changes = changes
            .into_iter()
            .filter(|(path, _)| !allowed.iter().any(|a| path.starts_with(a.as_str())))
            .collect();
        assert!(others.is_empty(), "changed, though no run may: {others:#?}");
    }

    /// The mark on the standby's stream says that no run is under way.
    fn assert_run_is_closed(&self) {
        let tags = self.at(&[STANDBY, "streams", "KDS-HA-Stream", "tags"]);
        assert_eq!(tags["kdsha:state"], "closed", "{tags}");
        assert_eq!(tags["team"], "markets", "a tag of the owner is gone: {tags}");
    }

    fn assert_state(&self, region: &str, mapping: &str, state: &str) {
        assert_eq!(self.mapping(region, mapping)["State"], state, "{mapping} in {region}");
    }

    /// Failed over, cold: the producer writes to the standby, whose consumer runs from a point in time, with all the
    /// settings of the primary's; the primary's two readers are stopped and keep their checkpoints.
    pub fn assert_failed_over(&self, before: &World) {
        self.assert_only_the_pipeline_changed(before);
        assert_eq!(self.active(), STANDBY);
        self.assert_state(PRIMARY, CONSUMER, "Disabled");
        self.assert_state(PRIMARY, REPLICATOR, "Disabled");
        self.assert_state(STANDBY, CONSUMER, "Enabled");
        self.assert_run_is_closed();
        let (original, clone) = (before.mapping(PRIMARY, CONSUMER), self.mapping(STANDBY, CONSUMER));
        for setting in [
            "BatchSize",
            "MaximumBatchingWindowInSeconds",
            "ParallelizationFactor",
            "BisectBatchOnFunctionError",
            "MaximumRetryAttempts",
            "MaximumRecordAgeInSeconds",
            "FunctionResponseTypes",
            "TumblingWindowInSeconds",
        ] {
            assert_eq!(clone[setting], original[setting], "{setting} of the standby's mapping");
        }
        assert_eq!(clone["StartingPosition"], "AT_TIMESTAMP");
        let at = clone["StartingPositionTimestamp"].as_f64().expect("a time");
        assert!((at - at.floor()).abs() < f64::EPSILON, "Lambda documents whole seconds, not {at}");
        let switched = self.mapping(PRIMARY, CONSUMER)["LastModified"].as_f64().expect("a time");
        assert!(at < switched, "it starts at {at}, after the primary's consumer was stopped at {switched}");
    }

    /// Failed back, cold: as before the failover, with the very mappings that were there then.
    pub fn assert_home(&self, before: &World) {
        self.assert_only_the_pipeline_changed(before);
        assert_eq!(self.environment(), before.environment());
        self.assert_state(PRIMARY, CONSUMER, "Enabled");
        self.assert_state(PRIMARY, REPLICATOR, "Enabled");
        assert!(self.mapping(STANDBY, CONSUMER).is_null(), "the standby's consumer is to be gone");
        self.assert_run_is_closed();
    }

    /// A warm pipeline on either side: all readers run, and their mappings were not touched at all.
    pub fn assert_warm(&self, before: &World, active: &str) {
        self.assert_only_the_pipeline_changed(before);
        assert_eq!(self.active(), active);
        for (region, name) in [(PRIMARY, CONSUMER), (PRIMARY, REPLICATOR), (STANDBY, CONSUMER)] {
            assert_eq!(self.mapping(region, name), before.mapping(region, name), "{name} in {region}");
        }
        self.assert_run_is_closed();
    }
}
