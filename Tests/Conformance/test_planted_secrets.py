"""Fault rows 17 and 68: what is secret comes out nowhere. One run that shows, mints, stores and refuses secrets in every place and
spelling, and a search for each of them in everything that the run has written."""

import asyncio
import base64
import http.server
import json
import pathlib
import re
import threading
import urllib.parse

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asking import parley
from collector import Collector
from processes import Gateway, StandIn, provider
from providers import GEMINI_MODEL, OPENAI_MODEL

# None of them is a piece of another, and each has characters that a spelling would change where its place allows that.
PLANTED = {
    "header": "planted-header+key/1=",
    "api-key": "planted-apikey+2/",
    "query": "planted-query+key/3%25",
    "access_token": "planted-access-token-4~",
    "subprotocol": "planted-subprotocol-key-5",
    "passed": "planted-own-provider-key-6",
    "wrong-header": "planted-wrong+header/7",
    "wrong-query": "planted-wrong-query-8!",
    "wrong-subprotocol": "planted-wrong-subprotocol-9",
    "misspelt": "planted-misspelt-parameter-10",
    "admin": "planted-operator+key/11",
    "wrong-admin": "planted-wrong-operator-12",
    "jwt": "planted-signing-secret-of-32-bytes-or-more-13",
    "old-jwt": "planted-former-secret-of-32-bytes-or-more-14",
    "provider": "planted-provider-key-15",
    "webhook": "planted-webhook+key/16",
    "body": "planted-key-in-a-body-17",
    "collector": "planted-collector+key/18=",
}


def spellings(secret: str) -> set[bytes]:
    """As it is, and as base64, percent-encoding, JSON and XML would have it."""
    raw = secret.encode()
    encoded = base64.b64encode(raw).decode().rstrip("=")
    return {
        text.encode()
        for text in (
            secret, encoded, encoded.replace("+", "-").replace("/", "_"), urllib.parse.quote(secret, safe=""),
            urllib.parse.quote(secret), json.dumps(secret)[1:-1], secret.replace("/", "\\/"),
        )
    }  # fmt: skip


class Receiver(threading.Thread):
    """Takes CloudEvents and keeps their bodies."""

    def __init__(self):
        super().__init__(daemon=True)
        bodies = self.bodies = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/usage"
        self.start()

    def run(self):
        self._server.serve_forever()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class TracingGateway(Gateway):
    """One that says all that it can."""

    def __init__(self, folder: pathlib.Path, routes: dict, environment: dict):
        super().__init__(folder, routes, environment, arguments=["--log-level", "trace"])


def routes(standin: StandIn, folder: pathlib.Path, webhook: str) -> dict:
    names = ("header", "api-key", "query", "access_token", "subprotocol")
    return {
        "default": "openai",
        "ledger": {"sqlite": str(folder / "usage.sqlite"), "webhook": {"url": webhook, "key": "env:WEBHOOK"}},
        "providers": {
            "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL, key="env:PROVIDER"),
            "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL, key="env:PROVIDER"),
            # Speaks no WebSocket: what it answers is a fault of the provider.
            "broken": provider("openai", int(webhook.split(":")[2].split("/")[0]), OPENAI_MODEL, key="env:PROVIDER"),
        },
        "access": {"keys": [{"name": f"key-{index}", "key": f"env:KEY_{index}"} for index, _ in enumerate(names)]},
        "tokens": {"secrets": [{"kid": "new", "secret": "env:JWT_SECRET"}, {"kid": "old", "secret": "env:OLD_SECRET"}]},
        "routes": [{"path": "/v1/realtime"}, {"path": "/own/realtime", "clientKeys": True}],
        "limits": {"usageUpdateSeconds": 0.5},
    }


class Run:
    """What the clients of the run have been told."""

    def __init__(self, gateway: Gateway):
        self.gateway = gateway
        self.heard: list[bytes] = []
        # What the operator is shown, by its path.
        self.shown: dict[str, bytes] = {}

    async def ask(self, method: str, target: str, headers: dict, body: bytes = b"") -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.gateway.port)
        fields = {"Host": "parley.test", "Connection": "close", "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        return answer

    async def tell(self, *arguments, **options):
        """A request whose answer has to be clean."""
        self.heard.append(await self.ask(*arguments, **options))

    async def talk(self, target: str, headers: dict | None = None, subprotocols: list[str] | None = None):
        """A text turn; or the refusal."""
        try:
            async with connect(
                self.gateway.ws + target, additional_headers=headers or {}, subprotocols=subprotocols
            ) as socket:
                self.heard.append(repr(socket.response.headers).encode())
                for event in (
                    {"type": "conversation.item.create", "item": {
                        "type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}},
                    {"type": "response.create"},
                    {"type": "no.such.event"},
                ):  # fmt: skip
                    await socket.send(json.dumps(event))
                async for message in socket:
                    self.heard.append(message.encode())
                    if json.loads(message)["type"] == "response.done":
                        return True
        except ConnectionClosed as end:
            self.heard.append(str(end).encode())
        except InvalidStatus as refused:
            self.heard.append(repr(refused.response.headers).encode() + refused.response.body)
        return False


async def use_everything(run: Run) -> list[str]:
    """Every secret in every place. Returns what was made on the way: those may stand in the answer that makes them."""
    quoted = {name: urllib.parse.quote(secret, safe="") for name, secret in PLANTED.items()}
    bearer = {"Authorization": f"Bearer {PLANTED['header']}"}
    assert await run.talk("/v1/realtime", bearer)
    assert await run.talk("/v1/realtime?provider=gemini", {"api-key": PLANTED["api-key"]})
    for name in ("token", "access_token", "api_key"):
        assert await run.talk(f"/v1/realtime?{name}={quoted['query']}")
        assert not await run.talk(f"/v1/realtime?{name}={quoted['wrong-query']}")
    assert await run.talk(f"/v1/realtime?access_token={quoted['access_token']}")
    for name, is_served in (("subprotocol", True), ("wrong-subprotocol", False)):
        offer = ["realtime", f"openai-insecure-api-key.{PLANTED[name]}"]
        assert await run.talk("/v1/realtime", subprotocols=offer) is is_served
    assert not await run.talk("/v1/realtime", {"Authorization": f"Bearer {PLANTED['wrong-header']}"})
    assert not await run.talk("/v1/realtime", {"Authorization": f"Basic {PLANTED['wrong-header']}"})
    assert not await run.talk(f"/v1/realtime?tokn={quoted['misspelt']}")
    # The client's own key at the provider, which the stand-in takes for none of its.
    await run.talk("/own/realtime", {"Authorization": f"Bearer {PLANTED['passed']}"})
    # A provider that answers no WebSocket.
    await run.talk("/v1/realtime?provider=broken", bearer)

    made = []
    admin = {"Authorization": f"Bearer {PLANTED['admin']}", "Content-Type": "application/json"}
    created = await run.ask("POST", "/api/v1/keys", admin, b'{"name": "planted", "metadata": {"team": "a"}}')
    made.append(json.loads(created.split(b"\r\n\r\n", 1)[1])["key"])
    assert await run.talk("/v1/realtime", {"X-API-Key": made[0]})
    minted = await run.ask("POST", "/v1/realtime/client_secrets", {**bearer, "Content-Type": "application/json"}, b"{}")
    made.append(json.loads(minted.split(b"\r\n\r\n", 1)[1])["value"])
    other = await run.ask(
        "POST", "/vowel/api/generateToken", {"X-API-Key": made[0], "Content-Type": "application/json"},
        b'{"appId": "default", "provider": "vowel-prime"}',
    )  # fmt: skip
    made.append(json.loads(other.split(b"\r\n\r\n", 1)[1])["token"])
    assert await run.talk("/v1/realtime", {"Authorization": f"Bearer {made[1]}"})
    assert await run.talk(f"/v1/realtime?token={made[1]}")
    assert await run.talk("/v1/realtime", subprotocols=["realtime", f"openai-insecure-api-key.{made[2]}"])
    assert not await run.talk(f"/v1/realtime?token={made[1][:-4]}AAAA")

    for target in ("/config", "/presets", "/sessions", "/drain", "/metrics", "/health", "/openapi.json"):
        run.shown[target] = await run.ask("GET", target, admin)
        await run.tell("GET", f"{target}?token={quoted['admin']}", {})
    for target in ("/api/v1/keys", "/api/v1/apps", "/api/v1/usage/summary", "/api/v1/usage/events", "/nowhere"):
        await run.tell("GET", target, admin)
        await run.tell("GET", f"{target}?token={quoted['admin']}", {})
        await run.tell("GET", target, {"Authorization": f"Bearer {PLANTED['wrong-admin']}"})
        await run.tell("PATCH", target, admin)
    for target in ("/v1/realtime/client_secrets", "/vowel/api/generateToken", "/api/v1/keys", "/api/v1/usage/events"):
        await run.tell("POST", target, admin, b'{"apiKey": "' + PLANTED["body"].encode())
        await run.tell("POST", target, admin, json.dumps({"key": PLANTED["body"]}).encode())
    for target in ("/v1/models", "/v1/voices", "/health", "/v1/capabilities"):
        await run.tell("GET", f"{target}?token={quoted['query']}", {})
        await run.tell("GET", target, {"Authorization": f"Bearer {PLANTED['wrong-header']}"})
    await run.tell("GET", f"/v1/realtime?token={quoted['query']}", {})
    identifier = json.loads(created.split(b"\r\n\r\n", 1)[1])["id"]
    await run.tell("DELETE", f"/api/v1/keys/{identifier}", admin)
    assert not await run.talk("/v1/realtime", {"X-API-Key": made[0]})
    return made


def test_fault_row_17_fault_row_68_planted_secrets_are_in_no_output(tmp_path):
    webhook = Receiver()
    collector = Collector()
    standin = StandIn(tmp_path, "planted", [])
    standin.await_ready()
    names = ("header", "api-key", "query", "access_token", "subprotocol")
    environment = {
        **{f"KEY_{index}": PLANTED[name] for index, name in enumerate(names)},
        "ENGINE_API_KEY": PLANTED["admin"], "JWT_SECRET": PLANTED["jwt"], "OLD_SECRET": PLANTED["old-jwt"],
        "PROVIDER": PLANTED["provider"], "WEBHOOK": PLANTED["webhook"], "PARLEY_DATA": str(tmp_path / "data"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={urllib.parse.quote(PLANTED['collector'])}",
    }  # fmt: skip
    gateway = TracingGateway(tmp_path, routes(standin, tmp_path, webhook.url), environment)
    gateway.await_ready()
    run = Run(gateway)
    made = asyncio.run(use_everything(run))
    outputs = {"command line": pathlib.Path(f"/proc/{gateway.pid}/cmdline").read_bytes()}
    limits = pathlib.Path(f"/proc/{gateway.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE), "it leaves no image of its memory"
    config = str(tmp_path / "routes.json")
    outputs["parley check"] = parley("check", config, environment=environment).encode()
    outputs["parley key list"] = parley("key", "list", "--config", config, environment=environment).encode()
    assert gateway.stop() == 0
    assert standin.stop() == 0
    webhook.stop()
    collector.stop()

    outputs["log"] = gateway.log.encode()
    outputs["what clients heard"] = b"\n".join(run.heard)
    outputs["webhook"] = b"\n".join(webhook.bodies)
    outputs["traces"] = b"\n".join(collector.bodies)
    outputs |= run.shown
    for path in [tmp_path / "usage.sqlite", *tmp_path.glob("usage.sqlite-*"), *(tmp_path / "data").rglob("*")]:
        if path.is_file():
            outputs[path.name] = path.read_bytes()
    upstream = standin.record.read_bytes() + (tmp_path / "planted.log").read_bytes()

    # The search finds what is there: each of these was really written.
    assert b"session ended" in outputs["log"] and b"upstream" in outputs["log"], outputs["log"][-2000:]
    assert b"voice_realtime" in outputs["webhook"] and b"key-0" in outputs["webhook"]
    assert b"voice_realtime" in outputs["usage.sqlite"] + outputs.get("usage.sqlite-wal", b"")
    assert b"missing_api_key" in outputs["what clients heard"] and b"response.done" in outputs["what clients heard"]
    assert b"planted" in outputs["parley key list"]
    assert b"parley.session" in outputs["traces"] and not collector.faults, collector.faults
    assert PLANTED["collector"] in {request["headers"]["authorization"] for request in collector.requests}
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in run.shown.values()), run.shown
    assert b"parley_sessions_total" in outputs["/metrics"] and b"routes" in outputs["/config"]

    secrets = {**PLANTED, **{f"made {index}": secret for index, secret in enumerate(made)}}
    # A token without its signature opens nothing, but is nobody's business either.
    secrets |= {f"signature {index}": token.rsplit(".", 1)[1] for index, token in enumerate(made) if "." in token}
    found = [
        (name, place)
        for name, secret in secrets.items()
        for place, content in outputs.items()
        if any(spelling in content for spelling in spellings(secret))
    ]
    assert found == []
    # Of a client's keys nothing goes upstream; the provider's own, and the one that is passed on, belong there.
    leaked = [
        name
        for name, secret in secrets.items()
        if name not in ("provider", "passed") and any(spelling in upstream for spelling in spellings(secret))
    ]
    assert leaked == []
