"""The sessions that run, for their operator: listed, looked at and ended."""

import asyncio

import pytest

from asking import ADMIN_KEY, SERVER_KEY, ask
from draining import calls, gateway, storyteller

FIELDS = [
    "id", "object", "provider", "model", "state", "startedAt", "durationSeconds", "app", "key", "keyId", "tokenId",
    "address", "mode",
]  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    with storyteller(folder, 100, 50) as standin:
        made = gateway(folder, standin, 1)
        yield made
        assert made.stop() == 0


def sessions(running) -> list[dict]:
    answer = ask(running, "GET", "/sessions", key=ADMIN_KEY).json
    assert answer["count"] == len(answer["sessions"])
    return answer["sessions"]


async def none_left(running) -> None:
    while sessions(running):
        await asyncio.sleep(0.01)


def test_R047_only_the_operator_sees_sessions(running):
    for method, path in [("GET", "/sessions"), ("GET", "/sessions/x"), ("DELETE", "/sessions/x")]:
        assert ask(running, method, path).status == 401
        assert ask(running, method, path, key=SERVER_KEY).status == 401


async def test_R047_sessions_are_listed_and_found_by_their_ids(running):
    await none_left(running)
    async with calls(running, 1, asking=False) as (idle,), calls(running, 1, asking=True) as (busy,):
        listed = sessions(running)
        assert [session["id"] for session in listed] == [idle.id, busy.id]
        assert [session["state"] for session in listed] == ["idle", "in_turn"]
        for session in listed:
            assert list(session) == FIELDS
            assert (session["provider"], session["address"]) == ("openai", "127.0.0.1")
            assert session["object"] == "session" and session["durationSeconds"] >= 0
            one = ask(running, "GET", f"/sessions/{session['id']}", key=ADMIN_KEY).json
            assert {**one, "durationSeconds": 0} == {**session, "durationSeconds": 0}
    await none_left(running)


async def test_R047_the_operator_ends_one_session_and_no_other(running):
    await none_left(running)
    async with calls(running, 2, asking=True) as (one, other):
        answer = ask(running, "DELETE", f"/sessions/{one.id}", key=ADMIN_KEY)
        assert (answer.status, answer.json) == (200, {"id": one.id, "object": "session", "ended": True})
        await one.over()
        assert (one.error_code, one.close_code) == ("session_ended_by_operator", 1000)
        heard = other.audio_bytes
        async with asyncio.timeout(10):
            while other.audio_bytes == heard:
                await asyncio.sleep(0.01)
        while len(left := sessions(running)) > 1:
            await asyncio.sleep(0.01)
        assert [session["id"] for session in left] == [other.id]
        for method in ("GET", "DELETE"):
            gone = ask(running, method, f"/sessions/{one.id}", key=ADMIN_KEY)
            assert (gone.status, gone.error["code"]) == (404, "session_not_found")


def test_R047_what_is_not_understood_is_refused(running):
    assert ask(running, "GET", "/sessions?limit=1", key=ADMIN_KEY).error["code"] == "unknown_parameter"
    assert ask(running, "DELETE", "/sessions/x?force=1", key=ADMIN_KEY).error["code"] == "unknown_parameter"
    assert ask(running, "POST", "/sessions", {}, key=ADMIN_KEY).status == 405
    assert ask(running, "GET", "/sessions/%00", key=ADMIN_KEY).status in (400, 404)
