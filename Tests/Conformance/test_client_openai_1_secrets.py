"""Ephemeral keys with the unmodified openai package 1.x, through TLS: its beta client dials wss only."""

import contextlib

import pytest
from openai import AsyncOpenAI

from asking import SERVER_KEY, locked_gateway
from beta_conversation import BetaConversation, assert_beta_legal, audio_of
from conftest import front

MODEL = "gpt-4o-realtime-preview"


@pytest.fixture(scope="module")
def secure(tmp_path_factory, standin, authority):
    """Its TLS front; the certificate's authority is trusted by this process."""
    folder = tmp_path_factory.mktemp("secrets")
    with locked_gateway(folder, standin) as running:
        yield from front(folder, authority, running, "secrets-front")


@contextlib.asynccontextmanager
async def connected(secure, key: str, model: str):
    async with AsyncOpenAI(base_url=f"{secure.https}/v1", api_key=key) as client:
        async with client.beta.realtime.connect(model=model) as connection:
            yield connection


@pytest.mark.parametrize("provider", ["gemini", "openai"])
async def test_a_session_secret_opens_a_turn(secure, provider):
    async with AsyncOpenAI(base_url=f"{secure.https}/v1", api_key=SERVER_KEY) as backend:
        made = await backend.beta.realtime.sessions.create(
            model=MODEL, instructions="Be kind.", modalities=["text", "audio"], extra_query={"provider": provider}
        )
    assert made.client_secret.value.startswith("ek_") and made.instructions == "Be kind."
    async with connected(secure, made.client_secret.value, MODEL) as connection:
        talk = BetaConversation(connection.recv_bytes)
        created = await talk.next()
        assert created["session"]["instructions"] == "Be kind." and created["session"]["modalities"]
        content = [{"type": "input_text", "text": "Say hello."}]
        await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await connection.response.create()
        events = await talk.until("response.done")
        assert_beta_legal(events)
        assert audio_of(events)


async def test_a_transcription_secret_opens_a_session_that_only_listens(secure):
    async with AsyncOpenAI(base_url=f"{secure.https}/v1", api_key=SERVER_KEY) as backend:
        made = await backend.beta.realtime.transcription_sessions.create(
            input_audio_format="pcm16", input_audio_transcription={"model": "whisper-1"},
            extra_query={"provider": "openai"},
        )  # fmt: skip
    assert made.client_secret.value.startswith("ek_") and made.input_audio_format == "pcm16"
    async with connected(secure, made.client_secret.value, MODEL) as connection:
        created = await BetaConversation(connection.recv_bytes).next()
        assert created["type"] == "transcription_session.created"
