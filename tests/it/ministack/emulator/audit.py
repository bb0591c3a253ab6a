"""Writes down every API request that is served, as one JSON line: the tests' only witness of what was sent.

    {"number", "at", "who", "service", "region", "operation", "agent", "mutating", "status", "target"}

`who` is the access key id (every party of the tests has its own; functions have the account's number), `region`
is the scope of the signature, `number` counts arrivals. A request counts as mutating unless its operation is known
to read only. `target` says what a mutating request is about.
"""

import itertools
import json
import re
import threading
import time
import urllib.parse

READS = re.compile(r"^(Get|List|Describe|BatchGet|Head|Scan|Query|SubscribeToShard|AssumeRole)")
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
LAMBDA_PATHS = [
    (re.compile(r"^/2015-03-31/event-source-mappings/?$"), {"GET": "ListEventSourceMappings", "POST": "CreateEventSourceMapping"}),
    (re.compile(r"^/2015-03-31/event-source-mappings/([^/]+)/?$"), {
        "GET": "GetEventSourceMapping", "PUT": "UpdateEventSourceMapping", "DELETE": "DeleteEventSourceMapping"}),
    (re.compile(r"^/2015-03-31/functions/?$"), {"GET": "ListFunctions", "POST": "CreateFunction"}),
    (re.compile(r"^/2015-03-31/functions/([^/]+)/?$"), {"GET": "GetFunction", "DELETE": "DeleteFunction"}),
    (re.compile(r"^/2015-03-31/functions/([^/]+)/configuration$"), {
        "GET": "GetFunctionConfiguration", "PUT": "UpdateFunctionConfiguration"}),
    (re.compile(r"^/2015-03-31/functions/([^/]+)/invocations$"), {"POST": "Invoke"}),
    (re.compile(r"^/2015-03-31/functions/([^/]+)/versions$"), {"GET": "ListVersionsByFunction", "POST": "PublishVersion"}),
    (re.compile(r"^/2015-03-31/functions/([^/]+)/aliases$"), {"GET": "ListAliases", "POST": "CreateAlias"}),
    (re.compile(r"^/2015-03-31/functions/([^/]+)/aliases/[^/]+$"), {
        "GET": "GetAlias", "PUT": "UpdateAlias", "DELETE": "DeleteAlias"}),
    (re.compile(r"^/2019-09-30/functions/([^/]+)/concurrency$"), {"GET": "GetFunctionConcurrency"}),
    (re.compile(r"^/2016-08-19/account-settings/?$"), {"GET": "GetAccountSettings"}),
    (re.compile(r"^/(?:2015-03-31|2017-03-31)/tags/(.+)$"), {"GET": "ListTags"}),
]


def lambda_operation(method, path):
    """The operation of a REST request to Lambda, and what the path names."""
    for pattern, operations in LAMBDA_PATHS:
        match = pattern.match(path)
        if match and method in operations:
            return operations[method], (match.groups() or (None,))[0]
    return f"{method} {path}", None


def parsed(body):
    try:
        return json.loads(body) if body else {}
    except ValueError:
        return {}


def mapping_named(uuid, region):
    """Function and source behind a mapping's UUID, while it still exists."""
    from ministack.services import lambda_svc

    for (_account, scope, _key), esm in list(lambda_svc._esms._data.items()):
        if scope == region and esm.get("UUID") == uuid:
            return {"function": esm["FunctionName"], "source": esm.get("_source", esm["EventSourceArn"])}
    return {}


def target_of(operation, named, region, body):
    """What a mutating request is about; values of environment variables are left out."""
    data = parsed(body)
    if operation == "CreateEventSourceMapping":
        return {"function": data.get("FunctionName"), "source": data.get("EventSourceArn"), "settings": data}
    if operation in ("UpdateEventSourceMapping", "DeleteEventSourceMapping"):
        return {"uuid": named, **mapping_named(named, region), "settings": data}
    if operation == "UpdateFunctionConfiguration":
        variables = (data.get("Environment") or {}).get("Variables") or {}
        return {"function": named, "variables": sorted(variables), "revision": bool(data.get("RevisionId"))}
    if operation == "AddTagsToStream":
        stream = data.get("StreamName") or str(data.get("StreamARN", "")).rpartition("/")[2]
        return {"stream": stream, "tags": data.get("Tags", {})}
    return {"name": named or data.get("StreamName") or data.get("TableName")}


def describe(scope, body):
    """Everything about a request that is known before it is answered."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    method, path = scope["method"], urllib.parse.unquote(scope["path"])
    match = CREDENTIAL.search(headers.get("authorization", ""))
    who, region, service = match.groups() if match else ("", "", "")
    named = None
    if "x-amz-target" in headers:
        operation = headers["x-amz-target"].rpartition(".")[2]
    elif "/operation/" in path:
        operation = path.rpartition("/operation/")[2]
    elif service == "lambda":
        operation, named = lambda_operation(method, path)
    else:
        form = urllib.parse.parse_qs(body.decode("utf-8", "replace"))
        operation = form.get("Action", [f"{method} {path}"])[0]
    mutating = not READS.match(operation)
    line = {
        "who": who, "service": service, "region": region, "operation": operation, "agent": headers.get("user-agent", ""),
        "mutating": mutating,
    }
    if mutating and operation != "Invoke":
        line["target"] = target_of(operation, named, region, body)
    return line


async def whole_body(receive):
    chunks, more = [], True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(chunks), message
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks), None


def audited(app, path):
    """The application, with every signed request written down when it has been answered."""
    log = open(path, "a", buffering=1, encoding="utf-8")
    lock, numbers = threading.Lock(), itertools.count(1)

    def write(line):
        with lock:
            log.write(json.dumps(line) + "\n")

    async def serve(scope, receive, send):
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        body, ended = await whole_body(receive)
        line = {"number": next(numbers), "at": time.time(), **describe(scope, body)}
        replay = [ended or {"type": "http.request", "body": body, "more_body": False}]

        async def again():
            return replay.pop() if replay else await receive()

        async def tell(message):
            if message["type"] == "http.response.start":
                line["status"] = message["status"]
                if line["who"]:
                    write(line)
            await send(message)

        await app(scope, again, tell)

    return serve
