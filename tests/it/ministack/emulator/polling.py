"""Who polls a stream for a mapping, when, and what the metrics say of it.

MiniStack polls all mappings from one thread and as soon as they exist. Here every Kinesis mapping has a thread of
its own that calls MiniStack's own poller for that one mapping, so records are still moved by MiniStack's code.
The internal `Enabled` switch, which mappings.py turns later than the `State` that it shows, says whether to poll.

Published, as on AWS (Kinesis and Lambda Developer Guides): GetRecords.IteratorAgeMilliseconds of the stream, or
SubscribeToShardEvent.MillisBehindLatest of the fan-out consumer, at every poll, empty or not; PolledEventCount for
mappings that ask for EventCount, zero when nothing came; and per batch Invocations, Errors, Throttles and
IteratorAge (of the newest record, stamped with the start of the invocation).
"""

import os
import threading
import time

import ministack.services.kinesis as kinesis
import ministack.services.lambda_svc as service

from metrics import publish, scope

POLL_SECONDS = float(os.environ.get("RIG_POLL_SECONDS", "0.25"))
_current = threading.local()


def stream_behind(esm):
    spec = service.parse_arn(esm["EventSourceArn"])
    return kinesis._streams.get_scoped(spec.account_id, spec.region, spec.resource.removeprefix("stream/"))


def only_the_current(original):
    """MiniStack's poller sees the one mapping of its thread; its own thread sees no Kinesis mapping at all."""

    def mappings():
        current = getattr(_current, "mapping", None)
        if current is not None:
            yield current
            return
        for account, region, esm in original():
            if ":kinesis:" not in esm["EventSourceArn"]:
                yield account, region, esm

    return mappings


def place(esm, stream):
    """Fixes where AT_TIMESTAMP starts, at the first poll, as MiniStack does for the other two."""
    uuid = esm["UUID"]
    if uuid in service._kinesis_positions or esm.get("StartingPosition") != "AT_TIMESTAMP":
        return
    at = esm["StartingPositionTimestamp"]
    service._kinesis_positions[uuid] = {
        shard: kinesis._start_position(content["records"], "AT_TIMESTAMP", "", at)
        for shard, content in stream["shards"].items()
    }


def looked_at(esm, stream, now):
    """What the coming poll reads: records, and per shard the age of the last one, zero at the tip."""
    positions = service._kinesis_positions.get(esm["UUID"]) or {}
    count, ages = 0, []
    for shard, content in stream["shards"].items():
        records = content["records"]
        start = positions.get(shard, len(records))
        end = min(len(records), start + esm.get("BatchSize", 100))
        count += end - start
        at_tip = end == len(records)
        ages.append(0 if at_tip else max(0.0, now - records[end - 1]["ApproximateArrivalTimestamp"]) * 1000)
    return count, ages


def tell(esm, stream, count, ages):
    name = stream["StreamName"]
    source = esm.get("_source", esm["EventSourceArn"])
    if "/consumer/" in source:
        dimensions = {"StreamName": name, "ConsumerName": source.split("/consumer/")[1].split(":")[0]}
        metric = "SubscribeToShardEvent.MillisBehindLatest"
    else:
        dimensions, metric = {"StreamName": name}, "GetRecords.IteratorAgeMilliseconds"
        publish("AWS/Kinesis", "GetRecords.Success", dimensions, 1)
    publish("AWS/Kinesis", metric, dimensions, max(ages), "Milliseconds")
    if "EventCount" in (esm.get("MetricsConfig") or {}).get("Metrics", []):
        publish("AWS/Lambda", "PolledEventCount", {"EventSourceMappingUUID": esm["UUID"]}, count)


def measured(original):
    """An invocation for a mapping, with the metrics that Lambda sends when it has finished."""

    def execute(function, event):
        if getattr(_current, "mapping", None) is None or getattr(_current, "executing", False):
            return original(function, event)
        began = time.time()
        age = began - event["Records"][-1]["kinesis"]["approximateArrivalTimestamp"]
        _current.executing = True
        try:
            result = original(function, event)
        finally:
            _current.executing = False
        name = (function.get("config") or function)["FunctionName"]
        dimensions = {"FunctionName": name}
        if not result.get("throttle"):
            publish("AWS/Lambda", "Invocations", dimensions, 1, at=began)
            publish("AWS/Lambda", "Errors", dimensions, 1 if result.get("error") else 0, at=began)
            publish("AWS/Lambda", "Throttles", dimensions, 0, at=began)
            publish("AWS/Lambda", "IteratorAge", dimensions, max(0.0, age) * 1000, "Milliseconds", at=began)
        return result

    return execute


def poll_once(esm):
    """One poll of one mapping; says whether anything was processed."""
    stream = stream_behind(esm)
    if stream is None or stream["StreamStatus"] != "ACTIVE":
        return False
    place(esm, stream)
    count, ages = looked_at(esm, stream, time.time())
    tell(esm, stream, count, ages)
    return service._poll_kinesis()


def watch(account, region, uuid):
    """The thread of a mapping: polls while the mapping exists and its switch is on."""
    with scope(account, region):
        while (esm := service._esms.get(uuid)) is not None:
            processed = False
            if esm.get("Enabled"):
                _current.mapping = (account, region, esm)
                try:
                    processed = poll_once(esm)
                except Exception as error:  # a poll that fails is tried again, as on AWS; the log says why
                    service.logger.error("polling %s: %r", uuid, error)
            if not processed:
                time.sleep(POLL_SECONDS)


def begin(account, region, uuid):
    """Starts the thread of a new mapping."""
    threading.Thread(target=watch, args=(account, region, uuid), daemon=True, name=f"mapping-{uuid}").start()


def install():
    service._iter_all_esms = only_the_current(service._iter_all_esms)
    service._execute_function = measured(service._execute_function)
