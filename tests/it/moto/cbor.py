"""A loopback proxy before moto, for the one protocol that moto does not speak: the Rust SDK's CloudWatch client asks by
Smithy RPC v2 CBOR. Such a call is read and answered by botocore's own reader, writer and model, and put to moto by
boto3 in between; every other request goes through as it is.
"""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import botocore.exceptions
from botocore import xform_name
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

CALL = "/service/GraniteServiceVersion20100801/operation/"
# Of one connection each, and of bodies that are sent anew.
OF_THE_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "date", "server"}


def decoded(body):
    parser = RpcV2CBORParser()
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}


def encoded(value, shape):
    written = bytearray()
    if shape is None:
        return b"\xa0"
    RpcV2CBORSerializer()._serialize_data_item(written, value, shape)
    return bytes(written)


def error(code, message):
    """Both are short texts: a map of two, each with a length of two bytes."""
    text = lambda word: b"\x79" + len(word.encode()).to_bytes(2, "big") + word.encode()
    return b"\xa2" + text("__type") + text(code) + text("message") + text(message)


def cloudwatch(upstream, headers, operation, body):
    """(status, body) of a call."""
    # `Credential=KEY/DATE/REGION/SERVICE/aws4_request`: who asks, and where.
    key, _, region = headers.get("Authorization", "").partition("Credential=")[2].split("/")[:3]
    client = boto3.client("cloudwatch", region_name=region, endpoint_url=upstream, aws_access_key_id=key,
                          aws_secret_access_key="unused")
    model = client.meta.service_model.operation_model(operation)
    try:
        answer = getattr(client, xform_name(operation))(**decoded(body))
    except botocore.exceptions.ClientError as refused:
        told = refused.response
        return told["ResponseMetadata"]["HTTPStatusCode"], error(told["Error"]["Code"], told["Error"]["Message"])
    answer.pop("ResponseMetadata")
    return 200, encoded(answer, model.output_shape)


def handler(upstream):
    host = upstream.removeprefix("http://")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One write an answer: no waiting for the client's acknowledgement.
        wbufsize = 65536
        disable_nagle_algorithm = True

        def log_message(self, *_):
            pass

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.startswith(CALL):
                status, answer = cloudwatch(upstream, self.headers, self.path.removeprefix(CALL), body)
                return self.reply(status, [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")], answer)
            there = http.client.HTTPConnection(host, timeout=60)
            there.request(self.command, self.path, body, {
                name: value for name, value in self.headers.items() if name.lower() not in OF_THE_HOP})
            answer = there.getresponse()
            data = answer.read()
            there.close()
            self.reply(answer.status, answer.getheaders(), data)

        def reply(self, status, headers, body):
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in OF_THE_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = pass_on

    return Handler


def before(upstream):
    """Starts the proxy; its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(upstream))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"
