"""Sessions that only transcribe (`?intent=transcription`): OpenAI's own, and the same before every other provider."""

import base64
import contextlib

import pytest
from openai import AsyncOpenAI

from client_turns import HEARD, SPEECH
from conversation import Conversation, of_type, types
from providers import PROVIDERS, added_by, without
from sound import chunks
from spoken import TRANSCRIBED, has


@pytest.fixture
def transcribing(request):
    @contextlib.asynccontextmanager
    async def connected(provider: str):
        server = request.getfixturevalue("engine" if provider == "local" else "gateway")
        client = AsyncOpenAI(base_url=f"{server.http}/v1", api_key="test")
        query = {"intent": "transcription", "provider": provider}
        async with client, client.realtime.connect(extra_query=query) as connection:
            talk = Conversation(connection, added_by(provider))
            created = await talk.next()
            assert created["type"] == "session.created" and created["session"]["type"] == "transcription"
            yield talk
            assert not [kind for kind in types(talk.events) if kind.startswith("response.")]

    return connected


async def listen(talk: Conversation, **fields) -> dict:
    """The input of the session after an update of it."""
    await talk.connection.session.update(session={"type": "transcription", "audio": {"input": fields}})
    session = (await talk.until("session.updated"))[-1]["session"]
    assert session["type"] == "transcription" and "output" not in session["audio"]
    return session["audio"]["input"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_turn_that_the_service_ends_is_transcribed(transcribing, provider):
    async with transcribing(provider) as talk:
        heard = await listen(
            talk,
            transcription={"model": "gpt-4o-transcribe"},
            turn_detection={"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500},
        )
        assert heard["turn_detection"]["silence_duration_ms"] == 500
        for _ in range(2):
            await talk.append(SPEECH)
            events = await talk.until(TRANSCRIBED)
            order = types(events)
            started, stopped = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
            assert order.index(started) < order.index(stopped) < order.index("input_audio_buffer.committed")
            item = of_type(events, "input_audio_buffer.committed")[0]["item_id"]
            added = of_type(events, "conversation.item.added")[0]["item"]
            assert added["id"] == item and added["content"][0]["type"] == "input_audio"
            assert events[-1]["item_id"] == item and has(events[-1]["transcript"], HEARD) and events[-1]["usage"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_turn_that_the_client_ends_is_transcribed(transcribing, provider):
    async with transcribing(provider) as talk:
        heard = await listen(talk, transcription={"model": "whisper-1"}, turn_detection=None)
        assert heard["turn_detection"] is None
        for chunk in chunks(SPEECH):
            await talk.connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())
        await talk.connection.input_audio_buffer.commit()
        events = await talk.until(TRANSCRIBED)
        assert has(events[-1]["transcript"], HEARD)
        assert "input_audio_buffer.speech_started" not in types(talk.events)


# OpenAI and Azure refuse it themselves.
@pytest.mark.parametrize("provider", without(PROVIDERS, "openai", "azure"))
async def test_there_are_no_answers(transcribing, provider):
    async with transcribing(provider) as talk:
        await talk.connection.response.create(event_id="create_1")
        fault = await talk.error()
        assert fault["type"] == "invalid_request_error" and fault["event_id"] == "create_1"
        await listen(talk, transcription={"model": "whisper-1"})


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_it_does_not_become_another_session(transcribing, provider):
    async with transcribing(provider) as talk:
        await talk.connection.session.update(session={"type": "realtime"}, event_id="update_1")
        fault = await talk.error()
        assert fault["param"] == "session.type" and fault["event_id"] == "update_1"
