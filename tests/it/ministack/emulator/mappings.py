"""Event source mappings on Kinesis as AWS documents and LocalStack's recordings of AWS show them.

MiniStack as it comes treats AT_TIMESTAMP as LATEST, refuses fan-out consumers as sources, changes states at once,
accepts duplicates and forgets MetricsConfig and the tumbling window. Here:

  Creating -> Enabled | Disabled; Enabling -> Enabled; Disabling -> Disabled; Updating -> as before; Deleting -> gone
      each lasts RIG_STATE_SECONDS; polling starts RIG_START_SECONDS after Enabled and stops RIG_STOP_SECONDS after
      Disabled, because on AWS the state is no proof of either (services-kinesis-create, "eventually consistent")
  LATEST is pinned at the first poll, so what arrives during Creating is missed, as AWS warns
  disabling keeps the position, deleting drops it
  LastModified changes with every state, to the millisecond
"""

import datetime
import json
import os
import threading
import time

import ministack.services.kinesis as kinesis
import ministack.services.lambda_svc as service
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response

import polling
from metrics import scope

STATE_SECONDS = float(os.environ.get("RIG_STATE_SECONDS", "2"))
START_SECONDS = float(os.environ.get("RIG_START_SECONDS", "1"))
STOP_SECONDS = float(os.environ.get("RIG_STOP_SECONDS", "1"))
RESTING = ("Enabled", "Disabled")
HIDDEN = ("_source", "_generation")
DEFAULTS = {
    "BatchSize": 100, "MaximumBatchingWindowInSeconds": 0, "ParallelizationFactor": 1, "MaximumRetryAttempts": -1,
    "MaximumRecordAgeInSeconds": -1, "BisectBatchOnFunctionError": False, "TumblingWindowInSeconds": 0,
    "DestinationConfig": {"OnFailure": {}}, "FunctionResponseTypes": [],
}
EXTRA = ("MetricsConfig", "FilterCriteria", "KMSKeyArn", "LoggingConfig")
original = {}


def stream_part(arn):
    """The stream of a source, which may be one of its fan-out consumers."""
    return arn.split("/consumer/")[0]


def invalid(text):
    return error_response_json("InvalidParameterValueException", text, 400)


def epoch(value):
    if isinstance(value, (int, float)):
        return float(value)
    return datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()


def function_and_qualifier(reference):
    parts = reference.split(":function:")[-1].split(":")
    return parts[0], (parts[1] if len(parts) > 1 else None)


def enter(esm, state):
    """A new state; timers of earlier changes no longer apply."""
    esm["State"], esm["LastModified"] = state, round(time.time(), 3)
    esm["_generation"] = esm.get("_generation", 0) + 1


def later(seconds, esm, change):
    """Changes a mapping after a while, unless something else has changed it first."""
    account, region, generation = get_account_id(), get_region(), esm["_generation"]

    def run():
        with scope(account, region):
            if esm["_generation"] == generation:
                change()

    timer = threading.Timer(seconds, run)
    timer.daemon = True
    timer.start()


def settle(esm, state):
    """The end of a transition, and the polling that follows a little later."""

    def rest():
        enter(esm, state)
        on = state == "Enabled"
        if esm["Enabled"] != on:
            later(START_SECONDS if on else STOP_SECONDS, esm, lambda: esm.update(Enabled=on))

    later(STATE_SECONDS, esm, rest)


def refused(data, source, position):
    """The answer to a request that AWS would refuse, or None."""
    if not position:
        return invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        )
    if position == "AT_TIMESTAMP":
        at = data.get("StartingPositionTimestamp")
        if at is None:
            return invalid("StartingPositionTimestamp must be specified for AT_TIMESTAMP")
        if epoch(at) > time.time():
            return invalid("StartingPositionTimestamp cannot be in the future")
    spec = service.parse_arn(stream_part(source))
    stream = kinesis._streams.get_scoped(spec.account_id, spec.region, spec.resource.removeprefix("stream/"))
    consumers = {consumer["ConsumerARN"] for consumer in kinesis._consumers.values()}
    if stream is None or spec.region != get_region() or ("/consumer/" in source and source not in consumers):
        return invalid(f"Stream not found: {source}")
    name, qualifier = function_and_qualifier(data.get("FunctionName", ""))
    if name not in service._functions:
        return invalid("Function does not exist")
    for esm in service._esms.values():
        same = esm["FunctionName"] == name and esm.get("Qualifier") == qualifier
        if same and esm.get("_source", esm["EventSourceArn"]) == source:
            return error_response_json(
                "ResourceConflictException",
                f'The event source arn (" {source} ") and function (" {name} ") provided mapping already exists. '
                f"Please update or delete the existing mapping with UUID {esm['UUID']}",
                409,
            )
    return None


def create(data):
    source = data.get("EventSourceArn", "")
    if ":kinesis:" not in source:
        return original["create"](data)
    position = data.get("StartingPosition")
    refusal = refused(data, source, position)
    if refusal:
        return refusal
    wanted = data.get("Enabled", True)
    answer = original["create"]({**data, "EventSourceArn": stream_part(source), "Enabled": False})
    if answer[0] != 202:
        return answer
    esm = service._esms.get(json.loads(answer[2])["UUID"])
    esm.update({key: data.get(key, default) for key, default in DEFAULTS.items()})
    esm.update({key: data[key] for key in EXTRA if data.get(key)})
    esm["StateTransitionReason"] = "User action"
    if source != stream_part(source):
        esm["_source"] = source
    if position == "AT_TIMESTAMP":
        esm["StartingPositionTimestamp"] = epoch(data["StartingPositionTimestamp"])
    enter(esm, "Creating")
    settle(esm, "Enabled" if wanted else "Disabled")
    polling.begin(get_account_id(), get_region(), esm["UUID"])
    return json_response(shown(esm), 202)


def kinesis_mapping(uuid):
    esm = service._esms.get(uuid)
    return esm if esm and ":kinesis:" in esm["EventSourceArn"] else None


def in_use(verb):
    text = f"Cannot {verb} the event source mapping because it is in use."
    return error_response_json("ResourceInUseException", text, 400)


def update(uuid, data):
    esm = kinesis_mapping(uuid)
    if esm is None:
        return original["update"](uuid, data)
    if esm["State"] not in RESTING:
        return in_use("update")
    before = esm["State"]
    answer = original["update"](uuid, {key: value for key, value in data.items() if key != "Enabled"})
    if answer[0] != 200:
        return answer
    for key in EXTRA + ("TumblingWindowInSeconds",):
        if key in data:
            esm[key] = data[key]
    wanted = "Enabled" if data.get("Enabled", before == "Enabled") else "Disabled"
    if wanted == before:
        enter(esm, "Updating")
    else:
        enter(esm, "Enabling" if wanted == "Enabled" else "Disabling")
    settle(esm, wanted)
    return json_response(shown(esm), 202)


def delete(uuid):
    esm = kinesis_mapping(uuid)
    if esm is None:
        return original["delete"](uuid)
    if esm["State"] not in RESTING:
        return in_use("delete")
    enter(esm, "Deleting")

    def gone():
        service._esms.pop(uuid, None)
        service._release_esm_poll_state(uuid)

    later(STATE_SECONDS / 2, esm, lambda: esm.update(Enabled=False))
    later(STATE_SECONDS, esm, gone)
    return json_response(shown(esm), 202)


def shown(esm):
    """A mapping as the API shows it."""
    out = original["response"](esm)
    if "_source" in esm:
        out["EventSourceArn"] = esm["_source"]
    for key in HIDDEN:
        out.pop(key, None)
    if str(out.get("LastProcessingResult", "")).startswith("OK"):
        out["LastProcessingResult"] = "OK"
    return out


def query(params, key):
    return service._qp_first(params, key) or None


def listed(params):
    """All mappings of the Region, filtered and paged: at most 100 a page, whatever MaxItems asks for."""
    function, source = query(params, "FunctionName"), query(params, "EventSourceArn")
    name, qualifier = function_and_qualifier(function) if function else (None, None)
    found = sorted(service._esms.values(), key=lambda esm: esm["UUID"])
    if name:
        found = [m for m in found if m["FunctionName"] == name and qualifier in (None, m.get("Qualifier"))]
    if source:
        found = [m for m in found if m.get("_source", m["EventSourceArn"]) == source]
    marker = query(params, "Marker")
    if marker:
        found = [m for m in found if m["UUID"] > marker]
    limit = min(100, int(query(params, "MaxItems") or 100))
    answer = {"EventSourceMappings": [shown(esm) for esm in found[:limit]]}
    if len(found) > limit:
        answer["NextMarker"] = found[limit - 1]["UUID"]
    return json_response(answer)


def install():
    original.update({
        "create": service._create_esm, "update": service._update_esm, "delete": service._delete_esm,
        "response": service._esm_response,
    })
    service._create_esm, service._update_esm, service._delete_esm = create, update, delete
    service._esm_response, service._list_esms = shown, listed
