"""The post's topology, built in an empty account of the sandbox by boto3, used, and taken down again.

    topology.py URL

Every answer is held to botocore's models (`aws.py`), then every operation is sent requests that break one rule of its
model each (`malformed.py`). Prints a row an operation; exits 1 with what was wrong.
"""

import sys
import time

from aws import Checked
from malformed import walk

ACCOUNT = "111122223333"
WEST, EAST = "us-west-2", "us-east-2"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/KDS-HA-Role"
STREAM = "KDS-HA-Stream"


def stream_arn(region):
    return f"arn:aws:kinesis:{region}:{ACCOUNT}:stream/{STREAM}"


def until(what, seen, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found = seen()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen in {limit} s")


def paged(client, operation, member, size=1, **members):
    """All of a list, a few a page: where there is more than a page, more than one has come."""
    pages = list(client.get_paginator(operation).paginate(**members, PaginationConfig={"PageSize": size}))
    found = [one for page in pages for one in page[member]]
    assert len(pages) >= -(-len(found) // size), (operation, len(pages), len(found))
    return found


def seconds_of(answer):
    """The server's clock in an answer."""
    date = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
    return time.mktime(time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone


def stream(kinesis, region):
    kinesis.create_stream(StreamName=STREAM, ShardCount=2, Tags={"team": "prices"})
    kinesis.get_waiter("stream_exists").wait(StreamName=STREAM, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    kinesis.increase_stream_retention_period(StreamName=STREAM, RetentionPeriodHours=48)
    until("ACTIVE", lambda: summary(kinesis)["StreamStatus"] == "ACTIVE")
    kinesis.decrease_stream_retention_period(StreamName=STREAM, RetentionPeriodHours=24)
    until("ACTIVE", lambda: summary(kinesis)["StreamStatus"] == "ACTIVE")
    assert summary(kinesis)["StreamARN"] == stream_arn(region)
    kinesis.add_tags_to_stream(StreamName=STREAM, Tags={"kdsha:run": "1", "other": "2"})
    kinesis.remove_tags_from_stream(StreamName=STREAM, TagKeys=["other"])
    tags = {tag["Key"]: tag["Value"] for tag in kinesis.list_tags_for_stream(StreamName=STREAM)["Tags"]}
    assert tags == {"team": "prices", "kdsha:run": "1"}, tags
    kinesis.create_stream(StreamName="Another", ShardCount=1)
    names = paged(kinesis, "list_streams", "StreamNames")
    assert names == ["Another", STREAM], names
    kinesis.get_waiter("stream_exists").wait(StreamName="Another", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    kinesis.delete_stream(StreamName="Another")
    shards = paged(kinesis, "list_shards", "Shards", StreamName=STREAM)
    assert len(shards) == 2, shards
    described = kinesis.describe_stream(StreamName=STREAM)["StreamDescription"]
    assert [s["ShardId"] for s in described["Shards"]] == [s["ShardId"] for s in shards]
    described = list(kinesis.get_paginator("describe_stream").paginate(
        StreamName=STREAM, PaginationConfig={"PageSize": 1}))
    assert [[s["ShardId"] for s in page["StreamDescription"]["Shards"]] for page in described] == [
        [s["ShardId"]] for s in shards]
    kinesis.enable_enhanced_monitoring(StreamName=STREAM, ShardLevelMetrics=["IteratorAgeMilliseconds"])
    kinesis.disable_enhanced_monitoring(StreamName=STREAM, ShardLevelMetrics=["IteratorAgeMilliseconds"])
    consumer = kinesis.register_stream_consumer(StreamARN=stream_arn(region), ConsumerName="efo")["Consumer"]
    assert consumer["ConsumerStatus"] == "CREATING", consumer
    until("a consumer", lambda: kinesis.describe_stream_consumer(
        ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE")
    second = kinesis.register_stream_consumer(StreamARN=stream_arn(region), ConsumerName="second")["Consumer"]
    found = paged(kinesis, "list_stream_consumers", "Consumers", StreamARN=stream_arn(region))
    assert [c["ConsumerName"] for c in found] == ["efo", "second"], found
    kinesis.deregister_stream_consumer(ConsumerARN=second["ConsumerARN"])
    return consumer["ConsumerARN"], [s["ShardId"] for s in shards]


def summary(kinesis):
    return kinesis.describe_stream_summary(StreamName=STREAM)["StreamDescriptionSummary"]


def resharding(kinesis):
    """Split, merge, scale: the closed shards are listed, and point to what they came from."""
    closed = lambda: [s for page in kinesis.get_paginator("list_shards").paginate(StreamName=STREAM)
                      for s in page["Shards"] if "EndingSequenceNumber" in s["SequenceNumberRange"]]
    active = lambda: summary(kinesis)["StreamStatus"] == "ACTIVE"
    shards = kinesis.list_shards(StreamName=STREAM, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    low, high = (int(shards[0]["HashKeyRange"][key]) for key in ("StartingHashKey", "EndingHashKey"))
    split = kinesis.split_shard(
        StreamName=STREAM, ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=str((low + high) // 2))
    seen = kinesis.describe_stream_summary(StreamName=STREAM)
    # A slow machine comes when it is over.
    if seconds_of(seen) - seconds_of(split) < 3:
        assert seen["StreamDescriptionSummary"]["StreamStatus"] == "UPDATING", seen
    until("the split", active)
    assert [s["ShardId"] for s in closed()] == [shards[0]["ShardId"]]
    halves = [s["ShardId"] for s in kinesis.list_shards(StreamName=STREAM, ShardFilter={"Type": "AT_LATEST"})["Shards"]
              if s.get("ParentShardId") == shards[0]["ShardId"]]
    kinesis.merge_shards(StreamName=STREAM, ShardToMerge=halves[0], AdjacentShardToMerge=halves[1])
    until("the merge", active)
    merged = kinesis.list_shards(StreamName=STREAM, ShardFilter={"Type": "AT_LATEST"})["Shards"][-1]
    assert {merged["ParentShardId"], merged["AdjacentParentShardId"]} == set(halves), merged
    scaled = kinesis.update_shard_count(StreamName=STREAM, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    assert (scaled["CurrentShardCount"], scaled["TargetShardCount"]) == (2, 4), scaled
    until("four shards", lambda: active() and summary(kinesis)["OpenShardCount"] == 4)
    at = kinesis.get_shard_iterator(StreamName=STREAM, ShardId=shards[0]["ShardId"], ShardIteratorType="TRIM_HORIZON")
    page = kinesis.get_records(ShardIterator=at["ShardIterator"])
    assert "NextShardIterator" not in page and len(page["ChildShards"]) == 2, page
    kinesis.update_max_record_size(StreamARN=summary(kinesis)["StreamARN"], MaxRecordSizeInKiB=2048)
    assert summary(kinesis)["MaxRecordSizeInKiB"] == 2048


def subscription(kinesis, consumer_arn, shard):
    """Enhanced fan-out: records are pushed; a second subscription within five seconds is refused."""
    answer = kinesis.subscribe_to_shard(
        ConsumerARN=consumer_arn, ShardId=shard, StartingPosition={"Type": "TRIM_HORIZON"})
    events = iter(answer["EventStream"])
    first = next(events)["SubscribeToShardEvent"]
    pushed = kinesis.put_record(StreamName=STREAM, PartitionKey="b", Data=b"pushed", ExplicitHashKey="0")
    seen = list(first["Records"])
    while b"pushed" not in [r["Data"] for r in seen] and pushed["ShardId"] == shard:
        seen += next(events)["SubscribeToShardEvent"]["Records"]
    assert first["ContinuationSequenceNumber"]
    answer["EventStream"].close()


def records(kinesis, shards):
    one = kinesis.put_record(StreamName=STREAM, PartitionKey="a", Data=b"\x00\xff")
    several = kinesis.put_records(StreamName=STREAM, Records=[
        {"PartitionKey": f"key-{n}", "Data": f"record {n}".encode()} for n in range(20)])
    assert several["FailedRecordCount"] == 0 and len(several["Records"]) == 20
    found = []
    for shard in shards:
        at = kinesis.get_shard_iterator(StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        page = kinesis.get_records(ShardIterator=at["ShardIterator"], Limit=100)
        assert page["MillisBehindLatest"] == 0 and page["NextShardIterator"]
        found += page["Records"]
    assert len(found) == 21 and b"\x00\xff" in [r["Data"] for r in found], found
    after = kinesis.get_shard_iterator(StreamName=STREAM, ShardId=one["ShardId"], ShardIteratorType="AT_SEQUENCE_NUMBER",
                                       StartingSequenceNumber=one["SequenceNumber"])
    assert kinesis.get_records(ShardIterator=after["ShardIterator"])["Records"][0]["Data"] == b"\x00\xff"
    latest = kinesis.get_shard_iterator(StreamName=STREAM, ShardId=shards[0], ShardIteratorType="LATEST")
    assert kinesis.get_records(ShardIterator=latest["ShardIterator"])["Records"] == []


def function(awslambda, name, variables):
    made = awslambda.create_function(
        FunctionName=name, Runtime="python3.12", Handler="lambda_function.lambda_handler", Role=ROLE, Timeout=30,
        Code={"ZipFile": b"PK\x05\x06" + b"\x00" * 18}, Environment={"Variables": variables})
    assert made["State"] == "Pending", made["State"]
    for waiter in ("function_exists", "function_active", "function_active_v2"):
        awslambda.get_waiter(waiter).wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return made["FunctionArn"]


def functions(awslambda, region):
    arn = function(awslambda, "KDS-HA-ProducerLambda", {"INPUT_STREAM": STREAM, "PRODUCING_TO_REGION": region})
    function(awslambda, "KDS-HA-ConsumerLambda", {"DDB_TABLE_NAME": "prices"})
    name = "KDS-HA-ProducerLambda"
    before = awslambda.get_function_configuration(FunctionName=name)
    awslambda.update_function_configuration(
        FunctionName=name, RevisionId=before["RevisionId"],
        Environment={"Variables": {"INPUT_STREAM": STREAM, "PRODUCING_TO_REGION": region, "MORE": "1"}})
    for waiter in ("function_updated", "function_updated_v2"):
        awslambda.get_waiter(waiter).wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert awslambda.get_function(FunctionName=name)["Configuration"]["Environment"]["Variables"]["MORE"] == "1"
    version = awslambda.publish_version(FunctionName=name)["Version"]
    awslambda.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    alias = awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    assert awslambda.get_alias(FunctionName=name, Name="live")["RevisionId"] == alias["RevisionId"]
    awslambda.update_alias(FunctionName=name, Name="live", FunctionVersion=version, RevisionId=alias["RevisionId"])
    awslambda.create_alias(FunctionName=name, Name="next", FunctionVersion="$LATEST")
    assert [a["Name"] for a in paged(awslambda, "list_aliases", "Aliases", FunctionName=name)] == ["live", "next"]
    awslambda.delete_alias(FunctionName=name, Name="next")
    versions = paged(awslambda, "list_versions_by_function", "Versions", FunctionName=name)
    assert [v["Version"] for v in versions] == ["$LATEST", version]
    awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    assert awslambda.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 5
    assert awslambda.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 995
    awslambda.delete_function_concurrency(FunctionName=name)
    awslambda.tag_resource(Resource=arn, Tags={"stack": "prices", "more": "x"})
    awslambda.untag_resource(Resource=arn, TagKeys=["more"])
    assert awslambda.list_tags(Resource=arn)["Tags"] == {"stack": "prices"}
    invoked = awslambda.invoke(FunctionName="KDS-HA-ConsumerLambda", Payload=b"{}")
    assert invoked["StatusCode"] == 200 and invoked["ExecutedVersion"] == "$LATEST", invoked
    invoked["Payload"].read()
    assert len(paged(awslambda, "list_functions", "Functions")) == 2


def mappings(awslambda, region, consumer_arn):
    made = awslambda.create_event_source_mapping(
        FunctionName="KDS-HA-ConsumerLambda", EventSourceArn=stream_arn(region), StartingPosition="TRIM_HORIZON",
        BatchSize=100, MetricsConfig={"Metrics": ["EventCount"]}, MaximumRetryAttempts=5,
        BisectBatchOnFunctionError=True, FunctionResponseTypes=["ReportBatchItemFailures"])
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202 and made["State"] == "Creating", made
    uuid = made["UUID"]
    state = lambda: awslambda.get_event_source_mapping(UUID=uuid)["State"]
    until("Enabled", lambda: state() == "Enabled")
    fan_out = awslambda.create_event_source_mapping(
        FunctionName="KDS-HA-ConsumerLambda", EventSourceArn=consumer_arn, StartingPosition="LATEST", Enabled=False)
    until("Disabled", lambda: awslambda.get_event_source_mapping(UUID=fan_out["UUID"])["State"] == "Disabled")
    changed = awslambda.update_event_source_mapping(UUID=uuid, Enabled=False)
    assert changed["State"] in ("Updating", "Disabling"), changed["State"]
    until("Disabled", lambda: state() == "Disabled")
    found = paged(awslambda, "list_event_source_mappings", "EventSourceMappings", FunctionName="KDS-HA-ConsumerLambda")
    found = {m["UUID"] for m in found}
    assert found == {uuid, fan_out["UUID"]}, found
    of_stream = awslambda.list_event_source_mappings(EventSourceArn=stream_arn(region))["EventSourceMappings"]
    assert [m["UUID"] for m in of_stream] == [uuid]
    return [uuid, fan_out["UUID"]]


def table(dynamodb):
    dynamodb.create_table(
        TableName="prices", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "ticker", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "ticker", "AttributeType": "S"}])
    dynamodb.get_waiter("table_exists").wait(TableName="prices", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert dynamodb.describe_table(TableName="prices")["Table"]["TableStatus"] == "ACTIVE"
    dynamodb.create_table(
        TableName="quotes", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "ticker", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "ticker", "AttributeType": "S"}])
    assert paged(dynamodb, "list_tables", "TableNames") == ["prices", "quotes"]
    dynamodb.get_waiter("table_exists").wait(TableName="quotes", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    dynamodb.delete_table(TableName="quotes")
    key, item = {"ticker": {"S": "AMZN"}}, {"ticker": {"S": "AMZN"}, "price": {"N": "1.5"}, "in": {"S": WEST}}
    dynamodb.put_item(TableName="prices", Item=item)
    assert dynamodb.get_item(TableName="prices", Key=key)["Item"] == item
    other = dict(item, ticker={"S": "MSFT"})
    dynamodb.put_item(TableName="prices", Item=other)
    assert paged(dynamodb, "scan", "Items", TableName="prices") == [item, other]
    pages = dynamodb.get_paginator("query").paginate(
        TableName="prices", KeyConditionExpression="ticker = :t", ExpressionAttributeValues={":t": {"S": "AMZN"}})
    assert [i for page in pages for i in page["Items"]] == [item]
    dynamodb.delete_item(TableName="prices", Key=key)
    assert "Item" not in dynamodb.get_item(TableName="prices", Key=key)


def metrics(checked, region, now):
    """The same metrics through every protocol that a client of CloudWatch speaks; a large body is compressed."""
    minute = int(now // 60) * 60 - 180
    for protocol in ("json", "query", "smithy-rpc-v2-cbor"):
        cloudwatch = checked.client("cloudwatch", region, protocol=protocol)
        name, dimensions = f"of-{protocol}", [{"Name": "Place", "Value": region}]
        datum = {"MetricName": name, "Dimensions": dimensions, "Timestamp": minute, "Value": 2.5, "Unit": "Count"}
        cloudwatch.put_metric_data(Namespace="kdsha/contract", MetricData=[datum])
        many = [dict(datum, MetricName=f"{name}-{n}", Value=float(n)) for n in range(200)]
        cloudwatch.put_metric_data(Namespace="kdsha/contract", MetricData=many)
        metric = {"Namespace": "kdsha/contract", "MetricName": name, "Dimensions": dimensions}
        seen = lambda: cloudwatch.get_metric_data(
            StartTime=minute - 600, EndTime=minute + 600, ScanBy="TimestampAscending", MetricDataQueries=[
                {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}])["MetricDataResults"][0]
        result = until("a data point", lambda: seen()["Values"] and seen())
        assert (result["Values"], [at.timestamp() for at in result["Timestamps"]]) == ([2.5], [minute]), result
        points = cloudwatch.get_metric_statistics(
            StartTime=minute - 600, EndTime=minute + 600, Period=60, Statistics=["Sum", "Maximum"], **metric)
        assert [p["Maximum"] for p in points["Datapoints"]] == [2.5], points
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            StartTime=minute - 600, EndTime=minute + 600, MetricDataQueries=[
                {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}])
        assert [r["Values"] for page in pages for r in page["MetricDataResults"]] == [[2.5]]
        pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace="kdsha/contract", MetricName=f"{name}-199")
        assert len([m for page in pages for m in page["Metrics"]]) == 1
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace="kdsha/contract"))
    assert [len(page["Metrics"]) for page in pages] == [500, 103], [len(page["Metrics"]) for page in pages]


def take_down(kinesis, awslambda, dynamodb, consumer_arn, uuids):
    for uuid in uuids:
        gone = awslambda.delete_event_source_mapping(UUID=uuid)
        assert gone["State"] == "Deleting", gone["State"]
    until("no mapping", lambda: not awslambda.list_event_source_mappings()["EventSourceMappings"])
    awslambda.delete_alias(FunctionName="KDS-HA-ProducerLambda", Name="live")
    for name in ("KDS-HA-ProducerLambda", "KDS-HA-ConsumerLambda"):
        awslambda.delete_function(FunctionName=name)
    assert awslambda.list_functions()["Functions"] == []
    dynamodb.delete_table(TableName="prices")
    dynamodb.get_waiter("table_not_exists").wait(TableName="prices", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    kinesis.deregister_stream_consumer(ConsumerARN=consumer_arn)
    until("no consumer", lambda: not kinesis.list_stream_consumers(StreamARN=consumer_arn.split("/consumer")[0])["Consumers"])
    kinesis.delete_stream(StreamName=STREAM)
    kinesis.get_waiter("stream_not_exists").wait(StreamName=STREAM, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def main(url):
    checked = Checked(url, ACCOUNT)
    for region in (WEST, EAST, "eu-central-1"):
        kinesis, awslambda, dynamodb = (checked.client(s, region) for s in ("kinesis", "lambda", "dynamodb"))
        who = checked.client("sts", region).get_caller_identity()
        assert who["Account"] == ACCOUNT, who
        consumer_arn, shards = stream(kinesis, region)
        records(kinesis, shards)
        subscription(kinesis, consumer_arn, shards[0])
        resharding(kinesis)
        functions(awslambda, region)
        uuids = mappings(awslambda, region, consumer_arn)
        table(dynamodb)
        metrics(checked, region, seconds_of(kinesis.describe_stream_summary(StreamName=STREAM)))
        take_down(kinesis, awslambda, dynamodb, consumer_arn, uuids)
    wrong = sorted(set(checked.wrong))
    calls = {operation: (number, codes) for operation, number, codes in checked.table()}
    print(f"{'operation':42} {'taken':>5} {'refused':>7}  errors")
    for operation, refused, taken in walk(checked):
        number, codes = calls.get(operation, (0, []))
        print(f"{operation:42} {number:5} {refused:7}  {' '.join(codes)}")
        wrong += [f"{operation}: {line}" for line in taken]
    for line in wrong:
        print("WRONG", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
