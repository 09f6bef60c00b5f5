"""The upgrade: who is let in, who is refused, and how that is said. Any WebSocket client will do, so this is `websockets`."""

import asyncio
import base64
import http.client
import json
import os
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from event_types import openai_server_event
from processes import CONTACT


async def refusal(url: str) -> tuple[int, dict]:
    """The status and the JSON body of a refused upgrade."""
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url):
            pass
    response = refused.value.response
    assert response.headers["Content-Type"].startswith("application/json")
    return response.status_code, json.loads(response.body)


def request(gateway, method: str, path: str, body: bytes | None = None) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    connection.request(method, path, body=body)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer, text


async def test_R015_an_unknown_provider_is_refused_with_the_known_ones(gateway):
    status, body = await refusal(f"{gateway.ws}/v1/realtime?provider=nope")
    assert status == 400
    assert body["error"]["code"] == "invalid_value" and body["error"]["param"] == "provider"
    assert "gemini" in body["error"]["message"] and "openai" in body["error"]["message"]


async def test_R171_R172_a_provider_without_its_key_is_refused_with_cause_and_contact(gateway):
    status, body = await refusal(f"{gateway.ws}/v1/realtime?provider=keyless")
    assert status == 503
    assert body["error"]["code"] == "provider_unavailable"
    assert "keyless" in body["error"]["message"]
    assert CONTACT in body["error"]["message"]


def test_R057_a_plain_get_is_told_to_upgrade(gateway):
    answer, body = request(gateway, "GET", "/v1/realtime")
    assert answer.status == 426
    assert answer.headers["Upgrade"].lower() == "websocket"
    assert json.loads(body)["error"]["message"]


def test_R139_the_webrtc_endpoint_is_refused(gateway):
    answer, body = request(gateway, "POST", "/v1/realtime/calls", b"v=0")
    assert answer.status in (404, 501)
    assert json.loads(body)["error"]["message"]


def test_health_is_answered(gateway):
    answer, _ = request(gateway, "GET", "/health")
    assert answer.status == 200


async def test_R002_R010_R175_R213_any_client_without_a_subprotocol_gets_a_session(gateway):
    async with connect(f"{gateway.ws}/v1/realtime") as socket:
        assert socket.response.status_code == 101 and socket.subprotocol is None
        assert openai_server_event(await socket.recv())["type"] == "session.created"


async def test_R059_an_empty_subprotocol_list_with_headers(gateway):
    headers = {"Authorization": "Bearer test"}
    async with connect(f"{gateway.ws}/v1/realtime", subprotocols=[], additional_headers=headers) as socket:
        assert "Sec-WebSocket-Protocol" not in socket.response.headers
        assert openai_server_event(await socket.recv())["type"] == "session.created"


async def test_the_subprotocol_realtime_is_echoed_and_a_key_in_the_list_is_not(gateway):
    offered = ["realtime", "openai-insecure-api-key.sk-secret"]
    async with connect(f"{gateway.ws}/v1/realtime", subprotocols=offered) as socket:
        assert socket.subprotocol == "realtime"
        assert openai_server_event(await socket.recv())["type"] == "session.created"
    assert "sk-secret" not in gateway.log


@pytest.mark.parametrize("model", [None, "gemini-3.8-live"], ids=["model unknown", "model known"])
@pytest.mark.parametrize("provider", ["gemini", "openai", "gemini-silent", "openai-silent"])
async def test_R032_R091_R185_session_created_comes_within_50_ms_of_the_101(gateway, provider, model):
    """With a known model the server dials at once; the silent providers accept the connection and never answer."""

    async def once() -> float:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        query = f"provider={provider}" + (f"&model={model}" if model else "")
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /v1/realtime?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        upgraded = time.monotonic()
        assert head.startswith(b"HTTP/1.1 101 ")
        first, length = await reader.readexactly(2)
        assert first == 0x81 and length == 126, "one whole text frame"
        event = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        elapsed = time.monotonic() - upgraded
        writer.close()
        assert openai_server_event(event)["type"] == "session.created"
        return elapsed

    # The best of three, so that a busy machine is not mistaken for a slow server.
    assert min([await once() for _ in range(3)]) < 0.05
