"""Conversations with the voice engine: synthetic speech in, and what the spoken answer is heard as."""

import asyncio
import base64
import functools
import os
import pathlib
import re
import tempfile

import pytest

from conversation import Conversation, conversation, of_type
from processes import ROOT, Gateway
from sound import RATE, silence, spoken

VOICES = ("en-us", "en-gb")
PARTS = pathlib.Path(os.environ.get("PARLEY_DATA", ROOT / "data"))
# Before speech, as of a microphone that was open; and what ends any turn under the default settings.
LEAD = silence(300)
PAUSE = silence(1_000)
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
LONG_ANSWER = "Count to thirty."

# Nothing of the machine's own configuration, and no search for language models on it.
ENVIRONMENT = {
    "PARLEY_DATA": str(PARTS),
    "VAD_PROVIDER": "silero",
    "STT_PROVIDER": "whisper",
    "LLM_PROVIDER": "rules",
    "TTS_PROVIDER": "espeak",
    "PARLEY_MAX_TURNS": "16",
    "TZ": "UTC",
}


class LocalEngine(Gateway):
    """One `parley serve` whose default is the voice engine of its own process."""

    def __init__(self, folder: pathlib.Path, providers: dict | None = None, environment: dict | None = None):
        require_parts()
        folder.mkdir(exist_ok=True)
        routes = {
            "default": "local",
            "providers": {"local": {"kind": "local"}, **(providers or {})},
            "routes": [{"path": "/v1/realtime"}, {"path": "/api/v1/inference/realtime"}],
        }
        super().__init__(folder, routes, {**ENVIRONMENT, **(environment or {})})


def require_parts() -> None:
    for name in ("models/ggml-tiny.en.bin", "models/ggml-silero-v6.2.0.bin"):
        if not (PARTS / name).exists():
            pytest.skip(f"{PARTS / name} is not installed: run `make setup`")


@functools.cache
def speech(sentence: str, voice: str = VOICES[0]) -> bytes:
    """PCM16 at 24 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        return spoken(sentence, pathlib.Path(folder), voice)


def milliseconds(audio: bytes) -> int:
    return len(audio) * 1000 // (2 * RATE)


async def ask(talk: Conversation, sentence: str, voice: str = VOICES[0]) -> list[dict]:
    """A spoken turn, ended by silence; the events up to the end of the answer."""
    await talk.append(LEAD + speech(sentence, voice) + PAUSE)
    return await talk.until("response.done")


async def update(talk: Conversation, **session) -> dict:
    """The session after an update."""
    await talk.connection.session.update(session={"type": "realtime", **session})
    return (await talk.until("session.updated"))[-1]["session"]


async def detect(talk: Conversation, **turn_detection) -> dict:
    """The turn detection after an update of it."""
    session = await update(talk, audio={"input": {"turn_detection": turn_detection}})
    return session["audio"]["input"]["turn_detection"]


async def push_to_talk(talk: Conversation) -> None:
    session = await update(talk, audio={"input": {"turn_detection": None}})
    assert session["audio"]["input"]["turn_detection"] is None


async def say_item(talk: Conversation, audio: bytes) -> str:
    """A recording as an item of the user; its id."""
    content = [{"type": "input_audio", "audio": base64.b64encode(audio).decode()}]
    await talk.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
    return (await talk.until("conversation.item.done"))[-1]["item"]["id"]


async def hear(engine: Gateway, audio: bytes, lead: bytes = LEAD) -> str:
    """What another session of the engine recognises in PCM16 at 24 kHz, after a silence."""
    async with conversation(engine, None) as listener:
        await push_to_talk(listener)
        await listener.append(lead + audio + LEAD)
        await listener.connection.input_audio_buffer.commit()
        return (await listener.until(TRANSCRIBED))[-1]["transcript"]


def heard(events: list[dict]) -> str:
    """The words of the user."""
    return " ".join(event["transcript"] for event in of_type(events, TRANSCRIBED))


def said(events: list[dict]) -> str:
    """The words of the answer, spoken or written."""
    texts = [event["transcript"] for event in of_type(events, "response.output_audio_transcript.done")]
    texts += [event["text"] for event in of_type(events, "response.output_text.done")]
    return " ".join(texts)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def has(text: str, *alternatives: str) -> bool:
    """Whether one of the alternatives, each some words in a row, is in the text."""
    joined = f" {' '.join(words(text))} "
    return any(f" {' '.join(words(alternative))} " in joined for alternative in alternatives)


async def silent_for(talk: Conversation, seconds: float) -> bool:
    """Whether no event comes for a while."""
    try:
        await talk.next(seconds)
    except asyncio.TimeoutError:
        return True
    return False
