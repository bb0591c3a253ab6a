"""The post's consumer: writes every record to the table, with the Region that processed it, and counts how often.

A record may say how long it takes to be processed.
"""

import base64
import functools
import json
import time

import boto3


@functools.lru_cache
def dynamodb():
    return boto3.client("dynamodb")


def lambda_handler(event, context):
    for record in event["Records"]:
        data = json.loads(base64.b64decode(record["kinesis"]["data"]))
        time.sleep(data.get("work", 0))
        dynamodb().update_item(
            TableName="ticker-prices",
            Key={"ticker": {"S": data["ticker"]}},
            UpdateExpression="SET price = :price, last_updated_region = :region ADD times_processed :one",
            ExpressionAttributeValues={
                ":price": {"S": str(data.get("price", "0"))},
                ":region": {"S": record["awsRegion"]},
                ":one": {"N": "1"},
            },
        )
    return {"n": len(event["Records"])}
