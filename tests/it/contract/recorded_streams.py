"""What AWS documents of streams and their limits, which are by the second; sources and run as in recorded.py."""

from aws import code_of
from recording import World, answer, main, while_it_lasts
from topology import STREAM, WEST

DRY = ("DryRunOperationException", 400, "The request was rejected because the DryRun parameter was specified.")


class Streams(World):
    """An account with a stream."""

    def tiny(self, count):
        """A PutRecords of so many bytes that nothing but their number can be too much."""
        return self.kinesis.put_records(
            StreamName=STREAM, Records=[{"PartitionKey": "k", "Data": b"x"}] * count)


def seconds_since(world, begun):
    """How many seconds of the server's clock have had a part in what happened since then."""
    return int((world.now() - begun).total_seconds()) + 1


@answer
def a_dry_run_says_so_and_does_nothing(world):
    """BC DryRun of PutRecord, PutRecords, GetShardIterator, GetRecords, SubscribeToShard: DryRunOperationException."""
    kinesis, arn = world.kinesis, world.stream("dry")
    consumer, start = world.consumer(arn, "efo"), {"Type": "TRIM_HORIZON"}
    at = world.iterator("dry")
    record = {"PartitionKey": "k", "Data": b"x"}
    assert code_of(kinesis.put_record, StreamName="dry", DryRun=True, **record) == DRY
    assert code_of(kinesis.put_records, StreamName="dry", DryRun=True, Records=[record]) == DRY
    assert code_of(kinesis.get_shard_iterator, StreamName="dry", ShardId=world.shard("dry"),
                   ShardIteratorType="LATEST", DryRun=True) == DRY
    assert code_of(kinesis.get_records, ShardIterator=at, DryRun=True) == DRY
    subscribe = lambda **more: kinesis.subscribe_to_shard(
        ConsumerARN=consumer, ShardId=world.shard("dry"), StartingPosition=start, **more)
    assert code_of(subscribe, DryRun=True) == DRY
    assert kinesis.get_records(ShardIterator=at)["Records"] == [], "it was written"
    subscribe()["EventStream"].close()
    # What would be refused is refused for that.
    assert code_of(kinesis.put_record, StreamName="none", DryRun=True, **record)[0] == "ResourceNotFoundException"


@answer
def a_consumer_that_is_being_made_cannot_subscribe(world):
    """BC ConsumerStatus, ResourceInUseException: the resource must be ACTIVE."""
    names = iter(f"young-{number}" for number in range(4))
    def attempt():
        arn = world.kinesis.register_stream_consumer(
            StreamARN=world.stream_arn, ConsumerName=next(names))["Consumer"]["ConsumerARN"]
        try:
            return code_of(world.kinesis.subscribe_to_shard, ConsumerARN=arn, ShardId=world.shard(),
                           StartingPosition={"Type": "LATEST"})[:2]
        except AssertionError:
            seen = world.kinesis.describe_stream_consumer(ConsumerARN=arn)["ConsumerDescription"]
            assert seen["ConsumerStatus"] == "ACTIVE", "it was taken while CREATING"
    assert while_it_lasts(attempt, tries=4) == ("ResourceInUseException", 400)


@answer
def a_second_subscription_is_refused_for_five_seconds_and_then_takes_over(world):
    """BC SubscribeToShard: ResourceInUseException within 5 s of a successful call; later, the call takes over."""
    consumer = world.consumer(world.stream_arn, "twice")
    subscribe = lambda: world.kinesis.subscribe_to_shard(
        ConsumerARN=consumer, ShardId=world.shard(), StartingPosition={"Type": "LATEST"})
    def attempt():
        begun = world.now()
        first = subscribe()["EventStream"]
        try:
            return first, code_of(subscribe)[:2]
        except AssertionError:
            assert (world.now() - begun).total_seconds() >= 4, "it was taken within five seconds"
    first, found = while_it_lasts(attempt)
    assert found == ("ResourceInUseException", 400)
    world.pass_time(seconds=6)
    second = subscribe()["EventStream"]
    assert next(iter(second))["SubscribeToShardEvent"]["MillisBehindLatest"] == 0
    first.close()
    second.close()


@answer
def a_put_of_more_than_ten_mebibytes_is_refused(world):
    """BC PutRecords: up to a limit of 10 MiB for the entire request, including partition keys."""
    records = lambda bytes_each: [{"PartitionKey": "k" * 16, "Data": b"x" * bytes_each} for _ in range(11)]
    code, status, _ = code_of(world.kinesis.put_records, StreamName=STREAM, Records=records(1_000_000))
    assert (code, status) == ("InvalidArgumentException", 400)
    most = 10 * 1024 * 1024 // 11
    assert code_of(world.kinesis.put_records, StreamName=STREAM, Records=records(most))[0] == "InvalidArgumentException"
    assert len(world.kinesis.put_records(StreamName=STREAM, Records=records(most - 16))["Records"]) == 11


@answer
def a_shard_takes_a_thousand_records_a_second(world):
    """KDG service-sizes-and-limits: partial failure comes with status 200 and a code a record."""
    def attempt():
        begun = world.now()
        answers = [world.tiny(500) for _ in range(12)]
        most = 1000 * seconds_since(world, begun)
        failed = [record for one in answers for record in one["Records"] if "ErrorCode" in record]
        assert sum(one["FailedRecordCount"] for one in answers) == len(failed)
        if most >= 6000:
            return None
        # What another answer of this script has put in the same second counts too.
        assert 900 <= 6000 - len(failed) <= most, (len(failed), most)
        return {record["ErrorCode"] for record in failed}
    assert while_it_lasts(attempt) == {"ProvisionedThroughputExceededException"}


@answer
def a_shard_answers_five_reads_a_second(world):
    """KDG service-sizes-and-limits, BC GetRecords: five transactions a second a shard, then an error without data."""
    at = world.iterator(kind="LATEST")
    def attempt():
        begun, codes = world.now(), []
        for _ in range(60):
            try:
                codes.append(code_of(world.kinesis.get_records, ShardIterator=at)[:2])
            except AssertionError:
                pass
        most = 5 * seconds_since(world, begun)
        if most >= 60:
            return None
        assert 5 <= 60 - len(codes) <= most, (len(codes), most)
        return set(codes)
    assert while_it_lasts(attempt) == {("ProvisionedThroughputExceededException", 400)}


@answer
def an_on_demand_stream_says_how_it_distributes_records(world):
    """BC StreamDescriptionSummary: RecordDistributionStrategy is only present for on-demand streams."""
    world.kinesis.create_stream(StreamName="free", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    summary = lambda name: world.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert summary("free")["RecordDistributionStrategy"] == "USER_PARTITION_KEY"
    assert "RecordDistributionStrategy" not in summary(STREAM)


if __name__ == "__main__":
    main(Streams)
