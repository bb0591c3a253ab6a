"""Puts many records at once that take their readers a while, so that lag is real when the pipeline is moved.

    python backlog.py --log FILE --region REGION --records N

They go past the producer, straight into the stream of a Region, and are written down as acknowledged.
"""

import argparse
import json
import time

from common import STREAM, answer, client

# Seconds of work that a record means for every reader.
WORK = 0.04
# PutRecords takes 500 at most.
CHUNK = 200


def put(region, tickers):
    entries = [
        {"PartitionKey": ticker, "Data": json.dumps({"ticker": ticker, "price": "1", "work": WORK}).encode()}
        for ticker in tickers
    ]
    answered = client("kinesis", region).put_records(StreamName=STREAM, Records=entries)
    return [ticker for ticker, record in zip(tickers, answered["Records"]) if "SequenceNumber" in record]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--log", required=True)
    arguments.add_argument("--region", required=True)
    arguments.add_argument("--records", type=int, required=True)
    options = arguments.parse_args()
    tickers = [f"{options.region}-{number:04}" for number in range(options.records)]
    with open(options.log, "a", buffering=1, encoding="utf-8") as log:
        for start in range(0, len(tickers), CHUNK):
            for ticker in put(options.region, tickers[start : start + CHUNK]):
                log.write(json.dumps({"ticker": ticker, "region": options.region, "at": time.time()}) + "\n")
    answer({"put": len(tickers)})


if __name__ == "__main__":
    main()
