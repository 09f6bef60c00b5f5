"""A WebSocket client with control of every byte, for tests of what the server does with bytes that no library sends."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
import typing

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
ANSWER_SECONDS = 3.0


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    reserved: int = 0,
    key: bytes | None = b"\0\0\0\0",
    length: int | None = None,
) -> bytes:
    """One frame. A key of zeros leaves the payload as it is; None is a frame without a mask. `length` only declares."""
    count = len(payload) if length is None else length
    form = count if count < 126 else 126 if count < 65_536 else 127
    extended = {126: struct.pack(">H", count % 65_536), 127: struct.pack(">Q", count)}.get(form, b"")
    head = bytes([(0x80 if final else 0) | reserved | opcode, (0x80 if key is not None else 0) | form]) + extended
    if key is None:
        return head + payload
    if any(key):
        payload = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
    return head + key + payload


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


def text(event: dict | str) -> bytes:
    return frame(TEXT, (event if isinstance(event, str) else json.dumps(event)).encode())


class End(typing.NamedTuple):
    """How the server ended a connection."""

    events: list[dict]  # the text frames before
    pongs: list[bytes]
    codes: list[int | None]  # of all its close frames
    reason: str


class RawSocket:
    """An upgraded connection. Text frames are collected; what else comes is for whoever asks."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str):
        self.reader = reader
        self.writer = writer
        self.head = head

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def frame(self, seconds: float = ANSWER_SECONDS) -> tuple[int, bytes]:
        """The next frame of the server, which must be whole, plain and unmasked: its opcode and payload."""
        async with asyncio.timeout(seconds):
            first, second = await self.reader.readexactly(2)
            assert first & 0xF0 == 0x80 and second < 128, f"a frame that begins with {first:#x} {second:#x}"
            count = second
            if second > 125:
                width = 2 if second == 126 else 8
                count = int.from_bytes(await self.reader.readexactly(width))
            return first & 0x0F, await self.reader.readexactly(count)

    async def event(self, kind: str | None = None, seconds: float = ANSWER_SECONDS) -> dict:
        """The next text frame, or the next event of a type."""
        while True:
            opcode, payload = await self.frame(seconds)
            assert opcode in (TEXT, PING, PONG), f"opcode {opcode}: {payload!r}"
            if opcode == TEXT and kind in (None, (event := json.loads(payload))["type"]):
                return json.loads(payload)

    async def end(self, seconds: float = ANSWER_SECONDS) -> End:
        """Everything until the server closes the TCP connection."""
        found = End([], [], [], "")
        async with asyncio.timeout(seconds):
            while True:
                try:
                    opcode, payload = await self.frame(seconds)
                except (asyncio.IncompleteReadError, ConnectionResetError):
                    return found
                if opcode == TEXT:
                    found.events.append(json.loads(payload))
                elif opcode == PONG:
                    found.pongs.append(payload)
                elif opcode == CLOSE:
                    # As a client does; where the server waits for nothing any more this is lost.
                    if not found.codes:
                        self.writer.write(frame(CLOSE, payload[:2]))
                    found.codes.append(int.from_bytes(payload[:2]) if payload else None)
                    found = found._replace(reason=payload[2:].decode())

    def reset(self) -> None:
        """Ends the TCP connection with a RST."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def raw_socket(gateway, target: str, *fields: str) -> typing.AsyncIterator[RawSocket]:
    """Connects and upgrades; the server must agree. At the end the connection is cut, if it still is one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1 << 26)
    try:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{gateway.port}", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *fields, "", "",
        ]  # fmt: skip
        writer.write("\r\n".join(lines).encode())
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWER_SECONDS)).decode()
        assert head.startswith("HTTP/1.1 101 "), head
        yield RawSocket(reader, writer, head)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
