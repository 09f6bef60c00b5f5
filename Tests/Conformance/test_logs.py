"""The log on standard output: what an operator greps for, in both formats; what it must not hold; what happens when nobody
takes it."""

import asyncio
import base64
import contextlib
import fcntl
import json
import os
import re
import secrets
import subprocess
import threading
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asking import ADMIN_KEY, ask
from processes import BINARY, Gateway, free_port, is_healthy, provider
from providers import GEMINI_MODEL, OPENAI_MODEL

FORMATS = ["text", "json"]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LEVELS = "trace|debug|info|notice|warning|error|critical"
TEXT_LINE = re.compile(
    rf"{TIME} (?P<level>{LEVELS}) service=engine (?P<message>[^=]*?)"
    r'(?P<fields>( [A-Za-z0-9_.-]+=("([^"\\\x00-\x1f]|\\.)*"|[^\s"=]+))*)'
)
FIELD = re.compile(r' (?P<key>[A-Za-z0-9_.-]+)=(?P<value>"(?:[^"\\]|\\.)*"|\S+)')
# As keys look; none of them is one.
KEYS = {
    "server": "hyb_planted-server-key-0123456789", "page": "vkey_planted-page-key-0123456789",
    "provider": "sk-planted-provider-key-0123456789", "google": "AIzaPlantedGoogleKey0123456789",
    "wrong": "ek_planted-wrong-token-0123456789",
}  # fmt: skip
PLANTED = re.compile(r"hyb_planted|vkey_planted|sk-planted|AIzaPlanted|ek_planted")
HOSTILE = 'a\r\n2026-01-01T00:00:00.000Z error service=engine forged session=forged "\x1b[31m'


def read_line(line: str, form: str) -> dict:
    """Level, message and metadata of a line, after a look at its shape."""
    if form == "json":
        record = json.loads(line)
        assert list(record)[:4] == ["time", "level", "service", "message"], line
        assert re.fullmatch(TIME, record["time"]) and re.fullmatch(LEVELS, record["level"]), line
        assert record["service"] == "engine"
        return record
    found = TEXT_LINE.fullmatch(line)
    assert found, line
    fields = {field["key"]: field["value"] for field in FIELD.finditer(found["fields"])}
    return {"level": found["level"], "message": found["message"], **fields}


def read_log(gateway: Gateway, form: str) -> list[dict]:
    assert "\r" not in gateway.log
    return [read_line(line, form) for line in gateway.log.split("\n")[:-1]]


@pytest.fixture(params=FORMATS)
def logged(request, tmp_path, standin):
    """A server with keys, and the format of its log."""
    routes = {
        "default": "openai",
        "providers": {
            "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
            # What has no counterpart there stays here, so that the record of the stand-ins has nothing strange.
            "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
            "dead": provider("openai", free_port(), OPENAI_MODEL, key="env:PROVIDER_KEY"),
            "google": provider("gemini-live", free_port(), "gemini-live", key="env:GOOGLE_KEY"),
        },
        "access": {"keys": [{"name": name, "key": f"env:{name.upper()}_KEY"} for name in ("server", "page")]},
    }
    environment = {f"{name.upper()}_KEY": value for name, value in KEYS.items()}
    environment |= {"ENGINE_API_KEY": ADMIN_KEY, "PARLEY_LOG_FORMAT": request.param, "PARLEY_LOG_LEVEL": "trace"}
    gateway = Gateway(tmp_path, routes, environment)
    gateway.await_ready()
    yield gateway, request.param
    assert gateway.stop() == 0


async def talk(gateway: Gateway, target: str = "/v1/realtime", key: str = KEYS["server"], says: list | None = None):
    """A text turn, or whatever is said. Returns the session's id, or None where there was none."""
    session = None
    with contextlib.suppress(InvalidStatus, ConnectionClosed):
        async with connect(gateway.ws + target, additional_headers={"Authorization": f"Bearer {key}"}) as socket:
            for event in says or [
                {"type": "conversation.item.create", "item": {
                    "type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}},
                {"type": "response.create"},
            ]:  # fmt: skip
                await socket.send(json.dumps(event))
            async for message in socket:
                event = json.loads(message)
                session = event.get("session", {}).get("id", session)
                if event["type"] in ("response.done", "error"):
                    break
    return session


async def test_R116_R118_a_session_can_be_followed(logged):
    gateway, form = logged
    session = await talk(gateway)
    await asyncio.to_thread(gateway.await_log, "session ended")
    for word in ("engine", "session", "speech", "response"):
        assert [line for line in gateway.log.splitlines() if word in line], word
    records = read_log(gateway, form)
    lines = gateway.log.splitlines()
    assert len([line for line in lines if "engine" in line]) == len(lines), "every line names the service"
    own = [record for record in records if record.get("session") == session]
    assert {record["message"] for record in own} >= {"session began", "response ended", "session ended"}
    assert {record["provider"] for record in own} == {"openai"}
    began = [record for record in records if record["message"] == "session began"]
    assert [record["session"] for record in began] == [session], "what is said of a session names it"


async def test_R117_a_fault_is_found_by_the_word_error(logged):
    gateway, form = logged
    session = await talk(gateway, "/v1/realtime?provider=dead")
    await asyncio.to_thread(gateway.await_log, "session ended")
    errors = [record for record in read_log(gateway, form) if record["level"] == "error"]
    assert [record.get("session") for record in errors] == [session] and errors[0]["fault"] == "upstream_unreachable"
    assert [line for line in gateway.log.splitlines() if "error" in line.lower()]


async def test_R119_fault_row_68_no_key_in_any_spelling_is_logged(logged):
    gateway, form = logged
    for key in KEYS.values():
        await talk(gateway, key=key)
        await talk(gateway, f"/v1/realtime?token={key}", key="none")
        await talk(gateway, f"/v1/realtime?{key}={key}")
        await talk(gateway, f"/v1/realtime?provider={key}&model={key}")
        says = [{"type": key, "event_id": key}, {"type": "session.update", "session": {"type": "realtime", key: key}}]
        await talk(gateway, says=says)
        ask(gateway, "GET", f"/v1/models?api_key={key}", key=key, headers={"X-Forwarded-For": key, "User-Agent": key})
    for name in ("dead", "google"):
        await talk(gateway, f"/v1/realtime?provider={name}")
    page = ask(gateway, "GET", "/metrics", key=ADMIN_KEY)
    assert page.status == 200 and not PLANTED.search(page.body.decode())
    assert gateway.stop() == 0
    read_log(gateway, form)
    assert not PLANTED.search(gateway.log) and ADMIN_KEY not in gateway.log


async def test_R119_no_audio_is_logged(logged):
    gateway, form = logged
    sound = secrets.token_bytes(4_800)
    encoded = base64.b64encode(sound).decode()
    await talk(gateway, says=[
        {"type": "input_audio_buffer.append", "audio": encoded},
        {"type": "input_audio_buffer.append", "audio": encoded + "!"},
        {"type": "input_audio_buffer.commit"}, {"type": "response.create"},
    ])  # fmt: skip
    await asyncio.to_thread(gateway.await_log, "session ended")
    read_log(gateway, form)
    assert encoded[:24] not in gateway.log and max(map(len, gateway.log.splitlines())) < 8_192


async def test_fault_row_62_what_a_client_writes_forges_no_line(logged):
    gateway, form = logged
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    # A header cannot have line breaks; everything else may be tried.
    head = 'GET /v1/realtime?x="%0d%0aservice=engine HTTP/1.1\r\nHost: a\r\nUser-Agent: " session=forged\r\n'
    writer.write(f"{head}X-Forwarded-For: \x1b[31m\r\n\r\n".encode())
    await reader.read(1_000)
    writer.close()
    await talk(gateway, says=[{"type": HOSTILE, "event_id": HOSTILE}])
    update = {"type": "realtime", HOSTILE: 1, "instructions": HOSTILE}
    says = [{"type": "session.update", "session": update}, {"type": "response.create"}]
    await talk(gateway, "/v1/realtime?provider=gemini", says=says)
    assert gateway.stop() == 0
    records = read_log(gateway, form)
    assert not [record for record in records if "forged" in (record["message"], record.get("session"))]
    assert "\x1b" not in gateway.log


class Server:
    """A server whose standard output is the test's."""

    def __init__(self, folder, standin, **streams):
        self.port = free_port()
        self.ws = f"ws://127.0.0.1:{self.port}"
        providers = {
            "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
            "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
        }
        listen = [{"host": "127.0.0.1", "port": self.port}]
        file = folder / "routes.json"
        # Chatter is meant to be as fast as it can.
        sections = {"ledger": "none", "default": "openai", "limits": {"controlEventsPerSecond": 100_000}}
        file.write_text(json.dumps({"listen": listen, "providers": providers, **sections}))
        self._process = subprocess.Popen(
            [str(BINARY), "serve", "--config", str(file)], cwd=folder, env={**os.environ, "STANDIN_KEY": "x"}, **streams
        )

    def __enter__(self):
        deadline = time.monotonic() + 30
        while not is_healthy(self.port):
            assert self._process.poll() is None and time.monotonic() < deadline, "it serves all the same"
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        assert self._process.wait(timeout=15) == 0

    def dropped(self) -> float:
        page = ask(self, "GET", "/metrics").body.decode()
        return float(re.search(r"^parley_log_lines_dropped_total (\S+)$", page, re.MULTILINE)[1])

    async def chatter(self, updates: int) -> None:
        """A session with a line in the log for each of its updates: what they ask for the provider does not have."""
        asked = {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"speed": 1.5}}}}
        async with connect(f"{self.ws}/v1/realtime?provider=gemini") as socket:
            for _ in range(updates):
                await socket.send(json.dumps(asked))
            for _ in range(updates + 1):
                assert json.loads(await socket.recv())["type"] in ("session.created", "session.updated")

    async def check(self) -> None:
        """It serves, and lines are dropped meanwhile."""
        assert await talk(self)
        deadline = time.monotonic() + 10
        while not self.dropped():
            assert time.monotonic() < deadline, "no line was dropped"
            await asyncio.sleep(0.01)
        assert await talk(self)


async def test_fault_row_66_a_closed_standard_output(tmp_path, standin):
    with Server(tmp_path, standin, preexec_fn=lambda: os.close(1), stdin=subprocess.DEVNULL) as server:
        await server.check()


async def test_fault_row_66_a_reader_that_has_gone(tmp_path, standin):
    reading, writing = os.pipe()
    running = Server(tmp_path, standin, stdout=writing)
    os.close(writing)
    os.close(reading)
    with running as server:
        await server.check()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this machine")
async def test_fault_row_66_a_full_disk(tmp_path, standin):
    with open("/dev/full", "wb", buffering=0) as full, Server(tmp_path, standin, stdout=full) as server:
        await server.check()


async def test_fault_row_66_a_reader_that_takes_nothing_and_then_goes_on(tmp_path, standin):
    reading, writing = os.pipe()
    with contextlib.suppress(OSError, AttributeError):
        # One page: it is full at once.
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4_096)
    running = Server(tmp_path, standin, stdout=writing)
    os.close(writing)
    with running as server:
        for _ in range(5):
            await asyncio.gather(*(server.chatter(400) for _ in range(3)))
            if server.dropped():
                break
        await server.check()
        dropped = server.dropped()
        os.set_blocking(reading, False)
        text = b""
        deadline = time.monotonic() + 10
        while b"log lines were dropped" not in text:
            assert time.monotonic() < deadline, text[-500:]
            with contextlib.suppress(BlockingIOError):
                text += os.read(reading, 1 << 20)
            # A line that is written is what shows that it goes on.
            assert await talk(server)
        told = sum(int(found) for found in re.findall(rb"log lines were dropped lines=(\d+)", text))
        assert 0 < dropped <= told <= server.dropped()
        assert all(TEXT_LINE.fullmatch(line) for line in text.decode().split("\n")[:-1]), "no line is torn"
        os.set_blocking(reading, True)
        drain = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(reading, 1 << 16), b"")])
        drain.start()
    drain.join()
    os.close(reading)


def test_the_format_and_the_level_are_checked(tmp_path):
    for variable, option in (("PARLEY_LOG_FORMAT", "--log-format"), ("PARLEY_LOG_LEVEL", "--log-level")):
        for arguments, environment in (([], {variable: "loud"}), ([option, "loud"], {})):
            refused = subprocess.run(
                [str(BINARY), "serve", "--config", str(tmp_path / "none.json"), *arguments],
                env={**os.environ, **environment}, capture_output=True, text=True, timeout=30,
            )  # fmt: skip
            assert refused.returncode != 0 and ("loud" in refused.stderr or variable in refused.stderr)
            assert "none.json" not in refused.stderr, "it is said before anything else happens"
