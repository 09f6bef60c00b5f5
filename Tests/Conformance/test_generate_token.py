"""The flow of a self-hosted engine's documentation: a token by POST, a session with it (R054 to R072)."""

import base64
import json
import re
import subprocess
import time

import pytest

from asking import (
    ENVIRONMENT, JWT_SECRET, PAGE_KEY, SERVER_KEY, ask, bearer, greeting, locked_gateway, mint, parley, refusal,
)  # fmt: skip
from node import run_node, wscat
from test_node_clients import SUBPROTOCOLS

PATH = "/vowel/api/generateToken"
ORDER = {"appId": "default", "provider": "vowel-prime"}


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    """Its default is what the documentation's engine is, played by a stand-in."""
    with locked_gateway(tmp_path_factory.mktemp("tokens"), standin, default="vowel") as running:
        yield running


def generate(server, key: str = PAGE_KEY, **body) -> dict:
    answer = ask(server, "POST", PATH, {**ORDER, **body}, headers={"X-API-Key": key})
    assert answer.status == 200, answer
    return answer.json


def claims_of(token: str) -> dict:
    payload = token.removeprefix("ek_").split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


async def test_R060_R061_R065_R066_R070_the_curl_of_the_documentation(server):
    run = subprocess.run(
        ["curl", "-s", "-X", "POST", f"{server.http}{PATH}", "-H", "Content-Type: application/json",
         "-H", f"X-API-Key: {PAGE_KEY}", "-d", '{"appId":"default","provider":"vowel-prime"}'],
        capture_output=True, text=True, timeout=15, check=True,
    )  # fmt: skip
    answer = json.loads(run.stdout)
    assert re.fullmatch(r"ek_eyJhbGciOiJIUzI1NiIs[^.]+\.[^.]+\.[^.]+", answer["token"])
    header = answer["token"].removeprefix("ek_").split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["alg"] == "HS256"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["expiresAt"])
    assert answer["wsUrl"] == f"{server.ws}/v1/realtime"
    assert 295 <= claims_of(answer["token"])["exp"] - time.time() <= 300
    created = await greeting(f"{answer['wsUrl']}?token={answer['token']}")
    assert created["type"] == "session.created"


async def test_R054_R055_R070_a_token_opens_a_session_by_header_and_query(server):
    token = generate(server)["token"]
    assert (await greeting(f"{server.ws}/v1/realtime", **bearer(token)))["type"] == "session.created"
    for name in ("token", "access_token", "api_key"):
        created = await greeting(f"{server.ws}/v1/realtime?{name}={token}")
        assert created["type"] == "session.created"
    assert token not in server.log and token.rpartition(".")[2] not in server.log


def test_R058_wscat_with_a_real_token(server):
    say = json.dumps({"type": "session.update", "session": {"instructions": "x"}})
    printed = wscat(f"{server.ws}/v1/realtime", "-H", f"Authorization: Bearer {generate(server)['token']}", say=say)
    assert [json.loads(line)["type"] for line in printed] == ["session.created", "session.updated"]


@pytest.mark.parametrize("beta", [[], ["openai-beta.realtime-v1"]], ids=["GA", "beta"])
def test_R280_what_openai_node_offers_with_a_real_token(server, tmp_path, beta):
    program = tmp_path / "subprotocols.js"
    program.write_text(SUBPROTOCOLS, encoding="utf-8")
    offered = ["realtime", f"openai-insecure-api-key.{mint(server)}", *beta]
    printed = run_node(program, f"{server.ws}/v1/realtime", json.dumps(offered), "{}")
    assert json.loads(printed) == ["realtime", "session.created"]
    forged = ["realtime", "openai-insecure-api-key.ek_a.b.c"]
    with pytest.raises(AssertionError, match="401"):
        run_node(program, f"{server.ws}/v1/realtime", json.dumps(forged), "{}")


def test_R062_without_the_key_or_with_a_wrong_one_401(server):
    for headers in ({}, {"X-API-Key": "vkey_wrong"}, {"X-API-Key": ""}, {"Authorization": f"Basic {PAGE_KEY}"}):
        refused = ask(server, "POST", PATH, ORDER, headers=headers)
        assert refused.status == 401 and refused.error["type"] == "authentication_error", refused
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert "vkey_wrong" not in refused.body.decode() and "Ask the voice desk" in refused.error["message"]
    for name, value in (("Authorization", f"Bearer {PAGE_KEY}"), ("api-key", PAGE_KEY), ("X-API-Key", SERVER_KEY)):
        assert ask(server, "POST", PATH, ORDER, headers={name: value}).status == 200
    assert ask(server, "POST", PATH, {**ORDER, "apiKey": PAGE_KEY}).status == 200
    assert ask(server, "POST", PATH, {**ORDER, "appId": PAGE_KEY}).status == 200


async def test_a_publishable_key_makes_tokens_and_opens_nothing(server):
    status, error = await refusal(f"{server.ws}/v1/realtime", **bearer(PAGE_KEY))
    assert (status, error["code"]) == (403, "key_not_allowed")
    for path in ("/v1/models", "/v1/voices", "/v1/capabilities"):
        assert ask(server, "GET", path, key=PAGE_KEY).status == 403
    assert ask(server, "GET", "/api/v1/keys", key=PAGE_KEY).status == 401


def test_R063_an_unknown_app_is_404_and_an_unknown_provider_400(server):
    app = ask(server, "POST", PATH, {**ORDER, "appId": "nobody"}, headers={"X-API-Key": PAGE_KEY})
    assert app.status == 404 and app.error["code"] == "app_not_found" and app.error["param"] == "app"
    other = ask(server, "POST", PATH, {**ORDER, "provider": "nobody"}, headers={"X-API-Key": PAGE_KEY})
    assert other.status == 400 and other.error["code"] == "invalid_value" and other.error["param"] == "provider"


async def test_R064_vowel_prime_is_the_default_upstream(server):
    token = generate(server, provider="vowel-prime")["token"]
    created = await greeting(f"{server.ws}/v1/realtime?token={token}")
    assert created["session"]["model"] == "openai/gpt-oss-20b"
    token = generate(server, provider="gemini")["token"]
    assert (await greeting(f"{server.ws}/v1/realtime?token={token}"))["session"]["model"] == "gemini-3.8-live"


def test_R067_the_public_address_is_configurable(tmp_path, standin):
    url = "wss://voice.example.com/v1/realtime"
    with locked_gateway(tmp_path, standin, {"PUBLIC_WS_URL": url}) as server:
        answer = generate(server)
        assert answer["wsUrl"] == url and answer["metadata"]["baseUrl"] == url


async def test_R068_R069_an_expired_token_and_one_of_another_secret_are_401(server, tmp_path):
    file = tmp_path / "tokens.json"
    file.write_text(json.dumps({"default": "local", "providers": {"local": {"kind": "local"}}}))
    ours = parley("token", "mint", "--config", str(file), "--expires", "1")
    assert (await greeting(f"{server.ws}/v1/realtime", **bearer(ours)))["type"] == "session.created"
    time.sleep(2)
    status, error = await refusal(f"{server.ws}/v1/realtime", **bearer(ours))
    assert (status, error["code"]) == (401, "token_expired")
    other = {"JWT_SECRET": JWT_SECRET[::-1]}
    foreign = parley("token", "mint", "--config", str(file), environment=other)
    for options in (bearer(foreign), {}):
        url = f"{server.ws}/v1/realtime" + ("" if options else f"?token={foreign}")
        status, error = await refusal(url, **options)
        assert (status, error["code"]) == (401, "invalid_token")
        assert foreign.rpartition(".")[2] not in error["message"]


async def test_R071_R072_what_the_token_names_shows_in_session_created(server):
    model, voice = "openai/gpt-oss-20b", "aura-2-thalia-en"
    answer = generate(
        server,
        config={
            "voiceConfig": {"model": model, "voice": voice, "turnDetection": "aggressive"},
            "systemInstructionOverride": "Answer in Norwegian.",
        },
    )
    assert (answer["model"], answer["metadata"]["voice"]) == (model, voice)
    assert answer["systemInstructions"] == "Answer in Norwegian."
    created = await greeting(f"{server.ws}/v1/realtime?token={answer['token']}")
    session = created["session"]
    assert session["id"].startswith("sess_")
    assert (session["model"], session["voice"]) == (model, voice)
    assert session["instructions"] == "Answer in Norwegian."
    assert session["turn_detection"]["silence_duration_ms"] == 300


async def test_R281_a_vowel_token_speaks_beta_and_an_openai_secret_what_its_client_speaks(server):
    created = await greeting(f"{server.ws}/v1/realtime?token={generate(server)['token']}")
    assert "voice" in created["session"] and "audio" not in created["session"]
    secret = mint(server, session={"type": "realtime"})
    assert "audio" in (await greeting(f"{server.ws}/v1/realtime?token={secret}"))["session"]
    beta = {"additional_headers": {"Authorization": f"Bearer {secret}", "OpenAI-Beta": "realtime=v1"}}
    assert "audio" not in (await greeting(f"{server.ws}/v1/realtime", **beta))["session"]


async def test_what_a_token_pins_holds(server):
    token = mint(server, session={"type": "realtime", "model": "gemini/gemini-3.8-live"})
    assert claims_of(token)["provider"] == "gemini"
    status, error = await refusal(f"{server.ws}/v1/realtime?provider=openai", **bearer(token))
    assert (status, error["code"], error["param"]) == (401, "token_not_for_this", "provider")
    created = await greeting(f"{server.ws}/v1/realtime?model=gpt-realtime", **bearer(token))
    assert created["session"]["model"] == "gemini-3.8-live", "the token's model wins silently"
    routed = mint(server, route="/realtime")
    assert (await greeting(f"{server.ws}/realtime", **bearer(routed)))["type"] == "session.created"
    status, error = await refusal(f"{server.ws}/v1/realtime", **bearer(routed))
    assert (status, error["code"]) == (401, "token_not_for_this")
    assert ENVIRONMENT["JWT_SECRET"] not in server.log


def test_a_token_makes_no_tokens(server):
    for token in (mint(server), generate(server)["token"]):
        for path, body in (("/v1/realtime/client_secrets", {}), (PATH, ORDER)):
            refused = ask(server, "POST", path, body, key=token)
            assert refused.status in (401, 403) and refused.error["type"] == "authentication_error", refused


def test_fault_row_19_which_pages_get_a_token(server, tmp_path, standin):
    page = {"Origin": "https://shop.example"}
    for key, status in ((PAGE_KEY, 200), (SERVER_KEY, 403)):
        answer = ask(server, "POST", PATH, ORDER, headers={"X-API-Key": key, **page})
        assert answer.status == status, answer
        assert answer.headers["access-control-allow-origin"] == page["Origin"], "a page may read why not"
    assert answer.error["code"] == "origin_not_allowed"
    with locked_gateway(tmp_path, standin, access={"origins": ["https://shop.example"], "keys": [
        {"name": "server", "key": "env:SERVER_KEY"}]}) as open_server:  # fmt: skip
        for origin, status in ((page["Origin"], 200), ("https://shop.example.evil", 403), ("null", 403)):
            answer = ask(open_server, "POST", PATH, ORDER, key=SERVER_KEY, headers={"Origin": origin})
            assert answer.status == status, answer


def test_without_keys_this_machine_gets_tokens_and_pages_of_others_do_not(tmp_path, standin):
    with locked_gateway(tmp_path, standin, access={}) as server:
        for origin, status in ((None, 200), ("http://localhost:3000", 200), ("https://evil.example", 403)):
            answer = ask(server, "POST", PATH, ORDER, headers={"Origin": origin} if origin else {})
            assert answer.status == status, (origin, answer)
