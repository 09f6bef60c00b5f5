"""Clients that leave in every way but the right one, and clients that ask for too much: what was theirs is given back, and
nobody else notices."""

import asyncio
import contextlib
import os
import resource
import time

import pytest
from websockets.asyncio.server import serve

from raw_socket import BINARY, TEXT, close, frame, text

MIB = 1024 * 1024
LIMIT = 24 * MIB
# The figure is a second; a busy machine is given two more.
UPSTREAM_ENDS_WITHIN = 3.0


class OwnProvider:
    """The provider of a test itself: notes when each of its connections ends."""

    def __init__(self):
        self.begun = asyncio.Queue()
        self.ended = asyncio.Queue()

    async def serve(self, connection) -> None:
        await self.begun.put(connection)
        with contextlib.suppress(Exception):
            async for _ in connection:
                pass
        await self.ended.put(time.monotonic())


@contextlib.asynccontextmanager
async def own_provider(edge):
    provider = OwnProvider()
    async with serve(provider.serve, "127.0.0.1", edge.own_port):
        yield provider


async def reset_at_rest(socket) -> None:
    socket.reset()


async def reset_in_a_frame(socket) -> None:
    await socket.send(frame(TEXT, b'{"type":', length=5_000))
    socket.reset()


async def reset_with_much_unsaid(socket) -> None:
    append = text({"type": "input_audio_buffer.append", "audio": "A" * 64_000})
    await socket.send(append * 5)
    socket.reset()


async def end_without_a_close_frame(socket) -> None:
    socket.writer.close()


async def half_close_at_rest(socket) -> None:
    socket.writer.write_eof()


async def half_close_in_a_frame(socket) -> None:
    await socket.send(frame(TEXT, b'{"type":', length=5_000))
    socket.writer.write_eof()


async def half_close_in_a_message(socket) -> None:
    await socket.send(frame(TEXT, b'{"type":', final=False))
    socket.writer.write_eof()


LEAVING = [
    reset_at_rest, reset_in_a_frame, reset_with_much_unsaid, end_without_a_close_frame, half_close_at_rest,
    half_close_in_a_frame, half_close_in_a_message,
]  # fmt: skip


@pytest.mark.parametrize("leave", LEAVING, ids=[f"fault row 33 {leave.__name__}" for leave in LEAVING])
async def test_fault_row_33_a_client_that_breaks_off_takes_its_provider_along_and_is_accounted(edge, leave):
    before = len(edge.ended_sessions())
    async with edge.undisturbed(), own_provider(edge) as provider, edge.socket("own&model=gpt-realtime") as socket:
        await socket.event("session.created")
        async with asyncio.timeout(5):
            await provider.begun.get()
        began = time.monotonic()
        await leave(socket)
        async with asyncio.timeout(10):
            ended = await provider.ended.get()
        assert ended - began < UPSTREAM_ENDS_WITHIN
        async with asyncio.timeout(5):
            while len(edge.ended_sessions()) == before:
                await asyncio.sleep(0.01)
        lines = edge.ended_sessions()[before:]
        assert len(lines) == 1 and "fault=client_lost" in lines[0] and "provider=own" in lines[0], lines


async def test_fault_row_29_a_close_that_crosses_ours_is_one_close_each_way(edge):
    async with edge.undisturbed(), own_provider(edge) as provider, edge.socket("own&model=gpt-realtime") as socket:
        await socket.event("session.created")
        upstream = await provider.begun.get()
        # The provider's end makes the gateway close; the client closes without having heard of it.
        await upstream.close(1011)
        await socket.send(close(1000))
        end = await socket.end(seconds=10)
        assert len(end.codes) == 1 and end.codes[0] in (1000, 1013), end


async def test_fault_row_25_a_hundred_declared_messages_of_the_limit_take_no_memory(edge):
    async with edge.undisturbed(), contextlib.AsyncExitStack() as stack:
        before = edge.taken_bytes()
        for _ in range(100):
            socket = await stack.enter_async_context(edge.socket())
            await socket.event("session.created")
            await socket.send(frame(BINARY, length=LIMIT))
        # 2.4 GiB are declared.
        assert edge.taken_bytes() - before < 100 * MIB


async def test_fault_row_26_a_flood_of_tiny_fragments_takes_no_memory(edge):
    async with edge.undisturbed(), contextlib.AsyncExitStack() as stack:
        before = edge.taken_bytes()
        for _ in range(50):
            socket = await stack.enter_async_context(edge.socket())
            await socket.event("session.created")
            await socket.send(frame(TEXT, final=False) + frame(0, final=False) * 20_000)
            assert (await socket.end()).codes == [1008]
        assert edge.taken_bytes() - before < 50 * MIB


@pytest.mark.parametrize("bad", ["[]", '{"type":"no.such"}', '{"type":"input_audio_buffer.append","audio":"!"}'])
async def test_fault_row_41_two_thousand_bad_events_are_errors_and_then_a_close(edge, bad):
    before = edge.gateway.log.count("\n")
    async with edge.undisturbed(), edge.socket("gemini") as socket:
        await socket.event("session.created")
        await socket.send(text(bad) * 2_000)
        end = await socket.end(seconds=10)
        assert end.codes == [1008], end
        kinds = {event["type"] for event in end.events}
        # A hundred are told, the one that is too many as well, and then why the session ends.
        assert kinds == {"error"} and len(end.events) <= 203, len(end.events)
        assert end.events[-1]["error"]["code"] == "too_many_bad_events"
    # The neighbour and the other session have lines of their own.
    assert edge.gateway.log.count("\n") - before < 20


async def test_fault_row_63_without_descriptors_the_server_waits_and_then_accepts_again(edge):
    old = resource.prlimit(edge.pid, resource.RLIMIT_NOFILE)
    in_use = len(os.listdir(f"/proc/{edge.pid}/fd"))
    async with edge.undisturbed(), contextlib.AsyncExitStack() as stack:
        resource.prlimit(edge.pid, resource.RLIMIT_NOFILE, (in_use + 5, old[1]))
        connections = []
        try:
            for _ in range(20):
                connections.append(await asyncio.open_connection("127.0.0.1", edge.port))
            spent = edge.processor_seconds()
            began = time.monotonic()
            await asyncio.sleep(1)
            share = (edge.processor_seconds() - spent) / (time.monotonic() - began)
            assert share < 0.5, f"it spins: {share:.0%} of a processor"
            assert edge.gateway.log.count("new connections wait") == 1
        finally:
            resource.prlimit(edge.pid, resource.RLIMIT_NOFILE, old)
            for _, writer in connections:
                writer.close()
                await writer.wait_closed()
        # It looks again soon.
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(TimeoutError, AssertionError, ConnectionError):
                    socket = await stack.enter_async_context(edge.socket())
                    await socket.event("session.created")
                    break
