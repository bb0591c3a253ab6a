"""Requests that break one rule of botocore's service models each: all of them have to be refused, as AWS refuses them.

The walk starts from the valid request of every operation that a program sent before (`Checked.inputs`).
"""

import copy
import json
import pathlib
import re

import botocore.exceptions

from aws import Checked

FILE = pathlib.Path(__file__).parents[3] / "src/sandbox/shapes.json"
REFUSALS = {"ValidationException", "ValidationError", "SerializationException", "InvalidParameterValueException",
            "InvalidArgumentException"}
NUMBERS = ("integer", "long", "float", "double")


def breaks(shape, value):
    """Values that break one rule of a shape, each with the rule."""
    meta = shape.metadata
    if shape.type_name == "string":
        yield from text_breaks(shape, meta)
    elif shape.type_name in NUMBERS:
        if "min" in meta:
            yield f"min {meta['min']}", meta["min"] - 1
        if "max" in meta:
            yield f"max {meta['max']}", meta["max"] + 1
    elif shape.type_name == "list":
        if meta.get("min", 0) > 0:
            yield f"min {meta['min']}", []
        if "max" in meta and value:
            yield f"max {meta['max']}", [value[0]] * (meta["max"] + 1)


def text_breaks(shape, meta):
    if shape.enum:
        yield "enum", "nonsense"
    if meta.get("min", 0) > 0:
        yield f"min {meta['min']}", ""
    if "max" in meta and meta["max"] <= 4096:
        yield f"max {meta['max']}", "x" * (meta["max"] + 1)
    pattern = meta.get("pattern")
    # Look-around is not looked at by the sandbox (`src/sandbox/shapes.rs`).
    if pattern and "(?" not in pattern and not re.fullmatch(pattern.replace("\\p{L}\\p{Z}\\p{N}", "a-z"), "%$ %"):
        yield "pattern", "%$ %"


def broken(shape, value, path=()):
    """(path, rule, the whole value with one rule broken)."""
    for rule, wrong in breaks(shape, value):
        yield path, rule, wrong
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in shape.required_members:
            if shape.members[name].serialization.get("location") != "uri":
                rest = {key: inner for key, inner in value.items() if key != name}
                yield path + (name,), "required", rest
        for name, member in shape.members.items():
            inner = value.get(name, {} if member.type_name == "structure" else None)
            if name not in value and member.type_name not in (*NUMBERS, "string"):
                continue
            for where, rule, wrong in broken(member, inner, path + (name,)):
                in_path = member.serialization.get("location") == "uri"
                if not (in_path and wrong in ("", None)):
                    yield where, rule, dict(value, **{name: wrong})
    elif shape.type_name == "list" and value:
        for where, rule, wrong in broken(shape.member, value[0], path + (0,)):
            yield where, rule, [wrong] + list(value[1:])


def walk(checked):
    """Sends them all. (operation, refused, what was not refused) a row."""
    operations = {(service, name): None for service, model in json.loads(FILE.read_text()).items()
                  for name in model["operations"]}
    rows = []
    for service, name in sorted(operations):
        if (service, name) not in checked.inputs:
            rows.append((f"{service}.{name}", 0, ["is never called with a valid request"]))
            continue
        region, params = checked.inputs[service, name]
        client = Checked(checked.url, checked.account).client(service, region, validate=False, learn=False)
        model = client.meta.service_model.operation_model(name)
        method = next(snake for snake, camel in client.meta.method_to_api_mapping.items() if camel == name)
        refused, taken = 0, []
        for path, rule, wrong in broken(model.input_shape, copy.deepcopy(params)) if model.input_shape else ():
            code = code_of(getattr(client, method), wrong)
            if code in REFUSALS:
                refused += 1
            else:
                taken.append(f"{'.'.join(map(str, path))} breaks {rule}: {code}")
        rows.append((f"{service}.{name}", refused, taken))
    return rows


def code_of(call, members):
    try:
        call(**members)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return "was taken"
