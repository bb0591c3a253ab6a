"""Calls the handler of the integration as Lambda would. Arguments: its folder, the event as JSON."""

import json
import sys

sys.path.insert(0, sys.argv[1])

import kdsha_lambda  # noqa: E402


class Context:
    """What of Lambda's context the handler asks for."""

    def get_remaining_time_in_millis(self):
        return 170_000


try:
    answer = kdsha_lambda.handler(json.loads(sys.argv[2]), Context())
except (kdsha_lambda.Refused, kdsha_lambda.Resumable) as error:
    answer = {"error": type(error).__name__, "message": str(error)}
print(json.dumps(answer))
