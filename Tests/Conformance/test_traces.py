"""Traces: a span per session and per turn, below the client's own, sent to a collector."""

import json
import re
import secrets

import pytest
from websockets.asyncio.client import connect

from collector import Collector
from processes import Gateway, provider
from providers import OPENAI_MODEL

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
# Of the header that the collector wants; it stands percent-encoded in the environment.
COLLECTOR_KEY = "the-collectors-own-key=1"
# Nothing like it may be said anywhere but in the session.
TEXT = f"a very private text {secrets.token_hex(8)}"


def environment(collector: Collector, **more: str) -> dict:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20the-collectors-own-key%3D1", **more,
    }  # fmt: skip


def routes(port: int) -> dict:
    return {"default": "openai", "providers": {"openai": provider("openai", port, OPENAI_MODEL)}}


@pytest.fixture
def run(tmp_path, standin):
    """Starts servers that trace, and stops them."""
    started = []

    def start(collector: Collector, **more: str) -> Gateway:
        gateway = Gateway(tmp_path, routes(standin.ports["openai"]), environment(collector, **more))
        started.append(gateway)
        gateway.await_ready()
        return gateway

    yield start
    for gateway in started:
        assert gateway.stop() == 0


async def talk(gateway: Gateway, headers: dict | None = None, turns: int = 1) -> dict:
    """Text turns. Returns the session and the responses that the client saw."""
    async with connect(f"{gateway.ws}/v1/realtime", additional_headers=headers or {}) as socket:
        session = json.loads(await socket.recv())["session"]
        responses = []
        for _ in range(turns):
            content = [{"type": "input_text", "text": TEXT}]
            item = {"type": "message", "role": "user", "content": content}
            await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
            await socket.send(json.dumps({"type": "response.create"}))
            async for message in socket:
                event = json.loads(message)
                if event["type"] == "response.done":
                    responses.append(event["response"])
                    break
    return {"session": session, "responses": responses}


def is_session_over(spans: list[dict]) -> bool:
    return any(span["name"] == "parley.session" for span in spans)


async def test_a_session_and_its_turns_are_spans_below_the_clients(run, standin):
    collector = Collector()
    gateway = run(collector, OTEL_SERVICE_NAME="voice-desk")
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
    seen = await talk(gateway, headers, turns=2)
    spans = collector.await_spans(is_session_over)
    [session] = [span for span in spans if span["name"] == "parley.session"]
    turns = [span for span in spans if span is not session]
    assert {span["traceId"] for span in spans} == {TRACE} and {span["traceState"] for span in spans} == {"vendor=1"}
    assert session["parentSpanId"] == SPAN and session["kind"] == "server"
    assert len(turns) == 2 and {span["parentSpanId"] for span in turns} == {session["spanId"]}
    for span, response in zip(turns, seen["responses"], strict=True):
        told = span["attributes"]
        assert span["name"] == f"chat {OPENAI_MODEL}" and span["kind"] == "client"
        assert told["gen_ai.operation.name"] == "chat" and told["gen_ai.request.model"] == OPENAI_MODEL
        assert told["gen_ai.provider.name"] == "openai" and told["gen_ai.response.id"] == response["id"]
        assert told["gen_ai.conversation.id"] == seen["session"]["id"]
        assert told["gen_ai.usage.input_tokens"] == response["usage"]["input_tokens"]
        assert told["gen_ai.usage.output_tokens"] == response["usage"]["output_tokens"]
        assert span["seconds"] <= session["seconds"]
    assert {resource["service.name"] for resource in collector.resources} == {"voice-desk"}
    [request, *_] = collector.requests
    assert request["path"] == "/v1/traces" and request["headers"]["content-type"] == "application/json"
    assert request["headers"]["authorization"] == f"Bearer {COLLECTOR_KEY}"
    assert TEXT.encode() not in b"".join(collector.bodies), "no text in a trace"
    assert COLLECTOR_KEY not in gateway.log


async def test_the_provider_is_told_of_the_trace(run, standin):
    collector = Collector()
    trace = secrets.token_hex(16)
    await talk(run(collector), {"traceparent": f"00-{trace}-{SPAN}-01", "tracestate": "vendor=2"})
    spans = collector.await_spans(is_session_over)
    record = standin.record.read_text()
    [parent] = set(re.findall(rf"00-{trace}-([0-9a-f]{{16}})-01", record))
    assert parent in {span["spanId"] for span in spans}
    assert "vendor=2" in record


async def test_without_a_clients_trace_each_session_has_its_own(run):
    collector = Collector()
    gateway = run(collector)
    for _ in range(2):
        await talk(gateway)
    spans = collector.await_spans(lambda spans: sum(span["name"] == "parley.session" for span in spans) == 2)
    assert len({span["traceId"] for span in spans}) == 2
    assert not [span for span in spans if span["name"] == "parley.session" and "parentSpanId" in span]


async def test_a_trace_that_its_client_does_not_record_is_not_exported(run):
    collector = Collector()
    gateway = run(collector)
    await talk(gateway, {"traceparent": f"00-{TRACE}-{SPAN}-00"})
    await talk(gateway, {"traceparent": f"00-{TRACE}-{SPAN}-01-broken"})
    spans = collector.await_spans(is_session_over)
    assert TRACE not in {span["traceId"] for span in spans}


async def test_a_collector_that_is_busy_gets_them_later_and_the_last_ones_at_the_end(tmp_path, standin):
    collector = Collector(statuses=[429, 429])
    gateway = Gateway(tmp_path, routes(standin.ports["openai"]), environment(collector))
    gateway.await_ready()
    await talk(gateway)
    collector.await_spans(is_session_over)
    assert len(collector.requests) >= 3
    # Nothing is sent by the clock any more: what is left goes at the end of the process.
    last = Collector()
    patient = Gateway(tmp_path, routes(standin.ports["openai"]), environment(last, OTEL_BSP_SCHEDULE_DELAY="600000"))
    patient.await_ready()
    await talk(patient)
    assert not last.spans
    assert patient.stop() == 0 and gateway.stop() == 0
    assert is_session_over(last.await_spans(is_session_over))


async def test_a_collector_that_is_away_costs_no_session(run):
    collector = Collector()
    collector.stop()
    gateway = run(collector)
    seen = await talk(gateway, turns=2)
    assert [response["status"] for response in seen["responses"]] == ["completed", "completed"]
