"""Sessions that only transcribe, by the beta client of the unmodified openai package 1.x."""

import pytest
from openai import AsyncOpenAI

from client_turns import HEARD, SPEECH
from conversation import types
from providers import PROVIDERS, without
from spoken import has
from test_client_openai_1 import TRANSCRIBED, Talk

SESSION = {
    "input_audio_format": "pcm16",
    "input_audio_transcription": {"model": "gpt-4o-transcribe", "language": "en", "prompt": ""},
    "turn_detection": {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500},
}


@pytest.mark.parametrize("provider", without(PROVIDERS, "inworld"))
async def test_R099_a_transcription_session(request, provider):
    front = request.getfixturevalue("secure_engine" if provider == "local" else "secure_gateway")
    client = AsyncOpenAI(base_url=f"{front.https}/v1", api_key="test")
    # The package insists on a model, which the service of that time did not read here.
    options = {"model": "gpt-4o-transcribe", "extra_query": {"intent": "transcription", "provider": provider}}
    async with client, client.beta.realtime.connect(**options) as connection:
        talk = Talk(connection, provider)
        assert (await talk.next())["type"] == "transcription_session.created"
        await connection.transcription_session.update(session=SESSION)
        session = (await talk.until("transcription_session.updated"))[-1]["session"]
        assert session["input_audio_transcription"]["model"]
        assert SESSION["turn_detection"].items() <= session["turn_detection"].items()
        await talk.say(SPEECH)
        heard = (await talk.until(TRANSCRIBED))[-1]
        assert has(heard["transcript"], HEARD)
        assert not [kind for kind in types(talk.events) if kind.startswith("response.")]
        talk.assert_one_dialect()
