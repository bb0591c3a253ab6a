//! Functions as Lambda plays them.

use super::{EAST, Play, WEST};
use crate::sandbox::call::Service;
use crate::sandbox::world::Story;
use serde_json::{Value, json};

fn configuration(play: &mut Play, name: &str) -> Value {
    play.lambda(WEST, "GetFunctionConfiguration", json!({ "FunctionName": name }))
}

fn producer(variables: Value) -> Value {
    json!({ "FunctionName": Story::PRODUCER, "Environment": { "Variables": variables } })
}

#[test]
fn an_update_replaces_the_whole_environment() {
    let mut play = Play::of_the_post(&Story::default());
    let before = configuration(&mut play, Story::PRODUCER);
    assert_eq!(before["Environment"]["Variables"]["LOG_LEVEL"], "INFO");
    let two = json!({ "INPUT_STREAM": Story::STREAM, "PRODUCING_TO_REGION": EAST });
    play.lambda(WEST, "UpdateFunctionConfiguration", producer(two.clone()));
    play.wait(10);
    assert_eq!(configuration(&mut play, Story::PRODUCER)["Environment"]["Variables"], two);
    // Hole 1 of the post: the code needed the other ones, so nothing is put any more.
    let put = play.ledger().put;
    play.wait(120);
    assert!(play.ledger().put < put + 40, "the producer is broken");
}

#[test]
fn the_revision_changes_twice_with_an_update() {
    let mut play = Play::of_the_post(&Story::default());
    let first = configuration(&mut play, Story::CONSUMER);
    let input = json!({ "FunctionName": Story::CONSUMER, "Timeout": 60, "RevisionId": first["RevisionId"] });
    let second = play.lambda(WEST, "UpdateFunctionConfiguration", input.clone());
    assert_eq!(second["LastUpdateStatus"], "InProgress");
    let busy = play.refused(
        Service::Lambda,
        WEST,
        "UpdateFunctionConfiguration",
        json!({ "FunctionName": Story::CONSUMER, "Timeout": 9 }),
    );
    assert_eq!((busy.status, busy.code.as_str()), (409, "ResourceConflictException"));
    let arn = format!("arn:aws:lambda:us-west-2:123456789012:function:{}", Story::CONSUMER);
    assert_eq!(
        busy.message,
        format!(
            "The operation cannot be performed at this time. An update is in progress for resource: {arn}"
        )
    );
    play.wait(10);
    let third = configuration(&mut play, Story::CONSUMER);
    assert_eq!((&third["LastUpdateStatus"], &third["Timeout"]), (&json!("Successful"), &json!(60)));
    let revisions = [&first, &second, &third].map(|c| c["RevisionId"].clone());
    assert!(revisions[0] != revisions[1] && revisions[1] != revisions[2] && revisions[0] != revisions[2]);
    let stale = play.refused(Service::Lambda, WEST, "UpdateFunctionConfiguration", input);
    assert_eq!((stale.status, stale.code.as_str()), (412, "PreconditionFailedException"));
}

#[test]
fn an_environment_over_4_kb_is_refused_and_the_error_shows_it() {
    let mut play = Play::of_the_post(&Story::default());
    let error = play.refused(
        Service::Lambda,
        WEST,
        "UpdateFunctionConfiguration",
        producer(json!({ "BIG": "x".repeat(4_096) })),
    );
    assert_eq!((error.status, error.code.as_str()), (400, "InvalidParameterValueException"));
    assert!(error.message.contains("exceeded the 4KB limit. String measured: {\"BIG\":\"xxx"));
    let reserved = play.refused(
        Service::Lambda,
        WEST,
        "UpdateFunctionConfiguration",
        producer(json!({ "AWS_REGION": "x" })),
    );
    assert_eq!(reserved.code, "InvalidParameterValueException");
}

#[test]
fn an_unreadable_environment_has_an_error_and_no_variables() {
    let mut play = Play::of_the_post(&Story::default());
    let name = Story::PRODUCER.parse().expect("a function name");
    assert!(play.world.set_unreadable(&super::region(WEST), &name, true));
    let environment = configuration(&mut play, Story::PRODUCER)["Environment"].clone();
    assert!(environment.get("Variables").is_none());
    assert_eq!(environment["Error"]["ErrorCode"], "AccessDeniedException");
}

#[test]
fn an_invocation_under_way_keeps_its_environment() {
    let story = Story { slow_share: 0.2, ..Story::default() };
    let mut play = Play::of_the_post(&story);
    play.switch_producer(EAST);
    play.wait(8);
    assert_eq!(configuration(&mut play, Story::PRODUCER)["LastUpdateStatus"], "Successful");
    let switched = play.world.now().as_second();
    play.wait(40);
    let mut late = 0;
    for shard in 0..4 {
        let shard = format!("shardId-{shard:012}");
        let input = json!({ "StreamName": Story::STREAM, "ShardId": shard, "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": switched });
        let iterator = play.kinesis(WEST, "GetShardIterator", input)["ShardIterator"].clone();
        late += play.kinesis(WEST, "GetRecords", json!({ "ShardIterator": iterator }))["Records"]
            .as_array()
            .map_or(0, Vec::len);
    }
    assert!(late > 0, "records still arrive in the old Region after Successful");
    play.wait(60);
    let before = play.ledger().put;
    play.wait(10);
    assert!(play.ledger().put > before);
}

#[test]
fn an_alias_does_not_see_what_is_changed_in_latest() {
    let story = Story { producer_alias: Some("live".to_owned()), ..Story::default() };
    let mut play = Play::of_the_post(&story);
    play.switch_producer(EAST);
    play.wait(300);
    assert_eq!(
        play.stream_points(EAST, "PutRecord.Success", "Sum", 4),
        [],
        "hole 2 of the post: nothing moved"
    );
    let version = play.lambda(WEST, "PublishVersion", json!({ "FunctionName": Story::PRODUCER }));
    assert_eq!(version["Version"], "2");
    let alias = play.lambda(WEST, "GetAlias", json!({ "FunctionName": Story::PRODUCER, "Name": "live" }));
    assert_eq!(alias["FunctionVersion"], "1");
    let update = json!({ "FunctionName": Story::PRODUCER, "Name": "live", "FunctionVersion": "2", "RevisionId": alias["RevisionId"] });
    let moved = play.lambda(WEST, "UpdateAlias", update.clone());
    assert_ne!(moved["RevisionId"], alias["RevisionId"]);
    assert_eq!(play.refused(Service::Lambda, WEST, "UpdateAlias", update).status, 412);
    play.wait(300);
    assert!(!play.stream_points(EAST, "PutRecord.Success", "Sum", 4).is_empty());
    let versions = play.lambda(WEST, "ListVersionsByFunction", json!({ "FunctionName": Story::PRODUCER }));
    assert_eq!(versions["Versions"].as_array().map(Vec::len), Some(3), "$LATEST, 1 and 2");
    assert_eq!(
        play.lambda(WEST, "ListAliases", json!({ "FunctionName": Story::PRODUCER }))["Aliases"][0]["Name"],
        "live"
    );
}

#[test]
fn a_version_is_published_once_for_a_configuration() {
    let mut play = Play::of_the_post(&Story::default());
    let name = json!({ "FunctionName": Story::CONSUMER });
    assert_eq!(play.lambda(WEST, "PublishVersion", name.clone())["Version"], "1");
    assert_eq!(play.lambda(WEST, "PublishVersion", name)["Version"], "1");
}

#[test]
fn a_reserved_concurrency_of_zero_stops_invocations() {
    let mut play = Play::of_the_post(&Story::default());
    let input = json!({ "FunctionName": Story::PRODUCER, "ReservedConcurrentExecutions": 0 });
    play.lambda(WEST, "PutFunctionConcurrency", input);
    let shown = play.lambda(WEST, "GetFunction", json!({ "FunctionName": Story::PRODUCER }));
    assert_eq!(shown["Concurrency"]["ReservedConcurrentExecutions"], 0);
    assert!(shown["Code"]["Location"].is_string());
    play.wait(40);
    let put = play.ledger().put;
    play.wait(60);
    assert_eq!(play.ledger().put, put);
    play.wait(120);
    let throttles =
        play.points(WEST, ("AWS/Lambda", "Throttles"), &[("FunctionName", Story::PRODUCER)], "Sum", 3);
    assert!(throttles.iter().any(|p| p.1 > 0.0));
    let settings = play.lambda(WEST, "GetAccountSettings", json!({}));
    assert_eq!(settings["AccountLimit"]["UnreservedConcurrentExecutions"], 1_000);
}

#[test]
fn functions_of_another_region_are_not_reachable() {
    let mut play = Play::of_the_post(&Story::default());
    let arn = format!("arn:aws:lambda:us-east-2:123456789012:function:{}", Story::CONSUMER);
    let error = play.refused(Service::Lambda, WEST, "GetFunction", json!({ "FunctionName": arn }));
    assert_eq!((error.status, error.code.as_str()), (404, "ResourceNotFoundException"));
    assert_eq!(error.message, "Functions from 'us-east-2' are not reachable in this region ('us-west-2')");
}

#[test]
fn a_new_producer_puts_one_record_for_each_invocation() {
    let mut play = Play::empty();
    play.kinesis(EAST, "CreateStream", json!({ "StreamName": "S", "ShardCount": 1 }));
    play.lambda(WEST, "CreateFunction", json!({
        "FunctionName": "p", "Role": "arn:aws:iam::123456789012:role/r", "Handler": "i.h", "Runtime": "python3.12",
        "Code": {}, "Environment": { "Variables": { "PRODUCING_TO_REGION": EAST, "INPUT_STREAM": "S" } },
    }));
    assert_eq!(configuration(&mut play, "p")["State"], "Pending");
    play.wait(11);
    let answer = play.lambda(WEST, "Invoke", json!({ "FunctionName": "p", "Payload": "e30=" }));
    assert_eq!((&answer["StatusCode"], answer.get("FunctionError")), (&json!(200), None));
    assert_eq!(play.ledger().put, 1);
    play.lambda(
        WEST,
        "TagResource",
        json!({ "Resource": "arn:aws:lambda:us-west-2:123456789012:function:p", "Tags": { "a": "b" } }),
    );
    let tags = play.lambda(
        WEST,
        "ListTags",
        json!({ "Resource": "arn:aws:lambda:us-west-2:123456789012:function:p" }),
    );
    assert_eq!(tags["Tags"], json!({ "a": "b" }));
    play.lambda(WEST, "DeleteFunction", json!({ "FunctionName": "p" }));
    assert_eq!(
        play.refused(Service::Lambda, WEST, "GetFunction", json!({ "FunctionName": "p" })).status,
        404
    );
}
