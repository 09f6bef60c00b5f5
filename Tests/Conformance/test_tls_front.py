"""Behind nginx with TLS, as the documentation of a self-hosted engine configures it: nothing is different."""

import asyncio
import json
import ssl
import urllib.request

import pytest
from websockets.asyncio.client import connect

from event_types import openai_server_event


@pytest.mark.parametrize("path", ["/v1/realtime", "/api/v1/inference/realtime"])
async def test_R006_R053_a_session_over_wss(secure_gateway, path):
    headers = {"Authorization": "Bearer hyb_key"}
    async with connect(secure_gateway.wss + path, additional_headers=headers) as socket:
        created = openai_server_event(await asyncio.wait_for(socket.recv(), 5))
        assert created["type"] == "session.created"
        await socket.send(json.dumps({"type": "session.update", "session": {"instructions": "x"}}))
        assert openai_server_event(await asyncio.wait_for(socket.recv(), 5))["type"] == "session.updated"


def test_R053_the_health_over_https(secure_gateway):
    context = ssl.create_default_context()
    with urllib.request.urlopen(f"{secure_gateway.https}/health", timeout=5, context=context) as answer:
        assert answer.status == 200
