"""Holds JSON documents, one a line on standard input, to the schemas in a folder (the one argument).

Prints what is wrong, one finding a line, and at last the kinds of documents that were seen, as one line of JSON.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

schemas = {}
for path in pathlib.Path(sys.argv[1]).glob("*.json"):
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    schemas[schema["title"]] = Draft202012Validator(schema)

seen = {}
for line in sys.stdin:
    document = json.loads(line)
    kind = document.get("schema")
    seen[kind] = seen.get(kind, 0) + 1
    if kind not in schemas:
        print(f"{kind} has no schema: {line[:200]}")
        continue
    for error in schemas[kind].iter_errors(document):
        print(f"{kind}: {error.json_path}: {error.message[:400]}")

print(json.dumps(seen))
