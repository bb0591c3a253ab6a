"""Runs kdsha inside a Lambda function, for Step Functions and for ARC Region switch.

The binary lies beside this file, or in a layer, with kdsha.toml. An event may say what to run:

    {"arguments": ["failover", "--to", "us-east-2", "--dry-run"]}

Without that, the function's own Region is the one to activate: failover where it is the standby of kdsha.toml,
failback where it is the primary. Exit codes become errors that a caller can retry by name; see `Resumable`.
"""

import json
import os
import subprocess
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.environ.get("KDSHA_BINARY", "/opt/kdsha")
CONFIG = os.environ.get("KDSHA_CONFIG", os.path.join(HERE, "kdsha.toml"))
# Left before Lambda ends the function: kdsha is told to stop between two calls, never inside one.
MARGIN_SECONDS = 30
CONFIRMED = {"failover", "failback", "resume"}


class Resumable(Exception):
    """The same command goes on where it stopped: call it again."""


class Refused(Exception):
    """Nothing was changed: somebody has to look."""


ERRORS = {1: Refused, 2: Refused, 3: Refused, 4: Refused, 5: Resumable, 6: Resumable, 8: Resumable, 130: Resumable}


def activate(region):
    """What activating a Region means, by its role in kdsha.toml."""
    with open(CONFIG, "rb") as file:
        regions = tomllib.load(file)["regions"]
    if region == regions["standby"]:
        return ["failover", "--to", region]
    if region == regions["primary"]:
        return ["failback"]
    raise Refused(f"{region} is neither Region of {CONFIG}")


def handler(event, context):
    arguments = list(event.get("arguments") or activate(os.environ["AWS_REGION"]))
    command = [BINARY, "--config", CONFIG, "--output", "json", *arguments]
    if arguments[0] in CONFIRMED and "--dry-run" not in arguments:
        command.append("--yes")
    # The file system of a function is writable in /tmp alone. A journal that is gone with it does no harm: the
    # same command goes on from what AWS shows and what the run's mark says.
    environment = {**os.environ, "KDSHA_STATE_DIR": os.environ.get("KDSHA_STATE_DIR", "/tmp/kdsha")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, err = process.communicate()
    documents = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    last = documents[-1] if documents else {}
    print(json.dumps({"command": command, "exit": process.returncode, "last": last}))
    if process.returncode in ERRORS:
        raise ERRORS[process.returncode](f"exit {process.returncode}: {last.get('message') or err[-400:]}")
    if process.returncode < 0:
        raise Resumable(f"kdsha was ended by signal {-process.returncode}")
    # 0 is done; 7 a deviation that verify found; 9 done, with steps that the failing Region owes.
    return {"exit": process.returncode, "owed": process.returncode == 9, "last": last}
