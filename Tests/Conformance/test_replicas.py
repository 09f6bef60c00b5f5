"""Two processes with one secret and one database: what is exact across both (fault row 16)."""

import asyncio
import base64
import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from asking import (
    ADMIN_KEY, ENVIRONMENT, SERVER_KEY, ask, bearer, greeting, locked_routes, mint, refusal,
)  # fmt: skip
from metered_calls import make_call
from postgres import PASSWORD, Postgres, await_true, postgres
from processes import Gateway

LEASE_SECONDS = 20
OLD_SECRET = "an-old-secret-of-the-tests-of-at-least-32-bytes"
NEW_SECRET = "a-new-secret-of-the-tests-of-at-least-32-bytes!"


@pytest.fixture(scope="module")
def database_server():
    with postgres() as server:
        yield server


@contextlib.contextmanager
def replicas(
    folder: pathlib.Path, standin, database_server: Postgres, database: str | None = None, count: int = 2,
    environment: dict | None = None, **sections,
):  # fmt: skip
    """Processes that differ in nothing but their folders and ports."""
    database = database or database_server.database()
    running = []
    try:
        for number in range(count):
            home = folder / f"replica{number}-{database}"
            home.mkdir()
            settings = {"ledger": {"postgres": "env:DATABASE_URL"}, "limits": {"usageUpdateSeconds": 1}, **sections}
            own = {"DATABASE_URL": database_server.url(database), "PARLEY_DATA": str(home)}
            routes = locked_routes(standin, home, **settings)
            running.append(Gateway(home, routes, {**ENVIRONMENT, **own, **(environment or {})}))
        for replica in running:
            replica.await_ready()
        yield running
    finally:
        codes = [replica.stop() for replica in running]
        assert all(code in (0, -signal.SIGKILL) for code in codes)
        assert not [replica for replica in running if PASSWORD in replica.log]


def attempt(port: int, credential: str) -> tuple[int, dict, socket.socket | None]:
    """One upgrade by hand: status, error object, and the connection if it is had."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(
        f"GET /v1/realtime?provider=openai HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Authorization: Bearer {credential}\r\n\r\n".encode()
    )
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    if answer.status == 101:
        return 101, {}, connection
    with connection, answer:
        return answer.status, json.loads(answer.read())["error"], None


def is_let_in(port: int, credential: str) -> bool:
    """And leaves again at once."""
    status, _, connection = attempt(port, credential)
    if connection:
        connection.close()
    return status == 101


def fifty_at_once(running: list[Gateway], credential: str) -> tuple[collections.Counter, list[socket.socket]]:
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        ports = [running[number % 2].port for number in range(50)]
        answers = list(pool.map(lambda port: attempt(port, credential), ports))
    found = collections.Counter((status, error.get("code"), error.get("param")) for status, error, _ in answers)
    return found, [connection for _, _, connection in answers if connection]


def close(connections: list[socket.socket]) -> None:
    for connection in connections:
        connection.close()


async def test_fault_row_16_one_mints_and_the_other_accepts(tmp_path, standin, database_server):
    with replicas(tmp_path, standin, database_server) as (one, other):
        token = mint(one, session={"type": "realtime", "instructions": "Be kind."})
        created = await greeting(f"{other.ws}/v1/realtime", **bearer(token))
        assert created["session"]["instructions"] == "Be kind."


LIMITED = {
    "key": {"access": {"keys": [{"name": "server", "key": "env:SERVER_KEY", "maxSessions": 10}]}},
    "app": {
        "access": {
            "keys": [{"name": "server", "key": "env:SERVER_KEY", "app": "shop"}],
            "apps": [{"name": "shop", "maxSessions": 10}],
        }
    },
    "provider": {},
    "token": {},
}  # fmt: skip


@pytest.mark.deadline(90)
@pytest.mark.parametrize("holder", LIMITED)
async def test_fifty_at_once_over_both_are_exactly_ten(tmp_path, standin, database_server, holder):
    sections = dict(LIMITED[holder])
    if holder == "provider":
        sections["providers"] = locked_routes(standin, tmp_path)["providers"]
        sections["providers"]["openai"]["maxSessions"] = 10
    with replicas(tmp_path, standin, database_server, **sections) as running:
        credential = mint(running[0], max_sessions=10) if holder == "token" else SERVER_KEY
        found, connections = await asyncio.to_thread(fifty_at_once, running, credential)
        refused = (401, "token_used_up") if holder == "token" else (429, "rate_limit_exceeded")
        assert found[101, None, None] == 10, found
        assert sum(count for (status, code, _), count in found.items() if (status, code) == refused) == 40, found
        close(connections)
        if holder == "token":
            status, error = await refusal(f"{running[1].ws}/v1/realtime", **bearer(credential))
            assert (status, error["code"]) == refused, "sessions that have ended are not given back to a token"
            return
        # When they have left there is room for exactly as many again.
        again = 0
        held = []
        deadline = time.monotonic() + 15
        while again < 10:
            _, _, connection = await asyncio.to_thread(attempt, running[again % 2].port, credential)
            held += [connection] if connection else []
            again = len(held)
            assert time.monotonic() < deadline, f"{again} seats are free"
        assert not await asyncio.to_thread(is_let_in, running[0].port, credential)
        close(held)


@pytest.mark.deadline(90)
async def test_a_seat_of_a_killed_replica_is_free_within_its_lease(tmp_path, standin, database_server):
    access = {"keys": [{"name": "server", "key": "env:SERVER_KEY", "maxSessions": 1}]}
    with replicas(tmp_path, standin, database_server, access=access) as (one, other):
        status, _, connection = attempt(one.port, SERVER_KEY)
        assert status == 101
        # Longer than a lease: it is renewed while the session lives.
        await asyncio.sleep(LEASE_SECONDS + 3)
        assert not is_let_in(other.port, SERVER_KEY)
        os.kill(one.pid, signal.SIGKILL)
        killed = time.monotonic()
        assert not is_let_in(other.port, SERVER_KEY)
        while not is_let_in(other.port, SERVER_KEY):
            assert time.monotonic() - killed < LEASE_SECONDS + 2
            await asyncio.sleep(0.3)
        connection.close()


@pytest.mark.deadline(60)
async def test_sums_are_exact_across_both(tmp_path, standin, database_server):
    database = database_server.database()
    with replicas(tmp_path, standin, database_server, database) as running:
        lines = [running[number % 2].ws for number in range(10)]
        calls = await asyncio.gather(
            *(make_call(f"{line}/v1/realtime?provider=openai", 2, **bearer(SERVER_KEY)) for line in lines)
        )
        assert [call.errors for call in calls if call.errors] == []
        wanted = sum(call.heard_bytes for call in calls) / 48_000

        def total(replica) -> dict:
            return ask(replica, "GET", "/api/v1/usage/summary?group_by=key", key=ADMIN_KEY).json["total"]

        def all_have_ended() -> bool:
            rows = database_server.psql(database, "SELECT count(*) FROM parley_usage WHERE state = 'ended'")
            return rows == [["10"]]

        await asyncio.to_thread(await_true, all_have_ended, "every session has its last record")
        for replica in running:
            found = total(replica)
            assert found["sessions"] == found["events"] == 10
            assert found["audio_input_seconds"] == pytest.approx(wanted, abs=1e-9)
            longest = sum(call.ended - call.began for call in calls)
            assert 10 * 2 <= found["seconds"] <= longest + 10 * 0.5
        instances = database_server.psql(database, "SELECT DISTINCT record->>'instance' FROM parley_usage")
        assert len(instances) == 2


@pytest.mark.deadline(60)
async def test_a_day_of_two_seconds_is_shared(tmp_path, standin, database_server):
    access = {"keys": [{"name": "server", "key": "env:SERVER_KEY", "maxMinutesPerDay": 2 / 60}]}
    limits = {"usageUpdateSeconds": 0.5, "limitWarningSeconds": 1}
    database = database_server.database()
    with replicas(tmp_path, standin, database_server, database, access=access, limits=limits) as (one, other):
        begun = time.monotonic()
        events = []
        async with connect(f"{one.ws}/v1/realtime?provider=openai", **bearer(SERVER_KEY)) as talk:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    events.append(json.loads(await asyncio.wait_for(talk.recv(), 10)))
            lasted = time.monotonic() - begun
            assert talk.close_code == 1000
        warnings = [event["warning"] for event in events if "warning" in event]
        assert [warning["code"] for warning in warnings] == ["limit_approaching"]
        assert warnings[0]["limit"] == "maxMinutesPerDay"
        assert events[-1]["type"] == "error" and events[-1]["error"]["code"] == "minutes_exhausted"
        assert 1.5 <= lasted <= 2.6
        # The day is over for everybody.
        for replica in (one, other):
            status, error = await refusal(f"{replica.ws}/v1/realtime?provider=openai", **bearer(SERVER_KEY))
            assert (status, error["param"]) == (429, "maxMinutesPerDay"), error
        (used,) = database_server.psql(database, "SELECT used FROM parley_minutes WHERE holder LIKE 'key:%'")
        assert float(used[0]) <= 2.0


async def test_a_key_revoked_at_one_is_refused_at_the_other_at_the_next_connect(tmp_path, standin, database_server):
    database = database_server.database()
    with replicas(tmp_path, standin, database_server, database) as (one, other):
        made = ask(one, "POST", "/api/v1/keys", {"name": "mobile"}, key=ADMIN_KEY)
        assert made.status == 201, made
        key, id = made.json["key"], made.json["id"]
        for replica in (one, other):
            assert (await greeting(f"{replica.ws}/v1/realtime", **bearer(key)))["type"] == "session.created"
        async with connect(f"{other.ws}/v1/realtime?provider=openai", **bearer(key)) as talk:
            await talk.recv()
            assert ask(one, "DELETE", f"/api/v1/keys/{id}", key=ADMIN_KEY).status == 200
            for replica in (other, one):
                status, error = await refusal(f"{replica.ws}/v1/realtime", **bearer(key))
                assert (status, error["code"]) == (401, "api_key_revoked")
            # Who is in stays in.
            await talk.send(json.dumps({"type": "session.update", "session": {"type": "realtime"}}))
            assert json.loads(await talk.recv())["type"] == "session.updated"
        dump = database_server.dump(database)
        assert id in dump and key not in dump and key.removeprefix("hyb_") not in dump


@pytest.mark.deadline(120)
async def test_both_migrate_at_once(tmp_path, standin, database_server):
    for _ in range(5):
        with replicas(tmp_path, standin, database_server, count=3) as running:
            for replica in running:
                answer = ask(replica, "GET", "/api/v1/keys", key=ADMIN_KEY)
                assert answer.status == 200, answer
                # Nor what the server remarks to its library.
                assert "does not serve" not in replica.log and "NOTICE" not in replica.log


def kid(token: str) -> str:
    head = token.removeprefix("ek_").split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]


@pytest.mark.deadline(60)
async def test_a_secret_is_changed_while_its_tokens_live(tmp_path, standin, database_server):
    secrets = {"OLD_SECRET": OLD_SECRET, "NEW_SECRET": NEW_SECRET}
    before = {"tokens": {"secrets": [{"secret": "env:OLD_SECRET"}]}}
    both = {"tokens": {"secrets": [{"secret": "env:NEW_SECRET"}, {"secret": "env:OLD_SECRET"}]}}
    after = {"tokens": {"secrets": [{"secret": "env:NEW_SECRET"}]}}
    with replicas(tmp_path, standin, database_server, count=1, environment=secrets, **before) as (one,):
        old = mint(one)
    with replicas(tmp_path, standin, database_server, environment=secrets, **both) as (one, other):
        new = mint(one)
        assert kid(new) != kid(old) and kid(mint(other)) == kid(new)
        for replica in (one, other):
            for token in (old, new):
                assert (await greeting(f"{replica.ws}/v1/realtime", **bearer(token)))["type"] == "session.created"
    with replicas(tmp_path, standin, database_server, count=1, environment=secrets, **after) as (one,):
        assert (await greeting(f"{one.ws}/v1/realtime", **bearer(new)))["type"] == "session.created"
        status, error = await refusal(f"{one.ws}/v1/realtime", **bearer(old))
        assert (status, error["code"]) == (401, "invalid_token")
