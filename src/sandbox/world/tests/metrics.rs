//! Metrics that follow from what happens.

use super::{EAST, Play, WEST};
use crate::sandbox::call::Service;
use crate::sandbox::world::Story;
use serde_json::{Value, json};

#[test]
fn the_story_begins_with_a_history() {
    let mut play = Play::of_the_post(&Story::default());
    let incoming = play.stream_points(WEST, "IncomingRecords", "Sum", 30);
    assert!(incoming.len() >= 28, "{}", incoming.len());
    assert!(incoming.iter().all(|p| (1_100.0..1_300.0).contains(&p.1)), "{incoming:?}");
    let ages = play.stream_points(WEST, "GetRecords.IteratorAgeMilliseconds", "Maximum", 30);
    assert!(ages.iter().all(|p| p.1 < 3_000.0), "{ages:?}");
    let copied = play.stream_points(EAST, "PutRecords.SuccessfulRecords", "Sum", 10);
    assert!(copied.iter().all(|p| p.1 > 1_000.0), "{copied:?}");
}

#[test]
fn no_point_where_nothing_happens() {
    let mut play = Play::of_the_post(&Story::default());
    assert_eq!(
        play.stream_points(EAST, "GetRecords.IteratorAgeMilliseconds", "Maximum", 30),
        [],
        "no consumer there"
    );
    assert_eq!(play.stream_points(EAST, "PutRecord.Success", "Sum", 30), []);
}

#[test]
fn an_idle_reader_is_zero_behind_and_a_stopped_one_has_no_points() {
    let mut play = Play::of_the_post(&Story::default());
    play.world.stop_traffic();
    play.wait(300);
    let idle = play.stream_points(WEST, "GetRecords.IteratorAgeMilliseconds", "Maximum", 3);
    assert!(!idle.is_empty() && idle.iter().all(|p| p.1 == 0.0), "{idle:?}");
    let uuid = play.mapping(WEST, Story::CONSUMER);
    play.set_enabled(WEST, &uuid, false);
    play.wait(400);
    assert_eq!(play.stream_points(WEST, "GetRecords.IteratorAgeMilliseconds", "Maximum", 4), []);
}

#[test]
fn the_fan_out_consumer_has_its_own_lag_and_none_of_the_streams() {
    let mut play = Play::of_the_post(&Story::default());
    let by_consumer = [("StreamName", Story::STREAM), ("ConsumerName", Story::STREAM_CONSUMER)];
    let behind =
        |play: &mut Play, name: &str| play.points(WEST, ("AWS/Kinesis", name), &by_consumer, "Maximum", 10);
    assert!(behind(&mut play, "SubscribeToShardEvent.MillisBehindLatest").len() > 7);
    assert!(!behind(&mut play, "SubscribeToShard.Success").is_empty());
    let uuid = play.mapping(WEST, Story::CONSUMER);
    play.set_enabled(WEST, &uuid, false);
    play.wait(300);
    assert_eq!(
        play.stream_points(WEST, "GetRecords.Records", "Sum", 3),
        [],
        "fan-out reads are not GetRecords"
    );
}

#[test]
fn every_reader_of_the_stream_is_in_its_age() {
    let mut play = Play::of_the_post(&Story::default());
    let input = json!({ "StreamName": Story::STREAM, "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON" });
    let iterator = play.kinesis(WEST, "GetShardIterator", input)["ShardIterator"].clone();
    play.kinesis(WEST, "GetRecords", json!({ "ShardIterator": iterator, "Limit": 1 }));
    play.wait(180);
    let ages = play.stream_points(WEST, "GetRecords.IteratorAgeMilliseconds", "Maximum", 4);
    assert!(ages.iter().any(|p| p.1 > 30.0 * 60_000.0), "{ages:?}");
}

#[test]
fn statistics_are_answered_unsorted_and_by_unit() {
    let mut play = Play::of_the_post(&Story::default());
    let now = play.world.now().as_second();
    let input = json!({
        "Namespace": "AWS/Kinesis", "MetricName": "IncomingRecords", "Period": 300,
        "Dimensions": [{ "Name": "StreamName", "Value": Story::STREAM }],
        "Statistics": ["Sum", "SampleCount"], "StartTime": now - 1_200, "EndTime": now,
    });
    let answer = play.call(Service::CloudWatch, WEST, "GetMetricStatistics", input);
    let points = answer["Datapoints"].as_array().expect("a list");
    assert_eq!((points.len(), &points[0]["Unit"]), (4, &json!("Count")));
    assert!(points[0]["Sum"].as_f64() > Some(5_000.0) && points[0].get("Maximum").is_none());
}

#[test]
fn metrics_are_listed_once_they_have_points() {
    let mut play = Play::of_the_post(&Story::default());
    let input = json!({ "Namespace": "AWS/Lambda", "MetricName": "IteratorAge" });
    let listed = play.call(Service::CloudWatch, WEST, "ListMetrics", input.clone());
    let names: Vec<&Value> =
        listed["Metrics"].as_array().expect("a list").iter().map(|m| &m["Dimensions"][0]["Value"]).collect();
    assert_eq!(names, [Story::CONSUMER, Story::REPLICATOR]);
    assert_eq!(play.call(Service::CloudWatch, EAST, "ListMetrics", input)["Metrics"], json!([]));
}

#[test]
fn a_client_may_put_metrics_of_its_own() {
    let mut play = Play::empty();
    let now = play.world.now().as_second();
    play.call(Service::CloudWatch, WEST, "PutMetricData", json!({
        "Namespace": "Mine", "MetricData": [{ "MetricName": "N", "Values": [1, 3], "Counts": [2, 1], "Timestamp": now - 60 }],
    }));
    assert_eq!(play.points(WEST, ("Mine", "N"), &[], "Sum", 5), [((now - 60) as f64, 5.0)]);
    assert_eq!(play.points(WEST, ("Mine", "N"), &[], "SampleCount", 5)[0].1, 3.0);
}
