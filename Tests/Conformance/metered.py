"""A gateway that keeps usage, and what a stand-in counted of the audio of its connections."""

import asyncio
import base64
import contextlib
import json
import pathlib
import time
import typing

from websockets.asyncio.client import connect

from asking import ADMIN_KEY, SERVER_KEY, ask, bearer
from processes import Gateway, StandIn
from providers import entries
from upstream_record import Record, read

EVENTS = "/api/v1/usage/events"
SEEN_WITHIN_SECONDS = 8
WAIT_SECONDS = 10
KEYS = {"ENGINE_API_KEY": ADMIN_KEY, "SERVER_KEY": SERVER_KEY}
# Bytes of a second.
PCM, TELEPHONE = 48_000, 8_000
FORMATS = {
    "audio/pcm": {"type": "audio/pcm", "rate": 24_000}, "audio/pcmu": {"type": "audio/pcmu"},
    "audio/pcma": {"type": "audio/pcma"},
}  # fmt: skip
TELEPHONE_NAMES = {"audio/pcmu", "audio/pcma", "g711_ulaw", "g711_alaw", "audio/g711_ulaw", "audio/g711_alaw"}


def bytes_per_second(kind: str) -> int:
    return TELEPHONE if kind in TELEPHONE_NAMES else PCM


def kept(folder: pathlib.Path, **sections) -> dict:
    """Sections of a configuration whose usage is kept, and soon."""
    limits = {"usageUpdateSeconds": 0.5, **sections.pop("limits", {})}
    return {
        "ledger": {"sqlite": str(folder / "usage.sqlite")},
        "limits": limits,
        "access": {"keys": [{"name": "server", "key": "env:SERVER_KEY"}]},
        **sections,
    }


def events(gateway) -> dict[str, dict]:
    """The usage events of a gateway by their ids."""
    answer = ask(gateway, "GET", f"{EVENTS}?limit=1000", key=ADMIN_KEY)
    assert answer.status == 200, answer
    return {event["id"]: event for event in answer.json}


async def ended(gateway, session: str) -> dict:
    """A session's event, when it has ended."""
    deadline = time.monotonic() + SEEN_WITHIN_SECONDS
    while (found := events(gateway).get(session, {})).get("state") != "ended":
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)
    return found


class Metered:
    """A gateway with a ledger in SQLite and stand-ins of its own."""

    def __init__(self, folder: pathlib.Path, **sections):
        self.quick = StandIn(folder, "quick")
        self.slow = StandIn(folder, "slow", ["--answer-interval-ms", "60"])
        for standin in (self.quick, self.slow):
            standin.await_ready()
        routes = {"default": "gemini", "providers": entries(self.quick, self.slow), **kept(folder, **sections)}
        self.gateway = Gateway(folder, routes, KEYS)
        self.gateway.await_ready()

    def stop(self) -> None:
        assert self.gateway.stop() == 0, "the server must end cleanly when asked to"
        assert self.quick.stop() == 0 and self.slow.stop() == 0

    def connections(self) -> set[int]:
        """Those that the quick stand-in has had."""
        return set(read(self.quick.record).heads)


class Caller:
    """A client that counts what it sends and has."""

    def __init__(self, socket):
        self.socket = socket
        self.id = ""
        self.formats = {"input": "audio/pcm", "output": "audio/pcm"}
        self.sent: dict[str, int] = {}
        self.had: dict[str, int] = {}
        self.history: list[dict] = []

    async def send(self, kind: str, **fields) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> dict:
        event = json.loads(await asyncio.wait_for(self.socket.recv(), WAIT_SECONDS))
        self.history.append(event)
        if event["type"] == "response.output_audio.delta":
            kind = self.formats["output"]
            self.had[kind] = self.had.get(kind, 0) + len(base64.b64decode(event["delta"], validate=True))
        return event

    async def until(self, kind: str, *, accept_errors: bool = False) -> dict:
        while True:
            event = await self.next()
            if event["type"] == kind:
                return event
            assert accept_errors or event["type"] != "error", event

    async def configure(self, kind: str) -> None:
        """Turns that end with a commit, and audio of one format in both directions."""
        audio = {"input": {"format": FORMATS[kind], "turn_detection": None}, "output": {"format": FORMATS[kind]}}
        await self.send("session.update", session={"type": "realtime", "audio": audio})
        shown = (await self.until("session.updated"))["session"]["audio"]
        self.formats = {side: shown[side]["format"]["type"] for side in ("input", "output")}

    async def append(self, audio: bytes, sizes: list[int]) -> None:
        """Sends audio in pieces of odd lengths."""
        kind = self.formats["input"]
        whole = 2 if kind == "audio/pcm" else 1
        turn = 0
        while audio:
            size = sizes[turn % len(sizes)] // whole * whole
            piece, audio = audio[:size], audio[size:]
            await self.send("input_audio_buffer.append", audio=base64.b64encode(piece).decode())
            self.sent[kind] = self.sent.get(kind, 0) + len(piece)
            turn += 1

    async def turn(self, audio: bytes, sizes: list[int], *, accept_errors: bool = False) -> None:
        await self.append(audio, sizes)
        await self.send("input_audio_buffer.commit")
        await self.send("response.create")
        await self.until("response.done", accept_errors=accept_errors)

    async def ask(self, text: str) -> None:
        """Asks for an answer to a text, and does not wait for it."""
        content = [{"type": "input_text", "text": text}]
        await self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await self.send("response.create")

    async def recorded(self, audio: bytes) -> None:
        """An item of recorded speech, and the answer to it."""
        kind = self.formats["input"]
        content = [{"type": "input_audio", "audio": base64.b64encode(audio).decode()}]
        await self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        self.sent[kind] = self.sent.get(kind, 0) + len(audio)
        await self.until("conversation.item.done")
        await self.send("response.create")
        await self.until("response.done")


@contextlib.asynccontextmanager
async def calling(gateway, provider: str | None, **options) -> typing.AsyncIterator[Caller]:
    query = f"?provider={provider}" if provider else ""
    options = {"max_size": None, **bearer(SERVER_KEY), **options}
    async with connect(f"{gateway.ws}/v1/realtime{query}", **options) as socket:
        caller = Caller(socket)
        created = await caller.next()
        assert created["type"] == "session.created", created
        caller.id = created["session"]["id"]
        yield caller


# What the stand-in counted.


def _decoded(text: str) -> int:
    return len(base64.b64decode(text + "=" * (-len(text) % 4)))


def _item_audio(message: dict) -> int:
    content = (message.get("item") or {}).get("content") or []
    return sum(_decoded(part["audio"]) for part in content if part.get("type") == "input_audio" and part.get("audio"))


def _formats(session: dict) -> dict[str, str]:
    """The formats that an update of the session names, in whichever vocabulary."""
    named = {}
    for side in ("input", "output"):
        nested = (((session.get("audio") or {}).get(side) or {}).get("format") or {}).get("type")
        flat = session.get(f"{side}_audio_format")
        if nested or flat:
            named[side] = nested or flat
    return named


def counted(record: Record, connections: set[int]) -> dict[str, float]:
    """The seconds of audio that the stand-in was sent and that it sent, by the bytes on the wire."""
    seconds = {"heard": 0.0, "spoken": 0.0}
    formats: dict[int, dict[str, str]] = {}
    for frame in record.frames:
        if frame.connection not in connections:
            continue
        message = frame.message
        known = formats.setdefault(frame.connection, {"input": "audio/pcm", "output": "audio/pcm"})
        if frame.received:
            if message.get("type") == "session.update":
                known.update(_formats(message["session"]))
            audio = (message.get("realtimeInput") or {}).get("audio")
            if audio:
                rate = int(audio["mimeType"].partition("rate=")[2])
                seconds["heard"] += _decoded(audio["data"]) / (2 * rate)
            amount = _item_audio(message)
            if message.get("type") == "input_audio_buffer.append":
                amount += _decoded(message["audio"])
            seconds["heard"] += amount / bytes_per_second(known["input"])
            continue
        for part in ((message.get("serverContent") or {}).get("modelTurn") or {}).get("parts") or []:
            if "inlineData" in part:
                seconds["spoken"] += _decoded(part["inlineData"]["data"]) / PCM
        if message.get("type") in ("response.output_audio.delta", "response.audio.delta"):
            seconds["spoken"] += _decoded(message["delta"]) / bytes_per_second(known["output"])
    return seconds


def bytes_of(side: dict) -> dict[str, int]:
    """`audio_input` or `audio_output` of a usage event, by format."""
    return {part["type"]: part["bytes"] for part in side["formats"]}
