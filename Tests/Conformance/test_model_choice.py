"""The model and the provider: named in the address, in the session, or not at all."""

import asyncio
import itertools
import json

import pytest
from websockets.asyncio.client import connect

from conversation import conversation
from event_types import openai_server_event
from providers import GEMINI_MODEL, OPENAI_MODEL
from upstream_record import await_record, read

NATIVE_AUDIO = "gemini-2.5-flash-native-audio-preview-12-2025"
numbers = itertools.count()


def mark() -> str:
    """Instructions that tell one test's connection from all others in the record."""
    return f"test_model_choice {next(numbers)}"


def gemini_setups(record, instructions: str) -> list[dict]:
    return [
        message["setup"]
        for message in record.received("gemini")
        if "setup" in message and instructions in json.dumps(message["setup"].get("systemInstruction", {}))
    ]


async def test_R029_a_model_200_ms_after_the_connection_is_the_only_one_dialled(gateway, standin):
    before = len(read(standin.record).heads)
    async with conversation(gateway, "gemini") as talk:
        await asyncio.sleep(0.2)  # the requirement's own figure
        name = mark()
        session = {"type": "realtime", "model": NATIVE_AUDIO, "instructions": name}
        await talk.connection.session.update(session=session)
        updated = await talk.until("session.updated")
        assert updated[-1]["session"]["model"] == NATIVE_AUDIO
        await talk.text_turn()
    record = await_record(standin.record, lambda record: bool(gemini_setups(record, name)))
    assert [setup["model"] for setup in gemini_setups(record, name)] == [f"models/{NATIVE_AUDIO}"]
    assert len(record.heads) == before + 1, "one conversation, one upstream connection"


async def test_R016_R017_R028_a_model_in_the_first_update_reaches_the_provider(gateway, standin):
    async with conversation(gateway, "gemini") as talk:
        name = mark()
        session = {"type": "realtime", "model": NATIVE_AUDIO, "instructions": name}
        await talk.connection.session.update(session=session)
        await talk.text_turn()
    record = await_record(standin.record, lambda record: bool(gemini_setups(record, name)))
    assert [setup["model"] for setup in gemini_setups(record, name)] == [f"models/{NATIVE_AUDIO}"]


async def test_R020_the_three_lines_of_the_documentation_work_literally(gateway, standin):
    # wss://api.stimulir.com/api/v1/inference/realtime?provider=gemini
    # Upgrade header: Authorization: Bearer hyb_...
    # Session model:  gemini-2.5-flash-native-audio-preview-12-2025
    url = f"{gateway.ws}/api/v1/inference/realtime?provider=gemini"
    name = mark()
    async with connect(url, additional_headers={"Authorization": "Bearer hyb_..."}) as socket:
        for line in (
            {"type": "session.update", "session": {"model": NATIVE_AUDIO}},
            {"type": "session.update", "session": {"instructions": name}},
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            },
            {"type": "response.create"},
        ):
            await socket.send(json.dumps(line))
        kinds = []
        while "response.done" not in kinds:
            kinds.append(openai_server_event(await asyncio.wait_for(socket.recv(), 10), frozenset({"audio"}))["type"])
        assert kinds[0] == "session.created" and kinds.count("session.updated") == 2
        assert "response.output_audio.delta" in kinds and "error" not in kinds
    record = await_record(standin.record, lambda record: bool(gemini_setups(record, name)))
    assert [setup["model"] for setup in gemini_setups(record, name)] == [f"models/{NATIVE_AUDIO}"]


@pytest.mark.parametrize(
    "provider, model, service",
    [
        ("gemini", None, "gemini"),
        ("openai", None, "openai"),
        (None, None, "gemini"),  # R014: the configured default
        (None, OPENAI_MODEL, "openai"),
        (None, GEMINI_MODEL, "gemini"),
    ],
)
async def test_R013_R014_the_provider_is_named_by_query_by_model_or_by_default(
    gateway, standin, provider, model, service
):
    words = mark()
    async with conversation(gateway, provider, **({"model": model} if model else {})) as talk:
        await talk.text_turn(words)

    def has_words(message: dict) -> bool:
        return words in json.dumps(message)

    record = await_record(standin.record, lambda record: bool(record.connections(service, has_words)))
    other = {"gemini": "openai", "openai": "gemini"}[service]
    assert len(record.connections(service, has_words)) == 1
    assert not record.connections(other, has_words)


async def test_R088_the_text_of_an_item_reaches_gemini_as_the_users_words(gateway, standin):
    words = mark()
    async with conversation(gateway, "gemini") as talk:
        await talk.text_turn(words)
    expected = {"turns": [{"role": "user", "parts": [{"text": words}]}], "turnComplete": True}
    record = await_record(
        standin.record, lambda record: {"clientContent": expected} in record.received("gemini")
    )
    assert {"clientContent": expected} in record.received("gemini")


async def test_fault_row_20_the_providers_key_goes_upstream_and_the_clients_headers_do_not(gateway, standin):
    words = mark()
    async with conversation(gateway, "openai") as talk:
        await talk.text_turn(words)
    record = await_record(
        standin.record, lambda record: bool(record.connections("openai", lambda m: words in json.dumps(m)))
    )
    (number,) = record.connections("openai", lambda message: words in json.dumps(message))
    headers = {name.lower(): value for name, value in record.heads[number]["headers"]}
    assert headers["authorization"] == "Bearer stand-in-key-0123456789"
    assert ["model", OPENAI_MODEL] in record.heads[number]["query"]
    assert not [name for name in headers if name.startswith("x-stainless")]
