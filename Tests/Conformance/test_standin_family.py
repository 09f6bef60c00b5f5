"""The stand-ins of the services that speak OpenAI's vocabulary, beside the official types and the recordings.

A stand-in that only its makers' proxy has ever talked to could share the proxy's mistakes. Here the frames of OpenAI's and
Azure's are read by the types of the openai package, and those of xAI's and Voice Live's have the keys of recordings.
"""

import base64
import contextlib
import json
import os
import pathlib
import typing
import urllib.error
import urllib.request

import openai.types.beta.realtime as beta
import pytest
import yaml
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from event_types import SERVER_EVENTS, UNDECLARED, judge, members
from processes import Process, accepts_connections, free_port
from upstream_record import read

SERVICES = ("openai", "azure", "xai", "inworld", "vowel")
KEY = "key-of-the-family"
SPEECH = base64.b64encode((b"\x00\x20" * 20 + b"\x00\xe0" * 20) * 360).decode()  # 600 ms
SILENCE = base64.b64encode(bytes(48 * 1_200)).decode()
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Look up the weather for a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Family:
    """One `parley standin` with all services on ports of their own."""

    def __init__(self, folder: pathlib.Path, name: str, *options: str):
        self.ports = {service: free_port() for service in ("gemini", *SERVICES)}
        self.record = folder / f"{name}.jsonl"
        ports = [text for service, port in self.ports.items() for text in (f"--{service}-port", str(port))]
        self._process = Process(["standin", "--record", str(self.record), *ports, *options], folder / f"{name}.log")
        for port in self.ports.values():
            self._process.await_ready(lambda: accepts_connections(port))

    def ws(self, service: str, target: str) -> str:
        return f"ws://127.0.0.1:{self.ports[service]}{target}"

    def post(self, service: str, path: str, body: str, **headers: str) -> tuple[int, dict]:
        url = f"http://127.0.0.1:{self.ports[service]}{path}"
        request = urllib.request.Request(url, data=body.encode(), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def stop(self) -> int:
        return self._process.stop()


@contextlib.contextmanager
def running(folder: pathlib.Path, name: str, *options: str):
    family = Family(folder, name, *options)
    try:
        yield family
    finally:
        assert family.stop() == 0


class Talk:
    """A connection, and every frame that came on it."""

    def __init__(self, socket):
        self._socket = socket
        self.frames: list[str] = []

    def send(self, event: dict) -> None:
        self._socket.send(json.dumps(event))

    def until(self, *types: str) -> dict:
        while True:
            raw = self._socket.recv(timeout=5)
            self.frames.append(raw)
            event = json.loads(raw)
            if event.get("type") in types:
                return event

    def say(self, text: str, asks: bool = True) -> dict:
        part = {"type": "input_text", "text": text}
        self.send({"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [part]}})
        if asks:
            self.send({"type": "response.create"})
        return self.until("response.done")["response"]

    def speak(self) -> dict:
        for audio in (SPEECH, SILENCE):
            self.send({"type": "input_audio_buffer.append", "audio": audio})
        return self.until("response.done")["response"]


@contextlib.contextmanager
def talking(url: str, headers: dict | None = None):
    with connect(url, additional_headers=headers, max_size=None) as socket:
        yield Talk(socket)


def whole_conversation(talk: Talk, update: dict) -> None:
    """Every kind of event that the common vocabulary has."""
    talk.until("session.created")
    talk.send({"type": "session.update", "session": {**update, "tools": [WEATHER]}})
    talk.until("session.updated")
    answer = talk.say("hello")
    output = answer["output"][0]["id"]
    talk.send({"type": "conversation.item.truncate", "item_id": output, "content_index": 0, "audio_end_ms": 100})
    talk.until("conversation.item.truncated")
    talk.send({"type": "conversation.item.retrieve", "item_id": output})
    talk.until("conversation.item.retrieved")
    calls = talk.say('call get_weather {"city":"Oslo"} and get_weather {"city":"Rome"}')["output"]
    for call in calls:
        item = {"type": "function_call_output", "call_id": call["call_id"], "output": "7 C"}
        talk.send({"type": "conversation.item.create", "item": item})
    talk.send({"type": "response.create", "response": {"metadata": {"k": "v"}}})
    assert talk.until("response.done")["response"]["metadata"] == {"k": "v"}
    talk.speak()
    for text in ("end with MAX_OUTPUT_TOKENS", "fail with server_error", "interrupt yourself", "say nothing"):
        talk.say(text)
    talk.send({"type": "input_audio_buffer.append", "audio": SPEECH})
    talk.send({"type": "input_audio_buffer.clear"})
    talk.until("input_audio_buffer.cleared")
    talk.send({"type": "conversation.item.delete", "item_id": output})
    talk.until("conversation.item.deleted")
    talk.send({"type": "response.cancel", "event_id": "mine"})
    assert talk.until("error")["error"]["event_id"] == "mine"


@pytest.mark.parametrize(
    "service, target", [("openai", "/v1/realtime?model=m"), ("azure", "/openai/v1/realtime?model=m")]
)
@pytest.mark.parametrize("modality", ["audio", "text"])
def test_ga_frames_are_valid_by_openais_types(folder, service, target, modality):
    with running(folder, f"family-ga-{service}-{modality}") as family:
        update = {
            "type": "realtime",
            "output_modalities": [modality],
            "audio": {"input": {"transcription": {"model": "whisper-1"}}},
        }
        with talking(family.ws(service, target)) as talk:
            if modality == "audio":
                whole_conversation(talk, update)
            else:
                talk.send({"type": "session.update", "session": update})
                assert talk.say("hello")["output"][0]["content"][0]["text"] == "You said: hello."
    types = {judge(frame, SERVER_EVENTS, "server", UNDECLARED | {"content"})["type"] for frame in talk.frames}
    assert len(types) > (25 if modality == "audio" else 10)


@pytest.mark.parametrize("service, path", [("openai", "/v1/realtime"), ("azure", "/openai/v1/realtime")])
def test_a_transcription_session_transcribes_and_never_answers(folder, service, path):
    with running(folder, f"family-transcription-{service}") as family:
        with talking(family.ws(service, f"{path}?intent=transcription")) as talk:
            assert talk.until("session.created")["session"]["type"] == "transcription"
            audio = {"input": {"transcription": {"model": "whisper-1"}}}
            talk.send({"type": "session.update", "session": {"type": "transcription", "audio": audio}})
            talk.until("session.updated")
            for sound in (SPEECH, SILENCE):
                talk.send({"type": "input_audio_buffer.append", "audio": sound})
            completed = talk.until("conversation.item.input_audio_transcription.completed")
            assert completed["usage"] == {"type": "duration", "seconds": 2}
            talk.send({"type": "response.create"})
            assert talk.until("error")["error"]["code"] == "invalid_value"
    for frame in talk.frames:
        judge(frame, SERVER_EVENTS, "server", UNDECLARED | {"content"})


# Of the late beta sessions, which the package's types never declared.
BETA_UNDECLARED = UNDECLARED | {
    "session.include", "session.prompt", "session.client_secret", "session.expires_at", "session.object",
    "response.done", "name",
}  # fmt: skip


def test_preview_frames_are_valid_by_the_beta_types(folder):
    with running(folder, "family-preview") as family:
        target = "/openai/realtime?api-version=2025-04-01-preview&deployment=gpt-4o-realtime-preview"
        with talking(family.ws("azure", target)) as talk:
            whole_conversation(talk, {"input_audio_transcription": {"model": "whisper-1"}})
            talk.send({"type": "session.update", "session": {"type": "realtime"}})
            assert talk.until("error")["error"]["param"] == "session.type"
        violations = read(family.record).violations
    events = members(beta.RealtimeServerEvent)
    types = {judge(frame, events, "server", BETA_UNDECLARED)["type"] for frame in talk.frames}
    assert len(types) > 22
    assert [violation["code"] for violation in violations] == ["unknown_parameter"]


# MARK: Recordings

FREE_FORM = {"parameters", "metadata"}


def shape(value) -> typing.Any:
    """The keys of a value at all depths; scalars and null are the same."""
    if isinstance(value, dict):
        return frozenset((key, None if key in FREE_FORM else shape(member)) for key, member in value.items())
    if isinstance(value, list):
        return frozenset(shape(element) for element in value)
    return None


def recording(name: str) -> list[tuple[str, dict]]:
    folder = os.environ.get("REALTIME_RECORDINGS")
    if not folder:
        pytest.skip("REALTIME_RECORDINGS does not name a folder of recordings")
    document = yaml.safe_load(pathlib.Path(folder, f"{name}.yaml").read_text())
    return [(line["direction"], line["data"]) for line in document["interactions"] if line["kind"] == "message"]


@pytest.mark.parametrize(
    "name, service, target",
    [
        ("xai-text-turn", "xai", "/v1/realtime?model=grok-voice-latest"),
        ("xai-tool-round", "xai", "/v1/realtime?model=grok-voice-latest"),
        ("voicelive-text-turn", "azure", "/voice-live/realtime?api-version=2026-04-10&model=gpt-realtime"),
        ("azure-text-turn", "azure", "/openai/v1/realtime?model=gpt-realtime"),
        ("openai-tool-round", "openai", "/v1/realtime?model=gpt-realtime"),
    ],
)
def test_frames_have_the_keys_of_the_recording(folder, name, service, target):
    lines = recording(name)
    known: dict[str, set] = {}
    for direction, data in lines:
        if direction == "received":
            known.setdefault(data["type"], set()).add(shape(data))
    with running(folder, f"family-{name}") as family, talking(family.ws(service, target)) as talk:
        call = None
        for direction, event in lines:
            if direction == "received":
                continue
            if event.get("item", {}).get("type") == "message" and "tool" in name:
                event["item"]["content"][0]["text"] = 'call get_weather {"city":"London"}'
            if "call_id" in event.get("item", {}):
                event["item"]["call_id"] = call
            talk.send(event)
            if event["type"] == "response.create":
                output = talk.until("response.done")["response"]["output"]
                call = output[-1].get("call_id", call)
    frames = [json.loads(frame) for frame in talk.frames]
    if service != "xai":
        # The recordings of items lack what the service's types allow it to send.
        known = {kind: {without(shapes, "object") for shapes in known[kind]} for kind in known}
    for frame in frames:
        kind = frame["type"]
        if kind == "rate_limits.updated" and name.startswith(("azure", "openai")):
            continue  # after the recordings' ends
        assert kind in known, f"{kind} is not in {name}"
        own = shape(frame) if service == "xai" else without(shape(frame), "object")
        assert own in known[kind], f"{json.dumps(frame)}\n{[sorted(map(str, each)) for each in known[kind]]}"
    missing = set(known) - {frame["type"] for frame in frames}
    spoken = {"response.content_part.added", "response.content_part.done"}
    assert not missing - spoken if "tool" in name else not missing


def without(value, name: str):
    """The shape without a key at any depth."""
    if not isinstance(value, frozenset):
        return value
    return frozenset(
        (member[0], without(member[1], name)) if isinstance(member, tuple) else without(member, name)
        for member in value
        if not (isinstance(member, tuple) and member[0] == name)
    )


# MARK: Tokens


def test_vowel_asks_for_a_token_that_it_has_issued(folder):
    with running(folder, "family-vowel", "--vowel-key", KEY, "--token-uses", "1") as family:
        url = family.ws("vowel", "/v1/realtime")
        with pytest.raises(InvalidStatus) as refused, connect(url):
            pass
        assert refused.value.response.status_code == 401
        status, answer = family.post("vowel", "/v1/realtime/sessions", "{}", Authorization="Bearer wrong")
        assert (status, answer) == (401, {"error": {"message": "Invalid API key"}})
        status, answer = family.post("vowel", "/v1/realtime/sessions", '{"voice":"v"}', Authorization=f"Bearer {KEY}")
        assert status == 200 and answer["value"] == answer["token"] == answer["client_secret"]["value"]
        with talking(url, {"Authorization": f"Bearer {answer['token']}"}) as talk:
            assert talk.until("session.created")["session"]["voice"] == "v"
            assert talk.say("hello", asks=False)["usage"] is None
        used = {"Authorization": f"Bearer {answer['token']}"}
        with pytest.raises(InvalidStatus), connect(url, additional_headers=used):
            pass
        body = json.dumps({"apiKey": KEY, "config": {"voiceConfig": {"voice": "w"}}})
        status, answer = family.post("vowel", "/vowel/api/generateToken", body)
        assert status == 200 and answer["metadata"]["baseUrl"] == url
        with connect(url, subprotocols=["realtime", f"openai-insecure-api-key.{answer['token']}"]) as socket:
            assert socket.subprotocol == "realtime"
            talk = Talk(socket)
            talk.until("session.created")
            talk.send({"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(2_046)).decode()})
            assert talk.until("error")["error"]["type"] == "invalid_audio_chunk"
            with pytest.raises(ConnectionClosed) as closed:
                talk.until("never")
            assert closed.value.rcvd.code == 1003


def test_azure_takes_its_key_and_the_entra_tokens_that_it_has_issued(folder):
    with running(folder, "family-entra", "--azure-key", KEY) as family:
        url = family.ws("azure", "/openai/v1/realtime?model=m")
        form = "grant_type=client_credentials&client_id=a&client_secret=b&scope=https%3A%2F%2Fai.azure.com%2F.default"
        status, answer = family.post("azure", "/tenant/oauth2/v2.0/token", form)
        assert status == 200 and answer["token_type"] == "Bearer"
        for headers in ({"api-key": KEY}, {"Authorization": f"Bearer {answer['access_token']}"}):
            with talking(url, headers) as talk:
                talk.until("session.created")
        for headers, code in (
            ({"api-key": "wrong"}, 401),
            ({"Authorization": f"Bearer {KEY}"}, 401),
            ({"api-key": KEY, "OpenAI-Beta": "realtime=v1"}, 400),
        ):
            with pytest.raises(InvalidStatus) as refused, connect(url, additional_headers=headers):
                pass
            assert refused.value.response.status_code == code


def test_the_record_names_services_and_violations(folder):
    with running(folder, "family-record") as family:
        with talking(family.ws("inworld", "/api/v1/realtime/session?key=k1&protocol=realtime")) as talk:
            talk.send({"type": "session.update", "session": {"provider_data": {}}})
            talk.until("session.updated")
            model = {"audio": {"input": {"transcription": {"model": "whisper-1"}}, "output": {"voice": "Clive"}}}
            talk.send({"type": "session.update", "session": model})
            error = talk.until("error")["error"]
            fields = ("invalid_request_error", "invalid_value", "session.audio.input.transcription.model")
            assert (error["type"], error["code"], error["param"]) == fields
            talk.send({"type": "session.update", "session": {}})
            assert talk.until("session.updated")["session"]["audio"]["output"]["voice"] == "Dennis"
        record = read(family.record)
        assert record.ports == family.ports
        assert [message["type"] for message in record.received("inworld")] == ["session.update"] * 3
        assert [violation["param"] for violation in record.violations] == ["session.provider_data", fields[2]]
