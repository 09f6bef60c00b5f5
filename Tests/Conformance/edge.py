"""A server for tests of what goes wrong at its edge, with a session that runs beside every fault."""

import asyncio
import contextlib
import os
import pathlib

from neighbour import Neighbour
from processes import Gateway, StandIn, free_port, provider
from providers import OPENAI_MODEL, entries
from raw_socket import close, raw_socket, text

ANSWER_INTERVAL_MS = 10


class Edge:
    """The server, its stand-ins, and the neighbour, whose answers are paced so that each fault falls into one."""

    def __init__(self, folder: pathlib.Path, quick: StandIn):
        self.quick = quick
        self.paced = StandIn(folder, "paced", ["--answer-interval-ms", str(ANSWER_INTERVAL_MS)])
        self.paced.await_ready()
        # Where a test can be the provider itself.
        self.own_port = free_port()
        providers = {**entries(quick, self.paced), "own": provider("openai", self.own_port, OPENAI_MODEL)}
        routes = {"default": "openai", "providers": providers, "routes": [{"path": "/v1/realtime"}]}
        self.gateway = Gateway(folder, routes)
        self.gateway.await_ready()
        self.neighbour = Neighbour(self.gateway, "openai-slow")
        self.neighbour.await_answers(1)

    def stop(self) -> None:
        self.neighbour.stop()
        self.neighbour.check_upstream(self.paced.record, "openai")
        assert self.gateway.stop() == 0, "the server must end cleanly when asked to"
        assert self.paced.stop() == 0

    def socket(self, provider: str = "openai", *fields: str):
        return raw_socket(self.gateway, f"/v1/realtime?provider={provider}", *fields)

    @contextlib.asynccontextmanager
    async def undisturbed(self, provider: str = "openai"):
        """A neighbour's answer that was under way is whole afterwards, and a new session is told what it asks."""
        before = self.neighbour.answers()
        yield
        async with self.socket(provider) as other:
            await other.event("session.created")
            await other.send(text({"type": "session.update", "session": {"type": "realtime", "instructions": "still"}}))
            assert (await other.event("session.updated"))["session"]["instructions"] == "still"
            await other.send(close(1000))
            assert (await other.end()).codes == [1000]
        await asyncio.to_thread(self.neighbour.await_answers, before + 1)

    @property
    def pid(self) -> int:
        return self.gateway.pid

    @property
    def port(self) -> int:
        return self.gateway.port

    def taken_bytes(self) -> int:
        """Resident memory of the server."""
        return int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def processor_seconds(self) -> float:
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ended_sessions(self) -> list[str]:
        """The log's lines of ended sessions."""
        return [line for line in self.gateway.log.splitlines() if "session ended" in line]
