"""A provider behind a proxy: the real binary, as its environment says, opens one tunnel for each connection."""

import asyncio
import contextlib
import types

import pytest

from conversation import conversation
from processes import Gateway, provider
from providers import OPENAI_MODEL
from tls_front import TLSFront, openssl

HOST = "provider.test"
USER, PASSWORD = "operator", "pr0xy-p@ss"
# The two with a colon between, in base64.
CREDENTIALS = "Basic b3BlcmF0b3I6cHIweHktcEBzcw=="


class Proxy:
    """Answers CONNECT, and leads to one port of this machine whatever is asked for."""

    def __init__(self, target: int, status: str = "200 Connection established"):
        self.target = target
        self.status = status
        self.heads: list[list[str]] = []

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return f"http://{USER}:{PASSWORD.replace('@', '%40')}@127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.decode().split("\r\n")[:-2])
            writer.write(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
            if not self.status.startswith("2"):
                return
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.target)
            with contextlib.closing(to_writer):
                await asyncio.gather(relay(reader, to_writer), relay(to_reader, writer))


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def serving(folder, scheme: str, port: int, proxy: Proxy, **fields):
    """A server whose provider has a name that only the proxy knows."""
    entry = provider("openai", port, OPENAI_MODEL, **fields)
    entry["url"] = f"{scheme}://{HOST}:{port}/v1/realtime"
    variable = "HTTPS_PROXY" if scheme == "wss" else "HTTP_PROXY"
    others = ["ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", variable.lower()]
    environment = {variable: proxy.url, **dict.fromkeys(others, "")}
    routes = {"default": "openai", "providers": {"openai": entry}, "routes": [{"path": "/v1/realtime"}]}
    running = Gateway(folder, routes, environment)
    await asyncio.to_thread(running.await_ready)
    try:
        yield running
    finally:
        assert await asyncio.to_thread(running.stop) == 0
    assert PASSWORD not in running.log and CREDENTIALS not in running.log


@pytest.fixture
def secure_standin(tmp_path, standin):
    """A stand-in behind TLS, with a certificate of the provider's name that is its own authority."""
    certificate, key = tmp_path / "provider.pem", tmp_path / "provider.key"
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
        "-out", certificate, "-days", "2", "-subj", "/CN=provider", "-addext", f"subjectAltName=DNS:{HOST}",
    )  # fmt: skip
    names = types.SimpleNamespace(server_certificate=certificate, server_key=key)
    running = TLSFront(tmp_path / "front", names, standin.ports["openai"])
    running.await_ready()
    yield running.port, str(certificate)
    assert running.stop() == 0


async def test_wss_provider_behind_a_proxy(tmp_path, secure_standin):
    port, certificate = secure_standin
    async with Proxy(port) as proxy, serving(tmp_path, "wss", port, proxy, caFile=certificate) as gateway:
        async with conversation(gateway, "openai") as talk:
            assert (await talk.text_turn())[-1]["response"]["status"] == "completed"
        assert proxy.heads == [
            [f"CONNECT {HOST}:{port} HTTP/1.1", f"Host: {HOST}:{port}", f"Proxy-Authorization: {CREDENTIALS}"]
        ]


async def test_ws_provider_behind_a_proxy(tmp_path, standin):
    port = standin.ports["openai"]
    async with Proxy(port) as proxy, serving(tmp_path, "ws", port, proxy) as gateway:
        async with conversation(gateway, "openai") as talk:
            assert (await talk.text_turn())[-1]["response"]["status"] == "completed"
        assert [head[0] for head in proxy.heads] == [f"CONNECT {HOST}:{port} HTTP/1.1"]


async def test_fault_row_42_a_proxy_that_refuses(tmp_path, standin):
    port = standin.ports["openai"]
    async with Proxy(port, "407 Who are you") as proxy, serving(tmp_path, "ws", port, proxy) as gateway:
        async with conversation(gateway, "openai") as talk:
            assert (await talk.error())["code"] == "upstream_unreachable"
        assert len(proxy.heads) == 1
        gateway.await_log("fault=upstream_proxy_failed")


def test_a_proxy_that_cannot_be_used_is_a_fault_at_start(tmp_path):
    routes = {"default": "openai", "providers": {"openai": provider("openai", 1, OPENAI_MODEL)}}
    running = Gateway(tmp_path, routes, {"HTTPS_PROXY": f"socks5://{USER}:{PASSWORD}@127.0.0.1:1", "https_proxy": ""})
    with pytest.raises(AssertionError, match="ended with exit code 1"):
        running.await_ready()
    running.stop()
    assert "HTTPS_PROXY: only proxies with http:// can be used" in running.log
    assert PASSWORD not in running.log
