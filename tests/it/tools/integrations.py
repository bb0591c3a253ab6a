"""Judges the integration files with the validators of others: cfn-lint for the SSM document and the state machine,
botocore's service model for the ARC plan, the published schema of GitHub for the workflow. One argument: their folder.

Prints what it found wrong, one finding a line; nothing is good.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import boto3
import yaml
from botocore.validate import ParamValidator

folder = pathlib.Path(sys.argv[1])
findings = []


def lint(name, resources):
    """cfn-lint looks into the documents that a template carries."""
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(template, file)
        file.flush()
        command = [str(pathlib.Path(sys.executable).parent / "cfn-lint"), "--format", "json", "--regions", "us-east-2", "--", file.name]
        output = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(output.stdout or "null")
    if found is None:
        findings.append(f"{name}: cfn-lint did not run: {output.stderr}")
        return
    for one in found:
        findings.append(f"{name}: {one['Rule']['Id']} {one['Message']} at {one['Location']['Path']}")


document = yaml.safe_load((folder / "ssm-automation.yaml").read_text())
content = {"Type": "AWS::SSM::Document", "Properties": {"DocumentType": "Automation", "Content": document}}
lint("ssm-automation.yaml", {"Document": content})

machine = json.loads((folder / "step-functions.asl.json").read_text())
role = "arn:aws:iam::123456789012:role/states"
properties = {"Definition": machine, "RoleArn": role}
lint("step-functions.asl.json", {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}})

plan = json.loads((folder / "arc-region-switch.plan.json").read_text())
model = boto3.client("arc-region-switch", region_name="us-east-1").meta.service_model
report = ParamValidator().validate(plan, model.operation_model("CreatePlan").input_shape)


def enums(shape, value, path):
    """botocore checks types and what is required; the allowed words are in the same model."""
    if shape.type_name == "structure":
        for key, part in value.items():
            if key in shape.members:
                enums(shape.members[key], part, f"{path}.{key}")
    elif shape.type_name == "list":
        for index, part in enumerate(value):
            enums(shape.member, part, f"{path}[{index}]")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        findings.append(f"arc-region-switch.plan.json: {path}: {value} is none of {shape.enum}")


enums(model.operation_model("CreatePlan").input_shape, plan, "$")
if report.has_errors():
    findings.append(f"arc-region-switch.plan.json: {report.generate_report()}")

command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
workflow = folder / "verify-on-a-schedule.github.yml"
output = subprocess.run([*command, str(workflow)], capture_output=True, text=True, check=False)
if output.returncode != 0:
    findings.append(f"{workflow.name}: {output.stdout}{output.stderr}")

print("\n".join(findings))
