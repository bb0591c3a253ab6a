//! Kinesis: shard-level metrics, which are off until a client turns them on (Kinesis API reference,
//! EnableEnhancedMonitoring). Of their series the world plays `IteratorAgeMilliseconds`.

use super::super::streams::StreamId;
use super::kinesis::invalid;
use super::{At, Input, World};
use crate::sandbox::call::{ApiReply, ApiResult};
use serde_json::json;
use std::collections::BTreeSet;

/// What `ALL` stands for.
const NAMES: [&str; 7] = [
    "IncomingBytes",
    "IncomingRecords",
    "IteratorAgeMilliseconds",
    "OutgoingBytes",
    "OutgoingRecords",
    "ReadProvisionedThroughputExceeded",
    "WriteProvisionedThroughputExceeded",
];

impl World {
    pub(super) fn enable_enhanced_monitoring(&mut self, at: At, input: Input) -> ApiResult {
        self.change_monitoring(at, input, |now, named| now.union(&named).cloned().collect())
    }

    pub(super) fn disable_enhanced_monitoring(&mut self, at: At, input: Input) -> ApiResult {
        self.change_monitoring(at, input, |now, named| now.difference(&named).cloned().collect())
    }

    fn change_monitoring(
        &mut self,
        at: At,
        input: Input,
        change: impl Fn(&BTreeSet<String>, BTreeSet<String>) -> BTreeSet<String>,
    ) -> ApiResult {
        let StreamId(index) = self.stream_of(at, input)?;
        let named = named(input)?;
        let stream = &mut self.streams[index];
        let before = stream.shard_metrics.clone();
        stream.shard_metrics = change(&before, named);
        Ok(ApiReply::ok(json!({
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "CurrentShardLevelMetrics": before,
            "DesiredShardLevelMetrics": stream.shard_metrics,
        })))
    }
}

fn named(input: Input) -> Result<BTreeSet<String>, crate::sandbox::call::ApiError> {
    let asked: Vec<&str> = input.list("ShardLevelMetrics").iter().filter_map(|name| name.as_str()).collect();
    if asked.is_empty() {
        return Err(invalid("ShardLevelMetrics must name at least one metric."));
    }
    if asked.contains(&"ALL") {
        return Ok(NAMES.map(str::to_owned).into());
    }
    match asked.iter().find(|name| !NAMES.contains(name)) {
        Some(unknown) => Err(invalid(format!("{unknown} is not a shard-level metric."))),
        None => Ok(asked.into_iter().map(str::to_owned).collect()),
    }
}
