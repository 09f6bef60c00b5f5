"""Static keys on the wire: every place that a credential may stand in, what is booked, and what is told to whom."""

import asyncio
import json
import pathlib
import time

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import jwt_forge
import upstream_record
from processes import CONTACT, STANDIN_KEY, Gateway, provider
from providers import GEMINI_MODEL, OPENAI_MODEL

ADMIN = "admin-key-of-access-keys"
# Of the configuration; the last ended yesterday.
KEYS = {"app": "hyb_4pp-of-access-keys", "ops": "sk-0ps-of-access-keys", "page": "vkey_p4ge-of-access-keys"}
EXPIRED = "hyb_exp1red-of-access-keys"
PATHS = ["/v1/realtime", "/api/v1/inference/realtime"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    folder = tmp_path_factory.mktemp("keys")
    yesterday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    routes = {
        "default": "gemini",
        "contact": CONTACT,
        "ledger": {"sqlite": "usage.sqlite"},
        "providers": {
            "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
            "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
            "engine": {"kind": "local"},
        },
        "access": {
            "keys": [
                *[{"name": name, "key": f"env:KEY_{name.upper()}"} for name in KEYS],
                {"name": "old", "key": "env:KEY_OLD", "expires": yesterday},
                {"name": "narrow", "key": "env:KEY_NARROW", "providers": ["openai"], "models": ["gpt-*"]},
                {"name": "listed", "key": "env:KEY_LISTED", "origins": ["https://app.example"]},
            ]
        },
        "routes": [{"path": path} for path in PATHS] + [{"path": "/own/realtime", "clientKeys": True}],
    }
    environment = {
        **{f"KEY_{name.upper()}": key for name, key in KEYS.items()},
        "KEY_OLD": EXPIRED, "KEY_NARROW": "hyb_n4rrow", "KEY_LISTED": "hyb_l1sted",
        "JWT_SECRET": jwt_forge.SECRET, "ENGINE_API_KEY": ADMIN,
    }  # fmt: skip
    running = Gateway(folder, routes, environment)
    running.folder = folder
    running.await_ready()
    yield running
    assert running.stop() == 0


async def session(url: str, headers: dict | None = None, subprotocols: list[str] | None = None) -> dict:
    async with connect(url, additional_headers=headers, subprotocols=subprotocols) as opened:
        event = json.loads(await opened.recv())
        assert event["type"] == "session.created", event
        return event["session"]


async def refusal(url: str, headers: dict | None = None, subprotocols: list[str] | None = None) -> tuple[int, dict]:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=headers, subprotocols=subprotocols):
            pass
    response = refused.value.response
    return response.status_code, json.loads(response.body)["error"]


def bearer(key: str) -> dict:
    return {"Authorization": f"Bearer {key}"}


async def booked(server, session_id: str) -> dict:
    """The usage event of a session, once it is written."""
    async with httpx.AsyncClient(headers=bearer(ADMIN)) as client:
        for _ in range(100):
            answer = await client.get(f"{server.http}/api/v1/usage/events?limit=1000")
            assert answer.status_code == 200, answer.text
            for event in answer.json():
                if event["id"] == session_id and event["state"] == "ended":
                    return event
            await asyncio.sleep(0.1)
    raise AssertionError(f"{session_id} is not booked")


@pytest.mark.parametrize("path", PATHS)
async def test_R007_R056_with_the_key_101_without_it_401(server, path):
    url = server.ws + path
    assert (await session(url, bearer(KEYS["app"])))["id"]
    status, error = await refusal(url)
    assert (status, error["code"], error["type"]) == (401, "missing_api_key", "authentication_error")
    assert error["message"].endswith(CONTACT)


async def test_R008_one_key_opens_sessions_speech_models_and_tokens(server):
    assert (await session(f"{server.ws}/v1/realtime", bearer(KEYS["app"])))["id"]
    async with httpx.AsyncClient(base_url=server.http, timeout=20) as client:
        for headers in (bearer(KEYS["app"]), {"X-API-Key": KEYS["app"]}, {"api-key": KEYS["app"]}):
            assert (await client.get("/v1/models", headers=headers)).status_code == 200
            made = await client.post("/v1/realtime/client_secrets", headers=headers, json={})
            assert made.status_code == 200 and made.json()["value"].startswith("ek_"), made.text
            spoken = await client.post("/v1/audio/speech", headers=headers, json={"model": "x", "input": ""})
            # The key is right: what is refused is the empty text.
            assert spoken.status_code == 400, spoken.text
        for method, path in [
            ("GET", "/v1/capabilities"), ("POST", "/v1/audio/speech"), ("POST", "/v1/realtime/client_secrets"),
        ]:  # fmt: skip
            for headers in ({}, bearer("hyb_wrong")):
                answer = await client.request(method, path, headers=headers, json={} if method == "POST" else None)
                assert answer.status_code == 401, (method, path, answer.text)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        # A publishable key makes tokens and opens nothing else.
        made = await client.post("/v1/realtime/client_secrets", headers=bearer(KEYS["page"]), json={})
        assert made.status_code == 200, made.text
        refused = await client.get("/v1/capabilities", headers=bearer(KEYS["page"]))
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "key_not_allowed")
    status, error = await refusal(f"{server.ws}/v1/realtime", bearer(KEYS["page"]))
    assert (status, error["code"]) == (403, "key_not_allowed")


@pytest.mark.parametrize(
    "key, code",
    [
        ("hyc_4pp-of-access-keys", "invalid_api_key"),
        ("hyb_4pp-of-access-key", "invalid_api_key"),
        ("hyb_nobodys", "invalid_api_key"),
        ("HYB_4pp-of-access-keys", "invalid_api_key"),
        (EXPIRED, "api_key_expired"),
    ],
)
async def test_R009_a_wrong_unknown_expired_or_revoked_key_is_401_before_the_upgrade(server, key, code):
    # Revoked ones are in test_cli_keys_tokens.
    for path in PATHS:
        status, error = await refusal(server.ws + path, bearer(key))
        assert (status, error["code"]) == (401, code)
        assert key not in json.dumps(error)
    assert key not in server.log


PLACES = {
    "Authorization": lambda url, key: (url, bearer(key), None),
    "api-key": lambda url, key: (url, {"api-key": key}, None),
    "X-API-Key": lambda url, key: (url, {"X-API-Key": key}, None),
    "token": lambda url, key: (f"{url}?token={key}", None, None),
    "access_token": lambda url, key: (f"{url}?access_token={key}", None, None),
    "api_key": lambda url, key: (f"{url}?model={GEMINI_MODEL}&api_key={key}", None, None),
    "subprotocol": lambda url, key: (url, None, ["realtime", f"openai-insecure-api-key.{key}"]),
}


@pytest.mark.parametrize("kind", ["a key", "another key", "a token"])
@pytest.mark.parametrize("place", PLACES)
async def test_R177_R178_R280_every_credential_in_every_place(server, place, kind):
    right = {"a key": KEYS["app"], "another key": KEYS["ops"], "a token": jwt_forge.token()}[kind]
    wrong = {"a key": KEYS["app"] + "x", "another key": "sk-", "a token": jwt_forge.token(secret="x" * 32)}[kind]
    for path in PATHS:
        url, headers, offered = PLACES[place](server.ws + path, right)
        assert (await session(url, headers, offered))["id"]
        url, headers, offered = PLACES[place](server.ws + path, wrong)
        status, error = await refusal(url, headers, offered)
        assert status == 401 and error["code"] in ("invalid_api_key", "invalid_token"), error
    for secret in (right, wrong):
        if len(secret) > 4:
            assert secret not in server.log


async def test_R179_the_headers_key_is_booked_and_the_querys_is_nowhere(server, standin):
    query = KEYS["ops"]
    url = f"{server.ws}/v1/realtime?token={query}&provider=openai"
    event = await booked(server, (await session(url, bearer(KEYS["app"])))["id"])
    assert event["key"] == "app" and event["provider"] == "openai", event
    # A header that is wrong is not mended by a query that is right.
    status, error = await refusal(url, bearer("hyb_wrong"))
    assert (status, error["code"]) == (401, "invalid_api_key")
    assert (await booked(server, (await session(f"{url}"))["id"]))["key"] == "ops"
    token = jwt_forge.token(jwt_forge.claims(key="minter", app="default"))
    event = await booked(server, (await session(f"{server.ws}/v1/realtime?token={token}"))["id"])
    assert event["key"] == "minter" and event["token_id"], event
    for place in [server.log, standin.record.read_text(), json.dumps(event)]:
        assert query not in place and token not in place and "hyb_wrong" not in place
    for file in pathlib.Path(server.folder).rglob("*"):
        if file.is_file() and "sqlite" in file.name:
            content = file.read_bytes()
            for secret in (*KEYS.values(), EXPIRED, token, token.split(".")[2], ADMIN):
                assert secret.encode() not in content, (file, secret[:8])


async def test_a_key_is_for_its_providers_and_models(server):
    url = f"{server.ws}/v1/realtime"
    assert (await session(f"{url}?provider=openai", bearer("hyb_n4rrow")))["id"]
    status, error = await refusal(f"{url}?provider=gemini", bearer("hyb_n4rrow"))
    assert (status, error["code"]) == (403, "provider_not_allowed")
    status, error = await refusal(f"{url}?provider=openai&model=o-other", bearer("hyb_n4rrow"))
    assert (status, error["code"]) == (403, "model_not_allowed")


async def test_fault_row_19_a_static_key_of_a_page_needs_a_listed_one_and_a_token_does_not(server):
    url = f"{server.ws}/v1/realtime"
    for key, origin, status in [
        (KEYS["app"], "https://app.example", 403),
        ("hyb_l1sted", "https://app.example", 101),
        ("hyb_l1sted", "https://app.example.evil", 403),
        ("hyb_l1sted", "https://app.example:8443", 403),
        ("hyb_l1sted", "null", 403),
        (jwt_forge.token(), "https://any.example", 101),
        (jwt_forge.token(), "null", 101),
        (KEYS["app"], None, 101),
    ]:
        headers = {**bearer(key), **({"Origin": origin} if origin else {})}
        if status == 101:
            assert (await session(url, headers))["id"]
        else:
            assert (await refusal(url, headers))[1]["code"] == "origin_not_allowed"


async def test_a_key_of_the_clients_own_goes_to_the_provider_and_nowhere_else(server, standin):
    own = "sk-own-key-of-the-client-itself"
    async with connect(f"{server.ws}/own/realtime?provider=openai", additional_headers=bearer(own)) as opened:
        begun = json.loads(await opened.recv())["session"]["id"]
        await opened.send(json.dumps({"type": "session.update", "session": {"type": "realtime", "instructions": "x"}}))
        assert json.loads(await opened.recv())["type"] == "session.updated"
    event = await booked(server, begun)
    assert event["mode"] == "own_key" and event["key"] is None, event
    heads = upstream_record.read(standin.record).heads.values()
    shown = [head for head in heads if own in json.dumps(head)]
    assert [head["service"] for head in shown] == ["openai"]
    assert STANDIN_KEY not in json.dumps(shown[0]) and own not in json.dumps(shown[0]["query"])
    # Ours is not passed on, and elsewhere a key that is none of ours opens nothing.
    event = await booked(server, (await session(f"{server.ws}/own/realtime", bearer(KEYS["app"])))["id"])
    assert (event["key"], event["mode"]) == ("app", "managed_inference")
    assert (await refusal(f"{server.ws}/v1/realtime?provider=openai", bearer(own)))[1]["code"] == "invalid_api_key"
    assert own not in server.log and own not in json.dumps(event)
