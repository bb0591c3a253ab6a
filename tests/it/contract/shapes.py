"""The requests that the sandbox takes, as botocore's service models describe them.

    shapes.py          prints what src/sandbox/shapes.json has to be

The operations are those of the file; an operation is added by naming it there with an empty object.
"""

import json
import pathlib
import sys

import botocore.session

SERVICES = ("cloudwatch", "dynamodb", "kinesis", "lambda", "sts")
FILE = pathlib.Path(__file__).parents[3] / "src/sandbox/shapes.json"


def described(shape):
    """One shape: what a value of it has to be. Members and elements name their shapes."""
    found = {"type": shape.type_name}
    for key in ("min", "max", "pattern"):
        if key in shape.metadata:
            found[key] = shape.metadata[key]
    if shape.metadata.get("sensitive"):
        found["sensitive"] = True
    if shape.type_name == "string" and shape.enum:
        found["enum"] = shape.enum
    if shape.type_name == "structure":
        found["members"] = {name: member.name for name, member in shape.members.items()}
        if shape.required_members:
            found["required"] = shape.required_members
    elif shape.type_name == "list":
        found["member"] = shape.member.name
    elif shape.type_name == "map":
        found["key"], found["value"] = shape.key.name, shape.value.name
    return found


def parts(shape):
    if shape.type_name == "structure":
        return list(shape.members.values())
    if shape.type_name == "list":
        return [shape.member]
    return [shape.key, shape.value] if shape.type_name == "map" else []


def service(name, operations):
    model = botocore.session.get_session().get_service_model(name)
    shapes, inputs = {}, {}
    for operation in operations:
        shape = model.operation_model(operation).input_shape
        inputs[operation] = shape.name if shape else None
        pending = [shape] if shape else []
        while pending:
            shape = pending.pop()
            if shape.name not in shapes:
                shapes[shape.name] = described(shape)
                pending += parts(shape)
    return {"operations": inputs, "shapes": shapes}


def main():
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    found = {name: service(name, known.get(name, {}).get("operations", {})) for name in SERVICES}
    lines = []
    for name in SERVICES:
        one = found[name]
        shapes = ",\n".join(f"   {json.dumps(key)}: {json.dumps(one['shapes'][key], sort_keys=True)}"
                            for key in sorted(one["shapes"]))
        operations = json.dumps(one["operations"], sort_keys=True)
        lines.append(f' {json.dumps(name)}: {{\n  "operations": {operations},\n  "shapes": {{\n{shapes}\n  }}\n }}')
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
