"""Calls that are in the middle of a long answer, and a gateway that can be drained under them."""

import asyncio
import contextlib
import json
import pathlib
import typing

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from asking import ADMIN_KEY
from client_turns import STORY
from processes import Gateway, StandIn, free_port, provider
from providers import OPENAI_MODEL

PART_BYTES = 4_800  # of 100 ms
WAIT_SECONDS = 60.0


@contextlib.contextmanager
def storyteller(folder: pathlib.Path, parts: int, interval_ms: int) -> typing.Iterator[StandIn]:
    """A provider whose long story has so many parts, one each interval."""
    options = ["--realtime-story-frames", str(parts), "--realtime-story-interval-ms", str(interval_ms)]
    running = StandIn(folder, "storyteller", options)
    running.await_ready()
    try:
        yield running
    finally:
        assert running.stop() == 0


def gateway(
    folder: pathlib.Path, standin: StandIn, grace: float, *, separate: bool = False, port: int | None = None,
    environment: dict | None = None, **sections,
) -> Gateway:
    """A server with the operator's key. Where `separate`, `operator_port` is a listener of the operator's own."""
    ports = [port or free_port(), free_port()]
    listen = [{"host": "127.0.0.1", "port": ports[0], **({"serves": ["sessions", "tokens"]} if separate else {})}]
    if separate:
        listen.append({"host": "127.0.0.1", "port": ports[1], "serves": ["admin"]})
    routes = {
        "listen": listen,
        "default": "openai",
        "providers": {"openai": provider("openai", standin.ports["openai"], OPENAI_MODEL)},
        "limits": {"drainGraceSeconds": grace},
        **sections,
    }
    running = Gateway(folder, routes, {"ENGINE_API_KEY": ADMIN_KEY, **(environment or {})})
    running.port = ports[0]
    running.operator_port = ports[1] if separate else ports[0]
    running.await_ready()
    return running


class At:
    """The same server at another port."""

    def __init__(self, port: int):
        self.port = port


class StoryCall:
    """One call of a client that listens to a long story."""

    def __init__(self, socket: ClientConnection):
        self.socket = socket
        self.id = ""
        self.audio_bytes = 0
        self.types: list[str] = []
        self.error_code: str | None = None
        self.close_code: int | None = None
        self._has_heard = asyncio.Event()
        self._reading: asyncio.Task | None = None

    async def begin(self) -> None:
        self.id = json.loads(await asyncio.wait_for(self.socket.recv(), WAIT_SECONDS))["session"]["id"]
        await self.socket.send(json.dumps({"type": "session.update", "session": {"type": "realtime"}}))
        while json.loads(await asyncio.wait_for(self.socket.recv(), WAIT_SECONDS))["type"] != "session.updated":
            pass
        self._reading = asyncio.create_task(self._read())

    async def ask(self) -> None:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": STORY}]}
        await self.socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await self.socket.send(json.dumps({"type": "response.create"}))
        await asyncio.wait_for(self._has_heard.wait(), WAIT_SECONDS)

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                event = json.loads(message)
                self.types.append(event["type"])
                if event["type"] == "response.output_audio.delta":
                    self.audio_bytes += len(event["delta"]) // 4 * 3
                    self._has_heard.set()
                if event["type"] == "error":
                    self.error_code = event["error"]["code"]
        except ConnectionClosed:
            pass
        self.close_code = self.socket.close_code

    async def over(self) -> None:
        await asyncio.wait_for(self._reading, WAIT_SECONDS)

    @property
    def is_over(self) -> bool:
        return self._reading is not None and self._reading.done()

    def check_told_to_come_back(self) -> None:
        assert (self.error_code, self.close_code) == ("gateway_restarting", 1012), vars(self)
        assert self.types[-1] == "error"

    def check_whole(self, parts: int) -> None:
        assert self.types.count("response.done") == 1 and self.audio_bytes == parts * PART_BYTES, vars(self)


@contextlib.asynccontextmanager
async def calls(running: Gateway, count: int, *, asking: bool) -> typing.AsyncIterator[list[StoryCall]]:
    """So many calls; where they ask, each has heard the first of its answer."""
    async with contextlib.AsyncExitStack() as stack:
        made = []

        async def one() -> None:
            socket = await stack.enter_async_context(connect(f"{running.ws}/v1/realtime", open_timeout=WAIT_SECONDS))
            call = StoryCall(socket)
            await call.begin()
            made.append(call)

        for begun in range(0, count, 25):
            await asyncio.gather(*(one() for _ in range(min(25, count - begun))))
        if asking:
            await asyncio.gather(*(call.ask() for call in made))
        yield made
