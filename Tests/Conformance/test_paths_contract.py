"""The addresses that clients and operators rely on (R046, R106): what each answers without a key,
with a wrong one, and with the right one."""

import pytest

from asking import ADMIN_KEY, PAGE_KEY, SERVER_KEY, ask, bearer, greeting, locked_gateway, refusal

SESSIONS = ["/v1/realtime", "/realtime", "/openai/v1/realtime", "/openai/realtime", "/api/v1/inference/realtime"]
# Method, target, body, who has the right key, and the status with it. With none and with a wrong one it is 401.
CONTRACT = [
    ("GET", "/v1/models", None, SERVER_KEY, 200),
    ("GET", "/v1/models/gemini-3.8-live", None, SERVER_KEY, 200),
    ("GET", "/v1/voices", None, SERVER_KEY, 200),
    ("GET", "/v1/capabilities", None, SERVER_KEY, 200),
    ("POST", "/v1/audio/speech", {"model": "tts-1", "input": "Hello.", "voice": "alloy"}, SERVER_KEY, 501),
    *[
        ("POST", f"{base}/{route}", {}, SERVER_KEY, 200)
        for base in ("/v1/realtime", "/realtime", "/openai/v1/realtime")
        for route in ("client_secrets", "sessions", "transcription_sessions")
    ],
    ("POST", "/vowel/api/generateToken", {"appId": "default", "provider": "vowel-prime"}, PAGE_KEY, 200),
    ("GET", "/api/v1/keys", None, ADMIN_KEY, 200),
    ("POST", "/api/v1/keys", {"name": "contract"}, ADMIN_KEY, 201),
    ("DELETE", "/api/v1/keys/key_0000000000000000", None, ADMIN_KEY, 404),
    ("GET", "/api/v1/apps", None, ADMIN_KEY, 200),
    ("POST", "/api/v1/apps", {"name": "contract"}, ADMIN_KEY, 201),
    ("DELETE", "/api/v1/apps/nobody", None, ADMIN_KEY, 404),
    ("GET", "/api/v1/usage/summary?group_by=modality", None, ADMIN_KEY, 200),
    ("GET", "/api/v1/usage/events", None, ADMIN_KEY, 200),
    ("POST", "/api/v1/usage/events", {"modality": "text"}, ADMIN_KEY, 201),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    with locked_gateway(tmp_path_factory.mktemp("paths"), standin) as running:
        yield running


async def test_R046_R106_the_addresses_of_the_contract_are_served(server):
    for path in SESSIONS:
        for slash in ("", "/"):
            url = server.ws + path + slash
            assert (await greeting(url, **bearer(SERVER_KEY)))["type"] == "session.created", url
            assert (await refusal(url))[0] == 401, url
            assert (await refusal(url, **bearer("hyb_wrong")))[0] == 401, url
        assert ask(server, "GET", path).status == 426, path
    for method, target, body, key, status in CONTRACT:
        assert ask(server, method, target, body).status == 401, target
        assert ask(server, method, target, body, key="hyb_wrong").status == 401, target
        answer = ask(server, method, target, body, key=key)
        assert answer.status == status, (method, target, answer)
        if status >= 400:
            assert answer.error
        else:
            assert answer.headers["content-type"] == "application/json" and answer.json is not None
    assert ask(server, "GET", "/health").status == 200
    assert ask(server, "POST", "/v1/realtime/calls").status == 501
    assert ask(server, "GET", "/nowhere", key=SERVER_KEY).error["code"] == "not_found"
