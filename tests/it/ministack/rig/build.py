"""Builds the post's topology, its functions, and bystanders that nothing may touch.

    python build.py [--warm] [--bare]

--warm also starts the consumer in the standby Region. Prints the producer's environment.
"""

import argparse
import io
import json
import pathlib
import zipfile

from common import (
    CONSUMER, FAILOVER, FAN_OUT, OTHER_FUNCTION, OTHER_STREAM, PRIMARY, PRODUCER, REGIONS, REPLICATOR, STANDBY, STREAM,
    TABLE, answer, client, stream_arn, until, wait_mapping,
)

FUNCTIONS = pathlib.Path(__file__).resolve().parent.parent / "functions"
ROLE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
# Variables that the post does not know. Its own command wipes them; a careless one spoils them.
AWKWARD = {
    "API_TOKEN": "s3cr3t-do-not-print",
    "BACKSLASHES": "C:\\temp\\new\\",
    "EMPTY": "",
    "EQUALS": "a=b==c&d=",
    "JSON": '{"k": [1, 2, {"n": null}], "s": "\\u00e9"}',
    "LINES": "first\nsecond\r\n\tthird\n",
    "PADDED": "  two spaces before, one after ",
    "QUOTES": "it's \"quoted\" `twice`",
    "ALSO_A_REGION": "us-west-2",
    "UNICODE": "Zürich 東京 🐎 e\u0301 \u202eright to left",
}
# Settings that differ from Lambda's defaults, so that a clone which forgets one is caught.
CONSUMER_SETTINGS = {
    "BatchSize": 25, "MaximumBatchingWindowInSeconds": 1, "ParallelizationFactor": 2, "BisectBatchOnFunctionError": True,
    "MaximumRetryAttempts": 7, "MaximumRecordAgeInSeconds": 86400, "FunctionResponseTypes": ["ReportBatchItemFailures"],
}


def zipped(name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("index.py", (2024, 1, 1, 0, 0, 0))
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, (FUNCTIONS / f"{name}.py").read_text(encoding="utf-8"))
    return buffer.getvalue()


def role():
    iam = client("iam", "us-east-1")
    created = iam.create_role(RoleName="KDS-HA-Role", AssumeRolePolicyDocument=json.dumps(ROLE_POLICY))
    # Where rights are checked, the functions may do everything: it is kdsha's rights that are tested.
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="KDS-HA-Role", PolicyName="everything", PolicyDocument=json.dumps(everything))
    return created["Role"]["Arn"]


def streams():
    for region in REGIONS:
        kinesis = client("kinesis", region)
        for name, shards in ((STREAM, 2), (OTHER_STREAM, 1)):
            kinesis.create_stream(StreamName=name, ShardCount=shards)
        kinesis.add_tags_to_stream(StreamName=STREAM, Tags={"team": "markets"})
    for region in REGIONS:
        for name in (STREAM, OTHER_STREAM):
            client("kinesis", region).get_waiter("stream_exists").wait(
                StreamName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100}
            )
    kinesis = client("kinesis", PRIMARY)
    registered = kinesis.register_stream_consumer(StreamARN=stream_arn(PRIMARY), ConsumerName=FAN_OUT)
    return registered["Consumer"]["ConsumerARN"]


def tables():
    for region in REGIONS:
        client("dynamodb", region).create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "ticker", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "ticker", "KeyType": "HASH"}],
        )


def function(region, name, code, role_arn, variables):
    client("lambda", region).create_function(
        FunctionName=name, Runtime="python3.11", Role=role_arn, Handler="index.lambda_handler",
        Code={"ZipFile": zipped(code)}, Timeout=3, Environment={"Variables": variables},
    )
    return region, name


def wait_active(region, name):
    get = client("lambda", region).get_function_configuration
    until(f"{name} in {region}", lambda: get(FunctionName=name)["State"] == "Active")


def mapping(region, name, source, **settings):
    created = client("lambda", region).create_event_source_mapping(
        FunctionName=name, EventSourceArn=source, **settings
    )
    return region, created["UUID"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--warm", action="store_true")
    arguments.add_argument("--bare", action="store_true", help="do not wait for the mappings to poll")
    options = arguments.parse_args()
    role_arn, fan_out = role(), streams()
    tables()
    environment = {"INPUT_STREAM": STREAM, "PRODUCING_TO_REGION": PRIMARY, **AWKWARD}
    functions = [
        function(PRIMARY, PRODUCER, "producer", role_arn, environment),
        function(PRIMARY, REPLICATOR, "replicator", role_arn, {"FAILOVER_REGION": STANDBY}),
        function(PRIMARY, FAILOVER, "bystander", role_arn, {"FAILOVER_REGION": STANDBY}),
    ]
    for region in REGIONS:
        functions.append(function(region, CONSUMER, "consumer", role_arn, {"TABLE": TABLE}))
        functions.append(function(region, OTHER_FUNCTION, "bystander", role_arn, {"PRODUCING_TO_REGION": "untouched"}))
    for region, name in functions:
        wait_active(region, name)
    made = [
        mapping(PRIMARY, CONSUMER, stream_arn(PRIMARY), StartingPosition="TRIM_HORIZON", **CONSUMER_SETTINGS),
        mapping(PRIMARY, REPLICATOR, fan_out, StartingPosition="TRIM_HORIZON", BatchSize=50),
        mapping(PRIMARY, OTHER_FUNCTION, stream_arn(PRIMARY, OTHER_STREAM), StartingPosition="TRIM_HORIZON", BatchSize=10),
        # Another team reads the very same stream.
        mapping(PRIMARY, OTHER_FUNCTION, stream_arn(PRIMARY), StartingPosition="TRIM_HORIZON", BatchSize=500),
    ]
    if options.warm:
        made.append(
            mapping(STANDBY, CONSUMER, stream_arn(STANDBY), StartingPosition="TRIM_HORIZON", **CONSUMER_SETTINGS)
        )
    for region, uuid in made:
        if not options.bare:
            wait_mapping(region, uuid, "Enabled")
    answer({"environment": environment})


if __name__ == "__main__":
    main()
