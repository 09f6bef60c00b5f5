"""POST /v1/audio/speech with the official client: the engine's voice, its faults, and who may have it."""

import contextlib
import io
import json
import socket
import time
import urllib.error
import urllib.request
import wave

import pytest
from openai import AsyncOpenAI, BadRequestError

from processes import STANDIN_KEY, Gateway
from spoken import ENVIRONMENT

SENTENCE = "The weather will be fine tomorrow."
MOST_AT_ONCE = 8


def post(url: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, headers=headers or {}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def seconds_of(file: bytes) -> float:
    with wave.open(io.BytesIO(file)) as recording:
        assert (recording.getframerate(), recording.getsampwidth(), recording.getnchannels()) == (24_000, 2, 1)
        frames = recording.readframes(recording.getnframes())
        assert any(frames), "the speech is silence"
        return recording.getnframes() / 24_000


async def test_R024_the_official_client_gets_speech_as_a_file_and_as_samples(engine):
    async with AsyncOpenAI(base_url=f"{engine.http}/v1", api_key="unused") as client:
        order = {"model": "Qwen2.5-Omni-3B", "voice": "alloy", "input": SENTENCE}
        file = (await client.audio.speech.create(response_format="wav", **order)).content
        length = seconds_of(file)
        assert 1 < length < 6
        async with client.audio.speech.with_streaming_response.create(response_format="pcm", **order) as answer:
            assert answer.headers["content-type"].startswith("audio/pcm")
            samples = b"".join([piece async for piece in answer.iter_bytes()])
        assert abs(len(samples) / 48_000 - length) < 0.2
        slow = (await client.audio.speech.create(response_format="wav", speed=0.5, **order)).content
        assert seconds_of(slow) > 1.4 * length
        with pytest.raises(BadRequestError) as refused:
            await client.audio.speech.create(response_format="mp3", **order)
        assert refused.value.body["param"] == "response_format" and "wav" in refused.value.body["message"]


def test_R024_without_a_format_it_is_a_file(engine):
    status, body = post(f"{engine.http}/v1/audio/speech", b'{"model":"Qwen2.5-Omni-3B","input":"hi"}')
    assert status == 200 and seconds_of(body) > 0.2


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"{", "invalid_json", None),
        (b"{}", "missing_required_parameter", "input"),
        (b'{"input":7}', "invalid_value", "input"),
        (b'{"input":""}', "invalid_value", "input"),
        (json.dumps({"input": "a" * 4097}).encode(), "invalid_value", "input"),
        (b'{"input":"hi","speed":9}', "invalid_value", "speed"),
        (json.dumps({"input": "a" * 4096, "speed": 0.25}).encode(), "invalid_value", "input"),
        (b'{"input":"hi","stream_format":"sse"}', "invalid_value", "stream_format"),
    ],
)
def test_a_wrong_order_names_its_field(engine, body, code, param):
    status, answer = post(f"{engine.http}/v1/audio/speech", body)
    error = json.loads(answer)["error"]
    assert (status, error["code"], error["param"]) == (400, code, param), error


def unread_speech(port: int) -> socket.socket:
    """A client that has the beginning of a long speech and reads no further."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.settimeout(10)
    client.connect(("127.0.0.1", port))
    # Five minutes, 14 MB: far more than lies between a server and its client.
    body = json.dumps({"input": (SENTENCE + " ") * 110, "response_format": "pcm"}).encode()
    head = f"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body)
    assert client.recv(12) == b"HTTP/1.1 200"
    return client


def test_so_many_speeches_at_once_and_no_more_until_a_client_leaves(engine):
    url, order = f"{engine.http}/v1/audio/speech", b'{"input":"hi"}'
    with contextlib.ExitStack() as clients:
        slow = [clients.enter_context(unread_speech(engine.port)) for _ in range(MOST_AT_ONCE)]
        status, answer = post(url, order)
        assert (status, json.loads(answer)["error"]["code"]) == (429, "rate_limit_exceeded")
        # The wrong order is told what is wrong with it all the same.
        assert post(url, b"{}")[0] == 400
        slow[0].close()
        deadline = time.monotonic() + 10
        while (status := post(url, order)[0]) == 429 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert status == 200, "the place of a client that has left is free"


def test_speech_needs_the_key_that_a_session_needs(folder):
    (folder / "keyed").mkdir(exist_ok=True)
    routes = {
        "default": "local",
        "providers": {"local": {"kind": "local"}},
        "access": {"keys": [{"name": "app", "key": "env:STANDIN_KEY"}]},
    }
    server = Gateway(folder / "keyed", routes, {**ENVIRONMENT, "TTS_PROVIDER": "none"})
    server.await_ready()
    try:
        url = f"{server.http}/v1/audio/speech"
        assert post(url, b'{"input":"hi"}')[0] == 401
        assert post(url, b'{"input":"hi"}', {"Authorization": "Bearer wrong"})[0] == 401
        status, answer = post(url, b'{"input":"hi"}', {"Authorization": f"Bearer {STANDIN_KEY}"})
        # It may, but nothing speaks here.
        assert status == 501 and json.loads(answer)["error"]["code"] == "tts_unavailable"
    finally:
        server.stop()


def test_health_names_what_serves(engine):
    with urllib.request.urlopen(f"{engine.http}/health", timeout=5) as answer:
        health = json.load(answer)
    assert health["status"] == "ok" and health["engine"]["vad"].startswith("silero")
    assert "whisper" in health["engine"]["stt"] and "rules" in health["engine"]["llm"]
