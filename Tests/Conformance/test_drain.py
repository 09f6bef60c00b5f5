"""Out of service without a dropped call: signals, the operator's drain, a restart, and a process that stood still."""

import asyncio
import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest

from asking import ADMIN_KEY, ask
from draining import PART_BYTES, At, calls, gateway, storyteller
from processes import Gateway, accepts_connections, free_port, is_healthy
from raw_socket import raw_socket, text

# By hand 500, in CI so many that each loop has dozens.
TURNS = int(os.environ.get("DRAIN_TURNS", "100"))
REPETITIONS = int(os.environ.get("DRAIN_REPETITIONS", "1"))
STOPPED_SECONDS = float(os.environ.get("DRAIN_STOPPED_SECONDS", "1.5"))
PARTS, INTERVAL_MS = 12, 250


def health(port: int) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


async def ended(running: Gateway, seconds: float) -> int:
    """The exit code of a process that is to end by itself."""
    return await asyncio.to_thread(running._process._process.wait, seconds)


async def refusal(port: int) -> tuple[int, dict, dict]:
    """The answer to an upgrade that is refused: status, fields and error."""
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    answer = await asyncio.to_thread(ask, At(port), "GET", "/v1/realtime", headers=upgrade)
    return answer.status, answer.headers, answer.error


@pytest.mark.deadline(150 * REPETITIONS)
async def test_R287_fault_row_57_sigterm_with_many_live_turns(tmp_path):
    for number in range(REPETITIONS):
        folder = tmp_path / str(number)
        folder.mkdir()
        with storyteller(folder, PARTS, INTERVAL_MS) as standin:
            running = gateway(folder, standin, 60, separate=True)
            async with calls(running, 10, asking=False) as idle, calls(running, TURNS, asking=True) as busy:
                sent = time.monotonic()
                os.kill(running.pid, signal.SIGTERM)
                while accepts_connections(running.port):
                    assert time.monotonic() - sent < 5, "the listener of sessions stays open"
                closed = time.monotonic() - sent
                status, body = await asyncio.to_thread(health, running.operator_port)
                assert (status, body["status"]) == (503, "draining")
                standing = ask(At(running.operator_port), "GET", "/drain", key=ADMIN_KEY).json
                assert standing["draining"] and TURNS + len(idle) >= standing["sessions"] >= standing["midTurn"] > 0, standing
                await asyncio.gather(*(call.over() for call in idle))
                for call in idle:
                    call.check_told_to_come_back()
                await asyncio.gather(*(call.over() for call in busy))
                last = time.monotonic()
                assert await ended(running, 10) == 0
                took = time.monotonic() - sent
            for call in busy:
                call.check_whole(PARTS)
                call.check_told_to_come_back()
            # A tenth of a second on a machine of one's own.
            assert closed < 1, f"the listener closed after {closed:.3f} s"
            assert time.monotonic() - last < 3, f"{time.monotonic() - last:.3f} s"
            assert running.stop() == 0
            print(f"{TURNS} turns: listener closed after {closed * 1000:.0f} ms, over after {took:.2f} s")


async def test_fault_row_57_the_end_of_the_grace(tmp_path):
    """A turn that is longer is cut with 1012, and a client that answers nothing holds nobody up."""
    grace = 0.7
    with storyteller(tmp_path, 200, 100) as standin:
        running = gateway(tmp_path, standin, grace)
        async with calls(running, 2, asking=True) as busy, raw_socket(running, "/v1/realtime") as mute:
            await mute.event("session.created")
            await mute.send(text({"type": "response.create"}))
            await mute.event("response.created")
            sent = time.monotonic()
            os.kill(running.pid, signal.SIGINT)
            await asyncio.gather(*(call.over() for call in busy))
            told = time.monotonic() - sent
            assert await ended(running, 10) == 0
            took = time.monotonic() - sent
        for call in busy:
            call.check_told_to_come_back()
            assert "response.done" in call.types, "what the client has open is closed"
        assert grace <= told and took < grace + 2, (told, took)
        assert running.stop() == 0


async def test_fault_row_57_a_single_listener_stays_for_health_checks_and_takes_no_session(tmp_path):
    with storyteller(tmp_path, 10, 100) as standin:
        running = gateway(tmp_path, standin, 20)
        async with calls(running, 1, asking=True) as (busy,):
            assert (await asyncio.to_thread(health, running.port))[0] == 200
            os.kill(running.pid, signal.SIGTERM)
            while (await asyncio.to_thread(health, running.port))[0] == 200:
                await asyncio.sleep(0.01)
            status, fields, error = await refusal(running.port)
            assert (status, error["code"], fields["retry-after"]) == (503, "gateway_restarting", "5")
            await busy.over()
            busy.check_whole(10)
            busy.check_told_to_come_back()
            assert await ended(running, 10) == 0
        assert running.stop() == 0


async def test_fault_row_58_a_second_signal_ends_it_now(tmp_path):
    with storyteller(tmp_path, 200, 100) as standin:
        running = gateway(tmp_path, standin, 60)
        async with calls(running, 1, asking=True) as (busy,):
            os.kill(running.pid, signal.SIGTERM)
            while (await asyncio.to_thread(health, running.port))[0] == 200:
                await asyncio.sleep(0.01)
            assert not busy.is_over
            sent = time.monotonic()
            os.kill(running.pid, signal.SIGINT)
            assert await ended(running, 10) == 0
            assert time.monotonic() - sent < 2
        assert running.stop() == 0


async def test_R287_a_grace_that_the_operator_gives_holds_also_where_the_process_is_to_exit(tmp_path):
    with storyteller(tmp_path, 25, 100) as standin:
        running = gateway(tmp_path, standin, 0.3)
        async with calls(running, 1, asking=True) as (busy,):
            wish = {"graceSeconds": 20, "exit": True}
            assert ask(running, "POST", "/drain", wish, key=ADMIN_KEY).json["sessions"] == 1
            await busy.over()
            busy.check_whole(25)
            busy.check_told_to_come_back()
        assert await ended(running, 10) == 0
        assert running.stop() == 0


async def test_R287_a_signal_ends_a_long_grace(tmp_path):
    with storyteller(tmp_path, 200, 100) as standin:
        running = gateway(tmp_path, standin, 0.3)
        async with calls(running, 1, asking=True) as (busy,):
            assert ask(running, "POST", "/drain", {"graceSeconds": 60, "exit": True}, key=ADMIN_KEY).status == 200
            os.kill(running.pid, signal.SIGTERM)
            await busy.over()
            busy.check_told_to_come_back()
            assert busy.audio_bytes < 200 * PART_BYTES
        assert await ended(running, 10) == 0
        assert running.stop() == 0


async def test_R287_the_operator_drains_and_the_process_stays(tmp_path):
    with storyteller(tmp_path, 8, 100) as standin:
        running = gateway(tmp_path, standin, 30)
        assert ask(running, "GET", "/drain", key=ADMIN_KEY).json == {"draining": False, "sessions": 0}
        for method in ("GET", "POST"):
            assert ask(running, method, "/drain").status == 401
        for body in ({"graceSeconds": -1}, {"graceSeconds": "1"}, {"exit": 1}, {"more": 1}, []):
            assert ask(running, "POST", "/drain", body, key=ADMIN_KEY).status == 400
        async with calls(running, 1, asking=False) as (idle,), calls(running, 1, asking=True) as (busy,):
            begun = ask(running, "POST", "/drain", key=ADMIN_KEY).json
            assert begun["draining"] and begun["startedAt"] < begun["deadline"]
            again = ask(running, "POST", "/drain", {"graceSeconds": 3600}, key=ADMIN_KEY).json
            assert (again["startedAt"], again["deadline"]) == (begun["startedAt"], begun["deadline"])
            await idle.over()
            await busy.over()
            idle.check_told_to_come_back()
            busy.check_whole(8)
            busy.check_told_to_come_back()
        while (standing := ask(running, "GET", "/drain", key=ADMIN_KEY).json)["sessions"]:
            await asyncio.sleep(0.01)
        assert (standing["midTurn"], standing["ended"]) == (0, 2)
        assert health(running.port)[1]["status"] == "draining"
        assert (await refusal(running.port))[0] == 503
        assert ask(running, "POST", "/drain", {"exit": True}, key=ADMIN_KEY).status == 200
        assert await ended(running, 10) == 0
        assert running.stop() == 0


@pytest.mark.deadline(120)
async def test_fault_row_59_killed_and_back_within_a_second(tmp_path):
    """A server without an engine; what it had written of its sessions is there again."""
    environment = {"PARLEY_DATA": str(tmp_path)}
    ledger = {"sqlite": str(tmp_path / "usage.sqlite")}
    took = []
    with storyteller(tmp_path, 100, 100) as standin:
        # The best of five: other tests may have the machine meanwhile.
        for _ in range(5):
            running = gateway(tmp_path, standin, 1, environment=environment, ledger=ledger)
            async with calls(running, 2, asking=True):
                known = {session["id"] for session in ask(running, "GET", "/sessions", key=ADMIN_KEY).json["sessions"]}
                events = "/api/v1/usage/events?limit=1000"
                while not known <= {event["id"] for event in ask(running, "GET", events, key=ADMIN_KEY).json}:
                    await asyncio.sleep(0.05)
                os.kill(running.pid, signal.SIGKILL)
                assert await ended(running, 10) == -signal.SIGKILL
            running.stop()
            begun = time.monotonic()
            running = gateway(tmp_path, standin, 1, environment=environment, ledger=ledger)
            took.append(time.monotonic() - begun)
            found = ask(running, "GET", events, key=ADMIN_KEY).json
            assert known <= {event["id"] for event in found}
            assert running.stop() == 0
            if took[-1] < 1:
                break
    print(f"back after {min(took):.3f} s")
    assert min(took) < 1, took


@pytest.mark.deadline(60 + 2 * STOPPED_SECONDS)
async def test_fault_row_64_a_process_that_was_stopped_goes_on(tmp_path):
    """Calls and their answers go on; no ping and no deadline of the stopped time ends a session that has a right to live."""
    with storyteller(tmp_path, 10, 20) as standin:
        running = gateway(tmp_path, standin, 5)
        async with calls(running, 3, asking=True) as busy, calls(running, 3, asking=False) as idle:
            os.kill(running.pid, signal.SIGSTOP)
            await asyncio.sleep(STOPPED_SECONDS)
            os.kill(running.pid, signal.SIGCONT)
            for call in busy:
                async with asyncio.timeout(10):
                    while "response.done" not in call.types:
                        await asyncio.sleep(0.01)
                call.check_whole(10)
            for call in (*busy, *idle):
                await call.socket.send(json.dumps({"type": "session.update", "session": {"type": "realtime"}}))
                async with asyncio.timeout(10):
                    while "session.updated" not in call.types:
                        await asyncio.sleep(0.01)
                assert not call.is_over
        assert running.stop() == 0


def test_a_port_in_use_is_one_clear_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        provider = {"kind": "openai", "url": f"ws://127.0.0.1:{free_port()}/v1/realtime", "model": "m"}
        routes = {"listen": [{"host": "127.0.0.1", "port": port}], "default": "p", "providers": {"p": provider}}
        running = Gateway(tmp_path, routes)
        assert running._process._process.wait(20) == 1
        running.stop()
        lines = [line for line in running.log.splitlines() if line.startswith("error:")]
        assert lines == [f"error: 127.0.0.1:{port} is in use by another process; choose another port with --port"]


def test_R287_a_client_that_comes_back_finds_the_successor(tmp_path):
    """The next process may take the port as soon as the last one has left it."""
    with storyteller(tmp_path, 5, 10) as standin:
        running = gateway(tmp_path, standin, 1)
        port = running.port
        assert running.stop() == 0
        successor = gateway(tmp_path, standin, 1, port=port)
        assert is_healthy(port)
        assert successor.stop() == 0
