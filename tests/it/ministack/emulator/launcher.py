"""Starts MiniStack (PyPI, MIT) on a free loopback port, with what the end-to-end tests need and it lacks.

    python launcher.py --directory DIR --audit FILE

Prints one JSON line, {"url": ...}, once it answers. Stops, with everything it started, when its standard input
ends: so it never outlives the test that started it, however that test died.

What is added, and why, in the file that adds it:

  mappings.py   event source mappings: AT_TIMESTAMP, fan-out consumers as sources, states that take time, 409 on
                duplicates, ResourceInUse while a change is under way, settings echoed, paging
  polling.py    polling that starts after Enabled and stops after Disabled, one thread a mapping; the lag metrics
  metrics.py    CloudWatch: no points lost between threads, AWS's default order of GetMetricData
  streams.py    Kinesis: IncomingRecords and the success metrics, iterator age of direct reads, the refusal of
                AT_TIMESTAMP in the future
  functions.py  UpdateFunctionConfiguration: 409 while an update runs, running invocations keep the old
                environment, a second RevisionId when the update is complete
  audit.py      one JSON line for every request that was served

Found to be as on AWS and left alone: tags of streams, ListShards (without resharding a ShardFilter selects every
shard), GetFunction, GetAccountSettings, GetMetricData over CBOR with any period, ListStreamConsumers, Scan.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import threading

ACCOUNT = "123456789012"


def listen():
    """A listening loopback socket: the kernel picks the port, so no other process can take it in between."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.bind(("127.0.0.1", 0))
    server.listen(256)
    return server


def prepare(port, directory):
    """MiniStack reads its settings from the environment while it is imported."""
    os.environ.update({
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": "us-west-2",
        "PERSIST_STATE": "0",
        "STATE_DIR": directory,
        "LOG_LEVEL": "WARNING",
        "TMPDIR": directory,
        "HOME": directory,
    })
    os.chdir(directory)


def stop(directory):
    """Ends the whole process group: the launcher leads it, and the functions' processes are in it."""
    shutil.rmtree(directory, ignore_errors=True)
    if os.getpgid(0) == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


def stop_with_parent(directory):
    """Waits for the end of standard input, which comes when the parent closes it or dies."""

    def wait():
        while sys.stdin.buffer.read(4096):
            pass
        stop(directory)

    threading.Thread(target=wait, daemon=True, name="parent").start()


def announced(app, url):
    """The application, telling on standard output when it is ready to answer."""

    async def announce(scope, receive, send):
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return

        async def tell(message):
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                print(json.dumps({"url": url}), flush=True)

        await app(scope, receive, tell)

    return announce


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--directory", required=True, help="an empty directory; removed at the end")
    arguments.add_argument("--audit", required=True, help="where the requests are written down")
    options = arguments.parse_args()
    server = listen()
    port = server.getsockname()[1]
    prepare(port, options.directory)
    stop_with_parent(options.directory)

    import audit
    import functions
    import mappings
    import metrics
    import polling
    import streams
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    for part in (metrics, streams, functions, polling, mappings):
        part.install()
    config = Config()
    config.bind = [f"fd://{server.detach()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    url = f"http://127.0.0.1:{port}"
    asyncio.run(serve(announced(audit.audited(app, options.audit), url), config))


if __name__ == "__main__":
    main()
