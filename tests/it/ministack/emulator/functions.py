"""UpdateFunctionConfiguration as AWS does it (Lambda Developer Guide, functions-states).

While an update runs: State stays Active, LastUpdateStatus is InProgress, another update is refused with 409, and
invocations use the previous configuration. When it is complete the RevisionId changes a second time. Invocations
that are running keep the environment they began with until they end: MiniStack kills them instead.
"""

import contextvars
import threading
import time

import ministack.services.lambda_svc as service
from ministack.core import lambda_runtime as runtime
from ministack.core.responses import error_response_json, json_response, new_uuid

UPDATE_SECONDS = 0.5
LONGEST_INVOCATION_SECONDS = 900


def refusing_while_in_progress(original):
    def update_config(name, data):
        function = service._functions.get(name)
        if function and function["config"].get("LastUpdateStatus") == "InProgress":
            arn = function["config"]["FunctionArn"]
            text = f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
            return error_response_json("ResourceConflictException", text, 409)
        answer = original(name, data)
        if answer[0] != 200:
            return answer
        config = service._functions[name]["config"]
        config.update({"State": "Active", "StateReason": "", "StateReasonCode": ""})
        return json_response(config)

    return update_config


def complete_later(name, delay):
    """Ends an update or a creation: status and RevisionId change together."""

    def complete():
        time.sleep(delay)
        function = service._functions.get(name)
        if function is None:
            return
        function["config"].update({
            "State": "Active", "StateReason": "", "StateReasonCode": "", "LastUpdateStatus": "Successful",
            "LastUpdateStatusReason": "", "LastUpdateStatusReasonCode": "", "RevisionId": new_uuid(),
        })

    in_background(complete)


def in_background(work):
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), daemon=True).start()


def retire(original):
    """Takes a function's processes out of service when the update is complete; busy ones may finish."""

    def invalidate_worker(name, qualifier=None, account=None, region=None):
        if qualifier != "$LATEST" or account is not None:
            original(name, qualifier=qualifier, account=account, region=region)
            return
        key = ":".join((service.get_account_id(), service.get_region(), name, qualifier))
        in_background(lambda: let_go(key))

    return invalidate_worker


def let_go(key):
    time.sleep(UPDATE_SECONDS)
    with runtime._lock:
        leaving = runtime._workers.pop(key, [])
    deadline = time.monotonic() + LONGEST_INVOCATION_SECONDS
    while leaving and time.monotonic() < deadline:
        with runtime._lock:
            idle = [worker for worker in leaving if not worker.in_use]
        runtime.kill_workers(idle)
        leaving = [worker for worker in leaving if worker not in idle]
        time.sleep(0.05)


def install():
    service._LAMBDA_STATE_TRANSITION_DELAY = UPDATE_SECONDS
    service._schedule_state_transition = complete_later
    service.invalidate_worker = retire(service.invalidate_worker)
    service._update_config = refusing_while_in_progress(service._update_config)
