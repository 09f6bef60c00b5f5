"""A process that makes tokens apart from the one whose sessions they open (R103, R104, R290)."""

import json
import subprocess

from asking import (
    ADMIN_KEY, ENVIRONMENT, PAGE_KEY, SERVER_KEY, ask, bearer, greeting, locked_gateway, locked_routes, mint, refusal,
)  # fmt: skip
from processes import Gateway, accepts_connections, free_port

ORDER = {"appId": "default", "provider": "vowel-prime"}


def serving(port: int, *services: str) -> dict:
    return {"host": "127.0.0.1", "port": port, "serves": list(services)}


async def test_R103_R104_a_token_of_one_process_opens_a_session_of_another_and_after_its_death(tmp_path, standin):
    (tmp_path / "desk").mkdir()
    (tmp_path / "engine").mkdir()
    # The engine knows no key: what it knows is the secret.
    sections = {"access": {}, "tokens": {"secrets": [{"secret": "env:JWT_SECRET"}]}, "ledger": "none"}
    with locked_gateway(tmp_path / "engine", standin, **sections) as engine:
        with locked_gateway(tmp_path / "desk", standin) as desk:
            token = mint(desk, session={"type": "realtime", "instructions": "Be kind."})
            created = await greeting(f"{engine.ws}/v1/realtime", **bearer(token))
            assert created["session"]["instructions"] == "Be kind."
        assert not accepts_connections(desk.port)
        created = await greeting(f"{engine.ws}/v1/realtime?token={token}")
        assert created["type"] == "session.created"


async def test_R290_the_curl_of_the_source_at_a_port_that_serves_tokens(tmp_path, standin):
    tokens_port, admin_port = free_port(), free_port()
    running = Gateway(tmp_path, locked_routes(standin, tmp_path), ENVIRONMENT)
    running.stop()
    routes = locked_routes(standin, tmp_path)
    routes["listen"] = [
        serving(running.port, "sessions"), serving(tokens_port, "tokens"), serving(admin_port, "admin"),
    ]  # fmt: skip
    server = Gateway(tmp_path, routes, ENVIRONMENT)
    server.port = running.port
    server.await_ready()

    class At:
        def __init__(self, port: int):
            self.port, self.ws = port, f"ws://127.0.0.1:{port}"

    tokens, admin = At(tokens_port), At(admin_port)
    try:
        run = subprocess.run(
            ["curl", "-s", "-X", "POST", f"http://127.0.0.1:{tokens_port}/vowel/api/generateToken",
             "-H", "Content-Type: application/json", "-H", f"X-API-Key: {PAGE_KEY}", "-d", json.dumps(ORDER)],
            capture_output=True, text=True, timeout=15, check=True,
        )  # fmt: skip
        answer = json.loads(run.stdout)
        assert answer["wsUrl"] == f"{server.ws}/v1/realtime", "where sessions are, not where the token came from"
        created = await greeting(f"{answer['wsUrl']}?token={answer['token']}")
        assert created["type"] == "session.created"
        # Each port has its own routes, and its health.
        status, error = await refusal(f"{tokens.ws}/v1/realtime", **bearer(answer["token"]))
        assert (status, error["code"]) == (404, "not_found")
        for at, method, target, key, status in [
            (tokens, "GET", "/v1/models", SERVER_KEY, 404),
            (tokens, "GET", "/api/v1/keys", ADMIN_KEY, 404),
            (server, "POST", "/v1/realtime/client_secrets", SERVER_KEY, 404),
            (server, "GET", "/api/v1/keys", ADMIN_KEY, 404),
            (server, "GET", "/v1/models", SERVER_KEY, 200),
            (admin, "GET", "/api/v1/keys", ADMIN_KEY, 200),
            (admin, "GET", "/v1/models", SERVER_KEY, 404),
            (admin, "POST", "/vowel/api/generateToken", PAGE_KEY, 404),
            *[(at, "GET", "/health", None, 200) for at in (server, tokens, admin)],
        ]:
            answer = ask(at, method, target, {} if method == "POST" else None, key=key)
            assert answer.status == status, (at.port, target, answer)
    finally:
        assert server.stop() == 0
