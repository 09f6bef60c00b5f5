"""A listener with TLS of its own: who gets in, what it speaks, and certificates that change under running calls."""

import asyncio
import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import time
import urllib.request

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from asking import ADMIN_KEY, ask
from conversation import conversation
from processes import ROOT, Gateway, free_port, provider
from providers import OPENAI_MODEL
from tls_front import HOST, VALID_DAYS, Authority, openssl

# Signed by an authority of the tests; `expired` is of 2020.
MADE = ROOT / "Tests" / "GatewayTests" / "Certificates"
FIFTEEN_MEBIBYTES = 15 * 1_048_576
WEAK = ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256", "NULL-SHA"]


class TLSGateway(Gateway):
    """A server whose first listener has TLS, and whose second is the operator's and plain."""

    def __init__(self, folder: pathlib.Path, standin, tls: dict):
        self.tls_port, plain = free_port(), free_port()
        routes = {
            "listen": [
                {"host": "127.0.0.1", "port": self.tls_port, "serves": ["sessions", "tokens"], "tls": tls},
                {"host": "127.0.0.1", "port": plain, "serves": ["admin"]},
            ],
            "default": "openai",
            "providers": {"openai": provider("openai", standin.ports["openai"], OPENAI_MODEL)},
        }
        super().__init__(folder, routes, {"ENGINE_API_KEY": ADMIN_KEY})
        self.port = plain

    @property
    def http(self) -> str:
        return f"https://{HOST}:{self.tls_port}"

    @property
    def ws(self) -> str:
        return f"wss://{HOST}:{self.tls_port}"

    def sessions(self) -> int:
        return ask(self, "GET", "/sessions", key=ADMIN_KEY).json["count"]


@contextlib.contextmanager
def tls_gateway(folder: pathlib.Path, standin, tls: dict):
    running = TLSGateway(folder, standin, tls)
    running.await_ready()
    try:
        yield running
    finally:
        assert running.stop() == 0, "the server must end cleanly when asked to"


def pair(folder: pathlib.Path, certificate: pathlib.Path, key: pathlib.Path) -> dict:
    """Copies that a test may change, as a listener names them."""
    folder.mkdir(exist_ok=True)
    shutil.copy(certificate, folder / "tls.pem")
    shutil.copy(key, folder / "tls.key")
    return {"certificate": str(folder / "tls.pem"), "key": f"file:{folder / 'tls.key'}"}


@pytest.fixture(scope="module")
def running(tmp_path_factory, authority, standin):
    folder = tmp_path_factory.mktemp("tls")
    with tls_gateway(folder, standin, pair(folder, authority.server_certificate, authority.server_key)) as made:
        yield made


def client_context(trusted: pathlib.Path, own: Authority | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(trusted))
    if own:
        context.load_cert_chain(own.server_certificate, own.server_key)
    return context


def handshake(port: int, context: ssl.SSLContext) -> tuple[str, str, str]:
    """The version, the cipher and the serial number of the certificate; the connection has answered a request."""
    with socket.create_connection((HOST, port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=HOST) as secured:
            secured.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = secured.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            return secured.version(), secured.cipher()[0], secured.getpeercert()["serialNumber"]


async def test_R287_the_official_client_over_wss(running):
    async with conversation(running, "openai") as talk:
        seen = await talk.text_turn()
        assert seen[-1]["response"]["status"] == "completed"
    with urllib.request.urlopen(f"{running.http}/health", timeout=5, context=ssl.create_default_context()) as answer:
        assert answer.status == 200


async def test_fault_row_67_the_largest_events_are_as_over_plain_tcp(running):
    async with connect(f"{running.ws}/v1/realtime", max_size=None) as sock:
        assert json.loads(await sock.recv())["type"] == "session.created"
        manual = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        await sock.send(json.dumps({"type": "session.update", "session": manual}))
        while json.loads(await sock.recv())["type"] != "session.updated":
            pass
        audio = base64.b64encode(bytes(FIFTEEN_MEBIBYTES)).decode()
        await sock.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await sock.send(json.dumps({"type": "input_audio_buffer.clear"}))
        assert json.loads(await sock.recv())["type"] == "input_audio_buffer.cleared"
        # The header alone of a frame that is one byte too long.
        sock.transport.write(b"\x81\xff" + (24 * 1_048_576 + 1).to_bytes(8) + bytes(4))
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.wait_for(sock.recv(), 10)
        assert sock.close_code == 1009


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_fault_row_67_old_versions_are_refused(running, authority, version):
    context = client_context(authority.certificate)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError):
        handshake(running.tls_port, context)


def test_fault_row_67_versions_and_ciphers(running, authority):
    for version, name in [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")]:
        context = client_context(authority.certificate)
        context.minimum_version = context.maximum_version = version
        spoken, cipher, _ = handshake(running.tls_port, context)
        assert spoken == name and ("GCM" in cipher or "CHACHA20" in cipher)
    for cipher in WEAK:
        context = client_context(authority.certificate)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"{cipher}:@SECLEVEL=0")
        with pytest.raises(ssl.SSLError):
            handshake(running.tls_port, context)


def test_fault_row_67_whoever_speaks_no_tls_is_closed(running, authority):
    for words in (b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", bytes(64), b"\x16\x03\x01\x00\x05hello", b"\x80"):
        with socket.create_connection((HOST, running.tls_port), timeout=5) as plain:
            plain.sendall(words)
            plain.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while part := plain.recv(4_096):
                    answer += part
            assert b"HTTP" not in answer
    handshake(running.tls_port, client_context(authority.certificate))


async def test_fault_row_33_over_tls_a_client_that_says_goodbye_in_a_frame_is_gone(running, authority):
    def leave() -> None:
        context = client_context(authority.certificate)
        plain = socket.create_connection((HOST, running.tls_port), timeout=5)
        with context.wrap_socket(plain, server_hostname=HOST) as secured:
            secured.sendall(
                b"GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            while b"session.created" not in secured.recv(65_536):
                pass
            assert running.sessions() == 1
            # Half a frame, then close_notify.
            secured.sendall(b"\x81\xfe\x10\x00\0\0\0\0{")
            with contextlib.suppress(ssl.SSLError, OSError):
                secured.unwrap().close()

    await asyncio.to_thread(leave)
    async with asyncio.timeout(5):
        while running.sessions():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("choice", ["required", "optional"])
async def test_fault_row_67_certificates_of_clients(tmp_path, authority, standin, choice):
    folders = [tmp_path / name for name in ("known", "foreign")]
    for folder in folders:
        folder.mkdir()
    known, foreign = (client_authority(folder) for folder in folders)
    tls = {
        **pair(tmp_path, authority.server_certificate, authority.server_key),
        "clientCA": str(known.certificate), "clientCertificate": choice,
    }  # fmt: skip
    with tls_gateway(tmp_path, standin, tls) as made:
        handshake(made.tls_port, client_context(authority.certificate, known))
        async with connect(f"{made.ws}/v1/realtime", ssl=client_context(authority.certificate, known)) as sock:
            assert json.loads(await sock.recv())["type"] == "session.created"
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            handshake(made.tls_port, client_context(authority.certificate, foreign))
        nobody = client_context(authority.certificate)
        if choice == "optional":
            handshake(made.tls_port, nobody)
        else:
            with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
                handshake(made.tls_port, nobody)


def client_authority(folder: pathlib.Path) -> Authority:
    """An authority whose certificate is a client's."""
    made = Authority(folder)
    extensions = folder / "client.ext"
    extensions.write_text("extendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\n")
    openssl(
        "x509", "-req", "-in", folder / "server.csr", "-CA", made.certificate, "-CAkey", folder / "authority.key",
        "-CAcreateserial", "-out", made.server_certificate, "-days", VALID_DAYS, "-extfile", extensions,
    )  # fmt: skip
    return made


async def test_R287_fault_row_67_certificates_change_under_running_calls(tmp_path, authority, standin):
    tls = pair(tmp_path, authority.server_certificate, authority.server_key)
    trusted = tmp_path / "both.pem"
    trusted.write_bytes(authority.certificate.read_bytes() + (MADE / "authority.pem").read_bytes())
    context = client_context(trusted)

    def serial() -> str:
        return handshake(made.tls_port, context)[2]

    async def until(text: str, count: int = 1) -> None:
        async with asyncio.timeout(15):
            while made.log.count(text) < count:
                await asyncio.sleep(0.02)

    async def still_works(sock) -> None:
        await sock.send(json.dumps({"type": "session.update", "session": {"type": "realtime"}}))
        while json.loads(await asyncio.wait_for(sock.recv(), 10))["type"] != "session.updated":
            pass

    with tls_gateway(tmp_path, standin, tls) as made:
        async with connect(f"{made.ws}/v1/realtime", ssl=context) as sock:
            await still_works(sock)
            first = serial()
            # The new pair comes file by file.
            shutil.copy(MADE / "good.pem", tmp_path / "tls.pem")
            shutil.copy(MADE / "server-key.pem", tmp_path / "tls.key")
            await until("certificate replaced")
            second = serial()
            assert second != first
            shutil.copy(MADE / "expired.pem", tmp_path / "tls.pem")
            await until("certificate refused, the old one stays")
            (tmp_path / "tls.pem").write_text("no certificate\n")
            await until("certificate refused, the old one stays", 2)
            os.kill(made.pid, signal.SIGHUP)
            await until("certificate refused, the old one stays", 3)
            assert serial() == second
            lines = [line for line in made.log.splitlines() if "certificate refused" in line]
            assert "expired at 2020-02-01T00:00:00Z" in lines[0] and "no certificate in PEM" in lines[1]
            assert all(" error " in line for line in lines)
            metrics = ask(made, "GET", "/metrics").body.decode()
            name = f'parley_certificate_expiry_timestamp_seconds{{listener="127.0.0.1:{made.tls_port}"}}'
            assert f"{name} 4733510400" in metrics, [line for line in metrics.splitlines() if "certificate" in line]
            os.replace(shutil.copy(authority.server_certificate, tmp_path / "new.pem"), tmp_path / "tls.pem")
            shutil.copy(authority.server_key, tmp_path / "tls.key")
            await until("certificate replaced", 2)
            assert serial() == first
            await still_works(sock)
        assert sock.close_code == 1000


@pytest.mark.parametrize(
    "certificate, key, cause",
    [
        (MADE / "expired.pem", MADE / "server-key.pem", "expired at 2020-02-01T00:00:00Z"),
        (MADE / "good.pem", MADE / "account-key.pem", "is not the key of certificate"),
        (MADE / "server-key.pem", MADE / "server-key.pem", "holds no certificate in PEM"),
    ],
    ids=["expired", "another key", "no certificate"],
)
def test_fault_row_67_at_the_start_one_clear_line(tmp_path, standin, certificate, key, cause):
    running = TLSGateway(tmp_path, standin, pair(tmp_path, certificate, key))
    begun = time.monotonic()
    while running._process._process.poll() is None:
        assert time.monotonic() - begun < 20
        time.sleep(0.02)
    assert running.stop() == 1
    lines = [line for line in running.log.splitlines() if line.startswith("error:")]
    assert len(lines) == 1 and cause in lines[0] and f"127.0.0.1:{running.tls_port}" in lines[0], running.log
