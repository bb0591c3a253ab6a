//! The sink.

use super::{EAST, Play, WEST};
use crate::sandbox::call::Service;
use crate::sandbox::world::Story;
use serde_json::{Value, json};

fn dynamodb(play: &mut Play, at: &str, operation: &str, input: Value) -> Value {
    play.call(Service::DynamoDb, at, operation, input)
}

#[test]
fn the_global_table_shows_in_both_regions_who_wrote_last() {
    let mut play = Play::of_the_post(&Story::default());
    play.world.stop_traffic();
    play.wait(30);
    let input = json!({
        "TableName": Story::TABLE, "ProjectionExpression": "ticker, #r",
        "ExpressionAttributeNames": { "#r": "last_updated_region" },
    });
    let here = dynamodb(&mut play, WEST, "Scan", input.clone());
    let there = dynamodb(&mut play, EAST, "Scan", input);
    assert_eq!(here, there);
    let items = here["Items"].as_array().expect("a list");
    assert_eq!(items.len(), 40);
    assert_eq!(items[0]["last_updated_region"], json!({ "S": WEST }));
    assert!(items[0].get("price").is_none());
}

#[test]
fn a_scan_goes_on_from_its_last_key() {
    let mut play = Play::of_the_post(&Story::default());
    let page = dynamodb(&mut play, WEST, "Scan", json!({ "TableName": Story::TABLE, "Limit": 30 }));
    assert_eq!(
        (&page["Count"], &page["LastEvaluatedKey"]["ticker"]),
        (&json!(30), &page["Items"][29]["ticker"])
    );
    let next = json!({ "TableName": Story::TABLE, "ExclusiveStartKey": page["LastEvaluatedKey"] });
    let rest = dynamodb(&mut play, WEST, "Scan", next);
    assert_eq!((&rest["Count"], rest.get("LastEvaluatedKey")), (&json!(10), None));
}

#[test]
fn items_are_put_got_and_queried_by_key() {
    let mut play = Play::empty();
    let schema = json!({
        "TableName": "T", "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }], "BillingMode": "PAY_PER_REQUEST",
    });
    assert_eq!(
        dynamodb(&mut play, WEST, "CreateTable", schema)["TableDescription"]["TableStatus"],
        "CREATING"
    );
    let item = json!({ "id": { "S": "a" }, "n": { "N": "1" } });
    let early = json!({ "TableName": "T", "Item": item });
    assert_eq!(
        play.refused(Service::DynamoDb, WEST, "PutItem", early.clone()).code,
        "ResourceNotFoundException"
    );
    play.wait(7);
    dynamodb(&mut play, WEST, "PutItem", early);
    let got =
        dynamodb(&mut play, WEST, "GetItem", json!({ "TableName": "T", "Key": { "id": { "S": "a" } } }));
    assert_eq!(got["Item"], item);
    let query = json!({
        "TableName": "T", "KeyConditionExpression": "#k = :v", "ExpressionAttributeNames": { "#k": "id" },
        "ExpressionAttributeValues": { ":v": { "S": "a" } },
    });
    assert_eq!(dynamodb(&mut play, WEST, "Query", query)["Items"], json!([item]));
    assert_eq!(dynamodb(&mut play, WEST, "ListTables", json!({}))["TableNames"], json!(["T"]));
    dynamodb(&mut play, WEST, "DeleteTable", json!({ "TableName": "T" }));
    play.wait(7);
    assert_eq!(
        play.refused(Service::DynamoDb, WEST, "DescribeTable", json!({ "TableName": "T" })).status,
        400
    );
}

#[test]
fn a_replay_overwrites_newer_results_and_is_counted() {
    let mut play = Play::of_the_post(&Story::default());
    assert_eq!(play.ledger().stale_overwrites, 0);
    let position = json!({ "StartingPosition": "TRIM_HORIZON" });
    play.create_consumer_mapping(EAST, position);
    play.wait(300);
    assert!(play.ledger().stale_overwrites > 0);
}
