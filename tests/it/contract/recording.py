"""What the answers of `recorded*.py` share: an account to ask, and the run that asks it and prints a line an answer."""

import datetime
import sys
import time

from aws import Checked, code_of
from topology import ROLE, STREAM, WEST, until

ACCOUNT = "222233334444"
ANSWERS = []


def answer(check):
    ANSWERS.append(check)
    return check


class World:
    """An account with a stream, and what the answers need to know of it."""

    def __init__(self, url):
        self.checked = Checked(url, ACCOUNT)
        client = lambda service: self.checked.client(service, WEST)
        self.kinesis, self.awslambda, self.cloudwatch = client("kinesis"), client("lambda"), client("cloudwatch")
        self.stream_arn = self.stream(STREAM)

    def stream(self, name, region=WEST):
        kinesis = self.checked.client("kinesis", region)
        kinesis.create_stream(StreamName=name, ShardCount=1)
        kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        return f"arn:aws:kinesis:{region}:{ACCOUNT}:stream/{name}"

    def pending(self, name, variables=None, timeout=3):
        """A function that was made this moment."""
        return self.awslambda.create_function(
            FunctionName=name, Runtime="python3.12", Handler="index.handler", Timeout=timeout, Role=ROLE,
            Code={"ZipFile": b"PK\x05\x06" + b"\x00" * 18}, Environment={"Variables": variables or {}})

    def function(self, name, variables=None, timeout=3):
        arn = self.pending(name, variables, timeout)["FunctionArn"]
        self.awslambda.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        return arn

    def configuration(self, name):
        return self.awslambda.get_function_configuration(FunctionName=name)

    def updated(self, name):
        until("Successful", lambda: self.configuration(name)["LastUpdateStatus"] == "Successful")

    def consumer(self, stream_arn, name):
        """A fan-out consumer that is ACTIVE."""
        arn = self.kinesis.register_stream_consumer(StreamARN=stream_arn, ConsumerName=name)["Consumer"]["ConsumerARN"]
        seen = lambda: self.kinesis.describe_stream_consumer(ConsumerARN=arn)["ConsumerDescription"]
        until("ACTIVE", lambda: seen()["ConsumerStatus"] == "ACTIVE")
        return arn

    def create(self, **members):
        base = {"FunctionName": "consumer", "EventSourceArn": self.stream_arn}
        return self.awslambda.create_event_source_mapping(**{**base, **members})

    def refused(self, **members):
        base = {"FunctionName": "consumer", "EventSourceArn": self.stream_arn, "StartingPosition": "LATEST"}
        wanted = {key: value for key, value in {**base, **members}.items() if value is not None}
        return code_of(self.awslambda.create_event_source_mapping, **wanted)

    def seen(self, mapping):
        return self.awslambda.get_event_source_mapping(UUID=mapping["UUID"])

    def settled(self, mapping, *states):
        until("a settled mapping", lambda: self.seen(mapping)["State"] in (states or ("Enabled", "Disabled")))

    def gone(self, mapping):
        """Deletes it, and waits until that is done."""
        self.awslambda.delete_event_source_mapping(UUID=mapping["UUID"])
        listed = lambda: [m["UUID"] for page in self.awslambda.get_paginator("list_event_source_mappings").paginate()
                          for m in page["EventSourceMappings"]]
        until("its end", lambda: mapping["UUID"] not in listed())

    def now(self):
        summary = self.kinesis.describe_stream_summary(StreamName=STREAM)
        text = summary["ResponseMetadata"]["HTTPHeaders"]["date"]
        return datetime.datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=datetime.timezone.utc)

    def pass_time(self, **span):
        begun = self.now()
        until("time to pass", lambda: self.now() - begun >= datetime.timedelta(**span), limit=120)

    def shard(self, stream=STREAM):
        return self.kinesis.list_shards(StreamName=stream)["Shards"][0]["ShardId"]

    def iterator(self, stream=STREAM, kind="TRIM_HORIZON", **members):
        return self.kinesis.get_shard_iterator(
            StreamName=stream, ShardId=self.shard(stream), ShardIteratorType=kind, **members)["ShardIterator"]


def while_it_lasts(attempt, tries=10):
    """What is only so for some seconds: `attempt` says None where the machine was too slow to see it."""
    for _ in range(tries):
        found = attempt()
        if found is not None:
            return found
    raise AssertionError("this machine is too slow to see it")


def is_invalid(found, text):
    code, status, message = found
    assert (code, status) == ("InvalidParameterValueException", 400) and text in message, found


def main(made_of=World):
    """Asks the sandbox at the URL that is the program's argument."""
    world = made_of(sys.argv[1])
    differ = 0
    for check in ANSWERS:
        begun = time.monotonic()
        try:
            check(world)
            how = "ok"
        except Exception as error:  # every answer is looked at
            how, differ = f"DIFFERS {type(error).__name__}: {error}", differ + 1
        print(f"{how:8.400} {check.__name__} ({check.__doc__}) {time.monotonic() - begun:.1f} s", flush=True)
    for line in sorted(set(world.checked.wrong)):
        print("WRONG", line)
    sys.exit(1 if differ or world.checked.wrong else 0)
