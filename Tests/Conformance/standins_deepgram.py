"""Strict stand-in of Deepgram: live transcription over WebSocket and speech over REST.

What it receives is held against the parameters and the messages that the official `deepgram-sdk` knows; what it sends
is held against that package's models.
"""

import asyncio
import dataclasses
import inspect
import typing

from aiohttp import WSMsgType, web
from deepgram.listen.v1.client import AsyncV1Client as ListenClient
from deepgram.listen.v1.types import (
    ListenV1CloseStream, ListenV1Finalize, ListenV1KeepAlive, ListenV1Metadata, ListenV1Results, ListenV1SpeechStarted,
)  # fmt: skip
from deepgram.speak.v1.audio.client import AsyncAudioClient

from sound import tone
from standins_services import Refused, Service, write_oddly
from strict_types import TypeFault, judge, strict_json

LISTEN_PARAMETERS = set(inspect.signature(ListenClient.connect).parameters) - {
    "self",
    "authorization",
    "request_options",
}
SPEAK_PARAMETERS = set(inspect.signature(AsyncAudioClient.generate).parameters) - {"self", "text", "request_options"}
FLAGS = {
    "interim_results",
    "vad_events",
    "smart_format",
    "punctuate",
    "numerals",
    "profanity_filter",
    "mip_opt_out",
    "diarize",
    "dictation",
    "multichannel",
}
CLIENT_MESSAGES = {"KeepAlive": ListenV1KeepAlive, "Finalize": ListenV1Finalize, "CloseStream": ListenV1CloseStream}
LONGEST_TEXT = 2_000


@dataclasses.dataclass
class Heard:
    """One turn, and how the service tells of it."""

    text: str = "what time does the café open"
    # The first words are final long before the end; what is guessed first is not what is final.
    guess: str = "watt time"
    # Finalize is not confirmed, as happens when there is nothing left to be finalised.
    confirms: bool = True
    # Before anything else: the handshake is refused with these.
    refusal: tuple[int, str, str] | None = None
    # After so many seconds of audio the service gives up.
    closes_after: float | None = None
    close: tuple[int, str] = (1011, "NET-0001")


@dataclasses.dataclass
class Call:
    """One WebSocket connection as the service saw it."""

    query: dict[str, str]
    audio: bytes = b""
    frames: list[int] = dataclasses.field(default_factory=list)
    messages: list[str] = dataclasses.field(default_factory=list)
    close_code: int | None = None
    is_over: bool = False


class DeepgramServer(Service):
    name = "deepgram"
    key = "deepgram-key-0123456789"
    hertz = 330.0
    # The real service waits ten seconds for a sign of life.
    patience = 10.0

    def __init__(self):
        super().__init__()
        self.calls: list[Call] = []
        self.speech_plans: list = []

    @property
    def authorization(self) -> str:
        return f"Token {self.key}"

    @property
    def spoken(self) -> list[str]:
        return [exchange.body["text"] for exchange in self.exchanges if exchange.path == "/v1/speak" and exchange.body]

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/listen", self._listen), web.post("/v1/speak", self._speak)]

    def _refusal(self, status: int, code: str, message: str) -> web.Response:
        number = "11111111-2222-3333-4444-555555555555"
        return web.json_response(
            {"err_code": code, "err_msg": message, "request_id": number}, status=status,
            headers={"dg-error": message, "dg-request-id": number},
        )  # fmt: skip

    # Live transcription.

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        plan: Heard = self.planned(Heard())
        try:
            exchange = self.open(request)
            self._check_query(request)
        except Refused:
            return self._refusal(401, "INVALID_AUTH", "Invalid credentials.")
        except TypeFault as fault:
            self.fault(str(fault))
            return self._refusal(400, "INVALID_QUERY_PARAMETER", str(fault))
        if plan.refusal:
            return self._refusal(*plan.refusal)
        call = Call(dict(request.query))
        self.calls.append(call)
        socket = web.WebSocketResponse(autoping=True, heartbeat=None, max_msg_size=4 * 1024 * 1024)
        await socket.prepare(request)
        try:
            await Listening(self, socket, call, plan).run()
        finally:
            self._check_frames(call)
            call.close_code = socket.close_code
            call.is_over = True
            exchange.is_finished = True
        return socket

    def _check_query(self, request: web.Request) -> None:
        query = request.query
        strange = set(query) - LISTEN_PARAMETERS
        if strange:
            raise TypeFault(f"listen has no parameters {sorted(strange)}")
        repeated = {name for name in query if len(query.getall(name)) > 1} - {
            "keyterm",
            "keywords",
            "tag",
            "redact",
            "replace",
            "search",
        }
        if repeated:
            raise TypeFault(f"repeated parameters: {sorted(repeated)}")
        if not query.get("model"):
            raise TypeFault("listen needs a model")
        if query.get("encoding") != "linear16" or not query.get("sample_rate", "").isdigit():
            raise TypeFault("raw audio needs encoding and sample_rate")
        if query.get("channels", "1") != "1":
            raise TypeFault(f"channels {query['channels']}")
        for name in FLAGS & set(query):
            if query[name] not in ("true", "false"):
                raise TypeFault(f"{name} is {query[name]!r}")
        if "endpointing" in query and query["endpointing"] != "false" and not query["endpointing"].isdigit():
            raise TypeFault(f"endpointing is {query['endpointing']!r}")
        if "utterance_end_ms" in query and (
            query.get("interim_results") != "true" or int(query["utterance_end_ms"]) < 1000
        ):
            raise TypeFault("utterance_end_ms needs interim_results and a second at least")

    def _check_frames(self, call: Call) -> None:
        """20 to 250 ms each; only at both ends of a turn may be what is left of the client's own pieces."""
        per_ms = int(call.query["sample_rate"]) * 2 / 1000
        if any(size > 250 * per_ms for size in call.frames):
            self.fault(f"a frame of {max(call.frames) / per_ms:.0f} ms")
        if any(size < 20 * per_ms for size in call.frames[1:-1]):
            self.fault(f"a frame of {min(call.frames[1:-1]) / per_ms:.1f} ms")

    # Speech.

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        try:
            exchange = self.open(request)
            body = await self.json_body(request, exchange)
            self._check_speak(request, body)
        except Refused:
            return self._refusal(401, "INVALID_AUTH", "Invalid credentials.")
        except TypeFault as fault:
            self.fault(str(fault))
            return self._refusal(400, "PAYLOAD_ERROR", str(fault))
        plan = self.speech_plans.pop(0) if self.speech_plans else None
        if plan:
            return self._refusal(*plan)
        async with self.following(exchange):
            headers = {
                "Content-Type": "audio/l16;rate=24000",
                "dg-model-name": request.query["model"],
                "dg-char-count": str(len(body["text"])),
            }
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            await write_oddly(response, tone(self.hertz, 300), largest=997)
            return response

    def _check_speak(self, request: web.Request, body: dict) -> None:
        query = dict(request.query)
        if set(query) - SPEAK_PARAMETERS or len(query) != len(request.query):
            raise TypeFault(f"speak has no parameters {sorted(set(query) - SPEAK_PARAMETERS)}")
        if (query.get("encoding"), query.get("container"), query.get("sample_rate")) != ("linear16", "none", "24000"):
            raise TypeFault(f"speak was asked for {query}, which is not raw PCM of 24 kHz")
        if not query.get("model"):
            raise TypeFault("speak needs a model")
        if (
            not isinstance(body, dict)
            or set(body) != {"text"}
            or not isinstance(body["text"], str)
            or not body["text"].strip()
        ):
            raise TypeFault(f"the body of speak is {body!r}")
        if len(body["text"]) > LONGEST_TEXT:
            raise TypeFault(f"{len(body['text'])} characters to be spoken")


class Listening:
    """What happens on one connection."""

    def __init__(self, service: DeepgramServer, socket: web.WebSocketResponse, call: Call, plan: Heard):
        self.service, self.socket, self.call, self.plan = service, socket, call, plan
        self.words = plan.text.split()
        self.guesses = 0
        self.has_begun_final = False
        self.per_second = int(call.query["sample_rate"]) * 2

    @property
    def seconds(self) -> float:
        return len(self.call.audio) / self.per_second

    async def run(self) -> None:
        while True:
            try:
                message = await self.socket.receive(timeout=self.service.patience)
            except asyncio.TimeoutError:
                await self.socket.close(code=1011, message=b"NET-0001")
                return
            if message.type == WSMsgType.BINARY:
                if not await self._hear(message.data):
                    return
            elif message.type == WSMsgType.TEXT:
                if not await self._obey(message.data):
                    return
            else:
                return

    async def _hear(self, data: bytes) -> bool:
        if not data:
            self.service.fault("an empty binary frame")
            await self.socket.close(code=1000)
            return False
        if len(data) % 2:
            self.service.fault("half a sample")
        self.call.frames.append(len(data))
        self.call.audio += data
        if self.plan.closes_after is not None and self.seconds >= self.plan.closes_after:
            code, reason = self.plan.close
            await self.socket.close(code=code, message=reason.encode())
            return False
        if self.guesses == 0 and self.seconds >= 0.4:
            self.guesses = 1
            if self.call.query.get("vad_events") == "true":
                await self._send({"type": "SpeechStarted", "channel": [0, 1], "timestamp": 0.1}, ListenV1SpeechStarted)
            if self.call.query.get("interim_results") == "true":
                await self._results(self.plan.guess, is_final=False)
        elif not self.has_begun_final and self.seconds >= 0.8:
            self.has_begun_final = True
            await self._results(" ".join(self.words[:2]), is_final=True)
        return True

    async def _obey(self, text: str) -> bool:
        try:
            message = strict_json(text)
            judge(message, CLIENT_MESSAGES[message["type"]])
        except (TypeFault, KeyError, TypeError) as fault:
            self.service.fault(f"the text frame {text!r}: {fault}")
            await self.socket.close(code=1008, message=b"DATA-0000")
            return False
        self.call.messages.append(message["type"])
        if message["type"] == "KeepAlive":
            return True
        if message["type"] == "Finalize" and not self.plan.confirms:
            return True
        rest = self.words[2:] if self.has_begun_final else self.words
        self.words, self.has_begun_final = [], False
        if message["type"] == "Finalize":
            await self._results(" ".join(rest), is_final=True, from_finalize=True)
            return True
        if rest:
            await self._results(" ".join(rest), is_final=True, speech_final=True)
        metadata = {
            "type": "Metadata", "transaction_key": "deprecated", "request_id": "r-1", "sha256": "0" * 64,
            "created": "2026-01-01T00:00:00.000Z", "duration": self.seconds, "channels": 1,
        }  # fmt: skip
        await self._send(metadata, ListenV1Metadata, frozenset({"sha256"}))
        await self.socket.close(code=1000)
        return False

    async def _results(
        self, transcript: str, *, is_final: bool, from_finalize: bool = False, speech_final: bool = False
    ) -> None:
        words = [
            {"word": word, "start": 0.2 * index, "end": 0.2 * index + 0.15, "confidence": 0.9, "punctuated_word": word}
            for index, word in enumerate(transcript.split())
        ]
        alternative: dict[str, typing.Any] = {"transcript": transcript, "confidence": 0.96, "words": words}
        message = {
            "type": "Results", "channel_index": [0, 1], "duration": self.seconds, "start": 0.0,
            "is_final": is_final, "speech_final": speech_final, "from_finalize": from_finalize,
            "channel": {"alternatives": [alternative]},
            "metadata": {
                "request_id": "r-1", "model_uuid": "m-1",
                "model_info": {"name": "general-nova-3", "version": "2026-01-01.0", "arch": "nova-3"},
            },
        }  # fmt: skip
        await self._send(message, ListenV1Results)

    async def _send(self, message: dict, hint, extra: frozenset[str] = frozenset()) -> None:
        if not self.socket.closed:
            await self.socket.send_json(self.service.own(message, hint, extra))
