"""CloudWatch as the tests need it, and how the other parts publish into it.

MiniStack drops points older than two weeks before every request by building new lists, which loses a point that
another thread adds meanwhile: not needed within a test, so it is left out. GetMetricData answered oldest first;
AWS's default is newest first (API reference, GetMetricData, ScanBy).
"""

import time
from contextlib import contextmanager

import ministack.services.cloudwatch as cloudwatch
from ministack.core import responses


@contextmanager
def scope(account, region):
    """Runs a block as if it were serving a request of an account in a Region."""
    tokens = (responses._request_account_id.set(account), responses._request_region.set(region))
    try:
        yield
    finally:
        responses._request_account_id.reset(tokens[0])
        responses._request_region.reset(tokens[1])


def publish(namespace, name, dimensions, value, unit="Count", at=None):
    """One data point, into the account and Region in scope."""
    at = time.time() if at is None else at
    cloudwatch._store_datum(namespace, name, dimensions, at, unit, float(value), None, None, None)


def newest_first(answer):
    for result in answer.get("MetricDataResults", []):
        result["Timestamps"] = list(reversed(result["Timestamps"]))
        result["Values"] = list(reversed(result["Values"]))
    return answer


def install():
    original = cloudwatch._get_metric_data
    ok = {"cbor": cloudwatch._cbor_ok, "json": cloudwatch._json_ok}

    def get_metric_data(params, data, is_cbor, is_json=False):
        descending = (is_cbor or is_json) and data.get("ScanBy", "TimestampDescending") != "TimestampAscending"
        order = newest_first if descending else lambda answer: answer
        # Requests are served one at a time on the event loop, so this swap is seen by this request alone.
        cloudwatch._cbor_ok = lambda answer: ok["cbor"](order(answer))
        cloudwatch._json_ok = lambda answer: ok["json"](order(answer))
        try:
            return original(params, data, is_cbor, is_json)
        finally:
            cloudwatch._cbor_ok, cloudwatch._json_ok = ok["cbor"], ok["json"]

    cloudwatch._get_metric_data = get_metric_data
    cloudwatch._evict_old_metrics = lambda: None
