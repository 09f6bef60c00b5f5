"""A stand-in for an OpenTelemetry collector: takes OTLP/HTTP in JSON, and holds it to the shape of its protocol."""

import http.server
import json
import re
import threading
import time
import urllib.parse

IDENTIFIERS = {"traceId": 32, "spanId": 16, "parentSpanId": 16}
# Of ExportTraceServiceRequest down to the attributes (opentelemetry/proto/trace/v1/trace.proto).
SPAN_FIELDS = {
    "traceId", "spanId", "traceState", "parentSpanId", "flags", "name", "kind", "startTimeUnixNano",
    "endTimeUnixNano", "attributes", "droppedAttributesCount", "events", "droppedEventsCount", "links",
    "droppedLinksCount", "status",
}  # fmt: skip
EVENT_FIELDS = {"timeUnixNano", "name", "attributes", "droppedAttributesCount"}
LINK_FIELDS = {"traceId", "spanId", "traceState", "attributes", "droppedAttributesCount", "flags"}
KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
VALUES = {"stringValue": str, "boolValue": bool, "intValue": str, "doubleValue": (int, float), "arrayValue": dict}


def read_value(value: dict):
    """The value of an `AnyValue`; 64-bit numbers are text in JSON."""
    assert len(value) == 1, value
    [(kind, content)] = value.items()
    assert isinstance(content, VALUES[kind]), value
    if kind == "intValue":
        return int(content)
    if kind == "arrayValue":
        return [read_value(element) for element in content["values"]]
    return content


def read_attributes(attributes: list[dict]) -> dict:
    assert all(set(attribute) == {"key", "value"} for attribute in attributes), attributes
    read = {attribute["key"]: read_value(attribute["value"]) for attribute in attributes}
    assert len(read) == len(attributes) and all(read), "keys are unique and not empty"
    return read


def read_time(text: str) -> int:
    assert isinstance(text, str) and text.isascii() and text.isdigit(), text
    assert abs(int(text) / 1e9 - time.time()) < 3_600, text
    return int(text)


def read_span(span: dict) -> dict:
    """The span with its attributes as plain values, after a look at every field."""
    assert set(span) <= SPAN_FIELDS, set(span) - SPAN_FIELDS
    for name, digits in IDENTIFIERS.items():
        if name in span or name != "parentSpanId":
            assert re.fullmatch(rf"[0-9a-f]{{{digits}}}", span[name]) and set(span[name]) != {"0"}, span
    assert isinstance(span["name"], str) and span["name"] and span["kind"] in KINDS, span
    begin, end = read_time(span["startTimeUnixNano"]), read_time(span["endTimeUnixNano"])
    assert begin <= end, span
    for event in span.get("events", []):
        assert set(event) <= EVENT_FIELDS and event["name"], event
        assert read_time(event["timeUnixNano"]) >= begin, (event, span)
    for link in span.get("links", []):
        assert set(link) <= LINK_FIELDS, link
        read_attributes(link.get("attributes", []))
    assert set(span.get("status", {})) <= {"code", "message"} and span.get("status", {}).get("code", 0) in (0, 1, 2)
    events = [
        {"name": event["name"], "attributes": read_attributes(event.get("attributes", []))}
        for event in span.get("events", [])
    ]
    return {
        **span, "kind": KINDS[span["kind"]], "attributes": read_attributes(span["attributes"]), "events": events,
        "seconds": (end - begin) / 1e9,
    }  # fmt: skip


def read_spans(document: dict) -> list[tuple[dict, dict]]:
    """The resource's attributes and the span, of each span."""
    assert set(document) == {"resourceSpans"}, document
    found = []
    for group in document["resourceSpans"]:
        assert set(group) <= {"resource", "scopeSpans", "schemaUrl"}, group
        resource = read_attributes(group["resource"]["attributes"])
        for scoped in group["scopeSpans"]:
            assert set(scoped) <= {"scope", "spans", "schemaUrl"} and scoped["scope"]["name"], scoped
            found += [(resource, read_span(span)) for span in scoped["spans"]]
    return found


class Collector(threading.Thread):
    """Takes spans on a port of its own. What it does not understand is kept in `faults`."""

    def __init__(self, statuses: list[int] | None = None):
        """`statuses` are what the first requests are answered with; then all are taken."""
        super().__init__(daemon=True)
        self.statuses = list(statuses or [])
        self.requests: list[dict] = []
        self.spans: list[dict] = []
        self.bodies: list[bytes] = []
        self.resources: list[dict] = []
        self.faults: list[str] = []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = collector.take(urllib.parse.unquote(self.path), dict(self.headers.items()), body)
                self.send_response(status)
                answer = b"{}"
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                if status == 429:
                    self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.start()

    def run(self):
        self._server.serve_forever(poll_interval=0.05)

    def take(self, path: str, headers: dict, body: bytes) -> int:
        self.requests.append({"path": path, "headers": {name.lower(): value for name, value in headers.items()}})
        if self.statuses:
            return self.statuses.pop(0)
        self.bodies.append(body)
        try:
            for resource, span in read_spans(json.loads(body)):
                self.resources.append(resource)
                self.spans.append(span)
        except (AssertionError, KeyError, TypeError, ValueError) as fault:
            self.faults.append(repr(fault))
            return 400
        return 200

    def await_spans(self, is_enough, within: float = 15.0) -> list[dict]:
        """The spans, once they are enough."""
        deadline = time.monotonic() + within
        while not is_enough(self.spans):
            assert not self.faults, self.faults
            assert time.monotonic() < deadline, [span["name"] for span in self.spans]
            time.sleep(0.02)
        assert not self.faults, self.faults
        return self.spans

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
