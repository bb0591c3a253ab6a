"""The control: the post's way, step by step, on the same rig.

    python post_story.py failover
    python post_story.py failback

`failover` is careful, because the source of the post's failover function is not published and its losses are not
the point: standby first, with a rewind of everything; the primary's readers are removed only when drained.
`failback` is the post's seven steps with its own parameters: LATEST, the whole environment replaced, a wait for
one metric, delete, LATEST again.
"""

import datetime
import sys
import time

from common import (
    CONSUMER, PRIMARY, PRODUCER, REPLICATOR, STANDBY, STREAM, answer, client, fan_out_arn, mappings, now, stream_arn,
    until, wait_mapping, wait_updated,
)

DRAIN_SECONDS = 5


def switch_producer(region):
    """The post's command: every other variable is gone afterwards."""
    client("lambda", PRIMARY).update_function_configuration(
        FunctionName=PRODUCER, Environment={"Variables": {"INPUT_STREAM": STREAM, "PRODUCING_TO_REGION": region}}
    )


def only_mapping(region, function):
    return next(m["UUID"] for m in mappings(region, function))


def failover():
    created = client("lambda", STANDBY).create_event_source_mapping(
        FunctionName=CONSUMER, BatchSize=100, EventSourceArn=stream_arn(STANDBY), StartingPosition="AT_TIMESTAMP",
        StartingPositionTimestamp=now() - datetime.timedelta(minutes=5),
    )
    wait_mapping(STANDBY, created["UUID"], "Enabled")
    switch_producer(STANDBY)
    wait_updated(PRIMARY, PRODUCER)
    time.sleep(DRAIN_SECONDS)
    for function in (REPLICATOR, CONSUMER):
        client("lambda", PRIMARY).delete_event_source_mapping(UUID=only_mapping(PRIMARY, function))
    until("the primary's mappings to be gone", lambda: not (mappings(PRIMARY, REPLICATOR) + mappings(PRIMARY, CONSUMER)))


def iterator_age():
    points = client("cloudwatch", STANDBY).get_metric_statistics(
        Namespace="AWS/Kinesis", MetricName="GetRecords.IteratorAgeMilliseconds",
        Dimensions=[{"Name": "StreamName", "Value": STREAM}], Statistics=["Maximum"], Period=60,
        StartTime=now() - datetime.timedelta(minutes=3), EndTime=now() + datetime.timedelta(minutes=1),
    )["Datapoints"]
    return max(points, key=lambda p: p["Timestamp"])["Maximum"] if points else None


def failback():
    primary, standby = client("lambda", PRIMARY), client("lambda", STANDBY)
    primary.create_event_source_mapping(
        FunctionName=CONSUMER, BatchSize=100, EventSourceArn=stream_arn(PRIMARY), StartingPosition="LATEST"
    )
    switch_producer(PRIMARY)
    until("the iterator age in the standby Region to be 0", lambda: iterator_age() == 0, seconds=150, pause=1)
    standby.delete_event_source_mapping(UUID=only_mapping(STANDBY, CONSUMER))
    primary.create_event_source_mapping(
        FunctionName=REPLICATOR, BatchSize=100, EventSourceArn=fan_out_arn(), StartingPosition="LATEST"
    )


if __name__ == "__main__":
    {"failover": failover, "failback": failback}[sys.argv[1]]()
    answer({"done": sys.argv[1]})
