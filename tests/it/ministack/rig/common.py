"""What the scripts of the test rig share: names, clients, waiting. They speak to AWS through boto3 alone."""

import datetime
import decimal
import functools
import json
import sys
import time

import boto3
from botocore.config import Config

PRIMARY, STANDBY = "us-west-2", "us-east-2"
REGIONS = (PRIMARY, STANDBY)
STREAM, FAN_OUT, TABLE = "KDS-HA-Stream", "KDS-HA-Stream-EFO-Consumer", "ticker-prices"
PRODUCER, CONSUMER = "KDS-HA-ProducerLambda", "KDS-HA-ConsumerLambda"
REPLICATOR, FAILOVER = "KDS-HA-ReplicationAgentLambda", "KDS-HA-FailoverLambda"
OTHER_STREAM, OTHER_FUNCTION = "orders", "orders-consumer"


@functools.lru_cache
def client(service, region):
    """A client; endpoint and credentials come from the environment."""
    config = Config(retries={"max_attempts": 2}, connect_timeout=5, read_timeout=30, max_pool_connections=10)
    return boto3.client(service, region_name=region, config=config)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def until(what, ready, seconds=30, pause=0.1):
    """Waits for a condition; fails loudly when it does not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = ready()
        if value:
            return value
        time.sleep(pause)
    raise SystemExit(f"waited {seconds} s in vain for {what}")


def stream_arn(region, stream=STREAM):
    return client("kinesis", region).describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]


def fan_out_arn():
    consumers = client("kinesis", PRIMARY).list_stream_consumers(StreamARN=stream_arn(PRIMARY))["Consumers"]
    return next(c["ConsumerARN"] for c in consumers if c["ConsumerName"] == FAN_OUT)


def mappings(region, function=None):
    pages = client("lambda", region).get_paginator("list_event_source_mappings")
    filters = {"FunctionName": function} if function else {}
    return [m for page in pages.paginate(**filters) for m in page["EventSourceMappings"]]


def wait_mapping(region, uuid, state):
    get = client("lambda", region).get_event_source_mapping
    until(f"mapping {uuid} to be {state}", lambda: get(UUID=uuid)["State"] == state)


def wait_updated(region, function):
    get = client("lambda", region).get_function_configuration
    until(f"{function} to be updated", lambda: get(FunctionName=function).get("LastUpdateStatus") == "Successful")


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, decimal.Decimal):
        return int(value)
    raise TypeError(f"not fit for JSON: {value!r}")


def answer(value):
    """Prints the script's result."""
    json.dump(value, sys.stdout, default=plain, sort_keys=True)
    sys.stdout.write("\n")
