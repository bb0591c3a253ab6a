"""The post's producer: puts what it is given into the stream that its environment names.

The environment is read when an invocation begins. It then takes a moment, so that invocations which run while the
environment is switched still write to the old Region, as on AWS.
"""

import functools
import json
import os
import time

import boto3


@functools.lru_cache
def kinesis(region):
    return boto3.client("kinesis", region_name=region)


def lambda_handler(event, context):
    region, stream = os.environ["PRODUCING_TO_REGION"], os.environ["INPUT_STREAM"]
    time.sleep(event.get("takes", 0))
    answer = kinesis(region).put_record(
        StreamName=stream, Data=json.dumps(event).encode(), PartitionKey=event["ticker"]
    )
    return {"region": region, "sequenceNumber": answer["SequenceNumber"]}
