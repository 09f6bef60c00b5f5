"""Requests over HTTP as a program makes them by hand, and a gateway with keys, tokens and a ledger of its own."""

import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import typing

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from processes import BINARY, CONTACT, STANDIN_KEY, Gateway, StandIn, provider
from providers import GEMINI_MODEL, KINDS, OPENAI_MODEL

ADMIN_KEY = "the-operators-own-key-0123456789"
JWT_SECRET = "a-secret-of-the-tests-of-at-least-32-bytes"
SERVER_KEY = "hyb_server-key-of-the-tests-0123456789"
PAGE_KEY = "vkey_page-key-of-the-tests-0123456789"
ENVIRONMENT = {
    "ENGINE_API_KEY": ADMIN_KEY, "JWT_SECRET": JWT_SECRET, "SERVER_KEY": SERVER_KEY, "PAGE_KEY": PAGE_KEY,
}  # fmt: skip
ERROR_FIELDS = ["message", "type", "param", "code"]


class Answer(typing.NamedTuple):
    status: int
    headers: dict[str, str]  # by names in lower case
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self) -> dict:
        """Its error object, after a look at the one shape that all have."""
        assert self.headers["content-type"] == "application/json", self
        document = self.json
        assert list(document) == ["error"] and list(document["error"]) == ERROR_FIELDS, document
        assert document["error"]["message"] and document["error"]["type"], document
        return document["error"]


def ask(
    server, method: str, target: str, body: object = None, *, key: str | None = None, headers: dict | None = None
) -> Answer:
    """One request on a connection of its own. A body that is no text or bytes is sent as JSON."""
    fields = {"Authorization": f"Bearer {key}"} if key else {}
    if body is not None:
        fields["Content-Type"] = "application/json"
        body = body if isinstance(body, (str, bytes)) else json.dumps(body)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=15)) as connection:
        connection.request(method, target, body, {**fields, **(headers or {})})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def mint(server, key: str = SERVER_KEY, **body) -> str:
    """A client secret of OpenAI's kind."""
    answer = ask(server, "POST", "/v1/realtime/client_secrets", body, key=key)
    assert answer.status == 200, answer
    return answer.json["value"]


async def greeting(url: str, **options) -> dict:
    """The first event of a connection."""
    async with connect(url, **options) as socket:
        return json.loads(await socket.recv())


async def refusal(url: str, **options) -> tuple[int, dict]:
    """The status and the error object of a connection that is not had."""
    try:
        async with connect(url, **options):
            raise AssertionError("a connection was had")
    except InvalidStatus as refused:
        return refused.response.status_code, json.loads(refused.response.body)["error"]


def bearer(token: str) -> dict:
    return {"additional_headers": {"Authorization": f"Bearer {token}"}}


def locked_routes(standin: StandIn, folder: pathlib.Path, default: str = "gemini", **sections) -> dict:
    """A configuration with a server's key, a page's key and a ledger."""
    kind = KINDS[default]
    return {
        "default": default,
        "contact": CONTACT,
        "ledger": {"sqlite": str(folder / "usage.sqlite")},
        "providers": {
            "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
            "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
            default: provider(kind.kind, standin.ports[kind.service], kind.model, **kind.fields),
        },
        "access": {"keys": [{"name": "server", "key": "env:SERVER_KEY"}, {"name": "page", "key": "env:PAGE_KEY"}]},
        **sections,
    }


@contextlib.contextmanager
def locked_gateway(
    folder: pathlib.Path, standin: StandIn, environment: dict | None = None, **sections
) -> typing.Iterator[Gateway]:
    running = Gateway(folder, locked_routes(standin, folder, **sections), {**ENVIRONMENT, **(environment or {})})
    running.await_ready()
    try:
        yield running
    finally:
        assert running.stop() == 0, "the server must end cleanly when asked to"


def parley(*arguments: str, environment: dict | None = None, said: str = "") -> str:
    """What a command prints; it must succeed."""
    run = subprocess.run(
        [str(BINARY), *arguments], capture_output=True, text=True, timeout=30, input=said,
        env={**os.environ, "STANDIN_KEY": STANDIN_KEY, **ENVIRONMENT, **(environment or {})},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()
