"""The stand-ins of the remote services are fair: the vendors' own clients are content, and mistakes are found."""

import asyncio
import io

import httpx
import openai
import pytest
from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment

from sound import pitch, tone
from standins_chat import Answer, Refusal
from standins_deepgram import Heard
from standins_services import eventually, wav
from standins_speech import Transcript, form_parts, running_standins, standins  # noqa: F401
from strict_types import TypeFault


def client_of(service) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key=service.key, max_retries=0)


async def test_the_openai_client_reads_a_stream_of_the_chat_stand_in(standins):
    standins.chat.plan(Answer(calls=[("book_table", '{"people": 4}')], comments=True))
    tool = {"type": "function", "function": {"name": "book_table", "parameters": {"type": "object"}}}
    async with client_of(standins.chat) as client:
        assert "test-model" in [model.id async for model in client.models.list()]
        stream = await client.chat.completions.create(
            model="test-model", messages=[{"role": "user", "content": "Hello."}], stream=True, tools=[tool]
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == Answer().words
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert "".join(call.function.arguments for call in calls) == '{"people": 4}'
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


async def test_the_openai_client_gets_the_errors_of_the_chat_stand_in(standins):
    standins.chat.plan(Refusal(429, {"error": {"message": "Slow down.", "type": "tokens", "code": "x"}}))
    async with client_of(standins.chat) as client:
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(
                model="test-model", messages=[{"role": "user", "content": "x"}], stream=True
            )


@pytest.mark.parametrize("streams", [False, True])
async def test_the_openai_client_transcribes_with_the_stand_in(standins, streams):
    file = ("audio.wav", io.BytesIO(wav(bytes(32_000), 16_000)), "audio/wav")
    async with client_of(standins.hearing) as client:
        answer = await client.audio.transcriptions.create(model="whisper-test", file=file, stream=streams)
        text = [event async for event in answer][-1].text if streams else answer.text
    assert text == Transcript().text
    assert standins.hearing.heard == [bytes(32_000)]


@pytest.mark.parametrize("shape", ["pcm", "wav"])
async def test_the_openai_client_speaks_with_the_stand_in(standins, shape):
    async with client_of(standins.speaking) as client:
        answer = await client.audio.speech.create(
            model="voice-test", voice="af_heart", input="Hello.", response_format=shape
        )
        sound = answer.content.removeprefix(wav(b"", 24_000, dummy_size=0xFFFF_FFFF) if shape == "wav" else b"")
    assert abs(pitch(sound) - standins.speaking.hertz) < 2 and len(sound) == 300 * 48


async def test_the_Deepgram_client_is_content_with_the_stand_in(standins):
    address = standins.deepgram.url
    environment = DeepgramClientEnvironment(
        base=address, production=address.replace("http", "ws"), agent=address, agent_rest=address
    )
    async with httpx.AsyncClient() as http:
        client = AsyncDeepgramClient(api_key=standins.deepgram.key, environment=environment, httpx_client=http)
        sound = b"".join([piece async for piece in client.speak.v1.audio.generate(
            text="Hello.", model="aura-2-thalia-en", encoding="linear16", container="none", sample_rate=24_000
        )])  # fmt: skip
        assert abs(pitch(sound) - standins.deepgram.hertz) < 2

        async with client.listen.v1.connect(
            model="nova-3", encoding="linear16", sample_rate=16_000, interim_results=True
        ) as socket:
            for _ in range(20):
                await socket.send_media(tone(200, 50)[: 50 * 32])
            await socket.send_keep_alive()
            await socket.send_finalize()
            results = [await asyncio.wait_for(socket.recv(), 5) for _ in range(3)]
            assert [(result.is_final, result.from_finalize) for result in results] == [
                (False, False),
                (True, False),
                (True, True),
            ]
            assert " ".join(result.channel.alternatives[0].transcript for result in results[1:]) == Heard().text
            await socket.send_close_stream()
            assert (await asyncio.wait_for(socket.recv(), 5)).type == "Metadata"
    (call,) = standins.deepgram.calls
    await eventually(lambda: call.is_over)
    assert call.messages == ["KeepAlive", "Finalize", "CloseStream"]


USER = {"role": "user", "content": "Hello."}
CALLING = {
    "role": "assistant", "content": None,
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}  # fmt: skip
MISTAKES = {
    "an unknown field": ({"messages": [USER], "speaker": "Chelsie"}, "speaker"),
    "an unknown field inside": ({"messages": [{**USER, "audio": None}]}, "messages[0]"),
    "a number as text": ({"messages": [USER], "temperature": "0.3"}, "temperature"),
    "a call without a result": ({"messages": [CALLING, USER]}, "before the results"),
    "a result without a call": (
        {"messages": [{"role": "tool", "tool_call_id": "c", "content": ""}]},
        "answers no call",
    ),
    "a choice without tools": ({"messages": [USER], "tool_choice": "auto"}, "tool_choice"),
    "silence of the assistant": ({"messages": [{"role": "assistant", "content": ""}, USER]}, "says nothing"),
    "an unknown model": ({"messages": [USER], "model": "other"}, "other"),
}


@pytest.mark.parametrize("fields, fault", MISTAKES.values(), ids=MISTAKES)
async def test_the_chat_stand_in_finds_mistakes(standins, fields, fault):
    body = {"model": "test-model", "stream": True, **fields}
    headers = {"Authorization": f"Bearer {standins.chat.key}"}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{standins.chat.url}/v1/chat/completions", json=body, headers=headers)
        assert answer.status_code in (400, 404)
        answer = await client.post(f"{standins.chat.url}/v1/chat/completions", json={**body, "messages": [USER]})
        assert answer.status_code == 401, "no key"
    found, keyless = standins.chat.faults
    assert fault in found and "Authorization" in keyless
    standins.chat.faults.clear()


FORM = b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--x--\r\n'
FORMS = {
    "no end": FORM.removesuffix(b"--x--\r\n"),
    "bare line feeds": FORM.replace(b"\r\n", b"\n"),
    "no name": FORM.replace(b'; name="model"', b""),
    "no head": FORM.replace(b"\r\n\r\n", b"\r\n"),
}


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
def test_the_form_is_read_strictly(body):
    assert form_parts("multipart/form-data; boundary=x", FORM)[0].data == b"m"
    with pytest.raises(TypeFault):
        form_parts("multipart/form-data; boundary=x", body)
