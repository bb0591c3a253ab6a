//! Streams as Kinesis plays them.

use super::{EAST, Play, WEST};
use crate::sandbox::call::Service;
use crate::sandbox::world::Story;
use serde_json::{Value, json};

fn with_stream(shards: u32) -> Play {
    let mut play = Play::empty();
    play.kinesis(WEST, "CreateStream", json!({ "StreamName": "S", "ShardCount": shards }));
    play.wait(11);
    play
}

fn put(play: &mut Play, key: &str) -> Value {
    play.kinesis(WEST, "PutRecord", json!({ "StreamName": "S", "Data": "aGk=", "PartitionKey": key }))
}

fn iterator(play: &mut Play, mut input: Value) -> String {
    input["StreamName"] = json!("S");
    input["ShardId"] = json!("shardId-000000000000");
    let answer = play.kinesis(WEST, "GetShardIterator", input);
    answer["ShardIterator"].as_str().expect("an iterator").to_owned()
}

fn read(play: &mut Play, input: Value) -> Vec<Value> {
    play.wait(1);
    let iterator = iterator(play, input);
    let answer = play.kinesis(WEST, "GetRecords", json!({ "ShardIterator": iterator }));
    answer["Records"].as_array().expect("a list").clone()
}

#[test]
fn a_new_stream_is_creating_before_it_is_active() {
    let mut play = Play::empty();
    play.kinesis(WEST, "CreateStream", json!({ "StreamName": "S", "ShardCount": 1 }));
    let status = |play: &mut Play| {
        play.kinesis(WEST, "DescribeStreamSummary", json!({ "StreamName": "S" }))["StreamDescriptionSummary"]
            ["StreamStatus"]
            .clone()
    };
    assert_eq!(status(&mut play), "CREATING");
    play.wait(11);
    assert_eq!(status(&mut play), "ACTIVE");
    let by_arn = json!({ "StreamARN": "arn:aws:kinesis:us-west-2:123456789012:stream/S" });
    assert_eq!(
        play.kinesis(WEST, "DescribeStream", by_arn)["StreamDescription"]["Shards"].as_array().map(Vec::len),
        Some(1)
    );
    play.kinesis(WEST, "DeleteStream", json!({ "StreamName": "S" }));
    assert_eq!(status(&mut play), "DELETING");
    play.wait(11);
    let gone = play.refused(Service::Kinesis, WEST, "DescribeStreamSummary", json!({ "StreamName": "S" }));
    assert_eq!(gone.code, "ResourceNotFoundException");
}

#[test]
fn an_arn_of_another_region_is_not_found() {
    let mut play = with_stream(1);
    let arn = json!({ "StreamARN": "arn:aws:kinesis:us-west-2:123456789012:stream/S" });
    assert_eq!(play.refused(Service::Kinesis, EAST, "DescribeStream", arn).code, "ResourceNotFoundException");
}

#[test]
fn keys_go_to_shards_by_the_range_of_their_md5() {
    let mut play = with_stream(4);
    let shards = play.kinesis(WEST, "ListShards", json!({ "StreamName": "S" }))["Shards"].clone();
    assert_eq!(shards[1]["HashKeyRange"]["StartingHashKey"], "85070591730234615865843651857942052864");
    assert_eq!(shards[3]["HashKeyRange"]["EndingHashKey"], u128::MAX.to_string());
    let low = json!({ "StreamName": "S", "Data": "aGk=", "PartitionKey": "k", "ExplicitHashKey": "0" });
    assert_eq!(play.kinesis(WEST, "PutRecord", low)["ShardId"], "shardId-000000000000");
    let high = json!({ "StreamName": "S", "Data": "aGk=", "PartitionKey": "k", "ExplicitHashKey": u128::MAX.to_string() });
    assert_eq!(play.kinesis(WEST, "PutRecord", high)["ShardId"], "shardId-000000000003");
    assert_eq!(put(&mut play, "same")["ShardId"], put(&mut play, "same")["ShardId"]);
}

#[test]
fn every_kind_of_iterator_reads_from_its_place() {
    let mut play = with_stream(1);
    let first = put(&mut play, "a")["SequenceNumber"].clone();
    play.wait(10);
    let between = play.world.now().as_second();
    play.wait(10);
    put(&mut play, "b");
    let count = |play: &mut Play, input: Value| read(play, input).len();
    assert_eq!(count(&mut play, json!({ "ShardIteratorType": "TRIM_HORIZON" })), 2);
    assert_eq!(count(&mut play, json!({ "ShardIteratorType": "LATEST" })), 0);
    assert_eq!(
        count(
            &mut play,
            json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": first })
        ),
        2
    );
    assert_eq!(
        count(
            &mut play,
            json!({ "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": first })
        ),
        1
    );
    assert_eq!(count(&mut play, json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": between })), 1);
    let records = read(&mut play, json!({ "ShardIteratorType": "TRIM_HORIZON" }));
    assert_eq!((&records[0]["Data"], &records[0]["PartitionKey"]), (&json!("aGk="), &json!("a")));
    assert_eq!(records[0]["SequenceNumber"].as_str().map(str::len), Some(56));
}

#[test]
fn a_timestamp_in_the_future_is_refused_with_the_servers_time() {
    let mut play = with_stream(1);
    let now = play.world.now().as_millisecond();
    let input = json!({
        "StreamName": "S", "ShardId": "shardId-000000000000", "ShardIteratorType": "AT_TIMESTAMP",
        "Timestamp": (now + 1_000) as f64 / 1_000.0,
    });
    let error = play.refused(Service::Kinesis, WEST, "GetShardIterator", input);
    assert_eq!(error.code, "InvalidArgumentException");
    assert_eq!(
        error.message,
        format!(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
             timestampInMillis: {}, currentTimestampInMillis: {now}",
            now + 1_000
        )
    );
}

#[test]
fn a_timestamp_before_the_horizon_is_silently_the_horizon() {
    let mut play = with_stream(1);
    put(&mut play, "old");
    play.wait(25 * 3_600);
    put(&mut play, "new");
    let records = read(&mut play, json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1_000_000 }));
    assert_eq!(records.len(), 1, "retention has taken the old one");
    assert_eq!(records[0]["PartitionKey"], "new");
}

#[test]
fn retention_can_grow_but_what_expired_does_not_come_back() {
    let mut play = with_stream(1);
    put(&mut play, "old");
    play.wait(25 * 3_600);
    play.kinesis(
        WEST,
        "IncreaseStreamRetentionPeriod",
        json!({ "StreamName": "S", "RetentionPeriodHours": 48 }),
    );
    assert!(read(&mut play, json!({ "ShardIteratorType": "TRIM_HORIZON" })).is_empty());
    put(&mut play, "kept");
    play.wait(25 * 3_600);
    assert_eq!(read(&mut play, json!({ "ShardIteratorType": "TRIM_HORIZON" })).len(), 1);
}

#[test]
fn reading_says_how_far_behind_it_is_and_where_to_go_on() {
    let mut play = with_stream(1);
    put(&mut play, "a");
    play.wait(5);
    put(&mut play, "b");
    play.wait(2);
    let iterator = iterator(&mut play, json!({ "ShardIteratorType": "TRIM_HORIZON" }));
    let first = play.kinesis(WEST, "GetRecords", json!({ "ShardIterator": iterator, "Limit": 1 }));
    assert_eq!(first["MillisBehindLatest"], 2_000);
    let second = play.kinesis(WEST, "GetRecords", json!({ "ShardIterator": first["NextShardIterator"] }));
    assert_eq!(
        (&second["Records"][0]["PartitionKey"], &second["MillisBehindLatest"]),
        (&json!("b"), &json!(0))
    );
    play.wait(301);
    let late = play.refused(Service::Kinesis, WEST, "GetRecords", json!({ "ShardIterator": iterator }));
    assert_eq!(late.code, "ExpiredIteratorException");
}

#[test]
fn a_shard_answers_five_reads_a_second() {
    let mut play = with_stream(1);
    let iterator = iterator(&mut play, json!({ "ShardIteratorType": "TRIM_HORIZON" }));
    for _ in 0..5 {
        play.kinesis(WEST, "GetRecords", json!({ "ShardIterator": iterator }));
    }
    let error = play.refused(Service::Kinesis, WEST, "GetRecords", json!({ "ShardIterator": iterator }));
    assert_eq!(error.code, "ProvisionedThroughputExceededException");
    play.wait(1);
    play.kinesis(WEST, "GetRecords", json!({ "ShardIterator": iterator }));
}

#[test]
fn put_records_may_fail_in_part_with_a_200() {
    let mut play = with_stream(1);
    let record = json!({ "Data": "aGk=", "PartitionKey": "k" });
    let records = json!({ "StreamName": "S", "Records": vec![record; 500] });
    assert_eq!(play.kinesis(WEST, "PutRecords", records.clone())["FailedRecordCount"], 0);
    assert_eq!(play.kinesis(WEST, "PutRecords", records.clone())["FailedRecordCount"], 0);
    let third = play.kinesis(WEST, "PutRecords", records);
    assert_eq!(third["FailedRecordCount"], 500, "1,000 records a second and shard");
    assert_eq!(third["Records"][0]["ErrorCode"], "ProvisionedThroughputExceededException");
}

#[test]
fn shards_are_listed_in_pages() {
    let mut play = with_stream(3);
    let page = play.kinesis(
        WEST,
        "ListShards",
        json!({ "StreamName": "S", "MaxResults": 2, "ShardFilter": { "Type": "AT_LATEST" } }),
    );
    assert_eq!(page["Shards"].as_array().map(Vec::len), Some(2));
    let rest = play.kinesis(WEST, "ListShards", json!({ "NextToken": page["NextToken"] }));
    assert_eq!(rest["Shards"][0]["ShardId"], "shardId-000000000002");
    assert!(rest.get("NextToken").is_none());
}

#[test]
fn a_consumer_registered_anew_has_another_arn() {
    let mut play = with_stream(1);
    let input =
        json!({ "StreamARN": "arn:aws:kinesis:us-west-2:123456789012:stream/S", "ConsumerName": "C" });
    let first = play.kinesis(WEST, "RegisterStreamConsumer", input.clone())["Consumer"].clone();
    assert_eq!(first["ConsumerStatus"], "CREATING");
    let again = play.refused(Service::Kinesis, WEST, "RegisterStreamConsumer", input.clone());
    assert_eq!(again.code, "ResourceInUseException");
    play.wait(11);
    let arn = json!({ "ConsumerARN": first["ConsumerARN"] });
    let described = play.kinesis(WEST, "DescribeStreamConsumer", arn.clone());
    assert_eq!(described["ConsumerDescription"]["ConsumerStatus"], "ACTIVE");
    play.kinesis(WEST, "DeregisterStreamConsumer", arn);
    play.wait(11);
    let listed = play.kinesis(WEST, "ListStreamConsumers", json!({ "StreamARN": input["StreamARN"] }));
    assert_eq!(listed["Consumers"], json!([]));
    let second = play.kinesis(WEST, "RegisterStreamConsumer", input)["Consumer"].clone();
    assert_ne!(first["ConsumerARN"], second["ConsumerARN"]);
}

#[test]
fn tags_are_added_listed_and_removed() {
    let mut play = with_stream(1);
    play.kinesis(
        WEST,
        "AddTagsToStream",
        json!({ "StreamName": "S", "Tags": { "kdsha:run": "r", "team": "x" } }),
    );
    play.kinesis(WEST, "RemoveTagsFromStream", json!({ "StreamName": "S", "TagKeys": ["team"] }));
    let tags = play.kinesis(WEST, "ListTagsForStream", json!({ "StreamName": "S" }));
    assert_eq!(tags, json!({ "Tags": [{ "Key": "kdsha:run", "Value": "r" }], "HasMoreTags": false }));
}

#[test]
fn a_copy_of_a_record_counts_as_the_same_record() {
    let mut play = Play::of_the_post(&Story::default());
    let iterator = json!({ "StreamName": Story::STREAM, "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON" });
    let iterator = play.kinesis(WEST, "GetShardIterator", iterator)["ShardIterator"].clone();
    let record =
        play.kinesis(WEST, "GetRecords", json!({ "ShardIterator": iterator, "Limit": 1 }))["Records"][0]
            .clone();
    let before = play.ledger().put;
    play.kinesis(
        EAST,
        "PutRecord",
        json!({ "StreamName": Story::STREAM, "Data": record["Data"], "PartitionKey": "copy" }),
    );
    assert_eq!(play.ledger().put, before);
}

/// The shards, as ListShards shows them with this filter.
fn shards(play: &mut Play, filter: Value) -> Vec<(String, Vec<String>, bool)> {
    let input = json!({ "StreamName": Story::STREAM, "ShardFilter": filter });
    let listed = play.call(Service::Kinesis, WEST, "ListShards", input);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let one = |shard: &Value| {
        let parents = [text(&shard["ParentShardId"]), text(&shard["AdjacentParentShardId"])];
        let is_closed = !shard["SequenceNumberRange"]["EndingSequenceNumber"].is_null();
        (text(&shard["ShardId"]).unwrap_or_default(), parents.into_iter().flatten().collect(), is_closed)
    };
    listed["Shards"].as_array().expect("shards").iter().map(one).collect()
}

#[test]
fn shards_are_split_and_merged_and_read_parents_first() {
    let story = Story { shards: 2, ..Story::default() };
    let mut play = Play::of_the_post(&story);
    let middle = (u128::MAX / 4).to_string();
    let split = json!({ "StreamName": Story::STREAM, "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": middle });
    play.call(Service::Kinesis, WEST, "SplitShard", split.clone());
    let busy = play.refused(Service::Kinesis, WEST, "SplitShard", split);
    assert_eq!(busy.code, "ResourceInUseException");
    play.wait(60);
    let open = shards(&mut play, json!({ "Type": "AT_LATEST" }));
    assert_eq!(
        open.iter().map(|s| s.0.as_str()).collect::<Vec<_>>(),
        ["shardId-000000000001", "shardId-000000000002", "shardId-000000000003"]
    );
    assert_eq!(open[1].1, ["shardId-000000000000"]);
    let all = shards(&mut play, json!({ "Type": "FROM_TRIM_HORIZON" }));
    assert!(all.len() == 4 && all[0].2, "the closed one can still be read: {all:?}");
    let merge = json!({ "StreamName": Story::STREAM, "ShardToMerge": "shardId-000000000002", "AdjacentShardToMerge": "shardId-000000000003" });
    play.call(Service::Kinesis, WEST, "MergeShards", merge);
    play.wait(60);
    let scaled =
        json!({ "StreamName": Story::STREAM, "TargetShardCount": 3, "ScalingType": "UNIFORM_SCALING" });
    let answer = play.call(Service::Kinesis, WEST, "UpdateShardCount", scaled);
    assert_eq!((&answer["CurrentShardCount"], &answer["TargetShardCount"]), (&json!(2), &json!(3)));
    play.wait(60);
    assert_eq!(shards(&mut play, json!({ "Type": "AT_LATEST" })).len(), 3);
    play.wait(120);
    let ledger = play.ledger();
    assert!(ledger.lost == 0 && ledger.duplicates == 0 && ledger.pending < 100, "{ledger:?}");
}

#[test]
fn behind_the_end_of_a_closed_shard_are_its_children() {
    let mut play = Play::of_the_post(&Story { shards: 1, ..Story::default() });
    let input = json!({ "StreamName": Story::STREAM, "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST" });
    let at = play.call(Service::Kinesis, WEST, "GetShardIterator", input)["ShardIterator"].clone();
    let scaled =
        json!({ "StreamName": Story::STREAM, "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" });
    play.call(Service::Kinesis, WEST, "UpdateShardCount", scaled);
    play.wait(60);
    let read = play.call(Service::Kinesis, WEST, "GetRecords", json!({ "ShardIterator": at }));
    assert!(read["NextShardIterator"].is_null(), "{read}");
    assert_eq!(read["ChildShards"].as_array().map(Vec::len), Some(2), "{read}");
}
