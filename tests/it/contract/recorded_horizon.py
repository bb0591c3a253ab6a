"""What AWS documents of what takes hours, in a sandbox that hurries; sources and run as in recorded.py."""

import datetime

from aws import code_of
from recording import World, answer, main
from topology import STREAM, until


class Horizon(World):
    """An account with a stream whose first record has expired, and whose second one is fresh."""

    def __init__(self, url):
        super().__init__(url)
        self.expired = self.put(b"expired")
        self.pass_time(hours=25)
        self.fresh = self.put(b"fresh")

    def put(self, data):
        return self.kinesis.put_record(StreamName=STREAM, PartitionKey="k", Data=data)["SequenceNumber"]

    def read(self, kind, **members):
        """Everything from there; an iterator lives for a twelfth of a second here."""
        def attempt():
            try:
                return {"found": self.kinesis.get_records(ShardIterator=self.iterator(kind=kind, **members))["Records"]}
            except self.kinesis.exceptions.ExpiredIteratorException:
                return None
        return [record["Data"] for record in until("a read in time", attempt)["found"]]


@answer
def an_iterator_before_the_horizon_is_the_horizon(world):
    """BC GetShardIterator: older than the trim horizon is the oldest untrimmed record, without a word."""
    long_ago = world.now() - datetime.timedelta(days=30)
    assert world.read("TRIM_HORIZON") == [b"fresh"]
    assert world.read("AT_TIMESTAMP", Timestamp=long_ago) == [b"fresh"]
    assert world.read("AT_SEQUENCE_NUMBER", StartingSequenceNumber=world.expired) == [b"fresh"]


@answer
def a_longer_retention_brings_nothing_back(world):
    """BC IncreaseStreamRetentionPeriod: what is older than the previous period remains inaccessible."""
    world.kinesis.increase_stream_retention_period(StreamName=STREAM, RetentionPeriodHours=8760)
    assert world.read("TRIM_HORIZON") == [b"fresh"]


@answer
def an_iterator_expires_after_five_minutes(world):
    """BC GetRecords, ExpiredIteratorException: an iterator lives 300 seconds."""
    at = world.iterator()
    world.pass_time(minutes=6)
    code, status, message = code_of(world.kinesis.get_records, ShardIterator=at)
    assert (code, status) == ("ExpiredIteratorException", 400) and "300000 milliseconds" in message, message


@answer
def a_stream_has_twenty_consumers(world):
    """BC RegisterStreamConsumer: 20 a stream in provisioned mode; then LimitExceededException."""
    for number in range(20):
        world.kinesis.register_stream_consumer(StreamARN=world.stream_arn, ConsumerName=f"c-{number}")
    code, status, _ = code_of(
        world.kinesis.register_stream_consumer, StreamARN=world.stream_arn, ConsumerName="one-too-many")
    assert (code, status) == ("LimitExceededException", 400)
    pages = world.kinesis.get_paginator("list_stream_consumers").paginate(
        StreamARN=world.stream_arn, PaginationConfig={"PageSize": 7})
    sizes = [len(page["Consumers"]) for page in pages]
    assert sizes == [7, 7, 6], sizes


if __name__ == "__main__":
    main(Horizon)
