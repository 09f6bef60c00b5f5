"""What a crash costs: nothing that is older than the interval, and nothing twice (R044)."""

import asyncio
import calendar
import json
import os
import random
import signal
import sqlite3
import time

import pytest

from asking import ADMIN_KEY, ENVIRONMENT, SERVER_KEY, ask, bearer, locked_gateway, locked_routes
from metered_calls import Call, make_call, short_call
from postgres import await_true
from processes import Gateway, StandIn
from raw_socket import raw_socket
from webhook_receiver import webhook_receiver

EVENTS = "/api/v1/usage/events?limit=1000"
# What a kill may lose of a live session.
INTERVAL_SECONDS = 5.0
SILENCE_MS = 31_000


def events(server) -> dict[str, dict]:
    answer = ask(server, "GET", EVENTS, key=ADMIN_KEY)
    assert answer.status == 200, answer
    found = {event["id"]: event for event in answer.json}
    assert len(found) == len(answer.json), "a session is there twice"
    return found


def gateway(folder, standin, **sections) -> Gateway:
    running = Gateway(folder, locked_routes(standin, folder, **sections), {**ENVIRONMENT, "PARLEY_DATA": str(folder)})
    running.await_ready()
    return running


def kill(running: Gateway) -> None:
    os.kill(running.pid, signal.SIGKILL)
    assert running.stop() == -signal.SIGKILL


def push_back(folder, milliseconds: int) -> None:
    """Lets time pass for what was written."""
    with sqlite3.connect(folder / "usage.sqlite") as database:
        for id, text in database.execute("SELECT id, record FROM usage").fetchall():
            record = json.loads(text)
            whole, thousandths = record["updated_at"].rstrip("Z").split(".")
            then = time.strptime(whole, "%Y-%m-%dT%H:%M:%S")
            moment = calendar.timegm(then) * 1000 + int(thousandths) - milliseconds
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // 1000))
            record["updated_at"] = f"{text}.{moment % 1000:03}Z"
            database.execute("UPDATE usage SET record = ? WHERE id = ?", (json.dumps(record), id))


@pytest.mark.deadline(60)
async def test_a_kill_loses_at_most_the_interval(tmp_path, standin):
    """Three servers, killed at moments of their own, in the middle of calls."""

    async def one(number: int) -> tuple:
        folder = tmp_path / str(number)
        folder.mkdir()
        running = gateway(folder, standin)
        calls = [Call() for _ in range(3)]
        url = f"{running.ws}/v1/realtime?provider=openai"
        tasks = [asyncio.create_task(make_call(url, 30, call, **bearer(SERVER_KEY))) for call in calls]
        await asyncio.sleep(random.uniform(6, 9))
        killed = time.monotonic()
        kill(running)
        await asyncio.gather(*tasks)
        return folder, calls, killed

    for folder, calls, killed in await asyncio.gather(*(one(number) for number in range(3))):
        running = gateway(folder, standin)
        try:
            found = events(running)
            assert len(found) == len(calls)
            for call in calls:
                event = found[call.session]
                assert event["state"] == "live" and event["end"] is None and event["ended_at"] is None
                assert event["modality"] == "voice_realtime" and event["key"] == "server"
                assert killed - call.began - INTERVAL_SECONDS <= event["seconds"] <= killed - call.began + 0.5
                counted = event["audio_input"]["bytes"]
                assert call.bytes_before(killed - INTERVAL_SECONDS) <= counted <= call.heard_bytes
                assert counted > 0
            push_back(folder, SILENCE_MS)
            assert {event["state"] for event in events(running).values()} == {"lost"}
        finally:
            assert running.stop() == 0


@pytest.mark.deadline(90)
async def test_a_kill_while_the_spool_is_drained_loses_nothing_and_tells_nothing_twice(tmp_path, standin):
    with webhook_receiver() as receiver:
        receiver.answer = lambda batch: 503
        ledger = {"sqlite": str(tmp_path / "usage.sqlite"), "webhook": {"url": receiver.url}}
        running = gateway(tmp_path, standin, ledger=ledger)
        url = f"{running.ws}/v1/realtime?provider=openai"
        sessions: set[str] = set()
        for _ in range(30):
            sessions |= set(await asyncio.gather(*(short_call(url, **bearer(SERVER_KEY)) for _ in range(12))))
        assert len(sessions) == 360
        spool = tmp_path / "spool" / "webhook"
        await_true(lambda: lines(spool) >= 360, "everything is on disk, because nobody takes it")
        kill(running)
        # The next one begins to tell; in the middle of it, it is killed, too.
        batches = []

        def takes_one(batch):
            batches.append(batch)
            if len(batches) > 1:
                time.sleep(30)
            return 200

        receiver.answer = takes_one
        running = gateway(tmp_path, standin, ledger=ledger)
        await asyncio.to_thread(await_true, lambda: len(batches) > 1, "the drain has begun")
        kill(running)
        receiver.answer = lambda batch: 200
        running = gateway(tmp_path, standin, ledger=ledger)
        try:
            await asyncio.to_thread(
                await_true, lambda: {event["subject"] for event in receiver.taken} >= sessions, "all are told"
            )
            await_true(lambda: lines(spool) == 0, "the spool is empty")
            told = receiver.taken
            assert {event["subject"] for event in told} == sessions
            # What was taken is not told again, not even by another process.
            assert len(told) == len({event["id"] for event in told}) == len(sessions)
            for event in told:
                assert event["id"] == f"{event['subject']}:{event['data']['sequence']}"
                assert event["data"]["state"] == "ended"
            assert set(events(running)) == sessions
        finally:
            assert running.stop() == 0


def lines(spool) -> int:
    return sum(file.read_bytes().count(b"\n") for file in spool.glob("*/*.jsonl"))


@pytest.mark.deadline(60)
async def test_R044_a_client_that_vanishes_and_a_provider_that_dies_leave_their_event(tmp_path):
    standin = StandIn(tmp_path, "mortal")
    standin.await_ready()
    limits = {"usageUpdateSeconds": 0.5}
    with locked_gateway(tmp_path, standin, {"PARLEY_DATA": str(tmp_path)}, limits=limits) as running:
        url = f"{running.ws}/v1/realtime?provider=openai"
        async with raw_socket(running, "/v1/realtime?provider=openai", f"Authorization: Bearer {SERVER_KEY}") as socket:
            vanished = (await socket.event("session.created"))["session"]["id"]
            socket.reset()
        hung_up = await short_call(url, **bearer(SERVER_KEY))
        call = Call()
        task = asyncio.create_task(make_call(url, 60, call, **bearer(SERVER_KEY)))
        await asyncio.sleep(1.5)
        standin.stop()
        await task
        ids = {vanished, hung_up, call.session}

        def have_ended() -> bool:
            found = events(running)
            return ids <= {id for id, event in found.items() if event["state"] == "ended"}

        await asyncio.to_thread(await_true, have_ended, "every session has its last record")
        found = events(running)
        assert found[vanished]["end"] != found[hung_up]["end"]
        assert found[call.session]["end"].startswith("upstream"), found[call.session]["end"]
        assert found[call.session]["seconds"] >= 1.4 and found[call.session]["audio_input"]["bytes"] > 0
        assert all(found[id]["ended_at"] and found[id]["seconds"] > 0 for id in ids)
