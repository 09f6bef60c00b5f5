"""What reverse proxies say of a client counts from the configured ones, and from nobody else (R115)."""

import json
import re

import pytest
from websockets.asyncio.client import connect

from asking import ADMIN_KEY, ENVIRONMENT, SERVER_KEY, ask, bearer, greeting, locked_routes
from processes import Gateway

SAID = {
    "X-Forwarded-For": "6.6.6.6, 203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "voice.example",
}  # fmt: skip


@pytest.fixture(scope="module", params=[["127.0.0.0/8"], ["10.0.0.1"], []], ids=["network", "another", "none"])
def server(request, tmp_path_factory, standin):
    folder = tmp_path_factory.mktemp("forwarded")
    routes = locked_routes(standin, folder)
    routes["ledger"] = "none"
    routes["access"]["proxies"] = request.param
    running = Gateway(folder, routes, ENVIRONMENT)
    running.trusts = request.param == ["127.0.0.0/8"]
    running.await_ready()
    yield running
    assert running.stop() == 0


async def test_R115_the_log_shows_the_address_that_a_trusted_proxy_forwards(server):
    options = bearer(SERVER_KEY)
    options["additional_headers"].update(SAID)
    await greeting(f"{server.ws}/v1/realtime", **options)
    [line] = [line for line in server.log.splitlines() if "session began" in line]
    assert re.search(r"\bclient=(\S+)", line).group(1) == ("203.0.113.9" if server.trusts else "127.0.0.1"), line


async def test_R115_the_operator_is_shown_the_address_that_a_trusted_proxy_forwards(server):
    options = bearer(SERVER_KEY)
    options["additional_headers"].update(SAID)
    async with connect(f"{server.ws}/v1/realtime", **options) as socket:
        created = json.loads(await socket.recv())
        [shown] = [
            session for session in ask(server, "GET", "/sessions", key=ADMIN_KEY).json["sessions"]
            if session["id"] == created["session"]["id"]
        ]  # fmt: skip
    assert shown["address"] == ("203.0.113.9" if server.trusts else "127.0.0.1")


def test_R115_the_address_that_clients_of_tokens_are_told_is_the_one_in_front(server):
    answer = ask(
        server, "POST", "/vowel/api/generateToken", {"appId": "default"}, key=SERVER_KEY,
        headers={**SAID, "Host": f"127.0.0.1:{server.port}"},
    )  # fmt: skip
    assert answer.status == 200, answer
    expected = "wss://voice.example" if server.trusts else server.ws
    assert answer.json["wsUrl"] == f"{expected}/v1/realtime"
