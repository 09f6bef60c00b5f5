"""Real speech, from espeak-ng, arrives at the provider bit for bit."""

import asyncio
import base64
import json

import pytest

from conversation import assert_legal, conversation
from sound import CHUNK_BYTES, chunks, silence, spoken
from upstream_record import await_record

# Without a pause inside that would end the turn.
SENTENCE = "The quick brown fox jumps over the lazy dog at noon in Reykjavik"


def audio_in(message: dict) -> bytes:
    """The audio that a provider's message carries."""
    if message.get("type") == "input_audio_buffer.append":
        return base64.b64decode(message["audio"], validate=True)
    blob = message.get("realtimeInput", {}).get("audio")
    # Sessions of other tests speak to the same stand-in, some of them as telephones do.
    if blob is None or blob["mimeType"] != "audio/pcm;rate=24000":
        return b""
    return base64.b64decode(blob["data"], validate=True)


@pytest.mark.parametrize("provider", ["gemini", "openai"])
async def test_R030_speech_in_20_ms_chunks_arrives_bit_exact(gateway, standin, folder, provider):
    # The mark is in the audio itself: each provider gets its own sentence.
    speech = spoken(f"{SENTENCE} for {provider}.", folder)
    audio = speech + silence(1200)
    first = audio[:CHUNK_BYTES * 4]

    def arrived(record) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for frame in record.frames:
            if frame.received and frame.provider == provider:
                found[frame.connection] = found.get(frame.connection, b"") + audio_in(json.loads(frame.text))
        return {number: sound for number, sound in found.items() if sound.startswith(first) and len(sound) > len(first)}

    async with conversation(gateway, provider) as talk:
        for chunk in chunks(audio, CHUNK_BYTES):
            await talk.connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())
        events = await talk.until("response.done")
        assert_legal(events)
        # While the session goes on: what is left of an append at its end is sent a little later.
        record = await asyncio.to_thread(
            await_record, standin.record, lambda record: any(sound == audio for sound in arrived(record).values())
        )
    assert audio in arrived(record).values(), "the audio that arrived is not the audio that was sent"
