"""The post's replication agent: copies the records of a batch to the stream in the other Region.

A record may say how long it takes to be copied.
"""

import base64
import functools
import json
import os
import time

import boto3


@functools.lru_cache
def kinesis():
    return boto3.client("kinesis", region_name=os.environ["FAILOVER_REGION"])


def lambda_handler(event, context):
    records = [
        {
            "PartitionKey": record["kinesis"]["partitionKey"],
            "Data": base64.b64decode(record["kinesis"]["data"]),
        }
        for record in event["Records"]
    ]
    time.sleep(sum(json.loads(record["Data"]).get("work", 0) for record in records))
    response = kinesis().put_records(Records=records, StreamName="KDS-HA-Stream")
    if response["FailedRecordCount"] > 0:
        print("Failed replicating data: " + json.dumps(response))
        raise Exception("Failed replicating data!")
    return {"n": len(records)}
