"""What AWS documents of metrics, where it takes minutes; sources and run as in recorded.py."""

import datetime
import json

from recording import World, answer, main
from topology import until

MINUTE = datetime.timedelta(minutes=1)


class Metrics(World):
    """An account and its metrics."""

    def points(self, namespace, name, dimensions, stat, start=None, end=None):
        """(stamp, value) of the last hour, oldest first."""
        query = {"Id": "m", "MetricStat": {"Period": 60, "Stat": stat, "Metric": {
            "Namespace": namespace, "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()]}}}
        found = self.cloudwatch.get_metric_data(
            StartTime=start or self.now() - 60 * MINUTE, EndTime=end or self.now(), ScanBy="TimestampAscending",
            MetricDataQueries=[query])["MetricDataResults"][0]
        return list(zip(found["Timestamps"], found["Values"]))


@answer
def a_start_is_rounded_down_and_an_end_is_exclusive(world):
    """BC GetMetricData, GetMetricStatistics: StartTime is rounded down to the minute and inclusive, EndTime exclusive."""
    first = world.now().replace(second=0) - 10 * MINUTE
    world.cloudwatch.put_metric_data(Namespace="recorded", MetricData=[
        {"MetricName": "range", "Timestamp": first + n * MINUTE, "Value": float(n)} for n in range(3)])
    values = lambda start, end: [value for _, value in world.points("recorded", "range", {}, "Sum", start, end)]
    until("three points", lambda: len(values(first, first + 3 * MINUTE)) == 3)
    late = datetime.timedelta(seconds=59)
    for read in (values, lambda start, end: [p["Sum"] for p in sorted(world.cloudwatch.get_metric_statistics(
            Namespace="recorded", MetricName="range", StartTime=start, EndTime=end, Period=60,
            Statistics=["Sum"])["Datapoints"], key=lambda p: p["Timestamp"])]):
        assert read(first + late, first + 2 * MINUTE) == [0.0, 1.0]
        assert read(first + MINUTE, first + 2 * MINUTE) == [1.0]


@answer
def points_of_an_invocation_are_stamped_with_its_beginning(world):
    """LDG monitoring-metrics, monitoring-metrics-view: sent when it finishes, stamped with when it was invoked."""
    arn, minutes = world.stream("slow"), 10
    world.function("consumer-slow", {"DELAY_MS": str(minutes * 60_000), "TABLE": "none"}, timeout=900)
    world.settled(world.create(EventSourceArn=arn, FunctionName="consumer-slow", StartingPosition="TRIM_HORIZON"))
    world.kinesis.put_record(StreamName="slow", PartitionKey="k", Data=json.dumps({"ticker": "A"}).encode())
    put = world.now()
    seen = until("a finished invocation", lambda: world.points(
        "AWS/Lambda", "Duration", {"FunctionName": "consumer-slow"}, "Maximum"))
    stamp, duration = seen[0]
    assert duration >= minutes * 60_000, seen
    assert world.now() - stamp >= minutes * MINUTE, "stamped with its end"
    assert put - stamp <= MINUTE, "stamped before it began"


@answer
def a_fan_out_consumers_lag_is_its_own(world):
    """KDG monitoring-with-cloudwatch: SubscribeToShardEvent.MillisBehindLatest, and nothing in GetRecords.*."""
    consumer = world.consumer(world.stream("fanned"), "efo")
    world.function("consumer-fanned")
    world.settled(world.create(EventSourceArn=consumer, FunctionName="consumer-fanned", StartingPosition="TRIM_HORIZON"))
    until("a fan-out consumer's lag", lambda: world.points(
        "AWS/Kinesis", "SubscribeToShardEvent.MillisBehindLatest", {"StreamName": "fanned", "ConsumerName": "efo"},
        "Maximum"))
    world.pass_time(minutes=3)
    assert not world.points(
        "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", {"StreamName": "fanned"}, "Maximum")


if __name__ == "__main__":
    main(Metrics)
