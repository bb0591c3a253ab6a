"""What AWS was recorded to answer of functions; sources and run as in recorded.py."""

import json

from aws import code_of
from recording import World, answer, is_invalid, main, while_it_lasts
from topology import EAST, WEST

FOREIGN_KEY = f"arn:aws:kms:{WEST}:999988887777:key/11111111-2222-4333-8444-555555555555"


class Functions(World):
    """An account with a function to change."""

    def __init__(self, url):
        super().__init__(url)
        self.arn = self.function("f")
        self.changes = 3

    def begin_update(self):
        self.updated("f")
        self.changes += 1
        return self.awslambda.update_function_configuration(FunctionName="f", Timeout=self.changes)

    def refused_during_an_update(self, call, **members):
        """The refusal of a call that comes while an update is in progress."""
        def attempt():
            self.begin_update()
            try:
                return code_of(call, **members)
            except AssertionError:
                assert self.configuration("f")["LastUpdateStatus"] == "Successful", "it was taken during an update"
        return while_it_lasts(attempt)


def is_busy(found, arn):
    assert found == ("ResourceConflictException", 409, "The operation cannot be performed at this time. An update is "
                     f"in progress for resource: {arn}"), found


@answer
def variables_that_cannot_be_decrypted_are_an_error_and_no_variables(world):
    """LDG configuration-envvars-encryption, BC EnvironmentResponse: Environment.Error; the function can be managed."""
    world.function("sealed", {"INPUT_STREAM": "S", "SECRET": "in-clear"})
    change = world.awslambda.update_function_configuration
    change(FunctionName="sealed", KMSKeyArn=FOREIGN_KEY)
    world.updated("sealed")
    listed = [f for page in world.awslambda.get_paginator("list_functions").paginate() for f in page["Functions"]]
    shown = [world.configuration("sealed"), world.awslambda.get_function(FunctionName="sealed")["Configuration"],
             *(f for f in listed if f["FunctionName"] == "sealed")]
    assert len(shown) == 3
    for one in shown:
        assert set(one["Environment"]) == {"Error"} and one["KMSKeyArn"] == FOREIGN_KEY, one
        assert one["Environment"]["Error"]["ErrorCode"] == "AccessDeniedException", one
        assert one["Environment"]["Error"]["Message"] and "in-clear" not in json.dumps(one, default=str)
    assert "Error" in change(FunctionName="sealed", Timeout=9)["Environment"]
    world.updated("sealed")
    change(FunctionName="sealed", KMSKeyArn="")
    world.updated("sealed")
    found = world.configuration("sealed")["Environment"]
    assert found == {"Variables": {"INPUT_STREAM": "S", "SECRET": "in-clear"}}, found


@answer
def a_pending_function_cannot_be_changed(world):
    """LDG troubleshooting-invocation: 409, The function is currently in the following state: Pending."""
    names = iter(f"pending-{number}" for number in range(10))
    def attempt():
        name = next(names)
        world.pending(name)
        try:
            return code_of(world.awslambda.update_function_configuration, FunctionName=name, Timeout=9)
        except AssertionError:
            assert world.configuration(name)["State"] == "Active", "it was taken while Pending"
    assert while_it_lasts(attempt) == (
        "ResourceConflictException", 409, "The operation cannot be performed at this time. The function is currently "
        "in the following state: Pending")


@answer
def no_version_is_published_during_an_update(world):
    """LDG functions-states: PublishVersion fails while an update is in progress."""
    is_busy(world.refused_during_an_update(world.awslambda.publish_version, FunctionName="f"), world.arn)


@answer
def no_tag_is_set_during_an_update(world):
    """LDG functions-states: TagResource fails while an update is in progress."""
    is_busy(world.refused_during_an_update(world.awslambda.tag_resource, Resource=world.arn, Tags={"a": "b"}), world.arn)


@answer
def no_tag_is_taken_away_during_an_update(world):
    """BC UntagResource: ResourceConflictException, as TagResource."""
    found = world.refused_during_an_update(world.awslambda.untag_resource, Resource=world.arn, TagKeys=["a"])
    is_busy(found, world.arn)


@answer
def a_revision_changes_when_a_function_becomes_active(world):
    """LS test_function_revisions_basic: the revision of the create answer is not that of the active function."""
    first = world.pending("young")["RevisionId"]
    world.awslambda.get_waiter("function_active_v2").wait(FunctionName="young", WaiterConfig={"Delay": 1})
    assert world.configuration("young")["RevisionId"] != first


@answer
def a_revision_changes_when_a_version_is_published(world):
    """LS test_function_revisions_version_and_alias: $LATEST has another one, and so has the version."""
    world.updated("f")
    before = world.configuration("f")["RevisionId"]
    version = world.awslambda.publish_version(FunctionName="f", RevisionId=before)
    assert len({before, version["RevisionId"], world.configuration("f")["RevisionId"]}) == 3


@answer
def invocations_use_the_old_configuration_until_the_update_is_successful(world):
    """LDG functions-states: invocations continue with the previous configuration until the update completes."""
    for region in (WEST, EAST):
        world.stream("old-and-new", region)
    variables = lambda region: {"INPUT_STREAM": "old-and-new", "PRODUCING_TO_REGION": region}
    world.function("producer", variables(WEST))
    invoked = lambda: json.loads(world.awslambda.invoke(FunctionName="producer")["Payload"].read())["region"]
    sides = [(WEST, EAST), (EAST, WEST)] * 5
    def attempt():
        old, new = sides.pop(0)
        world.awslambda.update_function_configuration(
            FunctionName="producer", Environment={"Variables": variables(new)})
        shown, used = world.configuration("producer"), invoked()
        still = world.configuration("producer")["LastUpdateStatus"] == "InProgress"
        world.updated("producer")
        assert invoked() == new
        assert shown["Environment"]["Variables"]["PRODUCING_TO_REGION"] == new
        return (old, used) if still else None
    old, used = while_it_lasts(attempt)
    assert used == old, (used, old)


@answer
def a_variable_has_a_name_of_letters_digits_and_underscores(world):
    """BC EnvironmentVariableName, LDG configuration-envvars: a letter first, at least two characters."""
    world.updated("f")
    for name in ("1ONE", "_ONE", "O", "ONE-TWO", "ONE.TWO"):
        code, status, message = code_of(world.awslambda.update_function_configuration, FunctionName="f",
                                        Environment={"Variables": {name: "x"}})
        assert (code, status) == ("ValidationException", 400), (name, code, status)
        assert "Map keys must satisfy constraint" in message and "[a-zA-Z]([a-zA-Z0-9_])+" in message, message


@answer
def every_variable_of_the_runtime_is_reserved_and_no_other(world):
    """LDG configuration-envvars: the reserved variables; AWS_LAMBDA_EXEC_WRAPPER (LDG runtimes-modify) can be set."""
    world.updated("f")
    reserved = ("AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION "
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME "
                "AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API AWS_ACCESS_KEY AWS_ACCESS_KEY_ID "
                "AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR").split()
    for name in reserved:
        is_invalid(code_of(world.awslambda.update_function_configuration, FunctionName="f",
                           Environment={"Variables": {name: "x"}}), name)
    settable = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}
    world.awslambda.update_function_configuration(FunctionName="f", Environment={"Variables": settable})
    world.updated("f")
    assert world.configuration("f")["Environment"]["Variables"] == settable


if __name__ == "__main__":
    main(Functions)
