"""Brings the pipeline into a state that a run must refuse, and out of it again.

    python meddle.py second-mapping | only-mapping

second-mapping: the consumer reads the primary's stream through an alias, too. only-mapping: no longer.
"""

import sys

from common import CONSUMER, PRIMARY, answer, client, mappings, stream_arn, until, wait_mapping

ALIAS = "live"


def second_mapping():
    service = client("lambda", PRIMARY)
    version = service.publish_version(FunctionName=CONSUMER)["Version"]
    service.create_alias(FunctionName=CONSUMER, Name=ALIAS, FunctionVersion=version)
    created = service.create_event_source_mapping(
        FunctionName=f"{CONSUMER}:{ALIAS}", EventSourceArn=stream_arn(PRIMARY), StartingPosition="TRIM_HORIZON"
    )
    wait_mapping(PRIMARY, created["UUID"], "Enabled")
    return created["UUID"]


def only_mapping():
    aliased = lambda: [m for m in mappings(PRIMARY) if m["FunctionArn"].endswith(f":{ALIAS}")]
    for mapping in aliased():
        client("lambda", PRIMARY).delete_event_source_mapping(UUID=mapping["UUID"])
    until("the second mapping to be gone", lambda: not aliased())


if __name__ == "__main__":
    answer({"mapping": {"second-mapping": second_mapping, "only-mapping": only_mapping}[sys.argv[1]]()})
