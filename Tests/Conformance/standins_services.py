"""What all stand-ins of the voice engine's remote services share: a thread with their event loop, their ports, the
record of what each received and the faults that it found in it."""

import asyncio
import contextlib
import dataclasses
import struct
import threading
import time
import typing

from aiohttp import web

from processes import free_port
from strict_types import TypeFault, judge, strict_json

ODD_SIZES = (1, 2, 7, 3, 1, 19, 5, 64, 11)


@dataclasses.dataclass
class Exchange:
    """One request and what became of it."""

    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: typing.Any = None
    # The client went away before the answer was complete.
    was_aborted: bool = False
    is_finished: bool = False
    arrived: float = dataclasses.field(default_factory=time.monotonic)


class Refused(Exception):
    """A request that the real service would refuse."""

    def __init__(self, status: int, message: str):
        self.status = status
        super().__init__(message)


class Service:
    """One stand-in on its own port. What it answers is planned in advance; unplanned requests get a plain answer."""

    name = "service"
    key = "key-of-the-service"

    def __init__(self):
        self.port = free_port()
        self.exchanges: list[Exchange] = []
        self.faults: list[str] = []
        self.plans: list = []
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    def plan(self, *answers) -> None:
        """What the next requests get, one each."""
        self.plans.extend(answers)

    def planned(self, plain):
        return self.plans.pop(0) if self.plans else plain

    def fault(self, text: str) -> None:
        self.faults.append(f"{self.name}: {text}")

    async def up(self) -> None:
        application = web.Application(client_max_size=32 * 1024 * 1024)
        application.add_routes(self.routes())
        application.router.add_route("*", "/{path:.*}", self._nowhere)
        # A handler is cancelled when its client goes away; that is how an abort is seen.
        self._runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def down(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _nowhere(self, request: web.Request) -> web.Response:
        self.fault(f"there is no {request.method} {request.path_qs}")
        return web.json_response({"detail": "Not Found"}, status=404)

    # What requests have in common.

    def open(self, request: web.Request) -> Exchange:
        exchange = Exchange(request.path, dict(request.headers), dict(request.query))
        self.exchanges.append(exchange)
        self.check_headers(request)
        return exchange

    def check_headers(self, request: web.Request) -> None:
        names = [name.lower() for name, _ in request.raw_headers]
        names = [name.decode() for name in names]
        for name in ("host", "authorization", "content-type", "content-length"):
            if names.count(name) > 1:
                self.fault(f"{names.count(name)} headers {name}")
        if request.version.minor != 1:
            self.fault(f"HTTP {request.version} is old")
        authorization = request.headers.get("Authorization")
        if authorization != self.authorization:
            self.fault(f"Authorization is {authorization!r}")
            raise Refused(401, "Incorrect API key provided.")

    @property
    def authorization(self) -> str | None:
        return f"Bearer {self.key}" if self.key else None

    async def json_body(self, request: web.Request, exchange: Exchange):
        if request.content_type != "application/json" or request.charset not in (None, "utf-8"):
            self.fault(f"Content-Type is {request.headers.get('Content-Type')!r}")
        exchange.body = strict_json(await request.read())
        return exchange.body

    @contextlib.asynccontextmanager
    async def following(self, exchange: Exchange):
        """Notes how the exchange ends."""
        try:
            yield
            exchange.is_finished = True
        except (asyncio.CancelledError, ConnectionError):
            exchange.was_aborted = True
            raise

    def own(self, message: dict, hint, extra: frozenset[str] = frozenset()) -> dict:
        """A message of the stand-in itself, if the vendor's type declares it so."""
        judge(message, hint, extra=extra)
        return message


class Services:
    """The stand-ins, running on a thread of their own."""

    def __init__(self, *services: Service):
        self.all = services
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stand-ins", daemon=True)
        self._thread.start()
        for service in services:
            self.run(service.up())

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def stop(self) -> None:
        for service in self.all:
            self.run(service.down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def begin(self) -> None:
        """Forgets what the last test planned and what it recorded."""
        for service in self.all:
            service.exchanges.clear()
            service.faults.clear()
            service.plans.clear()

    @property
    def faults(self) -> list[str]:
        return [fault for service in self.all for fault in service.faults]

    @contextlib.contextmanager
    def without(self, service: Service):
        """Nothing listens on the service's port."""
        self.run(service.down())
        try:
            yield
        finally:
            self.run(service.up())


async def eventually(holds, seconds: float = 5.0, what: str = "what was expected") -> None:
    """Waits until `holds()` is true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        await asyncio.sleep(0.01)


async def write_oddly(response: web.StreamResponse, data: bytes, largest: int = 64) -> None:
    """Writes in pieces that end anywhere: within a line, a JSON escape, a character, a sample."""
    position = 0
    number = 0
    while position < len(data):
        size = ODD_SIZES[number % len(ODD_SIZES)]
        size = size if number < 60 or size < 19 else largest
        await response.write(data[position : position + size])
        position += size
        number += 1
        if number % 4 == 0:
            # Lets the pieces leave one by one.
            await asyncio.sleep(0)


def wav(samples: bytes, rate: int, *, dummy_size: int | None = None) -> bytes:
    """A WAV file; with `dummy_size` as servers write it that do not know how long it will be."""
    size = len(samples) if dummy_size is None else dummy_size
    whole = 36 + len(samples) if dummy_size is None else dummy_size
    return (
        b"RIFF" + struct.pack("<I", whole) + b"WAVE"
        + b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16)
        + b"data" + struct.pack("<I", size) + samples
    )  # fmt: skip


def speech_of_wav(data: bytes) -> bytes:
    """The samples of a 44-byte-header WAV, 16 kHz mono PCM16, which every server takes; else a TypeFault."""
    if len(data) < 44:
        raise TypeFault(f"a WAV of {len(data)} bytes")
    riff, size, wave, form, length, code, channels, rate, bytes_per_second, frame, bits, tag, count = struct.unpack(
        "<4sI4s4sIHHIIHH4sI", data[:44]
    )
    found = (riff, wave, form, length, code, channels, rate, bytes_per_second, frame, bits, tag)
    wanted = (b"RIFF", b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16, b"data")
    if found != wanted:
        raise TypeFault(f"the WAV header says {found}")
    if size != len(data) - 8 or count != len(data) - 44 or count % 2:
        raise TypeFault(f"the WAV header says {size} and {count} bytes of {len(data)}")
    return data[44:]
