"""A client of the sandbox that nobody here wrote: boto3, with every answer held to botocore's service models.

`Checked` makes clients whose answers are compared with the model of their operation: required members, types, enum
values, and no member that the model does not have. `Checked.table()` gives a row an operation.
"""

import collections
import datetime
import json

import boto3
import botocore.exceptions
from botocore.config import Config

# Errors that every operation of a service may give (common errors of each API reference), beside its own.
COMMON = {
    "kinesis": {"ValidationException", "SerializationException", "InvalidArgumentException"},
    "lambda": {"ValidationException", "InvalidRequestContentException", "InvalidParameterValueException"},
    "cloudwatch": {"ValidationError", "ValidationException", "MissingParameter", "InvalidParameterValue",
                   "InvalidParameterCombination", "SerializationException", "MalformedInput"},
    "dynamodb": {"ValidationException", "SerializationException"},
    "sts": {"ValidationError"},
}

# What AWS answers although its own model does not list it: "The function is being created." comes with this code while
# an update is in progress, in every recorded answer of UpdateFunctionConfiguration.
BEYOND_THE_MODEL = {("LastUpdateStatusReasonCode", "Creating")}


class Checked:
    """Clients of one endpoint, and what their answers were worth."""

    def __init__(self, url, account="123456789012"):
        self.url, self.account = url, account
        self.calls = collections.Counter()
        self.errors = collections.defaultdict(set)
        self.wrong = []
        self.inputs = {}

    def client(self, service, region, protocol=None, validate=True, learn=True):
        """A boto3 client. `protocol` replaces the one that botocore would choose."""
        config = Config(retries={"max_attempts": 1, "mode": "standard"}, parameter_validation=validate,
                        read_timeout=30, connect_timeout=5)
        session = boto3.session.Session(aws_access_key_id=self.account, aws_secret_access_key="sandbox",
                                        region_name=region)
        if protocol:
            loader = session._session.get_component("data_loader")
            model = dict(loader.load_service_model(service, "service-2"))
            model["metadata"] = dict(model["metadata"], protocol=protocol, protocols=[protocol])
            original = loader.load_service_model
            loader.load_service_model = lambda service_name, type_name, *more, **named: (
                model if (service_name, type_name) == (service, "service-2")
                else original(service_name, type_name, *more, **named))
        client = session.client(service, endpoint_url=self.url, config=config)
        client.meta.events.register("provide-client-params", lambda params, model, **_: (
            self.inputs.setdefault((service, model.name), (region, params)) and None) if learn else None)
        client.meta.events.register("before-parse", lambda operation_model, response_dict, **_: self._raw(
            service, operation_model, response_dict))
        client.meta.events.register("after-call", lambda parsed, model, http_response, **_: self._parsed(
            service, model, parsed, http_response))
        return client

    def _raw(self, service, model, response):
        """A member that the model does not have is dropped by botocore without a word: the body is read here."""
        kind = model.service_model.resolved_protocol
        if response["status_code"] >= 300 or not kind.endswith("json") or not response["body"]:
            return
        if model.output_shape is None or not response["headers"].get("content-type", "").count("json"):
            return
        payload = model.output_shape.serialization.get("payload")
        if payload is None:
            self._unknown(f"{service}.{model.name}", model.output_shape, json.loads(response["body"]))

    def _unknown(self, where, shape, value):
        if shape.type_name == "structure" and isinstance(value, dict):
            names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
            for key, inner in value.items():
                if key not in names:
                    self.wrong.append(f"{where}.{key}: not in the model")
                else:
                    self._unknown(f"{where}.{key}", names[key], inner)
        elif shape.type_name == "list" and isinstance(value, list):
            for inner in value:
                self._unknown(where, shape.member, inner)
        elif shape.type_name == "map" and isinstance(value, dict):
            for inner in value.values():
                self._unknown(where, shape.value, inner)

    def _parsed(self, service, model, parsed, http):
        key = (service, model.name)
        self.calls[key] += 1
        if http.status_code >= 300:
            code = parsed.get("Error", {}).get("Code", "")
            self.errors[key].add(code)
            known = {shape.error_code for shape in model.error_shapes} | {shape.name for shape in model.error_shapes}
            if code not in known | COMMON[service]:
                self.wrong.append(f"{service}.{model.name}: {code or 'no code'} is no error of it")
            if not parsed.get("Error", {}).get("Message"):
                self.wrong.append(f"{service}.{model.name}: {code} without a message")
        elif model.output_shape is not None:
            self._known(f"{service}.{model.name}", model.output_shape, parsed)

    def _known(self, where, shape, value):
        kinds = {"string": str, "character": str, "integer": int, "long": int, "boolean": bool, "structure": dict,
                 "map": dict, "list": list, "float": (int, float), "double": (int, float),
                 "timestamp": datetime.datetime}
        expected = kinds.get(shape.type_name)
        is_wrong = expected is not None and (not isinstance(value, expected)
                                             or isinstance(value, bool) != (shape.type_name == "boolean"))
        if is_wrong:
            self.wrong.append(f"{where}: {type(value).__name__} for {shape.type_name}")
            return
        if shape.type_name == "string" and shape.enum and value not in shape.enum and (shape.name, value) not in BEYOND_THE_MODEL:
            self.wrong.append(f"{where}: {value!r} is not in the enum")
        if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
            for name in shape.required_members:
                if name not in value:
                    self.wrong.append(f"{where}.{name}: required and missing")
            for name, member in shape.members.items():
                if name in value and not member.serialization.get("eventstream"):
                    self._known(f"{where}.{name}", member, value[name])
        elif shape.type_name == "list":
            for inner in value:
                self._known(where, shape.member, inner)
        elif shape.type_name == "map":
            for inner in value.values():
                self._known(where, shape.value, inner)

    def table(self):
        """(operation, calls, error codes seen), sorted."""
        return [(f"{s}.{o}", n, sorted(self.errors[s, o])) for (s, o), n in sorted(self.calls.items())]


def code_of(call, *arguments, **members):
    """The error code of a call that has to be refused, with its status and message."""
    try:
        call(*arguments, **members)
    except botocore.exceptions.ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return error.response["Error"]["Code"], status, error.response["Error"]["Message"]
    raise AssertionError(f"{call.__name__}({members}) was not refused")
