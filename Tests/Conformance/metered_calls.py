"""Calls whose cost the client counts itself, to be held against what the ledger says of them."""

import asyncio
import base64
import contextlib
import dataclasses
import json
import time

from websockets.asyncio.client import connect

BYTES_PER_SECOND = 48_000  # 16-bit samples at 24 kHz
CHUNK_SECONDS = 0.1
CHUNK = base64.b64encode(b"\1\0" * int(BYTES_PER_SECOND * CHUNK_SECONDS / 2)).decode()
APPEND = json.dumps({"type": "input_audio_buffer.append", "audio": CHUNK})
# A question that goes to the provider and back.
MANUAL_TURNS = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
UPDATE = json.dumps({"type": "session.update", "session": MANUAL_TURNS})


@dataclasses.dataclass
class Call:
    session: str = ""
    began: float = 0.0  # by the clock of `time.monotonic`
    ended: float = 0.0
    heard_bytes: int = 0
    # When each piece had been sent, and how many bytes until then.
    sent: list[tuple[float, int]] = dataclasses.field(default_factory=list)
    # When each question was asked, and how long its answer took.
    delays: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    errors: list[object] = dataclasses.field(default_factory=list)

    def bytes_before(self, moment: float) -> int:
        return max([count for at, count in self.sent if at <= moment], default=0)


async def speak(socket, call: Call) -> None:
    await socket.send(APPEND)
    call.heard_bytes += int(BYTES_PER_SECOND * CHUNK_SECONDS)
    call.sent.append((time.monotonic(), call.heard_bytes))


async def ask_back(socket, call: Call) -> None:
    """Waits for the provider's word, behind which everything before has been taken in."""
    begun = time.monotonic()
    await socket.send(UPDATE)
    while True:
        event = json.loads(await asyncio.wait_for(socket.recv(), 20))
        if event["type"] == "error":
            call.errors.append(event)
        if event["type"] == "session.updated":
            call.delays.append((begun, time.monotonic() - begun))
            return


async def make_call(url: str, seconds: float, call: Call | None = None, **options) -> Call:
    """Speaks evenly for so long, asks twice a second, and hangs up. What goes wrong is in `errors`."""
    call = call or Call()
    try:
        async with connect(url, **options) as socket:
            created = json.loads(await socket.recv())
            assert created["type"] == "session.created", created
            call.session, call.began = created["session"]["id"], time.monotonic()
            await ask_back(socket, call)
            next_question = 0.5
            while (elapsed := time.monotonic() - call.began) < seconds:
                await speak(socket, call)
                if elapsed >= next_question:
                    next_question += 0.5
                    await ask_back(socket, call)
                await asyncio.sleep(max(0.0, call.began + elapsed + CHUNK_SECONDS - time.monotonic()))
            await ask_back(socket, call)
    except Exception as fault:  # A test looks at it, whatever it is.
        call.errors.append(fault)
    call.ended = time.monotonic()
    return call


async def short_call(url: str, **options) -> str:
    """Connects and leaves; the id of the session."""
    async with connect(url, **options) as socket:
        return json.loads(await socket.recv())["session"]["id"]


@contextlib.asynccontextmanager
async def held_call(url: str, **options):
    """A call that stays until it is left; its id."""
    async with connect(url, **options) as socket:
        yield json.loads(await socket.recv())["session"]["id"]
