"""Tokens that are forged, of other times or of others, on the wire: each is a 401 that tells a class and nothing else, no
address of a token is asked, and nothing begins."""

import asyncio
import contextlib
import json
import socket
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import jwt_forge
from processes import CONTACT, Gateway, provider
from providers import GEMINI_MODEL, OPENAI_MODEL

NAMES = list(jwt_forge.forged("http://127.0.0.1:1"))
CLASSES = {"invalid_token", "token_expired", "token_not_yet_valid"}
ADMIN = "admin-key-of-forged-tokens"
# The sessions that the tests have begun.
BEGUN: set[str] = set()


@pytest.fixture(scope="module")
def listener():
    """An address that nobody may ask."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        listening.settimeout(0.2)
        yield listening


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    folder = tmp_path_factory.mktemp("forged")
    routes = {
        "default": "gemini",
        "contact": CONTACT,
        "ledger": {"sqlite": "usage.sqlite"},
        "providers": {
            "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
            "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
        },
        "access": {"keys": [{"name": "app", "key": "env:APP_KEY"}]},
    }
    environment = {"APP_KEY": "hyb_forged-tokens", "JWT_SECRET": jwt_forge.SECRET, "ENGINE_API_KEY": ADMIN}
    running = Gateway(folder, routes, environment)
    running.await_ready()
    yield running
    assert running.stop() == 0


async def refused(url: str, headers: dict | None = None, subprotocols: list[str] | None = None, status: int = 401):
    """The body and the fields of a refusal."""
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(url, additional_headers=headers, subprotocols=subprotocols):
            pass
    response = refusal.value.response
    assert response.status_code == status, response
    return json.loads(response.body)["error"], response.headers


async def opens(url: str, headers: dict | None = None) -> dict:
    async with connect(url, additional_headers=headers) as opened:
        return await created(opened)


async def created(opened) -> dict:
    event = json.loads(await opened.recv())
    assert event["type"] == "session.created", event
    BEGUN.add(event["session"]["id"])
    return event


async def request(server, path: str, key: str = ADMIN) -> tuple[int, object]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)


@pytest.mark.parametrize("name", NAMES)
async def test_fault_row_15_forged_tokens_are_401_and_nothing_is_fetched(server, listener, name):
    token = jwt_forge.forged(f"http://127.0.0.1:{listener.getsockname()[1]}")[name]
    error, headers = await refused(f"{server.ws}/v1/realtime", {"Authorization": f"Bearer {token}"})
    assert error["code"] in CLASSES, error
    assert error["message"].endswith(CONTACT) and len(error["message"]) < 120 + len(CONTACT), error
    assert headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    # Nothing is hinted at: no claim, no key, no part of the token.
    for hint in ("aud", "iss", "kid", "alg", "signature", token[3:20], jwt_forge.kid()):
        assert hint not in error["message"].removesuffix(CONTACT), error
    with contextlib.suppress(TimeoutError):
        listener.accept()
        pytest.fail("an address of the token was asked")
    # The same token is good for no other place.
    await refused(f"{server.ws}/v1/realtime?token={token.replace('=', '%3D')}")
    assert (await request(server, "/v1/models", token))[0] == 401
    assert token not in server.log


async def test_fault_row_14_a_token_that_is_right_opens_a_session_and_its_class_of_wrong_is_told(server):
    assert (await opens(f"{server.ws}/v1/realtime?token={jwt_forge.token()}"))["type"] == "session.created"
    now = int(time.time())
    for changes, code in [
        ({"exp": now}, "token_expired"),
        ({"nbf": now + 120}, "token_not_yet_valid"),
        ({"iat": now + 120, "nbf": now}, "token_not_yet_valid"),
        ({"aud": "x"}, "invalid_token"),
    ]:
        error, _ = await refused(f"{server.ws}/v1/realtime?token={jwt_forge.token(jwt_forge.claims(**changes))}")
        assert error["code"] == code, (changes, error)
    # A clock that is 20 s behind is no reason.
    late = jwt_forge.claims(iat=now + 20, nbf=now + 20, exp=now + 320)
    assert (await opens(f"{server.ws}/v1/realtime?token={jwt_forge.token(late)}"))["type"] == "session.created"


async def test_R133_a_bad_token_makes_no_session_and_no_event(server):
    async def sessions() -> list:
        status, events = await request(server, "/api/v1/usage/events?limit=1000")
        assert status == 200, events
        return [event["id"] for event in events]

    for token in list(jwt_forge.forged("http://127.0.0.1:1").values()):
        await refused(f"{server.ws}/v1/realtime", {"Authorization": f"Bearer {token}"})
    # One that is right comes after them, so that there was time for them to be written.
    last = await opens(f"{server.ws}/v1/realtime", {"Authorization": f"Bearer {jwt_forge.token()}"})
    for _ in range(100):
        written = await sessions()
        if last["session"]["id"] in written:
            break
        await asyncio.sleep(0.1)
    assert last["session"]["id"] in written and set(written) <= BEGUN


async def test_fault_row_16_a_token_is_refused_for_another_provider_route_and_page_and_over_its_sessions(server):
    url = f"{server.ws}/v1/realtime"
    pinned = jwt_forge.token(jwt_forge.claims(provider="gemini", route="/v1/realtime"))
    bearer = {"Authorization": f"Bearer {pinned}"}
    assert (await opens(url, bearer))["session"]["model"]
    error, _ = await refused(f"{url}?provider=openai", bearer)
    assert (error["code"], error["param"]) == ("token_not_for_this", "provider")
    error, _ = await refused(f"{server.ws}/api/v1/inference/realtime", bearer)
    assert (error["code"], error["param"]) == ("token_not_for_this", "path")
    paged = {"Authorization": f"Bearer {jwt_forge.token(jwt_forge.claims(origins=['https://a.example']))}"}
    error, _ = await refused(url, {**paged, "Origin": "https://b.example"}, status=403)
    assert error["code"] == "origin_not_allowed"
    assert (await opens(url, {**paged, "Origin": "https://a.example"}))["type"] == "session.created"
    # Two sessions in its life, one of which goes on when the third is refused.
    twice = {"Authorization": f"Bearer {jwt_forge.token(jwt_forge.claims(maxSessions=2))}"}
    await opens(url, twice)
    async with connect(url, additional_headers=twice) as running:
        await created(running)
        error, _ = await refused(url, twice)
        assert error["code"] == "token_used_up"
        await running.send(json.dumps({"type": "session.update", "session": {"type": "realtime", "instructions": "x"}}))
        assert json.loads(await running.recv())["type"] == "session.updated"


async def test_a_session_outlives_its_token(server):
    short = jwt_forge.token(jwt_forge.claims(exp=int(time.time()) + 2))
    async with connect(f"{server.ws}/v1/realtime?token={short}") as running:
        await created(running)
        await asyncio.sleep(2.2)
        error, _ = await refused(f"{server.ws}/v1/realtime?token={short}")
        assert error["code"] == "token_expired"
        await running.send(json.dumps({"type": "session.update", "session": {"type": "realtime", "instructions": "x"}}))
        assert json.loads(await running.recv())["type"] == "session.updated"
