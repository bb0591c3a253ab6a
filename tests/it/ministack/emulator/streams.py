"""Kinesis: metrics of puts and of direct reads (Kinesis Data Streams Developer Guide, monitoring-with-cloudwatch).

MiniStack publishes nothing in AWS/Kinesis. A direct read counts in the stream's iterator age just as a mapping's
does: on AWS the metric covers all GetRecords callers. AT_TIMESTAMP in the future is refused as AWS does.
"""

import json
import time

import ministack.services.kinesis as kinesis
from ministack.core.responses import error_response_json

from metrics import publish


def published(name, value, stream, unit="Count"):
    publish("AWS/Kinesis", name, {"StreamName": stream}, value, unit)


def stream_name(data):
    name, stream = kinesis._resolve_stream(data)
    return stream["StreamName"] if stream else name


def counted_put_record(original):
    def put_record(data):
        answer = original(data)
        name, accepted = stream_name(data), answer[0] == 200
        published("PutRecord.Success", 1 if accepted else 0, name)
        if accepted:
            published("IncomingRecords", 1, name)
        return answer

    return put_record


def counted_put_records(original):
    def put_records(data):
        answer = original(data)
        name, count = stream_name(data), len(data.get("Records", []))
        if answer[0] == 200:
            failed = json.loads(answer[2])["FailedRecordCount"]
            published("PutRecords.TotalRecords", count, name)
            published("PutRecords.SuccessfulRecords", count - failed, name)
            published("PutRecords.FailedRecords", failed, name)
            published("PutRecords.ThrottledRecords", 0, name)
            published("IncomingRecords", count - failed, name)
        published("PutRecords.Success", 1 if answer[0] == 200 else 0, name)
        return answer

    return put_records


def counted_get_records(original):
    def get_records(data):
        state = kinesis._shard_iterators.get(data.get("ShardIterator")) or {}
        answer = original(data)
        name = state.get("stream")
        if name:
            published("GetRecords.Success", 1 if answer[0] == 200 else 0, name)
        if name and answer[0] == 200:
            behind = json.loads(answer[2])["MillisBehindLatest"]
            published("GetRecords.IteratorAgeMilliseconds", behind, name, "Milliseconds")
        return answer

    return get_records


def refusing_the_future(original):
    def get_shard_iterator(data):
        at, now = data.get("Timestamp"), time.time()
        if data.get("ShardIteratorType") == "AT_TIMESTAMP" and at is not None and float(at) > now:
            text = (
                "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                f"timestampInMillis: {int(float(at) * 1000)}, currentTimestampInMillis: {int(now * 1000)}"
            )
            return error_response_json("InvalidArgumentException", text, 400)
        return original(data)

    return get_shard_iterator


def install():
    kinesis._put_record = counted_put_record(kinesis._put_record)
    kinesis._put_records = counted_put_records(kinesis._put_records)
    kinesis._get_records = counted_get_records(kinesis._get_records)
    kinesis._get_shard_iterator = refusing_the_future(kinesis._get_shard_iterator)
