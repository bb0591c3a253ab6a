"""moto behind a proxy that speaks CBOR (`cbor.py`), with the post's topology in it, in both Regions, and metrics of its
pipeline; with `--empty`, nothing. Prints its URL; ends when its standard input does.

moto refuses a mapping on a fan-out consumer's ARN, so the replicator reads the stream itself.
"""

import datetime
import io
import json
import logging
import sys
import zipfile

import boto3
from moto.server import ThreadedMotoServer

import cbor

PRIMARY, STANDBY = "us-west-2", "us-east-2"
SECRET = {"DB_PASSWORD": "s3cr3t-do-not-print"}


def archive():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    pass\n")
    return packed.getvalue()


def build(url):
    def client(service, region):
        keys = {"aws_access_key_id": "AKIARIG0000000000000", "aws_secret_access_key": "dummy"}
        return boto3.client(service, region_name=region, endpoint_url=url, **keys)

    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = client("iam", PRIMARY).create_role(RoleName="KDS-HA-Role", AssumeRolePolicyDocument=trust)

    def function(region, name, variables):
        client("lambda", region).create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=role["Role"]["Arn"],
            Handler="index.handler",
            Code={"ZipFile": archive()},
            Environment={"Variables": variables},
        )

    for region in (PRIMARY, STANDBY):
        client("kinesis", region).create_stream(StreamName="KDS-HA-Stream", ShardCount=2)
        client("kinesis", region).create_stream(StreamName="Unrelated", ShardCount=1)
        table = client("dynamodb", region)
        table.create_table(
            TableName="ticker-prices",
            KeySchema=[{"AttributeName": "ticker", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "ticker", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        item = {"ticker": {"S": "AMZN"}, "price": {"N": "1"}, "last_updated_region": {"S": PRIMARY}}
        table.put_item(TableName="ticker-prices", Item=item)
        function(region, "KDS-HA-ConsumerLambda", {"TABLE": "ticker-prices", **SECRET})
    function(PRIMARY, "KDS-HA-ReplicationAgentLambda", {"FAILOVER_REGION": STANDBY, **SECRET})
    function(PRIMARY, "KDS-HA-FailoverLambda", {"FAILOVER_REGION": STANDBY})
    producer = {"INPUT_STREAM": "KDS-HA-Stream", "PRODUCING_TO_REGION": PRIMARY, **SECRET}
    function(PRIMARY, "KDS-HA-ProducerLambda", producer)
    # More than a page of functions.
    for number in range(60):
        function(PRIMARY, f"Bystander-{number:02}", {"NUMBER": str(number)})
    stream = client("kinesis", PRIMARY).describe_stream_summary(StreamName="KDS-HA-Stream")
    arn = stream["StreamDescriptionSummary"]["StreamARN"]
    for name in ("KDS-HA-ConsumerLambda", "KDS-HA-ReplicationAgentLambda"):
        client("lambda", PRIMARY).create_event_source_mapping(
            FunctionName=name, EventSourceArn=arn, StartingPosition="LATEST", BatchSize=100
        )


    metrics(client("cloudwatch", PRIMARY))


def metrics(cloudwatch):
    """What moto does not measure by itself: a healthy pipeline's last quarter of an hour."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    stream = [{"Name": "StreamName", "Value": "KDS-HA-Stream"}]
    functions = [[{"Name": "FunctionName", "Value": name}]
                 for name in ("KDS-HA-ConsumerLambda", "KDS-HA-ReplicationAgentLambda", "KDS-HA-ProducerLambda")]
    of_streams = {"IncomingRecords": 600, "PutRecord.Success": 1, "GetRecords.Success": 1,
                  "GetRecords.IteratorAgeMilliseconds": 0, "WriteProvisionedThroughputExceeded": 0,
                  "ReadProvisionedThroughputExceeded": 0}
    of_functions = {"Invocations": 60, "Errors": 0, "Throttles": 0, "Duration": 40, "IteratorAge": 0}
    for minute in range(15):
        at = now - datetime.timedelta(minutes=minute)
        for namespace, places, values in (
                ("AWS/Kinesis", [stream], of_streams), ("AWS/Lambda", functions, of_functions)):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=[
                {"MetricName": name, "Dimensions": place, "Timestamp": at, "Value": value}
                for place in places for name, value in values.items()])


logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
if "--empty" not in sys.argv:
    build(f"http://{host}:{port}")
print(cbor.before(f"http://{host}:{port}"), flush=True)
sys.stdin.read()
server.stop()
