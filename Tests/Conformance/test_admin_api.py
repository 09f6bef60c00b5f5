"""Keys and apps over HTTP, and that they hold at the next connection."""

import time

import pytest

from asking import ADMIN_KEY, SERVER_KEY, ask, bearer, greeting, locked_gateway, mint, refusal


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    with locked_gateway(tmp_path_factory.mktemp("admin"), standin) as running:
        yield running


def admin(server, method: str, target: str, body: object = None):
    return ask(server, method, target, body, key=ADMIN_KEY)


def new_key(server, **order) -> dict:
    answer = admin(server, "POST", "/api/v1/keys", order)
    assert answer.status == 201, answer
    return answer.json


async def test_a_key_that_is_made_opens_and_one_that_is_revoked_does_not(server):
    made = new_key(server, name="shop", metadata={"team": "a"})
    assert made["key"].startswith("hyb_") and len(made["key"]) == 4 + 43
    assert made["key"].startswith(made["prefix"]) and len(made["prefix"]) <= 8
    url = f"{server.ws}/v1/realtime"
    token = mint(server, made["key"])
    for credential in (made["key"], token):
        assert (await greeting(url, **bearer(credential)))["type"] == "session.created"
    assert ask(server, "GET", "/v1/models", key=made["key"]).status == 200
    listed = admin(server, "GET", "/api/v1/keys").json["data"]
    assert {key["name"]: key["source"] for key in listed} == {
        "server": "configuration", "page": "configuration", "shop": "store",
    }  # fmt: skip
    assert "key" not in listed[-1] and listed[-1]["metadata"] == {"team": "a"}
    revoked = admin(server, "DELETE", f"/api/v1/keys/{made['id']}")
    assert revoked.status == 200 and abs(revoked.json["revoked_at"] - time.time()) < 5
    assert admin(server, "DELETE", f"/api/v1/keys/{made['id']}").json == revoked.json
    assert await refused(url, made["key"]) == (401, "api_key_revoked")
    assert ask(server, "GET", "/v1/models", key=made["key"]).status == 401
    # Its tokens end with it, where that is known.
    status, _ = await refusal(url, **bearer(token))
    assert status == 401
    for secret in (made["key"], made["key"].removeprefix("hyb_")):
        assert secret not in server.log


async def refused(url: str, credential: str) -> tuple[int, str]:
    status, error = await refusal(url, **bearer(credential))
    return status, error["code"]


async def test_a_key_that_has_expired_is_told_so(server):
    made = new_key(server, name="brief", expires_in=1)
    time.sleep(2)
    assert await refused(f"{server.ws}/v1/realtime", made["key"]) == (401, "api_key_expired")


async def test_a_key_has_the_providers_and_models_that_it_was_given(server):
    made = new_key(server, name="narrow", providers=["gemini"], models=["gemini-3.8-*"])
    url = f"{server.ws}/v1/realtime"
    assert (await greeting(f"{url}?provider=gemini", **bearer(made["key"])))["type"] == "session.created"
    assert await refused(f"{url}?provider=openai", made["key"]) == (403, "provider_not_allowed")
    assert await refused(f"{url}?provider=gemini&model=gemini-9", made["key"]) == (403, "model_not_allowed")
    order = {"session": {"type": "realtime", "model": "openai/gpt-realtime"}}
    answer = ask(server, "POST", "/v1/realtime/client_secrets", order, key=made["key"])
    assert answer.status == 403 and answer.error["code"] == "provider_not_allowed"


async def test_a_publishable_key_of_the_store_makes_tokens_and_opens_nothing(server):
    made = new_key(server, name="web", prefix="vkey_")
    assert made["publishable"] is True
    assert await refused(f"{server.ws}/v1/realtime", made["key"]) == (403, "key_not_allowed")
    answer = ask(server, "POST", "/vowel/api/generateToken", {"appId": made["key"]})
    assert answer.status == 200
    assert (await greeting(f"{server.ws}/v1/realtime?token={answer.json['token']}"))["type"] == "session.created"


async def test_an_app_binds_its_keys_and_tokens(server):
    assert admin(server, "POST", "/api/v1/apps", {"name": "till", "providers": ["gemini"]}).status == 201
    made = new_key(server, name="till-key", app="till")
    assert await refused(f"{server.ws}/v1/realtime?provider=openai", made["key"]) == (403, "provider_not_allowed")
    replaced = admin(server, "POST", "/api/v1/apps", {"name": "till"})
    assert replaced.status == 200 and replaced.json["providers"] is None
    created = await greeting(f"{server.ws}/v1/realtime?provider=openai", **bearer(made["key"]))
    assert created["type"] == "session.created", "the app is read anew at each change"
    # A token of an app: of the asker's own, or as the operator says.
    own = ask(server, "POST", "/v1/realtime/client_secrets", {"app": "till"}, key=made["key"])
    assert own.status == 200
    other = ask(server, "POST", "/v1/realtime/client_secrets", {"app": "till"}, key=SERVER_KEY)
    assert other.status == 403 and other.error["code"] == "app_not_allowed"
    assert admin(server, "POST", "/v1/realtime/client_secrets", {"app": "till"}).status == 200
    held = admin(server, "DELETE", "/api/v1/apps/till")
    assert held.status == 409 and held.error["code"] == "app_has_keys"
    assert admin(server, "DELETE", f"/api/v1/keys/{made['id']}").status == 200
    assert admin(server, "DELETE", "/api/v1/apps/till").status == 200


async def test_the_operators_key_opens_its_routes_and_minting_and_no_session(server):
    assert await refused(f"{server.ws}/v1/realtime", ADMIN_KEY) == (401, "invalid_api_key")
    assert (await greeting(f"{server.ws}/v1/realtime", **bearer(mint(server, ADMIN_KEY))))["type"] == "session.created"
    for key, status in ((None, 401), (SERVER_KEY, 401), (mint(server), 401)):
        assert ask(server, "GET", "/api/v1/keys", key=key).status == status
    in_query = ask(server, "GET", f"/api/v1/keys?token={ADMIN_KEY}")
    assert in_query.status == 401 and ADMIN_KEY not in server.log


def test_without_an_operators_key_its_routes_are_closed(tmp_path, standin):
    with locked_gateway(tmp_path, standin, {"ENGINE_API_KEY": ""}) as server:
        for key in (None, ADMIN_KEY, SERVER_KEY):
            closed = ask(server, "GET", "/api/v1/keys", key=key)
            assert closed.status == 403 and closed.error["code"] == "admin_disabled"


async def test_the_first_key_ends_the_time_without_keys(tmp_path, standin):
    with locked_gateway(tmp_path, standin, access={}) as server:
        url = f"{server.ws}/v1/realtime"
        assert (await greeting(url))["type"] == "session.created"
        made = new_key(server, name="first")
        assert await refused(url, "anything") == (401, "invalid_api_key")
        assert (await greeting(url, **bearer(made["key"])))["type"] == "session.created"


def test_with_ledger_none_the_configuration_is_shown_and_nothing_made(tmp_path, standin):
    with locked_gateway(tmp_path, standin, ledger="none") as server:
        listed = admin(server, "GET", "/api/v1/keys").json["data"]
        assert [key["name"] for key in listed] == ["server", "page"]
        answer = admin(server, "POST", "/api/v1/keys", {"name": "a"})
        assert answer.status == 501 and answer.error["code"] == "no_key_store"
        configured = admin(server, "DELETE", f"/api/v1/keys/{listed[0]['id']}")
        assert configured.status == 409 and configured.error["code"] == "key_is_configured"
        assert admin(server, "GET", "/api/v1/usage/summary").error["code"] == "no_ledger"


def test_keys_outlive_the_process_and_the_file_does_not_hold_them(tmp_path, standin):
    with locked_gateway(tmp_path, standin) as server:
        made = new_key(server, name="durable")
    for file in tmp_path.glob("usage.sqlite*"):
        held = file.read_bytes()
        assert made["key"].encode() not in held and made["key"].removeprefix("hyb_").encode() not in held
    with locked_gateway(tmp_path, standin) as server:
        assert ask(server, "GET", "/v1/models", key=made["key"]).status == 200
