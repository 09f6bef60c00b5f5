"""The proxies of deploy/, as they are shipped, really serve in front of the program (R113)."""

import asyncio
import contextlib
import json
import pathlib
import re
import signal

import pytest
from openai import AsyncOpenAI

from asking import ask
from client_turns import SPEECH
from conversation import Conversation, assert_legal, audio_of, of_type
from deploying import SECRETS, run, text_of
from processes import Gateway, provider
from providers import GEMINI_MODEL, OPENAI_MODEL
from tls_front import TLSFront

FRONTS = ["nginx/parley.conf", "nginx/parley-edge.conf", "haproxy/haproxy.cfg"]
# The documentation of a self-hosted engine, word for word (R113).
LOCATION = """location /v1/realtime {
    proxy_pass http://localhost:8787/v1/realtime;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_read_timeout 86400;
    proxy_send_timeout 86400;
}"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, standin):
    """A server as it stands behind a proxy: with keys, and with the proxy's word for the client's address."""
    folder = tmp_path_factory.mktemp("guarded")
    routes = {
        "default": "gemini",
        "providers": {
            "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
            "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
        },
        "access": {"keys": [{"name": "app", "key": "env:PARLEY_APP_KEY"}], "proxies": ["127.0.0.1", "::1"]},
    }
    running = Gateway(folder, routes, SECRETS)
    running.await_ready()
    yield running
    assert running.stop() == 0


@contextlib.contextmanager
def behind(site: str, folder: pathlib.Path, authority, server, changes: dict[str, str] | None = None):
    running = TLSFront(folder / "proxy", authority, server.port, site, changes)
    try:
        running.await_ready()
        yield running
    finally:
        # HAProxy ends by the signal itself.
        assert running.stop() in (0, -signal.SIGTERM)


@pytest.fixture(scope="module", params=FRONTS)
def front(request, tmp_path_factory, authority, guarded):
    with behind(request.param, tmp_path_factory.mktemp("front"), authority, guarded) as running:
        yield running


def test_R113_nginx_has_the_very_location_block():
    lines = text_of("nginx/parley.conf").splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip().startswith("location"))
    block = [line.removeprefix("    ") for line in lines[start : start + len(LOCATION.splitlines())]]
    assert block == LOCATION.splitlines()
    # The other way to say so is as patient, and TLS is what clients see.
    assert re.findall(r"proxy_(?:read|send)_timeout (\d+);", text_of("nginx/parley-edge.conf")) == ["86400", "86400"]
    assert "listen 443 ssl;" in text_of("nginx/parley.conf")


@pytest.mark.parametrize("provider", ["gemini", "openai"])
async def test_R006_R053_R113_the_official_client_types_and_speaks_through_each_proxy(front, provider):
    client = AsyncOpenAI(base_url=f"{front.https}/v1", api_key=SECRETS["PARLEY_APP_KEY"])
    async with client, client.realtime.connect(extra_query={"provider": provider}) as connection:
        talk = Conversation(connection)
        assert (await talk.next())["type"] == "session.created"
        await connection.session.update(session={"type": "realtime", "instructions": "Answer in one sentence."})
        await talk.until("session.updated")
        events = await talk.text_turn()
        assert_legal(events)
        assert audio_of(events)
        await talk.append(SPEECH)
        events = await talk.until("response.done")
        assert_legal(events)
        assert of_type(events, "input_audio_buffer.speech_started") and audio_of(events)


async def test_R113_a_refusal_reaches_the_client_as_it_is(front):
    async with AsyncOpenAI(base_url=f"{front.https}/v1", api_key="wrong") as client:
        with pytest.raises(Exception, match="401"):
            async with client.realtime.connect():
                pass


@pytest.mark.parametrize("site", FRONTS[1:])
async def test_R115_a_proxy_that_is_named_says_where_clients_are_and_clients_do_not(tmp_path, authority, guarded, site):
    key = SECRETS["PARLEY_APP_KEY"]
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "ftp", "X-Forwarded-Host": "evil.example"}
    with behind(site, tmp_path, authority, guarded) as front:
        headers = [part for name, value in lies.items() for part in ("--header", f"{name}: {value}")]
        minted = await asyncio.to_thread(
            run, "curl", "--silent", "--fail", "--cacert", authority.certificate, "--header", f"api-key: {key}", *headers,
            "--json", '{"appId": "default", "provider": "gemini"}', f"{front.https}/vowel/api/generateToken",
        )  # fmt: skip
        assert json.loads(minted)["wsUrl"] == f"{front.wss}/v1/realtime"
        begun = guarded.log.count("session began")
        async with AsyncOpenAI(base_url=f"{front.https}/v1", api_key=key, default_headers=lies) as client:
            async with client.realtime.connect(extra_headers=lies) as connection:
                assert json.loads(await connection.recv_bytes())["type"] == "session.created"
    lines = [line for line in guarded.log.splitlines() if "session began" in line][begun:]
    assert lines and all("client=127.0.0.1 " in f"{line} " for line in lines), lines
    assert "203.0.113.9" not in guarded.log


@pytest.mark.parametrize("site", FRONTS[1:])
async def test_a_connection_that_was_used_for_http_opens_a_websocket_too(tmp_path, authority, guarded, site):
    """Both keep their connections to Parley, so that the upgrade comes on one that has carried requests."""
    key = SECRETS["PARLEY_APP_KEY"]
    with behind(site, tmp_path, authority, guarded) as front:
        for _ in range(3):
            models = await asyncio.to_thread(
                run, "curl", "--silent", "--fail", "--cacert", authority.certificate, "--header", f"api-key: {key}",
                f"{front.https}/v1/models", f"{front.https}/v1/models",
            )  # fmt: skip
            assert models.count('"object":"list"') == 2
            async with AsyncOpenAI(base_url=f"{front.https}/v1", api_key=key) as client:
                async with client.realtime.connect() as connection:
                    assert json.loads(await connection.recv_bytes())["type"] == "session.created"


@pytest.mark.parametrize("site", FRONTS[1:])
def test_keys_in_the_address_are_in_no_log_of_a_proxy(tmp_path, authority, guarded, site):
    key = SECRETS["PARLEY_APP_KEY"]
    with behind(site, tmp_path, authority, guarded) as front:
        run("curl", "--silent", "--cacert", authority.certificate, f"{front.https}/v1/models?token={key}")
    written = "".join(file.read_text(errors="replace") for file in (tmp_path / "proxy").glob("*.log"))
    assert "/v1/models" in written and key not in written


SECOND = {
    "nginx/parley-edge.conf": ("server 127.0.0.1:8787 max_fails=0;", "{0} server 127.0.0.1:{1} max_fails=0;"),
    "haproxy/haproxy.cfg": ("server parley1 127.0.0.1:8787", "{0}\n    server parley2 127.0.0.1:{1} check port {1}"),
}


@pytest.mark.parametrize("site", SECOND)
async def test_R287_while_one_of_two_replicas_drains_no_client_is_refused(tmp_path, authority, standin, site):
    openai = provider("openai", standin.ports["openai"], OPENAI_MODEL)
    access = {"keys": [{"name": "app", "key": "env:PARLEY_APP_KEY"}], "admin": "env:ENGINE_API_KEY"}
    replicas = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        routes = {"default": "openai", "providers": {"openai": openai}, "access": access}
        replicas.append(Gateway(tmp_path / name, routes, SECRETS))
    for replica in replicas:
        replica.await_ready()
    first, second = replicas
    line, both = SECOND[site]
    try:
        with behind(site, tmp_path, authority, first, {line: both.format(line, second.port)}) as front:
            client = AsyncOpenAI(base_url=f"{front.https}/v1", api_key=SECRETS["PARLEY_APP_KEY"])

            async def call() -> None:
                async with client.realtime.connect() as connection:
                    talk = Conversation(connection)
                    assert (await talk.next())["type"] == "session.created"
                    assert_legal(await talk.text_turn())

            await asyncio.gather(*(call() for _ in range(4)))
            assert ask(first, "POST", "/drain", {"graceSeconds": 5}, key=SECRETS["ENGINE_API_KEY"]).json["draining"]
            # The first ones come before any health check has told the proxy.
            for _ in range(6):
                await call()
            assert ask(first, "GET", "/drain", key=SECRETS["ENGINE_API_KEY"]).json["sessions"] == 0
            assert ask(first, "GET", "/health").status == 503 and ask(second, "GET", "/health").status == 200
    finally:
        assert [replica.stop() for replica in replicas] == [0, 0]
