"""Strict stand-ins of OpenAI-compatible transcription and speech servers, and the fixtures of all stand-ins."""

import asyncio
import base64
import dataclasses
import json
import re
import typing

import pytest
import typing_extensions
from aiohttp import web
from openai.types.audio import (
    SpeechCreateParams,
    Transcription,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
)
from openai.types.audio.transcription_create_params import TranscriptionCreateParamsNonStreaming

from sound import RATE, tone
from standins_chat import ChatServer, OmniServer, Refusal, Silence, pieces_of
from standins_deepgram import DeepgramServer
from standins_services import Refused, Service, Services, speech_of_wav, wav, write_oddly
from strict_types import TypeFault, judge

FORMATS = {"json", "text", "verbose_json", "srt", "vtt"}
LONGEST_INPUT = 4_096


@dataclasses.dataclass
class Transcript:
    """What is understood, and how the server says it."""

    text: str = "What time does the café open?"
    # As plain text although JSON was asked for, or with the spaces of whisper.cpp.
    shape: typing.Literal["as asked", "text", "spaces"] = "as asked"


@dataclasses.dataclass
class Part:
    name: str
    filename: str | None
    content_type: str | None
    data: bytes


def form_parts(content_type: str, body: bytes) -> list[Part]:
    """The parts of a multipart/form-data body, read as RFC 7578 and RFC 2046 write it."""
    match = re.fullmatch(r'multipart/form-data; *boundary=("?)([0-9A-Za-z\'()+_,./:=?-]{1,70})\1', content_type)
    if not match:
        raise TypeFault(f"Content-Type is {content_type!r}")
    line = b"\r\n--" + match[2].encode()
    sections = (b"\r\n" + body).split(line)
    if sections[0] != b"" or sections[-1] not in (b"--", b"--\r\n") or len(sections) < 3:
        raise TypeFault("the parts do not begin or end with the boundary")
    return [_part(section) for section in sections[1:-1]]


def _part(section: bytes) -> Part:
    head, separator, data = section.partition(b"\r\n\r\n")
    if not separator or not head.startswith(b"\r\n"):
        raise TypeFault(f"a part without a head: {section[:80]!r}")
    headers = {}
    for line in head[2:].decode("ascii").split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() in headers or not value:
            raise TypeFault(f"a part's header {line!r}")
        headers[name.lower()] = value
    disposition = re.fullmatch(
        r'form-data; name="([^"\r\n]+)"(?:; filename="([^"\r\n]+)")?', headers.get("content-disposition", "")
    )
    if not disposition or set(headers) - {"content-disposition", "content-type"}:
        raise TypeFault(f"a part's headers are {headers}")
    return Part(disposition[1], disposition[2], headers.get("content-type"), data)


class TranscriptionServer(Service):
    name = "transcription"
    key = "hearing-key-0123456789"
    model = "whisper-test"

    def __init__(self):
        super().__init__()
        # The samples of each turn, 16 kHz.
        self.heard: list[bytes] = []

    def routes(self) -> list[web.RouteDef]:
        return [web.post(f"{base}/audio/transcriptions", self._transcribe) for base in ("/v1", "/openai/v1")]

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        try:
            exchange = self.open(request)
            exchange.body = fields = self._read(request, await request.read())
        except Refused as refused:
            return web.json_response(
                {"error": {"message": str(refused), "type": "invalid_request_error"}}, status=refused.status
            )
        except (TypeFault, UnicodeDecodeError) as fault:
            self.fault(str(fault))
            return web.json_response({"detail": str(fault)}, status=422)
        async with self.following(exchange):
            plan = self.planned(Transcript())
            if isinstance(plan, Silence):
                await asyncio.sleep(3600)
            if isinstance(plan, Refusal):
                text = plan.body if isinstance(plan.body, str) else json.dumps(plan.body)
                return web.Response(status=plan.status, text=text, content_type=plan.content_type, headers=plan.headers)
            return await self._say(request, plan, fields)

    def _read(self, request: web.Request, body: bytes) -> dict[str, str]:
        parts = form_parts(request.headers.get("Content-Type", ""), body)
        names = [part.name for part in parts]
        if len(set(names)) != len(names):
            raise TypeFault(f"fields are repeated: {names}")
        declared = set(typing_extensions.get_type_hints(TranscriptionCreateParamsNonStreaming))
        strange = {name.removesuffix("[]") for name in names} - declared
        if strange:
            raise TypeFault(f"no such fields: {sorted(strange)}")
        fields = {}
        for part in parts:
            if part.name == "file":
                if (
                    not part.filename
                    or not part.filename.endswith(".wav")
                    or part.content_type not in ("audio/wav", "audio/x-wav")
                ):
                    raise TypeFault(f"the file is {part.filename!r}, {part.content_type!r}")
                self.heard.append(speech_of_wav(part.data))
            elif part.filename is not None:
                raise TypeFault(f"{part.name} is a file")
            else:
                fields[part.name] = part.data.decode("utf-8")
        self._check_fields(names, fields)
        return fields

    def _check_fields(self, names: list[str], fields: dict[str, str]) -> None:
        if "file" not in names or not fields.get("model"):
            raise TypeFault(f"file and model are needed, not only {names}")
        if fields["model"] != self.model:
            self.fault(f"there is no model {fields['model']!r}")
            raise Refused(404, f"Model '{fields['model']}' is not installed locally.")
        if fields.get("response_format", "json") not in FORMATS:
            raise TypeFault(f"response_format {fields['response_format']!r}")
        if "language" in fields and not re.fullmatch(r"[a-z]{2,3}", fields["language"]):
            raise TypeFault(f"language {fields['language']!r} is not ISO 639-1")
        if fields.get("stream", "false") not in ("true", "false"):
            raise TypeFault(f"stream {fields['stream']!r}")
        if "temperature" in fields and not 0 <= float(fields["temperature"]) <= 1:
            raise TypeFault(f"temperature {fields['temperature']!r}")

    async def _say(self, request: web.Request, plan: Transcript, fields: dict[str, str]) -> web.StreamResponse:
        text = f" {plan.text}\n" if plan.shape == "spaces" else plan.text
        if plan.shape == "text" or fields.get("response_format") == "text":
            return web.Response(text=text, content_type="text/plain")
        if fields.get("stream") != "true":
            return web.json_response(self.own({"text": text}, Transcription))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces_of(text):
            event = self.own({"type": "transcript.text.delta", "delta": piece}, TranscriptionTextDeltaEvent)
            await write_oddly(response, f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode())
        event = self.own({"type": "transcript.text.done", "text": text}, TranscriptionTextDoneEvent)
        await write_oddly(response, f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode())
        return response


@dataclasses.dataclass
class Speech:
    """A tone instead of a voice: its pitch says who spoke, its length is asked for here."""

    milliseconds: int = 300
    hertz: float = 440.0
    # What is sent for pcm: raw samples, or a WAV of unknown length although pcm was asked for.
    shape: typing.Literal["pcm", "wav"] = "pcm"
    rate: int = RATE
    # Between pieces of 100 ms.
    pause: float = 0.0
    # The body just ends after so many milliseconds.
    breaks_after: int | None = None


class SpeechServer(Service):
    name = "speech"
    key = "speaking-key-0123456789"
    model = "voice-test"
    voices = {"af_heart", "af_sky"}
    hertz = 440.0

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/audio/speech", self._speak)]

    @property
    def inputs(self) -> list[str]:
        return [exchange.body["input"] for exchange in self.exchanges if exchange.body]

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        try:
            exchange = self.open(request)
            body = await self.json_body(request, exchange)
            self._check(body)
        except Refused as refused:
            return self._refusal(refused.status, str(refused))
        except TypeFault as fault:
            self.fault(str(fault))
            return self._refusal(400, str(fault))
        async with self.following(exchange):
            plan = self.planned(Speech(hertz=self.hertz))
            if isinstance(plan, Silence):
                await asyncio.sleep(3600)
            if isinstance(plan, Refusal):
                text = plan.body if isinstance(plan.body, str) else json.dumps(plan.body)
                return web.Response(status=plan.status, text=text, content_type=plan.content_type, headers=plan.headers)
            return await self._say(request, plan, body)

    def _refusal(self, status: int, message: str) -> web.Response:
        detail = {"error": "validation_error", "message": message, "type": "invalid_request_error"}
        return web.json_response({"detail": detail}, status=status)

    def _check(self, body: dict) -> None:
        judge(body, SpeechCreateParams)
        if body["model"] != self.model:
            raise TypeFault(f"there is no model {body['model']!r}")
        if body["voice"] not in self.voices:
            raise TypeFault(f"there is no voice {body['voice']!r}")
        if not body["input"].strip() or len(body["input"]) > LONGEST_INPUT:
            raise TypeFault(f"an input of {len(body['input'])} characters")
        if not 0.25 <= body.get("speed", 1) <= 4:
            raise TypeFault(f"speed {body['speed']}")
        if body.get("response_format", "mp3") not in ("pcm", "wav"):
            raise TypeFault(f"{body.get('response_format', 'mp3')} cannot be streamed as samples")

    async def _say(self, request: web.Request, plan: Speech, body: dict) -> web.StreamResponse:
        is_sse = body.get("stream_format") == "sse"
        is_wav = plan.shape == "wav" or body["response_format"] == "wav"
        samples = at_rate(plan.hertz, plan.milliseconds, plan.rate)
        if plan.breaks_after is not None:
            samples = samples[: plan.breaks_after * plan.rate // 1000 * 2]
        data = wav(samples, plan.rate, dummy_size=0xFFFF_FFFF) if is_wav else samples
        kind = "text/event-stream" if is_sse else "audio/wav" if is_wav else "audio/pcm"
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        # An odd number: samples are cut in two.
        size = plan.rate // 10 * 2 - 1
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            if is_sse:
                event = {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}
                await write_oddly(response, f"data: {json.dumps(event)}\n\n".encode(), largest=1021)
            else:
                await write_oddly(response, piece, largest=997)
            await asyncio.sleep(plan.pause)
        if plan.breaks_after is not None:
            request.transport.close()
        elif is_sse:
            usage = {"input_tokens": 5, "output_tokens": 50, "total_tokens": 55}
            await response.write(f"data: {json.dumps({'type': 'speech.audio.done', 'usage': usage})}\n\n".encode())
        return response


def at_rate(hertz: float, milliseconds: int, rate: int) -> bytes:
    """A tone at another rate than 24 kHz: the same samples, counted faster or slower."""
    return tone(hertz * RATE / rate, milliseconds * rate // RATE)


@dataclasses.dataclass
class Standins:
    chat: ChatServer
    hearing: TranscriptionServer
    speaking: SpeechServer
    deepgram: DeepgramServer
    omni: OmniServer
    services: Services


@pytest.fixture(scope="session")
def running_standins():
    parts = (ChatServer(), TranscriptionServer(), SpeechServer(), DeepgramServer(), OmniServer())
    services = Services(*parts)
    yield Standins(*parts, services)
    services.stop()


@pytest.fixture
def standins(running_standins):
    """The stand-ins for one test, which fails if any of them found a fault in what it received."""
    running_standins.services.begin()
    running_standins.hearing.heard.clear()
    running_standins.omni.heard.clear()
    running_standins.deepgram.calls.clear()
    yield running_standins
    assert not running_standins.services.faults, "\n".join(running_standins.services.faults)
