"""What AWS was recorded to answer of mappings, and what they do; sources and run as in recorded.py."""

import json
import uuid

from aws import code_of
from recording import ACCOUNT, World, answer, is_invalid, main, while_it_lasts
from topology import EAST, WEST, until


class Mappings(World):
    """An account with functions that write what they read to a table each: processed is what is there."""

    def __init__(self, url):
        super().__init__(url)
        self.dynamodb = self.checked.client("dynamodb", WEST)
        for name in ("one", "two"):
            self.dynamodb.create_table(
                TableName=name, BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "ticker", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "ticker", "AttributeType": "S"}])
            self.function(f"consumer-{name}", {"TABLE": name})
            self.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})

    def put(self, stream):
        """A record; the ticker in it."""
        ticker = uuid.uuid4().hex
        data = json.dumps({"ticker": ticker, "price": 1}).encode()
        self.kinesis.put_record(StreamName=stream, PartitionKey="k", Data=data)
        return ticker

    def has(self, ticker, table="one"):
        return "Item" in self.dynamodb.get_item(TableName=table, Key={"ticker": {"S": ticker}})

    def processed(self, ticker, table="one"):
        until("a processed record", lambda: self.has(ticker, table))

    def mapped(self, stream_arn, function="consumer-one", **members):
        made = self.create(EventSourceArn=stream_arn, FunctionName=function,
                           **{"StartingPosition": "TRIM_HORIZON", **members})
        self.settled(made)
        return made


@answer
def the_last_result_is_ok_after_work(world):
    """LS test_create_kinesis_event_source_mapping: LastProcessingResult is OK once a batch was processed."""
    mapping = world.mapped(world.stream("worked"))
    assert world.seen(mapping)["LastProcessingResult"] == "No records processed"
    world.processed(world.put("worked"))
    until("OK", lambda: world.seen(mapping)["LastProcessingResult"] == "OK")


@answer
def a_destination_is_removed_by_an_empty_one(world):
    """BC DestinationConfig: OnFailure is removed by an empty Destination, and kept where it is not named."""
    target = f"arn:aws:sqs:{WEST}:{ACCOUNT}:failed"
    mapping = world.mapped(world.stream("destined"), DestinationConfig={"OnFailure": {"Destination": target}})
    update = lambda **members: world.awslambda.update_event_source_mapping(UUID=mapping["UUID"], **members)
    assert update(BatchSize=7)["DestinationConfig"] == {"OnFailure": {"Destination": target}}
    world.settled(mapping)
    update(DestinationConfig={"OnFailure": {"Destination": ""}})
    world.settled(mapping)
    assert world.seen(mapping)["DestinationConfig"] == {"OnFailure": {}}


@answer
def encrypted_filters_are_not_listed(world):
    """BC FilterCriteria: encrypted filters are null in List and plain in Get; others are in both."""
    filters = {"Filters": [{"Pattern": '{"partitionKey": ["k"]}'}]}
    key = f"arn:aws:kms:{WEST}:{ACCOUNT}:key/11111111-2222-4333-8444-555555555555"
    arn = world.stream("filtered")
    sealed = world.mapped(arn, FilterCriteria=filters, KMSKeyArn=key)
    plain = world.mapped(arn, "consumer-two", FilterCriteria=filters)
    listed = {m["UUID"]: m for m in world.awslambda.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]}
    assert listed[sealed["UUID"]].get("FilterCriteria") is None and listed[sealed["UUID"]]["KMSKeyArn"] == key
    assert listed[plain["UUID"]]["FilterCriteria"] == filters
    assert world.seen(sealed)["FilterCriteria"] == world.seen(plain)["FilterCriteria"] == filters


@answer
def a_position_cannot_be_updated(world):
    """BC UpdateEventSourceMapping: no member for it; who sends one changes nothing."""
    mapping = world.mapped(world.stream("positioned"))
    client = world.checked.client("lambda", WEST)
    members = client.meta.service_model.operation_model("UpdateEventSourceMapping").input_shape.members
    assert not {"StartingPosition", "StartingPositionTimestamp", "EventSourceArn"} & set(members)
    def smuggle(params, **_):
        params["body"] = json.dumps({**json.loads(params["body"]), "StartingPosition": "LATEST"}).encode()
    client.meta.events.register("before-call.lambda.UpdateEventSourceMapping", smuggle)
    changed = client.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=8)
    assert (changed["StartingPosition"], changed["BatchSize"]) == ("TRIM_HORIZON", 8), changed


@answer
def an_enabled_mapping_does_not_poll_yet_and_latest_is_where_it_first_polls(world):
    """LDG services-kinesis-create, LSpy test_lambda_integration_kinesis: LATEST misses what comes before it polls."""
    names = iter(f"latest-{number}" for number in range(10))
    def attempt():
        name = next(names)
        mapping = world.mapped(world.stream(name), StartingPosition="LATEST")
        begun = world.now()
        assert world.seen(mapping)["State"] == "Enabled"
        missed = world.put(name)
        # The shortest time until the sandbox polls is fifteen seconds.
        return (name, missed) if (world.now() - begun).total_seconds() < 10 else None
    name, missed = while_it_lasts(attempt)
    world.pass_time(minutes=2)
    world.processed(world.put(name))
    assert not world.has(missed)


@answer
def a_disabled_mapping_reads_on_for_a_while(world):
    """LSpy test_lambda_integration_kinesis: after Disabled the test still sleeps, the state is no real indication."""
    mapping = world.mapped(world.stream("stopping"))
    change = lambda on: world.awslambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)
    def attempt():
        world.settled(mapping, "Enabled")
        world.processed(world.put("stopping"))
        change(False)
        world.settled(mapping, "Disabled")
        late = world.put("stopping")
        world.pass_time(seconds=40)
        was_read, after = world.has(late), world.put("stopping")
        world.pass_time(seconds=20)
        assert not world.has(after), "it is stopped by then"
        change(True)
        return True if was_read else None
    while_it_lasts(attempt, tries=4)


@answer
def a_mapping_that_is_created_anew_has_lost_its_place(world):
    """GH awslabs/lambda-streams-to-firehose#28: a checkpoint is the mapping's, not the function's."""
    arn = world.stream("anew")
    mapping, first = world.mapped(arn), world.put("anew")
    world.processed(first)
    world.gone(mapping)
    world.dynamodb.delete_item(TableName="one", Key={"ticker": {"S": first}})
    world.mapped(arn)
    world.processed(first)


@answer
def another_function_goes_on_from_the_same_place(world):
    """BC UpdateEventSourceMapping: the function can be changed, and reading resumed from the same location."""
    mapping, first = world.mapped(world.stream("handed")), world.put("handed")
    world.processed(first)
    until("a resting mapping", lambda: world.seen(mapping)["LastProcessingResult"] == "OK")
    world.awslambda.update_event_source_mapping(UUID=mapping["UUID"], FunctionName="consumer-two")
    world.settled(mapping)
    world.processed(world.put("handed"), "two")
    assert not world.has(first, "two")


@answer
def two_functions_read_one_stream(world):
    """LS multiple_lambdas_single_kinesis_event_stream: both mappings are taken, each gets every record."""
    arn = world.stream("shared")
    for function in ("consumer-one", "consumer-two"):
        world.mapped(arn, function)
    ticker = world.put("shared")
    world.processed(ticker, "one")
    world.processed(ticker, "two")


@answer
def a_mapping_is_in_use_while_it_is_created(world):
    """BC UpdateEventSourceMapping, DeleteEventSourceMapping: ResourceInUseException while Creating."""
    names = iter(f"creating-{number}" for number in range(10))
    def attempt():
        made = world.create(EventSourceArn=world.stream(next(names)), FunctionName="consumer-one",
                            StartingPosition="LATEST", Enabled=False)
        try:
            return [code_of(world.awslambda.update_event_source_mapping, UUID=made["UUID"], BatchSize=9)[:2],
                    code_of(world.awslambda.delete_event_source_mapping, UUID=made["UUID"])[:2]]
        except AssertionError:
            assert world.seen(made)["State"] != "Creating", "it was taken while Creating"
    assert while_it_lasts(attempt) == [("ResourceInUseException", 400)] * 2


@answer
def a_mapping_cannot_be_made_for_a_function_of_another_region(world):
    """LS test_get_function_wrong_region: the same 404 in CreateEventSourceMapping."""
    arn = f"arn:aws:lambda:{EAST}:{ACCOUNT}:function:consumer-one"
    assert world.refused(FunctionName=arn) == (
        "ResourceNotFoundException", 404, f"Functions from '{EAST}' are not reachable in this region ('{WEST}')")


@answer
def a_stream_of_another_region_is_not_found(world):
    """LS test_esm_with_not_existing_kinesis_stream: Stream not found, as for one that is nowhere."""
    arn = world.stream_arn.replace(WEST, EAST)
    is_invalid(world.refused(FunctionName="consumer-one", EventSourceArn=arn), f"Stream not found: {arn}")


@answer
def one_fan_out_consumer_goes_into_two_mappings(world):
    """BC SubscribeToShard (a later subscription takes over): no rule of CreateEventSourceMapping forbids it."""
    consumer = world.consumer(world.stream("fanned"), "efo")
    made = [world.mapped(consumer, function, Enabled=False) for function in ("consumer-one", "consumer-two")]
    assert [m["EventSourceArn"] for m in made] == [consumer] * 2 and made[0]["UUID"] != made[1]["UUID"]
    code, status, _ = world.refused(FunctionName="consumer-one", EventSourceArn=consumer)
    assert (code, status) == ("ResourceConflictException", 409)


if __name__ == "__main__":
    main(Mappings)
