"""Shows everything that a run may change, and everything that it may not, in both Regions.

    python world.py

One JSON document: per Region the mappings (by function and source), the functions with their environments, the
streams with their tags.
"""

from common import OTHER_STREAM, REGIONS, STREAM, answer, client, mappings

# Moves by itself while records flow.
MOVING = ("LastProcessingResult",)


def functions(region):
    service = client("lambda", region)
    names = [f["FunctionName"] for page in service.get_paginator("list_functions").paginate() for f in page["Functions"]]
    found = {}
    for name in names:
        configuration = service.get_function(FunctionName=name)["Configuration"]
        found[name] = {
            "environment": configuration.get("Environment", {}).get("Variables", {}),
            "last_modified": configuration["LastModified"],
            "revision": configuration["RevisionId"],
            "code": configuration["CodeSha256"],
            "timeout": configuration["Timeout"],
            "versions": [v["Version"] for v in service.list_versions_by_function(FunctionName=name)["Versions"]],
            "aliases": service.list_aliases(FunctionName=name)["Aliases"],
        }
    return found


def streams(region):
    kinesis = client("kinesis", region)
    found = {}
    for name in (STREAM, OTHER_STREAM):
        summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        arn = summary["StreamARN"]
        found[name] = {
            "status": summary["StreamStatus"],
            "retention": summary["RetentionPeriodHours"],
            "shards": summary["OpenShardCount"],
            "tags": {t["Key"]: t["Value"] for t in kinesis.list_tags_for_stream(StreamName=name)["Tags"]},
            "consumers": [c["ConsumerName"] for c in kinesis.list_stream_consumers(StreamARN=arn)["Consumers"]],
        }
    return found


def shown(mapping):
    function = mapping["FunctionArn"].split(":function:")[1]
    source = mapping["EventSourceArn"].rpartition(":stream/")[2].split(":")[0]
    return f"{function} <- {source}", {key: value for key, value in mapping.items() if key not in MOVING}


def main():
    world = {}
    for region in REGIONS:
        found = dict(shown(mapping) for mapping in mappings(region))
        world[region] = {"mappings": found, "functions": functions(region), "streams": streams(region)}
    answer(world)


if __name__ == "__main__":
    main()
