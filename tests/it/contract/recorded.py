"""What AWS was recorded to answer, or documents that it answers, one function each; its first line names the source.

    recorded.py URL

The sources are LocalStack's snapshots, which are recorded from AWS (LS: localstack/localstack@8b9a79f,
tests/aws/services/lambda_), botocore's models (BC), the guides (LDG: Lambda, KDG: Kinesis, CWUG: CloudWatch), and
threads (GH). Prints a line an answer; exits 1 if one differs.
"""

import datetime

from aws import code_of
from recording import ACCOUNT, World, answer, is_invalid, main
from topology import STREAM, WEST, EAST, until


class Mapped(World):
    """An account with a stream, a function that has aliases, and a mapping between the two."""

    def __init__(self, url):
        super().__init__(url)
        self.function("consumer")
        self.mapping = self.create(StartingPosition="LATEST", MaximumRecordAgeInSeconds=-1)
        self.settled(self.mapping)

    def alias(self, name):
        self.awslambda.create_alias(FunctionName="consumer", Name=name, FunctionVersion="$LATEST")
        return f"consumer:{name}"


@answer
def a_created_mapping_echoes_its_defaults(world):
    """LS test_create_kinesis_event_source_mapping: 202, Creating, User action, No records processed."""
    made = world.mapping
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    expected = {"State": "Creating", "StateTransitionReason": "User action", "BatchSize": 100,
                "LastProcessingResult": "No records processed", "StartingPosition": "LATEST",
                "MaximumBatchingWindowInSeconds": 0, "ParallelizationFactor": 1, "MaximumRecordAgeInSeconds": -1,
                "BisectBatchOnFunctionError": False, "MaximumRetryAttempts": -1, "TumblingWindowInSeconds": 0,
                "FunctionResponseTypes": [], "DestinationConfig": {"OnFailure": {}}}
    found = {key: made.get(key) for key in expected}
    assert found == expected, found


@answer
def a_duplicate_mapping_is_refused_with_the_uuid_of_the_first(world):
    """LS test_duplicate_event_source_mappings: 409, the quotes are padded with spaces."""
    code, status, message = world.refused()
    assert (code, status) == ("ResourceConflictException", 409)
    assert message == (
        f'The event source arn (" {world.stream_arn} ") and function (" consumer ") provided mapping already exists. '
        f'Please update or delete the existing mapping with UUID {world.mapping["UUID"]}'), message


@answer
def a_missing_stream_is_a_400_and_not_a_404(world):
    """LS test_esm_with_not_existing_kinesis_stream: InvalidParameterValueException, Stream not found."""
    arn = world.stream_arn + "-none"
    is_invalid(world.refused(EventSourceArn=arn), f"Stream not found: {arn}")


@answer
def a_missing_function_is_a_400_and_not_a_404(world):
    """LS test_event_source_mapping_exceptions: InvalidParameterValueException, Function does not exist."""
    is_invalid(world.refused(FunctionName="nobody"), "Function does not exist")


@answer
def a_starting_position_is_required(world):
    """LS test_create_event_source_validation_kinesis: startingPosition must not be null."""
    is_invalid(world.refused(StartingPosition=None), "Value null at 'startingPosition'")


@answer
def a_timestamp_goes_with_at_timestamp(world):
    """BC CreateEventSourceMapping: AT_TIMESTAMP needs StartingPositionTimestamp."""
    is_invalid(world.refused(StartingPosition="AT_TIMESTAMP"), "StartingPositionTimestamp")


@answer
def a_mapping_cannot_start_in_the_future(world):
    """BC CreateEventSourceMapping: StartingPositionTimestamp cannot be in the future."""
    later = world.now() + datetime.timedelta(hours=1)
    is_invalid(world.refused(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=later), "future")


@answer
def a_record_age_below_a_minute_is_refused(world):
    """BC EventSourceMappingConfiguration: -1 or 60 to 604,800 seconds."""
    is_invalid(world.refused(MaximumRecordAgeInSeconds=30), "MaximumRecordAgeInSeconds")


@answer
def a_large_batch_needs_no_batching_window(world):
    """LS test_create_kinesis_event_source_mapping: more than 10 with window 0 is taken, whatever the model says."""
    large = world.create(FunctionName=world.alias("large"), BatchSize=10_000, StartingPosition="LATEST", Enabled=False)
    assert (large["BatchSize"], large["MaximumBatchingWindowInSeconds"]) == (10_000, 0), large
    world.settled(large)
    world.gone(large)


@answer
def a_function_of_another_region_is_not_reachable(world):
    """LS test_get_function_wrong_region: 404, Functions from '...' are not reachable in this region."""
    arn = f"arn:aws:lambda:{EAST}:{ACCOUNT}:function:consumer"
    code, status, message = code_of(world.awslambda.get_function, FunctionName=arn)
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert message == f"Functions from '{EAST}' are not reachable in this region ('{WEST}')", message


@answer
def an_unknown_mapping_is_a_404(world):
    """LS test_event_source_mapping_exceptions: The resource you requested does not exist."""
    nobody = "00000000-0000-4000-8000-000000000000"
    for call in (world.awslambda.get_event_source_mapping, world.awslambda.delete_event_source_mapping,
                 world.awslambda.update_event_source_mapping):
        code, status, message = code_of(call, UUID=nobody)
        assert (code, status) == ("ResourceNotFoundException", 404), (code, status)
        assert message == "The resource you requested does not exist.", message


@answer
def a_mapping_in_transition_is_in_use(world):
    """BC Update/DeleteEventSourceMapping: ResourceInUseException, 400."""
    world.awslambda.update_event_source_mapping(UUID=world.mapping["UUID"], BatchSize=50)
    code, status, _ = code_of(world.awslambda.delete_event_source_mapping, UUID=world.mapping["UUID"])
    assert (code, status) == ("ResourceInUseException", 400)
    world.settled(world.mapping)


@answer
def a_disabled_mapping_keeps_its_place(world):
    """BC UpdateEventSourceMapping, LDG with-kinesis: resume later from the same location."""
    def invocations():
        now = world.now()
        points = world.cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="Invocations", Dimensions=[{"Name": "FunctionName", "Value": "consumer"}],
            StartTime=now - datetime.timedelta(hours=2), EndTime=now, Period=60, Statistics=["Sum"])["Datapoints"]
        return sum(point["Sum"] for point in points)
    put = lambda data: world.kinesis.put_record(StreamName=STREAM, PartitionKey="k", Data=data)
    # A mapping at LATEST has no place before it has polled.
    until("polling", lambda: put(b"once") and invocations())
    world.awslambda.update_event_source_mapping(UUID=world.mapping["UUID"], Enabled=False)
    until("Disabled", lambda: world.seen(world.mapping)["State"] == "Disabled")
    stopped = world.now()
    until("polling to stop", lambda: world.now() - stopped > datetime.timedelta(minutes=4))
    before = invocations()
    put(b"while it was off")
    world.awslambda.update_event_source_mapping(UUID=world.mapping["UUID"], Enabled=True)
    until("the record of the pause", lambda: invocations() > before)
    world.settled(world.mapping)


@answer
def a_page_of_mappings_has_at_most_a_hundred(world):
    """BC ListEventSourceMappings: a page has at most 100, whatever MaxItems says."""
    for number in range(105):
        world.awslambda.create_event_source_mapping(
            FunctionName=world.alias(f"alias-{number}"), EventSourceArn=world.stream_arn, StartingPosition="LATEST",
            Enabled=False)
    page = world.awslambda.list_event_source_mappings(MaxItems=1000)
    assert len(page["EventSourceMappings"]) == 100 and page["NextMarker"]
    pages = world.awslambda.get_paginator("list_event_source_mappings").paginate(FunctionName="consumer")
    assert sum(len(page["EventSourceMappings"]) for page in pages) == 106


@answer
def a_revision_changes_twice_with_an_update(world):
    """LS test_function_revisions_basic: once in the answer, once when the update is Successful."""
    get = lambda: world.awslambda.get_function_configuration(FunctionName="consumer")
    first = get()["RevisionId"]
    second = world.awslambda.update_function_configuration(FunctionName="consumer", Timeout=4)
    assert second["LastUpdateStatus"] == "InProgress" and second["RevisionId"] != first
    until("Successful", lambda: get()["LastUpdateStatus"] == "Successful")
    assert get()["RevisionId"] not in (first, second["RevisionId"])


@answer
def a_stale_revision_is_a_412(world):
    """LS test_function_revisions_basic: PreconditionFailedException."""
    code, status, message = code_of(
        world.awslambda.update_function_configuration, FunctionName="consumer", Timeout=5,
        RevisionId="00000000-0000-4000-8000-000000000000")
    assert (code, status) == ("PreconditionFailedException", 412), (code, status)
    assert message.startswith("The Revision Id provided does not match the latest Revision Id."), message


@answer
def an_update_in_progress_is_a_409(world):
    """LS test_lambda_concurrent_config_updates: ResourceConflictException with the function's ARN."""
    made = world.awslambda.update_function_configuration(FunctionName="consumer", Timeout=6)
    code, status, message = code_of(world.awslambda.update_function_configuration, FunctionName="consumer", Timeout=7)
    assert (code, status) == ("ResourceConflictException", 409), (code, status)
    assert message == ("The operation cannot be performed at this time. An update is in progress for resource: "
                       + made["FunctionArn"]), message
    world.awslambda.get_waiter("function_updated_v2").wait(
        FunctionName="consumer", WaiterConfig={"Delay": 1, "MaxAttempts": 60})


@answer
def variables_are_replaced_as_a_whole(world):
    """LDG configuration-envvars: the entire contents of the Variables structure is replaced."""
    update = lambda variables: world.awslambda.update_function_configuration(
        FunctionName="consumer", Environment={"Variables": variables})
    update({"ONE": "1", "TWO": "2"})
    world.awslambda.get_waiter("function_updated_v2").wait(FunctionName="consumer", WaiterConfig={"Delay": 1})
    update({"ONE": "1"})
    world.awslambda.get_waiter("function_updated_v2").wait(FunctionName="consumer", WaiterConfig={"Delay": 1})
    found = world.awslambda.get_function_configuration(FunctionName="consumer")["Environment"]["Variables"]
    assert found == {"ONE": "1"}, found


@answer
def an_environment_over_4_kb_is_refused_with_its_values(world):
    """LS TestLambdaSizeLimits: 400, the text has every value in clear."""
    code, status, message = code_of(
        world.awslambda.update_function_configuration, FunctionName="consumer",
        Environment={"Variables": {"LONG": "x" * 4100}})
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert "exceeded the 4KB limit. String measured: {" in message and "xxxx" in message


@answer
def reserved_variables_cannot_be_set(world):
    """LDG configuration-envvars: reserved keys."""
    found = code_of(world.awslambda.update_function_configuration, FunctionName="consumer",
                    Environment={"Variables": {"AWS_REGION": "x"}})
    is_invalid(found, "AWS_REGION")


@answer
def a_published_version_keeps_its_variables(world):
    """LDG configuration-versions: the configuration of a published version does not change."""
    version = world.awslambda.publish_version(FunctionName="consumer")["Version"]
    world.awslambda.get_waiter("published_version_active").wait(
        FunctionName="consumer", Qualifier=version, WaiterConfig={"Delay": 1})
    world.awslambda.update_function_configuration(FunctionName="consumer", Environment={"Variables": {"THREE": "3"}})
    world.awslambda.get_waiter("function_updated_v2").wait(FunctionName="consumer", WaiterConfig={"Delay": 1})
    kept = world.awslambda.get_function_configuration(FunctionName="consumer", Qualifier=version)
    assert kept["Environment"]["Variables"] == {"ONE": "1"}, kept["Environment"]


@answer
def an_iterator_in_the_future_is_refused_with_the_servers_clock(world):
    """GH harlow/kinesis-consumer#116: InvalidArgumentException names currentTimestampInMillis."""
    code, status, message = code_of(
        world.kinesis.get_shard_iterator, StreamName=STREAM, ShardId=world.shard(), ShardIteratorType="AT_TIMESTAMP",
        Timestamp=world.now() + datetime.timedelta(hours=1))
    assert (code, status) == ("InvalidArgumentException", 400)
    assert "cannot be greater than the currentTimestampInMillis" in message and message.count("TimestampInMillis:") == 1


@answer
def a_missing_stream_is_a_400_of_kinesis(world):
    """BC kinesis errors: ResourceNotFoundException comes with status 400."""
    code, status, message = code_of(world.kinesis.describe_stream_summary, StreamName="None")
    assert (code, status) == ("ResourceNotFoundException", 400)
    assert message == f"Stream None under account {ACCOUNT} not found.", message


@answer
def more_than_500_records_are_refused(world):
    """KDG service-sizes-and-limits: 500 records a PutRecords request."""
    client = world.checked.client("kinesis", WEST, validate=False)
    code, status, _ = code_of(
        client.put_records, StreamName=STREAM, Records=[{"PartitionKey": "k", "Data": b"x"}] * 501)
    assert (code, status) == ("ValidationException", 400)


@answer
def a_consumer_that_is_registered_anew_has_another_arn(world):
    """BC RegisterStreamConsumer: the creation time is part of the ARN."""
    def register():
        made = world.kinesis.register_stream_consumer(StreamARN=world.stream_arn, ConsumerName="c")["Consumer"]
        seen = lambda: world.kinesis.describe_stream_consumer(ConsumerARN=made["ConsumerARN"])
        until("ACTIVE", lambda: seen()["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE")
        return made["ConsumerARN"]
    first = register()
    world.kinesis.deregister_stream_consumer(ConsumerARN=first)
    until("no consumer", lambda: not world.kinesis.list_stream_consumers(StreamARN=world.stream_arn)["Consumers"])
    assert register() != first


@answer
def no_data_is_not_zero(world):
    """BC GetMetricData: a metric without data points has none; its status is Complete."""
    now = world.now()
    query = {"Id": "m", "MetricStat": {"Period": 60, "Stat": "Maximum", "Metric": {
        "Namespace": "AWS/Kinesis", "MetricName": "GetRecords.IteratorAgeMilliseconds",
        "Dimensions": [{"Name": "StreamName", "Value": "nothing"}]}}}
    found = world.cloudwatch.get_metric_data(
        StartTime=now - datetime.timedelta(hours=1), EndTime=now, MetricDataQueries=[query])["MetricDataResults"][0]
    assert (found["Values"], found["Timestamps"], found["StatusCode"]) == ([], [], "Complete"), found


@answer
def a_point_is_stamped_with_the_beginning_of_its_minute(world):
    """CWUG cloudwatch_concepts: a data point is stamped with the beginning of its period; newest first by default."""
    now = world.now()
    at = now.replace(second=31, microsecond=0) - datetime.timedelta(minutes=5)
    data = [{"MetricName": "m", "Timestamp": at + datetime.timedelta(minutes=n), "Value": n} for n in (0, 1)]
    world.cloudwatch.put_metric_data(Namespace="recorded", MetricData=data)
    query = {"Id": "m", "MetricStat": {"Period": 60, "Stat": "Maximum", "Metric": {
        "Namespace": "recorded", "MetricName": "m"}}}
    read = lambda: world.cloudwatch.get_metric_data(
        StartTime=at - datetime.timedelta(minutes=10), EndTime=now, MetricDataQueries=[query])["MetricDataResults"][0]
    until("two points", lambda: len(read()["Values"]) == 2)
    stamps = [stamp.astimezone(datetime.timezone.utc) for stamp in read()["Timestamps"]]
    first = at.replace(second=0)
    assert stamps == [first + datetime.timedelta(minutes=1), first], stamps


@answer
def a_polling_mapping_counts_empty_polls(world):
    """LDG monitoring-metrics-types: PolledEventCount is 0 for an empty poll, where EventCount is asked for."""
    world.awslambda.update_event_source_mapping(UUID=world.mapping["UUID"], MetricsConfig={"Metrics": ["EventCount"]})
    world.settled(world.mapping)
    since = world.now()
    query = {"Id": "m", "MetricStat": {"Period": 60, "Stat": "SampleCount", "Metric": {
        "Namespace": "AWS/Lambda", "MetricName": "PolledEventCount",
        "Dimensions": [{"Name": "EventSourceMappingUUID", "Value": world.mapping["UUID"]}]}}}
    until("a sign of polling", lambda: world.cloudwatch.get_metric_data(
        StartTime=since, EndTime=world.now() + datetime.timedelta(minutes=1),
        MetricDataQueries=[query])["MetricDataResults"][0]["Values"])


@answer
def a_deleted_mapping_is_deleting_and_then_gone(world):
    """BC DeleteEventSourceMapping: Deleting for a while, 202; then 404. Until then the pair is taken."""
    world.settled(world.mapping)
    gone = world.awslambda.delete_event_source_mapping(UUID=world.mapping["UUID"])
    assert (gone["State"], gone["ResponseMetadata"]["HTTPStatusCode"]) == ("Deleting", 202)
    assert world.refused()[:2] == ("ResourceConflictException", 409)
    listed = lambda: [m["UUID"] for page in world.awslambda.get_paginator("list_event_source_mappings").paginate()
                      for m in page["EventSourceMappings"]]
    until("its end", lambda: world.mapping["UUID"] not in listed())
    code, status, _ = code_of(world.awslambda.get_event_source_mapping, UUID=world.mapping["UUID"])
    assert (code, status) == ("ResourceNotFoundException", 404)


if __name__ == "__main__":
    main(Mapped)
