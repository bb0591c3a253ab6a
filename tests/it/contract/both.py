"""The same calls on the sandbox and on moto, which others wrote; their answers are compared field by field.

    both.py SANDBOX MOTO

What differs by nature (ids, times, hashes) is compared by type. Every other difference has to be in `DIFFERENCES`, with
who is right and why, and every one of those has to be seen. Prints a row a call; exits 1 otherwise.
"""

import datetime
import json
import sys

import boto3
import botocore.exceptions
from botocore.config import Config

from topology import until

REGION, ACCOUNT = "us-west-2", "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/KDS-HA-Role"
ARN = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/S"
CODE = {"ZipFile": b"PK\x05\x06" + b"\x00" * 18}
DELAY = {"Delay": 1, "MaxAttempts": 60}

# By nature different in every run: compared by type alone.
VOLATILE = {
    "RevisionId", "UUID", "CodeSha256", "CodeSize", "SequenceNumber", "StartingSequenceNumber", "ShardIterator",
    "NextShardIterator", "TableId", "LastModified", "ConsumerARN", "EventSourceMappingArn", "Location", "UserId", "Arn",
    "Message", "message", "MillisBehindLatest",
}


ANYTHING = object()
MAPPINGS = ("lambda.CreateEventSourceMapping", "lambda.GetEventSourceMapping",
            "lambda.ListEventSourceMappings.EventSourceMappings", "lambda.UpdateEventSourceMapping",
            "lambda.DeleteEventSourceMapping")
FUNCTIONS = ("lambda.CreateFunction", "lambda.GetFunction.Configuration", "lambda.GetFunctionConfiguration",
             "lambda.UpdateFunctionConfiguration", "lambda.ListFunctions.Functions", "lambda.PublishVersion",
             "lambda.ListVersionsByFunction.Versions")
TABLES = ("dynamodb.CreateTable.TableDescription", "dynamodb.DescribeTable.Table",
          "dynamodb.DeleteTable.TableDescription")
METRICS = ("cloudwatch.GetMetricData", "cloudwatch.GetMetricData of nothing")
CREATED = "the sandbox: every default is echoed (LS test_create_kinesis_event_source_mapping)"


def each(places, members):
    return {f"{place}.{member}": told for place in places for member, told in members.items()}


# By path, one an operation: what the sandbox says (a tuple: one of these), who is right, and why.
DIFFERENCES = {
    "kinesis.DescribeStreamSummary.StreamDescriptionSummary.ConsumerCount":
        (0, "the sandbox: BC has it, AWS always gives it"),
    "kinesis.DescribeStreamSummary.StreamDescriptionSummary.MaxRecordSizeInKiB":
        (1024, "the sandbox: BC has it; kdsha compares it between the Regions"),
    "kinesis.DescribeStream.StreamDescription.StreamModeDetails":
        ({"StreamMode": "PROVISIONED"}, "the sandbox: BC has it for both modes"),
    "kinesis.RegisterStreamConsumer.Consumer.ConsumerStatus":
        ("CREATING", "the sandbox: a consumer is CREATING first (BC ConsumerStatus)"),
    **each(["kinesis.RegisterStreamConsumer again"], {
        "Consumer": (None, "the sandbox: ResourceInUseException (BC RegisterStreamConsumer)"),
        "Message": ("str", "the sandbox: as above"),
        "code": ("ResourceInUseException", "the sandbox: as above"),
        "status": (400, "the sandbox: as above"),
    }),
    "kinesis.ListStreamConsumers.Consumers":
        (ANYTHING, "the sandbox: one consumer; moto has registered the name twice"),
    **each(FUNCTIONS, {
        "RevisionId": ("str", "the sandbox: AWS gives one with every configuration (LS test_function_revisions_basic)"),
        "LoggingConfig": ({"LogFormat": "Text", "LogGroup": "/aws/lambda/f"},
                          "the sandbox: AWS gives Text and the log group by default (LS, every snapshot of a function)"),
        "Layers": (None, "the sandbox: AWS leaves it out where there are none (LS, as above)"),
    }),
    **each(["lambda.CreateFunction"], {
        "State": ("Pending", "the sandbox: Pending, Creating, and why (LDG functions-states)"),
        "StateReason": ("The function is being created.", "the sandbox: as above"),
        "StateReasonCode": ("Creating", "the sandbox: as above"),
    }),
    **each(["lambda.UpdateFunctionConfiguration"], {
        "LastUpdateStatus": ("InProgress", "the sandbox: InProgress first (LDG functions-states)"),
        "LastUpdateStatusReason": ("The function is being created.", "the sandbox: as above"),
        "LastUpdateStatusReasonCode": ("Creating", "the sandbox: as above"),
    }),
    "lambda.GetAlias.status": (200, "the sandbox: 200 (BC responseCode)"),
    "lambda.UpdateAlias.status": (200, "the sandbox: 200 (BC responseCode)"),
    "lambda.TagResource.status": (204, "the sandbox: 204 (BC responseCode)"),
    "lambda.CreateEventSourceMapping.status": (202, "the sandbox: 202 (BC responseCode)"),
    "lambda.CreateEventSourceMapping.State":
        ("Creating", "the sandbox: Creating first (LS test_create_kinesis_event_source_mapping)"),
    "lambda.UpdateEventSourceMapping.State": ("Updating", "the sandbox: Updating first (LS, as above)"),
    **each(MAPPINGS, {
        "StateTransitionReason": ("User action", "the sandbox: 'User action' (LS, as above)"),
        "LastProcessingResult": (("No records processed", "OK"), "the sandbox: as LS has it, before and after work"),
        "BisectBatchOnFunctionError": (False, CREATED),
        "DestinationConfig": ({"OnFailure": {}}, CREATED),
        "FunctionResponseTypes": ([], CREATED),
        "MaximumBatchingWindowInSeconds": (0, CREATED),
        "MaximumRecordAgeInSeconds": (-1, CREATED),
        "MaximumRetryAttempts": (-1, CREATED),
        "ParallelizationFactor": (1, CREATED),
        "TumblingWindowInSeconds": (0, CREATED),
    }),
    **each(TABLES, {
        "TableId": ("str", "the sandbox: BC has it, AWS gives every table one"),
        "GlobalSecondaryIndexes": (None, "the sandbox: left out where there are none (BC TableDescription)"),
        "LocalSecondaryIndexes": (None, "the sandbox: as above"),
    }),
    "dynamodb.CreateTable.TableDescription.TableStatus": ("CREATING", "the sandbox: CREATING (BC TableStatus)"),
    "dynamodb.DeleteTable.TableDescription.TableStatus": ("DELETING", "the sandbox: DELETING (BC TableStatus)"),
    **each(METRICS, {
        "Messages": ([], "the sandbox: an empty list (the AWS CLI's example of get-metric-data)"),
        "MetricDataResults.Label":
            (ANYTHING, "the sandbox: the metric's name, where one statistic of it is asked for"),
    }),
    "cloudwatch.GetMetricStatistics.Datapoints.Unit":
        ("None", "the sandbox: None is said as a word (BC StandardUnit)"),
}


def steps(client, is_sandbox):
    """(name, call) of every step, in order; `client` makes clients."""
    kinesis, awslambda, dynamodb = client("kinesis"), client("lambda"), client("dynamodb")
    cloudwatch = client("cloudwatch")
    kept = {}

    def keep(name, answer):
        kept[name] = answer
        return answer

    yield "sts.GetCallerIdentity", lambda: client("sts").get_caller_identity()
    yield "kinesis.CreateStream", lambda: kinesis.create_stream(StreamName="S", ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName="S", WaiterConfig=DELAY)
    yield "kinesis.CreateStream again", lambda: kinesis.create_stream(StreamName="S", ShardCount=2)
    yield "kinesis.DescribeStreamSummary", lambda: kinesis.describe_stream_summary(StreamName="S")
    yield "kinesis.DescribeStream", lambda: kinesis.describe_stream(StreamName="S")
    yield "kinesis.ListStreams", lambda: kinesis.list_streams()
    yield "kinesis.ListShards", lambda: keep("shards", kinesis.list_shards(StreamName="S"))
    yield "kinesis.PutRecord", lambda: keep("put", kinesis.put_record(StreamName="S", PartitionKey="a", Data=b"1"))
    yield "kinesis.PutRecords", lambda: kinesis.put_records(
        StreamName="S", Records=[{"PartitionKey": key, "Data": key.encode()} for key in "abc"])
    at = lambda: kinesis.get_shard_iterator(
        StreamName="S", ShardId=kept["put"]["ShardId"], ShardIteratorType="TRIM_HORIZON")

    def read():
        """An iterator lives for five seconds of this machine's: it is got and used in one step."""
        return kinesis.get_records(ShardIterator=at()["ShardIterator"], Limit=1)

    yield "kinesis.GetShardIterator", at
    yield "kinesis.GetRecords", read
    yield "kinesis.GetShardIterator of nothing", lambda: kinesis.get_shard_iterator(
        StreamName="S", ShardId="shardId-000000000009", ShardIteratorType="LATEST")
    yield "kinesis.DescribeStreamSummary of nothing", lambda: kinesis.describe_stream_summary(StreamName="none")
    yield "kinesis.AddTagsToStream", lambda: kinesis.add_tags_to_stream(StreamName="S", Tags={"kdsha:run": "1"})
    yield "kinesis.ListTagsForStream", lambda: kinesis.list_tags_for_stream(StreamName="S")
    yield "kinesis.RemoveTagsFromStream", lambda: kinesis.remove_tags_from_stream(StreamName="S", TagKeys=["kdsha:run"])
    yield "kinesis.IncreaseStreamRetentionPeriod", lambda: kinesis.increase_stream_retention_period(
        StreamName="S", RetentionPeriodHours=48)
    yield "kinesis.RegisterStreamConsumer", lambda: kinesis.register_stream_consumer(StreamARN=ARN, ConsumerName="c")
    yield "kinesis.RegisterStreamConsumer again", lambda: kinesis.register_stream_consumer(
        StreamARN=ARN, ConsumerName="c")
    yield "kinesis.ListStreamConsumers", lambda: kinesis.list_stream_consumers(StreamARN=ARN)
    described = lambda: kinesis.describe_stream_consumer(StreamARN=ARN, ConsumerName="c")
    until("a consumer", lambda: described()["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE")
    yield "kinesis.DescribeStreamConsumer", described

    yield "lambda.CreateFunction", lambda: awslambda.create_function(
        FunctionName="f", Runtime="python3.12", Handler="index.handler", Role=ROLE, Code=CODE, Timeout=5,
        Environment={"Variables": {"ONE": "1"}})
    awslambda.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig=DELAY)
    yield "lambda.CreateFunction again", lambda: awslambda.create_function(
        FunctionName="f", Runtime="python3.12", Handler="index.handler", Role=ROLE, Code=CODE)
    yield "lambda.GetFunction", lambda: awslambda.get_function(FunctionName="f")
    yield "lambda.GetFunctionConfiguration", lambda: awslambda.get_function_configuration(FunctionName="f")
    yield "lambda.GetFunction of nothing", lambda: awslambda.get_function(FunctionName="none")
    yield "lambda.UpdateFunctionConfiguration", lambda: awslambda.update_function_configuration(
        FunctionName="f", Environment={"Variables": {"ONE": "2"}})
    awslambda.get_waiter("function_updated_v2").wait(FunctionName="f", WaiterConfig=DELAY)
    yield "lambda.ListFunctions", lambda: awslambda.list_functions()
    yield "lambda.PublishVersion", lambda: awslambda.publish_version(FunctionName="f")
    yield "lambda.ListVersionsByFunction", lambda: awslambda.list_versions_by_function(FunctionName="f")
    yield "lambda.CreateAlias", lambda: awslambda.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    yield "lambda.GetAlias", lambda: awslambda.get_alias(FunctionName="f", Name="live")
    yield "lambda.ListAliases", lambda: awslambda.list_aliases(FunctionName="f")
    yield "lambda.UpdateAlias", lambda: awslambda.update_alias(FunctionName="f", Name="live", FunctionVersion="1")
    yield "lambda.PutFunctionConcurrency", lambda: awslambda.put_function_concurrency(
        FunctionName="f", ReservedConcurrentExecutions=5)
    yield "lambda.GetFunctionConcurrency", lambda: awslambda.get_function_concurrency(FunctionName="f")
    yield "lambda.DeleteFunctionConcurrency", lambda: awslambda.delete_function_concurrency(FunctionName="f")
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    yield "lambda.TagResource", lambda: awslambda.tag_resource(Resource=arn, Tags={"stack": "s"})
    yield "lambda.ListTags", lambda: awslambda.list_tags(Resource=arn)
    yield "lambda.UntagResource", lambda: awslambda.untag_resource(Resource=arn, TagKeys=["stack"])
    yield "lambda.CreateEventSourceMapping", lambda: keep("mapping", awslambda.create_event_source_mapping(
        FunctionName="f", EventSourceArn=ARN, StartingPosition="TRIM_HORIZON", BatchSize=50))
    settled = lambda: awslambda.get_event_source_mapping(UUID=kept["mapping"]["UUID"])
    until("a mapping", lambda: settled()["State"] != "Creating")
    yield "lambda.GetEventSourceMapping", settled
    yield "lambda.ListEventSourceMappings", lambda: awslambda.list_event_source_mappings(FunctionName="f")
    yield "lambda.UpdateEventSourceMapping", lambda: awslambda.update_event_source_mapping(
        UUID=kept["mapping"]["UUID"], BatchSize=60)
    until("its update", lambda: settled()["State"] != "Updating")
    yield "lambda.DeleteEventSourceMapping", lambda: awslambda.delete_event_source_mapping(UUID=kept["mapping"]["UUID"])
    yield "lambda.GetEventSourceMapping of nothing", lambda: awslambda.get_event_source_mapping(
        UUID="00000000-0000-4000-8000-000000000000")

    key = {"ticker": {"S": "AMZN"}}
    yield "dynamodb.CreateTable", lambda: dynamodb.create_table(
        TableName="t", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "ticker", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "ticker", "AttributeType": "S"}])
    dynamodb.get_waiter("table_exists").wait(TableName="t", WaiterConfig=DELAY)
    yield "dynamodb.DescribeTable", lambda: dynamodb.describe_table(TableName="t")
    yield "dynamodb.DescribeTable of nothing", lambda: dynamodb.describe_table(TableName="none")
    yield "dynamodb.ListTables", lambda: dynamodb.list_tables()
    yield "dynamodb.PutItem", lambda: dynamodb.put_item(TableName="t", Item={**key, "price": {"N": "1.5"}})
    yield "dynamodb.GetItem", lambda: dynamodb.get_item(TableName="t", Key=key)
    yield "dynamodb.Scan", lambda: dynamodb.scan(TableName="t")
    yield "dynamodb.Query", lambda: dynamodb.query(
        TableName="t", KeyConditionExpression="ticker = :t", ExpressionAttributeValues={":t": {"S": "AMZN"}})
    yield "dynamodb.DeleteItem", lambda: dynamodb.delete_item(TableName="t", Key=key)
    yield "dynamodb.DeleteTable", lambda: dynamodb.delete_table(TableName="t")

    now = summary_time(kinesis) if is_sandbox else datetime.datetime.now(datetime.timezone.utc)
    minute = now.replace(second=0, microsecond=0) - datetime.timedelta(minutes=10)
    metric = {"Namespace": "both", "MetricName": "m", "Dimensions": [{"Name": "D", "Value": "v"}]}
    span = {"StartTime": minute - datetime.timedelta(minutes=5), "EndTime": minute + datetime.timedelta(minutes=5)}
    yield "cloudwatch.PutMetricData", lambda: cloudwatch.put_metric_data(Namespace="both", MetricData=[
        {"MetricName": "m", "Dimensions": metric["Dimensions"], "Timestamp": minute, "Value": value}
        for value in (1.0, 3.0)])
    query = lambda name: {"Id": "m", "MetricStat": {"Metric": dict(metric, MetricName=name), "Period": 60, "Stat": "Maximum"}}
    yield "cloudwatch.GetMetricData", lambda: cloudwatch.get_metric_data(MetricDataQueries=[query("m")], **span)
    yield "cloudwatch.GetMetricData of nothing", lambda: cloudwatch.get_metric_data(
        MetricDataQueries=[query("none")], **span)
    yield "cloudwatch.GetMetricStatistics", lambda: cloudwatch.get_metric_statistics(
        Period=60, Statistics=["Sum", "Maximum", "SampleCount"], **metric, **span)
    yield "cloudwatch.ListMetrics", lambda: cloudwatch.list_metrics(Namespace="both")


def summary_time(kinesis):
    date = kinesis.describe_stream_summary(StreamName="S")["ResponseMetadata"]["HTTPHeaders"]["date"]
    return datetime.datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=datetime.timezone.utc)


def answered(call):
    try:
        answer = call()
        status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
        return {"status": status, **answer}
    except botocore.exceptions.ClientError as error:
        response = error.response
        return {"status": response["ResponseMetadata"]["HTTPStatusCode"], "code": response["Error"]["Code"],
                "Message": response["Error"]["Message"]}


def play(url, is_sandbox):
    def client(service):
        keys = {"aws_access_key_id": ACCOUNT if is_sandbox else "AKIARIG0000000000000", "aws_secret_access_key": "x"}
        config = Config(retries={"max_attempts": 1, "mode": "standard"})
        return boto3.client(service, region_name=REGION, endpoint_url=url, config=config, **keys)

    if not is_sandbox:
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        client("iam").create_role(RoleName="KDS-HA-Role", AssumeRolePolicyDocument=trust)
    return {name: answered(call) for name, call in steps(client, is_sandbox)}


def differences(path, ours, theirs):
    """(path, ours, theirs) of every field that differs."""
    name = path.rsplit(".", 1)[-1]
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(set(ours) | set(theirs)):
            yield from differences(f"{path}.{key}", ours.get(key), theirs.get(key))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for inner, other in zip(ours, theirs):
            yield from differences(path, inner, other)
    elif isinstance(ours, datetime.datetime) or name in VOLATILE:
        if type(ours) is not type(theirs):
            yield path, type(ours).__name__, type(theirs).__name__
    elif ours != theirs:
        yield path, ours, theirs


def main(sandbox, moto):
    ours, theirs = play(sandbox, True), play(moto, False)
    unseen, wrong = set(DIFFERENCES), 0
    for name, answer in ours.items():
        found = list(dict.fromkeys((path, repr(one), repr(other)) for path, one, other in differences(
            name, answer, theirs[name])))
        print(f"{'same' if not found else f'{len(found)} differ':9} {name}")
        for path, one, other in found:
            said, why = DIFFERENCES.get(path, (None, ""))
            allowed = said if isinstance(said, tuple) else (said,)
            is_known = path in DIFFERENCES and (said is ANYTHING or one in map(repr, allowed))
            unseen.discard(path)
            wrong += not is_known
            why = why if is_known else f"NOT EXPLAINED, expected {said!r}"
            print(f"    {path}: sandbox {one:.160}, moto {other:.160}: {why}")
    for key in sorted(unseen):
        print(f"WRONG: {key} does not differ any more")
    return 1 if wrong or unseen else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
