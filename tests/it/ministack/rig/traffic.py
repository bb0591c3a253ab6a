"""Invokes the producer all the while and writes down every record that was acknowledged.

    python traffic.py --log FILE --rate 10

Stops when its standard input ends (or the parent dies) and prints {"sent", "acknowledged", "failed"}. A record is
in the log only after the producer has said that the stream took it; only those may not be lost.
"""

import argparse
import itertools
import json
import sys
import threading
import time

from common import PRIMARY, PRODUCER, answer, client

# How long an invocation takes: a few still run when the environment is switched.
TAKES = 0.15
WORKERS = 3


class Traffic:
    """Three workers share the rate; every record has an id of its own."""

    def __init__(self, log, rate):
        self.log, self.interval = open(log, "a", buffering=1, encoding="utf-8"), WORKERS / rate
        self.numbers, self.lock, self.stopped = itertools.count(), threading.Lock(), threading.Event()
        self.sent = self.acknowledged = self.failed = 0

    def put(self, ticker):
        event = {"ticker": ticker, "price": str(time.time()), "takes": TAKES}
        answered = client("lambda", PRIMARY).invoke(FunctionName=PRODUCER, Payload=json.dumps(event).encode())
        if answered.get("FunctionError"):
            raise RuntimeError(answered["Payload"].read().decode())
        return json.loads(answered["Payload"].read())["region"]

    def work(self):
        while not self.stopped.is_set():
            began = time.monotonic()
            with self.lock:
                ticker = f"t{next(self.numbers):05}"
                self.sent += 1
            try:
                region = self.put(ticker)
            except Exception as error:  # not acknowledged: it may be lost
                with self.lock:
                    self.failed += 1
                    print(f"{ticker}: {error!r}", file=sys.stderr, flush=True)
            else:
                with self.lock:
                    self.acknowledged += 1
                    self.log.write(json.dumps({"ticker": ticker, "region": region, "at": time.time()}) + "\n")
            self.stopped.wait(max(0.0, self.interval - (time.monotonic() - began)))

    def run(self):
        client("lambda", PRIMARY)  # clients are made before the workers need them
        workers = [threading.Thread(target=self.work) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        while sys.stdin.buffer.read(4096):
            pass
        self.stopped.set()
        for worker in workers:
            worker.join()
        answer({"sent": self.sent, "acknowledged": self.acknowledged, "failed": self.failed})


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--log", required=True)
    arguments.add_argument("--rate", type=float, default=10)
    options = arguments.parse_args()
    Traffic(options.log, options.rate).run()


if __name__ == "__main__":
    main()
