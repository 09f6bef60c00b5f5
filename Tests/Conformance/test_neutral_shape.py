"""The neutral shape of a runtime's documentation: its three client frames, and audio in `audio` where OpenAI says `delta`."""

import asyncio
import base64
import json

import pytest
from websockets.asyncio.client import connect

from client_turns import SPEECH
from conversation import types
from event_types import openai_server_event
from providers import PROVIDERS, added_by
from sound import chunks

PATHS = ["/v1/realtime", "/api/v1/inference/realtime"]
MODELS = {"local": "Qwen2.5-Omni-3B", "gemini": "gemini-2.5-flash-native-audio-preview-12-2025"}

OTHER_MODEL = "gpt-realtime"


def neutral_server_event(raw: str | bytes, provider: str) -> dict:
    """The event by the types of GA, with `audio` beside `delta`."""
    return openai_server_event(raw, added_by(provider) | {"audio"})


async def turn(server, path: str, provider: str, key: str | None, query: str = "") -> list[dict]:
    """The events of a connection that sends what the documentation shows, literally, to the end of an answer."""
    model = MODELS.get(provider, OTHER_MODEL)
    url = f"{server.ws}{path}?provider={provider}{query}"
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with connect(url, additional_headers=headers) as socket:
        events = [openai_server_event(await asyncio.wait_for(socket.recv(), 10), added_by(provider))]
        assert events[0]["type"] == "session.created"
        await socket.send(json.dumps({"type": "session.update", "session": {"model": model}}))
        for chunk in chunks(SPEECH):
            audio = base64.b64encode(chunk).decode()
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        while events[-1]["type"] != "response.done":
            events.append(neutral_server_event(await asyncio.wait_for(socket.recv(), 10), provider))
            assert events[-1]["type"] != "error", events[-1]
    return events


def fields_of_audio(events: list[dict]) -> set[tuple[bool, bool]]:
    """Whether `audio` and `delta` are there, over all pieces of sound; both hold the same."""
    pieces = [event for event in events if event["type"] == "response.output_audio.delta"]
    assert pieces and all(piece.get("audio", piece["delta"]) == piece["delta"] for piece in pieces)
    return {("audio" in piece, "delta" in piece) for piece in pieces}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "path, key, query, has_audio",
    [
        ("/api/v1/inference/realtime", None, "", True),
        ("/api/v1/inference/realtime", "sk_key", "&delta_field=delta", False),
        ("/v1/realtime", None, "", False),
        ("/v1/realtime", "sk_key", "", False),
        ("/v1/realtime", "hyb_key", "", True),
        ("/v1/realtime", None, "&delta_field=both", True),
    ],
)
async def test_R034_audio_beside_delta(request, provider, path, key, query, has_audio):
    server = request.getfixturevalue("engine" if provider == "local" else "gateway")
    events = await turn(server, path, provider, key, query)
    assert fields_of_audio(events) == {(has_audio, True)}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R005_R011_both_paths_give_the_same_events(request, provider):
    server = request.getfixturevalue("engine" if provider == "local" else "gateway")
    orders = []
    for path in PATHS:
        events = await turn(server, path, provider, "hyb_key")
        # Transcripts of the user come when they come, and deltas as many as they are.
        kinds = [kind for kind in types(events) if ".delta" not in kind and "input_audio_transcription" not in kind]
        orders.append(kinds)
    assert orders[0] == orders[1]
