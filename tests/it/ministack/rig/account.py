"""Counts: is every acknowledged record in a table of either Region, and how often was it processed?

    python account.py --log FILE [--within SECONDS]

Waits until nothing is missing, or until the count has not moved for a while. Prints
{"acknowledged", "stored", "lost": [...], "duplicates", "by_region", "written_to"}.
"""

import argparse
import collections
import json
import time

from common import REGIONS, TABLE, answer, client

STILL_SECONDS = 5


def acknowledged(path):
    with open(path, encoding="utf-8") as log:
        return [json.loads(line) for line in log]


def stored():
    """How often each record was processed, in both Regions together, and which Regions hold it."""
    times, regions = collections.Counter(), collections.defaultdict(set)
    for region in REGIONS:
        for page in client("dynamodb", region).get_paginator("scan").paginate(TableName=TABLE):
            for item in page["Items"]:
                ticker = item["ticker"]["S"]
                times[ticker] += int(item["times_processed"]["N"])
                regions[item["last_updated_region"]["S"]].add(ticker)
                if item["last_updated_region"]["S"] != region:
                    raise SystemExit(f"{ticker}: processed in {item['last_updated_region']['S']}, stored in {region}")
    return times, regions


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--log", required=True)
    arguments.add_argument("--within", type=float, default=30)
    options = arguments.parse_args()
    records = acknowledged(options.log)
    deadline, moved, last = time.monotonic() + options.within, time.monotonic(), None
    while True:
        times, regions = stored()
        lost = [r for r in records if r["ticker"] not in times]
        if sum(times.values()) != last:
            last, moved = sum(times.values()), time.monotonic()
        if not lost or time.monotonic() > deadline or time.monotonic() - moved > STILL_SECONDS:
            break
        time.sleep(0.3)
    answer({
        "acknowledged": len(records),
        "stored": len(times),
        "lost": [f"{r['ticker']} (put into {r['region']} at {r['at']:.3f})" for r in lost],
        "duplicates": sum(times.values()) - len(times),
        "by_region": {region: len(tickers) for region, tickers in sorted(regions.items())},
        "written_to": dict(collections.Counter(r["region"] for r in records)),
    })


if __name__ == "__main__":
    main()
